/* ends.h: both ends of a network as launches: pictures into its input, and candidates out of its
 * heads. All but the buffer, which is the block; args is what they point at. Internal to nn/gpu. */
#ifndef NN_GPU_ENDS_H
#define NN_GPU_ENDS_H

#include "../backend.h"
#include "steps.h"

void gpu_letterbox_launch(gpu_launch *out, gpu_letterbox_args *args, const gpu_form *form,
                          const nn_letterbox *l);
void gpu_planes_launch(gpu_launch *out, gpu_planes_args *args, const gpu_form *form,
                       const nn_sample *s);

enum { GPU_N_PICK_LAUNCHES = 3 };
/* In this order. */
void gpu_pick_launches(gpu_launch out[GPU_N_PICK_LAUNCHES], gpu_pick_args *args,
                       const gpu_form *form, const nn_pick *p);

#endif
