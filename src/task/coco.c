/* coco.c: what an object of predictions.json holds behind its category (T 6). */
#include "coco.h"

#include <math.h>
#include <string.h>

#include "detect/detect.h"

vg_status task_put_coco_box(report_text *t, const task_row *r, vg_error *err)
{
    const vg_status st = report_coco_put_bbox(t, r->box, err);
    return st == VG_OK ? report_coco_put_score(t, r->box, err) : st;
}

/* Of the characters of run lengths, 48 to 111, JSON wants one to be escaped. */
static vg_status put_escaped(void *text, const char *piece, vg_error *err)
{
    vg_status st = VG_OK;
    for (const char *p = piece; *p != '\0' && st == VG_OK;) {
        const size_t n = strcspn(p, "\\");
        st = report_text_put(text, err, "%.*s%s", (int)n, p, p[n] == '\\' ? "\\\\" : "");
        p += n + (p[n] == '\\');
    }
    return st;
}

vg_status task_put_coco_mask(report_text *t, const task_row *r, vg_error *err)
{
    const vg_mask *m = &r->extras->masks[r->index];
    const detect_rle_frame f =
        detect_rle_frame_make(m->grid_height, m->grid_width, r->pad_top, r->pad_left, r->h, r->w);
    vg_status st = task_put_coco_box(t, r, err);
    if (st == VG_OK)
        st = report_text_put(t, err, ", \"segmentation\": {\"size\": [%d, %d], \"counts\": \"",
                             r->h, r->w);
    if (st == VG_OK)
        st = detect_rle_write(m, &f, put_escaped, t, err);
    return st == VG_OK ? report_text_put(t, err, "\"}") : st;
}

/* Three numbers a point whatever the model gives, as COCO's evaluation wants them; not rounded. */
vg_status task_put_coco_keypoints(report_text *t, const task_row *r, vg_error *err)
{
    const vg_extras *e = r->extras;
    const vg_keypoint *k = e->keypoints + r->index * e->n_keypoints;
    vg_status st = report_coco_put_bbox(t, r->box, err);
    if (st == VG_OK)
        st = report_text_put(t, err, ", \"keypoints\": [");
    for (size_t i = 0; i < e->n_keypoints && st == VG_OK; i++) {
        if (!isfinite(k[i].x) || !isfinite(k[i].y) || !isfinite(k[i].visibility))
            return base_fail(err, VG_ERR_ARGUMENT, "keypoints", "check the weights for NaN",
                             "a point that is not of numbers, which JSON cannot hold");
        st = report_text_put(t, err, "%s%.9g, %.9g, %.9g", i == 0 ? "" : ", ", (double)k[i].x,
                             (double)k[i].y, (double)k[i].visibility);
    }
    if (st == VG_OK)
        st = report_text_put(t, err, "]");
    return st == VG_OK ? report_coco_put_score(t, r->box, err) : st;
}

vg_status task_put_coco_rotated(report_text *t, const task_row *r, vg_error *err)
{
    const float *box = (const float *)(const void *)&r->extras->rotated[r->index];
    float corners[8];
    detect_rotated_corners(corners, box);
    vg_status st = report_coco_put_score(t, r->box, err);
    if (st == VG_OK)
        st = report_coco_put_numbers(t, "rbox", box, 5, err);
    return st == VG_OK ? report_coco_put_numbers(t, "poly", corners, 8, err) : st;
}
