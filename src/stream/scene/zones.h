/* zones.h: polygons over the pictures of a source, and what happens in them: docs/zones.md.
 *
 * Who steps a channel is one thread at a time. What stream_zones_get, outline and caption tell may
 * be asked by any thread at any time: they see the newest step. */
#ifndef STREAM_ZONES_H
#define STREAM_ZONES_H

#include "stream/in/sources.h"
#include "stream/shared/result.h"

enum {
    STREAM_MOST_ZONES = 64,
    STREAM_MOST_ZONE_POINTS = 64,
    STREAM_ZONE_NAME_BYTES = 64,
    STREAM_ZONES_EVENTS = 64 /* that one step gives; what finds no room comes with the next frame */
};

const char *stream_event_name(vg_stream_event_kind k); /* "enter", ... */

typedef struct stream_zones stream_zones;

/* What zones are over. */
typedef struct stream_zones_scene {
    const char *const *names; /* (n_classes) the model's classes, read while the zones open; NULL:
                                 they have none, and the file gives numbers */
    int n_classes;
    bool has_masks; /* the model makes masks, by which a zone may go */
    int n_channels; /* sources; each has its own counts, and a zone may be for sources whose public
                       name or stem it gives */
    const detect_track_options *tracker; /* how many tracks a channel may have, and after how many
                                            frames one is forgotten */
} stream_zones_scene;

/* path: YAML. Errors: VG_ERR_IO, VG_ERR_FORMAT (line and field), VG_ERR_ARGUMENT (a class, or
 * masks, that the model does not have), VG_ERR_MEMORY. */
vg_status stream_zones_open(stream_zones **out, const char *path, const stream_zones_scene *scene,
                            base_mem *mem, vg_error *err);
/* The same from a text of n bytes; source names it in errors. */
vg_status stream_zones_parse(stream_zones **out, const char *text, size_t n, const char *source,
                             const stream_zones_scene *scene, base_mem *mem, vg_error *err);
void stream_zones_close(stream_zones **z);
size_t stream_zones_most_events(const stream_zones *z); /* that one step can give */
/* Some zone counts, or tells of, what comes and goes: that takes ids. */
bool stream_zones_needs_tracks(const stream_zones *z);

/* A frame of the channel. Its time is the picture's own for files (they may be read faster than
 * they were filmed), that of arrival for live sources; the place of masks' grid is filled in here.
 * Another `source` than in the channel's last step is another source: all counts begin anew. out:
 * (stream_zones_most_events). Allocates nothing. */
size_t stream_zones_step(stream_zones *z, vg_stream_event *out, int channel, const char *source,
                         const char *stem, detect_zone_picture picture);
/* The channel was away, or shows another scene: those inside are lost with the next step, and what
 * is missing is missing from then on. Totals stay. */
void stream_zones_clear(stream_zones *z, int channel);

/* Names in the zones' `sources` that are no source's of s, each a line of the log with its place
 * and the nearest name there is (the first STREAM_ZONES_WARNINGS of them). No error: a reload may
 * bring the source. path: of the zones' file. Returns how many there are. */
enum { STREAM_ZONES_WARNINGS = 20 };
size_t stream_zones_warn(const stream_zones *z, const char *path, const stream_sources *s);

/* ---- for those who show ---- */

size_t stream_zones_n(const stream_zones *z);

typedef struct stream_zone_view {
    const char *name;
    bool is_on;                  /* for this channel's source */
    bool has_tracks;             /* else n_in and n_out are 0, and inside is what is seen */
    bool is_absent;              /* something is missing */
    int64_t inside, n_in, n_out; /* all classes */
} stream_zone_view;
/* False: no such zone. */
bool stream_zones_get(stream_zone_view *out, const stream_zones *z, int channel, size_t zone);
/* The polygon in pixels of a picture of w x h: xy (n, 2), at most STREAM_MOST_ZONE_POINTS points.
 * Returns their number; 0 for a zone that is not for this channel. */
size_t stream_zones_outline(float *xy, const stream_zones *z, int channel, size_t zone, int w,
                            int h);
/* "door: 2 inside, 14 in, 12 out" for image_canvas_polygon. Returns buf. */
const char *stream_zones_caption(char *buf, size_t n, const stream_zone_view *v);

#endif
