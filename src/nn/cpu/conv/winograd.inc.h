/* winograd.inc.h: 3x3 convolution by Winograd's minimal filtering.
 *
 * Stride 1, F(4 x 4, 3 x 3): 6 inputs of a row become 6 values, each is multiplied by one of 6
 * transformed weights, and the 6 products become 4 outputs; both ways of the plane so: 36
 * multiplications for 16 outputs instead of 144. Stride 2: the even inputs of a row meet taps 0 and
 * 2, which is a filtering of stride 1, F(2, 2): 3 inputs, 3 products, 2 outputs. The odd inputs
 * meet tap 1 alone and stay as they are. 25 multiplications for 4 outputs instead of 36, with 4 x 4
 * matrices of weights. (F(4, 2) would need 20 instead of 25, but its 36 matrices fall out of L2:
 * slower.)
 *
 * For every place of the 6 x 6 or 5 x 5 the products of all tiles are a matrix product of (tiles x
 * ic) and (ic x oc), which the register tiles of the direct convolution do. Source: A. Lavin, S.
 * Gray, Fast algorithms for convolutional neural networks, CVPR 2016 (arXiv:1509.09308). The points
 * of stride 1 are 0, +-sqrt(1/2), +-sqrt(2), infinity, which round better than 0, +-1, +-2. Results
 * are as near to the truth as those of direct sums, whose chains are nine times as long.
 *
 * A unit is a few tiles of one picture, counted along rows; tiles begin at pixel (0, 0), so an
 * output's value doesn't depend on units. Scratch of a thread: transformed inputs
 * [place][tile][ic], products [place][tile][lanes of a block]. Packed weights: blocks as in
 * conv_block, with the matrices for taps. */

/* Outputs a side of a tile, and places a side. */
#define WINO_M(stride)   ((stride) == 1 ? 4 : 2)
#define WINO_N(stride)   ((stride) == 1 ? 6 : 5)
#define WINO_MOST_M      4
#define WINO_MOST_N      6
#define WINO_LEAST_TILES 6  /* with fewer, the weights are read for too little */
#define WINO_TILES       28 /* of a unit: two register tiles' worth of rows */

#define WINO_R2 1.41421356237309505

/* Weight transform of 3 taps, Lavin's G. Stride 2: the last row is the odd inputs'. */
static const double wino_weights_1[6][3] = {
    {1.0, 0.0, 0.0},
    {-2.0 / 3.0, -WINO_R2 / 3.0, -1.0 / 3.0},
    {-2.0 / 3.0, WINO_R2 / 3.0, -1.0 / 3.0},
    {1.0 / 6.0, WINO_R2 / 6.0, 1.0 / 3.0},
    {1.0 / 6.0, -WINO_R2 / 6.0, 1.0 / 3.0},
    {0.0, 0.0, 1.0},
};
static const double wino_weights_2[4][3] = {
    {1.0, 0.0, 0.0},
    {1.0, 0.0, 1.0},
    {0.0, 0.0, 1.0},
    {0.0, 1.0, 0.0},
};

/* t[0..N) from the inputs d[0], d[step], ... of a row or column; `stride` is a constant at every
 * call. */
ALWAYS_INLINE void wino_input_row(vf *t, const vf *d, const int step, const int stride)
{
    if (stride == 1) {
        const vf r2 = vf_set1(1.41421356F), h2 = vf_set1(0.707106781F), m52 = vf_set1(-2.5F);
        const vf d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
                 d5 = d[5 * step];
        const vf u = vf_fma(d2, vf_set1(-2.0F), d4),
                 v = vf_fma(d3, h2, vf_mul(d1, vf_set1(-1.41421356F)));
        const vf w = vf_fma(d2, vf_set1(-0.5F), d4),
                 z = vf_fma(d3, r2, vf_mul(d1, vf_set1(-0.707106781F)));
        t[0] = vf_add(vf_fma(d2, m52, d0), d4);
        t[1] = vf_add(u, v);
        t[2] = vf_sub(u, v);
        t[3] = vf_add(w, z);
        t[4] = vf_sub(w, z);
        t[5] = vf_add(vf_fma(d3, m52, d1), d5);
    } else {
        const vf d0 = d[0], d2 = d[2 * step], d4 = d[4 * step];
        t[0] = vf_sub(d0, d2);
        t[1] = d2;
        t[2] = vf_sub(d4, d2);
        t[3] = d[step];
        t[4] = d[3 * step];
    }
}

/* o[0..M) from the products m[0..N). */
ALWAYS_INLINE void wino_output_row(vf *o, const vf *m, const int stride)
{
    if (stride == 1) {
        const vf s1 = vf_add(m[1], m[2]), d1 = vf_sub(m[1], m[2]), s2 = vf_add(m[3], m[4]),
                 d2 = vf_sub(m[3], m[4]);
        o[0] = vf_add(vf_add(m[0], s1), s2);
        o[1] = vf_fma(d1, vf_set1(0.707106781F), vf_mul(d2, vf_set1(1.41421356F)));
        o[2] = vf_fma(s1, vf_set1(0.5F), vf_mul(s2, vf_set1(2.0F)));
        o[3] = vf_add(vf_fma(d1, vf_set1(0.353553391F), vf_mul(d2, vf_set1(2.82842712F))), m[5]);
    } else {
        o[0] = vf_add(vf_add(m[0], m[1]), m[3]);
        o[1] = vf_add(vf_add(m[1], m[2]), m[4]);
    }
}

/* The matrices of one input channel for the lanes of a block: first the columns of taps, then the
 * rows, for all lanes side by side. taps: [tap][lane]; out: [at][n_in][lane], n_in apart. */
static void wino_pack_channel(float *out, size_t out_step, const double *taps, size_t lanes,
                              int stride)
{
    const double(*g)[3] = stride == 1 ? wino_weights_1 : wino_weights_2;
    const size_t side = WINO_SIDE(stride);
    double columns[6][3][3 * VF_LANES]; /* G w */
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < 3; x++)
            for (size_t o = 0; o < lanes; o++)
                columns[y][x][o] = g[y][0] * taps[x * lanes + o] +
                                   g[y][1] * taps[(3 + x) * lanes + o] +
                                   g[y][2] * taps[(6 + x) * lanes + o];
    for (size_t at = 0; at < side * side; at++) {
        const double *gx = g[at % side];
        double(*column)[3 * VF_LANES] = columns[at / side];
        for (size_t o = 0; o < lanes; o++)
            out[at * out_step + o] =
                (float)(gx[0] * column[0][o] + gx[1] * column[1][o] + gx[2] * column[2][o]);
    }
}

static void wino_pack(const cpu_conv *c, float *packed, const float *weight, const float *bias)
{
    for (conv_block b = {0}; b.oc + b.n_oc < c->oc;) {
        b = conv_block_next(c, &b);
        const size_t lanes = b.taps - b.begin, ic = (size_t)c->ic;
        double taps[9 * 3 * VF_LANES] = {0}; /* lanes without a channel stay 0 */
        for (size_t o = 0; o < lanes; o++)
            packed[b.begin + o] = o < (size_t)b.n_oc ? bias[(size_t)b.oc + o] : 0.0F;
        for (size_t i = 0; i < ic; i++) {
            for (size_t o = 0; o < (size_t)b.n_oc; o++)
                for (size_t tap = 0; tap < 9; tap++)
                    taps[tap * lanes + o] = (double)weight[(((size_t)b.oc + o) * ic + i) * 9 + tap];
            wino_pack_channel(packed + b.taps + i * lanes, ic * lanes, taps, lanes, c->stride);
        }
    }
}

/* How the tiles of a picture are shared out. */
typedef struct wino_grid {
    size_t across, tiles; /* of one picture */
    conv_cut cut;
} wino_grid;

static wino_grid wino_grid_make(const cpu_conv *c, const nn_map *dst)
{
    const size_t m = WINO_M(c->stride);
    wino_grid g = {.across = ((size_t)dst->w + m - 1) / m};
    g.tiles = g.across * (((size_t)dst->h + m - 1) / m);
    g.cut = conv_cut_make(c, (size_t)dst->n, g.tiles, WINO_TILES, WINO_LEAST_TILES);
    return g;
}

static size_t wino_units(const cpu_conv *c, const nn_map *dst)
{
    return (size_t)dst->n * wino_grid_make(c, dst).cut.n;
}

static size_t wino_scratch_floats(const cpu_conv *c)
{
    const size_t n = WINO_N(c->stride);
    return n * n * WINO_TILES * ((size_t)c->ic + 3 * VF_LANES);
}

/* The patch of one tile: where its corner is, which may lie outside of the map. */
typedef struct wino_patch {
    const float *in;   /* channel of the corner; not to be read where outside */
    size_t pixel, row; /* floats */
    int y, x, h, w;
    int lanes;
    bool inside;
} wino_patch;

ALWAYS_INLINE void wino_input_patch(float *out, size_t place, const wino_patch *p, const int stride,
                                    const bool plain)
{
    static const float zeros[VF_LANES];
    const int n = WINO_N(stride);
    bool is_row[WINO_MOST_N], is_col[WINO_MOST_N]; /* inside */
    vf t[WINO_MOST_N * WINO_MOST_N];
    for (int i = 0; i < n && !plain; i++) {
        is_row[i] = p->y + i >= 0 && p->y + i < p->h;
        is_col[i] = p->x + i >= 0 && p->x + i < p->w;
    }
    UNROLLED
    for (int r = 0; r < n; r++) {
        vf d[WINO_MOST_N];
        UNROLLED
        for (int col = 0; col < n; col++) {
            const float *in =
                p->in + (ptrdiff_t)r * (ptrdiff_t)p->row + (ptrdiff_t)col * (ptrdiff_t)p->pixel;
            if (plain)
                d[col] = vf_load(in);
            else
                d[col] = vf_load_n(is_row[r] && is_col[col] ? in : zeros, p->lanes);
        }
        wino_input_row(t + r * n, d, 1, stride);
    }
    UNROLLED
    for (int col = 0; col < n; col++) {
        vf u[WINO_MOST_N];
        wino_input_row(u, t + col, n, stride);
        UNROLLED
        for (int r = 0; r < n; r++) {
            float *o = out + (size_t)(r * n + col) * place;
            if (plain)
                vf_store(o, u[r]);
            else
                vf_store_n(o, u[r], p->lanes);
        }
    }
}

/* Four bodies: stride by place; one for patches inside with all lanes, one for the others. */
static void wino_input_1(float *out, size_t place, const wino_patch *p)
{
    wino_input_patch(out, place, p, 1, true);
}
static void wino_input_1_edge(float *out, size_t place, const wino_patch *p)
{
    wino_input_patch(out, place, p, 1, false);
}
static void wino_input_2(float *out, size_t place, const wino_patch *p)
{
    wino_input_patch(out, place, p, 2, true);
}
static void wino_input_2_edge(float *out, size_t place, const wino_patch *p)
{
    wino_input_patch(out, place, p, 2, false);
}

static void wino_input(const cpu_conv *c, float *v, const nn_map *src, const wino_grid *g, int i,
                       size_t first, size_t tiles)
{
    const size_t ic = (size_t)c->ic, place = tiles * ic;
    const int n = WINO_N(c->stride), step = WINO_M(c->stride) * c->stride;
    wino_patch p = {
        .pixel = src->pitch, .row = (size_t)src->w * src->pitch, .h = src->h, .w = src->w};
    for (size_t tile = 0; tile < tiles; tile++) {
        p.y = (int)((first + tile) / g->across) * step - 1;
        p.x = (int)((first + tile) % g->across) * step - 1;
        p.inside = p.y >= 0 && p.x >= 0 && p.y + n <= p.h && p.x + n <= p.w;
        p.in = nn_map_row(src, i, 0) + ((ptrdiff_t)p.y * src->w + p.x) * (ptrdiff_t)src->pitch;
        for (int ch = 0; ch < c->ic; ch += VF_LANES, p.in += VF_LANES) {
            p.lanes = c->ic - ch < VF_LANES ? c->ic - ch : VF_LANES;
            float *out = v + tile * ic + ch;
            if (p.inside && p.lanes == VF_LANES)
                (c->stride == 1 ? wino_input_1 : wino_input_2)(out, place, &p);
            else
                (c->stride == 1 ? wino_input_1_edge : wino_input_2_edge)(out, place, &p);
        }
    }
}

/* The outputs of one tile and vector of channels: rows x cols of them, M x M but at the map's
 * edges. Handed on by its address: a copy would be read by whole vectors right after single members
 * were written, for which the processor waits. */
typedef struct wino_outputs {
    float *dst;
    const float *add;
    size_t dst_pixel, dst_row, add_pixel, add_row; /* floats */
    int rows, cols, lanes;
    bool silu;
} wino_outputs;

ALWAYS_INLINE void wino_output_store(vf z, const wino_outputs *to, size_t row, size_t col)
{
    if (to->silu)
        z = vf_silu(z);
    if (to->add)
        z = vf_add(z, vf_load_n(to->add + row * to->add_row + col * to->add_pixel, to->lanes));
    vf_store_n(to->dst + row * to->dst_row + col * to->dst_pixel, z, to->lanes);
}

ALWAYS_INLINE void wino_output_patch(const float *m, size_t place, vf bias, const wino_outputs *to,
                                     const int stride)
{
    const int n = WINO_N(stride), outputs = WINO_M(stride);
    vf t[WINO_MOST_M * WINO_MOST_N];
    UNROLLED
    for (int col = 0; col < n; col++) {
        vf d[WINO_MOST_N], o[WINO_MOST_M];
        UNROLLED
        for (int r = 0; r < n; r++)
            d[r] = vf_load(m + (size_t)(r * n + col) * place);
        wino_output_row(o, d, stride);
        UNROLLED
        for (int r = 0; r < outputs; r++)
            t[r * n + col] = o[r];
    }
    for (int r = 0; r < to->rows; r++) {
        vf o[WINO_MOST_M];
        wino_output_row(o, t + r * n, stride);
        UNROLLED
        for (int col = 0; col < outputs; col++) {
            if (col < to->cols)
                wino_output_store(vf_add(o[col], bias), to, (size_t)r, (size_t)col);
        }
    }
}

static void wino_output_1(const float *m, size_t place, vf bias, const wino_outputs *to)
{
    wino_output_patch(m, place, bias, to, 1);
}

static void wino_output_2(const float *m, size_t place, vf bias, const wino_outputs *to)
{
    wino_output_patch(m, place, bias, to, 2);
}

static void wino_output(const cpu_conv *c, const conv_block *b, const float *bias, const float *m,
                        const nn_map *dst, const nn_map *add, const wino_grid *g, int i,
                        size_t first, size_t tiles)
{
    const size_t block_lanes = b->taps - b->begin, place = tiles * block_lanes;
    const int side = WINO_M(c->stride);
    wino_outputs to = {
        .dst_pixel = dst->pitch, .dst_row = (size_t)dst->w * dst->pitch, .silu = c->silu};
    if (add)
        to.add_pixel = add->pitch, to.add_row = (size_t)add->w * add->pitch;
    for (size_t tile = 0; tile < tiles; tile++) {
        const int y = (int)((first + tile) / g->across) * side,
                  x = (int)((first + tile) % g->across) * side;
        to.rows = dst->h - y < side ? dst->h - y : side;
        to.cols = dst->w - x < side ? dst->w - x : side;
        for (int oc = 0; oc < b->n_oc; oc += VF_LANES) {
            to.lanes = b->n_oc - oc < VF_LANES ? b->n_oc - oc : VF_LANES;
            to.dst = nn_map_row(dst, i, y) + (size_t)x * dst->pitch + b->oc + oc;
            to.add = add ? nn_map_row(add, i, y) + (size_t)x * add->pitch + b->oc + oc : NULL;
            (c->stride == 1 ? wino_output_1 : wino_output_2)(m + tile * block_lanes + oc, place,
                                                             vf_load(bias + oc), &to);
        }
    }
}

/* The products of one block of channels. Stride 2: the last row and column of matrices serve two
 * places each. */
static void wino_products(const cpu_conv *c, const conv_block *b, const float *packed, float *m,
                          const float *v, size_t tiles)
{
    static const float no_bias[3 * VF_LANES];
    const size_t n = WINO_N(c->stride), side = WINO_SIDE(c->stride), ic = (size_t)c->ic,
                 lanes = b->taps - b->begin;
    for (size_t at = 0; at < side * side; at++) {
        const size_t y = at / side, x = at % side;
        const size_t wide = x + 1 == side ? n - x : 1, y_end = y + 1 == side ? n : y + 1;
        for (size_t row = y; row < y_end; row++) {
            const size_t first = (row * n + x) * tiles;
            conv_tile t = {
                .src = v + first * ic,
                .src_step = ic * sizeof(float),
                .bias = no_bias,
                .w = packed + b->taps + at * ic * lanes,
                .n_ky = 1,
                .n_kx = 1,
                .run = ic,
                .dst = m + first * lanes,
                .dst_step = lanes,
                .n_oc = (int)lanes,
            };
            tile_strip(&t, b->v, wide * tiles);
        }
    }
}

static void wino_run(const cpu_conv *c, const float *packed, const nn_map *dst, const nn_map *src,
                     const nn_map *add, float *scratch, size_t begin, size_t end)
{
    const wino_grid g = wino_grid_make(c, dst);
    const size_t n = WINO_N(c->stride);
    float *v = scratch, *m = scratch + n * n * WINO_TILES * (size_t)c->ic;
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / g.cut.n);
        const size_t first = unit % g.cut.n * g.cut.each;
        if (first >= g.tiles)
            continue;
        const size_t tiles = g.tiles - first < g.cut.each ? g.tiles - first : g.cut.each;
        wino_input(c, v, src, &g, i, first, tiles);
        for (conv_block b = {0}; b.oc + b.n_oc < c->oc;) {
            b = conv_block_next(c, &b);
            wino_products(c, &b, packed, m, v, tiles);
            wino_output(c, &b, packed + b.begin, m, dst, add, &g, i, first, tiles);
        }
    }
}
