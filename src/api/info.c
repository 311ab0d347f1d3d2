/* info.c: version and facts of a model. */
#include "api.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *vg_version(void)
{
    return TEXT(VG_VERSION_MAJOR) "." TEXT(VG_VERSION_MINOR) "." TEXT(VG_VERSION_PATCH);
}

bool vg_imgsz_format(char *buf, size_t n, const vg_model_info *info)
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

void api_model_info(vg_model_info *out, const nn_graph_info *info, base_size imgsz,
                    base_size asked_imgsz, vg_imgsz_from from)
{
    *out = (vg_model_info){.name = info->name,
                           .scale = info->scale,
                           .format = "",
                           .chosen = "",
                           .isa = "",
                           .imgsz = imgsz.h,
                           .imgsz_w = imgsz.w,
                           .asked_imgsz = asked_imgsz.h,
                           .asked_imgsz_w = asked_imgsz.w,
                           .imgsz_from = from,
                           .n_classes = info->nc,
                           .n_layers = info->n_layers,
                           .max_stride = info->max_stride,
                           .n_params = info->n_params,
                           .n_params_fused = info->n_params_fused,
                           .gflops = info->gflops,
                           .gflops_fused = info->gflops_fused};
}

void api_detector_info(vg_model_info *out, const stream_detector *d)
{
    const nn_engine *engine = stream_detector_engine(d);
    api_model_info(out, stream_detector_info(d), stream_detector_imgsz(d),
                   stream_detector_asked_imgsz(d), stream_detector_imgsz_from(d));
    out->format = stream_detector_format(d);
    out->chosen = stream_detector_chosen(d);
    out->isa = nn_engine_isa(engine);
    out->threads = nn_engine_threads(engine);
}
