/* place.c: first fit by falling size. */
#include "place.h"

vg_status nn_buffer_size(nn_buffer *b, int n, int h, int w, int c, vg_error *err)
{
    return nn_buffer_size_of(sizeof(float), b, n, h, w, c, err);
}

vg_status nn_buffer_size_of(size_t element_bytes, nn_buffer *b, int n, int h, int w, int c,
                            vg_error *err)
{
    size_t bytes = element_bytes;
    bool fits = base_mul_size(&bytes, bytes, (size_t)n) &&
                base_mul_size(&bytes, bytes, (size_t)h) &&
                base_mul_size(&bytes, bytes, (size_t)w) &&
                base_mul_size(&bytes, bytes, (size_t)c) && bytes < SIZE_MAX / 4096;
    if (!fits)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL,
                         "a feature map larger than this machine can address");
    b->bytes = base_round_up(bytes, BASE_MEM_ALIGN);
    return VG_OK;
}

static int larger_first(const void *a, const void *b, void *ctx)
{
    const nn_buffer *all = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    return all[i].bytes != all[j].bytes ? all[i].bytes > all[j].bytes : i < j;
}

/* The lowest offset at which `fresh` meets none of those placed. They come by rising offset, so one
 * pass is enough: what lies above the gap that was found cannot reach into it. */
static size_t lowest_offset(const nn_buffer *b, const nn_buffer *fresh, const size_t *by_offset,
                            size_t n_placed)
{
    size_t offset = 0;
    for (size_t i = 0; i < n_placed; i++) {
        const nn_buffer *o = &b[by_offset[i]];
        bool together = o->born <= fresh->dies && fresh->born <= o->dies;
        if (together && offset < o->offset + o->bytes && o->offset < offset + fresh->bytes)
            offset = o->offset + o->bytes;
    }
    return offset;
}

size_t nn_place(nn_buffer *b, size_t n, size_t *order, size_t *by_offset)
{
    size_t used = 0, block = 0;
    for (size_t i = 0; i < n; i++)
        if (b[i].born <= b[i].dies)
            order[used++] = i;
    base_sort(order, used, sizeof *order, larger_first, b);
    for (size_t i = 0; i < used; i++) {
        nn_buffer *fresh = &b[order[i]];
        fresh->offset = lowest_offset(b, fresh, by_offset, i);
        if (fresh->offset + fresh->bytes > block)
            block = fresh->offset + fresh->bytes;
        size_t at = i;
        for (; at > 0 && b[by_offset[at - 1]].offset > fresh->offset; at--)
            by_offset[at] = by_offset[at - 1];
        by_offset[at] = order[i];
    }
    return block;
}
