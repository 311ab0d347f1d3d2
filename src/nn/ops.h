/* ops.h: the network as values and primitive ops, in execution order. Part of nn.h: whoever writes
 * a network down in another format walks it so.
 *
 * A value is a feature map of which only the channels are known; rows and columns come with a plan.
 * A slice is a value that lives inside another (its parent), from channel c0 on. Ops are unfused
 * here: a residual add is an op, a concat is an op; the plan fuses and aliases (plan.c). */
#ifndef NN_OPS_H
#define NN_OPS_H

enum {
    NN_MAX_OPS = 8192,
    NN_MAX_INPUTS = 16, /* of a concat, or a head's levels' rows */
    NN_MAX_CHANNELS = 65536,
    NN_MAX_STRIDE = 65536, /* input pixels a cell, along a side: as many as a side may have */
    NN_NO_VALUE = -1
};

typedef enum nn_op_kind {
    NN_CONV,
    NN_MAXPOOL,
    NN_UPSAMPLE,
    NN_CONCAT,
    NN_ADD,
    NN_ATTENTION,
    NN_SHUFFLE, /* channels to pixels: out[2y + dy, 2x + dx, o] = in[y, x, (2 dy + dx) c + o] */
    NN_MEAN     /* over all pixels: a map of one */
} nn_op_kind;

/* How a convolution's parameters lie in a state dict. */
typedef enum nn_conv_form {
    NN_FORM_PLAIN,      /* weight (oc, ic/groups, k, k), bias (oc) */
    NN_FORM_LINEAR,     /* weight (oc, ic), bias (oc): a matrix, of which k 1 is the same numbers */
    NN_FORM_TRANSPOSED, /* weight (ic, c, 2, 2), bias (c), oc = 4 c: the 1x1 half of a transposed
                           convolution, whose NN_SHUFFLE follows; channel t c + o is tap t = 2 dy +
                           dx of o */
} nn_conv_form;

typedef struct nn_conv_spec {
    int ic, oc, k, stride, groups;
    bool bn, silu;        /* bn: then there is no bias of its own */
    double eps, momentum; /* BN's: spec 1.4, and 1.4 of the tasks */
    nn_conv_form form;
    size_t first_param; /* its parameters in a row: weight, then BN's four or the bias */
} nn_conv_spec;

typedef struct nn_op {
    nn_op_kind kind;
    int layer;
    int n_in;
    int in[NN_MAX_INPUTS];
    int out;
    nn_conv_spec conv;            /* NN_CONV */
    int k;                        /* NN_MAXPOOL */
    int heads, key_dim, head_dim; /* NN_ATTENTION */
    char key[NN_KEY_BYTES];       /* NN_CONV: "model.0" */
} nn_op;

typedef struct nn_value {
    int c;
    int parent, c0; /* slice; parent NN_NO_VALUE: its own */
    int down;       /* input pixels a cell, times NN_DOWN_ONE */
} nn_value;
enum { NN_DOWN_ONE = 64 };

typedef struct nn_level {
    int box, cls, extra; /* values; extra NN_NO_VALUE: none */
    int stride;
} nn_level;

/* In execution order; what op names is made by an op before it. Borrowed from the graph. */
size_t nn_graph_n_ops(const nn_graph *g);
const nn_op *nn_graph_op(const nn_graph *g, size_t index);
/* The input is value 0. */
size_t nn_graph_n_values(const nn_graph *g);
const nn_value *nn_graph_value(const nn_graph *g, int index);
int nn_graph_n_levels(const nn_graph *g);
const nn_level *nn_graph_level(const nn_graph *g, int index);
/* The value, or NN_NO_VALUE. */
int nn_graph_result(const nn_graph *g, nn_result which);

size_t nn_conv_weight_elements(const nn_conv_spec *c);
/* weight (O, I/groups, k, k), whatever the form, and bias (O) of a convolution op, read from w and
 * folded. scratch: 4 * oc floats. A file that is fused already (conv.bias, no bn.*) is taken as it
 * is. Errors: VG_ERR_FORMAT naming the tensor that is missing, of another shape, or not finite. */
vg_status nn_fold(float *weight, float *bias, const nn_graph *g, const nn_op *op,
                  const weights_file *w, float *scratch, vg_error *err);

#endif
