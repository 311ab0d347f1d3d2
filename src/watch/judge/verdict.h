/* verdict.h: what is thought of one series, and the events that a change of mind makes. */
#ifndef WATCH_VERDICT_H
#define WATCH_VERDICT_H

#include "watch/sample/series.h"

/* The state of a series. LEARNING: too little seen. SUSPECT: rises, not yet sure. GROWING: rises as
 * a leak does, and what the job has shown says that it may end short of the limit; nothing is done
 * about it. LEAKING: rises without end. CRITICAL: rises, and the limit is near. HUNG: nothing moves
 * any more (the series is work.idle_s). */
typedef enum watch_state {
    WATCH_LEARNING,
    WATCH_STEADY,
    WATCH_SUSPECT,
    WATCH_GROWING,
    WATCH_LEAKING,
    WATCH_CRITICAL,
    WATCH_HUNG,
    WATCH_N_STATES
} watch_state;
const char *watch_state_name(watch_state s); /* "learning" ... */
bool watch_state_rises(watch_state s);       /* SUSPECT to CRITICAL */

/* What the curve looks like: the reason of a "not a leak". */
typedef enum watch_shape {
    WATCH_SHAPE_UNKNOWN,
    WATCH_SHAPE_FLAT,
    WATCH_SHAPE_WARM_UP,   /* rises, and slows down */
    WATCH_SHAPE_PLATEAU,   /* has risen, and rises no more */
    WATCH_SHAPE_SAW_TOOTH, /* rises and falls back to one floor */
    WATCH_SHAPE_STEP,      /* moved at one moment */
    WATCH_SHAPE_CYCLE,     /* comes back, by day or by load */
    WATCH_SHAPE_RISING,    /* a floor that rises without slowing down */
    WATCH_N_SHAPES
} watch_shape;
const char *watch_shape_name(watch_shape s); /* "flat" ... */

/* A plain value. Unknown numbers are NAN; an exhaustion that will not come is INFINITY. */
typedef struct watch_verdict {
    watch_state state;
    watch_shape shape;
    double level;   /* the newest value */
    double floor;   /* the newest block's least */
    double since_s; /* when the rise began, seconds of the trace */
    double growth;  /* of the floor, since then */
    double slope_per_s, slope_low_per_s, slope_high_per_s;    /* 90 % interval */
    double limit;                                             /* NAN: none is known */
    double exhaustion_s, exhaustion_low_s, exhaustion_high_s; /* from now; 90 % interval */
    watch_series unit;                                        /* WATCH_NONE: no work is known */
    double per_unit;                                          /* growth per one of unit */
} watch_verdict;

enum { WATCH_EVIDENCE_BYTES = 512, WATCH_REMEDY_BYTES = 320 };

/* A change of mind, explained. */
typedef struct watch_event {
    double time_s;
    watch_series series;
    watch_state was;
    watch_verdict verdict;
    const char *rule;      /* "R8"; "" when no rule knows it. Static text */
    double confidence_0_1; /* of the rule */
    char cause[WATCH_REMEDY_BYTES];
    char evidence[WATCH_EVIDENCE_BYTES]; /* what grew, what stayed flat, per what: with figures */
    char remedy[WATCH_REMEDY_BYTES];
    /* One leak shows in many series. The one that was called first reports it; in the others, here
     * is that one's name. NULL: this series reports its own. Static text. */
    const char *with;
} watch_event;

#endif
