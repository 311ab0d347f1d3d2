/* tree_support.h: trees from literals, errors by their words. */
#ifndef TESTS_BASE_TREE_SUPPORT_H
#define TESTS_BASE_TREE_SUPPORT_H

#include "support/test.h"

#include "base/base.h"

typedef vg_status tree_reader(base_tree **out, const char *text, size_t n, const char *source,
                              base_mem *mem, vg_error *err);

static base_mem tree_mem = {.tag = "tree"};

static inline base_tree *tree_from(tree_reader *read, const char *text)
{
    base_tree *t;
    vg_error err = {0};
    if (read(&t, text, strlen(text), "test", &tree_mem, &err) != VG_OK)
        fail_msg("%s (%s) for: %.200s", err.what, err.where, text);
    return t;
}

/* The text must be refused with status, at the place, with the words in what. */
static inline void tree_refused(tree_reader *read, const char *text, vg_status status,
                                const char *where, const char *what)
{
    base_tree *t = (base_tree *)&tree_mem;
    vg_error err = {0};
    vg_status st = read(&t, text, strlen(text), "test", &tree_mem, &err);
    if (st != status || !strstr(err.what, what) || strncmp(err.where, where, strlen(where)) != 0)
        fail_msg("got %s: \"%s\" at \"%s\" for: %.200s", vg_status_name(st), err.what, err.where,
                 text);
    assert_null(t);
    assert_int_equal(tree_mem.in_use_bytes, 0);
}

/* Every allocation of a good reading fails in turn. */
static inline void tree_survives_no_memory(tree_reader *read, const char *text)
{
    for (int64_t k = 1;; k++) {
        base_tree *t;
        vg_error err = {0};
        tree_mem.fail_in = k;
        vg_status st = read(&t, text, strlen(text), "test", &tree_mem, &err);
        if (st == VG_OK) {
            assert_true(k > 2);
            tree_mem.fail_in = 0;
            base_tree_destroy(&t);
            break;
        }
        assert_int_equal(st, VG_ERR_MEMORY);
        assert_int_equal(err.status, VG_ERR_MEMORY);
        assert_null(t);
        assert_int_equal(tree_mem.in_use_bytes, 0);
    }
    assert_int_equal(tree_mem.in_use_bytes, 0);
}

#endif
