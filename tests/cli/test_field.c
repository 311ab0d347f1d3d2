/* Words of YOLO's own command line: what asks for nothing passes, what does nothing is said once,
 * what would be missed is refused with what to do instead. */
#include "support/test.h"

#include "cli/cli.h"
#include "cli/field.h"

typedef struct values {
    const char *weights, *name;
    int imgsz;
    float conf;
    bool save, plots;
    vg_ints classes;
    vg_size input;
    int shift;
} values;

static void defaults(void *room)
{
    values *v = room;
    v->imgsz = 640;
    v->conf = 0.25f;
    v->save = true;
    v->name = "exp";
    v->shift = 2;
}

#define AT(field) offsetof(values, field)

static const vg_option options[] = {
    {.name = "weights",
     .alias = "model",
     .kind = VG_OPTION_STRING,
     .offset = AT(weights),
     .value = "FILE",
     .is_required = true},
    {.name = "imgsz",
     .kind = VG_OPTION_INT,
     .offset = AT(imgsz),
     .value = "N",
     .least = 32,
     .most = 4096,
     .single = "the longer side"},
    {.name = "input",
     .kind = VG_OPTION_SIZE,
     .offset = AT(input),
     .value = "N",
     .least = 32,
     .most = 4096},
    {.name = "conf",
     .kind = VG_OPTION_FLOAT,
     .offset = AT(conf),
     .value = "P",
     .least = 0,
     .most = 1},
    {.name = "save", .kind = VG_OPTION_BOOL, .offset = AT(save)},
    {.name = "plots",
     .kind = VG_OPTION_BOOL,
     .offset = AT(plots),
     .stands = VG_OPTION_IDLE,
     .why = "there are none"},
    {.name = "classes", .kind = VG_OPTION_INTS, .offset = AT(classes), .value = "LIST", .most = 9},
    {.name = "name", .kind = VG_OPTION_STRING, .offset = AT(name), .value = "NAME"},
    {.name = "source", .kind = VG_OPTION_STRING, .offset = AT(name), .value = "SOURCE"},
    {.name = "shift", .kind = VG_OPTION_CHOICE, .offset = AT(shift), .choices = "none|little|much"},
    {.name = "token", .kind = VG_OPTION_STRING, .offset = AT(name), .value = "TEXT"},
};

static const vg_option training_options[] = {
    {.name = "epochs",
     .kind = VG_OPTION_INT,
     .offset = AT(imgsz),
     .value = "N",
     .least = 1,
     .most = 9999},
    {.name = "cos_lr", .kind = VG_OPTION_BOOL, .offset = AT(plots)}};

static const cli_command training = {.name = "train",
                                     .options = training_options,
                                     .n_options = 2,
                                     .values_bytes = sizeof(values),
                                     .speaks = CLI_AT_TRAIN,
                                     .defaults = defaults};

static const cli_command *const all[] = {&training, NULL};

static const cli_command command = {.name = "predict",
                                    .usage = "--weights FILE",
                                    .options = options,
                                    .n_options = sizeof options / sizeof *options,
                                    .values_bytes = sizeof(values),
                                    .speaks = CLI_AT_PREDICT,
                                    .siblings = all,
                                    .defaults = defaults};

static values v;
static vg_error err;
static cli_notes notes;

static cli_parsed parse_words(int n, const char *const *words)
{
    char *line[32] = {"--weights", "w"};
    for (int i = 0; i < n; i++)
        line[2 + i] = (char *)(uintptr_t)words[i];
    memset(&err, 0, sizeof err);
    memset(&notes, 0, sizeof notes);
    return cli_options_parse(&command, &v, n + 2, line, &notes, &err);
}

#define PARSE(...)                                                                                 \
    parse_words((int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)),          \
                (const char *const[]){__VA_ARGS__})
#define ASSERT_PASSES(...)                                                                         \
    do {                                                                                           \
        if (PARSE(__VA_ARGS__) != CLI_PARSED)                                                      \
            fail_msg("%s", err.what);                                                              \
        assert_int_equal(notes.n, 0);                                                              \
    } while (0)

static void what_asks_for_nothing_passes(void **state)
{
    (void)state;
    ASSERT_PASSES("int8=False", "augment=False", "visualize=false", "retina_masks=0", "--no-int8");
    ASSERT_PASSES("nms=None", "embed=", "compile=null", "--embed", "None");
    ASSERT_PASSES("vid_stride=1", "overlap_mask=True", "simplify=1", "pretrained=yes");
    ASSERT_PASSES("mask_ratio=4", "dropout=0.0", "workers=8", "rect=True");
    /* Training's, at what they are without being given. */
    ASSERT_PASSES("epochs=640", "cos_lr=False", "epochs=None", "cutmix=0.0");
}

static void none_is_as_if_it_had_not_been_given(void **state)
{
    (void)state;
    ASSERT_PASSES("imgsz=96", "imgsz=None", "conf=null", "save=None", "name=", "classes=1,2",
                  "classes=None");
    assert_int_equal(v.imgsz, 640);
    assert_true(v.conf == 0.25f && v.save);
    assert_string_equal(v.name, "exp");
    assert_int_equal(v.classes.n, 0);
    assert_int_equal(PARSE("weights="), CLI_PARSED_WRONG);
    assert_string_equal(err.what, "vigil predict needs --weights");
    /* An empty token would open a page that was meant to be closed. */
    assert_int_equal(PARSE("token="), CLI_PARSED_WRONG);
    assert_string_equal(err.what, "--token has no value");
    ASSERT_PASSES("token=None");
}

/* auto_augment=None asks for pictures as they are, where randaugment is the default. */
static void none_that_is_a_choice_is_taken(void **state)
{
    static const char *const spellings[] = {"shift=none", "shift=None", "shift=null"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        ASSERT_PASSES(spellings[i]);
        assert_int_equal(v.shift, 0);
    }
    ASSERT_PASSES("shift=little", "shift=");
    assert_int_equal(v.shift, 2);
}

static void what_does_nothing_is_said_once(void **state)
{
    (void)state;
    assert_int_equal(PARSE("int8=True", "--int8", "amp=True", "int8=1"), CLI_PARSED);
    assert_int_equal(notes.n, 2);
    assert_string_equal(notes.at[0].name, "int8");
    assert_string_equal(notes.at[0].text, "1");
    assert_string_equal(notes.at[0].why, "a CPU computes in float32");
    ASSERT_PASSES("int8=True", "int8=False"); /* the last one counts */
    assert_int_equal(PARSE("--plots", "workers", "--workers", "2"), CLI_PARSED_WRONG);
    assert_int_equal(PARSE("--plots", "--workers", "2"), CLI_PARSED);
    assert_int_equal(notes.n, 2);
    assert_string_equal(notes.at[0].why, "there are none"); /* of the command's own row */
    ASSERT_PASSES("plots=False");
}

static void what_would_be_missed_is_refused_with_what_to_do_instead(void **state)
{
    (void)state;
    static const char *const wrong[] = {"visualize=True",  "--visualize",   "nms=True",
                                        "embed=[1]",       "--img=640",     "save_frames=True",
                                        "single_cls=True", "--save-hybrid", "--view-img"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (PARSE(wrong[i]) != CLI_PARSED_WRONG)
            fail_msg("%s was taken", wrong[i]);
        if (strstr(err.what, "vigil predict has no ") == NULL || err.where[0] == '\0' ||
            err.mend[0] == '\0')
            fail_msg("%s: %s, %s, %s", wrong[i], err.what, err.where, err.mend);
    }
    assert_int_equal(PARSE("view_img=True"), CLI_PARSED_WRONG);
    assert_string_equal(err.mend, "--show");
}

static void an_option_of_another_command_is_told_as_such(void **state)
{
    (void)state;
    assert_int_equal(PARSE("epochs=3"), CLI_PARSED_WRONG);
    assert_string_equal(err.mend, "leave it out: it belongs to vigil train");
    assert_int_equal(PARSE("cos_lr=True"), CLI_PARSED_WRONG);
    assert_string_equal(err.mend, "leave it out: it belongs to vigil train");
}

static void only_what_is_near_is_a_hint(void **state)
{
    (void)state;
    static const char *const far[] = {"box=3", "foo=1", "show_cnof=1", "nam=1", "conv2d=1"};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        assert_int_equal(PARSE(far[i]), CLI_PARSED_WRONG);
        assert_string_equal(err.mend, "vigil predict --help, which lists the options");
    }
    assert_int_equal(PARSE("clases=1"), CLI_PARSED_WRONG);
    assert_string_equal(err.mend, "--classes");
}

static void one_number_is_no_list_of_two(void **state)
{
    (void)state;
    ASSERT_PASSES("imgsz=320,320");
    assert_int_equal(v.imgsz, 320);
    static const char *const wrong[] = {"imgsz=480,640", "imgsz=[480, 640]", "imgsz=(640,480)",
                                        "imgsz=[640]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(PARSE(wrong[i]), CLI_PARSED_WRONG);
        assert_string_equal(err.mend, "--imgsz 640: the longer side");
    }
}

static void a_flag_may_stand_as_a_word_of_its_own(void **state)
{
    (void)state;
    ASSERT_PASSES("save");
    assert_true(v.save);
    ASSERT_PASSES("conf=0.5", "save", "classes=1");
    assert_true(v.save);
    assert_int_equal(PARSE("int8"), CLI_PARSED); /* one that does nothing here */
    assert_int_equal(notes.n, 1);
}

static void a_word_too_many_is_told_what_it_may_have_been(void **state)
{
    (void)state;
    assert_int_equal(PARSE("conf", "0.5"), CLI_PARSED_WRONG);
    assert_string_equal(err.mend, "--conf VALUE, or conf=VALUE without blanks");
    /* The shell has opened a pattern. */
    assert_int_equal(PARSE("--source", "a.jpg", "b.jpg"), CLI_PARSED_WRONG);
    assert_non_null(strstr(err.mend, "a pattern in quotes"));
    assert_int_equal(PARSE("b.jpg"), CLI_PARSED_WRONG); /* nothing that must be given is missing */
    assert_string_equal(err.mend, "leave it out");
}

static void a_size_is_a_square_or_height_and_width(void **state)
{
    (void)state;
    static const struct {
        const char *words[3];
        int h, w;
    } good[] = {
        {{"input=640"}, 640, 640},          {{"--input", "640"}, 640, 640},
        {{"input=480,640"}, 480, 640},      {{"input=[480, 640]"}, 480, 640},
        {{"input=(480,640)"}, 480, 640},    {{"input=480x640"}, 480, 640},
        {{"--input", "480,640"}, 480, 640}, {{"--input", "480", "640"}, 480, 640},
        {{"input=[640]"}, 640, 640},        {{"input=480,640", "input=None"}, 0, 0},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *const *w = good[i].words;
        if (w[1] == NULL)
            ASSERT_PASSES(w[0]);
        else if (w[2] == NULL)
            ASSERT_PASSES(w[0], w[1]);
        else
            ASSERT_PASSES(w[0], w[1], w[2]);
        assert_int_equal(v.input.h, good[i].h);
        assert_int_equal(v.input.w, good[i].w);
    }
    static const char *const wrong[][2] = {
        {"input=480,640,3", "\"480,640,3\" is not one or two whole numbers"},
        {"input=big", "\"big\" is not one or two whole numbers"},
        {"input=480,", "\"480,\" is not one or two whole numbers"},
        {"input=x640", "\"x640\" is not one or two whole numbers"},
        {"input=31", "31 is outside 32..4096"},
        {"input=480,31", "480,31 is outside 32..4096"},
        {"input=4097x480", "4097x480 is outside 32..4096"},
        {"input=9999999999", "9999999999 is outside 32..4096"},
        {"input=480x9999999999", "480x9999999999 is outside 32..4096"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(PARSE(wrong[i][0]), CLI_PARSED_WRONG);
        assert_string_equal(err.what, wrong[i][1]);
    }
}

static void a_command_without_tasks_takes_the_word_detect_alone(void **state)
{
    (void)state;
    ASSERT_PASSES("detect", "task=detect");
    assert_int_equal(PARSE("segment"), CLI_PARSED_WRONG);
    assert_non_null(strstr(err.what, "has no tasks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_asks_for_nothing_passes),
        cmocka_unit_test(none_is_as_if_it_had_not_been_given),
        cmocka_unit_test(none_that_is_a_choice_is_taken),
        cmocka_unit_test(what_does_nothing_is_said_once),
        cmocka_unit_test(what_would_be_missed_is_refused_with_what_to_do_instead),
        cmocka_unit_test(an_option_of_another_command_is_told_as_such),
        cmocka_unit_test(only_what_is_near_is_a_hint),
        cmocka_unit_test(one_number_is_no_list_of_two),
        cmocka_unit_test(a_flag_may_stand_as_a_word_of_its_own),
        cmocka_unit_test(a_word_too_many_is_told_what_it_may_have_been),
        cmocka_unit_test(a_size_is_a_square_or_height_and_width),
        cmocka_unit_test(a_command_without_tasks_takes_the_word_detect_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
