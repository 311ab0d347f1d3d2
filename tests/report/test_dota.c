/* test_dota.c: turned boxes as DOTA reads them, tiles put together, and every failed allocation. */
#include "support/ok.h"

#include <unistd.h>

#include "base/folder.h"
#include "report/dota.h"

static base_mem mem = {.tag = "test"};
static char folder[256];
static const char *const NAMES[] = {"plane", "small vehicle", "ship"};

static int set_up(void **state)
{
    (void)state;
    return folder_make(folder, sizeof folder);
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove(folder) || mem.in_use_bytes != 0 ? -1 : 0;
}

static void holds(const char *name, const char *wanted)
{
    char path[512], *text;
    size_t n;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    OK(base_file_read(&text, &n, path, 1 << 20, &mem, err));
    assert_string_equal(text, wanted);
    base_free(text);
}

static vg_status add(report_dota *d, const char *picture, int c, float score, float x, float y,
                     vg_error *e)
{
    const vg_detection box = {0, 0, 1, 1, score, c};
    const vg_rotated turned = {x, y, 20, 10, 0};
    return report_dota_add(d, picture, &box, &turned, 1, e);
}

static void a_class_has_a_file_of_rows(void **state)
{
    (void)state;
    report_dota *d;
    OK(report_dota_create(&d, folder, NAMES, 3, &mem, err));
    OK(add(d, "images/b.png", 1, 0.5F, 30, 20, err));
    OK(add(d, "images/a.png", 0, 0.25F, 10, 5, err));
    OK(add(d, "images/a.png", 1, 0.75F, 30, 20, err));
    OK(report_dota_add(d, "images/c.png", NULL, NULL, 0, err));
    OK(report_dota_commit(d, err));
    holds("predictions_txt/Task1_plane.txt", "a 0.25 20.0 10.0 20.0 0.0 0.0 0.0 0.0 10.0\n");
    /* In the order in which they came. */
    holds("predictions_txt/Task1_small-vehicle.txt",
          "b 0.5 40.0 25.0 40.0 15.0 20.0 15.0 20.0 25.0\n"
          "a 0.75 40.0 25.0 40.0 15.0 20.0 15.0 20.0 25.0\n");
    holds("predictions_txt/Task1_ship.txt", "");
    char path[512];
    snprintf(path, sizeof path, "%s/predictions_merged_txt", folder);
    assert_int_not_equal(access(path, F_OK), 0); /* none is a tile */
    report_dota_destroy(&d);
}

/* The same plane in two tiles, a ship at the same place, a plane of another picture there, and a
 * plane that is far. */
static void tiles_are_put_together(void **state)
{
    (void)state;
    report_dota *d;
    OK(report_dota_create(&d, folder, NAMES, 3, &mem, err));
    OK(add(d, "P1__1__0___0.png", 0, 0.5F, 110, 50, err));
    OK(add(d, "P1__1__100___40.png", 0, 0.75F, 10, 10, err));
    OK(add(d, "P1__1__100___40.png", 2, 0.5F, 10, 10, err));
    OK(add(d, "P10__1__100___40.png", 0, 0.5F, 10, 10, err));
    OK(add(d, "P1__1__0___0.png", 0, 0.25F, 50, 50, err));
    OK(add(d, "P1.png", 0, 0.125F, 300, 50, err)); /* a whole one of that name */
    OK(report_dota_commit(d, err));
    holds("predictions_merged_txt/Task1_plane.txt",
          "P1 0.75 120.0 55.0 120.0 45.0 100.0 45.0 100.0 55.0\n"
          "P1 0.25 60.0 55.0 60.0 45.0 40.0 45.0 40.0 55.0\n"
          "P1 0.125 310.0 55.0 310.0 45.0 290.0 45.0 290.0 55.0\n"
          "P10 0.5 120.0 55.0 120.0 45.0 100.0 45.0 100.0 55.0\n");
    holds("predictions_merged_txt/Task1_ship.txt",
          "P1 0.5 120.0 55.0 120.0 45.0 100.0 45.0 100.0 55.0\n");
    char text[64];
    snprintf(text, sizeof text, "P1__1__0___0 0.5 120.0 55.0");
    char path[512], *all;
    size_t n;
    snprintf(path, sizeof path, "%s/predictions_txt/Task1_plane.txt", folder);
    OK(base_file_read(&all, &n, path, 1 << 20, &mem, err));
    assert_true(base_starts_with(all, text)); /* where it was in its tile */
    base_free(all);
    report_dota_destroy(&d);
}

static void names_that_are_nearly_those_of_tiles_are_whole_pictures(void **state)
{
    (void)state;
    static const char *const names[] = {"__1__0___0", "P__1__x___0", "P__1__0___",
                                        "___",        "P1___5",      "a__b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        report_dota *d;
        OK(report_dota_create(&d, folder, NAMES, 3, &mem, err));
        OK(add(d, names[i], 0, 0.5F, 10, 5, err));
        OK(report_dota_commit(d, err));
        char text[200];
        snprintf(text, sizeof text, "%s 0.5 20.0 10.0 20.0 0.0 0.0 0.0 0.0 10.0\n", names[i]);
        holds("predictions_txt/Task1_plane.txt", text);
        char path[512];
        snprintf(path, sizeof path, "%s/predictions_merged_txt", folder);
        assert_int_not_equal(access(path, F_OK), 0);
        report_dota_destroy(&d);
    }
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    report_dota *d;
    vg_error e;
    OK(report_dota_create(&d, folder, NAMES, 3, &mem, err));
    assert_int_equal(add(d, "a.png", 3, 0.5F, 1, 1, &e), VG_ERR_ARGUMENT);
    assert_int_equal(add(d, "a.png", -1, 0.5F, 1, 1, &e), VG_ERR_ARGUMENT);
    OK(report_dota_commit(d, err));
    holds("predictions_txt/Task1_plane.txt", "");
    report_dota_destroy(&d);
    for (size_t limit = 0;; limit += 512) {
        base_mem small = {.tag = "small", .limit_bytes = 1 + limit};
        vg_status st = report_dota_create(&d, folder, NAMES, 3, &small, &e);
        for (int i = 0; i < 20 && st == VG_OK; i++)
            st = add(d, "a.png", 0, 0.5F, (float)i, 1, &e);
        report_dota_destroy(&d);
        assert_int_equal(small.in_use_bytes, 0);
        if (st == VG_OK)
            break;
        assert_int_equal(st, VG_ERR_MEMORY);
    }
}

/* As the Python tool (8.3.9) wrote the same box. Its angle is known to 3 decimals, so that corners
 * are compared by how they are rounded, and 64 pixels from the centre to a tenth of one. */
static void numbers_are_rounded_as_in_the_python_tool(void **state)
{
    (void)state;
    static const float WANTED[] = {100.15F, 109.53F,  169.97F, 43.642F,
                                   82.119F, -49.451F, 12.299F, 16.437F};
    const vg_detection box = {.confidence = 0.3130512F, .class_index = 0};
    const vg_rotated turned = {91.135F, 30.039F, 128, 96, 0.814F};
    report_dota *d;
    OK(report_dota_create(&d, folder, NAMES, 3, &mem, err));
    OK(report_dota_add(d, "7.png", &box, &turned, 1, err));
    OK(report_dota_commit(d, err));
    report_dota_destroy(&d);
    char path[512], *text, *at;
    size_t n;
    snprintf(path, sizeof path, "%s/predictions_txt/Task1_plane.txt", folder);
    OK(base_file_read(&text, &n, path, 1 << 20, &mem, err));
    assert_true(base_starts_with(text, "7 0.31305 "));
    at = text + strlen("7 0.31305 ");
    for (int i = 0; i < 8; i++, at++) {
        char *end;
        assert_float_equal(strtod(at, &end), (double)WANTED[i], 0.1);
        const char *point = memchr(at, '.', (size_t)(end - at));
        assert_non_null(point);
        assert_in_range(end - point, 2, 4);
        at = end;
    }
    assert_int_equal(at[-1], '\n');
    base_free(text);
}

/* The first puts the second off, which puts the third off, whose probIoU with the first is too low
 * for that; farther apart all stay. */
static void a_box_is_put_off_by_a_near_one_that_is_off(void **state)
{
    (void)state;
    static const struct {
        float step;
        const char *kept;
    } CASES[] = {{7, "P 0.75 60.0 55.0 60.0 45.0 40.0 45.0 40.0 55.0\n"},
                 {40, "P 0.75 60.0 55.0 60.0 45.0 40.0 45.0 40.0 55.0\n"
                      "P 0.5 100.0 55.0 100.0 45.0 80.0 45.0 80.0 55.0\n"
                      "P 0.25 140.0 55.0 140.0 45.0 120.0 45.0 120.0 55.0\n"}};
    const float first[] = {50, 50, 20, 10, 0}, second[] = {57, 50, 20, 10, 0},
                third[] = {64, 50, 20, 10, 0};
    assert_true(detect_probiou(first, second) >= 0.3 && detect_probiou(first, third) < 0.3);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        report_dota *d;
        OK(report_dota_create(&d, folder, NAMES, 3, &mem, err));
        for (int k = 0; k < 3; k++)
            OK(add(d, "P__1__0___0.png", 0, 0.75F - 0.25F * (float)k, 50 + CASES[i].step * (float)k,
                   50, err));
        OK(report_dota_commit(d, err));
        report_dota_destroy(&d);
        holds("predictions_merged_txt/Task1_plane.txt", CASES[i].kept);
    }
}

static void classes_of_one_file_are_refused(void **state)
{
    (void)state;
    static const char *const SAME[] = {"a b", "c", "a-b"};
    report_dota *d;
    vg_error e;
    assert_int_equal(report_dota_create(&d, folder, SAME, 3, &mem, &e), VG_ERR_ARGUMENT);
    assert_null(d);
    assert_non_null(strstr(e.what, "classes 0 and 2 would both be in Task1_a-b.txt"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_class_has_a_file_of_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tiles_are_put_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_are_nearly_those_of_tiles_are_whole_pictures,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_are_rounded_as_in_the_python_tool, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_box_is_put_off_by_a_near_one_that_is_off, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(classes_of_one_file_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
