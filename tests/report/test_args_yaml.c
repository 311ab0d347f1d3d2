/* test_args_yaml.c: whatever the arguments are, a YAML reader gives them back. */
#include "support.h"

#include <math.h>

static const base_node *value_of(const base_tree *t, const char *key)
{
    const base_node *n = base_node_get(base_tree_root(t), key);
    assert_non_null(n);
    return n;
}

static base_tree *round_trip(bench *b, const report_arg *args, size_t n)
{
    const char *path = in_folder(b, "args.yaml");
    base_tree *t;
    if (report_args_write(path, args, n, &b->mem, &b->err) != VG_OK)
        fail_msg("%s", b->err.what);
    if (base_tree_read(&t, path, &b->mem, &b->err) != VG_OK)
        fail_msg("%s at %s", b->err.what, b->err.where);
    return t;
}

static void each_kind_has_its_form(void **state)
{
    bench *b = *state;
    static const int INTS[] = {0, 5, 10};
    static const char *const TEXTS[] = {"a", "b c", "1"};
    const report_arg args[] = {
        {.key = "task", .kind = REPORT_ARG_TEXT, .text = "detect"},
        {.key = "model", .kind = REPORT_ARG_TEXT, .text = "yolo11s.yaml"},
        {.key = "data", .kind = REPORT_ARG_TEXT, .text = "/data/my set/coco.yaml"},
        {.key = "resume", .kind = REPORT_ARG_NULL},
        {.key = "epochs", .kind = REPORT_ARG_INT, .integer = 100},
        {.key = "cos_lr", .kind = REPORT_ARG_BOOL, .integer = 0},
        {.key = "lr0", .kind = REPORT_ARG_REAL, .real = 0.01},
        {.key = "warmup", .kind = REPORT_ARG_REAL, .real = 3},
        {.key = "eps", .kind = REPORT_ARG_REAL, .real = 1e-5},
        {.key = "freeze", .kind = REPORT_ARG_INTS, .ints = INTS, .n_items = 3},
        {.key = "tags", .kind = REPORT_ARG_TEXTS, .texts = TEXTS, .n_items = 3},
        {.key = "none", .kind = REPORT_ARG_INTS},
    };
    const char *path = in_folder(b, "args.yaml");
    assert_int_equal(report_args_write(path, args, sizeof args / sizeof args[0], &b->mem, &b->err),
                     VG_OK);
    assert_file_is(b, path,
                   "task: detect\nmodel: yolo11s.yaml\ndata: '/data/my set/coco.yaml'\n"
                   "resume: null\nepochs: 100\ncos_lr: false\nlr0: 0.01\nwarmup: 3.0\n"
                   "eps: 1.0e-05\nfreeze: [0, 5, 10]\ntags: [a, 'b c', '1']\nnone: []\n");
}

static void every_text_comes_back_as_that_text(void **state)
{
    bench *b = *state;
    static const char *const TEXTS[] = {"",
                                        " ",
                                        "null",
                                        "~",
                                        "True",
                                        "no",
                                        "OFF",
                                        "y",
                                        "1",
                                        "-1.5",
                                        "1e3",
                                        "0x1F",
                                        "1_000",
                                        "1:30",
                                        ".inf",
                                        "2001-01-01",
                                        "a: b",
                                        "# c",
                                        "a #b",
                                        "it's",
                                        "\"q\"",
                                        "- x",
                                        "[x]",
                                        "{a: b}",
                                        "&a",
                                        "*a",
                                        "!t",
                                        "|",
                                        ">",
                                        "%d",
                                        "@x",
                                        "`x",
                                        "a\nb",
                                        "a\tb",
                                        "\x01\x7f",
                                        "\\",
                                        "back\\n",
                                        "Größe",
                                        "\xe2\x80\xa8",
                                        "\xc2\x85",
                                        "\xef\xbb\xbf",
                                        "\xf0\x9f\x90\x88",
                                        "C:\\x",
                                        "./a",
                                        "../b",
                                        "=",
                                        "<<",
                                        "---",
                                        "...",
                                        "a,b",
                                        "?",
                                        "a:",
                                        ":a",
                                        " lead",
                                        "trail ",
                                        "rtsp://x/1",
                                        "\r\n",
                                        "it's \"both\"\n",
                                        "\xc2\xa0",
                                        "\xef\xbf\xbd"};
    enum { N = sizeof TEXTS / sizeof TEXTS[0] };
    report_arg args[N];
    char keys[N][16];
    for (size_t i = 0; i < N; i++) {
        snprintf(keys[i], sizeof keys[i], "k%zu", i);
        args[i] = (report_arg){.key = keys[i], .kind = REPORT_ARG_TEXT, .text = TEXTS[i]};
    }
    base_tree *t = round_trip(b, args, N);
    for (size_t i = 0; i < N; i++) {
        const base_node *n = value_of(t, keys[i]);
        if (n->kind != BASE_NODE_TEXT || strcmp(n->text, TEXTS[i]) != 0)
            fail_msg("\"%s\" came back as %s \"%s\"", TEXTS[i], base_node_kind_name(n->kind),
                     n->text);
    }
    base_tree_destroy(&t);
}

static void every_real_comes_back_to_the_bit(void **state)
{
    bench *b = *state;
    static const double REALS[] = {
        0,       -0.0, 1,  0.1, 1.0 / 3, 1e-320, 1e308, 0.937, 1e15, 1e16, 123456789012345678.0,
        -2.5e-9, 4e-4, 7.5};
    enum { N = sizeof REALS / sizeof REALS[0] };
    report_arg args[N];
    char keys[N][16];
    for (size_t i = 0; i < N; i++) {
        snprintf(keys[i], sizeof keys[i], "k%zu", i);
        args[i] = (report_arg){.key = keys[i], .kind = REPORT_ARG_REAL, .real = REALS[i]};
    }
    base_tree *t = round_trip(b, args, N);
    for (size_t i = 0; i < N; i++) {
        const base_node *n = value_of(t, keys[i]);
        assert_int_equal(n->kind, BASE_NODE_REAL);
        if (n->real != REALS[i])
            fail_msg("%.17g came back as %.17g", REALS[i], n->real);
        assert_non_null(strchr(n->text, '.')); /* or Python's yaml reads a text */
    }
    base_tree_destroy(&t);
}

static void a_text_that_yaml_cannot_hold_is_refused_and_the_old_file_stays(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "args.yaml");
    const report_arg arg = {.key = "project", .kind = REPORT_ARG_TEXT, .text = "runs/\xff"};
    write_text(path, "old: 1\n");
    assert_int_equal(report_args_write(path, &arg, 1, &b->mem, &b->err), VG_ERR_ARGUMENT);
    assert_string_equal(b->err.where, "project");
    assert_file_is(b, path, "old: 1\n");
}

static void a_full_disk_keeps_the_old_file(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "args.yaml");
    const report_arg arg = {.key = "project", .kind = REPORT_ARG_TEXT, .text = "runs/train"};
    write_text(path, "old: 1\n");
    disk_full_at(5);
    vg_status st = report_args_write(path, &arg, 1, &b->mem, &b->err);
    disk_full_at(0);
    assert_int_equal(st, VG_ERR_IO);
    assert_file_is(b, path, "old: 1\n");
    assert_no_leftovers(b);
}

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
    bench *b = *state;
    const char *path = in_folder(b, "args.yaml");
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    const report_arg args[] = {{.key = "a", .kind = REPORT_ARG_TEXT, .text = text},
                               {.key = "b", .kind = REPORT_ARG_TEXT, .text = "it's"}};
    for (int64_t k = 1;; k++) {
        b->mem.fail_in = k;
        vg_status st = report_args_write(path, args, 2, &b->mem, &b->err);
        bool was_reached = b->mem.fail_in == 0;
        b->mem.fail_in = 0;
        assert_int_equal(b->mem.in_use_bytes, 0);
        assert_int_equal(st, was_reached ? VG_ERR_MEMORY : VG_OK);
        if (!was_reached) {
            assert_true(k >= 3);
            break;
        }
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_kind_has_its_form),
        TEST(every_text_comes_back_as_that_text),
        TEST(every_real_comes_back_to_the_bit),
        TEST(a_text_that_yaml_cannot_hold_is_refused_and_the_old_file_stays),
        TEST(a_full_disk_keeps_the_old_file),
        TEST(every_failed_allocation_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
