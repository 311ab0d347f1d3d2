/* judge_masks.c: boxes with masks: those of the boxes that were kept, against the objects' pixels
 * (T 6). Where objects overlap, the one below has a hole: a map has one owner a pixel. */
#include "judge_parts.h"

/* A mask's pixel is four of the input's a side, of every model (T 1.2). */
enum { PROTO_RATIO = 4 };

typedef struct mask_judge {
    detect_masker *masker;
    detect_masks *masks;
    void *found_block, *there_block;
    detect_bitmaps found, there;
    detect_mask_pairs pairs;
} mask_judge;

static int grid(const task_judge_options *o, int side)
{
    return o->whole_masks ? side : (side + PROTO_RATIO - 1) / PROTO_RATIO;
}

static size_t bytes(const task_judge_options *o)
{
    const int h = grid(o, o->most_h), w = grid(o, o->most_w);
    const size_t parts[] = {detect_masker_bytes(h, w),
                            detect_masks_bytes((size_t)o->nms.max_det, h, w),
                            detect_bitmaps_bytes((size_t)o->nms.max_det, h, w),
                            detect_bitmaps_bytes(o->most_truths, h, w)};
    return task_judge_sum(parts, sizeof parts / sizeof *parts);
}

static vg_status prepare(task_judge *j, base_mem *mem, vg_error *err)
{
    mask_judge *k = j->more;
    const task_judge_options *o = &j->o;
    const int h = grid(o, o->most_h), w = grid(o, o->most_w);
    const size_t max_det = (size_t)o->nms.max_det;
    vg_status st = detect_masker_create(&k->masker, h, w, mem, err);
    if (st == VG_OK)
        st = detect_masks_create(&k->masks, max_det, h, w, mem, err);
    if (st != VG_OK)
        return st;
    k->found_block = base_alloc(mem, detect_bitmaps_bytes(max_det, h, w), err);
    k->there_block = base_alloc(mem, detect_bitmaps_bytes(o->most_truths, h, w), err);
    if (k->found_block == NULL || k->there_block == NULL)
        return VG_ERR_MEMORY;
    k->found = detect_bitmaps_make(k->found_block, max_det, h, w);
    k->there = detect_bitmaps_make(k->there_block, o->most_truths, h, w);
    k->pairs = (detect_mask_pairs){&k->found, &k->there};
    return VG_OK;
}

static void fini(task_judge *j)
{
    mask_judge *k = j->more;
    detect_masker_destroy(&k->masker);
    detect_masks_destroy(&k->masks);
    base_free(k->found_block);
    base_free(k->there_block);
}

/* The picture's objects, brought to the size of what was found. */
static void take_objects(task_judge *j, const data_batch *b, int i, int h, int w)
{
    mask_judge *k = j->more;
    const size_t pixels = (size_t)b->mask_h * (size_t)b->mask_w;
    detect_bitmaps_resize(&k->there, h, w);
    if (b->index_maps != NULL)
        detect_bitmaps_split(&k->there, j->n_truths, b->index_maps + (size_t)i * pixels, b->mask_h,
                             b->mask_w);
    else
        for (size_t t = 0; t < j->n_truths; t++)
            detect_bitmaps_take(&k->there, t, b->masks + (j->first_label + t) * pixels, b->mask_h,
                                b->mask_w);
}

static void look(task_judge *j, const task_seen *s, int i)
{
    mask_judge *k = j->more;
    const nn_map *proto = &s->results[NN_PROTOTYPES];
    const data_batch *b = s->batch;
    const bool whole = j->o.whole_masks;
    /* The input stands for the picture: whole masks are grown first, and cut then (T 6). */
    const detect_mask_source source = {.proto = nn_map_row(proto, i, 0),
                                       .pitch = proto->pitch,
                                       .h = proto->h,
                                       .w = proto->w,
                                       .n = proto->c,
                                       .in_h = b->h,
                                       .in_w = b->w,
                                       .orig_h = b->h,
                                       .orig_w = b->w,
                                       .levels = s->levels,
                                       .n_levels = s->n_levels,
                                       .picture = i};
    const int h = whole ? b->h : proto->h, w = whole ? b->w : proto->w;
    detect_masks_make(k->masks, k->masker, &source, whole ? DETECT_GRID_PICTURE : DETECT_GRID_PROTO,
                      j->boxes, j->cells, j->n_boxes, whole && j->o.outlines);
    if (whole && j->o.outlines) {
        const data_item *item = &b->items[i];
        detect_masks_unpad(k->masks, j->n_boxes, item->gain, (float)item->left, (float)item->top,
                           item->h0, item->w0);
    }
    detect_bitmaps_resize(&k->found, h, w);
    for (size_t n = 0; n < j->n_boxes; n++)
        detect_bitmaps_unpack(&k->found, n, &detect_masks_at(k->masks)[n]);
    take_objects(j, b, i, h, w);
}

static void compare(task_judge *j, detect_scene *s)
{
    const mask_judge *k = j->more;
    s->second = detect_likeness_of_masks(&k->pairs);
}

static void show(task_judge *j, task_judged *out)
{
    const mask_judge *k = j->more;
    out->found = (vg_extras){.task = VG_TASK_SEGMENT, .masks = detect_masks_at(k->masks)};
}

const task_judge_kind task_judge_masks = {
    .n_figures = 2,
    .suppress_bytes = detect_nms_bytes,
    .suppress_create = detect_nms_create,
    .more_bytes = sizeof(mask_judge),
    .bytes = bytes,
    .prepare = prepare,
    .fini = fini,
    .find = task_judge_find_boxes,
    .look = look,
    .compare = compare,
    .show = show,
};
