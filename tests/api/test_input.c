/* Pictures in every format that vg_image has: the same picture gives the same boxes, and what is
 * none is refused. */
#include "support/test.h"

#include "stream/scenes.h"
#include "vigil/vigil.h"

enum { W = 96, H = 64, MOST = 100, GAP = 7 };
static const char weights[] = TEST_GOLDEN_DIR "/yolo11n_random.pt";

typedef struct bench {
    vg_detector *d;
    vg_error err;
    uint8_t *rgb;
    vg_detection want[MOST], is[MOST];
    size_t n_want, n_is;
} bench;

static int set_up(void **state)
{
    bench *b = calloc(1, sizeof *b);
    vg_options o = vg_options_default();
    *state = b;
    o.weights = weights;
    o.imgsz = 96;
    o.threads = 1;
    o.batch = 4;
    b->rgb = scene_make(W, H, 5);
    if (vg_detector_open(&b->d, &o, &b->err) != VG_OK)
        return -1;
    const vg_image image = {.pixels = b->rgb, .width = W, .height = H};
    return vg_detect(b->d, b->want, MOST, &b->n_want, &image, NULL, &b->err) == VG_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    bench *b = *state;
    vg_detector_close(&b->d);
    free(b->rgb);
    free(b);
    return 0;
}

static void assert_same(bench *b, const vg_image *image)
{
    if (vg_detect(b->d, b->is, MOST, &b->n_is, image, NULL, &b->err) != VG_OK)
        fail_msg("%s: %s", b->err.where, b->err.what);
    assert_int_equal(b->n_is, b->n_want);
    assert_memory_equal(b->is, b->want, b->n_is * sizeof *b->is);
}

static void alpha_is_passed_over(void **state)
{
    bench *b = *state;
    const size_t row = 4 * W + GAP;
    uint8_t *four = malloc(row * H);
    assert_true(b->n_want > 3);
    for (int bgr = 0; bgr < 2; bgr++) {
        for (size_t i = 0; i < row * H; i++)
            four[i] = (uint8_t)(i * 31);
        for (size_t i = 0; i < W * H; i++)
            for (size_t c = 0; c < 3; c++)
                four[i / W * row + i % W * 4 + c] = b->rgb[3 * i + (bgr ? 2 - c : c)];
        const vg_image image = {.pixels = four,
                                .width = W,
                                .height = H,
                                .stride = row,
                                .format = bgr ? VG_BGRA : VG_RGBA};
        assert_same(b, &image);
    }
    free(four);
}

static void floats_that_fit_are_taken_as_they_are(void **state)
{
    bench *b = *state;
    static const vg_pixel_format formats[] = {VG_RGB_FLOAT, VG_BGR_FLOAT, VG_RGB_PLANES,
                                              VG_BGR_PLANES};
    for (size_t k = 0; k < 4; k++) {
        const bool planes = k >= 2, bgr = k % 2 == 1;
        const size_t row = W * (planes ? 1u : 3u) + GAP, plane = row * H + GAP;
        float *floats = calloc(3 * plane, sizeof *floats);
        for (size_t i = 0; i < W * H; i++)
            for (size_t c = 0; c < 3; c++)
                floats[i / W * row + (planes ? i % W + c * plane : i % W * 3 + c)] =
                    (float)b->rgb[3 * i + (bgr ? 2 - c : c)] / 255;
        const vg_image image = {.pixels = floats,
                                .width = W,
                                .height = H,
                                .stride = row * sizeof *floats,
                                .format = formats[k],
                                .plane_stride = plane * sizeof *floats};
        assert_same(b, &image);
        free(floats);
    }
}

static void rows_and_planes_may_follow_each_other(void **state)
{
    bench *b = *state;
    float *floats = malloc(3 * W * H * sizeof *floats);
    for (size_t i = 0; i < 3 * W * H; i++)
        floats[i] = (float)b->rgb[i % (W * H) * 3 + i / (W * H)] / 255;
    const vg_image image = {.pixels = floats, .width = W, .height = H, .format = VG_RGB_PLANES};
    assert_same(b, &image);
    free(floats);
}

static void grey_is_grey_of_three_channels(void **state)
{
    bench *b = *state;
    uint8_t *grey = malloc(W * H);
    float *floats = malloc(W * H * sizeof *floats);
    for (size_t i = 0; i < W * H; i++) {
        grey[i] = b->rgb[3 * i];
        floats[i] = (float)grey[i] / 255;
        b->rgb[3 * i + 1] = b->rgb[3 * i + 2] = grey[i];
    }
    vg_image image = {.pixels = b->rgb, .width = W, .height = H};
    assert_int_equal(vg_detect(b->d, b->want, MOST, &b->n_want, &image, NULL, &b->err), VG_OK);
    assert_true(b->n_want > 0);
    image = (vg_image){.pixels = grey, .width = W, .height = H, .format = VG_GREY};
    assert_same(b, &image);
    image = (vg_image){.pixels = floats, .width = W, .height = H, .format = VG_GREY_FLOAT};
    assert_same(b, &image);
    free(grey);
    free(floats);
}

static void a_batch_may_mix_shapes_and_formats(void **state)
{
    bench *b = *state;
    uint8_t *grey = malloc(50 * 70);
    memset(grey, 90, 50 * 70);
    float *floats = calloc(3 * 33 * 20, sizeof *floats);
    vg_detection *rows = malloc(4 * MOST * sizeof *rows);
    size_t n[4], n_again;
    const vg_image images[] = {
        {.pixels = grey, .width = 50, .height = 70, .format = VG_GREY},
        {.pixels = b->rgb, .width = W, .height = H},
        {.pixels = floats, .width = 33, .height = 20, .format = VG_RGB_PLANES},
        {.pixels = b->rgb, .width = 40, .height = 30, .stride = 3 * W}};
    assert_int_equal(vg_detect_batch(b->d, rows, MOST, n, images, 4, NULL, &b->err), VG_OK);
    assert_true(n[1] > 0);
    for (size_t i = 0; i < n[3]; i++)
        assert_true(rows[3 * MOST + i].x2 <= 40 && rows[3 * MOST + i].y2 <= 30);
    /* The one among others is what it is beside one other. */
    const vg_image two[] = {images[1], images[0]};
    assert_int_equal(vg_detect_batch(b->d, b->is, MOST / 2, (size_t[2]){0}, two, 1, NULL, &b->err),
                     VG_OK);
    vg_detection *pair = malloc(2 * MOST * sizeof *pair);
    size_t n_pair[2];
    assert_int_equal(vg_detect_batch(b->d, pair, MOST, n_pair, two, 2, NULL, &b->err), VG_OK);
    n_again = n_pair[0];
    assert_int_equal(n_again, n[1]);
    assert_memory_equal(pair, rows + MOST, n_again * sizeof *pair);
    free(pair);
    free(rows);
    free(floats);
    free(grey);
}

static void a_call_says_what_took_how_long(void **state)
{
    bench *b = *state;
    vg_predict_times t;
    char folder[256];
    vg_detector_times(b->d, &t);
    assert_true(t.preprocess_ms > 0 && t.inference_ms > 0 && t.postprocess_ms > 0);
    assert_true(t.decode_ms == 0 && t.save_ms == 0);
    assert_int_equal(folder_make(folder, sizeof folder), 0);
    const char *path = scene_path(folder, "a.bmp");
    assert_int_equal(scene_write_bmp(path, W, H, 5), 0);
    assert_int_equal(vg_detect_file(b->d, b->is, MOST, &b->n_is, path, NULL, &b->err), VG_OK);
    vg_detector_times(b->d, &t);
    assert_true(t.decode_ms > 0 && t.inference_ms > 0);
    const vg_image none = {.pixels = NULL};
    assert_int_equal(vg_detect(b->d, b->is, MOST, &b->n_is, &none, NULL, &b->err), VG_ERR_ARGUMENT);
    vg_detector_times(b->d, &t);
    assert_true(t.decode_ms == 0 && t.postprocess_ms < t.preprocess_ms + 1);
    folder_remove(folder);
}

static void nothing_is_taken_by_a_format(void **state)
{
    bench *b = *state;
    vg_memory before, after;
    float *floats = calloc(3 * 200 * 100, sizeof *floats);
    const vg_image image = {.pixels = floats, .width = 200, .height = 100, .format = VG_RGB_PLANES};
    const vg_image rgb = {.pixels = b->rgb, .width = 60, .height = 30, .stride = 3 * W};
    assert_int_equal(vg_detect(b->d, b->is, MOST, &b->n_is, &rgb, NULL, &b->err), VG_OK);
    vg_detector_memory(b->d, &before);
    assert_int_equal(vg_detect(b->d, b->is, MOST, &b->n_is, &image, NULL, &b->err), VG_OK);
    assert_int_equal(vg_detect(b->d, b->is, MOST, &b->n_is, &rgb, NULL, &b->err), VG_OK);
    vg_detector_memory(b->d, &after);
    for (int i = 0; i < before.n_items; i++)
        if (strcmp(before.items[i].owner, "frames") == 0) {
            assert_int_equal(before.items[i].in_use_bytes, before.items[i].planned_bytes);
            assert_int_equal(after.items[i].in_use_bytes, before.items[i].in_use_bytes);
            assert_int_equal(after.items[i].n_allocations, before.items[i].n_allocations);
        }
    free(floats);
}

static void what_cannot_be_read_is_refused(void **state)
{
    bench *b = *state;
    const char *bytes = (const char *)b->rgb;
    const vg_image wrong[] = {
        {.pixels = b->rgb, .width = W, .height = H, .format = (vg_pixel_format)10},
        {.pixels = b->rgb, .width = W, .height = H, .format = (vg_pixel_format)-1},
        {.pixels = b->rgb, .width = W, .height = 4, .stride = 4 * W - 1, .format = VG_RGBA},
        {.pixels = b->rgb, .width = 9, .height = 4, .stride = 109, .format = VG_RGB_FLOAT},
        {.pixels = bytes + 1, .width = 9, .height = 4, .format = VG_GREY_FLOAT},
        {.pixels = b->rgb, .width = 9, .height = 4, .format = VG_RGB_PLANES, .plane_stride = 140},
        {.pixels = b->rgb, .width = 9, .height = 4, .format = VG_RGB_PLANES, .plane_stride = 146},
        {.pixels = b->rgb,
         .width = 9,
         .height = 4,
         .format = VG_RGB_PLANES,
         .plane_stride = SIZE_MAX - 3},
        {.pixels = b->rgb, .width = 9, .height = 4, .stride = SIZE_MAX / 2},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(vg_detect(b->d, b->is, MOST, &b->n_is, &wrong[i], NULL, &b->err),
                         VG_ERR_ARGUMENT);
        assert_string_equal(b->err.where, "image 0");
        assert_true(b->err.mend[0] != 0);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(alpha_is_passed_over),
        TEST(floats_that_fit_are_taken_as_they_are),
        TEST(rows_and_planes_may_follow_each_other),
        TEST(grey_is_grey_of_three_channels),
        TEST(a_batch_may_mix_shapes_and_formats),
        TEST(a_call_says_what_took_how_long),
        TEST(nothing_is_taken_by_a_format),
        TEST(what_cannot_be_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
