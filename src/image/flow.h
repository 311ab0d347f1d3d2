/* flow.h: grey pyramids, corners, where they went, and what moved them: the parts of motion.h. For
 * this folder. Nothing here allocates. */
#ifndef IMAGE_FLOW_H
#define IMAGE_FLOW_H

#include "motion.h"

enum {
    FLOW_LEVELS = 4,
    FLOW_MARGIN = 20,         /* pixels around each level, of its edge's values */
    FLOW_LEAST_SIDE = 24,     /* of a level */
    FLOW_SMALL_SIDE = 400,    /* of a picture that is not made smaller */
    FLOW_MOST_SIDE = 2048,    /* of the largest */
    FLOW_MOST_BYTES = 900000, /* of all levels, margins too: 960 x 600 fits */
    FLOW_MOST_CORNERS = 1024, /* tiles */
    FLOW_TILES = 500,         /* about so many */
    FLOW_LEAST_TILE = 8,      /* pixels */
};

typedef struct flow_level {
    uint8_t *at; /* pixel (0, 0); FLOW_MARGIN on all sides are there */
    int w, h;
    ptrdiff_t stride;
} flow_level;

typedef struct flow_pyramid {
    flow_level levels[FLOW_LEVELS]; /* each half of the one before */
    int n_levels;                   /* 0: none */
    int factor;                     /* the picture's pixels in one of level 0, each way */
} flow_pyramid;

/* block: (FLOW_MOST_BYTES). Without levels when the picture is too small. */
void flow_pyramid_make(flow_pyramid *out, uint8_t *block, const image_luma *luma);

typedef struct flow_point {
    float x, y;
} flow_point;

/* A corner of a tile. */
typedef struct flow_corner {
    float strength;
    int x, y;
} flow_corner;
typedef struct flow_corner_scratch {
    int32_t products[3][3][FLOW_MOST_SIDE]; /* xx, xy, yy of three rows */
    float strengths[FLOW_MOST_SIDE];
    flow_corner best[FLOW_MOST_CORNERS];
} flow_corner_scratch;
/* Corners of level 0, row by row of tiles. out: (FLOW_MOST_CORNERS); returns their number. */
size_t flow_corners(flow_point *out, const flow_level *l, flow_corner_scratch *c);

/* Where a point of `from`'s level 0 is in `to`, pyramids of one shape. False: out of the picture,
 * or nothing to hold on to. */
bool flow_follow(flow_point *out, flow_point at, const flow_pyramid *from, const flow_pyramid *to);

/* What takes most of from (n) to `to` (n), FLOW_MOST_CORNERS at most. False: too few agree. */
bool flow_similarity(image_similarity *out, const flow_point *from, const flow_point *to, size_t n);

#endif
