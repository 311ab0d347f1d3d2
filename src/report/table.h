/* table.h: the rows that training and validation print (spec 6). */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stdbool.h>

#include "detect/detect.h"
#include "results_csv.h"

/* Each writes one line, without its end, into buf; always terminated; true when it fitted.
 * 256 bytes hold all but names of unusual length. */

/* "      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size" */
bool report_table_train_header(char *buf, size_t n, size_t n_columns);

typedef struct report_train_row {
    int epoch, n_epochs; /* epoch from 1 */
    const char *memory;  /* "0.41G" */
    double loss[REPORT_N_LOSSES];
    double n_instances, size_px;
} report_train_row;
bool report_table_train_row(char *buf, size_t n, size_t n_columns, const report_train_row *row);

/* "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95)" */
bool report_table_val_header(char *buf, size_t n, size_t n_columns);
bool report_table_val_row(char *buf, size_t n, size_t n_columns, const char *name,
                          size_t n_pictures, size_t n_instances, double p, double r, double map50,
                          double map);
/* The row "all", and that of the i-th class of the result (i < n_classes; validation prints them
 * when there is more than one class). names: (nc) UTF-8. */
bool report_table_val_all(char *buf, size_t n, size_t n_columns,
                          const detect_metrics_result *result);
bool report_table_val_class(char *buf, size_t n, size_t n_columns,
                            const detect_metrics_result *result, size_t i,
                            const char *const *names);

/* The columns that users know need 77 and 88 places, and a bar beside the first. n_columns: of the
 * terminal; where it has fewer than they need, columns are narrower (0: never), and from 76 on
 * nothing is lost. */

#endif
