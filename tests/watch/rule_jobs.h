/* rule_jobs.h: the jobs of test_rules.c as samples: what a job that does not leak shows at a time,
 * and what each that does (or seems to) shows more. */
#ifndef TESTS_WATCH_RULE_JOBS_H
#define TESTS_WATCH_RULE_JOBS_H

#include "support/test.h"

#include <math.h>
#include <string.h>

#include "watch/sample/world.h"
#include "watch/watch.h"

static const double MB = 1024.0 * 1024, GB = 1024.0 * 1024 * 1024, HOUR = 3600;
enum { INTERVAL_S = 60, HOURS = 30 };

/* A job that does not leak: 4 GB of 16, four workers, an epoch in 10 minutes. */
static inline void quiet(watch_sample *s, double t)
{
    static const struct {
        watch_series series;
        double value;
    } levels[] = {{WATCH_MAIN_ANON_BYTES, 4e9},
                  {WATCH_MAIN_FILE_BYTES, 3e8},
                  {WATCH_MAIN_FDS, 90},
                  {WATCH_MAIN_FDS_FILE, 30},
                  {WATCH_MAIN_FDS_SOCKET, 10},
                  {WATCH_MAIN_FDS_PIPE, 30},
                  {WATCH_MAIN_FDS_SHM, 4},
                  {WATCH_MAIN_FDS_DELETED, 0},
                  {WATCH_MAIN_FDS_EVENTS_FILE, 1},
                  {WATCH_MAIN_FDS_CAMERA, 0},
                  {WATCH_MAIN_FDS_EVENT, 3},
                  {WATCH_MAIN_FDS_SQLITE, 1},
                  {WATCH_MAIN_FDS_LOG, 1},
                  {WATCH_MAIN_CLOSE_WAIT, 0},
                  {WATCH_MAIN_DELETED_BYTES, 0},
                  {WATCH_MAIN_THREADS, 24},
                  {WATCH_CHILDREN_COUNT, 4},
                  {WATCH_CHILDREN_STALE, 0},
                  {WATCH_CHILDREN_ZOMBIES, 0},
                  {WATCH_CHILDREN_ORPHANS, 0},
                  {WATCH_CHILDREN_ANON_BYTES, 2e9},
                  {WATCH_CHILDREN_PRIVATE_BYTES, 1e9},
                  {WATCH_CHILDREN_SHARED_BYTES, 6e9},
                  {WATCH_CHILDREN_FDS, 80},
                  {WATCH_SHM_BYTES, 5e7},
                  {WATCH_SHM_FILES, 8},
                  {WATCH_GPU0_BYTES, 5e9},
                  {WATCH_GPU_ORPHANS, 0},
                  {WATCH_MAIN_LOCKED_BYTES, 1e8},
                  {WATCH_MAIN_DEVICE_BYTES, 0},
                  {WATCH_MAIN_ARENA_MAPS, 6},
                  {WATCH_CGROUP_FILE_BYTES, 2e9},
                  {WATCH_MACHINE_UNEXPLAINED_BYTES, 1e9},
                  {WATCH_MACHINE_SLAB_BYTES, 5e8},
                  {WATCH_LIMIT_MEMORY_BYTES, 16e9},
                  {WATCH_LIMIT_CGROUP_BYTES, 16e9},
                  {WATCH_LIMIT_MACHINE_BYTES, 64e9},
                  {WATCH_LIMIT_FDS, 1024},
                  {WATCH_LIMIT_THREADS, 4096},
                  {WATCH_LIMIT_SHM_BYTES, 8e9},
                  {WATCH_LIMIT_GPU0_BYTES, 24e9}};
    watch_sample_clear(s, t);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        s->value[levels[i].series] = levels[i].value;
    s->value[WATCH_MAIN_CPU_S] = 1.8 * t;
    s->value[WATCH_MAIN_READ_BYTES] = 5e6 * t;
}

/* A little noise, the same each time. */
static inline double noise(double t, double size)
{
    return size * fabs(sin(t * 0.37) * cos(t * 0.011));
}

static inline void epochs(watch_sample *s, double t)
{
    s->value[WATCH_WORK_EPOCH] = floor(t / 600);
}

static inline void frames(watch_sample *s, double t)
{
    s->value[WATCH_WORK_FRAMES] = floor(t * 25);
}

static inline void add(watch_sample *s, watch_series series, double value)
{
    s->value[series] += value;
}

static inline void cow(watch_sample *s, double t)
{
    epochs(s, t);
    add(s, WATCH_CHILDREN_PRIVATE_BYTES, 300 * MB * t / HOUR + noise(t, 5 * MB));
    add(s, WATCH_CHILDREN_SHARED_BYTES, -300 * MB * t / HOUR);
}

static inline void worker(watch_sample *s, double t)
{
    epochs(s, t);
    add(s, WATCH_CHILDREN_ANON_BYTES, 300 * MB * t / HOUR + noise(t, 5 * MB));
    add(s, WATCH_CHILDREN_PRIVATE_BYTES, 300 * MB * t / HOUR + noise(t, 5 * MB));
}

static inline void workers_left(watch_sample *s, double t)
{
    epochs(s, t);
    add(s, WATCH_CHILDREN_COUNT, floor(t / 600) * 2);
    add(s, WATCH_CHILDREN_ANON_BYTES, floor(t / 600) * 2 * 20 * MB);
    add(s, WATCH_CHILDREN_PRIVATE_BYTES, floor(t / 600) * 2 * 20 * MB);
}

static inline void pinned(watch_sample *s, double t)
{
    epochs(s, t);
    const double grown = floor(t / 1800) * 128 * MB;
    add(s, WATCH_MAIN_LOCKED_BYTES, grown);
    add(s, WATCH_MAIN_ANON_BYTES, grown + noise(t, 4 * MB));
}

static inline void gpu_kept(watch_sample *s, double t)
{
    s->value[WATCH_WORK_STEP] = floor(t);
    add(s, WATCH_GPU0_BYTES, floor(t) * 0.13 * MB);
}

static inline void gpu_streams(watch_sample *s, double t)
{
    s->value[WATCH_WORK_EPOCH] = floor(t / 3600);
    add(s, WATCH_GPU0_BYTES, floor(t / 3600) * 400 * MB);
}

static inline void kept_frames(watch_sample *s, double t)
{
    frames(s, t);
    add(s, WATCH_MAIN_ANON_BYTES, floor(t * 25) * 4096 + noise(t, 4 * MB));
}

static inline void kept_by_callback(watch_sample *s, double t)
{
    epochs(s, t);
    add(s, WATCH_MAIN_ANON_BYTES, floor(t / 600) * 40 * MB + noise(t, 4 * MB));
}

static inline void scanned_list(watch_sample *s, double t)
{
    frames(s, t);
    add(s, WATCH_MAIN_ANON_BYTES, floor(t * 25) * 3000 + noise(t, 4 * MB));
    s->value[WATCH_MAIN_CPU_S] = t * (0.5 + t / (40 * HOUR));
}

static inline void capture(watch_sample *s, double t)
{
    const double n = floor(t / 300);
    s->value[WATCH_WORK_RECONNECTS] = n;
    add(s, WATCH_MAIN_FDS, n);
    add(s, WATCH_MAIN_FDS_SOCKET, n);
    add(s, WATCH_MAIN_THREADS, n);
    add(s, WATCH_MAIN_ANON_BYTES, n * 25 * MB);
}

static inline void ipc_fds(watch_sample *s, double t)
{
    s->value[WATCH_WORK_STEP] = floor(t);
    add(s, WATCH_MAIN_FDS, floor(t / 150));
    add(s, WATCH_MAIN_FDS_PIPE, floor(t / 150));
}

static inline void shm(watch_sample *s, double t)
{
    s->value[WATCH_WORK_STEP] = floor(t);
    add(s, WATCH_SHM_BYTES, floor(t) * 60e3);
    add(s, WATCH_SHM_FILES, floor(t / 20));
}

static inline void log_writer(watch_sample *s, double t)
{
    const double n = floor(t / 400);
    s->value[WATCH_WORK_RUNS] = n;
    add(s, WATCH_MAIN_FDS, n);
    add(s, WATCH_MAIN_FDS_EVENTS_FILE, n);
    add(s, WATCH_MAIN_THREADS, n);
    add(s, WATCH_MAIN_ANON_BYTES, n * 30 * MB);
}

static inline void arenas(watch_sample *s, double t)
{
    s->value[WATCH_MAIN_THREADS] = 200; /* an arena is a thread's */
    add(s, WATCH_MAIN_ARENA_MAPS, floor(t / 700));
    add(s, WATCH_MAIN_ANON_BYTES, floor(t / 700) * 60 * MB + noise(t, 2 * MB));
}

/* All three children have read their lists: the parent's pages became its own. */
static inline void cow_of_parent(watch_sample *s, double t)
{
    cow(s, t);
    s->value[WATCH_MAIN_USS_BYTES] = 1e9 + 100 * MB * t / HOUR + noise(t, 5 * MB);
}

static inline void orphans_of_workers(watch_sample *s, double t)
{
    const double n = floor(t / 1200);
    epochs(s, t);
    add(s, WATCH_CHILDREN_COUNT, n);
    add(s, WATCH_CHILDREN_ORPHANS, n);
    add(s, WATCH_CHILDREN_ANON_BYTES, n * 80 * MB);
    add(s, WATCH_CHILDREN_PRIVATE_BYTES, n * 80 * MB);
}

static inline void kernel(watch_sample *s, double t)
{
    add(s, WATCH_MACHINE_UNEXPLAINED_BYTES, 1.2 * GB * t / HOUR + noise(t, 20 * MB));
}

static inline void orphans(watch_sample *s, double t)
{
    add(s, WATCH_GPU_ORPHANS, floor(t / 1200));
}

/* Ten hours of work, then a lock that nobody releases. */
static inline void hang(watch_sample *s, double t)
{
    const double worked_s = fmin(t, 10 * HOUR);
    epochs(s, worked_s);
    s->value[WATCH_MAIN_CPU_S] = 1.8 * worked_s;
    s->value[WATCH_MAIN_READ_BYTES] = 5e6 * worked_s;
}

/* The same, but it computes on: one very long validation. */
static inline void long_validation(watch_sample *s, double t)
{
    epochs(s, fmin(t, 10 * HOUR));
}

/* New maxima of what the GPU's allocator reserves, ever more seldom. */
static inline void gpu_cache(watch_sample *s, double t)
{
    s->value[WATCH_WORK_SHAPES] = floor(20 * log1p(t / HOUR));
    add(s, WATCH_GPU0_BYTES, s->value[WATCH_WORK_SHAPES] * 120 * MB);
}

/* Descriptors of one kind, one in 150 s. */
static inline double grow_fds(watch_sample *s, double t, watch_series kind)
{
    const double n = floor(t / 150);
    add(s, WATCH_MAIN_FDS, n);
    add(s, kind, n);
    return n;
}

static inline void files(watch_sample *s, double t)
{
    grow_fds(s, t, WATCH_MAIN_FDS_FILE);
    base_format(s->text[WATCH_TEXT_FILES], sizeof s->text[0], "412 times /etc/hostname");
}

static inline void sqlite(watch_sample *s, double t)
{
    add(s, WATCH_MAIN_FDS_SQLITE, grow_fds(s, t, WATCH_MAIN_FDS_FILE));
}

static inline void log_handlers(watch_sample *s, double t)
{
    add(s, WATCH_MAIN_FDS_LOG, grow_fds(s, t, WATCH_MAIN_FDS_FILE));
}

static inline void deleted(watch_sample *s, double t)
{
    add(s, WATCH_MAIN_DELETED_BYTES, grow_fds(s, t, WATCH_MAIN_FDS_DELETED) * 3 * MB);
}

/* One deleted log that is written on: no descriptor rises. */
static inline void deleted_log(watch_sample *s, double t)
{
    add(s, WATCH_MAIN_DELETED_BYTES, 100 * MB * t / HOUR);
}

static inline void threads(watch_sample *s, double t)
{
    add(s, WATCH_MAIN_THREADS, floor(t / 150));
    s->value[WATCH_WORK_INPUT_BYTES] = floor(t);
    base_format(s->text[WATCH_TEXT_THREADS], sizeof s->text[0], "pool-#-thread-# (700 of 724)");
}

static inline void event_loops(watch_sample *s, double t)
{
    const double n = floor(t / 450);
    add(s, WATCH_MAIN_FDS, 3 * n);
    add(s, WATCH_MAIN_FDS_EVENT, n);
    add(s, WATCH_MAIN_FDS_SOCKET, 2 * n);
}

static inline void connections(watch_sample *s, double t)
{
    grow_fds(s, t, WATCH_MAIN_FDS_SOCKET);
}

/* One reconnect in all that time is no unit of it. */
static inline void left_connections(watch_sample *s, double t)
{
    add(s, WATCH_MAIN_CLOSE_WAIT, grow_fds(s, t, WATCH_MAIN_FDS_SOCKET));
    s->value[WATCH_WORK_RECONNECTS] = t > 2 * HOUR;
}

/* Threads with a loop each that never end: they, and not the loops' descriptors, are the cause. */
static inline void threads_with_loops(watch_sample *s, double t)
{
    const double n = floor(t / 300);
    add(s, WATCH_MAIN_THREADS, n);
    add(s, WATCH_MAIN_FDS, 4 * n);
    add(s, WATCH_MAIN_FDS_EVENT, 2 * n);
    add(s, WATCH_MAIN_FDS_PIPE, 2 * n);
}

/* A pool for each request, never shut down: each thread has an arena of its own. */
static inline void pools_of_threads(watch_sample *s, double t)
{
    const double n = floor(t / 300);
    add(s, WATCH_MAIN_THREADS, n);
    add(s, WATCH_MAIN_ARENA_MAPS, n);
    add(s, WATCH_MAIN_ANON_BYTES, n * 30 * MB);
}

/* A pool of four threads whose answers are kept: each thread's arena fills, and then takes the
 * next map. The threads came at the start. */
static inline void kept_by_pool(watch_sample *s, double t)
{
    const double bytes = 80e3 * t;
    s->value[WATCH_MAIN_THREADS] = fmin(1 + t / 300, 5);
    s->value[WATCH_MAIN_ARENA_MAPS] = fmin(t / 300, 4) + floor(bytes / (64 * MB));
    add(s, WATCH_MAIN_ANON_BYTES, bytes);
}

/* The same in workers, of which main is the master: main's stay, and of the worker that has most of
 * them their kinds are known. */
static inline double grow_fds_of_child(watch_sample *s, double t, watch_series kind)
{
    const double n = floor(t / 150);
    add(s, WATCH_CHILDREN_FDS, 2 * n);
    s->value[WATCH_CHILD_FDS] = 40 + n;
    s->value[WATCH_CHILD_FDS_FILE] = 10;
    s->value[WATCH_CHILD_FDS_SOCKET] = s->value[WATCH_CHILD_FDS_PIPE] = 3;
    s->value[WATCH_CHILD_FDS_EVENT] = s->value[WATCH_CHILD_FDS_DELETED] = 1;
    s->value[WATCH_CHILD_FDS_SQLITE] = s->value[WATCH_CHILD_FDS_LOG] = 1;
    s->value[WATCH_CHILD_FDS_SHM] = 0;
    s->value[kind] += n;
    return n;
}

static inline void files_of_worker(watch_sample *s, double t)
{
    grow_fds_of_child(s, t, WATCH_CHILD_FDS_FILE);
}

static inline void sqlite_of_worker(watch_sample *s, double t)
{
    const double n = grow_fds_of_child(s, t, WATCH_CHILD_FDS_FILE);
    s->value[WATCH_CHILD_FDS_SQLITE] += n;
}

static inline void pipes_of_worker(watch_sample *s, double t)
{
    grow_fds_of_child(s, t, WATCH_CHILD_FDS_PIPE);
}

static inline void event_fds_of_worker(watch_sample *s, double t)
{
    grow_fds_of_child(s, t, WATCH_CHILD_FDS_EVENT);
}

static inline void connections_of_worker(watch_sample *s, double t)
{
    grow_fds_of_child(s, t, WATCH_CHILD_FDS_SOCKET);
}

static inline void zombies(watch_sample *s, double t)
{
    const double n = floor(t / 300);
    add(s, WATCH_CHILDREN_COUNT, n);
    add(s, WATCH_CHILDREN_ZOMBIES, n);
}

static inline void kept(watch_sample *s, double t)
{
    add(s, WATCH_MAIN_ANON_BYTES, 90 * MB * t / HOUR + noise(t, 4 * MB));
}

/* Weights are read in the first minutes; then it computes, and keeps its results. */
static inline void reads_at_start(watch_sample *s, double t)
{
    kept(s, t);
    s->value[WATCH_WORK_INPUT_BYTES] = 60e6 * (1 - exp(-t / (2 * HOUR))) + t;
}

/* As many frames of one cost, after an hour in which few were done. */
static inline void slow_start(watch_sample *s, double t)
{
    kept(s, t);
    s->value[WATCH_WORK_FRAMES] =
        floor(t < 12 * HOUR ? 25 * t : 25 * 12 * HOUR + 5 * (t - 12 * HOUR));
    s->value[WATCH_MAIN_CPU_S] = t;
}

#endif
