/* kind_task_loss.c: the losses of segment, pose, obb and classify: items, gradients of all maps,
 * and what the assigner chose. */
#include <math.h>

#include "detect/detect.h"
#include "kind.h"
#include "targets.h"

/* Tolerances: the golden data's README. */
static const double loss_rel = 1e-4, gradient_abs = 1e-5, gradient_rel = 1e-3, score_abs = 1e-6,
                    score_rel = 1e-4, box_px = 1e-3;

/* How a task's maps are named, and what its loss is. */
typedef struct task_names {
    const char *extra; /* (N, E, A), and "grad_" of it */
    const detect_loss_kind *kind;
    size_t box_floats; /* of target_bboxes, pixels */
} task_names;

static const task_names *names_of(const gold_file *f)
{
    static const task_names names[] = {{"mc", &DETECT_LOSS_MASKS, 4},
                                       {"kpt_raw", &DETECT_LOSS_KEYPOINTS, 4},
                                       {"angle_logit", &DETECT_LOSS_ROTATED, 5}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (gold_has(f, "grad_%s", names[i].extra))
            return &names[i];
    return NULL;
}

static bool recognises(const gold_file *f)
{
    return gold_has(f, "raw0") && gold_has(f, "grad_raw0") && gold_has(f, "targets") &&
           gold_has(f, "loss_items") && names_of(f) != NULL;
}

typedef struct scene {
    const task_names *names;
    detect_batch batch;
    detect_level level[DETECT_MAX_LEVELS];
    detect_gradient gradient[DETECT_MAX_LEVELS];
    detect_label *labels;
    size_t n_anchors;
} scene;

static vg_status read_level(scene *s, gold_file *f, int k, int image_h, vg_error *err)
{
    gold_tensor raw;
    const vg_status st = gold_get(&raw, f, WEIGHTS_F32, 4, err, "raw%d", k);
    const size_t channels = (size_t)(DETECT_BOX_CHANNELS + s->batch.nc);
    if (st != VG_OK)
        return st;
    if (raw.shape[1] != channels || raw.n == 0 || (k > 0 && raw.shape[0] != (size_t)s->batch.batch))
        return gold_bad(f, err, "raw%d is not (N, 64 + nc, H, W)", k);
    float *maps = gold_take(f, raw.n, sizeof *maps, err);
    float *slopes = maps ? gold_take(f, raw.n, sizeof *slopes, err) : NULL;
    if (!slopes)
        return VG_ERR_MEMORY;
    gold_to_nhwc(maps, raw.f32, raw.shape[0], channels, raw.shape[2] * raw.shape[3]);
    s->batch.batch = (int)raw.shape[0];
    s->level[k] = (detect_level){.box = maps,
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

/* (N, E, A) to a map a level. */
static vg_status read_extra(scene *s, gold_file *f, vg_error *err)
{
    gold_tensor t;
    const vg_status st = gold_get(&t, f, WEIGHTS_F32, 3, err, "%s", s->names->extra);
    if (st != VG_OK)
        return st;
    const size_t n = (size_t)s->batch.batch, channels = t.shape[1];
    if (t.shape[0] != n || t.shape[2] != s->n_anchors)
        return gold_bad(f, err, "%s is not of %zu anchors", s->names->extra, s->n_anchors);
    float *maps = gold_take(f, t.n, sizeof *maps, err);
    float *slopes = maps ? gold_take(f, t.n, sizeof *slopes, err) : NULL;
    if (!slopes)
        return VG_ERR_MEMORY;
    for (int k = 0, first = 0; k < s->batch.n_levels; k++) {
        detect_level *l = &s->level[k];
        const int pixels = l->h * l->w;
        l->extra = maps;
        l->extra_pitch = s->gradient[k].extra_pitch = channels;
        l->n_extra = (int)channels;
        s->gradient[k].extra = slopes;
        for (size_t i = 0; i < n; i++)
            for (size_t p = 0; p < (size_t)pixels; p++)
                for (size_t c = 0; c < channels; c++)
                    maps[(i * (size_t)pixels + p) * channels + c] =
                        t.f32[(i * channels + c) * s->n_anchors + (size_t)first + p];
        maps += n * (size_t)pixels * channels;
        slopes += n * (size_t)pixels * channels;
        first += pixels;
    }
    return VG_OK;
}

static vg_status read_prototypes(scene *s, gold_file *f, vg_error *err)
{
    gold_tensor proto;
    const vg_status st = gold_get(&proto, f, WEIGHTS_F32, 4, err, "proto");
    if (st != VG_OK)
        return st;
    float *maps = gold_take(f, proto.n, sizeof *maps, err);
    float *slopes = maps ? gold_take(f, proto.n, sizeof *slopes, err) : NULL;
    if (!slopes)
        return VG_ERR_MEMORY;
    gold_to_nhwc(maps, proto.f32, proto.shape[0], proto.shape[1], proto.shape[2] * proto.shape[3]);
    s->batch.result = (detect_result){.data = maps,
                                      .pitch = proto.shape[1],
                                      .h = (int)proto.shape[2],
                                      .w = (int)proto.shape[3],
                                      .channels = (int)proto.shape[1],
                                      .gradient = slopes,
                                      .gradient_pitch = proto.shape[1]};
    return VG_OK;
}

static vg_status open_scene(scene *s, gold_file *f, vg_error *err)
{
    int64_t nc = 0, image_h = 0;
    *s = (scene){.names = names_of(f)};
    vg_status st = gold_meta_i64(&nc, f, "nc", 1, 65536, err);
    if (st == VG_OK)
        st = gold_meta_i64(&image_h, f, "imgh", 1, 65536, err);
    if (st == VG_OK && (nc == 0 || image_h == 0))
        st = gold_bad(f, err, "its metadata lacks nc or imgh");
    detect_batch *b = &s->batch;
    b->nc = (int)nc;
    b->levels = s->level;
    while (st == VG_OK && b->n_levels < DETECT_MAX_LEVELS && gold_has(f, "raw%d", b->n_levels))
        st = read_level(s, f, b->n_levels++, (int)image_h, err);
    if (st != VG_OK)
        return st;
    s->n_anchors = detect_n_anchors(s->level, b->n_levels);
    st = gold_targets_read(&s->labels, &b->n_labels, f, err);
    b->labels = s->labels;
    if (st == VG_OK)
        st = read_extra(s, f, err);
    if (st == VG_OK && gold_has(f, "proto"))
        st = read_prototypes(s, f, err);
    return st == VG_OK ? gold_extras_read(&b->extras, f, (size_t)b->batch, b->n_labels,
                                          s->level[0].n_extra, err)
                       : st;
}

static vg_status check_value(gold_file *f, gold_job *job, const detect_loss_value *v, vg_error *err)
{
    gold_tensor items, total, sum;
    vg_status st = gold_get(&items, f, WEIGHTS_F32, 1, err, "loss_items");
    if (st == VG_OK)
        st = gold_get(&total, f, WEIGHTS_F32, 1, err, "loss_total");
    if (st == VG_OK)
        st = gold_get(&sum, f, WEIGHTS_F32, 1, err, "target_scores_sum");
    if (st == VG_OK && (items.n != (size_t)v->n_items || total.n != 1 || sum.n != 1))
        st = gold_bad(f, err, "its losses are not %d, one and one", v->n_items);
    if (st != VG_OK)
        return st;
    gold_diff parts = gold_diff_make(0, loss_rel), whole = parts, scores = parts;
    for (size_t k = 0; k < items.n; k++)
        gold_diff_add(&parts, v->items[k], items.f32[k]);
    gold_diff_add(&whole, v->total, total.f32[0]);
    gold_diff_add(&scores, fmax(v->scores_sum, 1), sum.f32[0]);
    gold_report_row(job->report, &parts, "loss_items");
    gold_report_row(job->report, &whole, "loss_total");
    gold_report_row(job->report, &scores, "target_scores_sum");
    return VG_OK;
}

/* want: (N, channels, pixels) at column `first` of `columns`; got: (N, pixels, channels). */
static void compare_map(gold_diff *d, const float *got, const float *want, size_t n,
                        size_t channels, size_t pixels, size_t first, size_t columns)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < pixels; p++)
                gold_diff_add(d, got[(i * pixels + p) * channels + c],
                              want[(i * channels + c) * columns + first + p]);
}

static vg_status check_gradients(gold_file *f, gold_job *job, const scene *s, vg_error *err)
{
    const size_t n = (size_t)s->batch.batch;
    gold_tensor extra;
    vg_status st = gold_get(&extra, f, WEIGHTS_F32, 3, err, "grad_%s", s->names->extra);
    if (st != VG_OK)
        return st;
    gold_diff of_extra = gold_diff_make(gradient_abs, gradient_rel);
    if (extra.n != n * (size_t)s->level[0].n_extra * s->n_anchors)
        return gold_bad(f, err, "grad_%s has not the shape of %s", s->names->extra,
                        s->names->extra);
    for (size_t k = 0, first = 0; k < (size_t)s->batch.n_levels; k++) {
        gold_tensor want;
        const detect_level *l = &s->level[k];
        const size_t channels = l->box_pitch, pixels = (size_t)l->h * (size_t)l->w;
        st = gold_get(&want, f, WEIGHTS_F32, 4, err, "grad_raw%zu", k);
        if (st != VG_OK)
            return st;
        if (want.n != n * channels * pixels)
            return gold_bad(f, err, "grad_raw%zu has not the shape of raw%zu", k, k);
        gold_diff d = gold_diff_make(gradient_abs, gradient_rel);
        compare_map(&d, s->gradient[k].box, want.f32, n, channels, pixels, 0, pixels);
        gold_report_row(job->report, &d, "grad_raw%zu", k);
        compare_map(&of_extra, s->gradient[k].extra, extra.f32, n, (size_t)l->n_extra, pixels,
                    first, s->n_anchors);
        first += pixels;
    }
    gold_report_row(job->report, &of_extra, "grad_%s", s->names->extra);
    const detect_result *r = &s->batch.result;
    if (r->data == NULL)
        return VG_OK;
    gold_tensor want;
    st = gold_get(&want, f, WEIGHTS_F32, 4, err, "grad_proto");
    const size_t pixels = (size_t)r->h * (size_t)r->w;
    if (st == VG_OK && want.n != n * (size_t)r->channels * pixels)
        st = gold_bad(f, err, "grad_proto has not the shape of proto");
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(gradient_abs, gradient_rel);
    compare_map(&d, r->gradient, want.f32, n, (size_t)r->channels, pixels, 0, pixels);
    gold_report_row(job->report, &d, "grad_proto");
    return VG_OK;
}

typedef struct assigned {
    gold_tensor boxes, scores, mask, index;
} assigned;

static vg_status get_assigned(assigned *a, gold_file *f, const scene *s, vg_error *err)
{
    const size_t n = (size_t)s->batch.batch * s->n_anchors;
    vg_status st = gold_get(&a->boxes, f, WEIGHTS_F32, 3, err, "target_bboxes");
    if (st == VG_OK)
        st = gold_get(&a->scores, f, WEIGHTS_F32, 3, err, "target_scores");
    if (st == VG_OK)
        st = gold_get(&a->mask, f, WEIGHTS_U8, 2, err, "fg_mask");
    if (st == VG_OK)
        st = gold_get(&a->index, f, WEIGHTS_I64, 2, err, "target_gt_idx");
    if (st == VG_OK &&
        (a->boxes.n != s->names->box_floats * n || a->scores.n != n * (size_t)s->batch.nc ||
         a->mask.n != n || a->index.n != n))
        st = gold_bad(f, err, "the assigner's tensors are not of %d pictures of %zu anchors",
                      s->batch.batch, s->n_anchors);
    return st;
}

/* Background has whatever the reference left there: only foreground is compared past the mask. */
static void check_anchor(const scene *s, const assigned *a, const detect_targets *t, size_t anchor,
                         size_t at, gold_diff d[4])
{
    const int32_t truth = t->truth_index[anchor];
    const bool fg = truth >= 0;
    const size_t nc = (size_t)s->batch.nc, floats = s->names->box_floats;
    gold_diff_add(&d[0], fg, a->mask.u8[at]);
    for (size_t c = 0; c < nc; c++)
        gold_diff_add(&d[2], fg && (int)c == t->truths[truth].class_index ? t->weight[anchor] : 0,
                      a->scores.f32[at * nc + c]);
    if (!fg)
        return;
    gold_diff_add(&d[1], truth, (double)a->index.i64[at]);
    const float *box = floats == 5 ? t->truths[truth].xywhr : t->truths[truth].xyxy;
    for (size_t k = 0; k < floats; k++)
        gold_diff_add(&d[3], box[k], a->boxes.f32[floats * at + k]);
}

static vg_status check_assigned(gold_file *f, gold_job *job, const scene *s, const detect_loss *l,
                                vg_error *err)
{
    assigned a;
    const vg_status st = get_assigned(&a, f, s, err);
    if (st != VG_OK)
        return st;
    gold_diff d[4] = {gold_diff_make(0, 0), gold_diff_make(0, 0),
                      gold_diff_make(score_abs, score_rel), gold_diff_make(box_px, 0)};
    static const char *const names[4] = {"fg_mask", "target_gt_idx", "target_scores",
                                         "target_bboxes"};
    for (size_t i = 0; i < (size_t)s->batch.batch; i++) {
        const detect_targets t = detect_loss_targets(l, (int)i);
        for (size_t k = 0; k < s->n_anchors; k++)
            check_anchor(s, &a, &t, k, i * s->n_anchors + k, d);
    }
    for (int k = 0; k < 4; k++)
        if (d[k].n > 0)
            gold_report_row(job->report, &d[k], "%s", names[k]);
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
    gold_report_note(job->report, "nc %d, %d pictures of %zu anchors, %zu labels", s.batch.nc,
                     s.batch.batch, s.n_anchors, s.batch.n_labels);
    const detect_loss_bounds bounds = {.most_batch = (size_t)s.batch.batch,
                                       .most_anchors = s.n_anchors,
                                       .most_labels = s.batch.n_labels + 1,
                                       .n_threads = 1,
                                       .kind = s.names->kind};
    st = detect_loss_create(&l, &bounds, job->mem, err);
    if (st == VG_OK)
        st = detect_loss_run(l, &v, s.gradient, &s.batch, &DETECT_LOSS_GAINS, NULL, err);
    if (st == VG_OK)
        st = check_value(f, job, &v, err);
    if (st == VG_OK)
        st = check_gradients(f, job, &s, err);
    if (st == VG_OK)
        st = check_assigned(f, job, &s, l, err);
    detect_loss_destroy(&l);
    return st;
}

const gold_kind gold_kind_task_loss = {.name = "task loss",
                                       .help = "the losses of masks, keypoints and turned boxes",
                                       .recognises = recognises,
                                       .check = check};

/* ---- classify ---- */

static bool recognises_classes(const gold_file *f)
{
    return gold_has(f, "logits") && gold_has(f, "grad_logits") && gold_has(f, "val_loss");
}

static vg_status check_classes(gold_file *f, gold_job *job, vg_error *err)
{
    gold_tensor logits, target, loss, items, slope, val;
    vg_status st = gold_get(&logits, f, WEIGHTS_F32, 2, err, "logits");
    if (st == VG_OK)
        st = gold_get(&target, f, WEIGHTS_I64, 1, err, "target");
    if (st == VG_OK)
        st = gold_get(&loss, f, WEIGHTS_F32, 1, err, "loss");
    if (st == VG_OK)
        st = gold_get(&items, f, WEIGHTS_F32, 1, err, "loss_items");
    if (st == VG_OK)
        st = gold_get(&slope, f, WEIGHTS_F32, 2, err, "grad_logits");
    if (st == VG_OK)
        st = gold_get(&val, f, WEIGHTS_F32, 1, err, "val_loss");
    if (st != VG_OK)
        return st;
    const size_t n = logits.shape[0], nc = logits.shape[1];
    if (target.n != n || slope.n != logits.n || loss.n != 1 || items.n != 1 || val.n != 1)
        return gold_bad(f, err, "its tensors are not of %zu pictures", n);
    detect_label *labels = gold_take(f, n, sizeof *labels, err);
    float *got = labels ? gold_take(f, logits.n, sizeof *got, err) : NULL;
    if (!got)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        labels[i] = (detect_label){.picture = (int)i, .class_index = (int)target.i64[i]};
    detect_batch b = {.nc = (int)nc,
                      .batch = (int)n,
                      .labels = labels,
                      .n_labels = n,
                      .result = {.data = logits.f32,
                                 .pitch = nc,
                                 .h = 1,
                                 .w = 1,
                                 .channels = (int)nc,
                                 .gradient = got,
                                 .gradient_pitch = nc}};
    const detect_loss_bounds bounds = {.most_batch = n,
                                       .most_anchors = 1,
                                       .most_labels = 1,
                                       .n_threads = 1,
                                       .kind = &DETECT_LOSS_CLASSES};
    detect_loss *l = NULL;
    detect_loss_value v, validated;
    detect_gradient none[1];
    st = detect_loss_create(&l, &bounds, job->mem, err);
    if (st == VG_OK)
        st = detect_loss_run(l, &v, none, &b, &DETECT_LOSS_GAINS, NULL, err);
    b.as_validated = true;
    if (st == VG_OK)
        st = detect_loss_run(l, &validated, NULL, &b, &DETECT_LOSS_GAINS, NULL, err);
    detect_loss_destroy(&l);
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(1e-6, 1e-6), gradient = d, of_val = d;
    gold_diff_add(&d, v.total, loss.f32[0]);
    gold_diff_add(&d, v.items[0], items.f32[0]);
    for (size_t i = 0; i < slope.n; i++)
        gold_diff_add(&gradient, got[i], slope.f32[i]);
    gold_diff_add(&of_val, validated.items[0], val.f32[0]);
    gold_report_row(job->report, &d, "loss");
    gold_report_row(job->report, &gradient, "grad_logits");
    gold_report_row(job->report, &of_val, "val_loss");
    return VG_OK;
}

const gold_kind gold_kind_classify_loss = {.name = "classify loss",
                                           .help = "the loss of a classifier's logits",
                                           .recognises = recognises_classes,
                                           .check = check_classes};
