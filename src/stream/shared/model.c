/* model.c: graphs from weights files and YAMLs, and the size of their input. */
#include "model.h"

#include "task/task.h"

static vg_status open_weights(stream_model *m, const char *weights, stream_accounts *mem,
                              vg_error *err)
{
    vg_status st = weights_open(&m->file, weights, &mem->owner[STREAM_LOADING], err);
    if (st == VG_ERR_MEMORY && mem->root.limit_bytes != SIZE_MAX) {
        char limit[32];
        st = base_fail(err, VG_ERR_LIMIT, "memory limit",
                       "raise the limit to 16 MB at least, which shows the sum",
                       "reading %s alone takes more than the limit of %s; what all would need is "
                       "known after that",
                       weights,
                       base_format_bytes(limit, sizeof limit, (double)mem->root.limit_bytes));
    }
    if (st == VG_OK) {
        st = nn_graph_from_weights(&m->graph, m->file, &mem->owner[STREAM_PLANS], err);
        if (st != VG_OK)
            base_error_prefix_where(err, weights);
    }
    return st;
}

static void choose_imgsz(stream_model *m, base_size given, base_size own)
{
    nn_graph_get_info(m->graph, 32, &m->info); /* for the stride */
    m->imgsz = nn_imgsz_choose(given, own, m->info.max_stride);
    nn_graph_get_info(m->graph, base_size_square(m->imgsz.used).h, &m->info);
}

vg_status stream_model_open(stream_model *out, const char *weights, const char *wanted,
                            base_size imgsz, stream_accounts *mem, vg_error *err)
{
    *out = (stream_model){0};
    vg_status st = open_weights(out, weights, mem, err);
    if (st == VG_OK) {
        choose_imgsz(out, imgsz, weights_get_meta(out->file)->imgsz);
        st = task_must_be(out->info.task, wanted, weights, err);
    }
    if (st != VG_OK)
        stream_model_close(out);
    return st;
}

/* What is no weights file: a YAML, or a name that no file has. */
static bool is_yaml(const char *name)
{
    const char *suffix = base_path_suffix(name);
    if (base_equal_nocase(suffix, ".pt") || base_equal_nocase(suffix, ".safetensors"))
        return false;
    return base_equal_nocase(suffix, ".yaml") || base_equal_nocase(suffix, ".yml") ||
           !base_path_exists(name);
}

vg_status stream_model_find(stream_model *out, const char *name, int imgsz, int nc,
                            stream_accounts *mem, vg_error *err)
{
    *out = (stream_model){0};
    const vg_status st =
        is_yaml(name) ? nn_graph_from_name(&out->graph, name, nc, &mem->owner[STREAM_PLANS], err)
                      : open_weights(out, name, mem, err);
    if (st == VG_OK)
        choose_imgsz(out, (base_size){.h = imgsz, .w = imgsz},
                     out->file ? base_size_square(weights_get_meta(out->file)->imgsz)
                               : (base_size){0});
    else
        stream_model_close(out);
    return st;
}

void stream_model_close(stream_model *m)
{
    weights_close(&m->file);
    nn_graph_destroy(&m->graph);
}
