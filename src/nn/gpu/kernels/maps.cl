/* maps.cl: what goes element by element: an item is one channel of one pixel of the output, or four
 * where places and pitches allow. */

/* Sets p (pixel of all pictures), o (first channel), row, column, the first pixel of the source's
 * picture and where it goes; leaves the kernel where there is no such element. */
#define ELEMENT(a)                                                                                 \
    const uint across = (uint)((a).is_wide ? (a).c / 4 : (a).c);                                   \
    const uint e = (uint)GROUP_X * GPU_ITEMS + (uint)ITEM;                                         \
    const int p = (int)(e / across), o = (int)(e - (uint)p * across) * ((a).is_wide ? 4 : 1);      \
    const int column = p % (a).w, rows = p / (a).w, row = rows % (a).h;                            \
    const int picture = rows / (a).h * (a).sh * (a).sw;                                            \
    const gpu_u64 dst = (a).dst_at + (gpu_u64)p * (gpu_u64)(a).dst_pitch + (gpu_u64)o;             \
    if (p >= (a).n * (a).h * (a).w)                                                                \
        return

INLINE gpu_u64 map_at(const gpu_args *a, int pixel, int o)
{
    return a->src_at + (gpu_u64)pixel * (gpu_u64)a->src_pitch + (gpu_u64)o;
}

INLINE void map_move(global element *block, gpu_u64 dst, gpu_u64 src, int is_wide)
{
    if (is_wide)
        put4(block, dst, get4(block, src));
    else
        put(block, dst, get(block, src));
}

/* The largest of k x k around, stride 1; outside the picture is nothing. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(map_maxpool)(global element *block, global const element *weights,
                               const gpu_args a)
{
    ELEMENT(a);
    const int r = a.k / 2;
    float4 best = (float4)(-INFINITY);
    for (int y = row - r < 0 ? 0 : row - r; y <= row + r && y < a.sh; y++)
        for (int x = column - r < 0 ? 0 : column - r; x <= column + r && x < a.sw; x++) {
            const gpu_u64 src = map_at(&a, picture + y * a.sw + x, o);
            if (a.is_wide) {
                const float4 v = get4(block, src);
                best.x = LARGER(best.x, v.x);
                best.y = LARGER(best.y, v.y);
                best.z = LARGER(best.z, v.z);
                best.w = LARGER(best.w, v.w);
            } else
                best.x = LARGER(best.x, get(block, src));
        }
    if (a.is_wide)
        put4(block, dst, best);
    else
        put(block, dst, best.x);
}

GROUP_OF(GPU_ITEMS)
kernel void NAMED(map_upsample)(global element *block, global const element *weights,
                                const gpu_args a)
{
    ELEMENT(a);
    map_move(block, dst, map_at(&a, picture + row / 2 * a.sw + column / 2, o), a.is_wide);
}

GROUP_OF(GPU_ITEMS)
kernel void NAMED(map_copy)(global element *block, global const element *weights, const gpu_args a)
{
    ELEMENT(a);
    map_move(block, dst, map_at(&a, p, o), a.is_wide);
}

GROUP_OF(GPU_ITEMS)
kernel void NAMED(map_add)(global element *block, global const element *weights, const gpu_args a)
{
    ELEMENT(a);
    const gpu_u64 src = map_at(&a, p, o);
    const gpu_u64 add = a.add_at + (gpu_u64)p * (gpu_u64)a.add_pitch + (gpu_u64)o;
    if (a.is_wide)
        put4(block, dst, get4(block, src) + get4(block, add));
    else
        put(block, dst, get(block, src) + get(block, add));
}

/* Channels to pixels: tap (row % 2, column % 2) of a transposed convolution whose windows do not
 * overlap. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(map_shuffle)(global element *block, global const element *weights,
                               const gpu_args a)
{
    ELEMENT(a);
    const int tap = row % 2 * 2 + column % 2;
    map_move(block, dst, map_at(&a, picture + row / 2 * a.sw + column / 2, tap * a.c + o),
             a.is_wide);
}

/* Over all pixels of a picture; what is written has one. */
GROUP_OF(GPU_ITEMS)
kernel void NAMED(map_mean)(global element *block, global const element *weights, const gpu_args a)
{
    ELEMENT(a);
    const int n = a.sh * a.sw;
    float4 sum = (float4)(0.0f);
    for (int i = 0; i < n; i++) {
        const gpu_u64 src = map_at(&a, picture + i, o);
        if (a.is_wide)
            sum += get4(block, src);
        else
            sum.x += get(block, src);
    }
    if (a.is_wide)
        put4(block, dst, sum / (float)n);
    else
        put(block, dst, sum.x / (float)n);
}
