/* letterbox.cl: a picture of 8 bits into the network's input: src/image's letterbox, which is
 * OpenCV's 8-bit resize in integers, so that both are the same to the bit. An item is a pixel of
 * the input. */

/* A sample of an RGB row that was brought to the new width: 11 bits of fraction less 4. */
INLINE int across_of(global const uchar *row, const gpu_tap t, int w, int c)
{
    const int right = t.from + 1 < w ? t.from + 1 : t.from; /* counts for nothing there */
    return (row[3 * t.from + c] * t.weight[0] + row[3 * right + c] * t.weight[1]) >> 4;
}

/* x / 255 for x in 0..255, rounded as a division rounds. */
INLINE float unit_of(int x)
{
    const float q = (float)x * (1.0f / 255.0f);
    return FMA_EXACT(FMA_EXACT(-q, 255.0f, (float)x), 1.0f / 255.0f, q);
}

INLINE int clamped(int row, int h)
{
    return row < 0 ? 0 : row >= h ? h - 1 : row;
}

GROUP_OF(GPU_ITEMS)
kernel void NAMED(letterbox)(global element *block, const gpu_letterbox_args a)
{
    const gpu_u64 e = (gpu_u64)GROUP_X * GPU_ITEMS + (gpu_u64)ITEM;
    if (e >= (gpu_u64)a.out_w * (gpu_u64)a.out_h)
        return;
    const int x = (int)(e % (gpu_u64)a.out_w) - a.left, y = (int)(e / (gpu_u64)a.out_w) - a.top;
    global const uchar *bytes = (global const uchar *)block;
    global const uchar *src = bytes + a.src_at;
    const gpu_u64 row_bytes = 3 * (gpu_u64)a.src_w;
    int v[3] = {GPU_PAD, GPU_PAD, GPU_PAD};
    if (x >= 0 && x < a.new_w && y >= 0 && y < a.new_h) {
        if (a.how == GPU_COPIES) {
            for (int c = 0; c < 3; c++)
                v[c] = src[(gpu_u64)y * row_bytes + 3 * (gpu_u64)x + (gpu_u64)c];
        } else if (a.how == GPU_HALVES) {
            global const uchar *s = src + 2 * (gpu_u64)y * row_bytes + 6 * (gpu_u64)x;
            for (int c = 0; c < 3; c++)
                v[c] = (s[c] + s[c + 3] + s[row_bytes + (gpu_u64)c] +
                        s[row_bytes + (gpu_u64)c + 3] + 2) >>
                       2;
        } else {
            const gpu_tap tx = ((global const gpu_tap *)(bytes + a.across_at))[x];
            const gpu_tap ty = ((global const gpu_tap *)(bytes + a.down_at))[y];
            global const uchar *upper = src + (gpu_u64)clamped(ty.from, a.src_h) * row_bytes;
            global const uchar *lower = src + (gpu_u64)clamped(ty.from + 1, a.src_h) * row_bytes;
            for (int c = 0; c < 3; c++)
                v[c] = ((ty.weight[0] * across_of(upper, tx, a.src_w, c) >> 16) +
                        (ty.weight[1] * across_of(lower, tx, a.src_w, c) >> 16) + 2) >>
                       2;
        }
    }
    for (int c = 0; c < 3; c++)
        put(block, a.dst_at + 3 * e + (gpu_u64)c, unit_of(v[c]));
}

/* ---- planes of YUV 4:2:0, as src/video samples them ---- */

/* Of a plane of w x h samples, two by two: rows in 128ths, columns in 2048ths. */
INLINE int plane_at(global const uchar *plane, int w, int h, int row_bytes, int pitch,
                    const gpu_tap tx, const gpu_tap ty)
{
    const int right = tx.from + 1 < w ? pitch : 0; /* count for nothing there */
    const int below = ty.from + 1 < h ? row_bytes : 0;
    global const uchar *at = plane + (gpu_u64)ty.from * (gpu_u64)row_bytes +
                             (gpu_u64)(tx.from * pitch);
    const int left_sum = at[0] * ty.weight[0] + at[below] * ty.weight[1];
    const int right_sum = at[right] * ty.weight[0] + at[right + below] * ty.weight[1];
    return left_sum * tx.weight[0] + right_sum * tx.weight[1];
}

INLINE float clip_unit(float v)
{
    return v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v;
}

GROUP_OF(GPU_ITEMS)
kernel void NAMED(planes)(global element *block, const gpu_planes_args a)
{
#pragma OPENCL FP_CONTRACT OFF
    const gpu_u64 e = (gpu_u64)GROUP_X * GPU_ITEMS + (gpu_u64)ITEM;
    if (e >= (gpu_u64)a.out_w * (gpu_u64)a.out_h)
        return;
    const int x = (int)(e % (gpu_u64)a.out_w) - a.left, y = (int)(e / (gpu_u64)a.out_w) - a.top;
    float v[3] = {GPU_PAD / 255.0f, GPU_PAD / 255.0f, GPU_PAD / 255.0f};
    if (x >= 0 && x < a.new_w && y >= 0 && y < a.new_h) {
        global const uchar *bytes = (global const uchar *)block;
        global const gpu_tap *taps = (global const gpu_tap *)(bytes + a.taps_at);
        const int n_x = a.is_swapped ? a.new_h : a.new_w, n_y = a.is_swapped ? a.new_w : a.new_h;
        const int i = a.is_swapped ? y : x, j = a.is_swapped ? x : y;
        const gpu_tap cx = taps[n_x + n_y + i], cy = taps[2 * n_x + n_y + j];
        const float sample = 1.0f / (128 * 2048);
        const float l =
            (float)plane_at(bytes + a.y_at, a.w, a.h, a.w, 1, taps[i], taps[n_x + j]) * sample *
            a.y_scale;
        const float cb = (float)plane_at(bytes + a.u_at, a.chroma_w, a.chroma_h, a.chroma_row_bytes,
                                         a.chroma_pitch, cx, cy) *
                             sample -
                         128.0f;
        const float cr = (float)plane_at(bytes + a.v_at, a.chroma_w, a.chroma_h, a.chroma_row_bytes,
                                         a.chroma_pitch, cx, cy) *
                             sample -
                         128.0f;
        v[0] = clip_unit(l + a.offset[0] + cr * a.r_v);
        v[1] = clip_unit(l + a.offset[1] + (cb * a.g_u + cr * a.g_v));
        v[2] = clip_unit(l + a.offset[2] + cb * a.b_u);
    }
    for (int c = 0; c < 3; c++)
        put(block, a.dst_at + 3 * e + (gpu_u64)c, v[c]);
}
