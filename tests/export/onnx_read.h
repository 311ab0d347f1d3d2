/* onnx_read.h: an ONNX file taken apart, for tests of what is written: no Python, and none of the
 * writer's code but the messages' table of fields. */
#ifndef TESTS_EXPORT_ONNX_READ_H
#define TESTS_EXPORT_ONNX_READ_H

#include "support/test.h"

#include <onnx.pb-c.h>

#include "base/base.h"

enum { FILE_MOST_NODES = 4096, FILE_MOST_TENSORS = 4096, FILE_MOST_PAIRS = 32 };

typedef struct onnx_file {
    base_map map;
    Vigil__Onnx__NodeProto *nodes[FILE_MOST_NODES];
    Vigil__Onnx__TensorProto *tensors[FILE_MOST_TENSORS];
    Vigil__Onnx__StringStringEntryProto *pairs[FILE_MOST_PAIRS];
    Vigil__Onnx__ValueInfoProto *input, *output;
    size_t n_nodes, n_tensors, n_pairs;
    int64_t ir_version, opset;
} onnx_file;

/* Fails the test when a byte is not as the format says. */
void onnx_file_open(onnx_file *f, const char *path);
void onnx_file_close(onnx_file *f);
/* NULL: absent. */
const char *onnx_file_meta(const onnx_file *f, const char *key);
const Vigil__Onnx__TensorProto *onnx_file_tensor(const onnx_file *f, const char *name);
size_t onnx_file_count(const onnx_file *f, const char *op);

#endif
