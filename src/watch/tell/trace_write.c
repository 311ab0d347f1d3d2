/* trace_write.c: samples as rows, each sample in one write, so that a kill leaves at most a torn
 * last one, which the next writer cuts off. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace.h"

/* A row: a time of at most 24 characters, a name, a value of at most 24, or a text. */
enum { MOST_ROW_BYTES = 256, BUFFER_BYTES = MOST_ROW_BYTES * (WATCH_N_SERIES + WATCH_N_TEXTS + 1) };

static const char HEADER[] = "time_s,series,value\n";

struct watch_trace_writer {
    int fd;
    int64_t n_bytes; /* of whole samples */
    char path[4096];
    char text[WATCH_N_TEXTS][WATCH_PHRASE_BYTES]; /* as it was last written */
    char buffer[BUFFER_BYTES];
};

static vg_status put(watch_trace_writer *w, const char *bytes, size_t n, vg_error *err)
{
    for (size_t done = 0; done < n;) {
        const ssize_t k = write(w->fd, bytes + done, n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            const vg_status st =
                base_fail_errno(err, VG_ERR_IO, w->path, "make room", "cannot write the trace");
            if (ftruncate(w->fd, w->n_bytes) == 0) /* no torn sample, if it can be helped */
                lseek(w->fd, w->n_bytes, SEEK_SET);
            return st;
        }
        done += (size_t)k;
    }
    w->n_bytes += (int64_t)n;
    return VG_OK;
}

/* Where the last whole row ends; 0 for a file without a header. */
static vg_status find_end(watch_trace_writer *w, vg_error *err)
{
    char head[sizeof HEADER - 1], tail[MOST_ROW_BYTES];
    struct stat info;
    if (fstat(w->fd, &info) != 0)
        return base_fail_errno(err, VG_ERR_IO, w->path, NULL, "cannot read the trace");
    if (info.st_size == 0)
        return VG_OK;
    if (pread(w->fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
        memcmp(head, HEADER, sizeof head) != 0)
        return base_fail(err, VG_ERR_FORMAT, w->path, "give another name", "not a trace");
    const int64_t from =
        info.st_size > (int64_t)sizeof tail ? info.st_size - (int64_t)sizeof tail : 0;
    const ssize_t n = pread(w->fd, tail, sizeof tail, from);
    const char *newline = n > 0 ? memrchr(tail, '\n', (size_t)n) : NULL;
    if (newline == NULL)
        return base_fail(err, VG_ERR_FORMAT, w->path, "give another name", "not a trace");
    w->n_bytes = from + (newline - tail) + 1;
    return VG_OK;
}

vg_status watch_trace_create(watch_trace_writer **out, const char *path, base_mem *mem,
                             vg_error *err)
{
    *out = NULL;
    watch_trace_writer *w = base_alloc_zero(mem, 1, sizeof *w, err);
    if (w == NULL)
        return VG_ERR_MEMORY;
    base_format(w->path, sizeof w->path, "%s", path);
    w->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    vg_status st = w->fd >= 0
                       ? find_end(w, err)
                       : base_fail_errno(err, VG_ERR_IO, path, NULL, "cannot write the trace");
    if (st == VG_OK && (ftruncate(w->fd, w->n_bytes) != 0 || lseek(w->fd, 0, SEEK_END) < 0))
        st = base_fail_errno(err, VG_ERR_IO, path, NULL, "cannot write the trace");
    if (st == VG_OK && w->n_bytes == 0)
        st = put(w, HEADER, sizeof HEADER - 1, err);
    if (st != VG_OK) {
        if (w->fd >= 0)
            close(w->fd);
        base_free(w);
        return st;
    }
    *out = w;
    return VG_OK;
}

vg_status watch_trace_add(watch_trace_writer *w, const watch_sample *s, vg_error *err)
{
    char time[32];
    size_t n = 0;
    base_format_double(time, sizeof time, s->time_s);
    for (int i = 0; i < WATCH_N_SERIES; i++) {
        if (!isfinite(s->value[i]))
            continue;
        char value[32];
        base_format(w->buffer + n, sizeof w->buffer - n, "%s,%s,%s\n", time,
                    watch_series_get((watch_series)i)->name,
                    base_format_double(value, sizeof value, s->value[i]));
        n += strlen(w->buffer + n);
    }
    for (int i = 0; i < WATCH_N_TEXTS; i++) {
        if (s->text[i][0] == '\0' || strcmp(s->text[i], w->text[i]) == 0)
            continue;
        base_format(w->buffer + n, sizeof w->buffer - n, "%s,%s,%s\n", time,
                    watch_text_name((watch_text)i), s->text[i]);
        n += strlen(w->buffer + n);
        memcpy(w->text[i], s->text[i], sizeof w->text[i]);
    }
    return put(w, w->buffer, n, err);
}

vg_status watch_trace_finish(watch_trace_writer **writer, vg_error *err)
{
    watch_trace_writer *w = *writer;
    if (w == NULL)
        return VG_OK;
    const vg_status st = close(w->fd) == 0 ? VG_OK
                                           : base_fail_errno(err, VG_ERR_IO, w->path, "make room",
                                                             "cannot write the trace");
    base_free(w);
    *writer = NULL;
    return st;
}
