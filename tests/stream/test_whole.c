/* One short stream job with everything in it at once: drawn pictures, a file, a stream that is lost
 * and found again, tracks, zones, every sink that needs no screen, readers of its pages, a reload,
 * an end. Other tests look at each part more closely; this is what the thread and address
 * sanitizers and valgrind are given whole. */
#include "video/probe.h" /* before base */

#include "net/broker.h"
#include "net/hook.h"

#include "stream/jobs.h"
#include "support/ok.h"
#include "video/serve.h"

#include "stream/job/job.h"
#include "stream/job/prove.h"

static struct {
    stream_options o;
    stream_accounts mem;
    stream_job *l;
    broker broker;
    server camera;
    char *film; /* what the camera sends */
    int port;   /* of the pages */
    atomic_int n_heard, n_boxes;
} t;

static void set(const char *name, const char *value)
{
    OK(stream_options_set(&t.o, name, value, err));
}

static void setf(const char *name, const char *form, ...)
{
    char text[400];
    va_list values;
    va_start(values, form);
    vsnprintf(text, sizeof text, form, values);
    va_end(values);
    set(name, text);
}

static void hear(void *ctx, const stream_result *r)
{
    (void)ctx;
    t.n_heard++;
    t.n_boxes += (int)r->n_boxes;
}

static vg_status open_live(vg_error *problem)
{
    static const stream_listener listener = {.result = hear};
    OK(stream_options_check(&t.o, err));
    return stream_job_open(&t.l, &t.o, &listener, &t.mem, problem);
}

/* As UNTIL, while the job is waited for as its owner does. */
#define WHILE_IT_RUNS(condition)                                                                   \
    do {                                                                                           \
        const time_t until_ = time(NULL) + 2 * PATIENCE_S;                                         \
        bool ended_ = false;                                                                       \
        while (!(condition)) {                                                                     \
            if (time(NULL) > until_ || ended_)                                                     \
                fail_msg("%s before %s", ended_ ? "it ended" : "time ran out", #condition);        \
            OK(stream_job_wait(t.l, 20, &ended_, err));                                            \
        }                                                                                          \
    } while (0)

static int set_up(void **state)
{
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    memset(&t, 0, sizeof t);
    if (programs_set_up(state) != 0)
        return -1;
    stream_accounts_init(&t.mem, 0);
    stream_options_default(&t.o);
    set("weights", TEST_GOLDEN_DIR "/yolo11n_random.pt");
    set("imgsz", "32");
    set("threads", "2"); /* so that the network's own threads are looked at, too */
    set("max_det", "20");
    set("conf", "0.001"); /* the weights are random: everything is an object */
    set("track_high_thresh", "0.001");
    set("track_low_thresh", "0.0005");
    set("new_track_thresh", "0.001");
    set("video_codec", "mpeg4");
    setf("project", "%s", in_folder("runs"));
    return 0;
}

static int tear_down(void **state)
{
    stream_job_close(&t.l, 0, NULL);
    hook_stop();
    if (t.camera.port != 0)
        serve_stop(&t.camera);
    free(t.film);
    const int n_threads = scene_count_threads(1);
    if (t.mem.root.in_use_bytes != 0 || n_threads != 1)
        fprintf(stderr, "%zu bytes, %d threads are left\n", (size_t)t.mem.root.in_use_bytes,
                n_threads);
    return programs_tear_down(state) != 0 || t.mem.root.in_use_bytes != 0 || n_threads != 1;
}

/* A file to read and a stream to send: the first job's own recording. */
static void record_film(void)
{
    bool ended = false;
    set("source", "lavfi:testsrc2=size=96x64:rate=10:duration=1.5");
    set("name", "film");
    set("save", "true");
    OK(open_live(err));
    for (int i = 0; i < 20 * PATIENCE_S && !ended; i++)
        OK(stream_job_wait(t.l, 100, &ended, err));
    assert_true(ended);
    assert_int_equal(t.n_heard, 15);
    OK(stream_job_close(&t.l, 10, err));
    probe_list *l = probe_files(in_folder("runs/film"), "testsrc2-", ".mp4");
    assert_int_equal(l->n, 1);
    assert_int_equal(rename(l->paths[0], in_folder("runs/film/testsrc2.mp4")), 0);
    free(l);
    t.film = scene_read(in_folder("runs/film/testsrc2.mp4"), &t.camera.n);
    assert_non_null(t.film);
    t.camera.bytes = t.film;
    t.n_heard = 0;
}

static void list(const char *also)
{
    char text[800];
    snprintf(text, sizeof text,
             "lavfi:testsrc=size=64x48:rate=10,realtime\ntcp://127.0.0.1:%d\n%s\n", t.camera.port,
             also);
    write_file("all.streams", text);
}

static void tell_everyone(void)
{
    write_file("zones.yaml", "zones:\n"
                             "  - name: whole\n"
                             "    polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]\n"
                             "    dwell: 200ms\n"
                             "    debounce: 0s\n"
                             "    snapshot: true\n"
                             "  - name: shelf\n"
                             "    polygon: [[0, 0], [0.01, 0], [0, 0.01]]\n"
                             "    classes: [7]\n"
                             "    absent: 300ms\n");
    if (has_mosquitto()) {
        broker_start(&t.broker);
        broker_listen(&t.broker, "heard");
        setf("mqtt", "mqtt://127.0.0.1:%d/shop", t.broker.port);
        set("mqtt_what", "all");
    }
    HOOK(200, 500, 200);
    setf("webhook", "http://127.0.0.1:%d/hook", hooked.port);
    setf("zones", "%s", in_folder("zones.yaml"));
    set("track", "true");
    for (const char *const *name =
             (const char *const[]){"save_txt", "save_conf", "save_crop", "save_json", NULL};
         *name != NULL; name++)
        set(*name, "true");
    set("keep_crops", "30");
    set("keep_snapshots", "10");
    set("segment", "2s"); /* so that a segment is ended and another begun */
    set("json_bytes", "4K");
}

static void start(void)
{
    set("name", "all");
    set("exist_ok", "true");
    setf("source", "%s", in_folder("all.streams"));
    set("retry_first", "50ms");
    set("retry_most", "200ms");
    set("most_sources", "4");
    for (int i = 0; t.l == NULL; i++) {
        vg_error err;
        t.port = free_port();
        setf("serve", "127.0.0.1:%d", t.port);
        if (open_live(&err) != VG_OK && i == 10)
            fail_msg("%s at %s", err.what, err.where);
    }
}

/* Reads up to `most` bytes of an answer; true: `want` is in it. */
static bool page_has(const char *path, const char *want, size_t most)
{
    static char text[1 << 18];
    char request[200];
    size_t n = 0;
    const int fd = dial_port(t.port);
    assert_true(fd >= 0);
    const int k =
        snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
    assert_int_equal(send(fd, request, (size_t)k, MSG_NOSIGNAL), k);
    for (ssize_t got; n < most && (got = recv(fd, text + n, sizeof text - 1 - n, 0)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    close(fd);
    return strstr(text, want) != NULL;
}

static bool has_event(const char *kind)
{
    char want[64];
    snprintf(want, sizeof want, "\"kind\":\"%s\"", kind);
    return !has_mosquitto() || file_has("heard", want);
}

static void everything_at_once_begins_is_lost_found_reloaded_and_ends(void **state)
{
    (void)state;
    record_film();
    serve_start(&t.camera);
    tell_everyone();
    list(in_folder("runs/film/testsrc2.mp4"));
    start();

    const stream_stats *s = stream_job_stats(t.l);
    WHILE_IT_RUNS(s->channels[0].n_results >= 10);
    WHILE_IT_RUNS(s->channels[2].n_results == 15); /* of the file, every frame */
    WHILE_IT_RUNS(s->channels[1].n_reconnects >= 2 && s->channels[1].n_results >= 3);
    assert_true(page_has("/preview", "\xff\xd8", 1000)); /* a JPEG's head */
    assert_true(page_has("/healthz", "\"sources\"", 100000));
    assert_true(page_has("/metrics", "vigil_reconnects_total", 200000));
    WHILE_IT_RUNS(has_event("enter") && has_event("dwell") && has_event("absent"));
    WHILE_IT_RUNS(!has_mosquitto() || file_has("heard", "\"state\":\"waiting\""));
    WHILE_IT_RUNS(hooked.n_asked >= 3);

    const uint64_t n_connects = s->channels[0].n_connects;
    list("lavfi:testsrc2=size=48x48:rate=10,realtime");
    OK(stream_job_reload(t.l, err));
    WHILE_IT_RUNS(s->channels[2].w == 48 && s->channels[2].state == STREAM_PLAYING);
    const uint64_t n = s->channels[2].n_results;
    WHILE_IT_RUNS(s->channels[2].n_results >= n + 5);
    assert_int_equal(s->channels[0].n_connects, n_connects);

    OK(stream_job_close(&t.l, 10, err));
    assert_true(t.n_heard > 30 && t.n_boxes > 30);
    assert_true(file_has("runs/all/predictions.jsonl", "\"frame\":"));
    assert_true(folder_count_entries(in_folder("runs/all/snapshots")) > 0);
    assert_true(folder_count_entries(in_folder("runs/all/labels")) > 30);
    assert_true(folder_count_entries(in_folder("runs/all")) > 5);
    UNTIL(!has_mosquitto() || file_has("heard", "shop/status 0 offline"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        everything_at_once_begins_is_lost_found_reloaded_and_ends, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
