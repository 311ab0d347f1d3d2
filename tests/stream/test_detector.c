/* The detector around the engine: sizes, names, shapes that change. */
#include "support/test.h"

#include "stream/scenes.h"

#include "stream/stream.h"

/* Spec 2.1 with the settings of prediction, worked out by hand. */
static void pictures_fit_as_the_spec_says(void **state)
{
    (void)state;
    static const struct {
        int h_most, w_most, w, h;
        bool rect;
        int out_w, out_h, new_w, new_h, left, top;
    } rows[] = {
        {640, 640, 640, 480, true, 640, 480, 640, 480, 0, 0},
        {640, 640, 640, 480, false, 640, 640, 640, 480, 0, 80},
        {640, 640, 1920, 1080, true, 640, 384, 640, 360, 0, 12},
        {640, 640, 1080, 1920, true, 384, 640, 360, 640, 12, 0},
        {640, 640, 320, 240, true, 640, 480, 640, 480, 0, 0}, /* enlarged */
        {640, 640, 810, 1080, true, 480, 640, 480, 640, 0, 0},
        {640, 640, 500, 375, true, 640, 480, 640, 480, 0, 0},
        {640, 640, 773, 512, true, 640, 448, 640, 424, 0, 12},
        {640, 640, 100, 99, true, 640, 640, 640, 634, 0, 3},
        {640, 640, 2000, 1, true, 640, 32, 640, 1, 0,
         15}, /* 31 to share: round(15.5 - 0.1) above */
        {320, 320, 640, 480, true, 320, 256, 320, 240, 0, 8},
        /* height and width of the input: spec 2.1's target */
        {480, 640, 640, 480, true, 640, 480, 640, 480, 0, 0},
        {480, 640, 320, 240, false, 640, 480, 640, 480, 0, 0},
        {480, 640, 480, 640, true, 384, 480, 360, 480, 12, 0},
        {480, 640, 480, 640, false, 640, 480, 360, 480, 140, 0},
        {480, 640, 1920, 1080, true, 640, 384, 640, 360, 0, 12},
        {480, 640, 1920, 1080, false, 640, 480, 640, 360, 0, 60},
        {640, 320, 640, 480, true, 320, 256, 320, 240, 0, 8},
        {64, 64, 1, 1, true, 64, 64, 64, 64, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        image_letterbox_fit f;
        vg_error err;
        assert_int_equal(stream_fit(&f, (base_size){rows[i].h_most, rows[i].w_most}, 32, rows[i].w,
                                    rows[i].h, rows[i].rect, &err),
                         VG_OK);
        if (f.out_w != rows[i].out_w || f.out_h != rows[i].out_h || f.new_w != rows[i].new_w ||
            f.new_h != rows[i].new_h || f.left != rows[i].left || f.top != rows[i].top)
            fail_msg("row %zu: %d x %d, inside %d x %d at %d, %d", i, f.out_w, f.out_h, f.new_w,
                     f.new_h, f.left, f.top);
        assert_int_equal(f.left + f.new_w + f.right, f.out_w);
        assert_int_equal(f.top + f.new_h + f.bottom, f.out_h);
    }
    image_letterbox_fit f;
    assert_int_equal(stream_fit(&f, (base_size){640, 640}, 32, 0, 5, true, NULL), VG_ERR_ARGUMENT);
}

/* No picture asks for more than all of imgsz, which is what buffers are made for. */
static void imgsz_holds_every_fit(void **state)
{
    (void)state;
    for (int side = 32; side <= 640; side += 32)
        for (int w = 1; w < 3000; w += 1 + w / 3)
            for (int h = 1; h < 3000; h += 1 + h / 4) {
                image_letterbox_fit f;
                const base_size most = {side, 672 - side};
                assert_int_equal(stream_fit(&f, most, 32, w, h, true, NULL), VG_OK);
                assert_true(f.out_w <= most.w && f.out_h <= most.h);
                assert_true(f.out_w % 32 == 0 && f.out_h % 32 == 0);
            }
}

typedef struct bench {
    stream_accounts mem;
    stream_detector *d;
    vg_error err;
    float *input;
} bench;

enum { SIDE = 96, MOST = 100 };

static int set_up(void **state)
{
    bench *b = scene_alloc(sizeof *b);
    stream_model m;
    stream_detector_options o = {.weights = TEST_GOLDEN_DIR "/yolo11n_random.pt",
                                 .imgsz = {SIDE, SIDE},
                                 .batch = 1,
                                 .threads = 1,
                                 .plan_cache = 2};
    *state = b;
    stream_accounts_init(&b->mem, 0);
    if (stream_model_open(&m, o.weights, NULL, o.imgsz, &b->mem, &b->err) != VG_OK ||
        stream_detector_open(&b->d, &m, &o, SIDE, SIDE, MOST, &b->mem, &b->err) != VG_OK)
        return -1;
    stream_model_close(&m);
    b->input = base_alloc(&b->mem.owner[STREAM_FRAMES], SIDE * SIDE * 3 * sizeof(float), NULL);
    for (size_t i = 0; i < SIDE * SIDE * 3; i++)
        b->input[i] = (float)(i * 2654435761u >> 24 & 0xff) / 255;
    return 0;
}

static int tear_down(void **state)
{
    bench *b = *state;
    base_free(b->input);
    stream_detector_close(&b->d);
    int left = b->mem.root.in_use_bytes != 0;
    free(b);
    return left ? -1 : 0;
}

static size_t run(bench *b, vg_detection *out, int h, int w, int max_det)
{
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.conf = 0.01f;
    o.max_det = max_det;
    assert_int_equal(stream_detector_run(b->d, b->input, 1, h, w, &b->mem, &b->err), VG_OK);
    task_found found = {.boxes = out, .most = 300};
    assert_int_equal(stream_detector_find(b->d, &found, 0, w, h, &o, false, &b->err), VG_OK);
    return found.n;
}

static void a_model_says_what_it_is(void **state)
{
    bench *b = *state;
    assert_int_equal(stream_detector_info(b->d)->nc, 80);
    assert_int_equal(stream_detector_imgsz(b->d).h, SIDE);
    assert_int_equal(stream_detector_imgsz(b->d).w, SIDE);
    vg_model_info facts;
    stream_detector_facts(&facts, b->d);
    assert_string_equal(facts.format, "pt");
    assert_int_equal(facts.n_classes, 80);
    assert_int_equal(facts.imgsz_w, SIDE);
    assert_string_equal(stream_detector_class_name(b->d, 79), "class79");
    assert_string_equal(stream_detector_class_name(b->d, 80), "");
    assert_int_equal(b->mem.owner[STREAM_LOADING].in_use_bytes, 0);
}

static void max_det_is_the_smaller_of_two(void **state)
{
    bench *b = *state;
    vg_detection boxes[MOST];
    size_t n = run(b, boxes, SIDE, SIDE, 100000);
    assert_true(n > 5 && n <= MOST);
    assert_int_equal(run(b, boxes, SIDE, SIDE, 3), 3);
}

/* What ran before has no say; shapes past the cache take nothing more. */
static void shapes_come_and_go_and_results_stay(void **state)
{
    bench *b = *state;
    vg_detection first[MOST], again[MOST];
    size_t n = run(b, first, SIDE, 64, MOST), held = 0;
    for (int round = 0; round < 3; round++) {
        for (int h = 32; h <= SIDE; h += 32)
            for (int w = 32; w <= SIDE; w += 32)
                run(b, again, h, w, MOST);
        assert_int_equal(run(b, again, SIDE, 64, MOST), n);
        assert_memory_equal(again, first, n * sizeof *first);
        if (round == 0)
            held = b->mem.root.in_use_bytes;
        assert_int_equal(b->mem.root.in_use_bytes, held);
    }
    assert_true(n > 0);
    assert_in_range(b->mem.owner[STREAM_PLANS].in_use_bytes, 1, b->mem.planned_bytes[STREAM_PLANS]);
}

static void the_limit_counts_what_opening_needs(void **state)
{
    (void)state;
    for (size_t limit = 1 << 20; limit <= 64 << 20; limit += 512 << 10) {
        stream_accounts mem;
        stream_model m;
        stream_detector *d = NULL;
        vg_error err;
        stream_detector_options o = {.weights = TEST_GOLDEN_DIR "/yolo11n_random.pt",
                                     .imgsz = {32, 32},
                                     .batch = 1,
                                     .threads = 1,
                                     .plan_cache = 1};
        stream_accounts_init(&mem, limit);
        vg_status st = stream_model_open(&m, o.weights, NULL, o.imgsz, &mem, &err);
        if (st == VG_OK)
            st = stream_detector_open(&d, &m, &o, 32, 32, 10, &mem, &err);
        assert_true(st == VG_OK || st == VG_ERR_LIMIT);
        assert_true(limit > 2 << 20 || st == VG_ERR_LIMIT);
        assert_true(limit < 64 << 20 || st == VG_OK);
        stream_model_close(&m);
        stream_detector_close(&d);
        assert_int_equal(mem.root.in_use_bytes, 0);
        assert_true(mem.root.peak_bytes <= limit);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_fit_as_the_spec_says),
        cmocka_unit_test(imgsz_holds_every_fit),
        TEST(a_model_says_what_it_is),
        TEST(max_det_is_the_smaller_of_two),
        TEST(shapes_come_and_go_and_results_stay),
        cmocka_unit_test(the_limit_counts_what_opening_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
