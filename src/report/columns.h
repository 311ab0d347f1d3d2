/* columns.h: the columns of results.csv, tables and plots: which a task has, and where each is in a
 * vg_train_epoch.
 *
 * report does not know tasks: it is told names, or reads them in a file's first line. */
#ifndef REPORT_COLUMNS_H
#define REPORT_COLUMNS_H

#include <stdbool.h>

#include "base/base.h"
#include "vigil/types.h"

/* As src/task says it. */
typedef struct report_names {
    const char *const *losses; /* (n_losses) "box_loss" */
    int n_losses;
    const char *const *metrics; /* (n_metrics) "metrics/mAP50(B)" */
    int n_metrics;
    const char *second; /* what a second row of metrics is of: "Mask"; NULL: there is none */
    bool has_boxes;     /* else pictures have a class each */
} report_names;

enum { REPORT_MOST_COLUMNS = 24, REPORT_COLUMN_BYTES = 48, REPORT_HEADER_BYTES = 1024 };

typedef struct report_column {
    char name[REPORT_COLUMN_BYTES]; /* "train/box_loss" */
    size_t offset;                  /* of a double of vg_train_epoch */
    bool is_rounded;                /* losses and metrics, not times and rates */
} report_column;

/* The columns of a file behind its first, the epoch. */
typedef struct report_columns {
    report_column at[REPORT_MOST_COLUMNS];
    int n;
    int n_losses;   /* train/... and as many val/... */
    char second;    /* the letter of the second row of metrics: 'M', 'P'; 0: there is none */
    bool has_boxes; /* metrics/mAP50(B): else accuracies */
} report_columns;

/* Of names that report knows as metrics (assert: they are). */
void report_columns_make(report_columns *out, const report_names *names);
/* From the first line of a file, text[0..n) without its end. False where it is none of results.csv.
 */
bool report_columns_parse(report_columns *out, const char *text, size_t n);
/* "epoch,time,train/box_loss,...\n" */
void report_columns_header(char out[REPORT_HEADER_BYTES], const report_columns *c);

double report_column_get(const report_column *c, const vg_train_epoch *e);
void report_column_set(const report_column *c, vg_train_epoch *e, double value);
/* Of a row: what the best epoch is chosen by (spec 4.5, T 6). Columns that are not there are 0. */
double report_epoch_fitness(const vg_train_epoch *e);

/* "box_loss" of "train/box_loss": the name of loss k. */
const char *report_columns_loss(const report_columns *c, int k);

#endif
