/* rng.c: image sizes. */
#include "rng.h"

int train_rng_size(base_rng *r, int imgsz, int stride)
{
    const int least = imgsz / 2;
    const int past_most = imgsz + imgsz / 2 + stride; /* int(1.5 * imgsz + stride); imgsz is even */
    const int size = least + (int)base_rng_below(r, (uint64_t)(past_most - least));
    const int whole = size / stride * stride;
    return whole > stride ? whole : stride;
}
