/* recorder_parts.h: what a recorder is made of: an encoder, the file being written, and the folder
 * of those that were. For this folder.
 *
 * Time stamps are in ticks of 1/60000 s: whole for 24, 25, 30, 50 and 60 frames a second and their
 * 1000/1001, and below the 65535 that MPEG-4 part 2 can say. */
#ifndef VIDEO_RECORDER_PARTS_H
#define VIDEO_RECORDER_PARTS_H

#include "ffmpeg.h"
#include "image/image.h"
#include "recorder.h"

enum { VIDEO_TICKS_PER_S = 60000, VIDEO_PATH_BYTES = 4096 };

/* ---- encoder: pictures of one size into packets ---- */

typedef struct video_encoder {
    AVCodecContext *context; /* NULL: not open */
    struct SwsContext *scaler;
    AVFrame *frame; /* of even size */
    AVPacket *packet;
    uint8_t *tail; /* a copy of the picture's last rows, padded */
    int w, h;      /* of the pictures */
} video_encoder;

/* name: "h264", "" or an FFmpeg encoder's. Errors: VG_ERR_UNSUPPORTED. */
vg_status video_encoder_find(const AVCodec **out, const video_ffmpeg *f, const char *name,
                             vg_error *err);
vg_status video_encoder_open(video_encoder *e, const video_ffmpeg *f, const AVCodec *codec, int w,
                             int h, double frames_per_s, int threads, vg_error *err);
void video_encoder_close(video_encoder *e, const video_ffmpeg *f);
/* picture NULL: no more will come; then pull what is left. ticks rise. */
vg_status video_encoder_push(video_encoder *e, const video_ffmpeg *f, const image_view *picture,
                             int64_t ticks, bool wants_key, vg_error *err);
/* *has: e->packet holds the next packet. */
vg_status video_encoder_pull(video_encoder *e, const video_ffmpeg *f, bool *has, vg_error *err);

/* ---- segment: packets into a file ---- */

typedef struct video_segment {
    AVFormatContext *muxer; /* NULL: none is open */
    int fd;
    int write_errno;       /* of the first write that failed */
    int64_t written_bytes; /* also parts of fragments */
    int64_t whole_bytes;   /* up to the end of the last whole fragment */
    int64_t packet_bytes;  /* taken, also those that wait in the muxer */
    int64_t start_ticks;
    uint64_t n_kept, n_waiting; /* packets in whole fragments, of all segments; in the muxer */
    bool has_fragment;
    video_syncer *syncer; /* NULL: none */
    char path[VIDEO_PATH_BYTES];
} video_segment;

/* Makes the file; the encoder gives the stream's parameters. Errors: VG_ERR_IO, VG_ERR_UNSUPPORTED
 * (MP4 has no place for such a stream), VG_ERR_MEMORY: nothing is left behind. */
vg_status video_segment_open(video_segment *s, const video_ffmpeg *f, const char *folder,
                             const char *stem, bool one_file, const video_encoder *e,
                             vg_error *err);
/* Takes the packet's contents. On failure the segment is as it was: abandon it. */
vg_status video_segment_write(video_segment *s, const video_ffmpeg *f, AVPacket *packet,
                              AVRational time_base, vg_error *err);
/* Ends the file well. On failure what is whole is kept. */
vg_status video_segment_close(video_segment *s, const video_ffmpeg *f, vg_error *err);
/* Keeps what is whole; a file without a picture is removed. */
void video_segment_abandon(video_segment *s, const video_ffmpeg *f);

/* ---- folder ---- */

/* A new file's name and descriptor. Errors: VG_ERR_IO, VG_ERR_LIMIT. */
vg_status video_folder_create(int *fd, char path[VIDEO_PATH_BYTES], const char *folder,
                              const char *stem, bool one_file, vg_error *err);
/* What a recorder writes into its files' heads, so that others are never taken for them. */
void video_folder_mark(char *out, size_t n, const char *stem);
/* Removes the oldest segments of the stem until at most keep_n (0: any number) and keep_bytes (0:
 * any) are left, the current one counted as one of current_bytes and never removed. *left_bytes: of
 * those that are left, without the current one. Errors: VG_ERR_IO. */
vg_status video_folder_prune(const char *folder, const char *stem, const char *current,
                             int64_t current_bytes, int keep_n, size_t keep_bytes,
                             int64_t *left_bytes, vg_error *err);

#endif
