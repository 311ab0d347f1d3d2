/* train_norm.cl: batch normalisation with the batch's own statistics, SiLU and the residual, both
 * ways (nn/cpu/norm/train_norm.c has the formulas).
 *
 * Statistics: a chunk's mean is summed from its first pixel on, and its spread from its mean, so that
 * a mean that is large beside the spread costs no digits; chunks are merged as T. F. Chan, G. H. Golub, R. J. LeVeque do
 * (Amer. Statist. 37 (1983), 242-247). */

/* parts: a chunk's mean and its sum of squared distances from it, in two passes: the second finds
 * the chunk in a cache. Grid: chunks, channels. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_moments)(TRAIN_BUFFERS, const gpu_norm_args a)
{
    local float sums[GPU_ITEMS], means[GPU_LANES];
    const int c = CHANNEL, first = GROUP_X * a.chunk_pixels;
    const int n = a.n_pixels - first < a.chunk_pixels ? a.n_pixels - first : a.chunk_pixels;
    const float shift = c < a.c ? get(block, at_pixel(a.z_at, first, a.z_pitch, c)) : 0.0f;
    float sum = 0.0f, square = 0.0f;
    if (c < a.c)
        CHUNK_PIXEL (p, a.chunk_pixels, a.n_pixels)
            sum += get(block, at_pixel(a.z_at, p, a.z_pitch, c)) - shift;
    sum = sum_of_lanes(sums, sum);
    if (LANE == 0)
        means[ITEM] = shift + sum / (float)n;
    BARRIER();
    const float mean = means[ITEM % GPU_LANES];
    if (c < a.c)
        CHUNK_PIXEL (p, a.chunk_pixels, a.n_pixels) {
            const float d = get(block, at_pixel(a.z_at, p, a.z_pitch, c)) - mean;
            square = FMA(d, d, square);
        }
    square = sum_of_lanes(sums, square);
    if (LANE == 0 && c < a.c) {
        const gpu_u64 to = at_pixel(a.parts_at, GROUP_X, 2 * a.c, c);
        scratch[to] = mean;
        scratch[to + (gpu_u64)a.c] = square;
    }
}

/* Mean and squared distances of `more` pixels into those of `n`. */
INLINE void merge_moments(float *n, float *mean, float *m2, float more, float mean2, float m22)
{
    const float all = *n + more, d = mean2 - *mean;
    if (more > 0.0f) {
        *mean += d * (more / all);
        *m2 += m22 + d * d * (*n * (more / all));
        *n = all;
    }
}

/* Of all chunks: what is saved for this step, and the running statistics. Grid: 1, channels. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_moments_merge)(TRAIN_BUFFERS, const gpu_norm_args a)
{
    local float counts[GPU_ITEMS], means[GPU_ITEMS], squares[GPU_ITEMS];
    const int c = CHANNEL;
    float n = 0.0f, mean = 0.0f, m2 = 0.0f;
    for (int chunk = LANE; c < a.c && chunk < a.n_chunks; chunk += GPU_LANES) {
        const int left = a.n_pixels - chunk * a.chunk_pixels;
        const gpu_u64 from = at_pixel(a.parts_at, chunk, 2 * a.c, c);
        merge_moments(&n, &mean, &m2, (float)(left < a.chunk_pixels ? left : a.chunk_pixels),
                      scratch[from], scratch[from + (gpu_u64)a.c]);
    }
    counts[ITEM] = n;
    means[ITEM] = mean;
    squares[ITEM] = m2;
    BARRIER();
    if (LANE > 0 || c >= a.c)
        return;
    for (int i = ITEM + GPU_LANES; i < GPU_ITEMS; i += GPU_LANES)
        merge_moments(&n, &mean, &m2, counts[i], means[i], squares[i]);
    FLOATS(block)[a.saved_at + (gpu_u64)c] = mean;
    FLOATS(block)[a.saved_at + (gpu_u64)(a.c + c)] = 1.0f / SQRT(m2 / n + a.eps);
    global float *running = values + a.mean_at + (gpu_u64)c, *var = values + a.var_at + (gpu_u64)c;
    *running = FMA(a.momentum, mean - *running, *running);
    *var = FMA(a.momentum, m2 / (n > 1.0f ? n - 1.0f : 1.0f) - *var, *var);
}

/* A channel's constants. */
typedef struct norm_of {
    float mean, inverse, scale, bias;
} norm_of;

INLINE void norm_load(norm_of *k, global const element *block, global const float *values,
                      const gpu_norm_args *a, int c)
{
    global const float *saved = (global const float *)block + a->saved_at;
    k->mean = saved[c];
    k->inverse = saved[a->c + c];
    k->scale = values[a->weight_at + (gpu_u64)c] * k->inverse;
    k->bias = values[a->bias_at + (gpu_u64)c];
}

/* y = act((z - mean) / std * weight + bias) [+ residual]. Grid: pixels, channels. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_norm)(TRAIN_BUFFERS, const gpu_norm_args a)
{
    const int c = CHANNEL;
    if (c >= a.c)
        return;
    norm_of k;
    norm_load(&k, block, values, &a, c);
    EACH_PIXEL (p, a.n_pixels) {
        float y = FMA(get(block, at_pixel(a.z_at, p, a.z_pitch, c)) - k.mean, k.scale, k.bias);
        if (a.silu)
            y = silu_of(y);
        if (a.has_add)
            y += get(block, at_pixel(a.other_at, p, a.other_pitch, c));
        put(block, at_pixel(a.y_at, p, a.y_pitch, c), y);
    }
}

/* The gradient before the activation: d silu / dy = s (1 + y (1 - s)). */
INLINE float gate_of(const norm_of *k, float centred, float dy, int silu)
{
    const float y = FMA(centred, k->scale, k->bias);
    if (!silu)
        return dy;
    const float s = sigmoid_of(y);
    return dy * s * FMA(y, 1.0f - s, 1.0f);
}

/* parts: a chunk's sums of g and of g * (z - mean). Grid: chunks, channels. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_norm_sums)(TRAIN_BUFFERS, const gpu_norm_args a)
{
    local float sums[GPU_ITEMS];
    const int c = CHANNEL;
    float sum = 0.0f, sum_z = 0.0f;
    if (c < a.c) {
        norm_of k;
        norm_load(&k, block, values, &a, c);
        CHUNK_PIXEL (p, a.chunk_pixels, a.n_pixels) {
            const float centred = get(block, at_pixel(a.z_at, p, a.z_pitch, c)) - k.mean;
            const float g =
                gate_of(&k, centred, get(block, at_pixel(a.other_at, p, a.other_pitch, c)), a.silu);
            sum += g;
            sum_z = FMA(g, centred, sum_z);
        }
    }
    sum = sum_of_lanes(sums, sum);
    sum_z = sum_of_lanes(sums, sum_z);
    if (LANE == 0 && c < a.c) {
        const gpu_u64 to = at_pixel(a.parts_at, GROUP_X, 2 * a.c, c);
        scratch[to] = sum;
        scratch[to + (gpu_u64)a.c] = sum_z;
    }
}

/* The gradients of weight and bias, and what they take from every pixel. Grid: 1, channels. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_norm_merge)(TRAIN_BUFFERS, const gpu_norm_args a)
{
    local float sums[GPU_ITEMS];
    const int c = CHANNEL;
    float sum = 0.0f, sum_z = 0.0f;
    for (int chunk = LANE; c < a.c && chunk < a.n_chunks; chunk += GPU_LANES) {
        const gpu_u64 from = at_pixel(a.parts_at, chunk, 2 * a.c, c);
        sum += scratch[from];
        sum_z += scratch[from + (gpu_u64)a.c];
    }
    sum = sum_of_lanes(sums, sum);
    sum_z = sum_of_lanes(sums, sum_z);
    if (LANE > 0 || c >= a.c)
        return;
    norm_of k;
    norm_load(&k, block, values, &a, c);
    const float d_weight = sum_z * k.inverse, n = (float)a.n_pixels;
    if (a.wants_weight)
        grads[a.d_weight_at + (gpu_u64)c] += d_weight;
    if (a.wants_bias)
        grads[a.d_bias_at + (gpu_u64)c] += sum;
    scratch[a.back_at + (gpu_u64)c] = -k.scale * k.inverse * d_weight / n;
    scratch[a.back_at + (gpu_u64)(a.c + c)] = -k.scale * sum / n;
}

/* z becomes its gradient. Grid: pixels, channels. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_norm_back)(TRAIN_BUFFERS, const gpu_norm_args a)
{
    const int c = CHANNEL;
    if (c >= a.c)
        return;
    norm_of k;
    norm_load(&k, block, values, &a, c);
    const float slope = scratch[a.back_at + (gpu_u64)c],
                offset = scratch[a.back_at + (gpu_u64)(a.c + c)];
    EACH_PIXEL (p, a.n_pixels) {
        const gpu_u64 at = at_pixel(a.z_at, p, a.z_pitch, c);
        const float centred = get(block, at) - k.mean;
        const float g =
            gate_of(&k, centred, get(block, at_pixel(a.other_at, p, a.other_pitch, c)), a.silu);
        put(block, at, FMA(k.scale, g, FMA(slope, centred, offset)));
    }
}
