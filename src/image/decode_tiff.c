/* decode_tiff.c: TIFF through libtiff, which knows its strips, tiles, planes, compressions and
 * colour spaces; FFmpeg hands back black pictures of what it does not know.
 *
 * The pixels come through libtiff's RGBA reader, as OpenCV's do. It stops at the first error; of
 * its warnings those while pixels are read are damage, but for a few that harm none, for it goes on
 * after them with rows that were guessed. Errors and warnings belong to the file that is open:
 * nothing is printed, and nothing is shared between threads. */
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "buffer.h"
#include "decode.h"
#include "tiff_load.h"

/* A file that lies in memory, and what was said about it. */
typedef struct reading {
    const uint8_t *bytes;
    size_t n, at;
    bool in_pixels; /* warnings count */
    bool failed;    /* `said` is an error, or a warning that harms pixels */
    char said[192];
} reading;

/* ---- the file, for libtiff ---- */

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t n)
{
    reading *r = handle;
    size_t left = r->at < r->n ? r->n - r->at : 0;
    size_t take = n < 0 ? 0 : (size_t)n < left ? (size_t)n : left;
    if (take > 0)
        memcpy(to, r->bytes + r->at, take);
    r->at += take;
    return (tmsize_t)take;
}

static tmsize_t write_nothing(thandle_t handle, void *from, tmsize_t n)
{
    (void)handle, (void)from, (void)n;
    return 0;
}

static toff_t seek_to(thandle_t handle, toff_t offset, int whence)
{
    reading *r = handle;
    toff_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? r->at : r->n;
    r->at = base + offset; /* past the end reads nothing */
    return r->at;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t size_of(thandle_t handle)
{
    return ((reading *)handle)->n;
}

static int map_file(thandle_t handle, void **base, toff_t *n)
{
    reading *r = handle;
    *base = (void *)(uintptr_t)r->bytes; /* read only: libtiff copies what it changes */
    *n = r->n;
    return 1;
}

static void unmap_nothing(thandle_t handle, void *base, toff_t n)
{
    (void)handle, (void)base, (void)n;
}

/* ---- what it says ---- */

VG_PRINTF(2, 0) static void keep_text(reading *r, const char *format, va_list args)
{
    if (r->failed)
        return; /* the first one is the cause */
    vsnprintf(r->said, sizeof r->said, format, args);
    r->failed = true;
}

VG_PRINTF(4, 0)
static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list args)
{
    (void)tiff, (void)module;
    keep_text(user, format, args);
    return 1; /* and nobody else is called */
}

/* Advice about old-style JPEG and LZW, stray bytes within a JPEG, a last strip of full height, and
 * more runs than pixels. */
static bool is_harmless(const char *warning)
{
    static const char *const PARTS[] = {"old-style JPEG", "Old-style LZW", "extraneous",
                                        "exceeds expected", "Discarding"};
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (strstr(warning, PARTS[i]) != NULL)
            return true;
    return false;
}

VG_PRINTF(4, 0)
static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list args)
{
    (void)tiff, (void)module;
    reading *r = user;
    if (!r->in_pixels || r->failed) /* a directory has unknown tags and odd counts every day */
        return 1;
    vsnprintf(r->said, sizeof r->said, format, args);
    r->failed = !is_harmless(r->said);
    return 1;
}

static vg_status damaged(const reading *r, const char *name, vg_error *err)
{
    return base_fail(err, VG_ERR_FORMAT, name, base_mend("save the picture again from its source"),
                     "the TIFF is damaged or truncated: %s",
                     r->failed ? r->said : "some of its pixels are not in the file");
}

static vg_status cannot_read(const char *reason, const char *name, vg_error *err)
{
    return base_fail(err, VG_ERR_UNSUPPORTED, name,
                     base_mend("convert it to PNG, or to a TIFF of 8 or 16 bits a sample"),
                     "a kind of TIFF that cannot be read: %s", reason);
}

/* ---- pixels ---- */

static TIFF *open_tiff(const image_tiff *t, reading *r, const image_header *header)
{
    TIFFOpenOptions *options = t->TIFFOpenOptionsAlloc();
    if (options == NULL)
        return NULL;
    /* No block of a sound file is larger than it, or than the picture of four samples of 16 bits;
     * tiles reach over its edges, and are of some size at least. */
    enum { LEAST = 16 << 20 };
    size_t most = 8 * (size_t)header->w * (size_t)header->h;
    most = most > r->n ? most : r->n;
    t->TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(2 * most + LEAST));
    t->TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, r);
    t->TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, r);
    TIFF *tiff = t->TIFFClientOpenExt("TIFF", "r", r, read_bytes, write_nothing, seek_to,
                                      close_nothing, size_of, map_file, unmap_nothing, options);
    t->TIFFOpenOptionsFree(options);
    return tiff;
}

/* What the RGBA reader cannot read without saying so at once. */
static vg_status check_samples(const image_tiff *t, TIFF *tiff, const char *name, vg_error *err)
{
    uint16_t format = SAMPLEFORMAT_UINT, n_extra = 0, *extra = NULL, compression = 0;
    t->TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    if (!t->TIFFIsCODECConfigured(compression)) {
        char text[64];
        base_format(text, sizeof text, "libtiff has no decoder for its compression %d",
                    compression);
        return cannot_read(text, name, err);
    }
    t->TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
        return cannot_read(format == SAMPLEFORMAT_IEEEFP ? "its samples are floating point numbers"
                           : format == SAMPLEFORMAT_INT  ? "its samples are signed numbers"
                                                         : "its samples are complex numbers",
                           name, err);
    /* Colours of unassociated alpha would be multiplied by it; alpha is dropped, as from a PNG. */
    if (t->TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &n_extra, &extra) == 1 && n_extra > 0 &&
        extra[0] == EXTRASAMPLE_UNASSALPHA) {
        uint16_t plain[16] = {EXTRASAMPLE_UNSPECIFIED};
        if (n_extra <= sizeof plain / sizeof *plain)
            t->TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, n_extra, plain);
    }
    return VG_OK;
}

static vg_status read_pixels(const image_tiff *t, TIFF *tiff, reading *r, uint32_t *raster,
                             const image_source *source, vg_error *err)
{
    char text[1024] = "";
    TIFFRGBAImage image;
    const image_header *header = source->header;
    uint32_t w = (uint32_t)header->w, h = (uint32_t)header->h;
    if (!t->TIFFRGBAImageOK(tiff, text) || !t->TIFFRGBAImageBegin(&image, tiff, 1, text))
        return cannot_read(text[0] != 0 ? text : r->said, source->name, err);
    /* As stored: the turn is ours. */
    image.orientation = image.req_orientation = ORIENTATION_TOPLEFT;
    bool same = image.width == w && image.height == h;
    r->in_pixels = true;
    bool whole = same && t->TIFFRGBAImageGet(&image, raster, w, h) == 1 && !r->failed;
    t->TIFFRGBAImageEnd(&image);
    if (!same)
        return base_fail(err, VG_ERR_FORMAT, source->name,
                         base_mend("save the picture again from its source"),
                         "the picture has two sizes in its directory");
    return whole ? VG_OK : damaged(r, source->name, err);
}

static void raster_to_rgb(const image_view *dst, const uint32_t *raster)
{
    for (int row = 0; row < dst->h; row++) {
        uint8_t *to = dst->data + (size_t)row * dst->stride;
        for (int x = 0; x < dst->w; x++, to += 3, raster++) {
            to[0] = (uint8_t)TIFFGetR(*raster);
            to[1] = (uint8_t)TIFFGetG(*raster);
            to[2] = (uint8_t)TIFFGetB(*raster);
        }
    }
}

size_t image_tiff_scratch_bytes(int w, int h)
{
    return sizeof(uint32_t) * (size_t)w * (size_t)h;
}

vg_status image_tiff_decode(image_tiff *t, image_buffer *out, const image_source *source,
                            image_scratch *scratch, base_mem *mem, vg_error *err)
{
    const image_header *header = source->header;
    reading r = {.bytes = source->bytes, .n = source->n_bytes};
    TIFF *tiff = NULL;
    vg_status st = image_tiff_load(t, NULL, err);
    if (st != VG_OK)
        return st;
    st = image_scratch_reserve(scratch, image_tiff_scratch_bytes(header->w, header->h), mem, err);
    if (st == VG_OK)
        st = image_buffer_reserve(out, header->w, header->h, mem, err);
    if (st != VG_OK)
        return st;

    tiff = open_tiff(t, &r, header);
    if (tiff == NULL)
        return damaged(&r, source->name, err);
    st = check_samples(t, tiff, source->name, err);
    if (st == VG_OK)
        st = read_pixels(t, tiff, &r, scratch->block, source, err);
    if (st == VG_OK)
        raster_to_rgb(&out->view, scratch->block);
    t->TIFFClose(tiff);
    return st;
}
