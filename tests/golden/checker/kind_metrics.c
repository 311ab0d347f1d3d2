/* kind_metrics.c: detections against objects: true positives, average precision, curves,
 * confusion. */
#include "detect/detect.h"
#include "kind.h"

static const double tolerance = 1e-6;

static bool recognises(const gold_file *f)
{
    return gold_has(f, "dets") && gold_has(f, "gts") && gold_has(f, "tp") && gold_has(f, "ap");
}

typedef struct scene {
    gold_tensor dets, gts; /* rows img x1 y1 x2 y2 conf cls; img cls x1 y1 x2 y2 */
    int nc, n_pictures;
    /* of one picture */
    vg_detection *boxes;
    detect_truth *truths;
    size_t *rows; /* of dets */
    uint16_t *tp, *taken;
    size_t n_boxes, n_truths;
} scene;

static vg_status open_scene(scene *s, gold_file *f, vg_error *err)
{
    int64_t nc = 0;
    *s = (scene){0};
    vg_status st = gold_meta_i64(&nc, f, "nc", 1, 65536, err);
    if (st == VG_OK)
        st = gold_get(&s->dets, f, WEIGHTS_F32, 2, err, "dets");
    if (st == VG_OK)
        st = gold_get(&s->gts, f, WEIGHTS_F32, 2, err, "gts");
    if (st == VG_OK && (nc == 0 || s->dets.shape[1] != 7 || s->gts.shape[1] != 6))
        st = gold_bad(f, err, "it is not nc, dets of 7 columns and gts of 6");
    if (st != VG_OK)
        return st;
    s->nc = (int)nc;
    for (size_t i = 0; i < s->dets.shape[0]; i++)
        s->n_pictures =
            (int)s->dets.f32[7 * i] >= s->n_pictures ? (int)s->dets.f32[7 * i] + 1 : s->n_pictures;
    for (size_t i = 0; i < s->gts.shape[0]; i++)
        s->n_pictures =
            (int)s->gts.f32[6 * i] >= s->n_pictures ? (int)s->gts.f32[6 * i] + 1 : s->n_pictures;
    s->boxes = gold_take(f, s->dets.shape[0], sizeof *s->boxes, err);
    s->truths = s->boxes ? gold_take(f, s->gts.shape[0], sizeof *s->truths, err) : NULL;
    s->rows = s->truths ? gold_take(f, s->dets.shape[0], sizeof *s->rows, err) : NULL;
    s->tp = s->rows ? gold_take(f, s->dets.shape[0], sizeof *s->tp, err) : NULL;
    s->taken = s->tp ? gold_take(f, s->gts.shape[0], sizeof *s->taken, err) : NULL;
    return s->taken ? VG_OK : VG_ERR_MEMORY;
}

static void choose_picture(scene *s, int picture)
{
    s->n_boxes = s->n_truths = 0;
    for (size_t i = 0; i < s->dets.shape[0]; i++) {
        const float *d = s->dets.f32 + 7 * i;
        if ((int)d[0] != picture)
            continue;
        s->rows[s->n_boxes] = i;
        s->boxes[s->n_boxes++] = (vg_detection){d[1], d[2], d[3], d[4], d[5], (int)d[6]};
    }
    for (size_t i = 0; i < s->gts.shape[0]; i++) {
        const float *t = s->gts.f32 + 6 * i;
        if ((int)t[0] == picture)
            s->truths[s->n_truths++] =
                (detect_truth){.xyxy = {t[2], t[3], t[4], t[5]}, .class_index = (int)t[1]};
    }
}

static vg_status check_matches(gold_file *f, gold_job *job, scene *s, vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_U8, 2, err, "tp");
    if (st != VG_OK)
        return st;
    if (want.n != s->dets.shape[0] * DETECT_N_IOU)
        return gold_bad(f, err, "tp is not 10 columns for each detection");
    gold_diff d = gold_diff_make(0, 0);
    for (int i = 0; i < s->n_pictures; i++) {
        choose_picture(s, i);
        detect_match(s->tp, s->boxes, s->n_boxes, s->truths, s->n_truths, NULL, s->taken,
                     DETECT_AP_8_3);
        for (size_t k = 0; k < s->n_boxes; k++)
            for (size_t t = 0; t < DETECT_N_IOU; t++)
                gold_diff_add(&d, s->tp[k] >> t & 1, want.u8[s->rows[k] * DETECT_N_IOU + t]);
    }
    gold_report_row(job->report, &d, "tp");
    return VG_OK;
}

static vg_status check_numbers(gold_file *f, gold_job *job, const char *name, const double *got,
                               size_t n, vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_F64, 0, err, "%s", name);
    if (st != VG_OK)
        return st;
    if (want.n != n)
        return gold_bad(f, err, "%s has %zu elements, not %zu", name, want.n, n);
    gold_diff d = gold_diff_make(tolerance, 0);
    for (size_t i = 0; i < n; i++)
        gold_diff_add(&d, got[i], want.f64[i]);
    if (n)
        gold_report_row(job->report, &d, "%s", name);
    return VG_OK;
}

/* Curves are in the file at every so many points. */
static vg_status check_curve(gold_file *f, gold_job *job, const char *name, const double *got,
                             size_t n_classes, vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_F64, 2, err, "%s", name);
    if (st != VG_OK)
        return st;
    size_t points = want.shape[1], every = points ? DETECT_CURVE_POINTS / points : 0;
    if (want.shape[0] != n_classes || every == 0)
        return gold_bad(f, err, "%s is not of %zu classes", name, n_classes);
    gold_diff d = gold_diff_make(tolerance, 0);
    for (size_t i = 0; i < want.n; i++)
        gold_diff_add(&d, got[i / points * DETECT_CURVE_POINTS + i % points * every], want.f64[i]);
    if (want.n)
        gold_report_row(job->report, &d, "%s", name);
    return VG_OK;
}

static vg_status check_exact(gold_file *f, gold_job *job, const detect_metrics_result *r, int nc,
                             vg_error *err)
{
    gold_tensor classes, confusion, thresholds;
    size_t n_cells = (size_t)(nc + 1) * (size_t)(nc + 1);
    vg_status st = gold_get(&classes, f, WEIGHTS_I64, 1, err, "ap_class_index");
    if (st == VG_OK)
        st = gold_get(&confusion, f, WEIGHTS_F64, 2, err, "confusion");
    if (st == VG_OK)
        st = gold_get(&thresholds, f, WEIGHTS_F32, 1, err, "iouv");
    if (st == VG_OK &&
        (classes.n != r->n_classes || confusion.n != n_cells || thresholds.n != DETECT_N_IOU))
        st = gold_bad(f, err, "it is of other numbers of classes or thresholds");
    if (st != VG_OK)
        return st;
    gold_diff index = gold_diff_make(0, 0), cells = index, levels = index;
    for (size_t i = 0; i < classes.n; i++)
        gold_diff_add(&index, r->classes[i], (double)classes.i64[i]);
    for (size_t i = 0; i < n_cells; i++)
        gold_diff_add(&cells, (double)r->confusion[i], confusion.f64[i]);
    for (size_t i = 0; i < DETECT_N_IOU; i++)
        gold_diff_add(&levels, detect_iou_thresholds[i], thresholds.f32[i]);
    if (classes.n)
        gold_report_row(job->report, &index, "ap_class_index");
    gold_report_row(job->report, &cells, "confusion");
    gold_report_row(job->report, &levels, "iouv");
    return VG_OK;
}

static vg_status check_result(gold_file *f, gold_job *job, const detect_metrics_result *r, int nc,
                              vg_error *err)
{
    const double means[4] = {r->figures[0].mean_p, r->figures[0].mean_r, r->figures[0].map50,
                             r->figures[0].map};
    const struct {
        const char *name;
        const double *got;
        size_t n;
    } rows[] = {
        {"ap", r->figures[0].ap, r->n_classes * DETECT_N_IOU},
        {"p", r->figures[0].p, r->n_classes},
        {"r", r->figures[0].r, r->n_classes},
        {"f1", r->figures[0].f1, r->n_classes},
        {"tp_count", r->figures[0].tp, r->n_classes},
        {"fp_count", r->figures[0].fp, r->n_classes},
        {"maps", r->maps, (size_t)nc},
        {"mean_results", means, 4},
        {"fitness", &r->fitness, 1},
    };
    const struct {
        const char *name;
        const double *got;
    } curves[] = {{"p_curve", r->figures[0].p_curve},
                  {"r_curve", r->figures[0].r_curve},
                  {"f1_curve", r->figures[0].f1_curve}};
    vg_status st = check_exact(f, job, r, nc, err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && st == VG_OK; i++)
        st = check_numbers(f, job, rows[i].name, rows[i].got, rows[i].n, err);
    for (size_t i = 0; i < sizeof curves / sizeof *curves && st == VG_OK; i++)
        st = check_curve(f, job, curves[i].name, curves[i].got, r->n_classes, err);
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    scene s;
    detect_metrics *m = NULL;
    detect_metrics_result result;
    vg_status st = open_scene(&s, f, err);
    if (st == VG_OK)
        st = check_matches(f, job, &s, err);
    if (st != VG_OK)
        return st;
    size_t n = s.dets.shape[0] + 1, n_truths = s.gts.shape[0] + 1;
    const detect_metrics_bounds bounds = {s.nc, n, n, n_truths, .n_figures = 1};
    st = detect_metrics_create(&m, &bounds, 0.25f, job->mem, err);
    for (int i = 0; i < s.n_pictures && st == VG_OK; i++) {
        choose_picture(&s, i);
        st = detect_metrics_add(m, s.boxes, s.n_boxes, s.truths, s.n_truths, err);
    }
    if (st == VG_OK) {
        detect_metrics_make_result(m, &result);
        st = check_result(f, job, &result, s.nc, err);
    }
    detect_metrics_destroy(&m);
    return st;
}

const gold_kind gold_kind_metrics = {.name = "metrics",
                                     .help = "true positives, average precision, confusion",
                                     .recognises = recognises,
                                     .check = check};
