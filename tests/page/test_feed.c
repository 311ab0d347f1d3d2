/* test_feed.c: the newest state reaches every reader, in places of fixed number and size. */
#include "written.h"

static uint64_t version;
static const char *name = "loss";
static size_t n_figures = 1;

static bool news(void *ctx, const char *topic, uint64_t *seen, page_news *e)
{
    (void)ctx;
    if (*seen == version)
        return false;
    *seen = version;
    page_news_part(e, "curves", version);
    for (size_t i = 0; i < n_figures; i++)
        page_news_figure(e, name, topic);
    page_news_bar(e, "epoch", 0.25);
    page_news_state(e, "training");
    return true;
}

static page_feed *feed;
static net_answer answers[PAGE_MOST_READERS + 1];

static int set_up(void **state)
{
    (void)state;
    version = 0;
    n_figures = 1;
    name = "loss";
    const page_feed_options o = {.most_readers = 3, .news = news};
    memset(answers, 0, sizeof answers);
    return page_feed_create(&feed, &o, &written_mem, NULL) != VG_OK;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (answers[i].stream.ctx != NULL)
            answers[i].stream.close(answers[i].stream.ctx);
    page_feed_destroy(&feed);
    return written_mem.in_use_bytes != 0;
}

/* What a reader gets by reads of at most `most` bytes, until there is nothing more. */
static const char *hear(net_answer *a, size_t most)
{
    static char all[2 * PAGE_NEWS_BYTES];
    size_t n = 0, k;
    while (n + most < sizeof all &&
           a->stream.read(a->stream.ctx, all + n, most, &k) == NET_MORE_BYTES) {
        assert_true(k > 0 && k <= most);
        n += k;
    }
    all[n] = '\0';
    return all;
}

static void a_reader_hears_the_newest_once(void **state)
{
    (void)state;
    page_feed_join(feed, "run \"a\"", &answers[0]);
    assert_string_equal(answers[0].type, "text/event-stream");
    assert_string_equal(hear(&answers[0], 100), ":\n\n"); /* that it is there */
    version = 4;
    assert_string_equal(hear(&answers[0], 7),
                        "data: {\"parts\":{\"curves\":\"4\"},\"figures\":{\"loss\":\"run "
                        "\\\"a\\\"\"},\"bars\":{\"epoch\":0.2500},\"state\":\"training\"}\n\n");
    assert_string_equal(hear(&answers[0], 7), "");
}

static void a_slow_reader_misses_what_was_overtaken(void **state)
{
    (void)state;
    char some[16];
    size_t n;
    page_feed_join(feed, "a", &answers[0]);
    hear(&answers[0], 100);
    version = 1;
    assert_int_equal(answers[0].stream.read(answers[0].stream.ctx, some, sizeof some, &n),
                     NET_MORE_BYTES);
    for (version = 2; version < 1000; version++) {
    }
    const char *rest = hear(&answers[0], 4096);
    assert_non_null(strstr(rest, "\"curves\":\"1000\""));
    assert_null(strstr(rest, "\"curves\":\"999\""));
}

static void readers_beyond_the_places_are_sent_away(void **state)
{
    (void)state;
    const size_t bytes = written_mem.in_use_bytes;
    for (int i = 0; i < 3; i++)
        page_feed_join(feed, "a", &answers[i]);
    page_feed_join(feed, "a", &answers[3]);
    assert_null(answers[3].stream.ctx);
    assert_int_equal(answers[3].status, 503);
    assert_int_equal(page_feed_n_readers(feed), 3);
    answers[1].stream.close(answers[1].stream.ctx);
    answers[1].stream.ctx = NULL;
    page_feed_join(feed, "a", &answers[3]);
    assert_non_null(answers[3].stream.ctx);
    assert_int_equal(written_mem.in_use_bytes, bytes);
}

static void news_that_are_too_many_stay_whole(void **state)
{
    (void)state;
    static char evil[600];
    memset(evil, '"', sizeof evil - 1);
    evil[0] = '\n';
    n_figures = 400;
    version = 1;
    page_feed_join(feed, evil, &answers[0]);
    const char *heard = hear(&answers[0], 4096);
    assert_true(strlen(heard) > 3000 && strlen(heard) < PAGE_NEWS_BYTES + 64);
    /* One event of one line: what was said last is there, too, or its group's end. */
    assert_ptr_equal(strchr(heard, '\n'), heard + strlen(heard) - 2);
    base_tree *t = NULL;
    assert_int_equal(
        base_tree_from_json(&t, heard + 6, strlen(heard) - 8, "news", &written_mem, NULL),
        VG_ERR_FORMAT); /* the same key again and again; but well formed: */
    n_figures = 1;
    version = 2;
    heard = hear(&answers[0], 4096);
    vg_error err = {0};
    if (base_tree_from_json(&t, heard + 6, strlen(heard) - 8, "news", &written_mem, &err) != VG_OK)
        fail_msg("%s: %s", err.what, heard);
    base_tree_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reader_hears_the_newest_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slow_reader_misses_what_was_overtaken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_beyond_the_places_are_sent_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(news_that_are_too_many_stay_whole, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
