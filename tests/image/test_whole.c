/* test_whole.c: what lacks a pixel is no picture, whatever its container says; what lacks no pixel
 * is one, whatever else is wrong with it. */
#include "image/support.h"

#include <zlib.h>

typedef struct bench {
    base_mem mem;
    image_decoder *decoder;
    image_buffer picture;
    uint8_t *bytes; /* the input; has room behind it */
    size_t n;
    vg_error err;
} bench;

enum { ROOM = 1 << 16 };

static int setup(void **state)
{
    bench *b = test_calloc(1, sizeof *b);
    b->mem = (base_mem){.tag = "test", .limit_bytes = SIZE_MAX};
    assert_int_equal(image_decoder_create(&b->decoder, NULL, &b->mem, &b->err), VG_OK);
    b->bytes = base_alloc_zero(&b->mem, 1, ROOM, &b->err);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    image_decoder_destroy(&b->decoder);
    image_buffer_fini(&b->picture);
    base_free(b->bytes);
    assert_int_equal(b->mem.in_use_bytes, 0);
    test_free(b);
    return 0;
}

static void load(bench *b, const char *name)
{
    uint8_t *bytes = fixture_read(&b->n, name, &b->mem);
    memcpy(b->bytes, bytes, b->n);
    base_free(bytes);
}

/* Of the exact size, so that tools see any read past its end. */
static vg_status decode(bench *b)
{
    uint8_t *exact = base_alloc(&b->mem, b->n, &b->err);
    memcpy(exact, b->bytes, b->n);
    vg_status st = image_decode(b->decoder, &b->picture, exact, b->n, "x", &b->mem, &b->err);
    base_free(exact);
    return st;
}

static void wants_whole(bench *b, const char *what, int tolerance, int borders)
{
    if (decode(b) != VG_OK)
        fail_msg("%s: %s", what, b->err.what);
    assert_shows_fixture(&b->picture.view, what, false, tolerance, borders);
}

static void wants_error(bench *b, const char *what, const char *word)
{
    vg_status st = decode(b);
    if (st != VG_ERR_FORMAT)
        fail_msg("%s: %s", what, vg_status_name(st));
    if (strstr(b->err.what, word) == NULL)
        fail_msg("%s: \"%s\" without \"%s\"", what, b->err.what, word);
    assert_true(b->err.mend[0] != 0);
}

static void put_be32(uint8_t *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static size_t find(const bench *b, const char *text, size_t n)
{
    size_t at = 0;
    while (at + n <= b->n && memcmp(b->bytes + at, text, n) != 0)
        at++;
    assert_true(at + n <= b->n);
    return at;
}

static void insert(bench *b, size_t at, const void *bytes, size_t n)
{
    memmove(b->bytes + at + n, b->bytes + at, b->n - at);
    memcpy(b->bytes + at, bytes, n);
    b->n += n;
}

/* ---- JPEG ---- */

static void a_jpeg_that_lacks_only_its_end_marker_is_whole(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"baseline.jpg", "progressive.jpg", "444.jpg", "cmyk.jpg"};
    for (size_t i = 0; i < 4; i++)
        for (size_t less = 1; less <= 2; less++) {
            load(b, NAMES[i]);
            b->n -= less;
            wants_whole(b, NAMES[i], 8, 4);
            b->n -= 3;
            wants_error(b, NAMES[i], "truncated");
        }
}

static void a_progressive_jpeg_that_ends_between_two_scans_is_truncated(void **state)
{
    bench *b = *state;
    int n_scans = 0;
    load(b, "waves_progressive.jpg");
    size_t n = b->n;
    for (size_t at = 2; at + 1 < n; at++) {
        if (b->bytes[at] != 0xff || (b->bytes[at + 1] != 0xc4 && b->bytes[at + 1] != 0xda))
            continue;
        n_scans += b->bytes[at + 1] == 0xda;
        if (n_scans == 0)
            continue;
        b->n = at;
        wants_error(b, "between scans", "truncated");
    }
    assert_true(n_scans > 3);
    b->n = n;
    assert_int_equal(decode(b), VG_OK);
}

/* The first thing that libjpeg tells is the stray byte. */
static void damage_behind_a_stray_byte_is_damage(void **state)
{
    bench *b = *state;
    load(b, "444.jpg");
    size_t scan = find(b, "\xff\xda", 2);
    insert(b, scan, "\x12", 1);
    assert_int_equal(decode(b), VG_OK);
    memset(b->bytes + b->n - 40, 0x5a, 30);
    wants_error(b, "444.jpg", "damaged");
}

static void what_follows_a_jpeg_is_passed_by(void **state)
{
    bench *b = *state;
    load(b, "baseline.jpg");
    insert(b, b->n, "\0\0\xff\xd8\xff more", 10);
    wants_whole(b, "a tail", 6, 4);
}

/* ---- PNG ---- */

static void chunk_insert(bench *b, size_t at, const char *type, const void *body, size_t n,
                         bool sound)
{
    uint8_t chunk[256];
    put_be32(chunk, n);
    memcpy(chunk + 4, type, 4);
    memcpy(chunk + 8, body, n);
    put_be32(chunk + 8 + n, crc32(0, chunk + 4, (uInt)n + 4) ^ (sound ? 0 : 1));
    insert(b, at, chunk, n + 12);
}

enum { AFTER_IHDR = 33, IEND_BYTES = 12 };

static void a_wrong_checksum_of_what_is_no_pixel_harms_none(void **state)
{
    bench *b = *state;
    static const struct {
        const char *type, *body;
        size_t n;
    } CHUNKS[] = {{"tEXt", "Comment\0hi", 10},
                  {"zTXt", "C\0\0x\x9c\x03\0\0\0\0\1", 11},
                  {"iTXt", "a\0\0\0\0\0x", 7},
                  {"gAMA", "\0\0\xb1\x8f", 4},
                  {"pHYs", "\0\0\0\1\0\0\0\1\1", 9},
                  {"tIME", "\7\xe0\1\1\1\1\1", 7},
                  {"eXIf", "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0", 26},
                  {"sRGB", "\0", 1},
                  {"tRNS", "\0\1\0\1\0\1", 6},
                  {"prIv", "anything", 8}};
    for (size_t i = 0; i < sizeof CHUNKS / sizeof *CHUNKS; i++)
        for (int k = 0; k < 4; k++) {
            bool sound = k % 2 == 1;
            load(b, "rgb.png");
            chunk_insert(b, k < 2 ? AFTER_IHDR : b->n - IEND_BYTES, CHUNKS[i].type, CHUNKS[i].body,
                         CHUNKS[i].n, sound);
            if (sound && memcmp(CHUNKS[i].type, "eXIf", 4) == 0) { /* a sound one turns it */
                assert_int_equal(decode(b), VG_OK);
                assert_int_equal(b->picture.view.w, FIXTURE_H);
                continue;
            }
            wants_whole(b, CHUNKS[i].type, 0, 0);
        }
}

static void a_wrong_checksum_of_what_pixels_come_from_is_damage(void **state)
{
    bench *b = *state;
    static const char *const TYPES[] = {"IHDR", "PLTE", "IDAT"};
    for (size_t i = 0; i < 3; i++) {
        load(b, "palette.png");
        size_t at = find(b, TYPES[i], 4) - 4;
        size_t n = (size_t)b->bytes[at + 2] << 8 | b->bytes[at + 3];
        b->bytes[at + 8 + n] ^= 1;
        wants_error(b, TYPES[i], "damaged");
    }
    load(b, "rgb.png");
    chunk_insert(b, AFTER_IHDR, "ABCD", "must be known", 13, true);
    wants_error(b, "an unknown critical chunk", "damaged");
}

static void a_png_that_lacks_only_its_end_is_whole(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"rgb.png", "rgba.png", "palette.png"};
    for (size_t i = 0; i < 3; i++)
        for (size_t less = 1; less <= IEND_BYTES; less++) {
            load(b, NAMES[i]);
            b->n -= less;
            wants_whole(b, NAMES[i], 0, 0);
            load(b, NAMES[i]);
            b->n -= IEND_BYTES + less; /* of the pixels' checksum, and of pixels */
            wants_error(b, NAMES[i], "truncated");
        }
    load(b, "rgb.png");
    b->bytes[b->n - 1] ^= 1;
    wants_whole(b, "a wrong checksum of the end", 0, 0);
}

/* Every checksum is right; the compressed data tells fewer rows than there are. */
static void a_png_of_too_few_rows_is_damaged(void **state)
{
    bench *b = *state;
    enum { ROW = 1 + 3 * FIXTURE_W, WHOLE = ROW * FIXTURE_H };
    uint8_t rows[WHOLE], packed[4096];
    for (int y = 0; y < FIXTURE_H; y++) {
        rows[y * ROW] = 0;
        for (int x = 0; x < FIXTURE_W; x++)
            memcpy(rows + y * ROW + 1 + 3 * x, fixture_color(x, y), 3);
    }
    static const struct {
        int n_bytes, filter;
        const char *word;
    } CASES[] = {{WHOLE, 0, NULL},          {WHOLE - 1, 0, "damaged"}, {WHOLE - ROW, 0, "damaged"},
                 {WHOLE / 2, 0, "damaged"}, {ROW, 0, "damaged"},       {WHOLE, 9, "damaged"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        uLongf n = sizeof packed - 12;
        rows[ROW * 13] = (uint8_t)CASES[i].filter;
        assert_int_equal(compress(packed + 8, &n, rows, (uLong)CASES[i].n_bytes), Z_OK);
        put_be32(packed, n);
        memcpy(packed + 4, "IDAT", 4);
        put_be32(packed + 8 + n, crc32(0, packed + 4, (uInt)n + 4));
        load(b, "rgb.png");
        b->n = AFTER_IHDR;
        insert(b, b->n, packed, n + 12);
        insert(b, b->n, "\0\0\0\0IEND\xae\x42\x60\x82", IEND_BYTES);
        if (CASES[i].word == NULL)
            wants_whole(b, "rows made here", 0, 0);
        else
            wants_error(b, "too few rows", CASES[i].word);
    }
}

static void colours_that_no_palette_has_are_damage(void **state)
{
    bench *b = *state;
    load(b, "palette.png");
    size_t at = find(b, "PLTE", 4) - 4, n = b->bytes[at + 3];
    memmove(b->bytes + at, b->bytes + at + 12 + n, b->n - at - 12 - n);
    b->n -= 12 + n;
    wants_error(b, "no palette", "PLTE");
    chunk_insert(b, at, "PLTE", "abcdef", 6, true); /* two colours for four */
    wants_error(b, "a short palette", "palette");
}

/* ---- the others ---- */

/* The container is sound, the data in it is cut. */
static void a_webp_of_too_little_data_is_an_error(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"waves.webp", "lossless.webp", "lossy.webp"};
    for (size_t i = 0; i < 3; i++) {
        load(b, NAMES[i]);
        size_t n = b->n;
        assert_int_equal(decode(b), VG_OK);
        for (size_t less = 8; less < n - 40; less += 1 + less / 4) {
            b->n = n - less - (less & 1);
            for (int k = 0; k < 4; k++) {
                b->bytes[4 + k] = (uint8_t)((b->n - 8) >> (8 * k));
                b->bytes[16 + k] = (uint8_t)((b->n - 20) >> (8 * k));
            }
            wants_error(b, NAMES[i], "WebP");
        }
    }
}

static void a_bmp_of_too_few_rows_is_truncated(void **state)
{
    bench *b = *state;
    static const char *const NAMES[] = {"rgb.bmp", "palette.bmp", "565.bmp"};
    for (size_t i = 0; i < 3; i++) {
        load(b, NAMES[i]);
        size_t pixels = b->bytes[10] | (size_t)b->bytes[11] << 8;
        b->n = pixels + (b->n - pixels) / FIXTURE_H * FIXTURE_H; /* without what follows them */
        wants_whole(b, NAMES[i], 9, 0);
        b->n--;
        wants_error(b, NAMES[i], "truncated");
    }
}

static void put_le(uint8_t *p, size_t v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* Two runs a row, from the lowest one up. */
static void a_bmp_of_runs_is_whole_when_they_come_to_an_end(void **state)
{
    bench *b = *state;
    enum { PIXELS = 14 + 40 + 16 };
    for (int bits = 4; bits <= 8; bits += 4) {
        memset(b->bytes, 0, ROOM);
        memcpy(b->bytes, "BM", 2);
        put_le(b->bytes + 10, PIXELS, 4);
        put_le(b->bytes + 14, 40, 4);
        put_le(b->bytes + 18, FIXTURE_W, 4);
        put_le(b->bytes + 22, FIXTURE_H, 4);
        b->bytes[26] = 1;
        b->bytes[28] = (uint8_t)bits;
        b->bytes[30] = bits == 8 ? 1 : 2;
        b->bytes[46] = 4; /* colours */
        for (int q = 0; q < 4; q++)
            for (int c = 0; c < 3; c++)
                b->bytes[54 + 4 * q + c] = fixture_color(q % 2 * 20, q / 2 * 20)[2 - c];
        b->n = PIXELS;
        for (int y = FIXTURE_H - 1; y >= 0; y--) {
            uint8_t q = y >= FIXTURE_H / 2 ? 2 : 0, p = (uint8_t)(q + 1);
            uint8_t run[6] = {FIXTURE_W / 2,
                              bits == 8 ? q : (uint8_t)(q * 17),
                              FIXTURE_W / 2,
                              bits == 8 ? p : (uint8_t)(p * 17),
                              0,
                              y == 0};
            insert(b, b->n, run, 6);
        }
        put_le(b->bytes + 2, b->n, 4);
        wants_whole(b, "runs", 0, 0);
        size_t n = b->n;
        for (size_t less = 3; less < 60; less += 7) { /* without its end, the last run is enough */
            b->n = n - less;
            wants_error(b, "runs", "truncated");
        }
        b->n = n - 2;
        wants_whole(b, "runs without an end", 0, 0);
    }
}

/* Its blocks are sound and end; the codes in them tell fewer pixels, or end early. */
static void a_gif_of_too_few_codes_is_truncated(void **state)
{
    bench *b = *state;
    load(b, "still.gif");
    size_t at = 13;
    if (b->bytes[10] & 0x80)
        at += (size_t)6 << (b->bytes[10] & 7);
    while (b->bytes[at] == '!')
        for (at += 2; b->bytes[at++] != 0;)
            at += b->bytes[at - 1];
    assert_int_equal(b->bytes[at], ',');
    at += 10 + (b->bytes[at + 9] & 0x80 ? (size_t)6 << (b->bytes[at + 9] & 7) : 0) + 1;
    size_t n_block = b->bytes[at];
    assert_true(n_block > 20 && b->bytes[at + 1 + n_block] == 0);
    wants_whole(b, "still.gif", 0, 0);
    for (size_t keep = n_block - 3; keep > 2; keep -= 1 + keep / 4) {
        load(b, "still.gif");
        b->bytes[at] = (uint8_t)keep;
        memcpy(b->bytes + at + 1 + keep, "\0;", 2);
        b->n = at + 1 + keep + 2;
        wants_error(b, "still.gif", "truncated");
    }
}

static void kinds_that_are_not_read_are_named(void **state)
{
    bench *b = *state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *word;
    } KINDS[] = {{"\0\0\0\x20"
                  "ftypavif\0\0\0\0",
                  16, "AVIF"},
                 {"\0\0\0\x20"
                  "ftypheic\0\0\0\0",
                  16, "HEIC"},
                 {"\0\0\0\x0cjP  \x0d\x0a\x87\x0a", 12, "JPEG 2000"},
                 {"\xff\x0a\xfa\x7f\x01", 5, "JPEG XL"},
                 {"P6\n2 2\n255\nabcdefabcdef", 23, "PPM"},
                 {"PF\n2 2\n-1.0\n", 12, "PFM"}};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        memcpy(b->bytes, KINDS[i].bytes, KINDS[i].n);
        b->n = KINDS[i].n;
        assert_int_equal(decode(b), VG_ERR_UNSUPPORTED);
        assert_non_null(strstr(b->err.what, KINDS[i].word));
        assert_non_null(strstr(b->err.mend, "convert"));
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_jpeg_that_lacks_only_its_end_marker_is_whole),
        TEST(a_progressive_jpeg_that_ends_between_two_scans_is_truncated),
        TEST(damage_behind_a_stray_byte_is_damage),
        TEST(what_follows_a_jpeg_is_passed_by),
        TEST(a_wrong_checksum_of_what_is_no_pixel_harms_none),
        TEST(a_wrong_checksum_of_what_pixels_come_from_is_damage),
        TEST(a_png_that_lacks_only_its_end_is_whole),
        TEST(a_png_of_too_few_rows_is_damaged),
        TEST(colours_that_no_palette_has_are_damage),
        TEST(a_webp_of_too_little_data_is_an_error),
        TEST(a_bmp_of_too_few_rows_is_truncated),
        TEST(a_bmp_of_runs_is_whole_when_they_come_to_an_end),
        TEST(a_gif_of_too_few_codes_is_truncated),
        TEST(kinds_that_are_not_read_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
