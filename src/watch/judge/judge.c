/* judge.c: every series' detector, the courses of work, and the rules that explain what rises.
 *
 * All of it is one block without pointers into itself, so that its bytes are its state. */
#include "judge.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "ends.h"
#include "figures.h"
#include "hang.h"
#include "limits.h"
#include "rule.h"
#include "thresholds.h"
#include "units.h"
#include "valid.h"
#include "vouch.h"
#include "watch/sample/charged.h"

enum { MOST_EVENTS = 64, STATE_VERSION = 6, MOST_RULE_BYTES = 4096 };

/* How often a rising series is explained anew while its detector does not change its mind: causes
 * become clearer, and what looked like a leak may turn out to be the page cache. */
static const double EXPLAIN_S = 60;
static const double EXPLAIN_PART = 0.1; /* of the time that a growing one has risen */

/* No limit is nearer than so: two checkpoints' time is at least this, seconds. */
static const double LEAST_HORIZON_S = 600;

/* Why a rise may end, and when that was last seen. */
typedef struct ending {
    watch_end_kind kind;
    double seen_s;
} ending;

typedef struct opinion {
    watch_state detected, reported;
    double explained_s;
    bool is_no_leak;      /* a rule's word on the rise in hand */
    int rule;             /* that named the rise in hand, from 1; 0: none */
    ending end;           /* of the rise in hand */
    double from, since_s; /* of the rise in hand */
    int called;           /* order in which series became LEAKING, from 1; 0: it is not */
} opinion;

struct watch_judge {
    uint64_t version, n_bytes; /* of the block: what load compares */
    watch_judge_options options;
    watch_sample now;
    double limit[WATCH_N_SERIES]; /* the last known; NAN */
    opinion opinions[WATCH_N_SERIES];
    double rested[WATCH_N_SERIES];        /* before the job was restarted; NAN */
    watch_course courses[WATCH_N_SERIES]; /* of WORK and COUNTERs; the others are never read */
    watch_hang hang;
    watch_event events[MOST_EVENTS];
    size_t first_event, n_events, n_lost;
    size_t n_samples;
    int n_called;
    size_t detectors_at, rules_at; /* offsets in this block */
};

static watch_detector *detector_of(watch_judge *j, watch_series s)
{
    return (watch_detector *)((char *)j + j->detectors_at + (size_t)s * watch_detector_bytes());
}

static const watch_detector *detector_in(const watch_judge *j, watch_series s)
{
    return (const watch_detector *)((const char *)j + j->detectors_at +
                                    (size_t)s * watch_detector_bytes());
}

static size_t rule_bytes(size_t r)
{
    assert(watch_rules[r]->state_bytes <= MOST_RULE_BYTES);
    return base_round_up(watch_rules[r]->state_bytes, BASE_MEM_ALIGN);
}

static char *rule_state(const watch_judge *j, size_t rule)
{
    size_t at = j->rules_at;
    for (size_t r = 0; r < rule; r++)
        at += rule_bytes(r);
    return (char *)(uintptr_t)j + at;
}

static bool is_judged(watch_series s)
{
    return watch_series_get(s)->kind == WATCH_LEVEL;
}

static void init_levels(watch_judge *j)
{
    for (int s = 0; s < WATCH_N_SERIES; s++) {
        watch_detector_init(detector_of(j, (watch_series)s),
                            watch_series_get((watch_series)s)->unit);
        j->opinions[s] = (opinion){.explained_s = -INFINITY};
    }
}

vg_status watch_judge_create(watch_judge **out, const watch_judge_options *o, base_mem *mem,
                             vg_error *err)
{
    const size_t head = base_round_up(sizeof **out, BASE_MEM_ALIGN),
                 detectors = base_round_up(watch_detector_bytes() * WATCH_N_SERIES, BASE_MEM_ALIGN);
    size_t n = head + detectors;
    for (size_t r = 0; r < watch_n_rules; r++)
        n += rule_bytes(r);
    watch_judge *j = base_alloc_zero(mem, 1, n, err);
    *out = j;
    if (j == NULL)
        return VG_ERR_MEMORY;
    j->version = STATE_VERSION;
    j->n_bytes = n;
    j->options = *o;
    j->detectors_at = head;
    j->rules_at = head + detectors;
    watch_sample_clear(&j->now, 0);
    for (int s = 0; s < WATCH_N_SERIES; s++)
        j->limit[s] = j->rested[s] = NAN;
    init_levels(j);
    return VG_OK;
}

void watch_judge_destroy(watch_judge **j)
{
    base_free(*j);
    *j = NULL;
}

/* Where a series rests when it is warm: a fresh process fills its caches to there again. */
static double rests_at(const watch_judge *j, watch_series s)
{
    watch_verdict v;
    watch_detector_get(detector_in(j, s), &v);
    const bool rests = v.shape == WATCH_SHAPE_FLAT || v.shape == WATCH_SHAPE_PLATEAU ||
                       v.shape == WATCH_SHAPE_WARM_UP;
    return is_judged(s) && v.state == WATCH_STEADY && rests ? v.floor : NAN;
}

void watch_judge_restart(watch_judge *j)
{
    for (int s = 0; s < WATCH_N_SERIES; s++)
        j->rested[s] = rests_at(j, (watch_series)s);
    init_levels(j);
    memset((char *)j + j->rules_at, 0, j->n_bytes - j->rules_at);
    watch_hang_init(&j->hang);
}

/* ---- limits ---- */

static double known(const watch_judge *j, watch_series s)
{
    return j->now.value[s];
}

static double horizon_of(const watch_judge *j)
{
    if (j->options.horizon_s > 0)
        return j->options.horizon_s;
    const watch_course *c = &j->courses[WATCH_WORK_CHECKPOINTS];
    double horizon_s = c->is_known && c->n > 1 ? 2 * c->longest_still_s : 0;
    const double epoch_s = known(j, WATCH_WORK_EPOCH_S);
    if (horizon_s == 0 && epoch_s > 0)
        horizon_s = 2 * epoch_s;
    return horizon_s > LEAST_HORIZON_S ? horizon_s : LEAST_HORIZON_S;
}

/* ---- causes ---- */

/* The most confident rule's word goes into the event; *rule is its number from 1. True: it is no
 * leak. */
static bool add_cause(const watch_judge *j, watch_event *e, int *rule)
{
    watch_finding best = {0}, f;
    *rule = 0;
    for (size_t r = 0; r < watch_n_rules; r++) {
        f = (watch_finding){0};
        if (!watch_rules[r]->explain(rule_state(j, r), j, e->series, &e->verdict, &f) ||
            f.confidence_0_1 <= best.confidence_0_1)
            continue;
        best = f;
        e->rule = watch_rules[r]->name;
        *rule = (int)r + 1;
    }
    e->confidence_0_1 = best.confidence_0_1;
    memcpy(e->cause, best.cause, sizeof e->cause);
    memcpy(e->evidence, best.evidence, sizeof e->evidence);
    memcpy(e->remedy, best.remedy, sizeof e->remedy);
    return best.is_no_leak;
}

/* A disk and /tmp are filled by everybody. The job's part is at most what it wrote meanwhile. */
static const double LEAST_WRITTEN = 0.5; /* of the growth */

static bool has_written(const watch_judge *j, const watch_verdict *v)
{
    const double main = watch_judge_count(j, WATCH_MAIN_WRITE_BYTES, v->since_s),
                 children = watch_judge_count(j, WATCH_CHILDREN_WRITE_BYTES, v->since_s);
    const double written = (isnan(main) ? 0 : main) + (isnan(children) ? 0 : children);
    return (isnan(main) && isnan(children)) || written >= LEAST_WRITTEN * v->growth;
}

/* Else why not. */
static const char *others_of(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    if (base_starts_with(watch_series_get(s)->name, "cgroup.") && !watch_charged_is_ours(&j->now))
        return "most of this cgroup's memory is other jobs'";
    if ((s == WATCH_DISK_USED_BYTES || s == WATCH_TMP_BYTES) && !has_written(j, v))
        return "others write there: the job wrote less than half as much";
    return NULL;
}

/* The series that showed the same cause first, and still does; NULL: none did. */
static const char *reported_by(const watch_judge *j, watch_series s, int rule)
{
    const int mine = j->opinions[s].called;
    watch_series first = WATCH_NONE;
    for (int i = 0; i < WATCH_N_SERIES && rule > 0; i++) {
        const opinion *o = &j->opinions[i];
        if (i != (int)s && o->rule == rule && o->called > 0 && (mine == 0 || o->called < mine) &&
            (first == WATCH_NONE || o->called < j->opinions[first].called))
            first = (watch_series)i;
    }
    return first != WATCH_NONE ? watch_series_get(first)->name : NULL;
}

/* Does it rise no more, while its detector is not sure yet? */
static bool has_stalled(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    double from, to;
    const double length_s = j->now.time_s - v->since_s, newest_s = STALLED_NEWEST * length_s;
    return watch_detector_ends(detector_in(j, s), j->now.time_s - newest_s, &from, &to) &&
           to - from < ENDED_SLOPE * v->growth * newest_s / length_s;
}

/* A call of what may end waits until no more time is left than a checkpoint and a restart need. */
static ending soften(const watch_judge *j, watch_event *e)
{
    const watch_ends_facts f = {.now = &j->now,
                                .courses = j->courses,
                                .expect_rss = j->options.expect_rss,
                                .rested = j->rested[e->series]};
    const opinion *o = &j->opinions[e->series];
    watch_verdict *v = &e->verdict;
    watch_end end;
    ending out = {WATCH_END_NONE, -INFINITY};
    if (v->state < WATCH_LEAKING || v->exhaustion_s < GROWING_NEEDS * horizon_of(j))
        return out;
    if (watch_ends_find(&end, &f, detector_in(j, e->series), e->series, v)) {
        out = (ending){end.kind, j->now.time_s};
    } else {
        const double patience_s = READS_PATIENCE * (j->now.time_s - v->since_s);
        const bool was_just =
            o->end.kind == WATCH_END_READS && j->now.time_s - o->end.seen_s < patience_s;
        if (o->end.kind == WATCH_END_NONE || !(was_just || has_stalled(j, e->series, v)))
            return out;
        out = o->end;
        base_format(end.why, sizeof end.why, "it is about to stop, or just has");
    }
    char seen[WATCH_EVIDENCE_BYTES];
    memcpy(seen, e->evidence, sizeof seen);
    v->state = WATCH_GROWING;
    base_format(e->evidence, sizeof e->evidence, "may end by itself: %s%s%s", end.why,
                seen[0] != '\0' ? "; " : "", seen);
    return out;
}

/* What had been called and rises no more. */
static void take_back(const opinion *o, watch_event *e)
{
    static const char *const ends[WATCH_N_ENDS] = {
        [WATCH_END_NONE] = "",
        [WATCH_END_EXPECTED] = ", within what --expect-rss allows",
        [WATCH_END_RESTED] = ", where it rested before the restart",
        [WATCH_END_FIRST_PASS] = ", as what is read once and kept does",
        [WATCH_END_READS] = ", as a cache does that is full",
        [WATCH_END_BOUND] = ", within what its own settings let it keep"};
    char a[WATCH_FIGURE_BYTES], b[WATCH_FIGURE_BYTES], c[WATCH_FIGURE_BYTES];
    const watch_unit unit = watch_series_get(e->series)->unit;
    if (o->reported < WATCH_GROWING || !watch_state_rises(o->reported) || isnan(o->from))
        return;
    base_format(e->cause, sizeof e->cause, "taken back: it %s after %s, from %s to %s%s",
                e->verdict.floor < o->from ? "fell" : "stopped",
                watch_duration(c, e->time_s - o->since_s), watch_amount(a, unit, o->from),
                watch_amount(b, unit, e->verdict.floor), ends[o->end.kind]);
}

static void fill_event(const watch_judge *j, watch_series s, watch_event *out, int *rule,
                       ending *end)
{
    const opinion *o = &j->opinions[s];
    *out = (watch_event){.time_s = j->now.time_s, .series = s, .was = o->reported, .rule = ""};
    watch_verdict *v = &out->verdict;
    watch_detector_get(detector_in(j, s), v);
    v->unit = watch_state_rises(v->state)
                  ? watch_units_choose(&v->per_unit, j->courses, detector_in(j, s), v,
                                       watch_series_get(s)->unit, j->now.time_s)
                  : WATCH_NONE;
    if (v->unit == WATCH_NONE)
        v->per_unit = NAN;
    *rule = 0;
    *end = (ending){WATCH_END_NONE, -INFINITY};
    if (!watch_state_rises(v->state)) {
        take_back(o, out);
        return;
    }
    const char *others = others_of(j, s, v);
    if (others != NULL) {
        v->state = WATCH_STEADY;
        base_format(out->cause, sizeof out->cause, "%s", others);
    } else if (add_cause(j, out, rule)) {
        v->state = WATCH_STEADY;
    } else {
        *end = soften(j, out);
        out->with = reported_by(j, s, *rule);
    }
}

/* ---- events ---- */

static void add_event(watch_judge *j, const watch_event *e)
{
    if (j->n_events == MOST_EVENTS) {
        j->first_event = (j->first_event + 1) % MOST_EVENTS;
        j->n_events--;
        j->n_lost++;
    }
    j->events[(j->first_event + j->n_events++) % MOST_EVENTS] = *e;
}

bool watch_judge_next(watch_judge *j, watch_event *out)
{
    if (j->n_events == 0)
        return false;
    *out = j->events[j->first_event];
    j->first_event = (j->first_event + 1) % MOST_EVENTS;
    j->n_events--;
    return true;
}

/* Memory, descriptors, threads: each ends at its own limit, and is another resource. */
static bool rises_with_another(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    const watch_series kind = watch_series_get(s)->limit;
    for (int i = 0; i < WATCH_N_SERIES && kind != WATCH_NONE; i++) {
        const watch_series other = watch_series_get((watch_series)i)->limit;
        const opinion *o = &j->opinions[i];
        if (other != kind && other != WATCH_NONE && is_judged((watch_series)i) &&
            watch_state_rises(o->detected) &&
            watch_vouch_together(detector_in(j, s), v, detector_in(j, (watch_series)i), o->since_s,
                                 j->now.time_s))
            return true;
    }
    return false;
}

static void vouch(watch_judge *j, watch_series s, watch_verdict *v)
{
    if (v->state != WATCH_SUSPECT ||
        (!watch_vouch_by_work(j->courses, detector_in(j, s), v, j->now.time_s) &&
         !rises_with_another(j, s, v)))
        return;
    watch_detector_call(detector_of(j, s));
    v->state = WATCH_LEAKING;
}

/* What is growing fast is looked at again sooner: a pass over the data that is over is no excuse.
 */
static double explains_for(const watch_judge *j, const opinion *o)
{
    return o->reported == WATCH_GROWING
               ? fmin(EXPLAIN_S, EXPLAIN_PART * (j->now.time_s - o->since_s))
               : EXPLAIN_S;
}

static void judge_level(watch_judge *j, watch_series s)
{
    opinion *o = &j->opinions[s];
    watch_verdict v;
    watch_event e;
    int rule;
    ending end;
    watch_detector_push(detector_of(j, s), j->now.time_s, j->now.value[s],
                        watch_limits_of(&j->now, j->limit, s), horizon_of(j));
    watch_detector_get(detector_of(j, s), &v);
    if (v.state == o->detected &&
        (!watch_state_rises(v.state) || j->now.time_s - o->explained_s < explains_for(j, o)))
        return;
    vouch(j, s, &v);
    o->detected = v.state;
    o->explained_s = j->now.time_s;
    fill_event(j, s, &e, &rule, &end);
    const bool is_new = e.verdict.state != o->reported;
    o->is_no_leak = watch_state_rises(v.state) && e.verdict.state == WATCH_STEADY;
    o->reported = e.verdict.state;
    o->rule = rule;
    o->end = end;
    o->from = e.verdict.floor - e.verdict.growth;
    o->since_s = e.verdict.since_s;
    if (o->reported < WATCH_LEAKING)
        o->called = 0;
    else if (o->called == 0)
        o->called = ++j->n_called;
    if (is_new)
        add_event(j, &e);
}

static void judge_hang(watch_judge *j)
{
    watch_event e = {.time_s = j->now.time_s, .series = WATCH_WORK_IDLE_S, .rule = ""};
    opinion *o = &j->opinions[WATCH_WORK_IDLE_S];
    const bool is_hung =
        watch_hang_push(&j->hang, &j->now, j->courses, j->options.hang_s, &e.verdict);
    const watch_state state = is_hung ? WATCH_HUNG : WATCH_STEADY;
    e.was = o->reported;
    if (o->reported == state || (o->reported == WATCH_LEARNING && !is_hung))
        return;
    o->reported = state;
    e.verdict.state = state;
    int rule;
    if (is_hung)
        add_cause(j, &e, &rule);
    add_event(j, &e);
}

/* What a leak is named after when several series show it at once: those that count every page once.
 */
static const watch_series FIRST[] = {WATCH_MAIN_ANON_BYTES,
                                     WATCH_CHILDREN_PSS_BYTES,
                                     WATCH_CHILDREN_PRIVATE_BYTES,
                                     WATCH_CHILDREN_ANON_BYTES,
                                     WATCH_MAIN_LOCKED_BYTES,
                                     WATCH_MAIN_FDS,
                                     WATCH_SHM_BYTES};
enum { N_FIRST = sizeof FIRST / sizeof *FIRST };

static bool is_first(watch_series s)
{
    for (size_t i = 0; i < N_FIRST; i++)
        if (FIRST[i] == s)
            return true;
    return false;
}

void watch_judge_push(watch_judge *j, const watch_sample *s)
{
    char before[WATCH_N_TEXTS][WATCH_PHRASE_BYTES];
    memcpy(before, j->now.text, sizeof before);
    j->now = *s;
    j->n_samples++;
    for (int i = 0; i < WATCH_N_TEXTS; i++)
        if (s->text[i][0] == '\0') /* sent when they change */
            memcpy(j->now.text[i], before[i], sizeof before[i]);
    for (int i = 0; i < WATCH_N_SERIES; i++) {
        const watch_kind kind = watch_series_get((watch_series)i)->kind;
        if (kind == WATCH_LIMIT && !isnan(s->value[i]))
            j->limit[i] = s->value[i];
        else if (kind == WATCH_WORK || kind == WATCH_COUNTER)
            watch_course_push(&j->courses[i], s->time_s, s->value[i]);
    }
    for (size_t r = 0; r < watch_n_rules; r++)
        if (watch_rules[r]->observe != NULL)
            watch_rules[r]->observe(rule_state(j, r), s);
    for (int i = 0; i < WATCH_N_SERIES; i++)
        if (watch_series_get((watch_series)i)->kind == WATCH_FACT && !isnan(s->value[i]))
            watch_detector_record(detector_of(j, (watch_series)i), s->time_s, s->value[i]);
    /* Facts are known by now: causes are known by them. Of what is called at the same moment, that
     * which says most comes first. */
    for (size_t i = 0; i < N_FIRST; i++)
        if (!isnan(s->value[FIRST[i]]))
            judge_level(j, FIRST[i]);
    for (int i = 0; i < WATCH_N_SERIES; i++)
        if (is_judged((watch_series)i) && !is_first((watch_series)i) && !isnan(s->value[i]))
            judge_level(j, (watch_series)i);
    judge_hang(j);
}

/* ---- what is thought now ---- */

bool watch_judge_get(const watch_judge *j, watch_series s, watch_event *out)
{
    int rule;
    ending end;
    if (s == WATCH_WORK_IDLE_S) {
        *out = (watch_event){.time_s = j->now.time_s, .series = s, .rule = ""};
        watch_hang_get(&j->hang, &j->now, &out->verdict);
        out->verdict.state = j->opinions[s].reported;
        if (out->verdict.state == WATCH_HUNG)
            add_cause(j, out, &rule);
        return watch_hang_is_known(&j->hang);
    }
    if (!is_judged(s))
        return false;
    fill_event(j, s, out, &rule, &end);
    return !isnan(out->verdict.level);
}

const watch_sample *watch_judge_sample(const watch_judge *j)
{
    return &j->now;
}

bool watch_judge_change(const watch_judge *j, watch_series s, double since_s, watch_change *out)
{
    return watch_detector_change(detector_in(j, s), since_s, out);
}

bool watch_judge_ends(const watch_judge *j, watch_series s, double since_s, double *from,
                      double *to)
{
    return watch_detector_ends(detector_in(j, s), since_s, from, to);
}

double watch_judge_slope(const watch_judge *j, watch_series s, double since_s)
{
    return watch_detector_slope(detector_in(j, s), since_s);
}

double watch_judge_count(const watch_judge *j, watch_series s, double since_s)
{
    const watch_course *c = &j->courses[s];
    if (!c->is_known)
        return NAN;
    const double at = watch_course_at(c, since_s);
    return watch_course_at(c, j->now.time_s) - (isnan(at) ? c->count[0] : at);
}

/* ---- the guard's own restart ---- */

size_t watch_judge_state_bytes(const watch_judge *j)
{
    return j->n_bytes;
}

/* Events that wait are not saved: whoever saves has taken them. */
void watch_judge_save(const watch_judge *j, void *bytes)
{
    watch_judge *copy = bytes;
    memcpy(bytes, j, j->n_bytes);
    memset(copy->events, 0, sizeof copy->events);
    copy->first_event = copy->n_events = 0;
}

static bool valid_sample(const watch_sample *s)
{
    for (int i = 0; i < WATCH_N_SERIES; i++)
        if (!valid_number(s->value[i]))
            return false;
    return valid_real(s->time_s);
}

static bool valid_opinion(const opinion *o, int n_called)
{
    return valid_int((int)o->detected, 0, WATCH_N_STATES - 1) &&
           valid_int((int)o->reported, 0, WATCH_N_STATES - 1) && valid_number(o->explained_s) &&
           valid_int((int)o->end.kind, 0, WATCH_N_ENDS - 1) && valid_number(o->end.seen_s) &&
           valid_number(o->from) && valid_number(o->since_s) && valid_bool(&o->is_no_leak) &&
           valid_int(o->rule, 0, (int)watch_n_rules) && valid_int(o->called, 0, n_called);
}

/* Its places in the block are this program's by now. */
static bool valid_judge(const watch_judge *j)
{
    if (!valid_sample(&j->now) || !watch_hang_valid(&j->hang) ||
        !valid_int(j->n_called, 0, VALID_MOST_COUNT))
        return false;
    for (int i = 0; i < WATCH_N_SERIES; i++)
        if (!valid_number(j->limit[i]) || !valid_number(j->rested[i]) ||
            !valid_opinion(&j->opinions[i], j->n_called) || !watch_course_valid(&j->courses[i]) ||
            !watch_detector_valid(detector_in(j, (watch_series)i),
                                  watch_series_get((watch_series)i)->unit))
            return false;
    for (size_t r = 0; r < watch_n_rules; r++)
        if (watch_rules[r]->valid != NULL && !watch_rules[r]->valid(rule_state(j, r)))
            return false;
    return true;
}

vg_status watch_judge_load(watch_judge *j, const void *bytes, size_t n_bytes, vg_error *err)
{
    const watch_judge *from = bytes;
    if (n_bytes != j->n_bytes || from->version != j->version || from->n_bytes != j->n_bytes ||
        from->detectors_at != j->detectors_at || from->rules_at != j->rules_at)
        return base_fail(err, VG_ERR_FORMAT, NULL, "it is learnt anew",
                         "a guard's state of another version");
    const watch_judge_options options = j->options;
    if (!valid_judge(from))
        return base_fail(err, VG_ERR_FORMAT, NULL, "it is learnt anew",
                         "a guard's state that cannot be true");
    memcpy(j, bytes, n_bytes);
    j->options = options;
    j->first_event = j->n_events = 0; /* those that waited hold texts of another process */
    return VG_OK;
}
