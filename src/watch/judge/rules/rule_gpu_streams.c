/* rule_gpu_streams.c: R7: a pool per CUDA stream: timm PR #2784.
 *
 * The same step at every epoch, on the GPU alone, until as many streams were made as a process may
 * have (32); then nothing more. */
#include "rules.h"

#include <math.h>

#include "facts.h"
#include "watch/judge/valid.h"

enum { MOST_STREAMS = 32, LEAST_STEPS = 3 };
static const double SAME_STEP = 0.1; /* steps differ by at most this share */

typedef struct streams {
    double epoch, bytes; /* at the last change of epoch */
    double step;         /* of the first rise */
    int n_steps, n_other;
    bool is_begun;
} streams;

static bool valid(const void *state)
{
    const streams *p = state;
    return valid_real(p->epoch) && valid_real(p->bytes) && valid_real(p->step) &&
           valid_int(p->n_steps, 0, VALID_MOST_COUNT) &&
           valid_int(p->n_other, 0, VALID_MOST_COUNT / 4) && valid_bool(&p->is_begun);
}

static void observe(void *state, const watch_sample *s)
{
    streams *p = state;
    const double epoch = s->value[WATCH_WORK_EPOCH], bytes = s->value[WATCH_GPU0_BYTES];
    if (isnan(epoch) || isnan(bytes))
        return;
    if (!p->is_begun || epoch < p->epoch) {
        *p = (streams){.epoch = epoch, .bytes = bytes, .is_begun = true};
        return;
    }
    if (epoch == p->epoch)
        return;
    const double step = bytes - p->bytes;
    if (p->n_steps == 0 && step > 0)
        p->step = step;
    if (step > 0 && fabs(step - p->step) <= SAME_STEP * p->step)
        p->n_steps++;
    else
        p->n_other++;
    p->epoch = epoch;
    p->bytes = bytes;
}

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    const streams *p = state;
    const bool is_equal =
        p->n_steps >= LEAST_STEPS && p->n_steps <= MOST_STREAMS && p->n_steps > 3 * p->n_other;
    if (s != WATCH_GPU0_BYTES || !is_equal || facts_rises(j, WATCH_MAIN_ANON_BYTES, v))
        return false;
    char size[32];
    out->confidence_0_1 = 0.82;
    base_format(out->cause, sizeof out->cause,
                "a new CUDA stream, with a memory pool of its own, in every epoch: it stops after "
                "%d",
                MOST_STREAMS);
    base_format(out->evidence, sizeof out->evidence,
                "gpu0.bytes +%s at each of %d epochs, the host flat",
                base_format_bytes(size, sizeof size, p->step), p->n_steps);
    base_format(out->remedy, sizeof out->remedy,
                "make the stream once and use it in every epoch; if %d such steps fit, it is no "
                "danger",
                MOST_STREAMS);
    return true;
}

const watch_rule watch_rule_gpu_streams = {.name = "R7",
                                           .title = "a pool per stream",
                                           .state_bytes = sizeof(streams),
                                           .valid = valid,
                                           .observe = observe,
                                           .explain = explain};
