/* test_gpu_steps.c: whole steps of training on a device, against the golden ones and against the
 * CPU's, on the device that VIGIL_TEST_DEVICE names (opencl:0: PoCL's, where the tests' packages
 * are installed): batch up, losses down, step, average. */
#include "support/test.h"

#include <math.h>

#include "nn/models.h"
#include "support/generator.h"
#include "support/golden.h"
#include "support/gpu.h"
#include "support/random.h"
#include "support/training.h"
#include "train/engine.h"

enum { NC = 3, MOST_PARAMS = 1024, MOST_ELEMENTS = 1 << 20 };

static base_mem mem;
static nn_device *device;
static float room[MOST_ELEMENTS];

static int setup(void **state)
{
    (void)state;
    base_mem_init(&mem, "test", NULL, 0);
    test_gpu_open(&device, &mem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nn_device_close(&device);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

static void ok(vg_status st, const vg_error *err)
{
    if (st != VG_OK)
        fail_msg("%s at %s", err->what, err->where);
}

static void assert_near(double got, double want, double rel, double abs, const char *what)
{
    if (!(fabs(got - want) <= abs + rel * fabs(want)))
        fail_msg("%s: %.9g, wanted %.9g", what, got, want);
}

/* ---- a run ---- */

typedef struct run {
    train_engine engine;
    train_param params[MOST_PARAMS];
    size_t n_params;
    float *input;
    int n, h, w;
    detect_label labels[64];
    size_t n_labels;
} run;

/* The golden weights; d NULL: the CPU. */
static void run_open(run *r, nn_device *d, const train_optimizer_options *o)
{
    static float any; /* of a device's gradients no address is looked at */
    vg_error err = {0};
    nn_graph *g = NULL;
    const train_accounts accounts = {&mem, &mem, &mem, &mem, &mem, &mem, &mem, NULL};
    const train_engine_options options = {.threads = 2, .device = d, .seed = 1};
    ok(graph_from_text(&g, nn_builtin_yaml(), "n", NC, &mem, &err), &err);
    r->n_params = nn_graph_n_params(g);
    assert_true(r->n_params <= MOST_PARAMS);
    for (size_t i = 0; i < r->n_params; i++) {
        const nn_param *p = nn_graph_param(g, i);
        const bool has_grad =
            p->kind != NN_PARAM_BN_MEAN && p->kind != NN_PARAM_BN_VAR && p->kind != NN_PARAM_DFL;
        r->params[i] = (train_param){.info = p, .grad = has_grad ? &any : NULL};
    }
    ok(train_params_freeze(r->params, r->n_params, NULL, 0, &err), &err);
    ok(train_engine_open(&r->engine, g, r->params, r->n_params, &options, &accounts, &err), &err);
    for (size_t i = 0; i < r->n_params; i++) {
        const nn_param *p = r->params[i].info;
        const int64_t shape[4] = {p->shape[0], p->shape[1], p->shape[2], p->shape[3]};
        assert_true(p->n_elements <= MOST_ELEMENTS);
        assert_true(generator_fill(room, p->key, shape, p->n_dims, 0, 1.0));
        ok(train_engine_write(&r->engine, TRAIN_SET_VALUE, i, 0, room, p->n_elements, &err), &err);
    }
    const detect_loss_bounds bounds = {.most_batch = (size_t)r->n,
                                       .most_anchors = (size_t)(r->n * r->h * r->w),
                                       .most_labels = 64,
                                       .n_threads = 2};
    const train_engine_learning learning = {.optimizer = o,
                                            .loss = bounds,
                                            .nc = NC,
                                            .most_n = r->n,
                                            .most_h = r->h,
                                            .most_w = r->w,
                                            .gains = DETECT_LOSS_GAINS};
    ok(train_engine_prepare(&r->engine, &learning, &err), &err);
}

static void run_close(run *r)
{
    train_engine_close(&r->engine);
    base_free(r->input);
    r->input = NULL;
}

static detect_loss_value run_step(run *r, const train_rates *rates, double *norm)
{
    vg_error err = {0};
    detect_loss_value v;
    bool is_finite = false;
    const size_t held = mem.in_use_bytes;
    const train_engine_batch b = {.input = r->input,
                                  .n = r->n,
                                  .h = r->h,
                                  .w = r->w,
                                  .labels = r->labels,
                                  .n_labels = r->n_labels};
    ok(train_engine_gradients(&r->engine, &v, &b, &err), &err);
    ok(train_engine_step(&r->engine, rates, norm, &is_finite, &err), &err);
    assert_true(is_finite);
    assert_int_equal(mem.in_use_bytes, held);
    return v;
}

static const float *run_read(run *r, train_set set, size_t i)
{
    vg_error err = {0};
    ok(train_engine_read(&r->engine, room, set, i, 0, r->params[i].info->n_elements, &err), &err);
    return room;
}

/* ---- golden ---- */

static void read_batch(run *r, golden_file *g)
{
    size_t n;
    const float *chw = golden_f32(g, "input", NULL), *rows = golden_f32(g, "targets", &n);
    r->n = (int)golden_dim(g, "input", 0);
    r->h = (int)golden_dim(g, "input", 2);
    r->w = (int)golden_dim(g, "input", 3);
    const int pixels = r->h * r->w;
    r->input = base_alloc(&mem, (size_t)(r->n * pixels * 3) * sizeof *r->input, NULL);
    for (int i = 0; i < r->n; i++)
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < pixels; p++)
                r->input[(i * pixels + p) * 3 + c] = chw[(i * 3 + c) * pixels + p];
    r->n_labels = n / 6;
    for (size_t i = 0; i < r->n_labels; i++, rows += 6)
        r->labels[i] = (detect_label){.picture = (int)rows[0],
                                      .class_index = (int)rows[1],
                                      .xywh_norm = {rows[2], rows[3], rows[4], rows[5]}};
}

static double number(golden_file *g, const char *key)
{
    return strtod(golden_meta(g, key), NULL);
}

/* Weights after the first step, element by element. */
static void check_weights(run *r, golden_file *g)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_params; i++) {
        char key[NN_KEY_BYTES + 20];
        base_format(key, sizeof key, "weight_after1/%s", r->params[i].info->key);
        if (!golden_has(g, key))
            continue;
        const float *want = golden_f32(g, key, NULL), *got = run_read(r, TRAIN_SET_VALUE, i);
        n++;
        for (size_t k = 0; k < r->params[i].info->n_elements; k++)
            assert_near((double)got[k], (double)want[k], 1e-4, 1e-5, key);
    }
    assert_true(n > 0);
}

/* Norms of weights and of the average at the end. */
static void check_end(run *r, golden_file *g, double rel)
{
    for (size_t i = 0; i < r->n_params; i++) {
        const nn_param *p = r->params[i].info;
        char key[NN_KEY_BYTES + 20];
        base_format(key, sizeof key, "norm5/%s", p->key);
        if (golden_has(g, key))
            assert_near(training_norm(run_read(r, TRAIN_SET_VALUE, i), p->n_elements),
                        *golden_f64(g, key, NULL), rel, 1e-4, key);
        base_format(key, sizeof key, "emanorm5/%s", p->key);
        if (golden_has(g, key))
            assert_near(training_norm(run_read(r, TRAIN_SET_AVERAGE, i), p->n_elements),
                        *golden_f64(g, key, NULL), rel, 1e-4, key);
    }
}

/* The tolerances are vigil-golden's for the CPU (tests/golden/checker/kind_train.c): of losses and
 * norms by step; norm 0: none is left. */
static void check_golden(const char *name, const double total[5], const double norms[5])
{
    static run r;
    golden_file *g = golden_open(name);
    const double lr = number(g, "lr");
    const train_optimizer_options o = {.kind = TRAIN_OPTIMIZER_SGD,
                                       .momentum = number(g, "momentum"),
                                       .weight_decay = number(g, "weight_decay")};
    const train_rates rates = {
        .lr = {lr, lr, lr}, .momentum = number(g, "momentum"), .accumulate = 1};
    read_batch(&r, g);
    run_open(&r, device, &o);
    for (int step = 0; step < 5; step++) {
        double norm = 0;
        const detect_loss_value v = run_step(&r, &rates, &norm);
        const double want = golden_f64(g, "loss_total", NULL)[step];
        const double want_norm = golden_f64(g, "grad_total_norm_preclip", NULL)[step];
        print_message("    [step %d: loss off %.1e, norm off %.1e]\n", step + 1,
                      fabs(v.total - want) / want, fabs(norm - want_norm) / want_norm);
        assert_near(v.total, want, total[step], 0, "loss_total");
        if (norms[step] > 0)
            assert_near(norm, want_norm, norms[step], 0, "grad_total_norm_preclip");
        if (step == 0)
            check_weights(&r, g);
    }
    check_end(&r, g, total[4]);
    run_close(&r);
    golden_close(g);
}

static void golden_steps_weights_and_averages_are_met(void **state)
{
    (void)state;
    if (!device)
        skip();
    check_golden("train_n_nc3_64.safetensors", (double[]){1e-4, 1e-3, 0.15, 0.15, 0.15},
                 (double[]){5e-3, 0.05, 0, 0, 0});
    check_golden("train_n_nc3_64_lr5e-4.safetensors", (double[]){2e-4, 2e-4, 3e-4, 0.05, 0.05},
                 (double[]){5e-3, 5e-3, 0.05, 0.2, 0.2});
}

/* ---- against itself ---- */

static void the_same_steps_give_the_same_bits(void **state)
{
    (void)state;
    static run r;
    static float first[MOST_ELEMENTS];
    double norms[2][3];
    if (!device)
        skip();
    const train_optimizer_options o = {.kind = TRAIN_OPTIMIZER_ADAMW, .momentum = 0.9};
    const train_rates rates = {.lr = {1e-3, 1e-3, 1e-3}, .momentum = 0.9, .accumulate = 1};
    golden_file *g = golden_open("train_n_nc3_64.safetensors");
    for (int time = 0; time < 2; time++) {
        read_batch(&r, g);
        run_open(&r, device, &o);
        for (int step = 0; step < 3; step++)
            run_step(&r, &rates, &norms[time][step]);
        size_t at = 0;
        for (size_t i = 0; i < r.n_params && at < 20000; i++) {
            const size_t n = r.params[i].info->n_elements;
            const float *average = run_read(&r, TRAIN_SET_AVERAGE, i);
            if (time == 0)
                memcpy(first + at, average, n * sizeof *first);
            else
                assert_memory_equal(first + at, average, n * sizeof *first);
            at += n;
        }
        run_close(&r);
    }
    assert_memory_equal(norms[0], norms[1], sizeof norms[0]);
    golden_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_steps_weights_and_averages_are_met),
                                       cmocka_unit_test(the_same_steps_give_the_same_bits)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
