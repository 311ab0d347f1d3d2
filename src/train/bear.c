/* bear.c: a disk that is full for a while, and descriptors that others hold for a while, end no run
 * that would go on for days: what could not be written is tried again, and only what is lost in the
 * end makes the run a failure.
 *
 * The checkpoint is never ahead of results.csv: while rows wait for room it is not written either,
 * so a crash then costs epochs, which are done over, and no row. A best that could not be kept does
 * not count as the best, so the next one that is better than what is on the disk is written. */
#include <errno.h>
#include <string.h>

#include "run_parts.h"

/* By the reason in the error's words: it is all that a failure carries. */
static bool passes(const vg_error *e)
{
    static const int reasons[] = {ENOSPC, EDQUOT, EMFILE, ENFILE};
    char room[128];
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(e->what, strerror_r(reasons[i], room, sizeof room)) != NULL)
            return true;
    return false;
}

vg_status run_bear(train_run *r, vg_status st, const vg_error *e)
{
    run_bearing *b = &r->bearing;
    if (st != VG_ERR_IO || !passes(e))
        return st;
    b->tried_ns = base_now_ns();
    if (!b->is_full) {
        b->is_full = b->has_news = true;
        base_fail(&b->news, VG_ERR_IO, e->where, e->mend,
                  "cannot save for now, and will try again: %.300s", e->what);
    }
    return VG_OK;
}

static vg_status add_waiting(train_run *r, vg_error *err)
{
    run_bearing *b = &r->bearing;
    while (b->n_rows > 0) {
        const vg_status st = report_csv_append(r->csv, &b->rows[0], err);
        if (st != VG_OK)
            return st;
        memmove(b->rows, b->rows + 1, --b->n_rows * sizeof *b->rows);
    }
    return VG_OK;
}

vg_status run_add_row(train_run *r, const vg_train_epoch *row, vg_error *err)
{
    run_bearing *b = &r->bearing;
    if (!run_writes(r))
        return VG_OK;
    if (b->n_rows == RUN_MOST_WAITING) {
        memmove(b->rows, b->rows + 1, --b->n_rows * sizeof *b->rows);
        b->n_lost_rows++;
    }
    b->rows[b->n_rows++] = *row;
    return run_bear(r, add_waiting(r, err), err);
}

vg_status run_settle_best(train_run *r, vg_status st, double fitness, double before,
                          const vg_error *err)
{
    run_bearing *b = &r->bearing;
    const bool is_kept = st == VG_OK;
    st = run_bear(r, st, err);
    if (st == VG_OK && !is_kept) {
        r->state.best.fitness = before;
        b->lost_best = fitness > b->lost_best ? fitness : b->lost_best;
    } else if (is_kept && fitness >= b->lost_best) {
        b->lost_best = 0;
    }
    return st;
}

vg_status run_settle_period(train_run *r, vg_status st, const vg_error *err)
{
    const bool is_kept = st == VG_OK;
    st = run_bear(r, st, err);
    r->bearing.n_lost_models += st == VG_OK && !is_kept;
    return st;
}

vg_status run_keep(train_run *r, vg_error *err)
{
    run_bearing *b = &r->bearing;
    vg_status st =
        r->state.position.has_gradients ? together_fold(&r->together, &r->engine, err) : VG_OK;
    if (st != VG_OK || !run_writes(r)) {
        r->saved_ns = base_now_ns();
        return st;
    }
    st = add_waiting(r, err);
    if (st == VG_OK)
        st = run_save_checkpoint(r, err);
    if (st != VG_OK)
        return run_bear(r, st, err);
    run_tell_saved(r, r->last_path, true);
    if (b->is_full) {
        b->is_full = false;
        b->has_news = true;
        base_fail(&b->news, VG_OK, r->last_path, NULL,
                  "there is room again: the checkpoint is written");
    }
    return VG_OK;
}

bool run_is_due_again(const train_run *r)
{
    enum { AGAIN_S = 30 };
    return r->bearing.is_full &&
           base_now_ns() - r->bearing.tried_ns >= (int64_t)AGAIN_S * 1000000000;
}

vg_status run_tell_lost(const train_run *r, vg_error *err)
{
    const run_bearing *b = &r->bearing;
    if (b->n_lost_rows == 0 && b->n_lost_models == 0 && !(b->lost_best > 0))
        return VG_OK;
    return base_fail(err, VG_ERR_IO, r->folder, "free more disk space",
                     "the run is finished, but the full disk lost %zu rows of results.csv and the "
                     "weights of %zu epochs%s",
                     b->n_lost_rows, b->n_lost_models,
                     b->lost_best > 0 ? ", and the best weights" : "");
}

const vg_error *train_run_news(train_run *r)
{
    const bool has_news = r->bearing.has_news;
    r->bearing.has_news = false;
    return has_news ? &r->bearing.news : NULL;
}
