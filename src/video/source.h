/* source.h: what a source holds, in parts: opening (source_open.c), packets and the decoder
 * (source_decode.c), pictures in several packets (source_parts.c), its life (source.c). For this
 * folder. */
#ifndef VIDEO_SOURCE_H
#define VIDEO_SOURCE_H

#include "clock.h"
#include "fault.h"
#include "ffmpeg.h"
#include "frame.h"

/* Why FFmpeg was told to give up. */
typedef enum video_cut { VIDEO_NOT_CUT, VIDEO_CUT_STOP, VIDEO_CUT_TIME } video_cut;

/* When a packet came; the decoder carries its number to the picture. */
typedef struct video_arrival {
    int64_t arrived_ns, wall_ns;
    int64_t at_byte; /* of the file */
    bool has_camera_time;
} video_arrival;
enum { VIDEO_ARRIVALS = 256 /* more than any decoder holds back */ };

/* What the decoder was opened for. */
typedef struct video_codec_key {
    enum AVCodecID id;
    int w, h, format;
} video_codec_key;

struct video_source {
    const video_ffmpeg *f;
    video_source_options o; /* texts are in the same block */
    const atomic_bool *stop;
    video_kind kind;
    char name[256]; /* public */

    /* a connection */
    AVFormatContext *input;
    AVBufferPool *own; /* a camera's packets, copied */
    size_t own_bytes;
    AVIOContext *pipe; /* standard input and FIFOs, which FFmpeg could not leave */
    int pipe_fd;
    uint8_t *still; /* a picture's pixels as a BMP, read through `pipe`; NULL: this is none */
    size_t n_still, still_at;
    AVCodecContext *decoder;
    video_codec_key key;
    int stream;          /* index */
    unsigned n_streams;  /* at connecting */
    int n_foreign;       /* packets of a video stream that came since, without one of ours */
    int64_t deadline_ns; /* INT64_MAX: none */
    bool is_closing;     /* stop does not matter any more */
    video_cut cut;
    bool is_draining,
        is_switching;          /* no more packets; another decoder comes then, and the packet */
    bool has_shape, has_whole; /* a picture, and one without damage, has come */
    int w, h;                  /* upright, of the last picture */
    int n_errors;              /* in a row */
    int64_t n_numbered;        /* frames of this connection */
    int64_t first_ns;          /* when the first pushed one came */
    uint64_t n_good;           /* packets up to the last that gave a frame */
    int64_t begin_byte;        /* where the file is read from */
    int64_t at_byte;           /* how far, as far as packets say */
    uint64_t n_sent;           /* packets of this connection */
    uint64_t packet_number;    /* of `packet`, among them; its first part's */
    int n_parts;               /* of a key picture; one more than are known at first */
    bool has_ahead;
    video_turn turn; /* of the stream */
    video_clock clock;
    bool has_clock;        /* the stream has time stamps of its own */
    video_outcome outcome; /* once drained */
    video_fault fault;
    vg_error err;

    AVPacket *packet, *ahead; /* ahead: of the next picture, read with the one before */
    AVFrame *picture;
    video_arrival arrivals[VIDEO_ARRIVALS];
    struct {
        _Atomic uint64_t packets, bytes, frames, damaged_packets, size_changes, codec_changes,
            time_jumps;
    } counts;
};

/* ---- source.c ---- */

/* Input, stream and decoder, from s->begin_byte on. */
vg_status video_source_open(video_source *s, video_fault *fault, vg_error *err);
/* All of a connection is given back to FFmpeg. */
void video_source_close(video_source *s);

/* ---- source_open.c ---- */

/* FFmpeg's interrupt callback; also ours. */
int video_source_is_cut(void *source);
/* Fills err and *fault from an AVERROR, or from why we were cut. */
vg_status video_source_fail(video_source *s, int code, bool is_connecting, video_fault *fault,
                            vg_error *err);
/* Opens s->input and finds its streams. */
vg_status video_source_open_input(video_source *s, video_fault *fault, vg_error *err);

/* ---- source_still.c ---- */

/* When the source is a picture's file: decodes it, and makes s->input read its pixels. */
vg_status video_source_open_still(video_source *s, video_fault *fault, vg_error *err);
void video_source_close_still(video_source *s);

/* ---- source_decode.c ---- */

/* For the stream s->stream. */
vg_status video_source_open_decoder(video_source *s, video_fault *fault, vg_error *err);
/* The error of pictures of more than o.most_pixels; w 0: how large they are is not known. */
vg_status video_source_too_large(const video_source *s, int w, int h, video_fault *fault,
                                 vg_error *err);
/* The next packet of ours into s->packet; else an AVERROR. */
int video_source_read_packet(video_source *s);
/* The connection's time stamps begin. */
void video_source_begin_clock(video_source *s);

/* ---- source_parts.c ---- */

/* As video_source_read_packet; a key picture that comes in several packets is made one. */
int video_source_read_picture(video_source *s);

static inline bool video_source_is_stopped(const video_source *s)
{
    return s->stop != NULL && atomic_load_explicit(s->stop, memory_order_relaxed);
}
static inline void video_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

#endif
