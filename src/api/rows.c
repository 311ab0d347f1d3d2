/* rows.c: what a console shows of training and validation: report's rows. */
#include "report/report.h"
#include "vigil/vigil.h"

bool vg_train_header_format(char *buf, size_t n, size_t n_columns)
{
    return report_table_train_header(buf, n, n_columns);
}

bool vg_train_row_format(char *buf, size_t n, const vg_train_batch *b, size_t resident_bytes)
{
    return report_table_train_row(buf, n, 0, b, resident_bytes);
}

bool vg_train_progress_format(char *buf, size_t n, const vg_train_batch *b,
                              const vg_train_pace *pace, size_t n_columns, bool ascii)
{
    char row[256];
    report_table_train_row(row, sizeof row, n_columns, b, pace->resident_bytes);
    const report_progress p = {
        .prefix = row, .n_done = (size_t)b->batch, .n_total = (size_t)b->n_batches, .pace = *pace};
    return report_progress_format(buf, n, &p, n_columns, ascii);
}

bool vg_val_header_format(char *buf, size_t n, size_t n_columns)
{
    return report_table_val_header(buf, n, n_columns);
}

bool vg_val_row_format(char *buf, size_t n, const vg_val_class *row, size_t n_columns)
{
    return report_table_val_row(buf, n, n_columns, row);
}

bool vg_bar_format(char *buf, size_t n, const vg_bar *b, size_t n_columns, bool ascii)
{
    return report_bar_format(buf, n, b, n_columns, ascii);
}

const char *vg_count_format(char *buf, size_t n, uint64_t count, const char *noun)
{
    return base_count(buf, n, count, noun);
}
