/* judge_rotated.c: turned boxes, compared by probIoU in pixels of the file, where centres and sides
 * are cut as the reference cuts them (T 2.3, T 6). */
#include "judge_parts.h"

typedef struct rotated_judge {
    float *found, *there; /* (max_det, 5), (most_truths, 5) as rotated.h has them */
    detect_rotated_pairs pairs;
} rotated_judge;
_Static_assert(sizeof(vg_rotated) == 5 * sizeof(float), "boxes are read as floats");

static size_t bytes(const task_judge_options *o)
{
    const size_t parts[] = {(size_t)o->nms.max_det * sizeof(vg_rotated),
                            o->most_truths * sizeof(vg_rotated)};
    return task_judge_sum(parts, 2);
}

static vg_status prepare(task_judge *j, base_mem *mem, vg_error *err)
{
    rotated_judge *k = j->more;
    k->found = base_alloc_zero(mem, (size_t)j->o.nms.max_det, sizeof(vg_rotated), err);
    k->there = base_alloc_zero(mem, j->o.most_truths, sizeof(vg_rotated), err);
    k->pairs = (detect_rotated_pairs){k->found, k->there};
    return k->found != NULL && k->there != NULL ? VG_OK : VG_ERR_MEMORY;
}

static void fini(task_judge *j)
{
    rotated_judge *k = j->more;
    base_free(k->found);
    base_free(k->there);
}

static size_t find(task_judge *j, const task_seen *s, int i)
{
    const rotated_judge *k = j->more;
    return detect_run_rotated(j->nms, j->boxes, k->found, j->cells, s->levels, s->n_levels, j->o.nc,
                              i, &j->o.nms);
}

static void back_to_file(float *xywhr, const data_item *item)
{
    detect_rotated_unpad(xywhr, item->gain, (float)item->left, (float)item->top);
    detect_rotated_cut(xywhr, item->h0, item->w0);
}

static void look(task_judge *j, const task_seen *s, int i)
{
    rotated_judge *k = j->more;
    const data_batch *b = s->batch;
    for (size_t d = 0; d < j->n_boxes; d++)
        back_to_file(k->found + 5 * d, &b->items[i]);
    for (size_t t = 0; t < j->n_truths; t++) {
        const detect_label *l = &b->labels[j->first_label + t];
        float *box = k->there + 5 * t;
        for (int c = 0; c < 4; c++)
            box[c] = l->xywh_norm[c] * (float)(c % 2 == 0 ? b->w : b->h);
        box[4] = l->angle;
        back_to_file(box, &b->items[i]);
    }
}

static void compare(task_judge *j, detect_scene *s)
{
    const rotated_judge *k = j->more;
    s->boxes = detect_likeness_of_rotated(&k->pairs);
}

static void show(task_judge *j, task_judged *out)
{
    const rotated_judge *k = j->more;
    out->found =
        (vg_extras){.task = VG_TASK_OBB, .rotated = (const vg_rotated *)(const void *)k->found};
    out->there =
        (vg_extras){.task = VG_TASK_OBB, .rotated = (const vg_rotated *)(const void *)k->there};
}

const task_judge_kind task_judge_rotated = {
    .n_figures = 1,
    .suppress_bytes = detect_nms_rotated_bytes,
    .suppress_create = detect_nms_create_rotated,
    .more_bytes = sizeof(rotated_judge),
    .bytes = bytes,
    .prepare = prepare,
    .fini = fini,
    .find = find,
    .look = look,
    .compare = compare,
    .show = show,
};
