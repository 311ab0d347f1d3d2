/* kind_polygons.c: a class and the corners of an outline; masks come of them (T 4.2, T 4.3). */
#include "kind.h"

const data_kind DATA_POLYGONS = {.name = "polygons",
                                 .read_row = label_row_outline,
                                 .knows_polygons = true,
                                 .n_outline = 1000,
                                 .has_masks = true,
                                 .make = sample_make_objects,
                                 .format = sample_format_masks};
