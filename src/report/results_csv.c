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

static const char HEADER[] =
    "epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,metrics/precision(B),"
    "metrics/recall(B),metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,val/cls_loss,"
    "val/dfl_loss,lr/pg0,lr/pg1,lr/pg2\n";

enum {
    N_COLUMNS = 15,
    N_VALUES = N_COLUMNS - 1, /* all but the epoch */
    MOST_ROW_BYTES = 512,     /* 14 values of at most 13 characters, and an int */
    MOST_FILE_BYTES = 64 << 20
};

struct report_csv {
    int fd;
    bool sync;
    int last_epoch;
    int64_t n_bytes; /* of whole rows */
    char path[4096];
};

/* ---- a row and its text ---- */

static void values_of(double *v, const vg_train_epoch *e)
{
    const double all[N_VALUES] = {
        e->seconds,     e->train_loss[0], e->train_loss[1], e->train_loss[2], e->precision,
        e->recall,      e->map50,         e->map,           e->val_loss[0],   e->val_loss[1],
        e->val_loss[2], e->lr[0],         e->lr[1],         e->lr[2]};
    memcpy(v, all, sizeof all);
}

static void set_values(vg_train_epoch *e, const double *v)
{
    e->seconds = v[0];
    memcpy(e->train_loss, v + 1, sizeof e->train_loss);
    e->precision = v[4];
    e->recall = v[5];
    e->map50 = v[6];
    e->map = v[7];
    memcpy(e->val_loss, v + 8, sizeof e->val_loss);
    memcpy(e->lr, v + 11, sizeof e->lr);
}

static size_t format_row(char *row, const vg_train_epoch *e)
{
    double v[N_VALUES];
    values_of(v, e);
    base_format(row, MOST_ROW_BYTES, "%d", e->epoch);
    size_t n = strlen(row);
    for (size_t i = 0; i < N_VALUES; i++) {
        char number[REPORT_NUMBER_BYTES];
        bool is_rounded = i >= 1 && i <= 10; /* losses and metrics, not the time and the rates */
        report_number_g(number, 6, is_rounded ? report_round(v[i], 5) : v[i]);
        bool fits = base_format(row + n, MOST_ROW_BYTES - n, ",%s%s", number,
                                i + 1 == N_VALUES ? "\n" : "");
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
static bool parse_row(vg_train_epoch *out, const char *line, size_t n)
{
    char copy[MOST_ROW_BYTES];
    if (n >= sizeof copy || memchr(line, 0, n) != NULL)
        return false;
    memcpy(copy, line, n);
    copy[n] = '\0';
    if (n > 0 && copy[n - 1] == '\r')
        copy[n - 1] = '\0';
    double v[N_VALUES];
    char *field = copy;
    for (size_t i = 0; i < N_COLUMNS; i++) {
        char *comma = strchr(field, ',');
        if ((comma == NULL) != (i + 1 == N_COLUMNS))
            return false;
        if (comma != NULL)
            *comma = '\0';
        int64_t epoch;
        if (i == 0 && base_parse_i64(&epoch, field, 1, INT32_MAX))
            out->epoch = (int)epoch;
        else if (i == 0 || !parse_value(&v[i - 1], field))
            return false;
        field = comma != NULL ? comma + 1 : field;
    }
    set_values(out, v);
    return true;
}

/* ---- a file's text ---- */

/* Called with each whole row and the offset behind it; false stops. */
typedef bool (*row_function)(void *ctx, const vg_train_epoch *e, size_t end);

static vg_status walk(const char *text, size_t n, const char *path, row_function f, void *ctx,
                      vg_error *err)
{
    size_t header_bytes = strlen(HEADER), at = header_bytes;
    if (n < header_bytes || memcmp(text, HEADER, header_bytes) != 0)
        return base_fail(err, VG_ERR_FORMAT, base_where("%s:1", path),
                         "move the file away, or choose another run folder",
                         "not the columns of a results.csv");
    int last = 0;
    for (size_t line = 2; at < n; line++) {
        const char *end = memchr(text + at, '\n', n - at);
        if (end == NULL)
            return VG_OK; /* cut short by a crash */
        vg_train_epoch e = {.epoch = 0};
        size_t length = (size_t)(end - (text + at));
        if (!parse_row(&e, text + at, length))
            return base_fail(err, VG_ERR_FORMAT, base_where("%s:%zu", path, line),
                             "remove the line, or move the file away",
                             "not a row of %d numbers with the epoch first", N_COLUMNS);
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
    *is_new = n < strlen(HEADER) && memcmp(text, HEADER, n) == 0;
    if (!*is_new) {
        cut k = {.last_epoch = last_epoch, .end = strlen(HEADER)};
        st = walk(text, n, c->path, find_cut, &k, err);
        c->n_bytes = (int64_t)k.end;
        c->last_epoch = k.epoch;
    }
    base_free(text);
    return st;
}

vg_status report_csv_open(report_csv **out, const char *path, int last_epoch, bool sync,
                          base_mem *mem, vg_error *err)
{
    *out = NULL;
    report_csv *c = base_alloc_zero(mem, 1, sizeof *c, err);
    if (c == NULL)
        return VG_ERR_MEMORY;
    c->fd = -1;
    c->sync = sync;
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
        st = write_whole(c, HEADER, strlen(HEADER), err);
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
    size_t n = format_row(row, e);
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

vg_status report_csv_read(vg_train_epoch **out, size_t *n_rows, const char *path, base_mem *mem,
                          vg_error *err)
{
    char *text = NULL;
    size_t n = 0;
    *out = NULL;
    *n_rows = 0;
    vg_status st = base_file_read(&text, &n, path, MOST_FILE_BYTES, mem, err);
    if (st != VG_OK)
        return st;
    rows r = {0};
    st = walk(text, n, path, take_row, &r, err);
    if (st != VG_OK)
        goto done;
    r.items = base_alloc_zero(mem, r.n, sizeof *r.items, err);
    if (r.items == NULL) {
        st = VG_ERR_MEMORY;
        goto done;
    }
    r.n = 0;
    st = walk(text, n, path, take_row, &r, err);
    assert(st == VG_OK); /* the same bytes again */
    *out = r.items;
    *n_rows = r.n;
done:
    base_free(text);
    return st;
}
