/* Opening and closing through vigil.h: nothing stays behind, limits are kept, wrong options told.
 */
#include "support/test.h"

#include "stream/scenes.h"
#include "vigil/vigil.h"

static const char weights[] = TEST_GOLDEN_DIR "/yolo11n_random.pt";

static vg_options options(void)
{
    vg_options o = vg_options_default();
    o.weights = weights;
    o.imgsz = 64;
    o.threads = 1;
    return o;
}

static void defaults_are_those_that_users_know(void **state)
{
    (void)state;
    vg_options o = vg_options_default();
    assert_null(o.weights);
    assert_int_equal(o.imgsz, 0); /* the weights' own */
    assert_int_equal(o.batch, 1);
    assert_int_equal(o.threads, 0);
    assert_int_equal(o.plan_cache, 4);
    assert_int_equal(o.memory_limit_bytes, 0);
    assert_string_equal(o.device, "auto");
    vg_detect_options d = vg_detect_options_default();
    assert_true(d.conf == 0.25f && d.iou == 0.7f && d.max_det == 300);
    assert_true(!d.classes && !d.agnostic_nms);
    vg_predict_options p = vg_predict_options_default();
    assert_true(p.save && !p.save_txt && !p.save_conf && !p.save_crop && !p.save_json);
    assert_string_equal(p.project, "runs/predict");
    assert_string_equal(p.name, "exp");
    assert_int_equal(p.detector.imgsz, 0);
    assert_int_equal(p.detect.max_det, 300);
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", VG_VERSION_MAJOR, VG_VERSION_MINOR,
             VG_VERSION_PATCH);
    assert_string_equal(vg_version(), version);
}

static void wrong_options_are_refused_with_words(void **state)
{
    (void)state;
    static const struct {
        const char *weights, *device, *isa;
        int imgsz, batch, threads, plan_cache;
        vg_status status;
    } wrong[] = {
        {NULL, "auto", NULL, 64, 1, 1, 4, VG_ERR_ARGUMENT},
        {"", "auto", NULL, 64, 1, 1, 4, VG_ERR_ARGUMENT},
        {"/nowhere/a.pt", "auto", NULL, 64, 1, 1, 4, VG_ERR_IO},
        {"/proc/self/exe", "auto", NULL, 64, 1, 1, 4, VG_ERR_FORMAT},
        {weights, "tpu", NULL, 64, 1, 1, 4, VG_ERR_ARGUMENT},
        {weights, "auto", "sse9", 64, 1, 1, 4, VG_ERR_ARGUMENT},
        {weights, "auto", NULL, 31, 1, 1, 4, VG_ERR_ARGUMENT},
        {weights, "auto", NULL, 1, 1, 1, 4, VG_ERR_ARGUMENT},
        {weights, "auto", NULL, -64, 1, 1, 4, VG_ERR_ARGUMENT},
        {weights, "auto", NULL, 8193, 1, 1, 4, VG_ERR_ARGUMENT},
        {weights, "auto", NULL, 64, 0, 1, 4, VG_ERR_ARGUMENT},
        {weights, "auto", NULL, 64, 1025, 1, 4, VG_ERR_ARGUMENT},
        {weights, "auto", NULL, 64, 1, -1, 4, VG_ERR_ARGUMENT},
        {weights, "auto", NULL, 64, 1, 1025, 4, VG_ERR_ARGUMENT},
        {weights, "auto", NULL, 64, 1, 1, 0, VG_ERR_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vg_options o = {.weights = wrong[i].weights,
                        .device = wrong[i].device,
                        .isa = wrong[i].isa,
                        .imgsz = wrong[i].imgsz,
                        .batch = wrong[i].batch,
                        .threads = wrong[i].threads,
                        .plan_cache = wrong[i].plan_cache};
        vg_detector *d = (vg_detector *)&o;
        vg_error err = {0};
        vg_status st = vg_detector_open(&d, &o, &err);
        if (st != wrong[i].status)
            fail_msg("row %zu: %s", i, vg_status_name(st));
        assert_null(d);
        assert_int_equal(err.status, st);
        assert_true(err.what[0] != 0);
    }
    vg_detector *d = NULL;
    assert_int_equal(vg_detector_open(&d, NULL, NULL), VG_ERR_ARGUMENT);
    vg_detector_close(&d);
}

static void imgsz_is_raised_to_the_stride(void **state)
{
    (void)state;
    vg_options o = options();
    vg_detector *d = NULL;
    vg_model_info info;
    o.imgsz = 65;
    assert_int_equal(vg_detector_open(&d, &o, NULL), VG_OK);
    vg_detector_info(d, &info);
    assert_int_equal(info.imgsz, 96);
    assert_int_equal(info.n_classes, 80);
    assert_string_equal(info.format, "pt");
    assert_string_equal(info.scale, "n");
    assert_int_equal(info.n_params, 2624080);
    vg_detector_close(&d);
    assert_null(d);
}

static bool says_imgsz(char line[128], int used, int asked, vg_imgsz_from from)
{
    const vg_model_info info = {.imgsz = used,
                                .imgsz_w = used,
                                .asked_imgsz = asked,
                                .asked_imgsz_w = asked,
                                .imgsz_from = from,
                                .max_stride = 32};
    return vg_imgsz_format(line, 128, &info);
}

/* The weights say that they were trained at 320. */
static void imgsz_is_the_weights_own_unless_one_is_given(void **state)
{
    (void)state;
    static const struct {
        int given, asked, used;
        vg_imgsz_from from;
        const char *line;
    } rows[] = {
        {0, 320, 320, VG_IMGSZ_OF_WEIGHTS, "imgsz 320, as the weights were trained"},
        {64, 64, 64, VG_IMGSZ_GIVEN, ""},
        {100, 100, 128, VG_IMGSZ_GIVEN, "imgsz 100 is raised to 128, a multiple of the stride 32"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vg_options o = options();
        vg_detector *d = NULL;
        vg_model *m = NULL;
        vg_model_info info;
        char line[128];
        o.imgsz = rows[i].given;
        assert_int_equal(vg_detector_open(&d, &o, NULL), VG_OK);
        for (int k = 0; k < 2; k++) {
            if (k == 0)
                vg_detector_info(d, &info);
            else
                vg_model_info_get(m, &info);
            assert_int_equal(info.imgsz, rows[i].used);
            assert_int_equal(info.asked_imgsz, rows[i].asked);
            assert_int_equal(info.imgsz_from, rows[i].from);
            assert_int_equal(vg_imgsz_format(line, sizeof line, &info), rows[i].line[0] != '\0');
            assert_string_equal(line, rows[i].line);
            if (k == 0)
                assert_int_equal(vg_model_open(&m, weights, rows[i].given, 0, NULL), VG_OK);
        }
        vg_model_close(&m);
        vg_detector_close(&d);
    }
    char line[128];
    assert_true(says_imgsz(line, 640, 640, VG_IMGSZ_DEFAULT));
    assert_string_equal(line, "imgsz 640, since the weights do not say theirs");
    assert_true(says_imgsz(line, 128, 100, VG_IMGSZ_OF_WEIGHTS));
    assert_string_equal(line,
                        "imgsz 100 of the weights is raised to 128, a multiple of the stride 32");
}

static vg_options rectangle(int h, int w)
{
    vg_options o = options();
    o.imgsz = h;
    o.imgsz_w = w;
    return o;
}

static void the_input_may_be_a_rectangle(void **state)
{
    (void)state;
    const vg_options o = rectangle(100, 130), square = rectangle(160, 0);
    vg_detector *d = NULL;
    vg_model_info info;
    vg_memory memory, of_square;
    char line[128];
    assert_int_equal(vg_detector_open(&d, &o, NULL), VG_OK);
    vg_detector_info(d, &info);
    vg_detector_memory(d, &memory);
    vg_detector_close(&d);
    assert_int_equal(info.imgsz, 128);
    assert_int_equal(info.imgsz_w, 160);
    assert_int_equal(info.asked_imgsz, 100);
    assert_int_equal(info.asked_imgsz_w, 130);
    assert_true(vg_imgsz_format(line, sizeof line, &info));
    assert_string_equal(line, "imgsz 100,130 is raised to 128,160, multiples of the stride 32");
    assert_int_equal(vg_detector_open(&d, &square, NULL), VG_OK);
    vg_detector_info(d, &info);
    vg_detector_memory(d, &of_square);
    vg_detector_close(&d);
    assert_int_equal(info.imgsz_w, 160);
    assert_true(memory.planned_bytes < of_square.planned_bytes);

    const vg_options wrong[] = {rectangle(64, 31), rectangle(64, -64), rectangle(64, 8193),
                                rectangle(0, 64)};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vg_error err = {0};
        assert_int_equal(vg_detector_open(&d, &wrong[i], &err), VG_ERR_ARGUMENT);
        assert_string_equal(err.where, "imgsz_w");
        assert_null(d);
    }
}

/* 480 x 640 holds a picture of 4:3 as 640 x 640 does. */
static void a_rectangle_that_fits_finds_what_the_square_finds(void **state)
{
    (void)state;
    enum { W = 320, H = 240, MOST = 50 };
    static uint8_t pixels[W * H * 3];
    static vg_detection found[3][MOST];
    size_t n[3];
    uint32_t noise = 1;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)((noise = noise * 1664525u + 1013904223u) >> 24);
    const vg_image image = {.pixels = pixels, .width = W, .height = H, .format = VG_RGB};
    const vg_options sizes[] = {rectangle(160, 0), rectangle(128, 160), rectangle(160, 96)};
    vg_detect_options o = vg_detect_options_default();
    o.conf = 0.001f;
    for (size_t i = 0; i < 3; i++) {
        vg_detector *d = NULL;
        assert_int_equal(vg_detector_open(&d, &sizes[i], NULL), VG_OK);
        assert_int_equal(vg_detect(d, found[i], MOST, &n[i], &image, &o, NULL), VG_OK);
        vg_detector_close(&d);
    }
    assert_true(n[0] > 0);
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(found[0], found[1], n[0] * sizeof *found[0]);
    assert_true(n[2] != n[0] || memcmp(found[0], found[2], n[0] * sizeof *found[0]) != 0);
}

static void what_is_held_is_what_was_planned(void **state)
{
    (void)state;
    vg_options o = options();
    vg_detector *d = NULL;
    vg_memory m;
    o.batch = 2;
    o.imgsz = 160;
    assert_int_equal(vg_detector_open(&d, &o, NULL), VG_OK);
    vg_detector_memory(d, &m);
    size_t planned = 0, in_use = 0;
    for (int i = 0; i < m.n_items; i++) {
        const vg_memory_item *item = &m.items[i];
        planned += item->planned_bytes;
        in_use += item->in_use_bytes;
        /* The cache of plans fills as shapes come; all else is there. */
        if (strcmp(item->owner, "plans") == 0)
            assert_in_range(item->in_use_bytes, 1, item->planned_bytes * 101 / 100);
        else if (item->in_use_bytes != item->planned_bytes)
            fail_msg("%s: %zu planned, %zu in use", item->owner, item->planned_bytes,
                     item->in_use_bytes);
    }
    assert_int_equal(planned, m.planned_bytes);
    assert_int_equal(in_use, m.in_use_bytes);
    vg_detector_close(&d);
}

static void a_limit_below_the_plan_is_refused_with_the_sum(void **state)
{
    (void)state;
    vg_options o = options();
    vg_detector *d = NULL;
    vg_memory m;
    vg_error err;
    o.imgsz = 320;
    assert_int_equal(vg_detector_open(&d, &o, &err), VG_OK);
    vg_detector_memory(d, &m);
    vg_detector_close(&d);

    o.memory_limit_bytes = m.planned_bytes;
    assert_int_equal(vg_detector_open(&d, &o, &err), VG_OK);
    vg_detector_close(&d);
    o.memory_limit_bytes = m.planned_bytes - 1;
    assert_int_equal(vg_detector_open(&d, &o, &err), VG_ERR_LIMIT);
    assert_null(d);
    assert_non_null(strstr(err.what, "weights "));
    assert_non_null(strstr(err.what, "activations "));
    assert_true(err.mend[0] != 0);
    /* Any limit at all: opened, or refused; never a failure half way. */
    for (size_t limit = 1000000; limit < m.planned_bytes; limit += m.planned_bytes / 23) {
        o.memory_limit_bytes = limit;
        vg_status st = vg_detector_open(&d, &o, &err);
        if (st != VG_ERR_LIMIT)
            fail_msg("limit %zu of %zu: %s: %s", limit, m.planned_bytes, vg_status_name(st),
                     err.what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_that_users_know),
        cmocka_unit_test(wrong_options_are_refused_with_words),
        cmocka_unit_test(imgsz_is_raised_to_the_stride),
        cmocka_unit_test(imgsz_is_the_weights_own_unless_one_is_given),
        cmocka_unit_test(the_input_may_be_a_rectangle),
        cmocka_unit_test(a_rectangle_that_fits_finds_what_the_square_finds),
        cmocka_unit_test(what_is_held_is_what_was_planned),
        cmocka_unit_test(a_limit_below_the_plan_is_refused_with_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
