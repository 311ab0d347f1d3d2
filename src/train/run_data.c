/* run_data.c: the pictures of a run: dataset, both splits, the loader that feeds training and the
 * validator that measures it. */
#include "run_parts.h"
#include "task/task.h"

static const char *name_of(const void *spec, int class_index)
{
    return data_spec_class_name(spec, class_index);
}

vg_status run_read_spec(train_run *r, vg_error *err)
{
    vg_status st = data_spec_open(&r->spec, r->args.data, r->mem.data, err);
    if (st != VG_OK)
        return st;
    const int nc = data_spec_nc(r->spec);
    st = data_spec_names(&r->names, r->spec, r->args.single_cls, r->mem.work, err);
    const vg_classes *classes = &r->args.classes;
    if (st != VG_OK || (classes->n == 0 && classes->names[0] == '\0'))
        return st;
    r->wanted_classes = base_alloc_zero(r->mem.work, (size_t)nc, 1, err);
    if (r->wanted_classes == NULL)
        return VG_ERR_MEMORY;
    for (int i = 0; i < r->args.classes.n; i++) {
        const int c = r->args.classes.at[i];
        if (c >= nc)
            return base_fail(err, VG_ERR_ARGUMENT, "classes",
                             base_mend("name classes from 0 to %d", nc - 1),
                             "class %d in a dataset of %d classes", c, nc);
        r->wanted_classes[c] = 1;
    }
    return base_classes_choose(r->wanted_classes, nc, classes->names, name_of, r->spec, "classes",
                               err);
}

vg_status run_open_sets(train_run *r, vg_error *err)
{
    data_set_options o = {.split = DATA_TRAIN,
                          .kind = r->task->labels,
                          .fraction = r->args.fraction,
                          .single_cls = r->args.single_cls,
                          .classes = r->wanted_classes};
    const vg_status st = data_set_open(&r->train_set, r->spec, &o, r->pool, r->mem.data, err);
    if (st != VG_OK)
        return st;
    o.split = (data_split)r->args.split;
    o.fraction = 1;
    return data_set_open(&r->val_set, r->spec, &o, r->pool, r->mem.data, err);
}

/* Of a machine's processors, those that are not another rank's. */
static int loader_threads(const train_run *r)
{
    const int share = base_cpu_count() / ranks_neighbours(r->mem.ranks),
              most = share > 1 ? share : 1;
    return r->args.workers < most ? r->args.workers : most;
}

data_augment run_augment(const train_args *a)
{
    return (data_augment){.mosaic = (float)a->mosaic,
                          .mixup = (float)a->mixup,
                          .flipud = (float)a->flipud,
                          .fliplr = (float)a->fliplr,
                          .bgr = (float)a->bgr,
                          .hsv_h = (float)a->hsv_h,
                          .hsv_s = (float)a->hsv_s,
                          .hsv_v = (float)a->hsv_v,
                          .degrees = (float)a->degrees,
                          .shear = (float)a->shear,
                          .translate = (float)a->translate,
                          .scale = (float)a->scale,
                          .perspective = (float)a->perspective,
                          .copy_paste = (float)a->copy_paste,
                          .copy_paste_mode = (data_copy_paste)a->copy_paste_mode,
                          .auto_augment = (data_auto_augment)a->auto_augment,
                          .erasing = (float)a->erasing};
}

data_loader_options run_loader_options(const train_run *r, int batch)
{
    const train_args *a = &r->args;
    return (data_loader_options){.imgsz = a->imgsz,
                                 .stride = r->info.max_stride,
                                 .batch = batch,
                                 .share = ranks_me(r->mem.ranks),
                                 .n_shares = ranks_n(r->mem.ranks),
                                 .n_workers = loader_threads(r),
                                 .seed = (uint64_t)a->seed,
                                 .train = true,
                                 .rect = a->rect,
                                 .mask_ratio = a->mask_ratio,
                                 .separate_masks = !a->overlap_mask,
                                 .augment = run_augment(a),
                                 .cache = (data_cache)a->cache,
                                 .cache_bytes = a->cache_limit};
}

vg_status run_make_loader(train_run *r, vg_error *err)
{
    const data_loader_options o = run_loader_options(r, r->args.batch);
    return data_loader_create(&r->loader, r->train_set, &o, r->mem.data, err);
}

/* Of cache_limit; validation gets the rest. */
static size_t training_cache_bytes(const train_run *r, int batch)
{
    const data_loader_options o = run_loader_options(r, batch);
    data_loader_bounds bounds;
    if (r->args.cache_limit == 0 || r->train_set == NULL ||
        data_loader_plan(&bounds, r->train_set, &o, NULL) != VG_OK)
        return 0;
    return bounds.cache_bytes;
}

train_validator_options run_validator_options(const train_run *r, int batch)
{
    const train_args *a = &r->args;
    const size_t cache_bytes = a->cache_limit - training_cache_bytes(r, batch);
    return (train_validator_options){
        .task = train_run_task(r),
        .n_keypoints = r->info.keypoints,
        .keypoint_dims = r->info.keypoint_dims,
        .set = r->val_set,
        .net = r->engine.net,
        .imgsz = a->imgsz,
        .stride = r->info.max_stride,
        .batch = r->task->val_batches * batch,
        .ranks = r->mem.ranks,
        .workers = loader_threads(r),
        .rect = true,
        .cache = a->cache_limit > 0 && cache_bytes == 0 ? DATA_CACHE_NONE : (data_cache)a->cache,
        .cache_bytes = cache_bytes,
        .nms = {.conf = (float)a->conf,
                .iou = (float)a->iou,
                .max_det = a->max_det,
                .max_nms = DETECT_NMS_PREDICT.max_nms,
                .multi_label = r->info.nc > 1,
                .agnostic = a->single_cls || a->agnostic_nms},
        .mask_ratio = a->mask_ratio,
        .separate_masks = !a->overlap_mask,
        .whole_masks = a->save_json,
        .gains = run_gains(a),
        .strides = r->info.strides,
        .n_levels = r->info.n_levels,
        .device = r->device};
}

vg_status run_make_validator(train_run *r, vg_error *err)
{
    nn_graph *g = NULL;
    const vg_status st = run_make_graph(r, &g, err);
    if (st != VG_OK)
        return st;
    const train_validator_options o = run_validator_options(r, r->args.batch);
    return train_validator_create(&r->validator, &o, &g, run_pool(r), &r->mem, err);
}
