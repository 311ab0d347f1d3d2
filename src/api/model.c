/* model.c: vg_model: a graph to look at, from a weights file or a YAML's name; and vg_convert. */
#include <string.h>

#include "handle.h"

enum { MOST_FACTS = 16, FACT_BYTES = 128 };

struct vg_model {
    stream_accounts accounts;
    nn_graph *graph;
    weights_file *file; /* NULL: from a YAML */
    nn_graph_info info;
    nn_imgsz imgsz; /* squares */
    size_t n_facts;
    struct {
        const char *key;
        char value[FACT_BYTES];
    } facts[MOST_FACTS];
};

static void add_fact(vg_model *m, const char *key, const char *value)
{
    if (*value && m->n_facts < MOST_FACTS) {
        m->facts[m->n_facts].key = key;
        base_format(m->facts[m->n_facts++].value, FACT_BYTES, "%s", value);
    }
}

static void collect_facts(vg_model *m)
{
    const weights_meta *meta = weights_get_meta(m->file);
    char text[FACT_BYTES];
    add_fact(m, "format", meta->source);
    add_fact(m, "chosen", meta->chosen);
    add_fact(m, "version", meta->version);
    add_fact(m, "date", meta->date);
    add_fact(m, "license", meta->license);
    base_format(text, sizeof text, "%zu", weights_count(m->file));
    add_fact(m, "tensors", text);
    add_fact(m, "dtype",
             weights_count(m->file) ? weights_dtype_name(weights_at(m->file, 0)->dtype) : "");
    if (meta->epoch >= 0) {
        base_format(text, sizeof text, "%lld", (long long)meta->epoch);
        add_fact(m, "epoch", text);
    }
    if (meta->imgsz.h > 0)
        add_fact(m, "trained at", base_format_size(text, sizeof text, meta->imgsz));
    if (meta->n_unknown_classes > 0) {
        base_format(text, sizeof text, "%zu, the first: %.80s", meta->n_unknown_classes,
                    meta->unknown_class);
        add_fact(m, "unknown classes", text);
    }
}

/* A YAML by its name; anything else is a weights file. */
static bool is_yaml(const char *name)
{
    const char *suffix = base_path_suffix(name);
    return base_equal_nocase(suffix, ".yaml") || base_equal_nocase(suffix, ".yml") ||
           !base_path_exists(name);
}

static vg_status open_model(vg_model *m, const char *name, int imgsz, int nc, vg_error *err)
{
    base_mem *plans = &m->accounts.owner[STREAM_PLANS];
    vg_status st = api_check_imgsz(imgsz, err);
    if (st == VG_OK && (!name || !*name))
        st = base_fail(err, VG_ERR_ARGUMENT, "path_or_name",
                       "give a weights file, or a model such as yolo11n.yaml", "no model given");
    if (st != VG_OK)
        return st;
    const char *suffix = base_path_suffix(name);
    bool names_weights =
        base_equal_nocase(suffix, ".pt") || base_equal_nocase(suffix, ".safetensors");
    if (is_yaml(name) && !names_weights) {
        st = nn_graph_from_name(&m->graph, name, nc, plans, err);
    } else {
        st = weights_open(&m->file, name, &m->accounts.owner[STREAM_LOADING], err);
        if (st == VG_OK) {
            st = nn_graph_from_weights(&m->graph, m->file, plans, err);
            if (st != VG_OK)
                base_error_prefix_where(err, name);
        }
        if (st == VG_OK)
            collect_facts(m);
    }
    if (st != VG_OK)
        return st;
    nn_graph_get_info(m->graph, 32, &m->info);
    m->imgsz = nn_imgsz_choose((base_size){.h = imgsz, .w = imgsz},
                               m->file ? base_size_square(weights_get_meta(m->file)->imgsz)
                                       : (base_size){0},
                               m->info.max_stride);
    nn_graph_get_info(m->graph, m->imgsz.used.h, &m->info);
    return VG_OK;
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
        nn_graph_destroy(&(*m)->graph);
        weights_close(&(*m)->file);
        base_handle_free(*m);
    }
    *m = NULL;
}

void vg_model_info_get(const vg_model *m, vg_model_info *out)
{
    nn_model_info(out, &m->info, &m->imgsz);
    if (m->file) {
        out->format = weights_get_meta(m->file)->source;
        out->chosen = weights_get_meta(m->file)->chosen;
    }
}

void vg_model_layer(const vg_model *m, int index, vg_layer *out)
{
    *out = (vg_layer){.index = index, .from = "", .module = "", .args = ""};
    if (index >= 0 && index < m->info.n_layers)
        nn_graph_layer(m->graph, index, m->imgsz.used.h, out);
}

const char *vg_model_class_name(const vg_model *m, int class_index)
{
    const weights_meta *meta = m->file ? weights_get_meta(m->file) : NULL;
    return meta && class_index >= 0 && class_index < meta->n_classes ? meta->names[class_index]
                                                                     : "";
}

int vg_model_n_levels(const vg_model *m)
{
    return m->info.n_levels;
}

float vg_model_stride(const vg_model *m, int level)
{
    return level >= 0 && level < m->info.n_levels ? m->info.strides[level] : 0;
}

bool vg_model_fact(const vg_model *m, size_t index, const char **key, const char **value)
{
    if (index >= m->n_facts)
        return false;
    *key = m->facts[index].key;
    *value = m->facts[index].value;
    return true;
}

vg_status vg_model_memory(const vg_model *m, int batch, int threads, vg_memory *out, vg_error *err)
{
    stream_accounts a; /* for sizes only: nothing stays on it */
    stream_accounts_init(&a, 0);
    nn_accounts mem = {&a.owner[STREAM_WEIGHTS], &a.owner[STREAM_ACTIVATIONS],
                       &a.owner[STREAM_PLANS]};
    nn_engine_options o = {.threads = threads};
    nn_memory_need need;
    vg_status st = api_check_range("batch", batch, 1, API_MOST_BATCH, err);
    if (st == VG_OK)
        st = api_check_range("threads", threads, 0, API_MOST_THREADS, err);
    if (st != VG_OK)
        return st;
    st = nn_graph_need(m->graph, &o, batch, m->imgsz.used.h, m->imgsz.used.w, &need, &mem, err);
    if (st != VG_OK)
        return st;
    a.planned_bytes[STREAM_WEIGHTS] = need.weights_bytes;
    a.planned_bytes[STREAM_ACTIVATIONS] = need.activation_bytes + need.scratch_bytes;
    stream_batcher_plan(&a, &m->info, m->imgsz.used, batch, API_MOST_DET);
    a.planned_bytes[STREAM_PLANS] =
        m->accounts.owner[STREAM_PLANS].in_use_bytes + need.engine_bytes;
    a.planned_bytes[STREAM_DETECTIONS] +=
        stream_detections_bytes(&m->info, m->imgsz.used.h, m->imgsz.used.w, API_MOST_DET);
    stream_accounts_memory(out, &a);
    return VG_OK;
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
