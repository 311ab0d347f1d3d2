/* Every spelling of an option is the same option, and every mistake is told with its remedy. */
#include "support/test.h"

#include "cli/cli.h"

typedef struct values {
    const char *weights, *name;
    int imgsz, flat;
    float conf;
    bool save, save_txt;
    size_t limit;
    vg_ints classes;
} values;

static void defaults(void *room)
{
    values *v = room;
    v->imgsz = 640;
    v->conf = 0.25f;
    v->save_txt = true;
}

static const vg_option options[] = {
    {.name = "weights",
     .alias = "model",
     .kind = VG_OPTION_STRING,
     .offset = offsetof(values, weights),
     .value = "FILE",
     .is_required = true},
    {.name = "imgsz",
     .kind = VG_OPTION_INT,
     .offset = offsetof(values, imgsz),
     .value = "N",
     .least = 32,
     .most = 4096},
    {.name = "conf",
     .kind = VG_OPTION_FLOAT,
     .offset = offsetof(values, conf),
     .value = "P",
     .least = 0,
     .most = 1},
    {.name = "save", .kind = VG_OPTION_BOOL, .offset = offsetof(values, save)},
    {.name = "save-txt", .kind = VG_OPTION_BOOL, .offset = offsetof(values, save_txt)},
    {.name = "memory-limit",
     .kind = VG_OPTION_BYTES,
     .offset = offsetof(values, limit),
     .most = 1e18},
    {.name = "classes",
     .kind = VG_OPTION_INTS,
     .offset = offsetof(values, classes),
     .value = "LIST",
     .least = 0,
     .most = 100},
    {.name = "name", .kind = VG_OPTION_STRING, .offset = offsetof(values, name), .value = "NAME"},
    {.name = "prove-flat",
     .kind = VG_OPTION_INT,
     .offset = offsetof(values, flat),
     .value = "N",
     .least = 1,
     .most = 100,
     .may_stand_alone = true,
     .alone_value = -1},
};

static const cli_command command = {.name = "predict",
                                    .alias = "detect",
                                    .usage = "--weights FILE",
                                    .options = options,
                                    .n_options = sizeof options / sizeof *options,
                                    .values_bytes = sizeof(values),
                                    .defaults = defaults};

static values v;
static vg_error err;

/* Parses "--weights w" and the words behind it. */
static cli_parsed parse_words(int n, const char *const *words)
{
    char *all[32] = {"--weights", "w"};
    for (int i = 0; i < n; i++)
        all[2 + i] = (char *)(uintptr_t)words[i];
    memset(&v, 0xA5, sizeof v);
    memset(&err, 0, sizeof err);
    return cli_options_parse(&command, &v, n + 2, all, NULL, &err);
}

#define PARSE(...)                                                                                 \
    parse_words((int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)),          \
                (const char *const[]){__VA_ARGS__})
#define ASSERT_GOOD(...) assert_int_equal(PARSE(__VA_ARGS__), CLI_PARSED)
/* Wrong, and the three fields hold these words. */
#define ASSERT_WRONG(what_, where_, mend_, ...)                                                    \
    do {                                                                                           \
        assert_int_equal(PARSE(__VA_ARGS__), CLI_PARSED_WRONG);                                    \
        assert_string_equal(err.what, what_);                                                      \
        assert_string_equal(err.where, where_);                                                    \
        assert_string_equal(err.mend, mend_);                                                      \
    } while (0)

static void nothing_given_is_the_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse_words(0, NULL), CLI_PARSED);
    assert_string_equal(v.weights, "w");
    assert_int_equal(v.imgsz, 640);
    assert_true(v.conf == 0.25f);
    assert_true(v.save_txt && !v.save);
    assert_null(v.name);
    assert_int_equal(v.classes.n, 0);
    assert_int_equal(v.flat, 0);
}

static void three_spellings_are_one_option(void **state)
{
    (void)state;
    ASSERT_GOOD("--imgsz", "320");
    assert_int_equal(v.imgsz, 320);
    ASSERT_GOOD("--imgsz=321");
    assert_int_equal(v.imgsz, 321);
    ASSERT_GOOD("imgsz=322");
    assert_int_equal(v.imgsz, 322);
    ASSERT_GOOD("--memory_limit", "1K");
    assert_int_equal(v.limit, 1024);
    ASSERT_GOOD("memory-limit=2K");
    assert_int_equal(v.limit, 2048);
    ASSERT_GOOD("--model", "m");
    assert_string_equal(v.weights, "m");
    ASSERT_GOOD("--classes", "0", "1,4", "2", "--conf", ".5");
    assert_int_equal(v.classes.n, 4);
    assert_int_equal(v.classes.at[0], 0);
    assert_int_equal(v.classes.at[2], 4);
    assert_int_equal(v.classes.at[3], 2);
    ASSERT_GOOD("--conf", ".5", "classes=[1, 2]");
    assert_true(v.conf == 0.5f);
    assert_int_equal(v.classes.at[1], 2);
}

static void a_flag_is_set_and_unset_in_all_its_ways(void **state)
{
    (void)state;
    static const char *const on[] = {"--save", "save=True", "--save=1", "save=yes"};
    static const char *const off[] = {"--no-save-txt", "--no_save_txt", "save_txt=False",
                                      "--save-txt=0"};
    for (size_t i = 0; i < 4; i++) {
        ASSERT_GOOD(on[i]);
        assert_true(v.save);
        ASSERT_GOOD(off[i]);
        assert_false(v.save_txt);
    }
    ASSERT_GOOD("--save-txt", "False", "--save", "True");
    assert_true(v.save && !v.save_txt);
    ASSERT_GOOD("--save", "--imgsz", "64");
    assert_true(v.save);
    assert_int_equal(v.imgsz, 64);
}

static void the_last_one_wins(void **state)
{
    (void)state;
    ASSERT_GOOD("--imgsz", "64", "imgsz=96", "--save", "--no-save", "--classes", "1,2,3",
                "classes=4");
    assert_int_equal(v.imgsz, 96);
    assert_false(v.save);
    assert_int_equal(v.classes.n, 1);
}

static void an_optional_number_may_stand_alone(void **state)
{
    (void)state;
    ASSERT_GOOD("--prove-flat");
    assert_int_equal(v.flat, -1);
    ASSERT_GOOD("--prove-flat", "--save");
    assert_int_equal(v.flat, -1);
    assert_true(v.save);
    ASSERT_GOOD("--prove-flat", "7");
    assert_int_equal(v.flat, 7);
    ASSERT_GOOD("prove_flat=8");
    assert_int_equal(v.flat, 8);
    ASSERT_GOOD("prove_flat=True");
    assert_int_equal(v.flat, -1);
    ASSERT_GOOD("--prove-flat", "--no-prove-flat");
    assert_int_equal(v.flat, 0);
    ASSERT_WRONG("0 is outside 1..100", "option --prove-flat", "a number from 1 to 100",
                 "--prove-flat", "0");
}

static void an_unknown_option_names_the_nearest(void **state)
{
    (void)state;
    ASSERT_WRONG("vigil predict has no option \"imgzs\"", "argument --imgzs", "--imgsz", "--imgzs",
                 "640");
    ASSERT_WRONG("vigil predict has no option \"modell\"", "argument modell=a", "--model",
                 "modell=a");
    ASSERT_WRONG("vigil predict has no option \"imgsz\"", "argument -imgsz", "--imgsz", "-imgsz",
                 "640");
    ASSERT_WRONG("vigil predict has no option \"zebra\"", "argument --zebra",
                 "vigil predict --help, which lists the options", "--zebra");
    ASSERT_WRONG("vigil predict has no option \"no-imgsz\"", "argument --no-imgsz", "--imgsz",
                 "--no-imgsz");
    ASSERT_WRONG("vigil predict has no option \"no-sve-txt\"", "argument --no-sve-txt",
                 "--no-save-txt", "--no-sve-txt");
    /* Longer than any name: cut, not overrun. */
    assert_int_equal(PARSE("--"
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaa=1"),
                     CLI_PARSED_WRONG);
}

static void a_missing_value_is_not_the_next_option(void **state)
{
    (void)state;
    ASSERT_WRONG("--imgsz has no value", "option --imgsz", "--imgsz N", "--imgsz");
    ASSERT_WRONG("--name has no value", "option --name", "--name NAME", "--name", "--save");
    ASSERT_WRONG("--imgsz has no value", "option --imgsz", "--imgsz N", "imgsz=");
    ASSERT_GOOD("--name", "-");
    assert_string_equal(v.name, "-");
    ASSERT_GOOD("--name=--odd");
    assert_string_equal(v.name, "--odd");
    ASSERT_GOOD("--name", "--resume {checkpoint}"); /* no option's name has a blank */
    assert_string_equal(v.name, "--resume {checkpoint}");
    ASSERT_WRONG("--name has no value", "option --name", "--name NAME", "--name",
                 "--weights=my own.pt");
}

static void out_of_range_says_the_range(void **state)
{
    (void)state;
    ASSERT_WRONG("1.5 is outside 0..1", "option --conf", "a number from 0 to 1", "--conf", "1.5");
    ASSERT_WRONG("-5 is outside 32..4096", "option --imgsz", "a number from 32 to 4096", "--imgsz",
                 "-5");
    ASSERT_WRONG("9999999999 is outside 32..4096", "option --imgsz", "a number from 32 to 4096",
                 "imgsz=9999999999");
    ASSERT_WRONG("101 is outside 0..100", "option --classes", "a number from 0 to 100", "--classes",
                 "1", "101");
    ASSERT_WRONG("1,101 is outside 0..100", "option --classes", "a number from 0 to 100",
                 "--classes", "1,101");
    ASSERT_GOOD("--conf", "0", "--imgsz", "4096");
}

static void a_value_of_another_kind_is_refused(void **state)
{
    (void)state;
    ASSERT_WRONG("\"big\" is not a whole number", "option --imgsz", "a number from 32 to 4096",
                 "--imgsz", "big");
    ASSERT_WRONG("\"640.5\" is not a whole number", "option --imgsz", "a number from 32 to 4096",
                 "--imgsz", "640.5");
    ASSERT_WRONG("\"maybe\" is not True or False", "option --save", "--save, or --no-save",
                 "save=maybe");
    ASSERT_WRONG("\"lots\" is not a size such as 512M or 1.5G", "option --memory-limit",
                 "--memory-limit 512M", "memory_limit=lots");
    ASSERT_WRONG("--no-save takes no value", "argument --no-save=1", "--no-save, or save=False",
                 "--no-save=1");
}

static void a_word_without_a_name_is_refused_by_a_command_of_options(void **state)
{
    (void)state;
    ASSERT_WRONG("vigil predict has no use for \"a.jpg\"", "argument a.jpg", "leave it out",
                 "a.jpg"); /* the weights were given: it is not they */
    /* A path with a '=' in it is a path. */
    ASSERT_WRONG("vigil predict has no use for \"./a=b\"", "argument ./a=b", "leave it out",
                 "./a=b");
    char *alone[] = {"a.jpg"};
    assert_int_equal(cli_options_parse(&command, &v, 1, alone, NULL, &err), CLI_PARSED_WRONG);
    assert_string_equal(err.mend,
                        "name it: --weights a.jpg (vigil predict --help lists the options)");
}

static void yolos_task_and_mode_must_be_ours(void **state)
{
    (void)state;
    ASSERT_GOOD("task=detect", "mode=predict", "mode=detect");
    ASSERT_WRONG("vigil predict has no tasks", "argument segment", "leave it out", "task=segment");
    ASSERT_WRONG("mode \"train\" in vigil predict", "argument mode=train",
                 "vigil train ..., or leave mode= out", "mode=train");
}

static void help_ends_the_reading(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--help"), CLI_PARSED_HELP);
    assert_int_equal(PARSE("-h", "--zebra"), CLI_PARSED_HELP);
    assert_int_equal(PARSE("--", "-h"), CLI_PARSED_WRONG);
}

static void what_must_be_given_is_named(void **state)
{
    (void)state;
    char *words[] = {"--save"};
    assert_int_equal(cli_options_parse(&command, &v, 1, words, NULL, &err), CLI_PARSED_WRONG);
    assert_string_equal(err.what, "vigil predict needs --weights");
    assert_string_equal(err.mend, "vigil predict --weights FILE");
}

static void a_positional_option_takes_the_word(void **state)
{
    (void)state;
    static const vg_option positional[] = {{.name = "weights",
                                            .kind = VG_OPTION_STRING,
                                            .offset = offsetof(values, weights),
                                            .value = "FILE",
                                            .is_required = true,
                                            .is_positional = true}};
    static const cli_command info = {.name = "info",
                                     .usage = "FILE",
                                     .options = positional,
                                     .n_options = 1,
                                     .values_bytes = sizeof(values)};
    char *good[] = {"a.pt"}, *dashed[] = {"--", "-a.pt"}, *two[] = {"a.pt", "b.pt"};
    assert_int_equal(cli_options_parse(&info, &v, 1, good, NULL, &err), CLI_PARSED);
    assert_string_equal(v.weights, "a.pt");
    assert_int_equal(cli_options_parse(&info, &v, 2, dashed, NULL, &err), CLI_PARSED);
    assert_string_equal(v.weights, "-a.pt");
    assert_int_equal(cli_options_parse(&info, &v, 2, two, NULL, &err), CLI_PARSED_WRONG);
    assert_string_equal(err.what, "vigil info has no use for \"b.pt\"");
}

static void the_words_of_another_program_are_left_alone(void **state)
{
    (void)state;
    static const vg_option of_watch[] = {
        {.name = "name",
         .kind = VG_OPTION_STRING,
         .offset = offsetof(values, weights),
         .value = "NAME"},
        {.name = "command", .kind = VG_OPTION_WORDS, .offset = offsetof(values, name)}};
    static const cli_command watch = {.name = "watch",
                                      .help = "guards",
                                      .usage = "-- PROGRAM",
                                      .options = of_watch,
                                      .n_options = 2,
                                      .values_bytes = sizeof(values)};
    char *words[] = {"--name", "a", "--", "train.py", "--name", "b", "--odd", NULL};
    assert_int_equal(cli_options_parse(&watch, &v, 7, words, NULL, &err), CLI_PARSED);
    assert_string_equal(v.weights, "a");
    char *const *rest = (char *const *)(const void *)v.name;
    assert_ptr_equal(rest, words + 3);
    char *none[] = {"--name", "a", "--", NULL};
    assert_int_equal(cli_options_parse(&watch, &v, 3, none, NULL, &err), CLI_PARSED);
    assert_null(v.name);
    char *typed[] = {"--command", "ls", NULL};
    assert_int_equal(cli_options_parse(&watch, &v, 2, typed, NULL, &err), CLI_PARSED_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_is_the_defaults),
        cmocka_unit_test(three_spellings_are_one_option),
        cmocka_unit_test(a_flag_is_set_and_unset_in_all_its_ways),
        cmocka_unit_test(the_last_one_wins),
        cmocka_unit_test(an_optional_number_may_stand_alone),
        cmocka_unit_test(an_unknown_option_names_the_nearest),
        cmocka_unit_test(a_missing_value_is_not_the_next_option),
        cmocka_unit_test(out_of_range_says_the_range),
        cmocka_unit_test(a_value_of_another_kind_is_refused),
        cmocka_unit_test(a_word_without_a_name_is_refused_by_a_command_of_options),
        cmocka_unit_test(yolos_task_and_mode_must_be_ours),
        cmocka_unit_test(help_ends_the_reading),
        cmocka_unit_test(what_must_be_given_is_named),
        cmocka_unit_test(a_positional_option_takes_the_word),
        cmocka_unit_test(the_words_of_another_program_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
