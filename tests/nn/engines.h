/* engines.h: an engine with the generator's weights and an account for each lifetime; inputs and
 * outputs. */
#ifndef TESTS_NN_ENGINES_H
#define TESTS_NN_ENGINES_H

#include "nn/models.h"
#include "support/random.h"
#include "support/synthetic.h"

typedef struct test_engine {
    base_mem weights, activations, plans, staging;
    nn_engine *e;
} test_engine;

static inline nn_accounts engine_accounts(test_engine *t)
{
    return (nn_accounts){.weights = &t->weights,
                         .activations = &t->activations,
                         .plans = &t->plans,
                         .staging = &t->staging};
}

/* model: YAML text. w NULL: the generator's weights. mem holds what is not the engine's. */
static inline void engine_open(test_engine *t, const char *model, const char *scale, int nc,
                               const weights_file *w, const nn_engine_options *o, base_mem *mem)
{
    nn_graph *g = NULL;
    vg_error err = {0};
    synthetic_weights s = {0};
    base_mem_init(&t->weights, "weights", NULL, SIZE_MAX);
    base_mem_init(&t->activations, "activations", NULL, SIZE_MAX);
    base_mem_init(&t->plans, "plans", NULL, SIZE_MAX);
    base_mem_init(&t->staging, "staging", NULL, SIZE_MAX);
    const nn_accounts a = engine_accounts(t);
    vg_status st = graph_from_text(&g, model, scale, nc, &t->plans, &err);
    if (st == VG_OK && !w)
        st = synthetic_make(&s, g, 0, 8, mem, &err);
    if (st == VG_OK)
        st = nn_engine_create(&t->e, g, w ? w : s.weights, o, &a, &err);
    if (st != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    synthetic_close(&s);
}

/* Everything was given back. */
static inline void engine_close(test_engine *t)
{
    nn_engine_destroy(&t->e);
    assert_int_equal(t->weights.in_use_bytes, 0);
    assert_int_equal(t->activations.in_use_bytes, 0);
    assert_int_equal(t->plans.in_use_bytes, 0);
    assert_int_equal(t->staging.in_use_bytes, 0);
}

/* (n, h, w, 3) of 0..1; the same seed gives the same pictures one after another. */
static inline float *input_make(int n, int h, int w, uint64_t seed, base_mem *mem)
{
    size_t of_one = (size_t)h * (size_t)w * 3;
    float *x = base_alloc(mem, (size_t)n * of_one * sizeof *x, NULL);
    assert_non_null(x);
    for (int i = 0; i < n; i++) {
        test_random r = {seed + (uint64_t)i};
        for (size_t k = 0; k < of_one; k++)
            x[(size_t)i * of_one + k] = random_float(&r, 0, 1);
    }
    return x;
}

static inline size_t copy_map(float *dst, const nn_map *m, int first, int n)
{
    size_t at = 0;
    for (int i = first; i < first + n; i++)
        for (int y = 0; y < m->h; y++)
            for (int x = 0; x < m->w; x++, at += (size_t)m->c)
                if (dst)
                    memcpy(dst + at, nn_map_row(m, i, y) + (size_t)x * m->pitch,
                           (size_t)m->c * sizeof *dst);
    return at;
}

/* The head maps of pictures first..first+n-1, one after another; *n_floats of them. */
static inline float *heads_copy(const nn_plan *p, int first, int n, size_t *n_floats, base_mem *mem)
{
    float *out = NULL;
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0;
        for (int k = 0; k < nn_plan_n_heads(p); k++) {
            nn_head head = nn_plan_head(p, k);
            at += copy_map(out ? out + at : NULL, &head.box, first, n);
            at += copy_map(out ? out + at : NULL, &head.cls, first, n);
        }
        if (pass == 0)
            out = base_alloc(mem, at * sizeof *out, NULL);
        assert_non_null(out);
        *n_floats = at;
    }
    return out;
}

static inline nn_plan *engine_plan(test_engine *t, int n, int h, int w)
{
    const nn_accounts a = engine_accounts(t);
    nn_plan *p = NULL;
    vg_error err = {0};
    if (nn_engine_plan(t->e, &p, n, h, w, &a, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    return p;
}

/* Runs n pictures and copies the heads. */
static inline float *engine_heads(test_engine *t, int n, int h, int w, uint64_t seed,
                                  size_t *n_floats, base_mem *mem)
{
    float *x = input_make(n, h, w, seed, mem);
    nn_plan *p = engine_plan(t, n, h, w);
    assert_int_equal(nn_engine_run(t->e, p, x, NULL), VG_OK);
    float *out = heads_copy(p, 0, n, n_floats, mem);
    base_free(x);
    return out;
}

#endif
