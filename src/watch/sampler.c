/* sampler.c: one moment of a job, from the tree of its processes to the machine it runs on.
 *
 * What is cheap is read each time. What is dear has its own pace: smaps_rollup makes the kernel
 * walk every page of a process, so the time it takes is measured and kept below a share of all time
 * (a large process is then read every minute or so, and its last figures stand meanwhile); maps and
 * the links of descriptors are read of the main process, every minute and when their number
 * changed. */
#include "sampler.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "tree.h"

enum { FIRST_PROCESSES = 64, TEXT_BYTES = 1 << 15, MOST_LISTED_FDS = 4096, MOST_FILES = 4096 };

/* Of all time, for smaps_rollup: half of what the guard may cost. */
static const double ROLLUP_SHARE = 0.0025;
static const double SLOW_S = 60;  /* pace of maps and of links of descriptors */
static const double FILES_S = 30; /* pace of listing /dev/shm and /tmp */
/* An idle child is one that used less CPU time than this share in its last interval. */
static const double IDLE_SHARE = 0.01;

struct watch_sampler {
    watch_tree *tree;
    watch_target target;
    char proc[64], sys[64], cgroup_path[WATCH_PATH_BYTES], run_folder[WATCH_PATH_BYTES];
    watch_cgroup cgroup;
    watch_process *processes;
    size_t n_processes, room;
    int64_t started_ns, rollup_ns; /* CPU time spent on smaps_rollup */
    double slow_s, files_s, last_s;
    int slow_fds;
    uid_t uid;
    bool uid_known, main_is_there;
    double kept[WATCH_N_SERIES]; /* the last reading of what has its own pace */
    double ticks_per_s;
    char text[TEXT_BYTES];
};

/* ---- create ---- */

static vg_status open_tree(watch_sampler *s, base_mem *mem, vg_error *err)
{
    char procs[WATCH_PATH_BYTES] = "";
    const bool by_cgroup = s->target.cgroup != NULL && s->target.cgroup[0] != '\0';
    if (by_cgroup) {
        watch_cgroup_find(&s->cgroup, s->sys, s->target.cgroup, "", 0);
        if (!s->cgroup.is_known ||
            !base_path_join(procs, sizeof procs, s->cgroup.folder, "cgroup.procs"))
            return base_fail(err, VG_ERR_IO, s->target.cgroup,
                             "give a path below the cgroup mount, as systemd-cgls shows it",
                             "no such cgroup");
    }
    const watch_tree_options o = {.main_pid = s->target.pid,
                                  .proc = s->proc,
                                  .procs = by_cgroup ? procs : NULL,
                                  .reaper = s->target.reaper};
    return watch_tree_create(&s->tree, &o, mem, err);
}

vg_status watch_sampler_create(watch_sampler **out, const watch_target *target, base_mem *mem,
                               vg_error *err)
{
    watch_sampler *s = base_alloc_zero(mem, 1, sizeof *s, err);
    *out = s;
    if (s == NULL)
        return VG_ERR_MEMORY;
    s->target = *target;
    base_format(s->proc, sizeof s->proc, "%s", target->proc != NULL ? target->proc : "/proc");
    base_format(s->sys, sizeof s->sys, "%s", target->sys != NULL ? target->sys : "/sys");
    if (target->cgroup != NULL)
        base_format(s->cgroup_path, sizeof s->cgroup_path, "%s", target->cgroup);
    if (target->run_folder != NULL)
        base_format(s->run_folder, sizeof s->run_folder, "%s", target->run_folder);
    s->target.cgroup = s->cgroup_path;
    s->target.run_folder = s->run_folder;
    s->started_ns = base_now_ns();
    s->slow_s = s->files_s = -INFINITY;
    s->slow_fds = -1;
    s->ticks_per_s = (double)sysconf(_SC_CLK_TCK);
    for (int i = 0; i < WATCH_N_SERIES; i++)
        s->kept[i] = NAN;
    s->room = FIRST_PROCESSES;
    s->processes = base_alloc_zero(mem, s->room, sizeof *s->processes, err);
    const vg_status st = s->processes != NULL ? open_tree(s, mem, err) : VG_ERR_MEMORY;
    if (st != VG_OK)
        watch_sampler_destroy(out);
    return st;
}

void watch_sampler_destroy(watch_sampler **sampler)
{
    watch_sampler *s = *sampler;
    if (s == NULL)
        return;
    watch_tree_destroy(&s->tree);
    base_free(s->processes);
    base_free(s);
    *sampler = NULL;
}

/* ---- one process ---- */

static double or_0(double value)
{
    return isnan(value) ? 0 : value;
}

static void add(double *sum, double value)
{
    if (!isnan(value))
        *sum = or_0(*sum) + value;
}

static size_t read_text(watch_sampler *s, const watch_member *m, const char *name)
{
    const ssize_t n = watch_member_read(s->tree, m, name, s->text, sizeof s->text);
    return n > 0 ? (size_t)n : 0;
}

/* Counts the entries of /proc/PID/fd; -1: not allowed. */
static int count_fds(const watch_sampler *s, const watch_member *m, double *kinds)
{
    const int fd = watch_member_open(s->tree, m, "fd", O_RDONLY | O_DIRECTORY);
    int n = 0;
    if (fd < 0)
        return -1;
    struct stat info;
    if (kinds == NULL && fstat(fd, &info) == 0 && info.st_size > 0) {
        close(fd); /* since Linux 6.2 the size is the number of entries */
        return (int)info.st_size;
    }
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return -1;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char target[256];
        if (e->d_name[0] == '.')
            continue;
        n++;
        if (kinds == NULL || n > MOST_LISTED_FDS)
            continue;
        const ssize_t k = readlinkat(fd, e->d_name, target, sizeof target - 1);
        if (k < 0)
            continue;
        target[k] = '\0';
        kinds[proc_fd_kind(target)]++;
    }
    closedir(dir);
    return n;
}

/* PSS and what is private, when there is time for it. */
static void read_rollup(watch_sampler *s, watch_member *m, double now_s)
{
    const double spent_s = (double)s->rollup_ns * 1e-9;
    if (m->rollup_s > -INFINITY && spent_s > ROLLUP_SHARE * now_s)
        return;
    const int64_t began_ns = base_thread_cpu_ns();
    const size_t n = read_text(s, m, "smaps_rollup");
    s->rollup_ns += base_thread_cpu_ns() - began_ns;
    m->rollup_s = now_s;
    if (n == 0)
        return;
    const double clean = proc_field(s->text, n, "Private_Clean:"),
                 dirty = proc_field(s->text, n, "Private_Dirty:");
    m->pss_bytes = proc_field(s->text, n, "Pss:");
    m->private_bytes = dirty;
    m->uss_bytes = clean + dirty;
    m->shared_bytes =
        proc_field(s->text, n, "Shared_Clean:") + proc_field(s->text, n, "Shared_Dirty:");
}

static void read_io(watch_sampler *s, watch_member *m)
{
    const size_t n = read_text(s, m, "io"); /* of another user's process: not allowed */
    m->read_bytes = proc_field(s->text, n, "rchar:");
    m->write_bytes = proc_field(s->text, n, "wchar:");
}

/* ---- the main process ---- */

static void read_main_status(watch_sampler *s, watch_member *m, watch_sample *out)
{
    static const struct {
        const char *key;
        watch_series series;
    } rows[] = {{"VmRSS:", WATCH_MAIN_RSS_BYTES},    {"RssAnon:", WATCH_MAIN_ANON_BYTES},
                {"RssFile:", WATCH_MAIN_FILE_BYTES}, {"RssShmem:", WATCH_MAIN_SHMEM_BYTES},
                {"VmSwap:", WATCH_MAIN_SWAP_BYTES},  {"VmPTE:", WATCH_MAIN_PAGETABLE_BYTES},
                {"VmLck:", WATCH_MAIN_LOCKED_BYTES}, {"Threads:", WATCH_MAIN_THREADS}};
    const size_t n = read_text(s, m, "status");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        out->value[rows[i].series] = proc_field(s->text, n, rows[i].key);
    add(&out->value[WATCH_MAIN_LOCKED_BYTES], proc_field(s->text, n, "VmPin:"));
    const double uid = proc_field(s->text, n, "Uid:");
    s->uid_known |= !isnan(uid);
    s->uid = isnan(uid) ? s->uid : (uid_t)uid;
    m->rss_bytes = out->value[WATCH_MAIN_RSS_BYTES];
    m->anon_bytes = out->value[WATCH_MAIN_ANON_BYTES];
}

static void read_maps(watch_sampler *s, const watch_member *m)
{
    proc_maps maps = {0};
    const int fd = watch_member_open(s->tree, m, "maps", O_RDONLY);
    if (fd < 0)
        return;
    for (ssize_t n; (n = read(fd, s->text, sizeof s->text)) > 0;)
        proc_maps_add(&maps, s->text, (size_t)n);
    close(fd);
    proc_maps_end(&maps);
    s->kept[WATCH_MAIN_HEAP_BYTES] = maps.heap_bytes;
    s->kept[WATCH_MAIN_MMAP_BYTES] = maps.anon_bytes;
    s->kept[WATCH_MAIN_DEVICE_BYTES] = maps.device_bytes;
    s->kept[WATCH_MAIN_ARENA_MAPS] = maps.arenas;
}

static void read_fd_kinds(watch_sampler *s, watch_member *m)
{
    static const watch_series series[PROC_N_FDS] = {[PROC_FD_FILE] = WATCH_MAIN_FDS_FILE,
                                                    [PROC_FD_SOCKET] = WATCH_MAIN_FDS_SOCKET,
                                                    [PROC_FD_PIPE] = WATCH_MAIN_FDS_PIPE,
                                                    [PROC_FD_EVENT] = WATCH_MAIN_FDS_EVENT,
                                                    [PROC_FD_DEVICE] = WATCH_MAIN_FDS_DEVICE,
                                                    [PROC_FD_CAMERA] = WATCH_MAIN_FDS_CAMERA,
                                                    [PROC_FD_DELETED] = WATCH_MAIN_FDS_DELETED,
                                                    [PROC_FD_SHM] = WATCH_MAIN_FDS_SHM,
                                                    [PROC_FD_EVENTS_FILE] =
                                                        WATCH_MAIN_FDS_EVENTS_FILE};
    double kinds[PROC_N_FDS] = {0};
    if (count_fds(s, m, kinds) < 0)
        return;
    for (int i = 0; i < PROC_N_FDS; i++)
        s->kept[series[i]] = kinds[i];
}

static void read_limits(watch_sampler *s, const watch_member *m, watch_sample *out)
{
    const size_t n = read_text(s, m, "limits");
    const double fds = proc_limit(s->text, n, "Max open files"),
                 threads = proc_limit(s->text, n, "Max processes");
    if (isfinite(fds))
        out->value[WATCH_LIMIT_FDS] = fds;
    if (isfinite(threads))
        out->value[WATCH_LIMIT_THREADS] = threads;
}

static void read_main(watch_sampler *s, watch_member *m, watch_sample *out, double now_s)
{
    double *v = out->value;
    read_main_status(s, m, out);
    read_rollup(s, m, now_s);
    read_io(s, m);
    read_limits(s, m, out);
    v[WATCH_MAIN_PSS_BYTES] = m->pss_bytes;
    v[WATCH_MAIN_USS_BYTES] = m->uss_bytes;
    v[WATCH_MAIN_READ_BYTES] = m->read_bytes;
    v[WATCH_MAIN_WRITE_BYTES] = m->write_bytes;
    v[WATCH_MAIN_MINOR_FAULTS] = (double)m->stat.minor_faults;
    v[WATCH_MAIN_MAJOR_FAULTS] = (double)m->stat.major_faults;
    v[WATCH_MAIN_CPU_S] = (double)m->stat.cpu_ticks / s->ticks_per_s;
    m->fds = count_fds(s, m, NULL);
    v[WATCH_MAIN_FDS] = m->fds >= 0 ? m->fds : (double)NAN;
    if (now_s - s->slow_s >= SLOW_S || m->fds != s->slow_fds) {
        read_fd_kinds(s, m);
        s->slow_fds = m->fds;
    }
    if (now_s - s->slow_s >= SLOW_S) {
        read_maps(s, m);
        s->slow_s = now_s;
    }
}

/* ---- the others ---- */

static void read_child(watch_sampler *s, watch_member *m, watch_sample *out, double now_s)
{
    double *v = out->value;
    if (m->stat.state == 'Z') {
        v[WATCH_CHILDREN_ZOMBIES]++;
        m->rss_bytes = m->anon_bytes = 0;
        m->pss_bytes = m->uss_bytes = m->private_bytes = m->shared_bytes = NAN;
        m->fds = 0;
        return;
    }
    const size_t n = read_text(s, m, "status");
    m->rss_bytes = proc_field(s->text, n, "VmRSS:");
    m->anon_bytes = proc_field(s->text, n, "RssAnon:");
    read_rollup(s, m, now_s);
    read_io(s, m);
    m->fds = count_fds(s, m, NULL);
    add(&v[WATCH_CHILDREN_RSS_BYTES], m->rss_bytes);
    add(&v[WATCH_CHILDREN_ANON_BYTES], m->anon_bytes);
    add(&v[WATCH_CHILDREN_PSS_BYTES], m->pss_bytes);
    add(&v[WATCH_CHILDREN_PRIVATE_BYTES], m->private_bytes);
    add(&v[WATCH_CHILDREN_SHARED_BYTES], m->shared_bytes);
    add(&v[WATCH_CHILDREN_READ_BYTES], m->read_bytes);
    add(&v[WATCH_CHILDREN_WRITE_BYTES], m->write_bytes);
    v[WATCH_CHILDREN_THREADS] += m->stat.threads;
    v[WATCH_CHILDREN_FDS] += m->fds > 0 ? m->fds : 0;
}

static void clear_children(watch_sample *out)
{
    static const watch_series zero[] = {
        WATCH_CHILDREN_COUNT,      WATCH_CHILDREN_OLDEST_S,      WATCH_CHILDREN_ZOMBIES,
        WATCH_CHILDREN_ORPHANS,    WATCH_CHILDREN_RSS_BYTES,     WATCH_CHILDREN_PSS_BYTES,
        WATCH_CHILDREN_ANON_BYTES, WATCH_CHILDREN_PRIVATE_BYTES, WATCH_CHILDREN_SHARED_BYTES,
        WATCH_CHILDREN_THREADS,    WATCH_CHILDREN_FDS,           WATCH_CHILDREN_CPU_S,
        WATCH_CHILDREN_READ_BYTES, WATCH_CHILDREN_WRITE_BYTES,   WATCH_CHILDREN_STALE};
    for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
        out->value[zero[i]] = 0;
}

static watch_role role_of(const watch_sampler *s, const watch_member *m, const watch_member *main)
{
    if (m == main)
        return WATCH_MAIN;
    if (m->stat.state == 'Z')
        return WATCH_ZOMBIE;
    if (watch_tree_is_orphan(s->tree, m))
        return WATCH_ORPHAN;
    const bool is_named = strstr(m->stat.name, "worker") != NULL;
    const bool is_copy = main != NULL && m->stat.parent == main->stat.pid &&
                         strcmp(m->stat.name, main->stat.name) == 0;
    return is_named || is_copy ? WATCH_WORKER : WATCH_HELPER;
}

static vg_status make_room(watch_sampler *s, base_mem *mem, vg_error *err)
{
    while (s->room < watch_tree_size(s->tree)) {
        watch_process *more = base_realloc(mem, s->processes, 2 * s->room * sizeof *more, err);
        if (more == NULL)
            return VG_ERR_MEMORY;
        s->processes = more;
        s->room *= 2;
    }
    return VG_OK;
}

/* The machine's time since boot in ticks: what start_ticks count from. */
static double uptime_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void read_members(watch_sampler *s, watch_sample *out, double now_s)
{
    const size_t at_main = watch_tree_main(s->tree);
    watch_member *main = at_main != (size_t)-1 ? watch_tree_at(s->tree, at_main) : NULL;
    double *v = out->value;
    const double boot_s = uptime_s(), epoch_s = v[WATCH_WORK_EPOCH_S];
    double ticks = (double)watch_tree_cpu_gone(s->tree);
    clear_children(out);
    if (main != NULL)
        read_main(s, main, out, now_s);
    s->n_processes = watch_tree_size(s->tree);
    for (size_t i = 0; i < s->n_processes; i++) {
        watch_member *m = watch_tree_at(s->tree, i);
        const double age_s = boot_s - (double)m->stat.start_ticks / s->ticks_per_s;
        const double cpu_s = (double)m->stat.cpu_ticks / s->ticks_per_s;
        const double used_s = (double)(m->stat.cpu_ticks - m->ticks_before) / s->ticks_per_s;
        const bool is_idle = !m->is_new && used_s < IDLE_SHARE * (now_s - s->last_s);
        if (m != main) {
            read_child(s, m, out, now_s);
            v[WATCH_CHILDREN_COUNT]++;
            ticks += (double)m->stat.cpu_ticks;
            v[WATCH_CHILDREN_OLDEST_S] = fmax(v[WATCH_CHILDREN_OLDEST_S], age_s);
            v[WATCH_CHILDREN_ORPHANS] += watch_tree_is_orphan(s->tree, m);
            v[WATCH_CHILDREN_STALE] += epoch_s > 0 && is_idle && age_s > 1.5 * epoch_s;
        }
        s->processes[i] = (watch_process){.pid = m->stat.pid,
                                          .parent = m->stat.parent,
                                          .start_ticks = m->stat.start_ticks,
                                          .role = role_of(s, m, main),
                                          .state = m->stat.state,
                                          .age_s = age_s,
                                          .cpu_s = cpu_s,
                                          .rss_bytes = m->rss_bytes,
                                          .pss_bytes = m->pss_bytes,
                                          .anon_bytes = m->anon_bytes,
                                          .threads = m->stat.threads,
                                          .fds = m->fds};
        memcpy(s->processes[i].name, m->stat.name, sizeof m->stat.name);
    }
    v[WATCH_CHILDREN_CPU_S] = ticks / s->ticks_per_s;
    v[WATCH_CHILDREN_STARTED] = (double)watch_tree_started(s->tree);
    v[WATCH_TREE_PSS_BYTES] = main != NULL ? main->pss_bytes : NAN;
    add(&v[WATCH_TREE_PSS_BYTES], v[WATCH_CHILDREN_PSS_BYTES]);
}

/* ---- files ---- */

/* Bytes and number of the owner's files at the top of a folder. */
static void list_files(const watch_sampler *s, const char *path, double *bytes, double *n)
{
    DIR *dir = opendir(path);
    *bytes = *n = 0;
    if (dir == NULL) {
        *bytes = *n = NAN;
        return;
    }
    int seen = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL && seen < MOST_FILES; seen++) {
        struct stat info;
        if (e->d_name[0] == '.' ||
            fstatat(dirfd(dir), e->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(info.st_mode) || (s->uid_known && info.st_uid != s->uid))
            continue;
        *bytes += (double)info.st_blocks * 512;
        ++*n;
    }
    closedir(dir);
}

static double size_of(const char *path, double *used)
{
    struct statvfs info;
    if (statvfs(path, &info) != 0)
        return NAN;
    const double unit = (double)info.f_frsize;
    if (used != NULL)
        *used = unit * (double)(info.f_blocks - info.f_bfree);
    return unit * (double)info.f_blocks;
}

static void read_files(watch_sampler *s, double now_s)
{
    double n;
    if (now_s - s->files_s < FILES_S)
        return;
    s->files_s = now_s;
    list_files(s, "/dev/shm", &s->kept[WATCH_SHM_BYTES], &s->kept[WATCH_SHM_FILES]);
    list_files(s, "/tmp", &s->kept[WATCH_TMP_BYTES], &n);
    s->kept[WATCH_LIMIT_SHM_BYTES] = size_of("/dev/shm", NULL);
    s->kept[WATCH_LIMIT_TMP_BYTES] = size_of("/tmp", NULL);
    s->kept[WATCH_LIMIT_DISK_BYTES] =
        size_of(s->run_folder[0] != '\0' ? s->run_folder : ".", &s->kept[WATCH_DISK_USED_BYTES]);
}

/* ---- a sample ---- */

static void read_machine(watch_sampler *s, watch_sample *out)
{
    char path[80];
    base_format(path, sizeof path, "%s/meminfo", s->proc);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    const ssize_t n = read(fd, s->text, sizeof s->text);
    close(fd);
    if (n > 0)
        watch_machine_read(out, s->text, (size_t)n);
}

static void find_cgroup(watch_sampler *s)
{
    const size_t at = watch_tree_main(s->tree);
    if (s->cgroup.folder[0] != '\0' || at == (size_t)-1)
        return;
    const size_t n = read_text(s, watch_tree_at(s->tree, at), "cgroup");
    watch_cgroup_find(&s->cgroup, s->sys, NULL, s->text, n);
}

/* The least of the cgroup's, the user's and the machine's. */
static void settle_limit(const watch_sampler *s, watch_sample *out)
{
    double *limit = &out->value[WATCH_LIMIT_MEMORY_BYTES];
    const double machine = out->value[WATCH_LIMIT_MACHINE_BYTES],
                 wish = s->target.memory_max_bytes > 0 ? s->target.memory_max_bytes : NAN;
    *limit = fmin(fmin(*limit, machine), wish); /* fmin passes over NAN */
}

vg_status watch_sampler_take(watch_sampler *s, watch_sample *out, base_mem *mem, vg_error *err)
{
    const double now_s = (double)(base_now_ns() - s->started_ns) * 1e-9;
    bool main_is_there;
    watch_sample_clear(out, now_s);
    vg_status st = watch_tree_look(s->tree, now_s, &main_is_there, mem, err);
    if (st == VG_OK)
        st = make_room(s, mem, err);
    if (st != VG_OK)
        return st;
    s->main_is_there = main_is_there;
    find_cgroup(s);
    read_machine(s, out);
    watch_cgroup_read(&s->cgroup, out);
    read_members(s, out, now_s);
    read_files(s, now_s);
    for (int i = 0; i < WATCH_N_SERIES; i++)
        if (isnan(out->value[i]))
            out->value[i] = s->kept[i];
    settle_limit(s, out);
    s->last_s = now_s;
    return VG_OK;
}

size_t watch_sampler_processes(const watch_sampler *s, const watch_process **out)
{
    *out = s->processes;
    return s->n_processes;
}

bool watch_sampler_main_is_there(const watch_sampler *s)
{
    return s->main_is_there;
}
