/* test_gpu_amp.c: training with amp on the device that VIGIL_TEST_DEVICE names (opencl:0: PoCL's,
 * where the tests' packages are installed): maps of 16 bits by a scaled loss. */
#include "train/gpu_run.h"

#include <unistd.h>

#include "train/checkpoint.h"

static const train_optimizer_options sgd = {
    .kind = TRAIN_OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 5e-4};
/* So small that what rounding makes of a step does not decide where the next ones go. */
static const train_rates rates = {.lr = {5e-5, 5e-5, 5e-5}, .momentum = 0.9, .accumulate = 1};

static void begin(run *r, nn_device *d, bool amp)
{
    golden_file *g = golden_open("train_n_nc3_64_lr5e-4.safetensors");
    read_batch(r, g);
    golden_close(g);
    run_open(r, d, amp, &sgd);
}

/* Of all values, gradients, moments and averages: (n) floats, the caller's. */
static float *read_all(run *r, size_t *n)
{
    size_t all = 0;
    for (size_t i = 0; i < r->n_params; i++)
        all += 4 * r->params[i].info->n_elements;
    float *to = base_alloc_zero(&mem, all, sizeof *to, NULL);
    assert_non_null(to);
    *n = 0;
    const train_set sets[] = {TRAIN_SET_VALUE, TRAIN_SET_GRAD, TRAIN_SET_MOMENT0,
                              TRAIN_SET_AVERAGE};
    for (size_t s = 0; s < 4; s++)
        for (size_t i = 0; i < r->n_params; i++) {
            const size_t of = r->params[i].info->n_elements;
            if (!train_engine_has(&r->engine, sets[s], i))
                continue;
            memcpy(to + *n, run_read(r, sets[s], i), of * sizeof *to);
            *n += of;
        }
    return to;
}

/* With random weights a step's gradient is clipped from hundreds to ten, and rounding decides which
 * anchors learn: after a few steps float32's own runs differ by as much (five per cent in
 * test_gpu_steps.c), so those are only held to a band. */
static void losses_are_near_those_of_float32(void **state)
{
    (void)state;
    static run half, whole;
    double worst = 0;
    if (!device)
        skip();
    begin(&half, device, true);
    begin(&whole, device, false);
    assert_true(half.engine.scaler.scale == TRAIN_SCALE_FIRST && whole.engine.scaler.scale == 0);
    half.engine.scaler.scale = 1024; /* below what this batch overflows at: both take each step */
    for (int step = 0; step < 8; step++) {
        double norms[2];
        const double got = run_step(&half, &rates, &norms[0]).total,
                     want = run_step(&whole, &rates, &norms[1]).total;
        worst = fmax(worst, fabs(got - want) / want);
        print_message("    [step %d: %.4f, float32 %.4f; norms %.3f, %.3f]\n", step + 1, got, want,
                      norms[0], norms[1]);
        assert_near(got, want, step < 3 ? 0.01 : 0.2, 0, "loss");
        assert_near(norms[0], norms[1], 0.5, 0, "norm"); /* unscaled */
    }
    print_message("    [losses of 8 steps off %.1e at most]\n", worst);
    assert_int_equal(half.engine.scaler.n_good, 8);
    run_close(&half);
    run_close(&whole);
}

/* A scale that is far too large: nothing moves, and it is halved until a step is good. */
static void an_overflow_is_left_out_and_halves_the_scale(void **state)
{
    (void)state;
    static run r;
    size_t n, n_after;
    double norm;
    if (!device)
        skip();
    begin(&r, device, true);
    r.engine.scaler = (train_scaler){.scale = 0x1p18, .n_good = 7};
    float *before = read_all(&r, &n);
    run_try(&r, &rates, &norm);
    assert_false(r.is_finite);
    assert_true(isnan(norm) || isinf(norm));
    assert_true(r.engine.scaler.scale == 0x1p17 && r.engine.scaler.n_good == 0);
    float *after = read_all(&r, &n_after);
    /* Running statistics are of the forward pass, and the first of all that differ. */
    size_t at = 0;
    for (size_t i = 0; i < r.n_params; i++) {
        const nn_param *p = r.params[i].info;
        if (p->kind != NN_PARAM_BN_MEAN && p->kind != NN_PARAM_BN_VAR)
            assert_memory_equal(before + at, after + at, p->n_elements * sizeof *before);
        at += p->n_elements;
    }
    assert_memory_equal(before + at, after + at, (n - at) * sizeof *before);
    int n_skipped = 1;
    while (!r.is_finite && n_skipped < 64) {
        run_try(&r, &rates, &norm);
        n_skipped += !r.is_finite;
    }
    assert_true(r.is_finite && n_skipped > 2);
    assert_true(r.engine.scaler.scale == ldexp(1, 18 - n_skipped));
    assert_int_equal(r.engine.scaler.n_good, 1);
    print_message("    [good from a scale of 2^%d on]\n", 18 - n_skipped);
    r.engine.scaler = (train_scaler){.scale = 256, .n_good = TRAIN_SCALE_EVERY - 1};
    run_step(&r, &rates, &norm);
    assert_true(r.engine.scaler.scale == 512 && r.engine.scaler.n_good == 0);
    base_free(before);
    base_free(after);
    run_close(&r);
}

/* ---- checkpoints ---- */

static train_state state_of(run *r)
{
    return (train_state){.params = r->params,
                         .n_params = r->n_params,
                         .optimizer = r->engine.optimizer,
                         .ema = r->engine.average,
                         .engine = &r->engine,
                         .position = {.n_batches = 4, .last_step = 0}};
}

static void save(run *r, const char *path)
{
    vg_error err = {0};
    train_state s = state_of(r);
    s.position.has_gradients = true;
    ok(train_checkpoint_save(&s, NULL, &(train_facts){0}, path, &mem, &err), &err);
}

static void load(run *r, const char *path)
{
    vg_error err = {0};
    train_checkpoint *c = NULL;
    train_state s = state_of(r);
    ok(train_checkpoint_open(&c, path, &mem, &err), &err);
    ok(train_checkpoint_read(c, &s, &err), &err);
    train_checkpoint_close(&c);
}

/* Between two batches whose gradients are one step. */
static void a_run_that_is_resumed_has_the_same_bits(void **state)
{
    (void)state;
    static run r, other;
    char path[64];
    size_t n[2];
    double norm;
    if (!device)
        skip();
    base_format(path, sizeof path, "/tmp/vigil-amp-%ld.safetensors", (long)getpid());
    begin(&r, device, true);
    r.engine.scaler = (train_scaler){.scale = 512, .n_good = TRAIN_SCALE_EVERY - 2};
    run_step(&r, &rates, &norm);
    run_try(&r, NULL, NULL); /* gradients of a first batch */
    save(&r, path);
    begin(&other, device, true);
    load(&other, path);
    assert_true(other.engine.scaler.scale == 512 &&
                other.engine.scaler.n_good == TRAIN_SCALE_EVERY - 1);
    for (int i = 0; i < 3; i++) {
        run_step(&r, &rates, &norm);
        run_step(&other, &rates, &norm);
    }
    assert_true(r.engine.scaler.scale == 1024 && r.engine.scaler.n_good == 2);
    assert_memory_equal(&r.engine.scaler, &other.engine.scaler, sizeof r.engine.scaler);
    float *a = read_all(&r, &n[0]), *b = read_all(&other, &n[1]);
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(a, b, n[0] * sizeof *a);
    base_free(a);
    base_free(b);
    run_close(&r);
    run_close(&other);
    unlink(path);
}

/* Elsewhere, without amp: what was gathered of a scaled loss is that of the loss itself, and back.
 */
static void gathered_gradients_move_to_the_cpu_and_back(void **state)
{
    (void)state;
    static run r, cpu;
    char path[64];
    if (!device)
        skip();
    base_format(path, sizeof path, "/tmp/vigil-amp-%ld.safetensors", (long)getpid());
    begin(&r, device, true);
    r.engine.scaler.scale = 1024;
    run_try(&r, NULL, NULL);
    save(&r, path);
    begin(&cpu, NULL, true);
    load(&cpu, path);
    assert_true(cpu.engine.scaler.scale == 0);
    for (size_t i = 0; i < r.n_params; i++) {
        if (!train_engine_has(&r.engine, TRAIN_SET_GRAD, i))
            continue;
        const float *scaled = run_read(&r, TRAIN_SET_GRAD, i), *own = cpu.params[i].grad;
        for (size_t k = 0; k < r.params[i].info->n_elements; k++)
            assert_true(scaled[k] / 1024 == own[k]);
    }
    save(&cpu, path);
    load(&r, path);
    assert_true(r.engine.scaler.scale == 1024); /* its own: the file has none */
    for (size_t i = 0; i < r.n_params; i++) {
        if (!train_engine_has(&r.engine, TRAIN_SET_GRAD, i))
            continue;
        const float *scaled = run_read(&r, TRAIN_SET_GRAD, i), *own = cpu.params[i].grad;
        for (size_t k = 0; k < r.params[i].info->n_elements; k++)
            assert_true(scaled[k] == own[k] * 1024);
    }
    run_close(&r);
    run_close(&cpu);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_near_those_of_float32),
        cmocka_unit_test(an_overflow_is_left_out_and_halves_the_scale),
        cmocka_unit_test(a_run_that_is_resumed_has_the_same_bits),
        cmocka_unit_test(gathered_gradients_move_to_the_cpu_and_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
