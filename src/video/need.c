/* need.c: what FFmpeg will take for a decoder or an encoder, for a plan that is told before the
 * start. FFmpeg does not say; these are fits to what its heap grew by (FFmpeg 5.1, x264 164; sizes
 * from 640 x 360 to 3840 x 2160, 1 to 4 threads), and tests/video/test_need.c holds them to it.
 *
 * A decoder keeps the pictures that later ones refer to, and one that it works on; beside each
 * picture of H.264 and its kin stand the motion vectors of its blocks. A thread of its own a frame
 * adds a picture that is worked on, one that is held back, and a context. */
#include <string.h>

#include "source.h"

static const size_t MiB = 1 << 20;
enum {
    PLAIN_REFS = 4,         /* of H.264 at 1080p in level 4, and what encoders use unless told */
    MOST_REFS = 16,         /* of any codec */
    MOST_THREADS = 16,      /* as source_decode.c asks for */
    UDP_PACKETS = 7 * 4096, /* FFmpeg's fifo of udp://, of 188 bytes each */
    UDP_PACKET_BYTES = 188
};

typedef struct facts {
    enum AVCodecID codec;
    size_t w, h;
    size_t picture_bytes;
    int refs, frame_threads;
} facts;

static size_t picture_bytes(size_t w, size_t h, double bytes_per_pixel)
{
    return (size_t)((double)(base_round_up(w, 32) * base_round_up(h, 32)) * bytes_per_pixel);
}

/* Times 1/256 of a byte a pixel: H.264 has two lists of 16 vectors for a block of 16 x 16, and what
 * they refer to; HEVC twelve bytes for one of 4 x 4. */
static size_t motion_bytes(const facts *of)
{
    const size_t px = of->w * of->h;
    switch (of->codec) {
    case AV_CODEC_ID_H264:
        return px / 256 * 140;
    case AV_CODEC_ID_HEVC:
        return px / 16 * 12;
    case AV_CODEC_ID_MJPEG:
    case AV_CODEC_ID_RAWVIDEO:
    case AV_CODEC_ID_WRAPPED_AVFRAME:
        return 0;
    default:
        return px / 256 * 100;
    }
}

static size_t n_pictures(const facts *of)
{
    switch (of->codec) {
    case AV_CODEC_ID_MJPEG: /* no picture refers to another */
        return 1;
    case AV_CODEC_ID_RAWVIDEO:
    case AV_CODEC_ID_WRAPPED_AVFRAME:
        return 2;
    default:
        return (size_t)of->refs + 1;
    }
}

static video_need need_of(const facts *of)
{
    const size_t px = of->w * of->h, motion = motion_bytes(of);
    const bool is_simple = n_pictures(of) <= 2 && motion == 0;
    const size_t fixed = is_simple ? MiB / 5 : MiB * 13 / 10 + px / 2;
    const size_t a_thread = 2 * of->picture_bytes + motion + MiB * 12 / 10;
    const size_t n_more = of->frame_threads > 1 && !is_simple ? (size_t)of->frame_threads - 1 : 0;
    return (video_need){.decoder_bytes = fixed + n_pictures(of) * (of->picture_bytes + motion) +
                                         n_more * a_thread,
                        .picture_bytes = of->picture_bytes};
}

static int threads_of(const video_source_options *o)
{
    const int n = o->decode_threads > 0 ? o->decode_threads : base_cpu_count();
    return n < MOST_THREADS ? n : MOST_THREADS;
}

video_need video_need_assumed(int w, int h, const video_source_options *o)
{
    const video_kind kind = video_kind_of(o->text);
    const bool is_raw = kind == VIDEO_DRAWN || kind == VIDEO_PUSHED ||
                        (o->format != NULL && strcmp(o->format, "rawvideo") == 0);
    const bool by_frames = !o->is_low_delay; /* FFmpeg never does both */
    const facts of = {.codec = is_raw ? AV_CODEC_ID_RAWVIDEO : AV_CODEC_ID_H264,
                      .w = (size_t)w,
                      .h = (size_t)h,
                      .picture_bytes =
                          picture_bytes((size_t)w, (size_t)h, kind == VIDEO_PUSHED ? 3 : 1.5),
                      .refs = PLAIN_REFS,
                      .frame_threads = by_frames ? threads_of(o) : 1};
    video_need need = need_of(&of);
    if (base_starts_with(o->text, "udp:"))
        need.decoder_bytes += (size_t)UDP_PACKETS * UDP_PACKET_BYTES;
    return need;
}

/* By the pixel format: 1.5 for yuv420p. */
static double bytes_per_pixel(const video_source *s)
{
    const AVPixFmtDescriptor *d = s->f->av_pix_fmt_desc_get(s->decoder->pix_fmt);
    double bytes = 0;
    for (int i = 0; d != NULL && i < d->nb_components; i++) {
        const bool is_chroma = (i == 1 || i == 2) && (d->flags & AV_PIX_FMT_FLAG_RGB) == 0;
        const int shift = is_chroma ? d->log2_chroma_w + d->log2_chroma_h : 0;
        bytes += (d->comp[i].depth > 8 ? 2.0 : 1.0) / (double)(1 << shift);
    }
    return bytes > 0 ? bytes : 1.5;
}

video_need video_source_need(const video_source *s)
{
    const AVCodecContext *d = s->decoder;
    if (d == NULL || d->width < 1 || d->height < 1)
        return (video_need){0};
    const bool by_frames = (d->active_thread_type & FF_THREAD_FRAME) != 0;
    int refs = d->refs > 0 && d->codec_id == AV_CODEC_ID_H264 ? d->refs : PLAIN_REFS;
    if (refs < d->has_b_frames)
        refs = d->has_b_frames;
    const facts of = {.codec = d->codec_id,
                      .w = (size_t)d->width,
                      .h = (size_t)d->height,
                      .picture_bytes =
                          picture_bytes((size_t)d->width, (size_t)d->height, bytes_per_pixel(s)),
                      .refs = refs < MOST_REFS ? refs : MOST_REFS,
                      .frame_threads = by_frames ? d->thread_count : 1};
    video_need need = need_of(&of);
    need.decoder_bytes += 4 * s->n_still; /* the BMP, its packet, and what decoding it took */
    return need;
}

/* x264 begins blocks of more than 2 MB at multiples of that, of which a 720p picture has the first.
 */
static size_t x264_bytes(size_t px, size_t threads)
{
    enum { LARGE_PX = 700000 };
    const size_t aligned = px >= LARGE_PX ? 9 * MiB + 2 * px : 0;
    return MiB * 7 / 2 + px * 29 / 2 + 2 * px * (threads - 1) + aligned;
}

size_t video_recorder_need(const char *codec, int w, int h, int threads)
{
    const size_t px = (size_t)w * (size_t)h;
    const size_t n = threads > 0 ? (size_t)threads : 1;
    if (codec != NULL && strcmp(codec, "mpeg4") == 0)
        return MiB + px * (n > 1 ? 24 : 9) + px / 2;
    return x264_bytes(px, n);
}
