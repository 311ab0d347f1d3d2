/* guard.c: the loop of the guard, and the phases that a job goes through in its hands:
 *
 *   RUNNING -> (HOOKING) -> (CHECKPOINTING) -> STOPPING -> WAITING (back-off) -> RUNNING ...
 *                                                       -> ENDED
 *
 * Between samples it sleeps in short slices, so that the end of the job, of a phase, and the wish
 * to stop are seen at once. What is to be done is only noted when an event asks for it and done at
 * one place, guard_step() of guard_life.c. A failure of the guard's own never ends the job. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guard_own.h"

static const double SLICE_S = 0.2;
static const double STATE_S = 60;

double guard_now_s(void)
{
    return (double)base_now_ns() * 1e-9;
}

static watch_moment moment_of(const watch_guard *g)
{
    static const char *const phases[] = {[RUNNING] = "running",
                                         [HOOKING] = "running a hook",
                                         [CHECKPOINTING] = "awaiting a checkpoint",
                                         [STOPPING] = "stopping",
                                         [WAITING] = "waiting to restart",
                                         [ENDED] = "ended"};
    watch_moment m = {.options = &g->options,
                      .folder = g->folder,
                      .command = g->command,
                      .sample = &g->sample,
                      .judge = g->judge,
                      .wall_ns = g->wall_ns,
                      .n_restarts = g->n_restarts,
                      .phase = phases[g->phase],
                      .run_folder = g->options.run};
    if (g->sampler != NULL) {
        m.n_processes = watch_sampler_processes(g->sampler, &m.processes);
        m.run_folder = watch_sampler_run_folder(g->sampler);
    }
    return m;
}

/* ---- telling ---- */

void guard_note(watch_guard *g, const char *format, ...)
{
    char text[WATCH_NOTE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const watch_moment m = moment_of(g);
    watch_tell_note(&g->teller, text, &m);
    net_service_status(&g->service, text);
}

void guard_tell_notes(watch_guard *g)
{
    char text[WATCH_NOTE_BYTES];
    while (g->sampler != NULL && watch_sampler_note(g->sampler, text, sizeof text))
        guard_note(g, "%s", text);
    while (watch_acts_next_note(g->acts, text, sizeof text))
        guard_note(g, "%s", text);
}

void guard_wall_clock(watch_guard *g)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    g->wall_ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void guard_nap(double seconds)
{
    const struct timespec t = {.tv_sec = (time_t)seconds,
                               .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
    nanosleep(&t, NULL); /* a signal ends it early: so much the better */
}

/* ---- create ---- */

static vg_status check(const watch_options *o, char *const *argv, vg_error *err)
{
    const int n = (argv != NULL) + (o->pid > 0) + (o->cgroup[0] != '\0') + (o->unit[0] != '\0');
    if (n == 0)
        return base_fail(err, VG_ERR_ARGUMENT, NULL,
                         "vigil watch -- PROGRAM ARGUMENTS, or --pid, --unit, --cgroup",
                         "nothing to watch");
    if (n > 1)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "give a command, a pid, a unit or a cgroup",
                         "more than one thing to watch");
    const int all =
        o->on_leaking | o->on_critical | o->on_limit | o->on_hang | o->on_exit | o->on_oom;
    if (argv == NULL && (all & WATCH_DO_RESTART))
        return base_fail(err, VG_ERR_ARGUMENT, "the action restart",
                         "start it by vigil watch -- PROGRAM ARGUMENTS",
                         "a job that was not started here cannot be restarted");
    return VG_OK;
}

/* As it is shown and stored: without its secrets. */
static void put_command(watch_guard *g)
{
    if (g->argv == NULL) {
        if (g->options.pid > 0)
            base_format(g->command, sizeof g->command, "pid %d", g->options.pid);
        else
            base_format(g->command, sizeof g->command, "%s",
                        g->options.unit[0] ? g->options.unit : g->options.cgroup);
        return;
    }
    base_secrets_join(g->command, sizeof g->command, g->argv);
}

/* By what a job is known again: every word of its command, and where it was given. */
static uint64_t job_of(const watch_guard *g)
{
    char cwd[4096];
    uint64_t h = base_hash(BASE_HASH_START, g->command, strlen(g->command));
    for (char *const *a = g->argv; a != NULL && *a != NULL; a++)
        h = base_hash(h, *a, strlen(*a) + 1);
    if (g->argv != NULL && getcwd(cwd, sizeof cwd) != NULL)
        h = base_hash(h, cwd, strlen(cwd));
    return h != 0 ? h : 1;
}

vg_status watch_guard_create(watch_guard **out, const watch_options *o, char *const *argv,
                             const char *folder, base_mem *mem, vg_error *err)
{
    *out = NULL;
    vg_status st = check(o, argv, err);
    if (st != VG_OK)
        return st;
    watch_guard *g = base_alloc_zero(mem, 1, sizeof *g, err);
    if (g == NULL)
        return VG_ERR_MEMORY;
    g->options = *o;
    g->argv = argv;
    g->mem = mem;
    g->began_s = guard_now_s();
    g->oom_kills = NAN;
    g->oom_s = -INFINITY;
    base_format(g->folder, sizeof g->folder, "%s", folder);
    base_format(g->socket_env, sizeof g->socket_env,
                WATCH_STATE_SOCKET "%d-%" PRId64 "-%016" PRIx64, (int)getpid(), base_now_ns(),
                watch_state_folder_mark(folder));
    put_command(g);
    guard_wall_clock(g);
    watch_sample_clear(&g->sample, 0);
    watch_after_init(&g->after);
    watch_job_prepare(&g->job);
    net_service_open(&g->service);
    const watch_judge_options judge = {
        .hang_s = o->hang_s, .horizon_s = o->horizon_s, .expect_rss = (double)o->expect_rss_bytes};
    st = watch_judge_create(&g->judge, &judge, mem, err);
    if (st == VG_OK)
        st = watch_state_open(&g->state, g->folder, job_of(g), g->judge, mem, err);
    if (st == VG_OK)
        st = watch_acts_create(&g->acts, &g->options, argv, folder, job_of(g), mem, err);
    if (st == VG_OK && o->pid > 0)
        st = watch_job_attach(&g->job, o->pid, 0, err);
    if (st == VG_OK && argv == NULL)
        st = guard_open_sampler(g, err);
    const watch_moment m = moment_of(g);
    if (st == VG_OK)
        st = watch_teller_open(&g->teller, &m, mem, err);
    if (st != VG_OK)
        watch_guard_destroy(&g);
    *out = g;
    return st;
}

bool watch_guard_has_begun(const watch_guard *g)
{
    return g->has_begun;
}

void watch_guard_destroy(watch_guard **guard)
{
    watch_guard *g = *guard;
    if (g == NULL)
        return;
    watch_teller_close(&g->teller);
    watch_acts_destroy(&g->acts);
    watch_sampler_destroy(&g->sampler);
    watch_state_close(&g->state, true);
    watch_judge_destroy(&g->judge);
    watch_job_fini(&g->job);
    net_service_close(&g->service);
    base_free(g);
    *guard = NULL;
}

/* ---- samples ---- */

/* A sample that cannot be taken is reported once, and tried again: it is no reason to end a job. */
static bool read_sample(watch_guard *g, watch_sample *out)
{
    vg_error err = {.status = VG_OK};
    const vg_status st = watch_sampler_take(g->sampler, out, g->mem, &err);
    if (st != VG_OK && !g->sampling_fails)
        base_log_error(BASE_LOG_WARN, &err);
    g->sampling_fails = st != VG_OK;
    out->time_s += g->sampler_s;
    return st == VG_OK;
}

static void take_sample(watch_guard *g)
{
    watch_event e;
    guard_wall_clock(g);
    const bool is_running = g->phase != STOPPING && g->phase != WAITING && g->phase != ENDED;
    if (!read_sample(g, is_running ? &g->sample : &g->fresh))
        return;
    net_service_beat(&g->service);
    if (!is_running)
        return; /* for the list of its processes alone */
    watch_acts_look(g->acts, g->job.pidfd >= 0 ? g->job.pid : 0, g->sampler, guard_now_s());
    watch_judge_push(g->judge, &g->sample);
    const watch_moment m = moment_of(g);
    watch_tell_sample(&g->teller, &m);
    watch_after_sample(&g->after, &g->sample);
    for (size_t i = 0; i < m.n_processes; i++)
        watch_after_process(&g->after, &m.processes[i], m.processes[i].rss_bytes,
                            m.processes[i].rss_bytes);
    while (watch_judge_next(g->judge, &e)) {
        const watch_moment now = moment_of(g);
        watch_tell_explain(&g->teller, &e, &now);
        watch_tell_event(&g->teller, &e, &now);
        watch_after_event(&g->after, &e);
        watch_acts_learn(g->acts, &e, guard_now_s());
        guard_obey(g, &e);
    }
    guard_tell_notes(g);
    guard_check_limits(g);
    if (g->argv != NULL && g->phase != ENDED && guard_now_s() - fabs(g->state_s) >= STATE_S)
        guard_write_state(g);
}

/* ---- the loop ---- */

static void stop_for_good(watch_guard *g)
{
    g->user_stops = true;
    if (g->argv != NULL && g->phase != WAITING)
        guard_stop_job(g, false);
    else
        guard_enter(g, ENDED);
    if (g->phase == STOPPING)
        g->wants_restart = false;
}

static void see_user(watch_guard *g)
{
    const watch_listener *l = g->teller.listener;
    if (!g->user_stops && l != NULL && l->wants_stop != NULL && l->wants_stop(l->ctx))
        stop_for_good(g);
    const int impatience = guard_impatience(g);
    if (g->phase == STOPPING && impatience > 0)
        guard_hurry(g, impatience);
}

vg_status watch_guard_run(watch_guard *g, const watch_listener *listener, int *exit_status,
                          vg_error *err)
{
    g->teller.listener = listener;
    *exit_status = 0;
    vg_status st = g->argv != NULL ? guard_begin(g, err) : VG_OK;
    g->has_begun = st == VG_OK;
    const double began_s = guard_now_s();
    double next_s = began_s;
    if (st == VG_OK)
        net_service_ready(&g->service);
    while (st == VG_OK && g->phase != ENDED) {
        const double t = guard_now_s();
        if (t >= next_s) {
            take_sample(g);
            next_s = fmax(next_s + g->options.interval_s, t); /* a late one is not made up for */
        }
        see_user(g);
        if (g->phase != ENDED)
            st = guard_step(g, err);
        if (g->options.duration_s > 0 && t - began_s >= g->options.duration_s && !g->user_stops)
            stop_for_good(g);
        if (g->phase != ENDED)
            watch_acts_wait(g->acts, g->sampler,
                            fmin(SLICE_S, fmax(next_s - guard_now_s(), 0.001)));
    }
    net_service_stopping(&g->service);
    /* Only the start of a job can fail here, and what there is of it goes. */
    if (g->argv != NULL && g->sampler != NULL)
        guard_sweep(g);
    watch_job_reap(&g->job);
    if (g->job.is_ours)
        *exit_status = g->job.status;
    g->teller.listener = NULL;
    if (st == VG_OK && g->user_stops && g->options.duration_s == 0)
        return base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "stopped by request");
    return st;
}
