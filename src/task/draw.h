/* draw.h: what tasks draw beside boxes: masks below them, limbs and points above, classes in a
 * corner (T 2.1, 2.2, 2.4). */
#ifndef TASK_DRAW_H
#define TASK_DRAW_H

#include "image/image.h"

typedef struct task_drawing {
    image_canvas *canvas;
    const image_view *picture;
    const image_draw_style *style;
    const vg_detection *boxes; /* (n) */
    const vg_extras *extras;
    size_t n;
    const image_names *names;
    bool hides_labels;
    uint8_t
        *scratch; /* image_draw_masks_bytes of the picture's width; NULL where there are no masks */
    base_mem *mem;
} task_drawing;

/* What the descriptors point to. */
vg_status task_draw_masks(const task_drawing *d, vg_error *err);
vg_status task_draw_keypoints(const task_drawing *d, vg_error *err);
vg_status task_draw_top(const task_drawing *d, vg_error *err);

#endif
