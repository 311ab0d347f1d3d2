/* kind_augment.c: the steps of augmentation, each from a golden picture to the next: colours, warp,
 * mosaic, mixup; and a validation picture's letterbox and labels. The golden pictures are BGR, ours
 * RGB, which matters to colours alone. */
#include <math.h>

#include "data/augment.h"
#include "kind.h"

/* Tolerances: the golden data's README. */
static const double box_px = 1e-3, box_norm = 1e-5, colour = 1, perspective_px = 2;
enum { MOST_CASES = 1000, STRIDE = 32, N_MOSAIC = 4 };

static bool recognises(const gold_file *f)
{
    return gold_has(f, "hsv.in_bgr") || gold_has(f, "warp0.M") || gold_has(f, "mosaic0.out") ||
           gold_has(f, "mixup.out") || gold_has(f, "val0.img");
}

/* A golden picture: the file's copy is nobody else's, so it may be changed in place. */
static vg_status picture(image_view *out, gold_file *f, vg_error *err, const char *name)
{
    gold_tensor t;
    vg_status st = gold_get(&t, f, WEIGHTS_U8, 3, err, "%s", name);
    if (st == VG_OK && (t.shape[2] != 3 || t.n == 0 || t.n > INT32_MAX))
        st = gold_bad(f, err, "%s is no picture (H,W,3)", name);
    if (st == VG_OK)
        *out = (image_view){(uint8_t *)(uintptr_t)t.u8, (int)t.shape[1], (int)t.shape[0],
                            3 * t.shape[1]};
    return st;
}

static vg_status case_picture(image_view *out, gold_file *f, vg_error *err, const char *set, int i,
                              const char *part)
{
    char name[64];
    base_format(name, sizeof name, "%s%d.%s", set, i, part);
    return picture(out, f, err, name);
}

static void add_bytes(gold_diff *d, const image_view *got, const image_view *want)
{
    for (int y = 0; y < want->h; y++)
        for (size_t k = 0; k < 3 * (size_t)want->w; k++)
            gold_diff_add(d, got->data[(size_t)y * got->stride + k],
                          want->data[(size_t)y * want->stride + k]);
}

static vg_status check_picture(gold_file *f, gold_job *job, const image_view *got, double most,
                               vg_error *err, const char *name)
{
    image_view want;
    gold_diff d = gold_diff_make(most, 0);
    vg_status st = picture(&want, f, err, name);
    if (st == VG_OK && (want.w != got->w || want.h != got->h))
        st = gold_bad(f, err, "%s is %d x %d (W x H), ours %d x %d", name, want.w, want.h, got->w,
                      got->h);
    if (st != VG_OK)
        return st;
    add_bytes(&d, got, &want);
    gold_report_row(job->report, &d, "%s", name);
    return VG_OK;
}

/* A w x h canvas that lives as long as the file. */
static vg_status take_canvas(image_view *out, gold_file *f, int w, int h, vg_error *err)
{
    uint8_t *block = gold_take(f, canvas_bytes(w, h), 1, err);
    if (!block)
        return VG_ERR_MEMORY;
    *out = canvas_init(block, w, h);
    canvas_fill(out);
    return VG_OK;
}

/* ---- colours ---- */

static vg_status check_gains(gold_file *f, gold_job *job, const double gains[3], const char *name,
                             vg_error *err)
{
    image_view v;
    hsv_tables t;
    vg_status st = picture(&v, f, err, "hsv.in_bgr");
    if (st != VG_OK)
        return st;
    image_swap_red_blue(&v, &v);
    augment_hsv_tables(&t, gains);
    augment_hsv(&v, &t);
    image_swap_red_blue(&v, &v);
    return check_picture(f, job, &v, colour, err, name);
}

static vg_status check_colours(gold_file *f, gold_job *job, vg_error *err)
{
    image_view v;
    vg_status st = picture(&v, f, err, "hsv.in_bgr");
    if (st == VG_OK) {
        image_swap_red_blue(&v, &v);
        augment_rgb_to_hsv(v.data, v.data, (size_t)v.w * (size_t)v.h);
        st = check_picture(f, job, &v, 0, err, "hsv.bgr2hsv");
    }
    if (st == VG_OK && gold_has(f, "hsv.roundtrip_bgr"))
        st = check_gains(f, job, (const double[]){1, 1, 1}, "hsv.roundtrip_bgr", err);
    for (int i = 0; i < MOST_CASES && st == VG_OK && gold_has(f, "hsv%d.gains", i); i++) {
        gold_tensor gains;
        char name[32];
        base_format(name, sizeof name, "hsv%d.out_bgr", i);
        st = gold_get(&gains, f, WEIGHTS_F64, 1, err, "hsv%d.gains", i);
        if (st == VG_OK && gains.n != 3)
            st = gold_bad(f, err, "%s are not three", gains.name);
        if (st == VG_OK)
            st = check_gains(f, job, gains.f64, name, err);
    }
    return st;
}

/* ---- boxes ---- */

typedef struct box_rows {
    gold_tensor boxes, classes;
    size_t n;
} box_rows;

static vg_status get_rows(box_rows *r, gold_file *f, vg_error *err, const char *set, int i,
                          const char *boxes, const char *classes)
{
    vg_status st = gold_get(&r->boxes, f, WEIGHTS_F32, 2, err, "%s%d.%s", set, i, boxes);
    if (st == VG_OK)
        st = gold_get(&r->classes, f, WEIGHTS_F32, 0, err, "%s%d.%s", set, i, classes);
    if (st == VG_OK && (r->boxes.shape[1] != 4 || r->classes.n != r->boxes.shape[0]))
        st = gold_bad(f, err, "%s are not rows of four, each of a class", r->boxes.name);
    r->n = r->boxes.shape[0];
    return st;
}

static void check_boxes(gold_job *job, const augment_box *got, size_t n, const box_rows *want)
{
    gold_diff count = gold_diff_make(0, 0), classes = count, places = gold_diff_make(box_px, 0);
    gold_diff_add(&count, (double)n, (double)want->n);
    for (size_t i = 0; i < n && i < want->n; i++) {
        const float is[4] = {got[i].x1, got[i].y1, got[i].x2, got[i].y2};
        for (size_t k = 0; k < 4; k++)
            gold_diff_add(&places, is[k], want->boxes.f32[4 * i + k]);
        gold_diff_add(&classes, got[i].class_index, want->classes.f32[i]);
    }
    gold_report_row(job->report, &count, "%s, number", want->boxes.name);
    if (want->n == 0 || n == 0)
        return;
    gold_report_row(job->report, &places, "%s, px", want->boxes.name);
    gold_report_row(job->report, &classes, "%s", want->classes.name);
}

/* A picture's labels as a dataset has them. */
static vg_status read_labels(data_picture *p, gold_file *f, const box_rows *rows, vg_error *err)
{
    data_label *labels = gold_take(f, rows->n, sizeof *labels, err);
    if (!labels)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < rows->n; i++) {
        labels[i].class_index = (int32_t)rows->classes.f32[i];
        memcpy(labels[i].xywh_norm, rows->boxes.f32 + 4 * i, 4 * sizeof(float));
    }
    *p = (data_picture){.n_labels = rows->n, .labels = labels};
    return VG_OK;
}

/* ---- warp ---- */

typedef struct warp {
    float m[9];
    double gain;
    bool perspective;
    int w, h;
} warp;

static vg_status get_warp(warp *out, gold_file *f, int i, const image_view *in, vg_error *err)
{
    gold_tensor m, gain, perspective, wh, border;
    vg_status st = gold_get(&m, f, WEIGHTS_F32, 2, err, "warp%d.M", i);
    if (st == VG_OK)
        st = gold_get(&gain, f, WEIGHTS_F64, 0, err, "warp%d.scale", i);
    if (st == VG_OK)
        st = gold_get(&perspective, f, WEIGHTS_I64, 0, err, "warp%d.perspective", i);
    if (st == VG_OK)
        st = gold_get(&wh, f, WEIGHTS_I64, 1, err, "warp%d.out_wh", i);
    if (st == VG_OK)
        st = gold_get(&border, f, WEIGHTS_I64, 1, err, "warp%d.border", i);
    if (st != VG_OK)
        return st;
    if (m.n != 9 || gain.n != 1 || perspective.n != 1 || wh.n != 2 || border.n != 2 ||
        wh.i64[0] != in->w + 2 * border.i64[1] || wh.i64[1] != in->h + 2 * border.i64[0] ||
        wh.i64[0] < 1 || wh.i64[1] < 1)
        return gold_bad(f, err, "warp%d: matrix, scale, border or size do not fit together", i);
    *out = (warp){.gain = gain.f64[0],
                  .perspective = perspective.i64[0] != 0,
                  .w = (int)wh.i64[0],
                  .h = (int)wh.i64[1]};
    memcpy(out->m, m.f32, sizeof out->m);
    return VG_OK;
}

static vg_status warp_picture(gold_file *f, gold_job *job, int i, const warp *w,
                              const image_view *in, vg_error *err)
{
    image_view canvas;
    char name[32];
    base_format(name, sizeof name, "warp%d.out", i);
    vg_status st = take_canvas(&canvas, f, in->w, in->h, err);
    if (st != VG_OK)
        return st;
    for (int y = 0; y < in->h; y++)
        memcpy(canvas.data + (size_t)y * canvas.stride, in->data + (size_t)y * in->stride,
               in->stride);
    int32_t *table = gold_take(f, 2 * (size_t)w->w, sizeof *table, err);
    uint8_t *pixels = gold_take(f, 3 * (size_t)w->w * (size_t)w->h, 1, err);
    if (!table || !pixels)
        return VG_ERR_MEMORY;
    const image_view out = {pixels, w->w, w->h, 3 * (size_t)w->w};
    augment_warp(&out, &canvas, w->m, w->perspective, table, warp_kernels_get());
    return check_picture(f, job, &out, w->perspective ? perspective_px : 0, err, name);
}

/* All boxes at once, and each alone: so "keep" is known box by box. */
static vg_status warp_boxes(gold_file *f, gold_job *job, int i, const warp *w, vg_error *err)
{
    box_rows in, out;
    gold_tensor clipped, keep;
    vg_status st = get_rows(&in, f, err, "warp", i, "boxes_in", "cls_in");
    if (st == VG_OK)
        st = get_rows(&out, f, err, "warp", i, "boxes_out", "cls_out");
    if (st == VG_OK)
        st = gold_get(&clipped, f, WEIGHTS_F32, 2, err, "warp%d.boxes_all_clipped", i);
    if (st == VG_OK)
        st = gold_get(&keep, f, WEIGHTS_U8, 0, err, "warp%d.keep", i);
    if (st == VG_OK && (clipped.n != 4 * in.n || keep.n != in.n))
        st = gold_bad(f, err, "warp%d: not as many boxes before as after", i);
    augment_box *boxes = st == VG_OK ? gold_take(f, in.n, sizeof *boxes, err) : NULL;
    if (!boxes)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    gold_diff places = gold_diff_make(box_px, 0), kept = gold_diff_make(0, 0);
    for (size_t k = 0; k < in.n; k++) {
        const float *b = in.boxes.f32 + 4 * k;
        float is[1][4];
        boxes[k] = (augment_box){
            .x1 = b[0], .y1 = b[1], .x2 = b[2], .y2 = b[3], .class_index = (int)in.classes.f32[k]};
        augment_box alone = boxes[k];
        gold_diff_add(
            &kept,
            (double)augment_boxes_warp(&alone, 1, w->m, w->perspective, w->gain, w->w, w->h, is),
            keep.u8[k]);
        for (size_t c = 0; c < 4; c++)
            gold_diff_add(&places, is[0][c], clipped.f32[4 * k + c]);
    }
    gold_report_row(job->report, &places, "%s", clipped.name);
    gold_report_row(job->report, &kept, "%s", keep.name);
    size_t n = augment_boxes_warp(boxes, in.n, w->m, w->perspective, w->gain, w->w, w->h, NULL);
    check_boxes(job, boxes, n, &out);
    return VG_OK;
}

static vg_status check_warp(gold_file *f, gold_job *job, int i, vg_error *err)
{
    warp w;
    image_view in;
    vg_status st = case_picture(&in, f, err, "warp", i, "in");
    if (st == VG_OK)
        st = get_warp(&w, f, i, &in, err);
    if (st == VG_OK)
        st = warp_picture(f, job, i, &w, &in, err);
    return st == VG_OK ? warp_boxes(f, job, i, &w, err) : st;
}

/* ---- mosaic and mixup ---- */

static vg_status place_picture(gold_file *f, int i, int place, const image_view *canvas,
                               const int64_t center_yx[2], augment_box **boxes, size_t *n_boxes,
                               vg_error *err)
{
    char part[16], xywhn[16], cls[16];
    int pad_x, pad_y;
    image_view v;
    box_rows rows;
    data_picture p;
    base_format(part, sizeof part, "img%d", place);
    base_format(xywhn, sizeof xywhn, "xywhn%d", place);
    base_format(cls, sizeof cls, "cls%d", place);
    vg_status st = case_picture(&v, f, err, "mosaic", i, part);
    if (st == VG_OK)
        st = get_rows(&rows, f, err, "mosaic", i, xywhn, cls);
    if (st == VG_OK)
        st = read_labels(&p, f, &rows, err);
    augment_box *more = st == VG_OK ? gold_take(f, *n_boxes + p.n_labels, sizeof *more, err) : NULL;
    if (!more)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    if (*n_boxes)
        memcpy(more, *boxes, *n_boxes * sizeof *more);
    *boxes = more;
    augment_mosaic_place(canvas, &v, place, (int)center_yx[1], (int)center_yx[0], &pad_x, &pad_y);
    *n_boxes += augment_boxes_place(more + *n_boxes, &p, NULL, (float)v.w, (float)v.h, (float)pad_x,
                                    (float)pad_y);
    return VG_OK;
}

static vg_status check_mosaic(gold_file *f, gold_job *job, int i, vg_error *err)
{
    char name[32];
    image_view want, canvas;
    gold_tensor center;
    box_rows rows;
    augment_box *boxes = NULL;
    size_t n = 0;
    vg_status st = case_picture(&want, f, err, "mosaic", i, "out");
    if (st == VG_OK)
        st = gold_get(&center, f, WEIGHTS_I64, 1, err, "mosaic%d.center_yx", i);
    if (st == VG_OK)
        st = get_rows(&rows, f, err, "mosaic", i, "boxes_xyxy", "cls");
    if (st == VG_OK && (want.w != want.h || center.n != 2 || center.i64[0] < 0 ||
                        center.i64[0] > want.h || center.i64[1] < 0 || center.i64[1] > want.w))
        st = gold_bad(f, err, "mosaic%d is no square with a centre in it", i);
    if (st == VG_OK)
        st = take_canvas(&canvas, f, want.w, want.h, err);
    for (int place = 0; place < N_MOSAIC && st == VG_OK; place++)
        st = place_picture(f, i, place, &canvas, center.i64, &boxes, &n, err);
    if (st != VG_OK)
        return st;
    base_format(name, sizeof name, "mosaic%d.out", i);
    n = augment_boxes_clip(boxes, n, (float)want.w);
    check_boxes(job, boxes, n, &rows);
    return check_picture(f, job, &canvas, 0, err, name);
}

static vg_status check_mixup(gold_file *f, gold_job *job, vg_error *err)
{
    image_view a, b;
    gold_tensor r;
    vg_status st = picture(&a, f, err, "mixup.a");
    if (st == VG_OK)
        st = picture(&b, f, err, "mixup.b");
    if (st == VG_OK)
        st = gold_get(&r, f, WEIGHTS_F64, 0, err, "mixup.r");
    if (st == VG_OK && (r.n != 1 || a.w != b.w || a.h != b.h))
        st = gold_bad(f, err, "mixup is not of two pictures of a size, and a ratio");
    if (st != VG_OK)
        return st;
    augment_mix(&a, &b, r.f64[0]);
    return check_picture(f, job, &a, 0, err, "mixup.out");
}

/* ---- validation ---- */

/* The letterboxed bytes as the file has them: CHW, RGB. */
static vg_status check_letterbox(gold_file *f, gold_job *job, int i, const image_view *boxed,
                                 vg_error *err)
{
    gold_tensor want;
    gold_diff d = gold_diff_make(0, 0);
    vg_status st = gold_get(&want, f, WEIGHTS_U8, 3, err, "val%d.out_chw_rgb", i);
    size_t pixels = (size_t)boxed->w * (size_t)boxed->h;
    if (st == VG_OK && (want.shape[0] != 3 || want.shape[1] != (size_t)boxed->h ||
                        want.shape[2] != (size_t)boxed->w))
        st = gold_bad(f, err, "%s has not the letterbox's shape", want.name);
    if (st != VG_OK)
        return st;
    for (size_t at = 0; at < want.n; at++) {
        size_t p = at % pixels, y = p / (size_t)boxed->w, x = p % (size_t)boxed->w;
        gold_diff_add(&d, boxed->data[y * boxed->stride + 3 * x + (2 - at / pixels)], want.u8[at]);
    }
    gold_report_row(job->report, &d, "%s", want.name);
    return VG_OK;
}

static vg_status check_labels(gold_file *f, gold_job *job, int i, const image_view *picture,
                              const image_letterbox_fit *fit, vg_error *err)
{
    gold_tensor in, out, ratio_pad;
    vg_status st = gold_get(&in, f, WEIGHTS_F32, 2, err, "val%d.xywhn_in", i);
    if (st == VG_OK)
        st = gold_get(&out, f, WEIGHTS_F32, 2, err, "val%d.xywhn_out", i);
    if (st == VG_OK)
        st = gold_get(&ratio_pad, f, WEIGHTS_F64, 1, err, "val%d.ratio_pad", i);
    if (st == VG_OK && (in.shape[1] != 4 || out.n != in.n || ratio_pad.n != 4))
        st = gold_bad(f, err, "val%d: not as many labels before as after", i);
    if (st != VG_OK)
        return st;
    size_t n = in.shape[0];
    data_picture p;
    augment_box *boxes = gold_take(f, n, sizeof *boxes, err);
    detect_label *labels = boxes ? gold_take(f, n, sizeof *labels, err) : NULL;
    float *classes = labels ? gold_take(f, n, sizeof *classes, err) : NULL; /* all 0 */
    if (!classes)
        return VG_ERR_MEMORY;
    const box_rows rows = {.boxes = in, .classes = {.n = n, .f32 = classes}, .n = n};
    st = read_labels(&p, f, &rows, err);
    if (st != VG_OK)
        return st;
    augment_boxes_place(boxes, &p, NULL, (float)(picture->w * fit->ratio_w),
                        (float)(picture->h * fit->ratio_h), (float)fit->pad_w, (float)fit->pad_h);
    augment_boxes_format(labels, boxes, n, 0, fit->out_w, fit->out_h);
    gold_diff places = gold_diff_make(box_norm, 0), pads = gold_diff_make(0, 0);
    for (size_t k = 0; k < out.n; k++)
        gold_diff_add(&places, labels[k / 4].xywh_norm[k % 4], out.f32[k]);
    /* The ratios before them are of a larger picture, which the file has not. */
    gold_diff_add(&pads, fit->left, ratio_pad.f64[2]);
    gold_diff_add(&pads, fit->top, ratio_pad.f64[3]);
    gold_report_row(job->report, &places, "%s", out.name);
    gold_report_row(job->report, &pads, "%s, left and top", ratio_pad.name);
    return VG_OK;
}

static vg_status check_validation(gold_file *f, gold_job *job, int i, vg_error *err)
{
    image_view v;
    gold_tensor rect;
    image_letterbox_fit fit;
    image_scratch scratch = {0};
    image_buffer boxed = {0};
    vg_status st = case_picture(&v, f, err, "val", i, "img");
    if (st == VG_OK)
        st = gold_get(&rect, f, WEIGHTS_I64, 1, err, "val%d.rect_hw", i);
    if (st == VG_OK && (rect.n != 2 || rect.i64[0] < 1 || rect.i64[0] > 65536 || rect.i64[1] < 1 ||
                        rect.i64[1] > 65536))
        st = gold_bad(f, err, "val%d.rect_hw is no height and width", i);
    if (st != VG_OK)
        return st;
    const image_letterbox_rule rule = {.target_w = (int)rect.i64[1],
                                       .target_h = (int)rect.i64[0],
                                       .center = true,
                                       .stride = STRIDE};
    st = image_letterbox_plan(&fit, v.w, v.h, &rule, err);
    if (st == VG_OK)
        st = image_buffer_reserve(&boxed, fit.out_w, fit.out_h, job->mem, err);
    if (st == VG_OK)
        st = image_letterbox(&boxed.view, &v, &fit, &scratch, job->mem, err);
    if (st == VG_OK)
        st = check_letterbox(f, job, i, &boxed.view, err);
    if (st == VG_OK)
        st = check_labels(f, job, i, &v, &fit, err);
    image_buffer_fini(&boxed);
    image_scratch_fini(&scratch);
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    vg_status st = gold_has(f, "hsv.in_bgr") ? check_colours(f, job, err) : VG_OK;
    for (int i = 0; i < MOST_CASES && st == VG_OK && gold_has(f, "warp%d.M", i); i++)
        st = check_warp(f, job, i, err);
    for (int i = 0; i < MOST_CASES && st == VG_OK && gold_has(f, "mosaic%d.out", i); i++)
        st = check_mosaic(f, job, i, err);
    if (st == VG_OK && gold_has(f, "mixup.out"))
        st = check_mixup(f, job, err);
    for (int i = 0; i < MOST_CASES && st == VG_OK && gold_has(f, "val%d.img", i); i++)
        st = check_validation(f, job, i, err);
    return st;
}

const gold_kind gold_kind_augment = {.name = "augmentation",
                                     .help = "pictures and boxes, changed for training",
                                     .recognises = recognises,
                                     .check = check};
