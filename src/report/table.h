/* table.h: the rows that training and validation print (spec 6). */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stdbool.h>

#include "results_csv.h"

/* Each writes one line, without its end, into buf; always terminated; true when it fitted.
 * 256 bytes hold all but names of unusual length. */

/* "      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size" */
bool report_table_train_header(char *buf, size_t n, size_t n_columns, const report_names *names);

/* Of as many losses as the batch says. resident_bytes: of the process, shown as GPU_mem was:
 * "0.41G". */
bool report_table_train_row(char *buf, size_t n, size_t n_columns, const vg_train_batch *b,
                            size_t resident_bytes);

/* "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95)" */
bool report_table_val_header(char *buf, size_t n, size_t n_columns, const report_names *names);
/* Of a class, or of all together with the name "all". */
bool report_table_val_row(char *buf, size_t n, size_t n_columns, const report_names *names,
                          const vg_val_class *row);

/* The columns that users know need 77 and 88 places (of detect; 11 more for each more loss, 44 for
 * a second row of metrics), and a bar beside the first. n_columns: of the terminal; where it has
 * fewer than they need, columns are narrower (0: never), and of detect from 76 on nothing is lost.
 */

#endif
