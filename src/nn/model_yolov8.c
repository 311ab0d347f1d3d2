/* model_yolov8.c: YOLOv8 as a model YAML, and its variant with a fourth, finer level (stride 4). */
#include "models.h"

#define SCALES                                                                                     \
    "nc: 80\n"                                                                                     \
    "scales: # depth, width, most channels\n"                                                      \
    "  n: [0.33, 0.25, 1024]\n"                                                                    \
    "  s: [0.33, 0.50, 1024]\n"                                                                    \
    "  m: [0.67, 0.75, 768]\n"                                                                     \
    "  l: [1.00, 1.00, 512]\n"                                                                     \
    "  x: [1.00, 1.25, 512]\n"

#define BACKBONE                                                                                   \
    "backbone: # from, repeats, module, arguments\n"                                               \
    "  - [-1, 1, Conv, [64, 3, 2]]\n"                                                              \
    "  - [-1, 1, Conv, [128, 3, 2]]\n"                                                             \
    "  - [-1, 3, C2f, [128, True]]\n"                                                              \
    "  - [-1, 1, Conv, [256, 3, 2]]\n"                                                             \
    "  - [-1, 6, C2f, [256, True]]\n"                                                              \
    "  - [-1, 1, Conv, [512, 3, 2]]\n"                                                             \
    "  - [-1, 6, C2f, [512, True]]\n"                                                              \
    "  - [-1, 1, Conv, [1024, 3, 2]]\n"                                                            \
    "  - [-1, 3, C2f, [1024, True]]\n"                                                             \
    "  - [-1, 1, SPPF, [1024, 5]]\n"

#define NECK_DOWN_TO_STRIDE_8                                                                      \
    "head:\n"                                                                                      \
    "  - [-1, 1, nn.Upsample, [None, 2, nearest]]\n"                                               \
    "  - [[-1, 6], 1, Concat, [1]]\n"                                                              \
    "  - [-1, 3, C2f, [512]]\n"                                                                    \
    "  - [-1, 1, nn.Upsample, [None, 2, nearest]]\n"                                               \
    "  - [[-1, 4], 1, Concat, [1]]\n"                                                              \
    "  - [-1, 3, C2f, [256]]\n"

const char nn_model_yolov8[] =
    SCALES BACKBONE NECK_DOWN_TO_STRIDE_8 "  - [-1, 1, Conv, [256, 3, 2]]\n"
                                          "  - [[-1, 12], 1, Concat, [1]]\n"
                                          "  - [-1, 3, C2f, [512]]\n"
                                          "  - [-1, 1, Conv, [512, 3, 2]]\n"
                                          "  - [[-1, 9], 1, Concat, [1]]\n"
                                          "  - [-1, 3, C2f, [1024]]\n"
                                          "  - [[15, 18, 21], 1, Detect, [nc]]\n";

const char nn_model_yolov8_p2[] =
    SCALES BACKBONE NECK_DOWN_TO_STRIDE_8 "  - [-1, 1, nn.Upsample, [None, 2, nearest]]\n"
                                          "  - [[-1, 2], 1, Concat, [1]]\n"
                                          "  - [-1, 3, C2f, [128]]\n"
                                          "  - [-1, 1, Conv, [128, 3, 2]]\n"
                                          "  - [[-1, 15], 1, Concat, [1]]\n"
                                          "  - [-1, 3, C2f, [256]]\n"
                                          "  - [-1, 1, Conv, [256, 3, 2]]\n"
                                          "  - [[-1, 12], 1, Concat, [1]]\n"
                                          "  - [-1, 3, C2f, [512]]\n"
                                          "  - [-1, 1, Conv, [512, 3, 2]]\n"
                                          "  - [[-1, 9], 1, Concat, [1]]\n"
                                          "  - [-1, 3, C2f, [1024]]\n"
                                          "  - [[18, 21, 24, 27], 1, Detect, [nc]]\n";
