/* pool.c: one gate, a range of chunks for each of the team.
 *
 * A loop's chunks are split into ranges as long as each other, one a worker; who is done with its
 * own helps with the next one's. So the same worker has the same part of every loop, whose memory
 * is in that core's cache from the loop before, while a slow core still takes fewer.
 *
 * A loop is written into the pool while its gate is shut and nobody is inside; then the gate opens
 * and a generation number rises, which is what workers watch. A worker enters by raising the gate's
 * count while it is open, takes chunks until every range is at its end, and leaves. The caller
 * works too, shuts the gate, and waits until the count is zero. So a worker that comes late finds
 * the gate shut and touches nothing, or finds the next loop's gate open and helps there: it can
 * never run an old function over a new loop. And a worker that the machine keeps from running
 * delays nobody. */
#define BASE_IMPLEMENTATION
#include "pool.h"

#include <assert.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "status.h"
#include "thread.h"

enum {
    MOST_THREADS = 1024,
    /* Between the loops of one network there are a few microseconds; a futex's sleep and wake cost
       about 50. */
    SPIN_NS = 40000,
    SPIN_PAUSES = 32 /* between two looks at the clock */
};

static const uint32_t GATE_OPEN = UINT32_C(1) << 31;
static const uint32_t GATE_CALLER_SLEEPS = UINT32_C(1) << 30; /* the last to leave wakes it */
/* The other bits: workers inside. */

/* One of the team; 0 is the caller. On cache lines of its own: its counter changes often. */
typedef struct pool_worker {
    _Alignas(64) _Atomic size_t next; /* chunk of its range */
    size_t end;
    base_pool *pool;
    int index;
    pthread_t thread; /* from 1 on */
} pool_worker;

struct base_pool {
    int n_threads;
    int n_started;
    int64_t spin_ns; /* 0 where there are more threads than processors: a spinner would hold up who
                        works */

    /* The loop; written while the gate is shut and empty. */
    base_pool_fn fn;
    void *ctx;
    size_t n;
    size_t grain;

    /* Each on a cache line of its own: they are watched. */
    _Alignas(64) _Atomic uint32_t gate;
    _Alignas(64) _Atomic uint32_t generation;
    _Atomic uint32_t n_asleep;
    _Atomic bool quits;
    _Atomic bool busy; /* only to catch callers that share a pool */
    _Alignas(64) pool_worker workers[];
};

static void pause_briefly(void)
{
    for (int i = 0; i < SPIN_PAUSES; i++) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }
}

static void sleep_while_equal(_Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

/* ---- the worker's side ---- */

static uint32_t wait_for_news(base_pool *p, uint32_t seen)
{
    uint32_t generation = atomic_load(&p->generation);
    if (generation != seen)
        return generation;
    if (p->spin_ns > 0) {
        int64_t end = base_now_ns() + p->spin_ns;
        do {
            pause_briefly();
            generation = atomic_load(&p->generation);
            if (generation != seen)
                return generation;
        } while (base_now_ns() < end);
    }
    /* Announce, then look again (the futex does): run raises the generation, then looks for
     * sleepers. One sees the other, whichever comes first. */
    atomic_fetch_add(&p->n_asleep, 1);
    while ((generation = atomic_load(&p->generation)) == seen)
        sleep_while_equal(&p->generation, seen);
    atomic_fetch_sub(&p->n_asleep, 1);
    return generation;
}

static bool enter(base_pool *p)
{
    uint32_t gate = atomic_load(&p->gate);
    do {
        if (!(gate & GATE_OPEN))
            return false;
    } while (!atomic_compare_exchange_weak(&p->gate, &gate, gate + 1));
    return true;
}

static void leave(base_pool *p)
{
    uint32_t before = atomic_fetch_sub(&p->gate, 1);
    if (before == (GATE_CALLER_SLEEPS | 1))
        wake(&p->gate, 1);
}

static void take_chunks(base_pool *p, int worker)
{
    for (int i = 0; i < p->n_threads; i++) {
        pool_worker *of = &p->workers[(worker + i) % p->n_threads];
        size_t chunk;
        while ((chunk = atomic_fetch_add_explicit(&of->next, 1, memory_order_relaxed)) < of->end) {
            size_t begin = chunk * p->grain;
            size_t end = p->n - begin > p->grain ? begin + p->grain : p->n;
            p->fn(p->ctx, begin, end, worker);
        }
    }
}

static void *worker_main(void *arg)
{
    pool_worker *w = arg;
    base_pool *p = w->pool;
    uint32_t seen = 0;
    for (;;) {
        seen = wait_for_news(p, seen);
        if (atomic_load(&p->quits))
            return NULL;
        if (!enter(p))
            continue;
        take_chunks(p, w->index);
        leave(p);
    }
}

/* ---- the caller's side ---- */

static void tell_workers(base_pool *p)
{
    atomic_fetch_add(&p->generation, 1);
    if (atomic_load(&p->n_asleep) > 0)
        wake(&p->generation, INT_MAX);
}

static void wait_until_empty(base_pool *p)
{
    if (atomic_load(&p->gate) == 0)
        return;
    if (p->spin_ns > 0) {
        int64_t end = base_now_ns() + p->spin_ns;
        do {
            pause_briefly();
            if (atomic_load(&p->gate) == 0)
                return;
        } while (base_now_ns() < end);
    }
    uint32_t gate = atomic_fetch_or(&p->gate, GATE_CALLER_SLEEPS) | GATE_CALLER_SLEEPS;
    while (gate != GATE_CALLER_SLEEPS) {
        sleep_while_equal(&p->gate, gate);
        gate = atomic_load(&p->gate);
    }
    atomic_store(&p->gate, 0);
}

static void share_out(base_pool *p, size_t n_chunks)
{
    const size_t n = (size_t)p->n_threads, each = n_chunks / n, more = n_chunks % n;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        atomic_store_explicit(&p->workers[i].next, at, memory_order_relaxed);
        at += each + (i < more ? 1 : 0);
        p->workers[i].end = at;
    }
}

void base_pool_run(base_pool *p, size_t n, size_t grain, base_pool_fn fn, void *ctx)
{
    assert(grain >= 1);
    if (n == 0)
        return;
    bool was_busy = atomic_exchange(&p->busy, true);
    assert(!was_busy && "one pool serves one caller at a time");
    (void)was_busy;
    if (p->n_threads == 1 || n <= grain) {
        fn(ctx, 0, n, 0);
    } else {
        p->fn = fn;
        p->ctx = ctx;
        p->n = n;
        p->grain = grain;
        share_out(p, (n - 1) / grain + 1);
        atomic_store(&p->gate, GATE_OPEN);
        tell_workers(p);
        take_chunks(p, 0);
        atomic_fetch_and(&p->gate, ~GATE_OPEN);
        wait_until_empty(p);
    }
    atomic_store(&p->busy, false);
}

int base_pool_threads(const base_pool *p)
{
    return p->n_threads;
}

/* ---- life ---- */

static vg_status start_workers(base_pool *p, vg_error *err)
{
    for (int i = 1; i < p->n_threads; i++) {
        pool_worker *w = &p->workers[i];
        w->pool = p;
        w->index = i;
        char name[32];
        snprintf(name, sizeof name, "pool-%d", i);
        const vg_status st = base_thread_start(&w->thread, name, 0, worker_main, w, err);
        if (st != VG_OK)
            return st;
        p->n_started++;
    }
    return VG_OK;
}

vg_status base_pool_create(base_pool **out, int n_threads, base_mem *mem, vg_error *err)
{
    *out = NULL;
    if (n_threads < 1 || n_threads > MOST_THREADS)
        return base_fail(err, VG_ERR_ARGUMENT, NULL,
                         "use as many threads as there are processors, or fewer",
                         "%d threads, where 1..%d can be had", n_threads, MOST_THREADS);
    size_t bytes = sizeof(base_pool) + (size_t)n_threads * sizeof(pool_worker);
    base_pool *p = base_alloc_zero(mem, 1, bytes, err);
    if (!p)
        return VG_ERR_MEMORY;
    p->n_threads = n_threads;
    p->spin_ns = n_threads <= base_cpu_count() ? SPIN_NS : 0;
    vg_status st = start_workers(p, err);
    if (st != VG_OK) {
        base_pool_destroy(&p);
        return st;
    }
    *out = p;
    return VG_OK;
}

void base_pool_destroy(base_pool **pool)
{
    base_pool *p = *pool;
    if (!p)
        return;
    atomic_store(&p->quits, true);
    tell_workers(p);
    for (int i = 0; i < p->n_started; i++)
        pthread_join(p->workers[i + 1].thread, NULL);
    base_free(p);
    *pool = NULL;
}
