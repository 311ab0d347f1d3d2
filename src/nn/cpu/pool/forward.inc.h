/* forward.inc.h: max pool, nearest upsampling, shuffle, mean, copy and add. All wait for memory
 * rather than arithmetic. */

static size_t maxpool_units(const nn_map *dst)
{
    return (size_t)dst->n * (size_t)dst->h;
}

/* Channels [c, c + n) of one output row. The maximum of a column of k values is found once and
 * serves the k outputs that see it, through a ring of the newest k columns. */
static void maxpool_row(int k, const nn_map *dst, const nn_map *src, int i, int y, int c, int n)
{
    enum { K_MAX = 16 };
    vf ring[K_MAX];
    const int pad = k / 2;
    const int y0 = y - pad < 0 ? 0 : y - pad, y1 = y + pad + 1 > src->h ? src->h : y + pad + 1;
    const vf lowest = vf_set1(-INFINITY);
    for (int j = 0; j < k; j++)
        ring[j] = lowest;
    float *out = nn_map_row(dst, i, y) + c;
    const size_t row = (size_t)src->w * src->pitch;
    const float *in = nn_map_row(src, i, y0) + c;
    for (int x = 0, slot = 0; x < src->w + pad; x++, slot = slot + 1 == k ? 0 : slot + 1) {
        vf column = lowest;
        if (x < src->w) {
            const float *p = in + (size_t)x * src->pitch;
            for (int yy = y0; yy < y1; yy++, p += row)
                column = vf_max(column, vf_load_n(p, n));
        }
        ring[slot] = column;
        if (x < pad)
            continue;
        vf best = ring[0];
        for (int j = 1; j < k; j++)
            best = vf_max(best, ring[j]);
        vf_store_n(out, best, n);
        out += dst->pitch;
    }
}

static void maxpool_run(int k, const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dst->h), y = (int)(unit % (size_t)dst->h);
        for (int c = 0; c < dst->c; c += VF_LANES)
            maxpool_row(k, dst, src, i, y, c, dst->c - c < VF_LANES ? dst->c - c : VF_LANES);
    }
}

static inline void floats_copy(float *dst, const float *src, int n)
{
    int c = 0;
    for (; c + VF_LANES <= n; c += VF_LANES)
        vf_store(dst + c, vf_load(src + c));
    if (c < n)
        vf_store_n(dst + c, vf_load_n(src + c, n - c), n - c);
}

static void upsample_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dst->h), y = (int)(unit % (size_t)dst->h);
        float *out = nn_map_row(dst, i, y);
        const float *in = nn_map_row(src, i, y / 2);
        for (int x = 0; x < dst->w; x++, out += dst->pitch)
            floats_copy(out, in + (size_t)(x / 2) * src->pitch, dst->c);
    }
}

static void shuffle_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dst->h), y = (int)(unit % (size_t)dst->h);
        float *out = nn_map_row(dst, i, y);
        const float *in = nn_map_row(src, i, y / 2) + (size_t)(y % 2) * 2 * (size_t)dst->c;
        for (int x = 0; x < src->w; x++, in += src->pitch, out += 2 * dst->pitch) {
            floats_copy(out, in, dst->c);
            floats_copy(out + dst->pitch, in + dst->c, dst->c);
        }
    }
}

/* Rows are summed by themselves: sums of sums stay accurate. */
static void mean_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    const size_t blocks = ((size_t)dst->c + 15) / 16;
    const float share = 1.0F / ((float)src->h * (float)src->w);
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / blocks), first = (int)(unit % blocks) * 16;
        const int last = dst->c - first < 16 ? dst->c : first + 16;
        for (int c = first; c < last; c += VF_LANES) {
            const int n = last - c < VF_LANES ? last - c : VF_LANES;
            vf sum = vf_set1(0);
            for (int y = 0; y < src->h; y++) {
                const float *in = nn_map_row(src, i, y) + c;
                vf row = vf_load_n(in, n);
                for (int x = 1; x < src->w; x++)
                    row = vf_add(row, vf_load_n(in + (size_t)x * src->pitch, n));
                sum = vf_add(sum, row);
            }
            vf_store_n(nn_map_row(dst, i, 0) + c, vf_mul(sum, vf_set1(share)), n);
        }
    }
}

static void copy_run(const nn_map *dst, const nn_map *src, size_t begin, size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dst->h), y = (int)(unit % (size_t)dst->h);
        float *out = nn_map_row(dst, i, y);
        const float *in = nn_map_row(src, i, y);
        for (int x = 0; x < dst->w; x++, out += dst->pitch, in += src->pitch)
            floats_copy(out, in, dst->c);
    }
}

static void add_run(const nn_map *dst, const nn_map *a, const nn_map *b, size_t begin, size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dst->h), y = (int)(unit % (size_t)dst->h);
        float *out = nn_map_row(dst, i, y);
        const float *in_a = nn_map_row(a, i, y), *in_b = nn_map_row(b, i, y);
        for (int x = 0; x < dst->w; x++, out += dst->pitch, in_a += a->pitch, in_b += b->pitch) {
            int c = 0;
            for (; c + VF_LANES <= dst->c; c += VF_LANES)
                vf_store(out + c, vf_add(vf_load(in_a + c), vf_load(in_b + c)));
            if (c < dst->c) {
                const int n = dst->c - c;
                vf_store_n(out + c, vf_add(vf_load_n(in_a + c, n), vf_load_n(in_b + c, n)), n);
            }
        }
    }
}
