/* test_metrics.c: a strict reader takes what /metrics says, and finds there what was counted.
 */
#include "net/programs.h"
#include "stream/prometheus.h"

#include <jansson.h>

#include "stream/out/changes.h"
#include "stream/out/json.h"
#include "stream/out/metrics.h"
#include "stream/shared/health.h"
#include "support/ok.h"

typedef struct bench {
    base_mem mem;
    stream_stats stats;
    stream_rates rates;
    stream_moment m;
    base_str text;
    char copy[1 << 20];
    prometheus p;
} bench;

static bench b;

static const char *const nasty[] = {"rtsp://camera/1", "a \"b\" \\c\\ \n{d}=\xff\xc3",
                                    "r\xc3\xa9\xe2\x82\xac\x01", "rtsp://camera/1"};

static int set_up(void **state)
{
    memset(&b.stats, 0, sizeof b.stats);
    b.mem = (base_mem){.tag = "test"};
    b.text = (base_str){0};
    b.rates = (stream_rates){0};
    b.stats.n_channels = 6; /* two are empty */
    b.stats.started_ns = INT64_C(5000000000);
    for (int i = 0; i < 4; i++) {
        stream_channel_stats *c = &b.stats.channels[i];
        snprintf(c->name, sizeof c->name, "%s", nasty[i]);
        c->state = STREAM_CONNECTING + i;
        c->last_fault = i == 2 ? VIDEO_FAULT_STALL : -1;
        c->n_frames = 1000 + (uint64_t)i;
        c->n_results = 900;
        c->n_faults[VIDEO_FAULT_LOST] = 3;
        for (int k = 0; k < 500; k++)
            stream_histogram_add(&c->stages[STREAM_STAGE_INFERENCE], (k % 60) * INT64_C(1000000));
    }
    b.stats.channels[0].last_frame_ns = INT64_C(8000000000);
    stream_histogram_add(&b.stats.channels[0].stages[STREAM_STAGE_LATENCY], INT64_C(9000000000));
    b.stats.n_sinks = 2;
    b.stats.sinks[0].name = "jsonl";
    b.stats.sinks[0].n_written = 890;
    b.stats.sinks[1].n_dropped = 4; /* not wanted: no name */
    b.stats.accounts = &b.mem;
    b.stats.n_accounts = 1;
    b.m = (stream_moment){
        .stats = &b.stats, .rates = &b.rates, .now_ns = INT64_C(10000000000), .is_healthy = true};
    return programs_set_up(state);
}

static int tear_down(void **state)
{
    base_str_fini(&b.text);
    return programs_tear_down(state) != 0 || b.mem.in_use_bytes != 0;
}

static void read_all(void)
{
    OK(stream_metrics(&b.text, &b.m, &b.mem, err));
    assert_true(b.text.length < sizeof b.copy);
    memcpy(b.copy, b.text.text, b.text.length + 1);
    const char *wrong = prometheus_read(&b.p, b.copy);
    if (wrong != NULL)
        fail_msg("%s: %s", wrong, b.p.at);
}

static double value(const char *name, const char *labels, const char *le)
{
    const prometheus_sample *s = prometheus_find(&b.p, name, labels, le);
    if (s == NULL)
        fail_msg("there is no %s{%s} %s", name, labels, le);
    return s->value;
}

#define CAMERA "source=\"rtsp://camera/1\",channel=\"0\","

static void what_was_counted_is_said(void **state)
{
    (void)state;
    read_all();
    assert_true(value("vigil_frames_total", CAMERA, "") == 1000);
    assert_true(value("vigil_frames_total", "source=\"rtsp://camera/1\",channel=\"3\",", "") ==
                1003);
    assert_true(value("vigil_faults_total", CAMERA "kind=\"lost\",", "") == 3);
    assert_true(value("vigil_source_state", CAMERA "state=\"connecting\",", "") == 1);
    assert_true(value("vigil_source_state", CAMERA "state=\"playing\",", "") == 0);
    assert_true(value("vigil_last_frame_age_seconds", CAMERA, "") == 2);
    assert_true(value("vigil_uptime_seconds", "", "") == 5);
    assert_true(value("vigil_sink_written_total", "sink=\"jsonl\",", "") == 890);
    assert_true(value("vigil_healthy", "", "") == 1);
    assert_null(prometheus_find(&b.p, "vigil_tracks_refused_total", "", ""));
    assert_true(value("process_open_fds", "", "") >= 3);
    assert_true(value("process_threads", "", "") == 1);
    assert_true(value("process_resident_memory_bytes", "", "") > 1e6);
    assert_true(value("vigil_memory_bytes", "account=\"test\",", "") > 0);
    /* 0..59 ms, each some 500 / 60 times; bounds are inclusive: 0 .. 10 ms are eleven of sixty */
    assert_true(value("vigil_stage_seconds_count", CAMERA "stage=\"inference\",", "") == 500);
    assert_true(value("vigil_stage_seconds_bucket", CAMERA "stage=\"inference\",", "0.01") == 99);
    assert_true(value("vigil_stage_seconds_bucket", CAMERA "stage=\"latency\",", "5") == 0);
    assert_true(value("vigil_stage_seconds_bucket", CAMERA "stage=\"latency\",", "+Inf") == 1);
    assert_true(value("vigil_stage_seconds_sum", CAMERA "stage=\"latency\",", "") == 9);
}

static void tracks_without_room_are_said_where_there_are_tracks(void **state)
{
    (void)state;
    b.stats.has_tracks = true;
    b.stats.n_tracks_refused = 17;
    read_all();
    assert_true(value("vigil_tracks_refused_total", "", "") == 17);
}

/* A thread that hangs in the store cannot say that its leases are over: the time says it. */
static void leases_are_held_until_their_time_is_over(void **state)
{
    (void)state;
    b.stats.fleet = (stream_fleet_stats){.is_on = true, .n_held = 12};
    b.stats.fleet.until_ns = INT64_MAX;
    read_all();
    assert_true(value("vigil_fleet_cameras_held", "", "") == 12);
    b.stats.fleet.until_ns = 1;
    b.text.length = 0;
    memset(&b.p, 0, sizeof b.p);
    read_all();
    assert_true(value("vigil_fleet_cameras_held", "", "") == 0);
    b.stats.fleet.is_on = false;
}

static void names_are_escaped(void **state)
{
    (void)state;
    read_all();
    assert_true(value("vigil_frames_total",
                      "source=\"a \\\"b\\\" \\\\c\\\\ \\n{d}=\\\\xff\\\\xc3\",channel=\"1\",",
                      "") == 1001);
    assert_true(value("vigil_frames_total",
                      "source=\"r\xc3\xa9\xe2\x82\xac\\\\x01\",channel=\"2\",", "") == 1002);
}

static void descriptors_and_threads_are_counted(void **state)
{
    (void)state;
    read_all();
    const double before = value("process_open_fds", "", "");
    assert_int_equal((int)before, count_folder("fd"));
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    base_str_fini(&b.text);
    read_all();
    assert_true(value("process_open_fds", "", "") == before + 2);
    close(fds[0]);
    close(fds[1]);
}

static void promtool_finds_nothing_wrong(void **state)
{
    char command[300];
    (void)state;
    if (!is_installed("promtool"))
        skip();
    OK(stream_metrics(&b.text, &b.m, &b.mem, err));
    write_file("metrics", b.text.text);
    snprintf(command, sizeof command, "promtool check metrics <%s >%s 2>&1", in_folder("metrics"),
             in_folder("said"));
    if (system(command) != 0)
        fail_msg("promtool: %s", text_of("said"));
}

/* The reader itself must be able to refuse. */
static void the_reader_refuses_what_is_wrong(void **state)
{
    static const char *const wrong[] = {
        "",
        "a 1\n",
        "# HELP a b\n# TYPE a gauge\na 1",
        "# HELP a b\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"\\q\"} 1\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1\"}\n",
        "# HELP a b\n# TYPE a gauge\na one\n",
        "# HELP a b\n# TYPE a counter\na 1\n",
        "# HELP a_total b\n# TYPE a_total counter\na_total -1\n",
        "# HELP a b\n# TYPE a gauge\nb 1\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"\xff\"} 1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum "
        "1\na_count "
        "1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(b.copy, sizeof b.copy, "%s", wrong[i]);
        if (prometheus_read(&b.p, b.copy) == NULL)
            fail_msg("was taken: %s", wrong[i]);
    }
}

static void rates_settle_at_what_comes(void **state)
{
    (void)state;
    for (int i = 0; i <= 60; i++) {
        b.stats.channels[0].n_results = (uint64_t)(25 * i);
        b.stats.channels[1].n_results = i < 30 ? (uint64_t)(10 * i) : 300;
        stream_rates_step(&b.rates, &b.stats, (1 + i) * INT64_C(1000000000));
    }
    read_all();
    assert_float_equal(value("vigil_fps", CAMERA, ""), 25, 0.01);
    assert_true(b.rates.per_s[1] < 0.1);
}

static void health_is_json_that_says_who_is_ill(void **state)
{
    (void)state;
    b.m.is_healthy = false;
    OK(stream_health_json(&b.text, &b.m, &b.mem, err));
    json_error_t wrong;
    json_t *root = json_loads(b.text.text, JSON_REJECT_DUPLICATES, &wrong);
    if (root == NULL)
        fail_msg("%s in %s", wrong.text, b.text.text);
    assert_string_equal(json_string_value(json_object_get(root, "status")), "failing");
    const json_t *sources = json_object_get(root, "sources");
    assert_int_equal(json_array_size(sources), 4);
    const json_t *third = json_array_get(sources, 2);
    assert_string_equal(json_string_value(json_object_get(third, "state")), "waiting");
    assert_string_equal(json_string_value(json_object_get(third, "last_fault")), "stall");
    assert_true(json_is_null(json_object_get(third, "last_frame_age_s")));
    assert_int_equal(json_array_size(json_object_get(root, "sinks")), 1);
    json_decref(root);
}

static void no_memory_is_said(void **state)
{
    (void)state;
    for (int i = 1; i < 40; i++) {
        b.mem.fail_in = i;
        const vg_status st = stream_metrics(&b.text, &b.m, &b.mem, NULL);
        assert_true(st == VG_ERR_MEMORY || b.mem.fail_in != 0);
        base_str_fini(&b.text);
    }
    b.mem.fail_in = 0;
}

/* ---- changes ---- */

static void only_beginnings_and_ends_of_playing_are_changes(void **state)
{
    stream_changes c = {0};
    stream_change seen;
    stream_channel_stats *one = &b.stats.channels[0];
    (void)state;
    b.stats.n_channels = 1;
    one->state = STREAM_CONNECTING;
    assert_false(stream_changes_next(&c, &seen, &b.stats));
    one->state = STREAM_PLAYING;
    assert_true(stream_changes_next(&c, &seen, &b.stats));
    assert_int_equal(seen.now, STREAM_PLAYING);
    assert_int_equal(seen.fault, -1);
    assert_string_equal(seen.source, "rtsp://camera/1");
    assert_false(stream_changes_next(&c, &seen, &b.stats));
    one->last_fault = VIDEO_FAULT_LOST;
    one->state = STREAM_WAITING;
    assert_true(stream_changes_next(&c, &seen, &b.stats));
    assert_int_equal(seen.was, STREAM_PLAYING);
    assert_int_equal(seen.now, STREAM_WAITING);
    assert_int_equal(seen.fault, VIDEO_FAULT_LOST);
    one->state = STREAM_CONNECTING;
    assert_false(stream_changes_next(&c, &seen, &b.stats));
    one->state = STREAM_PLAYING;
    assert_true(stream_changes_next(&c, &seen, &b.stats));
    one->state = STREAM_ENDED;
    assert_true(stream_changes_next(&c, &seen, &b.stats));
    one->state = STREAM_EMPTY;
    assert_false(stream_changes_next(&c, &seen, &b.stats));
}

/* ---- JSON ---- */

static void times_are_rfc_3339(void **state)
{
    char buf[STREAM_TIME_BYTES];
    (void)state;
    assert_string_equal(stream_time_text(buf, INT64_C(1795443300042999999)),
                        "2026-11-23T14:15:00.042Z");
    assert_string_equal(stream_time_text(buf, -1), "1970-01-01T00:00:00.000Z");
    stream_time_text(buf, INT64_MAX);
    assert_string_equal(buf, "2262-04-11T23:47:16.854Z");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_counted_is_said),
        TEST(tracks_without_room_are_said_where_there_are_tracks),
        TEST(leases_are_held_until_their_time_is_over),
        TEST(names_are_escaped),
        TEST(descriptors_and_threads_are_counted),
        TEST(promtool_finds_nothing_wrong),
        TEST(the_reader_refuses_what_is_wrong),
        TEST(rates_settle_at_what_comes),
        TEST(health_is_json_that_says_who_is_ill),
        TEST(no_memory_is_said),
        TEST(only_beginnings_and_ends_of_playing_are_changes),
        TEST(times_are_rfc_3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
