/* judge.c: the way of a picture through a validation; boxes, which most tasks have. */
#include <string.h>

#include "judge_parts.h"

int task_judge_figures(const task_judge_kind *kind)
{
    return kind->n_figures;
}

bool task_judge_has_boxes(const task_judge_kind *kind)
{
    return !kind->has_no_boxes;
}

size_t task_judge_sum(const size_t *parts, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        if (parts[i] == 0 || !base_add_size(&sum, sum, parts[i]))
            return SIZE_MAX;
    return sum;
}

size_t task_judge_bytes(const task_judge_options *o)
{
    const task_judge_kind *kind = o->kind;
    const size_t max_det = (size_t)o->nms.max_det;
    size_t sum = sizeof(task_judge) + kind->more_bytes;
    if (!kind->has_no_boxes)
        sum += kind->suppress_bytes(o->most_rows, o->nms.max_det) +
               max_det * (sizeof(vg_detection) + sizeof(uint32_t)) +
               o->most_truths * sizeof(detect_truth);
    const size_t more = kind->bytes != NULL ? kind->bytes(o) : 0;
    return more < SIZE_MAX / 2 ? sum + more : SIZE_MAX;
}

static vg_status make_boxes(task_judge *j, base_mem *mem, vg_error *err)
{
    const size_t max_det = (size_t)j->o.nms.max_det;
    const vg_status st =
        j->o.kind->suppress_create(&j->nms, j->o.most_rows, j->o.nms.max_det, mem, err);
    if (st != VG_OK)
        return st;
    j->boxes = base_alloc_zero(mem, max_det, sizeof *j->boxes, err);
    j->cells = base_alloc_zero(mem, max_det, sizeof *j->cells, err);
    j->truths = base_alloc_zero(mem, j->o.most_truths, sizeof *j->truths, err);
    return j->boxes != NULL && j->cells != NULL && j->truths != NULL ? VG_OK : VG_ERR_MEMORY;
}

vg_status task_judge_create(task_judge **out, const task_judge_options *o, base_mem *mem,
                            vg_error *err)
{
    const task_judge_kind *kind = o->kind;
    vg_status st = VG_OK;
    *out = NULL;
    if (task_judge_bytes(o) == SIZE_MAX)
        return base_fail(err, VG_ERR_LIMIT, "bounds of a validation",
                         "use a smaller imgsz or max_det",
                         "%d detections and %zu objects a picture of %d x %d do not fit in memory",
                         o->nms.max_det, o->most_truths, o->most_w, o->most_h);
    task_judge *j = base_alloc_zero(mem, 1, sizeof *j, err);
    if (j == NULL)
        return VG_ERR_MEMORY;
    j->o = *o;
    if (!kind->has_no_boxes)
        st = make_boxes(j, mem, err);
    if (st == VG_OK && kind->more_bytes > 0) {
        j->more = base_alloc_zero(mem, 1, kind->more_bytes, err);
        st = j->more != NULL ? VG_OK : VG_ERR_MEMORY;
    }
    if (st == VG_OK && kind->prepare != NULL)
        st = kind->prepare(j, mem, err);
    if (st != VG_OK)
        task_judge_destroy(&j);
    *out = j;
    return st;
}

void task_judge_destroy(task_judge **judge)
{
    task_judge *j = *judge;
    if (j == NULL)
        return;
    if (j->more != NULL && j->o.kind->fini != NULL)
        j->o.kind->fini(j);
    detect_nms_destroy(&j->nms);
    base_free(j->boxes);
    base_free(j->cells);
    base_free(j->truths);
    base_free(j->more);
    base_free(j);
    *judge = NULL;
}

/* ---- a picture ---- */

/* Its objects in pixels of the file. */
static void take_truths(task_judge *j, const data_batch *b, int i, size_t *label)
{
    const data_item *item = &b->items[i];
    j->n_truths = 0;
    j->first_label = *label;
    for (; *label < b->n_labels && b->labels[*label].picture == i; ++*label) {
        const detect_label *l = &b->labels[*label];
        const float cx = l->xywh_norm[0] * (float)b->w, cy = l->xywh_norm[1] * (float)b->h;
        const float half_w = l->xywh_norm[2] * (float)b->w / 2,
                    half_h = l->xywh_norm[3] * (float)b->h / 2;
        vg_detection box = {
            .x1 = cx - half_w, .y1 = cy - half_h, .x2 = cx + half_w, .y2 = cy + half_h};
        detect_unpad_boxes(&box, 1, item->gain, (float)item->left, (float)item->top);
        if (j->o.cuts_first)
            detect_cut_boxes(&box, 1, item->h0, item->w0);
        j->truths[j->n_truths++] =
            (detect_truth){.xyxy = {box.x1, box.y1, box.x2, box.y2}, .class_index = l->class_index};
    }
}

static void back_to_file(task_judge *j, const data_item *item)
{
    detect_unpad_boxes(j->boxes, j->n_boxes, item->gain, (float)item->left, (float)item->top);
    if (j->o.cuts_first)
        detect_cut_boxes(j->boxes, j->n_boxes, item->h0, item->w0);
}

vg_status task_judge_picture(task_judge *j, task_judged *out, detect_metrics *m, const task_seen *s,
                             int i, size_t *label, vg_error *err)
{
    const task_judge_kind *kind = j->o.kind;
    *out = (task_judged){.n_boxes = 0};
    if (kind->has_no_boxes) {
        j->first_label = *label;
        while (*label < s->batch->n_labels && s->batch->labels[*label].picture == i)
            ++*label;
        return kind->classes(j, out, m, s, i, err);
    }
    j->n_boxes = kind->find(j, s, i);
    take_truths(j, s->batch, i, label);
    if (kind->look != NULL)
        kind->look(j, s, i);
    back_to_file(j, &s->batch->items[i]);
    detect_scene scene = {
        .dets = j->boxes, .n_dets = j->n_boxes, .truths = j->truths, .n_truths = j->n_truths};
    if (kind->compare != NULL)
        kind->compare(j, &scene);
    *out = (task_judged){
        .boxes = j->boxes, .n_boxes = j->n_boxes, .truths = j->truths, .n_truths = j->n_truths};
    if (kind->show != NULL)
        kind->show(j, out);
    return detect_metrics_add_scene(m, &scene, err);
}

void task_judge_cut(task_judge *j, const data_item *item)
{
    detect_cut_boxes(j->boxes, j->n_boxes, item->h0, item->w0);
    for (size_t i = 0; i < j->n_truths; i++) {
        float *box = j->truths[i].xyxy;
        vg_detection cut = {.x1 = box[0], .y1 = box[1], .x2 = box[2], .y2 = box[3]};
        detect_cut_boxes(&cut, 1, item->h0, item->w0);
        memcpy(box, (float[]){cut.x1, cut.y1, cut.x2, cut.y2}, sizeof j->truths->xyxy);
    }
}

size_t task_judge_find_boxes(task_judge *j, const task_seen *s, int i)
{
    if (s->views != NULL)
        return detect_views_run(s->views, j->nms, j->boxes, i, &j->o.nms);
    return detect_run(j->nms, j->boxes, j->cells, s->levels, s->n_levels, j->o.nc, i, &j->o.nms);
}

const task_judge_kind task_judge_boxes = {
    .n_figures = 1,
    .suppress_bytes = detect_nms_bytes,
    .suppress_create = detect_nms_create,
    .find = task_judge_find_boxes,
};
