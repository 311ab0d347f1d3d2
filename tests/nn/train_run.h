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
    base_mem weights, activations, plans, staging;
    nn_train *t;
    detect_loss *loss;
    float *input; /* (n, h, w, 3) */
    int n, h, w, nc;
    detect_label *labels;
    size_t n_labels;
    float *copy;               /* on a device: of a parameter or of a gradient */
    float *heads, *head_grads; /* on a device: of all levels, one after another */
    float scale;               /* of the loss that is differentiated; 0: 1 */
} train_run;

static base_mem test_mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static inline nn_accounts run_accounts(train_run *r)
{
    return (nn_accounts){.weights = &r->weights,
                         .activations = &r->activations,
                         .plans = &r->plans,
                         .staging = &r->staging};
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
    base_mem_init(&r->staging, "staging", NULL, SIZE_MAX);
    const nn_accounts a = run_accounts(r);
    vg_status st = graph_from_text(&g, model, "n", nc, &r->plans, &err);
    if (st == VG_OK)
        st = nn_train_create(&r->t, g, o, 1, &a, &err);
    if (st != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    if (nn_train_device(r->t)) {
        r->copy = base_alloc(&test_mem, nn_train_bytes(r->t, NN_TRAIN_VALUES), NULL);
        assert_non_null(r->copy);
    }
}

/* What is done with the network must succeed. */
#define RUN(call)                                                                                  \
    do {                                                                                           \
        vg_error why = {0};                                                                        \
        vg_error *const error = &why;                                                              \
        if ((call) != VG_OK)                                                                       \
            fail_msg("%s at %s", why.what, why.where);                                             \
    } while (0)

/* A parameter's value and its gradient (NULL: it has none), wherever they lie. On a device it is a
 * copy, until the next call of either. */
static inline const float *run_value(train_run *r, size_t i)
{
    if (!nn_train_device(r->t))
        return nn_train_param(r->t, i);
    RUN(nn_train_pull(r->t, r->copy, NN_TRAIN_VALUES, nn_train_param_at(r->t, i),
                      nn_graph_param(nn_train_graph(r->t), i)->n_elements * sizeof(float), error));
    return r->copy;
}

static inline const float *run_grad(train_run *r, size_t i)
{
    if (!nn_train_device(r->t))
        return nn_train_grad(r->t, i);
    if (nn_train_grad_at(r->t, i) == SIZE_MAX)
        return NULL;
    RUN(nn_train_pull(r->t, r->copy, NN_TRAIN_GRADS, nn_train_grad_at(r->t, i),
                      nn_graph_param(nn_train_graph(r->t), i)->n_elements * sizeof(float), error));
    return r->copy;
}

/* The generator's parameters, as the golden files were made with. */
static inline void run_generate(train_run *r, double head_g)
{
    const nn_graph *g = nn_train_graph(r->t);
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        int64_t shape[4] = {p->shape[0], p->shape[1], p->shape[2], p->shape[3]};
        float *const value = r->copy ? r->copy : nn_train_param(r->t, i);
        assert_true(generator_fill(value, p->key, shape, p->n_dims, 0, head_g));
        if (r->copy)
            RUN(nn_train_push(r->t, NN_TRAIN_VALUES, nn_train_param_at(r->t, i), value,
                              p->n_elements * sizeof(float), error));
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
    base_free(r->copy);
    base_free(r->heads);
    base_free(r->head_grads);
    assert_int_equal(r->staging.in_use_bytes, 0);
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

/* The heads in memory of the program's: on a device, copies of them. */
static inline nn_head run_head(train_run *r, int level, float **at)
{
    nn_head head = nn_train_head(r->t, level);
    if (!nn_train_device(r->t))
        return head;
    const nn_train_head_places places = nn_train_head_at(r->t, level);
    const size_t pixels = (size_t)head.box.n * (size_t)head.box.h * (size_t)head.box.w;
    const size_t box = pixels * head.box.pitch, cls = pixels * head.cls.pitch;
    head.box.data = *at;
    head.cls.data = *at + box;
    *at += box + cls;
    RUN(nn_train_pull(r->t, head.box.data, NN_TRAIN_BLOCK, places.box, box * sizeof(float), error));
    RUN(nn_train_pull(r->t, head.cls.data, NN_TRAIN_BLOCK, places.cls, cls * sizeof(float), error));
    return head;
}

/* Room for the heads of the current plan. */
static inline float *run_room(train_run *r)
{
    size_t floats = 16;
    for (int level = 0; level < nn_train_n_heads(r->t); level++) {
        const nn_head head = nn_train_head(r->t, level);
        floats += (size_t)head.box.n * (size_t)head.box.h * (size_t)head.box.w *
                  (head.box.pitch + head.cls.pitch);
    }
    float *room = base_alloc(&test_mem, floats * sizeof *room, NULL);
    assert_non_null(room);
    return room;
}

static inline int run_levels(train_run *r, base_level levels[NN_MAX_LEVELS],
                             base_level_gradient gradients[NN_MAX_LEVELS])
{
    if (!nn_train_device(r->t))
        return nn_train_levels(r->t, levels, gradients);
    base_free(r->heads);
    base_free(r->head_grads);
    r->heads = run_room(r);
    r->head_grads = run_room(r);
    float *at = r->heads, *grad_at = r->head_grads;
    for (int l = 0; l < nn_train_n_heads(r->t); l++) {
        const nn_head head = run_head(r, l, &at);
        const size_t pixels = (size_t)head.box.n * (size_t)head.box.h * (size_t)head.box.w;
        levels[l] = nn_head_level(&head);
        gradients[l] = (base_level_gradient){.box = grad_at,
                                             .cls = grad_at + pixels * head.box.pitch,
                                             .box_pitch = head.box.pitch,
                                             .cls_pitch = head.cls.pitch};
        grad_at += pixels * (head.box.pitch + head.cls.pitch);
    }
    return nn_train_n_heads(r->t);
}

/* The gradients of run_levels to where backward reads them. */
static inline void run_give_gradients(train_run *r, const base_level_gradient *gradients)
{
    for (int l = 0; nn_train_device(r->t) && l < nn_train_n_heads(r->t); l++) {
        const nn_head d = nn_train_head_grad(r->t, l);
        const nn_train_head_places places = nn_train_head_at(r->t, l);
        const size_t pixels = (size_t)d.box.n * (size_t)d.box.h * (size_t)d.box.w;
        RUN(nn_train_push(r->t, NN_TRAIN_BLOCK, places.d_box, gradients[l].box,
                          pixels * d.box.pitch * sizeof(float), error));
        RUN(nn_train_push(r->t, NN_TRAIN_BLOCK, places.d_cls, gradients[l].cls,
                          pixels * d.cls.pitch * sizeof(float), error));
    }
}

/* The loss of the heads, its gradient into the heads' gradients. */
static inline detect_loss_value run_loss(train_run *r)
{
    detect_level level[NN_MAX_LEVELS];
    detect_gradient grad[NN_MAX_LEVELS];
    detect_loss_value value;
    vg_error err = {0};
    const int n_levels = run_levels(r, level, grad);
    if (!r->loss) {
        const detect_loss_bounds b = {.most_batch = (size_t)r->n,
                                      .most_anchors = detect_n_anchors(level, n_levels),
                                      .most_labels = r->n_labels,
                                      .n_threads = 1};
        assert_int_equal(detect_loss_create(&r->loss, &b, &test_mem, NULL), VG_OK);
    }
    const detect_batch batch = {.levels = level,
                                .n_levels = n_levels,
                                .nc = r->nc,
                                .batch = r->n,
                                .labels = r->labels,
                                .n_labels = r->n_labels};
    const float scale = r->scale > 0 ? r->scale : 1;
    detect_loss_gains gains = DETECT_LOSS_GAINS;
    gains.box *= scale;
    gains.cls *= scale;
    gains.dfl *= scale;
    if (detect_loss_run(r->loss, &value, grad, &batch, &gains, NULL, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    value.total /= scale;
    run_give_gradients(r, grad);
    return value;
}

/* Forward, loss, backward into fresh gradients. */
static inline detect_loss_value run_step(train_run *r, const bool *needs_grad)
{
    RUN(nn_train_zero_grad(r->t, error));
    RUN(nn_train_forward(r->t, r->input, error));
    detect_loss_value value = run_loss(r);
    RUN(nn_train_backward(r->t, needs_grad, error));
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
        n += nn_train_grad_at(r->t, i) != SIZE_MAX ? nn_graph_param(g, i)->n_elements : 0;
    float *all = base_alloc(&test_mem, n * sizeof *all, NULL);
    assert_non_null(all);
    size_t at = 0;
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        size_t of = nn_graph_param(g, i)->n_elements;
        if (nn_train_grad_at(r->t, i) == SIZE_MAX)
            continue;
        memcpy(all + at, run_grad(r, i), of * sizeof *all);
        at += of;
    }
    *n_floats = n;
    return all;
}

#endif
