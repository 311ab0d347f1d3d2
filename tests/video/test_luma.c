/* test_luma.c: a frame's brightness where it lies, in the formats that decoders give. */
#include "support/ok.h"

#include "video/frame.h"
#include "video/video.h"

enum { W = 64, H = 48 };

static base_mem mem = {.tag = "test"};
static video_source *source;
static video_frame *frame;

/* The first frame of a drawn picture in that format. */
static void draw(const char *format)
{
    char text[128];
    video_stream_info info;
    video_fault fault;
    snprintf(text, sizeof text, "lavfi:testsrc2=size=%dx%d,format=yuv420p,format=%s", W, H, format);
    const video_source_options o = {.text = text};
    video_source_destroy(&source);
    OK(video_source_create(&source, &o, NULL, &mem, err));
    OK(video_source_connect(source, &info, &fault, err));
    assert_int_equal(video_source_read(source, frame, &fault, NULL), VIDEO_FRAME);
}

static int set_up(void **state)
{
    (void)state;
    OK(video_frame_create(&frame, &mem, err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    video_frame_destroy(&frame);
    video_source_destroy(&source);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

static int pixel(const image_luma *l, int x, int y)
{
    const uint8_t *p = l->at + x * l->across + y * l->down;
    const int v = l->bits > 8 ? p[0] | p[1] << 8 : p[0];
    return v >> l->shift >> (l->bits - 8) & 255;
}

static int seen[W * H];

static void look(int *out)
{
    image_luma l;
    assert_true(video_frame_luma(&l, frame));
    assert_int_equal(l.w, W);
    assert_int_equal(l.h, H);
    for (int i = 0; i < W * H; i++)
        out[i] = pixel(&l, i % W, i / W);
}

/* As yuv420p has it; what has more bits is rounded elsewhere. */
static void all_formats_tell_the_same_brightness(void **state)
{
    (void)state;
    static const char *const formats[] = {"nv12",    "yuv422p",     "yuyv422", "uyvy422",
                                          "yuv444p", "yuv420p10le", "p010le",  "yuva420p"};
    static int plain[W * H];
    draw("yuv420p");
    look(plain);
    assert_true(plain[0] != plain[W * H / 2 + W / 2]);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        draw(formats[i]);
        look(seen);
        for (int k = 0; k < W * H; k++)
            if (abs(seen[k] - plain[k]) > 2)
                fail_msg("%s: %d of pixel %d, not %d", formats[i], seen[k], k, plain[k]);
    }
}

static void of_colours_it_is_the_green(void **state)
{
    (void)state;
    static const char *const formats[] = {"rgb24", "bgr24", "bgra", "gbrp"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        draw(formats[i]);
        const AVFrame *p = frame->picture;
        look(seen);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                assert_int_equal(seen[y * W + x],
                                 i == 3
                                     ? p->data[0][y * p->linesize[0] + x]
                                     : p->data[0][y * p->linesize[0] + (i == 2 ? 4 : 3) * x + 1]);
    }
}

static void what_has_no_plain_brightness_is_told(void **state)
{
    (void)state;
    static const char *const formats[] = {"pal8", "monob", "rgb565le", "yuv420p10be", "grayf32le"};
    image_luma l;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        draw(formats[i]);
        assert_false(video_frame_luma(&l, frame));
    }
    video_frame_release(frame);
    assert_false(video_frame_luma(&l, frame));
}

/* By the words of frame.h: pixel (x, y) is the stored one of column k and row l. */
static void a_turned_picture_is_upright(void **state)
{
    (void)state;
    draw("yuv420p");
    const AVFrame *p = frame->picture;
    for (int turn = 0; turn < 8; turn++) {
        const video_turn t = {turn & 1, turn >> 1 & 1, turn >> 2 & 1};
        image_luma l;
        frame->turn = t;
        frame->info.w = t.is_swapped ? H : W;
        frame->info.h = t.is_swapped ? W : H;
        assert_true(video_frame_luma(&l, frame));
        for (int y = 0; y < l.h; y++)
            for (int x = 0; x < l.w; x++) {
                int column = t.is_swapped ? y : x, row = t.is_swapped ? x : y;
                column = t.mirrors_columns ? W - 1 - column : column;
                row = t.mirrors_rows ? H - 1 - row : row;
                assert_int_equal(pixel(&l, x, y), p->data[0][row * p->linesize[0] + column]);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_formats_tell_the_same_brightness),
        cmocka_unit_test(of_colours_it_is_the_green),
        cmocka_unit_test(what_has_no_plain_brightness_is_told),
        cmocka_unit_test(a_turned_picture_is_upright),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
