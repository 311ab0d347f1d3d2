/* kind_schedule.c: rates, momentum, accumulation and steps at every iteration of a run; the
 * average's decay, the scaled weight decay, and the rate that `auto` chooses. */
#include "kind.h"
#include "support/schedule_case.h"

static const double tolerance = 1e-12; /* README: relative */
enum { NBS = 64 };

static bool is_table(const char *name)
{
    return strcmp(name, "ema_decay") == 0 || strcmp(name, "accumulate_wd") == 0 ||
           strcmp(name, "auto_adamw_lr") == 0;
}

static bool recognises(const gold_file *f)
{
    train_schedule s;
    for (size_t i = 0; i < weights_count(f->weights); i++)
        if (is_table(weights_at(f->weights, i)->name) ||
            schedule_of_name(&s, weights_at(f->weights, i)->name))
            return true;
    return false;
}

static vg_status check_run(gold_file *f, gold_job *job, const char *name, vg_error *err)
{
    gold_tensor rows;
    train_schedule s;
    schedule_of_name(&s, name);
    vg_status st = gold_get(&rows, f, WEIGHTS_F64, 2, err, "%s", name);
    if (st == VG_OK)
        st = train_schedule_check(&s, err);
    if (st != VG_OK)
        return st;
    if (rows.shape[1] != SCHEDULE_COLUMNS)
        return gold_bad(f, err, "%s has %zu columns, not %d", name, rows.shape[1],
                        SCHEDULE_COLUMNS);
    gold_diff rates = gold_diff_make(0, tolerance), momentum = rates, whole = gold_diff_make(0, 0);
    int64_t last_step = -1;
    for (size_t i = 0; i < rows.shape[0]; i++) {
        const double *row = rows.f64 + i * SCHEDULE_COLUMNS;
        int64_t epoch = (int64_t)i / s.n_batches, ni = (int64_t)i;
        train_rates r = train_schedule_at(&s, (int)epoch, ni % s.n_batches);
        bool steps = train_schedule_steps(ni, last_step, r.accumulate);
        if (steps)
            last_step = ni;
        for (int k = 0; k < TRAIN_N_GROUPS; k++)
            gold_diff_add(&rates, r.lr[k], row[SCHEDULE_LR + k]);
        if (row[SCHEDULE_MOMENTUM] >= 0)
            gold_diff_add(&momentum, r.momentum, row[SCHEDULE_MOMENTUM]);
        gold_diff_add(&whole, (double)epoch, row[SCHEDULE_EPOCH]);
        gold_diff_add(&whole, (double)ni, row[SCHEDULE_NI]);
        gold_diff_add(&whole, r.accumulate, row[SCHEDULE_ACCUMULATE]);
        gold_diff_add(&whole, steps, row[SCHEDULE_STEP]);
    }
    gold_report_row(job->report, &rates, "%s rates", name);
    if (momentum.n)
        gold_report_row(job->report, &momentum, "%s momentum", name);
    gold_report_row(job->report, &whole, "%s iterations and steps", name);
    return VG_OK;
}

/* Row by row: what the first column stands for, against those behind it. */
static void check_row(gold_diff *d, const char *name, const double *row)
{
    if (strcmp(name, "ema_decay") == 0) {
        gold_diff_add(d, train_ema_decay((int64_t)row[0]), row[1]);
    } else if (strcmp(name, "accumulate_wd") == 0) {
        gold_diff_add(d, train_accumulate((int)row[0], NBS), row[1]);
        gold_diff_add(d, train_scaled_decay(0.0005, (int)row[0], NBS), row[2]);
    } else {
        train_optimizer_options o = {.kind = TRAIN_OPTIMIZER_AUTO};
        train_optimizer_choose(&o, 64, 16, 1, (int)row[0]); /* few iterations: AdamW */
        gold_diff_add(d, o.lr0, row[1]);
    }
}

static vg_status check_table(gold_file *f, gold_job *job, const char *name, vg_error *err)
{
    gold_tensor rows;
    size_t columns = strcmp(name, "accumulate_wd") == 0 ? 3 : 2;
    vg_status st = gold_get(&rows, f, WEIGHTS_F64, 2, err, "%s", name);
    if (st != VG_OK)
        return st;
    if (rows.shape[1] != columns)
        return gold_bad(f, err, "%s has %zu columns, not %zu", name, rows.shape[1], columns);
    gold_diff d = gold_diff_make(0, tolerance);
    for (size_t i = 0; i < rows.shape[0]; i++)
        check_row(&d, name, rows.f64 + i * columns);
    gold_report_row(job->report, &d, "%s", name);
    return VG_OK;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    vg_status st = VG_OK;
    for (size_t i = 0; i < weights_count(f->weights) && st == VG_OK; i++) {
        train_schedule s;
        const char *name = weights_at(f->weights, i)->name;
        if (is_table(name))
            st = check_table(f, job, name, err);
        else if (schedule_of_name(&s, name))
            st = check_run(f, job, name, err);
    }
    return st;
}

const gold_kind gold_kind_schedule = {.name = "schedule",
                                      .help = "learning rates, steps and decays by iteration",
                                      .recognises = recognises,
                                      .check = check};
