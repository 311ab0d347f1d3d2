/* loss.h: the training loss of a head and its gradient by the raw maps (spec 3.1 to 3.3; "T" is the
 * specification of the other tasks). Kinds differ in what an object is and in their terms; each is
 * a file, loss_*.c.
 *
 * Memory: one block at create, for stated bounds; nothing in assign, terms or run. Threads:
 * pictures are shared among a pool's workers; sums are taken picture by picture in order, so the
 * result does not depend on their number. One run at a time on one detect_loss. */
#ifndef DETECT_LOSS_H
#define DETECT_LOSS_H

#include "assign.h"

/* One row of a batch's labels. */
typedef struct detect_label {
    int picture;        /* 0..batch-1 */
    int class_index;    /* 0..nc-1 */
    float xywh_norm[4]; /* centre and size, parts of the picture's width and height */
    float angle;        /* of turned boxes, radians (rotated.h) */
} detect_label;

typedef base_level_gradient detect_gradient;

/* What a loss is made of. */
typedef enum detect_term {
    DETECT_TERM_BOX,
    DETECT_TERM_CLS,
    DETECT_TERM_DFL,
    DETECT_TERM_SEG,
    DETECT_TERM_POSE,
    DETECT_TERM_KOBJ,
    DETECT_TERM_ENTROPY, /* of a classifier's classes */
    DETECT_N_TERMS
} detect_term;
enum { DETECT_MOST_ITEMS = 5 };

typedef struct detect_loss_kind detect_loss_kind;
extern const detect_loss_kind DETECT_LOSS_BOXES;     /* box, cls, dfl */
extern const detect_loss_kind DETECT_LOSS_MASKS;     /* box, seg, cls, dfl: T 3.1 */
extern const detect_loss_kind DETECT_LOSS_KEYPOINTS; /* box, pose, kobj, cls, dfl: T 3.2 */
extern const detect_loss_kind DETECT_LOSS_ROTATED;   /* box, cls, dfl: T 3.3 */
extern const detect_loss_kind DETECT_LOSS_CLASSES;   /* entropy: T 3.4 */
/* Whether shares of a batch (n_all below) can be computed apart. */
bool detect_loss_has_shares(const detect_loss_kind *kind);

typedef struct detect_loss_gains {
    float box, cls, dfl; /* box: of masks, too */
    float pose, kobj;
} detect_loss_gains;
/* Spec 3.3, T 3. */
#define DETECT_LOSS_GAINS                                                                          \
    ((detect_loss_gains){.box = 7.5f, .cls = 0.5f, .dfl = 1.5f, .pose = 12, .kobj = 1})

typedef struct detect_loss_value {
    double items[DETECT_MOST_ITEMS]; /* in the kind's order, with their gains: what is logged */
    int n_items;
    double total;        /* their sum * batch (of classes: their sum): what the gradient is of */
    double scores_sum;   /* sum of target scores of the whole, before it is raised to 1 */
    size_t n_foreground; /* anchors that answer for an object */
} detect_loss_value;

typedef struct detect_loss_bounds {
    size_t most_batch;
    size_t most_anchors; /* of one picture, over all levels; not looked at where a kind has none */
    size_t most_labels;  /* of one picture */
    size_t n_threads;    /* >= those of the pool given to run */
    const detect_loss_kind *kind; /* NULL: DETECT_LOSS_BOXES */
} detect_loss_bounds;

typedef struct detect_loss detect_loss;

/* Errors: VG_ERR_ARGUMENT (a bound is 0 or the sum overflows), VG_ERR_MEMORY. *out belongs to the
 * caller. */
vg_status detect_loss_create(detect_loss **out, const detect_loss_bounds *bounds, base_mem *mem,
                             vg_error *err);
/* What create takes; 0 when the bounds are refused. */
size_t detect_loss_bytes(const detect_loss_bounds *bounds);
void detect_loss_destroy(detect_loss **l);

/* What a network has beside levels: prototypes of masks (a quarter of the input's size), a
 * classifier's logits (h and w are 1). */
typedef struct detect_result {
    const float *data; /* (n, h, w, channels), pitch floats a pixel */
    size_t pitch;
    int h, w, channels;
    float *gradient; /* the same shape; NULL where gradients are not asked for */
    size_t gradient_pitch;
} detect_result;

/* What labels have beside boxes. */
typedef struct detect_extras {
    /* Keypoints: (n_labels, n_keypoints, 3) x and y as parts of width and height, and visibility;
     * 0: not labelled. dims: 2, or 3 where the network tells visibility. */
    const float *keypoints;
    int n_keypoints, keypoint_dims;
    /* Masks: (batch, mask_h, mask_w), j + 1 where label j of the picture is seen; or, where that is
     * NULL, (n_labels, mask_h, mask_w) 0 or 1. Of another size than the prototypes they are read by
     * the nearest pixel. */
    const int32_t *index_maps;
    const uint8_t *masks;
    int mask_h, mask_w;
} detect_extras;

/* A batch of raw maps. labels: any order; those of a picture keep theirs. The network's input is
 * level 0's map times its stride. */
typedef struct detect_batch {
    const detect_level *levels;
    int n_levels, nc, batch;
    const detect_label *labels;
    size_t n_labels;
    /* Where this is a share of a batch that others have the rest of: pictures and target scores
     * (detect_loss_scores) of all shares. Losses are then this share's part of the whole's, and
     * gradients of all shares add up to the whole's. 0 pictures: it is the whole. */
    int n_all;
    double all_scores;
    detect_result result;
    detect_extras extras;
    bool as_validated; /* classes: the entropy of probabilities taken as logits, as the reference's
                          validation has it */
} detect_batch;

/* For who computes the loss elsewhere, on a device: whether label i is one of the batch, and the
 * object that it means, in pixels. Errors: VG_ERR_ARGUMENT (picture or class out of range). */
vg_status detect_label_check(const detect_batch *batch, size_t i, vg_error *err);
detect_truth detect_label_truth(const detect_batch *batch, size_t i);
/* VG_ERR_LIMIT: a picture has more labels than planned. */
vg_status detect_labels_too_many(int picture, size_t most_labels, vg_error *err);

/* assign, then terms. gradients: (n_levels), every channel is written, NULL: the value alone. pool
 * may be NULL: the caller alone. Errors: VG_ERR_ARGUMENT (a label's picture or class out of range;
 * what the kind needs beside boxes is not there), VG_ERR_LIMIT (past a bound). */
vg_status detect_loss_run(detect_loss *l, detect_loss_value *out, const detect_gradient *gradients,
                          const detect_batch *batch, const detect_loss_gains *gains,
                          base_pool *pool, vg_error *err);
/* The two halves of run. Targets count as constants in the gradient: terms may be taken again with
 * other maps. */
vg_status detect_loss_assign(detect_loss *l, const detect_batch *batch, base_pool *pool,
                             vg_error *err);
void detect_loss_terms(detect_loss *l, detect_loss_value *out, const detect_gradient *gradients,
                       const detect_batch *batch, const detect_loss_gains *gains, base_pool *pool);

/* The sum of target scores over the pictures of the last assign, before it is raised to 1. */
double detect_loss_scores(const detect_loss *l, int n_pictures);

/* What assign found for a picture; borrowed until the next assign. */
typedef struct detect_targets {
    const detect_truth *truths; /* (n_truths) in the order of the labels */
    size_t n_truths;
    const int32_t *truth_index; /* (n_anchors) -1: background */
    const float *weight;        /* (n_anchors) target score of the object's class */
} detect_targets;
detect_targets detect_loss_targets(const detect_loss *l, int picture);

#endif
