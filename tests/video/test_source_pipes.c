/* test_source_pipes.c: raw pictures, FIFOs and standard input, also silent ones. */
#include "video/clips.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static void pipes_of_raw_pictures_need_their_size(void **state)
{
    run r;
    (void)state;
    clip_make("raw.yuv", "-f lavfi -i testsrc2=s=64x48:r=10:d=1 -pix_fmt rgb24 -f rawvideo");
    char *path = (char *)(uintptr_t)clip_path("raw.264"); /* a video's name for raw bytes */
    assert_int_equal(0, rename(clip_path("raw.yuv"), path));
    run_open(&r, &(video_source_options){.text = path, .format = "rgb24"});
    assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_ARGUMENT);
    run_close(&r);
    run_open(&r, &(video_source_options){.text = path, .format = "nosuch"});
    assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_UNSUPPORTED);
    run_close(&r);
    run_open(&r, &(video_source_options){
                     .text = path, .format = "rgb24", .size = "64x48", .rate = "10"});
    run_connect(&r);
    assert_int_equal(run_read(&r, 1000), VIDEO_END);
    assert_int_equal(r.n, 10);
    assert_int_equal(r.info.w, 64);
    run_close(&r);
}

/* ---- FIFOs and standard input ---- */

static void fifos_are_read_to_their_end(void **state)
{
    run r;
    (void)state;
    const char *path = clip_path("fifo.mkv");
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t pid = clip_start(TESTSRC "fifo.mkv");
    run_open(&r, &(video_source_options){.text = path, .connect_s = 60});
    run_connect(&r);
    assert_int_equal(run_read(&r, 1000), VIDEO_END);
    assert_int_equal(r.n, 50);
    run_close(&r);
    clip_stop(pid);
}

static void standard_input_is_read_to_its_end(void **state)
{
    static const struct {
        const char *name, *how;
    } rows[] = {{"in.mkv", TESTSRC},
                {"in.mjpeg", "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v mjpeg"}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        run r;
        int saved = dup(STDIN_FILENO), fd = open(clip_make(rows[i].name, rows[i].how), O_RDONLY);
        assert_true(fd >= 0);
        dup2(fd, STDIN_FILENO);
        close(fd);
        run_open(&r, &(video_source_options){.text = "-"});
        run_connect(&r);
        assert_int_equal(run_read(&r, 1000), VIDEO_END);
        assert_int_equal(r.n, 50);
        run_close(&r);
        assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* not ours to close */
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
}

static void *set_later(void *flag)
{
    usleep(200 * 1000);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

/* Nobody ever writes: only the flag ends it. */
static void a_silent_fifo_is_left_when_told_to_stop(void **state)
{
    run r;
    pthread_t thread;
    (void)state;
    const char *path = clip_path("silent.mkv");
    assert_int_equal(mkfifo(path, 0600), 0);
    run_open(&r, &(video_source_options){.text = path, .connect_s = 1000});
    pthread_create(&thread, NULL, set_later, &r.stop);
    assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_INTERRUPTED);
    pthread_join(thread, NULL);
    run_close(&r);
}

static void a_silent_fifo_is_left_after_its_time(void **state)
{
    run r;
    (void)state;
    const char *path = clip_path("silent2.mkv");
    assert_int_equal(mkfifo(path, 0600), 0);
    run_open(&r, &(video_source_options){.text = path, .connect_s = 0.2});
    assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_IO);
    assert_int_equal(r.fault, VIDEO_FAULT_TIMEOUT);
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipes_of_raw_pictures_need_their_size),
        cmocka_unit_test(fifos_are_read_to_their_end),
        cmocka_unit_test(standard_input_is_read_to_its_end),
        cmocka_unit_test(a_silent_fifo_is_left_when_told_to_stop),
        cmocka_unit_test(a_silent_fifo_is_left_after_its_time),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
