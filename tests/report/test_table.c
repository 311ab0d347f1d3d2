/* test_table.c: console rows are those that users know, to the character. */
#include "support.h"

#include <math.h>

#include "scene.h"

#define NAMES ((report_names[]){scene_detect()}[0])

static void headers_are_as_known(void **state)
{
    (void)state;
    char line[256];
    assert_true(report_table_train_header(line, sizeof line, 0, &NAMES));
    assert_string_equal(line, "      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances"
                              "       Size");
    assert_true(report_table_val_header(line, sizeof line, 0, &NAMES));
    assert_string_equal(line, "                 Class     Images  Instances      Box(P          R"
                              "      mAP50  mAP50-95)");
}

static const vg_val_class ALL = {.name = "all",
                                 .n_pictures = 60,
                                 .n_instances = 812,
                                 .precision = 0.87654,
                                 .recall = 1,
                                 .map50 = 0.0004};

static void rows_are_as_known(void **state)
{
    (void)state;
    char line[256];
    const vg_train_batch row = {.epoch = 1,
                                .n_epochs = 100,
                                .n_losses = 3,
                                .loss = {1.23456, 12345.6, 0.00001234},
                                .n_instances = 217,
                                .width = 640,
                                .height = 416};
    assert_true(report_table_train_row(line, sizeof line, 0, &row, 440234148)); /* 0.41 GiB */
    /* Python: ("%11s" * 2 + "%11.4g" * 5) % ("1/100", "0.41G", 1.23456, 12345.6, 0.00001234, 217,
     * 640) */
    assert_string_equal(line, "      1/100      0.41G      1.235  1.235e+04  1.234e-05        217"
                              "        640");
    assert_true(report_table_val_row(line, sizeof line, 0, &NAMES, &ALL));
    /* Python: ("%22s" + "%11i" * 2 + "%11.3g" * 4) % ("all", 60, 812, 0.87654, 1, 0.0004, 0) */
    assert_string_equal(line, "                   all         60        812      0.877          1"
                              "     0.0004          0");
}

/* At 80 columns the rows are whole, and a bar still stands beside those of training. */
static void narrow_terminals_get_narrow_columns(void **state)
{
    (void)state;
    char line[256];
    assert_true(report_table_train_header(line, sizeof line, 80, &NAMES));
    assert_string_equal(line, "   Epoch GPU_mem box_loss cls_loss dfl_loss Instances Size");
    const vg_train_batch row = {.epoch = 100,
                                .n_epochs = 100,
                                .n_losses = 3,
                                .loss = {1.23456, 12.3456, 123.456},
                                .n_instances = 1217,
                                .width = 416,
                                .height = 640};
    assert_true(report_table_train_row(line, sizeof line, 80, &row, 443455373)); /* 0.413 GiB */
    assert_string_equal(line, " 100/100  0.413G    1.235    12.35    123.5      1217  640");
    assert_true(report_table_val_header(line, sizeof line, 80, &NAMES));
    assert_int_equal(strlen(line), 75);
    vg_val_class all = ALL;
    all.map = 0.00001;
    assert_true(report_table_val_row(line, sizeof line, 80, &NAMES, &all));
    assert_string_equal(
        line, "                all     60       812     0.877        1    0.0004     1e-05");
    assert_true(report_table_val_header(line, sizeof line, 88, &NAMES));
    assert_int_equal(strlen(line), 88);
    vg_train_batch tiny = row;
    tiny.loss[0] = 0.0009352;
    assert_true(report_table_train_row(line, sizeof line, 80, &tiny, 443455373));
    assert_non_null(strstr(line, " 0.000935 ")); /* a digit less, and apart from its neighbour */
}

static void names_are_padded_by_characters_and_cannot_break_the_table(void **state)
{
    (void)state;
    char line[256];
    const vg_val_class row = {.name = "Gr\xc3\xb6\xc3\x9f"
                                      "e\n",
                              .n_pictures = 1,
                              .n_instances = 2,
                              .map = NAN};
    assert_true(report_table_val_row(line, sizeof line, 0, &NAMES, &row));
    assert_string_equal(line, "             Gr\xc3\xb6\xc3\x9f"
                              "e\\x0a          1          2          0"
                              "          0          0        nan");
}

static void what_does_not_fit_is_cut_and_said(void **state)
{
    (void)state;
    char line[40];
    memset(line, '#', sizeof line);
    assert_false(report_table_val_header(line, 39, 0, &NAMES));
    assert_int_equal(strlen(line), 38);
    assert_int_equal(line[39], '#');
}

static void rows_of_a_result_hold_its_numbers(void **state)
{
    bench *b = *state;
    detect_metrics *m;
    detect_metrics_result r;
    char line[256], wanted[256];
    const char *names[3];
    char texts[3][128];
    scene_names(names, texts, 3, false);
    assert_int_equal(scene_metrics(&m, &r, 3, &b->mem, &b->err), VG_OK);
    const vg_val_class row = detect_metrics_class(&r, 2, names);
    assert_int_equal(row.class_index, 2);
    assert_true(report_table_val_row(line, sizeof line, 0, &NAMES, &row));
    snprintf(wanted, sizeof wanted, "%22s%11zu%11zu%11.3g%11.3g%11.3g%11.3g", "WBC",
             r.pictures_by_class[2], r.truths_by_class[2], r.figures[0].p[2], r.figures[0].r[2],
             r.figures[0].ap[2 * DETECT_N_IOU], r.maps[2]);
    assert_string_equal(line, wanted);
    detect_metrics_destroy(&m);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(headers_are_as_known),
        TEST(rows_are_as_known),
        TEST(narrow_terminals_get_narrow_columns),
        TEST(names_are_padded_by_characters_and_cannot_break_the_table),
        TEST(what_does_not_fit_is_cut_and_said),
        TEST(rows_of_a_result_hold_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
