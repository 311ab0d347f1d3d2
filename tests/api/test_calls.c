/* A host that calls 10,000 times, or opens and closes 1,000 times, ends with the memory and the
 * descriptors it began with: detector, tracker, codec, painter; stream, training, model. That of
 * detectors is test_thousand.c. */
#include "support/test.h"

#include <malloc.h>

#include "stream/scenes.h"
#include "vigil/vigil.h"

static const char weights[] = TEST_GOLDEN_DIR "/yolo11n_random.pt";

/* What calls use, all at once. */
typedef struct tools {
    vg_detector *detector;
    vg_tracker *tracker;
    vg_codec *codec;
    vg_painter *painter;
} tools;

static void open_tools(tools *t, const char *const *names)
{
    vg_options o = vg_options_default();
    vg_error err;
    const vg_tracker_key keys[] = {{"tracker", "botsort"}, {"most_tracks", "50"}};
    o.weights = weights;
    o.imgsz = 32;
    o.threads = 1;
    if (vg_detector_open(&t->detector, &o, &err) != VG_OK ||
        vg_tracker_open(&t->tracker, keys, 2, 0, &err) != VG_OK ||
        vg_codec_open(&t->codec, 0, &err) != VG_OK ||
        vg_painter_open(&t->painter, names, 1, 0, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
}

static void close_tools(tools *t)
{
    vg_detector_close(&t->detector);
    vg_tracker_close(&t->tracker);
    vg_codec_close(&t->codec);
    vg_painter_close(&t->painter);
}

enum { W = 64, H = 48, MOST = 300 };

/* A picture through all of them; every form of it in turn. */
static void use_tools(tools *t, int i, uint8_t *rgb, const float *planes, const char *const *names)
{
    static vg_detection found[MOST];
    static int64_t ids[MOST];
    const vg_image images[] = {
        {.pixels = rgb, .width = W, .height = H, .format = VG_BGR},
        {.pixels = planes, .width = W, .height = H, .format = VG_RGB_PLANES}};
    const vg_image *image = &images[i % 2];
    const vg_picture picture = {.pixels = rgb, .width = W, .height = H};
    const uint8_t *bytes;
    size_t n = 0, n_bytes;
    vg_error err;
    if (vg_detect(t->detector, found, MOST, &n, image, NULL, &err) != VG_OK ||
        vg_tracker_step(t->tracker, found, ids, &n, image, &err) != VG_OK)
        fail_msg("%d: %s", i, err.what);
    const vg_boxes boxes = {.detections = found,
                            .ids = ids,
                            .n = n < 3 ? n : 3,
                            .width = W,
                            .height = H,
                            .names = names,
                            .n_names = 1};
    if (i % 10 == 0 && (vg_draw(t->painter, &picture, &boxes, NULL, &err) != VG_OK ||
                        vg_codec_encode(t->codec, &bytes, &n_bytes, image,
                                        i % 20 == 0 ? "jpg" : "png", 90, &err) != VG_OK))
        fail_msg("%d: %s", i, err.what);
}

static uint64_t allocations(const vg_memory *m)
{
    uint64_t n = 0;
    for (int i = 0; i < m->n_items; i++)
        n += m->items[i].n_allocations;
    return n;
}

static void ten_thousand_calls_take_nothing_more(void **state)
{
    (void)state;
    enum { CALLS = 10000, WARM_UP = 1000 };
    static const char *const names[] = {"one"};
    uint8_t *rgb = scene_make(W, H, 1);
    float *planes = calloc(3 * W * H, sizeof *planes);
    tools t = {0};
    vg_memory was[2], is[2];
    size_t heap = 0;
    int fds = 0;
    open_tools(&t, names);
    for (int i = 0; i < CALLS; i++) {
        if (i == WARM_UP) {
            vg_detector_memory(t.detector, &was[0]);
            vg_tracker_memory(t.tracker, &was[1]);
            heap = mallinfo2().uordblks;
            fds = scene_count_fds();
        }
        use_tools(&t, i, rgb, planes, names);
    }
    vg_detector_memory(t.detector, &is[0]);
    vg_tracker_memory(t.tracker, &is[1]);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(is[k].in_use_bytes, was[k].in_use_bytes);
        assert_int_equal(allocations(&is[k]), allocations(&was[k]));
    }
    assert_int_equal(scene_count_fds(), fds);
    const size_t now = mallinfo2().uordblks;
    if (now > heap + 16384) /* glibc's cache, and Cairo's of letters */
        fail_msg("%zu bytes of heap became %zu", heap, now);
    close_tools(&t);
    free(planes);
    free(rgb);
}

static void a_thousand_of_the_small_handles_leave_nothing(void **state)
{
    (void)state;
    enum { TIMES = 1000, WARM_UP = 200 };
    static const char *const names[] = {"one"};
    size_t heap = 0;
    int fds = 0;
    for (int i = 0; i < TIMES; i++) {
        tools t = {0};
        vg_stream *s = NULL;
        vg_train *train = NULL;
        vg_model *m = NULL;
        vg_error err;
        if (i == WARM_UP) {
            heap = mallinfo2().uordblks;
            fds = scene_count_fds();
        }
        if (vg_tracker_open(&t.tracker, NULL, 0, 0, &err) != VG_OK ||
            vg_codec_open(&t.codec, 0, &err) != VG_OK ||
            vg_painter_open(&t.painter, names, 1, 0, &err) != VG_OK ||
            vg_stream_create(&s, &err) != VG_OK || vg_train_create(&train, &err) != VG_OK ||
            vg_model_open(&m, weights, 64, 0, &err) != VG_OK)
            fail_msg("%d: %s", i, err.what);
        close_tools(&t);
        vg_stream_destroy(&s);
        vg_train_destroy(&train);
        vg_model_close(&m);
    }
    assert_int_equal(scene_count_fds(), fds);
    const size_t now = mallinfo2().uordblks;
    if (now > heap + 16384) /* what is left out of each of 800 rounds is more */
        fail_msg("%zu bytes of heap became %zu", heap, now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_calls_take_nothing_more),
        cmocka_unit_test(a_thousand_of_the_small_handles_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
