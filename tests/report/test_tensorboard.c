/* test_tensorboard.c: event files hold whole records with right checksums, whatever the disk does.
 * The records are read by a reader of our own; check_tensorboard.py reads them with the real one.
 */
#include "support.h"

#include <math.h>

#include "report/crc32c.h"

/* ---- an independent reader ---- */

/* Bit by bit, from the definition. */
static uint32_t slow_crc(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

static uint32_t masked(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

typedef struct event {
    double wall_time;
    int64_t step;
    char version[64], tag[600], plugin[32];
    float value;
    const uint8_t *picture; /* into the file's bytes */
    size_t n_picture;
    int w, h, restart;
} event;

static uint64_t varint(const uint8_t **p)
{
    uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
        v |= (uint64_t)(**p & 0x7f) << shift;
        if (*(*p)++ < 0x80)
            return v;
    }
}

/* path: the numbers of the messages around, as decimal digits. */
static void read_message(event *e, const uint8_t *p, const uint8_t *end, int path)
{
    while (p < end) {
        uint64_t key = varint(&p), field = key >> 3;
        int at = path * 10 + (int)field;
        if ((key & 7) == 0) {
            uint64_t v = varint(&p);
            if (at == 2)
                e->step = (int64_t)v;
            else if (at == 71)
                e->restart = (int)v;
            else if (at == 5141)
                e->h = (int)v;
            else if (at == 5142)
                e->w = (int)v;
            else if (at == 5143)
                assert_int_equal(v, 3);
            else
                fail_msg("field %d", at);
        } else if ((key & 7) == 1) {
            assert_int_equal(at, 1);
            memcpy(&e->wall_time, p, 8);
            p += 8;
        } else if ((key & 7) == 5) {
            assert_int_equal(at, 512);
            memcpy(&e->value, p, 4);
            p += 4;
        } else {
            assert_int_equal(key & 7, 2);
            size_t n = (size_t)varint(&p);
            assert_true(n <= (size_t)(end - p));
            char *text = at == 3 ? e->version : at == 511 ? e->tag : at == 51911 ? e->plugin : NULL;
            if (text != NULL) {
                memcpy(text, p, n);
                text[n] = '\0';
            } else if (at == 5144) {
                e->picture = p;
                e->n_picture = n;
            } else {
                assert_true(at == 5 || at == 7 || at == 51 || at == 514 || at == 519 || at == 5191);
                read_message(e, p, p + n, at);
            }
            p += n;
        }
    }
}

/* Checks every frame of the file; at most `most` events. Returns their number. */
static size_t read_events(event *events, size_t most, const char *bytes, size_t n_bytes)
{
    size_t n = 0;
    const uint8_t *p = (const uint8_t *)bytes, *end = p + n_bytes;
    while (p < end) {
        uint64_t length;
        uint32_t crc;
        assert_true(end - p >= 16);
        memcpy(&length, p, 8);
        memcpy(&crc, p + 8, 4);
        assert_int_equal(crc, masked(slow_crc(p, 8)));
        assert_true((uint64_t)(end - p) >= 16 + length);
        memcpy(&crc, p + 12 + length, 4);
        assert_int_equal(crc, masked(slow_crc(p + 12, length)));
        assert_true(n < most);
        events[n] = (event){0};
        read_message(&events[n++], p + 12, p + 12 + length, 0);
        p += 16 + length;
    }
    return n;
}

/* ---- tests ---- */

static void checksums_are_those_of_the_standard(void **state)
{
    (void)state;
    /* RFC 3720, B.4 */
    uint8_t bytes[32] = {0};
    assert_int_equal(report_crc32c(0, bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, 32);
    assert_int_equal(report_crc32c(0, bytes, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(report_crc32c(0, bytes, 32), 0x46dd794eu);
    assert_int_equal(report_crc32c(report_crc32c(0, bytes, 7), bytes + 7, 25), 0x46dd794eu);
    assert_int_equal(report_crc32c(0, "123456789", 9), 0xe3069283u);
    for (size_t n = 0; n <= 32; n++)
        assert_int_equal(report_crc32c(0, bytes, n), slow_crc(bytes, n));
}

static void events_come_back_as_written(void **state)
{
    bench *b = *state;
    enum { N = 1000 };
    static event events[N + 10];
    report_events *e;
    char path[512];
    assert_int_equal(report_events_open(&e, b->folder, -1, &b->mem, &b->err), VG_OK);
    snprintf(path, sizeof path, "%s", report_events_path(e));
    assert_non_null(strstr(path, "/events.out.tfevents."));
    for (int i = 0; i < N; i++)
        assert_int_equal(
            report_events_scalar(e, i % 2 ? "train/box_loss" : "größe", i, 0.5 * i, &b->err),
            VG_OK);
    assert_int_equal(report_events_scalar(e, "x", INT64_C(-5), NAN, &b->err), VG_OK);
    assert_int_equal(report_events_close(&e, &b->err), VG_OK);
    assert_null(e);

    size_t n;
    char *bytes = read_text(b, path, &n);
    assert_int_equal(read_events(events, N + 10, bytes, n), N + 2);
    assert_string_equal(events[0].version, "brain.Event:2");
    for (int i = 0; i < N; i++) {
        const event *v = &events[i + 1];
        assert_int_equal(v->step, i);
        assert_true(v->value == 0.5f * (float)i);
        assert_string_equal(v->tag, i % 2 ? "train/box_loss" : "größe");
        assert_string_equal(v->plugin, "scalars");
        assert_true(v->wall_time > 1.6e9 && v->wall_time >= events[i].wall_time);
    }
    assert_int_equal(events[N + 1].step, -5);
    assert_true(isnan(events[N + 1].value));
    base_free(bytes);
}

static void pictures_of_any_length_pass_through_the_buffer(void **state)
{
    bench *b = *state;
    enum { BUFFER = REPORT_EVENTS_BUFFER_BYTES };
    static uint8_t picture[5 * BUFFER];
    static const size_t SIZES[] = {0,           1,          BUFFER - 200, BUFFER - 100, BUFFER - 90,
                                   BUFFER - 80, BUFFER - 1, BUFFER,       3 * BUFFER,   5 * BUFFER};
    for (size_t i = 0; i < sizeof picture; i++)
        picture[i] = (uint8_t)(i * 7 + i / 251);
    for (size_t s = 0; s < sizeof SIZES / sizeof SIZES[0]; s++) {
        report_events *e;
        char path[512];
        event events[5];
        assert_int_equal(report_events_open(&e, b->folder, -1, &b->mem, &b->err), VG_OK);
        snprintf(path, sizeof path, "%s", report_events_path(e));
        uint64_t n_allocs = b->mem.n_allocs;
        assert_int_equal(report_events_scalar(e, "a", 1, 1, &b->err), VG_OK);
        assert_int_equal(report_events_image(e, "p", 2, picture, SIZES[s], 64, 48, &b->err), VG_OK);
        assert_int_equal(report_events_scalar(e, "b", 3, 3, &b->err), VG_OK);
        assert_int_equal(b->mem.n_allocs, n_allocs);
        assert_int_equal(report_events_close(&e, &b->err), VG_OK);
        size_t n;
        char *bytes = read_text(b, path, &n);
        assert_int_equal(read_events(events, 5, bytes, n), 4);
        assert_int_equal(events[2].n_picture, SIZES[s]);
        assert_int_equal(events[2].w, 64);
        assert_int_equal(events[2].h, 48);
        assert_string_equal(events[2].plugin, "images");
        if (SIZES[s] > 0)
            assert_memory_equal(events[2].picture, picture, SIZES[s]);
        assert_string_equal(events[3].tag, "b");
        base_free(bytes);
        unlink(path);
    }
}

static void a_restart_says_from_which_step(void **state)
{
    bench *b = *state;
    report_events *e;
    char path[512];
    event events[3];
    size_t n;
    assert_int_equal(report_events_open(&e, b->folder, 40, &b->mem, &b->err), VG_OK);
    snprintf(path, sizeof path, "%s", report_events_path(e));
    assert_int_equal(report_events_close(&e, &b->err), VG_OK);
    char *bytes = read_text(b, path, &n);
    assert_int_equal(read_events(events, 3, bytes, n), 2);
    assert_int_equal(events[1].restart, 1);
    assert_int_equal(events[1].step, 40);
    base_free(bytes);
}

static void what_was_flushed_is_in_the_file_and_the_rest_waits(void **state)
{
    bench *b = *state;
    report_events *e;
    assert_int_equal(report_events_open(&e, b->folder, -1, &b->mem, &b->err), VG_OK);
    size_t head = file_bytes(report_events_path(e));
    assert_true(head > 0);
    assert_int_equal(report_events_scalar(e, "a", 1, 1, &b->err), VG_OK);
    assert_int_equal(file_bytes(report_events_path(e)), head);
    assert_int_equal(report_events_flush(e, &b->err), VG_OK);
    assert_true(file_bytes(report_events_path(e)) > head);
    assert_int_equal(report_events_close(&e, &b->err), VG_OK);
}

static void a_full_disk_leaves_whole_records_and_later_events_succeed(void **state)
{
    bench *b = *state;
    static uint8_t picture[200000];
    report_events *e;
    char path[512];
    static event events[100];
    for (size_t past = 1; past < 100; past += 7) {
        assert_int_equal(report_events_open(&e, b->folder, -1, &b->mem, &b->err), VG_OK);
        snprintf(path, sizeof path, "%s", report_events_path(e));
        assert_int_equal(report_events_scalar(e, "kept", 1, 1, &b->err), VG_OK);
        assert_int_equal(report_events_flush(e, &b->err), VG_OK);
        size_t whole = file_bytes(path);
        disk_full_at(whole + past * 900);
        for (int i = 0; i < 20; i++)
            assert_int_equal(report_events_scalar(e, "lost", 2, 2, &b->err), VG_OK);
        vg_status st = report_events_image(e, "lost", 2, picture, sizeof picture, 9, 9, &b->err);
        disk_full_at(0);
        assert_int_equal(st, VG_ERR_IO);
        assert_non_null(strstr(b->err.what, "cannot write events"));
        assert_int_equal(report_events_scalar(e, "later", 3, 3, &b->err), VG_OK);
        assert_int_equal(report_events_close(&e, &b->err), VG_OK);
        size_t n;
        char *bytes = read_text(b, path, &n);
        size_t n_events = read_events(events, 100, bytes, n);
        assert_true(n_events >= 3);
        assert_string_equal(events[1].tag, "kept");
        assert_string_equal(events[n_events - 1].tag, "later");
        for (size_t i = 0; i < n_events; i++)
            assert_int_equal(events[i].n_picture, 0);
        base_free(bytes);
        unlink(path);
    }
}

static void bad_tags_are_refused_and_nothing_is_written(void **state)
{
    bench *b = *state;
    static char long_tag[600];
    report_events *e;
    event events[3];
    char path[512];
    size_t n;
    memset(long_tag, 'x', 513);
    assert_int_equal(report_events_open(&e, b->folder, -1, &b->mem, &b->err), VG_OK);
    snprintf(path, sizeof path, "%s", report_events_path(e));
    assert_int_equal(report_events_scalar(e, "", 1, 1, &b->err), VG_ERR_ARGUMENT);
    assert_int_equal(report_events_scalar(e, "\xff", 1, 1, &b->err), VG_ERR_ARGUMENT);
    assert_int_equal(report_events_scalar(e, long_tag, 1, 1, &b->err), VG_ERR_ARGUMENT);
    long_tag[512] = '\0';
    assert_int_equal(report_events_scalar(e, long_tag, 1, 1, &b->err), VG_OK);
    assert_int_equal(report_events_close(&e, &b->err), VG_OK);
    char *bytes = read_text(b, path, &n);
    assert_int_equal(read_events(events, 3, bytes, n), 2);
    base_free(bytes);
}

static void two_writers_in_a_second_have_two_files(void **state)
{
    bench *b = *state;
    report_events *e[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(report_events_open(&e[i], b->folder, -1, &b->mem, &b->err), VG_OK);
    assert_string_not_equal(report_events_path(e[0]), report_events_path(e[1]));
    assert_string_not_equal(report_events_path(e[1]), report_events_path(e[2]));
    for (int i = 0; i < 3; i++)
        assert_int_equal(report_events_close(&e[i], &b->err), VG_OK);
}

static void no_folder_and_no_memory_are_errors(void **state)
{
    bench *b = *state;
    report_events *e;
    assert_int_equal(report_events_open(&e, in_folder(b, "no"), -1, &b->mem, &b->err), VG_ERR_IO);
    assert_null(e);
    b->mem.fail_in = 1;
    assert_int_equal(report_events_open(&e, b->folder, -1, &b->mem, &b->err), VG_ERR_MEMORY);
    assert_null(e);
    assert_int_equal(report_events_close(&e, &b->err), VG_OK);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(checksums_are_those_of_the_standard),
        TEST(events_come_back_as_written),
        TEST(pictures_of_any_length_pass_through_the_buffer),
        TEST(a_restart_says_from_which_step),
        TEST(what_was_flushed_is_in_the_file_and_the_rest_waits),
        TEST(a_full_disk_leaves_whole_records_and_later_events_succeed),
        TEST(bad_tags_are_refused_and_nothing_is_written),
        TEST(two_writers_in_a_second_have_two_files),
        TEST(no_folder_and_no_memory_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
