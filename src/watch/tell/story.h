/* story.h: a watched run so far, in bounded memory whatever its length: what pages, reports and the
 * live view are drawn from.
 *
 * The course of a series is at most WATCH_BINS bins on a grid that all series share; when the grid
 * is full, neighbours are merged two by two and its step doubles, so a story of a week is as large
 * as one of an hour. A plain struct without pointers: a copy is an assignment. Some 2 MiB: never on
 * a stack. Nothing is allocated. */
#ifndef WATCH_STORY_H
#define WATCH_STORY_H

#include "after.h"
#include "sink.h"

enum {
    WATCH_BINS = 320,
    WATCH_LIVES = 96,
    WATCH_LIFE_BINS = 64,
    WATCH_MOST_ENTRIES = 256,
    WATCH_TOLD_BYTES = 320
};

/* The phase of a story whose guard was killed. */
#define WATCH_GUARD_GONE "the guard is gone"

/* What was read of one series in one step. n 0: nothing. */
typedef struct watch_bin {
    double time_s; /* mean of when */
    double mean, low, high;
    uint32_t n;
} watch_bin;

/* One process of the tree: the living, and as many of the dead as there is room for. */
typedef struct watch_life {
    watch_process now; /* as it was last seen */
    double first_s, last_s, peak_rss_bytes;
    double cpu_0_1;             /* cores in use between the last two samples; NAN: not known */
    float rss[WATCH_LIFE_BINS]; /* highest in each bin; NAN: not there */
} watch_life;

/* An event, or, with series WATCH_NONE, a deed of the guard (note). */
typedef struct watch_entry {
    watch_event event;
    char note[WATCH_TOLD_BYTES];
} watch_entry;

typedef struct watch_story {
    char command[512], folder[1024], run_folder[1024], phase[48];
    bool is_live;                    /* still being watched, as far as is known */
    double began_unix_s, interval_s; /* of wall time; NAN, 0: not known */
    double first_s, now_s;           /* of the first and the last sample; NAN: none yet */
    double shift_s;                  /* added to times, for a clock that began anew */
    size_t n_samples;
    int n_restarts;
    char after[WATCH_AFTER_BYTES]; /* what was said of the newest life that died; "" */
    watch_sample now;
    /* series */
    double step_s;
    watch_bin bins[WATCH_N_SERIES][WATCH_BINS]; /* bin i: first_s + i * step_s and on */
    bool is_judged[WATCH_N_SERIES];
    watch_event verdicts[WATCH_N_SERIES]; /* where judged; "now" in them is now_s */
    /* processes, by pid */
    double life_step_s;
    size_t n_lives;
    watch_life lives[WATCH_LIVES];
    /* the newest WATCH_MOST_ENTRIES: entries[i % WATCH_MOST_ENTRIES], i < n_entries */
    size_t n_entries;
    watch_entry entries[WATCH_MOST_ENTRIES];
} watch_story;

void watch_story_init(watch_story *s);
/* Names, phase and restarts; also without a sample. */
void watch_story_describe(watch_story *s, const watch_moment *m);
/* describe, then sample, processes and verdicts. */
void watch_story_add(watch_story *s, const watch_moment *m);
void watch_story_event(watch_story *s, const watch_event *e);
void watch_story_note(watch_story *s, double time_s, const char *text);

/* ---- for whoever retells a story from a file ---- */

/* A moment, before what was read then. A time that is not past the last one is another clock's: it
 * and what follows is shifted. */
void watch_story_moment(watch_story *s, double time_s);
/* n readings at the newest moment: their mean, lowest and highest. */
void watch_story_reading(watch_story *s, watch_series series, double mean, double low, double high);
void watch_story_sample(watch_story *s, const watch_sample *sample);
void watch_story_verdicts(watch_story *s, const watch_judge *j);
/* Of a process at the newest moment: p as it was then. */
void watch_story_process(watch_story *s, const watch_process *p);
/* The living at the newest moment are in; the dead give way when there is no room. */

/* ---- asking ---- */

/* The oldest entry that is still here, and the i-th, i in [first, n_entries). */
size_t watch_story_first_entry(const watch_story *s);
const watch_entry *watch_story_entry(const watch_story *s, size_t i);
/* What is said of the job when it is over and did not end well: as the guard said it, or, where the
 * guard died as well, worked out here. "": nothing. */
const char *watch_story_after(const watch_story *s, char buf[WATCH_AFTER_BYTES]);
/* Bins in use. */
size_t watch_story_n_bins(const watch_story *s);
/* What is drawn of bin i: of a COUNTER the rate per second since the bin before. False: nothing. */
bool watch_story_at(const watch_story *s, watch_series series, size_t i, watch_bin *out);
/* Was it ever read, and does what is drawn of it change? */
typedef enum watch_course { WATCH_NEVER, WATCH_CONSTANT, WATCH_MOVES } watch_course;
watch_course watch_story_course(const watch_story *s, watch_series series);
/* The worst of all verdicts; *of may be NULL, and is WATCH_NONE when there is none. */
watch_state watch_story_worst(const watch_story *s, watch_series *of);
bool watch_life_is_alive(const watch_story *s, const watch_life *l);

#endif
