/* zones.h: polygons over the pictures of a source, and what happens in them. */
#ifndef STREAM_ZONES_H
#define STREAM_ZONES_H

#include "live_sink.h"

typedef struct live_zones live_zones;

/* path: YAML (docs/streams.md has its grammar). names (n_names): the model's classes. n_channels:
 * sources; each has its own counts, and a zone may be for sources whose public name or stem it gives.
 * Errors: VG_ERR_IO, VG_ERR_FORMAT (line and field), VG_ERR_ARGUMENT (unknown class), VG_ERR_MEMORY.
 */
vg_status live_zones_open(live_zones **out, const char *path, const char *const *names, int n_names,
                          int n_channels, int most_tracks, base_mem *mem, vg_error *err);
void live_zones_close(live_zones **z);
size_t live_zones_most_events(const live_zones *z); /* that one step can give */
bool live_zones_needs_tracks(const live_zones *z);
/* A frame of the channel: boxes (n) and their track ids (n, NULL: none) in a picture of w x h, at
 * time_ns (monotonic). out: (live_zones_most_events). Allocates nothing. */
size_t live_zones_step(live_zones *z, live_event *out, int channel, const char *source,
                       const char *stem, const detect_box *boxes, const int64_t *ids, size_t n, int w,
                       int h, int64_t time_ns);
/* Another source, or another scene, in that place. */
void live_zones_clear(live_zones *z, int channel);
/* The polygons of a channel, for those who draw; pixels of w x h into xy pairs. Returns points. */
size_t live_zones_n(const live_zones *z);

#endif
