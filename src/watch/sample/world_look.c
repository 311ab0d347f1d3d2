/* world_look.c: command lines, scripts and programs of the tree's processes. */
#include "world_look.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_PATH_BYTES = 4096 };

/* A regular file alone: another's opening may wait for ever. */
static size_t read_file(const watch_tree *t, const watch_member *m, const char *path, char *buf,
                        size_t n_buf)
{
    struct stat info;
    const int fd = watch_member_open(t, m, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    ssize_t n = -1;
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
        n = read(fd, buf, n_buf);
    if (fd >= 0)
        close(fd);
    return n > 0 ? (size_t)n : 0;
}

static unsigned world_of(const watch_tree *t, const watch_member *m, char *buf, size_t n_buf)
{
    char path[MOST_PATH_BYTES];
    const ssize_t k = watch_member_read(t, m, "cmdline", buf, n_buf);
    size_t n = k > 0 ? (size_t)k : 0;
    unsigned world = watch_world_of_command(buf, n);
    const char *script = watch_world_script(buf, n);
    if (script != NULL &&
        base_format(path, sizeof path, "%s%s", script[0] == '/' ? "root" : "cwd/", script)) {
        n = read_file(t, m, path, buf, n_buf);
        world |= watch_world_of_script(buf, n);
    }
    n = read_file(t, m, "exe", buf, n_buf);
    return world | watch_world_of_program((const uint8_t *)buf, n);
}

static const watch_member *largest_child(const watch_tree *t, const watch_member *main)
{
    const watch_member *best = NULL;
    for (size_t i = 0; i < watch_tree_size(t); i++) {
        const watch_member *m = watch_tree_peek(t, i);
        if (m != main && m->stat.state != 'Z' && (best == NULL || m->rss_bytes > best->rss_bytes))
            best = m;
    }
    return best;
}

unsigned watch_world_look(unsigned known, const watch_tree *t, const watch_member *main, char *buf,
                          size_t n_buf)
{
    unsigned world = (known & ~(unsigned)WATCH_WORLD_NATIVE) | world_of(t, main, buf, n_buf);
    const watch_member *child = largest_child(t, main);
    if (!(world & WATCH_WORLD_RUNTIMES) && child != NULL)
        world |= world_of(t, child, buf, n_buf);
    return world & WATCH_WORLD_RUNTIMES ? world : world | WATCH_WORLD_NATIVE;
}
