/* test_told.c: what a stream job tells a broker and a webhook, real ones, however they behave.
 */
#include "net/broker.h"
#include "net/hook.h"

#include <jansson.h>

#include "stream/bed.h"

extern const stream_sink stream_sink_mqtt, stream_sink_webhook;

static bed *b;

static int set_up(void **state)
{
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    if (bed_set_up(state) != 0)
        return -1;
    b = *state;
    b->stats.n_channels = 1;
    b->stats.channels[0] =
        (stream_channel_stats){.name = "rtsp://cam/1", .state = STREAM_PLAYING, .last_fault = -1};
    b->events[0] = (vg_stream_event){.id = 5,
                                     .kind = VG_STREAM_ENTER,
                                     .zone = "the \"door\"",
                                     .class_index = 0,
                                     .track = 7,
                                     .inside = 1,
                                     .n_in = 4,
                                     .n_out = 3,
                                     .wants_snapshot = true,
                                     .box = {.x1 = 1, .y1 = 2, .x2 = 3.5F, .y2 = 4}};
    b->events[1] = (vg_stream_event){
        .id = 6, .kind = VG_STREAM_ABSENT, .zone = "shelf", .class_index = -1, .seconds = 12.5};
    b->r.events = b->events;
    return programs_set_up(state) != 0;
}

static int tear_down(void **state)
{
    void *bed_state = b;
    hook_stop();
    if (b->state != NULL)
        bed_close(b, NULL);
    (void)state;
    return bed_tear_down(&bed_state) != 0 || programs_tear_down(NULL) != 0;
}

static void write_one(size_t n_events)
{
    b->r.n_events = n_events;
    b->r.frame = (video_frame_info){.w = BED_W,
                                    .h = BED_H,
                                    .number = 12,
                                    .pts_ns = INT64_C(480000000),
                                    .wall_ns = INT64_C(1795443300042000000)};
    b->sink->write(b->state, &b->s, &b->r, NULL);
    b->r.index++;
}

static void tick(void)
{
    b->sink->tick(b->state, &b->s, NULL);
}

/* The object behind "TOPIC RETAINED " in what was heard. */
static json_t *heard(const char *topic)
{
    char want[128], line[8192];
    const char *at;
    snprintf(want, sizeof want, "%s 0 {", topic);
    /* The whole line: the subscriber may be in the middle of it. */
    UNTIL((at = strstr(text_of("heard"), want)) != NULL && strchr(at, '\n') != NULL);
    at += strlen(want) - 1;
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    json_error_t wrong;
    json_t *j = json_loads(line, JSON_REJECT_DUPLICATES, &wrong);
    if (j == NULL)
        fail_msg("%s: %s", wrong.text, line);
    return j;
}

static const char *text_in(const json_t *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j, key));
    return text != NULL ? text : "(none)";
}

static broker here;

static void open_mqtt(const char *what)
{
    if (!has_mosquitto())
        skip();
    here = (broker){.port = 0};
    broker_start(&here);
    broker_listen(&here, "heard");
    snprintf(b->o.mqtt, sizeof b->o.mqtt, "mqtt://127.0.0.1:%d/shop/vigil", here.port);
    snprintf(b->o.mqtt_what, sizeof b->o.mqtt_what, "%s", what);
    b->o.retry_first_s = 0.05;
    b->o.retry_most_s = 0.2;
    assert_true(stream_sink_mqtt.is_wanted(&b->o));
    const size_t before = b->mem.in_use_bytes, need = stream_sink_mqtt.need_bytes(&b->s);
    bed_open(b, &stream_sink_mqtt);
    assert_in_range(b->mem.in_use_bytes - before, need - 1024, need + 1024);
    UNTIL(file_has("heard", b->o.shard[0] == '\0' ? "shop/vigil/status 0 online"
                                                  : "shop/vigil/shard-3/status 0 online"));
}

/* ---- MQTT ---- */

static void a_broker_hears_events_results_and_health(void **state)
{
    (void)state;
    open_mqtt("all");
    b->r.ids = b->ids;
    const uint64_t n_allocs = b->mem.n_allocs;
    write_one(2);
    tick();
    json_t *result = heard("shop/vigil/cam/results");
    assert_string_equal(text_in(result, "source"), "cam one");
    assert_string_equal(text_in(result, "time"), "2026-11-23T14:15:00.042Z");
    assert_int_equal(json_integer_value(json_object_get(result, "frame")), 12);
    assert_true(json_number_value(json_object_get(result, "pts")) == 0.48);
    const json_t *boxes = json_object_get(result, "boxes");
    assert_int_equal(json_array_size(boxes), BED_BOXES);
    assert_true(json_number_value(json_object_get(json_array_get(boxes, 0), "confidence")) ==
                0.875);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(boxes, 1), "id")), 8);
    assert_int_equal(json_array_size(json_object_get(result, "events")), 2);
    json_decref(result);
    json_t *event = heard("shop/vigil/cam/events");
    assert_string_equal(text_in(event, "kind"), "enter");
    assert_string_equal(text_in(event, "zone"), "the \"door\"");
    assert_string_equal(text_in(event, "snapshot"), "snapshots/cam-5.jpg");
    assert_int_equal(json_integer_value(json_object_get(event, "track")), 7);
    json_decref(event);
    UNTIL(count_in_file("heard", "vigil/cam/events 0 {") == 2);
    json_t *health = heard("shop/vigil/health");
    assert_string_equal(text_in(health, "state"), "playing");
    json_decref(health);
    assert_int_equal(b->mem.n_allocs, n_allocs);
    OK(bed_close(b, err));
    UNTIL(file_has("heard", "shop/vigil/status 0 offline"));
}

static void only_what_is_asked_for_is_told(void **state)
{
    (void)state;
    open_mqtt("events");
    for (int i = 0; i < 5; i++)
        write_one(1);
    UNTIL(count_in_file("heard", "cam/events 0") == 5);
    OK(bed_close(b, err));
    UNTIL(file_has("heard", "status 0 offline"));
    assert_false(file_has("heard", "results"));
}

/* All shards share one tree: what one says of itself is no other's. */
static void a_shard_says_for_itself_whether_it_is_there(void **state)
{
    (void)state;
    snprintf(b->o.shard, sizeof b->o.shard, "3/20");
    open_mqtt("all");
    write_one(0);
    UNTIL(file_has("heard", "shop/vigil/cam/results 0 {"));
    OK(bed_close(b, err));
    UNTIL(file_has("heard", "shop/vigil/shard-3/status 0 offline"));
    assert_false(file_has("heard", "vigil/status"));
}

static void a_dead_broker_costs_neither_time_nor_memory(void **state)
{
    (void)state;
    open_mqtt("all");
    write_one(2);
    UNTIL(file_has("heard", "cam/results 0"));
    program_end(&here.pid, SIGKILL);
    const size_t bytes = b->mem.in_use_bytes;
    const uint64_t n_allocs = b->mem.n_allocs;
    const int64_t cpu_ns = base_thread_cpu_ns();
    vg_error err = {0};
    int n_failed = 0;
    for (int i = 0; i < 5000; i++) {
        b->r.n_events = 1;
        n_failed += b->sink->write(b->state, &b->s, &b->r, &err) != VG_OK;
    }
    tick();
    assert_true(n_failed > 1000); /* a thousand wait, the rest gives way and is told */
    assert_true(base_thread_cpu_ns() - cpu_ns < INT64_C(60000000000));
    assert_int_equal(b->mem.in_use_bytes, bytes);
    assert_int_equal(b->mem.n_allocs, n_allocs);
    assert_int_equal(bed_close(b, &err), VG_OK);
}

static void a_broker_that_comes_back_hears_the_newest(void **state)
{
    (void)state;
    open_mqtt("results");
    program_end(&here.pid, SIGKILL);
    for (int i = 0; i < 3000; i++)
        write_one(0);
    program_end(&here.subscriber, SIGKILL);
    broker_start(&here);
    broker_listen(&here, "again");
    write_one(0);
    UNTIL(file_has("again", "\"index\":3000,"));
    OK(bed_close(b, err));
}

/* ---- webhook ---- */

static void open_webhook(const char *what)
{
    snprintf(b->o.webhook, sizeof b->o.webhook, "http://user:secret@127.0.0.1:%d/x", hooked.port);
    snprintf(b->o.webhook_what, sizeof b->o.webhook_what, "%s", what);
    b->o.webhook_retries = 2;
    assert_true(stream_sink_webhook.is_wanted(&b->o));
    const size_t before = b->mem.in_use_bytes, need = stream_sink_webhook.need_bytes(&b->s);
    b->sink = &stream_sink_webhook;
    b->state = scene_alloc(stream_sink_webhook.state_bytes);
    const vg_status st = stream_sink_webhook.open(b->state, &b->s, NULL);
    if (st == VG_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(st, VG_OK);
    assert_in_range(b->mem.in_use_bytes - before, need - 10000, need);
}

static void events_are_posted_and_health(void **state)
{
    (void)state;
    HOOK(200);
    open_webhook("events");
    write_one(2);
    UNTIL(hooked.n_asked == 2);
    json_t *j = json_loads(hooked.body[1], JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_string_equal(text_in(j, "kind"), "absent");
    assert_true(json_is_null(json_object_get(j, "class")));
    assert_true(json_number_value(json_object_get(j, "seconds")) == 12.5);
    json_decref(j);
    tick();
    tick();
    UNTIL(hooked.n_asked == 3);
    assert_non_null(strstr(hooked.body[2], "\"state\":\"playing\""));
    b->stats.channels[0].state = STREAM_WAITING;
    b->stats.channels[0].last_fault = VIDEO_FAULT_LOST;
    tick();
    UNTIL(hooked.n_asked == 4);
    assert_non_null(strstr(hooked.body[3], "\"state\":\"waiting\""));
    assert_non_null(strstr(hooked.body[3], "\"fault\":\"lost\""));
    OK(bed_close(b, err));
    assert_int_equal(hooked.n_asked, 4);
}

static void results_are_posted_when_asked_for(void **state)
{
    (void)state;
    HOOK(200);
    open_webhook("results");
    write_one(1);
    UNTIL(hooked.n_asked == 1);
    assert_non_null(strstr(hooked.body[0], "\"boxes\":[{"));
    tick();
    OK(bed_close(b, err));
    assert_int_equal(hooked.n_asked, 1);
}

static void what_a_server_refuses_for_now_is_posted_again(void **state)
{
    (void)state;
    HOOK(503, HANG_UP, 200);
    open_webhook("events");
    write_one(1);
    UNTIL(hooked.n_asked == 3);
    assert_string_equal(hooked.body[0], hooked.body[2]);
    OK(bed_close(b, err));
}

static void a_refusal_is_told_by_tick_and_by_writes(void **state)
{
    vg_error err = {0};
    (void)state;
    HOOK(404, 200);
    hooked.holds =
        true; /* or the write could be told itself, and what is told is no news to tick */
    open_webhook("events");
    write_one(1);
    hooked.holds = false;
    UNTIL(b->sink->tick(b->state, &b->s, &err) == VG_ERR_IO);
    assert_non_null(strstr(err.what, "404"));
    assert_null(strstr(err.what, "secret"));
    UNTIL(hooked.n_asked == 2); /* its health, which is taken */
    b->r.n_events = 1;
    UNTIL(b->sink->write(b->state, &b->s, &b->r, &err) == VG_OK);
}

/* A server that says nothing: writes go on, old ones give way, the end does not wait for it. */
static void a_stalled_server_costs_neither_time_nor_memory(void **state)
{
    vg_error err = {0};
    (void)state;
    HOOK(STALL);
    open_webhook("events");
    write_one(1);
    UNTIL(hooked.n_asked == 1);
    const size_t bytes = b->mem.in_use_bytes;
    const uint64_t n_allocs = b->mem.n_allocs;
    int n_failed = 0;
    b->r.n_events = 1;
    for (int i = 0; i < 5000; i++)
        n_failed += b->sink->write(b->state, &b->s, &b->r, &err) != VG_OK;
    assert_int_equal(n_failed, 4800); /* 200 wait */
    assert_int_equal(b->mem.in_use_bytes, bytes);
    assert_int_equal(b->mem.n_allocs, n_allocs);
    assert_int_equal(hooked.n_asked, 1);
    assert_int_equal(bed_close(b, &err), VG_OK);
    assert_int_equal(hooked.n_asked, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_broker_hears_events_results_and_health),
        TEST(only_what_is_asked_for_is_told),
        TEST(a_shard_says_for_itself_whether_it_is_there),
        TEST(a_dead_broker_costs_neither_time_nor_memory),
        TEST(a_broker_that_comes_back_hears_the_newest),
        TEST(events_are_posted_and_health),
        TEST(results_are_posted_when_asked_for),
        TEST(what_a_server_refuses_for_now_is_posted_again),
        TEST(a_refusal_is_told_by_tick_and_by_writes),
        TEST(a_stalled_server_costs_neither_time_nor_memory),
    };
    base_log_setup(BASE_LOG_OFF, false);
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}
