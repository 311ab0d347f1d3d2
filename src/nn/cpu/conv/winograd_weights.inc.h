/* winograd_weights.inc.h: the gradient of a 3x3 convolution's weights by Winograd's minimal
 * filtering.
 *
 * Forward is y = A'[(G w) . (B' x)] in each tile (conv/winograd.inc.h), so the sum of dz . y has
 * the gradient dw = G'[(A dz) . (B' x)]: 36 products a tile instead of 144. The products of a
 * slot's tiles are summed place by place, as matrix products of (ic x tiles) and (tiles x oc) on
 * the tiles of conv/weights.inc.h; G' comes last, once. It pays on maps of many tiles and for
 * weights whose 36 matrices stay in L2; other convolutions are summed directly. */

enum {
    FILTER_PLACES = 36,
    FILTER_LEAST_CHANNELS = 16,
    FILTER_LEAST_TILES = 24,     /* of a picture */
    FILTER_MOST_TILES = 64,      /* of a pass */
    FILTER_PASS_FLOATS = 196608, /* of a pass's transformed inputs and gradients */
    FILTER_MOST_WEIGHTS = 8192,  /* ic * oc */
};

typedef struct filter_walk {
    wino_grid grid;
    size_t passes, pass_tiles; /* of a picture */
    size_t lanes;
} filter_walk;

static filter_walk filter_walk_make(const cpu_conv *c, const nn_map *dz)
{
    filter_walk k = {.lanes = ((size_t)c->oc + VF_LANES - 1) / VF_LANES * VF_LANES};
    k.grid.across = ((size_t)dz->w + 3) / 4;
    k.grid.tiles = k.grid.across * (((size_t)dz->h + 3) / 4);
    size_t most = FILTER_PASS_FLOATS / (FILTER_PLACES * ((size_t)c->ic + k.lanes));
    most = most > FILTER_MOST_TILES ? FILTER_MOST_TILES : most;
    k.passes = (k.grid.tiles + most - 1) / most;
    k.pass_tiles = (k.grid.tiles + k.passes - 1) / k.passes;
    return k;
}

static bool filter_fits(const cpu_conv *c, const nn_map *dz)
{
    const size_t tiles = (((size_t)dz->w + 3) / 4) * (((size_t)dz->h + 3) / 4);
    return c->groups == 1 && c->k == 3 && c->stride == 1 && c->ic >= FILTER_LEAST_CHANNELS &&
           c->oc >= FILTER_LEAST_CHANNELS && (size_t)c->ic * (size_t)c->oc <= FILTER_MOST_WEIGHTS &&
           tiles >= FILTER_LEAST_TILES;
}

static cpu_weight_sums filter_sums(const cpu_conv *c, const nn_map *dz)
{
    const filter_walk k = filter_walk_make(c, dz);
    cpu_weight_sums s = {
        .is_filtered = true, .groups = 1, .slot_floats = FILTER_PLACES * (size_t)c->ic * k.lanes};
    const size_t passes = (size_t)dz->n * k.passes;
    s.slots = s.slot_floats <= 65536 ? 8 : 4;
    s.slots = s.slots > passes ? passes : s.slots;
    s.scratch_floats = FILTER_PLACES * k.pass_tiles * ((size_t)c->ic + k.lanes);
    return s;
}

/* A dz: 4 values of a row or column become 6. */
ALWAYS_INLINE void filter_row(vf *t, const vf *d, const int step)
{
    const vf d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
    const vf e1 = vf_fma(d2, vf_set1(0.5F), d0),
             o1 = vf_fma(d3, vf_set1(0.353553391F), vf_mul(d1, vf_set1(0.707106781F)));
    const vf e2 = vf_fma(d2, vf_set1(2.0F), d0),
             o2 = vf_fma(d3, vf_set1(2.82842712F), vf_mul(d1, vf_set1(1.41421356F)));
    t[0] = d0;
    t[1] = vf_add(e1, o1);
    t[2] = vf_sub(e1, o1);
    t[3] = vf_add(e2, o2);
    t[4] = vf_sub(e2, o2);
    t[5] = d3;
}

/* A dz A' of n channels of one tile; rows x cols of it are inside the map, and the rest is zero. */
ALWAYS_INLINE void filter_patch(float *out, size_t place, const float *in, const nn_map *dz,
                                int rows, int cols, int n, const bool whole)
{
    vf t[4 * 6];
    UNROLLED
    for (int r = 0; r < 4; r++) {
        vf d[4];
        UNROLLED
        for (int col = 0; col < 4; col++) {
            const float *from = in + ((size_t)r * (size_t)dz->w + (size_t)col) * dz->pitch;
            if (whole)
                d[col] = vf_load(from);
            else
                d[col] = r < rows && col < cols ? vf_load_n(from, n) : vf_zero();
        }
        filter_row(t + r * 6, d, 1);
    }
    UNROLLED
    for (int col = 0; col < 6; col++) {
        vf u[6];
        filter_row(u, t + col, 6);
        UNROLLED
        for (int r = 0; r < 6; r++)
            vf_store(out + (size_t)(r * 6 + col) * place, u[r]);
    }
}

static void filter_patch_inside(float *out, size_t place, const float *in, const nn_map *dz)
{
    filter_patch(out, place, in, dz, 4, 4, VF_LANES, true);
}

static void filter_patch_edge(float *out, size_t place, const float *in, const nn_map *dz, int rows,
                              int cols, int n)
{
    filter_patch(out, place, in, dz, rows, cols, n, false);
}

/* v: [place][tile][lanes] */
static void filter_gradients(const filter_walk *k, float *v, const nn_map *dz, int picture,
                             size_t first, size_t tiles)
{
    const size_t place = tiles * k->lanes;
    for (size_t tile = 0; tile < tiles; tile++, v += k->lanes) {
        const int y = (int)((first + tile) / k->grid.across) * 4,
                  x = (int)((first + tile) % k->grid.across) * 4;
        const float *in = nn_map_row(dz, picture, y) + (size_t)x * dz->pitch;
        for (int ch = 0; ch < dz->c; ch += VF_LANES) {
            const int n = dz->c - ch < VF_LANES ? dz->c - ch : VF_LANES;
            if (n == VF_LANES && y + 4 <= dz->h && x + 4 <= dz->w)
                filter_patch_inside(v + ch, place, in + ch, dz);
            else
                filter_patch_edge(v + ch, place, in + ch, dz, dz->h - y, dz->w - x, n);
        }
    }
}

static void filter_sums_run(const cpu_conv *c, float *sums, const nn_map *dz, const nn_map *x,
                            float *scratch, size_t begin, size_t end)
{
    const cpu_weight_sums s = filter_sums(c, dz);
    const filter_walk k = filter_walk_make(c, dz);
    const size_t ic = (size_t)c->ic, passes = (size_t)dz->n * k.passes;
    for (size_t slot = begin; slot < end; slot++) {
        float *to = sums + slot * s.slot_floats;
        memset(to, 0, s.slot_floats * sizeof *to);
        for (size_t pass = slot * passes / s.slots; pass < (slot + 1) * passes / s.slots; pass++) {
            const int picture = (int)(pass / k.passes);
            const size_t first = pass % k.passes * k.pass_tiles;
            if (first >= k.grid.tiles)
                continue;
            const size_t left = k.grid.tiles - first;
            const size_t tiles = left < k.pass_tiles ? left : k.pass_tiles;
            float *v = scratch + FILTER_PLACES * tiles * ic;
            wino_input(c, scratch, x, &k.grid, picture, first, tiles);
            filter_gradients(&k, v, dz, picture, first, tiles);
            for (size_t at = 0; at < FILTER_PLACES; at++) {
                sums_tile t = {.x = scratch + at * tiles * ic,
                               .dz = v + at * tiles * k.lanes,
                               .x_pixel = ic,
                               .dz_pixel = k.lanes,
                               .pictures = 1,
                               .rows = 1,
                               .w = (int)tiles,
                               .sums = to + at * ic * k.lanes,
                               .lanes = k.lanes};
                sums_pass(&t, ic, 0, (int)k.lanes);
            }
        }
    }
}

/* dw += G' m G, m: the slots' sums. Unit: 16 output channels. */
static void filter_add_run(const cpu_conv *c, const cpu_weight_sums *s, float *dw,
                           const float *sums, size_t begin, size_t end)
{
    const size_t ic = (size_t)c->ic, oc = (size_t)c->oc;
    const size_t lanes = (oc + VF_LANES - 1) / VF_LANES * VF_LANES;
    for (size_t unit = begin; unit < end; unit++) {
        const size_t o0 = unit * 16, n = oc - o0 < 16 ? oc - o0 : 16;
        for (size_t i = 0; i < ic; i++) {
            double m[FILTER_PLACES][16] = {{0}}, half[3][6][16] = {{{0}}};
            for (size_t slot = 0; slot < s->slots; slot++)
                for (size_t at = 0; at < FILTER_PLACES; at++) {
                    const float *p = sums + slot * s->slot_floats + (at * ic + i) * lanes + o0;
                    __builtin_prefetch(p + ADD_AHEAD * lanes);
                    for (size_t o = 0; o < n; o++)
                        m[at][o] += (double)p[o];
                }
            for (size_t y = 0; y < 3; y++)
                for (size_t at = 0; at < FILTER_PLACES; at++)
                    for (size_t o = 0; o < 16; o++)
                        half[y][at % 6][o] += wino_weights_1[at / 6][y] * m[at][o];
            for (size_t tap = 0; tap < 9; tap++) {
                double sum[16] = {0};
                for (size_t col = 0; col < 6; col++)
                    for (size_t o = 0; o < 16; o++)
                        sum[o] += wino_weights_1[col][tap % 3] * half[tap / 3][col][o];
                float *to = dw + (o0 * ic + i) * 9 + tap;
                for (size_t o = 0; o < n; o++)
                    to[o * ic * 9] = (float)((double)to[o * ic * 9] + sum[o]);
            }
        }
    }
}

/* ---- whichever suits the op and its shape ---- */

static cpu_weight_sums weight_sums(const cpu_conv *c, const nn_map *dz)
{
    return filter_fits(c, dz) ? filter_sums(c, dz) : direct_sums(c, dz);
}

static void weight_sums_run(const cpu_conv *c, float *sums, const nn_map *dz, const nn_map *x,
                            float *scratch, size_t begin, size_t end)
{
    if (filter_fits(c, dz))
        filter_sums_run(c, sums, dz, x, scratch, begin, end);
    else
        direct_sums_run(c, sums, dz, x, scratch, begin, end);
}

static void weight_add_run(const cpu_conv *c, const cpu_weight_sums *s, float *dw,
                           const float *sums, size_t begin, size_t end)
{
    if (s->is_filtered)
        filter_add_run(c, s, dw, sums, begin, end);
    else
        direct_add_run(c, s, dw, sums, begin, end);
}
