/* support.h: pictures of tests/fixtures/image, and the one they all show. Whatever goes wrong here
 * fails the test. */
#ifndef TESTS_IMAGE_SUPPORT_H
#define TESTS_IMAGE_SUPPORT_H

#include "support/test.h"

#include "image/image.h"

enum { FIXTURE_W = 32, FIXTURE_H = 24 };

/* Reads tests/fixtures/image/NAME into memory of the exact size, so that tools see any read past
 * its end. */
static inline uint8_t *fixture_read(size_t *n, const char *name, base_mem *mem)
{
    char path[512];
    base_map map;
    vg_error err;
    assert_true(base_format(path, sizeof(path), "%s/image/%s", TEST_FIXTURES_DIR, name));
    if (base_map_open(&map, path, &err) != VG_OK)
        fail_msg("%s: %s", path, err.what);
    uint8_t *bytes = base_alloc(mem, map.n_bytes, &err);
    assert_non_null(bytes);
    memcpy(bytes, map.bytes, map.n_bytes);
    *n = map.n_bytes;
    base_map_close(&map);
    return bytes;
}

/* The colour of the fixture at x, y. */
static inline const uint8_t *fixture_color(int x, int y)
{
    static const uint8_t QUARTERS[2][2][3] = {{{200, 30, 40}, {40, 180, 60}},
                                              {{50, 60, 210}, {220, 200, 80}}};
    return QUARTERS[y >= FIXTURE_H / 2][x >= FIXTURE_W / 2];
}

static inline uint8_t luma(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 32768) >> 16);
}

/* Every pixel within `tolerance` of the fixture, or of its grey; pixels beside a border of colours
 * may be off when the format mixes chroma (borders > 0: so many columns and rows on each side of
 * it). */
static inline void assert_shows_fixture(const image_view *v, const char *name, bool grey,
                                        int tolerance, int borders)
{
    assert_int_equal(v->w, FIXTURE_W);
    assert_int_equal(v->h, FIXTURE_H);
    for (int y = 0; y < v->h; y++)
        for (int x = 0; x < v->w; x++) {
            if (abs(2 * x + 1 - v->w) < 2 * borders || abs(2 * y + 1 - v->h) < 2 * borders)
                continue;
            const uint8_t *is = v->data + (size_t)y * v->stride + 3 * (size_t)x,
                          *want = fixture_color(x, y);
            for (int c = 0; c < 3; c++) {
                int target = grey ? luma(want) : want[c];
                if (abs(is[c] - target) > tolerance)
                    fail_msg("%s at %d,%d channel %d: %d instead of %d", name, x, y, c, is[c],
                             target);
            }
        }
}

#endif
