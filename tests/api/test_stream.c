/* vigil/stream.h as a program of others uses it: a job on drawn pictures from its first frame to
 * its last, what its listener, systemd and the guard are told, and what is refused. */
#include "support/test.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "stream/scenes.h"
#include "support/ok.h"
#include "vigil/vigil.h"

#define WEIGHTS TEST_GOLDEN_DIR "/yolo11n_random.pt"

typedef struct bench {
    char folder[256];
    vg_stream *s;
    vg_error err;
    _Atomic int n_results, n_boxes, n_ids;
    _Atomic uint64_t last_index;
    _Atomic bool in_order, is_named;
    int n_ticks, n_notes, n_ready;
    char note[1200];
    int service_fd; /* 0: none */
    char said[16384];
    int stop_after;        /* results; 0: never */
    int reload_at;         /* results; 0: never */
    const char *next_list; /* that is written before; NULL: none */
    int slow_ms;           /* a result */
    double began_s;
} bench;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int set_up(void **state)
{
    bench *t = scene_alloc(sizeof *t);
    *state = t;
    t->in_order = t->is_named = true;
    unsetenv("NOTIFY_SOCKET");
    if (vg_stream_create(&t->s, &t->err) != VG_OK ||
        vg_stream_set(t->s, "weights", WEIGHTS, &t->err) != VG_OK ||
        vg_stream_set(t->s, "imgsz", "64", &t->err) != VG_OK ||
        vg_stream_set(t->s, "threads", "1", &t->err) != VG_OK ||
        vg_stream_set(t->s, "quiet", "true", &t->err) != VG_OK)
        return -1;
    return folder_make(t->folder, sizeof t->folder);
}

static int tear_down(void **state)
{
    bench *t = *state;
    vg_stream_destroy(&t->s);
    folder_remove(t->folder);
    free(t);
    return 0;
}

static void set(bench *t, const char *name, const char *value)
{
    OK(vg_stream_set(t->s, name, value, err));
}

/* ---- a listener ---- */

static void see_result(void *ctx, const vg_stream_result *r)
{
    bench *t = ctx;
    t->in_order = t->in_order && (r->index == 0 || r->index > t->last_index);
    t->last_index = r->index;
    t->n_boxes += (int)r->n_detections;
    for (size_t i = 0; i < r->n_detections && r->ids != NULL; i++)
        t->n_ids += r->ids[i] > 0;
    t->in_order = t->in_order && r->source_index < vg_stream_n_sources(t->s);
    if (r->n_detections > 0)
        t->is_named =
            t->is_named && vg_stream_class_name(t->s, r->detections[0].class_index)[0] != '\0';
    if (t->slow_ms > 0)
        poll(NULL, 0, t->slow_ms);
    t->n_results++;
}

static void see_note(void *ctx, const char *what)
{
    bench *t = ctx;
    t->n_notes++;
    snprintf(t->note, sizeof t->note, "%s", what);
}

static void see_ready(void *ctx)
{
    ((bench *)ctx)->n_ready++;
}

/* A socket holds ten messages or so: they are taken as they come. */
static void service_hear(bench *t)
{
    ssize_t n = t->service_fd > 0 ? 1 : 0;
    while (n > 0) {
        const size_t k = strlen(t->said);
        n = recv(t->service_fd, t->said + k, sizeof t->said - k - 2, 0);
        if (n > 0)
            strcpy(t->said + k + n, "\n");
    }
}

static void see_tick(void *ctx)
{
    bench *t = ctx;
    t->n_ticks++;
    service_hear(t);
}

static bool wants_stop(void *ctx)
{
    bench *t = ctx;
    if (t->stop_after == 0 || t->n_results < t->stop_after ||
        (t->next_list != NULL && t->n_notes == 0))
        return false;
    if (t->began_s <= 0)
        t->began_s = now_s();
    return true;
}

static bool wants_reload(void *ctx)
{
    bench *t = ctx;
    if (t->reload_at == 0 || t->n_results < t->reload_at)
        return false;
    t->reload_at = 0;
    if (t->next_list != NULL)
        scene_write_text(scene_path(t->folder, "cams.streams"), t->next_list);
    return true;
}

static vg_status run(bench *t)
{
    const vg_stream_listener l = {.ctx = t,
                                  .result = see_result,
                                  .ready = see_ready,
                                  .note = see_note,
                                  .tick = see_tick,
                                  .wants_stop = wants_stop,
                                  .wants_reload = wants_reload};
    return vg_stream_run(t->s, &l, &t->err);
}

static void drawn(char *out, size_t n, int frames, const char *rest)
{
    snprintf(out, n, "lavfi:testsrc2=size=96x64:rate=25:duration=%g%s", frames / 25.0, rest);
}

/* ---- runs ---- */

static void every_frame_comes_to_the_listener_in_order(void **state)
{
    bench *t = *state;
    char source[128];
    drawn(source, sizeof source, 40, "");
    set(t, "source", source);
    set(t, "track", "true");
    set(t, "conf", "0.001");
    if (run(t) != VG_OK)
        fail_msg("%s, at %s", t->err.what, t->err.where);
    assert_int_equal(t->n_results, 40);
    assert_true(t->in_order && t->is_named);
    assert_true(t->n_boxes > 0 && t->n_ids == t->n_boxes);
    assert_int_equal(t->n_ready, 1);
    assert_true(t->n_ticks > 0);
    assert_int_equal(vg_stream_n_sources(t->s), 1);
    vg_stream_source_stats c;
    vg_stream_source_get(t->s, 0, &c);
    assert_string_equal(c.state, "ended");
    assert_int_equal(c.n_results, 40);
    assert_int_equal(c.n_dropped, 0);
    assert_int_equal(c.width, 96);
    assert_int_equal(c.n_faults, 0);
    assert_string_equal(c.stages[VG_STREAM_STAGES - 1].name, "latency");
    assert_int_equal(c.stages[VG_STREAM_STAGES - 1].n, 40);
    assert_true(c.stages[VG_STREAM_STAGES - 1].p99_ms >= c.stages[VG_STREAM_STAGES - 1].p50_ms);
    uint64_t n_batches, n_frames;
    vg_stream_batches(t->s, &n_batches, &n_frames);
    assert_int_equal(n_frames, 40);
    vg_memory m;
    vg_stream_memory(t->s, &m);
    assert_true(m.planned_bytes > 0 && m.in_use_bytes > 0);
    assert_true(vg_stream_seconds(t->s) > 0);
    assert_int_equal(run(t), VG_ERR_ARGUMENT); /* once */
}

typedef struct looker {
    vg_stream *s;
    int n, n_bright, n_alike;
    vg_status small;
} looker;

/* testsrc's colours are of the first frame to the last, its bars among them. */
static void look_at_frame(void *ctx, const vg_stream_result *r)
{
    static uint8_t rgb[64 * 48 * 3], bgr[64 * 48 * 3];
    looker *k = ctx;
    const vg_picture as_rgb = {.pixels = rgb, .width = r->width, .height = r->height};
    const vg_picture as_bgr = {
        .pixels = bgr, .width = r->width, .height = r->height, .format = VG_BGR};
    const vg_picture small = {.pixels = rgb, .width = 32, .height = 24};
    vg_error err;
    if (r->width != 64 || r->height != 48 || vg_stream_frame(k->s, &as_rgb, &err) != VG_OK ||
        vg_stream_frame(k->s, &as_bgr, &err) != VG_OK)
        return;
    k->small = vg_stream_frame(k->s, &small, &err);
    bool is_alike = true;
    int most = 0;
    for (size_t i = 0; i < sizeof rgb; i += 3) {
        is_alike = is_alike && rgb[i] == bgr[i + 2] && rgb[i + 1] == bgr[i + 1];
        most = rgb[i] > most ? rgb[i] : most;
    }
    k->n++;
    k->n_alike += is_alike;
    k->n_bright += most > 200;
}

static void a_listener_that_wants_frames_gets_their_pixels(void **state)
{
    bench *t = *state;
    uint8_t rgb[64 * 48 * 3];
    looker k = {.s = t->s};
    const vg_stream_listener l = {.ctx = &k, .wants_frames = true, .result = look_at_frame};
    const vg_picture out = {.pixels = rgb, .width = 64, .height = 48};
    set(t, "source", "lavfi:testsrc=size=64x48:rate=10:duration=0.5");
    set(t, "save", "false");
    assert_int_equal(vg_stream_frame(t->s, &out, &t->err), VG_ERR_ARGUMENT); /* nothing runs */
    OK(vg_stream_run(t->s, &l, err));
    assert_int_equal(k.n, 5);
    assert_int_equal(k.n_alike, 5);
    assert_int_equal(k.n_bright, 5);
    assert_int_equal(k.small, VG_ERR_ARGUMENT);
    assert_int_equal(vg_stream_frame(t->s, &out, &t->err), VG_ERR_ARGUMENT); /* it is over */
}

static void frames_are_not_there_for_a_listener_that_wants_none(void **state)
{
    bench *t = *state;
    looker k = {.s = t->s};
    const vg_stream_listener l = {.ctx = &k, .result = look_at_frame};
    set(t, "source", "lavfi:testsrc=size=64x48:rate=10:duration=0.2");
    set(t, "save", "false");
    OK(vg_stream_run(t->s, &l, err));
    assert_int_equal(k.n, 0);
}

static void a_wish_to_stop_is_done_at_once_with_a_slow_listener_too(void **state)
{
    bench *t = *state;
    set(t, "source", "lavfi:testsrc2=size=96x64:rate=25");
    t->stop_after = 3;
    t->slow_ms = 50;
    assert_int_equal(run(t), VG_ERR_INTERRUPTED);
    /* Two seconds are promised; a loaded machine gets more. */
    assert_true(now_s() - t->began_s < 20);
}

static void duration_ends_it(void **state)
{
    bench *t = *state;
    set(t, "source", "lavfi:testsrc2=size=96x64:rate=25");
    set(t, "duration", "300ms");
    if (run(t) != VG_OK)
        fail_msg("%s", t->err.what);
    assert_true(vg_stream_seconds(t->s) >= 0.3);
}

/* The list is another one by the time that it is read again. */
static void reload_with(bench *t, const char *list)
{
    const char *path = scene_path(t->folder, "cams.streams");
    scene_write_text(path, "lavfi:testsrc2=size=96x64:rate=25\n");
    set(t, "source", path);
    set(t, "most_sources", "2");
    t->next_list = list;
    t->reload_at = 5;
    t->stop_after = 30;
    assert_int_equal(run(t), VG_ERR_INTERRUPTED);
    assert_int_equal(t->n_notes, 1);
}

static void a_reload_takes_the_new_list(void **state)
{
    bench *t = *state;
    vg_stream_source_stats c;
    reload_with(t, "lavfi:testsrc2=size=96x64:rate=25\nlavfi:testsrc=size=96x64\n");
    assert_string_equal(t->note, "reloaded: 2 sources");
    vg_stream_source_get(t->s, 1, &c);
    assert_non_null(strstr(c.name, "testsrc="));
    vg_stream_source_get(t->s, 0, &c);
    assert_int_equal(c.n_connects, 1); /* not touched */
}

static void a_list_that_is_wrong_changes_nothing(void **state)
{
    bench *t = *state;
    vg_stream_source_stats c;
    reload_with(t, "lavfi:testsrc2=size=96x64:rate=25\nnope.mp4\n");
    assert_non_null(strstr(t->note, "not reloaded: no such file or folder: nope.mp4"));
    assert_non_null(strstr(t->note, "cams.streams:2"));
    vg_stream_source_get(t->s, 0, &c);
    assert_true(c.n_results >= 30);
}

static void what_is_wrong_is_told_before_anything_starts(void **state)
{
    static const struct {
        const char *name, *value;
        vg_status status;
        const char *what;
    } cases[] = {
        {"source", "/nonexistent.mp4", VG_ERR_IO, "no such file or folder"},
        {"weights", "/nonexistent.pt", VG_ERR_IO, ""},
        {"classes", "80", VG_ERR_ARGUMENT, "class 80 of a model of 80 classes"},
        {"zones", "/nonexistent.yaml", VG_ERR_IO, ""},
        {"memory_limit", "1M", VG_ERR_LIMIT, ""},
        {"token", "x", VG_ERR_ARGUMENT, "token without serve"},
    };
    bench *t = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_memory plan;
        vg_stream *s = NULL;
        OK(vg_stream_create(&s, err));
        OK(vg_stream_set(s, "weights", WEIGHTS, err));
        OK(vg_stream_set(s, "imgsz", "64", err));
        OK(vg_stream_set(s, "source", "lavfi:testsrc2=size=96x64", err));
        OK(vg_stream_set(s, "project", t->folder, err));
        OK(vg_stream_set(s, "save", "true", err));
        OK(vg_stream_set(s, cases[i].name, cases[i].value, err));
        assert_int_equal(vg_stream_check(s, NULL, NULL, &plan, &t->err), cases[i].status);
        if (strstr(t->err.what, cases[i].what) == NULL)
            fail_msg("check: %s", t->err.what);
        assert_int_equal(plan.n_items > 0, cases[i].status == VG_ERR_LIMIT);
        assert_int_equal(vg_stream_run(s, NULL, &t->err), cases[i].status);
        if (strstr(t->err.what, cases[i].what) == NULL)
            fail_msg("run: %s", t->err.what);
        vg_stream_destroy(&s);
        assert_int_equal(folder_count_entries(t->folder), 0);
    }
}

static void see_source(void *ctx, const vg_stream_source *s)
{
    char *text = ctx;
    const size_t n = strlen(text);
    snprintf(text + n, 512 - n, "%s:%s:%d:%d ", s->stem, s->kind, s->keeps_all, s->ends);
}

static void a_check_tells_sources_and_plan_and_starts_nothing(void **state)
{
    bench *t = *state;
    const char *path = scene_path(t->folder, "cams.streams");
    char text[512] = "";
    vg_memory plan, again;
    scene_write_text(path, "rtsp://127.0.0.1:1/door\nlavfi:testsrc2=size=96x64\n0\n");
    set(t, "source", path);
    OK(vg_stream_check(t->s, see_source, text, &plan, err));
    assert_string_equal(text,
                        "127.0.0.1-1-door:network:0:0 testsrc2:drawn:1:1 camera0:camera:0:0 ");
    assert_true(plan.planned_bytes > 1 << 20);
    OK(vg_stream_check(t->s, NULL, NULL, &again, err)); /* as often as one likes */
    assert_int_equal(again.planned_bytes, plan.planned_bytes);
    assert_int_equal(vg_stream_n_sources(t->s), 0);
    vg_stream_source_stats c;
    vg_stream_source_get(t->s, 0, &c);
    assert_string_equal(c.state, "empty");
    /* More places are more memory: linear in their number. */
    size_t more[2];
    for (int i = 0; i < 2; i++) {
        set(t, "batch", "1");
        set(t, "most_sources", i == 0 ? "13" : "23");
        OK(vg_stream_check(t->s, NULL, NULL, &again, err));
        more[i] = again.planned_bytes;
    }
    set(t, "most_sources", "3");
    OK(vg_stream_check(t->s, NULL, NULL, &plan, err));
    assert_true(more[0] > plan.planned_bytes);
    assert_int_equal(more[1] - more[0], more[0] - plan.planned_bytes);
}

/* ---- who else is told ---- */

static void systemd_is_told_and_only_by_progress(void **state)
{
    bench *t = *state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[64];
    const char *all = t->said;
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    snprintf(name, sizeof name, "@vigil-stream-test-%d", (int)getpid());
    memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    t->service_fd = fd;
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    set(t, "source", "lavfi:testsrc2=size=96x64:rate=25,realtime");
    t->stop_after = 60; /* more than a second */
    t->reload_at = 10;
    assert_int_equal(run(t), VG_ERR_INTERRUPTED);
    service_hear(t);
    close(fd);
    const char *const wanted[] = {"READY=1", "1 of 1 sources play", "WATCHDOG=1", "RELOADING=1",
                                  "READY=1", "STOPPING=1"};
    assert_null(getenv("NOTIFY_SOCKET"));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(all, wanted[i]) == NULL)
            fail_msg("no %s in:\n%s", wanted[i], all);
    assert_true(strstr(all, "RELOADING=1") < strstr(strstr(all, "RELOADING=1"), "READY=1"));
}

/* ---- options ---- */

static void the_table_is_whole(void **state)
{
    bench *t = *state;
    size_t n;
    const vg_option *rows = vg_stream_options(&n);
    char value[1200];
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, "config") != 0)
            set(t, rows[i].name, vg_stream_get(t->s, rows[i].name, value, sizeof value));
    assert_string_equal(vg_stream_get(t->s, "no such", value, sizeof value), "");
    assert_int_equal(vg_stream_set(t->s, "vid_strid", "2", &t->err), VG_ERR_ARGUMENT);
    assert_string_equal(t->err.mend, "vid_stride");
    assert_string_equal(vg_stream_event_name(VG_STREAM_ABSENT), "absent");
    assert_false(vg_stream_takes(WEIGHTS, NULL));
    assert_true(vg_stream_takes("rtsp://a/1", NULL));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(every_frame_comes_to_the_listener_in_order),
        T(a_listener_that_wants_frames_gets_their_pixels),
        T(frames_are_not_there_for_a_listener_that_wants_none),
        T(a_wish_to_stop_is_done_at_once_with_a_slow_listener_too),
        T(duration_ends_it),
        T(a_reload_takes_the_new_list),
        T(a_list_that_is_wrong_changes_nothing),
        T(what_is_wrong_is_told_before_anything_starts),
        T(a_check_tells_sources_and_plan_and_starts_nothing),
        T(systemd_is_told_and_only_by_progress),
        T(the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
