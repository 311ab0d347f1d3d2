/* test_augment.c: each step against the reference's pixels and boxes (golden augment), and the
 * vector loops against plain C. The golden pictures are BGR, ours RGB: it matters to HSV alone,
 * where they are turned around. */
#include "support/test.h"

#include <math.h>

#include "data/augment.h"
#include "support/golden.h"
#include "support/random.h"

static base_mem mem = {.tag = "test"};

static const char *key(const char *format, const char *set, int i)
{
    static char text[64];
    if (i < 0)
        base_format(text, sizeof text, "%s.%s", set, format);
    else
        base_format(text, sizeof text, "%s.%s%d", set, format, i);
    return text;
}

/* A golden picture (h, w, 3) copied into memory of ours. */
static image_view picture(golden_file *g, const char *name)
{
    size_t n, h = golden_dim(g, name, 0), w = golden_dim(g, name, 1);
    const uint8_t *bytes = golden_u8(g, name, &n);
    uint8_t *copy = base_alloc(&mem, n, NULL);
    memcpy(copy, bytes, n);
    return (image_view){copy, (int)w, (int)h, 3 * w};
}

static void put_on_canvas(image_view *canvas, const image_view *v)
{
    *canvas = canvas_init(base_alloc(&mem, canvas_bytes(v->w, v->h), NULL), v->w, v->h);
    for (int y = 0; y < v->h; y++)
        memcpy(canvas->data + (size_t)y * canvas->stride, v->data + (size_t)y * v->stride,
               3 * (size_t)v->w);
}

static uint8_t *canvas_block(const image_view *canvas)
{
    return canvas->data - CANVAS_BORDER * canvas->stride - 3 * CANVAS_BORDER;
}

/* Pixels that differ; fails above `most` anywhere. */
static size_t compare(const uint8_t *is, const uint8_t *want, size_t n, int most, const char *name)
{
    size_t n_off = 0;
    for (size_t i = 0; i < n; i++) {
        int d = abs(is[i] - want[i]);
        if (d > most)
            fail_msg("%s: byte %zu is %d instead of %d", name, i, is[i], want[i]);
        n_off += d > 0;
    }
    return n_off;
}

static void warp_equals_the_reference(void **state)
{
    (void)state;
    golden_file *g = golden_open("augment.safetensors");
    for (int i = 0; i < 4; i++) {
        char set[16];
        base_format(set, sizeof set, "warp%d", i);
        bool perspective = golden_i64(g, key("perspective", set, -1), NULL)[0] != 0;
        image_view in = picture(g, key("in", set, -1)), canvas;
        put_on_canvas(&canvas, &in);
        size_t n;
        const uint8_t *want = golden_u8(g, key("out", set, -1), &n);
        const int64_t *wh = golden_i64(g, key("out_wh", set, -1), NULL);
        const float *m = golden_f32(g, key("M", set, -1), NULL);
        uint8_t *out = base_alloc(&mem, n, NULL);
        image_view dst = {out, (int)wh[0], (int)wh[1], 3 * (size_t)wh[0]};
        int32_t *table = base_alloc(&mem, 8 * (size_t)wh[0], NULL);
        augment_warp(&dst, &canvas, m, perspective, table, &WARP_KERNELS_C);
        compare(out, want, n, perspective ? 2 : 0, set);
        memset(out, 0, n);
        augment_warp(&dst, &canvas, m, perspective, table, warp_kernels_get());
        compare(out, want, n, perspective ? 2 : 0, set);
        base_free(table);
        base_free(out);
        base_free(canvas_block(&canvas));
        base_free(in.data);
    }
    golden_close(g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void warped_boxes_equal_the_reference(void **state)
{
    (void)state;
    golden_file *g = golden_open("augment.safetensors");
    for (int i = 0; i < 4; i++) {
        char set[16];
        base_format(set, sizeof set, "warp%d", i);
        size_t n, n_want;
        const float *in = golden_f32(g, key("boxes_in", set, -1), &n);
        const float *cls = golden_f32(g, key("cls_in", set, -1), NULL);
        augment_box boxes[16];
        float clipped[16][4];
        n /= 4;
        for (size_t k = 0; k < n; k++)
            boxes[k] = (augment_box){.x1 = in[4 * k],
                                     .y1 = in[4 * k + 1],
                                     .x2 = in[4 * k + 2],
                                     .y2 = in[4 * k + 3],
                                     .class_index = (int)cls[k]};
        const int64_t *wh = golden_i64(g, key("out_wh", set, -1), NULL);
        size_t kept = augment_boxes_warp(boxes, n, golden_f32(g, key("M", set, -1), NULL),
                                         golden_i64(g, key("perspective", set, -1), NULL)[0] != 0,
                                         golden_f64(g, key("scale", set, -1), NULL)[0], (int)wh[0],
                                         (int)wh[1], clipped);
        const float *all = golden_f32(g, key("boxes_all_clipped", set, -1), NULL);
        for (size_t k = 0; k < 4 * n; k++)
            assert_true(fabsf(clipped[k / 4][k % 4] - all[k]) < 1e-3f);
        const float *want = golden_f32(g, key("boxes_out", set, -1), &n_want);
        const float *want_cls = golden_f32(g, key("cls_out", set, -1), NULL);
        assert_int_equal(kept, n_want / 4);
        for (size_t k = 0; k < kept; k++) {
            const float is[4] = {boxes[k].x1, boxes[k].y1, boxes[k].x2, boxes[k].y2};
            assert_int_equal(boxes[k].class_index, (int)want_cls[k]);
            for (int c = 0; c < 4; c++)
                assert_true(fabsf(is[c] - want[4 * k + (size_t)c]) < 1e-3f);
        }
    }
    golden_close(g);
}

static void mosaic_equals_the_reference(void **state)
{
    (void)state;
    golden_file *g = golden_open("augment.safetensors");
    for (int i = 0; i < 3; i++) {
        char set[16];
        base_format(set, sizeof set, "mosaic%d", i);
        size_t n, n_boxes = 0, n_want;
        const uint8_t *want = golden_u8(g, key("out", set, -1), &n);
        const int64_t *center = golden_i64(g, key("center_yx", set, -1), NULL);
        int side = (int)golden_dim(g, key("out", set, -1), 0);
        image_view canvas =
            canvas_init(base_alloc(&mem, canvas_bytes(side, side), NULL), side, side);
        canvas_fill(&canvas);
        augment_box boxes[32];
        for (int k = 0; k < 4; k++) {
            data_label labels[8] = {0};
            size_t n_labels;
            int pad_x, pad_y;
            image_view v = picture(g, key("img", set, k));
            const float *xywh = golden_f32(g, key("xywhn", set, k), &n_labels);
            const float *cls = golden_f32(g, key("cls", set, k), NULL);
            n_labels /= 4;
            for (size_t b = 0; b < n_labels; b++) {
                labels[b].class_index = (int)cls[b];
                memcpy(labels[b].xywh_norm, xywh + 4 * b, 4 * sizeof(float));
            }
            data_picture p = {.n_labels = n_labels, .labels = labels};
            augment_mosaic_place(&canvas, &v, k, (int)center[1], (int)center[0], &pad_x, &pad_y);
            n_boxes += augment_boxes_place(boxes + n_boxes, &p, NULL, (float)v.w, (float)v.h,
                                           (float)pad_x, (float)pad_y);
            base_free(v.data);
        }
        for (int y = 0; y < side; y++)
            compare(canvas.data + (size_t)y * canvas.stride, want + 3 * (size_t)(y * side),
                    3 * (size_t)side, 0, set);
        n_boxes = augment_boxes_clip(boxes, n_boxes, (float)side);
        const float *xyxy = golden_f32(g, key("boxes_xyxy", set, -1), &n_want);
        const float *cls = golden_f32(g, key("cls", set, -1), NULL);
        assert_int_equal(n_boxes, n_want / 4);
        for (size_t k = 0; k < n_boxes; k++) {
            const float is[4] = {boxes[k].x1, boxes[k].y1, boxes[k].x2, boxes[k].y2};
            assert_int_equal(boxes[k].class_index, (int)cls[k]);
            for (int c = 0; c < 4; c++)
                assert_true(fabsf(is[c] - xyxy[4 * k + (size_t)c]) < 1e-3f);
        }
        base_free(canvas_block(&canvas));
    }
    golden_close(g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void swap_channels(uint8_t *bytes, size_t n)
{
    image_view v = {bytes, (int)(n / 3), 1, n};
    image_swap_red_blue(&v, &v);
}

static void rgb_to_hsv_equals_the_reference(void **state)
{
    (void)state;
    golden_file *g = golden_open("augment.safetensors");
    size_t n;
    image_view v = picture(g, "hsv.in_bgr");
    const uint8_t *want = golden_u8(g, "hsv.bgr2hsv", &n);
    swap_channels(v.data, n);
    augment_rgb_to_hsv(v.data, v.data, n / 3);
    compare(v.data, want, n, 0, "hsv.bgr2hsv");
    base_free(v.data);
    golden_close(g);
}

static void hsv_gains_equal_the_reference_within_one(void **state)
{
    (void)state;
    golden_file *g = golden_open("augment.safetensors");
    for (int i = 0; i < 4; i++) {
        char set[16];
        base_format(set, sizeof set, "hsv%d", i);
        size_t n;
        image_view v = picture(g, "hsv.in_bgr");
        const uint8_t *want = golden_u8(g, key("out_bgr", set, -1), &n);
        hsv_tables t;
        augment_hsv_tables(&t, golden_f64(g, key("gains", set, -1), NULL));
        swap_channels(v.data, n);
        augment_hsv(&v, &t);
        swap_channels(v.data, n);
        size_t n_off = compare(v.data, want, n, 1, set);
        assert_true(n_off < n * 3 / 100);
        base_free(v.data);
    }
    golden_close(g);
}

static void mixup_equals_the_reference(void **state)
{
    (void)state;
    golden_file *g = golden_open("augment.safetensors");
    size_t n;
    image_view a = picture(g, "mixup.a"), b = picture(g, "mixup.b");
    const uint8_t *want = golden_u8(g, "mixup.out", &n);
    augment_mix(&a, &b, golden_f64(g, "mixup.r", NULL)[0]);
    compare(a.data, want, n, 0, "mixup");
    base_free(a.data);
    base_free(b.data);
    golden_close(g);
}

/* ---- without golden files ---- */

static void vector_warp_equals_plain_c_at_any_width(void **state)
{
    (void)state;
    const warp_kernels *kernels = warp_kernels_x86("avx2");
    if (!kernels)
        skip();
    test_random r = {7};
    enum { W = 53, H = 37 };
    image_view canvas = canvas_init(base_alloc(&mem, canvas_bytes(W, H), NULL), W, H);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < 3 * W; x++)
            canvas.data[(size_t)y * canvas.stride + (size_t)x] = (uint8_t)random_u64(&r);
    for (int round = 0; round < 200; round++) {
        float m[9] = {random_float(&r, -2, 2),
                      random_float(&r, -2, 2),
                      random_float(&r, -60, 60),
                      random_float(&r, -2, 2),
                      random_float(&r, -2, 2),
                      random_float(&r, -60, 60),
                      0,
                      0,
                      1};
        int w = 1 + round % 41;
        /* Blocks of the exact size: a write past the row is seen by the sanitizer. */
        uint8_t *want = base_alloc(&mem, 9 * (size_t)w, NULL),
                *is = base_alloc(&mem, 9 * (size_t)w, NULL);
        int32_t *table = base_alloc(&mem, 8 * (size_t)w, NULL);
        image_view to = {want, w, 3, 3 * (size_t)w};
        augment_warp(&to, &canvas, m, false, table, &WARP_KERNELS_C);
        to.data = is;
        augment_warp(&to, &canvas, m, false, table, kernels);
        assert_memory_equal(is, want, 9 * (size_t)w);
        base_free(want);
        base_free(is);
        base_free(table);
    }
    base_free(canvas_block(&canvas));
}

static void a_singular_matrix_gives_a_picture_all_the_same(void **state)
{
    (void)state;
    uint8_t out[3 * 8 * 8];
    int32_t table[16];
    image_view dst = {out, 8, 8, 24};
    image_view canvas = canvas_init(base_alloc(&mem, canvas_bytes(9, 9), NULL), 9, 9);
    canvas_fill(&canvas);
    const float zero[9] = {0, 0, 0, 0, 0, 0, 0, 0, 0},
                huge[9] = {1e-30f, 0, 1e9f, 0, 1e-30f, 0, 0, 0, 1};
    const float *cases[] = {zero, huge};
    for (int i = 0; i < 4; i++) {
        augment_warp(&dst, &canvas, cases[i / 2], i % 2, table, warp_kernels_get());
        for (size_t k = 0; k < sizeof out; k++)
            assert_int_equal(out[k], AUGMENT_GREY);
    }
    base_free(canvas_block(&canvas));
}

static void floats_are_flipped_and_divided(void **state)
{
    (void)state;
    uint8_t pixels[18], line[9];
    float out[18];
    for (int i = 0; i < 18; i++)
        pixels[i] = (uint8_t)(i * 13);
    image_view v = {pixels, 3, 2, 9};
    for (int flags = 0; flags < 8; flags++) {
        bool up = flags & 1, left = flags & 2, swap = flags & 4;
        augment_to_float(out, &v, up, left, swap, line);
        for (int y = 0; y < 2; y++)
            for (int x = 0; x < 3; x++)
                for (int c = 0; c < 3; c++) {
                    int from = (up ? 1 - y : y) * 9 + (left ? 2 - x : x) * 3 + (swap ? 2 - c : c);
                    assert_true(out[y * 9 + x * 3 + c] == (float)pixels[from] / 255.0f);
                }
    }
}

static void flipped_boxes_stay_on_their_objects(void **state)
{
    (void)state;
    augment_box b = {.x1 = 1, .y1 = 2, .x2 = 4, .y2 = 8, .class_index = 3};
    augment_boxes_flip(&b, 1, true, true, 10, 20);
    assert_true(b.x1 == 6 && b.x2 == 9 && b.y1 == 12 && b.y2 == 18);
    detect_label l;
    augment_boxes_format(&l, &b, 1, 5, 10, 20);
    assert_int_equal(l.picture, 5);
    assert_int_equal(l.class_index, 3);
    assert_true(fabsf(l.xywh_norm[0] - 0.75f) < 1e-6f && fabsf(l.xywh_norm[1] - 0.75f) < 1e-6f &&
                fabsf(l.xywh_norm[2] - 0.3f) < 1e-6f && fabsf(l.xywh_norm[3] - 0.3f) < 1e-6f);
}

/* A diamond turned by 45 degrees is a square: its polygon knows, its box does not. */
static void a_polygon_is_bounded_by_its_points(void **state)
{
    (void)state;
    const float points[] = {0.5f, 0.25f, 0.75f, 0.5f, 0.5f, 0.75f, 0.25f, 0.5f};
    data_label l = {.xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}, .n_points = 4};
    data_picture p = {.n_labels = 1, .labels = &l};
    const float k = 0.70710678f, c = 50;
    const float m[9] = {k, k, c - 2 * k * c, -k, k, c, 0, 0, 1};
    augment_box box;
    assert_int_equal(augment_boxes_place(&box, &p, points, 100, 100, 0, 0), 1);
    augment_box plain = box;
    plain.points = NULL;
    assert_int_equal(augment_boxes_warp(&box, 1, m, false, 1, 100, 100, NULL), 1);
    assert_int_equal(augment_boxes_warp(&plain, 1, m, false, 1, 100, 100, NULL), 1);
    assert_true(fabsf(box.x2 - box.x1 - 50 * k) < 0.1f && fabsf(box.y2 - box.y1 - 50 * k) < 0.1f);
    assert_true(fabsf(plain.x2 - plain.x1 - 100 * k) < 0.1f);
}

static void a_polygon_outside_is_dropped(void **state)
{
    (void)state;
    const float points[] = {0.1f, 0.1f, 0.3f, 0.1f, 0.3f, 0.3f};
    data_label l = {.xywh_norm = {0.2f, 0.2f, 0.2f, 0.2f}, .n_points = 3};
    data_picture p = {.n_labels = 1, .labels = &l};
    const float away[9] = {1, 0, -90, 0, 1, 0, 0, 0, 1};
    augment_box box;
    augment_boxes_place(&box, &p, points, 100, 100, 0, 0);
    assert_int_equal(augment_boxes_warp(&box, 1, away, false, 1, 100, 100, NULL), 0);
}

/* Spec 5.4, step 3: each rule alone, just kept and just dropped. */
static void boxes_are_filtered_by_size_area_and_aspect(void **state)
{
    (void)state;
    static const struct {
        float x1, y1, x2, y2, left;
        size_t kept;
    } cases[] = {{10, 10, 12.1f, 20, 0, 1}, {10, 10, 12, 20, 0, 0},   {10, 10, 20, 12.1f, 0, 1},
                 {10, 10, 20, 12, 0, 0},    {0, 0, 400, 4.1f, 0, 1},  {0, 0, 400, 4, 0, 0},
                 {100, 0, 200, 50, 189, 1}, {100, 0, 200, 50, 191, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const float m[9] = {1, 0, -cases[i].left, 0, 1, 0, 0, 0, 1};
        augment_box b = {
            .x1 = cases[i].x1, .y1 = cases[i].y1, .x2 = cases[i].x2, .y2 = cases[i].y2};
        if (augment_boxes_warp(&b, 1, m, false, 1, 500, 500, NULL) != cases[i].kept)
            fail_msg("case %zu", i);
    }
}

static void without_strength_the_matrix_is_the_identity(void **state)
{
    (void)state;
    base_rng rng = data_rng_make(1, 2, DATA_RNG_SAMPLE, 3);
    float m[9];
    double gain;
    augment_matrix_draw(m, &gain, &rng, &(data_augment){0}, 96, 64, 96, 64);
    assert_true(augment_matrix_is_identity(m) && gain == 1);
    augment_matrix_draw(m, &gain, &rng, &DATA_AUGMENT_DEFAULT, 96, 64, 96, 64);
    assert_false(augment_matrix_is_identity(m));
    assert_true(gain >= 0.5 && gain <= 1.5 && fabs(m[0] - gain) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warp_equals_the_reference),
        cmocka_unit_test(warped_boxes_equal_the_reference),
        cmocka_unit_test(mosaic_equals_the_reference),
        cmocka_unit_test(rgb_to_hsv_equals_the_reference),
        cmocka_unit_test(hsv_gains_equal_the_reference_within_one),
        cmocka_unit_test(mixup_equals_the_reference),
        cmocka_unit_test(vector_warp_equals_plain_c_at_any_width),
        cmocka_unit_test(a_singular_matrix_gives_a_picture_all_the_same),
        cmocka_unit_test(floats_are_flipped_and_divided),
        cmocka_unit_test(flipped_boxes_stay_on_their_objects),
        cmocka_unit_test(a_polygon_is_bounded_by_its_points),
        cmocka_unit_test(a_polygon_outside_is_dropped),
        cmocka_unit_test(boxes_are_filtered_by_size_area_and_aspect),
        cmocka_unit_test(without_strength_the_matrix_is_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
