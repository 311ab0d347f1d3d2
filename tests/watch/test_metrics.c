/* test_metrics.c: /metrics is Prometheus' text format and tells state, rate and forecast. */
#include "support/test.h"

#include <string.h>

#include "job.h"
#include "watch/tell/metrics.h"

typedef struct bench {
    base_mem mem;
    vg_error err;
    made_job job;
    base_str text;
    watch_story story;
} bench;

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test"}};
    made_job_init(&b.job, &b.mem);
    watch_story_init(&b.story);
    for (double t = 0; t < 3 * 3600; t += 10) {
        made_job_step(&b.job, t, 3e5);
        watch_story_add(&b.story, &b.job.moment);
    }
    base_format(b.story.command, sizeof b.story.command, "a \"b\" \\c\nd");
    const vg_status st = watch_metrics(&b.text, &b.story, 12345, &b.mem, &b.err);
    *state = &b;
    return st == VG_OK ? 0 : -1;
}

static int teardown(void **state)
{
    bench *b = *state;
    base_str_fini(&b->text);
    made_job_fini(&b->job);
    return b->mem.in_use_bytes == 0 ? 0 : -1;
}

static double value_of(const bench *b, const char *line)
{
    const char *at = strstr(b->text.text, line);
    assert_non_null(at);
    return strtod(at + strlen(line), NULL);
}

static void a_leak_has_state_slope_and_forecast(void **state)
{
    bench *b = *state;
    assert_true(value_of(b, "\nvigil_watch_state{series=\"main.anon_bytes\",state=\"leaking\"} ") ==
                1);
    assert_true(value_of(b, "\nvigil_watch_state{series=\"main.anon_bytes\",state=\"steady\"} ") ==
                0);
    const double slope = value_of(b, "\nvigil_watch_slope_per_second{series=\"main.anon_bytes\"} "),
                 left = value_of(b, "\nvigil_watch_seconds_to_limit{series=\"main.anon_bytes\"} ");
    assert_true(fabs(slope - 3e5) < 3e4);
    assert_true(fabs(left - (8e9 - 1e9 - 3e5 * 10800) / 3e5) < 3000);
    assert_true(isinf(value_of(b, "\nvigil_watch_seconds_to_limit{series=\"main.fds\"} ")));
    assert_true(value_of(b, "\nvigil_watch_processes ") == JOB_PROCESSES);
    assert_true(value_of(b, "\nvigil_watch_guard_account_bytes 12345") == 0);
}

/* Name, labels whose quotes are closed, one value; HELP and TYPE before a name's first line. */
static void every_line_is_in_the_format(void **state)
{
    bench *b = *state;
    char family[96] = "";
    size_t n = 0;
    for (char *line = b->text.text; *line != '\0'; n++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        if (base_starts_with(line, "# TYPE ")) {
            base_format(family, sizeof family, "%.*s", (int)strcspn(line + 7, " "), line + 7);
        } else if (line[0] != '#') {
            assert_true(base_starts_with(line, family));
            const char *c = line + strlen(family);
            bool quoted = false;
            for (; *c != '\0' && (quoted || *c != ' '); c++) {
                if (quoted && *c == '\\')
                    assert_non_null(strchr("\\\"n", *++c));
                else if (*c == '"')
                    quoted = !quoted;
            }
            char *rest;
            const double value = strtod(c, &rest);
            assert_true(*c == ' ' && rest != c && *rest == '\0' && !isnan(value));
        }
        line = end + 1;
    }
    assert_true(n > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_leak_has_state_slope_and_forecast, setup, teardown),
        cmocka_unit_test_setup_teardown(every_line_is_in_the_format, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
