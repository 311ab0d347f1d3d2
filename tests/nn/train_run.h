/* train_run.h: a network in training with the generator's weights, the golden batch and its loss.
 */
#ifndef TESTS_NN_TRAIN_RUN_H
#define TESTS_NN_TRAIN_RUN_H

#include <math.h>

#include "detect/detect.h"
#include "nn/models.h"
#include "support/generator.h"
#include "support/golden.h"
#include "support/random.h"
#include "support/training.h"

typedef struct train_run {
    base_mem weights, activations, plans;
    nn_train *t;
    detect_loss *loss;
    float *input; /* (n, h, w, 3) */
    int n, h, w, nc;
    detect_label *labels;
    size_t n_labels;
} train_run;

static base_mem test_mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static inline nn_accounts run_accounts(train_run *r)
{
    return (nn_accounts){
        .weights = &r->weights, .activations = &r->activations, .plans = &r->plans};
}

/* model: YAML text. */
static inline void run_create(train_run *r, const char *model, int nc, const nn_train_options *o)
{
    nn_graph *g = NULL;
    vg_error err = {0};
    *r = (train_run){.nc = nc};
    base_mem_init(&r->weights, "weights", NULL, SIZE_MAX);
    base_mem_init(&r->activations, "activations", NULL, SIZE_MAX);
    base_mem_init(&r->plans, "plans", NULL, SIZE_MAX);
    const nn_accounts a = run_accounts(r);
    vg_status st = graph_from_text(&g, model, "n", nc, &r->plans, &err);
    if (st == VG_OK)
        st = nn_train_create(&r->t, g, o, 1, &a, &err);
    if (st != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
}

/* The generator's parameters, as the golden files were made with. */
static inline void run_generate(train_run *r, double head_g)
{
    const nn_graph *g = nn_train_graph(r->t);
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        int64_t shape[4] = {p->shape[0], p->shape[1], p->shape[2], p->shape[3]};
        assert_true(generator_fill(nn_train_param(r->t, i), p->key, shape, p->n_dims, 0, head_g));
    }
}

static inline void run_plan(train_run *r, int n, int h, int w)
{
    const nn_accounts a = run_accounts(r);
    vg_error err = {0};
    r->n = n;
    r->h = h;
    r->w = w;
    if (nn_train_plan(r->t, n, h, w, &a, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
}

/* A random picture and labels over it. */
static inline void run_scene(train_run *r, uint64_t seed)
{
    test_random random = {seed};
    size_t floats = (size_t)r->n * (size_t)r->h * (size_t)r->w * 3;
    base_free(r->input);
    base_free(r->labels);
    r->input = base_alloc(&test_mem, floats * sizeof *r->input, NULL);
    r->n_labels = 3 * (size_t)r->n;
    r->labels = base_alloc(&test_mem, r->n_labels * sizeof *r->labels, NULL);
    for (size_t i = 0; i < floats; i++)
        r->input[i] = random_float(&random, 0, 1);
    for (size_t i = 0; i < r->n_labels; i++)
        r->labels[i] = (detect_label){
            .picture = (int)(i / 3),
            .class_index = (int)(i % (size_t)r->nc),
            .xywh_norm = {random_float(&random, 0.3f, 0.7f), random_float(&random, 0.3f, 0.7f),
                          random_float(&random, 0.1f, 0.5f), random_float(&random, 0.1f, 0.5f)}};
}

static inline void run_golden(train_run *r, golden_file *g)
{
    size_t n;
    const float *chw = golden_f32(g, "input", NULL), *rows = golden_f32(g, "targets", &n);
    int batch = (int)golden_dim(g, "input", 0), h = (int)golden_dim(g, "input", 2),
        w = (int)golden_dim(g, "input", 3);
    run_plan(r, batch, h, w);
    r->input = base_alloc(&test_mem, (size_t)(batch * h * w * 3) * sizeof *r->input, NULL);
    for (int i = 0; i < batch; i++)
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < h * w; p++)
                r->input[(i * h * w + p) * 3 + c] = chw[(i * 3 + c) * h * w + p];
    r->n_labels = n / 6;
    r->labels = base_alloc(&test_mem, r->n_labels * sizeof *r->labels, NULL);
    for (size_t i = 0; i < r->n_labels; i++) {
        const float *row = rows + i * 6;
        r->labels[i] = (detect_label){.picture = (int)row[0],
                                      .class_index = (int)row[1],
                                      .xywh_norm = {row[2], row[3], row[4], row[5]}};
    }
}

static inline void run_close(train_run *r)
{
    detect_loss_destroy(&r->loss);
    nn_train_destroy(&r->t);
    base_free(r->input);
    base_free(r->labels);
    assert_int_equal(r->weights.in_use_bytes, 0);
    assert_int_equal(r->activations.in_use_bytes, 0);
    assert_int_equal(r->plans.in_use_bytes, 0);
}

/* A test's teardown: what it held of its own is back too. */
static inline int nothing_is_held(void **state)
{
    (void)state;
    size_t held = test_mem.in_use_bytes;
    test_mem.in_use_bytes = 0; /* the next test starts even */
    return held == 0 ? 0 : -1;
}

/* The loss of the heads, its gradient into the heads' gradients. */
static inline detect_loss_value run_loss(train_run *r)
{
    detect_level level[NN_MAX_LEVELS];
    detect_gradient grad[NN_MAX_LEVELS];
    detect_loss_value value;
    vg_error err = {0};
    const int n_levels = nn_train_levels(r->t, level, grad);
    if (!r->loss) {
        const detect_loss_bounds b = {(size_t)r->n, detect_n_anchors(level, n_levels), r->n_labels,
                                      1};
        assert_int_equal(detect_loss_create(&r->loss, &b, &test_mem, NULL), VG_OK);
    }
    const detect_batch batch = {.levels = level,
                                .n_levels = n_levels,
                                .nc = r->nc,
                                .batch = r->n,
                                .labels = r->labels,
                                .n_labels = r->n_labels};
    if (detect_loss_run(r->loss, &value, grad, &batch, &DETECT_LOSS_GAINS, NULL, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return value;
}

/* Forward, loss, backward into fresh gradients. */
static inline detect_loss_value run_step(train_run *r, const bool *needs_grad)
{
    nn_train_zero_grad(r->t);
    nn_train_forward(r->t, r->input);
    detect_loss_value value = run_loss(r);
    nn_train_backward(r->t, needs_grad);
    return value;
}

static inline size_t param_index(const nn_train *t, const char *key)
{
    const nn_graph *g = nn_train_graph(t);
    for (size_t i = 0; i < nn_graph_n_params(g); i++)
        if (strcmp(nn_graph_param(g, i)->key, key) == 0)
            return i;
    fail_msg("no parameter %s", key);
    return 0;
}

/* All gradients one after another. */
static inline float *run_grads(train_run *r, size_t *n_floats)
{
    const nn_graph *g = nn_train_graph(r->t);
    size_t n = 0;
    for (size_t i = 0; i < nn_graph_n_params(g); i++)
        n += nn_train_grad(r->t, i) ? nn_graph_param(g, i)->n_elements : 0;
    float *all = base_alloc(&test_mem, n * sizeof *all, NULL);
    assert_non_null(all);
    size_t at = 0;
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        size_t of = nn_graph_param(g, i)->n_elements;
        if (!nn_train_grad(r->t, i))
            continue;
        memcpy(all + at, nn_train_grad(r->t, i), of * sizeof *all);
        at += of;
    }
    *n_floats = n;
    return all;
}

#endif
