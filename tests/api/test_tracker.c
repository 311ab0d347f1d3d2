/* A tracker that is fed picture by picture: ids, keys, the camera, and what it holds. */
#include "support/test.h"

#include <math.h>

#include "stream/scenes.h"
#include "vigil/vigil.h"

enum { MOST = 8, WORLD_W = 320, WORLD_H = 260, W = 200, H = 160 };

static vg_tracker *open_with(const vg_tracker_key *keys, size_t n)
{
    vg_tracker *t = NULL;
    vg_error err;
    if (vg_tracker_open(&t, keys, n, 0, &err) != VG_OK)
        fail_msg("%s: %s", err.where, err.what);
    return t;
}

static vg_detection box(float x, float y, float confidence)
{
    return (vg_detection){x, y, x + 20, y + 40, confidence, 2};
}

static void objects_keep_their_ids(void **state)
{
    (void)state;
    vg_tracker *t = open_with(NULL, 0);
    vg_error err;
    for (int i = 0; i < 10; i++) {
        vg_detection boxes[2] = {box(10 + 3 * (float)i, 20, 0.9f),
                                 box(200 - 4 * (float)i, 60, 0.8f)};
        int64_t ids[2] = {-1, -1};
        size_t n = 2;
        assert_int_equal(vg_tracker_step(t, boxes, ids, &n, NULL, &err), VG_OK);
        assert_int_equal(n, 2);
        assert_int_equal(ids[0], 1);
        assert_int_equal(ids[1], 2);
        assert_true(boxes[1].confidence == 0.8f); /* the detector's, in its order */
    }
    vg_tracker_clear(t);
    vg_detection again[1] = {box(10, 20, 0.9f)};
    int64_t id = 0;
    size_t n = 1;
    assert_int_equal(vg_tracker_step(t, again, &id, &n, NULL, &err), VG_OK);
    assert_true(n == 1 && id > 2);
    n = 0;
    assert_int_equal(vg_tracker_step(t, NULL, NULL, &n, NULL, &err), VG_OK);
    assert_int_equal(n, 0);
    vg_tracker_close(&t);
    assert_null(t);
    vg_tracker_close(&t);
}

static void a_track_begins_above_conf_and_goes_on_below(void **state)
{
    (void)state;
    const vg_tracker_key keys[] = {{"conf", "0.6"}, {"track-low-thresh", "0.2"}};
    vg_tracker *t = open_with(keys, 2);
    assert_true(vg_tracker_conf(t) == 0.2f);
    static const float confidence[] = {0.5f, 0.7f, 0.3f};
    static const size_t want[] = {0, 1, 1};
    for (int i = 0; i < 3; i++) {
        vg_detection b = box(10, 10, confidence[i]);
        int64_t id;
        size_t n = 1;
        assert_int_equal(vg_tracker_step(t, &b, &id, &n, NULL, NULL), VG_OK);
        if (i != 1) /* after the first picture it takes two in a row to begin one */
            assert_int_equal(n, i == 2 ? want[i] : 0);
    }
    vg_tracker_close(&t);
}

/* ---- the camera ---- */

/* The last id of an object that stands still before a camera that shakes. */
static int64_t last_id(const char *tracker, bool shows, vg_pixel_format format)
{
    const vg_tracker_key keys[] = {{"tracker", tracker}};
    vg_tracker *t = open_with(keys, 1);
    uint8_t *world = scene_make(WORLD_W, WORLD_H, 3);
    float *floats = malloc(WORLD_W * WORLD_H * 3 * sizeof *floats);
    for (size_t i = 0; i < WORLD_W * WORLD_H * 3; i++)
        floats[i] = (float)world[i] / 255;
    int64_t last = 0;
    for (int i = 0; i < 20; i++) {
        const int x = (int)(60 + 15 * sin(2.1 * i)), y = (int)(50 + 10 * cos(1.7 * i));
        const size_t at = ((size_t)y * WORLD_W + (size_t)x) * 3;
        vg_image image = {.pixels = world + at, .width = W, .height = H, .stride = WORLD_W * 3};
        if (format == VG_RGB_FLOAT) {
            image.pixels = floats + at;
            image.stride *= sizeof *floats;
        }
        image.format = format;
        vg_detection b = box((float)(150 - x), (float)(120 - y), 0.9f);
        int64_t id = 0;
        size_t n = 1;
        assert_int_equal(vg_tracker_step(t, &b, &id, &n, shows ? &image : NULL, NULL), VG_OK);
        last = n > 0 ? id : last;
    }
    free(world);
    free(floats);
    vg_tracker_close(&t);
    return last;
}

static void a_camera_that_shakes_is_followed_by_botsort(void **state)
{
    (void)state;
    /* Once it is lost it is never seen twice in one place: then no further track begins. */
    assert_int_equal(last_id("botsort.yaml", true, VG_RGB), 1);
    assert_int_equal(last_id("botsort", true, VG_BGR), 1);
    assert_int_equal(last_id("botsort", true, VG_RGB_FLOAT), 1);
    vg_tracker *t = open_with(&(vg_tracker_key){"tracker", "botsort"}, 1);
    assert_true(vg_tracker_follows_camera(t));
    vg_tracker_close(&t);
    t = open_with(NULL, 0);
    assert_false(vg_tracker_follows_camera(t));
    vg_tracker_close(&t);
    const vg_tracker_key still[] = {{"gmc_method", "none"}, {"tracker", "botsort"}};
    t = open_with(still, 2);
    assert_false(vg_tracker_follows_camera(t));
    vg_tracker_close(&t);
}

static int n_seen(const char *tracker)
{
    const vg_tracker_key keys[] = {{"tracker", tracker}};
    vg_tracker *t = open_with(keys, 1);
    uint8_t *world = scene_make(WORLD_W, WORLD_H, 3);
    int n_all = 0;
    for (int i = 0; i < 20; i++) {
        const int x = (int)(60 + 15 * sin(2.1 * i)), y = (int)(50 + 10 * cos(1.7 * i));
        const vg_image image = {.pixels = world + ((size_t)y * WORLD_W + (size_t)x) * 3,
                                .width = W,
                                .height = H,
                                .stride = WORLD_W * 3};
        vg_detection b = box((float)(150 - x), (float)(120 - y), 0.9f);
        int64_t id = 0;
        size_t n = 1;
        assert_int_equal(vg_tracker_step(t, &b, &id, &n, &image, NULL), VG_OK);
        n_all += (int)n;
    }
    free(world);
    vg_tracker_close(&t);
    return n_all;
}

static void without_the_camera_it_is_lost(void **state)
{
    (void)state;
    assert_int_equal(n_seen("botsort"), 20);
    assert_true(n_seen("bytetrack") < 10);
}

/* ---- keys ---- */

static void a_file_says_what_keys_do_not(void **state)
{
    (void)state;
    char folder[256];
    assert_int_equal(folder_make(folder, sizeof folder), 0);
    const char *path = scene_path(folder, "mine.yaml");
    scene_write_text(path, "tracker_type: botsort\ntrack_low_thresh: 0.05\nconf: 0.5\n");
    vg_tracker *t = NULL;
    vg_error err;
    const vg_tracker_key keys[] = {{"track_low_thresh", "0.15"}, {"tracker", path}};
    assert_int_equal(vg_tracker_open(&t, keys + 1, 1, 0, &err), VG_ERR_FORMAT); /* conf is no key */
    assert_null(t);
    assert_non_null(strstr(err.where, "mine.yaml:3"));
    scene_write_text(path, "tracker_type: botsort\ntrack_low_thresh: 0.05\n");
    t = open_with(keys + 1, 1);
    assert_true(vg_tracker_follows_camera(t));
    assert_true(vg_tracker_conf(t) == 0.05f);
    vg_tracker_close(&t);
    t = open_with(keys, 2);
    assert_true(vg_tracker_conf(t) == 0.15f);
    vg_tracker_close(&t);
    folder_remove(folder);
}

static void wrong_keys_are_refused(void **state)
{
    (void)state;
    static const struct {
        vg_tracker_key key;
        const char *says;
    } wrong[] = {
        {{"track_bufer", "3"}, "track_bufer"},
        {{"track_buffer", "0"}, "track_buffer"},
        {{"track_high_thresh", "2"}, "thresh"},
        {{"tracker", "deepsort.yaml"}, "deepsort"},
        {{"with_reid", "true"}, "with_reid"},
        {{"gmc_method", "orb"}, "gmc_method"},
        {{"track_high_thresh", "0.01"}, "0.01"},
        {{"max_det", "1001"}, "max_det"},
        {{"most_tracks", "many"}, "most_tracks"},
        {{NULL, "1"}, "name"},
        {{"conf", NULL}, "value"},
        {{"conf", "1.5"}, "conf"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vg_tracker *t = (vg_tracker *)&t;
        vg_error err = {0};
        assert_int_equal(vg_tracker_open(&t, &wrong[i].key, 1, 0, &err), VG_ERR_ARGUMENT);
        assert_null(t);
        if (strstr(err.what, wrong[i].says) == NULL && strstr(err.where, wrong[i].says) == NULL)
            fail_msg("%zu: \"%s\" at \"%s\"", i, err.what, err.where);
        assert_true(err.mend[0] != '\0');
    }
    vg_tracker *t = open_with(NULL, 0);
    vg_error err;
    size_t n = 1;
    vg_detection b = box(1, 1, 1);
    assert_int_equal(vg_tracker_step(t, &b, NULL, &n, NULL, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_tracker_step(t, NULL, NULL, &n, NULL, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_tracker_step(t, &b, NULL, NULL, NULL, &err), VG_ERR_ARGUMENT);
    vg_tracker_close(&t);
    t = open_with(&(vg_tracker_key){"tracker", "botsort"}, 1);
    int64_t id;
    const vg_image none = {.pixels = NULL};
    assert_int_equal(vg_tracker_step(t, &b, &id, &n, &none, &err), VG_ERR_ARGUMENT);
    assert_int_equal(n, 1);
    vg_tracker_close(&t);
}

/* ---- memory ---- */

static void all_is_planned_and_taken_at_open(void **state)
{
    (void)state;
    const vg_tracker_key keys[] = {{"tracker", "botsort"}, {"most_tracks", "50"}, {"max_det", "8"}};
    vg_tracker *t = open_with(keys, 3);
    vg_memory m, after;
    uint8_t *rgb = scene_make(W, H, 1);
    const vg_image image = {.pixels = rgb, .width = W, .height = H};
    vg_tracker_memory(t, &m);
    assert_int_equal(m.in_use_bytes, m.planned_bytes);
    assert_true(m.planned_bytes > 1000);
    for (int i = 0; i < 50; i++) {
        vg_detection boxes[12];
        int64_t ids[12];
        size_t n = 12;
        for (int k = 0; k < 12; k++)
            boxes[k] = box((float)(13 * k), (float)(i % 7), 0.9f);
        assert_int_equal(vg_tracker_step(t, boxes, ids, &n, &image, NULL), VG_OK);
        assert_true(n <= 8);
    }
    vg_tracker_memory(t, &after);
    assert_int_equal(after.in_use_bytes, m.in_use_bytes);
    for (int i = 0; i < m.n_items; i++)
        assert_int_equal(after.items[i].n_allocations, m.items[i].n_allocations);
    vg_tracker_close(&t);
    vg_error err;
    assert_int_equal(vg_tracker_open(&t, keys, 3, m.planned_bytes - 1, &err), VG_ERR_LIMIT);
    assert_null(t);
    assert_int_equal(vg_tracker_open(&t, keys, 3, m.planned_bytes, &err), VG_OK);
    vg_tracker_close(&t);
    free(rgb);
}

static void tracks_that_are_too_many_are_counted(void **state)
{
    (void)state;
    vg_tracker *t = open_with(&(vg_tracker_key){"most_tracks", "2"}, 1);
    vg_detection boxes[4];
    int64_t ids[4];
    size_t n = 4;
    for (int k = 0; k < 4; k++)
        boxes[k] = box((float)(50 * k), 5, 0.9f);
    assert_int_equal(vg_tracker_step(t, boxes, ids, &n, NULL, NULL), VG_OK);
    assert_int_equal(n, 2);
    assert_int_equal(vg_tracker_n_refused(t), 2);
    vg_tracker_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_keep_their_ids),
        cmocka_unit_test(a_track_begins_above_conf_and_goes_on_below),
        cmocka_unit_test(a_camera_that_shakes_is_followed_by_botsort),
        cmocka_unit_test(without_the_camera_it_is_lost),
        cmocka_unit_test(a_file_says_what_keys_do_not),
        cmocka_unit_test(wrong_keys_are_refused),
        cmocka_unit_test(all_is_planned_and_taken_at_open),
        cmocka_unit_test(tracks_that_are_too_many_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
