/* shelf.h: a picture of a shop's shelf and what is on it. */
#ifndef DEMO_SHELF_H
#define DEMO_SHELF_H

#include "goods.h"

typedef struct demo_label {
    demo_kind kind;
    int item;             /* whose pixels are its own, in the canvas */
    float x1, y1, x2, y2; /* what is seen of it, pixels */
} demo_label;

/* How much of the shelf a picture shows: metres across, least and most. */
typedef struct demo_shelf_look {
    float least_m, most_m;
} demo_shelf_look;

/* Draws picture `number` of `seed` at w x h into out, and writes a label for each product of which
 * enough is seen: the same on every machine, but for the last bit of its maths library. labels has
 * room for DEMO_ITEMS_MAX. Errors: VG_ERR_MEMORY. */
vg_status demo_shelf_draw(image_buffer *out, demo_label labels[DEMO_ITEMS_MAX], size_t *n_labels,
                          const demo_shelf_look *look, uint64_t seed, uint64_t number, int w, int h,
                          demo_canvas *canvas, base_mem *mem, vg_error *err);

#endif
