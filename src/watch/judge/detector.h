/* detector.h: does this series leak? Online, in bounded memory, for runs of any length.
 *
 * One detector holds one series. It is a plain block of fixed size without pointers, so that it can
 * be copied, saved and taken up again after a restart of the guard. The same samples give the same
 * verdict at the same sample, always. */
#ifndef WATCH_DETECTOR_H
#define WATCH_DETECTOR_H

#include "verdict.h"

typedef struct watch_detector watch_detector;

/* sizeof, for whoever holds an array of them. */
size_t watch_detector_bytes(void);
void watch_detector_init(watch_detector *d, watch_unit unit);
/* Can these bytes, which were read, be the state of a detector of that unit? */
bool watch_detector_valid(const watch_detector *d, watch_unit unit);

/* A reading: seconds rise; limit may be NAN (unknown) and may change. horizon_s: how near the end
 * must be for CRITICAL, such as two checkpoint intervals (0: the detector's own). O(1) amortised,
 * bounded always; never allocates. */
void watch_detector_push(watch_detector *d, double time_s, double value, double limit,
                         double horizon_s);
/* A reading of a series that is not judged, for watch_detector_change alone: no window is asked. */
void watch_detector_record(watch_detector *d, double time_s, double value);
/* Of a rise in hand: the part of the headroom that it has taken; 0: none is. */
double watch_detector_gone(const watch_detector *d);
/* A SUSPECT series is LEAKING: somebody who knows more than its readings vouches for it. */
void watch_detector_call(watch_detector *d);
/* unit and per_unit are left WATCH_NONE and NAN: they are the judge's. */
void watch_detector_get(const watch_detector *d, watch_verdict *out);

/* How the floor moved between a moment and now: for rules, which ask what else grew meanwhile.
 * False when nothing is known of that time. */
typedef struct watch_change {
    double from, to; /* floors */
    bool rises;      /* more than its noise, and most of the time */
    bool falls;
} watch_change;
bool watch_detector_change(const watch_detector *d, double since_s, watch_change *out);
/* Parts of it that are asked for alone: the ends are cheap, Theil-Sen's slope is not. */
bool watch_detector_ends(const watch_detector *d, double since_s, double *from, double *to);
double watch_detector_slope(const watch_detector *d, double since_s); /* NAN: nothing is known */

#endif
