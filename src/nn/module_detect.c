/* module_detect.c: the detection head: per level a box branch (4 x 16 bins) and a class branch.
 * Spec 1.4. */
#include <string.h>

#include "build.h"

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

/* Returns the logits of a level. */
static int class_branch(nn_builder *b, const char *key, int in, int c3)
{
    int c = nn_build_channels(b, in), x;
    if (b->graph->class_branch == NN_CLASS_PLAIN) {
        x = nn_build_conv(b, NN_KEY(key, ".0"), in, (nn_conv_args){.c2 = c3, .k = 3});
        x = nn_build_conv(b, NN_KEY(key, ".1"), x, (nn_conv_args){.c2 = c3, .k = 3});
    } else {
        x = nn_build_conv(b, NN_KEY(key, ".0.0"), in, (nn_conv_args){.c2 = c, .k = 3, .g = c});
        x = nn_build_conv(b, NN_KEY(key, ".0.1"), x, (nn_conv_args){.c2 = c3});
        x = nn_build_conv(b, NN_KEY(key, ".1.0"), x, (nn_conv_args){.c2 = c3, .k = 3, .g = c3});
        x = nn_build_conv(b, NN_KEY(key, ".1.1"), x, (nn_conv_args){.c2 = c3});
    }
    return nn_build_conv(b, NN_KEY(key, ".2"), x,
                         (nn_conv_args){.c2 = b->graph->nc, .plain = true});
}

/* The branch that a task adds, cv4: plain convolutions, and its own width. Spec 1.2 of the tasks.
 */
static int extra_branch(nn_builder *b, const char *key, int in, int c4, int n_extra)
{
    int x = nn_build_conv(b, NN_KEY(key, ".0"), in, (nn_conv_args){.c2 = c4, .k = 3});
    x = nn_build_conv(b, NN_KEY(key, ".1"), x, (nn_conv_args){.c2 = c4, .k = 3});
    return nn_build_conv(b, NN_KEY(key, ".2"), x, (nn_conv_args){.c2 = n_extra, .plain = true});
}

void nn_block_detect(nn_builder *b, const nn_module_args *a, int n_extra)
{
    int nc = b->graph->nc;
    const base_node *said = base_node_at(a->args, 0);
    if (said && said->kind == BASE_NODE_INT && said->i != nc)
        nn_build_fail(b, VG_ERR_FORMAT, "write nc there, or make the two agree",
                      "a head for %lld classes in a model of %d", (long long)said->i, nc);
    int c0 = nn_build_channels(b, a->in[0]);
    int c2 = max_int(16, max_int(c0 / 4, 4 * NN_REG_MAX));
    int c3 = max_int(c0, nc < 100 ? nc : 100);
    int box[NN_MAX_LEVELS], cls[NN_MAX_LEVELS];
    if (a->n_in > NN_MAX_LEVELS) {
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "a head of %d levels, more than %d", a->n_in,
                      NN_MAX_LEVELS);
        return;
    }
    for (int i = 0; i < a->n_in; i++) {
        nn_key key = nn_key_make(a->key, ".cv2.%d", i);
        int x =
            nn_build_conv(b, NN_KEY(key.text, ".0"), a->in[i], (nn_conv_args){.c2 = c2, .k = 3});
        x = nn_build_conv(b, NN_KEY(key.text, ".1"), x, (nn_conv_args){.c2 = c2, .k = 3});
        box[i] = nn_build_conv(b, NN_KEY(key.text, ".2"), x,
                               (nn_conv_args){.c2 = 4 * NN_REG_MAX, .plain = true});
    }
    for (int i = 0; i < a->n_in; i++)
        cls[i] = class_branch(b, NN_KEY(a->key, ".cv3.%d", i), a->in[i], c3);
    nn_build_dfl(b, NN_KEY(a->key, ".dfl.conv.weight"));
    for (int i = 0; i < a->n_in; i++) {
        int extra = NN_NO_VALUE;
        if (n_extra > 0)
            extra = extra_branch(b, NN_KEY(a->key, ".cv4.%d", i), a->in[i],
                                 max_int(c0 / 4, n_extra), n_extra);
        nn_build_level(b, box[i], cls[i], extra);
    }
    b->graph->n_extra = n_extra;
}

static int build(nn_builder *b, const nn_module_args *a)
{
    if (base_node_at(a->args, 1))
        nn_build_fail(b, VG_ERR_UNSUPPORTED, "write [nc] alone: this head has no anchors",
                      "Detect with more than the class count");
    nn_block_detect(b, a, 0);
    return NN_NO_VALUE;
}

const nn_module nn_module_detect = {.name = "Detect",
                                    .help = "detection head: nc",
                                    .is_head = true,
                                    .task = VG_TASK_DETECT,
                                    .build = build};
