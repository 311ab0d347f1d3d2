/* test_pt.c: a checkpoint is read back as the same weights, and its tree of modules is that of the
 * golden checkpoint, which the Python tool wrote: classes, attributes and their values. */
#include "support/ok.h"

#include <sys/stat.h>
#include <unistd.h>

#include "export/export.h"
#include "support/synthetic.h"
#include "weights/pickle.h"
#include "weights/zip.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};
static char folder[] = "/tmp/vigil-test-pt-XXXXXX", path[64];
static const char golden_path[] = TEST_GOLDEN_DIR "/yolo11n_random.pt";

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/m.pt", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder) == 0 && mem.in_use_bytes == 0 ? 0 : 1;
}

static export_pt_options options(void)
{
    return (export_pt_options){
        .data = "coco8.yaml",
        .about = {
            .date = "2026-01-02T03:04:05+00:00", .version = "1.2.3", .license = "l", .docs = "o"}};
}

static void open_golden(weights_file **w, nn_graph **g)
{
    OK(weights_open(w, golden_path, &mem, err));
    OK(nn_graph_from_weights(g, *w, &mem, err));
}

static void close_both(weights_file **w, nn_graph **g)
{
    nn_graph_destroy(g);
    weights_close(w);
}

static void check_same_tensors(const weights_file *a, const weights_file *b)
{
    assert_int_equal(weights_count(a), weights_count(b));
    for (size_t i = 0; i < weights_count(a); i++) {
        const weights_tensor *x = weights_at(a, i), *y = weights_find(b, x->name);
        assert_non_null(y);
        assert_int_equal(x->n_dims, y->n_dims);
        assert_int_equal(x->n_elements, y->n_elements);
        if (strstr(x->name, "num_batches_tracked") != NULL)
            continue;
        assert_int_equal(x->dtype, y->dtype);
        float *values;
        OK((values = base_alloc_zero(&mem, 2 * x->n_elements + 1, 4, err)) ? VG_OK : VG_ERR_MEMORY);
        weights_to_float(values, x);
        weights_to_float(values + x->n_elements, y);
        assert_memory_equal(values, values + x->n_elements, x->n_elements * 4);
        base_free(values);
    }
}

static void what_was_written_is_read_as_the_same(void **state)
{
    (void)state;
    weights_file *w, *again;
    nn_graph *g;
    const export_pt_options o = options();
    open_golden(&w, &g);
    OK(export_pt(path, g, w, &o, &mem, err));
    OK(weights_open(&again, path, &mem, err));
    check_same_tensors(w, again);
    const weights_meta *a = weights_get_meta(w), *b = weights_get_meta(again);
    assert_string_equal(b->source, "pt");
    assert_string_equal(b->chosen, "model");
    assert_string_equal(b->scale, "n");
    assert_string_equal(b->date, "2026-01-02T03:04:05+00:00");
    assert_string_equal(b->version, "1.2.3");
    assert_int_equal(b->epoch, -1);
    assert_int_equal(b->imgsz.h, 320);
    assert_int_equal(b->n_unknown_classes, 0);
    assert_int_equal(b->n_classes, a->n_classes);
    for (int i = 0; i < a->n_classes; i++)
        assert_string_equal(a->names[i], b->names[i]);
    assert_int_equal(b->n_strides, 3);
    assert_true(b->strides[0] == 8 && b->strides[2] == 32);
    nn_graph *other = NULL;
    OK(nn_graph_from_weights(&other, again, &mem, err)); /* by the YAML within */
    nn_graph_destroy(&other);
    weights_close(&again);
    close_both(&w, &g);
}

/* ---- the tree of modules ---- */

typedef struct pickled {
    base_map map;
    zip_contents zip;
    arena values;
    pickle_graph graph;
} pickled;

static void open_pickle(pickled *p, const char *from)
{
    const zip_entry *data = NULL;
    *p = (pickled){0};
    OK(base_map_open(&p->map, from, err));
    OK(zip_read(&p->zip, p->map.bytes, p->map.n_bytes, from, &mem, err));
    for (size_t i = 0; i < p->zip.n_entries; i++)
        if (p->zip.entries[i].n_name > 9 &&
            memcmp(p->zip.entries[i].name + p->zip.entries[i].n_name - 9, "/data.pkl", 9) == 0)
            data = &p->zip.entries[i];
    assert_non_null(data);
    arena_init(&p->values, (size_t)256 << 10, PICKLE_MOST_ARENA_BYTES, "values", &mem);
    OK(pickle_read(&p->graph, data->data, data->n_bytes, from, &p->values, &mem, err));
}

static void close_pickle(pickled *p)
{
    arena_fini(&p->values);
    zip_fini(&p->zip);
    base_map_close(&p->map);
}

static bool is_tensor(const pickle_node *n)
{
    const pickle_node *type = pickle_type(n);
    return type != NULL && (pickle_is_class(type, "torch._utils", "_rebuild_tensor_v2") ||
                            pickle_is_class(type, "torch._utils", "_rebuild_parameter"));
}

static const pickle_node *entry(const pickle_node *dict, const pickle_node *key)
{
    for (const pickle_cell *c = dict->as.items.first; c != NULL; c = c->next)
        if (c->key->kind == key->kind &&
            (key->kind == PICKLE_INT
                 ? c->key->as.i == key->as.i
                 : c->key->as.text.n == key->as.text.n &&
                       memcmp(c->key->as.text.bytes, key->as.text.bytes, key->as.text.n) == 0))
            return c->value;
    return NULL;
}

/* Facts that are the file's own: args, and the YAML's shape of lists. */
static bool is_free(const char *at)
{
    return strcmp(at, ".args") == 0 || strcmp(at, ".yaml") == 0;
}

static void check_same(const char *at, const pickle_node *want, const pickle_node *got)
{
    char below[300];
    if (got == NULL || want->kind != got->kind)
        fail_msg("%s is %s, not %s", at, got == NULL ? "missing" : pickle_kind_name(got->kind),
                 pickle_kind_name(want->kind));
    if (is_tensor(want)) {
        assert_true(is_tensor(got));
        return;
    }
    switch (want->kind) {
    case PICKLE_BOOL:
    case PICKLE_INT:
        if (want->as.i != got->as.i)
            fail_msg("%s is %lld, not %lld", at, (long long)got->as.i, (long long)want->as.i);
        break;
    case PICKLE_REAL:
        assert_true(want->as.real == got->as.real);
        break;
    case PICKLE_TEXT:
        if (want->as.text.n != got->as.text.n ||
            memcmp(want->as.text.bytes, got->as.text.bytes, want->as.text.n) != 0)
            fail_msg("%s is \"%.*s\"", at, (int)got->as.text.n, got->as.text.bytes);
        break;
    case PICKLE_LIST:
    case PICKLE_TUPLE: {
        if (want->as.items.n != got->as.items.n)
            fail_msg("%s has %zu items, not %zu", at, got->as.items.n, want->as.items.n);
        const pickle_cell *b = got->as.items.first;
        for (const pickle_cell *a = want->as.items.first; a != NULL; a = a->next, b = b->next)
            check_same(at, a->value, b->value);
        break;
    }
    case PICKLE_DICT:
        for (const pickle_cell *a = want->as.items.first; a != NULL; a = a->next) {
            if (a->key->kind == PICKLE_TEXT)
                snprintf(below, sizeof below, "%s.%.*s", at, (int)a->key->as.text.n,
                         a->key->as.text.bytes);
            else
                snprintf(below, sizeof below, "%s.%lld", at, (long long)a->key->as.i);
            if (!is_free(below))
                check_same(below, a->value, entry(got, a->key));
        }
        break;
    case PICKLE_OBJECT: {
        char a[128], b[128];
        pickle_format_class(a, sizeof a, pickle_type(want));
        pickle_format_class(b, sizeof b, pickle_type(got));
        if (strcmp(a, b) != 0)
            fail_msg("%s is a %s, not a %s", at, b, a);
        if (want->as.object.state != NULL) {
            assert_non_null(got->as.object.state);
            check_same(at, want->as.object.state, got->as.object.state);
        }
        break;
    }
    default:
        break;
    }
}

static void the_tree_of_modules_is_the_python_tools(void **state)
{
    (void)state;
    weights_file *w;
    nn_graph *g;
    pickled want, got;
    const export_pt_options o = options();
    open_golden(&w, &g);
    OK(export_pt(path, g, w, &o, &mem, err));
    open_pickle(&want, golden_path);
    open_pickle(&got, path);
    check_same("", pickle_get(want.graph.root, "model"), pickle_get(got.graph.root, "model"));
    close_pickle(&got);
    close_pickle(&want);
    close_both(&w, &g);
}

/* ---- precision, other models, faults ---- */

static void half_is_asked_for(void **state)
{
    (void)state;
    nn_graph *g = NULL;
    synthetic_weights s;
    weights_file *again;
    struct stat whole, half;
    export_pt_options o = options();
    OK(synthetic_graph(&g, "n", 3, &mem, err));
    OK(synthetic_make(&s, g, 0, 8, &mem, err));
    OK(export_pt(path, g, s.weights, &o, &mem, err));
    assert_int_equal(stat(path, &whole), 0);
    OK(weights_open(&again, path, &mem, err));
    assert_int_equal(weights_find(again, "model.0.conv.weight")->dtype, WEIGHTS_F32);
    weights_close(&again);
    o.half = true;
    OK(export_pt(path, g, s.weights, &o, &mem, err));
    assert_int_equal(stat(path, &half), 0);
    assert_true(half.st_size < whole.st_size * 6 / 10);
    OK(weights_open(&again, path, &mem, err));
    assert_int_equal(weights_find(again, "model.0.conv.weight")->dtype, WEIGHTS_F16);
    weights_close(&again);
    synthetic_close(&s);
    nn_graph_destroy(&g);
}

static void every_built_in_model_can_be_written(void **state)
{
    (void)state;
    static const char *const names[] = {"yolo11s.yaml",     "yolov8n.yaml",     "yolov8n-p2.yaml",
                                        "yolov5n.yaml",     "yolo11n-seg.yaml", "yolo11n-pose.yaml",
                                        "yolo11n-obb.yaml", "yolo11n-cls.yaml"};
    const export_pt_options o = options();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        nn_graph *g = NULL, *other = NULL;
        synthetic_weights s;
        weights_file *again;
        OK(nn_graph_from_name(&g, names[i], 4, &mem, err));
        OK(synthetic_make(&s, g, 0, 8, &mem, err));
        OK(export_pt(path, g, s.weights, &o, &mem, err));
        OK(weights_open(&again, path, &mem, err));
        OK(nn_graph_from_weights(&other, again, &mem, err));
        assert_int_equal(nn_graph_n_params(other), nn_graph_n_params(g));
        nn_graph_info info, its;
        nn_graph_get_info(g, 640, &info);
        nn_graph_get_info(other, 640, &its);
        assert_int_equal(its.task, info.task);
        for (size_t k = 0; k < nn_graph_n_params(g); k++)
            assert_non_null(weights_find(again, nn_graph_param(g, k)->key));
        double eps;
        for (size_t k = 0; k < nn_graph_n_ops(g); k++) { /* a classifier's is another */
            const nn_op *op = nn_graph_op(g, k);
            char key[NN_KEY_BYTES];
            if (op->kind != NN_CONV || !op->conv.bn)
                continue;
            base_format(key, sizeof key, "%s.bn", op->key);
            if (!weights_bn_eps(again, key, &eps))
                fail_msg("no eps of %s in %s", key, names[i]);
            assert_true(eps == op->conv.eps && nn_graph_op(other, k)->conv.eps == eps);
        }
        /* safetensors keep it */
        weights_file *converted;
        OK(weights_convert(again, "converted.safetensors", &mem, err));
        OK(weights_open(&converted, "converted.safetensors", &mem, err));
        double kept;
        assert_true(weights_bn_eps(converted, "model.0.bn", &kept) && kept == eps);
        weights_close(&converted);
        weights_close(&again);
        synthetic_close(&s);
        nn_graph_destroy(&other);
        nn_graph_destroy(&g);
    }
}

static void what_fails_leaves_the_old_file(void **state)
{
    (void)state;
    weights_file *w;
    nn_graph *g;
    vg_error why;
    struct stat before, after;
    const export_pt_options o = options();
    open_golden(&w, &g);
    OK(export_pt(path, g, w, &o, &mem, err));
    assert_int_equal(stat(path, &before), 0);
    for (int64_t i = 1;; i++) {
        mem.fail_in = i;
        const vg_status st = export_pt(path, g, w, &o, &mem, &why);
        const bool struck = mem.fail_in == 0;
        mem.fail_in = 0;
        assert_int_equal(st, struck ? VG_ERR_MEMORY : VG_OK);
        if (!struck)
            break;
        assert_int_equal(stat(path, &after), 0);
        assert_true(before.st_ino == after.st_ino);
    }
    nn_graph *other = NULL;
    OK(synthetic_graph(&other, "s", 80, &mem, err));
    assert_int_equal(export_pt(path, other, w, &o, &mem, &why), VG_ERR_FORMAT);
    assert_non_null(strstr(why.where, "model.0"));
    nn_graph_destroy(&other);
    close_both(&w, &g);
}

static void the_plan_is_what_is_taken(void **state)
{
    (void)state;
    weights_file *w;
    nn_graph *g;
    base_mem own = {.tag = "own", .limit_bytes = SIZE_MAX};
    const export_pt_options o = options();
    open_golden(&w, &g);
    OK(export_pt(path, g, w, &o, &own, err));
    assert_true(own.peak_bytes <= export_pt_need(g, w));
    assert_int_equal(own.in_use_bytes, 0);
    close_both(&w, &g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_as_the_same),
        cmocka_unit_test(the_tree_of_modules_is_the_python_tools),
        cmocka_unit_test(half_is_asked_for),
        cmocka_unit_test(every_built_in_model_can_be_written),
        cmocka_unit_test(what_fails_leaves_the_old_file),
        cmocka_unit_test(the_plan_is_what_is_taken),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
