#!/bin/sh
# nginx with two workers on a folder of files.
mkdir -p www && i=0; while [ "$i" -lt 50 ]; do head -c 20000 /dev/urandom >"www/$i"; i=$((i + 1)); done
cat >n.conf <<X
daemon off; worker_processes 2; pid n.pid; error_log stderr crit; events {}
http { access_log access.log; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
server { listen 127.0.0.1:$PORT; root $PWD/www; location / { try_files \$uri /1; } } }
X
exec nginx -p "$PWD" -c "$PWD/n.conf"
