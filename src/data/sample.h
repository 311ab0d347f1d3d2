/* sample.h: one sample: picture or mosaic in, floats and labels out (spec 5.3 to 5.5). For this
 * folder.
 *
 * sample.c has a thread's memory; a pipeline (sample_objects.c, sample_class.c) makes the picture;
 * a formatter (sample_format.c) writes the labels. Which of them a set needs, its kind says. */
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
    uint32_t n_outline;    /* points of an object's outline; 0: none is followed */
    data_keypoint_shape keypoints;
    int mask_ratio;      /* 0: no masks */
    bool separate_masks; /* one for each object */
    double crop_fraction;
} sample_recipe;

/* A thread's buffers: one block, and store_io's. */
enum { SAMPLE_MOST_PICTURES = 3 };
typedef struct sample_maker {
    store_io io;
    image_scratch scratch; /* the letterbox's: tables of other sizes than the decoder's */
    void *block;
    uint8_t *canvas;
    /* (most_h, most_w, 3): the sample; the one mixed into it; the one whose objects are pasted into
     * the one before. */
    uint8_t *pixels[SAMPLE_MOST_PICTURES];
    uint8_t *line;      /* (most_w, 3) */
    int32_t *table;     /* (2 * most_w) */
    augment_box *boxes; /* (most_labels) */
    augment_room extras;
    augment_paste_room paste; /* with copy_paste */
    uint8_t *fill;            /* of masks, and of what is pasted */
    uint32_t *ranks;          /* (3, most_labels) with masks */
    float *around;            /* DETECT_AROUND_FLOATS(n_outline) */
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
    float *keypoints;     /* (most_labels, n_keypoints, 3) */
    int32_t *index_map;   /* (h, w) / mask_ratio; or: */
    uint8_t *masks;       /* (most_labels, h, w) / mask_ratio */
    size_t n_labels;
    data_item item;
} sample_out;

/* The sample at `place` of the epoch, as picture number `picture` of its batch. What points
 * somewhere in out, h and w are given, the rest is set. Errors: as store_get. */
vg_status sample_make(sample_maker *m, const sample_recipe *r, size_t place, int picture,
                      sample_out *out, base_mem *mem, vg_error *err);

/* What a kind does: makes a sample (out->item is set but for gain and padding). */
typedef vg_status sample_pipeline(sample_maker *m, const sample_recipe *r, size_t place,
                                  int picture, sample_out *out, base_mem *mem, vg_error *err);
sample_pipeline sample_make_objects; /* pictures with boxes: spec 5.3 to 5.5, T 4.6 */
sample_pipeline sample_make_class;   /* T 4.5, T 4.7 */

/* What a kind does with a sample's n boxes, in pixels of the finished input: labels, and what goes
 * with them. The boxes' order may change. */
typedef void sample_formatter(sample_maker *m, const sample_recipe *r, size_t n, int picture,
                              sample_out *out);
sample_formatter sample_format_boxes, sample_format_masks, sample_format_keypoints,
    sample_format_rotated;

/* What sample_make_class needs of the maker's scratch. */
size_t sample_class_scratch_bytes(const data_set *set, int size);

/* True with a chance; draws only where there is one. */
bool sample_happens(base_rng *rng, float probability);

#endif
