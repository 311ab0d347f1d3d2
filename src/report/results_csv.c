/* results_csv.c: the rows of results.csv, written whole or not at all and read back.
 *
 * The file's length after the last whole row is known at all times; what a failed write left behind
 * it is cut off again. Memory: the object, and the file's text while it is read. */
#include "results_csv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "number.h"

enum {
    MOST_ROW_BYTES = 512, /* 23 values of at most 13 characters, and an int */
    MOST_FILE_BYTES = 64 << 20
};

struct report_csv {
    int fd;
    bool sync;
    int last_epoch;
    int64_t n_bytes; /* of whole rows */
    report_columns columns;
    char header[REPORT_HEADER_BYTES];
    char path[4096];
};

/* ---- a row and its text ---- */

static size_t format_row(char *row, const report_columns *c, const vg_train_epoch *e)
{
    base_format(row, MOST_ROW_BYTES, "%d", e->epoch);
    size_t n = strlen(row);
    for (int i = 0; i < c->n; i++) {
        char number[REPORT_NUMBER_BYTES];
        const double v = report_column_get(&c->at[i], e);
        report_number_g(number, 6, c->at[i].is_rounded ? report_round(v, 5) : v);
        bool fits =
            base_format(row + n, MOST_ROW_BYTES - n, ",%s%s", number, i + 1 == c->n ? "\n" : "");
        assert(fits);
        n += strlen(row + n);
    }
    return n;
}

/* A field's number: also nan and inf, which the parser of configurations does not take. */
static bool parse_value(double *out, const char *text)
{
    if (strcmp(text, "nan") == 0)
        *out = NAN;
    else if (strcmp(text, "inf") == 0)
        *out = INFINITY;
    else if (strcmp(text, "-inf") == 0)
        *out = -INFINITY;
    else
        return base_parse_double(out, text);
    return true;
}

/* The row in line[0..n); false when it is none. */
static bool parse_row(vg_train_epoch *out, const report_columns *c, const char *line, size_t n)
{
    char copy[MOST_ROW_BYTES];
    if (n >= sizeof copy || memchr(line, 0, n) != NULL)
        return false;
    memcpy(copy, line, n);
    copy[n] = '\0';
    if (n > 0 && copy[n - 1] == '\r')
        copy[n - 1] = '\0';
    char *field = copy;
    for (int i = 0; i <= c->n; i++) {
        char *comma = strchr(field, ',');
        if ((comma == NULL) != (i == c->n))
            return false;
        if (comma != NULL)
            *comma = '\0';
        int64_t epoch;
        double value;
        if (i == 0 && base_parse_i64(&epoch, field, 1, INT32_MAX))
            out->epoch = (int)epoch;
        else if (i > 0 && parse_value(&value, field))
            report_column_set(&c->at[i - 1], out, value);
        else
            return false;
        field = comma != NULL ? comma + 1 : field;
    }
    out->n_losses = c->n_losses;
    return true;
}

/* ---- a file's text ---- */

/* Called with each whole row and the offset behind it; false stops. */
typedef bool (*row_function)(void *ctx, const vg_train_epoch *e, size_t end);

/* columns: of the file, known or (wants_own false) read from its first line. */
static vg_status walk(report_columns *columns, bool wants_own, const char *text, size_t n,
                      const char *path, row_function f, void *ctx, vg_error *err)
{
    const char *first_end = memchr(text, '\n', n);
    char own[REPORT_HEADER_BYTES];
    size_t at = first_end != NULL ? (size_t)(first_end - text) + 1 : n;
    if (wants_own)
        report_columns_header(own, columns);
    if (first_end == NULL || (wants_own ? at != strlen(own) || memcmp(text, own, at) != 0
                                        : !report_columns_parse(columns, text, at - 1)))
        return base_fail(err, VG_ERR_FORMAT, base_where("%s:1", path),
                         "move the file away, or choose another run folder",
                         wants_own ? "not the columns of such a training's results.csv"
                                   : "not the columns of a results.csv");
    int last = 0;
    for (size_t line = 2; at < n; line++) {
        const char *end = memchr(text + at, '\n', n - at);
        if (end == NULL)
            return VG_OK; /* cut short by a crash */
        vg_train_epoch e = {.epoch = 0};
        size_t length = (size_t)(end - (text + at));
        if (!parse_row(&e, columns, text + at, length))
            return base_fail(err, VG_ERR_FORMAT, base_where("%s:%zu", path, line),
                             "remove the line, or move the file away",
                             "not a row of %d numbers with the epoch first", columns->n + 1);
        if (e.epoch <= last)
            return base_fail(err, VG_ERR_FORMAT, base_where("%s:%zu", path, line),
                             "remove the line, or move the file away", "epoch %d after epoch %d",
                             e.epoch, last);
        last = e.epoch;
        at += length + 1;
        if (!f(ctx, &e, at))
            return VG_OK;
    }
    return VG_OK;
}

/* ---- writing ---- */

static vg_status write_whole(report_csv *c, const char *text, size_t n, vg_error *err)
{
    ssize_t wrote;
    do
        wrote = pwrite(c->fd, text, n, c->n_bytes);
    while (wrote < 0 && errno == EINTR);
    if (wrote == (ssize_t)n && (!c->sync || fdatasync(c->fd) == 0)) {
        c->n_bytes += (int64_t)n;
        return VG_OK;
    }
    if (wrote >= 0 && wrote < (ssize_t)n)
        errno = ENOSPC; /* a short write to a file means just that; the next would say so */
    vg_status st = base_fail_errno(err, VG_ERR_IO, c->path,
                                   errno == ENOSPC || errno == EDQUOT ? "free some disk space"
                                                                      : "check the disk",
                                   "cannot add a row of %zu bytes", n);
    if (ftruncate(c->fd, c->n_bytes) != 0) {
        /* Then half a row stays until the next append writes over it, or the next open cuts it. */
    }
    return st;
}

typedef struct cut {
    int last_epoch; /* wanted */
    int epoch;      /* found */
    size_t end;
} cut;

static bool find_cut(void *ctx, const vg_train_epoch *e, size_t end)
{
    cut *k = ctx;
    if (e->epoch > k->last_epoch)
        return false;
    k->epoch = e->epoch;
    k->end = end;
    return true;
}

/* Cuts the file behind the row of last_epoch; *is_new when there was no file, or none of a row. */
static vg_status take_up(report_csv *c, bool *is_new, int last_epoch, base_mem *mem, vg_error *err)
{
    char *text = NULL;
    size_t n = 0;
    *is_new = !base_path_exists(c->path);
    if (*is_new)
        return VG_OK;
    vg_status st = base_file_read(&text, &n, c->path, MOST_FILE_BYTES, mem, err);
    if (st != VG_OK)
        return st;
    /* A crash between making the file and its first line. */
    *is_new = n < strlen(c->header) && memcmp(text, c->header, n) == 0;
    if (!*is_new) {
        cut k = {.last_epoch = last_epoch, .end = strlen(c->header)};
        st = walk(&c->columns, true, text, n, c->path, find_cut, &k, err);
        c->n_bytes = (int64_t)k.end;
        c->last_epoch = k.epoch;
    }
    base_free(text);
    return st;
}

vg_status report_csv_open(report_csv **out, const char *path, const report_names *names,
                          int last_epoch, bool sync, base_mem *mem, vg_error *err)
{
    *out = NULL;
    report_csv *c = base_alloc_zero(mem, 1, sizeof *c, err);
    if (c == NULL)
        return VG_ERR_MEMORY;
    c->fd = -1;
    c->sync = sync;
    report_columns_make(&c->columns, names);
    report_columns_header(c->header, &c->columns);
    vg_status st = VG_OK;
    bool is_new = true;
    if (!base_format(c->path, sizeof c->path, "%s", path))
        st = base_fail(err, VG_ERR_LIMIT, path, "use a shorter path",
                       "a path of %zu bytes, too long for a file", strlen(path));
    if (st == VG_OK && last_epoch > 0)
        st = take_up(c, &is_new, last_epoch, mem, err);
    if (st != VG_OK)
        goto done;
    c->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (c->fd < 0 || ftruncate(c->fd, c->n_bytes) != 0) {
        st = base_fail_errno(err, VG_ERR_IO, path, "check the folder and its permissions",
                             "cannot open the file for writing");
        goto done;
    }
    if (is_new)
        st = write_whole(c, c->header, strlen(c->header), err);
done:
    if (st != VG_OK)
        report_csv_close(&c);
    *out = c;
    return st;
}

size_t report_csv_bytes(void)
{
    return sizeof(report_csv);
}

vg_status report_csv_append(report_csv *c, const vg_train_epoch *e, vg_error *err)
{
    if (e->epoch <= c->last_epoch)
        return base_fail(err, VG_ERR_ARGUMENT, c->path, NULL, "epoch %d after epoch %d", e->epoch,
                         c->last_epoch);
    char row[MOST_ROW_BYTES];
    size_t n = format_row(row, &c->columns, e);
    vg_status st = write_whole(c, row, n, err);
    if (st == VG_OK)
        c->last_epoch = e->epoch;
    return st;
}

void report_csv_close(report_csv **csv)
{
    report_csv *c = *csv;
    if (c == NULL)
        return;
    if (c->fd >= 0)
        close(c->fd);
    base_free(c);
    *csv = NULL;
}

/* ---- reading ---- */

typedef struct rows {
    vg_train_epoch *items; /* NULL while counting */
    size_t n;
} rows;

static bool take_row(void *ctx, const vg_train_epoch *e, size_t end)
{
    (void)end;
    rows *r = ctx;
    if (r->items != NULL)
        r->items[r->n] = *e;
    r->n++;
    return true;
}

vg_status report_csv_read(vg_train_epoch **out, size_t *n_rows, report_columns *columns,
                          const char *path, base_mem *mem, vg_error *err)
{
    report_columns own, *c = columns != NULL ? columns : &own;
    char *text = NULL;
    size_t n = 0;
    *out = NULL;
    *n_rows = 0;
    vg_status st = base_file_read(&text, &n, path, MOST_FILE_BYTES, mem, err);
    if (st != VG_OK)
        return st;
    rows r = {0};
    st = walk(c, false, text, n, path, take_row, &r, err);
    if (st != VG_OK)
        goto done;
    r.items = base_alloc_zero(mem, r.n, sizeof *r.items, err);
    if (r.items == NULL) {
        st = VG_ERR_MEMORY;
        goto done;
    }
    r.n = 0;
    st = walk(c, false, text, n, path, take_row, &r, err);
    assert(st == VG_OK); /* the same bytes again */
    *out = r.items;
    *n_rows = r.n;
done:
    base_free(text);
    return st;
}
