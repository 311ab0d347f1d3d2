/* trace_read.c: rows of a trace into samples, a buffer of one size at a time.
 *
 * A row belongs to the sample of its moment; the first row of the next moment waits in the reader.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "trace.h"

enum { BUFFER_BYTES = 1 << 16, MOST_ROW_BYTES = 256, MOST_PATH_BYTES = 4096 };

static const char HEADER[] = "time_s,series,value";

struct watch_trace_reader {
    int fd;
    size_t at, n_bytes; /* in buffer */
    size_t line;        /* of the row in hand, from 1 */
    size_t n_unknown;
    bool is_begun, has_row; /* the row in hand is the next sample's first */
    double time_s, value;
    watch_series series;
    watch_text text; /* WATCH_N_TEXTS: it is a number */
    char words[WATCH_PHRASE_BYTES];
    char path[MOST_PATH_BYTES];
    char row[MOST_ROW_BYTES];
    char buffer[BUFFER_BYTES];
};

vg_status watch_trace_open(watch_trace_reader **out, const char *path, base_mem *mem, vg_error *err)
{
    *out = NULL;
    const bool is_stdin = strcmp(path, "-") == 0;
    watch_trace_reader *r = base_alloc_zero(mem, 1, sizeof *r, err);
    if (r == NULL)
        return VG_ERR_MEMORY;
    base_format(r->path, sizeof r->path, "%s", is_stdin ? "standard input" : path);
    r->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0) {
        base_free(r);
        return base_fail_errno(err, VG_ERR_IO, path, "give a trace that vigil watch --record wrote",
                               "cannot open the trace");
    }
    *out = r;
    return VG_OK;
}

void watch_trace_close(watch_trace_reader **reader)
{
    watch_trace_reader *r = *reader;
    if (r == NULL)
        return;
    if (r->fd != STDIN_FILENO)
        close(r->fd);
    base_free(r);
    *reader = NULL;
}

size_t watch_trace_n_unknown(const watch_trace_reader *r)
{
    return r->n_unknown;
}

/* ---- lines ---- */

static vg_status fill(watch_trace_reader *r, vg_error *err)
{
    ssize_t n;
    do
        n = read(r->fd, r->buffer, sizeof r->buffer);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return base_fail_errno(err, VG_ERR_IO, r->path, NULL, "cannot read the trace");
    r->at = 0;
    r->n_bytes = (size_t)n;
    return VG_OK;
}

/* The next line without its end into row; *end: there is none. */
static vg_status next_line(watch_trace_reader *r, bool *end, vg_error *err)
{
    size_t n = 0;
    bool is_whole = false;
    *end = false;
    while (!is_whole) {
        if (r->at == r->n_bytes) {
            const vg_status st = fill(r, err);
            if (st != VG_OK)
                return st;
            if (r->n_bytes == 0)
                break;
        }
        const char *from = r->buffer + r->at, *newline = memchr(from, '\n', r->n_bytes - r->at);
        const size_t k = newline != NULL ? (size_t)(newline - from) : r->n_bytes - r->at;
        if (n + k >= sizeof r->row)
            return base_fail(err, VG_ERR_FORMAT, base_where("%.400s:%zu", r->path, r->line + 1),
                             base_mend("a row is \"%s\"", HEADER), "a row of over %d bytes",
                             MOST_ROW_BYTES - 1);
        memcpy(r->row + n, from, k);
        n += k;
        r->at += k + (newline != NULL);
        is_whole = newline != NULL;
    }
    if (n == 0 && !is_whole) {
        *end = true;
        return VG_OK;
    }
    n -= n > 0 && r->row[n - 1] == '\r';
    r->row[n] = '\0';
    r->line++;
    if (strlen(r->row) != n)
        return base_fail(err, VG_ERR_FORMAT, base_where("%.400s:%zu", r->path, r->line), NULL,
                         "a zero byte in a trace");
    return VG_OK;
}

/* ---- rows ---- */

static vg_status bad_row(const watch_trace_reader *r, int field, const char *what, const char *text,
                         vg_error *err)
{
    return base_fail(
        err, VG_ERR_FORMAT, base_where("%.400s:%zu, field %d", r->path, r->line, field),
        base_mend("a row is \"%s\", times rise", HEADER), "%s: \"%.100s\"", what, text);
}

static vg_status check_header(watch_trace_reader *r, vg_error *err)
{
    bool end;
    const vg_status st = next_line(r, &end, err);
    if (st != VG_OK)
        return st;
    static const char mark[] = "\xef\xbb\xbf"; /* what some editors begin a text with */
    const char *text = end ? "" : r->row + (base_starts_with(r->row, mark) ? 3 : 0);
    if (strcmp(text, HEADER) != 0)
        return base_fail(err, VG_ERR_FORMAT, base_where("%.400s:1", r->path),
                         base_mend("the first line is \"%s\"", HEADER), "no trace: \"%.100s\"",
                         text);
    r->is_begun = true;
    return VG_OK;
}

/* A number as programs write it; "nan", "inf" and nothing are no reading. */
static bool parse_value(double *out, const char *text)
{
    static const char *const nothing[] = {"", "nan", "+nan", "-nan", "inf", "+inf"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        if (base_equal_nocase(text, nothing[i])) {
            *out = NAN;
            return true;
        }
    return base_parse_double(out, text) && isfinite(*out);
}

static vg_status parse_row(watch_trace_reader *r, vg_error *err)
{
    char *name = strchr(r->row, ','), *value = name != NULL ? strchr(name + 1, ',') : NULL;
    if (value == NULL)
        return bad_row(r, 1, "not three fields", r->row, err);
    *name++ = *value++ = '\0';
    double time_s;
    if (!base_parse_double(&time_s, r->row) || !isfinite(time_s))
        return bad_row(r, 1, "no time in seconds", r->row, err);
    if (r->has_row && time_s < r->time_s)
        return bad_row(r, 1, "time goes back", r->row, err);
    r->text = watch_text_find(name);
    if (r->text < WATCH_N_TEXTS)
        base_line_escape(r->words, sizeof r->words, value); /* a foreign trace may hold anything */
    else if (!parse_value(&r->value, value))
        return bad_row(r, 3, "no number", value, err);
    r->time_s = time_s;
    r->series = watch_series_find(name);
    r->n_unknown += r->series == WATCH_NONE && r->text == WATCH_N_TEXTS;
    return VG_OK;
}

/* Row after row; blank lines mean nothing. */
static vg_status next_row(watch_trace_reader *r, bool *end, vg_error *err)
{
    do {
        const vg_status st = next_line(r, end, err);
        if (st != VG_OK || *end)
            return st;
    } while (r->row[0] == '\0');
    return parse_row(r, err);
}

vg_status watch_trace_next(watch_trace_reader *r, watch_sample *out, bool *end, vg_error *err)
{
    *end = false;
    vg_status st = r->is_begun ? VG_OK : check_header(r, err);
    if (st == VG_OK && !r->has_row) {
        st = next_row(r, end, err);
        r->has_row = st == VG_OK && !*end;
    }
    if (st != VG_OK || *end)
        return st;
    watch_sample_clear(out, r->time_s);
    while (r->has_row && r->time_s == out->time_s) {
        if (r->series != WATCH_NONE)
            out->value[r->series] = r->value;
        else if (r->text < WATCH_N_TEXTS)
            memcpy(out->text[r->text], r->words, sizeof r->words);
        bool is_last;
        st = next_row(r, &is_last, err);
        if (st != VG_OK)
            return st;
        r->has_row = !is_last;
    }
    return VG_OK;
}
