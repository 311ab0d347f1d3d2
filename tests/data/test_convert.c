/* test_convert.c: sources read into a catalogue: pictures found by name and never outside, outlines
 * joined, and memory that runs out gives all back. */
#include "support.h"

#include "data/convert/catalogue.h"
#include "data/convert/finder.h"
#include "data/convert/sources.h"

static base_mem mem = {.tag = "test"};
static const data_convert_options options = {.polygons = true, .difficult = true};

static void no_path_leads_out_of_the_folder(void **state)
{
    (void)state;
    farm f;
    finder find;
    size_t at;
    farm_open(&f);
    farm_picture(&f, "images/train/a.jpg", 20, 20, 1);
    farm_picture(&f, "images/val/a.jpg", 20, 20, 2);
    farm_picture(&f, "images/val/b.png", 20, 20, 3);
    farm_picture(&f, "outside.jpg", 20, 20, 4);
    OK(finder_open(&find, farm_path(&f, "images"), &mem, err));
    assert_int_equal(find.n, 3);
    assert_int_equal(finder_find(&find, &at, "../outside.jpg", -1), FINDER_MISSING);
    assert_int_equal(finder_find(&find, &at, farm_path(&f, "outside.jpg"), -1), FINDER_MISSING);
    assert_int_equal(finder_find(&find, &at, "..", -1), FINDER_MISSING);
    assert_int_equal(finder_find(&find, &at, "", -1), FINDER_MISSING);
    assert_int_equal(finder_find(&find, &at, "val/", -1), FINDER_MISSING);
    assert_int_equal(finder_find(&find, &at, "a.jpg", -1), FINDER_AMBIGUOUS);
    assert_int_equal(finder_find(&find, &at, "a.jpg", VG_VAL), FINDER_FOUND);
    assert_non_null(strstr(find.paths[at], "val/a.jpg"));
    assert_int_equal(finder_find(&find, &at, "C:\\x\\train\\a.jpg", -1), FINDER_FOUND);
    assert_non_null(strstr(find.paths[at], "train/a.jpg"));
    assert_int_equal(finder_find(&find, &at, "b.jpg", -1), FINDER_FOUND); /* another suffix */
    assert_int_equal(finder_find(&find, &at, "b", -1), FINDER_FOUND);
    finder_close(&find);
    farm_close(&f);
}

static void words_of_a_path_say_the_split(void **state)
{
    (void)state;
    assert_int_equal(finder_split("a/instances_train2017.json"), VG_TRAIN);
    assert_int_equal(finder_split("train/valid/x"), VG_VAL);
    assert_int_equal(finder_split("/TEST/_annotations.coco.json"), VG_TEST);
    assert_int_equal(finder_split("trains/latest/value.json"), -1);
    assert_int_equal(finder_split(""), -1);
}

static void a_ring_is_put_in_where_it_is_nearest(void **state)
{
    (void)state;
    static const float outline[][2] = {{0, 0}, {4, 0}, {4, 4}, {0, 4}};
    static const float ring[][2] = {{9, 9}, {9, 5}, {5, 5}};
    static const float want[][2] = {{0, 0}, {4, 0}, {4, 4}, {5, 5}, {9, 9}, {9, 5}, {0, 4}};
    catalogue c = {.options = &options, .mem = &mem};
    for (size_t i = 0; i < 4; i++)
        OK(catalogue_add_point(&c, (double)outline[i][0], (double)outline[i][1], err));
    for (size_t i = 0; i < 3; i++)
        OK(catalogue_add_point(&c, (double)ring[i][0], (double)ring[i][1], err));
    catalogue_join_ring(&c, 0, 4);
    assert_memory_equal(c.points, want, sizeof want);
    catalogue_fini(&c);
}

static void points_beyond_every_picture_have_bounds(void **state)
{
    (void)state;
    catalogue c = {.options = &options, .mem = &mem};
    double xywh[4];
    OK(catalogue_add_point(&c, -1e300, 0, err));
    OK(catalogue_add_point(&c, 1e300, 5, err));
    OK(catalogue_add_point(&c, 7, 9, err));
    assert_true(catalogue_bounds(&c, xywh, 0));
    assert_true(xywh[0] == 0 && xywh[1] == 4.5 && xywh[2] == 2e9 && xywh[3] == 9);
    catalogue_fini(&c);
}

/* ---- memory ---- */

typedef vg_status (*reader)(catalogue *c, const char *file, int split, const char *text, size_t n,
                            vg_error *err);

static void torture(reader read, const char *text, size_t n_objects)
{
    vg_status st = VG_ERR_MEMORY;
    for (int n = 0; st != VG_OK; n++) {
        catalogue c = {.options = &options, .mem = &mem};
        vg_error err = {0};
        mem.fail_in = n + 1;
        st = read(&c, "x", -1, text, strlen(text), &err);
        mem.fail_in = 0;
        assert_true(st == VG_OK || (st == VG_ERR_MEMORY && err.status == st));
        if (st == VG_OK) {
            assert_int_equal(c.n_objects, n_objects);
            assert_int_equal(c.pictures[0].w, 9);
        }
        catalogue_fini(&c);
        assert_int_equal(mem.in_use_bytes, 0);
    }
}

static void what_runs_out_of_memory_gives_all_back(void **state)
{
    (void)state;
    torture(source_coco_read_text,
            "{\"categories\":[{\"id\":3,\"name\":\"a\"}],\"images\":[{\"id\":1,\"file_name\":\"x\","
            "\"width\":9,\"height\":8}],"
            "\"annotations\":[{\"image_id\":1,\"category_id\":3,\"bbox\":[1,2,3,4],"
            "\"segmentation\":[[1,2,3,4,5,7],[1,2,3,4,5,7]]}]}",
            1);
    torture(source_voc_read_text,
            "<annotation><filename>x</filename><size><width>9</width><height>8</height></"
            "size><object><name>a</name><bndbox><xmin>1</xmin>"
            "<ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>",
            1);
    torture(source_labelme_read_text,
            "{\"shapes\":[{\"label\":\"a\",\"group_id\":1,\"points\":[[1,2],[3,4],[5,9]]},"
            "{\"label\":\"a\",\"group_id\":1,\"points\":[[1,2],[3,4],[5,9]]}],\"imagePath\":\"x\","
            "\"imageHeight\":8,\"imageWidth\":9}",
            1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_leads_out_of_the_folder),
        cmocka_unit_test(words_of_a_path_say_the_split),
        cmocka_unit_test(a_ring_is_put_in_where_it_is_nearest),
        cmocka_unit_test(points_beyond_every_picture_have_bounds),
        cmocka_unit_test(what_runs_out_of_memory_gives_all_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
