/* gallery.c: a batch is what the network saw: its floats become a picture again, one at a time, and
 * go onto the page with the boxes that belong to it. */
#include "gallery.h"

#include <math.h>

#include "gallery_art.h"
#include "task/task.h"

enum { TRUTH, FOUND }; /* pages; training batches are truth, too */
enum { LABEL_BYTES = 160, MOST_FILE_BYTES = 64 << 20 };

struct train_gallery {
    train_gallery_options o;
    report_mosaic *mosaic;
    image_buffer picture;
    image_box *boxes;           /* (most of both) */
    char (*texts)[LABEL_BYTES]; /* (most_found) */
    float (*turned)[5];         /* (most of both) of tasks whose boxes are */
    vg_keypoint *points;        /* (most of both, n_keypoints); NULL: there are none */
};

static size_t most_boxes(const train_gallery_options *o)
{
    const size_t most = o->most_labels > o->most_found ? o->most_labels : o->most_found;
    return most > 0 ? most : 1;
}

vg_status train_gallery_create(train_gallery **out, const train_gallery_options *o, base_mem *mem,
                               vg_error *err)
{
    *out = NULL;
    train_gallery *g = base_alloc_zero(mem, 1, sizeof *g, err);
    if (!g)
        return VG_ERR_MEMORY;
    g->o = *o;
    if (g->o.task == NULL)
        g->o.task = &task_detect;
    if (g->o.conf == 0.001f)
        g->o.conf = 0.25f;
    /* A batch of validation is up to a stride larger than imgsz: spec 5.5 */
    const int side = (o->imgsz + o->stride - 1) / o->stride * o->stride + o->stride;
    const size_t most = most_boxes(o);
    vg_status st =
        report_mosaic_create(&g->mosaic, REPORT_MOSAIC_PAGES, side, side, most, mem, err);
    if (st == VG_OK)
        st = image_buffer_reserve(&g->picture, side, side, mem, err);
    if (st == VG_OK) {
        report_mosaic_names(g->mosaic, o->names, (size_t)o->nc);
        g->boxes = base_alloc_zero(mem, most, sizeof *g->boxes, err);
        g->texts = base_alloc_zero(mem, o->most_found + 1, sizeof *g->texts, err);
        st = g->boxes && g->texts ? VG_OK : VG_ERR_MEMORY;
    }
    if (st == VG_OK && g->o.task->is_rotated) {
        g->turned = base_alloc_zero(mem, most, sizeof *g->turned, err);
        st = g->turned ? VG_OK : VG_ERR_MEMORY;
    }
    if (st == VG_OK && o->n_keypoints > 0) {
        g->points = base_alloc_zero(mem, most, (size_t)o->n_keypoints * sizeof *g->points, err);
        st = g->points ? VG_OK : VG_ERR_MEMORY;
    }
    if (st != VG_OK)
        train_gallery_destroy(&g);
    *out = g;
    return st;
}

void train_gallery_destroy(train_gallery **gallery)
{
    train_gallery *g = *gallery;
    if (!g)
        return;
    report_mosaic_destroy(&g->mosaic);
    image_buffer_fini(&g->picture);
    base_free(g->boxes);
    base_free(g->texts);
    base_free(g->turned);
    base_free(g->points);
    base_free(g);
    *gallery = NULL;
}

/* ---- one picture ---- */

/* Picture i of the batch as bytes. */
static vg_status take_picture(train_gallery *g, const data_batch *b, int i, base_mem *mem,
                              vg_error *err)
{
    const vg_status st = image_buffer_reserve(&g->picture, b->w, b->h, mem, err);
    if (st != VG_OK)
        return st;
    const size_t n = (size_t)b->w * (size_t)b->h * 3;
    const float *src = b->input + (size_t)i * n;
    for (size_t k = 0; k < n; k++)
        g->picture.view.data[k] = (uint8_t)lrintf(src[k] * 255);
    return VG_OK;
}

/* Of picture i and its labels; what was found is the caller's to add. */
static gallery_art art_make(train_gallery *g, const data_batch *b, int i, size_t first_label,
                            size_t n_labels)
{
    return (gallery_art){
        .task = g->o.task,
        .names = {.at = image_name_at, .context = g->o.names, .n = (size_t)g->o.nc},
        .batch = b,
        .i = i,
        .first_label = first_label,
        .n_labels = n_labels,
        .points = b->n_keypoints == g->o.n_keypoints ? g->points : NULL,
        .most_objects = most_boxes(&g->o)};
}

/* Box `at` of the page is turned as object k is. */
static void turn(train_gallery *g, const gallery_art *art, size_t at, size_t k)
{
    if (g->turned == NULL)
        return;
    gallery_art_turned(g->turned[at], art, k);
    g->boxes[at].turned = g->turned[at];
    vg_detection around;
    detect_rotated_bounds(&around, g->turned[at]);
    g->boxes[at].x1 = around.x1;
    g->boxes[at].y1 = around.y1;
    g->boxes[at].x2 = around.x2;
    g->boxes[at].y2 = around.y2;
}

static vg_status put(train_gallery *g, int page, size_t n_boxes, gallery_art *art,
                     const data_item *item, const data_set *set, base_mem *mem, vg_error *err)
{
    const report_tile tile = {.picture = g->picture.view,
                              .boxes = g->boxes,
                              .n_boxes = g->o.task->is_whole ? 0 : n_boxes,
                              .below = gallery_art_below,
                              .above = gallery_art_above,
                              .ctx = art,
                              .caption =
                                  base_path_name(data_set_picture(set, item->picture)->path)};
    return report_mosaic_add(g->mosaic, page, &tile, mem, err);
}

/* The first picture's event has the file's bytes, under the file's name without suffix. */
static vg_status publish(train_gallery *g, int page, const char *name, bool has_event, int64_t step,
                         base_mem *mem, vg_error *err)
{
    char path[TRAIN_PATH_BYTES], file[64], *bytes = NULL;
    size_t n = 0;
    int w, h;
    base_format(file, sizeof file, "%s.jpg", name);
    vg_status st = train_path(path, g->o.folder, file, err);
    if (st == VG_OK)
        st = report_mosaic_write(g->mosaic, page, path, mem, err);
    if (st != VG_OK || !has_event || !g->o.events)
        return st;
    report_mosaic_size(g->mosaic, &w, &h);
    st = base_file_read(&bytes, &n, path, MOST_FILE_BYTES, mem, err);
    if (st == VG_OK)
        st = report_events_image(g->o.events, name, step, bytes, n, w, h, err);
    base_free(bytes);
    return st;
}

/* ---- training ---- */

/* The objects of picture i; *label moves on behind them. */
static size_t take_labels(train_gallery *g, gallery_art *art, const data_batch *b, int i,
                          size_t *label)
{
    const size_t most = most_boxes(&g->o);
    size_t n = 0;
    *art = art_make(g, b, i, *label, 0);
    for (; *label < b->n_labels && b->labels[*label].picture == i; ++*label) {
        const detect_label *l = &b->labels[*label];
        const float w = (float)b->w, h = (float)b->h;
        if (n < most)
            g->boxes[n++] = (image_box){.x1 = (l->xywh_norm[0] - l->xywh_norm[2] / 2) * w,
                                        .y1 = (l->xywh_norm[1] - l->xywh_norm[3] / 2) * h,
                                        .x2 = (l->xywh_norm[0] + l->xywh_norm[2] / 2) * w,
                                        .y2 = (l->xywh_norm[1] + l->xywh_norm[3] / 2) * h,
                                        .class_index = l->class_index,
                                        .label = g->o.names[l->class_index]};
    }
    art->n_labels = *label - art->first_label;
    for (size_t k = 0; k < n; k++)
        turn(g, art, k, k);
    return n;
}

vg_status train_gallery_train(train_gallery *g, int64_t ni, const data_batch *b,
                              const data_set *set, int64_t step, base_mem *mem, vg_error *err)
{
    char name[48];
    size_t label = 0;
    base_format(name, sizeof name, "train_batch%lld", (long long)ni);
    vg_status st = report_mosaic_begin(g->mosaic, (size_t)b->n, b->w, b->h, mem, err);
    for (int i = 0; i < b->n && i < REPORT_MOSAIC_TILES && st == VG_OK; i++) {
        gallery_art art;
        st = take_picture(g, b, i, mem, err);
        const size_t n = take_labels(g, &art, b, i, &label);
        if (st == VG_OK)
            st = put(g, TRUTH, n, &art, &b->items[i], set, mem, err);
    }
    return st == VG_OK ? publish(g, TRUTH, name, b->index == 0, step, mem, err) : st;
}

/* ---- validation ---- */

/* From pixels of the file to those of the batch. */
static image_box to_batch(float x1, float y1, float x2, float y2, const data_item *item)
{
    const float left = (float)item->left, top = (float)item->top;
    return (image_box){.x1 = x1 * item->gain + left,
                       .y1 = y1 * item->gain + top,
                       .x2 = x2 * item->gain + left,
                       .y2 = y2 * item->gain + top};
}

static size_t take_truths(train_gallery *g, gallery_art *art, const train_validated *p)
{
    const data_batch *b = p->batch;
    size_t label = p->first_label;
    while (label < b->n_labels && b->labels[label].picture == p->i)
        label++;
    *art = art_make(g, b, p->i, p->first_label, label - p->first_label);
    const size_t most = most_boxes(&g->o), n = p->n_truths < most ? p->n_truths : most;
    for (size_t i = 0; i < n; i++) {
        const detect_truth *t = &p->truths[i];
        g->boxes[i] = to_batch(t->xyxy[0], t->xyxy[1], t->xyxy[2], t->xyxy[3], p->item);
        g->boxes[i].class_index = t->class_index;
        g->boxes[i].label = g->o.names[t->class_index];
        turn(g, art, i, i);
    }
    return n;
}

/* The best one last: in a crowd it lies on top. */
static size_t take_found(train_gallery *g, gallery_art *art, const train_validated *p)
{
    size_t n = 0, n_shown = 0;
    *art = art_make(g, p->batch, p->i, p->first_label, 0);
    art->found = p;
    for (size_t i = 0; i < p->n_boxes && n_shown < g->o.most_found; i++)
        n_shown += p->boxes[i].confidence > g->o.conf;
    for (size_t i = 0; i < p->n_boxes && n < n_shown; i++) {
        const vg_detection *d = &p->boxes[i];
        if (!(d->confidence > g->o.conf))
            continue;
        const size_t at = n_shown - ++n;
        base_format(g->texts[at], LABEL_BYTES, "%.120s %.1f", g->o.names[d->class_index],
                    (double)d->confidence);
        g->boxes[at] = to_batch(d->x1, d->y1, d->x2, d->y2, p->item);
        g->boxes[at].class_index = d->class_index;
        g->boxes[at].label = g->texts[at];
        turn(g, art, at, i);
    }
    art->n_found = n_shown; /* best first: those are the first ones */
    return n_shown;
}

static vg_status finish_batch(train_gallery *g, size_t index, int64_t step, base_mem *mem,
                              vg_error *err)
{
    char name[48];
    base_format(name, sizeof name, "val_batch%zu_labels", index);
    vg_status st = publish(g, TRUTH, name, index == 0, step, mem, err);
    base_format(name, sizeof name, "val_batch%zu_pred", index);
    if (st == VG_OK)
        st = publish(g, FOUND, name, index == 0, step, mem, err);
    return st;
}

vg_status train_gallery_validated(train_gallery *g, const train_validated *p, const data_set *set,
                                  int64_t step, base_mem *mem, vg_error *err)
{
    const data_batch *b = p->batch;
    if (b->index >= TRAIN_GALLERY_BATCHES || p->i >= REPORT_MOSAIC_TILES)
        return VG_OK;
    gallery_art art;
    vg_status st = VG_OK;
    if (p->i == 0)
        st = report_mosaic_begin(g->mosaic, (size_t)b->n, b->w, b->h, mem, err);
    if (st == VG_OK)
        st = take_picture(g, b, p->i, mem, err);
    if (st == VG_OK)
        st = put(g, TRUTH, take_truths(g, &art, p), &art, p->item, set, mem, err);
    if (st == VG_OK)
        st = put(g, FOUND, take_found(g, &art, p), &art, p->item, set, mem, err);
    const bool is_last = p->i + 1 == b->n || p->i + 1 == REPORT_MOSAIC_TILES;
    return st == VG_OK && is_last ? finish_batch(g, b->index, step, mem, err) : st;
}
