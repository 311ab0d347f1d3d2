/* resize_x86.c: the inner loops with SSE4.1 and AVX2. A resize of 1080p to 640 x 360 spends its
 * time in `across`, whose gather of pixels no compiler vectorises; the rest is here for processors
 * and builds whose default is SSE2. */
#include "resize.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define SSE41 __attribute__((target("sse4.1")))
#define AVX2  __attribute__((target("avx2")))

/* Pixels (left, right) and weights (a0, a1) as pairs of 16 bits, so that one pmaddwd makes a pixel.
 * Loads 8 bytes. */
SSE41 static inline __m128i mix_pixel(const uint8_t *left, const int16_t *weight, __m128i pair)
{
    int32_t both;
    memcpy(&both, weight, sizeof(both));
    __m128i p = _mm_shuffle_epi8(_mm_loadl_epi64((const __m128i *)(const void *)left), pair);
    return _mm_srli_epi32(_mm_madd_epi16(p, _mm_set1_epi32(both)), 4);
}

/* Four pixels a turn: 12 samples. Stores up to 4 samples past the last pixel, inside the row's
 * slack. The 8 bytes at a left pixel may end past the row, so the last ones are plain. */
SSE41 static void across_sse41(int16_t *r, const uint8_t *src, int src_w, const int32_t *from,
                               const int16_t *weight, int w)
{
    const __m128i pair = _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
    int x = 0;
    for (; x + 2 <= w && from[x + 1] + 3 <= src_w; x += 2) {
        __m128i p0 = mix_pixel(src + 3 * (size_t)from[x], weight + 2 * x, pair);
        __m128i p1 = mix_pixel(src + 3 * (size_t)from[x + 1], weight + 2 * x + 2, pair);
        __m128i both = _mm_packs_epi32(p0, p1); /* 3 samples, 0, 3 samples, 0 */
        const __m128i close = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1);
        _mm_storeu_si128((__m128i *)(void *)(r + 3 * x), _mm_shuffle_epi8(both, close));
    }
    IMAGE_ROW_KERNELS_C.across(r + 3 * x, src, src_w, from + x, weight + 2 * x, w - x);
}

SSE41 static void down_sse41(uint8_t *dst, const int16_t *r0, const int16_t *r1, int b0, int b1,
                             size_t n)
{
    const __m128i w0 = _mm_set1_epi16((short)b0), w1 = _mm_set1_epi16((short)b1),
                  two = _mm_set1_epi16(2);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m128i v[2];
        for (int half = 0; half < 2; half++) {
            const __m128i *p0 = (const __m128i *)(const void *)(r0 + i + 8 * (size_t)half);
            const __m128i *p1 = (const __m128i *)(const void *)(r1 + i + 8 * (size_t)half);
            __m128i sum = _mm_add_epi16(_mm_mulhi_epi16(_mm_loadu_si128(p0), w0),
                                        _mm_mulhi_epi16(_mm_loadu_si128(p1), w1));
            v[half] = _mm_srai_epi16(_mm_add_epi16(sum, two), 2);
        }
        _mm_storeu_si128((__m128i *)(void *)(dst + i), _mm_packus_epi16(v[0], v[1]));
    }
    IMAGE_ROW_KERNELS_C.down(dst + i, r0 + i, r1 + i, b0, b1, n - i);
}

AVX2 static void down_avx2(uint8_t *dst, const int16_t *r0, const int16_t *r1, int b0, int b1,
                           size_t n)
{
    const __m256i w0 = _mm256_set1_epi16((short)b0), w1 = _mm256_set1_epi16((short)b1);
    const __m256i two = _mm256_set1_epi16(2);
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i v[2];
        for (int half = 0; half < 2; half++) {
            const __m256i *p0 = (const __m256i *)(const void *)(r0 + i + 16 * (size_t)half);
            const __m256i *p1 = (const __m256i *)(const void *)(r1 + i + 16 * (size_t)half);
            __m256i sum = _mm256_add_epi16(_mm256_mulhi_epi16(_mm256_loadu_si256(p0), w0),
                                           _mm256_mulhi_epi16(_mm256_loadu_si256(p1), w1));
            v[half] = _mm256_srai_epi16(_mm256_add_epi16(sum, two), 2);
        }
        __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(v[0], v[1]), 0xd8);
        _mm256_storeu_si256((__m256i *)(void *)(dst + i), bytes);
    }
    down_sse41(dst + i, r0 + i, r1 + i, b0, b1, n - i);
}

/* Two pixels a turn: 12 bytes of either row by way of 16-byte loads. */
SSE41 static void halve_sse41(uint8_t *dst, const uint8_t *s0, const uint8_t *s1, int w)
{
    const __m128i pair = _mm_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1);
    const __m128i ones = _mm_set1_epi8(1), two = _mm_set1_epi16(2);
    int x = 0;
    for (; x + 3 <= w; x += 2) { /* the third pixel keeps loads and stores inside the row */
        __m128i p0 = _mm_loadu_si128((const __m128i *)(const void *)(s0 + 6 * x));
        __m128i p1 = _mm_loadu_si128((const __m128i *)(const void *)(s1 + 6 * x));
        __m128i sum = _mm_add_epi16(_mm_maddubs_epi16(_mm_shuffle_epi8(p0, pair), ones),
                                    _mm_maddubs_epi16(_mm_shuffle_epi8(p1, pair), ones));
        __m128i mean = _mm_srli_epi16(_mm_add_epi16(sum, two), 2);
        _mm_storel_epi64((__m128i *)(void *)(dst + 3 * x), _mm_packus_epi16(mean, mean));
    }
    IMAGE_ROW_KERNELS_C.halve(dst + 3 * x, s0 + 6 * x, s1 + 6 * x, w - x);
}

AVX2 static void to_float_avx2(float *dst, const uint8_t *src, size_t n)
{
    const __m256 divisor = _mm256_set1_ps(255.0f);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(src + i));
        _mm256_storeu_ps(dst + i,
                         _mm256_div_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)), divisor));
    }
    IMAGE_ROW_KERNELS_C.to_float(dst + i, src + i, n - i);
}

SSE41 static void to_float_sse41(float *dst, const uint8_t *src, size_t n)
{
    const __m128 divisor = _mm_set1_ps(255.0f);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        int32_t four;
        memcpy(&four, src + i, sizeof(four));
        __m128i wide = _mm_cvtepu8_epi32(_mm_cvtsi32_si128(four));
        _mm_storeu_ps(dst + i, _mm_div_ps(_mm_cvtepi32_ps(wide), divisor));
    }
    IMAGE_ROW_KERNELS_C.to_float(dst + i, src + i, n - i);
}

/* ---- smoothing ---- */

/* The last columns, whose loads might end past the row, are plain: columns rise, and none takes
 * more than `most`. */
static int columns_within(const image_spans *t, int src_w)
{
    int w = t->w;
    while (w > 0 &&
           3 * ((int64_t)t->of[w - 1].first + t->most - IMAGE_TAPS) + 16 > 3 * (int64_t)src_w)
        w--;
    return w;
}

static void across_rest(uint8_t *dst, const uint8_t *src, int src_w, const image_spans *t, int from)
{
    const size_t at = (size_t)from * (size_t)t->most;
    const image_spans rest = {t->of + from, t->low + at, t->high + at, t->w - from, t->most};
    IMAGE_ROW_KERNELS_C.smooth_across(dst + 3 * (size_t)from, src, src_w, &rest);
}

/* Two numbers of 16 bits, in every place. */
SSE41 static inline __m128i both_weights(const int16_t *at)
{
    int32_t both;
    memcpy(&both, at, sizeof both);
    return _mm_set1_epi32(both);
}

/* Three sums to the nearest, and as bytes. */
SSE41 static inline void put_rounded(uint8_t *dst, __m128i high, __m128i low)
{
    const __m128i half = _mm_set1_epi32(1 << (IMAGE_WEIGHT_BITS - 1));
    const __m128i sum = _mm_add_epi32(_mm_slli_epi32(high, IMAGE_HALF_BITS), low);
    const __m128i v = _mm_srai_epi32(_mm_add_epi32(sum, half), IMAGE_WEIGHT_BITS);
    const __m128i words = _mm_packs_epi32(v, v);
    const int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(dst, &bytes, 3);
}

/* A pair of pixels as pairs of samples (r0 r1 g0 g1 b0 b1), which one pmaddwd weighs and adds. */
SSE41 static void smooth_across_sse41(uint8_t *dst, const uint8_t *src, int src_w,
                                      const image_spans *t)
{
    const __m128i pair = _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
    const int n_wide = columns_within(t, src_w);
    for (int x = 0; x < n_wide; x++) {
        const uint8_t *p = src + 3 * (size_t)t->of[x].first;
        const size_t at = (size_t)x * (size_t)t->most;
        __m128i low = _mm_setzero_si128(), high = low;
        for (int i = 0; i < t->of[x].n; i += 2, p += 6) {
            const __m128i two =
                _mm_shuffle_epi8(_mm_loadl_epi64((const __m128i *)(const void *)p), pair);
            low = _mm_add_epi32(low, _mm_madd_epi16(two, both_weights(t->low + at + i)));
            high = _mm_add_epi32(high, _mm_madd_epi16(two, both_weights(t->high + at + i)));
        }
        put_rounded(dst + 3 * (size_t)x, high, low);
    }
    across_rest(dst, src, src_w, t, n_wide);
}

/* Four weights, two for either half. */
AVX2 static inline __m256i four_weights(const int16_t *at)
{
    const __m256i halves = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    const __m128i four = _mm_loadl_epi64((const __m128i *)(const void *)at);
    return _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(four), halves);
}

AVX2 static void smooth_across_avx2(uint8_t *dst, const uint8_t *src, int src_w,
                                    const image_spans *t)
{
    const __m256i pairs =
        _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7,
                         -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    const int n_wide = columns_within(t, src_w);
    for (int x = 0; x < n_wide; x++) {
        const uint8_t *p = src + 3 * (size_t)t->of[x].first;
        const size_t at = (size_t)x * (size_t)t->most;
        __m256i low = _mm256_setzero_si256(), high = low;
        for (int i = 0; i < t->of[x].n; i += IMAGE_TAPS, p += 3 * IMAGE_TAPS) {
            const __m256i four = _mm256_shuffle_epi8(
                _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p)),
                pairs);
            low = _mm256_add_epi32(low, _mm256_madd_epi16(four, four_weights(t->low + at + i)));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(four, four_weights(t->high + at + i)));
        }
        put_rounded(dst + 3 * (size_t)x,
                    _mm_add_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1)),
                    _mm_add_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1)));
    }
    across_rest(dst, src, src_w, t, n_wide);
}

SSE41 static void smooth_add_sse41(int32_t *sums, const uint8_t *row, int32_t weight, size_t n)
{
    const __m128i w = _mm_set1_epi32(weight);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        int32_t four;
        memcpy(&four, row + i, sizeof four);
        __m128i *to = (__m128i *)(void *)(sums + i);
        const __m128i x = _mm_mullo_epi32(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four)), w);
        _mm_storeu_si128(to, _mm_add_epi32(_mm_loadu_si128(to), x));
    }
    IMAGE_ROW_KERNELS_C.smooth_add(sums + i, row + i, weight, n - i);
}

AVX2 static void smooth_add_avx2(int32_t *sums, const uint8_t *row, int32_t weight, size_t n)
{
    const __m256i w = _mm256_set1_epi32(weight);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(row + i));
        __m256i *to = (__m256i *)(void *)(sums + i);
        const __m256i x = _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes), w);
        _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), x));
    }
    IMAGE_ROW_KERNELS_C.smooth_add(sums + i, row + i, weight, n - i);
}

SSE41 static void smooth_round_sse41(uint8_t *dst, const int32_t *sums, size_t n)
{
    const __m128i half = _mm_set1_epi32(1 << (IMAGE_WEIGHT_BITS - 1));
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const __m128i sum = _mm_loadu_si128((const __m128i *)(const void *)(sums + i));
        const __m128i v = _mm_srai_epi32(_mm_add_epi32(sum, half), IMAGE_WEIGHT_BITS);
        const __m128i words = _mm_packs_epi32(v, v);
        const int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
        memcpy(dst + i, &bytes, sizeof bytes);
    }
    IMAGE_ROW_KERNELS_C.smooth_round(dst + i, sums + i, n - i);
}

static const image_row_kernels KERNELS_SSE41 = {.name = "sse4.1",
                                                .across = across_sse41,
                                                .down = down_sse41,
                                                .halve = halve_sse41,
                                                .to_float = to_float_sse41,
                                                .smooth_across = smooth_across_sse41,
                                                .smooth_add = smooth_add_sse41,
                                                .smooth_round = smooth_round_sse41};
/* across gains nothing from wider registers: its pixels come one by one. */
static const image_row_kernels KERNELS_AVX2 = {.name = "avx2",
                                               .across = across_sse41,
                                               .down = down_avx2,
                                               .halve = halve_sse41,
                                               .to_float = to_float_avx2,
                                               .smooth_across = smooth_across_avx2,
                                               .smooth_add = smooth_add_avx2,
                                               .smooth_round = smooth_round_sse41};

const image_row_kernels *image_row_kernels_x86(const char *name)
{
    if (strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2"))
        return &KERNELS_AVX2;
    if (strcmp(name, "sse4.1") == 0 && __builtin_cpu_supports("sse4.1"))
        return &KERNELS_SSE41;
    return NULL;
}
#else
const image_row_kernels *image_row_kernels_x86(const char *name)
{
    (void)name;
    return NULL;
}
#endif
