/* guard.c: the loop of the guard, and the phases that a job goes through in its hands:
 *
 *   RUNNING -> (HOOKING) -> (CHECKPOINTING) -> STOPPING -> WAITING (back-off) -> RUNNING ...
 *                                                       -> ENDED
 *
 * Between samples it sleeps in short slices, so that the end of the job, of a phase, and the wish
 * to stop are seen at once. What is to be done is only noted when an event asks for it and done at
 * one place, step(). A failure of the guard's own never ends the job. */
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
#include "service.h"
#include "state.h"
#include "teller.h"

enum { COMMAND_BYTES = 512, NOTE_BYTES = 1024, MOST_STARTS = 1024, MOST_ROUNDS = 10 };

static const double SLICE_S = 0.2;
static const double HOUR_S = 3600;
static const double STATE_S = 60;
static const double HOOK_S = 65; /* a little more than the hook's own bound */
/* What a job leaves behind gets so long between TERM and KILL when nothing waits for it. */
static const double LEFT_S = 5;
/* A kill for want of memory explains an end with an error so much later: a trainer notices slowly
 * that its worker is gone. */
static const double OOM_S = 120;

typedef enum phase { RUNNING, HOOKING, CHECKPOINTING, STOPPING, WAITING, ENDED } phase;

/* What an event asked for, while its hook runs. */
typedef struct wish {
    int actions;
    watch_event event;
    char reason[160];
} wish;

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
    watch_teller teller;
    watch_service service;
    watch_state_file *state;
    watch_sample sample, fresh; /* fresh: for the list of processes alone */
    double began_s, sampler_s;  /* when time 0 was, and when the sampler's time 0 was */
    double state_s;             /* when the state was written */
    int64_t wall_ns;
    phase phase;
    bool wants_restart, user_stops, limit_told, killed, sampling_fails;
    wish wish;
    double patience_s;
    double phase_since_s;    /* on base_now_ns's clock */
    double oom_kills, oom_s; /* the count, NAN: not read yet; and when it rose */
    int n_restarts;
    double starts_s[MOST_STARTS]; /* ring of the moments of restarts */
};

_Static_assert(sizeof(((watch_state_facts *)0)->restarts_s) / sizeof(double) <= MOST_STARTS,
               "the state's restarts fit into the ring");

static double now_s(void)
{
    return (double)base_now_ns() * 1e-9;
}

static watch_moment moment(const watch_guard *g)
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

static void note(watch_guard *g, const char *format, ...) VG_PRINTF(2, 3);
static void note(watch_guard *g, const char *format, ...)
{
    char text[NOTE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const watch_moment m = moment(g);
    watch_tell_note(&g->teller, text, &m);
    watch_service_status(&g->service, text);
}

static void tell_notes(watch_guard *g)
{
    char text[NOTE_BYTES];
    while (watch_acts_next_note(g->acts, text, sizeof text))
        note(g, "%s", text);
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

static vg_status open_sampler(watch_guard *g, vg_error *err)
{
    const char *own = watch_acts_cgroup(g->acts);
    const watch_target target = {.pid = g->job.pidfd >= 0 ? g->job.pid : 0,
                                 .cgroup = own[0] != '\0' ? own : g->options.cgroup,
                                 .unit = g->options.unit,
                                 .run_folder = g->options.run,
                                 .socket = g->argv != NULL ? strchr(g->socket_env, '@') : NULL,
                                 .reaper = g->argv != NULL ? getpid() : 0,
                                 .memory_max_bytes = (double)g->options.memory_max_bytes,
                                 .is_again = g->n_restarts > 0};
    watch_sampler_destroy(&g->sampler);
    const vg_status st = watch_sampler_create(&g->sampler, &target, g->mem, err);
    g->sampler_s = now_s() - g->began_s; /* one time for all of the job's lives */
    return st;
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
    g->began_s = now_s();
    g->oom_kills = NAN;
    g->oom_s = -INFINITY;
    base_format(g->folder, sizeof g->folder, "%s", folder);
    base_format(g->socket_env, sizeof g->socket_env, "VIGIL_WATCH_SOCKET=@vigil-watch-%d-%" PRId64,
                (int)getpid(), base_now_ns());
    put_command(g);
    wall_clock(g);
    watch_sample_clear(&g->sample, 0);
    watch_job_prepare(&g->job);
    watch_service_open(&g->service);
    const watch_judge_options judge = {.hang_s = o->hang_s, .horizon_s = o->horizon_s};
    st = watch_judge_create(&g->judge, &judge, mem, err);
    if (st == VG_OK)
        st = watch_state_open(&g->state, g->folder, g->command, g->judge, mem, err);
    if (st == VG_OK)
        st = watch_acts_create(&g->acts, &g->options, argv, folder, mem, err);
    if (st == VG_OK && o->pid > 0)
        st = watch_job_attach(&g->job, o->pid, 0, err);
    if (st == VG_OK && argv == NULL)
        st = open_sampler(g, err);
    const watch_moment m = moment(g);
    if (st == VG_OK)
        st = watch_teller_open(&g->teller, &m, mem, err);
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
    watch_teller_close(&g->teller);
    watch_acts_destroy(&g->acts);
    watch_sampler_destroy(&g->sampler);
    watch_state_close(&g->state, true);
    watch_judge_destroy(&g->judge);
    watch_job_fini(&g->job);
    watch_service_close(&g->service);
    base_free(g);
    *guard = NULL;
}

/* ---- the list of the job's processes, and signals to them ---- */

/* Every process of the job but the main one: what it left behind, or what did not end with it.
 * Returns how many live; signal 0: only counts them. */
static size_t signal_rest(watch_guard *g, int signal)
{
    const watch_process *p;
    vg_error ignored;
    size_t n_alive = 0;
    if (g->sampler == NULL || watch_sampler_take(g->sampler, &g->fresh, g->mem, &ignored) != VG_OK)
        return 0;
    const size_t n = watch_sampler_processes(g->sampler, &p);
    for (size_t i = 0; i < n; i++)
        if (p[i].state != 'Z' && p[i].pid != getpid() && p[i].pid != g->job.pid)
            n_alive += watch_signal_process(p[i].pid, p[i].start_ticks, signal);
    return n_alive;
}

/* Again and again, for one may be born between the list and the signal. */
static void kill_all(watch_guard *g)
{
    watch_job_signal(&g->job, SIGKILL);
    for (int i = 0; i < MOST_ROUNDS && signal_rest(g, SIGKILL) > 0; i++)
        watch_job_reap(&g->job);
}

static void nap(double seconds)
{
    const struct timespec t = {.tv_sec = (time_t)seconds,
                               .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
    nanosleep(&t, NULL); /* a signal ends it early: so much the better */
}

/* What is left when nothing comes after: asked, then made to end. */
static void sweep(watch_guard *g)
{
    const double until_s = now_s() + fmin(LEFT_S, g->options.grace_s);
    while (signal_rest(g, 0) > 0 && now_s() < until_s) {
        watch_job_reap(&g->job);
        nap(SLICE_S / 4);
    }
    kill_all(g);
    watch_job_reap(&g->job);
}

/* ---- the guard's own state ---- */

static void write_state(watch_guard *g)
{
    vg_error err = {.status = VG_OK};
    const bool had_failed = g->state_s < 0;
    watch_state_facts f = {.pid = g->job.pid,
                           .start_ticks = g->job.start_ticks,
                           .n_restarts = g->n_restarts,
                           .since_s = now_s() - g->began_s};
    enum { N = sizeof f.restarts_s / sizeof *f.restarts_s };
    wall_clock(g);
    f.wall_ns = g->wall_ns;
    for (int i = 0; i < N; i++) {
        const int at = g->n_restarts - 1 - i;
        f.restarts_s[i] = at >= 0 ? now_s() - g->starts_s[at % MOST_STARTS] : (double)NAN;
    }
    base_format(f.cgroup, sizeof f.cgroup, "%s", watch_acts_cgroup(g->acts));
    base_format(f.socket_env, sizeof f.socket_env, "%s", g->socket_env);
    g->state_s = now_s();
    if (watch_state_write(g->state, &f, g->judge, &err) == VG_OK)
        return;
    g->state_s = -g->state_s;
    if (!had_failed)
        base_log_error(BASE_LOG_WARN, &err);
}

static void enter(watch_guard *g, phase p)
{
    g->phase = p;
    g->phase_since_s = now_s();
    g->killed = false;
}

/* Time goes on where the guard before this one left it; so do its counts. */
static void take_up_facts(watch_guard *g, const watch_state_facts *f)
{
    enum { N = sizeof f->restarts_s / sizeof *f->restarts_s };
    wall_clock(g);
    const double away_s = fmax(0, (double)(g->wall_ns - f->wall_ns) * 1e-9);
    g->began_s = now_s() - f->since_s - away_s;
    g->n_restarts = f->n_restarts;
    for (int i = 0; i < N && i < f->n_restarts; i++)
        if (!isnan(f->restarts_s[i]))
            g->starts_s[(f->n_restarts - 1 - i) % MOST_STARTS] =
                now_s() - f->restarts_s[i] - away_s;
    watch_acts_take_cgroup(g->acts, f->cgroup);
}

/* ---- start ---- */

static vg_status start(watch_guard *g, vg_error *err)
{
    watch_job_options o = {.argv = g->argv};
    char why[NOTE_BYTES] = "";
    vg_status st =
        watch_acts_command(g->acts, &o, g->n_restarts, now_s(), why, sizeof why, g->mem, err);
    tell_notes(g);
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
    g->oom_kills = NAN;
    g->oom_s = -INFINITY;
    note(g, "%s: process %d%s%s", g->n_restarts > 0 ? "job started again" : "job started",
         (int)g->job.pid, why[0] != '\0' ? ": " : "", why);
    write_state(g);
    return VG_OK;
}

/* The first start, or the job of a guard before this one. */
static vg_status begin(watch_guard *g, vg_error *err)
{
    watch_state_facts f;
    vg_error gone;
    if (!watch_state_read(g->state, &f, g->judge))
        return start(g, err);
    take_up_facts(g, &f);
    if (watch_job_attach(&g->job, f.pid, f.start_ticks, &gone) == VG_OK) {
        base_format(g->socket_env, sizeof g->socket_env, "%s", f.socket_env);
        enter(g, RUNNING);
        note(g,
             "the job of a guard that ended runs still: process %d is taken up again; how it ends "
             "will not be known",
             (int)g->job.pid);
        return open_sampler(g, err);
    }
    note(g, "the job of a guard that ended is gone, too: it goes on from its checkpoint");
    g->starts_s[g->n_restarts % MOST_STARTS] = now_s();
    g->n_restarts++;
    return start(g, err);
}

/* ---- phases ---- */

static void stop_job(watch_guard *g, bool restarts)
{
    if (g->phase == STOPPING || g->phase == WAITING || g->phase == ENDED)
        return;
    g->wants_restart = restarts;
    enter(g, STOPPING);
    note(g, "stopping the job: TERM, then KILL after %.0f s", g->options.grace_s);
    watch_job_signal(&g->job, SIGTERM);
    watch_job_signal(&g->job, SIGCONT); /* one that was stopped hears TERM only when it goes on */
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

/* Did the kernel end one of its processes since the last look? Notes the count. */
static bool sees_oom(watch_guard *g, const watch_sample *s)
{
    const double kills = watch_acts_oom_kills(s);
    const bool rose = kills > g->oom_kills;
    if (!isnan(kills))
        g->oom_kills = kills;
    if (rose)
        g->oom_s = now_s();
    return rose;
}

static watch_event own_event(const watch_guard *g, watch_state state, const char *cause)
{
    watch_event e = {.time_s = g->sample.time_s, .series = WATCH_TREE_PSS_BYTES, .rule = ""};
    watch_judge_get(g->judge, WATCH_TREE_PSS_BYTES, &e);
    e.verdict.state = state;
    base_format(e.cause, sizeof e.cause, "%s", cause);
    return e;
}

static void tell_end(watch_guard *g)
{
    if (!g->job.is_ours)
        note(g, "the job has ended%s",
             g->argv != NULL ? "; its exit status is not known, for an earlier guard started it"
                             : "");
    else if (g->job.signal != 0)
        note(g, "the job ended by signal %d (%s)", g->job.signal, strsignal(g->job.signal));
    else
        note(g, "the job ended with status %d", g->job.status);
}

/* What the options ask for when a job ends by itself, and ends badly. */
static int asked_at_end(watch_guard *g)
{
    const bool interrupted = g->job.signal == SIGINT || g->job.status == 128 + SIGINT;
    const bool failed = g->job.is_ours ? g->job.status != 0 && !interrupted : false;
    sees_oom(g, &g->fresh);
    if ((!failed && g->job.is_ours) || interrupted)
        return 0;
    if (now_s() - g->oom_s < OOM_S) {
        note(g, "the kernel ended it, or a process of it, for want of memory");
        return g->options.on_oom | (failed ? g->options.on_exit : 0);
    }
    return failed ? g->options.on_exit : 0;
}

/* The job has ended: by itself, or because it was told to. */
static void after_end(watch_guard *g)
{
    const bool was_told = g->phase == STOPPING;
    bool restarts = was_told && g->wants_restart;
    tell_end(g);
    const size_t n_left = g->argv != NULL ? signal_rest(g, 0) : 0; /* a fresh sample, too */
    if (!was_told && g->argv != NULL) {
        const int asked = asked_at_end(g);
        const watch_event e = own_event(g, WATCH_CRITICAL, "the job ended");
        restarts = asked & WATCH_DO_RESTART;
        if (asked & WATCH_DO_HOOK)
            watch_acts_hook(g->acts, &e, g->mem);
    }
    if (n_left > 0) {
        note(g, "ending %zu processes that it left behind", n_left);
        signal_rest(g, SIGTERM);
    }
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
    kill_all(g);
    g->starts_s[g->n_restarts % MOST_STARTS] = now_s();
    g->n_restarts++;
    const vg_status st = start(g, err);
    if (st != VG_ERR_SYSTEM || recent_restarts(g) >= g->options.max_restarts)
        return st;
    /* No process, no memory: the machine's trouble may pass. */
    enter(g, WAITING);
    note(g, "it could not be started (%s); again in %.0f s", err != NULL ? err->what : "",
         backoff_s(g));
    return VG_OK;
}

static void end_for(watch_guard *g, const wish *w)
{
    const bool asked = (w->actions & WATCH_DO_CHECKPOINT) && watch_acts_signal(g->acts) != 0;
    const bool ends = w->actions & (WATCH_DO_STOP | WATCH_DO_RESTART);
    if (asked) {
        note(g, "%s: asking for a checkpoint", w->reason);
        watch_job_signal(&g->job, watch_acts_signal(g->acts));
    }
    if (!ends) {
        enter(g, RUNNING);
        return;
    }
    g->wants_restart = w->actions & WATCH_DO_RESTART;
    g->patience_s = watch_acts_patience_s(g->acts, &w->event, asked, now_s());
    if (g->patience_s > 0) {
        note(g, "%s: it is %s after the next checkpoint, waited for %.0f s at most", w->reason,
             g->wants_restart ? "restarted" : "stopped", g->patience_s);
        enter(g, CHECKPOINTING);
    } else {
        note(g, "%s: it is %s", w->reason, g->wants_restart ? "restarted" : "stopped");
        stop_job(g, g->wants_restart);
    }
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
    case HOOKING:
        if (watch_acts_hook_is_done(g->acts) || elapsed(g) > HOOK_S)
            end_for(g, &g->wish);
        return VG_OK;
    case CHECKPOINTING:
        watch_acts_look(g->acts, g->job.pid, watch_sampler_run_folder(g->sampler), now_s());
        tell_notes(g);
        if (watch_acts_has_checkpoint(g->acts, g->phase_since_s)) {
            note(g, "a checkpoint is whole: %s", watch_acts_checkpoint(g->acts));
            stop_job(g, g->wants_restart);
        } else if (elapsed(g) >= g->patience_s) {
            note(g, "no checkpoint came; going on without");
            stop_job(g, g->wants_restart);
        }
        return VG_OK;
    case STOPPING:
        if (elapsed(g) >= g->options.grace_s && !g->killed) {
            note(g, "it did not end: KILL");
            kill_all(g);
            g->killed = true;
        }
        return VG_OK;
    case WAITING:
        return elapsed(g) >= backoff_s(g) && watch_acts_hook_is_done(g->acts) ? restart(g, err)
                                                                              : VG_OK;
    case RUNNING:
    case ENDED:
        return VG_OK;
    }
    return VG_OK;
}

/* ---- what events ask for ---- */

static void act(watch_guard *g, int actions, const watch_event *e, const char *reason)
{
    if (g->phase != RUNNING)
        return;
    if ((actions & WATCH_DO_RESTART) && recent_restarts(g) >= g->options.max_restarts) {
        note(g, "%s: it is not restarted, for it was %d times within an hour", reason,
             g->options.max_restarts);
        actions &= ~WATCH_DO_RESTART & ~WATCH_DO_STOP;
    }
    g->wish = (wish){.actions = actions, .event = *e};
    base_format(g->wish.reason, sizeof g->wish.reason, "%s", reason);
    const bool hooks = (actions & WATCH_DO_HOOK) && watch_acts_hook(g->acts, e, g->mem);
    if (!(actions & (WATCH_DO_STOP | WATCH_DO_RESTART | WATCH_DO_CHECKPOINT)))
        return;
    if (hooks)
        enter(g, HOOKING);
    else
        end_for(g, &g->wish);
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
    const double used = watch_acts_memory(g->acts, &g->sample),
                 limit = g->sample.value[WATCH_LIMIT_MEMORY_BYTES];
    watch_event e = own_event(g, WATCH_CRITICAL, "the memory limit is near");
    if (used >= g->options.limit_0_1 * limit && !g->limit_told) {
        char a[32], b[32];
        g->limit_told = true;
        e.verdict.exhaustion_s = e.verdict.exhaustion_low_s = 0;
        note(g, "memory is at %s of %s", base_format_bytes(a, sizeof a, used),
             base_format_bytes(b, sizeof b, limit));
        if (g->phase == CHECKPOINTING)
            stop_job(g, g->wants_restart); /* the forecast was too kind */
        act(g, g->options.on_limit, &e, "the memory limit is near");
    }
    if (watch_acts_is_over(g->acts, &g->sample) && g->phase != STOPPING) {
        note(g, "memory is above --memory-max, and there is no cgroup to hold it");
        stop_job(g, g->options.on_limit & WATCH_DO_RESTART);
    }
    if (sees_oom(g, &g->sample)) {
        watch_job_reap(&g->job);
        if (g->job.has_ended)
            return; /* that was the job itself */
        e = own_event(g, WATCH_CRITICAL, "the kernel ended a process for want of memory");
        e.verdict.exhaustion_s = e.verdict.exhaustion_low_s = 0;
        note(g, "%s", e.cause);
        act(g, g->options.on_oom, &e, "a process was ended for want of memory");
    }
}

/* A sample that cannot be taken is told of once, and tried again: it is no reason to end a job. */
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
    wall_clock(g);
    const bool is_running = g->phase != STOPPING && g->phase != WAITING && g->phase != ENDED;
    if (!read_sample(g, is_running ? &g->sample : &g->fresh))
        return;
    watch_service_beat(&g->service);
    if (!is_running)
        return; /* for the list of its processes alone */
    watch_acts_look(g->acts, g->job.pidfd >= 0 ? g->job.pid : 0,
                    watch_sampler_run_folder(g->sampler), now_s());
    watch_judge_push(g->judge, &g->sample);
    const watch_moment m = moment(g);
    watch_tell_sample(&g->teller, &m);
    while (watch_judge_next(g->judge, &e)) {
        const watch_moment now = moment(g);
        watch_tell_event(&g->teller, &e, &now);
        watch_acts_learn(g->acts, &e, now_s());
        obey(g, &e);
    }
    tell_notes(g);
    check_limits(g);
    if (g->argv != NULL && g->phase != ENDED && now_s() - fabs(g->state_s) >= STATE_S)
        write_state(g);
}

/* ---- the loop ---- */

static void stop_for_good(watch_guard *g)
{
    g->user_stops = true;
    if (g->argv != NULL && g->phase != WAITING)
        stop_job(g, false);
    else
        enter(g, ENDED);
    if (g->phase == STOPPING)
        g->wants_restart = false;
}

static void see_user(watch_guard *g)
{
    const watch_listener *l = g->teller.listener;
    if (!g->user_stops && l != NULL && l->wants_stop != NULL && l->wants_stop(l->ctx))
        stop_for_good(g);
}

vg_status watch_guard_run(watch_guard *g, const watch_listener *listener, int *exit_status,
                          vg_error *err)
{
    g->teller.listener = listener;
    *exit_status = 0;
    vg_status st = g->argv != NULL ? begin(g, err) : VG_OK;
    const double began_s = now_s();
    double next_s = began_s;
    if (st == VG_OK)
        watch_service_ready(&g->service);
    while (st == VG_OK && g->phase != ENDED) {
        const double t = now_s();
        if (t >= next_s) {
            take_sample(g);
            next_s = fmax(next_s + g->options.interval_s, t); /* a late one is not made up for */
        }
        see_user(g);
        if (g->phase != ENDED)
            st = step(g, err);
        if (g->options.duration_s > 0 && t - began_s >= g->options.duration_s && !g->user_stops)
            stop_for_good(g);
        if (g->phase != ENDED)
            nap(fmin(SLICE_S, fmax(next_s - now_s(), 0.001)));
    }
    watch_service_stopping(&g->service);
    /* Only the start of a job can fail here, and what there is of it goes. */
    if (g->argv != NULL && g->sampler != NULL)
        sweep(g);
    watch_job_reap(&g->job);
    if (g->job.is_ours)
        *exit_status = g->job.status;
    g->teller.listener = NULL;
    if (st == VG_OK && g->user_stops && g->options.duration_s == 0)
        return base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "stopped by request");
    return st;
}
