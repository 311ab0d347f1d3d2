/* resize.c: 1080p letterboxed into 384 x 640 floats: CPU milliseconds of one thread, median of 101.
 * Run: build/bench/resize */
#include <stdio.h>

#include "image/image.h"
#include "image/resize.h"

int main(void)
{
    enum { ROUNDS = 101 };
    static double ms[ROUNDS];
    static float out[3 * 640 * 640];
    static base_mem mem = {.tag = "bench", .limit_bytes = SIZE_MAX};
    static const int SIZES[][2] = {
        {1920, 1080}, {1280, 720}, {640, 480}, {3840, 2160}, {1000, 750}};
    image_letterbox_rule rule = {.target_w = 640,
                                 .target_h = 640,
                                 .autosize = true,
                                 .scale_up = true,
                                 .center = true,
                                 .stride = 32};
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        image_buffer picture = {0};
        image_scratch scratch = {0};
        image_letterbox_fit fit;
        if (image_buffer_reserve(&picture, SIZES[i][0], SIZES[i][1], &mem, NULL) != VG_OK ||
            image_letterbox_plan(&fit, SIZES[i][0], SIZES[i][1], &rule, NULL) != VG_OK)
            return 1;
        for (size_t k = 0; k < picture.capacity_bytes; k++)
            picture.view.data[k] = (uint8_t)(k * 2654435761u >> 13);
        for (size_t r = 0; r < ROUNDS; r++) {
            int64_t start = base_thread_cpu_ns();
            if (image_letterbox_to_float(out, &picture.view, &fit, &scratch, &mem, NULL) != VG_OK)
                return 1;
            ms[r] = base_ms(base_thread_cpu_ns() - start);
        }
        printf("%d x %d -> %d x %d floats, %s: %.3f ms\n", SIZES[i][0], SIZES[i][1], fit.out_w,
               fit.out_h, image_row_kernels_get()->name, base_median(ms, ROUNDS));
        image_buffer_fini(&picture);
        image_scratch_fini(&scratch);
    }
    return 0;
}
