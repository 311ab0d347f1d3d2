/* watch_cost.c: what the guard costs: CPU time of vigil watch, in this process, over a job of so
 * many processes with 50 to 200 MB each, whose pages change all the time.
 *
 *     bench/watch_cost [PROCESSES [INTERVAL_S [DURATION_S]]]        40 5 90
 *
 * The first 30 seconds are left out: the job takes its memory, and everything is read at once. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "watch/watch.h"

static const double WARM_S = 30; /* not counted */

static const size_t MB = 1 << 20;

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static _Noreturn void be_worker(size_t bytes)
{
    const size_t page = 4096;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        _exit(1);
    madvise(p, bytes, MADV_NOHUGEPAGE); /* as a Python heap is: the dear case for smaps_rollup */
    for (size_t at = 0; at < bytes; at += page)
        p[at] = 1;
    for (size_t at = 0;; at = (at + page) % bytes) {
        madvise(p + at, page, MADV_DONTNEED);
        p[at] = 1;
        nap_ms(200);
    }
}

static _Noreturn void be_job(int n)
{
    for (int i = 1; i < n; i++)
        if (fork() == 0)
            be_worker((50 + 150 * (size_t)i / (size_t)n) * MB);
    be_worker(200 * MB);
}

typedef struct account {
    int64_t cpu_ns, wall_ns, last_cpu_ns, last_wall_ns;
    uint64_t n_allocs, last_n_allocs;
    int n_samples;
    const base_mem *mem;
} account;

static void count(void *ctx, const watch_moment *m)
{
    account *a = ctx;
    a->last_cpu_ns = base_process_cpu_ns();
    a->last_wall_ns = base_now_ns();
    a->last_n_allocs = a->mem->n_allocs;
    a->n_samples++;
    if (a->cpu_ns != 0 || m->sample->time_s < WARM_S)
        return;
    a->n_samples = 0;
    a->cpu_ns = base_process_cpu_ns();
    a->wall_ns = base_now_ns();
    a->n_allocs = a->mem->n_allocs;
}

static int run(int n, double interval_s, double duration_s)
{
    char folder[] = "/tmp/vigil-watch-cost-XXXXXX", number[16], self[] = "/proc/self/exe",
         word[] = "job", command[64];
    base_mem mem = {.tag = "bench"};
    vg_error err = {.status = VG_OK};
    watch_options o;
    watch_guard *g = NULL;
    account a = {.mem = &mem};
    int status;
    base_format(number, sizeof number, "%d", n);
    char *const argv[] = {self, word, number, NULL};
    const watch_listener listener = {.ctx = &a, .sample = count};
    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    watch_options_default(&o);
    o.interval_s = interval_s;
    o.duration_s = duration_s;
    if (watch_guard_create(&g, &o, argv, folder, &mem, &err) != VG_OK ||
        watch_guard_run(g, &listener, &status, &err) != VG_OK) {
        base_log_error(BASE_LOG_ERROR, &err);
        watch_guard_destroy(&g);
        return EXIT_FAILURE;
    }
    const double cpu_s = (double)(a.last_cpu_ns - a.cpu_ns) * 1e-9,
                 wall_s = (double)(a.last_wall_ns - a.wall_ns) * 1e-9;
    printf("%d processes, a sample every %g s: %.3f %% of one core (%.2f ms a sample, %d samples), "
           "%llu allocations\n",
           n, interval_s, 100 * cpu_s / wall_s, 1e3 * cpu_s / a.n_samples, a.n_samples,
           (unsigned long long)(a.last_n_allocs - a.n_allocs));
    watch_guard_destroy(&g);
    base_format(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    int64_t n = 40;
    double interval_s = 5, duration_s = 90;
    if (argc == 3 && strcmp(argv[1], "job") == 0 && base_parse_i64(&n, argv[2], 1, 10000))
        be_job((int)n);
    if ((argc > 1 && !base_parse_i64(&n, argv[1], 1, 10000)) ||
        (argc > 2 && !base_parse_double(&interval_s, argv[2])) ||
        (argc > 3 && !base_parse_double(&duration_s, argv[3]))) {
        fputs("usage: watch_cost [PROCESSES [INTERVAL_S [DURATION_S]]]\n", stderr);
        return 2;
    }
    return run((int)n, interval_s, duration_s);
}
