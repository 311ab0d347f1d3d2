/* onnx_call.h: between onnx_run.c and onnx_run_nms.c: one node with its inputs. */
#ifndef TESTS_EXPORT_ONNX_CALL_H
#define TESTS_EXPORT_ONNX_CALL_H

#include "export/onnx_run.h"

typedef struct call {
    onnx_run *r;
    const Vigil__Onnx__NodeProto *node;
    const run_tensor *in[16];
} call;

run_tensor *call_add(onnx_run *r, const char *name, bool is_int, int n_dims, const int64_t *dims);
/* The node's first output. */
run_tensor *call_result(const call *c, bool is_int, int n_dims, const int64_t *dims);
/* NULL: not given. */
const Vigil__Onnx__AttributeProto *call_attribute(const call *c, const char *name);
int64_t call_int(const call *c, const char *name, int64_t preset);
/* Product of dims [from, to). */
size_t call_span(const run_tensor *t, int from, int to);
void call_copy(run_tensor *to, size_t at, const run_tensor *from, size_t from_at);

void run_most(const call *c);
void run_suppression(const call *c);
void run_gather_nd(const call *c);
void run_scatter_nd(const call *c);
void run_top(const call *c);

#endif
