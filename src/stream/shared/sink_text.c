/* sink_text.c: bounded, made once. */
#include "sink_text.h"

#include <stdarg.h>
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

vg_status sink_text_add(sink_text *t, vg_error *err, const char *format, ...)
{
    size_t room = t->capacity - t->length;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->bytes + t->length, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room)
        return full(t, err);
    t->length += (size_t)n;
    return VG_OK;
}

vg_status sink_text_add_json(sink_text *t, const char *s, vg_error *err)
{
    vg_status st = sink_text_add(t, err, "\"");
    if (st != VG_OK)
        return st;
    size_t room = t->capacity - t->length;
    size_t n = base_json_escape(t->bytes + t->length, room, s);
    if (n >= room)
        return full(t, err);
    t->length += n;
    return sink_text_add(t, err, "\"");
}
