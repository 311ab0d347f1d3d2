/* The demo's data sets through vigil.h: what follows from a seed, what is left alone, what is
 * refused. That a detector learns from it is for e2e/demo and for people. */
#include "support/test.h"

#include <sys/stat.h>

#include "base/folder.h"
#include "vigil/vigil.h"

static char folder[256], project[300];

static int set_up(void **state)
{
    (void)state;
    if (folder_make(folder, sizeof folder) != 0)
        return -1;
    snprintf(project, sizeof project, "%s/runs", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove(folder);
}

static vg_demo_options small(int seed)
{
    vg_demo_options o = vg_demo_options_default();
    o.project = project;
    o.n_train = 3;
    o.n_val = 2;
    o.n_unseen = 1;
    o.seed = seed;
    o.threads = 1;
    return o;
}

static vg_demo draw(vg_demo_options o)
{
    vg_demo d;
    vg_error err;
    if (vg_demo_draw(&d, &o, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
    return d;
}

/* FNV-1a of a file of the data set; fails when it is not there. */
static uint64_t sum_of(const vg_demo *d, const char *name)
{
    char path[VG_DEMO_PATH_BYTES + 64];
    uint64_t sum = UINT64_C(14695981039346656037);
    snprintf(path, sizeof path, "%s/dataset/%s", d->folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("no %s", path);
    for (int c; (c = fgetc(f)) != EOF;)
        sum = (sum ^ (uint64_t)c) * UINT64_C(1099511628211);
    fclose(f);
    return sum;
}

static const char *const some[] = {"images/train/shelf_0002.jpg", "labels/train/shelf_0002.txt",
                                   "images/val/shelf_0001.jpg", "images/unseen/shelf_0000.jpg",
                                   "labels/unseen/shelf_0000.txt"};
enum { SOME = sizeof some / sizeof *some };

static void a_seed_draws_the_same_whatever_the_threads(void **state)
{
    (void)state;
    vg_demo_options many = small(5);
    many.threads = 3;
    const vg_demo a = draw(small(5)), b = draw(many);
    assert_string_not_equal(a.folder, b.folder);
    for (size_t i = 0; i < SOME; i++)
        assert_true(sum_of(&a, some[i]) == sum_of(&b, some[i]));
    assert_int_equal(a.n_objects, b.n_objects);
    assert_true(a.n_objects > 0);
}

static void another_seed_and_another_part_draw_others(void **state)
{
    (void)state;
    const vg_demo a = draw(small(5)), b = draw(small(6));
    for (size_t i = 0; i < SOME; i++)
        assert_true(sum_of(&a, some[i]) != sum_of(&b, some[i]));
    assert_true(sum_of(&a, "labels/train/shelf_0000.txt") !=
                sum_of(&a, "labels/val/shelf_0000.txt"));
    assert_true(sum_of(&a, "labels/train/shelf_0000.txt") !=
                sum_of(&a, "labels/unseen/shelf_0000.txt"));
}

static vg_demo_options small_of(const char *task)
{
    vg_demo_options o = small(5);
    for (int t = 0; t < VG_N_TASKS; t++)
        if (strcmp(vg_demo_subject_get((vg_task)t)->task, task) == 0)
            o.task = (vg_task)t;
    return o;
}

static void a_task_has_its_own_pictures_labels_and_yaml(void **state)
{
    (void)state;
    assert_null(vg_demo_subject_get((vg_task)VG_N_TASKS));
    assert_true(draw(small_of("segment")).n_objects > 0);
    assert_true(draw(small_of("obb")).n_objects > 0);
    const vg_demo pose = draw(small_of("pose"));
    sum_of(&pose, "labels/train/hall_0002.txt");
    char yaml[4096] = "";
    FILE *f = fopen(pose.data, "rb");
    assert_non_null(f);
    assert_true(fread(yaml, 1, sizeof yaml - 1, f) > 0);
    fclose(f);
    assert_non_null(strstr(yaml, "kpt_shape: [17, 3]"));
    assert_non_null(strstr(yaml, "flip_idx: [0, 2, 1, 4, 3,"));
    assert_non_null(strstr(yaml, "0: person"));
}

static void classes_are_folders(void **state)
{
    (void)state;
    const vg_demo d = draw(small_of("classify"));
    assert_int_equal(d.n_objects, 3 + 2 + 1);
    assert_int_equal(strlen(d.data), strlen(d.folder) + strlen("/dataset"));
    sum_of(&d, "train/bottle/goods_0002.jpg"); /* all of these are there */
    sum_of(&d, "val/jar/goods_0001.jpg");
    char path[VG_DEMO_PATH_BYTES + 32];
    snprintf(path, sizeof path, "%s/dataset", d.folder);
    assert_int_equal(folder_count_entries(path), 3); /* train, val, unseen: no labels, no YAML */
    assert_int_equal(folder_count_entries(d.unseen), 1);
}

static void what_is_there_stays(void **state)
{
    (void)state;
    char mine[400];
    snprintf(mine, sizeof mine, "%s/demo", project);
    assert_int_equal(mkdir(project, 0777), 0);
    assert_int_equal(mkdir(mine, 0777), 0);
    const vg_demo d = draw(small(1));
    snprintf(mine, sizeof mine, "%s/demo2", project);
    assert_string_equal(d.folder, mine);
    snprintf(mine, sizeof mine, "%s/demo", project);
    assert_int_equal(folder_count_entries(mine), 0);
}

/* Nothing is made for them. */
static void wrong_options_are_refused(void **state)
{
    (void)state;
    vg_demo d;
    vg_error err;
    vg_demo_options wrong[6];
    for (int i = 0; i < 6; i++)
        wrong[i] = small(1);
    wrong[0].name = "";
    wrong[1].n_train = -1;
    wrong[2].n_val = 100001;
    wrong[3].seed = -1;
    wrong[4].threads = -1;
    wrong[5].task = (vg_task)VG_N_TASKS;
    for (int i = 0; i < 6; i++)
        assert_int_equal(vg_demo_draw(&d, &wrong[i], &err), VG_ERR_ARGUMENT);
    assert_int_equal(folder_count_entries(folder), 0);
}

static void a_file_in_the_way_is_an_error(void **state)
{
    (void)state;
    vg_demo d;
    vg_error err;
    FILE *f = fopen(project, "w");
    assert_non_null(f);
    fclose(f);
    const vg_demo_options o = small(1);
    assert_int_equal(vg_demo_draw(&d, &o, &err), VG_ERR_IO);
    assert_non_null(strstr(err.where, "runs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_seed_draws_the_same_whatever_the_threads, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_seed_and_another_part_draw_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_task_has_its_own_pictures_labels_and_yaml, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(classes_are_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_there_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_options_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_in_the_way_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
