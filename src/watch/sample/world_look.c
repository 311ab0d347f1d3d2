/* world_look.c: command lines, scripts and programs of the tree's processes. */
#include "world_look.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bound.h"

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

/* name: as the process would open it, which may be in buf itself. */
static size_t read_named(const watch_tree *t, const watch_member *m, const char *name, char *buf,
                         size_t n_buf)
{
    char path[MOST_PATH_BYTES];
    return base_format(path, sizeof path, "%s%s", name[0] == '/' ? "root" : "cwd/", name)
               ? read_file(t, m, path, buf, n_buf)
               : 0;
}

static unsigned world_of(const watch_tree *t, const watch_member *m, char *buf, size_t n_buf)
{
    const ssize_t k = watch_member_read(t, m, "cmdline", buf, n_buf);
    size_t n = k > 0 ? (size_t)k : 0;
    unsigned world = watch_world_of_command(buf, n);
    const char *script = watch_world_script(buf, n);
    if (script != NULL) {
        n = read_named(t, m, script, buf, n_buf);
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

static double bound_by(const watch_tree *t, const watch_member *m, const char *words, size_t n,
                       char *buf, size_t n_buf)
{
    const char *settings;
    watch_bound b = watch_bound_of_command(words, n, &settings);
    if (settings != NULL) {
        const size_t n_text = read_named(t, m, settings, buf, n_buf);
        watch_bound_of_settings(&b, buf, n_text);
    }
    return watch_bound_bytes(&b);
}

static double bound_of(const watch_tree *t, const watch_member *m, char *buf, size_t n_buf)
{
    ssize_t n = watch_member_read(t, m, "environ", buf, n_buf);
    const double by_environment = watch_bound_of_environment(buf, n > 0 ? (size_t)n : 0);
    if (!isnan(by_environment))
        return by_environment;
    n = watch_member_read(t, m, "cmdline", buf, n_buf);
    return bound_by(t, m, buf, n > 0 ? (size_t)n : 0, buf, n_buf);
}

/* A shell, an init: a program by whose name nobody knows what it runs. */
static bool is_launcher(const watch_tree *t, const watch_member *m, char *buf, size_t n_buf)
{
    const ssize_t n = watch_member_read(t, m, "cmdline", buf, n_buf);
    return watch_world_of_command(buf, n > 0 ? (size_t)n : 0) == 0;
}

double watch_world_bound(const watch_tree *t, const watch_member *main, const char *command,
                         size_t n_command, char *buf, size_t n_buf)
{
    const watch_member *child = largest_child(t, main);
    double bound = bound_of(t, main, buf, n_buf);
    if (isnan(bound))
        bound = bound_by(t, main, command, n_command, buf, n_buf);
    /* A child's bound says nothing of what a service keeps beside it. */
    return isnan(bound) && child != NULL && is_launcher(t, main, buf, n_buf)
               ? bound_of(t, child, buf, n_buf)
               : bound;
}
