/* Numbers, JSON strings and wrapped lines come out as people and parsers want them. */
#include "support/test.h"

#include "cli/cli.h"

/* What `write` printed, in `buf`. */
static void caught(FILE *f, char *buf, size_t n)
{
    rewind(f);
    size_t got = fread(buf, 1, n - 1, f);
    buf[got] = '\0';
    fclose(f);
}

static void bytes_are_printed_in_their_unit(void **state)
{
    (void)state;
    static const struct {
        double bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},          {1023, "1023 B"},   {1024, "1.0 KB"},   {12.34 * 1048576, "12.3 MB"},
        {1048575, "1.0 MB"}, {-2048, "-2.0 KB"}, {5e15, "4547.5 TB"}};
    char buf[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(cli_bytes(buf, cases[i].bytes), cases[i].text);
}

static void thousands_have_commas(void **state)
{
    (void)state;
    char buf[32];
    assert_string_equal(cli_commas(buf, 0), "0");
    assert_string_equal(cli_commas(buf, 999), "999");
    assert_string_equal(cli_commas(buf, 2624080), "2,624,080");
    assert_string_equal(cli_commas(buf, -123456), "-123,456");
    assert_string_equal(cli_commas(buf, INT64_MIN), "-9,223,372,036,854,775,808");
}

static void control_characters_are_seen_not_obeyed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {{"gr\xc3\xbc\xc3\x9f \\.jpg", "gr\xc3\xbc\xc3\x9f \\.jpg"},
                 {"a\nb\x1b[31m\x7f", "a\\x0ab\\x1b[31m\\x7f"},
                 {"\xc2\x9b"
                  "2J\xc2\xa0",
                  "\\xc2\\x9b2J\xc2\xa0"},
                 {"\xc2", "\xc2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buf[128];
        FILE *f = tmpfile();
        cli_text(f, cases[i].text);
        caught(f, buf, sizeof buf);
        assert_string_equal(buf, cases[i].shown);
    }
}

static void json_strings_are_always_valid(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json;
    } cases[] = {{"a.jpg", "\"a.jpg\""},
                 {"a\"b\\c", "\"a\\\"b\\\\c\""},
                 {"\t\x01\x7f", "\"\\u0009\\u0001\x7f\""},
                 {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x95", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x95\""},
                 {"\xff\xc3", "\"\\ufffd\\ufffd\""},            /* no UTF-8; cut short */
                 {"\xc0\x80", "\"\\ufffd\\ufffd\""},            /* overlong */
                 {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* a surrogate */
                 {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}}; /* past the last */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buf[128];
        FILE *f = tmpfile();
        cli_json_string(f, cases[i].text);
        caught(f, buf, sizeof buf);
        assert_string_equal(buf, cases[i].json);
    }
}

static void lines_break_at_blanks_before_the_edge(void **state)
{
    (void)state;
    char buf[256];
    FILE *f = tmpfile();
    cli_wrap(f, "aaa bbb cccc dddddddddddddddd e", 2, 2, 9);
    caught(f, buf, sizeof buf);
    assert_string_equal(buf, "aaa bbb\n  cccc\n  dddddddddddddddd\n  e\n");
    f = tmpfile();
    cli_wrap(f, "", 0, 0, 9);
    caught(f, buf, sizeof buf);
    assert_string_equal(buf, "\n");
}

static void long_texts_of_errors_are_cut(void **state)
{
    (void)state;
    char text[2 * VG_WHAT_BYTES];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    vg_error err;
    cli_error_set(&err, VG_ERR_ARGUMENT, "%s", text);
    cli_error_text(err.mend, "%s", text);
    assert_int_equal(strlen(err.what), VG_WHAT_BYTES - 1);
    assert_int_equal(strlen(err.mend), VG_MEND_BYTES - 1);
    assert_int_equal(err.status, VG_ERR_ARGUMENT);
    assert_string_equal(err.where, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_printed_in_their_unit),
        cmocka_unit_test(thousands_have_commas),
        cmocka_unit_test(control_characters_are_seen_not_obeyed),
        cmocka_unit_test(json_strings_are_always_valid),
        cmocka_unit_test(lines_break_at_blanks_before_the_edge),
        cmocka_unit_test(long_texts_of_errors_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
