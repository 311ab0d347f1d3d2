/* mma.cl: convolution by NVIDIA's matrix units: conv.cl's product of matrices, of 16-bit numbers
 * that stay so in local memory, with sums of floats.
 *
 * A group's tile of PIXELS x CHANNELS is cut over its 8 warps, DOWN of them along the pixels; a warp
 * has MOST_DOWN x MOST_ACROSS products of 16 x 8 in its registers. GPU_MMA is the depth of the
 * device's instruction: 16 from sm_80 on, 8 on sm_75. Without it each lane computes what the
 * instruction would leave in its registers, which is what PoCL's tests see: all but the instruction
 * itself is the same. The sum's order is conv.cl's, within a step of 16 it is the instruction's. */
#define MMA_WARPS (GPU_ITEMS / MMA_LANES)

/* Eight numbers: steps d..d+7 of the sum; t is at d. */
PIECE uint4 mma_fetch(global const ushort *block, const gpu_args *a, const conv_from *f,
                      const conv_tap *t, int d)
{
    uint v[4];
    if (a->is_wide) {
        uint4 eight = (uint4)(0, 0, 0, 0);
        if (conv_is_inside(a, f, t))
            eight = *(global const uint4 *)(block + conv_at(a, f, t));
        return eight;
    }
    conv_tap each;
    conv_tap_at(&each, a, d);
    UNROLL
    for (int i = 0; i < 4; i++) {
        v[i] = conv_is_inside(a, f, &each) ? (uint)block[conv_at(a, f, &each)] : 0;
        conv_tap_move(&each, a, 1);
        v[i] |= conv_is_inside(a, f, &each) ? (uint)block[conv_at(a, f, &each)] << 16 : 0;
        conv_tap_move(&each, a, 1);
    }
    return (uint4)(v[0], v[1], v[2], v[3]);
}

/* Two numbers side by side in depth. */
INLINE uint mma_pair(local const ushort *from, int row, int depth)
{
    return *(local const uint *)(from + mma_at(row, depth));
}

/* sum += A B of 16 deep: row and column of the product's first element, in local memory. */
INLINE void mma_step(float *sum, local const ushort *xs, local const ushort *ws, const uint *a,
                     const uint *b, int row, int column, int depth, int lane)
{
#if defined(__NVPTX__) && defined(GPU_MMA) && GPU_MMA == 16
    __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                     "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif defined(__NVPTX__) && defined(GPU_MMA)
    __asm__ volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
                     "{%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                     : "r"(a[0]), "r"(a[1]), "r"(b[0]));
    __asm__ volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
                     "{%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                     : "r"(a[2]), "r"(a[3]), "r"(b[1]));
#else
    UNROLL
    for (int r = 0; r < 4; r++)
        for (int d = 0; d < MMA_DEPTH; d++)
            sum[r] = FMA(half_local(xs + mma_at(row + mma_c_row(lane, r), depth + d)),
                         half_local(ws + mma_at(column + mma_c_column(lane, r), depth + d)),
                         sum[r]);
#endif
}

/* Two channels, o and o + 1, of pixel p. */
PIECE void mma_store(global ushort *block, global const float *bias, const gpu_args *a, int p, int o,
                     float z0, float z1)
{
    const gpu_u64 dst = a->dst_at + (gpu_u64)p * (gpu_u64)a->dst_pitch + (gpu_u64)o;
    const gpu_u64 add = a->add_at + (gpu_u64)p * (gpu_u64)a->add_pitch + (gpu_u64)o;
    if (p >= a->n * a->h * a->w || o >= a->c)
        return;
    const bool has_next = o + 1 < a->c;
    z0 = conv_end(a, z0 + bias[o]) + (a->has_add ? half_get(block, add) : 0.0f);
    if (has_next)
        z1 = conv_end(a, z1 + bias[o + 1]) + (a->has_add ? half_get(block, add + 1) : 0.0f);
    if (a->is_float_dst) {
        global float *to = (global float *)block + dst;
        to[0] = z0;
        if (has_next)
            to[1] = z1;
    } else if (a->is_wide_dst)
        half_put2(block, dst, z0, z1);
    else {
        half_put(block, dst, z0);
        if (has_next)
            half_put(block, dst + 1, z1);
    }
}

/* xs: 2 * PIXELS * MMA_PITCH, ws: 2 * CHANNELS * MMA_PITCH. */
INLINE void mma_tile(global ushort *block, global const ushort *weights, const gpu_args *a,
                     local ushort *xs, local ushort *ws, const int PIXELS, const int CHANNELS,
                     const int DOWN)
{
    const int item = ITEM, lane = item % MMA_LANES, warp = item / MMA_LANES;
    const int n_down = PIXELS / DOWN / MMA_ROWS;
    const int n_across = CHANNELS / (MMA_WARPS / DOWN) / MMA_COLUMNS;
    const int row0 = warp % DOWN * n_down * MMA_ROWS;
    const int column0 = warp / DOWN * n_across * MMA_COLUMNS;
    const int pixel0 = GROUP_X * PIXELS, channel0 = GROUP_Y * CHANNELS, depth = a->k * a->k * a->sc;
    const int octet = item % 4, first = item / 4, apart = GPU_ITEMS / 4;
    const bool fetches_x = first < PIXELS, fetches_w = first < CHANNELS;
    const gpu_u64 w_pitch = (gpu_u64)((depth + MMA_CHUNK - 1) / MMA_CHUNK * MMA_CHUNK);
    global const ushort *w_from =
        weights + a->weights_at + (gpu_u64)(channel0 + first) * w_pitch + (gpu_u64)(octet * 8);
    conv_from from0, from1;
    conv_from_of(&from0, a, pixel0 + first);
    conv_from_of(&from1, a, pixel0 + first + (PIXELS > apart ? apart : 0));
    conv_tap tap;
    conv_tap_at(&tap, a, octet * 8);
    uint4 x0 = (uint4)(0, 0, 0, 0), x1 = x0, w0 = x0;

    float sum[2][4][4]; /* a warp of fewer products has no others later */
    UNROLL
    for (int i = 0; i < 2; i++)
    UNROLL
        for (int j = 0; j < 4; j++)
    UNROLL
            for (int r = 0; r < 4; r++)
                sum[i][j][r] = 0.0f;

    int now = 0; /* which of the two buffers is multiplied */
    for (int d0 = -MMA_CHUNK; d0 < depth; d0 += MMA_CHUNK) {
        const bool is_more = d0 + MMA_CHUNK < depth;
        if (is_more) {
            const int d = d0 + MMA_CHUNK + octet * 8;
            if (fetches_x)
                x0 = mma_fetch(block, a, &from0, &tap, d);
            if (PIXELS > apart)
                x1 = mma_fetch(block, a, &from1, &tap, d);
            conv_tap_move(&tap, a, MMA_CHUNK);
            if (fetches_w)
                w0 = *(global const uint4 *)(w_from + (d0 + MMA_CHUNK));
        }
        if (d0 >= 0) {
            local const ushort *xn = xs + now * PIXELS * MMA_PITCH;
            local const ushort *wn = ws + now * CHANNELS * MMA_PITCH;
    UNROLL
            for (int k = 0; k < MMA_CHUNK; k += MMA_DEPTH) {
                uint xa[4], wb[4][2];
    UNROLL
                for (int j = 0; j < 4; j++)
    UNROLL
                    for (int r = 0; r < 2; r++)
                        wb[j][r] = j < n_across
                                       ? mma_pair(wn,
                                                  column0 + j * MMA_COLUMNS + mma_b_column(lane),
                                                  k + mma_b_depth(lane, r))
                                       : 0;
    UNROLL
                for (int i = 0; i < n_down; i++) {
    UNROLL
                    for (int r = 0; r < 4; r++)
                        xa[r] = mma_pair(xn, row0 + i * MMA_ROWS + mma_a_row(lane, r),
                                         k + mma_a_depth(lane, r));
    UNROLL
                    for (int j = 0; j < n_across; j++)
                        mma_step(sum[i][j], xn, wn, xa, wb[j], row0 + i * MMA_ROWS,
                                 column0 + j * MMA_COLUMNS, k, lane);
                }
            }
            now ^= 1;
        }
        if (is_more) {
            local ushort *xn = xs + now * PIXELS * MMA_PITCH;
            local ushort *wn = ws + now * CHANNELS * MMA_PITCH;
            if (fetches_x)
                *(local uint4 *)(xn + mma_at(first, octet * 8)) = x0;
            if (PIXELS > apart)
                *(local uint4 *)(xn + mma_at(first + apart, octet * 8)) = x1;
            if (fetches_w)
                *(local uint4 *)(wn + mma_at(first, octet * 8)) = w0;
        }
        BARRIER();
    }

    global const float *bias = (global const float *)weights + a->bias_at;
    UNROLL
    for (int i = 0; i < n_down; i++)
    UNROLL
        for (int j = 0; j < n_across; j++)
    UNROLL
            for (int r = 0; r < 4; r += 2)
                mma_store(block, bias, a, pixel0 + row0 + i * MMA_ROWS + mma_c_row(lane, r),
                          channel0 + column0 + j * MMA_COLUMNS + mma_c_column(lane, r),
                          sum[i][j][r], sum[i][j][r + 1]);
}

#define MMA(NAME, PIXELS, CHANNELS, DOWN)                                                          \
    GROUP_OF(GPU_ITEMS)                                                                            \
    kernel void NAMED(NAME)(global ushort *block, global const ushort *weights, const gpu_args a)  \
    {                                                                                              \
        local uint4 xs[2 * PIXELS * MMA_PITCH / 8], ws[2 * CHANNELS * MMA_PITCH / 8];              \
        mma_tile(block, weights, &a, (local ushort *)xs, (local ushort *)ws, PIXELS, CHANNELS,     \
                 DOWN);                                                                            \
    }
MMA(mma_128x64, 128, 64, 4)
MMA(mma_64x64, 64, 64, 4)
MMA(mma_32x64, 32, 64, 2)
MMA(mma_128x32, 128, 32, 8)
MMA(mma_128x16, 128, 16, 8)
