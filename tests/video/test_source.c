/* Files, pipes and drawn pictures, whole, cut, corrupt and changing. */
#include "video/clips.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static void every_container_gives_all_its_frames(void **state)
{
    static const struct {
        const char *name, *how, *codec;
    } rows[] = {
        {"a.mp4", TESTSRC, "h264"},
        {"a.mkv", TESTSRC, "h264"},
        {"a.ts", TESTSRC, "h264"},
        {"a.avi", "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v mjpeg", "mjpeg"},
        {"a.webm", "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libvpx", "vp8"},
        {"hevc.mp4",
         "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libx265 -x265-params log-level=0", "hevc"},
        {"a.mjpeg", "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v mjpeg", "mjpeg"},
        {"a b:c.mp4", TESTSRC " -f mp4 'file:a b:c.mp4' -c:v libx264 -f mp4", "h264"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run r;
        if (strchr(rows[i].name, ' ') != NULL) { /* a name that looks like a protocol */
            assert_int_equal(0, rename(clip_make("c.mp4", TESTSRC), clip_path(rows[i].name)));
        } else {
            clip_make(rows[i].name, rows[i].how);
        }
        run_open(&r, &(video_source_options){.text = clip_path(rows[i].name)});
        run_connect(&r);
        assert_string_equal(r.info.codec, rows[i].codec);
        assert_int_equal(r.info.w, 160);
        assert_int_equal(r.info.h, 120);
        assert_true(r.info.frames_per_s == 25);
        int64_t last = -1;
        while (run_read(&r, r.n + 1) == VIDEO_FRAME) {
            const video_frame_info *f = video_frame_get(r.frame);
            assert_int_equal(f->number, r.n - 1);
            assert_int_equal(f->w, 160);
            assert_true(f->pts_ns > last);
            assert_true(f->arrived_ns > 0 && f->decoded_ns >= f->arrived_ns);
            assert_false(f->is_damaged || f->has_camera_time);
            last = f->pts_ns;
        }
        assert_int_equal(r.n, 50);
        assert_true(last == INT64_C(1960000000));
        assert_int_equal(r.counts.frames, 50);
        assert_int_equal(r.counts.damaged_packets + r.counts.time_jumps + r.counts.size_changes, 0);
        /* once more from its beginning */
        r.n = 0;
        run_connect(&r);
        assert_int_equal(run_read(&r, 1000), VIDEO_END);
        assert_int_equal(r.n, 50);
        assert_int_equal(run_read(&r, 1000), VIDEO_END);
        run_close(&r);
    }
}

static void the_length_is_told_before(void **state)
{
    run r;
    (void)state;
    run_open(&r, &(video_source_options){.text = clip_make("a.mp4", TESTSRC)});
    run_connect(&r);
    assert_int_equal(r.info.n_frames, 50);
    assert_true(r.info.duration_s == 2);
    assert_string_equal(r.info.container, "mov");
    run_close(&r);
}

static void a_stride_gives_every_nth(void **state)
{
    run r;
    (void)state;
    run_open(&r, &(video_source_options){.text = clip_make("a.mp4", TESTSRC), .stride = 7});
    run_connect(&r);
    while (run_read(&r, r.n + 1) == VIDEO_FRAME) {
        assert_int_equal(video_frame_get(r.frame)->number, 7 * (r.n - 1));
        assert_int_equal(video_frame_get(r.frame)->pts_ns, 7 * (r.n - 1) * INT64_C(40000000));
        assert_int_equal(video_frame_get(r.frame)->lasts_ns, 7 * INT64_C(40000000));
    }
    assert_int_equal(r.n, 8);
    assert_int_equal(r.counts.frames, 50);
    run_close(&r);
}

/* Elementary streams of H.264 and H.265 with pictures out of order have no time stamps at all. */
static void files_without_time_stamps_go_by_their_rate(void **state)
{
    static const struct {
        const char *name, *how;
        int frame_ms;
    } rows[] = {
        {"b.h264", "-f lavfi -i testsrc2=s=160x120:r=10:d=2 -c:v libx264 -bf 2 -f h264", 100},
        {"b.m4v", "-f lavfi -i testsrc2=s=160x120:r=10:d=2 -c:v mpeg4 -bf 2 -f m4v", 100},
        {"b.mjpeg", "-f lavfi -i testsrc2=s=160x120:r=10:d=2 -c:v mjpeg -f mjpeg", 40},
        {"b.y4m", "-f lavfi -i testsrc2=s=160x120:r=10:d=2 -pix_fmt yuv420p -f yuv4mpegpipe", 100},
        /* of a container, all the same */
        {"b.mkv", "-f lavfi -i testsrc2=s=160x120:r=10:d=2 -c:v mpeg4 -bsf:v setts=pts=0:dts=0",
         100},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run r;
        const int64_t frame_ns = rows[i].frame_ms * INT64_C(1000000);
        run_open(&r, &(video_source_options){.text = clip_make(rows[i].name, rows[i].how)});
        run_connect(&r);
        while (run_read(&r, r.n + 1) == VIDEO_FRAME) {
            const video_frame_info *f = video_frame_get(r.frame);
            assert_int_equal(f->pts_ns, (r.n - 1) * frame_ns);
            assert_int_equal(f->lasts_ns, frame_ns);
            assert_false(f->is_live);
        }
        assert_int_equal(r.n, 20);
        run_close(&r);
    }
}

static void threads_change_no_frame(void **state)
{
    (void)state;
    uint64_t sums[3] = {0};
    for (int threads = 1; threads <= 3; threads++) {
        run r;
        video_scaler *scaler;
        static uint8_t pixels[160 * 120 * 3];
        const image_view view = {.data = pixels, .w = 160, .h = 120, .stride = 480};
        run_open(&r, &(video_source_options){.text = clip_make("a.mp4", TESTSRC),
                                             .decode_threads = threads,
                                             .is_low_delay = threads == 2});
        OK(video_scaler_create(&scaler, &r.mem, err));
        run_connect(&r);
        uint64_t sum = BASE_HASH_START;
        while (run_read(&r, r.n + 1) == VIDEO_FRAME) {
            OK(video_frame_to_rgb(scaler, &view, r.frame, &r.mem, err));
            sum = base_hash(sum, pixels, sizeof pixels);
        }
        assert_int_equal(r.n, 50);
        sums[threads - 1] = sum;
        video_scaler_destroy(&scaler);
        run_close(&r);
    }
    assert_true(sums[0] == sums[1] && sums[0] == sums[2]);
}

/* A red square in the upper left corner of what is upright must be there. */
static void rotated_files_are_given_upright(void **state)
{
    static const struct {
        const char *name, *stored;
        int degrees, w, h;
    } rows[] = {{"r0.mp4", "null", 0, 160, 120},
                {"r90.mp4", "transpose=cclock", 90, 160, 120},
                {"r180.mp4", "hflip,vflip", 180, 160, 120},
                {"r270.mp4", "transpose=clock", 270, 160, 120}};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char how[512], turned[512];
        run r;
        video_scaler *scaler;
        static uint8_t pixels[160 * 120 * 3];
        snprintf(how, sizeof how,
                 "-f lavfi -i color=c=blue:s=160x120:r=5:d=1,drawbox=0:0:40:40:red:fill,%s "
                 "-c:v libx264 -pix_fmt yuv420p -f mp4",
                 rows[i].stored);
        snprintf(turned, sizeof turned, "-i s%s -c copy -metadata:s:v:0 rotate=%d", rows[i].name,
                 (360 - rows[i].degrees) % 360); /* 5.1 turns the other way */
        char stored[64];
        snprintf(stored, sizeof stored, "s%s", rows[i].name);
        clip_make(stored, how);
        run_open(&r, &(video_source_options){.text = clip_make(rows[i].name, turned)});
        OK(video_scaler_create(&scaler, &r.mem, err));
        run_connect(&r);
        assert_int_equal(r.info.rotation_deg, rows[i].degrees);
        assert_int_equal(r.info.w, rows[i].w);
        assert_int_equal(run_read(&r, 1), VIDEO_FRAME);
        assert_int_equal(video_frame_get(r.frame)->w, rows[i].w);
        assert_int_equal(video_frame_get(r.frame)->h, rows[i].h);
        const image_view view = {.data = pixels, .w = 160, .h = 120, .stride = 480};
        OK(video_frame_to_rgb(scaler, &view, r.frame, &r.mem, err));
        const uint8_t *corner = pixels + 3 * (10 * 160 + 10), *rest = pixels + 3 * (60 * 160 + 80);
        if (corner[0] < 200 || corner[2] > 60 || rest[0] > 60 || rest[2] < 200)
            fail_msg("%s: corner %d %d %d, middle %d %d %d", rows[i].name, corner[0], corner[1],
                     corner[2], rest[0], rest[1], rest[2]);
        video_scaler_destroy(&scaler);
        run_close(&r);
    }
}

static void frames_of_varying_rate_keep_their_times(void **state)
{
    run r;
    (void)state;
    const char *path =
        clip_make("vfr.mkv", "-f lavfi -i testsrc2=s=160x120:r=100:d=2 -vf "
                             "\"select='eq(n,0)+eq(n,3)+eq(n,10)+eq(n,11)+eq(n,150)'\" "
                             "-vsync vfr -c:v libx264");
    static const int ms[] = {0, 30, 100, 110, 1500};
    run_open(&r, &(video_source_options){.text = path});
    run_connect(&r);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(run_read(&r, i + 1), VIDEO_FRAME);
        assert_int_equal(video_frame_get(r.frame)->pts_ns / 1000000, ms[i]);
    }
    assert_int_equal(run_read(&r, 99), VIDEO_END);
    run_close(&r);
}

static void join(const char *out, const char *const *parts)
{
    FILE *to = fopen(clip_path(out), "wb");
    for (; *parts != NULL; parts++) {
        FILE *from = fopen(clip_path(*parts), "rb");
        int c;
        assert_non_null(from);
        while ((c = fgetc(from)) != EOF)
            fputc(c, to);
        fclose(from);
    }
    fclose(to);
}

static void sizes_and_times_that_change_are_followed(void **state)
{
    run r;
    int n_large = 0;
    int64_t last = -1;
    (void)state;
    clip_make("a.ts", TESTSRC);
    clip_make("b.ts",
              "-f lavfi -i testsrc2=s=320x176:r=25:d=2 -c:v libx264 -g 10 -pix_fmt yuv420p");
    join("aba.ts", (const char *const[]){"a.ts", "b.ts", "a.ts", NULL});
    run_open(&r, &(video_source_options){.text = clip_path("aba.ts")});
    run_connect(&r);
    while (run_read(&r, r.n + 1) == VIDEO_FRAME) {
        n_large += video_frame_get(r.frame)->w == 320;
        assert_true(video_frame_get(r.frame)->pts_ns >= last);
        last = video_frame_get(r.frame)->pts_ns;
    }
    assert_int_equal(r.n, 150);
    assert_int_equal(n_large, 50);
    assert_int_equal(r.counts.size_changes, 2);
    assert_int_equal(r.counts.time_jumps, 2);
    assert_true(last > INT64_C(5800000000) && last < INT64_C(6200000000));
    run_close(&r);
}

static void a_codec_that_changes_in_a_joined_file_is_followed(void **state)
{
    run r;
    (void)state;
    clip_make("a.ts", TESTSRC);
    clip_make("m.ts", MPEG2);
    join("am.ts", (const char *const[]){"a.ts", "m.ts", NULL});
    run_open(&r, &(video_source_options){.text = clip_path("am.ts")});
    run_connect(&r);
    assert_int_equal(run_read(&r, 10000), VIDEO_END);
    assert_int_equal(r.counts.codec_changes, 1);
    if (r.n < 50 + 150) /* of 200: what h264 took for its own is lost */
        fail_msg("%d frames", r.n);
    run_close(&r);
}

static char *slurp(const char *path, size_t *n)
{
    char *bytes;
    static base_mem mem = {.tag = "file"};
    OK(base_file_read(&bytes, n, path, 100 << 20, &mem, err));
    return bytes;
}

static void spill(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void corrupt_files_give_what_they_can(void **state)
{
    static const char *const names[] = {"a.ts", "a.mp4", "a.mkv"};
    (void)state;
    clip_make("a.mp4", TESTSRC);
    clip_make("a.ts", TESTSRC);
    clip_make("a.mkv", TESTSRC);
    for (size_t i = 0; i < 3; i++) {
        size_t n;
        char *bytes = slurp(clip_path(names[i]), &n), name[32];
        uint32_t seed = 7;
        for (int k = 0; k < 200; k++) { /* past the head and before mp4's index */
            seed = seed * 1664525u + 1013904223u;
            bytes[n / 10 + seed % (n * 6 / 10)] ^= (char)(1 << (seed >> 29));
        }
        snprintf(name, sizeof name, "bad-%s", names[i]);
        spill(clip_path(name), bytes, n);
        base_free(bytes);
        run r;
        run_open(&r, &(video_source_options){.text = clip_path(name)});
        run_connect(&r);
        int n_damaged = 0;
        while (run_read(&r, r.n + 1) == VIDEO_FRAME)
            n_damaged += video_frame_get(r.frame)->is_damaged;
        if (r.n < 20 || n_damaged + (int)r.counts.damaged_packets == 0)
            fail_msg("%s: %d frames, %d damaged, %d packets", name, r.n, n_damaged,
                     (int)r.counts.damaged_packets);
        run_close(&r);
    }
}

/* Cut at any byte: an error or fewer frames, never more, never a crash. */
static void truncated_files_end_early(void **state)
{
    static const char *const names[] = {"a.ts", "a.mkv", "a.mp4", "a.avi"};
    (void)state;
    clip_make("a.ts", TESTSRC);
    clip_make("a.mkv", TESTSRC);
    clip_make("a.mp4", TESTSRC);
    clip_make("a.avi", "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v mjpeg");
    for (size_t i = 0; i < 4; i++) {
        size_t n;
        char *bytes = slurp(clip_path(names[i]), &n), name[32];
        snprintf(name, sizeof name, "cut-%s", names[i]);
        for (size_t part = 0; part < 16; part++) {
            run r;
            spill(clip_path(name), bytes, n * part / 16);
            run_open(&r, &(video_source_options){.text = clip_path(name)});
            if (video_source_connect(r.source, &r.info, &r.fault, &r.err) == VG_OK) {
                assert_int_not_equal(run_read(&r, 1000), VIDEO_STOPPED);
                assert_true(r.n <= 50);
                if (part == 8 && i != 2)
                    assert_true(r.n > 10);
            } else {
                assert_int_equal(r.fault, VIDEO_FAULT_DATA);
                assert_true(r.err.what[0] != '\0' && r.err.mend[0] != '\0');
            }
            run_close(&r);
        }
        base_free(bytes);
    }
}

static void what_is_no_video_is_told(void **state)
{
    static const struct {
        const char *text;
        video_fault fault;
    } rows[] = {{"/nonexistent/a.mp4", VIDEO_FAULT_ABSENT},
                {"/proc/self/mem.mp4", VIDEO_FAULT_ABSENT},
                {"777", VIDEO_FAULT_ABSENT},
                {"lavfi:nosuchfilter", VIDEO_FAULT_DATA},
                {"lavfi:sine", VIDEO_FAULT_DATA},
                {"noise.mp4", VIDEO_FAULT_DATA},
                {"sound.mkv", VIDEO_FAULT_DATA}};
    (void)state;
    char noise[5000];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 2654435761u >> 13);
    spill(clip_path("noise.mp4"), noise, sizeof noise);
    clip_make("sound.mkv", "-f lavfi -i sine=d=1 -c:a flac");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run r;
        const char *text = i < 5 ? rows[i].text : clip_path(rows[i].text);
        run_open(&r, &(video_source_options){.text = text});
        assert_int_not_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_OK);
        if (r.fault != rows[i].fault && !(i == 3 && r.fault == VIDEO_FAULT_OTHER))
            fail_msg("%s: %s: %s", text, video_fault_name(r.fault), r.err.what);
        /* and reading it is an error, no crash */
        assert_int_equal(run_read(&r, 1), VIDEO_FAILED);
        run_close(&r);
    }
}

static void arguments_are_checked(void **state)
{
    static const video_source_options rows[] = {
        {.text = NULL},
        {.text = ""},
        {.text = "notes.txt"},
        {.text = "a.mp4", .stride = -1},
        {.text = "a.mp4", .connect_s = -1},
        {.text = "a.mp4", .stall_s = 0.0 / 0.0},
    };
    base_mem mem = {.tag = "test"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        video_source *s;
        vg_error err;
        assert_int_equal(video_source_create(&s, &rows[i], NULL, &mem, &err), VG_ERR_ARGUMENT);
        assert_null(s);
    }
    mem.fail_in = 1;
    video_source *s;
    assert_int_equal(
        video_source_create(&s, &(video_source_options){.text = "a.mp4"}, NULL, &mem, NULL),
        VG_ERR_MEMORY);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* By the image floor: FFmpeg would show a tiled TIFF black, and half a picture of a cut one. */
static void pictures_among_videos_are_read_as_pictures(void **state)
{
    static const char *const NAMES[] = {"tile_lzw.tif", "exif6.webp", "big.tif"};
    base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};
    vg_error err = {0};
    image_decoder *decoder = NULL;
    video_scaler *scaler = NULL;
    (void)state;
    assert_int_equal(image_decoder_create(&decoder, NULL, &mem, &err), VG_OK);
    assert_int_equal(video_scaler_create(&scaler, &mem, &err), VG_OK);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char path[512], *bytes = NULL;
        size_t n;
        run r;
        image_buffer want = {0}, is = {0};
        snprintf(path, sizeof path, "%s/../fuzz/corpus/fuzz_image/%s", TEST_FIXTURES_DIR, NAMES[i]);
        assert_int_equal(base_file_read(&bytes, &n, path, 1 << 20, &mem, &err), VG_OK);
        assert_int_equal(image_decode(decoder, &want, (const uint8_t *)bytes, n, path, &mem, &err),
                         VG_OK);
        run_open(&r, &(video_source_options){.text = path});
        run_connect(&r);
        assert_int_equal(run_read(&r, 1), VIDEO_FRAME);
        const video_frame_info *f = video_frame_get(r.frame);
        assert_true(f->w == want.view.w && f->h == want.view.h && !f->is_damaged);
        assert_int_equal(image_buffer_reserve(&is, f->w, f->h, &mem, &err), VG_OK);
        assert_int_equal(video_frame_to_rgb(scaler, &is.view, r.frame, &mem, &err), VG_OK);
        assert_memory_equal(is.view.data, want.view.data, is.view.stride * (size_t)is.view.h);
        assert_int_equal(run_read(&r, 2), VIDEO_END);
        run_close(&r);

        /* Cut short, it is no source. */
        snprintf(path, sizeof path, "%s", clip_path(NAMES[i]));
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, n / 2, file), n / 2);
        fclose(file);
        run_open(&r, &(video_source_options){.text = path});
        assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_FORMAT);
        assert_int_equal(r.fault, VIDEO_FAULT_DATA);
        run_close(&r);
        image_buffer_fini(&want);
        image_buffer_fini(&is);
        base_free(bytes);
    }
    image_decoder_destroy(&decoder);
    video_scaler_destroy(&scaler);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void pictures_that_are_too_large_are_refused(void **state)
{
    run r;
    (void)state;
    run_open(&r, &(video_source_options){.text = clip_make("a.mp4", TESTSRC),
                                         .most_pixels = 160 * 120 - 1});
    assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_LIMIT);
    assert_int_equal(r.fault, VIDEO_FAULT_DATA);
    run_close(&r);
    /* and in mid-stream, by any number of threads */
    clip_make("a.ts", TESTSRC);
    clip_make("b8.ts",
              "-f lavfi -i testsrc2=s=320x176:r=25:d=8 -c:v libx264 -g 10 -pix_fmt yuv420p");
    join("ab8.ts", (const char *const[]){"a.ts", "b8.ts", NULL});
    for (int threads = 1; threads <= 3; threads += 2) {
        run_open(&r, &(video_source_options){.text = clip_path("ab8.ts"),
                                             .decode_threads = threads,
                                             .most_pixels = 200 * 176});
        run_connect(&r);
        assert_int_equal(run_read(&r, 1000), VIDEO_FAILED);
        assert_true(r.n >= 40 && r.n <= 50); /* some wait in the decoder for their turn */
        assert_int_equal(r.err.status, VG_ERR_LIMIT);
        run_close(&r);
    }
}

/* By the header, and no picture of 16000 x 16000 is drawn for it. */
static void what_is_drawn_too_large_is_refused_before_it_is_drawn(void **state)
{
    run r;
    (void)state;
    run_open(&r, &(video_source_options){.text = "lavfi:color=size=16000x16000:rate=1:duration=2"});
    assert_int_equal(video_source_connect(r.source, &r.info, &r.fault, &r.err), VG_ERR_LIMIT);
    assert_int_equal(r.fault, VIDEO_FAULT_DATA);
    assert_non_null(strstr(r.err.what, "16000 x 16000"));
    run_close(&r);
}

static void stop_ends_an_endless_source(void **state)
{
    run r;
    (void)state;
    run_open(&r, &(video_source_options){.text = "lavfi:testsrc2=s=64x48"});
    run_connect(&r);
    assert_int_equal(run_read(&r, 500), VIDEO_FRAME);
    atomic_store(&r.stop, true);
    assert_int_equal(run_read(&r, 501), VIDEO_STOPPED);
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_container_gives_all_its_frames),
        cmocka_unit_test(the_length_is_told_before),
        cmocka_unit_test(a_stride_gives_every_nth),
        cmocka_unit_test(files_without_time_stamps_go_by_their_rate),
        cmocka_unit_test(threads_change_no_frame),
        cmocka_unit_test(rotated_files_are_given_upright),
        cmocka_unit_test(frames_of_varying_rate_keep_their_times),
        cmocka_unit_test(sizes_and_times_that_change_are_followed),
        cmocka_unit_test(a_codec_that_changes_in_a_joined_file_is_followed),
        cmocka_unit_test(corrupt_files_give_what_they_can),
        cmocka_unit_test(truncated_files_end_early),
        cmocka_unit_test(what_is_no_video_is_told),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(pictures_among_videos_are_read_as_pictures),
        cmocka_unit_test(pictures_that_are_too_large_are_refused),
        cmocka_unit_test(what_is_drawn_too_large_is_refused_before_it_is_drawn),
        cmocka_unit_test(stop_ends_an_endless_source),
    };
    return cmocka_run_group_tests(tests, clips_setup, clips_teardown);
}
