/* dir.c: getdents64 into the caller's buffer. */
#include "dir.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry { /* of getdents64(2) */
    uint64_t inode;
    int64_t next;
    unsigned short bytes;
    unsigned char type;
    char name[];
};

void watch_dir_take(watch_dir *d, int fd)
{
    d->fd = fd;
    d->n = d->at = 0;
}

bool watch_dir_open(watch_dir *d, int at, const char *name)
{
    watch_dir_take(d, openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
    return d->fd >= 0;
}

const char *watch_dir_next(watch_dir *d, unsigned char *type)
{
    for (;;) {
        if (d->at >= d->n) {
            d->at = 0;
            d->n = syscall(SYS_getdents64, d->fd, d->buf, sizeof d->buf);
            if (d->n <= 0)
                return NULL;
        }
        const struct entry *e = (const struct entry *)(const void *)(d->buf + d->at);
        d->at += e->bytes;
        if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0)
            continue;
        if (type != NULL)
            *type = e->type;
        return e->name;
    }
}

void watch_dir_close(watch_dir *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}
