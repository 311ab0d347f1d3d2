/* vouch.h: what speaks for a leak beside its own series, before that alone is sure.
 *
 * A suspect series has risen by less than chance, a cache or a day's load could explain. What else
 * is known of the job can rule those out: growth by the same amount with every epoch or reconnect
 * (no cache fills so), with the requests that were answered rather than with the load, or in step
 * with another resource. For this folder. */
#ifndef WATCH_VOUCH_H
#define WATCH_VOUCH_H

#include "units.h"

/* Does the work that was done vouch for the rise of v? */
bool watch_vouch_by_work(const watch_course *courses, const watch_detector *d,
                         const watch_verdict *v, double now_s);
/* Does another series, which is suspect as well, since other_since_s, rise in step with this one?
 */
bool watch_vouch_together(const watch_detector *d, const watch_verdict *v,
                          const watch_detector *other, double other_since_s, double now_s);

#endif
