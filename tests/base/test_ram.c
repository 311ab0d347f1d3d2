/* What control groups leave of the memory. */
#include "support/test.h"

#include "base/base.h"
#include "base/ram.h"
#include "own_folder.h"

static void version_2_takes_the_tightest_on_the_way_up(void **state)
{
    (void)state;
    own_folder_put("a/b", "memory.max", "max\n");
    assert_int_equal(base_ram_limit(folder, "0::/a/b\n"), 0);
    own_folder_put("a", "memory.max", "1073741824\n");
    assert_int_equal(base_ram_limit(folder, "0::/a/b\n"), 1 << 30);
    own_folder_put("a/b", "memory.max", "4096\n");
    assert_int_equal(base_ram_limit(folder, "0::/a/b\n"), 4096);
    assert_int_equal(base_ram_limit(folder, "0::/a\n"), 1 << 30);
}

static void version_1_reads_the_memory_controller(void **state)
{
    (void)state;
    static const char membership[] = "4:cpu,cpuacct:/g\n1:memory:/y\n";
    own_folder_put("memory/y", "memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(base_ram_limit(folder, membership), 0);
    own_folder_put("memory", "memory.limit_in_bytes", "500000\n");
    assert_int_equal(base_ram_limit(folder, membership), 500000);
}

static void this_machine_has_memory(void **state)
{
    (void)state;
    assert_true(base_ram_available_bytes() > 1 << 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, own_folder_setup, own_folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(version_2_takes_the_tightest_on_the_way_up),
        TEST(version_1_reads_the_memory_controller),
        TEST(this_machine_has_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
