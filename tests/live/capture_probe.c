/* capture_probe: one capture of src/stream on any source, without a network behind it: what the
 * tests of faults look at, and what bench/stream/reconnects.sh measures.
 *
 *     capture_probe [NAME=VALUE...] TEXT...
 *
 * Standard output has a line for every change of state or size and every first frame of a
 * connection, and "report" lines with what the process holds; standard error is the capture's own
 * log. It ends when the capture has, when one of the `until_` counts is reached, on SIGTERM, or
 * (exit status 3) after `seconds`. Exit status 1: the capture failed. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stream/in/capture.h"

typedef struct numbers { /* options by name */
    double seconds, ends, latest, udp, stride, slow_ms, scale;
    double connect_s, stall_s, retry_first_s, retry_most_s, max_retries;
    double until_frames, until_connects, until_sizes, report_connects, report_sizes;
} numbers;

/* clang-format off */
#define NUMBERS(X) \
    X(seconds) \
    X(ends) \
    X(latest) \
    X(udp) \
    X(stride) \
    X(slow_ms) \
    X(scale) \
    X(connect_s) \
    X(stall_s) \
    X(retry_first_s) \
    X(retry_most_s) \
    X(max_retries) \
    X(until_frames) \
    X(until_connects) \
    X(until_sizes) \
    X(report_connects) \
    X(report_sizes)
/* clang-format on */

static volatile sig_atomic_t is_told_to_stop;

static void stop(int number)
{
    (void)number;
    is_told_to_stop = 1;
}

static const char *const STATES[] = {"empty", "connecting", "playing", "waiting", "ended"};

static uint64_t get(const _Atomic uint64_t *n)
{
    return atomic_load(n);
}

static int count_descriptors(void)
{
    int n = -3; /* . and .. and the folder's own */
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL)
        n++;
    if (folder != NULL)
        closedir(folder);
    return n;
}

static int count_threads(void)
{
    int n = -2;
    DIR *folder = opendir("/proc/self/task");
    while (folder != NULL && readdir(folder) != NULL)
        n++;
    if (folder != NULL)
        closedir(folder);
    return n;
}

static void report(const stream_channel_stats *s, const base_mem *mem)
{
    printf("report connects=%llu sizes=%llu resident_kb=%zu library_kb=%zu own_bytes=%zu "
           "own_allocs=%llu descriptors=%d threads=%d\n",
           (unsigned long long)get(&s->n_connects), (unsigned long long)get(&s->n_size_changes),
           base_mem_resident_bytes() / 1024, base_mem_library_bytes() / 1024, mem->in_use_bytes,
           (unsigned long long)mem->n_allocs, count_descriptors(), count_threads());
}

static void print_state(const stream_channel_stats *s)
{
    printf(
        "state=%s frames=%llu connects=%llu reconnects=%llu dropped=%llu damaged=%llu sizes=%llu "
        "jumps=%llu size=%dx%d",
        STATES[atomic_load(&s->state)], (unsigned long long)get(&s->n_frames),
        (unsigned long long)get(&s->n_connects), (unsigned long long)get(&s->n_reconnects),
        (unsigned long long)get(&s->n_dropped), (unsigned long long)get(&s->n_damaged),
        (unsigned long long)get(&s->n_size_changes), (unsigned long long)get(&s->n_time_jumps),
        atomic_load(&s->w), atomic_load(&s->h));
    for (int i = 0; i < VIDEO_N_FAULTS; i++)
        if (get(&s->n_faults[i]) > 0)
            printf(" %s=%llu", video_fault_name((video_fault)i),
                   (unsigned long long)get(&s->n_faults[i]));
    printf("\n");
}

/* ---- what is done with frames ---- */

typedef struct reader {
    video_scaler *scaler;
    float *input; /* NULL: frames are given back as they are */
    int64_t last_pts_ns;
    uint64_t n_back; /* frames whose time was not after the one before, in one connection */
    int64_t last_number;
} reader;

enum { SIDE = 320 };
static const image_letterbox_rule HOW = {
    .target_w = SIDE, .target_h = SIDE, .scale_up = true, .center = true, .stride = 32};

static vg_status look_at(reader *r, const video_frame *f, base_mem *mem, vg_error *err)
{
    const video_frame_info *info = video_frame_get(f);
    if (info->number > r->last_number && info->pts_ns <= r->last_pts_ns)
        r->n_back++;
    r->last_number = info->number;
    r->last_pts_ns = info->pts_ns;
    if (r->input == NULL)
        return VG_OK;
    image_letterbox_fit fit;
    const vg_status st = image_letterbox_plan(&fit, info->w, info->h, &HOW, err);
    return st == VG_OK ? video_frame_to_float(r->scaler, r->input, f, &fit, mem, err) : st;
}

static void nap(double ms)
{
    const struct timespec t = {.tv_sec = (time_t)(ms / 1000),
                               .tv_nsec = (long)((long long)(ms * 1e6) % 1000000000)};
    nanosleep(&t, NULL);
}

/* Every step-th of a count, and at 10. */
static bool is_due(uint64_t now, uint64_t *next, double step)
{
    if (step == 0 || now < *next)
        return false;
    *next = now < 10 ? 10 : now - now % (uint64_t)step + (uint64_t)step;
    return true;
}

static bool is_reached(double wanted, uint64_t n)
{
    return wanted > 0 && (double)n >= wanted;
}

static int watch(stream_capture *c, stream_intake *in, stream_channel_stats *s, const numbers *o,
                 reader *r, base_mem *mem)
{
    const int64_t end_ns = base_now_ns() + (int64_t)(o->seconds * 1e9);
    uint64_t next_connects = 10, next_sizes = 10;
    uint64_t last_connects = 0, last_frames = 0, last_sizes = 0;
    bool awaits_frame = false;
    int last_state = -1;
    vg_error e = {0};
    for (;;) {
        stream_taken got;
        if (stream_intake_take(in, &got, 1, 5) == 1) {
            const vg_status st = look_at(r, got.frame, mem, &e);
            stream_intake_give_back(in, got.frame);
            if (st != VG_OK) {
                base_log_error(BASE_LOG_ERROR, &e);
                return 1;
            }
            if (o->slow_ms > 0)
                nap(o->slow_ms);
        }
        const int state = atomic_load(&s->state);
        const uint64_t n_connects = get(&s->n_connects), n_frames = get(&s->n_frames),
                       n_sizes = get(&s->n_size_changes);
        const bool is_first = awaits_frame && n_frames > last_frames;
        if (state != last_state || n_connects != last_connects || is_first || n_sizes != last_sizes)
            print_state(s);
        if (n_connects != last_connects) {
            awaits_frame = true;
            last_frames = n_frames;
        } else if (is_first) {
            awaits_frame = false;
        }
        last_state = state;
        last_connects = n_connects;
        last_sizes = n_sizes;
        if (is_due(get(&s->n_connects), &next_connects, o->report_connects) ||
            is_due(get(&s->n_size_changes), &next_sizes, o->report_sizes))
            report(s, mem);
        if (is_told_to_stop || is_reached(o->until_frames, get(&s->n_frames)) ||
            is_reached(o->until_connects, get(&s->n_connects)) ||
            is_reached(o->until_sizes, get(&s->n_size_changes)))
            return 0;
        if (state == STREAM_ENDED && stream_intake_waiting(in, 0) == 0) {
            const vg_status st = stream_capture_failure(c, &e);
            if (st != VG_OK)
                base_log_error(BASE_LOG_ERROR, &e);
            return st != VG_OK;
        }
        if (base_now_ns() > end_ns)
            return 3;
    }
}

static vg_status play(const stream_capture_options *co, const numbers *o, stream_channel_stats *s,
                      base_mem *mem, int *status, vg_error *err)
{
    stream_intake *in = NULL;
    stream_capture *c = NULL;
    reader r = {.last_number = -1, .last_pts_ns = INT64_MIN};
    vg_status st = stream_intake_create(&in, 1, 2, mem, err);
    if (st == VG_OK)
        st = video_scaler_create(&r.scaler, mem, err);
    if (st == VG_OK && o->scale > 0) {
        r.input = base_alloc_zero(mem, SIDE * SIDE * 3, sizeof *r.input, err);
        st = r.input != NULL ? VG_OK : VG_ERR_MEMORY;
    }
    if (st == VG_OK) {
        stream_intake_open_channel(in, 0, o->latest == 0);
        st = stream_capture_start(&c, co, in, 0, s, mem, err);
    }
    if (st == VG_OK) {
        *status = watch(c, in, s, o, &r, mem);
        const int64_t asked_ns = base_now_ns();
        stream_capture_stop(c);
        stream_intake_stop(in);
        stream_capture_join(&c);
        printf("stop_ms=%.0f back=%llu\n", base_ms(base_now_ns() - asked_ns),
               (unsigned long long)r.n_back);
    }
    base_free(r.input);
    video_scaler_destroy(&r.scaler);
    stream_intake_destroy(&in);
    return st;
}

/* NAME=VALUE of `o` or `co`; false: it is a text. */
static bool take_option(const char *arg, numbers *o, stream_capture_options *co)
{
    const char *value = strchr(arg, '=');
    if (value == NULL)
        return false;
    const size_t n = (size_t)(value - arg);
    value++;
#define X(name)                                                                                    \
    if (n == strlen(#name) && strncmp(arg, #name, n) == 0) {                                       \
        o->name = strtod(value, NULL);                                                             \
        return true;                                                                               \
    }
    NUMBERS(X)
#undef X
    const struct {
        const char *name, **to;
    } texts[] = {
        {"format", &co->video.format}, {"size", &co->video.size}, {"rate", &co->video.rate}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (n == strlen(texts[i].name) && strncmp(arg, texts[i].name, n) == 0) {
            *texts[i].to = value;
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    static stream_channel_stats s;
    enum { MOST = 64 };
    const char *texts[MOST];
    numbers o = {.seconds = 120,
                 .stride = 1,
                 .connect_s = 10,
                 .stall_s = 10,
                 .retry_first_s = 0.1,
                 .retry_most_s = 1};
    stream_capture_options co = {
        .texts = texts, .seed = 1, .video = {.format = "", .size = "", .rate = ""}};
    for (int i = 1; i < argc && co.n_texts < MOST; i++)
        if (!take_option(argv[i], &o, &co))
            texts[co.n_texts++] = argv[i];
    if (co.n_texts == 0) {
        fprintf(stderr, "usage: capture_probe [NAME=VALUE...] TEXT...\n");
        return 2;
    }
    co.video.connect_s = o.connect_s;
    co.video.stall_s = o.stall_s;
    co.video.stride = (int)o.stride;
    co.video.rtsp_udp = o.udp != 0;
    co.video.is_low_delay = o.latest != 0;
    co.retry_first_s = o.retry_first_s;
    co.retry_most_s = o.retry_most_s;
    co.max_retries = (int)o.max_retries;
    co.ends = o.ends != 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    signal(SIGPIPE, SIG_IGN);
    atomic_store(&s.last_fault, -1);
    video_public_name(s.name, sizeof s.name, texts[0]);

    base_mem mem;
    vg_error err = {0};
    int status = 1;
    base_mem_init(&mem, "probe", NULL, 0);
    if (play(&co, &o, &s, &mem, &status, &err) != VG_OK)
        base_log_error(BASE_LOG_ERROR, &err);
    print_state(&s);
    report(&s, &mem);
    return status;
}
