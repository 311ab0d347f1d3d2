/* flat.c: memory, descriptors and threads over so many frames of a stream job, and allocations of
 * ours a frame.
 *
 *     bench/stream/flat WEIGHTS [FRAMES [OPTION=VALUE ...]]
 *         1000000 frames of 64 x 64 at imgsz 32
 *
 * What is told of frame 1,000 is what the last frame is compared with. Exit status 1 when it is not
 * flat: more than 1 MB of resident memory, an allocation of ours, a descriptor or a thread. */
#include <stdio.h>
#include <stdlib.h>

#include "held.h"

enum { WARM_UP = 1000 };
static const double MB = 1 << 20;

static uint64_t n_results(const stream_job *l)
{
    uint64_t n = 0;
    const stream_stats *s = stream_job_stats(l);
    for (int i = 0; i < s->n_channels; i++)
        n += s->channels[i].n_results;
    return n;
}

int main(int n_args, char **args)
{
    static stream_options o;
    static stream_accounts mem;
    stream_job *l = NULL;
    vg_error err;
    const uint64_t most = n_args > 2 ? strtoull(args[2], NULL, 10) : 1000000;
    if (n_args < 2) {
        fprintf(stderr, "usage: flat WEIGHTS [FRAMES [OPTION=VALUE ...]]\n");
        return 2;
    }
    stream_options_default(&o);
    base_format(o.weights, sizeof o.weights, "%s", args[1]);
    held_set(&o, "source=lavfi:testsrc2=size=64x64:rate=1000");
    held_set(&o, "imgsz=32");
    for (int i = 3; i < n_args; i++)
        held_set(&o, args[i]);
    if (o.save_choice == 0)
        o.save_choice = 2; /* no recording unless asked for */
    stream_accounts_init(&mem, 0);
    held_check(stream_job_open(&l, &o, NULL, &mem, &err), &err);

    held_head(stdout, "frames");
    held first = {0}, last;
    uint64_t first_n = 0;
    bool ended = false;
    uint64_t next = WARM_UP;
    while (!ended && n_results(l) < most) {
        held_check(stream_job_wait(l, 20, &ended, &err), &err);
        if (n_results(l) < next)
            continue;
        last = held_take(&mem);
        if (next == WARM_UP) {
            first = last;
            first_n = n_results(l);
        }
        held_print(stdout, n_results(l), &last);
        next = next < most / 10 ? most / 10 : next + most / 10;
    }
    last = held_take(&mem);
    const uint64_t last_n = n_results(l);
    held_print(stdout, last_n, &last);
    const double grown = ((double)last.resident - (double)first.resident) / MB,
                 seconds = (double)(last.now_ns - first.now_ns) * 1e-9,
                 n = (double)(last_n - first_n);
    const bool flat = held_is_flat(&first, &last);
    printf(
        "from frame %llu: resident %+.2f MB, %llu allocations of ours, %.0f frames/s, %.3f ms of "
        "CPU a frame: %s\n",
        (unsigned long long)first_n, grown, (unsigned long long)(last.n_allocs - first.n_allocs),
        n / seconds, (double)(last.cpu_ns - first.cpu_ns) * 1e-6 / n, flat ? "flat" : "NOT FLAT");
    held_check(stream_job_close(&l, 1, &err), &err);
    if (mem.root.in_use_bytes != 0)
        printf("%zu bytes were not given back\n", mem.root.in_use_bytes);
    return flat && mem.root.in_use_bytes == 0 ? 0 : 1;
}
