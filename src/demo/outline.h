/* outline.h: what is seen of an item, as one polygon. */
#ifndef DEMO_OUTLINE_H
#define DEMO_OUTLINE_H

#include "paint.h"

enum {
    DEMO_OUTLINE_POINTS = 400,   /* of a polygon, at most */
    DEMO_OUTLINE_PIECES = 24,    /* parts and holes of one item, at most: the largest */
    DEMO_OUTLINE_TURNS = 1 << 14 /* of one border before it is simplified */
};

typedef struct demo_spot {
    float x, y; /* pixels of the finer picture, at corners of its pixels: 0..w, 0..h */
} demo_spot;

/* One a thread; a zeroed one is valid. */
typedef struct demo_outline {
    demo_spot points[DEMO_OUTLINE_POINTS];
    int n_points;
    uint8_t *marks; /* (fine h, fine w) borders that were walked */
    size_t marks_bytes;
    demo_spot turns[DEMO_OUTLINE_TURNS];
    uint8_t is_kept[DEMO_OUTLINE_TURNS];
    demo_spot pieces[DEMO_OUTLINE_PIECES * DEMO_OUTLINE_POINTS];
} demo_outline;
void demo_outline_fini(demo_outline *o);

/* The polygon around the pixels of an item of a measured canvas, within tolerance_px of them. What
 * is in several parts, and what has holes, becomes one polygon by seams that go there and back, so
 * that the even-odd rule fills exactly what is seen; parts and holes of less than least_area pixels
 * are left out. n_points is 0 for what has no part that large. Errors: VG_ERR_MEMORY. */
vg_status demo_outline_trace(demo_outline *o, const demo_canvas *c, int item, float tolerance_px,
                             float least_area, base_mem *mem, vg_error *err);

#endif
