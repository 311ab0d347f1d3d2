/* imgsz.c: the size of a network's input: what was asked for, what it was raised to, and the line
 * that says so. */
#include "nn.h"

static int raised(int side, int stride)
{
    return (side + stride - 1) / stride * stride;
}

nn_imgsz nn_imgsz_choose(base_size given, base_size own, int stride)
{
    nn_imgsz s = {.asked = {.h = NN_IMGSZ, .w = NN_IMGSZ}, .from = VG_IMGSZ_DEFAULT};
    if (given.h > 0)
        s = (nn_imgsz){.asked = given, .from = VG_IMGSZ_GIVEN};
    else if (own.h > 0)
        s = (nn_imgsz){.asked = own, .from = VG_IMGSZ_OF_WEIGHTS};
    s.used = (base_size){.h = raised(s.asked.h, stride), .w = raised(s.asked.w, stride)};
    return s;
}

bool nn_imgsz_format(char *buf, size_t n, const vg_model_info *info)
{
    static const char *const sources[] = {[VG_IMGSZ_GIVEN] = "",
                                          [VG_IMGSZ_OF_WEIGHTS] = ", as the weights were trained",
                                          [VG_IMGSZ_DEFAULT] =
                                              ", since the weights do not say theirs"};
    char used[32], asked[32];
    const bool is_square = info->imgsz == info->imgsz_w,
               is_raised = info->imgsz != info->asked_imgsz || info->imgsz_w != info->asked_imgsz_w;
    base_format_size(used, sizeof used, (base_size){info->imgsz, info->imgsz_w});
    base_format_size(asked, sizeof asked, (base_size){info->asked_imgsz, info->asked_imgsz_w});
    base_format(buf, n, "%s", "");
    if (is_raised)
        base_format(buf, n, "imgsz %s%s is raised to %s, %s of the stride %d", asked,
                    info->imgsz_from == VG_IMGSZ_OF_WEIGHTS ? " of the weights" : "", used,
                    is_square ? "a multiple" : "multiples", info->max_stride);
    else if (info->imgsz_from != VG_IMGSZ_GIVEN)
        base_format(buf, n, "imgsz %s%s", used, sources[info->imgsz_from]);
    return is_raised || info->imgsz_from != VG_IMGSZ_GIVEN;
}

void nn_model_info(vg_model_info *out, const nn_graph_info *info, const nn_imgsz *imgsz)
{
    *out = (vg_model_info){.name = info->name,
                           .scale = info->scale,
                           .task = info->task,
                           .n_keypoints = info->keypoints,
                           .keypoint_dims = info->keypoint_dims,
                           .format = "",
                           .chosen = "",
                           .isa = "",
                           .gpu = "",
                           .imgsz = imgsz->used.h,
                           .imgsz_w = imgsz->used.w,
                           .asked_imgsz = imgsz->asked.h,
                           .asked_imgsz_w = imgsz->asked.w,
                           .imgsz_from = imgsz->from,
                           .n_classes = info->nc,
                           .n_layers = info->n_layers,
                           .max_stride = info->max_stride,
                           .n_params = info->n_params,
                           .n_params_fused = info->n_params_fused,
                           .gflops = info->gflops,
                           .gflops_fused = info->gflops_fused};
}
