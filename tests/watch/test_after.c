/* test_after.c: what is said of a job that has died: the truth, in every form, also when it is
 * little. */
#include "support/test.h"

#include <string.h>

#include "job.h"
#include "watch/tell/report.h"

typedef struct bench {
    base_mem mem;
    vg_error err;
    made_job job;
    watch_after after;
    watch_story story;
    base_str text;
} bench;

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test"}};
    made_job_init(&b.job, &b.mem);
    watch_story_init(&b.story);
    watch_after_init(&b.after);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    base_str_fini(&b->text);
    made_job_fini(&b->job);
    return b->mem.in_use_bytes == 0 ? 0 : -1;
}

static void run_job(bench *b, double to_s, double leak_per_s)
{
    watch_event e;
    for (double t = 0; t < to_s; t += 10) {
        made_job_step(&b->job, t, leak_per_s);
        watch_story_add(&b->story, &b->job.moment);
        watch_after_sample(&b->after, &b->job.sample);
        for (size_t i = 0; i < JOB_PROCESSES; i++)
            watch_after_process(&b->after, &b->job.processes[i], b->job.processes[i].rss_bytes,
                                b->job.processes[i].rss_bytes);
        while (watch_judge_next(b->job.judge, &e)) {
            watch_story_event(&b->story, &e);
            watch_after_event(&b->after, &e);
        }
    }
}

static const char *text_of(const bench *b, const char *how, const char *kernel, bool was_killed)
{
    static char text[WATCH_AFTER_BYTES];
    const watch_end end = {
        .how = how, .kernel = kernel, .was_killed = was_killed, .now_s = b->after.last_s + 5};
    return watch_after_text(text, &b->after, &end, watch_after_judge, b->job.judge);
}

static void expect(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("no \"%s\" in: %s", what, text);
}

static void a_leak_that_was_called_is_named_with_process_rate_limit_and_time(void **state)
{
    bench *b = *state;
    run_job(b, 3 * 3600, 6.3e5);
    const char *text =
        text_of(b, "it ended by signal 9 (Killed)", "its log names the process", true);
    expect(text, "after the end: it ended by signal 9 (Killed). The kernel ended it, or a process");
    expect(text, "main.anon_bytes grew from ");
    expect(text, "MB/min) in process 1000 (python3), towards its limit of 7.5 GB");
    expect(text, "; it was first suspected after ");
    expect(text, "It was called critical.");
    expect(text, "Cause: ");
    expect(text, "To do: ");
    assert_null(strchr(text, '\n'));
}

static void what_nobody_called_is_said_with_what_was_read(void **state)
{
    bench *b = *state;
    run_job(b, 60, 8e7); /* 4 GB of 8 within a minute */
    const char *text = text_of(b, "it ended by signal 9 (Killed)", "", true);
    expect(text, "nothing says that the kernel did it");
    expect(text, "Nothing had been called in 6 samples. main.anon_bytes grew from ");
    expect(text, "in process 1000 (python3)");
    expect(text, "it was first seen above half of that ");
}

static void one_that_dies_at_once_is_not_explained(void **state)
{
    bench *b = *state;
    run_job(b, 5, 0);
    const char *text = text_of(b, "it ended with status 1", "", false);
    expect(text, "It died before a rise can be seen (1 sample): what grew is not known.");
    assert_false(watch_after_is_suspicious(&b->after, watch_after_judge, b->job.judge));
}

static void all_forms_of_a_report_say_the_same(void **state)
{
    bench *b = *state;
    run_job(b, 3600, 0);
    watch_story_note(&b->story, 3600, "after the end: it ended with status 7 <&>");
    watch_story_note(&b->story, 3601, "job started again: process 77");
    assert_int_equal(watch_report_text(&b->text, &b->story, &b->mem, &b->err), VG_OK);
    expect(b->text.text, "\n\nafter the end: it ended with status 7 <&>\n\n");
    base_str_fini(&b->text);
    assert_int_equal(watch_report_json(&b->text, &b->story, &b->mem, &b->err), VG_OK);
    expect(b->text.text, "\"after_end\":\"after the end: it ended with status 7 <&>\"");
    base_str_fini(&b->text);
    assert_int_equal(watch_report_html(&b->text, &b->story, &b->mem, &b->err), VG_OK);
    expect(b->text.text, "<h2>After the end</h2>");
    expect(b->text.text, "it ended with status 7 &#60;&#38;&#62;</p>");
}

static void a_guard_that_died_too_leaves_what_can_be_told_later(void **state)
{
    bench *b = *state;
    char text[WATCH_AFTER_BYTES];
    run_job(b, 3 * 3600, 6.3e5);
    assert_string_equal(watch_story_after(&b->story, text), "");
    b->story.is_live = false;
    base_format(b->story.phase, sizeof b->story.phase, WATCH_GUARD_GONE);
    watch_story_after(&b->story, text);
    expect(text, "after the end: its guard ended as well");
    expect(text, "main.anon_bytes grew from ");
    expect(text, "in process 1000 (python3)");
    expect(text, "It was called critical.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_leak_that_was_called_is_named_with_process_rate_limit_and_time),
        T(what_nobody_called_is_said_with_what_was_read), T(one_that_dies_at_once_is_not_explained),
        T(all_forms_of_a_report_say_the_same),
        T(a_guard_that_died_too_leaves_what_can_be_told_later)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
