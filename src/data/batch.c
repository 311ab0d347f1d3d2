/* batch.c: order, shapes, windows. */
#include "batch.h"

#include <math.h>

static int by_aspect(const void *a, const void *b, void *ctx)
{
    const double *aspects = ctx;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    return aspects[i] != aspects[k] ? aspects[i] < aspects[k] : i < k;
}

static int side(double part, int imgsz, int stride, double pad)
{
    return (int)ceil(part * imgsz / stride + pad) * stride;
}

void batch_plan_rect(uint32_t *order, batch_shape *shapes, const data_set *set, int batch,
                     int imgsz, int stride, double pad, double *aspects)
{
    size_t n = data_set_size(set);
    for (size_t i = 0; i < n; i++) {
        const data_picture *p = data_set_picture(set, i);
        aspects[i] = (double)p->h / p->w;
        order[i] = (uint32_t)i;
    }
    base_sort(order, n, sizeof *order, by_aspect, aspects);
    for (size_t at = 0; at < n; at += (size_t)batch, shapes++) {
        size_t last = at + (size_t)batch < n ? at + (size_t)batch - 1 : n - 1;
        double least = aspects[order[at]], most = aspects[order[last]], h = 1, w = 1;
        if (most < 1)
            h = most;
        else if (least > 1)
            w = 1 / least;
        shapes->h = side(h, imgsz, stride, pad);
        shapes->w = side(w, imgsz, stride, pad);
    }
}

size_t batch_window(size_t *first, size_t place, size_t n_pictures, int batch)
{
    enum { MOST = 1000, BATCHES = 8 }; /* spec 5.4, step 1 */
    size_t n = BATCHES * (size_t)batch;
    n = n < MOST ? n : MOST;
    n = n < n_pictures ? n : n_pictures;
    *first = place + 1 > n ? place + 1 - n : 0;
    return n;
}
