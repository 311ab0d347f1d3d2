/* run_file.h: the two files by which a run is known to other processes: vigil.pid, locked while its
 * process lives, and vigil.progress, a record overwritten in place.
 *
 * The lock is certain where an id alone is not: it goes with the process, however that ends. It is
 * an open file description's (fcntl), which others can ask for without taking it. */
#ifndef TRAIN_RUN_FILE_H
#define TRAIN_RUN_FILE_H

#include "result.h"

#define TRAIN_PID_NAME      "vigil.pid"
#define TRAIN_PROGRESS_NAME "vigil.progress"
#define TRAIN_LOG_NAME      "train.log"

/* ---- the run's own process ---- */

typedef struct train_run_file train_run_file;

/* Takes the lock and writes both files. Errors: VG_ERR_ARGUMENT (another process has the run),
 * VG_ERR_IO, VG_ERR_MEMORY. *out belongs to the caller. */
vg_status train_run_file_create(train_run_file **out, const char *folder, base_mem *mem,
                                vg_error *err);
/* Removes both files, then gives the lock back. */
void train_run_file_destroy(train_run_file **f);

/* vg_train_detach. */
vg_status train_run_file_detach(train_run_file *f, const char *folder, vg_error *err);
/* None of these can fail: what others are shown is not worth ending a run for. NULL is fine. */
void train_run_file_start(train_run_file *f, int start_epoch, size_t planned_bytes);
/* Written at most five times a second, and at an epoch's end. */
void train_run_file_batch(train_run_file *f, const vg_train_batch *b);
void train_run_file_ranks(train_run_file *f, const vg_train_ranks *r);
void train_run_file_epoch(train_run_file *f, const vg_train_epoch *e);
void train_run_file_end(train_run_file *f, vg_status st, const vg_error *err);
void train_run_file_exit(train_run_file *f, int exit_status);
const vg_run_view *train_run_file_view(const train_run_file *f);

/* ---- others ---- */

typedef struct train_run_id {
    int pid;
    uint64_t start_ticks; /* since boot */
} train_run_id;
/* From a vigil.pid; false when it is none. */
bool train_run_id_read(train_run_id *out, int fd);
/* The process holds that very vigil.pid open for writing, and is its owner's, who is the caller or
 * the caller is root: only then may it be signalled for the run. Errors: VG_ERR_ARGUMENT, which
 * says why not; VG_ERR_IO. */
vg_status train_run_file_owner(int fd, const train_run_id *id, const char *folder, vg_error *err);
/* Of a living process, by /proc; false when there is none. */
bool train_run_id_of_process(train_run_id *out, int pid);
/* True while the process that wrote it lives. */
bool train_run_file_is_locked(int fd);
/* The record; false while there is none that is whole and of this version. */
bool train_run_view_read(vg_run_view *out, int fd);

#endif
