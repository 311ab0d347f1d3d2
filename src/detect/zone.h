/* zone.h: who is in which polygon: counts of in, out and inside by class, dwell, and absence.
 *
 * A track is inside once it was seen inside, in a class and with a score that the zone asks for,
 * for as long as debounce says without a frame to the contrary; and outside likewise. While it is
 * inside, its place alone decides: a class or score that flickers lets nobody out. Frames in which
 * it is not seen decide nothing. A track that is not seen for `forget` frames, after which the
 * tracker gives its id to nobody, leaves as lost: so inside is always in less out.
 * Absence looks at boxes, not at tracks: its clock starts anew whenever something of the class was
 * there for as long as debounce says.
 * Memory: all at create; a step allocates nothing. Of more than most_tracks tracks the one unseen
 * longest is ended, as lost. Events beyond most_events are not dropped: what they tell happens with
 * the next step. Not thread-safe. */
#ifndef DETECT_ZONE_H
#define DETECT_ZONE_H

#include "boxes.h"
#include "polygon.h"

/* What of a box must be inside. Boxes end at the picture's edges. */
typedef enum detect_anchor {
    DETECT_ANCHOR_BOTTOM, /* the middle of the lower side: where something stands */
    DETECT_ANCHOR_CENTER,
    DETECT_ANCHOR_BOX, /* at least `overlap` of its area */
    DETECT_ANCHOR_MASK /* at least `overlap` of its mask's pixels */
} detect_anchor;

/* What is asked of one polygon. */
typedef struct detect_zone {
    const float *xy; /* (n_points, 2) */
    int n_points;
    bool is_fraction; /* of the picture's width and height; else pixels */
    detect_anchor anchor;
    float overlap;
    const uint8_t *classes; /* (n_classes) 1: asked for; NULL: all */
    float min_score;        /* to come in, and to be there */
    double debounce_s;
    int debounce_frames; /* both must be over; 0 and 1: the first frame decides */
    double dwell_s;      /* 0: not asked for */
    double absent_s;     /* likewise. For each class of `classes`, or for all together */
    unsigned events;     /* 1 << vg_stream_event_kind: those that are told. All are counted */
} detect_zone;

typedef struct detect_zone_event {
    vg_stream_event_kind kind;
    int zone;
    int class_index;             /* of the track when it came in; -1: any */
    int64_t track;               /* 0: none */
    bool is_lost;                /* LEAVE: was not seen again */
    double seconds;              /* inside so far; ABSENT, BACK: missing so far */
    int64_t inside, n_in, n_out; /* of zone and class, after it; inside of ABSENT, BACK: boxes */
    vg_detection box;            /* of the track, newest */
} detect_zone_event;

typedef struct detect_zones_options {
    const detect_zone *zones; /* (n_zones) borrowed, with all behind them */
    int n_zones, n_classes;
    int most_tracks;
    int forget;      /* frames: the tracker's track_buffer */
    int most_events; /* of a step */
} detect_zones_options;

/* All zones over the pictures of one camera. */
typedef struct detect_zones detect_zones;
/* Errors: VG_ERR_ARGUMENT (a bound below 1), VG_ERR_MEMORY. */
vg_status detect_zones_create(detect_zones **out, const detect_zones_options *o, base_mem *mem,
                              vg_error *err);
void detect_zones_destroy(detect_zones **z);

/* What was found in a picture. */
typedef struct detect_zone_picture {
    const vg_detection *boxes; /* (n) */
    const vg_mask *masks;      /* (n) NULL: none, and nothing is in a zone that asks for them */
    detect_polygon_place grid; /* where the picture's 0, 0 and its pixel are in the masks' grid */
    const int64_t *ids;        /* (n) of tracks, from 1; NULL: none */
    size_t n;
    int w, h;        /* pixels */
    int64_t time_ns; /* one that goes back goes on from where it was */
} detect_zone_picture;
/* is_on: (n_zones) those that are for this camera, NULL: all. out: (most_events). Returns events.
 */
size_t detect_zones_step(detect_zones *z, detect_zone_event *out, const bool *is_on,
                         const detect_zone_picture *p);
/* The camera was away: all tracks end as lost with the next step, and the clocks of absence start
 * anew there. Counts stay. */
void detect_zones_interrupt(detect_zones *z);
/* Another camera: all begins anew, and nothing is told. */
void detect_zones_reset(detect_zones *z);

typedef struct detect_zone_counts {
    int64_t inside, n_in, n_out; /* tracks, all classes */
    int64_t n_seen;              /* boxes in the last picture */
    bool is_absent;              /* some class is */
} detect_zone_counts;
void detect_zones_get(detect_zone_counts *out, const detect_zones *z, int zone);

/* Whether the picture's i-th object is in the zone, by place alone. */
bool detect_zone_holds(const detect_zone *z, const detect_zone_picture *p, size_t i);

#endif
