/* rule_scanned_list.c: R9: a list that grows and is walked: ByteTrack #328, ultralytics PR #1890.
 *
 * The parent's memory grows slowly, and each frame takes more CPU time than the ones before: what
 * is kept is also looked through. */
#include "rules.h"

#include <string.h>

#include "facts.h"
#include "worlds.h"

/* A frame of the last third costs at least so much more CPU time than one of the first, and each
 * third's more than the one before: what is dear once, at the start, is no list that grows. */
static const double DEARER = 1.25;
enum { THIRDS = 3 };

/* Only what a list is walked for. Bytes that were read or logged are none: a program that reads its
 * weights and then computes takes ever more CPU time for a byte. */
static const watch_series UNITS[] = {WATCH_WORK_FRAMES, WATCH_WORK_REQUESTS, WATCH_WORK_STEP,
                                     WATCH_WORK_EPOCH};

/* CPU time per unit in each third since the rise began; false: no such work, or not all the time.
 */
static bool find_costs(double cost[THIRDS], const watch_judge *j, watch_series unit,
                       const watch_verdict *v)
{
    const double now_s = watch_judge_sample(j)->time_s;
    double cpu[THIRDS + 1] = {0}, work[THIRDS + 1] = {0}; /* from each third's beginning to now */
    for (int i = 0; i < THIRDS; i++) {
        const double from_s = v->since_s + (now_s - v->since_s) * i / THIRDS;
        cpu[i] = watch_judge_count(j, WATCH_MAIN_CPU_S, from_s);
        work[i] = watch_judge_count(j, unit, from_s);
    }
    for (int i = 0; i < THIRDS; i++) {
        cost[i] = (cpu[i] - cpu[i + 1]) / (work[i] - work[i + 1]);
        if (!(work[i] - work[i + 1] > 0) || !(cost[i] > 0))
            return false;
    }
    return true;
}

static bool is_dearer(double cost[THIRDS], const watch_judge *j, watch_series unit,
                      const watch_verdict *v)
{
    return find_costs(cost, j, unit, v) && cost[1] > cost[0] && cost[2] > cost[1] &&
           cost[2] >= DEARER * cost[0];
}

static bool explain(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out)
{
    (void)state;
    if (facts_scope_of(j, s, v) != FACTS_MAIN || facts_rises(j, WATCH_MAIN_FDS, v))
        return false;
    double cost[THIRDS];
    watch_series unit = WATCH_NONE;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (UNITS[i] == v->unit || (unit == WATCH_NONE && is_dearer(cost, j, UNITS[i], v)))
            unit = UNITS[i]; /* what the rise follows goes first */
    if (unit == WATCH_NONE || !is_dearer(cost, j, unit, v))
        return false;
    static const watch_series flat[] = {WATCH_MAIN_FDS, WATCH_MAIN_THREADS, WATCH_NONE};
    watch_verdict named = *v;
    named.unit = unit;
    char more[64];
    out->confidence_0_1 = 0.9;
    base_format(out->cause, sizeof out->cause, "a list grows and is walked each time%s",
                facts_may_be_python(j) ? ", such as a tracker's removed tracks" : "");
    facts_evidence(out, j, s, v, NULL, flat);
    base_format(more, sizeof more, "; CPU time per %s %+.0f %%", facts_unit(&named),
                100 * (cost[THIRDS - 1] / cost[0] - 1));
    base_format(out->evidence + strlen(out->evidence), sizeof out->evidence - strlen(out->evidence),
                "%s", more);
    base_format(out->remedy, sizeof out->remedy,
                "bound %sany list that is searched each time (a dict or set finds without a walk)",
                facts_may_be_python(j)
                    ? "the tracker's history (drop removed tracks after N frames), or "
                    : "");
    return true;
}

const watch_rule watch_rule_scanned_list = {
    .name = "R9", .title = "a list that grows and is scanned", .explain = explain};
