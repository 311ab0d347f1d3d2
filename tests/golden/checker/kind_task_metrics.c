/* kind_task_metrics.c: metrics of the other tasks: masks, keypoints and turned boxes against
 * objects, with figures of their own beside the boxes'; the best classes of pictures. */
#include <math.h>
#include <string.h>

#include "detect/detect.h"
#include "kind.h"

static const double tolerance = 1e-6;

static bool recognises(const gold_file *f)
{
    return gold_has(f, "tp") && gold_has(f, "box.ap") && gold_has(f, "dets") && gold_has(f, "gts");
}

/* What the second tensors of a file are. */
typedef enum second { NO_SECOND, MASKS, KEYPOINTS } second;

typedef struct scene {
    gold_tensor dets, gts; /* rows img, box, conf, cls[, angle]; img, cls, box[, angle] */
    second second;
    bool is_rotated;
    int nc, n_pictures, n_keypoints, dims, h, w;
    /* of one picture */
    vg_detection *boxes;
    detect_truth *truths;
    float *turned, *turned_truths; /* (n, 5) */
    size_t n_boxes, n_truths, first_row;
    detect_bitmaps found, there;
    int32_t *map;
    float sigmas[DETECT_MOST_KEYPOINTS];
    detect_mask_pairs mask_pairs;
    detect_keypoint_pairs keypoint_pairs;
    detect_rotated_pairs rotated_pairs;
    uint16_t *tp, *taken;
} scene;

static vg_status open_masks(scene *s, gold_file *f, vg_error *err)
{
    gold_tensor map;
    const size_t n = s->dets.shape[0] + s->gts.shape[0] + 1;
    const vg_status st = gold_get(&map, f, WEIGHTS_U8, 2, err, "im0.gt_index_mask");
    if (st != VG_OK)
        return st;
    s->h = (int)map.shape[0];
    s->w = (int)map.shape[1];
    const size_t bytes = detect_bitmaps_bytes(n, s->h, s->w);
    void *found = bytes > 0 ? gold_take(f, bytes, 1, err) : NULL;
    void *there = found ? gold_take(f, bytes, 1, err) : NULL;
    s->map = there ? gold_take(f, map.n, sizeof *s->map, err) : NULL;
    if (s->map == NULL)
        return VG_ERR_MEMORY;
    s->found = detect_bitmaps_make(found, n, s->h, s->w);
    s->there = detect_bitmaps_make(there, n, s->h, s->w);
    return VG_OK;
}

static vg_status open_scene(scene *s, gold_file *f, vg_error *err)
{
    int64_t nc = 0;
    *s = (scene){0};
    vg_status st = gold_meta_i64(&nc, f, "nc", 1, 65536, err);
    if (st == VG_OK)
        st = gold_get(&s->dets, f, WEIGHTS_F32, 2, err, "dets");
    if (st == VG_OK)
        st = gold_get(&s->gts, f, WEIGHTS_F32, 2, err, "gts");
    if (st != VG_OK)
        return st;
    s->nc = (int)nc;
    s->is_rotated = s->gts.shape[1] == 7;
    if (nc == 0 || (s->gts.shape[1] != 6 && !s->is_rotated) ||
        s->dets.shape[1] != s->gts.shape[1] + 1)
        return gold_bad(f, err, "it is not nc, dets of 7 or 8 columns and gts of one less");
    s->second = gold_has(f, "im0.gt_index_mask") ? MASKS
                : gold_has(f, "im0.gt_kpts")     ? KEYPOINTS
                                                 : NO_SECOND;
    for (size_t i = 0; i < s->dets.shape[0]; i++)
        s->n_pictures = (int)fmaxf((float)s->n_pictures, s->dets.f32[s->dets.shape[1] * i] + 1);
    for (size_t i = 0; i < s->gts.shape[0]; i++)
        s->n_pictures = (int)fmaxf((float)s->n_pictures, s->gts.f32[s->gts.shape[1] * i] + 1);
    s->boxes = gold_take(f, s->dets.shape[0], sizeof *s->boxes, err);
    s->truths = s->boxes ? gold_take(f, s->gts.shape[0], sizeof *s->truths, err) : NULL;
    s->turned = s->truths ? gold_take(f, 5 * s->dets.shape[0], sizeof *s->turned, err) : NULL;
    s->turned_truths = s->turned ? gold_take(f, 5 * s->gts.shape[0], sizeof *s->turned, err) : NULL;
    s->tp = s->turned_truths ? gold_take(f, s->dets.shape[0], sizeof *s->tp, err) : NULL;
    s->taken = s->tp ? gold_take(f, s->gts.shape[0], sizeof *s->taken, err) : NULL;
    if (s->taken == NULL)
        return VG_ERR_MEMORY;
    return s->second == MASKS ? open_masks(s, f, err) : VG_OK;
}

/* dets are in the order of the pictures. */
static void choose_picture(scene *s, int picture)
{
    const size_t d_columns = s->dets.shape[1], g_columns = s->gts.shape[1];
    s->n_boxes = s->n_truths = 0;
    for (size_t i = 0; i < s->dets.shape[0]; i++) {
        const float *d = s->dets.f32 + d_columns * i;
        if ((int)d[0] != picture)
            continue;
        if (s->n_boxes == 0)
            s->first_row = i;
        const float turned[5] = {d[1], d[2], d[3], d[4], s->is_rotated ? d[7] : 0};
        memcpy(s->turned + 5 * s->n_boxes, turned, sizeof turned);
        s->boxes[s->n_boxes++] = (vg_detection){d[1], d[2], d[3], d[4], d[5], (int)d[6]};
    }
    for (size_t i = 0; i < s->gts.shape[0]; i++) {
        const float *t = s->gts.f32 + g_columns * i;
        if ((int)t[0] != picture)
            continue;
        const float turned[5] = {t[2], t[3], t[4], t[5], s->is_rotated ? t[6] : 0};
        memcpy(s->turned_truths + 5 * s->n_truths, turned, sizeof turned);
        s->truths[s->n_truths++] =
            (detect_truth){.xyxy = {t[2], t[3], t[4], t[5]}, .class_index = (int)t[1]};
    }
}

static vg_status take_masks(scene *s, gold_file *f, int picture, vg_error *err)
{
    gold_tensor map, found;
    vg_status st = gold_get(&map, f, WEIGHTS_U8, 2, err, "im%d.gt_index_mask", picture);
    if (st == VG_OK)
        st = gold_get(&found, f, WEIGHTS_U8, 3, err, "im%d.pred_masks", picture);
    const size_t pixels = (size_t)s->h * (size_t)s->w;
    if (st == VG_OK && (map.n != pixels || found.n != s->n_boxes * pixels))
        st = gold_bad(f, err, "masks of picture %d are of another size or number", picture);
    if (st != VG_OK)
        return st;
    for (size_t k = 0; k < pixels; k++)
        s->map[k] = map.u8[k];
    detect_bitmaps_split(&s->there, s->n_truths, s->map, s->h, s->w);
    float row[65536];
    for (size_t i = 0; i < s->n_boxes; i++) {
        detect_bitmaps_clear(&s->found, i);
        for (int y = 0; y < s->h; y++) {
            for (int x = 0; x < s->w; x++)
                row[x] = found.u8[(i * (size_t)s->h + (size_t)y) * (size_t)s->w + (size_t)x];
            detect_bitmaps_add_row(&s->found, i, y, 0, s->w, row, 0);
        }
        detect_bitmaps_count(&s->found, i);
    }
    s->mask_pairs = (detect_mask_pairs){&s->found, &s->there};
    return VG_OK;
}

static vg_status take_keypoints(scene *s, gold_file *f, int picture, vg_error *err)
{
    gold_tensor found, there;
    vg_status st = gold_get(&found, f, WEIGHTS_F32, 3, err, "im%d.pred_kpts", picture);
    if (st == VG_OK)
        st = gold_get(&there, f, WEIGHTS_F32, 3, err, "im%d.gt_kpts", picture);
    if (st == VG_OK && (there.shape[0] != s->n_truths || found.shape[0] != s->n_boxes ||
                        there.shape[2] != 3 || there.shape[1] > DETECT_MOST_KEYPOINTS ||
                        found.shape[1] != there.shape[1] || found.shape[2] < 2))
        st = gold_bad(f, err, "keypoints of picture %d are of another shape", picture);
    if (st != VG_OK)
        return st;
    const int n = (int)there.shape[1], dims = (int)found.shape[2];
    detect_keypoint_sigmas(s->sigmas, n, dims);
    s->keypoint_pairs = (detect_keypoint_pairs){.n_keypoints = n,
                                                .dims = dims,
                                                .sigmas = s->sigmas,
                                                .dets = found.f32,
                                                .truths = there.f32,
                                                .boxes = s->truths};
    return VG_OK;
}

/* The matrix (n_truths, n_boxes) of a picture, which is in the file where both are there. */
static vg_status check_matrix(gold_file *f, gold_job *job, const scene *s, const char *name,
                              int picture, const detect_likeness *alike, double abs,
                              gold_diff *group, vg_error *err)
{
    gold_tensor want;
    if (s->n_boxes == 0 || s->n_truths == 0)
        return VG_OK;
    const vg_status st = gold_get(&want, f, WEIGHTS_F32, 2, err, "im%d.%s", picture, name);
    if (st != VG_OK)
        return st;
    if (want.shape[0] != s->n_truths || want.shape[1] != s->n_boxes)
        return gold_bad(f, err, "%s of picture %d has another shape", name, picture);
    gold_diff d = gold_diff_make(abs, 0);
    for (size_t g = 0; g < s->n_truths; g++)
        for (size_t k = 0; k < s->n_boxes; k++)
            gold_diff_add(&d, alike->of(alike->ctx, k, g), want.f32[g * s->n_boxes + k]);
    gold_report_member(job->report, &d, group, "im%d.%s", picture, name);
    return VG_OK;
}

static vg_status check_tp(gold_file *f, scene *s, const char *name, const detect_likeness *alike,
                          gold_diff *group, vg_error *err)
{
    gold_tensor want;
    const vg_status st = gold_get(&want, f, WEIGHTS_U8, 2, err, "%s", name);
    if (st != VG_OK)
        return st;
    if (want.n != s->dets.shape[0] * DETECT_N_IOU)
        return gold_bad(f, err, "%s is not 10 columns for each detection", name);
    detect_match(s->tp, s->boxes, s->n_boxes, s->truths, s->n_truths, alike, s->taken,
                 DETECT_AP_8_3);
    for (size_t k = 0; k < s->n_boxes; k++)
        for (size_t t = 0; t < DETECT_N_IOU; t++)
            gold_diff_add(group, s->tp[k] >> t & 1, want.u8[(s->first_row + k) * DETECT_N_IOU + t]);
    return VG_OK;
}

typedef struct diffs {
    gold_diff matrix, tp, tp2;
} diffs;

static vg_status check_picture(gold_file *f, gold_job *job, scene *s, detect_metrics *m,
                               int picture, diffs *d, vg_error *err)
{
    choose_picture(s, picture);
    detect_scene all = {
        .dets = s->boxes, .n_dets = s->n_boxes, .truths = s->truths, .n_truths = s->n_truths};
    vg_status st = VG_OK;
    if (s->is_rotated) {
        s->rotated_pairs = (detect_rotated_pairs){s->turned, s->turned_truths};
        all.boxes = detect_likeness_of_rotated(&s->rotated_pairs);
        st = check_matrix(f, job, s, "probiou", picture, &all.boxes, 5e-5, &d->matrix, err);
    }
    if (s->second == MASKS && (st = take_masks(s, f, picture, err)) == VG_OK) {
        all.second = detect_likeness_of_masks(&s->mask_pairs);
        st = check_matrix(f, job, s, "mask_iou", picture, &all.second, 0, &d->matrix, err);
    }
    if (s->second == KEYPOINTS && (st = take_keypoints(s, f, picture, err)) == VG_OK) {
        all.second = detect_likeness_of_keypoints(&s->keypoint_pairs);
        st = check_matrix(f, job, s, "oks", picture, &all.second, tolerance, &d->matrix, err);
    }
    if (st == VG_OK)
        st = check_tp(f, s, "tp", &all.boxes, &d->tp, err);
    if (st == VG_OK && s->second != NO_SECOND)
        st = check_tp(f, s, "tp2", &all.second, &d->tp2, err);
    return st == VG_OK ? detect_metrics_add_scene(m, &all, err) : st;
}

static vg_status check_numbers(gold_file *f, gold_job *job, const char *group, const char *name,
                               const double *got, size_t n, vg_error *err)
{
    gold_tensor want;
    const vg_status st = gold_get(&want, f, WEIGHTS_F64, 0, err, "%s%s", group, name);
    if (st != VG_OK)
        return st;
    if (want.n != n)
        return gold_bad(f, err, "%s%s has %zu elements, not %zu", group, name, want.n, n);
    gold_diff d = gold_diff_make(tolerance, 0);
    for (size_t i = 0; i < n; i++)
        gold_diff_add(&d, got[i], want.f64[i]);
    if (n)
        gold_report_row(job->report, &d, "%s%s", group, name);
    return VG_OK;
}

static vg_status check_figures(gold_file *f, gold_job *job, const char *group,
                               const detect_metrics_result *r, const detect_figures *g,
                               vg_error *err)
{
    const double means[] = {g->mean_p, g->mean_r, g->map50, g->map};
    gold_tensor classes;
    vg_status st = check_numbers(f, job, group, "ap", g->ap, r->n_classes * DETECT_N_IOU, err);
    if (st == VG_OK)
        st = check_numbers(f, job, group, "p", g->p, r->n_classes, err);
    if (st == VG_OK)
        st = check_numbers(f, job, group, "r", g->r, r->n_classes, err);
    if (st == VG_OK)
        st = check_numbers(f, job, group, "f1", g->f1, r->n_classes, err);
    if (st == VG_OK)
        st = check_numbers(f, job, group, "mean_results", means, 4, err);
    if (st == VG_OK)
        st = gold_get(&classes, f, WEIGHTS_I64, 1, err, "%sap_class_index", group);
    if (st == VG_OK && classes.n != r->n_classes)
        st = gold_bad(f, err, "%sap_class_index has %zu classes, not %zu", group, classes.n,
                      r->n_classes);
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(0, 0);
    for (size_t i = 0; i < classes.n; i++)
        gold_diff_add(&d, r->classes[i], (double)classes.i64[i]);
    if (classes.n)
        gold_report_row(job->report, &d, "%sap_class_index", group);
    return VG_OK;
}

static vg_status check_confusion(gold_file *f, gold_job *job, const detect_metrics_result *r,
                                 vg_error *err)
{
    gold_tensor want;
    const size_t n = (size_t)r->n_confused * (size_t)r->n_confused;
    const vg_status st = gold_get(&want, f, WEIGHTS_F64, 2, err, "confusion");
    if (st != VG_OK)
        return st;
    if (want.n != n)
        return gold_bad(f, err, "confusion has %zu elements, not %zu", want.n, n);
    gold_diff d = gold_diff_make(0, 0);
    for (size_t i = 0; i < n; i++)
        gold_diff_add(&d, (double)r->confusion[i], want.f64[i]);
    gold_report_row(job->report, &d, "confusion");
    return VG_OK;
}

static vg_status check_result(gold_file *f, gold_job *job, const detect_metrics_result *r, int nc,
                              vg_error *err)
{
    double means[4 * DETECT_MOST_FIGURES];
    vg_status st = VG_OK;
    for (int k = 0; k < r->n_figures && st == VG_OK; k++) {
        const detect_figures *g = &r->figures[k];
        memcpy(means + 4 * k, (double[]){g->mean_p, g->mean_r, g->map50, g->map},
               4 * sizeof *means);
        st = check_figures(f, job, k == 0 ? "box." : "second.", r, g, err);
    }
    if (st == VG_OK)
        st = check_numbers(f, job, "", "mean_results", means, 4 * (size_t)r->n_figures, err);
    if (st == VG_OK)
        st = check_numbers(f, job, "", "maps", r->maps, (size_t)nc, err);
    if (st == VG_OK)
        st = check_numbers(f, job, "", "fitness", &r->fitness, 1, err);
    return st == VG_OK ? check_confusion(f, job, r, err) : st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    scene s;
    detect_metrics *m = NULL;
    detect_metrics_result result;
    diffs d = {gold_diff_make(1e-6, 0), gold_diff_make(0, 0), gold_diff_make(0, 0)};
    vg_status st = open_scene(&s, f, err);
    if (st != VG_OK)
        return st;
    const size_t n = s.dets.shape[0] + 1, n_truths = s.gts.shape[0] + 1;
    const detect_metrics_bounds bounds = {.nc = s.nc,
                                          .most_detections = n,
                                          .most_picture_detections = n,
                                          .most_picture_truths = n_truths,
                                          .n_figures = s.second == NO_SECOND ? 1 : 2};
    st = detect_metrics_create(&m, &bounds, 0.25f, job->mem, err);
    for (int i = 0; i < s.n_pictures && st == VG_OK; i++)
        st = check_picture(f, job, &s, m, i, &d, err);
    if (st == VG_OK) {
        gold_report_row(job->report, &d.matrix, "likeness");
        gold_report_row(job->report, &d.tp, "tp");
        if (s.second != NO_SECOND)
            gold_report_row(job->report, &d.tp2, "tp2");
        detect_metrics_make_result(m, &result);
        st = check_result(f, job, &result, s.nc, err);
    }
    detect_metrics_destroy(&m);
    return st;
}

const gold_kind gold_kind_task_metrics = {.name = "task_metrics",
                                          .help = "masks, keypoints, turned boxes: true "
                                                  "positives, average precision, confusion",
                                          .recognises = recognises,
                                          .check = check};

/* ---- classes of pictures ---- */

/* The first five of the descending order; of equals the first. */
static size_t pick(vg_class_score *top, const float *probs, int nc)
{
    size_t n = 0;
    for (; n < 5 && n < (size_t)nc; n++) {
        int best = -1;
        for (int c = 0; c < nc; c++) {
            bool is_taken = false;
            for (size_t k = 0; k < n; k++)
                is_taken |= top[k].class_index == c;
            if (!is_taken && (best < 0 || probs[c] > probs[best]))
                best = c;
        }
        top[n] = (vg_class_score){best, probs[best]};
    }
    return n;
}

static bool recognises_ranks(const gold_file *f)
{
    return gold_has(f, "top1_acc") && gold_has(f, "probs") && gold_has(f, "target");
}

static vg_status check_ranks(gold_file *f, gold_job *job, vg_error *err)
{
    gold_tensor probs, target, want;
    gold_diff order = gold_diff_make(0, 0);
    detect_metrics *m = NULL;
    detect_metrics_result r;
    vg_status st = gold_get(&probs, f, WEIGHTS_F32, 2, err, "probs");
    if (st == VG_OK)
        st = gold_get(&target, f, WEIGHTS_I64, 1, err, "target");
    if (st == VG_OK)
        st = gold_get(&want, f, WEIGHTS_I32, 2, err, "top5");
    if (st == VG_OK && (target.n != probs.shape[0] || probs.shape[1] == 0))
        st = gold_bad(f, err, "targets are not one for each row of probs");
    if (st != VG_OK)
        return st;
    const int nc = (int)probs.shape[1];
    const detect_metrics_bounds bounds = {.nc = nc,
                                          .most_detections = 1,
                                          .most_picture_detections = 1,
                                          .most_picture_truths = 1,
                                          .has_no_boxes = true};
    st = detect_metrics_create(&m, &bounds, 0.25f, job->mem, err);
    for (size_t i = 0; i < target.n && st == VG_OK; i++) {
        vg_class_score top[5];
        const size_t n = pick(top, probs.f32 + i * (size_t)nc, nc);
        for (size_t k = 0; k < n && want.n >= (i + 1) * n; k++)
            gold_diff_add(&order, top[k].class_index, want.i32[i * n + k]);
        st = detect_metrics_rank(m, top, n, (int)target.i64[i], err);
    }
    if (st == VG_OK) {
        gold_report_row(job->report, &order, "top5");
        detect_metrics_make_result(m, &r);
        st = check_numbers(f, job, "", "top1_acc", &r.top1, 1, err);
    }
    if (st == VG_OK)
        st = check_numbers(f, job, "", "top5_acc", &r.top5, 1, err);
    if (st == VG_OK)
        st = check_numbers(f, job, "", "fitness", &r.fitness, 1, err);
    if (st == VG_OK)
        st = check_confusion(f, job, &r, err);
    detect_metrics_destroy(&m);
    return st;
}

const gold_kind gold_kind_rank_metrics = {.name = "rank_metrics",
                                          .help = "classes of pictures: top-1, top-5, confusion",
                                          .recognises = recognises_ranks,
                                          .check = check_ranks};
