/* run_folder.h: where a job writes its run, found from outside. For this folder. */
#ifndef WATCH_RUN_FOLDER_H
#define WATCH_RUN_FOLDER_H

#include "cgroup.h"
#include "tree.h"

/* "events.out.tfevents..." and the like. */
typedef enum watch_run_file {
    WATCH_RUN_OTHER,
    WATCH_RUN_RESULTS, /* results.csv, metrics.csv */
    WATCH_RUN_EVENTS,
    WATCH_RUN_CHECKPOINT,
    WATCH_RUN_LOG,
    WATCH_RUN_ARGS /* args.yaml, hparams.yaml, vigil.progress */
} watch_run_file;
watch_run_file watch_run_file_kind(const char *name);

/* The next word of a command line (n bytes, words end in zeros) that names a folder of runs, as in
 * "project=/data/runs" of Ultralytics or "--output_dir out"; *at: where to go on, 0 at first.
 * NULL: none is left. */
const char *watch_run_argument(const char *words, size_t n, size_t *at);

/* The folder of what main or one of its first descendants holds open for writing, or the newest
 * below main's working directory, or below a folder that its command line names, that was written
 * since began_ns (wall clock). False: none; out
 * untouched. Lists folders: a matter of a millisecond. */
bool watch_run_folder_find(char out[WATCH_PATH_BYTES], watch_tree *t, int64_t began_ns);

#endif
