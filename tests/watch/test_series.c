/* test_series.c: the table of series is whole, and names are those of traces in the field. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "watch/sample/charged.h"
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

/* Segments that are made and closed between two looks are the job's by its cgroup's account. */
static void unseen_shared_memory_is_told_by_the_account(void **state)
{
    (void)state;
    watch_sample s;
    watch_sample_clear(&s, 3);
    assert_true(watch_charged_unseen_shm(&s, 0, 50) == 0); /* no cgroup */
    s.value[WATCH_LIMIT_CGROUP_BYTES] = 1000;
    s.value[WATCH_LIMIT_MACHINE_BYTES] = 8000;
    s.value[WATCH_MAIN_ANON_BYTES] = 80;
    s.value[WATCH_CHILDREN_ANON_BYTES] = 20;
    s.value[WATCH_CGROUP_ANON_BYTES] = 105;
    s.value[WATCH_CGROUP_SHMEM_BYTES] = 60;
    assert_true(watch_charged_unseen_shm(&s, 0, 50) == 50);
    assert_true(watch_charged_unseen_shm(&s, 20, 50) == 40); /* 20 are explained */
    assert_true(watch_charged_unseen_shm(&s, 70, 50) == 0);  /* on another's account */
    s.value[WATCH_CGROUP_ANON_BYTES] = 300;                  /* others are in it, too */
    assert_true(watch_charged_unseen_shm(&s, 0, 50) == 0);
    s.value[WATCH_CGROUP_ANON_BYTES] = 105;
    s.value[WATCH_LIMIT_CGROUP_BYTES] = 8000; /* the machine's: everybody's account */
    assert_true(watch_charged_unseen_shm(&s, 0, 50) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_series_is_found_by_its_name), cmocka_unit_test(a_name_says_its_unit),
        cmocka_unit_test(a_cleared_sample_knows_nothing),
        cmocka_unit_test(unseen_shared_memory_is_told_by_the_account)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
