/* Words are values as a whole, or not at all. */
#include "support/test.h"

#include "cli/cli.h"

static void whole_numbers_are_whole(void **state)
{
    (void)state;
    long long v = 99;
    assert_true(cli_parse_int(&v, " -12 ") && v == -12);
    assert_true(cli_parse_int(&v, "9223372036854775807") && v == INT64_MAX);
    static const char *const bad[] = {
        "", " ", "-", "1x", "0x10", "1 2", "1.5", "1e3", "9223372036854775808"};
    v = 99;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cli_parse_int(&v, bad[i]));
    assert_true(v == 99);
}

static void numbers_are_decimal_and_finite(void **state)
{
    (void)state;
    double v = 99;
    assert_true(cli_parse_real(&v, "0.25") && v == 0.25);
    assert_true(cli_parse_real(&v, "-1e-3") && v == -1e-3);
    assert_true(cli_parse_real(&v, ".5 ") && v == 0.5);
    static const char *const bad[] = {"",    ".",     "-",   "inf",   "nan", "-inf",
                                      "0x1", "1e999", "1,5", "1.5.5", "1 2", "1f"};
    v = 99;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cli_parse_real(&v, bad[i]));
    assert_true(v == 99);
}

static void sizes_have_units_of_1024(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
    } good[] = {{"4096", 4096},
                {"512M", (size_t)512 << 20},
                {"1.5G", (size_t)3 << 29},
                {"2GiB", (size_t)2 << 30},
                {" 2 gb ", (size_t)2 << 30},
                {"10b", 10},
                {"3T", (size_t)3 << 40},
                {".5k", 512},
                {"0", 0}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t v = 1;
        assert_true(cli_parse_bytes(&v, good[i].text));
        assert_true(v == good[i].bytes);
    }
    static const char *const bad[] = {"",   "-1",  "M",     "1.5",  "5x",         "5 M x",
                                      "5i", "nan", "5MiBs", "1e30", "9999999999T"};
    size_t v = 99;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cli_parse_bytes(&v, bad[i]));
    assert_int_equal(v, 99);
}

static void truth_has_eight_spellings_and_a_word_alone_two(void **state)
{
    (void)state;
    static const char *const yes[] = {"true", "YES", "On", "1"};
    static const char *const no[] = {"False", "no", "off", "0"};
    bool v = false;
    for (size_t i = 0; i < 4; i++, v = false)
        assert_true(cli_parse_bool(&v, yes[i]) && v);
    v = true;
    for (size_t i = 0; i < 4; i++, v = true)
        assert_true(cli_parse_bool(&v, no[i]) && !v);
    assert_false(cli_parse_bool(&v, "2"));
    assert_false(cli_parse_bool(&v, ""));
    assert_false(cli_parse_bool(&v, "tru"));
    assert_true(cli_parse_truth(&v, "TRUE") && v);
    assert_false(cli_parse_truth(&v, "1"));
    assert_false(cli_parse_truth(&v, "on"));
}

static void lists_come_with_and_without_brackets(void **state)
{
    (void)state;
    static cli_ints v;
    assert_true(cli_parse_ints(&v, "0,2,5"));
    assert_int_equal(v.n, 3);
    assert_int_equal(v.values[2], 5);
    assert_true(cli_parse_ints(&v, " [ 7 , -8 ] "));
    assert_int_equal(v.n, 2);
    assert_int_equal(v.values[1], -8);
    assert_true(cli_parse_ints(&v, "(3)"));
    assert_int_equal(v.n, 1);
    static const char *const bad[] = {"",   "[]",   "[1",  "1]", "(1]",   "1,",
                                      ",1", "1,,2", "1 2", "a",  "1,2]x", "3000000000"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cli_parse_ints(&v, bad[i]));
    assert_int_equal(v.n, 1);
    assert_int_equal(v.values[0], 3);
}

static void a_list_has_a_ceiling(void **state)
{
    (void)state;
    static cli_ints v;
    static char text[2 * (CLI_INTS_MAX + 1)];
    for (size_t i = 0; i < CLI_INTS_MAX + 1; i++) {
        text[2 * i] = '7';
        text[2 * i + 1] = ',';
    }
    text[2 * CLI_INTS_MAX + 1] = '\0'; /* one too many */
    assert_false(cli_parse_ints(&v, text));
    text[2 * CLI_INTS_MAX - 1] = '\0';
    assert_true(cli_parse_ints(&v, text));
    assert_int_equal(v.n, CLI_INTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_whole),
        cmocka_unit_test(numbers_are_decimal_and_finite),
        cmocka_unit_test(sizes_have_units_of_1024),
        cmocka_unit_test(truth_has_eight_spellings_and_a_word_alone_two),
        cmocka_unit_test(lists_come_with_and_without_brackets),
        cmocka_unit_test(a_list_has_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
