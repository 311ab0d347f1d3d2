#!/bin/sh
# PHP-FPM with three workers, asked through nginx.
here=$1
cat >fpm.conf <<X
[global]
error_log = fpm.log
[www]
user = nobody
group = nogroup
listen = $PWD/fpm.sock
listen.mode = 0666
pm = static
pm.max_children = 3
X
chmod 755 . && cp "$here/page.php" page.php
cat >n.conf <<X
daemon off; pid n.pid; error_log stderr crit; events {}
http { access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
server { listen 127.0.0.1:$PORT; location / { include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME $PWD/page.php; fastcgi_pass unix:$PWD/fpm.sock; } } }
X
php-fpm8.2 -F -y fpm.conf -R &
exec nginx -p "$PWD" -c "$PWD/n.conf"
