/* found.c: room for results, and how each task fills it. */
#include "found.h"

#include <string.h>

#include "task.h"

task_shape task_shape_make(const nn_graph_info *info, size_t most, size_t most_rows, int grid_h,
                           int grid_w, bool is_retina)
{
    return (task_shape){.task = task_of(info->task),
                        .most = most,
                        .most_rows = most_rows,
                        .nc = info->nc,
                        .n_keypoints = (size_t)info->keypoints,
                        .keypoint_dims = info->keypoint_dims,
                        .grid_h = grid_h,
                        .grid_w = grid_w,
                        .is_retina = is_retina};
}

/* ---- room ---- */

static size_t whole_bytes(const task_shape *s)
{
    return DETECT_TOP * sizeof(vg_class_score) + (size_t)s->nc * sizeof(float);
}

size_t task_found_bytes(const task_shape *s)
{
    const size_t each = sizeof(vg_detection) + s->n_keypoints * sizeof(vg_keypoint) +
                        (s->task->is_rotated ? sizeof(vg_rotated) : 0);
    return s->most * each + (s->task->is_whole ? whole_bytes(s) : 0) +
           (s->task->has_masks ? detect_masks_bytes(s->most, s->grid_h, s->grid_w) : 0);
}

vg_status task_found_open(task_found *out, const task_shape *s, base_mem *mem, vg_error *err)
{
    *out = (task_found){.most = s->most, .extras.task = s->task->id};
    out->boxes = base_alloc_zero(mem, s->most, sizeof *out->boxes, err);
    bool has_all = out->boxes != NULL;
    if (has_all && s->n_keypoints > 0) {
        out->keypoints = base_alloc_zero(mem, s->most, s->n_keypoints * sizeof(vg_keypoint), err);
        has_all = out->keypoints != NULL;
        out->extras.n_keypoints = s->n_keypoints;
        out->extras.keypoint_dims = s->keypoint_dims;
    }
    if (has_all && s->task->is_rotated) {
        out->rotated = base_alloc_zero(mem, s->most, sizeof *out->rotated, err);
        has_all = out->rotated != NULL;
    }
    if (has_all && s->task->is_whole) {
        out->top = base_alloc_zero(mem, DETECT_TOP, sizeof *out->top, err);
        out->probabilities = base_alloc_zero(mem, (size_t)s->nc, sizeof *out->probabilities, err);
        has_all = out->top != NULL && out->probabilities != NULL;
    }
    vg_status st = has_all ? VG_OK : VG_ERR_MEMORY;
    if (st == VG_OK && s->task->has_masks)
        st = detect_masks_create(&out->masks, s->most, s->grid_h, s->grid_w, mem, err);
    if (st != VG_OK)
        task_found_close(out);
    out->extras.keypoints = out->keypoints;
    out->extras.rotated = out->rotated;
    out->extras.top = out->top;
    out->extras.probabilities = out->probabilities;
    out->extras.n_probabilities = out->probabilities != NULL ? (size_t)s->nc : 0;
    return st;
}

void task_found_close(task_found *f)
{
    base_free(f->boxes);
    base_free(f->keypoints);
    base_free(f->rotated);
    base_free(f->top);
    base_free(f->probabilities);
    detect_masks_destroy(&f->masks);
    *f = (task_found){0};
}

void task_found_move(task_found *f, size_t to, size_t from)
{
    if (to == from)
        return;
    f->boxes[to] = f->boxes[from];
    if (f->masks)
        detect_masks_at(f->masks)[to] = detect_masks_at(f->masks)[from];
    if (f->rotated)
        f->rotated[to] = f->rotated[from];
    if (f->keypoints)
        memcpy(f->keypoints + to * f->extras.n_keypoints,
               f->keypoints + from * f->extras.n_keypoints,
               f->extras.n_keypoints * sizeof *f->keypoints);
}

/* ---- the finder ---- */

size_t task_finder_bytes(const task_shape *s)
{
    const task *t = s->task;
    if (t->is_whole)
        return 0;
    return (t->is_rotated ? detect_nms_rotated_bytes : detect_nms_bytes)(s->most_rows,
                                                                         (int)s->most) +
           s->most * sizeof(uint32_t) +
           (t->has_masks ? detect_masker_bytes(s->grid_h, s->grid_w) : 0);
}

vg_status task_finder_open(task_finder *out, const task_shape *s, base_mem *mem, vg_error *err)
{
    const task *t = s->task;
    *out = (task_finder){.shape = *s, .mem = mem};
    if (t->is_whole)
        return VG_OK;
    out->cells = base_alloc_zero(mem, s->most, sizeof *out->cells, err);
    vg_status st = out->cells ? VG_OK : VG_ERR_MEMORY;
    if (st == VG_OK)
        st = (t->is_rotated ? detect_nms_create_rotated
                            : detect_nms_create)(&out->nms, s->most_rows, (int)s->most, mem, err);
    if (st == VG_OK && t->has_masks)
        st = detect_masker_create(&out->masker, s->grid_h, s->grid_w, mem, err);
    if (st != VG_OK)
        task_finder_close(out);
    return st;
}

void task_finder_close(task_finder *f)
{
    detect_nms_destroy(&f->nms);
    detect_masker_destroy(&f->masker);
    base_free(f->cells);
    *f = (task_finder){0};
}

task_maps task_maps_of(const nn_plan *p)
{
    task_maps m = {.n_levels = 0};
    m.n_levels = nn_plan_levels(p, m.levels);
    if (!nn_plan_result(p, NN_PROTOTYPES, &m.prototypes))
        m.prototypes = (nn_map){0};
    if (!nn_plan_result(p, NN_LOGITS, &m.logits))
        m.logits = (nn_map){0};
    return m;
}

vg_status task_find_in(task_finder *f, task_found *out, const task_scene *s, vg_error *err)
{
    out->n = out->extras.n_top = 0;
    out->extras.masks = NULL;
    const vg_status st = f->shape.task->find(f, out, s, err);
    if (st != VG_OK)
        out->n = out->extras.n_top = 0;
    return st;
}

/* ---- what tasks find: the rows of the table point here ---- */

static size_t run(task_finder *f, task_found *out, const task_scene *s)
{
    return detect_run(f->nms, out->boxes, f->cells, s->maps->levels, s->maps->n_levels, f->shape.nc,
                      s->picture, s->nms);
}

static void scale(task_found *out, const task_scene *s)
{
    detect_scale_boxes(out->boxes, out->n, s->in_h, s->in_w, s->orig_h, s->orig_w);
}

vg_status task_find_boxes(task_finder *f, task_found *out, const task_scene *s, vg_error *err)
{
    (void)err;
    out->n = run(f, out, s);
    scale(out, s);
    return VG_OK;
}

static void warn_thinned(task_finder *f, size_t n)
{
    if (n == 0 || f->has_warned)
        return;
    f->has_warned = true;
    base_log(BASE_LOG_WARN, "outlines thinned out",
             "masks=%zu why=\"together they have more corners than were planned\" "
             "try=\"a lower max_det, or a higher conf\"",
             n);
}

static vg_status make_masks(task_finder *f, task_found *out, const task_scene *s, vg_error *err)
{
    const bool is_retina = f->shape.is_retina;
    const int h = is_retina ? s->orig_h : s->in_h, w = is_retina ? s->orig_w : s->in_w;
    const nn_map *p = &s->maps->prototypes;
    vg_status st = detect_masks_reserve(&out->masks, out->most, h, w, f->mem, err);
    if (st == VG_OK)
        st = detect_masker_reserve(&f->masker, h, w, f->mem, err);
    if (st != VG_OK)
        return st;
    const detect_mask_source source = {.proto = nn_map_row(p, s->picture, 0),
                                       .pitch = p->pitch,
                                       .h = p->h,
                                       .w = p->w,
                                       .n = p->c,
                                       .in_h = s->in_h,
                                       .in_w = s->in_w,
                                       .orig_h = s->orig_h,
                                       .orig_w = s->orig_w,
                                       .levels = s->maps->levels,
                                       .n_levels = s->maps->n_levels,
                                       .picture = s->picture};
    warn_thinned(f, detect_masks_make(out->masks, f->masker, &source,
                                      is_retina ? DETECT_GRID_PICTURE : DETECT_GRID_INPUT,
                                      out->boxes, f->cells, out->n, true));
    out->extras.masks = detect_masks_at(out->masks);
    return VG_OK;
}

/* Retina masks are cut by the boxes in the picture, others by those in the input. */
vg_status task_find_masks(task_finder *f, task_found *out, const task_scene *s, vg_error *err)
{
    vg_status st = VG_OK;
    out->n = run(f, out, s);
    if (f->shape.is_retina || s->without_extras)
        scale(out, s);
    if (!s->without_extras)
        st = make_masks(f, out, s, err);
    if (!f->shape.is_retina && !s->without_extras)
        scale(out, s);
    return st;
}

vg_status task_find_keypoints(task_finder *f, task_found *out, const task_scene *s, vg_error *err)
{
    (void)err;
    const size_t k = f->shape.n_keypoints;
    out->n = run(f, out, s);
    scale(out, s);
    detect_round_boxes(out->boxes, out->n);
    for (size_t i = 0; i < out->n; i++) {
        vg_keypoint *points = out->keypoints + i * k;
        const detect_cell cell =
            detect_cell_at(s->maps->levels, s->maps->n_levels, s->picture, f->cells[i]);
        detect_keypoints_decode(points, &cell, k, f->shape.keypoint_dims);
        detect_keypoints_scale(points, k, s->in_h, s->in_w, s->orig_h, s->orig_w);
        detect_keypoints_hide(points, k);
    }
    return VG_OK;
}

vg_status task_find_rotated(task_finder *f, task_found *out, const task_scene *s, vg_error *err)
{
    (void)err;
    _Static_assert(sizeof(vg_rotated) == 5 * sizeof(float), "x y w h angle");
    out->n =
        detect_run_rotated(f->nms, out->boxes, (float *)(void *)out->rotated, f->cells,
                           s->maps->levels, s->maps->n_levels, f->shape.nc, s->picture, s->nms);
    for (size_t i = 0; i < out->n; i++) {
        float *box = (float *)(void *)&out->rotated[i];
        detect_rotated_regularise(box);
        detect_rotated_scale(box, s->in_h, s->in_w, s->orig_h, s->orig_w);
        detect_rotated_bounds(&out->boxes[i], box);
    }
    return VG_OK;
}

vg_status task_find_class(task_finder *f, task_found *out, const task_scene *s, vg_error *err)
{
    (void)err;
    out->extras.n_top = detect_top(out->top, out->probabilities,
                                   nn_map_row(&s->maps->logits, s->picture, 0), f->shape.nc);
    return VG_OK;
}
