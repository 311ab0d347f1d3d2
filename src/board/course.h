/* course.h: a living training between its epochs: what it noted of itself, sampled as time goes, in
 * a fixed number of points. When they are full every second one is left out, and samples are then
 * taken half as often. For this folder. */
#ifndef BOARD_COURSE_H
#define BOARD_COURSE_H

#include "base/base.h"
#include "vigil/types.h"

enum { BOARD_COURSE_POINTS = 512 };

typedef struct board_course {
    size_t n;
    double step_s; /* between two */
    vg_task task;
    int n_losses;
    double epoch[BOARD_COURSE_POINTS], seconds[BOARD_COURSE_POINTS];
    double loss[VG_MOST_LOSSES][BOARD_COURSE_POINTS];
    double pictures_per_s[BOARD_COURSE_POINTS], resident[BOARD_COURSE_POINTS];
} board_course;

/* True: a point was added. */
bool board_course_add(board_course *c, const vg_run_view *v);

#endif
