/* rng.h: what is drawn in order from the one random stream of a training run, which a checkpoint
 * holds: image sizes of multi_scale. What samples draw depends on (seed, epoch, place) alone and
 * lives in data. */
#ifndef TRAIN_RNG_H
#define TRAIN_RNG_H

#include "base/base.h"

/* The size of one batch with multi_scale (spec 4.5): imgsz, less or more by at most this part of
 * it, in multiples of stride. 0 <= part < 1. */
int train_rng_size(base_rng *r, int imgsz, int stride, double part);
/* The largest that it draws. */
int train_rng_size_most(int imgsz, int stride, double part);

#endif
