/* test_history_long.c: three days of forty processes, as --history keeps them by default. */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "job.h"
#include "watch/tell/history_db.h"

static void seventy_two_hours_of_forty_processes_stay_below_20_mb(void **state)
{
    static made_job job;
    static watch_story story;
    base_mem mem = {.tag = "test"};
    vg_error err;
    char folder[] = "/tmp/vigil-history-XXXXXX", path[64], command[96];
    watch_history_db *db;
    struct stat info;
    double most = 0;
    (void)state;
    assert_non_null(mkdtemp(folder));
    base_path_join(path, sizeof path, folder, "history.db");
    made_job_init(&job, &mem);
    assert_int_equal(watch_history_db_open(&db, path, job.options.history_bytes, &mem, &err),
                     VG_OK);
    const int64_t began_ns = base_thread_cpu_ns();
    int64_t ours_ns = 0;
    for (double t = 0; t < 72 * 3600; t += 5) {
        made_job_step(&job, t, 1e3);
        const int64_t before_ns = base_thread_cpu_ns();
        assert_int_equal(watch_history_db_sample(db, &job.moment, &err), VG_OK);
        ours_ns += base_thread_cpu_ns() - before_ns;
        if (stat(path, &info) == 0)
            most = fmax(most, (double)info.st_size);
    }
    print_message("%.1f MB in use, file never over %.1f MB; %.2f ms of CPU a sample of %.2f\n",
                  (double)watch_history_db_bytes(db) / (1 << 20), most / (1 << 20),
                  (double)ours_ns / 51840e6, (double)(base_thread_cpu_ns() - began_ns) / 51840e6);
    assert_true(most < 20 << 20);
    watch_history_db_close(&db);
    watch_story_init(&story);
    assert_int_equal(watch_history_db_load(path, &story, &err), VG_OK);
    assert_true(story.now_s - story.first_s > 71.5 * 3600);
    for (size_t i = 0; i < watch_story_n_bins(&story); i++) /* nothing is missing in the middle */
        assert_true(story.bins[WATCH_MAIN_ANON_BYTES][i].n > 0);
    made_job_fini(&job);
    base_format(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seventy_two_hours_of_forty_processes_stay_below_20_mb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
