/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h: a guard for any long-running job: measures it from outside, tells a leak from a warm-up,
 * names its cause, and restarts it from its checkpoint when told to.
 *
 *     vg_watch *w = NULL;
 *     vg_error err;
 *     char *command[] = {"python3", "train.py", NULL};
 *     int status;
 *     if (vg_watch_create(&w, &err) == VG_OK &&
 *         vg_watch_set(w, "on_critical", "checkpoint,restart", &err) == VG_OK &&
 *         vg_watch_command(w, command, &err) == VG_OK)
 *         vg_watch_run(w, NULL, &status, &err);
 *     vg_watch_destroy(&w);
 *
 * One thread owns a handle. A process runs one guard at a time: it waits for its children. */
#ifndef VIGIL_WATCH_H
#define VIGIL_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vigil/option.h"
#include "vigil/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The table of options (*n), as vg_watch_set takes them. */
VG_API const vg_option *vg_watch_options(size_t *n);

typedef struct vg_watch vg_watch;
/* On success *out is the caller's until vg_watch_destroy; on failure NULL. Errors: VG_ERR_MEMORY.
 */
VG_API vg_status vg_watch_create(vg_watch **out, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_watch_destroy(vg_watch **w);
/* Before run. "config" reads the file at once: what is set afterwards wins. Errors: VG_ERR_ARGUMENT
 * (with the nearest name, the range or the choices), VG_ERR_IO and VG_ERR_FORMAT (of the file). */
VG_API vg_status vg_watch_set(vg_watch *w, const char *name, const char *value, vg_error *err);
/* The job as a command, ending with NULL; borrowed until destroy. Errors: VG_ERR_ARGUMENT (an empty
 * one). */
VG_API vg_status vg_watch_command(vg_watch *w, char *const *argv, vg_error *err);

/* A series whose verdict has changed. Levels and slopes are in the series' own unit (bytes, files,
 * threads, ...); low and high bound the estimate with 90 %. Unknown numbers are NAN; an
 * end that will not come is INFINITY; texts are "" where there are none. Borrowed during the call.
 */
typedef struct vg_watch_event {
    double time_s;           /* since the first sample */
    const char *series;      /* "main.anon_bytes" */
    const char *was, *state; /* "steady", "suspect", "growing", "leaking", ... */
    const char *shape;       /* what the growth looks like: "rising", "step", "warm-up", ... */
    double level, limit;     /* now; where it cannot grow any more */
    double since_s;          /* when the growth began, from the first sample */
    double slope_per_s, slope_low_per_s, slope_high_per_s;
    double per_unit;                                          /* growth for each unit of work */
    const char *unit;                                         /* the work: "work.epoch"; "": none */
    double exhaustion_s, exhaustion_low_s, exhaustion_high_s; /* until the limit, from time_s */
    const char *rule;                                         /* that named the cause: "R8" */
    double confidence_0_1;                                    /* of the rule */
    const char *cause, *evidence, *remedy;                    /* sentences */
    const char *with;  /* the series that reported this leak before: not reported again; "": none */
    const char *json;  /* the same as one JSON object */
    const char *words; /* the same for people, one to four lines */
} vg_watch_event;

/* Functions may be NULL. wants_stop is asked at least every half second. */
typedef struct vg_watch_listener {
    void *ctx;
    void (*event)(void *ctx, const vg_watch_event *e);
    void (*note)(void *ctx, const char *what); /* what the guard did, in a line */
    /* The live view, to be written to the terminal as it is; asked for after each sample when
     * screen_size says what there is to draw on. Without a terminal (false) nothing is drawn, or,
     * with the option view=on, plain lines of 80 columns. */
    void (*screen)(void *ctx, const char *text);
    bool (*screen_size)(void *ctx, vg_watch_screen *out);
    bool (*wants_stop)(void *ctx);
    /* How often the stop was asked for again. 1: a job that was started here is no longer waited
     * for, but made to end with all that it started; 2: not even that is waited for, and what is
     * left running is reported. */
    int (*impatience)(void *ctx);
} vg_watch_listener;

/* Makes the guard's folder and guards until the job has ended for good. *exit_status: the job's
 * own, as a shell gives it; 0 for a job that was not started here. Errors: VG_ERR_INTERRUPTED (the
 * listener's wish; a job that was started here has been ended), VG_ERR_ARGUMENT, VG_ERR_SYSTEM. */
VG_API vg_status vg_watch_run(vg_watch *w, const vg_watch_listener *listener, int *exit_status,
                              vg_error *err);
/* The guard's folder, once run has begun; "" before. */
VG_API const char *vg_watch_folder(const vg_watch *w);

/* Judges the trace that the option "replay" names. *verdicts: one JSON object with the verdict of
 * every series; borrowed until the next call. Errors: VG_ERR_IO, VG_ERR_FORMAT (no trace),
 * VG_ERR_MEMORY. */
VG_API vg_status vg_watch_replay(vg_watch *w, const vg_watch_listener *listener,
                                 const char **verdicts, vg_error *err);

typedef enum vg_watch_report_form {
    VG_WATCH_REPORT_HTML, /* one file with everything in it */
    VG_WATCH_REPORT_JSON,
    VG_WATCH_REPORT_TEXT
} vg_watch_report_form;
/* Writes what a guard saw. path: the guard's folder (also while it watches), a history.db, or a
 * trace; target: a file that is replaced, "-": standard output. Errors: VG_ERR_IO, VG_ERR_FORMAT
 * (also: nothing has been sampled yet), VG_ERR_ARGUMENT (no such form), VG_ERR_MEMORY. */
VG_API vg_status vg_watch_report(const char *path, vg_watch_report_form form, const char *target,
                                 vg_error *err);

/* Bytes that the guard holds on its accounts, and (NULL is fine) allocations it ever made. */
VG_API size_t vg_watch_memory(const vg_watch *w, uint64_t *n_allocations);

#ifdef __cplusplus
}
#endif
#endif
