/* steps.c: which kernel, how many groups, and its arguments. */
#include "steps.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* A dense convolution's tile: pixels by channels. Narrow ones get a narrow tile, so that no item
 * works for channels that are not there. It depends on the convolution alone, never on the picture:
 * weights are packed before there is one. */
typedef struct tile {
    gpu_kernel kernel;
    int pixels, channels;
} tile;

static tile tile_of(const nn_conv_spec *c)
{
    if (c->oc <= 16)
        return (tile){GPU_conv_256x16, 256, 16};
    if (c->oc <= 32)
        return (tile){GPU_conv_128x32, 128, 32};
    return (tile){GPU_conv_64x64, 64, 64};
}

static bool is_depthwise(const nn_conv_spec *c)
{
    return c->groups > 1;
}

static size_t round_up_to(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static size_t depth_of(const nn_conv_spec *c)
{
    return round_up_to((size_t)(c->k * c->k) * (size_t)c->ic, GPU_DEPTH);
}

static size_t packed_channels(const nn_conv_spec *c)
{
    return round_up_to((size_t)c->oc, (size_t)tile_of(c).channels);
}

/* Of the weights alone: where the bias begins. */
static size_t bias_at(const nn_conv_spec *c)
{
    return is_depthwise(c) ? (size_t)(c->k * c->k) * (size_t)c->oc
                           : depth_of(c) * packed_channels(c);
}

size_t gpu_weights_floats(const nn_conv_spec *c)
{
    return bias_at(c) + (size_t)c->oc;
}

void gpu_weights_lay(const nn_conv_spec *c, float *packed, const float *weight, const float *bias)
{
    const size_t taps = (size_t)(c->k * c->k), ic = is_depthwise(c) ? 1 : (size_t)c->ic,
                 across = is_depthwise(c) ? (size_t)c->oc : packed_channels(c);
    memset(packed, 0, bias_at(c) * sizeof *packed);
    for (size_t o = 0; o < (size_t)c->oc; o++)
        for (size_t i = 0; i < ic; i++)
            for (size_t t = 0; t < taps; t++)
                packed[(t * ic + i) * across + o] = weight[(o * ic + i) * taps + t];
    memcpy(packed + bias_at(c), bias, (size_t)c->oc * sizeof *packed);
}

static bool is_countable(const nn_map *m)
{
    size_t pixels = (size_t)m->n;
    return base_mul_size(&pixels, pixels, (size_t)m->h) &&
           base_mul_size(&pixels, pixels, (size_t)m->w) && pixels < INT_MAX / 2 &&
           base_mul_size(&pixels, pixels, (size_t)m->c) && pixels / GPU_ITEMS < INT_MAX / 2;
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
    if (s->spec.kind == NN_STEP_ATTENTION && s->spec.key_dim > GPU_KEY_DIM)
        return base_fail(err, VG_ERR_UNSUPPORTED, "device", "take --device cpu",
                         "attention with keys of %d numbers: a GPU's kernel has room for %d",
                         s->spec.key_dim, GPU_KEY_DIM);
    return VG_OK;
}

static unsigned groups_of(size_t n, size_t of)
{
    return (unsigned)((n + of - 1) / of);
}

static void launch_conv(gpu_launch *l, const nn_step *s, size_t pixels)
{
    const nn_conv_spec *c = s->spec.conv;
    const tile t = tile_of(c);
    gpu_args *a = &l->args;
    a->weights_at = s->weights_at / sizeof(float);
    a->bias_at = a->weights_at + bias_at(c);
    a->k = c->k;
    a->stride = c->stride;
    a->silu = c->silu;
    a->has_add = s->spec.src2 != NN_NO_VALUE;
    if (is_depthwise(c)) {
        l->kernel = GPU_conv_depthwise;
        return;
    }
    a->oc_packed = (int)packed_channels(c);
    l->kernel = t.kernel;
    l->groups[0] = groups_of(pixels, (size_t)t.pixels);
    l->groups[1] = groups_of((size_t)c->oc, (size_t)t.channels);
}

void gpu_step_launch(gpu_launch *l, const nn_step *s)
{
    const nn_map *dst = &s->dst_map, *src = &s->src_map;
    const size_t pixels = (size_t)dst->n * (size_t)dst->h * (size_t)dst->w;
    *l = (gpu_launch){.groups = {groups_of(pixels * (size_t)dst->c, GPU_ITEMS), 1, 1},
                      .items = GPU_ITEMS,
                      .args = {.dst_at = s->dst_at / sizeof(float),
                               .src_at = s->src_at / sizeof(float),
                               .dst_pitch = (int)dst->pitch,
                               .src_pitch = (int)src->pitch,
                               .n = dst->n,
                               .h = dst->h,
                               .w = dst->w,
                               .c = dst->c,
                               .sh = src->h,
                               .sw = src->w,
                               .sc = src->c,
                               .k = s->spec.k}};
    if (s->spec.src2 != NN_NO_VALUE) {
        l->args.add_at = s->src2_at / sizeof(float);
        l->args.add_pitch = (int)s->src2_map.pitch;
    }
    switch (s->spec.kind) {
    case NN_STEP_CONV:
        launch_conv(l, s, pixels);
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
        l->kernel = GPU_attention;
        l->items = GPU_QUERIES;
        l->groups[0] = groups_of((size_t)dst->h * (size_t)dst->w, GPU_QUERIES);
        l->groups[1] = (unsigned)(dst->n * s->spec.heads);
        l->groups[2] = groups_of((size_t)s->spec.head_dim, GPU_VALUES);
        l->args.heads = s->spec.heads;
        l->args.key_dim = s->spec.key_dim;
        l->args.head_dim = s->spec.head_dim;
        l->args.scale = 1.0F / sqrtf((float)s->spec.key_dim);
        break;
    }
}
