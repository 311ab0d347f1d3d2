/* header.c: format, size and orientation from the head of a picture.
 *
 * Ours and not the codecs', because sizes must be judged before a codec allocates, and because
 * walking the chunks of PNG and WebP tells a cut file from a whole one, where codecs return half a
 * picture. Every read is behind a check against n. Sources: ITU T.81 annex B (JPEG), the PNG and
 * WebP container specifications, TIFF 6.0, GIF89a. */
#include "header.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "base/base.h"
#include "exif.h"

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le24(const uint8_t *p)
{
    return (uint32_t)p[2] << 16 | le16(p);
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p + 2) << 16 | le16(p);
}

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static vg_status truncated(const char *name, size_t n, vg_error *err)
{
    return base_fail(err, VG_ERR_FORMAT, name, base_mend("fetch or copy the file again"),
                     "the picture is truncated after %zu bytes", n);
}

static vg_status damaged(const char *name, const char *part, vg_error *err)
{
    return base_fail(err, VG_ERR_FORMAT, name, base_mend("save the picture again from its source"),
                     "the picture is damaged: %s", part);
}

image_format image_format_of(const uint8_t *bytes, size_t n)
{
    if (n >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        return IMAGE_FORMAT_JPEG;
    if (n >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        return IMAGE_FORMAT_PNG;
    if (n >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return IMAGE_FORMAT_WEBP;
    if (n >= 4 && (memcmp(bytes, "II*\0", 4) == 0 || memcmp(bytes, "MM\0*", 4) == 0 ||
                   memcmp(bytes, "II+\0", 4) == 0 || memcmp(bytes, "MM\0+", 4) == 0))
        return IMAGE_FORMAT_TIFF;
    if (n >= 6 && (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0))
        return IMAGE_FORMAT_GIF;
    /* Two letters are little to go by; the reserved fields (0) and the info header's size say more.
     */
    if (n >= 18 && bytes[0] == 'B' && bytes[1] == 'M' && le32(bytes + 14) <= 256)
        return IMAGE_FORMAT_BMP;
    return IMAGE_FORMAT_NONE;
}

/* ---- JPEG ---- */

static bool is_frame_header(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static vg_status jpeg_frame_header(image_header *out, uint8_t marker, const uint8_t *p, size_t n,
                                   const char *name, vg_error *err)
{
    if (n < 6)
        return damaged(name, "its JPEG frame header is too short", err);
    /* Baseline, extended, progressive, and the first and last with arithmetic coding. */
    bool known = marker <= 0xc2 || marker == 0xc9 || marker == 0xca;
    if (!known || p[0] != 8)
        return base_fail(err, VG_ERR_UNSUPPORTED, name,
                         base_mend("convert it to baseline JPEG or to PNG"),
                         "a %s JPEG of %d bits a sample (SOF%d)",
                         known ? "DCT" : "lossless or hierarchical", p[0], marker - 0xc0);
    if (p[5] != 1 && p[5] != 3 && p[5] != 4)
        return base_fail(err, VG_ERR_UNSUPPORTED, name,
                         base_mend("convert it to an RGB JPEG or to PNG"),
                         "a JPEG of %d colour components", p[5]);
    out->h = (int)be16(p + 1);
    out->w = (int)be16(p + 3);
    out->n_components = p[5];
    return VG_OK;
}

static vg_status read_jpeg(image_header *out, const uint8_t *bytes, size_t n, const char *name,
                           vg_error *err)
{
    enum { APP1 = 0xe1, SOS = 0xda, EOI = 0xd9 };
    size_t at = 2;
    for (;;) {
        while (at < n &&
               bytes[at] != 0xff) /* stray bytes between segments: libjpeg passes them by, too */
            at++;
        while (at < n && bytes[at] == 0xff)
            at++;
        if (at >= n)
            return truncated(name, n, err);
        uint8_t marker = bytes[at++];
        if (marker == 0 || marker == 1 || (marker >= 0xd0 && marker <= 0xd8))
            continue; /* no length follows these */
        if (marker == SOS || marker == EOI)
            break;
        if (n - at < 2)
            return truncated(name, n, err);
        size_t length = be16(bytes + at);
        if (length < 2)
            return damaged(name, "a JPEG segment of impossible length", err);
        if (n - at < length)
            return truncated(name, n, err);
        const uint8_t *body = bytes + at + 2;
        size_t n_body = length - 2;

        if (is_frame_header(marker) && out->w == 0) {
            vg_status st = jpeg_frame_header(out, marker, body, n_body, name, err);
            if (st != VG_OK)
                return st;
        } else if (marker == APP1 && n_body > 6 && memcmp(body, "Exif\0", 5) == 0) {
            out->orientation = image_exif_orientation(body + 6, n_body - 6);
        }
        at += length;
    }
    if (out->w == 0)
        return damaged(name, "a JPEG without a frame header, or of no width", err);
    return VG_OK;
}

/* ---- PNG ---- */

/* Up to the end marker, or to the end of the file when that comes after the pixels: libpng tells
 * whether they are all there. */
static vg_status read_png(image_header *out, const uint8_t *bytes, size_t n, const char *name,
                          vg_error *err)
{
    enum { SIGNATURE = 8, AROUND = 12 /* length, type and checksum of a chunk */ };
    bool has_pixels = false;
    for (size_t at = SIGNATURE;;) {
        size_t length = n - at < 8 ? 0 : be32(bytes + at);
        const uint8_t *type = bytes + at + 4, *body = bytes + at + 8;
        if (n - at < 8 || n - at < AROUND || length > n - at - AROUND) {
            bool in_pixels = n - at >= 8 && memcmp(type, "IDAT", 4) == 0;
            return has_pixels && !in_pixels ? VG_OK : truncated(name, n, err);
        }
        if (at == SIGNATURE) {
            if (memcmp(type, "IHDR", 4) != 0 || length < 13 || be32(body) > INT_MAX ||
                be32(body + 4) > INT_MAX)
                return damaged(name, "a PNG that does not begin with its size", err);
            out->w = (int)be32(body);
            out->h = (int)be32(body + 4);
        } else if (memcmp(type, "IDAT", 4) == 0) {
            has_pixels = true;
        } else if (memcmp(type, "eXIf", 4) == 0 &&
                   crc32(crc32(0, NULL, 0), type, (uInt)length + 4) == be32(body + length)) {
            out->orientation = image_exif_orientation(body, length);
        } else if (memcmp(type, "IEND", 4) == 0) {
            return VG_OK;
        }
        at += AROUND + length;
    }
}

/* ---- WebP ---- */

static bool webp_size_vp8(image_header *out, const uint8_t *body, size_t n)
{
    if (n < 10 || memcmp(body + 3, "\x9d\x01\x2a", 3) != 0)
        return false;
    out->w = (int)(le16(body + 6) & 0x3fff);
    out->h = (int)(le16(body + 8) & 0x3fff);
    return true;
}

static bool webp_size_vp8l(image_header *out, const uint8_t *body, size_t n)
{
    if (n < 5 || body[0] != 0x2f)
        return false;
    uint32_t bits = le32(body + 1);
    out->w = (int)(bits & 0x3fff) + 1;
    out->h = (int)(bits >> 14 & 0x3fff) + 1;
    return true;
}

enum { ANMF_BYTES = 16 }; /* place, size, time and flags, before the frame's chunks */

static bool webp_first_frame(image_header *out, const uint8_t *body, size_t n)
{
    if (n < ANMF_BYTES)
        return false;
    out->animated = true;
    out->frame_x = 2 * (int)le24(body);
    out->frame_y = 2 * (int)le24(body + 3);
    out->frame_w = (int)le24(body + 6) + 1;
    out->frame_h = (int)le24(body + 9) + 1;
    return out->frame_w <= out->w - out->frame_x && out->frame_h <= out->h - out->frame_y;
}

static vg_status read_webp(image_header *out, const uint8_t *bytes, size_t n, const char *name,
                           vg_error *err)
{
    enum { FIRST_CHUNK = 12 };
    size_t end = (size_t)le32(bytes + 4) + 8;
    if (end > n)
        return truncated(name, n, err);
    bool extended = false, has_pixels = false;
    for (size_t at = FIRST_CHUNK; at + 8 <= end;) {
        const uint8_t *type = bytes + at, *body = bytes + at + 8;
        size_t length = le32(bytes + at + 4);
        if (length > end - at - 8)
            return damaged(name, "a WebP chunk that is longer than the file", err);
        bool ok = true;
        image_header frame = {
            0}; /* inside the extended form the canvas, not the frame, is the size */
        if (memcmp(type, "VP8X", 4) == 0 && at == FIRST_CHUNK) {
            ok = extended = length >= 10;
            if (ok) {
                out->w = (int)le24(body + 4) + 1;
                out->h = (int)le24(body + 7) + 1;
            }
        } else if (memcmp(type, "VP8 ", 4) == 0) {
            ok = has_pixels = webp_size_vp8(extended ? &frame : out, body, length);
        } else if (memcmp(type, "VP8L", 4) == 0) {
            ok = has_pixels = webp_size_vp8l(extended ? &frame : out, body, length);
        } else if (memcmp(type, "ANMF", 4) == 0 && extended && !has_pixels) {
            ok = has_pixels = webp_first_frame(out, body, length);
            out->frame_at = at + 8 + ANMF_BYTES;
            out->n_frame_bytes = ok ? length - ANMF_BYTES : 0;
        } else if (memcmp(type, "EXIF", 4) == 0) {
            size_t skip = length > 6 && memcmp(body, "Exif\0", 5) == 0 ? 6 : 0;
            out->orientation = image_exif_orientation(body + skip, length - skip);
        }
        if (!ok)
            return damaged(name, "a WebP chunk without its header", err);
        at += 8 + length +
              (length & 1); /* may pass the end by a pad byte that is missing: harmless */
    }
    if (!has_pixels)
        return damaged(name, "a WebP without a picture", err);
    return VG_OK;
}

/* ---- the small ones ---- */

static vg_status read_bmp(image_header *out, const uint8_t *bytes, size_t n, const char *name,
                          vg_error *err)
{
    enum { CORE_HEADER = 12 };
    if (n < 26)
        return truncated(name, n, err);
    if (le32(bytes + 14) == CORE_HEADER) {
        out->w = (int)le16(bytes + 18);
        out->h = (int)le16(bytes + 20);
        return VG_OK;
    }
    int64_t w = (int32_t)le32(bytes + 18), h = (int32_t)le32(bytes + 22);
    h = h < 0 ? -h : h; /* negative: rows run from top to bottom */
    if (w < 1 || h < 1 || h > INT_MAX)
        return damaged(name, "a BMP of no size", err);
    out->w = (int)w;
    out->h = (int)h;
    return VG_OK;
}

static vg_status read_tiff(image_header *out, const uint8_t *bytes, size_t n, const char *name,
                           vg_error *err)
{
    uint32_t w, h;
    if (!image_tiff_tag(&w, bytes, n, TIFF_TAG_WIDTH) ||
        !image_tiff_tag(&h, bytes, n, TIFF_TAG_HEIGHT))
        return damaged(name, "a TIFF whose directory has no size, or is cut off", err);
    if (w > INT_MAX || h > INT_MAX)
        return damaged(name, "a TIFF of impossible size", err);
    out->w = (int)w;
    out->h = (int)h;
    out->orientation = image_exif_orientation(bytes, n);
    return VG_OK;
}

/* Passes a chain of GIF sub-blocks, each behind its length, up to the empty one. */
static bool gif_pass_blocks(size_t *at, const uint8_t *bytes, size_t n)
{
    while (*at < n) {
        size_t length = bytes[(*at)++];
        if (length == 0)
            return true;
        if (length > n - *at)
            return false;
        *at += length;
    }
    return false;
}

/* The first frame must be there whole: the codec would fill up a cut one without a word. */
static vg_status read_gif(image_header *out, const uint8_t *bytes, size_t n, const char *name,
                          vg_error *err)
{
    enum { SCREEN = 13, IMAGE = 10, PALETTE = 0x80 };
    if (n < SCREEN)
        return truncated(name, n, err);
    out->w = (int)le16(bytes + 6);
    out->h = (int)le16(bytes + 8);
    size_t at = SCREEN;
    if (bytes[10] & PALETTE)
        at += (size_t)6 << (bytes[10] & 7);
    while (n > at && n - at >= 2) {
        if (bytes[at] == '!') {
            at += 2;
            if (!gif_pass_blocks(&at, bytes, n))
                return truncated(name, n, err);
        } else if (bytes[at] == ',') {
            if (n - at < IMAGE)
                return truncated(name, n, err);
            uint8_t flags = bytes[at + 9];
            out->frame_w = (int)le16(bytes + at + 5);
            out->frame_h = (int)le16(bytes + at + 7);
            at += IMAGE + (flags & PALETTE ? (size_t)6 << (flags & 7) : 0);
            out->frame_at = at++; /* the code size, then blocks */
            if (!gif_pass_blocks(&at, bytes, n))
                return truncated(name, n, err);
            out->n_frame_bytes = at - out->frame_at;
            return VG_OK;
        } else {
            return damaged(name, "a GIF without a picture", err);
        }
    }
    return truncated(name, n, err);
}

/* Kinds of pictures and documents that people have, and that we do not read; NULL: none of them. */
static const char *foreign_name(const uint8_t *bytes, size_t n)
{
    static const struct {
        const char *name, *magic;
        size_t n_magic, at;
    } KINDS[] = {
        {"an AVIF", "ftypavi", 7, 4},
        {"a HEIC", "ftyphe", 6, 4},
        {"a HEIC", "ftypmif1", 8, 4},
        {"a JPEG 2000", "\0\0\0\x0cjP  ", 8, 0},
        {"a JPEG 2000", "\xff\x4f\xff\x51", 4, 0},
        {"a JPEG XL", "\0\0\0\x0cJXL ", 8, 0},
        {"a JPEG XL", "\xff\x0a", 2, 0},
        {"an OpenEXR", "\x76\x2f\x31\x01", 4, 0},
        {"a Radiance HDR", "#?R", 3, 0},
        {"a Photoshop", "8BPS", 4, 0},
        {"an icon", "\0\0\1\0", 4, 0},
        {"a Sun raster", "\x59\xa6\x6a\x95", 4, 0},
        {"an SGI", "\x01\xda", 2, 0},
        {"a DDS", "DDS ", 4, 0},
        {"a PFM", "PF\n", 3, 0},
        {"a PFM", "Pf\n", 3, 0},
        {"a PDF", "%PDF", 4, 0},
        {"a PostScript", "%!PS", 4, 0},
        {"an SVG", "<svg", 4, 0},
    };
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (n >= KINDS[i].at + KINDS[i].n_magic &&
            memcmp(bytes + KINDS[i].at, KINDS[i].magic, KINDS[i].n_magic) == 0)
            return KINDS[i].name;
    bool map = n >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
               (bytes[2] == '\n' || bytes[2] == '\r' || bytes[2] == ' ' || bytes[2] == '\t');
    return map ? "a PBM, PGM or PPM" : NULL;
}

static vg_status unknown(const uint8_t *bytes, size_t n, const char *name, vg_error *err)
{
    const char *mend = base_mend("give a JPEG, PNG, BMP, WebP, TIFF or GIF file");
    const char *foreign = foreign_name(bytes, n);
    if (foreign != NULL)
        return base_fail(err, VG_ERR_UNSUPPORTED, name, base_mend("convert it to PNG or JPEG"),
                         "%s file, which vigil does not read", foreign);
    return base_fail(err, VG_ERR_FORMAT, name, mend,
                     n == 0 ? "an empty file is not a picture" : "not a picture of a known format");
}

vg_status image_header_read(image_header *out, const uint8_t *bytes, size_t n, const char *name,
                            vg_error *err)
{
    *out = (image_header){.format = image_format_of(bytes, n), .orientation = 1};
    vg_status st = VG_OK;
    switch (out->format) {
    case IMAGE_FORMAT_JPEG:
        st = read_jpeg(out, bytes, n, name, err);
        break;
    case IMAGE_FORMAT_PNG:
        st = read_png(out, bytes, n, name, err);
        break;
    case IMAGE_FORMAT_BMP:
        st = read_bmp(out, bytes, n, name, err);
        break;
    case IMAGE_FORMAT_WEBP:
        st = read_webp(out, bytes, n, name, err);
        break;
    case IMAGE_FORMAT_TIFF:
        st = read_tiff(out, bytes, n, name, err);
        break;
    case IMAGE_FORMAT_GIF:
        st = read_gif(out, bytes, n, name, err);
        break;
    case IMAGE_FORMAT_NONE:
        return unknown(bytes, n, name, err);
    }
    if (st == VG_OK && (out->w < 1 || out->h < 1))
        return damaged(name, "it has no width or no height", err);
    return st;
}
