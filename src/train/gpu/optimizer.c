/* optimizer.c: the table of pieces, and the order of the launches. What is computed stands in
 * nn/gpu/kernels/optimizer.cl.
 *
 * The state's block: [numbers that come down][pieces of what moves][pieces of all, for the
 * average][sums by piece][moment 0][moment 1]. */
#include "optimizer.h"

#include <limits.h>
#include <math.h>
#include <string.h>

_Static_assert(GPU_SGD == TRAIN_OPTIMIZER_SGD && GPU_ADAM == TRAIN_OPTIMIZER_ADAM &&
                   GPU_ADAMW == TRAIN_OPTIMIZER_ADAMW && GPU_ADAMAX == TRAIN_OPTIMIZER_ADAMAX &&
                   GPU_NADAM == TRAIN_OPTIMIZER_NADAM && GPU_RADAM == TRAIN_OPTIMIZER_RADAM &&
                   GPU_RMSPROP == TRAIN_OPTIMIZER_RMSPROP && GPU_GROUPS == TRAIN_N_GROUPS,
               "the kernels' numbers are the optimizer's");

enum { SUM_BYTES = 8, RESULTS_BYTES = GPU_N_STEP_RESULTS * 2 * sizeof(float) };

typedef struct state_layout {
    size_t results, moving, all, sums, moment[2], bytes, average_bytes;
    size_t n_moving, n_all; /* pieces */
} state_layout;

struct gpu_optimizer {
    const nn_device *device;
    train_optimizer_kind kind;
    state_layout at;
    gpu_memory state, average, staging;
    size_t n_tensors;
    size_t *moment_at, *average_at; /* (n_tensors) floats, from the first of them; behind it */
};

static size_t pieces_of(size_t n)
{
    return (n + GPU_PIECE - 1) / GPU_PIECE;
}

static size_t spaced(size_t n)
{
    return base_round_up(n, BASE_MEM_ALIGN / sizeof(float));
}

static bool moves(const gpu_tensor *t)
{
    return t->group != TRAIN_GROUP_NONE;
}

static bool lay_out(state_layout *l, const gpu_tensor *tensors, size_t n_tensors,
                    train_optimizer_kind kind)
{
    size_t end = 0, average_end = 0, average_at, n_moving = 0, n_all = 0;
    *l = (state_layout){0};
    for (size_t i = 0; i < n_tensors; i++) {
        l->n_all += pieces_of(tensors[i].n);
        n_all += spaced(tensors[i].n);
        if (!moves(&tensors[i]))
            continue;
        l->n_moving += pieces_of(tensors[i].n);
        n_moving += spaced(tensors[i].n);
    }
    const bool fits =
        gpu_part(&l->results, &end, RESULTS_BYTES, 1) &&
        gpu_part(&l->moving, &end, l->n_moving, sizeof(gpu_piece)) &&
        gpu_part(&l->all, &end, l->n_all, sizeof(gpu_piece)) &&
        gpu_part(&l->sums, &end, l->n_moving, SUM_BYTES) &&
        gpu_part(&l->moment[0], &end, n_moving, sizeof(float)) &&
        gpu_part(&l->moment[1], &end, kind == TRAIN_OPTIMIZER_SGD ? 0 : n_moving, sizeof(float)) &&
        gpu_part(&average_at, &average_end, n_all, sizeof(float));
    l->bytes = end;
    l->average_bytes = average_end;
    return fits && l->n_all >= 1 && l->n_all <= INT_MAX;
}

bool gpu_optimizer_bytes(size_t *state_bytes, size_t *average_bytes, const gpu_tensor *tensors,
                         size_t n_tensors, train_optimizer_kind kind)
{
    state_layout l;
    const bool fits = lay_out(&l, tensors, n_tensors, kind);
    *state_bytes = fits ? l.bytes : 0;
    *average_bytes = fits ? l.average_bytes : 0;
    return fits;
}

size_t gpu_optimizer_host_bytes(size_t n_tensors)
{
    return sizeof(gpu_optimizer) + 2 * n_tensors * sizeof(size_t);
}

size_t gpu_optimizer_staging_bytes(void)
{
    return RESULTS_BYTES;
}

/* ---- create ---- */

static void find_places(gpu_optimizer *o, const gpu_tensor *tensors)
{
    size_t moment = 0, average = 0;
    for (size_t i = 0; i < o->n_tensors; i++) {
        o->moment_at[i] = moment;
        o->average_at[i] = average;
        average += spaced(tensors[i].n);
        moment += moves(&tensors[i]) ? spaced(tensors[i].n) : 0;
    }
}

/* of_average: all tensors; else those that move. */
static void fill_pieces(gpu_piece *next, const gpu_optimizer *o, const gpu_tensor *tensors,
                        bool of_average)
{
    for (size_t i = 0; i < o->n_tensors; i++) {
        const gpu_tensor *t = &tensors[i];
        for (size_t at = 0; at < t->n && (of_average || moves(t)); at += GPU_PIECE, next++) {
            *next = (gpu_piece){.value_at = t->value_at + at,
                                .n = (int)(t->n - at < GPU_PIECE ? t->n - at : GPU_PIECE),
                                .group = (int)t->group};
            if (of_average) {
                next->state_at[0] = o->average_at[i] + at;
                continue;
            }
            next->grad_at = t->grad_at + at;
            next->state_at[0] = o->at.moment[0] / sizeof(float) + o->moment_at[i] + at;
            next->state_at[1] = o->at.moment[1] / sizeof(float) + o->moment_at[i] + at;
        }
    }
}

/* Tables go up, moments become 0. */
static vg_status make_state(gpu_optimizer *o, const gpu_tensor *tensors, base_mem *mem,
                            vg_error *err)
{
    const nn_device *d = o->device;
    const size_t bytes = o->at.sums; /* all before them goes up */
    char *up = base_alloc_zero(mem, 1, bytes, err);
    if (up == NULL)
        return VG_ERR_MEMORY;
    fill_pieces((gpu_piece *)(void *)(up + o->at.moving), o, tensors, false);
    fill_pieces((gpu_piece *)(void *)(up + o->at.all), o, tensors, true);
    vg_status st = d->host->upload(d->driver, &o->state.block, 0, up, bytes, err);
    if (st == VG_OK)
        st = gpu_clear(&o->state, d, o->at.sums, o->at.bytes - o->at.sums, err);
    if (st == VG_OK)
        st = gpu_clear(&o->average, d, 0, o->at.average_bytes, err);
    if (st == VG_OK)
        st = d->host->finish(d->driver, err);
    else
        d->host->finish(d->driver, NULL); /* before `up` goes */
    base_free(up);
    return st;
}

vg_status gpu_optimizer_create(gpu_optimizer **out, const nn_device *d, const gpu_tensor *tensors,
                               size_t n_tensors, train_optimizer_kind kind, base_mem *on_device,
                               base_mem *staging, base_mem *mem, vg_error *err)
{
    state_layout at;
    *out = NULL;
    if (kind == TRAIN_OPTIMIZER_AUTO)
        return base_fail(err, VG_ERR_ARGUMENT, "optimizer", NULL, "auto was not resolved");
    if (!lay_out(&at, tensors, n_tensors, kind))
        return base_fail(err, VG_ERR_LIMIT, "optimizer", "take a smaller model, or --device cpu",
                         "%zu tensors: more than the device's kernels count, or none", n_tensors);
    gpu_optimizer *o = base_alloc_zero(mem, 1, gpu_optimizer_host_bytes(n_tensors), err);
    if (o == NULL)
        return VG_ERR_MEMORY;
    *o = (gpu_optimizer){.device = d, .kind = kind, .at = at, .n_tensors = n_tensors};
    o->moment_at = (size_t *)(o + 1);
    o->average_at = o->moment_at + n_tensors;
    find_places(o, tensors);
    vg_status st = d->host->program(d->driver, GPU_LEARN, mem, err);
    if (st == VG_OK)
        st = gpu_memory_take(&o->state, d, at.bytes, on_device, err);
    if (st == VG_OK)
        st = gpu_memory_take(&o->average, d, at.average_bytes, on_device, err);
    if (st == VG_OK)
        st = gpu_memory_take_staging(&o->staging, d, RESULTS_BYTES, staging, err);
    if (st == VG_OK)
        st = make_state(o, tensors, mem, err);
    *out = o;
    if (st != VG_OK)
        gpu_optimizer_destroy(out);
    return st;
}

void gpu_optimizer_destroy(gpu_optimizer **o)
{
    if (*o != NULL) {
        const nn_device *d = (*o)->device;
        d->host->finish(d->driver, NULL); /* after a failure, work may be under way */
        gpu_memory_give(&(*o)->state, d);
        gpu_memory_give(&(*o)->average, d);
        gpu_memory_give(&(*o)->staging, d);
        base_free(*o);
    }
    *o = NULL;
}

/* ---- a step ---- */

static vg_status launch(const gpu_optimizer *o, gpu_kernel kernel, size_t groups,
                        const gpu_block *values, const gpu_block *grads, const gpu_block *state,
                        const gpu_optimizer_args *args, vg_error *err)
{
    const gpu_launch l = {.kernel = kernel,
                          .groups = {(unsigned)groups, 1, 1},
                          .items = GPU_ITEMS,
                          .n_buffers = 4,
                          .buffers = {values, grads, state, &o->state.block},
                          .args = args,
                          .args_bytes = sizeof *args};
    return groups > 0 ? o->device->host->launch(o->device->driver, &l, err) : VG_OK;
}

static gpu_optimizer_args average_args(const gpu_optimizer *o, double decay)
{
    return (gpu_optimizer_args){.pieces_at = o->at.all,
                                .sums_at = o->at.sums,
                                .results_at = o->at.results,
                                .n_pieces = (int)o->at.n_all,
                                .keep = (float)decay,
                                .take = (float)(1 - decay)};
}

vg_status gpu_optimizer_start(gpu_optimizer *o, const gpu_block *values, vg_error *err)
{
    /* As after a good step: the average is 0, and keeps nothing. */
    float *good = o->staging.host;
    memset(good, 0, RESULTS_BYTES);
    good[2 * GPU_STEP_GOOD] = 1;
    const nn_device *d = o->device;
    const gpu_optimizer_args args = average_args(o, 0);
    vg_status st =
        d->host->upload(d->driver, &o->state.block, o->at.results, good, RESULTS_BYTES, err);
    if (st == VG_OK)
        st = gpu_clear(&o->average, d, 0, o->at.average_bytes, err);
    return st == VG_OK ? launch(o, GPU_optimizer_average, o->at.n_all, values, values,
                                &o->average.block, &args, err)
                       : st;
}

vg_status gpu_optimizer_step(gpu_optimizer *o, const gpu_block *values, const gpu_block *grads,
                             const gpu_step *step, vg_error *err)
{
    const nn_device *d = o->device;
    const double beta2 =
        o->kind == TRAIN_OPTIMIZER_RMSPROP ? TRAIN_RMSPROP_ALPHA : TRAIN_ADAM_BETA2;
    gpu_optimizer_args args = {.pieces_at = o->at.moving,
                               .sums_at = o->at.sums,
                               .results_at = o->at.results,
                               .n_pieces = (int)o->at.n_moving,
                               .kind = (int)o->kind,
                               .unscale = step->unscale,
                               .clip_norm = (float)TRAIN_CLIP_NORM,
                               .clip_eps = (float)TRAIN_CLIP_EPS,
                               .eps = (float)TRAIN_ADAM_EPS,
                               .beta2 = (float)beta2,
                               .take2 = (float)(1 - beta2)};
    memcpy(args.rule, step->rules, sizeof args.rule);
    const gpu_optimizer_args average = average_args(o, step->decay);
    const gpu_block *state = &o->state.block;
    vg_status st = launch(o, GPU_optimizer_norm, o->at.n_moving, values, grads, state, &args, err);
    if (st == VG_OK)
        st = launch(o, GPU_optimizer_judge, 1, values, grads, state, &args, err);
    if (st == VG_OK)
        st = launch(o, GPU_optimizer_move, o->at.n_moving, values, grads, state, &args, err);
    if (st == VG_OK)
        st = launch(o, GPU_optimizer_average, o->at.n_all, values, grads, &o->average.block,
                    &average, err);
    if (st == VG_OK)
        st =
            d->host->download(d->driver, o->staging.host, state, o->at.results, RESULTS_BYTES, err);
    return st;
}

bool gpu_optimizer_result(const gpu_optimizer *o, double *norm)
{
    const float *r = o->staging.host;
    *norm = gpu_result(r, GPU_STEP_NORM);
    return r[2 * GPU_STEP_GOOD] != 0;
}

const gpu_block *gpu_optimizer_place(const gpu_optimizer *o, gpu_optimizer_part part, size_t index,
                                     size_t *at)
{
    if (part == GPU_AVERAGE) {
        *at = o->average_at[index] * sizeof(float);
        return &o->average.block;
    }
    *at = o->at.moment[part] + o->moment_at[index] * sizeof(float);
    return &o->state.block;
}
