/* models.h: the models that vigil has by name. For this folder. */
#ifndef NN_MODELS_H
#define NN_MODELS_H

#include "nn.h"

typedef struct nn_model {
    const char *number;   /* "11", "8", "5" */
    const char *v;        /* between "yolo" and the number: "" or "v" */
    const char *suffix;   /* behind the scale: "", "-p2", "-seg" */
    const char *yaml;     /* all scales */
    const char *detector; /* "YOLO11", in messages */
    int head_layer;       /* row of the head */
} nn_model;

enum { NN_N_MODELS = 8, NN_N_SCALES = 5 };
extern const nn_model nn_models[NN_N_MODELS];
extern const char *const nn_model_scales[NN_N_SCALES]; /* "n" "s" "m" "l" "x" */

/* A name without its file suffix: "yolo11s", "yolov8n-p2", "yolov5su", "yolov8". The v may be there
 * or not. *scale: NULL where the name has none. NULL: no such model. */
const nn_model *nn_model_find(const char *stem, const char **scale);
/* "yolov8n-p2.yaml"; scale may be NULL. */
bool nn_model_name(char *out, size_t n, const nn_model *m, const char *scale);

extern const char nn_model_yolo11[], nn_model_yolo11_seg[], nn_model_yolo11_pose[],
    nn_model_yolo11_obb[], nn_model_yolo11_cls[], nn_model_yolov8[], nn_model_yolov8_p2[],
    nn_model_yolov5[];

#endif
