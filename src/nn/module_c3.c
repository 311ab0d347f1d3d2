/* module_c3.c: C3, the block of YOLOv5: a chain of bottlenecks beside a plain 1x1 convolution. C3k
 * is the same with two 3x3 kernels in a bottleneck; here the first is 1x1. */
#include "build.h"

/* Arguments: c2, shortcut, g, e. */
static int build(nn_builder *b, const nn_module_args *a)
{
    bool shortcut = nn_arg_bool(b, a, 1, true);
    if (nn_arg_int(b, a, 2, 1, 1, NN_MAX_CHANNELS) != 1)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, NULL, "a C3 with groups");
    return nn_block_c3(b, a->key, a->in[0], a->c2, a->repeats, shortcut, 1,
                       nn_arg_real(b, a, 3, 0.5));
}

const nn_module nn_module_c3 = {.name = "C3",
                                .help = "cross-stage block of YOLOv5: c2, shortcut, g, e",
                                .scales_width = true,
                                .repeats_inside = true,
                                .build = build};
