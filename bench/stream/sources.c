/* sources.c: several sources at once: what each gets of the network, and what memory they take.
 *
 *     bench/stream/sources WEIGHTS [SECONDS [WIDTHxHEIGHT [OPTION=VALUE ...]]]
 *         20 seconds each of 1, 2, 4 and 8 sources of 1280x720 at imgsz 320, one thread
 *
 * Twice: cameras (camera.h) of 30 frames/s, of which the latest frame is taken, and test pictures
 * as fast as the network takes them, each frame of them. Every job has a process of its own. Told
 * are results a second, the smallest and the largest share of them in percent of an equal one; in
 * MB what was planned before the start and what of ours is in use; what FFmpeg has on the heap (the
 * decoders and pictures of the sources, which the plan does not know); mapped program files (the
 * same for any number of sources); and all that is resident. Exit status 1: a share is more than
 * 10 % off, or 1 % more is in use than was planned. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "camera.h"
#include "held.h"

enum { MOST = 8, FPS = 30, CLIP_S = 4, WARM_UP = 50, PATIENCE_S = 120 };
static const double MB = 1 << 20, SLACK = 0.1, PLAN_SLACK = 0.01;

typedef struct wish {
    char **args;
    int n_args;
    double seconds;
    int w, h;
    const char *folder;
} wish;

typedef struct row { /* of one job; in shared memory */
    size_t planned, in_use, resident, mapped, library;
    double per_s, least, most; /* shares of an equal part */
    bool is_good;
    int n_descriptors, n_threads;
} row;

static void *share(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

/* ---- one job ---- */

static void list_cameras(FILE *list, const wish *w, int n, pid_t *cameras)
{
    char clip[96], url[64];
    base_format(clip, sizeof clip, "%s/clip.flv", w->folder);
    for (int i = 0; i < n; i++) {
        camera_log *log = share(sizeof *log);
        log->most = (uint64_t)((w->seconds + PATIENCE_S) * FPS);
        log->sent_ns = share(log->most * sizeof *log->sent_ns);
        cameras[i] = camera_start(log, CAMERA_FLV, clip, FPS);
        camera_url(url, sizeof url, log, CAMERA_FLV);
        fprintf(list, "%s\n", url);
    }
}

static void list_drawn(FILE *list, const wish *w, int n)
{
    for (int i = 0; i < n; i++)
        fprintf(list, "lavfi:testsrc2=size=%dx%d:rate=%d\n", w->w, w->h, FPS + i);
}

static void set_options(stream_options *o, const wish *w)
{
    char source[128];
    stream_options_default(o);
    base_format(o->weights, sizeof o->weights, "%s", w->args[1]);
    base_format(source, sizeof source, "source=%s/list.streams", w->folder);
    held_set(o, source);
    held_set(o, "imgsz=320");
    held_set(o, "threads=1");
    for (int i = 4; i < w->n_args; i++)
        held_set(o, w->args[i]);
    if (o->save_choice == 0)
        o->save_choice = 2;
}

static void wait_for(stream_job *l, double seconds)
{
    const int64_t end_ns = base_now_ns() + (int64_t)(seconds * 1e9);
    bool ended = false;
    vg_error err;
    while (!ended && base_now_ns() < end_ns)
        held_check(stream_job_wait(l, 100, &ended, &err), &err);
    if (ended) {
        fprintf(stderr, "the sources ended\n");
        exit(1);
    }
}

static bool all_have(const stream_stats *s, uint64_t least)
{
    for (int i = 0; i < s->n_channels; i++)
        if (s->channels[i].n_results < least)
            return false;
    return true;
}

static void measure(stream_job *l, const wish *w, row *out)
{
    const stream_stats *s = stream_job_stats(l);
    uint64_t before[MOST], sum = 0, least = UINT64_MAX, most = 0;
    for (double waited = 0; !all_have(s, WARM_UP) && waited < PATIENCE_S; waited += 0.5)
        wait_for(l, 0.5);
    for (int i = 0; i < s->n_channels; i++)
        before[i] = s->channels[i].n_results;
    const int64_t began_ns = base_now_ns();
    wait_for(l, w->seconds);
    for (int i = 0; i < s->n_channels; i++) {
        const uint64_t n = s->channels[i].n_results - before[i];
        sum += n;
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    const double each = (double)sum / s->n_channels;
    out->per_s = (double)sum / ((double)(base_now_ns() - began_ns) * 1e-9);
    out->least = (double)least / each;
    out->most = (double)most / each;
}

/* Of what is resident: pages of files. */
static size_t mapped_bytes(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%*u %*u %llu", &pages) != 1)
        pages = 0;
    if (f != NULL)
        fclose(f);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void run(const wish *w, row *out)
{
    static stream_options o;
    static stream_accounts mem;
    stream_job *l = NULL;
    vg_error err;
    set_options(&o, w);
    stream_accounts_init(&mem, 0);
    held_check(stream_job_open(&l, &o, NULL, &mem, &err), &err);
    out->planned = stream_accounts_planned(&mem);
    measure(l, w, out);
    const held h = held_take(&mem);
    out->in_use = h.in_use;
    out->resident = h.resident;
    out->mapped = mapped_bytes();
    out->library = h.library;
    out->n_descriptors = h.n_descriptors;
    out->n_threads = h.n_threads;
    held_check(stream_job_close(&l, 1, &err), &err);
    out->is_good = true;
}

/* ---- all of them ---- */

static void run_apart(const wish *w, int n, bool has_cameras, row *out)
{
    char path[96];
    pid_t cameras[MOST] = {0};
    base_format(path, sizeof path, "%s/list.streams", w->folder);
    FILE *list = fopen(path, "w");
    if (list == NULL) {
        perror(path);
        exit(1);
    }
    if (has_cameras)
        list_cameras(list, w, n, cameras);
    else
        list_drawn(list, w, n);
    fclose(list);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        run(w, out);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (int i = 0; i < n && has_cameras; i++) {
        kill(cameras[i], SIGKILL);
        waitpid(cameras[i], NULL, 0);
    }
}

static void print(int n, const row *r, const row *last)
{
    char more[32] = "";
    if (last != NULL)
        base_format(more, sizeof more, "%.2f",
                    ((double)r->resident - (double)last->resident) / MB / (n - n / 2));
    printf("%7d %10.1f %8.1f %8.1f %9.2f %9.2f %9.2f %9.2f %9.2f %7s %5d %8d\n", n, r->per_s,
           100 * r->least, 100 * r->most, (double)r->planned / MB, (double)r->in_use / MB,
           (double)r->library / MB, (double)r->mapped / MB, (double)r->resident / MB, more,
           r->n_descriptors, r->n_threads);
    fflush(stdout);
}

static bool tell(const wish *w, bool has_cameras)
{
    bool is_good = true;
    const row *last = NULL;
    printf("%s\n%7s %10s %8s %8s %9s %9s %9s %9s %9s %7s %5s %8s\n",
           has_cameras ? "cameras, the latest frame" : "test pictures, each frame", "sources",
           "results/s", "least %", "most %", "planned", "in use", "FFmpeg's", "mapped", "resident",
           "+/more", "fds", "threads");
    for (int n = 1; n <= MOST; n *= 2) {
        row *r = share(sizeof *r);
        run_apart(w, n, has_cameras, r);
        if (!r->is_good)
            return false;
        print(n, r, last);
        is_good = is_good && r->least >= 1 - SLACK && r->most <= 1 + SLACK &&
                  (double)r->in_use <= (1 + PLAN_SLACK) * (double)r->planned;
        last = r;
    }
    return is_good;
}

int main(int n_args, char **args)
{
    char folder[] = "/tmp/vigil-sources-XXXXXX", clip[96], list[96];
    wish w = {.args = args, .n_args = n_args, .seconds = 20, .w = 1280, .h = 720, .folder = folder};
    if (n_args > 2)
        w.seconds = strtod(args[2], NULL);
    if (n_args > 3) {
        char *x = NULL;
        w.w = (int)strtol(args[3], &x, 10);
        w.h = *x == 'x' ? (int)strtol(x + 1, NULL, 10) : 0;
    }
    if (n_args < 2 || !(w.seconds > 0) || w.w < 16 || w.h < 16) {
        fprintf(stderr, "usage: sources WEIGHTS [SECONDS [WIDTHxHEIGHT [OPTION=VALUE ...]]]\n");
        return 2;
    }
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    base_format(clip, sizeof clip, "%s/clip.flv", folder);
    base_format(list, sizeof list, "%s/list.streams", folder);
    camera_draw_clip(clip, w.w, w.h, FPS, CLIP_S);
    const bool cameras = tell(&w, true), drawn = tell(&w, false);
    unlink(clip);
    unlink(list);
    rmdir(folder);
    puts(cameras && drawn ? "fair, and within the plan" : "NOT fair, or NOT within the plan");
    return cameras && drawn ? 0 : 1;
}
