/* recorder_encoder.c: RGB pictures into packets by FFmpeg's encoders, none of which may look ahead:
 * a packet leaves as soon as its picture has come, so that nothing is lost in a queue at the end.
 */
#include "recorder_parts.h"

#include <math.h>
#include <string.h>

enum {
    KEY_EVERY_S = 2,   /* where players can jump to, and where a broken file goes on */
    X264_CRF = 23,     /* x264's own default */
    MPEG4_QUALITY = 4, /* 1..31, less is better */
    PADDING = 64,
    HD_LINES = 720 /* BT.709 from here, as players assume */
};
static const double BITS_PER_PIXEL = 0.1; /* for encoders without constant quality */

/* ---- which one ---- */

vg_status video_encoder_find(const AVCodec **out, const video_ffmpeg *f, const char *name,
                             vg_error *err)
{
    static const char *const h264[] = {"libx264", "libopenh264", "mpeg4"};
    const bool is_h264 = name == NULL || *name == '\0' || base_equal_nocase(name, "h264");
    *out = NULL;
    for (size_t i = 0; is_h264 && *out == NULL && i < sizeof h264 / sizeof *h264; i++) {
        *out = f->avcodec_find_encoder_by_name(h264[i]);
        if (*out != NULL && strcmp(h264[i], "mpeg4") == 0)
            base_log(BASE_LOG_WARN, "recordings are MPEG-4 part 2",
                     "reason=\"this FFmpeg has neither libx264 nor libopenh264\"");
    }
    if (!is_h264)
        *out = f->avcodec_find_encoder_by_name(name);
    if (*out == NULL || (*out)->type != AVMEDIA_TYPE_VIDEO) {
        *out = NULL;
        return base_fail(err, VG_ERR_UNSUPPORTED, "video_codec",
                         "take h264, or one of the names that `ffmpeg -encoders` lists under V",
                         "this FFmpeg has no video encoder \"%s\"", is_h264 ? "h264" : name);
    }
    for (const enum AVPixelFormat *p = (*out)->pix_fmts; p != NULL && *p != AV_PIX_FMT_NONE; p++)
        if (*p == AV_PIX_FMT_YUV420P)
            return VG_OK;
    *out = NULL;
    return base_fail(err, VG_ERR_UNSUPPORTED, "video_codec", "take h264",
                     "the encoder \"%s\" does not take yuv420p", name);
}

/* ---- open ---- */

static vg_status failed(const video_ffmpeg *f, int code, const char *what, vg_error *err)
{
    char text[128];
    video_ffmpeg_text(f, text, sizeof text, code);
    if (code == AVERROR(ENOMEM))
        return base_fail(err, VG_ERR_MEMORY, "recording", NULL, "%s: %s", what, text);
    return base_fail(err, VG_ERR_SYSTEM, "recording", "try another video_codec", "%s: %s", what,
                     text);
}

/* Nothing is looked up ahead: no B frames, no queue for rate control, threads that share a picture
 * instead of taking one each. */
static void set_options(AVCodecContext *c, AVDictionary **o, const video_ffmpeg *f, double rate)
{
    c->max_b_frames = 0;
    c->bit_rate = (int64_t)(c->width * (double)c->height * rate * BITS_PER_PIXEL) + 100000;
    if (strcmp(c->codec->name, "libx264") == 0) {
        c->bit_rate = 0;
        /* For a 1080p picture 7 ms against superfast's 15, for files a third larger: the processor
         * is for the network. */
        f->av_dict_set(o, "preset", "ultrafast", 0);
        f->av_dict_set(o, "tune", "zerolatency", 0);
        f->av_dict_set_int(o, "crf", X264_CRF, 0);
        f->av_dict_set_int(o, "forced-idr", 1, 0);
    } else if (strcmp(c->codec->name, "mpeg4") == 0) {
        c->flags |= AV_CODEC_FLAG_QSCALE;
        c->global_quality = FF_QP2LAMBDA * MPEG4_QUALITY;
        c->bit_rate = 0;
    }
}

static vg_status open_codec(video_encoder *e, const video_ffmpeg *f, const AVCodec *codec,
                            double rate, int threads, vg_error *err)
{
    AVDictionary *options = NULL;
    AVCodecContext *c = f->avcodec_alloc_context3(codec);
    e->context = c;
    if (c == NULL)
        return failed(f, AVERROR(ENOMEM), "an encoder", err);
    c->width = (e->w + 1) & ~1;
    c->height = (e->h + 1) & ~1;
    c->time_base = (AVRational){1, VIDEO_TICKS_PER_S};
    c->framerate = (AVRational){(int)lrint(rate * 1000), 1000};
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->gop_size = (int)lrint(fmax(rate * KEY_EVERY_S, 2));
    c->thread_count = threads > 0 ? threads : 1;
    c->thread_type = FF_THREAD_SLICE;
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    c->color_range = AVCOL_RANGE_MPEG;
    c->colorspace = e->h >= HD_LINES ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    c->color_primaries = e->h >= HD_LINES ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
    c->color_trc = e->h >= HD_LINES ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
    set_options(c, &options, f, rate);
    const int code = f->avcodec_open2(c, codec, &options);
    f->av_dict_free(&options);
    return code >= 0 ? VG_OK
                     : failed(f, code,
                              base_where("the encoder %s cannot be opened for %d x %d pixels",
                                         codec->name, e->w, e->h),
                              err);
}

static vg_status open_frame(video_encoder *e, const video_ffmpeg *f, vg_error *err)
{
    e->frame = f->av_frame_alloc();
    e->packet = f->av_packet_alloc();
    if (e->frame == NULL || e->packet == NULL)
        return failed(f, AVERROR(ENOMEM), "a frame to encode", err);
    e->frame->format = AV_PIX_FMT_YUV420P;
    e->frame->width = e->context->width;
    e->frame->height = e->context->height;
    e->frame->color_range = e->context->color_range;
    e->frame->colorspace = e->context->colorspace;
    const int code = f->av_frame_get_buffer(e->frame, 0);
    return code >= 0 ? VG_OK : failed(f, code, "a frame to encode", err);
}

/* libswscale reads up to a register beyond the end of a row. Behind all rows but the last there is
 * another; the last may end where the caller's memory does, so the last ones are copied. */
static int tail_rows(const video_encoder *e)
{
    return e->h < 4 ? e->h : 2;
}

static size_t tail_stride(const video_encoder *e)
{
    return base_round_up((size_t)e->w * 3 + PADDING, PADDING);
}

static vg_status open_scaler(video_encoder *e, const video_ffmpeg *f, vg_error *err)
{
    /* libswscale's fast way to chroma takes columns by twos, and beside the last of an odd number
     * the next row's first. */
    const int flags = SWS_FAST_BILINEAR | (e->w % 2 != 0 ? SWS_FULL_CHR_H_INP : 0);
    e->scaler = f->sws_getContext(e->w, e->h, AV_PIX_FMT_RGB24, e->w, e->h, AV_PIX_FMT_YUV420P,
                                  flags, NULL, NULL, NULL);
    if (e->scaler == NULL)
        return failed(f, AVERROR(ENOMEM), "conversion to yuv420p", err);
    const int *rgb = f->sws_getCoefficients(SWS_CS_DEFAULT),
              *yuv = f->sws_getCoefficients(e->h >= HD_LINES ? SWS_CS_ITU709 : SWS_CS_SMPTE170M);
    f->sws_setColorspaceDetails(e->scaler, rgb, 1, yuv, 0, 0, 1 << 16, 1 << 16);
    const size_t tail_bytes = tail_stride(e) * (size_t)tail_rows(e);
    e->tail = f->av_malloc(tail_bytes);
    if (e->tail == NULL)
        return failed(f, AVERROR(ENOMEM), "conversion to yuv420p", err);
    memset(e->tail, 0, tail_bytes);
    return VG_OK;
}

vg_status video_encoder_open(video_encoder *e, const video_ffmpeg *f, const AVCodec *codec, int w,
                             int h, double frames_per_s, int threads, vg_error *err)
{
    const double rate = frames_per_s > 0 ? fmin(fmax(frames_per_s, 0.01), 1000) : 25;
    *e = (video_encoder){.w = w, .h = h};
    vg_status st = open_codec(e, f, codec, rate, threads, err);
    if (st == VG_OK)
        st = open_frame(e, f, err);
    if (st == VG_OK)
        st = open_scaler(e, f, err);
    if (st != VG_OK)
        video_encoder_close(e, f);
    return st;
}

void video_encoder_close(video_encoder *e, const video_ffmpeg *f)
{
    if (e->context != NULL)
        f->avcodec_free_context(&e->context);
    if (e->frame != NULL)
        f->av_frame_free(&e->frame);
    if (e->packet != NULL)
        f->av_packet_free(&e->packet);
    if (e->scaler != NULL)
        f->sws_freeContext(e->scaler);
    f->av_free(e->tail);
    *e = (video_encoder){0};
}

/* ---- pictures in, packets out ---- */

/* yuv420p has no odd sizes: the last column or row twice. Chroma's is there, for it is rounded up.
 */
static void fill_edges(AVFrame *frame, int w, int h)
{
    const ptrdiff_t stride = frame->linesize[0];
    uint8_t *luma = frame->data[0];
    if (w < frame->width)
        for (int y = 0; y < h; y++)
            luma[y * stride + w] = luma[y * stride + w - 1];
    if (h < frame->height)
        memcpy(luma + h * stride, luma + (h - 1) * stride, (size_t)frame->width);
}

/* Rows from y on, which stand at `data`. */
static int scale_rows(video_encoder *e, const video_ffmpeg *f, const uint8_t *data, size_t stride,
                      int y, int n_rows)
{
    const uint8_t *planes[4] = {data};
    const int strides[4] = {(int)stride};
    return f->sws_scale(e->scaler, planes, strides, y, n_rows, e->frame->data, e->frame->linesize);
}

static vg_status fill_frame(video_encoder *e, const video_ffmpeg *f, const image_view *picture,
                            vg_error *err)
{
    const int code = f->av_frame_make_writable(e->frame);
    if (code < 0)
        return failed(f, code, "a frame to encode", err);
    const int n_tail = tail_rows(e), n_head = e->h - n_tail;
    const size_t stride = tail_stride(e);
    for (int y = 0; y < n_tail; y++)
        memcpy(e->tail + (size_t)y * stride, picture->data + (size_t)(n_head + y) * picture->stride,
               (size_t)e->w * 3);
    int rows = 0;
    if (n_head > 0)
        rows = scale_rows(e, f, picture->data, picture->stride, 0, n_head);
    if (rows >= 0)
        rows = scale_rows(e, f, e->tail, stride, n_head, n_tail);
    if (rows < 0)
        return failed(f, rows, "conversion to yuv420p", err);
    fill_edges(e->frame, e->w, e->h);
    return VG_OK;
}

vg_status video_encoder_push(video_encoder *e, const video_ffmpeg *f, const image_view *picture,
                             int64_t ticks, bool wants_key, vg_error *err)
{
    if (picture != NULL) {
        const vg_status st = fill_frame(e, f, picture, err);
        if (st != VG_OK)
            return st;
        e->frame->pts = ticks;
        e->frame->pict_type = wants_key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    }
    const int code = f->avcodec_send_frame(e->context, picture != NULL ? e->frame : NULL);
    if (code < 0 && code != AVERROR_EOF)
        return failed(f, code, "a picture cannot be encoded", err);
    return VG_OK;
}

vg_status video_encoder_pull(video_encoder *e, const video_ffmpeg *f, bool *has, vg_error *err)
{
    const int code = f->avcodec_receive_packet(e->context, e->packet);
    *has = code >= 0;
    if (code >= 0 || code == AVERROR(EAGAIN) || code == AVERROR_EOF)
        return VG_OK;
    return failed(f, code, "a picture cannot be encoded", err);
}
