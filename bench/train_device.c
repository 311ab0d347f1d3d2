/* train_device.c: how long a whole step of training takes where --device says: a batch up, forward,
 * loss, backward, the optimizer's step and the average, three losses and a norm down.
 *   build/bench/train_device [device [scale [size [batch [steps [f32|amp]]]]]]
 * One JSON object on a line. Random pictures with 12 boxes each, AdamW. Median and best of `steps`,
 * behind two that warm up; taken_bytes is what this process has of the device. */
#include <stdio.h>
#include <string.h>

#include "train/engine.h"

enum { MOST_STEPS = 500, WARM_UP = 2, LABELS_A_PICTURE = 12, NC = 80 };

static base_mem mem = {.tag = "bench", .limit_bytes = SIZE_MAX};

static void check(vg_status st, const vg_error *err)
{
    if (st == VG_OK)
        return;
    fprintf(stderr, "error: %s\n  at: %s\n  try: %s\n", err->what, err->where, err->mend);
    exit(1);
}

static float next_float(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)(*state >> 40) / 16777216.0f;
}

static int argument(int argc, char **argv, int at, int fallback)
{
    return argc > at ? (int)strtol(argv[at], NULL, 10) : fallback;
}

static train_param *make_params(const nn_graph *g, vg_error *err)
{
    static float any; /* until the engine brings them, a gradient that will be is any address */
    const size_t n = nn_graph_n_params(g);
    train_param *params = base_alloc_zero(&mem, n, sizeof *params, err);
    for (size_t i = 0; params != NULL && i < n; i++) {
        const nn_param *p = nn_graph_param(g, i);
        const bool learns =
            p->kind != NN_PARAM_BN_MEAN && p->kind != NN_PARAM_BN_VAR && p->kind != NN_PARAM_DFL;
        params[i] = (train_param){.info = p, .grad = learns ? &any : NULL};
    }
    if (params != NULL)
        check(train_params_freeze(params, n, NULL, 0, err), err);
    return params;
}

static train_engine_batch make_batch(int batch, int size, vg_error *err)
{
    uint64_t state = 1;
    const size_t n = (size_t)batch * (size_t)size * (size_t)size * 3,
                 n_labels = (size_t)batch * LABELS_A_PICTURE;
    float *input = base_alloc(&mem, n * sizeof *input, err);
    detect_label *labels = base_alloc_zero(&mem, n_labels, sizeof *labels, err);
    if (input == NULL || labels == NULL)
        check(VG_ERR_MEMORY, err);
    for (size_t i = 0; i < n; i++)
        input[i] = next_float(&state);
    for (size_t i = 0; i < n_labels; i++) {
        float *box = labels[i].xywh_norm;
        labels[i].picture = (int)(i / LABELS_A_PICTURE);
        labels[i].class_index = (int)(i % NC);
        for (int k = 0; k < 4; k++)
            box[k] = (k < 2 ? 0.2f + 0.6f * next_float(&state) : 0.05f + 0.3f * next_float(&state));
    }
    return (train_engine_batch){
        .input = input, .n = batch, .h = size, .w = size, .labels = labels, .n_labels = n_labels};
}

int main(int argc, char **argv)
{
    static double ms[MOST_STEPS];
    const char *name = argc > 1 ? argv[1] : "auto", *scale = argc > 2 ? argv[2] : "n";
    const int size = argument(argc, argv, 3, 640), batch = argument(argc, argv, 4, 16);
    int steps = argument(argc, argv, 5, 20);
    const bool amp = argc <= 6 || strcmp(argv[6], "f32") != 0;
    steps = steps < 1 ? 1 : steps > MOST_STEPS ? MOST_STEPS : steps;
    char model[32];
    nn_device *device = NULL;
    nn_graph *g = NULL;
    vg_error err = {0};
    train_engine e = {0};
    const train_accounts accounts = {&mem, &mem, &mem, &mem, &mem, &mem, &mem, NULL};
    const train_optimizer_options adamw = {.kind = TRAIN_OPTIMIZER_ADAMW, .momentum = 0.9};
    const train_rates rates = {.lr = {1e-4, 1e-4, 1e-4}, .momentum = 0.9, .accumulate = 1};
    check(nn_device_open(&device, name, &mem, &err), &err);
    base_format(model, sizeof model, "yolo11%s", scale);
    check(nn_graph_from_name(&g, model, NC, &mem, &err), &err);
    nn_graph_info info;
    nn_graph_get_info(g, size, &info);
    size_t n_anchors = 0;
    for (int l = 0; l < info.n_levels; l++)
        n_anchors += (size_t)(size / (int)info.strides[l]) * (size_t)(size / (int)info.strides[l]);
    const size_t n_params = nn_graph_n_params(g);
    train_param *params = make_params(g, &err);
    if (params == NULL)
        check(VG_ERR_MEMORY, &err);
    check(train_engine_open(&e, g, params, n_params,
                            &(train_engine_options){.device = device, .amp = amp}, &accounts, &err),
          &err);
    const train_engine_learning learning = {.optimizer = &adamw,
                                            .loss = {.most_batch = (size_t)batch,
                                                     .most_anchors = n_anchors,
                                                     .most_labels = LABELS_A_PICTURE,
                                                     .n_threads = (size_t)base_cpu_count()},
                                            .nc = NC,
                                            .most_n = batch,
                                            .most_h = size,
                                            .most_w = size,
                                            .gains = DETECT_LOSS_GAINS};
    check(train_engine_prepare(&e, &learning, &err), &err);
    const train_engine_batch b = make_batch(batch, size, &err);
    detect_loss_value loss;
    double norm, least = 1e30;
    int n_left_out = 0;
    for (int i = -WARM_UP; i < steps; i++) {
        bool is_good;
        const int64_t began = base_now_ns();
        check(train_engine_gradients(&e, &loss, &b, &err), &err);
        check(train_engine_step(&e, &rates, &norm, &is_good, &err), &err);
        n_left_out += !is_good;
        if (i < 0)
            continue;
        ms[i] = base_ms(base_now_ns() - began);
        least = ms[i] < least ? ms[i] : least;
    }
    printf("{\"device\": \"%s\", \"model\": \"%s\", \"imgsz\": %d, \"batch\": %d, \"amp\": %s, "
           "\"steps\": %d, \"ms\": %.3f, \"least_ms\": %.3f, \"loss\": %.4f, \"left_out\": %d, "
           "\"taken_bytes\": %zu}\n",
           device != NULL ? nn_device_facts(device)->name : "cpu", model, size, batch,
           device != NULL && amp ? "true" : "false", steps, base_median(ms, (size_t)steps), least,
           loss.total, n_left_out, device != NULL ? nn_device_taken_bytes(device) : (size_t)0);
    train_engine_close(&e);
    nn_device_close(&device);
    return 0;
}
