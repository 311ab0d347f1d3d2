/* fuzz_image.c: any bytes as a picture: a small one comes out, or an error. The codecs are
 * libraries' (libjpeg-turbo, libpng, libwebp, libtiff, FFmpeg); what is ours is the header reader,
 * the limits, the counting of what is there, the conversion and the turn. */
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static base_mem mem = {.tag = "fuzz", .limit_bytes = (size_t)64 << 20};
    static image_decoder *decoder; /* kept: a picture must not depend on the one before */
    static image_buffer picture;
    image_limits limits = {.most_side_px = 2048, .most_pixels = 1 << 18};
    if (decoder == NULL && image_decoder_create(&decoder, &limits, &mem, NULL) != VG_OK)
        __builtin_trap();

    vg_error err = {0};
    int w = 0, h = 0;
    vg_status probed = image_probe(decoder, &w, &h, bytes, n, "fuzz", &err);
    vg_status st = image_decode(decoder, &picture, bytes, n, "fuzz", &mem, &err);
    if (st == VG_OK) {
        if (probed != VG_OK || picture.view.w != w || picture.view.h != h)
            __builtin_trap();
        unsigned sum = 0; /* every pixel is there, and none is undefined */
        for (int y = 0; y < h; y++)
            for (size_t i = 0; i < 3 * (size_t)w; i++)
                sum += picture.view.data[(size_t)y * picture.view.stride + i];
        if (sum > 255u * 3u * (1u << 18))
            __builtin_trap();
    } else if (err.status != st || err.what[0] == 0) {
        __builtin_trap();
    }
    return 0;
}
