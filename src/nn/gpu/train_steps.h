/* train_steps.h: a step of training as launches, both ways. Internal to nn/gpu.
 *
 * Every kernel of training takes the same four buffers, in nn_train_memory's order. */
#ifndef NN_GPU_TRAIN_STEPS_H
#define NN_GPU_TRAIN_STEPS_H

#include "../train_backend.h"
#include "memory.h"

/* Where to: a device and its four blocks. */
typedef struct gpu_train_on {
    const gpu_host *host;
    void *driver;
    const gpu_memory *memories; /* (NN_N_TRAIN_MEMORIES) */
    bool is_half; /* elements of the block are of 16 bits, but where a step says floats */
} gpu_train_on;

/* Errors: VG_ERR_UNSUPPORTED (what the kernels' numbers cannot hold). */
vg_status gpu_train_check(const nn_train_step *s, vg_error *err);
size_t gpu_train_scratch_floats(const nn_train_step *s);
vg_status gpu_train_forward(const gpu_train_on *on, const nn_train_step *s, vg_error *err);
vg_status gpu_train_backward(const gpu_train_on *on, const nn_train_step *s,
                             const nn_train_wants *wants, vg_error *err);
/* Zeros in a map of the block's elements that lies `at` bytes into that memory. */
vg_status gpu_train_zero(const gpu_train_on *on, nn_train_memory which, const nn_map *map,
                         size_t at, vg_error *err);
size_t gpu_train_element_bytes(const gpu_train_on *on);

/* ---- of the two files ---- */

/* args: what the kernel's family takes. */
vg_status gpu_train_launch(const gpu_train_on *on, gpu_kernel kernel, size_t x, size_t y, size_t z,
                           const void *args, size_t args_bytes, vg_error *err);
/* dst = src, or dst += src. */
vg_status gpu_train_give(const gpu_train_on *on, const nn_train_step *s, nn_train_role dst,
                         nn_train_role src, bool adds, vg_error *err);
size_t gpu_train_conv_scratch_floats(const nn_train_step *s);
vg_status gpu_train_conv_forward(const gpu_train_on *on, const nn_train_step *s, vg_error *err);
vg_status gpu_train_conv_backward(const gpu_train_on *on, const nn_train_step *s,
                                  const nn_train_wants *wants, vg_error *err);

static inline size_t gpu_floats(size_t bytes)
{
    return bytes / sizeof(float);
}

/* Where a role's map begins, in its own elements. */
static inline size_t gpu_elements(const nn_train_step *s, nn_train_role role)
{
    return s->at[role] / (s->is_half[role] ? sizeof(uint16_t) : sizeof(float));
}

static inline size_t gpu_groups(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

static inline size_t gpu_pixels(const nn_map *m)
{
    return (size_t)m->n * (size_t)m->h * (size_t)m->w;
}

#endif
