/* maps.cl: what goes element by element: an item is one channel of one pixel of the output. */

/* Sets p (pixel of all pictures), o (channel), y, x and the first pixel of the source's picture;
 * leaves the kernel where there is no such element. */
#define ELEMENT(a)                                                                                 \
    const gpu_u64 e = (gpu_u64)GROUP_X * GPU_ITEMS + (gpu_u64)ITEM;                                \
    const gpu_u64 p = e / (gpu_u64)(a).c;                                                          \
    if (p >= (gpu_u64)(a).n * (gpu_u64)(a).h * (gpu_u64)(a).w)                                     \
        return;                                                                                    \
    const gpu_u64 o = e - p * (gpu_u64)(a).c;                                                      \
    const gpu_u64 dst = (a).dst_at + p * (gpu_u64)(a).dst_pitch + o
#define COLUMN(a) ((int)(p % (gpu_u64)(a).w))
#define ROW(a)    ((int)(p / (gpu_u64)(a).w % (gpu_u64)(a).h))
#define PICTURE(a) (p / ((gpu_u64)(a).w * (gpu_u64)(a).h) * (gpu_u64)((a).sh * (a).sw))

/* The largest of k x k around, stride 1; outside the picture is nothing. */
GROUP_OF(GPU_ITEMS)
kernel void map_maxpool(global float *block, global const float *weights, const gpu_args a)
{
    ELEMENT(a);
    const int x = COLUMN(a), y = ROW(a), r = a.k / 2;
    float best = -INFINITY;
    for (int sy = y - r < 0 ? 0 : y - r; sy <= y + r && sy < a.sh; sy++)
        for (int sx = x - r < 0 ? 0 : x - r; sx <= x + r && sx < a.sw; sx++)
            best = LARGER(best, block[a.src_at +
                                      (PICTURE(a) + (gpu_u64)(sy * a.sw + sx)) *
                                          (gpu_u64)a.src_pitch +
                                      o]);
    block[dst] = best;
}

GROUP_OF(GPU_ITEMS)
kernel void map_upsample(global float *block, global const float *weights, const gpu_args a)
{
    ELEMENT(a);
    const gpu_u64 from = PICTURE(a) + (gpu_u64)(ROW(a) / 2 * a.sw + COLUMN(a) / 2);
    block[dst] = block[a.src_at + from * (gpu_u64)a.src_pitch + o];
}

GROUP_OF(GPU_ITEMS)
kernel void map_copy(global float *block, global const float *weights, const gpu_args a)
{
    ELEMENT(a);
    block[dst] = block[a.src_at + p * (gpu_u64)a.src_pitch + o];
}

GROUP_OF(GPU_ITEMS)
kernel void map_add(global float *block, global const float *weights, const gpu_args a)
{
    ELEMENT(a);
    block[dst] = block[a.src_at + p * (gpu_u64)a.src_pitch + o] +
                 block[a.add_at + p * (gpu_u64)a.add_pitch + o];
}
