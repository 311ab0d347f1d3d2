#!/bin/sh
# nginx as a proxy with a cache of 20 MB before itself.
mkdir -p www && head -c 30000 /dev/urandom >www/page
cat >n.conf <<X
daemon off; worker_processes 2; pid n.pid; error_log stderr crit; events {}
http { access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
proxy_cache_path $PWD/cache keys_zone=k:1m max_size=20m inactive=10s;
server { listen 127.0.0.1:$PORT; location / { proxy_cache k; proxy_cache_valid 200 20s; proxy_pass http://unix:$PWD/back.sock; } }
server { listen unix:$PWD/back.sock; root $PWD/www; location / { try_files /page =404; } } }
X
exec nginx -p "$PWD" -c "$PWD/n.conf"
