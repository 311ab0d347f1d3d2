/* tree.c: one look at /proc: a sorted table of members is merged with the sorted list of numbers
 * that the kernel gives. */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"

enum {
    FIRST_MEMBERS = 64,
    SPARE_FDS = 64,
    PROCS_BYTES = 4096,
    MOST_PASSES = 8,    /* of a job that forks faster than it is listed */
    MOST_CGROUPS = 256, /* below the one that was named, and how deep */
    DEEPEST_CGROUP = 8
};

/* Every so often all numbers are read again: one may have been used anew between two looks. */
static const double REREAD_S = 60;

struct watch_tree {
    pid_t main_pid, reaper, self, group; /* the last two: the guard's own */
    int proc;                            /* the root */
    int cgroup;                          /* its folder; -1 */
    bool chooses_main;
    watch_member *members; /* by pid */
    size_t n, room;
    size_t main_at;
    bool main_was_met;            /* its number may be another's later */
    uint64_t *seen, *seen_before; /* bits by pid */
    size_t most_pid, n_words;
    double reread_s;
    uint64_t n_started, cpu_gone;
    double read_gone, write_gone;
    size_t most_dirs, n_dirs;
};

/* ---- reading ---- */

static ssize_t read_fd(int fd, char *buf, size_t n)
{
    size_t done = 0;
    while (done < n) {
        const ssize_t k = read(fd, buf + done, n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        if (k == 0)
            break;
        done += (size_t)k;
    }
    return (ssize_t)done;
}

static ssize_t read_at(int dir, const char *name, char *buf, size_t n)
{
    const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    const ssize_t k = read_fd(fd, buf, n);
    close(fd);
    return k;
}

int watch_member_open(const watch_tree *t, const watch_member *m, const char *name, int flags)
{
    if (m->dir >= 0)
        return openat(m->dir, name, flags | O_CLOEXEC);
    char path[64];
    return base_format(path, sizeof path, "%d/%s", (int)m->stat.pid, name)
               ? openat(t->proc, path, flags | O_CLOEXEC)
               : -1;
}

ssize_t watch_member_read(const watch_tree *t, const watch_member *m, const char *name, char *buf,
                          size_t n)
{
    const int fd = watch_member_open(t, m, name, O_RDONLY);
    if (fd < 0)
        return -1;
    const ssize_t k = read_fd(fd, buf, n);
    close(fd);
    return k;
}

/* ---- create ---- */

static size_t read_most_pid(const watch_tree *t)
{
    char text[32] = "";
    int64_t v;
    const ssize_t n = read_at(t->proc, "sys/kernel/pid_max", text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return base_parse_i64(&v, text, 1, 1 << 22) ? (size_t)v : 1 << 22;
}

static size_t count_dirs(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 0;
    if (files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max; /* ours alone: whoever starts a job gives it its own */
        setrlimit(RLIMIT_NOFILE, &files);
        getrlimit(RLIMIT_NOFILE, &files);
    }
    return files.rlim_cur > 2 * SPARE_FDS ? (size_t)files.rlim_cur - SPARE_FDS : 0;
}

vg_status watch_tree_create(watch_tree **out, const watch_tree_options *o, base_mem *mem,
                            vg_error *err)
{
    watch_tree *t = base_alloc_zero(mem, 1, sizeof *t, err);
    *out = t;
    if (t == NULL)
        return VG_ERR_MEMORY;
    t->main_pid = o->main_pid;
    t->reaper = o->reaper;
    t->self = getpid();
    t->group = getpgrp();
    t->cgroup = -1;
    t->chooses_main = o->main_pid == 0;
    t->main_at = (size_t)-1;
    t->reread_s = -INFINITY;
    t->most_dirs = count_dirs();
    t->proc = open(o->proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    vg_status st = VG_OK;
    if (t->proc < 0)
        st = base_fail_errno(err, VG_ERR_SYSTEM, o->proc, "mount /proc",
                             "cannot read the list of processes");
    if (st == VG_OK && o->cgroup != NULL &&
        (t->cgroup = open(o->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        st = base_fail_errno(err, VG_ERR_IO, o->cgroup, "give a cgroup that exists",
                             "cannot read the cgroup");
    if (st == VG_OK) {
        t->most_pid = read_most_pid(t);
        t->n_words = t->most_pid / 64 + 1;
        t->room = FIRST_MEMBERS;
        t->members = base_alloc_zero(mem, t->room, sizeof *t->members, err);
        t->seen = base_alloc_zero(mem, t->n_words, sizeof *t->seen, err);
        t->seen_before = base_alloc_zero(mem, t->n_words, sizeof *t->seen_before, err);
        if (t->members == NULL || t->seen == NULL || t->seen_before == NULL)
            st = VG_ERR_MEMORY;
    }
    if (st != VG_OK)
        watch_tree_destroy(out);
    return st;
}

static void let_go(watch_tree *t, watch_member *m)
{
    if (m->dir >= 0) {
        close(m->dir);
        t->n_dirs--;
    }
    m->dir = -1;
}

void watch_tree_destroy(watch_tree **tree)
{
    watch_tree *t = *tree;
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->n; i++)
        let_go(t, &t->members[i]);
    if (t->proc >= 0)
        close(t->proc);
    if (t->cgroup >= 0)
        close(t->cgroup);
    base_free(t->members);
    base_free(t->seen);
    base_free(t->seen_before);
    base_free(t);
    *tree = NULL;
}

/* ---- members ---- */

/* Where pid is, or would be. */
static size_t place_of(const watch_tree *t, pid_t pid, bool *found)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (t->members[middle].stat.pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < t->n && t->members[low].stat.pid == pid;
    return low;
}

bool watch_tree_has(const watch_tree *t, pid_t pid)
{
    bool found;
    place_of(t, pid, &found);
    return found;
}

static vg_status grow(watch_tree *t, base_mem *mem, vg_error *err)
{
    watch_member *more = base_realloc(mem, t->members, 2 * t->room * sizeof *more, err);
    if (more == NULL)
        return VG_ERR_MEMORY;
    t->members = more;
    t->room *= 2;
    return VG_OK;
}

static vg_status add_member(watch_tree *t, const proc_stat *stat, int dir, double now_s,
                            base_mem *mem, vg_error *err)
{
    bool found;
    const size_t at = place_of(t, stat->pid, &found);
    if (t->n >= WATCH_MOST_PROCESSES) { /* past the bound nobody is followed */
        close(dir);
        return VG_OK;
    }
    if (t->n == t->room) {
        const vg_status st = grow(t, mem, err);
        if (st != VG_OK) {
            close(dir);
            return st;
        }
    }
    if (t->n_dirs >= t->most_dirs) {
        close(dir);
        dir = -1;
    }
    t->n_dirs += dir >= 0;
    memmove(t->members + at + 1, t->members + at, (t->n - at) * sizeof *t->members);
    t->members[at] = (watch_member){.dir = dir,
                                    .stat = *stat,
                                    .is_new = true,
                                    .seen_s = now_s,
                                    .ticks_before = stat->cpu_ticks,
                                    .pss_bytes = NAN,
                                    .pss_file_bytes = NAN,
                                    .uss_bytes = NAN,
                                    .private_bytes = NAN,
                                    .shared_bytes = NAN,
                                    .rollup_s = -INFINITY,
                                    .rollup_rss_bytes = NAN,
                                    .rss_bytes = NAN,
                                    .anon_bytes = NAN,
                                    .file_bytes = NAN,
                                    .read_bytes = NAN,
                                    .write_bytes = NAN};
    t->n++;
    t->n_started += stat->pid != t->main_pid;
    return VG_OK;
}

/* Those that live are read anew; the dead are let go. */
static void refresh(watch_tree *t)
{
    char text[1024];
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++) {
        watch_member *m = &t->members[i];
        proc_stat now;
        const ssize_t n = watch_member_read(t, m, "stat", text, sizeof text);
        const bool lives = n > 0 && proc_stat_parse(&now, text, (size_t)n) &&
                           now.start_ticks == m->stat.start_ticks;
        if (!lives) {
            if (m->stat.pid != t->main_pid) {
                t->cpu_gone += m->stat.cpu_ticks;
                t->read_gone += isnan(m->read_bytes) ? 0 : m->read_bytes;
                t->write_gone += isnan(m->write_bytes) ? 0 : m->write_bytes;
            }
            let_go(t, m);
            continue;
        }
        m->ticks_before = m->stat.cpu_ticks;
        m->stat = now;
        m->is_new = false;
        t->members[kept++] = *m;
    }
    t->n = kept;
}

/* ---- a look ---- */

bool watch_tree_belongs(const watch_tree *t, const proc_stat *stat)
{
    bool found;
    const size_t at = place_of(t, stat->pid, &found);
    if (found)
        return t->members[at].stat.start_ticks == stat->start_ticks;
    return stat->pid != t->self &&
           ((stat->pid == t->main_pid && !t->main_was_met) || watch_tree_has(t, stat->parent) ||
            (t->reaper > 0 && stat->parent == t->reaper && stat->group != t->group));
}

/* Reads a number that was not known to be a stranger; adds it when it belongs. */
static vg_status consider(watch_tree *t, pid_t pid, bool belongs, double now_s, base_mem *mem,
                          vg_error *err)
{
    char name[32], text[1024];
    proc_stat stat;
    base_format(name, sizeof name, "%d", (int)pid);
    const int dir = openat(t->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return VG_OK;
    const ssize_t n = read_at(dir, "stat", text, sizeof text);
    if (n > 0 && proc_stat_parse(&stat, text, (size_t)n) && stat.pid == pid && pid != t->self &&
        (belongs || watch_tree_belongs(t, &stat)))
        return add_member(t, &stat, dir, now_s, mem, err);
    close(dir);
    return VG_OK;
}

/* Every number of /proc that was not there at the last look, or all of them now and then. One pass
 * may meet a child before its parent; passes go on while they find somebody, up to a bound. */
static vg_status find_new(watch_tree *t, double now_s, base_mem *mem, vg_error *err)
{
    const bool all = now_s - t->reread_s >= REREAD_S;
    size_t n_before;
    int n_passes = 0;
    watch_dir list;
    if (all)
        t->reread_s = now_s;
    uint64_t *swap = t->seen_before;
    t->seen_before = t->seen;
    t->seen = swap;
    do {
        n_before = t->n;
        if (lseek(t->proc, 0, SEEK_SET) < 0)
            break;
        memset(t->seen, 0, t->n_words * sizeof *t->seen);
        watch_dir_take(&list, t->proc);
        for (const char *name; (name = watch_dir_next(&list, NULL)) != NULL;) {
            int64_t pid;
            if (name[0] < '0' || name[0] > '9' ||
                !base_parse_i64(&pid, name, 1, (int64_t)t->most_pid))
                continue;
            const bool was = t->seen_before[(size_t)pid / 64] >> ((size_t)pid % 64) & 1;
            t->seen[(size_t)pid / 64] |= UINT64_C(1) << ((size_t)pid % 64);
            if ((was && !all) || watch_tree_has(t, (pid_t)pid))
                continue;
            const vg_status st = consider(t, (pid_t)pid, false, now_s, mem, err);
            if (st != VG_OK)
                return st;
        }
    } while (t->n > n_before && ++n_passes < MOST_PASSES);
    return VG_OK;
}

static vg_status add_procs(watch_tree *t, int folder, double now_s, base_mem *mem, vg_error *err)
{
    char text[PROCS_BYTES], number[16];
    size_t k = 0;
    vg_status st = VG_OK;
    const int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return VG_OK;
    for (ssize_t n; st == VG_OK && (n = read(fd, text, sizeof text)) > 0;) {
        for (ssize_t i = 0; i < n && st == VG_OK; i++) {
            int64_t pid;
            if (text[i] != '\n') {
                if (k + 1 < sizeof number)
                    number[k++] = text[i];
                continue;
            }
            number[k] = '\0';
            k = 0;
            if (base_parse_i64(&pid, number, 1, INT32_MAX) && !watch_tree_has(t, (pid_t)pid))
                st = consider(t, (pid_t)pid, true, now_s, mem, err);
        }
    }
    close(fd);
    return st;
}

/* A service may have cgroups of its own below its own, and a slice has nothing else. */
static vg_status find_in_cgroup(watch_tree *t, int folder, int depth, int *left, double now_s,
                                base_mem *mem, vg_error *err)
{
    vg_status st = add_procs(t, folder, now_s, mem, err);
    struct stat info;
    if (st != VG_OK || depth >= DEEPEST_CGROUP || fstat(folder, &info) != 0 || info.st_nlink == 2)
        return st; /* two links: no folder in it */
    watch_dir list;
    unsigned char type;
    if (!watch_dir_open(&list, folder, "."))
        return VG_OK;
    for (const char *name; st == VG_OK && (name = watch_dir_next(&list, &type)) != NULL;) {
        if (type != DT_DIR || --*left < 0)
            continue;
        const int below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (below < 0)
            continue;
        st = find_in_cgroup(t, below, depth + 1, left, now_s, mem, err);
        close(below);
    }
    watch_dir_close(&list);
    return st;
}

/* Of a cgroup alone: the oldest one that came from outside is what systemd or a container's engine
 * started there. */
static void choose_main(watch_tree *t)
{
    const watch_member *oldest = NULL;
    if (watch_tree_has(t, t->main_pid))
        return;
    for (size_t i = 0; i < t->n; i++) {
        const watch_member *m = &t->members[i];
        if (!watch_tree_has(t, m->stat.parent) &&
            (oldest == NULL || m->stat.start_ticks < oldest->stat.start_ticks))
            oldest = m;
    }
    t->main_pid = oldest != NULL ? oldest->stat.pid : 0;
    t->n_started -= oldest != NULL && !t->main_was_met; /* it was counted as a descendant */
}

vg_status watch_tree_look(watch_tree *t, double now_s, bool *main_is_there, base_mem *mem,
                          vg_error *err)
{
    bool found;
    refresh(t);
    int left = MOST_CGROUPS;
    vg_status st = VG_OK;
    if (t->cgroup >= 0)
        st = find_in_cgroup(t, t->cgroup, 0, &left, now_s, mem, err);
    if (st == VG_OK) /* children of those that were just found, too */
        st = find_new(t, now_s, mem, err);
    if (t->chooses_main)
        choose_main(t);
    const size_t at = place_of(t, t->main_pid, &found);
    t->main_at = found ? at : (size_t)-1;
    t->main_was_met |= found;
    *main_is_there = found;
    return st;
}

/* ---- facts ---- */

size_t watch_tree_size(const watch_tree *t)
{
    return t->n;
}

watch_member *watch_tree_at(watch_tree *t, size_t i)
{
    return &t->members[i];
}

const watch_member *watch_tree_peek(const watch_tree *t, size_t i)
{
    return &t->members[i];
}

size_t watch_tree_main(const watch_tree *t)
{
    return t->main_at;
}

uint64_t watch_tree_started(const watch_tree *t)
{
    return t->n_started;
}

uint64_t watch_tree_cpu_gone(const watch_tree *t)
{
    return t->cpu_gone;
}

double watch_tree_read_gone(const watch_tree *t)
{
    return t->read_gone;
}

double watch_tree_write_gone(const watch_tree *t)
{
    return t->write_gone;
}

bool watch_tree_is_orphan(const watch_tree *t, const watch_member *m)
{
    return m->stat.pid != t->main_pid && !watch_tree_has(t, m->stat.parent);
}
