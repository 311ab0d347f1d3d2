/* pool.h: a fixed team of threads that share loops.
 *
 * base_pool_run splits units [0, n) among the team, the caller being one of it, and returns when
 * all are done. Workers take chunks from a counter, so a slow core takes fewer; who takes which
 * says nothing about results. Between loops workers spin for some microseconds, then sleep. One
 * pool serves one caller at a time; several pools may live side by side. Nothing is allocated after
 * create. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "mem.h"

typedef struct base_pool base_pool;

/* Runs units [begin, end); worker is 0..n_threads-1, for per-thread scratch. */
typedef void (*base_pool_fn)(void *ctx, size_t begin, size_t end, int worker);

/* n_threads >= 1: n_threads - 1 are started. Errors: VG_ERR_ARGUMENT, VG_ERR_MEMORY, VG_ERR_SYSTEM.
 */
vg_status base_pool_create(base_pool **out, int n_threads, base_mem *mem, vg_error *err);
void base_pool_destroy(base_pool **pool);
int base_pool_threads(const base_pool *pool);
/* grain: units taken at a time, >= 1. With one thread, or n <= grain, runs in the caller. */
void base_pool_run(base_pool *pool, size_t n, size_t grain, base_pool_fn fn, void *ctx);

/* Processors this process may run on (affinity and cgroup quota, at least 1). */
int base_cpu_count(void);
/* What the processor calls itself, "AMD EPYC 9354"; "unknown" where the system does not say. */
void base_cpu_model(char *buf, size_t n);

#endif
