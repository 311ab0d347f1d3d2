/* encode.c: pictures into memory, and into files, which are replaced whole or not at all.
 *
 * Memory: JPEG's worst case for the picture's size (tjBufSize, about 3 bytes a pixel), PNG's few
 * rows; both are kept. */
#include <limits.h>
#include <string.h>
#include <turbojpeg.h>

#include "buffer.h"
#include "encode_png.h"

enum { JPEG_QUALITY = 95 }; /* OpenCV's default */

struct image_encoder {
    tjhandle jpeg; /* NULL until the first JPEG */
    image_scratch jpeg_bytes;
    image_png_writer *png;   /* NULL until the first PNG */
    image_scratch png_bytes; /* of one in memory */
};

vg_status image_encoder_create(image_encoder **out, base_mem *mem, vg_error *err)
{
    *out = base_alloc_zero(mem, 1, sizeof(**out), err);
    return *out != NULL ? VG_OK : VG_ERR_MEMORY;
}

void image_encoder_destroy(image_encoder **encoder)
{
    image_encoder *e = *encoder;
    if (e == NULL)
        return;
    if (e->jpeg != NULL)
        tjDestroy(e->jpeg);
    image_scratch_fini(&e->jpeg_bytes);
    image_png_fini(&e->png);
    image_scratch_fini(&e->png_bytes);
    base_free(e);
    *encoder = NULL;
}

void image_encoder_need_raise(image_encoder_need *need, int w, int h, const char *suffix)
{
    if (base_equal_nocase(suffix, ".png")) {
        size_t row = (size_t)w * 3;
        need->png_row_bytes = row > need->png_row_bytes ? row : need->png_row_bytes;
        return;
    }
    unsigned long n = tjBufSize(w, h, TJSAMP_420);
    if (n != (unsigned long)-1 && n > need->jpeg_bytes)
        need->jpeg_bytes = n;
}

vg_status image_encoder_reserve(image_encoder *e, const image_encoder_need *need, base_mem *mem,
                                vg_error *err)
{
    vg_status st = image_scratch_reserve(&e->jpeg_bytes, need->jpeg_bytes, mem, err);
    if (st == VG_OK && need->png_row_bytes > 0)
        st = image_png_reserve(&e->png, need->png_row_bytes, mem, err);
    return st;
}

size_t image_encoder_bytes(const image_encoder_need *need)
{
    return need->jpeg_bytes + (need->png_row_bytes > 0 ? image_png_bytes(need->png_row_bytes) : 0);
}

/* Into e->jpeg_bytes. */
static vg_status encode_jpeg(size_t *n_bytes, image_encoder *e, const image_view *picture,
                             int quality, const char *path, base_mem *mem, vg_error *err)
{
    if (e->jpeg == NULL && (e->jpeg = tjInitCompress()) == NULL)
        return base_fail(err, VG_ERR_MEMORY, path, NULL, "libjpeg-turbo: %s", tjGetErrorStr2(NULL));
    unsigned long n = tjBufSize(picture->w, picture->h, TJSAMP_420);
    if (n == (unsigned long)-1)
        return base_fail(err, VG_ERR_LIMIT, path, base_mend("write a PNG"),
                         "a JPEG of %d x %d pixels", picture->w, picture->h);
    vg_status st = image_scratch_reserve(&e->jpeg_bytes, n, mem, err);
    if (st != VG_OK)
        return st;
    unsigned char *block = e->jpeg_bytes.block;
    if (tjCompress2(e->jpeg, picture->data, picture->w, (int)picture->stride, picture->h, TJPF_RGB,
                    &block, &n, TJSAMP_420, quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT) != 0)
        return base_fail(err, VG_ERR_UNSUPPORTED, path, base_mend("write a PNG"),
                         "libjpeg-turbo: %s", tjGetErrorStr2(e->jpeg));
    *n_bytes = n;
    return VG_OK;
}

vg_status image_encode_jpeg(image_encoder *e, const image_view *picture, int quality,
                            const uint8_t **bytes, size_t *n_bytes, base_mem *mem, vg_error *err)
{
    *bytes = NULL;
    *n_bytes = 0;
    if (picture->w < 1 || picture->h < 1 || picture->stride > INT_MAX || quality < 1 ||
        quality > 100)
        return base_fail(err, VG_ERR_ARGUMENT, "JPEG", NULL,
                         "no picture to encode: %d x %d pixels, quality %d", picture->w, picture->h,
                         quality);
    const vg_status st = encode_jpeg(n_bytes, e, picture, quality, "JPEG", mem, err);
    if (st == VG_OK)
        *bytes = e->jpeg_bytes.block;
    return st;
}

/* A PNG on its way into a block. */
typedef struct png_block {
    image_scratch *block;
    size_t n;
    base_mem *mem;
} png_block;

/* Half as much again, so that a large picture is not moved for every chunk. */
static vg_status append(void *ctx, const void *bytes, size_t n, vg_error *err)
{
    png_block *b = ctx;
    const size_t need = b->n + n;
    if (need > b->block->capacity_bytes) {
        const vg_status st = image_scratch_reserve(b->block, need + need / 2, b->mem, err);
        if (st != VG_OK)
            return st;
    }
    memcpy((uint8_t *)b->block->block + b->n, bytes, n);
    b->n = need;
    return VG_OK;
}

vg_status image_encode_png(image_encoder *e, const image_view *picture, const uint8_t **bytes,
                           size_t *n_bytes, base_mem *mem, vg_error *err)
{
    png_block block = {.block = &e->png_bytes, .mem = mem};
    *bytes = NULL;
    *n_bytes = 0;
    if (picture->w < 1 || picture->h < 1)
        return base_fail(err, VG_ERR_ARGUMENT, "PNG", NULL, "no picture to encode: %d x %d pixels",
                         picture->w, picture->h);
    const vg_status st = image_png_write(
        &e->png, &(image_png_target){.write = append, .ctx = &block}, picture, mem, err);
    if (st != VG_OK)
        return st;
    *bytes = e->png_bytes.block;
    *n_bytes = block.n;
    return VG_OK;
}

static vg_status write_file(void *ctx, const void *bytes, size_t n, vg_error *err)
{
    return base_file_write(ctx, bytes, n, err);
}

vg_status image_write(image_encoder *e, const image_view *picture, const char *path, base_mem *mem,
                      vg_error *err)
{
    const char *suffix = base_path_suffix(path);
    bool jpeg = base_equal_nocase(suffix, ".jpg") || base_equal_nocase(suffix, ".jpeg");
    if (!jpeg && !base_equal_nocase(suffix, ".png"))
        return base_fail(err, VG_ERR_UNSUPPORTED, path, base_mend("name it .jpg, .jpeg or .png"),
                         "pictures are not written as \"%s\"", suffix);
    if (picture->w < 1 || picture->h < 1 || picture->stride > INT_MAX)
        return base_fail(err, VG_ERR_ARGUMENT, path, NULL, "no picture to write: %d x %d pixels",
                         picture->w, picture->h);

    base_file file = BASE_FILE_NONE;
    size_t n_bytes = 0;
    vg_status st = VG_OK;
    if (jpeg)
        st = encode_jpeg(&n_bytes, e, picture, JPEG_QUALITY, path, mem, err);
    if (st == VG_OK)
        st = base_file_create_beside(&file, path, err);
    if (st != VG_OK)
        goto done;
    if (jpeg)
        st = base_file_write(&file, e->jpeg_bytes.block, n_bytes, err);
    else
        st = image_png_write(&e->png, &(image_png_target){.write = write_file, .ctx = &file},
                             picture, mem, err);
    if (st == VG_OK)
        st = base_file_publish(&file, path, err);
done:
    base_file_discard(&file);
    return st;
}
