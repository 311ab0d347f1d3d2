/* train_golden.h: a training step of the whole network against the reference's (tests/golden: its
 * README's tolerances), wherever it computes. */
#ifndef TESTS_NN_TRAIN_GOLDEN_H
#define TESTS_NN_TRAIN_GOLDEN_H

#include "nn/train_run.h"

static inline void assert_near(double got, double want, double rel, double abs, const char *what)
{
    if (!(fabs(got - want) <= abs + rel * fabs(want)))
        fail_msg("%s: %.9g, wanted %.9g (off by %.2g of it)", what, got, want,
                 fabs(got - want) / fabs(want));
}

/* ---- the golden step ---- */

static inline double check_raw(train_run *r, golden_file *g)
{
    double worst_raw = 0;
    float *room = run_room(r), *to = room;
    for (int level = 0; level < nn_train_n_heads(r->t); level++) {
        char key[32];
        const nn_head head = run_head(r, level, &to);
        base_format(key, sizeof key, "step1.raw%d", level);
        const float *want = golden_f32(g, key, NULL);
        int pixels = head.box.h * head.box.w, no = head.box.c + head.cls.c;
        for (int i = 0; i < r->n; i++)
            for (int c = 0; c < no; c++)
                for (int p = 0; p < pixels; p++) {
                    const nn_map *m = c < head.box.c ? &head.box : &head.cls;
                    const float *at = nn_map_row(m, i, 0) + (size_t)p * m->pitch;
                    double got = (double)at[c < head.box.c ? c : c - head.box.c];
                    double w = (double)want[(i * no + c) * pixels + p];
                    worst_raw = fmax(worst_raw, fabs(got - w) / fmax(1, fabs(w)));
                    assert_near(got, w, TRAINING_RAW_TOLERANCE, TRAINING_RAW_TOLERANCE, key);
                }
    }
    base_free(room);
    return worst_raw;
}

static inline void check_gradients(train_run *r, golden_file *g, double worst_raw)
{
    const nn_graph *graph = nn_train_graph(r->t);
    size_t n_norms = 0, n_full = 0;
    double worst_norm = 0;
    for (size_t i = 0; i < nn_graph_n_params(graph); i++) {
        const nn_param *p = nn_graph_param(graph, i);
        const float *grad = run_grad(r, i);
        char key[NN_KEY_BYTES + 16];
        base_format(key, sizeof key, "gradnorm/%s", p->key);
        assert_int_equal(grad != NULL, golden_has(g, key));
        if (!grad)
            continue;
        double want = golden_f64(g, key, NULL)[0], got = training_norm(grad, p->n_elements);
        n_norms++;
        if (training_gradient_is_zero(p->key)) {
            assert_near(got, 0, 0, 1e-2, key);
            continue;
        }
        worst_norm = fmax(worst_norm, fabs(got - want) / (want + 1e-9));
        assert_near(got, want, 5e-3, 1e-9, key); /* no object on the coarsest level: 1e-15 there */
        base_format(key, sizeof key, "grad/%s", p->key);
        if (!golden_has(g, key))
            continue;
        const float *full = golden_f32(g, key, NULL);
        n_full++;
        for (size_t j = 0; j < p->n_elements; j++) /* against the tensor's own size */
            assert_near((double)grad[j], (double)full[j], 5e-3,
                        5e-3 * want / sqrt((double)p->n_elements), key);
    }
    assert_int_equal(n_norms, 255);
    assert_int_equal(n_full, 12);
    print_message("    [worst: raw %.1e, gradient norm %.1e]\n", worst_raw, worst_norm);
}

static inline void check_statistics(train_run *r, golden_file *g)
{
    const nn_graph *graph = nn_train_graph(r->t);
    size_t n = 0;
    for (size_t i = 0; i < nn_graph_n_params(graph); i++) {
        const nn_param *p = nn_graph_param(graph, i);
        char key[NN_KEY_BYTES + 16];
        base_format(key, sizeof key, "bn1/%s", p->key);
        if (!golden_has(g, key))
            continue;
        const float *want = golden_f32(g, key, NULL), *got = run_value(r, i);
        n++;
        for (size_t j = 0; j < p->n_elements; j++)
            assert_near((double)got[j], (double)want[j], 1e-4, 1e-5, key);
    }
    assert_int_equal(n, 162);
}

static inline void golden_begin(train_run *r, golden_file *g, const nn_train_options *o)
{
    run_create(r, nn_builtin_yaml(), 3, o);
    run_generate(r, 1.0);
    run_golden(r, g);
}

/* Forward, loss, gradients and statistics of the first step. */
static inline void golden_step(const nn_train_options *o)
{
    golden_file *g = golden_open("train_n_nc3_64.safetensors");
    train_run r;
    golden_begin(&r, g, o);
    RUN(nn_train_zero_grad(r.t, error));
    RUN(nn_train_forward(r.t, r.input, error));
    const double worst_raw = check_raw(&r, g);
    const detect_loss_value v = run_loss(&r);
    const double want = golden_f64(g, "loss_total", NULL)[0],
                 twice = golden_f64(g, "f64.loss_total", NULL)[0];
    print_message("    [%s: loss off %.1e of the reference's, %.1e of its double]\n",
                  nn_train_isa(r.t), fabs(v.total - want) / want, fabs(v.total - twice) / twice);
    assert_near(v.total, want, 1e-4, 0, "loss_total");
    RUN(nn_train_backward(r.t, NULL, error));
    check_gradients(&r, g, worst_raw);
    check_statistics(&r, g);
    golden_close(g);
    run_close(&r);
}

#endif
