/* loss_rotated.c: the loss of turned boxes (T 3.3): probIoU in place of CIoU; distances by DFL as
 * if the box were not turned. */
#include <math.h>

#include "maths.h"
#include "rotated.h"
#include "terms.h"

static const double PI = 3.14159265358979323846;
static const float LEAST_PX = 2;

static vg_status check(const detect_batch *b, vg_error *err)
{
    for (int i = 0; i < b->n_levels; i++)
        if (b->levels[i].n_extra != 1 || b->levels[i].extra == NULL)
            return base_fail(err, VG_ERR_ARGUMENT, "the batch given to the loss",
                             "give the angle's map",
                             "%d numbers a cell beside boxes, not one angle", b->levels[i].n_extra);
    return VG_OK;
}

static bool make_truth(detect_truth *out, const detect_batch *b, size_t label)
{
    const detect_label *l = &b->labels[label];
    *out = detect_label_truth(b, label);
    float w_px = 0, h_px = 0;
    if (b->n_levels > 0) {
        w_px = (float)b->levels[0].w * b->levels[0].stride;
        h_px = (float)b->levels[0].h * b->levels[0].stride;
    }
    for (int k = 0; k < 4; k++)
        out->xywhr[k] = l->xywh_norm[k] * (k % 2 ? h_px : w_px);
    out->xywhr[4] = l->angle;
    /* Too small to learn; the reference takes the width by the input's height and the other way. */
    return l->xywh_norm[2] * h_px >= LEAST_PX && l->xywh_norm[3] * w_px >= LEAST_PX;
}

static void add_anchor(terms_sum *sum, const terms_anchor *a, const terms_job *job)
{
    const detect_level *l = a->level;
    const float *logits = l->box + a->at * l->box_pitch;
    const double z = l->extra[a->at * l->extra_pitch], part = 1 / (1 + exp(-z)),
                 theta = (part - 0.25) * PI, c = cos(theta), s = sin(theta);
    side_bins side[TERMS_SIDES];
    for (int k = 0; k < TERMS_SIDES; k++)
        side[k] = side_make(logits + k * DETECT_REG_MAX);
    const double left = side[0].mean, top = side[1].mean, right = side[2].mean,
                 bottom = side[3].mean, xf = (right - left) / 2, yf = (bottom - top) / 2;
    const float pred[5] = {(float)(a->x + 0.5 + xf * c - yf * s),
                           (float)(a->y + 0.5 + xf * s + yf * c), (float)(left + right),
                           (float)(top + bottom), (float)theta};
    float target[5];
    for (int k = 0; k < 4; k++)
        target[k] = a->truth->xywhr[k] / l->stride;
    target[4] = a->truth->xywhr[4];
    double by[5]; /* of probIoU by pred */
    const double iou = detect_probiou_gradient(by, pred, target);
    sum->term[DETECT_TERM_BOX] += (1 - iou) * a->weight;
    /* A side moves the centre by half its way, along the box's own axes. */
    const double along_x = (by[0] * c + by[1] * s) / 2, along_y = (by[1] * c - by[0] * s) / 2;
    const double by_distance[TERMS_SIDES] = {along_x - by[2], along_y - by[3], -along_x - by[2],
                                             -along_y - by[3]};
    terms_add_sides(sum, a, side, by_distance, job);
    if (a->gradient == NULL)
        return;
    const double by_theta = by[4] - by[0] * (xf * s + yf * c) + by[1] * (xf * c - yf * s);
    a->gradient->extra[a->at * a->gradient->extra_pitch] =
        (float)(-job->scale[DETECT_TERM_BOX] * a->weight * by_theta * PI * part * (1 - part));
}

const detect_loss_kind DETECT_LOSS_ROTATED = {
    .name = "rotated",
    .items = {DETECT_TERM_BOX, DETECT_TERM_CLS, DETECT_TERM_DFL},
    .n_items = 3,
    .shape = &DETECT_ASSIGN_ROTATED,
    .check = check,
    .truth = make_truth,
    .anchor = add_anchor,
};
