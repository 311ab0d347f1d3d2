/* train_table.c: the tables of validations and the lines of memory. */
#include <string.h>

#include "train.h"

static void header_print(FILE *to, vg_task task)
{
    char line[512];
    vg_val_header_format(line, sizeof line, task, cli_columns(to));
    cli_paint(to, CLI_BOLD, line);
    fputc('\n', to);
}

static void row_print(FILE *to, const vg_val_class *row)
{
    char line[512];
    vg_val_row_format(line, sizeof line, row, cli_columns(to));
    fprintf(to, "%s\n", line);
}

void train_table_print(FILE *to, const vg_val_result *r)
{
    const vg_val_class all = {.name = "all",
                              .n_pictures = r->n_pictures,
                              .n_instances = r->n_instances,
                              .precision = r->precision,
                              .recall = r->recall,
                              .map50 = r->map50,
                              .map = r->map,
                              .second = r->second,
                              .task = r->task,
                              .top1 = r->top1,
                              .top5 = r->top5};
    header_print(to, r->task);
    row_print(to, &all);
    for (size_t i = 0; i < r->n_classes && r->n_classes > 1; i++)
        row_print(to, &r->classes[i]);
}

void train_epoch_print(FILE *to, const vg_train_epoch *e)
{
    if (!e->is_validated)
        return;
    const vg_val_class all = {.name = "all",
                              .n_pictures = e->n_pictures,
                              .n_instances = e->n_instances,
                              .precision = e->precision,
                              .recall = e->recall,
                              .map50 = e->map50,
                              .map = e->map,
                              .second = e->second,
                              .task = e->task,
                              .top1 = e->top1,
                              .top5 = e->top5};
    header_print(to, e->task);
    row_print(to, &all);
}

enum { COUNT_BYTES = 64 };

/* "205 pictures with 2,804 objects" */
static void pictures_print(FILE *to, const vg_data_report *d)
{
    char a[COUNT_BYTES], b[COUNT_BYTES];
    fprintf(to, "%s with %s", vg_count_format(a, sizeof a, d->n_pictures, "picture"),
            vg_count_format(b, sizeof b, d->n_objects, "object"));
}

void train_data_print(FILE *to, const vg_data_report *train, const vg_data_report *val)
{
    char rows[COUNT_BYTES];
    const vg_data_report none = {0}, *t = train != NULL ? train : &none;
    fputs("Data: ", to);
    if (train != NULL) {
        pictures_print(to, t);
        fputs(" to train on, ", to);
    }
    pictures_print(to, val);
    fprintf(
        to,
        " to validate; label files: %zu found, %zu missing, %zu empty; pictures left out: %zu "
        "corrupt, %zu not there; %s removed\n",
        t->n_found + val->n_found, t->n_missing + val->n_missing, t->n_empty + val->n_empty,
        t->n_corrupt + val->n_corrupt, t->n_absent + val->n_absent,
        vg_count_format(rows, sizeof rows, t->n_duplicates + val->n_duplicates, "duplicate row"));
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
    for (int i = 0; i < m->n_items && !m->items[i].is_on_gpu; i++) /* a GPU's are the last */
        fprintf(to, "%s%s %s", i > 0 ? ", " : "", m->items[i].owner,
                cli_bytes(a, (double)m->items[i].planned_bytes));
    fputs("), ", to);
    resident_print(to, m);
}

static double plan_sum(const vg_plan *plan, const char *owner)
{
    double sum = 0;
    for (int i = 0; i < plan->n_items; i++)
        if (strcmp(plan->items[i].owner, owner) == 0)
            sum += (double)plan->items[i].bytes;
    return sum;
}

void train_gpu_print(FILE *to, const vg_plan *plan)
{
    char a[32];
    bool is_first = true;
    if (plan->gpu_bytes == 0)
        return;
    fprintf(to, "GPU memory: planned %s (", cli_bytes(a, (double)plan->gpu_bytes));
    for (int i = 0; i < plan->n_items; i++) {
        if (!plan->items[i].is_on_gpu)
            continue;
        fprintf(to, "%s%s %s", is_first ? "" : ", ", plan->items[i].what,
                cli_bytes(a, (double)plan->items[i].bytes));
        is_first = false;
    }
    fputs(")", to);
    if (plan->gpu_limit_bytes > 0)
        fprintf(to, " of %s", cli_bytes(a, (double)plan->gpu_limit_bytes));
    fputc('\n', to);
}

void train_limit_print(FILE *to, const vg_plan *plan)
{
    static const char *const owners[] = {"data", "model",  "activations",
                                         "work", "report", "program"};
    char a[32], b[32], c[COUNT_BYTES];
    if (plan->limit_bytes == 0)
        return;
    fprintf(to, "Batch: %s%s %s: ", vg_count_format(c, sizeof c, (uint64_t)plan->batch, "picture"),
            plan->is_chosen    ? ", the most that fit"
            : plan->batch == 1 ? ", fits"
                               : ", fit",
            cli_bytes(a, (double)plan->limit_bytes));
    fprintf(to, "%s at most (", cli_bytes(b, (double)plan->total_bytes));
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
        fprintf(to, "%s%s %s", i > 0 ? ", " : "", owners[i],
                cli_bytes(a, plan_sum(plan, owners[i])));
    fputs(")\n", to);
}

static void item_print(FILE *to, const char *owner, const char *what, size_t bytes)
{
    char a[32], b[32];
    fprintf(to, "  %-12s %-51s %9s %14s\n", owner, what, cli_bytes(a, (double)bytes),
            cli_commas(b, (long long)bytes));
}

void train_plan_print(FILE *to, const vg_plan *plan)
{
    char a[32], b[32];
    fprintf(to, "\ntraining plan at %dx%d, batch %d%s, bytes:\n", plan->width, plan->height,
            plan->batch, plan->is_chosen ? " (the most that fit)" : "");
    for (int held = 1; held >= 0; held--) {
        for (int i = 0; i < plan->n_items; i++)
            if (plan->items[i].is_held == (held == 1) && !plan->items[i].is_on_gpu)
                item_print(to, plan->items[i].owner, plan->items[i].what, plan->items[i].bytes);
        if (held == 1)
            item_print(to, "sum", "held from the first batch to the last", plan->held_bytes);
    }
    item_print(to, "sum", "what a memory limit must leave room for", plan->total_bytes);
    for (int i = 0; i < plan->n_items; i++)
        if (plan->items[i].is_on_gpu)
            item_print(to, "GPU", plan->items[i].what, plan->items[i].bytes);
    if (plan->gpu_bytes > 0)
        item_print(to, "sum of GPU", "held from the first batch to the last", plan->gpu_bytes);
    if (plan->gpu_bytes > 0 && plan->gpu_limit_bytes > 0)
        fprintf(to, "  the GPU's %s %s\n", cli_bytes(a, (double)plan->gpu_limit_bytes),
                plan->gpu_bytes <= plan->gpu_limit_bytes ? "hold it" : "are too small for it");
    if (plan->limit_bytes > 0)
        fprintf(to, "  the limit of %s %s\n", cli_bytes(a, (double)plan->limit_bytes),
                plan->total_bytes <= plan->limit_bytes ? "holds it" : "is too small for it");
    const double kept = plan_sum(plan, plan->gpu_bytes > 0 ? "GPU activations" : "activations");
    fprintf(to, "  activations without sharing: %s, %.1f times as much as %s\n",
            cli_bytes(a, (double)plan->naive_bytes),
            kept > 0 ? (double)plan->naive_bytes / kept : 0, cli_bytes(b, kept));
}

void train_memory_held(FILE *to, const vg_memory *m)
{
    char a[32];
    fputs("Memory: at most", to);
    for (int i = 0; i < m->n_items && !m->items[i].is_on_gpu; i++)
        fprintf(to, "%s %s %s", i > 0 ? "," : "", m->items[i].owner,
                cli_bytes(a, (double)m->items[i].peak_bytes));
    fputs(" was held; ", to);
    resident_print(to, m);
    cli_gpu_print(to, m);
}
