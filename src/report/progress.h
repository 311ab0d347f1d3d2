/* progress.h: the line that moves while an epoch runs. */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stdbool.h>

#include "base/base.h"
#include "vigil/types.h"

/* What is known now; 0 where a number is unknown. */
typedef struct report_progress {
    const char *prefix;     /* the row so far, as of report_table_train_row */
    size_t n_done, n_total; /* batches */
    vg_train_pace pace;     /* left_s below 0 or NAN: unknown */
} report_progress;

/* One line, without its end, of at most n_columns characters (0: as long as it gets):
 *     <prefix>  42% ━━━━━━────── 12/29 31.2 img/s 00:12<00:17 mem 412 MB of 458 MB
 * On a narrow terminal it leaves out, in this order, the memory, the bar, the rate, the times; then
 * the end of the rest. ascii: "#" and "-" for the bar, for terminals without UTF-8. Always
 * terminated; true when buf held it (1024 bytes do). */
bool report_progress_format(char *buf, size_t n, const report_progress *p, size_t n_columns,
                            bool ascii);
/* The same of anything that is counted: rate and time left follow from what is done. */
bool report_bar_format(char *buf, size_t n, const vg_bar *b, size_t n_columns, bool ascii);

#endif
