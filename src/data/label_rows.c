/* label_rows.c: what stands behind a row's class: a box, the corners of an outline, or a box and
 * keypoints; checked as D 5.2, T 4.2 and T 4.4 say.
 *
 * A row of 5 columns in a file of polygons is a box where boxes are asked for: two points are no
 * polygon, and tools that mix both kinds mean a box by it. Where outlines are asked for it is one
 * of two points, as the reference reads it. */
#include "label_rows.h"

#include <math.h>

enum { BOX_FIELDS = 5, LEAST_POLYGON_NUMBERS = 6, LEAST_OUTLINE_NUMBERS = 4 };

/* As it was written, or with the digits that say on which side of 1 it is. */
static base_text number_text(float v)
{
    return base_text_make(v > 1 && v < 1.00001f ? "%.9g" : "%g", (double)v);
}

static vg_status check_box(const label_reader *r, const float xywh[4], vg_error *err)
{
    for (int i = 0; i < 4; i++)
        if (!(xywh[i] >= 0 && xywh[i] <= 1))
            return label_bad_row(
                r, err, "divide x and w by the picture's width, y and h by its height",
                base_where("coordinate %s is not in 0..1", number_text(xywh[i]).text));
    return VG_OK;
}

static vg_status read_columns(label_reader *r, data_label *l, char **at, vg_error *err)
{
    const char *bad;
    double value;
    int got, n = 1;
    for (; (got = label_next_number(&value, at, &bad)) == 1; n++)
        if (n < BOX_FIELDS)
            l->xywh_norm[n - 1] = (float)value;
    if (got < 0)
        return label_bad_number(r, err, bad);
    if (n != BOX_FIELDS)
        return label_bad_row(r, err, "give rows of: class x_center y_center width height",
                             base_where("%d column%s where 5 are wanted", n, n == 1 ? "" : "s"));
    return check_box(r, l->xywh_norm, err);
}

/* Points and their bounds. */
static vg_status read_polygon(label_reader *r, data_label *l, char **at, size_t least,
                              vg_error *err)
{
    label_sink *s = r->sink;
    float low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    const char *bad;
    double value;
    int got;
    size_t n = 0;
    l->first_point = s->n_points;
    for (; (got = label_next_number(&value, at, &bad)) == 1; n++) {
        float v = (float)value;
        int axis = (int)(n & 1);
        s->points[2 * s->n_points + n] = v;
        low[axis] = fminf(low[axis], v);
        high[axis] = fmaxf(high[axis], v);
    }
    if (got < 0)
        return label_bad_number(r, err, bad);
    if (n < least || n % 2 != 0)
        return label_bad_row(r, err, "give pairs, three or more: class x1 y1 x2 y2 x3 y3 ...",
                             base_where("a polygon of %zu coordinates", n));
    for (int axis = 0; axis < 2; axis++) {
        l->xywh_norm[axis] = (low[axis] + high[axis]) / 2;
        l->xywh_norm[axis + 2] = high[axis] - low[axis];
    }
    vg_status st = check_box(r, l->xywh_norm, err);
    if (st != VG_OK)
        return st;
    l->n_points = (uint32_t)(n / 2);
    s->n_points += n / 2;
    return VG_OK;
}

/* Up to `most` + 1. */
static int count_columns(const char *row, int most)
{
    int n = 0;
    while (n <= most && label_skip_field(&row) > 0)
        n++;
    return n;
}

static bool note_box(label_reader *r, const char *row)
{
    const bool is_box = r->polygons && count_columns(row, BOX_FIELDS) == BOX_FIELDS;
    if (is_box && r->n_boxes++ == 0)
        r->first_box_line = r->line;
    return is_box;
}

vg_status label_row_box(label_reader *r, data_label *l, char **at, const char *row, vg_error *err)
{
    const bool is_box = note_box(r, row) || !r->polygons;
    return is_box ? read_columns(r, l, at, err)
                  : read_polygon(r, l, at, LEAST_POLYGON_NUMBERS, err);
}

vg_status label_row_outline(label_reader *r, data_label *l, char **at, const char *row,
                            vg_error *err)
{
    note_box(r, row);
    return r->polygons ? read_polygon(r, l, at, LEAST_OUTLINE_NUMBERS, err)
                       : read_columns(r, l, at, err);
}

/* ---- keypoints ---- */

static vg_status check_keypoint(const label_reader *r, const float point[3], int k, vg_error *err)
{
    for (int i = 0; i < 3; i++)
        if (!(point[i] >= 0) || !isfinite(point[i]) || (i < 2 && point[i] > 1))
            return label_bad_row(
                r, err,
                i < 2 ? "divide x by the picture's width, y by its height; a point "
                        "that is not labelled is 0 0 0"
                      : "give 0 (not labelled), 1 (hidden) or 2 (seen)",
                base_where("%s %s of keypoint %d is %s", i < 2 ? "coordinate" : "visibility",
                           number_text(point[i]).text, k + 1, i < 2 ? "not in 0..1" : "below 0"));
    return VG_OK;
}

/* The next column, of which there are enough. */
static vg_status read_number(label_reader *r, float *out, char **at, vg_error *err)
{
    const char *bad = NULL;
    double value = 0;
    if (label_next_number(&value, at, &bad) != 1)
        return label_bad_number(r, err, bad ? bad : "");
    *out = (float)value;
    return VG_OK;
}

vg_status label_row_keypoints(label_reader *r, data_label *l, char **at, const char *row,
                              vg_error *err)
{
    label_sink *s = r->sink;
    const int n = r->form->n_keypoints, dims = r->form->keypoint_dims;
    const int wanted = BOX_FIELDS + n * dims, is = count_columns(row, wanted);
    if (is != wanted)
        return label_bad_row(r, err,
                             base_mend("kpt_shape [%d, %d] wants: class x_center y_center width "
                                       "height, then %s for each keypoint",
                                       n, dims, dims == 3 ? "x y visibility" : "x y"),
                             base_where("%s%d columns where %d are wanted",
                                        is > wanted ? "more than " : "", is > wanted ? wanted : is,
                                        wanted));
    vg_status st = VG_OK;
    for (int i = 0; i < 4 && st == VG_OK; i++)
        st = read_number(r, &l->xywh_norm[i], at, err);
    for (int i = 0; i < 4 && st == VG_OK; i++)
        if (!(l->xywh_norm[i] >= 0) || !isfinite(l->xywh_norm[i]))
            st = label_bad_row(r, err,
                               "divide x and w by the picture's width, y and h by its height",
                               base_where("coordinate %g is below 0", (double)l->xywh_norm[i]));
    for (int k = 0; k < n && st == VG_OK; k++) {
        float *point = s->points + 3 * (s->n_points + (size_t)k);
        point[2] = 1;
        for (int i = 0; i < dims && st == VG_OK; i++)
            st = read_number(r, &point[i], at, err);
        if (st == VG_OK)
            st = check_keypoint(r, point, k, err);
    }
    if (st != VG_OK)
        return st;
    l->first_point = s->n_points;
    l->n_points = (uint32_t)n;
    s->n_points += (size_t)n;
    /* Blanks behind the last column. */
    const char *bad;
    double none;
    label_next_number(&none, at, &bad);
    return VG_OK;
}
