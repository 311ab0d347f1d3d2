/* Frames straight into a network's input, held against the long way by RGB. */
#include "support/ok.h"

#include <math.h>

#include "image/image.h"
#include "video/frame.h"
#include "video/sample.h"
#include "video/video.h"

static base_mem mem = {.tag = "test"};

static video_source *source;
static video_frame *frame;
static video_scaler *scaler;

/* The nth frame of what FFmpeg draws. */
static void draw(const char *text, int nth)
{
    video_stream_info info;
    video_fault fault;
    /* A large drawing takes its time on a busy machine. */
    const video_source_options o = {.text = text, .connect_s = 250};
    video_source_destroy(&source);
    OK(video_source_create(&source, &o, NULL, &mem, err));
    OK(video_source_connect(source, &info, &fault, err));
    for (int i = 0; i <= nth; i++)
        assert_int_equal(video_source_read(source, frame, &fault, NULL), VIDEO_FRAME);
}

static int set_up(void **state)
{
    (void)state;
    OK(video_frame_create(&frame, &mem, err));
    OK(video_scaler_create(&scaler, &mem, err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    video_frame_destroy(&frame);
    video_scaler_destroy(&scaler);
    video_source_destroy(&source);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

static image_letterbox_fit plan(int w, int h, int target_w, int target_h)
{
    image_letterbox_fit fit;
    const image_letterbox_rule rule = {
        .target_w = target_w, .target_h = target_h, .scale_up = true, .center = true, .stride = 32};
    OK(image_letterbox_plan(&fit, w, h, &rule, err));
    return fit;
}

static void check_padding(const float *x, const image_letterbox_fit *fit)
{
    for (int row = 0; row < fit->out_h; row++)
        for (int column = 0; column < fit->out_w; column++) {
            bool inside = row >= fit->top && row < fit->top + fit->new_h && column >= fit->left &&
                          column < fit->left + fit->new_w;
            for (int c = 0; c < 3 && !inside; c++)
                assert_true(
                    x[((size_t)row * (size_t)fit->out_w + (size_t)column) * 3 + (size_t)c] ==
                    114 / 255.0f);
        }
}

/* How far the short way is from the long one, in 255ths. */
static void compare(double *mean, double *most, int target_w, int target_h)
{
    const video_frame_info *info = video_frame_get(frame);
    image_letterbox_fit fit = plan(info->w, info->h, target_w, target_h);
    size_t n = (size_t)fit.out_w * (size_t)fit.out_h * 3;
    float *near = base_alloc(&mem, n * sizeof(float), NULL),
          *want = base_alloc(&mem, n * sizeof(float), NULL);
    image_buffer rgb = {0};
    image_scratch scratch = {0};
    for (size_t i = 0; i < n; i++)
        near[i] = NAN; /* all of it must be written */
    OK(video_frame_to_float(scaler, near, frame, &fit, &mem, err));
    OK(image_buffer_reserve(&rgb, info->w, info->h, &mem, err));
    OK(video_frame_to_rgb(scaler, &rgb.view, frame, &mem, err));
    OK(image_letterbox_to_float(want, &rgb.view, &fit, &scratch, &mem, err));
    *mean = *most = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(near[i] >= 0 && near[i] <= 1);
        double off = fabs((double)near[i] - (double)want[i]) * 255;
        *mean += off / (double)n;
        *most = off > *most ? off : *most;
    }
    check_padding(near, &fit);
    image_buffer_fini(&rgb);
    image_scratch_fini(&scratch);
    base_free(near);
    base_free(want);
}

/* Of 255. The most: at edges of colour, where the long way repeats a chroma sample and the short
 * one goes between two. */
static void expect_near(const char *what, int target_w, int target_h, double mean_allowed,
                        double most_allowed)
{
    double mean, most;
    compare(&mean, &most, target_w, target_h);
    if (mean > mean_allowed || most > most_allowed)
        fail_msg("%s to %dx%d: mean %.3f, most %.1f of 255", what, target_w, target_h, mean, most);
}

static void drawn_pictures_come_near_the_long_way(void **state)
{
    static const char *const sizes[] = {"1920x1080", "1280x720", "854x480", "322x242", "98x202"};
    static const char *const formats[] = {"yuv420p", "yuvj420p", "nv12"};
    char text[256];
    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 3; k++) {
            snprintf(text, sizeof text,
                     "lavfi:mandelbrot=s=%s:start_scale=0.3:maxiter=200,gblur=sigma=4,format=%s",
                     sizes[i], formats[k]);
            draw(text, 1);
            expect_near(text, 640, 384, 1, 24);
            expect_near(text, 320, 320, 1, 24);
        }
}

static void odd_sizes_come_near_the_long_way(void **state)
{
    static const char *const sizes[] = {"321x241", "97x3", "3x97", "16x15", "33x2", "1x1", "2x1"};
    char text[256];
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        /* made odd by cropping what is drawn even, as a decoder does */
        snprintf(text, sizeof text,
                 "lavfi:gradients=s=400x300:c0=0x204060:c1=0xb0a060:n=2:x0=0:y0=0:x1=399:y1=299:"
                 "seed=1,format=yuv420p,scale=%s",
                 sizes[i]);
        draw(text, 0);
        expect_near(text, 64, 64, 2, 16);
    }
}

static void turned_pictures_come_near_the_long_way(void **state)
{
    (void)state;
    for (int turn = 0; turn < 8; turn++) {
        draw("lavfi:mandelbrot=s=322x242:start_scale=0.3:maxiter=200,gblur=sigma=4,format=yuv420p",
             1);
        frame->turn = (video_turn){.is_swapped = turn & 1,
                                   .mirrors_columns = (turn & 2) != 0,
                                   .mirrors_rows = (turn & 4) != 0};
        frame->info.w = turn & 1 ? 242 : 322;
        frame->info.h = turn & 1 ? 322 : 242;
        expect_near("turned", 160, 96, 1, 24);
        expect_near("turned", 416, 640, 1, 24);
    }
}

static void other_formats_go_the_long_way(void **state)
{
    static const char *const formats[] = {"rgb24",   "bgra",        "gray",    "yuv444p",
                                          "yuv422p", "yuv420p10le", "yuyv422", "pal8"};
    char text[256];
    double mean, most;
    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        snprintf(text, sizeof text, "lavfi:testsrc2=s=322x242,format=%s", formats[i]);
        draw(text, 0);
        compare(&mean, &most, 160, 128);
        assert_true(most == 0);
    }
}

/* Four corners of red, green, blue and white, by the matrices of the standards. */
static void colours_follow_the_stream(void **state)
{
    static const char *const params[] = {
        "setparams=colorspace=bt709:range=tv", "setparams=colorspace=smpte170m:range=tv",
        "setparams=colorspace=bt709:range=pc", "setparams=colorspace=bt2020nc:range=tv"};
    static const struct {
        enum AVColorSpace space;
        enum AVColorRange range;
    } tags[] = {{AVCOL_SPC_BT709, AVCOL_RANGE_MPEG},
                {AVCOL_SPC_SMPTE170M, AVCOL_RANGE_MPEG},
                {AVCOL_SPC_BT709, AVCOL_RANGE_JPEG},
                {AVCOL_SPC_BT2020_NCL, AVCOL_RANGE_MPEG}};
    static const double kr[] = {0.2126, 0.299, 0.2126, 0.2627},
                        kb[] = {0.0722, 0.114, 0.0722, 0.0593};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char text[256];
        snprintf(text, sizeof text, "lavfi:color=c=black:s=64x64,format=yuv420p,%s", params[i]);
        draw(text, 0);
        AVFrame *p = frame->picture;
        p->colorspace = tags[i].space;
        p->color_range = tags[i].range;
        const double rgb[] = {0.8, 0.3, 0.1}; /* one colour in all of it */
        double y = kr[i] * rgb[0] + kb[i] * rgb[2] + (1 - kr[i] - kb[i]) * rgb[1];
        double cb = (rgb[2] - y) / (2 * (1 - kb[i])), cr = (rgb[0] - y) / (2 * (1 - kr[i]));
        bool full = tags[i].range == AVCOL_RANGE_JPEG;
        for (int row = 0; row < 64; row++)
            memset(p->data[0] + row * p->linesize[0],
                   (int)(full ? 255 * y + .5 : 16 + 219 * y + .5), 64);
        for (int row = 0; row < 32; row++) {
            memset(p->data[1] + row * p->linesize[1], (int)(128 + (full ? 255 : 224) * cb + .5),
                   32);
            memset(p->data[2] + row * p->linesize[2], (int)(128 + (full ? 255 : 224) * cr + .5),
                   32);
        }
        float x[32 * 32 * 3];
        image_letterbox_fit fit = plan(64, 64, 32, 32);
        OK(video_frame_to_float(scaler, x, frame, &fit, &mem, err));
        for (int c = 0; c < 3; c++)
            if (fabs((double)x[3 * 500 + c] - rgb[c]) > 3 / 255.0)
                fail_msg("%s: channel %d is %f instead of %f", params[i], c, (double)x[3 * 500 + c],
                         rgb[c]);
        expect_near(params[i], 32, 32, 1, 3);
    }
}

static void rgb_fills_the_picture_and_nothing_else(void **state)
{
    (void)state;
    for (int w = 2; w < 70; w += 2) {
        char text[128];
        snprintf(text, sizeof text, "lavfi:color=c=white:s=%dx10,format=yuv420p", w);
        draw(text, 0);
        enum { GUARD = 200 };
        size_t stride = 3 * (size_t)w, bytes = stride * 10;
        uint8_t *block = base_alloc(&mem, bytes + GUARD, NULL);
        memset(block, 7, bytes + GUARD);
        const image_view view = {.data = block, .w = w, .h = 10, .stride = stride};
        OK(video_frame_to_rgb(scaler, &view, frame, &mem, err));
        for (size_t i = 0; i < bytes; i++)
            if (block[i] < 250)
                fail_msg("%d wide: byte %zu is %d", w, i, block[i]);
        for (size_t i = bytes; i < bytes + GUARD; i++)
            assert_int_equal(block[i], 7);
        base_free(block);
    }
}

static void wrong_arguments_are_told(void **state)
{
    uint8_t pixels[3 * 64];
    float x[3];
    image_letterbox_fit fit = plan(64, 64, 32, 32);
    const image_view view = {.data = pixels, .w = 8, .h = 8, .stride = 24};
    (void)state;
    draw("lavfi:color=s=64x64", 0);
    assert_int_equal(video_frame_to_rgb(scaler, &view, frame, &mem, NULL), VG_ERR_ARGUMENT);
    video_frame_release(frame);
    assert_int_equal(video_frame_to_rgb(scaler, &view, frame, &mem, NULL), VG_ERR_ARGUMENT);
    assert_int_equal(video_frame_to_float(scaler, x, frame, &fit, &mem, NULL), VG_ERR_ARGUMENT);
}

static void nothing_is_taken_for_the_same_shapes_again(void **state)
{
    static float x[640 * 384 * 3];
    (void)state;
    draw("lavfi:testsrc2=s=1280x720,format=yuv420p", 0);
    image_letterbox_fit fit = plan(1280, 720, 640, 384), small = plan(1280, 720, 320, 320);
    OK(video_frame_to_float(scaler, x, frame, &fit, &mem, err));
    uint64_t n = mem.n_allocs;
    for (int i = 0; i < 100; i++) {
        OK(video_frame_to_float(scaler, x, frame, &fit, &mem, err));
        OK(video_frame_to_float(scaler, x, frame, &small, &mem, err));
    }
    assert_int_equal(mem.n_allocs, n);
}

/* ---- kernels ---- */

static uint32_t seed = 1;
static uint32_t next(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static void kernels_equal_the_plain_ones(void **state)
{
    const video_sample_kernels *k = video_sample_kernels_x86("avx2");
    (void)state;
    if (k == NULL)
        skip();
    enum { MOST = 300 };
    static uint8_t r0[MOST], r1[MOST];
    static int16_t rows[2][2 * MOST + 16], mixed[2][MOST + 32];
    static int32_t from[2][MOST];
    static int16_t weight[2][2 * MOST];
    static float x[2][3 * MOST + 1];
    const video_matrix m = {1 / 219.0f, {-0.07f, -0.08f, -0.09f}, 0.0070f, -0.0017f, -0.0036f,
                            0.0089f};
    for (int n = 1; n < MOST; n += 1 + n / 17) {
        for (int i = 0; i < n; i++) {
            r0[i] = (uint8_t)next();
            r1[i] = (uint8_t)next();
        }
        int b0 = (int)(next() % 129);
        memset(mixed, 3, sizeof mixed);
        VIDEO_SAMPLE_KERNELS_C.mix(mixed[0], r0, r1, b0, 128 - b0, (size_t)n);
        k->mix(mixed[1], r0, r1, b0, 128 - b0, (size_t)n);
        assert_memory_equal(mixed[0], mixed[1], sizeof mixed[0]);

        for (int i = 0; i < 2 * MOST + 16; i++) {
            rows[0][i] = (int16_t)(next() % (255 * 128 + 1));
            rows[1][i] = (int16_t)(next() % (255 * 128 + 1));
        }
        for (int t = 0; t < 2; t++)
            for (int i = 0; i < n; i++) {
                from[t][i] = (int32_t)(next() % (MOST - 1));
                weight[t][2 * i] = (int16_t)(next() % 2049);
                weight[t][2 * i + 1] = (int16_t)(2048 - weight[t][2 * i]);
            }
        const video_taps luma = {from[0], weight[0]}, chroma = {from[1], weight[1]};
        for (int pitch = 1; pitch <= 2; pitch++) {
            const int16_t *v = pitch == 2 ? rows[1] + 1 : rows[0];
            x[0][3 * n] = x[1][3 * n] = -5;
            VIDEO_SAMPLE_KERNELS_C.convert(x[0], rows[0], rows[1], v, pitch, &luma, &chroma, &m, n);
            k->convert(x[1], rows[0], rows[1], v, pitch, &luma, &chroma, &m, n);
            assert_memory_equal(x[0], x[1], (3 * (size_t)n + 1) * sizeof(float));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_pictures_come_near_the_long_way),
        cmocka_unit_test(odd_sizes_come_near_the_long_way),
        cmocka_unit_test(turned_pictures_come_near_the_long_way),
        cmocka_unit_test(other_formats_go_the_long_way),
        cmocka_unit_test(colours_follow_the_stream),
        cmocka_unit_test(rgb_fills_the_picture_and_nothing_else),
        cmocka_unit_test(wrong_arguments_are_told),
        cmocka_unit_test(nothing_is_taken_for_the_same_shapes_again),
        cmocka_unit_test(kernels_equal_the_plain_ones),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
