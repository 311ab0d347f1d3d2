/* acts.h: what the guard needs for acting, under one roof: checkpoints (vault.h), the command of a
 * restart (resume.h, remedy.h), the job's own cgroup, hooks, and what memory counts. For this
 * folder. */
#ifndef WATCH_ACTS_H
#define WATCH_ACTS_H

#include "job.h"
#include "watch/judge/judge.h"
#include "watch/options/options.h"
#include "watch/tell/hook.h"

typedef struct watch_acts watch_acts;

struct watch_sampler;

/* argv: the command, NULL for a job that was pointed to. job: whose copies in the vault may be gone
 * on from. Errors: VG_ERR_ARGUMENT (a signal, remedy or
 * --resume-args that cannot be read), VG_ERR_LIMIT, VG_ERR_MEMORY. */
vg_status watch_acts_create(watch_acts **out, const watch_options *o, char *const *argv,
                            const char *folder, uint64_t job, base_mem *mem, vg_error *err);
/* The job has ended for good: its cgroup is removed. A guard that dies leaves it. */
void watch_acts_destroy(watch_acts **a);

/* Each sample, and more often while a checkpoint is waited for: sees which files the job has open,
 * looks whether a new checkpoint is whole, and keeps it. pid: the main process. now_s:
 * base_now_ns's clock. */
void watch_acts_look(watch_acts *a, pid_t pid, const struct watch_sampler *s, double now_s);
/* Between samples: sleeps, and sees at once what the job writes. */
void watch_acts_wait(watch_acts *a, const struct watch_sampler *s, double seconds);
/* An event of the judge's, for the comparison of remedies. */
void watch_acts_learn(watch_acts *a, const watch_event *e, double now_s);
/* What is to be reported of the two above, a line each. False: nothing more. */
bool watch_acts_next_note(watch_acts *a, char *text, size_t n);

/* A good checkpoint that was seen to be whole since then. */
bool watch_acts_has_checkpoint(const watch_acts *a, double since_s);
const char *watch_acts_checkpoint(const watch_acts *a); /* path of the newest good one; "" */
/* Is it worth waiting for the next checkpoint before the job is ended for this event, and how long
 * at most? asked: the job was sent the signal. 0: no. */
double watch_acts_patience_s(const watch_acts *a, const watch_event *e, bool asked, double now_s);
/* The signal that asks for a checkpoint; 0: none. */
int watch_acts_signal(const watch_acts *a);

/* Command and environment of the first start (restarts 0) or of a restart, into *o: borrowed until
 * the next call. why: what differs, for people. */
vg_status watch_acts_command(watch_acts *a, watch_job_options *o, int n_restarts, double now_s,
                             char *why, size_t n_why, base_mem *mem, vg_error *err);

/* Starts the hook command for this event, at most one at a time. False: none was started. */
bool watch_acts_hook(watch_acts *a, const watch_event *e, base_mem *mem);
/* True: none runs any more; what there is to say of it is a note. */
bool watch_acts_hook_is_done(watch_acts *a);

/* ---- memory ---- */

/* The job's own cgroup; "" when it has none, although a limit may be asked for: it is measured. */
const char *watch_acts_cgroup(const watch_acts *a);
/* Goes on with the cgroup of a guard before this one. */
void watch_acts_take_cgroup(watch_acts *a, const char *folder);
/* The limit is held by measuring, and this sample is above it. */
bool watch_acts_is_over(const watch_acts *a, const watch_sample *s);
/* What counts against the memory limit; NAN when nothing is known. */
double watch_acts_memory(const watch_acts *a, const watch_sample *s);
/* Processes that the kernel ended for want of memory, ever: the cgroup's count, or the machine's
 * where the cgroup tells none. */
double watch_acts_oom_kills(const watch_sample *s);

#endif
