/* terms.h: the sums of a loss over one picture, with their gradients, and what a kind of loss is
 * made of. Private to src/detect. */
#ifndef DETECT_TERMS_H
#define DETECT_TERMS_H

#include "loss.h"

/* Sums over a picture, without gains or divisor. */
typedef struct terms_sum {
    double term[DETECT_N_TERMS];
    size_t n_foreground;
} terms_sum;

/* A batch on its way through the terms. */
typedef struct terms_job {
    const detect_loss_kind *kind;
    const detect_batch *batch;
    const detect_gradient *gradients; /* (n_levels); NULL: values only */
    double scale[DETECT_N_TERMS];     /* of a term's gradient: gain * batch / divisor */
} terms_job;

/* A foreground anchor. */
typedef struct terms_anchor {
    const detect_level *level;
    const detect_gradient *gradient; /* NULL: values only */
    int picture, x, y;
    size_t at;               /* its pixel in the level's maps */
    size_t index_in_picture; /* of its object among those of the picture's */
    const detect_truth *truth;
    float weight;
    float target_cells[4]; /* the object's xyxy */
} terms_anchor;

struct detect_loss_kind {
    const char *name;
    detect_term items[DETECT_MOST_ITEMS]; /* in the order of the reference's */
    int n_items;
    bool is_mean; /* the gradient is that of the mean over pictures, not of their sum */
    const detect_assign_shape *shape; /* NULL: there are no anchors */
    /* NULL: nothing is needed beside the levels. VG_ERR_ARGUMENT: the batch lacks it. */
    vg_status (*check)(const detect_batch *batch, vg_error *err);
    /* An object in pixels; false: it is left out. */
    bool (*truth)(detect_truth *out, const detect_batch *batch, size_t label);
    /* Adds an anchor's terms but the classes', and their gradients. */
    void (*anchor)(terms_sum *sum, const terms_anchor *a, const terms_job *job);
    /* Where there are no anchors: all of a picture. */
    void (*picture)(terms_sum *sum, int picture, const detect_targets *targets,
                    const terms_job *job);
};

terms_sum terms_picture(const terms_job *job, int picture, const detect_targets *targets);

/* ---- what kinds share ---- */

enum { TERMS_SIDES = 4, TERMS_CHUNK = 256 };

/* One side's distribution over distances. */
typedef struct side_bins {
    float p[DETECT_REG_MAX];
    double mean, log_sum; /* log of the sum of exponentials: -log p[b] = log_sum - logit[b] */
} side_bins;
side_bins side_make(const float *logits);

/* The DFL term of an anchor whose sides have these bins, and, on the box's 64 logits, its gradient
 * and that of scale * weight * a value with this slope by the four distances. */
void terms_add_sides(terms_sum *sum, const terms_anchor *a, const side_bins side[TERMS_SIDES],
                     const double by_distance[TERMS_SIDES], const terms_job *job);

/* Box by CIoU and DFL: detect's, segment's and pose's. */
void terms_add_box(terms_sum *sum, const terms_anchor *a, const terms_job *job);
/* Pixels of the network's input; centre and size become corners. */
bool terms_truth_upright(detect_truth *out, const detect_batch *batch, size_t label);

/* Adds up softplus: the sum is linear + log(product). Begins as {0, 1}. */
typedef struct softplus_sum {
    double linear, product;
} softplus_sum;
double softplus_total(const softplus_sum *s);
/* n <= TERMS_CHUNK logits; gradient (NULL: none) gets scale * sigmoid. */
void softplus_add(softplus_sum *s, float *gradient, const float *x, int n, float scale);

#endif
