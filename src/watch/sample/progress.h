/* progress.h: how far the job's own work is, from the files that it writes: tables of results,
 * TensorBoard's event files, checkpoints, logs.
 *
 * The run folder is the one that was given; else that of a file which the job holds open for
 * writing and which runs write; else the newest folder of runs/, lightning_logs/ or logs/ below its
 * working directory that was written since it began. Nothing there is opened but for reading; only
 * what was added since the last look is read. Everything is bounded. For this folder. */
#ifndef WATCH_PROGRESS_H
#define WATCH_PROGRESS_H

#include "pace.h"
#include "tree.h"

typedef struct watch_progress watch_progress;

/* folder: NULL or "": to be found. */
vg_status watch_progress_create(watch_progress **out, const char *folder, base_mem *mem,
                                vg_error *err);
void watch_progress_destroy(watch_progress **p);
/* work.runs, epoch, epoch_s, step, checkpoints, log_bytes into out. Without a main process the
 * folder that is known is read. */
void watch_progress_look(watch_progress *p, watch_tree *t, double now_s, watch_sample *out);
/* "": not known. */
const char *watch_progress_folder(const watch_progress *p);

#endif
