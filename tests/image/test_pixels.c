/* Pixels of any layout become the network's input as if they had been RGB, and floats without a
 * rounding. */
#include "support.h"

#include <math.h>

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

enum { MOST = 64, OUT = 96, PIXELS = MOST * MOST };

typedef struct bench {
    uint8_t rgb[3 * PIXELS];
    uint8_t other[4 * PIXELS + 5 * MOST]; /* in another layout, rows apart */
    float floats[3 * PIXELS + 3 * MOST];
    float want[3 * OUT * OUT], is[3 * OUT * OUT];
    image_scratch scratch;
} bench;
static bench b;

/* Enlarged, shrunk, exactly halved, as it is. */
static const int shapes[][2] = {{40, 25}, {64, 33}, {64, 48}, {32, 24}};
static const int into[] = {64, 32, 32, 32};
enum { N_SHAPES = 4 };

static image_letterbox_fit fit_of(int i)
{
    image_letterbox_fit fit;
    const image_letterbox_rule rule = {
        .target_w = into[i], .target_h = into[i], .scale_up = true, .center = true, .stride = 32};
    assert_int_equal(image_letterbox_plan(&fit, shapes[i][0], shapes[i][1], &rule, NULL), VG_OK);
    return fit;
}

static size_t make_want(const image_letterbox_fit *fit, int i)
{
    const image_view view = {b.rgb, shapes[i][0], shapes[i][1], 3 * (size_t)shapes[i][0]};
    assert_int_equal(image_letterbox_to_float(b.want, &view, fit, &b.scratch, &mem, NULL), VG_OK);
    return 3 * (size_t)fit->out_w * (size_t)fit->out_h;
}

static int set_up(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof b.rgb; k++)
        b.rgb[k] = (uint8_t)(k * 37 + k / 90 * 11);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    image_scratch_fini(&b.scratch);
    return mem.in_use_bytes == 0 ? 0 : -1;
}

static void bytes_of_any_layout_are_as_rgb(void **state)
{
    (void)state;
    static const struct {
        size_t pixel, rgb[3];
    } layouts[] = {{3, {0, 1, 2}}, {3, {2, 1, 0}}, {4, {0, 1, 2}}, {4, {2, 1, 0}}, {4, {1, 2, 3}}};
    for (int i = 0; i < N_SHAPES; i++)
        for (size_t l = 0; l < sizeof layouts / sizeof *layouts; l++) {
            const int w = shapes[i][0], h = shapes[i][1];
            const size_t row = (size_t)w * layouts[l].pixel + 5;
            image_pixels p = {b.other, w, h, row, layouts[l].pixel, {0}, false};
            memset(b.other, 0xA5, sizeof b.other);
            for (size_t c = 0; c < 3; c++) {
                p.channel_bytes[c] = layouts[l].rgb[c];
                for (int k = 0; k < w * h; k++)
                    b.other[(size_t)(k / w) * row + (size_t)(k % w) * layouts[l].pixel +
                            layouts[l].rgb[c]] = b.rgb[3 * (size_t)k + c];
            }
            const image_letterbox_fit fit = fit_of(i);
            const size_t n = make_want(&fit, i);
            memset(b.is, 0, sizeof b.is);
            assert_int_equal(image_letterbox_pixels(b.is, &p, &fit, &b.scratch, &mem, NULL), VG_OK);
            assert_memory_equal(b.is, b.want, n * sizeof(float));
        }
}

static void grey_is_three_equal_channels(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHAPES; i++) {
        const int w = shapes[i][0], h = shapes[i][1];
        const image_pixels p = {b.other, w, h, (size_t)w, 1, {0}, false};
        for (int k = 0; k < w * h; k++)
            b.rgb[3 * k] = b.rgb[3 * k + 1] = b.rgb[3 * k + 2] = b.other[k] = (uint8_t)(k * 53);
        const image_letterbox_fit fit = fit_of(i);
        const size_t n = make_want(&fit, i);
        assert_int_equal(image_letterbox_pixels(b.is, &p, &fit, &b.scratch, &mem, NULL), VG_OK);
        assert_memory_equal(b.is, b.want, n * sizeof(float));
    }
}

/* Floats of the bytes: a rounding of each pass is what the bytes' way has more. */
static void floats_beside_each_other_and_in_planes(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHAPES; i++)
        for (int planes = 0; planes < 2; planes++) {
            const int w = shapes[i][0], h = shapes[i][1];
            const size_t row = ((size_t)w * (planes ? 1 : 3) + 1) * sizeof(float),
                         plane = row * (size_t)h;
            image_pixels p = {b.floats, w, h, row, planes ? 4 : 12, {0}, true};
            for (size_t c = 0; c < 3; c++) {
                p.channel_bytes[c] = c * (planes ? plane : sizeof(float));
                for (int k = 0; k < w * h; k++)
                    b.floats[((size_t)(k / w) * row + (size_t)(k % w) * p.pixel_bytes +
                              p.channel_bytes[c]) /
                             sizeof(float)] = (float)b.rgb[3 * (size_t)k + c] / 255;
            }
            const image_letterbox_fit fit = fit_of(i);
            const size_t n = make_want(&fit, i);
            assert_int_equal(image_letterbox_pixels(b.is, &p, &fit, &b.scratch, &mem, NULL), VG_OK);
            for (size_t k = 0; k < n; k++)
                if (fabsf(b.is[k] - b.want[k]) > 1.1f / 255)
                    fail_msg("shape %d, planes %d: %zu is %g, not %g", i, planes, k,
                             (double)b.is[k], (double)b.want[k]);
            if (i == 3) /* not resized */
                assert_memory_equal(b.is, b.want, n * sizeof(float));
        }
}

static void floats_as_rgb_are_rounded_and_kept_in_bounds(void **state)
{
    (void)state;
    const float in[6] = {0.25f, 1.5f, -3, NAN, 100.4f / 255, 100.6f / 255};
    uint8_t out[6];
    const image_pixels p = {in, 2, 1, 24, 12, {0, 4, 8}, true};
    const image_view dst = {out, 2, 1, 6};
    image_pixels_to_rgb(&dst, &p);
    const uint8_t want[6] = {64, 255, 0, 0, 100, 101};
    assert_memory_equal(out, want, 6);
}

static void what_was_reserved_is_enough(void **state)
{
    (void)state;
    image_scratch_fini(&b.scratch);
    assert_int_equal(image_letterbox_pixels_reserve(&b.scratch, 64, 64, &mem, NULL), VG_OK);
    assert_int_equal(mem.in_use_bytes, image_letterbox_pixels_bytes(64, 64));
    const uint64_t before = mem.n_allocs;
    const image_pixels p = {b.floats, 40, 25, 40 * 12, 12, {0, 4, 8}, true};
    const image_letterbox_fit fit = fit_of(0);
    assert_int_equal(image_letterbox_pixels(b.is, &p, &fit, &b.scratch, &mem, NULL), VG_OK);
    make_want(&fit, 0);
    assert_int_equal(mem.n_allocs, before);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(bytes_of_any_layout_are_as_rgb),
        TEST(grey_is_three_equal_channels),
        TEST(floats_beside_each_other_and_in_planes),
        TEST(floats_as_rgb_are_rounded_and_kept_in_bounds),
        TEST(what_was_reserved_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
