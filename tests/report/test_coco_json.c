/* test_coco_json.c: COCO results are rounded as the spec says, whole or not there. */
#include "support.h"

#include <math.h>

static void boxes_are_written_in_cocos_form(void **state)
{
    bench *b = *state;
    static const int IDS[] = {1, 90};
    const char *path = in_folder(b, "predictions.json");
    const vg_detection first[] = {{10.12345f, 20, 110.5f, 70.25f, 0.987654f, 1},
                                  {0, 0.0004f, 3, 4, 0.00001f, 0}};
    const vg_detection second = {1, 2, 3, 4, 0.5f, 0};
    report_coco *c;
    assert_int_equal(report_coco_create(&c, path, IDS, 2, &b->mem, &b->err), VG_OK);
    assert_int_equal(report_coco_add(c, "val/000000000139.jpg", first, 2, NULL, &b->err), VG_OK);
    assert_int_equal(report_coco_add(c, "empty.jpg", NULL, 0, NULL, &b->err), VG_OK);
    assert_int_equal(report_coco_add(c, "12 \"b\"_2.png", &second, 1, NULL, &b->err), VG_OK);
    assert_int_equal(report_coco_commit(c, &b->err), VG_OK);
    report_coco_destroy(&c);
    assert_file_is(
        b, path,
        "[{\"image_id\": 139, \"category_id\": 90, \"bbox\": [10.123, 20.0, 100.377, 50.25], "
        "\"score\": 0.98765},\n"
        "{\"image_id\": 139, \"category_id\": 1, \"bbox\": [0.0, 0.0, 3.0, 4.0], "
        "\"score\": 0.00001},\n"
        "{\"image_id\": \"12 \\\"b\\\"_2\", \"category_id\": 1, \"bbox\": [1.0, 2.0, 2.0, 2.0], "
        "\"score\": 0.5}]\n");
}

static void no_detections_are_an_empty_list(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "predictions.json");
    report_coco *c;
    assert_int_equal(report_coco_create(&c, path, NULL, 1, &b->mem, &b->err), VG_OK);
    assert_int_equal(report_coco_add(c, "0.jpg", NULL, 0, NULL, &b->err), VG_OK);
    assert_int_equal(report_coco_commit(c, &b->err), VG_OK);
    report_coco_destroy(&c);
    assert_file_is(b, path, "[]\n");
}

static void many_pictures_pass_through_without_allocation_and_parse(void **state)
{
    bench *b = *state;
    enum { N = 3000 };
    const char *path = in_folder(b, "predictions.json");
    report_coco *c;
    assert_int_equal(report_coco_create(&c, path, NULL, 80, &b->mem, &b->err), VG_OK);
    uint64_t n_allocs = b->mem.n_allocs;
    for (int i = 0; i < N; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%d.jpg", i % 2 ? "p" : "", i);
        vg_detection box = {(float)i, 1e30f, 5, 6, 0.25f, i % 80};
        assert_int_equal(report_coco_add(c, name, &box, 1, NULL, &b->err), VG_OK);
    }
    assert_int_equal(b->mem.n_allocs, n_allocs);
    assert_int_equal(report_coco_commit(c, &b->err), VG_OK);
    report_coco_destroy(&c);
    base_tree *t;
    assert_int_equal(base_tree_read(&t, path, &b->mem, &b->err), VG_OK);
    assert_int_equal(base_tree_root(t)->n_children, N);
    const base_node *n = base_node_at(base_tree_root(t), 81);
    assert_string_equal(base_node_get(n, "image_id")->text, "p81");
    assert_int_equal(base_node_get(n, "category_id")->i, 1);
    assert_int_equal(base_node_get(base_node_at(base_tree_root(t), 82), "image_id")->i, 82);
    base_tree_destroy(&t);
}

static void what_json_cannot_hold_is_refused_and_leaves_nothing(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "predictions.json");
    const vg_detection good = {1, 2, 3, 4, 0.5f, 0};
    const vg_detection bad[][2] = {{good, {1, 2, 3, 4, 0.5f, 3}},
                                   {good, {1, 2, 3, 4, 0.5f, -1}},
                                   {good, {NAN, 2, 3, 4, 0.5f, 0}},
                                   {good, {1, 2, INFINITY, 4, 0.5f, 0}},
                                   {good, {1, 2, 3, 4, NAN, 0}}};
    report_coco *c;
    assert_int_equal(report_coco_create(&c, path, NULL, 3, &b->mem, &b->err), VG_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(report_coco_add(c, "x.jpg", bad[i], 2, NULL, &b->err), VG_ERR_ARGUMENT);
        assert_string_equal(b->err.where, "x.jpg");
    }
    assert_int_equal(report_coco_add(c, "\xff.jpg", &good, 1, NULL, &b->err), VG_ERR_ARGUMENT);
    assert_int_equal(report_coco_commit(c, &b->err), VG_OK);
    report_coco_destroy(&c);
    assert_file_is(b, path, "[]\n");
}

static void a_full_disk_or_no_commit_keeps_the_old_file(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "predictions.json");
    const vg_detection box = {1, 2, 3, 4, 0.5f, 0};
    report_coco *c;
    write_text(path, "old");
    for (int full = 0; full < 2; full++) {
        assert_int_equal(report_coco_create(&c, path, NULL, 1, &b->mem, &b->err), VG_OK);
        assert_int_equal(report_coco_add(c, "1.jpg", &box, 1, NULL, &b->err), VG_OK);
        if (full) {
            disk_full_at(10);
            vg_status st = report_coco_commit(c, &b->err);
            disk_full_at(0);
            assert_int_equal(st, VG_ERR_IO);
        }
        report_coco_destroy(&c);
        assert_file_is(b, path, "old");
        assert_no_leftovers(b);
    }
    assert_int_equal(report_coco_create(&c, in_folder(b, "no/x.json"), NULL, 1, &b->mem, &b->err),
                     VG_ERR_IO);
    assert_null(c);
    b->mem.fail_in = 1;
    assert_int_equal(report_coco_create(&c, path, NULL, 1, &b->mem, &b->err), VG_ERR_MEMORY);
    assert_null(c);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(boxes_are_written_in_cocos_form),
        TEST(no_detections_are_an_empty_list),
        TEST(many_pictures_pass_through_without_allocation_and_parse),
        TEST(what_json_cannot_hold_is_refused_and_leaves_nothing),
        TEST(a_full_disk_or_no_commit_keeps_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
