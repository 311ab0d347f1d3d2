/* label.h: what was found as words: rows of a label file as YOLO users know them (class, then the
 * place as parts of the picture, and where asked for confidence and track; spec 2.5, T 2.5),
 * objects of JSON, and what is drawn at a box. */
#ifndef STREAM_LABEL_H
#define STREAM_LABEL_H

#include "image/image.h"
#include "sink_text.h"
#include "task/task.h"

enum {
    STREAM_LABEL_TEXT_BYTES = 192,
    STREAM_LABEL_JSON_BYTES = 224, /* of an object, but for its name and what a task adds */
    STREAM_LABEL_BYTES = 96,       /* of a row: a class of 10 digits, five numbers of 13 bytes */
    STREAM_LABEL_TRACK_BYTES = 32, /* more where it ends in a track of 20 digits */
    STREAM_TOP_JSON_BYTES = 96     /* of a class of a whole picture, but for its name */
};

/* The results of a picture. */
typedef struct stream_rows {
    const vg_detection *boxes; /* (n) */
    size_t n;
    const int64_t *ids; /* (n) of tracks; NULL: without */
    const vg_extras *extras;
    int w, h; /* of the picture */
    image_names names;
} stream_rows;

/* Whether anything was found. */
bool stream_rows_any(const stream_rows *r);
const char *stream_rows_name(const stream_rows *r, int class_index);
/* Appends the rows of a label file. Errors: VG_ERR_LIMIT; t's flush's. */
vg_status stream_rows_add(sink_text *t, const stream_rows *r, bool with_conf, vg_error *err);
/* Appends {"class": 0, "name": "car", "confidence": 0.87, "xyxy": [1, 2, 3, 4], "id": 7}, with what
 * the task adds: "segments", "keypoints", "xywhr". Errors as stream_rows_add. */
vg_status stream_rows_add_json(sink_text *t, const stream_rows *r, size_t i, vg_error *err);
/* Appends , "top": [{"class": 3, "name": "car", "confidence": 0.9}] of whole pictures; else
 * nothing. gap: behind commas and colons. */
vg_status stream_rows_add_top(sink_text *t, const stream_rows *r, const char *gap, vg_error *err);
/* A writer into t. */
task_writer stream_label_writer(sink_text *t, const char *gap, size_t most_points);
/* "id:7 car 0.87" into text (STREAM_LABEL_TEXT_BYTES); track NULL: without id. */
void stream_label_text(char *text, const char *name, const int64_t *track, bool with_conf,
                       const vg_detection *box);
/* Makes the rows the file at path, whole or not at all; through t, whatever its size. Errors:
 * VG_ERR_IO. */
vg_status stream_rows_write(sink_text *t, const stream_rows *r, bool with_conf, const char *path,
                            vg_error *err);

#endif
