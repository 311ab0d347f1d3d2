/* train_maps.cl: training's passes over maps that have no weights. */

GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_fill)(global element *block, const gpu_fill_args a)
{
    const int c = CHANNEL;
    if (c < a.c)
        EACH_PIXEL (p, a.n_pixels)
            put(block, at_pixel(a.dst_at, p, a.dst_pitch, c), a.value);
}

/* dx = dy, or dx += dy. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_give)(TRAIN_BUFFERS, const gpu_train_map_args a)
{
    const int c = CHANNEL;
    if (c < a.c)
        EACH_PIXEL (p, a.n * a.h * a.w) {
            const gpu_u64 to = at_pixel(a.dx_at, p, a.dx_pitch, c);
            const float g = get(block, at_pixel(a.dy_at, p, a.dy_pitch, c));
            put(block, to, a.is_more ? get(block, to) + g : g);
        }
}

/* dx = or += the four dy of each pixel. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_upsample_back)(TRAIN_BUFFERS, const gpu_train_map_args a)
{
    const int c = CHANNEL;
    if (c < a.c)
        EACH_PIXEL (p, a.n * a.h * a.w) {
            const int row = p / a.w, x = p - row * a.w; /* row of all pictures: dy has two */
            const int top = row * 2 * (2 * a.w) + 2 * x, bottom = top + 2 * a.w;
            const float g = (get(block, at_pixel(a.dy_at, top, a.dy_pitch, c)) +
                             get(block, at_pixel(a.dy_at, top + 1, a.dy_pitch, c))) +
                            (get(block, at_pixel(a.dy_at, bottom, a.dy_pitch, c)) +
                             get(block, at_pixel(a.dy_at, bottom + 1, a.dy_pitch, c)));
            const gpu_u64 to = at_pixel(a.dx_at, p, a.dx_pitch, c);
            put(block, to, a.is_more ? get(block, to) + g : g);
        }
}

/* Pixels to channels: dy has a quarter of them. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_shuffle_back)(TRAIN_BUFFERS, const gpu_train_map_args a)
{
    const int c = CHANNEL, each = a.c / 4, tap = c / each;
    if (c < a.c)
        EACH_PIXEL (p, a.n * a.h * a.w) {
            const int row = p / a.w, x = p - row * a.w; /* row of all pictures: dy has two */
            const int from = (row * 2 + tap / 2) * (2 * a.w) + 2 * x + tap % 2;
            const gpu_u64 to = at_pixel(a.dx_at, p, a.dx_pitch, c);
            const float g = get(block, at_pixel(a.dy_at, from, a.dy_pitch, c - tap * each));
            put(block, to, a.is_more ? get(block, to) + g : g);
        }
}

/* Every pixel of a picture has its share of dy's one. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_mean_back)(TRAIN_BUFFERS, const gpu_train_map_args a)
{
    const int c = CHANNEL, pixels = a.h * a.w;
    if (c < a.c)
        EACH_PIXEL (p, a.n * pixels) {
            const gpu_u64 to = at_pixel(a.dx_at, p, a.dx_pitch, c);
            const float g =
                get(block, at_pixel(a.dy_at, p / pixels, a.dy_pitch, c)) / (float)pixels;
            put(block, to, a.is_more ? get(block, to) + g : g);
        }
}

/* Each window's first largest, in row-major order: dy goes there. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_maxpool_winners)(TRAIN_BUFFERS, const gpu_train_map_args a)
{
    const int c = CHANNEL, r = a.k / 2;
    if (c < a.c)
        EACH_PIXEL (p, a.n * a.h * a.w) {
            const int row = p / a.w, x = p - row * a.w, y = row % a.h;
            int winner = -1;
            float best = -INFINITY;
            for (int dy = -r; dy <= r; dy++)
                for (int dx = -r; dx <= r; dx++)
                    if (y + dy >= 0 && y + dy < a.h && x + dx >= 0 && x + dx < a.w) {
                        const float v =
                            get(block, at_pixel(a.x_at, p + dy * a.w + dx, a.x_pitch, c));
                        if (winner < 0 || v > best) {
                            best = v;
                            winner = (dy + r) * a.k + dx + r;
                        }
                    }
            scratch[at_pixel(a.winners_at, p, a.c, c)] = (float)winner;
        }
}

/* A pixel gathers from the windows that it won, in their order: nothing is scattered. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(train_maxpool_back)(TRAIN_BUFFERS, const gpu_train_map_args a)
{
    const int c = CHANNEL, r = a.k / 2;
    if (c < a.c)
        EACH_PIXEL (p, a.n * a.h * a.w) {
            const int row = p / a.w, x = p - row * a.w, y = row % a.h;
            const gpu_u64 to = at_pixel(a.dx_at, p, a.dx_pitch, c);
            float sum = a.is_more ? get(block, to) : 0.0f;
            for (int dy = -r; dy <= r; dy++)
                for (int dx = -r; dx <= r; dx++)
                    if (y + dy >= 0 && y + dy < a.h && x + dx >= 0 && x + dx < a.w) {
                        const int window = p + dy * a.w + dx, tap = (r - dy) * a.k + r - dx;
                        if (scratch[at_pixel(a.winners_at, window, a.c, c)] == (float)tap)
                            sum += get(block, at_pixel(a.dy_at, window, a.dy_pitch, c));
                    }
            put(block, to, sum);
        }
}
