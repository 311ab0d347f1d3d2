/* test_engine.c: results depend on the picture alone: not on what ran before, on threads, on the
 * batch; memory that fails is an error and nothing is lost; steady state allocates nothing; wrong
 * weights are named. */
#include "support/test.h"

#include <math.h>

#include "nn/engines.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static const char *const isas[] = {"plain", "generic", "sse41", "avx2", "avx512"};
enum { N_ISAS = sizeof isas / sizeof *isas };

static bool is_here(const char *isa)
{
    nn_memory_need need;
    const nn_accounts a = {&mem, &mem, &mem, &mem};
    nn_graph *g = graph_of("n", 2, &mem);
    bool here = nn_graph_need(g, &(nn_engine_options){.threads = 1, .isa = isa}, 1, 32, 32, &need,
                              &a, NULL) == VG_OK;
    nn_graph_destroy(&g);
    return here;
}

static void open_n(test_engine *t, const char *isa, int threads)
{
    engine_open(t, nn_builtin_yaml(), "n", 4, NULL,
                &(nn_engine_options){.threads = threads, .isa = isa}, &mem);
}

/* ---- what results depend on ---- */

static void results_do_not_depend_on_what_ran_before(void **state)
{
    (void)state;
    for (int i = 0; i < N_ISAS; i++) {
        test_engine t;
        size_t n_first, n_again, n_other;
        if (!is_here(isas[i]))
            continue;
        open_n(&t, isas[i], 2);
        float *first = engine_heads(&t, 1, 64, 96, 1, &n_first, &mem);
        float *other = engine_heads(&t, 2, 160, 32, 2, &n_other, &mem);
        float *again = engine_heads(&t, 1, 64, 96, 1, &n_again, &mem);
        assert_int_equal(n_first, n_again);
        assert_memory_equal(first, again, n_first * sizeof *first);
        base_free(first);
        base_free(other);
        base_free(again);
        engine_close(&t);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

/* The run with a clock is the same run, and has a time for every step. */
static void timed_results_are_those_of_a_run(void **state)
{
    (void)state;
    test_engine t;
    size_t n, n_timed, n_steps = 0;
    open_n(&t, NULL, 2);
    float *want = engine_heads(&t, 1, 64, 96, 1, &n, &mem), *x = input_make(1, 64, 96, 1, &mem);
    nn_plan *p = engine_plan(&t, 1, 64, 96);
    assert_int_equal(nn_graph_n_steps(&n_steps, nn_engine_graph(t.e), 64, 96, &mem, NULL), VG_OK);
    assert_int_equal(nn_plan_n_steps(p), n_steps);
    int64_t *ns = base_alloc_zero(&mem, n_steps, sizeof *ns, NULL);
    for (size_t i = 0; i < n_steps; i++)
        ns[i] = -1;
    assert_int_equal(nn_engine_run_timed(t.e, p, x, ns, NULL), VG_OK);
    for (size_t i = 0; i < n_steps; i++)
        assert_true(ns[i] >= 0);
    float *timed = heads_copy(p, 0, 1, &n_timed, &mem);
    assert_int_equal(n, n_timed);
    assert_memory_equal(want, timed, n * sizeof *want);
    base_free(want);
    base_free(timed);
    base_free(x);
    base_free(ns);
    engine_close(&t);
}

static void results_depend_on_the_picture(void **state)
{
    (void)state;
    test_engine t;
    size_t n;
    open_n(&t, NULL, 1);
    float *a = engine_heads(&t, 1, 64, 64, 1, &n, &mem),
          *b = engine_heads(&t, 1, 64, 64, 2, &n, &mem);
    assert_memory_not_equal(a, b, n * sizeof *a);
    for (size_t i = 0; i < n; i++)
        assert_true(isfinite(a[i]));
    base_free(a);
    base_free(b);
    engine_close(&t);
}

static void results_do_not_depend_on_threads(void **state)
{
    (void)state;
    for (int i = 0; i < N_ISAS; i++) {
        float *want = NULL;
        size_t n_want = 0;
        for (int threads = 1; threads <= 3 && is_here(isas[i]); threads++) {
            test_engine t;
            size_t n;
            open_n(&t, isas[i], threads);
            assert_int_equal(nn_engine_threads(t.e), threads);
            assert_string_equal(nn_engine_isa(t.e), isas[i]);
            float *got = engine_heads(&t, 2, 96, 64, 1, &n, &mem);
            if (!want) {
                want = got;
                n_want = n;
            } else {
                assert_int_equal(n, n_want);
                assert_memory_equal(got, want, n * sizeof *got);
                base_free(got);
            }
            engine_close(&t);
        }
        base_free(want);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

static void results_do_not_depend_on_the_batch(void **state)
{
    (void)state;
    for (int i = 0; i < N_ISAS; i++) {
        test_engine t;
        size_t n_one, n_whole;
        if (!is_here(isas[i]))
            continue;
        open_n(&t, isas[i], 2);
        for (int picture = 0; picture < 3; picture++) {
            float *x = input_make(3, 64, 96, 7, &mem);
            nn_plan *p = engine_plan(&t, 3, 64, 96);
            assert_int_equal(nn_engine_run(t.e, p, x, NULL), VG_OK);
            float *within = heads_copy(p, picture, 1, &n_whole, &mem);
            float *alone = engine_heads(&t, 1, 64, 96, 7 + (uint64_t)picture, &n_one, &mem);
            assert_int_equal(n_one, n_whole);
            assert_memory_equal(alone, within, n_one * sizeof *alone);
            base_free(x);
            base_free(within);
            base_free(alone);
        }
        engine_close(&t);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

static void tables_of_kernels_agree(void **state)
{
    (void)state;
    float *want = NULL;
    for (int i = 0; i < N_ISAS; i++) {
        test_engine t;
        size_t n;
        if (!is_here(isas[i]))
            continue;
        open_n(&t, isas[i], 1);
        float *got = engine_heads(&t, 1, 96, 160, 3, &n, &mem);
        for (size_t k = 0; want && k < n; k++)
            assert_true(fabsf(got[k] - want[k]) <= 2e-4f + 2e-4f * fabsf(want[k]));
        if (want)
            base_free(got);
        else
            want = got;
        engine_close(&t);
    }
    base_free(want);
}

/* ---- memory ---- */

static void a_steady_stream_allocates_nothing(void **state)
{
    (void)state;
    test_engine t;
    open_n(&t, NULL, 2);
    float *x = input_make(1, 64, 64, 1, &mem);
    assert_int_equal(nn_engine_run(t.e, engine_plan(&t, 1, 64, 64), x, NULL), VG_OK);
    uint64_t weights = t.weights.n_allocs, activations = t.activations.n_allocs,
             plans = t.plans.n_allocs;
    for (int i = 0; i < 50; i++)
        assert_int_equal(nn_engine_run(t.e, engine_plan(&t, 1, 64, 64), x, NULL), VG_OK);
    assert_int_equal(t.weights.n_allocs, weights);
    assert_int_equal(t.activations.n_allocs, activations);
    assert_int_equal(t.plans.n_allocs, plans);
    base_free(x);
    engine_close(&t);
}

/* Graph, need, engine, room, two plans and a run, on one account. */
static vg_status whole_life(base_mem *m, const weights_file *w, const float *x, vg_error *err)
{
    const nn_accounts a = {m, m, m, m};
    const nn_engine_options o = {.threads = 2, .max_plans = 1};
    nn_graph *g = NULL;
    nn_engine *e = NULL;
    nn_plan *p = NULL;
    nn_memory_need need;
    vg_status st = graph_from_text(&g, nn_builtin_yaml(), "n", 4, m, err);
    if (st == VG_OK)
        st = nn_graph_need(g, &o, 1, 32, 32, &need, &a, err);
    if (st == VG_OK)
        st = nn_engine_create(&e, g, w, &o, &a, err);
    if (st == VG_OK)
        g = NULL; /* taken */
    if (st == VG_OK)
        st = nn_engine_reserve(e, 1, 32, 64, &a, err);
    if (st == VG_OK)
        st = nn_engine_plan(e, &p, 1, 32, 64, &a, err);
    if (st == VG_OK)
        st = nn_engine_plan(e, &p, 1, 64, 64, &a, err); /* evicts, and wants a larger block */
    if (st == VG_OK)
        assert_int_equal(nn_engine_run(e, p, x, NULL), VG_OK);
    nn_engine_destroy(&e);
    nn_graph_destroy(&g);
    return st;
}

static void every_allocation_may_fail_and_nothing_is_lost(void **state)
{
    (void)state;
    synthetic_weights s;
    nn_graph *g = graph_of("n", 4, &mem);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, NULL), VG_OK);
    float *x = input_make(1, 64, 64, 1, &mem);
    int64_t n_failed = 0;
    for (vg_status st = VG_ERR_MEMORY; st != VG_OK; n_failed++) {
        base_mem m;
        vg_error err = {0};
        base_mem_init(&m, "torture", NULL, SIZE_MAX);
        m.fail_in = n_failed + 1;
        st = whole_life(&m, s.weights, x, &err);
        assert_true(st == VG_OK || st == VG_ERR_MEMORY);
        assert_int_equal(err.status, st);
        assert_int_equal(m.in_use_bytes, 0);
        assert_int_equal(m.n_allocs, m.n_frees);
        assert_true(n_failed < 2000);
    }
    assert_true(n_failed > 20);
    base_free(x);
    synthetic_close(&s);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* The engine's own heads of weights number k of n = 4 classes, one thread. */
static float *heads_of(const weights_file *w, size_t *n_floats)
{
    test_engine t;
    engine_open(&t, nn_builtin_yaml(), "n", 4, w, &(nn_engine_options){.threads = 1}, &mem);
    float *heads = engine_heads(&t, 1, 64, 96, 5, n_floats, &mem);
    engine_close(&t);
    return heads;
}

/* In memory of its own and in a block that is lent, on threads that are lent. */
static void weights_are_loaded_again_and_again_without_an_allocation(void **state)
{
    (void)state;
    enum { GUARD = 64 };
    nn_graph *g = graph_of("n", 4, &mem);
    synthetic_weights s[2];
    float *want[2];
    size_t n = 0, lent_bytes;
    base_pool *pool = NULL;
    vg_error err = {0};
    assert_int_equal(base_pool_create(&pool, 2, &mem, &err), VG_OK);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(synthetic_make(&s[k], g, (uint64_t)k, 8, &mem, &err), VG_OK);
        want[k] = heads_of(s[k].weights, &n);
    }
    assert_memory_not_equal(want[0], want[1], n * sizeof *want[0]);
    nn_graph_destroy(&g);
    for (int is_lent = 0; is_lent < 2; is_lent++) {
        test_engine t = {
            .weights = {.tag = "w"}, .activations = {.tag = "a"}, .plans = {.tag = "p"}};
        const nn_accounts a = engine_accounts(&t);
        nn_graph *mine = graph_of("n", 4, &t.plans);
        uint8_t *block = NULL;
        assert_int_equal(
            nn_engine_create(&t.e, mine, NULL, &(nn_engine_options){.pool = pool}, &a, &err),
            VG_OK);
        assert_int_equal(nn_engine_threads(t.e), 2);
        assert_int_equal(nn_engine_load(t.e, s[0].weights, &err), VG_ERR_ARGUMENT); /* no block */
        if (is_lent) {
            assert_int_equal(nn_engine_need_lent(t.e, &lent_bytes, 1, 64, 96, &a, &err), VG_OK);
            block = base_alloc(&mem, lent_bytes + GUARD, NULL);
            assert_non_null(block);
            memset(block, 77, lent_bytes + GUARD); /* what is in it is nobody's concern */
            nn_engine_lend(t.e, block, lent_bytes);
        } else {
            assert_int_equal(nn_engine_reserve(t.e, 1, 64, 96, &a, &err), VG_OK);
        }
        const uint64_t n_allocs = t.weights.n_allocs + t.activations.n_allocs + t.plans.n_allocs;
        for (int round = 0; round < 4; round++) {
            size_t n_heads;
            assert_int_equal(nn_engine_load(t.e, s[round % 2].weights, &err), VG_OK);
            float *heads = engine_heads(&t, 1, 64, 96, 5, &n_heads, &mem);
            assert_memory_equal(heads, want[round % 2], n * sizeof *heads);
            base_free(heads);
        }
        assert_int_equal(t.weights.n_allocs + t.activations.n_allocs + t.plans.n_allocs, n_allocs);
        if (is_lent) {
            nn_plan *p = NULL;
            assert_int_equal(nn_engine_plan(t.e, &p, 4, 64, 96, &a, &err), VG_ERR_LIMIT);
            assert_null(p);
            for (int i = 0; i < GUARD; i++)
                assert_int_equal(block[lent_bytes + (size_t)i], 77);
            assert_int_equal(t.activations.n_allocs, 0);
        }
        engine_close(&t);
        base_free(block);
    }
    for (int k = 0; k < 2; k++) {
        base_free(want[k]);
        synthetic_close(&s[k]);
    }
    base_pool_destroy(&pool);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void an_engine_survives_a_plan_that_did_not_fit(void **state)
{
    (void)state;
    test_engine t;
    size_t n_before, n_after;
    nn_plan *p = NULL;
    vg_error err = {0};
    open_n(&t, NULL, 1);
    float *before = engine_heads(&t, 1, 64, 64, 5, &n_before, &mem);
    const nn_accounts a = engine_accounts(&t);
    t.activations.limit_bytes = t.activations.in_use_bytes;
    assert_int_equal(nn_engine_plan(t.e, &p, 4, 320, 320, &a, &err), VG_ERR_MEMORY);
    assert_null(p);
    float *after = engine_heads(&t, 1, 64, 64, 5, &n_after, &mem);
    assert_memory_equal(before, after, n_before * sizeof *before);
    base_free(before);
    base_free(after);
    engine_close(&t);
}

/* ---- wrong weights ---- */

/* An engine for nc classes of w must fail, naming the tensor. */
static void check_refused(const weights_file *w, int nc, const char *where, const char *what)
{
    base_mem m;
    vg_error err = {0};
    base_mem_init(&m, "engine", NULL, SIZE_MAX);
    const nn_accounts a = {&m, &m, &m, &m};
    nn_graph *g = graph_of("n", nc, &m);
    nn_engine *e = NULL;
    size_t before = m.in_use_bytes;
    assert_int_equal(nn_engine_create(&e, g, w, &(nn_engine_options){.threads = 1}, &a, &err),
                     VG_ERR_FORMAT);
    if (!strstr(err.where, where) || !strstr(err.what, what))
        fail_msg("it says \"%s\" at \"%s\"", err.what, err.where);
    assert_null(e);
    assert_int_equal(m.in_use_bytes, before); /* the graph is still the caller's */
    nn_graph_destroy(&g);
    assert_int_equal(m.in_use_bytes, 0);
}

static void wrong_weights_are_refused_by_the_tensors_name(void **state)
{
    (void)state;
    static const char key[] = "model.9.cv1.conv.weight";
    synthetic_weights s;
    weights_file *w = NULL;
    nn_graph *g = graph_of("n", 4, &mem);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, NULL), VG_OK);
    check_refused(s.weights, 5, "model.23.cv3.0.2.weight",
                  "(4, 64, 1, 1) where the model has (5, 64, 1, 1)");

    float *value =
              (float *)(void *)(s.image +
                                ((const uint8_t *)weights_find(s.weights, key)->data - s.image)),
          was = value[7];
    value[7] = NAN;
    check_refused(s.weights, 4, "model.9.cv1.conv.weight, element 7", "not finite");
    value[7] = INFINITY;
    check_refused(s.weights, 4, "model.9.cv1.conv.weight, element 7", "not finite");
    value[7] = was;

    static const char variance[] = "model.3.bn.running_var";
    float *var =
        (float *)(void *)(s.image +
                          ((const uint8_t *)weights_find(s.weights, variance)->data - s.image));
    was = var[2];
    var[2] = -1;
    check_refused(s.weights, 4, "model.3.bn.running_var, element 2", "variance");
    var[2] = was;

    /* A letter of its name is another: it is missing. */
    char *name = memmem(s.image, s.image_bytes, key, sizeof key - 1);
    assert_non_null(name);
    name[sizeof key - 2] = 'X';
    assert_int_equal(weights_open_memory(&w, s.image, s.image_bytes, "test", &mem, NULL), VG_OK);
    check_refused(w, 4, key, "missing");
    weights_close(&w);
    synthetic_close(&s);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void kernels_that_are_not_here_are_refused(void **state)
{
    (void)state;
    synthetic_weights s;
    vg_error err = {0};
    nn_engine *e = NULL;
    const nn_accounts a = {&mem, &mem, &mem, &mem};
    nn_graph *g = graph_of("n", 4, &mem);
    assert_int_equal(synthetic_make(&s, g, 0, 8, &mem, NULL), VG_OK);
    assert_int_equal(
        nn_engine_create(&e, g, s.weights, &(nn_engine_options){.isa = "mmx"}, &a, &err),
        VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "mmx"));
    assert_non_null(strstr(err.mend, "plain"));
    assert_int_equal(
        nn_engine_create(&e, g, s.weights, &(nn_engine_options){.max_plans = 100000}, &a, &err),
        VG_ERR_ARGUMENT);
    synthetic_close(&s);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_do_not_depend_on_what_ran_before),
        cmocka_unit_test(timed_results_are_those_of_a_run),
        cmocka_unit_test(results_depend_on_the_picture),
        cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(results_do_not_depend_on_the_batch),
        cmocka_unit_test(tables_of_kernels_agree),
        cmocka_unit_test(a_steady_stream_allocates_nothing),
        cmocka_unit_test(every_allocation_may_fail_and_nothing_is_lost),
        cmocka_unit_test(weights_are_loaded_again_and_again_without_an_allocation),
        cmocka_unit_test(an_engine_survives_a_plan_that_did_not_fit),
        cmocka_unit_test(wrong_weights_are_refused_by_the_tensors_name),
        cmocka_unit_test(kernels_that_are_not_here_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
