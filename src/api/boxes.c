/* boxes.c: what was found in a picture, as texts. */
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

size_t vg_boxes_bytes(const vg_boxes *b)
{
    char text[CLASS_BYTES];
    size_t bytes = HEAD_BYTES + ESCAPED * (b->source != NULL ? strlen(b->source) : 0);
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
    for (size_t i = 0; i < b->n && st == VG_OK; i++)
        st = stream_label_add(&t, &b->detections[i], b->width, b->height, with_conf,
                              b->ids != NULL ? &b->ids[i] : NULL, err);
    return st;
}

vg_status vg_boxes_json(char *buf, size_t n_bytes, const vg_boxes *b, vg_error *err)
{
    char name[CLASS_BYTES];
    sink_text t;
    vg_status st = begin(&t, buf, n_bytes, err);
    if (st == VG_OK)
        st = sink_text_add(&t, err, "{\"source\": ");
    if (st == VG_OK)
        st = sink_text_add_json(&t, b->source != NULL ? b->source : "", err);
    if (st == VG_OK)
        st = sink_text_add(&t, err, ", \"width\": %d, \"height\": %d, \"boxes\": [", b->width,
                           b->height);
    for (size_t i = 0; i < b->n && st == VG_OK; i++) {
        const vg_detection *d = &b->detections[i];
        st = i > 0 ? sink_text_add(&t, err, ", ") : VG_OK;
        if (st == VG_OK)
            st = stream_label_add_json(&t, d, api_class_name(name, b, d->class_index),
                                       b->ids != NULL ? &b->ids[i] : NULL, err);
    }
    return st == VG_OK ? sink_text_add(&t, err, "]}") : st;
}
