/* test_keep.c: files that would grow without end stay within their bounds. */
#include "support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "own_folder.h"

static const char *in_folder(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void assert_holds(const char *name, const char *text)
{
    base_mem mem = {.tag = "test"};
    char *got = NULL;
    size_t n;
    assert_int_equal(base_file_read(&got, &n, in_folder(name), 1024, &mem, NULL), VG_OK);
    assert_string_equal(got, text);
    base_free(got);
}

/* The file's time: seconds. */
static void put_at(const char *dir, const char *name, long s)
{
    own_folder_put(dir, name, "x");
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", folder, dir, name);
    const struct timespec times[2] = {{.tv_sec = s}, {.tv_sec = s}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void the_newest_of_a_folder_and_of_those_in_it_stay(void **state)
{
    base_mem mem = {.tag = "test"};
    (void)state;
    put_at("a", "old.jpg", 10);
    put_at("a/b", "newest.jpg", 40);
    put_at("a/b", "older.jpg", 5);
    put_at("a", "new.jpg", 30);
    put_at("a", "old.txt", 1);
    put_at("a/b/c", "deep.jpg", 1); /* as deep as crops go, and no deeper */
    assert_int_equal(base_keep_newest(in_folder("a"), ".jpg", 2, &mem, NULL), VG_OK);
    assert_true(base_path_exists(in_folder("a/new.jpg")));
    assert_true(base_path_exists(in_folder("a/b/newest.jpg")));
    assert_false(base_path_exists(in_folder("a/old.jpg")));
    assert_false(base_path_exists(in_folder("a/b/older.jpg")));
    assert_true(base_path_exists(in_folder("a/old.txt")));
    assert_true(base_path_exists(in_folder("a/b/c/deep.jpg")));
    assert_int_equal(mem.in_use_bytes, 0);
}

static void of_files_of_one_time_just_so_many_stay(void **state)
{
    base_mem mem = {.tag = "test"};
    (void)state;
    for (int i = 0; i < 9; i++)
        put_at("a", base_text_make("%d.jpg", i).text, 10);
    assert_int_equal(base_keep_newest(in_folder("a"), ".jpg", 4, &mem, NULL), VG_OK);
    assert_int_equal(folder_count_entries(in_folder("a")), 4);
    assert_int_equal(base_keep_newest(in_folder("nowhere"), ".jpg", 4, &mem, NULL), VG_OK);
}

static void a_log_is_moved_on_and_the_last_is_overwritten(void **state)
{
    (void)state;
    const char *const texts[] = {"one", "two", "three", "four"};
    for (int i = 0; i < 4; i++) {
        own_folder_put("", "log.jsonl", texts[i]);
        assert_int_equal(base_keep_rotate(in_folder("log.jsonl"), 2, NULL), VG_OK);
        assert_false(base_path_exists(in_folder("log.jsonl")));
    }
    assert_holds("log.1.jsonl", "four");
    assert_holds("log.2.jsonl", "three");
    assert_int_equal(folder_count_entries(folder), 2);
}

static void a_log_of_which_none_is_kept_stays_where_it_is(void **state)
{
    (void)state;
    own_folder_put("", "log.jsonl", "one");
    assert_int_equal(base_keep_rotate(in_folder("log.jsonl"), 0, NULL), VG_OK);
    assert_holds("log.jsonl", "one");
    assert_int_equal(folder_count_entries(folder), 1);
}

static void a_log_that_cannot_be_moved_is_an_error_with_its_place(void **state)
{
    vg_error err = {0};
    (void)state;
    own_folder_put("log.1.jsonl", "a folder in its place", "x");
    own_folder_put("", "log.jsonl", "one");
    assert_int_equal(base_keep_rotate(in_folder("log.jsonl"), 1, &err), VG_ERR_IO);
    assert_string_equal(err.where, in_folder("log.jsonl"));
    assert_holds("log.jsonl", "one");
}

static void a_ring_gives_back_who_leaves_it(void **state)
{
    base_mem mem = {.tag = "test"};
    base_keep_ring r;
    int old = -1;
    (void)state;
    assert_int_equal(base_keep_ring_open(&r, 3, sizeof(int), &mem, NULL), VG_OK);
    assert_int_equal(mem.in_use_bytes > 0, 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(base_keep_ring_push(&r, &old, &i), i >= 3);
        if (i >= 3)
            assert_int_equal(old, i - 3);
    }
    base_keep_ring_close(&r);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void a_ring_of_none_keeps_all(void **state)
{
    base_mem mem = {.tag = "test"};
    base_keep_ring r;
    int old = -1;
    (void)state;
    assert_int_equal(base_keep_ring_open(&r, 0, sizeof(int), &mem, NULL), VG_OK);
    for (int i = 0; i < 10; i++)
        assert_false(base_keep_ring_push(&r, &old, &i));
    assert_int_equal(mem.in_use_bytes, 0);
    base_keep_ring_close(&r);
}

static void what_is_gone_already_is_removed(void **state)
{
    vg_error err = {0};
    (void)state;
    own_folder_put("", "x", "x");
    assert_int_equal(base_keep_remove(in_folder("x"), "it stays", &err), VG_OK);
    assert_false(base_path_exists(in_folder("x")));
    assert_int_equal(base_keep_remove(in_folder("x"), "it stays", &err), VG_OK);
    own_folder_put("y", "x", "x");
    assert_int_equal(base_keep_remove(in_folder("y"), "it stays", &err), VG_ERR_IO);
    assert_non_null(strstr(err.what, "it stays"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, own_folder_setup, own_folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_of_a_folder_and_of_those_in_it_stay),
        TEST(of_files_of_one_time_just_so_many_stay),
        TEST(a_log_is_moved_on_and_the_last_is_overwritten),
        TEST(a_log_of_which_none_is_kept_stays_where_it_is),
        TEST(a_log_that_cannot_be_moved_is_an_error_with_its_place),
        TEST(a_ring_gives_back_who_leaves_it),
        TEST(a_ring_of_none_keeps_all),
        TEST(what_is_gone_already_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
