/* test_dataset.c: what a dataset YAML may say, and how it is told what is wrong, with the line. */
#include "support.h"

static base_mem mem = {.tag = "test"};

static data_spec *parse(const char *text)
{
    data_spec *s = NULL;
    OK(data_spec_parse(&s, text, strlen(text), "d.yaml", &mem, err));
    return s;
}

static void refuse(const char *text, const char *where, const char *what)
{
    data_spec *s = NULL;
    vg_error err = {0};
    vg_status st = data_spec_parse(&s, text, strlen(text), "d.yaml", &mem, &err);
    assert_int_equal(st, VG_ERR_FORMAT);
    assert_null(s);
    if (!strstr(err.what, what) || strcmp(err.where, where) != 0 || !err.mend[0])
        fail_msg("%s\n-> %s; at %s; try %s", text, err.what, err.where, err.mend);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void names_may_be_a_list_a_map_or_a_number(void **state)
{
    (void)state;
    data_spec *s = parse("train: a\nval: b\nnames: [cat, 7, dog]\n");
    assert_int_equal(data_spec_nc(s), 3);
    assert_string_equal(data_spec_class_name(s, 1), "7");
    data_spec_destroy(&s);
    s = parse("train: a\nvalidation: b\nnames: {1: dog, 0: cat}\nnc: 2\n");
    assert_string_equal(data_spec_class_name(s, 0), "cat");
    assert_true(data_spec_has(s, DATA_VAL));
    assert_false(data_spec_has(s, DATA_TEST));
    data_spec_destroy(&s);
    s = parse("train: a\nval: [b, c]\ntest: d\nnc: 11\n");
    assert_string_equal(data_spec_class_name(s, 10), "class_10");
    assert_true(data_spec_has(s, DATA_TEST));
    data_spec_destroy(&s);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void every_mistake_is_named_with_its_line(void **state)
{
    (void)state;
    refuse("- a\n", "d.yaml:1", "not a map");
    refuse("val: b\nnc: 1\n", "d.yaml", "no train");
    refuse("train: a\nnc: 1\n", "d.yaml", "no val");
    refuse("train: a\nval: 7\nnc: 1\n", "d.yaml:2", "val is a whole number");
    refuse("train: a\nval: []\nnc: 1\n", "d.yaml:2", "empty list");
    refuse("train: a\nval: [x, {}]\nnc: 1\n", "d.yaml:2", "val is a map");
    refuse("train: https://x/y.zip\nval: b\nnc: 1\n", "d.yaml:1", "address");
    refuse("train: a\nval: b\n", "d.yaml", "neither names nor nc");
    refuse("train: a\nval: b\nnc: 0\n", "d.yaml:3", "nc is not");
    refuse("train: a\nval: b\nnc: two\n", "d.yaml:3", "nc is not");
    refuse("train: a\nval: b\nnc: 99999999\n", "d.yaml:3", "nc is not");
    refuse("train: a\nval: b\nnames: cat\n", "d.yaml:3", "names is a text");
    refuse("train: a\nval: b\nnames: []\n", "d.yaml:3", "0 classes");
    refuse("train: a\nval: b\nnc: 3\nnames: [cat]\n", "d.yaml:3", "nc is 3, but names holds 1");
    refuse("train: a\nval: b\nnames:\n  0: cat\n  2: dog\n", "d.yaml:5", "\"2\", where 0..1");
    refuse("train: a\nval: b\nnames:\n  0: cat\n  00: dog\n", "d.yaml:5", "named twice");
    refuse("train: a\nval: b\nnames: [cat, [dog]]\n", "d.yaml:3", "class 1 is a list");
    refuse("path: [a]\ntrain: a\nval: b\nnc: 1\n", "d.yaml:1", "path is a list");
}

static void the_root_is_found_beside_the_file(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 2);
    farm_folder(&f, "sub");
    farm_text(&f, "sub/d.yaml", "path: ..\ntrain: images/train\nval: images/val\nnc: 3\n");
    data_spec *s = NULL;
    data_set *set = NULL;
    OK(data_spec_open(&s, farm_path(&f, "sub/d.yaml"), &mem, err));
    char real[4096];
    assert_non_null(realpath(f.root, real));
    assert_string_equal(data_spec_root(s), real);
    OK(data_set_open(&set, s, &(data_set_options){.no_cache = true}, NULL, &mem, err));
    assert_int_equal(data_set_size(set), 2);
    data_set_destroy(&set);
    data_spec_destroy(&s);

    vg_error failure = {0};
    farm_text(&f, "sub/e.yaml", "train: a\nval: b\nnc: 1\npath: nowhere\n");
    assert_int_equal(data_spec_open(&s, farm_path(&f, "sub/e.yaml"), &mem, &failure), VG_ERR_IO);
    assert_non_null(strstr(failure.what, "nowhere"));
    assert_non_null(strstr(failure.where, "e.yaml:4"));
    assert_null(s);
    farm_close(&f);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* Folders are walked, lists are read, and all is sorted by path. */
static void splits_are_folders_lists_or_both(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_folder(&f, "images/train/deep/er");
    farm_folder(&f, "images/train/.hidden");
    farm_picture(&f, "images/train/b.jpg", 20, 20, 1);
    farm_picture(&f, "images/train/deep/er/a.png", 20, 20, 2);
    farm_picture(&f, "images/train/.hidden/no.jpg", 20, 20, 3);
    farm_text(&f, "images/train/notes.txt", "not a picture");
    farm_picture(&f, "images/val/a.jpg", 20, 20, 4);
    farm_text(&f, "list.txt", "./images/val/a.jpg\r\n\n./readme.md\n");
    farm_text(&f, "data.yaml", "train: [list.txt, images/train]\nval: list.txt\nnc: 1\n");
    data_set *set = farm_set(&f, &(data_set_options){.no_cache = true}, &mem);
    const char *const want[] = {"images/train/b.jpg", "images/train/deep/er/a.png",
                                "images/val/a.jpg"};
    assert_int_equal(data_set_size(set), 3);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(data_set_picture(set, i)->path, want[i]));
    data_set_destroy(&set);
    set = farm_set(&f, &(data_set_options){.split = DATA_VAL, .no_cache = true}, &mem);
    assert_int_equal(data_set_size(set), 1);
    data_set_destroy(&set);
    farm_close(&f);
}

static void patterns_and_links_find_every_picture_once(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_folder(&f, "images/train/deep/er");
    farm_picture(&f, "images/train/b.jpg", 20, 20, 1);
    farm_picture(&f, "images/train/deep/er/a.png", 20, 20, 2);
    farm_picture(&f, "images/val/a.jpg", 20, 20, 4);
    /* Two links that lead back: a walk without a memory takes 2 to the power of its depth steps. */
    char path[4096];
    snprintf(path, sizeof path, "%s", farm_path(&f, "images/train/deep/up"));
    assert_int_equal(symlink("..", path), 0);
    snprintf(path, sizeof path, "%s", farm_path(&f, "images/train/deep/er/top"));
    assert_int_equal(symlink("../..", path), 0);
    static const char *const TRAINS[] = {"images/train", "images/train/**/*.*g", "list.txt"};
    farm_text(&f, "list.txt", "./images/train/**/*.png\n./images/train/*.jpg\n");
    for (size_t i = 0; i < 3; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "train: '%s'\nval: images/val\nnc: 1\n", TRAINS[i]);
        farm_text(&f, "data.yaml", yaml);
        data_set *set = farm_set(&f, &(data_set_options){.no_cache = true}, &mem);
        assert_int_equal(data_set_size(set), 2);
        assert_non_null(strstr(data_set_picture(set, 0)->path, "images/train/b.jpg"));
        assert_non_null(strstr(data_set_picture(set, 1)->path, "images/train/deep/er/a.png"));
        data_set_destroy(&set);
    }
    farm_close(&f);
}

static void a_split_without_pictures_is_an_error_with_its_path(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    data_spec *s = NULL;
    data_set *set = NULL;
    vg_error failure = {0};
    OK(data_spec_open(&s, farm_path(&f, "data.yaml"), &mem, err));
    assert_int_equal(data_set_open(&set, s, &(data_set_options){0}, NULL, &mem, &failure),
                     VG_ERR_FORMAT);
    assert_non_null(strstr(failure.what, "no pictures in the train split"));
    assert_int_equal(
        data_set_open(&set, s, &(data_set_options){.split = DATA_TEST}, NULL, &mem, &failure),
        VG_ERR_FORMAT);
    assert_non_null(strstr(failure.what, "no test split"));
    data_spec_destroy(&s);
    farm_text(&f, "data.yaml", "train: images/gone\nval: images/val\nnc: 1\n");
    OK(data_spec_open(&s, farm_path(&f, "data.yaml"), &mem, err));
    assert_int_equal(data_set_open(&set, s, &(data_set_options){0}, NULL, &mem, &failure),
                     VG_ERR_IO);
    assert_non_null(strstr(failure.where, "images/gone"));
    data_spec_destroy(&s);
    assert_null(set);
    assert_int_equal(mem.in_use_bytes, 0);
    farm_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_may_be_a_list_a_map_or_a_number),
        cmocka_unit_test(every_mistake_is_named_with_its_line),
        cmocka_unit_test(the_root_is_found_beside_the_file),
        cmocka_unit_test(splits_are_folders_lists_or_both),
        cmocka_unit_test(patterns_and_links_find_every_picture_once),
        cmocka_unit_test(a_split_without_pictures_is_an_error_with_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
