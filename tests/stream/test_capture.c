/* Captures over fake sources: states, back-off, giving up, stopping, and what the log says of it.
 */
#include "support/ok.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "stream/fake_sources.h"
#include "stream/in/capture.h"

/* The linker puts these in the places of base_now_ns and base_cond_wait: hours pass when a test
 * says so, and deadlines in that time are waited for in the real one. */
static _Atomic int64_t hours_ns;
int64_t __real_base_now_ns(void);
int64_t __wrap_base_now_ns(void);
int64_t __wrap_base_now_ns(void)
{
    return __real_base_now_ns() + atomic_load(&hours_ns);
}

bool __real_base_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t deadline_ns);
bool __wrap_base_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t deadline_ns);
bool __wrap_base_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t deadline_ns)
{
    const bool is_endless = deadline_ns == INT64_MAX;
    return __real_base_cond_wait(c, lock,
                                 is_endless ? deadline_ns : deadline_ns - atomic_load(&hours_ns));
}

typedef struct scene {
    base_mem mem;
    stream_intake *in;
    stream_capture *c;
    stream_channel_stats numbers, *stats;
    stream_capture_options o;
    pthread_t taker;
    _Atomic uint64_t n_taken;
    atomic_bool takes;
    int kept_stderr;
    char log_path[64];
    const char *log; /* what was said, after join */
} scene;

static void *take_all(void *self)
{
    scene *s = self;
    stream_taken got;
    while (atomic_load(&s->takes) || stream_intake_waiting(s->in, 0) > 0) {
        if (stream_intake_take(s->in, &got, 1, 10) == 0)
            continue;
        stream_intake_give_back(s->in, got.frame);
        atomic_fetch_add(&s->n_taken, 1);
    }
    return NULL;
}

static void begin(scene *s)
{
    memset(s, 0, sizeof *s);
    base_mem_init(&s->mem, "capture", NULL, 0);
    s->stats = &s->numbers;
    snprintf(s->stats->name, sizeof s->stats->name, "door");
    atomic_store(&s->stats->last_fault, -1);
    OK(stream_intake_create(&s->in, 1, 1, &s->mem, err));
    stream_intake_open_channel(s->in, 0, true);
    s->o = (stream_capture_options){
        .retry_first_s = 0.0005, .retry_most_s = 0.001, .video.format = "fake", .seed = 1};
    snprintf(s->log_path, sizeof s->log_path, "/tmp/vigil-log-XXXXXX");
    const int fd = mkstemp(s->log_path);
    assert_true(fd >= 0);
    s->kept_stderr = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    atomic_store(&s->takes, true);
    assert_int_equal(pthread_create(&s->taker, NULL, take_all, s), 0);
}

/* Texts are the test's own until start returns. */
static void start(scene *s, const char *const *texts, size_t n)
{
    static char own[8][256], format[8];
    const char *list[8];
    assert_true(n <= 8);
    snprintf(format, sizeof format, "fake");
    for (size_t i = 0; i < n; i++) {
        snprintf(own[i], sizeof own[i], "%s", texts[i]);
        list[i] = own[i];
    }
    s->o.texts = list;
    s->o.n_texts = n;
    s->o.video.format = format;
    OK(stream_capture_start(&s->c, &s->o, s->in, 0, s->stats, &s->mem, err));
    memset(own, '?', sizeof own);
    memset(format, '?', sizeof format);
    s->o.texts = NULL;
    s->o.video.format = "fake";
}

static void start_one(scene *s, const char *text)
{
    start(s, &text, 1);
}

static stream_state state_of(const scene *s)
{
    return (stream_state)atomic_load(&s->stats->state);
}

static void wait_for_state(const scene *s, stream_state want)
{
    while (state_of(s) != want)
        usleep(500);
}

static void wait_for_connects(const scene *s, uint64_t n)
{
    while (atomic_load(&s->stats->n_connects) < n)
        usleep(500);
}

static void join(scene *s)
{
    stream_capture_join(&s->c);
    assert_null(s->c);
    assert_int_equal(state_of(s), STREAM_ENDED);
    atomic_store(&s->takes, false);
    pthread_join(s->taker, NULL);
    dup2(s->kept_stderr, STDERR_FILENO);
    close(s->kept_stderr);
    FILE *f = fopen(s->log_path, "r");
    static char log[1 << 20];
    const size_t n = fread(log, 1, sizeof log - 1, f);
    assert_true(n < sizeof log - 1);
    log[n] = '\0';
    s->log = log;
    fclose(f);
    unlink(s->log_path);
    assert_int_equal(fake_sources, 0);
    assert_int_equal(fake_connected, 0);
}

static void end(scene *s)
{
    /* A frame may have come just as it was stopped. */
    assert_true(s->n_taken == s->stats->n_frames || s->n_taken + 1 == s->stats->n_frames);
    stream_intake_destroy(&s->in);
    assert_int_equal(fake_pictures, 0);
    assert_int_equal(s->mem.in_use_bytes, 0);
}

static void stop_and_join(scene *s)
{
    stream_capture_stop(s->c);
    join(s);
}

static int count_lines(const char *log, const char *text)
{
    int n = 0;
    for (const char *at = log; (at = strstr(at, text)) != NULL; at += strlen(text))
        n++;
    return n;
}

/* ---- ends ---- */

static void a_file_plays_once(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    s.o.ends = true;
    start_one(&s, "file:64x48:30E");
    wait_for_state(&s, STREAM_ENDED);
    assert_int_equal(stream_capture_failure(s.c, NULL), VG_OK);
    join(&s);
    assert_int_equal(s.stats->n_frames, 30);
    assert_int_equal(s.stats->n_connects, 1);
    assert_int_equal(s.stats->n_reconnects, 0);
    assert_int_equal(s.stats->last_fault, -1);
    assert_int_equal(s.stats->n_bytes, 300);
    assert_int_equal(s.stats->n_damaged, 30);
    assert_true(s.stats->w == 64 && s.stats->h == 48);
    assert_true(s.stats->last_frame_ns > 0 && s.stats->last_progress_ns >= s.stats->last_frame_ns);
    assert_string_equal(s.log, ""); /* nobody's news */
    end(&s);
}

static void a_file_may_begin_again(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    s.o.retry_most_s = 5; /* so none of its connections is a long one */
    const char *const texts[] = {"file:64x48:2E", "file:32x32:3E"};
    start(&s, texts, 2);
    wait_for_connects(&s, 41);
    stop_and_join(&s);
    assert_true(s.stats->n_reconnects >= 20 && s.stats->n_reconnects < s.stats->n_connects);
    assert_true(s.stats->n_frames >= 100);
    assert_int_equal(count_lines(s.log, "retry=2"), 0); /* what was played through is no fault */
    end(&s);
}

static void a_stream_that_ends_is_connected_again_unless_told(void **state)
{
    (void)state;
    for (int ends = 0; ends < 2; ends++) {
        scene s;
        begin(&s);
        s.o.ends = ends;
        start_one(&s, "live:64x48:3E|4E|5H");
        if (!ends) {
            wait_for_connects(&s, 3);
            while (atomic_load(&s.n_taken) < 12)
                usleep(500);
            stream_capture_stop(s.c);
        }
        wait_for_state(&s, STREAM_ENDED);
        assert_int_equal(stream_capture_failure(s.c, NULL), VG_OK);
        join(&s);
        assert_int_equal(s.stats->n_frames, ends ? 3 : 12);
        assert_int_equal(s.stats->n_reconnects, ends ? 0 : 2);
        assert_int_equal(count_lines(s.log, "source waiting name=\"door\" fault=end"),
                         ends ? 0 : 2);
        assert_int_equal(count_lines(s.log, "source ended name=\"door\" fault=end"), ends ? 1 : 0);
        end(&s);
    }
}

/* ---- faults ---- */

static void every_fault_is_counted_told_and_tried_again(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    s.o.ends = true; /* that is about the end alone */
    start_one(&s, "live:64x48:R|D|3L|2S|4H");
    wait_for_connects(&s, 3);
    while (atomic_load(&s.n_taken) < 9)
        usleep(500);
    assert_int_equal(state_of(&s), STREAM_PLAYING);
    assert_int_equal(stream_capture_failure(s.c, NULL), VG_OK);
    stop_and_join(&s);
    assert_int_equal(s.stats->n_faults[VIDEO_FAULT_REFUSED], 1);
    assert_int_equal(s.stats->n_faults[VIDEO_FAULT_DATA], 1);
    assert_int_equal(s.stats->n_faults[VIDEO_FAULT_LOST], 1);
    assert_int_equal(s.stats->n_faults[VIDEO_FAULT_STALL], 1);
    assert_int_equal(s.stats->last_fault, VIDEO_FAULT_STALL);
    assert_int_equal(s.stats->n_connects, 3);
    assert_int_equal(s.stats->n_reconnects, 3);
    assert_int_equal(s.stats->n_bytes, 90);
    assert_int_equal(count_lines(s.log, "source connecting name=\"door\" try="), 5);
    assert_int_equal(count_lines(s.log, "source playing name=\"door\" size=64x48 codec=fake"), 3);
    assert_int_equal(count_lines(s.log, "warning: source waiting name=\"door\" fault="), 4);
    assert_int_equal(count_lines(s.log, "fault=refused what=\"connection failed\" wait_s="), 1);
    assert_int_equal(count_lines(s.log, "fault=stall what=\"the connection broke\" wait_s="), 1);
    end(&s);
}

static void it_gives_up_after_so_many_in_a_row(void **state)
{
    (void)state;
    static const struct {
        const char *text, *what;
        video_fault fault;
        int n_faults;
    } rows[] = {
        {"live:64x48:R", "connection failed", VIDEO_FAULT_REFUSED, 4},
        {"live:64x48:2L", "the connection broke", VIDEO_FAULT_LOST, 4},
        {"live:64x48:1E", "the stream ended at once, 4 times in a row", VIDEO_FAULT_LOST, 0},
        {"live:64x48:R|R|R|200L|R", "connection failed", VIDEO_FAULT_REFUSED, 3 + 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s;
        vg_error e;
        begin(&s);
        s.o.max_retries = 3;
        s.o.retry_most_s = 0.05;
        start_one(&s, rows[i].text);
        wait_for_state(&s, STREAM_ENDED);
        assert_int_equal(stream_capture_failure(s.c, &e), VG_ERR_IO);
        assert_string_equal(e.what, rows[i].what);
        join(&s);
        assert_int_equal(s.stats->n_faults[rows[i].fault], rows[i].n_faults);
        assert_int_equal(count_lines(s.log, "error: source ended name=\"door\" fault="), 1);
        end(&s);
    }
}

static void what_can_never_be_is_not_tried_again(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    start_one(&s, "live:64x48:U");
    wait_for_state(&s, STREAM_ENDED);
    assert_int_equal(stream_capture_failure(s.c, NULL), VG_ERR_UNSUPPORTED);
    join(&s);
    end(&s);
    begin(&s); /* but once it has played, it may again */
    start_one(&s, "live:64x48:1L|U|3H");
    wait_for_connects(&s, 2);
    while (atomic_load(&s.n_taken) < 4)
        usleep(500);
    stop_and_join(&s);
    end(&s);
}

static void a_broken_file_of_a_folder_is_told_and_skipped(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    s.o.ends = true;
    const char *const texts[] = {"file:64x48:3E", "file:1x1:D", "file:32x32:2L", "file:64x48:4E"};
    start(&s, texts, 4);
    wait_for_state(&s, STREAM_ENDED);
    assert_int_equal(stream_capture_failure(s.c, NULL), VG_OK);
    join(&s);
    assert_int_equal(s.stats->n_frames, 9);
    assert_int_equal(s.stats->n_connects, 3);
    assert_int_equal(s.stats->n_reconnects, 0);
    assert_int_equal(s.stats->n_bytes, 90);
    assert_int_equal(s.stats->n_faults[VIDEO_FAULT_DATA], 1);
    assert_int_equal(s.stats->n_faults[VIDEO_FAULT_LOST], 1);
    assert_int_equal(count_lines(s.log, "\n"), 2);
    assert_int_equal(count_lines(s.log, "source skipped name=\"door\" text=\"public file:1x1:D\" "
                                        "fault=data what=\"connection failed\""),
                     1);
    end(&s);
}

static void nothing_but_broken_files_is_a_failure(void **state)
{
    const char *const texts[] = {"file:64x48:D", "file:64x48:D"};
    (void)state;
    for (size_t n = 1; n <= 2; n++) {
        scene s;
        vg_error e;
        begin(&s);
        s.o.ends = true;
        start(&s, texts, n);
        wait_for_state(&s, STREAM_ENDED);
        assert_int_equal(stream_capture_failure(s.c, &e), VG_ERR_IO);
        assert_string_equal(e.mend, "mend it");
        join(&s);
        assert_int_equal(s.stats->n_faults[VIDEO_FAULT_DATA], n);
        end(&s);
    }
}

/* ---- back-off ---- */

static void waits_double_up_to_the_most_and_begin_anew_after_steady_frames(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    s.o.retry_first_s = 0.02;
    s.o.retry_most_s = 0.16;
    start_one(&s, "live:64x48:R|R|3L|R|R|R|400L|R|R|1H");
    wait_for_connects(&s, 3);
    stop_and_join(&s);
    static const double want[] = {0.02, 0.04, 0.08, 0.16, 0.16, 0.16, 0.02, 0.04, 0.08};
    const char *at = s.log;
    bool differs = false;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        at = strstr(at, "wait_s=");
        assert_non_null(at);
        at += strlen("wait_s=");
        const double wait_s = strtod(at, NULL);
        assert_true(wait_s >= want[i] * 0.75 - 0.006 && wait_s <= want[i] * 1.25 + 0.006);
        differs |= wait_s < want[i] - 0.006 || wait_s > want[i] + 0.006;
    }
    assert_true(differs); /* jitter */
    assert_null(strstr(at, "wait_s="));
    end(&s);
}

/* ---- stopping ---- */

static void it_stops_in_every_state(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        stream_state state;
    } rows[] = {{"live:64x48:C", STREAM_CONNECTING},
                {"live:64x48:H", STREAM_PLAYING},
                {"live:64x48:1000000E", STREAM_PLAYING},
                {"live:64x48:R", STREAM_WAITING}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s;
        begin(&s);
        s.o.retry_first_s = s.o.retry_most_s = 3600;
        start_one(&s, rows[i].text);
        wait_for_state(&s, rows[i].state);
        usleep(20000);
        assert_int_equal(stream_capture_failure(s.c, NULL), VG_OK);
        stop_and_join(&s); /* alarm is what fails here */
        end(&s);
    }
    /* Nobody takes: it waits for room. */
    scene s;
    begin(&s);
    atomic_store(&s.takes, false);
    pthread_join(s.taker, NULL);
    start_one(&s, "file:64x48:1000E");
    while (stream_intake_waiting(s.in, 0) < 2)
        usleep(500);
    usleep(20000);
    stream_capture_stop(s.c);
    stream_capture_join(&s.c);
    assert_int_equal(s.stats->n_frames, 3); /* one was refused */
    assert_int_equal(fake_pictures, 2);
    assert_int_equal(pthread_create(&s.taker, NULL, take_all, &s), 0);
    join(&s);
    end(&s);
}

static void closing_its_channel_ends_it(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    start_one(&s, "live:64x48:1000000E");
    wait_for_state(&s, STREAM_PLAYING);
    stream_intake_close_channel(s.in, 0, true);
    wait_for_state(&s, STREAM_ENDED);
    assert_int_equal(stream_capture_failure(s.c, NULL), VG_OK);
    join(&s);
    end(&s);
}

/* ---- months ---- */

static void a_flapping_source_writes_so_many_lines_an_hour(void **state)
{
    enum { MOST_FIRST = STREAM_CAPTURE_LOG_BURST, HOURS = 3 };
    scene s;
    (void)state;
    begin(&s);
    start_one(&s, "live:64x48:R|3L|R|2S|1L");
    for (uint64_t i = 1; i <= HOURS; i++) {
        wait_for_connects(&s, i * 150);
        if (i < HOURS)
            atomic_fetch_add(&hours_ns, (int64_t)3600 * 1000000000);
    }
    stop_and_join(&s);
    const int n = count_lines(s.log, "\n");
    /* An hour at once fills the bucket, no more. */
    assert_true(n >= 60 && n <= HOURS * MOST_FIRST + 1);
    assert_true(count_lines(s.log, " unsaid=") >= HOURS - 1);
    end(&s);
}

static void the_state_it_stays_in_is_said_when_there_is_room(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    start_one(&s,
              "live:64x48:R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|R|1000000E");
    wait_for_connects(&s, 1);
    while (atomic_load(&s.n_taken) < 5)
        usleep(500);
    atomic_fetch_add(&hours_ns, (int64_t)60 * 1000000000);
    const uint64_t now = atomic_load(&s.n_taken);
    while (atomic_load(&s.n_taken) < now + 5)
        usleep(500);
    stop_and_join(&s);
    assert_int_equal(count_lines(s.log, "\n"), STREAM_CAPTURE_LOG_BURST + 1);
    /* 30 refusals of two lines, then connecting and playing. */
    assert_non_null(strstr(s.log, "source playing name=\"door\" unsaid=32\n"));
    end(&s);
}

static void a_thousand_connections_take_nothing_more(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    start_one(&s, "live:64x48:2L|R|1E");
    wait_for_connects(&s, 10);
    const uint64_t n_allocs = s.mem.n_allocs;
    const size_t in_use = s.mem.in_use_bytes;
    wait_for_connects(&s, 1000);
    assert_int_equal(s.mem.n_allocs, n_allocs);
    assert_int_equal(s.mem.in_use_bytes, in_use);
    stop_and_join(&s);
    end(&s);
}

static void start_may_fail_anywhere(void **state)
{
    (void)state;
    for (int64_t fail_in = 1;; fail_in++) {
        scene s;
        vg_error e = {0};
        begin(&s);
        const size_t in_use = s.mem.in_use_bytes;
        s.o.texts = (const char *const[]){"file:64x48:1E"};
        s.o.n_texts = 1;
        s.o.ends = true;
        s.mem.fail_in = fail_in;
        const vg_status st = stream_capture_start(&s.c, &s.o, s.in, 0, s.stats, &s.mem, &e);
        if (st != VG_OK) {
            assert_null(s.c);
            assert_int_equal(e.status, VG_ERR_MEMORY);
            assert_int_equal(s.mem.in_use_bytes, in_use);
            assert_int_equal(state_of(&s), STREAM_EMPTY);
            atomic_store(&s.stats->state, STREAM_ENDED);
        } else {
            s.mem.fail_in = 0;
            wait_for_state(&s, STREAM_ENDED);
        }
        join(&s);
        end(&s);
        if (st == VG_OK) {
            assert_int_equal(fail_in, 3);
            return;
        }
    }
}

int main(void)
{
    alarm(240); /* who waits for ever fails */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_plays_once),
        cmocka_unit_test(a_file_may_begin_again),
        cmocka_unit_test(a_stream_that_ends_is_connected_again_unless_told),
        cmocka_unit_test(every_fault_is_counted_told_and_tried_again),
        cmocka_unit_test(it_gives_up_after_so_many_in_a_row),
        cmocka_unit_test(what_can_never_be_is_not_tried_again),
        cmocka_unit_test(a_broken_file_of_a_folder_is_told_and_skipped),
        cmocka_unit_test(nothing_but_broken_files_is_a_failure),
        cmocka_unit_test(waits_double_up_to_the_most_and_begin_anew_after_steady_frames),
        cmocka_unit_test(it_stops_in_every_state),
        cmocka_unit_test(closing_its_channel_ends_it),
        cmocka_unit_test(a_flapping_source_writes_so_many_lines_an_hour),
        cmocka_unit_test(the_state_it_stays_in_is_said_when_there_is_room),
        cmocka_unit_test(a_thousand_connections_take_nothing_more),
        cmocka_unit_test(start_may_fail_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
