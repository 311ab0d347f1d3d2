/* What a source means: one channel, files in a row, or many side by side. */
#include "support/test.h"

#include <unistd.h>

#include "stream/scenes.h"
#include "support/ok.h"

#include "stream/stream.h"

typedef struct bench {
    char folder[256];
    base_mem mem;
    stream_options o;
    stream_sources s;
    vg_error err;
} bench;

static int set_up(void **state)
{
    bench *t = scene_alloc(sizeof *t);
    base_mem_init(&t->mem, "test", NULL, 0);
    stream_options_default(&t->o);
    *state = t;
    setenv("VIGIL_TEST_SECRET", "hunter2", 1);
    return folder_make(t->folder, sizeof t->folder);
}

static int tear_down(void **state)
{
    bench *t = *state;
    stream_sources_close(&t->s);
    const int left = t->mem.in_use_bytes != 0;
    folder_remove(t->folder);
    free(t);
    return left ? -1 : 0;
}

static const char *in(const bench *t, const char *name)
{
    return scene_path(t->folder, name);
}

static const char *write_file(const bench *t, const char *name, const char *text)
{
    FILE *f = fopen(in(t, name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return in(t, name);
}

static vg_status list(bench *t, const char *source)
{
    stream_sources_close(&t->s);
    t->err = (vg_error){0};
    memmove(t->o.source, source, strlen(source) + 1);
    return stream_sources_open(&t->s, &t->o, &t->mem, &t->err);
}

static vg_status list_config(bench *t, const char *text)
{
    snprintf(t->o.config, sizeof t->o.config, "%s", write_file(t, "job.yaml", text));
    return list(t, "");
}

#define LISTS(call)                                                                                \
    do {                                                                                           \
        if ((call) != VG_OK)                                                                       \
            fail_msg("%s: %s, at %s", #call, t->err.what, t->err.where);                           \
    } while (0)

static void says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void pushed_sources_of_nobody_are_refused_also_in_a_list(void **state)
{
    bench *t = *state;
    t->o.ports = NULL;
    assert_int_equal(list(t, "push:door"), VG_ERR_ARGUMENT);
    says(t->err.what, "nobody can push");
    assert_int_equal(list(t, write_file(t, "l.streams", "lavfi:testsrc2\npush:door\n")),
                     VG_ERR_FORMAT);
    says(t->err.what, "nobody can push");
    says(t->err.where, "l.streams:2");
}

/* ---- one ---- */

static void a_text_is_a_channel_with_the_policy_of_its_kind(void **state)
{
    static const struct {
        const char *text, *name, *stem;
        video_kind kind;
        bool keeps_all, ends;
    } cases[] = {
        {"rtsp://user:pass@gate:8554/live?x=1", "rtsp://gate:8554/live", "gate-8554-live",
         VIDEO_NETWORK, false, false},
        {"http://h/a/b.m3u8", "http://h/a/b.m3u8", "h-a-b.m3u8", VIDEO_NETWORK, false, false},
        {"http://h/a/bus.jpg?x=1", "http://h/a/bus.jpg", "h-a-bus.jpg", VIDEO_NETWORK, false, true},
        {"udp://127.0.0.1:5000", "udp://127.0.0.1:5000", "127.0.0.1-5000", VIDEO_NETWORK, false,
         false},
        {"0", "0", "camera0", VIDEO_CAMERA, false, false},
        {"/dev/video7", "/dev/video7", "video7", VIDEO_CAMERA, false, false},
        {"-", "-", "stdin", VIDEO_PIPE, true, true},
        {"lavfi:testsrc2=size=64x64", "lavfi:testsrc2=size=64x64", "testsrc2", VIDEO_DRAWN, true,
         true},
    };
    bench *t = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        LISTS(list(t, cases[i].text));
        const stream_source *s = t->s.items;
        assert_int_equal(t->s.n, 1);
        assert_int_equal(s->n_texts, 1);
        assert_string_equal(s->texts[0], cases[i].text);
        assert_int_equal(s->kind, cases[i].kind);
        assert_int_equal(s->keeps_all, cases[i].keeps_all);
        assert_int_equal(s->ends, cases[i].ends);
        assert_int_equal(s->video.is_low_delay, !cases[i].keeps_all);
        assert_true(base_starts_with(s->name, cases[i].name));
        assert_null(strstr(s->name, "pass"));
        assert_string_equal(s->stem, cases[i].stem);
    }
    write_file(t, "Lobby cam.mp4", "");
    LISTS(list(t, in(t, "Lobby cam.mp4")));
    assert_string_equal(t->s.items->stem, "Lobby-cam");
    assert_true(t->s.items->keeps_all && t->s.items->ends && stream_sources_are_files(&t->s));
}

static void options_overrule_the_kind(void **state)
{
    bench *t = *state;
    OK(stream_options_set(&t->o, "policy", "every", err));
    OK(stream_options_set(&t->o, "exit_on_end", "true", err));
    OK(stream_options_set(&t->o, "rtsp_transport", "udp", err));
    OK(stream_options_set(&t->o, "vid_stride", "3", err));
    OK(stream_options_set(&t->o, "stall_timeout", "4s", err));
    LISTS(list(t, "rtsp://gate/1"));
    const stream_source *s = t->s.items;
    assert_true(s->keeps_all && s->ends && s->video.rtsp_udp);
    assert_int_equal(s->video.stride, 3);
    assert_true(s->video.stall_s > 3.99 && s->video.stall_s < 4.01);
    assert_false(stream_sources_are_files(&t->s));
    OK(stream_options_set(&t->o, "exit_on_end", "false", err));
    OK(stream_options_set(&t->o, "policy", "latest", err));
    LISTS(list(t, write_file(t, "a.mp4", "")));
    assert_false(t->s.items->ends || t->s.items->keeps_all || stream_sources_are_files(&t->s));
}

static void what_is_no_source_is_told(void **state)
{
    bench *t = *state;
    assert_int_equal(list(t, "nope.mp4"), VG_ERR_IO);
    says(t->err.what, "no such file or folder: nope.mp4");
    assert_int_equal(list(t, "nope"), VG_ERR_IO);
    assert_int_equal(list(t, ""), VG_ERR_ARGUMENT);
    says(t->err.what, "no source given");
    assert_int_equal(scene_write_bmp(in(t, "a.bmp"), 8, 8, 1), 0);
    assert_int_equal(list(t, in(t, "a.bmp")), VG_ERR_ARGUMENT);
    says(t->err.what, "no video");
    assert_int_equal(list(t, t->folder), VG_ERR_IO);
    says(t->err.what, "no videos there");
    OK(stream_options_set(&t->o, "input_format", "mjpeg", err));
    assert_int_equal(list(t, "rtsp://gate/1"), VG_ERR_ARGUMENT);
    says(t->err.what, "none of the sources is a camera");
    LISTS(list(t, "0"));
    assert_string_equal(t->s.items->video.format, "mjpeg");
    OK(stream_options_set(&t->o, "exit_on_end", "false", err));
    assert_int_equal(list(t, "-"), VG_ERR_ARGUMENT);
    says(t->err.what, "cannot begin again");
}

/* ---- in a row ---- */

static void a_folder_is_one_channel_in_the_order_of_names(void **state)
{
    bench *t = *state;
    write_file(t, "b.mkv", "");
    write_file(t, "a.mp4", "");
    write_file(t, ".hidden.mp4", "");
    write_file(t, "notes.md", "");
    assert_int_equal(scene_write_bmp(in(t, "aa.bmp"), 8, 8, 1), 0);
    LISTS(list(t, t->folder));
    assert_int_equal(t->s.n, 1);
    assert_int_equal(t->s.items->n_texts, 3);
    assert_string_equal(base_path_name(t->s.items->texts[0]), "a.mp4");
    assert_string_equal(base_path_name(t->s.items->texts[1]), "aa.bmp");
    assert_string_equal(base_path_name(t->s.items->texts[2]), "b.mkv");
    assert_true(t->s.items->keeps_all && t->s.items->ends && stream_sources_are_files(&t->s));
    LISTS(list(t, in(t, "*.m*")));
    assert_int_equal(t->s.items->n_texts, 2);
    assert_int_equal(list(t, in(t, "*.bmp")), VG_ERR_IO);
    assert_int_equal(mkdir(in(t, "day"), 0777), 0);
    assert_int_equal(mkdir(in(t, "day/hour"), 0777), 0);
    write_file(t, "day/hour/c.mp4", "");
    LISTS(list(t, in(t, "**/*.mp4")));
    assert_int_equal(t->s.items->n_texts, 2);
    assert_string_equal(base_path_name(t->s.items->texts[1]), "c.mp4");
    assert_true(stream_source_is_video(in(t, "day/**/*"), NULL));
}

static void a_txt_list_is_one_channel_in_its_own_order(void **state)
{
    bench *t = *state;
    char text[1024];
    write_file(t, "a.mp4", "");
    write_file(t, "b.mp4", "");
    snprintf(text, sizeof text, "\xef\xbb\xbf# first b\n./b.mp4\r\n\n  %s  \n", in(t, "a.mp4"));
    LISTS(list(t, write_file(t, "list.txt", text)));
    assert_int_equal(t->s.items->n_texts, 2);
    assert_string_equal(t->s.items->texts[0], in(t, "b.mp4"));
    assert_string_equal(t->s.items->texts[1], in(t, "a.mp4"));
    assert_string_equal(t->s.items->stem, "list");
    static const char *const bad[][3] = {
        {"./b.mp4\nnope.mp4\n", "list.txt:2", "no such file: nope.mp4"},
        {"\n# x\nrtsp://gate/1\n", "list.txt:3", "a live source"},
        {"/\n", "list.txt:1", "a folder"},
        {"# nothing\n", "list.txt", "an empty list"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_not_equal(list(t, write_file(t, "list.txt", bad[i][0])), VG_OK);
        says(t->err.where, bad[i][1]);
        says(t->err.what, bad[i][2]);
    }
}

/* ---- side by side ---- */

static void a_streams_list_has_a_source_a_line(void **state)
{
    bench *t = *state;
    write_file(t, "a.mp4", "");
    LISTS(list(t, write_file(t, "cams.streams",
                             "# doors\nrtsp://vigil:${VIGIL_TEST_SECRET}@door/1\n"
                             "\n  rtsp://door/2\n./a.mp4\nlavfi:testsrc2\n")));
    assert_int_equal(t->s.n, 4);
    assert_string_equal(t->s.items[0].texts[0], "rtsp://vigil:hunter2@door/1");
    assert_null(strstr(t->s.items[0].name, "hunter2"));
    assert_string_equal(t->s.items[2].texts[0], in(t, "a.mp4"));
    assert_false(t->s.items[1].keeps_all);
    assert_true(t->s.items[2].keeps_all);
    static const char *const bad[][3] = {
        {"rtsp://a/1\n\nnope.mp4\n", "cams.streams:3", "no such file or folder: nope.mp4"},
        {"rtsp://a/${VIGIL_TEST_NONE}\n", "cams.streams:1", "no VIGIL_TEST_NONE"},
        {"-\n-\n", "cams.streams:2", "standard input is given twice"},
        {"# none\n", "cams.streams", "an empty list"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_not_equal(list(t, write_file(t, "cams.streams", bad[i][0])), VG_OK);
        says(t->err.where, bad[i][1]);
        says(t->err.what, bad[i][2]);
        assert_null(strstr(t->err.what, "hunter2"));
    }
    write_file(t, "other.streams", "0\n");
    char line[600];
    snprintf(line, sizeof line, "%s\n", in(t, "other.streams"));
    assert_int_not_equal(list(t, write_file(t, "cams.streams", line)), VG_OK);
    says(t->err.what, "a .streams list within a list");
}

/* What stands behind a 0 would not be watched, and nobody would know. */
static void a_list_with_a_zero_in_it_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *name, *text;
        size_t n;
        const char *where, *what;
    } bad[] = {
        {"a.streams", "rtsp://gate/1\n\nrtsp://gate/2\0\nrtsp://gate/3\n", 44, "a.streams:3",
         "a byte 0"},
        {"a.streams", "\xff\xfer\0t\0s\0p\0\n\0", 12, "a.streams:1", "UTF-16"},
        {"a.txt", "./a.mp4\n\0\n./a.mp4\n", 18, "a.txt:2", "a byte 0"},
    };
    bench *t = *state;
    write_file(t, "a.mp4", "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FILE *f = fopen(in(t, bad[i].name), "w");
        assert_non_null(f);
        assert_int_equal(fwrite(bad[i].text, 1, bad[i].n, f), bad[i].n);
        fclose(f);
        assert_int_equal(list(t, in(t, bad[i].name)), VG_ERR_FORMAT);
        says(t->err.where, bad[i].where);
        says(t->err.what, bad[i].what);
    }
}

static void there_are_at_most_as_many_as_places(void **state)
{
    bench *t = *state;
    char text[4096] = "";
    for (int i = 0; i < STREAM_MOST_CHANNELS; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "rtsp://camera%d/1\n", i);
    LISTS(list(t, write_file(t, "many.streams", text)));
    assert_int_equal(t->s.n, STREAM_MOST_CHANNELS);
    snprintf(text + strlen(text), sizeof text - strlen(text), "rtsp://one/more\n");
    assert_int_equal(list(t, write_file(t, "many.streams", text)), VG_ERR_LIMIT);
    says(t->err.where, "many.streams:65");
    OK(stream_options_set(&t->o, "most_sources", "2", err));
    assert_int_equal(list(t, write_file(t, "few.streams", "rtsp://a\nrtsp://b\nrtsp://c\n")),
                     VG_ERR_LIMIT);
    says(t->err.what, "3 sources, where most_sources allows 2");
}

/* ---- of a configuration ---- */

static void an_entry_may_have_options_of_its_own(void **state)
{
    bench *t = *state;
    write_file(t, "a.mp4", "");
    OK(stream_options_set(&t->o, "vid_stride", "2", err));
    LISTS(list_config(t, "weights: x.pt\n"
                         "sources:\n"
                         "  - rtsp://gate/1\n"
                         "  - source: rtsp://vigil:${VIGIL_TEST_SECRET}@door/1\n"
                         "    name: the door\n"
                         "    vid-stride: 5\n"
                         "    policy: every\n"
                         "    rtsp_transport: udp\n"
                         "    retry_first: 3s\n"
                         "    max_retries: 7\n"
                         "    stall_timeout: 2s\n"
                         "    exit_on_end: true\n"
                         "  - {source: 0, input_size: 640x480}\n"));
    assert_int_equal(t->s.n, 3);
    const stream_source *gate = &t->s.items[0], *door = &t->s.items[1], *camera = &t->s.items[2];
    assert_int_equal(gate->video.stride, 2);
    assert_false(gate->keeps_all || gate->ends || gate->is_named || gate->video.rtsp_udp);
    assert_int_equal(door->video.stride, 5);
    assert_true(door->keeps_all && door->ends && door->is_named && door->video.rtsp_udp);
    assert_int_equal(door->max_retries, 7);
    assert_true(door->retry_first_s > 2.99 && door->video.stall_s < 2.01);
    assert_string_equal(door->texts[0], "rtsp://vigil:hunter2@door/1");
    assert_string_equal(door->name, "the door");
    assert_string_equal(door->stem, "the-door");
    assert_int_equal(camera->kind, VIDEO_CAMERA);
    assert_string_equal(camera->video.size, "640x480");
    /* --source on the command line wins. */
    LISTS(list(t, "lavfi:testsrc2"));
    assert_int_equal(t->s.n, 1);
}

static void a_wrong_entry_is_told_with_its_line(void **state)
{
    static const char *const bad[][4] = {
        {"sources:\n  - rtsp://a\n  - source: rtsp://b\n    vid_strid: 2\n", "job.yaml:4",
         "no option of a source is named vid_strid", "vid_stride"},
        {"sources:\n  - source: rtsp://b\n    conf: 0.5\n", "job.yaml:3",
         "conf is an option of the whole job", "outside of"},
        {"sources:\n  - source: rtsp://b\n    vid_stride: 0\n", "job.yaml:3", "vid_stride=0", ""},
        {"sources:\n  - name: b\n", "job.yaml:2", "an entry without its source", "source:"},
        {"sources:\n  - source: rtsp://b\n    name: ''\n", "job.yaml:3", "a name of 0", ""},
        {"sources:\n  - source: rtsp://b\n    retry_first: 90s\n", "job.yaml:2", "a longest wait",
         "larger"},
        {"sources:\n  - [rtsp://a]\n", "job.yaml:2", "neither a text nor a map", ""},
        {"sources: rtsp://a\n", "job.yaml:1", "not a list", "- source"},
        {"sources: []\n", "job.yaml:1", "not a list", "- source"},
        {"conf: 0.5\n", "job.yaml", "a configuration without a source", "source:"},
        {"sources:\n  - nope.mp4\n", "job.yaml:2", "no such file or folder: nope.mp4", ""},
        {"sources:\n  - {source: rtsp://a, name: x}\n  - {source: rtsp://b, name: x}\n", "sources",
         "two sources named x", "its own"},
    };
    bench *t = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_not_equal(list_config(t, bad[i][0]), VG_OK);
        says(t->err.where, bad[i][1]);
        says(t->err.what, bad[i][2]);
        if (i != 11)
            says(t->err.mend, bad[i][3]);
    }
}

/* ---- names, and a reload ---- */

static void names_and_stems_are_unlike_each_other(void **state)
{
    bench *t = *state;
    LISTS(list(
        t, write_file(t, "c.streams", "rtsp://a/1\nrtsp://u:p@a/1\nrtsp://a//1\nrtsp://a/1\n")));
    for (size_t i = 0; i < t->s.n; i++)
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(t->s.items[i].stem, t->s.items[k].stem);
            assert_string_not_equal(t->s.items[i].name, t->s.items[k].name);
        }
    assert_string_equal(t->s.items[0].stem, "a-1");
    assert_string_equal(t->s.items[1].stem, "a-1-2");
    /* Nor can one be a way out of the folder, or hidden. */
    LISTS(list_config(t,
                      "sources: [{source: rtsp://a, name: ../../x}, {source: rtsp://b, name: /}]"));
    assert_string_equal(t->s.items[0].stem, "x");
    assert_string_equal(t->s.items[1].stem, "source");
}

static void a_source_is_the_same_by_what_it_is_not_by_its_place(void **state)
{
    bench *t = *state;
    stream_sources before;
    LISTS(list(t, write_file(t, "c.streams", "rtsp://a/1\nrtsp://u:p@a/1\nrtsp://b\n")));
    before = t->s;
    t->s = (stream_sources){0};
    LISTS(list(t, write_file(t, "c.streams", "rtsp://new\nrtsp://u:p@a/1\nrtsp://u:q@b\n")));
    assert_false(stream_source_is_same(&t->s.items[0], &before.items[0]));
    assert_true(stream_source_is_same(&t->s.items[1], &before.items[1]));
    assert_false(stream_source_is_same(&t->s.items[2], &before.items[2])); /* another password */
    assert_string_equal(t->s.items[1].stem, "a-1");
    const stream_source *running[] = {&before.items[0], &before.items[1], &before.items[2], NULL};
    int place[STREAM_MOST_CHANNELS];
    stream_sources_keep_names(&t->s, running, 4, place);
    assert_int_equal(place[0], -1);
    assert_int_equal(place[1], 1);
    assert_int_equal(place[2], -1);
    assert_string_equal(t->s.items[1].stem, "a-1-2"); /* what its files are called already */
    OK(stream_options_set(&t->o, "vid_stride", "2", err));
    stream_sources other = t->s;
    t->s = (stream_sources){0};
    LISTS(list(t, t->o.source));
    assert_false(stream_source_is_same(&t->s.items[1], &other.items[1]));
    stream_sources_close(&other);
    stream_sources_close(&before);
}

/* ---- for whom ---- */

static void pictures_are_not_for_a_live_job(void **state)
{
    bench *t = *state;
    char folder[512];
    snprintf(folder, sizeof folder, "%s/p", t->folder);
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(scene_write_bmp(in(t, "p/a.bmp"), 8, 8, 1), 0);
    assert_false(stream_source_is_video(in(t, "p/a.bmp"), NULL));
    assert_false(stream_source_is_video(folder, NULL));
    assert_false(stream_source_is_video(in(t, "p/*.bmp"), NULL));
    assert_false(stream_source_is_video(write_file(t, "l.txt", "p/a.bmp\n"), NULL));
    assert_false(stream_source_is_video("nope", NULL));
    assert_true(stream_source_is_video("nope.mp4", NULL));
    assert_true(stream_source_is_video("nope.streams", NULL));
    assert_true(stream_source_is_video("rtsp://a/1", NULL));
    assert_true(stream_source_is_video("0", NULL));
    assert_true(stream_source_is_video("lavfi:testsrc2", NULL));
    write_file(t, "p/v.mp4", "");
    assert_true(stream_source_is_video(folder, NULL));
    assert_true(stream_source_is_video(in(t, "p/*"), NULL));
    assert_true(stream_source_is_video(write_file(t, "l.txt", "p/a.bmp\np/v.mp4\n"), NULL));
}

/* A pipe's first bytes are looked at, and are still there afterwards. */
static bool is_video_in_pipe(const void *bytes, size_t n)
{
    int ends[2];
    char there[64];
    const int before = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, n), n);
    dup2(ends[0], STDIN_FILENO);
    const bool is_video = stream_source_is_video("-", NULL);
    assert_int_equal(read(STDIN_FILENO, there, sizeof there), n);
    assert_memory_equal(there, bytes, n);
    dup2(before, STDIN_FILENO);
    close(before);
    close(ends[0]);
    close(ends[1]);
    return is_video;
}

static void standard_input_is_known_by_its_first_bytes(void **state)
{
    (void)state;
    assert_false(is_video_in_pipe("\xff\xd8\xff\xe0 and so on", 15));
    assert_false(is_video_in_pipe("\x89PNG\r\n\x1a\n....IHDR....", 20));
    assert_true(is_video_in_pipe("\0\0\0\x18"
                                 "ftypmp42....",
                                 16));
    assert_true(is_video_in_pipe("\x1a\x45\xdf\xa3 matroska", 13));
    assert_true(stream_source_is_video("-", "mjpeg"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_text_is_a_channel_with_the_policy_of_its_kind),
        T(options_overrule_the_kind),
        T(pushed_sources_of_nobody_are_refused_also_in_a_list),
        T(what_is_no_source_is_told),
        T(a_folder_is_one_channel_in_the_order_of_names),
        T(a_txt_list_is_one_channel_in_its_own_order),
        T(a_streams_list_has_a_source_a_line),
        T(there_are_at_most_as_many_as_places),
        T(a_list_with_a_zero_in_it_is_refused_with_its_line),
        T(an_entry_may_have_options_of_its_own),
        T(a_wrong_entry_is_told_with_its_line),
        T(names_and_stems_are_unlike_each_other),
        T(a_source_is_the_same_by_what_it_is_not_by_its_place),
        T(pictures_are_not_for_a_live_job),
        T(standard_input_is_known_by_its_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
