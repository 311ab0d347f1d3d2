/* A source whose pictures change their size in mid-stream shows another scene: its tracks end, and
 * who was in its zones is there no more, however alike the pictures are. */
#include "video/clips.h"

#include "stream/job/job.h"
#include "stream/job/prove.h"

enum { H_BEFORE = 64, MOST_CLASSES = 80 };

static struct {
    stream_options o;
    stream_accounts mem;
    stream_job *l;
    int n_before, n_after; /* results */
    int64_t last_id;       /* of those before */
    int n_boxes_after, n_ids_before_after;
    bool was_inside[MOST_CLASSES]; /* by the last event of the class, before */
    bool has_entered;              /* since, in a class that was inside */
    int n_still_inside, n_in;
} t;

static void see_before(const stream_result *r)
{
    t.n_before++;
    for (size_t i = 0; i < r->n_boxes; i++)
        t.last_id = r->ids[i] > t.last_id ? r->ids[i] : t.last_id;
    for (size_t i = 0; i < r->n_events; i++)
        t.was_inside[r->events[i].class_index] = r->events[i].inside > 0;
}

static void see_after(const stream_result *r)
{
    t.n_after++;
    t.n_boxes_after += (int)r->n_boxes;
    for (size_t i = 0; i < r->n_boxes; i++)
        t.n_ids_before_after += r->ids[i] <= t.last_id;
    for (size_t i = 0; i < r->n_events && !t.has_entered; i++) {
        const vg_stream_event *e = &r->events[i];
        if (!t.was_inside[e->class_index] || e->kind != VG_STREAM_ENTER)
            continue;
        t.has_entered = true;
        t.n_still_inside = e->inside - 1;
        t.n_in = (int)e->n_in;
    }
}

static void see(void *ctx, const stream_result *r)
{
    (void)ctx;
    if (r->frame.h == H_BEFORE)
        see_before(r);
    else
        see_after(r);
}

static void set(const char *name, const char *value)
{
    OK(stream_options_set(&t.o, name, value, err));
}

/* Bars that stand still: the same objects in both, but for their height. */
static void make_film(const char *path)
{
    static const char *const parts[] = {
        "-f lavfi -i smptebars=size=96x64:rate=10:duration=2 -c:v mpeg2video",
        "-f lavfi -i smptebars=size=96x72:rate=10:duration=2 -c:v mpeg2video"};
    FILE *film = fopen(path, "wb");
    for (int i = 0; i < 2; i++) {
        char bytes[4096];
        FILE *part = fopen(clip_make(i == 0 ? "before.ts" : "after.ts", parts[i]), "rb");
        assert_non_null(part);
        for (size_t n; (n = fread(bytes, 1, sizeof bytes, part)) > 0;)
            assert_int_equal(fwrite(bytes, 1, n, film), n);
        fclose(part);
    }
    assert_int_equal(fclose(film), 0);
}

static void set_options(const char *film, const char *zones)
{
    stream_options_default(&t.o);
    set("source", film);
    set("weights", TEST_GOLDEN_DIR "/yolo11n_random.pt");
    set("imgsz", "32");
    set("threads", "1");
    set("conf", "0.001"); /* the weights are random: everything is an object */
    set("track", "true");
    set("track_high_thresh", "0.001");
    set("track_low_thresh", "0.0005");
    set("new_track_thresh", "0.001");
    set("zones", zones);
    set("project", folder);
    set("save", "false");
    OK(stream_options_check(&t.o, err));
}

static void another_size_is_another_scene(void **state)
{
    static const stream_listener listener = {.result = see};
    char film[512], zones[512];
    bool ended = false;
    (void)state;
    snprintf(film, sizeof film, "%s", clip_path("film.ts"));
    snprintf(zones, sizeof zones, "%s", clip_path("zones.yaml"));
    make_film(film);
    FILE *f = fopen(zones, "w");
    fputs("zones:\n  - name: whole\n    polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]\n"
          "    anchor: center\n    debounce: 1 frames\n",
          f);
    assert_int_equal(fclose(f), 0);
    set_options(film, zones);
    stream_accounts_init(&t.mem, 0);
    OK(stream_job_open(&t.l, &t.o, &listener, &t.mem, err));
    for (int i = 0; i < 1200 && !ended; i++)
        OK(stream_job_wait(t.l, 100, &ended, err));
    assert_true(ended);
    assert_int_equal(stream_job_stats(t.l)->channels[0].n_size_changes, 1);
    OK(stream_job_close(&t.l, 10, err));
    assert_true(t.n_before > 15 && t.n_after > 15); /* of 20 each */
    assert_true(t.last_id > 0 && t.n_boxes_after > 0);
    assert_int_equal(t.n_ids_before_after, 0);
    assert_true(t.has_entered);
    assert_int_equal(t.n_still_inside, 0);
    assert_true(t.n_in > 1); /* totals stay */
    assert_int_equal(t.mem.root.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(another_size_is_another_scene)};
    base_log_setup(BASE_LOG_OFF, false);
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
