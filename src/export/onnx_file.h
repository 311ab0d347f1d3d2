/* onnx_file.h: protobuf as a stream of fields: counted first, written then. Internal to export.
 *
 * A message of the format stands behind its length, and the graph is one message with all weights
 * in it. protobuf-c packs a message that is whole in memory, so the two outermost messages and the
 * bytes of tensors are framed here, and everything small is protobuf-c's. */
#ifndef EXPORT_ONNX_FILE_H
#define EXPORT_ONNX_FILE_H

#include <protobuf-c/protobuf-c.h>

#include "stream.h"

/* A field of a number. */
void onnx_put_number(export_stream *s, int field, uint64_t value);
/* The head of a field whose n bytes follow. */
void onnx_put_head(export_stream *s, int field, uint64_t n);
uint64_t onnx_head_bytes(int field, uint64_t n);
void onnx_put_text(export_stream *s, int field, const char *text);
/* A whole message as a field; `extra` bytes of it follow, put by the caller. */
void onnx_put_message(export_stream *s, int field, const ProtobufCMessage *m, uint64_t extra);

#endif
