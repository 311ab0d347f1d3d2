/* rows.c: numbers in the formats that users of YOLO read. */
#include "rows.h"

#include <inttypes.h>

#include "detect/detect.h"
#include "task.h"

enum { NUMBER_BYTES = 16 }; /* of %.7g, with a comma */

static const vg_mask *mask_of(const task_row *r)
{
    static const vg_mask none;
    return r->extras->masks ? &r->extras->masks[r->index] : &none;
}

static const vg_keypoint *keypoints_of(const task_row *r)
{
    return r->extras->keypoints + r->index * r->extras->n_keypoints;
}

/* ---- rows of label files: %g, as parts of the picture ---- */

vg_status task_put_label_box(const task_writer *t, const task_row *r, vg_error *err)
{
    const vg_detection *b = r->box;
    const float w = (float)r->w, h = (float)r->h;
    return t->put(t->to, err, "%d %g %g %g %g", b->class_index, (double)((b->x1 + b->x2) / 2 / w),
                  (double)((b->y1 + b->y2) / 2 / h), (double)((b->x2 - b->x1) / w),
                  (double)((b->y2 - b->y1) / h));
}

vg_status task_put_label_outline(const task_writer *t, const task_row *r, vg_error *err)
{
    const vg_mask *m = mask_of(r);
    vg_status st = t->put(t->to, err, "%d", r->box->class_index);
    for (size_t i = 0; i < m->n_points && st == VG_OK; i++)
        st = t->put(t->to, err, " %g %g", (double)(m->outline[2 * i] / (float)r->w),
                    (double)(m->outline[2 * i + 1] / (float)r->h));
    return st;
}

vg_status task_put_label_keypoints(const task_writer *t, const task_row *r, vg_error *err)
{
    const vg_keypoint *k = keypoints_of(r);
    vg_status st = task_put_label_box(t, r, err);
    for (size_t i = 0; i < r->extras->n_keypoints && st == VG_OK; i++) {
        /* T 2.2: what is hardly seen has no place. Results of prediction have none there already.
         */
        const bool is_hidden = r->extras->keypoint_dims == 3 && k[i].visibility < 0.5f;
        st = t->put(t->to, err, " %g %g", is_hidden ? 0 : (double)(k[i].x / (float)r->w),
                    is_hidden ? 0 : (double)(k[i].y / (float)r->h));
        if (st == VG_OK && r->extras->keypoint_dims == 3)
            st = t->put(t->to, err, " %g", (double)k[i].visibility);
    }
    return st;
}

vg_status task_put_label_corners(const task_writer *t, const task_row *r, vg_error *err)
{
    float c[8];
    detect_rotated_corners(c, (const float *)(const void *)&r->extras->rotated[r->index]);
    vg_status st = t->put(t->to, err, "%d", r->box->class_index);
    for (int i = 0; i < 4 && st == VG_OK; i++)
        st = t->put(t->to, err, " %g %g", (double)(c[2 * i] / (float)r->w),
                    (double)(c[2 * i + 1] / (float)r->h));
    return st;
}

/* ---- fields of JSON: pixels of the picture ---- */

typedef struct series {
    const float *at;
    size_t n, pitch; /* floats from one to the next */
} series;

/* "x": [1, 2], of every step-th. */
static vg_status put_series(const task_writer *t, const char *name, const series *s, size_t step,
                            vg_error *err)
{
    vg_status st = t->put(t->to, err, "\"%s\":%s[", name, t->gap);
    for (size_t i = 0; i < s->n && st == VG_OK; i += step)
        st = t->put(t->to, err, "%s%s%.7g", i == 0 ? "" : ",", i == 0 ? "" : t->gap,
                    (double)s->at[i * s->pitch]);
    return st == VG_OK ? t->put(t->to, err, "]") : st;
}

static vg_status put_points(const task_writer *t, const char *name, const series *x,
                            const series *y, const series *visible, vg_error *err)
{
    const size_t step = t->most_points > 0 && x->n > t->most_points
                            ? (x->n + t->most_points - 1) / t->most_points
                            : 1;
    vg_status st = t->put(t->to, err, ",%s\"%s\":%s{", t->gap, name, t->gap);
    if (st == VG_OK)
        st = put_series(t, "x", x, step, err);
    if (st == VG_OK)
        st = t->put(t->to, err, ",%s", t->gap);
    if (st == VG_OK)
        st = put_series(t, "y", y, step, err);
    if (st == VG_OK && visible)
        st = t->put(t->to, err, ",%s", t->gap);
    if (st == VG_OK && visible)
        st = put_series(t, "visible", visible, step, err);
    return st == VG_OK ? t->put(t->to, err, "}") : st;
}

vg_status task_put_json_outline(const task_writer *t, const task_row *r, vg_error *err)
{
    const vg_mask *m = mask_of(r);
    const series x = {m->outline, m->n_points, 2},
                 y = {m->outline ? m->outline + 1 : NULL, m->n_points, 2};
    return put_points(t, "segments", &x, &y, NULL, err);
}

vg_status task_put_json_keypoints(const task_writer *t, const task_row *r, vg_error *err)
{
    const vg_keypoint *k = keypoints_of(r);
    const size_t n = r->extras->n_keypoints;
    const task_writer all = {t->put, t->to, t->gap, 0};
    const series x = {&k->x, n, 3}, y = {&k->y, n, 3}, visible = {&k->visibility, n, 3};
    return put_points(&all, "keypoints", &x, &y, r->extras->keypoint_dims == 3 ? &visible : NULL,
                      err);
}

vg_status task_put_json_corners(const task_writer *t, const task_row *r, vg_error *err)
{
    const vg_rotated *b = &r->extras->rotated[r->index];
    float c[8];
    detect_rotated_corners(c, (const float *)(const void *)b);
    vg_status st = t->put(t->to, err, ",%s", t->gap);
    const series xywhr = {(const float *)(const void *)b, 5, 1}, corners = {c, 8, 1};
    if (st == VG_OK)
        st = put_series(t, "xywhr", &xywhr, 1, err);
    if (st == VG_OK)
        st = t->put(t->to, err, ",%s", t->gap);
    return st == VG_OK ? put_series(t, "xyxyxyxy", &corners, 1, err) : st;
}

size_t task_json_bytes(const vg_extras *e, size_t n_points)
{
    enum { NAMES_BYTES = 64, CORNERS = 5 + 8 };
    return NAMES_BYTES + NUMBER_BYTES * (2 * n_points + 3 * e->n_keypoints + CORNERS);
}

/* ---- a whole picture ---- */

vg_status task_put_labels(const task_writer *t, const task_rows *r, bool with_conf, vg_error *err)
{
    const task *kind = task_of(r->extras->task);
    vg_status st = VG_OK;
    for (size_t i = 0; i < r->n && st == VG_OK; i++) {
        const task_row row = {
            .box = &r->boxes[i], .extras = r->extras, .index = i, .w = r->w, .h = r->h};
        st = kind->put_label(t, &row, err);
        if (st == VG_OK && with_conf)
            st = t->put(t->to, err, " %g", (double)r->boxes[i].confidence);
        if (st == VG_OK && r->ids != NULL)
            st = t->put(t->to, err, " %" PRId64, r->ids[i]);
        if (st == VG_OK)
            st = t->put(t->to, err, "\n");
    }
    for (size_t i = 0; i < r->extras->n_top && st == VG_OK; i++) {
        const vg_class_score *s = &r->extras->top[i];
        const bool is_named = s->class_index >= 0 && (size_t)s->class_index < r->n_names;
        st = t->put(t->to, err, "%.2f %s\n", (double)s->confidence,
                    is_named ? r->name_at(r->names, (size_t)s->class_index) : "");
    }
    return st;
}
