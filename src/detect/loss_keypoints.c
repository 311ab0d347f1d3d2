/* loss_keypoints.c: pose's loss (T 3.2): beside boxes how near the keypoints are, by the measure
 * that they are judged with (OKS), and whether each is seen. Source: Maji et al., "YOLO-Pose",
 * CVPRW 2022; sigmas of 17 points: the COCO keypoint evaluation. */
#include <math.h>

#include "likeness.h"
#include "terms.h"

static vg_status check(const detect_batch *b, vg_error *err)
{
    const detect_extras *e = &b->extras;
    const int n = e->n_keypoints * e->keypoint_dims;
    for (int i = 0; i < b->n_levels; i++)
        if (e->n_keypoints < 1 || e->n_keypoints > DETECT_MOST_KEYPOINTS || e->keypoint_dims < 2 ||
            e->keypoint_dims > 3 || b->levels[i].n_extra != n || b->levels[i].extra == NULL ||
            (b->n_labels > 0 && e->keypoints == NULL))
            return base_fail(err, VG_ERR_ARGUMENT, "the batch given to the loss",
                             "give the labels' keypoints, as many as the model has",
                             "%d keypoints of %d numbers for %d numbers a cell", e->n_keypoints,
                             e->keypoint_dims, b->levels[i].n_extra);
    return VG_OK;
}

static void add_keypoints(terms_sum *sum, const terms_anchor *a, const terms_job *job)
{
    const detect_extras *e = &job->batch->extras;
    const detect_level *l = a->level, *in = &job->batch->levels[0];
    const int K = e->n_keypoints, D = e->keypoint_dims;
    const float *truth = e->keypoints + (size_t)a->truth->label * (size_t)K * 3;
    const float *r = l->extra + a->at * l->extra_pitch;
    float *g = a->gradient ? a->gradient->extra + a->at * a->gradient->extra_pitch : NULL;
    const double w_cells = (double)in->w * in->stride / l->stride,
                 h_cells = (double)in->h * in->stride / l->stride;
    const float *t = a->target_cells;
    const double area = ((double)t[2] - t[0]) * ((double)t[3] - t[1]) + 1e-9;
    float sigma[DETECT_MOST_KEYPOINTS];
    double seen = 1e-9;
    detect_keypoint_sigmas(sigma, K, D);
    for (int k = 0; k < K; k++)
        seen += truth[3 * k + 2] != 0;
    const double factor = K / seen;
    for (int k = 0; k < K; k++) {
        const float *z = r + k * D;
        const bool is_seen = truth[3 * k + 2] != 0;
        if (is_seen) {
            const double spread = 4.0 * sigma[k] * sigma[k] * area;
            const double dx = 2.0 * z[0] + a->x - truth[3 * k] * w_cells,
                         dy = 2.0 * z[1] + a->y - truth[3 * k + 1] * h_cells;
            const double near = exp(-(dx * dx + dy * dy) / (2 * spread));
            sum->term[DETECT_TERM_POSE] += factor * (1 - near);
            if (g != NULL) {
                const double s = job->scale[DETECT_TERM_POSE] * factor * near * 2 / spread;
                g[k * D] = (float)(s * dx);
                g[k * D + 1] = (float)(s * dy);
            }
        }
        if (D == 3) {
            const double x = z[2], e_x = exp(-fabs(x));
            sum->term[DETECT_TERM_KOBJ] += fmax(x, 0) + log1p(e_x) - (is_seen ? x : 0);
            if (g != NULL)
                g[k * D + 2] = (float)(job->scale[DETECT_TERM_KOBJ] *
                                       ((x >= 0 ? 1 : e_x) / (1 + e_x) - is_seen));
        }
    }
}

static void add_anchor(terms_sum *sum, const terms_anchor *a, const terms_job *job)
{
    terms_add_box(sum, a, job);
    add_keypoints(sum, a, job);
}

const detect_loss_kind DETECT_LOSS_KEYPOINTS = {
    .name = "keypoints",
    .items = {DETECT_TERM_BOX, DETECT_TERM_POSE, DETECT_TERM_KOBJ, DETECT_TERM_CLS,
              DETECT_TERM_DFL},
    .n_items = 5,
    .shape = &DETECT_ASSIGN_UPRIGHT,
    .check = check,
    .truth = terms_truth_upright,
    .anchor = add_anchor,
};
