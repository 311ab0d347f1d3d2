/* Test-time augmentation against the reference's numbers: what is made of an input, and the boxes
 * of all views; and that it takes what was planned. */
#include "support/test.h"

#include <math.h>

#include "stream/scenes.h"
#include "stream/stream.h"
#include "support/golden.h"
#include "support/synthetic.h"

enum { N = 2, H = 64, W = 96, MOST = 2000 };

typedef struct bed {
    stream_accounts mem;
    base_mem own; /* of the test */
    stream_detector *d;
    golden_file *golden;
    float *input; /* (N, H, W, 3) */
    vg_error err;
} bed;

/* The golden file's planes as the network takes them. */
static void take_planes(float *dst, const float *planes, int h, int w)
{
    for (int i = 0; i < N; i++)
        for (int p = 0; p < h * w; p++)
            for (int c = 0; c < 3; c++)
                dst[(i * h * w + p) * 3 + c] = planes[(i * 3 + c) * h * w + p];
}

static void bed_open(bed *b, const char *name, int max_det, bool augment)
{
    char file[64];
    stream_model m = {.imgsz = {.used = {H, W}, .asked = {H, W}}};
    synthetic_weights s = {0};
    const stream_detector_options o = {
        .weights = name, .batch = N, .threads = 1, .plan_cache = 1, .augment = augment};
    *b = (bed){.own = {.tag = "test", .limit_bytes = SIZE_MAX}};
    stream_accounts_init(&b->mem, 0);
    snprintf(file, sizeof file, "views/%s_64x96.safetensors", name);
    b->golden = golden_open(file);
    if (synthetic_graph(&m.graph, name, 5, &b->mem.owner[STREAM_PLANS], &b->err) != VG_OK ||
        synthetic_make(&s, m.graph, 0, 8, &b->own, &b->err) != VG_OK)
        fail_msg("%s at %s", b->err.what, b->err.where);
    m.file = s.weights;
    nn_graph_get_info(m.graph, W, &m.info);
    if (stream_detector_open(&b->d, &m, &o, H, W, max_det, &b->mem, &b->err) != VG_OK)
        fail_msg("%s at %s", b->err.what, b->err.where);
    assert_null(m.graph);
    synthetic_close(&s);
    b->input = base_alloc(&b->own, (size_t)N * H * W * 3 * sizeof *b->input, NULL);
    assert_non_null(b->input);
    take_planes(b->input, golden_f32(b->golden, "input0", NULL), H, W);
}

static void bed_close(bed *b)
{
    stream_detector_close(&b->d);
    base_free(b->input);
    golden_close(b->golden);
    assert_int_equal(b->mem.root.in_use_bytes, 0);
    assert_int_equal(b->own.in_use_bytes, 0);
}

/* ---- what the network sees ---- */

static void inputs_are_the_references(void **state)
{
    (void)state;
    golden_file *g = golden_open("views/yolo11n_64x96.safetensors");
    static float src[N * H * W * 3], dst[N * H * W * 3], want[N * H * W * 3];
    take_planes(src, golden_f32(g, "input0", NULL), H, W);
    for (int i = 1; i < DETECT_N_VIEWS; i++) {
        char key[16];
        const detect_view v = detect_view_of(i, H, W, 32);
        const image_resampling r = {.h = v.h,
                                    .w = v.w,
                                    .out_h = v.in_h,
                                    .out_w = v.in_w,
                                    .fill = DETECT_VIEW_FILL,
                                    .is_flipped = v.is_mirrored};
        snprintf(key, sizeof key, "input%d", i);
        assert_int_equal(golden_dim(g, key, 2), v.in_h);
        assert_int_equal(golden_dim(g, key, 3), v.in_w);
        take_planes(want, golden_f32(g, key, NULL), v.in_h, v.in_w);
        image_resample(dst, &r, src, N, H, W);
        for (int k = 0; k < N * v.in_h * v.in_w * 3; k++)
            if (fabsf(dst[k] - want[k]) > 1e-6f)
                fail_msg("view %d, element %d: %g, not %g", i, k, (double)dst[k], (double)want[k]);
    }
    golden_close(g);
}

/* ---- boxes ---- */

static float apart(const vg_detection *a, const vg_detection *b)
{
    return fmaxf(fmaxf(fabsf(a->x1 - b->x1), fabsf(a->y1 - b->y1)),
                 fmaxf(fabsf(a->x2 - b->x2), fabsf(a->y2 - b->y2)));
}

/* The golden tensor's boxes by the same suppression, each of which must be among ours. */
static void boxes_are_the_references(const char *name, float conf, float iou)
{
    bed b;
    bed_open(&b, name, MOST, true);
    const size_t n_anchors = golden_dim(b.golden, "decoded", 2);
    const float *decoded = golden_f32(b.golden, "decoded", NULL);
    static vg_detection want[MOST], got[MOST];
    detect_nms *nms = NULL;
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.conf = conf;
    o.iou = iou;
    o.max_det = MOST;
    assert_int_equal(detect_nms_create(&nms, n_anchors, MOST, &b.own, &b.err), VG_OK);
    assert_int_equal(stream_detector_run(b.d, b.input, N, H, W, &b.mem, &b.err), VG_OK);
    for (int i = 0; i < N; i++) {
        task_found found = {.boxes = got, .most = MOST};
        assert_int_equal(stream_detector_find(b.d, &found, i, W, H, &o, false, &b.err), VG_OK);
        const size_t n = found.n,
                     n_want = detect_nms_run(nms, want, NULL, decoded + (size_t)i * 9 * n_anchors,
                                             5, n_anchors, &o);
        detect_scale_boxes(want, n_want, H, W, H, W);
        assert_int_equal(n, n_want);
        assert_true(n > 10);
        assert_true(iou < 1 ||
                    n == n_anchors); /* nothing is suppressed: every cell of every view */
        for (size_t k = 0; k < n; k++) {
            float nearest = INFINITY;
            for (size_t j = 0; j < n; j++)
                if (want[k].class_index == got[j].class_index &&
                    fabsf(want[k].confidence - got[j].confidence) < 1e-4f)
                    nearest = fminf(nearest, apart(&want[k], &got[j]));
            if (!(nearest < 1e-2f))
                fail_msg("%s: the reference's box %zu is missing: %g %g %g %g, %g; %g apart", name,
                         k, (double)want[k].x1, (double)want[k].y1, (double)want[k].x2,
                         (double)want[k].y2, (double)want[k].confidence, (double)nearest);
        }
    }
    detect_nms_destroy(&nms);
    bed_close(&b);
}

static void every_cell_of_three_levels_is_the_references(void **state)
{
    (void)state;
    boxes_are_the_references("yolo11n", 0, 1);
}

static void every_cell_of_four_levels_is_the_references(void **state)
{
    (void)state;
    boxes_are_the_references("yolov8n-p2", 0, 1);
}

static void boxes_after_suppression_are_the_references(void **state)
{
    (void)state;
    boxes_are_the_references("yolo11n", 0.05f, 0.7f);
}

/* ---- memory ---- */

static void it_takes_what_was_planned_and_nothing_later(void **state)
{
    (void)state;
    bed b;
    static vg_detection got[MOST];
    const detect_nms_options o = DETECT_NMS_PREDICT;
    bed_open(&b, "yolo11n", 300, true);
    assert_int_equal(stream_detector_run(b.d, b.input, N, H, W, &b.mem, &b.err), VG_OK);
    const size_t held = b.mem.root.in_use_bytes;
    uint64_t n_before[STREAM_N_ACCOUNTS];
    for (int i = 0; i < STREAM_N_ACCOUNTS; i++) {
        n_before[i] = b.mem.owner[i].n_allocs;
        assert_true(b.mem.owner[i].in_use_bytes <= b.mem.planned_bytes[i]);
    }
    for (int round = 0; round < 20; round++) {
        assert_int_equal(stream_detector_run(b.d, b.input, N, H, W, &b.mem, &b.err), VG_OK);
        task_found found = {.boxes = got, .most = MOST};
        assert_int_equal(stream_detector_find(b.d, &found, 0, W, H, &o, false, &b.err), VG_OK);
    }
    assert_int_equal(b.mem.root.in_use_bytes, held);
    for (int i = 0; i < STREAM_N_ACCOUNTS; i++)
        assert_int_equal(b.mem.owner[i].n_allocs, n_before[i]);
    bed_close(&b);
}

/* Three plans for each shape that the caller keeps, up to what an engine may have. */
static void plans_are_three_for_a_shape(void **state)
{
    (void)state;
    assert_int_equal(stream_plan_cache(4, false), 4);
    assert_int_equal(stream_plan_cache(4, true), 12);
    assert_int_equal(stream_plan_cache(200, true), NN_MOST_PLANS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_the_references),
        cmocka_unit_test(every_cell_of_three_levels_is_the_references),
        cmocka_unit_test(every_cell_of_four_levels_is_the_references),
        cmocka_unit_test(boxes_after_suppression_are_the_references),
        cmocka_unit_test(it_takes_what_was_planned_and_nothing_later),
        cmocka_unit_test(plans_are_three_for_a_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
