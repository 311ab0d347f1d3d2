/* label_text.c: one label file: rows `class xc yc w h`, or polygons `class x1 y1 x2 y2 ...`,
 * checked as spec 5.2 says.
 *
 * The kind of file is known when all rows have been counted, so the text is split twice: once to
 * count fields, once to read them. A row of 5 columns is a box in a file of polygons, too: two
 * points are no polygon, and tools that mix both kinds mean a box by it. Duplicates are found by
 * sorting; the order changes only when there are some.
 *
 * What editors and spreadsheets leave in a file means nothing: a byte order mark, blanks of
 * Unicode, lines that begin with #. UTF-16 is refused by its mark. */
#include <math.h>
#include <string.h>

#include "labels.h"

enum { BOX_FIELDS = 5, MOST_BOX_FILE_FIELDS = 6 /* more: a file of polygons */ };
enum { LEAST_POLYGON_NUMBERS = 6 };
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

/* Bytes of the blank at p, 0: it is none. Beside ASCII's those that Python's split takes for one
 * (U+00A0, U+1680, U+2000..200A, U+202F, U+205F, U+3000), and U+FEFF, the byte order mark. */
static size_t blank_bytes(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    if (*p == ' ' || *p == '\t' || *p == '\v' || *p == '\f')
        return 1;
    if (b[0] == 0xc2)
        return b[1] == 0xa0 ? 2 : 0;
    if (b[0] < 0xe1 || b[0] > 0xef || b[1] == 0 || b[2] == 0)
        return 0;
    const uint32_t code = (b[0] & 0xfu) << 12 | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu);
    const bool is_long = (b[1] & 0xc0) == 0x80 && (b[2] & 0xc0) == 0x80;
    return is_long && (code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x202f ||
                       code == 0x205f || code == 0x3000 || code == 0xfeff)
               ? 3
               : 0;
}

static const char *skip_blanks(const char *p)
{
    for (size_t n; (n = blank_bytes(p)) > 0;)
        p += n;
    return p;
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r' || c == '\0';
}

/* Bytes of the field at or behind *at in this line, which *at comes to stand behind; 0: the line
 * ends there. */
static size_t skip_field(const char **at)
{
    const char *p = skip_blanks(*at), *begin = p;
    while (blank_bytes(p) == 0 && !ends_line(*p))
        p++;
    *at = p;
    return (size_t)(p - begin);
}

/* *at, the begin of a line, comes to stand on its end where it is a comment. */
static void skip_comment(const char **at)
{
    const char *p = skip_blanks(*at);
    if (*p != '#')
        return;
    while (!ends_line(*p))
        p++;
    *at = p;
}

typedef struct counts {
    size_t n_rows, n_fields, most_fields;
} counts;

static counts count_fields(const char *text, size_t n)
{
    counts c = {0};
    for (const char *p = text; p < text + n; p++) {
        size_t n_fields = 0;
        skip_comment(&p);
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
    size_t n_boxes;     /* in a file of polygons */
    int first_box_line; /* 0: none */
} reader;

static const char not_a_number[] =
    "separate numbers by blanks, and write a point as the decimal mark";

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

/* As it was written, or with the digits that say on which side of 1 it is. */
static base_text number_text(float v)
{
    return base_text_make(v > 1 && v < 1.00001f ? "%.9g" : "%g", (double)v);
}

static vg_status check_box(const reader *r, const float xywh[4], vg_error *err)
{
    for (int i = 0; i < 4; i++)
        if (!(xywh[i] >= 0 && xywh[i] <= 1))
            return bad_row(r, err, "divide x and w by the picture's width, y and h by its height",
                           base_where("coordinate %s is not in 0..1", number_text(xywh[i]).text));
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
        return bad_row(r, err, not_a_number, base_where("\"%.60s\" is not a number", bad));
    if (n < LEAST_POLYGON_NUMBERS || n % 2 != 0)
        return bad_row(r, err, "give pairs, three or more: class x1 y1 x2 y2 x3 y3 ...",
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
        return bad_row(r, err, not_a_number, base_where("\"%.60s\" is not a number", bad));
    if (n != BOX_FIELDS)
        return bad_row(r, err, "give rows of: class x_center y_center width height",
                       base_where("%d column%s where 5 are wanted", n, n == 1 ? "" : "s"));
    return VG_OK;
}

static bool is_box(const reader *r, const char *row)
{
    int n = 0;
    while (n <= BOX_FIELDS && skip_field(&row) > 0)
        n++;
    return !r->polygons || n == BOX_FIELDS;
}

/* One line; *at comes to stand on its end. */
static vg_status read_row(reader *r, char **at, vg_error *err)
{
    const char *bad = NULL;
    double value;
    data_label l = {0};
    const char *row = *at;
    skip_comment(&row);
    *at += row - *at;
    const bool box = is_box(r, row);
    int got = next_number(&value, at, &bad);
    if (got == 0)
        return VG_OK;
    if (got < 0)
        return bad_row(r, err, not_a_number, base_where("\"%.60s\" is not a number", bad));
    vg_status st = read_class(r, &l.class_index, value, err);
    if (st == VG_OK)
        st = box ? read_box(r, &l, at, err) : read_polygon(r, &l, at, err);
    if (st == VG_OK)
        st = check_box(r, l.xywh_norm, err);
    if (st != VG_OK)
        return st;
    r->sink->labels[r->sink->n_labels++] = l;
    if (r->polygons && box && r->n_boxes++ == 0)
        r->first_box_line = r->line;
    return VG_OK;
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
    if (base_is_utf16(text, n))
        return base_fail(err, VG_ERR_FORMAT, base_where("%s:1", name), "save the file as UTF-8",
                         "a text in UTF-16");
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
    out->n_boxes_among = r.n_boxes;
    out->first_box_line = r.first_box_line;
    return VG_OK;
}
