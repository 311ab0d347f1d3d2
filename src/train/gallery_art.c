/* gallery_art.c: masks blended into the page pixel by pixel (T 6: six parts of colour, four of the
 * picture), keypoints and skeletons as prediction draws them, the class of a whole picture. */
#include "gallery_art.h"

#include <math.h>
#include <string.h>

#include "task/task.h"

/* ---- masks ---- */

static void blend(uint8_t rgb[3], image_color c)
{
    const uint8_t color[3] = {c.r, c.g, c.b};
    for (int k = 0; k < 3; k++)
        rgb[k] = (uint8_t)((6 * color[k] + 4 * rgb[k] + 5) / 10);
}

/* The class of the object on top there; -1: none. at: as parts of the tile, in its pixels. */
static int label_at(const gallery_art *a, const image_view *v, int x, int y)
{
    const data_batch *b = a->batch;
    const size_t pixels = (size_t)b->mask_h * (size_t)b->mask_w;
    const size_t at =
        (size_t)(y * b->mask_h / v->h) * (size_t)b->mask_w + (size_t)(x * b->mask_w / v->w);
    size_t object = a->n_labels;
    if (b->index_maps != NULL) {
        const int32_t number = b->index_maps[(size_t)a->i * pixels + at];
        object = number > 0 ? (size_t)number - 1 : object;
    } else
        for (size_t k = 0; k < a->n_labels && b->masks != NULL && object == a->n_labels; k++)
            if (b->masks[(a->first_label + k) * pixels + at] != 0)
                object = k;
    return object < a->n_labels ? b->labels[a->first_label + object].class_index : -1;
}

static int found_at(const gallery_art *a, const image_view *v, int x, int y)
{
    const vg_mask *masks = a->found->found.masks;
    for (size_t k = 0; masks != NULL && k < a->n_found; k++) /* the best first: it is on top */
        if (masks[k].bits != NULL && detect_mask_has(&masks[k], x * masks[k].grid_width / v->w,
                                                     y * masks[k].grid_height / v->h))
            return a->found->boxes[k].class_index;
    return -1;
}

vg_status gallery_art_below(void *art, const report_place *place, vg_error *err)
{
    const gallery_art *a = art;
    const image_view *v = place->view;
    (void)err;
    if (!a->task->has_masks)
        return VG_OK;
    for (int y = 0; y < v->h; y++)
        for (int x = 0; x < v->w; x++) {
            const int c = a->found != NULL ? found_at(a, v, x, y) : label_at(a, v, x, y);
            if (c >= 0)
                blend(v->data + (size_t)y * v->stride + 3 * (size_t)x, image_class_color(c));
        }
    return VG_OK;
}

/* ---- keypoints ---- */

/* From pixels of the file to those of the batch. */
static float to_batch(float at, float gain, int pad)
{
    return at * gain + (float)pad;
}

/* Those of an object in pixels of the tile. */
static void take_points(vg_keypoint *out, const gallery_art *a, const image_view *v, size_t k)
{
    const data_batch *b = a->batch;
    const size_t n = (size_t)b->n_keypoints;
    for (size_t p = 0; p < n; p++) {
        if (a->found == NULL) {
            const float *at = b->keypoints + ((a->first_label + k) * n + p) * 3;
            out[p] = (vg_keypoint){at[0] * (float)v->w, at[1] * (float)v->h, at[2]};
            continue;
        }
        const data_item *item = a->found->item;
        const vg_keypoint *at = &a->found->found.keypoints[k * n + p];
        out[p] = (vg_keypoint){to_batch(at->x, item->gain, item->left) * (float)v->w / (float)b->w,
                               to_batch(at->y, item->gain, item->top) * (float)v->h / (float)b->h,
                               at->visibility};
    }
}

static vg_status draw_points(const gallery_art *a, const report_place *place, vg_error *err)
{
    const size_t n_points = (size_t)a->batch->n_keypoints;
    size_t n = a->found != NULL ? a->n_found : a->n_labels;
    n = n < a->most_objects ? n : a->most_objects;
    for (size_t k = 0; k < n; k++)
        take_points(a->points + k * n_points, a, place->view, k);
    const vg_extras extras = {
        .task = a->task->id, .keypoints = a->points, .n_keypoints = n_points, .keypoint_dims = 3};
    const task_drawing d = {.canvas = place->canvas,
                            .picture = place->view,
                            .style = place->style,
                            .extras = &extras,
                            .n = n,
                            .names = &a->names,
                            .mem = place->mem};
    return a->task->draw_above(&d, err);
}

/* ---- classes of whole pictures ---- */

static vg_status draw_class(const gallery_art *a, const report_place *place, vg_error *err)
{
    char text[192];
    int y = 2, c;
    if (a->found != NULL) {
        if (a->found->found.n_top == 0)
            return VG_OK;
        const vg_class_score *best = a->found->found.top;
        c = best->class_index;
        base_format(text, sizeof text, "%.140s %.2f", a->names.at(a->names.context, (size_t)c),
                    (double)best->confidence);
    } else {
        if (a->n_labels == 0)
            return VG_OK;
        c = a->batch->labels[a->first_label].class_index;
        base_format(text, sizeof text, "%.140s", a->names.at(a->names.context, (size_t)c));
    }
    return image_canvas_note(place->canvas, place->view, 2, &y, c, text, place->style, place->mem,
                             err);
}

vg_status gallery_art_above(void *art, const report_place *place, vg_error *err)
{
    const gallery_art *a = art;
    if (a->task->is_whole)
        return draw_class(a, place, err);
    return a->points != NULL && a->batch->n_keypoints > 0 ? draw_points(a, place, err) : VG_OK;
}

/* ---- turned boxes ---- */

void gallery_art_turned(float xywhr[5], const gallery_art *a, size_t k)
{
    const data_batch *b = a->batch;
    if (a->found == NULL) {
        const detect_label *l = &b->labels[a->first_label + k];
        for (int c = 0; c < 4; c++)
            xywhr[c] = l->xywh_norm[c] * (float)(c % 2 == 0 ? b->w : b->h);
        xywhr[4] = l->angle;
        return;
    }
    const data_item *item = a->found->item;
    const vg_rotated *r = &a->found->found.rotated[k];
    xywhr[0] = to_batch(r->x, item->gain, item->left);
    xywhr[1] = to_batch(r->y, item->gain, item->top);
    xywhr[2] = r->w * item->gain;
    xywhr[3] = r->h * item->gain;
    xywhr[4] = r->angle;
}
