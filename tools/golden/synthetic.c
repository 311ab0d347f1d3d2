/* synthetic.c: a safetensors image: header length, JSON header, the generator's numbers. */
#include "synthetic.h"

#include "support/generator.h"

enum { MOST_HEADER_BYTES = 1 << 24 };

vg_status gold_recipe_read(gold_recipe *out, const gold_file *f, vg_error *err)
{
    int64_t nc = 80, seed = 0;
    double head_g = 8;
    vg_status st = gold_meta_i64(&nc, f, "nc", 1, 65536, err);
    if (st == VG_OK)
        st = gold_meta_i64(&seed, f, "generator_seed", 0, INT64_MAX, err);
    if (st == VG_OK)
        st = gold_meta_real(&head_g, f, "head_g", err);
    *out = (gold_recipe){.nc = (int)nc, .seed = seed, .head_g = head_g};
    base_format(out->scale, sizeof out->scale, "%s", gold_meta_text(f, "scale", "n"));
    return st;
}

vg_status gold_graph_make(nn_graph **out, const char *scale, int nc, base_mem *mem, vg_error *err)
{
    base_tree *yaml = NULL;
    const char *text = nn_builtin_yaml();
    *out = NULL;
    vg_status st = base_tree_from_yaml(&yaml, text, strlen(text), "yolo11.yaml", mem, err);
    if (st == VG_OK)
        st = nn_graph_create(out, yaml, &(nn_graph_options){.scale = scale, .nc = nc}, mem, err);
    base_tree_destroy(&yaml);
    return st;
}

static vg_status header(base_str *s, const nn_graph *g, size_t *data_bytes, base_mem *mem,
                        vg_error *err)
{
    size_t at = 0;
    vg_status st = VG_OK;
    for (size_t i = 0; i < nn_graph_n_params(g) && st == VG_OK; i++) {
        const nn_param *p = nn_graph_param(g, i);
        size_t end = at + p->n_elements * sizeof(float);
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[",
                          i ? "," : "{", p->key);
        for (int d = 0; d < p->n_dims && st == VG_OK; d++)
            st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "%s%d", d ? "," : "", p->shape[d]);
        if (st == VG_OK)
            st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "],\"data_offsets\":[%zu,%zu]}", at,
                              end);
        at = end;
    }
    *data_bytes = at;
    if (st == VG_OK)
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "}");
    /* Floats behind it lie on their own 64 bytes. */
    while (st == VG_OK && (s->length + sizeof(uint64_t)) % BASE_MEM_ALIGN != 0)
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, " ");
    return st;
}

static vg_status fill(gold_synthetic *out, uint8_t *data, const nn_graph *g, const gold_recipe *r,
                      vg_error *err)
{
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        float *dst = (float *)(void *)data;
        int64_t shape[4];
        for (int d = 0; d < 4; d++)
            shape[d] = d < p->n_dims ? p->shape[d] : 1;
        if (!generator_fill(dst, p->key, shape, p->n_dims, (uint64_t)r->seed, r->head_g))
            return base_fail(err, VG_ERR_UNSUPPORTED, base_where("tensor %s", p->key), NULL,
                             "the generator has no rule for this name");
        out->sum = generator_sum(out->sum, dst, p->n_elements);
        out->n_floats += p->n_elements;
        data += p->n_elements * sizeof(float);
    }
    return VG_OK;
}

vg_status gold_synthetic_make(gold_synthetic *out, const nn_graph *g, const gold_recipe *r,
                              base_mem *mem, vg_error *err)
{
    base_str head = {0};
    size_t data_bytes = 0;
    *out = (gold_synthetic){0};
    vg_status st = header(&head, g, &data_bytes, mem, err);
    size_t data_at = sizeof(uint64_t) + head.length;
    if (st != VG_OK)
        goto done;
    out->image = base_alloc(mem, data_at + data_bytes, err);
    if (!out->image) {
        st = VG_ERR_MEMORY;
        goto done;
    }
    uint64_t length = head.length; /* little endian, as the machines we build for */
    memcpy(out->image, &length, sizeof length);
    memcpy(out->image + sizeof length, head.text, head.length);
    st = fill(out, out->image + data_at, g, r, err);
    if (st == VG_OK)
        st = weights_open_memory(&out->weights, out->image, data_at + data_bytes, "generator", mem,
                                 err);
done:
    base_str_fini(&head);
    return st;
}

void gold_synthetic_close(gold_synthetic *s)
{
    weights_close(&s->weights);
    base_free(s->image);
    *s = (gold_synthetic){0};
}
