/* test_rules.c: each rule names its own case, from what else grew and what stayed. A case is a job
 * of 30 hours with the figures of a thread of ../docs/leaks.md; what it does not set stays. */
#include "rule_jobs.h"

static bool is_called(watch_state s)
{
    return s == WATCH_LEAKING || s == WATCH_CRITICAL || s == WATCH_HUNG;
}

/* What a run of a job said: of each series the last event that calls it leaking, critical or hung.
 */
typedef struct outcome {
    watch_event last[WATCH_N_SERIES];
    bool is_called[WATCH_N_SERIES];
} outcome;

typedef struct run {
    base_mem mem;
    watch_judge *judge;
    double t;
} run;

static void begin(run *r)
{
    vg_error err;
    const watch_judge_options o = {0};
    *r = (run){.mem = {.tag = "test"}};
    assert_int_equal(watch_judge_create(&r->judge, &o, &r->mem, &err), VG_OK);
}

static void step(run *r, outcome *out, void (*job)(watch_sample *s, double t))
{
    watch_sample s;
    watch_event e;
    quiet(&s, r->t);
    job(&s, r->t);
    watch_judge_push(r->judge, &s);
    while (watch_judge_next(r->judge, &e))
        if (is_called(e.verdict.state)) {
            out->last[e.series] = e;
            out->is_called[e.series] = true;
        }
    r->t += INTERVAL_S;
}

static void end(run *r)
{
    assert_int_equal(r->mem.n_allocs, 1); /* the judge: none after that */
    watch_judge_destroy(&r->judge);
    assert_int_equal(r->mem.in_use_bytes, 0);
}

/* The whole time, or so many hours more after all of the wanted series were called. */
static void run_job(outcome *out, void (*job)(watch_sample *s, double t),
                    const watch_series *wanted, size_t n_wanted, double more_h)
{
    run r;
    double until_s = HOURS * HOUR;
    bool has_all = false;
    *out = (outcome){0};
    begin(&r);
    while (r.t < until_s) {
        const double now_s = r.t;
        size_t n = 0;
        step(&r, out, job);
        for (size_t i = 0; i < n_wanted; i++)
            n += out->is_called[wanted[i]];
        if (!has_all && n == n_wanted)
            until_s = fmin(until_s, now_s + more_h * HOUR);
        has_all |= n == n_wanted;
    }
    end(&r);
}

static bool run_case(watch_event *out, void (*job)(watch_sample *s, double t), watch_series series,
                     double more_h)
{
    static outcome o;
    run_job(&o, job, &series, 1, more_h);
    if (o.is_called[series])
        *out = o.last[series];
    return o.is_called[series];
}

static bool leak_is_called(watch_event *out, void (*job)(watch_sample *s, double t),
                           watch_series series)
{
    return run_case(out, job, series, HOURS);
}

static void each_case_is_named_by_its_rule(void **state)
{
    (void)state;
    static const struct {
        void (*job)(watch_sample *s, double t);
        watch_series series;
        const char *rule;
        watch_series unit;
    } cases[] = {
        {cow, WATCH_CHILDREN_PRIVATE_BYTES, "R1", WATCH_WORK_EPOCH},
        {worker, WATCH_CHILDREN_ANON_BYTES, "R2", WATCH_WORK_EPOCH},
        {workers_left, WATCH_CHILDREN_ANON_BYTES, "R3", WATCH_WORK_EPOCH},
        {workers_left, WATCH_CHILDREN_COUNT, "R3", WATCH_WORK_EPOCH},
        {pinned, WATCH_MAIN_ANON_BYTES, "R4", WATCH_WORK_EPOCH},
        {gpu_kept, WATCH_GPU0_BYTES, "R5", WATCH_WORK_STEP},
        {gpu_streams, WATCH_GPU0_BYTES, "R7", WATCH_WORK_EPOCH},
        {kept_frames, WATCH_MAIN_ANON_BYTES, "R8", WATCH_WORK_FRAMES},
        {kept_by_callback, WATCH_MAIN_ANON_BYTES, "R8", WATCH_WORK_EPOCH},
        {scanned_list, WATCH_MAIN_ANON_BYTES, "R9", WATCH_WORK_FRAMES},
        {capture, WATCH_MAIN_ANON_BYTES, "R10", WATCH_WORK_RECONNECTS},
        {capture, WATCH_MAIN_FDS, "R10", WATCH_WORK_RECONNECTS},
        {capture, WATCH_MAIN_THREADS, "R10", WATCH_WORK_RECONNECTS},
        {ipc_fds, WATCH_MAIN_FDS, "R11", WATCH_WORK_STEP},
        {shm, WATCH_SHM_BYTES, "R12", WATCH_WORK_STEP},
        {log_writer, WATCH_MAIN_FDS, "R13", WATCH_WORK_RUNS},
        {log_writer, WATCH_MAIN_THREADS, "R13", WATCH_WORK_RUNS},
        {arenas, WATCH_MAIN_ANON_BYTES, "R14", WATCH_NONE},
        {kernel, WATCH_MACHINE_UNEXPLAINED_BYTES, "R16", WATCH_NONE},
        {orphans, WATCH_GPU_ORPHANS, "R17", WATCH_NONE},
        {orphans_of_workers, WATCH_CHILDREN_ORPHANS, "R17", WATCH_NONE},
        {orphans_of_workers, WATCH_CHILDREN_ANON_BYTES, "R17", WATCH_WORK_EPOCH},
        {hang, WATCH_WORK_IDLE_S, "R18", WATCH_NONE},
        {cow_of_parent, WATCH_MAIN_USS_BYTES, "R1", WATCH_WORK_EPOCH},
        {zombies, WATCH_CHILDREN_ZOMBIES, "R3", WATCH_NONE},
        {reads_at_start, WATCH_MAIN_ANON_BYTES, "R8", WATCH_NONE},
        {files, WATCH_MAIN_FDS, "R19", WATCH_NONE},
        {sqlite, WATCH_MAIN_FDS, "R20", WATCH_NONE},
        {log_handlers, WATCH_MAIN_FDS, "R21", WATCH_NONE},
        {deleted, WATCH_MAIN_FDS, "R22", WATCH_NONE},
        {deleted, WATCH_MAIN_DELETED_BYTES, "R22", WATCH_NONE},
        {deleted_log, WATCH_MAIN_DELETED_BYTES, "R22", WATCH_NONE},
        {threads, WATCH_MAIN_THREADS, "R23", WATCH_NONE},
        {event_loops, WATCH_MAIN_FDS, "R24", WATCH_NONE},
        {connections, WATCH_MAIN_FDS, "R25", WATCH_NONE},
        {left_connections, WATCH_MAIN_FDS, "R25", WATCH_NONE},
        {threads_with_loops, WATCH_MAIN_FDS, "R23", WATCH_NONE},
        {pools_of_threads, WATCH_MAIN_ANON_BYTES, "R23", WATCH_NONE},
        {kept_by_pool, WATCH_MAIN_ANON_BYTES, "R8", WATCH_NONE},
        {files_of_worker, WATCH_CHILDREN_FDS, "R19", WATCH_NONE},
        {sqlite_of_worker, WATCH_CHILDREN_FDS, "R20", WATCH_NONE},
        {pipes_of_worker, WATCH_CHILDREN_FDS, "R11", WATCH_NONE},
        {event_fds_of_worker, WATCH_CHILDREN_FDS, "R24", WATCH_NONE},
        {connections_of_worker, WATCH_CHILDREN_FDS, "R25", WATCH_NONE},
    };
    static outcome o;
    int n_wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (i == 0 || cases[i].job != cases[i - 1].job) { /* one run for all that it shows */
            watch_series wanted[8];
            size_t n = 0;
            for (size_t k = i; k < sizeof cases / sizeof *cases && cases[k].job == cases[i].job;
                 k++)
                wanted[n++] = cases[k].series;
            run_job(&o, cases[i].job, wanted, n, 6);
        }
        watch_event e = {.rule = "not called"};
        if (o.is_called[cases[i].series])
            e = o.last[cases[i].series];
        const bool good = strcmp(e.rule, cases[i].rule) == 0 &&
                          (cases[i].unit == WATCH_NONE || e.verdict.unit == cases[i].unit) &&
                          e.cause[0] != '\0' && e.evidence[0] != '\0' && e.remedy[0] != '\0';
        n_wrong += !good;
        if (!good)
            print_error("%s: %s, per %s, wanted %s: %s\n", watch_series_get(cases[i].series)->name,
                        e.rule, e.verdict.unit >= 0 ? watch_series_get(e.verdict.unit)->name : "-",
                        cases[i].rule, e.evidence);
    }
    assert_int_equal(n_wrong, 0);
}

/* ---- in whose words ---- */

static unsigned world_of_case;
static void (*job_of_case)(watch_sample *s, double t);

static void in_world(watch_sample *s, double t)
{
    job_of_case(s, t);
    s->value[WATCH_JOB_WORLD] = world_of_case;
}

static void remedies_are_in_the_words_of_the_readers_world(void **state)
{
    (void)state;
    enum {
        PYTHON = WATCH_WORLD_PYTHON,
        ULTRALYTICS = PYTHON | WATCH_WORLD_TENSORS | WATCH_WORLD_ULTRALYTICS
    };
    static const struct {
        void (*job)(watch_sample *s, double t);
        watch_series series;
        unsigned world;
        const char *has, *lacks;
    } cases[] = {
        {kept, WATCH_MAIN_ANON_BYTES, 0, "stream=True", NULL},
        {kept, WATCH_MAIN_ANON_BYTES, ULTRALYTICS | WATCH_WORLD_PREDICTS, "stream=True", "loss"},
        {kept, WATCH_MAIN_ANON_BYTES, ULTRALYTICS | WATCH_WORLD_TRAINS, "loss.item()", "stream"},
        {kept, WATCH_MAIN_ANON_BYTES, PYTHON | WATCH_WORLD_WEB, "--max-requests", "stream=True"},
        {kept, WATCH_MAIN_ANON_BYTES, PYTHON | WATCH_WORLD_VIDEO, "deque(maxlen", "loss"},
        {kept, WATCH_MAIN_ANON_BYTES, PYTHON, "lru_cache", "loss"},
        {kept, WATCH_MAIN_ANON_BYTES, WATCH_WORLD_NODE, "emitter.off", "stream=True"},
        {kept, WATCH_MAIN_ANON_BYTES, WATCH_WORLD_JAVA, "jcmd", "stream=True"},
        {kept, WATCH_MAIN_ANON_BYTES, WATCH_WORLD_GO, "pprof", "stream=True"},
        {kept, WATCH_MAIN_ANON_BYTES, WATCH_WORLD_RUBY, "heap profiler", "stream=True"},
        {kept, WATCH_MAIN_ANON_BYTES, WATCH_WORLD_NATIVE, "valgrind", "stream=True"},
        {reads_at_start, WATCH_MAIN_ANON_BYTES, WATCH_WORLD_NODE, "emitter.off", "tracker"},
        {worker, WATCH_CHILDREN_ANON_BYTES, PYTHON | WATCH_WORLD_WEB, "--max-requests", "mosaic"},
        {worker, WATCH_CHILDREN_ANON_BYTES, ULTRALYTICS | WATCH_WORLD_TRAINS, "mosaic", NULL},
        {zombies, WATCH_CHILDREN_ZOMBIES, 0, "p.wait()", "loader"},
        {zombies, WATCH_CHILDREN_ZOMBIES, WATCH_WORLD_GO, "cmd.Wait()", "Popen"},
        {zombies, WATCH_CHILDREN_ZOMBIES, WATCH_WORLD_NATIVE, "waitpid", "Popen"},
        {files, WATCH_MAIN_FDS, WATCH_WORLD_JAVA, "try (...)", "Python"},
        {threads, WATCH_MAIN_THREADS, PYTHON, "ThreadPoolExecutor", "Executor of"},
        {connections, WATCH_MAIN_FDS, WATCH_WORLD_GO, "resp.Body.Close()", "requests"},
        {ipc_fds, WATCH_MAIN_FDS, PYTHON, "communicate()", "tensors"},
        {hang, WATCH_WORK_IDLE_S, WATCH_WORLD_JAVA, "Thread.print", "py-spy"},
    };
    static outcome o;
    run r;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const watch_series series = cases[i].series;
        job_of_case = cases[i].job;
        world_of_case = cases[i].world;
        if (i == 0 || cases[i].job != cases[i - 1].job) {
            o = (outcome){0};
            begin(&r);
            while (r.t < HOURS * HOUR && !o.is_called[series])
                step(&r, &o, in_world);
            assert_true(o.is_called[series]);
        }
        /* The same leak a minute later, of a job that is known for something else. */
        step(&r, &o, in_world);
        watch_event e;
        assert_true(watch_judge_get(r.judge, series, &e));
        assert_true(is_called(e.verdict.state));
        if (i + 1 == sizeof cases / sizeof *cases || cases[i + 1].job != cases[i].job)
            end(&r);
        if (strstr(e.remedy, cases[i].has) == NULL ||
            (cases[i].lacks != NULL && strstr(e.remedy, cases[i].lacks) != NULL) ||
            strlen(e.remedy) + 1 == sizeof e.remedy) /* was cut */
            fail_msg("case %zu: %s: %s", i, e.rule, e.remedy);
    }
}

static void a_cause_says_which_file_and_which_threads(void **state)
{
    (void)state;
    watch_event e = {0};
    assert_true(run_case(&e, files, WATCH_MAIN_FDS, 0));
    assert_non_null(strstr(e.cause, "412 times /etc/hostname"));
    assert_true(run_case(&e, threads, WATCH_MAIN_THREADS, 0));
    assert_non_null(strstr(e.cause, "pool-#-thread-# (700 of 724)"));
    assert_int_equal(e.verdict.unit, WATCH_NONE); /* not per byte read */
    assert_true(run_case(&e, left_connections, WATCH_MAIN_FDS, 0));
    assert_non_null(strstr(e.cause, "other side has closed"));
}

/* Frames get fewer, not dearer: each costs as much CPU time as five before, for other work is done.
 * Only a cost that rises in each third of the time is that of a list that is walked. */
static void a_step_of_cost_is_no_list_that_grows(void **state)
{
    (void)state;
    watch_event e = {0};
    assert_true(leak_is_called(&e, slow_start, WATCH_MAIN_ANON_BYTES));
    assert_string_equal(e.rule, "R8");
}

static void nothing(watch_sample *s, double t)
{
    add(s, WATCH_MAIN_ANON_BYTES, noise(t, 4 * MB));
    epochs(s, t);
}

static void mapped_files(watch_sample *s, double t)
{
    epochs(s, t);
    s->value[WATCH_MAIN_RSS_BYTES] = 4.3e9 + 200 * MB * t / HOUR;
    add(s, WATCH_MAIN_FILE_BYTES, 200 * MB * t / HOUR);
}

static void page_cache(watch_sample *s, double t)
{
    add(s, WATCH_CGROUP_FILE_BYTES, 400 * MB * t / HOUR);
    s->value[WATCH_CGROUP_CURRENT_BYTES] = 7e9 + 400 * MB * t / HOUR;
}

/* Ten jobs in one cgroup: another one leaks, and this one stays. */
static void shared_cgroup(watch_sample *s, double t)
{
    epochs(s, t);
    s->value[WATCH_CGROUP_ANON_BYTES] = 40e9 + 900 * MB * t / HOUR;
}

/* A library of 9 GB of pages: more is resident than the cgroup may have, and little is charged. */
static void large_library(watch_sample *s, double t)
{
    epochs(s, t);
    const double grown = 800 * MB * (1 - exp(-t / (6 * HOUR)));
    add(s, WATCH_MAIN_ANON_BYTES, grown);
    s->value[WATCH_MAIN_FILE_BYTES] = 13e9;
    s->value[WATCH_MAIN_RSS_BYTES] = 17e9 + grown;
    s->value[WATCH_CGROUP_ANON_BYTES] = 6e9 + grown;
}

/* And a leak of the same: the date is that of the charge. */
static void leak_beside_library(watch_sample *s, double t)
{
    large_library(s, 0);
    const double grown = 200 * MB * t / HOUR + noise(t, 4 * MB);
    add(s, WATCH_MAIN_ANON_BYTES, grown);
    add(s, WATCH_MAIN_RSS_BYTES, grown);
    add(s, WATCH_CGROUP_ANON_BYTES, grown);
}

/* A limit that the user wished for and no cgroup holds: what another job has on the account of the
 * cgroup that both are in is no part of it. */
static void wished_limit(watch_sample *s, double t)
{
    epochs(s, t);
    s->value[WATCH_LIMIT_CGROUP_BYTES] = 32e9;
    s->value[WATCH_LIMIT_MEMORY_BYTES] = 8e9;
    s->value[WATCH_CGROUP_ANON_BYTES] = 11.5e9;
    add(s, WATCH_MAIN_ANON_BYTES, 300 * MB * (1 - exp(-t / (4 * HOUR))) + noise(t, 4 * MB));
}

/* Somebody else writes to the same disk, and to /tmp. */
static void others_fill_the_disk(watch_sample *s, double t)
{
    s->value[WATCH_DISK_USED_BYTES] = 1e11 + GB * t / HOUR;
    s->value[WATCH_LIMIT_DISK_BYTES] = 1.5e11;
    s->value[WATCH_TMP_BYTES] = 1e9 + GB * t / HOUR;
    s->value[WATCH_LIMIT_TMP_BYTES] = 5e10;
    s->value[WATCH_MAIN_WRITE_BYTES] = 10 * MB * t / HOUR;
    s->value[WATCH_CHILDREN_WRITE_BYTES] = 0;
}

static void fills_the_disk(watch_sample *s, double t)
{
    others_fill_the_disk(s, t);
    s->value[WATCH_CHILDREN_WRITE_BYTES] = 1.1 * GB * t / HOUR;
}

/* The job is alone in it. */
static void own_cgroup(watch_sample *s, double t)
{
    kept_by_callback(s, t);
    s->value[WATCH_CGROUP_ANON_BYTES] = 6.2e9 + floor(t / 600) * 40 * MB;
}

/* Threads of pools that are made when first used: 24, then 60 within the first hours. */
static void lazy_pools(watch_sample *s, double t)
{
    epochs(s, t);
    add(s, WATCH_MAIN_THREADS, floor(36 * (1 - exp(-t / (2 * HOUR)))));
    add(s, WATCH_MAIN_FDS, floor(60 * (1 - exp(-t / (2 * HOUR)))));
}

static void what_is_no_leak_is_not_called_one(void **state)
{
    (void)state;
    watch_event e = {0};
    assert_false(leak_is_called(&e, nothing, WATCH_MAIN_ANON_BYTES));
    assert_false(leak_is_called(&e, shared_cgroup, WATCH_CGROUP_ANON_BYTES));
    assert_false(leak_is_called(&e, gpu_cache, WATCH_GPU0_BYTES)); /* R6 */
    assert_false(leak_is_called(&e, long_validation, WATCH_WORK_IDLE_S));
    assert_false(leak_is_called(&e, page_cache, WATCH_CGROUP_CURRENT_BYTES));
    assert_false(leak_is_called(&e, mapped_files, WATCH_MAIN_RSS_BYTES)); /* R15 */
    assert_false(leak_is_called(&e, large_library, WATCH_MAIN_RSS_BYTES));
    assert_false(leak_is_called(&e, wished_limit, WATCH_MAIN_ANON_BYTES));
    static outcome o;
    run_job(&o, lazy_pools, NULL, 0, HOURS);
    assert_false(o.is_called[WATCH_MAIN_THREADS] || o.is_called[WATCH_MAIN_FDS]);
    run_job(&o, others_fill_the_disk, NULL, 0, HOURS);
    assert_false(o.is_called[WATCH_DISK_USED_BYTES] || o.is_called[WATCH_TMP_BYTES]);
    static const watch_series both[] = {WATCH_DISK_USED_BYTES, WATCH_TMP_BYTES};
    run_job(&o, fills_the_disk, both, 2, 0);
    assert_true(o.is_called[WATCH_DISK_USED_BYTES] && o.is_called[WATCH_TMP_BYTES]);
}

static void a_limit_bounds_what_is_charged(void **state)
{
    (void)state;
    static outcome o;
    static const watch_series both[] = {WATCH_MAIN_ANON_BYTES, WATCH_MAIN_RSS_BYTES};
    run_job(&o, leak_beside_library, both, 2, 6);
    assert_true(o.is_called[WATCH_MAIN_ANON_BYTES] && o.is_called[WATCH_MAIN_RSS_BYTES]);
    const watch_event anon = o.last[WATCH_MAIN_ANON_BYTES], rss = o.last[WATCH_MAIN_RSS_BYTES];
    /* 16 GB less the 2 GB of the others in the cgroup, of 4 GB and 200 MB an hour. */
    assert_true(anon.verdict.limit == 16e9 - 2e9);
    assert_true(rss.verdict.limit == anon.verdict.limit + 13e9);
    const double left_s = (14e9 - 4e9) / (200 * MB) * HOUR - anon.time_s;
    assert_true(fabs(anon.verdict.exhaustion_s / left_s - 1) < 0.1);
    assert_true(fabs(rss.verdict.exhaustion_s / (left_s + anon.time_s - rss.time_s) - 1) < 0.1);
}

/* One event names the cause; what rises with it only refers to that one. */
static void one_leak_is_reported_once(void **state)
{
    (void)state;
    static outcome o;
    static const watch_series both[] = {WATCH_MAIN_ANON_BYTES, WATCH_CGROUP_ANON_BYTES};
    run_job(&o, own_cgroup, both, 2, 6);
    assert_true(o.is_called[WATCH_MAIN_ANON_BYTES] && o.is_called[WATCH_CGROUP_ANON_BYTES]);
    const watch_event anon = o.last[WATCH_MAIN_ANON_BYTES],
                      cgroup = o.last[WATCH_CGROUP_ANON_BYTES];
    /* Both have the same room left, for what the children take is on the cgroup's account: the
     * process's own figure, which says more, tells it. */
    assert_null(anon.with);
    assert_non_null(cgroup.with);
    assert_string_equal(cgroup.with, "main.anon_bytes");
    assert_string_equal(cgroup.rule, anon.rule);
}

static void the_rate_per_unit_is_what_was_planted(void **state)
{
    (void)state;
    watch_event e = {0};
    assert_true(run_case(&e, kept_by_callback, WATCH_MAIN_ANON_BYTES, 6));
    assert_true(fabs(e.verdict.per_unit / (40 * MB) - 1) < 0.1);
    assert_true(run_case(&e, capture, WATCH_MAIN_FDS, 6));
    assert_true(fabs(e.verdict.per_unit - 1) < 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_is_named_by_its_rule),
        cmocka_unit_test(what_is_no_leak_is_not_called_one),
        cmocka_unit_test(a_limit_bounds_what_is_charged),
        cmocka_unit_test(a_cause_says_which_file_and_which_threads),
        cmocka_unit_test(a_step_of_cost_is_no_list_that_grows),
        cmocka_unit_test(remedies_are_in_the_words_of_the_readers_world),
        cmocka_unit_test(one_leak_is_reported_once),
        cmocka_unit_test(the_rate_per_unit_is_what_was_planted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
