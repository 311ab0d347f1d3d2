/* recipe.c: scale, nc, generator_seed and head_g of the metadata. */
#include "recipe.h"

#include <stdio.h>
#include <string.h>

vg_status gold_recipe_read(gold_recipe *out, const gold_file *f, vg_error *err)
{
    int64_t nc = 80, seed = 0;
    double head_g = 8;
    vg_status st = gold_meta_i64(&nc, f, "nc", 1, 65536, err);
    if (st == VG_OK)
        st = gold_meta_i64(&seed, f, "generator_seed", 0, INT64_MAX, err);
    if (st == VG_OK)
        st = gold_meta_real(&head_g, f, "head_g", err);
    *out = (gold_recipe){
        .nc = (int)nc, .seed = seed, .head_g = head_g, .cv4_g = head_g, .cls_g = head_g};
    base_format(out->scale, sizeof out->scale, "%s", gold_meta_text(f, "scale", "n"));
    return st;
}

const char *gold_task_suffix(const char *task)
{
    static const char *const rows[][2] = {
        {"segment", "-seg"}, {"pose", "-pose"}, {"obb", "-obb"}, {"classify", "-cls"}};
    for (size_t i = 0; task && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(task, rows[i][0]) == 0)
            return rows[i][1];
    return NULL;
}

vg_status gold_recipe_read_task(gold_recipe *out, const gold_file *f, const char *task,
                                vg_error *err)
{
    const char *shape = gold_meta_text(f, "kpt_shape", "");
    vg_status st = gold_recipe_read(out, f, err);
    if (st == VG_OK)
        st = gold_meta_real(&out->cv4_g, f, "cv4_g", err);
    if (st == VG_OK)
        st = gold_meta_real(&out->cls_g, f, "cls_g", err);
    if (st != VG_OK)
        return st;
    char scale[8];
    base_format(scale, sizeof scale, "%s", gold_meta_text(f, "scale", "n"));
    base_format(out->scale, sizeof out->scale, "yolo11%s%s", scale, gold_task_suffix(task));
    if (strcmp(task, "pose") == 0 &&
        sscanf(shape, "%*1[([]%d, %d", &out->keypoints, &out->keypoint_dims) != 2)
        return gold_bad(f, err, "kpt_shape \"%s\" is not of two numbers", shape);
    return VG_OK;
}

vg_status gold_recipe_graph(nn_graph **out, const gold_recipe *r, base_mem *mem, vg_error *err)
{
    return synthetic_graph_with(out, r->scale,
                                &(nn_graph_options){.nc = r->nc,
                                                    .keypoints = r->keypoints,
                                                    .keypoint_dims = r->keypoint_dims},
                                mem, err);
}

vg_status gold_synthetic_make(synthetic_weights *out, const gold_recipe *r, base_mem *mem,
                              vg_error *err)
{
    nn_graph *g = NULL;
    *out = (synthetic_weights){0};
    const generator_gains gains = {r->head_g, r->cv4_g, r->cls_g};
    vg_status st = gold_recipe_graph(&g, r, mem, err);
    if (st == VG_OK)
        st = synthetic_make_with(out, g, (uint64_t)r->seed, &gains, mem, err);
    nn_graph_destroy(&g);
    return st;
}
