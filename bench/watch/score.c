/* score.c: the detector and what people use today, on made-up traces of 48 hours.
 *
 *   score tune|score [traces of a class] [part of a class's name]
 *
 * A line a class, as Markdown. Of benign classes: how many traces were called leaking. Of leaks:
 * how many were called before the limit; how much of the headroom was gone then, at the median; how
 * far the slope was off at the call, median and 90th percentile, and at the trace's end; in how
 * many cases the time to the limit lay in the 90 % interval given at the call. VIGIL_SCORE_SHOW=1
 * names the traces that went wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "peers.h"
#include "traces.h"
#include "watch/judge/detector.h"

enum { MOST = 2000, N_PEERS = 4 };
static const char *const peers[N_PEERS] = {"vigil", "85 %", "90 %", "predict_linear"};

typedef struct tally {
    int n, called[N_PEERS], n_covered, n_forecasts, below, n_firsts, n_first_covered, n_slopes,
        n_still, changes, n_ends, early, halves;
    double gone[N_PEERS][MOST], slope_error[MOST], end_error[MOST];
} tally;

static trace one;
static tally sums;

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

/* Replays; the verdict at the first call and at the end. NAN: not called. */
static double replay(const trace *t, watch_detector *d, watch_verdict *at_call,
                     watch_verdict *at_end, int *n_changes)
{
    double called = NAN;
    watch_state was = WATCH_LEARNING;
    watch_detector_init(d, t->counts ? WATCH_COUNT : WATCH_BYTES);
    for (int i = 0; i < t->n; i++) {
        watch_detector_push(d, t->time_s[i], t->value[i], t->limit, 0);
        watch_detector_get(d, at_end);
        *n_changes += at_end->state != was;
        was = at_end->state;
        if (isnan(called) && at_end->state >= WATCH_LEAKING) {
            called = t->time_s[i];
            *at_call = *at_end;
        }
    }
    return called;
}

static void count(tally *s, const trace *t, bool leaks, watch_detector *d, int seed,
                  const char *name)
{
    watch_verdict call = {0}, end = {0};
    double called[N_PEERS] = {replay(t, d, &call, &end, &s->changes), peer_threshold(t, 0.85),
                              peer_threshold(t, 0.9), peer_predict_linear(t)};
    const bool show = getenv("VIGIL_SCORE_SHOW") != NULL;
    s->n++;
    for (int p = 0; p < N_PEERS; p++) {
        if (leaks && called[p] < t->onset_s) {
            s->early += p == 0;
            called[p] = NAN;
        }
        if (isnan(called[p]))
            continue;
        s->gone[p][s->called[p]++] = gone_at(t, called[p]);
    }
    if (show && leaks == isnan(called[0]))
        printf("   %s %d: called %.0f onset %.0f end %.0f\n", name, seed, called[0], t->onset_s,
               t->end_s);
    if (show && !leaks && !isnan(called[0]))
        printf("      at %.2f h since %.2f h, growth %.3f of headroom, slope %.3g\n",
               called[0] / 3600, call.since_s / 3600, call.growth / t->headroom, call.slope_per_s);
    if (!leaks || isnan(called[0]))
        return;
    s->n_still += end.state >= WATCH_LEAKING;
    s->halves += gone_at(t, called[0]) > 0.5;
    const double truth = t->end_s - called[0];
    s->n_forecasts++;
    s->n_covered += call.exhaustion_low_s <= truth && truth <= call.exhaustion_high_s;
    s->below += truth < call.exhaustion_low_s;
    if (isfinite(t->first_s)) {
        const double first = t->first_s - called[0];
        s->n_firsts++;
        s->n_first_covered += call.exhaustion_low_s <= first && first <= call.exhaustion_high_s;
    }
    if (show)
        printf("   %s %d: gone %.3f, left %.0f, forecast %.0f [%.0f, %.0f]\n", name, seed,
               gone_at(t, called[0]), truth, call.exhaustion_s, call.exhaustion_low_s,
               call.exhaustion_high_s);
    if (isnan(t->slope_per_s))
        return;
    s->slope_error[s->n_slopes++] = fabs(call.slope_per_s / t->slope_per_s - 1);
    if (end.state >= WATCH_LEAKING)
        s->end_error[s->n_ends++] = fabs(end.slope_per_s / t->slope_per_s - 1);
}

static void print_heads(void)
{
    printf("| class ");
    for (int p = 0; p < N_PEERS; p++)
        printf("| %s: called %%, gone %% ", peers[p]);
    printf(
        "| gone > half %% | slope off at call %%: median, 90th | at the end: median, 90th | in the "
        "interval %%: mean (sooner), first reading | changes a "
        "trace, leaking at the end %% |\n|---|---|---|---|---|---|---|---|---|---|\n");
}

static void print_line(const trace_class *c, tally *s)
{
    const bool leaks = c->group == TRACE_LEAK || c->group == TRACE_HALF_HOUR;
    printf("| %s ", c->name);
    for (int p = 0; p < N_PEERS; p++) {
        printf("| %.1f", 100.0 * s->called[p] / s->n);
        if (leaks)
            printf(", %.0f ", 100 * percentile(s->gone[p], s->called[p], 0.5));
        else
            printf(" ");
    }
    if (!leaks) {
        printf("| | | | | %.1f, |\n", (double)s->changes / s->n);
        return;
    }
    printf("| %.1f | %.1f, %.1f ", 100.0 * s->halves / s->n,
           100 * percentile(s->slope_error, s->n_slopes, 0.5),
           100 * percentile(s->slope_error, s->n_slopes, 0.9));
    printf("| %.1f, %.1f ", 100 * percentile(s->end_error, s->n_ends, 0.5),
           100 * percentile(s->end_error, s->n_ends, 0.9));
    printf("| %.0f (%.0f), %.0f | %.1f, %.0f |%s\n",
           100.0 * s->n_covered / (s->n_forecasts ? s->n_forecasts : 1),
           100.0 * s->below / (s->n_forecasts ? s->n_forecasts : 1),
           100.0 * s->n_first_covered / (s->n_firsts ? s->n_firsts : 1), (double)s->changes / s->n,
           100.0 * s->n_still / s->n, s->early ? " early!" : "");
}

int main(int argc, char **argv)
{
    const bool tune = argc > 1 && strcmp(argv[1], "tune") == 0;
    if (argc < 2 || (!tune && strcmp(argv[1], "score") != 0)) {
        fprintf(stderr, "usage: score tune|score [traces of a class] [part of a class's name]\n");
        return 2;
    }
    const int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 100;
    const trace_class *classes = tune ? trace_tune : trace_score;
    const size_t n_classes = tune ? trace_n_tune : trace_n_score;
    static _Alignas(64) unsigned char block[32768];
    watch_detector *d = (watch_detector *)block;
    if (sizeof block < watch_detector_bytes() || n < 1 || n > MOST)
        return 2;
    print_heads();
    for (size_t c = 0; c < n_classes; c++) {
        if (argc > 3 && !strstr(classes[c].name, argv[3]))
            continue;
        sums = (tally){0};
        for (int i = 0; i < n; i++) {
            uint64_t seed = (tune ? 0x7e57u : 0x5c04eu) + 1000003u * (uint64_t)i + 7919u * c;
            classes[c].make(&one, &seed);
            const bool leaks =
                classes[c].group == TRACE_LEAK || classes[c].group == TRACE_HALF_HOUR;
            count(&sums, &one, leaks, d, i, classes[c].name);
        }
        print_line(&classes[c], &sums);
        fflush(stdout);
    }
    return 0;
}
