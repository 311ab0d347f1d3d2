/* zip_write.c: local header, data, what follows them; the table of contents at the end. */
#include "zip_write.h"

#include <string.h>

#include <zlib.h>

enum { LOCAL_BYTES = 30, TABLE_BYTES = 46, END_BYTES = 22, FOLLOW_BYTES = 16 };
enum { VERSION = 20, FLAGS = 0x0808 /* lengths follow; names are UTF-8 */, ALIGN = 64 };
/* 1980-01-01, the first day that a zip knows: files do not differ by when they were made. */
enum { FIRST_DAY = 0x21 };

static void set16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void set32(uint8_t *p, uint32_t value)
{
    set16(p, value);
    set16(p + 2, value >> 16);
}

static void fail(zip_writer *z, const char *what)
{
    if (z->stream.status == VG_OK)
        z->stream.status =
            base_fail(z->stream.err, VG_ERR_LIMIT, z->path, "export to onnx", "%s", what);
}

void zip_begin(zip_writer *z, const char *name)
{
    static const uint8_t zeros[ALIGN] = {0};
    uint8_t h[LOCAL_BYTES] = {'P', 'K', 3, 4};
    const size_t n_name = strlen(name);
    if (z->n_entries == z->most || z->stream.n_bytes > UINT32_MAX) {
        fail(z, z->n_entries == z->most ? "more tensors than were planned for"
                                        : "a checkpoint of 4 GB, more than its zip holds");
        return;
    }
    zip_written *e = &z->entries[z->n_entries++];
    *e = (zip_written){.crc = (uint32_t)crc32(0, NULL, 0), .begin = (uint32_t)z->stream.n_bytes};
    base_format(e->name, sizeof e->name, "%s", name);
    const size_t at = z->stream.n_bytes + LOCAL_BYTES + n_name + 4,
                 n_pad = (ALIGN - at % ALIGN) % ALIGN;
    set16(h + 4, VERSION);
    set16(h + 6, FLAGS);
    set16(h + 12, FIRST_DAY);
    set16(h + 26, (uint32_t)n_name);
    set16(h + 28, (uint32_t)(4 + n_pad));
    export_put(&z->stream, h, sizeof h);
    export_put(&z->stream, name, n_name);
    uint8_t extra[4] = {'F', 'B'}; /* padding, as PyTorch's own writer calls it */
    set16(extra + 2, (uint32_t)n_pad);
    export_put(&z->stream, extra, sizeof extra);
    export_put(&z->stream, zeros, n_pad);
}

void zip_put(zip_writer *z, const void *bytes, size_t n)
{
    if (z->stream.status != VG_OK)
        return;
    zip_written *e = &z->entries[z->n_entries - 1];
    if (n > UINT32_MAX - e->n_bytes) {
        fail(z, "a tensor of 4 GB");
        return;
    }
    e->crc = (uint32_t)crc32_z(e->crc, bytes, n);
    e->n_bytes += (uint32_t)n;
    export_put(&z->stream, bytes, n);
}

void zip_end(zip_writer *z)
{
    uint8_t f[FOLLOW_BYTES] = {'P', 'K', 7, 8};
    if (z->stream.status != VG_OK)
        return;
    const zip_written *e = &z->entries[z->n_entries - 1];
    set32(f + 4, e->crc);
    set32(f + 8, e->n_bytes);
    set32(f + 12, e->n_bytes);
    export_put(&z->stream, f, sizeof f);
}

void zip_finish(zip_writer *z)
{
    const uint64_t at = z->stream.n_bytes;
    for (size_t i = 0; i < z->n_entries && z->stream.status == VG_OK; i++) {
        const zip_written *e = &z->entries[i];
        uint8_t h[TABLE_BYTES] = {'P', 'K', 1, 2};
        set16(h + 4, VERSION);
        set16(h + 6, VERSION);
        set16(h + 8, FLAGS);
        set16(h + 14, FIRST_DAY);
        set32(h + 16, e->crc);
        set32(h + 20, e->n_bytes);
        set32(h + 24, e->n_bytes);
        set16(h + 28, (uint32_t)strlen(e->name));
        set32(h + 42, e->begin);
        export_put(&z->stream, h, sizeof h);
        export_put(&z->stream, e->name, strlen(e->name));
    }
    if (z->stream.n_bytes > UINT32_MAX || z->n_entries >= UINT16_MAX)
        fail(z, "a checkpoint of 4 GB, more than its zip holds");
    uint8_t end[END_BYTES] = {'P', 'K', 5, 6};
    set16(end + 8, (uint32_t)z->n_entries);
    set16(end + 10, (uint32_t)z->n_entries);
    set32(end + 12, (uint32_t)(z->stream.n_bytes - at));
    set32(end + 16, (uint32_t)at);
    export_put(&z->stream, end, sizeof end);
    export_flush(&z->stream);
}
