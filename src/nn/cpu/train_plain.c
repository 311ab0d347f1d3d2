/* train_plain.c: the truth. Every op as its definition reads, sums in double, no tricks: the tests
 * hold the other tables against it. Slow. */
#include <math.h>
#include <string.h>

#include "train_kernels.h"

static float *pixel(const nn_map *m, size_t p)
{
    return m->data + p * m->pitch;
}

static float *pixel_at(const nn_map *m, int i, int y, int x)
{
    return nn_map_row(m, i, y) + (size_t)x * m->pitch;
}

/* Pixels [*first, return) of a chunk. */
static size_t chunk_end(const nn_map *m, size_t chunk, size_t *first)
{
    const size_t of = cpu_chunk_pixels(m->c), all = cpu_map_pixels(m);
    *first = chunk * of;
    return *first + of < all ? *first + of : all;
}

static double sigmoid(double t)
{
    return 1.0 / (1.0 + exp(-t));
}

static void moments_run(float *parts, const nn_map *z, size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++)
        for (int c = 0; c < z->c; c++) {
            size_t first, last = chunk_end(z, chunk, &first);
            double sum = 0, m2 = 0;
            for (size_t p = first; p < last; p++)
                sum += pixel(z, p)[c];
            const double mean = sum / (double)(last - first);
            for (size_t p = first; p < last; p++)
                m2 += (pixel(z, p)[c] - mean) * (pixel(z, p)[c] - mean);
            parts[chunk * 2 * (size_t)z->c + (size_t)c] = (float)mean;
            parts[(chunk * 2 + 1) * (size_t)z->c + (size_t)c] = (float)m2;
        }
}

static void norm_run(const cpu_norm *k, const nn_map *dst, const nn_map *z, const nn_map *add,
                     size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++) {
        size_t first, last = chunk_end(z, chunk, &first);
        for (size_t p = first; p < last; p++)
            for (int c = 0; c < z->c; c++) {
                double y = (double)pixel(z, p)[c] * k->scale[c] + k->shift[c];
                if (k->silu)
                    y *= sigmoid(y);
                if (add)
                    y += pixel(add, p)[c];
                pixel(dst, p)[c] = (float)y;
            }
    }
}

/* The gradient before the activation. */
static double gate(const cpu_norm *k, double z, double dy, int c)
{
    if (!k->silu)
        return dy;
    const double y = z * k->scale[c] + k->shift[c], s = sigmoid(y);
    return dy * s * (1 + y * (1 - s));
}

static void norm_sums_run(const cpu_norm *k, float *parts, const nn_map *z, const nn_map *dy,
                          size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++)
        for (int c = 0; c < z->c; c++) {
            size_t first, last = chunk_end(z, chunk, &first);
            double sum = 0, sum_z = 0;
            for (size_t p = first; p < last; p++) {
                const double g = gate(k, pixel(z, p)[c], pixel(dy, p)[c], c);
                sum += g;
                sum_z += g * (pixel(z, p)[c] - k->mean[c]);
            }
            parts[chunk * 2 * (size_t)z->c + (size_t)c] = (float)sum;
            parts[(chunk * 2 + 1) * (size_t)z->c + (size_t)c] = (float)sum_z;
        }
}

static void norm_back_run(const cpu_norm_back *k, const nn_map *z, const nn_map *dy, size_t begin,
                          size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++) {
        size_t first, last = chunk_end(z, chunk, &first);
        for (size_t p = first; p < last; p++)
            for (int c = 0; c < z->c; c++) {
                const double x = pixel(z, p)[c], g = gate(&k->norm, x, pixel(dy, p)[c], c);
                pixel(z, p)[c] = (float)(k->norm.scale[c] * g +
                                         k->slope[c] * (x - k->norm.mean[c]) + k->offset[c]);
            }
    }
}

static void sums_run(float *parts, const nn_map *dy, size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++)
        for (int c = 0; c < dy->c; c++) {
            size_t first, last = chunk_end(dy, chunk, &first);
            double sum = 0;
            for (size_t p = first; p < last; p++)
                sum += pixel(dy, p)[c];
            parts[chunk * (size_t)dy->c + (size_t)c] = (float)sum;
        }
}

static void give_run(const nn_map *dst, const nn_map *src, bool adds, size_t begin, size_t end)
{
    for (size_t chunk = begin; chunk < end; chunk++) {
        size_t first, last = chunk_end(dst, chunk, &first);
        for (size_t p = first; p < last; p++)
            for (int c = 0; c < dst->c; c++)
                pixel(dst, p)[c] = (adds ? pixel(dst, p)[c] : 0) + (src ? pixel(src, p)[c] : 0);
    }
}

static void upsample_back_run(const nn_map *dx, const nn_map *dy, bool adds, size_t begin,
                              size_t end)
{
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / (size_t)dx->h), y = (int)(unit % (size_t)dx->h);
        for (int x = 0; x < dx->w; x++)
            for (int c = 0; c < dx->c; c++) {
                double sum = adds ? pixel_at(dx, i, y, x)[c] : 0;
                for (int t = 0; t < 4; t++)
                    sum += pixel_at(dy, i, 2 * y + t / 2, 2 * x + t % 2)[c];
                pixel_at(dx, i, y, x)[c] = (float)sum;
            }
    }
}

/* Where the first maximum of a window is, in row-major order. */
static float *winner(int k, const nn_map *dx, const nn_map *x, int i, int y, int px, int c)
{
    float best = -INFINITY, *at = NULL;
    for (int sy = y - k / 2; sy <= y + k / 2; sy++)
        for (int sx = px - k / 2; sx <= px + k / 2; sx++)
            if (sy >= 0 && sy < x->h && sx >= 0 && sx < x->w &&
                (!at || pixel_at(x, i, sy, sx)[c] > best)) {
                best = pixel_at(x, i, sy, sx)[c];
                at = &pixel_at(dx, i, sy, sx)[c];
            }
    return at;
}

static void maxpool_back_run(int k, const nn_map *dx, const nn_map *x, const nn_map *dy, bool adds,
                             size_t begin, size_t end)
{
    const size_t blocks = ((size_t)dx->c + 15) / 16;
    for (size_t unit = begin; unit < end; unit++) {
        const int i = (int)(unit / blocks), first = (int)(unit % blocks) * 16;
        for (int c = first; c < dx->c && c < first + 16; c++) {
            for (int p = 0; !adds && p < dx->h * dx->w; p++)
                pixel_at(dx, i, p / dx->w, p % dx->w)[c] = 0;
            for (int y = 0; y < dx->h; y++)
                for (int px = 0; px < dx->w; px++)
                    *winner(k, dx, x, i, y, px, c) += pixel_at(dy, i, y, px)[c];
        }
    }
}

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
            const int sy = y * c->stride + tap / c->k - c->k / 2;
            const int sx = px * c->stride + tap % c->k - c->k / 2;
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

const cpu_train_kernels cpu_train_kernels_plain = {
    .infer = &cpu_kernels_plain,
    .pack_units = pack_units,
    .pack_run = pack_run,
    .strided_fits = strided_fits,
    .moments_run = moments_run,
    .norm_run = norm_run,
    .norm_sums_run = norm_sums_run,
    .norm_back_run = norm_back_run,
    .sums_run = sums_run,
    .give_run = give_run,
    .upsample_back_run = upsample_back_run,
    .maxpool_back_run = maxpool_back_run,
    .attention_back_scratch_floats = attention_back_scratch_floats,
    .attention_back_run = attention_back_run,
    .weight_sums = weight_sums,
    .weight_sums_run = weight_sums_run,
    .weight_add_units = weight_add_units,
    .weight_add_run = weight_add_run,
    .depthwise_sums_run = depthwise_sums_run,
};
