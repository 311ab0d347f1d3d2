/* test_gpu_train.c: training of a whole network on a GPU, on the device that VIGIL_TEST_DEVICE
 * names (opencl:0: PoCL's, where the tests' packages are installed): the golden step, and what
 * holds on the CPU too. */
#include "support/test.h"

#include "nn/train_golden.h"
#include "support/gpu.h"

static base_mem mem = {.tag = "device", .limit_bytes = SIZE_MAX};
static nn_device *device;

static int setup(void **state)
{
    (void)state;
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

static void a_step_is_the_references(void **state)
{
    (void)state;
    if (!device)
        skip();
    golden_step(&(nn_train_options){.device = device});
}

static void open_scene(train_run *r, const nn_train_options *o, int n, int h, int w)
{
    run_create(r, nn_builtin_yaml(), 3, o);
    run_generate(r, 1.0);
    run_plan(r, n, h, w);
    run_scene(r, 5);
}

/* Of a tensor's own size; the biases whose gradient is truly 0 are noise on both. */
static void assert_near_gradients(train_run *r, train_run *cpu)
{
    const nn_graph *g = nn_train_graph(cpu->t);
    double worst = 0;
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        const float *want = nn_train_grad(cpu->t, i), *got = want ? run_grad(r, i) : NULL;
        if (!want || training_gradient_is_zero(p->key))
            continue;
        double off = 0;
        const double size = training_norm(want, p->n_elements);
        for (size_t j = 0; j < p->n_elements; j++)
            off += ((double)got[j] - (double)want[j]) * ((double)got[j] - (double)want[j]);
        off = sqrt(off);
        worst = fmax(worst, off / (size + 1e-9));
        if (!(off <= 1e-2 * size + 1e-9))
            fail_msg("%s: off by %.2g of %.2g", p->key, off, size);
    }
    print_message("    [worst gradient off %.1e of its size]\n", worst);
}

static void gradients_are_the_cpus(void **state)
{
    (void)state;
    static const int shapes[][3] = {{2, 64, 96}, {3, 96, 32}};
    if (!device)
        skip();
    for (size_t i = 0; i < 2; i++) {
        train_run r, cpu;
        const int *s = shapes[i];
        open_scene(&r, &(nn_train_options){.device = device}, s[0], s[1], s[2]);
        open_scene(&cpu, &(nn_train_options){.threads = 2}, s[0], s[1], s[2]);
        const double got = run_step(&r, NULL).total, want = run_step(&cpu, NULL).total;
        assert_near(got, want, 1e-3, 0, "loss");
        assert_near_gradients(&r, &cpu);
        run_close(&r);
        run_close(&cpu);
    }
}

/* Maps of 16 bits: loss, and gradients of a scaled loss, unscaled, beside the CPU's. With weights
 * at random and few pixels little rounding goes far: float32 whose weights alone were rounded to 16
 * bits has gradients that are off by 0.1 of their size. */
static void with_maps_of_16_bits_a_step_is_near(void **state)
{
    (void)state;
    const float scale = 1024;
    train_run r, cpu;
    if (!device)
        skip();
    open_scene(&r, &(nn_train_options){.device = device, .half = true}, 2, 64, 96);
    open_scene(&cpu, &(nn_train_options){.threads = 2}, 2, 64, 96);
    const double want = run_step(&cpu, NULL).total;
    r.scale = scale;
    const double got = run_step(&r, NULL).total;
    assert_near(got, want, 1e-2, 0, "loss");
    const nn_graph *g = nn_train_graph(cpu.t);
    double off = 0, size = 0, worst = 0;
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        const float *a = nn_train_grad(cpu.t, i), *b = a ? run_grad(&r, i) : NULL;
        double own = 0;
        if (!a || training_gradient_is_zero(p->key))
            continue;
        for (size_t j = 0; j < p->n_elements; j++)
            own += pow((double)b[j] / (double)scale - (double)a[j], 2);
        worst = fmax(worst, sqrt(own) / (training_norm(a, p->n_elements) + 1e-9));
        off += own;
        size += pow(training_norm(a, p->n_elements), 2);
    }
    print_message("    [loss off %.1e; gradient off %.1e of its size, the worst tensor %.1e]\n",
                  fabs(got - want) / want, sqrt(off / size), worst);
    assert_true(sqrt(off / size) < 0.25);
    run_close(&r);
    run_close(&cpu);
}

/* Half of the bytes, but for heads, the input and what is saved; and it is what is taken. */
static void maps_of_16_bits_take_half(void **state)
{
    (void)state;
    size_t bytes[2];
    if (!device)
        skip();
    for (int half = 0; half < 2; half++) {
        train_run r;
        nn_memory_need need;
        run_create(&r, nn_builtin_yaml(), 3, &(nn_train_options){.device = device, .half = half});
        const nn_accounts a = run_accounts(&r);
        RUN(nn_train_need(r.t, 2, 160, 160, &need, &a, error));
        run_plan(&r, 2, 160, 160);
        assert_int_equal(r.activations.in_use_bytes, need.activation_bytes + need.scratch_bytes);
        bytes[half] = need.activation_bytes;
        run_close(&r);
    }
    print_message("    [%.3f of floats']\n", (double)bytes[1] / (double)bytes[0]);
    assert_true((double)bytes[1] < 0.55 * (double)bytes[0]);
}

/* The same step twice, another shape in between: nothing is left behind in the block, scratch or
 * gradients, and no sum has another order. */
static void a_step_gives_the_same_bits_whatever_ran_before(void **state)
{
    (void)state;
    train_run r;
    size_t n;
    if (!device)
        skip();
    open_scene(&r, &(nn_train_options){.device = device}, 2, 64, 64);
    run_step(&r, NULL);
    float *first = run_grads(&r, &n);
    detect_loss_destroy(&r.loss);
    run_plan(&r, 3, 32, 96);
    run_scene(&r, 7);
    run_step(&r, NULL);
    detect_loss_destroy(&r.loss);
    run_plan(&r, 2, 64, 64);
    run_scene(&r, 5);
    run_step(&r, NULL);
    float *again = run_grads(&r, &n);
    assert_memory_equal(first, again, n * sizeof *first);
    base_free(first);
    base_free(again);
    run_close(&r);
}

static void frozen_parameters_get_no_gradient(void **state)
{
    (void)state;
    train_run r;
    bool needs[1024];
    size_t n;
    if (!device)
        skip();
    open_scene(&r, &(nn_train_options){.device = device}, 1, 64, 64);
    const nn_graph *g = nn_train_graph(r.t);
    assert_true(nn_graph_n_params(g) < 1024);
    run_step(&r, NULL);
    float *all = run_grads(&r, &n), *mine = all;
    for (size_t i = 0; i < nn_graph_n_params(g); i++)
        needs[i] = nn_graph_param(g, i)->layer >= 10 &&
                   strcmp(nn_graph_param(g, i)->key, "model.13.cv1.conv.weight") != 0;
    run_step(&r, needs);
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const size_t of = nn_graph_param(g, i)->n_elements;
        const float *grad = run_grad(&r, i);
        if (!grad)
            continue;
        if (needs[i])
            assert_memory_equal(grad, mine, of * sizeof *grad);
        else
            assert_true(training_norm(grad, of) == 0);
        mine += of;
    }
    base_free(all);
    run_close(&r);
}

/* ---- memory ---- */

static void need_is_what_is_taken(void **state)
{
    (void)state;
    static const int shapes[][3] = {{1, 32, 32}, {3, 160, 128}};
    if (!device)
        skip();
    for (size_t i = 0; i < 2; i++) {
        train_run r;
        nn_memory_need need, before;
        const nn_train_options o = {.device = device, .max_plans = 1};
        run_create(&r, nn_builtin_yaml(), 3, &o);
        const nn_accounts a = run_accounts(&r);
        const int n = shapes[i][0], h = shapes[i][1], w = shapes[i][2];
        nn_graph *g = graph_of("n", 3, &test_mem);
        const nn_accounts other = {&test_mem, &test_mem, &test_mem, &test_mem};
        RUN(nn_graph_train_need(g, &o, n, h, w, &before, &other, error));
        nn_graph_destroy(&g);
        RUN(nn_train_need(r.t, n, h, w, &need, &a, error));
        run_plan(&r, n, h, w);
        assert_int_equal(r.activations.in_use_bytes, need.activation_bytes + need.scratch_bytes);
        assert_int_equal(r.activations.peak_bytes, need.activation_bytes + need.scratch_bytes);
        assert_int_equal(r.weights.in_use_bytes, need.weights_bytes);
        assert_int_equal(r.staging.in_use_bytes, need.staging_bytes);
        assert_int_equal(r.staging.peak_bytes, need.staging_bytes);
        assert_int_equal(before.activation_bytes, need.activation_bytes);
        assert_int_equal(before.scratch_bytes, need.scratch_bytes);
        assert_int_equal(before.weights_bytes, need.weights_bytes);
        assert_int_equal(before.staging_bytes, need.staging_bytes);
        run_close(&r);
    }
}

/* A small network, so that it is many steps. */
static const char small[] = "nc: 3\n"
                            "scales: {n: [1.0, 1.0, 1024]}\n"
                            "backbone:\n"
                            "  - [-1, 1, Conv, [8, 3, 2]]\n"
                            "  - [-1, 1, Conv, [16, 3, 2]]\n"
                            "  - [-1, 1, C3k2, [16, False, 0.5]]\n"
                            "  - [-1, 1, SPPF, [16, 5]]\n"
                            "head:\n"
                            "  - [[3], 1, Detect, [nc]]\n";

static void two_hundred_steps_take_nothing(void **state)
{
    (void)state;
    train_run r;
    if (!device)
        skip();
    run_create(&r, small, 3, &(nn_train_options){.device = device});
    run_plan(&r, 2, 32, 32);
    run_scene(&r, 5);
    run_step(&r, NULL);
    const uint64_t allocs =
        r.plans.n_allocs + r.activations.n_allocs + r.weights.n_allocs + r.staging.n_allocs;
    const size_t taken = nn_device_taken_bytes(device);
    for (int i = 0; i < 200; i++) {
        run_plan(&r, 1 + i % 2, 32, 32);
        RUN(nn_train_zero_grad(r.t, error));
        RUN(nn_train_forward(r.t, r.input, error));
        RUN(nn_train_backward(r.t, NULL, error));
    }
    RUN(nn_train_pull(r.t, r.copy, NN_TRAIN_GRADS, 0, 4096, error)); /* waits for all of it */
    assert_int_equal(r.plans.n_allocs + r.activations.n_allocs + r.weights.n_allocs +
                         r.staging.n_allocs,
                     allocs);
    assert_int_equal(nn_device_taken_bytes(device), taken);
    run_close(&r);
}

static void copies_go_to_their_places_and_come_back(void **state)
{
    (void)state;
    static float sent[1000], got[1000], before[5000], after[5000];
    if (!device)
        skip();
    for (int i = 0; i < 2; i++) { /* on the CPU the same */
        train_run r;
        run_create(&r, small, 3,
                   &(nn_train_options){.device = i == 0 ? device : NULL, .threads = 1});
        for (int j = 0; j < 1000; j++)
            sent[j] = (float)j;
        RUN(nn_train_pull(r.t, before, NN_TRAIN_VALUES, 0, sizeof before, error));
        RUN(nn_train_push(r.t, NN_TRAIN_VALUES, 4 * 777, sent, sizeof sent, error));
        RUN(nn_train_pull(r.t, got, NN_TRAIN_VALUES, 4 * 777, sizeof got, error));
        RUN(nn_train_pull(r.t, after, NN_TRAIN_VALUES, 0, sizeof after, error));
        assert_memory_equal(got, sent, sizeof sent);
        for (int j = 0; j < 5000; j++)
            assert_true(after[j] == (j >= 777 && j < 1777 ? (float)(j - 777) : before[j]));
        run_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_step_is_the_references, nothing_is_held),
        cmocka_unit_test_teardown(gradients_are_the_cpus, nothing_is_held),
        cmocka_unit_test_teardown(with_maps_of_16_bits_a_step_is_near, nothing_is_held),
        cmocka_unit_test_teardown(maps_of_16_bits_take_half, nothing_is_held),
        cmocka_unit_test_teardown(a_step_gives_the_same_bits_whatever_ran_before, nothing_is_held),
        cmocka_unit_test_teardown(frozen_parameters_get_no_gradient, nothing_is_held),
        cmocka_unit_test_teardown(need_is_what_is_taken, nothing_is_held),
        cmocka_unit_test_teardown(two_hundred_steps_take_nothing, nothing_is_held),
        cmocka_unit_test_teardown(copies_go_to_their_places_and_come_back, nothing_is_held),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
