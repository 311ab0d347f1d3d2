/* own_cgroup.c: mkdir, a limit, rmdir; each step may be forbidden. */
#include "own_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "watch/sample/cgroup.h"

static bool write_text(const char *folder, const char *name, const char *text)
{
    char path[WATCH_PATH_BYTES];
    if (!base_path_join(path, sizeof path, folder, name))
        return false;
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = (ssize_t)strlen(text);
    const bool done = write(fd, text, (size_t)n) == n;
    const int why = errno;
    close(fd);
    errno = why;
    return done;
}

static bool has_file(const char *folder, const char *name)
{
    char path[WATCH_PATH_BYTES];
    return base_path_join(path, sizeof path, folder, name) && access(path, W_OK) == 0;
}

static bool find_own(watch_cgroup *out, const char *sys, const char *proc)
{
    char path[128], text[4096];
    base_format(path, sizeof path, "%s/self/cgroup", proc);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, text, sizeof text);
    close(fd);
    if (n <= 0)
        return false;
    watch_cgroup_find(out, sys, NULL, text, (size_t)n);
    return out->folder[0] != '\0';
}

/* Version 2: the controller for the children of a cgroup. */
static bool hand_down(const char *folder)
{
    char aside[WATCH_PATH_BYTES], self[16];
    if (write_text(folder, "cgroup.subtree_control", "+memory"))
        return true;
    if (errno != EBUSY || !base_path_join(aside, sizeof aside, folder, "vigil-guard") ||
        (mkdir(aside, 0755) != 0 && errno != EEXIST))
        return false;
    base_format(self, sizeof self, "%d", (int)getpid());
    if (write_text(aside, "cgroup.procs", self) &&
        write_text(folder, "cgroup.subtree_control", "+memory"))
        return true;
    const int why = errno; /* others live here too: back again */
    write_text(folder, "cgroup.procs", self);
    rmdir(aside);
    errno = why;
    return false;
}

bool watch_own_cgroup_take(watch_own_cgroup *out, const char *folder)
{
    *out = (watch_own_cgroup){0};
    if (folder[0] == '\0' || !has_file(folder, "cgroup.procs"))
        return false;
    base_format(out->folder, sizeof out->folder, "%s", folder);
    return base_path_join(out->procs, sizeof out->procs, folder, "cgroup.procs");
}

bool watch_own_cgroup_hold(const watch_own_cgroup *c, size_t memory_max_bytes)
{
    char parent[WATCH_PATH_BYTES], limit[32];
    if (has_file(c->folder, "memory.max") || has_file(c->folder, "memory.limit_in_bytes"))
        return true;
    base_format(parent, sizeof parent, "%s", c->folder);
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    base_format(limit, sizeof limit, "%zu", memory_max_bytes);
    return hand_down(parent) && write_text(c->folder, "memory.max", limit);
}

bool watch_own_cgroup_make(watch_own_cgroup *out, const char *sys, const char *proc,
                           size_t memory_max_bytes, char *why, size_t n_why)
{
    watch_cgroup own;
    char name[64], limit[32], folder[WATCH_PATH_BYTES];
    *out = (watch_own_cgroup){0};
    errno = ENOENT;
    if (!find_own(&own, sys, proc)) {
        base_format(why, n_why, "the guard's own cgroup cannot be seen");
        return false;
    }
    const char *file = own.is_v2 ? "memory.max" : "memory.limit_in_bytes";
    base_format(name, sizeof name, "vigil-%d", (int)getpid());
    base_format(limit, sizeof limit, "%zu", memory_max_bytes);
    if ((own.is_v2 && !hand_down(own.folder)) ||
        !base_path_join(folder, sizeof folder, own.folder, name) ||
        (mkdir(folder, 0755) != 0 && errno != EEXIST)) {
        base_format(why, n_why, "%s: %s", own.folder, strerror(errno));
        return false;
    }
    if (!write_text(folder, file, limit) || !watch_own_cgroup_take(out, folder)) {
        base_format(why, n_why, "%s/%s: %s", folder, file, strerror(errno));
        rmdir(folder);
        *out = (watch_own_cgroup){0};
        return false;
    }
    return true;
}

void watch_own_cgroup_remove(watch_own_cgroup *c)
{
    const struct timespec slice = {.tv_nsec = 20000000};
    for (int i = 0; c->folder[0] != '\0' && i < 50; i++) {
        if (rmdir(c->folder) == 0 || errno != EBUSY)
            break;
        nanosleep(&slice, NULL);
    }
    *c = (watch_own_cgroup){0};
}
