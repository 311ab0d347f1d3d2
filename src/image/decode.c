/* decode.c: bytes -> an upright RGB picture: header first, limits next, then the codec, then the
 * turn.
 *
 * Memory: the caller's buffer; the decoder's own two blocks (a picture that needs turning as
 * stored; CMYK, TIFF and others) only grow, at best in image_decoder_reserve. Threads: one decoder
 * a thread. */
#include <string.h>

#include "buffer.h"
#include "decode.h"
#include "orient.h"

struct image_decoder {
    image_limits limits;  /* no zeros */
    image_tiff tiff;      /* empty until the first TIFF */
    image_stills *stills; /* NULL until the first BMP or GIF */
    image_buffer stored;  /* before it is turned upright */
    image_scratch scratch;
};

vg_status image_decoder_create(image_decoder **out, const image_limits *limits, base_mem *mem,
                               vg_error *err)
{
    *out = NULL;
    image_limits l = limits != NULL ? *limits : (image_limits){0};
    if (l.most_side_px < 0 || l.most_pixels < 0 || l.most_side_px > IMAGE_MOST_SIDE_PX)
        return base_fail(err, VG_ERR_ARGUMENT, "limits", base_mend("give 0 for the defaults"),
                         "no picture limits: side %d, pixels %lld", l.most_side_px,
                         (long long)l.most_pixels);
    if (l.most_side_px == 0)
        l.most_side_px = IMAGE_MOST_SIDE_PX;
    if (l.most_pixels == 0)
        l.most_pixels = IMAGE_MOST_PIXELS;

    image_decoder *d = base_alloc_zero(mem, 1, sizeof(*d), err);
    if (d == NULL)
        return VG_ERR_MEMORY;
    d->limits = l;
    *out = d;
    return VG_OK;
}

size_t image_decoder_own_bytes(void)
{
    return sizeof(image_decoder);
}

void image_decoder_destroy(image_decoder **decoder)
{
    image_decoder *d = *decoder;
    if (d == NULL)
        return;
    image_tiff_unload(&d->tiff);
    image_still_fini(&d->stills);
    image_buffer_fini(&d->stored);
    image_scratch_fini(&d->scratch);
    base_free(d);
    *decoder = NULL;
}

static void raise_size(size_t *most, size_t bytes)
{
    if (*most < bytes)
        *most = bytes;
}

static vg_status judge(const image_header *out, const image_decoder *d, const char *name,
                       vg_error *err)
{
    if (out->w > d->limits.most_side_px || out->h > d->limits.most_side_px ||
        (int64_t)out->w * out->h > d->limits.most_pixels)
        return base_fail(err, VG_ERR_LIMIT, name, base_mend("scale the picture down"),
                         "a picture of %d x %d pixels; the most are %d on a side and %lld in all",
                         out->w, out->h, d->limits.most_side_px, (long long)d->limits.most_pixels);
    return VG_OK;
}

/* The header, judged. */
static vg_status examine(image_header *out, const image_decoder *d, const uint8_t *bytes, size_t n,
                         const char *name, vg_error *err)
{
    vg_status st = image_header_read(out, bytes, n, name, err);
    return st == VG_OK ? judge(out, d, name, err) : st;
}

vg_status image_probe(image_decoder *d, int *w, int *h, const uint8_t *bytes, size_t n_bytes,
                      const char *name, vg_error *err)
{
    image_header header;
    vg_status st = examine(&header, d, bytes, n_bytes, name, err);
    if (st != VG_OK)
        return st;
    bool turns = image_orientation_turns(header.orientation);
    *w = turns ? header.h : header.w;
    *h = turns ? header.w : header.h;
    return VG_OK;
}

/* What the way of decoding takes of it. */
static size_t scratch_bytes(const image_header *h)
{
    switch (h->format) {
    case IMAGE_FORMAT_JPEG:
        return image_jpeg_scratch_bytes(h);
    case IMAGE_FORMAT_TIFF:
        return image_tiff_scratch_bytes(h->w, h->h);
    case IMAGE_FORMAT_WEBP:
        return image_webp_scratch_bytes(h);
    case IMAGE_FORMAT_BMP:
    case IMAGE_FORMAT_GIF:
        return image_convert_scratch_bytes(h->w);
    case IMAGE_FORMAT_PNG:
    case IMAGE_FORMAT_NONE:
        break;
    }
    return 0;
}

vg_status image_forecast(image_decoder *d, int *w, int *h, image_decoder_need *need,
                         const uint8_t *bytes, size_t n_bytes, const char *name, vg_error *err)
{
    image_header header;
    vg_status st = image_header_read(&header, bytes, n_bytes, name, err);
    /* A PNG is read to its end, for it may be cut short; its size stands at its head. */
    if (st == VG_ERR_FORMAT && header.format == IMAGE_FORMAT_PNG && header.w > 0 && header.h > 0)
        st = VG_OK;
    if (st == VG_OK)
        st = judge(&header, d, name, err);
    if (st != VG_OK)
        return st;
    bool turns = image_orientation_turns(header.orientation);
    *w = turns ? header.h : header.w;
    *h = turns ? header.w : header.h;
    image_decoder_need one = {0};
    if (header.orientation != 1)
        one.stored_bytes = 3 * (size_t)header.w * (size_t)header.h;
    one.scratch_bytes = scratch_bytes(&header);
    one.needs_stills = header.format == IMAGE_FORMAT_BMP || header.format == IMAGE_FORMAT_GIF;
    raise_size(&need->stored_bytes, one.stored_bytes);
    raise_size(&need->scratch_bytes, one.scratch_bytes);
    need->needs_stills = need->needs_stills || one.needs_stills;
    return VG_OK;
}

vg_status image_decoder_reserve(image_decoder *d, const image_decoder_need *need, base_mem *mem,
                                vg_error *err)
{
    image_scratch stored = {.block = d->stored.block, .capacity_bytes = d->stored.capacity_bytes};
    vg_status st = image_scratch_reserve(&stored, need->stored_bytes, mem, err);
    d->stored.block = stored.block;
    d->stored.capacity_bytes = stored.capacity_bytes;
    if (st == VG_OK)
        st = image_scratch_reserve(&d->scratch, need->scratch_bytes, mem, err);
    if (st == VG_OK && need->needs_stills)
        st = image_still_reserve(&d->stills, mem, err);
    return st;
}

size_t image_decoder_bytes(const image_decoder_need *need)
{
    return need->stored_bytes + need->scratch_bytes +
           (need->needs_stills ? image_still_bytes() : 0);
}

static vg_status decode_stored(image_decoder *d, image_buffer *stored, const image_source *source,
                               base_mem *mem, vg_error *err)
{
    switch (source->header->format) {
    case IMAGE_FORMAT_JPEG:
        return image_jpeg_decode(stored, source, &d->scratch, mem, err);
    case IMAGE_FORMAT_PNG:
        return image_png_decode(stored, source, mem, err);
    case IMAGE_FORMAT_WEBP:
        return image_webp_decode(stored, source, &d->scratch, mem, err);
    case IMAGE_FORMAT_TIFF:
        return image_tiff_decode(&d->tiff, stored, source, &d->scratch, mem, err);
    case IMAGE_FORMAT_BMP:
    case IMAGE_FORMAT_GIF:
    case IMAGE_FORMAT_NONE:
        break;
    }
    return image_still_decode(&d->stills, stored, source, &d->scratch, d->limits.most_pixels, mem,
                              err);
}

vg_status image_decode(image_decoder *d, image_buffer *out, const uint8_t *bytes, size_t n_bytes,
                       const char *name, base_mem *mem, vg_error *err)
{
    image_header header;
    vg_status st = examine(&header, d, bytes, n_bytes, name, err);
    if (st != VG_OK)
        return st;

    bool upright = header.orientation == 1;
    image_buffer *stored = upright ? out : &d->stored;
    image_source source = {.bytes = bytes, .n_bytes = n_bytes, .name = name, .header = &header};
    st = decode_stored(d, stored, &source, mem, err);
    if (st != VG_OK || upright)
        return st;

    bool turns = image_orientation_turns(header.orientation);
    st = image_buffer_reserve(out, turns ? header.h : header.w, turns ? header.w : header.h, mem,
                              err);
    if (st == VG_OK)
        image_orient(&out->view, &stored->view, header.orientation);
    return st;
}

const char *image_format_name(const uint8_t *bytes, size_t n_bytes)
{
    static const char *const NAMES[] = {
        [IMAGE_FORMAT_NONE] = NULL, [IMAGE_FORMAT_JPEG] = "JPEG", [IMAGE_FORMAT_PNG] = "PNG",
        [IMAGE_FORMAT_BMP] = "BMP", [IMAGE_FORMAT_WEBP] = "WebP", [IMAGE_FORMAT_TIFF] = "TIFF",
        [IMAGE_FORMAT_GIF] = "GIF",
    };
    return NAMES[image_format_of(bytes, n_bytes)];
}

static bool has_suffix(const char *path, const char *const *suffixes, size_t n)
{
    const char *suffix = base_path_suffix(path);
    for (size_t i = 0; i < n; i++)
        if (base_equal_nocase(suffix, suffixes[i]))
            return true;
    return false;
}

bool image_is_picture_name(const char *path)
{
    static const char *const SUFFIXES[] = {".bmp", ".dng", ".jpeg", ".jpg",  ".mpo",
                                           ".png", ".tif", ".tiff", ".webp", ".pfm"}; /* spec 5.1 */
    return has_suffix(path, SUFFIXES, sizeof(SUFFIXES) / sizeof(SUFFIXES[0]));
}

bool image_is_unread_name(const char *path)
{
    static const char *const SUFFIXES[] = {".heic", ".heif", ".avif", ".jp2",
                                           ".jxl",  ".ppm",  ".pgm",  ".tga"};
    return has_suffix(path, SUFFIXES, sizeof(SUFFIXES) / sizeof(SUFFIXES[0]));
}
