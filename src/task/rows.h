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
    size_t index; /* the row's place in extras */
    int w, h;     /* of the picture */
} task_row;

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
