/* zone_bench.h: zones, and frames whose boxes the test draws; what came of each. For test_zone.c.
 */
#ifndef TESTS_DETECT_ZONE_BENCH_H
#define TESTS_DETECT_ZONE_BENCH_H

#include "support/test.h"

#include <math.h>

#include "detect/detect.h"
#include "support/random.h"

enum { MOST_EVENTS = 16, MOST_TRACKS = 8, N_CLASSES = 3, W = 200, H = 100, FORGET = 5 };

static const float RIGHT[] = {0.5f, 0, 1, 0, 1, 1, 0.5f, 1};
static const float LEFT[] = {0, 0, 80, 0, 80, 100, 0, 100}; /* pixels */
static const unsigned ALL = (1u << (VG_STREAM_BACK + 1)) - 1;

typedef struct bench {
    base_mem mem;
    vg_error err;
    detect_zone zones[3];
    detect_zones *z;
    detect_zone_event events[MOST_EVENTS];
    size_t n;
    int64_t ms;
} bench;

static inline detect_zone right_half(void)
{
    return (detect_zone){.xy = RIGHT, .n_points = 4, .is_fraction = true, .events = ALL};
}

static inline void open_zones(bench *b, const detect_zone *zones, int n)
{
    *b = (bench){.mem = {.tag = "test"}};
    for (int i = 0; i < n; i++)
        b->zones[i] = zones[i];
    const detect_zones_options o = {.zones = b->zones,
                                    .n_zones = n,
                                    .n_classes = N_CLASSES,
                                    .most_tracks = MOST_TRACKS,
                                    .forget = FORGET,
                                    .most_events = MOST_EVENTS};
    assert_int_equal(detect_zones_create(&b->z, &o, &b->mem, &b->err), VG_OK);
}

static inline void close_zones(bench *b)
{
    detect_zones_destroy(&b->z);
    assert_int_equal(b->mem.in_use_bytes, 0);
}

/* What stands at (x, 60) on its lower side's middle. */
static inline vg_detection standing(float x, int class_index, float score)
{
    return (vg_detection){x - 10, 20, x + 10, 60, score, class_index};
}

/* A frame 100 ms after the last. */
static inline size_t step(bench *b, const vg_detection *boxes, const int64_t *ids, size_t n)
{
    const uint64_t n_allocs = b->mem.n_allocs;
    b->ms += 100;
    const detect_zone_picture seen = {
        .boxes = boxes, .ids = ids, .n = n, .w = W, .h = H, .time_ns = b->ms * 1000000};
    b->n = detect_zones_step(b->z, b->events, NULL, &seen);
    assert_int_equal(b->mem.n_allocs, n_allocs);
    return b->n;
}

static inline size_t one(bench *b, int64_t id, float x)
{
    const vg_detection box = standing(x, 1, 0.9f);
    return step(b, &box, &id, 1);
}

static inline void expect(const bench *b, size_t i, vg_stream_event_kind kind, int64_t track,
                          double seconds)
{
    assert_true(i < b->n);
    assert_int_equal(b->events[i].kind, kind);
    assert_int_equal(b->events[i].track, track);
    if (fabs(b->events[i].seconds - seconds) > 1e-6)
        fail_msg("%g seconds, not %g", b->events[i].seconds, seconds);
}

static inline void counts_are(const bench *b, int zone, int64_t inside, int64_t n_in, int64_t n_out)
{
    detect_zone_counts c;
    detect_zones_get(&c, b->z, zone);
    assert_int_equal(c.inside, inside);
    assert_int_equal(c.n_in, n_in);
    assert_int_equal(c.n_out, n_out);
}

#endif
