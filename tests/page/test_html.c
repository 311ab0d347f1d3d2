/* test_html.c: whatever a name holds, it is text on a page. */
#include "written.h"

static void numbers_are_written_as_printf_does(void **state)
{
    (void)state;
    page_put(&w, "%d %5.2f|%-4d|%zu %lld %llx %c %g%% %.3s", -7, 3.14159, 12, (size_t)9,
             (long long)-1, 255ull, 'x', 1e-5, "abcdef");
    assert_string_equal(text(), "-7  3.14|12  |9 -1 ff x 1e-05% abc");
}

static void hostile_names_stay_text(void **state)
{
    (void)state;
    static const char *const names[] = {
        "<script>alert(1)</script>", "'><img src=x onerror=alert(1)>",
        "\" onload=\"alert(1)",      "</title><svg onload=alert(1)>",
        "a\x1b[2J\x07\x08",          "\xff\xfe\xc3",
        "\xe2\x80\xae evil",         "&lt;b&gt;"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        begin(NULL);
        page_put(&w, "<a title='%s'>%s</a>", names[i], names[i]);
        /* The format's own signs, and no others. */
        assert_int_equal(count("<"), 2);
        assert_int_equal(count(">"), 2);
        assert_int_equal(count("'"), 2);
        assert_int_equal(count("\""), 0);
        assert_true(base_is_utf8(text()));
        for (const char *c = text(); *c != '\0'; c++)
            assert_true((unsigned char)*c >= 0x20);
        says_not("\xe2\x80\xae");
        says_not("&lt;b");
    }
}

static void a_long_name_is_cut_nowhere_within_a_character(void **state)
{
    (void)state;
    static char name[4000];
    for (size_t i = 0; i + 3 < sizeof name; i += 3)
        memcpy(name + i, "\xe2\x82\xac", 4); /* a euro sign */
    page_put(&w, "%s", name);
    assert_string_equal(text(), name);
}

static void an_address_holds_no_sign_that_ends_it(void **state)
{
    (void)state;
    page_put(&w, "<a href='");
    page_put_url(&w, "/run/a b'\"<>%?#&\xff../x", "/");
    page_put(&w, "'>");
    assert_string_equal(text(), "<a href='/run/a%20b%27%22%3C%3E%25%3F%23%26%FF../x'>");
    begin(NULL);
    page_put_url(&w, "a=b&c'<\"%", "=&'<\"%"); /* these stay none, whoever asks for it */
    assert_string_equal(text(), "a=b&#38;c%27%3C%22%25");
}

static void too_much_is_told_and_nothing_more_is_added(void **state)
{
    (void)state;
    w.most_bytes = 8;
    page_put(&w, "12345");
    page_put(&w, "67890");
    page_put(&w, "x");
    assert_int_equal(w.st, VG_ERR_LIMIT);
    assert_string_equal(text(), "12345");
    begin(NULL);
    written_mem.fail_in = 1;
    page_put(&w, "more");
    assert_int_equal(w.st, VG_ERR_MEMORY);
}

static void every_part_takes_hostile_names(void **state)
{
    (void)state;
    static const char evil[] = "<script>'\"&";
    page_put_figure(&w, evil, evil, evil, evil);
    page_put_bar(&w, evil, evil, 0.5);
    page_put_fact(&w, evil, evil);
    page_put_badge(&w, evil);
    page_put_act(&w, evil, evil, evil, true);
    page_put_picture(&w, evil, 1, evil, 3, 2);
    page_put_empty(&w, evil);
    const double y[] = {1, 2};
    const page_line line = {.name = evil, .n = 2, .x = y, .y = y};
    const page_mark mark = {.x = 1.5, .state = evil, .text = evil};
    const page_limit limit = {.y = 1.5, .text = evil};
    const page_line lines[] = {line, line};
    page_put_chart(&w, &(page_chart){.name = evil,
                                     .title = evil,
                                     .help = evil,
                                     .state = evil,
                                     .lines = lines,
                                     .n_lines = 2,
                                     .marks = &mark,
                                     .n_marks = 1,
                                     .limits = &limit,
                                     .n_limits = 1});
    says_not("<script");
    says_not("'\"");
    assert_int_equal(count("'") % 2, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_are_written_as_printf_does, begin, end),
        cmocka_unit_test_setup_teardown(hostile_names_stay_text, begin, end),
        cmocka_unit_test_setup_teardown(a_long_name_is_cut_nowhere_within_a_character, begin, end),
        cmocka_unit_test_setup_teardown(an_address_holds_no_sign_that_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(too_much_is_told_and_nothing_more_is_added, begin, end),
        cmocka_unit_test_setup_teardown(every_part_takes_hostile_names, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
