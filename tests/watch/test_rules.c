/* test_rules.c: each rule names its own case, from what else grew and what stayed. A case is a job
 * of 30 hours with the figures of a thread of ../docs/leaks.md; what it does not set stays. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "watch/watch.h"

static const double MB = 1024.0 * 1024, GB = 1024.0 * 1024 * 1024, HOUR = 3600;
enum { INTERVAL_S = 60, HOURS = 30 };

/* A job that does not leak: 4 GB of 16, four workers, an epoch in 10 minutes. */
static void quiet(watch_sample *s, double t)
{
    static const struct {
        watch_series series;
        double value;
    } levels[] = {{WATCH_MAIN_ANON_BYTES, 4e9},
                  {WATCH_MAIN_FILE_BYTES, 3e8},
                  {WATCH_MAIN_FDS, 90},
                  {WATCH_MAIN_FDS_FILE, 30},
                  {WATCH_MAIN_FDS_SOCKET, 10},
                  {WATCH_MAIN_FDS_PIPE, 30},
                  {WATCH_MAIN_FDS_SHM, 4},
                  {WATCH_MAIN_FDS_DELETED, 0},
                  {WATCH_MAIN_FDS_EVENTS_FILE, 1},
                  {WATCH_MAIN_FDS_CAMERA, 0},
                  {WATCH_MAIN_THREADS, 24},
                  {WATCH_CHILDREN_COUNT, 4},
                  {WATCH_CHILDREN_STALE, 0},
                  {WATCH_CHILDREN_ZOMBIES, 0},
                  {WATCH_CHILDREN_ORPHANS, 0},
                  {WATCH_CHILDREN_ANON_BYTES, 2e9},
                  {WATCH_CHILDREN_PRIVATE_BYTES, 1e9},
                  {WATCH_CHILDREN_SHARED_BYTES, 6e9},
                  {WATCH_CHILDREN_FDS, 80},
                  {WATCH_SHM_BYTES, 5e7},
                  {WATCH_SHM_FILES, 8},
                  {WATCH_GPU0_BYTES, 5e9},
                  {WATCH_GPU_ORPHANS, 0},
                  {WATCH_MAIN_LOCKED_BYTES, 1e8},
                  {WATCH_MAIN_DEVICE_BYTES, 0},
                  {WATCH_MAIN_ARENA_MAPS, 6},
                  {WATCH_CGROUP_FILE_BYTES, 2e9},
                  {WATCH_MACHINE_UNEXPLAINED_BYTES, 1e9},
                  {WATCH_MACHINE_SLAB_BYTES, 5e8},
                  {WATCH_LIMIT_MEMORY_BYTES, 16e9},
                  {WATCH_LIMIT_MACHINE_BYTES, 64e9},
                  {WATCH_LIMIT_FDS, 1024},
                  {WATCH_LIMIT_THREADS, 4096},
                  {WATCH_LIMIT_SHM_BYTES, 8e9},
                  {WATCH_LIMIT_GPU0_BYTES, 24e9}};
    watch_sample_clear(s, t);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        s->value[levels[i].series] = levels[i].value;
    s->value[WATCH_MAIN_CPU_S] = 1.8 * t;
    s->value[WATCH_MAIN_READ_BYTES] = 5e6 * t;
}

/* A little noise, the same each time. */
static double noise(double t, double size)
{
    return size * fabs(sin(t * 0.37) * cos(t * 0.011));
}

static void epochs(watch_sample *s, double t)
{
    s->value[WATCH_WORK_EPOCH] = floor(t / 600);
}

static void frames(watch_sample *s, double t)
{
    s->value[WATCH_WORK_FRAMES] = floor(t * 25);
}

static void add(watch_sample *s, watch_series series, double value)
{
    s->value[series] += value;
}

static void cow(watch_sample *s, double t)
{
    epochs(s, t);
    add(s, WATCH_CHILDREN_PRIVATE_BYTES, 300 * MB * t / HOUR + noise(t, 5 * MB));
    add(s, WATCH_CHILDREN_SHARED_BYTES, -300 * MB * t / HOUR);
}

static void worker(watch_sample *s, double t)
{
    epochs(s, t);
    add(s, WATCH_CHILDREN_ANON_BYTES, 300 * MB * t / HOUR + noise(t, 5 * MB));
    add(s, WATCH_CHILDREN_PRIVATE_BYTES, 300 * MB * t / HOUR + noise(t, 5 * MB));
}

static void workers_left(watch_sample *s, double t)
{
    epochs(s, t);
    add(s, WATCH_CHILDREN_COUNT, floor(t / 600) * 2);
    add(s, WATCH_CHILDREN_ANON_BYTES, floor(t / 600) * 2 * 20 * MB);
    add(s, WATCH_CHILDREN_PRIVATE_BYTES, floor(t / 600) * 2 * 20 * MB);
}

static void pinned(watch_sample *s, double t)
{
    epochs(s, t);
    const double grown = floor(t / 1800) * 128 * MB;
    add(s, WATCH_MAIN_LOCKED_BYTES, grown);
    add(s, WATCH_MAIN_ANON_BYTES, grown + noise(t, 4 * MB));
}

static void gpu_kept(watch_sample *s, double t)
{
    s->value[WATCH_WORK_STEP] = floor(t);
    add(s, WATCH_GPU0_BYTES, floor(t) * 0.13 * MB);
}

static void gpu_streams(watch_sample *s, double t)
{
    s->value[WATCH_WORK_EPOCH] = floor(t / 3600);
    add(s, WATCH_GPU0_BYTES, floor(t / 3600) * 400 * MB);
}

static void kept_frames(watch_sample *s, double t)
{
    frames(s, t);
    add(s, WATCH_MAIN_ANON_BYTES, floor(t * 25) * 4096 + noise(t, 4 * MB));
}

static void kept_by_callback(watch_sample *s, double t)
{
    epochs(s, t);
    add(s, WATCH_MAIN_ANON_BYTES, floor(t / 600) * 40 * MB + noise(t, 4 * MB));
}

static void scanned_list(watch_sample *s, double t)
{
    frames(s, t);
    add(s, WATCH_MAIN_ANON_BYTES, floor(t * 25) * 3000 + noise(t, 4 * MB));
    s->value[WATCH_MAIN_CPU_S] = t * (0.5 + t / (40 * HOUR));
}

static void capture(watch_sample *s, double t)
{
    const double n = floor(t / 300);
    s->value[WATCH_WORK_RECONNECTS] = n;
    add(s, WATCH_MAIN_FDS, n);
    add(s, WATCH_MAIN_FDS_SOCKET, n);
    add(s, WATCH_MAIN_THREADS, n);
    add(s, WATCH_MAIN_ANON_BYTES, n * 25 * MB);
}

static void ipc_fds(watch_sample *s, double t)
{
    s->value[WATCH_WORK_STEP] = floor(t);
    add(s, WATCH_MAIN_FDS, floor(t / 150));
    add(s, WATCH_MAIN_FDS_PIPE, floor(t / 150));
}

static void shm(watch_sample *s, double t)
{
    s->value[WATCH_WORK_STEP] = floor(t);
    add(s, WATCH_SHM_BYTES, floor(t) * 60e3);
    add(s, WATCH_SHM_FILES, floor(t / 20));
}

static void log_writer(watch_sample *s, double t)
{
    const double n = floor(t / 400);
    s->value[WATCH_WORK_RUNS] = n;
    add(s, WATCH_MAIN_FDS, n);
    add(s, WATCH_MAIN_FDS_EVENTS_FILE, n);
    add(s, WATCH_MAIN_THREADS, n);
    add(s, WATCH_MAIN_ANON_BYTES, n * 30 * MB);
}

static void arenas(watch_sample *s, double t)
{
    add(s, WATCH_MAIN_ARENA_MAPS, floor(t / 700));
    add(s, WATCH_MAIN_ANON_BYTES, floor(t / 700) * 60 * MB + noise(t, 2 * MB));
}

/* All three children have read their lists: the parent's pages became its own. */
static void cow_of_parent(watch_sample *s, double t)
{
    cow(s, t);
    s->value[WATCH_MAIN_USS_BYTES] = 1e9 + 100 * MB * t / HOUR + noise(t, 5 * MB);
}

static void orphans_of_workers(watch_sample *s, double t)
{
    const double n = floor(t / 1200);
    epochs(s, t);
    add(s, WATCH_CHILDREN_COUNT, n);
    add(s, WATCH_CHILDREN_ORPHANS, n);
    add(s, WATCH_CHILDREN_ANON_BYTES, n * 80 * MB);
    add(s, WATCH_CHILDREN_PRIVATE_BYTES, n * 80 * MB);
}

static void kernel(watch_sample *s, double t)
{
    add(s, WATCH_MACHINE_UNEXPLAINED_BYTES, 1.2 * GB * t / HOUR + noise(t, 20 * MB));
}

static void orphans(watch_sample *s, double t)
{
    add(s, WATCH_GPU_ORPHANS, floor(t / 1200));
}

/* Ten hours of work, then a lock that nobody releases. */
static void hang(watch_sample *s, double t)
{
    const double worked_s = fmin(t, 10 * HOUR);
    epochs(s, worked_s);
    s->value[WATCH_MAIN_CPU_S] = 1.8 * worked_s;
    s->value[WATCH_MAIN_READ_BYTES] = 5e6 * worked_s;
}

/* The same, but it computes on: one very long validation. */
static void long_validation(watch_sample *s, double t)
{
    epochs(s, fmin(t, 10 * HOUR));
}

/* New maxima of what the GPU's allocator reserves, ever more seldom. */
static void gpu_cache(watch_sample *s, double t)
{
    s->value[WATCH_WORK_SHAPES] = floor(20 * log1p(t / HOUR));
    add(s, WATCH_GPU0_BYTES, s->value[WATCH_WORK_SHAPES] * 120 * MB);
}

static bool is_called(watch_state s)
{
    return s == WATCH_LEAKING || s == WATCH_CRITICAL || s == WATCH_HUNG;
}

/* Runs a case; the last event that calls the series leaking, critical or hung is in *out. */
static bool leak_is_called(watch_event *out, void (*job)(watch_sample *s, double t),
                           watch_series series)
{
    base_mem mem = {.tag = "test"};
    vg_error err;
    watch_judge *j;
    watch_sample s;
    watch_event e;
    bool found = false;
    const watch_judge_options o = {0};
    assert_int_equal(watch_judge_create(&j, &o, &mem, &err), VG_OK);
    const uint64_t n_allocs = mem.n_allocs;
    for (double t = 0; t < HOURS * HOUR; t += INTERVAL_S) {
        quiet(&s, t);
        job(&s, t);
        watch_judge_push(j, &s);
        while (watch_judge_next(j, &e))
            if (e.series == series && is_called(e.verdict.state)) {
                *out = e;
                found = true;
            }
    }
    assert_int_equal(mem.n_allocs, n_allocs);
    watch_judge_destroy(&j);
    assert_int_equal(mem.in_use_bytes, 0);
    return found;
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
    };
    int n_wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        watch_event e = {.rule = "not called"};
        leak_is_called(&e, cases[i].job, cases[i].series);
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
    assert_true(leak_is_called(&e, own_cgroup, WATCH_CGROUP_ANON_BYTES));
    assert_false(leak_is_called(&e, gpu_cache, WATCH_GPU0_BYTES)); /* R6 */
    assert_false(leak_is_called(&e, long_validation, WATCH_WORK_IDLE_S));
    assert_false(leak_is_called(&e, lazy_pools, WATCH_MAIN_THREADS));
    assert_false(leak_is_called(&e, lazy_pools, WATCH_MAIN_FDS));
    assert_false(leak_is_called(&e, page_cache, WATCH_CGROUP_CURRENT_BYTES));
    assert_false(leak_is_called(&e, mapped_files, WATCH_MAIN_RSS_BYTES)); /* R15 */
}

/* One event tells the cause; what rises with it only names that one. */
static void one_leak_is_told_once(void **state)
{
    (void)state;
    watch_event anon = {0}, cgroup = {0};
    assert_true(leak_is_called(&anon, own_cgroup, WATCH_MAIN_ANON_BYTES));
    assert_true(leak_is_called(&cgroup, own_cgroup, WATCH_CGROUP_ANON_BYTES));
    assert_null(cgroup.with); /* it has less headroom, and is called first */
    assert_non_null(anon.with);
    assert_string_equal(anon.with, "cgroup.anon_bytes");
    assert_string_equal(cgroup.rule, anon.rule);
}

static void the_rate_per_unit_is_what_was_planted(void **state)
{
    (void)state;
    watch_event e = {0};
    assert_true(leak_is_called(&e, kept_by_callback, WATCH_MAIN_ANON_BYTES));
    assert_true(fabs(e.verdict.per_unit / (40 * MB) - 1) < 0.1);
    assert_true(leak_is_called(&e, capture, WATCH_MAIN_FDS));
    assert_true(fabs(e.verdict.per_unit - 1) < 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_case_is_named_by_its_rule),
                                       cmocka_unit_test(what_is_no_leak_is_not_called_one),
                                       cmocka_unit_test(one_leak_is_told_once),
                                       cmocka_unit_test(the_rate_per_unit_is_what_was_planted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
