/* sink_text.h: texts of sinks: labels, JSON, lines. */
#ifndef STREAM_SINK_TEXT_H
#define STREAM_SINK_TEXT_H

#include <stdarg.h>

#include "base/base.h"

/* A text in a block of stated size, made at open and used again from picture to picture. */
typedef struct sink_text {
    char *bytes;
    size_t length, capacity;
    /* Takes what is there where there is no room for more; NULL: then it is an error. */
    vg_status (*flush)(void *ctx, const char *bytes, size_t n, vg_error *err);
    void *flush_ctx;
} sink_text;
vg_status sink_text_open(sink_text *t, size_t capacity, base_mem *mem, vg_error *err);
void sink_text_close(sink_text *t);
/* Appends. VG_ERR_LIMIT when it does not fit. */
vg_status sink_text_add(sink_text *t, vg_error *err, const char *format, ...) VG_PRINTF(3, 4);
vg_status sink_text_vadd(sink_text *t, vg_error *err, const char *format, va_list args);
/* Appends as a JSON string with its quotes. */
vg_status sink_text_add_json(sink_text *t, const char *s, vg_error *err);
/* Flushes what is left. */
vg_status sink_text_end(sink_text *t, vg_error *err);

#endif
