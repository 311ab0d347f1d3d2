/* size_changes.c: what a stream job holds while its stream changes its resolution.
 *
 *     bench/stream/size_changes WEIGHTS [CHANGES [OPTION=VALUE ...]]
 *         200 changes between six sizes in one connection, H.264 in MPEG-TS, at imgsz 64
 *     bench/stream/size_changes WEIGHTS 0           the largest of them alone, as long
 *
 * The process is read every 20 ms; told is the most that was held while the stream went once
 * through all sizes. The fourth round is what the last is compared with. Exit status 1 when it is
 * not flat: 1 MB of resident memory, an allocation of ours, a descriptor or a thread. */
#include <stdio.h>
#include <stdlib.h>

#include "held.h"
#include "server.h"

enum { N_SIZES = 6, FIRST_ROUND = 3 };
static const double SHOT_S = 0.5;
static const int SIZES[N_SIZES][2] = {{320, 240}, {1280, 720}, {640, 480},
                                      {480, 640}, {854, 480},  {352, 288}};
enum { LARGEST = 1 };

/* The most of each. */
static void join(held *all, const held *now)
{
#define MOST(field) all->field = now->field > all->field ? now->field : all->field
    MOST(resident);
    MOST(in_use);
    MOST(library);
    MOST(n_allocs);
    MOST(n_descriptors);
    MOST(n_threads);
#undef MOST
}

typedef struct seen { /* by the sinks */
    int w, h;
    uint64_t n_changes;
    bool had[N_SIZES];
} seen;

static void see(void *ctx, const stream_result *r)
{
    seen *s = ctx;
    s->n_changes += s->w != 0 && (s->w != r->frame.w || s->h != r->frame.h);
    s->w = r->frame.w;
    s->h = r->frame.h;
    for (int i = 0; i < N_SIZES; i++)
        s->had[i] = s->had[i] || (s->w == SIZES[i][0] && s->h == SIZES[i][1]);
}

static void draw(const char *folder, char (*paths)[96])
{
    for (int i = 0; i < N_SIZES; i++) {
        base_format(paths[i], sizeof paths[i], "%s/%d.ts", folder, i);
        server_draw_clip(paths[i], SIZES[i][0], SIZES[i][1], SHOT_S);
    }
}

static bool is_told(uint64_t round, uint64_t last)
{
    return round == 0 || round == FIRST_ROUND || round == last || round % 8 == 7;
}

/* Rounds: N_SIZES changes, or as many frames as they have. */
static bool run(stream_job *l, const stream_accounts *mem, uint64_t most, bool changes)
{
    const stream_channel_stats *s = &stream_job_stats(l)->channels[0];
    const uint64_t n_rounds = most / N_SIZES;
    held first = {0}, last = {0}, now = {0};
    bool ended = false;
    held_head(stdout, changes ? "changes" : "frames");
    for (uint64_t round = 0; round < n_rounds && !ended;) {
        vg_error err;
        held_check(stream_job_wait(l, 20, &ended, &err), &err);
        const held h = held_take(mem);
        join(&now, &h);
        const uint64_t at = changes ? s->n_size_changes : s->n_frames,
                       step = changes ? N_SIZES : (uint64_t)(N_SIZES * SHOT_S * 30);
        if (at < (round + 1) * step)
            continue;
        if (round == FIRST_ROUND)
            first = now;
        if (is_told(round, n_rounds - 1))
            held_print(stdout, at, &now);
        last = now;
        now = (held){0};
        round++;
    }
    printf("from round %d to %llu: resident %+.2f MB, %llu allocations of ours: %s\n",
           FIRST_ROUND + 1, (unsigned long long)n_rounds,
           ((double)last.resident - (double)first.resident) / (1 << 20),
           (unsigned long long)(last.n_allocs - first.n_allocs),
           held_is_flat(&first, &last) ? "flat" : "NOT FLAT");
    return held_is_flat(&first, &last) && !ended;
}

static void set_options(stream_options *o, int port, char **args, int n_args)
{
    char url[64], source[96];
    stream_options_default(o);
    base_format(o->weights, sizeof o->weights, "%s", args[1]);
    server_url(url, sizeof url, SERVER_TCP, port);
    base_format(source, sizeof source, "source=%s", url);
    held_set(o, source);
    held_set(o, "imgsz=64");
    for (int i = 3; i < n_args; i++)
        held_set(o, args[i]);
}

static bool tell_seen(const stream_channel_stats *c, const seen *s)
{
    int n = 0;
    for (int i = 0; i < N_SIZES; i++)
        n += s->had[i];
    printf("decoded %llu frames with %llu changes of size over %llu connection; %llu results with "
           "%llu changes, of %d sizes; refused %llu, damaged %llu\n",
           (unsigned long long)c->n_frames, (unsigned long long)c->n_size_changes,
           (unsigned long long)c->n_connects, (unsigned long long)c->n_results,
           (unsigned long long)s->n_changes, n, (unsigned long long)c->n_refused,
           (unsigned long long)c->n_damaged);
    return c->n_connects == 1;
}

int main(int n_args, char **args)
{
    static stream_options o;
    static stream_accounts mem;
    static char paths[N_SIZES][96];
    stream_job *l = NULL;
    vg_error err;
    char folder[64];
    const char *files[N_SIZES];
    const uint64_t asked = n_args > 2 ? strtoull(args[2], NULL, 10) : 200;
    const bool changes = asked > 0;
    if (n_args < 2 || (changes && asked < N_SIZES * (FIRST_ROUND + 2))) {
        fprintf(stderr,
                "usage: size_changes WEIGHTS [CHANGES (0, or %d and more) [OPTION=VALUE ...]]\n",
                N_SIZES * (FIRST_ROUND + 2));
        return 2;
    }
    server_make_folder(folder, sizeof folder);
    draw(folder, paths);
    for (int i = 0; i < N_SIZES; i++)
        files[i] = paths[changes ? i : LARGEST];
    const int port = server_free_port();
    const pid_t server = server_start(SERVER_TCP, port, 0, files, N_SIZES);
    set_options(&o, port, args, n_args);
    seen s = {0};
    const stream_listener listener = {.ctx = &s, .result = see};
    stream_accounts_init(&mem, 0);
    held_check(stream_job_open(&l, &o, &listener, &mem, &err), &err);
    bool good = run(l, &mem, (changes ? asked : 200) + N_SIZES - 1, changes);
    good = tell_seen(&stream_job_stats(l)->channels[0], &s) && good;
    held_check(stream_job_close(&l, 1, &err), &err);
    server_kill(server);
    server_remove_folder(folder);
    if (mem.root.in_use_bytes != 0)
        printf("%zu bytes were not given back\n", mem.root.in_use_bytes);
    return good && mem.root.in_use_bytes == 0 ? 0 : 1;
}
