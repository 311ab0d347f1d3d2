/* ends.h: may a rise that looks like a leak end by itself? By what the job has shown, or the user
 * has said.
 *
 * A cache that fills in a straight line is a leak until it is full: the series alone cannot tell.
 * What stands beside it sometimes can. For this folder. */
#ifndef WATCH_ENDS_H
#define WATCH_ENDS_H

#include "units.h"

typedef enum watch_end_kind {
    WATCH_END_NONE,
    WATCH_END_EXPECTED,   /* below what the user expects */
    WATCH_END_RESTED,     /* below where it rested before the job was restarted */
    WATCH_END_FIRST_PASS, /* the data is read for the first time, and what is read is kept */
    WATCH_END_READS,      /* what is kept is read, and ever less is read per piece of work */
    WATCH_END_BOUND,      /* below what its own settings let it keep */
    WATCH_N_ENDS
} watch_end_kind;

enum { WATCH_WHY_BYTES = 192 };

typedef struct watch_end {
    watch_end_kind kind;
    double at; /* NAN: nobody knows where */
    char why[WATCH_WHY_BYTES];
} watch_end;

/* What is known beside the series. */
typedef struct watch_ends_facts {
    const watch_sample *now;
    const watch_course *courses; /* (WATCH_N_SERIES) of WORK and COUNTERs */
    double expect_rss;           /* bytes of the whole job; 0: nothing was said */
    double rested;               /* of this series, before a restart; NAN */
} watch_ends_facts;

/* False: nothing says that it ends below its limit. v: of the rising series. */
bool watch_ends_find(watch_end *out, const watch_ends_facts *f, const watch_detector *d,
                     watch_series s, const watch_verdict *v);

#endif
