/* run.h: a guard in a folder of its own, from the folder to the end of the job. */
#ifndef WATCH_RUN_H
#define WATCH_RUN_H

#include "guard.h"

/* Makes the folder that the options name and writes its path into folder (n bytes), then creates a
 * guard and runs it. Of a job that never began nothing is left in it. Errors: as watch_guard_create
 * and watch_guard_run, and report_run_folder_make. */
vg_status watch_run(char *folder, size_t n, const watch_options *o, char *const *argv,
                    const watch_listener *listener, int *exit_status, base_mem *mem, vg_error *err);

#endif
