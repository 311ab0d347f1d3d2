/* module_c2f.c: C2f, the block of YOLOv8: half the channels through a chain of bottlenecks, all of
 * whose links are kept. C3k2 is the same with other blocks. */
#include "build.h"

/* Arguments: c2, shortcut, g, e. */
static int build(nn_builder *b, const nn_module_args *a)
{
    bool shortcut = nn_arg_bool(b, a, 1, false);
    int c = (int)(a->c2 * nn_arg_real(b, a, 3, 0.5));
    if (nn_arg_int(b, a, 2, 1, 1, NN_MAX_CHANNELS) != 1)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, NULL, "a C2f with groups");
    if (a->repeats > NN_MAX_INPUTS - 1) {
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "a C2f of %d repeats, more than %d", a->repeats,
                      NN_MAX_INPUTS - 1);
        return NN_NO_VALUE;
    }
    int split = nn_build_conv(b, NN_KEY(a->key, ".cv1"), a->in[0], (nn_conv_args){.c2 = 2 * c});
    int y[NN_MAX_INPUTS] = {split}; /* both halves; then what each block adds */
    int x = nn_build_slice(b, split, c, c);
    for (int i = 0; i < a->repeats; i++) {
        x = nn_block_bottleneck(b, NN_KEY(a->key, ".m.%d", i), x, c, shortcut, 3, 1.0);
        y[1 + i] = x;
    }
    int all = nn_build_concat(b, y, 1 + a->repeats);
    return nn_build_conv(b, NN_KEY(a->key, ".cv2"), all, (nn_conv_args){.c2 = a->c2});
}

const nn_module nn_module_c2f = {.name = "C2f",
                                 .help = "cross-stage block of YOLOv8: c2, shortcut, g, e",
                                 .scales_width = true,
                                 .repeats_inside = true,
                                 .build = build};
