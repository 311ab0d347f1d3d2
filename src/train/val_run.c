/* val_run.c: puts a validation together, from the files of dataset and weights to the plots. */
#include "val_run.h"

#include <assert.h>
#include <string.h>

#include "names.h"
#include "task/task.h"

static vg_status open_model(train_val *v, const train_val_options *o, vg_error *err)
{
    base_mem *work = v->accounts.lent.work;
    vg_status st = weights_open(&v->weights, o->weights, work, err);
    if (st != VG_OK)
        return st;
    st = nn_graph_from_weights(&v->graph, v->weights, work, err);
    if (st != VG_OK) {
        base_error_prefix_where(err, o->weights);
        return st;
    }
    nn_graph_get_info(v->graph, 32, &v->info);
    v->imgsz =
        nn_imgsz_choose((base_size){.h = o->imgsz, .w = o->imgsz},
                        base_size_square(weights_get_meta(v->weights)->imgsz), v->info.max_stride);
    nn_graph_get_info(v->graph, v->imgsz.used.h, &v->info);
    st = task_must_be(v->info.task, o->task, o->weights, err);
    if (st != VG_OK)
        return st;
    v->task = task_of(v->info.task);
    const int nc = o->single_cls ? 1 : data_spec_nc(v->spec);
    char count[64];
    if (v->info.nc != nc)
        return base_fail(err, VG_ERR_ARGUMENT, o->weights,
                         o->single_cls ? "give weights that were trained with single_cls"
                                       : "give weights that were trained for this dataset",
                         "a model of %s and a dataset of %d",
                         base_count(count, sizeof count, (uint64_t)v->info.nc, "class"), nc);
    const data_keypoint_shape points = data_spec_keypoints(v->spec);
    if (v->info.keypoints > 0 &&
        (points.n != v->info.keypoints || points.dims != v->info.keypoint_dims))
        return base_fail(err, VG_ERR_ARGUMENT, o->weights,
                         "give weights that were trained for this dataset",
                         "a model of %d keypoints of %d numbers and a dataset of %d of %d",
                         v->info.keypoints, v->info.keypoint_dims, points.n, points.dims);
    return train_saver_check(v->task, o->save_json, err);
}

static vg_status open_validator(train_val *v, const train_val_options *o, vg_error *err)
{
    detect_nms_options nms = o->nms;
    nms.multi_label = v->info.nc > 1;
    nms.agnostic |= o->single_cls;
    const int n_cpus = base_cpu_count();
    const train_validator_options options = {.task = v->task,
                                             .n_keypoints = v->info.keypoints,
                                             .keypoint_dims = v->info.keypoint_dims,
                                             .set = v->set,
                                             .imgsz = v->imgsz.used.h,
                                             .stride = v->info.max_stride,
                                             .batch = o->batch,
                                             .workers = o->workers < n_cpus ? o->workers : n_cpus,
                                             .rect = o->rect,
                                             .augment = o->augment,
                                             .whole_masks = o->save_json || o->save_txt,
                                             .outlines = o->save_txt,
                                             .nms = nms,
                                             .ap = o->ap,
                                             .gains =
                                                 DETECT_LOSS_GAINS, /* the recipe's: spec 4.1 */
                                             .strides = v->info.strides,
                                             .n_levels = v->info.n_levels,
                                             .device = v->device,
                                             .half = o->half};
    return train_validator_create(&v->validator, &options, &v->graph, v->pool, &v->accounts.lent,
                                  err);
}

/* The folder, and what goes into it while the validation runs. */
static vg_status open_results(train_val *v, const train_val_options *o, vg_error *err)
{
    base_mem *work = v->accounts.lent.work;
    const train_gallery_options gallery = {.folder = v->folder,
                                           .names = v->names,
                                           .nc = v->nc,
                                           .imgsz = v->imgsz.used.h,
                                           .stride = v->info.max_stride,
                                           .most_labels = data_set_most_labels(v->set),
                                           .most_found = (size_t)o->nms.max_det,
                                           .task = v->task,
                                           .n_keypoints = v->info.keypoints,
                                           .conf = o->nms.conf};
    v->plots = o->plots;
    const train_saver_options saver = {.folder = v->folder,
                                       .task = v->task,
                                       .set = v->set,
                                       .names = v->names,
                                       .nc = v->nc,
                                       .json = o->save_json,
                                       .txt = o->save_txt,
                                       .conf = o->save_conf};
    if (!o->plots && !o->save_json && !o->save_txt)
        return VG_OK;
    vg_status st = report_run_folder_make(v->folder, sizeof v->folder, o->project, o->name,
                                          o->exist_ok, &v->n_made, err);
    if (st == VG_OK && o->plots) {
        const image_names names = {.at = image_name_at, .context = v->names, .n = (size_t)v->nc};
        image_letters_format(v->letters_notice, sizeof v->letters_notice, &names);
    }
    if (st == VG_OK && o->plots)
        st = train_gallery_create(&v->gallery, &gallery, work, err);
    if (st == VG_OK && (o->save_json || o->save_txt))
        st = train_saver_create(&v->saver, &saver, work, err);
    return st;
}

vg_status train_val_open(train_val *v, const train_val_options *o, vg_error *err)
{
    train_owners_init(&v->accounts);
    if (o->gpu_memory_limit_bytes > 0)
        v->accounts.gpu.limit_bytes = o->gpu_memory_limit_bytes;
    const train_accounts *mem = &v->accounts.lent;
    data_set_options set = {.split = o->split, .single_cls = o->single_cls};
    vg_status st = data_spec_open(&v->spec, o->data, mem->data, err);
    if (st == VG_OK && o->split != DATA_VAL && !data_spec_has(v->spec, o->split))
        st = base_fail(err, VG_ERR_ARGUMENT, "split",
                       base_mend("add %s: to %.300s, or choose another split",
                                 data_split_name(o->split), o->data),
                       "the dataset has no %s split", data_split_name(o->split));
    if (st == VG_OK)
        st = open_model(v, o, err);
    if (st == VG_OK)
        st = nn_device_open(&v->device, o->device, mem->work, err);
    if (st == VG_OK)
        st = base_pool_create(&v->pool, o->threads > 0 ? o->threads : base_cpu_count(), mem->work,
                              err);
    if (st == VG_OK)
        set.kind = v->task->labels;
    if (st == VG_OK)
        st = data_set_open(&v->set, v->spec, &set, v->pool, mem->data, err);
    v->nc = v->set ? data_set_nc(v->set) : 0;
    if (st == VG_OK)
        st = data_spec_names(&v->names, v->spec, o->single_cls, mem->work, err);
    if (st == VG_OK && !o->single_cls) {
        const weights_meta *m = weights_get_meta(v->weights);
        train_names_compare(v->names_notice, sizeof v->names_notice, m->names, m->n_classes,
                            v->names, v->nc);
    }
    if (st == VG_OK)
        st = open_validator(v, o, err);
    if (st == VG_OK)
        st = open_results(v, o, err);
    train_owners_plan(&v->accounts);
    return st;
}

void train_val_close(train_val *v)
{
    train_saver_destroy(&v->saver);
    train_gallery_destroy(&v->gallery);
    train_result_fini(&v->result);
    train_validator_destroy(&v->validator); /* its threads read the set */
    nn_device_close(&v->device);
    nn_graph_destroy(&v->graph);
    weights_close(&v->weights);
    data_set_destroy(&v->set);
    base_free(v->names);
    data_spec_destroy(&v->spec);
    base_pool_destroy(&v->pool);
    if (!v->is_written) /* nothing of a validation that came to no end is left, if it is empty
                         */
        report_run_folder_take_back(v->folder, v->n_made, NULL);
}

static bool ask_stop(void *ctx)
{
    const train_val *v = ctx;
    return v->wants_stop && v->wants_stop(v->ctx);
}

static vg_status show_picture(void *ctx, const train_validated *p, vg_error *err)
{
    train_val *v = ctx;
    vg_status st = VG_OK;
    v->n_seen++;
    if (v->gallery)
        st = train_gallery_validated(v->gallery, p, v->set, 0, v->accounts.lent.work, err);
    if (st == VG_OK && v->saver)
        st = train_saver_add(v->saver, p, err);
    return st;
}

static vg_status write_results(train_val *v, const train_validation *validation, vg_error *err)
{
    const char *const *names = v->names;
    vg_status st = v->saver ? train_saver_commit(v->saver, err) : VG_OK;
    if (st == VG_OK && v->plots)
        st = train_validation_plots(v->folder, validation, v->task, names, v->nc,
                                    v->accounts.lent.work, err);
    return st;
}

vg_status train_val_go(train_val *v, const vg_val_result **out, bool (*wants_stop)(void *ctx),
                       void *ctx, vg_error *err)
{
    const train_accounts *mem = &v->accounts.lent;
    const char *const *names = v->names;
    train_validation validation;
    *out = NULL;
    assert(!v->is_done);
    v->is_done = true;
    v->wants_stop = wants_stop;
    v->ctx = ctx;
    const train_validate_watch watch = {.ctx = v, .wants_stop = ask_stop, .picture = show_picture};
    const int64_t started_ns = base_now_ns();
    vg_status st = train_validate(v->validator, &validation, v->weights, &watch, err);
    if (st == VG_OK && validation.stopped)
        st = base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "stopped before the last picture");
    if (st == VG_OK)
        st = train_result_reserve(&v->result, v->nc, mem->work, err);
    if (st == VG_OK)
        train_result_make(&v->result, &validation, v->task, names);
    v->result.result.seconds = (double)(base_now_ns() - started_ns) * 1e-9;
    if (st == VG_OK)
        st = write_results(v, &validation, err);
    v->is_written = st == VG_OK;
    if (st == VG_OK)
        *out = &v->result.result;
    return st;
}

void train_val_model(const train_val *v, vg_model_info *out)
{
    nn_model_info(out, &v->info, &v->imgsz);
    out->format = weights_get_meta(v->weights)->source;
    out->chosen = weights_get_meta(v->weights)->chosen;
    out->gpu = v->device ? nn_device_facts(v->device)->title : "";
    if (v->device)
        out->isa = nn_device_facts(v->device)->name;
}

const char *train_val_message(const train_val *v, size_t index)
{
    if (v->names_notice[0] != '\0' && index-- == 0)
        return v->names_notice;
    if (v->letters_notice[0] != '\0' && index-- == 0)
        return v->letters_notice;
    return data_set_message(v->set, index);
}
