/* rows.c: what a console shows of training and validation: report's rows of the API's numbers. */
#include "report/report.h"
#include "vigil/vigil.h"

bool vg_train_header_format(char *buf, size_t n, size_t n_columns)
{
    return report_table_train_header(buf, n, n_columns);
}

static bool row_format(char *buf, size_t n, const vg_train_batch *b, size_t resident_bytes,
                       size_t n_columns)
{
    char memory[32];
    base_format(memory, sizeof memory, "%.3gG", (double)resident_bytes / (1024.0 * 1024 * 1024));
    const report_train_row row = {.epoch = b->epoch,
                                  .n_epochs = b->n_epochs,
                                  .memory = memory,
                                  .loss = {b->loss[0], b->loss[1], b->loss[2]},
                                  .n_instances = (double)b->n_instances,
                                  .size_px = b->width > b->height ? b->width : b->height};
    return report_table_train_row(buf, n, n_columns, &row);
}

bool vg_train_row_format(char *buf, size_t n, const vg_train_batch *b, size_t resident_bytes)
{
    return row_format(buf, n, b, resident_bytes, 0);
}

bool vg_train_progress_format(char *buf, size_t n, const vg_train_batch *b,
                              const vg_train_pace *pace, size_t n_columns, bool ascii)
{
    char prefix[256];
    row_format(prefix, sizeof prefix, b, pace->resident_bytes, n_columns);
    const report_progress p = {.prefix = prefix,
                               .n_done = (size_t)b->batch,
                               .n_total = (size_t)b->n_batches,
                               .pictures_per_s = pace->pictures_per_s,
                               .elapsed_s = pace->elapsed_s,
                               .left_s = pace->left_s,
                               .planned_bytes = pace->planned_bytes,
                               .resident_bytes = pace->resident_bytes};
    return report_progress_format(buf, n, &p, n_columns, ascii);
}

bool vg_val_header_format(char *buf, size_t n, size_t n_columns)
{
    return report_table_val_header(buf, n, n_columns);
}

bool vg_val_row_format(char *buf, size_t n, const vg_val_class *row, size_t n_columns)
{
    return report_table_val_row(buf, n, n_columns, row->name, row->n_pictures, row->n_instances,
                                row->precision, row->recall, row->map50, row->map);
}

bool vg_bar_format(char *buf, size_t n, const vg_bar *b, size_t n_columns, bool ascii)
{
    const double per_s = b->seconds > 0 ? (double)b->n_done / b->seconds : 0;
    const size_t n_left = b->n_total > b->n_done ? b->n_total - b->n_done : 0;
    const report_progress p = {.prefix = b->what,
                               .n_done = b->n_done,
                               .n_total = b->n_total,
                               .pictures_per_s = per_s,
                               .elapsed_s = b->seconds,
                               .left_s = per_s > 0 ? (double)n_left / per_s : -1};
    return report_progress_format(buf, n, &p, n_columns, ascii);
}

const char *vg_count_format(char *buf, size_t n, uint64_t count, const char *noun)
{
    return base_count(buf, n, count, noun);
}
