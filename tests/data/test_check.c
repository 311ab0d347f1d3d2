/* test_check.c: a dataset is judged whole, picture by picture, and what runs out of memory on the
 * way gives all of it back. */
#include "support.h"

#include "data/check/check.h"

static base_mem mem = {.tag = "test"};

static data_check *look(farm *f, size_t most_faults, data_spec **spec)
{
    data_check *c = NULL;
    OK(data_spec_open(spec, farm_path(f, "data.yaml"), &mem, err));
    OK(data_check_open(&c, *spec, NULL, most_faults, NULL, &mem, err));
    return c;
}

static void pictures_objects_and_sizes_are_counted(void **state)
{
    (void)state;
    farm f;
    data_spec *spec;
    vg_dataset_split s;
    vg_dataset_class class;
    vg_dataset_size size;
    farm_open(&f);
    farm_fill(&f, "train", 7);
    farm_picture(&f, "images/val/x.png", 64, 40, 99);
    farm_text(&f, "labels/val/x.txt", "0 0.5 0.5 0.2 0.2\n1 .1 .1 .2 .1 .2 .2\n");
    data_check *c = look(&f, 10, &spec);
    assert_true(data_check_split(c, DATA_TRAIN, &s));
    assert_int_equal(s.data.n_pictures, 7);
    assert_int_equal(s.data.n_objects, 1 + 2 + 3 + 1 + 2 + 3 + 1);
    assert_true(data_check_split(c, DATA_VAL, &s));
    assert_int_equal(s.n_polygons, 1);
    assert_int_equal(s.n_sizes, 1);
    assert_true(data_check_size(c, DATA_VAL, 0, &size));
    assert_true(size.w == 64 && size.h == 40 && size.n_pictures == 1);
    assert_false(data_check_size(c, DATA_VAL, 1, &size));
    assert_false(data_check_split(c, DATA_TEST, &s));
    assert_true(data_check_class(c, 1, &class));
    assert_int_equal(class.n_objects[DATA_TRAIN], 4);
    assert_int_equal(class.n_pictures[DATA_TRAIN], 4);
    assert_int_equal(class.n_objects[DATA_VAL], 1);
    assert_false(data_check_class(c, 3, &class));
    data_check_destroy(&c);
    data_spec_destroy(&spec);
    farm_close(&f);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* The same files judged as another task's. */
static void boxes_are_faults_where_outlines_are_needed(void **state)
{
    (void)state;
    farm f;
    data_spec *spec;
    data_check *c = NULL;
    vg_dataset_fault fault;
    vg_dataset_total total;
    farm_open(&f);
    farm_fill(&f, "train", 2);
    farm_picture(&f, "images/val/x.png", 64, 40, 99);
    farm_text(&f, "labels/val/x.txt", "1 .1 .1 .2 .1 .2 .2\n");
    OK(data_spec_open(&spec, farm_path(&f, "data.yaml"), &mem, err));
    OK(data_check_open(&c, spec, &DATA_POLYGONS, 10, NULL, &mem, err));
    data_check_total(c, &total);
    assert_int_equal(total.n_faults, 2);
    assert_true(data_check_fault(c, 1, &fault));
    assert_string_equal(fault.kind, "label");
    assert_non_null(strstr(fault.where, "labels/train/001.txt"));
    assert_non_null(strstr(fault.what, "2 objects without an outline"));
    data_check_destroy(&c);
    vg_error failure = {0};
    assert_int_equal(data_check_open(&c, spec, &DATA_KEYPOINTS, 10, NULL, &mem, &failure),
                     VG_ERR_FORMAT);
    data_spec_destroy(&spec);
    farm_close(&f);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void all_faults_are_counted_and_so_many_kept(void **state)
{
    (void)state;
    farm f;
    data_spec *spec;
    vg_dataset_fault fault;
    vg_dataset_total total;
    farm_open(&f);
    farm_fill(&f, "train", 40);
    farm_fill(&f, "val", 1); /* the same as the first one of training */
    for (int i = 1; i < 40; i += 2) {
        char name[64];
        base_format(name, sizeof name, "labels/train/%03d.txt", i);
        farm_text(&f, name, "0 .5 .5 .1 .1\n\n9 .5 .5 .1 .1\n");
    }
    data_check *c = look(&f, 18, &spec);
    data_check_total(c, &total);
    assert_int_equal(total.n_faults, 21);
    assert_int_equal(total.n_kept, 18);
    assert_int_equal(total.n_duplicates, 1);
    assert_true(data_check_fault(c, 17, &fault));
    assert_non_null(strstr(fault.where, "labels/train/035.txt:3"));
    assert_string_equal(fault.kind, "label");
    assert_false(data_check_fault(c, 18, &fault));
    data_check_destroy(&c);
    data_spec_destroy(&spec);
    farm_close(&f);
}

/* With every allocation failing in its turn. */
static void what_runs_out_of_memory_gives_all_back(void **state)
{
    (void)state;
    farm f;
    data_spec *spec = NULL;
    farm_open(&f);
    farm_fill(&f, "train", 3);
    farm_fill(&f, "val", 3);
    farm_text(&f, "labels/train/001.txt", "9 .5 .5 .1 .1\n");
    OK(data_spec_open(&spec, farm_path(&f, "data.yaml"), &mem, err));
    const size_t before = mem.in_use_bytes;
    vg_status st = VG_ERR_MEMORY;
    int n = 0;
    for (; st != VG_OK; n++) {
        data_check *c = NULL;
        vg_error err = {0};
        mem.fail_in = n + 1;
        st = data_check_open(&c, spec, NULL, 5, NULL, &mem, &err);
        mem.fail_in = 0;
        assert_true(st == VG_OK || st == VG_ERR_MEMORY);
        assert_true((st == VG_OK) == (c != NULL));
        data_check_destroy(&c);
        assert_int_equal(mem.in_use_bytes, before);
    }
    assert_true(n > 20);
    data_spec_destroy(&spec);
    farm_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_objects_and_sizes_are_counted),
        cmocka_unit_test(boxes_are_faults_where_outlines_are_needed),
        cmocka_unit_test(all_faults_are_counted_and_so_many_kept),
        cmocka_unit_test(what_runs_out_of_memory_gives_all_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
