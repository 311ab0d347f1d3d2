/* kernels_winograd.inc.h: 3x3 convolution with stride 1 by Winograd's minimal filtering, F(4 x 4, 3 x 3).
 *
 * A tile of 4 x 4 outputs is the transform of 6 x 6 products, each a sum over input channels, so that 9 multiplications
 * per output and channel become 2.25. For every one of the 36 places (called xi) the products of all tiles are a matrix
 * product of (tiles x ic) and (ic x oc), which the register tiles of the direct convolution do.
 * Source: A. Lavin, S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016 (arXiv:1509.09308); the
 * points are 0, +-sqrt(1/2), +-sqrt(2), infinity, whose rounding errors are smaller than those of 0, +-1, +-2.
 *
 * A unit is WINO_TILES tiles of one picture, counted along rows; tiles begin at pixel (0, 0), so an output's value
 * doesn't depend on units. Scratch of a thread: transformed inputs [xi][tile][ic], products [xi][tile][lanes of a block].
 * Packed weights: blocks as in conv_block, "taps" being the 36 places. Results are as near to the
 * truth as those of the direct sums, whose chains are nine times as long. */

#define WINO_TILES 28 /* of a unit: two register tiles' worth of rows */

/* ---- the transforms of a row, Lavin's B, G and A ---- */

static const double wino_g[WINO_N][3] = {
    { 1.0, 0.0, 0.0 },
    { -2.0 / 3.0, -1.41421356237309505 / 3.0, -1.0 / 3.0 },
    { -2.0 / 3.0, 1.41421356237309505 / 3.0, -1.0 / 3.0 },
    { 1.0 / 6.0, 1.41421356237309505 / 6.0, 1.0 / 3.0 },
    { 1.0 / 6.0, -1.41421356237309505 / 6.0, 1.0 / 3.0 },
    { 0.0, 0.0, 1.0 },
};

ALWAYS_INLINE void wino_input_row(vf *t, vf d0, vf d1, vf d2, vf d3, vf d4, vf d5)
{
    const vf r2 = vf_set1(1.41421356F), h2 = vf_set1(0.707106781F), m52 = vf_set1(-2.5F);
    const vf u = vf_fma(d2, vf_set1(-2.0F), d4), v = vf_fma(d3, h2, vf_mul(d1, vf_set1(-1.41421356F)));
    const vf w = vf_fma(d2, vf_set1(-0.5F), d4), z = vf_fma(d3, r2, vf_mul(d1, vf_set1(-0.707106781F)));
    t[0] = vf_add(vf_fma(d2, m52, d0), d4);
    t[1] = vf_add(u, v);
    t[2] = vf_sub(u, v);
    t[3] = vf_add(w, z);
    t[4] = vf_sub(w, z);
    t[5] = vf_add(vf_fma(d3, m52, d1), d5);
}

ALWAYS_INLINE void wino_output_row(vf *o, vf m0, vf m1, vf m2, vf m3, vf m4, vf m5)
{
    const vf s1 = vf_add(m1, m2), d1 = vf_sub(m1, m2), s2 = vf_add(m3, m4), d2 = vf_sub(m3, m4);
    o[0] = vf_add(vf_add(m0, s1), s2);
    o[1] = vf_fma(d1, vf_set1(0.707106781F), vf_mul(d2, vf_set1(1.41421356F)));
    o[2] = vf_fma(s1, vf_set1(0.5F), vf_mul(s2, vf_set1(2.0F)));
    o[3] = vf_add(vf_fma(d1, vf_set1(0.353553391F), vf_mul(d2, vf_set1(2.82842712F))), m5);
}

#define WINO_ROW(f, out, in, step) f(out, in[0], in[step], in[2 * (step)], in[3 * (step)], in[4 * (step)], in[5 * (step)])

static void wino_pack(const cpu_conv *c, float *packed, const float *weight, const float *bias)
{
    for (conv_block b = { 0 }; b.oc + b.n_oc < c->oc;) {
        b = conv_block_next(c, &b);
        for (size_t i = b.begin; i < b.end; i++)
            packed[i] = 0.0F;
        const size_t lanes = b.taps - b.begin;
        for (size_t o = 0; o < (size_t)b.n_oc; o++) {
            packed[b.begin + o] = bias[(size_t)b.oc + o];
            for (size_t i = 0; i < (size_t)c->ic; i++) {
                const float *g = weight + (((size_t)b.oc + o) * (size_t)c->ic + i) * 9;
                for (size_t y = 0; y < WINO_N; y++)
                    for (size_t x = 0; x < WINO_N; x++) {
                        double sum = 0.0;
                        for (size_t ky = 0; ky < 3; ky++)
                            for (size_t kx = 0; kx < 3; kx++)
                                sum += wino_g[y][ky] * wino_g[x][kx] * (double)g[ky * 3 + kx];
                        packed[b.taps + ((y * WINO_N + x) * (size_t)c->ic + i) * lanes + o] = (float)sum;
                    }
            }
        }
    }
}

/* ---- a unit ---- */

typedef struct wino_grid {
    size_t across, tiles, units, unit_tiles; /* of one picture */
} wino_grid;

/* Two units at least, where a picture has tiles enough, so that two threads share even the smallest maps. */
static wino_grid wino_grid_make(const nn_map *dst)
{
    wino_grid g = { .across = ((size_t)dst->w + WINO_M - 1) / WINO_M };
    g.tiles = g.across * (((size_t)dst->h + WINO_M - 1) / WINO_M);
    g.units = (g.tiles + WINO_TILES - 1) / WINO_TILES;
    if (g.units == 1 && g.tiles >= 16)
        g.units = 2;
    g.unit_tiles = g.units > 0 ? (g.tiles + g.units - 1) / g.units : 0;
    return g;
}

static size_t wino_units(const nn_map *dst)
{
    return (size_t)dst->n * wino_grid_make(dst).units;
}

static size_t wino_scratch_floats(const cpu_conv *c)
{
    return (size_t)WINO_PLACES * WINO_TILES * ((size_t)c->ic + 3 * VF_LANES);
}

/* Lanes [0, lanes) of an N x N patch whose corner is pixel (y, x), which may lie outside, go to
 * out[xi * place + 0..]. */
ALWAYS_INLINE void wino_input_patch(float *out, size_t place, const float *in, size_t pixel, size_t row, int y, int x,
                                    int h, int w, int lanes, const bool inside)
{
    vf t[WINO_N * WINO_N];
    UNROLLED
    for (int r = 0; r < WINO_N; r++) {
        vf d[WINO_N];
        UNROLLED
        for (int col = 0; col < WINO_N; col++) {
            const float *p = in + (ptrdiff_t)r * (ptrdiff_t)row + (ptrdiff_t)col * (ptrdiff_t)pixel;
            if (inside)
                d[col] = vf_load(p);
            else
                d[col] = y + r < 0 || y + r >= h || x + col < 0 || x + col >= w ? vf_zero() : vf_load_n(p, lanes);
        }
        WINO_ROW(wino_input_row, t + r * WINO_N, d, 1);
    }
    UNROLLED
    for (int col = 0; col < WINO_N; col++) {
        vf u[WINO_N];
        WINO_ROW(wino_input_row, u, (t + col), WINO_N);
        UNROLLED
        for (int r = 0; r < WINO_N; r++) {
            float *o = out + (size_t)(r * WINO_N + col) * place;
            if (inside || lanes == VF_LANES)
                vf_store(o, u[r]);
            else
                vf_store_n(o, u[r], lanes);
        }
    }
}

static void wino_input(const cpu_conv *c, float *v, const nn_map *src, const wino_grid *g, int i, size_t first,
                       size_t n)
{
    const size_t ic = (size_t)c->ic, row = (size_t)src->w * src->pitch, place = n * ic;
    for (size_t tile = 0; tile < n; tile++) {
        const int y = (int)((first + tile) / g->across) * WINO_M - 1, x = (int)((first + tile) % g->across) * WINO_M - 1;
        const bool inside = y >= 0 && x >= 0 && y + WINO_N <= src->h && x + WINO_N <= src->w;
        const float *in = nn_map_row(src, i, 0) + ((ptrdiff_t)y * src->w + x) * (ptrdiff_t)src->pitch;
        for (int ch = 0; ch < c->ic; ch += VF_LANES) {
            const int lanes = c->ic - ch < VF_LANES ? c->ic - ch : VF_LANES;
            float *out = v + tile * ic + ch;
            if (inside && lanes == VF_LANES)
                wino_input_patch(out, place, in + ch, src->pitch, row, y, x, src->h, src->w, VF_LANES, true);
            else
                wino_input_patch(out, place, in + ch, src->pitch, row, y, x, src->h, src->w, lanes, false);
        }
    }
}

/* Products of one tile and vector of channels become rows x cols outputs (M x M but at the map's edges). */
static void wino_output_patch(const float *m, size_t place, vf bias, bool silu, float *dst, size_t dst_pixel,
                              size_t dst_row, const float *add, size_t add_pixel, size_t add_row, int rows, int cols,
                              int lanes)
{
    vf t[WINO_M * WINO_N];
    UNROLLED
    for (int col = 0; col < WINO_N; col++) {
        vf d[WINO_N], o[WINO_M];
        UNROLLED
        for (int r = 0; r < WINO_N; r++)
            d[r] = vf_load(m + (size_t)(r * WINO_N + col) * place);
        WINO_ROW(wino_output_row, o, d, 1);
        UNROLLED
        for (int r = 0; r < WINO_M; r++)
            t[r * WINO_N + col] = o[r];
    }
    for (int r = 0; r < rows; r++, dst += dst_row) {
        vf o[WINO_M];
        const vf *d = t + r * WINO_N;
        WINO_ROW(wino_output_row, o, d, 1);
        for (int col = 0; col < cols; col++) {
            vf z = vf_add(o[col], bias);
            if (silu)
                z = vf_silu(z);
            if (add)
                z = vf_add(z, vf_load_n(add + (size_t)col * add_pixel, lanes));
            vf_store_n(dst + (size_t)col * dst_pixel, z, lanes);
        }
        if (add)
            add += add_row;
    }
}

static void wino_output(const cpu_conv *c, const conv_block *b, const float *bias, const float *m, const nn_map *dst,
                        const nn_map *add, const wino_grid *g, int i, size_t first, size_t n)
{
    const size_t lanes_of_block = b->taps - b->begin, place = n * lanes_of_block;
    for (size_t tile = 0; tile < n; tile++) {
        const int y = (int)((first + tile) / g->across) * WINO_M, x = (int)((first + tile) % g->across) * WINO_M;
        const int rows = dst->h - y < WINO_M ? dst->h - y : WINO_M, cols = dst->w - x < WINO_M ? dst->w - x : WINO_M;
        for (int oc = 0; oc < b->n_oc; oc += VF_LANES) {
            float *out = nn_map_row(dst, i, y) + (size_t)x * dst->pitch + b->oc + oc;
            const float *plus = add ? nn_map_row(add, i, y) + (size_t)x * add->pitch + b->oc + oc : NULL;
            wino_output_patch(m + tile * lanes_of_block + oc, place, vf_load(bias + oc), c->silu, out, dst->pitch,
                              (size_t)dst->w * dst->pitch, plus, add ? add->pitch : 0,
                              add ? (size_t)add->w * add->pitch : 0, rows, cols,
                              b->n_oc - oc < VF_LANES ? b->n_oc - oc : VF_LANES);
        }
    }
}

static void wino_run(const cpu_conv *c, const float *packed, const nn_map *dst, const nn_map *src, const nn_map *add,
                     float *scratch, size_t begin, size_t end)
{
    static const float no_bias[3 * VF_LANES];
    const wino_grid g = wino_grid_make(dst);
    const size_t ic = (size_t)c->ic;
    float *v = scratch, *m = scratch + (size_t)WINO_PLACES * WINO_TILES * ic;
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / g.units);
        const size_t first = unit % g.units * g.unit_tiles;
        if (first >= g.tiles)
            continue;
        const size_t n = g.tiles - first < g.unit_tiles ? g.tiles - first : g.unit_tiles;
        wino_input(c, v, src, &g, i, first, n);
        for (conv_block b = { 0 }; b.oc + b.n_oc < c->oc;) {
            b = conv_block_next(c, &b);
            const size_t lanes = b.taps - b.begin;
            for (size_t xi = 0; xi < WINO_PLACES; xi++) {
                const conv_tile t = {
                    .src = v + xi * n * ic, .src_step = ic * sizeof(float), .bias = no_bias,
                    .w = packed + b.taps + xi * ic * lanes, .n_ky = 1, .n_kx = 1, .run = ic,
                    .dst = m + xi * n * lanes, .dst_step = lanes, .n_oc = (int)lanes,
                };
                tile_strip(t, b.v, n);
            }
            wino_output(c, &b, packed + b.begin, m, dst, add, &g, i, first, n);
        }
    }
}
