/* test_resume.c: the words of a restart. */
#include "support/ok.h"
#include "support/test.h"

#include "watch/guard/resume.h"

static base_mem mem = {.tag = "test"};

/* Both as words with bars between. */
static void expect(const char *command, const char *args, const char *checkpoint, const char *want)
{
    char text[512], got[1024] = "", why[512], *argv[32];
    size_t n = 0;
    watch_resume r;
    snprintf(text, sizeof text, "%s", command);
    for (char *at = text; at != NULL && n < 31;) {
        argv[n++] = at;
        at = strchr(at, '|');
        if (at != NULL)
            *at++ = '\0';
    }
    argv[n] = NULL;
    const watch_resume_options o = {
        .argv = argv, .args = args, .checkpoint = checkpoint, .run = ""};
    OK(watch_resume_make(&r, &o, why, sizeof why, &mem, err));
    for (size_t i = 0; r.argv[i] != NULL; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i > 0 ? "|" : "", r.argv[i]);
    assert_string_equal(got, want);
    assert_true(why[0] != '\0');
    watch_resume_fini(&r);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void given_words_are_appended_as_a_shell_splits_them(void **state)
{
    (void)state;
    expect("python3|t.py", "--resume {checkpoint}", "/a b/last.pt",
           "python3|t.py|--resume|/a b/last.pt");
    expect("x", "--dir={run} '{checkpoint} twice' \"a \\\" b\" c\\ d ''", "/r/weights/e.pt",
           "x|--dir=/r|/r/weights/e.pt twice|a \" b|c d|");
    expect("x", "  --plain  ", "", "x|--plain");
    expect("x", "{checkpoint}{checkpoint}", "/{run}", "x|/{run}/{run}");
}

static void without_a_checkpoint_it_begins_anew(void **state)
{
    (void)state;
    expect("python3|t.py", "--resume {checkpoint}", "", "python3|t.py");
    expect("vigil|train|--data|d.yaml", "", "", "vigil|train|--data|d.yaml");
}

static void a_vigil_run_keeps_its_own_arguments(void **state)
{
    (void)state;
    expect("/usr/bin/vigil|train|--data|d.yaml|--epochs|5", "",
           "/w/runs/train/exp2/weights/last.safetensors",
           "/usr/bin/vigil|train|--resume|/w/runs/train/exp2");
    expect("vigil|train|--resume|r", "", "/r/weights/last.safetensors", "vigil|train|--resume|r");
}

static void ultralytics_runs_are_resumed_by_their_model(void **state)
{
    (void)state;
    expect("yolo|detect|train|model=yolo11n.pt|data=d.yaml", "", "/r/weights/last.pt",
           "yolo|detect|train|data=d.yaml|model=/r/weights/last.pt|resume=True");
    expect("python3|-m|ultralytics|train|resume=False", "", "/l.pt",
           "python3|-m|ultralytics|train|model=/l.pt|resume=True");
    expect("yolo|predict|model=a.pt", "", "/l.pt", "yolo|predict|model=a.pt");
}

static void a_script_with_resume_gets_the_checkpoint_there(void **state)
{
    (void)state;
    expect("python3|t.py|--resume|old.pt|-v", "", "/new.pt", "python3|t.py|--resume|/new.pt|-v");
    expect("python3|t.py|--resume=old.pt", "", "/new.pt", "python3|t.py|--resume=/new.pt");
    expect("python3|t.py|--resume|-v", "", "/new.pt", "python3|t.py|--resume|-v");
    expect("t|--resume_from_checkpoint|a", "", "/b", "t|--resume_from_checkpoint|/b");
    expect("t|--resumed|a", "", "/b", "t|--resumed|a");
}

static void words_that_cannot_be_read_are_refused_before_anything_starts(void **state)
{
    vg_error err;
    (void)state;
    assert_int_equal(watch_resume_check("--resume 'x", &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "quote"));
    assert_int_equal(watch_resume_check("--resume \"{checkpoint}\"", &err), VG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_words_are_appended_as_a_shell_splits_them),
        cmocka_unit_test(without_a_checkpoint_it_begins_anew),
        cmocka_unit_test(a_vigil_run_keeps_its_own_arguments),
        cmocka_unit_test(ultralytics_runs_are_resumed_by_their_model),
        cmocka_unit_test(a_script_with_resume_gets_the_checkpoint_there),
        cmocka_unit_test(words_that_cannot_be_read_are_refused_before_anything_starts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
