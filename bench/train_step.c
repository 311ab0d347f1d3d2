/* train_step.c: how long a training step takes, and what its parts cost.
 *   build/bench/train_step [scale [size [batch [threads [steps [isa]]]]]]
 * A step is forward, loss, backward over random pictures; the optimizer is not in it. Medians; CPU
 * seconds are of all threads. Peak resident and planned bytes are of this process alone: run one
 * shape a process. */
#include <math.h>
#include <time.h>

#include "detect/detect.h"
#include "nn/nn.h"

enum { MOST_STEPS = 200, LABELS_A_PICTURE = 12, N_PARTS = 4 };

static base_mem mem = {.tag = "bench", .limit_bytes = SIZE_MAX};

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(vg_status st, const vg_error *err)
{
    if (st == VG_OK)
        return;
    fprintf(stderr, "error: %s\n  at: %s\n", err->what, err->where);
    exit(1);
}

static float next_float(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)(*state >> 40) / 16777216.0f;
}

typedef struct bench {
    nn_train *t;
    detect_loss *loss;
    detect_label *labels;
    float *input;
    int batch, size, nc;
} bench;

static void scene(bench *b)
{
    vg_error err = {0};
    uint64_t state = 1;
    size_t n = (size_t)b->batch * (size_t)b->size * (size_t)b->size * 3;
    size_t n_labels = (size_t)b->batch * LABELS_A_PICTURE;
    b->input = base_alloc(&mem, n * sizeof *b->input, &err);
    b->labels = base_alloc(&mem, n_labels * sizeof *b->labels, &err);
    if (!b->input || !b->labels)
        check(VG_ERR_MEMORY, &err);
    for (size_t i = 0; i < n; i++)
        b->input[i] = next_float(&state);
    for (size_t i = 0; i < n_labels; i++) {
        float *box = b->labels[i].xywh_norm;
        b->labels[i].picture = (int)(i / LABELS_A_PICTURE);
        b->labels[i].class_index = (int)(i % (size_t)b->nc);
        box[0] = 0.2f + 0.6f * next_float(&state);
        box[1] = 0.2f + 0.6f * next_float(&state);
        box[2] = 0.05f + 0.3f * next_float(&state);
        box[3] = 0.05f + 0.3f * next_float(&state);
    }
}

static double run_loss(bench *b)
{
    detect_level level[NN_MAX_LEVELS];
    detect_gradient grad[NN_MAX_LEVELS];
    detect_loss_value value = {0};
    vg_error err = {0};
    const int n_levels = nn_train_levels(b->t, level, grad);
    base_pool *pool = nn_train_pool(b->t);
    if (!b->loss) {
        const detect_loss_bounds bounds = {.most_batch = (size_t)b->batch,
                                           .most_anchors = detect_n_anchors(level, n_levels),
                                           .most_labels = LABELS_A_PICTURE,
                                           .n_threads = (size_t)base_pool_threads(pool)};
        check(detect_loss_create(&b->loss, &bounds, &mem, &err), &err);
    }
    const detect_batch batch = {.levels = level,
                                .n_levels = n_levels,
                                .nc = b->nc,
                                .batch = b->batch,
                                .labels = b->labels,
                                .n_labels = (size_t)b->batch * LABELS_A_PICTURE};
    check(detect_loss_run(b->loss, &value, grad, &batch, &DETECT_LOSS_GAINS, pool, &err), &err);
    return value.total;
}

static int argument(int argc, char **argv, int at, int fallback)
{
    return argc > at ? (int)strtol(argv[at], NULL, 10) : fallback;
}

int main(int argc, char **argv)
{
    static const char *const names[N_PARTS] = {"forward", "loss", "backward", "step"};
    static double wall[N_PARTS][MOST_STEPS], cpu[N_PARTS][MOST_STEPS];
    const char *scale = argc > 1 ? argv[1] : "n", *isa = argc > 6 ? argv[6] : NULL;
    bench b = {.size = argument(argc, argv, 2, 320), .batch = argument(argc, argv, 3, 8)};
    const int threads = argument(argc, argv, 4, 1);
    int steps = argument(argc, argv, 5, 7);
    steps = steps < 1 ? 1 : steps > MOST_STEPS ? MOST_STEPS : steps;
    const nn_accounts a = {&mem, &mem, &mem, &mem};
    const nn_train_options o = {.threads = threads, .isa = isa};
    char name[32];
    nn_graph *g = NULL;
    nn_graph_info info;
    nn_memory_need need;
    vg_error err = {0};
    base_format(name, sizeof name, "yolo11%s", scale);
    check(nn_graph_from_name(&g, name, 80, &mem, &err), &err);
    nn_graph_get_info(g, b.size, &info);
    check(nn_train_create(&b.t, g, &o, 0, &a, &err), &err);
    check(nn_train_need(b.t, b.batch, b.size, b.size, &need, &a, &err), &err);
    check(nn_train_plan(b.t, b.batch, b.size, b.size, &a, &err), &err);
    b.nc = info.nc;
    scene(&b);
    double loss = 0;
    for (int i = -1; i < steps; i++) {
        double w[N_PARTS], c[N_PARTS];
        nn_train_zero_grad(b.t, NULL);
        for (int part = 0; part < N_PARTS; part++) {
            w[part] = seconds(CLOCK_MONOTONIC);
            c[part] = seconds(CLOCK_PROCESS_CPUTIME_ID);
            if (part == 0)
                nn_train_forward(b.t, b.input, NULL);
            else if (part == 1)
                loss = run_loss(&b);
            else if (part == 2)
                nn_train_backward(b.t, NULL, NULL);
        }
        for (int part = 0; part < N_PARTS && i >= 0; part++) {
            bool last = part == N_PARTS - 1; /* the whole step */
            wall[part][i] = last ? w[part] - w[0] : w[part + 1] - w[part];
            cpu[part][i] = last ? c[part] - c[0] : c[part + 1] - c[part];
        }
    }
    printf("yolo11%s %dx%d batch %d, %d threads, %s, loss %.3f\n", scale, b.size, b.size, b.batch,
           threads, nn_train_isa(b.t), loss);
    for (int part = 0; part < N_PARTS; part++)
        printf("  %-9s wall %8.1f ms   cpu %8.1f ms\n", names[part],
               base_median(wall[part], (size_t)steps) * 1e3,
               base_median(cpu[part], (size_t)steps) * 1e3);
    printf("  memory    block %.1f MB (naive %.1f), scratch %.1f, parameters and gradients %.1f; "
           "peak resident %.1f\n",
           (double)need.activation_bytes / 1e6, (double)need.naive_bytes / 1e6,
           (double)need.scratch_bytes / 1e6, (double)need.weights_bytes / 1e6,
           (double)base_mem_peak_resident_bytes() / 1e6);
    detect_loss_destroy(&b.loss);
    nn_train_destroy(&b.t);
    base_free(b.input);
    base_free(b.labels);
    return 0;
}
