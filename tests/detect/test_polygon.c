/* test_polygon.c: points and boxes in convex, concave and slant polygons, against counting. */
#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "support/random.h"

static const float SQUARE[] = {10, 10, 50, 10, 50, 50, 10, 50};
/* An L: the upper right quarter is missing. */
static const float ELL[] = {0, 0, 20, 0, 20, 20, 40, 20, 40, 40, 0, 40};
/* A comb of two teeth upwards, the other way round. */
static const float COMB[] = {0, 30, 50, 30, 50, 0, 40, 0, 40, 20, 10, 20, 10, 0, 0, 0};

/* Without sign. */
static double area(const float *xy, size_t n)
{
    double sum = 0;
    for (size_t i = 0, j = n - 1; i < n; j = i++)
        sum += (double)xy[2 * j] * xy[2 * i + 1] - (double)xy[2 * i] * xy[2 * j + 1];
    return fabs(sum) / 2;
}

static void points_are_in_or_out(void **state)
{
    (void)state;
    static const struct {
        const float *xy;
        size_t n;
        double x, y;
        bool is_in;
    } cases[] = {
        {SQUARE, 4, 30, 30, true},   {SQUARE, 4, 9.9, 30, false},      {SQUARE, 4, 30, 50.1, false},
        {SQUARE, 4, 10, 30, true},   {SQUARE, 4, 50, 30, true}, /* the border is inside */
        {SQUARE, 4, 30, 10, true},   {SQUARE, 4, 30, 50, true},        {SQUARE, 4, 50, 50, true},
        {SQUARE, 4, 60, 10, false}, /* on the line of an edge, but not on it */
        {SQUARE, 4, 60, 50, false},  {SQUARE, 4, 0, 50, false},        {ELL, 6, 10, 10, true},
        {ELL, 6, 30, 10, false},     {ELL, 6, 30, 30, true},           {ELL, 6, 20.5, 19.5, false},
        {ELL, 6, 10, 20, true}, /* level with the inner corner */
        {ELL, 6, -1, 20, false},     {ELL, 6, 41, 20, false},          {COMB, 8, 5, 5, true},
        {COMB, 8, 45, 5, true},      {COMB, 8, 25, 5, false},          {COMB, 8, 25, 25, true},
        {SQUARE, 4, NAN, 30, false}, {SQUARE, 4, 30, INFINITY, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (detect_polygon_holds(cases[i].xy, cases[i].n, cases[i].x, cases[i].y) != cases[i].is_in)
            fail_msg("case %zu", i);
}

static void shares_of_boxes_are_known(void **state)
{
    (void)state;
    static const struct {
        const float *xy;
        size_t n;
        vg_detection box;
        double share;
    } cases[] = {
        {SQUARE, 4, {20, 20, 30, 30, 0, 0}, 1},    {SQUARE, 4, {60, 60, 70, 70, 0, 0}, 0},
        {SQUARE, 4, {0, 20, 20, 30, 0, 0}, 0.5},   {SQUARE, 4, {0, 0, 20, 20, 0, 0}, 0.25},
        {SQUARE, 4, {0, 0, 100, 100, 0, 0}, 0.16}, {ELL, 6, {0, 0, 40, 40, 0, 0}, 0.75},
        {ELL, 6, {10, 10, 30, 30, 0, 0}, 0.75},    {ELL, 6, {21, 1, 39, 19, 0, 0}, 0},
        {COMB, 8, {0, 0, 50, 20, 0, 0}, 0.4},      {SQUARE, 4, {20, 20, 20, 30, 0, 0}, 0},
        {SQUARE, 4, {30, 30, 20, 20, 0, 0}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double share = detect_polygon_share(cases[i].xy, cases[i].n, &cases[i].box);
        if (fabs(share - cases[i].share) > 1e-9)
            fail_msg("case %zu: %g, not %g", i, share, cases[i].share);
    }
}

/* A star around a middle is simple whatever its radii are. */
static size_t draw_star(float *xy, test_random *r)
{
    const size_t n = 3 + random_u64(r) % 10;
    for (size_t i = 0; i < n; i++) {
        const float a = 6.2831853f * (float)i / (float)n, radius = random_float(r, 5, 50);
        xy[2 * i] = 50 + radius * cosf(a);
        xy[2 * i + 1] = 50 + radius * sinf(a);
    }
    return n;
}

static void shares_and_areas_are_what_counting_points_gives(void **state)
{
    (void)state;
    enum { GRID = 200 };
    test_random r = {.state = 3};
    for (int trial = 0; trial < 40; trial++) {
        float xy[32];
        const size_t n = draw_star(xy, &r);
        const float x = random_float(&r, 0, 80), y = random_float(&r, 0, 80);
        const vg_detection box = {x, y, x + random_float(&r, 5, 90), y + random_float(&r, 5, 90),
                                  0, 0};
        const vg_detection all = {0, 0, 100, 100, 0, 0};
        int inside = 0;
        for (int i = 0; i < GRID; i++)
            for (int j = 0; j < GRID; j++)
                inside += detect_polygon_holds(
                    xy, n, (double)box.x1 + ((double)box.x2 - (double)box.x1) * (i + 0.5) / GRID,
                    (double)box.y1 + ((double)box.y2 - (double)box.y1) * (j + 0.5) / GRID);
        assert_true(fabs(detect_polygon_share(xy, n, &box) - inside / (double)(GRID * GRID)) <
                    0.01);
        assert_true(fabs(detect_polygon_share(xy, n, &all) * 1e4 - area(xy, n)) < 0.01);
        size_t a, b;
        assert_true(detect_polygon_is_simple(xy, n, &a, &b));
    }
}

/* Any bits, polygons in both directions, concave ones too, windows of any width, at any place. */
static void shares_of_masks_are_what_counting_pixels_gives(void **state)
{
    (void)state;
    static const struct {
        const float *xy;
        size_t n;
    } polygons[] = {{SQUARE, 4}, {ELL, 6}, {COMB, 8}};
    test_random dice = {5};
    for (int round = 0; round < 300; round++) {
        uint8_t bits[40 * 5];
        const int w = 1 + round % 40, h = 1 + round % 23;
        for (size_t i = 0; i < sizeof bits; i++)
            bits[i] = (uint8_t)random_u64(&dice);
        const vg_mask m = {.grid_width = 90,
                           .grid_height = 80,
                           .x = (int)(random_u64(&dice) % 50),
                           .y = (int)(random_u64(&dice) % 50),
                           .width = w,
                           .height = h,
                           .bits = bits,
                           .row_bytes = 5};
        /* Odd, so that no pixel's middle is on an edge. */
        const detect_polygon_place at = {3.03, 1.07, 0.913, 1.117};
        const size_t which = (size_t)round % 3;
        int n = 0, all = 0;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const bool is_set = bits[y * 5 + x / 8] >> (7 - x % 8) & 1;
                all += is_set;
                n += is_set && detect_polygon_holds(polygons[which].xy, polygons[which].n,
                                                    (m.x + x + 0.5 - at.left) / at.step_x,
                                                    (m.y + y + 0.5 - at.top) / at.step_y);
            }
        const double share =
            detect_polygon_mask_share(polygons[which].xy, polygons[which].n, &at, &m);
        assert_true(fabs(share - (all > 0 ? (double)n / all : 0)) < 1e-12);
    }
}

static void polygons_that_cross_themselves_are_found(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        float xy[12];
        size_t a, b;
    } cases[] = {
        {4, {0, 0, 10, 10, 10, 0, 0, 10}, 0, 2},        /* a bow */
        {4, {0, 0, 10, 0, 5, 0, 5, 10}, 0, 1},          /* goes back on itself */
        {4, {0, 0, 10, 0, 10, 0, 5, 10}, 0, 1},         /* a corner twice */
        {3, {0, 0, 10, 0, 20, 0}, 0, 2},                /* a line */
        {5, {0, 0, 20, 0, 20, 20, 10, 0, 0, 20}, 0, 2}, /* touches */
        {6, {0, 0, 20, 0, 20, 20, 10, -5, 5, 20, 0, 20}, 0, 2},
    };
    size_t a, b;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (detect_polygon_is_simple(cases[i].xy, cases[i].n, &a, &b) || a != cases[i].a ||
            b != cases[i].b)
            fail_msg("case %zu: edges %zu and %zu", i, a, b);
    }
    assert_true(detect_polygon_is_simple(SQUARE, 4, &a, &b));
    assert_true(detect_polygon_is_simple(ELL, 6, &a, &b));
    assert_true(detect_polygon_is_simple(COMB, 8, &a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_in_or_out), cmocka_unit_test(shares_of_boxes_are_known),
        cmocka_unit_test(shares_and_areas_are_what_counting_points_gives),
        cmocka_unit_test(shares_of_masks_are_what_counting_pixels_gives),
        cmocka_unit_test(polygons_that_cross_themselves_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
