/* after.h: a job's life in a few figures, and what is said of it when it has died: how it ended,
 * what grew, how fast, in which process, towards which limit, when that could first have been
 * known, and what to do. Fed sample by sample by the guard and by a replay, or from a story by a
 * report made later; the words are made in one place. Some 20 KiB; nothing is allocated. */
#ifndef WATCH_AFTER_H
#define WATCH_AFTER_H

#include "watch/judge/judge.h"
#include "watch/sample/sampler.h"

enum { WATCH_AFTER_LIVES = 64, WATCH_AFTER_BYTES = 1024 };

/* NAN: not seen. */
typedef struct watch_course_seen {
    double from, from_s, to, to_s;
    double half_s;      /* when it was first above half of its limit */
    double suspected_s; /* when it was first called anything that rises, and was so since */
} watch_course_seen;

typedef struct watch_life_seen {
    pid_t pid;
    uint64_t start_ticks;
    bool is_main;
    char name[WATCH_NAME_BYTES];
    double from_bytes, to_bytes; /* resident */
} watch_life_seen;

typedef struct watch_after {
    double first_s, last_s;
    size_t n_samples;
    watch_course_seen course[WATCH_N_SERIES];
    size_t n_lives;
    watch_life_seen lives[WATCH_AFTER_LIVES];
} watch_after;

void watch_after_init(watch_after *a);
void watch_after_sample(watch_after *a, const watch_sample *s);
/* resident: at first, and now (equal where only the present is known). */
void watch_after_process(watch_after *a, const watch_process *p, double from_bytes,
                         double to_bytes);
void watch_after_event(watch_after *a, const watch_event *e);

/* How it ended. */
typedef struct watch_end {
    const char *how;    /* "it ended by signal 9 (Killed)" */
    const char *kernel; /* by what it is known that the kernel ended it for want of memory; "" */
    bool was_killed;    /* SIGKILL, by whomever */
    double now_s;       /* when, on the samples' clock */
} watch_end;

/* Of every series: what is thought of it. False: nothing. watch_judge_get is one. */
typedef bool (*watch_verdict_of)(const void *ctx, watch_series s, watch_event *out);
bool watch_after_judge(const void *judge, watch_series s, watch_event *out);

/* Is there anything that a death would be explained by: a rise, a limit that was near, a kill? */
bool watch_after_is_suspicious(const watch_after *a, watch_verdict_of of, const void *ctx);
/* The paragraph, which begins with WATCH_AFTER_MARK, in one line. Returns buf. */
#define WATCH_AFTER_MARK "after the end: "
const char *watch_after_text(char buf[WATCH_AFTER_BYTES], const watch_after *a,
                             const watch_end *end, watch_verdict_of of, const void *ctx);

#endif
