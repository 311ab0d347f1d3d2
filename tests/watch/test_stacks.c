/* The sampler, preloaded for real, and what the guard makes of its tables. */
#include "support/test.h"

#include <signal.h>
#include <zlib.h>

#include "stacks_run.h"
#include "watch/tell/sinks.h"

static void every_kind_of_allocation_is_seen_and_forgotten(void **state)
{
    (void)state;
    job j;
    size_t n;
    start(&j, STACKS_JOB, "kinds", 1); /* every one is a sample */
    await(&j);
    look(&j);
    test_near(live_of(&j, "keep_kinds", &n), 900 * 1000 + 100 * 1024, 16);
    assert_int_equal(n, 1001); /* and the one of 8 bytes that a failed realloc left */
    go_on(&j);
    await(&j);
    look(&j);
    test_near(live_of(&j, "keep_kinds", &n), 8, 0.1);
    assert_int_equal(n, 1);
    go_on(&j);
    assert_int_equal(finish(&j), 0);
}

static void the_faster_leak_comes_first_and_noise_does_not_grow(void **state)
{
    (void)state;
    job j;
    watch_named n;
    vg_error err;
    start(&j, STACKS_JOB, "leaks", 64 * 1024);
    for (int phase = 0; phase < 12; phase++) {
        await(&j);
        look(&j);
        go_on(&j);
    }
    assert_int_equal(watch_named_make(&n, j.stacks, &j.mem, &err), VG_OK);
    assert_true(n.n_groups >= 2);
    assert_string_equal(watch_named_text(&n, n.groups[0].who->function), "leak_fast");
    assert_string_equal(watch_named_text(&n, n.groups[1].who->function), "leak_slow");
    const double fast = n.groups[0].slope_per_s, slow = n.groups[1].slope_per_s;
    /* 400 * 12,000 bytes each 10 s: 73 samples a look. */
    assert_true(fast > 480e3 * 0.8 && fast < 480e3 * 1.2);
    assert_true(fast / slow > 2.2 && fast / slow < 4.1);
    for (size_t g = 2; g < n.n_groups; g++)
        assert_true(n.groups[g].growth_bytes == 0);
    watch_named_fini(&n);
    assert_int_equal(finish(&j), 0);
}

static void a_child_begins_anew_and_leaves_its_parents_table_alone(void **state)
{
    (void)state;
    job j;
    size_t n;
    watch_stacks_facts f;
    start(&j, STACKS_JOB, "forks", 1);
    await(&j); /* the child's byte */
    look(&j);
    test_near(live_of(&j, "keep_parents", &n), 1e6, 16);
    assert_int_equal(n, 1000);
    test_near(live_of(&j, "keep_childs", &n), 5e5, 16);
    watch_stacks_facts_get(&f, j.stacks);
    assert_int_equal(f.n_processes, 2);
    assert_int_equal(f.n_lost, 0);
    go_on(&j);
    assert_int_equal(finish(&j), 0);
}

static void threads_and_forks_between_them_leave_nothing_behind(void **state)
{
    (void)state;
    job j;
    size_t n;
    start(&j, STACKS_JOB, "threads", 512);
    await(&j);
    look(&j);
    test_near(live_of(&j, "hammer", &n), 0, 0);
    watch_stacks_facts f;
    watch_stacks_facts_get(&f, j.stacks);
    assert_true(f.n_samples > 10000);
    go_on(&j);
    assert_int_equal(finish(&j), 0);
}

static void stacks_of_a_library_that_is_gone_are_told_by_its_name(void **state)
{
    (void)state;
    job j;
    vg_error err;
    watch_named n;
    bool found = false;
    start(&j, STACKS_JOB, "plugin", 1);
    await(&j);
    look(&j);
    assert_int_equal(watch_named_make(&n, j.stacks, &j.mem, &err), VG_OK);
    for (size_t s = 0; s < n.n_stacks; s++)
        for (uint32_t f = 0; f < n.stacks[s]->n_frames; f++)
            found |=
                strstr(watch_stacks_module(j.stacks, n.stacks[s]->frame[f]), "libz.so") != NULL;
    assert_true(found);
    watch_named_fini(&n);
    go_on(&j);
    assert_int_equal(finish(&j), 0);
}

/* Fields of a protobuf message: how many of one number there are; -1: broken. */
static int count_fields(const uint8_t *p, size_t n, unsigned wanted)
{
    int count = 0;
    size_t i = 0;
    while (i < n) {
        uint64_t value[2] = {0}; /* tag, and number or length */
        for (int v = 0; v < 2; v++)
            for (int shift = 0; i < n; shift += 7) {
                value[v] |= (uint64_t)(p[i] & 127) << shift;
                if (p[i++] < 128)
                    break;
            }
        count += value[0] >> 3 == wanted;
        if ((value[0] & 7) == 2)
            i += value[1];
        else if ((value[0] & 7) != 0)
            return -1;
    }
    return i == n ? count : -1;
}

static void the_three_reports_hold_the_same_stacks(void **state)
{
    (void)state;
    job j;
    watch_named n;
    vg_error err;
    char path[512], *text;
    size_t n_text;
    start(&j, STACKS_JOB, "leaks", 4096);
    for (int phase = 0; phase < 12; phase++) {
        await(&j);
        look(&j);
        go_on(&j);
    }
    assert_int_equal(watch_named_make(&n, j.stacks, &j.mem, &err), VG_OK);
    base_format(path, sizeof path, "%s/report", j.folder);
    assert_int_equal(watch_stacks_text(&n, path, &j.mem, &err), VG_OK);
    assert_int_equal(base_file_read(&text, &n_text, path, 1 << 24, &j.mem, &err), VG_OK);
    assert_non_null(strstr(text, "leak_fast (stacks_job.c:"));
    assert_non_null(strstr(text, ", grew by "));
    base_free(text);
    assert_int_equal(watch_stacks_folded(&n, path, &j.mem, &err), VG_OK);
    assert_int_equal(base_file_read(&text, &n_text, path, 1 << 24, &j.mem, &err), VG_OK);
    assert_non_null(strstr(text, ";leak_phases;leak_fast "));
    size_t n_lines = 0;
    for (const char *c = text; (c = strchr(c, '\n')) != NULL; c++)
        n_lines++;
    assert_int_equal(n_lines, n.n_stacks);
    base_free(text);
    assert_int_equal(watch_stacks_pprof(&n, path, 1, &j.mem, &err), VG_OK);
    gzFile gz = gzopen(path, "rb");
    static uint8_t profile[1 << 20];
    const int n_profile = gzread(gz, profile, sizeof profile);
    gzclose(gz);
    assert_true(n_profile > 100);
    assert_int_equal(count_fields(profile, (size_t)n_profile, 1), 3);
    assert_int_equal(count_fields(profile, (size_t)n_profile, 2), n.n_stacks);
    assert_int_equal(count_fields(profile, (size_t)n_profile, 4), n.n_frames);
    unlink(path);
    watch_named_fini(&n);
    assert_int_equal(finish(&j), 0);
}

static void a_damaged_table_is_survived(void **state)
{
    (void)state;
    job j;
    char path[512];
    size_t n;
    base_rng rng = base_rng_make(7);
    start(&j, STACKS_JOB, "kinds", 1);
    await(&j);
    stacks_table *t = base_alloc_zero(&j.mem, 1, sizeof *t, NULL);
    for (size_t i = 0; i < sizeof *t; i++)
        ((uint8_t *)t)[i] = (uint8_t)base_rng_next(&rng);
    t->header.magic = STACKS_MAGIC;
    t->header.n_bytes = sizeof *t;
    t->header.pid = getpid();
    t->header.opened_ns = UINT64_MAX / 2;
    t->header.rate_bytes = 1;
    for (size_t i = 0; i < STACKS_MOST_STACKS; i += 2) { /* half of them look right */
        t->stack[i].state = STACKS_READY;
        t->stack[i].n_frames %= STACKS_MOST_FRAMES + 2;
    }
    for (size_t i = 0; i < STACKS_MOST_MODULES; i++)
        t->module[i].state = STACKS_READY;
    for (size_t b = 0; b < STACKS_N_BUCKETS; b++)
        for (size_t w = 0; w < STACKS_WAYS; w++)
            t->sample[b][w].stack %= 2 * STACKS_MOST_STACKS;
    base_format(path, sizeof path, "%s/stacks/63.stacks", j.folder);
    vg_error err;
    assert_int_equal(base_file_replace(path, t, sizeof *t, &err), VG_OK);
    base_free(t);
    look(&j); /* nonsense, but no crash; and what comes after is right again */
    unlink(path);
    look(&j);
    test_near(live_of(&j, "keep_kinds", &n), 900 * 1000 + 100 * 1024, 16);
    go_on(&j);
    await(&j);
    go_on(&j);
    assert_int_equal(finish(&j), 0);
}

static void write_table(const job *j, int number, const stacks_header *header, size_t n_bytes)
{
    char path[512];
    vg_error err;
    base_format(path, sizeof path, "%s/stacks/%02d.stacks", j->folder, number);
    assert_int_equal(base_file_replace(path, header, n_bytes, &err), VG_OK);
}

static bool remove_table(const job *j, int number)
{
    char path[512];
    base_format(path, sizeof path, "%s/stacks/%02d.stacks", j->folder, number);
    return unlink(path) == 0;
}

/* A guard that starts while the job does takes no table from it, whole or not yet. */
static void tables_that_are_being_opened_stay(void **state)
{
    (void)state;
    job j;
    vg_error err;
    watch_stacks *second;
    start(&j, STACKS_JOB, "kinds", 1);
    await(&j);
    const stacks_header living = {.pid = getpid(), .opened_ns = UINT64_MAX / 2};
    const stacks_header dead = {.pid = INT32_MAX, .opened_ns = UINT64_MAX / 2};
    write_table(&j, 60, &living, 0);
    write_table(&j, 61, &living, sizeof living);
    write_table(&j, 62, &dead, sizeof dead);
    assert_int_equal(watch_stacks_create(&second, j.folder, &j.mem, &err), VG_OK);
    watch_stacks_look(second, 0);
    watch_stacks_facts f;
    watch_stacks_facts_get(&f, second);
    assert_int_equal(f.n_processes, 1);
    assert_true(remove_table(&j, 60));
    assert_true(remove_table(&j, 61));
    assert_false(remove_table(&j, 62));
    watch_stacks_destroy(&second);
    go_on(&j);
    await(&j);
    go_on(&j);
    assert_int_equal(finish(&j), 0);
}

/* The sink as the guard calls it, over tables of a job that start() began in the same folder. */
static void the_evidence_of_a_leak_says_who(void **state)
{
    (void)state;
    job j;
    vg_error err;
    watch_options o;
    bool wanted = false;
    static watch_event e;
    char path[512];
    watch_options_default(&o);
    o.stacks = true;
    o.interval_s = 0.05;
    start(&j, STACKS_JOB, "leaks_long", 16 * 1024);
    const watch_moment m = {.options = &o, .folder = j.folder};
    const watch_sink *sink = &watch_sink_stacks;
    void *s = base_alloc_zero(&j.mem, 1, sink->state_bytes, NULL);
    assert_int_equal(sink->open(s, &wanted, &m, &j.mem, &err), VG_OK);
    assert_true(wanted);
    for (int phase = 0; phase < 36; phase++) {
        await(&j);
        usleep(60000);
        assert_int_equal(sink->sample(s, &m, &err), VG_OK);
        if (phase < 35)
            go_on(&j);
    }
    e.series = WATCH_MAIN_FDS;
    e.verdict.state = WATCH_LEAKING;
    assert_int_equal(sink->explain(s, &e, &m, &err), VG_OK);
    assert_string_equal(e.evidence, "");
    e.series = WATCH_MAIN_ANON_BYTES;
    base_format(e.evidence, sizeof e.evidence, "rose");
    assert_int_equal(sink->explain(s, &e, &m, &err), VG_OK);
    assert_int_equal(strncmp(e.evidence, "rose; who: leak_fast (stacks_job.c:", 35), 0);
    sink->close(s);
    base_free(s);
    static const char *const files[] = {"stacks.txt", "stacks.folded", "stacks.pb.gz"};
    for (int i = 0; i < 3; i++) {
        base_format(path, sizeof path, "%s/%s", j.folder, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    go_on(&j);
    assert_int_equal(finish(&j), 0);
}

static void others_preloads_stay(void **state)
{
    (void)state;
    watch_options o;
    watch_stacks_env room;
    const char *env[MOST_ENV] = {"A=1", "LD_PRELOAD=libjemalloc.so.2", "B=2"};
    vg_error err;
    watch_options_default(&o);
    assert_int_equal(watch_stacks_env_add(&room, env, MOST_ENV, &o, "/x", &err), VG_OK);
    assert_null(env[3]); /* not asked for */
    o.stacks = true;
    assert_int_equal(watch_stacks_env_add(&room, env, MOST_ENV, &o, "/x", &err), VG_OK);
    assert_string_equal(env[1], "LD_PRELOAD=/x/libvigil-stacks.so:libjemalloc.so.2");
    assert_string_equal(env[3], "VIGIL_STACKS=/x/stacks");
    assert_string_equal(env[4], "VIGIL_STACKS_RATE=524288");
    assert_int_equal(watch_stacks_env_add(&room, env, MOST_ENV, &o, "/a b", &err), VG_ERR_LIMIT);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_allocation_is_seen_and_forgotten),
        cmocka_unit_test(the_faster_leak_comes_first_and_noise_does_not_grow),
        cmocka_unit_test(a_child_begins_anew_and_leaves_its_parents_table_alone),
        cmocka_unit_test(threads_and_forks_between_them_leave_nothing_behind),
        cmocka_unit_test(stacks_of_a_library_that_is_gone_are_told_by_its_name),
        cmocka_unit_test(the_three_reports_hold_the_same_stacks),
        cmocka_unit_test(a_damaged_table_is_survived),
        cmocka_unit_test(tables_that_are_being_opened_stay),
        cmocka_unit_test(the_evidence_of_a_leak_says_who),
        cmocka_unit_test(others_preloads_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
