/* nms_rows.h: the candidates of a suppression, best first: what greedy and rotated suppression
 * share. For this folder.
 *
 * A candidate row is (anchor, class, score). Its key holds the score, best first, above the row's
 * number, so that keys sort as the spec wants: by score, equal scores by the lower index. Keys go
 * in a list; when it is full (max_nms, or the room given at create) it turns into a heap with the
 * worst on top, which gives way to better ones. Then the heap is turned best side up and popped. A
 * row's box is looked up, or decoded, only when it is popped: most never are. */
#ifndef DETECT_NMS_ROWS_H
#define DETECT_NMS_ROWS_H

#include "maths.h"

/* Added to the coordinates, per class, so that classes do not meet (spec 2.3, step 6). */
static const float CLASS_OFFSET_PX = 7680.0f;

/* A box that was seen by rotated suppression, with its class offset: a normal distribution. */
typedef struct nms_seen {
    float x, y, a, b, c, det; /* centre; covariance; its determinant */
    float reach;              /* the larger of its variances */
} nms_seen;

struct detect_nms {
    size_t most_rows;
    size_t max_det;
    uint64_t *keys;                  /* (most_rows) */
    float *x1, *y1, *x2, *y2, *area; /* (max_det) kept boxes with their class offset */
    nms_seen *seen;                  /* (most_rows), of rotated boxes; NULL: for upright ones */
};

/* Where rows come from: a decoded tensor, picked cells, or levels of logits. An anchor is a cell's
 * number; of picks, its place among them, which sorts alike. */
typedef struct row_source {
    const detect_picks *picks; /* or NULL: */
    const float *pred;         /* (4 + nc, n_anchors), or NULL: */
    const detect_level *levels;
    int n_levels, nc, picture;
    size_t n_anchors;
} row_source;

/* The candidates in the making. */
typedef struct row_list {
    uint64_t *keys;
    size_t n, most;
    bool full; /* a heap of ~key now: the worst on top */
} row_list;

/* Gathers what passes: see rows_begin's assertions for the bounds. */
row_list nms_rows_gather(const detect_nms *n, const row_source *s, const detect_nms_options *o);
/* The best that is left; false: there is none. Begin with nms_rows_turn. */
void nms_rows_turn(row_list *r);
bool nms_rows_pop(row_list *r, uint64_t *key);
float nms_key_score(uint64_t key);
size_t nms_key_row(uint64_t key);

/* The number of a cell over all levels: of picks, what they were told. */
uint32_t nms_source_cell(const row_source *s, size_t anchor);
void nms_source_xywh(float xywh[4], const row_source *s, size_t anchor);
/* Of a rotated box, with its angle. */
void nms_source_xywhr(float xywhr[5], const row_source *s, size_t anchor);
/* How many may be kept. */
size_t nms_most_kept(const detect_nms *n, const detect_nms_options *o);

#endif
