/* motion.h: what a camera did between two pictures, seen from corners that moved along.
 *
 * Shi and Tomasi's corners (CVPR 1994) of the last picture, the best of each tile; where they are
 * now by Lucas and Kanade's method (IJCAI 1981) on a pyramid (J.-Y. Bouguet, 2000); then the
 * similarity (turn, zoom, shift) that most of them agree on, by RANSAC (M. Fischler, R. Bolles,
 * CACM 1981), refined over those. It works on grey pictures of half the size: of the whole
 * where a side has less than 400 pixels, of a third and less where the half has more than about
 * 960 x 600. So memory and time have a bound whatever comes.
 * Whole numbers in the inner loops, and random numbers that begin anew with each pair: the same
 * pictures give the same answer, bit for bit, on every processor.
 * Memory: all at create: 0.9 MB for each scene, and 1.1 MB that they share; a step allocates
 * nothing. One owner; not thread-safe.
 */
#ifndef IMAGE_MOTION_H
#define IMAGE_MOTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* The brightness of a picture where it lies: pixel (x, y) at `at + x * across + y * down` bytes.
 * bits: 8, or up to 16 in two bytes, the low one first, of which the lowest `shift` are of no use.
 * Borrowed. */
typedef struct image_luma {
    const uint8_t *at;
    ptrdiff_t across, down; /* negative where it is mirrored */
    int w, h;
    int bits, shift;
} image_luma;

/* The point (x, y) of the last picture is at (a x - b y + X, b x + a y + Y) of this: pixels, whose
 * middles are whole numbers. */
typedef struct image_similarity {
    double a, b, x, y;
} image_similarity;

typedef struct image_motion image_motion;
/* Scenes (one a camera) are independent. Errors: VG_ERR_MEMORY. */
vg_status image_motion_create(image_motion **out, int n_scenes, base_mem *mem, vg_error *err);
void image_motion_destroy(image_motion **m);
size_t image_motion_bytes(int n_scenes);

/* From the scene's last picture to this one. False where that is not known, and *out is as if
 * nothing had moved: there was no last picture, or one of another size; a side has less than 24
 * pixels; too few corners agree (darkness, a cut). */
bool image_motion_step(image_motion *m, int scene, image_similarity *out, const image_luma *luma);
/* What comes next has nothing to do with what was. */
void image_motion_clear(image_motion *m, int scene);

#endif
