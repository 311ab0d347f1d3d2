/* half.c: F16 and BF16 to floats and back, and any tensor's elements as floats.
 *
 * Integer arithmetic, so that results do not depend on rounding or flush-to-zero modes; branch-free
 * where widening, so that compilers vectorise it. A signalling NaN stays what it is. */
#include <string.h>

#include "file.h"

static inline uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline float float_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline float widen_f16(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    const uint32_t rest = h & 0x7fffu;
    const uint32_t shifted = rest << 13;
    /* The exponent's bias grows by 127 - 15 = 112; all ones stays all ones, 112 more. */
    const uint32_t normal = shifted + (112u << 23);
    const uint32_t special = shifted + (224u << 23);
    /* Subnormal, rest * 2^-24: 0.5 has a last place of 2^-24, so its low bits count in just that
     * unit. */
    const uint32_t small = bits_of(float_of(0x3f000000u | rest) - 0.5f);
    const uint32_t wide = rest < 0x0400u ? small : rest >= 0x7c00u ? special : normal;
    return float_of(sign | wide);
}

float weights_f16_to_f32(uint16_t h)
{
    return widen_f16(h);
}

uint16_t weights_f32_to_f16(float f)
{
    const uint32_t u = bits_of(f);
    const uint16_t sign = (uint16_t)(u >> 16 & 0x8000u);
    const uint32_t rest = u & 0x7fffffffu;
    if (rest > 0x7f800000u) /* NaN: quiet, with the payload's top */
        return (uint16_t)(sign | 0x7e00u | (rest >> 13 & 0x1ffu));
    if (rest >= 0x477ff000u) /* 65520 and up round to infinity */
        return (uint16_t)(sign | 0x7c00u);
    if (rest < 0x33000000u) /* below 2^-25: nearest is zero */
        return sign;
    if (rest < 0x38800000u) { /* below 2^-14: subnormal, in units of 2^-24 */
        const uint32_t exponent = rest >> 23;
        const uint32_t mantissa = (rest & 0x7fffffu) | 0x800000u;
        const uint32_t shift = 126u - exponent; /* 14..24 */
        const uint32_t kept = mantissa >> shift;
        const uint32_t lost = mantissa & ((1u << shift) - 1u);
        const uint32_t half = 1u << (shift - 1);
        return (uint16_t)(sign | (kept + (lost > half || (lost == half && (kept & 1u)))));
    }
    const uint32_t rebased = rest - (112u << 23);
    const uint32_t rounded = rebased + 0xfffu + (rebased >> 13 & 1u);
    return (uint16_t)(sign | rounded >> 13);
}

float weights_bf16_to_f32(uint16_t b)
{
    return float_of((uint32_t)b << 16);
}

uint16_t weights_f32_to_bf16(float f)
{
    const uint32_t u = bits_of(f);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(u >> 16 |
                          0x0040u); /* a payload in the low bits alone must not become infinity */
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}

/* n contiguous elements at src, unaligned perhaps. */
static void widen(float *dst, const uint8_t *src, weights_dtype dtype, size_t n)
{
#define EACH(type, value)                                                                          \
    for (size_t i = 0; i < n; i++) {                                                               \
        type x;                                                                                    \
        memcpy(&x, src + i * sizeof x, sizeof x);                                                  \
        dst[i] = (value);                                                                          \
    }                                                                                              \
    break
    switch (dtype) {
    case WEIGHTS_F32:
        memcpy(dst, src, n * sizeof(float));
        break;
    case WEIGHTS_F16:
        EACH(uint16_t, widen_f16(x));
    case WEIGHTS_BF16:
        EACH(uint16_t, weights_bf16_to_f32(x));
    case WEIGHTS_F64:
        EACH(double, (float)x);
    case WEIGHTS_I64:
        EACH(int64_t, (float)x);
    case WEIGHTS_I32:
        EACH(int32_t, (float)x);
    case WEIGHTS_I16:
        EACH(int16_t, (float)x);
    case WEIGHTS_I8:
        EACH(int8_t, (float)x);
    case WEIGHTS_U8:
        EACH(uint8_t, (float)x);
    case WEIGHTS_BOOL:
        EACH(uint8_t, x != 0 ? 1.0f : 0.0f);
    }
#undef EACH
}

static bool is_row_major(const weights_tensor *t)
{
    int64_t expected = 1;
    for (int d = t->n_dims - 1; d >= 0; d--) {
        if (t->shape[d] != 1 && t->stride[d] != expected)
            return false;
        expected *= t->shape[d];
    }
    return true;
}

void weights_gather(void *dst, const weights_tensor *t, size_t first, size_t n)
{
    const size_t size = weights_dtype_bytes(t->dtype);
    const uint8_t *base = t->data;
    if (n == 0)
        return;
    if (is_row_major(t)) {
        memcpy(dst, base + first * size, n * size);
        return;
    }

    int64_t at[WEIGHTS_MAX_DIMS] = {0};
    int64_t offset = 0;
    size_t rest = first;
    for (int d = t->n_dims - 1; d >= 0; d--) {
        at[d] = (int64_t)(rest % (size_t)t->shape[d]);
        rest /= (size_t)t->shape[d];
        offset += at[d] * t->stride[d];
    }
    uint8_t *out = dst;
    for (size_t i = 0; i < n; i++) {
        memcpy(out + i * size, base + (size_t)offset * size, size);
        for (int d = t->n_dims - 1; d >= 0; d--) { /* the next place, like an odometer */
            offset += t->stride[d];
            if (++at[d] < t->shape[d])
                break;
            offset -= at[d] * t->stride[d];
            at[d] = 0;
        }
    }
}

void weights_part_to_float(float *dst, const weights_tensor *t, size_t first, size_t n)
{
    if (n == 0)
        return;
    if (is_row_major(t)) {
        widen(dst, (const uint8_t *)t->data + first * weights_dtype_bytes(t->dtype), t->dtype, n);
        return;
    }
    uint8_t part[4096];
    const size_t most = sizeof part / weights_dtype_bytes(t->dtype);
    for (size_t i = 0; i < n; i += most) {
        const size_t now = n - i < most ? n - i : most;
        weights_gather(part, t, first + i, now);
        widen(dst + i, part, t->dtype, now);
    }
}

void weights_to_float(float *dst, const weights_tensor *t)
{
    weights_part_to_float(dst, t, 0, t->n_elements);
}
