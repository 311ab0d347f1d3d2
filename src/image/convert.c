/* convert.c: frames of FFmpeg's BMP and GIF codecs to RGB.
 *
 * Not through swscale, which rounds its own way and is one library more to load. The codecs give
 * few kinds, and FFmpeg's format descriptors say where each sample is: packed whole bytes (nearly
 * all), palettes, and the rest (5-6-5 bits, planes, bits) through av_read_image_line2, sample by
 * sample. */
#include "convert.h"

#include "buffer.h"
#include "decode.h"

/* Packed in plane 0, every sample one byte or two: the byte that counts is at comp.offset, or
 * beside it. */
static bool is_packed_bytes(const AVPixFmtDescriptor *d)
{
    if (d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_FLOAT))
        return false;
    int n_colors = d->nb_components < 3 ? 1 : 3;
    if (n_colors == 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB))
        return false;
    for (int c = 0; c < n_colors; c++) {
        const AVComponentDescriptor *comp = &d->comp[c];
        if (comp->plane != 0 || comp->shift != 0 || (comp->depth != 8 && comp->depth != 16))
            return false;
    }
    return true;
}

static void convert_packed(const image_view *dst, const AVFrame *frame, const AVPixFmtDescriptor *d)
{
    int offset[3];
    for (int c = 0; c < 3; c++) {
        const AVComponentDescriptor *comp = &d->comp[d->nb_components < 3 ? 0 : c];
        bool high_is_second = comp->depth == 16 && !(d->flags & AV_PIX_FMT_FLAG_BE);
        offset[c] = comp->offset + high_is_second;
    }
    size_t step = (size_t)d->comp[0].step;
    for (int row = 0; row < dst->h; row++) {
        uint8_t *to = dst->data + (size_t)row * dst->stride;
        const uint8_t *from = frame->data[0] + (ptrdiff_t)row * frame->linesize[0];
        for (int x = 0; x < dst->w; x++, to += 3, from += step) {
            to[0] = from[offset[0]];
            to[1] = from[offset[1]];
            to[2] = from[offset[2]];
        }
    }
}

static void convert_palette(const image_view *dst, const AVFrame *frame)
{
    const uint8_t *palette = frame->data[1]; /* 256 native 32-bit 0xAARRGGBB */
    for (int row = 0; row < dst->h; row++) {
        uint8_t *to = dst->data + (size_t)row * dst->stride;
        const uint8_t *from = frame->data[0] + (ptrdiff_t)row * frame->linesize[0];
        for (int x = 0; x < dst->w; x++, to += 3) {
            uint32_t argb;
            memcpy(&argb, palette + 4 * (size_t)from[x], sizeof(argb));
            to[0] = (uint8_t)(argb >> 16);
            to[1] = (uint8_t)(argb >> 8);
            to[2] = (uint8_t)argb;
        }
    }
}

static int to_8_bits(int v, int depth)
{
    return depth >= 8 ? v >> (depth - 8) : v * 255 / ((1 << depth) - 1);
}

size_t image_convert_scratch_bytes(int w)
{
    return 3 * (size_t)w * sizeof(uint16_t);
}

static vg_status convert_any(const image_view *dst, const AVFrame *frame,
                             const AVPixFmtDescriptor *d, const image_ffmpeg *ffmpeg,
                             image_scratch *scratch, base_mem *mem, vg_error *err)
{
    size_t w = (size_t)dst->w;
    vg_status st = image_scratch_reserve(scratch, image_convert_scratch_bytes(dst->w), mem, err);
    if (st != VG_OK)
        return st;
    uint16_t *samples = scratch->block; /* (3, w) */
    int n_colors = d->nb_components < 3 ? 1 : 3;
    const uint8_t *planes[4] = {frame->data[0], frame->data[1], frame->data[2], frame->data[3]};
    bool inverted = frame->format == AV_PIX_FMT_MONOWHITE; /* 0 is white */

    for (int row = 0; row < dst->h; row++) {
        for (int c = 0; c < n_colors; c++)
            ffmpeg->av_read_image_line2(samples + (size_t)c * w, planes, frame->linesize, d, 0, row,
                                        c, dst->w, 0, sizeof(uint16_t));
        uint8_t *to = dst->data + (size_t)row * dst->stride;
        for (size_t x = 0; x < w; x++, to += 3) {
            for (size_t c = 0; c < 3; c++) {
                size_t from = n_colors == 1 ? 0 : c;
                int v = to_8_bits(samples[from * w + x], d->comp[from].depth);
                to[c] = (uint8_t)(inverted ? 255 - v : v);
            }
        }
    }
    return VG_OK;
}

vg_status image_convert_frame(const image_view *dst, const AVFrame *frame,
                              const image_ffmpeg *ffmpeg, image_scratch *scratch, const char *name,
                              base_mem *mem, vg_error *err)
{
    const AVPixFmtDescriptor *d = ffmpeg->av_pix_fmt_desc_get((enum AVPixelFormat)frame->format);
    if (d == NULL || (d->flags & AV_PIX_FMT_FLAG_FLOAT) || d->comp[0].depth > 16 ||
        (d->nb_components >= 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB)))
        return base_fail(err, VG_ERR_UNSUPPORTED, name,
                         base_mend("convert it to RGB of 8 or 16 bits a sample"),
                         "pixels of kind %s", d != NULL ? d->name : "unknown");
    if (d->flags & AV_PIX_FMT_FLAG_PAL) {
        convert_palette(dst, frame);
        return VG_OK;
    }
    if (is_packed_bytes(d)) {
        convert_packed(dst, frame, d);
        return VG_OK;
    }
    return convert_any(dst, frame, d, ffmpeg, scratch, mem, err);
}
