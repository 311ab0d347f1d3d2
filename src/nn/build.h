/* build.h: how modules add to a graph, and what a module is. Internal to nn.
 *
 * The builder remembers the first error: after it every call does nothing and returns NN_NO_VALUE,
 * so a module's build reads like the formula and only the end is checked. */
#ifndef NN_BUILD_H
#define NN_BUILD_H

#include "graph.h"

typedef struct nn_builder {
    nn_graph *graph;
    base_mem *mem;
    vg_error *err;
    vg_status status;
    const char *source; /* the YAML's name and the row's line, for errors */
    int line;
    int layer;
    bool c3k_forced;             /* scales m, l, x: spec 1.1 */
    double width, most_channels; /* of the scale */
    double bn_eps, bn_momentum;
    int keypoints, keypoint_dims; /* of a Pose head; 0: not said */
} nn_builder;

/* Records the first error. */
void nn_build_fail(nn_builder *b, vg_status status, const char *mend, const char *what, ...)
    VG_PRINTF(4, 5);

typedef struct nn_conv_args {
    int c2, k, s, g;   /* zero k, s, g: 1 */
    bool linear;       /* without SiLU */
    bool plain;        /* without BN: a bias instead (and no SiLU) */
    nn_conv_form form; /* other than plain: with `plain` alone, and k 1 */
} nn_conv_args;
/* Conv: key is the module's key in the state dict, "model.0" or "model.2.cv1". A plain one's
 * tensors are key.weight and key.bias, the others' key.conv.weight and key.bn.*. */
int nn_build_conv(nn_builder *b, const char *key, int in, nn_conv_args a);
/* The picture: 3 channels. A graph begins with it. */
int nn_build_input(nn_builder *b);
int nn_build_maxpool(nn_builder *b, int in, int k);
int nn_build_upsample(nn_builder *b, int in);
int nn_build_concat(nn_builder *b, const int *in, int n_in);
int nn_build_add(nn_builder *b, int x, int y);
int nn_build_slice(nn_builder *b, int in, int c0, int c);
/* Transposed convolution, kernel 2, stride 2, with a bias: twice the side. */
int nn_build_transposed(nn_builder *b, const char *key, int in, int c2);
int nn_build_mean(nn_builder *b, int in);
int nn_build_attention(nn_builder *b, int in, int heads, int key_dim, int head_dim);
/* extra: NN_NO_VALUE, or numbers a cell beside the others. */
void nn_build_level(nn_builder *b, int box, int cls, int extra);
void nn_build_result(nn_builder *b, nn_result which, int value);
void nn_build_dfl(nn_builder *b, const char *key);
int nn_build_channels(const nn_builder *b, int value);

/* A key with something behind it: NN_KEY(key, ".cv%d", 1). */
typedef struct nn_key {
    char text[NN_KEY_BYTES];
} nn_key;
nn_key nn_key_make(const char *prefix, const char *format, ...) VG_PRINTF(2, 3);
#define NN_KEY(prefix, ...) (nn_key_make(prefix, __VA_ARGS__).text)

/* One row of a model's YAML, resolved. */
typedef struct nn_module_args {
    const char *key; /* "model.2" */
    int n_in;
    int in[NN_MAX_INPUTS];
    int repeats;           /* after the depth factor; 1 unless the module repeats inside */
    int c2;                /* after the width factor, where the module has one */
    const base_node *args; /* the YAML list */
} nn_module_args;

typedef struct nn_module {
    const char *name, *help;
    bool scales_width;   /* its first argument is an output width */
    bool repeats_inside; /* takes repeats itself, instead of being stacked */
    bool is_head;        /* of a network for `task` */
    vg_task task;
    /* Returns the output value; NN_NO_VALUE for a head. */
    int (*build)(nn_builder *b, const nn_module_args *a);
} nn_module;

/* NULL when there is none of that name. */
const nn_module *nn_module_find(const char *name);
/* "Conv, C3k2, ..." for error messages. */
void nn_module_names(char *buf, size_t n);

/* Argument `index` of the row as a number, with a default where the row is shorter or has None. */
int nn_arg_int(nn_builder *b, const nn_module_args *a, size_t index, int fallback, int least,
               int most);
double nn_arg_real(nn_builder *b, const nn_module_args *a, size_t index, double fallback);
bool nn_arg_bool(nn_builder *b, const nn_module_args *a, size_t index, bool fallback);

/* Blocks that other modules are made of (module_c3k2.c). */
/* k: of a bottleneck's first convolution; the second is 3x3. e: the hidden share of c2. */
int nn_block_bottleneck(nn_builder *b, const char *key, int in, int c2, bool shortcut, int k,
                        double e);
/* The detection head (module_detect.c); n_extra > 0: with a third branch of so many numbers. */
void nn_block_detect(nn_builder *b, const nn_module_args *a, int n_extra);
/* n bottlenecks beside a 1x1 convolution: C3k with k 3, C3 with k 1. */
int nn_block_c3(nn_builder *b, const char *key, int in, int c2, int n, bool shortcut, int k,
                double e);

#endif
