/* image.c: pictures of callers: how the pixels of each format lie, and whether there are any. */
#include "api.h"

#include <string.h>

/* Of the channels that a pixel has in its row, the places of red, green and blue. */
typedef struct format {
    size_t n; /* samples of a pixel in its row */
    size_t rgb[3];
    bool is_float, has_planes;
} format;

static const format formats[] = {
    [VG_RGB] = {.n = 3, .rgb = {0, 1, 2}},
    [VG_BGR] = {.n = 3, .rgb = {2, 1, 0}},
    [VG_GREY] = {.n = 1},
    [VG_RGBA] = {.n = 4, .rgb = {0, 1, 2}},
    [VG_BGRA] = {.n = 4, .rgb = {2, 1, 0}},
    [VG_RGB_FLOAT] = {.n = 3, .rgb = {0, 1, 2}, .is_float = true},
    [VG_BGR_FLOAT] = {.n = 3, .rgb = {2, 1, 0}, .is_float = true},
    [VG_GREY_FLOAT] = {.n = 1, .is_float = true},
    [VG_RGB_PLANES] = {.n = 1, .rgb = {0, 1, 2}, .is_float = true, .has_planes = true},
    [VG_BGR_PLANES] = {.n = 1, .rgb = {2, 1, 0}, .is_float = true, .has_planes = true},
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

static bool is_known(const vg_image *image)
{
    return (int)image->format >= 0 && (int)image->format < N_FORMATS;
}

/* Bytes of a row, of a plane, and what floats need of both. */
static bool fits(const vg_image *image, const format *f, size_t row, size_t stride, size_t plane)
{
    size_t bytes;
    if (stride < row || !base_mul_size(&bytes, stride, (size_t)image->height - 1) ||
        !base_add_size(&bytes, bytes, row) || (f->has_planes && plane < bytes) ||
        plane > SIZE_MAX / 4)
        return false;
    return !f->is_float || ((uintptr_t)image->pixels % sizeof(float) == 0 &&
                            stride % sizeof(float) == 0 && plane % sizeof(float) == 0);
}

static size_t samples_bytes(const format *f)
{
    return f->n * (f->is_float ? sizeof(float) : 1);
}

vg_status api_image_pixels(image_pixels *out, const vg_image *image, size_t index, vg_error *err)
{
    const base_text where = base_text_make("image %zu", index);
    *out = (image_pixels){0};
    if (!image || !image->pixels || image->width < 1 || image->height < 1 || !is_known(image))
        return base_fail(err, VG_ERR_ARGUMENT, where.text,
                         "give pixels, width, height and one of vg_pixel_format",
                         "a picture of %d x %d, format %d", image ? image->width : 0,
                         image ? image->height : 0, image ? (int)image->format : 0);
    const format *f = &formats[image->format];
    const size_t sample = f->is_float ? sizeof(float) : 1, pixel = samples_bytes(f),
                 row = (size_t)image->width * pixel, stride = image->stride ? image->stride : row,
                 plane = !f->has_planes        ? sample
                         : image->plane_stride ? image->plane_stride
                                               : stride * (size_t)image->height;
    if (!fits(image, f, row, stride, plane))
        return base_fail(err, VG_ERR_ARGUMENT, where.text,
                         base_mend("give a stride of at least %zu (or 0), planes that lie apart, "
                                   "and floats at multiples of %zu bytes",
                                   row, sizeof(float)),
                         "a picture of %d x %d, stride %zu, plane_stride %zu", image->width,
                         image->height, image->stride, image->plane_stride);
    *out = (image_pixels){.data = image->pixels,
                          .w = image->width,
                          .h = image->height,
                          .row_bytes = stride,
                          .pixel_bytes = pixel,
                          .is_float = f->is_float};
    for (int c = 0; c < 3; c++)
        out->channel_bytes[c] = f->rgb[c] * plane;
    return VG_OK;
}

static vg_image image_of(const vg_picture *p)
{
    return (vg_image){.pixels = p->pixels,
                      .width = p->width,
                      .height = p->height,
                      .stride = p->stride,
                      .format = p->format};
}

vg_status api_picture_view(image_view *out, const vg_picture *picture, vg_error *err)
{
    image_pixels pixels;
    *out = (image_view){0};
    if (!picture || (picture->format != VG_RGB && picture->format != VG_BGR))
        return base_fail(err, VG_ERR_ARGUMENT, "picture", "give a picture of VG_RGB or VG_BGR",
                         "%s", picture ? "a picture of another format" : "no picture");
    const vg_image image = image_of(picture);
    const vg_status st = api_image_pixels(&pixels, &image, 0, err);
    if (st == VG_OK)
        *out = (image_view){picture->pixels, pixels.w, pixels.h, pixels.row_bytes};
    return st;
}

vg_status vg_picture_put(const vg_picture *out, const vg_image *image, vg_error *err)
{
    image_view dst;
    image_pixels src;
    vg_status st = api_picture_view(&dst, out, err);
    if (st == VG_OK)
        st = api_image_pixels(&src, image, 0, err);
    if (st != VG_OK)
        return st;
    if (src.w != dst.w || src.h != dst.h)
        return base_fail(err, VG_ERR_ARGUMENT, "out", "give both the same size",
                         "%d x %d pixels for a picture of %d x %d", dst.w, dst.h, src.w, src.h);
    if (out->format == VG_BGR) { /* what is written first is blue then */
        const size_t red = src.channel_bytes[0];
        src.channel_bytes[0] = src.channel_bytes[2];
        src.channel_bytes[2] = red;
    }
    image_pixels_to_rgb(&dst, &src);
    return VG_OK;
}

bool vg_image_crop(vg_image *out, const vg_image *image, const vg_detection *box)
{
    image_pixels all;
    stream_part part;
    *out = (vg_image){0};
    if (api_image_pixels(&all, image, 0, NULL) != VG_OK ||
        !stream_crop_place(&part, all.w, all.h, box))
        return false;
    *out = *image;
    out->pixels = (const uint8_t *)image->pixels + (size_t)part.y * all.row_bytes +
                  (size_t)part.x * all.pixel_bytes;
    out->width = part.w;
    out->height = part.h;
    out->stride = all.row_bytes;
    if (formats[image->format].has_planes && out->plane_stride == 0)
        out->plane_stride = all.row_bytes * (size_t)all.h;
    return true;
}
