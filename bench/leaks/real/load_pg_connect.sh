#!/bin/sh
# Beside PostgreSQL: a new connection for each transaction, by a number of clients that varies. load_pg_connect.sh BIN
until "$1/psql" -h 127.0.0.1 -p "$PORT" -U job postgres -c 'SELECT 1' >/dev/null 2>&1; do sleep 0.3; done
"$1/pgbench" -h 127.0.0.1 -p "$PORT" -U job -i -s 1 -q postgres >/dev/null 2>&1
while :; do
    for clients in 2 8 4 1; do
        "$1/pgbench" -h 127.0.0.1 -p "$PORT" -U job -C -c "$clients" -j 1 -R 20 -T 8 postgres >/dev/null 2>&1
        "$1/psql" -h 127.0.0.1 -p "$PORT" -U job postgres -c VACUUM >/dev/null 2>&1
    done
done
