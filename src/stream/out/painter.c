/* painter.c: a frame as RGB, and with what was found in it drawn.
 *
 * It keeps its account, for the picture grows when a larger frame comes than was known at open; it
 * settles at the largest. */
#include "painter.h"

#include "json.h"
#include "stream/scene/zones.h"

enum { LABEL_BYTES = STREAM_LABEL_TEXT_BYTES };

struct stream_painter {
    base_mem *mem;
    video_scaler *scaler;
    image_canvas *canvas;
    image_font font;
    image_buffer picture;
    image_box *boxes; /* (most) */
    char *labels;     /* (most, LABEL_BYTES) */
    size_t most;
    uint8_t *scratch; /* of masks */
    size_t scratch_bytes;
};

static bool has_masks(const stream_setting *s)
{
    return s->shape.task != NULL && s->shape.task->has_masks;
}

static size_t most_boxes(const stream_setting *s)
{
    return s->options->max_det > 0 ? (size_t)s->options->max_det : 1;
}

/* p NULL: for sizes, which no font changes. */
static image_draw_style style_of(const stream_painter *p, const stream_setting *s)
{
    return (image_draw_style){.line_width_px = s->options->line_width_px,
                              .family = p != NULL ? p->font.family : NULL};
}

size_t stream_painter_bytes(const stream_setting *s)
{
    const image_draw_style style = style_of(NULL, s);
    return sizeof(stream_painter) + most_boxes(s) * (sizeof(image_box) + LABEL_BYTES) +
           (size_t)s->most_w * (size_t)s->most_h * 3 +
           (has_masks(s) ? image_draw_masks_bytes(s->most_w) : 0) +
           (s->most_w > 0 ? image_canvas_bytes(s->most_w, s->most_h, &style) : 0);
}

static vg_status reserve_scratch(stream_painter *p, int w, base_mem *mem, vg_error *err)
{
    const size_t bytes = image_draw_masks_bytes(w);
    if (bytes <= p->scratch_bytes)
        return VG_OK;
    uint8_t *more = base_realloc(mem, p->scratch, bytes, err);
    if (more == NULL)
        return VG_ERR_MEMORY;
    p->scratch = more;
    p->scratch_bytes = bytes;
    return VG_OK;
}

static vg_status reserve(stream_painter *p, const stream_setting *s, base_mem *mem, vg_error *err)
{
    const image_draw_style style = style_of(p, s);
    if (s->most_w < 1 || s->most_h < 1)
        return VG_OK;
    vg_status st = image_canvas_reserve(p->canvas, s->most_w, s->most_h, &style, mem, err);
    if (st == VG_OK && has_masks(s))
        st = reserve_scratch(p, s->most_w, mem, err);
    return st == VG_OK ? image_buffer_reserve(&p->picture, s->most_w, s->most_h, mem, err) : st;
}

vg_status stream_painter_create(stream_painter **out, const stream_setting *s, base_mem *mem,
                                vg_error *err)
{
    stream_painter *p = base_alloc_zero(mem, 1, sizeof *p, err);
    *out = NULL;
    if (p == NULL)
        return VG_ERR_MEMORY;
    p->mem = mem;
    p->most = most_boxes(s);
    const image_names names = stream_detector_names(s->detector);
    image_font_choose(&p->font, &names);
    p->boxes = base_alloc_zero(mem, p->most, sizeof *p->boxes, err);
    p->labels = base_alloc_zero(mem, p->most, LABEL_BYTES, err);
    vg_status st = p->boxes != NULL && p->labels != NULL ? VG_OK : VG_ERR_MEMORY;
    if (st == VG_OK)
        st = video_scaler_create(&p->scaler, mem, err);
    if (st == VG_OK)
        st = image_canvas_create(&p->canvas, mem, err);
    if (st == VG_OK)
        st = reserve(p, s, mem, err);
    if (st != VG_OK)
        stream_painter_destroy(&p);
    *out = p;
    return st;
}

void stream_painter_destroy(stream_painter **painter)
{
    stream_painter *p = *painter;
    if (p == NULL)
        return;
    video_scaler_destroy(&p->scaler);
    image_canvas_destroy(&p->canvas);
    image_buffer_fini(&p->picture);
    base_free(p->boxes);
    base_free(p->labels);
    base_free(p->scratch);
    base_free(p);
    *painter = NULL;
}

vg_status stream_painter_plain(stream_painter *p, image_view *out, const stream_result *r,
                               vg_error *err)
{
    vg_status st = image_buffer_reserve(&p->picture, r->frame.w, r->frame.h, p->mem, err);
    if (st == VG_OK)
        st = video_frame_to_rgb(p->scaler, &p->picture.view, r->pixels, p->mem, err);
    *out = st == VG_OK ? p->picture.view : (image_view){0};
    return st;
}

static void make_label(char *label, const stream_setting *s, const stream_result *r, size_t i)
{
    const vg_detection *b = &r->boxes[i];
    label[0] = '\0';
    if (!s->options->hide_labels)
        stream_label_text(label, stream_detector_class_name(s->detector, b->class_index),
                          r->ids != NULL ? &r->ids[i] : NULL, !s->options->hide_conf, b);
}

/* The channel's zones, as they are by now: the frame may be a few older. Their outlines below the
 * boxes, their counts above all. */
static vg_status draw_zones(stream_painter *p, const image_view *out, const stream_setting *s,
                            const stream_result *r, bool captions, vg_error *err)
{
    const image_draw_style style = style_of(p, s);
    vg_status st = VG_OK;
    stream_zone_view v;
    for (size_t i = 0;
         s->zones != NULL && st == VG_OK && stream_zones_get(&v, s->zones, r->channel, i); i++) {
        float xy[2 * STREAM_MOST_ZONE_POINTS];
        char caption[LABEL_BYTES];
        const size_t n = stream_zones_outline(xy, s->zones, r->channel, i, r->frame.w, r->frame.h);
        /* Colours from the end: the first classes are the usual ones. */
        if (captions)
            st = image_canvas_caption(p->canvas, out, xy, n, -1 - (int)i,
                                      stream_zones_caption(caption, sizeof caption, &v), &style,
                                      p->mem, err);
        else
            image_canvas_polygon(out, xy, n, -1 - (int)i, &style);
    }
    return st;
}

vg_status stream_painter_drawn(stream_painter *p, image_view *out, const stream_setting *s,
                               const stream_result *r, vg_error *err)
{
    const image_draw_style style = style_of(p, s);
    const size_t n_boxes = r->n_boxes < p->most ? r->n_boxes : p->most;
    const size_t n = s->options->show_boxes ? n_boxes : 0;
    vg_status st = stream_painter_plain(p, out, r, err);
    if (st == VG_OK)
        st = draw_zones(p, out, s, r, false, err);
    if (st != VG_OK)
        return st;
    const vg_extras *x = &r->extras;
    const task *kind = task_of(x->task);
    for (size_t i = 0; i < n; i++) { /* the best last, on top */
        const size_t k = n - 1 - i;
        const vg_detection *b = &r->boxes[k];
        char *label = p->labels + i * LABEL_BYTES;
        make_label(label, s, r, k);
        p->boxes[i] = (image_box){
            .x1 = b->x1,
            .y1 = b->y1,
            .x2 = b->x2,
            .y2 = b->y2,
            .class_index = b->class_index,
            .label = label,
            .turned = x->rotated != NULL ? (const float *)(const void *)&x->rotated[k] : NULL};
    }
    st = has_masks(s) ? reserve_scratch(p, r->frame.w, p->mem, err) : VG_OK;
    const stream_rows rows = stream_result_rows(s, r);
    const task_drawing d = {.canvas = p->canvas,
                            .picture = out,
                            .style = &style,
                            .boxes = r->boxes,
                            .extras = x,
                            .n = n_boxes,
                            .names = &rows.names,
                            .hides_labels = s->options->hide_labels,
                            .scratch = p->scratch,
                            .mem = p->mem};
    if (st == VG_OK && kind->draw_below != NULL)
        st = kind->draw_below(&d, err);
    if (st == VG_OK)
        st = image_canvas_boxes(p->canvas, out, p->boxes, n, &style, p->mem, err);
    if (st == VG_OK && kind->draw_above != NULL)
        st = kind->draw_above(&d, err);
    return st == VG_OK && !s->options->hide_labels ? draw_zones(p, out, s, r, true, err) : st;
}
