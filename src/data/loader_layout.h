/* loader_layout.h: what a loader will take, worked out from its options. For this folder. */
#ifndef DATA_LOADER_LAYOUT_H
#define DATA_LOADER_LAYOUT_H

#include "batch.h"
#include "sample.h"

typedef struct loader_layout {
    data_loader_options o; /* defaults filled in */
    store_options store;
    sample_recipe recipe;
    size_t n_pictures, n_batches, n_buffers;
    size_t most_own; /* pictures of a batch that this share makes */
    int most_h, most_w;
    size_t most_labels;
    /* Bytes of the parts of the loader's block, in this order, each rounded up; and of all, but the
     * input where it is lent. */
    size_t workers, order, shapes, buffers, counts, items, labels, keypoints, index_maps, masks,
        input, total;
} loader_layout;

/* Of loader.c's own structs. */
typedef struct loader_sizes {
    size_t loader, worker, buffer;
} loader_sizes;

/* Errors: VG_ERR_ARGUMENT, VG_ERR_LIMIT. */
vg_status loader_lay_out(loader_layout *l, const data_set *set, const data_loader_options *options,
                         const loader_sizes *sizes, vg_error *err);
/* Without what does nothing with the set's kind of labels. */
void loader_settle_augment(data_augment *a, const data_set *set);
vg_status loader_check_augment(const data_augment *a, vg_error *err);

#endif
