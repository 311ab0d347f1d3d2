/* job.h: a made-up job for tests of what is shown: a steady tree whose main process leaks. */
#ifndef TEST_WATCH_JOB_H
#define TEST_WATCH_JOB_H

#include <math.h>

#include "watch/watch.h"

enum { JOB_PROCESSES = 40 };

typedef struct made_job {
    watch_options options;
    watch_judge *judge;
    watch_sample sample;
    watch_process processes[JOB_PROCESSES];
    watch_moment moment;
    uint64_t noise;
} made_job;

static double made_noise(made_job *j)
{
    j->noise = j->noise * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(j->noise >> 33) / (double)(UINT64_C(1) << 31);
}

static void made_job_init(made_job *j, base_mem *mem)
{
    *j = (made_job){.noise = 7};
    watch_options_default(&j->options);
    vg_error err;
    if (watch_judge_create(&j->judge, &(watch_judge_options){0}, mem, &err) != VG_OK)
        abort();
    for (int i = 0; i < JOB_PROCESSES; i++) {
        watch_process *p = &j->processes[i];
        *p = (watch_process){.pid = 1000 + i,
                             .parent = i == 0 ? 1 : 1000,
                             .start_ticks = 50 + (uint64_t)i,
                             .role = i == 0 ? WATCH_MAIN : WATCH_WORKER,
                             .state = 'S',
                             .pss_bytes = NAN,
                             .anon_bytes = NAN};
        base_format(p->name, sizeof p->name, i == 0 ? "python3" : "loader<%d>&", i);
    }
    j->moment = (watch_moment){.options = &j->options,
                               .folder = "/tmp/made",
                               .command = "python3 train.py --name \"<a & b>\"",
                               .sample = &j->sample,
                               .judge = j->judge,
                               .processes = j->processes,
                               .n_processes = JOB_PROCESSES,
                               .phase = "running",
                               .run_folder = ""};
}

/* The moment t seconds on: leak_per_s bytes a second over a noise of 4 MiB; everything but GPUs is
 * read. */
static void made_job_step(made_job *j, double t, double leak_per_s)
{
    watch_sample_clear(&j->sample, t);
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        const watch_series_info *info = watch_series_get((watch_series)k);
        if (base_starts_with(info->name, "gpu") || base_starts_with(info->name, "limit.gpu") ||
            info->kind == WATCH_LIMIT || k == WATCH_WORK_IDLE_S)
            continue;
        j->sample.value[k] =
            info->kind == WATCH_COUNTER || info->kind == WATCH_WORK ? floor(t * (k + 1))
            : info->unit == WATCH_BYTES ? 4096 * floor((1e8 + 4e6 * made_noise(j)) / 4096)
                                        : 8 + floor(3 * made_noise(j));
    }
    j->sample.value[WATCH_MAIN_ANON_BYTES] = 1e9 + leak_per_s * t + 4e6 * made_noise(j);
    j->sample.value[WATCH_LIMIT_MEMORY_BYTES] = 8e9;
    j->sample.value[WATCH_LIMIT_FDS] = 1024;
    for (int i = 0; i < JOB_PROCESSES; i++) {
        watch_process *p = &j->processes[i];
        p->age_s = t;
        p->cpu_s = t * 0.4 + i;
        p->rss_bytes = 4096 * floor((2e8 + 1e7 * made_noise(j)) / 4096);
        p->threads = 8;
        p->fds = 20 + i % 3;
    }
    j->moment.wall_ns = (int64_t)((1.7e9 + t) * 1e9);
    watch_judge_push(j->judge, &j->sample);
}

static void made_job_fini(made_job *j)
{
    watch_judge_destroy(&j->judge);
}

#endif
