/* plain.inc.h: max pool, upsampling, shuffle and mean both ways, copies and sums, as their
 * definition reads. */

static void maxpool_run(int k, const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int ch = 0; ch < dst->c; ch++) {
                float best = -INFINITY;
                for (int sy = y - k / 2; sy <= y + k / 2; sy++)
                    for (int sx = x - k / 2; sx <= x + k / 2; sx++)
                        if (sy >= 0 && sy < src->h && sx >= 0 && sx < src->w)
                            best = fmaxf(best, pixel_at(src, i, sy, sx)[ch]);
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[ch] = best;
            }
    }
}

static void upsample_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int ch = 0; ch < dst->c; ch++)
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[ch] =
                    pixel_at(src, i, y / 2, x / 2)[ch];
    }
}

static void shuffle_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int ch = 0; ch < dst->c; ch++)
                pixel_at(dst, i, y, x)[ch] =
                    pixel_at(src, i, y / 2, x / 2)[(y % 2 * 2 + x % 2) * dst->c + ch];
    }
}

static void mean_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    const size_t blocks = ((size_t)dst->c + 15) / 16;
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / blocks), first = (int)(unit % blocks) * 16;
        for (int c = first; c < dst->c && c < first + 16; c++) {
            double sum = 0;
            for (int p = 0; p < src->h * src->w; p++)
                sum += pixel_at(src, i, p / src->w, p % src->w)[c];
            pixel_at(dst, i, 0, 0)[c] = (float)(sum / (src->h * src->w));
        }
    }
}

static void copy_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int ch = 0; ch < dst->c; ch++)
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[ch] = pixel_at(src, i, y, x)[ch];
    }
}

static void add_run(const nn_map *dst, const nn_map *a, const nn_map *b, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int ch = 0; ch < dst->c; ch++)
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[ch] =
                    pixel_at(a, i, y, x)[ch] + pixel_at(b, i, y, x)[ch];
    }
}

static void give_run(const nn_map *dst, const nn_map *src, bool adds, size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++) {
        size_t first, last = chunk_end(dst, chunk, &first);
        for (size_t p = first; p < last; p++)
            for (int c = 0; c < dst->c; c++)
                pixel(dst, p)[c] = (adds ? pixel(dst, p)[c] : 0) + (src ? pixel(src, p)[c] : 0);
    }
}

/* ---- backward ---- */

static void upsample_back_run(const nn_map *dx, const nn_map *dy, bool adds, size_t begin,
                              size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dx->h), y = (int)(unit % (size_t)dx->h);
        for (int x = 0; x < dx->w; x++)
            for (int c = 0; c < dx->c; c++) {
                double sum = adds ? pixel_at(dx, i, y, x)[c] : 0;
                for (int t = 0; t < 4; t++)
                    sum += pixel_at(dy, i, 2 * y + t / 2, 2 * x + t % 2)[c];
                pixel_at(dx, i, y, x)[c] = (float)sum;
            }
    }
}

static void shuffle_back_run(const nn_map *dx, const nn_map *dy, bool adds, size_t begin,
                             size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dx->h), y = (int)(unit % (size_t)dx->h);
        for (int x = 0; x < dx->w; x++)
            for (int c = 0; c < dx->c; c++) {
                const int tap = c / dy->c;
                pixel_at(dx, i, y, x)[c] =
                    (adds ? pixel_at(dx, i, y, x)[c] : 0) +
                    pixel_at(dy, i, 2 * y + tap / 2, 2 * x + tap % 2)[c % dy->c];
            }
    }
}

static void mean_back_run(const nn_map *dx, const nn_map *dy, bool adds, size_t begin, size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dx->h), y = (int)(unit % (size_t)dx->h);
        for (int x = 0; x < dx->w; x++)
            for (int c = 0; c < dx->c; c++)
                pixel_at(dx, i, y, x)[c] =
                    (float)((adds ? (double)pixel_at(dx, i, y, x)[c] : 0) +
                            (double)pixel_at(dy, i, 0, 0)[c] / (dx->h * dx->w));
    }
}

/* Where the first maximum of a window is, in row-major order. */
static float *winner(int k, const nn_map *dx, const nn_map *x, int i, int y, int px, int c)
{
    float best = -INFINITY, *at = NULL;
    for (int sy = y - k / 2; sy <= y + k / 2; sy++)
        for (int sx = px - k / 2; sx <= px + k / 2; sx++)
            if (sy >= 0 && sy < x->h && sx >= 0 && sx < x->w &&
                (!at || pixel_at(x, i, sy, sx)[c] > best)) {
                best = pixel_at(x, i, sy, sx)[c];
                at = &pixel_at(dx, i, sy, sx)[c];
            }
    return at;
}

static void maxpool_back_run(int k, const nn_map *dx, const nn_map *x, const nn_map *dy, bool adds,
                             size_t begin, size_t end)
{
    const size_t blocks = ((size_t)dx->c + 15) / 16;
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / blocks), first = (int)(unit % blocks) * 16;
        for (int c = first; c < dx->c && c < first + 16; c++) {
            for (int p = 0; !adds && p < dx->h * dx->w; p++)
                pixel_at(dx, i, p / dx->w, p % dx->w)[c] = 0;
            for (int y = 0; y < dx->h; y++)
                for (int px = 0; px < dx->w; px++)
                    *winner(k, dx, x, i, y, px, c) += pixel_at(dy, i, y, px)[c];
        }
    }
}
