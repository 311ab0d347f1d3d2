/* resample.c: two rows, two columns, four weights. Not in any inner loop that matters: a network's
 * first layer alone takes ten times as long. */
#include "resample.h"

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

/* One row of the result from two of the source. */
static void resample_row(float *dst, const image_resampling *r, const float *upper,
                         const float *lower, float weight, int src_w)
{
    for (int x = 0; x < r->w; x++) {
        const tap t = tap_at(x, r->w, src_w);
        const int first = r->is_flipped ? src_w - 1 - t.first : t.first,
                  second = r->is_flipped ? src_w - 1 - t.second : t.second;
        const size_t a = (size_t)first * 3, b = (size_t)second * 3;
        for (size_t c = 0; c < 3; c++) {
            const float up = upper[a + c] + t.weight * (upper[b + c] - upper[a + c]);
            const float low = lower[a + c] + t.weight * (lower[b + c] - lower[a + c]);
            *dst++ = up + weight * (low - up);
        }
    }
}

static float *fill(float *dst, size_t n, float value)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = value;
    return dst + n;
}

void image_resample(float *dst, const image_resampling *r, const float *src, int n, int src_h,
                    int src_w)
{
    const size_t row = (size_t)src_w * 3;
    for (int i = 0; i < n; i++, src += (size_t)src_h * row) {
        for (int y = 0; y < r->h; y++) {
            const tap t = tap_at(y, r->h, src_h);
            resample_row(dst, r, src + (size_t)t.first * row, src + (size_t)t.second * row,
                         t.weight, src_w);
            dst = fill(dst + 3 * r->w, 3 * (size_t)(r->out_w - r->w), r->fill);
        }
        dst = fill(dst, 3 * (size_t)(r->out_h - r->h) * (size_t)r->out_w, r->fill);
    }
}
