/* test_rle.c: run lengths of masks against what pycocotools (2.0) writes of the same pixels, and
 * against a whole picture that is resized and looked at pixel by pixel. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "detect/rle.h"
#include "support/random.h"

static char text[1 << 16];
static size_t n_text;

static vg_status take(void *to, const char *piece, vg_error *err)
{
    (void)to;
    (void)err;
    const size_t n = strlen(piece);
    assert_true(n > 0 && n_text + n < sizeof text);
    memcpy(text + n_text, piece, n + 1);
    n_text += n;
    return VG_OK;
}

static const char *text_of(const vg_mask *m, const detect_rle_frame *f)
{
    vg_error err;
    n_text = 0;
    text[0] = '\0';
    assert_int_equal(detect_rle_write(m, f, take, NULL, &err), VG_OK);
    return text;
}

static void set(uint8_t *bits, size_t row_bytes, int x, int y)
{
    bits[(size_t)y * row_bytes + (size_t)(x >> 3)] |= (uint8_t)(0x80 >> (x & 7));
}

static void strings_are_those_of_pycocotools(void **state)
{
    (void)state;
    uint8_t bits[480 * 80] = {0};
    vg_mask m = {
        .grid_width = 11, .grid_height = 7, .width = 11, .height = 7, .bits = bits, .row_bytes = 2};
    detect_rle_frame f = detect_rle_frame_make(7, 11, 0, 0, 7, 11);
    assert_string_equal(text_of(&m, &f), "]2"); /* nothing is set */
    for (int y = 0; y < 7; y++)
        for (int x = 0; x < 11; x++)
            if ((x * x + 3 * y * y + x * y) % 5 < 2)
                set(bits, 2, x, y);
    assert_string_equal(text_of(&m, &f), "0140M30N1OO020N011O20M30M30N1OO020N011O20M30M");
    memset(bits, 0xff, sizeof bits);
    assert_string_equal(text_of(&m, &f), "0]2");
    m.bits = NULL; /* a box without an area has no mask */
    m.width = m.height = 0;
    assert_string_equal(text_of(&m, &f), "]2");

    /* A window of a larger picture; and a character that JSON escapes. */
    m = (vg_mask){.grid_width = 640,
                  .grid_height = 480,
                  .x = 50,
                  .y = 100,
                  .width = 3,
                  .height = 200,
                  .bits = bits,
                  .row_bytes = 1};
    f = detect_rle_frame_make(480, 640, 0, 0, 480, 640);
    assert_string_equal(text_of(&m, &f), "Tag0X6h8000lQc8");
    m = (vg_mask){.grid_width = 1,
                  .grid_height = 46,
                  .y = 1,
                  .width = 1,
                  .height = 1,
                  .bits = bits,
                  .row_bytes = 1};
    f = detect_rle_frame_make(46, 1, 0, 0, 46, 1);
    assert_string_equal(text_of(&m, &f), "11\\1");
}

/* The counts of the text: what pycocotools reads. */
static size_t read_counts(int64_t *counts, size_t most)
{
    size_t n = 0;
    for (const char *p = text; *p != '\0'; n++) {
        int64_t x = 0;
        int shift = 0, c;
        do {
            c = *p++ - 48;
            x |= (int64_t)(c & 0x1f) << shift;
            shift += 5;
        } while ((c & 0x20) != 0);
        if ((c & 0x10) != 0)
            x |= -((int64_t)1 << shift);
        assert_true(n < most);
        counts[n] = x + (n > 2 ? counts[n - 2] : 0);
    }
    return n;
}

/* Spec 2.2, of a picture of 0 and 1, in doubles where it says doubles. */
static int resized(const uint8_t *in, int in_h, int in_w, int h, int w, int x, int y)
{
    float fx = (float)((x + 0.5) * ((double)in_w / w) - 0.5),
          fy = (float)((y + 0.5) * ((double)in_h / h) - 0.5);
    int sx = (int)floorf(fx), sy = (int)floorf(fy), row[2];
    fx -= (float)sx;
    fy -= (float)sy;
    if (sx < 0)
        sx = 0, fx = 0;
    if (sx >= in_w - 1)
        sx = in_w - 1, fx = 0;
    for (int k = 0; k < 2; k++) {
        const int r = sy + k < 0 ? 0 : sy + k > in_h - 1 ? in_h - 1 : sy + k;
        const int second = sx + 1 < in_w ? sx + 1 : sx;
        row[k] = in[r * in_w + sx] * (int)rintf((1 - fx) * 2048) +
                 in[r * in_w + second] * (int)rintf(fx * 2048);
    }
    return ((((int)rintf((1 - fy) * 2048) * (row[0] >> 4)) >> 16) +
            (((int)rintf(fy * 2048) * (row[1] >> 4)) >> 16) + 2) >>
           2;
}

static void a_letterboxed_mask_is_cut_out_and_resized(void **state)
{
    (void)state;
    enum { GRID_H = 32, GRID_W = 40, MOST = 90 * 90 };
    static const struct {
        int top, left, h, w;
    } rows[] = {{0, 0, 32, 40}, {4, 0, 48, 80}, {4, 0, 24, 40}, {0, 7, 16, 13},
                {3, 5, 81, 90}, {0, 0, 64, 80}, {8, 0, 7, 11},  {0, 20, 5, 3}};
    test_random r = {11};
    for (size_t k = 0; k < 4 * (sizeof rows / sizeof *rows); k++) {
        const detect_rle_frame f = detect_rle_frame_make(
            GRID_H, GRID_W, rows[k / 4].top, rows[k / 4].left, rows[k / 4].h, rows[k / 4].w);
        uint8_t bits[GRID_H * 5] = {0}, in[GRID_H * GRID_W], got[MOST];
        vg_mask m = {.grid_width = GRID_W, .grid_height = GRID_H, .bits = bits, .row_bytes = 5};
        m.x = (int)random_float(&r, 0, 20);
        m.y = (int)random_float(&r, 0, 16);
        m.width = 1 + (int)random_float(&r, 0, (float)(GRID_W - m.x));
        m.height = 1 + (int)random_float(&r, 0, (float)(GRID_H - m.y));
        for (int y = 0; y < m.height; y++)
            for (int x = 0; x < m.width; x++)
                if (random_float(&r, 0, 1) < 0.7f)
                    set(bits, 5, x, y);
        const int in_h = f.bottom - f.top, in_w = f.right - f.left;
        for (int y = 0; y < in_h; y++)
            for (int x = 0; x < in_w; x++) {
                const int mx = x + f.left - m.x, my = y + f.top - m.y;
                in[y * in_w + x] = mx >= 0 && my >= 0 && mx < m.width && my < m.height &&
                                   (bits[my * 5 + mx / 8] >> (7 - mx % 8) & 1) != 0;
            }
        static int64_t counts[MOST + 2];
        text_of(&m, &f);
        const size_t n = read_counts(counts, sizeof counts / sizeof *counts);
        int64_t at = 0;
        for (size_t i = 0; i < n; i++)
            for (int64_t c = 0; c < counts[i]; c++, at++) {
                assert_true(at < (int64_t)f.h * f.w);
                got[at] = i % 2;
            }
        assert_int_equal(at, f.h * f.w);
        for (int x = 0; x < f.w; x++)
            for (int y = 0; y < f.h; y++)
                if (got[x * f.h + y] != resized(in, in_h, in_w, f.h, f.w, x, y))
                    fail_msg("row %zu: %d %d is %d", k, x, y, got[x * f.h + y]);
    }
}

static void a_border_that_leaves_nothing_is_no_border(void **state)
{
    (void)state;
    const detect_rle_frame f = detect_rle_frame_make(8, 8, 4, 0, 5, 5);
    assert_int_equal(f.top, 0);
    assert_int_equal(f.bottom, 8);
}

static vg_status refuse(void *to, const char *piece, vg_error *err)
{
    (void)to;
    (void)piece;
    return base_fail(err, VG_ERR_IO, NULL, NULL, "full");
}

static void an_error_of_the_writer_is_handed_on(void **state)
{
    (void)state;
    vg_error err;
    const vg_mask none = {.grid_width = 4, .grid_height = 4};
    const detect_rle_frame f = detect_rle_frame_make(4, 4, 0, 0, 4, 4);
    assert_int_equal(detect_rle_write(&none, &f, refuse, NULL, &err), VG_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_those_of_pycocotools),
        cmocka_unit_test(a_letterboxed_mask_is_cut_out_and_resized),
        cmocka_unit_test(a_border_that_leaves_nothing_is_no_border),
        cmocka_unit_test(an_error_of_the_writer_is_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
