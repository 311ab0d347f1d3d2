/* test_class.c: each operation on a classifier's training pictures against Pillow's (golden
 * tasks/classify_images), and what is drawn of crops, holes and colours. */
#include "support/test.h"

#include <math.h>

#include "data/augment_class.h"
#include "data/data.h"
#include "support/golden.h"

static base_mem mem = {.tag = "test"};

static image_view copy_of(golden_file *g, const char *name)
{
    size_t n, h = golden_dim(g, name, 0), w = golden_dim(g, name, 1);
    const uint8_t *bytes = golden_u8(g, name, &n);
    uint8_t *copy = base_alloc(&mem, n, NULL);
    memcpy(copy, bytes, n);
    return (image_view){copy, (int)w, (int)h, 3 * w};
}

static void operations_are_pillows(void **state)
{
    (void)state;
    golden_file *g = golden_open("tasks/classify_images.safetensors");
    for (int i = 0; i < CLASS_N_OPERATIONS; i++) {
        const class_operation *o = &CLASS_OPERATIONS[i];
        for (int negative = 0; negative <= (int)o->is_signed; negative++) {
            char name[64];
            size_t n, n_off = 0;
            base_format(name, sizeof name, "ra.%s.%s", o->name, negative ? "neg" : "pos");
            const uint8_t *want = golden_u8(g, name, &n);
            image_view src = copy_of(g, "ra.rgb"), dst = copy_of(g, "ra.rgb");
            o->run(o->in_place ? &src : &dst, &src, negative ? -o->magnitude : o->magnitude);
            const uint8_t *is = o->in_place ? src.data : dst.data;
            for (size_t k = 0; k < n; k++) {
                n_off += is[k] != want[k];
                if (abs(is[k] - want[k]) > 1)
                    fail_msg("%s: byte %zu is %d instead of %d", name, k, is[k], want[k]);
            }
            if (n_off > 0)
                print_message("%s: %zu of %zu bytes are one off\n", name, n_off, n);
            base_free(src.data);
            base_free(dst.data);
        }
    }
    golden_close(g);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* The crops of 4000 draws: within the picture, of the areas and shapes that were asked for. */
static void crops_are_as_asked_for(void **state)
{
    (void)state;
    base_rng rng = base_rng_make(3);
    double sum = 0;
    int n_whole = 0;
    for (int i = 0; i < 4000; i++) {
        const class_window c = class_draw_crop(200, 160, 0.5, &rng);
        assert_true(c.x >= 0 && c.y >= 0 && c.w > 0 && c.h > 0 && c.x + c.w <= 200 &&
                    c.y + c.h <= 160);
        const double area = (double)c.w * c.h / (200 * 160), ratio = (double)c.w / c.h;
        assert_true(area > 0.49 && area <= 1 && ratio > 0.74 && ratio < 1.35);
        sum += area;
        n_whole += area == 1;
    }
    assert_true(sum / 4000 > 0.6 && sum / 4000 < 0.8 && n_whole < 100);
    /* No window of those shapes fits: the middle, as wide or as high as may be. */
    const class_window tall = class_draw_crop(20, 2000, 0.9, &rng),
                       wide = class_draw_crop(2000, 30, 0.9, &rng);
    assert_true(tall.w == 20 && tall.h == 27 && tall.y == 986);
    assert_true(wide.w == 40 && wide.h == 30 && wide.x == 980);
}

static void holes_are_as_asked_for(void **state)
{
    (void)state;
    base_rng rng = base_rng_make(4);
    for (int i = 0; i < 4000; i++) {
        const class_window c = class_draw_hole(64, 64, &rng);
        assert_true(c.x >= 0 && c.y >= 0 && c.w < 64 && c.h < 64 && c.x + c.w <= 64 &&
                    c.y + c.h <= 64);
        const double area = (double)c.w * c.h / (64 * 64);
        assert_true(area > 0.015 && area < 0.34);
    }
    assert_int_equal(class_draw_hole(1, 1, &rng).w, 0);
}

static void jitter_leaves_what_it_is_not_asked_for(void **state)
{
    (void)state;
    uint8_t pixels[3 * 256], was[3 * 256];
    base_rng rng = base_rng_make(5);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 89 % 253);
    memcpy(was, pixels, sizeof was);
    const image_view v = {pixels, 256, 1, sizeof pixels};
    class_jitter(&v, 0, 0, 0, 0, &rng);
    assert_memory_equal(pixels, was, sizeof was);
    for (int i = 0; i < 50; i++) {
        class_jitter(&v, 0, 0, 0, 0.5, &rng);
        for (int k = 0; k < 256; k++) { /* hue alone: the brightest channel stays as bright */
            int most = 0, before = 0;
            for (int c = 0; c < 3; c++) {
                most = pixels[3 * k + c] > most ? pixels[3 * k + c] : most;
                before = was[3 * k + c] > before ? was[3 * k + c] : before;
            }
            assert_int_equal(most, before);
        }
    }
    assert_memory_not_equal(pixels, was, sizeof was);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_pillows),
        cmocka_unit_test(crops_are_as_asked_for),
        cmocka_unit_test(holes_are_as_asked_for),
        cmocka_unit_test(jitter_leaves_what_it_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
