/* pack.inc.h: weights into the form that conv/direct.inc.h and conv/winograd.inc.h want,
 * every step anew, and the gradient of a strided convolution's input.
 *
 * The same form as conv_pack's, but the channels of a block are the innermost loop: all stores are
 * whole vectors, and Winograd's transform works on vectors of channels, rows first and then
 * columns. A turned pack reads the weights (O, I, k, k) of a forward convolution as those of the
 * convolution that takes the gradient of its output to that of its input: I for O, and taps by half
 * a circle. */

/* Where the weights of output channel o, input channel i lie, in the packed convolution's sense. */
typedef struct pack_source {
    const float *weight;
    size_t o_step, i_step; /* floats */
    size_t taps;
    bool turned;
} pack_source;

static pack_source pack_source_make(const cpu_conv *c, const float *weight, bool turned)
{
    pack_source s = {.weight = weight, .taps = (size_t)c->k * (size_t)c->k, .turned = turned};
    s.o_step = turned ? s.taps : (size_t)c->ic * s.taps;
    s.i_step = turned ? (size_t)c->oc * s.taps : s.taps;
    return s;
}

static const float *pack_at(const pack_source *s, size_t o, size_t i, size_t tap)
{
    return s->weight + o * s->o_step + i * s->i_step + (s->turned ? s->taps - 1 - tap : tap);
}

/* n channels from o on of one tap of one input channel; the rest of `lanes` is zero. */
static void pack_lanes(float *to, const pack_source *s, size_t o, size_t i, size_t tap, size_t n,
                       size_t lanes)
{
    const float *from = pack_at(s, o, i, tap);
    for (size_t l = 0; l < n; l++, from += s->o_step)
        to[l] = *from;
    for (size_t l = n; l < lanes; l++)
        to[l] = 0.0F;
}

/* One block's tap: all input channels. `to`: the tap's first step. */
static void pack_tap(float *to, const conv_block *b, const pack_source *s, size_t ic, size_t tap)
{
    const size_t lanes = b->taps - b->begin, n = (size_t)b->n_oc;
    if (b->v > 0) {
        for (size_t i = 0; i < ic; i++, to += lanes)
            pack_lanes(to, s, (size_t)b->oc, i, tap, n, lanes);
        return;
    }
    memset(to, 0, ic / 2 * lanes * sizeof *to); /* half a vector: pairs of input channels */
    for (size_t i = 0; i < ic; i++)
        for (size_t o = 0; o < n; o++)
            to[i / 2 * lanes + 2 * o + i % 2] = *pack_at(s, (size_t)b->oc + o, i, tap);
}

/* Winograd's matrices of VF_LANES channels and one input channel: G w G'. */
static void pack_wino_lanes(float *to, size_t place, const cpu_conv *c, const pack_source *s,
                            size_t o, size_t i, size_t n)
{
    const double(*g)[3] = c->stride == 1 ? wino_weights_1 : wino_weights_2;
    const size_t side = WINO_SIDE(c->stride);
    float w[9][VF_LANES];
    double half[WINO_SIDE(1)][3][VF_LANES];
    for (size_t tap = 0; tap < 9; tap++)
        pack_lanes(w[tap], s, o, i, tap, n, VF_LANES);
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < 3; x++)
            for (size_t l = 0; l < VF_LANES; l++)
                half[y][x][l] = g[y][0] * (double)w[x][l] + g[y][1] * (double)w[3 + x][l] +
                                g[y][2] * (double)w[6 + x][l];
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++, to += place)
            for (size_t l = 0; l < VF_LANES; l++)
                to[l] = (float)(g[x][0] * half[y][0][l] + g[x][1] * half[y][1][l] +
                                g[x][2] * half[y][2][l]);
}

static void pack_block(const cpu_conv *c, float *packed, const conv_block *b, const pack_source *s)
{
    const size_t lanes = b->taps - b->begin, ic = (size_t)c->ic;
    if (!wino_fits(c)) {
        const size_t tap_floats = (b->v == 0 ? ic / 2 : ic) * lanes;
        for (size_t tap = 0; tap < s->taps; tap++)
            pack_tap(packed + b->taps + tap * tap_floats, b, s, ic, tap);
        return;
    }
    for (size_t i = 0; i < ic; i++)
        for (size_t o = 0; o < lanes; o += VF_LANES) {
            const size_t left = (size_t)b->n_oc > o ? (size_t)b->n_oc - o : 0;
            pack_wino_lanes(packed + b->taps + i * lanes + o, ic * lanes, c, s, (size_t)b->oc + o,
                            i, left < VF_LANES ? left : VF_LANES);
        }
}

static void pack_bias(float *packed, const conv_block *b, const float *bias)
{
    const size_t pair = b->v == 0 ? 2 : 1;
    memset(packed + b->begin, 0, (b->taps - b->begin) * sizeof *packed);
    for (size_t o = 0; bias && o < (size_t)b->n_oc; o++)
        packed[b->begin + o * pair] = bias[(size_t)b->oc + o];
}

/* Unit: a block of output channels. */
static size_t pack_units(const cpu_conv *c)
{
    size_t n = 0;
    for (conv_block b = {0}; b.oc + b.n_oc < c->oc; n++)
        b = conv_block_next(c, &b);
    return n;
}

static void pack_run(const cpu_conv *c, float *packed, const float *weight, const float *bias,
                     bool turned, size_t begin, size_t end)
{
    const pack_source s = pack_source_make(c, weight, turned);
    conv_block b = {0};
    for (size_t unit = 0; unit < end; unit++) {
        b = conv_block_next(c, &b);
        if (unit < begin)
            continue;
        pack_bias(packed, &b, bias);
        pack_block(c, packed, &b, &s);
    }
}

/* ---- stride 2: four kinds of input pixels ----
 *
 * An input pixel (2y + a, 2x + b) met the taps ky with a + pad - ky even, at output row
 * y + (a + pad - ky) / 2, so for each a, b the gradient is a dense sum over few taps: the register
 * tiles of the direct convolution take it with steps of two pixels in dx. */

/* Taps of one axis that pixels of a parity met, by rising output position. */
typedef struct phase_axis {
    int n, first; /* how many; position of the first is y + first */
} phase_axis;

static phase_axis phase_axis_make(int k, int parity)
{
    phase_axis p = {0};
    for (int t = k - 1; t >= 0; t--) {
        const int shift = parity + cpu_pad(k) - t;
        if (shift % 2 != 0)
            continue;
        if (p.n == 0)
            p.first = shift / 2;
        p.n++;
    }
    return p;
}

/* The tap at place `at` of a phase: taps fall by two as positions rise. */
static int phase_tap(int k, int parity, phase_axis p, int at)
{
    return parity + cpu_pad(k) - 2 * (p.first + at);
}

/* As a packed convolution: 1x1 over all taps' channels. */
static cpu_conv phase_conv(const cpu_conv *forward, int taps)
{
    return (cpu_conv){
        .ic = forward->oc * taps, .oc = forward->ic, .k = 1, .stride = 1, .groups = 1};
}

/* Half vectors take pairs of channels, which must not lie in two taps. */
static bool phases_fit(const cpu_conv *forward)
{
    return forward->groups == 1 && forward->stride == 2 && forward->oc % 2 == 0;
}

static size_t phases_packed_floats(const cpu_conv *forward)
{
    size_t floats = 0;
    for (int phase = 0; phase < 4; phase++) {
        const phase_axis y = phase_axis_make(forward->k, phase / 2),
                         x = phase_axis_make(forward->k, phase % 2);
        const cpu_conv c = phase_conv(forward, y.n * x.n);
        floats += y.n * x.n > 0 ? conv_packed_floats_dense(&c) : 0;
    }
    return floats;
}

/* weight: the forward convolution's (O, I, k, k). Unit: a phase. */
static void phases_pack(const cpu_conv *forward, float *packed, const float *weight, size_t begin,
                        size_t end)
{
    const int k = forward->k;
    const size_t oc = (size_t)forward->oc;
    const pack_source s = {.weight = weight,
                           .taps = (size_t)(k * k),
                           .o_step = (size_t)(k * k),
                           .i_step = (size_t)forward->ic * (size_t)(k * k)};
    for (size_t phase = 0; phase < 4; phase++) {
        const phase_axis y = phase_axis_make(k, (int)phase / 2),
                         x = phase_axis_make(k, (int)phase % 2);
        const cpu_conv c = phase_conv(forward, y.n * x.n);
        conv_block b = {0};
        if (y.n * x.n == 0)
            continue;
        while (b.oc + b.n_oc < c.oc) {
            b = conv_block_next(&c, &b);
            if (phase < begin || phase >= end)
                continue;
            const size_t tap_floats = (b.v == 0 ? oc / 2 : oc) * (b.taps - b.begin);
            pack_bias(packed, &b, NULL);
            for (int t = 0; t < y.n * x.n; t++)
                pack_tap(packed + b.taps + (size_t)t * tap_floats, &b, &s, oc,
                         (size_t)(phase_tap(k, (int)phase / 2, y, t / x.n) * k +
                                  phase_tap(k, (int)phase % 2, x, t % x.n)));
        }
        packed += b.end;
    }
}

/* Rows of dz of a unit: some 64 pixels, so that weights serve more than a tile. */
static int phases_band(const nn_map *dz)
{
    const int rows = 64 / dz->w;
    return rows < 1 ? 1 : rows;
}

static size_t phases_units(const nn_map *dz)
{
    const int band = phases_band(dz);
    return (size_t)dz->n * (size_t)((dz->h + band - 1) / band);
}

/* One block of channels of one phase, and where it is. */
typedef struct phase_job {
    const cpu_conv *forward;
    const float *packed;
    const conv_block *b;
    const nn_map *dx, *dz;
    phase_axis y, x;
    int a, c; /* parities of row and column */
    bool adds;
} phase_job;

/* Pixels 2 * x + c of row 2 * y + a, for x in [x0, x1), which all see the same taps. */
static void phase_strip(const phase_job *j, int i, int y, int x0, int x1)
{
    const nn_map *dx = j->dx, *dz = j->dz;
    int y_first = y + j->y.first, x_first = x0 + j->x.first;
    const int y_skip = y_first < 0 ? -y_first : 0, x_skip = x_first < 0 ? -x_first : 0;
    int n_ky = dz->h - y_first < j->y.n ? dz->h - y_first : j->y.n;
    int n_kx = dz->w - x_first < j->x.n ? dz->w - x_first : j->x.n;
    n_ky = n_ky > y_skip ? n_ky - y_skip : 0;
    n_kx = n_kx > x_skip ? n_kx - x_skip : 0;
    if (n_ky == 0 || n_kx == 0) /* no tap: the tile would read nothing, but its addresses must be */
        y_first = x_first = n_ky = n_kx = 0;
    else
        y_first += y_skip, x_first += x_skip;
    const size_t lanes = j->b->taps - j->b->begin, oc = (size_t)j->forward->oc;
    const size_t tap = (j->b->v == 0 ? oc / 2 : oc) * lanes;
    float *dst = nn_map_row(dx, i, 2 * y + j->a) + (size_t)(2 * x0 + j->c) * dx->pitch + j->b->oc;
    conv_tile t = {
        .src = nn_map_row(dz, i, y_first) + (size_t)x_first * dz->pitch,
        .src_step = dz->pitch * sizeof(float),
        .src_kx = dz->pitch * sizeof(float),
        .src_ky = (size_t)dz->w * dz->pitch * sizeof(float),
        .bias = j->packed + j->b->begin,
        .w = j->packed + j->b->taps + (size_t)(y_skip * j->x.n + x_skip) * tap,
        .w_ky = (size_t)j->x.n * tap,
        .n_ky = (size_t)n_ky,
        .n_kx = (size_t)n_kx,
        .run = oc,
        .dst = dst,
        .add = j->adds ? dst : NULL,
        .dst_step = 2 * dx->pitch,
        .add_step = 2 * dx->pitch,
        .n_oc = j->b->n_oc,
    };
    tile_strip(&t, j->b->v, (size_t)(x1 - x0));
}

/* A row: its inner part in one strip, the edges, which miss taps, pixel by pixel. */
static void phase_row(const phase_job *j, int i, int y)
{
    const int n = (j->dx->w - j->c + 1) / 2; /* pixels of this parity */
    int lo = j->x.first < 0 ? -j->x.first : 0;
    int hi = j->dz->w - j->x.first - j->x.n + 1;
    if (2 * y + j->a >= j->dx->h)
        return;
    lo = lo < n ? lo : n;
    hi = hi < lo ? lo : hi < n ? hi : n;
    for (int x = 0; x < lo; x++)
        phase_strip(j, i, y, x, x + 1);
    if (hi > lo)
        phase_strip(j, i, y, lo, hi);
    for (int x = hi; x < n; x++)
        phase_strip(j, i, y, x, x + 1);
}

/* Rows of pixels that no tap reached. */
static void phase_clear(const phase_job *j, int i, int y0, int y1)
{
    for (int y = y0; y < y1 && 2 * y + j->a < j->dx->h; y++)
        for (int x = j->c; x < j->dx->w; x += 2)
            memset(nn_map_row(j->dx, i, 2 * y + j->a) + (size_t)x * j->dx->pitch, 0,
                   (size_t)j->dx->c * sizeof(float));
}

/* dx = or += the gradient. packed: by phases_pack. */
static void phases_run(const cpu_conv *forward, const float *packed, const nn_map *dx,
                       const nn_map *dz, bool adds, size_t begin, size_t end)
{
    const int rows = phases_band(dz);
    const size_t bands = (size_t)((dz->h + rows - 1) / rows);
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / bands), y0 = (int)(unit % bands) * rows;
        const int y1 = dz->h - y0 < rows ? dz->h : y0 + rows;
        const float *at = packed;
        for (int phase = 0; phase < 4; phase++) {
            phase_job j = {.forward = forward,
                           .packed = at,
                           .dx = dx,
                           .dz = dz,
                           .adds = adds,
                           .a = phase / 2,
                           .c = phase % 2};
            j.y = phase_axis_make(forward->k, j.a);
            j.x = phase_axis_make(forward->k, j.c);
            const cpu_conv c = phase_conv(forward, j.y.n * j.x.n);
            conv_block b = {0};
            j.b = &b;
            if (j.y.n * j.x.n == 0) { /* 1x1: nothing reaches these pixels */
                if (!adds)
                    phase_clear(&j, i, y0, y1);
                continue;
            }
            while (b.oc + b.n_oc < c.oc) {
                b = conv_block_next(&c, &b);
                for (int y = y0; y < y1; y++)
                    phase_row(&j, i, y);
            }
            at += b.end;
        }
    }
}
