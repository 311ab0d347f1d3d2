/* module_c3k2.c: Bottleneck, C3k and C3k2, which nests the other two. Spec 1.4. */
#include "build.h"

int nn_block_bottleneck(nn_builder *b, const char *key, int in, int c2, bool shortcut, int k,
                        double e)
{
    int c1 = nn_build_channels(b, in);
    int hidden = (int)(c2 * e);
    int x = nn_build_conv(b, NN_KEY(key, ".cv1"), in, (nn_conv_args){.c2 = hidden, .k = k});
    x = nn_build_conv(b, NN_KEY(key, ".cv2"), x, (nn_conv_args){.c2 = c2, .k = 3});
    return shortcut && c1 == c2 ? nn_build_add(b, in, x) : x;
}

int nn_block_c3(nn_builder *b, const char *key, int in, int c2, int n, bool shortcut, int k,
                double e)
{
    int hidden = (int)(c2 * e);
    int x = nn_build_conv(b, NN_KEY(key, ".cv1"), in, (nn_conv_args){.c2 = hidden});
    for (int i = 0; i < n; i++)
        x = nn_block_bottleneck(b, NN_KEY(key, ".m.%d", i), x, hidden, shortcut, k, 1.0);
    int y = nn_build_conv(b, NN_KEY(key, ".cv2"), in, (nn_conv_args){.c2 = hidden});
    int both = nn_build_concat(b, (int[]){x, y}, 2);
    return nn_build_conv(b, NN_KEY(key, ".cv3"), both, (nn_conv_args){.c2 = c2});
}

static int build_bottleneck(nn_builder *b, const nn_module_args *a)
{
    return nn_block_bottleneck(b, a->key, a->in[0], a->c2, nn_arg_bool(b, a, 1, true), 3,
                               nn_arg_real(b, a, 4, 0.5));
}

static int build_c3k(nn_builder *b, const nn_module_args *a)
{
    return nn_block_c3(b, a->key, a->in[0], a->c2, a->repeats, nn_arg_bool(b, a, 1, true), 3, 0.5);
}

/* Arguments: c2, c3k, e, g, shortcut. */
static int build_c3k2(nn_builder *b, const nn_module_args *a)
{
    bool c3k = nn_arg_bool(b, a, 1, false) || b->c3k_forced;
    int c = (int)(a->c2 * nn_arg_real(b, a, 2, 0.5));
    if (nn_arg_int(b, a, 3, 1, 1, NN_MAX_CHANNELS) != 1)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, NULL, "a C3k2 with groups");
    bool shortcut = nn_arg_bool(b, a, 4, true);
    if (a->repeats > NN_MAX_INPUTS - 1) {
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "a C3k2 of %d repeats, more than %d", a->repeats,
                      NN_MAX_INPUTS - 1);
        return NN_NO_VALUE;
    }
    int split = nn_build_conv(b, NN_KEY(a->key, ".cv1"), a->in[0], (nn_conv_args){.c2 = 2 * c});
    int y[NN_MAX_INPUTS] = {split}; /* both halves; then what each block adds */
    int x = nn_build_slice(b, split, c, c);
    for (int i = 0; i < a->repeats; i++) {
        nn_key key = nn_key_make(a->key, ".m.%d", i);
        x = c3k ? nn_block_c3(b, key.text, x, c, 2, shortcut, 3, 0.5)
                : nn_block_bottleneck(b, key.text, x, c, shortcut, 3, 0.5);
        y[1 + i] = x;
    }
    int all = nn_build_concat(b, y, 1 + a->repeats);
    return nn_build_conv(b, NN_KEY(a->key, ".cv2"), all, (nn_conv_args){.c2 = a->c2});
}

const nn_module nn_module_bottleneck = {.name = "Bottleneck",
                                        .help =
                                            "two 3x3 convolutions with a shortcut: c2, shortcut",
                                        .scales_width = true,
                                        .build = build_bottleneck};

const nn_module nn_module_c3k = {.name = "C3k",
                                 .help = "cross-stage block of bottlenecks: c2, shortcut",
                                 .scales_width = true,
                                 .repeats_inside = true,
                                 .build = build_c3k};

const nn_module nn_module_c3k2 = {.name = "C3k2",
                                  .help = "cross-stage block of YOLO11: c2, c3k, e",
                                  .scales_width = true,
                                  .repeats_inside = true,
                                  .build = build_c3k2};
