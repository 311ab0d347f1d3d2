/* sampler_members.c: the processes of the tree: main in full, the others summed.
 *
 * smaps_rollup makes the kernel walk every page of a process, so the CPU time it takes is kept
 * below a share of all time (of a large tree a few processes are then read at each sample, in turn,
 * and the last figures of the others stand meanwhile); maps and the links of descriptors are read
 * of the main process, every minute and when their number changed. A process in an uninterruptible
 * sleep is not asked for its maps: it may hold the lock that the answer needs. */
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "sampler_own.h"
#include "world_look.h"

static const double SLOW_S = 60;   /* pace of maps and of links of descriptors, at the slowest */
static const double ROLLUP_S = 60; /* a process that did nothing is read again so often */
/* An idle child is one that used less CPU time than this share in its last interval. */
static const double IDLE_SHARE = 0.01;
/* A worker is left over when it has outlived its epoch by half of one. */
static const double STALE_EPOCHS = 1.5;

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

size_t sampler_read_text(watch_sampler *s, const watch_member *m, const char *name)
{
    const ssize_t n = watch_member_read(s->tree, m, name, s->text_read, sizeof s->text_read);
    return n > 0 ? (size_t)n : 0;
}

static void read_rollup(watch_sampler *s, watch_member *m)
{
    const size_t n = sampler_read_text(s, m, "smaps_rollup");
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
    const size_t n = sampler_read_text(s, m, "io"); /* of another user's process: not allowed */
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
    const size_t n = sampler_read_text(s, m, "status");
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
    const double bound =
        watch_world_bound(s->tree, m, s->command, s->n_command, s->text_read, sizeof s->text_read);
    if (!isnan(bound)) /* what was told once is told */
        s->kept[WATCH_JOB_BOUND_BYTES] = bound;
}

/* Of the user's processes the limit counts all; root has none. The cgroup's may be lower. */
static void read_limits(watch_sampler *s, const watch_member *m, watch_sample *out)
{
    double *v = out->value;
    const size_t n = sampler_read_text(s, m, "limits");
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
    const size_t n = sampler_read_text(s, m, "status");
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

/* What it is that the processes open of which main is only the launcher or the master: the kinds
 * of descriptors of that one which has most. */
static void read_most_open(watch_sampler *s, const watch_member *main, double now_s)
{
    static const watch_series series[PROC_N_FDS] = {
        [PROC_FD_FILE] = WATCH_CHILD_FDS_FILE,       [PROC_FD_SOCKET] = WATCH_CHILD_FDS_SOCKET,
        [PROC_FD_PIPE] = WATCH_CHILD_FDS_PIPE,       [PROC_FD_EVENT] = WATCH_CHILD_FDS_EVENT,
        [PROC_FD_DELETED] = WATCH_CHILD_FDS_DELETED, [PROC_FD_SHM] = WATCH_CHILD_FDS_SHM,
        [PROC_FD_SQLITE] = WATCH_CHILD_FDS_SQLITE,   [PROC_FD_LOG] = WATCH_CHILD_FDS_LOG};
    const watch_member *most = NULL;
    for (size_t i = 0; i < s->n_processes; i++) {
        const watch_member *m = watch_tree_at(s->tree, i);
        if (m != main && m->fds > 0 && (most == NULL || m->fds > most->fds))
            most = m;
    }
    if (most == NULL)
        return;
    const bool is_same = most->stat.pid == s->child_pid && most->fds == s->child_fds,
               is_due = now_s - s->child_s >= fmin(SLOW_S, SLOW_SAMPLES * (now_s - s->last_s));
    watch_descriptors d;
    if ((is_same && !is_due) || !watch_pace_may(&s->maps_pace, now_s))
        return;
    const int64_t began_ns = base_thread_cpu_ns();
    if (watch_descriptors_read(&d, s->tree, most)) {
        for (int i = 0; i < PROC_N_FDS; i++)
            if (series[i] != 0) /* those that tell a cause */
                s->kept[series[i]] = d.kinds[i];
        s->kept[WATCH_CHILD_FDS_FILE] = d.files;
        s->kept[WATCH_CHILD_FDS] = most->fds;
        s->child_pid = most->stat.pid;
        s->child_fds = most->fds;
        s->child_s = now_s;
    }
    watch_pace_pay(&s->maps_pace, began_ns);
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

vg_status sampler_make_room(watch_sampler *s, base_mem *mem, vg_error *err)
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

void sampler_read_members(watch_sampler *s, watch_member *main, watch_sample *out, double now_s)
{
    double *v = out->value;
    s->n_processes = watch_tree_size(s->tree);
    if (main != NULL)
        read_main(s, main, out, now_s);
    for (size_t i = 0; i < s->n_processes; i++)
        if (watch_tree_at(s->tree, i) != main)
            read_child(s, watch_tree_at(s->tree, i));
    read_most_open(s, main, now_s);
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
