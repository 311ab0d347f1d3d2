/* job.h: the job itself: started here, or a process that the guard was pointed to.
 *
 * Started: in a process group of its own, so that Ctrl-C reaches it once, through the guard; with
 * the signals, limits and descriptors that it would have had without a guard; its orphans come to
 * the guard, which is their subreaper, and are waited for. Pointed to: never waited for and never
 * signalled but by a stop or a checkpoint that the options ask for. Every signal goes through a
 * pidfd: a number that is used again is never hit. For this folder. */
#ifndef WATCH_JOB_H
#define WATCH_JOB_H

#include <sys/resource.h>
#include <sys/types.h>

#include "base/base.h"

enum { WATCH_MOST_ENV = 8 };

typedef struct watch_job_options {
    char *const *argv;               /* ends with NULL */
    const char *env[WATCH_MOST_ENV]; /* "NAME=value" added to the guard's own; ends with NULL */
    const char *cgroup_procs;        /* joined before the program begins; NULL or "": none */
} watch_job_options;

typedef struct watch_job {
    pid_t pid;
    int pidfd; /* -1: there is no job */
    bool is_ours, has_ended;
    uint64_t start_ticks;
    int status;          /* ended: as a shell tells it; -1 for one that was pointed to */
    int signal;          /* that ended it; 0: none */
    int64_t started_ns;  /* CLOCK_MONOTONIC */
    struct rlimit files; /* the job's own limit: the guard raises its own */
} watch_job;
#define WATCH_JOB_NONE ((watch_job){.pidfd = -1})

/* Once, before anything raises limits: notes them, and becomes the subreaper. */
void watch_job_prepare(watch_job *j);
/* Errors: VG_ERR_SYSTEM (no such program, not allowed), VG_ERR_MEMORY. */
vg_status watch_job_start(watch_job *j, const watch_job_options *o, base_mem *mem, vg_error *err);
/* start_ticks 0: whoever has the number now. Errors: VG_ERR_ARGUMENT: no such process. */
vg_status watch_job_attach(watch_job *j, pid_t pid, uint64_t start_ticks, vg_error *err);
/* Waits for children that have ended, orphans too; then has_ended is the job's. */
void watch_job_reap(watch_job *j);
/* To the main process alone. False: it is gone. */
bool watch_job_signal(const watch_job *j, int signal);
void watch_job_fini(watch_job *j);

/* To one process of the tree, if it is still the one that began at start_ticks. */
bool watch_signal_process(pid_t pid, uint64_t start_ticks, int signal);

#endif
