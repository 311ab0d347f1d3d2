/* label_text.c: one label file: rows `class xc yc w h`, or polygons `class x1 y1 x2 y2 ...`,
 * checked as spec 5.2 says.
 *
 * The kind of file is known when all rows have been counted, so the text is split twice: once to
 * count fields, once to read them. Duplicates are found by sorting; the order changes only when
 * there are some. */
#include <math.h>
#include <string.h>

#include "labels.h"

enum { BOX_FIELDS = 5, MOST_BOX_FILE_FIELDS = 6 /* more: a file of polygons */ };
enum { MOST_ROWS = 1 << 20, MOST_POINTS = 1 << 24 };

void label_sink_fini(label_sink *s)
{
    base_free(s->labels);
    base_free(s->points);
    *s = (label_sink){0};
}

/* ---- room ---- */

/* Room for `more` items of `size` bytes behind n in *block. */
static vg_status grow(void **block, size_t *most, size_t n, size_t more, size_t size, base_mem *mem,
                      vg_error *err)
{
    if (more <= *most - n)
        return VG_OK;
    size_t wanted = 2 * *most > n + more ? 2 * *most : n + more, bytes;
    if (wanted < 256)
        wanted = 256;
    if (!base_mul_size(&bytes, wanted, size))
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "%zu labels are too many", wanted);
    void *wider = base_realloc(mem, *block, bytes, err);
    if (!wider)
        return VG_ERR_MEMORY;
    *block = wider;
    *most = wanted;
    return VG_OK;
}

static vg_status reserve(label_sink *s, size_t n_labels, size_t n_points, base_mem *mem,
                         vg_error *err)
{
    void *labels = s->labels, *points = s->points;
    vg_status st =
        grow(&labels, &s->most_labels, s->n_labels, n_labels, sizeof *s->labels, mem, err);
    s->labels = labels;
    if (st == VG_OK)
        st = grow(&points, &s->most_points, s->n_points, n_points, 2 * sizeof *s->points, mem, err);
    s->points = points;
    return st;
}

/* ---- fields ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r' || c == '\0';
}

/* The field at or behind *at in this line, ended by a 0 where a blank was; NULL at the line's end,
 * which *at then stands on. *end_char is what stood behind the field. */
static size_t skip_field(const char **at)
{
    const char *p = *at;
    while (is_blank(*p))
        p++;
    const char *begin = p;
    while (!is_blank(*p) && !ends_line(*p))
        p++;
    *at = p;
    return (size_t)(p - begin);
}

typedef struct counts {
    size_t n_rows, n_fields, most_fields;
} counts;

static counts count_fields(const char *text, size_t n)
{
    counts c = {0};
    for (const char *p = text; p < text + n; p++) {
        size_t n_fields = 0;
        while (skip_field(&p) > 0)
            n_fields++;
        c.n_rows += n_fields > 0;
        c.n_fields += n_fields;
        c.most_fields = n_fields > c.most_fields ? n_fields : c.most_fields;
    }
    return c;
}

/* The next number of the line. 1: read; 0: the line ends; -1: not a number, *bad is its text. */
static int next_number(double *out, char **at, const char **bad)
{
    const char *end = *at;
    size_t length = skip_field(&end);
    if (length == 0) {
        *at += end - *at;
        return 0;
    }
    char *stop = *at + (end - *at), kept = *stop, *begin = stop - length;
    *stop = '\0';
    bool good = base_parse_double(out, begin);
    *bad = begin;
    if (good)
        *stop = kept;
    *at = stop;
    return good ? 1 : -1;
}

/* ---- rows ---- */

typedef struct reader {
    label_sink *sink;
    const char *name;
    int nc, line;
    bool polygons;
} reader;

static vg_status bad_row(const reader *r, vg_error *err, const char *mend, const char *what)
{
    return base_fail(err, VG_ERR_FORMAT, base_where("%s:%d", r->name, r->line), mend, "%s", what);
}

static vg_status read_class(const reader *r, int32_t *out, double value, vg_error *err)
{
    if (value != floor(value) || value < 0)
        return bad_row(r, err, "number classes from 0",
                       base_where("%g where a class number is wanted", value));
    if (value >= r->nc)
        return bad_row(
            r, err, "number classes from 0, or correct nc and names in the dataset's file",
            base_where("class %g in a dataset of %d classes (0..%d)", value, r->nc, r->nc - 1));
    *out = (int32_t)value;
    return VG_OK;
}

static vg_status check_box(const reader *r, const float xywh[4], vg_error *err)
{
    for (int i = 0; i < 4; i++)
        if (!(xywh[i] >= 0 && xywh[i] <= 1))
            return bad_row(r, err, "divide x and w by the picture's width, y and h by its height",
                           base_where("coordinate %g is not in 0..1", (double)xywh[i]));
    return VG_OK;
}

/* The rest of a polygon's line -> points and their bounds. */
static vg_status read_polygon(const reader *r, data_label *l, char **at, vg_error *err)
{
    label_sink *s = r->sink;
    float low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    const char *bad;
    double value;
    int got;
    size_t n = 0;
    l->first_point = s->n_points;
    for (; (got = next_number(&value, at, &bad)) == 1; n++) {
        float v = (float)value;
        int axis = (int)(n & 1);
        s->points[2 * s->n_points + n] = v;
        low[axis] = fminf(low[axis], v);
        high[axis] = fmaxf(high[axis], v);
    }
    if (got < 0)
        return bad_row(r, err, NULL, base_where("\"%.60s\" is not a number", bad));
    if (n < 2 || n % 2 != 0)
        return bad_row(r, err, "give pairs: class x1 y1 x2 y2 ...",
                       base_where("a polygon of %zu coordinates", n));
    for (int axis = 0; axis < 2; axis++) {
        l->xywh_norm[axis] = (low[axis] + high[axis]) / 2;
        l->xywh_norm[axis + 2] = high[axis] - low[axis];
    }
    l->n_points = (uint32_t)(n / 2);
    s->n_points += n / 2;
    return VG_OK;
}

static vg_status read_box(const reader *r, data_label *l, char **at, vg_error *err)
{
    const char *bad;
    double value;
    int got, n = 1;
    for (; (got = next_number(&value, at, &bad)) == 1; n++)
        if (n < BOX_FIELDS)
            l->xywh_norm[n - 1] = (float)value;
    if (got < 0)
        return bad_row(r, err, NULL, base_where("\"%.60s\" is not a number", bad));
    if (n != BOX_FIELDS)
        return bad_row(r, err, "give rows of: class x_center y_center width height",
                       base_where("%d columns where 5 are wanted", n));
    return VG_OK;
}

/* One line; *at comes to stand on its end. */
static vg_status read_row(const reader *r, char **at, vg_error *err)
{
    const char *bad = NULL;
    double value;
    data_label l = {0};
    int got = next_number(&value, at, &bad);
    if (got == 0)
        return VG_OK;
    if (got < 0)
        return bad_row(r, err, NULL, base_where("\"%.60s\" is not a number", bad));
    vg_status st = read_class(r, &l.class_index, value, err);
    if (st == VG_OK)
        st = r->polygons ? read_polygon(r, &l, at, err) : read_box(r, &l, at, err);
    if (st == VG_OK)
        st = check_box(r, l.xywh_norm, err);
    if (st == VG_OK)
        r->sink->labels[r->sink->n_labels++] = l;
    return st;
}

/* ---- duplicates ---- */

static int compare_rows(const data_label *a, const data_label *b)
{
    if (a->class_index != b->class_index)
        return a->class_index < b->class_index ? -1 : 1;
    for (int i = 0; i < 4; i++)
        if (a->xywh_norm[i] != b->xywh_norm[i])
            return a->xywh_norm[i] < b->xywh_norm[i] ? -1 : 1;
    return 0;
}

/* Equal rows stand in the order of the file: the first one stays, with its polygon. */
static int row_before(const void *a, const void *b, void *ctx)
{
    const data_label *const *x = a, *const *y = b;
    (void)ctx;
    int order = compare_rows(*x, *y);
    return order != 0 ? order < 0 : *x < *y;
}

/* Of the rows from `first` on. Sorted as pointers, which need room behind the rows: taken as
 * labels, which are larger. */
static vg_status remove_duplicates(label_sink *s, size_t first, size_t *n_removed, base_mem *mem,
                                   vg_error *err)
{
    size_t n = s->n_labels - first, n_kept = 0;
    *n_removed = 0;
    if (n < 2)
        return VG_OK;
    vg_status st = reserve(s, 2 * n, 0, mem, err);
    if (st != VG_OK)
        return st;
    data_label *rows = s->labels + first, *kept = rows + n;
    const data_label **sorted = (const data_label **)(void *)(rows + 2 * n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &rows[i];
    base_sort(sorted, n, sizeof *sorted, row_before, NULL);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare_rows(sorted[i - 1], sorted[i]) != 0)
            kept[n_kept++] = *sorted[i];
    *n_removed = n - n_kept;
    if (n_kept < n) {
        memcpy(rows, kept, n_kept * sizeof *rows);
        s->n_labels = first + n_kept;
    }
    return VG_OK;
}

vg_status label_text_parse(label_sink *sink, label_text_result *out, char *text, size_t n, int nc,
                           const char *name, base_mem *mem, vg_error *err)
{
    *out = (label_text_result){0};
    counts c = count_fields(text, n);
    bool polygons = c.most_fields > MOST_BOX_FILE_FIELDS;
    if (c.n_rows > MOST_ROWS || c.n_fields / 2 > MOST_POINTS)
        return base_fail(err, VG_ERR_LIMIT, name, "check that it is a label file",
                         "%zu rows, %zu numbers: too many for one picture", c.n_rows, c.n_fields);
    /* One point more: an odd coordinate is written before it is refused. */
    vg_status st = reserve(sink, c.n_rows, polygons ? c.n_fields / 2 + 1 : 0, mem, err);
    size_t first_label = sink->n_labels, first_point = sink->n_points;
    reader r = {.sink = sink, .name = name, .nc = nc, .line = 1, .polygons = polygons};
    for (char *p = text; p < text + n && st == VG_OK; p++) {
        st = read_row(&r, &p, err);
        r.line += *p == '\n' || (*p == '\r' && p[1] != '\n');
    }
    if (st == VG_OK)
        st = remove_duplicates(sink, first_label, &out->n_duplicates, mem, err);
    if (st != VG_OK) {
        sink->n_labels = first_label;
        sink->n_points = first_point;
        return st;
    }
    out->n_labels = sink->n_labels - first_label;
    out->polygons = polygons;
    return VG_OK;
}
