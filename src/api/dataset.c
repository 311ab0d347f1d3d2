/* dataset.c: vg_dataset_check and vg_dataset_convert over the floors data/check and data/convert:
 * their arguments, their accounts. */
#include "vigil/dataset.h"
#include "api.h"
#include "data/check/check.h"
#include "data/convert/convert.h"
#include "task/task.h"

#define DEFAULT_VAL 0.1

enum { DEFAULT_FAULTS = 1000, MOST_FAULTS = 10000000 };

struct vg_dataset_check {
    base_mem mem;
    data_spec *spec;
    data_check *check;
};

vg_dataset_check_options vg_dataset_check_options_default(void)
{
    return (vg_dataset_check_options){.most_faults = DEFAULT_FAULTS};
}

vg_status vg_dataset_check_open(vg_dataset_check **out, const vg_dataset_check_options *o,
                                vg_error *err)
{
    *out = NULL;
    if (!o || !o->data || !*o->data)
        return base_fail(err, VG_ERR_ARGUMENT, "data", "give a dataset's YAML", "no dataset given");
    if (o->most_faults > MOST_FAULTS)
        return base_fail(err, VG_ERR_ARGUMENT, "most_faults", base_mend("%d at most", MOST_FAULTS),
                         "%zu faults are too many to keep", o->most_faults);
    const task *t = o->task ? task_find(o->task) : NULL;
    if (o->task && !t)
        return base_fail(err, VG_ERR_ARGUMENT, "task", base_mend("%s", task_names().text),
                         "no task \"%.60s\"", o->task);
    vg_status st = api_check_range("threads", o->threads, 0, API_MOST_THREADS, err);
    if (st != VG_OK)
        return st;
    vg_dataset_check *c = base_handle_alloc(sizeof *c, err);
    base_pool *pool = NULL;
    if (!c)
        return VG_ERR_MEMORY;
    base_mem_init(&c->mem, "dataset", NULL, o->memory_limit_bytes);
    st = data_spec_open(&c->spec, o->data, &c->mem, err);
    if (st == VG_OK)
        st = base_pool_create(&pool, o->threads > 0 ? o->threads : base_cpu_count(), &c->mem, err);
    if (st == VG_OK)
        st = data_check_open(&c->check, c->spec, t ? t->labels : data_spec_kind(c->spec),
                             o->most_faults, pool, &c->mem, err);
    base_pool_destroy(&pool);
    if (st == VG_OK)
        *out = c;
    else
        vg_dataset_check_close(&c);
    return st;
}

void vg_dataset_check_close(vg_dataset_check **check)
{
    vg_dataset_check *c = *check;
    if (!c)
        return;
    data_check_destroy(&c->check);
    data_spec_destroy(&c->spec);
    base_handle_free(c);
    *check = NULL;
}

void vg_dataset_check_total(const vg_dataset_check *c, vg_dataset_total *out)
{
    data_check_total(c->check, out);
    out->peak_bytes = c->mem.peak_bytes;
}

bool vg_dataset_check_split(const vg_dataset_check *c, vg_split split, vg_dataset_split *out)
{
    return data_check_split(c->check, (data_split)split, out);
}

bool vg_dataset_check_class(const vg_dataset_check *c, size_t index, vg_dataset_class *out)
{
    return data_check_class(c->check, index, out);
}

bool vg_dataset_check_size(const vg_dataset_check *c, vg_split split, size_t index,
                           vg_dataset_size *out)
{
    return data_check_size(c->check, (data_split)split, index, out);
}

bool vg_dataset_check_fault(const vg_dataset_check *c, size_t index, vg_dataset_fault *out)
{
    return data_check_fault(c->check, index, out);
}

const char *vg_dataset_check_notice(const vg_dataset_check *c, size_t index)
{
    return data_check_notice(c->check, index);
}

/* ---- datasets of other tools ---- */

vg_dataset_convert_options vg_dataset_convert_options_default(void)
{
    return (vg_dataset_convert_options){
        .format = "auto", .val = DEFAULT_VAL, .polygons = true, .difficult = true};
}

vg_status vg_dataset_convert(vg_dataset_converted *out, const vg_dataset_convert_options *o,
                             vg_error *err)
{
    base_mem mem;
    const data_convert_options options = {.source = o->data,
                                          .output = o->output,
                                          .format = o->format,
                                          .images = o->images,
                                          .pictures = o->pictures,
                                          .val = o->val,
                                          .polygons = o->polygons,
                                          .difficult = o->difficult,
                                          .keypoints = o->keypoints,
                                          .class_named = o->class_named,
                                          .wants_stop = o->wants_stop,
                                          .ctx = o->ctx};
    base_mem_init(&mem, "convert", NULL, o->memory_limit_bytes);
    return data_convert(out, &options, &mem, err);
}

const char *vg_dataset_format(size_t index)
{
    return data_convert_format(index);
}
