/* test_files.c: what the sinks of a stream job leave in the run folder. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "stream/bed.h"

#include <fcntl.h>

extern const stream_sink stream_sink_record, stream_sink_jsonl, stream_sink_txt, stream_sink_crop,
    stream_sink_snapshot;

/* ---- painter ---- */

static void pixels_are_drawn_over_only_where_boxes_are(void **state)
{
    bed *b = *state;
    stream_painter *p;
    image_view plain, drawn;
    static uint8_t before[BED_W * BED_H * 3];
    OK(stream_painter_create(&p, &b->s, &b->mem, err));
    bed_next(b);
    const uint64_t n_allocs = b->mem.n_allocs;
    OK(stream_painter_plain(p, &plain, &b->r, err));
    assert_int_equal(BED_W * 3, plain.stride);
    memcpy(before, plain.data, sizeof before);
    b->o.hide_labels = true;
    b->r.n_boxes = 1; /* 10,20 to 50,80 */
    OK(stream_painter_drawn(p, &drawn, &b->s, &b->r, err));
    size_t n_frame = 0;
    for (int y = 0; y < BED_H; y++)
        for (int x = 0; x < BED_W; x++) {
            const bool differs =
                memcmp(drawn.data + (y * BED_W + x) * 3, before + (y * BED_W + x) * 3, 3) != 0;
            const bool is_near = x >= 6 && x < 54 && y >= 16 && y < 84,
                       is_inside = x >= 16 && x < 44 && y >= 26 && y < 74;
            if (differs && (!is_near || is_inside))
                fail_msg("%d,%d was drawn over", x, y);
            n_frame += differs;
        }
    assert_true(n_frame > 200);
    size_t n_labelled = 0;
    b->o.hide_labels = false;
    OK(stream_painter_drawn(p, &drawn, &b->s, &b->r, err));
    for (int i = 0; i < BED_W * BED_H; i++)
        n_labelled += memcmp(drawn.data + i * 3, before + i * 3, 3) != 0;
    assert_true(n_labelled > n_frame + 200);
    size_t n_with_id = 0;
    b->r.ids = b->ids;
    OK(stream_painter_drawn(p, &drawn, &b->s, &b->r, err));
    for (int i = 0; i < BED_W * BED_H; i++)
        n_with_id += memcmp(drawn.data + i * 3, before + i * 3, 3) != 0;
    assert_true(n_with_id > n_labelled + 100); /* "id:7 " makes the label longer */
    size_t n_without_score = 0;
    b->o.hide_conf = true;
    OK(stream_painter_drawn(p, &drawn, &b->s, &b->r, err));
    for (int i = 0; i < BED_W * BED_H; i++)
        n_without_score += memcmp(drawn.data + i * 3, before + i * 3, 3) != 0;
    assert_true(n_without_score + 100 < n_with_id);
    assert_in_range(b->mem.n_allocs, n_allocs, n_allocs + 2); /* the scaler's own, at its first */
    const uint64_t warm = b->mem.n_allocs;
    for (int i = 0; i < 10; i++) {
        bed_next(b);
        OK(stream_painter_drawn(p, &drawn, &b->s, &b->r, err));
    }
    assert_int_equal(warm, b->mem.n_allocs);
    stream_painter_destroy(&p);
}

/* ---- jsonl ---- */

static int count_lines(const char *path)
{
    size_t n;
    int lines = 0;
    char *text = scene_read(path, &n);
    if (text == NULL)
        return -1;
    for (char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    assert_true(n == 0 || (text[0] == '{' && text[n - 1] == '\n'));
    free(text);
    return lines;
}

static void a_line_a_result(void **state)
{
    bed *b = *state;
    bed_open(b, &stream_sink_jsonl);
    const uint64_t n_allocs = b->mem.n_allocs;
    bed_write(b, 12);
    assert_int_equal(n_allocs, b->mem.n_allocs);
    assert_int_equal(12, count_lines(bed_in(b, "predictions.jsonl"))); /* at once, not at the end */
    char *text = scene_read(bed_in(b, "predictions.jsonl"), NULL);
    assert_int_equal(0, strncmp(text, "{\"source\":\"cam one\",\"stem\":\"cam\"", 31));
    free(text);
}

static void a_full_file_is_begun_anew(void **state)
{
    bed *b = *state;
    b->o.json_bytes = 2000;
    b->o.keep_json = 2;
    bed_open(b, &stream_sink_jsonl);
    bed_write(b, 1);
    const long line = probe_bytes(bed_in(b, "predictions.jsonl"));
    const int each = (int)(2000 / line);
    assert_in_range(line, 200, 900);
    bed_write(b, 5 * each - 1 + 1); /* the sixth file begins */
    assert_int_equal(1, count_lines(bed_in(b, "predictions.jsonl")));
    assert_int_equal(each, count_lines(bed_in(b, "predictions.1.jsonl")));
    assert_int_equal(each, count_lines(bed_in(b, "predictions.2.jsonl")));
    assert_false(bed_has(b, "predictions.3.jsonl"));
    char newest[32];
    snprintf(newest, sizeof newest, "\"index\":%d,", 5 * each);
    char *text = scene_read(bed_in(b, "predictions.jsonl"), NULL);
    assert_non_null(strstr(text, newest));
    free(text);
    assert_int_equal(3, folder_count_entries(b->folder));
    OK(bed_close(b, err));
    b->o.keep_json = 0;
    bed_open(b, &stream_sink_jsonl);
    bed_write(b, each + 1);
    assert_int_equal(1, count_lines(bed_in(b, "predictions.jsonl")));
    assert_int_equal(3, folder_count_entries(b->folder)); /* the old run's stay */
}

static void a_live_job_goes_on_with_a_torn_file(void **state)
{
    bed *b = *state;
    char *text = scene_alloc(20000);
    snprintf(text, 20000, "{\"a\":1}\n{\"b\":2}\n");
    memset(text + strlen(text), '{', 9000); /* killed in the middle of a long line */
    scene_write_text(bed_in(b, "predictions.jsonl"), text);
    b->s.is_of_files = false;
    bed_open(b, &stream_sink_jsonl);
    bed_write(b, 1);
    OK(bed_close(b, err));
    assert_int_equal(3, count_lines(bed_in(b, "predictions.jsonl")));
    assert_true(probe_bytes(bed_in(b, "predictions.jsonl")) < 5000); /* the torn line has gone */
    b->s.is_of_files = true;                                         /* files are predicted anew */
    bed_open(b, &stream_sink_jsonl);
    bed_write(b, 1);
    assert_int_equal(1, count_lines(bed_in(b, "predictions.jsonl")));
    OK(bed_close(b, err));
    scene_write_text(bed_in(b, "predictions.jsonl"), text + 16); /* not one whole line */
    b->s.is_of_files = false;
    bed_open(b, &stream_sink_jsonl);
    bed_write(b, 1);
    assert_int_equal(1, count_lines(bed_in(b, "predictions.jsonl")));
    assert_true(probe_bytes(bed_in(b, "predictions.jsonl")) < 5000);
    free(text);
}

static int write_to_full_disk(bed *b)
{
    struct rlimit limit = {.rlim_cur = 2000, .rlim_max = RLIM_INFINITY};
    vg_error e = {0};
    int n_ok = 0, n_failed = 0;
    signal(SIGXFSZ, SIG_IGN);
    bed_open(b, &stream_sink_jsonl);
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 20; i++, b->r.index++) {
        const vg_status st = b->sink->write(b->state, &b->s, &b->r, &e);
        n_ok += st == VG_OK;
        n_failed += st == VG_ERR_IO;
    }
    if (n_ok != count_lines(bed_in(b, "predictions.jsonl")) || n_ok + n_failed != 20 || n_ok < 2)
        return 1;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    if (b->sink->write(b->state, &b->s, &b->r, &e) != VG_OK)
        return 2;
    return count_lines(bed_in(b, "predictions.jsonl")) == n_ok + 1 ? 0 : 3;
}

static void a_full_disk_leaves_whole_lines(void **state)
{
    bed *b = *state;
    const pid_t child = fork();
    if (child == 0)
        _exit(write_to_full_disk(b));
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(0, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* ---- txt ---- */

static void rows_are_as_yolo_users_know_them(void **state)
{
    bed *b = *state;
    b->r.n_boxes = 2;
    b->r.index = 41;
    bed_open(b, &stream_sink_txt);
    bed_write(b, 1);
    char *text = scene_read(bed_in(b, "labels/cam_42.txt"), NULL);
    assert_string_equal("2 0.1875 0.416667 0.25 0.5\n0 0.845312 0.791667 0.434375 0.583333\n",
                        text);
    free(text);
    b->o.save_conf = true;
    b->r.ids = b->ids;
    bed_write(b, 1);
    text = scene_read(bed_in(b, "labels/cam_43.txt"), NULL);
    assert_string_equal("2 0.1875 0.416667 0.25 0.5 0.875 7\n"
                        "0 0.845312 0.791667 0.434375 0.583333 0.5 8\n",
                        text);
    free(text);
    b->r.n_boxes = 0;
    bed_write(b, 1);
    assert_false(bed_has(b, "labels/cam_44.txt"));
    b->r.index = 41; /* of the run before: gone */
    b->o.exist_ok = true;
    bed_write(b, 1);
    assert_false(bed_has(b, "labels/cam_42.txt"));
    assert_true(bed_has(b, "labels/cam_43.txt"));
}

static int count_labels(const bed *b)
{
    return folder_count_entries(bed_in(b, "labels"));
}

/* By number: frames without boxes and those that gave way in the queue count, too. Of each source;
 * one that begins anew in the same place or under the same name does. */
static void the_newest_labels_are_kept(void **state)
{
    bed *b = *state;
    b->o.keep_labels = 5;
    bed_open(b, &stream_sink_txt);
    bed_write(b, 12);
    assert_int_equal(count_labels(b), 5);
    assert_false(bed_has(b, "labels/cam_7.txt"));
    assert_true(bed_has(b, "labels/cam_8.txt"));
    b->r.index += 3;
    bed_write(b, 1); /* frame 16 */
    assert_int_equal(count_labels(b), 2);
    b->r.stem = "other";
    b->r.index = 0;
    bed_write(b, 20);
    assert_int_equal(count_labels(b), 2 + 5);
    b->r.index = 0;
    bed_write(b, 30);
    assert_int_equal(count_labels(b), 2 + 5);
}

/* A service that begins again in the same folder does not add to it for ever. */
static void of_earlier_runs_as_many_are_kept(void **state)
{
    bed *b = *state;
    static const char *const stems[] = {"a", "b", "c", "d"};
    b->s.n_channels = 1;
    for (int run = 0; run < 4; run++) {
        b->o.keep_labels = run == 0 ? 0 : 4;
        b->o.exist_ok = run > 0;
        b->r.index = 0;
        b->r.stem = stems[run];
        bed_open(b, &stream_sink_txt);
        assert_int_equal(count_labels(b), run == 0 ? 0 : 4);
        bed_write(b, 9);
        assert_int_equal(count_labels(b), run == 0 ? 9 : 8);
        for (int f = 1; f <= 9; f++) { /* written a second apart */
            char name[64];
            snprintf(name, sizeof name, "labels/%s_%d.txt", stems[run], f);
            const struct timespec time = {.tv_sec = 1000000 + run * 100 + f};
            utimensat(AT_FDCWD, bed_in(b, name), (const struct timespec[]){time, time}, 0);
        }
        bed_close(b, NULL);
    }
    assert_true(bed_has(b, "labels/d_9.txt"));
    assert_true(bed_has(b, "labels/c_9.txt"));
    assert_false(bed_has(b, "labels/b_9.txt"));
    scene_write_text(bed_in(b, "labels/notes.md"), "the user's own");
    b->o.keep_labels = 1;
    bed_open(b, &stream_sink_txt);
    assert_int_equal(count_labels(b), 1 + 1);
}

/* ---- memory ---- */

/* What a sink says that it takes is what it takes, but for libraries' own scratch. */
static void needs_are_told_beforehand(void **state)
{
    bed *b = *state;
    static const stream_sink *const all[] = {&stream_sink_record, &stream_sink_jsonl,
                                             &stream_sink_txt, &stream_sink_crop,
                                             &stream_sink_snapshot};
    b->o.keep_crops = 100;
    b->o.keep_snapshots = 100;
    b->r.events = b->events;
    b->r.n_events = 1;
    b->events[0] = (vg_stream_event){.id = 1, .zone = "door", .wants_snapshot = true};
    bed_next(b);
    const size_t before = b->mem.in_use_bytes;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bed_open(b, all[i]);
        bed_write(b, 3);
        const size_t taken = b->mem.in_use_bytes - before, told = all[i]->need_bytes(&b->s);
        if (taken > told + 16384)
            fail_msg("%s takes %zu bytes and said %zu", all[i]->name, taken, told);
        OK(bed_close(b, err));
        assert_int_equal(before, b->mem.in_use_bytes);
    }
}

/* The 1st, 2nd, ... allocation fails: nothing is left, nothing crashes. */
static void opening_bears_any_failing_allocation(void **state)
{
    bed *b = *state;
    static const stream_sink *const all[] = {&stream_sink_record, &stream_sink_jsonl,
                                             &stream_sink_txt, &stream_sink_crop,
                                             &stream_sink_snapshot};
    const size_t before = b->mem.in_use_bytes;
    b->o.keep_crops = 100;
    b->o.keep_snapshots = 100;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        vg_status st = VG_ERR_MEMORY;
        for (int k = 1; st != VG_OK; k++) {
            void *self = scene_alloc(all[i]->state_bytes);
            b->mem.fail_in = k;
            st = all[i]->open(self, &b->s, NULL);
            b->mem.fail_in = 0;
            assert_true(st == VG_OK || st == VG_ERR_MEMORY);
            if (st == VG_OK)
                OK(all[i]->close(self, err));
            assert_int_equal(before, b->mem.in_use_bytes);
            assert_true(k < 100);
            free(self);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED_TEST(pixels_are_drawn_over_only_where_boxes_are),
        BED_TEST(a_line_a_result),
        BED_TEST(a_full_file_is_begun_anew),
        BED_TEST(a_live_job_goes_on_with_a_torn_file),
        BED_TEST(a_full_disk_leaves_whole_lines),
        BED_TEST(rows_are_as_yolo_users_know_them),
        BED_TEST(the_newest_labels_are_kept),
        BED_TEST(of_earlier_runs_as_many_are_kept),
        BED_TEST(needs_are_told_beforehand),
        BED_TEST(opening_bears_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}
