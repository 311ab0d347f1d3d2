/* video.h: moving pictures in and out, through FFmpeg's libraries, which are loaded when the first
 * source or recorder is opened. What others may include of video.
 *
 * A source is one camera, stream or file at one time: it connects, gives frames until it ends or
 * fails, and may connect again. It does not retry and has no thread of its own (the decoder's
 * threads are FFmpeg's): who calls read decides. A frame is a reference to the decoder's picture:
 * never copied, held while its object is filled. What FFmpeg allocates is not on our accounts; it
 * is bounded by the number of frame objects, the decoder's own references and its queues. */
#ifndef VIDEO_VIDEO_H
#define VIDEO_VIDEO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "image/image.h"
#include "port.h"
#include "recorder.h"

/* ---- what a text means ---- */

typedef enum video_kind {
    VIDEO_NONE,    /* nothing of ours: a picture, a folder, a list, or nothing there */
    VIDEO_FILE,    /* a video file, by its suffix or its head */
    VIDEO_NETWORK, /* rtsp rtsps rtmp rtmps http https hls udp tcp srt rtp: a live stream */
    VIDEO_CAMERA,  /* "0", "1" ... or /dev/videoN */
    VIDEO_PIPE,    /* "-": MJPEG, raw or any container on standard input */
    VIDEO_DRAWN,   /* "lavfi:testsrc2=..." : FFmpeg's own test pictures */
    VIDEO_PUSHED   /* "push:NAME": pictures that the program itself hands over */
} video_kind;

video_kind video_kind_of(const char *text);
/* Of a network source: whether it is clear who is called (url_parse); others are good. Errors:
 * VG_ERR_ARGUMENT, where is "". */
vg_status video_check_address(const char *text, vg_error *err);
bool video_is_live(video_kind kind);        /* NETWORK and CAMERA: no end of its own, no waiting */
bool video_is_video_name(const char *path); /* by suffix */
/* text without user, password and query values, fit for logs and results; always terminated. */
void video_public_name(char *out, size_t n, const char *text);

/* ---- frames ---- */

typedef struct video_frame video_frame;
vg_status video_frame_create(video_frame **out, base_mem *mem, vg_error *err);
void video_frame_destroy(video_frame **f);
void video_frame_release(video_frame *f); /* gives the picture back; the object stays */

typedef struct video_frame_info {
    int w, h;       /* upright: the rotation of the file is done by those who read pixels */
    int64_t number; /* of this connection's frames, from 0, strided ones counted */
    /* Of the stream, from the connection's first. Where it has no time stamps: by its nominal
     * frames a second, of a live one by arrival. INT64_MIN: no frame was read */
    int64_t pts_ns;
    int64_t lasts_ns;   /* until the next one is shown, as far as it is told, else nominally */
    bool is_live;       /* time goes on here as there; else the film has its own */
    int64_t arrived_ns; /* base_now_ns when its packet was read */
    int64_t decoded_ns; /* base_now_ns when read gave it */
    int64_t wall_ns; /* CLOCK_REALTIME of the picture: the camera's own time stamp where it has one
                        (V4L2, RTCP), else of its arrival */
    bool has_camera_time;
    bool is_key, is_damaged; /* damaged: the decoder concealed errors */
} video_frame_info;
const video_frame_info *video_frame_get(const video_frame *f);
/* Which of several files it is of, for who reads them one after the other; copied, cut to its room,
 * and "" again when the frame is released. */
enum { VIDEO_FILE_BYTES = 256 };
void video_frame_set_file(video_frame *f, const char *name);
const char *video_frame_file(const video_frame *f);

/* The frame's brightness, upright, where it lies: borrowed until the frame is released. Of RGB it
 * is the green. False: it holds no picture, or one whose format has no sample of 8 to 16 bits for
 * each pixel (palettes, floats, pixels of a few bits). */
bool video_frame_luma(image_luma *out, const video_frame *f);

/* Upright RGB of the size of dst, which is the frame's w x h. scratch is the thread's own. Any
 * pixel format that libswscale reads; the common YUV ones by code of ours where that is faster. */
typedef struct video_scaler video_scaler; /* tables and libswscale's context; one a thread */
vg_status video_scaler_create(video_scaler **out, base_mem *mem, vg_error *err);
void video_scaler_destroy(video_scaler **s);
/* What video_frame_to_float takes for frames of w x h and inputs of in_w x in_h at most. makes_rgb:
 * some are not 4:2:0 of 8 bits, or have the input's size already, and are made RGB first. */
size_t video_scaler_bytes(int w, int h, int in_w, int in_h, bool makes_rgb);
vg_status video_frame_to_rgb(video_scaler *s, const image_view *dst, const video_frame *f,
                             base_mem *mem, vg_error *err);
/* Straight into a network's input, as image_letterbox_to_float of the RGB picture within rounding
 * (chroma is interpolated as luma is, colours are converted at the size of the input), without
 * making the whole RGB picture: floats 0..1, nhwc, rows of fit->out_w * 3. */
vg_status video_frame_to_float(video_scaler *s, float *dst, const video_frame *f,
                               const image_letterbox_fit *fit, base_mem *mem, vg_error *err);

/* What that is made of, for who makes it elsewhere: the frame's planes with their tables, or, where
 * its format has none or it is of the input's size, RGB. Borrowed from the frame and the scaler,
 * until the scaler's next use. */
typedef struct video_plane_taps {
    const int32_t *from;   /* the left (upper) sample of each column (row) */
    const int16_t *weight; /* of it and of its neighbour: 2048ths of columns, 128ths of rows */
} video_plane_taps;
typedef struct video_view {
    bool is_rgb;
    image_view rgb;
    const uint8_t *y, *u, *v;
    size_t y_row_bytes, chroma_row_bytes;
    int chroma_pitch;                                    /* 2: u and v are interleaved */
    int w, h;                                            /* as stored */
    bool is_swapped;                                     /* stored columns are the picture's rows */
    video_plane_taps luma_x, luma_y, chroma_x, chroma_y; /* x: along stored columns */
    /* clip(y * y_scale + offset + shares of u and v less 128), in 0..1 */
    float y_scale, offset[3], r_v, g_u, g_v, b_u;
} video_view;
vg_status video_frame_view(video_scaler *s, video_view *out, const video_frame *f,
                           const image_letterbox_fit *fit, base_mem *mem, vg_error *err);

/* ---- sources ---- */

typedef struct video_source_options {
    const char *text;    /* as the user gave it */
    bool rtsp_udp;       /* else TCP */
    int decode_threads;  /* 0: one a processor, at most 16; with is_low_delay only those
                            that add no delay. More than 1 is taken as said */
    double connect_s;    /* most time to connect and find the streams: 10 */
    double stall_s;      /* most time without a packet: 10. Files: none */
    int stride;          /* every stride-th frame; those between are decoded, not given. 1 */
    bool is_low_delay;   /* live: no buffering beyond what the stream needs */
    int64_t most_pixels; /* of a frame: larger ones are an error. 0: 64 Mpx */
    video_port *port; /* of a pushed source: where its pictures come from; NULL: VG_ERR_ARGUMENT */
    const char *format, *size,
        *rate; /* cameras and raw pipes: "mjpeg", "1280x720", "30"; "" : theirs */
} video_source_options;

/* What was found at connecting. */
typedef struct video_stream_info {
    int w, h, rotation_deg; /* w x h upright; 0: not known before the first frame */
    double frames_per_s;    /* 0: not known */
    int64_t n_frames;       /* 0: not known */
    double duration_s;      /* 0: not known, or endless */
    bool is_420; /* planes of 8-bit 4:2:0: what the network's input is sampled from directly */
    char codec[32], container[32];
} video_stream_info;

typedef enum video_outcome {
    VIDEO_FRAME,
    VIDEO_END,     /* of the stream: no more will come from this connection */
    VIDEO_STOPPED, /* *stop was set */
    VIDEO_FAILED   /* err says what; the connection is of no more use */
} video_outcome;

/* Why a connection failed, for counters and back-off; where FFmpeg does not tell,
 * VIDEO_FAULT_OTHER. */
#define VIDEO_FAULTS(X)                                                                            \
    X(REFUSED, "refused") /* nobody listens, or no route */                                        \
    X(NAME, "name")       /* no such host */                                                       \
    X(DENIED, "denied")   /* 401, 403, a device of others' */                                      \
    X(ABSENT, "absent")   /* 404, no such file or device */                                        \
    X(TIMEOUT, "timeout") /* while connecting */                                                   \
    X(STALL, "stall")     /* no packet for stall_s */                                              \
    X(LOST, "lost")       /* the connection broke, the camera was unplugged */                     \
    X(DATA, "data")       /* no stream that can be decoded */                                      \
    X(OTHER, "other")
typedef enum video_fault {
#define X(name, text) VIDEO_FAULT_##name,
    VIDEO_FAULTS(X)
#undef X
        VIDEO_N_FAULTS
} video_fault;
const char *video_fault_name(video_fault f);

typedef struct video_source video_source;
/* Connects to nothing yet. Texts are copied. stop: when it becomes true, connect and read return
 * within some 100 ms. Errors: VG_ERR_ARGUMENT, VG_ERR_UNSUPPORTED (no FFmpeg), VG_ERR_MEMORY. */
vg_status video_source_create(video_source **out, const video_source_options *o,
                              const atomic_bool *stop, base_mem *mem, vg_error *err);
void video_source_destroy(video_source **s);
/* Blocks for at most connect_s (standard input: as long as its writer takes). A source that is
 * connected is disconnected first. Errors: VG_ERR_IO, VG_ERR_FORMAT, VG_ERR_UNSUPPORTED (this
 * FFmpeg cannot), VG_ERR_INTERRUPTED; *fault says which. */
vg_status video_source_connect(video_source *s, video_stream_info *info, video_fault *fault,
                               vg_error *err);
/* The next frame into f, whose old picture is released first. Packets that cannot be decoded are
 * counted and skipped; a resolution or codec that changes in mid-stream goes on with the new one.
 * Where a transport stream gives its number to another codec without a word, that shows after 50
 * packets of no use: a file goes on from where its frames ended, a live stream fails (DATA), and
 * the next connect finds what it is now. A live stream's key picture that comes in
 * several packets is one frame. pts_ns rises: where time stamps are missing, stand, go back or leap
 * it goes on by a frame's time, never by how long reading took. At an end or a failure the frames
 * that the decoder holds come first. */
video_outcome video_source_read(video_source *s, video_frame *f, video_fault *fault, vg_error *err);
void video_source_disconnect(video_source *s);
/* Counted over all connections. */
typedef struct video_source_counts {
    uint64_t packets, bytes, frames, damaged_packets, size_changes, codec_changes, time_jumps;
} video_source_counts;
void video_source_get_counts(const video_source *s, video_source_counts *out); /* any thread */

/* What FFmpeg takes for a connection, about: for a plan that is told before the start. */
typedef struct video_need {
    size_t decoder_bytes; /* pictures for reference, tables, threads, and the frame that was read */
    size_t picture_bytes; /* of each further frame that is held */
} video_need;
/* Before anything is known but what the options say: H.264 with 4 pictures for reference. */
video_need video_need_assumed(int w, int h, const video_source_options *o);
/* Once the first frame was read; zeros before. */
video_need video_source_need(const video_source *s);

#endif
