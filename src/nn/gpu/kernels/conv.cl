/* conv.cl: convolution as a product of matrices that are never laid out: pixels of the output x
 * (tap, channel) of the input, times (tap, channel) x channels of the output.
 *
 * A group computes a tile of PIXELS x CHANNELS, an item MINE pixels x 4 channels of it in
 * registers. Both factors go through local memory DEPTH of the sum at a time, in two buffers: while
 * one is multiplied, the next is on its way in registers. The sum's order is the packed weights':
 * taps from left to right and top to bottom, and within a tap the channels, one after another
 * whatever the tile is, so all tiles give the same bits.
 *
 * In local memory a row is one step of the sum: PIXELS or CHANNELS side by side, of which an item
 * reads four at once. Four steps of the sum come for a pixel at once, too, so neighbouring items
 * write to the same column of different rows; to keep those in different banks, a row's columns are
 * turned by COLUMN_OF. */
#define COLUMN_OF(quad, pixel, DEPTH) ((pixel) ^ ((quad) * (128 / (DEPTH))))

/* Where in the sum an item fetches: of which tap, from which channel on. */
typedef struct conv_tap {
    int ch, dy, dx;
} conv_tap;

INLINE void conv_tap_at(conv_tap *t, const gpu_args *a, int d)
{
    const int tap = d / a->sc;
    t->ch = d - tap * a->sc;
    t->dy = tap / a->k;
    t->dx = tap - t->dy * a->k;
}

INLINE void conv_tap_move(conv_tap *t, const gpu_args *a, int by)
{
    t->ch += by;
    while (t->ch >= a->sc) {
        t->ch -= a->sc;
        if (++t->dx == a->k) {
            t->dx = 0;
            t->dy++;
        }
    }
}

/* Where a pixel of the output reads: its window's first row and column, and the picture's first
 * pixel. Past the last pixel it is outside the picture for every tap. */
typedef struct conv_from {
    int y, x, picture;
} conv_from;

INLINE void conv_from_of(conv_from *f, const gpu_args *a, int p)
{
    const int of_picture = a->h * a->w, picture = p / of_picture, in = p - picture * of_picture;
    const int y = in / a->w, pad = (a->k - 1) / 2;
    f->y = picture < a->n ? y * a->stride - pad : -a->k - a->sh;
    f->x = (in - y * a->w) * a->stride - pad;
    f->picture = picture * a->sh * a->sw;
}

INLINE bool conv_is_inside(const gpu_args *a, const conv_from *f, const conv_tap *t)
{
    const int y = f->y + t->dy, x = f->x + t->dx;
    return t->dy < a->k && y >= 0 && y < a->sh && x >= 0 && x < a->sw;
}

INLINE gpu_u64 conv_at(const gpu_args *a, const conv_from *f, const conv_tap *t)
{
    const int pixel = f->picture + (f->y + t->dy) * a->sw + f->x + t->dx;
    return a->src_at + (gpu_u64)pixel * (gpu_u64)a->src_pitch + (gpu_u64)t->ch;
}

/* Steps d..d+3 of the sum; t is at d. */
PIECE float4 conv_fetch(global const element *block, const gpu_args *a, const conv_from *f,
                         const conv_tap *t, int d)
{
    float4 v = (float4)(0.0f);
    if (a->is_wide) {
        if (conv_is_inside(a, f, t))
            v = get4(block, conv_at(a, f, t));
        return v;
    }
    conv_tap each;
    conv_tap_at(&each, a, d);
    v.x = conv_is_inside(a, f, &each) ? get(block, conv_at(a, f, &each)) : 0.0f;
    conv_tap_move(&each, a, 1);
    v.y = conv_is_inside(a, f, &each) ? get(block, conv_at(a, f, &each)) : 0.0f;
    conv_tap_move(&each, a, 1);
    v.z = conv_is_inside(a, f, &each) ? get(block, conv_at(a, f, &each)) : 0.0f;
    conv_tap_move(&each, a, 1);
    v.w = conv_is_inside(a, f, &each) ? get(block, conv_at(a, f, &each)) : 0.0f;
    return v;
}

INLINE float conv_end(const gpu_args *a, float z)
{
    return a->silu ? silu_of(z) : z;
}

/* Four channels from o on of pixel p: bias, SiLU, residual, and where they belong. */
PIECE void conv_store(global element *block, global const float *bias, const gpu_args *a, int p,
                       int o, float4 z)
{
    const gpu_u64 dst = a->dst_at + (gpu_u64)p * (gpu_u64)a->dst_pitch + (gpu_u64)o;
    const gpu_u64 add = a->add_at + (gpu_u64)p * (gpu_u64)a->add_pitch + (gpu_u64)o;
    if (p >= a->n * a->h * a->w || o >= a->c)
        return;
    z += *(global const float4 *)(bias + o); /* there are four, of which the last may be zeros */
    z.x = conv_end(a, z.x);
    z.y = conv_end(a, z.y);
    z.z = conv_end(a, z.z);
    z.w = conv_end(a, z.w);
    if (a->is_wide_dst) {
        if (a->has_add)
            z += get4(block, add);
        if (a->is_float_dst)
            *(global float4 *)((global float *)block + dst) = z;
        else
            put4(block, dst, z);
        return;
    }
    const float each[4] = {z.x, z.y, z.z, z.w};
    UNROLL
    for (int j = 0; j < 4; j++)
        if (o + j < a->c) {
            const float v = each[j] + (a->has_add ? get(block, add + (gpu_u64)j) : 0.0f);
            if (a->is_float_dst)
                ((global float *)block)[dst + (gpu_u64)j] = v;
            else
                put(block, dst + (gpu_u64)j, v);
        }
}

/* A step of four rows into local memory, at column `at` of the first. */
INLINE void conv_keep(local float *xs, int row, float4 v)
{
    xs[0] = v.x;
    xs[row] = v.y;
    xs[2 * row] = v.z;
    xs[3 * row] = v.w;
}

INLINE void conv_sum(float4 *sum, float x, float4 w)
{
    sum->x = FMA(x, w.x, sum->x);
    sum->y = FMA(x, w.y, sum->y);
    sum->z = FMA(x, w.z, sum->z);
    sum->w = FMA(x, w.w, sum->w);
}

/* xs: 2 * DEPTH * PIXELS, ws: 2 * DEPTH * CHANNELS. */
INLINE void conv_tile(global element *block, global const element *weights, const gpu_args *a,
                      local float *xs, local float *ws, const int PIXELS, const int CHANNELS,
                      const int MINE, const int DEPTH)
{
    const int item = ITEM, quads = DEPTH / 4;
    const int across = CHANNELS / 4, tx = item % across, ty = item / across;
    const int pixel0 = GROUP_X * PIXELS, channel0 = GROUP_Y * CHANNELS, depth = a->k * a->k * a->sc;
    /* What an item fetches: a quad of so many pixels, and a quad of the weights. */
    const int quad = item % quads, first = item / quads, apart = GPU_ITEMS / quads;
    const bool fetches_x = first < PIXELS, fetches_w = item < DEPTH * across;
    const int w_row = item / across;
    global const element *w_from = weights + a->weights_at + (gpu_u64)w_row * (gpu_u64)a->oc_packed +
                                   (gpu_u64)(channel0 + item % across * 4);
    /* Two at most, by name: an array of them would lie in memory where loops are kept. */
    conv_from from0, from1;
    conv_from_of(&from0, a, pixel0 + first);
    conv_from_of(&from1, a, pixel0 + first + (PIXELS > apart ? apart : 0));
    conv_tap tap;
    conv_tap_at(&tap, a, quad * 4);
    float4 x0 = (float4)(0.0f), x1 = (float4)(0.0f), w0 = (float4)(0.0f);

    float4 sum[8]; /* a tile of fewer has no others later */
    UNROLL
    for (int i = 0; i < 8; i++)
        sum[i] = (float4)(0.0f);

    int now = 0; /* which of the two buffers is multiplied */
    for (int d0 = -DEPTH; d0 < depth; d0 += DEPTH) {
        const bool is_more = d0 + DEPTH < depth;
        if (is_more) {
            const int d = d0 + DEPTH + quad * 4;
            if (fetches_x)
                x0 = conv_fetch(block, a, &from0, &tap, d);
            if (PIXELS > apart)
                x1 = conv_fetch(block, a, &from1, &tap, d);
            conv_tap_move(&tap, a, DEPTH);
            if (fetches_w)
                w0 = get4(w_from, (gpu_u64)(d0 + DEPTH) * (gpu_u64)a->oc_packed);
        }
        if (d0 >= 0) {
            local const float *xh = xs + now * DEPTH * PIXELS, *wh = ws + now * DEPTH * CHANNELS;
    ROLLED
            for (int q = 0; q < quads; q++) {
                const int column = COLUMN_OF(q, MINE == 2 ? ty * 2 : ty * 4, DEPTH);
    UNROLL
                for (int u = 0; u < 4; u++) {
                    local const float *row = xh + (q * 4 + u) * PIXELS;
                    const float4 w = *(local const float4 *)(wh + (q * 4 + u) * CHANNELS + tx * 4);
                    if (MINE == 2) {
                        const float2 x = *(local const float2 *)(row + column);
                        conv_sum(&sum[0], x.x, w);
                        conv_sum(&sum[1], x.y, w);
                    }
                    if (MINE >= 4) {
                        const float4 x = *(local const float4 *)(row + column);
                        conv_sum(&sum[0], x.x, w);
                        conv_sum(&sum[1], x.y, w);
                        conv_sum(&sum[2], x.z, w);
                        conv_sum(&sum[3], x.w, w);
                    }
                    if (MINE == 8) {
                        const float4 x = *(local const float4 *)(row + PIXELS / 2 + column);
                        conv_sum(&sum[4], x.x, w);
                        conv_sum(&sum[5], x.y, w);
                        conv_sum(&sum[6], x.z, w);
                        conv_sum(&sum[7], x.w, w);
                    }
                }
            }
            now ^= 1;
        }
        if (is_more) {
            local float *xh = xs + (now * DEPTH + quad * 4) * PIXELS;
            if (fetches_x)
                conv_keep(xh + COLUMN_OF(quad, first, DEPTH), PIXELS, x0);
            if (PIXELS > apart)
                conv_keep(xh + COLUMN_OF(quad, first + apart, DEPTH), PIXELS, x1);
            if (fetches_w)
                *(local float4 *)(ws + (now * DEPTH + w_row) * CHANNELS + item % across * 4) = w0;
        }
        BARRIER();
    }

    global const float *bias = (global const float *)weights + a->bias_at;
    UNROLL
    for (int i = 0; i < MINE; i++) {
        const int mine = MINE == 8 ? i / 4 * (PIXELS / 2) + ty * 4 + i % 4 : ty * MINE + i;
        conv_store(block, bias, a, pixel0 + mine, channel0 + tx * 4,
                   sum[i]);
    }
}

#define CONV(NAME, PIXELS, CHANNELS, DEPTH)                                                        \
    GROUP_OF(GPU_ITEMS)                                                                            \
    kernel void NAMED(NAME)(global element *block, global const element *weights,                  \
                            const gpu_args a)                                                      \
    {                                                                                              \
        local float4 xs[2 * DEPTH * PIXELS / 4], ws[2 * DEPTH * CHANNELS / 4];                     \
        conv_tile(block, weights, &a, (local float *)xs, (local float *)ws, PIXELS, CHANNELS,      \
                  PIXELS * CHANNELS / (4 * GPU_ITEMS), DEPTH);                                     \
    }
CONV(conv_128x64, 128, 64, 16)
CONV(conv_64x64, 64, 64, 16)
CONV(conv_32x64, 32, 64, 16)
CONV(conv_128x32, 128, 32, 16)
CONV(conv_64x32, 64, 32, 16)
CONV(conv_256x16, 256, 16, 8)

/* Each channel by itself: an item is a pixel of the output and one channel of it, or four. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(conv_depthwise)(global element *block, global const element *weights,
                                  const gpu_args a)
{
    const int of_item = a.is_wide ? 4 : 1;
    const uint e = (uint)GROUP_X * GPU_ITEMS + (uint)ITEM, across = (uint)(a.c / of_item);
    const int p = (int)(e / across), o = (int)(e - (uint)p * across) * of_item;
    if (p >= a.n * a.h * a.w)
        return;
    conv_from from;
    conv_from_of(&from, &a, p);
    float4 z = (float4)(0.0f);
    conv_tap tap;
    tap.ch = o;
    for (tap.dy = 0; tap.dy < a.k; tap.dy++)
        for (tap.dx = 0; tap.dx < a.k; tap.dx++) {
            const gpu_u64 w = a.weights_at + (gpu_u64)((tap.dy * a.k + tap.dx) * a.c + o);
            if (!conv_is_inside(&a, &from, &tap))
                continue;
            if (a.is_wide) {
                const float4 x = get4(block, conv_at(&a, &from, &tap)), y = get4(weights, w);
                z.x = FMA(x.x, y.x, z.x);
                z.y = FMA(x.y, y.y, z.y);
                z.z = FMA(x.z, y.z, z.z);
                z.w = FMA(x.w, y.w, z.w);
            } else
                z.x = FMA(get(block, conv_at(&a, &from, &tap)), get(weights, w), z.x);
        }
    global const float *bias = (global const float *)weights + a.bias_at;
    if (a.is_wide) {
        conv_store(block, bias, &a, p, o, z);
        return;
    }
    float v = conv_end(&a, z.x + bias[o]);
    if (a.has_add)
        v += get(block, a.add_at + (gpu_u64)p * (gpu_u64)a.add_pitch + (gpu_u64)o);
    put(block, a.dst_at + (gpu_u64)p * (gpu_u64)a.dst_pitch + (gpu_u64)o, v);
}
