/* args.h: what kernels are told, in the words of C and of OpenCL C, so that both sides lay it out
 * alike: a struct for each family, passed by value as the last parameter. Every set's text begins
 * with this. */
#ifndef NN_GPU_ARGS_H
#define NN_GPU_ARGS_H

#ifdef __OPENCL_C_VERSION__
typedef ulong gpu_u64;
#else
#include <stdint.h>
typedef uint64_t gpu_u64;
#endif

/* Work items of a group of a convolution and of what goes element by element. */
#define GPU_ITEMS 256
/* Of attention: a group has so many queries. */
#define GPU_QUERIES 64
/* Channels of a head's values that one group sums; keys that it holds at a time; the widest key. */
#define GPU_VALUES  32
#define GPU_KEYS    16
#define GPU_KEY_DIM 64
/* Of a convolution's sum, taken into local memory at a time. Packed weights are a multiple. */
#define GPU_DEPTH 16

/* Of inference: a step. Letters as in map.h. Places and pitches are in elements, which are floats
 * or numbers of 16 bits; a bias is of floats, and so are the heads' maps. */
typedef struct gpu_args {
    gpu_u64 dst_at, src_at, add_at; /* in the block */
    gpu_u64 weights_at, bias_at;    /* in the weights; bias_at in floats */
    int dst_pitch, src_pitch, add_pitch;
    int n, h, w, c;    /* what is written */
    int sh, sw, sc;    /* what is read */
    int k, stride;     /* of a window; a convolution's or a pool's */
    int oc_packed;     /* channels of packed weights, more than c where that is no whole tile */
    int silu, has_add; /* after the bias: z * sigmoid(z); then the residual */
    /* Of what is read, and of what is written and added: places, pitches and channels are multiples
     * of four, so four go at once; eight, of what matrix units read. */
    int is_wide, is_wide_dst;
    int is_float_dst; /* whatever elements are: what is written is floats, and dst_at counts them */
    int heads, key_dim, head_dim;
    float scale; /* attention: of a query times a key */
} gpu_args;

/* Of a letterbox: grey around the picture; the bilinear taps of a column or a row, as src/image
 * has them; and how a pixel is made: of two by two taps, of exactly four pixels, of one. */
#define GPU_PAD 114
typedef struct gpu_tap {
    int from;
    short weight[2]; /* of 2048 */
} gpu_tap;
#define GPU_TAPS   0
#define GPU_HALVES 1
#define GPU_COPIES 2

typedef struct gpu_letterbox_args {
    gpu_u64 dst_at;                     /* floats: where the input of this picture begins */
    gpu_u64 src_at, across_at, down_at; /* bytes: rows of 3 * src_w; (new_w), (new_h) taps */
    int src_w, src_h, out_w, out_h, left, top, new_w, new_h, how;
} gpu_letterbox_args;

/* The same from planes of YUV 4:2:0. Taps: (n_x) of luma's columns and (n_y) of its rows, then of
 * chroma's; n_x is new_w, or new_h where stored columns are the picture's rows. */
typedef struct gpu_planes_args {
    gpu_u64 dst_at;                    /* floats */
    gpu_u64 taps_at, y_at, u_at, v_at; /* bytes */
    int w, h, chroma_w, chroma_h, chroma_row_bytes, chroma_pitch, is_swapped;
    int out_w, out_h, left, top, new_w, new_h;
    float y_scale, offset[3], r_v, g_u, g_v, b_u;
} gpu_planes_args;

#define GPU_MOST_LEVELS  8
#define GPU_BOX_CHANNELS 64

/* Of picking: places and pitches in units of 4 bytes. */
typedef struct gpu_pick_level {
    gpu_u64 box_at, cls_at;
    int box_pitch, cls_pitch;
    int pixels, first_cell, first_group; /* of a picture */
} gpu_pick_level;
typedef struct gpu_pick_args {
    gpu_u64 first_at;  /* (n + 1) the first row of each picture */
    gpu_u64 rows_at;   /* (rows, pitch) */
    gpu_u64 counts_at; /* (n, groups) */
    gpu_pick_level levels[GPU_MOST_LEVELS];
    int n_levels, n, nc, groups, pitch;
    float floor_logit;
} gpu_pick_args;

/* ---- training ----
 * Places are in elements: x, z, y and their gradients in the block, which are floats or numbers of
 * 16 bits; and in floats: what is saved in the block, weights among the values, d_... among the
 * gradients, parts and the like in scratch. */

/* Most kernels of training: a group has so many channels side by side, and so many items for each.
 */
#define GPU_LANES 16
/* Pixels that a group takes where it goes element by element. */
#define GPU_GROUP_PIXELS 64
/* Of a head's values in attention's backward: its widest. */
#define GPU_HEAD_DIM 128

/* A map is filled with a value. */
typedef struct gpu_fill_args {
    gpu_u64 dst_at;
    int dst_pitch, c;
    int n_pixels; /* of all pictures */
    float value;
} gpu_fill_args;

/* Weights (O, I, k, k) as a matrix: rows (tap, channel of the source), a column for each channel of
 * the destination. */
typedef struct gpu_pack_args {
    gpu_u64 weight_at, packed_at;
    int c, sc;                  /* columns; channels of a tap */
    int c_stride, sc_stride;    /* of both in weight */
    int k, th, tw;              /* the window's side; taps that are taken: */
    int tap_step, tap_y, tap_x; /* tap_y + tap_step * ty */
    int c_each, is_turned; /* weights (I, c_each, 2, 2), of which a row is 4 c_each channels in the
                              order of taps (0: as above); columns are the source's then */
} gpu_pack_args;

/* A convolution, forward or for its input's gradient: a sum of taps for each pixel of a grid. Grid
 * pixel (y, x) is written to (y * out_step + out_y, ...) and reads (y * in_step + in_y + tap_sign *
 * ty, ...): the gradient of a strided convolution's input is a grid for each rest of the division.
 */
typedef struct gpu_train_conv_args {
    gpu_u64 dst_at, src_at, add_at;
    gpu_u64 weights_at; /* dense: packed, in scratch; depthwise: (O, 1, k, k) among the values */
    gpu_u64 bias_at;
    int dst_pitch, src_pitch, add_pitch;
    int n, h, w;                /* the grid */
    int dh, dw, c;              /* of dst */
    int sh, sw, sc;             /* of src */
    int out_step, out_y, out_x; /* see above */
    int in_step, in_y, in_x, tap_sign;
    int th, tw;
    int k, tap_step, tap_y, tap_x;  /* depthwise: as in gpu_pack_args */
    int has_bias, has_add, is_more; /* is_more: dst gets it added */
    int is_float_dst, is_float_src; /* whatever elements are */
    int bias_c;                     /* of as many biases: channels go round */
} gpu_train_conv_args;

/* The gradient of weights, in parts: slots of pixels, each (c, taps * sc). */
typedef struct gpu_weights_args {
    gpu_u64 dz_at, x_at, parts_at;
    int dz_pitch, x_pitch;
    int n, h, w, c; /* of dz */
    int sh, sw, sc; /* of x; depthwise: sc 1 */
    int k, stride;
    int slot_pixels;
    int is_float_dz, is_float_x; /* whatever elements are */
} gpu_weights_args;

/* Parts (n_parts, c, taps, sc) are added to a gradient (c, sc, taps), in order. */
typedef struct gpu_sums_args {
    gpu_u64 parts_at, d_at;
    int n_parts, n; /* n: of a part */
    int taps, sc;
    int c_each; /* as in gpu_pack_args: a gradient (sc, c_each, 4) */
} gpu_sums_args;

/* Batch normalisation, SiLU and the residual, both ways. */
typedef struct gpu_norm_args {
    gpu_u64 z_at, y_at, other_at; /* y: written; other: the residual, or the gradient of y */
    gpu_u64 saved_at;             /* (2, c): mean and 1 / std */
    gpu_u64 weight_at, bias_at, mean_at, var_at;
    gpu_u64 d_weight_at, d_bias_at;
    gpu_u64 parts_at; /* (chunks, 2, c) */
    gpu_u64 back_at;  /* (2, c): slope and offset of backward */
    int z_pitch, y_pitch, other_pitch;
    int n_pixels, c, chunk_pixels, n_chunks;
    int silu, has_add, wants_weight, wants_bias;
    float eps, momentum;
} gpu_norm_args;

/* Gradients of maps without weights. */
typedef struct gpu_train_map_args {
    gpu_u64 dx_at, x_at, dy_at;
    gpu_u64 winners_at; /* of a pool: each window's first largest, by its tap */
    int dx_pitch, x_pitch, dy_pitch;
    int n, h, w, c; /* of dx */
    int k;
    int is_more; /* dx gets it added */
} gpu_train_map_args;

typedef struct gpu_attention_args {
    gpu_u64 x_at, dx_at, dy_at;
    gpu_u64 stats_at; /* (heads of all pictures, pixels, 3): a query's largest score, 1 / its sum,
                         and the mean of its scores' gradients */
    int x_pitch, dx_pitch, dy_pitch;
    int pixels, heads, key_dim, head_dim;
    int is_more;
    float scale;
} gpu_attention_args;

#endif
