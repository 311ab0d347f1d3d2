/* guard_life.c: the job's life in the guard's hands: started, taken up, asked for a checkpoint,
 * stopped, started again; and the guard's own state, by which the next guard takes it up. */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "guard_own.h"
#include "watch/stacks/stacks.h"

enum { MOST_ROUNDS = 10 };

static const double SWEEP_SLICE_S = 0.05;
static const double HOUR_S = 3600;
static const double HOOK_S = 65; /* a little more than the hook's own bound */
/* What a job leaves behind gets so long between TERM and KILL when nothing waits for it. */
static const double LEFT_S = 5;
/* A kill for want of memory explains an end with an error so much later: a trainer notices slowly
 * that its worker is gone. */
static const double OOM_S = 120;

vg_status guard_open_sampler(watch_guard *g, vg_error *err)
{
    const char *own = watch_acts_cgroup(g->acts);
    const watch_target target = {.pid = g->job.pidfd >= 0 ? g->job.pid : 0,
                                 .cgroup = own[0] != '\0' ? own : g->options.cgroup,
                                 .unit = g->options.unit,
                                 .run_folder = g->options.run,
                                 .command = g->argv,
                                 .socket = g->argv != NULL ? strchr(g->socket_env, '@') : NULL,
                                 .reaper = g->argv != NULL ? getpid() : 0,
                                 .memory_max_bytes = (double)g->options.memory_max_bytes,
                                 .is_again = g->n_restarts > 0};
    watch_sampler_destroy(&g->sampler);
    const vg_status st = watch_sampler_create(&g->sampler, &target, g->mem, err);
    g->sampler_s = guard_now_s() - g->began_s; /* one time for all of the job's lives */
    return st;
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

int guard_impatience(const watch_guard *g)
{
    const watch_listener *l = g->teller.listener;
    return g->user_stops && l != NULL && l->impatience != NULL ? l->impatience(l->ctx) : 0;
}

/* What is left when nothing comes after: asked, then made to end. */
void guard_sweep(watch_guard *g)
{
    const double until_s = guard_now_s() + fmin(LEFT_S, g->options.grace_s);
    while (signal_rest(g, 0) > 0 && guard_now_s() < until_s && guard_impatience(g) == 0) {
        watch_job_reap(&g->job);
        guard_nap(SWEEP_SLICE_S);
    }
    kill_all(g);
    watch_job_reap(&g->job);
}

/* ---- the guard's own state ---- */

void guard_write_state(watch_guard *g)
{
    vg_error err = {.status = VG_OK};
    const bool had_failed = g->state_s < 0;
    watch_state_facts f = {.pid = g->job.pid,
                           .start_ticks = g->job.start_ticks,
                           .n_restarts = g->n_restarts,
                           .since_s = guard_now_s() - g->began_s};
    enum { N = sizeof f.restarts_s / sizeof *f.restarts_s };
    guard_wall_clock(g);
    f.wall_ns = g->wall_ns;
    for (int i = 0; i < N; i++) {
        const int at = g->n_restarts - 1 - i;
        f.restarts_s[i] =
            at >= 0 ? guard_now_s() - g->starts_s[at % WATCH_MOST_STARTS] : (double)NAN;
    }
    base_format(f.cgroup, sizeof f.cgroup, "%s", watch_acts_cgroup(g->acts));
    base_format(f.socket_env, sizeof f.socket_env, "%s", g->socket_env);
    g->state_s = guard_now_s();
    if (watch_state_write(g->state, &f, g->judge, &err) == VG_OK)
        return;
    g->state_s = -g->state_s;
    if (!had_failed)
        base_log_error(BASE_LOG_WARN, &err);
}

void guard_enter(watch_guard *g, phase p)
{
    g->phase = p;
    g->phase_since_s = guard_now_s();
    g->killed = false;
}

/* Time goes on where the guard before this one left it; so do its counts. */
static void take_up_facts(watch_guard *g, const watch_state_facts *f)
{
    enum { N = sizeof f->restarts_s / sizeof *f->restarts_s };
    guard_wall_clock(g);
    const double away_s = fmax(0, (double)(g->wall_ns - f->wall_ns) * 1e-9);
    g->began_s = guard_now_s() - f->since_s - away_s;
    g->n_restarts = f->n_restarts;
    for (int i = 0; i < N && i < f->n_restarts; i++)
        if (!isnan(f->restarts_s[i]))
            g->starts_s[(f->n_restarts - 1 - i) % WATCH_MOST_STARTS] =
                guard_now_s() - f->restarts_s[i] - away_s;
    watch_acts_take_cgroup(g->acts, f->cgroup);
}

/* ---- start ---- */

static vg_status start(watch_guard *g, vg_error *err)
{
    watch_job_options o = {.argv = g->argv};
    char why[WATCH_NOTE_BYTES] = "", shown[WATCH_NOTE_BYTES];
    vg_status st =
        watch_acts_command(g->acts, &o, g->n_restarts, guard_now_s(), why, sizeof why, g->mem, err);
    guard_tell_notes(g);
    for (size_t i = 0; i < WATCH_MOST_ENV; i++)
        if (o.env[i] == NULL) {
            o.env[i] = g->socket_env;
            break;
        }
    watch_stacks_env stacks;
    if (st == VG_OK)
        st = watch_stacks_env_add(&stacks, o.env, WATCH_MOST_ENV, &g->options, g->folder, err);
    if (st == VG_OK)
        st = watch_job_start(&g->job, &o, g->mem, err);
    if (st == VG_OK)
        st = guard_open_sampler(g, err);
    if (st != VG_OK)
        return st;
    if (g->n_restarts > 0)
        watch_judge_restart(g->judge);
    guard_enter(g, RUNNING);
    watch_after_init(&g->after);
    g->limit_reported = false;
    g->oom_kills = NAN;
    g->oom_s = -INFINITY;
    base_secrets_mask(shown, sizeof shown, why); /* it repeats words of --resume-args */
    guard_note(g, "%s: process %d%s%s", g->n_restarts > 0 ? "job started again" : "job started",
               (int)g->job.pid, why[0] != '\0' ? ": " : "", shown);
    guard_write_state(g);
    return VG_OK;
}

/* The first start, or the job of a guard before this one. */
vg_status guard_begin(watch_guard *g, vg_error *err)
{
    watch_state_facts f;
    vg_error gone;
    const char *why;
    if (!watch_state_read(g->state, &f, g->judge, &why)) {
        if (why[0] != '\0')
            guard_note(g, "state.bin is not believed: %s; the job is started anew", why);
        return start(g, err);
    }
    const bool lives = watch_job_attach(&g->job, f.pid, f.start_ticks, &gone) == VG_OK;
    if (lives && !watch_state_is_job(&f)) {
        guard_note(g,
                   "state.bin names process %d, which no guard of this folder started: it is left "
                   "alone, and the job is started anew",
                   (int)f.pid);
        watch_job_fini(&g->job);
        watch_judge_restart(g->judge);
        return start(g, err);
    }
    take_up_facts(g, &f);
    if (lives) {
        base_format(g->socket_env, sizeof g->socket_env, "%s", f.socket_env);
        guard_enter(g, RUNNING);
        guard_note(
            g,
            "the job of a guard that ended runs still: process %d is taken up again; how it ends "
            "will not be known",
            (int)g->job.pid);
        return guard_open_sampler(g, err);
    }
    guard_note(g, "the job of a guard that ended is gone, too: it goes on from its checkpoint");
    g->starts_s[g->n_restarts % WATCH_MOST_STARTS] = guard_now_s();
    g->n_restarts++;
    return start(g, err);
}

/* ---- phases ---- */

void guard_stop_job(watch_guard *g, bool restarts)
{
    if (g->phase == STOPPING || g->phase == WAITING || g->phase == ENDED)
        return;
    g->wants_restart = restarts;
    guard_enter(g, STOPPING);
    guard_note(g, "stopping the job: TERM, then KILL after %.0f s", g->options.grace_s);
    watch_job_signal(&g->job, SIGTERM);
    watch_job_signal(&g->job, SIGCONT); /* one that was stopped hears TERM only when it goes on */
}

void guard_hurry(watch_guard *g, int impatience)
{
    if (!g->killed) {
        guard_note(g, "asked again: KILL to the job and to all that it started");
        kill_all(g);
        g->killed = true;
    }
    watch_job_reap(&g->job);
    if (impatience < 2 || g->job.has_ended || g->gives_up)
        return;
    /* In the kernel's hands: a disk or a driver that does not answer. */
    g->gives_up = true;
    guard_note(g, "process %d did not end, though it was killed: it is left behind",
               (int)g->job.pid);
    guard_enter(g, ENDED);
}

static double elapsed(const watch_guard *g)
{
    return guard_now_s() - g->phase_since_s;
}

/* Restarts within the last hour. */
int guard_recent_restarts(const watch_guard *g)
{
    int n = 0;
    const int kept = g->n_restarts < WATCH_MOST_STARTS ? g->n_restarts : WATCH_MOST_STARTS;
    for (int i = 0; i < kept; i++)
        n += guard_now_s() - g->starts_s[i] < HOUR_S;
    return n;
}

static double backoff_s(const watch_guard *g)
{
    return fmin(g->options.backoff_s * exp2(guard_recent_restarts(g)), HOUR_S);
}

/* Did the kernel end one of its processes since the last look? Notes the count. */
bool guard_sees_oom(watch_guard *g, const watch_sample *s)
{
    const double kills = watch_acts_oom_kills(s);
    const bool rose = kills > g->oom_kills;
    if (!isnan(kills))
        g->oom_kills = kills;
    if (rose)
        g->oom_s = guard_now_s();
    return rose;
}

watch_event guard_own_event(const watch_guard *g, watch_state state, const char *cause)
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
        guard_note(g, "the job has ended%s",
                   g->argv != NULL
                       ? "; its exit status is not known, for an earlier guard started it"
                       : "");
    else if (g->job.signal != 0)
        guard_note(g, "the job ended by signal %d (%s)", g->job.signal, strsignal(g->job.signal));
    else
        guard_note(g, "the job ended with status %d", g->job.status);
}

/* What the options ask for when a job ends by itself, and ends badly. */
static int asked_at_end(watch_guard *g)
{
    const bool interrupted = g->job.signal == SIGINT || g->job.status == 128 + SIGINT;
    const bool failed = g->job.is_ours ? g->job.status != 0 && !interrupted : false;
    guard_sees_oom(g, &g->fresh);
    if ((!failed && g->job.is_ours) || interrupted)
        return 0;
    const bool for_memory = guard_now_s() - g->oom_s < OOM_S;
    guard_tell_after(g, for_memory);
    if (for_memory) {
        guard_note(g, "the kernel ended it, or a process of it, for want of memory");
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
    /* The count of kills may be read before the end is seen: then it was only asked to end. */
    const bool was_killed_first = was_told && g->job.signal == SIGKILL && !g->killed;
    if (was_killed_first || (!was_told && g->argv == NULL))
        guard_tell_after(g, guard_now_s() - g->oom_s < OOM_S);
    if (!was_told && g->argv != NULL) {
        const int asked = asked_at_end(g);
        const watch_event e = guard_own_event(g, WATCH_CRITICAL, "the job ended");
        restarts = asked & WATCH_DO_RESTART;
        if (asked & WATCH_DO_HOOK)
            watch_acts_hook(g->acts, &e, g->mem);
    }
    if (n_left > 0) {
        char count[64];
        guard_note(g, "ending %s that it left behind",
                   base_count(count, sizeof count, n_left, "process"));
        signal_rest(g, SIGTERM);
    }
    if (restarts && !g->user_stops && guard_recent_restarts(g) >= g->options.max_restarts) {
        char count[64];
        guard_note(g, "%s within an hour: the job is left stopped",
                   base_count(count, sizeof count, (uint64_t)g->options.max_restarts, "restart"));
        restarts = false;
    }
    guard_enter(g, restarts && !g->user_stops ? WAITING : ENDED);
    if (g->phase == WAITING)
        guard_note(g, "starting it again in %.0f s", backoff_s(g));
}

static vg_status restart(watch_guard *g, vg_error *err)
{
    kill_all(g);
    g->starts_s[g->n_restarts % WATCH_MOST_STARTS] = guard_now_s();
    g->n_restarts++;
    const vg_status st = start(g, err);
    if (st != VG_ERR_SYSTEM || guard_recent_restarts(g) >= g->options.max_restarts)
        return st;
    /* No process, no memory: the machine's trouble may pass. */
    guard_enter(g, WAITING);
    guard_note(g, "it could not be started (%s); again in %.0f s", err != NULL ? err->what : "",
               backoff_s(g));
    return VG_OK;
}

void guard_end_for(watch_guard *g, const wish *w)
{
    const bool asked = (w->actions & WATCH_DO_CHECKPOINT) && watch_acts_signal(g->acts) != 0;
    const bool ends = w->actions & (WATCH_DO_STOP | WATCH_DO_RESTART);
    if (asked) {
        guard_note(g, "%s: asking for a checkpoint", w->reason);
        watch_job_signal(&g->job, watch_acts_signal(g->acts));
    }
    if (!ends) {
        guard_enter(g, RUNNING);
        return;
    }
    g->wants_restart = w->actions & WATCH_DO_RESTART;
    g->patience_s = watch_acts_patience_s(g->acts, &w->event, asked, guard_now_s());
    if (g->patience_s > 0) {
        guard_note(g, "%s: it is %s after the next checkpoint, waited for %.0f s at most",
                   w->reason, g->wants_restart ? "restarted" : "stopped", g->patience_s);
        guard_enter(g, CHECKPOINTING);
    } else {
        guard_note(g, "%s: it is %s", w->reason, g->wants_restart ? "restarted" : "stopped");
        guard_stop_job(g, g->wants_restart);
    }
}

/* Between samples: whatever the phase is waiting for. */
vg_status guard_step(watch_guard *g, vg_error *err)
{
    watch_job_reap(&g->job);
    if (g->job.pidfd >= 0 && g->job.has_ended && g->phase != WAITING && g->phase != ENDED) {
        after_end(g);
        return VG_OK;
    }
    switch (g->phase) {
    case HOOKING:
        if (watch_acts_hook_is_done(g->acts) || elapsed(g) > HOOK_S)
            guard_end_for(g, &g->wish);
        return VG_OK;
    case CHECKPOINTING:
        watch_acts_look(g->acts, g->job.pid, g->sampler, guard_now_s());
        guard_tell_notes(g);
        if (watch_acts_has_checkpoint(g->acts, g->phase_since_s)) {
            guard_note(g, "a checkpoint is whole: %s", watch_acts_checkpoint(g->acts));
            guard_stop_job(g, g->wants_restart);
        } else if (elapsed(g) >= g->patience_s) {
            guard_note(g, "no checkpoint came; going on without");
            guard_stop_job(g, g->wants_restart);
        }
        return VG_OK;
    case STOPPING:
        if (elapsed(g) >= g->options.grace_s && !g->killed) {
            guard_note(g, "it did not end: KILL");
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
