/* The table of a stream job's options: from text, and from a configuration. */
#include "support/test.h"

#include "stream/scenes.h"
#include "support/ok.h"

#include "stream/stream.h"

typedef struct bench {
    char folder[256];
    base_mem mem;
    stream_options o;
    vg_error err;
} bench;

static int set_up(void **state)
{
    bench *t = scene_alloc(sizeof *t);
    base_mem_init(&t->mem, "test", NULL, 0);
    stream_options_default(&t->o);
    *state = t;
    setenv("VIGIL_TEST_SECRET", "hunter2", 1);
    unsetenv("VIGIL_TEST_NOTHING");
    return folder_make(t->folder, sizeof t->folder);
}

static int tear_down(void **state)
{
    bench *t = *state;
    const int left = t->mem.in_use_bytes != 0;
    folder_remove(t->folder);
    free(t);
    return left ? -1 : 0;
}

static void says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* ---- from text ---- */

static const vg_option *find(const char *name)
{
    return base_options_find(&stream_option_table, name);
}

static void the_presets_are_those_that_yolo_has(void **state)
{
    const stream_options *o = &((bench *)*state)->o;
    assert_int_equal(o->imgsz.h, 0); /* the weights' own */
    assert_true(o->conf > 0.2499 && o->conf < 0.2501);
    assert_true(o->iou > 0.6999 && o->iou < 0.7001);
    assert_int_equal(o->max_det, 300);
    assert_int_equal(o->vid_stride, 1);
    const detect_track_options a = o->tracker, b = DETECT_TRACK_DEFAULT;
    assert_memory_equal(&a.track_high_thresh, &b.track_high_thresh, 3 * sizeof(float));
    assert_memory_equal(&a.match_thresh, &b.match_thresh, sizeof(float));
    assert_int_equal(a.track_buffer, b.track_buffer);
    assert_int_equal(a.most_tracks, b.most_tracks);
    assert_true(a.fuse_score && b.fuse_score);
    assert_int_equal(o->policy, STREAM_POLICY_AUTO);
    assert_int_equal(o->end, STREAM_END_AUTO);
    assert_string_equal(o->project, "runs/predict");
    assert_string_equal(o->rtsp_transport, "tcp");
    assert_false(o->save || o->save_txt || o->json || o->track || o->show);
}

/* Every row: its text is read as what it was. */
static void every_option_reads_its_own_text(void **state)
{
    bench *t = *state;
    const size_t n = stream_option_table.n;
    const vg_option *table = stream_option_table.rows;
    for (size_t i = 0; i < n; i++) {
        char text[STREAM_TEXT_BYTES], again[STREAM_TEXT_BYTES];
        vg_option_write(text, sizeof text, &table[i], &t->o);
        OK(stream_options_set(&t->o, table[i].name, text, err));
        vg_option_write(again, sizeof again, &table[i], &t->o);
        assert_string_equal(again, text);
        assert_non_null(table[i].help);
        assert_ptr_equal(find(table[i].name), &table[i]);
    }
}

static void values_are_read_in_the_ways_people_write_them(void **state)
{
    static const char *const good[][3] = {
        {"conf", "0.5", "0.5"},
        {"conf-thres", "0.5", "0.5"},
        {"model", "a.pt", "a.pt"},
        {"vid-stride", "3", "3"},
        {"stall_timeout", "1500ms", "1.5"},
        {"stall_timeout", "2m", "120"},
        {"retry-most", "1h", "3600"},
        {"memory_limit", "1.5G", "1610612736"},
        {"classes", "[0, 2,5]", "0,2,5"},
        {"classes", "0 2", "0,2"},
        {"classes", "", ""},
        {"imgsz", "640", "640"},
        {"imgsz", "480,640", "480,640"},
        {"img-size", "[480, 640]", "480,640"},
        {"imgsz", "640,640", "640"},
        {"imgsz", "0", "0"},
        {"policy", "latest", "latest"},
        {"exit_on_end", "True", "true"},
        {"exit_on_end", "off", "false"},
        {"exit_on_end", "auto", "auto"},
        {"track_high_thresh", "0.6", "0.6"},
        {"token", "${VIGIL_TEST_SECRET}", "hunter2"},
        {"source", "rtsp://u:${VIGIL_TEST_SECRET}@h/1", "rtsp://u:hunter2@h/1"},
        {"webhook", "http://h/$${x}/$1", "http://h/${x}/$1"},
    };
    bench *t = *state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[STREAM_TEXT_BYTES];
        OK(stream_options_set(&t->o, good[i][0], good[i][1], err));
        vg_option_write(text, sizeof text, find(good[i][0]), &t->o);
        assert_string_equal(text, good[i][2]);
    }
}

static void what_is_wrong_is_told_and_changes_nothing(void **state)
{
    static const char *const bad[][4] = {
        {"vid_strid", "2", "no option is named vid_strid", "vid_stride"},
        {"vid_stride", "0", "vid_stride=0", "1 to 100000"},
        {"imgsz", "31", "imgsz=31", "32 to 8192"},
        {"imgsz", "480,31", "imgsz=480,31", "height,width"},
        {"imgsz", "480,640,3", "imgsz=480,640,3", "height,width"},
        {"imgsz", "0,640", "imgsz=0,640", "32 to 8192"},
        {"vid_stride", "2x", "vid_stride=2x", "whole number"},
        {"conf", "1.5", "conf=1.5", "0 to 1"},
        {"conf", "nan", "conf=nan", "0 to 1"},
        {"policy", "newest", "policy=newest", "auto|every|latest"},
        {"rtsp_transport", "sctp", "rtsp_transport=sctp", "tcp|udp"},
        {"exit_on_end", "maybe", "exit_on_end=maybe", "true, false or auto"},
        {"save_txt", "perhaps", "save_txt=perhaps", "true or false"},
        {"stall_timeout", "soon", "stall_timeout=soon", "5s"},
        {"stall_timeout", "0", "stall_timeout=0", "0.1 s"},
        {"memory_limit", "-1", "memory_limit=-1", "512M"},
        {"classes", "cat,,", "classes=cat,,", "0,2,person"},
        {"classes", "-1", "classes=-1", "0,2,person"},
        {"most_sources", "65", "most_sources=65", "0 to 64"},
        {"token", "${VIGIL_TEST_NOTHING}", "no VIGIL_TEST_NOTHING", "export it"},
        {"token", "${", "${ without its name", "${NAME}"},
        {"token", "${}", "${ without its name", "${NAME}"},
        {"token", "${file:/nonexistent/secret}", "cannot be read", "permissions"},
        {"mqtt_what", "${VIGIL_TEST_SECRET}", "mqtt_what=${VIGIL_TEST_SECRET}", "events|results"},
    };
    bench *t = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const stream_options before = t->o;
        t->err = (vg_error){0};
        assert_int_not_equal(stream_options_set(&t->o, bad[i][0], bad[i][1], &t->err), VG_OK);
        says(t->err.what, bad[i][2]);
        says(t->err.mend, bad[i][3]);
        assert_null(strstr(t->err.what, "hunter2"));
        assert_memory_equal(&t->o, &before, sizeof before);
    }
}

static void texts_that_do_not_fit_are_refused(void **state)
{
    bench *t = *state;
    char text[STREAM_TEXT_BYTES + 1];
    memset(text, 'a', sizeof text);
    text[STREAM_TEXT_BYTES - 1] = '\0';
    OK(stream_options_set(&t->o, "source", text, err));
    assert_int_equal(strlen(t->o.source), STREAM_TEXT_BYTES - 1);
    text[STREAM_TEXT_BYTES - 1] = 'a';
    text[STREAM_TEXT_BYTES] = '\0';
    assert_int_equal(stream_options_set(&t->o, "source", text, &t->err), VG_ERR_ARGUMENT);
    assert_int_equal(stream_options_set(&t->o, "isa", "0123456789abcdef", &t->err),
                     VG_ERR_ARGUMENT);
    setenv("VIGIL_TEST_SECRET", text, 1);
    assert_int_equal(stream_options_set(&t->o, "token", "x${VIGIL_TEST_SECRET}", &t->err),
                     VG_ERR_ARGUMENT);
    says(t->err.what, "does not fit");
}

static void a_secret_is_the_first_line_of_its_file(void **state)
{
    bench *t = *state;
    char value[512];
    const char *path = scene_path(t->folder, "secret");
    snprintf(value, sizeof value, "${file:%s}", path);
    scene_write_text(path, "s3cret\r\nmore\n");
    OK(stream_options_set(&t->o, "token", value, err));
    assert_string_equal(t->o.token, "s3cret");
    scene_write_text(path, "bare");
    OK(stream_options_set(&t->o, "token", value, err));
    assert_string_equal(t->o.token, "bare");
    char *line = scene_alloc(5000);
    memset(line, 'x', 4999);
    scene_write_text(path, line);
    free(line);
    assert_int_equal(stream_options_set(&t->o, "token", value, &t->err), VG_ERR_ARGUMENT);
    says(t->err.what, "a first line of more than");
    assert_string_equal(t->o.token, "bare");
}

static void options_that_do_nothing_alone_are_told(void **state)
{
    static const char *const cases[][4] = {
        {"token", "x", "token without serve", "serve"},
        {"mqtt_ca", "ca.pem", "mqtt_ca without mqtt", "mqtt"},
        {"mqtt_cert", "c.pem", "mqtt_cert without mqtt_key", "mqtt_key"},
        {"mqtt_key", "k.pem", "mqtt_key without mqtt_cert", "mqtt_cert"},
        {"save_conf", "true", "save_conf without save_txt", "save_txt"},
        {"retry_most", "0.5", "a longest wait of 0.5 s", "larger"},
        {"weights", "", "no weights given", ".pt"},
        {"name", "", "an empty project or name", "defaults"},
        {"device", "tpu", "the device \"tpu\"", "vigil devices"},
    };
    bench *t = *state;
    OK(stream_options_set(&t->o, "weights", "a.pt", err));
    OK(stream_options_check(&t->o, err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        stream_options o = t->o;
        OK(stream_options_set(&o, cases[i][0], cases[i][1], err));
        assert_int_not_equal(stream_options_check(&o, &t->err), VG_OK);
        says(t->err.what, cases[i][2]);
        says(t->err.mend, cases[i][3]);
    }
}

static void what_grows_on_disk_is_bounded_unless_all_are_files(void **state)
{
    stream_options o = ((bench *)*state)->o;
    stream_options_settle(&o, true);
    assert_true(o.save);
    assert_true(o.segment_s <= 0 && o.keep_bytes == 0 && o.json_bytes == 0 && o.keep_crops == 0 &&
                o.keep_labels == 0);
    o = ((bench *)*state)->o;
    stream_options_settle(&o, false);
    assert_false(o.save);
    assert_true(o.segment_s > 599 && o.keep_bytes > 0 && o.json_bytes > 0 && o.keep_crops > 0 &&
                o.keep_snapshots > 0 && o.keep_labels > 0);
    stream_options_settle(&o, true); /* settled once, it stays */
    assert_false(o.save);
    o = ((bench *)*state)->o;
    OK(stream_options_set(&o, "keep_segments", "3", err));
    OK(stream_options_set(&o, "segment_bytes", "1G", err));
    OK(stream_options_set(&o, "save", "true", err));
    stream_options_settle(&o, false);
    assert_true(o.save && o.keep_bytes == 0 && o.segment_s <= 0);
}

/* ---- from YAML ---- */

static vg_status read_text(bench *t, const char *text)
{
    const char *path = scene_path(t->folder, "job.yaml");
    scene_write_text(path, text);
    return stream_options_read(&t->o, path, &t->mem, &t->err);
}

static void a_configuration_says_what_the_command_line_can(void **state)
{
    bench *t = *state;
    assert_int_equal(read_text(t, "weights: yolo11n.pt\n"
                                  "conf: 0.4\n"
                                  "vid-stride: 2\n"
                                  "classes: [0, 7]\n"
                                  "stall_timeout: 5s\n"
                                  "token: ${VIGIL_TEST_SECRET}\n"
                                  "exit_on_end: no\n"
                                  "save: yes\n"
                                  "sources:\n"
                                  "  - rtsp://camera/1\n"),
                     VG_OK);
    assert_string_equal(t->o.weights, "yolo11n.pt");
    assert_int_equal(t->o.vid_stride, 2);
    assert_int_equal(t->o.classes.n, 2);
    assert_int_equal(t->o.classes.at[1], 7);
    assert_string_equal(t->o.token, "hunter2");
    assert_int_equal(t->o.end, STREAM_END_STAY);
    assert_int_equal(t->o.save_choice, 1);
    assert_string_equal(t->o.config, scene_path(t->folder, "job.yaml"));
}

static void a_wrong_configuration_is_told_with_its_line(void **state)
{
    static const char *const bad[][3] = {
        {"conf: 0.4\nvid_strid: 2\n", "job.yaml:2", "no option is named vid_strid"},
        {"conf: 0.4\n\nconf_thres: 7\n", "job.yaml:3", "conf=7"},
        {"conf: {a: 1}\n", "job.yaml:1", "neither"},
        {"- conf\n", "job.yaml", "not a map"},
        {"config: other.yaml\n", "job.yaml:1", "names another"},
        {"source: a.mp4\nsources: [b.mp4]\n", "job.yaml:2", "both source and sources"},
        {"token: ${VIGIL_TEST_NOTHING}\n", "job.yaml:1", "no VIGIL_TEST_NOTHING"},
        {"conf: [\n", "job.yaml", ""},
    };
    bench *t = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const stream_options before = t->o;
        assert_int_not_equal(read_text(t, bad[i][0]), VG_OK);
        says(t->err.where, bad[i][1]);
        says(t->err.what, bad[i][2]);
        assert_memory_equal(&t->o, &before, sizeof before);
    }
    assert_int_equal(stream_options_read(&t->o, "/nonexistent.yaml", &t->mem, &t->err), VG_ERR_IO);
}

/* Of every option: a wrong type or value, in a map or a list where a single value belongs, and a
 * slip in its name. All are told with the line, and what to do. */
static void every_slip_is_told_with_its_line_and_a_remedy(void **state)
{
    bench *t = *state;
    const size_t n = stream_option_table.n;
    const vg_option *table = stream_option_table.rows;
    for (size_t i = 0; i < n; i++) {
        const vg_option *o = &table[i];
        char text[300];
        if (strcmp(o->name, "config") == 0)
            continue;
        const bool takes_any = (o->kind == VG_OPTION_TEXT && o->choices == NULL) ||
                               o->kind == VG_OPTION_FILE || o->kind == VG_OPTION_FOLDER ||
                               o->kind == VG_OPTION_CLASSES;
        const char *const wrong[] = {takes_any ? "{a: 1}" : "zz", "{a: 1}", "[[1]]"};
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
            snprintf(text, sizeof text, "# a job\n\n%s: %s\n", o->name, wrong[k]);
            if (read_text(t, text) == VG_OK)
                fail_msg("was taken: %s", text);
            says(t->err.where, "job.yaml:3");
            says(k == 0 && !takes_any ? t->err.where : t->err.what, o->name);
            assert_true(t->err.mend[0] != '\0');
        }
        const size_t length = strlen(o->name);
        snprintf(text, sizeof text, "# a job\n\n%s%c: 1\n", o->name, o->name[length - 1]);
        assert_int_not_equal(read_text(t, text), VG_OK);
        says(t->err.where, "job.yaml:3");
        says(t->err.mend, o->name);
    }
}

/* The table is what a user's file can say: docs and help cannot leave one out, nor the parser. */
static void every_option_may_stand_in_a_configuration(void **state)
{
    bench *t = *state;
    const size_t n = stream_option_table.n;
    const vg_option *table = stream_option_table.rows;
    for (size_t i = 0; i < n; i++) {
        char text[STREAM_TEXT_BYTES], line[2 * STREAM_TEXT_BYTES];
        if (strcmp(table[i].name, "config") == 0)
            continue;
        vg_option_write(text, sizeof text, &table[i], &t->o);
        snprintf(line, sizeof line, "%s: '%s'\n", table[i].name, text);
        if (read_text(t, line) != VG_OK)
            fail_msg("%s%s", line, t->err.what);
    }
}

/* ---- what outputs say of theirs ---- */

static void what_is_wrong_is_told_where_it_was_said(void **state)
{
    bench *t = *state;
    char path[400];
    snprintf(path, sizeof path, "%s/c.yaml", t->folder);
    OK(stream_options_set(&t->o, "weights", "w.pt", err));
    OK(stream_options_prove(&t->o, &t->mem, err));
    scene_write_text(path, "conf: 0.5\nserve: 127.0.0.1:99999\n");
    OK(stream_options_read(&t->o, path, &t->mem, err));
    assert_int_equal(stream_options_prove(&t->o, &t->mem, &t->err), VG_ERR_FORMAT);
    says(t->err.where, "c.yaml:2: option serve");
    OK(stream_options_set(&t->o, "serve", "127.0.0.1:99998", err));
    assert_int_equal(stream_options_prove(&t->o, &t->mem, &t->err), VG_ERR_ARGUMENT);
    assert_string_equal(t->err.where, "option serve");
    OK(stream_options_set(&t->o, "serve", "", err));
    OK(stream_options_set(&t->o, "input_size", "0x0", err));
    assert_int_equal(stream_options_prove(&t->o, &t->mem, &t->err), VG_ERR_ARGUMENT);
    OK(stream_options_set(&t->o, "input_size", "hd720", err));
    OK(stream_options_prove(&t->o, &t->mem, err));
    scene_write_text(path, "surces: x\n");
    assert_int_equal(stream_options_read(&t->o, path, &t->mem, &t->err), VG_ERR_ARGUMENT);
    says(t->err.mend, "sources");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_presets_are_those_that_yolo_has),
        T(every_option_reads_its_own_text),
        T(values_are_read_in_the_ways_people_write_them),
        T(what_is_wrong_is_told_and_changes_nothing),
        T(texts_that_do_not_fit_are_refused),
        T(a_secret_is_the_first_line_of_its_file),
        T(options_that_do_nothing_alone_are_told),
        T(what_grows_on_disk_is_bounded_unless_all_are_files),
        T(a_configuration_says_what_the_command_line_can),
        T(a_wrong_configuration_is_told_with_its_line),
        T(every_slip_is_told_with_its_line_and_a_remedy),
        T(every_option_may_stand_in_a_configuration),
        T(what_is_wrong_is_told_where_it_was_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
