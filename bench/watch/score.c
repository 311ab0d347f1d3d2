/* score.c: the judge and what people use today, on made-up traces of 48 hours.
 *
 *   score tune|score|jobs|all [traces of a class] [part of a class's name]
 *
 * A table a family, as Markdown: docs/leaks.md has them. Of benign classes: how many traces were
 * called leaking, said to be growing, acted on (CRITICAL: what on-critical asks for would have been
 * done), and taken back. Of leaks: how many were called before the limit, with how much of the
 * headroom gone, at the median; how far the slope was off at the call and at the trace's end; in
 * how many cases the time to the limit lay in the 90 % interval given at the call.
 * VIGIL_SCORE_SHOW=1 names the traces that went wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "peers.h"
#include "traces.h"
#include "watch/judge/judge.h"

enum { MOST = 2000, N_PEERS = 4 };
static const char *const peers[N_PEERS] = {"vigil", "85 %", "90 %", "predict_linear"};

typedef struct family {
    const char *name, *title;
    const trace_class *classes;
    const size_t *n;
    uint64_t seed;
} family;

static const family families[] = {
    {"score", "Score", trace_score, &trace_n_score, 0x5c04eu},
    {"jobs", "Jobs", trace_jobs, &trace_n_jobs, 0x10b5u},
    {"tune", "Tune", trace_tune, &trace_n_tune, 0x7e57u},
};

typedef struct tally {
    int n, called[N_PEERS], growing, acted, back;
    int n_forecasts, n_covered, n_firsts, n_first_covered, n_slopes, n_ends, early;
    double gone[N_PEERS][MOST], slope_error[MOST], end_error[MOST];
} tally;

/* Of a family. */
typedef struct total {
    int n_benign, n_leaks;
    double benign[N_PEERS], leaks[N_PEERS], growing, acted, back, covered, first_covered;
    double median[N_PEERS][64], worst;
} total;

typedef struct outcome {
    double called_s; /* NAN: not */
    bool grew, acted, was_taken_back;
    watch_series which;
    bool is_own;             /* the trace's own series was called first */
    watch_verdict call, end; /* of the series that was called */
} outcome;

static trace one;
static tally sums;
static base_mem mem = {.tag = "score"};

static const watch_series beside[TRACE_N_BESIDE] = {
    [TRACE_EPOCHS] = WATCH_WORK_EPOCH,          [TRACE_REQUESTS] = WATCH_WORK_REQUESTS,
    [TRACE_RECONNECTS] = WATCH_WORK_RECONNECTS, [TRACE_RUNS] = WATCH_WORK_RUNS,
    [TRACE_INPUT] = WATCH_WORK_INPUT_BYTES,     [TRACE_FDS] = WATCH_MAIN_FDS,
    [TRACE_THREADS] = WATCH_MAIN_THREADS};

static double percentile(double *v, int n, double part)
{
    if (n == 0)
        return NAN;
    for (int i = 1; i < n; i++) {
        const double x = v[i];
        int j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
    return v[(int)(part * (n - 1) + 0.5)];
}

static double gone_at(const trace *t, double time_s)
{
    for (int i = 0; i < t->n; i++)
        if (t->time_s[i] >= time_s)
            return t->leaked[i] / t->headroom;
    return 1;
}

static void read_sample(watch_sample *s, const trace *t, int i)
{
    watch_sample_clear(s, t->time_s[i]);
    s->value[t->counts ? WATCH_MAIN_FDS : WATCH_MAIN_ANON_BYTES] = t->value[i];
    s->value[t->counts ? WATCH_LIMIT_FDS : WATCH_LIMIT_MEMORY_BYTES] = t->limit;
    for (int k = 0; k < TRACE_N_BESIDE; k++)
        if (t->has[k])
            s->value[beside[k]] = t->beside[k][i];
    if (t->has[TRACE_THREADS])
        s->value[WATCH_LIMIT_THREADS] = 4096;
    if (t->has[TRACE_FDS])
        s->value[WATCH_LIMIT_FDS] = 1024;
}

/* A leak is called by the first series that is: what it began in names it. */
static outcome replay(const trace *t)
{
    const watch_judge_options options = {.expect_rss = t->expect_rss};
    watch_judge *j = NULL;
    watch_sample s;
    watch_event e;
    vg_error err;
    outcome o = {.called_s = NAN, .which = WATCH_NONE};
    if (watch_judge_create(&j, &options, &mem, &err) != VG_OK)
        exit(1);
    for (int i = 0; i < t->n; i++) {
        read_sample(&s, t, i);
        watch_judge_push(j, &s);
        while (watch_judge_next(j, &e)) {
            const watch_state now = e.verdict.state;
            o.grew |= now == WATCH_GROWING;
            o.acted |= now == WATCH_CRITICAL;
            o.was_taken_back |=
                now == WATCH_STEADY && e.was >= WATCH_GROWING && watch_state_rises(e.was);
            if (isnan(o.called_s) && now >= WATCH_LEAKING && e.series != WATCH_WORK_IDLE_S) {
                o.called_s = e.time_s;
                o.call = e.verdict;
                o.which = e.series;
                o.is_own = e.series == WATCH_MAIN_ANON_BYTES || t->counts;
            }
        }
    }
    if (o.which != WATCH_NONE && watch_judge_get(j, o.which, &e))
        o.end = e.verdict;
    watch_judge_destroy(&j);
    return o;
}

static void count(tally *s, const trace *t, bool leaks, int seed, const char *name)
{
    const outcome o = replay(t);
    double called[N_PEERS] = {o.called_s, peer_threshold(t, 0.85), peer_threshold(t, 0.9),
                              peer_predict_linear(t)};
    const bool show = getenv("VIGIL_SCORE_SHOW") != NULL;
    s->n++;
    s->growing += o.grew;
    s->acted += o.acted;
    s->back += o.was_taken_back;
    for (int p = 0; p < N_PEERS; p++) {
        if (leaks && called[p] < t->onset_s) {
            s->early += p == 0;
            called[p] = NAN;
        }
        if (!isnan(called[p]))
            s->gone[p][s->called[p]++] = gone_at(t, called[p]);
    }
    if (show && leaks == isnan(called[0]))
        printf("   %s %d: called %.0f onset %.0f end %.0f\n", name, seed, called[0], t->onset_s,
               t->end_s);
    if (show && !leaks && !isnan(called[0]))
        printf("      %s at %.2f h since %.2f h, growth %.3g of %.3g, slope %.3g%s\n",
               watch_series_get(o.which)->name, called[0] / 3600, o.call.since_s / 3600,
               o.call.growth, o.call.limit, o.call.slope_per_s, o.acted ? ", acted on" : "");
    if (!leaks || isnan(called[0]))
        return;
    if (!o.is_own)
        return; /* another resource, with another end */
    const double truth = t->end_s - called[0];
    if (isfinite(truth)) {
        s->n_forecasts++;
        s->n_covered += o.call.exhaustion_low_s <= truth && truth <= o.call.exhaustion_high_s;
    }
    if (isfinite(t->first_s)) {
        const double first = t->first_s - called[0];
        s->n_firsts++;
        s->n_first_covered += o.call.exhaustion_low_s <= first && first <= o.call.exhaustion_high_s;
    }
    if (show)
        printf("   %s %d: gone %.3f, left %.0f, forecast %.0f [%.0f, %.0f]\n", name, seed,
               gone_at(t, called[0]), truth, o.call.exhaustion_s, o.call.exhaustion_low_s,
               o.call.exhaustion_high_s);
    if (isnan(t->slope_per_s))
        return;
    s->slope_error[s->n_slopes++] = fabs(o.call.slope_per_s / t->slope_per_s - 1);
    if (o.end.state >= WATCH_LEAKING)
        s->end_error[s->n_ends++] = fabs(o.end.slope_per_s / t->slope_per_s - 1);
}

static void print_heads(const char *title)
{
    printf("#### %s\n\n| class | vigil | growing | acted on | taken back ", title);
    for (int p = 1; p < N_PEERS; p++)
        printf("| %s ", peers[p]);
    printf("| slope off at call: median, 90th %% | at the end | in the 90 %% interval: mean, first "
           "reading %% |\n|");
    for (int i = 0; i < 11; i++)
        printf("---|");
    printf("\n");
}

static void print_pair(double *v, int n)
{
    if (n == 0)
        printf("| – ");
    else
        printf("| %.1f, %.1f ", 100 * percentile(v, n, 0.5), 100 * percentile(v, n, 0.9));
}

static double part(int n, int of)
{
    return of > 0 ? 100.0 * n / of : 0;
}

static void print_line(const trace_class *c, tally *s, total *sum)
{
    const bool leaks = c->group == TRACE_LEAK || c->group == TRACE_HALF_HOUR;
    double median[N_PEERS] = {0};
    printf("| %s ", c->name);
    for (int p = 0; p < N_PEERS; p++) {
        printf("| %.1f", part(s->called[p], s->n));
        if (leaks)
            printf(", %.0f", 100 * (median[p] = percentile(s->gone[p], s->called[p], 0.5)));
        printf(" ");
        if (p == 0)
            printf("| %.1f | ", part(s->growing, s->n));
        if (p == 0 && leaks)
            printf("| ");
        else if (p == 0)
            printf("%.1f | %.1f ", part(s->acted, s->n), part(s->back, s->n));
    }
    if (leaks) {
        print_pair(s->slope_error, s->n_slopes);
        print_pair(s->end_error, s->n_ends);
        printf("| %.0f, %.0f |%s\n", part(s->n_covered, s->n_forecasts),
               part(s->n_first_covered, s->n_firsts), s->early ? " early!" : "");
        for (int p = 0; p < N_PEERS; p++) {
            sum->leaks[p] += part(s->called[p], s->n);
            sum->median[p][sum->n_leaks] = isnan(median[p]) ? 1 : median[p];
        }
        sum->worst = fmax(sum->worst, median[0]);
        sum->covered += part(s->n_covered, s->n_forecasts);
        sum->first_covered += part(s->n_first_covered, s->n_firsts);
        sum->n_leaks++;
        return;
    }
    printf("| | | |\n");
    if (c->group == TRACE_OPEN)
        return;
    for (int p = 0; p < N_PEERS; p++)
        sum->benign[p] += part(s->called[p], s->n);
    sum->growing += part(s->growing, s->n);
    sum->acted += part(s->acted, s->n);
    sum->back += part(s->back, s->n);
    sum->n_benign++;
}

static void print_total(total *t)
{
    const int b = t->n_benign > 0 ? t->n_benign : 1, k = t->n_leaks > 0 ? t->n_leaks : 1;
    printf("\nOf what ends, over %d classes: called leaking %.1f %%, said to be growing %.1f %%, "
           "acted "
           "on %.1f %%, taken back %.1f %%",
           t->n_benign, t->benign[0] / b, t->growing / b, t->acted / b, t->back / b);
    for (int p = 1; p < N_PEERS; p++)
        printf("%s%s %.1f %%", p == 1 ? " (" : ", ", peers[p], t->benign[p] / b);
    printf("). Of leaks, over %d classes: called %.1f %%, with %.0f %% of the headroom gone in the "
           "middle class and %.0f %% in the worst",
           t->n_leaks, t->leaks[0] / k, 100 * percentile(t->median[0], t->n_leaks, 0.5),
           100 * t->worst);
    for (int p = 1; p < N_PEERS; p++)
        printf("%s%s %.1f %%, %.0f %%", p == 1 ? " (" : "; ", peers[p], t->leaks[p] / k,
               100 * percentile(t->median[p], t->n_leaks, 0.5));
    printf("); in the interval %.0f %% (the mean), %.0f %% (the first reading).\n\n",
           t->covered / k, t->first_covered / k);
}

static void score_family(const family *f, int n, const char *only)
{
    total t = {0};
    print_heads(f->title);
    for (size_t c = 0; c < *f->n; c++) {
        const trace_class *k = &f->classes[c];
        if (only != NULL && !strstr(k->name, only))
            continue;
        sums = (tally){0};
        for (int i = 0; i < n; i++) {
            uint64_t seed = f->seed + 1000003u * (uint64_t)i + 7919u * c;
            memset(one.has, 0, sizeof one.has);
            one.expect_rss = 0;
            k->make(&one, &seed);
            count(&sums, &one, k->group == TRACE_LEAK || k->group == TRACE_HALF_HOUR, i, k->name);
        }
        print_line(k, &sums, &t);
        fflush(stdout);
    }
    print_total(&t);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 100;
    bool is_known = false;
    if (argc > 1 && n >= 1 && n <= MOST)
        for (size_t i = 0; i < sizeof families / sizeof *families; i++)
            if (strcmp(argv[1], families[i].name) == 0 || strcmp(argv[1], "all") == 0) {
                score_family(&families[i], n, argc > 3 ? argv[3] : NULL);
                is_known = true;
            }
    if (!is_known)
        fprintf(stderr,
                "usage: score tune|score|jobs|all [traces of a class] [part of a class's name]\n");
    return is_known ? 0 : 2;
}
