/* Quotas of made-up control groups. */
#include "support/test.h"

#include "base/base.h"
#include "base/cpu.h"
#include "own_folder.h"

static void version_2_takes_the_tightest_on_the_way_up(void **state)
{
    (void)state;
    own_folder_put("a/b", "cpu.max", "max 100000\n");
    assert_int_equal(base_cpu_quota(folder, "0::/a/b\n"), 0);
    own_folder_put("a", "cpu.max", "250000 100000\n");
    assert_int_equal(base_cpu_quota(folder, "0::/a/b\n"), 3);
    own_folder_put("a/b", "cpu.max", "50000 100000\n");
    assert_int_equal(base_cpu_quota(folder, "0::/a/b\n"), 1);
    assert_int_equal(base_cpu_quota(folder, "0::/a\n"), 3);
    own_folder_put("", "cpu.max",
                   "200000 100000\n"); /* a container: the host's path does not exist here */
    assert_int_equal(base_cpu_quota(folder, "0::/docker/0123\n"), 2);
    assert_int_equal(base_cpu_quota(folder, "0::/\n"), 2);
}

static void version_1_reads_the_cpu_controller(void **state)
{
    (void)state;
    static const char membership[] = "5:cpuset:/x\n4:cpu,cpuacct:/g\n1:memory:/y\n";
    own_folder_put("cpu,cpuacct/g", "cpu.cfs_quota_us", "-1\n");
    own_folder_put("cpu,cpuacct/g", "cpu.cfs_period_us", "100000\n");
    assert_int_equal(base_cpu_quota(folder, membership), 0);
    own_folder_put("cpu,cpuacct/g", "cpu.cfs_quota_us", "400000\n");
    assert_int_equal(base_cpu_quota(folder, membership), 4);
    own_folder_put("cpu/g", "cpu.cfs_quota_us", "150000\n");
    own_folder_put("cpu/g", "cpu.cfs_period_us", "100000\n");
    assert_int_equal(base_cpu_quota(folder, membership), 2);
}

static void nonsense_means_no_quota(void **state)
{
    (void)state;
    own_folder_put("a", "cpu.max", "x y\n");
    assert_int_equal(base_cpu_quota(folder, "0::/a"), 0);
    own_folder_put("a", "cpu.max", "100 0\n");
    assert_int_equal(base_cpu_quota(folder, "0::/a"), 0);
    static const char *const bad[] = {"", "\n\n", ":", "::", "0:cpu", "::::", "1:cpu:", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(base_cpu_quota(folder, bad[i]), 0);
}

static void this_machine_has_a_processor(void **state)
{
    (void)state;
    assert_true(base_cpu_count() >= 1);
    assert_true(base_cpu_count() <= sysconf(_SC_NPROCESSORS_CONF));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, own_folder_setup, own_folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(version_2_takes_the_tightest_on_the_way_up),
        TEST(version_1_reads_the_cpu_controller),
        TEST(nonsense_means_no_quota),
        TEST(this_machine_has_a_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
