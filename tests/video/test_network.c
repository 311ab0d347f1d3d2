/* Network streams from real servers, and every way they fail. */
#include "video/clips.h"

#include "video/serve.h"

static char *slurp(const char *path, size_t *n)
{
    char *bytes;
    static base_mem mem = {.tag = "file"};
    OK(base_file_read(&bytes, n, path, 100 << 20, &mem, err));
    return bytes;
}

static const char *url_of(const char *scheme, int port, const char *rest)
{
    static char url[256];
    snprintf(url, sizeof url, "%s://127.0.0.1:%d%s", scheme, port, rest);
    return url;
}

/* A server needs its time to start. */
static void connect_in_the_end(run *r)
{
    const int64_t give_up = base_now_ns() + INT64_C(90) * 1000000000;
    while (video_source_connect(r->source, &r->info, &r->fault, &r->err) != VG_OK) {
        if (base_now_ns() > give_up)
            fail_msg("%s: %s, at %s", video_fault_name(r->fault), r->err.what, r->err.where);
        usleep(50 * 1000);
    }
}

static void streams_from_ffmpeg_are_read(void **state)
{
    static const struct {
        const char *scheme, *rest, *server, *container;
        int kind;
    } rows[] = {
        {"tcp", "", "-f mpegts 'tcp://127.0.0.1:%d?listen=1'", "mpegts", SOCK_STREAM},
        {"http", "/x", "-f mpegts -listen 1 http://127.0.0.1:%d/x", "mpegts", SOCK_STREAM},
        {"rtmp", "/live/x", "-f flv -listen 1 rtmp://127.0.0.1:%d/live/x", "flv", SOCK_STREAM},
        {"udp", "", "-f mpegts 'udp://127.0.0.1:%d?pkt_size=1316'", "mpegts", SOCK_DGRAM},
    };
    (void)state;
    clip_make("a.mp4", TESTSRC);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run r;
        char to[256], line[512];
        const int port = serve_free_port(rows[i].kind);
        snprintf(to, sizeof to, rows[i].server, port);
        snprintf(line, sizeof line, "-re -stream_loop -1 -i a.mp4 -c copy %s", to);
        const pid_t pid = clip_start(line);
        run_open(&r, &(video_source_options){.text = url_of(rows[i].scheme, port, rows[i].rest),
                                             .stall_s = 60,
                                             .is_low_delay = true});
        connect_in_the_end(&r);
        assert_string_equal(r.info.container, rows[i].container);
        assert_string_equal(r.info.codec, "h264");
        assert_int_equal(r.info.n_frames, 0);
        assert_int_equal(run_read(&r, 60), VIDEO_FRAME);
        assert_int_equal(video_frame_get(r.frame)->w, 160);
        clip_stop(pid); /* the machine is gone */
        if (rows[i].kind == SOCK_STREAM) {
            const video_outcome end = run_read(&r, 100000);
            assert_true(end == VIDEO_END || (end == VIDEO_FAILED && r.fault == VIDEO_FAULT_LOST));
        }
        run_close(&r);
    }
}

static void a_silent_udp_port_is_a_time_out(void **state)
{
    run r;
    (void)state;
    run_open(&r, &(video_source_options){.text = url_of("udp", serve_free_port(SOCK_DGRAM), ""),
                                         .connect_s = 0.3});
    assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_IO);
    assert_int_equal(r.fault, VIDEO_FAULT_TIMEOUT);
    run_close(&r);
}

/* FFmpeg takes an end without a length for a broken connection. */
#define HTTP_OK "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n"

static void playlists_are_followed(void **state)
{
    static const char *const line = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
                                    "http://127.0.0.1:%d/a.ts\n#EXT-X-ENDLIST\n";
    static char bytes[1 << 20], list[256], words[512];
    size_t n;
    (void)state;
    char *clip = slurp(clip_make("a.ts", TESTSRC), &n);
    const int n_head = snprintf(bytes, sizeof bytes, HTTP_OK, n);
    memcpy(bytes + n_head, clip, n);
    base_free(clip);
    server video = {.bytes = bytes, .n = (size_t)n_head + n, .hears_first = true};
    serve_start(&video);
    snprintf(list, sizeof list, line, video.port);
    snprintf(words, sizeof words, HTTP_OK "%s", strlen(list), list);
    server lists = {.bytes = words, .n = strlen(words), .hears_first = true};
    serve_start(&lists);
    run r;
    run_open(&r, &(video_source_options){.text = url_of("http", lists.port, "/x.m3u8")});
    run_connect(&r);
    assert_string_equal(r.info.container, "hls");
    assert_int_equal(run_read(&r, 1000), VIDEO_END);
    assert_int_equal(r.n, 50);
    run_close(&r);
    serve_stop(&lists);
    serve_stop(&video);
}

/* A playlist from outside must not lead to the files of this machine. */
static void playlists_reach_no_files(void **state)
{
    static char list[768], words[1024];
    (void)state;
    snprintf(list, sizeof list,
             "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://%s\n#EXT-X-ENDLIST\n",
             clip_make("a.ts", TESTSRC));
    snprintf(words, sizeof words, HTTP_OK "%s", strlen(list), list);
    server s = {.bytes = words, .n = strlen(words), .hears_first = true};
    serve_start(&s);
    run r;
    run_open(&r, &(video_source_options){.text = url_of("http", s.port, "/x.m3u8")});
    assert_int_not_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_OK);
    run_close(&r);
    serve_stop(&s);
}

/* ---- key pictures in several parts ---- */

/* The bytes of the NAL unit at `at`, with its start code. */
static size_t nal_bytes(const char *at, const char *end)
{
    for (const char *p = at + 3; p + 4 <= end; p++)
        if (memcmp(p, "\0\0\1", 3) == 0)
            return (size_t)(p - (p[-1] == 0) - at);
    return (size_t)(end - at);
}

/* The parameter sets before every slice of a key picture; returns the bytes in `to`. */
static size_t split_keys(char *to, size_t room, const char *from, size_t n)
{
    char sets[1024];
    size_t n_sets = 0, n_to = 0;
    const char *const end = from + n;
    for (const char *at = from; at < end; at += nal_bytes(at, end)) {
        const size_t bytes = nal_bytes(at, end);
        const int type = at[at[2] == 0 ? 4 : 3] & 31;
        if (type == 7)
            n_sets = 0;
        assert_true(n_to + n_sets + bytes <= room);
        if (type == 7 || type == 8) {
            assert_true(n_sets + bytes <= sizeof sets);
            memcpy(sets + n_sets, at, bytes);
            n_sets += bytes;
            continue;
        }
        if (type == 5) {
            memcpy(to + n_to, sets, n_sets);
            n_to += n_sets;
        }
        memcpy(to + n_to, at, bytes);
        n_to += bytes;
    }
    return n_to;
}

static void a_key_picture_in_several_parts_is_one_frame(void **state)
{
    static char parts[4 << 20];
    size_t n;
    (void)state;
    char *clip =
        slurp(clip_make("parts.h264", TESTSRC "-tune zerolatency -x264-params slices=3"), &n);
    server s = {.bytes = parts, .n = split_keys(parts, sizeof parts, clip, n)};
    assert_true(s.n > n);
    serve_start(&s);
    for (int is_low_delay = 0; is_low_delay < 2; is_low_delay++) {
        run r;
        run_open(&r, &(video_source_options){.text = url_of("tcp", s.port, ""),
                                             .is_low_delay = is_low_delay});
        run_connect(&r);
        while (video_source_read(r.source, r.frame, &r.fault, &r.err) == VIDEO_FRAME) {
            assert_false(video_frame_get(r.frame)->is_damaged);
            r.n++;
        }
        assert_int_equal(r.n, 50);
        video_source_get_counts(r.source, &r.counts);
        assert_int_equal(r.counts.damaged_packets, 0);
        run_close(&r);
    }
    serve_stop(&s);
    base_free(clip);
}

/* ---- how they fail ---- */

static void nobody_there_is_told(void **state)
{
    static const char *const schemes[] = {"rtsp", "rtmp", "http", "tcp"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        run r;
        run_open(&r, &(video_source_options){
                         .text = url_of(schemes[i], serve_free_port(SOCK_STREAM), "/x")});
        assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_IO);
        if (r.fault != VIDEO_FAULT_REFUSED)
            fail_msg("%s: %s: %s", schemes[i], video_fault_name(r.fault), r.err.what);
        run_close(&r);
    }
    run r;
    run_open(&r, &(video_source_options){.text = "rtsp://no-such-camera.invalid/x"});
    assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_IO);
    assert_int_equal(r.fault, VIDEO_FAULT_NAME);
    run_close(&r);
}

/* A camera's answers up to the last question, all at once: to the client that is the same. */
#define SDP                                                                                        \
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"                  \
    "a=rtpmap:96 H264/90000\r\n"
#define RTSP_TO_PLAY                                                                               \
    "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"                                                           \
    "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\n"                              \
    "Content-Length: 89\r\n\r\n" SDP "RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 1\r\n"                \
    "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
_Static_assert(sizeof SDP == 89 + 1, "as the answer says");

static void refusals_are_told_apart(void **state)
{
    static const struct {
        const char *scheme, *answer;
        video_fault fault;
    } rows[] = {
        {"http", "HTTP/1.0 401 Unauthorized\r\n\r\n", VIDEO_FAULT_DENIED},
        {"http", "HTTP/1.0 403 Forbidden\r\n\r\n", VIDEO_FAULT_DENIED},
        {"http", "HTTP/1.0 404 Not Found\r\n\r\n", VIDEO_FAULT_ABSENT},
        {"http", "HTTP/1.0 500 Oops\r\n\r\n", VIDEO_FAULT_OTHER},
        {"http", "HTTP/1.0 200 OK\r\nContent-Length: 26\r\n\r\n<html>no video here</html>",
         VIDEO_FAULT_DATA},
        {"rtsp", "RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n", VIDEO_FAULT_DENIED},
        {"rtsp", RTSP_TO_PLAY "RTSP/1.0 250 ?\r\nCSeq: 4\r\n\r\n", VIDEO_FAULT_LOST},
        {"rtsp", "RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", VIDEO_FAULT_ABSENT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run r;
        server s = {.bytes = rows[i].answer,
                    .n = strlen(rows[i].answer),
                    .hears_first = true,
                    /* a close would throw away answers that wait for their question */
                    .end = rows[i].scheme[0] == 'r' ? SERVE_HOLD : SERVE_CLOSE};
        serve_start(&s);
        run_open(&r, &(video_source_options){.text = url_of(rows[i].scheme, s.port, "/x")});
        assert_int_not_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_OK);
        if (r.fault != rows[i].fault)
            fail_msg("%.25s: %s: %s", rows[i].answer, video_fault_name(r.fault), r.err.what);
        assert_true(r.err.mend[0] != '\0');
        run_close(&r);
        serve_stop(&s);
    }
}

static void a_server_that_says_nothing_is_a_time_out(void **state)
{
    static const char *const schemes[] = {"rtsp", "rtmp", "http", "tcp"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        run r;
        server s = {.end = SERVE_HOLD};
        serve_start(&s);
        run_open(&r, &(video_source_options){.text = url_of(schemes[i], s.port, "/x"),
                                             .connect_s = 0.3});
        assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_IO);
        if (r.fault != VIDEO_FAULT_TIMEOUT)
            fail_msg("%s: %s: %s", schemes[i], video_fault_name(r.fault), r.err.what);
        run_close(&r);
        serve_stop(&s);
    }
}

static void how_a_stream_stops_is_told(void **state)
{
    static const struct {
        serve_end end;
        video_outcome outcome;
        video_fault fault;
    } rows[] = {{SERVE_CLOSE, VIDEO_END, VIDEO_N_FAULTS},
                {SERVE_RESET, VIDEO_FAILED, VIDEO_FAULT_LOST},
                {SERVE_HOLD, VIDEO_FAILED, VIDEO_FAULT_STALL}};
    size_t n;
    (void)state;
    char *clip = slurp(clip_make("a.ts", TESTSRC), &n);
    for (size_t i = 0; i < 3; i++) {
        run r;
        server s = {.bytes = clip, .n = n, .end = rows[i].end};
        serve_start(&s);
        run_open(&r, &(video_source_options){.text = url_of("tcp", s.port, ""), .stall_s = 0.5});
        run_connect(&r);
        r.fault = VIDEO_N_FAULTS;
        assert_int_equal(run_read(&r, 1000), rows[i].outcome);
        assert_int_equal(r.fault, rows[i].fault);
        assert_true(r.n >= 45); /* what waits when it is reset may be lost */
        run_close(&r);
        serve_stop(&s);
    }
    base_free(clip);
}

static void *set_later(void *flag)
{
    usleep(200 * 1000);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void stop_ends_every_wait(void **state)
{
    static const char *const schemes[] = {"rtsp", "rtmp", "http", "tcp", "udp"};
    size_t n;
    (void)state;
    char *clip = slurp(clip_make("a.ts", TESTSRC), &n);
    for (size_t i = 0; i < 5; i++) {
        run r;
        pthread_t thread;
        server s = {.end = SERVE_HOLD};
        serve_start(&s);
        run_open(&r, &(video_source_options){.text = url_of(schemes[i], s.port, "/x"),
                                             .connect_s = 1000});
        pthread_create(&thread, NULL, set_later, &r.stop);
        assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err),
                         VG_ERR_INTERRUPTED);
        pthread_join(thread, NULL);
        run_close(&r);
        serve_stop(&s);
    }
    run r;
    pthread_t thread;
    server s = {.bytes = clip, .n = n, .end = SERVE_HOLD};
    serve_start(&s);
    run_open(&r, &(video_source_options){.text = url_of("tcp", s.port, ""), .stall_s = 1000});
    run_connect(&r);
    pthread_create(&thread, NULL, set_later, &r.stop);
    assert_int_equal(run_read(&r, 1000), VIDEO_STOPPED);
    pthread_join(thread, NULL);
    run_close(&r);
    serve_stop(&s);
    base_free(clip);
}

/* Neither in errors nor in the log, whatever fails, at the chattiest level. */
static void passwords_are_never_told(void **state)
{
    static const char *const schemes[] = {"rtsp", "rtmp", "http", "tcp", "udp", "srt"};
    static const char *const answers[] = {
        "", "HTTP/1.0 401 No\r\n\r\n", "RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n",
        "HTTP/1.0 302 Found\r\nLocation: http://u:hunter2@127.0.0.1:1/\r\n\r\n"};
    char path[512];
    (void)state;
    snprintf(path, sizeof path, "%s", clip_path("log.txt"));
    fflush(stderr);
    const int saved = dup(STDERR_FILENO);
    FILE *log = fopen(path, "w");
    dup2(fileno(log), STDERR_FILENO);
    base_log_setup(BASE_LOG_DEBUG, false);
    bool was_told = false;
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 4; k++) {
            run r;
            char url[256];
            server s = {.bytes = answers[k], .n = strlen(answers[k]), .hears_first = k > 0};
            serve_start(&s);
            snprintf(url, sizeof url, "%s://gatekeeper:hunter2@127.0.0.1:%d/x?key=hunter2",
                     schemes[i], s.port);
            run_open(&r, &(video_source_options){.text = url, .connect_s = 0.2});
            video_source_connect(r.source, &r.info, &r.fault, &r.err);
            base_log_error(BASE_LOG_WARN, &r.err);
            const char *fields[] = {r.err.what, r.err.where, r.err.mend};
            for (size_t f = 0; f < 3; f++)
                was_told =
                    was_told || strstr(fields[f], "hunter2") || strstr(fields[f], "gatekeeper");
            run_close(&r);
            serve_stop(&s);
        }
    base_log_setup(BASE_LOG_INFO, false);
    dup2(saved, STDERR_FILENO);
    close(saved);
    fclose(log);
    size_t n;
    char *text = slurp(path, &n);
    assert_false(was_told);
    assert_true(strstr(text, "ffmpeg") != NULL); /* it did talk */
    if (strstr(text, "hunter2") || strstr(text, "gatekeeper"))
        fail_msg("the log tells: %s", text);
    base_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_from_ffmpeg_are_read),
        cmocka_unit_test(a_silent_udp_port_is_a_time_out),
        cmocka_unit_test(playlists_are_followed),
        cmocka_unit_test(playlists_reach_no_files),
        cmocka_unit_test(a_key_picture_in_several_parts_is_one_frame),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(refusals_are_told_apart),
        cmocka_unit_test(a_server_that_says_nothing_is_a_time_out),
        cmocka_unit_test(how_a_stream_stops_is_told),
        cmocka_unit_test(stop_ends_every_wait),
        cmocka_unit_test(passwords_are_never_told),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
