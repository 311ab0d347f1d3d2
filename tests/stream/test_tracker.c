/* test_tracker.c: which tracker a job has: by name, from a file, and what its options say. */
#include "support/test.h"

#include "stream/scenes.h"
#include "support/ok.h"

#include "stream/shared/tracker.h"

typedef struct bench {
    char folder[256], file[300];
    base_mem mem;
    stream_options o;
    stream_tracker t;
    vg_error err;
} bench;

static int set_up(void **state)
{
    bench *b = scene_alloc(sizeof *b);
    base_mem_init(&b->mem, "test", NULL, 0);
    stream_options_default(&b->o);
    *state = b;
    const int failed = folder_make(b->folder, sizeof b->folder);
    snprintf(b->file, sizeof b->file, "%s/mine.yaml", b->folder);
    return failed;
}

static int tear_down(void **state)
{
    bench *b = *state;
    const int left = b->mem.in_use_bytes != 0;
    folder_remove(b->folder);
    free(b);
    return left ? -1 : 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static vg_status read_as(bench *b, const char *name)
{
    b->err = (vg_error){0};
    OK(stream_options_set(&b->o, "tracker", name, err));
    return stream_tracker_read(&b->t, &b->o, &b->mem, &b->err);
}

static void says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void two_are_built_in(void **state)
{
    bench *b = *state;
    const detect_track_options preset = DETECT_TRACK_DEFAULT;
    OK(stream_tracker_read(&b->t, &b->o, &b->mem, err)); /* nothing was said */
    assert_int_equal(b->t.options.kind, DETECT_TRACK_BYTE);
    static const char *const names[] = {"bytetrack", "bytetrack.yaml", "botsort", "botsort.yaml"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(read_as(b, names[i]), VG_OK);
        assert_int_equal(b->t.options.kind, i < 2 ? DETECT_TRACK_BYTE : DETECT_TRACK_BOT);
        assert_int_equal(b->t.follows_camera, i >= 2);
        assert_memory_equal(&b->t.options.track_high_thresh, &preset.track_high_thresh,
                            3 * sizeof(float));
        assert_int_equal(b->t.options.track_buffer, 30);
        assert_true(b->t.options.fuse_score);
    }
}

static void a_file_says_all_of_it(void **state)
{
    bench *b = *state;
    write_file(b->file, "tracker_type: botsort # as others have it\n"
                        "track_high_thresh: 0.6\ntrack_low_thresh: 0.2\nnew_track_thresh: 0.7\n"
                        "track_buffer: 60\nmatch_thresh: 0.9\nfuse_score: False\n"
                        "gmc_method: none\nproximity_thresh: 0.5\nappearance_thresh: 0.25\n"
                        "with_reid: False\nmodel: auto\n");
    assert_int_equal(read_as(b, b->file), VG_OK);
    const detect_track_options *o = &b->t.options;
    assert_int_equal(o->kind, DETECT_TRACK_BOT);
    assert_false(b->t.follows_camera || o->fuse_score);
    assert_true(o->track_high_thresh == 0.6f && o->track_low_thresh == 0.2f);
    assert_true(o->new_track_thresh == 0.7f && o->match_thresh == 0.9f);
    assert_int_equal(o->track_buffer, 60);
    assert_int_equal(o->most_tracks, b->o.tracker.most_tracks);

    write_file(b->file, "tracker_type: bytetrack\ntrack_buffer: 5\n");
    assert_int_equal(read_as(b, b->file), VG_OK);
    assert_int_equal(b->t.options.kind, DETECT_TRACK_BYTE);
    assert_int_equal(b->t.options.track_buffer, 5);
    assert_true(b->t.options.track_high_thresh == 0.25f); /* what it does not say is as ever */

    write_file(b->file, "tracker_type: botsort\n");
    assert_int_equal(read_as(b, b->file), VG_OK);
    assert_true(b->t.follows_camera);
}

static void options_go_before_a_file(void **state)
{
    bench *b = *state;
    write_file(b->file, "tracker_type: bytetrack\ntrack_buffer: 60\nmatch_thresh: 0.9\n");
    OK(stream_options_set(&b->o, "track_buffer", "7", err));
    OK(stream_options_set(&b->o, "fuse_score", "false", err));
    assert_int_equal(read_as(b, b->file), VG_OK);
    assert_int_equal(b->t.options.track_buffer, 7);
    assert_false(b->t.options.fuse_score);
    assert_true(b->t.options.match_thresh == 0.9f);
}

static void a_file_of_a_built_in_name_is_asked(void **state)
{
    bench *b = *state;
    char back[4096];
    assert_non_null(getcwd(back, sizeof back));
    assert_int_equal(chdir(b->folder), 0);
    write_file("botsort.yaml", "tracker_type: botsort\ntrack_buffer: 90\n");
    const vg_status of_file = read_as(b, "botsort.yaml");
    const int buffer = b->t.options.track_buffer;
    const vg_status built_in = read_as(b, "botsort");
    assert_int_equal(chdir(back), 0);
    assert_true(of_file == VG_OK && built_in == VG_OK);
    assert_int_equal(buffer, 90);
    assert_int_equal(b->t.options.track_buffer, 30);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    static const char *const cases[][4] = {
        /* text, where, what, mend */
        {"tracker_type: botsort\ntrack_bufer: 30\n", "mine.yaml:2", "no key of a tracker is named",
         "track_buffer"},
        {"tracker_type: botsort\nkalman: yes\n", "mine.yaml:2", "kalman", "zones.md"},
        {"tracker_type: deepsort\n", "mine.yaml:1", "tracker_type=deepsort", "bytetrack|botsort"},
        {"track_buffer: 30\n", "mine.yaml", "without tracker_type", "tracker_type: botsort"},
        {"tracker_type: botsort\n\ngmc_method: orb\n", "mine.yaml:3", "gmc_method orb",
         "sparseOptFlow"},
        {"tracker_type: botsort\nwith_reid: True\n", "mine.yaml:2", "by its looks",
         "with_reid: false"},
        {"tracker_type: botsort\ntrack_high_thresh: 1.5\n", "mine.yaml:2", "track_high_thresh=1.5",
         "0 to 1"},
        {"tracker_type: botsort\ntrack_high_thresh: [1, 2]\n", "mine.yaml:2",
         "track_high_thresh=1,2", "0 to 1"},
        {"tracker_type: bytetrack\ngmc_method: sparseOptFlow\n", "mine.yaml:2",
         "gmc_method for bytetrack", "botsort"},
        {"tracker_type: bytetrack\ntrack_low_thresh: 0.9\n", "mine.yaml",
         "track_low_thresh 0.9 above", "smaller"},
        {"- botsort\n", "mine.yaml", "no map", "key: value"},
        {"tracker_type: botsort\ntracker_type: botsort\n", "mine.yaml:2", "tracker_type", ""},
    };
    bench *b = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(b->file, cases[i][0]);
        assert_int_equal(read_as(b, b->file), VG_ERR_FORMAT);
        says(b->err.where, cases[i][1]);
        says(b->err.what, cases[i][2]);
        says(b->err.mend, cases[i][3]);
        assert_int_equal(b->err.status, VG_ERR_FORMAT);
    }
    assert_int_equal(read_as(b, "deepsort.yaml"), VG_ERR_ARGUMENT);
    says(b->err.what, "deepsort.yaml");
    says(b->err.mend, "botsort.yaml");
    OK(stream_options_set(&b->o, "track_low_thresh", "0.9", err));
    assert_int_equal(read_as(b, "botsort"), VG_ERR_ARGUMENT);
    says(b->err.what, "track_low_thresh 0.9 above");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(two_are_built_in), T(a_file_says_all_of_it), T(options_go_before_a_file),
        T(a_file_of_a_built_in_name_is_asked), T(what_is_wrong_is_told_with_its_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
