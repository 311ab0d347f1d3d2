/* kind_predict.c: a picture to its detections: letterbox, network, decode, suppression, scaling
 * back. */
#include <math.h>

#include "image/image.h"
#include "kind.h"
#include "network.h"
#include "recipe.h"

/* README: a detection this near the threshold may be there or not. */
static const double box_px = 0.01, score_abs = 1e-5, threshold_abs = 1e-4;
/* With numbers of 16 bits on a GPU: docs/gpu.md. */
static const double half_box_px = 0.1, half_score_abs = 1e-3;
enum { MOST_CASES = 1000, MOST_DET = 300, STRIDE = 32 };

static bool recognises(const gold_file *f)
{
    return gold_has(f, "c0.image_bgr") && gold_has(f, "c0.dets");
}

typedef struct scene {
    gold_tensor image, boxed, imgsz, want;
    float *input; /* nhwc, RGB */
    int h, w;
} scene;

static vg_status open_scene(scene *s, gold_file *f, int i, vg_error *err)
{
    vg_status st = gold_get(&s->image, f, WEIGHTS_U8, 3, err, "c%d.image_bgr", i);
    if (st == VG_OK)
        st = gold_get(&s->boxed, f, WEIGHTS_U8, 3, err, "c%d.letterboxed", i);
    if (st == VG_OK)
        st = gold_get(&s->imgsz, f, WEIGHTS_I64, 0, err, "c%d.imgsz", i);
    if (st == VG_OK)
        st = gold_get(&s->want, f, WEIGHTS_F32, 2, err, "c%d.dets", i);
    if (st == VG_OK && (s->image.shape[2] != 3 || s->imgsz.n < 1 || s->want.shape[1] != 6))
        st = gold_bad(f, err, "case %d is not picture, size and rows", i);
    return st;
}

/* The letterboxed picture against its golden bytes, and the network's input from it. */
static vg_status letterbox(scene *s, gold_file *f, gold_job *job, int i, vg_error *err)
{
    int size = (int)s->imgsz.i64[0], h = (int)s->image.shape[0], w = (int)s->image.shape[1];
    const image_letterbox_rule rule = {.target_w = (size + STRIDE - 1) / STRIDE * STRIDE,
                                       .target_h = (size + STRIDE - 1) / STRIDE * STRIDE,
                                       .autosize = true,
                                       .scale_up = true,
                                       .center = true,
                                       .stride = STRIDE};
    image_letterbox_fit fit;
    image_scratch scratch = {0};
    image_buffer rgb = {0}, boxed = {0};
    image_view bgr = {(uint8_t *)(uintptr_t)s->image.u8, w, h, 3 * (size_t)w}; /* only read */
    gold_diff d = gold_diff_make(0, 0);
    vg_status st = image_letterbox_plan(&fit, w, h, &rule, err);
    if (st == VG_OK && ((size_t)fit.out_h != s->boxed.shape[0] ||
                        (size_t)fit.out_w != s->boxed.shape[1] || s->boxed.shape[2] != 3))
        st = gold_bad(f, err, "c%d.letterboxed has not the letterbox's size", i);
    if (st == VG_OK)
        st = image_buffer_reserve(&rgb, w, h, job->mem, err);
    if (st == VG_OK)
        st = image_buffer_reserve(&boxed, fit.out_w, fit.out_h, job->mem, err);
    if (st == VG_OK)
        st = image_letterbox(&boxed.view, &bgr, &fit, &scratch, job->mem, err);
    if (st == VG_OK) {
        for (size_t k = 0; k < s->boxed.n; k++)
            gold_diff_add(&d, boxed.view.data[k], s->boxed.u8[k]);
        gold_report_row(job->report, &d, "%s", s->boxed.name);
        image_swap_red_blue(&rgb.view, &bgr);
        s->h = fit.out_h;
        s->w = fit.out_w;
        s->input = gold_take(f, 3 * (size_t)s->h * (size_t)s->w, sizeof(float), err);
        st = s->input ? image_letterbox_to_float(s->input, &rgb.view, &fit, &scratch, job->mem, err)
                      : VG_ERR_MEMORY;
    }
    image_buffer_fini(&rgb);
    image_buffer_fini(&boxed);
    image_scratch_fini(&scratch);
    return st;
}

static double distance(const vg_detection *b, const float *want)
{
    return fmax(fmax(fabs((double)b->x1 - want[0]), fabs((double)b->y1 - want[1])),
                fmax(fabs((double)b->x2 - want[2]), fabs((double)b->y2 - want[3])));
}

/* Pairs each golden row with the nearest box of its class; what stays alone must be near the
 * threshold. */
static void compare(gold_job *job, const scene *s, const vg_detection *got, size_t n_got,
                    double conf, const char *isa)
{
    bool used[MOST_DET] = {false};
    const double near_abs = job->half ? half_score_abs : threshold_abs;
    gold_diff alone = gold_diff_make(0, 0),
              boxes = gold_diff_make(job->half ? half_box_px : box_px, 0),
              scores = gold_diff_make(job->half ? half_score_abs : score_abs, 0);
    for (size_t i = 0; i < s->want.shape[0]; i++) {
        const float *want = s->want.f32 + 6 * i;
        size_t best = n_got;
        for (size_t k = 0; k < n_got; k++)
            if (!used[k] && got[k].class_index == (int)want[5] && distance(&got[k], want) < 1 &&
                (best == n_got || distance(&got[k], want) < distance(&got[best], want)))
                best = k;
        bool near = fabs(want[4] - conf) < near_abs;
        gold_diff_add(&alone, best == n_got && !near, 0);
        if (best == n_got)
            continue;
        used[best] = true;
        gold_diff_add(&boxes, got[best].x1, want[0]);
        gold_diff_add(&boxes, got[best].y1, want[1]);
        gold_diff_add(&boxes, got[best].x2, want[2]);
        gold_diff_add(&boxes, got[best].y2, want[3]);
        gold_diff_add(&scores, got[best].confidence, want[4]);
    }
    for (size_t k = 0; k < n_got; k++)
        gold_diff_add(&alone, !used[k] && fabs(got[k].confidence - conf) >= near_abs, 0);
    if (n_got == 0 && s->want.shape[0] == 0)
        gold_diff_add(&alone, 0, 0);
    gold_report_row(job->report, &alone, "%s pairs [%s]", s->want.name, isa);
    if (s->want.shape[0] == 0)
        return;
    gold_report_row(job->report, &boxes, "%s boxes, px [%s]", s->want.name, isa);
    gold_report_row(job->report, &scores, "%s scores [%s]", s->want.name, isa);
}

static vg_status detect(gold_job *job, gold_network *net, const scene *s,
                        const detect_nms_options *o, const char *isa, vg_error *err)
{
    vg_detection got[MOST_DET];
    detect_level levels[DETECT_MAX_LEVELS];
    detect_nms *nms = NULL;
    vg_status st = gold_network_run_nhwc(net, s->input, 1, s->h, s->w, err);
    if (st != VG_OK)
        return st;
    int n_levels = gold_network_levels(net, levels);
    st = detect_nms_create(&nms, detect_n_anchors(levels, n_levels), MOST_DET, job->mem, err);
    if (st != VG_OK)
        return st;
    size_t n = detect_run(nms, got, NULL, levels, n_levels, net->nc, 0, o);
    detect_scale_boxes(got, n, s->h, s->w, (int)s->image.shape[0], (int)s->image.shape[1]);
    compare(job, s, got, n, o->conf, isa);
    detect_nms_destroy(&nms);
    return VG_OK;
}

static vg_status check_isa(gold_file *f, gold_job *job, const weights_file *w, const gold_recipe *r,
                           const detect_nms_options *o, const char *isa, vg_error *err)
{
    gold_network net;
    const nn_engine_options eo = {
        .threads = 1, .isa = isa, .device = job->device, .half = job->half};
    vg_status st = gold_network_open(&net, w, r->scale, r->nc, &eo, job->mem, err);
    for (int i = 0; i < MOST_CASES && st == VG_OK && gold_has(f, "c%d.image_bgr", i); i++) {
        scene s;
        st = open_scene(&s, f, i, err);
        if (st == VG_OK)
            st = letterbox(&s, f, job, i, err);
        if (st == VG_OK)
            st = detect(job, &net, &s, o, isa, err);
    }
    gold_network_close(&net);
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_recipe r;
    synthetic_weights s = {0};
    double conf = 0.25, iou = 0.7;
    vg_status st = gold_recipe_read(&r, f, err);
    if (st == VG_OK)
        st = gold_meta_real(&conf, f, "conf", err);
    if (st == VG_OK)
        st = gold_meta_real(&iou, f, "iou", err);
    if (st == VG_OK)
        st = gold_synthetic_make(&s, &r, job->mem, err);
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.conf = (float)conf;
    o.iou = (float)iou;
    for (int i = 0; i < job->n_isas && st == VG_OK; i++)
        st = check_isa(f, job, s.weights, &r, &o, job->isas[i], err);
    synthetic_close(&s);
    return st;
}

const gold_kind gold_kind_predict = {.on_device = true,
                                     .on_half = true,
                                     .name = "prediction",
                                     .help = "pictures to detections, generator's weights",
                                     .recognises = recognises,
                                     .check = check};
