/* val.c: vg_val over train's validator: one pass of a weights file over a split. */
#include <string.h>

#include "api.h"
#include "train/train.h"

struct vg_val {
    train_owners accounts;
    base_pool *pool;
    data_spec *spec;
    data_set *set;
    weights_file *weights;
    nn_graph *graph; /* taken by the validator */
    nn_graph_info info;
    nn_imgsz imgsz;           /* squares: batches have the shapes of their pictures */
    char names_notice[512];   /* "" or how the weights' classes are not the dataset's */
    char letters_notice[512]; /* "" or which names the plots cannot show */
    train_validator *validator;
    const char **names; /* (nc) */
    int nc;             /* of the dataset; 1 with single_cls */
    char folder[TRAIN_PATH_BYTES];
    bool is_written; /* its results are in the folder */
    int n_made;      /* folders of that path that were not there before */
    bool plots;
    train_gallery *gallery;        /* NULL without plots */
    report_coco *coco;             /* NULL without save_json */
    bool (*wants_stop)(void *ctx); /* during run */
    size_t n_seen;                 /* pictures */
    void *ctx;
    train_result result;
    bool is_done;
};

vg_val_options vg_val_options_default(void)
{
    return (vg_val_options){.split = "val",
                            .batch = 16,
                            .workers = 8,
                            .conf = 0.001f,
                            .iou = 0.7f,
                            .max_det = 300,
                            .plots = true,
                            .project = "runs/val",
                            .name = "exp"};
}

static vg_status check(data_split *split, detect_nms_options *nms, const vg_val_options *o,
                       vg_error *err)
{
    if (!o->data || !*o->data)
        return base_fail(err, VG_ERR_ARGUMENT, "data", "give a dataset's YAML",
                         "no dataset was given");
    if (!o->weights || !*o->weights)
        return base_fail(err, VG_ERR_ARGUMENT, "weights", "give a .pt or .safetensors file",
                         "no weights given");
    if ((o->plots || o->save_json) && (!o->project || !*o->project || !o->name || !*o->name))
        return base_fail(err, VG_ERR_ARGUMENT, "project, name", "leave them at their defaults",
                         "an empty project or name");
    const vg_detect_options detect = {
        .conf = o->conf, .iou = o->iou, .max_det = o->max_det, .agnostic_nms = o->agnostic_nms};
    vg_status st = api_nms_options(nms, &detect, err);
    if (st == VG_OK)
        st = api_check_imgsz(o->imgsz, err);
    if (st == VG_OK)
        st = api_check_range("ap", o->ap, VG_AP_8_3, VG_AP_8_4, err);
    if (st == VG_OK)
        st = api_check_range("batch", o->batch, 1, API_MOST_BATCH, err);
    if (st == VG_OK)
        st = api_check_range("threads", o->threads, 0, API_MOST_THREADS, err);
    if (st == VG_OK)
        st = api_check_range("workers", o->workers, 0, 256, err);
    if (st != VG_OK)
        return st;
    for (int i = 0; i < DATA_N_SPLITS; i++)
        if (o->split && strcmp(o->split, data_split_name((data_split)i)) == 0) {
            *split = (data_split)i;
            return VG_OK;
        }
    return base_fail(err, VG_ERR_ARGUMENT, "split", "use train, val or test",
                     "the split \"%.100s\"", o->split ? o->split : "");
}

static vg_status open_model(vg_val *v, const vg_val_options *o, vg_error *err)
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
    const int nc = o->single_cls ? 1 : data_spec_nc(v->spec);
    char count[64];
    if (v->info.nc != nc)
        return base_fail(err, VG_ERR_ARGUMENT, o->weights,
                         o->single_cls ? "give weights that were trained with single_cls"
                                       : "give weights that were trained for this dataset",
                         "a model of %s and a dataset of %d",
                         base_count(count, sizeof count, (uint64_t)v->info.nc, "class"), nc);
    return VG_OK;
}

static vg_status open_validator(vg_val *v, const vg_val_options *o, detect_nms_options *nms,
                                vg_error *err)
{
    nms->multi_label = v->info.nc > 1;
    nms->agnostic |= o->single_cls;
    const int n_cpus = base_cpu_count();
    const train_validator_options options = {
        .set = v->set,
        .imgsz = v->imgsz.used.h,
        .stride = v->info.max_stride,
        .batch = o->batch,
        .workers = o->workers < n_cpus ? o->workers : n_cpus,
        .rect = true,
        .nms = *nms,
        .ap = o->ap == VG_AP_8_4 ? DETECT_AP_8_4 : DETECT_AP_8_3,
        .gains = {.box = 7.5f, .cls = 0.5f, .dfl = 1.5f}, /* the recipe's: spec 4.1 */
        .strides = v->info.strides,
        .n_levels = v->info.n_levels};
    return train_validator_create(&v->validator, &options, &v->graph, v->pool, &v->accounts.lent,
                                  err);
}

/* The folder, and what goes into it while the validation runs. */
static vg_status open_results(vg_val *v, const vg_val_options *o, vg_error *err)
{
    base_mem *work = v->accounts.lent.work;
    const train_gallery_options gallery = {.folder = v->folder,
                                           .names = v->names,
                                           .nc = v->nc,
                                           .imgsz = v->imgsz.used.h,
                                           .stride = v->info.max_stride,
                                           .most_labels = data_set_most_labels(v->set),
                                           .most_found = (size_t)o->max_det,
                                           .conf = o->conf};
    v->plots = o->plots;
    if (!o->plots && !o->save_json)
        return VG_OK;
    vg_status st = report_run_folder_make(v->folder, sizeof v->folder, o->project, o->name,
                                          o->exist_ok, &v->n_made, err);
    if (st == VG_OK && o->plots) {
        const image_names names = {.at = image_name_at, .context = v->names, .n = (size_t)v->nc};
        image_letters_format(v->letters_notice, sizeof v->letters_notice, &names);
    }
    if (st == VG_OK && o->plots)
        st = train_gallery_create(&v->gallery, &gallery, work, err);
    if (st == VG_OK && o->save_json)
        st = train_coco_create(&v->coco, v->folder, v->names, v->nc, work, err);
    return st;
}

static vg_status open_all(vg_val *v, const vg_val_options *o, vg_error *err)
{
    const train_accounts *mem = &v->accounts.lent;
    data_set_options set = {.single_cls = o->single_cls};
    detect_nms_options nms;
    vg_status st = check(&set.split, &nms, o, err);
    if (st == VG_OK)
        st = data_spec_open(&v->spec, o->data, mem->data, err);
    if (st == VG_OK && set.split != DATA_VAL && !data_spec_has(v->spec, set.split))
        st = base_fail(err, VG_ERR_ARGUMENT, "split",
                       base_mend("add %s: to %.300s, or choose another split", o->split, o->data),
                       "the dataset has no %s split", o->split);
    if (st == VG_OK)
        st = open_model(v, o, err);
    if (st == VG_OK)
        st = base_pool_create(&v->pool, o->threads > 0 ? o->threads : base_cpu_count(), mem->work,
                              err);
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
        st = open_validator(v, o, &nms, err);
    if (st == VG_OK)
        st = open_results(v, o, err);
    train_owners_plan(&v->accounts);
    return st;
}

vg_status vg_val_open(vg_val **out, const vg_val_options *o, vg_error *err)
{
    *out = NULL;
    if (!o)
        return base_fail(err, VG_ERR_ARGUMENT, "options", "start from vg_val_options_default()",
                         "no options given");
    vg_val *v = base_handle_alloc(sizeof *v, err);
    if (!v)
        return VG_ERR_MEMORY;
    train_owners_init(&v->accounts);
    const vg_status st = open_all(v, o, err);
    if (st != VG_OK)
        vg_val_close(&v);
    *out = v;
    return st;
}

void vg_val_close(vg_val **val)
{
    vg_val *v = *val;
    if (v) {
        report_coco_destroy(&v->coco);
        train_gallery_destroy(&v->gallery);
        train_result_fini(&v->result);
        train_validator_destroy(&v->validator); /* its threads read the set */
        nn_graph_destroy(&v->graph);
        weights_close(&v->weights);
        data_set_destroy(&v->set);
        base_free(v->names);
        data_spec_destroy(&v->spec);
        base_pool_destroy(&v->pool);
        if (!v->is_written) /* nothing of a validation that came to no end is left, if it is empty
                             */
            report_run_folder_take_back(v->folder, v->n_made, NULL);
        base_handle_free(v);
    }
    *val = NULL;
}

static bool ask_stop(void *ctx)
{
    const vg_val *v = ctx;
    return v->wants_stop && v->wants_stop(v->ctx);
}

static vg_status show_picture(void *ctx, const train_validated *p, vg_error *err)
{
    vg_val *v = ctx;
    vg_status st = VG_OK;
    v->n_seen++;
    if (v->gallery)
        st = train_gallery_validated(v->gallery, p, v->set, 0, v->accounts.lent.work, err);
    if (st == VG_OK && v->coco)
        st = report_coco_add(v->coco, data_set_picture(v->set, p->item->picture)->path, p->boxes,
                             p->n_boxes, err);
    return st;
}

static vg_status write_results(vg_val *v, const train_validation *validation, vg_error *err)
{
    const char *const *names = v->names;
    vg_status st = v->coco ? report_coco_commit(v->coco, err) : VG_OK;
    if (st == VG_OK && v->plots)
        st =
            train_validation_plots(v->folder, validation, names, v->nc, v->accounts.lent.work, err);
    return st;
}

vg_status vg_val_run(vg_val *v, const vg_val_result **out, bool (*wants_stop)(void *ctx), void *ctx,
                     vg_error *err)
{
    const train_accounts *mem = &v->accounts.lent;
    const char *const *names = v->names;
    train_validation validation;
    *out = NULL;
    if (v->is_done)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "open another one",
                         "a validation that has run already");
    v->is_done = true;
    v->wants_stop = wants_stop;
    v->ctx = ctx;
    const train_validate_watch watch = {.ctx = v, .wants_stop = ask_stop, .picture = show_picture};
    const int64_t started_ns = base_now_ns();
    vg_status st = train_validate(v->validator, &validation, v->weights, &watch, err);
    if (st == VG_OK && validation.stopped)
        st = base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "stopped before the last picture");
    if (st == VG_OK)
        st = train_result_make(&v->result, &validation, names, mem->work, err);
    v->result.result.seconds = (double)(base_now_ns() - started_ns) * 1e-9;
    if (st == VG_OK)
        st = write_results(v, &validation, err);
    v->is_written = st == VG_OK;
    if (st == VG_OK)
        *out = &v->result.result;
    return st;
}

void vg_val_model(const vg_val *v, vg_model_info *out)
{
    nn_model_info(out, &v->info, &v->imgsz);
    out->format = weights_get_meta(v->weights)->source;
    out->chosen = weights_get_meta(v->weights)->chosen;
}

void vg_val_progress(const vg_val *v, size_t *n_done, size_t *n_total)
{
    *n_done = v->n_seen;
    *n_total = data_set_size(v->set);
}

void vg_val_data(const vg_val *v, vg_data_report *out)
{
    *out = data_set_summary(v->set);
}

const char *vg_val_message(const vg_val *v, size_t index)
{
    if (v->names_notice[0] != '\0' && index-- == 0)
        return v->names_notice;
    if (v->letters_notice[0] != '\0' && index-- == 0)
        return v->letters_notice;
    return data_set_message(v->set, index);
}

const char *vg_val_folder(const vg_val *v)
{
    return v->folder;
}

void vg_val_memory(const vg_val *v, vg_memory *out)
{
    train_owners_memory(out, &v->accounts);
}
