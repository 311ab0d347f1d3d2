/* kind_task_predict.c: a picture to masks, keypoints or turned boxes: letterbox, network,
 * suppression, what the task adds, back to the picture; the rows of label files and fields of JSON
 * are made of the same. And pictures to classes ("e2e0" of the classifiers' file). */
#include <math.h>

#include "image/image.h"
#include "kind.h"
#include "network.h"
#include "recipe.h"
#include "task/task.h"

/* README of the tasks' golden data. */
static const double box_px = 0.01, point_px = 0.01, angle_abs = 1e-4, score_abs = 1e-5,
                    text_abs = 2e-4;
enum { MOST_CASES = 100, MOST_DET = 12, STRIDE = 32, TEXT_BYTES = 1 << 16, PROBS_SIZE = 96 };

static bool is_boxes(const gold_file *f)
{
    return gold_has(f, "c0.image_bgr") && gold_has(f, "c0.txt");
}

static bool is_classes(const gold_file *f)
{
    return gold_has(f, "e2e0.image_bgr") && gold_has(f, "e2e0.probs");
}

static bool recognises(const gold_file *f)
{
    return is_boxes(f) || is_classes(f);
}

typedef struct scene {
    gold_file *f;
    gold_job *job;
    const char *isa;
    gold_network net;
    nn_graph_info info;
    gold_tensor image;
    image_buffer rgb;
    float *input;
    int in_h, in_w;
    double conf, iou;
} scene;

static vg_status read_picture(scene *s, const char *name, vg_error *err)
{
    vg_status st = gold_get(&s->image, s->f, WEIGHTS_U8, 3, err, "%s", name);
    if (st == VG_OK && s->image.shape[2] != 3)
        st = gold_bad(s->f, err, "%s has %zu channels", name, s->image.shape[2]);
    if (st != VG_OK)
        return st;
    const int h = (int)s->image.shape[0], w = (int)s->image.shape[1];
    const image_view bgr = {(uint8_t *)(uintptr_t)s->image.u8, w, h, 3 * (size_t)w}; /* only read */
    st = image_buffer_reserve(&s->rgb, w, h, s->job->mem, err);
    if (st == VG_OK)
        image_swap_red_blue(&s->rgb.view, &bgr);
    return st;
}

static vg_status letterbox(scene *s, int c, vg_error *err)
{
    gold_tensor imgsz, boxed;
    vg_status st = gold_get(&imgsz, s->f, WEIGHTS_I64, 0, err, "c%d.imgsz", c);
    if (st == VG_OK)
        st = gold_get(&boxed, s->f, WEIGHTS_U8, 3, err, "c%d.letterboxed", c);
    if (st != VG_OK)
        return st;
    const int size = ((int)imgsz.i64[0] + STRIDE - 1) / STRIDE * STRIDE;
    const image_letterbox_rule rule = {.target_w = size,
                                       .target_h = size,
                                       .autosize = true,
                                       .scale_up = true,
                                       .center = true,
                                       .stride = STRIDE};
    image_letterbox_fit fit;
    image_scratch scratch = {0};
    st = image_letterbox_plan(&fit, s->rgb.view.w, s->rgb.view.h, &rule, err);
    if (st == VG_OK && ((size_t)fit.out_h != boxed.shape[0] || (size_t)fit.out_w != boxed.shape[1]))
        st = gold_bad(s->f, err, "%s has not the letterbox's size", boxed.name);
    if (st != VG_OK)
        return st;
    s->in_h = fit.out_h;
    s->in_w = fit.out_w;
    s->input = gold_take(s->f, boxed.n, sizeof(float), err);
    st = s->input
             ? image_letterbox_to_float(s->input, &s->rgb.view, &fit, &scratch, s->job->mem, err)
             : VG_ERR_MEMORY;
    image_scratch_fini(&scratch);
    gold_diff d = gold_diff_make(1e-6, 0);
    for (size_t i = 0; st == VG_OK && i < boxed.n; i++) /* BGR there */
        gold_diff_add(&d, s->input[i / 3 * 3 + 2 - i % 3], boxed.u8[i] / 255.0);
    if (st == VG_OK)
        gold_report_row(s->job->report, &d, "%s", boxed.name);
    return st;
}

/* ---- texts ---- */

typedef struct text {
    char bytes[TEXT_BYTES];
    size_t n;
} text;

static vg_status put(void *to, vg_error *err, const char *format, ...)
{
    text *t = to;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->bytes + t->n, sizeof t->bytes - t->n, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof t->bytes - t->n)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "rows of more than %d bytes", TEXT_BYTES);
    t->n += (size_t)n;
    return VG_OK;
}

/* Word by word: numbers to the tolerance, others as they are. */
static void compare_text(scene *s, const text *got, const gold_tensor *want)
{
    gold_diff words = gold_diff_make(0, 0), numbers = gold_diff_make(text_abs, 0);
    const char *a = got->bytes, *b = (const char *)want->u8, *b_end = b + want->n;
    while (a < got->bytes + got->n && b < b_end) {
        char x[32] = "", y[32] = "";
        size_t n = strcspn(a, " \n"), m = 0;
        while (b + m < b_end && b[m] != ' ' && b[m] != '\n')
            m++;
        base_format(x, sizeof x, "%.*s", (int)n, a);
        base_format(y, sizeof y, "%.*s", (int)m, b);
        double p, q;
        if (base_parse_double(&p, x) && base_parse_double(&q, y))
            gold_diff_add(&numbers, p, q);
        else
            gold_diff_add(&words, strcmp(x, y), 0);
        a += n;
        b += m;
        gold_diff_add(&words, b < b_end ? *a : '\n', b < b_end ? *b : *a == '\n' ? '\n' : 0);
        a++;
        b++;
    }
    gold_diff_add(&words, a < got->bytes + got->n, b < b_end);
    gold_report_row(s->job->report, &words, "%s words [%s]", want->name, s->isa);
    gold_report_row(s->job->report, &numbers, "%s numbers [%s]", want->name, s->isa);
}

static vg_status check_text(scene *s, const task_found *found, const char *prefix, bool with_conf,
                            vg_error *err)
{
    gold_tensor want;
    text *t = gold_take(s->f, 1, sizeof *t, err);
    vg_status st =
        t ? gold_get(&want, s->f, WEIGHTS_U8, 1, err, "%s.txt%s", prefix, with_conf ? "_conf" : "")
          : VG_ERR_MEMORY;
    const task_writer w = {.put = put, .to = t, .gap = " "};
    for (size_t i = 0; i < found->n && st == VG_OK; i++) {
        const task_row row = {.box = &found->boxes[i],
                              .extras = &found->extras,
                              .index = i,
                              .w = s->rgb.view.w,
                              .h = s->rgb.view.h};
        st = task_of(s->info.task)->put_label(&w, &row, err);
        if (st == VG_OK)
            st = with_conf ? put(t, err, " %g\n", (double)row.box->confidence) : put(t, err, "\n");
    }
    if (st == VG_OK)
        compare_text(s, t, &want);
    return st;
}

/* ---- what was found ---- */

static void compare_boxes(scene *s, const task_found *found, const gold_tensor *want)
{
    const bool is_turned = found->extras.rotated != NULL;
    const size_t row = is_turned ? 7 : 6;
    gold_diff n = gold_diff_make(0, 0), place = gold_diff_make(box_px, 0),
              score = gold_diff_make(score_abs, 0), angle = gold_diff_make(angle_abs, 0);
    gold_diff_add(&n, (double)found->n, (double)want->shape[0]);
    for (size_t i = 0; i < found->n && i < want->shape[0]; i++) {
        const float *w = want->f32 + row * i;
        const vg_detection *b = &found->boxes[i];
        const float upright[4] = {b->x1, b->y1, b->x2, b->y2};
        const float *g =
            is_turned ? (const float *)(const void *)&found->extras.rotated[i] : upright;
        for (int k = 0; k < 4; k++)
            gold_diff_add(&place, g[k], w[k]);
        if (is_turned)
            gold_diff_add(&angle, g[4], w[4]);
        gold_diff_add(&score, b->confidence, w[row - 2]);
        gold_diff_add(&n, b->class_index, w[row - 1]);
    }
    gold_report_row(s->job->report, &n, "%s rows and classes [%s]", want->name, s->isa);
    gold_report_row(s->job->report, &place, "%s px [%s]", want->name, s->isa);
    gold_report_row(s->job->report, &score, "%s scores [%s]", want->name, s->isa);
    if (is_turned)
        gold_report_row(s->job->report, &angle, "%s angles [%s]", want->name, s->isa);
}

static vg_status check_bounds(scene *s, const task_found *found, const char *prefix, vg_error *err)
{
    gold_tensor want;
    const vg_status st = gold_get(&want, s->f, WEIGHTS_F32, 2, err, "%s.xyxy", prefix);
    gold_diff d = gold_diff_make(box_px, 0);
    for (size_t i = 0; st == VG_OK && i < found->n && i < want.shape[0]; i++) {
        const vg_detection *b = &found->boxes[i];
        const float g[4] = {b->x1, b->y1, b->x2, b->y2};
        for (size_t k = 0; k < 4; k++)
            gold_diff_add(&d, g[k], want.f32[4 * i + k]);
    }
    if (st == VG_OK)
        gold_report_row(s->job->report, &d, "%s [%s]", want.name, s->isa);
    return st;
}

static vg_status check_corners(scene *s, const task_found *found, const char *prefix, vg_error *err)
{
    gold_tensor want;
    const vg_status st = gold_get(&want, s->f, WEIGHTS_F32, 3, err, "%s.xyxyxyxy", prefix);
    gold_diff d = gold_diff_make(box_px, 0);
    for (size_t i = 0; st == VG_OK && i < found->n && i < want.shape[0]; i++) {
        float c[8];
        detect_rotated_corners(c, (const float *)(const void *)&found->extras.rotated[i]);
        for (size_t k = 0; k < 8; k++)
            gold_diff_add(&d, c[k], want.f32[8 * i + k]);
    }
    if (st == VG_OK)
        gold_report_row(s->job->report, &d, "%s [%s]", want.name, s->isa);
    return st;
}

static vg_status check_keypoints(scene *s, const task_found *found, const char *prefix,
                                 vg_error *err)
{
    gold_tensor want;
    const vg_status st = gold_get(&want, s->f, WEIGHTS_F32, 3, err, "%s.keypoints", prefix);
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(point_px, 0);
    const size_t dims = want.shape[2], n = found->n * found->extras.n_keypoints;
    for (size_t i = 0; i < n && i * dims < want.n; i++) {
        const vg_keypoint *k = &found->extras.keypoints[i];
        const float g[3] = {k->x, k->y, k->visibility};
        for (size_t c = 0; c < dims; c++)
            gold_diff_add(&d, g[c], want.f32[i * dims + c]);
    }
    gold_report_row(s->job->report, &d, "%s [%s]", want.name, s->isa);
    return VG_OK;
}

static vg_status check_masks(scene *s, const task_found *found, const char *prefix, int c,
                             vg_error *err)
{
    gold_tensor want, near, xy;
    vg_status st = gold_get(&want, s->f, WEIGHTS_U8, 3, err, "%s.masks", prefix);
    if (st == VG_OK)
        st = gold_get(&near, s->f, WEIGHTS_I64, 0, err, "c%d.near_zero_pixels", c);
    if (st != VG_OK)
        return st;
    const size_t h = want.shape[1], w = want.shape[2];
    double flips = 0;
    gold_diff d = gold_diff_make((double)near.i64[0] + 0.5, 0);
    for (size_t i = 0; i < found->n && i < want.shape[0]; i++) {
        double of_mask = 0;
        for (size_t p = 0; p < h * w; p++)
            of_mask += detect_mask_has(&found->extras.masks[i], (int)(p % w), (int)(p / w)) !=
                       (want.u8[i * h * w + p] != 0);
        flips += of_mask;
        st = gold_get(&xy, s->f, WEIGHTS_F32, 2, err, "%s.xy%zu", prefix, i);
        if (st != VG_OK)
            return st;
        if (of_mask > 0) /* another mask has another outline */
            continue;
        const vg_mask *m = &found->extras.masks[i];
        gold_diff o = gold_diff_make(point_px, 0);
        gold_diff_add(&o, (double)m->n_points, (double)xy.shape[0]);
        for (size_t k = 0; k < 2 * m->n_points && k < xy.n; k++)
            gold_diff_add(&o, m->outline[k], xy.f32[k]);
        gold_report_row(s->job->report, &o, "%s [%s]", xy.name, s->isa);
    }
    gold_diff_add(&d, flips, 0);
    gold_report_row(s->job->report, &d, "%s pixels on the other side [%s]", want.name, s->isa);
    return st;
}

static vg_status check_found(scene *s, const task_found *found, const char *prefix, int c,
                             vg_error *err)
{
    gold_tensor want;
    const char *name = found->extras.rotated ? "obb" : "boxes";
    vg_status st = gold_get(&want, s->f, WEIGHTS_F32, 2, err, "%s.%s", prefix, name);
    if (st != VG_OK)
        return st;
    compare_boxes(s, found, &want);
    if (found->extras.rotated)
        st = check_bounds(s, found, prefix, err);
    if (st == VG_OK && found->extras.rotated)
        st = check_corners(s, found, prefix, err);
    if (st == VG_OK && found->extras.keypoints)
        st = check_keypoints(s, found, prefix, err);
    if (st == VG_OK && found->extras.masks)
        st = check_masks(s, found, prefix, c, err);
    if (st == VG_OK)
        st = check_text(s, found, prefix, false, err);
    return st == VG_OK ? check_text(s, found, prefix, true, err) : st;
}

static vg_status find(scene *s, const char *prefix, int c, bool is_retina, vg_error *err)
{
    task_finder finder = {0};
    task_found found = {0};
    const task_maps maps = task_maps_of(s->net.plan);
    const int h = s->rgb.view.h, w = s->rgb.view.w;
    const task_shape shape =
        task_shape_make(&s->info, MOST_DET, detect_n_anchors(maps.levels, maps.n_levels),
                        is_retina ? h : s->in_h, is_retina ? w : s->in_w, is_retina);
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.conf = (float)s->conf;
    o.iou = (float)s->iou;
    o.max_det = MOST_DET;
    const task_scene where = {
        .maps = &maps, .in_h = s->in_h, .in_w = s->in_w, .orig_h = h, .orig_w = w, .nms = &o};
    vg_status st = task_finder_open(&finder, &shape, s->job->mem, err);
    if (st == VG_OK)
        st = task_found_open(&found, &shape, s->job->mem, err);
    if (st == VG_OK)
        st = task_find_in(&finder, &found, &where, err);
    if (st == VG_OK)
        st = check_found(s, &found, prefix, c, err);
    task_found_close(&found);
    task_finder_close(&finder);
    return st;
}

static vg_status check_case(scene *s, int c, vg_error *err)
{
    char prefix[32], name[32];
    gold_tensor conf;
    base_format(prefix, sizeof prefix, "c%d", c);
    base_format(name, sizeof name, "c%d.image_bgr", c);
    vg_status st = gold_get(&conf, s->f, WEIGHTS_F64, 0, err, "c%d.conf", c);
    if (st == VG_OK)
        st = read_picture(s, name, err);
    if (st == VG_OK)
        st = letterbox(s, c, err);
    if (st == VG_OK)
        st = gold_network_run_nhwc(&s->net, s->input, 1, s->in_h, s->in_w, err);
    if (st != VG_OK)
        return st;
    s->conf = conf.f64[0];
    st = find(s, prefix, c, false, err);
    base_format(prefix, sizeof prefix, "c%d.retina", c);
    return st == VG_OK && gold_has(s->f, "%s.boxes", prefix) ? find(s, prefix, c, true, err) : st;
}

/* ---- one class a picture ---- */

static vg_status check_picture(scene *s, int c, int size, vg_error *err)
{
    char name[32];
    gold_tensor input, probs, top;
    image_scratch scratch = {0};
    image_middle m;
    base_format(name, sizeof name, "e2e%d.image_bgr", c);
    vg_status st = gold_get(&input, s->f, WEIGHTS_U8, 4, err, "e2e%d.input", c);
    if (st == VG_OK)
        st = gold_get(&probs, s->f, WEIGHTS_F32, 1, err, "e2e%d.probs", c);
    if (st == VG_OK)
        st = gold_get(&top, s->f, WEIGHTS_I64, 1, err, "e2e%d.top5", c);
    if (st == VG_OK)
        st = read_picture(s, name, err);
    if (st == VG_OK)
        st = image_middle_plan(&m, s->rgb.view.w, s->rgb.view.h, size, 1, err);
    float *x = st == VG_OK ? gold_take(s->f, input.n, sizeof *x, err) : NULL;
    if (!x)
        return st == VG_OK ? VG_ERR_MEMORY : st;
    st = image_middle_crop_to_float(x, &s->rgb.view, &m, &scratch, s->job->mem, err);
    image_scratch_fini(&scratch);
    gold_diff d = gold_diff_make(1e-6, 0), p = gold_diff_make(score_abs, 0),
              order = gold_diff_make(0, 0);
    const size_t pixels = (size_t)size * (size_t)size;
    for (size_t i = 0; st == VG_OK && i < input.n; i++)
        gold_diff_add(&d, x[i % pixels * 3 + i / pixels], input.u8[i] / 255.0);
    if (st == VG_OK)
        st = gold_network_run_nhwc(&s->net, x, 1, size, size, err);
    if (st != VG_OK)
        return st;
    task_finder finder = {0};
    task_found found = {0};
    const task_maps maps = task_maps_of(s->net.plan);
    const task_shape shape = task_shape_make(&s->info, 1, 0, 0, 0, false);
    const task_scene where = {.maps = &maps};
    st = task_finder_open(&finder, &shape, s->job->mem, err);
    if (st == VG_OK)
        st = task_found_open(&found, &shape, s->job->mem, err);
    if (st == VG_OK)
        st = task_find_in(&finder, &found, &where, err);
    for (size_t i = 0; st == VG_OK && i < probs.n; i++)
        gold_diff_add(&p, found.probabilities[i], probs.f32[i]);
    for (size_t i = 0; st == VG_OK && i < top.n && i < found.extras.n_top; i++)
        gold_diff_add(&order, found.top[i].class_index, (double)top.i64[i]);
    task_found_close(&found);
    task_finder_close(&finder);
    gold_report_row(s->job->report, &d, "%s [%s]", input.name, s->isa);
    gold_report_row(s->job->report, &p, "%s [%s]", probs.name, s->isa);
    gold_report_row(s->job->report, &order, "%s [%s]", top.name, s->isa);
    return st;
}

/* ---- together ---- */

static vg_status check_isa(gold_file *f, gold_job *job, const weights_file *w, const gold_recipe *r,
                           const char *isa, vg_error *err)
{
    scene s = {.f = f, .job = job, .isa = isa, .iou = 0.7};
    nn_graph *g = NULL;
    const nn_engine_options eo = {.threads = 1, .isa = isa};
    int64_t size = PROBS_SIZE;
    vg_status st = gold_recipe_graph(&g, r, job->mem, err);
    s.net.mem = job->mem;
    if (st == VG_OK) {
        nn_graph_get_info(g, STRIDE, &s.info);
        st = gold_network_open_graph(&s.net, g, w, r->nc, &eo, job->mem, err);
    }
    if (st == VG_OK)
        st = gold_meta_real(&s.iou, f, "iou", err);
    if (st == VG_OK)
        st = gold_meta_i64(&size, f, "e2e_size", STRIDE, 4096, err);
    for (int i = 0; i < MOST_CASES && st == VG_OK && gold_has(f, "c%d.image_bgr", i); i++)
        st = check_case(&s, i, err);
    for (int i = 0; i < MOST_CASES && st == VG_OK && gold_has(f, "e2e%d.image_bgr", i); i++)
        st = check_picture(&s, i, (int)size, err);
    image_buffer_fini(&s.rgb);
    gold_network_close(&s.net);
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_recipe r;
    synthetic_weights s = {0};
    vg_status st = gold_recipe_read_task(
        &r, f, is_classes(f) ? "classify" : gold_meta_text(f, "task", ""), err);
    if (st == VG_OK)
        st = gold_synthetic_make(&s, &r, job->mem, err);
    for (int i = 0; i < job->n_isas && st == VG_OK; i++)
        st = check_isa(f, job, s.weights, &r, job->isas[i], err);
    synthetic_close(&s);
    return st;
}

const gold_kind gold_kind_task_predict = {
    .name = "prediction of a task",
    .help = "pictures to masks, keypoints, turned boxes or classes, generator's weights",
    .recognises = recognises,
    .check = check};
