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

enum { LANES = 8, CLASS_CHUNK = 256, SIDES = 4 };

/* Targets of DFL stay this far below the last bin, so that the bin above exists: spec 3.3. */
static const float MOST_DISTANCE = 15.0f - 0.01f;

/* ---- classes ---- */

/* Adds up softplus: the sum is linear + log(product). */
typedef struct softplus_sum {
    double linear, product;
} softplus_sum;

/* n <= CLASS_CHUNK logits; gradient (NULL: none) gets scale * sigmoid. product grows at most
 * 2^n-fold. Plain loops one after the other: each becomes vector code, all in one would not. */
DETECT_INLINE void softplus_add(softplus_sum *s, float *gradient, const float *x, int n,
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
                softplus_add(&s, gradient + p * gradient_pitch + (size_t)c, x, width, scale);
            else
                softplus_add(&s, NULL, x, width, scale);
            if (s.product > 1e200) { /* room for 2^256 more */
                s.linear += log(s.product);
                s.product = 1;
            }
        }
    return s.linear + log(s.product);
}

/* ---- boxes ---- */

/* One side's distribution over distances. */
typedef struct side_bins {
    float p[DETECT_REG_MAX];
    double mean, log_sum; /* log of the sum of exponentials: -log p[b] = log_sum - logit[b] */
} side_bins;

static side_bins side_make(const float *logits)
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

/* Box and DFL loss of a foreground anchor in cells; gradient (NULL: none) holds zeros. */
static void box_terms(terms_sum *sum, float *gradient, const float *logits, int x, int y,
                      const float target_cells[4], float weight, const terms_scale *scale)
{
    float ax = (float)x + 0.5f, ay = (float)y + 0.5f;
    const float *t = target_cells;
    const float distance[SIDES] = {ax - t[0], ay - t[1], t[2] - ax, t[3] - ay};
    side_bins side[SIDES];
    double slope[4], ciou;
    for (int k = 0; k < SIDES; k++)
        side[k] = side_make(logits + k * DETECT_REG_MAX);
    const float pred[4] = {ax - (float)side[0].mean, ay - (float)side[1].mean,
                           ax + (float)side[2].mean, ay + (float)side[3].mean};
    ciou = detect_ciou_gradient(slope, pred, t);
    sum->box += (1 - ciou) * weight;
    for (int k = 0; k < SIDES; k++) {
        const float *z = logits + k * DETECT_REG_MAX;
        float *g = gradient ? gradient + k * DETECT_REG_MAX : NULL;
        sum->dfl +=
            weight * dfl_add(g, &side[k], z, distance[k], scale->dfl * weight / SIDES) / SIDES;
        if (!g)
            continue;
        /* Left and top go against their coordinate; the mean's slope by a logit is p (b - mean). */
        double s = scale->box * weight * (k < 2 ? slope[k] : -slope[k]);
        for (int b = 0; b < DETECT_REG_MAX; b++)
            g[b] += (float)(s * side[k].p[b] * (b - side[k].mean));
    }
}

/* ---- a picture ---- */

/* What the dense passes left out: anchors [first, first + pixels) that answer for objects. */
static void foreground_terms(terms_sum *sum, const detect_gradient *g, const detect_level *l,
                             size_t base_pixel, size_t first, const detect_targets *targets,
                             const terms_scale *scale)
{
    for (size_t p = 0; p < detect_level_pixels(l); p++) {
        int32_t index = targets->truth_index[first + p];
        if (index < 0)
            continue;
        const detect_truth *truth = &targets->truths[index];
        float weight = targets->weight[first + p], target[4];
        size_t at = base_pixel + p, c = (size_t)truth->class_index;
        for (int k = 0; k < 4; k++)
            target[k] = truth->xyxy[k] / l->stride;
        sum->n_foreground++;
        sum->cls -= (double)weight * l->cls[at * l->cls_pitch + c];
        if (g)
            g->cls[at * g->cls_pitch + c] -= (float)(scale->cls * weight);
        box_terms(sum, g ? g->box + at * g->box_pitch : NULL, l->box + at * l->box_pitch,
                  (int)(p % (size_t)l->w), (int)(p / (size_t)l->w), target, weight, scale);
    }
}

terms_sum terms_picture(const detect_gradient *gradients, const detect_level *levels, int n_levels,
                        int nc, int picture, const detect_targets *targets,
                        const terms_scale *scale)
{
    terms_sum sum = {0};
    size_t first = 0;
    for (int i = 0; i < n_levels; i++) {
        const detect_level *l = &levels[i];
        const detect_gradient *g = gradients ? &gradients[i] : NULL;
        size_t pixels = detect_level_pixels(l), base_pixel = (size_t)picture * pixels;
        for (size_t p = 0; g && p < pixels; p++)
            memset(g->box + (base_pixel + p) * g->box_pitch, 0,
                   DETECT_BOX_CHANNELS * sizeof(float));
        sum.cls += class_pass(g ? g->cls + base_pixel * g->cls_pitch : NULL, g ? g->cls_pitch : 0,
                              l->cls + base_pixel * l->cls_pitch, l->cls_pitch, pixels, nc,
                              (float)scale->cls);
        foreground_terms(&sum, g, l, base_pixel, first, targets, scale);
        first += pixels;
    }
    return sum;
}
