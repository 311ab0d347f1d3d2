/* graph.h: the network as values and primitive ops, in execution order. Internal to nn.
 *
 * A value is a feature map of which only the channels are known; rows and columns come with a plan.
 * A slice is a value that lives inside another (its parent), from channel c0 on. Ops are unfused
 * here: a residual add is an op, a concat is an op; the plan fuses and aliases (plan.c). */
#ifndef NN_GRAPH_H
#define NN_GRAPH_H

#include "nn.h"

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
    NN_ATTENTION
} nn_op_kind;

typedef struct nn_conv_spec {
    int ic, oc, k, stride, groups;
    bool bn, silu;      /* bn: then there is no bias of its own */
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
    int box, cls; /* values */
    int stride;
} nn_level;

typedef struct nn_layer {
    int out; /* value; NN_NO_VALUE for a head */
    int repeats;
    char from[48], module[24], args[64];
} nn_layer;

struct nn_graph {
    char name[32], scale[8];
    int nc;
    int input; /* value 0 */
    nn_op *ops;
    size_t n_ops, ops_capacity;
    nn_value *values;
    size_t n_values, values_capacity;
    nn_param *params;
    size_t n_params, params_capacity;
    nn_layer *layers;
    size_t n_layers, layers_capacity;
    nn_level levels[NN_MAX_LEVELS];
    int n_levels;
};

#endif
