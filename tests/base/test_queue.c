/* Order, policies when full, and who wakes when it closes. */
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/base.h"

static base_mem mem = {.tag = "test"};
static int things[100];

static base_queue *make(size_t capacity, base_queue_policy policy)
{
    base_queue *q;
    assert_int_equal(base_queue_create(&q, capacity, policy, &mem, NULL), VG_OK);
    return q;
}

static void a_little_sleep(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static void items_come_out_in_order(void **state)
{
    (void)state;
    base_queue *q = make(3, BASE_QUEUE_BLOCK);
    void *item;
    size_t in = 0;
    size_t out = 0;
    while (out < 100) { /* around the ring many times, at all fillings */
        while (in < 100 && base_queue_length(q) < 3 && (in - out < 1 + out % 3))
            assert_true(base_queue_push(q, &things[in++], NULL));
        assert_true(base_queue_try_pop(q, &item));
        assert_ptr_equal(item, &things[out++]);
    }
    assert_false(base_queue_try_pop(q, &item));
    base_queue_destroy(&q);
    assert_null(q);
    base_queue_destroy(&q);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void a_full_queue_hands_back_its_oldest(void **state)
{
    (void)state;
    base_queue *q = make(2, BASE_QUEUE_DROP_OLDEST);
    void *dropped = &things[99];
    assert_true(base_queue_push(q, &things[0], &dropped));
    assert_null(dropped);
    assert_true(base_queue_push(q, &things[1], &dropped));
    assert_true(base_queue_push(q, &things[2], &dropped));
    assert_ptr_equal(dropped, &things[0]);
    assert_true(base_queue_push(q, &things[3], &dropped));
    assert_ptr_equal(dropped, &things[1]);
    assert_int_equal(base_queue_length(q), 2);
    void *item;
    assert_true(base_queue_try_pop(q, &item));
    assert_ptr_equal(item, &things[2]);
    base_queue_destroy(&q);
}

static void a_closed_queue_drains_and_then_fails(void **state)
{
    (void)state;
    base_queue *q = make(2, BASE_QUEUE_BLOCK);
    void *item;
    bool timed_out = true;
    base_queue_push(q, &things[0], NULL);
    base_queue_close(q);
    assert_false(base_queue_push(q, &things[1], NULL));
    assert_true(base_queue_pop(q, &item, -1, &timed_out));
    assert_ptr_equal(item, &things[0]);
    assert_false(base_queue_pop(q, &item, -1, &timed_out));
    assert_false(timed_out);
    assert_null(item);
    base_queue_close(q);
    base_queue_destroy(&q);
}

static void pop_waits_its_time_and_no_longer(void **state)
{
    (void)state;
    base_queue *q = make(1, BASE_QUEUE_BLOCK);
    void *item;
    bool timed_out = false;
    int64_t before = base_now_ns();
    assert_false(base_queue_pop(q, &item, 30, &timed_out));
    assert_true(timed_out);
    assert_true(base_now_ns() - before >= 30000000);
    assert_false(base_queue_pop(q, &item, 0, &timed_out));
    assert_true(timed_out);
    base_queue_destroy(&q);
}

static void nonsense_and_no_memory_are_refused(void **state)
{
    (void)state;
    base_queue *q = (base_queue *)things;
    vg_error err;
    assert_int_equal(base_queue_create(&q, 0, BASE_QUEUE_BLOCK, &mem, &err), VG_ERR_ARGUMENT);
    assert_null(q);
    assert_int_equal(base_queue_create(&q, SIZE_MAX / 8, BASE_QUEUE_BLOCK, &mem, &err),
                     VG_ERR_MEMORY);
    assert_int_equal(base_queue_create(&q, SIZE_MAX / 4, BASE_QUEUE_BLOCK, &mem, &err),
                     VG_ERR_MEMORY);
    mem.fail_in = 1;
    assert_int_equal(base_queue_create(&q, 4, BASE_QUEUE_BLOCK, &mem, &err), VG_ERR_MEMORY);
    assert_null(q);
}

typedef struct waiter {
    base_queue *q;
    bool pushes;
    bool result;
    _Atomic bool returned;
} waiter;

static void *wait_in_queue(void *arg)
{
    waiter *w = arg;
    void *item;
    w->result =
        w->pushes ? base_queue_push(w->q, &things[1], NULL) : base_queue_pop(w->q, &item, -1, NULL);
    atomic_store(&w->returned, true);
    return NULL;
}

static void close_wakes_every_waiter(void **state)
{
    (void)state;
    for (int pushes = 0; pushes < 2; pushes++) {
        base_queue *q = make(1, BASE_QUEUE_BLOCK);
        if (pushes)
            base_queue_push(q, &things[0], NULL);
        waiter waiters[3];
        pthread_t threads[3];
        for (int i = 0; i < 3; i++) {
            waiters[i] = (waiter){.q = q, .pushes = pushes};
            pthread_create(&threads[i], NULL, wait_in_queue, &waiters[i]);
        }
        a_little_sleep();
        for (int i = 0; i < 3; i++)
            assert_false(atomic_load(&waiters[i].returned));
        base_queue_close(q);
        for (int i = 0; i < 3; i++) {
            pthread_join(threads[i], NULL);
            assert_false(waiters[i].result);
        }
        base_queue_destroy(&q);
    }
}

static void a_pop_makes_room_for_a_waiting_push(void **state)
{
    (void)state;
    base_queue *q = make(1, BASE_QUEUE_BLOCK);
    base_queue_push(q, &things[0], NULL);
    waiter w = {.q = q, .pushes = true};
    pthread_t thread;
    pthread_create(&thread, NULL, wait_in_queue, &w);
    a_little_sleep();
    assert_false(atomic_load(&w.returned));
    void *item;
    assert_true(base_queue_pop(q, &item, -1, NULL));
    assert_ptr_equal(item, &things[0]);
    assert_true(base_queue_pop(q, &item, -1, NULL));
    assert_ptr_equal(item, &things[1]);
    pthread_join(thread, NULL);
    assert_true(w.result);
    base_queue_destroy(&q);
}

enum { N_ITEMS = 3000, N_SIDES = 3 };
static _Atomic int n_seen[N_SIDES * N_ITEMS];
static int numbers[N_SIDES * N_ITEMS];

typedef struct side {
    base_queue *q;
    int first;
} side;

static void see(void *item)
{
    atomic_fetch_add(&n_seen[(int *)item - numbers], 1);
}

static void *produce(void *arg)
{
    side *s = arg;
    for (int i = 0; i < N_ITEMS; i++) {
        void *dropped = NULL;
        base_queue_push(s->q, &numbers[s->first + i], &dropped);
        if (dropped)
            see(dropped);
    }
    return NULL;
}

static void *consume(void *arg)
{
    side *s = arg;
    void *item;
    while (base_queue_pop(s->q, &item, -1, NULL))
        see(item);
    return NULL;
}

static void every_item_of_many_threads_arrives_once(void **state)
{
    (void)state;
    static const base_queue_policy policies[] = {BASE_QUEUE_BLOCK, BASE_QUEUE_DROP_OLDEST};
    for (int k = 0; k < 2; k++) {
        base_queue *q = make(5, policies[k]);
        memset(n_seen, 0, sizeof n_seen);
        side sides[N_SIDES];
        pthread_t producers[N_SIDES];
        pthread_t consumers[N_SIDES];
        for (int i = 0; i < N_SIDES; i++) {
            sides[i] = (side){.q = q, .first = i * N_ITEMS};
            pthread_create(&consumers[i], NULL, consume, &sides[i]);
            pthread_create(&producers[i], NULL, produce, &sides[i]);
        }
        for (int i = 0; i < N_SIDES; i++)
            pthread_join(producers[i], NULL);
        base_queue_close(q);
        for (int i = 0; i < N_SIDES; i++)
            pthread_join(consumers[i], NULL);
        for (int i = 0; i < N_SIDES * N_ITEMS; i++)
            assert_int_equal(n_seen[i], 1);
        base_queue_destroy(&q);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order),
        cmocka_unit_test(a_full_queue_hands_back_its_oldest),
        cmocka_unit_test(a_closed_queue_drains_and_then_fails),
        cmocka_unit_test(pop_waits_its_time_and_no_longer),
        cmocka_unit_test(nonsense_and_no_memory_are_refused),
        cmocka_unit_test(close_wakes_every_waiter),
        cmocka_unit_test(a_pop_makes_room_for_a_waiting_push),
        cmocka_unit_test(every_item_of_many_threads_arrives_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
