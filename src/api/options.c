/* options.c: defaults, and checks of what callers set. */
#include <string.h>
#include <unistd.h>

#include "handle.h"

vg_options vg_options_default(void)
{
    return (vg_options){.batch = 1, .plan_cache = NN_DEFAULT_PLANS, .device = "auto"};
}

vg_detect_options vg_detect_options_default(void)
{
    return (vg_detect_options){.conf = 0.25f, .iou = 0.7f, .max_det = 300};
}

vg_predict_options vg_predict_options_default(void)
{
    return (vg_predict_options){.detector = vg_options_default(),
                                .detect = vg_detect_options_default(),
                                .save = true,
                                .project = "runs/predict",
                                .name = "exp"};
}

vg_status api_check_range(const char *what, int value, int least, int most, vg_error *err)
{
    if (value >= least && value <= most)
        return VG_OK;
    return base_fail(err, VG_ERR_ARGUMENT, what, base_mend("use %d to %d", least, most), "%s %d",
                     what, value);
}

vg_status api_check_process(pid_t pid, vg_error *err)
{
    return pid == getpid() ? VG_OK
                           : base_fail(err, VG_ERR_ARGUMENT, "handle",
                                       "open one in this process, after the fork",
                                       "a handle of process %d, from which this one was forked: "
                                       "its threads are not here",
                                       (int)pid);
}

vg_status api_check_imgsz(int h, int w, vg_error *err)
{
    if (h == 0 && w != 0)
        return base_fail(err, VG_ERR_ARGUMENT, "imgsz_w", "give imgsz, which is the height, too",
                         "a width of %d without a height", w);
    vg_status st =
        h == 0 ? VG_OK : api_check_range("imgsz", h, API_LEAST_IMGSZ, API_MOST_IMGSZ, err);
    if (st == VG_OK && w != 0)
        st = api_check_range("imgsz_w", w, API_LEAST_IMGSZ, API_MOST_IMGSZ, err);
    return st;
}

vg_status api_detector_options(stream_detector_options *out, const vg_options *o, vg_error *err)
{
    if (!o || !o->weights || !*o->weights)
        return base_fail(err, VG_ERR_ARGUMENT, "weights", "give a .pt or .safetensors file",
                         "no weights given");
    vg_status st = nn_device_check(o->device, err);
    if (st == VG_OK)
        st = api_check_imgsz(o->imgsz, o->imgsz_w, err);
    if (st == VG_OK)
        st = api_check_range("batch", o->batch, 1, API_MOST_BATCH, err);
    if (st == VG_OK)
        st = api_check_range("threads", o->threads, 0, API_MOST_THREADS, err);
    if (st == VG_OK)
        st = api_check_range("plan_cache", o->plan_cache, 1, NN_MOST_PLANS, err);
    *out = (stream_detector_options){
        .weights = o->weights,
        .task = o->task,
        .imgsz = {.h = o->imgsz, .w = o->imgsz_w > 0 ? o->imgsz_w : o->imgsz},
        .batch = o->batch,
        .threads = o->threads,
        .plan_cache = o->plan_cache,
        .augment = o->augment,
        .isa = o->isa,
        .device = o->device,
        .half = o->half,
        .retina_masks = o->retina_masks};
    return st;
}

static vg_status check_fraction(const char *what, float value, vg_error *err)
{
    if (value >= 0 && value <= 1) /* false for NaN, too */
        return VG_OK;
    return base_fail(err, VG_ERR_ARGUMENT, what, "use 0 to 1", "%s %g", what, (double)value);
}

vg_status api_nms_options(detect_nms_options *out, const vg_detect_options *o, vg_error *err)
{
    vg_status st = check_fraction("conf", o->conf, err);
    if (st == VG_OK)
        st = check_fraction("iou", o->iou, err);
    if (st == VG_OK)
        st = api_check_range("max_det", o->max_det, 1, API_MOST_DET, err);
    *out = DETECT_NMS_PREDICT;
    out->conf = o->conf;
    out->iou = o->iou;
    out->max_det = o->max_det;
    out->agnostic = o->agnostic_nms;
    return st;
}
