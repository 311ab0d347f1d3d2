/* module_conv.c: Conv and DWConv: convolution, batch normalisation, SiLU. Spec 1.4. */
#include "build.h"

static int gcd(int a, int b)
{
    while (b != 0) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Arguments of both: c2, k, s. Conv goes on with the padding, groups, dilation, activation. */
static int build(nn_builder *b, const nn_module_args *a, int groups, bool has_padding)
{
    nn_conv_args conv = {.c2 = a->c2,
                         .k = nn_arg_int(b, a, 1, 1, 1, 31),
                         .s = nn_arg_int(b, a, 2, 1, 1, 8),
                         .g = groups};
    /* Maps are ceil(side / stride) wide; no other padding gives that. */
    int pad = has_padding ? nn_arg_int(b, a, 3, conv.k / 2, 0, 31) : conv.k / 2;
    int fits = (conv.k - 1) / 2;
    if (pad != fits)
        nn_build_fail(b, VG_ERR_UNSUPPORTED,
                      has_padding ? base_mend("give kernel %d the padding %d", conv.k, fits)
                                  : "use an odd kernel",
                      "a convolution of kernel %d with padding %d", conv.k, pad);
    if (has_padding) {
        conv.g = nn_arg_int(b, a, 4, 1, 1, NN_MAX_CHANNELS);
        if (nn_arg_int(b, a, 5, 1, 1, 31) != 1)
            nn_build_fail(b, VG_ERR_UNSUPPORTED, NULL, "a dilated convolution");
        conv.linear = !nn_arg_bool(b, a, 6, true);
    }
    return nn_build_conv(b, a->key, a->in[0], conv);
}

static int build_conv(nn_builder *b, const nn_module_args *a)
{
    return build(b, a, 1, true);
}

static int build_dwconv(nn_builder *b, const nn_module_args *a)
{
    return build(b, a, gcd(nn_build_channels(b, a->in[0]), a->c2), false);
}

const nn_module nn_module_conv = {.name = "Conv",
                                  .help = "convolution, batch norm, SiLU: c2, k, s, p",
                                  .scales_width = true,
                                  .build = build_conv};

const nn_module nn_module_dwconv = {.name = "DWConv",
                                    .help = "depthwise convolution, batch norm, SiLU: c2, k, s",
                                    .scales_width = true,
                                    .build = build_dwconv};
