/* codec.c: vg_codec: image's decoder and encoder with buffers that are used again. */
#include "api.h"

struct vg_codec {
    stream_accounts accounts;
    image_decoder *decoder;
    image_encoder *encoder;
    picture_bytes file;
    image_buffer decoded, rgb; /* rgb: what is encoded, where it was something else */
};

static base_mem *frames_of(vg_codec *c)
{
    return &c->accounts.owner[STREAM_FRAMES];
}

vg_status vg_codec_open(vg_codec **out, size_t memory_limit_bytes, vg_error *err)
{
    vg_codec *c = base_handle_alloc(sizeof *c, err);
    *out = c;
    if (c == NULL)
        return VG_ERR_MEMORY;
    stream_accounts_init(&c->accounts, memory_limit_bytes);
    vg_status st = image_decoder_create(&c->decoder, NULL, frames_of(c), err);
    if (st == VG_OK)
        st = image_encoder_create(&c->encoder, &c->accounts.owner[STREAM_OUTPUT], err);
    if (st != VG_OK)
        vg_codec_close(out);
    return st;
}

void vg_codec_close(vg_codec **codec)
{
    vg_codec *c = *codec;
    if (c != NULL) {
        image_decoder_destroy(&c->decoder);
        image_encoder_destroy(&c->encoder);
        picture_bytes_fini(&c->file);
        image_buffer_fini(&c->decoded);
        image_buffer_fini(&c->rgb);
        base_handle_free(c);
    }
    *codec = NULL;
}

void vg_codec_memory(const vg_codec *c, vg_memory *out)
{
    stream_accounts_memory(out, &c->accounts);
}

vg_status vg_codec_decode(vg_codec *c, vg_image *out, const void *bytes, size_t n_bytes,
                          const char *name, vg_error *err)
{
    *out = (vg_image){0};
    if (bytes == NULL)
        return base_fail(err, VG_ERR_ARGUMENT, "bytes", "give a whole picture file", "no bytes");
    const vg_status st = image_decode(c->decoder, &c->decoded, bytes, n_bytes,
                                      name != NULL ? name : "picture", frames_of(c), err);
    const image_view *v = &c->decoded.view;
    if (st == VG_OK)
        *out = (vg_image){.pixels = v->data, .width = v->w, .height = v->h, .stride = v->stride};
    return st;
}

vg_status vg_codec_load(vg_codec *c, vg_image *out, const char *path, vg_error *err)
{
    *out = (vg_image){0};
    if (path == NULL || path[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "path", "give the path of a picture", "no path");
    const vg_status st = picture_bytes_read(&c->file, path, true, 0, frames_of(c), err);
    return st == VG_OK ? vg_codec_decode(c, out, c->file.block, c->file.n, path, err) : st;
}

/* The picture as the encoder takes it: where it lies, or as a copy. */
static vg_status rgb_of(vg_codec *c, image_view *out, const vg_image *image, vg_error *err)
{
    image_pixels pixels;
    vg_status st = api_image_pixels(&pixels, image, 0, err);
    if (st != VG_OK)
        return st;
    if (image->format == VG_RGB) {
        /* Only read: image_view has no const twin. */
        *out =
            (image_view){(uint8_t *)(uintptr_t)pixels.data, pixels.w, pixels.h, pixels.row_bytes};
        return VG_OK;
    }
    st = image_buffer_reserve(&c->rgb, pixels.w, pixels.h, frames_of(c), err);
    if (st != VG_OK)
        return st;
    image_pixels_to_rgb(&c->rgb.view, &pixels);
    *out = c->rgb.view;
    return VG_OK;
}

vg_status vg_codec_encode(vg_codec *c, const uint8_t **bytes, size_t *n_bytes,
                          const vg_image *image, const char *format, int quality, vg_error *err)
{
    base_mem *mem = &c->accounts.owner[STREAM_OUTPUT];
    image_view view;
    *bytes = NULL;
    *n_bytes = 0;
    const bool is_jpeg =
        format != NULL && (base_equal_nocase(format, "jpg") || base_equal_nocase(format, "jpeg"));
    if (!is_jpeg && (format == NULL || !base_equal_nocase(format, "png")))
        return base_fail(err, VG_ERR_ARGUMENT, "format", "use jpg or png",
                         "pictures are not encoded as \"%.100s\"", format != NULL ? format : "");
    if (is_jpeg && (quality < 1 || quality > 100))
        return base_fail(err, VG_ERR_ARGUMENT, "quality", "use 1 to 100", "quality %d", quality);
    const vg_status st = rgb_of(c, &view, image, err);
    if (st != VG_OK)
        return st;
    return is_jpeg ? image_encode_jpeg(c->encoder, &view, quality, bytes, n_bytes, mem, err)
                   : image_encode_png(c->encoder, &view, bytes, n_bytes, mem, err);
}

vg_status vg_codec_write(vg_codec *c, const char *path, const vg_image *image, vg_error *err)
{
    image_view view;
    if (path == NULL || path[0] == '\0')
        return base_fail(err, VG_ERR_ARGUMENT, "path", "give the path of a picture", "no path");
    const vg_status st = rgb_of(c, &view, image, err);
    return st == VG_OK
               ? image_write(c->encoder, &view, path, &c->accounts.owner[STREAM_OUTPUT], err)
               : st;
}
