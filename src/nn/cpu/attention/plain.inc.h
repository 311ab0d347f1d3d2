/* plain.inc.h: attention both ways as its definition reads. */

/* A unit is one query of one head. */
static size_t attention_units(const nn_map *dst, int heads)
{
    return rows_of(dst) * (size_t)dst->w * (size_t)heads;
}

static size_t attention_scratch_floats(int pixels, int key_dim, int head_dim)
{
    (void)key_dim, (void)head_dim;
    return (size_t)pixels;
}

static void attention_run(const nn_map *dst, const nn_map *src, int heads, int key_dim,
                          int head_dim, float scale, float *scratch, size_t begin, size_t end)
{
    const size_t pixels = (size_t)dst->h * (size_t)dst->w;
    for (size_t unit = begin; unit < end; unit++) {
        const size_t query = unit % pixels, head_of_all = unit / pixels;
        const int i = (int)(head_of_all / (size_t)heads), head = (int)(head_of_all % (size_t)heads);
        const float *base = nn_map_row(src, i, 0) + head * (2 * key_dim + head_dim);
        const float *q = base + query * src->pitch;
        double max = -(double)INFINITY, sum = 0.0;
        for (size_t j = 0; j < pixels; j++) {
            const float *k = base + key_dim + j * src->pitch;
            double dot = 0.0;
            for (int c = 0; c < key_dim; c++)
                dot += (double)q[c] * (double)k[c];
            scratch[j] = (float)(dot * (double)scale);
            max = fmax(max, (double)scratch[j]);
        }
        for (size_t j = 0; j < pixels; j++)
            sum += exp((double)scratch[j] - max);
        float *out = nn_map_row(dst, i, 0) + query * dst->pitch + head * head_dim;
        for (int d = 0; d < head_dim; d++) {
            double mean = 0.0;
            for (size_t j = 0; j < pixels; j++)
                mean += exp((double)scratch[j] - max) *
                        (double)(base + 2 * key_dim + j * src->pitch)[d];
            out[d] = (float)(mean / sum);
        }
    }
}

/* ---- backward ---- */

/* Scratch: a row of probabilities and one of their gradients, as doubles. */
static size_t attention_back_scratch_floats(int pixels, int key_dim, int head_dim)
{
    (void)key_dim, (void)head_dim;
    return 4 * (size_t)pixels;
}

static void put(float *to, double value)
{
    *to = (float)(*to + value);
}

/* One query: everything that its row of the matrix gives. */
static void attend_query(const nn_map *dx, const nn_map *x, const float *dy, int i, int at, int row,
                         int kd, int hd, float scale, double *p)
{
    const int n = x->h * x->w;
    double *dp = p + n, top = -INFINITY, sum = 0, mean = 0;
    const float *q = nn_map_row(x, i, 0) + (size_t)row * x->pitch + at;
    for (int j = 0; j < n; j++) {
        const float *k = nn_map_row(x, i, 0) + (size_t)j * x->pitch + at + kd, *v = k + kd;
        p[j] = dp[j] = 0;
        for (int c = 0; c < kd; c++)
            p[j] += (double)q[c] * k[c] * scale;
        for (int c = 0; c < hd; c++)
            dp[j] += (double)dy[c] * v[c];
        top = p[j] > top ? p[j] : top;
    }
    for (int j = 0; j < n; j++)
        sum += p[j] = exp(p[j] - top);
    for (int j = 0; j < n; j++) {
        p[j] /= sum;
        mean += p[j] * dp[j];
    }
    float *dq = nn_map_row(dx, i, 0) + (size_t)row * dx->pitch + at;
    for (int j = 0; j < n; j++) {
        const float *k = nn_map_row(x, i, 0) + (size_t)j * x->pitch + at + kd;
        float *dk = nn_map_row(dx, i, 0) + (size_t)j * dx->pitch + at + kd, *dv = dk + kd;
        const double ds = p[j] * (dp[j] - mean) * scale;
        for (int c = 0; c < kd; c++) {
            put(&dq[c], ds * k[c]);
            put(&dk[c], ds * q[c]);
        }
        for (int c = 0; c < hd; c++)
            put(&dv[c], p[j] * dy[c]);
    }
}

static void attention_back_run(const nn_map *dx, const nn_map *x, const nn_map *dy, int heads,
                               int key_dim, int head_dim, float scale, bool adds, float *scratch,
                               size_t begin, size_t end)
{
    const int per_head = 2 * key_dim + head_dim, n = x->h * x->w;
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)heads), head = (int)(unit % (size_t)heads);
        for (int j = 0; !adds && j < n; j++)
            memset(nn_map_row(dx, i, 0) + (size_t)j * dx->pitch + head * per_head, 0,
                   (size_t)per_head * sizeof(float));
        for (int row = 0; row < n; row++)
            attend_query(dx, x, nn_map_row(dy, i, 0) + (size_t)row * dy->pitch + head * head_dim, i,
                         head * per_head, row, key_dim, head_dim, scale, (double *)(void *)scratch);
    }
}
