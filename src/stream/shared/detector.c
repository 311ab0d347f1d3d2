/* detector.c: the engine with letterbox sizes, decode and suppression around it. */
#include "detector_parts.h"

#include <string.h>

enum { MOST_NMS = 30000 }; /* spec 2.3 */

static size_t names_bytes(const nn_graph_info *info, const weights_meta *meta)
{
    size_t bytes = (size_t)info->nc * sizeof(char *);
    for (int i = 0; i < info->nc; i++)
        bytes += (i < meta->n_classes ? strlen(meta->names[i]) : 16) + 1;
    return bytes;
}

/* Names from the file, else class0, class1, ... as the field calls nameless classes. */
static vg_status take_names(stream_detector *d, const weights_meta *meta, base_mem *mem,
                            vg_error *err)
{
    int nc = d->info.nc;
    size_t bytes = names_bytes(&d->info, meta);
    d->names = base_alloc_zero(mem, 1, bytes, err);
    d->chosen = base_strdup(mem, meta->chosen, err);
    if (!d->names || !d->chosen)
        return VG_ERR_MEMORY;
    char *at = (char *)(d->names + nc), *end = (char *)d->names + bytes;
    for (int i = 0; i < nc; i++) {
        d->names[i] = at;
        if (i < meta->n_classes)
            base_format(at, (size_t)(end - at), "%s", meta->names[i]);
        else
            base_format(at, (size_t)(end - at), "class%d", i);
        at += strlen(at) + 1;
    }
    d->format = strcmp(meta->source, "pt") == 0 ? "pt" : "safetensors";
    return VG_OK;
}

static size_t n_anchors(const nn_graph_info *info, int h, int w)
{
    size_t n = 0;
    for (int i = 0; i < info->n_levels; i++)
        n += (size_t)(h / (int)info->strides[i]) * (size_t)(w / (int)info->strides[i]);
    return n;
}

static detect_views_shape views_shape(const nn_graph_info *info, int n, int h, int w)
{
    return (detect_views_shape){.n = n,
                                .h = h,
                                .w = w,
                                .nc = info->nc,
                                .n_levels = info->n_levels,
                                .strides = info->strides};
}

size_t stream_candidate_rows(const nn_graph_info *info, int h, int w, bool augment)
{
    const detect_views_shape s = views_shape(info, 1, h, w);
    size_t n = augment ? detect_views_anchors(&s) : n_anchors(info, h, w);
    return n < MOST_NMS ? n : MOST_NMS;
}

task_shape stream_detector_shape(const nn_graph_info *info, const stream_detector_options *o,
                                 int most_h, int most_w, int most_det)
{
    const bool is_of_picture = o->retina_masks && o->picture_h > 0 && o->picture_w > 0;
    return task_shape_make(info, (size_t)most_det,
                           stream_candidate_rows(info, most_h, most_w, o->augment),
                           is_of_picture ? o->picture_h : most_h,
                           is_of_picture ? o->picture_w : most_w, o->retina_masks);
}

size_t stream_detections_bytes(const nn_graph_info *info, const stream_detector_options *o, int n,
                               int most_h, int most_w, int most_det)
{
    const detect_views_shape s = views_shape(info, n, most_h, most_w);
    const task_shape shape = stream_detector_shape(info, o, most_h, most_w, most_det);
    return task_finder_bytes(&shape) + (o->augment ? detect_views_bytes(&s) : 0);
}

int stream_plan_cache(int shapes, bool augment)
{
    if (!augment)
        return shapes;
    return shapes < NN_MOST_PLANS / DETECT_N_VIEWS ? shapes * DETECT_N_VIEWS : NN_MOST_PLANS;
}

vg_status stream_network_need(nn_memory_need *out, nn_graph *g, const nn_engine_options *o, int n,
                              int h, int w, bool augment, const nn_accounts *mem, vg_error *err)
{
    nn_graph_info info;
    vg_status st = nn_graph_need(g, o, n, h, w, out, mem, err);
    nn_graph_get_info(g, 32, &info);
    for (int i = 1; augment && i < DETECT_N_VIEWS && st == VG_OK; i++) {
        const detect_view v = detect_view_of(i, h, w, info.max_stride);
        nn_memory_need need;
        st = nn_graph_need(g, o, n, v.in_h, v.in_w, &need, mem, err);
        if (st == VG_OK && need.activation_bytes > out->activation_bytes)
            out->activation_bytes = need.activation_bytes;
        if (st == VG_OK && need.scratch_bytes > out->scratch_bytes)
            out->scratch_bytes = need.scratch_bytes;
        if (st == VG_OK && need.staging_bytes > out->staging_bytes)
            out->staging_bytes = need.staging_bytes;
    }
    return st;
}

/* While the detector is made, the weights' file is still held, and frames are not yet. */
static vg_status check_opening(const stream_accounts *mem, size_t fold_bytes, vg_error *err)
{
    char text[3][32];
    const size_t *planned = mem->planned_bytes;
    const size_t later = planned[STREAM_ACTIVATIONS] + planned[STREAM_STAGING];
    size_t block = later > fold_bytes ? later : fold_bytes, weights = planned[STREAM_WEIGHTS],
           held = mem->root.in_use_bytes + block + planned[STREAM_DETECTIONS] +
                  planned[STREAM_PLANS] - mem->owner[STREAM_PLANS].in_use_bytes;
    if (mem->root.limit_bytes >= weights && held <= mem->root.limit_bytes - weights)
        return VG_OK;
    return base_fail(
        err, VG_ERR_LIMIT, "memory limit",
        "raise the limit, or convert the weights to .safetensors, which are mapped",
        "opening needs %s (%s of weights beside %s of the file, activations and lists), the limit "
        "is %s",
        base_format_bytes(text[0], sizeof text[0], (double)(held + weights)),
        base_format_bytes(text[1], sizeof text[1], (double)weights),
        base_format_bytes(text[2], sizeof text[2], (double)held),
        base_format_bytes((char[32]){0}, 32, (double)mem->root.limit_bytes));
}

/* Sizes of everything, held against the limits before it is taken. */
static vg_status plan_detector(stream_detector *d, const stream_model *m,
                               const stream_detector_options *o, const nn_engine_options *eo,
                               int most_h, int most_w, stream_accounts *mem, vg_error *err)
{
    const int batch = o->batch;
    const nn_accounts accounts = stream_accounts_of_engine(mem);
    const weights_meta *meta = weights_get_meta(m->file);
    nn_memory_need need;
    vg_status st = stream_network_need(&need, m->graph, eo, batch, most_h, most_w, d->augments,
                                       &accounts, err);
    if (st != VG_OK)
        return st;
    stream_accounts_plan_engine(mem, &need);
    mem->planned_bytes[STREAM_DETECTIONS] +=
        stream_detections_bytes(&m->info, o, batch, most_h, most_w, d->most_det);
    mem->planned_bytes[STREAM_PLANS] = mem->owner[STREAM_PLANS].in_use_bytes + need.engine_bytes +
                                       names_bytes(&m->info, meta) + strlen(meta->chosen) + 1;
    st = stream_accounts_check(mem, err);
    return st == VG_OK ? check_opening(mem, need.fold_bytes, err) : st;
}

/* What a model's task does not have is refused. */
static vg_status check_task(const task *t, const stream_detector_options *o, vg_error *err)
{
    if (o->augment && !t->has_boxes_alone)
        return base_fail(err, VG_ERR_UNSUPPORTED, "option augment", "leave it out",
                         "test-time augmentation is of boxes alone, and %s is a model of task %s",
                         o->weights, t->name);
    if (o->retina_masks && !t->has_masks)
        return base_fail(err, VG_ERR_UNSUPPORTED, "option retina_masks",
                         "leave it out, or take a model of task segment",
                         "%s is a model of task %s, which has no masks", o->weights, t->name);
    return VG_OK;
}

vg_status stream_detector_begin(stream_detector **out, const stream_model *m,
                                const stream_detector_options *o, stream_accounts *mem,
                                vg_error *err)
{
    *out = NULL;
    if (check_task(task_of(m->info.task), o, err) != VG_OK)
        return VG_ERR_UNSUPPORTED;
    base_mem *const plans = &mem->owner[STREAM_PLANS];
    stream_detector *d = base_alloc_zero(plans, 1, sizeof *d, err);
    *out = d;
    if (!d)
        return VG_ERR_MEMORY;
    *d = (stream_detector){.augments = o->augment,
                           .most_pending = o->most_pending,
                           .has_extras = !task_of(m->info.task)->has_boxes_alone,
                           .sees_frames = o->sees_frames,
                           .mem = mem};
    const vg_status st = nn_device_open(&d->device, o->device, plans, err);
    mem->device = d->device;
    if (st != VG_OK)
        stream_detector_close(out);
    return st;
}

bool stream_detector_takes_pictures(const stream_detector *d)
{
    return d->device && d->most_pending > 0 && !d->augments && !d->has_extras;
}

/* Room for each picture of a batch: the bounds keep a batch of large ones from pinning gigabytes.
 */
static size_t picture_room(const stream_detector_options *o, int most_h, int most_w)
{
    const size_t input = (size_t)most_h * (size_t)most_w * 3,
                 of_batch = (size_t)STREAM_MOST_PICTURES_BYTES / (size_t)o->batch;
    size_t bytes = o->picture_bytes;
    bytes = bytes < STREAM_MOST_PICTURE_BYTES ? bytes : STREAM_MOST_PICTURE_BYTES;
    bytes = bytes < of_batch ? bytes : of_batch;
    return bytes > input ? bytes : input;
}

/* A picture of the input's size; of frames, its floats. */
static size_t small_bytes(const stream_detector *d, int most_h, int most_w)
{
    return (size_t)most_h * (size_t)most_w * 3 * (d->sees_frames ? sizeof(float) : 1);
}

static vg_status take_letterbox(stream_detector *d, int most_h, int most_w, base_mem *mem,
                                vg_error *err)
{
    d->small_bytes = small_bytes(d, most_h, most_w);
    d->small = base_alloc_zero(mem, d->small_bytes, 1, err);
    return d->small ? image_letterbox_reserve(&d->letterbox, most_w, most_h, mem, err)
                    : VG_ERR_MEMORY;
}

static vg_status open_finder(stream_detector *d, const stream_detector_options *o, int most_h,
                             int most_w, base_mem *mem, vg_error *err)
{
    const task_shape shape = stream_detector_shape(&d->info, o, most_h, most_w, d->most_det);
    return task_finder_open(&d->finder, &shape, mem, err);
}

vg_status stream_detector_open(stream_detector **out, stream_model *m,
                               const stream_detector_options *o, int most_h, int most_w,
                               int most_det, stream_accounts *mem, vg_error *err)
{
    base_mem *const plans = &mem->owner[STREAM_PLANS];
    vg_status st = *out ? VG_OK : stream_detector_begin(out, m, o, mem, err);
    stream_detector *d = *out;
    if (st != VG_OK)
        return st;
    d->info = m->info;
    d->imgsz = m->imgsz;
    d->most_det = most_det;
    const bool takes_pictures = stream_detector_takes_pictures(d);
    nn_engine_options eo = {.threads = o->threads,
                            .max_plans = stream_plan_cache(o->plan_cache, o->augment),
                            .isa = o->isa,
                            .device = d->device,
                            .half = o->half,
                            .picture_bytes = takes_pictures ? picture_room(o, most_h, most_w) : 0,
                            .max_pending = takes_pictures ? o->most_pending : 0};
    const nn_accounts accounts = stream_accounts_of_engine(mem);
    if (takes_pictures)
        mem->planned_bytes[STREAM_FRAMES] +=
            small_bytes(d, most_h, most_w) + image_letterbox_bytes(most_w, most_h);
    st = plan_detector(d, m, o, &eo, most_h, most_w, mem, err);
    if (st == VG_OK)
        st = take_names(d, weights_get_meta(m->file), plans, err);
    if (st == VG_OK) {
        st = nn_engine_create(&d->engine, m->graph, m->file, &eo, &accounts, err);
        if (st != VG_OK)
            base_error_prefix_where(err, o->weights);
        else
            m->graph = NULL; /* the engine's now */
    }
    for (int i = 0; i < (o->augment ? DETECT_N_VIEWS : 1) && st == VG_OK; i++) {
        const detect_view v = detect_view_of(i, most_h, most_w, m->info.max_stride);
        st = nn_engine_reserve(d->engine, o->batch, v.in_h, v.in_w, &accounts, err);
    }
    if (st == VG_OK && takes_pictures)
        st = take_letterbox(d, most_h, most_w, &mem->owner[STREAM_FRAMES], err);
    if (st == VG_OK && o->augment) {
        const detect_views_shape s = views_shape(&d->info, o->batch, most_h, most_w);
        st = detect_views_fit(&d->views, &s, &mem->owner[STREAM_DETECTIONS], err);
    }
    if (st == VG_OK)
        st = open_finder(d, o, most_h, most_w, &mem->owner[STREAM_DETECTIONS], err);
    if (st != VG_OK)
        stream_detector_close(out);
    return st;
}

void stream_detector_close(stream_detector **d)
{
    if (*d) {
        task_finder_close(&(*d)->finder);
        detect_views_destroy(&(*d)->views);
        nn_engine_destroy(&(*d)->engine);
        image_scratch_fini(&(*d)->letterbox);
        base_free((*d)->small);
        (*d)->mem->device = NULL;
        nn_device_close(&(*d)->device);
        base_free((*d)->names);
        base_free((*d)->chosen);
        base_free(*d);
    }
    *d = NULL;
}

const nn_graph_info *stream_detector_info(const stream_detector *d)
{
    return &d->info;
}

base_size stream_detector_imgsz(const stream_detector *d)
{
    return d->imgsz.used;
}

const char *stream_detector_class_name(const stream_detector *d, int class_index)
{
    return class_index >= 0 && class_index < d->info.nc ? d->names[class_index] : "";
}

vg_status stream_detector_choose(uint8_t *wanted, const stream_detector *d, const int *classes,
                                 size_t n_classes, const char *where, vg_error *err)
{
    const int nc = d->info.nc;
    memset(wanted, 0, (size_t)nc);
    for (size_t i = 0; i < n_classes; i++) {
        if (classes[i] < 0 || classes[i] >= nc)
            return base_fail(err, VG_ERR_ARGUMENT, where, base_mend("use 0 to %d", nc - 1),
                             "class %d of a model of %d classes", classes[i], nc);
        wanted[classes[i]] = 1;
    }
    return VG_OK;
}

static const char *class_name_at(const void *detector, int class_index)
{
    return stream_detector_class_name(detector, class_index);
}

vg_status stream_detector_choose_named(uint8_t *wanted, const stream_detector *d, const char *names,
                                       const char *where, vg_error *err)
{
    return base_classes_choose(wanted, d->info.nc, names, class_name_at, d, where, err);
}

image_names stream_detector_names(const stream_detector *d)
{
    return (image_names){.at = image_name_at, .context = d->names, .n = (size_t)d->info.nc};
}

void stream_detector_facts(vg_model_info *out, const stream_detector *d)
{
    nn_model_info(out, &d->info, &d->imgsz);
    out->format = d->format;
    out->chosen = d->chosen;
    out->isa = nn_engine_isa(d->engine);
    out->threads = nn_engine_threads(d->engine);
    out->gpu = d->device ? nn_device_facts(d->device)->title : "";
}

vg_status stream_fit(image_letterbox_fit *out, base_size imgsz, int stride, int w, int h, bool rect,
                     vg_error *err)
{
    image_letterbox_rule rule = {.target_w = imgsz.w,
                                 .target_h = imgsz.h,
                                 .autosize = rect,
                                 .scale_up = true,
                                 .center = true,
                                 .stride = stride};
    return image_letterbox_plan(out, w, h, &rule, err);
}

vg_status stream_detector_fit(image_letterbox_fit *out, const stream_detector *d, int w, int h,
                              bool rect, vg_error *err)
{
    if (!d->finder.shape.task->is_whole)
        return stream_fit(out, d->imgsz.used, d->info.max_stride, w, h, rect, err);
    *out = (image_letterbox_fit){.out_w = d->imgsz.used.h, .out_h = d->imgsz.used.h};
    return VG_OK;
}

vg_status stream_prepare(const nn_graph_info *info, float *dst, const image_view *picture,
                         const image_letterbox_fit *fit, image_scratch *scratch, base_mem *mem,
                         vg_error *err)
{
    image_middle m;
    if (!task_of(info->task)->is_whole)
        return image_letterbox_to_float(dst, picture, fit, scratch, mem, err);
    const vg_status st = image_middle_plan(&m, picture->w, picture->h, fit->out_h, 1, err);
    return st == VG_OK ? image_middle_crop_to_float(dst, picture, &m, scratch, mem, err) : st;
}

vg_status stream_detector_prepare(const stream_detector *d, float *dst, const image_view *picture,
                                  const image_letterbox_fit *fit, image_scratch *scratch,
                                  base_mem *mem, vg_error *err)
{
    return stream_prepare(&d->info, dst, picture, fit, scratch, mem, err);
}

size_t stream_prepare_bytes(const nn_graph_info *info, int most_h, int most_w, int picture_h,
                            int picture_w)
{
    const int side = picture_h > picture_w ? picture_h : picture_w;
    if (!task_of(info->task)->is_whole)
        return image_letterbox_bytes(most_w, most_h);
    return side > 0 ? image_middle_most_bytes(side, most_h) : 0;
}

vg_status stream_prepare_reserve(image_scratch *scratch, const nn_graph_info *info, int most_h,
                                 int most_w, int picture_h, int picture_w, base_mem *mem,
                                 vg_error *err)
{
    if (!task_of(info->task)->is_whole)
        return image_letterbox_reserve(scratch, most_w, most_h, mem, err);
    const size_t bytes = stream_prepare_bytes(info, most_h, most_w, picture_h, picture_w);
    return bytes > 0 ? image_scratch_reserve(scratch, bytes, mem, err) : VG_OK;
}

/* Three looks at the batch. */
static vg_status run_views(stream_detector *d, const float *input, int n, int h, int w,
                           stream_accounts *mem, const nn_accounts *accounts, vg_error *err)
{
    const detect_views_shape s = views_shape(&d->info, n, h, w);
    vg_status st = detect_views_fit(&d->views, &s, &mem->owner[STREAM_DETECTIONS], err);
    for (int i = 0; i < DETECT_N_VIEWS && st == VG_OK; i++) {
        detect_level levels[DETECT_MAX_LEVELS];
        nn_plan *plan;
        const detect_view v = detect_views_at(d->views, i);
        const float *seen = input;
        if (i > 0) {
            const image_resampling r = {.h = v.h,
                                        .w = v.w,
                                        .out_h = v.in_h,
                                        .out_w = v.in_w,
                                        .fill = DETECT_VIEW_FILL,
                                        .is_flipped = v.is_mirrored};
            image_resample(detect_views_input(d->views), &r, input, n, h, w);
            seen = detect_views_input(d->views);
        }
        st = nn_engine_plan(d->engine, &plan, n, v.in_h, v.in_w, accounts, err);
        if (st != VG_OK)
            break;
        st = nn_engine_run(d->engine, plan, seen, err);
        if (st == VG_OK)
            detect_views_add(d->views, i, levels, nn_plan_levels(plan, levels));
    }
    d->in_h = h;
    d->in_w = w;
    return st;
}

vg_status stream_detector_run(stream_detector *d, const float *input, int n, int h, int w,
                              stream_accounts *mem, vg_error *err)
{
    const nn_accounts accounts = stream_accounts_of_engine(mem);
    if (d->augments)
        return run_views(d, input, n, h, w, mem, &accounts, err);
    vg_status st = nn_engine_plan(d->engine, &d->plan, n, h, w, &accounts, err);
    if (st == VG_OK)
        st = nn_engine_run(d->engine, d->plan, input, err);
    d->in_h = h;
    d->in_w = w;
    return st;
}

static size_t boxes_of_picks(stream_detector *d, vg_detection *out, int i,
                             const detect_nms_options *o)
{
    const nn_picks *k = &d->picks;
    const detect_picks p = {.rows = k->rows + k->first[i] * k->pitch,
                            .n = k->first[i + 1] - k->first[i],
                            .pitch = k->pitch,
                            .levels = k->levels,
                            .n_levels = k->n_levels};
    return detect_run_picks(d->finder.nms, out, NULL, &p, d->info.nc, o);
}

vg_status stream_detector_find(stream_detector *d, task_found *out, int i, int orig_w, int orig_h,
                               const detect_nms_options *o, bool without_extras, vg_error *err)
{
    detect_nms_options bounded = *o;
    bounded.max_det = o->max_det < d->most_det ? o->max_det : d->most_det;
    bounded.max_nms = MOST_NMS;
    if (d->augments || stream_detector_takes_pictures(d)) { /* not from the maps of one run */
        out->n = d->augments ? detect_views_run(d->views, d->finder.nms, out->boxes, i, &bounded)
                             : boxes_of_picks(d, out->boxes, i, &bounded);
        detect_scale_boxes(out->boxes, out->n, d->in_h, d->in_w, orig_h, orig_w);
        return VG_OK;
    }
    const task_maps maps = task_maps_of(d->plan);
    const task_scene scene = {.maps = &maps,
                              .picture = i,
                              .in_h = d->in_h,
                              .in_w = d->in_w,
                              .orig_h = orig_h,
                              .orig_w = orig_w,
                              .nms = &bounded,
                              .without_extras = without_extras};
    return task_find_in(&d->finder, out, &scene, err);
}
