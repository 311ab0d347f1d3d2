/* onnx_build.h: how the graph's parts are said: nodes, constants, weights. Internal to export.
 *
 * The same code runs three times: to count bytes, to write nodes, to write tensors. A node's only
 * output has the node's own name, so values go from call to call as names. After the first error
 * every call does nothing. */
#ifndef EXPORT_ONNX_BUILD_H
#define EXPORT_ONNX_BUILD_H

#include "export.h"
#include "onnx_file.h"

typedef struct onnx_name {
    char text[NN_KEY_BYTES + 40];
} onnx_name;

/* ONNX's numbers of element types. */
typedef enum onnx_type { ONNX_FLOAT = 1, ONNX_INT64 = 7, ONNX_FLOAT16 = 10 } onnx_type;

typedef enum onnx_pass { ONNX_COUNT, ONNX_NODES, ONNX_TENSORS } onnx_pass;

typedef struct onnx_build {
    export_stream stream;
    onnx_pass pass;
    const nn_graph *g;
    const weights_file *w;
    const export_onnx_options *o;
    int n_nodes, n_constants; /* so far: they number the names */
    onnx_name *values;        /* (values of the graph) "" while not made */
    float *weight, *bias;     /* of the largest convolution; bias: five times its channels */
    vg_error *err;
} onnx_build;

/* A node's attribute. */
typedef struct onnx_attribute {
    const char *name;
    enum { ONNX_INT, ONNX_INTS, ONNX_TEXT } kind;
    int64_t i;
    const char *text;
    size_t n;
    int64_t ints[4];
} onnx_attribute;

enum { ONNX_MOST_INPUTS = NN_MAX_INPUTS, ONNX_MOST_ATTRIBUTES = 6 };

typedef struct onnx_node {
    const char *scope, *op; /* the name is SCOPE/OP.N */
    int n_in;
    const char *in[ONNX_MOST_INPUTS]; /* "": left out */
    int n_attributes;
    onnx_attribute attributes[ONNX_MOST_ATTRIBUTES];
    const char *output; /* NULL: the node's name */
    const char *second; /* a second output; NULL: none */
} onnx_node;
onnx_name onnx_add(onnx_build *b, const onnx_node *n);

/* The most frequent kinds of nodes. */
onnx_name onnx_add_1(onnx_build *b, const char *scope, const char *op, const char *x);
onnx_name onnx_add_2(onnx_build *b, const char *scope, const char *op, const char *x,
                     const char *y);
onnx_name onnx_reshape(onnx_build *b, const char *scope, const char *x, int n,
                       const int64_t *shape);
/* [begin, end) of an axis. */
onnx_name onnx_slice(onnx_build *b, const char *scope, const char *x, int axis, int64_t begin,
                     int64_t end);
onnx_name onnx_transpose(onnx_build *b, const char *scope, const char *x, int n,
                         const int64_t *order);
onnx_name onnx_concat(onnx_build *b, const char *scope, const onnx_name *x, int n, int axis);
onnx_name onnx_cast(onnx_build *b, const char *scope, const char *x, onnx_type to);

/* Constants. n_dims 0: a scalar; 1: (n). */
onnx_name onnx_int64s(onnx_build *b, int n_dims, const int64_t *values, int n);
onnx_name onnx_int64(onnx_build *b, int64_t value);
onnx_name onnx_float(onnx_build *b, int n_dims, const int64_t *dims, float value, onnx_type type);
/* Floats that a function makes, element by element, so that they need no memory. name NULL: the
 * next constant's. */
typedef float (*onnx_element)(const onnx_build *b, size_t index);
onnx_name onnx_floats(onnx_build *b, const char *name, int n_dims, const int64_t *dims,
                      onnx_element element, onnx_type type);
/* A tensor of floats in memory. */
void onnx_tensor(onnx_build *b, const char *name, int n_dims, const int64_t *dims,
                 const float *values, onnx_type type);

/* The element type of the network's maps. */
onnx_type onnx_map_type(const onnx_build *b);
/* Rows and columns of a value in a file of fixed shape. */
void onnx_map_size(const onnx_build *b, int value, int64_t *h, int64_t *w);
/* What a shape's batch entry is: 0 copies the input's in a dynamic file. */
int64_t onnx_batch(const onnx_build *b);

/* onnx_net.c: the operations up to the head's raw maps. */
void onnx_net(onnx_build *b);
onnx_name onnx_value(onnx_build *b, int value);
/* onnx_head.c: boxes and scores, or a classifier's probabilities; the names of the graph's outputs,
 * of which the second is that of prototypes. */
void onnx_head(onnx_build *b, const char *output, const char *second);
/* onnx_nms.c: boxes (B, 4, A) as corners, scores (B, nc, A). */
void onnx_nms(onnx_build *b, const char *boxes, const char *scores, const char *output);
/* Cells of all levels in a file of fixed shape. */
int64_t onnx_n_cells(const onnx_build *b);

#endif
