/* Files are read whole, and replaced whole or not at all. */
#include "support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "own_folder.h"

/* A path in the test's folder; the last four stay valid. */
static const char *in(const char *name)
{
    static char paths[4][5632];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
}

static void expect(const char *path, const char *text)
{
    base_mem m = {.tag = "test"};
    char *got;
    size_t n;
    assert_int_equal(base_file_read(&got, &n, path, 1 << 20, &m, NULL), VG_OK);
    assert_string_equal(got, text);
    base_free(got);
}

static void a_map_shows_the_files_bytes(void **state)
{
    (void)state;
    put(in("a"), "hello");
    base_map m;
    assert_int_equal(base_map_open(&m, in("a"), NULL), VG_OK);
    assert_int_equal(m.n_bytes, 5);
    assert_memory_equal(m.bytes, "hello", 5);
    base_map_forget(&m);
    assert_memory_equal(m.bytes, "hello", 5);
    base_map_close(&m);
    assert_null(m.bytes);
    base_map_close(&m);
    base_map_forget(&m);
}

static void an_empty_file_maps_to_nothing(void **state)
{
    (void)state;
    put(in("empty"), "");
    base_map m = {.n_bytes = 9};
    assert_int_equal(base_map_open(&m, in("empty"), NULL), VG_OK);
    assert_null(m.bytes);
    assert_int_equal(m.n_bytes, 0);
    base_map_close(&m);
}

static void only_regular_files_are_mapped(void **state)
{
    (void)state;
    base_map m;
    vg_error err;
    assert_int_equal(base_map_open(&m, in("absent"), &err), VG_ERR_IO);
    assert_non_null(strstr(err.what, "No such file"));
    assert_string_equal(err.where, in("absent"));
    assert_int_equal(base_map_open(&m, folder, &err), VG_ERR_IO);
    assert_string_equal(err.what, "a folder, where a file is needed");
    assert_null(m.bytes);
    mkfifo(in("pipe"), 0600); /* nobody writes: must not hang */
    assert_int_equal(base_map_open(&m, in("pipe"), &err), VG_ERR_IO);
}

static void reading_stops_at_the_stated_size(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    char *text;
    size_t n;
    vg_error err;
    put(in("a"), "hello");
    assert_int_equal(base_file_read(&text, &n, in("a"), 5, &mem, &err), VG_OK);
    assert_int_equal(n, 5);
    assert_string_equal(text, "hello");
    base_free(text);
    assert_int_equal(base_file_read(&text, &n, in("a"), 4, &mem, &err), VG_ERR_LIMIT);
    assert_null(text);
    assert_int_equal(n, 0);
    assert_int_equal(base_file_read(&text, &n, in("absent"), 4, &mem, &err), VG_ERR_IO);
    assert_int_equal(base_file_read(&text, &n, folder, 4, &mem, &err), VG_ERR_IO);
    assert_int_equal(base_file_read(&text, &n, in("a"), SIZE_MAX, &mem, &err), VG_OK);
    base_free(text);
    put(in("empty"), "");
    assert_int_equal(base_file_read(&text, &n, in("empty"), 0, &mem, &err), VG_OK);
    assert_int_equal(n, 0);
    assert_string_equal(text, "");
    base_free(text);
    /* Its size is 0 until it is read. */
    assert_int_equal(base_file_read(&text, &n, "/proc/self/status", 1 << 20, &mem, &err), VG_OK);
    assert_true(n > 100);
    base_free(text);
    assert_int_equal(base_file_read(&text, &n, "/proc/self/status", 10, &mem, &err), VG_ERR_LIMIT);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void standard_input_is_read_to_its_end(void **state)
{
    (void)state;
    enum { N = 300000 };
    base_mem mem = {.tag = "test"};
    FILE *f = fopen(in("in"), "wb");
    for (int i = 0; i < N; i++)
        fputc('a' + i % 26, f);
    fclose(f);
    int kept = dup(STDIN_FILENO);
    for (size_t most = N - 1; most <= N; most++) {
        int fd = open(in("in"), O_RDONLY);
        dup2(fd, STDIN_FILENO);
        close(fd);
        char *text;
        size_t n;
        vg_status st = base_file_read(&text, &n, "-", most, &mem, NULL);
        if (most < N) {
            assert_int_equal(st, VG_ERR_LIMIT);
            continue;
        }
        assert_int_equal(st, VG_OK);
        assert_int_equal(n, N);
        assert_int_equal(text[N - 1], 'a' + (N - 1) % 26);
        assert_int_equal(text[N], 0);
        base_free(text);
    }
    dup2(kept, STDIN_FILENO);
    close(kept);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void every_refused_allocation_ends_a_read_cleanly(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    int failures = 0;
    for (int64_t k = 1;; k++) {
        char *text;
        size_t n;
        vg_error err;
        mem.fail_in = k;
        vg_status st = base_file_read(&text, &n, "/proc/self/smaps", 1 << 22, &mem, &err);
        if (st == VG_OK) {
            base_free(text);
            break;
        }
        assert_int_equal(st, VG_ERR_MEMORY);
        assert_null(text);
        assert_int_equal(mem.in_use_bytes, 0);
        failures++;
    }
    assert_true(failures >= 1);
}

static void a_target_appears_on_commit_and_not_before(void **state)
{
    (void)state;
    base_file f;
    assert_int_equal(base_file_create_beside(&f, in("t"), NULL), VG_OK);
    assert_int_equal(base_file_write(&f, "ab", 2, NULL), VG_OK);
    assert_int_equal(base_file_write(&f, "c", 1, NULL), VG_OK);
    assert_false(base_path_exists(in("t")));
    assert_int_equal(base_file_commit(&f, in("t"), NULL), VG_OK);
    expect(in("t"), "abc");
    base_file_discard(&f);
    expect(in("t"), "abc");
    assert_int_equal(folder_count_entries(folder), 1);
}

static void discard_leaves_the_old_file(void **state)
{
    (void)state;
    put(in("t"), "old");
    base_file f;
    base_file g;
    assert_int_equal(base_file_create_beside(&f, in("t"), NULL), VG_OK);
    assert_int_equal(base_file_create_beside(&g, in("t"), NULL), VG_OK); /* two at once */
    base_file_write(&f, "new", 3, NULL);
    base_file_discard(&f);
    base_file_discard(&f);
    expect(in("t"), "old");
    assert_int_equal(base_file_commit(&g, in("t"), NULL), VG_OK);
    expect(in("t"), "");
    assert_int_equal(folder_count_entries(folder), 1);
    base_file none = {0};
    base_file_discard(&none); /* must not close standard input */
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

static void a_failed_target_leaves_nothing_behind(void **state)
{
    (void)state;
    vg_error err;
    mkdir(in("dir"), 0700);
    assert_int_equal(base_file_replace(in("dir"), "x", 1, &err), VG_ERR_IO);
    assert_string_equal(err.where, in("dir"));
    assert_true(base_path_is_dir(in("dir")));
    assert_int_equal(folder_count_entries(folder), 1);
    assert_int_equal(base_file_replace(in("no/t"), "x", 1, &err), VG_ERR_IO);
    assert_string_equal(err.mend, "create the folder first");
    char path[5000];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(base_file_replace(path, "x", 1, &err), VG_ERR_LIMIT);
    assert_int_equal(base_file_replace(in(path + sizeof path - 257), "x", 1, &err), VG_ERR_LIMIT);
    assert_int_equal(folder_count_entries(folder), 1);
}

static void published_is_whole_and_in_place(void **state)
{
    (void)state;
    base_file f;
    put(in("t"), "old");
    assert_int_equal(base_file_create_beside(&f, in("t"), NULL), VG_OK);
    assert_int_equal(base_file_write(&f, "new", 3, NULL), VG_OK);
    expect(in("t"), "old");
    assert_int_equal(base_file_publish(&f, in("t"), NULL), VG_OK);
    expect(in("t"), "new");
    base_file_discard(&f);
    expect(in("t"), "new");
    assert_int_equal(folder_count_entries(folder), 1);
    mkdir(in("dir"), 0700);
    assert_int_equal(base_file_create_beside(&f, in("dir"), NULL), VG_OK);
    assert_int_equal(base_file_publish(&f, in("dir"), NULL), VG_ERR_IO);
    base_file_discard(&f);
    assert_int_equal(folder_count_entries(folder), 2);
}

static void a_full_disk_is_told_and_the_old_file_kept(void **state)
{
    (void)state;
    put(in("t"), "old");
    base_file f;
    vg_error err;
    assert_int_equal(base_file_create_beside(&f, in("t"), NULL), VG_OK);
    int full = open("/dev/full", O_WRONLY);
    if (full < 0)
        skip();
    dup2(full, f.fd);
    close(full);
    assert_int_equal(base_file_write(&f, "new", 3, &err), VG_ERR_IO);
    assert_string_equal(err.mend, "free some disk space");
    base_file_discard(&f);
    expect(in("t"), "old");
    assert_int_equal(folder_count_entries(folder), 1);
}

static void replace_changes_the_whole_text(void **state)
{
    (void)state;
    put(in("t"), "a long old text");
    assert_int_equal(base_file_replace(in("t"), "new", 3, NULL), VG_OK);
    expect(in("t"), "new");
    assert_int_equal(base_file_replace(in("t"), NULL, 0, NULL), VG_OK);
    expect(in("t"), "");
    char here[1024]; /* a target without a folder in its path */
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(base_file_replace("plain", "x", 1, NULL), VG_OK);
    assert_int_equal(chdir(here), 0);
    expect(in("plain"), "x");
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    vg_error err;
    assert_int_equal(base_make_dirs(in("a/b//c/"), NULL), VG_OK);
    assert_true(base_path_is_dir(in("a/b/c")));
    assert_int_equal(base_make_dirs(in("a/b/c"), NULL), VG_OK);
    assert_int_equal(base_make_dirs("/", NULL), VG_OK);
    put(in("file"), "");
    assert_int_equal(base_make_dirs(in("file"), &err), VG_ERR_IO);
    assert_non_null(strstr(err.what, "Not a directory"));
    assert_int_equal(base_make_dirs(in("file/x"), &err), VG_ERR_IO);
    assert_string_equal(err.where, in("file"));
    assert_int_equal(base_make_dirs("", &err), VG_ERR_IO);
    assert_true(base_path_exists(in("file")));
    assert_false(base_path_is_dir(in("file")));
    assert_false(base_path_exists(in("absent")));
}

/* 240 to 255 bytes are names that the file system takes: what stands behind them while they are
 * written must not count. */
static void the_longest_names_are_replaced_too(void **state)
{
    (void)state;
    for (size_t n = 235; n <= 256; n++) {
        char name[300] = "";
        vg_error err;
        memset(name, 'n', n);
        const vg_status st = base_file_replace(in(name), "long", 4, &err);
        assert_int_equal(st, n <= 255 ? VG_OK : VG_ERR_LIMIT);
        if (n <= 255)
            expect(in(name), "long");
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, own_folder_setup, own_folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_map_shows_the_files_bytes),
        TEST(an_empty_file_maps_to_nothing),
        TEST(only_regular_files_are_mapped),
        TEST(reading_stops_at_the_stated_size),
        TEST(standard_input_is_read_to_its_end),
        TEST(every_refused_allocation_ends_a_read_cleanly),
        TEST(a_target_appears_on_commit_and_not_before),
        TEST(discard_leaves_the_old_file),
        TEST(published_is_whole_and_in_place),
        TEST(a_failed_target_leaves_nothing_behind),
        TEST(a_full_disk_is_told_and_the_old_file_kept),
        TEST(replace_changes_the_whole_text),
        TEST(folders_are_made_with_their_parents),
        TEST(the_longest_names_are_replaced_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
