/* cgroup.c: both versions under one set of names. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* v1 writes "no limit" as the largest multiple of a page below 2^63. */
static const double NO_LIMIT = 9e18;

/* A file of a folder into buf, terminated; 0: none. */
static size_t read_file(const char *folder, const char *name, char *buf, size_t n)
{
    char path[WATCH_PATH_BYTES];
    size_t done = 0;
    buf[0] = '\0';
    if (!base_path_join(path, sizeof path, folder, name))
        return 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    while (done + 1 < n) {
        const ssize_t k = read(fd, buf + done, n - 1 - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            break;
        done += (size_t)k;
    }
    close(fd);
    buf[done] = '\0';
    return done;
}

/* A file that holds one number, or "max". */
static double read_number(const char *folder, const char *name)
{
    char text[64];
    int64_t v;
    if (read_file(folder, name, text, sizeof text) == 0)
        return NAN;
    text[strcspn(text, "\n")] = '\0';
    if (strcmp(text, "max") == 0)
        return INFINITY;
    return base_parse_i64(&v, text, 0, INT64_MAX) ? (double)v : NAN;
}

static bool has_file(const char *folder, const char *name)
{
    char path[WATCH_PATH_BYTES];
    return base_path_join(path, sizeof path, folder, name) && base_path_exists(path);
}

/* In a container the path may be the host's, of which nothing is to be seen here: then the mount's
 * root is the job's own cgroup. */
static void join_or_root(char *out, const char *root, const char *path, const char *probe)
{
    while (*path == '/')
        path++;
    if (!base_format(out, WATCH_PATH_BYTES, "%s%s%s", root, *path != '\0' ? "/" : "", path) ||
        !has_file(out, probe))
        base_format(out, WATCH_PATH_BYTES, "%s", root);
}

void watch_cgroup_find(watch_cgroup *out, const char *sys, const char *given, const char *text,
                       size_t n)
{
    char mount[WATCH_PATH_BYTES], root[WATCH_PATH_BYTES], path[WATCH_PATH_BYTES] = "";
    bool is_v2;
    *out = (watch_cgroup){0};
    base_format(mount, sizeof mount, "%s/fs/cgroup", sys);
    out->is_v2 = has_file(mount, "cgroup.controllers");
    if (given != NULL && given[0] != '\0')
        base_format(path, sizeof path, "%s", given);
    else if (!proc_cgroup(path, sizeof path, &is_v2, text, n))
        return;
    if (base_starts_with(path, mount)) { /* an absolute path of the mount */
        memmove(path, path + strlen(mount), strlen(path + strlen(mount)) + 1);
        if (!out->is_v2 && base_starts_with(path, "/memory"))
            memmove(path, path + 7, strlen(path + 7) + 1);
    }
    base_format(root, sizeof root, out->is_v2 ? "%s" : "%s/memory", mount);
    join_or_root(out->folder, root, path, out->is_v2 ? "cgroup.procs" : "memory.usage_in_bytes");
    memcpy(out->root, root, sizeof out->root);
    out->is_known = has_file(out->folder, out->is_v2 ? "memory.current" : "memory.usage_in_bytes");
    if (out->is_v2) {
        memcpy(out->pids_folder, out->folder, sizeof out->pids_folder);
    } else {
        base_format(root, sizeof root, "%s/pids", mount);
        join_or_root(out->pids_folder, root, path, "pids.max");
    }
}

/* The least limit of the folder and of those above it, up to the root. */
static double least_limit(const watch_cgroup *c)
{
    char folder[WATCH_PATH_BYTES];
    double least = INFINITY;
    memcpy(folder, c->folder, sizeof folder);
    for (;;) {
        const double max = read_number(folder, c->is_v2 ? "memory.max" : "memory.limit_in_bytes");
        if (max < least)
            least = max;
        char *slash = strrchr(folder, '/');
        if (strlen(folder) <= strlen(c->root) || slash == NULL)
            break;
        *slash = '\0';
    }
    return least < NO_LIMIT ? least : NAN;
}

static void read_v2(const watch_cgroup *c, watch_sample *out)
{
    char text[8192];
    double *v = out->value;
    v[WATCH_CGROUP_CURRENT_BYTES] = read_number(c->folder, "memory.current");
    v[WATCH_CGROUP_PEAK_BYTES] = read_number(c->folder, "memory.peak");
    size_t n = read_file(c->folder, "memory.stat", text, sizeof text);
    v[WATCH_CGROUP_ANON_BYTES] = proc_field(text, n, "anon ");
    v[WATCH_CGROUP_FILE_BYTES] = proc_field(text, n, "file ");
    v[WATCH_CGROUP_SHMEM_BYTES] = proc_field(text, n, "shmem ");
    v[WATCH_CGROUP_KERNEL_BYTES] = proc_field(text, n, "kernel ");
    n = read_file(c->folder, "memory.events", text, sizeof text);
    v[WATCH_CGROUP_OOM] = proc_field(text, n, "oom ");
    v[WATCH_CGROUP_OOM_KILL] = proc_field(text, n, "oom_kill ");
    n = read_file(c->folder, "memory.pressure", text, sizeof text);
    v[WATCH_CGROUP_PRESSURE] = proc_pressure(text, n);
}

static void read_v1(const watch_cgroup *c, watch_sample *out)
{
    char text[8192];
    double *v = out->value;
    v[WATCH_CGROUP_CURRENT_BYTES] = read_number(c->folder, "memory.usage_in_bytes");
    v[WATCH_CGROUP_PEAK_BYTES] = read_number(c->folder, "memory.max_usage_in_bytes");
    size_t n = read_file(c->folder, "memory.stat", text, sizeof text);
    v[WATCH_CGROUP_ANON_BYTES] = proc_field(text, n, "total_rss ");
    v[WATCH_CGROUP_FILE_BYTES] = proc_field(text, n, "total_cache ");
    v[WATCH_CGROUP_SHMEM_BYTES] = proc_field(text, n, "total_shmem ");
    v[WATCH_CGROUP_KERNEL_BYTES] = read_number(c->folder, "memory.kmem.usage_in_bytes");
    v[WATCH_CGROUP_OOM] = read_number(c->folder, "memory.failcnt");
    n = read_file(c->folder, "memory.oom_control", text, sizeof text);
    v[WATCH_CGROUP_OOM_KILL] = proc_field(text, n, "oom_kill ");
}

void watch_cgroup_read(const watch_cgroup *c, watch_sample *out)
{
    if (c->is_known) {
        if (c->is_v2)
            read_v2(c, out);
        else
            read_v1(c, out);
        out->value[WATCH_LIMIT_MEMORY_BYTES] = least_limit(c);
    }
    if (c->pids_folder[0] != '\0') {
        const double most = read_number(c->pids_folder, "pids.max");
        if (isfinite(most))
            out->value[WATCH_LIMIT_THREADS] = most;
    }
}

static double or_0(double value)
{
    return isnan(value) ? 0 : value;
}

/* What is used and accounted for by nobody: R16. */
void watch_machine_read(watch_sample *out, const char *text, size_t n)
{
    static const char *const owners[] = {
        "MemFree:",     "Buffers:",    "Cached:",        "SwapCached:", "AnonPages:", "Slab:",
        "KernelStack:", "PageTables:", "SecPageTables:", "Percpu:",     "Hugetlb:"};
    double *v = out->value;
    const double total = proc_field(text, n, "MemTotal:");
    double left = total;
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
        left -= or_0(proc_field(text, n, owners[i]));
    v[WATCH_LIMIT_MACHINE_BYTES] = total;
    v[WATCH_MACHINE_AVAILABLE_BYTES] = proc_field(text, n, "MemAvailable:");
    v[WATCH_MACHINE_USED_BYTES] = total - v[WATCH_MACHINE_AVAILABLE_BYTES];
    v[WATCH_MACHINE_SLAB_BYTES] = proc_field(text, n, "SUnreclaim:");
    v[WATCH_MACHINE_UNEXPLAINED_BYTES] = left > 0 || isnan(left) ? left : 0;
}
