/* test_graph.c: the five scales against the table of spec 1.3, names of 1.6 against the golden
 * list, class counts, and what a user's YAML may hold or gets told. */
#include "support/test.h"

#include <math.h>

#include "nn/models.h"
#include "support/golden.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static nn_graph_info info_of(const char *scale, int nc)
{
    nn_graph_info info;
    nn_graph *g = graph_of(scale, nc, &mem);
    nn_graph_get_info(g, 640, &info);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
    return info;
}

static const nn_param *find_param(const nn_graph *g, const char *key)
{
    for (size_t i = 0; i < nn_graph_n_params(g); i++)
        if (strcmp(nn_graph_param(g, i)->key, key) == 0)
            return nn_graph_param(g, i);
    return NULL;
}

static void check_shape(const nn_graph *g, const char *key, int d0, int d1, int d2, int d3)
{
    const nn_param *p = find_param(g, key);
    if (!p)
        fail_msg("no parameter %s", key);
    assert_int_equal(p->shape[0], d0);
    assert_int_equal(p->n_dims > 1 ? p->shape[1] : 0, d1);
    assert_int_equal(p->n_dims > 1 ? p->shape[2] : 0, d2);
    assert_int_equal(p->n_dims > 1 ? p->shape[3] : 0, d3);
}

static int c_out(const nn_graph *g, int layer)
{
    vg_layer l;
    nn_graph_layer(g, layer, 640, &l);
    return l.c_out;
}

/* ---- the five scales ---- */

static void five_scales_have_the_counts_of_the_table(void **state)
{
    (void)state;
    static const struct {
        const char *scale;
        int64_t params, fused;
        double gflops, gflops_fused;
    } rows[] = {
        {"n", 2624080, 2616248, 6.6, 6.5},       {"s", 9458752, 9443760, 21.7, 21.5},
        {"m", 20114688, 20091712, 68.5, 68.0},   {"l", 25372160, 25340992, 87.6, 86.9},
        {"x", 56966176, 56919424, 196.0, 194.9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nn_graph_info info = info_of(rows[i].scale, 0);
        assert_int_equal(info.n_params, rows[i].params);
        assert_int_equal(info.n_params_fused, rows[i].fused);
        assert_true(rint(10 * info.gflops) == 10 * rows[i].gflops);
        assert_true(rint(10 * info.gflops_fused) == 10 * rows[i].gflops_fused);
        assert_int_equal(info.n_layers, 24);
        assert_int_equal(info.nc, 80);
        assert_int_equal(info.n_levels, 3);
        assert_int_equal(info.max_stride, 32);
        assert_true(info.strides[0] == 8 && info.strides[1] == 16 && info.strides[2] == 32);
        assert_string_equal(info.scale, rows[i].scale);
    }
}

static void layers_of_n_have_the_parameters_of_the_list(void **state)
{
    (void)state;
    static const int64_t want[24] = {464,    4672,   6640,   36992, 26080,  147712, 87040,  295424,
                                     346112, 164608, 249728, 0,     0,      111296, 0,      0,
                                     32096,  36992,  0,      86720, 147712, 0,      378880, 464912};
    nn_graph *g = graph_of("n", 0, &mem);
    nn_graph_info info;
    double gflops = 0, upsampled = 0;
    nn_graph_get_info(g, 640, &info);
    for (int i = 0; i < 24; i++) {
        vg_layer l;
        nn_graph_layer(g, i, 640, &l);
        assert_int_equal(l.index, i);
        if (l.n_params != want[i])
            fail_msg("layer %d (%s) has %lld parameters, not %lld", i, l.module,
                     (long long)l.n_params, (long long)want[i]);
        gflops += l.gflops;
        upsampled += strcmp(l.module, "nn.Upsample") == 0 ? l.gflops : 0;
    }
    assert_true(fabs(gflops - info.gflops) <= 1e-9); /* the table adds up to the whole */
    /* Spec 1.3's unrounded figures are of convolutions and BN alone. */
    assert_true(fabs(info.gflops - upsampled - 6.6119) <= 5e-5);
    assert_true(fabs(info.gflops_fused - upsampled - 6.4811) <= 5e-5);
    nn_graph_destroy(&g);
}

static void layers_have_the_widths_of_the_resolved_table(void **state)
{
    (void)state;
    static const char *const scales[5] = {"n", "s", "m", "l", "x"};
    static const struct {
        int layer, c[5];
    } rows[] = {
        {0, {16, 32, 64, 64, 96}},       {1, {32, 64, 128, 128, 192}},
        {2, {64, 128, 256, 256, 384}},   {3, {64, 128, 256, 256, 384}},
        {4, {128, 256, 512, 512, 768}},  {5, {128, 256, 512, 512, 768}},
        {6, {128, 256, 512, 512, 768}},  {7, {256, 512, 512, 512, 768}},
        {8, {256, 512, 512, 512, 768}},  {9, {256, 512, 512, 512, 768}},
        {10, {256, 512, 512, 512, 768}}, {12, {384, 768, 1024, 1024, 1536}},
        {13, {128, 256, 512, 512, 768}}, {15, {256, 512, 1024, 1024, 1536}},
        {16, {64, 128, 256, 256, 384}},  {18, {192, 384, 768, 768, 1152}},
        {19, {128, 256, 512, 512, 768}}, {21, {384, 768, 1024, 1024, 1536}},
        {22, {256, 512, 512, 512, 768}}, {23, {0, 0, 0, 0, 0}},
    };
    for (int s = 0; s < 5; s++) {
        nn_graph *g = graph_of(scales[s], 0, &mem);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            assert_int_equal(c_out(g, rows[i].layer), rows[i].c[s]);
        nn_graph_destroy(&g);
    }
}

static void names_are_those_of_a_state_dict(void **state)
{
    (void)state;
    nn_graph *g = graph_of("n", 0, &mem);
    golden_file *f = golden_open("generator_check.safetensors");
    size_t n_floats = 0;
    assert_int_equal(nn_graph_n_params(g), 418);
    for (size_t i = 0; i < 418; i++) {
        char key[NN_KEY_BYTES + 16];
        const nn_param *p = nn_graph_param(g, i);
        snprintf(key, sizeof key, "n.first4/%s", p->key);
        if (!golden_has(f, key))
            fail_msg("the reference has no %s", p->key);
        assert_ptr_equal(find_param(g, p->key), p); /* no name twice */
        n_floats += p->n_elements;
    }
    assert_int_equal(n_floats, 2639744);
    check_shape(g, "model.0.conv.weight", 16, 3, 3, 3);
    check_shape(g, "model.8.m.0.m.1.cv2.bn.running_var", 64, 0, 0, 0);
    check_shape(g, "model.10.m.0.attn.pe.conv.weight", 128, 1, 3, 3);
    check_shape(g, "model.10.m.0.attn.qkv.conv.weight", 256, 128, 1, 1);
    check_shape(g, "model.23.cv3.2.1.0.conv.weight", 80, 1, 3, 3);
    check_shape(g, "model.23.cv2.0.2.bias", 64, 0, 0, 0);
    check_shape(g, "model.23.dfl.conv.weight", 1, 16, 1, 1);
    golden_close(f);
    nn_graph_destroy(&g);
}

/* ---- class counts ---- */

static void a_head_is_as_wide_as_its_classes_ask(void **state)
{
    (void)state;
    nn_graph *g = graph_of("n", 3, &mem);
    check_shape(g, "model.23.cv3.0.0.1.conv.weight", 64, 64, 1, 1); /* c3 = max(64, min(3, 100)) */
    check_shape(g, "model.23.cv3.1.2.weight", 3, 64, 1, 1);
    nn_graph_destroy(&g);
    g = graph_of("n", 365, &mem);
    check_shape(g, "model.23.cv3.0.0.1.conv.weight", 100, 64, 1, 1);
    check_shape(g, "model.23.cv3.2.2.weight", 365, 100, 1, 1);
    nn_graph_destroy(&g);
    assert_int_equal(info_of("s", 1).nc, 1);
}

/* Spec 9, item 20: an accident of the reference that weights trained with it have. */
static void a_width_that_equals_the_class_count_is_not_scaled(void **state)
{
    (void)state;
    nn_graph *g = graph_of("n", 64, &mem);
    assert_int_equal(c_out(g, 0), 64);
    assert_int_equal(c_out(g, 1), 32);
    nn_graph_destroy(&g);
    g = graph_of("n", 128, &mem);
    assert_int_equal(c_out(g, 0), 16);
    assert_int_equal(c_out(g, 1), 128);
    check_shape(g, "model.2.cv1.conv.weight", 32, 128, 1, 1);
    nn_graph_destroy(&g);
    g = graph_of("x", 1024, &mem);
    assert_int_equal(c_out(g, 7), 1024);
    assert_int_equal(c_out(g, 10), 1024);
    assert_int_equal(c_out(g, 6), 768);
    nn_graph_destroy(&g);
}

/* ---- a user's YAML ---- */

static void every_module_may_be_a_row(void **state)
{
    (void)state;
    nn_graph *g = NULL;
    vg_error err = {0};
    static const char text[] = "nc: 2\n"
                               "backbone:\n"
                               "  - [-1, 1, Conv, [16, 3, 2]]\n"
                               "  - [-1, 2, DWConv, [16, 5, 1]]\n"
                               "  - [-1, 2, Bottleneck, [16]]\n"
                               "  - [-1, 3, C3k, [32]]\n"
                               "  - [-1, 1, Conv, [32, 3, 2, None, 1, 1, False]]\n"
                               "  - [[-1, 4], 1, Concat, [1]]\n"
                               "  - [-1, 1, SPPF, [24, 5]]\n" MODEL_HEAD(6);
    if (graph_from_text(&g, text, NULL, 0, &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    nn_graph_info info;
    nn_graph_get_info(g, 64, &info);
    assert_int_equal(info.max_stride, 4);
    assert_int_equal(info.n_levels, 1);
    assert_int_equal(info.nc, 2);
    check_shape(g, "model.1.0.conv.weight", 16, 1, 5, 5); /* stacked: model.1.0, model.1.1 */
    check_shape(g, "model.1.1.conv.weight", 16, 1, 5, 5);
    check_shape(g, "model.2.1.cv1.conv.weight", 8, 16, 3, 3);
    check_shape(g, "model.3.m.2.cv2.conv.weight", 16, 16, 3, 3); /* inside: model.3.m.2 */
    check_shape(g, "model.6.cv2.conv.weight", 24, 128, 1, 1);
    assert_int_equal(c_out(g, 5), 64);
    nn_graph_destroy(&g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void wrong_rows_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *what;
        vg_status status;
    } cases[] = {
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n  - [-1, 1, C4, [16]]\n" MODEL_HEAD(0),
         "model.yaml:4", "C4", VG_ERR_UNSUPPORTED},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n  - [2, 1, Conv, [16, 3, "
         "2]]\n" MODEL_HEAD(0),
         "model.yaml:4", "from", VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n  - [1, 1, Conv, [16, 3, "
         "2]]\n" MODEL_HEAD(0),
         "model.yaml:4", "from", VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-3, 1, Conv, [16, 3, 2]]\n" MODEL_HEAD(0), "model.yaml:3", "from",
         VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n", "model.yaml", "head", VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\nhead:\n  - [-1, 1, Conv, [8]]\n",
         "model.yaml:5", "head", VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-1, 0, Conv, [16, 3, 2]]\n" MODEL_HEAD(0), "model.yaml:3",
         "repeats", VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv]\n" MODEL_HEAD(0), "model.yaml:3", "row",
         VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [sixteen]]\n" MODEL_HEAD(0), "model.yaml:3", "width",
         VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 4]]\n" MODEL_HEAD(0), "model.yaml:3", "kernel 4",
         VG_ERR_UNSUPPORTED},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n" MODEL_HEAD(
             0) "  - [-1, 1, Conv, [8]]\n",
         "model.yaml:6", "head", VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n  - [[-1, -2], 1, Concat, [1]]\n"
         "  - [-1, 1, Conv, [16, 3, 2]]\n  - [[-1, 0], 1, Concat, [1]]\n" MODEL_HEAD(0),
         "model.yaml:4", "different sizes", VG_ERR_FORMAT},
        {"backbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n" MODEL_HEAD(0), "nc", "class count",
         VG_ERR_FORMAT},
        {"nc: 2\nbackbone: 3\n" MODEL_HEAD(0), "model.yaml", "backbone", VG_ERR_FORMAT},
        {"nc: 2\nscales:\n  n: [1, 2]\nbackbone:\n  - [-1, 1, Conv, [16]]\n" MODEL_HEAD(0),
         "model.yaml:3", "scale \"n\"", VG_ERR_FORMAT},
        {"nc: 2\nbackbone:\n  - [-1, 1, Conv, [100, 3, 2]]\n  - [-1, 1, C2PSA, [100]]\n" MODEL_HEAD(
             1),
         "model.yaml:4", "C2PSA", VG_ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_graph *g = NULL;
        vg_error err = {0};
        vg_status st = graph_from_text(&g, cases[i].text, NULL, 0, &mem, &err);
        if (st != cases[i].status || !strstr(err.where, cases[i].where) ||
            !strstr(err.what, cases[i].what))
            fail_msg("case %zu gives %s: \"%s\" at \"%s\"", i, vg_status_name(st), err.what,
                     err.where);
        assert_null(g);
        assert_int_equal(mem.in_use_bytes, 0);
    }
}

/* Found by tests/fuzz/fuzz_model.c. */
static void sizes_that_grow_out_of_bounds_are_refused(void **state)
{
    (void)state;
    static const char wide[] = "nc: 2\nscales:\n  n: [1, 999999, 65536]\nbackbone:\n"
                               "  - [-1, 1, Conv, [65536]]\n" MODEL_HEAD(0);
    static const char deep[] = "nc: 2\nscales:\n  n: [999999, 1, 64]\nbackbone:\n"
                               "  - [-1, 64, C3k, [16]]\n" MODEL_HEAD(0);
    char strided[4096] = "nc: 2\nbackbone:\n";
    for (int i = 0; i < 40; i++)
        base_format(strided + strlen(strided), sizeof strided - strlen(strided),
                    "  - [-1, 1, Conv, [8, 3, 2]]\n");
    base_format(strided + strlen(strided), sizeof strided - strlen(strided), "%s", MODEL_HEAD(39));
    const char *const texts[] = {wide, deep, strided};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        nn_graph *g = NULL;
        vg_error err = {0};
        assert_int_equal(graph_from_text(&g, texts[i], NULL, 0, &mem, &err), VG_ERR_LIMIT);
        assert_non_null(strstr(err.where, "model.yaml:"));
        assert_int_equal(mem.in_use_bytes, 0);
    }
}

static void a_scale_that_is_not_there_is_refused(void **state)
{
    (void)state;
    nn_graph *g = NULL;
    vg_error err = {0};
    assert_int_equal(graph_from_text(&g, nn_builtin_yaml(), "z", 0, &mem, &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "\"z\""));
    assert_int_equal(nn_graph_from_name(&g, "yolo11z.yaml", 0, &mem, &err), VG_ERR_ARGUMENT);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void names_that_users_type_mean_the_built_in_models(void **state)
{
    (void)state;
    static const char *const names[] = {"yolo11s.yaml", "yolo11s", "yolov11s.yaml", "yolov11s"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        nn_graph *g = NULL;
        nn_graph_info info;
        assert_int_equal(nn_graph_from_name(&g, names[i], 7, &mem, NULL), VG_OK);
        nn_graph_get_info(g, 640, &info);
        assert_string_equal(info.name, "yolo11s");
        assert_int_equal(info.nc, 7);
        nn_graph_destroy(&g);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_scales_have_the_counts_of_the_table),
        cmocka_unit_test(layers_of_n_have_the_parameters_of_the_list),
        cmocka_unit_test(layers_have_the_widths_of_the_resolved_table),
        cmocka_unit_test(names_are_those_of_a_state_dict),
        cmocka_unit_test(a_head_is_as_wide_as_its_classes_ask),
        cmocka_unit_test(a_width_that_equals_the_class_count_is_not_scaled),
        cmocka_unit_test(every_module_may_be_a_row),
        cmocka_unit_test(wrong_rows_are_refused_with_their_line),
        cmocka_unit_test(sizes_that_grow_out_of_bounds_are_refused),
        cmocka_unit_test(a_scale_that_is_not_there_is_refused),
        cmocka_unit_test(names_that_users_type_mean_the_built_in_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
