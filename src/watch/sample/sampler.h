/* sampler.h: reads a job from outside: its processes, cgroup, GPUs, shared memory and progress.
 *
 * Everything comes from /proc, /sys and files of the run folder; the job is not touched. After the
 * first samples nothing is allocated as long as the tree does not outgrow what it was; tables are
 * bounded (WATCH_MOST_PROCESSES; what is beyond is counted, not followed). What vanishes while it
 * is read is left out of that sample; what may not be read (another user's process) is NAN. */
#ifndef WATCH_SAMPLER_H
#define WATCH_SAMPLER_H

#include <sys/types.h>

#include "series.h"

enum { WATCH_MOST_PROCESSES = 16384, WATCH_NAME_BYTES = 32 };

typedef struct watch_target {
    pid_t pid;              /* the main process; 0: none (a cgroup alone) */
    const char *cgroup;     /* path below the cgroup mount, or absolute; NULL: main's own */
    const char *unit;       /* of systemd, whose cgroup it is then; NULL */
    const char *run_folder; /* where progress is written; NULL: found by main's open files */
    char *const *command;   /* that was started, ending with NULL; NULL: not known */
    const char *socket;     /* "@name" where jobs report of themselves; NULL: "@vigil-watch-PID" */
    pid_t reaper; /* whose other children are the job's orphans: the guard itself; 0: none */
    double memory_max_bytes; /* a limit of the user's; 0: none */
    bool is_again;           /* a job started again: what it lacks was said */
    const char *proc, *sys;  /* roots, for tests; NULL: /proc and /sys */
    const char *nvml;        /* for tests; NULL: the driver's library */
} watch_target;

typedef enum watch_role {
    WATCH_MAIN,
    WATCH_WORKER,
    WATCH_HELPER,
    WATCH_ZOMBIE,
    WATCH_ORPHAN
} watch_role;

/* One process of the tree, as of the last sample. */
typedef struct watch_process {
    pid_t pid, parent;
    uint64_t start_ticks; /* with pid: who it is */
    watch_role role;
    char state; /* R, S, D, T, Z */
    char name[WATCH_NAME_BYTES];
    double age_s, cpu_s, rss_bytes, pss_bytes, anon_bytes;
    int threads, fds;
} watch_process;

typedef struct watch_sampler watch_sampler;
struct watch_tree;

vg_status watch_sampler_create(watch_sampler **out, const watch_target *target, base_mem *mem,
                               vg_error *err);
void watch_sampler_destroy(watch_sampler **s);
/* Also when the main process is gone: then of its descendants. mem: for a tree that outgrew its
 * tables. Errors: VG_ERR_MEMORY. */
vg_status watch_sampler_take(watch_sampler *s, watch_sample *out, base_mem *mem, vg_error *err);
/* Where the job writes its run: given, or found; "": not known (yet). */
const char *watch_sampler_run_folder(const watch_sampler *s);
/* What people should hear once, after create and after a take. False: nothing (more). */
bool watch_sampler_note(watch_sampler *s, char *text, size_t n);
/* The job's processes as of the last take, for witness.h. */
const struct watch_tree *watch_sampler_tree(const watch_sampler *s);
/* Borrowed until the next take; by pid. */
size_t watch_sampler_processes(const watch_sampler *s, const watch_process **out);

#endif
