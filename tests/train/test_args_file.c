/* test_args_file.c: args.yaml of an earlier run, ours or the Python tool's, as arguments. */
#include "support/test.h"

#include "base/folder.h"
#include "train/args.h"

static base_mem mem = {.tag = "test"};
static char folder[256], path[512];

static const char *put(const char *text)
{
    snprintf(path, sizeof path, "%s/a.yaml", folder);
    assert_int_equal(base_file_replace(path, text, strlen(text), NULL), VG_OK);
    return path;
}

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

static const char theirs[] = "task: detect\nmode: train\nmodel: yolo11n.yaml\ndata: d.yaml\n"
                             "epochs: 6\ntime: null\nimgsz: 160\ncache: false\ndevice: cpu\n"
                             "pretrained: true\nresume: runs/x/last.pt\nconf: null\niou: 0.6\n"
                             "tracker: botsort.yaml\ndnn: false\nerasing: 0.4\nlr0: 1e-3\n"
                             "save_dir: runs/detect/t\nname: t1\n";

static void the_python_tool_s_list_is_read_under_what_was_given(void **state)
{
    (void)state;
    bool given[128] = {0};
    char left_out[256];
    train_args args;
    assert_in_range(train_arg_table.n, 1, 128);
    train_args_default(&args);
    assert_int_equal(train_args_set(&args, "epochs", "3", NULL), VG_OK);
    given[base_options_find(&train_arg_table, "epochs") - train_arg_table.rows] = true;
    assert_int_equal(
        train_args_read_file(&args, given, left_out, sizeof left_out, put(theirs), &mem, NULL),
        VG_OK);
    assert_string_equal(args.model, "yolo11n.yaml");
    assert_string_equal(args.data, "d.yaml");
    assert_string_equal(args.name, "t1");
    assert_string_equal(args.resume, "");
    assert_string_equal(args.weights, "");
    assert_int_equal(args.epochs, 3);
    assert_int_equal(args.imgsz, 160);
    assert_true(args.conf == 0.001 && args.iou == 0.6 && args.lr0 == 1e-3);
    assert_string_equal(left_out, "tracker");
    assert_int_equal(mem.in_use_bytes, 0);
}

static void our_own_list_gives_the_same_arguments(void **state)
{
    (void)state;
    bool given[128] = {0};
    char left_out[256];
    train_args args, back;
    base_str text = {0};
    train_args_default(&args);
    assert_int_equal(train_args_set(&args, "model", "yolo11s", NULL), VG_OK);
    assert_int_equal(train_args_set(&args, "freeze", "3", NULL), VG_OK);
    assert_int_equal(train_args_set(&args, "cache", "disk", NULL), VG_OK);
    assert_int_equal(train_args_add_text(&text, &args, TRAIN_ARGS_YAML, &mem, NULL), VG_OK);
    train_args_default(&back);
    assert_int_equal(train_yaml_look(put(text.text), &mem), TRAIN_YAML_ARGS);
    assert_int_equal(
        train_args_read_file(&back, given, left_out, sizeof left_out, path, &mem, NULL), VG_OK);
    assert_memory_equal(&args, &back, sizeof args);
    assert_string_equal(left_out, "");
    base_str_fini(&text);
}

static void what_is_wrong_has_its_line(void **state)
{
    (void)state;
    bool given[128] = {0};
    char left_out[8]; /* cut, not overrun */
    train_args args;
    vg_error err;
    train_args_default(&args);
    assert_int_equal(train_args_read_file(&args, given, left_out, sizeof left_out,
                                          put("task: detect\nepochs: -4\n"), &mem, &err),
                     VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.where, "a.yaml:2"));
    assert_int_equal(train_args_read_file(&args, given, left_out, sizeof left_out,
                                          put("epochs: 4\ntask: segment\n"), &mem, &err),
                     VG_OK);
    assert_string_equal(args.task, "segment");
    assert_int_equal(train_args_read_file(&args, given, left_out, sizeof left_out,
                                          put("epochs: 4\ntask: depth\n"), &mem, &err),
                     VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.where, "a.yaml:2"));
    assert_non_null(strstr(err.what, "depth"));
    assert_int_equal(train_args_read_file(&args, given, left_out, sizeof left_out,
                                          put("aaaa: 4\nbbbbbb: 3\n"), &mem, &err),
                     VG_OK);
    assert_string_equal(left_out, "aaaa");
    assert_int_equal(mem.in_use_bytes, 0);
}

static void kinds_of_yaml_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(train_yaml_look(put(theirs), &mem), TRAIN_YAML_ARGS);
    assert_int_equal(train_yaml_look(put("path: .\ntrain: a\nval: b\nnc: 1\n"), &mem),
                     TRAIN_YAML_DATASET);
    assert_int_equal(train_yaml_look(put("nc: 80\nbackbone: []\nhead: []\n"), &mem),
                     TRAIN_YAML_OTHER);
    assert_int_equal(train_yaml_look(put("[1]"), &mem), TRAIN_YAML_OTHER);
    assert_int_equal(train_yaml_look(put(""), &mem), TRAIN_YAML_OTHER);
    assert_int_equal(train_yaml_look(put("a: [\n"), &mem), TRAIN_YAML_OTHER);
    assert_int_equal(train_yaml_look("yolo11n.yaml", &mem), TRAIN_YAML_OTHER);
    assert_int_equal(train_yaml_look("yolo11n", &mem), TRAIN_YAML_OTHER);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void give(train_args *args, train_args_given *given, const char *name, const char *value)
{
    assert_int_equal(train_args_give(args, given, name, value, NULL), VG_OK);
}

/* A file by `cfg` beside a model of its own; without one, the file's, or what cfg itself names. */
static void cfg_is_a_file_of_arguments_or_a_model(void **state)
{
    (void)state;
    static const char file[] = "epochs: 6\nmodel: yolo11s.yaml\nlr0: 0.5\nauto_augment: null\n";
    for (int k = 0; k < 3; k++) {
        train_args args;
        train_args_given given = {0};
        char notice[100];
        vg_error err;
        train_args_default(&args);
        give(&args, &given, "cfg", k == 2 ? "yolo11m.yaml" : put(file));
        if (k == 0)
            give(&args, &given, "model", "yolo11n.yaml");
        give(&args, &given, "lr0", "0.25");
        assert_int_equal(train_args_settle(&args, &given, notice, sizeof notice, &mem, &err),
                         VG_OK);
        assert_string_equal(args.model, k == 0   ? "yolo11n.yaml"
                                        : k == 1 ? "yolo11s.yaml"
                                                 : "yolo11m.yaml");
        assert_string_equal(args.cfg, "");
        assert_true(args.lr0 == 0.25);
        assert_int_equal(args.epochs, k == 2 ? 100 : 6);
        /* Which no other name stands for than none. */
        assert_int_equal(args.auto_augment, k == 2 ? 1 : 0);
    }
    train_args args;
    train_args_given given = {0};
    vg_error err;
    train_args_default(&args);
    give(&args, &given, "cfg", "yolo11m.yaml");
    give(&args, &given, "model", "yolo11n.yaml");
    assert_int_equal(train_args_settle(&args, &given, NULL, 0, &mem, &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "two models"));
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_python_tool_s_list_is_read_under_what_was_given),
        cmocka_unit_test(our_own_list_gives_the_same_arguments),
        cmocka_unit_test(cfg_is_a_file_of_arguments_or_a_model),
        cmocka_unit_test(what_is_wrong_has_its_line),
        cmocka_unit_test(kinds_of_yaml_are_told_apart),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
