/* results_csv.h: results.csv, a row an epoch, in the columns that users' scripts expect (spec 6, T
 * 6). */
#ifndef REPORT_RESULTS_CSV_H
#define REPORT_RESULTS_CSV_H

#include <stdbool.h>

#include "columns.h"

typedef struct report_csv report_csv;

/* names: the columns. last_epoch 0: a new file, whatever was there. Else the file is taken up again
 * behind its row of last_epoch: rows of later epochs and a row that a crash cut short are taken
 * off; a missing file is made. sync: every row is brought to the disk before append returns (some
 * 10 ms). Errors: VG_ERR_IO; VG_ERR_FORMAT (the file has other columns, or a row that is none): the
 * file is as it was; VG_ERR_LIMIT, VG_ERR_MEMORY. On success *out belongs to the caller. */
vg_status report_csv_open(report_csv **out, const char *path, const report_names *names,
                          int last_epoch, bool sync, base_mem *mem, vg_error *err);
size_t report_csv_bytes(void); /* what open leaves on mem */
/* A row by one write. Losses and metrics are rounded to 5 decimals, all is written with 6 digits:
 * the same numbers give the same bytes on every machine. Errors: VG_ERR_ARGUMENT (epochs that do
 * not rise), VG_ERR_IO: no part of the row stays, and a later append may succeed. */
vg_status report_csv_append(report_csv *c, const vg_train_epoch *e, vg_error *err);
/* Closes the file. NULL inside is fine. */
void report_csv_close(report_csv **c);

/* All rows of a file of any task, in order, with the fields that its columns have (the task is not
 * among them); *out belongs to the caller (base_free). columns: what the file has; NULL: unwanted.
 * A last line without its end is left out. Errors: VG_ERR_IO, VG_ERR_FORMAT,
 * VG_ERR_LIMIT (64 MiB), VG_ERR_MEMORY. */
vg_status report_csv_read(vg_train_epoch **out, size_t *n_rows, report_columns *columns,
                          const char *path, base_mem *mem, vg_error *err);

#endif
