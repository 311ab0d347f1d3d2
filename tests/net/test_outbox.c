/* test_outbox.c: the ring keeps the newest messages whole and in order, whatever their sizes. */
#include "support/ok.h"
#include "support/test.h"

#include <pthread.h>

#include "net/net.h"

static base_mem mem;
static net_outbox *o;

static int set_up(void **state)
{
    (void)state;
    mem = (base_mem){.tag = "test"};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net_outbox_destroy(&o);
    return mem.in_use_bytes != 0;
}

static size_t put(const char *topic, const char *text)
{
    size_t n;
    OK(net_outbox_put(o, topic, text, strlen(text), false, &n, err));
    return n;
}

static void expect(const char *topic, const char *text)
{
    net_message m;
    char bytes[64];
    assert_true(net_outbox_take(o, &m, bytes, 0));
    assert_string_equal(m.topic, topic);
    assert_int_equal(m.n, strlen(text));
    assert_memory_equal(bytes, text, m.n);
}

static void the_oldest_give_way_to_a_larger_one(void **state)
{
    (void)state;
    OK(net_outbox_create(&o, 8, 20, &mem, err));
    assert_int_equal(put("a", "1234"), 0);   /* 5 */
    assert_int_equal(put("b", "12345"), 0);  /* 11 */
    assert_int_equal(put("c", "123456"), 0); /* 18 */
    assert_int_equal(put("dd", "1"), 1);     /* 16 */
    assert_int_equal(put("", "1234567890123456"), 2);
    assert_int_equal(net_outbox_length(o), 2);
    assert_int_equal(net_outbox_dropped(o), 3);
    expect("dd", "1");
    expect("", "1234567890123456");
    net_message m;
    char bytes[64];
    assert_false(net_outbox_take(o, &m, bytes, 0));
}

static void the_number_of_messages_is_bounded_too(void **state)
{
    (void)state;
    OK(net_outbox_create(&o, 3, 1000, &mem, err));
    for (int i = 0; i < 10; i++) {
        char text[2] = {(char)('0' + i)};
        assert_int_equal(put("t", text), i < 3 ? 0 : 1);
    }
    expect("t", "7");
    expect("t", "8");
    expect("t", "9");
}

static void what_never_fits_is_refused(void **state)
{
    size_t n;
    (void)state;
    OK(net_outbox_create(&o, 3, 10, &mem, err));
    assert_int_equal(net_outbox_put(o, "t", "0123456789", 10, false, &n, NULL), VG_ERR_LIMIT);
    assert_int_equal(net_outbox_put(o, "t", "012345678", 9, false, &n, NULL), VG_OK);
    net_outbox *none;
    assert_int_equal(net_outbox_create(&none, 0, 10, &mem, NULL), VG_ERR_ARGUMENT);
    assert_int_equal(net_outbox_create(&none, 1, 0, &mem, NULL), VG_ERR_ARGUMENT);
}

/* Against a list that keeps everything. */
static void it_is_a_queue_for_any_sizes(void **state)
{
    enum { N = 20000, ROOM = 97 };
    static char texts[N][48];
    uint32_t seed = 1;
    size_t next = 0, end = 0;
    (void)state;
    OK(net_outbox_create(&o, 7, ROOM, &mem, err));
    const uint64_t n_allocs = mem.n_allocs;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525 + 1013904223;
        const int n = (int)(seed >> 16) % 45;
        for (int k = 0; k < n; k++)
            texts[end][k] = (char)('a' + (i + k) % 26);
        next += put("to", texts[end++]);
        assert_int_equal(net_outbox_length(o), end - next);
        if (seed % 3 == 0 && next < end)
            expect("to", texts[next++]);
    }
    assert_int_equal(mem.n_allocs, n_allocs);
}

static void *say(void *arg)
{
    for (int i = 0; i < 20000; i++)
        put("n", arg);
    return NULL;
}

static void threads_neither_lose_nor_double(void **state)
{
    pthread_t threads[2];
    net_message m;
    char bytes[64];
    uint64_t n = 0;
    (void)state;
    OK(net_outbox_create(&o, 16, 60, &mem, err));
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, say, i == 0 ? "first" : "second one");
    while (n + net_outbox_dropped(o) < 40000) {
        if (net_outbox_take(o, &m, bytes, 1)) {
            bytes[m.n] = '\0';
            assert_true(strcmp(bytes, "first") == 0 || strcmp(bytes, "second one") == 0);
            n++;
        }
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(n + net_outbox_dropped(o), 40000);
}

static void *wait_for(void *arg)
{
    net_message m;
    char bytes[64];
    *(bool *)arg = net_outbox_take(o, &m, bytes, 600000);
    return NULL;
}

static void close_wakes_who_waits(void **state)
{
    pthread_t thread;
    bool got = true;
    size_t n;
    (void)state;
    OK(net_outbox_create(&o, 2, 60, &mem, err));
    pthread_create(&thread, NULL, wait_for, &got);
    net_outbox_close(o);
    pthread_join(thread, NULL);
    assert_false(got);
    OK(net_outbox_put(o, "", "late", 4, false, &n, err));
    assert_int_equal(n, 1);
    assert_int_equal(net_outbox_dropped(o), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_oldest_give_way_to_a_larger_one), TEST(the_number_of_messages_is_bounded_too),
        TEST(what_never_fits_is_refused),          TEST(it_is_a_queue_for_any_sizes),
        TEST(threads_neither_lose_nor_double),     TEST(close_wakes_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
