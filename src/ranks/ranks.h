/* ranks.h: processes that train together. mpirun or srun starts N copies of the same command line;
 * each has a number, its rank, from 0, and they add up numbers by MPI.
 *
 * A process that was started alone has no `ranks` (NULL), opens no library and pays nothing; every
 * function here takes NULL for it, and then there is one rank and nothing to exchange. The library
 * is Open MPI's, opened when it is needed: vigil neither builds nor links with it.
 *
 * Threads: one thread makes all calls, that which trains. So MPI needs no locks
 * (MPI_THREAD_FUNNELED), every rank calls the same things in the same order by the order of its
 * code, and no thread of our own takes a processor from the kernels to push messages on: sums that
 * are under way are pushed when ranks_push or any other function here is called, which backward
 * does after every step.
 *
 * Waiting: who waits for others looks at the clock, too. When it has lasted too long (ranks_bear)
 * the roll is called, and who does not answer ends the run by name: roll.c.
 *
 * Failures: the first one stays, and all later calls return it at once, so that who cannot return a
 * status in the middle of a pass may look at its end (ranks_check). */
#ifndef RANKS_RANKS_H
#define RANKS_RANKS_H

#include "base/base.h"

typedef struct ranks ranks;

enum { RANKS_HOST_BYTES = 64, RANKS_MOST = 4096 };

/* Who started this process, by its environment. */
typedef enum ranks_launch {
    RANKS_ALONE,   /* nobody, or one process was asked for */
    RANKS_OPEN,    /* Open MPI's mpirun, or srun --mpi=pmix */
    RANKS_FOREIGN, /* another MPI's launcher: MPICH's, Intel's, srun --mpi=pmi2 */
    RANKS_APART    /* several, by srun without an MPI: none of them knows the others */
} ranks_launch;
ranks_launch ranks_launch_of(char *(*env)(const char *name));
/* How many processes the launcher says that it started; 1: one, or it does not say. */
int ranks_launch_n(char *(*env)(const char *name));

/* *out NULL: this process is alone. version: of this program, at most 63 bytes. Errors:
 * VG_ERR_UNSUPPORTED (another MPI started it, Open MPI's library does not load, or it knows of one
 * process where several were started), VG_ERR_SYSTEM, VG_ERR_ARGUMENT (ranks of other versions; a
 * second time in a process: MPI cannot). Waits until all have come here. mem: borrowed until close.
 */
vg_status ranks_open(ranks **out, const char *version, base_mem *mem, vg_error *err);
/* How long a call may wait for others, from now on; 0: for ever. All ranks alike. Before: half an
 * hour. */
void ranks_bear(ranks *r, double seconds);
/* Leaves the others. Where they have not come to the end together (ranks_end, or a failure that
 * ranks_settle made everybody's) this ends all of them: they would wait for ever. */
void ranks_close(ranks **r);
/* All ranks are through; waits for them. */
vg_status ranks_end(ranks *r, vg_error *err);

int ranks_n(const ranks *r);                      /* NULL: 1 */
int ranks_me(const ranks *r);                     /* NULL: 0 */
const char *ranks_host(const ranks *r, int rank); /* the machine's name; NULL: "" */
/* Ranks that share this one's processors, this one too. */
int ranks_neighbours(const ranks *r);
/* The first rank that its launcher keeps to one processor, or the two threads of one core, while
 * its machine has more for each of its ranks than that: *n of *n_online. -1: none. */
int ranks_first_bound(const ranks *r, int *n, int *n_online);
/* One of n_here ranks of a machine. */
bool ranks_is_bound(int n, int n_online, int n_here);
/* "rank 2 on node7" into a buffer. */
const char *ranks_name(char *out, size_t n, const ranks *r, int rank);

/* The first failure of any call; VG_OK: none. */
vg_status ranks_check(const ranks *r, vg_error *err);

/* ---- together: every rank calls, and all return ---- */

/* Sums over ranks, in place, the same bits everywhere. */
vg_status ranks_sum(ranks *r, double *values, size_t n, vg_error *err);
vg_status ranks_sum_counts(ranks *r, uint64_t *values, size_t n, vg_error *err);
/* From rank 0, whose bytes everybody has then. */
vg_status ranks_spread(ranks *r, void *data, size_t bytes, vg_error *err);
/* out: (n, bytes), everybody's by rank. NULL: a copy. */
vg_status ranks_share(ranks *r, void *out, const void *mine, size_t bytes, vg_error *err);
/* To rank 0: everybody's, one behind the other by rank, into `out` of `room` bytes (others give
 * NULL, and the same room). sizes: (n) bytes of each, known to all. Errors: VG_ERR_LIMIT (no room),
 * which all return. */
vg_status ranks_collect(ranks *r, void *out, size_t room, const void *mine, const size_t *sizes,
                        vg_error *err);
/* Everybody brings how it went; the lowest rank's failure is what all return, with that rank's name
 * in front of its place. mine is read where my_status is a failure. */
vg_status ranks_settle(ranks *r, vg_status my_status, vg_error *err);
/* Whether a failure was made everybody's: rank 0 says it then, and the others need not. */
bool ranks_are_settled(const ranks *r);

/* ---- sums that go on beside other work ---- */

enum { RANKS_MOST_SUMS = 1024 };

/* Begins to add up floats in place; they are not touched until ranks_wait. At most RANKS_MOST_SUMS
 * at a time. All ranks begin the same sums in the same order. */
void ranks_sum_begin(ranks *r, float *values, size_t n);
void ranks_sum_begin_doubles(ranks *r, double *values, size_t n);
/* Pushes what is under way. */
void ranks_push(ranks *r);
/* Until all that was begun is done. */
vg_status ranks_wait(ranks *r, vg_error *err);

/* ---- how it goes ---- */

typedef struct ranks_figures {
    uint64_t wait_ns;   /* in calls that wait for others, since open */
    uint64_t push_ns;   /* in beginning sums and pushing them on, beside other work */
    uint64_t sum_bytes; /* of gradients and statistics given to sums */
    uint64_t n_calls;
} ranks_figures;
ranks_figures ranks_figures_get(const ranks *r);

#endif
