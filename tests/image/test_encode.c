/* test_encode.c: what is written can be read again, and a file is replaced whole or not at all. */
#include "support.h"

#include <unistd.h>

typedef struct bench {
    base_mem mem;
    image_encoder *encoder;
    image_decoder *decoder;
    image_buffer picture, again;
    vg_error err;
    char dir[64], path[128];
} bench;

/* Waves of colour: nothing flat, nothing random. Odd sizes. */
static void paint(bench *b, int w, int h)
{
    assert_int_equal(image_buffer_reserve(&b->picture, w, h, &b->mem, &b->err), VG_OK);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *p = b->picture.view.data + (size_t)y * b->picture.view.stride + 3 * (size_t)x;
            p[0] = (uint8_t)(x * 255 / w);
            p[1] = (uint8_t)(y * 255 / h);
            p[2] = (uint8_t)((x + y) * 127 / (w + h) + 60);
        }
}

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test", .limit_bytes = SIZE_MAX}, .dir = "/tmp/vigil-test-XXXXXX"};
    assert_non_null(mkdtemp(b.dir));
    assert_int_equal(image_encoder_create(&b.encoder, &b.mem, &b.err), VG_OK);
    assert_int_equal(image_decoder_create(&b.decoder, NULL, &b.mem, &b.err), VG_OK);
    paint(&b, 203, 151);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    image_encoder_destroy(&b->encoder);
    image_decoder_destroy(&b->decoder);
    image_buffer_fini(&b->picture);
    image_buffer_fini(&b->again);
    assert_int_equal(b->mem.in_use_bytes, 0);
    assert_int_equal(rmdir(b->dir), 0); /* no temporary file is left */
    return 0;
}

static const char *path_of(bench *b, const char *name)
{
    assert_true(base_path_join(b->path, sizeof(b->path), b->dir, name));
    return b->path;
}

/* Writes, reads back, removes; returns the largest difference of a sample. */
static int round_trip(bench *b, const char *name)
{
    base_map map;
    const char *path = path_of(b, name);
    if (image_write(b->encoder, &b->picture.view, path, &b->mem, &b->err) != VG_OK)
        fail_msg("%s: %s", name, b->err.what);
    assert_int_equal(base_map_open(&map, path, &b->err), VG_OK);
    if (image_decode(b->decoder, &b->again, map.bytes, map.n_bytes, name, &b->mem, &b->err) !=
        VG_OK)
        fail_msg("%s: %s", name, b->err.what);
    base_map_close(&map);
    assert_int_equal(unlink(path), 0);
    const image_view *is = &b->again.view, *want = &b->picture.view;
    assert_int_equal(is->w, want->w);
    assert_int_equal(is->h, want->h);
    int worst = 0;
    for (int y = 0; y < is->h; y++)
        for (size_t i = 0; i < 3 * (size_t)is->w; i++) {
            int d = abs(is->data[(size_t)y * is->stride + i] -
                        want->data[(size_t)y * want->stride + i]);
            worst = d > worst ? d : worst;
        }
    return worst;
}

static void png_comes_back_exactly(void **state)
{
    bench *b = *state;
    assert_int_equal(round_trip(b, "a.png"), 0);
    paint(b, 1, 1);
    assert_int_equal(round_trip(b, "b.PNG"), 0);
    paint(b, 1, 300);
    assert_int_equal(round_trip(b, "c.png"), 0);
}

static void png_of_noise_fills_many_chunks_and_comes_back(void **state)
{
    bench *b = *state;
    paint(b, 400, 301);
    uint32_t seed = 7;
    for (size_t i = 0; i < 3 * 400 * 301; i++) {
        seed = seed * 1664525u + 1013904223u;
        b->picture.view.data[i] = (uint8_t)(seed >> 24);
    }
    assert_int_equal(round_trip(b, "noise.png"), 0);
}

static void jpeg_comes_back_nearly(void **state)
{
    bench *b = *state;
    assert_in_range(round_trip(b, "a.jpg"), 1, 8);
    assert_in_range(round_trip(b, "a.JPEG"), 1, 8);
}

static void a_part_of_a_picture_can_be_written(void **state)
{
    bench *b = *state;
    image_view whole = b->picture.view, part = whole;
    part.data += 40 * whole.stride + 3 * 50;
    part.w = 77;
    part.h = 33;
    b->picture.view = part;
    assert_int_equal(round_trip(b, "part.png"), 0);
    assert_in_range(round_trip(b, "part.jpg"), 0, 8);
    b->picture.view = whole;
}

static void other_suffixes_are_refused(void **state)
{
    bench *b = *state;
    assert_int_equal(
        image_write(b->encoder, &b->picture.view, path_of(b, "a.bmp"), &b->mem, &b->err),
        VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(b->err.mend, ".png"));
}

static void an_impossible_place_is_an_io_error(void **state)
{
    bench *b = *state;
    assert_int_equal(
        image_write(b->encoder, &b->picture.view, path_of(b, "none/a.png"), &b->mem, &b->err),
        VG_ERR_IO);
    assert_int_equal(
        image_write(b->encoder, &b->picture.view, path_of(b, "none/a.jpg"), &b->mem, &b->err),
        VG_ERR_IO);
}

static void every_failed_allocation_is_an_error_and_no_file(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"a.png", "a.jpg"};
    for (size_t i = 0; i < 2; i++) {
        const char *path = path_of(b, NAMES[i]);
        size_t before = b->mem.in_use_bytes;
        for (int64_t k = 1;; k++) {
            image_encoder *e;
            b->mem.fail_in = k;
            vg_status st = image_encoder_create(&e, &b->mem, &b->err);
            if (st == VG_OK)
                st = image_write(e, &b->picture.view, path, &b->mem, &b->err);
            bool was_reached = b->mem.fail_in == 0;
            b->mem.fail_in = 0;
            image_encoder_destroy(&e);
            assert_int_equal(b->mem.in_use_bytes, before);
            assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
            assert_int_equal(base_path_exists(path), !was_reached);
            if (!was_reached) {
                assert_true(k >= 3);
                break;
            }
        }
        assert_int_equal(unlink(path), 0);
    }
}

static void a_steady_stream_allocates_nothing(void **state)
{
    bench *b = *state;
    round_trip(b, "a.png");
    round_trip(b, "a.jpg");
    uint64_t n_allocs = b->mem.n_allocs;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(
            image_write(b->encoder, &b->picture.view, path_of(b, "a.png"), &b->mem, &b->err),
            VG_OK);
        unlink(b->path);
        assert_int_equal(
            image_write(b->encoder, &b->picture.view, path_of(b, "a.jpg"), &b->mem, &b->err),
            VG_OK);
        unlink(b->path);
    }
    assert_int_equal(b->mem.n_allocs, n_allocs);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(png_comes_back_exactly),
        TEST(png_of_noise_fills_many_chunks_and_comes_back),
        TEST(jpeg_comes_back_nearly),
        TEST(a_part_of_a_picture_can_be_written),
        TEST(other_suffixes_are_refused),
        TEST(an_impossible_place_is_an_io_error),
        TEST(every_failed_allocation_is_an_error_and_no_file),
        TEST(a_steady_stream_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
