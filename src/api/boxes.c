/* boxes.c: what was found in a picture, as texts. */
#include <limits.h>
#include <string.h>

#include "api.h"

/* Of JSON but for its boxes; a byte of text is six at most. */
enum { HEAD_BYTES = 128, ESCAPED = 6, CLASS_BYTES = 32 };

const char *api_class_name(char text[32], const vg_boxes *b, int class_index)
{
    if (b->names != NULL && class_index >= 0 && (size_t)class_index < b->n_names)
        return b->names[class_index];
    base_format(text, CLASS_BYTES, "class%d", class_index);
    return text;
}

/* Without extras: boxes alone. */
static const vg_extras no_extras;

const vg_extras *api_extras(const vg_boxes *b)
{
    return b->extras != NULL ? b->extras : &no_extras;
}

static const char *name_at(const void *boxes, size_t i)
{
    const vg_boxes *b = boxes;
    static _Thread_local char text[CLASS_BYTES];
    return api_class_name(text, b, (int)i);
}

stream_rows api_rows(const vg_boxes *b)
{
    return (stream_rows){.boxes = b->detections,
                         .n = b->n,
                         .ids = b->ids,
                         .extras = api_extras(b),
                         .w = b->width,
                         .h = b->height,
                         .names = {.at = name_at, .context = b, .n = INT_MAX}};
}

/* Points have two numbers of a row or of JSON. */
static size_t extras_bytes(const vg_boxes *b)
{
    enum { POINT_BYTES = 40 };
    const vg_extras *e = api_extras(b);
    char text[CLASS_BYTES];
    size_t bytes = 0;
    for (size_t i = 0; i < b->n && e != &no_extras; i++) {
        bytes += task_json_bytes(e, 0);
        if (e->masks != NULL)
            bytes += POINT_BYTES * e->masks[i].n_points;
    }
    for (size_t i = 0; i < e->n_top; i++)
        bytes += STREAM_TOP_JSON_BYTES +
                 ESCAPED * strlen(api_class_name(text, b, e->top[i].class_index));
    return bytes;
}

size_t vg_boxes_bytes(const vg_boxes *b)
{
    char text[CLASS_BYTES];
    size_t bytes =
        HEAD_BYTES + ESCAPED * (b->source != NULL ? strlen(b->source) : 0) + extras_bytes(b);
    for (size_t i = 0; i < b->n; i++)
        bytes += STREAM_LABEL_JSON_BYTES +
                 ESCAPED * strlen(api_class_name(text, b, b->detections[i].class_index));
    return bytes; /* more than rows of labels take */
}

/* An empty text over the caller's bytes. */
static vg_status begin(sink_text *t, char *buf, size_t n_bytes, vg_error *err)
{
    *t = (sink_text){.bytes = buf, .capacity = n_bytes};
    if (buf == NULL || n_bytes == 0)
        return base_fail(err, VG_ERR_LIMIT, "buf", "give vg_boxes_bytes", "no room for a text");
    buf[0] = '\0';
    return VG_OK;
}

vg_status vg_boxes_labels(char *buf, size_t n_bytes, const vg_boxes *b, bool with_conf,
                          vg_error *err)
{
    sink_text t;
    vg_status st = begin(&t, buf, n_bytes, err);
    if (st == VG_OK && (b->width < 1 || b->height < 1))
        return base_fail(err, VG_ERR_ARGUMENT, "boxes", "give the picture's width and height",
                         "boxes of a picture of %d x %d", b->width, b->height);
    const stream_rows rows = api_rows(b);
    return st == VG_OK ? stream_rows_add(&t, &rows, with_conf, err) : st;
}

vg_status api_boxes_json(sink_text *t, const stream_rows *rows, const char *source, vg_error *err)
{
    vg_status st = sink_text_add(t, err, "{\"source\": ");
    if (st == VG_OK)
        st = sink_text_add_json(t, source != NULL ? source : "", err);
    if (st == VG_OK)
        st = sink_text_add(t, err, ", \"width\": %d, \"height\": %d, \"boxes\": [", rows->w,
                           rows->h);
    for (size_t i = 0; i < rows->n && st == VG_OK; i++) {
        st = i > 0 ? sink_text_add(t, err, ", ") : VG_OK;
        if (st == VG_OK)
            st = stream_rows_add_json(t, rows, i, err);
    }
    if (st == VG_OK)
        st = sink_text_add(t, err, "]");
    if (st == VG_OK)
        st = stream_rows_add_top(t, rows, " ", err);
    return st == VG_OK ? sink_text_add(t, err, "}") : st;
}

vg_status vg_boxes_json(char *buf, size_t n_bytes, const vg_boxes *b, vg_error *err)
{
    sink_text t;
    const vg_status st = begin(&t, buf, n_bytes, err);
    const stream_rows rows = api_rows(b);
    return st == VG_OK ? api_boxes_json(&t, &rows, b->source, err) : st;
}

bool vg_extras_words(char *buf, size_t n_bytes, const vg_extras *e, size_t n,
                     const char *(*name)(const void *ctx, int class_index), const void *ctx)
{
    const task *kind = task_of(e->task);
    size_t at = 0;
    base_format(buf, n_bytes, "%s", "");
    if (kind->has_counts)
        return false;
    if (!kind->is_whole && n == 0)
        base_format(buf, n_bytes, "(no detections), ");
    for (size_t i = 0; i < e->n_top && at < n_bytes; i++) {
        base_format(buf + at, n_bytes - at, "%s %.2f, ", name(ctx, e->top[i].class_index),
                    (double)e->top[i].confidence);
        at += strlen(buf + at);
    }
    return true;
}
