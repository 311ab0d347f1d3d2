/* schedule.c: the arithmetic of spec 4.3. Rounding is to even, as in the language the recipe was
 * written in. */
#include "schedule.h"

#include <math.h>

/* Warm-up lasts at least so many iterations. */
enum { LEAST_WARMUP = 100 };

vg_status train_schedule_check(const train_schedule *s, vg_error *err)
{
    if (s->epochs < 1 || s->n_batches < 1 || s->batch < 1 || s->nbs < 1)
        return base_fail(err, VG_ERR_ARGUMENT, "schedule", "give at least 1 of each",
                         "%d epochs of %lld batches of %d pictures, nbs %d", s->epochs,
                         (long long)s->n_batches, s->batch, s->nbs);
    const double reals[] = {s->lr0,
                            s->lrf,
                            s->warmup_epochs,
                            s->warmup_momentum,
                            s->warmup_bias_lr,
                            s->momentum,
                            s->optimizer_momentum};
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
        if (!isfinite(reals[i]))
            return base_fail(err, VG_ERR_ARGUMENT, "schedule",
                             "give finite learning rates and momentum",
                             "a learning rate, momentum or warm-up that is not a finite number");
    return VG_OK;
}

int64_t train_schedule_warmup(const train_schedule *s)
{
    if (s->warmup_epochs <= 0)
        return -1;
    const double n = rint(s->warmup_epochs * (double)s->n_batches);
    return n > LEAST_WARMUP ? (int64_t)n : LEAST_WARMUP;
}

double train_schedule_factor(const train_schedule *s, int epoch)
{
    const double done = (double)epoch / s->epochs;
    if (s->cos_lr)
        return fmax((1 - cos(epoch * 3.14159265358979323846 / s->epochs)) / 2, 0) * (s->lrf - 1) +
               1;
    return fmax(1 - done, 0) * (1.0 - s->lrf) + s->lrf;
}

/* From (0, from) to (n, to), x within. */
static double interpolate(double x, double n, double from, double to)
{
    return x >= n ? to : (to - from) / n * x + from;
}

int train_accumulate(int batch, int nbs)
{
    const double n = rint((double)nbs / batch);
    return n > 1 ? (int)n : 1;
}

double train_scaled_decay(double weight_decay, int batch, int nbs)
{
    return weight_decay * batch * train_accumulate(batch, nbs) / nbs;
}

train_rates train_schedule_at(const train_schedule *s, int epoch, int64_t i)
{
    const double lr = s->lr0 * train_schedule_factor(s, epoch);
    const int64_t ni = i + s->n_batches * epoch, nw = train_schedule_warmup(s);
    if (ni > nw)
        return (train_rates){.lr = {lr, lr, lr},
                             .momentum = nw >= 0 ? s->momentum : s->optimizer_momentum,
                             .accumulate = train_accumulate(s->batch, s->nbs)};

    const double x = (double)ni, n = (double)nw;
    const double rate = interpolate(x, n, 0, lr);
    const double accumulate = rint(interpolate(x, n, 1, (double)s->nbs / s->batch));
    return (train_rates){.lr = {interpolate(x, n, s->warmup_bias_lr, lr), rate, rate},
                         .momentum = interpolate(x, n, s->warmup_momentum, s->momentum),
                         .accumulate = accumulate > 1 ? (int)accumulate : 1};
}
