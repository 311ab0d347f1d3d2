/* sample.h: one sample: picture or mosaic in, floats and labels out (spec 5.3 to 5.5). For this
 * folder. */
#ifndef DATA_SAMPLE_H
#define DATA_SAMPLE_H

#include "augment.h"
#include "store.h"

/* What an epoch's samples have in common. Not changed while they are made. */
typedef struct sample_recipe {
    const data_set *set;
    store *store;
    int imgsz, batch, stride;
    bool train, rect;
    data_augment augment;
    uint64_t seed, epoch;
    const uint32_t *order; /* (pictures) */
    size_t most_labels;    /* of a sample */
} sample_recipe;

/* A thread's buffers: one block, and store_io's. */
typedef struct sample_maker {
    store_io io;
    image_scratch scratch; /* the letterbox's: tables of other sizes than the decoder's */
    void *block;
    uint8_t *canvas;
    uint8_t *pixels[2]; /* (most_h, most_w, 3): the sample, and the one mixed into it */
    uint8_t *line;      /* (most_w, 3) */
    int32_t *table;     /* (2 * most_w) */
    augment_box *boxes; /* (most_labels) */
} sample_maker;

/* most_w, most_h: the largest sample. */
size_t sample_maker_bytes(const sample_recipe *r, int most_w, int most_h);
vg_status sample_maker_create(sample_maker *m, const sample_recipe *r, int most_w, int most_h,
                              base_mem *mem, vg_error *err);
void sample_maker_fini(sample_maker *m);

typedef struct sample_out {
    float *input; /* (h, w, 3) */
    int h, w;
    detect_label *labels; /* (most_labels) */
    size_t n_labels;
    data_item item;
} sample_out;

/* The sample at `place` of the epoch, as picture number `picture` of its batch. out->input, h, w
 * and labels are given, the rest is set. Errors: as store_get. */
vg_status sample_make(sample_maker *m, const sample_recipe *r, size_t place, int picture,
                      sample_out *out, base_mem *mem, vg_error *err);

#endif
