/* steps.h: a step of a plan as a launch, and the form of weights that the kernels want. Internal to
 * nn/gpu. */
#ifndef NN_GPU_STEPS_H
#define NN_GPU_STEPS_H

#include "../backend.h"
#include "host.h"

/* Floats of a convolution's weights with the bias behind them. Dense: (taps * ic rounded up to
 * GPU_DEPTH, oc rounded up to a tile), zeros in between. Depthwise: (taps, oc). */
size_t gpu_weights_floats(const nn_conv_spec *c);
/* packed from weight (O, I/groups, k, k) and bias (O). */
void gpu_weights_lay(const nn_conv_spec *c, float *packed, const float *weight, const float *bias);
/* Errors: VG_ERR_UNSUPPORTED (what the kernels' numbers cannot hold). */
vg_status gpu_step_check(const nn_step *s, vg_error *err);
void gpu_step_launch(gpu_launch *out, const nn_step *s);

#endif
