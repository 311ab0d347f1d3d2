/* SPDX-License-Identifier: Apache-2.0 */
/* tracker.h: which box of this picture is which object of the last: ByteTrack and BoT-SORT, fed
 * picture by picture with the boxes of any detector.
 *
 *     vg_tracker *t = NULL;
 *     const vg_tracker_key keys[] = {{"tracker", "botsort.yaml"}, {"track_buffer", "60"}};
 *     vg_tracker_open(&t, keys, 2, 0, &err);
 *     o.conf = vg_tracker_conf(t);                 weak boxes are what tracks go on with
 *     for each picture:
 *         vg_detect(d, boxes, 300, &n, &image, &o, &err);
 *         vg_tracker_step(t, boxes, ids, &n, &image, &err);
 *     vg_tracker_close(&t);
 *
 * For videos, cameras and streams vg_stream does all of it (option track). A picture is a call of
 * step, whatever time has passed. All memory is taken at open, but for pictures of floats, whose
 * brightness is made in a buffer that grows to the largest. Threads: as in vigil.h. */
#ifndef VIGIL_TRACKER_H
#define VIGIL_TRACKER_H

#include "vigil/vigil.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names are those of the published YAML files: tracker_type, track_high_thresh, track_low_thresh,
 * new_track_thresh, track_buffer, match_thresh, fuse_score, gmc_method; and
 *
 *     tracker      bytetrack, botsort, or a file of these keys; the others go before what it says
 *     conf         a track begins with a box above it only: 0.25
 *     max_det      most boxes of a picture, 1..1000: 300
 *     most_tracks  at once; more are not begun, and counted: 1000
 */
typedef struct vg_tracker_key {
    const char *name, *value;
} vg_tracker_key;

typedef struct vg_tracker vg_tracker;
/* keys (n_keys) are read during the call only; memory_limit_bytes 0: none. On success *out is the
 * caller's until vg_tracker_close; on failure NULL. Errors: VG_ERR_ARGUMENT (with the nearest name,
 * the range or the choices), VG_ERR_IO and VG_ERR_FORMAT (of the file), VG_ERR_LIMIT,
 * VG_ERR_MEMORY.
 */
VG_API vg_status vg_tracker_open(vg_tracker **out, const vg_tracker_key *keys, size_t n_keys,
                                 size_t memory_limit_bytes, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_tracker_close(vg_tracker **t);
/* The confidence to detect with: conf, or track_low_thresh where that is less. */
VG_API float vg_tracker_conf(const vg_tracker *t);
/* BoT-SORT with gmc_method sparseOptFlow: step wants the picture. */
VG_API bool vg_tracker_follows_camera(const vg_tracker *t);
/* The next picture, best box first as vg_detect has them: of its *n boxes those of tracks stay, in
 * their order, with ids beside them, and *n becomes their number. image: whose boxes they are, of
 * any format; NULL: what the camera did is not known. Boxes past max_det are left out. Allocates
 * nothing, but as said above. Errors: VG_ERR_ARGUMENT (the image), VG_ERR_MEMORY: the boxes are as
 * they were. */
VG_API vg_status vg_tracker_step(vg_tracker *t, vg_detection *boxes, int64_t *ids, size_t *n,
                                 const vg_image *image, vg_error *err);
/* What comes next is another scene: tracks end. Ids go on: none comes twice. */
VG_API void vg_tracker_clear(vg_tracker *t);
/* Tracks that were not begun because most_tracks were there already. */
VG_API uint64_t vg_tracker_n_refused(const vg_tracker *t);
VG_API void vg_tracker_memory(const vg_tracker *t, vg_memory *out);

#ifdef __cplusplus
}
#endif
#endif
