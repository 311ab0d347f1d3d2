#!/bin/sh
# PostgreSQL in a folder of its own, as a user that is not root. postgres.sh BIN
mkdir pg && chown nobody pg && cd pg || exit 77
su nobody -s /bin/sh -c "$1/initdb -D data -U job -A trust >init.log && exec $1/postgres -D data -p $PORT -k '' -c fsync=off -c shared_buffers=64MB"
