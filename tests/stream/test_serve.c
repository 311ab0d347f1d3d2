/* test_serve.c: --serve's pages as a reader meets them, and pictures for those who look. */
#include "net/programs.h"
#include "stream/prometheus.h"

#include <jansson.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "stream/bed.h"

extern const stream_sink stream_sink_serve;

static bed *b;
static int port;
static char answer[1 << 20];
static size_t n_answer;
static prometheus read_metrics;

static int set_up(void **state)
{
    if (bed_set_up(state) != 0)
        return -1;
    b = *state;
    b->stats.n_channels = 2;
    b->stats.n_sinks = 0;
    b->stats.accounts = &b->mem;
    b->stats.n_accounts = 1;
    for (int i = 0; i < 2; i++)
        b->stats.channels[i] =
            (stream_channel_stats){.state = i == 0 ? STREAM_PLAYING : STREAM_EMPTY,
                                   .last_fault = -1,
                                   .last_progress_ns = base_now_ns()};
    snprintf(b->stats.channels[0].name, STREAM_NAME_BYTES, "cam <one> & \"two\"");
    b->stats.started_ns = base_now_ns();
    b->o.preview_fps = 1000;
    b->o.preview_width = 96;
    return programs_set_up(state);
}

static int tear_down(void **state)
{
    void *bed_state = b;
    (void)state;
    return bed_tear_down(&bed_state) != 0 || programs_tear_down(NULL) != 0;
}

static void serve(const char *token)
{
    for (int i = 0; i < 20; i++) {
        port = free_port();
        snprintf(b->o.serve, sizeof b->o.serve, "127.0.0.1:%d", port);
        snprintf(b->o.token, sizeof b->o.token, "%s", token);
        assert_true(stream_sink_serve.is_wanted(&b->o));
        const size_t before = b->mem.in_use_bytes, need = stream_sink_serve.need_bytes(&b->s);
        b->sink = &stream_sink_serve;
        b->state = scene_alloc(stream_sink_serve.state_bytes);
        const vg_status st = stream_sink_serve.open(b->state, &b->s, NULL);
        if (st == VG_ERR_UNSUPPORTED)
            skip();
        if (st == VG_OK) {
            assert_in_range(b->mem.in_use_bytes - before, 1, need);
            return;
        }
        assert_int_equal(st, VG_ERR_SYSTEM); /* the port was taken in the meantime */
        free(b->state);
        b->state = NULL;
    }
    fail_msg("no port");
}

static int request(const char *path, const char *headers)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    char text[600];
    const int fd = dial_port(port);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int n =
        snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: localhost\r\n%s\r\n", path, headers);
    send(fd, text, (size_t)n, MSG_NOSIGNAL);
    return fd;
}

static int ask_with(const char *path, const char *headers)
{
    ssize_t got;
    const int fd = request(path, headers);
    n_answer = 0;
    while (n_answer < sizeof answer - 1 &&
           (got = recv(fd, answer + n_answer, sizeof answer - 1 - n_answer, 0)) > 0)
        n_answer += (size_t)got;
    close(fd);
    answer[n_answer] = '\0';
    return n_answer > 12 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

static int ask(const char *path)
{
    return ask_with(path, "");
}

static char *body(void)
{
    char *at = strstr(answer, "\r\n\r\n");
    assert_non_null(at);
    return at + 4;
}

/* ---- pages ---- */

static void metrics_are_good_and_have_their_type(void **state)
{
    (void)state;
    serve("");
    assert_int_equal(ask("/metrics"), 200);
    assert_non_null(strstr(answer, "text/plain; version=0.0.4"));
    const char *wrong = prometheus_read(&read_metrics, body());
    if (wrong != NULL)
        fail_msg("%s: %s", wrong, read_metrics.at);
    assert_non_null(prometheus_find(&read_metrics, "vigil_frames_total",
                                    "source=\"cam <one> & \\\"two\\\"\",channel=\"0\",", ""));
}

static void health_turns_with_the_job(void **state)
{
    (void)state;
    serve("");
    assert_int_equal(ask("/healthz"), 200);
    json_t *j = json_loads(body(), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_int_equal(json_array_size(json_object_get(j, "sources")), 1);
    json_decref(j);
    b->stats.channels[0].last_progress_ns = base_now_ns() - INT64_C(3600000000000);
    assert_int_equal(ask("/healthz"), 503);
    assert_non_null(strstr(body(), "\"status\":\"failing\""));
    b->stats.channels[0].last_progress_ns = base_now_ns();
    assert_int_equal(ask("/healthz"), 200);
}

static void the_page_leads_to_sources_and_shows_names_as_text(void **state)
{
    (void)state;
    serve("");
    bed_write(b, 1);
    assert_int_equal(ask("/"), 200);
    assert_non_null(strstr(answer, "cam &#60;one&#62; &#38; &#34;two&#34;"));
    assert_null(strstr(answer, "<one>"));
    assert_non_null(strstr(answer, "<a href='/preview/cam'><img src='/preview/cam'"));
    assert_non_null(strstr(answer, "class='card camera playing'"));
    assert_non_null(strstr(answer, "img-src 'self'"));
    assert_non_null(strstr(answer, "data-events='/events"));
    assert_int_equal(ask("/?part=sources"), 200);
    assert_non_null(strstr(answer, "data-camera='cam &#60;one&#62;"));
    assert_null(strstr(answer, "<h1>"));
    assert_int_equal(ask("/page.js"), 200);
    assert_int_equal(ask("/nothing"), 404);
    assert_int_equal(ask("/preview/nobody"), 404);
    assert_int_equal(ask("/still/nobody"), 404);
}

/* Its newest events, and of files in the run's folder those pictures alone that they name. */
static void events_are_on_the_page_with_their_pictures(void **state)
{
    (void)state;
    char folder[] = "/tmp/vigil-serve-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/snapshots", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    for (int id = 6; id <= 7; id++) {
        snprintf(path, sizeof path, "%s/snapshots/cam-%d.jpg", folder, id);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs("picture", f);
        fclose(f);
    }
    b->s.folder = folder;
    serve("");
    bed_write(b, 1);
    const vg_stream_event e = {.id = 7,
                               .kind = VG_STREAM_ENTER,
                               .zone = "<door>",
                               .class_index = 0,
                               .track = 3,
                               .inside = 2,
                               .wants_snapshot = true};
    stream_result r = {.channel = 0, .source = "cam", .stem = "cam", .events = &e, .n_events = 1};
    assert_int_equal(b->sink->write(b->state, &b->s, &r, NULL), VG_OK);
    assert_int_equal(ask("/?part=events"), 200);
    assert_non_null(strstr(answer, "&#60;door&#62;"));
    assert_non_null(strstr(answer, "#3 came in; 2 inside"));
    assert_non_null(strstr(answer, "href='/snapshot/cam/7' data-shot"));
    assert_int_equal(ask("/snapshot/cam/7"), 200);
    assert_string_equal(body(), "picture");
    static const char *const others[] = {"/snapshot/cam/6", "/snapshot/cam/07",
                                         "/snapshot/ca/7",  "/snapshot/../snapshots/cam/7",
                                         "/snapshot/7",     "/snapshot/cam/7.jpg"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(ask(others[i]), 404);
    for (uint64_t id = 8; id < 80; id++) { /* the oldest gives way, and its picture with it */
        vg_stream_event more = e;
        more.id = id;
        r.events = &more;
        assert_int_equal(b->sink->write(b->state, &b->s, &r, NULL), VG_OK);
    }
    assert_int_equal(ask("/snapshot/cam/7"), 404);
    for (int id = 6; id <= 7; id++) {
        snprintf(path, sizeof path, "%s/snapshots/cam-%d.jpg", folder, id);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/snapshots", folder);
    rmdir(path);
    rmdir(folder);
}

static void a_token_is_asked_for(void **state)
{
    (void)state;
    serve("sesame");
    static const char *const pages[] = {"/", "/metrics", "/preview", "/preview/cam", "/healthz/"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        assert_int_equal(ask(pages[i]), 401);
    assert_int_equal(ask_with("/metrics", "Authorization: Bearer sesame\r\n"), 200);
}

/* What probes the pod has no token, and what it is told has no names, numbers or addresses. */
static void health_is_told_without_the_token_but_nothing_else(void **state)
{
    (void)state;
    serve("sesame");
    assert_int_equal(ask("/healthz"), 200);
    assert_string_equal(body(), "{\"status\":\"ok\"}\n");
    b->stats.channels[0].last_progress_ns = base_now_ns() - INT64_C(3600000000000);
    assert_int_equal(ask("/healthz"), 503);
    assert_string_equal(body(), "{\"status\":\"failing\"}\n");
    assert_int_equal(ask_with("/healthz", "Authorization: Bearer sesame\r\n"), 503);
    assert_non_null(strstr(body(), "\"source\":\"cam <one> & \\\"two\\\"\""));
}

/* ---- pictures ---- */

/* The next JPEG of a stream, decoded; its bytes are left in answer. */
static void next_picture(int fd, image_buffer *out)
{
    char line[200];
    size_t n = 0, n_line = 0;
    while (n == 0) { /* heads up to an empty line after a length */
        char c;
        if (recv(fd, &c, 1, 0) != 1)
            fail_msg("the stream has ended");
        if (c != '\n' && n_line < sizeof line - 1) {
            line[n_line++] = c;
            continue;
        }
        line[n_line] = '\0';
        n_line = 0;
        if (strncmp(line, "Content-Length: ", 16) == 0) {
            n = strtoul(line + 16, NULL, 10);
            assert_int_equal(recv(fd, line, 2, MSG_WAITALL), 2);
        }
    }
    assert_true(n < sizeof answer);
    assert_int_equal(recv(fd, answer, n, MSG_WAITALL), (ssize_t)n);
    image_decoder *d;
    OK(image_decoder_create(&d, NULL, &b->mem, err));
    OK(image_decode(d, out, (const uint8_t *)answer, n, "preview", &b->mem, err));
    image_decoder_destroy(&d);
}

static atomic_bool writer_stops;
static atomic_int n_written;

static void *write_often(void *arg)
{
    (void)arg;
    while (!writer_stops) {
        video_fault fault;
        if (video_source_read(b->source, b->frame, &fault, NULL) == VIDEO_FRAME) {
            b->r.frame = *video_frame_get(b->frame);
            b->r.pixels = b->frame;
            b->sink->write(b->state, &b->s, &b->r, NULL);
            n_written++;
        }
        nap_ms(5);
    }
    return NULL;
}

static pthread_t writer;

static void start_writing(void)
{
    bed_write(b, 1);
    writer_stops = false;
    n_written = 0;
    assert_int_equal(pthread_create(&writer, NULL, write_often, NULL), 0);
}

static void stop_writing(void)
{
    writer_stops = true;
    pthread_join(writer, NULL);
}

static void lookers_see_pictures_that_move_and_have_boxes(void **state)
{
    image_buffer first = {0}, other = {0};
    int fds[3];
    (void)state;
    serve("");
    start_writing();
    fds[0] = request("/preview/cam", "");
    fds[1] = request("/preview", "");
    fds[2] = request("/preview/cam", "");
    for (int i = 0; i < 3; i++) {
        next_picture(fds[i], &first);
        assert_int_equal(first.view.w, 96); /* 160 x 120 fitted into 96 x 96 */
        assert_int_equal(first.view.h, 72);
    }
    int n_differing = 0;
    for (int i = 0; i < 10; i++) {
        next_picture(fds[0], &other);
        n_differing += memcmp(first.view.data, other.view.data, 96 * 72 * 3) != 0;
    }
    assert_int_equal(n_differing, 10);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    stop_writing();
    image_buffer_fini(&first);
    image_buffer_fini(&other);
}

/* And the answer ends with it. */
static void a_still_is_one_picture(void **state)
{
    image_buffer picture = {0};
    image_decoder *d;
    (void)state;
    serve("");
    OK(image_decoder_create(&d, NULL, &b->mem, err));
    bed_write(b, 1); /* the source's name is known */
    start_writing();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask("/still/cam"), 200);
        assert_non_null(strstr(answer, "Content-Type: image/jpeg"));
        const char *bytes = body();
        OK(image_decode(d, &picture, (const uint8_t *)bytes, n_answer - (size_t)(bytes - answer),
                        "still", &b->mem, err));
        assert_int_equal(picture.view.w, 96);
    }
    stop_writing();
    image_decoder_destroy(&d);
    image_buffer_fini(&picture);
}

/* Nobody looks: not even a pixel is converted. Somebody does: it costs. */
static void pictures_are_made_only_while_somebody_looks(void **state)
{
    image_buffer picture = {0};
    (void)state;
    serve("");
    bed_next(b); /* what FFmpeg takes at its first */
    const uint64_t cold = b->mem.n_allocs;
    bed_write(b, 50);
    assert_int_equal(b->mem.n_allocs, cold); /* the scaler's tables come with the first picture */
    start_writing();
    const int fd = request("/preview", "");
    next_picture(fd, &picture);
    close(fd);
    stop_writing();
    assert_true(b->mem.n_allocs > cold);
    image_buffer_fini(&picture);
}

static void nothing_is_allocated_for_pictures_when_warm(void **state)
{
    image_buffer picture = {0};
    (void)state;
    serve("");
    start_writing();
    const int fd = request("/preview", "");
    for (int i = 0; i < 3; i++)
        next_picture(fd, &picture);
    stop_writing();
    const uint64_t warm = b->mem.n_allocs;
    bed_write(b, 30);
    assert_int_equal(b->mem.n_allocs, warm);
    close(fd);
    image_buffer_fini(&picture);
}

/* Lookers who take nothing hold their places, and others see pictures all the same. */
static void stuck_lookers_do_not_stop_others(void **state)
{
    image_buffer picture = {0};
    int fds[7];
    (void)state;
    serve("");
    start_writing();
    const size_t bytes = b->mem.in_use_bytes;
    for (int i = 0; i < 7; i++) {
        const int small = 2048;
        fds[i] = request("/preview/cam", "");
        setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    const int good = request("/preview/cam", "");
    next_picture(good, &picture);
    assert_int_equal(ask("/preview"), 503);
    assert_int_equal(ask("/healthz"), 200);
    for (int i = 0; i < 100; i++)
        next_picture(good, &picture);
    stop_writing();
    const size_t largest = bytes + (256 << 10); /* tables, and the picture that was decoded here */
    assert_true(b->mem.in_use_bytes <= largest);
    for (int i = 0; i < 7; i++)
        close(fds[i]);
    close(good);
    image_buffer_fini(&picture);
}

/* False: there is no room for one more looker. */
static bool looks(int *fd)
{
    *fd = request("/preview/cam", "");
    if (recv(*fd, answer, 12, MSG_WAITALL) == 12 && memcmp(answer + 9, "200", 3) == 0)
        return true;
    close(*fd);
    return false;
}

/* Before the first picture, and when no more come, something is sent now and then. */
static void a_quiet_source_keeps_its_lookers_and_notices_who_leaves(void **state)
{
    image_buffer picture = {0};
    (void)state;
    serve("");
    bed_write(b, 1);
    int fds[8];
    for (int i = 0; i < 8; i++)
        fds[i] = request("/preview/cam", "");
    UNTIL(ask("/preview/cam") == 503);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    int fd;
    UNTIL(looks(&fd));
    start_writing();
    next_picture(fd, &picture);
    stop_writing();
    next_picture(fd, &picture); /* again, though there is none that is newer */
    close(fd);
    image_buffer_fini(&picture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(metrics_are_good_and_have_their_type),
        TEST(health_turns_with_the_job),
        TEST(the_page_leads_to_sources_and_shows_names_as_text),
        TEST(events_are_on_the_page_with_their_pictures),
        TEST(a_still_is_one_picture),
        TEST(a_token_is_asked_for),
        TEST(health_is_told_without_the_token_but_nothing_else),
        TEST(lookers_see_pictures_that_move_and_have_boxes),
        TEST(pictures_are_made_only_while_somebody_looks),
        TEST(nothing_is_allocated_for_pictures_when_warm),
        TEST(stuck_lookers_do_not_stop_others),
        TEST(a_quiet_source_keeps_its_lookers_and_notices_who_leaves),
    };
    base_log_setup(BASE_LOG_OFF, false);
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}
