/* test_decode.c: every kind of picture file becomes the same pixels; none becomes half a picture.
 */
#include "support.h"

#include "image/ffmpeg_load.h"

typedef struct fixture {
    const char *name;
    bool grey;
    int tolerance, borders;
} fixture;

/* Lossless formats are exact; JPEG and lossy WebP of flat quarters are within a few units away from
 * the borders. */
static const fixture FIXTURES[] = {
    {"rgb.png", false, 0, 0},      {"rgba.png", false, 0, 0},
    {"grey.png", true, 0, 0},      {"grey_alpha.png", true, 0, 0},
    {"palette.png", false, 0, 0},  {"interlaced.png", false, 0, 0},
    {"deep.png", false, 0, 0},     {"deep_grey.png", true, 0, 0},
    {"rgb.bmp", false, 0, 0},      {"palette.bmp", false, 0, 0},
    {"565.bmp", false, 9, 0},      {"lossless.webp", false, 0, 0},
    {"lossy.webp", false, 6, 4},   {"alpha.webp", false, 6, 4},
    {"raw.tif", false, 0, 0},      {"lzw.tif", false, 0, 0},
    {"deflate.tif", false, 0, 0},  {"deep.tif", false, 0, 0},
    {"still.gif", false, 0, 0},    {"animated.gif", false, 0, 0},
    {"baseline.jpg", false, 6, 4}, {"progressive.jpg", false, 6, 4},
    {"444.jpg", false, 6, 4},      {"grey.jpg", true, 4, 4},
    {"cmyk.jpg", false, 8, 4},     {"ycck.jpg", false, 8, 4},
    {"exif1.jpg", false, 6, 4},    {"exif2.jpg", false, 6, 4},
    {"exif3.jpg", false, 6, 4},    {"exif4.jpg", false, 6, 4},
    {"exif5.jpg", false, 6, 4},    {"exif6.jpg", false, 6, 4},
    {"exif7.jpg", false, 6, 4},    {"exif8.jpg", false, 6, 4},
    {"exif6.png", false, 0, 0},    {"exif6.webp", false, 0, 0},
    {"exif6.tif", false, 0, 0},    {"animated.webp", false, 6, 4},
};
enum { N_FIXTURES = sizeof(FIXTURES) / sizeof(FIXTURES[0]) };

typedef struct bench {
    base_mem mem;
    image_decoder *decoder;
    image_buffer picture;
    vg_error err;
} bench;

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test", .limit_bytes = SIZE_MAX}};
    assert_int_equal(image_decoder_create(&b.decoder, NULL, &b.mem, &b.err), VG_OK);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    image_decoder_destroy(&b->decoder);
    image_buffer_fini(&b->picture);
    assert_int_equal(b->mem.in_use_bytes, 0);
    return 0;
}

static void every_format_shows_the_same_picture(void **state)
{
    bench *b = *state;
    for (size_t i = 0; i < N_FIXTURES; i++) {
        size_t n;
        uint8_t *bytes = fixture_read(&n, FIXTURES[i].name, &b->mem);
        if (image_decode(b->decoder, &b->picture, bytes, n, FIXTURES[i].name, &b->mem, &b->err) !=
            VG_OK)
            fail_msg("%s: %s", FIXTURES[i].name, b->err.what);
        assert_shows_fixture(&b->picture.view, FIXTURES[i].name, FIXTURES[i].grey,
                             FIXTURES[i].tolerance, FIXTURES[i].borders);
        base_free(bytes);
    }
}

/* NAME.png holds the pixels that OpenCV 4.6 makes of NAME. */
static void lossy_pictures_are_opencvs_to_the_last_bit(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"waves.jpg", "waves_progressive.jpg", "waves_cmyk.jpg",
                                        "waves.webp", "waves_even.webp"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        char png[64];
        size_t n, n_png;
        image_buffer want = {0};
        assert_true(base_format(png, sizeof(png), "%s.png", NAMES[i]));
        uint8_t *bytes = fixture_read(&n, NAMES[i], &b->mem),
                *truth = fixture_read(&n_png, png, &b->mem);
        assert_int_equal(
            image_decode(b->decoder, &b->picture, bytes, n, NAMES[i], &b->mem, &b->err), VG_OK);
        assert_int_equal(image_decode(b->decoder, &want, truth, n_png, png, &b->mem, &b->err),
                         VG_OK);
        const image_view *v = &b->picture.view;
        assert_int_equal(v->w, want.view.w);
        assert_int_equal(v->h, want.view.h);
        for (size_t k = 0; k < v->stride * (size_t)v->h; k++)
            if (v->data[k] != want.view.data[k])
                fail_msg("%s: byte %zu is %d instead of %d", NAMES[i], k, v->data[k],
                         want.view.data[k]);
        image_buffer_fini(&want);
        base_free(bytes);
        base_free(truth);
    }
}

static void bilevel_pictures_are_black_and_white(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"bits.png", "bits.tif"}; /* 0 is black, 0 is white */
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        uint8_t *bytes = fixture_read(&n, NAMES[i], &b->mem);
        assert_int_equal(
            image_decode(b->decoder, &b->picture, bytes, n, NAMES[i], &b->mem, &b->err), VG_OK);
        const uint8_t *p = b->picture.view.data;
        for (int y = 0; y < FIXTURE_H; y++)
            for (int x = 0; x < FIXTURE_W; x++, p += 3) {
                int want = luma(fixture_color(x, y)) > 127 ? 255 : 0;
                assert_true(p[0] == want && p[1] == want && p[2] == want);
            }
        base_free(bytes);
    }
}

/* As OpenCV and Pillow read it: that Adobe wrote them inverted is taken of every file. */
static void cmyk_is_the_same_without_adobes_marker(void **state)
{
    bench *b = *state;
    size_t n, at = 0;
    uint8_t *bytes = fixture_read(&n, "cmyk.jpg", &b->mem);
    while (memcmp(bytes + at, "Adobe", 5) != 0)
        at++;
    bytes[at] = 'X';
    assert_int_equal(image_decode(b->decoder, &b->picture, bytes, n, "x.jpg", &b->mem, &b->err),
                     VG_OK);
    assert_shows_fixture(&b->picture.view, "x.jpg", false, 8, 4);
    base_free(bytes);
}

static void probe_tells_the_size_that_decode_gives(void **state)
{
    bench *b = *state;
    for (size_t i = 0; i < N_FIXTURES; i++) {
        size_t n;
        int w = 0, h = 0;
        uint8_t *bytes = fixture_read(&n, FIXTURES[i].name, &b->mem);
        assert_int_equal(image_probe(b->decoder, &w, &h, bytes, n, FIXTURES[i].name, &b->err),
                         VG_OK);
        assert_int_equal(w, FIXTURE_W);
        assert_int_equal(h, FIXTURE_H);
        base_free(bytes);
    }
}

/* Where the last of a PNG's pixels ends. */
static size_t png_pixels_end(const uint8_t *bytes, size_t n)
{
    size_t end = 0;
    for (size_t at = 8; n - at >= 12;) {
        size_t length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        at += 12 + length;
        if (memcmp(bytes + at - 8 - length, "IDAT", 4) == 0)
            end = at;
    }
    return end;
}

static void no_cut_file_is_a_picture(void **state)
{
    bench *b = *state;
    for (size_t i = 0; i < N_FIXTURES; i++) {
        size_t n;
        const char *name = FIXTURES[i].name;
        uint8_t *whole = fixture_read(&n, name, &b->mem);
        /* The last bytes of some formats are padding, more frames, or tags that no pixel needs. */
        bool has_tail = strstr(name, ".gif") != NULL || strstr(name, ".tif") != NULL;
        size_t most = has_tail ? n * 2 / 5 : n - 40;
        if (strstr(name, ".png") != NULL)
            most = png_pixels_end(whole, n) - 1;
        for (size_t cut = 0; cut <= most; cut += 1 + cut / 64) {
            uint8_t *part = base_alloc(&b->mem, cut > 0 ? cut : 1, &b->err);
            memcpy(part, whole, cut);
            vg_status st = image_decode(b->decoder, &b->picture, part, cut, name, &b->mem, &b->err);
            if (st != VG_ERR_FORMAT)
                fail_msg("%s cut to %zu of %zu bytes: %s", name, cut, n, vg_status_name(st));
            assert_true(b->err.what[0] != 0 && b->err.mend[0] != 0);
            assert_string_equal(b->err.where, name);
            base_free(part);
        }
        base_free(whole);
    }
}

static void a_jpeg_without_its_end_is_called_truncated(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"baseline.jpg", "progressive.jpg"};
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        uint8_t *bytes = fixture_read(&n, NAMES[i], &b->mem);
        assert_int_equal(
            image_decode(b->decoder, &b->picture, bytes, n - 12, NAMES[i], &b->mem, &b->err),
            VG_ERR_FORMAT);
        assert_non_null(strstr(b->err.what, "truncated"));
        base_free(bytes);
    }
}

static void stray_bytes_in_a_jpeg_are_passed_by(void **state)
{
    bench *b = *state;
    size_t n;
    uint8_t *bytes = fixture_read(&n, "baseline.jpg", &b->mem);
    uint8_t *more = base_alloc(&b->mem, n + 5, &b->err);
    memcpy(more, bytes, n - 2);
    memcpy(more + n - 2, "\x12\x34\x56\x78\x9a\xff\xd9", 7); /* between the pixels and the end */
    assert_int_equal(
        image_decode(b->decoder, &b->picture, more, n + 5, "stray.jpg", &b->mem, &b->err), VG_OK);
    assert_shows_fixture(&b->picture.view, "stray.jpg", false, 6, 4);
    base_free(more);
    base_free(bytes);
}

static void damaged_pixels_of_a_jpeg_are_an_error(void **state)
{
    bench *b = *state;
    size_t n;
    uint8_t *bytes = fixture_read(&n, "444.jpg", &b->mem);
    memset(bytes + n - 40, 0x5a, 30);
    assert_int_equal(image_decode(b->decoder, &b->picture, bytes, n, "x.jpg", &b->mem, &b->err),
                     VG_ERR_FORMAT);
    assert_non_null(strstr(b->err.what, "damaged"));
    base_free(bytes);
}

static void a_damaged_png_is_an_error(void **state)
{
    bench *b = *state;
    size_t n;
    uint8_t *bytes = fixture_read(&n, "rgb.png", &b->mem);
    /* In the compressed data, and in its checksum. */
    for (size_t back = 20; back >= 13; back -= 7) {
        bytes[n - back] ^= 0x10;
        assert_int_equal(image_decode(b->decoder, &b->picture, bytes, n, "x.png", &b->mem, &b->err),
                         VG_ERR_FORMAT);
        bytes[n - back] ^= 0x10;
    }
    base_free(bytes);
}

static void what_is_no_picture_says_so(void **state)
{
    bench *b = *state;
    static const char TEXT[] = "hello, this is not a picture at all, but a text";
    assert_int_equal(image_decode(b->decoder, &b->picture, (const uint8_t *)TEXT, sizeof(TEXT),
                                  "a.txt", &b->mem, &b->err),
                     VG_ERR_FORMAT);
    assert_non_null(strstr(b->err.what, "not a picture"));
    assert_int_equal(image_decode(b->decoder, &b->picture, NULL, 0, "a.jpg", &b->mem, &b->err),
                     VG_ERR_FORMAT);
    assert_non_null(strstr(b->err.what, "empty"));
    assert_null(image_format_name((const uint8_t *)TEXT, sizeof(TEXT)));
    assert_string_equal(image_format_name((const uint8_t *)"GIF89a", 6), "GIF");
}

static void a_frame_smaller_than_its_animation_has_black_around_it(void **state)
{
    bench *b = *state;
    size_t n;
    uint8_t *bytes = fixture_read(&n, "animated_part.webp", &b->mem);
    assert_int_equal(image_decode(b->decoder, &b->picture, bytes, n, "x", &b->mem, &b->err), VG_OK);
    const image_view *v = &b->picture.view;
    assert_int_equal(v->w, 24);
    assert_int_equal(v->h, 18);
    for (int y = 0; y < v->h; y++)
        for (int x = 0; x < v->w; x++) {
            const uint8_t *want = x >= 8 && y >= 6 ? fixture_color(x, y) : (const uint8_t *)"\0\0";
            assert_memory_equal(v->data + (size_t)y * v->stride + 3 * (size_t)x, want, 3);
        }
    base_free(bytes);
}

/* The loader's errors are met by people who build FFmpeg themselves, so they must say what to
 * install. */
static void a_missing_ffmpeg_is_an_error_that_names_the_package(void **state)
{
    bench *b = *state;
    image_ffmpeg f = {0};
    image_ffmpeg_names absent = {.avcodec = "libabsent.so.1", .avutil = "libm.so.6"};
    assert_int_equal(image_ffmpeg_load(&f, &absent, &b->err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(b->err.what, "libabsent.so.1"));
    assert_non_null(strstr(b->err.mend, "install libavcodec"));
    assert_null(f.avutil);
    image_ffmpeg_names strange = {.avcodec = "libm.so.6", .avutil = "libm.so.6"};
    assert_int_equal(image_ffmpeg_load(&f, &strange, &b->err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(b->err.what, "avcodec_find_decoder"));
    assert_null(f.avcodec);
}

static void limits_are_judged_before_anything_is_allocated(void **state)
{
    bench *b = *state;
    static const image_limits LIMITS[] = {{.most_side_px = 31}, {.most_pixels = 32 * 24 - 1}};
    for (size_t l = 0; l < 2; l++) {
        image_decoder *d;
        assert_int_equal(image_decoder_create(&d, &LIMITS[l], &b->mem, &b->err), VG_OK);
        for (size_t i = 0; i < N_FIXTURES; i++) {
            size_t n;
            uint8_t *bytes = fixture_read(&n, FIXTURES[i].name, &b->mem);
            uint64_t n_allocs = b->mem.n_allocs;
            assert_int_equal(image_decode(d, &b->picture, bytes, n, "x", &b->mem, &b->err),
                             VG_ERR_LIMIT);
            assert_int_equal(b->mem.n_allocs, n_allocs);
            base_free(bytes);
        }
        image_decoder_destroy(&d);
    }
}

static void a_png_that_claims_a_huge_size_costs_nothing(void **state)
{
    bench *b = *state;
    size_t n;
    uint8_t *bytes = fixture_read(&n, "rgb.png", &b->mem);
    bytes[16] = 0x7f; /* 2 billion columns */
    assert_int_equal(image_decode(b->decoder, &b->picture, bytes, n, "x", &b->mem, &b->err),
                     VG_ERR_LIMIT);
    bytes[16] = 0xff; /* more than PNG allows */
    assert_int_equal(image_decode(b->decoder, &b->picture, bytes, n, "x", &b->mem, &b->err),
                     VG_ERR_FORMAT);
    base_free(bytes);
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"baseline.jpg", "exif6.jpg", "ycck.jpg",   "rgb.png",
                                        "exif6.png",    "bits.png",  "lossy.webp", "animated.webp"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        size_t n;
        uint8_t *bytes = fixture_read(&n, NAMES[i], &b->mem);
        size_t before = b->mem.in_use_bytes;
        int n_failures = 0;
        for (int64_t k = 1;; k++) {
            image_decoder *d;
            image_buffer picture = {0};
            b->mem.fail_in = k;
            vg_status st = image_decoder_create(&d, NULL, &b->mem, &b->err);
            if (st == VG_OK)
                st = image_decode(d, &picture, bytes, n, NAMES[i], &b->mem, &b->err);
            bool was_reached = b->mem.fail_in == 0;
            b->mem.fail_in = 0;
            if (st == VG_OK)
                assert_shows_fixture(&picture.view, NAMES[i], false, 255, 0);
            image_decoder_destroy(&d);
            image_buffer_fini(&picture);
            assert_int_equal(b->mem.in_use_bytes, before);
            if (!was_reached) {
                assert_int_equal(st, VG_OK);
                break;
            }
            assert_int_equal(st, VG_ERR_MEMORY);
            n_failures++;
        }
        assert_true(n_failures >= 2);
        base_free(bytes);
    }
}

static void a_steady_stream_allocates_nothing(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"baseline.jpg", "exif6.jpg",  "cmyk.jpg",
                                        "rgb.png",      "lossy.webp", "still.gif"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        size_t n;
        uint8_t *bytes = fixture_read(&n, NAMES[i], &b->mem);
        assert_int_equal(
            image_decode(b->decoder, &b->picture, bytes, n, NAMES[i], &b->mem, &b->err), VG_OK);
        uint64_t n_allocs = b->mem.n_allocs;
        size_t library_bytes = base_mem_library_bytes();
        for (int k = 0; k < 100; k++)
            assert_int_equal(
                image_decode(b->decoder, &b->picture, bytes, n, NAMES[i], &b->mem, &b->err), VG_OK);
        assert_int_equal(b->mem.n_allocs, n_allocs);
        assert_in_range(base_mem_library_bytes(), 0, library_bytes + 4096);
        base_free(bytes);
    }
}

static void a_picture_does_not_depend_on_the_one_before(void **state)
{
    bench *b = *state;
    enum { BYTES = 3 * FIXTURE_W * FIXTURE_H };
    uint8_t alone[BYTES];
    for (size_t i = 0; i < N_FIXTURES; i++) {
        size_t n, n_other;
        uint8_t *bytes = fixture_read(&n, FIXTURES[i].name, &b->mem);
        image_decoder *fresh;
        assert_int_equal(image_decoder_create(&fresh, NULL, &b->mem, &b->err), VG_OK);
        if (image_decode(fresh, &b->picture, bytes, n, "x", &b->mem, &b->err) != VG_OK)
            fail_msg("%s: %s", FIXTURES[i].name, b->err.what);
        memcpy(alone, b->picture.view.data, BYTES);
        image_decoder_destroy(&fresh);
        uint8_t *other = fixture_read(&n_other, FIXTURES[(i + 1) % N_FIXTURES].name, &b->mem);
        image_decode(b->decoder, &b->picture, other, n_other / 2, "other", &b->mem,
                     &b->err); /* fails */
        image_decode(b->decoder, &b->picture, other, n_other, "other", &b->mem, &b->err);
        assert_int_equal(image_decode(b->decoder, &b->picture, bytes, n, "x", &b->mem, &b->err),
                         VG_OK);
        assert_memory_equal(alone, b->picture.view.data, BYTES);
        base_free(other);
        base_free(bytes);
    }
}

static void picture_names_are_those_of_the_spec(void **state)
{
    (void)state;
    assert_true(image_is_picture_name("a/b.JPG"));
    assert_true(image_is_picture_name("x.tiff"));
    assert_false(image_is_picture_name("x.txt"));
    assert_true(image_is_unread_name("a/IMG_1.HEIC"));
    assert_false(image_is_unread_name("a/x.jpg"));
    assert_false(image_is_unread_name("heic"));
    assert_false(image_is_picture_name("jpg"));
    assert_false(image_is_picture_name("a.jpg/b"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_format_shows_the_same_picture),
        TEST(lossy_pictures_are_opencvs_to_the_last_bit),
        TEST(bilevel_pictures_are_black_and_white),
        TEST(cmyk_is_the_same_without_adobes_marker),
        TEST(probe_tells_the_size_that_decode_gives),
        TEST(no_cut_file_is_a_picture),
        TEST(a_jpeg_without_its_end_is_called_truncated),
        TEST(stray_bytes_in_a_jpeg_are_passed_by),
        TEST(damaged_pixels_of_a_jpeg_are_an_error),
        TEST(a_damaged_png_is_an_error),
        TEST(what_is_no_picture_says_so),
        TEST(a_frame_smaller_than_its_animation_has_black_around_it),
        TEST(a_missing_ffmpeg_is_an_error_that_names_the_package),
        TEST(limits_are_judged_before_anything_is_allocated),
        TEST(a_png_that_claims_a_huge_size_costs_nothing),
        TEST(every_failed_allocation_is_an_error_and_no_leak),
        TEST(a_steady_stream_allocates_nothing),
        TEST(a_picture_does_not_depend_on_the_one_before),
        cmocka_unit_test(picture_names_are_those_of_the_spec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
