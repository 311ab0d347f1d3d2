/* result.h: what a validation came to: its numbers for callers, its plots. */
#ifndef TRAIN_RESULT_H
#define TRAIN_RESULT_H

#include "report/report.h"
#include "validate.h"
#include "vigil/types.h"

enum { TRAIN_PATH_BYTES = 4096 };

/* A result with its table; zeroed is valid. */
typedef struct train_result {
    vg_val_result result;
    vg_val_class *classes; /* (most) */
    int most;
} train_result;
/* Room for the table of nc classes. Errors: VG_ERR_MEMORY. */
vg_status train_result_reserve(train_result *r, int nc, base_mem *mem, vg_error *err);
/* names: (nc), borrowed as long as the result; r has room for them. Curves are the validation's. */
void train_result_make(train_result *r, const train_validation *v, const struct task *t,
                       const char *const *names);
void train_result_fini(train_result *r);
/* Names of a task's columns, for those who see runs but not tasks. An unknown one is detect's. */
report_names train_report_names(vg_task id);
/* What a validation adds to the row of its epoch; v NULL: it was not validated, and all of it is
 * NAN. Also its task and how many losses it has. */
void train_row_validation(vg_train_epoch *row, const struct task *t, const train_validation *v);

/* Curves and confusion matrices into folder. Errors: VG_ERR_IO, VG_ERR_LIMIT, VG_ERR_MEMORY. */
vg_status train_validation_plots(const char *folder, const train_validation *v,
                                 const struct task *t, const char *const *names, int nc,
                                 base_mem *mem, vg_error *err);
/* folder/name into path. Errors: VG_ERR_LIMIT. */
vg_status train_path(char path[TRAIN_PATH_BYTES], const char *folder, const char *name,
                     vg_error *err);

#endif
