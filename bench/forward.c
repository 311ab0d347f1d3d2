/* forward.c: the engine's forward pass behind the protocol of bench/peers, so that compare.py can
 * set it beside others.
 *
 *     bench/forward WEIGHTS --input images.npy [--threads N] [--isa NAME] [--no-decode]
 *
 * images.npy: (N, 3, H, W) floats. Answers each line of standard input with one line of JSON:
 *     info       {"name": ..., "threads": ..., "peak_rss_mb": ...}
 *     run K      {"cpu_ms": [...], "wall_ms": [...]}   K forwards
 *     out FILE   {"out": FILE}                         the decoded output (N, 4 + nc, A) as .npy
 * The clock covers the forward and, as in the peers' graphs, the decoding of all cells; --no-decode
 * leaves that out, as vigil itself does (it decodes only the cells whose best class passes the
 * threshold). */
#include "npy.h"

#include "detect/detect.h"
#include "nn/nn.h"

enum { MOST_RUNS = 1000, LINE_BYTES = 4096 };

typedef struct bench {
    base_mem mem;
    nn_engine *engine;
    nn_plan *plan;
    float *input, *output; /* (n, h, w, 3), (n, 4 + nc, anchors) */
    int n, h, w, nc;
    size_t n_anchors;
    detect_level levels[NN_MAX_LEVELS];
    int n_levels;
    bool decodes;
} bench;

/* (n, c, h, w) becomes (n, h, w, c). */
static void read_npy(bench *b, const char *path)
{
    vg_error err;
    const bench_npy a = bench_npy_read(path, "<f4", 4, 4, 1, "(n, 3, h, w) floats", &b->mem);
    b->n = a.shape[0];
    b->h = a.shape[2];
    b->w = a.shape[3];
    const size_t plane = (size_t)b->h * (size_t)b->w;
    b->input = base_alloc(&b->mem, a.bytes, &err);
    if (!b->input)
        bench_fail(&err);
    for (size_t i = 0; i < (size_t)b->n; i++)
        for (size_t k = 0; k < 3; k++)
            for (size_t p = 0; p < plane; p++)
                memcpy(&b->input[(i * plane + p) * 3 + k], a.values + ((i * 3 + k) * plane + p) * 4,
                       4);
    base_free(a.file);
}

static void open_model(bench *b, const char *path, int threads, const char *isa)
{
    vg_error err;
    weights_file *file = NULL;
    nn_graph *graph = NULL;
    nn_accounts accounts = {&b->mem, &b->mem, &b->mem, &b->mem};
    nn_engine_options o = {.threads = threads, .isa = isa};
    if (weights_open(&file, path, &b->mem, &err) != VG_OK ||
        nn_graph_from_weights(&graph, file, &b->mem, &err) != VG_OK ||
        nn_engine_create(&b->engine, graph, file, &o, &accounts, &err) != VG_OK ||
        nn_engine_plan(b->engine, &b->plan, b->n, b->h, b->w, &accounts, &err) != VG_OK ||
        nn_engine_run(b->engine, b->plan, b->input, &err) != VG_OK)
        bench_fail(&err);
    weights_close(&file);
    nn_graph_info info;
    nn_graph_get_info(nn_engine_graph(b->engine), 32, &info);
    b->nc = info.nc;
    b->n_levels = nn_plan_levels(b->plan, b->levels);
    b->n_anchors = detect_n_anchors(b->levels, b->n_levels);
    b->output = base_alloc(&b->mem,
                           (size_t)b->n * (size_t)(4 + b->nc) * b->n_anchors * sizeof(float), &err);
    if (!b->output)
        bench_fail(&err);
}

static void decode(bench *b)
{
    for (int i = 0; i < b->n; i++)
        detect_decode_all(b->output + (size_t)i * (size_t)(4 + b->nc) * b->n_anchors, b->levels,
                          b->n_levels, b->nc, i);
}

static void run(bench *b, int k)
{
    static double cpu[MOST_RUNS], wall[MOST_RUNS];
    for (int i = 0; i < k; i++) {
        int64_t cpu0 = base_process_cpu_ns(), wall0 = base_now_ns();
        vg_error err = {0};
        if (nn_engine_run(b->engine, b->plan, b->input, &err) != VG_OK)
            bench_fail(&err);
        if (b->decodes)
            decode(b);
        cpu[i] = base_ms(base_process_cpu_ns() - cpu0);
        wall[i] = base_ms(base_now_ns() - wall0);
    }
    for (int part = 0; part < 2; part++) {
        printf(part == 0 ? "{\"cpu_ms\": [" : ", \"wall_ms\": [");
        for (int i = 0; i < k; i++)
            printf("%s%.4f", i ? ", " : "", part == 0 ? cpu[i] : wall[i]);
        printf("]");
    }
    printf("}\n");
}

static void write_npy(bench *b, const char *path)
{
    char header[128];
    size_t n = (size_t)b->n * (size_t)(4 + b->nc) * b->n_anchors;
    int length = snprintf(header, sizeof header,
                          "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d, %zu), }",
                          b->n, 4 + b->nc, b->n_anchors);
    FILE *f = fopen(path, "wb");
    decode(b);
    if (!f || fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, f) != 10 ||
        fprintf(f, "%-117s\n", header) != 118 || fwrite(b->output, sizeof(float), n, f) != n ||
        fclose(f) != 0) {
        printf("{\"error\": \"%s cannot be written\"}\n", path);
        return;
    }
    (void)length;
    printf("{\"out\": \"%s\"}\n", path);
}

static void answer(bench *b, char *line)
{
    long k = 0;
    char rest;
    line[strcspn(line, "\r\n")] = 0;
    if (strcmp(line, "info") == 0)
        printf("{\"name\": \"vigil f32 %s%s\", \"threads\": %d, \"peak_rss_mb\": %.1f}\n",
               nn_engine_isa(b->engine), b->decodes ? "" : " without decode",
               nn_engine_threads(b->engine), (double)base_mem_peak_resident_bytes() / 1048576);
    else if (sscanf(line, "run %ld%c", &k, &rest) == 1 && k >= 1 && k <= MOST_RUNS)
        run(b, (int)k);
    else if (strncmp(line, "out ", 4) == 0)
        write_npy(b, line + 4);
    else
        printf("{\"error\": \"unknown command\"}\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    bench b = {.mem = {.tag = "bench", .limit_bytes = SIZE_MAX}, .decodes = true};
    const char *weights = NULL, *input = NULL, *isa = NULL;
    int64_t threads = 1;
    bool fine = true;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--input") == 0 && has_value)
            input = argv[++i];
        else if (strcmp(argv[i], "--threads") == 0 && has_value)
            fine = fine && base_parse_i64(&threads, argv[++i], 1, 256);
        else if (strcmp(argv[i], "--isa") == 0 && has_value)
            isa = argv[++i];
        else if (strcmp(argv[i], "--no-decode") == 0)
            b.decodes = false;
        else if (argv[i][0] != '-' && !weights)
            weights = argv[i];
        else
            fine = false;
    }
    if (!fine || !weights || !input) {
        fprintf(
            stderr,
            "usage: forward WEIGHTS --input images.npy [--threads N] [--isa NAME] [--no-decode]\n");
        return 2;
    }
    read_npy(&b, input);
    open_model(&b, weights, (int)threads, isa);
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin))
        answer(&b, line);
    nn_engine_destroy(&b.engine);
    base_free(b.input);
    base_free(b.output);
    return 0;
}
