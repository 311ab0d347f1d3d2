/* test_letterbox.c: resize and letterbox equal OpenCV's, every byte (spec 2.1, 2.2). */
#include "support.h"

#include "support/golden.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static image_view golden_view(golden_file *g, const char *key)
{
    int h = (int)golden_dim(g, key, 0), w = (int)golden_dim(g, key, 1);
    uint8_t *data = (uint8_t *)(uintptr_t)golden_u8(g, key, NULL);
    return (image_view){.data = data, .w = w, .h = h, .stride = 3 * (size_t)w};
}

static void compare(const char *name, const uint8_t *is, const uint8_t *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is[i] != want[i])
            fail_msg("%s: byte %zu is %d instead of %d", name, i, is[i], want[i]);
}

static void every_golden_resize_is_equal(void **state)
{
    (void)state;
    golden_file *g = golden_open("letterbox.safetensors");
    image_scratch scratch = {0};
    int n_cases = 0;
    for (int i = 0;; i++, n_cases++) {
        char in[32], out[32];
        base_format(in, sizeof(in), "r%d.in", i);
        base_format(out, sizeof(out), "r%d.out", i);
        if (!golden_has(g, in))
            break;
        image_view src = golden_view(g, in), want = golden_view(g, out);
        image_buffer dst = {0};
        assert_int_equal(image_buffer_reserve(&dst, want.w, want.h, &mem, NULL), VG_OK);
        assert_int_equal(image_resize(&dst.view, &src, &scratch, &mem, NULL), VG_OK);
        compare(out, dst.view.data, want.data, want.stride * (size_t)want.h);
        image_buffer_fini(&dst);
    }
    assert_true(n_cases >= 2);
    image_scratch_fini(&scratch);
    golden_close(g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void every_golden_letterbox_is_equal(void **state)
{
    (void)state;
    golden_file *g = golden_open("letterbox.safetensors");
    image_scratch scratch = {0};
    int n_cases = 0;
    for (int i = 0;; i++, n_cases++) {
        char in[32], out[32], params[32];
        base_format(in, sizeof(in), "c%d.in", i);
        base_format(out, sizeof(out), "c%d.out", i);
        base_format(params, sizeof(params), "c%d.params", i);
        if (!golden_has(g, in))
            break;
        const int64_t *p = golden_i64(g, params, NULL);
        image_letterbox_rule rule = {.target_h = (int)p[0],
                                     .target_w = (int)p[1],
                                     .autosize = p[2] != 0,
                                     .scale_fill = p[3] != 0,
                                     .scale_up = p[4] != 0,
                                     .center = p[5] != 0,
                                     .stride = (int)p[6]};
        image_view src = golden_view(g, in), want = golden_view(g, out);
        image_letterbox_fit fit;
        assert_int_equal(image_letterbox_plan(&fit, src.w, src.h, &rule, NULL), VG_OK);
        assert_int_equal(fit.out_w, want.w);
        assert_int_equal(fit.out_h, want.h);
        image_buffer dst = {0};
        assert_int_equal(image_buffer_reserve(&dst, want.w, want.h, &mem, NULL), VG_OK);
        assert_int_equal(image_letterbox(&dst.view, &src, &fit, &scratch, &mem, NULL), VG_OK);
        size_t n = want.stride * (size_t)want.h;
        compare(out, dst.view.data, want.data, n);

        float *floats = base_alloc(&mem, n * sizeof(float), NULL);
        assert_int_equal(image_letterbox_to_float(floats, &src, &fit, &scratch, &mem, NULL), VG_OK);
        for (size_t k = 0; k < n; k++)
            if (floats[k] != (float)want.data[k] / 255.0f)
                fail_msg("%s: float %zu is %g instead of %d / 255", out, k, (double)floats[k],
                         want.data[k]);
        base_free(floats);
        image_buffer_fini(&dst);
    }
    assert_true(n_cases >= 4);
    image_scratch_fini(&scratch);
    golden_close(g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void a_1080p_picture_becomes_384_by_640(void **state)
{
    (void)state;
    image_letterbox_rule rule = {.target_w = 640,
                                 .target_h = 640,
                                 .autosize = true,
                                 .scale_up = true,
                                 .center = true,
                                 .stride = 32};
    image_letterbox_fit fit;
    assert_int_equal(image_letterbox_plan(&fit, 1920, 1080, &rule, NULL), VG_OK);
    assert_int_equal(fit.out_w, 640);
    assert_int_equal(fit.out_h, 384);
    assert_int_equal(fit.top, 12);
    assert_int_equal(fit.bottom, 12);
    assert_float_equal(fit.pad_h, 12, 0);
    assert_float_equal(fit.ratio_w, 1.0 / 3, 1e-15);
}

static void an_odd_pad_puts_the_larger_half_below(void **state)
{
    (void)state;
    image_letterbox_rule rule = {
        .target_w = 100, .target_h = 101, .scale_up = true, .center = true, .stride = 32};
    image_letterbox_fit fit;
    assert_int_equal(image_letterbox_plan(&fit, 100, 50, &rule, NULL), VG_OK);
    assert_int_equal(fit.top, 25);
    assert_int_equal(fit.bottom, 26);
    assert_float_equal(fit.pad_h, 25.5, 0);
}

static void a_thread_of_a_picture_keeps_a_pixel(void **state)
{
    (void)state;
    image_letterbox_rule rule = {.target_w = 64,
                                 .target_h = 64,
                                 .autosize = true,
                                 .scale_up = true,
                                 .center = true,
                                 .stride = 32};
    image_letterbox_fit fit;
    assert_int_equal(image_letterbox_plan(&fit, 1, 2000, &rule, NULL), VG_OK);
    assert_int_equal(fit.new_w, 1);
    assert_int_equal(fit.new_h, 64);
}

static void sizes_that_are_none_are_refused(void **state)
{
    (void)state;
    image_letterbox_rule rule = {.target_w = 64, .target_h = 64, .stride = 32};
    image_letterbox_fit fit;
    vg_error err;
    assert_int_equal(image_letterbox_plan(&fit, 0, 5, &rule, &err), VG_ERR_ARGUMENT);
    rule.stride = 0;
    assert_int_equal(image_letterbox_plan(&fit, 5, 5, &rule, &err), VG_ERR_ARGUMENT);
}

static void equal_pictures_in_a_row_allocate_once(void **state)
{
    (void)state;
    uint8_t src_data[3 * 50 * 40], dst_data[3 * 33 * 21];
    memset(src_data, 9, sizeof(src_data));
    image_view src = {src_data, 50, 40, 150}, dst = {dst_data, 33, 21, 99};
    image_scratch scratch = {0};
    uint64_t before = mem.n_allocs;
    for (int i = 0; i < 100; i++)
        assert_int_equal(image_resize(&dst, &src, &scratch, &mem, NULL), VG_OK);
    assert_int_equal(mem.n_allocs, before + 1);
    image_scratch_fini(&scratch);

    mem.fail_in = 1;
    assert_int_equal(image_resize(&dst, &src, &scratch, &mem, NULL), VG_ERR_MEMORY);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void tables_of_another_size_are_not_used_again(void **state)
{
    (void)state;
    uint8_t src_data[3 * 60 * 60], used[3 * 33 * 21], fresh[3 * 33 * 21];
    for (size_t i = 0; i < sizeof(src_data); i++)
        src_data[i] = (uint8_t)(i * 7 + i / 180 * 5);
    static const int SIZES[][2] = {{50, 40}, {60, 40}, {60, 60}, {50, 40}};
    image_scratch scratch = {0};
    for (int swap = 0; swap < 2; swap++)
        for (size_t i = 0; i < 4; i++) {
            int w = swap ? 21 : 33, h = swap ? 33 : 21;
            image_view src = {src_data, SIZES[i][0], SIZES[i][1], 180};
            image_view to_used = {used, w, h, 3 * (size_t)w},
                       to_fresh = {fresh, w, h, 3 * (size_t)w};
            image_scratch other = {0};
            assert_int_equal(image_resize(&to_used, &src, &scratch, &mem, NULL), VG_OK);
            assert_int_equal(image_resize(&to_fresh, &src, &other, &mem, NULL), VG_OK);
            assert_memory_equal(used, fresh, sizeof(used));
            image_scratch_fini(&other);
        }
    image_scratch_fini(&scratch);
}

static void red_and_blue_change_places(void **state)
{
    (void)state;
    uint8_t p[6] = {1, 2, 3, 4, 5, 6};
    image_view v = {p, 2, 1, 6};
    image_swap_red_blue(&v, &v);
    assert_memory_equal(p, "\3\2\1\6\5\4", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_golden_resize_is_equal),
        cmocka_unit_test(every_golden_letterbox_is_equal),
        cmocka_unit_test(a_1080p_picture_becomes_384_by_640),
        cmocka_unit_test(an_odd_pad_puts_the_larger_half_below),
        cmocka_unit_test(a_thread_of_a_picture_keeps_a_pixel),
        cmocka_unit_test(sizes_that_are_none_are_refused),
        cmocka_unit_test(equal_pictures_in_a_row_allocate_once),
        cmocka_unit_test(tables_of_another_size_are_not_used_again),
        cmocka_unit_test(red_and_blue_change_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
