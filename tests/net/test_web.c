/* test_web.c: a POST and its budget of tries, against a server that misbehaves by a script. */
#include "hook.h"

#include "net/net.h"
#include "support/ok.h"

static base_mem mem;
static net_web *w;
static atomic_bool stop;

static int set_up(void **state)
{
    (void)state;
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    mem = (base_mem){.tag = "test"};
    stop = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net_web_close(&w);
    hook_stop();
    return mem.in_use_bytes != 0;
}

static void open_web(const net_web_options *given)
{
    char url[100];
    net_web_options o = *given;
    snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%d/hook", hooked.port);
    o.url = url;
    o.agent = "test";
    o.stop = &stop;
    const vg_status st = net_web_open(&w, &o, &mem, NULL);
    if (st == VG_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(st, VG_OK);
}

static vg_status post(vg_error *err)
{
    return net_web_post(w, "{\"n\":1}", 7, err);
}

static const net_web_options quick = {.most_tries = 5, .first_wait_s = 0.01, .most_wait_s = 0.05};

static void what_fails_for_now_is_tried_again_until_it_is_taken(void **state)
{
    (void)state;
    HOOK(500, HANG_UP, 503, 429, 200);
    open_web(&quick);
    OK(post(err));
    assert_int_equal(hooked.n_asked, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(hooked.body[i], "{\"n\":1}");
    OK(post(err));
    assert_int_equal(hooked.n_asked, 6);
}

static void what_is_refused_is_not_tried_again(void **state)
{
    static const int refusals[] = {400, 401, 403, 404, 410, 413, 422, 301};
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        vg_error err;
        HOOK(refusals[i], 200);
        open_web(&quick);
        assert_int_equal(post(&err), VG_ERR_IO);
        assert_int_equal(hooked.n_asked, 1);
        assert_null(strstr(err.what, "secret"));
        assert_null(strstr(err.where, "secret"));
        assert_int_equal(post(NULL), VG_OK);
        tear_down(NULL);
    }
    HOOK(408, 200);
    open_web(&quick);
    OK(post(err));
    assert_int_equal(hooked.n_asked, 2);
}

static void tries_are_counted(void **state)
{
    (void)state;
    HOOK(500);
    open_web(&quick);
    assert_int_equal(post(NULL), VG_ERR_IO);
    assert_int_equal(hooked.n_asked, 5);
}

/* Waits of 0.05, 0.1, 0.2, 0.4 ... seconds: the one that would pass the budget is not begun. */
static void the_budget_of_time_ends_it_before_the_tries_do(void **state)
{
    (void)state;
    HOOK(500);
    open_web(&(net_web_options){
        .most_tries = 1000, .first_wait_s = 0.05, .most_wait_s = 60, .budget_s = 0.5});
    const int64_t began_ns = base_now_ns();
    assert_int_equal(post(NULL), VG_ERR_IO);
    assert_true(hooked.n_asked >= 1 && hooked.n_asked <= 4);
    assert_true(base_now_ns() - began_ns < INT64_C(60000000000));
}

static void a_server_that_stalls_is_left_when_its_time_is_up(void **state)
{
    (void)state;
    HOOK(STALL, STALL, 200);
    open_web(&(net_web_options){
        .timeout_ms = 300, .most_tries = 3, .first_wait_s = 0.01, .most_wait_s = 0.05});
    OK(post(err));
    assert_int_equal(hooked.n_asked, 3);
}

static void a_stalled_try_fits_into_the_budget(void **state)
{
    vg_error err;
    (void)state;
    HOOK(STALL);
    open_web(&(net_web_options){.timeout_ms = 3600000, .most_tries = 3, .budget_s = 0.3});
    assert_int_equal(post(&err), VG_ERR_IO);
    assert_int_equal(hooked.n_asked, 1);
}

static void *stop_it(void *arg)
{
    (void)arg;
    UNTIL(hooked.n_asked == 1);
    stop = true;
    return NULL;
}

static void it_can_be_stopped_in_the_middle(void **state)
{
    pthread_t thread;
    vg_error err;
    (void)state;
    HOOK(STALL);
    open_web(&(net_web_options){.timeout_ms = 3600000, .most_tries = 3});
    pthread_create(&thread, NULL, stop_it, NULL);
    assert_int_equal(post(&err), VG_ERR_INTERRUPTED);
    pthread_join(thread, NULL);
}

static void it_can_be_stopped_between_tries(void **state)
{
    pthread_t thread;
    (void)state;
    HOOK(500);
    open_web(&(net_web_options){.most_tries = 3, .first_wait_s = 3600, .most_wait_s = 3600});
    pthread_create(&thread, NULL, stop_it, NULL);
    const vg_status st = post(NULL); /* interrupted: it was stopped before the answer was read */
    assert_true(st == VG_ERR_IO || st == VG_ERR_INTERRUPTED);
    pthread_join(thread, NULL);
    assert_int_equal(hooked.n_asked, 1);
}

static void nobody_there_is_an_error_that_tells(void **state)
{
    vg_error err;
    bool again;
    (void)state;
    hooked.port = 0;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", free_port());
    const vg_status st = net_web_open(
        &w, &(net_web_options){.url = url, .agent = "test", .most_tries = 2, .first_wait_s = 0.01},
        &mem, &err);
    if (st == VG_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(net_web_try(w, "{}", 2, &again, &err), VG_ERR_IO);
    assert_true(again);
    assert_non_null(strstr(err.what, "no answer"));
    assert_int_equal(net_web_post(w, "{}", 2, &err), VG_ERR_IO);
}

static void what_is_no_url_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "ftp://x", "http://", "https://", "x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(net_web_open(&w, &(net_web_options){.url = wrong[i]}, &mem, NULL),
                         VG_ERR_ARGUMENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_fails_for_now_is_tried_again_until_it_is_taken),
        TEST(what_is_refused_is_not_tried_again),
        TEST(tries_are_counted),
        TEST(the_budget_of_time_ends_it_before_the_tries_do),
        TEST(a_server_that_stalls_is_left_when_its_time_is_up),
        TEST(a_stalled_try_fits_into_the_budget),
        TEST(it_can_be_stopped_in_the_middle),
        TEST(it_can_be_stopped_between_tries),
        TEST(nobody_there_is_an_error_that_tells),
        TEST(what_is_no_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
