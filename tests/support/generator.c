/* generator.c: FNV-1a of the key starts a splitmix64 sequence; the key's parts choose scale and
 * offset. */
#include "generator.h"

#include <math.h>
#include <string.h>

static uint64_t hash(const char *key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *key != '\0'; key++)
        h = (h ^ (uint8_t)*key) * UINT64_C(0x100000001b3);
    return h;
}

static float unit(uint64_t h, uint64_t seed, uint64_t i)
{
    uint64_t z = h + seed * UINT64_C(0xD1B54A32D192ED03) + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    const int64_t u = (int64_t)(z >> 40);
    return (float)((double)(2 * u - (1 << 24)) / (1 << 24));
}

float generator_unit(const char *key, uint64_t seed, uint64_t i)
{
    return unit(hash(key), seed, i);
}

static bool ends_with(const char *s, const char *tail)
{
    const size_t n = strlen(s), n_tail = strlen(tail);
    return n >= n_tail && strcmp(s + n - n_tail, tail) == 0;
}

/* "model.<number>.cv2.<digit>.2.weight" and the like: only a head has them. */
static bool is_head_last(const char *key, const char *branch, const char *kind)
{
    const size_t n = strlen(branch);
    if (strncmp(key, "model.", 6) != 0)
        return false;
    for (key += 6; *key >= '0' && *key <= '9';)
        key++;
    return strncmp(key, branch, n) == 0 && key[n] >= '0' && key[n] <= '9' &&
           strncmp(key + n + 1, ".2.", 3) == 0 && strcmp(key + n + 4, kind) == 0;
}

static bool has_component(const char *key, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = strstr(key, word); at != NULL; at = strstr(at + 1, word))
        if (at > key && at[-1] == '.' && (at[n] == '.' || at[n] == '\0'))
            return true;
    return false;
}

/* The second convolution of a bottleneck: the key ends ".m.<number>.cv2.conv.weight". */
static bool is_bottleneck_end(const char *key)
{
    static const char tail[] = ".cv2.conv.weight";
    if (!ends_with(key, tail))
        return false;
    const char *at = key + strlen(key) - strlen(tail);
    const char *end = at;
    while (at > key && at[-1] >= '0' && at[-1] <= '9')
        at--;
    return at < end && at - key >= 3 && strncmp(at - 3, ".m.", 3) == 0;
}

static float weight_scale(const char *key, const int64_t *shape, const generator_gains *gains)
{
    double g = 1.4;
    if (is_head_last(key, ".cv2.", "weight") || is_head_last(key, ".cv3.", "weight"))
        g = gains->head;
    else if (is_head_last(key, ".cv4.", "weight"))
        g = gains->cv4;
    else if (ends_with(key, ".linear.weight"))
        g = gains->cls;
    else if (has_component(key, "attn") || has_component(key, "ffn") || is_bottleneck_end(key))
        g = 0.6;
    const double fan = ends_with(key, ".upsample.weight")
                           ? (double)shape[0]
                           : (double)(shape[1] * shape[2] * shape[3]);
    return (float)(g * sqrt(3.0 / fan));
}

static bool find_rule(const char *key, const int64_t *shape, int n_dims,
                      const generator_gains *gains, float *scale, float *offset)
{
    *offset = 0.0f;
    if (ends_with(key, ".bn.weight")) {
        *scale = 0.25f;
        *offset = 1.0f;
    } else if (ends_with(key, ".bn.bias") || ends_with(key, ".bn.running_mean")) {
        *scale = 0.2f;
    } else if (ends_with(key, ".bn.running_var")) {
        *scale = 0.5f;
        *offset = 1.0f;
    } else if (ends_with(key, ".bn.num_batches_tracked")) {
        *scale = 0.0f;
    } else if (is_head_last(key, ".cv2.", "bias")) {
        *scale = 0.5f;
        *offset = 1.0f;
    } else if (is_head_last(key, ".cv3.", "bias")) {
        *scale = 1.0f;
        *offset = -4.3f;
    } else if (is_head_last(key, ".cv4.", "bias") || ends_with(key, ".linear.bias")) {
        *scale = 0.5f;
    } else if (ends_with(key, ".upsample.bias")) {
        *scale = 0.2f;
    } else if (n_dims == 4 || ends_with(key, ".linear.weight")) {
        *scale = weight_scale(key, shape, gains);
    } else {
        return false;
    }
    return true;
}

bool generator_fill_with(float *dst, const char *key, const int64_t *shape, int n_dims,
                         uint64_t seed, const generator_gains *gains)
{
    size_t n = 1;
    for (int d = 0; d < n_dims; d++)
        n *= (size_t)shape[d];
    if (ends_with(key, "dfl.conv.weight")) {
        for (size_t i = 0; i < n; i++)
            dst[i] = (float)i;
        return true;
    }
    float scale = 0, offset = 0;
    if (!find_rule(key, shape, n_dims, gains, &scale, &offset))
        return false;
    const uint64_t h = hash(key);
    for (size_t i = 0; i < n; i++) {
        const volatile float product =
            unit(h, seed, i) * scale; /* rounded by itself, whatever the compiler's flags */
        dst[i] = product + offset;
    }
    return true;
}

bool generator_fill(float *dst, const char *key, const int64_t *shape, int n_dims, uint64_t seed,
                    double head_g)
{
    return generator_fill_with(dst, key, shape, n_dims, seed,
                               &(generator_gains){head_g, head_g, head_g});
}

uint64_t generator_sum(uint64_t sum, const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        sum += bits;
    }
    return sum;
}
