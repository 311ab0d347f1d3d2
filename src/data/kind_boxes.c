/* kind_boxes.c: a class and a box; polygons are followed through augmentation for tighter boxes
 * (spec 5.4). */
#include "kind.h"

const data_kind DATA_BOXES = {.name = "boxes",
                              .read_row = label_row_box,
                              .knows_polygons = true,
                              .make = sample_make_objects,
                              .format = sample_format_boxes};
