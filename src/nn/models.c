/* models.c: the models that vigil has by name: a text each, a row here. */
#include "models.h"

#include <string.h>

const char *const nn_model_scales[NN_N_SCALES] = {"n", "s", "m", "l", "x"};

const nn_model nn_models[NN_N_MODELS] = {
    {"11", "", "", nn_model_yolo11, "YOLO11", 23},
    {"11", "", "-seg", nn_model_yolo11_seg, "YOLO11-seg", 23},
    {"11", "", "-pose", nn_model_yolo11_pose, "YOLO11-pose", 23},
    {"11", "", "-obb", nn_model_yolo11_obb, "YOLO11-obb", 23},
    {"11", "", "-cls", nn_model_yolo11_cls, "YOLO11-cls", 10},
    {"8", "v", "", nn_model_yolov8, "YOLOv8", 22},
    {"8", "v", "-p2", nn_model_yolov8_p2, "YOLOv8-p2", 28},
    {"5", "v", "", nn_model_yolov5, "YOLOv5u", 24},
};

const char *nn_builtin_yaml(void)
{
    return nn_model_yolo11;
}

const char *nn_builtin_yaml_of(const char *name)
{
    char stem[64];
    const char *scale;
    const nn_model *m =
        base_path_stem(stem, sizeof stem, name) ? nn_model_find(stem, &scale) : NULL;
    return m ? m->yaml : NULL;
}

const nn_model *nn_model_find(const char *stem, const char **scale)
{
    *scale = NULL;
    if (!base_starts_with(stem, "yolo"))
        return NULL;
    const char *number = stem + 4 + (stem[4] == 'v'), *rest = NULL;
    const size_t n = strspn(number, "0123456789");
    rest = number + n;
    for (int i = 0; i < NN_N_SCALES; i++)
        if (*rest == *nn_model_scales[i])
            *scale = nn_model_scales[i];
    rest += *scale ? 1 : 0;
    /* YOLOv5 with this head: its weights are called yolov5nu.pt, its YAML yolov5n.yaml. */
    if (n == 1 && *number == '5' && *rest == 'u')
        rest++;
    for (int i = 0; i < NN_N_MODELS; i++)
        if (strlen(nn_models[i].number) == n && strncmp(nn_models[i].number, number, n) == 0 &&
            strcmp(nn_models[i].suffix, rest) == 0)
            return &nn_models[i];
    return NULL;
}

bool nn_model_name(char *out, size_t n, const nn_model *m, const char *scale)
{
    return base_format(out, n, "yolo%s%s%s%s", m->v, m->number, scale ? scale : "", m->suffix);
}
