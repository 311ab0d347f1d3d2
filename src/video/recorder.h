/* recorder.h: pictures into video files: fragmented MP4 in segments, playable whatever ends the
 * program. (The helper who writes it keeps this interface or betters it.) */
#ifndef VIDEO_RECORDER_H
#define VIDEO_RECORDER_H

#include "video.h"

typedef struct video_recorder_options {
    const char *folder, *stem;  /* folder/stem-20261123-141500.mp4, ... */
    const char *codec;          /* "h264" (libx264 when FFmpeg has it, else openh264, else mpeg4) */
    double segment_s;           /* a new file after so long; 0: never */
    size_t segment_bytes;       /* or so large; 0: never */
    int keep_n;                 /* newest segments kept; 0: all */
    size_t keep_bytes;          /* of all segments of this stem; 0: no limit */
    double frames_per_s;        /* nominal; time stamps are the frames' own */
    int threads;                /* of the encoder */
    bool one_file;              /* folder/stem.mp4, without the time: for a video file's copy */
} video_recorder_options;

typedef struct video_recorder video_recorder;
vg_status video_recorder_create(video_recorder **out, const video_recorder_options *o,
                                base_mem *mem, vg_error *err);
/* A picture at time_ns (any clock that does not go back; those that do are moved on). A picture of
 * another size than the last begins a new segment. On VG_ERR_IO (a full disk, say) the segment is
 * closed; the next write tries a new one. */
vg_status video_recorder_write(video_recorder *r, const image_view *picture, int64_t time_ns,
                               vg_error *err);
vg_status video_recorder_close(video_recorder **r, vg_error *err);
const char *video_recorder_path(const video_recorder *r); /* of the segment that is written; "" */

#endif
