/* batcher.c: one batch at a time, through buffers that were made with the detector. */
#include "batcher.h"

#include <string.h>

/* Plans what a batcher takes beside its network, and returns the bytes of its input. The decoder's
 * part, a few hundred bytes, is known when it is there. */
static size_t plan(stream_accounts *mem, const nn_graph_info *info, base_size imgsz, int batch,
                   const task_shape *shape)
{
    size_t input_bytes = (size_t)batch * (size_t)imgsz.h * (size_t)imgsz.w * 3 * sizeof(float);
    mem->planned_bytes[STREAM_FRAMES] =
        input_bytes + image_letterbox_pixels_bytes(imgsz.w, imgsz.h);
    mem->planned_bytes[STREAM_DETECTIONS] =
        (size_t)info->nc + task_found_bytes(shape) + (size_t)batch * sizeof(base_size);
    return input_bytes;
}

vg_status stream_batcher_need(vg_memory *out, const stream_model *m, int batch, int threads,
                              const char *device, bool augment, int most_det, size_t plans_bytes,
                              vg_error *err)
{
    stream_accounts a; /* for sizes only: nothing stays on it */
    stream_accounts_init(&a, 0);
    nn_device *gpu = NULL;
    nn_memory_need need;
    const base_size imgsz = m->imgsz.used;
    vg_status st = nn_device_open(&gpu, device, &a.owner[STREAM_PLANS], err);
    const nn_engine_options o = {.threads = threads,
                                 .device = gpu,
                                 .max_plans = stream_plan_cache(NN_DEFAULT_PLANS, augment)};
    a.device = gpu;
    const nn_accounts mem = stream_accounts_of_engine(&a);
    if (st == VG_OK)
        st = stream_network_need(&need, m->graph, &o, batch, imgsz.h, imgsz.w, augment, &mem, err);
    if (st == VG_OK) {
        stream_accounts_plan_engine(&a, &need);
        const stream_detector_options d = {.augment = augment};
        const task_shape shape = stream_detector_shape(&m->info, &d, imgsz.h, imgsz.w, most_det);
        plan(&a, &m->info, imgsz, batch, &shape);
        a.planned_bytes[STREAM_PLANS] =
            plans_bytes + a.owner[STREAM_PLANS].in_use_bytes + need.engine_bytes;
        a.planned_bytes[STREAM_DETECTIONS] +=
            stream_detections_bytes(&m->info, &d, batch, imgsz.h, imgsz.w, most_det);
        stream_accounts_memory(out, &a);
    }
    nn_device_close(&gpu);
    return st;
}

vg_status stream_batcher_open(stream_batcher *b, const stream_detector_options *o, int most_det,
                              stream_accounts *mem, vg_error *err)
{
    stream_model model = {0};
    base_mem *frames = &mem->owner[STREAM_FRAMES];
    *b = (stream_batcher){.mem = mem, .batch = o->batch, .most_det = (size_t)most_det};
    vg_status st = stream_model_open(&model, o->weights, o->task, o->imgsz, mem, err);
    if (st != VG_OK)
        return st;
    const base_size imgsz = model.imgsz.used;
    st = image_decoder_create(&b->decoder, NULL, frames, err);
    size_t decoder_bytes = frames->in_use_bytes, nc = (size_t)model.info.nc;
    const task_shape shape = stream_detector_shape(&model.info, o, imgsz.h, imgsz.w, most_det);
    size_t input_bytes = plan(mem, &model.info, imgsz, o->batch, &shape);
    mem->planned_bytes[STREAM_FRAMES] += decoder_bytes;
    if (st == VG_OK)
        st = stream_detector_open(&b->detector, &model, o, imgsz.h, imgsz.w, most_det, mem, err);
    stream_model_close(&model);
    if (st != VG_OK)
        return st;
    base_mem *detections = &mem->owner[STREAM_DETECTIONS];
    b->input = base_alloc_zero(frames, 1, input_bytes, err);
    b->wanted = base_alloc_zero(detections, nc, 1, err);
    b->sizes = base_alloc_zero(detections, (size_t)o->batch, sizeof *b->sizes, err);
    if (!b->input || !b->wanted || !b->sizes)
        return VG_ERR_MEMORY;
    st = task_found_open(&b->found, &shape, detections, err);
    if (st != VG_OK)
        return st;
    return image_letterbox_pixels_reserve(&b->scratch, imgsz.w, imgsz.h, frames, err);
}

void stream_batcher_close(stream_batcher *b)
{
    stream_detector_close(&b->detector);
    image_decoder_destroy(&b->decoder);
    image_buffer_fini(&b->picture);
    image_scratch_fini(&b->scratch);
    picture_bytes_fini(&b->bytes);
    base_free(b->input);
    base_free(b->wanted);
    base_free(b->sizes);
    task_found_close(&b->found);
    image_buffer_fini(&b->rgb);
    *b = (stream_batcher){0};
}

vg_status stream_batcher_choose(stream_batcher *b, detect_nms_options *nms, const int *classes,
                                size_t n_classes, vg_error *err)
{
    nms->classes = classes ? b->wanted : NULL;
    return classes
               ? stream_detector_choose(b->wanted, b->detector, classes, n_classes, "classes", err)
               : VG_OK;
}

/* A whole picture's middle is made of RGB. */
static vg_status put_middle(stream_batcher *b, float *dst, const image_pixels *pixels,
                            vg_error *err)
{
    base_mem *frames = &b->mem->owner[STREAM_FRAMES];
    const vg_status st = image_buffer_reserve(&b->rgb, pixels->w, pixels->h, frames, err);
    if (st != VG_OK)
        return st;
    image_pixels_to_rgb(&b->rgb.view, pixels);
    return stream_detector_prepare(b->detector, dst, &b->rgb.view, &b->fit, &b->scratch, frames,
                                   err);
}

vg_status stream_batcher_put(stream_batcher *b, int i, const image_pixels *pixels, bool rect,
                             vg_error *err)
{
    vg_status st = stream_detector_fit(&b->fit, b->detector, pixels->w, pixels->h, rect, err);
    if (st != VG_OK)
        return st;
    float *dst = b->input + (size_t)i * (size_t)b->fit.out_w * (size_t)b->fit.out_h * 3;
    if (task_of(stream_detector_info(b->detector)->task)->is_whole)
        return put_middle(b, dst, pixels, err);
    return image_letterbox_pixels(dst, pixels, &b->fit, &b->scratch, &b->mem->owner[STREAM_FRAMES],
                                  err);
}

vg_status stream_batcher_run(stream_batcher *b, int n, vg_error *err)
{
    return stream_detector_run(b->detector, b->input, n, b->fit.out_h, b->fit.out_w, b->mem, err);
}

vg_status stream_batcher_find(stream_batcher *b, const task_found **out, int i, int w, int h,
                              const detect_nms_options *nms, bool without_extras, vg_error *err)
{
    *out = &b->found;
    return stream_detector_find(b->detector, &b->found, i, w, h, nms, without_extras, err);
}

vg_status stream_batcher_read(stream_batcher *b, image_view *out, const char *path, vg_error *err)
{
    base_mem *frames = &b->mem->owner[STREAM_FRAMES];
    vg_status st = picture_bytes_read(&b->bytes, path, true, 0, frames, err);
    if (st == VG_OK)
        st = image_decode(b->decoder, &b->picture, b->bytes.block, b->bytes.n, path, frames, err);
    if (st == VG_OK)
        *out = b->picture.view;
    return st;
}
