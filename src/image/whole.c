/* whole.c: walks through the data of JPEG scans, BMP rows and GIF codes, without a pixel. FFmpeg
 * hands back a frame with what there was, over black; so what is missing is found here. Sources:
 * ITU T.81 annexes B and G, GIF89a appendix F, Microsoft's description of BI_RLE8 and BI_RLE4. */
#include "whole.h"

#include <string.h>

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p + 2) << 16 | le16(p);
}

/* ---- JPEG ---- */

/* A scan's header. told: by component, a bit for each coefficient that is known to its last bit. */
static bool take_scan(uint64_t told[256], const uint8_t *p, size_t n, bool progressive)
{
    if (n < 1 || n < 4 + 2 * (size_t)p[0])
        return false;
    const uint8_t *last = p + 1 + 2 * (size_t)p[0]; /* first, last coefficient, bits */
    if (progressive && (last[0] > last[1] || last[1] > 63))
        return false;
    for (int c = 0; c < p[0]; c++) {
        uint64_t *mine = &told[p[1 + 2 * c]];
        if (!progressive)
            *mine = UINT64_MAX;
        for (int k = last[0]; progressive && (last[2] & 15) == 0 && k <= last[1]; k++)
            *mine |= (uint64_t)1 << k;
    }
    return true;
}

bool image_jpeg_has_all_scans(const uint8_t *bytes, size_t n)
{
    enum { SOS = 0xda, SOF_PROGRESSIVE = 0xc2, FRAME_FIXED = 6 };
    uint64_t told[256] = {0};
    const uint8_t *frame = NULL; /* SOF's body */
    bool progressive = false;
    for (size_t at = 2; at + 1 < n;) {
        const uint8_t *ff = memchr(bytes + at, 0xff, n - at);
        if (ff == NULL)
            break;
        at = (size_t)(ff - bytes) + 1;
        if (at >= n)
            break;
        const uint8_t marker = bytes[at];
        if (marker == 0xff) /* a fill byte */
            continue;
        at++;
        if (marker == 0 || marker == 1 || (marker >= 0xd0 && marker <= 0xd9))
            continue; /* pixels, or no length follows */
        if (n - at < 2)
            return false;
        const size_t length = (size_t)bytes[at] << 8 | bytes[at + 1];
        if (length < 2 || n - at < length)
            return false;
        if (marker == SOS && !take_scan(told, bytes + at + 2, length - 2, progressive))
            return false;
        if (marker >= 0xc0 && marker <= 0xc2 && frame == NULL) {
            frame = bytes + at + 2;
            progressive = marker == SOF_PROGRESSIVE;
            if (length - 2 < FRAME_FIXED || length - 2 < FRAME_FIXED + 3 * (size_t)frame[5])
                return false;
        }
        at += length;
    }
    if (frame == NULL) /* arithmetic codes end in zeros that are not written: nobody can tell */
        return false;
    for (int c = 0; c < frame[5]; c++)
        if (told[frame[FRAME_FIXED + 3 * c]] != UINT64_MAX)
            return false;
    return true;
}

/* ---- BMP ---- */

/* Runs (n, colour) and escapes (0, what), two bytes each; the data is whole when it ends by its own
 * mark, or has told the last pixel of the last row. */
static bool runs_end(const uint8_t *p, size_t n, int bits, int w, int h)
{
    enum { LINE = 0, END = 1, MOVE = 2 };
    int64_t x = 0, y = 0;
    for (size_t at = 0; n - at >= 2;) {
        const uint8_t count = p[at], what = p[at + 1];
        at += 2;
        if (count > 0) {
            x += count;
        } else if (what == LINE) {
            x = 0;
            y++;
        } else if (what == END) {
            return true;
        } else if (what == MOVE) {
            if (n - at < 2)
                return false;
            x += p[at];
            y += p[at + 1];
            at += 2;
        } else { /* so many pixels one by one, padded to two bytes */
            const size_t bytes = bits == 8 ? what : ((size_t)what + 1) / 2;
            if (n - at < bytes)
                return false;
            at += bytes + (bytes & 1 && n - at > bytes);
            x += what;
        }
        if (y >= h || (y == h - 1 && x >= w))
            return true;
    }
    return false;
}

bool image_bmp_is_whole(const uint8_t *bytes, size_t n, int w, int h)
{
    enum { CORE = 12, RGB = 0, RLE8 = 1, RLE4 = 2, MASKS = 3, ALPHA_MASKS = 6 };
    if (n < 34)
        return false;
    const bool core = le32(bytes + 14) == CORE;
    const uint32_t at = le32(bytes + 10), bits = core ? le16(bytes + 24) : le16(bytes + 28);
    const uint32_t kind = core ? RGB : le32(bytes + 30);
    if (at > n)
        return false;
    if (kind == RLE8 || kind == RLE4)
        return runs_end(bytes + at, n - at, kind == RLE8 ? 8 : 4, w, h);
    if (kind != RGB && kind != MASKS && kind != ALPHA_MASKS)
        return true; /* a JPEG or PNG within, which the codec refuses */
    const uint64_t row = ((uint64_t)w * bits + 7) / 8, padded = (row + 3) / 4 * 4;
    return n - at >= padded * (uint64_t)(h - 1) + row; /* padding of the last row is no pixel */
}

/* ---- GIF ---- */

typedef struct codes {
    const uint8_t *at, *end; /* in the blocks */
    size_t left;             /* of this block */
    uint32_t bits;
    int n_bits;
} codes;

static bool next_code(codes *c, uint32_t *code, int width)
{
    while (c->n_bits < width) {
        if (c->left == 0) {
            if (c->at == c->end || *c->at == 0)
                return false;
            c->left = *c->at++;
        }
        if (c->at == c->end)
            return false;
        c->bits |= (uint32_t)*c->at++ << c->n_bits;
        c->n_bits += 8;
        c->left--;
    }
    *code = c->bits & ((1u << width) - 1);
    c->bits >>= width;
    c->n_bits -= width;
    return true;
}

bool image_gif_is_whole(const uint8_t *blocks, size_t n, uint64_t n_pixels)
{
    enum { MOST_BITS = 12, MOST_CODES = 1 << MOST_BITS };
    uint16_t length[MOST_CODES]; /* of the string that a code stands for */
    if (n < 1 || blocks[0] < 1 || blocks[0] > 11)
        return false;
    codes c = {.at = blocks + 1, .end = blocks + n};
    const int first_width = blocks[0] + 1;
    const uint32_t clear = 1u << blocks[0];
    uint32_t next = clear + 2, before = MOST_CODES, code;
    int width = first_width;
    uint64_t n_told = 0;
    for (uint32_t i = 0; i < clear; i++)
        length[i] = 1;
    while (n_told < n_pixels && next_code(&c, &code, width)) {
        if (code == clear) {
            next = clear + 2;
            width = first_width;
            before = MOST_CODES;
            continue;
        }
        if (code == clear + 1)
            break;
        if (code > next || (code >= clear && code == next && before == MOST_CODES))
            return false;
        if (before != MOST_CODES && next < MOST_CODES) {
            length[next++] = (uint16_t)(length[before] + 1);
            if (next == 1u << width && width < MOST_BITS)
                width++;
        }
        if (code >= next) /* one that no code before it has made */
            return false;
        n_told += length[code];
        before = code;
    }
    return n_told >= n_pixels;
}
