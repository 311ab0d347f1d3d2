/* Any bytes as a tracker's file: options within their bounds, which make a tracker that works, or
 * an error that says where; and every byte given back. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stream/shared/tracker.h"

static void check_share(float x)
{
    assert(x >= 0 && x <= 1); /* false for NaN, too */
}

/* A few frames of two objects that come near one another. */
static void track(const detect_track_options *o, bool follows, base_mem *mem)
{
    enum { MOST = 8 };
    static const detect_camera camera = {.a = 1, .x = 2};
    detect_track_options small = *o;
    detect_tracker *t = NULL;
    vg_error err = {0};
    small.most_tracks = small.most_detections = MOST;
    const vg_status st = detect_tracker_create(&t, &small, 1, mem, &err);
    assert(st == VG_OK);
    for (int k = 0; k < 12; k++) {
        const float x = (float)(k * 9);
        const vg_detection boxes[] = {{x, 10, x + 30, 60, 0.9f, 0},
                                      {120 - x, 20, 150 - x, 70, k % 3 ? 0.6f : 0.15f, 0}};
        detect_tracked seen[MOST];
        const size_t n = detect_tracker_step(t, 0, seen, boxes, k % 5 == 4 ? 0 : 2, 0.25f,
                                             follows ? &camera : NULL);
        assert(n <= MOST);
        for (size_t i = 0; i < n; i++)
            assert(seen[i].id > 0 && (i == 0 || seen[i].id > seen[i - 1].id));
    }
    detect_tracker_destroy(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_mem mem = {.tag = "fuzz"};
    vg_error err = {0};
    stream_tracker t = {0};
    stream_tracker_keys keys;
    stream_tracker_keys_default(&keys);
    vg_status st = stream_tracker_keys_parse(&keys, (const char *)data, size, "fuzz", &mem, &err);
    if (st == VG_OK)
        st = stream_tracker_keys_settle(&t, &keys, &err);
    assert(st == VG_OK || (err.status == st && err.what[0] && err.where[0] && err.mend[0]));
    if (st == VG_OK) {
        check_share(t.options.track_high_thresh);
        check_share(t.options.track_low_thresh);
        check_share(t.options.new_track_thresh);
        check_share(t.options.match_thresh);
        assert(t.options.track_low_thresh <= t.options.track_high_thresh);
        assert(t.options.track_buffer >= 1 && t.options.track_buffer <= 100000);
        assert(t.options.kind == DETECT_TRACK_BYTE || t.options.kind == DETECT_TRACK_BOT);
        assert(!t.follows_camera || t.options.kind == DETECT_TRACK_BOT);
        track(&t.options, t.follows_camera, &mem);
    }
    assert(mem.in_use_bytes == 0);
    return 0;
}
