/* sink_picture.c: <stem>.jpg (or .png): the picture with its boxes drawn in. */
#include "sink.h"

enum { LABEL_BYTES = 160 };

typedef struct state {
    image_canvas *canvas;
    image_encoder *encoder;
    image_box *boxes; /* (most) */
    char *labels;     /* (most, LABEL_BYTES) */
    size_t most;
} state;

static bool is_wanted(const stream_predict_options *o)
{
    return o->save;
}

static vg_status close_(void *self, vg_error *err)
{
    (void)err;
    state *t = self;
    image_canvas_destroy(&t->canvas);
    image_encoder_destroy(&t->encoder);
    base_free(t->boxes);
    base_free(t->labels);
    return VG_OK;
}

static vg_status open_(void *self, const sink_setting *s, vg_error *err)
{
    state *t = self;
    t->most = (size_t)s->options->nms.max_det;
    t->boxes = base_alloc_zero(s->mem, t->most, sizeof *t->boxes, err);
    t->labels = base_alloc_zero(s->mem, t->most, LABEL_BYTES, err);
    vg_status st = t->boxes && t->labels ? VG_OK : VG_ERR_MEMORY;
    if (st == VG_OK)
        st = image_canvas_create(&t->canvas, s->mem, err);
    if (st == VG_OK)
        st = image_encoder_create(&t->encoder, s->mem, err);
    if (st != VG_OK)
        close_(self, NULL);
    return st;
}

/* "car 0.87" */
static void make_label(char *label, const sink_setting *s, const detect_box *b)
{
    const char *name = stream_detector_class_name(s->detector, b->class_index);
    label[0] = 0;
    if (s->options->hide_labels)
        return;
    if (s->options->hide_conf)
        base_format(label, LABEL_BYTES, "%s", name);
    else
        base_format(label, LABEL_BYTES, "%.140s %.2f", name, (double)b->score);
}

static vg_status write_(void *self, const sink_setting *s, const sink_item *item, vg_error *err)
{
    state *t = self;
    const stream_result *r = item->result;
    char path[4096];
    size_t n = r->n_boxes < t->most ? r->n_boxes : t->most;
    for (size_t i = 0; i < n; i++) { /* the best last, on top */
        const detect_box *b = &r->boxes[n - 1 - i];
        char *label = t->labels + i * LABEL_BYTES;
        make_label(label, s, b);
        t->boxes[i] = (image_box){b->x1, b->y1, b->x2, b->y2, b->class_index, label};
    }
    image_draw_style style = {.line_width_px = s->options->line_width_px};
    vg_status st = image_canvas_boxes(t->canvas, item->picture, t->boxes, n, &style, s->mem, err);
    if (st == VG_OK &&
        !sink_path(path, sizeof path, s, "", item->entry, sink_picture_suffix(r->source)))
        st = base_fail(err, VG_ERR_LIMIT, r->source, NULL, "the path of the result is too long");
    return st == VG_OK ? image_write(t->encoder, item->picture, path, s->mem, err) : st;
}

const sink sink_picture = {.name = "picture",
                           .help = "<stem>.jpg or .png: the picture with its boxes",
                           .needs_pixels = true,
                           .state_bytes = sizeof(state),
                           .is_wanted = is_wanted,
                           .open = open_,
                           .write = write_,
                           .close = close_};
