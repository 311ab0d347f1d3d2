/* painter.c: vg_painter: image's canvas with the boxes and labels of one picture. */
#include "api.h"

enum { MOST_LINE_WIDTH = 1000 };

struct vg_painter {
    stream_accounts accounts;
    image_canvas *canvas;
    image_font font;
    image_box *boxes; /* (most) */
    char *labels;     /* (most, STREAM_LABEL_TEXT_BYTES) */
    size_t most;
    image_scratch scratch; /* of masks */
};

static base_mem *account_of(vg_painter *p)
{
    return &p->accounts.owner[STREAM_OUTPUT];
}

vg_draw_options vg_draw_options_default(void)
{
    return (vg_draw_options){0};
}

vg_status vg_painter_open(vg_painter **out, const char *const *names, size_t n_names,
                          size_t memory_limit_bytes, vg_error *err)
{
    vg_painter *p = base_handle_alloc(sizeof *p, err);
    *out = p;
    if (p == NULL)
        return VG_ERR_MEMORY;
    stream_accounts_init(&p->accounts, memory_limit_bytes);
    const image_names all = {.at = image_name_at, .context = names, .n = names ? n_names : 0};
    image_font_choose(&p->font, &all);
    const vg_status st = image_canvas_create(&p->canvas, account_of(p), err);
    if (st != VG_OK)
        vg_painter_close(out);
    return st;
}

void vg_painter_close(vg_painter **painter)
{
    vg_painter *p = *painter;
    if (p != NULL) {
        image_canvas_destroy(&p->canvas);
        base_free(p->boxes);
        base_free(p->labels);
        image_scratch_fini(&p->scratch);
        base_handle_free(p);
    }
    *painter = NULL;
}

void vg_painter_memory(const vg_painter *p, vg_memory *out)
{
    stream_accounts_memory(out, &p->accounts);
}

static vg_status reserve(vg_painter *p, size_t n, vg_error *err)
{
    size_t bytes;
    if (n <= p->most)
        return VG_OK;
    if (!base_mul_size(&bytes, n, sizeof *p->boxes + STREAM_LABEL_TEXT_BYTES))
        return base_fail(err, VG_ERR_ARGUMENT, "boxes", "draw fewer", "%zu boxes", n);
    image_box *boxes = base_realloc(account_of(p), p->boxes, n * sizeof *boxes, err);
    if (boxes == NULL)
        return VG_ERR_MEMORY;
    p->boxes = boxes;
    char *labels = base_realloc(account_of(p), p->labels, n * STREAM_LABEL_TEXT_BYTES, err);
    if (labels == NULL)
        return VG_ERR_MEMORY;
    p->labels = labels;
    p->most = n;
    return VG_OK;
}

static void make_label(char *text, const vg_boxes *b, size_t i, const vg_draw_options *o)
{
    char name[32];
    const vg_detection *d = &b->detections[i];
    text[0] = '\0';
    if (!o->hide_labels)
        stream_label_text(text, api_class_name(name, b, d->class_index),
                          b->ids != NULL && !o->hide_ids ? &b->ids[i] : NULL, !o->hide_conf, d);
}

vg_status vg_draw(vg_painter *p, const vg_picture *picture, const vg_boxes *b,
                  const vg_draw_options *o, vg_error *err)
{
    const vg_draw_options defaults = vg_draw_options_default();
    image_view view;
    o = o != NULL ? o : &defaults;
    vg_status st = api_picture_view(&view, picture, err);
    if (st == VG_OK)
        st = api_check_range("line_width", o->line_width, 0, MOST_LINE_WIDTH, err);
    if (st == VG_OK)
        st = reserve(p, b->n, err);
    if (st != VG_OK)
        return st;
    const vg_extras *x = api_extras(b);
    const task *kind = task_of(x->task);
    for (size_t i = 0; i < b->n; i++) { /* the best last, on top */
        const size_t k = b->n - 1 - i;
        const vg_detection *d = &b->detections[k];
        char *label = p->labels + i * STREAM_LABEL_TEXT_BYTES;
        make_label(label, b, k, o);
        p->boxes[i] = (image_box){
            .x1 = d->x1,
            .y1 = d->y1,
            .x2 = d->x2,
            .y2 = d->y2,
            .class_index = d->class_index,
            .label = label,
            .turned = x->rotated != NULL ? (const float *)(const void *)&x->rotated[k] : NULL};
    }
    const image_draw_style style = {.line_width_px = o->line_width,
                                    .family = p->font.family,
                                    .is_bgr = picture->format == VG_BGR};
    const stream_rows rows = api_rows(b);
    if (x->masks != NULL)
        st = image_scratch_reserve(&p->scratch, image_draw_masks_bytes(view.w), account_of(p), err);
    const task_drawing drawing = {.canvas = p->canvas,
                                  .picture = &view,
                                  .style = &style,
                                  .boxes = b->detections,
                                  .extras = x,
                                  .n = b->n,
                                  .names = &rows.names,
                                  .hides_labels = o->hide_labels,
                                  .scratch = p->scratch.block,
                                  .mem = account_of(p)};
    if (st == VG_OK && kind->draw_below != NULL)
        st = kind->draw_below(&drawing, err);
    if (st == VG_OK)
        st = image_canvas_boxes(p->canvas, &view, p->boxes, b->n, &style, account_of(p), err);
    return st == VG_OK && kind->draw_above != NULL ? kind->draw_above(&drawing, err) : st;
}
