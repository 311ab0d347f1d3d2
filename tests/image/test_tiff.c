/* test_tiff.c: TIFFs of every make, written here by libtiff, show the picture they were made from,
 * or say why not. */
#include "tiff_make.h"

enum {
    JPEG = COMPRESSION_JPEG,
    LZW = COMPRESSION_LZW,
    DEFLATE = COMPRESSION_ADOBE_DEFLATE,
    PACKBITS = COMPRESSION_PACKBITS,
    APART = PLANARCONFIG_SEPARATE,
    CMYK = PHOTOMETRIC_SEPARATED,
    PALETTE = PHOTOMETRIC_PALETTE,
    YCBCR = PHOTOMETRIC_YCBCR,
};

static const make MAKES[] = {
    {.name = "strips", .rows = 5},
    {.name = "tiles", .tile = 16},
    {.name = "one tile larger than the picture", .tile = 48},
    {.name = "planes", .planar = APART, .rows = 7},
    {.name = "planes in tiles", .planar = APART, .tile = 16},
    {.name = "big end first", .mode = "wb", .rows = 5},
    {.name = "BigTIFF", .mode = "w8", .tile = 16},
    {.name = "BigTIFF, big end first", .mode = "w8b", .rows = 3},
    {.name = "LZW", .compression = LZW, .rows = 5},
    {.name = "LZW with predictor in tiles", .compression = LZW, .tile = 16, .predictor = 2},
    {.name = "deflate with predictor", .compression = DEFLATE, .predictor = 2},
    {.name = "deflate in planes", .compression = DEFLATE, .planar = APART},
    {.name = "packbits", .compression = PACKBITS, .rows = 5},
    {.name = "JPEG", .compression = JPEG, .rows = 8, .tolerance = 6, .borders = 4},
    {.name = "JPEG tiles", .compression = JPEG, .tile = 16, .tolerance = 6, .borders = 4},
    {.name = "JPEG, last strip short",
     .compression = JPEG,
     .rows = 16,
     .tolerance = 6,
     .borders = 4},
    {.name = "JPEG YCbCr",
     .compression = JPEG,
     .photometric = YCBCR,
     .subsampling = 1,
     .tolerance = 6,
     .borders = 4},
    {.name = "JPEG YCbCr 4:2:0 tiles",
     .compression = JPEG,
     .photometric = YCBCR,
     .subsampling = 2,
     .tile = 16,
     .tolerance = 6,
     .borders = 8},
    {.name = "JPEG planes", .compression = JPEG, .planar = APART, .tolerance = 6, .borders = 4},
    {.name = "JPEG grey", .compression = JPEG, .grey = true, .tolerance = 4, .borders = 4},
    {.name = "16 bits", .bits = 16, .rows = 5},
    {.name = "16 bits, big end first", .bits = 16, .mode = "wb", .tile = 16},
    {.name = "16 bits, grey", .bits = 16, .grey = true, .compression = LZW},
    {.name = "grey", .grey = true},
    {.name = "grey, 0 is white", .grey = true, .white_is_0 = true, .tile = 16},
    {.name = "grey of 4 bits", .grey = true, .bits = 4, .tolerance = 15},
    {.name = "palette", .photometric = PALETTE},
    {.name = "palette in tiles", .photometric = PALETTE, .compression = LZW, .tile = 16},
    {.name = "CMYK", .photometric = CMYK, .tolerance = 1},
    {.name = "CMYK JPEG tiles",
     .photometric = CMYK,
     .compression = JPEG,
     .tile = 16,
     .tolerance = 6,
     .borders = 4},
    {.name = "alpha beside colours", .alpha = EXTRASAMPLE_UNASSALPHA},
    {.name = "alpha beside colours in planes", .alpha = EXTRASAMPLE_UNASSALPHA, .planar = APART},
    {.name = "colours multiplied by alpha", .alpha = EXTRASAMPLE_ASSOCALPHA},
};
enum { N_MAKES = sizeof MAKES / sizeof *MAKES };

static void every_make_shows_the_same_picture(void **state)
{
    bench *b = *state;
    for (size_t i = 0; i < N_MAKES; i++) {
        const make m = MAKES[i];
        tiff_write(b, &m);
        size_t n;
        int w = 0, h = 0;
        uint8_t *bytes = file_read(b, &n);
        if (decode(b, bytes, n, m.name) != VG_OK)
            fail_msg("%s: %s", m.name, b->err.what);
        assert_shows_fixture(&b->picture.view, m.name, m.grey, m.tolerance, m.borders);
        assert_int_equal(image_probe(b->decoder, &w, &h, bytes, n, m.name, &b->err), VG_OK);
        assert_true(w == FIXTURE_W && h == FIXTURE_H);
        base_free(bytes);
    }
}

static void bits_are_black_and_white(void **state)
{
    bench *b = *state;
    static const int COMPRESSIONS[] = {COMPRESSION_NONE, COMPRESSION_CCITTRLE,
                                       COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4, LZW};
    for (size_t i = 0; i < 2 * sizeof COMPRESSIONS / sizeof *COMPRESSIONS; i++) {
        const make m = {.grey = true,
                        .bits = 1,
                        .rows = 7,
                        .compression = COMPRESSIONS[i / 2],
                        .white_is_0 = i % 2 == 1};
        tiff_write(b, &m);
        size_t n;
        uint8_t *bytes = file_read(b, &n);
        if (decode(b, bytes, n, "bits") != VG_OK)
            fail_msg("compression %d: %s", m.compression, b->err.what);
        for (int y = 0; y < FIXTURE_H; y++)
            for (int x = 0; x < FIXTURE_W; x++) {
                int is = b->picture.view.data[(size_t)y * b->picture.view.stride + 3 * (size_t)x];
                assert_int_equal(is, luma(fixture_color(x, y)) > 127 ? 255 : 0);
            }
        base_free(bytes);
    }
}

static void a_picture_is_turned_as_its_orientation_says(void **state)
{
    bench *b = *state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        const make m = {.orientation = orientation, .tile = 16, .mode = "w8"};
        tiff_write(b, &m);
        size_t n;
        uint8_t *bytes = file_read(b, &n);
        assert_int_equal(decode(b, bytes, n, "turned"), VG_OK);
        const image_view *v = &b->picture.view;
        bool turns = orientation >= 5;
        assert_int_equal(v->w, turns ? FIXTURE_H : FIXTURE_W);
        /* The stored corner of row 0 and column 0 is red: where it is seen is TIFF's definition. */
        bool right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
        bool low = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
        const uint8_t *corner = v->data + (low ? (size_t)(v->h - 1) * v->stride : 0) +
                                (right ? 3 * (size_t)(v->w - 1) : 0);
        assert_memory_equal(corner, fixture_color(0, 0), 3);
        base_free(bytes);
    }
}

/* A file of one strip that is a whole JPEG, as scanners of the nineties wrote it. */
static void an_old_style_jpeg_is_read(void **state)
{
    bench *b = *state;
    size_t n_jpeg;
    uint8_t *jpeg = fixture_read(&n_jpeg, "baseline.jpg", &b->mem);
    enum { N = 12, BITS = 8 + 2 + 12 * N + 4, DATA = BITS + 6 };
    const uint32_t entries[N][4] = {
        /* tag, type, count, value */
        {256, 4, 1, FIXTURE_W}, {257, 4, 1, FIXTURE_H}, {258, 3, 3, BITS},
        {259, 3, 1, 6},         {262, 3, 1, 6},         {273, 4, 1, DATA},
        {277, 3, 1, 3},         {278, 4, 1, FIXTURE_H}, {279, 4, 1, (uint32_t)n_jpeg},
        {512, 3, 1, 1},         {513, 4, 1, DATA},      {514, 4, 1, (uint32_t)n_jpeg}};
    uint8_t *bytes = base_alloc_zero(&b->mem, 1, DATA + n_jpeg, &b->err);
    memcpy(bytes, "II*\0\x08\0\0\0", 8);
    bytes[8] = N;
    for (size_t i = 0; i < N; i++) {
        uint8_t *e = bytes + 10 + 12 * i;
        const int widths[4] = {2, 2, 4, 4};
        for (int f = 0; f < 4; e += widths[f], f++)
            for (int k = 0; k < widths[f]; k++)
                e[k] = (uint8_t)(entries[i][f] >> (8 * k));
    }
    for (size_t c = 0; c < 3; c++)
        bytes[BITS + 2 * c] = 8;
    memcpy(bytes + DATA, jpeg, n_jpeg);
    if (decode(b, bytes, DATA + n_jpeg, "old.tif") != VG_OK)
        fail_msg("%s", b->err.what);
    assert_shows_fixture(&b->picture.view, "old.tif", false, 6, 4);
    assert_int_equal(decode(b, bytes, DATA + n_jpeg - n_jpeg / 8, "old.tif"), VG_ERR_FORMAT);
    base_free(bytes);
    base_free(jpeg);
}

/* One strip of RGB, its bytes as they shall lie in the file. */
static void strip_write(const bench *b, int compression, void *bytes, size_t n)
{
    TIFF *t = TIFFOpen(b->path, "w");
    assert_non_null(t);
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, FIXTURE_W);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, FIXTURE_H);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, FIXTURE_H);
    TIFFSetField(t, TIFFTAG_COMPRESSION, compression);
    assert_true(TIFFWriteRawStrip(t, 0, bytes, (tmsize_t)n) > 0);
    TIFFClose(t);
}

static void put_code(uint8_t *bytes, size_t *bit, int code)
{
    for (int i = 0; i < 9; i++, ++*bit)
        bytes[*bit / 8] |= (uint8_t)((code >> i & 1) << (*bit % 8));
}

/* libtiff warns of both, and reads every pixel of them. */
static void odd_writers_of_old_are_read(void **state)
{
    bench *b = *state;
    enum { PIXELS = 3 * FIXTURE_W * FIXTURE_H, CLEAR = 256, END = 257, RUN = 100 };
    static uint8_t rgb[PIXELS + RUN], packed[2 * PIXELS];
    for (int y = 0; y < FIXTURE_H; y++)
        fill(rgb + y * 3 * FIXTURE_W, &(make){0}, 0, y, FIXTURE_W, 1, 0, 3);
    /* LZW of before 1989, lowest bit first; each byte a code of its own. */
    size_t bit = 0, n;
    for (size_t i = 0; i < PIXELS; i++) {
        if (i % 200 == 0)
            put_code(packed, &bit, CLEAR);
        put_code(packed, &bit, rgb[i]);
    }
    put_code(packed, &bit, END);
    strip_write(b, LZW, packed, bit / 8 + 1);
    uint8_t *bytes = file_read(b, &n);
    if (decode(b, bytes, n, "old LZW") != VG_OK)
        fail_msg("%s", b->err.what);
    assert_shows_fixture(&b->picture.view, "old LZW", false, 0, 0);
    base_free(bytes);
    /* A last run that is longer than what lacks. */
    size_t at = 0;
    for (size_t i = 0; i < PIXELS; i += RUN) {
        packed[at++] = RUN - 1;
        memcpy(packed + at, rgb + i, RUN);
        at += RUN;
    }
    strip_write(b, PACKBITS, packed, at);
    bytes = file_read(b, &n);
    if (decode(b, bytes, n, "long runs") != VG_OK)
        fail_msg("%s", b->err.what);
    assert_shows_fixture(&b->picture.view, "long runs", false, 0, 0);
    base_free(bytes);
    strip_write(b, PACKBITS, packed, at / 2);
    bytes = file_read(b, &n);
    assert_int_equal(decode(b, bytes, n, "short runs"), VG_ERR_FORMAT);
    base_free(bytes);
}

/* libtiff writes the directory behind the pixels, so what is overwritten are pixels. */
static void damaged_pixels_are_an_error(void **state)
{
    bench *b = *state;
    static const make BAD[] = {{.compression = LZW, .tile = 16},
                               {.compression = DEFLATE, .rows = 6},
                               {.compression = JPEG, .tile = 16},
                               {.compression = COMPRESSION_CCITTFAX4, .bits = 1, .grey = true}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        tiff_write(b, &BAD[i]);
        size_t n;
        uint8_t *bytes = file_read(b, &n);
        memset(bytes + 10, BAD[i].bits == 1 ? 0 : 0xff, 24);
        assert_int_equal(decode(b, bytes, n, "bad.tif"), VG_ERR_FORMAT);
        assert_non_null(strstr(b->err.what, "damaged"));
        base_free(bytes);
    }
}

static void pixels_beyond_the_end_of_the_file_are_an_error(void **state)
{
    bench *b = *state;
    for (size_t i = 0; i < N_MAKES; i++) {
        const make *m = &MAKES[i];
        if (m->mode != NULL) /* the directory's place is read below as in little, classic files */
            continue;
        tiff_write(b, m);
        size_t n;
        uint8_t *bytes = file_read(b, &n);
        size_t at = bytes[4] | (size_t)bytes[5] << 8 | (size_t)bytes[6] << 16;
        uint32_t n_entries = bytes[at];
        for (uint32_t e = 0; e < n_entries; e++) {
            uint8_t *entry = bytes + at + 2 + 12 * e;
            uint32_t tag = entry[0] | (uint32_t)entry[1] << 8;
            if (tag != 273 && tag != 324) /* where strips, tiles lie */
                continue;
            uint32_t count = entry[4];
            uint8_t *offsets = entry + 8;
            if (count * (entry[2] == 3 ? 2 : 4) > 4)
                offsets = bytes + (offsets[0] | (size_t)offsets[1] << 8 | (size_t)offsets[2] << 16);
            offsets[(count - 1) * (entry[2] == 3 ? 2 : 4) + 1] = 0xf0; /* the last one */
        }
        assert_int_equal(decode(b, bytes, n, m->name), VG_ERR_FORMAT);
        assert_true(b->err.what[0] != 0 && b->err.mend[0] != 0);
        base_free(bytes);
    }
}

static void what_is_not_read_is_refused_with_its_reason(void **state)
{
    bench *b = *state;
    static const struct {
        make m;
        const char *reason;
    } KINDS[] = {
        {{.grey = true, .bits = 32, .format = SAMPLEFORMAT_IEEEFP}, "floating point"},
        {{.bits = 16, .format = SAMPLEFORMAT_INT}, "signed"},
        {{.photometric = 32803 /* a raw sensor's */}, "32803"},
    };
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        tiff_write(b, &KINDS[i].m);
        size_t n;
        uint8_t *bytes = file_read(b, &n);
        assert_int_equal(decode(b, bytes, n, "kind.tif"), VG_ERR_UNSUPPORTED);
        if (strstr(b->err.what, KINDS[i].reason) == NULL)
            fail_msg("\"%s\" without \"%s\"", b->err.what, KINDS[i].reason);
        assert_non_null(strstr(b->err.mend, "convert"));
        base_free(bytes);
    }
    /* Tag 259 becomes JPEG XL's number. */
    tiff_write(b, &(make){.compression = LZW});
    size_t n, at = 8;
    uint8_t *bytes = file_read(b, &n);
    while (memcmp(bytes + at, "\x03\x01\x03\0\x01\0\0\0", 8) != 0)
        at++;
    memcpy(bytes + at + 8, "\x52\xc3", 2);
    assert_int_equal(decode(b, bytes, n, "jxl.tif"), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(b->err.what, "compression 50002"));
    base_free(bytes);
}

static void of_several_pages_the_first_is_shown(void **state)
{
    bench *b = *state;
    tiff_write(b, &(make){.tile = 16});
    tiff_write(b, &(make){.mode = "a", .grey = true});
    size_t n;
    uint8_t *bytes = file_read(b, &n);
    assert_int_equal(decode(b, bytes, n, "pages.tif"), VG_OK);
    assert_shows_fixture(&b->picture.view, "pages.tif", false, 0, 0);
    base_free(bytes);
}

/* Of tags that nobody knows, too: a warning of libtiff's. */
static void nothing_is_printed(void **state)
{
    bench *b = *state;
    tiff_write(b, &(make){.compression = JPEG});
    size_t n, at = 8;
    uint8_t *bytes = file_read(b, &n);
    while (memcmp(bytes + at, "\x16\x01\x03\0", 4) != 0) /* RowsPerStrip */
        at++;
    bytes[at + 1] = 0xee;
    char said[300];
    snprintf(said, sizeof said, "%s/stderr", b->folder);
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    FILE *file = freopen(said, "w", stderr);
    assert_non_null(file);
    decode(b, bytes, n, "tag.tif");
    decode(b, bytes, n * 2 / 3, "cut.tif");
    memset(bytes + 60, 0xff, 40);
    decode(b, bytes, n, "bad.tif");
    fflush(stderr);
    long n_said = ftell(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_int_equal(n_said, 0);
    base_free(bytes);
}

static void a_missing_libtiff_is_an_error_that_names_the_package(void **state)
{
    bench *b = *state;
    image_tiff t = {0};
    assert_int_equal(image_tiff_load(&t, "libabsent.so.1", &b->err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(b->err.what, "libabsent.so.1"));
    assert_non_null(strstr(b->err.mend, "install libtiff"));
    assert_int_equal(image_tiff_load(&t, "libm.so.6", &b->err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(b->err.what, "TIFFOpenOptionsAlloc"));
    assert_null(t.library);
}

static void a_failed_allocation_is_an_error_and_no_leak(void **state)
{
    bench *b = *state;
    tiff_write(b, &(make){.compression = JPEG, .tile = 16, .orientation = 6});
    size_t n;
    uint8_t *bytes = file_read(b, &n);
    int n_failures = 0;
    for (int64_t k = 1;; k++) {
        image_decoder_destroy(&b->decoder);
        image_buffer_fini(&b->picture);
        assert_int_equal(image_decoder_create(&b->decoder, NULL, &b->mem, &b->err), VG_OK);
        b->mem.fail_in = k;
        vg_status st = decode(b, bytes, n, "x");
        bool was_reached = b->mem.fail_in == 0;
        b->mem.fail_in = 0;
        assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
        if (!was_reached)
            break;
        n_failures++;
    }
    assert_int_equal(n_failures, 3); /* as stored, the raster, upright */
    base_free(bytes);
}

static void a_stream_of_tiffs_allocates_nothing(void **state)
{
    bench *b = *state;
    tiff_write(b, &(make){.compression = JPEG, .tile = 16});
    size_t n;
    uint8_t *bytes = file_read(b, &n);
    assert_int_equal(decode(b, bytes, n, "x"), VG_OK);
    uint64_t n_allocs = b->mem.n_allocs;
    size_t library_bytes = base_mem_library_bytes();
    for (int k = 0; k < 100; k++)
        assert_int_equal(decode(b, bytes, n, "x"), VG_OK);
    assert_int_equal(b->mem.n_allocs, n_allocs);
    assert_in_range(base_mem_library_bytes(), 0, library_bytes + 4096);
    base_free(bytes);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_make_shows_the_same_picture),
        TEST(bits_are_black_and_white),
        TEST(a_picture_is_turned_as_its_orientation_says),
        TEST(an_old_style_jpeg_is_read),
        TEST(odd_writers_of_old_are_read),
        TEST(damaged_pixels_are_an_error),
        TEST(pixels_beyond_the_end_of_the_file_are_an_error),
        TEST(what_is_not_read_is_refused_with_its_reason),
        TEST(of_several_pages_the_first_is_shown),
        TEST(nothing_is_printed),
        TEST(a_missing_libtiff_is_an_error_that_names_the_package),
        TEST(a_failed_allocation_is_an_error_and_no_leak),
        TEST(a_stream_of_tiffs_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
