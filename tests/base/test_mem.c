/* Accounts add up, stop at their limits, and fail where a test says so. */
#define BASE_IMPLEMENTATION /* here malloc plays the library */
#include "support/test.h"

#include <assert.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

enum { KB = 1024, MB = 1024 * 1024 };

/* Under a sanitizer the heap is not glibc's. */
static bool has_glibc_heap(void)
{
    return mallinfo2().arena > 0;
}

static void blocks_are_aligned_and_counted(void **state)
{
    (void)state;
    base_mem m = {.tag = "test"};
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, MB - 1, MB, MB + 1, 3 * MB};
    enum { N = sizeof sizes / sizeof *sizes };
    char *blocks[N];
    size_t sum = 0;
    for (size_t i = 0; i < N; i++) {
        blocks[i] = base_alloc(&m, sizes[i], NULL);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % BASE_MEM_ALIGN, 0);
        memset(blocks[i], (int)i, sizes[i]);
        sum += sizes[i];
        assert_int_equal(m.in_use_bytes, sum);
    }
    for (size_t i = 0; i < N; i++)
        base_free(blocks[i]);
    base_free(NULL);
    assert_int_equal(m.in_use_bytes, 0);
    assert_int_equal(m.peak_bytes, sum);
    assert_int_equal(m.n_allocs, N);
    assert_int_equal(m.n_frees, N);
}

static void parents_bear_what_children_take(void **state)
{
    (void)state;
    base_mem root;
    base_mem a;
    base_mem b;
    base_mem_init(&root, "root", NULL, SIZE_MAX);
    base_mem_init(&a, "a", &root, SIZE_MAX);
    base_mem_init(&b, "b", &root, SIZE_MAX);
    void *x = base_alloc(&a, 100, NULL);
    void *y = base_alloc(&b, 50, NULL);
    assert_int_equal(a.in_use_bytes, 100);
    assert_int_equal(root.in_use_bytes, 150);
    base_free(x);
    assert_int_equal(a.in_use_bytes, 0);
    assert_int_equal(root.in_use_bytes, 50);
    assert_int_equal(root.peak_bytes, 150);
    base_free(y);
    assert_int_equal(root.n_allocs, 2);
    assert_int_equal(root.n_frees, 2);
}

static void a_limit_is_reached_exactly_and_not_passed(void **state)
{
    (void)state;
    base_mem root;
    base_mem child;
    base_mem_init(&root, "root", NULL, 1000);
    base_mem_init(&child, "child", &root, 600);
    vg_error err = {0};
    void *x = base_alloc(&child, 600, &err);
    assert_non_null(x);
    assert_null(base_alloc(&child, 1, &err));
    assert_int_equal(err.status, VG_ERR_MEMORY);
    assert_string_equal(err.what, "1 bytes of child do not fit: 600 in use, limit 600");
    void *y = base_alloc(&root, 400, &err);
    assert_non_null(y);
    base_free(x);
    /* The parent's limit holds for the child, and the refused bytes are taken back from the child.
     */
    assert_null(base_realloc(&root, y, 1001, &err));
    assert_string_equal(err.where, "account root");
    void *z = base_alloc(&root, 300, NULL);
    assert_null(base_alloc(&child, 301, &err));
    assert_string_equal(err.what, "301 bytes of child do not fit: 700 in use, limit 1000");
    assert_string_equal(err.where, "account root");
    assert_int_equal(child.in_use_bytes, 0);
    assert_int_equal(root.in_use_bytes, 700);
    base_free(y);
    base_free(z);
    assert_int_equal(root.in_use_bytes, 0);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    base_mem m = {.tag = "test"};
    vg_error err = {0};
    assert_null(base_alloc(&m, SIZE_MAX, &err));
    assert_int_equal(err.status, VG_ERR_MEMORY);
    assert_null(base_alloc(&m, SIZE_MAX - 64, &err));
    assert_null(base_alloc_zero(&m, SIZE_MAX / 2, 3, &err));
    assert_int_equal(err.status, VG_ERR_MEMORY);
    assert_null(base_alloc(&m, (size_t)1 << 60, &err));
    void *x = base_alloc(&m, 2 * MB, NULL);
    assert_null(base_realloc(&m, x, SIZE_MAX - 64, &err));
    assert_null(base_realloc(&m, x, (size_t)1 << 60, &err));
    assert_int_equal(m.in_use_bytes, 2 * MB);
    base_free(x);
    assert_int_equal(m.in_use_bytes, 0);
    size_t out = 7;
    assert_false(base_mul_size(&out, (size_t)1 << 32, (size_t)1 << 32));
    assert_true(base_mul_size(&out, 6, 7));
    assert_int_equal(out, 42);
    assert_false(base_add_size(&out, SIZE_MAX, 1));
    assert_true(base_add_size(&out, SIZE_MAX, 0));
    assert_true(out == SIZE_MAX);
    assert_int_equal(base_round_up(65, 64), 128);
    assert_int_equal(base_round_up(64, 64), 64);
}

static void zeroed_blocks_are_zero_after_dirty_ones(void **state)
{
    (void)state;
    base_mem m = {.tag = "test"};
    static const size_t sizes[] = {1000, 2 * MB};
    for (size_t i = 0; i < 2; i++) {
        char *x = base_alloc(&m, sizes[i], NULL);
        memset(x, 0xff, sizes[i]);
        base_free(x);
        x = base_alloc_zero(&m, sizes[i] / 8, 8, NULL);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(x[k], 0);
        base_free(x);
    }
}

static void realloc_keeps_contents_alignment_and_account(void **state)
{
    (void)state;
    base_mem root = {.tag = "root"};
    base_mem a;
    base_mem_init(&a, "a", &root, 0);
    static const size_t sizes[] = {1, 100, 50, 4 * KB, MB, 3 * MB, 5 * MB, 2 * MB, MB - 1, 10};
    uint8_t *x = base_realloc(&a, NULL, 1, NULL);
    x[0] = 1;
    size_t kept = 1;
    for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
        x = base_realloc(&root, x, sizes[i], NULL);
        assert_non_null(x);
        assert_int_equal((uintptr_t)x % BASE_MEM_ALIGN, 0);
        assert_int_equal(a.in_use_bytes, sizes[i]);
        kept = kept < sizes[i] ? kept : sizes[i];
        for (size_t k = 0; k < kept; k++)
            assert_int_equal(x[k], (uint8_t)(k * 7 + 1));
        for (size_t k = 0; k < sizes[i]; k++)
            x[k] = (uint8_t)(k * 7 + 1);
        kept = sizes[i];
    }
    base_free(x);
    assert_int_equal(root.in_use_bytes, 0);
    assert_int_equal(a.n_allocs, a.n_frees);
}

static void a_failed_realloc_leaves_the_old_block(void **state)
{
    (void)state;
    static const size_t sizes[] = {100, 2 * MB};
    for (size_t i = 0; i < 2; i++) {
        base_mem m;
        base_mem_init(&m, "test", NULL, 4 * MB);
        char *x = base_alloc(&m, sizes[i], NULL);
        x[99] = 'z';
        vg_error err = {0};
        assert_null(base_realloc(&m, x, 5 * MB, &err));
        assert_int_equal(err.status, VG_ERR_MEMORY);
        m.fail_in = 1;
        assert_null(base_realloc(&m, x, 3 * MB, &err));
        assert_int_equal(m.fail_in, 0);
        assert_int_equal(x[99], 'z');
        assert_int_equal(m.in_use_bytes, sizes[i]);
        base_free(x);
    }
}

static void the_nth_allocation_below_a_root_fails_once(void **state)
{
    (void)state;
    base_mem root = {.tag = "root"};
    base_mem child;
    base_mem_init(&child, "child", &root, SIZE_MAX);
    vg_error err = {0};
    root.fail_in = 3;
    void *x = base_alloc(&child, 1, &err);
    void *y = base_alloc(&root, 1, &err);
    assert_non_null(x);
    assert_non_null(y);
    assert_null(base_alloc(&child, 1, &err));
    assert_int_equal(err.status, VG_ERR_MEMORY);
    assert_int_equal(root.fail_in, 0);
    void *z = base_alloc(&child, 1, &err);
    assert_non_null(z);
    assert_int_equal(root.n_allocs, 3);
    base_free(x);
    base_free(y);
    base_free(z);
}

static void texts_are_copied_whole(void **state)
{
    (void)state;
    base_mem m = {.tag = "test"};
    char *a = base_strdup(&m, "hello", NULL);
    char *b = base_strndup(&m, "hello", 3, NULL);
    char *c = base_strndup(&m, "hi", 100, NULL);
    char *d = base_asprintf(&m, NULL, "%s %d", "n", 5);
    char *e = base_asprintf(&m, NULL, "%0200d", 5);
    assert_string_equal(a, "hello");
    assert_string_equal(b, "hel");
    assert_string_equal(c, "hi");
    assert_string_equal(d, "n 5");
    assert_int_equal(strlen(e), 200);
    assert_int_equal(m.in_use_bytes, 6 + 4 + 3 + 4 + 201);
    m.fail_in = 1;
    vg_error err = {0};
    assert_null(base_asprintf(&m, &err, "%d", 1));
    assert_int_equal(err.status, VG_ERR_MEMORY);
    base_free(a);
    base_free(b);
    base_free(c);
    base_free(d);
    base_free(e);
}

static void *allocate_much(void *arg)
{
    base_mem *m = arg;
    for (size_t i = 1; i <= 2000; i++) {
        void *x = base_alloc(m, i, NULL);
        void *y = base_alloc(m, 10, NULL);
        assert(x && y); /* no cmocka in threads */
        base_free(x);
        base_free(y);
    }
    return NULL;
}

static void threads_share_an_account_without_losing_a_byte(void **state)
{
    (void)state;
    base_mem root = {.tag = "root"};
    base_mem m;
    /* Each thread holds 2010 bytes at most: at the limit nobody may be refused by another's
     * attempt. */
    base_mem_init(&m, "test", &root, 4 * 2010);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, allocate_much, &m);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(m.in_use_bytes, 0);
    assert_int_equal(root.in_use_bytes, 0);
    assert_int_equal(root.n_allocs, 4 * 4000);
    assert_int_equal(root.n_frees, 4 * 4000);
    assert_true(m.peak_bytes <= 4 * 2010);
}

/* Runs fn in a child, which must die saying the words, or be stopped by a sanitizer. */
static void expect_death(void (*fn)(void), const char *words)
{
    fflush(NULL);
    FILE *f = tmpfile();
    assert_non_null(f);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(fileno(f), STDERR_FILENO);
        fn();
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    static char said[16384];
    rewind(f);
    said[fread(said, 1, sizeof said - 1, f)] = '\0';
    fclose(f);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(strstr(said, words) || strstr(said, "Sanitizer"));
}

static void free_twice(void)
{
    base_mem m = {.tag = "test"};
    void *x = base_alloc(&m, 100, NULL);
    void *volatile again = x;
    base_free(x);
    base_free(again);
}

static void write_below(void)
{
    base_mem m = {.tag = "test"};
    char *volatile x = base_alloc(&m, 100, NULL);
    x[-1] = 0;
    base_free(x);
}

static void freeing_twice_or_writing_below_is_caught(void **state)
{
    (void)state;
    expect_death(free_twice, "freed twice");
    expect_death(write_below, "wrote below its start");
}

static void library_bytes_see_the_library_and_not_us(void **state)
{
    (void)state;
    if (!has_glibc_heap()) {
        assert_int_equal(base_mem_library_bytes(), 0);
        return;
    }
    base_mem m = {.tag = "test"};
    void *ours[100];
    void *theirs[100];
    size_t before = base_mem_library_bytes();
    for (size_t i = 0; i < 100; i++)
        ours[i] = base_alloc(&m, 5000 + i, NULL);
    size_t with_ours = base_mem_library_bytes();
    assert_true(with_ours <= before + 4 * KB);
    for (size_t i = 0; i < 100; i++)
        theirs[i] = malloc(5000);
    size_t with_theirs = base_mem_library_bytes();
    assert_true(with_theirs >= with_ours + 100 * 5000);
    assert_true(with_theirs <= with_ours + 100 * 5000 + 8 * KB);
    for (size_t i = 0; i < 100; i++) {
        free(theirs[i]);
        base_free(ours[i]);
    }
    assert_true(base_mem_library_bytes() <= before + 4 * KB);
}

static void big_blocks_go_straight_back_to_the_system(void **state)
{
    (void)state;
    if (!has_glibc_heap())
        return; /* there they are the sanitizer's, which keeps them */
    enum { BYTES = 64 * MB };
    base_mem m = {.tag = "test"};
    size_t before = base_mem_resident_bytes();
    assert_true(before > 0);
    char *x = base_alloc(&m, BYTES, NULL);
    memset(x, 1, BYTES);
    assert_true(base_mem_resident_bytes() >= before + BYTES - MB);
    assert_true(base_mem_peak_resident_bytes() >= before + BYTES - MB);
    base_free(x);
    assert_true(base_mem_resident_bytes() <= before + 2 * MB);
    x = base_alloc_zero(&m, 1, BYTES, NULL); /* zero already: not touched, so not resident */
    assert_true(base_mem_resident_bytes() <= before + 2 * MB);
    base_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_counted),
        cmocka_unit_test(parents_bear_what_children_take),
        cmocka_unit_test(a_limit_is_reached_exactly_and_not_passed),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(zeroed_blocks_are_zero_after_dirty_ones),
        cmocka_unit_test(realloc_keeps_contents_alignment_and_account),
        cmocka_unit_test(a_failed_realloc_leaves_the_old_block),
        cmocka_unit_test(the_nth_allocation_below_a_root_fails_once),
        cmocka_unit_test(texts_are_copied_whole),
        cmocka_unit_test(threads_share_an_account_without_losing_a_byte),
        cmocka_unit_test(freeing_twice_or_writing_below_is_caught),
        cmocka_unit_test(library_bytes_see_the_library_and_not_us),
        cmocka_unit_test(big_blocks_go_straight_back_to_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
