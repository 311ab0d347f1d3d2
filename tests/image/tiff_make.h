/* tiff_make.h: TIFFs that libtiff writes for tests, of the picture of support.h. */
#ifndef TESTS_IMAGE_TIFF_MAKE_H
#define TESTS_IMAGE_TIFF_MAKE_H

#include "image/support.h"

#include <stdio.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/folder.h"
#include "image/tiff_load.h"

typedef struct bench {
    base_mem mem;
    image_decoder *decoder;
    image_buffer picture;
    char folder[256], path[300];
    vg_error err;
} bench;

/* Zeros stand for what most files have: 8 bits, RGB, in one piece, little end first. */
typedef struct make {
    const char *name, *mode; /* libtiff's: "w8b" is a BigTIFF, big end first */
    int compression, bits, photometric, planar, tile, rows, predictor, orientation, format, alpha;
    int subsampling;
    bool grey, white_is_0;
    int tolerance, borders;
} make;

static inline int setup(void **state)
{
    bench *b = test_calloc(1, sizeof *b);
    b->mem = (base_mem){.tag = "test", .limit_bytes = SIZE_MAX};
    assert_int_equal(image_decoder_create(&b->decoder, NULL, &b->mem, &b->err), VG_OK);
    assert_int_equal(folder_make(b->folder, sizeof b->folder), 0);
    snprintf(b->path, sizeof b->path, "%s/a.tif", b->folder);
    *state = b;
    return 0;
}

static inline int teardown(void **state)
{
    bench *b = *state;
    image_decoder_destroy(&b->decoder);
    image_buffer_fini(&b->picture);
    folder_remove(b->folder);
    assert_int_equal(b->mem.in_use_bytes, 0);
    test_free(b);
    return 0;
}

/* ---- writing ---- */

static inline int n_samples(const make *m)
{
    if (m->grey || m->photometric == PHOTOMETRIC_PALETTE)
        return 1;
    return m->photometric == PHOTOMETRIC_SEPARATED || m->alpha ? 4 : 3;
}

/* Sample c of the picture at x, y, of 8 bits. */
static inline int sample(const make *m, int x, int y, int c)
{
    const uint8_t *rgb = fixture_color(x, y);
    if (m->photometric == PHOTOMETRIC_PALETTE)
        return y >= FIXTURE_H / 2 ? 7 + (x >= FIXTURE_W / 2) : 1 + (x >= FIXTURE_W / 2);
    if (m->white_is_0)
        return 255 - luma(rgb);
    if (m->grey)
        return luma(rgb);
    if (m->photometric == PHOTOMETRIC_SEPARATED)
        return c < 3 ? 255 - rgb[c] : 0;
    return c < 3 ? rgb[c] : 40; /* alpha */
}

/* Rows y0.. (n_rows) by columns x0.. (n_columns) of the samples c0.. (n), as they lie in a file. */
static inline void fill(uint8_t *to, const make *m, int x0, int y0, int n_columns, int n_rows,
                        int c0, int n)
{
    int bits = m->bits ? m->bits : 8;
    for (int y = y0; y < y0 + n_rows; y++) {
        int at = 0; /* bit */
        memset(to, 0, (size_t)(n_columns * n * bits + 7) / 8);
        for (int x = x0; x < x0 + n_columns; x++)
            for (int c = c0; c < c0 + n; c++, at += bits) {
                int v = sample(m, x, y, c); /* a tile's padding goes on as the edge is */
                if (bits == 16)
                    ((uint16_t *)(void *)to)[at / 16] = (uint16_t)(v * 257);
                else if (bits == 32)
                    ((float *)(void *)to)[at / 32] = (float)v / 255;
                else if (bits == 8)
                    to[at / 8] = (uint8_t)v;
                else
                    to[at / 8] |= (uint8_t)(v >> (8 - bits) << (8 - bits - at % 8));
            }
        to += (n_columns * n * bits + 7) / 8;
    }
}

static inline void write_palette(TIFF *t)
{
    uint16_t map[3][256] = {{0}};
    for (int q = 0; q < 4; q++) {
        const uint8_t *rgb = fixture_color(q % 2 * 20, q / 2 * 20);
        for (int c = 0; c < 3; c++)
            map[c][q / 2 * 6 + 1 + q % 2] = (uint16_t)(rgb[c] * 257);
    }
    TIFFSetField(t, TIFFTAG_COLORMAP, map[0], map[1], map[2]);
}

static inline void tiff_write(const bench *b, const make *m)
{
    _Alignas(16) static uint8_t block[4 * 4 * 64 * 64];
    int n = n_samples(m), planes = m->planar == PLANARCONFIG_SEPARATE ? n : 1;
    int rows = m->rows ? m->rows : FIXTURE_H;
    TIFF *t = TIFFOpen(b->path, m->mode ? m->mode : "w");
    assert_non_null(t);
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, FIXTURE_W);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, FIXTURE_H);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, m->bits ? m->bits : 8);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, n);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC,
                 m->white_is_0    ? PHOTOMETRIC_MINISWHITE
                 : m->photometric ? m->photometric
                 : m->grey        ? PHOTOMETRIC_MINISBLACK
                                  : PHOTOMETRIC_RGB);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, m->planar ? m->planar : PLANARCONFIG_CONTIG);
    TIFFSetField(t, TIFFTAG_COMPRESSION, m->compression ? m->compression : COMPRESSION_NONE);
    if (m->predictor)
        TIFFSetField(t, TIFFTAG_PREDICTOR, m->predictor);
    if (m->format)
        TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, m->format);
    if (m->orientation)
        TIFFSetField(t, TIFFTAG_ORIENTATION, m->orientation);
    if (m->alpha)
        TIFFSetField(t, TIFFTAG_EXTRASAMPLES, 1, (uint16_t[]){(uint16_t)m->alpha});
    if (m->photometric == PHOTOMETRIC_PALETTE)
        write_palette(t);
    if (m->compression == COMPRESSION_JPEG) {
        TIFFSetField(t, TIFFTAG_JPEGQUALITY, 95);
        if (m->photometric == PHOTOMETRIC_YCBCR) {
            TIFFSetField(t, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
            TIFFSetField(t, TIFFTAG_YCBCRSUBSAMPLING, m->subsampling, m->subsampling);
        }
    }
    if (m->tile) {
        TIFFSetField(t, TIFFTAG_TILEWIDTH, m->tile);
        TIFFSetField(t, TIFFTAG_TILELENGTH, m->tile);
    } else {
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, rows);
    }
    for (int p = 0; p < planes; p++) {
        int c0 = planes > 1 ? p : 0, n_here = planes > 1 ? 1 : n;
        if (m->tile) {
            for (int y = 0; y < FIXTURE_H; y += m->tile)
                for (int x = 0; x < FIXTURE_W; x += m->tile) {
                    fill(block, m, x, y, m->tile, m->tile, c0, n_here);
                    assert_true(TIFFWriteTile(t, block, (uint32_t)x, (uint32_t)y, 0, (uint16_t)p) >
                                0);
                }
            continue;
        }
        for (int y = 0; y < FIXTURE_H; y++) {
            fill(block, m, 0, y, FIXTURE_W, 1, c0, n_here);
            assert_int_equal(TIFFWriteScanline(t, block, (uint32_t)y, (uint16_t)p), 1);
        }
    }
    TIFFClose(t);
}

static inline uint8_t *file_read(bench *b, size_t *n)
{
    char *bytes = NULL;
    assert_int_equal(base_file_read(&bytes, n, b->path, 1 << 24, &b->mem, &b->err), VG_OK);
    return (uint8_t *)bytes;
}

static inline vg_status decode(bench *b, const uint8_t *bytes, size_t n, const char *name)
{
    return image_decode(b->decoder, &b->picture, bytes, n, name, &b->mem, &b->err);
}

#endif
