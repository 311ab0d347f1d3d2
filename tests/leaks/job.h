/* job.h: what the C programs of this folder share: job.py's options and pace, less results.csv. */
#ifndef LEAKS_JOB_H
#define LEAKS_JOB_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct job {
    double duration_s, speedup, rate, noise;
    unsigned seed;
    double began_s;
    long step;
} job;

static inline double job_clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline job job_begin(int argc, char **argv)
{
    job j = {.duration_s = 4 * 3600, .speedup = 100, .rate = 1, .noise = 0.3, .seed = 1};
    for (int i = 1; i + 1 < argc; i += 2) {
        const double value = strtod(argv[i + 1], NULL);
        if (strcmp(argv[i], "--duration") == 0)
            j.duration_s = value;
        else if (strcmp(argv[i], "--speedup") == 0)
            j.speedup = value;
        else if (strcmp(argv[i], "--rate") == 0)
            j.rate = value;
        else if (strcmp(argv[i], "--noise") == 0)
            j.noise = value;
        else if (strcmp(argv[i], "--seed") == 0)
            j.seed = (unsigned)value;
    }
    j.began_s = job_clock_s();
    return j;
}

/* Natural seconds since it began. */
static inline double job_now_s(const job *j)
{
    return (job_clock_s() - j->began_s) * j->speedup;
}

static inline void job_sleep(double real_s)
{
    const struct timespec t = {.tv_sec = (time_t)real_s,
                               .tv_nsec = (long)((real_s - (double)(time_t)real_s) * 1e9)};
    nanosleep(&t, NULL);
}

/* Waits for the next step; 0 when the job is over. */
static inline int job_tick(job *j, double every_s)
{
    const double at_s = (double)++j->step * every_s;
    while (job_now_s(j) < at_s && job_now_s(j) < j->duration_s)
        job_sleep((at_s - job_now_s(j)) / j->speedup);
    return job_now_s(j) < j->duration_s;
}

/* 0 to 1, the same each time. */
static inline double job_random(job *j)
{
    j->seed = j->seed * 1664525u + 1013904223u;
    return (double)(j->seed >> 8) / (double)(1u << 24);
}

/* Memory that is resident. */
static inline char *job_touched(size_t n_bytes)
{
    char *p = malloc(n_bytes);
    if (p == NULL)
        exit(1);
    memset(p, 1, n_bytes);
    return p;
}

#endif
