/* test_number.c: numbers and characters are the same text everywhere. */
#include "support.h"

#include <locale.h>
#include <math.h>

#include "report/number.h"

static void rounding_is_pythons(void **state)
{
    (void)state;
    /* python3 -c "print(round(2.675, 2), round(0.5, 0), round(1.5, 0), round(0.000125, 5))" */
    assert_true(report_round(2.675, 2) == 2.67);
    assert_true(report_round(0.5, 0) == 0 && report_round(1.5, 0) == 2);
    assert_true(report_round(0.000125, 5) == 0.00013);
    assert_true(report_round(1e300, 5) == 1e300 && report_round(-0.1234567, 5) == -0.12346);
    assert_true(isnan(report_round(NAN, 5)) && report_round(-INFINITY, 5) == -INFINITY);
}

static void digits_are_counted_from_the_first(void **state)
{
    (void)state;
    char buf[REPORT_NUMBER_BYTES];
    assert_string_equal(report_number_g(buf, 6, 1234567), "1.23457e+06");
    assert_string_equal(report_number_g(buf, 4, 0.00012345678), "0.0001235");
    assert_string_equal(report_number_f(buf, 2, 1234.5678), "1234.57");
}

static void short_numbers_lose_their_last_zeros_only(void **state)
{
    (void)state;
    char buf[REPORT_NUMBER_BYTES];
    assert_string_equal(report_number_short(buf, 3, 12), "12.0");
    assert_string_equal(report_number_short(buf, 3, 0.25), "0.25");
    assert_string_equal(report_number_short(buf, 3, 100.0004), "100.0");
    assert_string_equal(report_number_short(buf, 5, 0.00001), "0.00001");
    assert_string_equal(report_number_g(buf, 6, -NAN), "nan");
    assert_string_equal(report_number_f(buf, 2, -INFINITY), "-inf");
}

static void lengths_are_in_characters(void **state)
{
    (void)state;
    assert_int_equal(report_utf8_length("Größe \xf0\x9f\x90\x88"), 7);
    assert_int_equal(report_utf8_length("\xff\xfe"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_pythons),
        cmocka_unit_test(digits_are_counted_from_the_first),
        cmocka_unit_test(short_numbers_lose_their_last_zeros_only),
        cmocka_unit_test(lengths_are_in_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
