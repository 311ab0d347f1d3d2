/* sampler.c: one moment of a job, from the tree of its processes to the machine it runs on.
 *
 * What is cheap is read each time. What is dear has its own pace: smaps_rollup makes the kernel
 * walk every page of a process, so the CPU time it takes is kept below a share of all time (of a
 * large tree a few processes are then read at each sample, in turn, and the last figures of the
 * others stand meanwhile); maps and the links of descriptors are read of the main process, every
 * minute and when their number changed. A process in an uninterruptible sleep is not asked for its
 * maps: it may hold the lock that the answer needs. */
#include "sampler.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "connections.h"
#include "descriptors.h"
#include "dir.h"
#include "gpu.h"
#include "pace.h"
#include "progress.h"
#include "spaces.h"
#include "tree.h"
#include "vigil_socket.h"
#include "world_look.h"

enum { FIRST_PROCESSES = 64, TEXT_BYTES = 1 << 15, NOTE_BYTES = 320 };

/* Shares of one core. All of the guard may cost 0.5 %. */
static const double ROLLUP_SHARE = 0.002;
static const double MAPS_SHARE = 0.0005; /* maps and links of descriptors */
static const double FILES_SHARE = 0.0005;
static const double GPU_SHARE = 0.001;
static const double SLOW_S = 60;   /* pace of maps and of links of descriptors, at the slowest */
static const double FILES_S = 30;  /* of listing /dev/shm and /tmp */
enum { SLOW_SAMPLES = 6 };         /* and at the fastest, so that short intervals see short leaks */
static const double ROLLUP_S = 60; /* a process that did nothing is read again so often */
/* An idle child is one that used less CPU time than this share in its last interval. */
static const double IDLE_SHARE = 0.01;
/* A worker is left over when it has outlived its epoch by half of one. */
static const double STALE_EPOCHS = 1.5;

struct watch_sampler {
    watch_tree *tree;
    watch_progress *progress;
    watch_gpu *gpu; /* NULL: none */
    watch_connections connections;
    watch_senders senders;
    watch_held held;
    watch_target target;
    char proc[64], sys[64];
    char note[NOTE_BYTES]; /* "": nothing to say */
    watch_cgroup cgroup;
    watch_process *processes;
    size_t n_processes, room;
    int64_t started_ns;
    watch_pace rollup_pace, maps_pace, files_pace, gpu_pace;
    pid_t rollup_last; /* whose turn it was */
    double slow_s, files_s, last_s;
    int slow_fds;
    uid_t uid;
    bool uid_known, main_is_there, lack_reported;
    double kept[WATCH_N_SERIES]; /* the last reading of what has its own pace */
    double ticks_per_s;
    char text_read[TEXT_BYTES];
    char text[WATCH_N_TEXTS][WATCH_PHRASE_BYTES]; /* as kept */
    unsigned world;                               /* so far: libraries come with time */
};

/* ---- create ---- */

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static vg_status open_tree(watch_sampler *s, base_mem *mem, vg_error *err)
{
    const watch_target *o = &s->target;
    char path[WATCH_PATH_BYTES];
    const char *given = is_given(o->cgroup) ? o->cgroup : NULL;
    if (is_given(o->unit)) {
        if (!watch_cgroup_find_unit(path, s->sys, o->unit, getuid()))
            return base_fail(err, VG_ERR_IO, o->unit,
                             "systemctl list-units --state=running shows the units that run",
                             "no such unit is running");
        given = path;
    }
    if (given != NULL) {
        watch_cgroup_find(&s->cgroup, s->sys, given, "", 0);
        if (s->cgroup.procs_folder[0] == '\0')
            return base_fail(err, VG_ERR_IO, given,
                             "give a path below the cgroup mount, as systemd-cgls shows it",
                             "no such cgroup");
    }
    const watch_tree_options tree = {.main_pid = o->pid,
                                     .proc = s->proc,
                                     .cgroup = given != NULL ? s->cgroup.procs_folder : NULL,
                                     .reaper = o->reaper};
    return watch_tree_create(&s->tree, &tree, mem, err);
}

static void open_socket(watch_sampler *s)
{
    char name[64];
    base_format(name, sizeof name, "@vigil-watch-%d", (int)s->target.pid);
    if (is_given(s->target.socket))
        watch_senders_open(&s->senders, s->target.socket);
    else if (s->target.pid > 0)
        watch_senders_open(&s->senders, name);
}

vg_status watch_sampler_create(watch_sampler **out, const watch_target *target, base_mem *mem,
                               vg_error *err)
{
    watch_sampler *s = base_alloc_zero(mem, 1, sizeof *s, err);
    *out = s;
    if (s == NULL)
        return VG_ERR_MEMORY;
    s->senders.fd = -1;
    s->target = *target;
    base_format(s->proc, sizeof s->proc, "%s", target->proc != NULL ? target->proc : "/proc");
    base_format(s->sys, sizeof s->sys, "%s", target->sys != NULL ? target->sys : "/sys");
    s->started_ns = base_now_ns();
    s->slow_s = s->files_s = -INFINITY;
    s->slow_fds = -1;
    s->ticks_per_s = (double)sysconf(_SC_CLK_TCK);
    s->rollup_pace = (watch_pace){.share = ROLLUP_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
    s->maps_pace = (watch_pace){.share = MAPS_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
    s->files_pace = (watch_pace){.share = FILES_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
    s->gpu_pace = (watch_pace){.share = GPU_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
    watch_connections_init(&s->connections);
    for (int i = 0; i < WATCH_N_SERIES; i++)
        s->kept[i] = NAN;
    s->room = FIRST_PROCESSES;
    s->processes = base_alloc_zero(mem, s->room, sizeof *s->processes, err);
    vg_status st = s->processes != NULL ? open_tree(s, mem, err) : VG_ERR_MEMORY;
    if (st == VG_OK)
        st = watch_progress_create(&s->progress, target->run_folder, mem, err);
    if (st == VG_OK)
        st = watch_gpu_open(&s->gpu, target->nvml, s->note, sizeof s->note, mem, err);
    if (st == VG_OK)
        open_socket(s);
    if (target->is_again)
        s->note[0] = '\0';
    /* What the target lent may go now. */
    s->target.cgroup = s->target.unit = s->target.run_folder = s->target.socket = NULL;
    s->target.proc = s->target.sys = s->target.nvml = NULL;
    if (st != VG_OK)
        watch_sampler_destroy(out);
    return st;
}

void watch_sampler_destroy(watch_sampler **sampler)
{
    watch_sampler *s = *sampler;
    if (s == NULL)
        return;
    watch_senders_close(&s->senders);
    watch_gpu_close(&s->gpu);
    watch_progress_destroy(&s->progress);
    watch_tree_destroy(&s->tree);
    base_free(s->processes);
    base_free(s);
    *sampler = NULL;
}

const char *watch_sampler_run_folder(const watch_sampler *s)
{
    return watch_progress_folder(s->progress);
}

bool watch_sampler_note(watch_sampler *s, char *text, size_t n)
{
    const char *note = s->note[0] == '\0' && s->gpu != NULL ? watch_gpu_note(s->gpu) : s->note;
    if (note == NULL || note[0] == '\0')
        return false;
    base_format(text, n, "%s", note);
    s->note[0] = '\0';
    return true;
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
    const ssize_t n = watch_member_read(s->tree, m, name, s->text_read, sizeof s->text_read);
    return n > 0 ? (size_t)n : 0;
}

static void read_rollup(watch_sampler *s, watch_member *m)
{
    const size_t n = read_text(s, m, "smaps_rollup");
    if (n == 0) { /* gone, or not allowed */
        m->pss_bytes = m->uss_bytes = m->private_bytes = m->shared_bytes = NAN;
        m->pss_file_bytes = NAN;
        return;
    }
    const double clean = proc_field(s->text_read, n, "Private_Clean:"),
                 dirty = proc_field(s->text_read, n, "Private_Dirty:");
    m->pss_bytes = proc_field(s->text_read, n, "Pss:");
    m->pss_file_bytes = proc_field(s->text_read, n, "Pss_File:"); /* since Linux 5.9 */
    m->private_bytes = dirty;
    m->uss_bytes = clean + dirty;
    m->shared_bytes =
        proc_field(s->text_read, n, "Shared_Clean:") + proc_field(s->text_read, n, "Shared_Dirty:");
}

/* False: there is no time left. */
static bool try_rollup(watch_sampler *s, watch_member *m, double now_s)
{
    const uint64_t faults = m->stat.minor_faults + m->stat.major_faults;
    const bool is_same = faults == m->rollup_faults && m->rss_bytes == m->rollup_rss_bytes &&
                         now_s - m->rollup_s < ROLLUP_S;
    if (is_same || m->rollup_s == now_s || m->stat.state == 'Z' || m->stat.state == 'D')
        return true;
    if (!watch_pace_may(&s->rollup_pace, now_s))
        return false;
    const int64_t began_ns = base_thread_cpu_ns();
    read_rollup(s, m);
    watch_pace_pay(&s->rollup_pace, began_ns);
    m->rollup_s = now_s;
    m->rollup_faults = faults;
    m->rollup_rss_bytes = m->rss_bytes;
    return true;
}

/* PSS and what is private, of as many as there is time for: those that were never read, so that
 * sums are whole, then the others in turn; main not behind more than a minute of newcomers. */
static void read_rollups(watch_sampler *s, watch_member *main, double now_s)
{
    const size_t n = watch_tree_size(s->tree);
    size_t first = 0;
    if (main != NULL && now_s - main->rollup_s >= ROLLUP_S && !try_rollup(s, main, now_s))
        return;
    for (size_t i = 0; i < n; i++) {
        watch_member *m = watch_tree_at(s->tree, i);
        if (m->rollup_s == -INFINITY && !try_rollup(s, m, now_s))
            return;
        first += m->stat.pid <= s->rollup_last;
    }
    for (size_t i = 0; i < n; i++) {
        watch_member *m = watch_tree_at(s->tree, (first + i) % n);
        if (!try_rollup(s, m, now_s))
            return;
        s->rollup_last = m->stat.pid;
    }
}

static void read_io(watch_sampler *s, watch_member *m)
{
    const size_t n = read_text(s, m, "io"); /* of another user's process: not allowed */
    m->read_bytes = proc_field(s->text_read, n, "rchar:");
    m->write_bytes = proc_field(s->text_read, n, "wchar:");
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
                {"VmLck:", WATCH_MAIN_LOCKED_BYTES}, {"VmSize:", WATCH_MAIN_SIZE_BYTES},
                {"Threads:", WATCH_MAIN_THREADS}};
    const size_t n = read_text(s, m, "status");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        out->value[rows[i].series] = proc_field(s->text_read, n, rows[i].key);
    add(&out->value[WATCH_MAIN_LOCKED_BYTES], proc_field(s->text_read, n, "VmPin:"));
    const double uid = proc_field(s->text_read, n, "Uid:");
    s->uid_known |= !isnan(uid);
    s->uid = isnan(uid) ? s->uid : (uid_t)uid;
    m->rss_bytes = out->value[WATCH_MAIN_RSS_BYTES];
    m->anon_bytes = out->value[WATCH_MAIN_ANON_BYTES];
}

static void read_descriptors(watch_sampler *s, watch_member *m)
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
                                                        WATCH_MAIN_FDS_EVENTS_FILE,
                                                    [PROC_FD_SQLITE] = WATCH_MAIN_FDS_SQLITE,
                                                    [PROC_FD_LOG] = WATCH_MAIN_FDS_LOG};
    watch_descriptors d;
    if (!watch_descriptors_read(&d, s->tree, m))
        return;
    for (int i = 0; i < PROC_N_FDS; i++)
        s->kept[series[i]] = d.kinds[i];
    s->kept[WATCH_MAIN_FDS_FILE] = d.files;
    s->kept[WATCH_MAIN_DELETED_BYTES] = d.deleted_bytes;
    memcpy(s->text[WATCH_TEXT_FILES], d.most, sizeof d.most);
    memcpy(s->text[WATCH_TEXT_DELETED], d.deleted, sizeof d.deleted);
}

static void read_maps(watch_sampler *s, const watch_member *m)
{
    proc_maps maps = {0};
    const int fd = watch_member_open(s->tree, m, "maps", O_RDONLY);
    if (fd < 0)
        return;
    for (ssize_t n; (n = read(fd, s->text_read, sizeof s->text_read)) > 0;)
        proc_maps_add(&maps, s->text_read, (size_t)n);
    close(fd);
    proc_maps_end(&maps);
    s->kept[WATCH_MAIN_HEAP_BYTES] = maps.heap_bytes;
    s->kept[WATCH_MAIN_MMAP_BYTES] = maps.anon_bytes;
    s->kept[WATCH_MAIN_DEVICE_BYTES] = maps.device_bytes;
    s->kept[WATCH_MAIN_ARENA_MAPS] = maps.arenas;
    s->kept[WATCH_JOB_WORLD] = s->world =
        watch_world_look(s->world | maps.world, s->tree, m, s->text_read, sizeof s->text_read);
}

/* Of the user's processes the limit counts all; root has none. The cgroup's may be lower. */
static void read_limits(watch_sampler *s, const watch_member *m, watch_sample *out)
{
    double *v = out->value;
    const size_t n = read_text(s, m, "limits");
    const double fds = proc_limit(s->text_read, n, "Max open files"),
                 threads = proc_limit(s->text_read, n, "Max processes"),
                 address = proc_limit(s->text_read, n, "Max address space");
    if (isfinite(address))
        v[WATCH_LIMIT_ADDRESS_BYTES] = address;
    else
        v[WATCH_MAIN_SIZE_BYTES] = NAN; /* what is reserved tells nothing where nothing bounds it */
    if (isfinite(fds))
        v[WATCH_LIMIT_FDS] = fds;
    if (isfinite(threads) && s->uid_known && s->uid != 0)
        v[WATCH_LIMIT_THREADS] = fmin(v[WATCH_LIMIT_THREADS], threads);
}

static void read_main(watch_sampler *s, watch_member *m, watch_sample *out, double now_s)
{
    double *v = out->value;
    read_main_status(s, m, out);
    read_io(s, m);
    read_limits(s, m, out);
    v[WATCH_MAIN_READ_BYTES] = m->read_bytes;
    v[WATCH_MAIN_WRITE_BYTES] = m->write_bytes;
    v[WATCH_MAIN_MINOR_FAULTS] = (double)m->stat.minor_faults;
    v[WATCH_MAIN_MAJOR_FAULTS] = (double)m->stat.major_faults;
    v[WATCH_MAIN_CPU_S] = (double)m->stat.cpu_ticks / s->ticks_per_s;
    m->fds = watch_descriptors_count(s->tree, m);
    v[WATCH_MAIN_FDS] = m->fds >= 0 ? m->fds : (double)NAN;
    const bool is_due = now_s - s->slow_s >= fmin(SLOW_S, SLOW_SAMPLES * (now_s - s->last_s));
    if ((!is_due && m->fds == s->slow_fds) || !watch_pace_may(&s->maps_pace, now_s))
        return;
    const int64_t began_ns = base_thread_cpu_ns();
    read_descriptors(s, m);
    watch_threads_most(s->text[WATCH_TEXT_THREADS], s->tree, m);
    s->slow_fds = m->fds;
    if (is_due && m->stat.state != 'D') {
        read_maps(s, m);
        s->slow_s = now_s;
    }
    watch_pace_pay(&s->maps_pace, began_ns);
}

/* ---- the others ---- */

static void read_child(watch_sampler *s, watch_member *m)
{
    if (m->stat.state == 'Z') { /* what it had read and written stays counted */
        m->rss_bytes = m->anon_bytes = m->file_bytes = 0;
        m->pss_file_bytes = m->pss_bytes = m->uss_bytes = m->private_bytes = m->shared_bytes = NAN;
        m->fds = 0;
        return;
    }
    const size_t n = read_text(s, m, "status");
    m->rss_bytes = proc_field(s->text_read, n, "VmRSS:");
    m->anon_bytes = proc_field(s->text_read, n, "RssAnon:");
    m->file_bytes = proc_field(s->text_read, n, "RssFile:");
    read_io(s, m);
    m->fds = watch_descriptors_count(s->tree, m);
}

static void add_child(double *v, const watch_member *m)
{
    v[WATCH_CHILDREN_COUNT]++;
    v[WATCH_CHILDREN_ZOMBIES] += m->stat.state == 'Z';
    add(&v[WATCH_CHILDREN_RSS_BYTES], m->rss_bytes);
    add(&v[WATCH_CHILDREN_ANON_BYTES], m->anon_bytes);
    add(&v[WATCH_CHILDREN_FILE_BYTES], m->file_bytes);
    add(&v[WATCH_CHILDREN_PSS_BYTES], m->pss_bytes);
    add(&v[WATCH_CHILDREN_PSS_FILE_BYTES], m->pss_file_bytes);
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
        WATCH_CHILDREN_READ_BYTES, WATCH_CHILDREN_WRITE_BYTES};
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

static void tell_process(watch_sampler *s, size_t i, const watch_member *main, double age_s)
{
    const watch_member *m = watch_tree_at(s->tree, i);
    s->processes[i] = (watch_process){.pid = m->stat.pid,
                                      .parent = m->stat.parent,
                                      .start_ticks = m->stat.start_ticks,
                                      .role = role_of(s, m, main),
                                      .state = m->stat.state,
                                      .age_s = age_s,
                                      .cpu_s = (double)m->stat.cpu_ticks / s->ticks_per_s,
                                      .rss_bytes = m->rss_bytes,
                                      .pss_bytes = m->pss_bytes,
                                      .anon_bytes = m->anon_bytes,
                                      .threads = m->stat.threads,
                                      .fds = m->fds};
    memcpy(s->processes[i].name, m->stat.name, sizeof m->stat.name);
}

static void sum_children(watch_sampler *s, const watch_member *main, watch_sample *out,
                         double now_s)
{
    double *v = out->value;
    const double boot_s = uptime_s(), epoch_s = v[WATCH_WORK_EPOCH_S];
    double ticks = (double)watch_tree_cpu_gone(s->tree), stale = 0;
    clear_children(out);
    v[WATCH_CHILDREN_READ_BYTES] = watch_tree_read_gone(s->tree);
    v[WATCH_CHILDREN_WRITE_BYTES] = watch_tree_write_gone(s->tree);
    for (size_t i = 0; i < s->n_processes; i++) {
        watch_member *m = watch_tree_at(s->tree, i);
        const double age_s = boot_s - (double)m->stat.start_ticks / s->ticks_per_s;
        const double used_s = (double)(m->stat.cpu_ticks - m->ticks_before) / s->ticks_per_s;
        const bool is_idle = !m->is_new && used_s < IDLE_SHARE * (now_s - s->last_s);
        tell_process(s, i, main, age_s);
        if (m == main)
            continue;
        add_child(v, m);
        ticks += (double)m->stat.cpu_ticks;
        v[WATCH_CHILDREN_OLDEST_S] = fmax(v[WATCH_CHILDREN_OLDEST_S], age_s);
        v[WATCH_CHILDREN_ORPHANS] += s->processes[i].role == WATCH_ORPHAN;
        stale += is_idle && m->stat.state != 'Z' && age_s > STALE_EPOCHS * epoch_s;
    }
    v[WATCH_CHILDREN_STALE] = epoch_s > 0 ? stale : (double)NAN;
    v[WATCH_CHILDREN_CPU_S] = ticks / s->ticks_per_s;
    v[WATCH_CHILDREN_STARTED] = (double)watch_tree_started(s->tree);
}

static void read_members(watch_sampler *s, watch_member *main, watch_sample *out, double now_s)
{
    double *v = out->value;
    s->n_processes = watch_tree_size(s->tree);
    if (main != NULL)
        read_main(s, main, out, now_s);
    for (size_t i = 0; i < s->n_processes; i++)
        if (watch_tree_at(s->tree, i) != main)
            read_child(s, watch_tree_at(s->tree, i));
    read_rollups(s, main, now_s);
    sum_children(s, main, out, now_s);
    if (main != NULL) {
        v[WATCH_MAIN_PSS_BYTES] = main->pss_bytes;
        v[WATCH_MAIN_PSS_FILE_BYTES] = main->pss_file_bytes;
        v[WATCH_MAIN_USS_BYTES] = main->uss_bytes;
        v[WATCH_TREE_PSS_BYTES] = main->pss_bytes + v[WATCH_CHILDREN_PSS_BYTES];
        v[WATCH_WORK_INPUT_BYTES] = main->read_bytes + v[WATCH_CHILDREN_READ_BYTES];
    }
}

/* ---- what has its own pace ---- */

static void read_files(watch_sampler *s, const watch_member *main, double now_s)
{
    if (now_s - s->files_s < fmin(FILES_S, SLOW_SAMPLES * (now_s - s->last_s)) ||
        !watch_pace_may(&s->files_pace, now_s))
        return;
    const int64_t began_ns = base_thread_cpu_ns();
    s->files_s = now_s;
    watch_spaces_read(s->kept, &s->held, s->tree, main, s->uid_known ? s->uid : getuid(),
                      watch_progress_folder(s->progress));
    watch_pace_pay(&s->files_pace, began_ns);
}

static void read_gpu(watch_sampler *s, double now_s)
{
    watch_sample now;
    if (s->gpu == NULL || !watch_pace_may(&s->gpu_pace, now_s))
        return;
    const int64_t began_ns = base_thread_cpu_ns();
    watch_sample_clear(&now, now_s);
    watch_gpu_read(s->gpu, s->tree, s->proc, s->uid_known ? s->uid : getuid(), &now);
    for (int i = WATCH_GPU0_BYTES; i <= WATCH_GPU_ORPHANS; i++)
        s->kept[i] = now.value[i];
    for (int i = WATCH_LIMIT_GPU0_BYTES; i <= WATCH_LIMIT_GPU3_BYTES; i++)
        s->kept[i] = now.value[i];
    watch_pace_pay(&s->gpu_pace, began_ns);
}

/* A training whose progress is not found has no epochs in its figures: said once, with what to do.
 */
static const double LACK_S = 60;

static void tell_lack(watch_sampler *s, double now_s)
{
    if (s->lack_reported || s->note[0] != '\0' || now_s < LACK_S ||
        !(s->world & WATCH_WORLD_TRAINS) || watch_progress_folder(s->progress)[0] != '\0' ||
        s->target.is_again)
        return;
    s->lack_reported = true;
    base_format(s->note, sizeof s->note,
                "no progress of the training is found: looked for results.csv, metrics.csv and "
                "event files among its open files, in runs/, lightning_logs/ and logs/ of its "
                "working folder and where its command line says (project=); name it with --run "
                "FOLDER");
}

static void read_work(watch_sampler *s, const watch_member *main, watch_sample *out, double now_s)
{
    watch_progress_look(s->progress, s->tree, now_s, out);
    tell_lack(s, now_s);
    if (main != NULL)
        watch_connections_look(&s->connections, s->tree, main, now_s);
    out->value[WATCH_WORK_RECONNECTS] = watch_connections_get(&s->connections);
    out->value[WATCH_MAIN_CLOSE_WAIT] = watch_connections_left(&s->connections);
    watch_senders_hear(&s->senders, s->tree, out);
}

/* ---- a sample ---- */

static void read_machine(watch_sampler *s, watch_sample *out)
{
    char path[80];
    base_format(path, sizeof path, "%s/meminfo", s->proc);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    const ssize_t n = read(fd, s->text_read, sizeof s->text_read);
    close(fd);
    if (n > 0)
        watch_machine_read(out, s->text_read, (size_t)n);
}

static void find_cgroup(watch_sampler *s)
{
    const size_t at = watch_tree_main(s->tree);
    if (s->cgroup.procs_folder[0] != '\0' || at == (size_t)-1)
        return;
    const size_t n = read_text(s, watch_tree_at(s->tree, at), "cgroup");
    watch_cgroup_find(&s->cgroup, s->sys, NULL, s->text_read, n);
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
    const size_t at = watch_tree_main(s->tree);
    watch_member *main = main_is_there ? watch_tree_at(s->tree, at) : NULL;
    s->main_is_there = main_is_there;
    find_cgroup(s);
    read_machine(s, out);
    watch_cgroup_read(&s->cgroup, out);
    read_work(s, main, out, now_s); /* before the members: the epoch tells which of them are old */
    read_members(s, main, out, now_s);
    read_files(s, main, now_s);
    read_gpu(s, now_s);
    for (int i = 0; i < WATCH_N_SERIES; i++)
        if (isnan(out->value[i]))
            out->value[i] = s->kept[i];
    memcpy(out->text, s->text, sizeof out->text);
    settle_limit(s, out);
    s->last_s = now_s;
    return VG_OK;
}

const struct watch_tree *watch_sampler_tree(const watch_sampler *s)
{
    return s->tree;
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
