/* kind_loss.c: the training loss of raw head maps and labels: its terms, its gradient, and what the
 * assigner chose. */
#include <math.h>

#include "detect/detect.h"
#include "kind.h"
#include "targets.h"

/* Tolerances: the golden data's README. */
static const double loss_rel = 1e-4, gradient_abs = 1e-5, gradient_rel = 1e-3, score_abs = 1e-6,
                    score_rel = 1e-4, box_px = 1e-3;

static bool recognises(const gold_file *f)
{
    return gold_has(f, "raw0") && gold_has(f, "grad0") && gold_has(f, "targets") &&
           gold_has(f, "loss_items");
}

typedef struct scene {
    int nc, n, n_levels;
    detect_level level[DETECT_MAX_LEVELS];
    detect_gradient gradient[DETECT_MAX_LEVELS];
    detect_label *labels;
    size_t n_labels, n_anchors;
    detect_loss_gains gains;
    double n_free; /* foreground anchors without weight: the reference may choose others */
} scene;

static vg_status read_level(scene *s, gold_file *f, int k, int image_h, vg_error *err)
{
    gold_tensor raw;
    detect_level *l = &s->level[k];
    size_t channels = (size_t)(DETECT_BOX_CHANNELS + s->nc);
    vg_status st = gold_get(&raw, f, WEIGHTS_F32, 4, err, "raw%d", k);
    if (st != VG_OK)
        return st;
    if (raw.shape[1] != channels || raw.n == 0 || (k > 0 && raw.shape[0] != (size_t)s->n))
        return gold_bad(f, err, "raw%d is not (N, 64 + nc, H, W)", k);
    size_t pixels = raw.shape[2] * raw.shape[3];
    float *maps = gold_take(f, raw.n, sizeof *maps, err);
    float *slopes = maps ? gold_take(f, raw.n, sizeof *slopes, err) : NULL;
    if (!slopes)
        return VG_ERR_MEMORY;
    gold_to_nhwc(maps, raw.f32, raw.shape[0], channels, pixels);
    s->n = (int)raw.shape[0];
    *l = (detect_level){.box = maps,
                        .cls = maps + DETECT_BOX_CHANNELS,
                        .box_pitch = channels,
                        .cls_pitch = channels,
                        .h = (int)raw.shape[2],
                        .w = (int)raw.shape[3],
                        .stride = (float)image_h / (float)raw.shape[2]};
    s->gradient[k] = (detect_gradient){.box = slopes,
                                       .cls = slopes + DETECT_BOX_CHANNELS,
                                       .box_pitch = channels,
                                       .cls_pitch = channels};
    return VG_OK;
}

static vg_status open_scene(scene *s, gold_file *f, vg_error *err)
{
    int64_t nc = 0, image_h = 0;
    *s = (scene){.gains = DETECT_LOSS_GAINS};
    vg_status st = gold_meta_i64(&nc, f, "nc", 1, 65536, err);
    if (st == VG_OK)
        st = gold_meta_i64(&image_h, f, "imgh", 1, 65536, err);
    if (st == VG_OK)
        st = gold_meta_real(&s->n_free, f, "fg_with_zero_score", err);
    if (st == VG_OK && (nc == 0 || image_h == 0))
        st = gold_bad(f, err, "its metadata lacks nc or imgh");
    const char *gains = gold_meta_text(f, "gains", NULL);
    if (st == VG_OK && gains &&
        sscanf(gains, "%f,%f,%f", &s->gains.box, &s->gains.cls, &s->gains.dfl) != 3)
        st = gold_bad(f, err, "its metadata has gains \"%.40s\"", gains);
    s->nc = (int)nc;
    while (st == VG_OK && s->n_levels < DETECT_MAX_LEVELS && gold_has(f, "raw%d", s->n_levels))
        st = read_level(s, f, s->n_levels++, (int)image_h, err);
    if (st == VG_OK)
        s->n_anchors = detect_n_anchors(s->level, s->n_levels);
    return st == VG_OK ? gold_targets_read(&s->labels, &s->n_labels, f, err) : st;
}

static vg_status check_value(gold_file *f, gold_job *job, const detect_loss_value *v, vg_error *err)
{
    gold_tensor items, total, sum;
    vg_status st = gold_get(&items, f, WEIGHTS_F32, 1, err, "loss_items");
    if (st == VG_OK)
        st = gold_get(&total, f, WEIGHTS_F32, 1, err, "loss_total");
    if (st == VG_OK)
        st = gold_get(&sum, f, WEIGHTS_F32, 1, err, "target_scores_sum");
    if (st == VG_OK && (items.n != 3 || total.n != 1 || sum.n != 1))
        st = gold_bad(f, err, "its losses are not three, one and one");
    if (st != VG_OK)
        return st;
    gold_diff parts = gold_diff_make(0, loss_rel), whole = parts, scores = parts;
    gold_diff_add(&parts, v->items[0], items.f32[0]);
    gold_diff_add(&parts, v->items[1], items.f32[1]);
    gold_diff_add(&parts, v->items[2], items.f32[2]);
    gold_diff_add(&whole, v->total, total.f32[0]);
    gold_diff_add(&scores, fmax(v->scores_sum, 1), sum.f32[0]); /* the file's is raised to 1 */
    gold_report_row(job->report, &parts, "loss_items");
    gold_report_row(job->report, &whole, "loss_total");
    gold_report_row(job->report, &scores, "target_scores_sum");
    return VG_OK;
}

static vg_status check_gradients(gold_file *f, gold_job *job, const scene *s, vg_error *err)
{
    for (int k = 0; k < s->n_levels; k++) {
        gold_tensor want;
        vg_status st = gold_get(&want, f, WEIGHTS_F32, 4, err, "grad%d", k);
        if (st != VG_OK)
            return st;
        const detect_level *l = &s->level[k];
        size_t channels = l->box_pitch, pixels = (size_t)l->h * (size_t)l->w;
        if (want.n != (size_t)s->n * channels * pixels)
            return gold_bad(f, err, "grad%d has not the shape of raw%d", k, k);
        gold_diff d = gold_diff_make(gradient_abs, gradient_rel);
        for (size_t at = 0; at < want.n; at++) {
            size_t p = at % pixels, c = at / pixels % channels, i = at / pixels / channels;
            gold_diff_add(&d, s->gradient[k].box[(i * pixels + p) * channels + c], want.f32[at]);
        }
        gold_report_row(job->report, &d, "grad%d", k);
    }
    return VG_OK;
}

typedef struct assigned {
    gold_tensor labels, boxes, scores, mask, index;
} assigned;

static vg_status get_assigned(assigned *a, gold_file *f, const scene *s, vg_error *err)
{
    size_t n = (size_t)s->n * s->n_anchors;
    vg_status st = gold_get(&a->labels, f, WEIGHTS_I64, 2, err, "target_labels");
    if (st == VG_OK)
        st = gold_get(&a->boxes, f, WEIGHTS_F32, 3, err, "target_bboxes");
    if (st == VG_OK)
        st = gold_get(&a->scores, f, WEIGHTS_F32, 3, err, "target_scores");
    if (st == VG_OK)
        st = gold_get(&a->mask, f, WEIGHTS_U8, 2, err, "fg_mask");
    if (st == VG_OK)
        st = gold_get(&a->index, f, WEIGHTS_I64, 2, err, "target_gt_idx");
    if (st == VG_OK && (a->labels.n != n || a->boxes.n != 4 * n ||
                        a->scores.n != n * (size_t)s->nc || a->mask.n != n || a->index.n != n))
        st = gold_bad(f, err, "the assigner's tensors are not of %d pictures of %zu anchors", s->n,
                      s->n_anchors);
    return st;
}

/* What the reference writes for an anchor: background has the picture's first object; a batch
 * without objects the class nc. */
static void check_anchor(const scene *s, const assigned *a, const detect_targets *t, size_t anchor,
                         size_t at, gold_diff d[5])
{
    int32_t truth = t->truth_index[anchor];
    bool fg = truth >= 0;
    size_t nc = (size_t)s->nc;
    if (s->n_free > 0 && a->mask.u8[at] && !fg) { /* an anchor of weight 0: chosen at whim */
        double weight = 0;
        for (size_t c = 0; c < nc; c++)
            weight += a->scores.f32[at * nc + c];
        if (weight == 0)
            return;
    }
    const detect_truth none = {.class_index = s->n_labels == 0 ? s->nc : 0};
    const detect_truth *object = fg ? &t->truths[truth] : t->n_truths ? &t->truths[0] : &none;
    gold_diff_add(&d[0], fg, a->mask.u8[at]);
    gold_diff_add(&d[1], fg ? truth : 0, (double)a->index.i64[at]);
    gold_diff_add(&d[2], object->class_index, (double)a->labels.i64[at]);
    for (size_t c = 0; c < nc; c++)
        gold_diff_add(&d[3], fg && (int)c == object->class_index ? t->weight[anchor] : 0,
                      a->scores.f32[at * nc + c]);
    for (size_t k = 0; k < 4; k++)
        gold_diff_add(&d[4], object->xyxy[k], a->boxes.f32[4 * at + k]);
}

static vg_status check_assigned(gold_file *f, gold_job *job, const scene *s, const detect_loss *l,
                                vg_error *err)
{
    assigned a;
    vg_status st = get_assigned(&a, f, s, err);
    if (st != VG_OK)
        return st;
    gold_diff d[5] = {gold_diff_make(0, 0), gold_diff_make(0, 0), gold_diff_make(0, 0),
                      gold_diff_make(score_abs, score_rel), gold_diff_make(box_px, 0)};
    static const char *const names[5] = {"fg_mask", "target_gt_idx", "target_labels",
                                         "target_scores", "target_bboxes"};
    for (int i = 0; i < s->n; i++) {
        detect_targets t = detect_loss_targets(l, i);
        for (size_t k = 0; k < s->n_anchors; k++)
            check_anchor(s, &a, &t, k, (size_t)i * s->n_anchors + k, d);
    }
    for (int k = 0; k < 5; k++)
        gold_report_row(job->report, &d[k], "%s", names[k]);
    return VG_OK;
}

/* Objects in pixels, padded with zeros to the picture with most. */
static vg_status check_truths(gold_file *f, gold_job *job, const scene *s, const detect_loss *l,
                              vg_error *err)
{
    gold_tensor boxes, valid;
    if (!gold_has(f, "gt_xyxy") || !gold_has(f, "mask_gt"))
        return VG_OK;
    vg_status st = gold_get(&boxes, f, WEIGHTS_F32, 3, err, "gt_xyxy");
    if (st == VG_OK)
        st = gold_get(&valid, f, WEIGHTS_F32, 3, err, "mask_gt");
    if (st != VG_OK)
        return st;
    size_t most = boxes.shape[1];
    if (boxes.shape[0] != (size_t)s->n || boxes.shape[2] != 4 || valid.n != (size_t)s->n * most)
        return gold_bad(f, err, "gt_xyxy and mask_gt are not of %d pictures", s->n);
    gold_diff place = gold_diff_make(box_px, 0), mask = gold_diff_make(0, 0);
    for (size_t at = 0; at < valid.n; at++) {
        detect_targets t = detect_loss_targets(l, (int)(at / most));
        const float nothing[4] = {0};
        const float *box = at % most < t.n_truths ? t.truths[at % most].xyxy : nothing;
        for (size_t k = 0; k < 4; k++)
            gold_diff_add(&place, box[k], boxes.f32[4 * at + k]);
        gold_diff_add(&mask, box[0] + box[1] + box[2] + box[3] > 0, valid.f32[at]);
    }
    gold_report_row(job->report, &place, "gt_xyxy");
    gold_report_row(job->report, &mask, "mask_gt");
    return VG_OK;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    scene s;
    detect_loss *l = NULL;
    detect_loss_value v;
    vg_status st = open_scene(&s, f, err);
    if (st != VG_OK)
        return st;
    gold_report_note(job->report, "nc %d, %d pictures of %zu anchors, %zu labels", s.nc, s.n,
                     s.n_anchors, s.n_labels);
    const detect_loss_bounds bounds = {.most_batch = (size_t)s.n,
                                       .most_anchors = s.n_anchors,
                                       .most_labels = s.n_labels + 1,
                                       .n_threads = 1};
    const detect_batch batch = {.levels = s.level,
                                .n_levels = s.n_levels,
                                .nc = s.nc,
                                .batch = s.n,
                                .labels = s.labels,
                                .n_labels = s.n_labels};
    st = detect_loss_create(&l, &bounds, job->mem, err);
    if (st == VG_OK)
        st = detect_loss_run(l, &v, s.gradient, &batch, &s.gains, NULL, err);
    if (st == VG_OK)
        st = check_value(f, job, &v, err);
    if (st == VG_OK)
        st = check_gradients(f, job, &s, err);
    if (st == VG_OK)
        st = check_assigned(f, job, &s, l, err);
    if (st == VG_OK)
        st = check_truths(f, job, &s, l, err);
    detect_loss_destroy(&l);
    return st;
}

const gold_kind gold_kind_loss = {.name = "loss",
                                  .help = "the loss of head maps and labels, gradient, assignment",
                                  .recognises = recognises,
                                  .check = check};
