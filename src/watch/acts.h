/* acts.h: what the guard needs for acting: checkpoints (their vault), commands of restarts, hooks,
 * and what memory counts. For this folder. */
#ifndef WATCH_ACTS_H
#define WATCH_ACTS_H

#include "job.h"
#include "judge.h"
#include "options.h"

typedef struct watch_acts watch_acts;

vg_status watch_acts_create(watch_acts **out, const watch_options *o, char *const *argv,
                            const char *folder, base_mem *mem, vg_error *err);
void watch_acts_destroy(watch_acts **a);

/* Each sample: looks whether a new checkpoint is whole, and keeps it. now_s: base_now_ns's clock.
 */
void watch_acts_look(watch_acts *a, const watch_sample *s, double now_s);
/* A good checkpoint that was written since then. */
bool watch_acts_has_checkpoint(const watch_acts *a, double since_s);
const char *watch_acts_checkpoint(const watch_acts *a); /* path of the newest good one; "" */
/* How long a checkpoint is waited for, seconds. */
double watch_acts_patience_s(const watch_acts *a);
/* Is it worth waiting for the next checkpoint before the job is ended for this event? */
bool watch_acts_waits(watch_acts *a, const watch_event *e);
/* The signal that asks for a checkpoint; 0: none. */
int watch_acts_signal(const watch_acts *a);

/* Command and environment of the first start (restarts 0) or of a restart, into *o: borrowed until
 * the next call. why: what differs, for people. */
vg_status watch_acts_command(watch_acts *a, watch_job_options *o, int n_restarts, char *why,
                             size_t n_why, vg_error *err);

void watch_acts_hook(watch_acts *a, const watch_event *e);

/* Was this end the kernel's, for want of memory? */
bool watch_acts_was_oom(const watch_acts *a, const watch_sample *s, int signal);
/* What counts against the memory limit; NAN when nothing is known. */
double watch_acts_memory(const watch_sample *s);

#endif
