/* fake_train.c: launches of training's kernels: every map, parameter and part within its buffer,
 * and a grid that covers what is to be computed. */
#include "fake_train.h"

#include <string.h>

#include "../../src/nn/gpu/kernels/args.h"

enum { BLOCK, VALUES, GRADS, SCRATCH }; /* the buffers of all but train_fill */

static size_t ceil_of(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

/* Floats [at, at + n) of that buffer. */
static bool holds(const fake_launch *l, int buffer, gpu_u64 at, size_t n)
{
    return n > 0 && at + n <= l->bytes[buffer] / sizeof(float);
}

/* Of elements, or of floats whatever they are. */
static bool holds_map_of(const fake_launch *l, int is_float, gpu_u64 at, size_t pixels, int pitch,
                         int c)
{
    const size_t of = l->is_half && !is_float ? 2 : sizeof(float);
    return pixels > 0 && pitch >= c &&
           at + (pixels - 1) * (size_t)pitch + (size_t)c <= l->bytes[BLOCK] / of;
}

static bool holds_map(const fake_launch *l, gpu_u64 at, size_t pixels, int pitch, int c)
{
    return holds_map_of(l, 0, at, pixels, pitch, c);
}

static size_t pixels_of(int n, int h, int w)
{
    return (size_t)n * (size_t)h * (size_t)w;
}

/* Element by element: pixels and channels. */
static bool covers(const fake_launch *l, size_t pixels, int c)
{
    return l->items == GPU_ITEMS && l->x * GPU_GROUP_PIXELS >= pixels &&
           l->y * GPU_LANES >= (size_t)c && l->z == 1;
}

static const char *look_at_fill(const fake_launch *l)
{
    const gpu_fill_args *a = l->args;
    if (!holds_map(l, a->dst_at, (size_t)a->n_pixels, a->dst_pitch, a->c))
        return "zeros that reach out of their block";
    return covers(l, (size_t)a->n_pixels, a->c) ? NULL : "zeros of which some are not written";
}

static const char *look_at_map(const fake_launch *l)
{
    const gpu_train_map_args *a = l->args;
    const size_t pixels = pixels_of(a->n, a->h, a->w);
    const bool is_pool = strstr(l->name, "maxpool"), is_up = strstr(l->name, "upsample");
    if (!holds_map(l, a->dx_at, pixels, a->dx_pitch, a->c) ||
        !holds_map(l, a->dy_at, is_up ? 4 * pixels : pixels, a->dy_pitch, a->c))
        return "a gradient that reaches out of its block";
    if (is_pool && (!holds_map(l, a->x_at, pixels, a->x_pitch, a->c) ||
                    !holds(l, SCRATCH, a->winners_at, pixels * (size_t)a->c)))
        return "a pool that reaches out of its memory";
    return covers(l, pixels, a->c) ? NULL : "a map of which some is not written";
}

static const char *look_at_norm(const fake_launch *l)
{
    const gpu_norm_args *a = l->args;
    const size_t c = (size_t)a->c, chunks = (size_t)a->n_chunks;
    const bool is_pass = strcmp(l->name, "train_norm") == 0 || strstr(l->name, "back"),
               is_merge = strstr(l->name, "merge"), is_back = strstr(l->name, "norm_");
    if (!holds_map(l, a->z_at, (size_t)a->n_pixels, a->z_pitch, a->c) ||
        !holds(l, BLOCK, a->saved_at, 2 * c) ||
        ((is_back || a->has_add) &&
         !holds_map(l, a->other_at, (size_t)a->n_pixels, a->other_pitch, a->c)) ||
        (!is_back && !holds_map(l, a->y_at, (size_t)a->n_pixels, a->y_pitch, a->c)))
        return "a normalisation that reaches out of its block";
    if (!holds(l, VALUES, a->weight_at, c) || !holds(l, VALUES, a->bias_at, c) ||
        !holds(l, VALUES, a->mean_at, c) || !holds(l, VALUES, a->var_at, c) ||
        !holds(l, GRADS, a->d_weight_at, c) || !holds(l, GRADS, a->d_bias_at, c))
        return "a normalisation's parameters that are none";
    if (!holds(l, SCRATCH, a->parts_at, chunks * 2 * c) || !holds(l, SCRATCH, a->back_at, 2 * c) ||
        a->back_at < a->parts_at + chunks * 2 * c)
        return "a normalisation's sums that reach out of scratch";
    if (chunks * (size_t)a->chunk_pixels < (size_t)a->n_pixels || l->y * GPU_LANES < c ||
        l->items != GPU_ITEMS)
        return "a normalisation that leaves something out";
    if (is_pass)
        return covers(l, (size_t)a->n_pixels, a->c) ? NULL : "pixels that are not normalised";
    return l->x == (is_merge ? 1 : chunks) ? NULL : "chunks that are not summed";
}

static const char *look_at_pack(const fake_launch *l)
{
    const gpu_pack_args *a = l->args;
    const size_t n = (size_t)a->c * (size_t)a->sc;
    if (!holds(l, VALUES, a->weight_at, n * (size_t)(a->k * a->k)) ||
        !holds(l, SCRATCH, a->packed_at, n * (size_t)(a->th * a->tw)))
        return "weights that reach out of theirs";
    return l->x * GPU_ITEMS >= n * (size_t)(a->th * a->tw) ? NULL : "weights that are not packed";
}

static const char *look_at_conv(const fake_launch *l)
{
    const gpu_train_conv_args *a = l->args;
    const size_t pixels = pixels_of(a->n, a->h, a->w), taps = (size_t)(a->th * a->tw);
    const bool is_depthwise = strstr(l->name, "depthwise");
    if (!holds_map_of(l, a->is_float_dst, a->dst_at, pixels_of(a->n, a->dh, a->dw), a->dst_pitch,
                      a->c) ||
        !holds_map_of(l, a->is_float_src, a->src_at, pixels_of(a->n, a->sh, a->sw), a->src_pitch,
                      a->sc) ||
        (a->has_add && !holds_map(l, a->add_at, pixels, a->add_pitch, a->c)))
        return "a convolution that reaches out of its block";
    if ((a->h - 1) * a->out_step + a->out_y >= a->dh ||
        (a->w - 1) * a->out_step + a->out_x >= a->dw)
        return "a grid that is larger than what it writes";
    if (is_depthwise)
        return holds(l, VALUES, a->weights_at, (size_t)(a->c * a->k * a->k)) &&
                       covers(l, pixels, a->c)
                   ? NULL
                   : "a depthwise convolution that reaches out, or leaves something out";
    if (taps > 0 && !holds(l, SCRATCH, a->weights_at, taps * (size_t)a->sc * (size_t)a->c))
        return "packed weights that reach out of scratch";
    const size_t wide = strstr(l->name, "256x")   ? 256
                        : strstr(l->name, "128x") ? 128
                                                  : 64,
                 high = strstr(l->name, "x16")   ? 16
                        : strstr(l->name, "x32") ? 32
                                                 : 64;
    return l->x == ceil_of(pixels, wide) && l->y == ceil_of((size_t)a->c, high) &&
                   l->items == GPU_ITEMS
               ? NULL
               : "a grid of tiles that is too small, or too large";
}

static const char *look_at_weights(const fake_launch *l)
{
    const gpu_weights_args *a = l->args;
    const size_t pixels = pixels_of(a->n, a->h, a->w), window = (size_t)(a->k * a->k);
    const bool is_bias = strstr(l->name, "bias"), is_depthwise = strstr(l->name, "depthwise");
    const size_t of = is_bias ? 1 : window * (size_t)a->sc;
    const size_t slots = is_bias || is_depthwise ? l->x : l->z;
    if (!holds_map_of(l, a->is_float_dz, a->dz_at, pixels, a->dz_pitch, a->c) ||
        !holds_map_of(l, a->is_float_x, a->x_at, pixels_of(a->n, a->sh, a->sw), a->x_pitch,
                      is_depthwise ? a->c : a->sc))
        return "a gradient of weights that reaches out of its block";
    if (!holds(l, SCRATCH, a->parts_at, slots * (size_t)a->c * of))
        return "parts that reach out of scratch";
    if (slots != ceil_of(pixels, (size_t)a->slot_pixels))
        return "slots that leave pixels out";
    if (is_bias || is_depthwise)
        return l->y == ceil_of((size_t)a->c, GPU_LANES) && l->z == (is_bias ? 1 : window)
                   ? NULL
                   : "channels or taps without a sum";
    const size_t rows = strstr(l->name, "_16") ? 16 : strstr(l->name, "_32") ? 32 : 64;
    return l->x == ceil_of(of, 64) && l->y == ceil_of((size_t)a->c, rows) ? NULL
                                                                          : "weights without a sum";
}

static const char *look_at_sums(const fake_launch *l)
{
    const gpu_sums_args *a = l->args;
    if (!holds(l, SCRATCH, a->parts_at, (size_t)a->n_parts * (size_t)a->n) ||
        !holds(l, GRADS, a->d_at, (size_t)a->n))
        return "sums that reach out of their memory";
    return l->x * GPU_LANES >= (size_t)a->n ? NULL : "parts that are not added";
}

static const char *look_at_attention(const fake_launch *l)
{
    const gpu_attention_args *a = l->args;
    const size_t heads = l->y, n = heads / (size_t)a->heads, pixels = n * (size_t)a->pixels;
    const int c = a->heads * (2 * a->key_dim + a->head_dim);
    if (!holds_map(l, a->x_at, pixels, a->x_pitch, c) ||
        !holds_map(l, a->dx_at, pixels, a->dx_pitch, c) ||
        !holds_map(l, a->dy_at, pixels, a->dy_pitch, a->heads * a->head_dim) ||
        !holds(l, SCRATCH, a->stats_at, heads * (size_t)a->pixels * 3))
        return "attention that reaches out of its memory";
    return l->items == GPU_QUERIES && l->x == ceil_of((size_t)a->pixels, GPU_QUERIES) &&
                   heads % (size_t)a->heads == 0
               ? NULL
               : "attention that leaves something out";
}

const char *fake_train_mistake(const fake_launch *l)
{
    static const struct {
        const char *begin;
        const char *(*look)(const fake_launch *l);
    } families[] = {{"train_fill", look_at_fill},       {"train_give", look_at_map},
                    {"train_upsample", look_at_map},    {"train_maxpool", look_at_map},
                    {"train_moments", look_at_norm},    {"train_norm", look_at_norm},
                    {"train_pack", look_at_pack},       {"train_conv", look_at_conv},
                    {"train_weights", look_at_weights}, {"train_bias", look_at_weights},
                    {"train_sums", look_at_sums},       {"train_attention", look_at_attention}};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strncmp(l->name, families[i].begin, strlen(families[i].begin)) == 0)
            return families[i].look(l);
    return strncmp(l->name, "train_", 6) == 0 ? "a kernel of training that nobody looks at" : NULL;
}
