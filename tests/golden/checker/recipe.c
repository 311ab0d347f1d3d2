/* recipe.c: scale, nc, generator_seed and head_g of the metadata. */
#include "recipe.h"

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

vg_status gold_synthetic_make(synthetic_weights *out, const gold_recipe *r, base_mem *mem,
                              vg_error *err)
{
    nn_graph *g = NULL;
    *out = (synthetic_weights){0};
    vg_status st = synthetic_graph(&g, r->scale, r->nc, mem, err);
    if (st == VG_OK)
        st = synthetic_make(out, g, (uint64_t)r->seed, r->head_g, mem, err);
    nn_graph_destroy(&g);
    return st;
}
