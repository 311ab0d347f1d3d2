/* test_chart.c: what is drawn is where its number says, on round axes, in bounded size. */
#include "written.h"

/* The frame of chart.c, as the <svg> tells it. */
typedef struct frame {
    double left, right, top, bottom, from, to, low, high;
} frame;

static frame frame_of(void)
{
    frame f;
    const char *a = strstr(text(), "data-frame='"), *b = strstr(text(), "data-range='");
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(
        sscanf(a, "data-frame='%lf %lf %lf %lf'", &f.left, &f.right, &f.top, &f.bottom), 4);
    assert_int_equal(sscanf(b, "data-range='%lf %lf %lf %lf'", &f.from, &f.to, &f.low, &f.high), 4);
    return f;
}

/* Point i of the first line. */
static void point_of(size_t i, double *x, double *y)
{
    const char *at = strstr(text(), "<path class='line");
    assert_non_null(at);
    at = strstr(at, "d='") + 3;
    for (size_t k = 0; k < i; k++)
        at += 1 + strcspn(at + 1, "ML'");
    assert_int_equal(sscanf(at + 1, "%lf %lf", x, y), 2);
}

static void near(double found, double wanted, double most)
{
    if (!(fabs(found - wanted) <= most))
        fail_msg("%g is not %g", found, wanted);
}

static void draw(const double *x, const double *y, size_t n, bool is_log)
{
    const page_line line = {.name = "loss", .n = n, .x = x, .y = y};
    page_put_chart(&w, &(page_chart){.name = "train/loss",
                                     .x_unit = PAGE_COUNT,
                                     .lines = &line,
                                     .n_lines = 1,
                                     .is_log = is_log});
    assert_int_equal(w.st, VG_OK);
}

static void points_are_where_their_numbers_say(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 5}, y[] = {4, 2.5, 1.25, 0.5};
    draw(x, y, 4, false);
    const frame f = frame_of();
    near(f.from, 1, 1e-9);
    near(f.to, 5, 1e-9);
    near(f.low, 0, 1e-9); /* near enough to be drawn from */
    near(f.high, 4, 1e-9);
    for (size_t i = 0; i < 4; i++) {
        double px, py;
        point_of(i, &px, &py);
        near(px, f.left + (f.right - f.left) * (x[i] - 1) / 4, 0.06);
        near(py, f.bottom - (f.bottom - f.top) * y[i] / 4, 0.06);
    }
    says("data-x='1,2,3,5' data-y='4,2.5,1.25,0.5'");
    says("<output>0.5</output>"); /* the newest */
}

static void a_logarithm_is_drawn_of_what_is_above_0(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4}, y[] = {1000, 10, 0, 0.1};
    draw(x, y, 4, true);
    const frame f = frame_of();
    double px, py;
    says("data-log='1'");
    point_of(0, &px, &py);
    near(py, f.bottom - (f.bottom - f.top) * (3 - f.low) / (f.high - f.low), 0.06);
    point_of(2, &px, &py); /* the third is a gap */
    near(py, f.bottom - (f.bottom - f.top) * (-1 - f.low) / (f.high - f.low), 0.06);
    says(">100</text>");
    says(">0.1</text>");
    begin(NULL);
    const double none[] = {0, 0, 0, 0};
    draw(x, none, 4, true);
    says("data-log='0'");
}

static void what_is_no_number_is_a_gap(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4, 5}, y[] = {1, NAN, 3, INFINITY, 2};
    draw(x, y, 5, false);
    assert_int_equal(count("nan"), 0);
    assert_int_equal(count("inf"), 0);
    says("data-y='1,,3,,2'");
    const char *d = strstr(text(), "<path class='line");
    size_t n_begins = 0;
    for (d = strstr(d, "d='") + 3; *d != '\''; d++)
        n_begins += *d == 'M';
    assert_int_equal(n_begins, 3);
}

static void nothing_is_a_drawing_too(void **state)
{
    (void)state;
    draw(NULL, NULL, 0, false);
    says("<svg");
    assert_int_equal(count("nan"), 0);
    begin(NULL);
    const double one[] = {7};
    draw(one, one, 1, false);
    says("<circle class=dot");
}

static void a_week_of_points_is_as_large_as_an_hour_and_keeps_its_peaks(void **state)
{
    (void)state;
    enum { N = 200000 };
    static double x[N], y[N];
    for (size_t i = 0; i < N; i++) {
        x[i] = (double)i;
        y[i] = 1 + (double)(i % 7) / 100;
    }
    y[123456] = 50;
    y[77777] = -20;
    draw(x, y, N, false);
    assert_true(written.length < 16 << 10);
    says("123456");
    says(",50,");
    says("77777");
    says(",-20,");
    const frame f = frame_of();
    near(f.high, 60, 1e-9);
}

static void figures_have_units(void **state)
{
    (void)state;
    static const struct {
        page_unit unit;
        double value;
        const char *text;
    } cases[] = {{PAGE_NUMBER, 0.0123456, "0.01235"},
                 {PAGE_NUMBER, 1234567, "1235 k"},
                 {PAGE_COUNT, 12, "12"},
                 {PAGE_PERCENT, 0.5, "50 %"},
                 {PAGE_SECONDS, 90, "1.5 min"},
                 {PAGE_SECONDS, 7200, "2 h"},
                 {PAGE_SECONDS, 0.25, "250 ms"},
                 {PAGE_PER_S, 31.25, "31.25/s"},
                 {PAGE_BYTES, 1536, "1.5 KB"},
                 {PAGE_BYTES, 2097152, "2 MB"},
                 {PAGE_NUMBER, NAN, "-"}};
    char buf[PAGE_FIGURE_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(page_figure(buf, cases[i].unit, cases[i].value), cases[i].text);
}

static void the_highest_point_is_below_a_number(void **state)
{
    (void)state;
    const double x[] = {0, 1}, y[] = {1.02, 0.83}; /* 0.8 to 1.05 by 0.05 */
    draw(x, y, 2, false);
    says(">1.05</text>");
    says(">0.8</text>");
    assert_int_equal(count("<path class=g "), 6);
}

static void a_limit_that_is_near_is_in_the_picture(void **state)
{
    (void)state;
    const double x[] = {0, 1}, y[] = {100, 200};
    const page_line line = {.name = "memory", .n = 2, .x = x, .y = y};
    page_limit limit = {.y = 300, .text = "plan"};
    page_chart c = {.name = "m", .lines = &line, .n_lines = 1, .limits = &limit, .n_limits = 1};
    page_put_chart(&w, &c);
    says("<path class=limit");
    near(frame_of().high, 300, 1e-9);
    begin(NULL);
    limit.y = 5000;
    page_put_chart(&w, &c);
    says_not("<path class=limit");
    says("plan \xe2\x86\x91");
}

static void a_wide_chart_has_a_drawing_for_a_phone_too(void **state)
{
    (void)state;
    const double x[] = {0, 1};
    const page_line line = {.name = "a", .n = 2, .x = x, .y = x};
    page_put_chart(&w, &(page_chart){.name = "m", .lines = &line, .n_lines = 1, .is_wide = true});
    assert_int_equal(count("<svg"), 2);
    assert_int_equal(count("where-narrow' viewBox='0 0 400 190'"), 1);
    assert_int_equal(count("where-wide' viewBox='0 0 822 190'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(points_are_where_their_numbers_say, begin, end),
        cmocka_unit_test_setup_teardown(a_logarithm_is_drawn_of_what_is_above_0, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_number_is_a_gap, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_a_drawing_too, begin, end),
        cmocka_unit_test_setup_teardown(a_week_of_points_is_as_large_as_an_hour_and_keeps_its_peaks,
                                        begin, end),
        cmocka_unit_test_setup_teardown(figures_have_units, begin, end),
        cmocka_unit_test_setup_teardown(the_highest_point_is_below_a_number, begin, end),
        cmocka_unit_test_setup_teardown(a_limit_that_is_near_is_in_the_picture, begin, end),
        cmocka_unit_test_setup_teardown(a_wide_chart_has_a_drawing_for_a_phone_too, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
