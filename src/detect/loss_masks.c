/* loss_masks.c: segment's loss (T 3.1): beside boxes the cross entropy of each foreground anchor's
 * mask, which is its coefficients times the picture's prototypes, within its object's box. Source:
 * Bolya et al., "YOLACT", ICCV 2019.
 *
 * One pass over the box's pixels, row by row: logits, cross entropy and its slope, and both
 * gradients, while the row's prototypes are in the cache. */
#include <math.h>

#include "maths.h"
#include "terms.h"

enum { MOST_CHANNELS = 256, LANES = 8 };

static vg_status check(const detect_batch *b, vg_error *err)
{
    const detect_extras *e = &b->extras;
    const detect_result *r = &b->result;
    for (int i = 0; i < b->n_levels; i++)
        if (r->data == NULL || r->channels < 1 || r->channels > MOST_CHANNELS || r->h < 1 ||
            r->w < 1 || b->levels[i].n_extra != r->channels || b->levels[i].extra == NULL)
            return base_fail(err, VG_ERR_ARGUMENT, "the batch given to the loss",
                             "give as many prototypes (256 at most) as a cell has coefficients",
                             "%d prototypes for %d coefficients", r->channels,
                             b->levels[i].n_extra);
    if (b->n_labels > 0 &&
        ((e->index_maps == NULL && e->masks == NULL) || e->mask_h < 1 || e->mask_w < 1))
        return base_fail(err, VG_ERR_ARGUMENT, "the batch given to the loss",
                         "give the labels' masks", "labels without masks");
    return VG_OK;
}

/* logits (n) of pixels. */
DETECT_WIDE static void row_logits(float *logits, const float *prototypes, size_t pitch, int n,
                                   const float *coefficients, int channels)
{
    for (int p = 0; p < n; p++) {
        const float *x = prototypes + (size_t)p * pitch;
        float lane[LANES] = {0};
        int k = 0;
        for (; k + LANES <= channels; k += LANES)
            for (int j = 0; j < LANES; j++)
                lane[j] += coefficients[k + j] * x[k + j];
        for (; k < channels; k++)
            lane[0] += coefficients[k] * x[k];
        logits[p] = ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
                    ((lane[4] + lane[5]) + (lane[6] + lane[7]));
    }
}

/* Adds slope times the one to the gradient of the other. */
DETECT_WIDE static void row_gradients(float *restrict by_coefficient, float *restrict by_prototype,
                                      size_t by_pitch, const float *prototypes, size_t pitch,
                                      const float *slope, int n, const float *coefficients,
                                      int channels)
{
    for (int p = 0; p < n; p++) {
        const float *x = prototypes + (size_t)p * pitch;
        float *restrict g = by_prototype + (size_t)p * by_pitch;
        for (int k = 0; k < channels; k++) {
            by_coefficient[k] += slope[p] * x[k];
            g[k] += slope[p] * coefficients[k];
        }
    }
}

/* A row of the object's mask, 0 or 1, in the prototypes' pixels. */
static void row_targets(float *target, const detect_batch *b, const terms_anchor *a, int y, int x0,
                        int n)
{
    const detect_extras *e = &b->extras;
    const size_t row = (size_t)y * (size_t)e->mask_h / (size_t)b->result.h,
                 map = (size_t)e->mask_h * (size_t)e->mask_w, at = row * (size_t)e->mask_w;
    const size_t w_in = (size_t)e->mask_w, w_out = (size_t)b->result.w;
    if (e->index_maps != NULL) {
        const int32_t *from = e->index_maps + (size_t)a->picture * map + at,
                      own = (int32_t)a->index_in_picture + 1;
        for (int i = 0; i < n; i++)
            target[i] = from[(size_t)(x0 + i) * w_in / w_out] == own;
    } else {
        const uint8_t *from = e->masks + (size_t)a->truth->label * map + at;
        for (int i = 0; i < n; i++)
            target[i] = from[(size_t)(x0 + i) * w_in / w_out] != 0;
    }
}

/* First pixel not before `at`, within 0..n. */
static int pixel_from(float at, int n)
{
    return (int)ceilf(detect_min(detect_max(at, 0), (float)n));
}

static void add_mask(terms_sum *sum, const terms_anchor *a, const terms_job *job)
{
    const detect_batch *b = job->batch;
    const detect_result *r = &b->result;
    const detect_level *in = &b->levels[0];
    const float w_px = (float)in->w * in->stride, h_px = (float)in->h * in->stride;
    const float *px = a->truth->xyxy,
                norm[4] = {px[0] / w_px, px[1] / h_px, px[2] / w_px, px[3] / h_px};
    const float area = (norm[2] - norm[0]) * (norm[3] - norm[1]);
    const int x0 = pixel_from(norm[0] * (float)r->w, r->w),
              x1 = pixel_from(norm[2] * (float)r->w, r->w),
              y0 = pixel_from(norm[1] * (float)r->h, r->h),
              y1 = pixel_from(norm[3] * (float)r->h, r->h);
    const double share = 1 / ((double)r->h * r->w * area);
    const float *coefficients = a->level->extra + a->at * a->level->extra_pitch;
    const bool learns = a->gradient != NULL && r->gradient != NULL;
    const float scale = learns ? (float)(job->scale[DETECT_TERM_SEG] * share) : 0;
    double by_coefficient[MOST_CHANNELS] = {0}, targets_sum = 0;
    softplus_sum softplus = {0, 1};
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x += TERMS_CHUNK) {
            const int n = x1 - x < TERMS_CHUNK ? x1 - x : TERMS_CHUNK;
            const size_t pixel =
                ((size_t)a->picture * (size_t)r->h + (size_t)y) * (size_t)r->w + (size_t)x;
            float m[TERMS_CHUNK], target[TERMS_CHUNK], slope[TERMS_CHUNK],
                by_row[MOST_CHANNELS] = {0};
            row_logits(m, r->data + pixel * r->pitch, r->pitch, n, coefficients, r->channels);
            row_targets(target, b, a, y, x, n);
            softplus_add(&softplus, learns ? slope : NULL, m, n, scale);
            for (int i = 0; i < n; i++)
                targets_sum += (double)target[i] * m[i];
            if (!learns)
                continue;
            for (int i = 0; i < n; i++)
                slope[i] -= scale * target[i];
            row_gradients(by_row, r->gradient + pixel * r->gradient_pitch, r->gradient_pitch,
                          r->data + pixel * r->pitch, r->pitch, slope, n, coefficients,
                          r->channels);
            for (int k = 0; k < r->channels; k++)
                by_coefficient[k] += by_row[k];
        }
    sum->term[DETECT_TERM_SEG] += (softplus_total(&softplus) - targets_sum) * share;
    if (!learns)
        return;
    float *g = a->gradient->extra + a->at * a->gradient->extra_pitch;
    for (int k = 0; k < r->channels; k++)
        g[k] = (float)by_coefficient[k];
}

static void add_anchor(terms_sum *sum, const terms_anchor *a, const terms_job *job)
{
    terms_add_box(sum, a, job);
    add_mask(sum, a, job);
}

const detect_loss_kind DETECT_LOSS_MASKS = {
    .name = "masks",
    .items = {DETECT_TERM_BOX, DETECT_TERM_SEG, DETECT_TERM_CLS, DETECT_TERM_DFL},
    .n_items = 4,
    .shape = &DETECT_ASSIGN_UPRIGHT,
    .check = check,
    .truth = terms_truth_upright,
    .anchor = add_anchor,
};
