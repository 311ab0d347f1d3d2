/* test_smooth.c: what a classifier sees of a picture, and crops resized, equal Pillow's, every byte
 * (T 2.4). */
#include "support.h"

#include "support/golden.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static image_view golden_view(golden_file *g, const char *key)
{
    int h = (int)golden_dim(g, key, 0), w = (int)golden_dim(g, key, 1);
    uint8_t *data = (uint8_t *)(uintptr_t)golden_u8(g, key, NULL);
    return (image_view){.data = data, .w = w, .h = h, .stride = 3 * (size_t)w};
}

static void the_middle_is_pillows(void **state)
{
    (void)state;
    golden_file *g = golden_open("tasks/classify_images.safetensors");
    image_scratch scratch = {0};
    for (int i = 0; i < 7; i++) {
        char name[32];
        base_format(name, sizeof name, "val%d.rgb", i);
        const image_view src = golden_view(g, name);
        base_format(name, sizeof name, "val%d.size_crop", i);
        const double *o = golden_f64(g, name, NULL);
        base_format(name, sizeof name, "val%d.out", i);
        const uint8_t *want = golden_u8(g, name, NULL); /* (3, size, size) */
        const int size = (int)o[0], n = size * size;
        image_middle m;
        image_buffer dst = {0};
        assert_int_equal(image_middle_plan(&m, src.w, src.h, size, o[1], NULL), VG_OK);
        assert_int_equal(image_buffer_reserve(&dst, size, size, &mem, NULL), VG_OK);
        assert_int_equal(image_middle_crop(&dst.view, &src, &m, &scratch, &mem, NULL), VG_OK);
        float *floats = base_alloc(&mem, (size_t)n * 3 * sizeof *floats, NULL);
        assert_int_equal(image_middle_crop_to_float(floats, &src, &m, &scratch, &mem, NULL), VG_OK);
        assert_true(scratch.capacity_bytes >= image_middle_bytes(&m, src.w, src.h));
        assert_true(image_middle_most_bytes(src.w > src.h ? src.w : src.h, size) >=
                    image_middle_bytes(&m, src.w, src.h));
        for (int k = 0; k < 3 * n; k++) {
            const uint8_t is = dst.view.data[k];
            if (is != want[k % 3 * n + k / 3])
                fail_msg("val%d: byte %d is %d instead of %d", i, k, is, want[k % 3 * n + k / 3]);
            assert_true(floats[k] == (float)is / 255.0f);
        }
        base_free(floats);
        image_buffer_fini(&dst);
    }
    image_scratch_fini(&scratch);
    golden_close(g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void resized_crops_are_pillows(void **state)
{
    (void)state;
    golden_file *g = golden_open("tasks/classify_images.safetensors");
    const image_view src = golden_view(g, "rrc.rgb");
    image_scratch scratch = {0};
    for (int i = 0; i < 3; i++) {
        char name[32];
        base_format(name, sizeof name, "rrc%d.ijhw_size", i);
        const int64_t *o = golden_i64(g, name, NULL);
        base_format(name, sizeof name, "rrc%d.out", i);
        const uint8_t *want = golden_u8(g, name, NULL);
        const image_view crop = {src.data + (size_t)o[0] * src.stride + 3 * (size_t)o[1], (int)o[3],
                                 (int)o[2], src.stride};
        image_buffer dst = {0};
        assert_int_equal(image_buffer_reserve(&dst, (int)o[4], (int)o[4], &mem, NULL), VG_OK);
        assert_int_equal(image_resize_smooth(&dst.view, &crop, &scratch, &mem, NULL), VG_OK);
        for (int k = 0; k < 3 * o[4] * o[4]; k++)
            if (dst.view.data[k] != want[k])
                fail_msg("rrc%d: byte %d is %d instead of %d", i, k, dst.view.data[k], want[k]);
        image_buffer_fini(&dst);
    }
    image_scratch_fini(&scratch);
    golden_close(g);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* One scratch for both resizes, in turn: neither takes the other's tables for its own. */
static void a_scratch_may_be_shared(void **state)
{
    (void)state;
    uint8_t pixels[3 * 40 * 30], first[3 * 16 * 16], again[3 * 16 * 16];
    image_scratch scratch = {0};
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 37 % 251);
    const image_view src = {pixels, 40, 30, 120};
    image_view dst = {first, 16, 16, 48};
    assert_int_equal(image_resize(&dst, &src, &scratch, &mem, NULL), VG_OK);
    dst.data = again;
    assert_int_equal(image_resize_smooth(&dst, &src, &scratch, &mem, NULL), VG_OK);
    assert_memory_not_equal(first, again, sizeof first);
    assert_int_equal(image_resize(&dst, &src, &scratch, &mem, NULL), VG_OK);
    assert_memory_equal(first, again, sizeof first);
    image_scratch_fini(&scratch);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    image_middle m;
    vg_error err = {0};
    assert_int_equal(image_middle_plan(&m, 10, 10, 0, 1, &err), VG_ERR_ARGUMENT);
    assert_int_equal(image_middle_plan(&m, 10, 10, 8, 0, &err), VG_ERR_ARGUMENT);
    assert_int_equal(image_middle_plan(&m, 10, 10, 8, 1.5, &err), VG_ERR_ARGUMENT);
    assert_int_equal(image_middle_plan(&m, 1, 1 << 24, 1 << 14, 1, &err), VG_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_middle_is_pillows),
        cmocka_unit_test(resized_crops_are_pillows),
        cmocka_unit_test(a_scratch_may_be_shared),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
