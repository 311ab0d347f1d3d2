/* course.c: rings are not wanted here: the beginning of a run is as interesting as its end. */
#include "course.h"

#include <math.h>

enum { FIRST_STEP_S = 1 };

static void thin(board_course *c)
{
    double *const all[] = {c->epoch,   c->seconds, c->resident, c->pictures_per_s, c->loss[0],
                           c->loss[1], c->loss[2], c->loss[3],  c->loss[4]};
    _Static_assert(VG_MOST_LOSSES == 5, "all of them are thinned");
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (size_t i = 0; 2 * i < c->n; i++)
            all[k][i] = all[k][2 * i];
    c->n = (c->n + 1) / 2;
    c->step_s *= 2;
}

bool board_course_add(board_course *c, const vg_run_view *v)
{
    const vg_train_batch *b = &v->batch;
    if (b->n_batches <= 0)
        return false;
    if (c->step_s <= 0)
        c->step_s = FIRST_STEP_S;
    const double done = b->epoch - 1 + (double)b->batch / (double)b->n_batches;
    if (c->n > 0 && (b->seconds < c->seconds[c->n - 1] || done < c->epoch[c->n - 1]))
        c->n = 0; /* another session, from an earlier checkpoint */
    if (c->n > 0 && (b->seconds < c->seconds[c->n - 1] + c->step_s || !(done > c->epoch[c->n - 1])))
        return false;
    if (c->n == BOARD_COURSE_POINTS)
        thin(c);
    const size_t i = c->n++;
    c->epoch[i] = done;
    c->seconds[i] = b->seconds;
    c->task = b->task;
    c->n_losses = b->n_losses < VG_MOST_LOSSES ? b->n_losses : VG_MOST_LOSSES;
    for (int k = 0; k < VG_MOST_LOSSES; k++)
        c->loss[k][i] = b->loss[k];
    c->pictures_per_s[i] = v->pace.pictures_per_s > 0 ? v->pace.pictures_per_s : NAN;
    c->resident[i] = v->pace.resident_bytes > 0 ? (double)v->pace.resident_bytes : NAN;
    return true;
}
