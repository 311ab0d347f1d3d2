/* spec.h: what a dataset's file or folder came to. For this folder. */
#ifndef DATA_SPEC_H
#define DATA_SPEC_H

#include "list.h"

enum { SPEC_MOST_CLASSES = 65536 };

struct data_spec {
    base_tree *tree;                   /* NULL: a folder */
    const char *splits[DATA_N_SPLITS]; /* a folder's: names of the folders in it; NULL: absent */
    const base_node *nodes[DATA_N_SPLITS]; /* a YAML's; NULL: absent */
    int nc;
    const char **names; /* (nc); own block, texts behind it that the tree has not */
    char root[DATA_PATH_BYTES];
    data_keypoint_shape keypoints;
    int flip_idx[DATA_MOST_KEYPOINTS];
};

/* spec_folder.c: classes and splits of the folder that is s->root. Errors: VG_ERR_IO,
 * VG_ERR_FORMAT, VG_ERR_LIMIT, VG_ERR_MEMORY. */
vg_status data_spec_read_folder(data_spec *s, base_mem *mem, vg_error *err);

#endif
