/* test_json_walk.c: a walker says where values begin and end, and where a text is broken. */
#include "support/test.h"

#include <string.h>

#include "base/base.h"

static void start(base_json_walk *w, const char *text)
{
    assert_int_equal(base_json_start(w, text, strlen(text), "t.json", NULL), VG_OK);
}

static void keys_and_values_are_found_whatever_is_in_them(void **state)
{
    (void)state;
    base_json_walk w;
    base_json_piece key, value;
    bool more;
    start(&w, "\xef\xbb\xbf {\"a\" : [1, {\"b]\": \"\\\"]}\"}, []],\n \"c\":-1e3, \"d\":{}}\n");
    assert_int_equal(base_json_enter(&w, '{', NULL), VG_OK);
    assert_int_equal(base_json_next(&w, &key, &more, NULL), VG_OK);
    assert_true(more && base_json_piece_is(&key, "a"));
    assert_int_equal(base_json_take(&w, &value, NULL), VG_OK);
    assert_int_equal(value.n_items, 3);
    assert_int_equal(value.n_commas, 2);
    assert_int_equal(value.text[value.n - 1], ']');
    assert_int_equal(base_json_next(&w, &key, &more, NULL), VG_OK);
    assert_true(more && base_json_piece_is(&key, "c") && key.line == 2);
    assert_int_equal(base_json_take(&w, &value, NULL), VG_OK);
    assert_true(base_json_piece_is(&value, "-1e3"));
    assert_int_equal(base_json_next(&w, &key, &more, NULL), VG_OK);
    assert_int_equal(base_json_take(&w, &value, NULL), VG_OK);
    assert_int_equal(value.n_items, 0);
    assert_int_equal(base_json_next(&w, &key, &more, NULL), VG_OK);
    assert_false(more);
    assert_int_equal(base_json_end(&w, NULL), VG_OK);
}

/* Through lists and maps of the whole text, as readers do. */
static vg_status walk(const char *text, vg_error *err)
{
    base_json_walk w;
    base_json_piece key, value;
    bool more = true;
    const bool is_map = text[0] == '{';
    vg_status st = base_json_start(&w, text, strlen(text), "t.json", err);
    if (st == VG_OK)
        st = base_json_enter(&w, is_map ? '{' : '[', err);
    while (st == VG_OK && more) {
        st = base_json_next(&w, is_map ? &key : NULL, &more, err);
        if (st == VG_OK && more)
            st = base_json_take(&w, &value, err);
    }
    return st == VG_OK ? base_json_end(&w, err) : st;
}

static void broken_texts_are_told_with_line_and_byte(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *what;
    } rows[] = {
        {"[1 2]", "t.json:1, byte 3", "a comma is wanted here"},
        {"[1,\n", "t.json:2, byte 4", "the file ends here"},
        {"[1,]", "t.json:1, byte 3", "a value is wanted here"},
        {"[,]", "t.json:1, byte 1", "a value is wanted here"},
        {"[[1,2]", "t.json:1, byte 6", "the file ends here"},
        {"[[1,2", "t.json:1, byte 5", "the file ends within a value"},
        {"[\"a", "t.json:1, byte 3", "the file ends within a text"},
        {"[\"a\\", "t.json:1, byte 4", "the file ends within a text"},
        {"{\"a\" 1}", "t.json:1, byte 5", "a colon is wanted here"},
        {"{1:2}", "t.json:1, byte 1", "a key in quotes is wanted here"},
        {"[] x", "t.json:1, byte 3", "more text behind the end"},
        {"7", "t.json:1, byte 0", "a list is wanted here"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vg_error err = {0};
        assert_int_equal(walk(rows[i].text, &err), VG_ERR_FORMAT);
        assert_string_equal(err.where, rows[i].where);
        assert_string_equal(err.what, rows[i].what);
    }
    static const char *const good[] = {"[]", "{}", "[1]", "[[],[[]],{}]", "{\"a\":1,\"b\":[2]}"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(walk(good[i], NULL), VG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_values_are_found_whatever_is_in_them),
        cmocka_unit_test(broken_texts_are_told_with_line_and_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
