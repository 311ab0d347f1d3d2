/* track.h: which detection of this frame is which object of the last: ByteTrack and BoT-SORT.
 *
 * Confident detections are paired with all tracks first, weak ones with the tracks that are left
 * over: an occluded object has a low score, not none. ByteTrack's motion is a Kalman filter of
 * centre, aspect and height with constant velocity; BoT-SORT's has width in the place of aspect,
 * and is moved by what the camera did, when it is told. Sources: Y. Zhang et al., ByteTrack, ECCV
 * 2022, algorithm 1; N. Aharon et al., BoT-SORT, arXiv 2206.14651, without appearance; the filters:
 * filter.h. Names and defaults of the options are those YOLO's users know. Where the papers are
 * silent their authors' code is followed: a track is begun by two detections in a row, but for
 * those of a scene's first frame; a track and a lost one at one place are one object.
 *
 * A frame is a call of step, whatever time has passed: with frames left out (policy `latest`, a
 * stride) track_buffer counts those that were looked at, and an object may go further between two
 * of them before it is taken for another.
 * Scenes are independent (one a camera), and share what a step needs only while it runs. Boxes that
 * are no boxes (not finite, empty, beyond any picture) are passed over.
 * Memory: all at create, for most_tracks a scene and most_detections; a step allocates nothing. A
 * track that would be one too many is not begun, and counted. Not thread-safe. */
#ifndef DETECT_TRACK_H
#define DETECT_TRACK_H

#include "boxes.h"

typedef enum detect_track_kind { DETECT_TRACK_BYTE, DETECT_TRACK_BOT } detect_track_kind;

typedef struct detect_track_options {
    float track_high_thresh; /* of the first association: 0.25 */
    float track_low_thresh;  /* of the second: 0.1 */
    float new_track_thresh;  /* a new track begins above: 0.25 */
    int track_buffer;        /* steps that a lost track is remembered: 30 */
    float match_thresh;      /* most cost of a pair in the first association: 0.8 */
    bool fuse_score;         /* the first association's IoU times the score: true */
    int most_tracks;         /* of a scene; tracked, lost and unconfirmed together: 1000 */
    int most_detections;     /* in a frame: 300 */
    detect_track_kind kind;  /* BYTE */
} detect_track_options;
#define DETECT_TRACK_DEFAULT                                                                       \
    ((detect_track_options){.track_high_thresh = 0.25f,                                            \
                            .track_low_thresh = 0.1f,                                              \
                            .new_track_thresh = 0.25f,                                             \
                            .track_buffer = 30,                                                    \
                            .match_thresh = 0.8f,                                                  \
                            .fuse_score = true,                                                    \
                            .most_tracks = 1000,                                                   \
                            .most_detections = 300,                                                \
                            .kind = DETECT_TRACK_BYTE})

/* What a camera did between two pictures: the point (x, y) of the last one is at (a x - b y + X, b
 * x
 * + a y + Y) of this, pixels. */
typedef struct detect_camera {
    double a, b, x, y;
} detect_camera;

/* An object that is seen in this frame. */
typedef struct detect_tracked {
    int64_t id;       /* of the scene, rising from 1 with gaps, never used again */
    vg_detection box; /* the filter's; score and class of its detection */
    int detection;    /* place among this frame's detections */
    int64_t n_frames; /* since the track began */
} detect_tracked;

typedef struct detect_tracker detect_tracker;

/* Errors: VG_ERR_ARGUMENT (a bound below 1, a threshold that is not a number), VG_ERR_MEMORY. */
vg_status detect_tracker_create(detect_tracker **out, const detect_track_options *o, int n_scenes,
                                base_mem *mem, vg_error *err);
void detect_tracker_destroy(detect_tracker **t);
/* What create takes; SIZE_MAX where it does not fit into a number. */
size_t detect_tracker_bytes(const detect_track_options *o, int n_scenes);
/* The next frame of a scene: boxes (n) of one picture, any order; past most_detections the rest is
 * left out. least: a new track begins above the larger of it and new_track_thresh. camera: what it
 * did since the last frame, NULL: nothing, or it is not known; ByteTrack does not ask.
 * out: (most_tracks), by id; returns their number. */
size_t detect_tracker_step(detect_tracker *t, int scene, detect_tracked *out,
                           const vg_detection *boxes, size_t n, float least,
                           const detect_camera *camera);
/* Forgets the tracks of a scene: what comes next is another. Ids go on. */
void detect_tracker_clear(detect_tracker *t, int scene);
/* Tracks that were not begun for want of room, ever. */
uint64_t detect_tracker_n_refused(const detect_tracker *t);

#endif
