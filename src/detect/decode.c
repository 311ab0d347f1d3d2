/* decode.c: the head's logits into boxes and scores (spec 1.4): distances by the expectation over
 * 16 bins, sigmoid of the class logits, in the layout that the reference puts out: rows of anchors,
 * one row per quantity. Memory: tiles on the stack. Threads: any, on different outputs. */
#include <math.h>

#include "maths.h"

enum { TILE_ANCHORS = 16, TILE_CLASSES = 64 };

size_t detect_n_anchors(const detect_level *levels, int n_levels)
{
    size_t n = 0;
    for (int i = 0; i < n_levels; i++)
        n += detect_level_pixels(&levels[i]);
    return n;
}

/* Two functions, because clang 14 gives an exported one with clones a name that no other file
 * finds. */
DETECT_WIDE static void decode_pixel(float xywh[4], const detect_level *l, size_t pixel, int x,
                                     int y)
{
    detect_decode_anchor(xywh, l->box + pixel * l->box_pitch, x, y, l->stride);
}

void detect_decode_pixel(float xywh[4], const detect_level *l, size_t pixel, int x, int y)
{
    decode_pixel(xywh, l, pixel, x, y);
}

void detect_decode_rotated(float xywhr[5], const detect_level *l, size_t pixel, int x, int y)
{
    static const float PI = 3.14159265358979323846f;
    float d[4];
    detect_dfl(d, l->box + pixel * l->box_pitch);
    const float theta = (detect_sigmoid(l->extra[pixel * l->extra_pitch]) - 0.25f) * PI;
    const float c = cosf(theta), s = sinf(theta);
    const float xf = (d[2] - d[0]) / 2, yf = (d[3] - d[1]) / 2;
    xywhr[0] = (xf * c - yf * s + (float)x + 0.5f) * l->stride;
    xywhr[1] = (xf * s + yf * c + (float)y + 0.5f) * l->stride;
    xywhr[2] = (d[0] + d[2]) * l->stride;
    xywhr[3] = (d[1] + d[3]) * l->stride;
    xywhr[4] = theta;
}

/* n <= TILE_ANCHORS neighbours; out is the first anchor's column, row_length the number of anchors
 * in all. */
DETECT_WIDE static void decode_scores(float *out, size_t row_length, const float *cls, size_t pitch,
                                      size_t n, int nc)
{
    float tile[TILE_ANCHORS][TILE_CLASSES];
    for (int begin = 0; begin < nc; begin += TILE_CLASSES) {
        int width = nc - begin < TILE_CLASSES ? nc - begin : TILE_CLASSES;
        for (size_t a = 0; a < n; a++)
            for (int c = 0; c < width; c++)
                tile[a][c] = detect_sigmoid(cls[a * pitch + (size_t)begin + (size_t)c]);
        for (int c = 0; c < width; c++)
            for (size_t a = 0; a < n; a++)
                out[((size_t)begin + (size_t)c) * row_length + a] = tile[a][c];
    }
}

DETECT_WIDE static void decode_boxes(float *out, size_t row_length, const detect_level *l,
                                     size_t first, size_t begin, size_t n)
{
    for (size_t a = 0; a < n; a++) {
        size_t pixel = begin + a;
        float xywh[4];
        detect_decode_anchor(xywh, l->box + (first + pixel) * l->box_pitch,
                             (int)(pixel % (size_t)l->w), (int)(pixel / (size_t)l->w), l->stride);
        for (size_t k = 0; k < 4; k++)
            out[k * row_length + a] = xywh[k];
    }
}

void detect_decode_into(float *out, size_t n_anchors, size_t column, const detect_level *levels,
                        int n_levels, int nc, int picture)
{
    for (int i = 0; i < n_levels; i++) {
        const detect_level *l = &levels[i];
        size_t pixels = detect_level_pixels(l), first = (size_t)picture * pixels;
        for (size_t p = 0; p < pixels; p += TILE_ANCHORS) {
            size_t n = pixels - p < TILE_ANCHORS ? pixels - p : TILE_ANCHORS;
            decode_boxes(out + column + p, n_anchors, l, first, p, n);
            decode_scores(out + 4 * n_anchors + column + p, n_anchors,
                          l->cls + (first + p) * l->cls_pitch, l->cls_pitch, n, nc);
        }
        column += pixels;
    }
}

void detect_decode_all(float *out, const detect_level *levels, int n_levels, int nc, int picture)
{
    detect_decode_into(out, detect_n_anchors(levels, n_levels), 0, levels, n_levels, nc, picture);
}
