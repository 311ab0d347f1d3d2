/* attention.cl: softmax(scale * q.k) v over a picture's pixels, a head at a time.
 *
 * A group has GPU_QUERIES queries of one head of one picture and GPU_VALUES channels of its values;
 * an item is a query. Keys and values come GPU_KEYS at a time through local memory, and the
 * softmax is kept up as they come (its largest so far, and the sum against that), so there are no
 * scores in memory. Grid: queries, heads of all pictures, channels of a head's values. */
GROUP_OF(GPU_QUERIES)
kernel void attention(global float *block, global const float *weights, const gpu_args a)
{
    local float keys[GPU_KEYS * GPU_KEY_DIM], values[GPU_KEYS * GPU_VALUES];
    local float queries[GPU_KEY_DIM * GPU_QUERIES];
    const int item = ITEM, pixels = a.h * a.w;
    const int picture = GROUP_Y / a.heads, head = GROUP_Y - picture * a.heads;
    const int query = GROUP_X * GPU_QUERIES + item, value0 = GROUP_Z * GPU_VALUES;
    const gpu_u64 pitch = (gpu_u64)a.src_pitch;
    const gpu_u64 src = a.src_at + (gpu_u64)picture * (gpu_u64)pixels * pitch +
                        (gpu_u64)(head * (2 * a.key_dim + a.head_dim));
    const int q = query < pixels ? query : pixels - 1; /* the rest help to fetch */
    for (int i = 0; i < a.key_dim; i++)
        queries[i * GPU_QUERIES + item] = block[src + (gpu_u64)q * pitch + (gpu_u64)i];

    float out[GPU_VALUES], largest = -INFINITY, total = 0.0f;
    UNROLL
    for (int i = 0; i < GPU_VALUES; i++)
        out[i] = 0.0f;
    for (int key0 = 0; key0 < pixels; key0 += GPU_KEYS) {
        BARRIER();
        for (int e = item; e < GPU_KEYS * a.key_dim; e += GPU_QUERIES) {
            const int key = e / a.key_dim, i = e - key * a.key_dim;
            keys[key * GPU_KEY_DIM + i] =
                key0 + key < pixels
                    ? block[src + (gpu_u64)(key0 + key) * pitch + (gpu_u64)(a.key_dim + i)]
                    : 0.0f;
        }
        for (int e = item; e < GPU_KEYS * GPU_VALUES; e += GPU_QUERIES) {
            const int key = e / GPU_VALUES, i = e - key * GPU_VALUES;
            values[e] = key0 + key < pixels && value0 + i < a.head_dim
                            ? block[src + (gpu_u64)(key0 + key) * pitch +
                                    (gpu_u64)(2 * a.key_dim + value0 + i)]
                            : 0.0f;
        }
        BARRIER();
        float score[GPU_KEYS], before = largest;
        for (int key = 0; key < GPU_KEYS; key++) {
            float s = 0.0f;
            for (int i = 0; i < a.key_dim; i++)
                s = FMA(queries[i * GPU_QUERIES + item], keys[key * GPU_KEY_DIM + i], s);
            score[key] = key0 + key < pixels ? s * a.scale : -INFINITY;
            largest = LARGER(largest, score[key]);
        }
        const float fade = before == -INFINITY ? 0.0f : exp_of(before - largest);
        total *= fade;
    UNROLL
        for (int i = 0; i < GPU_VALUES; i++)
            out[i] *= fade;
        for (int key = 0; key < GPU_KEYS; key++) {
            const float p = key0 + key < pixels ? exp_of(score[key] - largest) : 0.0f;
            total += p;
    UNROLL
            for (int i = 0; i < GPU_VALUES; i++)
                out[i] = FMA(p, values[key * GPU_VALUES + i], out[i]);
        }
    }
    const gpu_u64 dst = a.dst_at + ((gpu_u64)picture * (gpu_u64)pixels + (gpu_u64)query) *
                                       (gpu_u64)a.dst_pitch +
                        (gpu_u64)(head * a.head_dim + value0);
    UNROLL
    for (int i = 0; i < GPU_VALUES; i++)
        if (query < pixels && value0 + i < a.head_dim)
            block[dst + (gpu_u64)i] = out[i] / total;
}
