/* sink_text.c: bounded, made once. */
#include "sink_text.h"

#include <string.h>

vg_status sink_text_open(sink_text *t, size_t capacity, base_mem *mem, vg_error *err)
{
    *t = (sink_text){.bytes = base_alloc_zero(mem, capacity, 1, err), .capacity = capacity};
    return t->bytes ? VG_OK : VG_ERR_MEMORY;
}

void sink_text_close(sink_text *t)
{
    base_free(t->bytes);
    *t = (sink_text){0};
}

static vg_status full(const sink_text *t, vg_error *err)
{
    return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "a text of more than %zu bytes for one picture",
                     t->capacity);
}

/* Room for more by a flush; false: there is none to be had. */
static bool can_flush(const sink_text *t)
{
    return t->flush != NULL && t->length > 0;
}

vg_status sink_text_end(sink_text *t, vg_error *err)
{
    const vg_status st = t->flush != NULL && t->length > 0
                             ? t->flush(t->flush_ctx, t->bytes, t->length, err)
                             : VG_OK;
    if (t->flush != NULL)
        t->length = 0;
    return st;
}

vg_status sink_text_vadd(sink_text *t, vg_error *err, const char *format, va_list args)
{
    for (;;) {
        const size_t room = t->capacity - t->length;
        va_list again;
        va_copy(again, args);
        const int n = vsnprintf(t->bytes + t->length, room, format, again);
        va_end(again);
        if (n >= 0 && (size_t)n < room) {
            t->length += (size_t)n;
            return VG_OK;
        }
        if (n < 0 || !can_flush(t))
            return full(t, err);
        const vg_status st = sink_text_end(t, err);
        if (st != VG_OK)
            return st;
    }
}

vg_status sink_text_add(sink_text *t, vg_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const vg_status st = sink_text_vadd(t, err, format, args);
    va_end(args);
    return st;
}

vg_status sink_text_add_json(sink_text *t, const char *s, vg_error *err)
{
    vg_status st = sink_text_add(t, err, "\"");
    while (st == VG_OK) {
        const size_t room = t->capacity - t->length;
        const size_t n = base_json_escape(t->bytes + t->length, room, s);
        if (n < room) {
            t->length += n;
            return sink_text_add(t, err, "\"");
        }
        if (!can_flush(t))
            return full(t, err);
        st = sink_text_end(t, err);
    }
    return st;
}
