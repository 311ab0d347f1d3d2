/* val.c: vg_val over train's validation of a weights file. */
#include <string.h>

#include "api.h"
#include "train/train.h"

struct vg_val {
    train_val run;
};

vg_val_options vg_val_options_default(void)
{
    return (vg_val_options){.split = "val",
                            .batch = 16,
                            .workers = 8,
                            .conf = 0.001f,
                            .iou = 0.7f,
                            .max_det = 300,
                            .rect = true,
                            .plots = true,
                            .project = "runs/val",
                            .name = "exp",
                            .device = "auto"};
}

_Static_assert((int)VG_AP_8_3 == (int)DETECT_AP_8_3 &&
                   (int)VG_AP_8_3_168 == (int)DETECT_AP_8_3_168 &&
                   (int)VG_AP_8_4_37 == (int)DETECT_AP_8_4_37 &&
                   (int)VG_AP_8_4 == (int)DETECT_AP_8_4,
               "one is cast to the other");

/* Checks what the caller set, and puts it in train's words. */
static vg_status check(train_val_options *out, const vg_val_options *o, vg_error *err)
{
    *out = (train_val_options){.data = o->data,
                               .weights = o->weights,
                               .task = o->task,
                               .imgsz = o->imgsz,
                               .batch = o->batch,
                               .workers = o->workers,
                               .threads = o->threads,
                               .ap = (detect_ap)o->ap,
                               .single_cls = o->single_cls,
                               .augment = o->augment,
                               .rect = o->rect,
                               .plots = o->plots,
                               .save_json = o->save_json,
                               .save_txt = o->save_txt,
                               .save_conf = o->save_conf,
                               .project = o->project,
                               .name = o->name,
                               .exist_ok = o->exist_ok,
                               .device = o->device,
                               .half = o->half,
                               .gpu_memory_limit_bytes = o->gpu_memory_limit_bytes};
    if (!o->data || !*o->data)
        return base_fail(err, VG_ERR_ARGUMENT, "data", "give a dataset's YAML",
                         "no dataset was given");
    if (!o->weights || !*o->weights)
        return base_fail(err, VG_ERR_ARGUMENT, "weights", "give a .pt or .safetensors file",
                         "no weights given");
    if ((o->plots || o->save_json || o->save_txt) &&
        (!o->project || !*o->project || !o->name || !*o->name))
        return base_fail(err, VG_ERR_ARGUMENT, "project, name", "leave them at their defaults",
                         "an empty project or name");
    if (o->save_conf && !o->save_txt)
        return base_fail(err, VG_ERR_ARGUMENT, "save_conf", "set save_txt, too",
                         "save_conf without save_txt");
    const vg_detect_options detect = {
        .conf = o->conf, .iou = o->iou, .max_det = o->max_det, .agnostic_nms = o->agnostic_nms};
    vg_status st = nn_device_check(o->device, err);
    if (st == VG_OK)
        st = api_nms_options(&out->nms, &detect, err);
    if (st == VG_OK)
        st = api_check_imgsz(o->imgsz, 0, err);
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
            out->split = (data_split)i;
            return VG_OK;
        }
    return base_fail(err, VG_ERR_ARGUMENT, "split", "use train, val or test",
                     "the split \"%.100s\"", o->split ? o->split : "");
}

vg_status vg_val_open(vg_val **out, const vg_val_options *o, vg_error *err)
{
    train_val_options options;
    *out = NULL;
    if (!o)
        return base_fail(err, VG_ERR_ARGUMENT, "options", "start from vg_val_options_default()",
                         "no options given");
    vg_status st = check(&options, o, err);
    if (st != VG_OK)
        return st;
    vg_val *v = base_handle_alloc(sizeof *v, err);
    if (!v)
        return VG_ERR_MEMORY;
    st = train_val_open(&v->run, &options, err);
    if (st != VG_OK)
        vg_val_close(&v);
    *out = v;
    return st;
}

void vg_val_close(vg_val **val)
{
    if (*val) {
        train_val_close(&(*val)->run);
        base_handle_free(*val);
    }
    *val = NULL;
}

vg_status vg_val_run(vg_val *v, const vg_val_result **out, bool (*wants_stop)(void *ctx), void *ctx,
                     vg_error *err)
{
    *out = NULL;
    if (v->run.is_done)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "open another one",
                         "a validation that has run already");
    return train_val_go(&v->run, out, wants_stop, ctx, err);
}

void vg_val_model(const vg_val *v, vg_model_info *out)
{
    train_val_model(&v->run, out);
}

void vg_val_progress(const vg_val *v, size_t *n_done, size_t *n_total)
{
    *n_done = v->run.n_seen;
    *n_total = data_set_size(v->run.set);
}

void vg_val_data(const vg_val *v, vg_data_report *out)
{
    *out = data_set_summary(v->run.set);
}

const char *vg_val_message(const vg_val *v, size_t index)
{
    return train_val_message(&v->run, index);
}

const char *vg_val_folder(const vg_val *v)
{
    return v->run.folder;
}

void vg_val_memory(const vg_val *v, vg_memory *out)
{
    train_owners_memory(out, &v->run.accounts, v->run.device);
}
