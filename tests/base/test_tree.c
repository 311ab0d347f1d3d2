/* Reading files of both kinds, and walking in trees. */
#include "tree_support.h"

#include "own_folder.h"

static void read_chooses_by_suffix(void **state)
{
    (void)state;
    char path[512];
    base_tree *t;
    vg_error err;
    snprintf(path, sizeof path, "%s/a.JSON", folder);
    base_file_replace(path, "{\"a\": 1}", 8, NULL);
    assert_int_equal(base_tree_read(&t, path, &tree_mem, NULL), VG_OK);
    assert_string_equal(base_tree_source(t), path);
    assert_int_equal(base_node_get(base_tree_root(t), "a")->i, 1);
    assert_int_equal(base_tree_root(t)->line, 0); /* which YAML, reading this too, would know */
    base_tree_destroy(&t);
    snprintf(path, sizeof path, "%s/a.yaml", folder);
    base_file_replace(path, "a: 1\nb: [", 9, NULL);
    assert_int_equal(base_tree_read(&t, path, &tree_mem, &err), VG_ERR_FORMAT);
    assert_memory_equal(err.where, path, strlen(path));
    assert_null(t);
    snprintf(path, sizeof path, "%s/absent.yaml", folder);
    assert_int_equal(base_tree_read(&t, path, &tree_mem, &err), VG_ERR_IO);
    assert_null(t);
    assert_int_equal(tree_mem.in_use_bytes, 0);
}

static void files_above_16_mib_are_refused(void **state)
{
    (void)state;
    char path[512];
    base_tree *t;
    vg_error err;
    snprintf(path, sizeof path, "%s/a.yaml", folder);
    base_file_replace(path, "", 0, NULL);
    assert_int_equal(truncate(path, 16 * 1024 * 1024 + 1), 0);
    assert_int_equal(base_tree_read(&t, path, &tree_mem, &err), VG_ERR_LIMIT);
}

static void walking_off_the_tree_gives_null(void **state)
{
    (void)state;
    base_tree *t = tree_from(base_tree_from_yaml, "{a: [1, 2], b: text}");
    const base_node *root = base_tree_root(t);
    const base_node *a = base_node_get(root, "a");
    assert_int_equal(base_node_at(a, 1)->i, 2);
    assert_null(base_node_at(a, 2));
    assert_null(base_node_at(root, 0));
    assert_null(base_node_get(a, "a"));
    assert_null(base_node_get(root, "c"));
    assert_null(base_node_get(NULL, "c"));
    assert_null(base_node_at(NULL, 0));
    assert_null(base_node_get(base_node_get(root, "b"), "x"));
    base_tree_destroy(&t);
    assert_null(t);
    base_tree_destroy(&t);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(base_node_kind_name(BASE_NODE_LIST), "a list");
    assert_string_equal(base_node_kind_name(BASE_NODE_MAP), "a map");
    assert_string_equal(base_node_kind_name((base_node_kind)50), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(read_chooses_by_suffix, own_folder_setup,
                                        own_folder_teardown),
        cmocka_unit_test_setup_teardown(files_above_16_mib_are_refused, own_folder_setup,
                                        own_folder_teardown),
        cmocka_unit_test(walking_off_the_tree_gives_null),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
