/* train_step.c: how long a training step takes, and what its parts cost.
 *   build/bench/train_step [model [size [batch [threads [steps [isa]]]]]]
 * model: a scale (n) or a name (yolo11n-seg, yolo11n-pose; of keypoints one class, else 80).
 * A step is forward, loss, backward over random pictures; the optimizer is not in it. Medians; CPU
 * seconds are of all threads. Peak resident and planned bytes are of this process alone: run one
 * shape a process. */
#include <math.h>
#include <string.h>
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
    int32_t *index_maps; /* of masks: (batch, size / 4, size / 4) */
    float *keypoints;    /* (labels, n_keypoints, 3) */
    nn_graph_info info;
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

/* Every object's mask is its box, at a quarter of the input's size; later ones lie on top. */
static void masks(bench *b)
{
    vg_error err = {0};
    const int side = b->size / 4;
    b->index_maps = base_alloc_zero(&mem, (size_t)b->batch * (size_t)side * (size_t)side,
                                    sizeof *b->index_maps, &err);
    if (!b->index_maps)
        check(VG_ERR_MEMORY, &err);
    for (int i = 0; i < b->batch * LABELS_A_PICTURE; i++) {
        const float *box = b->labels[i].xywh_norm, k = (float)side;
        const int x1 = (int)((box[0] - box[2] / 2) * k), x2 = (int)((box[0] + box[2] / 2) * k);
        const int y1 = (int)((box[1] - box[3] / 2) * k), y2 = (int)((box[1] + box[3] / 2) * k);
        for (int y = y1; y < y2; y++)
            for (int x = x1; x < x2; x++)
                b->index_maps[(b->labels[i].picture * side + y) * side + x] =
                    i % LABELS_A_PICTURE + 1;
    }
}

static void keypoints(bench *b)
{
    vg_error err = {0};
    uint64_t state = 9;
    const int n = b->info.keypoints;
    const size_t n_labels = (size_t)b->batch * LABELS_A_PICTURE;
    b->keypoints = base_alloc_zero(&mem, n_labels * (size_t)n * 3, sizeof(float), &err);
    if (!b->keypoints)
        check(VG_ERR_MEMORY, &err);
    for (size_t i = 0; i < n_labels; i++)
        for (int k = 0; k < n; k++) {
            float *p = b->keypoints + (i * (size_t)n + (size_t)k) * 3;
            const float *box = b->labels[i].xywh_norm;
            p[0] = box[0] + (next_float(&state) - 0.5f) * box[2];
            p[1] = box[1] + (next_float(&state) - 0.5f) * box[3];
            p[2] = 1;
        }
}

/* By what the network has; a network that has neither learns boxes. */
static const detect_loss_kind *kind_of(const bench *b)
{
    nn_map map;
    return nn_train_result(b->t, NN_PROTOTYPES, &map) ? &DETECT_LOSS_MASKS
           : b->info.keypoints > 0                    ? &DETECT_LOSS_KEYPOINTS
                                                      : &DETECT_LOSS_BOXES;
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
                                           .n_threads = (size_t)base_pool_threads(pool),
                                           .kind = kind_of(b)};
        check(detect_loss_create(&b->loss, &bounds, &mem, &err), &err);
    }
    detect_batch batch = {.levels = level,
                          .n_levels = n_levels,
                          .nc = b->nc,
                          .batch = b->batch,
                          .labels = b->labels,
                          .n_labels = (size_t)b->batch * LABELS_A_PICTURE};
    nn_map map, map_grad;
    if (nn_train_result(b->t, NN_PROTOTYPES, &map) &&
        nn_train_result_grad(b->t, NN_PROTOTYPES, &map_grad))
        batch.result = (detect_result){.data = map.data,
                                       .pitch = (size_t)map.pitch,
                                       .h = map.h,
                                       .w = map.w,
                                       .channels = map.c,
                                       .gradient = map_grad.data,
                                       .gradient_pitch = (size_t)map_grad.pitch};
    batch.extras = (detect_extras){.keypoints = b->keypoints,
                                   .n_keypoints = b->info.keypoints,
                                   .keypoint_dims = b->info.keypoint_dims,
                                   .index_maps = b->index_maps,
                                   .mask_h = b->size / 4,
                                   .mask_w = b->size / 4};
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
    nn_memory_need need;
    vg_error err = {0};
    base_format(name, sizeof name, scale[1] ? "%s" : "yolo11%s", scale);
    check(nn_graph_from_name(&g, name, strstr(name, "pose") ? 1 : 80, &mem, &err), &err);
    nn_graph_get_info(g, b.size, &b.info);
    check(nn_train_create(&b.t, g, &o, 0, &a, &err), &err);
    check(nn_train_need(b.t, b.batch, b.size, b.size, &need, &a, &err), &err);
    check(nn_train_plan(b.t, b.batch, b.size, b.size, &a, &err), &err);
    b.nc = b.info.nc;
    scene(&b);
    masks(&b);
    if (b.info.keypoints > 0)
        keypoints(&b);
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
    printf("%s %dx%d batch %d, %d threads, %s, loss %.3f\n", name, b.size, b.size, b.batch, threads,
           nn_train_isa(b.t), loss);
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
    base_free(b.index_maps);
    base_free(b.keypoints);
    return 0;
}
