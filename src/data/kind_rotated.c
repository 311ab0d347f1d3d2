/* kind_rotated.c: a class and the corners of an outline, mostly four; the smallest rectangle around
 * it comes of them (T 4.2, T 4.6). */
#include "kind.h"

const data_kind DATA_ROTATED = {.name = "rotated boxes",
                                .read_row = label_row_outline,
                                .knows_polygons = true,
                                .n_outline = 100,
                                .make = sample_make_objects,
                                .format = sample_format_rotated};
