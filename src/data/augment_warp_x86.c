/* augment_warp_x86.c: the warp's inner loop for AVX2: eight pixels at a time.
 *
 * Coordinates, clamping and weights are vectors of eight; pixels are fetched one by one, eight
 * bytes of each of two rows (a gather of the same is no faster). Lane 0 holds pixels 0..3, lane
 * 1 4..7, so that packing leaves them in order. */
#include <string.h>

#include "augment.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* Two pixels, one a lane: the eight bytes from p on and those of the row below. */
AVX2 static inline __m256i fetch(const uint8_t *p, const uint8_t *q, size_t stride)
{
    int64_t a, b, c, d;
    memcpy(&a, p, 8);
    memcpy(&b, p + stride, 8);
    memcpy(&c, q, 8);
    memcpy(&d, q + stride, 8);
    return _mm256_set_epi64x(d, c, b, a);
}

/* v: r0 g0 b0 r1 g1 b1 x x of two rows a lane; wx: 32 - fx, fx as bytes; wy: 32 - fy, fy as words.
 * -> r g b x as 32-bit numbers. */
AVX2 static inline __m256i blend(__m256i v, __m256i wx, __m256i wy)
{
    const __m256i pair_columns =
        _mm256_setr_epi8(0, 3, 1, 4, 2, 5, 6, 7, 8, 11, 9, 12, 10, 13, 14, 15, 0, 3, 1, 4, 2, 5, 6,
                         7, 8, 11, 9, 12, 10, 13, 14, 15);
    const __m256i pair_rows =
        _mm256_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15, 0, 1, 8, 9, 2, 3, 10,
                         11, 4, 5, 12, 13, 6, 7, 14, 15);
    __m256i rows = _mm256_maddubs_epi16(_mm256_shuffle_epi8(v, pair_columns), wx);
    __m256i sum = _mm256_madd_epi16(_mm256_shuffle_epi8(rows, pair_rows), wy);
    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(512)), 10);
}

AVX2 static void row_avx2(uint8_t *dst, const image_view *canvas, const int32_t *ax,
                          const int32_t *bx, int32_t x0, int32_t y0, int w)
{
    const __m256i low = _mm256_set1_epi32(-CANVAS_BORDER), fraction = _mm256_set1_epi32(31);
    const __m256i all = _mm256_set1_epi32(32), three = _mm256_set1_epi32(3);
    const __m256i high_x = _mm256_set1_epi32(canvas->w), high_y = _mm256_set1_epi32(canvas->h);
    const __m256i stride = _mm256_set1_epi32((int)canvas->stride);
    const __m256i compact =
        _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, 0, 1, 2, 4, 5, 6,
                         8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    int x = 0;
    for (; x + 8 <= w; x += 8, dst += 24) {
        __m256i X = _mm256_loadu_si256((const __m256i *)(const void *)(ax + x));
        __m256i Y = _mm256_loadu_si256((const __m256i *)(const void *)(bx + x));
        X = _mm256_srai_epi32(_mm256_add_epi32(X, _mm256_set1_epi32(x0)), 5);
        Y = _mm256_srai_epi32(_mm256_add_epi32(Y, _mm256_set1_epi32(y0)), 5);
        __m256i fx = _mm256_and_si256(X, fraction), fy = _mm256_and_si256(Y, fraction);
        __m256i ix = _mm256_min_epi32(_mm256_max_epi32(_mm256_srai_epi32(X, 5), low), high_x);
        __m256i iy = _mm256_min_epi32(_mm256_max_epi32(_mm256_srai_epi32(Y, 5), low), high_y);
        __m256i wx = _mm256_or_si256(_mm256_sub_epi32(all, fx), _mm256_slli_epi32(fx, 8));
        wx = _mm256_or_si256(wx, _mm256_slli_epi32(wx, 16));
        __m256i wy = _mm256_or_si256(_mm256_sub_epi32(all, fy), _mm256_slli_epi32(fy, 16));
        int32_t at[8];
        _mm256_storeu_si256((__m256i *)(void *)at, _mm256_add_epi32(_mm256_mullo_epi32(iy, stride),
                                                                    _mm256_mullo_epi32(ix, three)));
        const uint8_t *p = canvas->data;
        size_t s = canvas->stride;
        __m256i d0 = blend(fetch(p + at[0], p + at[4], s), _mm256_shuffle_epi32(wx, 0x00),
                           _mm256_shuffle_epi32(wy, 0x00));
        __m256i d1 = blend(fetch(p + at[1], p + at[5], s), _mm256_shuffle_epi32(wx, 0x55),
                           _mm256_shuffle_epi32(wy, 0x55));
        __m256i d2 = blend(fetch(p + at[2], p + at[6], s), _mm256_shuffle_epi32(wx, 0xaa),
                           _mm256_shuffle_epi32(wy, 0xaa));
        __m256i d3 = blend(fetch(p + at[3], p + at[7], s), _mm256_shuffle_epi32(wx, 0xff),
                           _mm256_shuffle_epi32(wy, 0xff));
        __m256i out = _mm256_packus_epi16(_mm256_packs_epi32(d0, d1), _mm256_packs_epi32(d2, d3));
        out = _mm256_shuffle_epi8(out, compact);
        /* 16 bytes where 12 count, then exactly the other 12: nothing past the eighth pixel. */
        _mm_storeu_si128((__m128i *)(void *)dst, _mm256_castsi256_si128(out));
        __m128i upper = _mm256_extracti128_si256(out, 1);
        _mm_storel_epi64((__m128i *)(void *)(dst + 12), upper);
        int32_t last = _mm_extract_epi32(upper, 2);
        memcpy(dst + 20, &last, sizeof last);
    }
    WARP_KERNELS_C.row(dst, canvas, ax + x, bx + x, x0, y0, w - x);
}

static const warp_kernels KERNELS_AVX2 = {.name = "avx2", .row = row_avx2};

const warp_kernels *warp_kernels_x86(const char *name)
{
    if (strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2"))
        return &KERNELS_AVX2;
    return NULL;
}

#else

const warp_kernels *warp_kernels_x86(const char *name)
{
    (void)name;
    return NULL;
}

#endif
