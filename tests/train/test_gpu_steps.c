/* test_gpu_steps.c: whole steps of training on a device, against the golden ones and against the
 * CPU's, on the device that VIGIL_TEST_DEVICE names (opencl:0: PoCL's, where the tests' packages
 * are installed): batch up, losses down, step, average. */
#include "train/gpu_run.h"

/* ---- golden ---- */

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
    run_open(&r, device, false, &o);
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
        run_open(&r, device, false, &o);
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
