/* The live pipeline on FFmpeg's own test pictures: all frames in order, fair shares, slow readers,
 * flat memory, and every failed allocation given back. */
#include "stream/jobs.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct seen {
    atomic_int n[4]; /* results by channel */
    atomic_int n_out_of_order, n_wrong_size;
    atomic_bool is_held; /* the listener waits */
    int w, h;
    pthread_mutex_t lock; /* of the names */
    char stem[4][64];     /* of the newest result */
    char files[1000];     /* of the first source, in their order, ended by ; */
} seen;

typedef struct live {
    stream_options o;
    stream_accounts mem;
    stream_job *l;
    seen seen;
    vg_error err;
    char folder[256];
} live;

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void see(void *ctx, const stream_result *r)
{
    seen *s = ctx;
    while (s->is_held)
        nap_ms(1);
    if (r->index != (uint64_t)s->n[r->channel])
        s->n_out_of_order++;
    if (s->w != 0 && (r->frame.w != s->w || r->frame.h != s->h))
        s->n_wrong_size++;
    const size_t n = strlen(s->files), k = strlen(r->file);
    if (r->channel == 0 && n + k + 2 < sizeof s->files &&
        (n < k + 1 || strncmp(s->files + n - k - 1, r->file, k) != 0))
        snprintf(s->files + n, sizeof s->files - n, "%s;", r->file);
    pthread_mutex_lock(&s->lock);
    memcpy(s->stem[r->channel], r->stem, strlen(r->stem) + 1);
    pthread_mutex_unlock(&s->lock);
    s->n[r->channel]++;
}

static int set_up(void **state)
{
    live *t = scene_alloc(sizeof *t);
    *state = t;
    if (folder_make(t->folder, sizeof t->folder) != 0)
        return -1;
    stream_options_default(&t->o);
    base_format(t->o.weights, sizeof t->o.weights, "%s", TEST_GOLDEN_DIR "/yolo11n_random.pt");
    base_format(t->o.project, sizeof t->o.project, "%s/runs", t->folder);
    t->o.imgsz.h = t->o.imgsz.w = scene_fewer(64, 32);
    t->o.threads = 1;
    t->o.max_det = 50;
    t->o.save_choice = 2; /* no recordings */
    stream_accounts_init(&t->mem, 0);
    return 0;
}

static int tear_down(void **state)
{
    live *t = *state;
    t->seen.is_held = false;
    stream_job_close(&t->l, 0, NULL);
    const int left = t->mem.root.in_use_bytes != 0 || scene_count_threads(1) != 1;
    if (left)
        fprintf(stderr, "%zu bytes, %d threads are left\n", (size_t)t->mem.root.in_use_bytes,
                scene_count_threads(1));
    folder_remove(t->folder);
    free(t);
    return left ? -1 : 0;
}

static vg_status start(live *t, const char *source)
{
    const stream_listener listener = {.ctx = &t->seen, .result = see};
    base_format(t->o.source, sizeof t->o.source, "%s", source);
    return stream_job_open(&t->l, &t->o, &listener, &t->mem, &t->err);
}

static vg_status start_seconds(live *t, int seconds)
{
    char source[100];
    snprintf(source, sizeof source, "lavfi:testsrc2=size=96x54:rate=30:duration=%d", seconds);
    return start(t, source);
}

static void write_list(live *t, char *path, size_t n, const char *text)
{
    snprintf(path, n, "%s/all.streams", t->folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void wait_for_end(live *t)
{
    bool ended = false;
    for (int i = 0; i < 1200 && !ended; i++)
        assert_int_equal(stream_job_wait(t->l, 100, &ended, &t->err), VG_OK);
    assert_true(ended);
}

static void every_frame_of_a_source_comes_in_order(void **state)
{
    live *t = *state;
    const int n_frames = scene_fewer(150, 60);
    t->seen.w = 96;
    t->seen.h = 54;
    assert_int_equal(start_seconds(t, n_frames / 30), VG_OK);
    wait_for_end(t);
    assert_int_equal(t->seen.n[0], n_frames);
    assert_int_equal(t->seen.n_out_of_order, 0);
    assert_int_equal(t->seen.n_wrong_size, 0);
    const stream_stats *s = stream_job_stats(t->l);
    assert_int_equal(s->channels[0].n_results, n_frames);
    assert_int_equal(s->channels[0].n_dropped, 0);
    assert_int_equal(s->channels[0].state, STREAM_ENDED);
    uint64_t n = 0;
    for (int i = 0; i < STREAM_BUCKETS; i++)
        n += s->channels[0].stages[STREAM_STAGE_LATENCY].n[i];
    assert_int_equal(n, n_frames);
}

static void a_frame_tells_which_of_several_files_it_is_of(void **state)
{
    live *t = *state;
    char list[300];
    FILE *f;
    snprintf(list, sizeof list, "%s/all.txt", t->folder);
    assert_non_null(f = fopen(list, "w"));
    fputs("lavfi:testsrc2=size=96x54:duration=0.3\nlavfi:testsrc=size=64x64:duration=0.3\n"
          "lavfi:testsrc2=size=96x54:duration=0.2\n",
          f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(start(t, list), VG_OK);
    wait_for_end(t);
    assert_string_equal(t->seen.files, "lavfi:testsrc2=size=96x54:duration=0.3;"
                                       "lavfi:testsrc=size=64x64:duration=0.3;"
                                       "lavfi:testsrc2=size=96x54:duration=0.2;");
    assert_string_equal(t->seen.stem[0], "all");
    stream_job_close(&t->l, 0, NULL);
    t->seen = (seen){0};
    assert_int_equal(start(t, "lavfi:testsrc2=size=96x54:duration=0.1"), VG_OK);
    wait_for_end(t);
    assert_string_equal(t->seen.files, ";");
}

/* Counts the results of three sources; true: each has a third of them, within 10 %. */
static bool are_shares_equal(live *t, int *sum)
{
    int n[3];
    *sum = 0;
    for (int i = 0; i < 3; i++)
        *sum += n[i] = t->seen.n[i];
    bool are_equal = true;
    for (int i = 0; i < 3; i++)
        are_equal = are_equal && n[i] * 30 >= *sum * 9 && n[i] * 30 <= *sum * 11;
    return are_equal;
}

/* A loaded machine may hold a source's thread back for a while, and the others go on: that is made
 * up for by more frames, where a wrong order would not be. */
static void several_sources_get_equal_shares(void **state)
{
    live *t = *state;
    char list[300];
    const int enough = scene_fewer(300, 60);
    write_list(t, list, sizeof list,
               "lavfi:testsrc2=size=96x54\nlavfi:testsrc=size=96x54\nlavfi:smptebars=size=64x64\n");
    for (int batch = 1; batch <= 3; batch += 2) {
        t->seen = (seen){0};
        t->o.batch = batch;
        assert_int_equal(start(t, list), VG_OK);
        bool ended;
        int sum = 0;
        bool are_equal = false;
        while (sum < enough || (!are_equal && sum < 10 * enough)) {
            assert_int_equal(stream_job_wait(t->l, 20, &ended, &t->err), VG_OK);
            are_equal = are_shares_equal(t, &sum);
        }
        assert_true(are_equal);
        assert_int_equal(stream_job_close(&t->l, 1, &t->err), VG_OK);
    }
}

static void reload(live *t, const char *text)
{
    char list[300];
    write_list(t, list, sizeof list, text);
    assert_int_equal(stream_job_reload(t->l, &t->err), VG_OK);
}

static void await(live *t, const _Atomic uint64_t *what, uint64_t n)
{
    bool ended;
    while (*what < n)
        assert_int_equal(stream_job_wait(t->l, 5, &ended, &t->err), VG_OK);
}

/* Waits for results of the n channels, then asks what they are called. */
static void see_stems(live *t, int n, const char *const *stems)
{
    enum { UNDER_WAY = 12 }; /* more frames than are between a capture and its result */
    const stream_stats *s = stream_job_stats(t->l);
    for (int i = 0; i < n; i++)
        await(t, &s->channels[i].n_results, s->channels[i].n_results + UNDER_WAY);
    /* Those are in the listener's queue by now; so the queue once more. */
    await(t, &s->sinks[0].n_written, s->sinks[0].n_written + (uint64_t)s->sinks[0].capacity + 2);
    for (int i = 0; i < n; i++) {
        char stem[sizeof t->seen.stem[0]];
        pthread_mutex_lock(&t->seen.lock);
        memcpy(stem, t->seen.stem[i], sizeof stem);
        pthread_mutex_unlock(&t->seen.lock);
        assert_string_equal(stem, stems[i]);
    }
}

/* A source that stays keeps its name whatever stands before it now, a name that is free again is
 * given away, and of two that are the same each has its own place. */
static void a_reload_keeps_the_names_of_those_who_stay(void **state)
{
#define A "lavfi:testsrc2=size=96x54\n"
#define B "lavfi:testsrc2=size=64x64\n"
#define C "lavfi:testsrc2=size=48x48\n"
    live *t = *state;
    char list[300];
    t->o.most_sources = 3;
    write_list(t, list, sizeof list, A B);
    assert_int_equal(start(t, list), VG_OK);
    const stream_stats *s = stream_job_stats(t->l);
    see_stems(t, 2, (const char *const[]){"testsrc2", "testsrc2-2"});
    reload(t, B C);
    see_stems(t, 2, (const char *const[]){"testsrc2", "testsrc2-2"});
    assert_int_equal(s->channels[0].w, 48);
    assert_int_equal(s->channels[1].w, 64);
    reload(t, C B B);
    see_stems(t, 3, (const char *const[]){"testsrc2", "testsrc2-2", "testsrc2-3"});
    reload(t, B B C);
    see_stems(t, 3, (const char *const[]){"testsrc2", "testsrc2-2", "testsrc2-3"});
    for (int i = 0; i < 3; i++)
        assert_int_equal(s->channels[i].n_connects, 1);
    assert_string_not_equal(s->channels[1].name, s->channels[2].name);
}

static void a_reader_that_stands_still_loses_results_but_holds_nobody(void **state)
{
    live *t = *state;
    const uint64_t n = (uint64_t)scene_fewer(600, 120);
    t->o.sink_policy = STREAM_SINK_DROP;
    t->seen.is_held = true;
    assert_int_equal(start_seconds(t, (int)n / 30), VG_OK);
    const stream_stats *s = stream_job_stats(t->l);
    bool ended;
    while (s->channels[0].n_results < n)
        assert_int_equal(stream_job_wait(t->l, 20, &ended, &t->err), VG_OK);
    assert_true(s->sinks[0].n_dropped > n * 2 / 3);
    t->seen.is_held = false;
    wait_for_end(t);
    assert_int_equal(s->sinks[0].n_written + s->sinks[0].n_dropped, n);
}

static void a_reader_of_a_file_that_stands_still_is_waited_for(void **state)
{
    live *t = *state;
    const int n = scene_fewer(300, 90);
    t->seen.is_held = true;
    assert_int_equal(start_seconds(t, n / 30), VG_OK);
    const stream_stats *s = stream_job_stats(t->l);
    bool ended;
    while (s->channels[0].n_results < (uint64_t)s->sinks[0].capacity)
        assert_int_equal(stream_job_wait(t->l, 20, &ended, &t->err), VG_OK);
    for (int i = 0; i < scene_fewer(50, 100); i++)
        assert_int_equal(stream_job_wait(t->l, 20, &ended, &t->err), VG_OK);
    /* the queue, what the reader holds, what waits for the queue */
    assert_in_range(s->channels[0].n_results, 1, s->sinks[0].capacity + 2);
    t->seen.is_held = false;
    wait_for_end(t);
    assert_int_equal(t->seen.n[0], n);
}

/* Random weights see an object everywhere; there is room for one. */
static void tracks_beyond_the_bound_are_counted(void **state)
{
    live *t = *state;
    t->o.track = true;
    t->o.conf = 0.001;
    t->o.tracker.track_high_thresh = t->o.tracker.new_track_thresh = 0.001f;
    t->o.tracker.track_low_thresh = 0.0005f;
    t->o.tracker.most_tracks = 1;
    assert_int_equal(start(t, "lavfi:testsrc2=size=96x54:rate=30:duration=1"), VG_OK);
    wait_for_end(t);
    const stream_stats *s = stream_job_stats(t->l);
    assert_true(s->has_tracks);
    assert_true(s->channels[0].n_boxes > 0);
    assert_true(s->n_tracks_refused > 0);
}

static void a_frame_allocates_nothing(void **state)
{
    live *t = *state;
    t->o.track = true;
    assert_int_equal(start(t, "lavfi:testsrc2=size=96x54:rate=30"), VG_OK);
    bool ended;
    uint64_t n_allocs = 0;
    size_t in_use = 0;
    while (t->seen.n[0] < scene_fewer(1100, 100)) {
        assert_int_equal(stream_job_wait(t->l, 20, &ended, &t->err), VG_OK);
        if (n_allocs == 0 && t->seen.n[0] >= 50) {
            n_allocs = t->mem.root.n_allocs;
            in_use = t->mem.root.in_use_bytes;
        }
    }
    assert_int_equal(t->mem.root.n_allocs, n_allocs);
    assert_int_equal(t->mem.root.in_use_bytes, in_use);
}

static void check_held(live *t, const char *source)
{
    assert_int_equal(start(t, source), VG_OK);
    wait_for_end(t);
    for (int i = 0; i < STREAM_N_OWNERS; i++) {
        const size_t planned = t->mem.planned_bytes[i], held = t->mem.owner[i].in_use_bytes;
        if (i == STREAM_LOADING)
            continue;
        if (held > planned + planned / 20 + 4096)
            fail_msg("%s: %zu planned, %zu held", t->mem.owner[i].tag, planned, held);
    }
}

static void what_is_held_was_planned(void **state)
{
    live *t = *state;
    t->o.save_txt = t->o.track = true;
    check_held(t, "lavfi:testsrc2=size=96x54:rate=30:duration=2");
}

/* Pictures of other formats are RGB on their way; the first ones are of 1080p, so that it shows. */
static void a_picture_on_the_way_is_planned_too(void **state)
{
    live *t = *state;
    check_held(t, "lavfi:testsrc2=size=1920x1080:rate=5:duration=1,format=yuyv422");
}

/* What FFmpeg takes is in the plan before the start: linear in the number of sources, and the
 * limit counts it. */
static void what_ffmpeg_takes_is_planned(void **state)
{
    live *t = *state;
    size_t decoders[2], encoders[2], all = 0;
    for (int n = 1; n <= 2; n++) {
        base_format(t->o.source, sizeof t->o.source, "rtsp://192.0.2.1/1");
        t->o.most_sources = n;
        t->o.save_choice = 1;
        stream_accounts_init(&t->mem, 0);
        assert_int_equal(stream_job_check(&t->o, &t->mem, &t->err), VG_OK);
        decoders[n - 1] = t->mem.planned_bytes[STREAM_DECODERS];
        encoders[n - 1] = t->mem.planned_bytes[STREAM_ENCODERS];
        all = stream_accounts_planned(&t->mem);
    }
    assert_in_range(decoders[0], 30 << 20, 90 << 20); /* of 1080p: 23 MB, and frames of 3 MB */
    assert_in_range(encoders[0], 40 << 20, 60 << 20);
    assert_int_equal(encoders[1], 2 * encoders[0]);
    assert_in_range(decoders[1], decoders[0] * 13 / 10, decoders[0] * 2);
    stream_accounts_init(&t->mem, all - 1000);
    assert_int_equal(stream_job_check(&t->o, &t->mem, &t->err), VG_ERR_LIMIT);
    assert_non_null(strstr(t->err.what, "encoders (FFmpeg)"));
    stream_accounts_init(&t->mem, all + 1000);
    assert_int_equal(stream_job_check(&t->o, &t->mem, &t->err), VG_OK);
}

static void a_plan_above_the_limit_is_refused_with_its_sum(void **state)
{
    live *t = *state;
    stream_accounts_init(&t->mem, 12 << 20);
    t->o.imgsz = (base_size){1280, 1280};
    assert_int_equal(start(t, "lavfi:testsrc2=size=96x54"), VG_ERR_LIMIT);
    assert_null(t->l);
}

static void every_failed_allocation_at_open_is_given_back(void **state)
{
    live *t = *state;
    int64_t n = 0;
    for (;; n++) {
        t->mem.root.fail_in = n + 1;
        const vg_status st = start(t, "lavfi:testsrc2=size=96x54:duration=0.1");
        const bool failed = t->mem.root.fail_in == 0;
        t->mem.root.fail_in = 0;
        if (st != VG_OK) {
            assert_int_equal(st, VG_ERR_MEMORY);
            assert_int_equal(t->mem.root.in_use_bytes, 0);
            assert_int_equal(scene_count_threads(1), 1);
            n += n / scene_fewer(16, 2); /* all of the first, then fewer */
            continue;
        }
        stream_job_close(&t->l, 0, NULL);
        if (!failed)
            break;
    }
    assert_true(n > 50);
}

static void a_source_that_is_not_there_ends_the_job_with_its_reason(void **state)
{
    live *t = *state;
    assert_int_not_equal(start(t, "nowhere.mp4"), VG_OK);
    assert_non_null(strstr(t->err.what, "nowhere.mp4"));
}

/* A port of ours that others cannot have. */
static int take_port(char *where, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof a;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &length), 0);
    snprintf(where, n, "127.0.0.1:%d", ntohs(a.sin_port));
    return fd;
}

/* The codec is told before anything is made; the port is the last output's slip. */
static void a_job_that_cannot_be_opened_leaves_no_folder(void **state)
{
    live *t = *state;
    char path[400], runs[400];
    snprintf(path, sizeof path, "%s/runs/exp", t->folder);
    snprintf(runs, sizeof runs, "%s/runs", t->folder);
    t->o.save_json = t->o.save_txt = true;
    const int fd = take_port(t->o.serve, sizeof t->o.serve);
    assert_int_not_equal(start(t, "lavfi:testsrc2=size=96x54"), VG_OK);
    assert_int_equal(access(runs, F_OK), -1);
    t->o.exist_ok = true;
    assert_int_not_equal(start(t, "lavfi:testsrc2=size=96x54"), VG_OK);
    assert_int_equal(access(runs, F_OK), -1);
    assert_int_equal(mkdir(runs, 0777), 0);
    assert_int_equal(mkdir(path, 0777), 0); /* somebody else's, though there is nothing in it */
    assert_int_not_equal(start(t, "lavfi:testsrc2=size=96x54"), VG_OK);
    assert_int_equal(access(path, F_OK), 0);
    t->o.exist_ok = false;
    t->o.save_choice = 1;
    base_format(t->o.video_codec, sizeof t->o.video_codec, "h999");
    assert_int_not_equal(start(t, "lavfi:testsrc2=size=96x54"), VG_OK);
    snprintf(path, sizeof path, "%s/runs/exp2", t->folder);
    assert_int_equal(access(path, F_OK), -1);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        TEST(every_frame_of_a_source_comes_in_order),
        TEST(a_frame_tells_which_of_several_files_it_is_of),
        TEST(several_sources_get_equal_shares),
        TEST(a_reload_keeps_the_names_of_those_who_stay),
        TEST(a_reader_that_stands_still_loses_results_but_holds_nobody),
        TEST(a_reader_of_a_file_that_stands_still_is_waited_for),
        TEST(tracks_beyond_the_bound_are_counted),
        TEST(a_frame_allocates_nothing),
        TEST(what_is_held_was_planned),
        TEST(a_picture_on_the_way_is_planned_too),
        TEST(what_ffmpeg_takes_is_planned),
        TEST(a_plan_above_the_limit_is_refused_with_its_sum),
        TEST(every_failed_allocation_at_open_is_given_back),
        TEST(a_job_that_cannot_be_opened_leaves_no_folder),
        TEST(a_source_that_is_not_there_ends_the_job_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
