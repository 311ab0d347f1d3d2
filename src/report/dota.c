/* dota.c: rows that are kept, sorted twice and written. */
#include "dota.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "text_file.h"

enum { NAME_BYTES = 256 };
/* As the tool that DOTA is tiled with puts its pictures together. */
static const float MERGE_IOU = 0.3F;

typedef struct row {
    size_t order;   /* as they came */
    size_t picture; /* place of its name in names */
    int class_index;
    float score;
    float xywhr[5];
    bool is_off; /* a better one is there */
} row;

struct report_dota {
    const char *folder;
    const char *const *class_names;
    int nc;
    base_mem *mem;
    row *rows;
    size_t n_rows, most_rows;
    char *names; /* texts, each with its end */
    size_t n_names, most_names;
    bool has_tiles;
    report_text out;
};

void report_dota_destroy(report_dota **dota)
{
    report_dota *d = *dota;
    if (d == NULL)
        return;
    report_text_discard(&d->out);
    base_free(d->rows);
    base_free(d->names);
    base_free(d);
    *dota = NULL;
}

/* ---- tiles ---- */

/* Of "P0003__1__924___824" the picture's name ends at *n, and the tile begins at x, y. */
static bool read_tile(size_t *n, long *x, long *y, const char *name)
{
    const char *end = strstr(name, "__"), *at = strstr(name, "___");
    char *rest;
    if (end == NULL || at == NULL || at == name || end == name)
        return false;
    const char *first = at;
    while (first > name && isdigit((unsigned char)first[-1]))
        first--;
    if (first == at || first < end + 2 || !isdigit((unsigned char)at[3]))
        return false;
    *n = (size_t)(end - name);
    *x = strtol(first, NULL, 10);
    *y = strtol(at + 3, &rest, 10);
    return true;
}

/* ---- rows ---- */

/* Room for `more` of `size` bytes behind n; twice as much when there is none. */
static vg_status reserve(void *block, size_t *most, size_t n, size_t more, size_t size,
                         base_mem *mem, vg_error *err)
{
    void **at = block;
    if (n + more <= *most)
        return VG_OK;
    const size_t want = 2 * (n + more);
    void *larger = base_alloc_zero(mem, want, size, err);
    if (larger == NULL)
        return VG_ERR_MEMORY;
    if (n > 0)
        memcpy(larger, *at, n * size);
    base_free(*at);
    *at = larger;
    *most = want;
    return VG_OK;
}

vg_status report_dota_add(report_dota *d, const char *picture, const vg_detection *boxes,
                          const vg_rotated *rotated, size_t n, vg_error *err)
{
    char stem[NAME_BYTES];
    size_t length;
    long x, y;
    if (n == 0)
        return VG_OK;
    if (!base_path_stem(stem, sizeof stem, picture))
        return base_fail(err, VG_ERR_LIMIT, picture, "use a shorter name",
                         "a picture's name of more than %d bytes", NAME_BYTES - 1);
    for (size_t i = 0; i < n; i++)
        if (boxes[i].class_index < 0 || boxes[i].class_index >= d->nc)
            return base_fail(err, VG_ERR_ARGUMENT, picture, NULL, "class %d of %d",
                             boxes[i].class_index, d->nc);
    vg_status st = reserve(&d->rows, &d->most_rows, d->n_rows, n, sizeof *d->rows, d->mem, err);
    const size_t bytes = strlen(stem) + 1;
    if (st == VG_OK)
        st = reserve(&d->names, &d->most_names, d->n_names, bytes, 1, d->mem, err);
    if (st != VG_OK)
        return st;
    memcpy(d->names + d->n_names, stem, bytes);
    d->has_tiles |= read_tile(&length, &x, &y, stem);
    for (size_t i = 0; i < n; i++) {
        row *r = &d->rows[d->n_rows];
        *r = (row){.order = d->n_rows++,
                   .picture = d->n_names,
                   .class_index = boxes[i].class_index,
                   .score = boxes[i].confidence};
        _Static_assert(sizeof r->xywhr == sizeof *rotated, "x y w h angle");
        memcpy(r->xywhr, &rotated[i], sizeof r->xywhr);
    }
    d->n_names += bytes;
    return VG_OK;
}

/* ---- files ---- */

/* Numbers as the reference rounds them, with a point whatever the caller's locale. */
static vg_status put_row(report_dota *d, const char *name, size_t n_name, const row *r,
                         vg_error *err)
{
    char number[REPORT_NUMBER_BYTES];
    float c[8];
    detect_rotated_corners(c, r->xywhr);
    vg_status st = report_text_put(&d->out, err, "%.*s %s", (int)n_name, name,
                                   report_number_short(number, 5, (double)r->score));
    for (int k = 0; k < 8 && st == VG_OK; k++)
        st = report_text_put(&d->out, err, " %s", report_number_short(number, 3, (double)c[k]));
    return st == VG_OK ? report_text_put(&d->out, err, "\n") : st;
}

/* What a class is called in its file's name. */
static bool file_name(char name[NAME_BYTES], const char *of)
{
    if (!base_format(name, NAME_BYTES, "%s", of))
        return false;
    for (char *p = name; *p != '\0'; p++)
        *p = *p == ' ' ? '-' : *p == '/' ? '_' : *p;
    return true;
}

/* The second of two files of one name would take the first one's place. */
static vg_status check_names(const report_dota *d, vg_error *err)
{
    char a[NAME_BYTES], b[NAME_BYTES];
    for (int i = 0; i < d->nc; i++)
        for (int k = 0; k < i && file_name(a, d->class_names[i]); k++)
            if (file_name(b, d->class_names[k]) && strcmp(a, b) == 0)
                return base_fail(
                    err, VG_ERR_ARGUMENT, "save_json", "rename one of them, or leave out save_json",
                    "the boxes of classes %d and %d would both be in Task1_%s.txt", k, i, a);
    return VG_OK;
}

static vg_status begin_class(report_dota *d, const char *folder, int c, vg_error *err)
{
    char name[NAME_BYTES], path[4096];
    if (!file_name(name, d->class_names[c]) ||
        !base_format(path, sizeof path, "%s/Task1_%s.txt", folder, name))
        return base_fail(err, VG_ERR_LIMIT, folder, "use shorter names", "a path too long");
    return report_text_begin(&d->out, path, err);
}

/* Rows [first, end) are of the class; is_merged: and of whole pictures. */
static vg_status write_class(report_dota *d, const char *folder, int c, size_t first, size_t end,
                             bool is_merged, vg_error *err)
{
    vg_status st = begin_class(d, folder, c, err);
    for (size_t i = first; i < end && st == VG_OK; i++) {
        const row *r = &d->rows[i];
        const char *name = d->names + r->picture;
        size_t n_name = strlen(name);
        long x, y;
        if (r->is_off)
            continue;
        if (is_merged)
            read_tile(&n_name, &x, &y, name);
        st = put_row(d, name, n_name, r, err);
    }
    return st == VG_OK ? report_text_end(&d->out, false, err) : st;
}

static vg_status write_all(report_dota *d, const char *name, bool is_merged, vg_error *err)
{
    char folder[4096];
    size_t first = 0, end = 0;
    if (!base_format(folder, sizeof folder, "%s/%s", d->folder, name))
        return base_fail(err, VG_ERR_LIMIT, d->folder, "use shorter names", "a path too long");
    vg_status st = base_make_dirs(folder, err);
    for (int c = 0; c < d->nc && st == VG_OK; c++, first = end) {
        while (end < d->n_rows && d->rows[end].class_index == c)
            end++;
        st = write_class(d, folder, c, first, end, is_merged, err);
    }
    return st;
}

/* ---- whole pictures ---- */

static int is_before_by_class(const void *a, const void *b, void *ctx)
{
    const row *p = a, *q = b;
    (void)ctx;
    return p->class_index != q->class_index ? p->class_index < q->class_index : p->order < q->order;
}

/* Names of pictures, without what says which tile of it. */
static int compare_pictures(const report_dota *d, const row *p, const row *q)
{
    const char *a = d->names + p->picture, *b = d->names + q->picture;
    size_t n = strlen(a), m = strlen(b);
    long x, y;
    read_tile(&n, &x, &y, a);
    read_tile(&m, &x, &y, b);
    const int sign = memcmp(a, b, n < m ? n : m);
    return sign != 0 || n == m ? sign : n < m ? -1 : 1;
}

/* By class, picture, and score, best first. */
static int is_before_by_picture(const void *a, const void *b, void *ctx)
{
    const row *p = a, *q = b;
    if (p->class_index != q->class_index)
        return p->class_index < q->class_index;
    const int sign = compare_pictures(ctx, p, q);
    if (sign != 0)
        return sign < 0;
    return p->score != q->score ? p->score > q->score : p->order < q->order;
}

static void move_tiles(report_dota *d)
{
    for (size_t i = 0; i < d->n_rows; i++) {
        size_t n;
        long x, y;
        if (!read_tile(&n, &x, &y, d->names + d->rows[i].picture))
            continue;
        d->rows[i].xywhr[0] += (float)x;
        d->rows[i].xywhr[1] += (float)y;
    }
}

/* Of a box's variances no more than the larger one: of a side of n, n^2 / 12. */
static float reach(const row *r)
{
    const float w = r->xywhr[2], h = r->xywhr[3];
    return (w > h ? w * w : h * h) / 12;
}

/* The distance of the centres alone bounds probIoU: farther than this it is below MERGE_IOU. A
 * tenth is left for rounding, as in nms_rotated.c: 1.1 * 4 * -ln(1 - (1 - 0.3)^2) = 2.96. */
static bool is_near(const row *p, const row *q)
{
    const float dx = p->xywhr[0] - q->xywhr[0], dy = p->xywhr[1] - q->xywhr[1];
    return dx * dx + dy * dy <= 2.97F * (reach(p) + reach(q)) + 1e-3F;
}

/* One that is off puts others off all the same: detect_run_rotated does so, too. */
static void suppress(report_dota *d)
{
    for (size_t first = 0, end; first < d->n_rows; first = end) {
        for (end = first + 1;
             end < d->n_rows && d->rows[end].class_index == d->rows[first].class_index &&
             compare_pictures(d, &d->rows[first], &d->rows[end]) == 0;
             end++)
            for (size_t k = first; k < end && !d->rows[end].is_off; k++)
                d->rows[end].is_off =
                    is_near(&d->rows[k], &d->rows[end]) &&
                    detect_probiou_float(d->rows[k].xywhr, d->rows[end].xywhr) >= MERGE_IOU;
    }
}

vg_status report_dota_create(report_dota **out, const char *folder, const char *const *names,
                             int nc, base_mem *mem, vg_error *err)
{
    report_dota *d = *out = base_alloc_zero(mem, 1, sizeof *d, err);
    if (d == NULL)
        return VG_ERR_MEMORY;
    d->folder = folder;
    d->class_names = names;
    d->nc = nc;
    d->mem = mem;
    const vg_status st = check_names(d, err);
    if (st != VG_OK)
        report_dota_destroy(out);
    return st;
}

vg_status report_dota_commit(report_dota *d, vg_error *err)
{
    base_sort(d->rows, d->n_rows, sizeof *d->rows, is_before_by_class, NULL);
    vg_status st = write_all(d, "predictions_txt", false, err);
    if (st != VG_OK || !d->has_tiles)
        return st;
    base_sort(d->rows, d->n_rows, sizeof *d->rows, is_before_by_picture, d);
    move_tiles(d);
    suppress(d);
    return write_all(d, "predictions_merged_txt", true, err);
}
