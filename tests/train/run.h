/* run.h: a small training without a network: gradients are drawn from (seed, iteration), so that
 * what a run must come to is known, and the same program can be it. */
#ifndef TESTS_TRAIN_RUN_H
#define TESTS_TRAIN_RUN_H

#include "model.h"

typedef struct run {
    model m;
    train_state state;
    train_args args;
    train_facts facts;
} run;

enum { RUN_BATCHES = 7 };

static const char *const run_names[] = {"cat", "a \"dog\""};
static const float run_strides[] = {8, 16, 32};

static inline void run_make(run *r, int wide, train_optimizer_kind kind, base_mem *mem)
{
    memset(r, 0, sizeof *r);
    model_make(&r->m, wide, 5);
    assert_int_equal(train_params_freeze(r->m.params, MODEL_N, NULL, 0, NULL), VG_OK);
    r->state = (train_state){.params = r->m.params, .n_params = MODEL_N};
    r->state.position.last_step = -1;
    r->state.position.n_batches = RUN_BATCHES;
    r->state.rng = base_rng_make(3);
    const train_optimizer_options options = {.kind = kind, .momentum = 0.9, .weight_decay = 0.001};
    assert_int_equal(
        train_optimizer_create(&r->state.optimizer, r->m.params, MODEL_N, &options, mem, NULL),
        VG_OK);
    assert_int_equal(train_ema_create(&r->state.ema, r->m.params, MODEL_N, mem, NULL), VG_OK);
    train_args_default(&r->args);
    assert_int_equal(train_args_set(&r->args, "data", "a/b.yaml", NULL), VG_OK);
    r->facts = (train_facts){.model_yaml = "nc: 2\n",
                             .scale = "n",
                             .version = "0.1",
                             .names = run_names,
                             .n_names = 2,
                             .strides = run_strides,
                             .n_strides = 3};
    for (int i = 0; i < MODEL_N; i++)
        memset(r->m.grads[i], 0, sizeof r->m.grads[i]);
}

static inline void run_fini(run *r)
{
    train_optimizer_destroy(&r->state.optimizer);
    train_ema_destroy(&r->state.ema);
}

static inline int64_t run_iteration(const run *r)
{
    return r->state.position.epoch * RUN_BATCHES + r->state.position.batch;
}

/* One batch: everything in the state moves; every third batch the optimizer steps. */
static inline void run_batch(run *r)
{
    train_position *p = &r->state.position;
    const int64_t ni = run_iteration(r);
    test_random random = {.state = (uint64_t)ni * 77 + 1};
    for (int i = 0; i < MODEL_N; i++)
        for (size_t k = 0; r->m.params[i].grad != NULL && k < r->m.infos[i].n_elements; k++)
            r->m.grads[i][k] += random_float(&random, -0.1f, 0.1f);
    for (int k = 0; k < 7; k++) /* running statistics */
        r->m.values[3][k] += random_float(&random, -1, 1);
    p->loss_sums[0] +=
        (double)random_float(&random, 0, 1) + (double)train_rng_size(&r->state.rng, 640, 32, 0.5);
    p->has_gradients = true;
    if (train_schedule_steps(ni, p->last_step, 3)) {
        double norm;
        const train_rates rates = {.lr = {0.1, 0.01, 0.02}, .momentum = 0.9};
        assert_true(train_optimizer_step(r->state.optimizer, &rates, NULL, &norm));
        train_ema_update(r->state.ema, NULL);
        memset(r->m.grads, 0, sizeof r->m.grads);
        p->last_step = ni;
        p->has_gradients = false;
    }
    p->seconds += 0.1;
    p->batch++;
    if (p->batch == RUN_BATCHES) {
        p->epoch++;
        p->batch = 0;
        train_best_push(&r->state.best, p->epoch, (double)random_float(&random, 0, 1), 100);
        memset(p->loss_sums, 0, sizeof p->loss_sums);
    }
}

static inline void run_until(run *r, int64_t iteration)
{
    while (run_iteration(r) < iteration)
        run_batch(r);
}

/* Fails the test where anything differs that the further course depends on. */
static inline void run_expect_same(run *a, run *b)
{
    assert_true(model_same_values(&a->m, &b->m));
    for (size_t i = 0; i < MODEL_N; i++) {
        const size_t bytes = a->m.infos[i].n_elements * sizeof(float);
        assert_memory_equal(train_ema_value(a->state.ema, i), train_ema_value(b->state.ema, i),
                            bytes);
        if (a->m.params[i].grad != NULL)
            assert_memory_equal(a->m.grads[i], b->m.grads[i], bytes);
        for (int k = 0; k < 2; k++) {
            const float *of_a = train_optimizer_moment(a->state.optimizer, k, i);
            const float *of_b = train_optimizer_moment(b->state.optimizer, k, i);
            assert_int_equal(of_a == NULL, of_b == NULL);
            if (of_a != NULL)
                assert_memory_equal(of_a, of_b, bytes);
        }
    }
    assert_int_equal(train_optimizer_steps(a->state.optimizer),
                     train_optimizer_steps(b->state.optimizer));
    assert_int_equal(train_ema_updates(a->state.ema), train_ema_updates(b->state.ema));
    const train_position *p = &a->state.position, *q = &b->state.position;
    assert_true(p->epoch == q->epoch && p->batch == q->batch && p->n_batches == q->n_batches);
    assert_true(p->last_step == q->last_step && p->has_gradients == q->has_gradients);
    assert_memory_equal(p->loss_sums, q->loss_sums, sizeof p->loss_sums);
    assert_true(p->seconds == q->seconds);
    assert_true(a->state.best.fitness == b->state.best.fitness);
    assert_true(a->state.best.stop_fitness == b->state.best.stop_fitness);
    assert_true(a->state.best.stop_epoch == b->state.best.stop_epoch);
    assert_memory_equal(&a->state.rng, &b->state.rng, sizeof a->state.rng);
}

static inline vg_status run_save(run *r, const char *path, base_mem *mem, vg_error *err)
{
    return train_checkpoint_save(&r->state, &r->args, &r->facts, path, mem, err);
}

#endif
