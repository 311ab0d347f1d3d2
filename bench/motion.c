/* motion.c: the camera's motion in grey pictures on standard input, w x h bytes each: a line of a,
 * b, x, y for each picture after the first ("none" where it is not known), then CPU milliseconds a
 * picture, median.
 * Run: ffmpeg -i FILM -f rawvideo -pix_fmt gray - | build/bench/motion W H; bench/peers/motion.py
 * compares it with OpenCV. */
#include <stdio.h>

#include "image/image.h"

int main(int argc, char **argv)
{
    enum { MOST = 100000 };
    static double ms[MOST];
    static base_mem mem = {.tag = "bench", .limit_bytes = SIZE_MAX};
    int64_t w, h;
    image_motion *motion;
    if (argc != 3 || !base_parse_i64(&w, argv[1], 1, 16384) ||
        !base_parse_i64(&h, argv[2], 1, 16384)) {
        fputs("usage: motion W H < grey pictures\n", stderr);
        return 2;
    }
    const size_t n_bytes = (size_t)(w * h);
    uint8_t *pixels = base_alloc(&mem, n_bytes, NULL);
    if (pixels == NULL || image_motion_create(&motion, 1, &mem, NULL) != VG_OK)
        return 1;
    const image_luma luma = {
        .at = pixels, .across = 1, .down = (ptrdiff_t)w, .w = (int)w, .h = (int)h, .bits = 8};
    size_t n = 0;
    for (; n < MOST && fread(pixels, 1, n_bytes, stdin) == n_bytes; n++) {
        image_similarity s;
        const int64_t began = base_thread_cpu_ns();
        const bool is_known = image_motion_step(motion, 0, &s, &luma);
        ms[n] = base_ms(base_thread_cpu_ns() - began);
        if (is_known)
            printf("%.17g %.17g %.17g %.17g\n", s.a, s.b, s.x, s.y);
        else if (n > 0)
            puts("none");
    }
    if (n > 1)
        fprintf(stderr, "%lld x %lld, %zu pictures: %.2f ms each\n", (long long)w, (long long)h, n,
                base_median(ms + 1, n - 1));
    image_motion_destroy(&motion);
    base_free(pixels);
    return 0;
}
