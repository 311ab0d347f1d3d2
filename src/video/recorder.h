/* recorder.h: pictures into video files: fragmented MP4 in segments, playable whatever ends the
 * program.
 *
 * A fragment is half a second, written whole and at once, so a SIGKILL costs that much of the end
 * and nothing else. Encoders look at no later picture and hold none back. What FFmpeg takes for an
 * encoder (some 40 MB for 1080p) is not on our accounts; it is given back at a change of size, when
 * a segment is ended and at close. write allocates nothing of ours. One thread at a time. */
#ifndef VIDEO_RECORDER_H
#define VIDEO_RECORDER_H

#include "base/base.h"
#include "image/image.h"

/* Brings files that are closed to the disk (fsync) by a thread of its own, so that what was
 * recorded is there after a power cut, and nobody waits for a slow disk. Any number of recorders
 * may share one. Files beyond 64 that wait are closed without. */
typedef struct video_syncer video_syncer;
/* Errors: VG_ERR_MEMORY, VG_ERR_SYSTEM. */
vg_status video_syncer_create(video_syncer **out, vg_error *err);
/* The descriptor is its own now. */
void video_syncer_take(video_syncer *s, int fd);
/* Waits for at most patience_s until all is on the disk; false: it was not, and goes on by itself.
 */
bool video_syncer_destroy(video_syncer **s, double patience_s);

typedef struct video_recorder_options {
    /* folder/stem-20261123-141500.mp4 (UTC), ...-2.mp4 when that is taken. Copied */
    const char *folder, *stem;
    /* "h264" ("", NULL: the same): libx264 when FFmpeg has it, else openh264, else MPEG-4 part 2,
     * which is told; or FFmpeg's name of an encoder. Not kept */
    const char *codec;
    double segment_s;     /* a new file after so long; 0: never */
    size_t segment_bytes; /* or so large; 0: never */
    int keep_n;           /* newest segments kept; 0: all */
    /* Of all segments of this stem; each is ended at a quarter of it. 0: no limit */
    size_t keep_bytes;
    double frames_per_s;  /* nominal, 0: 25; time stamps are the frames' own */
    int threads;          /* of the encoder; 0: 1 */
    bool one_file;        /* folder/stem.mp4, without the time: for a video file's copy */
    video_syncer *syncer; /* of files that are closed; outlives the recorder. NULL: the system
                             writes them when it likes */
} video_recorder_options;

typedef struct video_recorder video_recorder;
/* Makes no file yet. Errors: VG_ERR_UNSUPPORTED (no FFmpeg, or it has no such encoder),
 * VG_ERR_LIMIT (too long a path), VG_ERR_MEMORY. */
vg_status video_recorder_create(video_recorder **out, const video_recorder_options *o,
                                base_mem *mem, vg_error *err);
/* A picture at time_ns, of any clock, which is shown for lasts_ns when it is the last of a segment
 * (0: nominally): all others until the next one. Steps back and
 * forward by more than an hour are taken as one frame's time. Segments end before a key frame,
 * which is made when one is due. A picture of another size than the last begins a new one; odd
 * sizes get their last row or column twice. Files that are there are never written over. Old
 * segments are removed when limits ask for it: only those of this folder and stem that a recorder
 * made, also in earlier runs, never the one that is written. On VG_ERR_IO (a full disk, say) the
 * segment is cut back to its last whole fragment, removed when it has none; the next write tries a
 * new one. VG_ERR_SYSTEM, VG_ERR_UNSUPPORTED: FFmpeg's encoder refused; likewise. */
vg_status video_recorder_write(video_recorder *r, const image_view *picture, int64_t time_ns,
                               int64_t lasts_ns, vg_error *err);
/* Ends the segment that is written, if any, and gives the encoder's memory back. Errors: VG_ERR_IO:
 * as by write, what was written whole is kept. */
vg_status video_recorder_end_segment(video_recorder *r, vg_error *err);
vg_status video_recorder_close(video_recorder **r, vg_error *err);
/* What became of the pictures that write was given so far: those that it has taken and that are in
 * neither wait for their fragment to be full, none after end_segment. */
typedef struct video_recorder_counts {
    uint64_t n_kept; /* in whole fragments of a file */
    uint64_t n_lost; /* refused, or taken and gone with a fragment that could not be written */
} video_recorder_counts;
video_recorder_counts video_recorder_count(const video_recorder *r);
/* What FFmpeg takes for the encoder of such pictures, about: for a plan. Of encoders by name but
 * "mpeg4" as of libx264. */
size_t video_recorder_need(const char *codec, int w, int h, int threads);
/* What create takes. */
size_t video_recorder_bytes(void);
const char *video_recorder_path(const video_recorder *r); /* of the segment that is written; "" */
const char *video_recorder_encoder(const video_recorder *r); /* FFmpeg's name: "libx264" */

#endif
