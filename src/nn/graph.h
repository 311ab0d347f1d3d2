/* graph.h: a graph from within: its ops and values (ops.h), parameters and rows. Internal to nn. */
#ifndef NN_GRAPH_H
#define NN_GRAPH_H

#include "nn.h"

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
    int results[NN_N_RESULTS]; /* values; NN_NO_VALUE: none */
    vg_task task;
    bool has_head;
    int n_extra, keypoints, keypoint_dims;
    nn_class_branch class_branch; /* never BY_MODEL */
    bool branch_is_expected;      /* what a YAML without `class_branch` would mean */
    const char *builtin;          /* the text it was made from, when that is a built-in one */
};

/* What the rule of nn_graph_info.gflops_fused counts of an op whose output is h x w. */
double nn_op_flops(const nn_graph *g, const nn_op *op, int h, int w);
/* The name by a file's or a family's: "yolo11n.yaml", "yolov8" (its scale is put in). */
void nn_graph_rename(nn_graph *g, const char *source);

#endif
