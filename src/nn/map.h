/* map.h: a batch of feature maps, the one data type that the ops of a network hand to each other.
 *
 * Letters: N pictures, H rows, W columns, C channels. Layout is nhwc with a pixel pitch: the C
 * channels of a pixel lie side by side, and `pitch` floats further lies the next pixel. A map whose
 * pitch is larger than C is a channel slice of a wider buffer, so concat and split cost nothing:
 * producers write into slices. */
#ifndef NN_MAP_H
#define NN_MAP_H

#include <stddef.h>

typedef struct nn_map {
    float *data;  /* channel 0 of pixel (0,0) of picture 0; 64-byte aligned only where pitch and
                     slice allow */
    size_t pitch; /* floats from one pixel to the next, >= c */
    int n, h, w, c;
} nn_map;

/* Row y of picture i, channel 0 of its first pixel. */
static inline float *nn_map_row(const nn_map *m, int i, int y)
{
    return m->data + ((size_t)i * (size_t)m->h + (size_t)y) * (size_t)m->w * m->pitch;
}

#endif
