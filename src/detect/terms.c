/* terms.c: binary cross-entropy over all class logits, CIoU and distribution focal loss over
 * foreground anchors (spec 3.3; DFL: Li et al., "Generalized Focal Loss", NeurIPS 2020).
 *
 * Nearly all class targets are 0, so the dense pass takes them as 0 and the few others are mended
 * afterwards: BCE(x, t) = softplus(x) - x t,    dBCE/dx = sigmoid(x) - t. softplus(x) = max(x, 0) +
 * log(1 + e^-|x|); the logarithms of many elements are one logarithm of a product, kept in double,
 * where a factor of 1 + 1e-15 still counts. */
#include "terms.h"

#include <math.h>

#include "ciou.h"
#include "maths.h"

enum { LANES = 8, CLASS_CHUNK = TERMS_CHUNK, SIDES = TERMS_SIDES };

/* Targets of DFL stay this far below the last bin, so that the bin above exists: spec 3.3. */
static const float MOST_DISTANCE = 15.0f - 0.01f;

/* ---- classes ---- */

/* product grows at most 2^n-fold. Plain loops one after the other: each becomes vector code, all in
 * one would not. */
DETECT_INLINE void softplus_add_inline(softplus_sum *s, float *gradient, const float *x, int n,
                                       float scale)
{
    float e[CLASS_CHUNK], linear[LANES] = {0};
    double product[LANES];
    int i = 0;
    for (int k = 0; k < n; k++)
        e[k] = detect_exp(-fabsf(x[k]));
    if (gradient)
        for (int k = 0; k < n; k++)
            gradient[k] = scale * ((x[k] >= 0 ? 1.0f : e[k]) / (1.0f + e[k]));
    for (int k = 0; k < LANES; k++)
        product[k] = 1;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            product[k] *= 1.0 + (double)e[i + k];
            linear[k] += detect_max(x[i + k], 0);
        }
    for (; i < n; i++) {
        product[0] *= 1.0 + (double)e[i];
        linear[0] += detect_max(x[i], 0);
    }
    for (int k = 0; k < LANES; k++) {
        s->linear += linear[k];
        s->product *= product[k];
    }
}

static void softplus_settle(softplus_sum *s)
{
    if (s->product > 1e200) { /* room for 2^256 more */
        s->linear += log(s->product);
        s->product = 1;
    }
}

DETECT_WIDE static void softplus_add_wide(softplus_sum *s, float *gradient, const float *x, int n,
                                          float scale)
{
    if (gradient)
        softplus_add_inline(s, gradient, x, n, scale);
    else
        softplus_add_inline(s, NULL, x, n, scale);
}

void softplus_add(softplus_sum *s, float *gradient, const float *x, int n, float scale)
{
    softplus_add_wide(s, gradient, x, n, scale);
    softplus_settle(s);
}

double softplus_total(const softplus_sum *s)
{
    return s->linear + log(s->product);
}

/* The dense pass over the class logits of n pixels. */
DETECT_WIDE static double class_pass(float *gradient, size_t gradient_pitch, const float *cls,
                                     size_t pitch, size_t n, int nc, float scale)
{
    softplus_sum s = {0, 1};
    for (size_t p = 0; p < n; p++)
        for (int c = 0; c < nc; c += CLASS_CHUNK) {
            int width = nc - c < CLASS_CHUNK ? nc - c : CLASS_CHUNK;
            const float *x = cls + p * pitch + (size_t)c;
            if (gradient)
                softplus_add_inline(&s, gradient + p * gradient_pitch + (size_t)c, x, width, scale);
            else
                softplus_add_inline(&s, NULL, x, width, scale);
            softplus_settle(&s);
        }
    return softplus_total(&s);
}

/* ---- boxes ---- */

side_bins side_make(const float *logits)
{
    side_bins s;
    double sum = 0, mean = 0;
    float top = logits[0];
    for (int b = 1; b < DETECT_REG_MAX; b++)
        top = detect_max(top, logits[b]);
    for (int b = 0; b < DETECT_REG_MAX; b++) {
        s.p[b] = detect_exp(logits[b] - top);
        sum += s.p[b];
        mean += s.p[b] * (double)b;
    }
    for (int b = 0; b < DETECT_REG_MAX; b++)
        s.p[b] = (float)(s.p[b] / sum);
    s.mean = mean / sum;
    s.log_sum = top + log(sum);
    return s;
}

/* DFL of one side, and its gradient times scale added. */
static double dfl_add(float *gradient, const side_bins *s, const float *logits, float distance,
                      double scale)
{
    float t = distance < 0 ? 0 : distance > MOST_DISTANCE ? MOST_DISTANCE : distance;
    int low = (int)t;
    double right = (double)t - low, left = 1 - right;
    if (gradient) {
        for (int b = 0; b < DETECT_REG_MAX; b++)
            gradient[b] += (float)(scale * s->p[b]);
        gradient[low] -= (float)(scale * left);
        gradient[low + 1] -= (float)(scale * right);
    }
    return left * (s->log_sum - logits[low]) + right * (s->log_sum - logits[low + 1]);
}

void terms_add_sides(terms_sum *sum, const terms_anchor *a, const side_bins side[TERMS_SIDES],
                     const double by_distance[TERMS_SIDES], const terms_job *job)
{
    const float ax = (float)a->x + 0.5f, ay = (float)a->y + 0.5f, *t = a->target_cells;
    const float distance[SIDES] = {ax - t[0], ay - t[1], t[2] - ax, t[3] - ay};
    const float *logits = a->level->box + a->at * a->level->box_pitch;
    float *gradient = a->gradient ? a->gradient->box + a->at * a->gradient->box_pitch : NULL;
    for (int k = 0; k < SIDES; k++) {
        const float *z = logits + k * DETECT_REG_MAX;
        float *g = gradient ? gradient + k * DETECT_REG_MAX : NULL;
        sum->term[DETECT_TERM_DFL] +=
            a->weight *
            dfl_add(g, &side[k], z, distance[k], job->scale[DETECT_TERM_DFL] * a->weight / SIDES) /
            SIDES;
        if (!g)
            continue;
        /* The mean's slope by a logit is p (b - mean). */
        const double s = job->scale[DETECT_TERM_BOX] * a->weight * by_distance[k];
        for (int b = 0; b < DETECT_REG_MAX; b++)
            g[b] += (float)(s * side[k].p[b] * (b - side[k].mean));
    }
}

void terms_add_box(terms_sum *sum, const terms_anchor *a, const terms_job *job)
{
    const float ax = (float)a->x + 0.5f, ay = (float)a->y + 0.5f;
    const float *logits = a->level->box + a->at * a->level->box_pitch;
    side_bins side[SIDES];
    double slope[4];
    for (int k = 0; k < SIDES; k++)
        side[k] = side_make(logits + k * DETECT_REG_MAX);
    const float pred[4] = {ax - (float)side[0].mean, ay - (float)side[1].mean,
                           ax + (float)side[2].mean, ay + (float)side[3].mean};
    const double ciou = detect_ciou_gradient(slope, pred, a->target_cells);
    sum->term[DETECT_TERM_BOX] += (1 - ciou) * a->weight;
    /* Left and top go against their coordinate, and the loss against CIoU. */
    const double by_distance[SIDES] = {slope[0], slope[1], -slope[2], -slope[3]};
    terms_add_sides(sum, a, side, by_distance, job);
}

bool terms_truth_upright(detect_truth *out, const detect_batch *batch, size_t label)
{
    *out = detect_label_truth(batch, label);
    return true;
}

/* ---- a picture ---- */

/* What the dense passes left out: anchors [first, first + pixels) that answer for objects. */
static void foreground_terms(terms_sum *sum, const terms_job *job, int level, int picture,
                             size_t first, const detect_targets *targets)
{
    const detect_level *l = &job->batch->levels[level];
    const size_t pixels = detect_level_pixels(l);
    terms_anchor a = {
        .level = l, .gradient = job->gradients ? &job->gradients[level] : NULL, .picture = picture};
    for (size_t p = 0; p < pixels; p++) {
        const int32_t index = targets->truth_index[first + p];
        if (index < 0)
            continue;
        a.truth = &targets->truths[index];
        a.index_in_picture = (size_t)index;
        a.weight = targets->weight[first + p];
        a.at = (size_t)picture * pixels + p;
        a.x = (int)(p % (size_t)l->w);
        a.y = (int)(p / (size_t)l->w);
        for (int k = 0; k < 4; k++)
            a.target_cells[k] = a.truth->xyxy[k] / l->stride;
        const size_t c = (size_t)a.truth->class_index;
        sum->n_foreground++;
        sum->term[DETECT_TERM_CLS] -= (double)a.weight * l->cls[a.at * l->cls_pitch + c];
        if (a.gradient)
            a.gradient->cls[a.at * a.gradient->cls_pitch + c] -=
                (float)(job->scale[DETECT_TERM_CLS] * a.weight);
        job->kind->anchor(sum, &a, job);
    }
}

static void clear(float *map, size_t pitch, size_t first, size_t pixels, size_t channels)
{
    for (size_t p = first; p < first + pixels; p++)
        memset(map + p * pitch, 0, channels * sizeof *map);
}

terms_sum terms_picture(const terms_job *job, int picture, const detect_targets *targets)
{
    const detect_batch *b = job->batch;
    terms_sum sum = {0};
    size_t first = 0;
    const size_t result_pixels = (size_t)b->result.h * (size_t)b->result.w;
    if (b->result.gradient != NULL && job->gradients != NULL)
        clear(b->result.gradient, b->result.gradient_pitch, (size_t)picture * result_pixels,
              result_pixels, (size_t)b->result.channels);
    if (job->kind->picture != NULL)
        job->kind->picture(&sum, picture, targets, job);
    for (int i = 0; i < b->n_levels; i++) {
        const detect_level *l = &b->levels[i];
        const detect_gradient *g = job->gradients ? &job->gradients[i] : NULL;
        const size_t pixels = detect_level_pixels(l), base_pixel = (size_t)picture * pixels;
        if (g)
            clear(g->box, g->box_pitch, base_pixel, pixels, DETECT_BOX_CHANNELS);
        if (g && l->n_extra > 0)
            clear(g->extra, g->extra_pitch, base_pixel, pixels, (size_t)l->n_extra);
        sum.term[DETECT_TERM_CLS] +=
            class_pass(g ? g->cls + base_pixel * g->cls_pitch : NULL, g ? g->cls_pitch : 0,
                       l->cls + base_pixel * l->cls_pitch, l->cls_pitch, pixels, b->nc,
                       (float)job->scale[DETECT_TERM_CLS]);
        foreground_terms(&sum, job, i, picture, first, targets);
        first += pixels;
    }
    return sum;
}
