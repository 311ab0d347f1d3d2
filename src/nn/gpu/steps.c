/* steps.c: which kernel, how many groups, and its arguments. */
#include "steps.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "kernels/mma.h"
#include "weights/weights.h"

/* A dense convolution's tile: pixels by channels. */
typedef struct tile {
    gpu_kernel kernel;
    int pixels, channels;
} tile;

/* By the channels that packed weights are a multiple of, and within those the largest first. Narrow
 * convolutions get a narrow tile, so that no item works for channels that are not there. Which of
 * those it is depends on the convolution alone, since weights are packed before there is a picture;
 * how many pixels, on the map and the device. */
static const tile tiles[] = {
    {GPU_conv_128x64, 128, 64}, {GPU_conv_64x64, 64, 64}, {GPU_conv_32x64, 32, 64},
    {GPU_conv_128x32, 128, 32}, {GPU_conv_64x32, 64, 32}, {GPU_conv_256x16, 256, 16},
};
static const tile matrix_tiles[] = {
    {GPU_half_mma_128x64, 128, 64}, {GPU_half_mma_64x64, 64, 64},   {GPU_half_mma_32x64, 32, 64},
    {GPU_half_mma_128x32, 128, 32}, {GPU_half_mma_128x16, 128, 16},
};
enum {
    N_TILES = sizeof tiles / sizeof *tiles,
    N_MATRIX_TILES = sizeof matrix_tiles / sizeof *matrix_tiles
};

static int tile_channels(const nn_conv_spec *c)
{
    return c->oc <= 16 ? 16 : c->oc <= 32 ? 32 : 64;
}

static size_t groups_of(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

static size_t tile_groups(const tile *t, const nn_conv_spec *c, size_t pixels)
{
    return groups_of(pixels, (size_t)t->pixels) * groups_of((size_t)c->oc, (size_t)t->channels);
}

/* The largest that gives every unit of the device a group, else the smallest: a large tile reads
 * less for each product, and units that have no group do nothing. All give the same bits. */
static const tile *find_tile(const gpu_form *f, const nn_conv_spec *c, size_t pixels)
{
    const tile *all = f->has_matrix ? matrix_tiles : tiles, *best = NULL;
    for (int i = 0; i < (f->has_matrix ? N_MATRIX_TILES : N_TILES); i++) {
        if (all[i].channels != tile_channels(c))
            continue;
        best = &all[i];
        if (tile_groups(best, c, pixels) >= (size_t)f->n_units)
            break;
    }
    return best;
}

static bool is_depthwise(const nn_conv_spec *c)
{
    return c->groups > 1;
}

/* ---- weights ---- */

static size_t depth_of(const gpu_form *f, const nn_conv_spec *c)
{
    return base_round_up((size_t)(c->k * c->k) * (size_t)c->ic,
                         f->has_matrix ? MMA_CHUNK : GPU_DEPTH);
}

static size_t packed_channels(const nn_conv_spec *c)
{
    return base_round_up((size_t)c->oc, (size_t)tile_channels(c));
}

size_t gpu_element_bytes(const gpu_form *f)
{
    return f->is_half ? sizeof(uint16_t) : sizeof(float);
}

gpu_kernel gpu_kernel_of(const gpu_form *f, gpu_kernel of_floats)
{
    return f->is_half && of_floats < GPU_half_conv_128x64
               ? of_floats - GPU_conv_128x64 + GPU_half_conv_128x64
               : of_floats;
}

/* In floats: where the bias begins, on 16 bytes. */
static size_t bias_at(const gpu_form *f, const nn_conv_spec *c)
{
    const size_t n = is_depthwise(c) ? (size_t)(c->k * c->k) * (size_t)c->oc
                                     : depth_of(f, c) * packed_channels(c);
    return base_round_up(n * gpu_element_bytes(f), 16) / sizeof(float);
}

size_t gpu_weights_bytes(const gpu_form *f, const nn_conv_spec *c)
{
    return (bias_at(f, c) + base_round_up((size_t)c->oc, 4)) * sizeof(float);
}

static void put_element(const gpu_form *f, void *packed, size_t at, float v)
{
    if (f->is_half)
        ((uint16_t *)packed)[at] = weights_f32_to_f16(v);
    else
        ((float *)packed)[at] = v;
}

void gpu_weights_lay(const gpu_form *f, const nn_conv_spec *c, void *packed, const float *weight,
                     const float *bias)
{
    const size_t taps = (size_t)(c->k * c->k), ic = is_depthwise(c) ? 1 : (size_t)c->ic,
                 across = is_depthwise(c) ? (size_t)c->oc : packed_channels(c);
    const bool is_by_channel = f->has_matrix && !is_depthwise(c);
    memset(packed, 0, gpu_weights_bytes(f, c));
    for (size_t o = 0; o < (size_t)c->oc; o++)
        for (size_t i = 0; i < ic; i++)
            for (size_t t = 0; t < taps; t++)
                put_element(f, packed,
                            is_by_channel ? o * depth_of(f, c) + t * ic + i
                                          : (t * ic + i) * across + o,
                            weight[(o * ic + i) * taps + t]);
    memcpy((float *)packed + bias_at(f, c), bias, (size_t)c->oc * sizeof *bias);
}

/* ---- launches ---- */

/* Kernels count pixels in ints, and elements in 32 bits. */
static bool is_countable(const nn_map *m)
{
    size_t elements = (size_t)m->n;
    return base_mul_size(&elements, elements, (size_t)m->h) &&
           base_mul_size(&elements, elements, (size_t)m->w) && elements < INT_MAX / 2 &&
           base_mul_size(&elements, elements, (size_t)m->c) && elements < UINT_MAX - GPU_ITEMS;
}

vg_status gpu_step_check(const nn_step *s, vg_error *err)
{
    const nn_conv_spec *c = s->spec.conv;
    if (!is_countable(&s->dst_map) || !is_countable(&s->src_map))
        return base_fail(err, VG_ERR_UNSUPPORTED, "device",
                         "take a smaller batch or imgsz, or --device cpu",
                         "a feature map of more pixels than a GPU's kernel counts");
    if (s->spec.kind == NN_STEP_ATTENTION && (size_t)s->dst_map.n * (size_t)s->spec.heads > 65535)
        return base_fail(err, VG_ERR_UNSUPPORTED, "device", "take a smaller batch",
                         "attention of %d heads in %d pictures: a GPU starts 65535 groups at most "
                         "on one side",
                         s->spec.heads, s->dst_map.n);
    if (c && c->groups > 1 && (c->groups != c->ic || c->groups != c->oc))
        return base_fail(err, VG_ERR_UNSUPPORTED, "device", "take --device cpu",
                         "a convolution of %d groups: a GPU computes dense and depthwise ones",
                         c->groups);
    if (s->is_float_dst && (!c || is_depthwise(c)))
        return base_fail(err, VG_ERR_UNSUPPORTED, "half", "take it without half",
                         "a head that does not end in a dense convolution");
    if (s->spec.kind == NN_STEP_ATTENTION && s->spec.key_dim > GPU_KEY_DIM)
        return base_fail(err, VG_ERR_UNSUPPORTED, "device", "take --device cpu",
                         "attention with keys of %d numbers: a GPU's kernel has room for %d",
                         s->spec.key_dim, GPU_KEY_DIM);
    return VG_OK;
}

/* A place, a pitch and a number of channels that four side by side fit into. */
static bool is_in_fours(gpu_u64 at, int pitch, int c)
{
    return at % 4 == 0 && pitch % 4 == 0 && c % 4 == 0;
}

static void launch_conv(gpu_launch *l, gpu_args *a, const gpu_form *f, const nn_step *s,
                        size_t pixels)
{
    const nn_conv_spec *c = s->spec.conv;
    a->weights_at = s->weights_at / gpu_element_bytes(f);
    a->bias_at = s->weights_at / sizeof(float) + bias_at(f, c);
    a->k = c->k;
    a->stride = c->stride;
    a->silu = c->silu;
    a->has_add = s->spec.src2 != NN_NO_VALUE;
    if (is_depthwise(c)) {
        l->kernel = GPU_conv_depthwise;
        return;
    }
    const tile *t = find_tile(f, c, pixels);
    if (f->has_matrix)
        a->is_wide = a->src_at % 8 == 0 && a->src_pitch % 8 == 0 && a->sc % 8 == 0;
    a->oc_packed = (int)packed_channels(c);
    l->kernel = t->kernel;
    l->groups[0] = (unsigned)groups_of(pixels, (size_t)t->pixels);
    l->groups[1] = (unsigned)groups_of((size_t)c->oc, (size_t)t->channels);
}

static void launch_attention(gpu_launch *l, gpu_args *a, const nn_step *s)
{
    const nn_map *dst = &s->dst_map;
    l->kernel = GPU_attention;
    l->items = GPU_QUERIES;
    l->groups[0] = (unsigned)groups_of((size_t)dst->h * (size_t)dst->w, GPU_QUERIES);
    l->groups[1] = (unsigned)(dst->n * s->spec.heads);
    l->groups[2] = (unsigned)groups_of((size_t)s->spec.head_dim, GPU_VALUES);
    a->heads = s->spec.heads;
    a->key_dim = s->spec.key_dim;
    a->head_dim = s->spec.head_dim;
    a->scale = 1.0F / sqrtf((float)s->spec.key_dim);
}

/* An item for each element, or for each four. */
static void launch_each(gpu_launch *l, gpu_args *a, size_t pixels)
{
    a->is_wide = a->is_wide && a->is_wide_dst;
    l->groups[0] = (unsigned)groups_of(pixels * (size_t)a->c / (a->is_wide ? 4 : 1), GPU_ITEMS);
}

void gpu_step_launch(gpu_launch *l, gpu_args *a, const gpu_form *f, const nn_step *s)
{
    const nn_map *dst = &s->dst_map, *src = &s->src_map;
    const size_t pixels = (size_t)dst->n * (size_t)dst->h * (size_t)dst->w,
                 of = gpu_element_bytes(f);
    *l = (gpu_launch){.groups = {1, 1, 1}, .items = GPU_ITEMS, .args = a, .args_bytes = sizeof *a};
    *a = (gpu_args){.dst_at = s->dst_at / (s->is_float_dst ? sizeof(float) : of),
                    .src_at = s->src_at / of,
                    .dst_pitch = (int)dst->pitch,
                    .src_pitch = (int)src->pitch,
                    .n = dst->n,
                    .h = dst->h,
                    .w = dst->w,
                    .c = dst->c,
                    .sh = src->h,
                    .sw = src->w,
                    .sc = src->c,
                    .k = s->spec.k,
                    .is_float_dst = s->is_float_dst};
    if (s->spec.src2 != NN_NO_VALUE) {
        a->add_at = s->src2_at / of;
        a->add_pitch = (int)s->src2_map.pitch;
    }
    a->is_wide = is_in_fours(a->src_at, a->src_pitch, a->sc);
    a->is_wide_dst =
        is_in_fours(a->dst_at, a->dst_pitch, a->c) && is_in_fours(a->add_at, a->add_pitch, a->c);
    switch (s->spec.kind) {
    case NN_STEP_CONV:
        launch_conv(l, a, f, s, pixels);
        break;
    case NN_STEP_MAXPOOL:
        l->kernel = GPU_map_maxpool;
        break;
    case NN_STEP_UPSAMPLE:
        l->kernel = GPU_map_upsample;
        break;
    case NN_STEP_COPY:
        l->kernel = GPU_map_copy;
        break;
    case NN_STEP_ADD:
        l->kernel = GPU_map_add;
        break;
    case NN_STEP_ATTENTION:
        launch_attention(l, a, s);
        break;
    case NN_STEP_SHUFFLE:
        l->kernel = GPU_map_shuffle;
        break;
    case NN_STEP_MEAN:
        l->kernel = GPU_map_mean;
        break;
    }
    if (s->spec.kind != NN_STEP_ATTENTION &&
        (s->spec.kind != NN_STEP_CONV || is_depthwise(s->spec.conv)))
        launch_each(l, a, pixels);
    l->kernel = gpu_kernel_of(f, l->kernel);
}
