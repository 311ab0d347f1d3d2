/* units.h: how far the job's own work had come, at any moment: what rates are given per.
 *
 * One course holds one WORK series: its counts at moments that are merged in pairs when there is no
 * more room, so a run of any length fits. Plain blocks without pointers. For this folder. */
#ifndef WATCH_UNITS_H
#define WATCH_UNITS_H

#include "detector.h"

enum { WATCH_COURSE_POINTS = 128 };

typedef struct watch_course {
    int n, stride; /* points held; readings that one point stands for */
    int pending;   /* readings since the newest point */
    bool is_known;
    double first_s, moved_s, longest_still_s; /* when it began, moved last; its longest pause */
    double base, last; /* what restarts of the count have added; the newest reading */
    double time_s[WATCH_COURSE_POINTS], count[WATCH_COURSE_POINTS];
} watch_course;

/* A count that falls back began anew: what it had stays counted. NAN: no reading. */
void watch_course_push(watch_course *c, double time_s, double count);
bool watch_course_valid(const watch_course *c);
/* The count at a moment, between the points around it. NAN before the first. */
double watch_course_at(const watch_course *c, double time_s);

/* Which work explains best how the floor of a rising series moved, and how much of it one unit
 * costs. courses: (WATCH_N_SERIES), only those of WORK are read. unit: of the series. WATCH_NONE
 * and NAN when no work moved since the rise began. */
watch_series watch_units_choose(double *per_unit, const watch_course *courses,
                                const watch_detector *d, const watch_verdict *v, watch_unit unit,
                                double now_s);
/* A rise in equal times since it began, each above what it began with. */
enum { WATCH_UNITS_PARTS = 16 };
typedef struct watch_units_rise {
    int n;
    double at_s[WATCH_UNITS_PARTS + 1], rise[WATCH_UNITS_PARTS + 1];
} watch_units_rise;

/* False: it is too young to say. */
bool watch_units_rise_of(watch_units_rise *r, const watch_detector *d, double since_s,
                         double now_s);
/* work: (r->n), what was done at those times since the first. Returns the rise per one of it; NAN:
 * none was. */
double watch_units_work(double *work, const watch_course *course, const watch_units_rise *r);
/* 1 - (what a rise proportional to the work leaves) / (what a level that stays would leave). */
double watch_units_fit(const watch_units_rise *r, const double *work, double per_unit);
/* How well the rise since a moment follows one course: 1 where it is proportional to it, 0 where it
 * is not, or nothing is known. *per_unit: growth per one of it; NAN. */
double watch_units_follows(double *per_unit, const watch_course *course, const watch_detector *d,
                           double since_s, double now_s);

#endif
