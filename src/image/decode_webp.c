/* decode_webp.c: WebP through libwebp, which tells a cut or damaged stream from a whole one; FFmpeg
 * shows what it made of it. Pixels go straight into the caller's picture.
 *
 * Of an animation the first frame: frames are stills in all but the head, so it gets one of its
 * own, and needs no further library. Around a frame that does not fill the picture is black. */
#include <string.h>
#include <webp/decode.h>

#include "buffer.h"
#include "decode.h"

enum { HEAD = 12 + 18 /* RIFF, VP8X */ };

size_t image_webp_scratch_bytes(const image_header *header)
{
    return header->animated ? HEAD + header->n_frame_bytes : 0;
}

static void put_le(uint8_t *p, size_t v, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

/* The bytes stay in the scratch. */
static vg_status still_of_animation(image_source *out, const image_source *source,
                                    image_scratch *scratch, base_mem *mem, vg_error *err)
{
    enum { ALPHA = 0x10 };
    const image_header *header = source->header;
    size_t n = image_webp_scratch_bytes(header);
    vg_status st = image_scratch_reserve(scratch, n, mem, err);
    if (st != VG_OK)
        return st;
    uint8_t *p = scratch->block;
    memset(p, 0, HEAD);
    memcpy(p, "RIFF", 4);
    put_le(p + 4, n - 8, 4);
    memcpy(p + 8, "WEBPVP8X", 8);
    put_le(p + 16, 10, 4);
    p[20] = ALPHA; /* there may be some: it is dropped anyway */
    put_le(p + 24, (size_t)header->frame_w - 1, 3);
    put_le(p + 27, (size_t)header->frame_h - 1, 3);
    memcpy(p + HEAD, source->bytes + header->frame_at, header->n_frame_bytes);
    out->bytes = p;
    out->n_bytes = n;
    return VG_OK;
}

static vg_status fail(VP8StatusCode code, const image_source *source, vg_error *err)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return base_fail(err, VG_ERR_MEMORY, source->name, NULL, "libwebp found no memory");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return base_fail(err, VG_ERR_UNSUPPORTED, source->name,
                         base_mend("convert it to PNG or JPEG"),
                         "a kind of WebP that libwebp does not decode");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return base_fail(err, VG_ERR_FORMAT, source->name,
                         base_mend("fetch or copy the file again"),
                         "the WebP is truncated: its pixels end too early");
    default:
        return base_fail(err, VG_ERR_FORMAT, source->name,
                         base_mend("save the picture again from its source"),
                         "the WebP is damaged: libwebp's error %d", (int)code);
    }
}

static vg_status decompress(const image_view *dst, const image_source *still, vg_error *err)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return base_fail(err, VG_ERR_UNSUPPORTED, still->name,
                         base_mend("install the distribution's own libwebp again"),
                         "libwebp is of another version than its header");
    VP8StatusCode code = WebPGetFeatures(still->bytes, still->n_bytes, &config.input);
    if (code != VP8_STATUS_OK)
        return fail(code, still, err);
    if (config.input.width != dst->w || config.input.height != dst->h)
        return base_fail(err, VG_ERR_FORMAT, still->name,
                         base_mend("save the picture again from its source"),
                         "the WebP is %d x %d by its header and %d x %d by its contents", dst->w,
                         dst->h, config.input.width, config.input.height);
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = dst->data;
    config.output.u.RGBA.stride = (int)dst->stride;
    config.output.u.RGBA.size = dst->stride * (size_t)(dst->h - 1) + 3 * (size_t)dst->w;
    code = WebPDecode(still->bytes, still->n_bytes, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? VG_OK : fail(code, still, err);
}

vg_status image_webp_decode(image_buffer *out, const image_source *source, image_scratch *scratch,
                            base_mem *mem, vg_error *err)
{
    const image_header *header = source->header;
    image_source still = *source;
    vg_status st = image_buffer_reserve(out, header->w, header->h, mem, err);
    if (st == VG_OK && header->animated)
        st = still_of_animation(&still, source, scratch, mem, err);
    if (st != VG_OK)
        return st;
    image_view part = out->view;
    if (header->animated) {
        part.data += (size_t)header->frame_y * part.stride + 3 * (size_t)header->frame_x;
        part.w = header->frame_w;
        part.h = header->frame_h;
        if (part.w != out->view.w || part.h != out->view.h)
            memset(out->view.data, 0, out->view.stride * (size_t)out->view.h);
    }
    return decompress(&part, &still, err);
}
