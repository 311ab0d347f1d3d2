/* text_file.c: a buffer before a temporary file. */
#include "text_file.h"

#include <stdarg.h>
#include <stdio.h>

vg_status report_text_begin(report_text *t, const char *path, vg_error *err)
{
    report_text_discard(t);
    if (!base_format(t->path, sizeof t->path, "%s", path))
        return base_fail(err, VG_ERR_LIMIT, path, "use a shorter path",
                         "a path too long for a file");
    const vg_status st = base_file_create_beside(&t->file, path, err);
    t->is_open = st == VG_OK;
    t->n_waiting = 0;
    return st;
}

static vg_status drain(report_text *t, vg_error *err)
{
    const size_t n = t->n_waiting;
    t->n_waiting = 0;
    return n > 0 ? base_file_write(&t->file, t->buffer, n, err) : VG_OK;
}

vg_status report_text_put(void *text, vg_error *err, const char *format, ...)
{
    report_text *t = text;
    for (;;) {
        const size_t room = sizeof t->buffer - t->n_waiting;
        va_list args;
        va_start(args, format);
        const int n = vsnprintf(t->buffer + t->n_waiting, room, format, args);
        va_end(args);
        if (n >= 0 && (size_t)n < room) {
            t->n_waiting += (size_t)n;
            return VG_OK;
        }
        if (n < 0 || t->n_waiting == 0)
            return base_fail(err, VG_ERR_LIMIT, t->path, NULL, "a piece of text of %d bytes", n);
        const vg_status st = drain(t, err);
        if (st != VG_OK)
            return st;
    }
}

vg_status report_text_end(report_text *t, bool is_lasting, vg_error *err)
{
    vg_status st = drain(t, err);
    if (st == VG_OK)
        st = (is_lasting ? base_file_commit : base_file_publish)(&t->file, t->path, err);
    report_text_discard(t);
    return st;
}

void report_text_discard(report_text *t)
{
    if (t->is_open)
        base_file_discard(&t->file);
    t->is_open = false;
}
