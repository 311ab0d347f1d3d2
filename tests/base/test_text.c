/* Numbers are read whole or not at all; paths come apart; texts grow to their ceiling. */
#include "support/test.h"

#include <locale.h>

#include <math.h>

#include "base/base.h"

static void integers_are_whole_and_in_range(void **state)
{
    (void)state;
    int64_t v = 99;
    assert_true(base_parse_i64(&v, "  -12 \n", INT64_MIN, INT64_MAX));
    assert_int_equal(v, -12);
    assert_true(base_parse_i64(&v, "+7", 0, 7));
    assert_int_equal(v, 7);
    assert_true(base_parse_i64(&v, "9223372036854775807", INT64_MIN, INT64_MAX));
    assert_true(v == INT64_MAX);
    assert_true(base_parse_i64(&v, "-9223372036854775808", INT64_MIN, INT64_MAX));
    assert_true(v == INT64_MIN);
    v = 99;
    static const char *const bad[] = {"",
                                      " ",
                                      "-",
                                      "+",
                                      "1x",
                                      "0x10",
                                      "1 2",
                                      "--1",
                                      "1.",
                                      "1e3",
                                      "9223372036854775808",
                                      "-9223372036854775809"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base_parse_i64(&v, bad[i], INT64_MIN, INT64_MAX));
    assert_false(base_parse_i64(&v, "8", 0, 7));
    assert_false(base_parse_i64(&v, "-1", 0, 7));
    assert_int_equal(v, 99);
}

static void reals_are_whole_and_finite(void **state)
{
    (void)state;
    double v = 99;
    assert_true(base_parse_double(&v, " 0.25 "));
    assert_true(v == 0.25);
    assert_true(base_parse_double(&v, "-1e-3"));
    assert_true(v == -1e-3);
    assert_true(base_parse_double(&v, ".5"));
    assert_true(base_parse_double(&v, "5."));
    assert_true(base_parse_double(&v, "1e-400")); /* too small is 0 */
    v = 99;
    static const char *const bad[] = {"",    ".",     "e5",  "1e",    "1e+", "inf", "nan",
                                      "0x1", "1e999", "1,5", "1.5.5", "1 2", "-",   "1f"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base_parse_double(&v, bad[i]));
    assert_true(v == 99);
}

static void a_decimal_comma_of_the_host_changes_nothing(void **state)
{
    (void)state;
    /* Where no such locale is installed the call fails and C stays, which this passes too. */
    setlocale(LC_ALL, "de_DE.UTF-8");
    double v = 0;
    assert_true(base_parse_double(&v, "1.5"));
    assert_true(v == 1.5);
    assert_false(base_parse_double(&v, "1,5"));
    setlocale(LC_ALL, "C");
}

static void sizes_take_units_of_1024(void **state)
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
                {"0", 0},
                {".5k", 512},
                {"10b", 10},
                {"1.0", 1},
                {"3T", (size_t)3 << 40},
                {"18446744073709551615", SIZE_MAX}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t v = 1;
        assert_true(base_parse_bytes(&v, good[i].text));
        assert_true(v == good[i].bytes);
    }
    static const char *const bad[] = {
        "", "-1", "M", "1.5", "5x", "5 M x", "1e3", "5MiBs", "18446744073709551616", "99999999T"};
    size_t v = 99;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base_parse_bytes(&v, bad[i]));
    assert_int_equal(v, 99);
}

static void truth_has_eight_spellings(void **state)
{
    (void)state;
    static const char *const yes[] = {"true", "YES", "On", "1", " true "};
    static const char *const no[] = {"False", "no", "off", "0"};
    static const char *const bad[] = {"", "2", "y", "tru", "truee", "offffffffff"};
    bool v = false;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++, v = false)
        assert_true(base_parse_bool(&v, yes[i]) && v);
    v = true;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++, v = true)
        assert_true(base_parse_bool(&v, no[i]) && !v);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base_parse_bool(&v, bad[i]));
}

static void bytes_are_printed_in_their_unit(void **state)
{
    (void)state;
    static const struct {
        double bytes;
        const char *text;
    } cases[] = {{0, "0 B"},
                 {1023, "1023 B"},
                 {1024, "1.0 KB"},
                 {12.34 * 1048576, "12.3 MB"},
                 {1048575, "1.0 MB"},
                 {-2048, "-2.0 KB"},
                 {3.0 * (1ll << 40), "3.0 TB"},
                 {5000.0 * (1ll << 40), "5000.0 TB"}};
    char buf[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(base_format_bytes(buf, sizeof buf, cases[i].bytes), cases[i].text);
}

static void format_says_whether_it_fitted(void **state)
{
    (void)state;
    char buf[4];
    assert_true(base_format(buf, sizeof buf, "%d", 123));
    assert_false(base_format(buf, sizeof buf, "%d", 1234));
    assert_string_equal(buf, "123");
}

static void paths_come_apart(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name, *suffix, *stem;
    } cases[] = {{"a/b/c.tar.gz", "c.tar.gz", ".gz", "c.tar"},
                 {"c", "c", "", "c"},
                 {"a.b/c", "c", "", "c"},
                 {"/x/.profile", ".profile", "", ".profile"},
                 {"a/", "", "", ""},
                 {"..", "..", "", ".."},
                 {".a.txt", ".a.txt", ".txt", ".a"},
                 {"a.", "a.", ".", "a"}};
    char buf[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(base_path_name(cases[i].path), cases[i].name);
        assert_string_equal(base_path_suffix(cases[i].path), cases[i].suffix);
        assert_true(base_path_stem(buf, sizeof buf, cases[i].path));
        assert_string_equal(buf, cases[i].stem);
    }
    assert_false(base_path_stem(buf, 3, "abc.txt"));
    assert_true(base_path_join(buf, sizeof buf, "a", "b"));
    assert_string_equal(buf, "a/b");
    assert_true(base_path_join(buf, sizeof buf, "a/", "b"));
    assert_string_equal(buf, "a/b");
    assert_true(base_path_join(buf, sizeof buf, "", "b"));
    assert_string_equal(buf, "b");
    assert_false(base_path_join(buf, 3, "a", "b"));
}

static void words_compare_as_people_would(void **state)
{
    (void)state;
    assert_true(base_equal_nocase("YoLo", "yOlO"));
    assert_false(base_equal_nocase("yolo", "yolo1"));
    assert_false(base_equal_nocase("yolo1", "yolo"));
    assert_true(base_equal_nocase("", ""));
    assert_true(base_starts_with("abc", "ab"));
    assert_true(base_starts_with("abc", ""));
    assert_false(base_starts_with("ab", "abc"));
}

static void a_text_grows_to_its_ceiling_and_stays_whole(void **state)
{
    (void)state;
    base_mem m = {.tag = "test"};
    base_str s = {0};
    vg_error err = {0};
    for (int i = 0; i < 300; i++)
        assert_int_equal(base_str_add(&s, 1000, &m, &err, "%03d", i), VG_OK);
    assert_int_equal(s.length, 900);
    assert_memory_equal(s.text, "000001002", 9);
    assert_int_equal(base_str_add_bytes(&s, 1000, s.text + 800, 100, &m, &err), VG_OK);
    assert_int_equal(base_str_add_bytes(&s, 1000, "x", 1, &m, &err), VG_ERR_LIMIT);
    assert_int_equal(base_str_add(&s, 1000, &m, &err, "%d", 1), VG_ERR_LIMIT);
    assert_int_equal(s.length, 1000);
    assert_int_equal(strlen(s.text), 1000);
    assert_int_equal(base_str_add_bytes(&s, SIZE_MAX, "x", SIZE_MAX - 1000, &m, &err),
                     VG_ERR_LIMIT);
    m.fail_in = 1;
    char big[4000] = {0};
    assert_int_equal(base_str_add_bytes(&s, 9000, big, sizeof big, &m, &err), VG_ERR_MEMORY);
    assert_int_equal(s.length, 1000);
    assert_int_equal(strlen(s.text), 1000);
    base_str_fini(&s);
    assert_null(s.text);
    assert_int_equal(m.in_use_bytes, 0);
    assert_int_equal(base_str_add_bytes(&s, 10, NULL, 0, &m, &err), VG_OK);
    assert_string_equal(s.text, "");
    base_str_fini(&s);
}

static void the_hash_is_fnv_1a(void **state)
{
    (void)state;
    assert_true(base_hash(BASE_HASH_START, "", 0) == BASE_HASH_START);
    assert_true(base_hash(BASE_HASH_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
    assert_true(base_hash(base_hash(BASE_HASH_START, "foo", 3), "bar", 3) ==
                UINT64_C(0x85944171f73967e8));
}

static void a_number_is_written_short_and_read_back(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {0.1, "0.1"},
                 {-2.5, "-2.5"},
                 {1e9, "1e+09"},
                 {123456789, "123456789"},
                 {1.0 / 3, "0.3333333333333333"},
                 {5e-324, "4.94066e-324"}};
    char buf[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double back;
        assert_string_equal(base_format_double(buf, sizeof buf, cases[i].value), cases[i].text);
        assert_true(base_parse_double(&back, buf) && back == cases[i].value);
    }
    assert_string_equal(base_format_double(buf, sizeof buf, (double)NAN), "nan");
    assert_string_equal(base_format_double(buf, sizeof buf, -(double)INFINITY), "-inf");
}

static void only_well_formed_characters_count_as_utf8(void **state)
{
    static const char *const bad[] = {"\xff",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf0\x80\x80\x80",
                                      "a\xe2\x80",
                                      "\x80"};
    (void)state;
    assert_true(base_is_utf8("Größe \xf0\x9f\x90\x88"));
    assert_true(base_is_utf8(""));
    assert_int_equal(base_utf8_bytes("\xc3\xb6x"), 2);
    assert_int_equal(base_utf8_bytes(""), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base_is_utf8(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_whole_and_in_range),
        cmocka_unit_test(reals_are_whole_and_finite),
        cmocka_unit_test(a_decimal_comma_of_the_host_changes_nothing),
        cmocka_unit_test(sizes_take_units_of_1024),
        cmocka_unit_test(truth_has_eight_spellings),
        cmocka_unit_test(bytes_are_printed_in_their_unit),
        cmocka_unit_test(format_says_whether_it_fitted),
        cmocka_unit_test(paths_come_apart),
        cmocka_unit_test(words_compare_as_people_would),
        cmocka_unit_test(a_text_grows_to_its_ceiling_and_stays_whole),
        cmocka_unit_test(a_number_is_written_short_and_read_back),
        cmocka_unit_test(only_well_formed_characters_count_as_utf8),
        cmocka_unit_test(the_hash_is_fnv_1a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
