/* train_attention.cl: the gradient of attention.cl's product. With p a query's softmax and dp the
 * gradients of its weights (dy . v), the gradient of a score is p (dp - sum p dp) * scale.
 *
 * Scores are computed again by whoever needs them, from keys or queries that come GPU_KEYS at a
 * time through local memory: nothing of the size of pixels x pixels is stored. The first kernel
 * leaves three numbers a query for the other two. An item is a query, or a key. Grid: queries or
 * keys, heads of all pictures, (values: channels). */

/* Rows [row0, row0 + GPU_KEYS) of a map, c channels of each, into local memory; zeros past the end.
 */
INLINE void rows_load(local float *to, int width, global const element *block, gpu_u64 at, int pitch,
                      int row0, int rows, int c)
{
    for (int e = ITEM; e < GPU_KEYS * c; e += GPU_QUERIES) {
        const int row = e / c, i = e - row * c;
        to[row * width + i] =
            row0 + row < rows ? get(block, at_pixel(at, row0 + row, pitch, i)) : 0.0f;
    }
}

/* The three numbers of queries [row0, row0 + GPU_KEYS). */
INLINE void stats_load(local float *to, global const float *scratch, gpu_u64 at, int row0, int rows)
{
    for (int e = ITEM; e < GPU_KEYS * 3; e += GPU_QUERIES)
        to[e] = row0 + e / 3 < rows ? scratch[at + (gpu_u64)(row0 * 3 + e)] : 0.0f;
}

/* sums[j] = own . row j */
INLINE void rows_product(float *sums, local const float *rows, int width,
                         global const element *own, int c)
{
    WRITE_OUT
    for (int j = 0; j < GPU_KEYS; j++)
        sums[j] = 0.0f;
    for (int i = 0; i < c; i++) {
        const float x = get(own, (gpu_u64)i);
    WRITE_OUT
        for (int j = 0; j < GPU_KEYS; j++)
            sums[j] = FMA(x, rows[j * width + i], sums[j]);
    }
}

/* Adds weights . rows to a sum of c channels in local memory, this item's column of it. */
INLINE void rows_add(local float *sums, const float *weights, local const float *rows, int width,
                     int c)
{
    for (int i = 0; i < c; i++) {
        float sum = sums[i * GPU_QUERIES + ITEM];
    WRITE_OUT
        for (int j = 0; j < GPU_KEYS; j++)
            sum = FMA(weights[j], rows[j * width + i], sum);
        sums[i * GPU_QUERIES + ITEM] = sum;
    }
}

#define ATTENTION_PLACES(a)                                                                        \
    const int of_head = GROUP_Y, picture = of_head / (a).heads;                                    \
    const int head = of_head - picture * (a).heads, own = GROUP_X * GPU_QUERIES + ITEM;            \
    const int per_head = 2 * (a).key_dim + (a).head_dim;                                           \
    const int row = own < (a).pixels ? own : (a).pixels - 1; /* the rest help to fetch */          \
    const gpu_u64 q_at = at_pixel((a).x_at, picture * (a).pixels, (a).x_pitch, head * per_head),   \
                  k_at = q_at + (gpu_u64)(a).key_dim, v_at = k_at + (gpu_u64)(a).key_dim;          \
    const gpu_u64 g_at =                                                                           \
        at_pixel((a).dy_at, picture * (a).pixels, (a).dy_pitch, head * (a).head_dim);              \
    const gpu_u64 to = at_pixel((a).dx_at, picture * (a).pixels + own, (a).dx_pitch,               \
                                head * per_head);                                                  \
    const gpu_u64 stats_at = (a).stats_at + (gpu_u64)of_head * (gpu_u64)(a).pixels * 3

/* A query's largest score, its sum and the mean of its scores' gradients; then its gradient. */
GROUP_OF(GPU_QUERIES)
kernel void NAMED(train_attention_queries)(TRAIN_BUFFERS, const gpu_attention_args a)
{
    local float keys[GPU_KEYS * GPU_KEY_DIM], vs[GPU_KEYS * GPU_HEAD_DIM];
    local float dq[GPU_KEY_DIM * GPU_QUERIES];
    ATTENTION_PLACES(a);
    global const element *q = block + at_pixel(q_at, row, a.x_pitch, 0),
                       *g = block + at_pixel(g_at, row, a.dy_pitch, 0);
    float largest = -INFINITY, total = 0.0f, mean = 0.0f;
    for (int i = 0; i < a.key_dim; i++)
        dq[i * GPU_QUERIES + ITEM] = 0.0f;
    for (int pass = 0; pass < 2; pass++) {
        for (int key0 = 0; key0 < a.pixels; key0 += GPU_KEYS) {
            float score[GPU_KEYS], dp[GPU_KEYS];
            BARRIER();
            rows_load(keys, GPU_KEY_DIM, block, k_at, a.x_pitch, key0, a.pixels, a.key_dim);
            rows_load(vs, GPU_HEAD_DIM, block, v_at, a.x_pitch, key0, a.pixels, a.head_dim);
            BARRIER();
            rows_product(score, keys, GPU_KEY_DIM, q, a.key_dim);
            rows_product(dp, vs, GPU_HEAD_DIM, g, a.head_dim);
            if (pass == 0) {
                const float before = largest;
    WRITE_OUT
                for (int j = 0; j < GPU_KEYS; j++)
                    if (key0 + j < a.pixels)
                        largest = LARGER(largest, score[j] * a.scale);
                const float fade = before == -INFINITY ? 0.0f : exp_of(before - largest);
                total *= fade;
                mean *= fade;
    WRITE_OUT
                for (int j = 0; j < GPU_KEYS; j++) {
                    const float p =
                        key0 + j < a.pixels ? exp_of(score[j] * a.scale - largest) : 0.0f;
                    total += p;
                    mean = FMA(p, dp[j], mean);
                }
                continue;
            }
    WRITE_OUT
            for (int j = 0; j < GPU_KEYS; j++)
                dp[j] = key0 + j < a.pixels
                            ? exp_of(score[j] * a.scale - largest) * total * (dp[j] - mean) *
                                  a.scale
                            : 0.0f;
            rows_add(dq, dp, keys, GPU_KEY_DIM, a.key_dim);
        }
        if (pass == 0) {
            total = 1.0f / total;
            mean *= total;
        }
    }
    if (own >= a.pixels)
        return;
    global float *stats = scratch + stats_at + (gpu_u64)own * 3;
    stats[0] = largest;
    stats[1] = total;
    stats[2] = mean;
    for (int i = 0; i < a.key_dim; i++) {
        const float sum = dq[i * GPU_QUERIES + ITEM];
        put(block, to + (gpu_u64)i, a.is_more ? get(block, to + (gpu_u64)i) + sum : sum);
    }
}

/* A key's gradient. */
GROUP_OF(GPU_QUERIES)
kernel void NAMED(train_attention_keys)(TRAIN_BUFFERS, const gpu_attention_args a)
{
    local float qs[GPU_KEYS * GPU_KEY_DIM], gs[GPU_KEYS * GPU_HEAD_DIM], stats[GPU_KEYS * 3];
    local float dk[GPU_KEY_DIM * GPU_QUERIES];
    ATTENTION_PLACES(a);
    global const element *k = block + at_pixel(k_at, row, a.x_pitch, 0),
                       *v = block + at_pixel(v_at, row, a.x_pitch, 0);
    for (int i = 0; i < a.key_dim; i++)
        dk[i * GPU_QUERIES + ITEM] = 0.0f;
    for (int query0 = 0; query0 < a.pixels; query0 += GPU_KEYS) {
        float score[GPU_KEYS], dp[GPU_KEYS];
        BARRIER();
        rows_load(qs, GPU_KEY_DIM, block, q_at, a.x_pitch, query0, a.pixels, a.key_dim);
        rows_load(gs, GPU_HEAD_DIM, block, g_at, a.dy_pitch, query0, a.pixels, a.head_dim);
        stats_load(stats, scratch, stats_at, query0, a.pixels);
        BARRIER();
        rows_product(score, qs, GPU_KEY_DIM, k, a.key_dim);
        rows_product(dp, gs, GPU_HEAD_DIM, v, a.head_dim);
    WRITE_OUT
        for (int j = 0; j < GPU_KEYS; j++)
            dp[j] = query0 + j < a.pixels
                        ? exp_of(score[j] * a.scale - stats[3 * j]) * stats[3 * j + 1] *
                              (dp[j] - stats[3 * j + 2]) * a.scale
                        : 0.0f;
        rows_add(dk, dp, qs, GPU_KEY_DIM, a.key_dim);
    }
    if (own >= a.pixels)
        return;
    for (int i = 0; i < a.key_dim; i++) {
        const gpu_u64 at = to + (gpu_u64)(a.key_dim + i);
        const float sum = dk[i * GPU_QUERIES + ITEM];
        put(block, at, a.is_more ? get(block, at) + sum : sum);
    }
}

/* GPU_VALUES channels of a value's gradient. */
GROUP_OF(GPU_QUERIES)
kernel void NAMED(train_attention_values)(TRAIN_BUFFERS, const gpu_attention_args a)
{
    local float qs[GPU_KEYS * GPU_KEY_DIM], gs[GPU_KEYS * GPU_VALUES], stats[GPU_KEYS * 3];
    ATTENTION_PLACES(a);
    const int value0 = GROUP_Z * GPU_VALUES;
    const int n = a.head_dim - value0 < GPU_VALUES ? a.head_dim - value0 : GPU_VALUES;
    global const element *k = block + at_pixel(k_at, row, a.x_pitch, 0);
    float dv[GPU_VALUES];
    WRITE_OUT
    for (int i = 0; i < GPU_VALUES; i++)
        dv[i] = 0.0f;
    for (int e = ITEM; e < GPU_KEYS * GPU_VALUES; e += GPU_QUERIES)
        gs[e] = 0.0f; /* the channels past the last */
    for (int query0 = 0; query0 < a.pixels; query0 += GPU_KEYS) {
        float score[GPU_KEYS];
        BARRIER();
        rows_load(qs, GPU_KEY_DIM, block, q_at, a.x_pitch, query0, a.pixels, a.key_dim);
        rows_load(gs, GPU_VALUES, block, g_at + (gpu_u64)value0, a.dy_pitch, query0, a.pixels, n);
        stats_load(stats, scratch, stats_at, query0, a.pixels);
        BARRIER();
        rows_product(score, qs, GPU_KEY_DIM, k, a.key_dim);
    WRITE_OUT
        for (int j = 0; j < GPU_KEYS; j++) {
            const float p = query0 + j < a.pixels
                                ? exp_of(score[j] * a.scale - stats[3 * j]) * stats[3 * j + 1]
                                : 0.0f;
    WRITE_OUT
            for (int i = 0; i < GPU_VALUES; i++)
                dv[i] = FMA(p, gs[j * GPU_VALUES + i], dv[i]);
        }
    }
    if (own >= a.pixels)
        return;
    WRITE_OUT
    for (int i = 0; i < GPU_VALUES; i++)
        if (i < n) {
            const gpu_u64 at = to + (gpu_u64)(2 * a.key_dim + value0 + i);
            put(block, at, a.is_more ? get(block, at) + dv[i] : dv[i]);
        }
}
