/* weights.inc.h: the gradient of a convolution's weights, written once for every instruction
 * set.
 *
 * dW[ky][kx][i][o] is the sum over output pixels of x[pixel + tap][i] * dz[pixel][o]: a matrix
 * product whose long side is the pixels. For a fixed ky the k * ic values of x that an output pixel
 * sees lie side by side, so a register tile is P of those (each broadcast) times V vectors of
 * output channels, summed over a group of pixels that fits L1. A band of rows is copied first into
 * scratch with its padding, so that no tap is ever outside; a 1x1 convolution reads x where it is.
 * Slots (ranges of bands) are summed one after another and added at the end: threads share slots,
 * and groups of output channels where weights are many. What conv/winograd_weights.inc.h takes is
 * not here.
 */

enum {
    SUMS_GROUP_PIXELS = 128,  /* a tile's pass touches three lines a pixel: 24 KB, half of L1 */
    SUMS_BAND_PIXELS = 1024,  /* copied at a time */
    SUMS_SMALL_PICTURE = 512, /* pictures of fewer pixels are taken several at a time */
    SUMS_GROUP_CHANNELS = 64, /* output channels whose sums of a band are taken at a time */
    SUMS_BAD_PITCH = 128,     /* floats: pixels whose pitch is a multiple are copied first */
    SUMS_SKEW = 16 /* floats between a 1x1's copied pixels: a pitch that is a power of two
                      would put them all in a few sets of L1 */
};

/* How the output pixels are walked. */
typedef struct sums_walk {
    bool flat;    /* 1x1, stride 1: all pictures are one row */
    bool as_is;   /* rows are copied as they are, padded; else what each output pixel sees, apart */
    int rows, w;  /* of a band */
    int pictures; /* of a band; > 1 only with all their rows */
    int group_rows;
    size_t bands_a_picture, bands;
    size_t lanes, run;                /* oc rounded up; k * ic */
    size_t x_pixel, x_row, x_picture; /* floats of the copied band */
} sums_walk;

static sums_walk sums_walk_make(const cpu_conv *c, const nn_map *dz)
{
    sums_walk k = {.flat = c->k == 1 && c->stride == 1, .w = dz->w, .pictures = 1};
    k.lanes = ((size_t)c->oc + VF_LANES - 1) / VF_LANES * VF_LANES;
    k.run = (size_t)c->k * (size_t)c->ic;
    const size_t picture = (size_t)dz->h * (size_t)dz->w;
    if (k.flat) {
        k.rows = k.group_rows = 1;
        k.bands_a_picture = (picture * (size_t)dz->n + SUMS_GROUP_PIXELS - 1) / SUMS_GROUP_PIXELS;
        k.bands = k.bands_a_picture;
        k.x_row = (size_t)c->ic + SUMS_SKEW;
        return k;
    }
    k.group_rows = SUMS_GROUP_PIXELS / dz->w > 1 ? SUMS_GROUP_PIXELS / dz->w : 1;
    k.rows = SUMS_BAND_PIXELS / dz->w > 4 ? SUMS_BAND_PIXELS / dz->w : 4;
    if (picture <= SUMS_SMALL_PICTURE) {
        k.rows = k.group_rows = dz->h;
        k.pictures = (int)(SUMS_SMALL_PICTURE / picture);
        k.pictures = k.pictures > dz->n ? dz->n : k.pictures;
    }
    k.rows = k.rows > dz->h ? dz->h : k.rows;
    k.bands_a_picture = ((size_t)dz->h + (size_t)k.rows - 1) / (size_t)k.rows;
    k.bands = k.pictures > 1 ? ((size_t)dz->n + (size_t)k.pictures - 1) / (size_t)k.pictures
                             : (size_t)dz->n * k.bands_a_picture;
    const size_t step = (size_t)c->stride * (size_t)c->ic;
    k.as_is = c->stride == 1 || step % SUMS_BAD_PITCH != 0;
    k.x_pixel = k.as_is ? step : k.run + SUMS_SKEW;
    k.x_row = k.as_is ? ((size_t)dz->w - 1) * step + k.run : (size_t)dz->w * k.x_pixel;
    k.x_picture = ((size_t)(k.rows - 1) * (size_t)c->stride + (size_t)c->k) * k.x_row;
    return k;
}

/* Each group copies the bands for itself, so there are no more than the threads want. */
static size_t direct_groups(const cpu_conv *c, size_t slots)
{
    const size_t most = ((size_t)c->oc + SUMS_GROUP_CHANNELS - 1) / SUMS_GROUP_CHANNELS;
    const size_t threads = c->threads > 1 ? (size_t)c->threads : 1;
    const size_t wanted = (threads + slots - 1) / slots;
    return wanted > most ? most : wanted;
}

/* First output channel of a group, a multiple of SUMS_GROUP_CHANNELS. */
static int direct_group_begin(const cpu_conv *c, size_t group, size_t groups)
{
    const size_t most = ((size_t)c->oc + SUMS_GROUP_CHANNELS - 1) / SUMS_GROUP_CHANNELS;
    const int o = (int)(group * most / groups) * SUMS_GROUP_CHANNELS;
    return o < c->oc ? o : c->oc;
}

static cpu_weight_sums direct_sums(const cpu_conv *c, const nn_map *dz)
{
    const sums_walk k = sums_walk_make(c, dz);
    cpu_weight_sums s = {.slot_floats = (size_t)c->k * k.run * k.lanes};
    s.slots = s.slot_floats <= 32768 ? 8 : s.slot_floats <= 131072 ? 4 : 2;
    s.slots = s.slots > k.bands ? k.bands : s.slots;
    s.groups = direct_groups(c, s.slots);
    s.scratch_floats =
        k.flat ? SUMS_GROUP_PIXELS * k.x_row : k.x_picture * (size_t)k.pictures + VF_LANES;
    return s;
}

/* P values of x by V vectors of dz, summed over a group of pixels into `sums`. */
typedef struct sums_tile {
    const float *x, *dz;
    size_t x_pixel, x_row, x_picture, dz_pixel, dz_row, dz_picture; /* floats */
    int pictures, rows, w;
    float *sums;
    size_t lanes; /* floats to the next value of x in sums */
    int n;        /* real channels of the last vector */
} sums_tile;

typedef void sums_tile_fn(const sums_tile *t);

ALWAYS_INLINE void sums_tile_run(const sums_tile *t, const int V, const int P, const bool whole)
{
    vf acc[2 * 14];
    UNROLLED
    for (int p = 0; p < P; p++) {
        UNROLLED
        for (int v = 0; v < V; v++)
            acc[p * V + v] = vf_load(t->sums + (size_t)p * t->lanes + v * VF_LANES);
    }
    const size_t x_pixel = t->x_pixel, dz_pixel = t->dz_pixel;
    for (int i = 0; i < t->pictures; i++)
        for (int y = 0; y < t->rows; y++) {
            const float *x = t->x + (size_t)i * t->x_picture + (size_t)y * t->x_row;
            const float *dz = t->dz + (size_t)i * t->dz_picture + (size_t)y * t->dz_row;
            for (int left = t->w; left > 0; left--, x += x_pixel, dz += dz_pixel) {
                vf d[2];
                UNROLLED
                for (int v = 0; v < V; v++)
                    d[v] = whole ? vf_load(dz + v * VF_LANES) : vf_load_n(dz, t->n);
                UNROLLED
                for (int p = 0; p < P; p++) {
                    const vf b = vf_set1(x[p]);
                    UNROLLED
                    for (int v = 0; v < V; v++)
                        acc[p * V + v] = vf_fma(b, d[v], acc[p * V + v]);
                }
            }
        }
    UNROLLED
    for (int p = 0; p < P; p++) {
        UNROLLED
        for (int v = 0; v < V; v++)
            vf_store(t->sums + (size_t)p * t->lanes + v * VF_LANES, acc[p * V + v]);
    }
}

/* The register tiles that conv/direct.inc.h has room for with two vectors serve one as well. */
#define SUMS_FUNCTIONS(V, P)                                                                       \
    static void sums_2_##P(const sums_tile *t)                                                     \
    {                                                                                              \
        sums_tile_run(t, 2, P, true);                                                              \
    }                                                                                              \
    static void sums_1_##P(const sums_tile *t)                                                     \
    {                                                                                              \
        sums_tile_run(t, 1, P, true);                                                              \
    }                                                                                              \
    static void sums_n_##P(const sums_tile *t)                                                     \
    {                                                                                              \
        sums_tile_run(t, 1, P, false);                                                             \
    }
#define SUMS_2(V, P) sums_2_##P,
#define SUMS_1(V, P) sums_1_##P,
#define SUMS_N(V, P) sums_n_##P,
TILE_LIST_2(SUMS_FUNCTIONS)
/* [P - 1] */
static sums_tile_fn *const sums_2[] = {TILE_LIST_2(SUMS_2)};
static sums_tile_fn *const sums_1[] = {TILE_LIST_2(SUMS_1)};
static sums_tile_fn *const sums_n[] = {TILE_LIST_2(SUMS_N)};
#define SUMS_MOST_P (sizeof sums_2 / sizeof *sums_2)

/* All values of x from t->x on, `run` of them side by side, in tiles of nearly equal size; channels
 * [o, o_end). t is moved along and put back. */
static void sums_pass(sums_tile *t, size_t run, int o, int o_end)
{
    const float *x = t->x, *dz = t->dz;
    float *sums = t->sums;
    while (o < o_end) {
        const int left = o_end - o;
        sums_tile_fn *const *fns = left >= 2 * VF_LANES ? sums_2
                                   : left >= VF_LANES   ? sums_1
                                                        : sums_n;
        t->n = left;
        t->x = x;
        t->dz = dz + o;
        t->sums = sums + o;
        size_t rest = run;
        for (size_t n = (run + SUMS_MOST_P - 1) / SUMS_MOST_P; n > 0; n--) {
            const size_t p = (rest + n - 1) / n;
            fns[p - 1](t);
            rest -= p;
            t->x += p;
            t->sums += p * t->lanes;
        }
        o += left >= 2 * VF_LANES ? 2 * VF_LANES : VF_LANES;
    }
    t->x = x;
    t->dz = dz;
    t->sums = sums;
}

/* `across` pixels of a row from column `left` on, which may be outside: zeros there. */
static void sums_copy_row(float *to, const nn_map *x, int picture, int y, int left, int across)
{
    const size_t ic = (size_t)x->c;
    const int before = left < 0 ? (-left < across ? -left : across) : 0;
    int inside = x->w - (left + before);
    inside = inside > across - before ? across - before : inside < 0 ? 0 : inside;
    const float *from = nn_map_row(x, picture, y) + (size_t)(left + before) * x->pitch;
    memset(to, 0, (size_t)before * ic * sizeof *to);
    to += (size_t)before * ic;
    if (x->pitch == ic)
        memcpy(to, from, (size_t)inside * ic * sizeof *to);
    else
        for (int p = 0; p < inside; p++)
            memcpy(to + (size_t)p * ic, from + (size_t)p * x->pitch, ic * sizeof *to);
    memset(to + (size_t)inside * ic, 0, (size_t)(across - before - inside) * ic * sizeof *to);
}

/* Copies what output rows [y0, y0 + rows) of a picture see, with zeros outside. */
static void sums_copy(const cpu_conv *c, float *to, const sums_walk *k, const nn_map *x,
                      int picture, int y0, int rows)
{
    const int pad = cpu_pad(c->k), top = y0 * c->stride - pad, n = (rows - 1) * c->stride + c->k;
    for (int r = 0; r < n; r++, to += k->x_row) {
        const int y = top + r;
        if (y < 0 || y >= x->h)
            memset(to, 0, k->x_row * sizeof *to);
        else if (k->as_is)
            sums_copy_row(to, x, picture, y, -pad, (k->w - 1) * c->stride + c->k);
        else
            for (int p = 0; p < k->w; p++)
                sums_copy_row(to + (size_t)p * k->x_pixel, x, picture, y, p * c->stride - pad,
                              c->k);
    }
}

static int sums_group_end(int o, int o_end)
{
    return o_end - o < SUMS_GROUP_CHANNELS ? o_end : o + SUMS_GROUP_CHANNELS;
}

static void sums_band_flat(const cpu_conv *c, float *sums, const sums_walk *k, const nn_map *dz,
                           const nn_map *x, size_t band, int o, int o_end, float *scratch)
{
    const size_t first = band * SUMS_GROUP_PIXELS, left = cpu_map_pixels(dz) - first;
    const size_t pixels = left < SUMS_GROUP_PIXELS ? left : SUMS_GROUP_PIXELS;
    const float *from = x->data + first * x->pitch;
    const bool copies = x->pitch % SUMS_BAD_PITCH == 0;
    for (size_t p = 0; copies && p < pixels; p++)
        memcpy(scratch + p * k->x_row, from + p * x->pitch, (size_t)c->ic * sizeof *scratch);
    sums_tile t = {.x = copies ? scratch : from,
                   .dz = dz->data + first * dz->pitch,
                   .x_pixel = copies ? k->x_row : x->pitch,
                   .dz_pixel = dz->pitch,
                   .pictures = 1,
                   .rows = 1,
                   .w = (int)pixels,
                   .sums = sums,
                   .lanes = k->lanes};
    for (int at = o; at < o_end; at += SUMS_GROUP_CHANNELS)
        sums_pass(&t, (size_t)c->ic, at, sums_group_end(at, o_end));
}

static void sums_band(const cpu_conv *c, float *sums, const sums_walk *k, const nn_map *dz,
                      const nn_map *x, size_t band, int o, int o_end, float *scratch)
{
    int picture = k->pictures > 1 ? (int)band * k->pictures : (int)(band / k->bands_a_picture);
    int pictures = dz->n - picture < k->pictures ? dz->n - picture : k->pictures;
    const int y0 = k->pictures > 1 ? 0 : (int)(band % k->bands_a_picture) * k->rows;
    const int rows = dz->h - y0 < k->rows ? dz->h - y0 : k->rows;
    for (int i = 0; i < pictures; i++)
        sums_copy(c, scratch + (size_t)i * k->x_picture, k, x, picture + i, y0, rows);
    for (int at = o; at < o_end; at += SUMS_GROUP_CHANNELS)
        for (int y = 0; y < rows; y += k->group_rows)
            for (int ky = 0; ky < c->k; ky++) {
                sums_tile t = {
                    .x = scratch + (size_t)(y * c->stride + ky) * k->x_row,
                    .dz = nn_map_row(dz, picture, y0 + y),
                    .x_pixel = k->x_pixel,
                    .x_row = (size_t)c->stride * k->x_row,
                    .x_picture = k->x_picture,
                    .dz_pixel = dz->pitch,
                    .dz_row = (size_t)dz->w * dz->pitch,
                    .dz_picture = (size_t)dz->h * (size_t)dz->w * dz->pitch,
                    .pictures = pictures,
                    .rows = rows - y < k->group_rows ? rows - y : k->group_rows,
                    .w = dz->w,
                    .sums = sums + (size_t)ky * k->run * k->lanes,
                    .lanes = k->lanes,
                };
                sums_pass(&t, k->run, at, sums_group_end(at, o_end));
            }
}

static void direct_sums_run(const cpu_conv *c, float *sums, const nn_map *dz, const nn_map *x,
                            float *scratch, size_t begin, size_t end)
{
    const cpu_weight_sums s = direct_sums(c, dz);
    const sums_walk k = sums_walk_make(c, dz);
    for (size_t unit = begin; unit < end; unit++) {
        const size_t slot = unit / s.groups, group = unit % s.groups;
        const int o = direct_group_begin(c, group, s.groups),
                  o_end = direct_group_begin(c, group + 1, s.groups);
        const size_t wide = (size_t)(o_end == c->oc ? (int)k.lanes - o : o_end - o);
        float *to = sums + slot * s.slot_floats;
        for (size_t i = 0; i < (size_t)c->k * k.run; i++)
            memset(to + i * k.lanes + o, 0, wide * sizeof *to);
        const size_t last = (slot + 1) * k.bands / s.slots;
        for (size_t band = slot * k.bands / s.slots; band < last; band++) {
            if (k.flat)
                sums_band_flat(c, to, &k, dz, x, band, o, o_end, scratch);
            else
                sums_band(c, to, &k, dz, x, band, o, o_end, scratch);
        }
    }
}

static size_t weight_add_units(const cpu_conv *c)
{
    return ((size_t)c->oc + 15) / 16;
}

/* Rows of sums that are asked for before their turn: their pitch hides them from the processor. */
enum { ADD_AHEAD = 4 };

static void direct_add_run(const cpu_conv *c, const cpu_weight_sums *s, float *dw,
                           const float *sums, size_t begin, size_t end)
{
    const size_t ic = (size_t)c->ic, taps = (size_t)c->k * (size_t)c->k, oc = (size_t)c->oc;
    const size_t lanes = (oc + VF_LANES - 1) / VF_LANES * VF_LANES;
    for (size_t unit = begin; unit < end; unit++) {
        const size_t o0 = unit * 16, n = oc - o0 < 16 ? oc - o0 : 16;
        for (size_t i = 0; i < ic; i++)
            for (size_t tap = 0; tap < taps; tap++) {
                float sum[16] = {0};
                for (size_t slot = 0; slot < s->slots; slot++) {
                    const float *p = sums + slot * s->slot_floats + (tap * ic + i) * lanes + o0;
                    __builtin_prefetch(p + ADD_AHEAD * lanes);
                    if (n == 16)
                        for (size_t o = 0; o < 16; o++)
                            sum[o] += p[o];
                    else
                        for (size_t o = 0; o < n; o++)
                            sum[o] += p[o];
                }
                float *to = dw + (o0 * ic + i) * taps + tap;
                for (size_t o = 0; o < n; o++)
                    to[o * ic * taps] += sum[o];
            }
    }
}

/* ---- depthwise ---- */

/* Channels [ch, ch + n) of a picture: taps outermost in a row, so that each is one long sum. */
static void depthwise_span(const cpu_conv *c, float *part, const nn_map *dz, const nn_map *x, int i,
                           int ch, int n)
{
    vf acc[7 * 7];
    const int k = c->k, pad = cpu_pad(k), s = c->stride;
    for (int t = 0; t < k * k; t++)
        acc[t] = vf_zero();
    for (int y = 0; y < dz->h; y++)
        for (int ky = 0; ky < k; ky++) {
            const int sy = y * s + ky - pad;
            if (sy < 0 || sy >= x->h)
                continue;
            for (int kx = 0; kx < k; kx++) {
                int x0 = 0, x1 = dz->w;
                while (x0 < x1 && x0 * s + kx - pad < 0)
                    x0++;
                while (x1 > x0 && (x1 - 1) * s + kx - pad >= x->w)
                    x1--;
                if (x0 == x1)
                    continue;
                const float *a = nn_map_row(dz, i, y) + (size_t)x0 * dz->pitch + ch;
                const float *b = nn_map_row(x, i, sy) + (size_t)(x0 * s + kx - pad) * x->pitch + ch;
                vf even = acc[ky * k + kx], odd = vf_zero();
                int at = x0;
                for (; at + 1 < x1; at += 2) {
                    even = vf_fma(vf_load_n(a, n), vf_load_n(b, n), even);
                    a += dz->pitch;
                    b += (size_t)s * x->pitch;
                    odd = vf_fma(vf_load_n(a, n), vf_load_n(b, n), odd);
                    a += dz->pitch;
                    b += (size_t)s * x->pitch;
                }
                if (at < x1)
                    even = vf_fma(vf_load_n(a, n), vf_load_n(b, n), even);
                acc[ky * k + kx] = vf_add(even, odd);
            }
        }
    for (int t = 0; t < k * k; t++) {
        float sum[VF_LANES];
        vf_store(sum, acc[t]);
        for (int o = 0; o < n; o++)
            part[(ch + o) * k * k + t] = sum[o];
    }
}

static void depthwise_sums_run(const cpu_conv *c, float *parts, const nn_map *dz, const nn_map *x,
                               size_t begin, size_t end)
{
    const size_t blocks = ((size_t)c->oc + 15) / 16, taps = (size_t)c->k * (size_t)c->k;
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / blocks), first = (int)(unit % blocks) * 16;
        const int last = c->oc - first < 16 ? c->oc : first + 16;
        for (int ch = first; ch < last; ch += VF_LANES)
            depthwise_span(c, parts + (size_t)i * (size_t)c->oc * taps, dz, x, i, ch,
                           last - ch < VF_LANES ? last - ch : VF_LANES);
    }
}
