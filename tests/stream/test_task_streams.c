/* test_task_streams.c: streams of models of every task, with the generator's weights: what stands
 * beside boxes, tracks and zones, what is written of it, and that a frame takes no memory. */
#include "stream/task_jobs.h"

enum { FRAMES = 90, WARM = 30, LATE = 70 };

typedef struct live {
    stream_options o;
    stream_accounts mem;
    stream_job *l;
    vg_error err;
    char folder[256];
    vg_task task;
    int n_results, n_objects, n_events, n_wrong; /* written by the job's thread until it ends */
    uint64_t n_allocs[2];                        /* ever, at the WARM-th result and the LATE-th */
} live;

/* What the task promises of a result. */
static bool is_whole(const live *t, const stream_result *r)
{
    const vg_extras *e = &r->extras;
    const bool is_tracked = r->ids != NULL || r->n_boxes == 0;
    switch (t->task) {
    case VG_TASK_SEGMENT:
        return e->masks != NULL && is_tracked;
    case VG_TASK_POSE:
        return e->keypoints != NULL && e->n_keypoints == 17 && is_tracked;
    case VG_TASK_OBB:
        return e->rotated != NULL && is_tracked;
    case VG_TASK_CLASSIFY:
        return e->n_top == 5 && r->n_boxes == 0;
    default:
        return false;
    }
}

static void see(void *ctx, const stream_result *r)
{
    live *t = ctx;
    t->n_wrong += r->extras.task != t->task || !is_whole(t, r);
    for (size_t i = 0; r->ids != NULL && i < r->n_boxes; i++)
        t->n_wrong += r->ids[i] < 1;
    t->n_objects += (int)(r->n_boxes + r->extras.n_top);
    t->n_events += (int)r->n_events;
    t->n_results++;
    if (t->n_results == WARM || t->n_results == LATE)
        t->n_allocs[t->n_results == LATE] = t->mem.root.n_allocs;
}

static int set_up(void **state)
{
    live *t = scene_alloc(sizeof *t);
    *state = t;
    return folder_make(t->folder, sizeof t->folder);
}

static int tear_down(void **state)
{
    live *t = *state;
    stream_job_close(&t->l, 0, NULL);
    const bool is_clean = t->mem.root.in_use_bytes == 0;
    folder_remove(t->folder);
    free(t);
    return is_clean ? 0 : -1;
}

static void set_options(live *t, const model *m, const char *zone)
{
    stream_options *o = &t->o;
    stream_options_default(o);
    stream_accounts_init(&t->mem, 0);
    base_format(o->weights, sizeof o->weights, "%s", write_weights(t->folder, m));
    base_format(o->project, sizeof o->project, "%s/runs", t->folder);
    base_format(o->name, sizeof o->name, "live");
    base_format(o->source, sizeof o->source, "lavfi:testsrc2=size=96x54:rate=30:duration=3");
    o->imgsz.h = o->imgsz.w = 96;
    o->threads = 1;
    o->max_det = 20;
    o->conf = 1e-4;
    o->save = o->save_json = true;
    o->track = t->task != VG_TASK_CLASSIFY;
    o->tracker.track_high_thresh = o->tracker.new_track_thresh = 1e-4F;
    o->tracker.track_low_thresh = 5e-5F;
    if (zone == NULL)
        return;
    base_format(o->zones, sizeof o->zones, "%s/zones.yaml", t->folder);
    FILE *f = fopen(o->zones, "w");
    assert_non_null(f);
    fprintf(f,
            "zones:\n- {name: all, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]], debounce: 1 frames, "
            "%s}\n",
            zone);
    assert_int_equal(fclose(f), 0);
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)) != NULL; text++)
        n++;
    return n;
}

/* Until its film ends; between a third of it and nearly all nothing is taken. */
static void run(live *t, const model *m, vg_task of, const char *zone, const char *field)
{
    const stream_listener listener = {.ctx = t, .result = see};
    bool has_ended = false;
    t->task = of;
    set_options(t, m, zone);
    if (stream_job_open(&t->l, &t->o, &listener, &t->mem, &t->err) != VG_OK)
        fail_msg("%s, at %s", t->err.what, t->err.where);
    while (!has_ended)
        assert_int_equal(stream_job_wait(t->l, 100, &has_ended, &t->err), VG_OK);
    stream_job_close(&t->l, 0, NULL);
    assert_int_equal(t->n_results, FRAMES);
    assert_int_equal(t->n_wrong, 0);
    assert_true(t->n_objects >= 10);
    assert_true(t->n_allocs[0] > 0);
    assert_int_equal(t->n_allocs[1], t->n_allocs[0]);
    char path[400], *text = NULL;
    size_t bytes;
    snprintf(path, sizeof path, "%s/runs/live/predictions.jsonl", t->folder);
    assert_int_equal(base_file_read(&text, &bytes, path, SIZE_MAX / 2, &t->mem.root, &t->err),
                     VG_OK);
    assert_int_equal(count(text, "\n"), FRAMES);
    assert_true(count(text, field) >= 10);
    base_free(text);
}

static void masks_are_tracked_and_counted_by_zones(void **state)
{
    live *t = *state;
    run(t, &segment, VG_TASK_SEGMENT, "anchor: mask, overlap: 0.9", "\"segments\":");
    assert_true(t->n_events > 0); /* all of every mask is in the whole picture */
}

static void keypoints_are_tracked(void **state)
{
    run(*state, &pose, VG_TASK_POSE, NULL, "\"keypoints\":");
}

static void turned_boxes_are_tracked_and_counted_by_zones(void **state)
{
    live *t = *state;
    run(t, &obb, VG_TASK_OBB, "anchor: center", "\"xyxyxyxy\":");
    assert_true(t->n_events > 0);
}

static void classes_of_every_frame_are_told(void **state)
{
    run(*state, &classify, VG_TASK_CLASSIFY, NULL, "\"name\":");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(masks_are_tracked_and_counted_by_zones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keypoints_are_tracked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(turned_boxes_are_tracked_and_counted_by_zones, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(classes_of_every_frame_are_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
