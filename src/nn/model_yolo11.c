/* model_yolo11.c: YOLO11 as model YAMLs, one a task. Spec 1.1 and 1.2, and 1.1 of the tasks. */
#include "models.h"

/* clang-format off */
#define SCALES                                                                                     \
    "scales: # depth, width, most channels\n"                                                      \
    "  n: [0.50, 0.25, 1024]\n"                                                                    \
    "  s: [0.50, 0.50, 1024]\n"                                                                    \
    "  m: [0.50, 1.00, 512]\n"                                                                     \
    "  l: [1.00, 1.00, 512]\n"                                                                     \
    "  x: [1.00, 1.50, 512]\n"
#define BACKBONE                                                                                   \
    "backbone: # from, repeats, module, arguments\n"                                               \
    "  - [-1, 1, Conv, [64, 3, 2]]\n"                                                              \
    "  - [-1, 1, Conv, [128, 3, 2]]\n"                                                             \
    "  - [-1, 2, C3k2, [256, False, 0.25]]\n"                                                      \
    "  - [-1, 1, Conv, [256, 3, 2]]\n"                                                             \
    "  - [-1, 2, C3k2, [512, False, 0.25]]\n"                                                      \
    "  - [-1, 1, Conv, [512, 3, 2]]\n"                                                             \
    "  - [-1, 2, C3k2, [512, True]]\n"                                                             \
    "  - [-1, 1, Conv, [1024, 3, 2]]\n"                                                            \
    "  - [-1, 2, C3k2, [1024, True]]\n"
#define NECK                                                                                       \
    "  - [-1, 1, SPPF, [1024, 5]]\n"                                                               \
    "  - [-1, 2, C2PSA, [1024]]\n"                                                                 \
    "head:\n"                                                                                      \
    "  - [-1, 1, nn.Upsample, [None, 2, nearest]]\n"                                               \
    "  - [[-1, 6], 1, Concat, [1]]\n"                                                              \
    "  - [-1, 2, C3k2, [512, False]]\n"                                                            \
    "  - [-1, 1, nn.Upsample, [None, 2, nearest]]\n"                                               \
    "  - [[-1, 4], 1, Concat, [1]]\n"                                                              \
    "  - [-1, 2, C3k2, [256, False]]\n"                                                            \
    "  - [-1, 1, Conv, [256, 3, 2]]\n"                                                             \
    "  - [[-1, 13], 1, Concat, [1]]\n"                                                             \
    "  - [-1, 2, C3k2, [512, False]]\n"                                                            \
    "  - [-1, 1, Conv, [512, 3, 2]]\n"                                                             \
    "  - [[-1, 10], 1, Concat, [1]]\n"                                                             \
    "  - [-1, 2, C3k2, [1024, True]]\n"

const char nn_model_yolo11[] =
    "nc: 80\n" SCALES BACKBONE NECK
    "  - [[16, 19, 22], 1, Detect, [nc]]\n";
const char nn_model_yolo11_seg[] =
    "nc: 80\n" SCALES BACKBONE NECK
    "  - [[16, 19, 22], 1, Segment, [nc, 32, 256]]\n";
const char nn_model_yolo11_pose[] =
    "nc: 80\nkpt_shape: [17, 3]\n" SCALES BACKBONE NECK
    "  - [[16, 19, 22], 1, Pose, [nc, kpt_shape]]\n";
const char nn_model_yolo11_obb[] =
    "nc: 80\n" SCALES BACKBONE NECK
    "  - [[16, 19, 22], 1, OBB, [nc, 1]]\n";
const char nn_model_yolo11_cls[] =
    "nc: 80\n" SCALES BACKBONE
    "  - [-1, 2, C2PSA, [1024]]\n"
    "head:\n"
    "  - [-1, 1, Classify, [nc]]\n";
