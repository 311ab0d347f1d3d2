/* module_c2psa.c: the attention block of YOLO11. Spec 1.4. */
#include "build.h"

enum { HEAD_DIM = 64, KEY_DIM = HEAD_DIM / 2 };

/* qkv holds, head by head, K channels of q, K of k and D of v; v of all heads side by side is what
 * pe convolves. */
static int attention(nn_builder *b, const char *key, int in, int c)
{
    int heads = c / HEAD_DIM, per_head = 2 * KEY_DIM + HEAD_DIM;
    int qkv = nn_build_conv(b, NN_KEY(key, ".qkv"), in,
                            (nn_conv_args){.c2 = heads * per_head, .linear = true});
    int o = nn_build_attention(b, qkv, heads, KEY_DIM, HEAD_DIM);
    int v[NN_MAX_INPUTS];
    for (int i = 0; i < heads; i++)
        v[i] = nn_build_slice(b, qkv, i * per_head + 2 * KEY_DIM, HEAD_DIM);
    int pe = nn_build_conv(b, NN_KEY(key, ".pe"), nn_build_concat(b, v, heads),
                           (nn_conv_args){.c2 = c, .k = 3, .g = c, .linear = true});
    return nn_build_conv(b, NN_KEY(key, ".proj"), nn_build_add(b, o, pe),
                         (nn_conv_args){.c2 = c, .linear = true});
}

static int build(nn_builder *b, const nn_module_args *a)
{
    int c = (int)(nn_build_channels(b, a->in[0]) * nn_arg_real(b, a, 1, 0.5));
    if (nn_build_channels(b, a->in[0]) != a->c2)
        nn_build_fail(b, VG_ERR_FORMAT, "give C2PSA the width of its input",
                      "a C2PSA from %d to %d channels", nn_build_channels(b, a->in[0]), a->c2);
    if (c < HEAD_DIM || c % HEAD_DIM != 0 || c / HEAD_DIM > NN_MAX_INPUTS) {
        nn_build_fail(b, VG_ERR_UNSUPPORTED, "use a multiple of 64, up to 1024",
                      "a C2PSA of inner width %d", c);
        return NN_NO_VALUE;
    }
    int split = nn_build_conv(b, NN_KEY(a->key, ".cv1"), a->in[0], (nn_conv_args){.c2 = 2 * c});
    int kept = nn_build_slice(b, split, 0, c);
    int x = nn_build_slice(b, split, c, c);
    for (int i = 0; i < a->repeats; i++) {
        nn_key key = nn_key_make(a->key, ".m.%d", i);
        x = nn_build_add(b, x, attention(b, NN_KEY(key.text, ".attn"), x, c));
        int wide = nn_build_conv(b, NN_KEY(key.text, ".ffn.0"), x, (nn_conv_args){.c2 = 2 * c});
        int back = nn_build_conv(b, NN_KEY(key.text, ".ffn.1"), wide,
                                 (nn_conv_args){.c2 = c, .linear = true});
        x = nn_build_add(b, x, back);
    }
    int both = nn_build_concat(b, (int[]){kept, x}, 2);
    return nn_build_conv(b, NN_KEY(a->key, ".cv2"), both, (nn_conv_args){.c2 = a->c2});
}

const nn_module nn_module_c2psa = {.name = "C2PSA",
                                   .help = "half the channels through attention blocks: c2, e",
                                   .scales_width = true,
                                   .repeats_inside = true,
                                   .build = build};
