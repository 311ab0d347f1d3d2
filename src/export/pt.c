/* pt.c: a checkpoint of torch.save, for the Python tool: a zip of the pickle and a file for each
 * tensor. Spec section 7. */
#include "pt.h"

#include <math.h>
#include <string.h>

enum { PART = 4096, MORE_STORAGES = 8, MORE_ENTRIES = 4, TREE_BYTES = 256 << 10 };

void pt_fail(pt_build *b, vg_status status, const char *where, const char *mend, const char *what)
{
    if (b->zip.stream.status == VG_OK)
        b->zip.stream.status = base_fail(b->err, status, where, mend, "%s", what);
}

static void put_entry(pt_build *b, const char *name, const char *text)
{
    zip_begin(&b->zip, name);
    zip_put(&b->zip, text, strlen(text));
    zip_end(&b->zip);
}

/* n floats in the storage's type. */
static void put_floats(pt_build *b, const pt_storage *s, const float *values)
{
    uint16_t part[PART];
    if (s->class == PKL_FLOAT_STORAGE) {
        zip_put(&b->zip, values, s->n * sizeof *values);
        return;
    }
    for (size_t i = 0; i < s->n; i += PART) {
        const size_t now = s->n - i < PART ? s->n - i : PART;
        for (size_t k = 0; k < now; k++) {
            part[k] = weights_f32_to_f16(values[i + k]);
            if (isfinite(values[i + k]) && !isfinite(weights_f16_to_f32(part[k])))
                pt_fail(b, VG_ERR_LIMIT, s->tensor != NULL ? s->tensor->name : "",
                        "export without --half", "a weight that 16 bits cannot hold");
        }
        zip_put(&b->zip, part, now * sizeof *part);
    }
}

static void put_storage(pt_build *b, size_t index, float *scratch)
{
    static const float zeros[NN_MAX_LEVELS] = {0};
    static const int64_t no_batches = 0;
    const pt_storage *s = &b->storages[index];
    char name[ZIP_NAME_BYTES];
    base_format(name, sizeof name, "archive/data/%zu", index);
    zip_begin(&b->zip, name);
    if (s->class == PKL_LONG_STORAGE)
        zip_put(&b->zip, &no_batches, sizeof no_batches);
    else if (s->tensor == NULL)
        put_floats(b, s, s->values != NULL ? s->values : zeros);
    else {
        weights_to_float(scratch, s->tensor);
        put_floats(b, s, scratch);
    }
    zip_end(&b->zip);
}

typedef struct layout {
    size_t entries_at, storages_at, floats_at, n_bytes, n_storages;
} layout;

/* A counter for each batch norm beside the graph's own parameters. */
static layout plan(const nn_graph *g)
{
    layout l = {.n_storages = MORE_STORAGES};
    size_t most = 0;
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        most = p->n_elements > most ? p->n_elements : most;
        l.n_storages += p->kind == NN_PARAM_BN_MEAN ? 2 : 1;
    }
    l.entries_at = EXPORT_BUFFER_BYTES;
    l.storages_at = base_round_up(
        l.entries_at + (l.n_storages + MORE_ENTRIES) * sizeof(zip_written), BASE_MEM_ALIGN);
    l.floats_at = base_round_up(l.storages_at + l.n_storages * sizeof(pt_storage), BASE_MEM_ALIGN);
    l.n_bytes = l.floats_at + most * sizeof(float);
    return l;
}

size_t export_pt_need(const nn_graph *g, const weights_file *w)
{
    return plan(g).n_bytes + TREE_BYTES + 16 * strlen(weights_get_meta(w)->model_yaml);
}

static void put_file(pt_build *b, float *scratch)
{
    zip_begin(&b->zip, "archive/data.pkl");
    pt_put_checkpoint(b);
    zip_end(&b->zip);
    put_entry(b, "archive/byteorder", "little");
    for (size_t i = 0; i < b->n_storages && b->zip.stream.status == VG_OK; i++)
        put_storage(b, i, scratch);
    put_entry(b, "archive/version", "3\n");
    zip_finish(&b->zip);
}

vg_status export_pt(const char *path, const nn_graph *g, const weights_file *w,
                    const export_pt_options *o, base_mem *mem, vg_error *err)
{
    const layout l = plan(g);
    base_file file = BASE_FILE_NONE;
    base_tree *yaml = NULL;
    char *text = NULL;
    pt_build b = {.g = g, .w = w, .o = o, .most = l.n_storages, .err = err};
    nn_graph_get_info(g, 32, &b.info);
    vg_status st =
        nn_model_text_of_weights(&text, g, w, &(nn_graph_options){.nc = b.info.nc}, mem, err);
    uint8_t *block = NULL;
    if (st == VG_OK)
        st = base_tree_from_yaml(&yaml, text, strlen(text), "the weights' model", mem, err);
    if (st == VG_OK && (block = base_alloc(mem, l.n_bytes, err)) == NULL)
        st = VG_ERR_MEMORY;
    if (st == VG_OK)
        st = base_file_create_beside(&file, path, err);
    if (st != VG_OK)
        goto done;
    b.yaml = base_tree_root(yaml);
    b.storages = (pt_storage *)(void *)(block + l.storages_at);
    b.zip = (zip_writer){.stream = {.file = &file, .buffer = block, .err = err},
                         .entries = (zip_written *)(void *)(block + l.entries_at),
                         .most = l.n_storages + MORE_ENTRIES,
                         .path = path};
    b.pkl.zip = &b.zip;
    put_file(&b, (float *)(void *)(block + l.floats_at));
    st = b.zip.stream.status;
    if (st == VG_OK)
        st = base_file_commit(&file, path, err);
done:
    base_file_discard(&file);
    base_tree_destroy(&yaml);
    base_free(text);
    base_free(block);
    return st;
}
