/* Streams of pictures that the program pushes: every one is detected in as vg_detect does it, in
 * order and with its time; who pushes waits, is told, and comes to an end. */
#include "support/test.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "stream/scenes.h"
#include "support/ok.h"
#include "vigil/vigil.h"

enum { W = 96, H = 64, MOST = 100, PICTURES = 12 };
static const char weights[] = TEST_GOLDEN_DIR "/yolo11n_random.pt";

typedef struct seen {
    size_t n;
    double time_s;
    int width, height;
    char source[64], stem[64];
    bool has_ids;
    vg_detection boxes[MOST];
} seen;

typedef struct bench {
    vg_stream *s;
    vg_error err;
    uint8_t *pictures[PICTURES];
    seen seen[PICTURES];
    _Atomic int n_results;
    vg_status pushed[PICTURES], run;
    bool stops_soon;
    double start_s; /* NAN: pictures are of now */

    uint64_t n_allocations[2];
} bench;

static int set_up(void **state)
{
    bench *b = scene_alloc(sizeof *b);
    *state = b;
    for (int i = 0; i < PICTURES; i++)
        b->pictures[i] = scene_make(W, H, (uint32_t)i);
    OK(vg_stream_create(&b->s, err));
    static const char *const set[][2] = {{"weights", weights},
                                         {"imgsz", "96"},
                                         {"threads", "1"},
                                         {"quiet", "true"},
                                         {"source", "push:door"}};
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        OK(vg_stream_set(b->s, set[i][0], set[i][1], err));
    return 0;
}

static int tear_down(void **state)
{
    bench *b = *state;
    vg_stream_destroy(&b->s);
    for (int i = 0; i < PICTURES; i++)
        free(b->pictures[i]);
    free(b);
    return 0;
}

static vg_image image_of(const bench *b, int i)
{
    return (vg_image){.pixels = b->pictures[i], .width = W, .height = H};
}

static void see(void *ctx, const vg_stream_result *r)
{
    bench *b = ctx;
    if (r->index >= PICTURES)
        return;
    seen *at = &b->seen[r->index];
    at->n = r->n_detections < MOST ? r->n_detections : MOST;
    memcpy(at->boxes, r->detections, at->n * sizeof *at->boxes);
    at->time_s = r->time_s;
    at->width = r->width;
    at->height = r->height;
    at->has_ids = r->ids != NULL;
    snprintf(at->source, sizeof at->source, "%s", r->source);
    snprintf(at->stem, sizeof at->stem, "%s", r->stem);
    b->n_results++;
}

static bool wants_stop(void *ctx)
{
    const bench *b = ctx;
    return b->stops_soon && b->n_results > 0;
}

static void *push_all(void *self)
{
    bench *b = self;
    for (int i = 0; i < PICTURES; i++) {
        const vg_image image = image_of(b, i);
        b->pushed[i] = vg_stream_push(b->s, "door", &image, b->start_s + 0.5 * i, -1, NULL);
    }
    const vg_image image = image_of(b, 0);
    while (b->stops_soon && b->pushed[PICTURES - 1] == VG_OK)
        b->pushed[PICTURES - 1] = vg_stream_push(b->s, "door", &image, 100, -1, NULL);
    vg_stream_push_end(b->s, "door");
    return NULL;
}

static void run(bench *b)
{
    pthread_t thread;
    const vg_stream_listener l = {.ctx = b, .result = see, .wants_stop = wants_stop};
    assert_int_equal(pthread_create(&thread, NULL, push_all, b), 0);
    b->run = vg_stream_run(b->s, &l, &b->err);
    pthread_join(thread, NULL);
    if (b->run != VG_OK && b->run != VG_ERR_INTERRUPTED)
        fail_msg("%s (%s)", b->err.what, b->err.where);
}

static void every_picture_gives_the_boxes_of_vg_detect(void **state)
{
    bench *b = *state;
    vg_detector *d = NULL;
    vg_options o = vg_options_default();
    vg_detection want[MOST];
    size_t n, n_all = 0;
    b->start_s = 100;
    run(b);
    assert_int_equal(b->run, VG_OK);
    assert_int_equal(b->n_results, PICTURES);
    o.weights = weights;
    o.imgsz = 96;
    o.threads = 1;
    OK(vg_detector_open(&d, &o, err));
    for (int i = 0; i < PICTURES; i++) {
        const vg_image image = image_of(b, i);
        const seen *is = &b->seen[i];
        assert_int_equal(b->pushed[i], VG_OK);
        OK(vg_detect(d, want, MOST, &n, &image, NULL, err));
        assert_int_equal(is->n, n);
        assert_memory_equal(is->boxes, want, n * sizeof *want);
        assert_true(fabs(is->time_s - (100 + 0.5 * i)) < 1e-6);
        assert_true(is->width == W && is->height == H);
        assert_string_equal(is->source, "push:door");
        assert_string_equal(is->stem, "door");
        assert_false(is->has_ids);
        n_all += n;
    }
    assert_true(n_all > PICTURES);
    vg_detector_close(&d);
    vg_memory m;
    vg_stream_memory(b->s, &m);
    for (int i = 0; i < m.n_items; i++)
        if (strcmp(m.items[i].owner, "frames") == 0)
            assert_true(m.items[i].in_use_bytes <= m.items[i].planned_bytes);
    /* It is over, for who pushes, too. */
    const vg_image image = image_of(b, 0);
    assert_int_equal(vg_stream_push(b->s, NULL, &image, 0, -1, &b->err), VG_ERR_INTERRUPTED);
}

static void tracks_and_strides_are_as_of_any_source(void **state)
{
    bench *b = *state;
    b->start_s = NAN;
    OK(vg_stream_set(b->s, "track", "true", err));
    OK(vg_stream_set(b->s, "vid_stride", "3", err));
    run(b);
    assert_int_equal(b->run, VG_OK);
    assert_int_equal(b->n_results, PICTURES / 3);
    assert_true(b->seen[0].has_ids);
    assert_true(b->seen[0].time_s >= 0 && b->seen[1].time_s >= b->seen[0].time_s);
}

static void a_stream_that_stops_frees_who_pushes(void **state)
{
    bench *b = *state;
    b->stops_soon = true;
    run(b);
    assert_int_equal(b->run, VG_ERR_INTERRUPTED);
    assert_int_equal(b->pushed[PICTURES - 1], VG_ERR_INTERRUPTED);
}

static void latest_drops_what_is_late(void **state)
{
    bench *b = *state;
    OK(vg_stream_set(b->s, "policy", "latest", err));
    run(b);
    assert_int_equal(b->run, VG_OK);
    vg_stream_source_stats stats;
    vg_stream_source_get(b->s, 0, &stats);
    assert_int_equal(stats.n_frames, PICTURES);
    assert_int_equal(stats.n_dropped + stats.n_results, PICTURES);
    assert_true(b->n_results >= 1);
    for (int i = 0; i < PICTURES; i++)
        assert_int_equal(b->pushed[i], VG_OK);
}

static void what_cannot_be_pushed_is_told(void **state)
{
    bench *b = *state;
    const vg_image none = {.pixels = NULL}, image = image_of(b, 0);
    assert_int_equal(vg_stream_push(b->s, "door", &none, 0, 0, &b->err), VG_ERR_ARGUMENT);
    /* Before run there is nobody who would take it. */
    assert_int_equal(vg_stream_push(b->s, "door", &image, 0, 0, &b->err), VG_ERR_LIMIT);
    assert_int_equal(vg_stream_push(b->s, NULL, &image, 0, 20, &b->err), VG_ERR_LIMIT);
    assert_non_null(strstr(b->err.what, "push:"));
    /* Ended before it began: run ends at once, and has seen nothing. */
    vg_stream_push_end(b->s, NULL);
    const vg_stream_listener l = {.ctx = b, .result = see};
    assert_int_equal(vg_stream_run(b->s, &l, &b->err), VG_ERR_IO);
    assert_string_equal(b->err.where, "push:door");
    assert_int_equal(b->n_results, 0);
}

static void a_source_is_checked_as_any_other(void **state)
{
    bench *b = *state;
    vg_memory plan;
    assert_true(vg_stream_takes("push:door", NULL));
    OK(vg_stream_check(b->s, NULL, NULL, &plan, err));
    assert_true(plan.planned_bytes > 0);
    OK(vg_stream_set(b->s, "memory_limit", "1M", err));
    assert_int_equal(vg_stream_check(b->s, NULL, NULL, &plan, &b->err), VG_ERR_LIMIT);
}

/* ---- two at once ---- */

static void *push_two(void *self)
{
    bench *b = self;
    for (int i = 0; i < PICTURES; i++) {
        const vg_image image = image_of(b, i);
        b->pushed[i] = vg_stream_push(b->s, i % 2 == 0 ? "left" : "right", &image, i, -1, NULL);
    }
    vg_stream_push_end(b->s, NULL);
    return NULL;
}

static void several_have_names(void **state)
{
    bench *b = *state;
    char folder[256];
    pthread_t thread;
    vg_stream_source_stats stats;
    assert_int_equal(folder_make(folder, sizeof folder), 0);
    scene_write_text(scene_path(folder, "two.streams"), "push:left\npush:right\n");
    OK(vg_stream_set(b->s, "source", scene_path(folder, "two.streams"), err));
    assert_int_equal(pthread_create(&thread, NULL, push_two, b), 0);
    const vg_stream_listener l = {.ctx = b, .result = see};
    OK(vg_stream_run(b->s, &l, err));
    pthread_join(thread, NULL);
    for (int i = 0; i < 2; i++) {
        vg_stream_source_get(b->s, i, &stats);
        assert_int_equal(stats.n_results, PICTURES / 2);
        assert_string_equal(stats.name, i == 0 ? "push:left" : "push:right");
    }
    folder_remove(folder);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_picture_gives_the_boxes_of_vg_detect),
        TEST(tracks_and_strides_are_as_of_any_source),
        TEST(a_stream_that_stops_frees_who_pushes),
        TEST(latest_drops_what_is_late),
        TEST(what_cannot_be_pushed_is_told),
        TEST(a_source_is_checked_as_any_other),
        TEST(several_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
