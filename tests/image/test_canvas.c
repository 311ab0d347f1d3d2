/* test_canvas.c: frames and labels are where they belong, whatever the boxes and the names are. */
#include "support.h"

#include <math.h>

#include "image/label.h"

typedef struct bench {
    base_mem mem;
    image_canvas *canvas;
    image_buffer picture;
    vg_error err;
} bench;

enum { GREY = 90 };

/* Fontconfig finds its own blocks by offsets, which a leak checker does not follow: what it keeps
 * for the process looks lost (tests/valgrind.supp says the same). */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

static void blank(bench *b, int w, int h)
{
    assert_int_equal(image_buffer_reserve(&b->picture, w, h, &b->mem, &b->err), VG_OK);
    memset(b->picture.view.data, GREY, b->picture.view.stride * (size_t)h);
}

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test", .limit_bytes = SIZE_MAX}};
    assert_int_equal(image_canvas_create(&b.canvas, &b.mem, &b.err), VG_OK);
    blank(&b, 160, 120);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    image_canvas_destroy(&b->canvas);
    image_buffer_fini(&b->picture);
    assert_int_equal(b->mem.in_use_bytes, 0);
    return 0;
}

static vg_status draw(bench *b, const image_box *boxes, size_t n)
{
    return image_canvas_boxes(b->canvas, &b->picture.view, boxes, n, NULL, &b->mem, &b->err);
}

static bool is_color(const bench *b, int x, int y, image_color c)
{
    const uint8_t *p = b->picture.view.data + (size_t)y * b->picture.view.stride + 3 * (size_t)x;
    return p[0] == c.r && p[1] == c.g && p[2] == c.b;
}

static size_t count_changed(const bench *b)
{
    size_t n = 0;
    const image_view *v = &b->picture.view;
    for (int y = 0; y < v->h; y++)
        for (int x = 0; x < v->w; x++) {
            const uint8_t *p = v->data + (size_t)y * v->stride + 3 * (size_t)x;
            n += p[0] != GREY || p[1] != GREY || p[2] != GREY;
        }
    return n;
}

static void a_frame_runs_along_its_box_and_nowhere_else(void **state)
{
    bench *b = *state;
    image_box box = {.x1 = 40, .y1 = 30, .x2 = 120, .y2 = 90, .class_index = 3};
    image_color c = image_class_color(3), grey = {GREY, GREY, GREY};
    assert_int_equal(draw(b, &box, 1), VG_OK);
    /* Two pixels of line, one to each side of the box. */
    assert_true(is_color(b, 80, 29, c) && is_color(b, 80, 30, c));
    assert_true(is_color(b, 80, 28, grey) && is_color(b, 80, 31, grey));
    assert_true(is_color(b, 39, 60, c) && is_color(b, 40, 60, c) && is_color(b, 38, 60, grey));
    assert_true(is_color(b, 119, 60, c) && is_color(b, 120, 60, c) && is_color(b, 121, 60, grey));
    assert_true(is_color(b, 80, 89, c) && is_color(b, 80, 90, c) && is_color(b, 80, 91, grey));
    assert_in_range(count_changed(b), 2 * 2 * (80 + 60) - 20, 2 * 2 * (80 + 60) + 8);
}

static void a_frame_at_the_border_stays_whole(void **state)
{
    bench *b = *state;
    image_box box = {.x1 = 0, .y1 = 0, .x2 = 160, .y2 = 120};
    image_color c = image_class_color(0);
    assert_int_equal(draw(b, &box, 1), VG_OK);
    assert_true(is_color(b, 0, 60, c) && is_color(b, 1, 60, c));
    assert_true(is_color(b, 159, 60, c) && is_color(b, 158, 60, c));
    assert_true(is_color(b, 80, 0, c) && is_color(b, 80, 119, c) && is_color(b, 80, 118, c));
}

static void a_wider_line_is_as_wide_as_asked(void **state)
{
    bench *b = *state;
    image_box box = {.x1 = 40, .y1 = 30, .x2 = 120, .y2 = 90};
    image_draw_style style = {.line_width_px = 6};
    assert_int_equal(
        image_canvas_boxes(b->canvas, &b->picture.view, &box, 1, &style, &b->mem, &b->err), VG_OK);
    image_color c = image_class_color(0), grey = {GREY, GREY, GREY};
    for (int y = 27; y < 33; y++)
        assert_true(is_color(b, 80, y, c));
    assert_true(is_color(b, 80, 26, grey) && is_color(b, 80, 33, grey));
}

static void a_label_has_a_ground_of_the_class_and_letters_on_it(void **state)
{
    bench *b = *state;
    image_box box = {
        .x1 = 40, .y1 = 60, .x2 = 120, .y2 = 110, .class_index = 1, .label = "dog 0.87"};
    assert_int_equal(draw(b, &box, 1), VG_OK);
    size_t n_ground = 0, n_ink = 0;
    for (int y = 40; y < 58; y++)
        for (int x = 39; x < 130; x++) {
            n_ground += is_color(b, x, y, image_class_color(1));
            /* White on blue, or a mixture: Cairo's own font, without any other, is thin. */
            n_ink += b->picture.view.data[(size_t)y * b->picture.view.stride + 3 * (size_t)x] >
                     GREY + 30;
        }
    assert_in_range(n_ground, 200, 1400);
    assert_in_range(n_ink, 20, 600);
}

static void a_label_at_the_right_is_moved_in(void **state)
{
    bench *b = *state;
    image_box box = {.x1 = 140, .y1 = 60, .x2 = 158, .y2 = 110, .label = "a long name 0.87"};
    assert_int_equal(draw(b, &box, 1), VG_OK);
    image_color c = image_class_color(0), grey = {GREY, GREY, GREY};
    assert_true(is_color(b, 159, 52, c));
    assert_true(is_color(b, 100, 58, c)); /* below the letters' feet */
    for (int y = 0; y < 120; y++)
        for (int x = 0; x < 10; x++)
            assert_true(is_color(b, x, y, grey));
}

static void boxes_of_any_number_do_no_harm(void **state)
{
    bench *b = *state;
    static const float VALUES[] = {-1e30f, -5, 0, 0.4f, 80, 159.5f, 160, 1e9f, INFINITY, NAN};
    enum { N = sizeof(VALUES) / sizeof(VALUES[0]) };
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            for (size_t k = 0; k < N; k++) {
                image_box box = {VALUES[i],  VALUES[j], VALUES[k], VALUES[(i + j + k) % N],
                                 (int)i - 5, "x",       NULL};
                assert_int_equal(draw(b, &box, 1), VG_OK);
            }
}

static void a_box_outside_the_picture_draws_nothing(void **state)
{
    bench *b = *state;
    image_box boxes[] = {{.x1 = 200, .y1 = 10, .x2 = 220, .y2 = 20, .label = "far"},
                         {.x1 = 10, .y1 = -50, .x2 = 20, .y2 = -20, .label = "above"},
                         {.x1 = NAN, .y1 = 0, .x2 = 9, .y2 = 9, .label = "nowhere"}};
    assert_int_equal(draw(b, boxes, 3), VG_OK);
    assert_int_equal(count_changed(b), 0);
}

static void names_of_any_bytes_are_drawn(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"\xff\xfe broken \xc3",
                                        "\xed\xa0\x80 surrogate",
                                        "line\nbreak\ttab",
                                        "größe 0.5",
                                        "\xe7\x8c\xab",
                                        "\x01\x02",
                                        "    ",
                                        "\xf4\x90\x80\x80"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        image_box box = {.x1 = 40, .y1 = 60, .x2 = 120, .y2 = 110, .label = NAMES[i]};
        assert_int_equal(draw(b, &box, 1), VG_OK);
    }
}

static void pictures_of_any_size_can_be_drawn_on(void **state)
{
    bench *b = *state;
    char name[1000];
    memset(name, 'W', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    for (int w = 1; w < 80; w += 3)
        for (int h = 1; h < 40; h += 3) {
            blank(b, w, h);
            image_box box = {.x1 = 0, .y1 = 0, .x2 = (float)w, .y2 = (float)h, .label = name};
            assert_int_equal(draw(b, &box, 1), VG_OK);
        }
}

static void labels_are_shortened_between_characters(void **state)
{
    (void)state;
    char text[IMAGE_LABEL_BYTES] = "ab\xc3\xa4z";
    size_t n = image_label_shorten(text, strlen(text));
    assert_string_equal(text, "ab\xc3\xa4\xe2\x80\xa6");
    n = image_label_shorten(text, n);
    assert_string_equal(text, "ab\xe2\x80\xa6");
    n = image_label_shorten(text, n);
    assert_string_equal(text, "a\xe2\x80\xa6");
    assert_int_equal(image_label_shorten(text, n), 0);
}

static void twenty_colors_stay_apart(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        for (int k = 0; k < i; k++) {
            image_color a = image_class_color(i), c = image_class_color(k);
            assert_true(abs(a.r - c.r) + abs(a.g - c.g) + abs(a.b - c.b) >= 80);
        }
    image_color first = image_class_color(0), again = image_class_color(20),
                before = image_class_color(-20);
    assert_memory_equal(&first, &again, sizeof(first));
    assert_memory_equal(&first, &before, sizeof(first));
    image_color last = image_class_color(19), below = image_class_color(-1);
    assert_memory_equal(&last, &below, sizeof(last));
}

/* ---- labels among labels ---- */

static size_t count_color(const bench *b, image_color c)
{
    size_t n = 0;
    for (int y = 0; y < b->picture.view.h; y++)
        for (int x = 0; x < b->picture.view.w; x++)
            n += is_color(b, x, y, c);
    return n;
}

/* Pixels of each class's colour, when it is drawn alone. */
static size_t alone(bench *b, const image_box *box)
{
    blank(b, 400, 300);
    assert_int_equal(draw(b, box, 1), VG_OK);
    return count_color(b, image_class_color(box->class_index));
}

static void labels_of_neighbours_do_not_cover_each_other(void **state)
{
    bench *b = *state;
    /* Four frames whose labels would all stand at the same height, each into the next. */
    const image_box boxes[] = {{100, 100, 130, 200, 0, "bottle 0.50", NULL},
                               {135, 100, 165, 200, 3, "bottle 0.60", NULL},
                               {170, 100, 200, 200, 6, "bottle 0.70", NULL},
                               {205, 100, 235, 200, 9, "bottle 0.80", NULL}};
    size_t n[4];
    for (int i = 0; i < 4; i++)
        n[i] = alone(b, &boxes[i]);
    blank(b, 400, 300);
    assert_int_equal(draw(b, boxes, 4), VG_OK);
    /* Of no label is more hidden than where a frame of another crosses its own. */
    for (int i = 0; i < 4; i++)
        assert_true(count_color(b, image_class_color(boxes[i].class_index)) + 160 >= n[i]);
    const image_color last = image_class_color(9);
    assert_true(is_color(b, 215, 99 - 4, last) ||
                is_color(b, 210, 99 - 2, last)); /* on its frame */
}

static void labels_for_which_there_is_no_room_are_dropped_when_asked(void **state)
{
    bench *b = *state;
    image_box boxes[40];
    for (int i = 0; i < 40; i++) /* all in one place: the last frame hides the others */
        boxes[i] = (image_box){40, 40, 60, 60, 5, "bottle 0.50", NULL};
    boxes[0] = (image_box){40, 40, 60, 60, 2, "a bottle of milk 0.50", NULL};
    for (int drops = 0; drops < 2; drops++) {
        const image_draw_style style = {.line_width_px = 1, .drops_crowded_labels = drops == 1};
        blank(b, 160, 120);
        assert_int_equal(
            image_canvas_boxes(b->canvas, &b->picture.view, boxes, 40, &style, &b->mem, &b->err),
            VG_OK);
        assert_int_equal(count_color(b, image_class_color(2)) > 0, drops == 0);
        assert_true(count_color(b, image_class_color(5)) > 300);
    }
}

static void a_caption_stays_clear_of_labels_and_is_on_top(void **state)
{
    bench *b = *state;
    const image_box box = {100, 100, 180, 180, 0, "bottle 0.50", NULL};
    static const float XY[] = {100, 100, 300, 100, 300, 200, 100, 200};
    const size_t whole = alone(b, &box);
    blank(b, 400, 300);
    image_canvas_polygon(&b->picture.view, XY, 4, 4, NULL);
    assert_int_equal(draw(b, &box, 1), VG_OK);
    const size_t before = count_color(b, image_class_color(0));
    assert_int_equal(image_canvas_caption(b->canvas, &b->picture.view, XY, 4, 4, "door: 3 inside",
                                          NULL, &b->mem, &b->err),
                     VG_OK);
    assert_true(before + 4 >= whole);
    /* Beside the label: it hides a part of the frame at most. */
    assert_true(count_color(b, image_class_color(0)) + 160 >= before);
    assert_true(count_color(b, image_class_color(4)) > 1000);
}

static vg_status draw_polygon(bench *b, const float *xy, size_t n, const char *label)
{
    image_canvas_polygon(&b->picture.view, xy, n, 4, NULL);
    return image_canvas_caption(b->canvas, &b->picture.view, xy, n, 4, label, NULL, &b->mem,
                                &b->err);
}

static void a_polygon_is_drawn_along_its_edges_and_closed(void **state)
{
    bench *b = *state;
    static const float XY[] = {20, 20, 100, 20, 100, 100, 20, 60}; /* slant below */
    const image_color c = image_class_color(4), grey = {GREY, GREY, GREY};
    assert_int_equal(draw_polygon(b, XY, 4, NULL), VG_OK);
    for (int x = 20; x < 100; x++) { /* two pixels of line, one to each side of the edge */
        assert_true(is_color(b, x, 19, c) && is_color(b, x, 20, c));
        assert_true(is_color(b, x, 17, grey));
        if (x > 23 && x < 97)
            assert_true(is_color(b, x, 22, grey));
    }
    for (int y = 20; y < 60; y++) /* from the last corner back to the first */
        assert_true(is_color(b, 19, y, c) && is_color(b, 20, y, c) && is_color(b, 17, y, grey));
    for (int x = 24; x < 96; x += 4) { /* (20, 60) to (100, 100) */
        const int y = 60 + (x - 20) / 2;
        assert_true(is_color(b, x, y, c));
        assert_true(is_color(b, x, y - 4, grey) && is_color(b, x, y + 4, grey));
    }
    /* 80 + 40 + 80 + 89.4 pixels of edge, two wide */
    assert_in_range(count_changed(b), 2 * 289, 3 * 289 + 60);
}

static void a_polygon_has_its_label_at_its_top(void **state)
{
    bench *b = *state;
    static const float XY[] = {20, 90, 60, 60, 100, 90};
    size_t n_ground = 0;
    assert_int_equal(draw_polygon(b, XY, 3, "door: 2"), VG_OK);
    for (int y = 40; y < 59; y++)
        for (int x = 60; x < 120; x++)
            n_ground += is_color(b, x, y, image_class_color(4));
    assert_in_range(n_ground, 100, 1200);
}

static void polygons_of_any_numbers_do_no_harm(void **state)
{
    bench *b = *state;
    static const float VALUES[] = {-1e30f, -5, 0, 80, 159.5f, 160, 1e9f, INFINITY, NAN};
    enum { N = sizeof(VALUES) / sizeof(VALUES[0]) };
    assert_int_equal(draw_polygon(b, NULL, 0, "nothing"), VG_OK);
    assert_int_equal(count_changed(b), 0);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            for (size_t k = 0; k < N; k++) {
                const float xy[] = {VALUES[i], VALUES[j], VALUES[k], VALUES[(i + k) % N], 40, 40};
                for (size_t n = 1; n <= 3; n++)
                    assert_int_equal(draw_polygon(b, xy, n, "x"), VG_OK);
            }
    blank(b, 160, 120);
    const float broken[] = {10, 10, NAN, 10, 50, 50};
    assert_int_equal(draw_polygon(b, broken, 3, "x"), VG_OK);
    assert_int_equal(count_changed(b), 0);
    const float around[] = {-50, -50, 250, -50, 250, 250, -50, 250};
    assert_int_equal(draw_polygon(b, around, 4, NULL), VG_OK);
    assert_int_equal(count_changed(b), 0);
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    bench *b = *state;
    image_box box = {.x1 = 40, .y1 = 60, .x2 = 120, .y2 = 110, .label = "dog 0.87"};
    size_t before = b->mem.in_use_bytes;
    for (int64_t k = 1;; k++) {
        image_canvas *c;
        b->mem.fail_in = k;
        vg_status st = image_canvas_create(&c, &b->mem, &b->err);
        if (st == VG_OK)
            st = image_canvas_boxes(c, &b->picture.view, &box, 1, NULL, &b->mem, &b->err);
        bool was_reached = b->mem.fail_in == 0;
        b->mem.fail_in = 0;
        if (was_reached && c != NULL) /* and it still works afterwards */
            assert_int_equal(
                image_canvas_boxes(c, &b->picture.view, &box, 1, NULL, &b->mem, &b->err), VG_OK);
        image_canvas_destroy(&c);
        assert_int_equal(b->mem.in_use_bytes, before);
        assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
        if (!was_reached) {
            assert_true(k >= 3);
            break;
        }
    }
}

static void a_steady_stream_allocates_nothing(void **state)
{
    bench *b = *state;
    image_box box = {.x1 = 40, .y1 = 60, .x2 = 120, .y2 = 110, .label = "dog 0.87"};
    assert_int_equal(draw(b, &box, 1), VG_OK);
    uint64_t n_allocs = b->mem.n_allocs;
    for (int i = 0; i < 100; i++)
        assert_int_equal(draw(b, &box, 1), VG_OK);
    assert_int_equal(b->mem.n_allocs, n_allocs);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_frame_runs_along_its_box_and_nowhere_else),
        TEST(a_frame_at_the_border_stays_whole),
        TEST(a_wider_line_is_as_wide_as_asked),
        TEST(a_label_has_a_ground_of_the_class_and_letters_on_it),
        TEST(a_label_at_the_right_is_moved_in),
        TEST(boxes_of_any_number_do_no_harm),
        TEST(a_box_outside_the_picture_draws_nothing),
        TEST(names_of_any_bytes_are_drawn),
        TEST(pictures_of_any_size_can_be_drawn_on),
        TEST(labels_are_shortened_between_characters),
        TEST(twenty_colors_stay_apart),
        TEST(labels_of_neighbours_do_not_cover_each_other),
        TEST(labels_for_which_there_is_no_room_are_dropped_when_asked),
        TEST(a_caption_stays_clear_of_labels_and_is_on_top),
        TEST(a_polygon_is_drawn_along_its_edges_and_closed),
        TEST(a_polygon_has_its_label_at_its_top),
        TEST(polygons_of_any_numbers_do_no_harm),
        TEST(every_failed_allocation_is_an_error_and_no_leak),
        TEST(a_steady_stream_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
