/* test_need.c: what is told of FFmpeg's memory before the start, held against what its heap grew
 * by. */
#include "video/clips.h"

enum { MOST_HELD = 12 };

/* FFmpeg itself is there, whatever was tested before. */
static void load(const char *clip)
{
    run r;
    run_open(&r, &(video_source_options){.text = clip,
                                         .connect_s = 60,
                                         .stall_s = 60,
                                         .stride = 1,
                                         .format = "",
                                         .size = "",
                                         .rate = ""});
    run_connect(&r);
    run_read(&r, 3);
    run_close(&r);
}

static void is_near(const char *what, size_t told, size_t measured)
{
    const double ratio = (double)told / (double)measured;
    if (ratio < 0.8 || ratio > 1.2)
        fail_msg("%s: %.2f MB told, %.2f MB measured", what, (double)told / 1e6,
                 (double)measured / 1e6);
}

typedef struct wanted {
    const char *name, *arguments; /* of ffmpeg */
    int threads;
    bool is_low_delay;
    int n_held;
    bool is_plain; /* what is assumed of a live source holds for it */
} wanted;

static void measure(const wanted *k)
{
    run r;
    video_frame *held[MOST_HELD];
    const char *clip = clip_make(k->name, k->arguments);
    const video_source_options o = {.text = clip,
                                    .connect_s = 60,
                                    .stall_s = 60,
                                    .stride = 1,
                                    .decode_threads = k->threads,
                                    .is_low_delay = k->is_low_delay,
                                    .format = "",
                                    .size = "",
                                    .rate = ""};
    char what[200];
    load(clip);
    const size_t before = base_mem_library_bytes();
    run_open(&r, &o);
    for (int i = 0; i < k->n_held; i++)
        OK(video_frame_create(&held[i], &r.mem, err));
    run_connect(&r);
    const size_t assumed = video_need_assumed(r.info.w, r.info.h, &o).decoder_bytes;
    assert_int_equal(video_source_need(r.source).picture_bytes == 0, r.info.w == 0);
    size_t most = 0;
    for (int i = 0; i < 60; i++) {
        video_frame *f = k->n_held > 0 ? held[i % k->n_held] : r.frame;
        assert_int_equal(video_source_read(r.source, f, &r.fault, &r.err), VIDEO_FRAME);
        const size_t bytes = base_mem_library_bytes();
        most = bytes > most ? bytes : most;
    }
    const video_need need = video_source_need(r.source);
    const size_t more = k->n_held > 1 ? (size_t)(k->n_held - 1) * need.picture_bytes : 0;
    snprintf(what, sizeof what, "%s, %d threads%s, %d held", k->name, k->threads,
             k->is_low_delay ? ", live" : "", k->n_held);
    is_near(what, need.decoder_bytes + more, most - before);
    if (k->is_plain) {
        snprintf(what, sizeof what, "%s as assumed", k->name);
        is_near(what, assumed + more, most - before);
    }
    for (int i = 0; i < k->n_held; i++)
        video_frame_destroy(&held[i]);
    run_close(&r);
}

#define DRAWN(size)  "-f lavfi -i testsrc2=s=" size ":r=25:d=2.6 -pix_fmt yuv420p "
#define H264(size)   DRAWN(size) "-c:v libx264 -preset veryfast "
#define CAMERA(size) DRAWN(size) "-c:v libx264 -preset ultrafast -tune zerolatency "
#define MJPEG(size)  "-f lavfi -i testsrc2=s=" size ":r=25:d=2.6 -pix_fmt yuvj422p -c:v mjpeg "

static void decoders_take_what_is_told(void **state)
{
    static const wanted all[] = {
        {"1080.mp4", H264("1920x1080"), 1, false, 0, true},
        {"1080.mp4", H264("1920x1080"), 2, true, 0, true},
        {"1080.mp4", H264("1920x1080"), 4, false, 0, true},
        {"1080.mp4", H264("1920x1080"), 1, true, 9, true},
        {"720.mp4", H264("1280x720"), 1, true, 0, true},
        {"720.mp4", H264("1280x720"), 3, false, 6, true},
        {"360.mp4", H264("640x360"), 1, true, 0, true},
        {"camera.mp4", CAMERA("1920x1080"), 1, true, 0, false},
        {"camera.mp4", CAMERA("1920x1080"), 2, false, 0, false},
        {"m1080.avi", MJPEG("1920x1080"), 1, true, 0, false},
        {"m1080.avi", MJPEG("1920x1080"), 1, true, 5, false},
        {"m720.avi", MJPEG("1280x720"), 0, true, 3, false},
    };
    (void)state;
    if (base_mem_library_bytes() == 0)
        skip(); /* a sanitizer's heap does not say */
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        measure(&all[i]);
}

static void encode(int w, int h, int threads, const char *codec)
{
    base_mem mem = {.tag = "test"};
    image_buffer picture = {0};
    video_recorder *r;
    char what[100];
    OK(image_buffer_reserve(&picture, w, h, &mem, err));
    const video_recorder_options o = {
        .folder = folder, .stem = "need", .codec = codec, .threads = threads};
    OK(video_recorder_create(&r, &o, &mem, err));
    const size_t before = base_mem_library_bytes();
    for (int i = 0; i < 30; i++) {
        for (int y = 0; y < h; y++)
            for (int x = 0; x < 3 * w; x++)
                picture.view.data[(size_t)y * picture.view.stride + (size_t)x] =
                    (uint8_t)((x / 3 + 4 * i) / 2 + ((y + i) >> 3) * 5);
        OK(video_recorder_write(r, &picture.view, i * INT64_C(40000000), 0, err));
    }
    snprintf(what, sizeof what, "%s %dx%d, %d threads", video_recorder_encoder(r), w, h, threads);
    is_near(what, video_recorder_need(video_recorder_encoder(r), w, h, threads),
            base_mem_library_bytes() - before);
    OK(video_recorder_close(&r, err));
    image_buffer_fini(&picture);
}

static void encoders_take_what_is_told(void **state)
{
    (void)state;
    if (base_mem_library_bytes() == 0)
        skip();
    encode(1280, 720, 1, "mpeg4");
    encode(640, 360, 1, "h264");
    encode(1280, 720, 1, "h264");
    encode(1920, 1080, 1, "h264");
    encode(1920, 1080, 2, "h264");
    encode(1920, 1080, 1, "mpeg4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoders_take_what_is_told),
        cmocka_unit_test(encoders_take_what_is_told),
    };
    base_log_setup(BASE_LOG_OFF, false);
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
