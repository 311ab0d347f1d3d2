/* test_literal.c: what Python's ast.literal_eval reads back as the same text. */
#include "support/test.h"

#include "export/literal.h"
#include "support/ok.h"

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

static void texts_end_where_they_should(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"person", "'person'"},
                                           {"", "''"},
                                           {"it's", "'it\\'s'"},
                                           {"a\\", "'a\\\\'"},
                                           {"a\nb\x1b", "'a\\x0ab\\x1b'"},
                                           {"\"q\"", "'\"q\"'"},
                                           {"Vögel", "'Vögel'"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        base_str s = {0};
        OK(literal_add_text(&s, pairs[i][0], &mem, err));
        assert_string_equal(s.text, pairs[i][1]);
        base_str_fini(&s);
    }
}

static void classes_without_a_name_get_their_number(void **state)
{
    (void)state;
    const char *const names[] = {"cat"};
    const weights_meta meta = {.n_classes = 1, .names = names};
    base_str s = {0};
    OK(literal_add_names(&s, &meta, 2, &mem, err));
    assert_string_equal(s.text, "{0: 'cat', 1: 'class1'}");
    base_str_fini(&s);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_end_where_they_should),
        cmocka_unit_test(classes_without_a_name_get_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
