/* loss_classes.c: a classifier's loss (T 3.4): the cross entropy of its logits, the mean over
 * pictures. In validation the reference takes the probabilities for logits, so its loss there is
 * never near 0; users compare these numbers, so they are the same here. */
#include <math.h>

#include "terms.h"

static vg_status check(const detect_batch *b, vg_error *err)
{
    const detect_result *r = &b->result;
    if (r->data == NULL || r->channels != b->nc || r->h != 1 || r->w != 1)
        return base_fail(err, VG_ERR_ARGUMENT, "the batch given to the loss",
                         "give the logits of all classes", "%d logits a picture for %d classes",
                         r->data == NULL ? 0 : r->channels, b->nc);
    for (int i = 0; i < b->batch; i++)
        if ((size_t)i >= b->n_labels || b->labels[i].picture != i)
            return base_fail(err, VG_ERR_ARGUMENT, base_where("picture %d of the batch", i),
                             "give one class a picture, in their order", "not one class");
    if (b->n_labels != (size_t)b->batch)
        return base_fail(err, VG_ERR_ARGUMENT, "the batch given to the loss",
                         "give one class a picture", "%zu classes for %d pictures", b->n_labels,
                         b->batch);
    return VG_OK;
}

typedef struct softmax {
    double top, sum;
} softmax;

static softmax softmax_make(const float *z, int n)
{
    softmax s = {.top = z[0]};
    for (int c = 1; c < n; c++)
        s.top = fmax(s.top, z[c]);
    for (int c = 0; c < n; c++)
        s.sum += exp(z[c] - s.top);
    return s;
}

static double part(const softmax *s, float z)
{
    return exp(z - s->top) / s->sum;
}

static void add_picture(terms_sum *sum, int picture, const detect_targets *targets,
                        const terms_job *job)
{
    const detect_batch *b = job->batch;
    const float *z = b->result.data + (size_t)picture * b->result.pitch;
    const int right = targets->truths[0].class_index;
    const softmax s = softmax_make(z, b->nc);
    if (b->as_validated) {
        double of_parts = 0;
        for (int c = 0; c < b->nc; c++)
            of_parts += exp(part(&s, z[c]));
        sum->term[DETECT_TERM_ENTROPY] += log(of_parts) - part(&s, z[right]);
        return;
    }
    sum->term[DETECT_TERM_ENTROPY] += s.top + log(s.sum) - z[right];
    if (b->result.gradient == NULL || job->gradients == NULL)
        return;
    float *g = b->result.gradient + (size_t)picture * b->result.gradient_pitch;
    for (int c = 0; c < b->nc; c++)
        g[c] = (float)(job->scale[DETECT_TERM_ENTROPY] * (part(&s, z[c]) - (c == right)));
}

const detect_loss_kind DETECT_LOSS_CLASSES = {
    .name = "classes",
    .items = {DETECT_TERM_ENTROPY},
    .n_items = 1,
    .is_mean = true,
    .check = check,
    .truth = terms_truth_upright,
    .picture = add_picture,
};
