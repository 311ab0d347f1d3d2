/* Any text as a model's YAML: a graph whose plan fits together and whose need can be told, or an
 * error; and every byte given back. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/plan.h"

static void check(vg_status st, const vg_error *err, const void *made)
{
    assert((st == VG_OK) == (made != NULL));
    assert(st == VG_OK || (err->status == st && err->what[0]));
}

/* Maps lie in the block, each long enough for its shape. */
static void check_plan(const nn_plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++) {
        const int values[3] = {p->steps[i].spec.dst, p->steps[i].spec.src, p->steps[i].spec.src2};
        for (int k = 0; k < 3; k++) {
            if (values[k] == NN_NO_VALUE || p->offsets[values[k]] == SIZE_MAX)
                continue;
            const nn_map *m = &p->maps[values[k]];
            size_t pixels = (size_t)m->n * (size_t)m->h * (size_t)m->w;
            assert(pixels > 0 && m->c > 0 && m->pitch >= (size_t)m->c);
            assert(p->offsets[values[k]] +
                       ((pixels - 1) * m->pitch + (size_t)m->c) * sizeof(float) <=
                   p->block_bytes);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_mem mem = {.tag = "fuzz", .limit_bytes = (size_t)512 << 20};
    const nn_accounts accounts = {&mem, &mem, &mem, &mem};
    vg_error err = {0};
    base_tree *yaml = NULL;
    nn_graph *g = NULL;
    nn_plan *p = NULL;
    if (base_tree_from_yaml(&yaml, (const char *)data, size, "fuzz", &mem, &err) == VG_OK) {
        vg_status st = nn_graph_create(&g, yaml, NULL, &mem, &err);
        check(st, &err, g);
    }
    base_tree_destroy(&yaml);
    if (g) {
        nn_graph_info info;
        nn_memory_need need;
        nn_graph_get_info(g, 64, &info);
        for (int i = 0; i < info.n_layers; i++) {
            vg_layer layer;
            nn_graph_layer(g, i, 64, &layer);
        }
        vg_status st = nn_plan_create(&p, g, 1, 64, 64, false, &mem, &err);
        check(st, &err, p);
        if (p)
            check_plan(p);
        nn_plan_destroy(&p);
        st =
            nn_graph_need(g, &(nn_engine_options){.threads = 1}, 1, 64, 64, &need, &accounts, &err);
        assert(st != VG_OK || need.naive_bytes >= need.activation_bytes);
    }
    nn_graph_destroy(&g);
    assert(mem.in_use_bytes == 0);
    return 0;
}
