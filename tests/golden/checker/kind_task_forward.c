/* kind_task_forward.c: the networks of segment, pose, obb and classify: layers, maps, what a task
 * has beside boxes, and their decoded output; by kernel table, and with two threads against one. */
#include <math.h>
#include <string.h>

#include "decoded.h"
#include "nn/plan.h"

/* Tolerances: the README of the tasks' golden data. */
static const double map_abs = 1e-4, map_rel = 1e-4, px_abs = 2e-3, angle_abs = 1e-5,
                    score_abs = 1e-5;

static bool recognises(const gold_file *f)
{
    return gold_task_suffix(gold_meta_text(f, "task", NULL)) && gold_has(f, "input") &&
           !gold_has(f, "targets") && (gold_has(f, "decoded") || gold_has(f, "probs"));
}

/* An input of bytes, as the network got it. */
static vg_status read_input(gold_tensor *out, gold_file *f, vg_error *err)
{
    vg_status st = gold_get(out, f, WEIGHTS_U8, 4, err, "input");
    float *x = st == VG_OK ? gold_take(f, out->n, sizeof *x, err) : NULL;
    if (!x)
        return st == VG_OK ? VG_ERR_MEMORY : st;
    for (size_t i = 0; i < out->n; i++)
        x[i] = (float)out->u8[i] / 255.0F;
    out->f32 = x;
    return VG_OK;
}

/* One map of the network against (N, C, H, W), or (N, C) where it has one pixel. */
static vg_status check_map(gold_file *f, gold_job *job, const nn_map *m, const char *name,
                           const char *isa, vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_F32, 0, err, "%s", name);
    if (st != VG_OK)
        return st;
    if (want.shape[0] != (size_t)m->n || want.shape[1] != (size_t)m->c ||
        want.shape[2] != (size_t)m->h || want.shape[3] != (size_t)m->w)
        return gold_bad(f, err, "%s is not of %d x %d x %d x %d", name, m->n, m->c, m->h, m->w);
    gold_diff d = gold_diff_make(map_abs, map_rel);
    for (size_t i = 0; i < want.n; i++)
        gold_diff_add(&d, gold_map_nchw(m, i), want.f32[i]);
    gold_report_row(job->report, &d, "%s [%s]", name, isa);
    return VG_OK;
}

/* ---- beside boxes: (N, E, A), all levels one behind the other ---- */

/* Number e of cell `at` (over all levels) of picture i; the cell's column, row and stride. */
typedef struct cell {
    const float *box, *cls, *extra;
    float x, y, stride;
} cell;

static cell find_cell(const base_level *levels, size_t i, size_t at)
{
    for (;; levels++) {
        const size_t w = (size_t)levels->w, n = w * (size_t)levels->h;
        if (at >= n) {
            at -= n;
            continue;
        }
        const size_t p = i * n + at;
        return (cell){.box = levels->box + p * levels->box_pitch,
                      .cls = levels->cls + p * levels->cls_pitch,
                      .extra = levels->extra + p * levels->extra_pitch,
                      .x = (float)(at % w),
                      .y = (float)(at / w),
                      .stride = levels->stride};
    }
}

static float sigmoid(float x)
{
    return 1.0F / (1.0F + expf(-x));
}

static float angle_of(const cell *c)
{
    return (sigmoid(c->extra[0]) - 0.25F) * 3.14159265358979F;
}

/* Channel e behind the classes: spec 1.3 of the tasks. */
static float decoded_extra(const cell *c, int e, const nn_graph_info *info)
{
    if (info->task == VG_TASK_OBB)
        return angle_of(c);
    if (info->task != VG_TASK_POSE)
        return c->extra[e];
    const int d = e % info->keypoint_dims;
    return d == 2 ? sigmoid(c->extra[e]) : (2 * c->extra[e] + (d == 0 ? c->x : c->y)) * c->stride;
}

/* box: an upright decode of the same four distances, which are along the box's own sides. */
static float turned_box(const cell *c, int k, const float box[4])
{
    const float angle = angle_of(c), ax = (c->x + 0.5F) * c->stride, ay = (c->y + 0.5F) * c->stride,
                x = box[0] - ax, y = box[1] - ay;
    return k == 0   ? ax + x * cosf(angle) - y * sinf(angle)
           : k == 1 ? ay + x * sinf(angle) + y * cosf(angle)
                    : box[k];
}

static vg_status check_extra(gold_file *f, gold_job *job, const base_level *levels, size_t n,
                             size_t n_cells, const char *name, const char *isa, vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_F32, 3, err, "%s", name);
    if (st != VG_OK)
        return st;
    const size_t extra = (size_t)levels->n_extra;
    if (want.shape[0] != n || want.shape[1] != extra || want.shape[2] != n_cells)
        return gold_bad(f, err, "%s is not of %zu x %zu x %zu", name, n, extra, n_cells);
    const bool is_angle = strcmp(name, "angle") == 0;
    gold_diff d = is_angle ? gold_diff_make(angle_abs, 0) : gold_diff_make(map_abs, map_rel);
    for (size_t i = 0; i < want.n; i++) {
        const cell c = find_cell(levels, i / n_cells / extra, i % n_cells);
        gold_diff_add(&d, is_angle ? angle_of(&c) : c.extra[i / n_cells % extra], want.f32[i]);
    }
    gold_report_row(job->report, &d, "%s [%s]", name, isa);
    return VG_OK;
}

static vg_status check_decoded(gold_file *f, gold_job *job, gold_network *net,
                               const base_level *levels, const nn_graph_info *info, const char *isa,
                               vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_F32, 3, err, "decoded");
    if (st == VG_OK)
        st = gold_network_decode(net, err);
    if (st != VG_OK)
        return st;
    const size_t n_cells = net->n_anchors, upright = (size_t)(4 + net->nc),
                 rows = upright + (size_t)info->n_extra,
                 n = (size_t)nn_plan_head(net->plan, 0).box.n;
    if (want.shape[0] != n || want.shape[1] != rows || want.shape[2] != n_cells)
        return gold_bad(f, err, "decoded is not of %zu x %zu x %zu", n, rows, n_cells);
    gold_diff boxes = gold_diff_make(px_abs, 0), scores = gold_diff_make(score_abs, 0),
              extras = info->task == VG_TASK_POSE  ? gold_diff_make(px_abs, 0)
                       : info->task == VG_TASK_OBB ? gold_diff_make(angle_abs, 0)
                                                   : gold_diff_make(map_abs, map_rel);
    for (size_t k = 0; k < want.n; k++) {
        const size_t i = k / n_cells / rows, row = k / n_cells % rows, at = k % n_cells;
        const cell c = find_cell(levels, i, at);
        const float *of = net->decoded + i * upright * n_cells;
        float box[4];
        for (size_t side = 0; side < 4; side++)
            box[side] = of[side * n_cells + at];
        if (row >= upright)
            gold_diff_add(&extras, decoded_extra(&c, (int)(row - upright), info), want.f32[k]);
        else if (row >= 4)
            gold_diff_add(&scores, of[row * n_cells + at], want.f32[k]);
        else
            gold_diff_add(&boxes,
                          info->task == VG_TASK_OBB ? turned_box(&c, (int)row, box) : box[row],
                          want.f32[k]);
    }
    gold_report_row(job->report, &boxes, "decoded boxes, px [%s]", isa);
    gold_report_row(job->report, &scores, "decoded scores [%s]", isa);
    gold_report_row(job->report, &extras, "decoded extras [%s]", isa);
    return VG_OK;
}

static vg_status check_boxes(gold_file *f, gold_job *job, gold_network *net,
                             const nn_graph_info *info, const char *isa, vg_error *err)
{
    static const char *const names[] = {"mc", "kpt_raw", "angle_logit", "angle"};
    base_level levels[DETECT_MAX_LEVELS];
    const int n_levels = gold_network_levels(net, levels);
    const size_t n = (size_t)nn_plan_head(net->plan, 0).box.n,
                 n_cells = detect_n_anchors(levels, n_levels);
    vg_status st = gold_check_raw(f, job, net, isa, err);
    for (size_t i = 0; i < sizeof names / sizeof *names && st == VG_OK; i++)
        if (gold_has(f, "%s", names[i]))
            st = check_extra(f, job, levels, n, n_cells, names[i], isa, err);
    nn_map proto;
    if (st == VG_OK && nn_plan_result(net->plan, NN_PROTOTYPES, &proto))
        st = check_map(f, job, &proto, "proto", isa, err);
    return st == VG_OK ? check_decoded(f, job, net, levels, info, isa, err) : st;
}

/* ---- one class a picture ---- */

/* What the linear layer reads: nobody writes there behind it. */
static bool find_pooled(const gold_network *net, nn_map *out)
{
    const nn_graph *g = nn_engine_graph(net->engine);
    for (size_t i = 0; i < nn_graph_n_ops(g); i++)
        if (nn_graph_op(g, i)->kind == NN_MEAN) {
            *out = net->plan->maps[nn_graph_op(g, i)->out];
            return out->data != NULL;
        }
    return false;
}

static vg_status check_classes(gold_file *f, gold_job *job, const gold_network *net,
                               const char *isa, vg_error *err)
{
    nn_map logits, pooled;
    gold_tensor want;
    if (!nn_plan_result(net->plan, NN_LOGITS, &logits))
        return gold_bad(f, err, "the network has no logits");
    vg_status st = check_map(f, job, &logits, "logits", isa, err);
    if (st == VG_OK && find_pooled(net, &pooled))
        st = check_map(f, job, &pooled, "pooled", isa, err);
    if (st == VG_OK)
        st = gold_get(&want, f, WEIGHTS_F32, 2, err, "probs");
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(score_abs, 0);
    for (size_t i = 0; i < want.n; i++) {
        const float *x = nn_map_row(&logits, (int)(i / (size_t)logits.c), 0);
        double sum = 0;
        for (int c = 0; c < logits.c; c++)
            sum += exp((double)x[c] - (double)x[i % (size_t)logits.c]);
        gold_diff_add(&d, 1 / sum, want.f32[i]);
    }
    gold_report_row(job->report, &d, "probs [%s]", isa);
    return VG_OK;
}

/* ---- together ---- */

static vg_status open_network(gold_network *net, const weights_file *w, const gold_recipe *r,
                              const gold_tensor *input, const nn_engine_options *o, base_mem *mem,
                              vg_error *err)
{
    nn_graph *g = NULL;
    *net = (gold_network){.mem = mem};
    vg_status st = gold_recipe_graph(&g, r, mem, err);
    if (st == VG_OK)
        st = gold_network_open_graph(net, g, w, r->nc, o, mem, err);
    return st == VG_OK ? gold_network_run(net, input->f32, input->shape, err) : st;
}

/* Two threads share work otherwise than one; the numbers must not. */
static vg_status check_threads(gold_job *job, const weights_file *w, const gold_recipe *r,
                               const gold_tensor *input, const gold_network *one, const char *isa,
                               vg_error *err)
{
    gold_network two;
    const nn_engine_options o = {.threads = 2, .isa = isa};
    vg_status st = open_network(&two, w, r, input, &o, job->mem, err);
    gold_diff d = gold_diff_make(0, 0);
    for (int k = 0; st == VG_OK && k < NN_N_RESULTS + nn_plan_n_heads(two.plan); k++) {
        nn_map a, b;
        if (k < NN_N_RESULTS) {
            if (!nn_plan_result(one->plan, (nn_result)k, &a) ||
                !nn_plan_result(two.plan, (nn_result)k, &b))
                continue;
        } else {
            a = nn_plan_head(one->plan, k - NN_N_RESULTS).extra;
            b = nn_plan_head(two.plan, k - NN_N_RESULTS).extra;
        }
        const size_t n = (size_t)a.n * (size_t)a.h * (size_t)a.w * (size_t)a.c;
        for (size_t i = 0; i < n; i++)
            gold_diff_add(&d, gold_map_nchw(&b, i), gold_map_nchw(&a, i));
    }
    if (st == VG_OK)
        gold_report_row(job->report, &d, "extras, 2 threads against 1 [%s]", isa);
    gold_network_close(&two);
    return st;
}

static vg_status check_isa(gold_file *f, gold_job *job, const weights_file *w, const gold_recipe *r,
                           const gold_tensor *input, const char *isa, vg_error *err)
{
    gold_network net;
    nn_graph_info info;
    nn_engine_options o = {.threads = 1, .isa = isa, .device = job->device, .keep_layers = true};
    vg_status st = open_network(&net, w, r, input, &o, job->mem, err);
    if (st == VG_OK)
        st = gold_check_layers(f, job, &net, isa, err);
    gold_network_close(&net);
    o.keep_layers = false;
    if (st == VG_OK)
        st = open_network(&net, w, r, input, &o, job->mem, err);
    if (st != VG_OK) {
        gold_network_close(&net);
        return st;
    }
    nn_graph_get_info(nn_engine_graph(net.engine), 640, &info);
    st = info.task == VG_TASK_CLASSIFY ? check_classes(f, job, &net, isa, err)
                                       : check_boxes(f, job, &net, &info, isa, err);
    if (st == VG_OK && !job->device)
        st = check_threads(job, w, r, input, &net, isa, err);
    gold_network_close(&net);
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_recipe r;
    gold_tensor input;
    synthetic_weights s = {0};
    vg_status st = gold_recipe_read_task(&r, f, gold_meta_text(f, "task", ""), err);
    if (st == VG_OK)
        st = read_input(&input, f, err);
    if (st == VG_OK)
        st = gold_synthetic_make(&s, &r, job->mem, err);
    if (st == VG_OK) {
        gold_report_note(job->report, "%s, nc %d, generator seed %lld, input %zu x %zu x %zu",
                         r.scale, r.nc, (long long)r.seed, input.shape[0], input.shape[2],
                         input.shape[3]);
        st = gold_check_sum(f, job, &s, err);
    }
    for (int i = 0; i < job->n_isas && st == VG_OK; i++)
        st = check_isa(f, job, s.weights, &r, &input, job->isas[i], err);
    synthetic_close(&s);
    return st;
}

const gold_kind gold_kind_task_forward = {
    .on_device = true,
    .name = "task forward",
    .help = "the maps of segment, pose, obb and classify for an input",
    .recognises = recognises,
    .check = check};
