/* decode_png.c: PNG through libpng, which Cairo brings along anyway.
 *
 * Rows go straight into the caller's picture. A wrong checksum of a chunk that pixels come from is
 * damage; of any other chunk (a comment, a date) it harms nothing, and the chunk is passed by. So
 * is what follows the last row: a file that lacks its end marker alone is whole. */
#include <png.h>
#include <setjmp.h>
#include <string.h>

#include "buffer.h"
#include "decode.h"

/* A file that lies in memory, and what was said about it. */
typedef struct reading {
    const uint8_t *bytes;
    size_t n, at;
    bool was_short, harmed;
    char said[128];
} reading;

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
    reading *r = png_get_io_ptr(png);
    if (n > r->n - r->at) {
        r->was_short = true;
        png_error(png, "the file ends too early");
    }
    memcpy(to, r->bytes + r->at, n);
    r->at += n;
}

static void on_error(png_structp png, png_const_charp text)
{
    reading *r = png_get_error_ptr(png);
    base_format(r->said, sizeof r->said, "%.100s", text);
    png_longjmp(png, 1);
}

/* Of the compressed pixels only surplus is harmless. */
static void on_warning(png_structp png, png_const_charp text)
{
    reading *r = png_get_error_ptr(png);
    if (strncmp(text, "IDAT:", 5) != 0 || strstr(text, "xtra") != NULL ||
        strstr(text, "oo much") != NULL || r->harmed)
        return;
    base_format(r->said, sizeof r->said, "%.100s", text);
    r->harmed = true;
}

/* Indices of colours, which lie in the last third of every row, to colours. Not by libpng, for
 * which a colour that the palette has not is black. */
static bool indices_to_rgb(const image_view *dst, const png_color *palette, int n_colors)
{
    for (int row = 0; row < dst->h; row++) {
        uint8_t *to = dst->data + (size_t)row * dst->stride;
        const uint8_t *from = to + 2 * (size_t)dst->w;
        for (int x = 0; x < dst->w; x++, to += 3) {
            const int index = from[x];
            if (index >= n_colors)
                return false;
            to[0] = palette[index].red;
            to[1] = palette[index].green;
            to[2] = palette[index].blue;
        }
    }
    return true;
}

/* Comes back by longjmp when libpng finds an error: no variable of it is used after that. */
static bool read_rows(png_structp png, png_infop info, const image_view *dst)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_read_info(png, info);
    if ((int64_t)png_get_image_width(png, info) != dst->w ||
        (int64_t)png_get_image_height(png, info) != dst->h)
        png_error(png, "it has two sizes");
    const int type = png_get_color_type(png, info);
    const bool indexed = type == PNG_COLOR_TYPE_PALETTE;
    const size_t w = (size_t)dst->w;
    if (indexed)
        png_set_packing(png); /* a byte each */
    else if ((type & PNG_COLOR_MASK_COLOR) == 0)
        png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_16(png); /* the high byte, as OpenCV takes it */
    if ((type & PNG_COLOR_MASK_COLOR) == 0)
        png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    const int n_passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != (indexed ? w : 3 * w))
        png_error(png, "pixels of an unknown kind");
    for (int pass = 0; pass < n_passes; pass++)
        for (int row = 0; row < dst->h; row++)
            png_read_row(png, dst->data + (size_t)row * dst->stride + (indexed ? 2 * w : 0), NULL);
    png_colorp palette = NULL;
    int n_colors = 0;
    if (indexed && (png_get_PLTE(png, info, &palette, &n_colors) == 0 ||
                    !indices_to_rgb(dst, palette, n_colors)))
        png_error(png, "pixels of colours that are not in its palette");
    return true;
}

vg_status image_png_decode(image_buffer *out, const image_source *source, base_mem *mem,
                           vg_error *err)
{
    const image_header *header = source->header;
    reading r = {.bytes = source->bytes, .n = source->n_bytes};
    vg_status st = image_buffer_reserve(out, header->w, header->h, mem, err);
    if (st != VG_OK)
        return st;

    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL) {
        st = base_fail(err, VG_ERR_MEMORY, source->name, NULL, "libpng found no memory");
    } else {
        png_set_read_fn(png, &r, read_bytes);
        png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
        png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours have been judged */
        bool whole = read_rows(png, info, &out->view) && !r.harmed;
        if (!whole && r.was_short)
            st = base_fail(err, VG_ERR_FORMAT, source->name,
                           base_mend("fetch or copy the file again"),
                           "the PNG is truncated after %zu bytes", source->n_bytes);
        else if (!whole)
            st = base_fail(err, VG_ERR_FORMAT, source->name,
                           base_mend("save the picture again from its source"),
                           "the PNG is damaged: %s", r.said);
    }
    png_destroy_read_struct(&png, &info, NULL);
    return st;
}
