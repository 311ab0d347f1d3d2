/* gpu_run.h: the engine with the golden network, weights and batch, on a device or on the CPU. */
#ifndef TESTS_TRAIN_GPU_RUN_H
#define TESTS_TRAIN_GPU_RUN_H

#include "support/test.h"

#include <math.h>

#include "nn/models.h"
#include "support/generator.h"
#include "support/golden.h"
#include "support/gpu.h"
#include "support/random.h"
#include "support/training.h"
#include "train/engine.h"

enum { NC = 3, MOST_PARAMS = 1024, MOST_ELEMENTS = 1 << 20 };

static base_mem mem;
static nn_device *device;
static float room[MOST_ELEMENTS];

static inline int setup(void **state)
{
    (void)state;
    base_mem_init(&mem, "test", NULL, 0);
    test_gpu_open(&device, &mem);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    nn_device_close(&device);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

static inline void ok(vg_status st, const vg_error *err)
{
    if (st != VG_OK)
        fail_msg("%s at %s", err->what, err->where);
}

static inline void assert_near(double got, double want, double rel, double abs, const char *what)
{
    if (!(fabs(got - want) <= abs + rel * fabs(want)))
        fail_msg("%s: %.9g, wanted %.9g", what, got, want);
}

/* ---- a run ---- */

typedef struct run {
    train_engine engine;
    train_param params[MOST_PARAMS];
    size_t n_params;
    float *input;
    int n, h, w;
    detect_label labels[64];
    size_t n_labels;
    const char *model;            /* "yolo11n-seg"; NULL: the golden one */
    const detect_loss_kind *kind; /* NULL: boxes */
    detect_extras extras;
    base_pool *pool; /* of what a device leaves to the CPU; NULL: the caller alone */
    bool is_finite;  /* the last step */
} run;

/* The golden weights; d NULL: the CPU. */
static inline void run_open(run *r, nn_device *d, bool amp, const train_optimizer_options *o)
{
    static float any; /* of a device's gradients no address is looked at */
    vg_error err = {0};
    nn_graph *g = NULL;
    const train_accounts accounts = {&mem, &mem, &mem, &mem, &mem, &mem, &mem, NULL};
    const train_engine_options options = {.threads = 2, .device = d, .amp = amp, .seed = 1};
    if (r->model == NULL)
        ok(graph_from_text(&g, nn_builtin_yaml(), "n", NC, &mem, &err), &err);
    else
        ok(nn_graph_from_name(&g, r->model, NC, &mem, &err), &err);
    const size_t map_floats = nn_graph_output_floats(g, r->n, r->h, r->w);
    r->n_params = nn_graph_n_params(g);
    assert_true(r->n_params <= MOST_PARAMS);
    for (size_t i = 0; i < r->n_params; i++) {
        const nn_param *p = nn_graph_param(g, i);
        const bool has_grad =
            p->kind != NN_PARAM_BN_MEAN && p->kind != NN_PARAM_BN_VAR && p->kind != NN_PARAM_DFL;
        r->params[i] = (train_param){.info = p, .grad = has_grad ? &any : NULL};
    }
    ok(train_params_freeze(r->params, r->n_params, NULL, 0, &err), &err);
    ok(train_engine_open(&r->engine, g, r->params, r->n_params, &options, &accounts, &err), &err);
    for (size_t i = 0; i < r->n_params; i++) {
        const nn_param *p = r->params[i].info;
        int64_t shape[4] = {1, 1, 1, 1};
        for (int k = 0; k < p->n_dims; k++)
            shape[k] = p->shape[k];
        assert_true(p->n_elements <= MOST_ELEMENTS);
        const generator_gains gains = {1, 1, 1};
        assert_true(generator_fill_with(room, p->key, shape, p->n_dims, 0, &gains));
        ok(train_engine_write(&r->engine, TRAIN_SET_VALUE, i, 0, room, p->n_elements, &err), &err);
    }
    const detect_loss_bounds bounds = {.most_batch = (size_t)r->n,
                                       .most_anchors = (size_t)(r->n * r->h * r->w),
                                       .most_labels = 64,
                                       .n_threads = 2,
                                       .kind = r->kind};
    const train_engine_learning learning = {.optimizer = o,
                                            .loss = bounds,
                                            .nc = NC,
                                            .most_n = r->n,
                                            .most_h = r->h,
                                            .most_w = r->w,
                                            .map_floats = map_floats,
                                            .gains = DETECT_LOSS_GAINS,
                                            .pool = r->pool};
    ok(train_engine_prepare(&r->engine, &learning, &err), &err);
}

static inline void run_close(run *r)
{
    train_engine_close(&r->engine);
    base_free(r->input);
    r->input = NULL;
}

/* rates NULL: gradients alone. */
static inline detect_loss_value run_try(run *r, const train_rates *rates, double *norm)
{
    vg_error err = {0};
    detect_loss_value v;
    bool is_finite = false;
    const size_t held = mem.in_use_bytes;
    const train_engine_batch b = {.input = r->input,
                                  .n = r->n,
                                  .h = r->h,
                                  .w = r->w,
                                  .labels = r->labels,
                                  .n_labels = r->n_labels,
                                  .extras = r->extras};
    ok(train_engine_gradients(&r->engine, &v, &b, &err), &err);
    if (rates != NULL)
        ok(train_engine_step(&r->engine, rates, norm, &is_finite, &err), &err);
    r->is_finite = is_finite;
    assert_int_equal(mem.in_use_bytes, held);
    return v;
}

static inline detect_loss_value run_step(run *r, const train_rates *rates, double *norm)
{
    const detect_loss_value v = run_try(r, rates, norm);
    assert_true(r->is_finite);
    return v;
}

static inline const float *run_read(run *r, train_set set, size_t i)
{
    vg_error err = {0};
    ok(train_engine_read(&r->engine, room, set, i, 0, r->params[i].info->n_elements, &err), &err);
    return room;
}

static inline void read_batch(run *r, golden_file *g)
{
    size_t n;
    const float *chw = golden_f32(g, "input", NULL), *rows = golden_f32(g, "targets", &n);
    r->n = (int)golden_dim(g, "input", 0);
    r->h = (int)golden_dim(g, "input", 2);
    r->w = (int)golden_dim(g, "input", 3);
    const int pixels = r->h * r->w;
    r->input = base_alloc(&mem, (size_t)(r->n * pixels * 3) * sizeof *r->input, NULL);
    for (int i = 0; i < r->n; i++)
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < pixels; p++)
                r->input[(i * pixels + p) * 3 + c] = chw[(i * 3 + c) * pixels + p];
    r->n_labels = n / 6;
    for (size_t i = 0; i < r->n_labels; i++, rows += 6)
        r->labels[i] = (detect_label){.picture = (int)rows[0],
                                      .class_index = (int)rows[1],
                                      .xywh_norm = {rows[2], rows[3], rows[4], rows[5]}};
}

#endif
