/* test_gpu_optimizer.c: steps and average on a device against the CPU's, on the device that
 * VIGIL_TEST_DEVICE names (opencl:0: PoCL's, where the tests' packages are installed).
 * VIGIL_TEST_SMALL=1, VIGIL_TEST_NO_DOUBLE=1: as in test_gpu_loss.c. */
#include "support/test.h"

#include <math.h>

#include "model.h"
#include "support/gpu.h"
#include "train/ema.h"
#include "train/gpu/optimizer.h"

enum { FROZEN = 5, N_STEPS = 12 };

static base_mem mem, device_mem;
static nn_device *device;
static model m;
static double norm_digits = 1e-9, lenience = 1;

static int setup(void **state)
{
    (void)state;
    if (getenv("VIGIL_TEST_NO_DOUBLE")) {
        norm_digits = 1e-6;
        lenience = 1000; /* the clip has seven digits, and momentum cancels some */
    }
    base_mem_init(&mem, "test", NULL, 0);
    base_mem_init(&device_mem, "device", NULL, 0);
    test_gpu_open(&device, &mem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nn_device_close(&device);
    assert_int_equal(mem.in_use_bytes, 0);
    assert_int_equal(device_mem.in_use_bytes, 0);
    return 0;
}

static void ok(vg_status st, const vg_error *err)
{
    if (st != VG_OK)
        fail_msg("%s at %s", err->what, err->where);
}

/* ---- the model on both sides ---- */

/* Values and gradients lie on the device as in the model. */
typedef struct sides {
    gpu_memory values, grads;
    gpu_optimizer *gpu;
    train_optimizer *cpu, *far; /* far: counts the device's steps, and makes their rules */
    train_ema *average;
    int64_t n_averages;
} sides;

static size_t float_at(int param)
{
    return (size_t)param * MODEL_MOST;
}

static void sides_make(sides *s, train_optimizer_kind kind, double decay)
{
    vg_error err = {0};
    gpu_tensor tensors[MODEL_N];
    *s = (sides){0};
    model_make(&m, test_gpu_is_small() ? 77 : 2 * GPU_PIECE + 77, 3);
    ok(train_params_freeze(m.params, MODEL_N, NULL, 0, &err), &err);
    m.params[FROZEN].frozen = true;
    for (int i = 0; i < MODEL_N; i++)
        tensors[i] = (gpu_tensor){.value_at = float_at(i),
                                  .grad_at = float_at(i),
                                  .n = m.infos[i].n_elements,
                                  .group = train_param_group(&m.params[i])};
    train_optimizer_options o = {.kind = kind, .momentum = 0.9, .weight_decay = decay};
    ok(train_optimizer_create(&s->cpu, m.params, MODEL_N, &o, &mem, &err), &err);
    o.is_far = true;
    ok(train_optimizer_create(&s->far, m.params, MODEL_N, &o, &mem, &err), &err);
    ok(train_ema_create(&s->average, m.params, MODEL_N, &mem, &err), &err);
    ok(gpu_memory_take(&s->values, device, sizeof m.values, &device_mem, &err), &err);
    ok(gpu_memory_take(&s->grads, device, sizeof m.grads, &device_mem, &err), &err);
    ok(device->host->upload(device->driver, &s->values.block, 0, m.values, sizeof m.values, &err),
       &err);
    const size_t before = device_mem.in_use_bytes;
    size_t state_bytes, average_bytes;
    assert_true(gpu_optimizer_bytes(&state_bytes, &average_bytes, tensors, MODEL_N, kind));
    ok(gpu_optimizer_create(&s->gpu, device, tensors, MODEL_N, kind, &device_mem, &mem, &mem, &err),
       &err);
    assert_int_equal(device_mem.in_use_bytes - before, state_bytes + average_bytes);
    ok(gpu_optimizer_start(s->gpu, &s->values.block, &err), &err);
    ok(device->host->finish(device->driver, &err), &err);
}

static void sides_free(sides *s)
{
    gpu_optimizer_destroy(&s->gpu);
    gpu_memory_give(&s->values, device);
    gpu_memory_give(&s->grads, device);
    train_optimizer_destroy(&s->cpu);
    train_optimizer_destroy(&s->far);
    train_ema_destroy(&s->average);
}

static void read_back(const gpu_block *block, size_t at, float *to, size_t n)
{
    vg_error err = {0};
    ok(device->host->download(device->driver, to, block, at, n * sizeof *to, &err), &err);
    ok(device->host->finish(device->driver, &err), &err);
}

/* Gradients so that their norm is about `norm`; a step on the device, whose gradients are
 * `loss_scale` times as large. Returns what the device says of the norm. */
static bool step_gpu(sides *s, const train_rates *rates, float loss_scale, double *norm)
{
    static float up[MODEL_N][MODEL_MOST];
    vg_error err = {0};
    train_optimizer_rule rules[TRAIN_N_GROUPS];
    gpu_step step = {.unscale = 1 / loss_scale,
                     .decay = train_ema_decay(train_ema_updates(s->average) + 1)};
    for (int i = 0; i < MODEL_N; i++)
        for (size_t k = 0; k < MODEL_MOST; k++)
            up[i][k] = m.grads[i][k] * loss_scale;
    train_optimizer_rules(s->far, rates, rules);
    for (int g = 0; g < TRAIN_N_GROUPS; g++)
        step.rules[g] = (gpu_rule){.lr = rules[g].lr,
                                   .decay = rules[g].decay,
                                   .momentum = rules[g].momentum,
                                   .take1 = rules[g].take1,
                                   .root2 = rules[g].root2,
                                   .now = rules[g].now};
    const size_t held = device_mem.in_use_bytes, before = mem.in_use_bytes;
    ok(device->host->upload(device->driver, &s->grads.block, 0, up, sizeof up, &err), &err);
    ok(gpu_optimizer_step(s->gpu, &s->values.block, &s->grads.block, &step, &err), &err);
    ok(device->host->finish(device->driver, &err), &err);
    assert_int_equal(device_mem.in_use_bytes, held);
    assert_int_equal(mem.in_use_bytes, before);
    const bool is_good = gpu_optimizer_result(s->gpu, norm);
    if (is_good)
        train_optimizer_count(s->far);
    return is_good;
}

static void shake_grads(uint64_t seed, float most)
{
    test_random r = {seed};
    for (int i = 0; i < MODEL_N; i++)
        for (size_t k = 0; k < m.infos[i].n_elements; k++)
            m.grads[i][k] = random_float(&r, -most, most);
}

static void assert_floats(const char *what, int param, const float *got, const float *want)
{
    for (size_t k = 0; k < m.infos[param].n_elements; k++)
        if (!(fabs((double)got[k] - (double)want[k]) <=
              lenience * (1e-6 * fabs((double)want[k]) + 1e-9)))
            fail_msg("%s %zu of %s: %.9g on the device, %.9g on the CPU", what, k,
                     m.infos[param].key, (double)got[k], (double)want[k]);
}

static void assert_alike(const sides *s, train_optimizer_kind kind)
{
    static float got[MODEL_MOST];
    size_t at;
    for (int i = 0; i < MODEL_N; i++) {
        const size_t n = m.infos[i].n_elements;
        read_back(&s->values.block, float_at(i) * sizeof(float), got, n);
        assert_floats("value", i, got, m.values[i]);
        const gpu_block *b = gpu_optimizer_place(s->gpu, GPU_AVERAGE, (size_t)i, &at);
        read_back(b, at, got, n);
        assert_floats("average", i, got, train_ema_value(s->average, (size_t)i));
        for (int k = 0; k < train_optimizer_n_moments(kind); k++) {
            const float *moment = train_optimizer_moment(s->cpu, k, (size_t)i);
            if (!moment)
                continue;
            b = gpu_optimizer_place(s->gpu, k == 0 ? GPU_MOMENT0 : GPU_MOMENT1, (size_t)i, &at);
            read_back(b, at, got, n);
            assert_floats(k == 0 ? "moment 0" : "moment 1", i, got, moment);
        }
    }
}

static train_rates rates_of(int step)
{
    const double lr = 0.01 / (1 + 0.1 * step);
    return (train_rates){.lr = {5 * lr, lr, 2 * lr}, .momentum = 0.8 + 0.01 * step};
}

/* ---- tests ---- */

static void check_steps(train_optimizer_kind kind, double decay)
{
    sides s;
    sides_make(&s, kind, decay);
    assert_alike(&s, kind); /* the average is a copy */
    const int n_steps = test_gpu_is_small() ? 1 : N_STEPS;
    for (int step = 0; step < n_steps; step++) {
        double norm, wanted;
        const train_rates rates = rates_of(step);
        vg_error err = {0};
        shake_grads((uint64_t)(step + 40), step % 3 == 1 ? 5.0f : 0.1f); /* clipped or not */
        /* Running statistics move by themselves, and the average goes with them. */
        m.values[3][1] += 0.25f;
        ok(device->host->upload(device->driver, &s.values.block, float_at(3) * sizeof(float),
                                m.values[3], 7 * sizeof(float), &err),
           &err);
        assert_true(step_gpu(&s, &rates, 1, &norm));
        assert_true(train_optimizer_step(s.cpu, &rates, NULL, &wanted));
        train_ema_update(s.average, NULL);
        assert_true(fabs(norm - wanted) <= norm_digits * wanted);
    }
    assert_alike(&s, kind);
    assert_int_equal(train_optimizer_steps(s.far), n_steps);
    sides_free(&s);
}

static void every_optimizer_steps_as_on_the_cpu(void **state)
{
    (void)state;
    if (!device)
        skip();
    for (int kind = TRAIN_OPTIMIZER_SGD; kind < TRAIN_N_OPTIMIZERS; kind++) {
        check_steps((train_optimizer_kind)kind, 0);
        check_steps((train_optimizer_kind)kind, 0.05);
    }
}

static void a_norm_that_is_no_number_changes_nothing(void **state)
{
    (void)state;
    if (!device)
        skip();
    const float bad[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sides s;
        double norm, wanted;
        sides_make(&s, TRAIN_OPTIMIZER_ADAMW, 0.05);
        const train_rates rates = rates_of(0);
        shake_grads(7, 0.1f);
        m.grads[6][2] = bad[i];
        assert_false(step_gpu(&s, &rates, 1, &norm));
        assert_true(!(norm - norm == 0));
        assert_alike(&s, TRAIN_OPTIMIZER_ADAMW);
        /* And the next one is the first. */
        shake_grads(8, 0.1f);
        assert_true(step_gpu(&s, &rates, 1, &norm));
        assert_true(train_optimizer_step(s.cpu, &rates, NULL, &wanted));
        train_ema_update(s.average, NULL);
        assert_alike(&s, TRAIN_OPTIMIZER_ADAMW);
        sides_free(&s);
    }
}

/* A gradient of a frozen tensor is in no norm, as on the CPU. */
static void frozen_tensors_stay_and_do_not_count(void **state)
{
    (void)state;
    if (!device)
        skip();
    sides s;
    double norm, wanted;
    sides_make(&s, TRAIN_OPTIMIZER_SGD, 0.05);
    const train_rates rates = rates_of(0);
    shake_grads(7, 0.1f);
    m.grads[FROZEN][0] = NAN;
    assert_true(step_gpu(&s, &rates, 1, &norm));
    assert_true(train_optimizer_step(s.cpu, &rates, NULL, &wanted));
    train_ema_update(s.average, NULL);
    assert_alike(&s, TRAIN_OPTIMIZER_SGD);
    sides_free(&s);
}

static void gradients_of_a_scaled_loss_are_unscaled_first(void **state)
{
    (void)state;
    if (!device)
        skip();
    sides s;
    double norm, wanted;
    sides_make(&s, TRAIN_OPTIMIZER_SGD, 0.05);
    for (int step = 0; step < 4; step++) {
        const train_rates rates = rates_of(step);
        shake_grads((uint64_t)step, step % 2 ? 5.0f : 0.01f);
        assert_true(step_gpu(&s, &rates, 65536, &norm));
        assert_true(train_optimizer_step(s.cpu, &rates, NULL, &wanted));
        train_ema_update(s.average, NULL);
        assert_true(fabs(norm - wanted) <= norm_digits * wanted);
    }
    assert_alike(&s, TRAIN_OPTIMIZER_SGD);
    sides_free(&s);
}

static void a_second_run_gives_the_same_bits(void **state)
{
    (void)state;
    static float all[2][MODEL_N * MODEL_MOST];
    double norm[2] = {0};
    if (!device)
        skip();
    for (int run = 0; run < 2; run++) {
        sides s;
        sides_make(&s, TRAIN_OPTIMIZER_ADAMW, 0.05);
        for (int step = 0; step < 3; step++) {
            const train_rates rates = rates_of(step);
            shake_grads((uint64_t)step, 1);
            assert_true(step_gpu(&s, &rates, 1, &norm[run]));
        }
        read_back(&s.values.block, 0, all[run], MODEL_N * MODEL_MOST);
        sides_free(&s);
    }
    assert_memory_equal(&norm[0], &norm[1], sizeof norm[0]);
    for (int i = 0; i < MODEL_N; i++)
        assert_memory_equal(all[0] + float_at(i), all[1] + float_at(i),
                            m.infos[i].n_elements * sizeof(float));
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    if (!device)
        skip();
    vg_error err = {0};
    gpu_optimizer *o = NULL;
    base_mem small;
    const gpu_tensor one = {.n = 100, .group = TRAIN_GROUP_WEIGHT};
    const size_t before = mem.in_use_bytes;
    size_t state_bytes, average_bytes;
    assert_int_equal(gpu_optimizer_create(&o, device, &one, 1, TRAIN_OPTIMIZER_AUTO, &device_mem,
                                          &mem, &mem, &err),
                     VG_ERR_ARGUMENT);
    assert_int_equal(gpu_optimizer_create(&o, device, &one, 0, TRAIN_OPTIMIZER_SGD, &device_mem,
                                          &mem, &mem, &err),
                     VG_ERR_LIMIT);
    assert_true(gpu_optimizer_bytes(&state_bytes, &average_bytes, &one, 1, TRAIN_OPTIMIZER_ADAM));
    base_mem_init(&small, "small", NULL, state_bytes + average_bytes - 1);
    assert_int_equal(
        gpu_optimizer_create(&o, device, &one, 1, TRAIN_OPTIMIZER_ADAM, &small, &mem, &mem, &err),
        VG_ERR_MEMORY);
    assert_null(o);
    assert_int_equal(small.in_use_bytes, 0);
    assert_int_equal(mem.in_use_bytes, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer_steps_as_on_the_cpu),
        cmocka_unit_test(a_norm_that_is_no_number_changes_nothing),
        cmocka_unit_test(frozen_tensors_stay_and_do_not_count),
        cmocka_unit_test(gradients_of_a_scaled_loss_are_unscaled_first),
        cmocka_unit_test(a_second_run_gives_the_same_bits),
        cmocka_unit_test(what_does_not_fit_is_refused)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
