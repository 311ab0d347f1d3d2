/* cmd_bench.c: vigil bench: where a model's time goes on this machine. */
#include "bench.h"
#include "commands.h"
#include "rows.h"

typedef struct bench_values {
    vg_bench_options o;
    vg_size imgsz;
    const char *cfg;
    bool steps, json;
} bench_values;

static void bench_defaults(void *values)
{
    *(bench_values *)values = (bench_values){.o = vg_bench_options_default()};
}

static int bench_run(void *values)
{
    bench_values *v = values;
    vg_bench *b = NULL;
    vg_error err;
    v->o.imgsz = v->imgsz.h;
    v->o.imgsz_w = v->imgsz.w == v->imgsz.h ? 0 : v->imgsz.w;
    if (vg_bench_run(&b, &v->o, &err) != VG_OK)
        return cli_error_end(&err);
    if (v->json)
        bench_json_print(b);
    else
        bench_table_print(b, v->steps);
    vg_bench_close(&b);
    return CLI_DONE;
}

#define AT(field) offsetof(bench_values, field)

static const vg_option bench_options[] = {
    {CLI_ROW_WEIGHTS, .offset = AT(o.weights), .is_positional = true},
    {CLI_ROW_CFG, .offset = AT(cfg)},
    {CLI_ROW_IMGSZ, .offset = AT(imgsz),
     .help = "side of the input, or height and width: 480,640; raised to a multiple of the stride"},
    {CLI_ROW_BATCH, .offset = AT(o.batch),
     .help = "the most pictures in one run of the network: 1, 2, 4 and so on up to this"},
    {CLI_ROW_THREADS, .offset = AT(o.threads),
     .help = "the most threads that compute: 1, 2, 4 and so on up to this; layers are measured "
             "with the most"},
    {.name = "repeats",
     .kind = VG_OPTION_INT,
     .offset = AT(o.repeats),
     .value = "N",
     .least = 1,
     .most = 1000,
     .help = "runs of everything that is measured, of which the median is told"},
    {CLI_ROW_DEVICE, .offset = AT(o.device), .zero = "cpu"},
    {CLI_ROW_HALF, .offset = AT(o.half)},
    {.name = "isa",
     .kind = VG_OPTION_STRING,
     .offset = AT(o.isa),
     .choices = "plain|sse41|avx2|avx512",
     .only = "there are no such kernels",
     .help = "instructions for the network",
     .zero = "the best of this processor"},
    {.name = "memory-limit",
     .kind = VG_OPTION_BYTES,
     .offset = AT(o.memory_limit_bytes),
     .most = 1e18,
     .help = "such as 256M: nothing is measured when the plan is above it",
     .zero = "none"},
    {.name = "steps",
     .kind = VG_OPTION_BOOL,
     .offset = AT(steps),
     .help = "also each step of a layer, with its kernel, its output and its name in the weights"},
    {.name = "json",
     .kind = VG_OPTION_BOOL,
     .offset = AT(json),
     .help = "all of it, with the steps, as one JSON object"},
};

const cli_command cli_command_bench = {
    .name = "bench",
    .help = "measures where a model's time goes on this machine",
    .usage = "--weights FILE [options]",
    .notes =
        "First the machine: the most multiply-adds a second in registers, with the kernels' "
        "instructions, and a copy in memory. Then the whole network by threads and batch, and with "
        "the most threads its layers and the stages around it, for one drawn picture. Operations "
        "are counted as by vigil info (fused); Winograd's kernels do fewer than are counted, so "
        "they may be above the peak, and attention's are not counted.\n"
        "With --device the network is measured there, copies up and down included; its machine's "
        "peak is not known, so there is no share of it, and each step is waited for, so that steps "
        "are more than the whole. A training step is measured by bench/train_device of the "
        "sources.\n"
        "Other programs that compute meanwhile make every figure worse.",
    .options = bench_options,
    .n_options = sizeof bench_options / sizeof *bench_options,
    .values_bytes = sizeof(bench_values),
    .siblings = cli_commands,
    .defaults = bench_defaults,
    .run = bench_run,
};
