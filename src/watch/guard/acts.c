/* acts.c: the parts of acting put together, and the waits between them worked out. */
#include "acts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "own_cgroup.h"
#include "remedy.h"
#include "resume.h"
#include "vault.h"
#include "watch/sample/charged.h"
#include "watch/sample/proc.h"
#include "watch/sample/sampler.h"
#include "watch/sample/witness.h"
#include "watch/tell/event_text.h"

enum { MOST_NOTES = 8, NOTE_BYTES = 1024, WORD_BYTES = 256 };

static const double HOOK_S = 60;
/* A job that was asked by a signal and never wrote a checkpoint before gets so long. */
static const double ASKED_S = 60;
/* At the limit itself there is no forecast: a job that was asked gets so long. */
static const double LAST_MOMENT_S = 5;
static const double LATE = 1.5;     /* times the interval seen: then a checkpoint is overdue */
static const double HEADROOM = 0.5; /* of the time to the limit may be spent waiting */
static const double FRESH = 0.05;   /* of the interval: so young a checkpoint is as good as new */

struct watch_acts {
    const watch_options *options;
    char *const *argv;
    int signal;
    watch_vault *vault;
    watch_witness *witness;
    watch_remedies remedies;
    watch_resume resume;
    watch_own_cgroup cgroup;
    bool wants_cgroup;
    watch_hook hook;
    char env[WATCH_REMEDY_ENV_BYTES], word[WORD_BYTES], checkpoint[WATCH_VAULT_PATH_BYTES],
        checkpoint_of[WATCH_VAULT_PATH_BYTES];
    char notes[MOST_NOTES][NOTE_BYTES];
    size_t first_note, n_notes;
    char event[WATCH_EVENT_TEXT_BYTES];
};

/* ---- notes ---- */

static char *new_note(watch_acts *a)
{
    if (a->n_notes == MOST_NOTES) { /* the oldest gives way */
        a->first_note = (a->first_note + 1) % MOST_NOTES;
        a->n_notes--;
    }
    char *text = a->notes[(a->first_note + a->n_notes) % MOST_NOTES];
    text[0] = '\0';
    return text;
}

static void keep_note(watch_acts *a)
{
    a->n_notes += a->notes[(a->first_note + a->n_notes) % MOST_NOTES][0] != '\0';
}

bool watch_acts_next_note(watch_acts *a, char *text, size_t n)
{
    if (a->n_notes == 0)
        return false;
    base_format(text, n, "%s", a->notes[a->first_note]);
    a->first_note = (a->first_note + 1) % MOST_NOTES;
    a->n_notes--;
    return true;
}

/* ---- create ---- */

static vg_status read_signal(int *out, const char *name, vg_error *err)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {{"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT},
                 {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"ALRM", SIGALRM},
                 {"TERM", SIGTERM}, {"CONT", SIGCONT}, {"WINCH", SIGWINCH}};
    int64_t number;
    *out = 0;
    if (name[0] == '\0')
        return VG_OK;
    const char *plain = base_starts_with(name, "SIG") ? name + 3 : name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (base_equal_nocase(plain, names[i].name))
            *out = names[i].number;
    if (*out == 0 && base_parse_i64(&number, name, 1, SIGRTMAX) && number != SIGKILL &&
        number != SIGSTOP)
        *out = (int)number;
    return *out != 0 ? VG_OK
                     : base_fail(err, VG_ERR_ARGUMENT, "option checkpoint_signal",
                                 "give USR1, USR2, HUP or a number", "checkpoint_signal=%s", name);
}

vg_status watch_acts_create(watch_acts **out, const watch_options *o, char *const *argv,
                            const char *folder, uint64_t job, base_mem *mem, vg_error *err)
{
    watch_vault_options vault = {.folder = folder,
                                 .given = o->checkpoints,
                                 .run = o->run,
                                 .keep = o->keep,
                                 .interval_s = o->interval_s,
                                 .job = job,
                                 .argv = argv};
    char own[WATCH_VAULT_PATH_BYTES] = "", real[4096]; /* PATH_MAX */
    if (realpath(folder, real) != NULL)
        base_format(own, sizeof own, "%s", real);
    watch_acts *a = base_alloc_zero(mem, 1, sizeof *a, err);
    *out = a;
    if (a == NULL)
        return VG_ERR_MEMORY;
    a->options = o;
    a->argv = argv;
    a->hook = WATCH_HOOK_NONE;
    a->wants_cgroup = argv != NULL && o->memory_max_bytes > 0;
    vg_status st = read_signal(&a->signal, o->checkpoint_signal, err);
    if (st == VG_OK)
        st = watch_resume_check(o->resume_args, err);
    if (st == VG_OK)
        st = watch_remedies_read(&a->remedies, o->remedies, err);
    if (st == VG_OK)
        st = watch_witness_create(&a->witness, &(watch_witness_options){.own = own}, mem, err);
    vault.witness = a->witness;
    if (st == VG_OK)
        st = watch_vault_create(&a->vault, &vault, mem, err);
    if (st != VG_OK)
        watch_acts_destroy(out);
    return st;
}

void watch_acts_destroy(watch_acts **acts)
{
    watch_acts *a = *acts;
    if (a == NULL)
        return;
    if (a->hook.fd >= 0)
        close(a->hook.fd); /* it goes on by itself, and its keeper ends it in time */
    watch_own_cgroup_remove(&a->cgroup);
    watch_resume_fini(&a->resume);
    watch_vault_destroy(&a->vault);
    watch_witness_destroy(&a->witness);
    base_free(a);
    *acts = NULL;
}

/* ---- checkpoints ---- */

void watch_acts_wait(watch_acts *a, const watch_sampler *s, double seconds)
{
    if (watch_witness_wait(a->witness, seconds))
        watch_witness_hear(a->witness, s != NULL ? watch_sampler_tree(s) : NULL);
}

void watch_acts_look(watch_acts *a, pid_t pid, const watch_sampler *s, double now_s)
{
    const char *run = watch_sampler_run_folder(s);
    watch_witness_look(a->witness, watch_sampler_tree(s));
    watch_vault_look(a->vault, pid, run, now_s, new_note(a), NOTE_BYTES);
    keep_note(a);
    watch_remedies_quiet(&a->remedies, now_s, new_note(a), NOTE_BYTES);
    keep_note(a);
    watch_acts_hook_is_done(a);
}

void watch_acts_learn(watch_acts *a, const watch_event *e, double now_s)
{
    if (e->verdict.state != WATCH_LEAKING && e->verdict.state != WATCH_CRITICAL)
        return;
    watch_remedies_leak(&a->remedies, e->series, e->verdict.slope_per_s, now_s, new_note(a),
                        NOTE_BYTES);
    keep_note(a);
}

bool watch_acts_has_checkpoint(const watch_acts *a, double since_s)
{
    return watch_vault_good_s(a->vault) >= since_s;
}

const char *watch_acts_checkpoint(const watch_acts *a)
{
    return watch_vault_newest(a->vault);
}

double watch_acts_patience_s(const watch_acts *a, const watch_event *e, bool asked, double now_s)
{
    const watch_verdict *v = &e->verdict;
    const double interval_s = watch_vault_interval_s(a->vault),
                 age_s = now_s - watch_vault_good_s(a->vault);
    if (v->state == WATCH_HUNG) /* it will write none by itself */
        return asked ? fmin(ASKED_S, a->options->grace_s) : 0;
    double wait_s = 0;
    if (!isnan(interval_s)) {
        if (!asked && age_s < FRESH * interval_s)
            return 0;
        wait_s = fmax(LATE * interval_s - age_s, asked ? LAST_MOMENT_S : 0);
    } else if (asked) {
        wait_s = ASKED_S;
    } else if (isfinite(age_s)) { /* one was seen: the next is not longer away than this was */
        wait_s = ASKED_S;
    }
    const double end_s = !isnan(v->exhaustion_low_s) ? v->exhaustion_low_s : v->exhaustion_s;
    if (isfinite(end_s))
        wait_s = fmin(wait_s, fmax(HEADROOM * end_s, asked ? LAST_MOMENT_S : 0));
    return wait_s;
}

int watch_acts_signal(const watch_acts *a)
{
    return a->signal;
}

/* ---- the command ---- */

static void make_cgroup(watch_acts *a)
{
    char why[512], limit[32];
    if (!a->wants_cgroup || a->cgroup.folder[0] != '\0')
        return;
    base_format_bytes(limit, sizeof limit, (double)a->options->memory_max_bytes);
    if (watch_own_cgroup_make(&a->cgroup, "/sys", "/proc", a->options->memory_max_bytes, why,
                              sizeof why))
        base_format(new_note(a), NOTE_BYTES, "the job's limit of %s is held by its own cgroup, %s",
                    limit, a->cgroup.folder);
    else
        base_format(new_note(a), NOTE_BYTES,
                    "the job's limit of %s is held by measuring every %g s: no cgroup of its own "
                    "(%s)",
                    limit, a->options->interval_s, why);
    keep_note(a);
    a->wants_cgroup = false; /* tried once */
}

/* Remedies that cannot be had here are reported and passed over. */
static void apply_remedy(watch_acts *a, double now_s)
{
    a->env[0] = '\0';
    for (;;) {
        const watch_remedy which = watch_remedies_next(&a->remedies, now_s);
        if (which == WATCH_REMEDY_NONE)
            return;
        const bool done = watch_remedy_apply(which, a->resume.argv, a->env, a->word, sizeof a->word,
                                             new_note(a), NOTE_BYTES);
        keep_note(a);
        if (done)
            return;
        a->remedies.at++;
        a->remedies.is_applied = false;
    }
}

vg_status watch_acts_command(watch_acts *a, watch_job_options *o, int n_restarts, double now_s,
                             char *why, size_t n_why, base_mem *mem, vg_error *err)
{
    const bool is_restart = n_restarts > 0;
    char said[NOTE_BYTES] = "";
    why[0] = '\0';
    make_cgroup(a);
    o->cgroup_procs = a->cgroup.procs;
    o->argv = a->argv;
    a->checkpoint[0] = '\0';
    watch_resume_fini(&a->resume);
    if (!is_restart) {
        watch_remedies_next(&a->remedies, now_s);
        return VG_OK;
    }
    watch_vault_settle(a->vault, a->checkpoint, a->checkpoint_of, sizeof a->checkpoint, said,
                       sizeof said);
    base_format(new_note(a), NOTE_BYTES, "%s", said);
    keep_note(a);
    const watch_resume_options resume = {.argv = a->argv,
                                         .args = a->options->resume_args,
                                         .checkpoint = a->checkpoint,
                                         .of = a->checkpoint_of,
                                         .run = a->options->run};
    const vg_status st = watch_resume_make(&a->resume, &resume, why, n_why, mem, err);
    if (st != VG_OK)
        return st;
    apply_remedy(a, now_s);
    o->argv = a->resume.argv;
    if (a->env[0] != '\0')
        o->env[0] = a->env;
    return VG_OK;
}

/* ---- hooks ---- */

bool watch_acts_hook(watch_acts *a, const watch_event *e, base_mem *mem)
{
    vg_error err = {.status = VG_OK};
    if (a->options->hook[0] == '\0' || a->hook.fd >= 0)
        return false;
    watch_event_json(a->event, e);
    if (watch_hook_start(&a->hook, a->options->hook, a->event, HOOK_S, mem, &err) == VG_OK)
        return true;
    base_format(new_note(a), NOTE_BYTES, "the hook was not run: %s", err.what);
    keep_note(a);
    return false;
}

bool watch_acts_hook_is_done(watch_acts *a)
{
    int status = 0;
    if (a->hook.fd < 0)
        return true;
    if (!watch_hook_wait(&a->hook, 0, &status))
        return false;
    if (status != 0) {
        base_format(new_note(a), NOTE_BYTES, "the hook ended with status %d%s", status,
                    status == 124 ? ": its minute was up" : "");
        keep_note(a);
    }
    return true;
}

/* ---- memory ---- */

const char *watch_acts_cgroup(const watch_acts *a)
{
    return a->cgroup.folder;
}

void watch_acts_take_cgroup(watch_acts *a, const char *folder)
{
    if (!watch_own_cgroup_take(&a->cgroup, folder))
        return;
    a->wants_cgroup = false;
    if (a->options->memory_max_bytes == 0 ||
        watch_own_cgroup_hold(&a->cgroup, a->options->memory_max_bytes))
        return;
    base_format(new_note(a), NOTE_BYTES,
                "the limit of %s cannot be set again (%s): it is held by measuring", folder,
                strerror(errno));
    keep_note(a);
    a->cgroup = (watch_own_cgroup){0};
}

double watch_acts_memory(const watch_acts *a, const watch_sample *s)
{
    const double *v = s->value;
    const double tree = watch_charged_tree(s), charged = watch_charged_cgroup(s);
    const bool by_cgroup =
        a->cgroup.folder[0] != '\0' || (a->options->memory_max_bytes == 0 &&
                                        v[WATCH_LIMIT_MEMORY_BYTES] < v[WATCH_LIMIT_MACHINE_BYTES]);
    const double used = by_cgroup ? fmax(charged, tree) : tree;
    return isnan(used) ? v[WATCH_MAIN_RSS_BYTES] : used;
}

bool watch_acts_is_over(const watch_acts *a, const watch_sample *s)
{
    return a->cgroup.folder[0] == '\0' && a->options->memory_max_bytes > 0 &&
           watch_acts_memory(a, s) > (double)a->options->memory_max_bytes;
}

static double machine_oom_kills(void)
{
    char text[16384];
    size_t n = 0;
    const int fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NAN;
    for (ssize_t k; n < sizeof text && (k = read(fd, text + n, sizeof text - n)) > 0;)
        n += (size_t)k;
    close(fd);
    return proc_field(text, n, "oom_kill ");
}

double watch_acts_oom_kills(const watch_sample *s)
{
    const double kills = s->value[WATCH_CGROUP_OOM_KILL];
    return isnan(kills) ? machine_oom_kills() : kills;
}
