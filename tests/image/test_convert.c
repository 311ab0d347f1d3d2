/* test_convert.c: kinds of pixels that few files have, made by hand. */
#include "support.h"

#include "image/convert.h"

typedef struct bench {
    base_mem mem;
    image_ffmpeg ffmpeg;
    AVFrame *frame;
    image_scratch scratch;
    uint8_t out[3 * 4 * 2];
    vg_error err;
} bench;

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test", .limit_bytes = SIZE_MAX}};
    assert_int_equal(image_ffmpeg_load(&b.ffmpeg, NULL, &b.err), VG_OK);
    b.frame = b.ffmpeg.av_frame_alloc();
    assert_non_null(b.frame);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    b->ffmpeg.av_frame_free(&b->frame);
    image_ffmpeg_unload(&b->ffmpeg);
    image_scratch_fini(&b->scratch);
    assert_int_equal(b->mem.in_use_bytes, 0);
    return 0;
}

/* A frame of 4 x 2 over the given planes, all of one stride. */
static vg_status convert(bench *b, enum AVPixelFormat format, const void *p0, const void *p1,
                         const void *p2, int stride)
{
    const void *planes[3] = {p0, p1, p2};
    for (int i = 0; i < 3; i++) {
        b->frame->data[i] = (uint8_t *)(uintptr_t)planes[i];
        b->frame->linesize[i] = stride;
    }
    b->frame->format = format;
    b->frame->width = 4;
    b->frame->height = 2;
    image_view dst = {b->out, 4, 2, 12};
    return image_convert_frame(&dst, b->frame, &b->ffmpeg, &b->scratch, "x", &b->mem, &b->err);
}

static void white_is_zero_where_the_kind_says_so(void **state)
{
    bench *b = *state;
    static const uint8_t BITS[2] = {0x50, 0xa0};
    assert_int_equal(convert(b, AV_PIX_FMT_MONOWHITE, BITS, NULL, NULL, 1), VG_OK);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(b->out[3 * i], (i / 4 == 0) == (i % 2 == 0) ? 255 : 0);
    assert_int_equal(convert(b, AV_PIX_FMT_MONOBLACK, BITS, NULL, NULL, 1), VG_OK);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(b->out[3 * i + 2], (i / 4 == 0) == (i % 2 == 0) ? 0 : 255);
}

static void planes_of_green_blue_red_are_put_in_order(void **state)
{
    bench *b = *state;
    static const uint8_t G[8] = {1, 2, 3, 4, 5, 6, 7, 8}, B[8] = {11, 12, 13, 14, 15, 16, 17, 18},
                         R[8] = {21, 22, 23, 24, 25, 26, 27, 28};
    assert_int_equal(convert(b, AV_PIX_FMT_GBRP, G, B, R, 4), VG_OK);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(b->out[3 * i], R[i]);
        assert_int_equal(b->out[3 * i + 1], G[i]);
        assert_int_equal(b->out[3 * i + 2], B[i]);
    }
}

static void ten_bits_lose_their_lowest_two(void **state)
{
    bench *b = *state;
    static const uint16_t GREY[8] = {0, 3, 4, 511, 512, 1000, 1020, 1023};
    assert_int_equal(convert(b, AV_PIX_FMT_GRAY10, GREY, NULL, NULL, 8), VG_OK);
    for (int i = 0; i < 8; i++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(b->out[3 * i + c], GREY[i] >> 2);
}

/* The primaries of BT.601 over the full range, with chroma halved in width: (Y, Cb, Cr) of red,
 * blue. */
static void floats_are_refused(void **state)
{
    bench *b = *state;
    static const float GREY[8] = {0};
    assert_int_equal(convert(b, AV_PIX_FMT_GRAYF32, GREY, NULL, NULL, 16), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(b->err.what, "grayf32"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(white_is_zero_where_the_kind_says_so),
        TEST(planes_of_green_blue_red_are_put_in_order),
        TEST(ten_bits_lose_their_lowest_two),
        TEST(floats_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
