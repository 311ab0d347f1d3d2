/* kind_obb_nms.c: suppression of rotated boxes of decoded outputs, and boxes scaled back. The
 * cases' settings are not in the file: they are these. */
#include "detect/detect.h"
#include "kind.h"

static const double coordinate_abs = 1e-4;
enum { MOST_DET = 300, ROW = 7 }; /* x, y, w, h, confidence, class, angle */

typedef struct setting {
    const char *name;
    float conf, iou;
    bool multi_label, agnostic;
    int max_det;
    int classes[2]; /* -1: all */
} setting;

static const setting settings[] = {
    {"single_025_070", 0.25f, 0.7f, false, false, MOST_DET, {-1, -1}},
    {"single_025_030", 0.25f, 0.3f, false, false, MOST_DET, {-1, -1}},
    {"multi_001_070", 0.01f, 0.7f, true, false, MOST_DET, {-1, -1}},
    {"agnostic", 0.25f, 0.5f, false, true, MOST_DET, {-1, -1}},
    {"classes_1_3_max20", 0.25f, 0.5f, false, false, 20, {1, 3}},
};

static bool recognises(const gold_file *f)
{
    return gold_has(f, "pred") && gold_has(f, "single_025_070.0") && gold_has(f, "scale.in");
}

static void compare_rows(gold_job *job, const gold_tensor *want, const vg_detection *got,
                         const float *xywhr, size_t n)
{
    gold_diff kept = gold_diff_make(0, 0), place = gold_diff_make(coordinate_abs, 0);
    gold_diff_add(&kept, (double)n, (double)want->shape[0]);
    for (size_t i = 0; i < n && i < want->shape[0]; i++) {
        const float *w = want->f32 + ROW * i, *g = xywhr + 5 * i;
        for (int k = 0; k < 4; k++)
            gold_diff_add(&place, g[k], w[k]);
        gold_diff_add(&place, g[4], w[6]);
        gold_diff_add(&kept, got[i].confidence, w[4]);
        gold_diff_add(&kept, got[i].class_index, w[5]);
    }
    gold_report_row(job->report, &kept, "%s rows in order", want->name);
    if (n > 0)
        gold_report_row(job->report, &place, "%s boxes", want->name);
}

static vg_status check_case(gold_file *f, gold_job *job, const gold_tensor *pred, const setting *s,
                            size_t picture, vg_error *err)
{
    static vg_detection got[MOST_DET];
    static float xywhr[5 * MOST_DET];
    gold_tensor want;
    detect_nms *nms = NULL;
    const int nc = (int)pred->shape[1] - 5;
    const size_t n_anchors = pred->shape[2];
    uint8_t *classes = gold_take(f, (size_t)nc, 1, err);
    vg_status st = classes ? gold_get(&want, f, WEIGHTS_F32, 2, err, "%s.%zu", s->name, picture)
                           : VG_ERR_MEMORY;
    if (st == VG_OK && want.shape[1] != ROW)
        st = gold_bad(f, err, "%s has rows of %zu", want.name, want.shape[1]);
    if (st == VG_OK)
        st = detect_nms_create_rotated(&nms, n_anchors * (size_t)nc, MOST_DET, job->mem, err);
    if (st != VG_OK)
        return st;
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.conf = s->conf;
    o.iou = s->iou;
    o.multi_label = s->multi_label;
    o.agnostic = s->agnostic;
    o.max_det = s->max_det;
    for (int k = 0; k < 2 && s->classes[k] >= 0 && s->classes[k] < nc; k++) {
        classes[s->classes[k]] = 1;
        o.classes = classes;
    }
    const size_t n = detect_nms_run_rotated(
        nms, got, xywhr, NULL, pred->f32 + picture * pred->shape[1] * n_anchors, nc, n_anchors, &o);
    compare_rows(job, &want, got, xywhr, n);
    detect_nms_destroy(&nms);
    return VG_OK;
}

static vg_status check_scale(gold_file *f, gold_job *job, vg_error *err)
{
    gold_tensor in, out, shapes;
    vg_status st = gold_get(&in, f, WEIGHTS_F32, 2, err, "scale.in");
    if (st == VG_OK)
        st = gold_get(&out, f, WEIGHTS_F32, 2, err, "scale.out");
    if (st == VG_OK)
        st = gold_get(&shapes, f, WEIGHTS_I64, 1, err, "scale.shapes");
    if (st != VG_OK)
        return st;
    if (shapes.n != 4 || in.n != out.n || in.shape[1] != 5)
        return gold_bad(f, err, "scale is not boxes in, boxes out and four sizes");
    gold_diff d = gold_diff_make(coordinate_abs, 0);
    const int64_t *s = shapes.i64;
    for (size_t i = 0; i < in.shape[0]; i++) {
        float b[5];
        memcpy(b, in.f32 + 5 * i, sizeof b);
        detect_rotated_scale(b, (int)s[0], (int)s[1], (int)s[2], (int)s[3]);
        for (size_t k = 0; k < 5; k++)
            gold_diff_add(&d, b[k], out.f32[5 * i + k]);
    }
    gold_report_row(job->report, &d, "%s", out.name);
    return VG_OK;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_tensor pred;
    vg_status st = gold_get(&pred, f, WEIGHTS_F32, 3, err, "pred");
    if (st == VG_OK && (pred.shape[1] < 6 || pred.shape[1] > 65536))
        st = gold_bad(f, err, "pred has %zu rows, not 4, classes and an angle", pred.shape[1]);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        for (size_t picture = 0; st == VG_OK && picture < pred.shape[0]; picture++)
            st = check_case(f, job, &pred, &settings[i], picture, err);
    return st == VG_OK ? check_scale(f, job, err) : st;
}

const gold_kind gold_kind_obb_nms = {.name = "rotated suppression",
                                     .help = "rotated boxes kept of decoded outputs, scaled back",
                                     .recognises = recognises,
                                     .check = check};
