/* test_history_db.c: a history keeps what was seen within its bound, through kills and full disks.
 */
#include "support/test.h"

#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job.h"
#include "watch/tell/history_db.h"

typedef struct bench {
    char folder[64], path[96];
    base_mem mem;
    vg_error err;
    made_job job;
    watch_history_db *db;
    watch_story story;
} bench;

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test"}, .folder = "/tmp/vigil-history-XXXXXX"};
    if (access("/dev/shm", W_OK) == 0) /* checkpoints wait for disks */
        base_format(b.folder, sizeof b.folder, "/dev/shm/vigil-history-XXXXXX");
    if (mkdtemp(b.folder) == NULL)
        return -1;
    base_path_join(b.path, sizeof b.path, b.folder, "history.db");
    made_job_init(&b.job, &b.mem);
    watch_story_init(&b.story);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    char command[160];
    watch_history_db_close(&b->db);
    made_job_fini(&b->job);
    base_format(command, sizeof command, "rm -rf %s", b->folder);
    return system(command) == 0 && b->mem.in_use_bytes == 0 ? 0 : -1;
}

static void open_db(bench *b, size_t most_bytes)
{
    assert_int_equal(watch_history_db_open(&b->db, b->path, most_bytes, &b->mem, &b->err), VG_OK);
}

static void run_job(bench *b, double from_s, double to_s, double step_s)
{
    for (double t = from_s; t < to_s; t += step_s) {
        made_job_step(&b->job, t, 1e4);
        assert_int_equal(watch_history_db_sample(b->db, &b->job.moment, &b->err), VG_OK);
    }
}

static int64_t ask(bench *b, const char *query)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    const int64_t value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return value;
}

static size_t bytes_on_disk(const bench *b)
{
    static const char *const suffixes[] = {"", "-wal"};
    size_t sum = 0;
    for (int i = 0; i < 2; i++) {
        char path[128];
        struct stat info;
        base_format(path, sizeof path, "%s%s", b->path, suffixes[i]);
        sum += stat(path, &info) == 0 ? (size_t)info.st_size : 0;
    }
    return sum;
}

/* ---- tests ---- */

static void a_sample_comes_back_as_it_was(void **state)
{
    bench *b = *state;
    open_db(b, 20 << 20);
    run_job(b, 0, 60, 5);
    const watch_sample last = b->job.sample;
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_OK);
    assert_int_equal(b->story.n_samples, 12);
    assert_true(fabs(b->story.now_s - 55) < 1e-3);
    for (int k = 0; k < WATCH_N_SERIES; k++)
        assert_true(isnan(last.value[k]) ? isnan(b->story.now.value[k])
                                         : b->story.now.value[k] == last.value[k]);
    assert_string_equal(b->story.command, b->job.moment.command);
    assert_int_equal(b->story.n_lives, JOB_PROCESSES);
    assert_string_equal(b->story.lives[3].now.name, "loader<3>&");
    assert_int_equal(b->story.lives[3].now.fds, b->job.processes[3].fds);
    assert_true(b->story.lives[3].now.rss_bytes == b->job.processes[3].rss_bytes);
    assert_true(b->story.is_live);
    assert_true(fabs(b->story.began_unix_s - 1.7e9) < 1e-3);
    watch_history_db_close(&b->db);
    watch_story_init(&b->story);
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_OK);
    assert_string_equal(b->story.phase, "ended");
    assert_false(b->story.is_live);
}

static void events_and_verdicts_come_back_whole(void **state)
{
    bench *b = *state;
    open_db(b, 20 << 20);
    made_job_step(&b->job, 0, 0);
    assert_int_equal(watch_history_db_sample(b->db, &b->job.moment, &b->err), VG_OK);
    assert_int_equal(watch_history_db_note(b->db, "job started", &b->job.moment, &b->err), VG_OK);
    const watch_event e = {.time_s = 40,
                           .series = WATCH_MAIN_FDS,
                           .was = WATCH_SUSPECT,
                           .verdict = {.state = WATCH_LEAKING,
                                       .shape = WATCH_SHAPE_RISING,
                                       .level = 300,
                                       .floor = 290,
                                       .since_s = 3,
                                       .growth = 200,
                                       .slope_per_s = 0.5,
                                       .slope_low_per_s = 0.4,
                                       .slope_high_per_s = 0.6,
                                       .limit = 1024,
                                       .exhaustion_s = 1448,
                                       .exhaustion_low_s = 1200,
                                       .exhaustion_high_s = INFINITY,
                                       .unit = WATCH_WORK_EPOCH,
                                       .per_unit = 7},
                           .rule = "R11",
                           .confidence_0_1 = 0.75,
                           .cause = "a cause",
                           .evidence = "what was 'seen'",
                           .remedy = "a remedy"};
    assert_int_equal(watch_history_db_event(b->db, &e, &b->err), VG_OK);
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_OK);
    assert_int_equal(b->story.n_entries, 2);
    assert_string_equal(b->story.entries[0].note, "job started");
    const watch_event *got = &b->story.entries[1].event;
    char wanted_text[WATCH_EVENT_TEXT_BYTES], got_text[WATCH_EVENT_TEXT_BYTES];
    assert_string_equal(watch_event_json(got_text, got), watch_event_json(wanted_text, &e));
    assert_true(isinf(got->verdict.exhaustion_high_s));
    assert_true(got->verdict.floor == 290 && got->verdict.growth == 200);
    assert_true(b->story.is_judged[WATCH_MAIN_FDS]);
    assert_string_equal(b->story.verdicts[WATCH_MAIN_FDS].remedy, "a remedy");
}

static void rows_thin_out_with_age_and_keep_their_extremes(void **state)
{
    bench *b = *state;
    open_db(b, 20 << 20);
    for (double t = 0; t < 3 * 3600; t += 10) {
        made_job_step(&b->job, t, 0);
        b->job.sample.value[WATCH_MAIN_RSS_BYTES] =
            t == 1230 ? 9e9 : 1e9; /* a peak of one sample */
        assert_int_equal(watch_history_db_sample(b->db, &b->job.moment, &b->err), VG_OK);
    }
    /* An hour as sampled, everything by the minute and by ten minutes. */
    assert_int_equal(ask(b, "SELECT count(DISTINCT time_ms) FROM reading WHERE step_s=0"), 366);
    assert_int_equal(ask(b, "SELECT count(DISTINCT time_ms) FROM reading WHERE step_s=60"), 179);
    assert_int_equal(ask(b, "SELECT count(DISTINCT time_ms) FROM reading WHERE step_s=600"), 17);
    assert_true(ask(b, "SELECT max(high) FROM reading JOIN series ON id=series WHERE "
                       "name='main.rss_bytes' AND step_s=600") == 9000000000);
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_OK);
    double highest = 0;
    for (size_t i = 0; i < WATCH_BINS; i++)
        highest = fmax(highest, b->story.bins[WATCH_MAIN_RSS_BYTES][i].high);
    assert_true(highest == 9e9);
    assert_true(b->story.first_s < 60 && b->story.now_s == 3 * 3600 - 10);
}

static void the_file_stays_within_its_bound(void **state)
{
    bench *b = *state;
    enum { BOUND = 1 << 20 };
    open_db(b, BOUND);
    size_t most = 0;
    for (double t = 0; t < 4 * 3600; t += 600) {
        run_job(b, t, t + 600, 5);
        most = bytes_on_disk(b) > most ? bytes_on_disk(b) : most;
    }
    assert_in_range(most, BOUND / 4, BOUND);
    /* What is old is coarse, but not gone. */
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_OK);
    assert_true(b->story.now_s - b->story.first_s > 2 * 3600);
}

static void a_kill_loses_nothing_that_was_written(void **state)
{
    bench *b = *state;
    const pid_t child = fork();
    if (child == 0) {
        vg_error err;
        if (watch_history_db_open(&b->db, b->path, 20 << 20, &b->mem, &err) != VG_OK)
            _exit(1);
        for (int i = 0; i < 20; i++) {
            made_job_step(&b->job, i * 5, 0);
            if (watch_history_db_sample(b->db, &b->job.moment, &err) != VG_OK)
                _exit(2);
        }
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_OK);
    assert_int_equal(b->story.n_samples, 20);
    /* The next guard's sampler begins at 0, an hour later; the history's time goes on. */
    open_db(b, 20 << 20);
    made_job_step(&b->job, 0, 0);
    b->job.moment.wall_ns = (int64_t)((1.7e9 + 3600) * 1e9);
    assert_int_equal(watch_history_db_sample(b->db, &b->job.moment, &b->err), VG_OK);
    watch_story_init(&b->story);
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_OK);
    assert_int_equal(b->story.n_samples, 21);
    assert_true(fabs(b->story.now_s - 3600) < 0.1);
    assert_int_equal(ask(b, "SELECT count(*) FROM process"), JOB_PROCESSES);
}

static void a_full_disk_is_an_error_and_passes(void **state)
{
    bench *b = *state;
    open_db(b, 20 << 20);
    run_job(b, 0, 300, 5);
    struct rlimit was;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit none = {.rlim_cur = 4096, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    size_t n_failed = 0;
    for (double t = 300; t < 600; t += 5) {
        made_job_step(&b->job, t, 0);
        n_failed += watch_history_db_sample(b->db, &b->job.moment, &b->err) != VG_OK;
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_true(n_failed > 30);
    assert_int_equal(b->err.status, VG_ERR_IO);
    assert_non_null(strstr(b->err.mend, "make room"));
    run_job(b, 600, 900, 5);
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_OK);
    assert_true(b->story.now_s == 895);
    assert_int_equal(ask(b, "SELECT count(*) FROM series"),
                     ask(b, "SELECT count(DISTINCT series) FROM reading"));
}

static void processes_that_come_and_go_leave_no_rows(void **state)
{
    bench *b = *state;
    open_db(b, 20 << 20);
    for (int i = 0; i < 5400; i += 10) {
        made_job_step(&b->job, i, 0);
        for (int k = 1; k < JOB_PROCESSES; k++)
            b->job.processes[k].pid = 5000 + i * JOB_PROCESSES + k;
        assert_int_equal(watch_history_db_sample(b->db, &b->job.moment, &b->err), VG_OK);
    }
    assert_in_range(ask(b, "SELECT count(*) FROM process"), 2, 400 * JOB_PROCESSES);
    assert_true(watch_history_db_bytes(b->db) < 20 << 20);
}

static void a_steady_job_costs_no_allocation_of_ours(void **state)
{
    bench *b = *state;
    open_db(b, 20 << 20);
    run_job(b, 0, 600, 5);
    const uint64_t before = b->mem.n_allocs;
    run_job(b, 600, 1200, 5);
    assert_int_equal(b->mem.n_allocs, before);
}

static void other_files_are_refused(void **state)
{
    bench *b = *state;
    FILE *f = fopen(b->path, "w");
    assert_non_null(f);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", f);
    fclose(f);
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_ERR_FORMAT);
    assert_int_equal(watch_history_db_open(&b->db, b->path, 20 << 20, &b->mem, &b->err),
                     VG_ERR_FORMAT);
    assert_null(b->db);
    assert_int_equal(unlink(b->path), 0);
    assert_int_equal(watch_history_db_load(b->path, &b->story, &b->err), VG_ERR_IO);
    assert_int_equal(watch_history_db_open(&b->db, b->path, 1000, &b->mem, &b->err),
                     VG_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sample_comes_back_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(events_and_verdicts_come_back_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_thin_out_with_age_and_keep_their_extremes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_file_stays_within_its_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(a_kill_loses_nothing_that_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_an_error_and_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(processes_that_come_and_go_leave_no_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(a_steady_job_costs_no_allocation_of_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(other_files_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
