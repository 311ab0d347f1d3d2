/* depthwise.inc.h: depthwise convolution, every channel by itself, vectors over channels.
 *
 * 3x3 with stride 1, the only kind in YOLO11, slides over x: a column of input is loaded once and
 * adds to the three output columns that see it, for DW_ROWS output rows at once. Other kinds take
 * the taps one by one. The sum of an output is bias, then kx ascending, in it ky ascending; taps
 * outside the picture add zero. Packed: per vector of channels the bias and then [kx][ky], VF_LANES
 * floats each. */

#define DW_ROWS      2
#define DW_BAND_ROWS 8 /* of a unit, at most */

static size_t conv_packed_floats_depthwise(const cpu_conv *c)
{
    const size_t vectors = ((size_t)c->oc + VF_LANES - 1) / VF_LANES;
    return vectors * VF_LANES * (1 + (size_t)c->k * (size_t)c->k);
}

static void conv_pack_depthwise(const cpu_conv *c, float *packed, const float *weight,
                                const float *bias)
{
    const size_t k = (size_t)c->k, all = conv_packed_floats_depthwise(c);
    for (size_t i = 0; i < all; i++)
        packed[i] = 0.0F;
    for (size_t o = 0; o < (size_t)c->oc; o++) {
        float *p = packed + o / VF_LANES * VF_LANES * (1 + k * k) + o % VF_LANES;
        p[0] = bias[o];
        for (size_t ky = 0; ky < k; ky++)
            for (size_t kx = 0; kx < k; kx++)
                p[(1 + kx * k + ky) * VF_LANES] = weight[(o * k + ky) * k + kx];
    }
}

static conv_cut depthwise_bands(const cpu_conv *c, const nn_map *dst)
{
    return conv_cut_make(c, (size_t)dst->n, (size_t)dst->h, DW_BAND_ROWS, DW_ROWS);
}

static size_t conv_units_depthwise(const cpu_conv *c, const nn_map *dst)
{
    return (size_t)dst->n * depthwise_bands(c, dst).n;
}

ALWAYS_INLINE void depthwise_store(float *dst, const float *add, vf z, int n, bool silu)
{
    if (silu)
        z = vf_silu(z);
    if (add)
        z = vf_add(z, n == VF_LANES ? vf_load(add) : vf_load_n(add, n));
    if (n == VF_LANES)
        vf_store(dst, z);
    else
        vf_store_n(dst, z, n);
}

/* Rows [y, y + rows) of picture i, rows <= DW_ROWS, channels [oc, oc + n). */
static void depthwise_3x3(const cpu_conv *c, const float *packed, const nn_map *dst,
                          const nn_map *src, const nn_map *add, int i, int y, int rows, int oc,
                          int n)
{
    static const float nothing[VF_LANES]; /* stands for rows outside: it never moves on */
    const float *in[DW_ROWS + 2];
    size_t in_step[DW_ROWS + 2];
    for (int r = 0; r < DW_ROWS + 2; r++) {
        const int at = y + r - 1;
        const bool inside = at >= 0 && at < src->h && r < rows + 2;
        in[r] = inside ? nn_map_row(src, i, at) + oc : nothing;
        in_step[r] = inside ? src->pitch : 0;
    }
    float *out[DW_ROWS];
    const float *plus[DW_ROWS];
    for (int r = 0; r < DW_ROWS; r++) {
        out[r] = r < rows ? nn_map_row(dst, i, y + r) + oc : NULL;
        plus[r] = r < rows && add ? nn_map_row(add, i, y + r) + oc : NULL;
    }
    vf w[9];
    UNROLLED
    for (int t = 0; t < 9; t++)
        w[t] = vf_load(packed + (1 + t) * VF_LANES);
    const vf bias = vf_load(packed);
    vf now[DW_ROWS], next[DW_ROWS]; /* sums of columns x - 1 and x, when column x comes in */
    UNROLLED
    for (int r = 0; r < DW_ROWS; r++)
        now[r] = next[r] = bias;
    for (int x = 0; x <= src->w; x++) {
        vf column[DW_ROWS + 2];
        UNROLLED
        for (int r = 0; r < DW_ROWS + 2; r++) {
            column[r] = x == src->w     ? vf_zero()
                        : n == VF_LANES ? vf_load(in[r])
                                        : vf_load_n(in[r], n);
            in[r] += in_step[r];
        }
        UNROLLED
        for (int r = 0; r < DW_ROWS; r++) {
            vf after = bias;
            UNROLLED
            for (int ky = 0; ky < 3; ky++) {
                now[r] = vf_fma(column[r + ky], w[6 + ky], now[r]);
                next[r] = vf_fma(column[r + ky], w[3 + ky], next[r]);
                after = vf_fma(column[r + ky], w[ky], after);
            }
            if (x > 0 && out[r]) {
                depthwise_store(out[r], plus[r], now[r], n, c->silu);
                out[r] += dst->pitch;
                if (plus[r])
                    plus[r] += add->pitch;
            }
            now[r] = next[r];
            next[r] = after;
        }
    }
}

static void depthwise_row(const cpu_conv *c, const float *packed, const nn_map *dst,
                          const nn_map *src, const nn_map *add, int i, int y, int oc, int n)
{
    const conv_axis ax = conv_axis_make(src->w, dst->w, c->k, c->stride);
    const conv_axis ay = conv_axis_make(src->h, dst->h, c->k, c->stride);
    const conv_taps ty = conv_taps_of(&ay, y);
    for (int x = 0; x < dst->w; x++) {
        const conv_taps tx = conv_taps_of(&ax, x);
        vf sum = vf_load(packed);
        for (int kx = tx.first; kx < tx.end; kx++)
            for (int ky = ty.first; ky < ty.end; ky++) {
                const float *in = nn_map_row(src, i, ty.at + ky - ty.first) +
                                  (size_t)(tx.at + kx - tx.first) * src->pitch + oc;
                sum = vf_fma(vf_load_n(in, n), vf_load(packed + (1 + kx * c->k + ky) * VF_LANES),
                             sum);
            }
        depthwise_store(nn_map_row(dst, i, y) + (size_t)x * dst->pitch + oc,
                        add ? nn_map_row(add, i, y) + (size_t)x * add->pitch + oc : NULL, sum, n,
                        c->silu);
    }
}

static void conv_run_depthwise(const cpu_conv *c, const float *packed, const nn_map *dst,
                               const nn_map *src, const nn_map *add, size_t begin, size_t end)
{
    const conv_cut bands = depthwise_bands(c, dst);
    const size_t vector_floats = VF_LANES * (1 + (size_t)c->k * (size_t)c->k);
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / bands.n), from = (int)(unit % bands.n * bands.each);
        const int to = dst->h - from < (int)bands.each ? dst->h : from + (int)bands.each;
        const float *p = packed;
        for (int oc = 0; oc < c->oc; oc += VF_LANES, p += vector_floats) {
            const int n = c->oc - oc < VF_LANES ? c->oc - oc : VF_LANES;
            if (c->k == 3 && c->stride == 1)
                for (int y = from; y < to; y += DW_ROWS)
                    depthwise_3x3(c, p, dst, src, add, i, y, to - y < DW_ROWS ? to - y : DW_ROWS,
                                  oc, n);
            else
                for (int y = from; y < to; y++)
                    depthwise_row(c, p, dst, src, add, i, y, oc, n);
        }
    }
}
