/* test_lines.c: JSON lines on standard output, and readers that are slow or gone. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "stream/bed.h"

extern const stream_sink stream_sink_lines;

/* Standard output is a pipe while a sink writes; cmocka's own comes back behind it. */
static int saved = -1, reader = -1;

static void begin_pipe(void)
{
    int ends[2];
    fflush(stdout);
    assert_int_equal(0, pipe(ends));
    saved = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    reader = ends[0];
}

static void end_pipe(void)
{
    dup2(saved, STDOUT_FILENO);
    close(saved);
    if (reader >= 0)
        close(reader);
    reader = saved = -1;
}

static vg_status put(bed *b, vg_error *e)
{
    b->r.frame = (video_frame_info){.w = BED_W, .h = BED_H, .number = (int64_t)b->r.index};
    const vg_status st = stream_sink_lines.write(b->state, &b->s, &b->r, e);
    b->r.index++;
    return st;
}

static void lines_are_whole_and_in_order(void **state)
{
    bed *b = *state;
    char *text = scene_alloc(65536);
    begin_pipe();
    bed_open(b, &stream_sink_lines);
    const uint64_t n_allocs = b->mem.n_allocs;
    vg_status st = VG_OK;
    for (int i = 0; i < 20 && st == VG_OK; i++)
        st = put(b, NULL);
    const ssize_t n = read(reader, text, 65535);
    end_pipe();
    assert_int_equal(VG_OK, st);
    assert_int_equal(n_allocs, b->mem.n_allocs);
    assert_true(n > 0);
    char *at = text;
    for (int i = 0; i < 20; i++) {
        char index[32];
        char *end = strchr(at, '\n');
        assert_non_null(end);
        *end = '\0';
        snprintf(index, sizeof index, "\"index\":%d,", i);
        assert_true(at[0] == '{' && end[-1] == '}' && strstr(at, index) != NULL);
        at = end + 1;
    }
    assert_int_equal('\0', *at);
    free(text);
}

/* The second sink of a job: the job goes on. Alone: it ends. No signal either way. */
static void a_reader_that_is_gone_ends_the_writing(void **state)
{
    bed *b = *state;
    vg_error e = {0};
    signal(SIGPIPE, SIG_DFL);
    for (int n = 2; n >= 1; n--) {
        b->stats.n_sinks = n;
        begin_pipe();
        bed_open(b, &stream_sink_lines);
        const vg_status first = put(b, &e);
        close(reader);
        reader = -1;
        const vg_status second = put(b, &e), third = put(b, &e),
                        ticked = stream_sink_lines.tick(b->state, &b->s, NULL);
        end_pipe();
        assert_int_equal(VG_OK, first);
        assert_int_equal(VG_ERR_IO, second);
        assert_int_equal(VG_ERR_IO, third);
        assert_int_equal(VG_OK, ticked); /* told already */
        assert_non_null(strstr(e.what, "gone"));
        assert_int_equal(n == 1, b->stats.wants_end);
        OK(bed_close(b, err));
    }
}

static void a_reader_that_goes_is_seen_without_results(void **state)
{
    bed *b = *state;
    b->stats.n_sinks = 1;
    begin_pipe();
    bed_open(b, &stream_sink_lines);
    const vg_status before = stream_sink_lines.tick(b->state, &b->s, NULL);
    close(reader);
    reader = -1;
    const vg_status after = stream_sink_lines.tick(b->state, &b->s, NULL);
    end_pipe();
    assert_int_equal(VG_OK, before);
    assert_int_equal(VG_ERR_IO, after);
    assert_true(b->stats.wants_end);
}

typedef struct writer {
    bed *b;
    atomic_int n, n_done, n_failed;
} writer;

static void *write_many(void *self)
{
    writer *w = self;
    for (int i = 0; i < w->n; i++) {
        if (put(w->b, NULL) != VG_OK)
            w->n_failed++;
        w->n_done++;
    }
    return NULL;
}

/* Until the pipe is full; the line that was under way may be counted a moment later. */
static int wait_until_stuck(writer *w)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    for (int i = 0; i < 12000 && poll(&p, 1, 0) != 0; i++)
        poll(NULL, 0, 10);
    return w->n_done;
}

static void a_slow_reader_gets_every_line(void **state)
{
    bed *b = *state;
    enum { N = 1000 };
    writer w = {.b = b, .n = N};
    pthread_t thread;
    int n_lines = 0, n_full;
    char last = '\0';
    begin_pipe();
    bed_open(b, &stream_sink_lines);
    pthread_create(&thread, NULL, write_many, &w);
    n_full = wait_until_stuck(&w);
    static char bytes[1 << 16];
    while (n_lines < N) {
        const ssize_t n = read(reader, bytes, sizeof bytes);
        for (ssize_t i = 0; i < n; i++) {
            n_lines += bytes[i] == '\n';
            /* A line begins where another ended. */
            if ((last == '\n' || last == '\0') && bytes[i] != '{')
                n_lines = N + 1;
            last = bytes[i];
        }
    }
    pthread_join(thread, NULL);
    end_pipe();
    assert_in_range(n_full, 50, N - 1); /* a pipe's worth, no more */
    assert_int_equal(N, n_lines);
    assert_int_equal(0, w.n_failed);
}

static void a_dead_reader_does_not_hold_the_end_up(void **state)
{
    bed *b = *state;
    writer w = {.b = b, .n = 1000};
    pthread_t thread;
    begin_pipe();
    bed_open(b, &stream_sink_lines);
    pthread_create(&thread, NULL, write_many, &w);
    const int n_full = wait_until_stuck(&w);
    w.n = n_full + 3; /* the outlet empties the queue; these are in its hands */
    b->stats.is_ending = true;
    pthread_join(thread, NULL);
    end_pipe();
    assert_in_range(w.n_failed, 2, 3);
}

/* Lines of some pieces into a pipe that fills up, is given up and emptied. Returns how many lines
 * have no end of their own. */
static int tear(bed *b, int n_boxes)
{
    writer w = {.b = b, .n = 1000};
    pthread_t thread;
    static char bytes[1 << 20];
    static vg_detection boxes[130];
    size_t length = 0;
    b->r.boxes = boxes;
    b->r.n_boxes = (size_t)n_boxes;
    b->stats.is_ending = false;
    begin_pipe();
    bed_open(b, &stream_sink_lines);
    pthread_create(&thread, NULL, write_many, &w);
    w.n = wait_until_stuck(&w) + 2;
    b->stats.is_ending = true;
    pthread_join(thread, NULL);
    fcntl(reader, F_SETFL, O_NONBLOCK);
    for (ssize_t n = 1; n > 0; length += n > 0 ? (size_t)n : 0)
        n = read(reader, bytes + length, sizeof bytes - length);
    const vg_status st = put(b, NULL);
    const ssize_t n = read(reader, bytes + length, sizeof bytes - length - 1);
    end_pipe();
    OK(bed_close(b, err));
    assert_int_equal(VG_OK, st);
    assert_in_range(w.n_failed, 1, 2);
    assert_true(n > 0);
    bytes[length + (size_t)n] = '\0';
    int n_torn = 0;
    for (char *at = bytes; *at != '\0';) {
        char *end = strchr(at, '\n');
        assert_non_null(end);
        assert_int_equal('{', at[0]);
        n_torn += end[-1] != '}' || strstr(at, "}{") != NULL;
        at = end + 1;
    }
    return n_torn;
}

static void a_line_that_was_torn_ends_before_the_next(void **state)
{
    bed *b = *state;
    int n_torn = 0;
    b->o.max_det = 130;
    /* Where the pipe is full depends on their length: it may be between two lines. */
    for (int n_boxes = 130; n_torn == 0 && n_boxes > 50; n_boxes -= 10)
        n_torn = tear(b, n_boxes);
    assert_int_equal(1, n_torn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED_TEST(lines_are_whole_and_in_order),
        BED_TEST(a_reader_that_is_gone_ends_the_writing),
        BED_TEST(a_reader_that_goes_is_seen_without_results),
        BED_TEST(a_slow_reader_gets_every_line),
        BED_TEST(a_dead_reader_does_not_hold_the_end_up),
        BED_TEST(a_line_that_was_torn_ends_before_the_next),
    };
    return cmocka_run_group_tests(tests, bed_open_detector, bed_close_detector);
}
