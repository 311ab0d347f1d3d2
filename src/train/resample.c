/* resample.c: two rows, two columns, four weights. Not in any inner loop of training that matters:
 * the network's first layer alone takes ten times as long. */
#include "resample.h"

#include <math.h>

int train_resample_side(int side, int longer_side, int size, int stride)
{
    const double factor = (double)size / longer_side;
    return (int)ceil(side * factor / stride) * stride;
}

typedef struct tap {
    int first, second;
    float weight; /* of the second */
} tap;

static tap tap_at(int i, int n_dst, int n_src)
{
    float at = ((float)i + 0.5f) * ((float)n_src / (float)n_dst) - 0.5f;
    if (at < 0)
        at = 0;
    const int first = (int)at < n_src - 1 ? (int)at : n_src - 1;
    return (tap){.first = first,
                 .second = first < n_src - 1 ? first + 1 : first,
                 .weight = at - (float)first};
}

void train_resample(float *dst, int dst_h, int dst_w, const float *src, int n, int h, int w)
{
    const size_t row = (size_t)w * 3;
    for (int i = 0; i < n; i++)
        for (int y = 0; y < dst_h; y++) {
            const tap ty = tap_at(y, dst_h, h);
            const float *upper = src + ((size_t)i * (size_t)h + (size_t)ty.first) * row;
            const float *lower = src + ((size_t)i * (size_t)h + (size_t)ty.second) * row;
            for (int x = 0; x < dst_w; x++) {
                const tap tx = tap_at(x, dst_w, w);
                const size_t a = (size_t)tx.first * 3, b = (size_t)tx.second * 3;
                for (size_t c = 0; c < 3; c++) {
                    const float up = upper[a + c] + tx.weight * (upper[b + c] - upper[a + c]);
                    const float low = lower[a + c] + tx.weight * (lower[b + c] - lower[a + c]);
                    *dst++ = up + ty.weight * (low - up);
                }
            }
        }
}
