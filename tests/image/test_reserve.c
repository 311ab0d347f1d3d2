/* What was reserved is enough: decoding, letterboxing, drawing and writing pictures that were
 * forecast allocate nothing, and take what was said. */
#include "image/support.h"

#include <dirent.h>
#include <unistd.h>

#include "base/folder.h"

typedef struct bench {
    base_mem mem;
    vg_error err;
    image_decoder *decoder;
    image_buffer picture;
} bench;

static int set_up(void **state)
{
    bench *b = test_calloc(1, sizeof(*b));
    base_mem_init(&b->mem, "test", NULL, 0);
    *state = b;
    return image_decoder_create(&b->decoder, NULL, &b->mem, &b->err) == VG_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    bench *b = *state;
    image_decoder_destroy(&b->decoder);
    image_buffer_fini(&b->picture);
    int left = b->mem.in_use_bytes == 0 ? 0 : -1;
    test_free(b);
    return left;
}

/* Every fixture: its forecast, reserved, then decoded. */
static void what_a_head_forecasts_is_what_decoding_takes(void **state)
{
    bench *b = *state;
    char folder[512];
    size_t n_files = 0, n_turned = 0, n_scratch = 0, n_stills = 0;
    assert_true(base_format(folder, sizeof(folder), "%s/image", TEST_FIXTURES_DIR));
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        const char *suffix = base_path_suffix(e->d_name);
        if (!image_is_picture_name(e->d_name) && strcmp(suffix, ".gif") != 0)
            continue;
        size_t n;
        int w, h;
        uint8_t *bytes = fixture_read(&n, e->d_name, &b->mem);
        image_decoder_need need = {0};
        image_decoder *d = NULL;
        assert_int_equal(image_decoder_create(&d, NULL, &b->mem, &b->err), VG_OK);
        assert_int_equal(image_forecast(d, &w, &h, &need, bytes, n, e->d_name, &b->err), VG_OK);
        assert_int_equal(image_buffer_reserve(&b->picture, w, h, &b->mem, &b->err), VG_OK);
        size_t before = b->mem.in_use_bytes;
        assert_int_equal(image_decoder_reserve(d, &need, &b->mem, &b->err), VG_OK);
        assert_int_equal(b->mem.in_use_bytes, before + image_decoder_bytes(&need));
        uint64_t n_allocs = b->mem.n_allocs;
        assert_int_equal(image_decode(d, &b->picture, bytes, n, e->d_name, &b->mem, &b->err),
                         VG_OK);
        if (b->mem.n_allocs != n_allocs)
            fail_msg("%s: decoding allocates", e->d_name);
        assert_int_equal(b->picture.view.w, w);
        assert_int_equal(b->picture.view.h, h);
        n_files++;
        n_turned += need.stored_bytes > 0;
        n_scratch += need.scratch_bytes > 0;
        n_stills += need.needs_stills;
        image_decoder_destroy(&d);
        base_free(bytes);
    }
    closedir(dir);
    assert_true(n_files > 20 && n_turned > 5 && n_scratch > 10 && n_stills > 3);
}

static void a_png_s_size_is_forecast_from_its_first_bytes(void **state)
{
    bench *b = *state;
    size_t n;
    int w = 0, h = 0;
    image_decoder_need need = {0};
    uint8_t *bytes = fixture_read(&n, "rgb.png", &b->mem);
    assert_int_equal(image_forecast(b->decoder, &w, &h, &need, bytes, 33, "head", &b->err), VG_OK);
    assert_int_equal(w, FIXTURE_W);
    assert_int_equal(h, FIXTURE_H);
    assert_int_equal(image_forecast(b->decoder, &w, &h, &need, bytes, 20, "head", &b->err),
                     VG_ERR_FORMAT);
    base_free(bytes);
    bytes = fixture_read(&n, "lossy.webp", &b->mem);
    assert_int_equal(image_forecast(b->decoder, &w, &h, &need, bytes, 40, "head", &b->err),
                     VG_ERR_FORMAT);
    base_free(bytes);
}

static void letterboxes_up_to_the_reserved_size_allocate_nothing(void **state)
{
    bench *b = *state;
    enum { SIDE = 320 };
    image_scratch scratch = {0};
    float *dst = base_alloc(&b->mem, SIDE * SIDE * 3 * sizeof(*dst), &b->err);
    assert_int_equal(image_buffer_reserve(&b->picture, 700, 500, &b->mem, &b->err), VG_OK);
    memset(b->picture.block, 7, b->picture.capacity_bytes);
    size_t before = b->mem.in_use_bytes;
    assert_int_equal(image_letterbox_reserve(&scratch, SIDE, SIDE, &b->mem, &b->err), VG_OK);
    assert_int_equal(b->mem.in_use_bytes - before, image_letterbox_bytes(SIDE, SIDE));
    uint64_t n_allocs = b->mem.n_allocs;
    image_letterbox_rule rule = {SIDE, SIDE, true, false, true, true, 32};
    static const int sizes[][2] = {{700, 500}, {1, 1}, {500, 700}, {3, 700}, {700, 3}, {320, 320}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        image_letterbox_fit fit;
        image_view v = {b->picture.block, sizes[i][0], sizes[i][1], 3 * (size_t)sizes[i][0]};
        assert_int_equal(image_letterbox_plan(&fit, v.w, v.h, &rule, &b->err), VG_OK);
        assert_true(fit.out_w <= SIDE && fit.out_h <= SIDE);
        assert_int_equal(image_letterbox_to_float(dst, &v, &fit, &scratch, &b->mem, &b->err),
                         VG_OK);
        assert_true(dst[(fit.top * fit.out_w + fit.left) * 3] == 7 / 255.0f);
    }
    assert_int_equal(b->mem.n_allocs, n_allocs);
    image_scratch_fini(&scratch);
    base_free(dst);
}

static void drawing_in_pictures_up_to_the_reserved_size_allocates_nothing(void **state)
{
    bench *b = *state;
    image_canvas *c = NULL;
    char label[200];
    memset(label, 'W', sizeof(label) - 1);
    label[sizeof(label) - 1] = 0;
    image_draw_style style = {0};
    assert_int_equal(image_buffer_reserve(&b->picture, 1500, 900, &b->mem, &b->err), VG_OK);
    memset(b->picture.block, 7, b->picture.capacity_bytes);
    size_t before = b->mem.in_use_bytes;
    assert_int_equal(image_canvas_create(&c, &b->mem, &b->err), VG_OK);
    assert_int_equal(image_canvas_reserve(c, 1500, 900, &style, &b->mem, &b->err), VG_OK);
    assert_int_equal(b->mem.in_use_bytes - before, image_canvas_bytes(1500, 900, &style));
    uint64_t n_allocs = b->mem.n_allocs;
    static const int sizes[][2] = {{40, 30}, {1500, 900}, {900, 900}, {1500, 4}, {1, 900}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        image_view v = {b->picture.block, sizes[i][0], sizes[i][1], 3 * (size_t)sizes[i][0]};
        image_box boxes[2] = {{1, 1, 20, 20, 3, label, NULL},
                              {5, 5, 30, 25, 4, "g\xc3\x85q", NULL}};
        assert_int_equal(image_canvas_boxes(c, &v, boxes, 2, &style, &b->mem, &b->err), VG_OK);
    }
    assert_int_equal(b->mem.n_allocs, n_allocs);
    image_canvas_destroy(&c);
}

static void writing_pictures_up_to_the_reserved_size_allocates_nothing(void **state)
{
    bench *b = *state;
    char folder[256], path[512];
    image_encoder *e = NULL;
    image_encoder_need need = {0};
    assert_int_equal(folder_make(folder, sizeof(folder)), 0);
    assert_int_equal(image_encoder_create(&e, &b->mem, &b->err), VG_OK);
    assert_int_equal(image_buffer_reserve(&b->picture, 300, 200, &b->mem, &b->err), VG_OK);
    for (size_t i = 0; i < b->picture.capacity_bytes; i++)
        b->picture.block[i] = (uint8_t)(i * 2654435761u >> 13); /* noise: hard to compress */
    size_t before = b->mem.in_use_bytes;
    image_encoder_need_raise(&need, 300, 200, ".jpg");
    image_encoder_need_raise(&need, 300, 200, ".PNG");
    assert_int_equal(image_encoder_reserve(e, &need, &b->mem, &b->err), VG_OK);
    size_t took = b->mem.in_use_bytes - before, said = image_encoder_bytes(&need);
    assert_true(took < said + 8192 && said < took + 8192);
    uint64_t n_allocs = b->mem.n_allocs;
    for (int side = 1; side < 200; side += 37)
        for (int k = 0; k < 2; k++) {
            image_view v = {b->picture.block, 300 - side, side, 900};
            snprintf(path, sizeof(path), "%s/a.%s", folder, k ? "png" : "jpg");
            assert_int_equal(image_write(e, &v, path, &b->mem, &b->err), VG_OK);
        }
    assert_int_equal(b->mem.n_allocs, n_allocs);
    image_encoder_destroy(&e);
    folder_remove(folder);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_a_head_forecasts_is_what_decoding_takes),
        TEST(a_png_s_size_is_forecast_from_its_first_bytes),
        TEST(letterboxes_up_to_the_reserved_size_allocate_nothing),
        TEST(drawing_in_pictures_up_to_the_reserved_size_allocates_nothing),
        TEST(writing_pictures_up_to_the_reserved_size_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
