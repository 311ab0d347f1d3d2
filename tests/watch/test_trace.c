/* test_trace.c: traces give back what was written, stand a kill, and say what is wrong with them.
 */
#include "support/test.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "watch/watch.h"

typedef struct bench {
    char path[64];
    base_mem mem;
    vg_error err;
} bench;

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test"}, .path = "/tmp/vigil-trace-XXXXXX"};
    close(mkstemp(b.path));
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bench *b = *state;
    unlink(b->path);
    return b->mem.in_use_bytes == 0 ? 0 : -1;
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void append_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static watch_sample make(double time_s, double anon, double epoch)
{
    watch_sample s;
    watch_sample_clear(&s, time_s);
    s.value[WATCH_MAIN_ANON_BYTES] = anon;
    s.value[WATCH_WORK_EPOCH] = epoch;
    return s;
}

static void same(const watch_sample *a, const watch_sample *b)
{
    assert_true(a->time_s == b->time_s);
    for (int i = 0; i < WATCH_N_SERIES; i++)
        assert_true(a->value[i] == b->value[i] || (isnan(a->value[i]) && isnan(b->value[i])));
}

static void write_samples(bench *b, const watch_sample *s, size_t n)
{
    watch_trace_writer *w;
    assert_int_equal(watch_trace_create(&w, b->path, &b->mem, &b->err), VG_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(watch_trace_add(w, &s[i], &b->err), VG_OK);
    assert_int_equal(watch_trace_finish(&w, &b->err), VG_OK);
}

static size_t read_samples(bench *b, watch_sample *out, size_t most)
{
    watch_trace_reader *r;
    bool end = false;
    size_t n = 0;
    assert_int_equal(watch_trace_open(&r, b->path, &b->mem, &b->err), VG_OK);
    while (n < most) {
        assert_int_equal(watch_trace_next(r, &out[n], &end, &b->err), VG_OK);
        if (end)
            break;
        n++;
    }
    watch_trace_close(&r);
    return n;
}

static void what_is_written_is_read_to_the_last_bit(void **state)
{
    bench *b = *state;
    const watch_sample s[] = {make(0, 1e9 / 3, 0), make(5.1, 123456789012345.0, NAN),
                              make(10.2, 0, 1)};
    watch_sample got[4];
    write_samples(b, s, 2);
    write_samples(b, s + 2, 1); /* appends */
    assert_int_equal(read_samples(b, got, 4), 3);
    for (int i = 0; i < 3; i++)
        same(&got[i], &s[i]);
}

static void a_torn_last_row_is_cut_off(void **state)
{
    bench *b = *state;
    const watch_sample s[] = {make(0, 1, 0), make(5, 2, 1)};
    watch_sample got[4];
    write_samples(b, s, 1);
    append_text(b->path, "5,main.anon_by");
    write_samples(b, s + 1, 1);
    assert_int_equal(read_samples(b, got, 4), 2);
    same(&got[1], &s[1]);
}

static void rows_of_one_moment_are_one_sample(void **state)
{
    bench *b = *state;
    write_text(b->path, "time_s,series,value\r\n0,main.fds,12\r\n0,some.thing,1\n\n"
                        "0,main.threads,nan\n7.5,main.fds,13");
    watch_sample got[3];
    assert_int_equal(read_samples(b, got, 3), 2);
    assert_true(got[0].value[WATCH_MAIN_FDS] == 12 && isnan(got[0].value[WATCH_MAIN_THREADS]));
    assert_true(got[1].time_s == 7.5 && got[1].value[WATCH_MAIN_FDS] == 13);
}

/* A text is told when it changes; its commas are its own. */
static void texts_are_kept_beside_the_numbers(void **state)
{
    bench *b = *state;
    watch_sample s[] = {make(0, 1, 0), make(5, 2, 0), make(9, 3, 0)}, got[4];
    base_format(s[0].text[WATCH_TEXT_FILES], sizeof s[0].text[0], "40 times /a, \"b\".csv");
    memcpy(s[1].text, s[0].text, sizeof s[0].text);
    base_format(s[2].text[WATCH_TEXT_FILES], sizeof s[0].text[0], "41 times /a");
    write_samples(b, s, 3);
    assert_int_equal(read_samples(b, got, 4), 3);
    assert_string_equal(got[0].text[WATCH_TEXT_FILES], s[0].text[WATCH_TEXT_FILES]);
    assert_string_equal(got[1].text[WATCH_TEXT_FILES], "");
    assert_string_equal(got[2].text[WATCH_TEXT_FILES], "41 times /a");
    same(&got[1], &s[1]);
    /* What a foreign trace holds comes to no terminal as it is. */
    write_text(b->path, "time_s,series,value\n0,main.fds,1\n0,main.fds_most,a\033[2J\xff\n");
    assert_int_equal(read_samples(b, got, 4), 1);
    assert_string_equal(got[0].text[WATCH_TEXT_FILES], "a\\x1b[2J\\xff");
}

static void a_series_nobody_knows_is_counted(void **state)
{
    bench *b = *state;
    write_text(b->path, "time_s,series,value\n0,a.b,1\n0,main.fds,2\n1,a.b,1\n");
    watch_trace_reader *r;
    watch_sample got;
    bool end = false;
    assert_int_equal(watch_trace_open(&r, b->path, &b->mem, &b->err), VG_OK);
    while (!end)
        assert_int_equal(watch_trace_next(r, &got, &end, &b->err), VG_OK);
    assert_int_equal(watch_trace_n_unknown(r), 2);
    watch_trace_close(&r);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    bench *b = *state;
    static const struct {
        const char *text, *where;
    } cases[] = {
        {"", ":1"},
        {"time,series,value\n", ":1"},
        {"time_s,series,value\n1,main.fds\n", ":2, field 1"},
        {"time_s,series,value\n1,main.fds,1\n0,main.fds,1\n", ":3, field 1"},
        {"time_s,series,value\nx,main.fds,1\n", ":2, field 1"},
        {"time_s,series,value\n1,main.fds,many\n", ":2, field 3"},
        {"time_s,series,value\n1,main.fds,1,2\n", ":2, field 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        watch_trace_reader *r;
        watch_sample got;
        bool end = false;
        write_text(b->path, cases[i].text);
        assert_int_equal(watch_trace_open(&r, b->path, &b->mem, &b->err), VG_OK);
        vg_status st = VG_OK;
        while (st == VG_OK && !end)
            st = watch_trace_next(r, &got, &end, &b->err);
        assert_int_equal(st, VG_ERR_FORMAT);
        assert_non_null(strstr(b->err.where, cases[i].where));
        watch_trace_close(&r);
    }
}

static void a_row_without_end_is_refused(void **state)
{
    bench *b = *state;
    static char text[1 << 17];
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "time_s,series,value\n", 20);
    write_text(b->path, text);
    watch_trace_reader *r;
    watch_sample got;
    bool end;
    assert_int_equal(watch_trace_open(&r, b->path, &b->mem, &b->err), VG_OK);
    assert_int_equal(watch_trace_next(r, &got, &end, &b->err), VG_ERR_FORMAT);
    assert_non_null(strstr(b->err.where, ":2"));
    watch_trace_close(&r);
}

static void a_file_that_is_no_trace_is_not_written_to(void **state)
{
    bench *b = *state;
    watch_trace_writer *w;
    write_text(b->path, "dear diary\n");
    assert_int_equal(watch_trace_create(&w, b->path, &b->mem, &b->err), VG_ERR_FORMAT);
    char text[32] = "";
    FILE *f = fopen(b->path, "r");
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    assert_string_equal(text, "dear diary\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(what_is_written_is_read_to_the_last_bit),
                                       TEST(a_torn_last_row_is_cut_off),
                                       TEST(texts_are_kept_beside_the_numbers),
                                       TEST(rows_of_one_moment_are_one_sample),
                                       TEST(a_series_nobody_knows_is_counted),
                                       TEST(what_is_wrong_is_said_with_its_line),
                                       TEST(a_row_without_end_is_refused),
                                       TEST(a_file_that_is_no_trace_is_not_written_to)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
