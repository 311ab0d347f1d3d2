/* coco_json.h: detections in COCO's results format, for its evaluation tools (val --save-json). */
#ifndef REPORT_COCO_JSON_H
#define REPORT_COCO_JSON_H

#include "detect/detect.h"
#include "text_file.h"

/* Pictures stream through a fixed buffer of 64 KiB into a temporary file; close puts it in place.
 * One owner; not thread-safe. Only create allocates. */
typedef struct report_coco report_coco;

/* COCO's numbers of its 80 classes when these are their names, in COCO's order; else NULL. A
 * constant. */
const int *report_coco_category_ids(const char *const *names, int nc);

/* category_ids: (nc) COCO's number of each class, borrowed until close; NULL: the class's own.
 * Errors: VG_ERR_IO, VG_ERR_LIMIT, VG_ERR_MEMORY. On success *out belongs to the caller. */
vg_status report_coco_create(report_coco **out, const char *path, const int *category_ids, int nc,
                             base_mem *mem, vg_error *err);
/* What an object holds behind its category_id: put writes all fields of box i, each behind ", ". */
typedef struct report_coco_fields {
    vg_status (*put)(void *ctx, report_text *t, size_t i, vg_error *err);
    void *ctx;
} report_coco_fields;
/* "bbox": x, y, width, height, rounded to 3 decimals; "score", to 5; any numbers, to 3. Errors:
 * VG_ERR_IO; VG_ERR_ARGUMENT (a number that is none). */
vg_status report_coco_put_bbox(report_text *t, const vg_detection *b, vg_error *err);
vg_status report_coco_put_score(report_text *t, const vg_detection *b, vg_error *err);
vg_status report_coco_put_numbers(report_text *t, const char *name, const float *values, size_t n,
                                  vg_error *err);

/* A picture's detections, boxes in its own pixels. The picture's id is its file name without folder
 * and suffix: as a number when it is one (000000000139.jpg: 139), else as a text. fields: NULL:
 * bbox and score. Errors: VG_ERR_ARGUMENT (a class out of range, a box that is not of numbers, a
 * name that is not UTF-8): nothing of the picture is written; VG_ERR_IO and those of fields, after
 * which the file is only to be destroyed. */
vg_status report_coco_add(report_coco *c, const char *picture, const vg_detection *boxes,
                          size_t n_boxes, const report_coco_fields *fields, vg_error *err);
/* Finishes the file and puts it in place of the old one, or says why not. */
vg_status report_coco_commit(report_coco *c, vg_error *err);
/* Removes what was not committed. NULL inside is fine. */
void report_coco_destroy(report_coco **c);

#endif
