/* module_neck.c: what a neck needs: nearest upsampling and concat. */
#include <string.h>

#include "build.h"

/* Arguments as torch's: size (None), scale factor 2, mode "nearest". */
static int build_upsample(nn_builder *b, const nn_module_args *a)
{
    const base_node *mode = base_node_at(a->args, 2);
    int factor = nn_arg_int(b, a, 1, 2, 1, NN_DOWN_ONE), x = a->in[0];
    if (nn_arg_int(b, a, 0, 0, 0, NN_MAX_STRIDE) != 0)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, "write None, and a scale factor behind it",
                      "an upsampling to a size");
    if (factor < 2 || (factor & (factor - 1)) != 0)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, "use a scale factor of 2, 4, 8 ...",
                      "an upsampling by %d", factor);
    if (mode && (mode->kind != BASE_NODE_TEXT || strcmp(mode->text, "nearest") != 0))
        nn_build_fail(b, VG_ERR_UNSUPPORTED, "use \"nearest\"",
                      "an upsampling mode that is not nearest");
    for (; factor > 1; factor /= 2) /* nearest of nearest is nearest */
        x = nn_build_upsample(b, x);
    return x;
}

static int build_concat(nn_builder *b, const nn_module_args *a)
{
    if (nn_arg_int(b, a, 0, 1, -4, 4) != 1)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, "use axis 1",
                      "a concat along another axis than channels");
    return nn_build_concat(b, a->in, a->n_in);
}

const nn_module nn_module_upsample = {.name = "nn.Upsample",
                                      .help = "nearest upsampling: None, factor, nearest",
                                      .build = build_upsample};
const nn_module nn_module_concat = {
    .name = "Concat", .help = "channels side by side: 1", .build = build_concat};
