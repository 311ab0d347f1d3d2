/* label.h: a box as words: a row of a label file as YOLO users know them (class, centre and size as
 * parts of the picture, and where asked for confidence and track; spec 2.5), an object of JSON, and
 * what is drawn at it. */
#ifndef STREAM_LABEL_H
#define STREAM_LABEL_H

#include "sink_text.h"
#include "vigil/types.h"

enum {
    STREAM_LABEL_TEXT_BYTES = 192,
    STREAM_LABEL_JSON_BYTES = 224, /* of an object, but for its name */
    STREAM_LABEL_BYTES = 96,       /* of a row: a class of 10 digits, five numbers of 13 bytes */
    STREAM_LABEL_TRACK_BYTES = 32  /* more where it ends in a track of 20 digits */
};

/* Appends the row of box in a picture of w x h. track NULL: without. Errors: VG_ERR_LIMIT. */
vg_status stream_label_add(sink_text *t, const vg_detection *box, int w, int h, bool with_conf,
                           const int64_t *track, vg_error *err);
/* Appends {"class": 0, "name": "car", "confidence": 0.87, "xyxy": [1, 2, 3, 4], "id": 7}. track
 * NULL: without id. Errors: VG_ERR_LIMIT. */
vg_status stream_label_add_json(sink_text *t, const vg_detection *box, const char *name,
                                const int64_t *track, vg_error *err);
/* "id:7 car 0.87" into text (STREAM_LABEL_TEXT_BYTES); track NULL: without id. */
void stream_label_text(char *text, const char *name, const int64_t *track, bool with_conf,
                       const vg_detection *box);
/* Makes t the file at path, whole or not at all. Errors: VG_ERR_IO. */
vg_status stream_label_write(const sink_text *t, const char *path, vg_error *err);

#endif
