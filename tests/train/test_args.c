/* Arguments: spec 4.1's defaults, ranges, and text that comes back as it was. */
#include "support/test.h"

#include <locale.h>

#include "train/train.h"

static train_args args;

static void refuse(const char *name, const char *value, const char *what, const char *mend)
{
    static train_args before;
    vg_error err = {0};
    before = args;
    assert_int_equal(train_args_set(&args, name, value, &err), VG_ERR_ARGUMENT);
    if (strstr(err.what, what) == NULL || strstr(err.mend, mend) == NULL)
        fail_msg("%s=%s: \"%s\", \"%s\"", name, value, err.what, err.mend);
    assert_memory_equal(&args, &before, sizeof args);
}

static void accept(const char *name, const char *value)
{
    vg_error err;
    if (train_args_set(&args, name, value, &err) != VG_OK)
        fail_msg("%s=%s: %s", name, value, err.what);
}

static int setup(void **state)
{
    (void)state;
    train_args_default(&args);
    return 0;
}

static void defaults_are_the_recipes(void **state)
{
    (void)state;
    assert_true(args.epochs == 100 && args.patience == 100 && args.batch == 16 &&
                args.imgsz == 640);
    assert_true(args.save && args.save_period == -1 && args.cache == 0 && args.workers == 8);
    assert_true(args.optimizer == TRAIN_OPTIMIZER_AUTO && args.seed == 0 && args.deterministic);
    assert_true(!args.single_cls && !args.rect && !args.cos_lr && args.close_mosaic == 10 &&
                args.amp);
    assert_true(args.fraction == 1 && args.freeze.n == 0 && args.multi_scale <= 0 && args.val &&
                args.split == 1);
    assert_true(args.conf == 0.001 && args.iou == 0.7 && args.max_det == 300 && !args.half &&
                args.plots);
    assert_true(args.vid_stride == 1 && !args.agnostic_nms && args.resume[0] == '\0');
    assert_true(args.lr0 == 0.01 && args.lrf == 0.01 && args.momentum == 0.937 &&
                args.weight_decay == 0.0005);
    assert_true(args.warmup_epochs == 3 && args.warmup_momentum == 0.8 &&
                args.warmup_bias_lr == 0.1);
    assert_true(args.box == 7.5 && args.cls == 0.5 && args.dfl == 1.5 && args.label_smoothing == 0);
    assert_true(args.nbs == 64 && args.hsv_h == 0.015 && args.hsv_s == 0.7 && args.hsv_v == 0.4);
    assert_true(args.degrees == 0 && args.translate == 0.1 && args.scale == 0.5 && args.shear == 0);
    assert_true(args.perspective == 0 && args.flipud == 0 && args.fliplr == 0.5 && args.bgr == 0);
    assert_true(args.mosaic == 1 && args.mixup == 0 && args.copy_paste == 0);
}

static void values_outside_their_range_are_refused(void **state)
{
    (void)state;
    refuse("epochs", "0", "epochs=0", "from 1 to");
    refuse("epochs", "ten", "epochs=ten", "a whole number");
    refuse("batch", "0", "a batch of 0", "-1 for the most");
    refuse("batch", "-2", "batch=-2", "from -1");
    refuse("lr0", "nan", "lr0=nan", "a number");
    refuse("mosaic", "1.5", "mosaic=1.5", "from 0 to 1");
    refuse("val", "perhaps", "val=perhaps", "true or false");
    refuse("optimizer", "Lion", "optimizer=Lion", "auto|SGD|Adam|AdamW");
    refuse("freeze", "1,x", "freeze=1,x", "list");
    refuse("freeze", "[1,2] 3", "freeze=[1,2] 3", "list");
    refuse("classes", "-1", "classes=-1", "list");
    refuse("data", "\xff.yaml", "not UTF-8", "UTF-8");
    refuse("memory_limit", "much", "memory_limit=much", "400MB");
    char longer[TRAIN_ARG_TEXT_BYTES + 1];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    refuse("name", longer, "1024 bytes", "shorter");
}

static void an_unknown_name_suggests_the_nearest(void **state)
{
    (void)state;
    refuse("epoch", "3", "named epoch", "epochs");
    refuse("wieght_decay", "3", "named wieght_decay", "weight_decay");
    /* Nothing is near: a name that is far would mislead. */
    refuse("learning_rate", "3", "named learning_rate", "vigil train --help");
    refuse("evolve", "1", "named evolve", "vigil train --help");
    refuse("nms", "1", "named nms", "vigil train --help");
    assert_ptr_equal(base_options_find(&train_arg_table, "pretrained"),
                     base_options_find(&train_arg_table, "weights"));
}

static void users_spellings_mean_what_users_mean(void **state)
{
    (void)state;
    accept("freeze", "3");
    assert_true(args.freeze.n == 3 && args.freeze.at[2] == 2);
    accept("freeze", "[5]");
    assert_true(args.freeze.n == 1 && args.freeze.at[0] == 5);
    accept("freeze", "0, 2,4");
    assert_true(args.freeze.n == 3 && args.freeze.at[2] == 4);
    accept("memory_limit", "1.5G");
    assert_int_equal(args.memory_limit, (size_t)3 << 29);
    accept("memory_limit", "none");
    assert_int_equal(args.memory_limit, 0);
    accept("freeze", "None");
    assert_int_equal(args.freeze.n, 0);
    accept("classes", "3");
    assert_true(args.classes.n == 1 && args.classes.at[0] == 3);
    accept("classes", "[3, cat]");
    assert_true(args.classes.n == 1 && strcmp(args.classes.names, "cat") == 0);
    accept("cache", "True");
    assert_int_equal(args.cache, 1);
    accept("cache", "disk");
    assert_int_equal(args.cache, 2);
    accept("cache", "False");
    assert_int_equal(args.cache, 0);
    accept("optimizer", "adamw");
    assert_int_equal(args.optimizer, TRAIN_OPTIMIZER_ADAMW);
    accept("batch", "0.7");
    assert_true(args.batch == -1 && args.batch_share > 0.69 && args.batch_share < 0.71);
    accept("batch", "8");
    assert_true(args.batch == 8 && args.batch_share <= 0);
    accept("multi_scale", "True");
    assert_true(args.multi_scale > 0.49 && args.multi_scale < 0.51);
    accept("multi_scale", "0.25");
    assert_true(args.multi_scale > 0.24 && args.multi_scale < 0.26);
    accept("multi_scale", "False");
    assert_true(args.multi_scale <= 0);
    accept("resume", "False");
    assert_string_equal(args.resume, "");
    accept("pretrained", "a.pt");
    assert_string_equal(args.weights, "a.pt");
}

static void choices_stand_in_the_order_of_their_enums(void **state)
{
    (void)state;
    for (int k = TRAIN_OPTIMIZER_AUTO; k < TRAIN_N_OPTIMIZERS; k++) {
        accept("optimizer", train_optimizer_name((train_optimizer_kind)k));
        assert_int_equal(args.optimizer, k);
    }
}

static void round_trip(train_args_form form)
{
    static train_args back;
    base_mem mem = {.tag = "test"};
    base_str text = {0};
    base_tree *tree;
    vg_error err;
    assert_int_equal(train_args_add_text(&text, &args, form, &mem, &err), VG_OK);
    vg_status st = form == TRAIN_ARGS_JSON
                       ? base_tree_from_json(&tree, text.text, text.length, "a", &mem, &err)
                       : base_tree_from_yaml(&tree, text.text, text.length, "a", &mem, &err);
    if (st != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    memset(&back, 0, sizeof back);
    train_args_default(&back);
    if (train_args_read(&back, base_tree_root(tree), "a", &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    assert_memory_equal(&back, &args, sizeof back);
    base_tree_destroy(&tree);
    base_str_fini(&text);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void text_comes_back_as_it_was(void **state)
{
    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        round_trip(TRAIN_ARGS_YAML);
        round_trip(TRAIN_ARGS_JSON);
        accept("data", "a \"b\": #c\\\n\t\xc3\xa9.yaml");
        accept("name", "true");
        accept("project", "12");
        accept("lr0", "1e-05");
        accept("weight_decay", "0.1234567890123456789");
        accept("epochs", "1000000");
        accept("freeze", "[0, 7, 11]");
        accept("classes", "2");
        accept("cos_lr", "yes");
        accept("cache", "disk");
        accept("memory_limit", "5000000001");
        args.momentum = 0.1 + 0.2;
    }
}

static void names_of_classes_come_back(void **state)
{
    (void)state;
    accept("classes", "3,traffic light");
    round_trip(TRAIN_ARGS_YAML);
    round_trip(TRAIN_ARGS_JSON);
}

static void the_longest_lists_come_back(void **state)
{
    (void)state;
    args.classes.n = args.freeze.n = VG_OPTION_MOST_INTS;
    for (int i = 0; i < VG_OPTION_MOST_INTS; i++) {
        args.classes.at[i] = 65535 - i;
        args.freeze.at[i] = 1000 - i % 1000;
    }
    round_trip(TRAIN_ARGS_YAML);
    round_trip(TRAIN_ARGS_JSON);
}

static void a_comma_locale_changes_no_text(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    base_str here = {0}, there = {0};
    assert_int_equal(train_args_add_text(&here, &args, TRAIN_ARGS_YAML, &mem, NULL), VG_OK);
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL)
        setlocale(LC_ALL, "C.UTF-8"); /* not installed: nothing to see, but no harm */
    assert_int_equal(train_args_add_text(&there, &args, TRAIN_ARGS_YAML, &mem, NULL), VG_OK);
    setlocale(LC_ALL, "C");
    assert_string_equal(here.text, there.text);
    assert_non_null(strstr(here.text, "lr0: 0.01\n"));
    assert_non_null(strstr(here.text, "epochs: 100\n"));
    assert_non_null(strstr(here.text, "warmup_epochs: 3.0\n"));
    assert_non_null(strstr(here.text, "optimizer: \"auto\"\n"));
    assert_non_null(strstr(here.text, "freeze: null\n"));
    base_str_fini(&here);
    base_str_fini(&there);
}

static void an_error_in_a_file_has_its_line(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    base_tree *tree;
    vg_error err;
    const char *text = "epochs: 3\nlr0: fast\n";
    assert_int_equal(base_tree_from_yaml(&tree, text, strlen(text), "args.yaml", &mem, &err),
                     VG_OK);
    assert_int_equal(train_args_read(&args, base_tree_root(tree), "args.yaml", &err),
                     VG_ERR_ARGUMENT);
    assert_true(base_starts_with(err.where, "args.yaml:2: lr0"));
    base_tree_destroy(&tree);
    text = "[1, 2]";
    assert_int_equal(base_tree_from_yaml(&tree, text, strlen(text), "args.yaml", &mem, &err),
                     VG_OK);
    assert_int_equal(train_args_read(&args, base_tree_root(tree), "args.yaml", &err),
                     VG_ERR_FORMAT);
    base_tree_destroy(&tree);
    text = "freeze: {a: 1}";
    assert_int_equal(base_tree_from_yaml(&tree, text, strlen(text), "args.yaml", &mem, &err),
                     VG_OK);
    assert_int_equal(train_args_read(&args, base_tree_root(tree), "args.yaml", &err),
                     VG_ERR_FORMAT);
    base_tree_destroy(&tree);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    base_mem mem = {.tag = "test"};
    for (int k = 1;; k++) {
        base_str text = {0};
        mem.fail_in = k;
        const vg_status st = train_args_add_text(&text, &args, TRAIN_ARGS_JSON, &mem, NULL);
        base_str_fini(&text);
        assert_int_equal(mem.in_use_bytes, 0);
        if (st == VG_OK && mem.fail_in > 0)
            break;
        assert_int_equal(st, VG_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup(f, setup)
        TEST(defaults_are_the_recipes),
        TEST(values_outside_their_range_are_refused),
        TEST(an_unknown_name_suggests_the_nearest),
        TEST(users_spellings_mean_what_users_mean),
        TEST(choices_stand_in_the_order_of_their_enums),
        TEST(text_comes_back_as_it_was),
        TEST(names_of_classes_come_back),
        TEST(the_longest_lists_come_back),
        TEST(a_comma_locale_changes_no_text),
        TEST(an_error_in_a_file_has_its_line),
        TEST(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
