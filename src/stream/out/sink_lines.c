/* sink_lines.c: one JSON object a result on standard output.
 *
 * A slow reader: lines are written in pieces that a pipe takes without waiting, and between them
 * the sink waits for room. Meanwhile results queue up to the queue's length; then, under `every`,
 * they wait with it (back-pressure up to the capture), else the oldest gives way and is counted.
 * When the job ends, a reader that takes nothing for a quarter of a second is waited for no longer.
 *
 * A reader that is gone ends the writing. The job goes on for its other sinks, and this one counts
 * as failing; where there is no other, there is nothing to go on for, and the job ends, as
 * `vigil predict --json | head` should. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "files.h"

enum { WAIT_MS = 100, PATIENCE_MS = 250 };

typedef struct state {
    sink_text line;
    bool is_torn; /* the last line was given up in its middle */
    bool is_gone;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->json;
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    return sink_text_open(&((state *)self)->line, stream_line_bytes(s), s->mem, err);
}

static vg_status gone(state *t, const stream_setting *s, vg_error *err)
{
    t->is_gone = true;
    if (s->stats->n_sinks <= 1 && s->wants_end != NULL)
        *s->wants_end = true;
    return base_fail(err, VG_ERR_IO, "standard output", NULL,
                     "the reader is gone: no more lines are written");
}

/* A whole piece at once, or none; false: errno says why. The signal of a reader that is gone is of
 * this thread, where a job's threads block it: a program of another way must not die of it. */
static bool put_piece(const char *bytes, size_t n, size_t *done)
{
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    const ssize_t got = write(STDOUT_FILENO, bytes, n);
    const int why = errno;
    if (got < 0 && why == EPIPE && !sigismember(&before, SIGPIPE))
        sigtimedwait(&pipe, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = why;
    *done = got > 0 ? (size_t)got : 0;
    return got >= 0 || why == EINTR || why == EAGAIN;
}

/* Room in the pipe. False: the job ends, and nobody reads. */
static bool wait_for_reader(const stream_setting *s)
{
    int64_t ending_since = 0;
    for (;;) {
        struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (poll(&p, 1, WAIT_MS) > 0)
            return true; /* also when it is gone: write says so */
        const int64_t now = base_now_ns();
        if (s->stats->is_ending && ending_since == 0)
            ending_since = now;
        if (ending_since != 0 && now - ending_since > PATIENCE_MS * INT64_C(1000000))
            return false;
    }
}

static vg_status put(state *t, const stream_setting *s, const char *bytes, size_t n, vg_error *err)
{
    for (size_t at = 0, done; at < n; at += done) {
        const size_t piece = n - at < PIPE_BUF ? n - at : PIPE_BUF;
        if (!wait_for_reader(s)) {
            t->is_torn = t->is_torn || at > 0;
            return base_fail(err, VG_ERR_IO, "standard output", NULL,
                             "the reader took nothing while the job ended");
        }
        if (put_piece(bytes + at, piece, &done))
            continue;
        if (errno == EPIPE)
            return gone(t, s, err);
        t->is_torn = t->is_torn || at > 0;
        return base_fail_errno(err, VG_ERR_IO, "standard output", "make room where it goes",
                               "a line cannot be written");
    }
    return VG_OK;
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    if (t->is_gone)
        return gone(t, s, err);
    vg_status st = stream_line_make(&t->line, s, r, err);
    if (st == VG_OK && t->is_torn)
        st = put(t, s, "\n", 1, err);
    if (st != VG_OK)
        return st;
    t->is_torn = false;
    return put(t, s, t->line.bytes, t->line.length, err);
}

/* Without results nothing would be written for long, and the reader's end not be seen. */
static vg_status tick(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    struct pollfd p = {.fd = STDOUT_FILENO};
    return !t->is_gone && poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLNVAL)) != 0
               ? gone(t, s, err)
               : VG_OK;
}

static vg_status close_(void *self, vg_error *err)
{
    (void)err;
    sink_text_close(&((state *)self)->line);
    return VG_OK;
}

const stream_sink stream_sink_lines = {.name = "lines",
                                       .help = "one JSON object a result on standard output",
                                       .is_local = true,
                                       .queue_length = 64,
                                       .state_bytes = sizeof(state),
                                       .is_wanted = is_wanted,
                                       .need_bytes = stream_line_bytes,
                                       .open = open_,
                                       .write = write_,
                                       .tick = tick,
                                       .close = close_};
