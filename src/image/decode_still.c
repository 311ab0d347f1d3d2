/* decode_still.c: BMP and GIF through FFmpeg's codecs.
 *
 * Those hand back a frame whatever was missing, so that a file is whole is made sure of first
 * (whole.c, header.c).
 *
 * Packet and frame are kept; the codec's context is made anew for every picture (10 microseconds),
 * so that no palette, frame or pool of the last picture lives on: what a picture becomes does not
 * depend on what came before it. */
#include <limits.h>
#include <string.h>

#include "buffer.h"
#include "convert.h"
#include "decode.h"
#include "whole.h"

struct image_stills {
    image_ffmpeg ffmpeg;
    AVPacket *packet;
    AVFrame *frame;
};

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

/* The header has made sure of GIF's blocks, not of what their codes tell. */
static bool is_whole(const image_source *source)
{
    const image_header *h = source->header;
    if (h->format == IMAGE_FORMAT_BMP)
        return image_bmp_is_whole(source->bytes, source->n_bytes, h->w, h->h);
    return image_gif_is_whole(source->bytes + h->frame_at, h->n_frame_bytes,
                              (uint64_t)h->frame_w * (uint64_t)h->frame_h);
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
    const image_header *header = source->header;
    if (!is_whole(source))
        return base_fail(
            err, VG_ERR_FORMAT, source->name, base_mend("fetch or copy the file again"),
            "the picture is truncated after %zu bytes: its pixels end too early", source->n_bytes);
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

    const AVCodec *codec = f->avcodec_find_decoder(
        header->format == IMAGE_FORMAT_GIF ? AV_CODEC_ID_GIF : AV_CODEC_ID_BMP);
    if (codec == NULL)
        return base_fail(err, VG_ERR_UNSUPPORTED, source->name,
                         base_mend("install the FFmpeg of the distribution, or convert it to JPEG"),
                         "this FFmpeg was built without a decoder for it");
    context = f->avcodec_alloc_context3(codec);
    if (context == NULL)
        return out_of_memory(source->name, err);
    context->thread_count = 1;
    context->max_pixels = most_pixels;
    /* Errors are ours to tell, and FFmpeg's level is the whole process's: so our messages count as
     * less than its least. Not more than 199, since av_log looks at 8 bits. */
    context->log_level_offset = 2 * AV_LOG_TRACE;

    st = run_codec(s, context, codec, source, header->w, header->h, err);
    if (st == VG_OK)
        st = image_buffer_reserve(out, header->w, header->h, mem, err);
    if (st == VG_OK)
        st = image_convert_frame(&out->view, s->frame, f, scratch, source->name, mem, err);
    f->av_frame_unref(s->frame);
    f->avcodec_free_context(&context);
    return st;
}

vg_status image_still_reserve(image_stills **stills, base_mem *mem, vg_error *err)
{
    return *stills != NULL ? VG_OK : create(stills, NULL, mem, err);
}

size_t image_still_bytes(void)
{
    return sizeof(image_stills);
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
    base_free(s);
    *stills = NULL;
}
