/* Means are over the pictures that were done, and the plan is shown by owner. */
#include "support/test.h"

#include "base/base.h"
#include "cli/predict.h"

/* The API's, and bars, which no log has. */
const char *vg_count_format(char *buf, size_t n, uint64_t count, const char *noun)
{
    return base_count(buf, n, count, noun);
}

cli_bar cli_bar_make(FILE *to, const char *what)
{
    return (cli_bar){.to = to, .what = what};
}

void cli_bar_show(cli_bar *b, size_t n_done, size_t n_total)
{
    (void)b;
    (void)n_done;
    (void)n_total;
}

void cli_bar_clear(cli_bar *b)
{
    (void)b;
}

static char text[2048];

static void summary_of(const predict_sums *s, const vg_memory *m)
{
    FILE *f = tmpfile();
    predict_summary_print(f, s, m);
    rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
}

static const vg_memory memory = {.items = {{.owner = "weights", .planned_bytes = 19 << 20},
                                           {.owner = "loading"},
                                           {.owner = "frames", .planned_bytes = 1024}},
                                 .n_items = 3,
                                 .planned_bytes = (19 << 20) + 1024,
                                 .in_use_bytes = 18 << 20,
                                 .library_bytes = 2048,
                                 .resident_bytes = 40 << 20,
                                 .peak_resident_bytes = 41 << 20};

static void means_leave_skipped_pictures_out(void **state)
{
    (void)state;
    predict_sums s = {.started_s = predict_now_s() - 2};
    predict_sums_add(&s, &(vg_predict_result){.total = 3, .times = {1, 2, 10, 4, 5}});
    predict_sums_add(
        &s, &(vg_predict_result){.total = 3, .status = VG_ERR_IO, .times = {99, 99, 99, 99, 99}});
    predict_sums_add(&s, &(vg_predict_result){.total = 3, .times = {3, 2, 30, 4, 6}});
    assert_int_equal(s.n_done, 2);
    assert_int_equal(s.n_skipped, 1);
    summary_of(&s, &memory);
    assert_non_null(strstr(
        text, "2.0ms decode, 2.0ms preprocess, 20.0ms inference, 4.0ms postprocess, 5.5ms save per "
              "picture; 2 pictures in 2.0s, 1.0 pictures/s\n"));
}

static void memory_is_told_by_owner(void **state)
{
    (void)state;
    predict_sums s = {.started_s = predict_now_s()};
    summary_of(&s, &memory);
    assert_non_null(strstr(
        text, "Memory: planned 19.0 MB (weights 19.0 MB, frames 1.0 KB), in use 18.0 MB, libraries "
              "2.0 KB, resident 40.0 MB, peak 41.0 MB\n"));
    assert_non_null(strstr(text, "0.0ms inference")); /* nothing done is no division by 0 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_leave_skipped_pictures_out),
        cmocka_unit_test(memory_is_told_by_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
