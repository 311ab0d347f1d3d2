#!/bin/busybox sh
# units_init.sh: the first process of the machine in which systemd is process 1: from the initial files, in which no
# root can be changed, to a tmpfs with the same, and there systemd.
/bin/busybox mkdir -p /new
/bin/busybox mount -t tmpfs -o mode=755 root /new
for folder in bin lib lib64 usr etc sbin units.sh; do
    [ -e /$folder ] && /bin/busybox cp -a /$folder /new/
done
/bin/busybox mkdir -p /new/proc /new/sys /new/dev /new/run /new/tmp /new/var/tmp /new/var/lib /new/root /new/home
/bin/busybox chmod 1777 /new/tmp /new/var/tmp
/bin/busybox --install -s /new/bin
exec /bin/busybox switch_root /new /usr/lib/systemd/systemd
