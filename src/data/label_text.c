/* label_text.c: one label file, split into lines and fields; what the rows say, label_rows.c reads.
 *
 * Whether a file's rows are boxes or polygons is known when all of them have been counted, so the
 * text is split twice: once to count fields, once to read them. Duplicates are found by sorting;
 * the order changes only when there are some.
 *
 * What editors and spreadsheets leave in a file means nothing: a byte order mark, blanks of
 * Unicode, lines that begin with #. UTF-16 is refused by its mark. */
#include <math.h>
#include <string.h>

#include "kind.h"

enum { MOST_BOX_FILE_FIELDS = 6 /* more: a file of polygons */ };
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

static vg_status reserve(label_sink *s, size_t n_labels, size_t n_points, size_t point_floats,
                         base_mem *mem, vg_error *err)
{
    void *labels = s->labels, *points = s->points;
    vg_status st =
        grow(&labels, &s->most_labels, s->n_labels, n_labels, sizeof *s->labels, mem, err);
    s->labels = labels;
    if (st == VG_OK)
        st = grow(&points, &s->most_points, s->n_points, n_points, point_floats * sizeof *s->points,
                  mem, err);
    s->points = points;
    return st;
}

vg_status label_sink_add(label_sink *s, const data_label *l, base_mem *mem, vg_error *err)
{
    vg_status st = reserve(s, 1, 0, 2, mem, err);
    if (st == VG_OK)
        s->labels[s->n_labels++] = *l;
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

size_t label_skip_field(const char **at)
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
        while (label_skip_field(&p) > 0)
            n_fields++;
        c.n_rows += n_fields > 0;
        c.n_fields += n_fields;
        c.most_fields = n_fields > c.most_fields ? n_fields : c.most_fields;
    }
    return c;
}

int label_next_number(double *out, char **at, const char **bad)
{
    const char *end = *at;
    size_t length = label_skip_field(&end);
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

vg_status label_bad_row(const label_reader *r, vg_error *err, const char *mend, const char *what)
{
    return base_fail(err, VG_ERR_FORMAT, base_where("%s:%d", r->name, r->line), mend, "%s", what);
}

vg_status label_bad_number(const label_reader *r, vg_error *err, const char *text)
{
    return label_bad_row(r, err,
                         "separate numbers by blanks, and write a point as the decimal mark",
                         base_where("\"%.60s\" is not a number", text));
}

static vg_status read_class(const label_reader *r, int32_t *out, double value, vg_error *err)
{
    if (value != floor(value) || value < 0)
        return label_bad_row(r, err, "number classes from 0",
                             base_where("%g where a class number is wanted", value));
    const int nc = r->form->nc;
    if (value >= nc)
        return label_bad_row(
            r, err, "number classes from 0, or correct nc and names in the dataset's file",
            base_where("class %g in a dataset of %d classes (0..%d)", value, nc, nc - 1));
    *out = (int32_t)value;
    return VG_OK;
}

/* One line; *at comes to stand on its end. */
static vg_status read_row(label_reader *r, char **at, vg_error *err)
{
    const char *bad = NULL;
    double value;
    data_label l = {0};
    const char *row = *at;
    skip_comment(&row);
    *at += row - *at;
    int got = label_next_number(&value, at, &bad);
    if (got == 0)
        return VG_OK;
    if (got < 0)
        return label_bad_number(r, err, bad);
    vg_status st = read_class(r, &l.class_index, value, err);
    if (st == VG_OK)
        st = r->form->kind->read_row(r, &l, at, row, err);
    if (st == VG_OK)
        r->sink->labels[r->sink->n_labels++] = l;
    return st;
}

/* ---- duplicates ---- */

/* Equal outlines do not make rows equal or unequal, their bounds do; keypoints count. */
static int compare_rows(const data_label *a, const data_label *b, const float *keypoints)
{
    if (a->class_index != b->class_index)
        return a->class_index < b->class_index ? -1 : 1;
    for (int i = 0; i < 4; i++)
        if (a->xywh_norm[i] != b->xywh_norm[i])
            return a->xywh_norm[i] < b->xywh_norm[i] ? -1 : 1;
    if (!keypoints)
        return 0;
    const float *p = keypoints + 3 * a->first_point, *q = keypoints + 3 * b->first_point;
    for (size_t i = 0; i < 3 * (size_t)a->n_points; i++)
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    return 0;
}

/* Equal rows stand in the order of the file: the first one stays, with its polygon. */
static int row_before(const void *a, const void *b, void *ctx)
{
    const data_label *const *x = a, *const *y = b;
    int order = compare_rows(*x, *y, ctx);
    return order != 0 ? order < 0 : *x < *y;
}

/* Of the rows from `first` on. Sorted as pointers, which need room behind the rows: taken as
 * labels, which are larger. */
static vg_status remove_duplicates(label_sink *s, size_t first, size_t *n_removed,
                                   const label_form *form, base_mem *mem, vg_error *err)
{
    size_t n = s->n_labels - first, n_kept = 0;
    *n_removed = 0;
    if (n < 2)
        return VG_OK;
    vg_status st = reserve(s, 2 * n, 0, label_form_floats(form), mem, err);
    if (st != VG_OK)
        return st;
    data_label *rows = s->labels + first, *kept = rows + n;
    const data_label **sorted = (const data_label **)(void *)(rows + 2 * n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &rows[i];
    float *keypoints = form->n_keypoints > 0 ? s->points : NULL;
    base_sort(sorted, n, sizeof *sorted, row_before, keypoints);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare_rows(sorted[i - 1], sorted[i], keypoints) != 0)
            kept[n_kept++] = *sorted[i];
    *n_removed = n - n_kept;
    if (n_kept < n) {
        memcpy(rows, kept, n_kept * sizeof *rows);
        s->n_labels = first + n_kept;
    }
    return VG_OK;
}

/* The most points that a text of so many rows and numbers may hold. */
static size_t most_points(const counts *c, const label_form *form, bool polygons)
{
    if (form->n_keypoints > 0)
        return c->n_fields / (size_t)form->keypoint_dims;
    /* One more: an odd coordinate is written before it is refused. */
    return polygons ? c->n_fields / 2 + 1 : 0;
}

vg_status label_text_parse(label_sink *sink, label_text_result *out, char *text, size_t n,
                           const label_form *form, const char *name, base_mem *mem, vg_error *err)
{
    *out = (label_text_result){0};
    if (base_is_utf16(text, n))
        return base_fail(err, VG_ERR_FORMAT, base_where("%s:1", name), "save the file as UTF-8",
                         "a text in UTF-16");
    counts c = count_fields(text, n);
    bool polygons = form->kind->knows_polygons && c.most_fields > MOST_BOX_FILE_FIELDS;
    if (c.n_rows > MOST_ROWS || c.n_fields / 2 > MOST_POINTS)
        return base_fail(err, VG_ERR_LIMIT, name, "check that it is a label file",
                         "%zu rows, %zu numbers: too many for one picture", c.n_rows, c.n_fields);
    vg_status st =
        reserve(sink, c.n_rows, most_points(&c, form, polygons), label_form_floats(form), mem, err);
    size_t first_label = sink->n_labels, first_point = sink->n_points;
    label_reader r = {.sink = sink, .name = name, .form = form, .line = 1, .polygons = polygons};
    for (char *p = text; p < text + n && st == VG_OK; p++) {
        st = read_row(&r, &p, err);
        r.line += *p == '\n' || (*p == '\r' && p[1] != '\n');
    }
    if (st == VG_OK)
        st = remove_duplicates(sink, first_label, &out->n_duplicates, form, mem, err);
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
