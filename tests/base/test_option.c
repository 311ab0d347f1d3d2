/* An option's value from text and back, by its row; a table of them, by name and from YAML. */
#include "support/test.h"

#include "base/base.h"
#include "folder.h"

/* ---- one row ---- */

typedef union any {
    bool yes;
    int i;
    double x;
    float f;
    size_t bytes;
    base_size size;
    vg_ints ints;
    vg_classes classes;
    char text[VG_OPTION_TEXT_BYTES];
    const char *string;
} any;

static vg_option row(vg_option_kind kind, double least, double most, const char *choices)
{
    return (vg_option){.kind = kind, .least = least, .most = most, .choices = choices};
}

/* What the text is when it is written again; the fault's name when there is one. */
static const char *again(const vg_option *o, const char *text)
{
    static const char *const faults[] = {"good", "kind", "outside", "long", "choice"};
    static char buf[16384];
    static any before, v;
    memset(&before, 0x5a, sizeof before);
    v = before;
    const vg_option_fault fault = vg_option_read(o, &v, text);
    if (fault != VG_OPTION_GOOD) {
        assert_memory_equal(&v, &before, sizeof v); /* as it was */
        return faults[fault];
    }
    assert_true(vg_option_bytes(o) <= sizeof v);
    assert_true(vg_option_write(buf, sizeof buf, o, &v));
    return buf;
}

typedef struct sample {
    const char *text, *again;
} sample;

static void check(const vg_option *o, const sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(again(o, samples[i].text), samples[i].again) != 0)
            fail_msg("\"%s\" became \"%s\" instead of \"%s\"", samples[i].text,
                     again(o, samples[i].text), samples[i].again);
}

#define CHECK(kind, least, most, choices, ...)                                                     \
    do {                                                                                           \
        const vg_option o_ = row(kind, least, most, choices);                                      \
        const sample samples_[] = {__VA_ARGS__};                                                   \
        check(&o_, samples_, sizeof samples_ / sizeof *samples_);                                  \
    } while (0)

static void whole_numbers_are_whole_and_in_range(void **state)
{
    (void)state;
    CHECK(VG_OPTION_INT, -20, 100, NULL, {" -12 ", "-12"}, {"100", "100"}, {"101", "outside"},
          {"-21", "outside"}, {"9223372036854775807", "outside"}, {"9223372036854775808", "kind"},
          {"", "kind"}, {" ", "kind"}, {"-", "kind"}, {"1x", "kind"}, {"0x10", "kind"},
          {"1 2", "kind"}, {"1.5", "kind"}, {"1e3", "kind"});
}

static void numbers_are_decimal_finite_and_in_range(void **state)
{
    (void)state;
    for (vg_option_kind kind = VG_OPTION_REAL; kind <= VG_OPTION_FLOAT; kind++)
        CHECK(kind, -1, 1000, NULL, {"0.25", "0.25"}, {"-1e-3", "-0.001"}, {".5 ", "0.5"},
              {"1000", "1000"}, {"1000.5", "outside"}, {"-1.01", "outside"}, {"", "kind"},
              {".", "kind"}, {"-", "kind"}, {"inf", "kind"}, {"nan", "kind"}, {"-inf", "kind"},
              {"0x1", "kind"}, {"1e999", "kind"}, {"1,5", "kind"}, {"1.5.5", "kind"},
              {"1 2", "kind"}, {"1f", "kind"});
}

static void sizes_have_units_of_1024(void **state)
{
    (void)state;
    CHECK(VG_OPTION_BYTES, 0, 1e18, NULL, {"4096", "4096"}, {"512M", "536870912"},
          {"1.5G", "1610612736"}, {"2GiB", "2147483648"}, {" 2 gb ", "2147483648"}, {"10b", "10"},
          {"3T", "3298534883328"}, {".5k", "512"}, {"0", "0"}, {"", "kind"}, {"-1", "kind"},
          {"M", "kind"}, {"1.5", "kind"}, {"5x", "kind"}, {"5 M x", "kind"}, {"5i", "kind"},
          {"nan", "kind"}, {"5MiBs", "kind"}, {"1e30", "kind"}, {"9999999999T", "kind"},
          {"1000000T", "outside"});
    const vg_option none = {.kind = VG_OPTION_BYTES, .most = 1e18, .preset = ""};
    assert_string_equal(again(&none, ""), "");
    assert_string_equal(again(&none, "0"), "");
    assert_string_equal(again(&none, "1K"), "1024");
}

static void times_and_shares_have_units_of_their_own(void **state)
{
    (void)state;
    CHECK(VG_OPTION_SECONDS, 0.1, 86400, NULL, {"5", "5"}, {"5s", "5"}, {"1500ms", "1.5"},
          {"2m", "120"}, {"2min", "120"}, {"1h", "3600"}, {"1d", "86400"}, {"2d", "outside"},
          {"1ms", "outside"}, {"0", "outside"}, {"soon", "kind"}, {"s", "kind"},
          {"5 weeks", "kind"}, {"", "kind"});
    CHECK(VG_OPTION_RATIO, 0.01, 1, NULL, {"0.95", "0.95"}, {"95%", "0.95"}, {"100%", "1"},
          {"120%", "outside"}, {"0", "outside"}, {"%", "kind"}, {"lots", "kind"});
}

static void truth_has_eight_spellings(void **state)
{
    (void)state;
    CHECK(VG_OPTION_BOOL, 0, 0, NULL, {"true", "true"}, {"YES", "true"}, {"On", "true"},
          {"1", "true"}, {"False", "false"}, {"no", "false"}, {"off", "false"}, {"0", "false"},
          {"2", "kind"}, {"", "kind"}, {"tru", "kind"}, {"auto", "kind"});
    CHECK(VG_OPTION_SWITCH, 0, 0, "auto|true|false", {"True", "true"}, {"off", "false"},
          {"AUTO", "auto"}, {"maybe", "choice"}, {"", "choice"});
}

static void words_are_of_the_choices_in_any_case(void **state)
{
    (void)state;
    CHECK(VG_OPTION_CHOICE, 0, 0, "none|RAM|disk", {"none", "none"}, {"ram", "RAM"},
          {"Disk", "disk"}, {"dis", "choice"}, {"disks", "choice"}, {"", "choice"},
          {"none|RAM", "choice"});
    CHECK(VG_OPTION_TEXT, 0, 7, "tcp|UDP", {"tcp", "tcp"}, {"udp", "UDP"}, {"sctp", "choice"});
    CHECK(VG_OPTION_STRING, 0, 0, "auto|cpu", {"CPU", "CPU"}, {"gpu", "choice"});
    CHECK(VG_OPTION_BITS, 0, 0, "warn|notify|stop|restart", {"warn", "warn"}, {"", "warn"},
          {"notify,restart", "notify,restart"}, {"restart+Notify", "notify,restart"},
          {"warn, stop", "stop"}, {"stop,", "choice"}, {",stop", "choice"}, {"zap", "choice"},
          {"notify,zap", "choice"});
    const vg_option o = {
        .kind = VG_OPTION_CHOICE, .choices = "none|ram|disk", .also = "true=ram|false=none|=none"};
    assert_string_equal(again(&o, "True"), "ram");
    assert_string_equal(again(&o, "FALSE"), "none");
    assert_string_equal(again(&o, ""), "none");
    assert_string_equal(again(&o, "yes"), "choice");
}

static void lists_come_with_and_without_brackets(void **state)
{
    (void)state;
    CHECK(VG_OPTION_INTS, -8, 100, NULL, {"0,2,5", "0,2,5"}, {" [ 7 , -8 ] ", "7,-8"}, {"(3)", "3"},
          {"0 2 5", "0,2,5"}, {"", ""}, {"[]", ""}, {"1,101", "outside"}, {"3000000000", "outside"},
          {"[1", "kind"}, {"1]", "kind"}, {"(1]", "kind"}, {"1,", "kind"}, {",1", "kind"},
          {"1,,2", "kind"}, {"a", "kind"}, {"1,2]x", "kind"}, {"1.5", "kind"});
    CHECK(VG_OPTION_CLASSES, 0, 79, NULL, {"0,2,5", "0,2,5"}, {"0 2 5", "0,2,5"}, {"", ""},
          {"person", "person"}, {"['traffic light', 2, \"car\"]", "2,traffic light,car"},
          {" person , 7 ", "7,person"}, {"'7'", "7"}, {"80", "outside"}, {"person,80", "outside"},
          {"-1,car", "outside"}, {"car,", "kind"}, {",car", "kind"}, {"[car", "kind"},
          {"'1 2'", "kind"}, {"''", "kind"});
    CHECK(VG_OPTION_LAYERS, 0, 1000, NULL, {"3", "0,1,2"}, {"[3]", "[3]"}, {"0, 3", "0,3"},
          {"0", ""}, {"", ""}, {"-1", "outside"}, {"a", "kind"}, {"1,2000", "outside"});
}

static const char *class_name(const void *context, int class_index)
{
    return ((const char *const *)context)[class_index];
}

static void classes_are_chosen_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"person", "traffic light", "Car", "cup", "CUP"};
    uint8_t wanted[5] = {1};
    vg_error err;
    assert_int_equal(
        base_classes_choose(wanted, 5, "traffic light,car,cup", class_name, names, "here", &err),
        VG_OK);
    assert_memory_equal(wanted, ((uint8_t[]){1, 1, 1, 1, 0}), 5);
    assert_int_equal(base_classes_choose(wanted, 5, "", class_name, names, "here", &err), VG_OK);
    assert_int_equal(base_classes_choose(wanted, 5, "persn", class_name, names, "here", &err),
                     VG_ERR_ARGUMENT);
    assert_string_equal(err.what, "no class is named persn");
    assert_string_equal(err.mend, "person");
    /* Of two that differ in case alone neither is guessed. */
    assert_int_equal(base_classes_choose(wanted, 5, "Cup", class_name, names, "here", &err),
                     VG_ERR_ARGUMENT);
}

static void a_list_has_a_ceiling(void **state)
{
    (void)state;
    static char text[2 * (VG_OPTION_MOST_INTS + 1)];
    const vg_option o = row(VG_OPTION_INTS, 0, 9, NULL);
    for (size_t i = 0; i < VG_OPTION_MOST_INTS + 1; i++) {
        text[2 * i] = '7';
        text[2 * i + 1] = ',';
    }
    text[2 * VG_OPTION_MOST_INTS + 1] = '\0'; /* one too many */
    assert_string_equal(again(&o, text), "long");
    text[2 * VG_OPTION_MOST_INTS - 1] = '\0';
    assert_string_equal(again(&o, text), text);
}

static void a_size_is_a_square_or_height_and_width(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int h, w; /* 0: none */
        const char *again;
    } rows[] = {
        {"640", 640, 640, "640"},
        {" 640 ", 640, 640, "640"},
        {"[640]", 640, 640, "640"},
        {"480,640", 480, 640, "480,640"},
        {"[480, 640]", 480, 640, "480,640"},
        {" (480, 640) ", 480, 640, "480,640"},
        {"480x640", 480, 640, "480,640"},
        {"640,640", 640, 640, "640"},
        {"", 0, 0, NULL},
        {"480,", 0, 0, NULL},
        {",640", 0, 0, NULL},
        {"480 640", 0, 0, NULL},
        {"480,640,3", 0, 0, NULL},
        {"[480,640", 0, 0, NULL},
        {"480,640]", 0, 0, NULL},
        {"[480,640)", 0, 0, NULL},
        {"[480)640]", 0, 0, NULL},
        {"[480,640]x", 0, 0, NULL},
        {"[[480,640]]", 0, 0, NULL},
        {"480,31", 0, 0, NULL},
        {"8193,640", 0, 0, NULL},
        {"-480,640", 0, 0, NULL},
        {"480.5,640", 0, 0, NULL},
        {"0000000000000000000000000000000000000000480,640", 0, 0, NULL},
    };
    const vg_option o = {.kind = VG_OPTION_SIZE, .least = 32, .most = 8192};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        base_size size = {1, 2};
        char text[32];
        const bool is_size = vg_option_read(&o, &size, rows[i].text) == VG_OPTION_GOOD;
        if (is_size != (rows[i].h > 0) || size.h != (is_size ? rows[i].h : 1) ||
            size.w != (is_size ? rows[i].w : 2))
            fail_msg("\"%s\": %d,%d", rows[i].text, size.h, size.w);
        if (is_size) {
            assert_true(vg_option_write(text, sizeof text, &o, &size));
            assert_string_equal(text, rows[i].again);
        }
    }
    /* The preset may be given though it is outside. */
    const vg_option none = {.kind = VG_OPTION_SIZE, .least = 32, .most = 8192, .preset = "0"};
    base_size size = {1, 2};
    assert_int_equal(vg_option_read(&none, &size, "0"), VG_OPTION_GOOD);
    assert_true(size.h == 0 && size.w == 0);
    assert_int_equal(vg_option_read(&o, &size, "0"), VG_OPTION_OUTSIDE);
    assert_int_equal(vg_option_read(&o, &size, "480x9999999999"), VG_OPTION_OUTSIDE);
    assert_int_equal(base_size_square((base_size){480, 640}).h, 640);
    assert_int_equal(base_size_square((base_size){480, 640}).w, 640);
    assert_int_equal(base_size_square((base_size){640, 480}).w, 640);
}

static void a_text_fits_or_is_refused(void **state)
{
    (void)state;
    CHECK(VG_OPTION_TEXT, 0, 3, NULL, {"abc", "abc"}, {"", ""}, {"abcd", "long"});
    char text[VG_OPTION_TEXT_BYTES + 1];
    memset(text, 'a', sizeof text);
    text[VG_OPTION_TEXT_BYTES] = '\0';
    const vg_option o = row(VG_OPTION_FILE, 0, 0, NULL), s = row(VG_OPTION_STRING, 0, 0, NULL);
    assert_string_equal(again(&o, text), "long");
    text[VG_OPTION_TEXT_BYTES - 1] = '\0';
    assert_string_equal(again(&o, text), text);
    const char *borrowed = NULL;
    assert_int_equal(vg_option_read(&s, &borrowed, text), VG_OPTION_GOOD);
    assert_ptr_equal(borrowed, text);
}

static void what_is_cut_is_told(void **state)
{
    (void)state;
    char buf[8];
    vg_ints ints = {.n = 9, .at = {1, 2, 3, 4, 5, 6, 7, 8, 9}};
    const vg_option o = row(VG_OPTION_INTS, 0, 9, NULL);
    assert_false(vg_option_write(buf, sizeof buf, &o, &ints));
    assert_string_equal(buf, "1,2,3,4");
    int bits = 7;
    const vg_option b = row(VG_OPTION_BITS, 0, 0, "warn|notify|stop|restart");
    assert_false(vg_option_write(buf, sizeof buf, &b, &bits));
}

static void a_value_has_a_name_in_help(void **state)
{
    (void)state;
    vg_option o = row(VG_OPTION_SECONDS, 0, 1, NULL);
    assert_string_equal(vg_option_value(&o), "TIME");
    o.value = "AGE";
    assert_string_equal(vg_option_value(&o), "AGE");
    o = row(VG_OPTION_CHOICE, 0, 0, "a|b");
    assert_string_equal(vg_option_value(&o), "a|b");
    o = row(VG_OPTION_SWITCH, 0, 0, "auto|true|false");
    assert_null(vg_option_value(&o));
    o = row(VG_OPTION_BITS, 0, 0, "a|b");
    assert_string_equal(vg_option_value(&o), "WORDS");
}

/* ---- a table ---- */

typedef struct job {
    int epochs;
    double conf;
    size_t limit;
    vg_ints classes;
    bool save, half, labels;
    char name[16], token[VG_OPTION_TEXT_BYTES];
} job;

#define AT(field) offsetof(job, field)

static const vg_option rows[] = {
    {.name = "epochs",
     .kind = VG_OPTION_INT,
     .offset = AT(epochs),
     .least = 1,
     .most = 9999,
     .preset = "100"},
    {.name = "conf",
     .alias = "conf_thres",
     .kind = VG_OPTION_REAL,
     .offset = AT(conf),
     .most = 1,
     .preset = "0.25"},
    {.name = "limit", .kind = VG_OPTION_BYTES, .offset = AT(limit), .most = 1e18, .preset = ""},
    {.name = "classes", .kind = VG_OPTION_INTS, .offset = AT(classes), .most = 79, .preset = ""},
    {.name = "save", .kind = VG_OPTION_BOOL, .offset = AT(save), .preset = "true"},
    {.name = "name", .kind = VG_OPTION_TEXT, .offset = AT(name), .most = 15, .preset = "exp"},
    {.name = "token", .kind = VG_OPTION_TEXT, .offset = AT(token), .preset = ""},
    {.name = "half",
     .kind = VG_OPTION_BOOL,
     .offset = AT(half),
     .preset = "false",
     .stands = VG_OPTION_IDLE,
     .why = "it is float32"},
    {.name = "labels",
     .kind = VG_OPTION_BOOL,
     .offset = AT(labels),
     .preset = "true",
     .stands = VG_OPTION_REFUSED,
     .why = "it has another name",
     .instead = "hide_labels: true"},
};
static const base_options table = {.rows = rows,
                                   .n = sizeof rows / sizeof *rows,
                                   .noun = "option of the job",
                                   .mend = "leave it out",
                                   .where = "option ",
                                   .expands = true,
                                   .is_utf8 = true,
                                   .has_none = true,
                                   .and_key = "sources"};
static job j;
static vg_error err;

static int set_up(void **state)
{
    (void)state;
    memset(&j, 0, sizeof j);
    base_options_default(&table, &j);
    setenv("VIGIL_TEST_SECRET", "hunter2", 1);
    unsetenv("VIGIL_TEST_NOTHING");
    return 0;
}

static void accept(const char *name, const char *text)
{
    if (base_options_set(&table, &j, name, text, &err) != VG_OK)
        fail_msg("%s=%s: %s", name, text, err.what);
}

static void refuse(const char *name, const char *text, const char *what, const char *where,
                   const char *mend)
{
    const job before = j;
    assert_int_equal(base_options_set(&table, &j, name, text, &err), VG_ERR_ARGUMENT);
    assert_memory_equal(&j, &before, sizeof j);
    assert_string_equal(err.what, what);
    assert_string_equal(err.where, where);
    assert_string_equal(err.mend, mend);
}

static void presets_go_through_the_door_of_values(void **state)
{
    (void)state;
    assert_int_equal(j.epochs, 100);
    assert_true(j.conf > 0.249 && j.conf < 0.251 && j.save);
    assert_string_equal(j.name, "exp");
    assert_true(j.limit == 0 && j.classes.n == 0);
}

static void a_name_is_known_in_all_its_spellings(void **state)
{
    (void)state;
    accept("conf-thres", "0.5");
    assert_true(j.conf > 0.49);
    assert_ptr_equal(base_options_find(&table, "conf_thres"), &rows[1]);
    assert_null(base_options_find(&table, "Conf"));
    refuse("epoch", "1", "no option of the job is named epoch", "", "epochs");
    refuse("time", "1", "no option of the job is named time", "", "leave it out");
    refuse("sourcs", "1", "no option of the job is named sourcs", "", "sources");
}

static void a_wrong_value_is_told_with_what_is_wanted(void **state)
{
    (void)state;
    refuse("epochs", "0", "epochs=0 is not a whole number from 1 to 9999", "option epochs",
           "give a whole number from 1 to 9999, such as 100");
    refuse("conf", "x", "conf=x is not a number from 0 to 1", "option conf",
           "give a number from 0 to 1, such as 0.25");
    refuse("save", "maybe", "save=maybe is not true or false", "option save", "give true or false");
    refuse("limit", "lots", "limit=lots is not a size such as 512M, 400MB or 1.5G", "option limit",
           "give a size such as 512M, 400MB or 1.5G");
    refuse("classes", "80", "classes=80 is not a list of at most 1024 whole numbers from 0 to 79",
           "option classes",
           "give a list of at most 1024 whole numbers from 0 to 79, such as 0,2,5");
    refuse("name", "a name that is long", "a text of 19 bytes for name", "option name",
           "use a shorter one, of at most 15 bytes");
    refuse("name", "\xff", "a text for name that is not UTF-8", "option name",
           "use a name in UTF-8");
}

static void what_would_be_missed_is_refused_with_what_to_do_instead(void **state)
{
    (void)state;
    accept("half", "true"); /* without effect, which whoever hands it on says */
    accept("labels", "True");
    accept("labels", "1");
    refuse("labels", "no", "no labels=no: it has another name", "option labels",
           "hide_labels: true");
}

static void none_empties_what_can_be_empty(void **state)
{
    (void)state;
    accept("limit", "1M");
    accept("limit", "None");
    accept("classes", "1,2");
    accept("classes", "null");
    accept("name", "NONE");
    assert_true(j.limit == 0 && j.classes.n == 0 && j.name[0] == '\0');
    refuse("epochs", "none", "epochs=none is not a whole number from 1 to 9999", "option epochs",
           "give a whole number from 1 to 9999, such as 100");
}

static void the_environment_stands_in_texts_and_in_no_error(void **state)
{
    (void)state;
    accept("token", "a${VIGIL_TEST_SECRET}b$${c}");
    assert_string_equal(j.token, "ahunter2b${c}");
    refuse("token", "${VIGIL_TEST_NOTHING}", "the environment has no VIGIL_TEST_NOTHING",
           "option token: ${VIGIL_TEST_NOTHING}", "export it, or write $${ for a real ${");
    setenv("VIGIL_TEST_SECRET", "a secret that is too long", 1);
    refuse("name", "${VIGIL_TEST_SECRET}", "a text of 25 bytes for name", "option name",
           "use a shorter one, of at most 15 bytes");
}

static vg_status read_tree(const char *text, bool is_json)
{
    base_mem mem = {.tag = "test"};
    base_tree *tree = NULL;
    vg_status st = is_json ? base_tree_from_json(&tree, text, strlen(text), "a", &mem, &err)
                           : base_tree_from_yaml(&tree, text, strlen(text), "a", &mem, &err);
    assert_int_equal(st, VG_OK);
    for (const base_node *c = base_tree_root(tree)->first; c != NULL && st == VG_OK; c = c->next)
        st = base_options_set_node(&table, &j, c, "a.yaml", &err);
    base_tree_destroy(&tree);
    return st;
}

static void a_file_says_what_a_command_line_can(void **state)
{
    (void)state;
    assert_int_equal(read_tree("epochs: 3\nconf-thres: 5e-1\nclasses: [0, 7]\nsave: no\nname: ~\n"
                               "limit: 2K\ntoken: '7'\n",
                               false),
                     VG_OK);
    assert_true(j.epochs == 3 && j.conf > 0.49 && !j.save && j.limit == 2048);
    assert_true(j.classes.n == 2 && j.classes.at[1] == 7);
    assert_true(j.name[0] == '\0' && strcmp(j.token, "7") == 0);
    assert_int_equal(read_tree("{\"epochs\": 4, \"conf\": 0.75, \"save\": true, \"name\": \"x\","
                               " \"limit\": null, \"classes\": [5]}",
                               true),
                     VG_OK);
    assert_true(j.epochs == 4 && j.conf > 0.74 && j.save && j.limit == 0);
    assert_true(j.classes.n == 1 && j.classes.at[0] == 5 && strcmp(j.name, "x") == 0);
}

static void what_is_wrong_in_a_file_has_its_line(void **state)
{
    (void)state;
    assert_int_equal(read_tree("\nepochs: 0\n", false), VG_ERR_ARGUMENT);
    assert_string_equal(err.where, "a.yaml:2: option epochs");
    assert_int_equal(read_tree("epoch: 1\n", false), VG_ERR_ARGUMENT);
    assert_string_equal(err.where, "a.yaml:1");
    assert_int_equal(read_tree("epochs: {a: 1}\n", false), VG_ERR_FORMAT);
    assert_string_equal(err.what, "a value of epochs that is neither");
    assert_int_equal(read_tree("classes: [[1]]\n", false), VG_ERR_FORMAT);
}

static void a_secret_is_the_first_line_of_its_file(void **state)
{
    (void)state;
    char folder[256], path[300], value[512];
    assert_int_equal(folder_make(folder, sizeof folder), 0);
    snprintf(path, sizeof path, "%s/secret", folder);
    snprintf(value, sizeof value, "${file:%s}", path);
    assert_int_equal(base_file_replace(path, "s3cret\r\nmore\n", 13, NULL), VG_OK);
    accept("token", value);
    assert_string_equal(j.token, "s3cret");
    assert_int_equal(folder_remove(folder), 0);
    assert_int_equal(base_options_set(&table, &j, "token", value, &err), VG_ERR_IO);
    assert_string_equal(j.token, "s3cret");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_chosen_by_name),
        cmocka_unit_test(whole_numbers_are_whole_and_in_range),
        cmocka_unit_test(numbers_are_decimal_finite_and_in_range),
        cmocka_unit_test(sizes_have_units_of_1024),
        cmocka_unit_test(times_and_shares_have_units_of_their_own),
        cmocka_unit_test(truth_has_eight_spellings),
        cmocka_unit_test(words_are_of_the_choices_in_any_case),
        cmocka_unit_test(lists_come_with_and_without_brackets),
        cmocka_unit_test(a_list_has_a_ceiling),
        cmocka_unit_test(a_size_is_a_square_or_height_and_width),
        cmocka_unit_test(a_text_fits_or_is_refused),
        cmocka_unit_test(what_is_cut_is_told),
        cmocka_unit_test(a_value_has_a_name_in_help),
#define TEST(f) cmocka_unit_test_setup(f, set_up)
        TEST(presets_go_through_the_door_of_values),
        TEST(a_name_is_known_in_all_its_spellings),
        TEST(a_wrong_value_is_told_with_what_is_wanted),
        TEST(what_would_be_missed_is_refused_with_what_to_do_instead),
        TEST(none_empties_what_can_be_empty),
        TEST(the_environment_stands_in_texts_and_in_no_error),
        TEST(a_file_says_what_a_command_line_can),
        TEST(what_is_wrong_in_a_file_has_its_line),
        TEST(a_secret_is_the_first_line_of_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
