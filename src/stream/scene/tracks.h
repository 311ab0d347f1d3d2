/* tracks.h: a tracker for each source of a stream job, and for BoT-SORT an eye on what its camera
 * does.
 *
 * What --conf means with tracking: a track begins only with a detection above it; once begun, it
 * goes on with weaker ones down to track_low_thresh, and these are shown with their own scores. So
 * nothing is shown that was not once as sure as asked for, and what was does not flicker.
 * The boxes shown are the detector's, in its order (best first); the filter only decides whose they
 * are. track_buffer counts frames that were looked at: see detect/track.h.
 * Not thread-safe: all channels belong to one thread. */
#ifndef STREAM_TRACKS_H
#define STREAM_TRACKS_H

#include "detect/detect.h"
#include "image/image.h"
#include "task/task.h"

typedef struct stream_tracks stream_tracks;

/* follows_camera: BoT-SORT's tracks are moved by what the camera did. Errors: VG_ERR_ARGUMENT,
 * VG_ERR_MEMORY. */
vg_status stream_tracks_open(stream_tracks **out, const detect_track_options *o,
                             bool follows_camera, int n_channels, base_mem *mem, vg_error *err);
void stream_tracks_close(stream_tracks **t);
/* What open takes. */
size_t stream_tracks_bytes(const detect_track_options *o, bool follows_camera, int n_channels);
/* The confidence that suppression must cut at when the user asked for conf: weak detections are
 * what tracks go on with. */
float stream_tracks_candidate_conf(const detect_track_options *o, float conf);
/* The next frame of a channel: of boxes (n) those of tracks stay, at most `most`, with ids beside
 * them; returns their number. conf: what the user asked for. luma: the frame's brightness; NULL:
 * what the camera did is not known. Allocates nothing. */
size_t stream_tracks_step(stream_tracks *t, int channel, task_found *found, int64_t *ids, size_t n,
                          size_t most, float conf, const image_luma *luma);
/* Whether it asks for brightness. */
bool stream_tracks_follows_camera(const stream_tracks *t);
/* Another source or scene in that place: the tracks end. Ids go on: none comes twice. */
void stream_tracks_clear(stream_tracks *t, int channel);
/* Tracks that were not begun because most_tracks were there already. */
uint64_t stream_tracks_n_refused(const stream_tracks *t);

#endif
