/* train_together.c: what a network in training tells and asks the other processes that have shares
 * of its batch. */
#include <assert.h>
#include <string.h>

#include "train_inner.h"
#include "train_plan.h"

void nn_train_join(nn_train *t, const nn_train_together *together)
{
    assert(t->backend->join != NULL);
    t->together = together;
    t->backend->join(t->context, together);
}

void nn_train_tell_ready(const nn_train *t, const nn_train_step *s)
{
    const nn_train_together *w = t->together;
    if (w == NULL || w->ready == NULL)
        return;
    if (s->spec.kind == NN_STEP_CONV)
        w->ready(w->ctx, s->spec.conv->first_param, s->spec.conv->bn ? 5 : 2);
    else
        w->ready(w->ctx, 0, 0);
}

/* ---- without pictures ---- */

static bool adds_up(const nn_train *t, const nn_train_step *s)
{
    return t->together != NULL && t->together->sum != NULL && s->spec.kind == NN_STEP_CONV &&
           s->spec.conv->bn;
}

/* The statistics of no pictures. */
static void add_nothing(nn_train *t, const nn_train_step *s)
{
    const size_t n = 2 * (size_t)s->spec.conv->oc;
    assert(n * sizeof(double) <= t->scratch_bytes);
    memset(t->scratch, 0, n * sizeof(double));
    t->together->sum(t->together->ctx, (double *)(void *)t->scratch, n);
}

void nn_train_idle_forward(nn_train *t)
{
    const nn_shape_plan *p = t->current;
    for (size_t i = 0; i < p->n_steps; i++)
        if (adds_up(t, &p->steps[i]))
            add_nothing(t, &p->steps[i]);
}

void nn_train_idle_backward(nn_train *t, const bool *needs_grad)
{
    nn_shape_plan *p = t->current;
    nn_train_find_live(t->graph, p->live, needs_grad);
    for (size_t i = 0; i < p->n_tasks; i++) {
        if (p->tasks[i].step < 0)
            continue;
        const nn_train_step *s = &p->steps[p->tasks[i].step];
        if (adds_up(t, s) && nn_train_wants_of(t, s, p->live, needs_grad).own)
            add_nothing(t, s);
        nn_train_tell_ready(t, s);
    }
}
