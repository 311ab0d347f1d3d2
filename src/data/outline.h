/* outline.h: polygons walked by points, filled, and made into masks (T 4.2, T 4.3). No memory, no
 * threads. For this folder.
 *
 * Letters: w, h of the picture; q the mask's ratio, so that a mask is (h / q, w / q). */
#ifndef DATA_OUTLINE_H
#define DATA_OUTLINE_H

#include <stddef.h>
#include <stdint.h>

/* The closed polygon (n_points, 2) at n places, equally far apart by number of corners, whatever
 * the edges' lengths: out (n, 2), the first and last its first corner. n > 1. */
void outline_resample(float *out, size_t n, const float *points, size_t n_points);

/* What is filled of a picture: rows y0 .. y1 - 1, columns x0 .. x1 - 1. Nothing: all 0. */
typedef struct outline_window {
    int x0, y0, x1, y1;
} outline_window;

/* Room to fill a w x h picture in; 0: too large. */
size_t outline_room_bytes(int w, int h);
/* Fills the polygon (n, 2), its corners cut to whole pixels, as OpenCV 4.10 fills it: inside by
 * even and odd, and the outline. Within the window, whose sides are multiples of q, pixel (x, y) is
 * outline_is_set of the room; outside all are unset, whatever the room says. */
outline_window outline_fill(uint8_t *room, const float *points, size_t n, int w, int h, int q);
static inline int outline_is_set(const uint8_t *room, int w, int x, int y)
{
    return room[(size_t)y * ((size_t)w + 1) + 1 + (size_t)x];
}

/* ---- masks: w and h are multiples of q, a power of 2 ---- */

/* One object's mask of 0 and 1; returns its pixels. */
uint32_t outline_mask(uint8_t *mask, uint8_t *room, const float *points, size_t n, int w, int h,
                      int q);

/* A map for all objects, smaller ones over larger ones: begin; paint each object in order, which
 * sets areas[object]; end, which numbers them by size. order (n): the object that comes first,
 * second,
 * ...: those without a pixel, then from the largest; equal ones in order. The map has j + 1 where
 * order[j] is on top. ranks: (n) scratch. */
void outline_map_begin(int32_t *map, int w, int h, int q);
void outline_map_paint(int32_t *map, uint32_t *areas, uint32_t object, uint8_t *room,
                       const float *points, size_t n, int w, int h, int q);
void outline_map_end(int32_t *map, uint32_t *order, uint32_t *ranks, const uint32_t *areas,
                     size_t n, int w, int h, int q);

#endif
