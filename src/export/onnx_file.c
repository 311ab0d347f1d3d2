/* onnx_file.c: fields of protobuf's wire format. */
#include "onnx_file.h"

#include <string.h>

enum { WIRE_NUMBER = 0, WIRE_BYTES = 2 };

void onnx_flush(onnx_stream *s)
{
    if (s->file != NULL && s->status == VG_OK && s->n_buffer > 0)
        s->status = base_file_write(s->file, s->buffer, s->n_buffer, s->err);
    s->n_buffer = 0;
}

void onnx_put(onnx_stream *s, const void *bytes, size_t n)
{
    s->n_bytes += n;
    if (s->file == NULL)
        return;
    const uint8_t *from = bytes;
    while (n > 0 && s->status == VG_OK) {
        if (s->n_buffer == ONNX_BUFFER_BYTES)
            onnx_flush(s);
        const size_t room = ONNX_BUFFER_BYTES - s->n_buffer, now = n < room ? n : room;
        memcpy(s->buffer + s->n_buffer, from, now);
        s->n_buffer += now;
        from += now;
        n -= now;
    }
}

static size_t make_varint(uint8_t out[10], uint64_t value)
{
    size_t n = 0;
    do {
        out[n++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
    return n;
}

static void put_varint(onnx_stream *s, uint64_t value)
{
    uint8_t bytes[10];
    onnx_put(s, bytes, make_varint(bytes, value));
}

void onnx_put_number(onnx_stream *s, int field, uint64_t value)
{
    put_varint(s, (uint64_t)field << 3 | WIRE_NUMBER);
    put_varint(s, value);
}

void onnx_put_head(onnx_stream *s, int field, uint64_t n)
{
    put_varint(s, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(s, n);
}

uint64_t onnx_head_bytes(int field, uint64_t n)
{
    uint8_t bytes[10];
    return make_varint(bytes, (uint64_t)field << 3 | WIRE_BYTES) + make_varint(bytes, n);
}

void onnx_put_text(onnx_stream *s, int field, const char *text)
{
    const size_t n = strlen(text);
    onnx_put_head(s, field, n);
    onnx_put(s, text, n);
}

/* protobuf-c packs through this. */
typedef struct packer {
    ProtobufCBuffer base;
    onnx_stream *stream;
} packer;

static void append(ProtobufCBuffer *buffer, size_t n, const uint8_t *bytes)
{
    onnx_put(((packer *)buffer)->stream, bytes, n);
}

void onnx_put_message(onnx_stream *s, int field, const ProtobufCMessage *m, uint64_t extra)
{
    packer to = {.base = {.append = append}, .stream = s};
    onnx_put_head(s, field, protobuf_c_message_get_packed_size(m) + extra);
    protobuf_c_message_pack_to_buffer(m, &to.base);
}
