/* sample_x86.c: the inner loops with AVX2: eight pixels a turn, taps fetched by gathers of two
 * samples at once, which one multiply-add mixes. */
#include "sample.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

AVX2 static void mix_avx2(int16_t *row, const uint8_t *r0, const uint8_t *r1, int b0, int b1,
                          size_t n)
{
    const __m256i w0 = _mm256_set1_epi16((short)b0), w1 = _mm256_set1_epi16((short)b1);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256i p0 = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(r0 + i)));
        __m256i p1 = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(r1 + i)));
        __m256i sum = _mm256_add_epi16(_mm256_mullo_epi16(p0, w0), _mm256_mullo_epi16(p1, w1));
        _mm256_storeu_si256((__m256i *)(void *)(row + i), sum);
    }
    VIDEO_SAMPLE_KERNELS_C.mix(row + i, r0 + i, r1 + i, b0, b1, n - i);
}

/* The sums of eight taps as floats. Pairs are beside each other: one gather, one multiply-add. */
AVX2 static inline __m256 taps_beside(const int16_t *row, __m256i from, __m256i weights)
{
    __m256i pairs = _mm256_i32gather_epi32((const int *)(const void *)row, from, 2);
    return _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, weights));
}

/* u0 v0 u1 v1 from a row that holds both: 64 bits a pixel. */
AVX2 static inline void taps_interleaved(__m256 *u, __m256 *v, const int16_t *row, __m256i from,
                                         __m256i weights)
{
    const long long *base = (const long long *)(const void *)row;
    __m256i a = _mm256_i32gather_epi64(base, _mm256_castsi256_si128(from), 4);
    __m256i b = _mm256_i32gather_epi64(base, _mm256_extracti128_si256(from, 1), 4);
    /* to u0 u1 v0 v1 */
    const __m256i sort = _mm256_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15, 0,
                                          1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);
    __m256 sa = _mm256_castsi256_ps(_mm256_shuffle_epi8(a, sort));
    __m256 sb = _mm256_castsi256_ps(_mm256_shuffle_epi8(b, sort));
    __m256i us = _mm256_castps_si256(_mm256_shuffle_ps(sa, sb, 0x88));
    __m256i vs = _mm256_castps_si256(_mm256_shuffle_ps(sa, sb, 0xdd));
    us = _mm256_permute4x64_epi64(us, 0xd8); /* the shuffle worked on halves */
    vs = _mm256_permute4x64_epi64(vs, 0xd8);
    *u = _mm256_cvtepi32_ps(_mm256_madd_epi16(us, weights));
    *v = _mm256_cvtepi32_ps(_mm256_madd_epi16(vs, weights));
}

AVX2 static inline __m256 clip(__m256 v)
{
    return _mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), _mm256_set1_ps(1.0f));
}

/* Eight of each to 24 floats r g b r g b ... */
AVX2 static inline void store_rgb(float *dst, __m256 r, __m256 g, __m256 b)
{
    /* Per half of four pixels: r0 g0 b0 r1 | g1 b1 r2 g2 | b2 r3 g3 b3. */
    __m256 rg = _mm256_unpacklo_ps(r, g);                                    /* r0 g0 r1 g1 */
    __m256 rg_high = _mm256_unpackhi_ps(r, g);                               /* r2 g2 r3 g3 */
    __m256 br = _mm256_shuffle_ps(b, r, _MM_SHUFFLE(1, 1, 0, 0));            /* b0 b0 r1 r1 */
    __m256 first = _mm256_shuffle_ps(rg, br, _MM_SHUFFLE(2, 0, 1, 0));       /* r0 g0 b0 r1 */
    __m256 gb = _mm256_shuffle_ps(rg, b, _MM_SHUFFLE(1, 1, 3, 3));           /* g1 g1 b1 b1 */
    __m256 second = _mm256_shuffle_ps(gb, rg_high, _MM_SHUFFLE(1, 0, 2, 0)); /* g1 b1 r2 g2 */
    __m256 b2r3 = _mm256_shuffle_ps(b, rg_high, _MM_SHUFFLE(2, 2, 2, 2));    /* b2 b2 r3 r3 */
    __m256 g3b3 = _mm256_shuffle_ps(rg_high, b, _MM_SHUFFLE(3, 3, 3, 3));    /* g3 g3 b3 b3 */
    __m256 third = _mm256_shuffle_ps(b2r3, g3b3, _MM_SHUFFLE(2, 0, 2, 0));   /* b2 r3 g3 b3 */
    _mm256_storeu_ps(dst, _mm256_permute2f128_ps(first, second, 0x20));
    _mm256_storeu_ps(dst + 8, _mm256_permute2f128_ps(third, first, 0x30));
    _mm256_storeu_ps(dst + 16, _mm256_permute2f128_ps(second, third, 0x31));
}

AVX2 static void convert_avx2(float *dst, const int16_t *y, const int16_t *u, const int16_t *v,
                              int chroma_pitch, const video_taps *luma, const video_taps *chroma,
                              const video_matrix *m, int w)
{
    const __m256 scale = _mm256_set1_ps(1.0f / (VIDEO_ROW_ONE * VIDEO_COLUMN_ONE));
    const __m256 middle = _mm256_set1_ps(128.0f);
    const __m256 y_scale = _mm256_set1_ps(m->y_scale), r_offset = _mm256_set1_ps(m->offset[0]);
    const __m256 g_offset = _mm256_set1_ps(m->offset[1]), b_offset = _mm256_set1_ps(m->offset[2]);
    const __m256 r_v = _mm256_set1_ps(m->r_v), g_u = _mm256_set1_ps(m->g_u);
    const __m256 g_v = _mm256_set1_ps(m->g_v), b_u = _mm256_set1_ps(m->b_u);
    int x = 0;
    for (; x + 8 <= w; x += 8, dst += 24) {
        __m256i from = _mm256_loadu_si256((const __m256i *)(const void *)(luma->from + x));
        __m256i weights = _mm256_loadu_si256((const __m256i *)(const void *)(luma->weight + 2 * x));
        __m256 l = taps_beside(y, from, weights), cb, cr;
        from = _mm256_loadu_si256((const __m256i *)(const void *)(chroma->from + x));
        weights = _mm256_loadu_si256((const __m256i *)(const void *)(chroma->weight + 2 * x));
        if (chroma_pitch == 1) {
            cb = taps_beside(u, from, weights);
            cr = taps_beside(v, from, weights);
        } else {
            taps_interleaved(&cb, &cr, u, from, weights);
        }
        l = _mm256_mul_ps(_mm256_mul_ps(l, scale), y_scale);
        cb = _mm256_sub_ps(_mm256_mul_ps(cb, scale), middle);
        cr = _mm256_sub_ps(_mm256_mul_ps(cr, scale), middle);
        __m256 g = _mm256_add_ps(_mm256_mul_ps(cb, g_u), _mm256_mul_ps(cr, g_v));
        __m256 r = _mm256_add_ps(_mm256_add_ps(l, r_offset), _mm256_mul_ps(cr, r_v));
        g = _mm256_add_ps(_mm256_add_ps(l, g_offset), g);
        __m256 b = _mm256_add_ps(_mm256_add_ps(l, b_offset), _mm256_mul_ps(cb, b_u));
        store_rgb(dst, clip(r), clip(g), clip(b));
    }
    const video_taps luma_rest = {.from = luma->from + x, .weight = luma->weight + 2 * x};
    const video_taps chroma_rest = {.from = chroma->from + x, .weight = chroma->weight + 2 * x};
    VIDEO_SAMPLE_KERNELS_C.convert(dst, y, u, v, chroma_pitch, &luma_rest, &chroma_rest, m, w - x);
}

static const video_sample_kernels KERNELS_AVX2 = {
    .name = "avx2", .mix = mix_avx2, .convert = convert_avx2};

const video_sample_kernels *video_sample_kernels_x86(const char *name)
{
    return strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2") ? &KERNELS_AVX2 : NULL;
}
#else
const video_sample_kernels *video_sample_kernels_x86(const char *name)
{
    (void)name;
    return NULL;
}
#endif
