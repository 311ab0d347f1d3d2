/* test_series.c: the table of series is whole, and names are those of traces in the field. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "watch/watch.h"

static void every_series_is_found_by_its_name(void **state)
{
    (void)state;
    for (int s = 0; s < WATCH_N_SERIES; s++) {
        const watch_series_info *info = watch_series_get((watch_series)s);
        assert_non_null(info->name);
        assert_int_equal(watch_series_find(info->name), s);
        assert_true(info->limit == WATCH_NONE ||
                    watch_series_get(info->limit)->kind == WATCH_LIMIT);
    }
    assert_int_equal(watch_series_find("main.anon_bytes"), WATCH_MAIN_ANON_BYTES);
    assert_int_equal(watch_series_find("work.reconnects"), WATCH_WORK_RECONNECTS);
    assert_int_equal(watch_series_find("main.anon"), WATCH_NONE);
}

static void a_name_says_its_unit(void **state)
{
    (void)state;
    for (int s = 0; s < WATCH_N_SERIES; s++) {
        const watch_series_info *info = watch_series_get((watch_series)s);
        const size_t n = strlen(info->name);
        const bool says_bytes = strcmp(info->name + n - 5, "bytes") == 0;
        assert_int_equal(says_bytes, info->unit == WATCH_BYTES);
    }
}

static void a_cleared_sample_knows_nothing(void **state)
{
    (void)state;
    watch_sample s;
    watch_sample_clear(&s, 3);
    assert_true(s.time_s == 3);
    for (int i = 0; i < WATCH_N_SERIES; i++)
        assert_true(isnan(s.value[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_series_is_found_by_its_name),
                                       cmocka_unit_test(a_name_says_its_unit),
                                       cmocka_unit_test(a_cleared_sample_knows_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
