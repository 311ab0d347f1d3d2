/* stream.c: many small pieces, few writes. */
#include "stream.h"

#include <string.h>

void export_flush(export_stream *s)
{
    if (s->file != NULL && s->status == VG_OK && s->n_buffer > 0)
        s->status = base_file_write(s->file, s->buffer, s->n_buffer, s->err);
    s->n_buffer = 0;
}

void export_put(export_stream *s, const void *bytes, size_t n)
{
    s->n_bytes += n;
    if (s->file == NULL)
        return;
    const uint8_t *from = bytes;
    while (n > 0 && s->status == VG_OK) {
        if (s->n_buffer == EXPORT_BUFFER_BYTES)
            export_flush(s);
        const size_t room = EXPORT_BUFFER_BYTES - s->n_buffer, now = n < room ? n : room;
        memcpy(s->buffer + s->n_buffer, from, now);
        s->n_buffer += now;
        from += now;
        n -= now;
    }
}
