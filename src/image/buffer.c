/* buffer.c: pictures that own their pixels. They only grow, so a steady stream of pictures settles
 * at its largest and allocates no more. */
#include "buffer.h"

vg_status image_scratch_reserve(image_scratch *s, size_t bytes, base_mem *mem, vg_error *err)
{
    if (bytes <= s->capacity_bytes)
        return VG_OK;
    void *block = base_realloc(mem, s->block, bytes, err);
    if (block == NULL)
        return VG_ERR_MEMORY;
    s->block = block;
    s->capacity_bytes = bytes;
    return VG_OK;
}

void image_scratch_fini(image_scratch *s)
{
    base_free(s->block);
    *s = (image_scratch){0};
}

vg_status image_buffer_reserve(image_buffer *b, int w, int h, base_mem *mem, vg_error *err)
{
    size_t stride, bytes;
    if (w < 1 || h < 1 || !base_mul_size(&stride, (size_t)w, 3) ||
        !base_mul_size(&bytes, stride, (size_t)h))
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL, "no picture is %d x %d pixels", w, h);

    image_scratch s = {.block = b->block, .capacity_bytes = b->capacity_bytes};
    vg_status st = image_scratch_reserve(&s, bytes, mem, err);
    if (st != VG_OK)
        return st;
    b->block = s.block;
    b->capacity_bytes = s.capacity_bytes;
    b->view = (image_view){.data = b->block, .w = w, .h = h, .stride = stride};
    return VG_OK;
}

void image_buffer_fini(image_buffer *b)
{
    base_free(b->block);
    *b = (image_buffer){0};
}
