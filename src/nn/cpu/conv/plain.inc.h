/* plain.inc.h: convolution both ways as its definition reads. */

/* Packed: the weights as they are, then the bias. */
static size_t weight_floats(const cpu_conv *c)
{
    return (size_t)c->oc * (size_t)(c->ic / c->groups) * (size_t)(c->k * c->k);
}

static size_t conv_packed_floats(const cpu_conv *c)
{
    return weight_floats(c) + (size_t)c->oc;
}

static void conv_pack(const cpu_conv *c, float *packed, const float *weight, const float *bias)
{
    const size_t n = weight_floats(c);
    for (size_t i = 0; i < n; i++)
        packed[i] = weight[i];
    for (size_t o = 0; o < (size_t)c->oc; o++)
        packed[n + o] = bias[o];
}

static size_t conv_units(const cpu_conv *c, const nn_map *dst)
{
    (void)c;
    return rows_of(dst);
}

/* Output channel o of pixel (y, x) of picture i, before the activation. */
static double conv_sum(const cpu_conv *c, const float *packed, const nn_map *src, int i, int y,
                       int x, int o)
{
    const int group_ic = c->ic / c->groups, first = o / (c->oc / c->groups) * group_ic,
              pad = cpu_pad(c->k);
    const float *weight = packed + (size_t)o * (size_t)(group_ic * c->k * c->k);
    double sum = packed[weight_floats(c) + (size_t)o];
    for (int ky = 0; ky < c->k; ky++)
        for (int kx = 0; kx < c->k; kx++) {
            const int sy = y * c->stride + ky - pad, sx = x * c->stride + kx - pad;
            if (sy < 0 || sy >= src->h || sx < 0 || sx >= src->w)
                continue;
            const float *in = pixel_at(src, i, sy, sx) + first;
            for (int ic = 0; ic < group_ic; ic++)
                sum += (double)in[ic] * (double)weight[(ic * c->k + ky) * c->k + kx];
        }
    return sum;
}

static size_t conv_scratch_floats(const cpu_conv *c)
{
    (void)c;
    return 0;
}

static void conv_run(const cpu_conv *c, const float *packed, const nn_map *dst, const nn_map *src,
                     const nn_map *add, float *scratch, size_t begin, size_t end)
{
    (void)scratch;
    for (size_t row = begin; row < end; row++) {
        const int i = (int)(row / (size_t)dst->h), y = (int)(row % (size_t)dst->h);
        for (int x = 0; x < dst->w; x++)
            for (int o = 0; o < dst->c; o++) {
                double z = conv_sum(c, packed, src, i, y, x, o);
                if (c->silu)
                    z = z == -(double)INFINITY ? 0.0 : z / (1.0 + exp(-z));
                if (add)
                    z += (double)pixel_at(add, i, y, x)[o];
                (nn_map_row(dst, i, y) + (size_t)x * dst->pitch)[o] = (float)z;
            }
    }
}

/* ---- backward ---- */

/* Slots are pictures here. */
static cpu_weight_sums weight_sums(const cpu_conv *c, const nn_map *dz)
{
    return (cpu_weight_sums){.slots = (size_t)dz->n,
                             .groups = 1,
                             .slot_floats = (size_t)c->oc * (size_t)(c->ic / c->groups) *
                                            (size_t)(c->k * c->k)};
}

/* The tap's sum over a picture. */
static double tap_sum(const cpu_conv *c, const nn_map *dz, const nn_map *x, int i, int o, int ic,
                      int tap)
{
    double sum = 0;
    for (int y = 0; y < dz->h; y++)
        for (int px = 0; px < dz->w; px++) {
            const int sy = y * c->stride + tap / c->k - cpu_pad(c->k);
            const int sx = px * c->stride + tap % c->k - cpu_pad(c->k);
            if (sy >= 0 && sy < x->h && sx >= 0 && sx < x->w)
                sum += (double)pixel_at(dz, i, y, px)[o] * pixel_at(x, i, sy, sx)[ic];
        }
    return sum;
}

static void weight_sums_run(const cpu_conv *c, float *sums, const nn_map *dz, const nn_map *x,
                            float *scratch, size_t begin, size_t end)
{
    (void)scratch;
    for (size_t unit = begin; unit < end; unit++) {
        float *to = sums + unit * weight_sums(c, dz).slot_floats;
        for (int o = 0; o < c->oc; o++)
            for (int ic = 0; ic < c->ic; ic++)
                for (int tap = 0; tap < c->k * c->k; tap++)
                    *to++ = (float)tap_sum(c, dz, x, (int)unit, o, ic, tap);
    }
}

static size_t weight_add_units(const cpu_conv *c)
{
    (void)c;
    return 1;
}

static void weight_add_run(const cpu_conv *c, const cpu_weight_sums *s, float *dw,
                           const float *sums, size_t begin, size_t end)
{
    (void)c, (void)begin, (void)end;
    for (size_t j = 0; j < s->slot_floats; j++) {
        double sum = dw[j];
        for (size_t slot = 0; slot < s->slots; slot++)
            sum += sums[slot * s->slot_floats + j];
        dw[j] = (float)sum;
    }
}

static void depthwise_sums_run(const cpu_conv *c, float *parts, const nn_map *dz, const nn_map *x,
                               size_t begin, size_t end)
{
    const size_t blocks = ((size_t)c->oc + 15) / 16, taps = (size_t)(c->k * c->k);
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / blocks), first = (int)(unit % blocks) * 16;
        for (int o = first; o < c->oc && o < first + 16; o++)
            for (size_t tap = 0; tap < taps; tap++)
                parts[((size_t)i * (size_t)c->oc + (size_t)o) * taps + tap] =
                    (float)tap_sum(c, dz, x, i, o, o, (int)tap);
    }
}

/* ---- packing: the plain form is (O, I, k, k) and the bias behind ---- */

static size_t pack_units(const cpu_conv *c)
{
    (void)c;
    return 1;
}

static void pack_run(const cpu_conv *c, float *packed, const float *weight, const float *bias,
                     bool turned, size_t begin, size_t end)
{
    const size_t taps = (size_t)(c->k * c->k), ic = (size_t)c->ic, oc = (size_t)c->oc;
    (void)begin, (void)end;
    for (size_t o = 0; o < oc; o++)
        for (size_t i = 0; i < ic; i++)
            for (size_t t = 0; t < taps; t++)
                packed[(o * ic + i) * taps + t] = turned
                                                      ? weight[(i * oc + o) * taps + taps - 1 - t]
                                                      : weight[(o * ic + i) * taps + t];
    for (size_t o = 0; o < oc; o++)
        packed[oc * ic * taps + o] = bias ? bias[o] : 0;
}

/* Strided convolutions go the other way here, through a spread gradient. */
static bool strided_fits(const cpu_conv *forward)
{
    (void)forward;
    return false;
}
