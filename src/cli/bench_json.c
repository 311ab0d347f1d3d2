/* bench_json.c: vigil bench as one JSON object. */
#include "bench.h"

static void text(const char *key, const char *value)
{
    printf("\"%s\": ", key);
    cli_json_string(stdout, value);
    fputs(", ", stdout);
}

static void head(const vg_bench *b)
{
    vg_bench_info i;
    vg_bench_get_info(b, &i);
    text("model", i.model);
    text("isa", i.isa);
    text("cpu", i.cpu);
    text("device", i.device);
    text("gpu", i.gpu);
    printf("\"half\": %s, \"gpu_memory\": {\"planned\": %zu, \"peak\": %zu}, ",
           i.half ? "true" : "false", i.gpu_planned_bytes, i.gpu_peak_bytes);
    printf("\"width\": %d, \"height\": %d, \"threads\": %d, \"repeats\": %d, \"gflops\": %.9g, "
           "\"network_ms\": %.6g, \"memory\": {\"planned\": %zu, \"peak\": %zu}",
           i.width, i.height, i.threads, i.repeats, i.gflops, i.network_ms, i.planned_bytes,
           i.peak_bytes);
}

static void machines(const vg_bench *b)
{
    vg_bench_machine m;
    fputs(", \"machine\": [", stdout);
    for (size_t i = 0; vg_bench_get_machine(b, i, &m); i++)
        printf("%s{\"threads\": %d, \"peak_gflops_per_s\": %.6g, \"copy_gb_per_s\": %.6g}",
               i > 0 ? ", " : "", m.threads, m.peak_gflops_per_s, m.copy_gb_per_s);
    putchar(']');
}

static void stages(const vg_bench *b)
{
    vg_bench_stage s;
    fputs(", \"stages\": [", stdout);
    for (size_t i = 0; vg_bench_get_stage(b, i, &s); i++) {
        fputs(i > 0 ? ", {" : "{", stdout);
        text("name", s.name);
        printf("\"ms\": %.6g, \"share\": %.9g, \"gflops\": %.9g}", s.ms, s.share, s.gflops);
    }
    putchar(']');
}

static void layers(const vg_bench *b)
{
    vg_bench_layer l;
    fputs(", \"layers\": [", stdout);
    for (size_t i = 0; vg_bench_get_layer(b, i, &l); i++) {
        fputs(i > 0 ? ", {" : "{", stdout);
        text("module", l.module);
        text("kernels", l.kernels);
        printf("\"index\": %d, \"steps\": %d, \"ms\": %.6g, \"share\": %.9g, \"gflops\": %.9g, "
               "\"gflops_per_s\": %.6g, \"peak_share\": %.6g}",
               l.index, l.n_steps, l.ms, l.share, l.gflops, l.gflops_per_s, l.peak_share);
    }
    putchar(']');
}

static void steps(const vg_bench *b)
{
    vg_bench_step s;
    fputs(", \"steps\": [", stdout);
    for (size_t i = 0; vg_bench_get_step(b, i, &s); i++) {
        fputs(i > 0 ? ", {" : "{", stdout);
        text("name", s.name);
        text("kind", s.kind);
        text("kernel", s.kernel);
        printf("\"layer\": %d, \"channels\": %d, \"height\": %d, \"width\": %d, \"ms\": %.6g, "
               "\"share\": %.9g, \"gflops\": %.9g, \"gflops_per_s\": %.6g, \"peak_share\": %.6g}",
               s.layer, s.channels, s.height, s.width, s.ms, s.share, s.gflops, s.gflops_per_s,
               s.peak_share);
    }
    putchar(']');
}

static void speeds(const vg_bench *b)
{
    vg_bench_speed s;
    fputs(", \"speeds\": [", stdout);
    for (size_t i = 0; vg_bench_get_speed(b, i, &s); i++)
        printf("%s{\"threads\": %d, \"batch\": %d, \"ms\": %.6g, \"pictures_per_s\": %.6g, "
               "\"gflops_per_s\": %.6g, \"peak_share\": %.6g}",
               i > 0 ? ", " : "", s.threads, s.batch, s.ms, s.pictures_per_s, s.gflops_per_s,
               s.peak_share);
    putchar(']');
}

void bench_json_print(const vg_bench *b)
{
    putchar('{');
    head(b);
    machines(b);
    stages(b);
    layers(b);
    steps(b);
    speeds(b);
    fputs("}\n", stdout);
}
