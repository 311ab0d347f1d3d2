/* test_onnx.c: files are read back and executed, and what comes out is what the engine computes. */
#include "export/onnx_run.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/detect.h"
#include "export/export.h"
#include "support/ok.h"
#include "support/synthetic.h"

enum { SIDE = 64, NC = 5, N = 2, LEAST = 40 };

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};
static char folder[] = "/tmp/vigil-test-onnx-XXXXXX", path[64];
static nn_graph *graph;
static synthetic_weights weights;
static const char *model = "n"; /* that the two are of */

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/m.onnx", folder);
    OK(synthetic_graph(&graph, "n", NC, &mem, err));
    OK(synthetic_make(&weights, graph, 0, 8, &mem, err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    synthetic_close(&weights);
    nn_graph_destroy(&graph);
    unlink(path);
    return rmdir(folder) == 0 && mem.in_use_bytes == 0 ? 0 : 1;
}

static export_onnx_options options(void)
{
    return (export_onnx_options){.opset = EXPORT_OPSET,
                                 .batch = N,
                                 .imgsz = {SIDE, SIDE},
                                 .conf = 0.25f,
                                 .iou = 0.7f,
                                 .max_det = 20,
                                 .about = {.description = "d",
                                           .author = "a",
                                           .date = "2026-01-02T03:04:05+00:00",
                                           .version = "1.2.3",
                                           .license = "l",
                                           .docs = "o"}};
}

/* ---- what the engine says ---- */

typedef struct truth {
    float *images;  /* (N, 3, h, w) */
    float *decoded; /* (N, 4 + NC, n_cells) */
    size_t n_cells;
} truth;

static float pixel(int n, int c, int y, int x)
{
    return 0.5f + 0.45f * sinf((float)(n + 1) * 0.3f * (float)x + 0.2f * (float)y + (float)c);
}

static void make_truth(truth *t, int h, int w)
{
    nn_accounts accounts = {&mem, &mem, &mem, &mem};
    nn_engine *engine = NULL;
    nn_plan *plan = NULL;
    nn_graph *own = NULL;
    detect_level levels[NN_MAX_LEVELS];
    float *input;
    const size_t plane = (size_t)h * (size_t)w;
    OK(synthetic_graph(&own, model, NC, &mem, err));
    OK(nn_engine_create(&engine, own, weights.weights, &(nn_engine_options){.threads = 1},
                        &accounts, err));
    OK(nn_engine_plan(engine, &plan, N, h, w, &accounts, err));
    OK((input = base_alloc_zero(&mem, N * 3 * plane, 4, err)) ? VG_OK : VG_ERR_MEMORY);
    OK((t->images = base_alloc_zero(&mem, N * 3 * plane, 4, err)) ? VG_OK : VG_ERR_MEMORY);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++) {
                    const size_t at = (size_t)(y * w + x);
                    t->images[(size_t)(n * 3 + c) * plane + at] = pixel(n, c, y, x);
                    input[((size_t)n * plane + at) * 3 + (size_t)c] = pixel(n, c, y, x);
                }
    OK(nn_engine_run(engine, plan, input, err));
    const int n_levels = nn_plan_levels(plan, levels);
    t->n_cells = detect_n_anchors(levels, n_levels);
    const size_t each = (4 + NC) * t->n_cells;
    OK((t->decoded = base_alloc_zero(&mem, N * each, 4, err)) ? VG_OK : VG_ERR_MEMORY);
    for (int n = 0; n < N; n++)
        detect_decode_all(t->decoded + (size_t)n * each, levels, n_levels, NC, n);
    nn_engine_destroy(&engine);
    base_free(input);
}

static void free_truth(truth *t)
{
    base_free(t->images);
    base_free(t->decoded);
}

/* The largest difference, relative where values are above 1. */
static double difference(const float *got, const float *want, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)got[i] - (double)want[i]) / fmax(1, fabs((double)want[i]));
        most = d > most || isnan(d) ? d : most;
    }
    return most;
}

static void check_raw(const export_onnx_options *o, int h, int w, double allowed)
{
    static onnx_file f;
    onnx_run r;
    truth t;
    OK(export_onnx(path, graph, weights.weights, o, &mem, err));
    make_truth(&t, h, w);
    onnx_file_open(&f, path);
    const run_tensor *out = onnx_run_file(&r, &f, t.images, N, h, w);
    assert_int_equal(out->n_dims, 3);
    assert_int_equal(out->dims[0], N);
    assert_int_equal(out->dims[1], 4 + NC);
    assert_int_equal(out->dims[2], t.n_cells);
    const double d = difference(out->f, t.decoded, out->n);
    if (!(d <= allowed))
        fail_msg("opset %d: differs by %g", o->opset, d);
    onnx_run_end(&r);
    onnx_file_close(&f);
    free_truth(&t);
}

static void the_file_computes_what_the_engine_does(void **state)
{
    (void)state;
    export_onnx_options o = options();
    check_raw(&o, SIDE, SIDE, 1e-4);
}

static void old_and_new_opsets_compute_the_same(void **state)
{
    (void)state;
    export_onnx_options o = options();
    for (o.opset = EXPORT_LEAST_OPSET; o.opset <= EXPORT_MOST_OPSET; o.opset += 3)
        check_raw(&o, SIDE, SIDE, 1e-4);
}

/* Even kernels, C2f, C3, the plain class branch, four levels. */
static void the_other_families_are_computed_too(void **state)
{
    (void)state;
    static const char *const names[] = {"yolov8n", "yolov8n-p2", "yolov5n"};
    const export_onnx_options o = options();
    nn_graph *kept_graph = graph;
    const synthetic_weights kept = weights;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        model = names[i];
        OK(synthetic_graph(&graph, model, NC, &mem, err));
        OK(synthetic_make(&weights, graph, 0, 8, &mem, err));
        check_raw(&o, SIDE, SIDE, 1e-4);
        synthetic_close(&weights);
        nn_graph_destroy(&graph);
    }
    model = "n";
    graph = kept_graph;
    weights = kept;
}

static void a_dynamic_file_takes_other_shapes(void **state)
{
    (void)state;
    export_onnx_options o = options();
    o.dynamic = true;
    o.batch = 1;
    check_raw(&o, SIDE, SIDE, 1e-4);
    check_raw(&o, 32, 96, 1e-4);
}

/* 16 bits of the generator's weights move boxes by some pixels: the graph is what is tested. */
static void half_is_the_same_network_of_rounded_weights(void **state)
{
    (void)state;
    static onnx_file f;
    export_onnx_options o = options();
    o.half = true;
    check_raw(&o, SIDE, SIDE, 4);
    onnx_file_open(&f, path);
    assert_int_equal(onnx_file_tensor(&f, "model.0.conv.weight")->data_type, 10);
    assert_int_equal(onnx_file_tensor(&f, "cells")->data_type, 1);
    assert_int_equal(f.input->type->tensor_type->elem_type, 1);
    assert_int_equal(f.output->type->tensor_type->elem_type, 1);
    assert_int_equal(onnx_file_count(&f, "Cast"), 3);
    onnx_file_close(&f);
}

/* ---- suppression ---- */

static void check_nms(const export_onnx_options *o, int h, int w)
{
    static onnx_file f;
    vg_detection rows[LEAST];
    detect_nms *nms = NULL;
    detect_nms_options want = DETECT_NMS_PREDICT;
    onnx_run r;
    truth t;
    size_t n_boxes = 0;
    want.conf = o->conf;
    want.iou = o->iou;
    want.max_det = o->max_det;
    want.agnostic = o->agnostic;
    OK(export_onnx(path, graph, weights.weights, o, &mem, err));
    make_truth(&t, h, w);
    OK(detect_nms_create(&nms, t.n_cells, o->max_det, &mem, err));
    onnx_file_open(&f, path);
    const run_tensor *out = onnx_run_file(&r, &f, t.images, N, h, w);
    assert_int_equal(out->dims[0], N);
    assert_int_equal(out->dims[1], o->max_det);
    assert_int_equal(out->dims[2], 6);
    for (int n = 0; n < N; n++) {
        const size_t n_rows = detect_nms_run(
            nms, rows, NULL, t.decoded + (size_t)n * (4 + NC) * t.n_cells, NC, t.n_cells, &want);
        n_boxes += n_rows;
        for (int k = 0; k < o->max_det; k++) {
            const float *got = out->f + (n * o->max_det + k) * 6;
            const float none[6] = {0}, *right = none;
            float row[6];
            if ((size_t)k < n_rows) {
                memcpy(row, &rows[k], 5 * sizeof *row);
                row[5] = (float)rows[k].class_index;
                right = row;
            }
            assert_true(difference(got, right, 6) <= 1e-4);
        }
    }
    assert_true(n_boxes > 4);
    onnx_run_end(&r);
    onnx_file_close(&f);
    detect_nms_destroy(&nms);
    free_truth(&t);
}

static void boxes_after_suppression_are_predicts(void **state)
{
    (void)state;
    export_onnx_options o = options();
    o.nms = true;
    o.conf = 0.03f;
    check_nms(&o, SIDE, SIDE);
    o.iou = 0.3f;
    o.conf = 0.01f;
    o.opset = 18; /* ReduceMax has its axes as an input */
    check_nms(&o, SIDE, SIDE);
    o.agnostic = true;
    check_nms(&o, SIDE, SIDE);
}

/* 32 x 32 has 21 cells: rows of nothing come behind them. */
static void there_are_always_as_many_rows(void **state)
{
    (void)state;
    export_onnx_options o = options();
    o.nms = true;
    o.max_det = LEAST;
    o.imgsz = (base_size){32, 32};
    o.conf = 0.01f;
    check_nms(&o, 32, 32);
    o.dynamic = true;
    check_nms(&o, 32, 32);
    check_nms(&o, 32, SIDE);
}

/* ---- what the file says ---- */

static void check_dimension(const Vigil__Onnx__ValueInfoProto *v, size_t d, const char *name,
                            int64_t value)
{
    const Vigil__Onnx__TensorShapeProto__Dimension *dim = v->type->tensor_type->shape->dim[d];
    if (name != NULL) {
        assert_string_equal(dim->dim_param, name);
        assert_false(dim->has_dim_value);
    } else {
        assert_int_equal(dim->dim_value, value);
    }
}

static void the_file_says_what_it_is(void **state)
{
    (void)state;
    static onnx_file f;
    export_onnx_options o = options();
    o.imgsz = (base_size){32, 96};
    OK(export_onnx(path, graph, weights.weights, &o, &mem, err));
    onnx_file_open(&f, path);
    static const char *const pairs[][2] = {
        {"description", "d"},
        {"author", "a"},
        {"date", "2026-01-02T03:04:05+00:00"},
        {"version", "1.2.3"},
        {"license", "l"},
        {"docs", "o"},
        {"stride", "32"},
        {"task", "detect"},
        {"batch", "2"},
        {"imgsz", "[32, 96]"},
        {"names", "{0: 'class0', 1: 'class1', 2: 'class2', 3: 'class3', 4: 'class4'}"},
        {"args", "{'batch': 2, 'half': False, 'dynamic': False, 'simplify': False, 'opset': 17, "
                 "'nms': False}"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_string_equal(onnx_file_meta(&f, pairs[i][0]), pairs[i][1]);
    assert_int_equal(f.ir_version, 8);
    assert_int_equal(f.opset, 17);
    assert_string_equal(f.input->name, "images");
    assert_string_equal(f.output->name, "output0");
    check_dimension(f.input, 0, NULL, 2);
    check_dimension(f.input, 2, NULL, 32);
    check_dimension(f.input, 3, NULL, 96);
    check_dimension(f.output, 1, NULL, 4 + NC);
    check_dimension(f.output, 2, NULL, 4 * 12 + 2 * 6 + 1 * 3);
    assert_int_equal(onnx_file_count(&f, "Conv"), 88);
    assert_int_equal(onnx_file_count(&f, "BatchNormalization"), 0);
    onnx_file_close(&f);

    o.dynamic = true;
    OK(export_onnx(path, graph, weights.weights, &o, &mem, err));
    onnx_file_open(&f, path);
    check_dimension(f.input, 0, "batch", 0);
    check_dimension(f.input, 1, NULL, 3);
    check_dimension(f.input, 2, "height", 0);
    check_dimension(f.input, 3, "width", 0);
    check_dimension(f.output, 2, "anchors", 0);
    onnx_file_close(&f);
}

static void the_same_twice_is_the_same_file(void **state)
{
    (void)state;
    export_onnx_options o = options();
    base_map map;
    uint64_t sums[2];
    for (int i = 0; i < 2; i++) {
        OK(export_onnx(path, graph, weights.weights, &o, &mem, err));
        OK(base_map_open(&map, path, err));
        sums[i] = base_hash(BASE_HASH_START, map.bytes, map.n_bytes);
        base_map_close(&map);
    }
    assert_true(sums[0] == sums[1]);
}

/* ---- faults ---- */

static void what_fails_leaves_the_old_file(void **state)
{
    (void)state;
    export_onnx_options o = options();
    vg_error why;
    struct stat before, after;
    OK(export_onnx(path, graph, weights.weights, &o, &mem, err));
    assert_int_equal(stat(path, &before), 0);
    for (int64_t i = 1;; i++) { /* the i-th allocation fails, until none does */
        mem.fail_in = i;
        const vg_status st = export_onnx(path, graph, weights.weights, &o, &mem, &why);
        const bool struck = mem.fail_in == 0;
        mem.fail_in = 0;
        assert_int_equal(st, struck ? VG_ERR_MEMORY : VG_OK);
        if (!struck)
            break;
        assert_int_equal(stat(path, &after), 0);
        assert_true(before.st_ino == after.st_ino);
    }
    assert_int_equal(export_onnx("/dev/null/m.onnx", graph, weights.weights, &o, &mem, &why),
                     VG_ERR_IO);
}

/* Another class count: the head's tensors do not fit. */
static void weights_that_do_not_fit_are_named(void **state)
{
    (void)state;
    export_onnx_options o = options();
    nn_graph *other = NULL;
    vg_error why;
    unlink(path);
    OK(synthetic_graph(&other, "n", NC + 1, &mem, err));
    assert_int_equal(export_onnx(path, other, weights.weights, &o, &mem, &why), VG_ERR_FORMAT);
    assert_non_null(strstr(why.where, "model.23"));
    assert_false(base_path_exists(path));
    nn_graph_destroy(&other);
    OK(export_onnx(path, graph, weights.weights, &o, &mem, err));
}

static void the_plan_is_what_is_taken(void **state)
{
    (void)state;
    export_onnx_options o = options();
    base_mem own = {.tag = "own", .limit_bytes = SIZE_MAX};
    OK(export_onnx(path, graph, weights.weights, &o, &own, err));
    assert_true(own.peak_bytes <= export_onnx_need(graph, weights.weights));
    assert_int_equal(own.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_computes_what_the_engine_does),
        cmocka_unit_test(old_and_new_opsets_compute_the_same),
        cmocka_unit_test(a_dynamic_file_takes_other_shapes),
        cmocka_unit_test(the_other_families_are_computed_too),
        cmocka_unit_test(half_is_the_same_network_of_rounded_weights),
        cmocka_unit_test(boxes_after_suppression_are_predicts),
        cmocka_unit_test(there_are_always_as_many_rows),
        cmocka_unit_test(the_file_says_what_it_is),
        cmocka_unit_test(the_same_twice_is_the_same_file),
        cmocka_unit_test(what_fails_leaves_the_old_file),
        cmocka_unit_test(weights_that_do_not_fit_are_named),
        cmocka_unit_test(the_plan_is_what_is_taken),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
