/* test_kept_pictures.c: crops and snapshots, of which the newest are kept. */
#include "stream/bed.h"

extern const stream_sink stream_sink_crop, stream_sink_snapshot;

/* ---- crops ---- */

static const char *crop_name(const bed *b, int class_index, int frame, int number)
{
    static char name[512];
    snprintf(name, sizeof name, "crops/%s/cam_%d-%d.jpg",
             stream_detector_class_name(b->s.detector, class_index), frame, number);
    return name;
}

static void crops_are_the_boxes_parts_of_the_picture(void **state)
{
    bed *b = *state;
    image_decoder *d;
    image_buffer got = {0};
    size_t n;
    bed_open(b, &stream_sink_crop);
    bed_write(b, 1);
    assert_true(bed_has(b, crop_name(b, 2, 1, 1)));
    assert_true(bed_has(b, crop_name(b, 0, 1, 2)));
    assert_false(bed_has(b, crop_name(b, 0, 1, 3))); /* outside the picture */
    char *bytes = scene_read(bed_in(b, crop_name(b, 2, 1, 1)), &n);
    OK(image_decoder_create(&d, NULL, &b->mem, err));
    OK(image_decode(d, &got, (const uint8_t *)bytes, n, "crop", &b->mem, err));
    assert_int_equal(40, got.view.w);
    assert_int_equal(60, got.view.h);
    stream_painter *p;
    image_view whole;
    OK(stream_painter_create(&p, &b->s, &b->mem, err));
    OK(stream_painter_plain(p, &whole, &b->r, err));
    double sum = 0;
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 120; x++)
            sum += abs(got.view.data[(size_t)y * got.view.stride + (size_t)x] -
                       whole.data[(size_t)(y + 20) * whole.stride + (size_t)x + 30]);
    assert_true(sum / (60 * 120) < 12);
    stream_painter_destroy(&p);
    image_buffer_fini(&got);
    image_decoder_destroy(&d);
    free(bytes);
}

static void the_newest_crops_are_kept(void **state)
{
    bed *b = *state;
    b->o.keep_crops = 5; /* of two a frame */
    bed_open(b, &stream_sink_crop);
    bed_write(b, 2);
    const uint64_t n_allocs = b->mem.n_allocs;
    bed_write(b, 8);
    assert_int_equal(n_allocs, b->mem.n_allocs);
    for (int f = 1; f <= 10; f++) {
        assert_int_equal(f >= 9, bed_has(b, crop_name(b, 2, f, 1)));
        assert_int_equal(f >= 8, bed_has(b, crop_name(b, 0, f, 2)));
    }
    assert_int_equal(0,
                     unlink(bed_in(b, crop_name(b, 0, 8, 2)))); /* the user's own hand: no matter */
    bed_write(b, 1);
    bed_close(b, NULL);
    b->o.keep_crops = 3;
    b->o.exist_ok = true;
    bed_open(b, &stream_sink_crop);
    int n = 0;
    for (int f = 1; f <= 11; f++)
        n += bed_has(b, crop_name(b, 2, f, 1)) + bed_has(b, crop_name(b, 0, f, 2));
    assert_int_equal(n, 3);
}

static void all_crops_are_kept_when_asked_for(void **state)
{
    bed *b = *state;
    b->o.keep_crops = 0;
    bed_open(b, &stream_sink_crop);
    bed_write(b, 10);
    for (int f = 1; f <= 10; f++)
        assert_true(bed_has(b, crop_name(b, 2, f, 1)));
}

/* ---- snapshots ---- */

static void events_that_ask_have_a_snapshot(void **state)
{
    bed *b = *state;
    bed_open(b, &stream_sink_snapshot);
    bed_write(b, 3);
    assert_int_equal(0, folder_count_entries(b->folder));
    b->events[0] = (vg_stream_event){.id = 4, .zone = "door"};
    b->events[1] = (vg_stream_event){.id = 5, .zone = "door", .wants_snapshot = true};
    b->r.events = b->events;
    b->r.n_events = 2;
    bed_write(b, 1);
    assert_int_equal(1, folder_count_entries(bed_in(b, "snapshots")));
    char path[512];
    assert_true(stream_snapshot_path(path, sizeof path, b->folder, "cam", 5));
    assert_true(probe_bytes(path) > 500);
    assert_true(stream_snapshot_path(path, sizeof path, "", "cam", 5));
    assert_string_equal("snapshots/cam-5.jpg", path);
    assert_true(bed_has(b, path));
    assert_false(stream_snapshot_path(path, 10, b->folder, "cam", 5));
}

static void the_newest_snapshots_are_kept(void **state)
{
    bed *b = *state;
    char path[512];
    b->o.keep_snapshots = 4;
    b->r.events = b->events;
    b->r.n_events = 1;
    bed_open(b, &stream_sink_snapshot);
    for (uint64_t id = 1; id <= 10; id++) {
        b->r.stem = id % 2 ? "one" : "two";
        b->events[0] = (vg_stream_event){.id = id, .zone = "door", .wants_snapshot = true};
        bed_write(b, 1);
    }
    assert_int_equal(4, folder_count_entries(bed_in(b, "snapshots")));
    for (uint64_t id = 7; id <= 10; id++) {
        stream_snapshot_path(path, sizeof path, "", id % 2 ? "one" : "two", id);
        assert_true(bed_has(b, path));
    }
}

static void snapshots_are_wanted_where_there_are_zones(void **state)
{
    bed *b = *state;
    assert_false(stream_sink_snapshot.is_wanted(&b->o));
    snprintf(b->o.zones, sizeof b->o.zones, "zones.yaml");
    assert_true(stream_sink_snapshot.is_wanted(&b->o));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED_TEST(crops_are_the_boxes_parts_of_the_picture),
        BED_TEST(the_newest_crops_are_kept),
        BED_TEST(all_crops_are_kept_when_asked_for),
        BED_TEST(events_that_ask_have_a_snapshot),
        BED_TEST(the_newest_snapshots_are_kept),
        BED_TEST(snapshots_are_wanted_where_there_are_zones),
    };
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}
