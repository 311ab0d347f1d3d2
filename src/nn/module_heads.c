/* module_heads.c: the heads of the other tasks. Three are the detection head with one more branch;
 * that of Segment has prototypes besides. Spec 1.2 of the tasks. */
#include <math.h>

#include "build.h"

enum { MASKS = 32, PROTOTYPES = 256, FEATURES = 1280 };

/* A width as a row's is scaled, which a width that is an argument is, too: to a multiple of 8. */
static int scaled(const nn_builder *b, int c)
{
    const double wide = c < b->most_channels ? c : b->most_channels;
    const double n = 8 * ceil(wide * b->width / 8);
    return n <= NN_MAX_CHANNELS ? (int)n : NN_MAX_CHANNELS + 1;
}

static void refuse_more(nn_builder *b, const nn_module_args *a, size_t most, const char *name)
{
    if (base_node_at(a->args, most))
        nn_build_fail(b, VG_ERR_UNSUPPORTED, NULL, "%s with more than %zu arguments", name, most);
}

/* Of the finest level: a map at twice its side. */
static int prototypes(nn_builder *b, const char *key, int in, int c, int n)
{
    int x = nn_build_conv(b, NN_KEY(key, ".cv1"), in, (nn_conv_args){.c2 = c, .k = 3});
    x = nn_build_transposed(b, NN_KEY(key, ".upsample"), x, c);
    x = nn_build_conv(b, NN_KEY(key, ".cv2"), x, (nn_conv_args){.c2 = c, .k = 3});
    return nn_build_conv(b, NN_KEY(key, ".cv3"), x, (nn_conv_args){.c2 = n});
}

static int build_segment(nn_builder *b, const nn_module_args *a)
{
    const int n = nn_arg_int(b, a, 1, MASKS, 1, NN_MAX_CHANNELS);
    const int c = scaled(b, nn_arg_int(b, a, 2, PROTOTYPES, 1, NN_MAX_CHANNELS));
    refuse_more(b, a, 3, "Segment");
    nn_build_result(b, NN_PROTOTYPES, prototypes(b, NN_KEY(a->key, ".proto"), a->in[0], c, n));
    nn_block_detect(b, a, n);
    return NN_NO_VALUE;
}

/* The second argument is the word kpt_shape, or the list itself. */
static int build_pose(nn_builder *b, const nn_module_args *a)
{
    nn_graph *g = b->graph;
    const base_node *shape = base_node_at(a->args, 1);
    const base_node *k = base_node_at(shape, 0), *dims = base_node_at(shape, 1);
    g->keypoints = b->keypoints;
    g->keypoint_dims = b->keypoint_dims;
    if (g->keypoints == 0 && shape && shape->kind == BASE_NODE_LIST && shape->n_children == 2 &&
        k->kind == BASE_NODE_INT && dims->kind == BASE_NODE_INT && k->i >= 1 &&
        k->i <= NN_MOST_KEYPOINTS && dims->i >= 2 && dims->i <= 3) {
        g->keypoints = (int)k->i;
        g->keypoint_dims = (int)dims->i;
    }
    refuse_more(b, a, 2, "Pose");
    if (g->keypoints == 0) {
        nn_build_fail(b, VG_ERR_FORMAT, "write kpt_shape: [17, 3] above the layers",
                      "a Pose head without the number of its points");
        return NN_NO_VALUE;
    }
    nn_block_detect(b, a, g->keypoints * g->keypoint_dims);
    return NN_NO_VALUE;
}

static int build_obb(nn_builder *b, const nn_module_args *a)
{
    if (nn_arg_int(b, a, 1, 1, 1, NN_MAX_CHANNELS) != 1)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, "write [nc, 1]",
                      "an OBB head with more than an angle");
    refuse_more(b, a, 2, "OBB");
    nn_block_detect(b, a, 1);
    return NN_NO_VALUE;
}

static int build_classify(nn_builder *b, const nn_module_args *a)
{
    const base_node *said = base_node_at(a->args, 0);
    if (said && said->kind == BASE_NODE_INT && said->i != b->graph->nc)
        nn_build_fail(b, VG_ERR_FORMAT, "write nc there, or make the two agree",
                      "a head for %lld classes in a model of %d", (long long)said->i, b->graph->nc);
    refuse_more(b, a, 1, "Classify");
    if (a->n_in != 1)
        nn_build_fail(b, VG_ERR_FORMAT, "name one row", "a Classify head of %d maps", a->n_in);
    int x = nn_build_conv(b, NN_KEY(a->key, ".conv"), a->in[0], (nn_conv_args){.c2 = FEATURES});
    x = nn_build_conv(b, NN_KEY(a->key, ".linear"), nn_build_mean(b, x),
                      (nn_conv_args){.c2 = b->graph->nc, .plain = true, .form = NN_FORM_LINEAR});
    nn_build_result(b, NN_LOGITS, x);
    return NN_NO_VALUE;
}

const nn_module nn_module_segment = {.name = "Segment",
                                     .help = "detection, and masks: nc, masks, prototypes' width",
                                     .is_head = true,
                                     .task = VG_TASK_SEGMENT,
                                     .build = build_segment};
const nn_module nn_module_pose = {.name = "Pose",
                                  .help = "detection, and keypoints: nc, kpt_shape",
                                  .is_head = true,
                                  .task = VG_TASK_POSE,
                                  .build = build_pose};
const nn_module nn_module_obb = {.name = "OBB",
                                 .help = "detection of turned boxes: nc, 1",
                                 .is_head = true,
                                 .task = VG_TASK_OBB,
                                 .build = build_obb};
const nn_module nn_module_classify = {.name = "Classify",
                                      .help = "one class for a picture: nc",
                                      .is_head = true,
                                      .task = VG_TASK_CLASSIFY,
                                      .build = build_classify};
