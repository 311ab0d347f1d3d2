/* kind_keypoints.c: a class, a box, and keypoints (T 4.4). */
#include "kind.h"

const data_kind DATA_KEYPOINTS = {.name = "keypoints",
                                  .read_row = label_row_keypoints,
                                  .has_keypoints = true,
                                  .make = sample_make_objects,
                                  .format = sample_format_keypoints};
