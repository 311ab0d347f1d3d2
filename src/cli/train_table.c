/* train_table.c: the tables of validations and the lines of memory. */
#include "train.h"

void train_table_print(FILE *to, const vg_val_result *r)
{
    char line[512];
    const vg_val_class all = {.name = "all",
                              .n_pictures = r->n_pictures,
                              .n_instances = r->n_instances,
                              .precision = r->precision,
                              .recall = r->recall,
                              .map50 = r->map50,
                              .map = r->map};
    vg_val_header_format(line, sizeof line);
    fprintf(to, "%s\n", line);
    vg_val_row_format(line, sizeof line, &all);
    fprintf(to, "%s\n", line);
    for (size_t i = 0; i < r->n_classes && r->n_classes > 1; i++) {
        vg_val_row_format(line, sizeof line, &r->classes[i]);
        fprintf(to, "%s\n", line);
    }
}

void train_epoch_print(FILE *to, const vg_train_epoch *e)
{
    if (!e->is_validated)
        return;
    char line[512];
    const vg_val_class all = {.name = "all",
                              .n_pictures = e->n_pictures,
                              .n_instances = e->n_instances,
                              .precision = e->precision,
                              .recall = e->recall,
                              .map50 = e->map50,
                              .map = e->map};
    vg_val_header_format(line, sizeof line);
    fprintf(to, "%s\n", line);
    vg_val_row_format(line, sizeof line, &all);
    fprintf(to, "%s\n", line);
}

static void resident_print(FILE *to, const vg_memory *m)
{
    char a[32], b[32];
    fprintf(to, "resident %s, peak %s\n", cli_bytes(a, (double)m->resident_bytes),
            cli_bytes(b, (double)m->peak_resident_bytes));
}

void train_memory_planned(FILE *to, const vg_memory *m)
{
    char a[32];
    fprintf(to, "Memory: planned %s (", cli_bytes(a, (double)m->planned_bytes));
    for (int i = 0; i < m->n_items; i++)
        fprintf(to, "%s%s %s", i > 0 ? ", " : "", m->items[i].owner,
                cli_bytes(a, (double)m->items[i].planned_bytes));
    fputs("), ", to);
    resident_print(to, m);
}

void train_memory_held(FILE *to, const vg_memory *m)
{
    char a[32];
    fputs("Memory: at most", to);
    for (int i = 0; i < m->n_items; i++)
        fprintf(to, "%s %s %s", i > 0 ? "," : "", m->items[i].owner,
                cli_bytes(a, (double)m->items[i].peak_bytes));
    fputs(" was held; ", to);
    resident_print(to, m);
}
