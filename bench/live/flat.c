/* flat.c: memory, descriptors and threads over so many frames of a live job, and allocations of
 * ours a frame.
 *
 *     bench/live/flat WEIGHTS [FRAMES [OPTION=VALUE ...]]      1000000 frames of 64 x 64 at imgsz
 * 32
 *
 * What is told of frame 1,000 is what the last frame is compared with. Exit status 1 when it is not
 * flat: more than 1 MB of resident memory, an allocation of ours, a descriptor or a thread. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/stream.h"

enum { WARM_UP = 1000 };
static const double MB = 1 << 20;

typedef struct reading {
    uint64_t n_frames, n_allocs;
    size_t resident, in_use, library;
    int n_descriptors, n_threads;
    int64_t now_ns, cpu_ns;
} reading;

static int n_entries(const char *path)
{
    int n = 0;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static reading take(const stream_accounts *mem, uint64_t n_frames)
{
    reading r = {.n_frames = n_frames,
                 .resident = base_mem_resident_bytes(),
                 .in_use = mem->root.in_use_bytes,
                 .n_allocs = mem->root.n_allocs,
                 .library = base_mem_library_bytes(),
                 .n_descriptors = n_entries("/proc/self/fd") - 3, /* ., .., and the list's own */
                 .n_threads = n_entries("/proc/self/task") - 2,
                 .now_ns = base_now_ns(),
                 .cpu_ns = base_process_cpu_ns()};
    return r;
}

static void print(const reading *r)
{
    printf("%9llu  %9.2f  %9.2f  %9.2f  %9llu  %4d  %4d\n", (unsigned long long)r->n_frames,
           (double)r->resident / MB, (double)r->in_use / MB, (double)r->library / MB,
           (unsigned long long)r->n_allocs, r->n_descriptors, r->n_threads);
    fflush(stdout);
}

static void check(vg_status st, const vg_error *err)
{
    if (st == VG_OK)
        return;
    fprintf(stderr, "error: %s\n  at:  %s\n  try: %s\n", err->what, err->where, err->mend);
    exit(1);
}

static void set(live_options *o, const char *text)
{
    vg_error err;
    char name[64];
    const char *sign = strchr(text, '=');
    base_format(name, sizeof name, "%.*s", (int)(sign != NULL ? sign - text : 0), text);
    check(live_options_set(o, name, sign != NULL ? sign + 1 : "", &err), &err);
}

static uint64_t n_results(const stream_live *l)
{
    uint64_t n = 0;
    const live_stats *s = stream_live_stats(l);
    for (int i = 0; i < s->n_channels; i++)
        n += s->channels[i].n_results;
    return n;
}

int main(int n_args, char **args)
{
    static live_options o;
    static stream_accounts mem;
    stream_live *l = NULL;
    vg_error err;
    const uint64_t most = n_args > 2 ? strtoull(args[2], NULL, 10) : 1000000;
    if (n_args < 2) {
        fprintf(stderr, "usage: flat WEIGHTS [FRAMES [OPTION=VALUE ...]]\n");
        return 2;
    }
    live_options_default(&o);
    base_format(o.weights, sizeof o.weights, "%s", args[1]);
    set(&o, "source=lavfi:testsrc2=size=64x64:rate=1000");
    set(&o, "imgsz=32");
    for (int i = 3; i < n_args; i++)
        set(&o, args[i]);
    if (o.save_choice == 0)
        o.save_choice = 2; /* no recording unless asked for */
    stream_accounts_init(&mem, 0);
    check(stream_live_open(&l, &o, NULL, &mem, &err), &err);

    printf("   frames   resident       ours  libraries  our allocs   fds  threads\n");
    reading first = {0}, last;
    bool ended = false;
    uint64_t next = WARM_UP;
    while (!ended && n_results(l) < most) {
        check(stream_live_wait(l, 20, &ended, &err), &err);
        if (n_results(l) < next)
            continue;
        last = take(&mem, n_results(l));
        if (next == WARM_UP)
            first = last;
        print(&last);
        next = next < most / 10 ? most / 10 : next + most / 10;
    }
    last = take(&mem, n_results(l));
    print(&last);
    const double grown = ((double)last.resident - (double)first.resident) / MB,
                 seconds = (double)(last.now_ns - first.now_ns) * 1e-9,
                 n = (double)(last.n_frames - first.n_frames);
    const bool flat = grown < 1 && last.n_allocs == first.n_allocs &&
                      last.n_descriptors == first.n_descriptors &&
                      last.n_threads == first.n_threads;
    printf(
        "from frame %llu: resident %+.2f MB, %llu allocations of ours, %.0f frames/s, %.3f ms of "
        "CPU a frame: %s\n",
        (unsigned long long)first.n_frames, grown,
        (unsigned long long)(last.n_allocs - first.n_allocs), n / seconds,
        (double)(last.cpu_ns - first.cpu_ns) * 1e-6 / n, flat ? "flat" : "NOT FLAT");
    check(stream_live_close(&l, 1, &err), &err);
    if (mem.root.in_use_bytes != 0)
        printf("%zu bytes were not given back\n", mem.root.in_use_bytes);
    return flat && mem.root.in_use_bytes == 0 ? 0 : 1;
}
