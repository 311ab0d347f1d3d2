/* convert.c: frames of FFmpeg's still codecs to RGB.
 *
 * Not through swscale, which rounds grey and 16 bits its own way, repeats chroma, and is one
 * library more to load. The codecs give few kinds, and FFmpeg's format descriptors say where each
 * sample is: packed whole bytes (nearly all), palettes, WebP's 4:2:0, and the rest (5-6-5 bits,
 * planes, bits) through av_read_image_line2, sample by sample. */
#include "convert.h"

#include "buffer.h"
#include "decode.h"
#include "yuv.h"

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

static uint8_t clip(int v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* BT.601 over the full range, as TIFF's YCbCr is (TIFF 6.0, section 21), in 16 bits of fraction. */
static void put_full_range_yuv(uint8_t *rgb, int y, int u, int v)
{
    u -= 128;
    v -= 128;
    rgb[0] = clip(y + ((91881 * v + 32768) >> 16));
    rgb[1] = clip(y - ((22554 * u + 46802 * v + 32768) >> 16));
    rgb[2] = clip(y + ((116130 * u + 32768) >> 16));
}

/* One row of component c, as samples of 16 bits. */
static void read_row(uint16_t *samples, const AVFrame *frame, const AVPixFmtDescriptor *d,
                     const image_ffmpeg *ffmpeg, int row, int c)
{
    bool chroma = !(d->flags & AV_PIX_FMT_FLAG_RGB) && d->nb_components >= 3 && c > 0;
    int shift_w = chroma ? d->log2_chroma_w : 0, shift_h = chroma ? d->log2_chroma_h : 0;
    int n = (frame->width + (1 << shift_w) - 1) >> shift_w;
    const uint8_t *planes[4] = {frame->data[0], frame->data[1], frame->data[2], frame->data[3]};
    ffmpeg->av_read_image_line2(samples, planes, frame->linesize, d, 0, row >> shift_h, c, n, 0,
                                sizeof(uint16_t));
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
    bool yuv = n_colors == 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB);
    bool inverted = frame->format == AV_PIX_FMT_MONOWHITE; /* 0 is white */

    for (int row = 0; row < dst->h; row++) {
        for (int c = 0; c < n_colors; c++)
            read_row(samples + (size_t)c * w, frame, d, ffmpeg, row, c);
        uint8_t *to = dst->data + (size_t)row * dst->stride;
        for (size_t x = 0; x < w; x++, to += 3) {
            int v[3];
            for (int c = 0; c < 3; c++) {
                int from = n_colors == 1 ? 0 : c;
                size_t at = yuv && c > 0 ? x >> d->log2_chroma_w : x;
                v[c] = to_8_bits(samples[(size_t)from * w + at], d->comp[from].depth);
            }
            if (yuv)
                put_full_range_yuv(to, v[0], v[1], v[2]);
            else
                for (int c = 0; c < 3; c++)
                    to[c] = (uint8_t)(inverted ? 255 - v[c] : v[c]);
        }
    }
    return VG_OK;
}

vg_status image_convert_frame(const image_view *dst, const AVFrame *frame,
                              const image_ffmpeg *ffmpeg, image_scratch *scratch, const char *name,
                              base_mem *mem, vg_error *err)
{
    const AVPixFmtDescriptor *d = ffmpeg->av_pix_fmt_desc_get((enum AVPixelFormat)frame->format);
    if (d == NULL || (d->flags & AV_PIX_FMT_FLAG_FLOAT) || d->comp[0].depth > 16)
        return base_fail(err, VG_ERR_UNSUPPORTED, name,
                         base_mend("convert it to 8 or 16 bits a sample"), "pixels of kind %s",
                         d != NULL ? d->name : "unknown");
    if (frame->format == AV_PIX_FMT_YUV420P || frame->format == AV_PIX_FMT_YUVA420P) {
        if (frame->color_range != AVCOL_RANGE_JPEG) {
            image_yuv420_to_rgb(dst, &(image_yuv420){.y = frame->data[0],
                                                     .u = frame->data[1],
                                                     .v = frame->data[2],
                                                     .y_stride = (size_t)frame->linesize[0],
                                                     .u_stride = (size_t)frame->linesize[1],
                                                     .v_stride = (size_t)frame->linesize[2]});
            return VG_OK;
        }
    }
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
