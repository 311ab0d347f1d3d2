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

/* ---- turned boxes and keypoints, as far as a set that training opens ---- */

static vg_dataset_converted convert(farm *f, const char *format, bool keypoints)
{
    vg_dataset_converted r;
    const data_convert_options o = {.source = farm_path(f, "source"),
                                    .output = farm_path(f, "made"),
                                    .format = format,
                                    .polygons = true,
                                    .difficult = false,
                                    .keypoints = keypoints};
    OK(data_convert(&r, &o, &mem, err));
    return r;
}

static void same_text(const farm *f, const char *name, const char *want)
{
    char *text = NULL;
    size_t n;
    OK(base_file_read(&text, &n, farm_path(f, name), 1 << 20, &mem, err));
    assert_string_equal(text, want);
    base_free(text);
}

static data_set *open_made(farm *f, const data_kind *kind)
{
    data_spec *spec = NULL;
    data_set *set = NULL;
    OK(data_spec_open(&spec, farm_path(f, "made/data.yaml"), &mem, err));
    OK(data_set_open(&set, spec, &(data_set_options){.kind = kind, .no_cache = true}, NULL, &mem,
                     err));
    data_spec_destroy(&spec);
    return set;
}

static void turned_boxes_of_dota_keep_their_corners(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_folder(&f, "source/images");
    farm_folder(&f, "source/labelTxt");
    farm_picture(&f, "source/images/P1.png", 40, 20, 1);
    farm_text(&f, "source/labelTxt/P1.txt",
              "imagesource:GoogleEarth\r\ngsd:null\r\n"
              "10 5 30 5 30 15 10 15 ship 0\r\n"
              "0 10 10 -1 20 9 10 20 plane 0\n" /* one corner lies beyond the edge */
              "-20 10 10 -1 20 9 10 40 plane\n" /* so much that its box is cut */
              "1 2 3 4 5 6 7 8 harbor 1\n"      /* difficult */
              "1 2 3 4 5 6 7 x plane 0\n"
              "1 2 3\n");
    const vg_dataset_converted r = convert(&f, "auto", false);
    assert_string_equal(r.format, "dota");
    assert_int_equal(r.left[VG_LEFT_DIFFICULT].n, 1);
    assert_int_equal(r.left[VG_LEFT_NO_BOX].n, 2);
    assert_non_null(strstr(r.left[VG_LEFT_NO_BOX].first, "P1.txt:7"));
    same_text(&f, "made/labels/train/P1.txt",
              "1 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n"
              "0 0 0.5 0.25 0 0.5 0.45 0.25 1\n"
              "0 0 0.5 0.25 0 0.5 0.45 0.25 1\n");
    data_set *set = open_made(&f, &DATA_ROTATED);
    assert_int_equal(data_set_picture(set, 0)->labels[0].n_points, 4);
    data_set_destroy(&set);
    farm_close(&f);
}

static void keypoints_of_coco_become_rows_of_pose(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_folder(&f, "source");
    farm_picture(&f, "source/a.jpg", 40, 20, 1);
    farm_text(&f, "source/person_keypoints_train.json",
              "{\"images\":[{\"id\":7,\"file_name\":\"a.jpg\",\"width\":40,\"height\":20}],"
              "\"annotations\":[{\"image_id\":7,\"category_id\":1,\"bbox\":[10,5,20,10],"
              "\"segmentation\":[[1,2,3,4,5,7]],\"keypoints\":[20,10,2,30,15,1,5,5,0]},"
              "{\"image_id\":7,\"category_id\":1,\"bbox\":[1,1,2,2]},"
              "{\"image_id\":7,\"category_id\":1,\"bbox\":[1,1,2,2],\"keypoints\":[1,2,3]}],"
              "\"categories\":[{\"id\":1,\"name\":\"person\","
              "\"keypoints\":[\"nose\",\"left_eye\",\"right_eye\"]}]}");
    const vg_dataset_converted r = convert(&f, "coco", true);
    assert_int_equal(r.left[VG_LEFT_NO_KEYPOINTS].n, 2);
    same_text(&f, "made/labels/train/a.txt", "0 0.5 0.5 0.5 0.5 0.5 0.5 2 0.75 0.75 1 0 0 0\n");
    data_set *set = open_made(&f, &DATA_KEYPOINTS);
    const data_keypoint_shape shape = data_set_keypoint_shape(set);
    assert_true(shape.n == 3 && shape.dims == 3 && shape.flip_idx[0] == 0 &&
                shape.flip_idx[1] == 2 && shape.flip_idx[2] == 1);
    data_set_destroy(&set);
    /* Of who has none it is refused. */
    vg_dataset_converted out;
    vg_error failure = {0};
    data_convert_options o = {.source = farm_path(&f, "source"),
                              .output = farm_path(&f, "other"),
                              .format = "labelme",
                              .keypoints = true};
    assert_int_equal(data_convert(&out, &o, &mem, &failure), VG_ERR_ARGUMENT);
    assert_non_null(strstr(failure.what, "not read from the format labelme"));
    farm_close(&f);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_leads_out_of_the_folder),
        cmocka_unit_test(words_of_a_path_say_the_split),
        cmocka_unit_test(a_ring_is_put_in_where_it_is_nearest),
        cmocka_unit_test(points_beyond_every_picture_have_bounds),
        cmocka_unit_test(what_runs_out_of_memory_gives_all_back),
        cmocka_unit_test(turned_boxes_of_dota_keep_their_corners),
        cmocka_unit_test(keypoints_of_coco_become_rows_of_pose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
