/* views.h: test-time augmentation: pictures are looked at three times, as they are, smaller and
 * mirrored, and smaller still; the boxes of all three compete in one suppression.
 *
 * Behaviour and numbers are the reference's (bench/peers/make_golden.py): scales 1, 0.83 and
 * 0.67, the second mirrored, what is missing to the stride filled with 0.447. The first view gives
 * no boxes of its coarsest level, nor the last one of its finest.
 *
 * Calling sequence: fit for a batch's shape; then for each view its input (the first view's is the
 * caller's own) through the network, and add; then run for every picture. One thread at a time. */
#ifndef DETECT_VIEWS_H
#define DETECT_VIEWS_H

#include "boxes.h"

enum { DETECT_N_VIEWS = 3 };
#define DETECT_VIEW_FILL 0.447f

/* Of one view: the picture at h x w in the network's input of in_h x in_w. */
typedef struct detect_view {
    float scale;
    bool is_mirrored;
    int h, w, in_h, in_w;
} detect_view;
/* index 0: the input itself, in_h x in_w, multiples of stride. */
detect_view detect_view_of(int index, int in_h, int in_w, int stride);

/* A batch and its model. */
typedef struct detect_views_shape {
    int n, h, w; /* pictures, and the network's input */
    int nc, n_levels;
    const float *strides; /* (n_levels) rising; borrowed during a call */
} detect_views_shape;

/* Cells of a picture whose boxes compete. */
size_t detect_views_anchors(const detect_views_shape *s);

/* Room for the smaller inputs, and for what all views found. */
typedef struct detect_views detect_views;
size_t detect_views_bytes(const detect_views_shape *s);
/* Makes *v where it is NULL, makes it anew where it is too small, and begins a batch of that
 * shape. Allocates nothing for shapes up to the largest so far. */
vg_status detect_views_fit(detect_views **v, const detect_views_shape *s, base_mem *mem,
                           vg_error *err);
void detect_views_destroy(detect_views **v);

detect_view detect_views_at(const detect_views *v, int index);
/* (n, in_h, in_w, 3) of the views behind the first, in turn. */
float *detect_views_input(detect_views *v);
/* What the network said of a view: of all of them, in their order. */
void detect_views_add(detect_views *v, int index, const detect_level *levels, int n_levels);
/* As detect_run, of all views: boxes in pixels of the first one's input. */
size_t detect_views_run(const detect_views *v, detect_nms *nms, vg_detection *out, int picture,
                        const detect_nms_options *o);

#endif
