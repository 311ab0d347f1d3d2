/* fold.h: batch normalisation folded into the convolution before it. Spec 1.7. Internal to nn. */
#ifndef NN_FOLD_H
#define NN_FOLD_H

#include "graph.h"

size_t nn_conv_weight_elements(const nn_conv_spec *c);

/* weight (O, I/groups, k, k) and bias (O) of a convolution op, read from w and folded. scratch: 4 *
 * oc floats (unused without BN). A file that is fused already (conv.bias, no bn.*) is taken as it
 * is. Errors: VG_ERR_FORMAT naming the tensor that is missing, of another shape, or not finite. */
vg_status nn_fold(float *weight, float *bias, const nn_graph *g, const nn_op *op,
                  const weights_file *w, float *scratch, vg_error *err);

#endif
