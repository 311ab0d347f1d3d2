/* backward.inc.h: backward of softmax(scale q k) v, spec 1.4, a head of a picture at a time.
 *
 * With P the probabilities and dO the gradient of the output: dV = P' dO; dP = dO V';
 * dS = P (dP - sum_j P dP); dQ = scale dS K; dK = scale dS' Q. P is computed again, four queries at
 * a time, so scratch is a few rows instead of a matrix. K and V are transposed first: then all
 * products run along pixels. */

enum { ATTEND_ROWS = 4 };

/* Scratch: K transposed (K, n), V transposed (D, n), P and dP (4, n), dK (n, K), dV (n, D). */
typedef struct attend {
    int pixels, key_dim, head_dim;
    size_t n; /* pixels rounded up to vectors */
    float *kt, *vt, *p, *dp, *dk, *dv;
    const float *q, *k, *v, *dy; /* of pixel 0 */
    size_t pitch, dy_pitch;
    float scale;
} attend;

static size_t attend_n(int pixels)
{
    return ((size_t)pixels + VF_LANES - 1) / VF_LANES * VF_LANES;
}

static size_t attention_back_scratch_floats(int pixels, int key_dim, int head_dim)
{
    return attend_n(pixels) * (size_t)(2 * (key_dim + head_dim) + 2 * ATTEND_ROWS);
}

static void attend_transpose(float *to, size_t n, const float *from, size_t pitch, int pixels,
                             int dim)
{
    for (int c = 0; c < dim; c++)
        for (size_t j = 0; j < n; j++)
            to[(size_t)c * n + j] = j < (size_t)pixels ? from[j * pitch + (size_t)c] : 0.0F;
}

/* out[r][j] = factor * sum_c a[r][c] * bt[c][j] for up to four rows; rows past `rows` repeat the
 * last. */
static void attend_rows(const attend *t, float *out, const float *a, size_t a_pitch, int rows,
                        const float *bt, int dim, float factor)
{
    const float *row[ATTEND_ROWS];
    for (int r = 0; r < ATTEND_ROWS; r++)
        row[r] = a + (size_t)(r < rows ? r : rows - 1) * a_pitch;
    for (size_t j = 0; j < t->n; j += VF_LANES) {
        vf s0 = vf_zero(), s1 = s0, s2 = s0, s3 = s0;
        for (int c = 0; c < dim; c++) {
            const vf b = vf_load(bt + (size_t)c * t->n + j);
            s0 = vf_fma(vf_set1(row[0][c]), b, s0);
            s1 = vf_fma(vf_set1(row[1][c]), b, s1);
            s2 = vf_fma(vf_set1(row[2][c]), b, s2);
            s3 = vf_fma(vf_set1(row[3][c]), b, s3);
        }
        const vf f = vf_set1(factor);
        vf_store(out + j, vf_mul(s0, f));
        vf_store(out + t->n + j, vf_mul(s1, f));
        vf_store(out + 2 * t->n + j, vf_mul(s2, f));
        vf_store(out + 3 * t->n + j, vf_mul(s3, f));
    }
}

/* A row of scores into probabilities; what lies past the pixels becomes 0. */
static void attend_softmax(float *p, int pixels, size_t n)
{
    float top = p[0];
    for (int j = 1; j < pixels; j++)
        top = p[j] > top ? p[j] : top;
    for (size_t j = (size_t)pixels; j < n; j++)
        p[j] = -INFINITY;
    vf sum = vf_zero();
    const vf high = vf_set1(top);
    for (size_t j = 0; j < n; j += VF_LANES) {
        vf d = vf_max(vf_set1(-126.0F), vf_mul(vf_sub(vf_load(p + j), high), vf_set1(1.44269504F)));
        d = vf_exp2(d);
        vf_store(p + j, d);
    }
    for (size_t j = (size_t)pixels; j < n; j++)
        p[j] = 0.0F;
    for (size_t j = 0; j < n; j += VF_LANES)
        sum = vf_add(sum, vf_load(p + j));
    const vf inverse = vf_set1(1.0F / vf_hsum(sum));
    for (size_t j = 0; j < n; j += VF_LANES)
        vf_store(p + j, vf_mul(vf_load(p + j), inverse));
}

/* dp becomes ds = p (dp - sum p dp) * scale. */
static void attend_softmax_back(float *dp, const float *p, size_t n, float scale)
{
    vf sum = vf_zero();
    for (size_t j = 0; j < n; j += VF_LANES)
        sum = vf_fma(vf_load(p + j), vf_load(dp + j), sum);
    const vf mean = vf_set1(vf_hsum(sum)), s = vf_set1(scale);
    for (size_t j = 0; j < n; j += VF_LANES)
        vf_store(dp + j, vf_mul(vf_mul(vf_load(p + j), s), vf_sub(vf_load(dp + j), mean)));
}

/* to[j][c] += sum_r w[r][j] * a[r][c]: rows' share in every pixel's sum. */
static void attend_scatter(const attend *t, float *to, const float *w, const float *a,
                           size_t a_pitch, int rows, int dim)
{
    for (int c = 0; c < dim; c += VF_LANES) {
        const int n = dim - c < VF_LANES ? dim - c : VF_LANES;
        vf row[ATTEND_ROWS];
        for (int r = 0; r < ATTEND_ROWS; r++)
            row[r] = r < rows ? vf_load_n(a + (size_t)r * a_pitch + c, n) : vf_zero();
        float *out = to + c;
        for (int j = 0; j < t->pixels; j++, out += dim) {
            vf s = vf_load_n(out, n);
            s = vf_fma(vf_set1(w[j]), row[0], s);
            s = vf_fma(vf_set1(w[t->n + (size_t)j]), row[1], s);
            s = vf_fma(vf_set1(w[2 * t->n + (size_t)j]), row[2], s);
            s = vf_fma(vf_set1(w[3 * t->n + (size_t)j]), row[3], s);
            vf_store_n(out, s, n);
        }
    }
}

/* to[r][c] (+)= sum_j w[r][j] * b[j][c]. */
static void attend_gather(const attend *t, float *to, size_t to_pitch, const float *w,
                          const float *b, int rows, int dim, bool adds)
{
    for (int c = 0; c < dim; c += VF_LANES) {
        const int n = dim - c < VF_LANES ? dim - c : VF_LANES;
        vf sum[ATTEND_ROWS];
        for (int r = 0; r < ATTEND_ROWS; r++)
            sum[r] = vf_zero();
        const float *in = b + c;
        for (int j = 0; j < t->pixels; j++, in += t->pitch) {
            const vf x = vf_load_n(in, n);
            for (int r = 0; r < ATTEND_ROWS; r++)
                sum[r] = vf_fma(vf_set1(w[(size_t)r * t->n + (size_t)j]), x, sum[r]);
        }
        for (int r = 0; r < rows; r++) {
            float *out = to + (size_t)r * to_pitch + c;
            vf_store_n(out, adds ? vf_add(vf_load_n(out, n), sum[r]) : sum[r], n);
        }
    }
}

static void attend_give(float *to, size_t to_pitch, const float *from, int pixels, int dim,
                        bool adds)
{
    for (int j = 0; j < pixels; j++, to += to_pitch, from += dim)
        for (int c = 0; c < dim; c++)
            to[c] = adds ? to[c] + from[c] : from[c];
}

static void attention_back_run(const nn_map *dx, const nn_map *x, const nn_map *dy, int heads,
                               int key_dim, int head_dim, float scale, bool adds, float *scratch,
                               size_t begin, size_t end)
{
    const int pixels = x->h * x->w;
    attend t = {.pixels = pixels,
                .key_dim = key_dim,
                .head_dim = head_dim,
                .n = attend_n(pixels),
                .pitch = x->pitch,
                .dy_pitch = dy->pitch,
                .scale = scale};
    t.kt = scratch;
    t.vt = t.kt + t.n * (size_t)key_dim;
    t.p = t.vt + t.n * (size_t)head_dim;
    t.dp = t.p + ATTEND_ROWS * t.n;
    t.dk = t.dp + ATTEND_ROWS * t.n;
    t.dv = t.dk + t.n * (size_t)key_dim;
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)heads), head = (int)(unit % (size_t)heads);
        const size_t at = (size_t)head * (size_t)(2 * key_dim + head_dim);
        t.q = nn_map_row(x, i, 0) + at;
        t.k = t.q + key_dim;
        t.v = t.k + key_dim;
        t.dy = nn_map_row(dy, i, 0) + (size_t)head * (size_t)head_dim;
        float *dq = nn_map_row(dx, i, 0) + at;
        attend_transpose(t.kt, t.n, t.k, t.pitch, pixels, key_dim);
        attend_transpose(t.vt, t.n, t.v, t.pitch, pixels, head_dim);
        memset(t.dk, 0, t.n * (size_t)(key_dim + head_dim) * sizeof *t.dk);
        for (int row = 0; row < pixels; row += ATTEND_ROWS) {
            const int rows = pixels - row < ATTEND_ROWS ? pixels - row : ATTEND_ROWS;
            const float *q = t.q + (size_t)row * t.pitch, *out = t.dy + (size_t)row * t.dy_pitch;
            attend_rows(&t, t.p, q, t.pitch, rows, t.kt, key_dim, scale);
            attend_rows(&t, t.dp, out, t.dy_pitch, rows, t.vt, head_dim, 1.0F);
            for (int r = 0; r < ATTEND_ROWS; r++) {
                attend_softmax(t.p + (size_t)r * t.n, pixels, t.n);
                attend_softmax_back(t.dp + (size_t)r * t.n, t.p + (size_t)r * t.n, t.n, scale);
            }
            attend_scatter(&t, t.dv, t.p, out, t.dy_pitch, rows, head_dim);
            attend_scatter(&t, t.dk, t.dp, q, t.pitch, rows, key_dim);
            attend_gather(&t, dq + (size_t)row * dx->pitch, dx->pitch, t.dp, t.k, rows, key_dim,
                          adds);
        }
        attend_give(dq + key_dim, dx->pitch, t.dk, pixels, key_dim, adds);
        attend_give(dq + 2 * key_dim, dx->pitch, t.dv, pixels, head_dim, adds);
    }
}
