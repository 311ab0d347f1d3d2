/* test_train.c: a training step of the whole network against the reference's (tests/golden: its
 * README's tolerances), and what a step may not depend on. */
#include "support/test.h"

#include "nn/train_golden.h"
#include "nn/train_run.h"

static const char *const isas[] = {"plain", "generic", "sse41", "avx2", "avx512"};
enum { N_ISAS = sizeof isas / sizeof *isas };

static bool is_here(const char *isa)
{
    nn_memory_need need;
    const nn_accounts a = {&test_mem, &test_mem, &test_mem, &test_mem};
    nn_graph *g = graph_of("n", 2, &test_mem);
    bool here = nn_graph_train_need(g, &(nn_train_options){.threads = 1, .isa = isa}, 1, 32, 32,
                                    &need, &a, NULL) == VG_OK;
    nn_graph_destroy(&g);
    return here;
}

static void a_step_is_the_references(void **state)
{
    (void)state;
    for (int i = 0; i < N_ISAS; i++)
        if (is_here(isas[i]))
            golden_step(&(nn_train_options){.threads = 1, .isa = isas[i]});
}

/* ---- five steps with a small SGD ---- */

typedef struct sgd {
    double lr, momentum, decay, clip;
    float *buffer; /* all gradients' momentum */
    float *ema;    /* all parameters' */
    int steps;
} sgd;

static double total_norm(train_run *r)
{
    const nn_graph *g = nn_train_graph(r->t);
    double sum = 0;
    for (size_t i = 0; i < nn_graph_n_params(g); i++)
        if (nn_train_grad(r->t, i)) {
            double n = training_norm(nn_train_grad(r->t, i), nn_graph_param(g, i)->n_elements);
            sum += n * n;
        }
    return sqrt(sum);
}

static void sgd_step(sgd *s, train_run *r)
{
    const nn_graph *g = nn_train_graph(r->t);
    double coef = fmin(1, s->clip / (total_norm(r) + 1e-6));
    double d = 0.9999 * (1 - exp(-(s->steps + 1) / 2000.0));
    float *buffer = s->buffer, *ema = s->ema;
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        float *w = nn_train_param(r->t, i), *grad = nn_train_grad(r->t, i);
        for (size_t j = 0; grad && j < p->n_elements; j++) {
            double x = (double)grad[j] * coef;
            if (p->kind == NN_PARAM_WEIGHT)
                x += s->decay * (double)w[j];
            buffer[j] = (float)(s->steps == 0 ? x : s->momentum * (double)buffer[j] + x);
            w[j] = (float)((double)w[j] - s->lr * (x + s->momentum * (double)buffer[j]));
        }
        buffer += grad ? p->n_elements : 0;
        for (size_t j = 0; j < p->n_elements; j++)
            ema[j] = (float)(d * (double)ema[j] + (1 - d) * (double)w[j]);
        ema += p->n_elements;
    }
    s->steps++;
}

static sgd sgd_make(train_run *r, double lr)
{
    const nn_graph *g = nn_train_graph(r->t);
    size_t n = 0;
    for (size_t i = 0; i < nn_graph_n_params(g); i++)
        n += nn_graph_param(g, i)->n_elements;
    sgd s = {.lr = lr, .momentum = 0.937, .decay = 5e-4, .clip = 10};
    s.buffer = base_alloc_zero(&test_mem, n, sizeof *s.buffer, NULL);
    s.ema = base_alloc_zero(&test_mem, n, sizeof *s.ema, NULL);
    assert_non_null(s.buffer);
    assert_non_null(s.ema);
    float *at = s.ema;
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        memcpy(at, nn_train_param(r->t, i), nn_graph_param(g, i)->n_elements * sizeof *at);
        at += nn_graph_param(g, i)->n_elements;
    }
    return s;
}

static void check_norms5(train_run *r, golden_file *g, const sgd *s, double rel)
{
    const nn_graph *graph = nn_train_graph(r->t);
    const float *ema = s->ema;
    for (size_t i = 0; i < nn_graph_n_params(graph); i++) {
        const nn_param *p = nn_graph_param(graph, i);
        char key[NN_KEY_BYTES + 16];
        base_format(key, sizeof key, "norm5/%s", p->key);
        assert_near(training_norm(nn_train_param(r->t, i), p->n_elements),
                    golden_f64(g, key, NULL)[0], rel, 1e-4, key);
        base_format(key, sizeof key, "emanorm5/%s", p->key);
        assert_near(training_norm(ema, p->n_elements), golden_f64(g, key, NULL)[0], rel, 1e-4, key);
        ema += p->n_elements;
    }
}

/* rel: of the loss at each step. */
static void five_steps(const char *file, const char *isa, double lr, const double rel[5],
                       double norm_rel)
{
    golden_file *g = golden_open(file);
    train_run r;
    golden_begin(&r, g, &(nn_train_options){.threads = 2, .isa = isa});
    sgd s = sgd_make(&r, lr);
    const double *loss = golden_f64(g, "loss_total", NULL),
                 *items = golden_f64(g, "loss_items", NULL),
                 *norm = golden_f64(g, "grad_total_norm_preclip", NULL);
    for (int i = 0; i < 5; i++) {
        detect_loss_value v = run_step(&r, NULL);
        print_message("    [%s, step %d: loss %.6f, off %.1e; norm off %.1e]\n", nn_train_isa(r.t),
                      i + 1, v.total, fabs(v.total - loss[i]) / loss[i],
                      fabs(total_norm(&r) - norm[i]) / norm[i]);
        assert_near(v.total, loss[i], rel[i], 0, "loss_total");
        assert_near(v.items[0], items[3 * i], 5 * rel[i], 0, "box");
        assert_near(v.items[1], items[3 * i + 1], 5 * rel[i], 0, "cls");
        assert_near(v.items[2], items[3 * i + 2], 5 * rel[i], 0, "dfl");
        sgd_step(&s, &r);
    }
    check_norms5(&r, g, &s, norm_rel);
    base_free(s.buffer);
    base_free(s.ema);
    golden_close(g);
    run_close(&r);
}

static void five_steps_are_the_references(void **state)
{
    (void)state;
    for (int i = 0; i < N_ISAS; i++)
        if (is_here(isas[i]))
            five_steps("train_n_nc3_64_lr5e-4.safetensors", isas[i], 5e-4,
                       (const double[]){2e-4, 2e-4, 2e-4, 0.05, 0.05}, 0.05);
}

/* From step 3 on the reference's own single and double precision part ways. */
static void steps_of_the_default_rate_stay_in_the_band(void **state)
{
    (void)state;
    five_steps("train_n_nc3_64.safetensors", NULL, 0.01,
               (const double[]){1e-4, 1e-3, 0.15, 0.15, 0.15}, 0.15);
}

/* ---- what a step does not depend on ---- */

static void open_scene(train_run *r, const nn_train_options *o, int n, int h, int w)
{
    run_create(r, nn_builtin_yaml(), 3, o);
    run_generate(r, 1.0);
    run_plan(r, n, h, w);
    run_scene(r, 5);
}

static void gradients_do_not_depend_on_threads(void **state)
{
    (void)state;
    for (int i = 0; i < N_ISAS; i++) {
        float *want = NULL;
        size_t n_want = 0;
        for (int threads = 1; threads <= 3 && is_here(isas[i]); threads++) {
            train_run r;
            size_t n;
            open_scene(&r, &(nn_train_options){.threads = threads, .isa = isas[i]}, 2, 64, 96);
            run_step(&r, NULL);
            float *got = run_grads(&r, &n);
            if (!want) {
                want = got;
                n_want = n;
            } else {
                assert_int_equal(n, n_want);
                assert_memory_equal(got, want, n * sizeof *got);
                base_free(got);
            }
            if (threads == 3)
                base_free(want);
            run_close(&r);
        }
    }
}

/* Another shape in between leaves nothing behind in the block, scratch or gradients. */
static void a_step_does_not_depend_on_what_ran_before(void **state)
{
    (void)state;
    train_run r;
    size_t n;
    open_scene(&r, &(nn_train_options){.threads = 2}, 2, 64, 64);
    run_step(&r, NULL);
    float *first = run_grads(&r, &n);
    detect_loss_destroy(&r.loss);
    run_plan(&r, 3, 96, 160);
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

static void gradients_add_up(void **state)
{
    (void)state;
    train_run r;
    size_t n;
    open_scene(&r, &(nn_train_options){.threads = 1}, 1, 64, 64);
    run_step(&r, NULL);
    float *one = run_grads(&r, &n);
    assert_true(nn_train_forward(r.t, r.input, NULL) == VG_OK);
    run_loss(&r);
    assert_true(nn_train_backward(r.t, NULL, NULL) == VG_OK);
    float *two = run_grads(&r, &n);
    double norm = training_norm(one, n);
    for (size_t i = 0; i < n; i++)
        assert_near((double)two[i], 2 * (double)one[i], 1e-5, 1e-7 * norm, "twice");
    base_free(one);
    base_free(two);
    run_close(&r);
}

/* Frozen parameters keep a gradient of zero, and the others get the same as without. */
static void frozen_parameters_get_no_gradient(void **state)
{
    (void)state;
    train_run r;
    bool needs[1024];
    open_scene(&r, &(nn_train_options){.threads = 1}, 1, 64, 64);
    const nn_graph *g = nn_train_graph(r.t);
    assert_true(nn_graph_n_params(g) < 1024);
    size_t n;
    run_step(&r, NULL);
    float *all = run_grads(&r, &n), *mine = all;
    for (size_t i = 0; i < nn_graph_n_params(g); i++) /* the backbone, and a weight of the neck */
        needs[i] = nn_graph_param(g, i)->layer >= 10 &&
                   strcmp(nn_graph_param(g, i)->key, "model.13.cv1.conv.weight") != 0;
    run_step(&r, needs);
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        size_t of = nn_graph_param(g, i)->n_elements;
        const float *grad = nn_train_grad(r.t, i);
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
    static const int shapes[][3] = {{1, 32, 32}, {2, 64, 96}, {3, 160, 128}};
    for (size_t i = 0; i < 3; i++) {
        train_run r;
        nn_memory_need need, before;
        const nn_train_options o = {.threads = 2, .max_plans = 1};
        run_create(&r, nn_builtin_yaml(), 3, &o);
        const nn_accounts a = run_accounts(&r);
        const int n = shapes[i][0], h = shapes[i][1], w = shapes[i][2];
        base_mem graph_mem = {.tag = "graph", .limit_bytes = SIZE_MAX};
        nn_graph *g = graph_of("n", 3, &graph_mem);
        size_t graph_bytes = graph_mem.in_use_bytes;
        const nn_accounts other = {&test_mem, &test_mem, &test_mem, &test_mem};
        assert_int_equal(nn_graph_train_need(g, &o, n, h, w, &before, &other, NULL), VG_OK);
        nn_graph_destroy(&g);
        assert_int_equal(nn_train_need(r.t, n, h, w, &need, &a, NULL), VG_OK);
        assert_int_equal(r.activations.in_use_bytes, 0);
        run_plan(&r, n, h, w);
        assert_int_equal(r.activations.in_use_bytes, need.activation_bytes + need.scratch_bytes);
        assert_int_equal(r.activations.peak_bytes, need.activation_bytes + need.scratch_bytes);
        assert_int_equal(r.weights.in_use_bytes, need.weights_bytes);
        assert_int_equal(before.activation_bytes, need.activation_bytes);
        assert_int_equal(before.scratch_bytes, need.scratch_bytes);
        assert_int_equal(before.weights_bytes, need.weights_bytes);
        assert_int_equal(r.plans.in_use_bytes, before.engine_bytes + graph_bytes);
        assert_true(need.activation_bytes < need.naive_bytes);
        run_close(&r);
    }
}

static void steps_allocate_nothing(void **state)
{
    (void)state;
    train_run r;
    open_scene(&r, &(nn_train_options){.threads = 2}, 2, 64, 64);
    run_step(&r, NULL);
    uint64_t allocs = r.plans.n_allocs + r.activations.n_allocs + r.weights.n_allocs;
    size_t library = base_mem_library_bytes();
    for (int i = 0; i < 3; i++) {
        run_plan(&r, 2, 64, 64); /* cached */
        run_step(&r, NULL);
    }
    assert_int_equal(r.plans.n_allocs + r.activations.n_allocs + r.weights.n_allocs, allocs);
    assert_int_equal(base_mem_library_bytes(), library);
    run_close(&r);
}

static void failing_memory_is_an_error_and_nothing_is_lost(void **state)
{
    (void)state;
    for (int fail_in = 1;; fail_in++) {
        base_mem root = {.tag = "root", .limit_bytes = SIZE_MAX};
        const nn_accounts a = {&root, &root, &root, &root};
        nn_graph *g = graph_of("n", 3, &test_mem);
        nn_train *t = NULL;
        vg_error err = {0};
        root.fail_in = fail_in;
        vg_status st = nn_train_create(&t, g, &(nn_train_options){.threads = 1}, 0, &a, &err);
        if (st != VG_OK)
            nn_graph_destroy(&g); /* untouched on failure */
        else
            st = nn_train_plan(t, 1, 64, 64, &a, &err);
        bool done = st == VG_OK;
        assert_true(done || st == VG_ERR_MEMORY);
        root.fail_in = 0;
        if (t && !done)
            assert_int_equal(nn_train_plan(t, 1, 64, 64, &a, &err), VG_OK);
        nn_train_destroy(&t);
        assert_int_equal(root.in_use_bytes, 0);
        assert_int_equal(test_mem.in_use_bytes, 0);
        if (done)
            break;
    }
}

static void a_shape_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    train_run r;
    vg_error err = {0};
    run_create(&r, nn_builtin_yaml(), 3, &(nn_train_options){.threads = 1});
    const nn_accounts a = run_accounts(&r);
    assert_int_equal(nn_train_plan(r.t, 1, 64, 65, &a, &err), VG_ERR_ARGUMENT);
    assert_int_equal(nn_train_plan(r.t, 0, 64, 64, &a, &err), VG_ERR_ARGUMENT);
    r.activations.limit_bytes = 1 << 20;
    assert_int_equal(nn_train_plan(r.t, 4, 320, 320, &a, &err), VG_ERR_MEMORY);
    r.activations.limit_bytes = SIZE_MAX;
    assert_int_equal(nn_train_plan(r.t, 1, 64, 64, &a, &err), VG_OK);
    run_close(&r);
}

/* ---- a fresh model ---- */

static void a_fresh_model_starts_as_specified(void **state)
{
    (void)state;
    train_run r, same;
    run_create(&r, nn_builtin_yaml(), 3, &(nn_train_options){.threads = 1});
    run_create(&same, nn_builtin_yaml(), 3, &(nn_train_options){.threads = 1});
    const nn_graph *g = nn_train_graph(r.t);
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        const float *v = nn_train_param(r.t, i);
        assert_memory_equal(v, nn_train_param(same.t, i), p->n_elements * sizeof *v);
        double fan = p->shape[1] * p->shape[2] * p->shape[3], bound = 1 / sqrt(fan), most = 0;
        for (size_t j = 0; j < p->n_elements; j++)
            most = fmax(most, fabs((double)v[j]));
        if (p->kind == NN_PARAM_WEIGHT)
            assert_true(most <= bound && most > 0.8 * bound);
        if (p->kind == NN_PARAM_BN_VAR)
            assert_true(v[0] == 0.9f);
        if (p->kind == NN_PARAM_DFL)
            assert_true(v[0] == 0 && v[15] == 15);
    }
    const float *box = nn_train_param(r.t, param_index(r.t, "model.23.cv2.1.2.bias"));
    const float *cls = nn_train_param(r.t, param_index(r.t, "model.23.cv3.2.2.bias"));
    assert_near((double)box[63], 1, 0, 0, "box bias");
    assert_near((double)cls[2], log(5.0 / 3 / (20 * 20)), 1e-6, 0, "class bias");
    run_close(&same);
    nn_train_destroy(&r.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_step_is_the_references, nothing_is_held),
        cmocka_unit_test_teardown(five_steps_are_the_references, nothing_is_held),
        cmocka_unit_test_teardown(steps_of_the_default_rate_stay_in_the_band, nothing_is_held),
        cmocka_unit_test_teardown(gradients_do_not_depend_on_threads, nothing_is_held),
        cmocka_unit_test_teardown(a_step_does_not_depend_on_what_ran_before, nothing_is_held),
        cmocka_unit_test_teardown(gradients_add_up, nothing_is_held),
        cmocka_unit_test_teardown(frozen_parameters_get_no_gradient, nothing_is_held),
        cmocka_unit_test_teardown(need_is_what_is_taken, nothing_is_held),
        cmocka_unit_test_teardown(steps_allocate_nothing, nothing_is_held),
        cmocka_unit_test_teardown(failing_memory_is_an_error_and_nothing_is_lost, nothing_is_held),
        cmocka_unit_test_teardown(a_shape_that_does_not_fit_is_refused, nothing_is_held),
        cmocka_unit_test_teardown(a_fresh_model_starts_as_specified, nothing_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
