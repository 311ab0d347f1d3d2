/* Files read whole into a buffer that grows. */
#include "support/test.h"

#include <fcntl.h>
#include <pthread.h>

#include "stream/scenes.h"

#include "stream/stream.h"

typedef struct bench {
    char folder[256];
    base_mem mem;
    picture_bytes b;
    vg_error err;
} bench;

static int set_up(void **state)
{
    bench *t = scene_alloc(sizeof *t);
    base_mem_init(&t->mem, "test", NULL, 0);
    *state = t;
    return folder_make(t->folder, sizeof t->folder);
}

static int tear_down(void **state)
{
    bench *t = *state;
    picture_bytes_fini(&t->b);
    int left = t->mem.in_use_bytes != 0;
    folder_remove(t->folder);
    free(t);
    return left ? -1 : 0;
}

/* Begins as a JPEG does: what does not is not read to its end. */
static char *pattern(size_t n)
{
    char *text = scene_alloc(n + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(i * 2654435761u >> 9);
    memcpy(text, "\xff\xd8\xff", n < 3 ? n : 3);
    return text;
}

static void put(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void files_of_any_size_are_read_whole(void **state)
{
    bench *t = *state;
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 1 << 20, 300, 0};
    const char *path = scene_path(t->folder, "f");
    char *want = pattern(1 << 20);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        put(path, want, sizes[i]);
        assert_int_equal(picture_bytes_read(&t->b, path, false, 0, &t->mem, &t->err), VG_OK);
        assert_int_equal(t->b.n, sizes[i]);
        if (sizes[i] > 0)
            assert_memory_equal(t->b.block, want, sizes[i]);
    }
    free(want);
}

static void reserved_for_the_largest_it_allocates_no_more(void **state)
{
    bench *t = *state;
    const char *path = scene_path(t->folder, "f");
    char *want = pattern(200000);
    assert_int_equal(picture_bytes_reserve(&t->b, 200001, &t->mem, &t->err), VG_OK);
    uint64_t n_allocs = t->mem.n_allocs;
    for (size_t n = 200000; n > 0; n /= 7) {
        put(path, want, n);
        assert_int_equal(picture_bytes_read(&t->b, path, false, 0, &t->mem, &t->err), VG_OK);
        assert_int_equal(t->b.n, n);
    }
    assert_int_equal(t->mem.n_allocs, n_allocs);
    free(want);
}

static void what_is_no_picture_is_read_no_further_than_its_head(void **state)
{
    bench *t = *state;
    const char *path = scene_path(t->folder, "f");
    char *want = pattern(1 << 20);
    want[0] = 'x';
    put(path, want, 1 << 20);
    assert_int_equal(picture_bytes_read(&t->b, path, false, 0, &t->mem, &t->err), VG_OK);
    assert_in_range(t->b.n, 4096, 65536);
    assert_memory_equal(t->b.block, want, t->b.n);
    assert_in_range(t->b.capacity, 1, 65536);
    assert_int_equal(picture_bytes_read(&t->b, "/dev/zero", true, 0, &t->mem, &t->err), VG_OK);
    assert_in_range(t->b.capacity, 1, 65536);
    free(want);
}

static void a_head_stops_where_asked(void **state)
{
    bench *t = *state;
    const char *path = scene_path(t->folder, "f");
    char *want = pattern(5000);
    put(path, want, 5000);
    assert_int_equal(picture_bytes_read(&t->b, path, false, 100, &t->mem, &t->err), VG_OK);
    assert_int_equal(t->b.n, 100);
    assert_memory_equal(t->b.block, want, 100);
    assert_int_equal(picture_bytes_read(&t->b, path, false, 9000, &t->mem, &t->err), VG_OK);
    assert_int_equal(t->b.n, 5000);
    free(want);
}

static void what_is_no_file_is_told(void **state)
{
    bench *t = *state;
    assert_int_equal(picture_bytes_read(&t->b, t->folder, false, 0, &t->mem, &t->err), VG_ERR_IO);
    assert_non_null(strstr(t->err.what, "folder"));
    assert_string_equal(t->err.where, t->folder);
    const char *none = scene_path(t->folder, "none");
    assert_int_equal(picture_bytes_read(&t->b, none, false, 0, &t->mem, &t->err), VG_ERR_IO);
    assert_string_equal(t->err.where, none);
}

typedef struct writer {
    const char *path, *bytes;
    size_t n;
} writer;

static void *write_slowly(void *self)
{
    writer *w = self;
    int fd = open(w->path, O_WRONLY); /* waits for the reader */
    for (size_t at = 0; at < w->n;) {
        ssize_t n = write(fd, w->bytes + at, w->n - at < 7777 ? w->n - at : 7777);
        at += n > 0 ? (size_t)n : w->n;
        usleep(200);
    }
    close(fd);
    return NULL;
}

static void a_pipe_is_waited_for_only_when_allowed(void **state)
{
    bench *t = *state;
    const char *path = scene_path(t->folder, "pipe");
    char *want = pattern(300000);
    assert_int_equal(mkfifo(path, 0600), 0);
    /* Nobody writes: refused at once. */
    assert_int_equal(picture_bytes_read(&t->b, path, false, 0, &t->mem, &t->err), VG_ERR_IO);
    assert_non_null(strstr(t->err.what, "pipe"));
    writer w = {path, want, 300000};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, &w), 0);
    assert_int_equal(picture_bytes_read(&t->b, path, true, 0, &t->mem, &t->err), VG_OK);
    pthread_join(thread, NULL);
    assert_int_equal(t->b.n, 300000);
    assert_memory_equal(t->b.block, want, 300000);
    free(want);
}

static void standard_input_stays_open(void **state)
{
    bench *t = *state;
    const char *path = scene_path(t->folder, "f");
    put(path, "abc", 3);
    int saved = dup(STDIN_FILENO), fd = open(path, O_RDONLY);
    dup2(fd, STDIN_FILENO);
    close(fd);
    assert_int_equal(picture_bytes_read(&t->b, "-", true, 0, &t->mem, &t->err), VG_OK);
    assert_int_equal(t->b.n, 3);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void no_memory_is_an_error_and_keeps_the_buffer(void **state)
{
    bench *t = *state;
    const char *path = scene_path(t->folder, "f");
    char *want = pattern(100000);
    put(path, want, 100000);
    t->mem.fail_in = 1;
    assert_int_equal(picture_bytes_read(&t->b, path, false, 0, &t->mem, &t->err), VG_ERR_MEMORY);
    assert_int_equal(picture_bytes_read(&t->b, path, false, 0, &t->mem, &t->err), VG_OK);
    assert_memory_equal(t->b.block, want, 100000);
    free(want);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(files_of_any_size_are_read_whole),
        TEST(reserved_for_the_largest_it_allocates_no_more),
        TEST(what_is_no_picture_is_read_no_further_than_its_head),
        TEST(a_head_stops_where_asked),
        TEST(what_is_no_file_is_told),
        TEST(a_pipe_is_waited_for_only_when_allowed),
        TEST(standard_input_stays_open),
        TEST(no_memory_is_an_error_and_keeps_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
