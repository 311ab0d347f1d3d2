/* sizes.c: N JPEG pictures of N different sizes, to show that memory does not follow them.
 *
 *     bench/sizes FOLDER 1000
 *     build/vigil predict --weights yolo11n.pt --source FOLDER --no-save --quiet --prove-flat 100
 *
 * The sizes run through 200..1200 by 150..1000 pixels in a mixed order that is the same every time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "image/image.h"

static void fail(const vg_error *err)
{
    fprintf(stderr, "error: %s\n  at:  %s\n  try: %s\n", err->what, err->where, err->mend);
    exit(1);
}

/* Soft colour waves and a few discs: something for the JPEG coder to do. */
static void draw(const image_view *v, unsigned seed)
{
    for (int y = 0; y < v->h; y++)
        for (int x = 0; x < v->w; x++) {
            uint8_t *p = v->data + (size_t)y * v->stride + (size_t)x * 3;
            unsigned disc = ((unsigned)(x / 61) * 7 + (unsigned)(y / 53) * 13 + seed) % 11;
            p[0] = (uint8_t)((unsigned)x * 3 / 4 + seed * 5);
            p[1] = (uint8_t)((unsigned)y + disc * 19);
            p[2] = (uint8_t)((unsigned)(x + y) / 2 + disc * 7);
        }
}

int main(int argc, char **argv)
{
    base_mem mem = {.tag = "sizes", .limit_bytes = SIZE_MAX};
    int64_t n = 0;
    vg_error err;
    image_buffer picture = {0};
    image_encoder *encoder = NULL;
    if (argc != 3 || !base_parse_i64(&n, argv[2], 1, 100000)) {
        fprintf(stderr, "usage: sizes FOLDER N\n");
        return 2;
    }
    if (base_make_dirs(argv[1], &err) != VG_OK ||
        image_encoder_create(&encoder, &mem, &err) != VG_OK)
        fail(&err);
    for (unsigned i = 0; i < (unsigned)n; i++) {
        char path[4096];
        int w = 200 + (int)(i * 617u % 1001), h = 150 + (int)((i * 389u + i / 1001) % 851);
        if (!base_format(path, sizeof path, "%s/%05u.jpg", argv[1], i) ||
            image_buffer_reserve(&picture, w, h, &mem, &err) != VG_OK)
            fail(&err);
        draw(&picture.view, i);
        if (image_write(encoder, &picture.view, path, &mem, &err) != VG_OK)
            fail(&err);
    }
    image_encoder_destroy(&encoder);
    image_buffer_fini(&picture);
    return 0;
}
