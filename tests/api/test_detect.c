/* Detecting through vigil.h: the same picture in every form gives the same boxes, and every wrong
 * argument its words. */
#include "support/test.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream/scenes.h"
#include "vigil/vigil.h"

enum { W = 90, H = 64, MOST = 300 };
static const char weights[] = TEST_GOLDEN_DIR "/yolo11n_random.pt";

typedef struct bench {
    vg_detector *d;
    vg_error err;
    uint8_t *rgb;
    vg_detection want[MOST], is[3 * MOST];
    size_t n_want, n_is[3];
} bench;

static vg_options options(void)
{
    vg_options o = vg_options_default();
    o.weights = weights;
    o.imgsz = 96;
    o.threads = 1;
    o.batch = 3;
    return o;
}

static int set_up(void **state)
{
    bench *b = calloc(1, sizeof *b);
    vg_options o = options();
    *state = b;
    b->rgb = scene_make(W, H, 5);
    if (vg_detector_open(&b->d, &o, &b->err) != VG_OK)
        return -1;
    vg_image image = {.pixels = b->rgb, .width = W, .height = H};
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

static void assert_same(const bench *b, const vg_detection *is, size_t n)
{
    assert_int_equal(n, b->n_want);
    assert_memory_equal(is, b->want, n * sizeof *is);
}

static void boxes_are_inside_sorted_and_above_the_threshold(void **state)
{
    bench *b = *state;
    assert_true(b->n_want > 3);
    for (size_t i = 0; i < b->n_want; i++) {
        const vg_detection *r = &b->want[i];
        assert_true(r->x1 >= 0 && r->y1 >= 0 && r->x2 <= W && r->y2 <= H);
        assert_true(r->x1 <= r->x2 && r->y1 <= r->y2);
        assert_true(r->confidence > 0.25f && r->confidence <= 1);
        assert_true(i == 0 || r->confidence <= b->want[i - 1].confidence);
        assert_true(r->class_index >= 0 && r->class_index < 80);
        assert_true(vg_detector_class_name(b->d, r->class_index)[0] != 0);
    }
    assert_string_equal(vg_detector_class_name(b->d, 7), "class7");
    assert_string_equal(vg_detector_class_name(b->d, -1), "");
    assert_string_equal(vg_detector_class_name(b->d, 80), "");
}

static void bgr_is_rgb_the_other_way_round(void **state)
{
    bench *b = *state;
    uint8_t *bgr = malloc((size_t)W * H * 3);
    for (size_t i = 0; i < (size_t)W * H; i++)
        for (size_t c = 0; c < 3; c++)
            bgr[3 * i + c] = b->rgb[3 * i + 2 - c];
    vg_image image = {.pixels = bgr, .width = W, .height = H, .format = VG_BGR};
    assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &image, NULL, &b->err), VG_OK);
    assert_same(b, b->is, b->n_is[0]);
    image.format = VG_RGB;
    assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &image, NULL, &b->err), VG_OK);
    assert_true(b->n_is[0] != b->n_want || memcmp(b->is, b->want, b->n_want * sizeof *b->is) != 0);
    free(bgr);
}

static void rows_may_lie_apart(void **state)
{
    bench *b = *state;
    enum { STRIDE = W * 3 + 41 };
    uint8_t *wide = malloc((size_t)STRIDE * H);
    memset(wide, 99, (size_t)STRIDE * H);
    for (size_t y = 0; y < H; y++)
        memcpy(wide + y * STRIDE, b->rgb + y * W * 3, (size_t)W * 3);
    vg_image image = {.pixels = wide, .width = W, .height = H, .stride = STRIDE};
    assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &image, NULL, &b->err), VG_OK);
    assert_same(b, b->is, b->n_is[0]);
    free(wide);
}

static void a_picture_in_a_batch_gets_its_own_boxes(void **state)
{
    bench *b = *state;
    uint8_t *other = scene_make(W, H, 77);
    vg_image images[3] = {{.pixels = other, .width = W, .height = H},
                          {.pixels = b->rgb, .width = W, .height = H},
                          {.pixels = other, .width = W, .height = H}};
    assert_int_equal(vg_detect_batch(b->d, b->is, MOST, b->n_is, images, 3, NULL, &b->err), VG_OK);
    assert_same(b, b->is + MOST, b->n_is[1]);
    assert_int_equal(b->n_is[0], b->n_is[2]);
    assert_memory_equal(b->is, b->is + 2 * MOST, b->n_is[0] * sizeof *b->is);
    assert_true(b->n_is[0] != b->n_want || memcmp(b->is, b->want, b->n_want * sizeof *b->is) != 0);
    /* Of several shapes: all in a square, and still in their own pixels. */
    images[2] = (vg_image){.pixels = other, .width = 30, .height = 50, .stride = 3 * W};
    assert_int_equal(vg_detect_batch(b->d, b->is, MOST, b->n_is, images, 3, NULL, &b->err), VG_OK);
    for (size_t i = 0; i < b->n_is[2]; i++)
        assert_true(b->is[2 * MOST + i].x2 <= 30 && b->is[2 * MOST + i].y2 <= 50);
    free(other);
}

static void a_file_is_its_pixels(void **state)
{
    bench *b = *state;
    char folder[256];
    assert_int_equal(folder_make(folder, sizeof folder), 0);
    const char *path = scene_path(folder, "a.bmp");
    assert_int_equal(scene_write_bmp(path, W, H, 5), 0);
    assert_int_equal(vg_detect_file(b->d, b->is, MOST, b->n_is, path, NULL, &b->err), VG_OK);
    assert_same(b, b->is, b->n_is[0]);
    assert_int_equal(
        vg_detect_file(b->d, b->is, MOST, b->n_is, scene_path(folder, "none.jpg"), NULL, &b->err),
        VG_ERR_IO);
    assert_int_equal(b->n_is[0], 0);
    scene_write_text(scene_path(folder, "b.jpg"), "no picture");
    assert_int_equal(
        vg_detect_file(b->d, b->is, MOST, b->n_is, scene_path(folder, "b.jpg"), NULL, &b->err),
        VG_ERR_FORMAT);
    assert_non_null(strstr(b->err.where, "b.jpg"));
    folder_remove(folder);
}

static void options_choose_among_the_boxes(void **state)
{
    bench *b = *state;
    vg_image image = {.pixels = b->rgb, .width = W, .height = H};
    vg_detect_options o = vg_detect_options_default();
    o.max_det = 2;
    assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &image, &o, &b->err), VG_OK);
    assert_int_equal(b->n_is[0], 2);
    assert_memory_equal(b->is, b->want, 2 * sizeof *b->is);
    /* Room for fewer than there are: the best. */
    memset(b->is, 0xAA, sizeof b->is);
    assert_int_equal(vg_detect(b->d, b->is, 3, b->n_is, &image, NULL, &b->err), VG_OK);
    assert_int_equal(b->n_is[0], 3);
    assert_memory_equal(b->is, b->want, 3 * sizeof *b->is);
    assert_int_equal(((uint8_t *)&b->is[3])[0], 0xAA);
    assert_int_equal(vg_detect(b->d, NULL, 0, b->n_is, &image, NULL, &b->err), VG_OK);
    assert_int_equal(b->n_is[0], 0);
    o = vg_detect_options_default();
    int only[] = {b->want[0].class_index};
    o.classes = only;
    o.n_classes = 1;
    assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &image, &o, &b->err), VG_OK);
    assert_true(b->n_is[0] >= 1);
    for (size_t i = 0; i < b->n_is[0]; i++)
        assert_int_equal(b->is[i].class_index, only[0]);
    o.n_classes = 0; /* a list of none wants none */
    assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &image, &o, &b->err), VG_OK);
    assert_int_equal(b->n_is[0], 0);
    o = vg_detect_options_default();
    o.conf = b->want[1].confidence;
    assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &image, &o, &b->err), VG_OK);
    assert_true(b->n_is[0] >= 1 && b->n_is[0] < b->n_want);
}

static void wrong_pictures_are_refused(void **state)
{
    bench *b = *state;
    const vg_image wrong[] = {
        {.pixels = NULL, .width = W, .height = H},
        {.pixels = b->rgb, .width = 0, .height = H},
        {.pixels = b->rgb, .width = W, .height = -1},
        {.pixels = b->rgb, .width = W, .height = H, .stride = W * 3 - 1},
        {.pixels = b->rgb, .width = W, .height = H, .format = (vg_pixel_format)99},
        {.pixels = b->rgb, .width = 1 << 30, .height = 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        b->n_is[0] = 9;
        assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &wrong[i], NULL, &b->err),
                         VG_ERR_ARGUMENT);
        assert_int_equal(b->n_is[0], 0);
        assert_int_equal(b->err.status, VG_ERR_ARGUMENT);
        assert_true(b->err.what[0] != 0);
    }
    assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, NULL, NULL, NULL), VG_ERR_ARGUMENT);
    vg_image image = {.pixels = b->rgb, .width = W, .height = H};
    assert_int_equal(vg_detect(b->d, NULL, MOST, b->n_is, &image, NULL, NULL), VG_ERR_ARGUMENT);
    assert_int_equal(vg_detect(b->d, b->is, MOST, NULL, &image, NULL, NULL), VG_ERR_ARGUMENT);
    assert_int_equal(vg_detect_file(b->d, b->is, MOST, b->n_is, NULL, NULL, NULL), VG_ERR_ARGUMENT);
    assert_int_equal(vg_detect_batch(b->d, b->is, MOST, b->n_is, &image, 0, NULL, &b->err),
                     VG_ERR_ARGUMENT);
    assert_int_equal(vg_detect_batch(b->d, b->is, MOST, b->n_is, &image, 4, NULL, &b->err),
                     VG_ERR_ARGUMENT);
    assert_int_equal(vg_detect_batch(b->d, b->is, MOST, b->n_is, &image, SIZE_MAX, NULL, NULL),
                     VG_ERR_ARGUMENT);
    /* And the handle still works. */
    assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &image, NULL, &b->err), VG_OK);
    assert_same(b, b->is, b->n_is[0]);
}

static void no_detector_is_refused(void **state)
{
    (void)state;
    vg_detection row;
    size_t n = 7;
    vg_error err;
    assert_int_equal(vg_detect_file(NULL, &row, 1, &n, "a.jpg", NULL, &err), VG_ERR_ARGUMENT);
    assert_string_equal(err.where, "detector");
    assert_int_equal(n, 0);
    uint8_t pixel[3] = {0};
    vg_image image = {.pixels = pixel, .width = 1, .height = 1, .format = VG_RGB};
    assert_int_equal(vg_detect(NULL, &row, 1, &n, &image, NULL, &err), VG_ERR_ARGUMENT);
}

static void wrong_options_are_refused(void **state)
{
    bench *b = *state;
    vg_image image = {.pixels = b->rgb, .width = W, .height = H};
    float nan = strtof("nan", NULL);
    int outside[] = {3, 80};
    vg_detect_options wrong[9];
    for (size_t i = 0; i < 9; i++)
        wrong[i] = vg_detect_options_default();
    wrong[0].conf = -0.1f;
    wrong[1].conf = 1.1f;
    wrong[2].conf = nan;
    wrong[3].iou = -1;
    wrong[4].iou = nan;
    wrong[5].max_det = 0;
    wrong[6].max_det = 1001;
    wrong[7].classes = outside;
    wrong[7].n_classes = 2;
    wrong[8].max_det = -5;
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(vg_detect(b->d, b->is, MOST, b->n_is, &image, &wrong[i], &b->err),
                         VG_ERR_ARGUMENT);
        assert_true(b->err.what[0] && b->err.where[0] && b->err.mend[0]);
    }
}

/* ---- a fork ---- */

/* Its threads stay behind. Exit statuses tell what went wrong in the child. */
static void a_child_is_told_that_the_handle_is_the_parents(void **state)
{
    bench *b = *state;
    vg_image image = {.pixels = b->rgb, .width = W, .height = H};
    vg_options o = options();
    o.threads = 2;
    vg_detector *two = NULL;
    assert_int_equal(vg_detector_open(&two, &o, &b->err), VG_OK);
    const pid_t child = fork();
    if (child == 0) {
        vg_error err;
        size_t n;
        vg_status st = vg_detect(two, b->is, MOST, &n, &image, NULL, &err);
        if (st != VG_ERR_ARGUMENT || strstr(err.what, "fork") == NULL || err.mend[0] == '\0')
            _exit(1);
        vg_detector_close(&two); /* does not wait for threads that are not there */
        if (two != NULL || vg_detector_open(&two, &o, &err) != VG_OK)
            _exit(2);
        st = vg_detect(two, b->is, MOST, &n, &image, NULL, &err);
        vg_detector_close(&two);
        _exit(st == VG_OK && n == b->n_want ? 0 : 3);
    }
    int status = -1;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
    assert_int_equal(vg_detect(two, b->is, MOST, b->n_is, &image, NULL, &b->err), VG_OK);
    assert_int_equal(b->n_is[0], b->n_want);
    vg_detector_close(&two);
}

/* ---- two handles in two threads ---- */

typedef struct worker {
    const bench *b;
    int n_wrong;
} worker;

static void *detect_often(void *self)
{
    worker *w = self;
    vg_options o = options();
    vg_detector *d = NULL;
    vg_detection *is = malloc(MOST * sizeof *is);
    vg_image image = {.pixels = w->b->rgb, .width = W, .height = H};
    if (vg_detector_open(&d, &o, NULL) != VG_OK)
        w->n_wrong = 1000;
    for (int i = 0; d && i < 20; i++) {
        size_t n = 0;
        bool ok = vg_detect(d, is, MOST, &n, &image, NULL, NULL) == VG_OK && n == w->b->n_want &&
                  memcmp(is, w->b->want, n * sizeof *is) == 0;
        w->n_wrong += !ok;
    }
    vg_detector_close(&d);
    free(is);
    return NULL;
}

static void handles_in_different_threads_do_not_meet(void **state)
{
    worker workers[2] = {{.b = *state}, {.b = *state}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, detect_often, &workers[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].n_wrong, 0);
    }
}

static void threads_and_instruction_sets_find_the_same_boxes(void **state)
{
    bench *b = *state;
    static const char *const isas[] = {"plain", "sse41", "avx2", "avx512", NULL};
    vg_image image = {.pixels = b->rgb, .width = W, .height = H};
    size_t n_run = 0;
    for (size_t i = 0; i < 5; i++) {
        vg_options o = options();
        vg_detector *d = NULL;
        o.isa = isas[i];
        o.threads = 2;
        vg_status st = vg_detector_open(&d, &o, &b->err);
        if (st != VG_OK) { /* not on this processor */
            assert_int_equal(st, VG_ERR_ARGUMENT);
            assert_non_null(isas[i]);
            continue;
        }
        vg_model_info info;
        vg_detector_info(d, &info);
        assert_int_equal(info.threads, 2);
        if (isas[i])
            assert_string_equal(info.isa, isas[i]);
        assert_int_equal(vg_detect(d, b->is, MOST, b->n_is, &image, NULL, &b->err), VG_OK);
        assert_int_equal(b->n_is[0], b->n_want);
        for (size_t k = 0; k < b->n_want; k++) {
            const float *is = &b->is[k].x1, *want = &b->want[k].x1;
            for (int c = 0; c < 5; c++)
                assert_true(is[c] - want[c] < 0.02f && want[c] - is[c] < 0.02f);
            assert_int_equal(b->is[k].class_index, b->want[k].class_index);
        }
        vg_detector_close(&d);
        n_run++;
    }
    assert_true(n_run >= 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(boxes_are_inside_sorted_and_above_the_threshold),
        TEST(bgr_is_rgb_the_other_way_round),
        TEST(rows_may_lie_apart),
        TEST(a_picture_in_a_batch_gets_its_own_boxes),
        TEST(a_file_is_its_pixels),
        TEST(options_choose_among_the_boxes),
        TEST(wrong_pictures_are_refused),
        TEST(no_detector_is_refused),
        TEST(wrong_options_are_refused),
        TEST(a_child_is_told_that_the_handle_is_the_parents),
        TEST(handles_in_different_threads_do_not_meet),
        TEST(threads_and_instruction_sets_find_the_same_boxes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
