/* Run folders: exp, exp2, exp3, ...; two that start at once get two. */
#include "support/test.h"

#include <pthread.h>
#include <sys/stat.h>

#include "stream/scenes.h"

#include "report/report.h"

static char project[300], folder[256];

static int set_up(void **state)
{
    (void)state;
    int st = folder_make(folder, sizeof folder);
    snprintf(project, sizeof project, "%s/runs/deep", folder);
    return st;
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove(folder);
}

static void expect(const char *name, bool exist_ok, const char *want)
{
    char path[512];
    assert_int_equal(report_run_folder_make(path, sizeof path, project, name, exist_ok, NULL, NULL),
                     VG_OK);
    assert_string_equal(base_path_name(path), want);
    assert_true(base_path_is_dir(path));
}

static void numbers_go_up_and_fill_gaps(void **state)
{
    (void)state;
    expect("exp", false, "exp");
    expect("exp", false, "exp2");
    expect("exp", false, "exp3");
    expect("other", false, "other");
    assert_int_equal(rmdir(scene_path(project, "exp2")), 0);
    expect("exp", false, "exp2");
    expect("exp", true, "exp");
    expect("new", true, "new");
    expect("new", true, "new");
}

static void a_name_may_have_folders_of_its_own(void **state)
{
    (void)state;
    expect("night/one", false, "one");
    expect("night/one", false, "one2");
    assert_true(base_path_is_dir(scene_path(project, "night/one2")));
}

static void a_file_in_the_way_is_passed_over_or_told(void **state)
{
    (void)state;
    char path[512];
    vg_error err;
    expect("first", false, "first");
    scene_write_text(scene_path(project, "exp"), "a file");
    expect("exp", false, "exp2");
    assert_int_equal(report_run_folder_make(path, sizeof path, project, "exp", true, NULL, &err),
                     VG_ERR_IO);
    assert_int_equal(
        report_run_folder_make(path, sizeof path, "/proc/no", "exp", false, NULL, &err), VG_ERR_IO);
    assert_int_equal(report_run_folder_make(path, 20, project, "exp", false, NULL, &err),
                     VG_ERR_LIMIT);
}

static int make(char path[512], const char *in, const char *name, bool exist_ok)
{
    int n_made = -1;
    assert_int_equal(report_run_folder_make(path, 512, in, name, exist_ok, &n_made, NULL), VG_OK);
    return n_made;
}

static void what_was_made_is_taken_back_and_nothing_else(void **state)
{
    (void)state;
    static const char *const made[] = {"log.txt", NULL};
    char path[512], first[512], runs[512];
    base_path_join(runs, sizeof runs, folder, "runs");
    for (int exist_ok = 0; exist_ok < 2; exist_ok++) {
        assert_int_equal(make(path, project, "exp", exist_ok != 0), 3); /* runs, deep, exp */
        mkdir(scene_path(path, "labels"), 0777);
        mkdir(scene_path(path, "labels/cam"), 0777);
        scene_write_text(scene_path(path, "labels/empty.txt"), "");
        scene_write_text(scene_path(path, "log.txt"), "of the job's start");
        report_run_folder_take_back(path, 3, made);
        assert_false(base_path_exists(runs));
        assert_true(base_path_is_dir(folder));
    }
    assert_int_equal(make(first, project, "exp", false), 3);
    assert_int_equal(make(path, project, "exp", false), 1);
    report_run_folder_take_back(path, 1, made);
    assert_false(base_path_exists(path));
    assert_true(base_path_is_dir(first));
    /* A folder that was there keeps what is in it, and itself. */
    scene_write_text(scene_path(first, "log.txt"), "of an older run");
    scene_write_text(scene_path(first, "empty.txt"), "");
    assert_int_equal(make(path, project, "exp", true), 0);
    report_run_folder_take_back(path, 0, made);
    assert_int_equal(folder_count_entries(first), 2);
    /* Results keep their folder, and those above. */
    assert_int_equal(make(path, project, "other", false), 1);
    scene_write_text(scene_path(path, "boxes.txt"), "a result");
    report_run_folder_take_back(path, 1, made);
    assert_true(base_path_exists(scene_path(path, "boxes.txt")));
}

static void a_folder_that_cannot_be_made_leaves_none_above_it(void **state)
{
    (void)state;
    char path[1024], runs[512], name[302]; /* longer than a file system takes */
    vg_error err;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    base_path_join(runs, sizeof runs, folder, "runs");
    for (int deep = 0; deep < 2; deep++) {
        if (deep)
            name[1] = '/';
        assert_int_equal(
            report_run_folder_make(path, sizeof path, project, name, false, NULL, &err), VG_ERR_IO);
        assert_false(base_path_exists(runs));
    }
}

enum { N = 150 };

static void *make_many(void *paths)
{
    for (int i = 0; i < N; i++)
        report_run_folder_make((char *)paths + i * 512, 512, project, "exp", false, NULL, NULL);
    return NULL;
}

static void two_at_once_never_share(void **state)
{
    (void)state;
    static char paths[2][N * 512];
    pthread_t threads[2];
    for (int t = 0; t < 2; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, make_many, paths[t]), 0);
    for (int t = 0; t < 2; t++)
        pthread_join(threads[t], NULL);
    assert_int_equal(folder_count_entries(project), 2 * N);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            assert_string_not_equal(paths[0] + i * 512, paths[1] + k * 512);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(numbers_go_up_and_fill_gaps),
        TEST(a_name_may_have_folders_of_its_own),
        TEST(a_file_in_the_way_is_passed_over_or_told),
        TEST(what_was_made_is_taken_back_and_nothing_else),
        TEST(a_folder_that_cannot_be_made_leaves_none_above_it),
        TEST(two_at_once_never_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
