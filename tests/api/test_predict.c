/* A predict job through vigil.h. What the stages do is proved in tests/stream. */
#include "support/test.h"

#include "stream/scenes.h"
#include "vigil/vigil.h"

static const char weights[] = TEST_GOLDEN_DIR "/yolo11n_random.pt";
static char folder[256];

static int set_up(void **state)
{
    (void)state;
    return folder_make(folder, sizeof folder);
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove(folder);
}

static vg_predict_options options(const char *source)
{
    vg_predict_options o = vg_predict_options_default();
    o.detector.weights = weights;
    o.detector.imgsz = 64;
    o.detector.threads = 1;
    o.source = source;
    o.project = scene_path(folder, "runs");
    return o;
}

/* What the caller gave may be gone when open returns. */
static void options_are_only_read_by_open(void **state)
{
    (void)state;
    char source[300], project[300], name[8] = "mine", isa[16] = "plain";
    int classes[80];
    for (int i = 0; i < 80; i++)
        classes[i] = i;
    snprintf(source, sizeof source, "%s/*.bmp", folder);
    snprintf(project, sizeof project, "%s/out", folder);
    for (int i = 0; i < 5; i++) {
        char path[64];
        snprintf(path, sizeof path, "s%d.bmp", i);
        assert_int_equal(scene_write_bmp(scene_path(folder, path), 70, 50, (uint32_t)i), 0);
    }
    vg_predict *p = NULL;
    vg_error err;
    vg_predict_options o = options(source);
    o.project = project;
    o.name = name;
    o.detector.isa = isa;
    o.detect.classes = classes;
    o.detect.n_classes = 80;
    assert_int_equal(vg_predict_open(&p, &o, &err), VG_OK);
    memset(source, 'x', sizeof source - 1);
    memset(project, 'x', sizeof project - 1);
    memset(name, 'x', sizeof name - 1);
    memset(isa, 'x', sizeof isa - 1);
    memset(classes, 0xff, sizeof classes);
    const vg_predict_result *r;
    size_t n = 0;
    while (vg_predict_next(p, &r, &err) == VG_OK && r) {
        assert_int_equal(r->status, VG_OK);
        assert_int_equal(r->index, n);
        assert_int_equal(r->total, 5);
        assert_int_equal(r->width, 70);
        assert_int_equal(r->height, 50);
        assert_int_equal(r->input_width, 64);
        assert_int_equal(r->input_height, 64);
        assert_non_null(strstr(r->source, ".bmp"));
        n++;
    }
    assert_int_equal(n, 5);
    assert_non_null(strstr(vg_predict_folder(p), "/out/mine"));
    assert_int_equal(folder_count_entries(vg_predict_folder(p)), 5);
    assert_int_equal(vg_predict_close(&p, &err), VG_OK);
    assert_null(p);
    assert_int_equal(vg_predict_close(&p, &err), VG_OK);
}

static void a_job_s_detector_may_be_asked_but_not_run(void **state)
{
    (void)state;
    assert_int_equal(scene_write_bmp(scene_path(folder, "a.bmp"), 70, 50, 1), 0);
    vg_predict *p = NULL;
    vg_error err;
    vg_predict_options o = options(scene_path(folder, "a.bmp"));
    o.save = false;
    assert_int_equal(vg_predict_open(&p, &o, &err), VG_OK);
    vg_detector *d = (vg_detector *)(uintptr_t)vg_predict_detector(p);
    vg_model_info info;
    vg_memory memory;
    vg_detector_info(d, &info);
    assert_int_equal(info.n_classes, 80);
    assert_string_equal(vg_detector_class_name(d, 3), "class3");
    vg_predict_memory(p, &memory);
    assert_true(memory.in_use_bytes > 1000000 && memory.planned_bytes > 1000000);
    uint8_t pixels[12] = {0};
    vg_image image = {.pixels = pixels, .width = 2, .height = 2};
    vg_detection found[4];
    size_t n;
    assert_int_equal(vg_detect(d, found, 4, &n, &image, NULL, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_detect_file(d, found, 4, &n, scene_path(folder, "a.bmp"), NULL, &err),
                     VG_ERR_ARGUMENT);
    assert_string_equal(vg_predict_folder(p), "");
    assert_int_equal(vg_predict_close(&p, NULL), VG_OK);
    assert_int_equal(folder_count_entries(folder), 1); /* no run folder */
}

static void wrong_jobs_are_refused_and_leave_no_folder(void **state)
{
    (void)state;
    assert_int_equal(scene_write_bmp(scene_path(folder, "a.bmp"), 70, 50, 1), 0);
    char good[1024];
    snprintf(good, sizeof good, "%s", scene_path(folder, "a.bmp"));
    vg_predict *p = NULL;
    vg_error err;
    assert_int_equal(vg_predict_open(&p, NULL, &err), VG_ERR_ARGUMENT);
    int outside = 80;
    for (int i = 0; i < 10; i++) {
        vg_predict_options o = options(good);
        vg_status want = VG_ERR_ARGUMENT;
        switch (i) {
        case 0:
            o.source = NULL;
            break;
        case 1:
            o.source = "";
            break;
        case 2:
            o.source = "/nowhere";
            want = VG_ERR_IO;
            break;
        case 3:
            o.source = "rtsp://camera/1";
            want = VG_ERR_UNSUPPORTED;
            break;
        case 4:
            o.project = "";
            break;
        case 5:
            o.name = NULL;
            break;
        case 6:
            o.line_width = -1;
            break;
        case 7:
            o.detect.conf = 2;
            break;
        case 8:
            o.detect.classes = &outside;
            o.detect.n_classes = 1;
            break;
        default:
            o.detector.memory_limit_bytes = 1000000;
            want = VG_ERR_LIMIT;
            break;
        }
        vg_status st = vg_predict_open(&p, &o, &err);
        if (st != want)
            fail_msg("row %d: %s", i, vg_status_name(st));
        assert_null(p);
        assert_true(err.what[0] != 0);
    }
    assert_int_equal(folder_count_entries(folder), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(options_are_only_read_by_open),
        TEST(a_job_s_detector_may_be_asked_but_not_run),
        TEST(wrong_jobs_are_refused_and_leave_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
