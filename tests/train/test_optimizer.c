/* Steps by hand, by a plain twin in double, and what must never move. */
#include "support/test.h"

#include <math.h>

#include "model.h"
#include "support/golden.h"

static base_mem mem;
static model m;

static int setup(void **state)
{
    (void)state;
    base_mem_init(&mem, "test", NULL, 0);
    model_make(&m, 20000 / 2, 1);
    return train_params_freeze(m.params, MODEL_N, NULL, 0, NULL) == VG_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

static train_optimizer *make(train_optimizer_kind kind, double momentum, double decay)
{
    train_optimizer *o;
    vg_error err;
    const train_optimizer_options options = {
        .kind = kind, .momentum = momentum, .weight_decay = decay};
    if (train_optimizer_create(&o, m.params, MODEL_N, &options, &mem, &err) != VG_OK)
        fail_msg("%s", err.what);
    return o;
}

static void clear(void)
{
    memset(m.values, 0, sizeof m.values);
    memset(m.grads, 0, sizeof m.grads);
}

static void step(train_optimizer *o, double lr, double momentum)
{
    double norm;
    const train_rates rates = {.lr = {lr, lr, lr}, .momentum = momentum};
    assert_true(train_optimizer_step(o, &rates, NULL, &norm));
}

static void assert_value(int param, double wanted)
{
    if (fabs((double)m.values[param][0] - wanted) > 1e-6)
        fail_msg("parameter %d is %.9g, not %.9g", param, (double)m.values[param][0], wanted);
}

enum { WEIGHT = 0, NORM = 1, BN_BIAS = 2, MEAN = 3, BIAS = 6, DFL = 7 };

static void sgd_steps_as_by_hand(void **state)
{
    (void)state;
    clear();
    train_optimizer *o = make(TRAIN_OPTIMIZER_SGD, 0.9, 0.01);
    m.values[WEIGHT][0] = m.values[BIAS][0] = m.values[NORM][0] = 1;
    m.grads[WEIGHT][0] = m.grads[BIAS][0] = m.grads[NORM][0] = 0.5f;
    step(o, 0.1, 0.9);
    assert_value(WEIGHT, 0.9031); /* g = 0.5 + 0.01, buf = g, 1 - 0.1 (g + 0.9 buf) */
    assert_value(BIAS, 0.905);    /* no decay */
    assert_value(NORM, 0.905);
    step(o, 0.1, 0.9);
    assert_value(WEIGHT, 0.76507411); /* g = 0.509031, buf = 0.459 + g */
    assert_value(BIAS, 0.7695);       /* buf = 0.95 */
    train_optimizer_destroy(&o);
}

static void adam_steps_as_by_hand(void **state)
{
    (void)state;
    clear();
    train_optimizer *o = make(TRAIN_OPTIMIZER_ADAM, 0.9, 0);
    m.values[WEIGHT][0] = 1;
    m.grads[WEIGHT][0] = 0.5f;
    step(o, 0.1, 0);
    assert_value(WEIGHT, 0.9); /* mean 0.05 / 0.1, square 0.00025 / 0.001 */
    m.grads[WEIGHT][0] = 0.25f;
    step(o, 0.1, 0);
    assert_value(WEIGHT, 0.9 - 0.1 * (0.07 / 0.19) / sqrt(0.00031225 / 0.001999));
    assert_int_equal(train_optimizer_steps(o), 2);
    train_optimizer_destroy(&o);
}

static void adamw_decays_the_weight_and_adam_the_gradient(void **state)
{
    (void)state;
    clear();
    train_optimizer *o = make(TRAIN_OPTIMIZER_ADAMW, 0.9, 0.1);
    m.values[WEIGHT][0] = m.values[BIAS][0] = 2;
    m.grads[WEIGHT][0] = m.grads[BIAS][0] = 0.5f;
    step(o, 0.1, 0);
    assert_value(WEIGHT, 2 * (1 - 0.1 * 0.1) - 0.1);
    assert_value(BIAS, 1.9);
    train_optimizer_destroy(&o);

    clear();
    o = make(TRAIN_OPTIMIZER_ADAM, 0.9, 0.1);
    m.values[WEIGHT][0] = 2;
    m.values[WEIGHT][1] =
        5; /* no gradient but its decay: a whole step, as every first step of Adam */
    m.grads[WEIGHT][0] = 0.5f;
    step(o, 0.1, 0);
    assert_value(WEIGHT, 1.9);
    assert_true(fabs((double)m.values[WEIGHT][1] - 4.9) < 1e-6);
    train_optimizer_destroy(&o);
}

/* Of torch.optim 2.15 in double, at lr 0.01, betas 0.9 and 0.999, momentum 0.9: a weight of 1 and
 * one of -2 after each of eight steps, without decay and with a decay of 0.1. The norm is far from
 * clipping. */
typedef struct golden_steps {
    train_optimizer_kind kind;
    double decay, wanted[8][2];
} golden_steps;

static const golden_steps golden[] = {
    {TRAIN_OPTIMIZER_NADAM,
     0,
     {{0.989435482, -2.010564517},
      {0.993546580, -2.013712021},
      {0.990826008, -2.020266127},
      {0.980720802, -2.029967321},
      {0.989880290, -2.027609729},
      {0.989936790, -2.032572909},
      {0.986625419, -2.039967249},
      {0.984064228, -2.046953441}}},
    {TRAIN_OPTIMIZER_RADAM,
     0,
     {{0.995000000, -2.001000000},
      {0.993947368, -2.001605263},
      {0.992821907, -2.002217809},
      {0.989842843, -2.003015716},
      {0.990033193, -2.003496681},
      {0.990040078, -2.003660316},
      {0.990012137, -2.003892084},
      {0.989956212, -2.004183176}}},
    {TRAIN_OPTIMIZER_ADAMAX,
     0,
     {{0.990000000, -2.009999999},
      {0.987892630, -2.016058689},
      {0.985637199, -2.022196419},
      {0.981665114, -2.028579669},
      {0.981855463, -2.032431241},
      {0.982005338, -2.036319233},
      {0.981550415, -2.040695559},
      {0.980822772, -2.045294296}}},
    {TRAIN_OPTIMIZER_RMSPROP,
     0,
     {{0.900000020, -2.099999900},
      {0.854901355, -2.214368295},
      {0.792302142, -2.369517484},
      {0.656094220, -2.581552866},
      {0.606576096, -2.744438094},
      {0.562009784, -2.918075814},
      {0.500281589, -3.114226479},
      {0.430390870, -3.323854201}}},
    {TRAIN_OPTIMIZER_NADAM,
     0.1,
     {{0.989435482, -1.989435483},
      {0.991376316, -1.980060731},
      {0.987096252, -1.972943529},
      {0.976871404, -1.968180707},
      {0.984686657, -1.957668412},
      {0.983427139, -1.950467161},
      {0.978835764, -1.944035555},
      {0.974893152, -1.936980946}}},
    {TRAIN_OPTIMIZER_RADAM,
     0.1,
     {{0.994000000, -1.999000000},
      {0.991950526, -1.997605789},
      {0.989830028, -1.996219551},
      {0.985857441, -1.995019419},
      {0.985056140, -1.993503083},
      {0.985018327, -1.993255943},
      {0.984932768, -1.992945545},
      {0.984806820, -1.992578634}}},
    {TRAIN_OPTIMIZER_ADAMAX,
     0.1,
     {{0.990000000, -1.990000001},
      {0.986584304, -1.982014521},
      {0.983048586, -1.974089952},
      {0.978370707, -1.967251586},
      {0.977488150, -1.961171922},
      {0.976561783, -1.955119799},
      {0.974965652, -1.949323643},
      {0.973067717, -1.943648651}}},
    {TRAIN_OPTIMIZER_RMSPROP,
     0.1,
     {{0.900000017, -1.900000100},
      {0.835887419, -1.724365349},
      {0.746064677, -1.516548444},
      {0.586509720, -1.317479399},
      {0.509934182, -1.074694169},
      {0.437369609, -0.836369281},
      {0.348077755, -0.620616479},
      {0.251467963, -0.429202854}}},
};

static void relatives_of_adam_step_as_torch_does(void **state)
{
    (void)state;
    static const float grads[8] = {0.5f, -0.25f, 0.125f, 0.75f, -1, 0, 0.3f, 0.2f};
    for (size_t c = 0; c < sizeof golden / sizeof *golden; c++) {
        clear();
        train_optimizer *o = make(golden[c].kind, 0.9, golden[c].decay);
        m.values[WEIGHT][0] = 1;
        m.values[WEIGHT][1] = -2;
        for (int t = 0; t < 8; t++) {
            m.grads[WEIGHT][0] = grads[t];
            m.grads[WEIGHT][1] = grads[t] * 0.1f + 0.05f;
            /* As after a checkpoint: the product of NAdam's beta1 is made anew. */
            train_optimizer_set_steps(o, t);
            step(o, 0.01, 0.9);
            for (int k = 0; k < 2; k++)
                if (fabs((double)m.values[WEIGHT][k] - golden[c].wanted[t][k]) > 2e-6)
                    fail_msg("%s, step %d, weight %d is %.9g, not %.9g",
                             train_optimizer_name(golden[c].kind), t + 1, k,
                             (double)m.values[WEIGHT][k], golden[c].wanted[t][k]);
        }
        train_optimizer_destroy(&o);
    }
}

static void a_norm_above_10_is_clipped_over_all_tensors(void **state)
{
    (void)state;
    clear();
    train_optimizer *o = make(TRAIN_OPTIMIZER_SGD, 0, 0);
    m.grads[WEIGHT][0] = 30;
    m.grads[BIAS][0] = 40;
    double norm;
    const train_rates rates = {.lr = {1, 1, 1}};
    assert_true(train_optimizer_step(o, &rates, NULL, &norm));
    assert_true(fabs(norm - 50) < 1e-9);
    assert_value(WEIGHT, -6);
    assert_value(BIAS, -8);
    m.grads[WEIGHT][0] = 6;
    m.grads[BIAS][0] = 7.9f;
    assert_true(train_optimizer_step(o, &rates, NULL, &norm));
    assert_value(WEIGHT, -12); /* 9.92: as it is */
    assert_value(BIAS, -15.9);
    train_optimizer_destroy(&o);
}

static void every_group_has_its_learning_rate(void **state)
{
    (void)state;
    clear();
    train_optimizer *o = make(TRAIN_OPTIMIZER_SGD, 0, 0);
    m.grads[WEIGHT][0] = m.grads[NORM][0] = m.grads[BN_BIAS][0] = m.grads[BIAS][0] = 1;
    double norm;
    const train_rates rates = {
        .lr = {[TRAIN_GROUP_BIAS] = 1, [TRAIN_GROUP_WEIGHT] = 2, [TRAIN_GROUP_NORM] = 3}};
    assert_true(train_optimizer_step(o, &rates, NULL, &norm));
    assert_value(WEIGHT, -2);
    assert_value(NORM, -3);
    assert_value(BN_BIAS, -1);
    assert_value(BIAS, -1);
    train_optimizer_destroy(&o);
}

static void a_plain_twin_in_double_agrees(void **state)
{
    (void)state;
    for (int kind = TRAIN_OPTIMIZER_SGD; kind <= TRAIN_OPTIMIZER_ADAMW; kind++) {
        static double p[MODEL_N][MODEL_MOST], a[MODEL_N][MODEL_MOST], b[MODEL_N][MODEL_MOST];
        memset(a, 0, sizeof a);
        memset(b, 0, sizeof b);
        model_make(&m, 10000, 3);
        train_params_freeze(m.params, MODEL_N, NULL, 0, NULL);
        for (int i = 0; i < MODEL_N; i++)
            for (size_t k = 0; k < m.infos[i].n_elements; k++)
                p[i][k] = (double)m.values[i][k];
        train_optimizer *o = make((train_optimizer_kind)kind, 0.9, 0.05);
        test_random r = {.state = 9};
        for (int t = 1; t <= 5; t++) {
            double squares = 0;
            for (int i = 0; i < MODEL_N; i++)
                for (size_t k = 0; k < m.infos[i].n_elements; k++) {
                    m.grads[i][k] = random_float(&r, -0.3f, 0.3f);
                    if (m.params[i].grad != NULL)
                        squares += (double)m.grads[i][k] * (double)m.grads[i][k];
                }
            const double clip = fmin(1, 10 / (sqrt(squares) + 1e-6));
            assert_true(clip < 1);
            step(o, 0.01, 0.8);
            for (int i = 0; i < MODEL_N; i++) {
                const train_group group = train_param_group(&m.params[i]);
                const double decay = group == TRAIN_GROUP_WEIGHT ? 0.05 : 0;
                for (size_t k = 0; group != TRAIN_GROUP_NONE && k < m.infos[i].n_elements; k++) {
                    double g = clip * (double)m.grads[i][k];
                    if (kind == TRAIN_OPTIMIZER_ADAMW)
                        p[i][k] *= 1 - 0.01 * decay;
                    else
                        g += decay * p[i][k];
                    if (kind == TRAIN_OPTIMIZER_SGD) {
                        a[i][k] = t == 1 ? g : 0.8 * a[i][k] + g;
                        p[i][k] -= 0.01 * (g + 0.8 * a[i][k]);
                        continue;
                    }
                    a[i][k] = 0.9 * a[i][k] + 0.1 * g;
                    b[i][k] = 0.999 * b[i][k] + 0.001 * g * g;
                    p[i][k] -= 0.01 * (a[i][k] / (1 - pow(0.9, t))) /
                               (sqrt(b[i][k] / (1 - pow(0.999, t))) + 1e-8);
                }
            }
        }
        for (int i = 0; i < MODEL_N; i++)
            for (size_t k = 0; k < m.infos[i].n_elements; k++)
                if (fabs((double)m.values[i][k] - p[i][k]) > 2e-6)
                    fail_msg("%s: %s[%zu] is %.9g, not %.9g",
                             train_optimizer_name((train_optimizer_kind)kind), m.infos[i].key, k,
                             (double)m.values[i][k], p[i][k]);
        train_optimizer_destroy(&o);
    }
}

static void frozen_tensors_statistics_and_dfl_never_move(void **state)
{
    (void)state;
    static model before;
    assert_int_equal(train_params_freeze(m.params, MODEL_N, (int[]){0}, 1, NULL), VG_OK);
    model_shake(&m, 4);
    before = m;
    for (int k = 0; k < 7; k++)
        m.grads[WEIGHT][k] = 1e6f; /* a frozen tensor's gradient must not enter the norm either */
    const size_t bytes = train_optimizer_bytes(
        m.params, MODEL_N, &(train_optimizer_options){.kind = TRAIN_OPTIMIZER_ADAMW});
    assert_true(bytes < 10000 * sizeof(float)); /* nor does it take state */
    train_optimizer *o = make(TRAIN_OPTIMIZER_ADAMW, 0.9, 0.1);
    assert_int_equal(mem.in_use_bytes, bytes);
    double norm;
    const train_rates rates = {.lr = {0.1, 0.1, 0.1}};
    assert_true(train_optimizer_step(o, &rates, NULL, &norm));
    assert_true(norm < 1);
    for (int i = 0; i < MODEL_N; i++) {
        const bool same =
            memcmp(before.values[i], m.values[i], m.infos[i].n_elements * sizeof(float)) == 0;
        assert_int_equal(same, i < 5 || i == DFL);
        assert_int_equal(train_optimizer_moment(o, 0, (size_t)i) == NULL, same);
    }
    train_optimizer_destroy(&o);
}

static void threads_do_not_change_a_bit_and_nothing_is_allocated(void **state)
{
    (void)state;
    static model alone;
    train_optimizer *o = make(TRAIN_OPTIMIZER_SGD, 0.9, 0.01);
    double norm_alone = 0, norm = 0;
    const train_rates rates = {.lr = {0.1, 0.1, 0.1}, .momentum = 0.9};
    for (int t = 0; t < 5; t++)
        assert_true(train_optimizer_step(o, &rates, NULL, &norm_alone));
    train_optimizer_destroy(&o);
    alone = m;

    model_make(&m, 10000, 1);
    train_params_freeze(m.params, MODEL_N, NULL, 0, NULL);
    base_pool *pool;
    assert_int_equal(base_pool_create(&pool, 3, &mem, NULL), VG_OK);
    o = make(TRAIN_OPTIMIZER_SGD, 0.9, 0.01);
    const uint64_t n_allocs = mem.n_allocs;
    for (int t = 0; t < 5; t++)
        assert_true(train_optimizer_step(o, &rates, pool, &norm));
    assert_int_equal(mem.n_allocs, n_allocs);
    assert_true(norm == norm_alone);
    assert_true(model_same_values(&m, &alone));
    train_optimizer_destroy(&o);
    base_pool_destroy(&pool);
}

static void a_gradient_that_is_no_number_changes_nothing(void **state)
{
    (void)state;
    static model before;
    train_optimizer *o = make(TRAIN_OPTIMIZER_ADAM, 0.9, 0.01);
    before = m;
    double norm;
    const train_rates rates = {.lr = {0.1, 0.1, 0.1}};
    for (int k = 0; k < 2; k++) {
        m.grads[WEIGHT][9999] = k == 0 ? NAN : INFINITY;
        assert_false(train_optimizer_step(o, &rates, NULL, &norm));
        assert_false(isfinite(norm) != 0);
    }
    assert_true(model_same_values(&m, &before));
    assert_true(train_optimizer_moment(o, 0, 0)[5] == 0);
    assert_int_equal(train_optimizer_steps(o), 0);
    train_optimizer_destroy(&o);
}

static void auto_chooses_by_iterations_and_classes(void **state)
{
    (void)state;
    golden_file *g = golden_open("schedule.safetensors");
    size_t n;
    const double *row = golden_f64(g, "auto_adamw_lr", &n);
    for (size_t i = 0; i < n; i += 2) {
        train_optimizer_options o = {.lr0 = 0.01, .momentum = 0.937, .warmup_bias_lr = 0.1};
        train_optimizer_choose(&o, 128, 16, 100, (int)row[i]);
        assert_int_equal(o.kind, TRAIN_OPTIMIZER_ADAMW);
        assert_true(o.lr0 == row[i + 1] && o.momentum == 0.9 && o.warmup_bias_lr == 0);
    }
    golden_close(g);

    train_optimizer_options o = {.lr0 = 0.02};
    train_optimizer_choose(&o, 6400, 16, 100, 80); /* 100 * 100: not more than 10000 */
    assert_int_equal(o.kind, TRAIN_OPTIMIZER_ADAMW);
    o = (train_optimizer_options){.lr0 = 0.02};
    train_optimizer_choose(&o, 6401, 16, 100, 80);
    assert_int_equal(o.kind, TRAIN_OPTIMIZER_SGD);
    assert_true(o.lr0 == 0.01 && o.momentum == 0.9);
    o = (train_optimizer_options){.lr0 = 0.02, .kind = TRAIN_OPTIMIZER_ADAM, .momentum = 0.95};
    train_optimizer_choose(&o, 6401, 16, 100, 80);
    assert_true(o.kind == TRAIN_OPTIMIZER_ADAM && o.lr0 == 0.02 && o.momentum == 0.95);
}

static void wrong_options_and_no_memory_are_errors(void **state)
{
    (void)state;
    train_optimizer *o;
    vg_error err;
    train_optimizer_options options = {.kind = TRAIN_OPTIMIZER_AUTO, .momentum = 0.9};
    assert_int_equal(train_optimizer_create(&o, m.params, MODEL_N, &options, &mem, &err),
                     VG_ERR_ARGUMENT);
    options = (train_optimizer_options){.kind = TRAIN_OPTIMIZER_SGD, .momentum = 1};
    assert_int_equal(train_optimizer_create(&o, m.params, MODEL_N, &options, &mem, &err),
                     VG_ERR_ARGUMENT);
    options = (train_optimizer_options){.kind = TRAIN_OPTIMIZER_SGD, .weight_decay = NAN};
    assert_int_equal(train_optimizer_create(&o, m.params, MODEL_N, &options, &mem, &err),
                     VG_ERR_ARGUMENT);
    options = (train_optimizer_options){.kind = TRAIN_OPTIMIZER_SGD};
    mem.fail_in = 1;
    assert_int_equal(train_optimizer_create(&o, m.params, MODEL_N, &options, &mem, &err),
                     VG_ERR_MEMORY);
    assert_null(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(sgd_steps_as_by_hand),
        TEST(adam_steps_as_by_hand),
        TEST(adamw_decays_the_weight_and_adam_the_gradient),
        TEST(relatives_of_adam_step_as_torch_does),
        TEST(a_norm_above_10_is_clipped_over_all_tensors),
        TEST(every_group_has_its_learning_rate),
        TEST(a_plain_twin_in_double_agrees),
        TEST(frozen_tensors_statistics_and_dfl_never_move),
        TEST(threads_do_not_change_a_bit_and_nothing_is_allocated),
        TEST(a_gradient_that_is_no_number_changes_nothing),
        TEST(auto_chooses_by_iterations_and_classes),
        TEST(wrong_options_and_no_memory_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
