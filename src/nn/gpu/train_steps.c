/* train_steps.c: training's steps as launches: all but convolutions, which are in train_conv.c.
 * Forward, what has no weights runs on inference's kernels. */
#include "train_steps.h"

#include <limits.h>
#include <math.h>

#include "steps.h"

static gpu_kernel kernel_of(const gpu_train_on *on, gpu_kernel of_floats)
{
    return on->is_half ? of_floats - GPU_train_fill + GPU_half_train_fill : of_floats;
}

size_t gpu_train_element_bytes(const gpu_train_on *on)
{
    return on->is_half ? sizeof(uint16_t) : sizeof(float);
}

vg_status gpu_train_launch(const gpu_train_on *on, gpu_kernel kernel, size_t x, size_t y, size_t z,
                           const void *args, size_t args_bytes, vg_error *err)
{
    gpu_launch l = {
        .kernel = kernel_of(on, kernel),
        .groups = {(unsigned)x, (unsigned)y, (unsigned)z},
        .items = GPU_ITEMS,
        .n_buffers = 4,
        .buffers = {&on->memories[NN_TRAIN_BLOCK].block, &on->memories[NN_TRAIN_VALUES].block,
                    &on->memories[NN_TRAIN_GRADS].block, &on->memories[NN_TRAIN_SCRATCH].block},
        .args = args,
        .args_bytes = args_bytes};
    if (kernel == GPU_train_attention_queries || kernel == GPU_train_attention_keys ||
        kernel == GPU_train_attention_values)
        l.items = GPU_QUERIES;
    return on->host->launch(on->driver, &l, err);
}

/* ---- inference's kernels ---- */

static nn_step step_of(const nn_train_step *s)
{
    return (nn_step){.spec = s->spec,
                     .dst_map = s->map[NN_DST],
                     .src_map = s->map[NN_SRC],
                     .src2_map = s->map[NN_SRC2],
                     .dst_at = s->at[NN_DST],
                     .src_at = s->at[NN_SRC],
                     .src2_at = s->at[NN_SRC2]};
}

static vg_status run_inferences(const gpu_train_on *on, const nn_train_step *s, vg_error *err)
{
    const nn_step step = step_of(s);
    gpu_args args;
    gpu_launch l;
    gpu_step_launch(&l, &args, &(gpu_form){.n_units = 1, .is_half = on->is_half},
                    &step); /* no convolution */
    l.n_buffers = 2;
    l.buffers[0] = &on->memories[NN_TRAIN_BLOCK].block;
    l.buffers[1] = &on->memories[NN_TRAIN_VALUES].block;
    return on->host->launch(on->driver, &l, err);
}

/* Where maps are of 16 bits: those that are floats are read and written by convolutions alone, and
 * by those in their plain output. */
static bool has_one_kind(const nn_train_step *s)
{
    const bool *is_half = s->is_half;
    const bool has_add = s->spec.src2 != NN_NO_VALUE;
    if (has_add && is_half[NN_SRC2] != is_half[NN_DST])
        return false;
    return s->spec.kind != NN_STEP_CONV ? is_half[NN_SRC] == is_half[NN_DST]
                                        : !s->spec.conv->bn || is_half[NN_Z] == is_half[NN_DST];
}

vg_status gpu_train_check(const nn_train_step *s, vg_error *err)
{
    const nn_step step = step_of(s);
    if (!has_one_kind(s))
        return base_fail(err, VG_ERR_UNSUPPORTED, "amp", "take it without amp",
                         "a head, or a reader of the input, that is no plain convolution");
    if (s->spec.kind == NN_STEP_ATTENTION && s->spec.head_dim > GPU_HEAD_DIM)
        return base_fail(err, VG_ERR_UNSUPPORTED, "device", "take --device cpu",
                         "attention with values of %d numbers: a GPU's kernel has room for %d",
                         s->spec.head_dim, GPU_HEAD_DIM);
    return gpu_step_check(&step, err);
}

/* ---- maps ---- */

vg_status gpu_train_zero(const gpu_train_on *on, nn_train_memory which, const nn_map *map,
                         size_t at, vg_error *err)
{
    const gpu_fill_args a = {.dst_at = at / gpu_train_element_bytes(on),
                             .dst_pitch = (int)map->pitch,
                             .c = map->c,
                             .n_pixels = (int)gpu_pixels(map)};
    const gpu_launch l = {.kernel = kernel_of(on, GPU_train_fill),
                          .groups = {(unsigned)gpu_groups(gpu_pixels(map), GPU_GROUP_PIXELS),
                                     (unsigned)gpu_groups((size_t)map->c, GPU_LANES), 1},
                          .items = GPU_ITEMS,
                          .n_buffers = 1,
                          .buffers = {&on->memories[which].block},
                          .args = &a,
                          .args_bytes = sizeof a};
    return on->host->launch(on->driver, &l, err);
}

/* From `from`'s gradient to `to`'s. */
static gpu_train_map_args map_args(const nn_train_step *s, nn_train_role to, nn_train_role from,
                                   bool adds)
{
    const nn_map *dx = &s->map[to], *dy = &s->map[from], *x = &s->map[NN_SRC];
    return (gpu_train_map_args){.dx_at = gpu_elements(s, to),
                                .dy_at = gpu_elements(s, from),
                                .x_at = gpu_elements(s, NN_SRC),
                                .dx_pitch = (int)dx->pitch,
                                .dy_pitch = (int)dy->pitch,
                                .x_pitch = (int)x->pitch,
                                .n = dx->n,
                                .h = dx->h,
                                .w = dx->w,
                                .c = dx->c,
                                .k = s->spec.k,
                                .is_more = adds};
}

static vg_status launch_map(const gpu_train_on *on, gpu_kernel kernel, const gpu_train_map_args *a,
                            vg_error *err)
{
    const size_t pixels = (size_t)a->n * (size_t)a->h * (size_t)a->w;
    return gpu_train_launch(on, kernel, gpu_groups(pixels, GPU_GROUP_PIXELS),
                            gpu_groups((size_t)a->c, GPU_LANES), 1, a, sizeof *a, err);
}

vg_status gpu_train_give(const gpu_train_on *on, const nn_train_step *s, nn_train_role dst,
                         nn_train_role src, bool adds, vg_error *err)
{
    const gpu_train_map_args a = map_args(s, dst, src, adds);
    return launch_map(on, GPU_train_give, &a, err);
}

static vg_status map_backward(const gpu_train_on *on, const nn_train_step *s, gpu_kernel kernel,
                              vg_error *err)
{
    const gpu_train_map_args a = map_args(s, NN_D_SRC, NN_D_DST, s->src_adds);
    return launch_map(on, kernel, &a, err);
}

static vg_status maxpool_backward(const gpu_train_on *on, const nn_train_step *s, vg_error *err)
{
    const gpu_train_map_args a = map_args(s, NN_D_SRC, NN_D_DST, s->src_adds);
    const vg_status st = launch_map(on, GPU_train_maxpool_winners, &a, err);
    return st == VG_OK ? launch_map(on, GPU_train_maxpool_back, &a, err) : st;
}

static vg_status attention_backward(const gpu_train_on *on, const nn_train_step *s, vg_error *err)
{
    const nn_map *x = &s->map[NN_SRC];
    const gpu_attention_args a = {.x_at = gpu_elements(s, NN_SRC),
                                  .dx_at = gpu_elements(s, NN_D_SRC),
                                  .dy_at = gpu_elements(s, NN_D_DST),
                                  .x_pitch = (int)x->pitch,
                                  .dx_pitch = (int)s->map[NN_D_SRC].pitch,
                                  .dy_pitch = (int)s->map[NN_D_DST].pitch,
                                  .pixels = x->h * x->w,
                                  .heads = s->spec.heads,
                                  .key_dim = s->spec.key_dim,
                                  .head_dim = s->spec.head_dim,
                                  .is_more = s->src_adds,
                                  .scale = 1.0F / sqrtf((float)s->spec.key_dim)};
    const size_t queries = gpu_groups((size_t)a.pixels, GPU_QUERIES),
                 heads = (size_t)x->n * (size_t)a.heads,
                 values = gpu_groups((size_t)a.head_dim, GPU_VALUES);
    vg_status st =
        gpu_train_launch(on, GPU_train_attention_queries, queries, heads, 1, &a, sizeof a, err);
    if (st == VG_OK)
        st = gpu_train_launch(on, GPU_train_attention_keys, queries, heads, 1, &a, sizeof a, err);
    if (st == VG_OK)
        st = gpu_train_launch(on, GPU_train_attention_values, queries, heads, values, &a, sizeof a,
                              err);
    return st;
}

/* ---- a step ---- */

size_t gpu_train_scratch_floats(const nn_train_step *s)
{
    const nn_map *x = &s->map[NN_SRC];
    switch (s->spec.kind) {
    case NN_STEP_CONV:
        return gpu_train_conv_scratch_floats(s);
    case NN_STEP_MAXPOOL:
        return gpu_pixels(x) * (size_t)x->c;
    case NN_STEP_ATTENTION:
        return gpu_pixels(x) * (size_t)s->spec.heads * 3;
    default:
        return 0;
    }
}

vg_status gpu_train_forward(const gpu_train_on *on, const nn_train_step *s, vg_error *err)
{
    return s->spec.kind == NN_STEP_CONV ? gpu_train_conv_forward(on, s, err)
                                        : run_inferences(on, s, err);
}

vg_status gpu_train_backward(const gpu_train_on *on, const nn_train_step *s,
                             const nn_train_wants *wants, vg_error *err)
{
    vg_status st = VG_OK;
    switch (s->spec.kind) {
    case NN_STEP_CONV:
        return gpu_train_conv_backward(on, s, wants, err);
    case NN_STEP_COPY:
    case NN_STEP_ADD:
        if (wants->src2)
            st = gpu_train_give(on, s, NN_D_SRC2, NN_D_DST, s->src2_adds, err);
        return st == VG_OK && wants->src
                   ? gpu_train_give(on, s, NN_D_SRC, NN_D_DST, s->src_adds, err)
                   : st;
    case NN_STEP_MAXPOOL:
        return wants->src ? maxpool_backward(on, s, err) : VG_OK;
    case NN_STEP_ATTENTION:
        return wants->src ? attention_backward(on, s, err) : VG_OK;
    case NN_STEP_UPSAMPLE:
        return wants->src ? map_backward(on, s, GPU_train_upsample_back, err) : VG_OK;
    case NN_STEP_SHUFFLE:
        return wants->src ? map_backward(on, s, GPU_train_shuffle_back, err) : VG_OK;
    case NN_STEP_MEAN:
        return wants->src ? map_backward(on, s, GPU_train_mean_back, err) : VG_OK;
    }
    return st;
}
