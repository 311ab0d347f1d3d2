/* test_painter.c: which of several boxes is seen where they lie on each other. */
#include "stream/bed.h"

static stream_painter *p;
static image_view drawn;

static void draw(bed *b, size_t n)
{
    b->r.n_boxes = n;
    if (b->source == NULL)
        bed_next(b);
    OK(stream_painter_drawn(p, &drawn, &b->s, &b->r, err));
}

static bool has_color(int x, int y, int class_index)
{
    const uint8_t *at = drawn.data + (y * BED_W + x) * 3;
    const image_color c = image_class_color(class_index);
    return at[0] == c.r && at[1] == c.g && at[2] == c.b;
}

/* Of boxes that are equal but for class and score: the first is the best. */
static void set_boxes(bed *b)
{
    for (int i = 0; i < BED_BOXES; i++)
        b->boxes[i] = (vg_detection){.x1 = 20,
                                     .y1 = 60,
                                     .x2 = 120,
                                     .y2 = 110,
                                     .confidence = 0.9F - 0.2F * (float)i,
                                     .class_index = i};
}

static void the_best_box_is_on_top(void **state)
{
    bed *b = *state;
    set_boxes(b);
    b->o.hide_labels = true;
    OK(stream_painter_create(&p, &b->s, &b->mem, err));
    draw(b, 3);
    for (int x = 22; x < 118; x++)
        assert_true(has_color(x, 60, 0));
    b->boxes[0].class_index = 2;
    b->boxes[2].class_index = 0;
    draw(b, 3);
    for (int y = 62; y < 108; y++)
        assert_true(has_color(20, y, 2));
    stream_painter_destroy(&p);
}

/* Labels are above all frames, and the best one's is above the others'. Its plate is seen at the
 * corner, where no letter is. */
static void the_best_label_is_on_top(void **state)
{
    bed *b = *state;
    set_boxes(b);
    OK(stream_painter_create(&p, &b->s, &b->mem, err));
    for (int best = 0; best < BED_BOXES; best++) {
        b->boxes[0].class_index = best;
        b->boxes[1].class_index = b->boxes[2].class_index = (best + 1) % BED_BOXES;
        draw(b, 3);
        assert_true(has_color(21, 57, best));
    }
    stream_painter_destroy(&p);
}

/* There is room for max_det boxes: the weakest are left out, not the best. */
static void boxes_without_room_are_the_weakest(void **state)
{
    bed *b = *state;
    set_boxes(b);
    b->o.hide_labels = true;
    b->o.max_det = 2;
    b->boxes[0].x1 = 40;
    b->boxes[1].x1 = 60;
    OK(stream_painter_create(&p, &b->s, &b->mem, err));
    draw(b, 3);
    assert_true(has_color(40, 90, 0));
    assert_true(has_color(60, 90, 1));
    assert_false(has_color(20, 90, 2));
    stream_painter_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {BED_TEST(the_best_box_is_on_top),
                                       BED_TEST(the_best_label_is_on_top),
                                       BED_TEST(boxes_without_room_are_the_weakest)};
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}
