/* test_report.c: a report tells the whole story, of long runs and hostile names too. */
#include "support/test.h"

#include <string.h>
#include <unistd.h>

#include "job.h"
#include "watch/judge/figures.h"
#include "watch/tell/report.h"

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

static void run_job(bench *b, double to_s, double step_s, double leak_per_s)
{
    watch_event e;
    for (double t = 0; t < to_s; t += step_s) {
        made_job_step(&b->job, t, leak_per_s);
        watch_story_add(&b->story, &b->job.moment);
        while (watch_judge_next(b->job.judge, &e))
            watch_story_event(&b->story, &e);
    }
}

static bool says(const bench *b, const char *what)
{
    return strstr(b->text.text, what) != NULL;
}

/* ---- the story ---- */

static void bins_hold_a_run_of_any_length(void **state)
{
    bench *b = *state;
    watch_sample s;
    for (int i = 0; i < 500000; i++) {
        watch_sample_clear(&s, i * 5.0);
        s.value[WATCH_MAIN_RSS_BYTES] = i == 123456 ? 9e9 : 1e9 + i;
        s.value[WATCH_MAIN_CPU_S] = i * 2.5;
        watch_story_sample(&b->story, &s);
    }
    double highest = 0, total = 0;
    watch_bin bin;
    const size_t n = watch_story_n_bins(&b->story);
    assert_in_range(n, WATCH_BINS / 2, WATCH_BINS);
    for (size_t i = 0; i < n; i++) {
        assert_true(watch_story_at(&b->story, WATCH_MAIN_RSS_BYTES, i, &bin));
        highest = fmax(highest, bin.high);
        total += bin.n;
        if (i > 0) { /* half a core, whatever the bins' bounds */
            assert_true(watch_story_at(&b->story, WATCH_MAIN_CPU_S, i, &bin));
            assert_true(fabs(bin.mean - 0.5) < 1e-6);
        }
    }
    assert_true(highest == 9e9 && total == 500000);
}

static void a_clock_that_begins_anew_is_shifted(void **state)
{
    bench *b = *state;
    watch_sample s;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 10; i++) {
            watch_sample_clear(&s, i);
            s.value[WATCH_MAIN_FDS] = 5;
            watch_story_sample(&b->story, &s);
        }
    assert_int_equal(b->story.n_samples, 20);
    assert_true(b->story.now_s == 19);
}

static void the_main_process_is_never_crowded_out(void **state)
{
    bench *b = *state;
    watch_process p = {.pid = 10, .role = WATCH_MAIN, .rss_bytes = 1};
    for (int t = 0; t < 50; t++) {
        watch_story_moment(&b->story, t);
        p.pid = 10;
        p.role = WATCH_MAIN;
        p.rss_bytes = 1;
        watch_story_process(&b->story, &p);
        for (int i = 0; i < 300; i++) {
            p.pid = 100 + i + t % 2 * 1000;
            p.role = WATCH_WORKER;
            p.rss_bytes = 100 + i;
            watch_story_process(&b->story, &p);
        }
    }
    assert_int_equal(b->story.n_lives, WATCH_LIVES);
    assert_int_equal(b->story.lives[0].now.pid, 10);
    assert_true(watch_life_is_alive(&b->story, &b->story.lives[0]));
    for (size_t i = 1; i < WATCH_LIVES; i++) { /* in order, and of the living the largest */
        assert_true(b->story.lives[i].now.pid > b->story.lives[i - 1].now.pid);
        assert_true(b->story.lives[i].now.rss_bytes > 300);
    }
}

/* ---- forms ---- */

static void the_page_tells_cause_remedy_plots_tree_and_restarts(void **state)
{
    bench *b = *state;
    run_job(b, 3 * 3600, 10, 6.3e5);
    watch_story_note(&b->story, 5000, "job started again: process 77");
    assert_int_equal(watch_story_worst(&b->story, NULL), WATCH_CRITICAL);
    assert_int_equal(watch_report_html(&b->text, &b->story, &b->mem, &b->err), VG_OK);
    assert_true(says(b, "<h3>main.anon_bytes</h3>"));
    assert_true(says(b, "class='badge critical'"));
    assert_true(says(b, "data-name='the rise'"));
    assert_true(says(b, "class=limit"));
    assert_true(says(b, "<g class='restart'>"));
    assert_true(says(b, b->story.verdicts[WATCH_MAIN_ANON_BYTES].rule));
    assert_true(says(b, "loader&#60;7&#62;&#38;"));
    assert_true(says(b, "&#60;a &#38; b&#62;"));
    for (int k = 0; k < WATCH_N_SERIES; k++) /* every series that moved is drawn */
        if (watch_story_course(&b->story, (watch_series)k) == WATCH_MOVES &&
            watch_series_get((watch_series)k)->kind != WATCH_LIMIT) {
            char label[96];
            base_format(label, sizeof label, "aria-label='%s'",
                        watch_series_get((watch_series)k)->name);
            assert_true(says(b, label));
        }
}

static void the_page_is_whole_in_itself(void **state)
{
    bench *b = *state;
    run_job(b, 600, 10, 0);
    base_format(b->story.command, sizeof b->story.command, "<script>alert(1)</script>'\"&");
    watch_story_note(&b->story, 1, "<img src=x>");
    assert_int_equal(watch_report_html(&b->text, &b->story, &b->mem, &b->err), VG_OK);
    assert_false(says(b, "<script>alert"));
    assert_false(says(b, "<img"));
    assert_false(says(b, "<script src"));
    assert_false(says(b, "<link rel=stylesheet"));
    assert_false(says(b, "href='http"));
    assert_false(says(b, "https:"));
    assert_false(says(b, "nan,"));
    assert_false(says(b, ",nan"));
    assert_false(says(b, ">nan"));
    assert_false(says(b, "inf "));
}

static void json_reads_back(void **state)
{
    bench *b = *state;
    base_tree *tree = NULL;
    run_job(b, 3600, 10, 2e5);
    assert_int_equal(watch_report_json(&b->text, &b->story, &b->mem, &b->err), VG_OK);
    assert_int_equal(
        base_tree_from_json(&tree, b->text.text, b->text.length, "report", &b->mem, &b->err),
        VG_OK);
    const base_node *root = base_tree_root(tree);
    assert_string_equal(base_node_get(root, "command")->text, b->job.moment.command);
    assert_int_equal(base_node_get(root, "samples")->i, 360);
    const base_node *anon = base_node_get(base_node_get(root, "series"), "main.anon_bytes");
    assert_string_equal(base_node_get(anon, "unit")->text, "bytes");
    assert_true(base_node_get(anon, "points")->n_children > WATCH_BINS / 2);
    assert_int_equal(base_node_get(root, "processes")->n_children, JOB_PROCESSES);
    assert_int_equal(base_node_get(root, "events")->n_children, b->story.n_entries);
    base_tree_destroy(&tree);
}

static void text_has_the_verdicts_and_the_tree(void **state)
{
    bench *b = *state;
    run_job(b, 3 * 3600, 10, 6.3e5);
    assert_int_equal(watch_report_text(&b->text, &b->story, &b->mem, &b->err), VG_OK);
    assert_true(says(b, "critical; watched for 180 min") || says(b, "critical; watched for 3.0 h"));
    assert_true(says(b, "\n  loader<1>&"));
    assert_true(says(b, "  try:"));
}

static void a_run_of_one_sample_has_a_report(void **state)
{
    bench *b = *state;
    run_job(b, 1, 5, 0);
    assert_int_equal(watch_report_html(&b->text, &b->story, &b->mem, &b->err), VG_OK);
    assert_true(says(b, "<small>1 samples</small>"));
    assert_false(says(b, ">nan"));
}

static void what_is_no_run_is_refused(void **state)
{
    bench *b = *state;
    char folder[] = "/tmp/vigil-report-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(watch_report_load(&b->story, folder, &b->mem, &b->err), VG_ERR_IO);
    assert_non_null(strstr(b->err.what, "history.db"));
    rmdir(folder);
    assert_int_equal(watch_report_load(&b->story, folder, &b->mem, &b->err), VG_ERR_IO);
}

static void axes_step_by_numbers_that_people_count_in(void **state)
{
    (void)state;
    assert_true(watch_nice_step(4.0 * (1 << 30), 4, WATCH_BYTES) == 1 << 30);
    assert_true(watch_nice_step(70.0 * (1 << 20), 4, WATCH_BYTES) == 20 << 20);
    assert_true(watch_nice_step(6 * 3600, 6, WATCH_SECONDS) == 3600);
    assert_true(watch_nice_step(9, 4, WATCH_COUNT) == 2.5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(bins_hold_a_run_of_any_length),
        TEST(a_clock_that_begins_anew_is_shifted),
        TEST(the_main_process_is_never_crowded_out),
        TEST(the_page_tells_cause_remedy_plots_tree_and_restarts),
        TEST(the_page_is_whole_in_itself),
        TEST(json_reads_back),
        TEST(text_has_the_verdicts_and_the_tree),
        TEST(a_run_of_one_sample_has_a_report),
        TEST(what_is_no_run_is_refused),
        TEST(axes_step_by_numbers_that_people_count_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
