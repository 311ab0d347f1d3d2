/* model_yolo11.c: YOLO11 as a model YAML. Spec 1.1 and 1.2. */
#include "nn.h"

static const char yolo11[] = "nc: 80\n"
                             "scales: # depth, width, most channels\n"
                             "  n: [0.50, 0.25, 1024]\n"
                             "  s: [0.50, 0.50, 1024]\n"
                             "  m: [0.50, 1.00, 512]\n"
                             "  l: [1.00, 1.00, 512]\n"
                             "  x: [1.00, 1.50, 512]\n"
                             "backbone: # from, repeats, module, arguments\n"
                             "  - [-1, 1, Conv, [64, 3, 2]]\n"
                             "  - [-1, 1, Conv, [128, 3, 2]]\n"
                             "  - [-1, 2, C3k2, [256, False, 0.25]]\n"
                             "  - [-1, 1, Conv, [256, 3, 2]]\n"
                             "  - [-1, 2, C3k2, [512, False, 0.25]]\n"
                             "  - [-1, 1, Conv, [512, 3, 2]]\n"
                             "  - [-1, 2, C3k2, [512, True]]\n"
                             "  - [-1, 1, Conv, [1024, 3, 2]]\n"
                             "  - [-1, 2, C3k2, [1024, True]]\n"
                             "  - [-1, 1, SPPF, [1024, 5]]\n"
                             "  - [-1, 2, C2PSA, [1024]]\n"
                             "head:\n"
                             "  - [-1, 1, nn.Upsample, [None, 2, nearest]]\n"
                             "  - [[-1, 6], 1, Concat, [1]]\n"
                             "  - [-1, 2, C3k2, [512, False]]\n"
                             "  - [-1, 1, nn.Upsample, [None, 2, nearest]]\n"
                             "  - [[-1, 4], 1, Concat, [1]]\n"
                             "  - [-1, 2, C3k2, [256, False]]\n"
                             "  - [-1, 1, Conv, [256, 3, 2]]\n"
                             "  - [[-1, 13], 1, Concat, [1]]\n"
                             "  - [-1, 2, C3k2, [512, False]]\n"
                             "  - [-1, 1, Conv, [512, 3, 2]]\n"
                             "  - [[-1, 10], 1, Concat, [1]]\n"
                             "  - [-1, 2, C3k2, [1024, True]]\n"
                             "  - [[16, 19, 22], 1, Detect, [nc]]\n";

const char *nn_builtin_yaml(void)
{
    return yolo11;
}
