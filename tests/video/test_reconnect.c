/* A thousand connections leave what one leaves: no memory, no descriptor, no thread. */
#include "video/clips.h"

#include <dirent.h>

#include "video/serve.h"

enum { A_FEW = 4, N_WARM_UP = 100, N_CONNECTS = 1000 };

static int count_entries(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    while (d != NULL && readdir(d) != NULL)
        n++;
    if (d != NULL)
        closedir(d);
    return n;
}

/* What glibc keeps for threads that come and go varies by some 20 KiB, as much after 6,000 connects
 * as after 1,000; a leak of one small block a connect would be more than 48. */
static void repeat(const char *text, int n_connects, bool must_connect, size_t most_growth)
{
    run r;
    size_t before = 0;
    int fds = 0, threads = 0;
    run_open(&r, &(video_source_options){
                     .text = text, .decode_threads = 2, .stall_s = 30, .connect_s = 30});
    const uint64_t n_allocs = r.mem.n_allocs;
    for (int i = 0; i < n_connects; i++) {
        if (i == N_WARM_UP) {
            before = base_mem_library_bytes();
            fds = count_entries("/proc/self/fd");
            threads = count_entries("/proc/self/task");
        }
        if (video_source_connect(r.source, &r.info, &r.fault, &r.err) == VG_OK) {
            r.n = 0;
            assert_int_not_equal(run_read(&r, 1 + i % 7), VIDEO_FAILED);
            video_frame_release(r.frame);
        } else if (must_connect) {
            fail_msg("connect %d: %s: %s", i, video_fault_name(r.fault), r.err.what);
        }
        video_source_disconnect(r.source);
    }
    const size_t after = base_mem_library_bytes();
    /* The server's own socket and a thread that is just ending come and go; a leak would be as many
     * as connects. */
    assert_in_range(count_entries("/proc/self/fd"), 1, fds + A_FEW);
    assert_in_range(count_entries("/proc/self/task"), 1, threads + A_FEW);
    assert_int_equal(r.mem.n_allocs, n_allocs);
    print_message("%-24.24s %+ld bytes in %d connects\n", text, (long)after - (long)before,
                  n_connects - N_WARM_UP);
    if (after > before + most_growth)
        fail_msg("%s: %zu bytes more after %d connects", text, after - before, n_connects);
    run_close(&r);
}

static void files_leave_nothing(void **state)
{
    (void)state;
    repeat(clip_make("a.mp4", TESTSRC), N_CONNECTS, true, 48 << 10);
    repeat(clip_make("a.ts", TESTSRC), N_CONNECTS, true, 48 << 10);
}

static void drawn_pictures_leave_nothing(void **state)
{
    (void)state;
    repeat("lavfi:testsrc2=s=64x48", N_CONNECTS, true, 48 << 10);
}

static void network_streams_leave_nothing(void **state)
{
    char url[64], *bytes;
    size_t n;
    static base_mem mem = {.tag = "file"};
    (void)state;
    OK(base_file_read(&bytes, &n, clip_make("a.ts", TESTSRC), 100 << 20, &mem, err));
    for (serve_end end = SERVE_CLOSE; end <= SERVE_HOLD; end++) {
        server s = {.bytes = bytes, .n = n, .end = end};
        serve_start(&s);
        snprintf(url, sizeof url, "tcp://127.0.0.1:%d", s.port);
        repeat(url, end == SERVE_RESET ? N_WARM_UP + 100 : N_CONNECTS, end != SERVE_RESET,
               48 << 10);
        serve_stop(&s);
    }
    base_free(bytes);
}

static void connects_that_fail_leave_nothing(void **state)
{
    char url[64];
    (void)state;
    snprintf(url, sizeof url, "rtsp://127.0.0.1:%d/x", serve_free_port(SOCK_STREAM));
    repeat(url, N_CONNECTS, false, 48 << 10);
    server s = {.bytes = "RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", .n = 37, .hears_first = true};
    s.n = strlen(s.bytes);
    serve_start(&s);
    snprintf(url, sizeof url, "rtsp://localhost:%d/x", s.port);
    repeat(url, N_CONNECTS, false, 48 << 10);
    serve_stop(&s);
    repeat(clip_path("absent.mp4"), N_CONNECTS, false, 48 << 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_leave_nothing),
        cmocka_unit_test(drawn_pictures_leave_nothing),
        cmocka_unit_test(network_streams_leave_nothing),
        cmocka_unit_test(connects_that_fail_leave_nothing),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
