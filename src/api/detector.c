/* detector.c: vg_detector: one engine with the buffers for its pictures. */
#include "handle.h"

#include <string.h>
#include <unistd.h>

vg_status vg_detector_open(vg_detector **out, const vg_options *o, vg_error *err)
{
    stream_detector_options so;
    *out = NULL;
    vg_detector *d = base_handle_alloc(sizeof *d, err);
    if (!d)
        return VG_ERR_MEMORY;
    stream_accounts_init(&d->own, o ? o->memory_limit_bytes : 0);
    stream_accounts_limit_gpu(&d->own, o ? o->gpu_memory_limit_bytes : 0);
    d->accounts = &d->own;
    d->pid = getpid();
    vg_status st = api_detector_options(&so, o, err);
    if (st == VG_OK)
        st = stream_batcher_open(&d->batcher, &so, API_MOST_DET, &d->own, err);
    d->sizes = d->batcher.sizes;
    d->detector = d->batcher.detector;
    if (st != VG_OK)
        vg_detector_close(&d);
    *out = d;
    return st;
}

void vg_detector_close(vg_detector **detector)
{
    vg_detector *d = *detector;
    if (d) {
        if (d->pid == getpid()) /* else there are no threads that could be ended */
            stream_batcher_close(&d->batcher);
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

void vg_detector_times(const vg_detector *d, vg_predict_times *out)
{
    *out = d->times;
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

/* Pixels into the network's input. A batch of one shape has a rectangular one. */
static vg_status put_images(vg_detector *d, const vg_image *images, size_t n_images, vg_error *err)
{
    bool rect = true;
    image_pixels pixels;
    vg_status st = VG_OK;
    for (size_t i = 0; i < n_images && st == VG_OK; i++) {
        st = api_image_pixels(&pixels, images ? &images[i] : NULL, i, err);
        rect = rect && st == VG_OK && images[i].width == images[0].width &&
               images[i].height == images[0].height;
    }
    for (size_t i = 0; i < n_images && st == VG_OK; i++) {
        st = api_image_pixels(&pixels, &images[i], i, err);
        if (st == VG_OK)
            st = stream_batcher_put(&d->batcher, (int)i, &pixels, rect, err);
    }
    return st;
}

/* Milliseconds since *since, which becomes now. */
static double lap_ms(int64_t *since)
{
    const int64_t now = base_now_ns(), was = *since;
    *since = now;
    return base_ms(now - was);
}

vg_status vg_detect_batch(vg_detector *d, vg_detection *out, size_t capacity, size_t *n_out,
                          const vg_image *images, size_t n_images, const vg_detect_options *o,
                          vg_error *err)
{
    vg_detect_options defaults = vg_detect_options_default();
    detect_nms_options nms;
    o = o ? o : &defaults;
    if (!d)
        return no_detector(err);
    d->times = (vg_predict_times){0};
    if (!n_out || (!out && capacity > 0))
        return base_fail(err, VG_ERR_ARGUMENT, n_out ? "out" : "n_out", "give room for the results",
                         "no room for results");
    if (d->is_lent)
        return base_fail(err, VG_ERR_ARGUMENT, "detector", "open a detector of your own",
                         "a detector that belongs to a predict job");
    if (api_check_process(d->pid, err) != VG_OK)
        return VG_ERR_ARGUMENT;
    if (n_images < 1 || n_images > (size_t)d->batcher.batch)
        return base_fail(err, VG_ERR_ARGUMENT, "n_images", "open the detector with a larger batch",
                         "%zu pictures, where the detector's batch is %d", n_images,
                         d->batcher.batch);
    for (size_t i = 0; i < n_images; i++)
        n_out[i] = 0;
    d->n_seen = 0;
    vg_status st = api_nms_options(&nms, o, err);
    if (st == VG_OK)
        st = stream_batcher_choose(&d->batcher, &nms, o->classes, o->n_classes, err);
    int64_t since = base_now_ns();
    if (st == VG_OK)
        st = put_images(d, images, n_images, err);
    d->times.preprocess_ms = lap_ms(&since);
    if (st == VG_OK)
        st = stream_batcher_run(&d->batcher, (int)n_images, err);
    d->times.inference_ms = lap_ms(&since);
    for (size_t i = 0; i < n_images && st == VG_OK; i++) {
        const task_found *found;
        d->sizes[i] = (base_size){.w = images[i].width, .h = images[i].height};
        st = stream_batcher_find(&d->batcher, &found, (int)i, images[i].width, images[i].height,
                                 &nms, true, err);
        if (st != VG_OK)
            break;
        n_out[i] = found->n < capacity ? found->n : capacity;
        if (n_out[i] > 0)
            memcpy(out + i * capacity, found->boxes, n_out[i] * sizeof *out);
    }
    d->nms = nms;
    d->n_seen = st == VG_OK ? n_images : 0;
    d->times.postprocess_ms = lap_ms(&since);
    return st;
}

vg_status vg_detector_extras(vg_detector *d, vg_extras *out, size_t *n_rows, size_t index,
                             vg_error *err)
{
    const task_found *found;
    *out = (vg_extras){0};
    if (!d)
        return no_detector(err);
    if (index >= d->n_seen)
        return base_fail(err, VG_ERR_ARGUMENT, "index",
                         "ask after a call of vg_detect that succeeded",
                         "extras of picture %zu, where %zu were looked at", index, d->n_seen);
    const base_size size = d->sizes[index];
    const vg_status st =
        stream_batcher_find(&d->batcher, &found, (int)index, size.w, size.h, &d->nms, false, err);
    if (st != VG_OK)
        return st;
    *out = found->extras;
    if (n_rows)
        *n_rows = found->n;
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
    image_view v = {0};
    int64_t since = base_now_ns();
    vg_status st = d->is_lent ? VG_OK : stream_batcher_read(&d->batcher, &v, path, err);
    if (st != VG_OK)
        return st;
    const double decode_ms = lap_ms(&since);
    const vg_image image = {
        .pixels = v.data, .width = v.w, .height = v.h, .stride = v.stride, .format = VG_RGB};
    st = vg_detect(d, out, capacity, n_out, &image, o, err);
    d->times.decode_ms = decode_ms;
    return st;
}
