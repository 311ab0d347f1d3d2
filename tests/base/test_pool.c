/* Every unit once, by a worker with its own number, loop after loop. */
#include "support/test.h"

#include <assert.h>
#include <stdatomic.h>
#include <time.h>

#include "base/base.h"
#include "support/random.h"

enum { MOST_UNITS = 2000, MOST_WORKERS = 8 };

typedef struct loop {
    uint32_t number; /* which loop this is */
    size_t n;
    size_t grain;
    int n_threads;
    uint32_t stamp[MOST_UNITS]; /* plain on purpose: two workers on one unit are a race */
    _Atomic int inside[MOST_WORKERS];
    size_t done[MOST_WORKERS][16]; /* plain per-worker scratch */
} loop;

static void stamp_units(void *ctx, size_t begin, size_t end, int worker)
{
    loop *l = ctx;
    assert(worker >= 0 && worker < l->n_threads); /* no cmocka in threads */
    assert(atomic_fetch_add(&l->inside[worker], 1) == 0);
    assert(begin < end && end <= l->n);
    assert(end - begin <= l->grain || l->n_threads == 1);
    for (size_t i = begin; i < end; i++) {
        assert(l->stamp[i] == l->number - 1);
        l->stamp[i] = l->number;
    }
    l->done[worker][0] += end - begin;
    atomic_fetch_sub(&l->inside[worker], 1);
}

/* Loops of random sizes; half of them on the heels of the one before, some after a sleep that lets
 * the workers fall asleep. */
static void run_loops(int n_threads, int n_loops, uint64_t seed)
{
    base_mem mem = {.tag = "test"};
    base_pool *pool;
    assert_int_equal(base_pool_create(&pool, n_threads, &mem, NULL), VG_OK);
    assert_int_equal(base_pool_threads(pool), n_threads);
    uint64_t n_allocs = mem.n_allocs;
    test_random r = {seed};
    static loop l;
    memset(&l, 0, sizeof l);
    l.n_threads = n_threads;
    size_t expected = 0;
    for (int k = 0; k < n_loops; k++) {
        l.number = 1;
        l.n = random_u64(&r) % (k % 2 ? 10 : MOST_UNITS + 1);
        l.grain = 1 + random_u64(&r) % (k % 3 ? 4 : 100);
        memset(l.stamp, 0, sizeof l.stamp);
        base_pool_run(pool, l.n, l.grain, stamp_units, &l);
        for (size_t i = 0; i < MOST_UNITS; i++)
            assert_int_equal(l.stamp[i], i < l.n);
        expected += l.n;
        if (k % 64 == 0)
            nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    size_t done = 0;
    for (int w = 0; w < n_threads; w++)
        done += l.done[w][0];
    assert_int_equal(done, expected);
    assert_int_equal(mem.n_allocs, n_allocs);
    base_pool_destroy(&pool);
    assert_null(pool);
    base_pool_destroy(&pool);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void every_unit_is_done_once_by_1_to_8_threads(void **state)
{
    (void)state;
    run_loops(1, 200, 1);
    run_loops(2, 3000, 2);
    run_loops(3, 1000, 3);
    run_loops(8, 500, 4);
}

static void count_units(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    atomic_fetch_add((_Atomic size_t *)ctx, end - begin);
}

static void tiny_loops_follow_each_other_without_mixing(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    base_pool *pool;
    assert_int_equal(base_pool_create(&pool, 4, &mem, NULL), VG_OK);
    for (int k = 0; k < 20000; k++) {
        _Atomic size_t n = 0; /* a late worker would count on a dead variable, or twice */
        base_pool_run(pool, 2 + (size_t)k % 3, 1, count_units, &n);
        assert_int_equal(n, 2 + k % 3);
    }
    base_pool_destroy(&pool);
}

static void the_largest_counts_do_not_overflow(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    base_pool *pool;
    assert_int_equal(base_pool_create(&pool, 2, &mem, NULL), VG_OK);
    _Atomic size_t n = 0;
    base_pool_run(pool, SIZE_MAX, SIZE_MAX / 2, count_units, &n);
    assert_true(n == SIZE_MAX);
    n = 0;
    base_pool_run(pool, 0, 1, count_units, &n);
    assert_int_equal(n, 0);
    base_pool_run(pool, 10, SIZE_MAX, count_units, &n);
    assert_int_equal(n, 10);
    base_pool_destroy(&pool);
}

static void pools_live_side_by_side(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    base_pool *a;
    base_pool *b;
    assert_int_equal(base_pool_create(&a, 2, &mem, NULL), VG_OK);
    assert_int_equal(base_pool_create(&b, 2, &mem, NULL), VG_OK);
    _Atomic size_t n = 0;
    for (int k = 0; k < 100; k++) {
        base_pool_run(a, 100, 7, count_units, &n);
        base_pool_run(b, 100, 9, count_units, &n);
    }
    assert_int_equal(n, 100 * 200);
    base_pool_destroy(&a);
    base_pool_run(b, 100, 9, count_units, &n);
    assert_int_equal(n, 100 * 201);
    base_pool_destroy(&b);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void note_worker(void *ctx, size_t begin, size_t end, int worker)
{
    (void)begin;
    (void)end;
    atomic_fetch_or((_Atomic int *)ctx, 1 << worker);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static void sleeping_workers_wake_and_help(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    base_pool *pool;
    assert_int_equal(base_pool_create(&pool, 3, &mem, NULL), VG_OK);
    for (int k = 0; k < 5; k++) {
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL); /* far longer than they spin */
        _Atomic int who = 0;
        base_pool_run(pool, 30, 1, note_worker, &who);
        assert_int_equal(who, 7);
    }
    base_pool_destroy(&pool);
}

static void idle_workers_use_no_time(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    base_pool *pool;
    assert_int_equal(base_pool_create(&pool, 2, &mem, NULL), VG_OK);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    int64_t before = base_process_cpu_ns();
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    assert_true(base_process_cpu_ns() - before < 20000000);
    base_pool_destroy(&pool);
}

static void nonsense_and_no_memory_are_refused(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    vg_error err;
    base_pool *pool = (base_pool *)&mem;
    assert_int_equal(base_pool_create(&pool, 0, &mem, &err), VG_ERR_ARGUMENT);
    assert_null(pool);
    assert_int_equal(base_pool_create(&pool, -3, &mem, &err), VG_ERR_ARGUMENT);
    assert_int_equal(base_pool_create(&pool, 1 << 30, &mem, &err), VG_ERR_ARGUMENT);
    mem.fail_in = 1;
    assert_int_equal(base_pool_create(&pool, 2, &mem, &err), VG_ERR_MEMORY);
    assert_null(pool);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_is_done_once_by_1_to_8_threads),
        cmocka_unit_test(tiny_loops_follow_each_other_without_mixing),
        cmocka_unit_test(the_largest_counts_do_not_overflow),
        cmocka_unit_test(pools_live_side_by_side),
        cmocka_unit_test(sleeping_workers_wake_and_help),
        cmocka_unit_test(idle_workers_use_no_time),
        cmocka_unit_test(nonsense_and_no_memory_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
