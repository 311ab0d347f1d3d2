/* Pictures of the caller's: loaded, drawn into, encoded, cut; and boxes as texts. */
#include "support/test.h"

#include <unistd.h>

#include "stream/scenes.h"
#include "vigil/vigil.h"

enum { W = 90, H = 64, BYTES = W * H * 3 };

static const char *const names[] = {"person", "car \"red\"", "Straße"};
static const vg_detection found[] = {
    {10, 8, 40, 50, 0.875f, 0}, {30.5f, 20, 80, 60, 0.5f, 1}, {-5, -5, 12, 12, 0.25f, 7}};
static const int64_t ids[] = {3, 12, 5000000000};

static vg_boxes boxes(void)
{
    return (vg_boxes){.detections = found,
                      .n = 3,
                      .width = W,
                      .height = H,
                      .names = names,
                      .n_names = 3,
                      .source = "a \"b\".jpg"};
}

typedef struct bench {
    vg_codec *codec;
    vg_painter *painter;
    vg_error err;
    uint8_t *rgb;
    uint8_t is[BYTES], want[BYTES];
    char folder[256];
} bench;

static int set_up(void **state)
{
    bench *b = calloc(1, sizeof *b);
    *state = b;
    b->rgb = scene_make(W, H, 5);
    folder_make(b->folder, sizeof b->folder);
    return vg_codec_open(&b->codec, 0, &b->err) == VG_OK &&
                   vg_painter_open(&b->painter, names, 3, 0, &b->err) == VG_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    bench *b = *state;
    vg_codec_close(&b->codec);
    vg_painter_close(&b->painter);
    folder_remove(b->folder);
    free(b->rgb);
    free(b);
    return 0;
}

static vg_image image_of(const uint8_t *pixels, vg_pixel_format format)
{
    return (vg_image){.pixels = pixels, .width = W, .height = H, .format = format};
}

static vg_picture picture_of(uint8_t *pixels, vg_pixel_format format)
{
    return (vg_picture){.pixels = pixels, .width = W, .height = H, .format = format};
}

/* ---- pixels ---- */

static void any_format_is_copied_as_rgb_or_bgr(void **state)
{
    bench *b = *state;
    float planes[3 * W * H];
    uint8_t grey[W * H];
    for (size_t i = 0; i < W * H; i++) {
        grey[i] = b->rgb[3 * i];
        for (size_t c = 0; c < 3; c++) {
            planes[c * W * H + i] = (float)b->rgb[3 * i + c] / 255;
            b->want[3 * i + c] = b->rgb[3 * i + 2 - c];
        }
    }
    vg_image from = image_of((const uint8_t *)planes, VG_RGB_PLANES);
    vg_picture to = picture_of(b->is, VG_RGB);
    assert_int_equal(vg_picture_put(&to, &from, &b->err), VG_OK);
    assert_memory_equal(b->is, b->rgb, BYTES);
    to.format = VG_BGR;
    assert_int_equal(vg_picture_put(&to, &from, &b->err), VG_OK);
    assert_memory_equal(b->is, b->want, BYTES);
    from = image_of(b->want, VG_BGR);
    to.format = VG_RGB;
    assert_int_equal(vg_picture_put(&to, &from, &b->err), VG_OK);
    assert_memory_equal(b->is, b->rgb, BYTES);
    from = image_of(grey, VG_GREY);
    assert_int_equal(vg_picture_put(&to, &from, &b->err), VG_OK);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(b->is[i], grey[i / 3]);
    to.height--;
    assert_int_equal(vg_picture_put(&to, &from, &b->err), VG_ERR_ARGUMENT);
    to = picture_of(b->is, VG_GREY);
    assert_int_equal(vg_picture_put(&to, &from, &b->err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_picture_put(NULL, &from, &b->err), VG_ERR_ARGUMENT);
}

static void a_crop_is_the_boxs_pixels_of_every_format(void **state)
{
    bench *b = *state;
    float planes[3 * W * H];
    vg_image cut;
    for (size_t i = 0; i < W * H; i++)
        for (size_t c = 0; c < 3; c++)
            planes[c * W * H + i] = (float)b->rgb[3 * i + c] / 255;
    const vg_image all[] = {image_of(b->rgb, VG_RGB),
                            image_of((const uint8_t *)planes, VG_RGB_PLANES)};
    for (size_t k = 0; k < 2; k++) {
        assert_true(vg_image_crop(&cut, &all[k], &found[1]));
        assert_int_equal(cut.width, 50); /* 30.5..80 */
        assert_int_equal(cut.height, 40);
        const vg_picture to = {.pixels = b->is, .width = 50, .height = 40};
        assert_int_equal(vg_picture_put(&to, &cut, &b->err), VG_OK);
        for (size_t y = 0; y < 40; y++)
            assert_memory_equal(b->is + y * 150, b->rgb + ((y + 20) * W + 30) * 3, 150);
    }
    assert_true(vg_image_crop(&cut, &all[0], &found[2])); /* to the edge */
    assert_true(cut.width == 12 && cut.height == 12 && cut.pixels == b->rgb);
    const vg_detection outside = {200, 5, 220, 10, 1, 0};
    assert_false(vg_image_crop(&cut, &all[0], &outside));
    assert_null(cut.pixels);
}

/* ---- files ---- */

static void a_png_comes_back_as_it_was(void **state)
{
    bench *b = *state;
    const vg_image image = image_of(b->rgb, VG_RGB);
    const char *path = scene_path(b->folder, "a.png");
    vg_image back;
    const uint8_t *bytes;
    size_t n, n_file;
    assert_int_equal(vg_codec_write(b->codec, path, &image, &b->err), VG_OK);
    assert_int_equal(vg_codec_load(b->codec, &back, path, &b->err), VG_OK);
    assert_true(back.width == W && back.height == H && back.format == VG_RGB);
    assert_memory_equal(back.pixels, b->rgb, BYTES);
    assert_int_equal(vg_codec_encode(b->codec, &bytes, &n, &image, "png", 0, &b->err), VG_OK);
    char *file = scene_read(path, &n_file);
    assert_int_equal(n, n_file);
    assert_memory_equal(bytes, file, n);
    free(file);
    memset(b->is, 0, sizeof b->is);
    assert_int_equal(vg_codec_decode(b->codec, &back, bytes, n, "mine", &b->err), VG_OK);
    assert_memory_equal(back.pixels, b->rgb, BYTES);
}

static void other_formats_are_encoded_as_their_rgb(void **state)
{
    bench *b = *state;
    const uint8_t *bytes;
    size_t n, n_bgr;
    for (size_t i = 0; i < BYTES; i++)
        b->want[i] = b->rgb[i / 3 * 3 + 2 - i % 3];
    const vg_image rgb = image_of(b->rgb, VG_RGB), bgr = image_of(b->want, VG_BGR);
    assert_int_equal(vg_codec_encode(b->codec, &bytes, &n, &rgb, "jpg", 80, &b->err), VG_OK);
    assert_true(n > 100 && n < BYTES && bytes[0] == 0xFF && bytes[1] == 0xD8);
    memcpy(b->is, bytes, n);
    assert_int_equal(vg_codec_encode(b->codec, &bytes, &n_bgr, &bgr, "JPEG", 80, &b->err), VG_OK);
    assert_int_equal(n_bgr, n);
    assert_memory_equal(bytes, b->is, n);
    assert_int_equal(vg_codec_encode(b->codec, &bytes, &n_bgr, &bgr, "jpg", 20, &b->err), VG_OK);
    assert_true(n_bgr < n);
}

static void what_cannot_be_read_or_written_is_told(void **state)
{
    bench *b = *state;
    vg_image back = image_of(b->rgb, VG_RGB);
    const vg_image image = back;
    const uint8_t *bytes;
    size_t n;
    assert_int_equal(vg_codec_load(b->codec, &back, scene_path(b->folder, "none.jpg"), &b->err),
                     VG_ERR_IO);
    assert_null(back.pixels);
    assert_int_equal(vg_codec_load(b->codec, &back, NULL, &b->err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_codec_decode(b->codec, &back, "no picture", 10, "mine", &b->err),
                     VG_ERR_FORMAT);
    assert_non_null(strstr(b->err.where, "mine"));
    assert_int_equal(vg_codec_decode(b->codec, &back, NULL, 10, NULL, &b->err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_codec_write(b->codec, scene_path(b->folder, "a.bmp"), &image, &b->err),
                     VG_ERR_UNSUPPORTED);
    assert_int_equal(vg_codec_write(b->codec, scene_path(b->folder, "no/a.png"), &image, &b->err),
                     VG_ERR_IO);
    assert_int_equal(vg_codec_encode(b->codec, &bytes, &n, &image, "gif", 90, &b->err),
                     VG_ERR_ARGUMENT);
    assert_int_equal(vg_codec_encode(b->codec, &bytes, &n, &image, NULL, 90, &b->err),
                     VG_ERR_ARGUMENT);
    assert_int_equal(vg_codec_encode(b->codec, &bytes, &n, &image, "jpg", 0, &b->err),
                     VG_ERR_ARGUMENT);
    vg_codec *small = NULL;
    assert_int_equal(vg_codec_open(&small, 70000, &b->err), VG_OK);
    assert_int_equal(vg_codec_encode(small, &bytes, &n, &image, "png", 0, &b->err), VG_ERR_MEMORY);
    vg_codec_close(&small);
    assert_null(small);
    vg_codec_close(&small);
}

static void buffers_settle(void **state)
{
    bench *b = *state;
    const vg_image image = image_of(b->rgb, VG_BGR);
    const uint8_t *bytes;
    vg_image back;
    vg_memory first, last;
    size_t n;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(vg_codec_encode(b->codec, &bytes, &n, &image, "png", 0, &b->err), VG_OK);
        assert_int_equal(vg_codec_decode(b->codec, &back, bytes, n, NULL, &b->err), VG_OK);
        assert_int_equal(vg_codec_encode(b->codec, &bytes, &n, &image, "jpg", 90, &b->err), VG_OK);
        vg_codec_memory(b->codec, i == 0 ? &first : &last);
    }
    assert_true(first.in_use_bytes > 2 * BYTES);
    assert_int_equal(last.in_use_bytes, first.in_use_bytes);
    for (int i = 0; i < first.n_items; i++)
        assert_int_equal(last.items[i].n_allocations, first.items[i].n_allocations);
}

/* ---- drawing ---- */

static void draw(bench *b, uint8_t *pixels, vg_pixel_format format, const vg_boxes *what,
                 const vg_draw_options *o)
{
    const vg_picture to = picture_of(pixels, format);
    const vg_image from = image_of(b->rgb, VG_RGB);
    assert_int_equal(vg_picture_put(&to, &from, &b->err), VG_OK);
    if (vg_draw(b->painter, &to, what, o, &b->err) != VG_OK)
        fail_msg("%s: %s", b->err.where, b->err.what);
}

static void bgr_is_drawn_as_rgb_is(void **state)
{
    bench *b = *state;
    const vg_boxes what = boxes();
    draw(b, b->want, VG_RGB, &what, NULL);
    draw(b, b->is, VG_BGR, &what, NULL);
    assert_memory_not_equal(b->want, b->rgb, BYTES);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(b->is[i], b->want[i / 3 * 3 + 2 - i % 3]);
}

static void what_is_drawn_follows_the_options(void **state)
{
    bench *b = *state;
    vg_boxes what = boxes();
    const vg_draw_options frames = {.hide_labels = true}, wide = {.line_width = 9};
    draw(b, b->want, VG_RGB, &what, &frames);
    draw(b, b->is, VG_RGB, &what, NULL);
    assert_memory_not_equal(b->is, b->want, BYTES); /* labels */
    draw(b, b->want, VG_RGB, &what, &wide);
    assert_memory_not_equal(b->is, b->want, BYTES);
    what.ids = ids;
    draw(b, b->want, VG_RGB, &what, NULL);
    assert_memory_not_equal(b->is, b->want, BYTES);
    const vg_draw_options no_ids = {.hide_ids = true};
    draw(b, b->want, VG_RGB, &what, &no_ids);
    assert_memory_equal(b->is, b->want, BYTES);
    what.n = 0;
    draw(b, b->is, VG_RGB, &what, NULL);
    assert_memory_equal(b->is, b->rgb, BYTES);
}

static void only_the_picture_is_drawn_into(void **state)
{
    bench *b = *state;
    enum { ROW = W * 3 + 20 };
    static uint8_t room[ROW * (H + 2)];
    memset(room, 0xA5, sizeof room);
    const vg_boxes what = boxes();
    const vg_picture to = {.pixels = room + ROW, .width = W, .height = H, .stride = ROW};
    assert_int_equal(vg_draw(b->painter, &to, &what, NULL, &b->err), VG_OK);
    for (size_t i = 0; i < sizeof room; i++)
        if (i < ROW || i >= ROW * (H + 1) || i % ROW >= W * 3)
            assert_int_equal(room[i], 0xA5);
}

static void wrong_drawings_are_refused(void **state)
{
    bench *b = *state;
    vg_boxes what = boxes();
    vg_picture to = picture_of(b->is, VG_GREY);
    assert_int_equal(vg_draw(b->painter, &to, &what, NULL, &b->err), VG_ERR_ARGUMENT);
    to = picture_of(NULL, VG_RGB);
    assert_int_equal(vg_draw(b->painter, &to, &what, NULL, &b->err), VG_ERR_ARGUMENT);
    to = picture_of(b->is, VG_RGB);
    const vg_draw_options wide = {.line_width = 1001};
    assert_int_equal(vg_draw(b->painter, &to, &what, &wide, &b->err), VG_ERR_ARGUMENT);
    assert_string_equal(b->err.where, "line_width");
    what.n = SIZE_MAX / 100;
    assert_int_equal(vg_draw(b->painter, &to, &what, NULL, &b->err), VG_ERR_ARGUMENT);
    vg_painter *small = NULL;
    what.n = 3;
    assert_int_equal(vg_painter_open(&small, names, 3, 100000, &b->err), VG_OK);
    vg_memory held;
    vg_painter_memory(small, &held);
    vg_painter_close(&small);
    assert_int_equal(vg_painter_open(&small, names, 3, held.in_use_bytes + 50, &b->err), VG_OK);
    assert_int_equal(vg_draw(small, &to, &what, NULL, &b->err), VG_ERR_MEMORY);
    vg_painter_close(&small);
    assert_null(small);
}

/* ---- texts ---- */

static void rows_of_a_label_file(void **state)
{
    bench *b = *state;
    char text[1024];
    vg_boxes what = boxes();
    what.n = 2;
    assert_int_equal(vg_boxes_labels(text, sizeof text, &what, false, &b->err), VG_OK);
    assert_string_equal(text, "0 0.277778 0.453125 0.333333 0.65625\n"
                              "1 0.613889 0.625 0.55 0.625\n");
    what.ids = ids;
    what.n = 1;
    assert_int_equal(vg_boxes_labels(text, sizeof text, &what, true, &b->err), VG_OK);
    assert_string_equal(text, "0 0.277778 0.453125 0.333333 0.65625 0.875 3\n");
    what.n = 0;
    assert_int_equal(vg_boxes_labels(text, sizeof text, &what, true, &b->err), VG_OK);
    assert_string_equal(text, "");
    what.n = 1;
    what.width = 0;
    assert_int_equal(vg_boxes_labels(text, sizeof text, &what, true, &b->err), VG_ERR_ARGUMENT);
}

static void a_result_as_json(void **state)
{
    bench *b = *state;
    char text[1024];
    vg_boxes what = boxes();
    what.ids = ids;
    assert_true(vg_boxes_bytes(&what) <= sizeof text);
    assert_int_equal(vg_boxes_json(text, vg_boxes_bytes(&what), &what, &b->err), VG_OK);
    assert_string_equal(
        text, "{\"source\": \"a \\\"b\\\".jpg\", \"width\": 90, \"height\": 64, \"boxes\": ["
              "{\"class\": 0, \"name\": \"person\", \"confidence\": 0.875, "
              "\"xyxy\": [10, 8, 40, 50], \"id\": 3}, "
              "{\"class\": 1, \"name\": \"car \\\"red\\\"\", \"confidence\": 0.5, "
              "\"xyxy\": [30.5, 20, 80, 60], \"id\": 12}, "
              "{\"class\": 7, \"name\": \"class7\", \"confidence\": 0.25, "
              "\"xyxy\": [-5, -5, 12, 12], \"id\": 5000000000}]}");
    what = (vg_boxes){0};
    assert_int_equal(vg_boxes_json(text, vg_boxes_bytes(&what), &what, &b->err), VG_OK);
    assert_string_equal(text, "{\"source\": \"\", \"width\": 0, \"height\": 0, \"boxes\": []}");
}

static void a_text_that_does_not_fit_is_refused(void **state)
{
    bench *b = *state;
    char text[1024];
    const vg_boxes what = boxes();
    assert_int_equal(vg_boxes_json(text, sizeof text, &what, &b->err), VG_OK);
    const size_t n = strlen(text) + 1;
    for (size_t room = 0; room < n; room++) {
        memset(text, 'x', sizeof text);
        assert_int_equal(vg_boxes_json(text, room, &what, &b->err), VG_ERR_LIMIT);
        assert_true(room == 0 || memchr(text, '\0', room) != NULL);
        assert_int_equal(text[room], 'x');
    }
    assert_int_equal(vg_boxes_json(text, n, &what, &b->err), VG_OK);
    assert_int_equal(vg_boxes_labels(text, 20, &what, true, &b->err), VG_ERR_LIMIT);
    assert_int_equal(vg_boxes_labels(NULL, 20, &what, true, &b->err), VG_ERR_LIMIT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(any_format_is_copied_as_rgb_or_bgr),
        TEST(a_crop_is_the_boxs_pixels_of_every_format),
        TEST(a_png_comes_back_as_it_was),
        TEST(other_formats_are_encoded_as_their_rgb),
        TEST(what_cannot_be_read_or_written_is_told),
        TEST(buffers_settle),
        TEST(bgr_is_drawn_as_rgb_is),
        TEST(what_is_drawn_follows_the_options),
        TEST(only_the_picture_is_drawn_into),
        TEST(wrong_drawings_are_refused),
        TEST(rows_of_a_label_file),
        TEST(a_result_as_json),
        TEST(a_text_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
