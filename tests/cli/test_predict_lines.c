/* The lines are the ones that YOLO users know, and JSON that every parser takes. */
#include "support/test.h"

#include "base/base.h"
#include "cli/predict.h"

/* Stands in for the API: the line needs nothing of a detector but names. */
const char *vg_detector_class_name(const vg_detector *d, int class_index)
{
    static const char *const names[] = {"person", "bus", "a \"quoted\" one"};
    (void)d;
    return class_index >= 0 && class_index < 3 ? names[class_index] : "";
}

const char *vg_count_format(char *buf, size_t n, uint64_t count, const char *noun)
{
    return base_count(buf, n, count, noun);
}

static char line[2048];

static const char *printed(void (*print)(FILE *to, const vg_predict_result *r),
                           const vg_predict_result *r)
{
    FILE *f = tmpfile();
    print(f, r);
    rewind(f);
    line[fread(line, 1, sizeof line - 1, f)] = '\0';
    fclose(f);
    return line;
}

static void line_print(FILE *to, const vg_predict_result *r)
{
    predict_line(to, NULL, r);
}

static void json_print(FILE *to, const vg_predict_result *r)
{
    predict_line_json(to, NULL, r);
}

static void counts_are_in_the_order_of_classes(void **state)
{
    (void)state;
    const vg_detection boxes[] = {
        {.class_index = 2}, {.class_index = 0}, {.class_index = 1}, {.class_index = 0}};
    vg_predict_result r = {.index = 0,
                           .total = 72,
                           .source = "a b.jpg",
                           .input_width = 640,
                           .input_height = 480,
                           .detections = boxes,
                           .n_detections = 4,
                           .times.inference_ms = 12.34};
    assert_string_equal(printed(line_print, &r), "image 1/72 a b.jpg: 480x640 2 persons, 1 bus, 1 "
                                                 "a \"quoted\" one, 12.3ms\n");
    const vg_detection buses[] = {{.class_index = 1}, {.class_index = 1}, {.class_index = 1}};
    r.detections = buses;
    r.n_detections = 3;
    assert_string_equal(printed(line_print, &r), "image 1/72 a b.jpg: 480x640 3 buses, 12.3ms\n");
    r.detections = boxes;
    r.n_detections = 1;
    assert_string_equal(printed(line_print, &r),
                        "image 1/72 a b.jpg: 480x640 1 a \"quoted\" one, 12.3ms\n");
    r.n_detections = 0;
    assert_string_equal(printed(line_print, &r),
                        "image 1/72 a b.jpg: 480x640 (no detections), 12.3ms\n");
}

static void a_skipped_picture_says_why(void **state)
{
    (void)state;
    vg_predict_result r = {.index = 2,
                           .total = 3,
                           .source = "c.jpg",
                           .status = VG_ERR_FORMAT,
                           .error = {.what = "not a picture", .where = "c.jpg"}};
    assert_string_equal(printed(predict_line_skipped, &r),
                        "image 3/3 c.jpg: skipped: not a picture\n");
    r.error.where[0] = '\0';
    assert_string_equal(printed(predict_line_skipped, &r),
                        "image 3/3 c.jpg: skipped: not a picture\n");
    cli_error_text(r.error.where, "byte 17");
    assert_string_equal(printed(predict_line_skipped, &r),
                        "image 3/3 c.jpg: skipped: not a picture (byte 17)\n");
}

static void a_name_cannot_end_its_line(void **state)
{
    (void)state;
    vg_predict_result r = {.total = 1,
                           .source = "a\n\x1b.jpg",
                           .status = VG_ERR_FORMAT,
                           .error = {.what = "no \r", .where = "at \b"}};
    assert_string_equal(printed(predict_line_skipped, &r),
                        "image 1/1 a\\x0a\\x1b.jpg: skipped: no \\x0d (at \\x08)\n");
    assert_string_equal(printed(line_print, &r),
                        "image 1/1 a\\x0a\\x1b.jpg: 0x0 (no detections), 0.0ms\n");
}

static void json_has_pixels_and_names(void **state)
{
    (void)state;
    const vg_detection boxes[] = {{1.5f, 2, 300.25f, 400, 0.875f, 2}, {0, 0, 1, 1, 0.25f, 0}};
    vg_predict_result r = {
        .source = "x\"y.jpg", .width = 640, .height = 427, .detections = boxes, .n_detections = 2};
    assert_string_equal(
        printed(json_print, &r),
        "{\"source\": \"x\\\"y.jpg\", \"width\": 640, \"height\": 427, \"boxes\": ["
        "{\"class\": 2, \"name\": \"a \\\"quoted\\\" one\", \"confidence\": 0.875, "
        "\"xyxy\": [1.5, 2, 300.25, 400]}, "
        "{\"class\": 0, \"name\": \"person\", \"confidence\": 0.25, \"xyxy\": [0, 0, 1, 1]}]}\n");
    r.n_detections = 0;
    assert_string_equal(
        printed(json_print, &r),
        "{\"source\": \"x\\\"y.jpg\", \"width\": 640, \"height\": 427, \"boxes\": []}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_in_the_order_of_classes),
        cmocka_unit_test(a_skipped_picture_says_why),
        cmocka_unit_test(a_name_cannot_end_its_line),
        cmocka_unit_test(json_has_pixels_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
