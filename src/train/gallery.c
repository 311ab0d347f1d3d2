/* gallery.c: a batch is what the network saw: its floats become a picture again, one at a time, and
 * go onto the page with the boxes that belong to it. */
#include "gallery.h"

#include <math.h>

enum { TRUTH, FOUND }; /* pages; training batches are truth, too */
enum { LABEL_BYTES = 160, MOST_FILE_BYTES = 64 << 20 };

struct train_gallery {
    train_gallery_options o;
    report_mosaic *mosaic;
    image_buffer picture;
    image_box *boxes;           /* (most of both) */
    char (*texts)[LABEL_BYTES]; /* (most_found) */
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

static vg_status put(train_gallery *g, int page, size_t n_boxes, const data_item *item,
                     const data_set *set, base_mem *mem, vg_error *err)
{
    const report_tile tile = {.picture = g->picture.view,
                              .boxes = g->boxes,
                              .n_boxes = n_boxes,
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
static size_t take_labels(train_gallery *g, const data_batch *b, int i, size_t *label)
{
    const size_t most = most_boxes(&g->o);
    size_t n = 0;
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
        st = take_picture(g, b, i, mem, err);
        if (st == VG_OK)
            st = put(g, TRUTH, take_labels(g, b, i, &label), &b->items[i], set, mem, err);
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

static size_t take_truths(train_gallery *g, const train_validated *p)
{
    const size_t most = most_boxes(&g->o), n = p->n_truths < most ? p->n_truths : most;
    for (size_t i = 0; i < n; i++) {
        const detect_truth *t = &p->truths[i];
        g->boxes[i] = to_batch(t->xyxy[0], t->xyxy[1], t->xyxy[2], t->xyxy[3], p->item);
        g->boxes[i].class_index = t->class_index;
        g->boxes[i].label = g->o.names[t->class_index];
    }
    return n;
}

/* The best one last: in a crowd it lies on top. */
static size_t take_found(train_gallery *g, const train_validated *p)
{
    size_t n = 0, n_shown = 0;
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
    }
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
    vg_status st = VG_OK;
    if (p->i == 0)
        st = report_mosaic_begin(g->mosaic, (size_t)b->n, b->w, b->h, mem, err);
    if (st == VG_OK)
        st = take_picture(g, b, p->i, mem, err);
    if (st == VG_OK)
        st = put(g, TRUTH, take_truths(g, p), p->item, set, mem, err);
    if (st == VG_OK)
        st = put(g, FOUND, take_found(g, p), p->item, set, mem, err);
    const bool is_last = p->i + 1 == b->n || p->i + 1 == REPORT_MOSAIC_TILES;
    return st == VG_OK && is_last ? finish_batch(g, b->index, step, mem, err) : st;
}
