/* The object of train --json and val --json: every number under its own name, and standard output
 * to itself. */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "base/base.h"
#include "cli/train.h"

/* What is printed on `descriptor` between open and text. */
typedef struct capture {
    int descriptor, kept;
    FILE *to;
    char text[4096];
} capture;

static capture capture_open(int descriptor)
{
    capture c = {.descriptor = descriptor, .kept = dup(descriptor), .to = tmpfile()};
    fflush(NULL);
    assert_true(c.kept >= 0 && c.to != NULL);
    assert_int_equal(dup2(fileno(c.to), descriptor), descriptor);
    return c;
}

static const char *capture_text(capture *c)
{
    fflush(NULL);
    dup2(c->kept, c->descriptor);
    close(c->kept);
    rewind(c->to);
    c->text[fread(c->text, 1, sizeof c->text - 1, c->to)] = '\0';
    fclose(c->to);
    return c->text;
}

/* A stand-in: detect's, and one of another row of metrics. */
size_t vg_val_numbers(const vg_val_result *r, vg_number out[VG_MOST_NUMBERS])
{
    const vg_number all[] = {{"metrics/mAP50(B)", r->map50}, {"metrics/mAP50(M)", r->second.map50},
                             {"val/box_loss", r->loss[0]},   {"val/cls_loss", r->loss[1]},
                             {"val/dfl_loss", r->loss[2]},   {"fitness", r->fitness}};
    memcpy(out, all, sizeof all);
    return sizeof all / sizeof *all;
}

static const vg_val_class classes[] = {{.class_index = 0,
                                        .name = "cat",
                                        .n_pictures = 4,
                                        .n_instances = 5,
                                        .precision = 0.5,
                                        .recall = 0.625,
                                        .map50 = 0.75,
                                        .map = 0.25,
                                        .second = {.map50 = 0.625}},
                                       {.class_index = 2,
                                        .name = "a \"dog\"",
                                        .n_pictures = 1,
                                        .n_instances = 2,
                                        .precision = NAN,
                                        .recall = 0.125,
                                        .map50 = 0.0625,
                                        .map = 0}};

static void every_number_is_under_its_name(void **state)
{
    (void)state;
    const vg_val_result r = {.n_pictures = 11,
                             .n_instances = 22,
                             .n_detections = 33,
                             .precision = 0.1,
                             .recall = 0.2,
                             .map50 = 0.3,
                             .map = 0.4,
                             .second = {.map50 = 0.35},
                             .fitness = 0.39,
                             .loss = {1.5, 2.5, INFINITY},
                             .classes = classes,
                             .n_classes = 2,
                             .seconds = 7.25};
    capture c = capture_open(STDOUT_FILENO);
    train_json_result(&r);
    assert_string_equal(
        capture_text(&c),
        "\"validation\": {\"pictures\": 11, \"instances\": 22, \"detections\": 33, "
        "\"precision\": 0.1, \"recall\": 0.2, \"map50\": 0.3, \"map\": 0.4, \"fitness\": 0.39, "
        "\"box_loss\": 1.5, \"cls_loss\": 2.5, \"dfl_loss\": null, \"metrics/mAP50(M)\": 0.35, "
        "\"seconds\": 7.25, "
        "\"classes\": [{\"class\": 0, \"name\": \"cat\", \"pictures\": 4, \"instances\": 5, "
        "\"precision\": 0.5, \"recall\": 0.625, \"map50\": 0.75, \"map\": 0.25, "
        "\"metrics/mAP50(M)\": 0.625}, "
        "{\"class\": 2, \"name\": \"a \\\"dog\\\"\", \"pictures\": 1, \"instances\": 2, "
        "\"precision\": null, \"recall\": 0.125, \"map50\": 0.0625, \"map\": 0, "
        "\"metrics/mAP50(M)\": 0}]}");
}

static void without_a_validation_it_is_null(void **state)
{
    (void)state;
    capture c = capture_open(STDOUT_FILENO);
    train_json_result(NULL);
    assert_string_equal(capture_text(&c), "\"validation\": null");
}

static void what_is_told_meanwhile_goes_to_standard_error(void **state)
{
    (void)state;
    vg_error err;
    capture out = capture_open(STDOUT_FILENO), told = capture_open(STDERR_FILENO);
    const int kept = train_json_begin(&err);
    puts("a row");
    train_json_end(kept);
    train_json_text("folder", "runs/\xff");
    const char *said = capture_text(&told);
    assert_string_equal(capture_text(&out), "\"folder\": \"runs/\xef\xbf\xbd\"");
    assert_string_equal(said, "a row\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_under_its_name),
        cmocka_unit_test(without_a_validation_it_is_null),
        cmocka_unit_test(what_is_told_meanwhile_goes_to_standard_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
