/* decode_jpeg.c: JPEG through libjpeg-turbo's TurboJPEG: exact DCT and smooth chroma, as OpenCV
 * decodes. */
#include <limits.h>
#include <string.h>
#include <turbojpeg.h>

#include "buffer.h"
#include "decode.h"

/* A tiny file may ask for thousands of passes over the picture; the library's bound is 500. */
enum { FLAGS = TJFLAG_LIMITSCANS };

/* libjpeg goes on after damage, painting grey, and says so in a warning. Stray bytes and odd
 * headers harm no pixel. */
static bool harms_pixels(const char *warning)
{
    if (strstr(warning, "remature end") != NULL)
        return true;
    return strncmp(warning, "Corrupt JPEG data", 17) == 0 && strstr(warning, "extraneous") == NULL;
}

static vg_status fail(tjhandle handle, const image_source *source, vg_error *err)
{
    const char *text = tjGetErrorStr2(handle);
    if (strstr(text, "Premature end") !=
        NULL) /* of the file; "premature end" of a segment is damage */
        return base_fail(err, VG_ERR_FORMAT, source->name,
                         base_mend("fetch or copy the file again"),
                         "the JPEG is truncated after %zu bytes", source->n_bytes);
    if (strstr(text, "emory") != NULL)
        return base_fail(err, VG_ERR_MEMORY, source->name, NULL, "libjpeg-turbo: %s", text);
    return base_fail(err, VG_ERR_FORMAT, source->name,
                     base_mend("save the picture again from its source"), "the JPEG is damaged: %s",
                     text);
}

static vg_status decompress(tjhandle handle, uint8_t *dst, size_t stride, enum TJPF format,
                            const image_source *source, vg_error *err)
{
    int w = source->header->w, h = source->header->h;
    unsigned long n = source->n_bytes;
    /* The library keeps only its last warning, so the first pass stops at the first one. Whole
     * files, nearly all, never see the second pass. */
    if (tjDecompress2(handle, source->bytes, n, dst, w, (int)stride, h, format,
                      FLAGS | TJFLAG_STOPONWARNING) == 0)
        return VG_OK;
    if (tjGetErrorCode(handle) != TJERR_WARNING || harms_pixels(tjGetErrorStr2(handle)))
        return fail(handle, source, err);
    if (tjDecompress2(handle, source->bytes, n, dst, w, (int)stride, h, format, FLAGS) == 0)
        return VG_OK;
    if (tjGetErrorCode(handle) != TJERR_WARNING || harms_pixels(tjGetErrorStr2(handle)))
        return fail(handle, source, err);
    return VG_OK;
}

/* CMYK -> RGB as OpenCV does: every ink takes its share of what black leaves. Adobe stores inks
 * inverted, 255 is none. */
static void cmyk_to_rgb(const image_view *dst, const uint8_t *cmyk, bool inverted)
{
    uint8_t flip = inverted ? 0 : 255;
    for (int row = 0; row < dst->h; row++) {
        uint8_t *to = dst->data + (size_t)row * dst->stride;
        for (int x = 0; x < dst->w; x++, to += 3, cmyk += 4) {
            int k = cmyk[3] ^ flip;
            for (int c = 0; c < 3; c++)
                to[c] = (uint8_t)(k - ((255 - (cmyk[c] ^ flip)) * k >> 8));
        }
    }
}

vg_status image_jpeg_decode(void **handle, image_buffer *out, const image_source *source,
                            image_scratch *scratch, base_mem *mem, vg_error *err)
{
    const image_header *header = source->header;
    if (*handle == NULL && (*handle = tjInitDecompress()) == NULL)
        return base_fail(err, VG_ERR_MEMORY, source->name, NULL, "libjpeg-turbo: %s",
                         tjGetErrorStr2(NULL));

    vg_status st = image_buffer_reserve(out, header->w, header->h, mem, err);
    if (st != VG_OK)
        return st;
    if (header->n_components != 4)
        return decompress(*handle, out->view.data, out->view.stride, TJPF_RGB, source, err);

    size_t stride = 4 * (size_t)header->w;
    st = image_scratch_reserve(scratch, stride * (size_t)header->h, mem, err);
    if (st == VG_OK)
        st = decompress(*handle, scratch->block, stride, TJPF_CMYK, source, err);
    if (st == VG_OK)
        cmyk_to_rgb(&out->view, scratch->block, header->adobe);
    return st;
}

void image_jpeg_fini(void **handle)
{
    if (*handle != NULL)
        tjDestroy(*handle);
    *handle = NULL;
}
