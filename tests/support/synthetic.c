/* synthetic.c: a safetensors image: header length, JSON header, the generator's numbers. */
#include "synthetic.h"

enum { MOST_HEADER_BYTES = 1 << 24 };

vg_status synthetic_graph_with(nn_graph **out, const char *scale, const nn_graph_options *o,
                               base_mem *mem, vg_error *err)
{
    char name[32];
    base_format(name, sizeof name, "%s%s", base_starts_with(scale, "yolo") ? "" : "yolo11", scale);
    return nn_graph_from_name_with(out, name, o, mem, err);
}

vg_status synthetic_graph(nn_graph **out, const char *scale, int nc, base_mem *mem, vg_error *err)
{
    return synthetic_graph_with(out, scale, &(nn_graph_options){.nc = nc}, mem, err);
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

static vg_status fill(synthetic_weights *out, uint8_t *data, const nn_graph *g, uint64_t seed,
                      const generator_gains *gains, vg_error *err)
{
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        float *dst = (float *)(void *)data;
        int64_t shape[4];
        for (int d = 0; d < 4; d++)
            shape[d] = d < p->n_dims ? p->shape[d] : 1;
        if (!generator_fill_with(dst, p->key, shape, p->n_dims, seed, gains))
            return base_fail(err, VG_ERR_UNSUPPORTED, base_where("tensor %s", p->key), NULL,
                             "the generator has no rule for this name");
        out->sum = generator_sum(out->sum, dst, p->n_elements);
        out->n_floats += p->n_elements;
        data += p->n_elements * sizeof(float);
    }
    return VG_OK;
}

vg_status synthetic_make_with(synthetic_weights *out, const nn_graph *g, uint64_t seed,
                              const generator_gains *gains, base_mem *mem, vg_error *err)
{
    base_str head = {0};
    size_t data_bytes = 0;
    *out = (synthetic_weights){0};
    vg_status st = header(&head, g, &data_bytes, mem, err);
    size_t data_at = sizeof(uint64_t) + head.length;
    if (st != VG_OK)
        goto done;
    out->image_bytes = data_at + data_bytes;
    out->image = base_alloc(mem, out->image_bytes, err);
    if (!out->image) {
        st = VG_ERR_MEMORY;
        goto done;
    }
    uint64_t length = head.length; /* little endian, as the machines we build for */
    memcpy(out->image, &length, sizeof length);
    memcpy(out->image + sizeof length, head.text, head.length);
    st = fill(out, out->image + data_at, g, seed, gains, err);
    if (st == VG_OK)
        st =
            weights_open_memory(&out->weights, out->image, out->image_bytes, "generator", mem, err);
done:
    base_str_fini(&head);
    return st;
}

vg_status synthetic_make(synthetic_weights *out, const nn_graph *g, uint64_t seed, double head_g,
                         base_mem *mem, vg_error *err)
{
    return synthetic_make_with(out, g, seed, &(generator_gains){head_g, head_g, head_g}, mem, err);
}

void synthetic_close(synthetic_weights *s)
{
    weights_close(&s->weights);
    base_free(s->image);
    *s = (synthetic_weights){0};
}
