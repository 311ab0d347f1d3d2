/* An item's outline: filled by the even-odd rule it is the item's pixels, whatever its shape. */
#include "support/test.h"

#include <string.h>

#include "demo/outline.h"
#include "polygon.h"

enum { W = 40, H = 30 }; /* of the picture: the canvas is DEMO_FINE as large */

static base_mem mem = {.tag = "test"};

typedef struct plate {
    demo_canvas canvas;
    demo_outline outline;
} plate;

static plate *plate_make(void)
{
    static plate p;
    vg_error err;
    memset(&p, 0, sizeof p);
    assert_int_equal(demo_canvas_begin(&p.canvas, W, H, &mem, &err), VG_OK);
    return &p;
}

static void plate_end(plate *p)
{
    demo_outline_fini(&p->outline);
    demo_canvas_fini(&p->canvas);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void fill(plate *p, int item, int x1, int y1, int x2, int y2)
{
    for (int y = y1; y < y2; y++)
        memset(p->canvas.items + y * W * DEMO_FINE + x1, item, (size_t)(x2 - x1));
}

static void trace(plate *p, int item, float tolerance_px, float least_area)
{
    vg_error err;
    demo_canvas_measure(&p->canvas);
    assert_int_equal(
        demo_outline_trace(&p->outline, &p->canvas, item, tolerance_px, least_area, &mem, &err),
        VG_OK);
    assert_true(p->outline.n_points <= DEMO_OUTLINE_POINTS);
}

/* Pixels at which the filled outline and the item differ. */
static int n_differing(const plate *p, int item)
{
    int n = 0;
    for (int y = 0; y < H * DEMO_FINE; y++)
        for (int x = 0; x < W * DEMO_FINE; x++)
            n += polygon_holds(p->outline.points, p->outline.n_points, (float)x + 0.5f,
                               (float)y + 0.5f) != (demo_item_at(&p->canvas, x, y) == item);
    return n;
}

static void a_rectangle_has_four_corners(void **state)
{
    (void)state;
    plate *p = plate_make();
    fill(p, 3, 10, 5, 30, 25);
    trace(p, 3, 0.5f, 1);
    assert_int_equal(p->outline.n_points, 4);
    assert_int_equal(n_differing(p, 3), 0);
    plate_end(p);
}

static void parts_and_holes_are_one_polygon(void **state)
{
    (void)state;
    plate *p = plate_make();
    fill(p, 7, 4, 4, 40, 40);   /* at the border of nothing */
    fill(p, 0, 10, 10, 20, 20); /* a hole */
    fill(p, 7, 13, 13, 16, 16); /* an island in it */
    fill(p, 2, 24, 4, 28, 40);  /* a post in front: two parts */
    fill(p, 7, 60, 50, 80, 60); /* a third one, in the corner of the picture */
    trace(p, 7, 0, 1);
    assert_int_equal(n_differing(p, 7), 0);
    plate_end(p);
}

static void a_round_thing_is_within_the_tolerance(void **state)
{
    (void)state;
    plate *p = plate_make();
    int n = 0;
    for (int y = 0; y < 50; y++)
        for (int x = 0; x < 50; x++)
            if ((x - 25) * (x - 25) + (y - 25) * (y - 25) < 23 * 23) {
                p->canvas.items[y * W * DEMO_FINE + x] = 1;
                n++;
            }
    trace(p, 1, 1, 1);
    assert_true(p->outline.n_points >= 8 && p->outline.n_points < 40);
    assert_true(n_differing(p, 1) < n / 25);
    plate_end(p);
}

static void what_is_too_small_is_left_out(void **state)
{
    (void)state;
    plate *p = plate_make();
    fill(p, 1, 10, 10, 30, 30);
    fill(p, 1, 50, 10, 53, 13);
    trace(p, 1, 0, 10);
    assert_int_equal(n_differing(p, 1), 9);
    fill(p, 1, 10, 10, 30, 30);
    trace(p, 1, 0, 1000);
    assert_int_equal(p->outline.n_points, 0);
    trace(p, 9, 0, 1); /* nobody */
    assert_int_equal(p->outline.n_points, 0);
    plate_end(p);
}

/* A board of single pixels has more borders and more corners than a polygon may have. */
static void a_polygon_is_bounded(void **state)
{
    (void)state;
    plate *p = plate_make();
    fill(p, 1, 0, 0, W * DEMO_FINE, H * DEMO_FINE);
    for (int y = 1; y < H * DEMO_FINE - 1; y += 2)
        for (int x = 1; x < W * DEMO_FINE - 1; x += 2)
            p->canvas.items[y * W * DEMO_FINE + x] = 0;
    trace(p, 1, 0, 0);
    assert_true(p->outline.n_points >= 4);
    for (int y = 0; y < H * DEMO_FINE; y++) /* a comb: one border of very many corners */
        for (int x = 1; x < W * DEMO_FINE; x++)
            p->canvas.items[y * W * DEMO_FINE + x] = y % 2 == 0;
    trace(p, 1, 0, 0);
    assert_true(p->outline.n_points >= 4);
    plate_end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rectangle_has_four_corners),
        cmocka_unit_test(parts_and_holes_are_one_polygon),
        cmocka_unit_test(a_round_thing_is_within_the_tolerance),
        cmocka_unit_test(what_is_too_small_is_left_out),
        cmocka_unit_test(a_polygon_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
