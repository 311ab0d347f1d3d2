/* Any bytes as a file of zones: zones within their bounds or an error that says where, and every
 * byte given back. What was read is used: a walk through the picture, whose events and counts must
 * agree. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stream/scene/zones.h"

static void check_view(const stream_zones *z, size_t i)
{
    stream_zone_view v;
    float xy[2 * STREAM_MOST_ZONE_POINTS];
    char text[128];
    assert(stream_zones_get(&v, z, 0, i));
    assert(v.name[0] && strlen(v.name) < STREAM_ZONE_NAME_BYTES);
    assert(v.inside >= 0 && (!v.has_tracks || v.inside == v.n_in - v.n_out));
    assert(strlen(stream_zones_caption(text, sizeof text, &v)) > 0);
    const size_t n = stream_zones_outline(xy, z, 0, i, 320, 240);
    assert(v.is_on ? n >= 3 && n <= STREAM_MOST_ZONE_POINTS : n == 0);
    for (size_t k = 0; k < 2 * n; k++)
        assert(xy[k] >= 0 && xy[k] <= 1e6f);
}

static void walk(stream_zones *z)
{
    vg_stream_event events[STREAM_ZONES_EVENTS];
    assert(stream_zones_most_events(z) <= STREAM_ZONES_EVENTS);
    for (int k = 0; k < 24; k++) {
        const float x = (float)(k * 40 % 320), y = (float)(k * 25 % 240);
        const vg_detection boxes[] = {{x, y / 2, x + 20, y, 0.9f, k % 3},
                                      {300 - x, 10, 320 - x, 230, 0.4f, 0}};
        const int64_t ids[] = {1 + k / 10, 100};
        const uint8_t bits[2] = {0xf0, 0x3c};
        const vg_mask masks[] = {{160, 120, k, k / 2, 8, 2, bits, 1, NULL, 0}, {.grid_width = 160}};
        const detect_zone_picture seen = {.boxes = boxes,
                                          .masks = masks,
                                          .ids = stream_zones_needs_tracks(z) ? ids : NULL,
                                          .n = k % 7 ? 2 : 0,
                                          .w = 320,
                                          .h = 240,
                                          .time_ns = k * INT64_C(700000000)};
        const size_t n = stream_zones_step(z, events, 0, "rtsp://gate/1", "gate", seen);
        assert(n <= STREAM_ZONES_EVENTS);
        for (size_t i = 0; i < n; i++) {
            assert(events[i].zone[0] && events[i].seconds >= 0);
            assert(events[i].kind >= VG_STREAM_ENTER && events[i].kind <= VG_STREAM_BACK);
        }
        if (k == 12)
            stream_zones_clear(z, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"person", "bottle", "cup"};
    const detect_track_options tracker = {.most_tracks = 8, .track_buffer = 3};
    base_mem mem = {.tag = "fuzz"};
    vg_error err = {0};
    stream_zones *z;
    const stream_zones_scene scene = {names, 3, true, 1, &tracker};
    const vg_status st =
        stream_zones_parse(&z, (const char *)data, size, "fuzz", &scene, &mem, &err);
    assert((st == VG_OK) == (z != NULL));
    assert(st == VG_OK || (err.status == st && err.what[0] && err.where[0]));
    if (z != NULL) {
        walk(z);
        for (size_t i = 0; i < stream_zones_n(z); i++)
            check_view(z, i);
    }
    stream_zones_close(&z);
    assert(mem.in_use_bytes == 0);
    return 0;
}
