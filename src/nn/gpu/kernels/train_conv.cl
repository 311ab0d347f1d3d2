/* train_conv.cl: a convolution forward, and its input's gradient, which is one too: the product of
 * conv.cl, with maps and grids that need not be each other's.
 *
 * Weights change with every step, so they are laid out as a matrix every time (train_pack): rows
 * (tap, channel of the source) in the order of the sum, columns the channels of the destination. A
 * group computes a tile of PIXELS x CHANNELS, an item ROWS x 4 of it in registers. */

GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_pack)(TRAIN_BUFFERS, const gpu_pack_args a)
{
    const int e = GROUP_X * GPU_ITEMS + ITEM;
    if (e >= a.th * a.tw * a.sc * a.c)
        return;
    const int row = e / a.c, c = e - row * a.c;
    const int tap = row / a.sc, sc = row - tap * a.sc;
    const int ty = tap / a.tw, tx = tap - ty * a.tw;
    const int in_window = (a.tap_y + a.tap_step * ty) * a.k + a.tap_x + a.tap_step * tx;
    int from = c * a.c_stride + sc * a.sc_stride + in_window;
    if (a.c_each > 0) {
        const int i = a.is_turned ? c : sc, o = a.is_turned ? sc : c;
        from = (i * a.c_each + o % a.c_each) * 4 + o / a.c_each;
    }
    scratch[a.packed_at + (gpu_u64)e] = values[a.weight_at + (gpu_u64)from];
}

/* What a convolution's result becomes. */
INLINE void train_conv_store(global element *block, global const float *values,
                             const gpu_train_conv_args *a, int picture, int y, int x, int c,
                             float sum)
{
    const int p = picture * a->h * a->w + y * a->w + x; /* a residual is of the grid's shape */
    const gpu_u64 to = at_pixel(a->dst_at,
                                (picture * a->dh + y * a->out_step + a->out_y) * a->dw +
                                    x * a->out_step + a->out_x,
                                a->dst_pitch, c);
    if (a->has_bias)
        sum += values[a->bias_at + (gpu_u64)(c % a->bias_c)];
    if (a->has_add)
        sum += get(block, at_pixel(a->add_at, p, a->add_pitch, c));
    if (a->is_more)
        sum += get_of(block, to, a->is_float_dst);
    put_of(block, to, sum, a->is_float_dst);
}

INLINE void train_conv_tile(global element *block, global const float *values,
                            global const float *scratch, const gpu_train_conv_args *a,
                            local float *xs, local float *ws, const int PIXELS, const int CHANNELS,
                            const int ROWS)
{
    const int item = ITEM, lane = item % GPU_DEPTH, first = item / GPU_DEPTH;
    const int across = CHANNELS / 4; /* items side by side on the channels */
    const int tx = item % across, ty = item / across;
    const int n_pixels = a->n * a->h * a->w, depth = a->th * a->tw * a->sc;
    const int pixel0 = GROUP_X * PIXELS, channel0 = GROUP_Y * CHANNELS;
    const int row = PIXELS + 1; /* of xs; the odd one spreads the writes over the banks */

    int at[16], from_y[16], from_x[16]; /* of 256 pixels, by 256 / GPU_DEPTH items side by side */
    WRITE_OUT
    for (int j = 0; j < PIXELS / GPU_DEPTH; j++) {
        const int p = pixel0 + first + j * GPU_DEPTH;
        const int picture = p / (a->h * a->w), in_picture = p - picture * (a->h * a->w);
        const int y = in_picture / a->w, x = in_picture - y * a->w;
        from_y[j] = p < n_pixels ? y * a->in_step + a->in_y : -a->k - 2 * a->sh; /* outside */
        from_x[j] = x * a->in_step + a->in_x;
        at[j] = picture * a->sh * a->sw;
    }

    float sum[8][4];
    WRITE_OUT
    for (int i = 0; i < ROWS; i++)
    WRITE_OUT
        for (int j = 0; j < 4; j++)
            sum[i][j] = 0.0f;

    int ch = lane, tap_x = 0, tap_y = 0; /* of row d0 + lane */
    for (int d0 = 0; d0 < depth; d0 += GPU_DEPTH) {
        while (ch >= a->sc) {
            ch -= a->sc;
            if (++tap_x == a->tw) {
                tap_x = 0;
                tap_y++;
            }
        }
        const int dy = a->tap_sign * tap_y, dx = a->tap_sign * tap_x;
    WRITE_OUT
        for (int j = 0; j < PIXELS / GPU_DEPTH; j++) {
            const int y = from_y[j] + dy, x = from_x[j] + dx;
            float v = 0.0f;
            if (d0 + lane < depth && y >= 0 && y < a->sh && x >= 0 && x < a->sw)
                v = get_of(block, at_pixel(a->src_at, at[j] + y * a->sw + x, a->src_pitch, ch),
                           a->is_float_src);
            xs[lane * row + first + j * GPU_DEPTH] = v;
        }
        ch += GPU_DEPTH;
    WRITE_OUT
        for (int j = 0; j < GPU_DEPTH * CHANNELS / GPU_ITEMS; j++) {
            const int e = item + j * GPU_ITEMS, up = e / CHANNELS, o = channel0 + e - up * CHANNELS;
            ws[e] = d0 + up < depth && o < a->c
                        ? scratch[at_pixel(a->weights_at, d0 + up, a->c, o)]
                        : 0.0f;
        }
        BARRIER();
    WRITE_OUT
        for (int u = 0; u < GPU_DEPTH; u++) {
            float x[8], w[4];
    WRITE_OUT
            for (int i = 0; i < ROWS; i++)
                x[i] = xs[u * row + ty * ROWS + i];
    WRITE_OUT
            for (int j = 0; j < 4; j++)
                w[j] = ws[u * CHANNELS + tx + j * across];
    WRITE_OUT
            for (int i = 0; i < ROWS; i++)
    WRITE_OUT
                for (int j = 0; j < 4; j++)
                    sum[i][j] = FMA(x[i], w[j], sum[i][j]);
        }
        BARRIER();
    }

    WRITE_OUT
    for (int i = 0; i < ROWS; i++) {
        const int p = pixel0 + ty * ROWS + i;
        const int picture = p / (a->h * a->w), in_picture = p - picture * (a->h * a->w);
        const int y = in_picture / a->w, x = in_picture - y * a->w;
    WRITE_OUT
        for (int j = 0; j < 4; j++) {
            const int o = channel0 + tx + j * across;
            if (p < n_pixels && o < a->c)
                train_conv_store(block, values, a, picture, y, x, o, sum[i][j]);
        }
    }
}

#define TRAIN_CONV(NAME, PIXELS, CHANNELS, ROWS)                                                   \
    GROUP_OF(GPU_ITEMS)                                                                            \
    kernel void NAMED(NAME)(TRAIN_BUFFERS, const gpu_train_conv_args a)                                   \
    {                                                                                              \
        local float xs[GPU_DEPTH * (PIXELS + 1)], ws[GPU_DEPTH * CHANNELS];                        \
        train_conv_tile(block, values, scratch, &a, xs, ws, PIXELS, CHANNELS, ROWS);               \
    }
TRAIN_CONV(train_conv_128x64, 128, 64, 8)
TRAIN_CONV(train_conv_64x64, 64, 64, 4)
TRAIN_CONV(train_conv_128x32, 128, 32, 4)
TRAIN_CONV(train_conv_256x16, 256, 16, 4)

/* Each channel by itself. Grid: pixels, channels. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_conv_depthwise)(TRAIN_BUFFERS, const gpu_train_conv_args a)
{
    const int c = CHANNEL;
    if (c < a.c)
        EACH_PIXEL (p, a.n * a.h * a.w) {
            const int picture = p / (a.h * a.w), in_picture = p - picture * (a.h * a.w);
            const int y = in_picture / a.w, x = in_picture - y * a.w;
            float sum = 0.0f;
            for (int ty = 0; ty < a.th; ty++)
                for (int tx = 0; tx < a.tw; tx++) {
                    const int sy = y * a.in_step + a.in_y + a.tap_sign * ty,
                              sx = x * a.in_step + a.in_x + a.tap_sign * tx;
                    const int tap =
                        (a.tap_y + a.tap_step * ty) * a.k + a.tap_x + a.tap_step * tx;
                    if (sy >= 0 && sy < a.sh && sx >= 0 && sx < a.sw)
                        sum = FMA(get_of(block,
                                         at_pixel(a.src_at, (picture * a.sh + sy) * a.sw + sx,
                                                  a.src_pitch, c),
                                         a.is_float_src),
                                  values[a.weights_at + (gpu_u64)(c * a.k * a.k + tap)], sum);
                }
            train_conv_store(block, values, &a, picture, y, x, c, sum);
        }
}
