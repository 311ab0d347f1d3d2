/* train_conv.c: a convolution with its batch normalisation as launches, both ways.
 *
 * Forward: weights as a matrix, the plain output z, its statistics, what the next step reads.
 * Backward: z becomes its gradient, from which those of the weights and of the input come. Where
 * the stride is 2, an input's pixel hears only from taps of its own row's and column's parity: the
 * gradient is four convolutions, each of some of the taps, and none multiplies by zeros.
 * Scratch holds one of these at a time. */
#include "train_steps.h"

enum {
    LEAST_CHUNK = 256, /* pixels: of a part of a sum */
    MOST_CHUNKS = 512,
    WEIGHT_GROUPS = 1024, /* groups that share the gradient of weights, where pixels allow */
    WEIGHT_COLUMNS = 64   /* of a tile of it */
};

static const nn_map *plain_output(const nn_train_step *s)
{
    return &s->map[s->spec.conv->bn ? NN_Z : NN_DST];
}

static size_t round_up_to(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* Pixels of a part where a group sums 16 channels: the shape's alone. */
static size_t chunk_of(size_t pixels)
{
    const size_t chunk = round_up_to(gpu_groups(pixels, MOST_CHUNKS), GPU_LANES);
    return chunk < LEAST_CHUNK ? LEAST_CHUNK : chunk;
}

static size_t n_chunks_of(const nn_map *m)
{
    return gpu_groups(gpu_pixels(m), chunk_of(gpu_pixels(m)));
}

static bool is_depthwise(const nn_conv_spec *c)
{
    return c->groups > 1;
}

/* Channels of a transposed one's tensors, which are a quarter of the matrix's; 0 of others. */
static int each_of(const nn_conv_spec *c)
{
    return c->form == NN_FORM_TRANSPOSED ? c->oc / 4 : 0;
}

/* Of the weights as a matrix: (tap, input channel). */
static size_t depth_of(const nn_conv_spec *c)
{
    return (size_t)(c->k * c->k) * (size_t)(is_depthwise(c) ? 1 : c->ic);
}

/* ---- batch normalisation ---- */

static gpu_norm_args norm_args(const nn_train_step *s, const nn_train_wants *wants)
{
    const nn_map *z = &s->map[NN_Z];
    const nn_train_role other = wants ? NN_D_DST : NN_SRC2;
    const size_t n_chunks = n_chunks_of(z);
    return (gpu_norm_args){.z_at = gpu_elements(s, NN_Z),
                           .y_at = gpu_elements(s, NN_DST),
                           .other_at = gpu_elements(s, other),
                           .saved_at = gpu_floats(s->at[NN_SAVED]),
                           .weight_at = gpu_floats(s->value_at.bn_weight),
                           .bias_at = gpu_floats(s->value_at.bn_bias),
                           .mean_at = gpu_floats(s->value_at.mean),
                           .var_at = gpu_floats(s->value_at.var),
                           .d_weight_at = gpu_floats(s->grad_at.bn_weight),
                           .d_bias_at = gpu_floats(s->grad_at.bn_bias),
                           .back_at = n_chunks * 2 * (size_t)z->c,
                           .z_pitch = (int)z->pitch,
                           .y_pitch = (int)s->map[NN_DST].pitch,
                           .other_pitch = (int)s->map[other].pitch,
                           .n_pixels = (int)gpu_pixels(z),
                           .c = z->c,
                           .chunk_pixels = (int)chunk_of(gpu_pixels(z)),
                           .n_chunks = (int)n_chunks,
                           .silu = s->spec.conv->silu,
                           .has_add = !wants && s->spec.src2 != NN_NO_VALUE,
                           .wants_weight = wants && wants->bn_weight,
                           .wants_bias = wants && wants->bn_bias,
                           .eps = (float)s->spec.conv->eps,
                           .momentum = (float)s->spec.conv->momentum};
}

/* Sums by chunks, their merging, and a pass over all pixels. */
static vg_status run_norm(const gpu_train_on *on, const gpu_norm_args *a, gpu_kernel sums,
                          gpu_kernel merge, gpu_kernel pass, vg_error *err)
{
    const size_t channels = gpu_groups((size_t)a->c, GPU_LANES);
    vg_status st = gpu_train_launch(on, sums, (size_t)a->n_chunks, channels, 1, a, sizeof *a, err);
    if (st == VG_OK)
        st = gpu_train_launch(on, merge, 1, channels, 1, a, sizeof *a, err);
    if (st == VG_OK)
        st = gpu_train_launch(on, pass, gpu_groups((size_t)a->n_pixels, GPU_GROUP_PIXELS), channels,
                              1, a, sizeof *a, err);
    return st;
}

/* ---- the product ---- */

/* Which taps of the window a launch takes, along one side. */
typedef struct taps {
    int n, first, step;
} taps;

/* The weights' matrix for these taps, at the begin of scratch. turned: the source is dz. */
static vg_status pack(const gpu_train_on *on, const nn_train_step *s, taps y, taps x, bool turned,
                      vg_error *err)
{
    const nn_conv_spec *c = s->spec.conv;
    const int window = c->k * c->k;
    const gpu_pack_args a = {.weight_at = gpu_floats(s->value_at.weight),
                             .c = turned ? c->ic : c->oc,
                             .sc = turned ? c->oc : c->ic,
                             .c_stride = turned ? window : c->ic * window,
                             .sc_stride = turned ? c->ic * window : window,
                             .k = c->k,
                             .th = y.n,
                             .tw = x.n,
                             .tap_step = y.step,
                             .tap_y = y.first,
                             .tap_x = x.first,
                             .c_each = each_of(c),
                             .is_turned = turned};
    const size_t n = (size_t)y.n * (size_t)x.n * (size_t)c->ic * (size_t)c->oc;
    return n == 0 ? VG_OK
                  : gpu_train_launch(on, GPU_train_pack, gpu_groups(n, GPU_ITEMS), 1, 1, &a,
                                     sizeof a, err);
}

static vg_status multiply(const gpu_train_on *on, const nn_train_step *s, gpu_train_conv_args *a,
                          vg_error *err)
{
    static const struct {
        gpu_kernel kernel;
        size_t pixels, channels;
    } tiles[] = {{GPU_train_conv_256x16, 256, 16},
                 {GPU_train_conv_128x32, 128, 32},
                 {GPU_train_conv_64x64, 64, 64},
                 {GPU_train_conv_128x64, 128, 64}};
    const size_t pixels = (size_t)a->n * (size_t)a->h * (size_t)a->w, c = (size_t)a->c;
    if (is_depthwise(s->spec.conv)) {
        a->weights_at = gpu_floats(s->value_at.weight);
        return gpu_train_launch(on, GPU_train_conv_depthwise, gpu_groups(pixels, GPU_GROUP_PIXELS),
                                gpu_groups(c, GPU_LANES), 1, a, sizeof *a, err);
    }
    /* The largest tile asks for enough of them to go round; a sum is the same in any. */
    const int t = c <= 16 ? 0 : c <= 32 ? 1 : pixels * c < (size_t)256 * 128 * 64 ? 2 : 3;
    return gpu_train_launch(on, tiles[t].kernel, gpu_groups(pixels, tiles[t].pixels),
                            gpu_groups(c, tiles[t].channels), 1, a, sizeof *a, err);
}

static vg_status convolve(const gpu_train_on *on, const nn_train_step *s, vg_error *err)
{
    const nn_conv_spec *c = s->spec.conv;
    const nn_train_role role = c->bn ? NN_Z : NN_DST;
    const nn_map *dst = &s->map[role], *src = &s->map[NN_SRC];
    const bool has_add = !c->bn && s->spec.src2 != NN_NO_VALUE;
    const taps all = {c->k, 0, 1};
    gpu_train_conv_args a = {.dst_at = gpu_elements(s, role),
                             .src_at = gpu_elements(s, NN_SRC),
                             .add_at = has_add ? gpu_elements(s, NN_SRC2) : 0,
                             .bias_at = c->bn ? 0 : gpu_floats(s->value_at.bias),
                             .dst_pitch = (int)dst->pitch,
                             .src_pitch = (int)src->pitch,
                             .add_pitch = (int)s->map[NN_SRC2].pitch,
                             .n = dst->n,
                             .h = dst->h,
                             .w = dst->w,
                             .dh = dst->h,
                             .dw = dst->w,
                             .c = c->oc,
                             .sh = src->h,
                             .sw = src->w,
                             .sc = c->ic,
                             .out_step = 1,
                             .in_step = c->stride,
                             .in_y = -((c->k - 1) / 2),
                             .in_x = -((c->k - 1) / 2),
                             .tap_sign = 1,
                             .th = c->k,
                             .tw = c->k,
                             .k = c->k,
                             .tap_step = 1,
                             .has_bias = !c->bn,
                             .bias_c = each_of(c) > 0 ? each_of(c) : c->oc,
                             .has_add = has_add,
                             .is_float_dst = !s->is_half[role],
                             .is_float_src = !s->is_half[NN_SRC]};
    vg_status st = is_depthwise(c) ? VG_OK : pack(on, s, all, all, false, err);
    return st == VG_OK ? multiply(on, s, &a, err) : st;
}

vg_status gpu_train_conv_forward(const gpu_train_on *on, const nn_train_step *s, vg_error *err)
{
    vg_status st = convolve(on, s, err);
    if (st != VG_OK || !s->spec.conv->bn)
        return st;
    const gpu_norm_args a = norm_args(s, NULL);
    return run_norm(on, &a, GPU_train_moments, GPU_train_moments_merge, GPU_train_norm, err);
}

/* ---- the input's gradient ---- */

/* Pixels of rest `rest` along a side: with y = stride * g + rest, the window's tap ky reads dz at
 * (y + pad - ky) / stride, where that divides. */
static taps taps_of(const nn_conv_spec *c, int rest)
{
    const int first = (rest + (c->k - 1) / 2) % c->stride;
    return (taps){.n = first < c->k ? (c->k - first + c->stride - 1) / c->stride : 0,
                  .first = first,
                  .step = c->stride};
}

static vg_status input_gradient_of(const gpu_train_on *on, const nn_train_step *s,
                                   nn_train_role dz_role, int rest_y, int rest_x, vg_error *err)
{
    const nn_conv_spec *c = s->spec.conv;
    const nn_map *dx = &s->map[NN_D_SRC], *dz = &s->map[dz_role];
    const taps y = taps_of(c, rest_y), x = taps_of(c, rest_x);
    const int pad = (c->k - 1) / 2;
    gpu_train_conv_args a = {.dst_at = gpu_elements(s, NN_D_SRC),
                             .src_at = gpu_elements(s, dz_role),
                             .dst_pitch = (int)dx->pitch,
                             .src_pitch = (int)dz->pitch,
                             .n = dx->n,
                             .h = (dx->h - rest_y + c->stride - 1) / c->stride,
                             .w = (dx->w - rest_x + c->stride - 1) / c->stride,
                             .dh = dx->h,
                             .dw = dx->w,
                             .c = c->ic,
                             .sh = dz->h,
                             .sw = dz->w,
                             .sc = c->oc,
                             .out_step = c->stride,
                             .out_y = rest_y,
                             .out_x = rest_x,
                             .in_step = 1,
                             .in_y = (rest_y + pad - y.first) / c->stride,
                             .in_x = (rest_x + pad - x.first) / c->stride,
                             .tap_sign = -1,
                             .th = y.n,
                             .tw = x.n,
                             .k = c->k,
                             .tap_step = c->stride,
                             .tap_y = y.first,
                             .tap_x = x.first,
                             .is_more = s->src_adds,
                             .is_float_dst = !s->is_half[NN_D_SRC],
                             .is_float_src = !s->is_half[dz_role]};
    const bool has_taps = y.n > 0 && x.n > 0;
    if (a.h <= 0 || a.w <= 0 || (!has_taps && s->src_adds))
        return VG_OK;
    vg_status st = is_depthwise(c) ? VG_OK : pack(on, s, y, x, true, err);
    return st == VG_OK ? multiply(on, s, &a, err) : st;
}

static vg_status input_gradient(const gpu_train_on *on, const nn_train_step *s,
                                nn_train_role dz_role, vg_error *err)
{
    const int stride = s->spec.conv->stride;
    vg_status st = VG_OK;
    for (int i = 0; i < stride * stride && st == VG_OK; i++)
        st = input_gradient_of(on, s, dz_role, i / stride, i % stride, err);
    return st;
}

/* ---- gradients of weights ---- */

static vg_status add_sums(const gpu_train_on *on, size_t d_at, size_t n_parts, size_t c,
                          size_t n_taps, size_t sc, int c_each, vg_error *err)
{
    const gpu_sums_args a = {.d_at = gpu_floats(d_at),
                             .n_parts = (int)n_parts,
                             .n = (int)(c * n_taps * sc),
                             .taps = (int)n_taps,
                             .sc = (int)sc,
                             .c_each = c_each};
    return gpu_train_launch(on, GPU_train_sums_add, gpu_groups((size_t)a.n, GPU_LANES), 1, 1, &a,
                            sizeof a, err);
}

static gpu_weights_args weights_args(const nn_train_step *s, nn_train_role dz_role)
{
    const nn_conv_spec *c = s->spec.conv;
    const nn_map *dz = &s->map[dz_role], *x = &s->map[NN_SRC];
    return (gpu_weights_args){.dz_at = gpu_elements(s, dz_role),
                              .x_at = gpu_elements(s, NN_SRC),
                              .dz_pitch = (int)dz->pitch,
                              .x_pitch = (int)x->pitch,
                              .n = dz->n,
                              .h = dz->h,
                              .w = dz->w,
                              .c = c->oc,
                              .sh = x->h,
                              .sw = x->w,
                              .sc = is_depthwise(c) ? 1 : c->ic,
                              .k = c->k,
                              .stride = c->stride,
                              .is_float_dz = !s->is_half[dz_role],
                              .is_float_x = !s->is_half[NN_SRC]};
}

/* A tile's output channels. */
static size_t weight_rows(const nn_conv_spec *c)
{
    return c->oc <= 16 ? 16 : c->oc <= 32 ? 32 : 64;
}

/* Pixels of a slot: as many slots as there must be for WEIGHT_GROUPS groups, none too small to be
 * worth its sums. */
static size_t slot_of(const nn_conv_spec *c, size_t pixels)
{
    const size_t n_tiles =
        gpu_groups((size_t)c->oc, weight_rows(c)) * gpu_groups(depth_of(c), WEIGHT_COLUMNS);
    const size_t n_slots = gpu_groups(WEIGHT_GROUPS, n_tiles);
    const size_t slot = round_up_to(gpu_groups(pixels, n_slots), GPU_DEPTH);
    return slot < LEAST_CHUNK ? LEAST_CHUNK : slot;
}

static vg_status weight_gradient(const gpu_train_on *on, const nn_train_step *s,
                                 nn_train_role dz_role, vg_error *err)
{
    const nn_conv_spec *c = s->spec.conv;
    const size_t pixels = gpu_pixels(&s->map[dz_role]), oc = (size_t)c->oc,
                 window = (size_t)(c->k * c->k);
    gpu_weights_args a = weights_args(s, dz_role);
    size_t n_slots;
    vg_status st;
    if (is_depthwise(c)) {
        a.slot_pixels = (int)chunk_of(pixels);
        n_slots = gpu_groups(pixels, chunk_of(pixels));
        st = gpu_train_launch(on, GPU_train_weights_depthwise, n_slots, gpu_groups(oc, GPU_LANES),
                              window, &a, sizeof a, err);
    } else {
        const gpu_kernel kernel = c->oc <= 16   ? GPU_train_weights_16
                                  : c->oc <= 32 ? GPU_train_weights_32
                                                : GPU_train_weights_64;
        a.slot_pixels = (int)slot_of(c, pixels);
        n_slots = gpu_groups(pixels, (size_t)a.slot_pixels);
        st = gpu_train_launch(on, kernel, gpu_groups(depth_of(c), WEIGHT_COLUMNS),
                              gpu_groups(oc, weight_rows(c)), n_slots, &a, sizeof a, err);
    }
    return st == VG_OK
               ? add_sums(on, s->grad_at.weight, n_slots, oc, window, (size_t)a.sc, each_of(c), err)
               : st;
}

static vg_status bias_gradient(const gpu_train_on *on, const nn_train_step *s, vg_error *err)
{
    const size_t pixels = gpu_pixels(&s->map[NN_D_DST]), oc = (size_t)s->spec.conv->oc,
                 n_chunks = gpu_groups(pixels, chunk_of(pixels));
    gpu_weights_args a = weights_args(s, NN_D_DST);
    a.slot_pixels = (int)chunk_of(pixels);
    vg_status st = gpu_train_launch(on, GPU_train_bias_sums, n_chunks, gpu_groups(oc, GPU_LANES), 1,
                                    &a, sizeof a, err);
    /* A transposed one's bias is that of four channels, a part's four quarters parts of their own.
     */
    const size_t quarters = each_of(s->spec.conv) > 0 ? 4 : 1;
    return st == VG_OK
               ? add_sums(on, s->grad_at.bias, n_chunks * quarters, oc / quarters, 1, 1, 0, err)
               : st;
}

vg_status gpu_train_conv_backward(const gpu_train_on *on, const nn_train_step *s,
                                  const nn_train_wants *wants, vg_error *err)
{
    const nn_train_role dz = s->spec.conv->bn ? NN_Z : NN_D_DST;
    vg_status st = VG_OK;
    if (wants->src2)
        st = gpu_train_give(on, s, NN_D_SRC2, NN_D_DST, s->src2_adds, err);
    if (!wants->own)
        return st;
    if (st == VG_OK && s->spec.conv->bn) {
        const gpu_norm_args a = norm_args(s, wants);
        st = run_norm(on, &a, GPU_train_norm_sums, GPU_train_norm_merge, GPU_train_norm_back, err);
    } else if (st == VG_OK && wants->bias)
        st = bias_gradient(on, s, err);
    if (st == VG_OK && wants->weight)
        st = weight_gradient(on, s, dz, err);
    if (st == VG_OK && wants->src)
        st = input_gradient(on, s, dz, err);
    return st;
}

/* ---- scratch ---- */

size_t gpu_train_conv_scratch_floats(const nn_train_step *s)
{
    const nn_conv_spec *c = s->spec.conv;
    const nn_map *z = plain_output(s);
    const size_t pixels = gpu_pixels(z), oc = (size_t)c->oc, n_weights = oc * depth_of(c);
    const size_t n_parts =
        is_depthwise(c) ? n_chunks_of(z) : gpu_groups(pixels, slot_of(c, pixels));
    size_t most = (n_chunks_of(z) + 1) * 2 * oc; /* of the norm, with what it leaves */
    most = n_parts * n_weights > most ? n_parts * n_weights : most;
    return n_weights > most ? n_weights : most; /* the matrix of weights */
}
