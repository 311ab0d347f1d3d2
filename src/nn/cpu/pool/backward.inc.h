/* backward.inc.h: backward of upsampling, shuffle, mean and max pooling. */

static void upsample_back_run(const nn_map *dx, const nn_map *dy, bool adds, size_t begin,
                              size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dx->h), y = (int)(unit % (size_t)dx->h);
        float *to = nn_map_row(dx, i, y);
        const float *top = nn_map_row(dy, i, 2 * y), *bottom = nn_map_row(dy, i, 2 * y + 1);
        for (int x = 0; x < dx->w;
             x++, to += dx->pitch, top += 2 * dy->pitch, bottom += 2 * dy->pitch)
            for (int c = 0; c < dx->c; c += VF_LANES) {
                const int n = dx->c - c < VF_LANES ? dx->c - c : VF_LANES;
                vf sum =
                    vf_add(vf_add(vf_load_n(top + c, n), vf_load_n(top + dy->pitch + c, n)),
                           vf_add(vf_load_n(bottom + c, n), vf_load_n(bottom + dy->pitch + c, n)));
                if (adds)
                    sum = vf_add(sum, vf_load_n(to + c, n));
                vf_store_n(to + c, sum, n);
            }
    }
}

/* to = (or +=) from * share. */
ALWAYS_INLINE void pixel_give(float *to, const float *from, int n_channels, vf share, bool adds)
{
    for (int c = 0; c < n_channels; c += VF_LANES) {
        const int n = n_channels - c < VF_LANES ? n_channels - c : VF_LANES;
        vf x = vf_mul(vf_load_n(from + c, n), share);
        if (adds)
            x = vf_add(x, vf_load_n(to + c, n));
        vf_store_n(to + c, x, n);
    }
}

static void shuffle_back_run(const nn_map *dx, const nn_map *dy, bool adds, size_t begin,
                             size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dx->h), y = (int)(unit % (size_t)dx->h);
        float *to = nn_map_row(dx, i, y);
        const float *top = nn_map_row(dy, i, 2 * y), *bottom = nn_map_row(dy, i, 2 * y + 1);
        for (int x = 0; x < dx->w;
             x++, to += dx->pitch, top += 2 * dy->pitch, bottom += 2 * dy->pitch)
            for (int tap = 0; tap < 4; tap++)
                pixel_give(to + tap * dy->c,
                           (tap < 2 ? top : bottom) + (size_t)(tap % 2) * dy->pitch, dy->c,
                           vf_set1(1.0F), adds);
    }
}

static void mean_back_run(const nn_map *dx, const nn_map *dy, bool adds, size_t begin, size_t end)
{
    const vf share = vf_set1(1.0F / ((float)dx->h * (float)dx->w));
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dx->h), y = (int)(unit % (size_t)dx->h);
        float *to = nn_map_row(dx, i, y);
        for (int x = 0; x < dx->w; x++, to += dx->pitch)
            pixel_give(to, nn_map_row(dy, i, 0), dx->c, share, adds);
    }
}

/* Loops over all 16 lanes, also where fewer channels are real: the compiler makes vectors of them.
 */
enum { POOL_LANES = 16 };

ALWAYS_INLINE void pool_load(float *to, const float *from, const bool whole, int n)
{
    if (whole)
        memcpy(to, from, POOL_LANES * sizeof *to);
    else
        memcpy(to, from, (size_t)n * sizeof *to);
}

/* One output pixel: where in its window the maximum is, then dy to that place. */
ALWAYS_INLINE void maxpool_back_pixel(int k, const nn_map *dx, const nn_map *x, const float *dy,
                                      int i, int y, int px, int ch, const bool whole, int n)
{
    float best[POOL_LANES], value[POOL_LANES] = {0};
    int32_t place[POOL_LANES]; /* pixels from the window's first */
    const int pad = k / 2;
    const int y0 = y < pad ? 0 : y - pad, y1 = x->h - y + pad < k ? x->h : y - pad + k;
    const int x0 = px < pad ? 0 : px - pad, x1 = x->w - px + pad < k ? x->w : px - pad + k;
    for (int l = 0; l < POOL_LANES; l++) {
        best[l] = -INFINITY;
        place[l] = 0;
    }
    for (int row = y0; row < y1; row++) {
        const float *from = nn_map_row(x, i, row) + (size_t)x0 * x->pitch + ch;
        for (int col = x0; col < x1; col++, from += x->pitch) {
            pool_load(value, from, whole, n);
            const int32_t here = (row - y0) * x->w + col - x0;
            for (int l = 0; l < POOL_LANES; l++) {
                place[l] = value[l] > best[l] ? here : place[l];
                best[l] = value[l] > best[l] ? value[l] : best[l];
            }
        }
    }
    float *first = nn_map_row(dx, i, y0) + (size_t)x0 * dx->pitch + ch;
    for (int l = 0; l < (whole ? POOL_LANES : n); l++)
        first[(size_t)place[l] * dx->pitch + (size_t)l] += dy[ch + l];
}

static void maxpool_back_run(int k, const nn_map *dx, const nn_map *x, const nn_map *dy, bool adds,
                             size_t begin, size_t end)
{
    const size_t blocks = ((size_t)dx->c + 15) / 16;
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / blocks), ch = (int)(unit % blocks) * 16;
        const int n = dx->c - ch < 16 ? dx->c - ch : 16;
        float *first = nn_map_row(dx, i, 0) + ch;
        for (size_t p = 0; !adds && p < (size_t)dx->h * (size_t)dx->w; p++)
            memset(first + p * dx->pitch, 0, (size_t)n * sizeof *first);
        for (int y = 0; y < dx->h; y++)
            for (int px = 0; px < dx->w; px++) {
                const float *grad = nn_map_row(dy, i, y) + (size_t)px * dy->pitch;
                if (n == POOL_LANES)
                    maxpool_back_pixel(k, dx, x, grad, i, y, px, ch, true, n);
                else
                    maxpool_back_pixel(k, dx, x, grad, i, y, px, ch, false, n);
            }
    }
}
