/* test_plan.c: a plan's memory, by playing its steps with labels in the place of numbers; what it
 * fuses and aliases; the cache of plans; and that what is promised beforehand is what is taken. */
#include "support/test.h"

#include "nn/engines.h"
#include "nn/plan.h"
#include "nn/wire.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

/* ---- steps with labels ---- */

/* The block as labels: which channel of which value a float holds, and of which pixel. */
typedef struct play {
    const nn_graph *g;
    const nn_plan *p;
    uint64_t *block;
    uint32_t *read_at; /* step that read the float last, from 1 */
    size_t n_floats;
} play;

/* What stands in channel c of value v: a value that an op makes, and its channel. Slices and
 * concats make nothing. */
static void content_of(const nn_graph *g, int *v, int *c)
{
    for (bool moved = true; moved;) {
        moved = false;
        if (g->values[*v].parent != NN_NO_VALUE) {
            *c += g->values[*v].c0;
            *v = g->values[*v].parent;
            moved = true;
        }
        for (size_t i = 0; i < g->n_ops && !moved; i++) {
            const nn_op *op = &g->ops[i];
            if (op->kind != NN_CONCAT || op->out != *v)
                continue;
            int j = 0;
            while (*c >= g->values[op->in[j]].c)
                *c -= g->values[op->in[j++]].c;
            *v = op->in[j];
            moved = true;
        }
    }
}

static uint64_t label_of(const nn_graph *g, int v, int c, size_t pixel)
{
    content_of(g, &v, &c);
    return ((uint64_t)v + 1) << 48 | (uint64_t)c << 32 | pixel;
}

/* Float of channel c of a pixel, in the block. */
static size_t place_of(const play *k, const nn_map *m, size_t offset, size_t pixel, int c)
{
    size_t at = offset / sizeof(float) + pixel * m->pitch + (size_t)c;
    if (at >= k->n_floats)
        fail_msg("a map reaches past the block");
    return at;
}

static void read_value(play *k, int v, uint32_t step)
{
    const nn_map *m = &k->p->maps[v];
    if (v == NN_NO_VALUE || k->p->offsets[v] == SIZE_MAX)
        return;
    for (int c = 0; c < m->c; c++) {
        int value = v, channel = c;
        content_of(k->g, &value, &channel);
        uint64_t label = ((uint64_t)value + 1) << 48 | (uint64_t)channel << 32;
        for (size_t pixel = 0; pixel < (size_t)(m->n * m->h * m->w); pixel++) {
            size_t at = place_of(k, m, k->p->offsets[v], pixel, c);
            if (k->block[at] != (label | pixel))
                fail_msg("step %u reads channel %d of value %d where there is value %d", step, c, v,
                         (int)(k->block[at] >> 48) - 1);
            k->read_at[at] = step;
        }
    }
}

/* c0: of dst, where a copy goes; labels are those of src for a copy. */
static void write_value(play *k, int dst, int c0, int labels, uint32_t step)
{
    const nn_map *m = &k->p->maps[dst];
    int n = k->p->maps[labels].c;
    assert_true(k->p->offsets[dst] != SIZE_MAX && c0 + n <= m->c);
    for (int c = 0; c < n; c++) {
        uint64_t label = label_of(k->g, labels, c, 0);
        for (size_t pixel = 0; pixel < (size_t)(m->n * m->h * m->w); pixel++) {
            size_t at = place_of(k, m, k->p->offsets[dst], pixel, c0 + c);
            if (k->read_at[at] == step)
                fail_msg("step %u writes value %d over what it reads", step, dst);
            k->block[at] = label | pixel;
        }
    }
}

static void play_plan(const nn_graph *g, int n, int h, int w, bool keep_layers)
{
    nn_plan *p = NULL;
    vg_error err = {0};
    if (nn_plan_create(&p, g, n, h, w, keep_layers, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    play k = {.g = g, .p = p, .n_floats = p->block_bytes / sizeof(float)};
    k.block = base_alloc_zero(&mem, k.n_floats, sizeof *k.block, NULL);
    k.read_at = base_alloc_zero(&mem, k.n_floats, sizeof *k.read_at, NULL);
    assert_true(k.block && k.read_at);
    for (size_t i = 0; i < p->n_steps; i++) {
        const nn_step *s = &p->steps[i];
        uint32_t step = (uint32_t)i + 1;
        bool copies = s->spec.kind == NN_STEP_COPY;
        read_value(&k, s->spec.src, step);
        if (s->spec.src2 != NN_NO_VALUE)
            read_value(&k, s->spec.src2, step);
        write_value(&k, s->spec.dst, copies ? s->spec.k : 0, copies ? s->spec.src : s->spec.dst,
                    step);
    }
    uint32_t end = (uint32_t)p->n_steps + 1;
    for (int i = 0; i < g->n_levels; i++) {
        read_value(&k, g->levels[i].box, end);
        read_value(&k, g->levels[i].cls, end);
    }
    for (size_t i = 0; keep_layers && i < g->n_layers; i++)
        if (g->layers[i].out != NN_NO_VALUE)
            read_value(&k, g->layers[i].out, end);
    base_free(k.block);
    base_free(k.read_at);
    nn_plan_destroy(&p);
}

static void every_read_finds_what_was_written_for_it(void **state)
{
    (void)state;
    static const struct {
        const char *scale;
        int n, h, w;
    } cases[] = {
        {"n", 1, 64, 64}, {"n", 3, 32, 96}, {"n", 1, 128, 32}, {"l", 1, 64, 32}, {"x", 2, 32, 32}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_graph *g = graph_of(cases[i].scale, 0, &mem);
        play_plan(g, cases[i].n, cases[i].h, cases[i].w, false);
        play_plan(g, cases[i].n, cases[i].h, cases[i].w, true);
        nn_graph_destroy(&g);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

/* Rows that tempt a plan: one map twice in a concat, the picture itself in one, a concat of
 * concats, a row that nobody reads, heads on one map. */
static void odd_models_find_what_was_written_too(void **state)
{
    (void)state;
    static const char *const models[] = {
        "nc: 2\nbackbone:\n  - [-1, 1, Conv, [8, 3, 2]]\n  - [[0, 0], 1, Concat, [1]]\n  - [[1, 0, "
        "1], 1, Concat, [1]]\n"
        "  - [-1, 1, Conv, [8]]\n  - [0, 1, Conv, [8]]\nhead:\n  - [[3, 2], 1, Detect, [nc]]\n",
        "nc: 2\nbackbone:\n  - [-1, 1, Conv, [8]]\n  - [[-1, -2], 1, Concat, [1]]\n  - [-1, 1, "
        "Conv, [8, 3, 2]]\n"
        "  - [-1, 1, nn.Upsample, [None, 2, nearest]]\n  - [[-1, 1], 1, Concat, [1]]\nhead:\n"
        "  - [[4, 4], 1, Detect, [nc]]\n",
        "nc: 2\nbackbone:\n  - [-1, 1, Conv, [8]]\n  - [-1, 2, Bottleneck, [8]]\n  - [[0, 1], 1, "
        "Concat, [1]]\n"
        "  - [[1, 0], 1, Concat, [1]]\n  - [-1, 2, C3k2, [16]]\n  - [[4, 3, 2], 1, Concat, "
        "[1]]\nhead:\n"
        "  - [[5, 1], 1, Detect, [nc]]\n",
        "nc: 2\nbackbone:\n  - [-1, 1, Concat, [1]]\n  - [-1, 1, Concat, [1]]\n  - [-1, 1, Conv, "
        "[4]]\nhead:\n"
        "  - [[2, 1], 1, Detect, [nc]]\n",
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        nn_graph *g = NULL;
        vg_error err = {0};
        if (graph_from_text(&g, models[i], NULL, 0, &mem, &err) != VG_OK)
            fail_msg("model %zu: %s at %s", i, err.what, err.where);
        play_plan(g, 1, 16, 8, false);
        play_plan(g, 2, 8, 8, true);
        nn_graph_destroy(&g);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

/* ---- what it saves ---- */

static size_t count_steps(const nn_plan *p, nn_step_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_steps; i++)
        n += p->steps[i].spec.kind == kind;
    return n;
}

static void sums_ride_on_convolutions_and_concats_cost_little(void **state)
{
    (void)state;
    static const char *const scales[] = {"n", "s", "m", "l", "x"};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        nn_graph *g = graph_of(scales[i], 0, &mem);
        nn_plan *p = NULL;
        size_t n_adds = 0, n_residuals = 0, n_inputs = 0;
        assert_int_equal(nn_plan_create(&p, g, 1, 64, 64, false, &mem, NULL), VG_OK);
        for (size_t k = 0; k < g->n_ops; k++) {
            n_adds += g->ops[k].kind == NN_ADD;
            n_inputs += g->ops[k].kind == NN_CONCAT ? (size_t)g->ops[k].n_in : 0;
        }
        for (size_t k = 0; k < p->n_steps; k++)
            n_residuals +=
                p->steps[k].spec.kind == NN_STEP_CONV && p->steps[k].spec.src2 != NN_NO_VALUE;
        assert_true(n_adds > 8);
        assert_int_equal(count_steps(p, NN_STEP_ADD), 0);
        assert_int_equal(n_residuals, n_adds);
        assert_true(count_steps(p, NN_STEP_COPY) <= n_inputs / 4);
        assert_true(p->block_bytes * 2 < p->naive_bytes);
        nn_plan_destroy(&p);
        nn_graph_destroy(&g);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

static void the_heads_do_not_depend_on_what_shares_memory(void **state)
{
    (void)state;
    static const int shapes[][3] = {{1, 64, 64}, {1, 32, 160}, {2, 96, 64}, {3, 32, 32}};
    test_engine shared, kept;
    engine_open(&shared, nn_builtin_yaml(), "n", 5, NULL, &(nn_engine_options){.threads = 1}, &mem);
    engine_open(&kept, nn_builtin_yaml(), "n", 5, NULL,
                &(nn_engine_options){.threads = 1, .keep_layers = true}, &mem);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t n_a, n_b;
        const int *s = shapes[i];
        float *a = engine_heads(&shared, s[0], s[1], s[2], i, &n_a, &mem);
        float *b = engine_heads(&kept, s[0], s[1], s[2], i, &n_b, &mem);
        assert_int_equal(n_a, n_b);
        assert_memory_equal(a, b, n_a * sizeof *a);
        base_free(a);
        base_free(b);
    }
    engine_close(&shared);
    engine_close(&kept);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void only_engines_that_keep_layers_give_them(void **state)
{
    (void)state;
    test_engine t;
    nn_map m;
    engine_open(&t, nn_builtin_yaml(), "n", 5, NULL, &(nn_engine_options){.threads = 1}, &mem);
    assert_false(nn_plan_layer(engine_plan(&t, 1, 32, 32), 0, &m));
    engine_close(&t);
    engine_open(&t, nn_builtin_yaml(), "n", 5, NULL,
                &(nn_engine_options){.threads = 1, .keep_layers = true}, &mem);
    nn_plan *p = engine_plan(&t, 1, 32, 64);
    assert_true(nn_plan_layer(p, 4, &m));
    assert_true(m.n == 1 && m.h == 4 && m.w == 8 && m.c == 128);
    assert_false(nn_plan_layer(p, 23, &m) || nn_plan_layer(p, 24, &m) || nn_plan_layer(p, -1, &m));
    engine_close(&t);
}

/* ---- the cache ---- */

/* The plan was not in the cache. A plan that was used before points into the block. */
static bool plan_is_made(test_engine *t, int h, int w)
{
    nn_plan *p = engine_plan(t, 1, h, w);
    const bool is_fresh = p->bound == NULL;
    float *x = input_make(1, h, w, 1, &mem);
    assert_int_equal(nn_engine_run(t->e, p, x, NULL), VG_OK);
    base_free(x);
    return is_fresh;
}

static void the_plan_least_recently_used_gives_way(void **state)
{
    (void)state;
    test_engine t;
    engine_open(&t, nn_builtin_yaml(), "n", 5, NULL,
                &(nn_engine_options){.threads = 1, .max_plans = 2}, &mem);
    assert_true(plan_is_made(&t, 32, 32));
    assert_true(plan_is_made(&t, 32, 64));
    assert_false(plan_is_made(&t, 32, 32));
    assert_true(plan_is_made(&t, 64, 32)); /* 32 x 64 goes */
    assert_false(plan_is_made(&t, 32, 32));
    assert_false(plan_is_made(&t, 64, 32));
    assert_true(plan_is_made(&t, 32, 64)); /* 32 x 32 goes */
    assert_false(plan_is_made(&t, 64, 32));
    assert_true(plan_is_made(&t, 32, 32));
    engine_close(&t);
}

static void shapes_that_never_repeat_keep_memory_flat(void **state)
{
    (void)state;
    test_engine t;
    nn_memory_need need;
    nn_graph *g = graph_of("n", 5, &mem);
    const nn_engine_options o = {.threads = 1, .max_plans = 3};
    const nn_accounts a = {&mem, &mem, &mem, &mem};
    assert_int_equal(nn_graph_need(g, &o, 1, 320, 320, &need, &a, NULL), VG_OK);
    nn_graph_destroy(&g);
    engine_open(&t, nn_builtin_yaml(), "n", 5, NULL, &o, &mem);
    const nn_accounts mine = engine_accounts(&t);
    assert_int_equal(nn_engine_reserve(t.e, 1, 320, 320, &mine, NULL), VG_OK);
    const uint64_t activations = t.activations.n_allocs, plans = t.plans.n_allocs;
    for (int i = 0; i < 100; i++)
        engine_plan(&t, 1, 32 * (1 + i % 10), 32 * (1 + i / 10));
    assert_int_equal(t.activations.n_allocs, activations);
    assert_int_equal(t.plans.n_allocs, plans);
    engine_close(&t);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* ---- promises ---- */

static void what_is_promised_is_what_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *scale;
        int n, h, w, threads;
    } cases[] = {{"n", 1, 64, 96, 1}, {"n", 2, 160, 64, 2}, {"s", 1, 32, 32, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_engine t;
        nn_memory_need need;
        const nn_engine_options o = {.threads = cases[i].threads, .max_plans = 1};
        const nn_accounts other = {&mem, &mem, &mem, &mem};
        nn_graph *g = graph_of(cases[i].scale, 0, &mem);
        int n = cases[i].n, h = cases[i].h, w = cases[i].w;
        size_t before = mem.in_use_bytes;
        assert_int_equal(nn_graph_need(g, &o, n, h, w, &need, &other, NULL), VG_OK);
        assert_int_equal(mem.in_use_bytes, before);
        engine_open(&t, nn_builtin_yaml(), cases[i].scale, 0, NULL, &o, &mem);
        const nn_accounts mine = engine_accounts(&t);
        assert_int_equal(t.weights.in_use_bytes, need.weights_bytes);
        assert_int_equal(nn_engine_reserve(t.e, n, h, w, &mine, NULL), VG_OK);
        assert_int_equal(t.activations.in_use_bytes, need.activation_bytes + need.scratch_bytes);
        engine_plan(&t, n, h, w);
        assert_int_equal(t.activations.in_use_bytes, need.activation_bytes + need.scratch_bytes);
        assert_int_equal(t.plans.in_use_bytes, before + need.engine_bytes); /* before: the graph */
        assert_int_equal(need.input_bytes, n * h * w * 12);
        assert_true(need.activation_bytes < need.naive_bytes);
        engine_close(&t);
        nn_graph_destroy(&g);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

/* The heads' maps are floats whatever the others are, on bytes of their own. */
static void elements_of_16_bits_take_half_the_bytes_but_for_the_heads(void **state)
{
    (void)state;
    nn_graph *g = graph_of("n", 0, &mem);
    nn_plan *p[2] = {NULL};
    void *work = base_alloc(&mem, nn_plan_work_bytes(g), NULL);
    size_t heads = 0;
    for (int half = 0; half < 2; half++) {
        assert_int_equal(nn_plan_alloc(&p[half], g, false, half ? 2 : 4, &mem, NULL), VG_OK);
        assert_int_equal(nn_plan_lay_out(p[half], 1, 320, 192, work, NULL), VG_OK);
        nn_plan_bind_remote(p[half], NULL);
    }
    size_t index = 0, end = 0;
    for (nn_plan_reading r; nn_plan_next_reading(p[1], &index, &end, &r);)
        heads += base_round_up(r.bytes, 64);
    const size_t slack = 64 * g->n_values; /* each buffer begins on its own line */
    assert_in_range(2 * p[1]->naive_bytes, p[0]->naive_bytes + heads - slack,
                    p[0]->naive_bytes + heads + slack);
    assert_true(2 * p[1]->block_bytes <= p[0]->block_bytes + 2 * heads + slack);
    assert_int_equal(2 * (p[1]->remote_bytes - p[1]->input_at),
                     p[0]->remote_bytes - p[0]->input_at);
    for (size_t i = 0; i < p[1]->n_steps; i++) {
        const nn_step *s = &p[1]->steps[i];
        assert_int_equal(s->is_float_dst, nn_wires_is_head(g, s->spec.dst));
        if (s->is_float_dst)
            assert_int_equal(s->dst_at % 64, 0);
    }
    base_free(work);
    nn_plan_destroy(&p[0]);
    nn_plan_destroy(&p[1]);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void sizes_that_are_no_multiples_are_refused(void **state)
{
    (void)state;
    static const int wrong[][3] = {{0, 32, 32},  {1, 0, 32},        {1, 33, 32},     {1, 32, 48},
                                   {1, -32, 32}, {1 << 20, 32, 32}, {1, 1 << 20, 32}};
    nn_graph *g = graph_of("n", 0, &mem);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        nn_plan *p = NULL;
        vg_error err = {0};
        assert_int_equal(
            nn_plan_create(&p, g, wrong[i][0], wrong[i][1], wrong[i][2], false, &mem, &err),
            VG_ERR_ARGUMENT);
        assert_non_null(strstr(err.mend, "multiples of 32"));
        assert_null(p);
    }
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_read_finds_what_was_written_for_it),
        cmocka_unit_test(odd_models_find_what_was_written_too),
        cmocka_unit_test(sums_ride_on_convolutions_and_concats_cost_little),
        cmocka_unit_test(the_heads_do_not_depend_on_what_shares_memory),
        cmocka_unit_test(only_engines_that_keep_layers_give_them),
        cmocka_unit_test(the_plan_least_recently_used_gives_way),
        cmocka_unit_test(shapes_that_never_repeat_keep_memory_flat),
        cmocka_unit_test(what_is_promised_is_what_is_taken),
        cmocka_unit_test(elements_of_16_bits_take_half_the_bytes_but_for_the_heads),
        cmocka_unit_test(sizes_that_are_no_multiples_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
