/* run_folder.h: runs/predict/exp, exp2, exp3, ... */
#ifndef REPORT_RUN_FOLDER_H
#define REPORT_RUN_FOLDER_H

#include "base/base.h"

/* Makes project/name, or with a number behind it the first that is not there (exist_ok: takes it as
 * it is), and writes its path into folder. n_made (NULL is fine): how many folders of that path,
 * the last ones, were not there before. On failure none of them is left. Errors: VG_ERR_IO,
 * VG_ERR_LIMIT. */
vg_status report_run_folder_make(char *folder, size_t n, const char *project, const char *name,
                                 bool exist_ok, int *n_made, vg_error *err);
/* Whether make can be expected to: looks at the folder that is there already, or the nearest one
 * above it, and writes nothing. Errors: VG_ERR_IO, VG_ERR_LIMIT. */
vg_status report_run_folder_check(const char *project, const char *name, bool exist_ok,
                                  vg_error *err);
/* Of a job that could not begin: removes the folders that make made for it (n_made), with what jobs
 * make when they open: empty files and folders, and the files named in made (ends with NULL; NULL:
 * none). Anything else keeps the folder that it is in, and those above. */
void report_run_folder_take_back(const char *folder, int n_made, const char *const *made);

#endif
