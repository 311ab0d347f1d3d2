/* decode_still.c: PNG, BMP, WebP and GIF through FFmpeg's codecs.
 *
 * Packet and frame are kept; the codec's context is made anew for every picture (10 microseconds),
 * so that no palette, frame or pool of the last picture lives on: what a picture becomes does not
 * depend on what came before it. */
#include <limits.h>
#include <string.h>

#include "buffer.h"
#include "convert.h"
#include "decode.h"

struct image_stills {
    image_ffmpeg ffmpeg;
    AVPacket *packet;
    AVFrame *frame;
    image_scratch still; /* the first frame of an animated WebP */
};

static enum AVCodecID codec_of(image_format format)
{
    switch (format) {
    case IMAGE_FORMAT_PNG:
        return AV_CODEC_ID_PNG;
    case IMAGE_FORMAT_BMP:
        return AV_CODEC_ID_BMP;
    case IMAGE_FORMAT_WEBP:
        return AV_CODEC_ID_WEBP;
    case IMAGE_FORMAT_GIF:
        return AV_CODEC_ID_GIF;
    case IMAGE_FORMAT_JPEG:
    case IMAGE_FORMAT_TIFF:
    case IMAGE_FORMAT_NONE:
        break;
    }
    return AV_CODEC_ID_NONE;
}

static vg_status out_of_memory(const char *name, vg_error *err)
{
    return base_fail(err, VG_ERR_MEMORY, name, NULL, "FFmpeg found no memory");
}

static vg_status ffmpeg_failed(const image_ffmpeg *f, int code, const char *name, vg_error *err)
{
    if (code == AVERROR(ENOMEM))
        return out_of_memory(name, err);
    if (code == AVERROR_PATCHWELCOME || code == AVERROR(ENOSYS))
        return base_fail(err, VG_ERR_UNSUPPORTED, name, base_mend("convert it to PNG or JPEG"),
                         "a rare kind of picture that FFmpeg does not decode");
    char text[128];
    f->av_strerror(code, text, sizeof(text));
    return base_fail(err, VG_ERR_FORMAT, name, base_mend("save the picture again from its source"),
                     "the picture is damaged or truncated: %s", text);
}

static vg_status create(image_stills **out, const char *name, base_mem *mem, vg_error *err)
{
    image_stills *s = base_alloc_zero(mem, 1, sizeof(*s), err);
    if (s == NULL)
        return VG_ERR_MEMORY;
    vg_status st = image_ffmpeg_load(&s->ffmpeg, NULL, err);
    if (st == VG_OK) {
        s->packet = s->ffmpeg.av_packet_alloc();
        s->frame = s->ffmpeg.av_frame_alloc();
        if (s->packet == NULL || s->frame == NULL)
            st = out_of_memory(name, err);
    }
    if (st != VG_OK)
        image_still_fini(&s);
    *out = s;
    return st;
}

enum { HEAD = 12 + 18 /* RIFF, VP8X */ };

size_t image_still_animation_bytes(const image_header *header)
{
    return HEAD + header->n_frame_bytes;
}

static void put_le(uint8_t *p, size_t v, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

/* FFmpeg takes no animated WebP, but its frames are stills in all but the head: gives the first one
 * a head of its own. The bytes stay in the scratch. */
static vg_status still_of_animation(image_source *out, const image_source *source,
                                    image_scratch *scratch, base_mem *mem, vg_error *err)
{
    enum { ALPHA = 0x10 };
    const image_header *header = source->header;
    size_t n = image_still_animation_bytes(header);
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

/* One picture in, one frame of w x h out. The frame is the caller's to unref. */
static vg_status run_codec(image_stills *s, AVCodecContext *context, const AVCodec *codec,
                           const image_source *source, int w, int h, vg_error *err)
{
    const image_ffmpeg *f = &s->ffmpeg;
    int code = f->avcodec_open2(context, codec, NULL);
    if (code < 0)
        return ffmpeg_failed(f, code, source->name, err);

    /* Not reference-counted, so libavcodec copies it, and pads the copy as its readers need. */
    s->packet->data = (uint8_t *)(uintptr_t)source->bytes;
    s->packet->size = (int)source->n_bytes;
    code = f->avcodec_send_packet(context, s->packet);
    s->packet->data = NULL;
    s->packet->size = 0;
    if (code >= 0)
        code = f->avcodec_receive_frame(context, s->frame);
    if (code < 0)
        return ffmpeg_failed(f, code, source->name, err);
    if ((s->frame->flags & AV_FRAME_FLAG_CORRUPT) || s->frame->decode_error_flags != 0)
        return ffmpeg_failed(f, AVERROR_INVALIDDATA, source->name, err);
    if (s->frame->width != w || s->frame->height != h)
        return base_fail(err, VG_ERR_FORMAT, source->name,
                         base_mend("save the picture again from its source"),
                         "the picture is %d x %d by its header and %d x %d by its contents", w, h,
                         s->frame->width, s->frame->height);
    return VG_OK;
}

vg_status image_still_decode(image_stills **stills, image_buffer *out, const image_source *source,
                             image_scratch *scratch, int64_t most_pixels, base_mem *mem,
                             vg_error *err)
{
    AVCodecContext *context = NULL;
    vg_status st = VG_OK;
    if (source->n_bytes > INT_MAX - AV_INPUT_BUFFER_PADDING_SIZE)
        return base_fail(err, VG_ERR_LIMIT, source->name, base_mend("convert it to JPEG"),
                         "a picture file of %zu bytes; 2 GiB is the most", source->n_bytes);
    if (*stills == NULL) {
        st = create(stills, source->name, mem, err);
        if (st != VG_OK)
            return st;
    }
    image_stills *s = *stills;
    const image_ffmpeg *f = &s->ffmpeg;

    const AVCodec *codec = f->avcodec_find_decoder(codec_of(source->header->format));
    if (codec == NULL)
        return base_fail(err, VG_ERR_UNSUPPORTED, source->name,
                         base_mend("install the FFmpeg of the distribution, or convert it to JPEG"),
                         "this FFmpeg was built without a decoder for it");
    context = f->avcodec_alloc_context3(codec);
    if (context == NULL)
        return out_of_memory(source->name, err);
    context->thread_count = 1;
    context->max_pixels = most_pixels;
    /* Wrong checksums are errors. */
    if (source->header->format == IMAGE_FORMAT_PNG)
        context->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
    /* Errors are ours to tell, and FFmpeg's level is the whole process's: so our messages count as
     * less than its least. Not more than 199, since av_log looks at 8 bits. */
    context->log_level_offset = 2 * AV_LOG_TRACE;

    const image_header *header = source->header;
    image_source still = *source;
    int frame_w = header->animated ? header->frame_w : header->w;
    int frame_h = header->animated ? header->frame_h : header->h;
    if (header->animated)
        st = still_of_animation(&still, source, &s->still, mem, err);
    if (st == VG_OK)
        st = run_codec(s, context, codec, &still, frame_w, frame_h, err);
    if (st == VG_OK)
        st = image_buffer_reserve(out, header->w, header->h, mem, err);
    if (st == VG_OK) {
        image_view part = out->view;
        part.data += (size_t)header->frame_y * part.stride + 3 * (size_t)header->frame_x;
        part.w = frame_w;
        part.h = frame_h;
        if (part.w != out->view.w || part.h != out->view.h)
            memset(out->view.data, 0,
                   out->view.stride * (size_t)out->view.h); /* around it: black */
        st = image_convert_frame(&part, s->frame, f, scratch, source->name, mem, err);
    }
    f->av_frame_unref(s->frame);
    f->avcodec_free_context(&context);
    return st;
}

vg_status image_still_reserve(image_stills **stills, size_t animation_bytes, base_mem *mem,
                              vg_error *err)
{
    vg_status st = *stills != NULL ? VG_OK : create(stills, NULL, mem, err);
    return st == VG_OK ? image_scratch_reserve(&(*stills)->still, animation_bytes, mem, err) : st;
}

size_t image_still_bytes(size_t animation_bytes)
{
    return sizeof(image_stills) + animation_bytes;
}

void image_still_fini(image_stills **stills)
{
    image_stills *s = *stills;
    if (s == NULL)
        return;
    if (s->packet != NULL)
        s->ffmpeg.av_packet_free(&s->packet);
    if (s->frame != NULL)
        s->ffmpeg.av_frame_free(&s->frame);
    image_ffmpeg_unload(&s->ffmpeg);
    image_scratch_fini(&s->still);
    base_free(s);
    *stills = NULL;
}
