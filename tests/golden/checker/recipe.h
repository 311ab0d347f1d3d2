/* recipe.h: what a golden file's metadata says of its weights, and a network with such weights. */
#ifndef GOLDEN_RECIPE_H
#define GOLDEN_RECIPE_H

#include "file.h"
#include "support/synthetic.h"

/* The reference's usual where the metadata is silent: scale n, nc 80, seed 0, head_g 8. */
typedef struct gold_recipe {
    char scale[32]; /* of YOLO11; or another model's name, "yolov8n" */
    int nc;
    int64_t seed;
    double head_g, cv4_g, cls_g;  /* the last two of other tasks than detection */
    int keypoints, keypoint_dims; /* 0: none */
} gold_recipe;
vg_status gold_recipe_read(gold_recipe *out, const gold_file *f, vg_error *err);

/* "-seg" of segment: what the task is in a model's name; NULL: no task of ours. */
const char *gold_task_suffix(const char *task);
/* With the task that the metadata names in the scale's place: "yolo11n-seg". */
vg_status gold_recipe_read_task(gold_recipe *out, const gold_file *f, const char *task,
                                vg_error *err);
vg_status gold_recipe_graph(nn_graph **out, const gold_recipe *r, base_mem *mem, vg_error *err);

/* The weights of the recipe's network. Close (synthetic_close) also after a failure. */
vg_status gold_synthetic_make(synthetic_weights *out, const gold_recipe *r, base_mem *mem,
                              vg_error *err);

#endif
