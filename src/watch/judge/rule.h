/* rule.h: what a leak rule is. A rule is one file with one descriptor, and a row in rules.c.
 *
 * When a series is suspect, leaking or critical, every rule is asked how well it explains it, with
 * what else grew, fell or stayed since the rise began. The most confident answer names the cause. A
 * rule may say that it is no leak at all: then the series' state becomes STEADY. */
#ifndef WATCH_RULE_H
#define WATCH_RULE_H

#include "judge.h"

typedef struct watch_finding {
    double confidence_0_1;
    bool is_no_leak;
    char cause[WATCH_REMEDY_BYTES];
    char evidence[WATCH_EVIDENCE_BYTES];
    char remedy[WATCH_REMEDY_BYTES];
} watch_finding;

typedef struct watch_rule {
    const char *name;   /* "R8" */
    const char *title;  /* "frames or results kept" */
    size_t state_bytes; /* taken by the judge, zeroed; at most 4 KiB */
    /* Can these bytes, which were read, be its state? NULL without a state. */
    bool (*valid)(const void *state);
    /* Every sample; may be NULL. */
    void (*observe)(void *state, const watch_sample *s);
    /* Of one rising series; fills *out (zeroed before) and says whether it explains it. */
    bool (*explain)(const void *state, const watch_judge *j, watch_series s, const watch_verdict *v,
                    watch_finding *out);
} watch_rule;

extern const watch_rule *const watch_rules[];
extern const size_t watch_n_rules;

#endif
