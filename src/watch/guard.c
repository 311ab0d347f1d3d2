/* guard.c: the loop of the guard, and the phases that a job goes through in its hands:
 *
 *   RUNNING -> (checkpoint asked or awaited) -> STOPPING -> WAITING (back-off) -> RUNNING ...
 *                                                        -> ENDED
 *
 * Between samples it sleeps in short slices, so that the end of the job, of a phase, and the wish
 * to stop are seen at once. What is to be done is only noted when an event asks for it and done at
 * one place, step(). */
#include "guard.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "acts.h"
#include "job.h"

enum { MOST_SINKS = 16, COMMAND_BYTES = 512, NOTE_BYTES = 512, MOST_STARTS = 1024 };

static const double SLICE_S = 0.2;
static const double HOUR_S = 3600;

typedef enum phase { RUNNING, CHECKPOINTING, STOPPING, WAITING, ENDED } phase;

typedef struct open_sink {
    const watch_sink *sink;
    void *state;
    bool has_failed; /* told once */
} open_sink;

struct watch_guard {
    watch_options options;
    char *const *argv;
    base_mem *mem;
    char folder[4096], command[COMMAND_BYTES];
    char socket_env[96]; /* VIGIL_WATCH_SOCKET=@..., where the job may tell of itself */
    watch_job job;
    watch_sampler *sampler;
    watch_judge *judge;
    watch_acts *acts;
    open_sink sinks[MOST_SINKS];
    size_t n_sinks;
    watch_sample sample;
    int64_t wall_ns;
    phase phase;
    bool wants_restart, user_stops, limit_told, killed;
    double phase_since_s; /* on base_now_ns's clock */
    double oom_kills;
    int n_restarts;
    double starts_s[MOST_STARTS]; /* ring of the moments of restarts */
    const watch_listener *listener;
};

static double now_s(void)
{
    return (double)base_now_ns() * 1e-9;
}

static watch_moment moment(const watch_guard *g)
{
    static const char *const phases[] = {[RUNNING] = "running",
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

/* What a sink could not do is told once, until it works again. */
static void judge_sink(watch_guard *g, open_sink *s, vg_status st, const vg_error *err)
{
    if (st != VG_OK && !s->has_failed)
        base_log_error(BASE_LOG_WARN, err);
    s->has_failed = st != VG_OK;
    (void)g;
}

static void note(watch_guard *g, const char *format, ...) VG_PRINTF(2, 3);
static void note(watch_guard *g, const char *format, ...)
{
    char text[NOTE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const watch_moment m = moment(g);
    if (g->listener->note != NULL)
        g->listener->note(g->listener->ctx, text, &m);
    for (size_t i = 0; i < g->n_sinks; i++) {
        vg_error err = {.status = VG_OK};
        open_sink *s = &g->sinks[i];
        if (s->sink->note != NULL)
            judge_sink(g, s, s->sink->note(s->state, text, &m, &err), &err);
    }
}

static void tell_sample(watch_guard *g)
{
    const watch_moment m = moment(g);
    for (size_t i = 0; i < g->n_sinks; i++) {
        vg_error err = {.status = VG_OK};
        open_sink *s = &g->sinks[i];
        if (s->sink->sample != NULL)
            judge_sink(g, s, s->sink->sample(s->state, &m, &err), &err);
    }
    if (g->listener->sample != NULL)
        g->listener->sample(g->listener->ctx, &m);
}

static void tell_event(watch_guard *g, const watch_event *e)
{
    const watch_moment m = moment(g);
    if (g->listener->event != NULL)
        g->listener->event(g->listener->ctx, e, &m);
    for (size_t i = 0; i < g->n_sinks; i++) {
        vg_error err = {.status = VG_OK};
        open_sink *s = &g->sinks[i];
        if (s->sink->event != NULL)
            judge_sink(g, s, s->sink->event(s->state, e, &m, &err), &err);
    }
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

static void put_command(watch_guard *g)
{
    size_t n = 0;
    if (g->argv == NULL) {
        if (g->options.pid > 0)
            base_format(g->command, sizeof g->command, "pid %d", g->options.pid);
        else
            base_format(g->command, sizeof g->command, "%s",
                        g->options.unit[0] ? g->options.unit : g->options.cgroup);
        return;
    }
    for (char *const *a = g->argv; *a != NULL && n + 2 < sizeof g->command; a++) {
        base_format(g->command + n, sizeof g->command - n, "%s%s", n > 0 ? " " : "", *a);
        n = strlen(g->command);
    }
}

static void wall_clock(watch_guard *g)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    g->wall_ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static vg_status open_sinks(watch_guard *g, vg_error *err)
{
    const watch_moment m = moment(g);
    for (size_t i = 0; watch_sinks[i] != NULL; i++) {
        const watch_sink *sink = watch_sinks[i];
        bool wanted = false;
        void *state = base_alloc_zero(g->mem, 1, sink->state_bytes, err);
        if (state == NULL)
            return VG_ERR_MEMORY;
        const vg_status st = sink->open(state, &wanted, &m, g->mem, err);
        if (st != VG_OK || !wanted) {
            if (st != VG_OK && sink->close != NULL)
                sink->close(state);
            base_free(state);
            if (st != VG_OK)
                return st;
            continue;
        }
        g->sinks[g->n_sinks++] = (open_sink){.sink = sink, .state = state};
    }
    return VG_OK;
}

static vg_status open_sampler(watch_guard *g, vg_error *err)
{
    const watch_target target = {.pid = g->job.pidfd >= 0 ? g->job.pid : 0,
                                 .cgroup = g->options.cgroup,
                                 .unit = g->options.unit,
                                 .run_folder = g->options.run,
                                 .socket = g->argv != NULL ? strchr(g->socket_env, '@') : NULL,
                                 .reaper = g->argv != NULL ? getpid() : 0,
                                 .memory_max_bytes = (double)g->options.memory_max_bytes,
                                 .is_again = g->n_restarts > 0};
    watch_sampler_destroy(&g->sampler);
    return watch_sampler_create(&g->sampler, &target, g->mem, err);
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
    static const watch_listener nobody = {0};
    g->options = *o;
    g->argv = argv;
    g->mem = mem;
    g->listener = &nobody;
    base_format(g->folder, sizeof g->folder, "%s", folder);
    base_format(g->socket_env, sizeof g->socket_env, "VIGIL_WATCH_SOCKET=@vigil-watch-%d-%" PRId64,
                (int)getpid(), base_now_ns());
    put_command(g);
    wall_clock(g);
    watch_sample_clear(&g->sample, 0);
    watch_job_prepare(&g->job);
    const watch_judge_options judge = {.hang_s = o->hang_s, .horizon_s = o->horizon_s};
    st = watch_judge_create(&g->judge, &judge, mem, err);
    if (st == VG_OK)
        st = watch_acts_create(&g->acts, &g->options, argv, folder, mem, err);
    if (st == VG_OK)
        st = open_sinks(g, err);
    if (st == VG_OK && o->pid > 0)
        st = watch_job_attach(&g->job, o->pid, 0, err);
    if (st == VG_OK && argv == NULL)
        st = open_sampler(g, err);
    if (st != VG_OK)
        watch_guard_destroy(&g);
    *out = g;
    return st;
}

void watch_guard_destroy(watch_guard **guard)
{
    watch_guard *g = *guard;
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->n_sinks; i++) {
        if (g->sinks[i].sink->close != NULL)
            g->sinks[i].sink->close(g->sinks[i].state);
        base_free(g->sinks[i].state);
    }
    watch_acts_destroy(&g->acts);
    watch_sampler_destroy(&g->sampler);
    watch_judge_destroy(&g->judge);
    watch_job_fini(&g->job);
    base_free(g);
    *guard = NULL;
}

/* ---- phases ---- */

static void enter(watch_guard *g, phase p)
{
    g->phase = p;
    g->phase_since_s = now_s();
    g->killed = false;
}

static vg_status start(watch_guard *g, vg_error *err)
{
    watch_job_options o = {.argv = g->argv};
    char why[NOTE_BYTES] = "";
    vg_status st = watch_acts_command(g->acts, &o, g->n_restarts, why, sizeof why, err);
    for (size_t i = 0; i < WATCH_MOST_ENV; i++)
        if (o.env[i] == NULL) {
            o.env[i] = g->socket_env;
            break;
        }
    if (st == VG_OK)
        st = watch_job_start(&g->job, &o, g->mem, err);
    if (st == VG_OK)
        st = open_sampler(g, err);
    if (st != VG_OK)
        return st;
    if (g->n_restarts > 0)
        watch_judge_restart(g->judge);
    enter(g, RUNNING);
    g->limit_told = false;
    note(g, "%s: process %d%s%s", g->n_restarts > 0 ? "job started again" : "job started",
         (int)g->job.pid, why[0] != '\0' ? "; " : "", why);
    return VG_OK;
}

/* Every process of the job but the main one: what it left behind, or what did not end with it. */
static size_t signal_rest(const watch_guard *g, int signal)
{
    const watch_process *p;
    const size_t n = watch_sampler_processes(g->sampler, &p);
    size_t done = 0;
    for (size_t i = 0; i < n; i++)
        if (p[i].state != 'Z' && p[i].pid != getpid())
            done += watch_signal_process(p[i].pid, p[i].start_ticks, signal);
    return done;
}

static void stop_job(watch_guard *g, bool restarts)
{
    if (g->phase == STOPPING || g->phase == WAITING || g->phase == ENDED)
        return;
    g->wants_restart = restarts;
    enter(g, STOPPING);
    note(g, "stopping the job: TERM, then KILL after %.0f s", g->options.grace_s);
    watch_job_signal(&g->job, SIGTERM);
}

static double elapsed(const watch_guard *g)
{
    return now_s() - g->phase_since_s;
}

/* Restarts within the last hour. */
static int recent_restarts(const watch_guard *g)
{
    int n = 0;
    const int kept = g->n_restarts < MOST_STARTS ? g->n_restarts : MOST_STARTS;
    for (int i = 0; i < kept; i++)
        n += now_s() - g->starts_s[i] < HOUR_S;
    return n;
}

static double backoff_s(const watch_guard *g)
{
    return fmin(g->options.backoff_s * exp2(recent_restarts(g)), HOUR_S);
}

/* The job has ended: by itself, or because it was told to. */
static void after_end(watch_guard *g)
{
    const bool was_told = g->phase == STOPPING;
    bool restarts = was_told ? g->wants_restart : false;
    if (!g->job.is_ours)
        note(g, "the job has ended");
    else if (g->job.signal != 0)
        note(g, "the job ended by signal %d (%s)", g->job.signal, strsignal(g->job.signal));
    else
        note(g, "the job ended with status %d", g->job.status);
    if (!was_told && g->job.is_ours) {
        const bool by_oom = watch_acts_was_oom(g->acts, &g->sample, g->job.signal);
        const int asked = by_oom ? g->options.on_oom | g->options.on_exit : g->options.on_exit;
        if (by_oom)
            note(g, "the kernel ended it for want of memory");
        if (g->job.status != 0 && g->job.signal != SIGINT && g->job.status != 130)
            restarts = asked & WATCH_DO_RESTART;
    }
    if (signal_rest(g, SIGTERM) > 0)
        note(g, "ending the processes that it left behind");
    if (restarts && !g->user_stops && recent_restarts(g) >= g->options.max_restarts) {
        note(g, "%d restarts within an hour: the job is left stopped", g->options.max_restarts);
        restarts = false;
    }
    enter(g, restarts && !g->user_stops ? WAITING : ENDED);
    if (g->phase == WAITING)
        note(g, "starting it again in %.0f s", backoff_s(g));
}

static vg_status restart(watch_guard *g, vg_error *err)
{
    signal_rest(g, SIGKILL);
    g->starts_s[g->n_restarts % MOST_STARTS] = now_s();
    g->n_restarts++;
    return start(g, err);
}

/* Between samples: whatever the phase is waiting for. */
static vg_status step(watch_guard *g, vg_error *err)
{
    watch_job_reap(&g->job);
    if (g->job.pidfd >= 0 && g->job.has_ended && g->phase != WAITING && g->phase != ENDED) {
        after_end(g);
        return VG_OK;
    }
    switch (g->phase) {
    case CHECKPOINTING:
        if (watch_acts_has_checkpoint(g->acts, g->phase_since_s)) {
            note(g, "a checkpoint is whole: %s", watch_acts_checkpoint(g->acts));
            stop_job(g, g->wants_restart);
        } else if (elapsed(g) >= watch_acts_patience_s(g->acts)) {
            note(g, "no checkpoint came; going on without");
            stop_job(g, g->wants_restart);
        }
        return VG_OK;
    case STOPPING:
        if (elapsed(g) >= g->options.grace_s && !g->killed) {
            note(g, "it did not end: KILL");
            watch_job_signal(&g->job, SIGKILL);
            signal_rest(g, SIGKILL);
            g->killed = true;
        }
        return VG_OK;
    case WAITING:
        return elapsed(g) >= backoff_s(g) ? restart(g, err) : VG_OK;
    case RUNNING:
    case ENDED:
        return VG_OK;
    }
    return VG_OK;
}

/* ---- what events ask for ---- */

static void act(watch_guard *g, int actions, const watch_event *e, const char *reason)
{
    if (actions & WATCH_DO_HOOK)
        watch_acts_hook(g->acts, e);
    const bool ends = actions & (WATCH_DO_STOP | WATCH_DO_RESTART);
    const bool asks = actions & WATCH_DO_CHECKPOINT;
    if ((!ends && !asks) || g->phase != RUNNING)
        return;
    if (asks && watch_acts_signal(g->acts) != 0) {
        note(g, "%s: asking for a checkpoint", reason);
        watch_job_signal(&g->job, watch_acts_signal(g->acts));
    }
    if (!ends)
        return;
    g->wants_restart = actions & WATCH_DO_RESTART;
    if (watch_acts_waits(g->acts, e)) {
        note(g, "%s: waiting for a checkpoint before it is %s", reason,
             g->wants_restart ? "restarted" : "stopped");
        enter(g, CHECKPOINTING);
    } else {
        note(g, "%s: it is %s", reason, g->wants_restart ? "restarted" : "stopped");
        stop_job(g, g->wants_restart);
    }
}

static void obey(watch_guard *g, const watch_event *e)
{
    const char *name = watch_series_get(e->series)->name;
    char reason[160];
    base_format(reason, sizeof reason, "%s is %s", name, watch_state_name(e->verdict.state));
    switch (e->verdict.state) {
    case WATCH_LEAKING:
        act(g, g->options.on_leaking, e, reason);
        break;
    case WATCH_CRITICAL:
        act(g, g->options.on_critical, e, reason);
        break;
    case WATCH_HUNG:
        act(g, g->options.on_hang, e, "the job hangs");
        break;
    default:
        break;
    }
}

/* Memory in use against its limit, and kills by the kernel that left the main process alive. */
static void check_limits(watch_guard *g)
{
    const double used = watch_acts_memory(&g->sample),
                 limit = g->sample.value[WATCH_LIMIT_MEMORY_BYTES];
    watch_event e = {.time_s = g->sample.time_s, .series = WATCH_TREE_PSS_BYTES, .rule = ""};
    if (used >= g->options.limit_0_1 * limit && !g->limit_told) {
        char a[32], b[32];
        g->limit_told = true;
        note(g, "memory is at %s of %s", base_format_bytes(a, sizeof a, used),
             base_format_bytes(b, sizeof b, limit));
        e.verdict.exhaustion_s = 0;
        e.verdict.state = WATCH_CRITICAL;
        act(g, g->options.on_limit, &e, "the memory limit is near");
    }
    const double kills = g->sample.value[WATCH_CGROUP_OOM_KILL];
    if (kills > g->oom_kills && g->sample.time_s > 0 && !g->job.has_ended) {
        note(g, "the kernel ended one of its processes for want of memory");
        act(g, g->options.on_oom, &e, "a process was ended for want of memory");
    }
    if (!isnan(kills))
        g->oom_kills = kills;
}

static vg_status take_sample(watch_guard *g, vg_error *err)
{
    watch_event e;
    wall_clock(g);
    const vg_status st = watch_sampler_take(g->sampler, &g->sample, g->mem, err);
    if (st != VG_OK)
        return st;
    for (char text[NOTE_BYTES]; watch_sampler_note(g->sampler, text, sizeof text);)
        note(g, "%s", text);
    if (g->phase != RUNNING && g->phase != CHECKPOINTING)
        return VG_OK; /* for the list of its processes alone */
    watch_acts_look(g->acts, &g->sample, now_s());
    watch_judge_push(g->judge, &g->sample);
    tell_sample(g);
    while (watch_judge_next(g->judge, &e)) {
        tell_event(g, &e);
        obey(g, &e);
    }
    check_limits(g);
    return VG_OK;
}

/* ---- the loop ---- */

static void see_user(watch_guard *g)
{
    if (g->user_stops || g->listener->wants_stop == NULL ||
        !g->listener->wants_stop(g->listener->ctx))
        return;
    g->user_stops = true;
    if (g->argv != NULL && g->phase != WAITING)
        stop_job(g, false);
    else
        enter(g, ENDED);
}

static void nap(double seconds)
{
    const struct timespec t = {.tv_sec = (time_t)seconds,
                               .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
    nanosleep(&t, NULL); /* a signal ends it early: so much the better */
}

vg_status watch_guard_run(watch_guard *g, const watch_listener *listener, int *exit_status,
                          vg_error *err)
{
    static const watch_listener nobody = {0};
    g->listener = listener != NULL ? listener : &nobody;
    *exit_status = 0;
    vg_status st = g->argv != NULL ? start(g, err) : VG_OK;
    const double began_s = now_s();
    double next_s = began_s;
    while (st == VG_OK && g->phase != ENDED) {
        const double t = now_s();
        if (t >= next_s) {
            st = take_sample(g, err);
            next_s = fmax(next_s + g->options.interval_s, t); /* a late one is not made up for */
        }
        see_user(g);
        if (st == VG_OK && g->phase != ENDED)
            st = step(g, err);
        if (g->options.duration_s > 0 && t - began_s >= g->options.duration_s && !g->user_stops) {
            g->user_stops = true;
            if (g->argv != NULL)
                stop_job(g, false);
            else
                enter(g, ENDED);
        }
        if (g->phase != ENDED)
            nap(fmin(SLICE_S, fmax(next_s - now_s(), 0.001)));
    }
    if (g->argv != NULL && g->job.pidfd >= 0 && !g->job.has_ended) { /* an error: leave nothing */
        watch_job_signal(&g->job, SIGKILL);
        signal_rest(g, SIGKILL);
    } else if (g->argv != NULL && g->sampler != NULL) {
        vg_error ignored;
        if (watch_sampler_take(g->sampler, &g->sample, g->mem, &ignored) == VG_OK)
            signal_rest(g, SIGKILL);
    }
    watch_job_reap(&g->job);
    if (g->job.is_ours)
        *exit_status = g->job.status;
    g->listener = &nobody;
    if (st == VG_OK && g->user_stops && g->options.duration_s == 0)
        return base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "stopped by request");
    return st;
}
