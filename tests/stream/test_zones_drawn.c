/* test_zones_drawn.c: recordings show a channel's zones: outlines where they are, and their counts.
 */
#include "stream/bed.h"

#include "stream/scene/zones.h"

static const char ZONES[] =
    "zones:\n"
    "- {name: a, polygon: [[0.5, 0.5], [0.9, 0.5], [0.9, 0.9], [0.5, 0.9]], "
    "debounce: 0, sources: cam}\n"
    "- {name: b, polygon: [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]], "
    "sources: other}\n";

static stream_zones *open_zones(bed *b)
{
    const detect_track_options tracker = {.most_tracks = 8, .track_buffer = 2};
    stream_zones *z;
    const stream_zones_scene scene = {NULL, 3, false, 3, &tracker};
    OK(stream_zones_parse(&z, ZONES, sizeof ZONES - 1, "zones", &scene, &b->mem, err));
    b->s.zones = z;
    return z;
}

/* Pixels of the drawn picture that are not the frame's, by their part of the picture. */
static int changed_in(bed *b, int x1, int y1, int x2, int y2)
{
    static uint8_t before[BED_W * BED_H * 3];
    stream_painter *p;
    image_view plain, drawn;
    int n = 0;
    OK(stream_painter_create(&p, &b->s, &b->mem, err));
    OK(stream_painter_plain(p, &plain, &b->r, err));
    memcpy(before, plain.data, sizeof before);
    OK(stream_painter_drawn(p, &drawn, &b->s, &b->r, err));
    for (int y = y1; y < y2; y++)
        for (int x = x1; x < x2; x++)
            n += memcmp(drawn.data + (y * BED_W + x) * 3, before + (y * BED_W + x) * 3, 3) != 0;
    stream_painter_destroy(&p);
    return n;
}

static void zones_of_the_source_are_drawn(void **state)
{
    bed *b = *state;
    vg_stream_event events[STREAM_ZONES_EVENTS];
    stream_zones *z = open_zones(b);
    bed_next(b);
    b->r.n_boxes = 0;
    /* Not before the source is known. */
    assert_int_equal(changed_in(b, 0, 0, BED_W, BED_H), 0);
    stream_zones_step(z, events, 0, "cam one", "cam",
                      (detect_zone_picture){.w = BED_W, .h = BED_H});
    b->s.options = &b->o;
    b->o.hide_labels = true;
    assert_in_range(changed_in(b, 78, 58, 147, 110), 2 * (2 * 64 + 2 * 48) - 60,
                    3 * (2 * 64 + 2 * 48));               /* a line of two pixels */
    assert_int_equal(changed_in(b, 84, 64, 140, 104), 0); /* the inside is left alone */
    assert_int_equal(changed_in(b, 0, 0, BED_W, 55), 0);  /* and so is the other's zone */
    b->o.hide_labels = false;
    assert_true(changed_in(b, 0, 30, BED_W, 58) > 100); /* the caption, above the upper edge */
    b->r.channel = 1;                                   /* nothing is known of that one */
    assert_int_equal(changed_in(b, 0, 0, BED_W, BED_H), 0);
    stream_zones_close(&z);
}

static void drawing_allocates_nothing_once_it_runs(void **state)
{
    bed *b = *state;
    vg_stream_event events[STREAM_ZONES_EVENTS];
    stream_painter *p;
    image_view drawn;
    stream_zones *z = open_zones(b);
    bed_next(b);
    stream_zones_step(z, events, 0, "cam one", "cam",
                      (detect_zone_picture){.w = BED_W, .h = BED_H});
    OK(stream_painter_create(&p, &b->s, &b->mem, err));
    OK(stream_painter_drawn(p, &drawn, &b->s, &b->r, err));
    const uint64_t n_allocs = b->mem.n_allocs;
    for (int k = 0; k < 20; k++)
        OK(stream_painter_drawn(p, &drawn, &b->s, &b->r, err));
    assert_int_equal(b->mem.n_allocs, n_allocs);
    stream_painter_destroy(&p);
    stream_zones_close(&z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {BED_TEST(zones_of_the_source_are_drawn),
                                       BED_TEST(drawing_allocates_nothing_once_it_runs)};
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}
