/* filter.h: where a tracked box is and how it moves: the Kalman filters of ByteTrack and BoT-SORT.
 * For this folder.
 *
 * Both have constant velocity, and noise that grows with the object. ByteTrack's is Deep SORT's (N.
 * Wojke et al., ICIP 2017): centre, aspect, height. BoT-SORT's (N. Aharon et al., arXiv 2206.14651,
 * section 3.1) has centre, width and height, and follows the camera (section 3.2). Deep SORT's
 * share of the height for the noise is width or height there.
 * A plain value: no memory of its own. */
#ifndef DETECT_FILTER_H
#define DETECT_FILTER_H

#include "track.h"

/* A position, its velocity a frame, and their covariance. */
typedef struct filter_axis {
    double x, v;
    double p_xx, p_xv, p_vv;
} filter_axis;

/* Two positions that a turning camera mixes: s = (p, q, velocity of p, of q). */
typedef struct filter_pair {
    double s[4];
    double p[4][4];
} filter_pair;

enum { FILTER_N_AXES = 4, FILTER_N_PAIRS = 2 };
typedef union detect_filter {
    filter_axis axes[FILTER_N_AXES];   /* BYTE: centre x, centre y, aspect (w / h), height */
    filter_pair pairs[FILTER_N_PAIRS]; /* BOT: centre x and y; width and height */
} detect_filter;

void filter_begin(detect_filter *f, detect_track_kind kind, const vg_detection *b);
/* One frame on. is_lost: what is not seen does not go on growing. */
void filter_predict(detect_filter *f, detect_track_kind kind, bool is_lost);
void filter_update(detect_filter *f, detect_track_kind kind, const vg_detection *b);
/* The picture has moved under it. BOT alone. */
void filter_follow(detect_filter *f, const detect_camera *c);
void filter_box(float xyxy[4], const detect_filter *f, detect_track_kind kind);

#endif
