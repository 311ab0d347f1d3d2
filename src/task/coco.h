/* coco.h: results as COCO's evaluation, or DOTA's, reads them. */
#ifndef TASK_COCO_H
#define TASK_COCO_H

#include "report/report.h"
#include "rows.h"

/* What the descriptors point to: fields of an object of predictions.json behind its category, each
 * behind ", ". Errors: VG_ERR_IO; VG_ERR_ARGUMENT (a number that is none). */
vg_status task_put_coco_box(report_text *t, const task_row *r, vg_error *err);
/* With the mask in the picture: its grid less the border that the row's padding says. */
vg_status task_put_coco_mask(report_text *t, const task_row *r, vg_error *err);
vg_status task_put_coco_keypoints(report_text *t, const task_row *r, vg_error *err);
vg_status task_put_coco_rotated(report_text *t, const task_row *r, vg_error *err);

#endif
