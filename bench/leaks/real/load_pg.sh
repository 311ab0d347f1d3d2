#!/bin/sh
# Beside PostgreSQL: pgbench. load_pg.sh BIN
until "$1/psql" -h 127.0.0.1 -p "$PORT" -U job postgres -c 'SELECT 1' >/dev/null 2>&1; do sleep 0.3; done
"$1/pgbench" -h 127.0.0.1 -p "$PORT" -U job -i -s 1 -q postgres >/dev/null 2>&1
exec "$1/pgbench" -h 127.0.0.1 -p "$PORT" -U job -c 4 -j 1 -R 150 -T "${REAL_S%.*}" postgres >/dev/null 2>&1
