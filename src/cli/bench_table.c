/* bench_table.c: the tables of vigil bench. */
#include "bench.h"

static void head_print(const vg_bench *b)
{
    vg_bench_info i;
    vg_bench_machine m;
    char planned[32], peak[32];
    vg_bench_get_info(b, &i);
    printf("%s at %dx%d, %.3f GFLOPs a picture; %s kernels on %s\n", i.model, i.width, i.height,
           i.gflops, i.isa, i.cpu);
    printf("medians of %d; memory planned %s, at most %s\n", i.repeats,
           cli_bytes(planned, (double)i.planned_bytes), cli_bytes(peak, (double)i.peak_bytes));
    if (i.gpu[0] != '\0') {
        printf("device %s: %s, %s; its memory planned %s, at most %s\n", i.device, i.gpu,
               i.half ? "maps of 16 bits" : "float32",
               cli_bytes(planned, (double)i.gpu_planned_bytes),
               cli_bytes(peak, (double)i.gpu_peak_bytes));
        return;
    }
    putchar('\n');
    printf("%8s %12s %12s   the machine: multiply-adds in registers, a copy in memory\n", "threads",
           "GFLOP/s", "GB/s");
    for (size_t k = 0; vg_bench_get_machine(b, k, &m); k++)
        printf("%8d %12.1f %12.1f\n", m.threads, m.peak_gflops_per_s, m.copy_gb_per_s);
}

static void stages_print(const vg_bench *b)
{
    vg_bench_info i;
    vg_bench_stage s;
    vg_bench_get_info(b, &i);
    printf("\n%-12s %9s %7s   a drawn picture of %dx%d, threads: %d\n", "stage", "ms", "share",
           i.picture_width, i.picture_height, i.threads);
    for (size_t k = 0; vg_bench_get_stage(b, k, &s); k++)
        printf("%-12s %9.3f %6.1f%%\n", s.name, s.ms, 100 * s.share);
}

static void steps_print(const vg_bench *b, int layer)
{
    vg_bench_step s;
    for (size_t k = 0; vg_bench_get_step(b, k, &s); k++)
        if (s.layer == layer)
            printf("%5s %-9s %9.3f %6.1f%% %8.3f %9.1f %6.1f%%  %s %dx%dx%d %s\n", "", s.kind, s.ms,
                   100 * s.share, s.gflops, s.gflops_per_s, 100 * s.peak_share, s.kernel,
                   s.channels, s.height, s.width, s.name);
}

static void layers_print(const vg_bench *b, bool with_steps)
{
    vg_bench_info i;
    vg_bench_layer l;
    vg_bench_get_info(b, &i);
    printf("\n%5s %-9s %9s %7s %8s %9s %7s  kernels (threads: %d, batch: 1)\n", "layer", "module",
           "ms", "share", "GFLOPs", "GFLOP/s", "of peak", i.threads);
    for (size_t k = 0; vg_bench_get_layer(b, k, &l); k++) {
        printf("%5d %-9s %9.3f %6.1f%% %8.3f %9.1f %6.1f%%  %s\n", l.index, l.module, l.ms,
               100 * l.share, l.gflops, l.gflops_per_s, 100 * l.peak_share,
               l.n_steps > 0 ? l.kernels : "-");
        if (with_steps)
            steps_print(b, l.index);
    }
    printf("%5s %-9s %9.3f\n", "", "sum", i.network_ms);
}

static void speeds_print(const vg_bench *b)
{
    vg_bench_speed s;
    printf("\n%8s %6s %9s %12s %9s %7s  the whole network\n", "threads", "batch", "ms",
           "pictures/s", "GFLOP/s", "of peak");
    for (size_t k = 0; vg_bench_get_speed(b, k, &s); k++)
        printf("%8d %6d %9.2f %12.2f %9.1f %6.1f%%\n", s.threads, s.batch, s.ms, s.pictures_per_s,
               s.gflops_per_s, 100 * s.peak_share);
}

void bench_table_print(const vg_bench *b, bool with_steps)
{
    head_print(b);
    stages_print(b);
    layers_print(b, with_steps);
    speeds_print(b);
}
