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

bool vg_extras_words(char *buf, size_t n_bytes, const vg_extras *e, size_t n,
                     const char *(*name)(const void *ctx, int class_index), const void *ctx)
{
    (void)n;
    buf[0] = '\0';
    for (size_t i = 0; i < e->n_top; i++)
        base_format(buf + strlen(buf), n_bytes - strlen(buf), "%s %.2f, ",
                    name(ctx, e->top[i].class_index), (double)e->top[i].confidence);
    return e->n_top > 0;
}

vg_status vg_predict_json(const vg_detector *d, const vg_predict_result *r,
                          void (*put)(void *ctx, const char *bytes, size_t n), void *ctx,
                          vg_error *err)
{
    (void)d;
    (void)err;
    put(ctx, "{\"source\": \"", 12);
    put(ctx, r->source, strlen(r->source));
    put(ctx, "\"}\n", 3);
    return VG_OK;
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

/* What it says is the API's: tests/api/test_picture.c. */
static void json_goes_out_piece_by_piece(void **state)
{
    (void)state;
    vg_predict_result r = {.source = "x.jpg"};
    assert_string_equal(printed(json_print, &r), "{\"source\": \"x.jpg\"}\n");
}

static void tasks_may_say_something_else_than_counts(void **state)
{
    (void)state;
    const vg_class_score top[] = {{1, 0.57F}, {0, 0.1F}};
    vg_predict_result r = {.total = 1,
                           .source = "a.jpg",
                           .extras = {.task = VG_TASK_CLASSIFY, .top = top, .n_top = 2}};
    assert_string_equal(printed(line_print, &r),
                        "image 1/1 a.jpg: 0x0 bus 0.57, person 0.10, 0.0ms\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_in_the_order_of_classes),
        cmocka_unit_test(a_skipped_picture_says_why),
        cmocka_unit_test(a_name_cannot_end_its_line),
        cmocka_unit_test(tasks_may_say_something_else_than_counts),
        cmocka_unit_test(json_goes_out_piece_by_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
