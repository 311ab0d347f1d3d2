/* A step of training by several ranks is that of one process: each rank makes the gradients of its
 * share of the golden batch, with the statistics of the whole (sync_bn), and what they come to is
 * held against one process that does it all. mpirun starts this one, two and four times. */
#include "support/ok.h"

#include <math.h>

#include "nn/models.h"
#include "support/generator.h"
#include "support/golden.h"
#include "support/random.h"
#include "support/training.h"
#include "train/together.h"
#include "train/train.h"

enum { STEPS = 3, NC = 3 };

static base_mem mem = {.tag = "test"};
static ranks *r;

typedef struct lesson {
    nn_graph_info info;
    train_engine engine;
    train_param *params;
    bool *needs_grad;
    size_t n_params;
    train_optimizer_options optimizer;
    together together;
    float *input;
    detect_label labels[64];
    size_t n_labels;
    int n, side;
    bool is_idle;      /* no picture is this rank's */
    double want_total; /* 0: unknown */
} lesson;

/* The golden batch: two pictures, so that of four ranks two have none. */
static void open_golden(lesson *l)
{
    golden_file *g = golden_open("train_n_nc3_64.safetensors");
    size_t n;
    const float *x = golden_f32(g, "input", NULL), *rows = golden_f32(g, "targets", &n);
    l->n = (int)golden_dim(g, "input", 0);
    l->side = (int)golden_dim(g, "input", 2);
    const size_t pixels = (size_t)l->side * (size_t)l->side;
    l->input = base_alloc_zero(&mem, (size_t)l->n * pixels * 3, sizeof *l->input, NULL);
    for (size_t i = 0; i < (size_t)l->n; i++)
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = 0; c < 3; c++)
                l->input[(i * pixels + p) * 3 + c] = x[(i * 3 + c) * pixels + p];
    l->n_labels = n / 6;
    for (size_t i = 0; i < l->n_labels; i++) {
        const float *row = rows + i * 6;
        l->labels[i] = (detect_label){.picture = (int)row[0],
                                      .class_index = (int)row[1],
                                      .xywh_norm = {row[2], row[3], row[4], row[5]}};
    }
    l->want_total = golden_f64(g, "loss_total", NULL)[0];
    golden_close(g);
}

/* Seven pictures of noise, each with up to three objects. */
static void open_noise(lesson *l)
{
    test_random random = {.state = 3};
    l->n = 7;
    l->side = 96;
    const size_t floats = (size_t)(l->n * l->side * l->side * 3);
    l->input = base_alloc_zero(&mem, floats, sizeof *l->input, NULL);
    for (size_t i = 0; i < floats; i++)
        l->input[i] = random_float(&random, 0, 1);
    for (int i = 0; i < l->n; i++)
        for (int k = 0; k < i % 4; k++) {
            const float w = random_float(&random, 0.1f, 0.5f),
                        h = random_float(&random, 0.1f, 0.5f);
            l->labels[l->n_labels++] =
                (detect_label){.picture = i,
                               .class_index = k,
                               .xywh_norm = {random_float(&random, w, 1 - w),
                                             random_float(&random, h, 1 - h), w, h}};
        }
}

/* all: the ranks, or NULL for one process. */
static void lesson_open(lesson *l, ranks *all, void (*open)(lesson *))
{
    nn_graph *g = NULL;
    *l = (lesson){.optimizer = {.kind = TRAIN_OPTIMIZER_SGD, .lr0 = 0.01, .momentum = 0.9}};
    open(l);
    OK(graph_from_text(&g, nn_builtin_yaml(), "n", NC, &mem, err));
    nn_graph_get_info(g, l->side, &l->info);
    l->n_params = nn_graph_n_params(g);
    l->params = base_alloc_zero(&mem, l->n_params, sizeof *l->params, NULL);
    l->needs_grad = base_alloc_zero(&mem, l->n_params, sizeof *l->needs_grad, NULL);
    for (size_t i = 0; i < l->n_params; i++)
        l->params[i].info = nn_graph_param(g, i);
    const train_accounts accounts = {
        .data = &mem, .model = &mem, .activations = &mem, .work = &mem, .ranks = all};
    const train_engine_options options = {.threads = 1, .seed = 1};
    OK(train_engine_open(&l->engine, g, l->params, l->n_params, &options, &accounts, err));
    for (size_t i = 0; i < l->n_params; i++) {
        const nn_param *p = l->params[i].info;
        const int64_t shape[] = {p->shape[0], p->shape[1], p->shape[2], p->shape[3]};
        assert_true(generator_fill(l->params[i].value, p->key, shape, p->n_dims, 0, 1));
    }
    OK(train_params_freeze(l->params, l->n_params, NULL, 0, err));
    for (size_t i = 0; i < l->n_params; i++)
        l->needs_grad[i] = train_param_group(&l->params[i]) != TRAIN_GROUP_NONE;
    size_t n_anchors = 0;
    for (int k = 0; k < l->info.n_levels; k++)
        n_anchors += (size_t)(l->side / (int)l->info.strides[k]) *
                     (size_t)(l->side / (int)l->info.strides[k]);
    const train_engine_learning learning = {.optimizer = &l->optimizer,
                                            .needs_grad = l->needs_grad,
                                            .loss = {.most_batch = (size_t)l->n,
                                                     .most_anchors = n_anchors,
                                                     .most_labels = 64,
                                                     .n_threads = 1},
                                            .nc = NC,
                                            .most_n = l->n,
                                            .most_h = l->side,
                                            .most_w = l->side,
                                            .gains = DETECT_LOSS_GAINS};
    OK(train_engine_prepare(&l->engine, &learning, err));
    OK(together_open(&l->together, all, &l->engine, true, &mem, err));
}

static void lesson_close(lesson *l)
{
    together_close(&l->together);
    train_engine_close(&l->engine);
    base_free(l->params);
    base_free(l->needs_grad);
    base_free(l->input);
}

/* This rank's part of the batch: pictures first to first + n - 1. */
static detect_loss_value learn(lesson *l, bool steps)
{
    ranks *all = l->together.ranks;
    size_t first = 0, n_labels = 0, n = (size_t)l->n, n_all;
    detect_label mine[64];
    detect_loss_value value;
    together_word word = {0};
    if (all != NULL)
        n = data_loader_share(&first, (size_t)l->n, l->n, 0, ranks_me(all), ranks_n(all));
    for (size_t i = 0; i < l->n_labels; i++) {
        const int picture = l->labels[i].picture - (int)first;
        if (picture < 0 || picture >= (int)n)
            continue;
        mine[n_labels] = l->labels[i];
        mine[n_labels++].picture = picture;
    }
    l->is_idle = n == 0;
    together_batch(&l->together, l->n, steps);
    const train_engine_batch batch = {.input = l->input + first * (size_t)(l->side * l->side * 3),
                                      .n = (int)n,
                                      .h = l->side,
                                      .w = l->side,
                                      .labels = mine,
                                      .n_labels = n_labels,
                                      .share = all != NULL ? &l->together.share : NULL};
    OK(train_engine_gradients(&l->engine, &value, &batch, err));
    n_all = n_labels;
    OK(together_wait(&l->together, &value, &n_all, &word, err));
    assert_int_equal(n_all, l->n_labels);
    return value;
}

static void expect_near(const char *what, const char *key, double is, double want, double scale)
{
    if (!(fabs(is - want) <= 1e-5 * scale))
        fail_msg("%s of %s: %.9g, not %.9g", what, key, is, want);
}

/* Every parameter's difference, against the largest of its kind: gradients that are truly 0 are
 * noise. */
static void expect_same(const lesson *a, const lesson *b, bool gradients)
{
    double most = 0;
    for (size_t i = 0; i < a->n_params; i++)
        if (!gradients || a->params[i].grad != NULL) {
            const double n = training_norm(gradients ? a->params[i].grad : a->params[i].value,
                                           a->params[i].info->n_elements);
            most = n > most ? n : most;
        }
    for (size_t i = 0; i < a->n_params; i++) {
        const train_param *p = &a->params[i], *q = &b->params[i];
        if (p->grad == NULL && (gradients || b->is_idle)) /* statistics are moved by pictures */
            continue;
        const float *x = gradients ? p->grad : p->value, *y = gradients ? q->grad : q->value;
        double off = 0;
        for (size_t k = 0; k < p->info->n_elements; k++)
            off += ((double)x[k] - (double)y[k]) * ((double)x[k] - (double)y[k]);
        expect_near(gradients ? "the gradient" : "the value", p->info->key, sqrt(off), 0, most);
    }
}

static void step_together(void (*open)(lesson *), int n_steps)
{
    static lesson alone, mine;
    lesson_open(&alone, NULL, open);
    lesson_open(&mine, r, open);
    const train_rates rates = {.lr = {0.001, 0.001, 0.001}, .momentum = 0.9};
    for (int s = 0; s < n_steps; s++) {
        const detect_loss_value want = learn(&alone, true), is = learn(&mine, true);
        if (s == 0 && mine.want_total > 0)
            assert_true(fabs((is.items[0] + is.items[1] + is.items[2]) * mine.n - mine.want_total) <
                        1e-4 * mine.want_total);
        expect_near("the loss", "box", is.items[0], want.items[0], want.items[0]);
        expect_near("the loss", "cls", is.items[1], want.items[1], want.items[1]);
        expect_near("the loss", "dfl", is.items[2], want.items[2], want.items[2]);
        expect_same(&alone, &mine, true);
        double norm[2];
        bool finite;
        OK(train_engine_step(&alone.engine, &rates, &norm[0], &finite, err));
        OK(train_engine_step(&mine.engine, &rates, &norm[1], &finite, err));
        expect_near("the norm", "all gradients", norm[1], norm[0], norm[0]);
        expect_same(&alone, &mine, false);
        /* The next step from the very same weights: a network that learns parts from itself by its
         * last bits. */
        for (size_t i = 0; i < mine.n_params; i++)
            memcpy(mine.params[i].value, alone.params[i].value,
                   mine.params[i].info->n_elements * sizeof(float));
    }
    lesson_close(&alone);
    lesson_close(&mine);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void with_sync_bn_the_golden_step_is_that_of_one_process(void **state)
{
    (void)state;
    step_together(open_golden, 1);
}

static void with_sync_bn_steps_of_ranks_are_those_of_one_process(void **state)
{
    (void)state;
    step_together(open_noise, STEPS);
}

/* nbs: gradients of batches before the last stay each rank's own. */
static void gathered_gradients_are_added_up_once(void **state)
{
    (void)state;
    static lesson alone, mine;
    lesson_open(&alone, NULL, open_noise);
    lesson_open(&mine, r, open_noise);
    for (int s = 0; s < 3; s++) {
        learn(&alone, s == 2);
        learn(&mine, s == 2);
        if (s == 1) /* a checkpoint on the way */
            OK(together_fold(&mine.together, &mine.engine, err));
        if (s == 1 && ranks_me(r) == 0)
            expect_same(&alone, &mine, true);
    }
    expect_same(&alone, &mine, true);
    lesson_close(&alone);
    lesson_close(&mine);
}

/* Each rank's own statistics: other numbers, which are still a sum over the batch. */
static void without_it_ranks_differ_from_one_process(void **state)
{
    (void)state;
    static lesson alone, mine;
    if (ranks_n(r) == 1)
        skip();
    lesson_open(&alone, NULL, open_noise);
    lesson_open(&mine, r, open_noise);
    mine.together.net.sum = NULL;
    const detect_loss_value want = learn(&alone, true), is = learn(&mine, true);
    assert_true(fabs(is.items[1] - want.items[1]) > 1e-5 * want.items[1]);
    assert_true(fabs(is.items[1] - want.items[1]) < 0.3 * want.items[1]);
    lesson_close(&alone);
    lesson_close(&mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_sync_bn_the_golden_step_is_that_of_one_process),
        cmocka_unit_test(with_sync_bn_steps_of_ranks_are_those_of_one_process),
        cmocka_unit_test(gathered_gradients_are_added_up_once),
        cmocka_unit_test(without_it_ranks_differ_from_one_process),
    };
    vg_error err = {.status = VG_OK};
    base_mem ranks_mem = {.tag = "ranks"};
    if (ranks_open(&r, "1", &ranks_mem, &err) != VG_OK) {
        fprintf(stderr, "%s, at %s\n", err.what, err.where);
        return 1;
    }
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    if (status == 0)
        status = ranks_end(r, NULL) != VG_OK;
    ranks_close(&r);
    return status;
}
