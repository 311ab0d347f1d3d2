/* tracks.c: a tracker of n scenes, and its answers turned around: from tracks, each with its
 * detection, to detections, each with its track. */
#include "tracks.h"

#include <string.h>

struct stream_tracks {
    detect_tracker *tracker;
    size_t most_detections;
    detect_tracked *seen; /* (most_tracks) of the step that runs */
    int64_t *id_of;       /* (most_detections) 0: no track's */
    image_motion *motion; /* NULL: cameras are not followed */
};

size_t stream_tracks_bytes(const detect_track_options *o, bool follows_camera, int n_channels)
{
    const size_t tracker = detect_tracker_bytes(o, n_channels);
    const size_t motion = follows_camera ? image_motion_bytes(n_channels) : 0;
    const size_t own = sizeof(stream_tracks) + (size_t)o->most_tracks * sizeof(detect_tracked) +
                       (size_t)o->most_detections * sizeof(int64_t) + motion;
    return tracker > SIZE_MAX - own ? SIZE_MAX : tracker + own;
}

vg_status stream_tracks_open(stream_tracks **out, const detect_track_options *o,
                             bool follows_camera, int n_channels, base_mem *mem, vg_error *err)
{
    stream_tracks *t = base_alloc_zero(mem, 1, sizeof *t, err);
    *out = t;
    if (t == NULL)
        return VG_ERR_MEMORY;
    vg_status st = detect_tracker_create(&t->tracker, o, n_channels, mem, err);
    if (st == VG_OK) {
        t->most_detections = (size_t)o->most_detections;
        t->seen = base_alloc_zero(mem, (size_t)o->most_tracks, sizeof *t->seen, err);
        t->id_of = base_alloc_zero(mem, t->most_detections, sizeof *t->id_of, err);
        st = t->seen != NULL && t->id_of != NULL ? VG_OK : VG_ERR_MEMORY;
    }
    if (st == VG_OK && follows_camera)
        st = image_motion_create(&t->motion, n_channels, mem, err);
    if (st != VG_OK)
        stream_tracks_close(out);
    return st;
}

void stream_tracks_close(stream_tracks **t)
{
    if (*t != NULL) {
        detect_tracker_destroy(&(*t)->tracker);
        image_motion_destroy(&(*t)->motion);
        base_free((*t)->seen);
        base_free((*t)->id_of);
        base_free(*t);
    }
    *t = NULL;
}

float stream_tracks_candidate_conf(const detect_track_options *o, float conf)
{
    return o->track_low_thresh < conf ? o->track_low_thresh : conf;
}

/* What the channel's camera did since its last frame; false: nobody asks, or it is not known. */
static bool see_camera(stream_tracks *t, detect_camera *out, int channel, const image_luma *luma)
{
    image_similarity s;
    if (t->motion == NULL)
        return false;
    if (luma == NULL) {
        image_motion_clear(t->motion, channel);
        return false;
    }
    const bool is_known = image_motion_step(t->motion, channel, &s, luma);
    *out = (detect_camera){s.a, s.b, s.x, s.y};
    return is_known;
}

bool stream_tracks_follows_camera(const stream_tracks *t)
{
    return t->motion != NULL;
}

size_t stream_tracks_step(stream_tracks *t, int channel, task_found *found, int64_t *ids, size_t n,
                          size_t most, float conf, const image_luma *luma)
{
    detect_camera camera;
    if (n > t->most_detections)
        n = t->most_detections;
    memset(t->id_of, 0, n * sizeof *t->id_of);
    const bool has_camera = see_camera(t, &camera, channel, luma);
    const size_t n_seen = detect_tracker_step(t->tracker, channel, t->seen, found->boxes, n, conf,
                                              has_camera ? &camera : NULL);
    for (size_t i = 0; i < n_seen; i++)
        t->id_of[t->seen[i].detection] = t->seen[i].id;
    size_t kept = 0;
    for (size_t j = 0; j < n && kept < most; j++) {
        if (t->id_of[j] == 0)
            continue;
        task_found_move(found, kept, j);
        ids[kept++] = t->id_of[j];
    }
    return kept;
}

void stream_tracks_clear(stream_tracks *t, int channel)
{
    detect_tracker_clear(t->tracker, channel);
    if (t->motion != NULL)
        image_motion_clear(t->motion, channel);
}

uint64_t stream_tracks_n_refused(const stream_tracks *t)
{
    return detect_tracker_n_refused(t->tracker);
}
