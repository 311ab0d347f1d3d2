/* JSON: values as they are, faults with their line, bounds before memory. */
#include "tree_support.h"

static tree_reader *const json = base_tree_from_json;

static void values_keep_kind_and_order(void **state)
{
    (void)state;
    base_tree *t = tree_from(json, "{\"z\": null, \"a\": [true, false, -3, 2.5, \"x\\u00e9\"],\n"
                                   " \"m\": {}, \"big\": 9223372036854775807, \"l\": []}");
    const base_node *root = base_tree_root(t);
    static const char *const keys[] = {"z", "a", "m", "big", "l"};
    static const base_node_kind kinds[] = {BASE_NODE_NULL, BASE_NODE_LIST, BASE_NODE_MAP,
                                           BASE_NODE_INT, BASE_NODE_LIST};
    assert_int_equal(root->kind, BASE_NODE_MAP);
    assert_int_equal(root->n_children, 5);
    size_t i = 0;
    for (const base_node *c = root->first; c; c = c->next, i++) {
        assert_string_equal(c->key, keys[i]);
        assert_int_equal(c->kind, kinds[i]);
    }
    assert_int_equal(i, 5);
    const base_node *a = base_node_get(root, "a");
    assert_int_equal(a->n_children, 5);
    assert_int_equal(base_node_at(a, 0)->kind, BASE_NODE_BOOL);
    assert_int_equal(base_node_at(a, 0)->i, 1);
    assert_int_equal(base_node_at(a, 1)->i, 0);
    assert_int_equal(base_node_at(a, 2)->i, -3);
    assert_true(base_node_at(a, 2)->real == -3);
    assert_int_equal(base_node_at(a, 3)->kind, BASE_NODE_REAL);
    assert_true(base_node_at(a, 3)->real == 2.5);
    assert_string_equal(base_node_at(a, 4)->text, "x\xc3\xa9");
    assert_null(base_node_at(a, 4)->key);
    assert_true(base_node_get(root, "big")->i == INT64_MAX);
    base_tree_destroy(&t);
    t = tree_from(json, " 7 ");
    assert_int_equal(base_tree_root(t)->i, 7);
    base_tree_destroy(&t);
    assert_int_equal(tree_mem.in_use_bytes, 0);
}

static void faults_name_their_line(void **state)
{
    (void)state;
    tree_refused(json, "", VG_ERR_FORMAT, "test:1", "end of file");
    tree_refused(json, "{\n\"a\": 1,\n}", VG_ERR_FORMAT, "test:3", "");
    tree_refused(json, "{\n\"a\": 1,\n\"a\": 2}", VG_ERR_FORMAT, "test:3", "duplicate");
    tree_refused(json, "[1\n,2] x", VG_ERR_FORMAT, "test:2", "");
    tree_refused(json, "[\"\xff\"]", VG_ERR_FORMAT, "test:1", "unable to decode byte 0xff");
    tree_refused(json, "[\"\\u0000\"]", VG_ERR_FORMAT, "test:1", "");
    tree_refused(json, "[99999999999999999999]", VG_ERR_FORMAT, "test:1", "");
    tree_refused(json, "[1e999]", VG_ERR_FORMAT, "test:1", "");
    tree_refused(json, "[NaN]", VG_ERR_FORMAT, "test:1", "");
}

static const char *nest(int depth, const char *open, const char *inner, const char *close)
{
    static char text[4096];
    size_t n = 0;
    for (int i = 0; i < depth; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", open);
    n += (size_t)snprintf(text + n, sizeof text - n, "%s", inner);
    for (int i = 0; i < depth; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", close);
    assert_true(n < sizeof text);
    return text;
}

static void depth_64_is_read_and_65_is_not(void **state)
{
    (void)state;
    base_tree *t = tree_from(json, nest(64, "[", "1", "]"));
    base_tree_destroy(&t);
    tree_refused(json, nest(65, "[\n", "1", "]"), VG_ERR_LIMIT, "test:65", "64 deep");
    tree_refused(json, nest(65, "{\"a\":", "1", "}"), VG_ERR_LIMIT, "test:1", "64 deep");
    char text[200] = "[\"";
    memset(text + 2, '[', 100);
    snprintf(text + 102, sizeof text - 102, "\\\"[\"]");
    t = tree_from(json, text); /* brackets in a string do not nest */
    base_tree_destroy(&t);
}

/* A list of n zeros. */
static char *zeros(base_mem *mem, size_t n)
{
    char *text = base_alloc(mem, 2 * n + 2, NULL);
    text[0] = '[';
    for (size_t i = 0; i < n; i++) {
        text[1 + 2 * i] = '0';
        text[2 + 2 * i] = ',';
    }
    text[2 * n] = ']';
    text[2 * n + 1] = '\0';
    return text;
}

static void a_million_values_are_the_most(void **state)
{
    (void)state;
    base_mem mem = {.tag = "text"};
    char *text = zeros(&mem, 999999); /* and the list itself */
    base_tree *t = tree_from(json, text);
    assert_int_equal(base_tree_root(t)->n_children, 999999);
    base_tree_destroy(&t);
    base_free(text);
    text = zeros(&mem, 1000000);
    tree_refused(json, text, VG_ERR_LIMIT, "test:1", "1000000 values");
    base_free(text);
    /* Empty lists are one value each. */
    size_t n = 999999;
    text = base_alloc(&mem, 3 * n + 3, NULL);
    text[0] = '[';
    for (size_t i = 0; i < n; i++)
        memcpy(text + 1 + 3 * i, "[],", 3);
    memcpy(text + 3 * n, "]", 2);
    t = tree_from(json, text);
    assert_int_equal(base_tree_root(t)->n_children, n);
    base_tree_destroy(&t);
    base_free(text);
}

static void every_refused_allocation_ends_cleanly(void **state)
{
    (void)state;
    static char text[20000];
    size_t n = (size_t)snprintf(text, sizeof text, "{\"a\": [");
    for (int i = 0; i < 500; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "\"text %d\",", i);
    snprintf(text + n, sizeof text - n, "1]}");
    tree_survives_no_memory(json, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_kind_and_order),
        cmocka_unit_test(faults_name_their_line),
        cmocka_unit_test(depth_64_is_read_and_65_is_not),
        cmocka_unit_test(a_million_values_are_the_most),
        cmocka_unit_test(every_refused_allocation_ends_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
