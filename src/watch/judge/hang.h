/* hang.h: does the job still do anything? Work, CPU and I/O that stand still together (rule R18).
 * For this folder. */
#ifndef WATCH_HANG_H
#define WATCH_HANG_H

#include "units.h"

typedef struct watch_hang {
    bool has_work, has_effort;          /* anything of it was ever read */
    double work_moved_s;                /* when work moved last */
    double effort_s;                    /* when CPU or I/O were last at work */
    double mark_s, mark_cpu_s, mark_io; /* readings that effort is measured from */
    double usual_cpu;                   /* seconds of CPU a second, while work moves */
} watch_hang;

void watch_hang_init(watch_hang *h);
/* hang_s 0: five times the longest pause of the work, at least ten minutes. v->level is what has
 * been idle, seconds. True: it hangs. */
bool watch_hang_push(watch_hang *h, const watch_sample *s, const watch_course *courses,
                     double hang_s, watch_verdict *v);
void watch_hang_get(const watch_hang *h, const watch_sample *s, watch_verdict *out);
bool watch_hang_valid(const watch_hang *h);
bool watch_hang_is_known(const watch_hang *h);

#endif
