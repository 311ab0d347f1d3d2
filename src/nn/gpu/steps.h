/* steps.h: a step of a plan as a launch, and the form of weights that the kernels want. Internal to
 * nn/gpu. */
#ifndef NN_GPU_STEPS_H
#define NN_GPU_STEPS_H

#include "../backend.h"
#include "host.h"

/* What a launch depends on besides its step. */
typedef struct gpu_form {
    bool is_half;    /* elements of maps and weights are of 16 bits, sums are floats all the same */
    bool has_matrix; /* with half: dense convolutions by mma.cl's kernels */
    int n_units;     /* of the device: groups that it works on side by side, at least */
} gpu_form;

size_t gpu_element_bytes(const gpu_form *f);
/* The kernel that does the same with the form's elements. */
gpu_kernel gpu_kernel_of(const gpu_form *f, gpu_kernel of_floats);
/* Of a convolution's weights with the bias, which is floats, behind them. Dense: (taps * ic rounded
 * up to GPU_DEPTH, oc rounded up to a tile), zeros in between; for matrix units the other way round
 * (oc rounded up to a tile, taps * ic rounded up to MMA_CHUNK). Depthwise: (taps, oc). The bias
 * begins at a multiple of 16 bytes, and there are zeros behind it up to one. */
size_t gpu_weights_bytes(const gpu_form *f, const nn_conv_spec *c);
/* packed from weight (O, I/groups, k, k) and bias (O). */
void gpu_weights_lay(const gpu_form *f, const nn_conv_spec *c, void *packed, const float *weight,
                     const float *bias);
/* Errors: VG_ERR_UNSUPPORTED (what the kernels' numbers cannot hold). */
vg_status gpu_step_check(const nn_step *s, vg_error *err);
/* All but the buffers, which are the block and the weights; args is what it points at. */
void gpu_step_launch(gpu_launch *out, gpu_args *args, const gpu_form *f, const nn_step *s);

#endif
