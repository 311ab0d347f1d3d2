/* detector.c: vg_detector: one engine with the buffers for its pictures. */
#include <string.h>

#include "handle.h"

size_t api_detector_plan(stream_accounts *mem, const nn_graph_info *info, base_size imgsz,
                         int batch)
{
    size_t input_bytes = (size_t)batch * (size_t)imgsz.h * (size_t)imgsz.w * 3 * sizeof(float);
    mem->planned_bytes[STREAM_FRAMES] = input_bytes + image_letterbox_bytes(imgsz.w, imgsz.h);
    mem->planned_bytes[STREAM_DETECTIONS] = (size_t)info->nc + API_MOST_DET * sizeof(vg_detection);
    return input_bytes;
}

static vg_status open_handle(vg_detector *d, const vg_options *o, vg_error *err)
{
    stream_detector_options so;
    stream_model model = {0};
    stream_accounts *mem = &d->own;
    base_mem *frames = &mem->owner[STREAM_FRAMES];
    vg_status st = api_detector_options(&so, o, err);
    if (st == VG_OK)
        st = stream_model_open(&model, so.weights, so.imgsz, mem, err);
    if (st != VG_OK)
        return st;
    d->batch = so.batch;
    st = image_decoder_create(&d->decoder, NULL, frames, err);
    size_t decoder_bytes = frames->in_use_bytes, nc = (size_t)model.info.nc;
    size_t input_bytes = api_detector_plan(mem, &model.info, model.imgsz.used, so.batch);
    mem->planned_bytes[STREAM_FRAMES] += decoder_bytes;
    if (st == VG_OK)
        st = stream_detector_open(&d->detector, &model, &so, model.imgsz.used.h, model.imgsz.used.w,
                                  API_MOST_DET, mem, err);
    stream_model_close(&model);
    if (st != VG_OK)
        return st;
    base_mem *detections = &mem->owner[STREAM_DETECTIONS];
    d->input = base_alloc_zero(frames, 1, input_bytes, err);
    d->wanted = base_alloc_zero(detections, nc, 1, err);
    d->rows = base_alloc_zero(detections, API_MOST_DET, sizeof *d->rows, err);
    if (!d->input || !d->wanted || !d->rows)
        return VG_ERR_MEMORY;
    return image_letterbox_reserve(&d->scratch, model.imgsz.used.w, model.imgsz.used.h, frames,
                                   err);
}

vg_status vg_detector_open(vg_detector **out, const vg_options *o, vg_error *err)
{
    *out = NULL;
    vg_detector *d = base_handle_alloc(sizeof *d, err);
    if (!d)
        return VG_ERR_MEMORY;
    stream_accounts_init(&d->own, o ? o->memory_limit_bytes : 0);
    d->accounts = &d->own;
    vg_status st = open_handle(d, o, err);
    if (st != VG_OK)
        vg_detector_close(&d);
    *out = d;
    return st;
}

void vg_detector_close(vg_detector **detector)
{
    vg_detector *d = *detector;
    if (d) {
        stream_detector_close(&d->detector);
        image_decoder_destroy(&d->decoder);
        image_buffer_fini(&d->picture);
        image_scratch_fini(&d->scratch);
        picture_bytes_fini(&d->bytes);
        base_free(d->input);
        base_free(d->wanted);
        base_free(d->rows);
        base_handle_free(d);
    }
    *detector = NULL;
}

void vg_detector_info(const vg_detector *d, vg_model_info *out)
{
    stream_detector_facts(out, d->detector);
}

const char *vg_detector_class_name(const vg_detector *d, int class_index)
{
    return stream_detector_class_name(d->detector, class_index);
}

void vg_detector_memory(const vg_detector *d, vg_memory *out)
{
    stream_accounts_memory(out, d->accounts);
}

bool vg_detector_letters_format(char *buf, size_t n, const vg_detector *d)
{
    const image_names names = stream_detector_names(d->detector);
    return image_letters_format(buf, n, &names);
}

/* ---- detecting ---- */

/* What is left after an open that failed. */
static vg_status no_detector(vg_error *err)
{
    return base_fail(err, VG_ERR_ARGUMENT, "detector", "open it first: vg_detector_open",
                     "no detector");
}

static vg_status check_image(const vg_image *image, size_t index, vg_error *err)
{
    size_t row = image && image->width > 0 ? (size_t)image->width * 3 : 0;
    if (!image || !image->pixels || image->width < 1 || image->height < 1 ||
        (image->stride && image->stride < row) ||
        (image->format != VG_RGB && image->format != VG_BGR))
        return base_fail(
            err, VG_ERR_ARGUMENT, base_where("image %zu", index),
            "give pixels, width, height, a stride of at least 3 * width (or 0) and a format",
            "a picture of %d x %d, stride %zu", image ? image->width : 0, image ? image->height : 0,
            image ? image->stride : 0);
    return VG_OK;
}

/* The class filter as a table; NULL in o->classes: no filter. */
static vg_status set_classes(vg_detector *d, detect_nms_options *nms, const vg_detect_options *o,
                             vg_error *err)
{
    int nc = stream_detector_info(d->detector)->nc;
    if (!o->classes)
        return VG_OK;
    memset(d->wanted, 0, (size_t)nc);
    for (size_t i = 0; i < o->n_classes; i++) {
        if (o->classes[i] < 0 || o->classes[i] >= nc)
            return base_fail(err, VG_ERR_ARGUMENT, "classes", base_mend("use 0 to %d", nc - 1),
                             "class %d of a model of %d classes", o->classes[i], nc);
        d->wanted[o->classes[i]] = 1;
    }
    nms->classes = d->wanted;
    return VG_OK;
}

static image_view view_of(const vg_image *image)
{
    /* The pixels are only read: image_view has no const twin. */
    return (image_view){.data = (uint8_t *)(uintptr_t)image->pixels,
                        .w = image->width,
                        .h = image->height,
                        .stride = image->stride ? image->stride : (size_t)image->width * 3};
}

/* Letterboxes one picture into place i of the input. */
static vg_status put_image(vg_detector *d, const vg_image *image, size_t i, bool rect,
                           image_letterbox_fit *fit, vg_error *err)
{
    int stride = stream_detector_info(d->detector)->max_stride;
    vg_status st = stream_fit(fit, stream_detector_imgsz(d->detector), stride, image->width,
                              image->height, rect, err);
    if (st != VG_OK)
        return st;
    image_view view = view_of(image);
    size_t pixels = (size_t)fit->out_w * (size_t)fit->out_h;
    float *dst = d->input + i * pixels * 3;
    st = image_letterbox_to_float(dst, &view, fit, &d->scratch, &d->own.owner[STREAM_FRAMES], err);
    if (st == VG_OK && image->format == VG_BGR) /* after resizing there is less to turn round */
        for (size_t p = 0; p < pixels; p++) {
            float red = dst[3 * p + 2];
            dst[3 * p + 2] = dst[3 * p];
            dst[3 * p] = red;
        }
    return st;
}

vg_status vg_detect_batch(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                          const vg_image *images, size_t n_images, const vg_detect_options *o,
                          vg_error *err)
{
    vg_detect_options defaults = vg_detect_options_default();
    detect_nms_options nms;
    image_letterbox_fit fit = {0};
    o = o ? o : &defaults;
    if (!d)
        return no_detector(err);
    if (!n_out || (!out && capacity > 0))
        return base_fail(err, VG_ERR_ARGUMENT, n_out ? "out" : "n_out", "give room for the results",
                         "no room for results");
    if (d->is_lent)
        return base_fail(err, VG_ERR_ARGUMENT, "detector", "open a detector of your own",
                         "a detector that belongs to a predict job");
    if (n_images < 1 || n_images > (size_t)d->batch)
        return base_fail(err, VG_ERR_ARGUMENT, "n_images", "open the detector with a larger batch",
                         "%zu pictures, where the detector's batch is %d", n_images, d->batch);
    for (size_t i = 0; i < n_images; i++)
        n_out[i] = 0;
    vg_status st = api_nms_options(&nms, o, err);
    if (st == VG_OK)
        st = set_classes(d, &nms, o, err);
    bool rect = true;
    for (size_t i = 0; i < n_images && st == VG_OK; i++) {
        st = check_image(images ? &images[i] : NULL, i, err);
        rect = rect && st == VG_OK && images[i].width == images[0].width &&
               images[i].height == images[0].height;
    }
    for (size_t i = 0; i < n_images && st == VG_OK; i++)
        st = put_image(d, &images[i], i, rect, &fit, err);
    if (st == VG_OK)
        st = stream_detector_run(d->detector, d->input, (int)n_images, fit.out_h, fit.out_w,
                                 &d->own, err);
    if (st != VG_OK)
        return st;
    for (size_t i = 0; i < n_images; i++) {
        size_t n = stream_detector_boxes(d->detector, d->rows, (int)i, images[i].width,
                                         images[i].height, &nms);
        n_out[i] = n < capacity ? n : capacity;
        if (n_out[i] > 0)
            memcpy(out + i * capacity, d->rows, n_out[i] * sizeof *out);
    }
    return VG_OK;
}

vg_status vg_detect(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                    const vg_image *image, const vg_detect_options *o, vg_error *err)
{
    if (n_out)
        *n_out = 0;
    return vg_detect_batch(d, out, capacity, n_out, image, 1, o, err);
}

vg_status vg_detect_file(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                         const char *path, const vg_detect_options *o, vg_error *err)
{
    if (n_out)
        *n_out = 0;
    if (!d)
        return no_detector(err);
    if (!path)
        return base_fail(err, VG_ERR_ARGUMENT, "path", "give the path of a picture", "no path");
    base_mem *frames = &d->own.owner[STREAM_FRAMES];
    vg_status st = d->is_lent ? VG_OK : picture_bytes_read(&d->bytes, path, true, 0, frames, err);
    if (st == VG_OK && !d->is_lent)
        st = image_decode(d->decoder, &d->picture, d->bytes.block, d->bytes.n, path, frames, err);
    if (st != VG_OK)
        return st;
    const image_view *v = &d->picture.view;
    vg_image image = {
        .pixels = v->data, .width = v->w, .height = v->h, .stride = v->stride, .format = VG_RGB};
    return vg_detect(d, out, capacity, n_out, &image, o, err);
}
