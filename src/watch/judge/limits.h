/* limits.h: where a series must end: its own limit, less what the rest of the job has of it.
 *
 * For this folder. limit: (WATCH_N_SERIES), the last known of each LIMIT, NAN of those that never
 * were. */
#ifndef WATCH_LIMITS_H
#define WATCH_LIMITS_H

#include "watch/sample/series.h"

/* NAN: nothing bounds it that is known. */
double watch_limits_of(const watch_sample *now, const double *limit, watch_series s);
/* Bytes of memory that the processes have which are not in this series: the children's of one of
 * main's, main's of one of the children's; 0 of all others. */
double watch_limits_others(const watch_sample *now, watch_series s);

#endif
