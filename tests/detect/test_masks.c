/* test_masks.c: masks in windows against whole pictures of floats; outlines of drawn parts. */
#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "support/random.h"

enum { N = 6, COEFFICIENTS = 11, PH = 20, PW = 28, IN_H = 80, IN_W = 112 };

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};
static float proto[PH * PW * (COEFFICIENTS + 2)], coefficients[N * COEFFICIENTS];
static detect_level level;
static const uint32_t cells[N] = {3, 0, 5, 1, 2, 4};

static detect_mask_source source_make(uint64_t seed, int orig_h, int orig_w)
{
    test_random r = {seed};
    for (size_t i = 0; i < sizeof proto / sizeof *proto; i++)
        proto[i] = random_float(&r, -1, 1);
    for (size_t i = 0; i < sizeof coefficients / sizeof *coefficients; i++)
        coefficients[i] = random_float(&r, -1, 1);
    level = (detect_level){.extra = coefficients,
                           .extra_pitch = COEFFICIENTS,
                           .n_extra = COEFFICIENTS,
                           .h = 2,
                           .w = N / 2,
                           .stride = 8};
    return (detect_mask_source){.proto = proto,
                                .pitch = COEFFICIENTS + 2,
                                .h = PH,
                                .w = PW,
                                .n = COEFFICIENTS,
                                .in_h = IN_H,
                                .in_w = IN_W,
                                .orig_h = orig_h,
                                .orig_w = orig_w,
                                .levels = &level,
                                .n_levels = 1};
}

/* T 2.1 as it is written, for the input's grid: cut, then grown by 4. */
static bool plain_pixel(const detect_mask_source *s, const vg_detection *b, uint32_t cell, int x,
                        int y)
{
    double sum = 0;
    for (int k = 0; k < 4; k++) {
        const double sx = fmax((x + 0.5) / 4 - 0.5, 0), sy = fmax((y + 0.5) / 4 - 0.5, 0);
        int col = (int)sx, row = (int)sy;
        const double fx = sx - col, fy = sy - row;
        const double weight = (k & 1 ? fx : 1 - fx) * (k & 2 ? fy : 1 - fy);
        col = (k & 1) && col + 1 < s->w ? col + 1 : col;
        row = (k & 2) && row + 1 < s->h ? row + 1 : row;
        if (!((float)col >= b->x1 / 4 && (float)col < b->x2 / 4 && (float)row >= b->y1 / 4 &&
              (float)row < b->y2 / 4))
            continue;
        double logit = 0;
        for (int c = 0; c < s->n; c++)
            logit += (double)coefficients[cell * COEFFICIENTS + (uint32_t)c] *
                     proto[(size_t)(row * s->w + col) * s->pitch + (size_t)c];
        sum += weight * logit;
    }
    return sum > 0;
}

static void windows_hold_what_whole_pictures_would(void **state)
{
    (void)state;
    const detect_mask_source s = source_make(7, IN_H, IN_W);
    const vg_detection boxes[N] = {
        {3.2f, 5.7f, 60.1f, 44.4f, 1, 0}, {-20, -9, 30, 25, 1, 0},      {90, 60, 300, 200, 1, 0},
        {0, 0, IN_W, IN_H, 1, 0},         {40, 40, 40.5f, 40.5f, 1, 0}, {16, 16, 64, 48, 1, 0},
    };
    detect_masks *m;
    detect_masker *k;
    assert_int_equal(detect_masks_create(&m, N, IN_H, IN_W, &mem, NULL), VG_OK);
    assert_int_equal(detect_masker_create(&k, IN_H, IN_W, &mem, NULL), VG_OK);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(detect_masks_make(m, k, &s, DETECT_GRID_INPUT, boxes, cells, N, again > 0),
                         0);
        int n_wrong = 0, n_on = 0;
        for (int i = 0; i < N; i++)
            for (int y = 0; y < IN_H; y++)
                for (int x = 0; x < IN_W; x++) {
                    const bool want = plain_pixel(&s, &boxes[i], cells[i], x, y);
                    n_on += want;
                    n_wrong += detect_mask_has(&detect_masks_at(m)[i], x, y) != want;
                }
        assert_true(n_on > 1000);
        assert_int_equal(n_wrong, 0);
    }
    detect_masks_destroy(&m);
    detect_masker_destroy(&k);
}

static void boxes_without_a_pixel_have_no_mask(void **state)
{
    (void)state;
    const detect_mask_source s = source_make(9, 50, 70);
    const vg_detection boxes[N] = {
        {200, 5, 300, 44, 1, 0}, {30, 30, 20, 20, 1, 0},     {NAN, 0, 50, 50, 1, 0},
        {0, -50, 50, -10, 1, 0}, {0, 0, 50, INFINITY, 1, 0}, {5, 5, NAN, NAN, 1, 0},
    };
    detect_masks *m;
    detect_masker *k;
    assert_int_equal(detect_masks_create(&m, N, IN_H, IN_W, &mem, NULL), VG_OK);
    assert_int_equal(detect_masker_create(&k, IN_H, IN_W, &mem, NULL), VG_OK);
    for (int grid = 0; grid < 2; grid++) {
        detect_masks_make(m, k, &s, (detect_mask_grid)grid, boxes, cells, N, true);
        for (int i = 0; i < N; i++) {
            if (i == 4 || i == 2) /* as far as it is one */
                continue;
            assert_int_equal(detect_masks_at(m)[i].width, 0);
            assert_int_equal(detect_masks_at(m)[i].height, 0);
            assert_null(detect_masks_at(m)[i].bits);
            assert_int_equal(detect_masks_at(m)[i].n_points, 0);
        }
    }
    detect_masks_destroy(&m);
    detect_masker_destroy(&k);
}

static void rooms_are_as_large_as_they_say(void **state)
{
    (void)state;
    detect_masks *m = NULL;
    detect_masker *k = NULL;
    const size_t before = mem.in_use_bytes;
    assert_int_equal(detect_masks_create(&m, 300, 640, 633, &mem, NULL), VG_OK);
    assert_in_range(mem.in_use_bytes - before, detect_masks_bytes(300, 640, 633),
                    detect_masks_bytes(300, 640, 633) + 256);
    const detect_masks *same = m;
    assert_int_equal(detect_masks_reserve(&m, 300, 600, 600, &mem, NULL), VG_OK);
    assert_ptr_equal(m, same);
    assert_int_equal(detect_masks_reserve(&m, 300, 641, 600, &mem, NULL), VG_OK);
    detect_masks_destroy(&m);
    assert_int_equal(detect_masker_reserve(&k, 10, 20, &mem, NULL), VG_OK);
    assert_int_equal(detect_masker_reserve(&k, 20, 10, &mem, NULL), VG_OK);
    detect_masker_destroy(&k);
    assert_int_equal(mem.in_use_bytes, before);
    assert_int_equal(detect_masks_create(&m, 1, 0, 5, &mem, NULL), VG_ERR_ARGUMENT);
    assert_null(m);
    assert_int_equal(detect_masks_create(&m, SIZE_MAX / 2, 640, 640, &mem, NULL), VG_ERR_LIMIT);
    assert_null(m);
}

/* ---- outlines ---- */

enum { MOST = 400 };

typedef struct drawing {
    uint8_t bits[64], marks[128];
    vg_mask mask;
    float xy[2 * MOST];
    bool is_thinned;
    size_t n;
} drawing;

/* Rows of '.' and '#', up to 16 wide. */
static void outline_of(drawing *d, const char *const *rows, int h, size_t most)
{
    const int w = (int)strlen(rows[0]);
    memset(d, 0, sizeof *d);
    d->mask = (vg_mask){.x = 100,
                        .y = 200,
                        .width = w,
                        .height = h,
                        .bits = d->bits,
                        .row_bytes = ((size_t)w + 7) / 8};
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            if (rows[y][x] == '#')
                d->bits[(size_t)y * d->mask.row_bytes + (size_t)x / 8] |=
                    (uint8_t)(0x80 >> (x & 7));
    d->n = detect_mask_outline(d->xy, most, &d->is_thinned, &d->mask, d->marks);
}

static void assert_points(const drawing *d, const int *want, size_t n)
{
    assert_int_equal(d->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal((int)d->xy[2 * i] - 100, want[2 * i]);
        assert_int_equal((int)d->xy[2 * i + 1] - 200, want[2 * i + 1]);
    }
}

static void a_block_has_its_four_corners(void **state)
{
    (void)state;
    drawing d;
    outline_of(&d, (const char *const[]){".....", ".###.", ".###.", ".###."}, 4, MOST);
    assert_points(&d, (const int[]){1, 1, 1, 3, 3, 3, 3, 1}, 4);
    outline_of(&d, (const char *const[]){"....", "..#."}, 2, MOST);
    assert_points(&d, (const int[]){2, 1}, 1);
    outline_of(&d, (const char *const[]){"....", "...."}, 2, MOST);
    assert_int_equal(d.n, 0);
    outline_of(&d, (const char *const[]){"################", "################"}, 2, MOST);
    assert_points(&d, (const int[]){0, 0, 0, 1, 15, 1, 15, 0}, 4);
}

static void the_part_of_most_points_is_taken(void **state)
{
    (void)state;
    drawing d;
    /* An angle has more corners than the larger block; of two equal blocks the last one counts. */
    static const char *const angle[] = {"#...########", "#...########", "###.########"};
    outline_of(&d, angle, 3, MOST);
    assert_true(d.n > 4);
    assert_int_equal((int)d.xy[0] - 100, 0);
    outline_of(&d, (const char *const[]){"##..##", "##..##"}, 2, MOST);
    assert_points(&d, (const int[]){4, 0, 4, 1, 5, 1, 5, 0}, 4);
}

static void what_lies_in_a_hole_is_no_part(void **state)
{
    (void)state;
    drawing d;
    outline_of(&d,
               (const char *const[]){"############", "#..........#", "#...#..#...#", "#....##....#",
                                     "#...#..#...#", "#..........#", "############"},
               7, MOST);
    assert_points(&d, (const int[]){0, 0, 0, 6, 11, 6, 11, 0}, 4);
    /* Behind the ring one is outside again. */
    outline_of(&d,
               (const char *const[]){"#####......", "#...#...#..", "#...#..###.", "#####...#.."}, 4,
               MOST);
    assert_int_equal((int)d.xy[0] - 100, 8);
}

static void too_long_an_outline_is_thinned_out(void **state)
{
    (void)state;
    drawing d;
    static const char *const comb[] = {"#.#.#.#.#.#.#.#.", "################"};
    outline_of(&d, comb, 2, MOST);
    assert_false(d.is_thinned);
    const size_t all = d.n;
    assert_true(all > 12);
    outline_of(&d, comb, 2, all);
    assert_false(d.is_thinned);
    assert_int_equal(d.n, all);
    outline_of(&d, comb, 2, 5);
    assert_true(d.is_thinned);
    assert_in_range(d.n, 3, 5);
    outline_of(&d, comb, 2, 0);
    assert_true(d.is_thinned);
    assert_int_equal(d.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_hold_what_whole_pictures_would),
        cmocka_unit_test(boxes_without_a_pixel_have_no_mask),
        cmocka_unit_test(rooms_are_as_large_as_they_say),
        cmocka_unit_test(a_block_has_its_four_corners),
        cmocka_unit_test(the_part_of_most_points_is_taken),
        cmocka_unit_test(what_lies_in_a_hole_is_no_part),
        cmocka_unit_test(too_long_an_outline_is_thinned_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
