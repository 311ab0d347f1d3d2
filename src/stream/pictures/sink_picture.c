/* sink_picture.c: <stem>.jpg (or .png): the picture with its boxes drawn in. */
#include <sys/stat.h>

#include "sink.h"

enum { LABEL_BYTES = STREAM_LABEL_TEXT_BYTES };

typedef struct state {
    image_canvas *canvas;
    image_box *boxes; /* (most) */
    char *labels;     /* (most, LABEL_BYTES) */
    size_t most;
    uint8_t *scratch; /* of masks */
    size_t scratch_bytes;
    image_font font;
} state;

static bool is_wanted(const stream_predict_options *o)
{
    return o->save;
}

/* t NULL: for sizes, which no font changes. */
static image_draw_style style_of(const state *t, const sink_setting *s)
{
    return (image_draw_style){.line_width_px = s->options->line_width_px,
                              .family = t != NULL ? t->font.family : NULL};
}

static size_t need_bytes(const sink_setting *s)
{
    image_draw_style style = style_of(NULL, s);
    return (size_t)s->options->nms.max_det * (sizeof(image_box) + LABEL_BYTES) +
           image_canvas_bytes(s->most_w, s->most_h, &style) +
           (s->has_masks ? image_draw_masks_bytes(s->most_w) : 0);
}

static vg_status close_(void *self, vg_error *err)
{
    (void)err;
    state *t = self;
    image_canvas_destroy(&t->canvas);
    base_free(t->boxes);
    base_free(t->labels);
    base_free(t->scratch);
    return VG_OK;
}

static vg_status reserve_scratch(state *t, int w, base_mem *mem, vg_error *err)
{
    const size_t bytes = image_draw_masks_bytes(w);
    if (bytes <= t->scratch_bytes)
        return VG_OK;
    uint8_t *more = base_realloc(mem, t->scratch, bytes, err);
    if (!more)
        return VG_ERR_MEMORY;
    t->scratch = more;
    t->scratch_bytes = bytes;
    return VG_OK;
}

static vg_status open_(void *self, const sink_setting *s, vg_error *err)
{
    state *t = self;
    const image_names names = stream_detector_names(s->detector);
    t->most = (size_t)s->options->nms.max_det;
    image_font_choose(&t->font, &names);
    t->boxes = base_alloc_zero(s->mem, t->most, sizeof *t->boxes, err);
    t->labels = base_alloc_zero(s->mem, t->most, LABEL_BYTES, err);
    vg_status st = t->boxes && t->labels ? VG_OK : VG_ERR_MEMORY;
    if (st == VG_OK)
        st = image_canvas_create(&t->canvas, s->mem, err);
    image_draw_style style = style_of(t, s);
    if (st == VG_OK)
        st = image_canvas_reserve(t->canvas, s->most_w, s->most_h, &style, s->mem, err);
    if (st == VG_OK && s->has_masks)
        st = reserve_scratch(t, s->most_w, s->mem, err);
    if (st != VG_OK)
        close_(self, NULL);
    return st;
}

/* "car 0.87" */
static void make_label(char *label, const sink_setting *s, const vg_detection *b)
{
    label[0] = 0;
    if (!s->options->hide_labels)
        stream_label_text(label, stream_detector_class_name(s->detector, b->class_index), NULL,
                          !s->options->hide_conf, b);
}

/* With --exist-ok the run folder may be the pictures' own. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static vg_status write_(void *self, const sink_setting *s, const sink_item *item, vg_error *err)
{
    state *t = self;
    const vg_predict_result *r = item->result;
    char path[4096];
    if (!sink_path(path, sizeof path, s, "", item->entry, sink_picture_suffix(r->source)))
        return base_fail(err, VG_ERR_LIMIT, r->source, NULL, "the path of the result is too long");
    if (is_same_file(path, r->source))
        return base_fail(err, VG_ERR_ARGUMENT, r->source, "choose another project or name",
                         "the result would be written over its own source");
    size_t n = r->n_detections < t->most ? r->n_detections : t->most;
    if (s->options->hide_boxes)
        n = 0;
    const vg_extras *x = &r->extras;
    const task *kind = task_of(x->task);
    for (size_t i = 0; i < n; i++) { /* the best last, on top */
        const size_t k = n - 1 - i;
        const vg_detection *b = &r->detections[k];
        char *label = t->labels + i * LABEL_BYTES;
        make_label(label, s, b);
        t->boxes[i] =
            (image_box){.x1 = b->x1,
                        .y1 = b->y1,
                        .x2 = b->x2,
                        .y2 = b->y2,
                        .class_index = b->class_index,
                        .label = label,
                        .turned = x->rotated ? (const float *)(const void *)&x->rotated[k] : NULL};
    }
    const image_draw_style style = style_of(t, s);
    const image_names names = stream_detector_names(s->detector);
    vg_status st = s->has_masks ? reserve_scratch(t, r->width, s->mem, err) : VG_OK;
    const task_drawing d = {.canvas = t->canvas,
                            .picture = item->picture,
                            .style = &style,
                            .boxes = r->detections,
                            .extras = x,
                            .n = r->n_detections < t->most ? r->n_detections : t->most,
                            .names = &names,
                            .hides_labels = s->options->hide_labels,
                            .scratch = t->scratch,
                            .mem = s->mem};
    if (st == VG_OK && kind->draw_below)
        st = kind->draw_below(&d, err);
    if (st == VG_OK)
        st = image_canvas_boxes(t->canvas, item->picture, t->boxes, n, &style, s->mem, err);
    if (st == VG_OK && kind->draw_above)
        st = kind->draw_above(&d, err);
    return st == VG_OK ? image_write(s->encoder, item->picture, path, s->mem, err) : st;
}

const sink sink_picture = {.name = "picture",
                           .help = "<stem>.jpg or .png: the picture with its boxes",
                           .needs_pixels = true,
                           .state_bytes = sizeof(state),
                           .is_wanted = is_wanted,
                           .need_bytes = need_bytes,
                           .open = open_,
                           .write = write_,
                           .close = close_};
