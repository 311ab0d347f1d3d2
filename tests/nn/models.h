/* models.h: model YAML in a test's own text -> graph. */
#ifndef TESTS_NN_MODELS_H
#define TESTS_NN_MODELS_H

#include "nn/nn.h"

/* source of errors: "model.yaml". */
static inline vg_status graph_from_text(nn_graph **out, const char *text, const char *scale, int nc,
                                        base_mem *mem, vg_error *err)
{
    base_tree *yaml = NULL;
    *out = NULL;
    vg_status st = base_tree_from_yaml(&yaml, text, strlen(text), "model.yaml", mem, err);
    if (st == VG_OK)
        st = nn_graph_create(out, yaml, &(nn_graph_options){.scale = scale, .nc = nc}, mem, err);
    base_tree_destroy(&yaml);
    return st;
}

/* The built-in YOLO11; fails the test when it is none. */
static inline nn_graph *graph_of(const char *scale, int nc, base_mem *mem)
{
    nn_graph *g = NULL;
    vg_error err = {0};
    if (graph_from_text(&g, nn_builtin_yaml(), scale, nc, mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return g;
}

/* A head of one level behind any rows: what a small user model needs. */
#define MODEL_HEAD(row) "head:\n  - [[" #row "], 1, Detect, [nc]]\n"

#endif
