/* latency.c: from glass to JSON: from the moment a camera begins to send a frame to the moment
 * another process has read its line of JSON.
 *
 *     bench/stream/latency WEIGHTS [MINUTES [OPTION=VALUE ...]]
 *         3 minutes of 640 x 640, 30 frames/s, H.264, imgsz 640, one thread, policy latest
 *     bench/stream/latency WEIGHTS MINUTES rtsp [OPTION=VALUE ...]
 *         the same from a camera that speaks RTSP
 *
 * Three processes: a camera (camera.h) that notes when it sends frame n; the job, whose standard
 * output is a pipe; a reader that notes when it got the line of frame n. All notes are of one
 * clock. Each part of the way is told, too, by the job's own clock readings. The first 10 s, when
 * the job catches up with what came while it connected, do not count. Exit status 1: the bar of two
 * inference times, the median one of this very run, was missed. */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "camera.h"
#include "held.h"

enum { SIDE = 640, FPS = 30, CLIP_S = 10, WARM_UP_S = 10, LINE_BYTES = 1 << 20 };

typedef struct note { /* of a frame; index: its number */
    _Atomic int64_t read_ns;
    int64_t arrived_ns;
    float decode, wait, preprocess, inference, postprocess, inside; /* ms */
} note;

typedef struct board { /* shared */
    camera_log camera;
    uint64_t n_notes;
    _Atomic uint64_t n_lines;
    _Atomic uint64_t n_strange; /* lines whose time is not their frame's, and misplaced keys */
    note *notes;                /* (n_notes) */
} board;

static void *share(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

/* ---- the reader ---- */

static void read_line_of(board *b, const char *line, int64_t now_ns)
{
    const char *frame = strstr(line, "\"frame\":"), *pts = strstr(line, "\"pts\":");
    if (frame == NULL || pts == NULL)
        return;
    const uint64_t number = strtoull(frame + strlen("\"frame\":"), NULL, 10);
    const double seconds = strtod(pts + strlen("\"pts\":"), NULL);
    b->n_lines++;
    if (number >= b->n_notes || fabs(seconds * FPS - (double)number) > 1.5)
        b->n_strange++;
    else
        b->notes[number].read_ns = now_ns;
}

static void read_lines(board *b, int fd)
{
    static char bytes[LINE_BYTES];
    size_t n = 0;
    ssize_t got;
    while ((got = read(fd, bytes + n, sizeof bytes - 1 - n)) > 0) {
        const int64_t now_ns = base_now_ns();
        n += (size_t)got;
        char *from = bytes, *end;
        while ((end = memchr(from, '\n', n - (size_t)(from - bytes))) != NULL) {
            *end = '\0';
            read_line_of(b, from, now_ns);
            from = end + 1;
        }
        n -= (size_t)(from - bytes);
        memmove(bytes, from, n);
    }
    _exit(0);
}

/* The pipe becomes standard output; returns what that was. */
static FILE *start_reader(board *b)
{
    int ends[2];
    const pid_t parent = getpid();
    const int before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (before < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        perror("pipe");
        exit(1);
    }
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        setsid(); /* as the camera */
        close(ends[1]);
        read_lines(b, ends[0]);
    }
    close(ends[0]);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    return fdopen(before, "w");
}

/* ---- the job's own notes ---- */

static void note_result(void *ctx, const stream_result *r)
{
    board *b = ctx;
    if (r->frame.number < 0 || (uint64_t)r->frame.number >= b->n_notes)
        return;
    /* The camera's key frames have known numbers: what number n means here is what it means there.
     */
    if (r->frame.is_key != (r->frame.number % FPS == 0))
        b->n_strange++;
    note *n = &b->notes[r->frame.number];
    n->arrived_ns = r->frame.arrived_ns;
    n->decode = (float)r->times.decode;
    n->wait = (float)r->times.wait;
    n->preprocess = (float)r->times.preprocess;
    n->inference = (float)r->times.inference;
    n->postprocess = (float)r->times.postprocess;
    n->inside = (float)r->times.latency;
}

/* ---- what came of it ---- */

static int is_less(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return *(const double *)a < *(const double *)b;
}

static double quantile(const double *sorted, size_t n, double q)
{
    const size_t at = (size_t)ceil(q * (double)n);
    return sorted[at > 0 ? at - 1 : 0];
}

static double way_ms(const board *b, uint64_t i)
{
    return base_ms(b->notes[i].read_ns - b->camera.sent_ns[i]);
}

/* Parts of the way, in ms. */
#define PARTS(X)                                                                                   \
    X("sent to line read", way_ms(b, i))                                                           \
    X("inference", (double)n->inference)                                                           \
    X("arrived to decoded", (double)n->decode)                                                     \
    X("decoded to chosen", (double)n->wait)                                                        \
    X("preprocess", (double)n->preprocess)                                                         \
    X("postprocess", (double)n->postprocess)                                                       \
    X("sent to arrived", base_ms(n->arrived_ns - b->camera.sent_ns[i]))                            \
    X("result to line read", base_ms(n->read_ns - n->arrived_ns) - (double)n->inside)
typedef enum part { THE_WAY, THE_INFERENCE, N_PARTS = 8 } part;

static double part_ms(const board *b, uint64_t i, int which)
{
    const note *n = &b->notes[i];
#define X(name, value) (value),
    const double ms[N_PARTS] = {PARTS(X)};
#undef X
    return ms[which];
}

/* Of frames from WARM_UP_S on whose line was read; true: the bar is reached. */
static bool tell(FILE *to, const board *b, double *scratch, bool all)
{
#define X(name, value) name,
    static const char *const names[N_PARTS] = {PARTS(X)};
#undef X
    double median[N_PARTS], p99 = 0;
    size_t n = 0;
    for (int k = N_PARTS - 1; k >= 0; k--) {
        n = 0;
        for (uint64_t i = WARM_UP_S * FPS; i < b->n_notes; i++)
            if (b->notes[i].read_ns != 0 && b->notes[i].inference > 0)
                scratch[n++] = part_ms(b, i, k);
        if (n == 0)
            return false;
        base_sort(scratch, n, sizeof *scratch, is_less, NULL);
        median[k] = quantile(scratch, n, 0.5);
        p99 = quantile(scratch, n, 0.99);
        if (all)
            fprintf(to, "%-21s %8.2f %8.2f %8.2f %8.2f\n", names[k], median[k], p99,
                    quantile(scratch, n, 0.999), scratch[n - 1]);
    }
    const double of = median[THE_INFERENCE];
    fprintf(to,
            "%zu frames: median %.1f ms = %.2f inference times, p99 %.1f ms = %.2f, of %.2f ms\n",
            n, median[THE_WAY], median[THE_WAY] / of, p99, p99 / of, of);
    fflush(to);
    return median[THE_WAY] < 2 * of && p99 < 2 * of;
}

static board *make_board(double minutes)
{
    board *b = share(sizeof *b);
    b->camera.most = b->n_notes = (uint64_t)((minutes * 60 + WARM_UP_S) * FPS);
    b->camera.sent_ns = share(b->n_notes * sizeof *b->camera.sent_ns);
    b->notes = share(b->n_notes * sizeof *b->notes);
    return b;
}

static void set_options(stream_options *o, const board *b, camera_kind kind, char **args,
                        int n_args)
{
    char url[64], source[96];
    stream_options_default(o);
    base_format(o->weights, sizeof o->weights, "%s", args[1]);
    camera_url(url, sizeof url, &b->camera, kind);
    base_format(source, sizeof source, "source=%s", url);
    held_set(o, source);
    held_set(o, "imgsz=640");
    held_set(o, "threads=1");
    held_set(o, "json=true");
    held_set(o, "exit_on_end=true");
    for (int i = kind == CAMERA_RTSP ? 4 : 3; i < n_args; i++)
        held_set(o, args[i]);
}

static void run(FILE *to, board *b, const stream_options *o, double *scratch)
{
    static stream_accounts mem;
    stream_job *l = NULL;
    vg_error err;
    stream_accounts_init(&mem, 0);
    const stream_listener listener = {.ctx = b, .result = note_result};
    held_check(stream_job_open(&l, o, &listener, &mem, &err), &err);
    bool ended = false;
    const int64_t step_ns = INT64_C(60000000000);
    int64_t next_ns = base_now_ns() + step_ns;
    while (!ended && b->camera.n_sent < b->camera.most) {
        held_check(stream_job_wait(l, 200, &ended, &err), &err);
        if (base_now_ns() < next_ns)
            continue;
        tell(to, b, scratch, false);
        next_ns += step_ns;
    }
    held_check(stream_job_wait(l, 1000, &ended, &err), &err);
    const stream_channel_stats *s = &stream_job_stats(l)->channels[0];
    fprintf(to,
            "sent %llu (%llu late), decoded %llu, dropped %llu, results %llu, damaged %llu, "
            "reconnects %llu\n",
            (unsigned long long)b->camera.n_sent, (unsigned long long)b->camera.n_late,
            (unsigned long long)s->n_frames, (unsigned long long)s->n_dropped,
            (unsigned long long)s->n_results, (unsigned long long)s->n_damaged,
            (unsigned long long)s->n_reconnects);
    held_check(stream_job_close(&l, 1, &err), &err);
}

int main(int n_args, char **args)
{
    static stream_options o;
    char clip[] = "/tmp/vigil-latency-XXXXXX";
    const double minutes = n_args > 2 ? strtod(args[2], NULL) : 3;
    if (n_args < 2 || !(minutes > 0)) {
        fprintf(stderr, "usage: latency WEIGHTS [MINUTES [OPTION=VALUE ...]]\n");
        return 2;
    }
    const int fd = mkstemp(clip);
    if (fd < 0) {
        perror(clip);
        return 1;
    }
    close(fd);
    camera_draw_clip(clip, SIDE, SIDE, FPS, CLIP_S);
    board *b = make_board(minutes);
    double *scratch = share(b->n_notes * sizeof *scratch);
    const camera_kind kind = n_args > 3 && strcmp(args[3], "rtsp") == 0 ? CAMERA_RTSP : CAMERA_FLV;
    camera_start(&b->camera, kind, clip, FPS);
    FILE *to = start_reader(b);
    unlink(clip);
    set_options(&o, b, kind, args, n_args);
    run(to, b, &o, scratch);
    fprintf(to, "%-21s %8s %8s %8s %8s\n", "ms", "median", "p99", "p99.9", "most");
    const bool reached = tell(to, b, scratch, true);
    fprintf(to, "%llu lines, %llu of them strange: %s\n", (unsigned long long)b->n_lines,
            (unsigned long long)b->n_strange,
            reached ? "under two inference times" : "NOT UNDER two inference times");
    return reached && b->n_strange == 0 ? 0 : 1;
}
