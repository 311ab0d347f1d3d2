/* polygon.h: points and boxes in polygons, concave ones too.
 *
 * A polygon is xy (n, 2), its corners in either direction, closed from the last to the first. Units
 * are the caller's, the same for polygon and point. Nothing here allocates. */
#ifndef DETECT_POLYGON_H
#define DETECT_POLYGON_H

#include "boxes.h"

/* The border belongs to it: a box that ends at the picture's edge stands on the floor of a zone
 * that does so, too. Of a polygon that crosses itself: even-odd. False for what is not a number. */
bool detect_polygon_holds(const float *xy, size_t n, double x, double y);
/* How much of the box lies inside, 0..1; 0 for an empty box. The polygon must not cross itself. */
double detect_polygon_share(const float *xy, size_t n, const vg_detection *box);
/* Where the polygon's 0, 0 and its unit are in the grid of a mask. */
typedef struct detect_polygon_place {
    double left, top, step_x, step_y;
} detect_polygon_place;
/* How many of the mask's pixels have their middle inside, 0..1; 0 for an empty mask. The polygon
 * must not cross itself. */
double detect_polygon_mask_share(const float *xy, size_t n, const detect_polygon_place *at,
                                 const vg_mask *mask);
/* No two edges meet but neighbours in their corner. Else *a and *b are two that do: edge i goes
 * from corner i to the next. */
bool detect_polygon_is_simple(const float *xy, size_t n, size_t *a, size_t *b);

#endif
