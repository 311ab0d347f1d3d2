/* What control groups leave of the memory. */
#include "support/test.h"

#include "base/base.h"
#include "base/ram.h"
#include "folder.h"

static char folder[256];

static int setup(void **state)
{
    (void)state;
    return folder_make(folder, sizeof folder);
}

static int teardown(void **state)
{
    (void)state;
    return folder_remove(folder);
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, dir);
    assert_int_equal(base_make_dirs(path, NULL), VG_OK);
    snprintf(path, sizeof path, "%s/%s/%s", folder, dir, name);
    assert_int_equal(base_file_replace(path, text, strlen(text), NULL), VG_OK);
}

static void version_2_takes_the_tightest_on_the_way_up(void **state)
{
    (void)state;
    put("a/b", "memory.max", "max\n");
    assert_int_equal(base_ram_limit(folder, "0::/a/b\n"), 0);
    put("a", "memory.max", "1073741824\n");
    assert_int_equal(base_ram_limit(folder, "0::/a/b\n"), 1 << 30);
    put("a/b", "memory.max", "4096\n");
    assert_int_equal(base_ram_limit(folder, "0::/a/b\n"), 4096);
    assert_int_equal(base_ram_limit(folder, "0::/a\n"), 1 << 30);
}

static void version_1_reads_the_memory_controller(void **state)
{
    (void)state;
    static const char membership[] = "4:cpu,cpuacct:/g\n1:memory:/y\n";
    put("memory/y", "memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(base_ram_limit(folder, membership), 0);
    put("memory", "memory.limit_in_bytes", "500000\n");
    assert_int_equal(base_ram_limit(folder, membership), 500000);
}

static void this_machine_has_memory(void **state)
{
    (void)state;
    assert_true(base_ram_available_bytes() > 1 << 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(version_2_takes_the_tightest_on_the_way_up),
        TEST(version_1_reads_the_memory_controller),
        TEST(this_machine_has_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
