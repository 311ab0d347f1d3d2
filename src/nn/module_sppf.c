/* module_sppf.c: spatial pyramid pooling, fast: three chained max pools beside their input.
 * Spec 1.4. */
#include "build.h"

static int build(nn_builder *b, const nn_module_args *a)
{
    int hidden = nn_build_channels(b, a->in[0]) / 2;
    int k = nn_arg_int(b, a, 1, 5, 1, 31);
    int y[4] = {nn_build_conv(b, NN_KEY(a->key, ".cv1"), a->in[0], (nn_conv_args){.c2 = hidden})};
    for (int i = 1; i < 4; i++)
        y[i] = nn_build_maxpool(b, y[i - 1], k);
    return nn_build_conv(b, NN_KEY(a->key, ".cv2"), nn_build_concat(b, y, 4),
                         (nn_conv_args){.c2 = a->c2});
}

const nn_module nn_module_sppf = {
    .name = "SPPF", .help = "pyramid of max pools: c2, k", .scales_width = true, .build = build};
