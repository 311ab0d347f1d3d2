/* tracker.h: which tracker a job has, from its options and from a file of the keys that YOLO's
 * users know: tracker_type, track_high_thresh, track_low_thresh, new_track_thresh, track_buffer,
 * match_thresh, fuse_score, and for BoT-SORT gmc_method, proximity_thresh, appearance_thresh,
 * with_reid, model. */
#ifndef STREAM_TRACKER_H
#define STREAM_TRACKER_H

#include "options.h"

typedef struct stream_tracker {
    detect_track_options options;
    bool follows_camera; /* gmc_method: sparseOptFlow */
} stream_tracker;

/* What the keys say. */
enum { STREAM_GMC_BYTES = 31 };
typedef struct stream_tracker_keys {
    detect_track_options options; /* of most_tracks and most_detections no key says anything */
    int type;                     /* detect_track_kind */
    char gmc_method[STREAM_GMC_BYTES + 1];
    float proximity_thresh, appearance_thresh;
    bool with_reid;
    char model[VG_OPTION_TEXT_BYTES];
} stream_tracker_keys;

/* ByteTrack's. */
void stream_tracker_keys_default(stream_tracker_keys *k);
/* One of the keys; or "tracker", a name as below, which sets them all. Errors: as
 * stream_tracker_read; VG_ERR_ARGUMENT of a key. */
vg_status stream_tracker_keys_set(stream_tracker_keys *k, const char *name, const char *value,
                                  base_mem *mem, vg_error *err);
/* Those of a file's text. source is for errors: VG_ERR_FORMAT (source:line), VG_ERR_MEMORY. */
vg_status stream_tracker_keys_parse(stream_tracker_keys *k, const char *text, size_t n,
                                    const char *source, base_mem *mem, vg_error *err);
/* Errors: VG_ERR_ARGUMENT: they contradict each other. */
vg_status stream_tracker_keys_settle(stream_tracker *out, const stream_tracker_keys *k,
                                     vg_error *err);

/* o->tracker_name is the path of a file, or one of the two that are built in, bytetrack.yaml and
 * botsort.yaml, or bytetrack and botsort: a file that has one of the first two names goes before
 * it. What o itself was given goes before what a file says. Errors: VG_ERR_ARGUMENT (no such
 * tracker, options that contradict each other), VG_ERR_FORMAT (file:line: a key that is none, a
 * value that is out of its range or of no use here), VG_ERR_IO, VG_ERR_MEMORY. */
vg_status stream_tracker_read(stream_tracker *out, const stream_options *o, base_mem *mem,
                              vg_error *err);

#endif
