/* run_other.h: a run of another process: looked at and ended.
 *
 * Both of its files (run_file.h) are held open, so that the last record is read even after its
 * writer removed it. mem is for the heads of weights files, when words for an error are looked for;
 * nothing stays on it. One owner. */
#ifndef TRAIN_RUN_OTHER_H
#define TRAIN_RUN_OTHER_H

#include "run_file.h"

typedef struct train_other {
    int pid_fd, progress_fd, process_fd; /* -1: none */
    train_run_id id;
    char folder[TRAIN_PATH_BYTES];
} train_other;

/* run: its folder, its folder weights, or its last.safetensors; NULL: the living run of project
 * that was started last. Errors: VG_ERR_ARGUMENT (not running, finished, died: mend says how to go
 * on; no run there), VG_ERR_IO. */
vg_status train_other_open(train_other *out, const char *run, const char *project, base_mem *mem,
                           vg_error *err);
void train_other_close(train_other *r);
void train_other_look(train_other *r, vg_run_view *out);
/* Asks exactly this process to end after a checkpoint: SIGTERM, queued, so that a handler can tell
 * it from an impatient second `kill`. Errors: VG_ERR_SYSTEM (another user's process, or one of
 * another machine), VG_ERR_ARGUMENT (it has ended). */
vg_status train_other_stop(train_other *r, base_mem *mem, vg_error *err);
/* Until the process that was stopped has ended; false when it has not within the time, or a signal
 * came. */
bool train_other_wait(const train_other *r, int timeout_ms);

#endif
