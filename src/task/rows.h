/* rows.h: results as text: rows of label files, fields of JSON, words of a console line (T 2.5). */
#ifndef TASK_ROWS_H
#define TASK_ROWS_H

#include "base/base.h"
#include "vigil/types.h"

/* Where text goes, piece by piece. */
typedef struct task_writer {
    vg_status (*put)(void *to, vg_error *err, const char *format, ...);
    void *to;
    const char *gap;    /* behind colons and commas: " ", or "" */
    size_t most_points; /* of an outline, thinned out beyond; 0: all */
} task_writer;

/* A row of a result. */
typedef struct task_row {
    const vg_detection *box;
    const vg_extras *extras;
    size_t index;          /* the row's place in extras */
    int w, h;              /* of the picture */
    int pad_top, pad_left; /* of the picture in the grid of its mask, pixels: where masks are asked
                              for in the picture's own (coco.h) */
} task_row;

/* The results of a picture. */
typedef struct task_rows {
    const vg_detection *boxes; /* (n) */
    size_t n;
    const int64_t *ids; /* (n) of tracks; NULL: without */
    const vg_extras *extras;
    int w, h;
    const char *(*name_at)(const void *ctx, size_t class_index); /* of a class below n_names */
    const void *names;
    size_t n_names;
} task_rows;
/* All of them as rows of a label file, each with its end; with_conf: the confidence behind a box. A
 * class that has no name is empty. */
vg_status task_put_labels(const task_writer *t, const task_rows *r, bool with_conf, vg_error *err);

/* What the descriptors point to. put_label: a label's class and place, without an end. put_json:
 * further fields of the box's object, each behind a comma. */
vg_status task_put_label_box(const task_writer *t, const task_row *r, vg_error *err);
vg_status task_put_label_outline(const task_writer *t, const task_row *r, vg_error *err);
vg_status task_put_label_keypoints(const task_writer *t, const task_row *r, vg_error *err);
vg_status task_put_label_corners(const task_writer *t, const task_row *r, vg_error *err);
vg_status task_put_json_outline(const task_writer *t, const task_row *r, vg_error *err);
vg_status task_put_json_keypoints(const task_writer *t, const task_row *r, vg_error *err);
vg_status task_put_json_corners(const task_writer *t, const task_row *r, vg_error *err);

/* The most bytes that put_json puts for a box with outlines of n_points. */
size_t task_json_bytes(const vg_extras *e, size_t n_points);

#endif
