/* YAML: scalars by the core rules, faults with their line, and no bomb goes off. */
#include "tree_support.h"

#include <math.h>

static tree_reader *const yaml = base_tree_from_yaml;

static void a_dataset_file_is_read_as_written(void **state)
{
    (void)state;
    base_tree *t = tree_from(yaml, "# cells\n"
                                   "path: ../bccd\n"
                                   "nc: 3\n"
                                   "names:\n"
                                   "  0: RBC\n"
                                   "  1: 'WBC'\n"
                                   "  2: \"Plate\\tlets\"\n"
                                   "backbone:\n"
                                   "  - [-1, 1, Conv, [64, 3, 2]] # 0\n"
                                   "  - [[-1, 6], 1, Concat, [1]]\n");
    const base_node *root = base_tree_root(t);
    assert_int_equal(root->kind, BASE_NODE_MAP);
    assert_int_equal(root->line, 2);
    assert_string_equal(base_node_get(root, "path")->text, "../bccd");
    assert_int_equal(base_node_get(root, "nc")->i, 3);
    assert_true(base_node_get(root, "nc")->real == 3);
    assert_string_equal(base_node_get(root, "nc")->text, "3");
    const base_node *names = base_node_get(root, "names");
    assert_int_equal(names->n_children, 3);
    assert_string_equal(base_node_get(names, "1")->text, "WBC");
    assert_int_equal(base_node_get(names, "1")->line, 6);
    assert_string_equal(base_node_get(names, "2")->text, "Plate\tlets");
    const base_node *layer = base_node_at(base_node_get(root, "backbone"), 1);
    assert_int_equal(layer->line, 10);
    assert_int_equal(layer->n_children, 4);
    assert_int_equal(base_node_at(base_node_at(layer, 0), 1)->i, 6);
    assert_null(base_node_at(layer, 0)->key);
    base_tree_destroy(&t);
    assert_int_equal(tree_mem.in_use_bytes, 0);
}

static void plain_scalars_follow_the_core_rules(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        base_node_kind kind;
        double value;
    } cases[] = {
        {"~", BASE_NODE_NULL, 0},
        {"null", BASE_NODE_NULL, 0},
        {"NULL", BASE_NODE_NULL, 0},
        {"nUll", BASE_NODE_TEXT, 0},
        {"true", BASE_NODE_BOOL, 1},
        {"Yes", BASE_NODE_BOOL, 1},
        {"on", BASE_NODE_BOOL, 1},
        {"False", BASE_NODE_BOOL, 0},
        {"no", BASE_NODE_BOOL, 0},
        {"OFF", BASE_NODE_BOOL, 0},
        {"y", BASE_NODE_TEXT, 0},
        {"0", BASE_NODE_INT, 0},
        {"-12", BASE_NODE_INT, -12},
        {"+3", BASE_NODE_INT, 3},
        {"0x1F", BASE_NODE_INT, 31},
        {"0o17", BASE_NODE_INT, 15},
        {"017", BASE_NODE_INT, 15},
        {"1_000", BASE_NODE_INT, 1000},
        {"08", BASE_NODE_TEXT, 0},
        {"_1", BASE_NODE_TEXT, 0},
        {"0x", BASE_NODE_TEXT, 0},
        {"0xg", BASE_NODE_TEXT, 0},
        {"9223372036854775807", BASE_NODE_INT, 9223372036854775807.0},
        {"9223372036854775808", BASE_NODE_REAL, 9223372036854775808.0},
        {"0.5", BASE_NODE_REAL, 0.5},
        {".5", BASE_NODE_REAL, 0.5},
        {"5.", BASE_NODE_REAL, 5},
        {"1e-3", BASE_NODE_REAL, 1e-3},
        {"-1.5E+2", BASE_NODE_REAL, -150},
        {"0e1", BASE_NODE_REAL, 0},
        {".inf", BASE_NODE_REAL, INFINITY},
        {"-.Inf", BASE_NODE_REAL, -INFINITY},
        {"1e", BASE_NODE_TEXT, 0},
        {".", BASE_NODE_TEXT, 0},
        {"1.2.3", BASE_NODE_TEXT, 0},
        {"1:30", BASE_NODE_TEXT, 0},
        {"inf", BASE_NODE_TEXT, 0},
        {"nan", BASE_NODE_TEXT, 0},
        {"1e999", BASE_NODE_TEXT, 0},
        {"yolo11n.pt", BASE_NODE_TEXT, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        snprintf(text, sizeof text, "[%s]", cases[i].text);
        base_tree *t = tree_from(yaml, text);
        const base_node *node = base_node_at(base_tree_root(t), 0);
        if (node->kind != cases[i].kind)
            fail_msg("%s is %s", text, base_node_kind_name(node->kind));
        assert_string_equal(node->text, cases[i].text);
        if (node->kind == BASE_NODE_INT || node->kind == BASE_NODE_REAL)
            assert_true(node->real == cases[i].value);
        if (node->kind == BASE_NODE_INT)
            assert_true(node->i == (int64_t)cases[i].value || node->i == INT64_MAX);
        if (node->kind == BASE_NODE_BOOL)
            assert_int_equal(node->i, cases[i].value);
        base_tree_destroy(&t);
    }
    base_tree *t = tree_from(yaml, "[.nan]");
    assert_true(isnan(base_node_at(base_tree_root(t), 0)->real));
    base_tree_destroy(&t);
}

static void quotes_and_tags_make_texts(void **state)
{
    (void)state;
    base_tree *t = tree_from(yaml, "['1', \"true\", !!str 3, ! 4, !!int 5]\n");
    const base_node *root = base_tree_root(t);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(base_node_at(root, i)->kind, BASE_NODE_TEXT);
    assert_string_equal(base_node_at(root, 2)->text, "3");
    assert_int_equal(base_node_at(root, 4)->kind, BASE_NODE_INT);
    base_tree_destroy(&t);
    t = tree_from(yaml, "a: |\n  12\nb: >\n  x\n  y\nc:\n");
    root = base_tree_root(t);
    assert_int_equal(base_node_get(root, "a")->kind, BASE_NODE_TEXT);
    assert_string_equal(base_node_get(root, "a")->text, "12\n");
    assert_string_equal(base_node_get(root, "b")->text, "x y\n");
    assert_int_equal(base_node_get(root, "c")->kind, BASE_NODE_NULL);
    base_tree_destroy(&t);
}

static void an_empty_file_is_null(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# only a comment\n", "---\n"};
    for (size_t i = 0; i < 3; i++) {
        base_tree *t = tree_from(yaml, texts[i]);
        assert_int_equal(base_tree_root(t)->kind, BASE_NODE_NULL);
        base_tree_destroy(&t);
    }
}

static void faults_name_their_line(void **state)
{
    (void)state;
    tree_refused(yaml, "a: 1\nb: [1, 2\n", VG_ERR_FORMAT, "test:3", "did not find");
    tree_refused(yaml, "a: 1\nb:\n\tc: 2\n", VG_ERR_FORMAT, "test:3", "cannot start any token");
    tree_refused(yaml, "a: 1\n\tb: 2\n", VG_ERR_FORMAT, "test:2", "tab");
    tree_refused(yaml, "a: 1\nb: \xff\n", VG_ERR_FORMAT, "test:2", "UTF-8");
    tree_refused(yaml, "a: 1\n---\nb: 2\n", VG_ERR_FORMAT, "test:2", "second document");
    tree_refused(yaml, "a: 1\n? [b]\n: 2\n", VG_ERR_FORMAT, "test:2", "a list as a key");
    tree_refused(yaml, "a: 1\n? {b: 1}\n: 2\n", VG_ERR_FORMAT, "test:2", "a map as a key");
    tree_refused(yaml, "a: &x 1\n*x : 2\n", VG_ERR_FORMAT, "test:2", "as a key");
    tree_refused(yaml, "a: 1\n&x b: 2\n", VG_ERR_FORMAT, "test:2", "an anchor on a key");
    tree_refused(yaml, "a: &x {b: 1}\nc:\n  <<: *x\n", VG_ERR_FORMAT, "test:3", "merge key");
    tree_refused(yaml, "a:\n  !!python/object:os.system x\n", VG_ERR_FORMAT, "test:2", "tag");
    tree_refused(yaml, "a:\n  !mine [x]\n", VG_ERR_FORMAT, "test:2", "tag");
    tree_refused(yaml, "a:\n  \"x\\0y\"\n", VG_ERR_FORMAT, "test:2", "zero byte");
    tree_refused(yaml, "a:\n  *nobody\n", VG_ERR_FORMAT, "test:2", "without its anchor");
    tree_refused(yaml, "a: &x\n  - *x\n", VG_ERR_FORMAT, "test:2", "inside its own anchor");
}

static void duplicate_keys_are_refused_in_small_and_large_maps(void **state)
{
    (void)state;
    tree_refused(yaml, "a: 1\nb: 2\na: 3\n", VG_ERR_FORMAT, "test:3",
                 "key \"a\" again, first given in line 1");
    tree_refused(yaml, "x: {1: a,\n 1: b}\n", VG_ERR_FORMAT, "test:2", "key \"1\" again");
    static char text[4096];
    size_t n = 0;
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "k%d: 0\n", i);
    base_tree *t = tree_from(yaml, text);
    assert_int_equal(base_tree_root(t)->n_children, 100);
    base_tree_destroy(&t);
    snprintf(text + n, sizeof text - n, "k57: 1\n");
    tree_refused(yaml, text, VG_ERR_FORMAT, "test:101",
                 "key \"k57\" again, first given in line 58");
}

static void a_hundred_thousand_keys_are_compared_quickly(void **state)
{
    (void)state;
    enum { N = 100000 };
    base_mem mem = {.tag = "text"};
    base_str s = {0};
    for (int i = 0; i < N; i++)
        assert_int_equal(base_str_add(&s, SIZE_MAX, &mem, NULL, "key%d: 0\n", i), VG_OK);
    int64_t before = base_thread_cpu_ns();
    base_tree *t = tree_from(yaml, s.text);
    assert_true(base_thread_cpu_ns() - before < INT64_C(6000000000)); /* all pairs: far more */
    assert_int_equal(base_tree_root(t)->n_children, N);
    base_tree_destroy(&t);
    base_str_fini(&s);
}

static void aliases_copy_what_was_anchored(void **state)
{
    (void)state;
    base_tree *t = tree_from(yaml, "a: &x {b: [1, 2]}\nc: *x\nd: &x 5\ne: [*x, *x]\n");
    const base_node *root = base_tree_root(t);
    const base_node *c = base_node_get(root, "c");
    assert_int_equal(c->kind, BASE_NODE_MAP);
    assert_string_equal(c->key, "c");
    assert_int_equal(c->line, 2);
    assert_int_equal(base_node_at(base_node_get(c, "b"), 1)->i, 2);
    assert_int_equal(base_node_get(base_node_get(root, "a"), "b")->n_children, 2);
    assert_int_equal(base_node_at(base_node_get(root, "e"), 1)->i, 5);
    assert_null(base_node_at(base_node_get(root, "e"), 1)->key);
    assert_int_equal(root->n_children, 4);
    base_tree_destroy(&t);
}

static void alias_bombs_end_at_the_bounds(void **state)
{
    (void)state;
    static char text[1 << 16];
    size_t n = (size_t)snprintf(text, sizeof text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "*a%d,", i - 1);
        n += (size_t)snprintf(text + n, sizeof text - n, "]\n");
    }
    tree_refused(yaml, text, VG_ERR_LIMIT, "test:", "1000000 values");
    /* Each alias one deeper than the last. */
    n = (size_t)snprintf(text, sizeof text, "a0: &a0 [x]\n");
    for (int i = 1; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    tree_refused(yaml, text, VG_ERR_LIMIT, "test:64", "64 deep");
    n = 0;
    for (int i = 0; i < 257; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "- &a%d x\n", i);
    tree_refused(yaml, text, VG_ERR_LIMIT, "test:257", "256 anchors");
}

static void depth_64_is_read_and_65_is_not(void **state)
{
    (void)state;
    char text[200] = "";
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    base_tree *t = tree_from(yaml, text);
    base_tree_destroy(&t);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    tree_refused(yaml, text, VG_ERR_LIMIT, "test:1", "64 deep");
    memset(text, '[', sizeof text - 1); /* never closed */
    tree_refused(yaml, text, VG_ERR_LIMIT, "test:1", "64 deep");
}

static void every_refused_allocation_ends_cleanly(void **state)
{
    (void)state;
    static char text[20000];
    size_t n = 0;
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "key%d: &a%d [%d, text, {x: y}]\n", i,
                              i % 100, i);
    snprintf(text + n, sizeof text - n, "last: *a7\n");
    tree_survives_no_memory(yaml, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dataset_file_is_read_as_written),
        cmocka_unit_test(plain_scalars_follow_the_core_rules),
        cmocka_unit_test(quotes_and_tags_make_texts),
        cmocka_unit_test(an_empty_file_is_null),
        cmocka_unit_test(faults_name_their_line),
        cmocka_unit_test(duplicate_keys_are_refused_in_small_and_large_maps),
        cmocka_unit_test(a_hundred_thousand_keys_are_compared_quickly),
        cmocka_unit_test(aliases_copy_what_was_anchored),
        cmocka_unit_test(alias_bombs_end_at_the_bounds),
        cmocka_unit_test(depth_64_is_read_and_65_is_not),
        cmocka_unit_test(every_refused_allocation_ends_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
