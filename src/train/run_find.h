/* run_find.h: the folder of a run that somebody names. */
#ifndef TRAIN_RUN_FIND_H
#define TRAIN_RUN_FIND_H

#include "result.h"

/* The folder of a run that is named by itself, its weights folder or its last.safetensors. Errors:
 * VG_ERR_IO (no such run), VG_ERR_ARGUMENT (no run's), VG_ERR_UNSUPPORTED (the Python tool's),
 * VG_ERR_LIMIT. */
vg_status train_run_folder(char out[TRAIN_PATH_BYTES], const char *run, vg_error *err);
/* What `resume` means: a run by one of these names, or, with "true", the newest of project. Errors:
 * as above; VG_ERR_ARGUMENT: project has none. */
vg_status train_run_find(char out[TRAIN_PATH_BYTES], const char *resume, const char *project,
                         vg_error *err);

#endif
