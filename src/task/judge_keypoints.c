/* judge_keypoints.c: boxes with keypoints, compared by OKS (T 6). */
#include "judge_parts.h"

typedef struct keypoint_judge {
    vg_keypoint *found, *there; /* (max_det), (most_truths): n_keypoints each */
    float sigmas[DETECT_MOST_KEYPOINTS];
    detect_keypoint_pairs pairs;
} keypoint_judge;
_Static_assert(sizeof(vg_keypoint) == 3 * sizeof(float), "points are read as floats");

static size_t n_points(const task_judge_options *o, size_t n)
{
    return n * (size_t)o->n_keypoints;
}

static size_t bytes(const task_judge_options *o)
{
    size_t found, there;
    if (o->n_keypoints < 1 || o->n_keypoints > DETECT_MOST_KEYPOINTS ||
        !base_mul_size(&found, n_points(o, (size_t)o->nms.max_det), sizeof(vg_keypoint)) ||
        !base_mul_size(&there, n_points(o, o->most_truths), sizeof(vg_keypoint)))
        return SIZE_MAX;
    const size_t parts[] = {found, there};
    return task_judge_sum(parts, 2);
}

static vg_status prepare(task_judge *j, base_mem *mem, vg_error *err)
{
    keypoint_judge *k = j->more;
    const task_judge_options *o = &j->o;
    k->found = base_alloc_zero(mem, n_points(o, (size_t)o->nms.max_det), sizeof *k->found, err);
    k->there = base_alloc_zero(mem, n_points(o, o->most_truths), sizeof *k->there, err);
    if (k->found == NULL || k->there == NULL)
        return VG_ERR_MEMORY;
    detect_keypoint_sigmas(k->sigmas, o->n_keypoints, o->keypoint_dims);
    k->pairs = (detect_keypoint_pairs){.n_keypoints = o->n_keypoints,
                                       .dims = 3,
                                       .sigmas = k->sigmas,
                                       .dets = &k->found->x,
                                       .truths = &k->there->x,
                                       .boxes = j->truths};
    return VG_OK;
}

static void fini(task_judge *j)
{
    keypoint_judge *k = j->more;
    base_free(k->found);
    base_free(k->there);
}

static void back_to_file(vg_keypoint *points, size_t n, const data_item *item)
{
    detect_keypoints_unpad(points, n, item->gain, (float)item->left, (float)item->top);
    detect_keypoints_cut(points, n, item->h0, item->w0);
}

static void look(task_judge *j, const task_seen *s, int i)
{
    keypoint_judge *k = j->more;
    const data_batch *b = s->batch;
    const size_t n = (size_t)j->o.n_keypoints;
    for (size_t d = 0; d < j->n_boxes; d++) {
        const detect_cell cell = detect_cell_at(s->levels, s->n_levels, i, j->cells[d]);
        detect_keypoints_decode(k->found + d * n, &cell, n, j->o.keypoint_dims);
    }
    const float *labelled = b->keypoints + j->first_label * n * 3;
    for (size_t p = 0; p < j->n_truths * n; p++, labelled += 3)
        k->there[p] =
            (vg_keypoint){labelled[0] * (float)b->w, labelled[1] * (float)b->h, labelled[2]};
    back_to_file(k->found, j->n_boxes * n, &b->items[i]);
    back_to_file(k->there, j->n_truths * n, &b->items[i]);
}

static void compare(task_judge *j, detect_scene *s)
{
    const keypoint_judge *k = j->more;
    s->second = detect_likeness_of_keypoints(&k->pairs);
}

static void show(task_judge *j, task_judged *out)
{
    const keypoint_judge *k = j->more;
    out->found = (vg_extras){.task = VG_TASK_POSE,
                             .keypoints = k->found,
                             .n_keypoints = (size_t)j->o.n_keypoints,
                             .keypoint_dims = j->o.keypoint_dims};
    out->there = out->found;
    out->there.keypoints = k->there;
}

const task_judge_kind task_judge_keypoints = {
    .n_figures = 2,
    .suppress_bytes = detect_nms_bytes,
    .suppress_create = detect_nms_create,
    .more_bytes = sizeof(keypoint_judge),
    .bytes = bytes,
    .prepare = prepare,
    .fini = fini,
    .find = task_judge_find_boxes,
    .look = look,
    .compare = compare,
    .show = show,
};
