/* reconnects.c: what a stream job holds after so many servers were killed under it.
 *
 *     bench/stream/reconnects WEIGHTS [RECONNECTS [OPTION=VALUE ...]]
 *         1000 reconnects to MPEG-TS over TCP, 64 x 64, H.264, at imgsz 32; JSON lines to /dev/null
 *     bench/stream/reconnects WEIGHTS RECONNECTS http|rtsp [OPTION=VALUE ...]
 *         the same over HTTP, or to a camera that speaks RTSP
 *
 * A server sends two seconds of video at once and is silent. When all of it has become results, the
 * process is read, the server killed by SIGKILL, and another one started. What is told after the
 * 20th reconnect is what the last is compared with. Exit status 1 when it is not flat: 1 MB of
 * resident memory, an allocation of ours, a descriptor or a thread. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "camera.h"
#include "held.h"
#include "server.h"

enum { WARM_UP = 20, SIDE = 64, CLIP_S = 2, FPS = 30, PATIENCE_S = 60 };

/* Standard output becomes /dev/null; returns what it was. */
static FILE *hide_output(void)
{
    const int before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3),
              nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (before < 0 || nothing < 0 || dup2(nothing, STDOUT_FILENO) < 0) {
        perror("/dev/null");
        exit(1);
    }
    close(nothing);
    return fdopen(before, "w");
}

/* Until connection number n has given results and is silent. */
static void await_silence(stream_job *l, uint64_t n, uint64_t results_before)
{
    const stream_channel_stats *s = &stream_job_stats(l)->channels[0];
    const int64_t end_ns = base_now_ns() + PATIENCE_S * INT64_C(1000000000);
    uint64_t n_before = 0;
    for (bool ended = false; !ended && base_now_ns() < end_ns;) {
        vg_error err;
        held_check(stream_job_wait(l, 20, &ended, &err), &err);
        const uint64_t n_frames = s->n_frames, n_results = s->n_results;
        if (s->n_connects >= n && n_results > results_before && n_frames == n_before &&
            n_results + s->n_dropped + s->n_refused == n_frames)
            return;
        n_before = n_frames;
    }
    fprintf(stderr, "connection %llu gave nothing within %d s\n", (unsigned long long)n,
            PATIENCE_S);
    exit(1);
}

static void set_options(stream_options *o, server_kind kind, int port, char **args, int n_args)
{
    char url[64], source[96];
    stream_options_default(o);
    base_format(o->weights, sizeof o->weights, "%s", args[1]);
    server_url(url, sizeof url, kind, port);
    base_format(source, sizeof source, "source=%s", url);
    held_set(o, source);
    held_set(o, "imgsz=32");
    held_set(o, "json=true");
    held_set(o, "retry_first=0.01");
    held_set(o, "retry_most=0.01");
    for (int i = kind != SERVER_TCP ? 4 : 3; i < n_args; i++)
        held_set(o, args[i]);
}

static bool is_told(uint64_t i, uint64_t most)
{
    return i == 0 || i == WARM_UP || i == most || i % (most >= 10 ? most / 10 : 1) == 0;
}

static bool run(FILE *to, stream_job *l, const stream_accounts *mem, uint64_t most,
                server_kind kind, int port, const char *clip, pid_t *server)
{
    const stream_channel_stats *s = &stream_job_stats(l)->channels[0];
    held first = {0}, last = {0};
    uint64_t n_results = 0, first_frames = 0;
    held_head(to, "reconnects");
    for (uint64_t i = 0; i <= most; i++) {
        await_silence(l, i + 1, n_results);
        n_results = s->n_results;
        last = held_take(mem);
        if (is_told(i, most))
            held_print(to, i, &last);
        if (i == WARM_UP) {
            first = last;
            first_frames = s->n_frames;
        }
        server_kill(*server);
        *server = server_start(kind, port, 1, &clip, 1);
    }
    fprintf(to,
            "from reconnect %d to %llu: resident %+.2f MB, %llu allocations of ours in %llu "
            "frames, %.2f s a reconnect; refused %llu, lost %llu, reconnects %llu: %s\n",
            WARM_UP, (unsigned long long)most,
            ((double)last.resident - (double)first.resident) / (1 << 20),
            (unsigned long long)(last.n_allocs - first.n_allocs),
            (unsigned long long)(s->n_frames - first_frames),
            (double)(last.now_ns - first.now_ns) * 1e-9 / (double)(most - WARM_UP),
            (unsigned long long)s->n_faults[VIDEO_FAULT_REFUSED],
            (unsigned long long)s->n_faults[VIDEO_FAULT_LOST], (unsigned long long)s->n_reconnects,
            held_is_flat(&first, &last) ? "flat" : "NOT FLAT");
    return held_is_flat(&first, &last);
}

int main(int n_args, char **args)
{
    static stream_options o;
    static stream_accounts mem;
    stream_job *l = NULL;
    vg_error err;
    char folder[64], clip[96];
    const char *const file = clip;
    const uint64_t most = n_args > 2 ? strtoull(args[2], NULL, 10) : 1000;
    if (n_args < 2 || most <= WARM_UP) {
        fprintf(stderr,
                "usage: reconnects WEIGHTS [RECONNECTS (more than %d) [OPTION=VALUE ...]]\n",
                WARM_UP);
        return 2;
    }
    const char *word = n_args > 3 ? args[3] : "";
    const server_kind kind = strcmp(word, "http") == 0   ? SERVER_HTTP
                             : strcmp(word, "rtsp") == 0 ? SERVER_RTSP
                                                         : SERVER_TCP;
    server_make_folder(folder, sizeof folder);
    base_format(clip, sizeof clip, "%s/clip", folder);
    if (kind == SERVER_RTSP)
        camera_draw_clip(clip, SIDE, SIDE, FPS, CLIP_S);
    else
        server_draw_clip(clip, SIDE, SIDE, CLIP_S);
    const int port = server_free_port();
    pid_t server = server_start(kind, port, 1, &file, 1);
    FILE *to = hide_output();
    set_options(&o, kind, port, args, n_args);
    stream_accounts_init(&mem, 0);
    held_check(stream_job_open(&l, &o, NULL, &mem, &err), &err);
    const bool flat = run(to, l, &mem, most, kind, port, clip, &server);
    held_check(stream_job_close(&l, 1, &err), &err);
    server_kill(server);
    server_remove_folder(folder);
    if (mem.root.in_use_bytes != 0)
        fprintf(to, "%zu bytes were not given back\n", mem.root.in_use_bytes);
    return flat && mem.root.in_use_bytes == 0 ? 0 : 1;
}
