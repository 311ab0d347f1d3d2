/* batch.h: an epoch's order and the shapes of its batches. For this folder. */
#ifndef DATA_BATCH_H
#define DATA_BATCH_H

#include "data/data.h"

typedef struct batch_shape {
    int h, w;
} batch_shape;

/* Spec 5.5: order is filled with the pictures by rising aspect h / w, equal ones by index; shapes
 * (batches) with what each needs. pad: 0.5 in validation, 0 in training. aspects: (n) scratch. */
void batch_plan_rect(uint32_t *order, batch_shape *shapes, const data_set *set, int batch,
                     int imgsz, int stride, double pad, double *aspects);

/* Where mosaic's partners for the sample at `place` of an epoch come from: places [*first, *first +
 * n) of its order, n = min(pictures, 8 * batch, 1000). The latest up to and with this one; at the
 * epoch's start, where there are not so many, the first. (The reference's buffer at an epoch's
 * start holds what the last epoch left, which would tie epochs together.) */
size_t batch_window(size_t *first, size_t place, size_t n_pictures, int batch);

#endif
