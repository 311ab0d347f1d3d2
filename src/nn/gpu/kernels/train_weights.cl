/* train_weights.cl: the gradients of weights and biases: sums over all pixels, taken in parts by
 * groups (slots of pixels), which train_sums_add then adds in order. */

/* A product of matrices again: (channel of dz) x (tap, channel of x), summed over a slot's pixels,
 * GPU_DEPTH at a time. A group computes a tile of CHANNELS x 64, an item CHANNELS / 16 x 4 of it.
 * Grid: (tap, channel of x), channels of dz, slots. */
INLINE void train_weights_tile(global const element *block, global float *scratch,
                               const gpu_weights_args *a, local float *zs, local float *xs,
                               const int CHANNELS)
{
    const int item = ITEM, tx = item % 16, ty = item / 16;
    const int n_pixels = a->n * a->h * a->w, depth = a->k * a->k * a->sc;
    const int d0 = GROUP_X * 64, channel0 = GROUP_Y * CHANNELS, pad = (a->k - 1) / 2;
    const int begin = GROUP_Z * a->slot_pixels;
    const int end = begin + a->slot_pixels < n_pixels ? begin + a->slot_pixels : n_pixels;

    /* What this item fetches of x: always the same tap and channel, of every fourth pixel. */
    const int d = d0 + item % 64, tap = d / a->sc, ch = d - tap * a->sc;
    const int tap_y = tap / a->k - pad, tap_x = tap % a->k - pad;
    int px[4], py[4], picture[4];
    WRITE_OUT
    for (int j = 0; j < 4; j++) {
        const int p = begin + item / 64 + 4 * j;
        picture[j] = p / (a->h * a->w);
        py[j] = (p - picture[j] * a->h * a->w) / a->w;
        px[j] = p - (picture[j] * a->h + py[j]) * a->w;
    }

    float sum[4][4];
    WRITE_OUT
    for (int i = 0; i < CHANNELS / 16; i++)
    WRITE_OUT
        for (int j = 0; j < 4; j++)
            sum[i][j] = 0.0f;

    for (int p0 = begin; p0 < end; p0 += GPU_DEPTH) {
    WRITE_OUT
        for (int j = 0; j < GPU_DEPTH * CHANNELS / GPU_ITEMS; j++) {
            const int e = item + j * GPU_ITEMS, u = e / CHANNELS, o = channel0 + e - u * CHANNELS;
            zs[e] = p0 + u < end && o < a->c
                        ? get_of(block, at_pixel(a->dz_at, p0 + u, a->dz_pitch, o), a->is_float_dz)
                        : 0.0f;
        }
    WRITE_OUT
        for (int j = 0; j < 4; j++) {
            const int u = item / 64 + 4 * j;
            const int y = py[j] * a->stride + tap_y, x = px[j] * a->stride + tap_x;
            float v = 0.0f;
            if (p0 + u < end && d < depth && y >= 0 && y < a->sh && x >= 0 && x < a->sw)
                v = get_of(block,
                           at_pixel(a->x_at, (picture[j] * a->sh + y) * a->sw + x, a->x_pitch, ch),
                           a->is_float_x);
            xs[u * 64 + item % 64] = v;
            px[j] += GPU_DEPTH; /* where it is next */
            while (px[j] >= a->w) {
                px[j] -= a->w;
                if (++py[j] == a->h) {
                    py[j] = 0;
                    picture[j]++;
                }
            }
        }
        BARRIER();
    WRITE_OUT
        for (int u = 0; u < GPU_DEPTH; u++) {
            float z[4], x[4];
    WRITE_OUT
            for (int i = 0; i < CHANNELS / 16; i++)
                z[i] = zs[u * CHANNELS + ty + 16 * i];
    WRITE_OUT
            for (int j = 0; j < 4; j++)
                x[j] = xs[u * 64 + tx + 16 * j];
    WRITE_OUT
            for (int i = 0; i < CHANNELS / 16; i++)
    WRITE_OUT
                for (int j = 0; j < 4; j++)
                    sum[i][j] = FMA(z[i], x[j], sum[i][j]);
        }
        BARRIER();
    }

    WRITE_OUT
    for (int i = 0; i < CHANNELS / 16; i++)
    WRITE_OUT
        for (int j = 0; j < 4; j++) {
            const int o = channel0 + ty + 16 * i, to = d0 + tx + 16 * j;
            if (o < a->c && to < depth)
                scratch[a->parts_at + ((gpu_u64)GROUP_Z * (gpu_u64)a->c + (gpu_u64)o) *
                                          (gpu_u64)depth +
                        (gpu_u64)to] = sum[i][j];
        }
}

#define TRAIN_WEIGHTS(NAME, CHANNELS)                                                              \
    GROUP_OF(GPU_ITEMS)                                                                            \
    kernel void NAMED(NAME)(TRAIN_BUFFERS, const gpu_weights_args a)                                      \
    {                                                                                              \
        local float zs[GPU_DEPTH * CHANNELS], xs[GPU_DEPTH * 64];                                  \
        train_weights_tile(block, scratch, &a, zs, xs, CHANNELS);                                  \
    }
TRAIN_WEIGHTS(train_weights_64, 64)
TRAIN_WEIGHTS(train_weights_32, 32)
TRAIN_WEIGHTS(train_weights_16, 16)

/* Depthwise: parts (slots, c, taps). Grid: slots, channels, taps. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_weights_depthwise)(TRAIN_BUFFERS, const gpu_weights_args a)
{
    local float sums[GPU_ITEMS];
    const int c = CHANNEL, tap = GROUP_Z, pad = (a.k - 1) / 2;
    const int tap_y = tap / a.k - pad, tap_x = tap % a.k - pad;
    float sum = 0.0f;
    if (c < a.c)
        CHUNK_PIXEL (p, a.slot_pixels, a.n * a.h * a.w) {
            const int picture = p / (a.h * a.w), in_picture = p - picture * (a.h * a.w);
            const int row = in_picture / a.w;
            const int y = row * a.stride + tap_y, x = (in_picture - row * a.w) * a.stride + tap_x;
            if (y >= 0 && y < a.sh && x >= 0 && x < a.sw)
                sum = FMA(get_of(block, at_pixel(a.dz_at, p, a.dz_pitch, c), a.is_float_dz),
                          get_of(block,
                                 at_pixel(a.x_at, (picture * a.sh + y) * a.sw + x, a.x_pitch, c),
                                 a.is_float_x),
                          sum);
        }
    sum = sum_of_lanes(sums, sum);
    if (LANE == 0 && c < a.c)
        scratch[a.parts_at + ((gpu_u64)GROUP_X * (gpu_u64)a.c + (gpu_u64)c) *
                                 (gpu_u64)(a.k * a.k) +
                (gpu_u64)tap] = sum;
}

/* A bias: parts (slots, c). Grid: slots, channels. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_bias_sums)(TRAIN_BUFFERS, const gpu_weights_args a)
{
    local float sums[GPU_ITEMS];
    const int c = CHANNEL;
    float sum = 0.0f;
    if (c < a.c)
        CHUNK_PIXEL (p, a.slot_pixels, a.n * a.h * a.w)
            sum += get_of(block, at_pixel(a.dz_at, p, a.dz_pitch, c), a.is_float_dz);
    sum = sum_of_lanes(sums, sum);
    if (LANE == 0 && c < a.c)
        scratch[at_pixel(a.parts_at, GROUP_X, a.c, c)] = sum;
}

/* Every lane adds its share of the parts in order, then the lanes are added in order. Grid:
 * elements of a part. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_sums_add)(TRAIN_BUFFERS, const gpu_sums_args a)
{
    local float sums[GPU_ITEMS];
    const int e = GROUP_X * GPU_LANES + ITEM % GPU_LANES;
    float sum = 0.0f;
    for (int i = LANE; e < a.n && i < a.n_parts; i += GPU_LANES)
        sum += scratch[a.parts_at + (gpu_u64)i * (gpu_u64)a.n + (gpu_u64)e];
    sum = sum_of_lanes(sums, sum);
    if (LANE > 0 || e >= a.n)
        return;
    const int depth = a.taps * a.sc, o = e / depth, d = e - o * depth;
    const int tap = d / a.sc, ch = d - tap * a.sc;
    const int to = a.c_each > 0 ? (ch * a.c_each + o % a.c_each) * 4 + o / a.c_each
                                : (o * a.sc + ch) * a.taps + tap;
    grads[a.d_at + (gpu_u64)to] += sum;
}
