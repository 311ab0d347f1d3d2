/* guard.h: the loop: samples a job, judges it, reports to sinks and the listener, acts as the
 * options say.
 *
 * The job is a command that the guard starts, or a process, unit or cgroup that it was pointed to.
 * It signals nothing else, ever. Memory: all of it at create, and tables that grow with the job's
 * tree up to their bound; a steady job costs no allocation. One thread, plus those of sinks that
 * wait for others. */
#ifndef WATCH_GUARD_H
#define WATCH_GUARD_H

#include "watch/tell/listener.h"

typedef struct watch_guard watch_guard;

/* argv: the command, ending with NULL; NULL when options name a pid, unit or cgroup. folder: the
 * guard's own, which exists. A folder whose guard died takes up its running job again. Errors:
 * VG_ERR_ARGUMENT (nothing or two things to watch), VG_ERR_IO, VG_ERR_SYSTEM, VG_ERR_MEMORY. */
vg_status watch_guard_create(watch_guard **out, const watch_options *o, char *const *argv,
                             const char *folder, base_mem *mem, vg_error *err);
void watch_guard_destroy(watch_guard **g);
/* Until the job has ended for good, or the listener wants to stop. *exit_status: the job's own, as
 * a shell tells it (128 + signal); 0 for one that was not started here. */
vg_status watch_guard_run(watch_guard *g, const watch_listener *listener, int *exit_status,
                          vg_error *err);
/* False where run failed before its job was there. */
bool watch_guard_has_begun(const watch_guard *g);

#endif
