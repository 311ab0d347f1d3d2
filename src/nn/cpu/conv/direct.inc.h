/* direct.inc.h: dense convolution, written once for every instruction set (see simd/).
 *
 * A direct convolution without copies: a tile of P output pixels x V vectors of output channels
 * stays in registers over all taps and input channels. Each step takes V vectors of packed weights
 * and multiplies them by one input value per pixel, broadcast from memory. Padding costs nothing,
 * as taps outside are not visited: a row of output pixels is split into its interior, where all kx
 * are inside, and its edge columns, which are tiled downwards, so that all pixels of a tile miss
 * the same taps.
 *
 * The sum of an output is bias, then ky, kx, ic ascending, one chain of fused multiply-adds,
 * whatever the tile: so results don't depend on tiles, units, threads or batch. (Half vectors: two
 * chains, even and odd ic.)
 *
 * Packed weights: output channels in blocks of 2 vectors (at the end 3, 1, or a half); per block
 * the bias, then [ky][kx][ic][lane]. */

typedef struct conv_block {
    int oc, n_oc; /* first output channel, how many of them are real */
    int v;        /* vectors; 0: half a vector, two input channels a step */
    size_t begin; /* floats from the start of the packed form: the bias */
    size_t taps;  /* floats: the weights */
    size_t end;
} conv_block;

/* P pixels of a block, ready to run: all loops' lengths and strides. */
typedef struct conv_tile {
    const float *src;                /* pixel 0, first visited tap, channel 0 */
    size_t src_step, src_kx, src_ky; /* bytes to the next pixel, tap, row of taps */
    const float *bias, *w;           /* w: at the first visited tap */
    size_t w_ky;                     /* floats */
    size_t n_ky, n_kx, run;          /* run: floats side by side in src and w */
    float *dst;
    const float *add;          /* NULL: nothing to add */
    size_t dst_step, add_step; /* floats to the next pixel */
    int n_oc;
    bool silu;
} conv_tile;

typedef void conv_tile_fn(const conv_tile *t);

/* Winograd's matrices of weights a side, conv/winograd.inc.h, instead of k x k taps. */
#define WINO_SIDE(stride) ((stride) == 1 ? 6 : 4)
/* With fewer channels the transforms cost more than the products save. */
#define WINO_MIN_CHANNELS_STRIDE_1 16
#define WINO_MIN_CHANNELS_STRIDE_2 64

/* Who is computed by Winograd's algorithm: decided by the op alone, so that packed weights serve
 * every shape. */
static bool wino_fits(const cpu_conv *c)
{
    const int least = c->stride == 1 ? WINO_MIN_CHANNELS_STRIDE_1 : WINO_MIN_CHANNELS_STRIDE_2;
    return c->groups == 1 && c->k == 3 && c->ic >= least && c->oc >= least;
}

static conv_block conv_block_next(const cpu_conv *c, const conv_block *last)
{
    const bool wino = wino_fits(c);
    conv_block b = {.oc = last->oc + last->n_oc, .begin = last->end};
    const int left = c->oc - b.oc, rest = left % VF_LANES;
    const bool half = TILE_HALVES && !wino && rest > 0 && rest <= VF_LANES / 2 && c->ic % 2 == 0;
    const int vectors = left / VF_LANES + (rest > 0 && !half ? 1 : 0);
    b.v = vectors == 3 ? 3 : vectors >= 2 ? 2 : vectors;
    b.n_oc = b.v == 0 || b.v * VF_LANES > left ? left : b.v * VF_LANES;
    const size_t lanes = (size_t)(b.v == 0 ? 1 : b.v) * VF_LANES;
    const size_t side = (size_t)(wino ? WINO_SIDE(c->stride) : c->k);
    const size_t steps = side * side * (size_t)(b.v == 0 ? c->ic / 2 : c->ic);
    b.taps = b.begin + lanes;
    b.end = b.taps + steps * lanes;
    return b;
}

/* After bias and taps are summed: the activation, the addition, and into dst. sums: [P][V][lanes].
 */
static void tile_finish(const conv_tile *t, const float *sums, int V, int P)
{
    const int whole = t->n_oc / VF_LANES, rest = t->n_oc % VF_LANES;
    float *dst = t->dst;
    const float *add = t->add;
    for (int p = 0; p < P; p++, sums += V * VF_LANES, dst += t->dst_step) {
        for (int v = 0; v < whole; v++) {
            vf z = vf_load(sums + v * VF_LANES);
            if (t->silu)
                z = vf_silu(z);
            if (add)
                z = vf_add(z, vf_load(add + v * VF_LANES));
            vf_store(dst + v * VF_LANES, z);
        }
        if (rest > 0) {
            vf z = vf_load(sums + whole * VF_LANES);
            if (t->silu)
                z = vf_silu(z);
            if (add)
                z = vf_add(z, vf_load_n(add + whole * VF_LANES, rest));
            vf_store_n(dst + whole * VF_LANES, z, rest);
        }
        if (add)
            add += t->add_step;
    }
}

/* One step of all pixels: input channel (or pair of them) number `at` of the current tap. */
ALWAYS_INLINE void tile_step(vf *acc, const char *const *base, size_t step1, size_t step3,
                             const float *w, const int V, const int P, const int at)
{
    const int n = V == 0 ? 1 : V;
    vf wv[3];
    UNROLLED
    for (int v = 0; v < n; v++)
        wv[v] = vf_load(w + (at * n + v) * VF_LANES);
    UNROLLED
    for (int p = 0; p < P; p++) {
#if TILE_HALVES
        if (V == 0)
            tile_pair(acc + p, wv, base[p / 4], step1, step3, p, at);
        else
#endif
            tile_pixel(acc + p * n, wv, base[p / 4], step1, step3, V, p, at);
    }
}

ALWAYS_INLINE vf tile_sum(vf acc, const int V)
{
#if TILE_HALVES
    if (V == 0)
        return vf_pairs_summed(acc);
#endif
    (void)V;
    return acc;
}

/* V and P are constants at every call, so that acc lives in registers. */
ALWAYS_INLINE void tile_run(const conv_tile *t, const int V, const int P)
{
    const int n = V == 0 ? 1 : V, groups = (P + 3) / 4, floats = V == 0 ? 2 : 1;
    vf acc[32];
    UNROLLED
    for (int p = 0; p < P; p++) {
        UNROLLED
        for (int v = 0; v < n; v++)
            acc[p * n + v] = vf_load(t->bias + v * VF_LANES);
    }
    const size_t step1 = t->src_step, step3 = 3 * step1;
    const char *src_row = (const char *)t->src;
    const float *w_row = t->w;
    for (size_t ky = 0; ky < t->n_ky; ky++, src_row += t->src_ky, w_row += t->w_ky) {
        const char *src_tap = src_row;
        const float *w = w_row;
        for (size_t kx = 0; kx < t->n_kx; kx++, src_tap += t->src_kx) {
            const char *base[8];
            UNROLLED
            for (int g = 0; g < groups; g++)
                base[g] = src_tap + 4 * (size_t)g * step1;
            size_t left = t->run / (size_t)floats;
            for (; left >= 4; left -= 4, w += 4 * n * VF_LANES) {
                UNROLLED
                for (int at = 0; at < 4; at++)
                    tile_step(acc, base, step1, step3, w, V, P, at);
                UNROLLED
                for (int g = 0; g < groups; g++)
                    base[g] += 16 * floats;
            }
            for (; left > 0; left--, w += n * VF_LANES) {
                tile_step(acc, base, step1, step3, w, V, P, 0);
                UNROLLED
                for (int g = 0; g < groups; g++)
                    base[g] += 4 * floats;
            }
        }
    }
    if (V > 0 && !t->silu && !t->add && t->n_oc == n * VF_LANES) {
        float *dst = t->dst;
        UNROLLED
        for (int p = 0; p < P; p++, dst += t->dst_step) {
            UNROLLED
            for (int v = 0; v < n; v++)
                vf_store(dst + v * VF_LANES, acc[p * n + v]);
        }
        return;
    }
    /* By way of memory: a loop of SiLU is as fast as unrolled SiLUs in registers, and 100 KB
     * smaller. */
    _Alignas(64) float sums[32 * VF_LANES];
    UNROLLED
    for (int i = 0; i < P * n; i++)
        vf_store(sums + i * VF_LANES, tile_sum(acc[i], V));
    tile_finish(t, sums, n, P);
}

#define TILE_FUNCTION(V, P)                                                                        \
    static void tile_##V##_##P(const conv_tile *t)                                                 \
    {                                                                                              \
        tile_run(t, V, P);                                                                         \
    }
#define TILE_ENTRY(V, P) tile_##V##_##P,

TILE_LIST_1(TILE_FUNCTION)
TILE_LIST_2(TILE_FUNCTION)
TILE_LIST_3(TILE_FUNCTION)
#if TILE_HALVES
TILE_LIST_0(TILE_FUNCTION)
#endif

/* [P - 1] */
static conv_tile_fn *const tiles_1[] = {TILE_LIST_1(TILE_ENTRY)};
static conv_tile_fn *const tiles_2[] = {TILE_LIST_2(TILE_ENTRY)};
static conv_tile_fn *const tiles_3[] = {TILE_LIST_3(TILE_ENTRY)};
#if TILE_HALVES
static conv_tile_fn *const tiles_0[] = {TILE_LIST_0(TILE_ENTRY)};
#endif

#define TILES_OF(list) (sizeof(list) / sizeof((list)[0]))

/* Runs count pixels that follow each other at the tile's steps, in tiles of nearly equal size: 40
 * pixels are 14 + 13 + 13 rather than 14 + 14 + 12, and no tile is so small that the adder's
 * latency shows. t is moved along: copied, it would be read by whole vectors right after its
 * members were written one by one, for which the processor waits. */
static void tile_strip(conv_tile *t, int v, size_t count)
{
    conv_tile_fn *const *fns = tiles_1;
    size_t largest = TILES_OF(tiles_1);
    if (v == 2) {
        fns = tiles_2;
        largest = TILES_OF(tiles_2);
    } else if (v == 3) {
        fns = tiles_3;
        largest = TILES_OF(tiles_3);
    }
#if TILE_HALVES
    if (v == 0) {
        fns = tiles_0;
        largest = TILES_OF(tiles_0);
    }
#endif
    for (size_t n_tiles = (count + largest - 1) / largest; n_tiles > 0; n_tiles--) {
        const size_t p = (count + n_tiles - 1) / n_tiles;
        fns[p - 1](t);
        count -= p;
        t->src = (const float *)((const char *)t->src + p * t->src_step);
        t->dst += p * t->dst_step;
        if (t->add)
            t->add += p * t->add_step;
    }
}

/* How a length (rows, pixels, tiles) is cut into units. */
typedef struct conv_cut {
    size_t n, each; /* pieces, of which the last may be shorter, or be nothing */
} conv_cut;

/* Of `times` equal lengths: pieces of `largest` or less, so that the threads have the same number
 * of them (nine pieces take two threads as long as ten), but not below `smallest`. */
static conv_cut conv_cut_make(const cpu_conv *c, size_t times, size_t length, size_t largest,
                              size_t smallest)
{
    const size_t threads = c->threads > 1 ? (size_t)c->threads : 1;
    const size_t most = (length + smallest - 1) / smallest;
    conv_cut cut = {.n = (length + largest - 1) / largest};
    while (times * cut.n % threads != 0 && cut.n < most)
        cut.n++;
    cut.each = cut.n > 0 ? (length + cut.n - 1) / cut.n : 1;
    return cut;
}

/* How an op is walked: blocks of channels inside bands of rows, or, when the weights are heavy,
 * bands inside blocks, so that the weights come from memory once. A 1x1 convolution sees its batch
 * as one row of pixels. */
typedef struct conv_walk {
    bool flat, heavy;
    size_t n_blocks;
    conv_cut bands; /* of the rows of one picture (flat: of the pixels of all pictures) */
} conv_walk;

/* Weights above this leave L2 (1 MB and up) between bands. */
#define CONV_HEAVY_BYTES (512U * 1024U)
/* A band's input: it stays in L2 while all blocks of channels pass over it. */
#define CONV_BAND_BYTES (128U * 1024U)

static size_t conv_packed_floats_dense(const cpu_conv *c)
{
    conv_block b = {0};
    while (b.oc + b.n_oc < c->oc)
        b = conv_block_next(c, &b);
    return b.end;
}

static conv_walk conv_walk_make(const cpu_conv *c, const nn_map *dst)
{
    conv_walk w = {.flat = c->k == 1 && c->stride == 1};
    size_t floats = 0;
    for (conv_block b = {0}; b.oc + b.n_oc < c->oc; w.n_blocks++) {
        b = conv_block_next(c, &b);
        floats = b.end;
    }
    w.heavy = floats * sizeof(float) > CONV_HEAVY_BYTES;
    const size_t pixel_bytes = (size_t)c->ic * sizeof(float);
    size_t times = w.heavy ? w.n_blocks : 1;
    if (w.flat) {
        const size_t whole =
            TILES_OF(tiles_1) * TILES_OF(tiles_2) / 7; /* 56: whole tiles of both kinds */
        w.bands = conv_cut_make(c, times, (size_t)dst->n * (size_t)dst->h * (size_t)dst->w,
                                (CONV_BAND_BYTES / pixel_bytes + whole) / whole * whole,
                                TILES_OF(tiles_1));
    } else {
        const size_t row_bytes = (size_t)dst->w * (size_t)(c->stride * c->stride) * pixel_bytes;
        const size_t band = CONV_BAND_BYTES / row_bytes;
        times *= (size_t)dst->n;
        w.bands = conv_cut_make(c, times, (size_t)dst->h, band < 8 ? 8 : band, 1);
    }
    return w;
}

static size_t conv_units_dense(const cpu_conv *c, const nn_map *dst)
{
    const conv_walk w = conv_walk_make(c, dst);
    const size_t bands = w.flat ? w.bands.n : (size_t)dst->n * w.bands.n;
    return w.heavy ? w.n_blocks * bands : bands;
}

static void conv_pack_dense(const cpu_conv *c, float *packed, const float *weight,
                            const float *bias)
{
    const size_t taps = (size_t)c->k * (size_t)c->k;
    for (conv_block b = {0}; b.oc + b.n_oc < c->oc;) {
        b = conv_block_next(c, &b);
        for (size_t i = b.begin; i < b.end; i++)
            packed[i] = 0.0F;
        const size_t lanes = b.taps - b.begin, pair = b.v == 0 ? 2 : 1;
        for (size_t o = 0; o < (size_t)b.n_oc; o++) {
            packed[b.begin + o * pair] = bias[(size_t)b.oc + o];
            for (size_t tap = 0; tap < taps; tap++)
                for (size_t i = 0; i < (size_t)c->ic; i++) {
                    const size_t step = (tap * (size_t)c->ic + i) / pair;
                    packed[b.taps + step * lanes + o * pair + i % pair] =
                        weight[(((size_t)b.oc + o) * (size_t)c->ic + i) * taps + tap];
                }
        }
    }
}

/* Output positions [lo, hi) of an axis see all k taps; those before and after miss some. */
typedef struct conv_axis {
    int in, out, k, stride, lo, hi;
} conv_axis;

static conv_axis conv_axis_make(int in, int out, int k, int stride)
{
    conv_axis a = {.in = in, .out = out, .k = k, .stride = stride};
    const int pad = cpu_pad(k);
    a.lo = (pad + stride - 1) / stride;
    a.hi = in + pad >= k ? (in + pad - k) / stride + 1 : 0;
    a.lo = a.lo < out ? a.lo : out;
    a.hi = a.hi < out ? a.hi : out;
    a.hi = a.hi > a.lo ? a.hi : a.lo;
    return a;
}

/* Taps [first, end) of output position x lie inside; `at` is the input position of the first. */
typedef struct conv_taps {
    int first, end, at;
} conv_taps;

static conv_taps conv_taps_of(const conv_axis *a, int x)
{
    const int start = x * a->stride - cpu_pad(a->k);
    conv_taps t = {.first = start < 0 ? -start : 0,
                   .end = a->in - start < a->k ? a->in - start : a->k};
    t.at = start + t.first;
    return t;
}

/* An op on its way: what all tiles share. */
typedef struct conv_op {
    const cpu_conv *c;
    const float *packed;
    const nn_map *dst, *src, *add;
    conv_axis x, y;
} conv_op;

/* Fills what depends on the block and on the taps; pixel (y, x) of picture i becomes the tile's
 * first. */
static conv_tile conv_tile_at(const conv_op *op, const conv_block *b, int i, int y, int x)
{
    const cpu_conv *c = op->c;
    const conv_taps ty = conv_taps_of(&op->y, y), tx = conv_taps_of(&op->x, x);
    const size_t lanes = b->taps - b->begin,
                 tap_floats = (size_t)(b->v == 0 ? c->ic / 2 : c->ic) * lanes;
    conv_tile t = {
        .src = nn_map_row(op->src, i, ty.at) + (size_t)tx.at * op->src->pitch,
        .src_kx = op->src->pitch * sizeof(float),
        .src_ky = (size_t)op->src->w * op->src->pitch * sizeof(float),
        .bias = op->packed + b->begin,
        .w = op->packed + b->taps + (size_t)(ty.first * c->k + tx.first) * tap_floats,
        .w_ky = (size_t)c->k * tap_floats,
        .n_ky = (size_t)(ty.end - ty.first),
        .n_kx = (size_t)(tx.end - tx.first),
        .run = (size_t)c->ic,
        .dst = nn_map_row(op->dst, i, y) + (size_t)x * op->dst->pitch + b->oc,
        .n_oc = b->n_oc,
        .silu = c->silu,
    };
    if (op->src->pitch == (size_t)c->ic) {
        t.run *= t.n_kx; /* the taps of a row lie side by side */
        t.n_kx = 1;
    }
    if (op->add)
        t.add = nn_map_row(op->add, i, y) + (size_t)x * op->add->pitch + b->oc;
    return t;
}

static void conv_across(const conv_op *op, const conv_block *b, int i, int y, int x0, int x1)
{
    if (x0 >= x1)
        return;
    conv_tile t = conv_tile_at(op, b, i, y, x0);
    t.src_step = (size_t)op->c->stride * op->src->pitch * sizeof(float);
    t.dst_step = op->dst->pitch;
    t.add_step = op->add ? op->add->pitch : 0;
    tile_strip(&t, b->v, (size_t)(x1 - x0));
}

static void conv_down(const conv_op *op, const conv_block *b, int i, int x, int y0, int y1)
{
    if (y0 >= y1)
        return;
    conv_tile t = conv_tile_at(op, b, i, y0, x);
    t.src_step = (size_t)op->c->stride * (size_t)op->src->w * op->src->pitch * sizeof(float);
    t.dst_step = (size_t)op->dst->w * op->dst->pitch;
    t.add_step = op->add ? (size_t)op->add->w * op->add->pitch : 0;
    tile_strip(&t, b->v, (size_t)(y1 - y0));
}

/* Rows [y0, y1) of picture i, one block of channels. */
static void conv_band(const conv_op *op, const conv_block *b, int i, int y0, int y1)
{
    if (y0 >= y1)
        return;
    for (int y = y0; y < y1; y++)
        conv_across(op, b, i, y, op->x.lo, op->x.hi);
    const int inner0 = y0 > op->y.lo ? y0 : op->y.lo < y1 ? op->y.lo : y1;
    const int inner1 = y1 < op->y.hi ? y1 : op->y.hi > inner0 ? op->y.hi : inner0;
    for (int x = 0; x < op->x.out; x++) {
        if (x == op->x.lo)
            x = op->x.hi;
        if (x == op->x.out)
            break;
        for (int y = y0; y < inner0; y++)
            conv_down(op, b, i, x, y, y + 1);
        conv_down(op, b, i, x, inner0, inner1);
        for (int y = inner1; y < y1; y++)
            conv_down(op, b, i, x, y, y + 1);
    }
}

static void conv_run_dense(const cpu_conv *c, const float *packed, const nn_map *dst,
                           const nn_map *src, const nn_map *add, size_t begin, size_t end)
{
    const conv_walk walk = conv_walk_make(c, dst);
    nn_map d = *dst, s = *src, a = add ? *add : (nn_map){0};
    if (walk.flat) {
        d.w = s.w = a.w = dst->n * dst->h * dst->w;
        d.n = s.n = a.n = d.h = s.h = a.h = 1;
    }
    const conv_op op = {
        .c = c,
        .packed = packed,
        .dst = &d,
        .src = &s,
        .add = add ? &a : NULL,
        .x = conv_axis_make(s.w, d.w, c->k, c->stride),
        .y = conv_axis_make(s.h, d.h, c->k, c->stride),
    };
    const size_t bands = (size_t)d.n * walk.bands.n;
    for (size_t unit = begin; unit < end; unit++) {
        const size_t which = walk.heavy ? unit % bands : unit;
        const int i = (int)(which / walk.bands.n);
        const int length = walk.flat ? d.w : d.h;
        const int from = (int)(which % walk.bands.n * walk.bands.each);
        const int to = length - from < (int)walk.bands.each ? length : from + (int)walk.bands.each;
        conv_block b = {0};
        for (size_t n = 0; n < walk.n_blocks; n++) {
            b = conv_block_next(c, &b);
            if (walk.heavy && n != unit / bands)
                continue;
            if (walk.flat)
                conv_across(&op, &b, 0, 0, from, to);
            else
                conv_band(&op, &b, i, from, to);
        }
    }
}
