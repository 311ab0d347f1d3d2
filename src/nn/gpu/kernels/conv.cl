/* conv.cl: convolution as a product of matrices that are never laid out: pixels of the output x
 * (tap, channel) of the input, times (tap, channel) x channels of the output.
 *
 * A group computes a tile of PIXELS x CHANNELS, an item 4 x 4 of it in registers. Both factors go
 * through local memory GPU_DEPTH of the sum at a time; the sum's order is the packed weights': taps
 * from left to right and top to bottom, and within a tap the channels. */

/* Where an item fetches from: its share of a tile's pixels. */
#define MOST_FETCHED 16 /* of 256 pixels, by 256 / GPU_DEPTH items side by side */

INLINE void conv_tile(global float *block, global const float *weights, const gpu_args *a,
                      local float *xs, local float *ws, const int PIXELS, const int CHANNELS)
{
    const int item = ITEM, lane = item % GPU_DEPTH, first = item / GPU_DEPTH;
    const int across = CHANNELS / 4; /* items side by side on the channels */
    const int tx = item % across, ty = item / across;
    const int n_pixels = a->n * a->h * a->w, depth = a->k * a->k * a->sc;
    const int pad = (a->k - 1) / 2;
    const int pixel0 = GROUP_X * PIXELS, channel0 = GROUP_Y * CHANNELS;
    const int row = PIXELS + 1; /* of xs; the odd one spreads the writes over the banks */

    int at[MOST_FETCHED], from_y[MOST_FETCHED], from_x[MOST_FETCHED];
    UNROLL
    for (int j = 0; j < PIXELS / GPU_DEPTH; j++) {
        const int p = pixel0 + first + j * GPU_DEPTH;
        const int picture = p / (a->h * a->w), in_picture = p - picture * (a->h * a->w);
        const int y = in_picture / a->w, x = in_picture - y * a->w;
        from_y[j] = p < n_pixels ? y * a->stride - pad : -a->k - a->sh; /* outside for every tap */
        from_x[j] = x * a->stride - pad;
        at[j] = picture * a->sh * a->sw;
    }

    float sum[4][4];
    UNROLL
    for (int i = 0; i < 4; i++)
    UNROLL
        for (int j = 0; j < 4; j++)
            sum[i][j] = 0.0f;

    for (int d0 = 0; d0 < depth; d0 += GPU_DEPTH) {
        const int d = d0 + lane;
        const int tap = d / a->sc, ch = d - tap * a->sc;
        const int dy = tap / a->k, dx = tap - dy * a->k;
    UNROLL
        for (int j = 0; j < PIXELS / GPU_DEPTH; j++) {
            const int y = from_y[j] + dy, x = from_x[j] + dx;
            float v = 0.0f;
            if (d < depth && y >= 0 && y < a->sh && x >= 0 && x < a->sw)
                v = block[a->src_at + (gpu_u64)(at[j] + y * a->sw + x) * (gpu_u64)a->src_pitch +
                          (gpu_u64)ch];
            xs[lane * row + first + j * GPU_DEPTH] = v;
        }
    UNROLL
        for (int j = 0; j < GPU_DEPTH * CHANNELS / GPU_ITEMS; j++) {
            const int e = item + j * GPU_ITEMS, up = e / CHANNELS, o = e - up * CHANNELS;
            ws[e] = weights[a->weights_at +
                            (gpu_u64)(d0 + up) * (gpu_u64)a->oc_packed + (gpu_u64)(channel0 + o)];
        }
        BARRIER();
    UNROLL
        for (int u = 0; u < GPU_DEPTH; u++) {
            float x[4], w[4];
    UNROLL
            for (int i = 0; i < 4; i++)
                x[i] = xs[u * row + ty * 4 + i];
    UNROLL
            for (int j = 0; j < 4; j++)
                w[j] = ws[u * CHANNELS + tx + j * across];
    UNROLL
            for (int i = 0; i < 4; i++)
    UNROLL
                for (int j = 0; j < 4; j++)
                    sum[i][j] = FMA(x[i], w[j], sum[i][j]);
        }
        BARRIER();
    }

    UNROLL
    for (int i = 0; i < 4; i++) {
        const int p = pixel0 + ty * 4 + i;
    UNROLL
        for (int j = 0; j < 4; j++) {
            const int o = channel0 + tx + j * across;
            if (p < n_pixels && o < a->c) {
                float z = sum[i][j] + weights[a->bias_at + (gpu_u64)o];
                if (a->silu)
                    z = silu_of(z);
                if (a->has_add)
                    z += block[a->add_at + (gpu_u64)p * (gpu_u64)a->add_pitch + (gpu_u64)o];
                block[a->dst_at + (gpu_u64)p * (gpu_u64)a->dst_pitch + (gpu_u64)o] = z;
            }
        }
    }
}

#define CONV(NAME, PIXELS, CHANNELS)                                                               \
    GROUP_OF(GPU_ITEMS)                                                                            \
    kernel void NAME(global float *block, global const float *weights, const gpu_args a)           \
    {                                                                                              \
        local float xs[GPU_DEPTH * (PIXELS + 1)], ws[GPU_DEPTH * CHANNELS];                        \
        conv_tile(block, weights, &a, xs, ws, PIXELS, CHANNELS);                                   \
    }
CONV(conv_64x64, 64, 64)
CONV(conv_128x32, 128, 32)
CONV(conv_256x16, 256, 16)

/* Each channel by itself: an item is an element of the output. */
GROUP_OF(GPU_ITEMS)
kernel void conv_depthwise(global float *block, global const float *weights, const gpu_args a)
{
    const gpu_u64 e = (gpu_u64)GROUP_X * GPU_ITEMS + (gpu_u64)ITEM;
    const gpu_u64 p = e / (gpu_u64)a.c;
    if (p >= (gpu_u64)a.n * (gpu_u64)a.h * (gpu_u64)a.w)
        return;
    const int o = (int)(e - p * (gpu_u64)a.c);
    const int x = (int)(p % (gpu_u64)a.w), y = (int)(p / (gpu_u64)a.w % (gpu_u64)a.h);
    const gpu_u64 picture = p / ((gpu_u64)a.w * (gpu_u64)a.h) * (gpu_u64)(a.sh * a.sw);
    const int from_y = y * a.stride - (a.k - 1) / 2, from_x = x * a.stride - (a.k - 1) / 2;
    float z = 0.0f;
    for (int dy = 0; dy < a.k; dy++)
        for (int dx = 0; dx < a.k; dx++) {
            const int sy = from_y + dy, sx = from_x + dx;
            if (sy >= 0 && sy < a.sh && sx >= 0 && sx < a.sw)
                z = FMA(block[a.src_at +
                              (picture + (gpu_u64)(sy * a.sw + sx)) * (gpu_u64)a.src_pitch +
                              (gpu_u64)o],
                        weights[a.weights_at + (gpu_u64)((dy * a.k + dx) * a.c + o)], z);
        }
    z += weights[a.bias_at + (gpu_u64)o];
    if (a.silu)
        z = silu_of(z);
    if (a.has_add)
        z += block[a.add_at + p * (gpu_u64)a.add_pitch + (gpu_u64)o];
    block[a.dst_at + p * (gpu_u64)a.dst_pitch + (gpu_u64)o] = z;
}
