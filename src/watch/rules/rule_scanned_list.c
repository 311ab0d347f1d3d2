/* rule_scanned_list.c: R9: a list that grows and is walked: ByteTrack #328, ultralytics PR #1890.
 *
 * The parent's memory grows slowly, and each frame takes more CPU time than the ones before: what
 * is kept is also looked through. */
#include "rules.h"

#include <math.h>
#include <string.h>

#include "facts.h"

/* A frame of the later half costs at least so much more CPU time than one of the earlier half. */
static const double DEARER = 1.2;

static double cpu_per_work(const watch_judge *j, watch_series unit, double from_s, double to_s)
{
    const double cpu = watch_judge_count(j, WATCH_MAIN_CPU_S, from_s) -
                       (to_s > 0 ? watch_judge_count(j, WATCH_MAIN_CPU_S, to_s) : 0),
                 work = watch_judge_count(j, unit, from_s) -
                        (to_s > 0 ? watch_judge_count(j, unit, to_s) : 0);
    return work > 0 ? cpu / work : NAN;
}

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (facts_scope_of(j, s, v) != FACTS_MAIN || facts_rises(j, WATCH_MAIN_FDS, v))
        return false;
    const watch_series unit = v->unit != WATCH_NONE ? v->unit : WATCH_WORK_FRAMES;
    const double middle_s = (v->since_s + watch_judge_sample(j)->time_s) / 2;
    const double early = cpu_per_work(j, unit, v->since_s, middle_s),
                 late = cpu_per_work(j, unit, middle_s, 0);
    if (!(early > 0) || !(late >= DEARER * early))
        return false;
    static const watch_series flat[] = {WATCH_MAIN_FDS, WATCH_MAIN_THREADS, WATCH_NONE};
    watch_verdict named = *v;
    named.unit = unit;
    char more[64];
    out->confidence_0_1 = 0.9;
    base_format(out->cause, sizeof out->cause,
                "a list grows and is walked each time, such as a tracker's removed tracks");
    facts_evidence(out, j, s, v, NULL, flat);
    base_format(more, sizeof more, "; CPU time per %s %+.0f %%", facts_unit(&named),
                100 * (late / early - 1));
    base_format(out->evidence + strlen(out->evidence), sizeof out->evidence - strlen(out->evidence),
                "%s", more);
    base_format(out->remedy, sizeof out->remedy,
                "bound the tracker's history (drop removed tracks after N frames), or any list "
                "that is searched per frame");
    return true;
}

const watch_rule watch_rule_scanned_list = {
    .name = "R9", .title = "a list that grows and is scanned", .explain = explain};
