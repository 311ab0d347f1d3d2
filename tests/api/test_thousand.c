/* A host that loads and frees an engine 1,000 times ends with the memory it began with. */
#include "support/test.h"

#include <malloc.h>

#include "stream/scenes.h"
#include "vigil/vigil.h"

static const char weights[] = TEST_GOLDEN_DIR "/yolo11n_random.pt";

static void a_thousand_times_open_and_close_leave_nothing(void **state)
{
    (void)state;
    enum { TIMES = 1000, WARM_UP = 200, W = 64, H = 48 };
    uint8_t *rgb = scene_make(W, H, 1);
    vg_detection *found = malloc(300 * sizeof *found);
    vg_image image = {.pixels = rgb, .width = W, .height = H};
    size_t heap = 0, mapped = 0;
    int fds = 0, threads = 0;
    for (int i = 0; i < TIMES; i++) {
        vg_options o = vg_options_default();
        vg_detector *d = NULL;
        vg_error err;
        size_t n;
        if (i == WARM_UP) {
            struct mallinfo2 m = mallinfo2();
            heap = m.uordblks;
            mapped = m.hblkhd;
            fds = scene_count_fds();
            threads = scene_count_threads(1);
        }
        o.weights = weights;
        o.imgsz = 64;
        o.threads = 1 + i % 2;
        if (vg_detector_open(&d, &o, &err) != VG_OK)
            fail_msg("%d: %s", i, err.what);
        if (i % 10 == 0)
            assert_int_equal(vg_detect(d, found, 300, &n, &image, NULL, &err), VG_OK);
        vg_detector_close(&d);
    }
    struct mallinfo2 m = mallinfo2();
    assert_int_equal(scene_count_fds(), fds);
    assert_int_equal(scene_count_threads(threads), threads);
    assert_int_equal(m.hblkhd, mapped);
    /* To the byte, but for what glibc's per-thread cache counts as in use. */
    if (m.uordblks > heap + 4096)
        fail_msg("%zu bytes of heap became %zu", heap, (size_t)m.uordblks);
    free(found);
    free(rgb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_times_open_and_close_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
