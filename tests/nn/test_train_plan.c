/* test_train_plan.c: a training plan played through without arithmetic: every float of the block
 * carries the name of the buffer that was written there last, and every read must find its own. */
#include "support/test.h"

#include "nn/build.h"
#include "nn/models.h"
#include "nn/train_plan.h"
#include "nn/wire.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

enum { VALUE, GRAD, Z, SAVED, N_KINDS };

typedef struct play {
    const nn_graph *g;
    nn_shape_plan *p;
    nn_wires wires;
    int32_t *names; /* (floats of the block) */
} play;

/* A map belongs to its root's buffer; z and saved to their step. */
static int32_t name_of(const play *k, int kind, int value_or_step)
{
    int of = kind < Z ? nn_wires_root(&k->wires, value_or_step, NULL) : value_or_step;
    return of * N_KINDS + kind + 1;
}

static void visit(play *k, const nn_map *m, size_t at, int32_t name, bool writes, const char *what)
{
    if (at == SIZE_MAX) /* the picture */
        return;
    size_t pixels = (size_t)m->n * (size_t)m->h * (size_t)m->w;
    assert_true(at % sizeof(float) == 0);
    assert_true(at + ((pixels - 1) * m->pitch + (size_t)m->c) * sizeof(float) <= k->p->block_bytes);
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < (size_t)m->c; c++) {
            int32_t *here = &k->names[at / sizeof(float) + p * m->pitch + c];
            if (writes)
                *here = name;
            else if (*here != name)
                fail_msg("%s: pixel %zu, channel %zu of buffer %d (kind %d) is buffer %d (kind %d)",
                         what, p, c, (name - 1) / N_KINDS, (name - 1) % N_KINDS,
                         (*here - 1) / N_KINDS, (*here - 1) % N_KINDS);
        }
}

static void role(play *k, size_t step, nn_train_role r, bool writes, const char *what)
{
    const nn_train_step *s = &k->p->steps[step];
    const int of[NN_N_ROLES] = {s->spec.dst, s->spec.src, s->spec.src2, (int)step,
                                (int)step,   s->spec.dst, s->spec.src,  s->spec.src2};
    const int kind[NN_N_ROLES] = {VALUE, VALUE, VALUE, Z, SAVED, GRAD, GRAD, GRAD};
    if (of[r] != NN_NO_VALUE)
        visit(k, &s->map[r], s->at[r], name_of(k, kind[r], of[r]), writes, what);
}

static bool has_bn(const nn_train_step *s)
{
    return s->spec.kind == NN_STEP_CONV && s->spec.conv->bn;
}

static void forward(play *k, size_t i)
{
    const nn_train_step *s = &k->p->steps[i];
    for (int again = 0; again < 2; again++) { /* what was read is still there after the writes */
        role(k, i, NN_SRC, false, "forward reads its source");
        role(k, i, NN_SRC2, false, "forward reads its second source");
        if (again)
            break;
        if (has_bn(s)) {
            role(k, i, NN_Z, true, "z");
            role(k, i, NN_SAVED, true, "saved");
        }
        role(k, i, NN_DST, true, "dst");
    }
    if (has_bn(s)) {
        role(k, i, NN_Z, false, "z survives");
        role(k, i, NN_SAVED, false, "saved survives");
    }
    role(k, i, NN_DST, false, "dst survives");
}

static void backward(play *k, size_t i)
{
    const nn_train_step *s = &k->p->steps[i];
    for (int again = 0; again < 2; again++) {
        role(k, i, NN_D_DST, false, "backward reads its gradient");
        if (s->spec.kind == NN_STEP_CONV || s->spec.kind == NN_STEP_MAXPOOL ||
            s->spec.kind == NN_STEP_ATTENTION)
            role(k, i, NN_SRC, false, "backward reads its source");
        if (has_bn(s)) {
            role(k, i, NN_Z, false, "backward reads z");
            role(k, i, NN_SAVED, false, "backward reads the moments");
        }
        if (again)
            break;
        role(k, i, NN_D_SRC2, !s->src2_adds, "gradient of the second source");
        role(k, i, NN_D_SRC, !s->src_adds, "gradient of the source");
    }
    role(k, i, NN_D_SRC2, false, "gradient of the second source survives");
    role(k, i, NN_D_SRC, false, "gradient of the source survives");
}

static void heads(play *k)
{
    for (int i = 0; i < k->g->n_levels; i++) {
        const nn_train_level *l = &k->p->levels[i];
        int box = k->g->levels[i].box, cls = k->g->levels[i].cls;
        visit(k, &l->d_box, l->d_box_at, name_of(k, GRAD, box), true, "d box");
        visit(k, &l->d_cls, l->d_cls_at, name_of(k, GRAD, cls), true, "d class");
    }
    for (int i = 0; i < k->g->n_levels; i++) {
        const nn_train_level *l = &k->p->levels[i];
        int box = k->g->levels[i].box, cls = k->g->levels[i].cls;
        visit(k, &l->box, l->box_at, name_of(k, VALUE, box), false, "the loss reads boxes");
        visit(k, &l->cls, l->cls_at, name_of(k, VALUE, cls), false, "the loss reads classes");
    }
}

static void play_through(const char *model, const char *scale, int n, int h, int w)
{
    vg_error err = {0};
    nn_graph *g = NULL;
    play k = {0};
    if (graph_from_text(&g, model, scale, 5, &mem, &err) != VG_OK ||
        nn_shape_plan_create(&k.p, g, n, h, w, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    k.g = g;
    nn_map *maps = base_alloc_zero(&mem, g->n_values, sizeof *maps, NULL);
    char *wires = base_alloc_zero(&mem, 1, nn_wires_bytes(g), NULL);
    k.names = base_alloc_zero(&mem, k.p->block_bytes / sizeof(float) + 1, sizeof *k.names, NULL);
    assert_true(maps && wires && k.names);
    nn_wire(&k.wires, g, maps, n, h, w, NULL, wires);
    for (size_t i = 0; i < k.p->n_steps; i++)
        forward(&k, i);
    heads(&k);
    size_t n_backward = 0;
    for (size_t i = 0; i < k.p->n_tasks; i++) {
        const nn_train_task *t = &k.p->tasks[i];
        if (t->step >= 0) {
            backward(&k, (size_t)t->step);
            n_backward++;
        } else
            visit(&k, &t->zero, t->at, name_of(&k, GRAD, t->value), true, "zero");
    }
    assert_int_equal(n_backward, k.p->n_steps);
    assert_true(k.p->block_bytes <= k.p->naive_bytes);
    base_free(maps);
    base_free(wires);
    base_free(k.names);
    nn_shape_plan_destroy(&k.p);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void no_buffer_is_overwritten_before_its_last_reader(void **state)
{
    (void)state;
    play_through(nn_builtin_yaml(), "n", 2, 64, 96);
    play_through(nn_builtin_yaml(), "s", 1, 96, 32);
    play_through(nn_builtin_yaml(), "l", 1, 64, 64);
}

/* A pool whose input dies early, an output that nobody reads, the picture in a concat, a value
 * in two concats and in one twice. */
static void unusual_networks_keep_theirs_too(void **state)
{
    (void)state;
    static const char pool[] = "nc: 5\nbackbone:\n"
                               "  - [-1, 1, SPPF, [64, 5]]\n"
                               "  - [-1, 1, Conv, [32, 3, 2]]\n"
                               "  - [-1, 1, C3k2, [32, True]]\n"
                               "  - [-1, 1, SPPF, [32, 5]]\n" MODEL_HEAD(3);
    static const char odd[] = "nc: 5\nbackbone:\n"
                              "  - [-1, 1, Conv, [8, 3, 1]]\n"
                              "  - [[-1, -2], 1, Concat, [1]]\n"
                              "  - [-1, 1, Conv, [16, 3, 1]]\n"
                              "  - [2, 1, C3k2, [24]]\n"
                              "  - [[2, 0, 2], 1, Concat, [1]]\n"
                              "  - [[4, 2], 1, Concat, [1]]\n"
                              "  - [-1, 1, Conv, [16, 1, 1]]\n" MODEL_HEAD(6);
    play_through(pool, NULL, 2, 16, 16);
    play_through(odd, NULL, 2, 12, 8);
}

/* docs/plan.md: a step's places, in the order of nn_train_role; backward's order; the sums. */
static void the_worked_example_is_what_the_docs_say(void **state)
{
    (void)state;
    vg_error err = {0};
    nn_graph *g = base_alloc_zero(&mem, 1, sizeof *g, &err);
    nn_shape_plan *p = NULL;
    assert_non_null(g);
    const size_t NONE = SIZE_MAX;
    nn_builder b = {.graph = g, .mem = &mem, .err = &err, .source = "example"};
    g->nc = 2;
    g->input = nn_build_input(&b);
    const int a = nn_build_conv(&b, "a", g->input, (nn_conv_args){.c2 = 8, .k = 3, .s = 2});
    const int y = nn_build_conv(&b, "b", a, (nn_conv_args){.c2 = 8, .k = 3});
    const int c = nn_build_add(&b, a, y);
    const int d = nn_build_concat(&b, (const int[]){c, a}, 2);
    const int box = nn_build_conv(&b, "box", d, (nn_conv_args){.c2 = 64, .plain = true});
    const int cls = nn_build_conv(&b, "cls", c, (nn_conv_args){.c2 = 2, .plain = true});
    nn_build_level(&b, box, cls, NN_NO_VALUE);
    assert_int_equal(b.status, VG_OK);
    assert_int_equal(nn_shape_plan_create(&p, g, 1, 8, 8, &mem, &err), VG_OK);
    /* What the steps read and write, and where it lies. */
    const struct {
        int dst, src, src2;
        size_t at[NN_N_ROLES];
        bool src_adds, src2_adds;
    } steps[] = {
        {a, g->input, NN_NO_VALUE, {8224, NONE, NONE, 9216, 10496, 32, NONE, NONE}, false, false},
        {c, a, a, {8192, 8224, 8224, 9728, 10560, 0, 32, 32}, true, true},
        {box, d, NN_NO_VALUE, {0, 8192, NONE, NONE, NONE, 4096, 0, NONE}, true, false},
        {cls, c, NN_NO_VALUE, {10240, 8192, NONE, NONE, NONE, 10368, 0, NONE}, false, false},
    };
    assert_int_equal(p->n_steps, 4);
    for (size_t i = 0; i < 4; i++) {
        const nn_train_step *s = &p->steps[i];
        assert_int_equal(s->spec.dst, steps[i].dst);
        assert_int_equal(s->spec.src, steps[i].src);
        assert_int_equal(s->spec.src2, steps[i].src2);
        assert_int_equal(s->src_adds, steps[i].src_adds);
        assert_int_equal(s->src2_adds, steps[i].src2_adds);
        for (int r = 0; r < NN_N_ROLES; r++)
            assert_int_equal(s->at[r], steps[i].at[r]);
    }
    const int tasks[] = {3, -1, 2, 1, 0};
    assert_int_equal(p->n_tasks, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(p->tasks[i].step, tasks[i]);
    assert_int_equal(p->tasks[1].c0, 8);
    assert_int_equal(p->tasks[1].zero.c, 8);
    assert_int_equal(p->tasks[1].at, 32);
    assert_int_equal(p->block_bytes, 10624);
    assert_int_equal(p->naive_bytes, 11648);
    nn_shape_plan_destroy(&p);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_buffer_is_overwritten_before_its_last_reader),
        cmocka_unit_test(unusual_networks_keep_theirs_too),
        cmocka_unit_test(the_worked_example_is_what_the_docs_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
