/* rows.c: what a console shows of training and validation: report's rows. */
#include <string.h>

#include "report/report.h"
#include "task/task.h"
#include "vigil/vigil.h"

/* An unknown task is detect's. */
static report_names names_of(vg_task id)
{
    return task_report_names((int)id >= 0 && (int)id < VG_N_TASKS ? task_of(id) : &task_detect);
}

bool vg_train_header_format(char *buf, size_t n, vg_task id, size_t n_columns)
{
    const report_names names = names_of(id);
    return report_table_train_header(buf, n, n_columns, &names);
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

bool vg_val_header_format(char *buf, size_t n, vg_task id, size_t n_columns)
{
    const report_names names = names_of(id);
    return report_table_val_header(buf, n, n_columns, &names);
}

bool vg_val_row_format(char *buf, size_t n, const vg_val_class *row, size_t n_columns)
{
    const report_names names = names_of(row->task);
    return report_table_val_row(buf, n, n_columns, &names, row);
}

size_t vg_val_numbers(const vg_val_result *r, vg_number out[VG_MOST_NUMBERS])
{
    const report_names names = names_of(r->task);
    report_columns columns;
    vg_train_epoch row = {.precision = r->precision,
                          .recall = r->recall,
                          .map50 = r->map50,
                          .map = r->map,
                          .second = r->second,
                          .top1 = r->top1,
                          .top5 = r->top5};
    size_t n = 0;
    memcpy(row.val_loss, r->loss, sizeof row.val_loss);
    report_columns_make(&columns, &names);
    for (int i = 0; i < columns.n; i++) {
        const report_column *c = &columns.at[i];
        if (!base_starts_with(c->name, "metrics/") && !base_starts_with(c->name, "val/"))
            continue;
        out[n].value = report_column_get(c, &row);
        memcpy(out[n++].name, c->name, sizeof out->name);
    }
    out[n] = (vg_number){.name = "fitness", .value = r->fitness};
    return n + 1;
}

bool vg_bar_format(char *buf, size_t n, const vg_bar *b, size_t n_columns, bool ascii)
{
    return report_bar_format(buf, n, b, n_columns, ascii);
}

const char *vg_count_format(char *buf, size_t n, uint64_t count, const char *noun)
{
    return base_count(buf, n, count, noun);
}
_Static_assert(sizeof(((vg_number *)0)->name) == REPORT_COLUMN_BYTES, "one is copied to the other");
