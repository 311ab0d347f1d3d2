/* test_train_ops.c: every op's gradient by finite differences, on networks just large enough to
 * hold it, and every instruction set's against the plain kernels'.
 *
 * The loss is a fixed random weight times each head value, so its gradient is known. A parameter
 * tensor is moved along a random direction as a whole: one slope says whether its gradient is
 * right. */
#include "support/test.h"

#include "nn/train_run.h"

static const char *const isas[] = {"generic", "sse41", "avx2", "avx512"};
enum { N_ISAS = sizeof isas / sizeof *isas };

/* Widths are multiples of 8 in a YAML, but one that equals nc stays as it is (spec 9, item 20):
 * with nc 5 the width 5 gives odd channels. */
#define MODEL(rows, head) "nc: 5\nbackbone:\n" rows "head:\n" head
#define ROW(text)         "  - [" text "]\n"

typedef struct network {
    const char *name, *model;
    int n, h, w;
    double tolerance; /* of a slope */
} network;

static const network networks[] = {
    {"a 3x3 and a 1x1 convolution",
     MODEL(ROW("-1, 1, Conv, [16, 3, 2]") ROW("-1, 1, Conv, [24, 1, 1]"),
           ROW("[1], 1, Detect, [nc]")),
     2, 24, 40, 1e-2},
    {"odd channels, every kernel, both strides",
     MODEL(ROW("-1, 1, Conv, [5, 5, 2]") ROW("-1, 1, Conv, [8, 7, 1]") ROW("-1, 1, Conv, [5, 3, 2]")
               ROW("-1, 1, Conv, [24, 3, 1]") ROW("-1, 1, Conv, [5, 1, 2]")
                   ROW("-1, 1, Conv, [40, 7, 2]"),
           ROW("[5], 1, Detect, [nc]")),
     3, 32, 48, 2e-2},
    {"even kernels, of even and odd channels",
     MODEL(ROW("-1, 1, Conv, [8, 6, 2, 2]") ROW("-1, 1, Conv, [5, 6, 2, 2]")
               ROW("-1, 1, Conv, [16, 4, 2, 1]") ROW("-1, 1, Conv, [5, 2, 2, 0]"),
           ROW("[3], 1, Detect, [nc]")),
     2, 32, 48, 2e-2},
    {"wide strided convolutions",
     MODEL(ROW("-1, 1, Conv, [64, 3, 2]") ROW("-1, 1, Conv, [72, 3, 2]")
               ROW("-1, 1, Conv, [16, 5, 2]"),
           ROW("[2], 1, Detect, [nc]")),
     2, 24, 40, 1e-2},
    {"depthwise convolutions of both strides",
     MODEL(ROW("-1, 1, Conv, [24, 3, 2]") ROW("-1, 1, DWConv, [24, 3, 1]")
               ROW("-1, 1, DWConv, [24, 5, 2]"),
           ROW("[2], 1, Detect, [nc]")),
     2, 24, 40, 1e-2},
    {"slices, concat and residuals",
     MODEL(ROW("-1, 1, Conv, [16, 3, 2]") ROW("-1, 2, C3k2, [32, False, 0.5]")
               ROW("-1, 1, C3k2, [32, True, 0.5]"),
           ROW("[2], 1, Detect, [nc]")),
     2, 16, 24, 1e-2},
    {"max pooling",
     MODEL(ROW("-1, 1, Conv, [16, 3, 2]") ROW("-1, 1, SPPF, [24, 5]"), ROW("[1], 1, Detect, [nc]")),
     2, 16, 24, 2e-2},
    {"attention",
     MODEL(ROW("-1, 1, Conv, [256, 3, 2]") ROW("-1, 1, C2PSA, [256]"), ROW("[1], 1, Detect, [nc]")),
     2, 6, 10, 2e-2},
    {"upsampling, and a value with several readers",
     MODEL(ROW("-1, 1, Conv, [16, 3, 2]") ROW("-1, 1, Conv, [24, 3, 2]")
               ROW("-1, 1, nn.Upsample, [None, 2, \"nearest\"]") ROW("[-1, 0, 0], 1, Concat, [1]")
                   ROW("[-1, 2], 1, Concat, [1]") ROW("-1, 1, Conv, [8, 1, 1]"),
           ROW("[5, 1], 1, Detect, [nc]")),
     2, 16, 24, 1e-2},
    {"the picture in a concat",
     MODEL(ROW("-1, 1, Conv, [8, 3, 1]") ROW("[-1, -2], 1, Concat, [1]")
               ROW("-1, 1, Conv, [16, 3, 2]"),
           ROW("[2], 1, Detect, [nc]")),
     2, 8, 12, 1e-2},
    {"masks: a third branch, and a transposed convolution",
     MODEL(ROW("-1, 1, Conv, [16, 3, 2]") ROW("-1, 1, Conv, [24, 3, 2]"),
           ROW("[0, 1], 1, Segment, [nc, 6, 12]")),
     2, 16, 24, 1e-2},
    {"keypoints",
     "kpt_shape: [3, 2]\n" MODEL(ROW("-1, 1, Conv, [16, 3, 2]") ROW("-1, 1, Conv, [24, 3, 2]"),
                                 ROW("[0, 1], 1, Pose, [nc, kpt_shape]")),
     2, 16, 24, 1e-2},
    {"turned boxes",
     MODEL(ROW("-1, 1, Conv, [16, 3, 2]") ROW("-1, 1, Conv, [24, 3, 2]"),
           ROW("[0, 1], 1, OBB, [nc, 1]")),
     2, 16, 24, 1e-2},
    {"classes: a mean over all pixels, and a matrix",
     MODEL(ROW("-1, 1, Conv, [16, 3, 2]") ROW("-1, 1, Conv, [24, 3, 2]"),
           ROW("-1, 1, Classify, [nc]")),
     3, 16, 24, 1e-2},
};
enum { N_NETWORKS = sizeof networks / sizeof *networks };

static float weight_of(size_t at)
{
    test_random r = {at * 977 + 11};
    return random_float(&r, -1, 1);
}

/* One map's part of the loss; *at counts the numbers of all. */
static double loss_of_map(const nn_map *m, const nn_map *d, bool fills, size_t *at)
{
    double sum = 0;
    for (int p = 0; p < m->n * m->h * m->w; p++)
        for (int c = 0; c < m->c; c++, ++*at) {
            sum += (double)weight_of(*at) * (double)m->data[(size_t)p * m->pitch + (size_t)c];
            if (fills)
                d->data[(size_t)p * d->pitch + (size_t)c] = weight_of(*at);
        }
    return sum;
}

/* The loss; with `fills` its gradient goes into the heads' gradients. */
static double loss_of(train_run *r, bool fills)
{
    double sum = 0;
    size_t at = 0;
    for (int level = 0; level < nn_train_n_heads(r->t); level++) {
        nn_head head = nn_train_head(r->t, level), d = nn_train_head_grad(r->t, level);
        sum += loss_of_map(&head.box, &d.box, fills, &at);
        sum += loss_of_map(&head.cls, &d.cls, fills, &at);
        sum += loss_of_map(&head.extra, &d.extra, fills, &at);
    }
    for (int i = 0; i < NN_N_RESULTS; i++) {
        nn_map m, d;
        if (nn_train_result(r->t, (nn_result)i, &m)) {
            assert_true(nn_train_result_grad(r->t, (nn_result)i, &d));
            sum += loss_of_map(&m, &d, fills, &at);
        }
    }
    return sum;
}

static void open_network(train_run *r, const network *n, const char *isa)
{
    run_create(r, n->model, 5, &(nn_train_options){.threads = 1, .isa = isa});
    run_plan(r, n->n, n->h, n->w);
    run_scene(r, 3);
    const nn_graph *g = nn_train_graph(r->t); /* BN away from its start: 1 and 0 hide mistakes */
    test_random random = {9};
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        for (size_t j = 0; j < p->n_elements; j++) {
            if (p->kind == NN_PARAM_BN_WEIGHT)
                nn_train_param(r->t, i)[j] = random_float(&random, 0.5f, 1.5f);
            if (p->kind == NN_PARAM_BN_BIAS)
                nn_train_param(r->t, i)[j] = random_float(&random, -0.5f, 0.5f);
        }
    }
}

static double backward(train_run *r)
{
    assert_true(nn_train_zero_grad(r->t, NULL) == VG_OK);
    assert_true(nn_train_forward(r->t, r->input, NULL) == VG_OK);
    double loss = loss_of(r, true);
    assert_true(nn_train_backward(r->t, NULL, NULL) == VG_OK);
    return loss;
}

/* Loss with parameter `index` moved along the direction of `seed` by `step`. */
static double moved(train_run *r, size_t index, uint64_t seed, double step)
{
    const nn_param *p = nn_graph_param(nn_train_graph(r->t), index);
    float *w = nn_train_param(r->t, index);
    float *kept = base_alloc(&test_mem, p->n_elements * sizeof *kept, NULL);
    assert_non_null(kept);
    memcpy(kept, w, p->n_elements * sizeof *kept);
    test_random random = {seed};
    for (size_t j = 0; j < p->n_elements; j++)
        w[j] += (float)(step * (double)random_float(&random, -1, 1));
    assert_true(nn_train_forward(r->t, r->input, NULL) == VG_OK);
    double loss = loss_of(r, false);
    memcpy(w, kept, p->n_elements * sizeof *kept);
    base_free(kept);
    return loss;
}

/* The largest norm of a tensor's gradient. */
static double largest_gradient(train_run *r)
{
    const nn_graph *g = nn_train_graph(r->t);
    double largest = 0;
    for (size_t i = 0; i < nn_graph_n_params(g); i++)
        if (nn_train_grad(r->t, i))
            largest = fmax(largest,
                           training_norm(nn_train_grad(r->t, i), nn_graph_param(g, i)->n_elements));
    return largest;
}

/* Of how many parameters one is moved: a forward takes ten times as long under a sanitizer, and
 * what it sees is the same each time. */
#ifdef __SANITIZE_ADDRESS__
enum { EVERY = 5 };
#else
enum { EVERY = 1 };
#endif

static void check_slopes(const network *n)
{
    train_run r;
    double worst = 0;
    open_network(&r, n, NULL);
    backward(&r);
    const nn_graph *g = nn_train_graph(r.t);
    double largest = largest_gradient(&r);
    for (size_t i = 0; i < nn_graph_n_params(g); i += EVERY) {
        const nn_param *p = nn_graph_param(g, i);
        const float *grad = nn_train_grad(r.t, i);
        if (!grad)
            continue;
        const uint64_t seed = 100 + i;
        test_random random = {seed};
        double want = 0, norm = training_norm(grad, p->n_elements);
        double spread =
            training_norm(nn_train_param(r.t, i), p->n_elements) / sqrt((double)p->n_elements);
        for (size_t j = 0; j < p->n_elements; j++)
            want += (double)grad[j] * (double)random_float(&random, -1, 1);
        double step = 1e-2 * (spread > 0.1 ? spread : 0.1);
        /* Five points: the error falls with the fourth power of the step. */
        double one = moved(&r, i, seed, step) - moved(&r, i, seed, -step);
        double two = moved(&r, i, seed, 2 * step) - moved(&r, i, seed, -2 * step);
        double slope = (8 * one - two) / (12 * step);
        double off = fabs(slope - want) / (norm + 2e-3 * largest); /* rounding of the loss */
        worst = off > worst ? off : worst;
        if (!(off <= n->tolerance))
            fail_msg("%s: %s: slope %.6g, gradient %.6g, norm %.4g", n->name, p->key, slope, want,
                     norm);
    }
    print_message("    [%s: worst slope off %.1e of the gradient's norm]\n", n->name, worst);
    run_close(&r);
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    for (int i = 0; i < N_NETWORKS; i++)
        check_slopes(&networks[i]);
}

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

/* Against the tensor's own size, and against the largest gradient of the network: a bias before a
 * normalisation has none but rounding. */
static void check_isa(const network *n, const char *isa, train_run *plain)
{
    train_run r;
    open_network(&r, n, isa);
    backward(&r);
    const nn_graph *g = nn_train_graph(r.t);
    double largest = largest_gradient(plain);
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        const float *got = nn_train_grad(r.t, i), *want = nn_train_grad(plain->t, i);
        double off = 0;
        for (size_t j = 0; got && j < p->n_elements; j++)
            off += ((double)got[j] - (double)want[j]) * ((double)got[j] - (double)want[j]);
        if (got && !(sqrt(off) <= 1e-4 * training_norm(want, p->n_elements) + 1e-6 * largest))
            fail_msg("%s, %s: %s is off by %.3g of %.3g", n->name, isa, p->key, sqrt(off),
                     training_norm(want, p->n_elements));
    }
    run_close(&r);
}

static void every_instruction_set_has_the_plain_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < N_NETWORKS; i++) {
        train_run plain;
        open_network(&plain, &networks[i], "plain");
        backward(&plain);
        for (int k = 0; k < N_ISAS; k++)
            if (is_here(isas[k]))
                check_isa(&networks[i], isas[k], &plain);
        run_close(&plain);
    }
}

/* Running statistics: r = 0.97 r + 0.03 b, with the unbiased variance (spec 1.4). A network whose
 * first convolution picks channel 0 lets the test know b. */
static void running_statistics_move_as_specified(void **state)
{
    (void)state;
    static const network n = {
        "", MODEL(ROW("-1, 1, Conv, [8, 1, 1]"), ROW("[0], 1, Detect, [nc]")), 2, 4, 6, 0};
    train_run r;
    open_network(&r, &n, NULL);
    float *w = nn_train_param(r.t, param_index(r.t, "model.0.conv.weight"));
    memset(w, 0, 24 * sizeof *w);
    w[0] = 2;
    double sum = 0, square = 0, count = 2 * 4 * 6;
    for (int p = 0; p < 48; p++)
        sum += 2 * (double)r.input[3 * p];
    for (int p = 0; p < 48; p++)
        square += pow(2 * (double)r.input[3 * p] - sum / count, 2);
    assert_true(nn_train_forward(r.t, r.input, NULL) == VG_OK);
    const float *mean = nn_train_param(r.t, param_index(r.t, "model.0.bn.running_mean"));
    const float *var = nn_train_param(r.t, param_index(r.t, "model.0.bn.running_var"));
    assert_true(fabs((double)mean[0] - 0.03 * sum / count) < 1e-6);
    assert_true(fabs((double)var[0] - (0.97 * 0.9 + 0.03 * square / (count - 1))) < 1e-6);
    assert_true(mean[1] == 0 && fabs((double)var[1] - 0.97 * 0.9) < 1e-6);
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gradients_are_the_slopes_of_the_loss, nothing_is_held),
        cmocka_unit_test_teardown(every_instruction_set_has_the_plain_gradients, nothing_is_held),
        cmocka_unit_test_teardown(running_statistics_move_as_specified, nothing_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
