/* onnx_file.c: fields of protobuf's wire format. */
#include "onnx_file.h"

#include <string.h>

enum { WIRE_NUMBER = 0, WIRE_BYTES = 2 };

static size_t make_varint(uint8_t out[10], uint64_t value)
{
    size_t n = 0;
    do {
        out[n++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
    return n;
}

static void put_varint(export_stream *s, uint64_t value)
{
    uint8_t bytes[10];
    export_put(s, bytes, make_varint(bytes, value));
}

void onnx_put_number(export_stream *s, int field, uint64_t value)
{
    put_varint(s, (uint64_t)field << 3 | WIRE_NUMBER);
    put_varint(s, value);
}

void onnx_put_head(export_stream *s, int field, uint64_t n)
{
    put_varint(s, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(s, n);
}

uint64_t onnx_head_bytes(int field, uint64_t n)
{
    uint8_t bytes[10];
    return make_varint(bytes, (uint64_t)field << 3 | WIRE_BYTES) + make_varint(bytes, n);
}

void onnx_put_text(export_stream *s, int field, const char *text)
{
    const size_t n = strlen(text);
    onnx_put_head(s, field, n);
    export_put(s, text, n);
}

/* protobuf-c packs through this. */
typedef struct packer {
    ProtobufCBuffer base;
    export_stream *stream;
} packer;

static void append(ProtobufCBuffer *buffer, size_t n, const uint8_t *bytes)
{
    export_put(((packer *)buffer)->stream, bytes, n);
}

void onnx_put_message(export_stream *s, int field, const ProtobufCMessage *m, uint64_t extra)
{
    packer to = {.base = {.append = append}, .stream = s};
    onnx_put_head(s, field, protobuf_c_message_get_packed_size(m) + extra);
    protobuf_c_message_pack_to_buffer(m, &to.base);
}
