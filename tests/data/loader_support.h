/* loader_support.h: epochs run and summed, for the loader's tests. */
#ifndef TESTS_DATA_LOADER_SUPPORT_H
#define TESTS_DATA_LOADER_SUPPORT_H

#include "support.h"

static inline data_loader_options training(int workers)
{
    return (data_loader_options){.imgsz = 64,
                                 .batch = 4,
                                 .n_workers = workers,
                                 .seed = 5,
                                 .train = true,
                                 .augment = DATA_AUGMENT_DEFAULT};
}

static inline uint64_t hash_batch(uint64_t h, const data_batch *b)
{
    h = base_hash(h, b->input, (size_t)b->n * (size_t)b->h * (size_t)b->w * 3 * sizeof(float));
    h = base_hash(h, b->labels, b->n_labels * sizeof *b->labels);
    for (int i = 0; i < b->n; i++)
        h = base_hash(h, &b->items[i].picture, sizeof b->items[i].picture);
    return h;
}

/* All batches of an epoch from `first` on; returns their number. */
static inline size_t run_epoch(data_loader *l, uint64_t epoch, size_t first, uint64_t *hash)
{
    const data_batch *b;
    size_t n = 0;
    *hash = BASE_HASH_START;
    OK(data_loader_start(l, epoch, first, err));
    for (;;) {
        OK(data_loader_next(l, &b, err));
        if (!b)
            return n;
        assert_int_equal(b->index, first + n);
        *hash = hash_batch(*hash, b);
        n++;
    }
}

#endif
