/* test_counting.c: tracks and zones together: people walk through a corridor, and those who came
 * through the gate in its middle are counted, whatever the detections miss, invent and blur. */
#include "support/test.h"

#include "stream/scene/tracks.h"
#include "stream/scene/zones.h"
#include "support/random.h"

enum {
    W = 640,
    H = 360,
    N_LANES = 4,
    N_WALKS = 12,
    MOST = 32,
    FRAME_MS = 40,
    CROSSING = 150,
    CYCLE = 400
};

static const char ZONES[] = "zones:\n"
                            "  - name: gate\n"
                            "    polygon: [[0.4, 0], [0.6, 0], [0.6, 1], [0.4, 1]]\n"
                            "    classes: person\n"
                            "    debounce: 3 frames\n"
                            "    dwell: 5s\n";

typedef struct bench {
    base_mem mem;
    vg_error err;
    stream_tracks *tracks;
    stream_zones *zones;
    int64_t now_ms;
    int n_entered, n_left, n_lost, n_dwelt;
} bench;

static void open_both(bench *b)
{
    static const char *const names[] = {"person", "dog"};
    detect_track_options o = DETECT_TRACK_DEFAULT;
    *b = (bench){.mem = {.tag = "test"}};
    o.most_tracks = 64;
    o.most_detections = MOST;
    assert_int_equal(stream_tracks_open(&b->tracks, &o, false, 1, &b->mem, &b->err), VG_OK);
    const stream_zones_scene scene = {names, 2, false, 1, &o};
    assert_int_equal(
        stream_zones_parse(&b->zones, ZONES, sizeof ZONES - 1, "zones", &scene, &b->mem, &b->err),
        VG_OK);
}

static void close_both(bench *b)
{
    stream_tracks_close(&b->tracks);
    stream_zones_close(&b->zones);
    assert_int_equal(b->mem.in_use_bytes, 0);
}

static void look(bench *b, vg_detection *boxes, size_t n)
{
    int64_t ids[MOST];
    vg_stream_event events[STREAM_ZONES_EVENTS];
    n = stream_tracks_step(b->tracks, 0, &(task_found){.boxes = boxes}, ids, n, MOST, 0.25f, NULL);
    const detect_zone_picture seen = {
        .boxes = boxes, .ids = ids, .n = n, .w = W, .h = H, .time_ns = b->now_ms * 1000000};
    n = stream_zones_step(b->zones, events, 0, "corridor", "corridor", seen);
    b->now_ms += FRAME_MS;
    for (size_t i = 0; i < n; i++) {
        b->n_entered += events[i].kind == VG_STREAM_ENTER;
        b->n_left += events[i].kind == VG_STREAM_LEAVE;
        b->n_lost += events[i].is_lost;
        b->n_dwelt += events[i].kind == VG_STREAM_DWELL;
    }
}

/* Somebody walks along each lane, N_WALKS times, to and fro; one in the last lane stands in the
 * gate for a while each time. */
static void walk(bench *b, test_random *r, float miss, float weak, float inventions)
{
    for (int f = 0; f < N_WALKS * CYCLE; f++) {
        vg_detection boxes[MOST];
        size_t n = 0;
        for (int lane = 0; lane < N_LANES; lane++) {
            int at = f % CYCLE;
            if (lane == N_LANES - 1 && at > CROSSING / 2)
                at = at < CROSSING / 2 + 150 ? CROSSING / 2 : at - 150; /* stands for 6 s */
            const bool is_back = (f / CYCLE + lane) % 2;
            const float share = (float)at / CROSSING, x = is_back ? W * (1 - share) : W * share;
            if (share > 1 || random_float(r, 0, 1) < miss)
                continue;
            const float dx = random_float(r, -1.5f, 1.5f), y = 60 + 80 * (float)lane;
            const float score = random_float(r, 0, 1) < weak ? 0.15f : random_float(r, 0.4f, 0.9f);
            boxes[n++] = (vg_detection){x - 12 + dx, y - 50, x + 12 + dx, y + dx, score, 0};
        }
        if (random_float(r, 0, 1) < inventions) {
            const float x = random_float(r, 0, W), y = random_float(r, 80, H);
            boxes[n++] = (vg_detection){x - 12, y - 60, x + 12, y, random_float(r, 0.3f, 0.8f), 0};
        }
        look(b, boxes, n);
    }
    for (int f = 0; f < 40; f++) /* the tracker forgets them all */
        look(b, NULL, 0);
}

static void all_who_came_through_are_counted(void **state)
{
    (void)state;
    static const struct {
        float miss, weak, inventions;
        int most_wrong;
    } cases[] = {{0, 0, 0, 0}, {0.05f, 0.1f, 0.1f, 1}, {0.2f, 0.2f, 0.3f, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        test_random r = {.state = 77 + i};
        stream_zone_view v;
        open_both(&b);
        walk(&b, &r, cases[i].miss, cases[i].weak, cases[i].inventions);
        print_message("%d in, %d out (%d lost), %d dwelt, of %d\n", b.n_entered, b.n_left, b.n_lost,
                      b.n_dwelt, N_WALKS * N_LANES);
        assert_true(abs(b.n_entered - N_WALKS * N_LANES) <= cases[i].most_wrong);
        assert_true(abs(b.n_dwelt - N_WALKS) <= cases[i].most_wrong);
        assert_int_equal(b.n_left, b.n_entered);
        assert_true(stream_zones_get(&v, b.zones, 0, 0));
        assert_true(v.inside == 0 && v.n_in == b.n_entered && v.n_out == b.n_left);
        close_both(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_who_came_through_are_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
