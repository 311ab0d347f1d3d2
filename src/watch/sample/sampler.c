/* sampler.c: one moment of a job, from the tree of its processes to the machine it runs on. The
 * processes themselves are read in sampler_members.c.
 *
 * What is cheap is read each time. What is expensive has its own pace: listings of folders and the
 * GPU here, maps and rollups there, each kept below a share of all CPU time. */
#include "sampler.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "charged.h"
#include "sampler_own.h"
#include "spaces.h"
#include "world.h"

enum { FIRST_PROCESSES = 64 };

/* Shares of one core. All of the guard may cost 0.5 %. */
static const double ROLLUP_SHARE = 0.002;
static const double MAPS_SHARE = 0.0005; /* maps and links of descriptors */
/* Of what lies in /dev/shm, and in /tmp: a large /tmp does not keep us from the other. */
static const double SHM_SHARE = 0.0005, DISKS_SHARE = 0.0003;
static const double GPU_SHARE = 0.001;
static const double FILES_S = 30; /* of listing /dev/shm and /tmp */

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

/* Whole words, as many as fit. */
static void keep_command(watch_sampler *s, char *const *words)
{
    for (; words != NULL && *words != NULL; words++) {
        const size_t n = strlen(*words) + 1;
        if (n > sizeof s->command - s->n_command)
            return;
        memcpy(s->command + s->n_command, *words, n);
        s->n_command += n;
    }
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
    s->began_unix_s = time(NULL);
    s->slow_s = s->shm_s = s->disks_s = s->child_s = -INFINITY;
    s->slow_fds = s->child_fds = -1;
    s->ticks_per_s = (double)sysconf(_SC_CLK_TCK);
    s->rollup_pace = (watch_pace){.share = ROLLUP_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
    s->maps_pace = (watch_pace){.share = MAPS_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
    s->shm_pace = (watch_pace){.share = SHM_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
    s->disks_pace = (watch_pace){.share = DISKS_SHARE, .purse_s = WATCH_FIRST_PURSE_S};
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
    keep_command(s, target->command);
    s->target.command = NULL;
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

/* ---- what has its own pace ---- */

static bool is_due(const watch_sampler *s, watch_pace *pace, double last_s, double now_s)
{
    return now_s - last_s >= fmin(FILES_S, SLOW_SAMPLES * (now_s - s->last_s)) &&
           watch_pace_may(pace, now_s);
}

static void read_files(watch_sampler *s, const watch_member *main, const watch_sample *now,
                       double now_s)
{
    const uid_t uid = s->uid_known ? s->uid : getuid();
    int64_t began_ns = base_thread_cpu_ns();
    if (is_due(s, &s->shm_pace, s->shm_s, now_s)) {
        double unclaimed;
        watch_spaces_read_shm(s->kept, &s->held, s->tree, main, uid, s->began_unix_s, &unclaimed);
        s->kept[WATCH_SHM_BYTES] += /* NAN stays */
            watch_charged_unseen_shm(now, s->kept[WATCH_SHM_BYTES], unclaimed);
        s->shm_s = now_s;
        watch_pace_pay(&s->shm_pace, began_ns);
        began_ns = base_thread_cpu_ns();
    }
    if (is_due(s, &s->disks_pace, s->disks_s, now_s)) {
        watch_spaces_read_disks(s->kept, s->tree, main, uid, watch_progress_folder(s->progress));
        s->disks_s = now_s;
        watch_pace_pay(&s->disks_pace, began_ns);
    }
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
    const size_t n = sampler_read_text(s, watch_tree_at(s->tree, at), "cgroup");
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
        st = sampler_make_room(s, mem, err);
    if (st != VG_OK)
        return st;
    const size_t at = watch_tree_main(s->tree);
    watch_member *main = main_is_there ? watch_tree_at(s->tree, at) : NULL;
    find_cgroup(s);
    read_machine(s, out);
    watch_cgroup_read(&s->cgroup, out);
    read_work(s, main, out, now_s); /* before the members: the epoch tells which of them are old */
    sampler_read_members(s, main, out, now_s);
    read_files(s, main, out, now_s);
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
