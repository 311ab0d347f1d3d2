/* test_results_csv.c: results.csv has the columns that scripts expect, whole rows only, and can be
 * taken up again. */
#include "support.h"

#include <locale.h>
#include <math.h>

#include "scene.h"

#define NAMES ((report_names[]){scene_detect()}[0])

static const char HEADER[] =
    "epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,metrics/precision(B),"
    "metrics/recall(B),metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,val/cls_loss,"
    "val/dfl_loss,lr/pg0,lr/pg1,lr/pg2\n";

static vg_train_epoch row_of(int epoch)
{
    return (vg_train_epoch){.epoch = epoch,
                            .seconds = 12.3456789 * epoch,
                            .train_loss = {1.234567891, 2, 0.1234564},
                            .precision = 0.5,
                            .recall = 1.0 / 3,
                            .map50 = 0,
                            .map = 0.000004,
                            .val_loss = {123456.789, 1.5e-5, 2.675},
                            .lr = {0.01, 0.0033333333, 1e-5 / 3}};
}

#define ROW_TAIL                                                                                   \
    ",1.23457,2,0.12346,0.5,0.33333,0,0,123457,2e-05,2.675,0.01,0.00333333,3.33333e-06\n"

static void assert_near(double is, double wanted, double tolerance)
{
    if (!(fabs(is - wanted) <= tolerance))
        fail_msg("%.9g instead of %.9g", is, wanted);
}

static void write_rows(bench *b, const char *path, int first, int last, int last_epoch)
{
    report_csv *c;
    assert_int_equal(report_csv_open(&c, path, &NAMES, last_epoch, false, &b->mem, &b->err), VG_OK);
    for (int i = first; i <= last; i++) {
        vg_train_epoch e = row_of(i);
        assert_int_equal(report_csv_append(c, &e, &b->err), VG_OK);
    }
    report_csv_close(&c);
    assert_null(c);
}

static void numbers_are_rounded_to_5_decimals_then_6_digits(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "results.csv");
    write_rows(b, path, 1, 2, 0);
    char wanted[2000];
    snprintf(wanted, sizeof wanted, "%s1,12.3457%s2,24.6914%s", HEADER, ROW_TAIL, ROW_TAIL);
    assert_file_is(b, path, wanted);
}

static void odd_numbers_are_words(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "results.csv");
    report_csv *c;
    vg_train_epoch e = {
        .epoch = 7, .seconds = 1, .precision = -NAN, .val_loss = {INFINITY, -INFINITY, 0}};
    e.map = NAN;
    assert_int_equal(report_csv_open(&c, path, &NAMES, 0, true, &b->mem, &b->err), VG_OK);
    assert_int_equal(report_csv_append(c, &e, &b->err), VG_OK);
    report_csv_close(&c);
    char wanted[2000];
    snprintf(wanted, sizeof wanted, "%s7,1,0,0,0,nan,0,0,nan,inf,-inf,0,0,0,0\n", HEADER);
    assert_file_is(b, path, wanted);

    vg_train_epoch *rows;
    size_t n;
    assert_int_equal(report_csv_read(&rows, &n, NULL, path, &b->mem, &b->err), VG_OK);
    assert_int_equal(n, 1);
    assert_true(isnan(rows[0].precision) && isnan(rows[0].map) && rows[0].val_loss[0] == INFINITY);
    base_free(rows);
}

static void rows_come_back_as_written(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "results.csv");
    vg_train_epoch *rows;
    size_t n;
    write_rows(b, path, 1, 300, 0);
    assert_int_equal(report_csv_read(&rows, &n, NULL, path, &b->mem, &b->err), VG_OK);
    assert_int_equal(n, 300);
    for (size_t i = 0; i < n; i++) {
        vg_train_epoch w = row_of((int)i + 1);
        assert_int_equal(rows[i].epoch, w.epoch);
        assert_near(rows[i].seconds, w.seconds, 1e-5 * w.seconds);
        for (int k = 0; k < 3; k++) {
            assert_near(rows[i].train_loss[k], w.train_loss[k], 1e-5);
            assert_near(rows[i].val_loss[k], w.val_loss[k], 1);
            assert_near(rows[i].lr[k], w.lr[k], 1e-8);
        }
        assert_near(rows[i].recall, w.recall, 1e-5);
    }
    base_free(rows);
}

static void a_resumed_run_writes_the_file_of_an_uninterrupted_one(void **state)
{
    bench *b = *state;
    const char *whole = in_folder(b, "whole.csv"), *torn = in_folder(b, "torn.csv");
    write_rows(b, whole, 1, 9, 0);
    write_rows(b, torn, 1, 7, 0);
    /* The crash came in the middle of a row; the checkpoint is of epoch 4. */
    assert_int_equal(truncate(torn, (off_t)file_bytes(torn) - 20), 0);
    write_rows(b, torn, 5, 9, 4);
    char *text = read_text(b, whole, NULL);
    assert_file_is(b, torn, text);
    base_free(text);
}

static void a_crash_at_any_byte_leaves_a_file_that_goes_on(void **state)
{
    bench *b = *state;
    const char *whole = in_folder(b, "whole.csv"), *torn = in_folder(b, "torn.csv");
    write_rows(b, whole, 1, 3, 0);
    size_t n;
    char *text = read_text(b, whole, &n);
    for (size_t cut = 0; cut <= n; cut++) {
        write_bytes(torn, text, cut);
        /* As many epochs as are whole lines behind the header. */
        int n_rows = -1;
        for (size_t i = 0; i < cut; i++)
            n_rows += text[i] == '\n';
        write_rows(b, torn, n_rows > 0 ? n_rows + 1 : 1, 3, n_rows > 0 ? n_rows : 1);
        assert_file_is(b, torn, text);
    }
    base_free(text);
}

static void a_new_run_does_not_keep_old_rows(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "results.csv");
    write_rows(b, path, 1, 5, 0);
    write_rows(b, path, 1, 0, 0);
    assert_file_is(b, path, HEADER);
}

static void a_file_of_other_columns_or_rows_is_refused_and_kept(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "results.csv");
    static const char *const BODIES[] = {"1,2,3\n",
                                         "1.5,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n",
                                         "1,x,0,0,0,0,0,0,0,0,0,0,0,0,0\n",
                                         ("2,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"
                                          "2,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"),
                                         "1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n",
                                         "\n"};
    report_csv *c;
    write_text(path, "step,loss\n1,2\n");
    assert_int_equal(report_csv_open(&c, path, &NAMES, 3, false, &b->mem, &b->err), VG_ERR_FORMAT);
    assert_null(c);
    assert_file_is(b, path, "step,loss\n1,2\n");
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
        char text[1000];
        vg_train_epoch *rows;
        size_t n;
        snprintf(text, sizeof text, "%s%s", HEADER, BODIES[i]);
        write_text(path, text);
        assert_int_equal(report_csv_open(&c, path, &NAMES, 3, false, &b->mem, &b->err),
                         VG_ERR_FORMAT);
        assert_non_null(strstr(b->err.where, "results.csv:"));
        assert_int_equal(report_csv_read(&rows, &n, NULL, path, &b->mem, &b->err), VG_ERR_FORMAT);
        assert_null(rows);
        assert_file_is(b, path, text);
    }
}

static void epochs_must_rise(void **state)
{
    bench *b = *state;
    report_csv *c;
    vg_train_epoch e = row_of(4);
    assert_int_equal(
        report_csv_open(&c, in_folder(b, "results.csv"), &NAMES, 0, false, &b->mem, &b->err),
        VG_OK);
    assert_int_equal(report_csv_append(c, &e, &b->err), VG_OK);
    assert_int_equal(report_csv_append(c, &e, &b->err), VG_ERR_ARGUMENT);
    report_csv_close(&c);
}

static void a_full_disk_leaves_whole_rows_and_a_later_row_succeeds(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "results.csv");
    report_csv *c;
    vg_train_epoch e = row_of(1), next = row_of(2);
    assert_int_equal(report_csv_open(&c, path, &NAMES, 0, false, &b->mem, &b->err), VG_OK);
    assert_int_equal(report_csv_append(c, &e, &b->err), VG_OK);
    size_t n = file_bytes(path);
    disk_full_at(n + 10);
    assert_int_equal(report_csv_append(c, &next, &b->err), VG_ERR_IO);
    assert_non_null(strstr(b->err.mend, "disk"));
    assert_int_equal(file_bytes(path), n);
    disk_full_at(0);
    assert_int_equal(report_csv_append(c, &next, &b->err), VG_OK);
    report_csv_close(&c);
    char wanted[2000];
    snprintf(wanted, sizeof wanted, "%s1,12.3457%s2,24.6914%s", HEADER, ROW_TAIL, ROW_TAIL);
    assert_file_is(b, path, wanted);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    bench *b = *state;
    report_csv *c;
    assert_int_equal(
        report_csv_open(&c, in_folder(b, "no/results.csv"), &NAMES, 0, false, &b->mem, &b->err),
        VG_ERR_IO);
    assert_null(c);
    assert_int_equal(report_csv_open(&c, b->folder, &NAMES, 0, false, &b->mem, &b->err), VG_ERR_IO);
}

static void a_locale_with_a_decimal_comma_changes_nothing(void **state)
{
    bench *b = *state;
    static const char *const COMMAS[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ru_RU.UTF-8"};
    bool found = false;
    for (size_t i = 0; i < 4 && !found; i++)
        found = setlocale(LC_ALL, COMMAS[i]) != NULL;
    if (!found)
        skip();
    numbers_are_rounded_to_5_decimals_then_6_digits((void **)&b);
    setlocale(LC_ALL, "C");
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "results.csv");
    write_rows(b, path, 1, 3, 0);
    for (int64_t k = 1;; k++) {
        report_csv *c = NULL;
        vg_train_epoch *rows = NULL;
        size_t n;
        b->mem.fail_in = k;
        vg_status st = report_csv_open(&c, path, &NAMES, 3, false, &b->mem, &b->err);
        if (st == VG_OK)
            st = report_csv_read(&rows, &n, NULL, path, &b->mem, &b->err);
        bool was_reached = b->mem.fail_in == 0;
        b->mem.fail_in = 0;
        report_csv_close(&c);
        base_free(rows);
        assert_int_equal(b->mem.in_use_bytes, 0);
        assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
        if (!was_reached) {
            assert_int_equal(k, 5); /* object, text; text, rows */
            break;
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_rounded_to_5_decimals_then_6_digits),
        TEST(odd_numbers_are_words),
        TEST(rows_come_back_as_written),
        TEST(a_resumed_run_writes_the_file_of_an_uninterrupted_one),
        TEST(a_crash_at_any_byte_leaves_a_file_that_goes_on),
        TEST(a_new_run_does_not_keep_old_rows),
        TEST(a_file_of_other_columns_or_rows_is_refused_and_kept),
        TEST(epochs_must_rise),
        TEST(a_full_disk_leaves_whole_rows_and_a_later_row_succeeds),
        TEST(a_folder_that_is_not_there_is_an_error),
        TEST(a_locale_with_a_decimal_comma_changes_nothing),
        TEST(every_failed_allocation_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
