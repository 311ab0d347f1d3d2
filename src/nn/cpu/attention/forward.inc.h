/* forward.inc.h: scaled dot-product attention with the convolution's register tiles.
 *
 * Letters: N pixels, K key_dim, D head_dim. With the queries as pixels, q.k is a 1x1 convolution
 * from K to N channels whose weights are the keys, and the weighted sum of v is one from N to D
 * channels whose weights are v. So k and v are packed once per head in the blocks of the
 * convolution (without halves), and the scores of ATTENTION_QUERIES queries lie in scratch in
 * between: rows of N, padded to whole vectors. Scratch: keys, values, a row of zeros (the bias),
 * scores. A run that begins inside a head packs the head once more, so a unit is ATTENTION_BLOCKS
 * blocks of queries: packing stays a tenth of its work. */

#define ATTENTION_QUERIES 28
#define ATTENTION_BLOCKS  4

static size_t floats_whole_vectors(int n)
{
    return ((size_t)n + VF_LANES - 1) / VF_LANES * VF_LANES;
}

/* Of one head. */
static size_t attention_head_units(const nn_map *dst)
{
    const size_t queries = (size_t)ATTENTION_QUERIES * ATTENTION_BLOCKS;
    return ((size_t)dst->h * (size_t)dst->w + queries - 1) / queries;
}

static size_t attention_units(const nn_map *dst, int heads)
{
    return (size_t)dst->n * (size_t)heads * attention_head_units(dst);
}

static size_t attention_scratch_floats(int pixels, int key_dim, int head_dim)
{
    const size_t n = floats_whole_vectors(pixels), d = floats_whole_vectors(head_dim);
    return n * (size_t)key_dim + (size_t)pixels * d + (n > d ? n : d) + n * ATTENTION_QUERIES;
}

/* Vectors of the block that begins at vector `at` of `all`: as conv_block_next has it. */
static int attention_block(size_t at, size_t all)
{
    return all - at == 3 ? 3 : all - at >= 2 ? 2 : 1;
}

/* packed[block][k][lane] = keys[o][k]: o counts the pixels here, `pitch` floats apart; missing
 * lanes are zero. */
static void attention_pack_keys(float *packed, const float *keys, size_t pitch, size_t pixels,
                                size_t key_dim)
{
    const size_t all = (pixels + VF_LANES - 1) / VF_LANES;
    for (size_t at = 0; at < all;) {
        const size_t lanes = (size_t)attention_block(at, all) * VF_LANES;
        for (size_t lane = 0; lane < lanes; lane++) {
            const size_t o = at * VF_LANES + lane;
            for (size_t k = 0; k < key_dim; k++)
                packed[k * lanes + lane] = o < pixels ? keys[o * pitch + k] : 0.0F;
        }
        packed += lanes * key_dim;
        at += lanes / VF_LANES;
    }
}

/* packed[block][pixel][lane] = values[pixel][o]. */
static void attention_pack_values(float *packed, const float *values, size_t pitch, size_t pixels,
                                  size_t head_dim)
{
    const size_t all = (head_dim + VF_LANES - 1) / VF_LANES;
    for (size_t at = 0; at < all;) {
        const size_t lanes = (size_t)attention_block(at, all) * VF_LANES;
        for (size_t pixel = 0; pixel < pixels; pixel++)
            for (size_t lane = 0; lane < lanes; lane += VF_LANES) {
                const size_t o = at * VF_LANES + lane;
                const int n = head_dim - o < VF_LANES ? (int)(head_dim - o) : VF_LANES;
                vf_store(packed + pixel * lanes + lane, vf_load_n(values + pixel * pitch + o, n));
            }
        packed += lanes * pixels;
        at += lanes / VF_LANES;
    }
}

/* dst (rows, n_out) = src (rows, n_in) times packed. */
static void attention_product(float *dst, size_t dst_step, const float *src, size_t src_step,
                              const float *packed, const float *zeros, size_t rows, size_t n_in,
                              size_t n_out)
{
    const size_t all = (n_out + VF_LANES - 1) / VF_LANES;
    for (size_t at = 0; at < all;) {
        const int v = attention_block(at, all);
        const size_t first = at * VF_LANES, left = n_out - first, lanes = (size_t)v * VF_LANES;
        conv_tile t = {
            .src = src,
            .src_step = src_step * sizeof(float),
            .bias = zeros,
            .w = packed,
            .n_ky = 1,
            .n_kx = 1,
            .run = n_in,
            .dst = dst + first,
            .dst_step = dst_step,
            .n_oc = (int)(left < lanes ? left : lanes),
        };
        tile_strip(&t, v, rows);
        packed += lanes * n_in;
        at += (size_t)v;
    }
}

/* In place: exp(scale * (s - max)) / sum. */
static void attention_softmax(float *s, int n, float scale)
{
    int j = 0;
    vf most = vf_set1(-INFINITY);
    for (; j + VF_LANES <= n; j += VF_LANES)
        most = vf_max(most, vf_load(s + j));
    float max = vf_hmax(most);
    for (; j < n; j++)
        max = s[j] > max ? s[j] : max;

    const vf by = vf_set1(scale), offset = vf_set1(-max * scale);
    vf sums = vf_zero();
    for (j = 0; j + VF_LANES <= n; j += VF_LANES) {
        const vf e = vf_exp(vf_fma(vf_load(s + j), by, offset));
        vf_store(s + j, e);
        sums = vf_add(sums, e);
    }
    float sum = 0.0F;
    if (j < n) {
        vf_store_n(s + j, vf_exp(vf_fma(vf_load_n(s + j, n - j), by, offset)), n - j);
        sums = vf_add(sums, vf_load_n(s + j, n - j));
    }
    sum = vf_hsum(sums);
    const vf norm = vf_set1(1.0F / sum);
    for (j = 0; j + VF_LANES <= n; j += VF_LANES)
        vf_store(s + j, vf_mul(vf_load(s + j), norm));
    if (j < n)
        vf_store_n(s + j, vf_mul(vf_load_n(s + j, n - j), norm), n - j);
}

static void attention_run(const nn_map *dst, const nn_map *src, int heads, int key_dim,
                          int head_dim, float scale, float *scratch, size_t begin, size_t end)
{
    const size_t pixels = (size_t)dst->h * (size_t)dst->w, head_units = attention_head_units(dst);
    const size_t n = floats_whole_vectors((int)pixels), d = floats_whole_vectors(head_dim);
    float *keys = scratch, *values = keys + n * (size_t)key_dim, *zeros = values + pixels * d;
    float *scores = zeros + (n > d ? n : d);
    for (size_t j = 0; j < (n > d ? n : d); j++)
        zeros[j] = 0.0F;
    size_t packed_head = (size_t)-1;
    for (size_t unit = begin; unit < end; unit++) {
        const size_t head_of_all = unit / head_units;
        const int i = (int)(head_of_all / (size_t)heads), head = (int)(head_of_all % (size_t)heads);
        const float *q = nn_map_row(src, i, 0) + head * (2 * key_dim + head_dim);
        float *out = nn_map_row(dst, i, 0) + head * head_dim;
        if (head_of_all != packed_head) {
            attention_pack_keys(keys, q + key_dim, src->pitch, pixels, (size_t)key_dim);
            attention_pack_values(values, q + 2 * key_dim, src->pitch, pixels, (size_t)head_dim);
            packed_head = head_of_all;
        }
        size_t first = unit % head_units * ATTENTION_QUERIES * ATTENTION_BLOCKS;
        for (size_t block = 0; block < ATTENTION_BLOCKS && first < pixels;
             block++, first += ATTENTION_QUERIES) {
            const size_t rows =
                pixels - first < ATTENTION_QUERIES ? pixels - first : ATTENTION_QUERIES;
            attention_product(scores, n, q + first * src->pitch, src->pitch, keys, zeros, rows,
                              (size_t)key_dim, pixels);
            for (size_t r = 0; r < rows; r++)
                attention_softmax(scores + r * n, (int)pixels, scale);
            attention_product(out + first * dst->pitch, dst->pitch, scores, n, values, zeros, rows,
                              pixels, (size_t)head_dim);
        }
    }
}
