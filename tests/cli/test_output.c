/* Numbers, JSON strings and wrapped lines come out as people and parsers want them. */
#include "support/test.h"

#include <inttypes.h>

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
                  "\\u009b2J\xc2\xa0"},
                 {"\xc2", "\\xc2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buf[128];
        FILE *f = tmpfile();
        cli_text(f, cases[i].text);
        caught(f, buf, sizeof buf);
        assert_string_equal(buf, cases[i].shown);
    }
}

/* What the C library makes of the same, for words that need nothing. */
#define SAME(...)                                                                                  \
    do {                                                                                           \
        char want[512], got[512];                                                                  \
        const int n = snprintf(want, sizeof want, __VA_ARGS__);                                    \
        FILE *f = tmpfile();                                                                       \
        assert_int_equal(cli_print(f, __VA_ARGS__), n);                                            \
        caught(f, got, sizeof got);                                                                \
        assert_string_equal(got, want);                                                            \
    } while (0)

static void formats_mean_what_they_mean_in_c(void **state)
{
    (void)state;
    SAME("%s|%10s|%-10s|%.2s|%*s|%-*s|%.*s|%*.*s", "ab", "ab", "ab", "abc", 5, "ab", 5, "ab", 1,
         "ab", 4, 1, "ab");
    SAME("%*s|%d%%|%c|%5d|%-5d|%05d|%+d|% d|%i", -5, "ab", 7, 'x', 42, 42, 42, 42, 42, -42);
    SAME("%lld %ld %zu %u %x %X %#o %llu", 1LL << 60, -5L, (size_t)9, 3u, 255u, 255u, 8u, ~0ULL);
    SAME("%" PRIu64 " %12" PRIu64 " %jd %td %hhd %hu", UINT64_MAX, UINT64_C(7), (intmax_t)-3,
         (ptrdiff_t)4, (signed char)-1, (unsigned short)65535);
    SAME("%.1f %g %e %8.3f %-8.2f| %+14.0f %.0f %a", 1.25, 1e-9, 3.5, 2.0, 2.5, -3.0, 1e30, 0.5);
    SAME("%10.4s|%s", "abcdefgh", "");
    SAME("plain\n");
}

static void words_of_others_are_shown_and_the_formats_own_stay(void **state)
{
    (void)state;
    char buf[4096], longest[3000];
    FILE *f = tmpfile();
    cli_print(f, "\033[1m%s\033[0m\n%.3s\n", "a\n\033[2J",
              "\x9b"
              "abc");
    caught(f, buf, sizeof buf);
    assert_string_equal(buf, "\033[1ma\\x0a\\x1b[2J\033[0m\n\\x9bab\n");
    f = tmpfile();
    assert_int_equal(cli_print(f, "%-6s|%6s|", "\xc3\xa4\xc3\xb6", "\x01"), 14);
    caught(f, buf, sizeof buf);
    assert_string_equal(buf, "\xc3\xa4\xc3\xb6    |  \\x01|");
    for (size_t shift = 0; shift < 4; shift++) { /* no character is cut between two pieces */
        memset(longest, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof longest; i += 4)
            memcpy(longest + i, "\xf0\x9f\x90\x95", 5);
        f = tmpfile();
        cli_print(f, "%s", longest);
        caught(f, buf, sizeof buf);
        assert_string_equal(buf, longest);
    }
}

static void lines_of_a_text_stay_lines(void **state)
{
    (void)state;
    char buf[128];
    FILE *f = tmpfile();
    cli_text_lines(f, "a\n\n\033b\nc\xff and more", 8);
    caught(f, buf, sizeof buf);
    assert_string_equal(buf, "a\n\n\\x1bb\nc\\xff");
}

static void json_strings_are_always_valid(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json;
    } cases[] = {{"a.jpg", "\"a.jpg\""},
                 {"a\"b\\c", "\"a\\\"b\\\\c\""},
                 {"\t\x01\x7f", "\"\\t\\u0001\\u007f\""},
                 {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x95", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x95\""},
                 {"\xff\xc3", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* no UTF-8; cut short */
                 {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* overlong */
                 {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
                 {"\xf4\x90\x80\x80",
                  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}}; /* past the last */
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
        cmocka_unit_test(formats_mean_what_they_mean_in_c),
        cmocka_unit_test(words_of_others_are_shown_and_the_formats_own_stay),
        cmocka_unit_test(lines_of_a_text_stay_lines),
        cmocka_unit_test(json_strings_are_always_valid),
        cmocka_unit_test(lines_break_at_blanks_before_the_edge),
        cmocka_unit_test(long_texts_of_errors_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
