/* stacks.h: who allocates: call stacks of the job's live memory, sampled by a library that is
 * preloaded into it (stacks/), and how they grow.
 *
 * The guard writes the library into its folder; the job's processes each share a table there; a
 * look adds them up. Of every stack the bytes at up to 32 moments are kept; when these are full
 * every other one is dropped, so that a run of any length fits. A stack grows by its Theil-Sen
 * slope over the moments after the first third (its warm-up), when that is three times what
 * sampling alone would show. Memory: about 14 MB, all at create. For this folder. */
#ifndef WATCH_STACKS_H
#define WATCH_STACKS_H

#include "watch/options/options.h"
#include "watch/stacks/preload/layout.h"

enum { WATCH_STACK_MOMENTS = 32, WATCH_MOST_STACKS = 8192, WATCH_MOST_MODULES = 1024 };

/* One stack, of all processes together. Frames as in layout.h, but modules and names by the
 * guard's own numbers. Bytes and counts are estimates: samples scaled by their chance. */
typedef struct watch_stack {
    uint64_t hash;
    uint32_t n_frames; /* innermost first; 0: a free place */
    uint32_t n_samples;
    uint64_t frame[STACKS_MOST_FRAMES];
    double bytes, count; /* live */
    float past[WATCH_STACK_MOMENTS];
    double slope_per_s, growth_bytes; /* by watch_stacks_judge; NAN: too few moments */
    bool grows;
} watch_stack;

typedef struct watch_stacks watch_stacks;

/* Writes the library and makes the folder of tables. Errors: VG_ERR_IO, VG_ERR_LIMIT (a path with a
 * blank or colon cannot be preloaded), VG_ERR_MEMORY. */
vg_status watch_stacks_create(watch_stacks **out, const char *folder, base_mem *mem, vg_error *err);
void watch_stacks_destroy(watch_stacks **s);

/* Reads the tables of processes that live, and removes those of the dead. When none lives, what was
 * seen last stays; of a job that ended before it was looked at, its tables as they were left.
 * now_s: of the run, rising. */
void watch_stacks_look(watch_stacks *s, double now_s);
double watch_stacks_next_s(const watch_stacks *s, double interval_s); /* when to look again */
/* A new process took the job's place: what was learnt of growth is forgotten. */
void watch_stacks_restart(watch_stacks *s);

/* Works out the growth of all, and gives the n of them in order: those that grow, by growth; then
 * the others, by bytes. Borrowed until the next call. */
const watch_stack *const *watch_stacks_judge(watch_stacks *s, size_t *n);

/* A version of CPython that the job runs, and what is seen of it: the least of its processes. */
typedef struct watch_python {
    uint32_t version; /* 0x030b: 3.11 */
    stacks_python seen;
} watch_python;
enum { WATCH_MOST_PYTHONS = 8 };

typedef struct watch_stacks_facts {
    int n_processes; /* tables read at the last look */
    uint64_t rate_bytes, n_samples, n_lost;
    uint64_t n_unread; /* samples whose Python frames the kernel would not show */
    watch_python pythons[WATCH_MOST_PYTHONS];
    size_t n_pythons;
    double first_s, last_s; /* moments that growth was judged by */
    size_t n_moments;
    double bytes, count, growth_bytes;
} watch_stacks_facts;
void watch_stacks_facts_get(watch_stacks_facts *out, const watch_stacks *s);
/* "Python 3.14 is not one of 3.9 to 3.13: ...": a sentence without its full stop. *is_bad: there is
 * something of it that is not seen. */
void watch_python_words(char *buf, size_t n_buf, const watch_python *p, bool *is_bad);
/* "" for a frame in no module. */
const char *watch_stacks_module(const watch_stacks *s, uint64_t frame);
/* Of a Python frame. */
void watch_stacks_python(const watch_stacks *s, uint64_t frame, const char **function,
                         const char **file);

/* Adds to the environment of a job that is to be sampled; nothing when options->stacks is false.
 * env: n_env places for "NAME=value", ending with NULL. `room` holds the new texts, as long as env
 * is used. What env or the guard's own environment preloads stays. */
typedef struct watch_stacks_env {
    char preload[8192], folder[4200], rate[64];
} watch_stacks_env;
vg_status watch_stacks_env_add(watch_stacks_env *room, const char **env, size_t n_env,
                               const watch_options *options, const char *folder, vg_error *err);

#endif
