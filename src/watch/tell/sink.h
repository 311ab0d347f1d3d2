/* sink.h: where what the guard sees and says goes: a trace, the log, history, a page, notices.
 *
 * A sink is one file with one descriptor, and a row in sinks.c. The guard takes state_bytes for it
 * and calls it from its own loop; a sink that must wait for others (a server, a broker) has a
 * thread and a bounded queue of its own and never makes the loop wait. An error of a sink is
 * reported and counted; the guard goes on. */
#ifndef WATCH_SINK_H
#define WATCH_SINK_H

#include "watch/judge/judge.h"
#include "watch/options/options.h"
#include "watch/sample/sampler.h"

/* What the guard knows at one moment. Everything is borrowed until the call returns. */
typedef struct watch_moment {
    const watch_options *options;
    const char *folder;  /* the guard's own: runs/watch/exp */
    const char *command; /* the job in words: its command line, or "pid 4711" */
    const watch_sample *sample;
    const watch_judge *judge;
    const watch_process *processes; /* (n_processes) */
    size_t n_processes;
    int64_t wall_ns;        /* when the sample was taken, CLOCK_REALTIME */
    int n_restarts;         /* of the job, so far */
    const char *phase;      /* "running", "stopping", "waiting to restart", "ended" */
    const char *run_folder; /* of the job; "": not found */
} watch_moment;

typedef struct watch_sink {
    const char *name;
    size_t state_bytes;
    /* *wanted false: the options do not ask for it; nothing was taken. m->sample is NULL here. */
    vg_status (*open)(void *state, bool *wanted, const watch_moment *m, base_mem *mem,
                      vg_error *err);
    /* Any of these may be NULL. explain comes before an event is reported: it may add to the
     * evidence. */
    vg_status (*explain)(void *state, watch_event *e, const watch_moment *m, vg_error *err);
    vg_status (*sample)(void *state, const watch_moment *m, vg_error *err);
    vg_status (*event)(void *state, const watch_event *e, const watch_moment *m, vg_error *err);
    /* The guard's own deeds and findings: "job started", "asked for a checkpoint", ... */
    vg_status (*note)(void *state, const char *what, const watch_moment *m, vg_error *err);
    /* Also after a failed open. */
    void (*close)(void *state);
} watch_sink;

extern const watch_sink *const watch_sinks[]; /* ends with NULL */

#endif
