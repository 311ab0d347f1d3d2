/* test_list.c: datasets as other tools write them: lists made for another folder, ../ of exports,
 * marks and slashes of other machines; and what is not there is said to be not there. */
#include "support.h"

#include <unistd.h>

static base_mem mem = {.tag = "test"};

/* Two pictures in images/train, labelled. */
static void make(farm *f)
{
    farm_open(f);
    farm_fill(f, "train", 2);
}

static void yaml(const farm *f, const char *train)
{
    char text[512];
    base_format(text, sizeof text, "train: %s\nval: images/val\nnc: 3\n", train);
    farm_text(f, "data.yaml", text);
}

static void takes(farm *f, size_t n)
{
    data_set *set = farm_set(f, &(data_set_options){.no_cache = true}, &mem);
    assert_int_equal(data_set_size(set), n);
    assert_int_equal(data_set_report(set)->n_found, n);
    data_set_destroy(&set);
}

static void refuses(const farm *f, vg_status status, const char *what, const char *mend)
{
    data_spec *s = NULL;
    data_set *set = NULL;
    vg_error e = {0};
    vg_status st = data_spec_open(&s, farm_path(f, "data.yaml"), &mem, &e);
    if (st == VG_OK)
        st = data_set_open(&set, s, &(data_set_options){.no_cache = true}, NULL, &mem, &e);
    if (st != status || !strstr(e.what, what) || !strstr(e.mend, mend))
        fail_msg("%d: %s; at %s; try %s", (int)st, e.what, e.where, e.mend);
    data_spec_destroy(&s);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void lines_of_a_list_are_found_beside_it(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "images/train/000.jpg\nimages/train/001.jpg\n",
        "./images/train/000.jpg\r\n./images/train/001.jpg\r\n",
        "\xef\xbb\xbf./images/train/000.jpg\r\nimages/train/001.jpg  \r\n",
        "\xef\xbb\xbfimages/train/000.jpg\n# a comment\n\n\timages/train/001.jpg",
        "images\\train\\000.jpg\r\n.\\images\\train\\001.jpg\r\n",
    };
    farm f;
    make(&f);
    yaml(&f, "train.txt");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        farm_text(&f, "train.txt", lists[i]);
        takes(&f, 2);
    }
    /* In a folder of its own, for the dataset's. */
    farm_folder(&f, "sets");
    farm_text(&f, "sets/train.txt", lists[0]);
    yaml(&f, "sets/train.txt");
    takes(&f, 2);
    farm_text(&f, "sets/train.txt", lists[1]);
    takes(&f, 2);
    farm_text(&f, "one.txt", "images/train/000.jpg\n");
    farm_text(&f, "two.txt", "./images/train/001.jpg\n");
    yaml(&f, "[one.txt, two.txt]");
    takes(&f, 2);
    farm_close(&f);
}

/* As the reference has it: what is in the working folder comes first. */
static void the_working_folder_comes_before_the_list_s(void **state)
{
    (void)state;
    farm f;
    char before[1024];
    make(&f);
    farm_folder(&f, "work/images/train");
    farm_folder(&f, "work/labels/train");
    farm_picture(&f, "work/images/train/000.jpg", 90, 30, 7);
    farm_text(&f, "work/labels/train/000.txt", "0 .5 .5 .1 .1\n");
    farm_text(&f, "train.txt", "images/train/000.jpg\n");
    yaml(&f, "train.txt");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(farm_path(&f, "work")), 0);
    data_set *set = farm_set(&f, &(data_set_options){.no_cache = true}, &mem);
    assert_int_equal(data_set_picture(set, 0)->w, 90);
    data_set_destroy(&set);
    farm_text(&f, "train.txt", "./images/train/000.jpg\n");
    set = farm_set(&f, &(data_set_options){.no_cache = true}, &mem);
    assert_int_equal(data_set_picture(set, 0)->w, 40);
    data_set_destroy(&set);
    assert_int_equal(chdir(before), 0);
    farm_close(&f);
}

static void what_a_list_names_in_vain_is_missing_not_corrupt(void **state)
{
    (void)state;
    farm f;
    char before[1024];
    make(&f);
    yaml(&f, "train.txt");
    farm_text(&f, "train.txt",
              "images/train/000.jpg\nimages/train/9.jpg\nimages/train/8.jpg\nhm\n");
    assert_non_null(getcwd(before, sizeof before));
    /* What is missing has its path in the working folder: sorted before the others, or behind. */
    for (int i = 0; i < 4; i++) {
        const char *const work = i < 2 ? "a" : "z";
        farm_folder(&f, work);
        assert_int_equal(chdir(farm_path(&f, work)), 0);
        data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
        assert_int_equal(data_set_from_cache(set), i % 2);
        assert_int_equal(data_set_size(set), 1);
        assert_int_equal(data_set_report(set)->n_absent, 2);
        assert_int_equal(data_set_report(set)->n_corrupt, 0);
        assert_non_null(strstr(data_set_message(set, 0), "2 of the 3 pictures"));
        assert_non_null(strstr(data_set_message(set, 0), "not there; the first is"));
        assert_non_null(strstr(data_set_message(set, 1), "1 line of the train split's list names"));
        assert_non_null(strstr(data_set_message(set, 1), "train.txt:4"));
        data_set_destroy(&set);
    }
    farm_text(&f, "train.txt", "images/train/9.jpg\nimages/train/8.jpg\n");
    refuses(&f, VG_ERR_IO, "none of the 2 pictures in the list exists", "beside the");
    farm_text(&f, "train.txt", "cat\ndog\n");
    refuses(&f, VG_ERR_FORMAT, "no picture is named in the list", "path of a picture");
    farm_text(&f, "train.txt", "\xff\xfei");
    refuses(&f, VG_ERR_FORMAT, "UTF-16", "UTF-8");
    assert_int_equal(chdir(before), 0);
    farm_close(&f);
}

static void lines_of_cvat_are_found_without_their_data_folder(void **state)
{
    (void)state;
    farm f;
    make(&f);
    yaml(&f, "train.txt");
    farm_text(&f, "train.txt", "data/images/train/000.jpg\n");
    data_set *set = farm_set(&f, &(data_set_options){.no_cache = true}, &mem);
    assert_int_equal(data_set_size(set), 1);
    data_set_destroy(&set);
    farm_close(&f);
}

static void pictures_of_unread_kinds_are_told(void **state)
{
    (void)state;
    farm f;
    make(&f);
    farm_text(&f, "images/train/IMG_2.heic", "x");
    farm_text(&f, "images/train/b.gif", "x");
    yaml(&f, "images/train");
    data_set *set = farm_set(&f, &(data_set_options){.no_cache = true}, &mem);
    bool told = false;
    for (size_t i = 0; data_set_message(set, i) != NULL; i++)
        told |= strstr(data_set_message(set, i), "2 pictures of the train split left out") != NULL;
    assert_true(told);
    data_set_destroy(&set);
    farm_close(&f);
}

static void a_folder_above_that_is_missing_is_looked_for_beside_the_file(void **state)
{
    (void)state;
    farm f;
    make(&f);
    yaml(&f, "../images/train");
    takes(&f, 2);
    data_set *set = farm_set(&f, &(data_set_options){.no_cache = true}, &mem);
    assert_non_null(strstr(data_set_message(set, 0), "../images/train is not there"));
    data_set_destroy(&set);
    yaml(&f, "'..\\images\\train'");
    takes(&f, 2);
    yaml(&f, "images\\train");
    takes(&f, 2);
    yaml(&f, "[../images/train]");
    takes(&f, 2);
    /* One that is there is taken as it is written. */
    char name[1100];
    farm_folder(&f, "deep/images/train");
    base_format(name, sizeof name,
                "path: deep\ntrain: ../images/train\nval: images/train\nnc: 3\n");
    farm_text(&f, "data.yaml", name);
    takes(&f, 2);
    farm_close(&f);
}

static void a_path_of_another_machine_says_what_would_be_found_here(void **state)
{
    (void)state;
    farm f;
    make(&f);
    farm_text(&f, "data.yaml",
              "path: /content/nowhere\ntrain: images/train\nval: images/val\nnc: 3\n");
    refuses(&f, VG_ERR_IO, "no folder \"/content/nowhere\" is there", "leave path out");
    farm_text(&f, "data.yaml", "path: 'C:\\data\\x'\ntrain: a\nval: b\nnc: 3\n");
    refuses(&f, VG_ERR_IO, "no folder \"C:\\data\\x\"", "absolute");
    yaml(&f, "'C:\\data\\images'");
    refuses(&f, VG_ERR_IO, "no such folder", "on this machine");
    farm_close(&f);
}

static void datasets_behind_links_and_long_names_are_taken(void **state)
{
    (void)state;
    farm f;
    char name[400], label[400];
    make(&f);
    /* The longest name that a file system has, whose label is as long. */
    char stem[256] = "";
    memset(stem, 'x', 251);
    base_format(name, sizeof name, "images/train/%s.jpg", stem);
    base_format(label, sizeof label, "labels/train/%s.txt", stem);
    assert_int_equal(rename(farm_path(&f, "images/train/000.jpg"), farm_path(&f, name)), 0);
    assert_int_equal(rename(farm_path(&f, "labels/train/000.txt"), farm_path(&f, label)), 0);
    takes(&f, 2);
    farm_folder(&f, "else");
    assert_int_equal(rename(farm_path(&f, "images"), farm_path(&f, "else/pictures")), 0);
    assert_int_equal(symlink("else/pictures", farm_path(&f, "images")), 0);
    takes(&f, 2);
    /* The same name in two folders is two pictures. */
    farm_folder(&f, "images/train/b");
    farm_folder(&f, "labels/train/b");
    farm_picture(&f, "images/train/b/001.jpg", 20, 20, 3);
    farm_text(&f, "labels/train/b/001.txt", "2 .5 .5 .1 .1\n");
    takes(&f, 3);
    farm_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_a_list_are_found_beside_it),
        cmocka_unit_test(the_working_folder_comes_before_the_list_s),
        cmocka_unit_test(what_a_list_names_in_vain_is_missing_not_corrupt),
        cmocka_unit_test(lines_of_cvat_are_found_without_their_data_folder),
        cmocka_unit_test(pictures_of_unread_kinds_are_told),
        cmocka_unit_test(a_folder_above_that_is_missing_is_looked_for_beside_the_file),
        cmocka_unit_test(a_path_of_another_machine_says_what_would_be_found_here),
        cmocka_unit_test(datasets_behind_links_and_long_names_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
