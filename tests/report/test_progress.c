/* test_progress.c: the progress line says what matters in whatever room there is. */
#include "support.h"

#include <math.h>

#include "report/number.h"

static const report_progress HALF = {.prefix = "1/100 0.41G 1.2",
                                     .n_done = 6,
                                     .n_total = 12,
                                     .pace = {.pictures_per_s = 31.24,
                                              .elapsed_s = 12,
                                              .left_s = 3725,
                                              .planned_bytes = 512u << 20,
                                              .resident_bytes = 480u << 20}};

static void all_is_there_when_there_is_room(void **state)
{
    (void)state;
    char line[1024];
    assert_true(report_progress_format(line, sizeof line, &HALF, 0, false));
    assert_string_equal(line, "1/100 0.41G 1.2  50% ━━━━━━────── 6/12 31.2 img/s 00:12<1:02:05 "
                              "mem 480.0 MB of 512.0 MB");
    assert_true(report_progress_format(line, sizeof line, &HALF, 200, true));
    assert_string_equal(line, "1/100 0.41G 1.2  50% ######------ 6/12 31.2 img/s 00:12<1:02:05 "
                              "mem 480.0 MB of 512.0 MB");
}

static void the_least_useful_goes_first(void **state)
{
    (void)state;
    static const struct {
        size_t n_columns;
        const char *line;
    } CASES[] = {
        {70, "1/100 0.41G 1.2  50% ######------ 6/12 31.2 img/s 00:12<1:02:05"},
        {60, "1/100 0.41G 1.2  50% ######------ 6/12 00:12<1:02:05"},
        {45, "1/100 0.41G 1.2  50% ######------ 6/12"},
        {37, "1/100 0.41G 1.2  50% ###--- 6/12"},
        {30, "1/100 0.41G 1.2  50% 6/12"},
        {10, "1/100 0.41"},
    };
    char line[1024];
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_true(report_progress_format(line, sizeof line, &HALF, CASES[i].n_columns, true));
        assert_string_equal(line, CASES[i].line);
    }
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    char line[1024];
    for (size_t n_columns = 1; n_columns < 130; n_columns++) {
        assert_true(report_progress_format(line, sizeof line, &HALF, n_columns, false));
        assert_true(report_utf8_length(line) <= n_columns);
        assert_true(base_is_utf8(line));
    }
}

static void a_hundred_percent_is_when_all_is_done(void **state)
{
    (void)state;
    char line[1024];
    report_progress p = {.n_done = 9999, .n_total = 10000, .pace.left_s = NAN};
    assert_true(report_progress_format(line, sizeof line, &p, 0, true));
    assert_string_equal(line, " 99% ###########- 9999/10000 00:00<--:--");
    p.n_done = 10000;
    p.pace.left_s = 0;
    assert_true(report_progress_format(line, sizeof line, &p, 0, true));
    assert_string_equal(line, "100% ############ 10000/10000 00:00<00:00");
}

static void odd_numbers_do_no_harm(void **state)
{
    (void)state;
    static const double ODD[] = {NAN, INFINITY, -INFINITY, -1, 1e300, 0, 359999, 360000, 99999999};
    char line[1024], small[20];
    for (size_t i = 0; i < sizeof ODD / sizeof ODD[0]; i++) {
        report_progress p = {.n_done = 5,
                             .n_total = i % 2 ? 0 : 3,
                             .pace.pictures_per_s = ODD[i],
                             .pace.elapsed_s = ODD[i],
                             .pace.left_s = ODD[i],
                             .pace.planned_bytes = SIZE_MAX};
        assert_true(report_progress_format(line, sizeof line, &p, 0, false));
        assert_null(strstr(line, "nan"));
        assert_null(strstr(line, "inf"));
        assert_false(report_progress_format(small, sizeof small, &p, 0, false));
        assert_true(strlen(small) < sizeof small);
    }
    report_progress p = {.pace = {.elapsed_s = 360000, .left_s = 359999}};
    assert_true(report_progress_format(line, sizeof line, &p, 0, true));
    assert_non_null(strstr(line, "4d 04h<99:59:59"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_there_when_there_is_room),
        cmocka_unit_test(the_least_useful_goes_first),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(a_hundred_percent_is_when_all_is_done),
        cmocka_unit_test(odd_numbers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
