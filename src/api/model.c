/* model.c: vg_model over a model that nothing is taken for, from a weights file or a YAML's name;
 * and vg_convert. */
#include "handle.h"
#include "task/task.h"

struct vg_model {
    stream_accounts accounts;
    stream_model model;
    weights_facts facts;
};

static vg_status open_model(vg_model *m, const char *name, int imgsz, int nc, vg_error *err)
{
    vg_status st = api_check_imgsz(imgsz, 0, err);
    if (st == VG_OK && (!name || !*name))
        st = base_fail(err, VG_ERR_ARGUMENT, "path_or_name",
                       "give a weights file, or a model such as yolo11n.yaml", "no model given");
    if (st == VG_OK)
        st = stream_model_find(&m->model, name, imgsz, nc, &m->accounts, err);
    if (st == VG_OK && m->model.file)
        weights_collect_facts(&m->facts, m->model.file);
    return st;
}

vg_status vg_model_open(vg_model **out, const char *path_or_name, int imgsz, int nc, vg_error *err)
{
    *out = NULL;
    vg_model *m = base_handle_alloc(sizeof *m, err);
    if (!m)
        return VG_ERR_MEMORY;
    stream_accounts_init(&m->accounts, 0);
    vg_status st = open_model(m, path_or_name, imgsz, nc, err);
    if (st != VG_OK)
        vg_model_close(&m);
    *out = m;
    return st;
}

void vg_model_close(vg_model **m)
{
    if (*m) {
        stream_model_close(&(*m)->model);
        base_handle_free(*m);
    }
    *m = NULL;
}

void vg_model_info_get(const vg_model *m, vg_model_info *out)
{
    nn_model_info(out, &m->model.info, &m->model.imgsz);
    if (m->model.file) {
        out->format = weights_get_meta(m->model.file)->source;
        out->chosen = weights_get_meta(m->model.file)->chosen;
    }
}

void vg_model_layer(const vg_model *m, int index, vg_layer *out)
{
    *out = (vg_layer){.index = index, .from = "", .module = "", .args = ""};
    if (index >= 0 && index < m->model.info.n_layers)
        nn_graph_layer(m->model.graph, index, m->model.imgsz.used.h, out);
}

const char *vg_task_name(vg_task id)
{
    return (unsigned)id < VG_N_TASKS ? task_of(id)->name : "";
}

const char *vg_model_class_name(const vg_model *m, int class_index)
{
    const weights_meta *meta = m->model.file ? weights_get_meta(m->model.file) : NULL;
    return meta && class_index >= 0 && class_index < meta->n_classes ? meta->names[class_index]
                                                                     : "";
}

int vg_model_n_levels(const vg_model *m)
{
    return m->model.info.n_levels;
}

float vg_model_stride(const vg_model *m, int level)
{
    return level >= 0 && level < m->model.info.n_levels ? m->model.info.strides[level] : 0;
}

bool vg_model_fact(const vg_model *m, size_t index, const char **key, const char **value)
{
    if (index >= m->facts.n)
        return false;
    *key = m->facts.rows[index].key;
    *value = m->facts.rows[index].value;
    return true;
}

vg_status vg_model_memory(const vg_model *m, int batch, int threads, const char *device,
                          bool augment, vg_memory *out, vg_error *err)
{
    vg_status st = api_check_range("batch", batch, 1, API_MOST_BATCH, err);
    if (st == VG_OK)
        st = api_check_range("threads", threads, 0, API_MOST_THREADS, err);
    if (st == VG_OK)
        st = stream_batcher_need(out, &m->model, batch, threads, device, augment, API_MOST_DET,
                                 m->accounts.owner[STREAM_PLANS].in_use_bytes, err);
    return st;
}

vg_status vg_convert(const char *weights, const char *output, vg_error *err)
{
    stream_accounts a;
    weights_file *file = NULL;
    if (!weights || !*weights || !output || !*output)
        return base_fail(err, VG_ERR_ARGUMENT, weights && *weights ? "output" : "weights",
                         "give both paths", "no path given");
    stream_accounts_init(&a, 0);
    base_mem *mem = &a.owner[STREAM_LOADING];
    vg_status st = weights_open(&file, weights, mem, err);
    if (st == VG_OK)
        st = weights_convert(file, output, mem, err);
    weights_close(&file);
    return st;
}
