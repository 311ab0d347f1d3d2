/* test_glob.c: patterns find the files that a shell would, and ** those of any depth, each once. */
#include "support/test.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "folder.h"

typedef struct bench {
    base_mem mem;
    char folder[256], before[1024];
    vg_error err;
} bench;

/* Paths are relative to the folder, where the test runs. */
static int setup(void **state)
{
    bench *b = test_calloc(1, sizeof *b);
    b->mem = (base_mem){.tag = "test", .limit_bytes = SIZE_MAX};
    assert_int_equal(folder_make(b->folder, sizeof b->folder), 0);
    assert_non_null(getcwd(b->before, sizeof b->before));
    assert_int_equal(chdir(b->folder), 0);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    assert_int_equal(chdir(b->before), 0);
    folder_remove(b->folder);
    assert_int_equal(b->mem.in_use_bytes, 0);
    test_free(b);
    return 0;
}

/* Makes files, and the folders they are in; a name that ends in / is a folder alone. */
static void make(const char *const *names)
{
    for (; *names != NULL; names++) {
        char path[512];
        assert_true(base_format(path, sizeof path, "%s", *names));
        for (char *p = path + 1; *p != '\0'; p++)
            if (*p == '/') {
                *p = '\0';
                mkdir(path, 0700);
                *p = '/';
            }
        if (path[strlen(path) - 1] == '/')
            continue;
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
    }
}

/* want: names with a blank behind each. */
static void finds(bench *b, const char *pattern, const char *want)
{
    base_glob_found found;
    char is[4096] = "";
    if (base_glob(&found, pattern, &b->mem, &b->err) != VG_OK)
        fail_msg("%s: %s", pattern, b->err.what);
    for (size_t i = 0; i < found.n; i++)
        assert_true(base_format(is + strlen(is), sizeof is - strlen(is), "%s ", found.paths[i]));
    if (strcmp(is, want) != 0)
        fail_msg("%s finds \"%s\" instead of \"%s\"", pattern, is, want);
    base_glob_fini(&found);
}

static const char *const TREE[] = {
    "top.jpg",        "a/b/deep.jpg", "a/b/other.png", "c/one.jpg", "c/.hidden.jpg", ".h/x.jpg",
    "c/d.jpg/in.jpg", "e/",           "a/b.c/y.jpg",   NULL};

static void two_stars_go_through_folders_of_any_depth(void **state)
{
    bench *b = *state;
    make(TREE);
    finds(b, "**/*.jpg", "a/b.c/y.jpg a/b/deep.jpg c/d.jpg/in.jpg c/one.jpg top.jpg ");
    finds(b, "a/**/*.jpg", "a/b.c/y.jpg a/b/deep.jpg ");
    finds(b, "a/**/b/*.jpg", "a/b/deep.jpg ");
    finds(b, "./**/deep.jpg", "./a/b/deep.jpg ");
    finds(b, "**/b/**/*", "a/b/deep.jpg a/b/other.png ");
    finds(b, "**/**/*.png", "a/b/other.png ");
    finds(b, "c/**", "c/d.jpg/in.jpg c/one.jpg ");
    finds(b, "**/c/../top.jpg", "c/../top.jpg ");
    finds(b, "none/**/*.jpg", "");
    char pattern[600], want[600];
    snprintf(pattern, sizeof pattern, "%s/**/one.jpg", b->folder);
    snprintf(want, sizeof want, "%s/c/one.jpg ", b->folder);
    finds(b, pattern, want);
}

static void one_star_stays_in_its_folder(void **state)
{
    bench *b = *state;
    make(TREE);
    finds(b, "*.jpg", "top.jpg ");
    finds(b, "*/*.jpg", "c/one.jpg ");
    finds(b, "?/[ab]/*.jpg", "a/b/deep.jpg ");
    finds(b, "c**/*.jpg", "c/one.jpg ");
    finds(b, "**.jpg", "top.jpg ");
    finds(b, "*/", "");
    finds(b, "top.jpg", "top.jpg ");
    finds(b, "a", "");
    finds(b, "", "");
}

static void hidden_names_are_met_by_a_point_alone(void **state)
{
    bench *b = *state;
    make(TREE);
    finds(b, "c/*", "c/one.jpg ");
    finds(b, "c/.*", "c/.hidden.jpg ");
    finds(b, "**/.*", "c/.hidden.jpg ");
    finds(b, ".h/**/*.jpg", ".h/x.jpg ");
}

static void characters_behind_a_backslash_are_themselves(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"a*b/[1].jpg", "axb/1.jpg", "q?\\/x.jpg", NULL};
    make(NAMES);
    finds(b, "a\\*b/*.jpg", "a*b/[1].jpg ");
    finds(b, "a?b/\\[1\\].jpg", "a*b/[1].jpg ");
    char pattern[64];
    assert_true(base_glob_escape(pattern, sizeof pattern, "q?\\/x.jpg"));
    finds(b, pattern, "q?\\/x.jpg ");
    assert_false(base_glob_escape(pattern, 11, "q?\\/x.jpg"));
    assert_true(base_glob_escape(pattern, 12, "q?\\/x.jpg"));
    assert_true(base_is_glob("a/**/b") && base_is_glob("[x]") && base_is_glob("a?"));
    assert_false(base_is_glob("a/b") || base_is_glob("a\\*b"));
}

static void links_that_lead_in_circles_end(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"p/q/x.jpg", "r/y.jpg", NULL};
    make(NAMES);
    /* Two that lead back: without a memory 2 to the power of the depth. */
    assert_int_equal(symlink("..", "p/up"), 0);
    assert_int_equal(symlink("../..", "p/q/top"), 0);
    assert_int_equal(symlink("self", "p/self"), 0);
    assert_int_equal(symlink("gone", "p/gone.jpg"), 0);
    finds(b, "**/*.jpg", "p/gone.jpg p/q/x.jpg r/y.jpg ");
    finds(b, "p/**/y.jpg", "p/q/top/r/y.jpg "); /* by a link alone */
}

static void a_folder_is_entered_once_and_named_without_links(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"real/z/x.jpg", "elsewhere/y.jpg", "photos/", NULL};
    make(NAMES);
    assert_int_equal(symlink("real", "a_link"), 0);
    assert_int_equal(symlink("../elsewhere", "photos/one"), 0);
    assert_int_equal(symlink("../elsewhere", "photos/two"), 0);
    finds(b, "**/x.jpg", "real/z/x.jpg ");
    finds(b, "photos/**/*.jpg", "photos/one/y.jpg ");
    finds(b, "photos/*/*.jpg", "photos/one/y.jpg photos/two/y.jpg ");
    finds(b, "a_link/**/*.jpg", "a_link/z/x.jpg ");
}

static void deep_trees_need_no_descriptors(void **state)
{
    bench *b = *state;
    enum { DEPTH = 200 };
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){.rlim_cur = 40, .rlim_max = before.rlim_max};
    char path[3 * DEPTH];
    size_t n = 0;
    for (int i = 0; i < DEPTH; i++) {
        path[n] = 'd';
        path[n + 1] = '\0';
        assert_int_equal(mkdir(path, 0700), 0);
        path[n + 1] = '/';
        n += 2;
    }
    memcpy(path + n, "x.jpg", 6);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    base_glob_found found;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    vg_status st = base_glob(&found, "**/*.jpg", &b->mem, &b->err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(st, VG_OK);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.paths[0], path);
    base_glob_fini(&found);
}

static void a_folder_that_may_not_be_opened_is_told(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"a/x.jpg", "shut/y.jpg", NULL};
    make(NAMES);
    const bool root = geteuid() == 0; /* who may open everything */
    assert_int_equal(chmod("shut", 0), 0);
    assert_int_equal(chmod(b->folder, 0755), 0);
    assert_int_equal(chmod("a", 0755), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    base_glob_found found;
    vg_status st = base_glob(&found, "**/*.jpg", &b->mem, &b->err);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod("shut", 0700), 0);
    assert_int_equal(st, VG_OK);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.n_closed, 1);
    assert_string_equal(found.closed, "shut/");
    base_glob_fini(&found);
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    bench *b = *state;
    make(TREE);
    assert_int_equal(symlink("a", "c/link"), 0);
    int n_failures = 0;
    for (int64_t k = 1;; k++, n_failures++) {
        base_glob_found found;
        b->mem.fail_in = k;
        vg_status st = base_glob(&found, "**/*.jpg", &b->mem, &b->err);
        bool was_reached = b->mem.fail_in == 0;
        b->mem.fail_in = 0;
        base_glob_fini(&found);
        assert_int_equal(b->mem.in_use_bytes, 0);
        assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
        if (!was_reached)
            break;
    }
    assert_true(n_failures >= 4);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(two_stars_go_through_folders_of_any_depth),
        TEST(one_star_stays_in_its_folder),
        TEST(hidden_names_are_met_by_a_point_alone),
        TEST(characters_behind_a_backslash_are_themselves),
        TEST(links_that_lead_in_circles_end),
        TEST(a_folder_is_entered_once_and_named_without_links),
        TEST(deep_trees_need_no_descriptors),
        TEST(a_folder_that_may_not_be_opened_is_told),
        TEST(every_failed_allocation_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
