/* attention.cl: softmax(scale * q.k) v over a picture's pixels, a head at a time.
 *
 * A group has GPU_QUERIES queries of one head of one picture and GPU_VALUES channels of its values;
 * an item is a query. Keys and values come GPU_KEYS at a time through local memory, and the
 * softmax is kept up as they come (its largest so far, and the sum against that), so there are no
 * scores in memory. Queries and keys lie there in quads, with zeros past the last number, and a
 * quad of a query meets all keys before the next one is read. Grid: queries, heads of all pictures,
 * channels of a head's values. */
#define KEY_QUADS (GPU_KEY_DIM / 4)

/* Four numbers of a key or query, from i on of key_dim. */
INLINE float4 attention_quad(global const element *block, gpu_u64 at, int i, int key_dim)
{
    float4 v = (float4)(0.0f);
    v.x = get(block, at + (gpu_u64)i);
    v.y = i + 1 < key_dim ? get(block, at + (gpu_u64)(i + 1)) : 0.0f;
    v.z = i + 2 < key_dim ? get(block, at + (gpu_u64)(i + 2)) : 0.0f;
    v.w = i + 3 < key_dim ? get(block, at + (gpu_u64)(i + 3)) : 0.0f;
    return v;
}

GROUP_OF(GPU_QUERIES)
kernel void NAMED(attention)(global element *block, global const element *weights, const gpu_args a)
{
    local float4 keys[GPU_KEYS * KEY_QUADS], values4[GPU_KEYS * GPU_VALUES / 4];
    local float4 queries[KEY_QUADS * GPU_QUERIES];
    local float *values = (local float *)values4;
    const int item = ITEM, pixels = a.h * a.w, quads = (a.key_dim + 3) / 4;
    const int picture = GROUP_Y / a.heads, head = GROUP_Y - picture * a.heads;
    const int query = GROUP_X * GPU_QUERIES + item, value0 = GROUP_Z * GPU_VALUES;
    const gpu_u64 pitch = (gpu_u64)a.src_pitch;
    const gpu_u64 src = a.src_at + (gpu_u64)picture * (gpu_u64)pixels * pitch +
                        (gpu_u64)(head * (2 * a.key_dim + a.head_dim));
    const int q = query < pixels ? query : pixels - 1; /* the rest help to fetch */
    for (int i = 0; i < quads; i++)
        queries[i * GPU_QUERIES + item] =
            attention_quad(block, src + (gpu_u64)q * pitch, 4 * i, a.key_dim);

    float4 out[GPU_VALUES / 4];
    float largest = -INFINITY, total = 0.0f;
    UNROLL
    for (int i = 0; i < GPU_VALUES / 4; i++)
        out[i] = (float4)(0.0f);
    for (int key0 = 0; key0 < pixels; key0 += GPU_KEYS) {
        BARRIER();
        for (int e = item; e < GPU_KEYS * quads; e += GPU_QUERIES) {
            const int key = e / quads, i = e - key * quads;
            keys[key * KEY_QUADS + i] =
                key0 + key < pixels
                    ? attention_quad(block,
                                     src + (gpu_u64)(key0 + key) * pitch + (gpu_u64)a.key_dim,
                                     4 * i, a.key_dim)
                    : (float4)(0.0f);
        }
        for (int e = item; e < GPU_KEYS * GPU_VALUES; e += GPU_QUERIES) {
            const int key = e / GPU_VALUES, i = e - key * GPU_VALUES;
            values[e] = key0 + key < pixels && value0 + i < a.head_dim
                            ? get(block, src + (gpu_u64)(key0 + key) * pitch +
                                             (gpu_u64)(2 * a.key_dim + value0 + i))
                            : 0.0f;
        }
        BARRIER();
        float score[GPU_KEYS], before = largest;
    UNROLL
        for (int key = 0; key < GPU_KEYS; key++)
            score[key] = 0.0f;
        for (int i = 0; i < quads; i++) {
            const float4 x = queries[i * GPU_QUERIES + item];
    UNROLL
            for (int key = 0; key < GPU_KEYS; key++) {
                const float4 y = keys[key * KEY_QUADS + i];
                score[key] = FMA(x.x, y.x, score[key]);
                score[key] = FMA(x.y, y.y, score[key]);
                score[key] = FMA(x.z, y.z, score[key]);
                score[key] = FMA(x.w, y.w, score[key]);
            }
        }
    UNROLL
        for (int key = 0; key < GPU_KEYS; key++) {
            score[key] = key0 + key < pixels ? score[key] * a.scale : -INFINITY;
            largest = LARGER(largest, score[key]);
        }
        const float fade = before == -INFINITY ? 0.0f : exp_of(before - largest);
        total *= fade;
    UNROLL
        for (int i = 0; i < GPU_VALUES / 4; i++)
            out[i] *= fade;
    UNROLL
        for (int key = 0; key < GPU_KEYS; key++) {
            const float p = key0 + key < pixels ? exp_of(score[key] - largest) : 0.0f;
            total += p;
    UNROLL
            for (int i = 0; i < GPU_VALUES / 4; i++) {
                const float4 v = values4[key * (GPU_VALUES / 4) + i];
                out[i].x = FMA(p, v.x, out[i].x);
                out[i].y = FMA(p, v.y, out[i].y);
                out[i].z = FMA(p, v.z, out[i].z);
                out[i].w = FMA(p, v.w, out[i].w);
            }
        }
    }
    const gpu_u64 dst = a.dst_at + ((gpu_u64)picture * (gpu_u64)pixels + (gpu_u64)query) *
                                       (gpu_u64)a.dst_pitch +
                        (gpu_u64)(head * a.head_dim + value0);
    if (query >= pixels)
        return;
    UNROLL
    for (int i = 0; i < GPU_VALUES / 4; i++) {
        const int value = value0 + 4 * i;
        const float4 v = out[i] / total;
        if (value < a.head_dim)
            put(block, dst + (gpu_u64)(4 * i), v.x);
        if (value + 1 < a.head_dim)
            put(block, dst + (gpu_u64)(4 * i + 1), v.y);
        if (value + 2 < a.head_dim)
            put(block, dst + (gpu_u64)(4 * i + 2), v.z);
        if (value + 3 < a.head_dim)
            put(block, dst + (gpu_u64)(4 * i + 3), v.w);
    }
}
