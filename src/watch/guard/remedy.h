/* remedy.h: what a restart may try against a leak, one thing at a time, and whether it helped.
 *
 * The rate of growth in the run before is compared with the rate under the remedy: one that does
 * not halve it is dropped and the next one tried; one that does is kept for all restarts to come.
 * For this folder. */
#ifndef WATCH_REMEDY_H
#define WATCH_REMEDY_H

#include "watch/sample/series.h"

enum { WATCH_REMEDY_MOST = 3, WATCH_REMEDY_ENV_BYTES = 4096 };

typedef enum watch_remedy {
    WATCH_REMEDY_ARENAS,   /* MALLOC_ARENA_MAX=2 */
    WATCH_REMEDY_JEMALLOC, /* LD_PRELOAD */
    WATCH_REMEDY_WORKERS,  /* half the loader's workers, through the job's own arguments */
    WATCH_REMEDY_NONE
} watch_remedy;

/* A plain value; zeroed and given its list by watch_remedies_read. */
typedef struct watch_remedies {
    watch_remedy allowed[WATCH_REMEDY_MOST]; /* in the order to try them */
    int n;
    int at;                 /* the one in use or to be tried next; n: none is left */
    bool is_applied, works; /* works: it is kept */
    watch_series series;    /* whose growth is compared */
    double before_per_s;    /* of the last run that leaked */
    double quiet_s;         /* so long did that one take to be called a leak */
    double began_s;         /* of this run, on the caller's clock */
} watch_remedies;

/* "arenas,jemalloc,workers". Errors: VG_ERR_ARGUMENT. */
vg_status watch_remedies_read(watch_remedies *out, const char *text, vg_error *err);

/* The series leaks at this rate, seen now_s. True: it can be compared, and `said` tells how. Only
 * the first time in a run. */
bool watch_remedies_leak(watch_remedies *r, watch_series s, double slope_per_s, double now_s,
                         char *said, size_t n_said);
/* Every sample: a run that has gone twice as long without a leak has been helped. */
bool watch_remedies_quiet(watch_remedies *r, double now_s, char *said, size_t n_said);
/* A restart: which remedy is it given? NONE when nothing leaks or none is left. */
watch_remedy watch_remedies_next(watch_remedies *r, double now_s);

/* Adds it: env (of WATCH_REMEDY_ENV_BYTES) gets "NAME=value" or stays ""; argv's words are replaced
 * in place by text in words. False: it cannot be done here, `said` tells why. */
bool watch_remedy_apply(watch_remedy which, char **argv, char *env, char *word, size_t n_word,
                        char *said, size_t n_said);

#endif
