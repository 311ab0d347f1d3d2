/* rng.c: image sizes. */
#include "rng.h"

/* The first size that is not drawn. */
static int past_most(int imgsz, int stride, double part)
{
    return (int)(imgsz * (1 + part) + stride);
}

int train_rng_size_most(int imgsz, int stride, double part)
{
    return (past_most(imgsz, stride, part) - 1) / stride * stride;
}

int train_rng_size(base_rng *r, int imgsz, int stride, double part)
{
    const int least = (int)(imgsz * (1 - part));
    const int size =
        least + (int)base_rng_below(r, (uint64_t)(past_most(imgsz, stride, part) - least));
    const int whole = size / stride * stride;
    return whole > stride ? whole : stride;
}
