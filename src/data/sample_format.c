/* sample_format.c: a sample's boxes as labels, and what goes with them (T 4.6, Format). */
#include <string.h>

#include "kind.h"
#include "outline.h"

void sample_format_boxes(sample_maker *m, const sample_recipe *r, size_t n, int picture,
                         sample_out *out)
{
    (void)r;
    augment_boxes_format(out->labels, m->boxes, n, picture, out->w, out->h);
    out->n_labels = n;
}

void sample_format_keypoints(sample_maker *m, const sample_recipe *r, size_t n, int picture,
                             sample_out *out)
{
    const size_t n_keypoints = (size_t)r->keypoints.n;
    float *to = out->keypoints;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n_keypoints; k++, to += 3) {
            const float *from = m->boxes[i].keypoints + 3 * k;
            to[0] = from[0] / (float)out->w;
            to[1] = from[1] / (float)out->h;
            to[2] = from[2];
        }
    sample_format_boxes(m, r, n, picture, out);
}

void sample_format_rotated(sample_maker *m, const sample_recipe *r, size_t n, int picture,
                           sample_out *out)
{
    (void)r;
    for (size_t i = 0; i < n; i++) {
        const augment_box *b = &m->boxes[i];
        float xywhr[5];
        detect_rotated_around(xywhr, b->outline, b->n_outline, m->around);
        const float w = (float)out->w, h = (float)out->h;
        out->labels[i] =
            (detect_label){.picture = picture,
                           .class_index = b->class_index,
                           .xywh_norm = {xywhr[0] / w, xywhr[1] / h, xywhr[2] / w, xywhr[3] / h},
                           .angle = xywhr[4]};
    }
    out->n_labels = n;
}

/* Label i is that of boxes[order[i]]. */
static void format_ordered(const sample_maker *m, const uint32_t *order, size_t n, int picture,
                           sample_out *out)
{
    for (size_t i = 0; i < n; i++)
        augment_boxes_format(&out->labels[i], &m->boxes[order[i]], 1, picture, out->w, out->h);
    out->n_labels = n;
}

void sample_format_masks(sample_maker *m, const sample_recipe *r, size_t n, int picture,
                         sample_out *out)
{
    const int w = out->w, h = out->h, q = r->mask_ratio;
    const size_t n_pixels = (size_t)(w / q) * (size_t)(h / q);
    if (r->separate_masks) {
        for (size_t i = 0; i < n; i++)
            outline_mask(out->masks + i * n_pixels, m->fill, m->boxes[i].outline,
                         m->boxes[i].n_outline, w, h, q);
        sample_format_boxes(m, r, n, picture, out);
        return;
    }
    uint32_t *areas = m->ranks, *order = areas + r->most_labels, *ranks = order + r->most_labels;
    outline_map_begin(out->index_map, w, h, q);
    for (size_t i = 0; i < n; i++)
        outline_map_paint(out->index_map, areas, (uint32_t)i, m->fill, m->boxes[i].outline,
                          m->boxes[i].n_outline, w, h, q);
    outline_map_end(out->index_map, order, ranks, areas, n, w, h, q);
    format_ordered(m, order, n, picture, out);
}
