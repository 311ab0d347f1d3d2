/* Clocks run forwards, and CPU time is time that was worked. */
#include "support/test.h"

#include <time.h>

#include "base/base.h"

static void monotonic_time_measures_a_sleep(void **state)
{
    (void)state;
    int64_t before = base_now_ns();
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    int64_t passed = base_now_ns() - before;
    assert_true(passed >= 20000000);
    assert_true(passed < INT64_C(60) * 1000000000);
}

static void cpu_time_counts_work_and_not_sleep(void **state)
{
    (void)state;
    int64_t thread = base_thread_cpu_ns();
    int64_t process = base_process_cpu_ns();
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_true(base_thread_cpu_ns() - thread < 40000000);
    int64_t worked = base_thread_cpu_ns();
    int64_t end = base_now_ns() + INT64_C(30) * 1000000000;
    while (base_thread_cpu_ns() - worked < 10000000)
        assert_true(base_now_ns() < end);
    assert_true(base_process_cpu_ns() - process >= 10000000);
}

static void milliseconds_are_a_millionth_of_nanoseconds(void **state)
{
    (void)state;
    assert_true(base_ms(1500000) == 1.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_time_measures_a_sleep),
        cmocka_unit_test(cpu_time_counts_work_and_not_sleep),
        cmocka_unit_test(milliseconds_are_a_millionth_of_nanoseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
