/* kind.h: what a kind of labels is made of. One file a kind: kind_*.c. For this folder. */
#ifndef DATA_KIND_H
#define DATA_KIND_H

#include "label_rows.h"
#include "sample.h"

struct data_kind {
    const char *name;
    /* The rest of a row, behind its class. NULL: there are no label files, classes are folders. */
    label_row_reader *read_row;
    bool is_folders;
    bool knows_polygons; /* a row of more than 6 columns makes all rows of its file polygons */
    bool has_keypoints;  /* as many as the dataset's file says */
    /* Every object needs an outline, and is followed through augmentation by this many points of
     * it. 0: none needed. */
    int n_outline;
    bool has_masks;
    sample_pipeline *make;
    sample_formatter *format; /* of a pipeline of objects */
};

#endif
