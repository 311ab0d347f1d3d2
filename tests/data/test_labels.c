/* test_labels.c: label files are judged row by row, and what was found is remembered exactly as
 * long as it is true. */
#include "support.h"

#include <math.h>

#include "data/labels.h"

static base_mem mem = {.tag = "test"};

static vg_status parse(label_sink *sink, label_text_result *out, const char *text, vg_error *err)
{
    size_t n = strlen(text);
    char *copy = base_strdup(&mem, text, NULL); /* of the exact size */
    const label_form form = {.kind = &DATA_BOXES, .nc = 3};
    vg_status st = label_text_parse(sink, out, copy, n, &form, "l.txt", &mem, err);
    base_free(copy);
    return st;
}

static void refuse(const char *text, const char *where, const char *what)
{
    label_sink sink = {0};
    label_text_result r;
    vg_error err = {0};
    assert_int_equal(parse(&sink, &r, text, &err), VG_ERR_FORMAT);
    if (!strstr(err.what, what) || strcmp(err.where, where) != 0)
        fail_msg("%s -> %s; at %s", text, err.what, err.where);
    assert_int_equal(sink.n_labels, 0);
    assert_int_equal(sink.n_points, 0);
    label_sink_fini(&sink);
}

static void rows_are_boxes(void **state)
{
    (void)state;
    label_sink sink = {0};
    label_text_result r;
    OK(parse(&sink, &r, "\n 2\t0.5 0.25 0.1 1 \r\n\r\n0 1e-1 .5 0 0", err));
    assert_int_equal(r.n_labels, 2);
    assert_int_equal(sink.labels[0].class_index, 2);
    assert_true(sink.labels[0].xywh_norm[1] == 0.25f && sink.labels[0].xywh_norm[3] == 1);
    assert_true(sink.labels[1].xywh_norm[0] == 0.1f);
    OK(parse(&sink, &r, "", err));
    assert_int_equal(r.n_labels, 0);
    assert_int_equal(sink.n_labels, 2);
    label_sink_fini(&sink);
}

static void bad_rows_are_named(void **state)
{
    (void)state;
    refuse("0 .5 .5 .1 .1\n3 .5 .5 .1 .1\n", "l.txt:2", "class 3 in a dataset of 3 classes (0..2)");
    refuse("-1 .5 .5 .1 .1", "l.txt:1", "class number");
    refuse("0.5 .5 .5 .1 .1", "l.txt:1", "class number");
    refuse("0 .5 .5 .1", "l.txt:1", "4 columns");
    refuse("0 .5 .5 .1 .1 .1", "l.txt:1", "6 columns");
    refuse("\r\n\r\n0 .5 .5 .1 1.0001", "l.txt:3", "1.0001 is not in 0..1");
    refuse("0 .5 1.0000002 .1 .1", "l.txt:1", "1.00000024 is not in 0..1"); /* not "1 is not" */
    refuse("1", "l.txt:1", "1 column where");
    refuse("0 .5 -.5 .1 .1", "l.txt:1", "-0.5 is not in 0..1");
    refuse("0 .5 x .1 .1", "l.txt:1", "\"x\" is not a number");
    refuse("0 nan .5 .1 .1", "l.txt:1", "\"nan\" is not a number");
    refuse("0 .1 .1 .2 .1 .2 .2\n1 .1 .1 .2", "l.txt:2", "3 coordinates");
    refuse("0 .1 .1 .2 .1 .2 .2\n1", "l.txt:2", "0 coordinates");
}

static void more_than_six_fields_make_rows_polygons(void **state)
{
    (void)state;
    label_sink sink = {0};
    label_text_result r;
    OK(parse(&sink, &r, "0 .1 .2 .5 .2 .3 .6\n1 .2 .2 .4 .8 .2 .8\n", err));
    assert_true(r.polygons);
    assert_int_equal(r.n_labels, 2);
    const float *b = sink.labels[0].xywh_norm;
    assert_true(fabsf(b[0] - .3f) < 1e-6f && fabsf(b[1] - .4f) < 1e-6f &&
                fabsf(b[2] - .4f) < 1e-6f && fabsf(b[3] - .4f) < 1e-6f);
    assert_int_equal(sink.labels[0].n_points, 3);
    assert_int_equal(sink.labels[1].n_points, 3);
    assert_int_equal(r.n_boxes_among, 0);
    assert_true(sink.points[2 * sink.labels[1].first_point + 3] == .8f);
    label_sink_fini(&sink);
}

static void five_columns_among_polygons_are_a_box(void **state)
{
    (void)state;
    label_sink sink = {0};
    label_text_result r;
    OK(parse(&sink, &r, "0 .1 .2 .5 .2 .3 .6\n\n1 .2 .3 .4 .5\n2 .7 .6 .5 .4\n", err));
    assert_int_equal(r.n_labels, 3);
    assert_int_equal(r.n_boxes_among, 2);
    assert_int_equal(r.first_box_line, 3);
    const data_label *l = &sink.labels[1];
    assert_int_equal(l->n_points, 0);
    assert_int_equal(l->class_index, 1);
    assert_true(l->xywh_norm[0] == .2f && l->xywh_norm[1] == .3f && l->xywh_norm[2] == .4f &&
                l->xywh_norm[3] == .5f);
    label_sink_fini(&sink);
    refuse("0 .1 .2 .5 .2 .3 .6\n1 .2 .3\n", "l.txt:2", "2 coordinates");
    refuse("0 .1 .2 .5 .2 .3 .6\n1 .2 .3 .4 1.5\n", "l.txt:2", "1.5 is not in 0..1");
}

/* A byte order mark, once or after files were joined; blanks of Unicode; comments; all spellings of
 * a number. */
static void what_editors_leave_means_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\xef\xbb\xbf\x31 .5 .25 .1 .2\n", /* \x31: a digit would belong to the \xbf before it */
        "\xef\xbb\xbf\n\xef\xbb\xbf 1\t.5  .25\t.1 .2\t\r\n",
        "1\xc2\xa0.5\xe3\x80\x80.25\xe2\x80\x89.1\xe2\x80\xaf.2\xc2\xa0\n",
        "# class x y w h\n  # 0 1 2 3 4 5 6 7 8\n1 .5 .25 .1 .2",
        "1.0 +5e-1 2.5E-1 0.1 .2\r",
        "\xef\xbb\xbf# comment\r\n1 .5 .25 .1 .2\r\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        label_sink sink = {0};
        label_text_result r;
        OK(parse(&sink, &r, texts[i], err));
        if (r.n_labels != 1 || r.polygons || sink.labels[0].class_index != 1 ||
            sink.labels[0].xywh_norm[0] != .5f || sink.labels[0].xywh_norm[1] != .25f ||
            sink.labels[0].xywh_norm[2] != .1f || sink.labels[0].xywh_norm[3] != .2f)
            fail_msg("text %zu: %zu labels", i, r.n_labels);
        label_sink_fini(&sink);
    }
    label_sink sink = {0};
    label_text_result r;
    OK(parse(&sink, &r, "\xef\xbb\xbf", err));
    assert_int_equal(r.n_labels, 0);
    label_sink_fini(&sink);
}

static void what_is_no_text_of_numbers_is_refused(void **state)
{
    (void)state;
    refuse("\xff\xfe\x30", "l.txt:1", "UTF-16");
    refuse("\xfe\xff\x30", "l.txt:1", "UTF-16");
    refuse("0 .5 .5 .1 inf", "l.txt:1", "\"inf\" is not a number");
    refuse("0 .1 .1 .2 nan .2 .2", "l.txt:1", "\"nan\" is not a number");
    refuse("0 .5 .5 .1 .1 # a car", "l.txt:1", "\"#\" is not a number");
    refuse("0,.5,.5,.1,.1", "l.txt:1", "is not a number");
    refuse("0 0,5 0,5 0,1 0,1", "l.txt:1", "\"0,5\" is not a number");
    refuse("\xe2\x80 .5 .5 .1 .1", "l.txt:1", "is not a number"); /* half a blank is none */
    refuse("0 .5 .5 .1\xe2", "l.txt:1", "is not a number");
}

static void duplicates_go_and_only_then_rows_are_sorted(void **state)
{
    (void)state;
    label_sink sink = {0};
    label_text_result r;
    OK(parse(&sink, &r, "2 .5 .5 .1 .1\n0 .5 .5 .1 .1\n", err));
    assert_int_equal(sink.labels[0].class_index, 2);
    OK(parse(&sink, &r, "2 .5 .5 .1 .1\n0 .5 .5 .1 .1\n2 .5 .5 .1 .1\n0 .4 .5 .1 .1\n", err));
    assert_int_equal(r.n_duplicates, 1);
    assert_int_equal(r.n_labels, 3);
    assert_int_equal(sink.n_labels, 5);
    assert_true(sink.labels[2].class_index == 0 && sink.labels[2].xywh_norm[0] == .4f);
    assert_true(sink.labels[3].class_index == 0 && sink.labels[3].xywh_norm[0] == .5f);
    assert_int_equal(sink.labels[4].class_index, 2);
    label_sink_fini(&sink);
}

static void labels_stand_where_the_reference_puts_them(void **state)
{
    (void)state;
    char path[64];
    assert_true(data_label_path(path, sizeof path, "/images/a/images/x.y.jpg"));
    assert_string_equal(path, "/images/a/labels/x.y.txt");
    assert_true(data_label_path(path, sizeof path, "/pictures/x.jpg"));
    assert_string_equal(path, "/pictures/x.txt");
    assert_false(data_label_path(path, 10, "/pictures/x.jpg"));
}

static void labels_are_found_however_folders_are_spelt(void **state)
{
    (void)state;
    static const struct {
        const char *picture, *label;
    } cases[] = {
        {"a/images/x.jpg", "a/labels/x.txt"},     {"b/Images/x.JPG", "b/Labels/x.txt"},
        {"c/IMAGES/x.JPG", "c/LABELS/x.TXT"},     {"d/Images/x.jpg", "d/labels/x.txt"},
        {"e/images/x.jpg", "e/images/x.txt"},     {"f/pictures/x.PNG", "f/pictures/x.TXT"},
        {"g/images/t/x.jpg", "g/labels/t/x.TXT"},
    };
    farm f;
    farm_open(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char folder[64], found[1024];
        base_format(folder, sizeof folder, "%.*s",
                    (int)(base_path_name(cases[i].label) - cases[i].label), cases[i].label);
        farm_folder(&f, folder);
        farm_text(&f, cases[i].label, "0 .5 .5 .1 .1\n");
        assert_true(data_label_find(found, sizeof found, farm_path(&f, cases[i].picture)));
        assert_string_equal(found, farm_path(&f, cases[i].label));
    }
    /* A text beside a picture is something else while there is a folder of labels. */
    char found[1024];
    farm_folder(&f, "h/labels");
    farm_folder(&f, "h/images");
    farm_text(&f, "h/images/x.txt", "what is to be seen");
    assert_true(data_label_find(found, sizeof found, farm_path(&f, "h/images/x.jpg")));
    assert_string_equal(found, farm_path(&f, "h/labels/x.txt"));
    farm_close(&f);
}

/* ---- whole folders ---- */

static void spoil(const farm *f, const char *name, size_t keep)
{
    assert_int_equal(truncate(farm_path(f, name), (off_t)keep), 0);
}

/* 10 pictures: two corrupt, one with a bad row, one too small, one unlabelled, one empty. */
static void make_mixed(farm *f)
{
    farm_open(f);
    farm_fill(f, "train", 10);
    spoil(f, "images/train/002.jpg", 700);
    farm_text(f, "images/train/003.jpg", "no picture at all");
    farm_text(f, "labels/train/004.txt", "0 .5 .5 .1 .1\n9 .5 .5 .1 .1\n");
    farm_picture(f, "images/train/005.png", 9, 30, 5);
    assert_int_equal(remove(farm_path(f, "images/train/005.jpg")), 0);
    assert_int_equal(remove(farm_path(f, "labels/train/006.txt")), 0);
    farm_text(f, "labels/train/007.txt", " \n");
    farm_text(f, "labels/train/008.txt", "0 .5 .5 .1 .1\n0 .5 .5 .1 .1\n");
}

static void what_is_wrong_is_counted_and_left_out(void **state)
{
    (void)state;
    for (int threads = 0; threads <= 3; threads += 3) {
        farm f;
        make_mixed(&f);
        base_pool *pool = NULL;
        data_spec *spec = NULL;
        data_set *set = NULL;
        if (threads)
            OK(base_pool_create(&pool, threads, &mem, err));
        OK(data_spec_open(&spec, farm_path(&f, "data.yaml"), &mem, err));
        OK(data_set_open(&set, spec, &(data_set_options){0}, pool, &mem, err));
        const data_report *r = data_set_report(set);
        assert_int_equal(r->n_pictures, 10);
        assert_int_equal(r->n_corrupt, 4);
        assert_int_equal(r->n_missing, 1);
        assert_int_equal(r->n_empty, 1);
        assert_int_equal(r->n_found, 4);
        assert_int_equal(r->n_duplicates, 1);
        assert_int_equal(r->n_messages, 4);
        assert_non_null(strstr(r->messages[0], "002.jpg"));
        assert_non_null(strstr(r->messages[1], "003.jpg"));
        assert_non_null(strstr(r->messages[2], "004.txt:2: class 9"));
        assert_non_null(strstr(r->messages[3], "9 x 30"));
        assert_int_equal(data_set_size(set), 6);
        const size_t labels[] = {1, 2, 0, 0, 1, 1};
        for (size_t i = 0; i < 6; i++)
            assert_int_equal(data_set_picture(set, i)->n_labels, labels[i]);
        assert_int_equal(data_set_picture(set, 1)->w, 48);
        assert_int_equal(data_set_picture(set, 1)->h, 60);
        assert_int_equal(data_set_most_labels(set), 2);
        data_set_destroy(&set);
        data_spec_destroy(&spec);
        base_pool_destroy(&pool);
        farm_close(&f);
        assert_int_equal(mem.in_use_bytes, 0);
    }
}

static void options_choose_rows_and_pictures(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 9);
    data_set *set = farm_set(&f, &(data_set_options){.fraction = 0.5}, &mem);
    assert_int_equal(data_set_size(set), 4); /* round(4.5), ties to even */
    data_set_destroy(&set);
    const uint8_t wanted[] = {0, 1, 1};
    set = farm_set(&f, &(data_set_options){.classes = wanted}, &mem);
    assert_int_equal(data_set_picture(set, 0)->n_labels, 0);
    assert_int_equal(data_set_picture(set, 2)->n_labels, 2);
    assert_int_equal(data_set_picture(set, 2)->labels[0].class_index, 1);
    assert_int_equal(data_set_nc(set), 3);
    data_set_destroy(&set);
    set = farm_set(&f, &(data_set_options){.single_cls = true}, &mem);
    assert_true(data_set_from_cache(set)); /* the cache of the one before serves */
    assert_int_equal(data_set_nc(set), 1);
    for (size_t k = 0; k < 3; k++)
        assert_int_equal(data_set_picture(set, 2)->labels[k].class_index, 0);
    data_set_destroy(&set);
    farm_close(&f);
}

/* Polygons of later files are found although rows before them were dropped, and also from the
 * cache.
 */
static void polygons_keep_their_points(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 2);
    farm_text(&f, "labels/train/000.txt",
              "0 .1 .1 .2 .1 .2 .2\n0 .1 .1 .2 .1 .2 .2\n1 .5 .5 .6 .5 .6 .6 .5 .6\n");
    farm_text(&f, "labels/train/001.txt", "2 .7 .7 .9 .7 .8 .9\n");
    for (int cached = 0; cached < 2; cached++) {
        data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
        assert_int_equal(data_set_from_cache(set), cached);
        assert_int_equal(data_set_report(set)->n_polygons, 3);
        const data_label *l = data_set_picture(set, 1)->labels;
        const float *points = data_set_points(set) + 2 * l->first_point;
        assert_int_equal(l->n_points, 3);
        assert_true(points[0] == .7f && points[2] == .9f && points[5] == .9f);
        data_set_destroy(&set);
    }
    /* One file of boxes: the polygons of all count as boxes. */
    farm_text(&f, "labels/train/001.txt", "2 .7 .7 .1 .1\n");
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    for (size_t k = 0; k < 2; k++)
        assert_int_equal(data_set_picture(set, 0)->labels[k].n_points, 0);
    data_set_destroy(&set);
    farm_close(&f);
}

static const char *message(const data_set *set, const char *part)
{
    const char *m;
    for (size_t i = 0; (m = data_set_message(set, i)) != NULL; i++)
        if (strstr(m, part))
            return m;
    return NULL;
}

static void a_split_without_labels_says_where_they_were_looked_for(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 4);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    assert_null(data_set_message(set, 0));
    data_set_destroy(&set);
    /* One of four is left, then none, then only empty ones. */
    for (int i = 0; i < 3; i++) {
        char name[64];
        base_format(name, sizeof name, "labels/train/%03d.txt", i);
        assert_int_equal(remove(farm_path(&f, name)), 0);
    }
    set = farm_set(&f, &(data_set_options){0}, &mem);
    assert_non_null(message(set, "3 of the 4 pictures of the train split have no label file"));
    assert_non_null(message(set, farm_path(&f, "labels/train/000.txt")));
    data_set_destroy(&set);
    assert_int_equal(remove(farm_path(&f, "labels/train/003.txt")), 0);
    farm_text(&f, "images/train/000.txt", "0 .5 .5 .1 .1\n");
    for (int cached = 0; cached < 2; cached++) {
        set = farm_set(&f, &(data_set_options){0}, &mem);
        assert_non_null(
            message(set, "NO LABELS: the train split has 4 pictures and not one label file"));
        assert_non_null(message(set, farm_path(&f, "labels/train/000.txt")));
        assert_non_null(message(set, farm_path(&f, "images/train/000.txt")));
        data_set_destroy(&set);
    }
    farm_text(&f, "labels/train/003.txt", "# nothing\n");
    set = farm_set(&f, &(data_set_options){0}, &mem);
    assert_non_null(message(
        set, "NO LABELS: the train split has 4 pictures: 1 with an empty label file, 3 without"));
    data_set_destroy(&set);
    farm_text(&f, "labels/train/003.txt", "2 .5 .5 .1 .1\n");
    const uint8_t wanted[] = {1, 1, 0};
    set = farm_set(&f, &(data_set_options){.classes = wanted}, &mem);
    assert_non_null(message(set, "the train split has 1 object, and none is of the classes"));
    data_set_destroy(&set);
    farm_close(&f);
}

static void mixed_rows_are_told_with_the_first_file_and_line(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 4);
    farm_text(&f, "labels/train/001.txt", "0 .1 .1 .2 .1 .2 .2\n1 .5 .5 .1 .1\n");
    farm_text(&f, "labels/train/003.txt", "1 .5 .5 .1 .1\n0 .1 .1 .2 .1 .2 .2\n");
    for (int cached = 0; cached < 2; cached++) {
        data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
        assert_int_equal(data_set_from_cache(set), cached);
        assert_int_equal(data_set_report(set)->n_mixed, 2);
        assert_non_null(message(set, "in 2 files of the train split"));
        assert_non_null(message(set, "labels/train/001.txt:2"));
        data_set_destroy(&set);
    }
    farm_close(&f);
}

/* ---- the cache ---- */

static bool opens_from_cache(farm *f)
{
    data_set *set = farm_set(f, &(data_set_options){0}, &mem);
    bool from = data_set_from_cache(set);
    assert_int_equal(data_set_report(set)->n_pictures, 10);
    assert_int_equal(data_set_size(set), 6);
    assert_non_null(strstr(data_set_report(set)->messages[2], "class 9"));
    assert_int_equal(data_set_picture(set, 1)->n_labels, 2);
    assert_true(data_set_picture(set, 1)->labels[1].xywh_norm[0] == 0.4f);
    data_set_destroy(&set);
    return from;
}

static void a_cache_serves_until_a_file_changes(void **state)
{
    (void)state;
    farm f;
    make_mixed(&f);
    assert_false(opens_from_cache(&f));
    assert_true(opens_from_cache(&f));
    /* A label file of the same size, written again: its time is another, by seconds or by less. */
    struct timespec times[2] = {{.tv_sec = 900}, {.tv_sec = 900}};
    assert_int_equal(utimensat(AT_FDCWD, farm_path(&f, "labels/train/001.txt"), times, 0), 0);
    assert_false(opens_from_cache(&f));
    times[1].tv_sec = 1000;
    assert_int_equal(utimensat(AT_FDCWD, farm_path(&f, "labels/train/001.txt"), times, 0), 0);
    assert_false(opens_from_cache(&f));
    assert_true(opens_from_cache(&f));
    assert_int_equal(utimensat(AT_FDCWD, farm_path(&f, "images/train/001.jpg"), times, 0), 0);
    assert_false(opens_from_cache(&f));
    times[1].tv_nsec = 1;
    assert_int_equal(utimensat(AT_FDCWD, farm_path(&f, "images/train/001.jpg"), times, 0), 0);
    assert_false(opens_from_cache(&f));
    /* Another size, the same time. */
    assert_int_equal(utimensat(AT_FDCWD, farm_path(&f, "labels/train/000.txt"), times, 0), 0);
    assert_false(opens_from_cache(&f));
    farm_text(&f, "labels/train/000.txt", "0 0.3 0.5 0.3 0.40\n");
    assert_int_equal(utimensat(AT_FDCWD, farm_path(&f, "labels/train/000.txt"), times, 0), 0);
    assert_false(opens_from_cache(&f));
    assert_true(opens_from_cache(&f));
    /* A label file that comes where none was, and goes. */
    farm_text(&f, "labels/train/006.txt", "");
    assert_int_equal(remove(farm_path(&f, "labels/train/006.txt")), 0);
    assert_true(opens_from_cache(&f));
    farm_text(&f, "labels/train/006.txt", "0 .5 .5 .1 .1\n");
    assert_false(opens_from_cache(&f));
    /* More classes. */
    farm_text(&f, "data.yaml", "train: images/train\nval: images/val\nnc: 4\n");
    assert_false(opens_from_cache(&f));
    assert_true(opens_from_cache(&f));
    farm_close(&f);
}

static void a_damaged_cache_is_made_anew(void **state)
{
    (void)state;
    farm f;
    make_mixed(&f);
    const char *name = "labels/train-train.vigil-cache";
    assert_false(opens_from_cache(&f));
    struct stat info;
    assert_int_equal(stat(farm_path(&f, name), &info), 0);
    for (off_t at = 0; at < info.st_size; at += at < 64 ? 1 : 97) {
        int fd = open(farm_path(&f, name), O_RDWR);
        uint8_t byte = 0;
        assert_true(fd >= 0 && pread(fd, &byte, 1, at) == 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        assert_false(opens_from_cache(&f));
    }
    for (size_t keep = 0; keep < (size_t)info.st_size; keep += 331) {
        spoil(&f, name, keep);
        assert_false(opens_from_cache(&f));
    }
    assert_true(opens_from_cache(&f));
    farm_close(&f);
}

static void a_folder_that_cannot_be_written_costs_nothing(void **state)
{
    (void)state;
    farm f;
    make_mixed(&f);
    /* Not by permissions, which root has anyway: the cache's folder does not exist. */
    data_set_options o = {.cache_path = farm_path(&f, "nowhere/cache")};
    for (int i = 0; i < 2; i++) {
        data_set *set = farm_set(&f, &o, &mem);
        assert_false(data_set_from_cache(set));
        assert_int_equal(data_set_size(set), 6);
        data_set_destroy(&set);
    }
    assert_false(base_path_exists(farm_path(&f, "labels/train-train.vigil-cache")));
    farm_close(&f);
}

static void only_corrupt_pictures_are_an_error(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_text(&f, "images/train/a.jpg", "x");
    data_spec *spec = NULL;
    data_set *set = NULL;
    vg_error failure = {0};
    OK(data_spec_open(&spec, farm_path(&f, "data.yaml"), &mem, err));
    assert_int_equal(data_set_open(&set, spec, &(data_set_options){0}, NULL, &mem, &failure),
                     VG_ERR_FORMAT);
    assert_non_null(strstr(failure.where, "a.jpg"));
    data_spec_destroy(&spec);
    farm_close(&f);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* With the 1st, 2nd, 3rd ... allocation failing: an error or the same set, and nothing lost. */
static void no_allocation_that_fails_is_fatal(void **state)
{
    (void)state;
    farm f;
    make_mixed(&f);
    farm_text(&f, "labels/train/001.txt", "0 .1 .2 .5 .2 .3 .6\n1 .2 .2 .4 .8\n");
    for (int cached = 0; cached < 2; cached++) {
        int64_t at = 1;
        for (bool failed = true; failed; at++) {
            data_spec *spec = NULL;
            data_set *set = NULL;
            vg_error failure = {0};
            mem.fail_in = at;
            vg_status st = data_spec_open(&spec, farm_path(&f, "data.yaml"), &mem, &failure);
            if (st == VG_OK)
                st = data_set_open(&set, spec, &(data_set_options){.no_cache = !cached}, NULL, &mem,
                                   &failure);
            failed = mem.fail_in == 0;
            mem.fail_in = 0;
            assert_true(st == VG_OK || st == VG_ERR_MEMORY);
            if (st == VG_OK)
                assert_int_equal(data_set_size(set), 6);
            data_set_destroy(&set);
            data_spec_destroy(&spec);
            assert_int_equal(mem.in_use_bytes, 0);
        }
        assert_true(at > 10);
    }
    farm_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_boxes),
        cmocka_unit_test(bad_rows_are_named),
        cmocka_unit_test(more_than_six_fields_make_rows_polygons),
        cmocka_unit_test(five_columns_among_polygons_are_a_box),
        cmocka_unit_test(what_editors_leave_means_nothing),
        cmocka_unit_test(what_is_no_text_of_numbers_is_refused),
        cmocka_unit_test(duplicates_go_and_only_then_rows_are_sorted),
        cmocka_unit_test(labels_stand_where_the_reference_puts_them),
        cmocka_unit_test(labels_are_found_however_folders_are_spelt),
        cmocka_unit_test(what_is_wrong_is_counted_and_left_out),
        cmocka_unit_test(a_split_without_labels_says_where_they_were_looked_for),
        cmocka_unit_test(mixed_rows_are_told_with_the_first_file_and_line),
        cmocka_unit_test(options_choose_rows_and_pictures),
        cmocka_unit_test(polygons_keep_their_points),
        cmocka_unit_test(a_cache_serves_until_a_file_changes),
        cmocka_unit_test(a_damaged_cache_is_made_anew),
        cmocka_unit_test(a_folder_that_cannot_be_written_costs_nothing),
        cmocka_unit_test(only_corrupt_pictures_are_an_error),
        cmocka_unit_test(no_allocation_that_fails_is_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
