/* facts.c: changes of series since a rise began, asked for and put into words. */
#include "facts.h"

#include <math.h>
#include <string.h>

#include "watch/judge/figures.h"

static bool change_of(const watch_judge *j, watch_series s, const watch_verdict *v,
                      watch_change *out)
{
    return watch_judge_change(j, s, v->since_s, out);
}

bool facts_known(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    double from, to;
    return watch_judge_ends(j, s, v->since_s, &from, &to);
}

/* Of what came since a rise began, so much must have come in its later half: a pool's threads, or
 * the descriptors of a start, explain nothing that goes on rising after them. */
static const double LEAST_LATE = 0.25;

bool facts_goes_on(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    watch_verdict later = *v;
    later.since_s = (v->since_s + watch_judge_sample(j)->time_s) / 2;
    return !facts_known(j, s, &later) ||
           facts_growth(j, s, &later) >= LEAST_LATE * facts_growth(j, s, v);
}

bool facts_rises(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    watch_change c;
    return change_of(j, s, v, &c) && c.rises &&
           (watch_series_get(s)->unit != WATCH_COUNT || facts_goes_on(j, s, v));
}

bool facts_stays(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    watch_change c;
    return change_of(j, s, v, &c) && !(c.rises && facts_rises(j, s, v));
}

bool facts_not_rising(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    return !facts_rises(j, s, v);
}

double facts_growth(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    double from, to;
    if (!watch_judge_ends(j, s, v->since_s, &from, &to) || to == from)
        return 0;
    /* Ends that deny the way between them: the rise began as the job was still starting. */
    const double span_s = watch_judge_sample(j)->time_s - v->since_s, ends = to - from,
                 per_s = watch_judge_slope(j, s, v->since_s);
    return ends * per_s < 0 ? per_s * span_s : ends;
}

bool facts_any_gpu_rises(const watch_judge *j, const watch_verdict *v)
{
    for (int s = WATCH_GPU0_BYTES; s <= WATCH_GPU3_BYTES; s++)
        if (facts_rises(j, (watch_series)s, v))
            return true;
    return false;
}

/* The main process's or the children's memory, by the best series that is known. */
static watch_series memory_of(const watch_judge *j, facts_scope scope)
{
    static const watch_series of_main[] = {WATCH_MAIN_ANON_BYTES, WATCH_MAIN_USS_BYTES,
                                           WATCH_MAIN_PSS_BYTES, WATCH_MAIN_RSS_BYTES, WATCH_NONE};
    static const watch_series of_children[] = {
        WATCH_CHILDREN_ANON_BYTES, WATCH_CHILDREN_PRIVATE_BYTES, WATCH_CHILDREN_PSS_BYTES,
        WATCH_CHILDREN_RSS_BYTES, WATCH_NONE};
    const watch_series *list = scope == FACTS_MAIN ? of_main : of_children;
    while (list[1] != WATCH_NONE && isnan(watch_judge_sample(j)->value[*list]))
        list++;
    return *list;
}

facts_scope facts_scope_of(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    switch (s) {
    case WATCH_MAIN_RSS_BYTES:
    case WATCH_MAIN_PSS_BYTES:
    case WATCH_MAIN_USS_BYTES:
    case WATCH_MAIN_ANON_BYTES:
    case WATCH_MAIN_SWAP_BYTES:
    case WATCH_MAIN_SIZE_BYTES:
        return FACTS_MAIN;
    case WATCH_CHILDREN_RSS_BYTES:
    case WATCH_CHILDREN_PSS_BYTES:
    case WATCH_CHILDREN_ANON_BYTES:
    case WATCH_CHILDREN_PRIVATE_BYTES:
        return FACTS_CHILDREN;
    case WATCH_TREE_PSS_BYTES:
    case WATCH_CGROUP_ANON_BYTES: {
        const double of_main = facts_growth(j, memory_of(j, FACTS_MAIN), v),
                     of_children = facts_growth(j, memory_of(j, FACTS_CHILDREN), v),
                     private = facts_growth(j, WATCH_CHILDREN_PRIVATE_BYTES, v);
        return fmax(of_children, private) > of_main ? FACTS_CHILDREN : FACTS_MAIN;
    }
    default:
        return FACTS_NEITHER;
    }
}

bool facts_is_descriptors(watch_series s)
{
    return s == WATCH_MAIN_FDS || s == WATCH_CHILDREN_FDS;
}

double facts_kind_growth(const watch_judge *j, watch_series s, const watch_verdict *v,
                         watch_series kind)
{
    static const watch_series of_child[][2] = {{WATCH_MAIN_FDS, WATCH_CHILD_FDS},
                                               {WATCH_MAIN_FDS_FILE, WATCH_CHILD_FDS_FILE},
                                               {WATCH_MAIN_FDS_SOCKET, WATCH_CHILD_FDS_SOCKET},
                                               {WATCH_MAIN_FDS_PIPE, WATCH_CHILD_FDS_PIPE},
                                               {WATCH_MAIN_FDS_EVENT, WATCH_CHILD_FDS_EVENT},
                                               {WATCH_MAIN_FDS_DELETED, WATCH_CHILD_FDS_DELETED},
                                               {WATCH_MAIN_FDS_SQLITE, WATCH_CHILD_FDS_SQLITE},
                                               {WATCH_MAIN_FDS_LOG, WATCH_CHILD_FDS_LOG},
                                               {WATCH_MAIN_FDS_SHM, WATCH_CHILD_FDS_SHM}};
    for (size_t i = 0; s == WATCH_CHILDREN_FDS && i < sizeof of_child / sizeof *of_child; i++)
        if (of_child[i][0] == kind)
            return facts_growth(j, of_child[i][1], v);
    return s == WATCH_CHILDREN_FDS ? 0 : facts_growth(j, kind, v);
}

/* A thread with a loop has up to three descriptors of a kind. */
static const double THREADS_PER_DESCRIPTOR = 0.3;

bool facts_are_of_threads(const watch_judge *j, watch_series s, const watch_verdict *v,
                          watch_series kind)
{
    const watch_series threads =
        s == WATCH_CHILDREN_FDS ? WATCH_CHILDREN_THREADS : WATCH_MAIN_THREADS;
    return facts_rises(j, threads, v) &&
           facts_growth(j, threads, v) >= THREADS_PER_DESCRIPTOR * facts_kind_growth(j, s, v, kind);
}

bool facts_may_be_descriptors(const watch_judge *j, watch_series s, const watch_verdict *v)
{
    if (s == WATCH_CHILDREN_FDS)
        return facts_known(j, WATCH_CHILD_FDS, v) && !facts_rises(j, WATCH_CHILDREN_COUNT, v);
    return s == WATCH_MAIN_FDS ||
           (facts_scope_of(j, s, v) == FACTS_MAIN && facts_rises(j, WATCH_MAIN_FDS, v));
}

bool facts_descriptors_explain(const watch_judge *j, watch_series s, const watch_verdict *v,
                               double n_of_kind, double least_0_1)
{
    if (s == WATCH_MAIN_FDS)
        return v->growth > 0 && n_of_kind >= least_0_1 * v->growth;
    const double all = facts_kind_growth(j, s, v, WATCH_MAIN_FDS);
    return all > 0 && n_of_kind >= least_0_1 * all;
}

/* ---- words ---- */

void facts_add_text(char *text, size_t n, const watch_judge *j, const char *lead, watch_text t)
{
    const char *words = watch_judge_sample(j)->text[t];
    const size_t at = strlen(text);
    if (lead != NULL && words[0] != '\0')
        base_format(text + at, n - at, "%s%s", lead, words);
}

const char *facts_unit(const watch_verdict *v)
{
    switch (v->unit) {
    case WATCH_WORK_RUNS:
        return "run";
    case WATCH_WORK_EPOCH:
        return "epoch";
    case WATCH_WORK_STEP:
        return "step";
    case WATCH_WORK_FRAMES:
        return "frame";
    case WATCH_WORK_RECONNECTS:
        return "reconnect";
    case WATCH_WORK_SHAPES:
        return "new shape";
    case WATCH_WORK_REQUESTS:
        return "request";
    case WATCH_WORK_CHECKPOINTS:
        return "checkpoint";
    case WATCH_WORK_LOG_BYTES:
        return "byte of log";
    case WATCH_WORK_INPUT_BYTES:
        return "byte read";
    default:
        return "hour";
    }
}

static const char *amount(char buf[32], watch_series s, double value)
{
    char size[32];
    if (watch_series_get(s)->unit == WATCH_BYTES)
        base_format(buf, 32, "%s%s", value < 0 ? "-" : "+",
                    base_format_bytes(size, sizeof size, fabs(value)));
    else
        base_format(buf, 32, "%+.3g", value);
    return buf;
}

static void add(watch_finding *out, const char *format, const char *a, const char *b)
{
    const size_t n = strlen(out->evidence);
    base_format(out->evidence + n, sizeof out->evidence - n, "%s%s%s", format, a, b);
}

void facts_evidence(watch_finding *out, const watch_judge *j, watch_series s,
                    const watch_verdict *v, const watch_series *also, const watch_series *flat)
{
    char a[32], b[32], c[WATCH_FIGURE_BYTES];
    const double since_s = watch_judge_sample(j)->time_s - v->since_s;
    const double per = v->unit != WATCH_NONE ? v->per_unit : v->slope_per_s * 3600;
    base_format(out->evidence, sizeof out->evidence, "%s %s in %s (%s per %s)",
                watch_series_get(s)->name, amount(a, s, v->growth), watch_duration(c, since_s),
                amount(b, s, per), facts_unit(v));
    const char *lead = "; with it ";
    for (; also != NULL && *also != WATCH_NONE; also++) {
        const double growth = facts_growth(j, *also, v); /* 0 of what is not known, too */
        if (*also == s || growth == 0)
            continue;
        add(out, lead, watch_series_get(*also)->name, " ");
        add(out, amount(a, *also, growth), "", "");
        lead = ", ";
    }
    lead = "; flat ";
    for (; flat != NULL && *flat != WATCH_NONE; flat++) {
        if (*flat == s || !facts_stays(j, *flat, v))
            continue;
        add(out, lead, watch_series_get(*flat)->name, "");
        lead = ", ";
    }
}
