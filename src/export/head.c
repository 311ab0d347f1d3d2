/* head.c: a head is the last row of a model. */
#include "head.h"

#include <string.h>

static const export_head heads[] = {
    {"Detect", "detect", PKL_DETECTION_MODEL, true},
    {"Segment", "segment", PKL_SEGMENTATION_MODEL, true},
    {"Pose", "pose", PKL_POSE_MODEL, true},
    {"OBB", "obb", PKL_OBB_MODEL, true},
    {"Classify", "classify", PKL_CLASSIFICATION_MODEL, false},
};

const export_head *export_head_of(const nn_graph *g)
{
    nn_graph_info info;
    vg_layer last;
    nn_graph_get_info(g, 32, &info);
    nn_graph_layer(g, info.n_layers - 1, 32, &last);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (strcmp(heads[i].module, last.module) == 0)
            return &heads[i];
    return &heads[0];
}

const char *export_task_name(const nn_graph *g)
{
    return export_head_of(g)->task;
}
