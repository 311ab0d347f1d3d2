/* cgroup.c: both versions under one set of names. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"

enum { UNIT_DEPTH = 8, UNIT_FOLDERS = 8192 };

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

/* A path that was given: where it is, and nowhere else: to watch another cgroup than the one that
 * was named could end its processes. */
static void find_given(watch_cgroup *out, const char *mount, const char *path)
{
    static const char *const v1[] = {"memory", "systemd", "pids", "cpu", "unified"};
    char folder[WATCH_PATH_BYTES];
    if (out->is_v2) {
        if (base_format(folder, sizeof folder, "%s/%s", mount, path) &&
            has_file(folder, "cgroup.procs")) {
            memcpy(out->folder, folder, sizeof folder);
            memcpy(out->procs_folder, folder, sizeof folder);
            memcpy(out->pids_folder, folder, sizeof folder);
        }
        return;
    }
    for (size_t i = 0; i < sizeof v1 / sizeof *v1; i++) {
        if (!base_format(folder, sizeof folder, "%s/%s/%s", mount, v1[i], path) ||
            !has_file(folder, "cgroup.procs"))
            continue;
        if (out->procs_folder[0] == '\0')
            memcpy(out->procs_folder, folder, sizeof folder);
        if (strcmp(v1[i], "memory") == 0)
            memcpy(out->folder, folder, sizeof folder);
        else if (strcmp(v1[i], "pids") == 0)
            memcpy(out->pids_folder, folder, sizeof folder);
    }
}

/* An absolute path of the mount, as the path below it; v1: without the hierarchy's name. */
static const char *below_mount(const char *given, const char *mount, bool is_v2)
{
    const size_t n = strlen(mount);
    if (base_starts_with(given, mount) && (given[n] == '/' || given[n] == '\0')) {
        given += n;
        while (*given == '/')
            given++;
        if (!is_v2)
            given += strcspn(given, "/");
    }
    while (*given == '/')
        given++;
    return given;
}

void watch_cgroup_find(watch_cgroup *out, const char *sys, const char *given, const char *text,
                       size_t n)
{
    char mount[WATCH_PATH_BYTES], path[WATCH_PATH_BYTES] = "";
    bool is_v2;
    *out = (watch_cgroup){0};
    base_format(mount, sizeof mount, "%s/fs/cgroup", sys);
    out->is_v2 = has_file(mount, "cgroup.controllers");
    base_format(out->root, sizeof out->root, out->is_v2 ? "%s" : "%s/memory", mount);
    if (given != NULL && given[0] != '\0') {
        find_given(out, mount, below_mount(given, mount, out->is_v2));
    } else if (proc_cgroup(path, sizeof path, &is_v2, text, n)) {
        join_or_root(out->folder, out->root, path,
                     out->is_v2 ? "cgroup.procs" : "memory.usage_in_bytes");
        if (out->is_v2) {
            memcpy(out->pids_folder, out->folder, sizeof out->folder);
        } else {
            char pids[WATCH_PATH_BYTES];
            base_format(pids, sizeof pids, "%s/pids", mount);
            join_or_root(out->pids_folder, pids, path, "pids.max");
        }
        memcpy(out->procs_folder, out->folder, sizeof out->folder);
    }
    out->is_known = out->folder[0] != '\0' &&
                    has_file(out->folder, out->is_v2 ? "memory.current" : "memory.usage_in_bytes");
}

/* ---- units ---- */

/* The first folder called name below the one that path (n bytes in use) says. */
static bool search(char path[WATCH_PATH_BYTES], const char *name, int depth, int *left)
{
    const size_t n = strlen(path);
    bool found = false;
    watch_dir list;
    unsigned char type;
    if (depth > UNIT_DEPTH || !watch_dir_open(&list, AT_FDCWD, path))
        return false;
    for (const char *e; !found && (e = watch_dir_next(&list, &type)) != NULL;) {
        if (type != DT_DIR || --*left < 0)
            continue;
        if (base_format(path + n, WATCH_PATH_BYTES - n, "/%s", e))
            found = strcmp(e, name) == 0 || search(path, name, depth + 1, left);
        if (!found)
            path[n] = '\0';
    }
    watch_dir_close(&list);
    return found;
}

bool watch_cgroup_find_unit(char path[WATCH_PATH_BYTES], const char *sys, const char *unit,
                            uid_t uid)
{
    static const char *const v1[] = {"systemd", "memory"};
    char mount[WATCH_PATH_BYTES], name[WATCH_PATH_BYTES], start[WATCH_PATH_BYTES];
    if (unit[0] == '\0' || strchr(unit, '/') != NULL ||
        !base_format(name, sizeof name, "%s%s", unit, strchr(unit, '.') ? "" : ".service"))
        return false;
    base_format(mount, sizeof mount, "%s/fs/cgroup", sys);
    const bool is_v2 = has_file(mount, "cgroup.controllers");
    for (size_t h = 0; h < (is_v2 ? 1 : sizeof v1 / sizeof *v1); h++) {
        char own[64];
        base_format(own, sizeof own, "/user.slice/user-%u.slice", (unsigned)uid);
        const char *const order[] = {"/system.slice", own, ""};
        for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
            int left = UNIT_FOLDERS;
            base_format(start, sizeof start, "%s%s%s", mount, is_v2 ? "" : "/", is_v2 ? "" : v1[h]);
            const size_t n_root = strlen(start);
            base_format(start + n_root, sizeof start - n_root, "%s", order[i]);
            if (search(start, name, 0, &left))
                return base_format(path, WATCH_PATH_BYTES, "%s", start + n_root);
        }
    }
    return false;
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

/* The kernel counts shared memory as page cache, too; here each stands once. */
static double less(double all, double part)
{
    return isnan(part) ? all : fmax(all - part, 0);
}

/* Kernels before 5.18 do not sum it up. */
static double kernel_bytes(const char *text, size_t n)
{
    static const char *const parts[] = {"kernel_stack ", "pagetables ", "sec_pagetables ",
                                        "percpu ",       "slab ",       "vmalloc "};
    const double kernel = proc_field(text, n, "kernel ");
    double sum = NAN;
    for (size_t i = 0; isnan(kernel) && i < sizeof parts / sizeof *parts; i++) {
        const double part = proc_field(text, n, parts[i]);
        if (!isnan(part))
            sum = isnan(sum) ? part : sum + part;
    }
    return isnan(kernel) ? sum : kernel;
}

static void read_v2(const watch_cgroup *c, watch_sample *out)
{
    char text[8192];
    double *v = out->value;
    v[WATCH_CGROUP_CURRENT_BYTES] = read_number(c->folder, "memory.current");
    v[WATCH_CGROUP_PEAK_BYTES] = read_number(c->folder, "memory.peak");
    const double high = read_number(c->folder, "memory.high");
    v[WATCH_CGROUP_HIGH_BYTES] = isfinite(high) ? high : NAN;
    size_t n = read_file(c->folder, "memory.stat", text, sizeof text);
    v[WATCH_CGROUP_ANON_BYTES] = proc_field(text, n, "anon ");
    v[WATCH_CGROUP_SHMEM_BYTES] = proc_field(text, n, "shmem ");
    v[WATCH_CGROUP_FILE_BYTES] = less(proc_field(text, n, "file "), v[WATCH_CGROUP_SHMEM_BYTES]);
    v[WATCH_CGROUP_KERNEL_BYTES] = kernel_bytes(text, n);
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
    v[WATCH_CGROUP_SHMEM_BYTES] = proc_field(text, n, "total_shmem ");
    v[WATCH_CGROUP_FILE_BYTES] =
        less(proc_field(text, n, "total_cache "), v[WATCH_CGROUP_SHMEM_BYTES]);
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
        out->value[WATCH_LIMIT_MEMORY_BYTES] = out->value[WATCH_LIMIT_CGROUP_BYTES] =
            least_limit(c);
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
