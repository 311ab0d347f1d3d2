/* test_gpu.c: the job's part of the GPUs, by a library that stands in for the driver's
 * (fake_nvml.c) in its new and its old layout, and a /proc of the test's own. */
#include "support/test.h"

#include <dlfcn.h>
#include <math.h>
#include <unistd.h>

#include "watch/sample/gpu.h"
#include "watch/sample/nvml.h"

enum { MAIN = 100, CHILD = 101, STRANGER = 200, ORPHAN = 201, INNER = 7, UID = 1000 };
static const unsigned long long GB = 1ULL << 30;

typedef struct bench {
    base_mem mem;
    vg_error err;
    char root[64], note[160];
    watch_tree *tree;
    watch_gpu *gpu;
    void *library;
    const char *path;
    void (*reset)(unsigned int n, nvmlReturn_t answer);
    void (*device)(unsigned int, unsigned long long, unsigned long long, unsigned int, int);
    void (*process)(unsigned int, int, unsigned int, unsigned long long);
    int (*n_open)(void);
} bench;

static void put_process(const bench *b, int pid, int parent, int uid, int inner)
{
    char path[128];
    snprintf(path, sizeof path, "mkdir -p %s/%d", b->root, pid);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/%d/stat", b->root, pid);
    FILE *f = fopen(path, "w");
    fprintf(f, "%d (x) S %d 1 1 0 -1 0 1 0 1 0 5 5 0 0 20 0 1 0 %d 0 0\n", pid, parent, pid);
    fclose(f);
    snprintf(path, sizeof path, "%s/%d/status", b->root, pid);
    f = fopen(path, "w");
    fprintf(f, "Name:\tx\nUid:\t%d\t%d\t%d\t%d\nNSpid:\t%d\t%d\n", uid, uid, uid, uid, pid, inner);
    fclose(f);
}

static void *symbol(const bench *b, const char *name)
{
    void *f = dlsym(b->library, name);
    assert_non_null(f);
    return f;
}

static int setup_with(bench *b, void **state, const char *path)
{
    bool is_there;
    *b = (bench){.mem = {.tag = "test"}, .root = "/tmp/vigil-proc-XXXXXX", .path = path};
    *state = b;
    if (mkdtemp(b->root) == NULL || (b->library = dlopen(path, RTLD_NOW)) == NULL)
        return -1;
    void *f = symbol(b, "fake_nvml_reset");
    memcpy(&b->reset, &f, sizeof f);
    f = symbol(b, "fake_nvml_device");
    memcpy(&b->device, &f, sizeof f);
    f = symbol(b, "fake_nvml_process");
    memcpy(&b->process, &f, sizeof f);
    f = symbol(b, "fake_nvml_n_open");
    memcpy(&b->n_open, &f, sizeof f);
    put_process(b, MAIN, 1, UID, MAIN);
    put_process(b, CHILD, MAIN, UID, INNER);
    put_process(b, STRANGER, 1, UID + 1, STRANGER);
    put_process(b, ORPHAN, 1, UID, ORPHAN);
    const watch_tree_options o = {.main_pid = MAIN, .proc = b->root};
    return watch_tree_create(&b->tree, &o, &b->mem, &b->err) == VG_OK &&
                   watch_tree_look(b->tree, 0, &is_there, &b->mem, &b->err) == VG_OK
               ? 0
               : -1;
}

static bench the_bench;

static int setup(void **state)
{
    return setup_with(&the_bench, state, FAKE_NVML);
}

static int setup_old(void **state)
{
    return setup_with(&the_bench, state, FAKE_NVML_OLD);
}

static int teardown(void **state)
{
    bench *b = *state;
    char command[96];
    watch_gpu_close(&b->gpu);
    watch_tree_destroy(&b->tree);
    const int n_open = b->n_open();
    dlclose(b->library);
    snprintf(command, sizeof command, "rm -r %s", b->root);
    return system(command) == 0 && n_open == 0 && b->mem.in_use_bytes == 0 ? 0 : -1;
}

static void open_gpu(bench *b)
{
    assert_int_equal(watch_gpu_open(&b->gpu, b->path, b->note, sizeof b->note, &b->mem, &b->err),
                     VG_OK);
}

static watch_sample look(bench *b)
{
    watch_sample s;
    watch_sample_clear(&s, 0);
    watch_gpu_read(b->gpu, b->tree, b->root, UID, &s);
    return s;
}

static void the_trees_memory_is_summed_by_device(void **state)
{
    bench *b = *state;
    b->reset(2, NVML_SUCCESS);
    b->device(0, 16 * GB, 9 * GB, 73, 0);
    b->device(1, 24 * GB, 1 * GB, 20, 0);
    b->process(0, 0, MAIN, 3 * GB);
    b->process(0, 1, MAIN, 3 * GB); /* computes and draws: one process, once */
    b->process(0, 0, CHILD, 2 * GB);
    b->process(0, 0, STRANGER, 4 * GB);
    open_gpu(b);
    assert_string_equal(b->note, "");
    const watch_sample s = look(b);
    assert_true(s.value[WATCH_GPU0_BYTES] == (double)(5 * GB));
    assert_true(s.value[WATCH_GPU1_BYTES] == 0);
    assert_true(isnan(s.value[WATCH_GPU2_BYTES]));
    assert_true(s.value[WATCH_LIMIT_GPU0_BYTES] == (double)(16 * GB));
    assert_true(s.value[WATCH_LIMIT_GPU1_BYTES] == (double)(24 * GB));
    assert_float_equal(s.value[WATCH_GPU_UTILISATION], 0.73, 1e-12);
    assert_true(s.value[WATCH_GPU_ORPHANS] == 0);
    assert_null(watch_gpu_note(b->gpu));
}

static void orphans_of_the_owner_alone_count_once(void **state)
{
    bench *b = *state;
    b->reset(2, NVML_SUCCESS);
    b->device(0, GB, GB, 0, 0);
    b->device(1, GB, GB, 0, 0);
    b->process(0, 0, ORPHAN, 1);
    b->process(1, 0, ORPHAN, 1);
    b->process(1, 0, STRANGER, 1);
    open_gpu(b);
    assert_true(look(b).value[WATCH_GPU_ORPHANS] == 1);
}

static void numbers_of_a_container_are_mapped(void **state)
{
    bench *b = *state;
    b->reset(1, NVML_SUCCESS);
    b->device(0, GB, GB, 0, 0);
    b->process(0, 0, INNER, 12345);
    open_gpu(b);
    assert_true(look(b).value[WATCH_GPU0_BYTES] == 12345);
}

static void numbers_of_nobody_here_leave_the_devices_difference(void **state)
{
    bench *b = *state;
    b->reset(1, NVML_SUCCESS);
    b->device(0, 10 * GB, 2 * GB, 0, 0);
    b->process(0, 0, 99999, GB);
    open_gpu(b);
    for (int i = 0; i < 2; i++) { /* it might have been one that was ending */
        assert_true(isnan(look(b).value[WATCH_GPU0_BYTES]));
        assert_null(watch_gpu_note(b->gpu));
    }
    b->device(0, 10 * GB, 5 * GB, 0, 0);
    b->process(0, 0, 99999, 4 * GB);
    assert_true(look(b).value[WATCH_GPU0_BYTES] == (double)(3 * GB));
    assert_non_null(watch_gpu_note(b->gpu));
    look(b);
    assert_null(watch_gpu_note(b->gpu)); /* once */
}

static void memory_that_is_not_available_or_not_listed_is_the_difference(void **state)
{
    bench *b = *state;
    b->reset(2, NVML_SUCCESS);
    b->device(0, 10 * GB, GB, 0, 0);
    b->device(1, 10 * GB, GB, 0, 1);
    b->process(0, 0, MAIN, ~0ULL);
    open_gpu(b);
    look(b);
    look(b);
    const watch_sample s = look(b);
    assert_true(s.value[WATCH_GPU0_BYTES] == 0);
    assert_true(s.value[WATCH_GPU1_BYTES] == 0);
}

static void more_processes_than_fit_are_not_guessed(void **state)
{
    bench *b = *state;
    b->reset(1, NVML_SUCCESS);
    b->device(0, GB, GB, 0, 0);
    for (unsigned int i = 0; i < 300; i++)
        b->process(0, 0, MAIN, 1);
    open_gpu(b);
    assert_true(isnan(look(b).value[WATCH_GPU0_BYTES]));
}

static void more_devices_than_are_followed_are_said(void **state)
{
    bench *b = *state;
    b->reset(6, NVML_SUCCESS);
    open_gpu(b);
    assert_string_equal(b->note, "6 GPUs: the first 4 are read");
    look(b);
}

static void an_absent_library_is_said_and_no_error(void **state)
{
    bench *b = *state;
    b->path = "libvigil-no-such-driver.so.1";
    open_gpu(b);
    assert_null(b->gpu);
    assert_non_null(strstr(b->note, "no NVIDIA driver"));
}

static void a_driver_that_fails_is_said_and_no_error(void **state)
{
    bench *b = *state;
    b->reset(1, NVML_ERROR_GPU_IS_LOST);
    open_gpu(b);
    assert_null(b->gpu);
    assert_non_null(strstr(b->note, "does not answer"));
    b->reset(0, NVML_SUCCESS);
    open_gpu(b);
    assert_null(b->gpu);
    assert_string_equal(b->note, "no GPU here");
}

int main(void)
{
#define T(name)   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define OLD(name) cmocka_unit_test_setup_teardown(name, setup_old, teardown)
    const struct CMUnitTest tests[] = {
        T(the_trees_memory_is_summed_by_device),
        OLD(the_trees_memory_is_summed_by_device),
        T(orphans_of_the_owner_alone_count_once),
        T(numbers_of_a_container_are_mapped),
        T(numbers_of_nobody_here_leave_the_devices_difference),
        T(memory_that_is_not_available_or_not_listed_is_the_difference),
        T(more_processes_than_fit_are_not_guessed),
        T(more_devices_than_are_followed_are_said),
        T(an_absent_library_is_said_and_no_error),
        T(a_driver_that_fails_is_said_and_no_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
