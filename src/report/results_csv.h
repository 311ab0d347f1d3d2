/* results_csv.h: results.csv, a row an epoch, in the columns that users' scripts expect (spec 6).
 */
#ifndef REPORT_RESULTS_CSV_H
#define REPORT_RESULTS_CSV_H

#include <stdbool.h>

#include "base/base.h"

enum { REPORT_N_LOSSES = 3, REPORT_N_GROUPS = 3 };

/* What is known when an epoch ends. Losses: box, cls, dfl. Anything may be NaN. */
typedef struct report_epoch {
    int epoch;     /* from 1 */
    double time_s; /* since the start of training */
    double train_loss[REPORT_N_LOSSES];
    double precision, recall, map50, map;
    double val_loss[REPORT_N_LOSSES];
    double lr[REPORT_N_GROUPS]; /* pg0, pg1, pg2 */
} report_epoch;

typedef struct report_csv report_csv;

/* last_epoch 0: a new file, whatever was there. Else the file is taken up again behind its row of
 * last_epoch: rows of later epochs and a row that a crash cut short are taken off; a missing file
 * is made. sync: every row is brought to the disk before append returns (some 10 ms).
 * Errors: VG_ERR_IO; VG_ERR_FORMAT (the file has other columns, or a row that is none): the file is
 * as it was; VG_ERR_LIMIT, VG_ERR_MEMORY. On success *out belongs to the caller. */
vg_status report_csv_open(report_csv **out, const char *path, int last_epoch, bool sync,
                          base_mem *mem, vg_error *err);
size_t report_csv_bytes(void); /* what open leaves on mem */
/* A row by one write. Losses and metrics are rounded to 5 decimals, all is written with 6 digits:
 * the same numbers give the same bytes on every machine. Errors: VG_ERR_ARGUMENT (epochs that do
 * not rise), VG_ERR_IO: no part of the row stays, and a later append may succeed. */
vg_status report_csv_append(report_csv *c, const report_epoch *e, vg_error *err);
/* Closes the file. NULL inside is fine. */
void report_csv_close(report_csv **c);

/* All rows of a file, in order; *out belongs to the caller (base_free). A last line without its
 * end is left out. Errors: VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_LIMIT (64 MiB), VG_ERR_MEMORY. */
vg_status report_csv_read(report_epoch **out, size_t *n_rows, const char *path, base_mem *mem,
                          vg_error *err);

#endif
