/* test_pickle.c: what each opcode builds, and what becomes of pickles that no pickler writes. */
#include "support/test.h"

#include <math.h>

#include "weights/make.h"
#include "weights/pickle.h"

typedef struct fixture {
    base_mem mem;
    arena values;
    vg_error err;
} fixture;

static fixture x;

static int setup(void **state)
{
    (void)state;
    base_mem_init(&x.mem, "test", NULL, SIZE_MAX);
    arena_init(&x.values, 4096, 64 << 20, "the pickle's values", &x.mem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&x.values);
    assert_int_equal(x.mem.in_use_bytes, 0);
    return 0;
}

static const pickle_node *run(const char *bytes, size_t n)
{
    pickle_graph g;
    if (pickle_read(&g, (const uint8_t *)bytes, n, "p", &x.values, &x.mem, &x.err) != VG_OK)
        fail_msg("%s at %s", x.err.what, x.err.where);
    return g.root;
}

static void refuse(const char *bytes, size_t n, vg_status status, const char *what,
                   const char *where)
{
    pickle_graph g;
    x.err = (vg_error){0};
    const vg_status st = pickle_read(&g, (const uint8_t *)bytes, n, "p", &x.values, &x.mem, &x.err);
    if (st != status || strstr(x.err.what, what) == NULL || strstr(x.err.where, where) == NULL)
        fail_msg("%s: \"%s\" at %s instead of \"%s\" at %s", vg_status_name(st), x.err.what,
                 x.err.where, what, where);
}

#define RUN(literal) run(literal, sizeof(literal) - 1)
#define REFUSE(literal, status, what, where)                                                       \
    refuse(literal, sizeof(literal) - 1, status, what, where)

/* The value as JSON, which says kind and contents in one line. */
static void expect(const pickle_node *n, const char *json)
{
    base_str s = {0};
    if (pickle_to_json(&s, n, true, 1 << 20, &x.mem, &x.err) != VG_OK)
        fail_msg("%s", x.err.what);
    assert_string_equal(s.text, json);
    base_str_fini(&s);
}

static void scalars(void **state)
{
    (void)state;
    expect(RUN("\x80\2N."), "null");
    expect(RUN("\x88."), "true");
    expect(RUN("\x89."), "false");
    expect(RUN("J\xff\xff\xff\xff."), "-1");
    expect(RUN("J\0\0\0\x80."), "-2147483648");
    expect(RUN("K\xff."), "255");
    expect(RUN("M\x01\xff."), "65281");
    expect(RUN("G\x3f\xf8\0\0\0\0\0\0."), "1.5");
    expect(RUN("G\x40\x08\0\0\0\0\0\0."), "3.0");
    expect(RUN("G\x3f\xb9\x99\x99\x99\x99\x99\x9a."), "0.1");
    expect(RUN("G\x3f\xd3\x33\x33\x33\x33\x33\x34."), "0.30000000000000004");
    expect(RUN("G\x7e\x37\xe4\x3c\x88\0\x75\x9c."), "1e+300");
    expect(RUN("G\x7f\xf0\0\0\0\0\0\0."), "null");
}

static void long_integers_of_any_length(void **state)
{
    (void)state;
    expect(RUN("\x8a\0."), "0");
    expect(RUN("\x8a\1\xff."), "-1");
    expect(RUN("\x8a\2\xff\0."), "255");
    expect(RUN("\x8a\x8\0\0\0\0\0\0\0\x80."), "-9223372036854775808");
    expect(RUN("\x8b\3\0\0\0\1\2\3."), "197121");
    assert_int_equal(RUN("\x8a\x9\0\0\0\0\0\0\0\0\1.")->kind, PICKLE_BIG);
}

static void texts_and_bytes(void **state)
{
    (void)state;
    expect(RUN("X\3\0\0\0a\"b."), "\"a\\\"b\"");
    expect(RUN("\x8c\2hi."), "\"hi\"");
    expect(RUN("\x8d\2\0\0\0\0\0\0\0hi."), "\"hi\"");
    expect(RUN("U\2hi."), "\"hi\"");
    expect(RUN("T\2\0\0\0hi."), "\"hi\"");
    assert_int_equal(RUN("C\2hi.")->kind, PICKLE_BYTES);
    assert_int_equal(RUN("B\2\0\0\0hi.")->kind, PICKLE_BYTES);
    assert_int_equal(RUN("\x8e\2\0\0\0\0\0\0\0hi.")->kind, PICKLE_BYTES);
    assert_int_equal(RUN("\x96\2\0\0\0\0\0\0\0hi.")->as.text.n, 2);
}

static void lists_tuples_sets_and_dicts(void **state)
{
    (void)state;
    expect(RUN("]."), "[]");
    expect(RUN("]K\1a."), "[1]");
    expect(RUN("](K\1K\2e."), "[1,2]");
    expect(RUN("(K\1K\2l."), "[1,2]");
    assert_int_equal(RUN(").")->kind, PICKLE_TUPLE);
    expect(RUN("(K\1K\2K\3K\4t."), "[1,2,3,4]");
    expect(RUN("K\1\x85."), "[1]");
    expect(RUN("K\1K\2\x86."), "[1,2]");
    expect(RUN("K\1K\2K\3\x87."), "[1,2,3]");
    expect(RUN("}."), "{}");
    expect(RUN("}U\1aK\1s."), "{\"a\":1}");
    expect(RUN("}(U\1aK\1K\2Nu."), "{\"a\":1,\"2\":null}");
    expect(RUN("(U\1aK\1d."), "{\"a\":1}");
    expect(RUN("\x8f(K\1K\2\x90."), "[1,2]");
    assert_int_equal(RUN("(K\1\x91.")->kind, PICKLE_SET);
    expect(RUN("(K\1(K\2K\3ll."), "[1,[2,3]]");
    assert_int_equal(pickle_get(RUN("(U\1aK\1U\1aK\2d."), "a")->as.i,
                     2); /* as in Python, the last counts */
}

static void stack_and_memo(void **state)
{
    (void)state;
    expect(RUN("K\1K\2"
               "0."),
           "1");
    expect(RUN("K\1(K\2K\3"
               "1."),
           "1");
    expect(RUN("K\1(0."), "1"); /* POP takes a MARK too */
    expect(RUN("K\1"
               "2\x86."),
           "[1,1]");
    expect(RUN("]q\5h\5\x86."), "[[],[]]");
    expect(RUN("]r\5\0\0\0j\5\0\0\0\x86."), "[[],[]]");
    expect(RUN("\x80\4\x95\4\0\0\0\0\0\0\0]\x94h\0\x86."), "[[],[]]");
}

static void classes_and_calls_become_records(void **state)
{
    (void)state;
    const pickle_node *n = RUN("cos\nsystem\nU\2ls\x85R.");
    assert_int_equal(n->kind, PICKLE_OBJECT);
    assert_true(pickle_is_class(pickle_type(n), "os", "system"));
    expect(n->as.object.args, "[\"ls\"]");
    assert_null(n->as.object.state);
    n = RUN("\x8c\1m\x8c\1C\x93)\x81}\x8c\1aK\7sb.");
    assert_true(pickle_is_class(pickle_type(n), "m", "C"));
    assert_int_equal(pickle_attribute(n, "a")->as.i, 7);
    assert_null(pickle_attribute(n, "b"));
    expect(n, "{\"a\":7}");
    n = RUN("cm\nC\n)}\x92.");
    assert_true(pickle_is_class(pickle_type(n), "m", "C"));
    n = RUN("cm\nC\n)R(K\1K\2e."); /* a class that acts as a list: the items are let go */
    assert_true(n->as.object.has_items);
    assert_int_equal(RUN("U\3keyQ.")->kind, PICKLE_PERSISTENT);
}

static void every_class_named_is_listed(void **state)
{
    (void)state;
    pickle_graph g;
    const char bytes[] = "ca\nB\ncc\nD\n\x86.";
    assert_int_equal(
        pickle_read(&g, (const uint8_t *)bytes, sizeof bytes - 1, "p", &x.values, &x.mem, &x.err),
        VG_OK);
    char name[8];
    assert_string_equal(pickle_format_class(name, sizeof name, g.classes->value), "a.B");
    assert_string_equal(pickle_format_class(name, 3, g.classes->next->value), "c.");
    assert_null(g.classes->next->next);
}

static void ordered_dicts_are_dicts(void **state)
{
    (void)state;
    expect(RUN("ccollections\nOrderedDict\n)RU\1aK\1s."), "{\"a\":1}");
    expect(RUN("ccollections\nOrderedDict\n]]U\1aaK\1aa\x85R."), "{\"a\":1}");
    expect(RUN("ccollections\nOrderedDict\n)R}U\1aK\1sb."), "{}"); /* attributes, like _metadata */
    REFUSE("ccollections\nOrderedDict\nK\1\x85R.", VG_ERR_FORMAT, "list of pairs", "byte 28");
    REFUSE("ccollections\nOrderedDict\n]K\1a\x85R.", VG_ERR_FORMAT, "list of pairs", "byte 30");
    REFUSE("ccollections\nOrderedDict\nK\1R.", VG_ERR_FORMAT, "unknown arguments", "byte 27");
}

static void paths_become_text(void **state)
{
    (void)state;
    expect(RUN("cpathlib\nPosixPath\n(U\1/U\1aU\1btR."), "\"/a/b\"");
    expect(RUN("cpathlib\nWindowsPath\n(U\3C:/U\1btR."), "\"C:/b\"");
    expect(RUN("cpathlib\nPosixPath\n)R."), "\"\"");
}

static void unknown_opcodes_are_named_with_their_offset(void **state)
{
    (void)state;
    REFUSE("K\1I5\n.", VG_ERR_UNSUPPORTED, "0x49 (INT)", "p, byte 2");
    REFUSE("\x82\1.", VG_ERR_UNSUPPORTED, "0x82 (EXT1)", "byte 0");
    REFUSE("N\xfe.", VG_ERR_UNSUPPORTED, "0xfe (unknown)", "byte 1");
    REFUSE("\x80\6N.", VG_ERR_UNSUPPORTED, "protocol 6", "byte 0");
    REFUSE("\x80\5\x97.", VG_ERR_UNSUPPORTED, "NEXT_BUFFER", "byte 2");
}

static void truncated_values_are_refused(void **state)
{
    (void)state;
    REFUSE("", VG_ERR_FORMAT, "without STOP", "byte 0");
    REFUSE("N", VG_ERR_FORMAT, "without STOP", "byte 1");
    REFUSE("J\1\2\3", VG_ERR_FORMAT, "BININT", "byte 0");
    REFUSE("X\5\0\0\0abc", VG_ERR_FORMAT, "BINUNICODE", "byte 0");
    REFUSE("X\xff\xff\xff\xff"
           "abc.",
           VG_ERR_FORMAT, "BINUNICODE", "byte 0");
    REFUSE("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
           "abc.",
           VG_ERR_FORMAT, "BINUNICODE8", "byte 0");
    REFUSE("\x8b\xff\xff\xff\xff"
           "abc.",
           VG_ERR_FORMAT, "LONG4", "byte 0");
    REFUSE("G\0\0", VG_ERR_FORMAT, "BINFLOAT", "byte 0");
    REFUSE("cos\nsystem", VG_ERR_FORMAT, "middle of a name", "byte 0");
    REFUSE("c", VG_ERR_FORMAT, "middle of a name", "byte 0");
    REFUSE("\x95\xff\0\0\0\0\0\0\0N.", VG_ERR_FORMAT, "beyond the pickle", "byte 0");
}

static void an_empty_stack_is_never_read(void **state)
{
    (void)state;
    const char alone[] = {'a',        's',        'e',        'u',        't',        'l',
                          'd',        'R',        'b',        'Q',        '0',        '1',
                          '2',        '.',        (char)0x81, (char)0x85, (char)0x86, (char)0x87,
                          (char)0x90, (char)0x91, (char)0x92, (char)0x93, (char)0x94};
    for (size_t i = 0; i < sizeof alone; i++) {
        const char bytes[] = {alone[i], '.'};
        refuse(bytes, 2, VG_ERR_FORMAT, "", "byte 0");
    }
    /* The values below a MARK belong to the value outside of it. */
    const char above_mark[] = {'a', 's',        'R',        'b',        'Q',
                               '2', (char)0x85, (char)0x86, (char)0x93, (char)0x94};
    for (size_t i = 0; i < sizeof above_mark; i++) {
        const char bytes[] = {'N', 'N', 'N', '(', above_mark[i], '.'};
        refuse(bytes, 6, VG_ERR_FORMAT, "", "byte 4");
    }
    REFUSE("(K\1e.", VG_ERR_FORMAT, "no container", "byte 3");
    REFUSE("q\0.", VG_ERR_FORMAT, "empty stack", "byte 0");
}

static void misused_values_are_refused(void **state)
{
    (void)state;
    REFUSE("NN.", VG_ERR_FORMAT, "other than one", "byte 2");
    REFUSE("N(.", VG_ERR_FORMAT, "other than one", "byte 2");
    REFUSE("NNa.", VG_ERR_FORMAT, "another kind", "byte 2");
    REFUSE("]NNs.", VG_ERR_FORMAT, "another kind", "byte 3");
    REFUSE("}(Nu.", VG_ERR_FORMAT, "key without a value", "byte 3");
    REFUSE("(Nd.", VG_ERR_FORMAT, "key without a value", "byte 2");
    REFUSE("]}b.", VG_ERR_FORMAT, "cannot have one", "byte 2");
    REFUSE("NN\x93.", VG_ERR_FORMAT, "not texts", "byte 2");
    REFUSE("h\0.", VG_ERR_FORMAT, "never put", "byte 0");
    REFUSE("Nq\2h\1.", VG_ERR_FORMAT, "never put", "byte 3");
}

static void a_huge_memo_number_takes_no_memory(void **state)
{
    (void)state;
    REFUSE("Nr\xff\xff\xff\xff.", VG_ERR_FORMAT, "memo number", "byte 1");
    assert_true(x.mem.peak_bytes < 1 << 16);
}

static make_bytes deep;

static void deep_nesting_is_read_and_its_walk_is_bounded(void **state)
{
    (void)state;
    deep.n = 0;
    for (int i = 0; i < 60000; i++)
        MAKE_ADD(&deep, "(");
    for (int i = 0; i < 60000; i++)
        MAKE_ADD(&deep, "l");
    MAKE_ADD(&deep, ".");
    base_str s = {0};
    const pickle_node *n = run((const char *)deep.at, deep.n);
    assert_int_equal(pickle_to_json(&s, n, true, 1 << 20, &x.mem, &x.err), VG_ERR_LIMIT);
    base_str_fini(&s);
}

static void a_list_that_contains_itself_is_refused_when_walked(void **state)
{
    (void)state;
    base_str s = {0};
    const pickle_node *n = RUN("]q\0h\0a.");
    assert_ptr_equal(pickle_item(n, 0), n);
    assert_int_equal(pickle_to_json(&s, n, true, 1 << 20, &x.mem, &x.err), VG_ERR_LIMIT);
    base_str_fini(&s);
    n = RUN("}q\0U\1ah\0s.");
    assert_int_equal(pickle_to_json(&s, n, true, 1 << 20, &x.mem, &x.err), VG_ERR_LIMIT);
    base_str_fini(&s);
}

/* 50 lists, each holding the one before twice: 2^50 values when unfolded. */
static void a_graph_that_unfolds_without_end_is_cut_off(void **state)
{
    (void)state;
    base_str s = {0};
    deep.n = 0;
    MAKE_ADD(&deep, "]");
    for (int i = 0; i < 50; i++)
        MAKE_ADD(&deep, "2\x86");
    MAKE_ADD(&deep, ".");
    const pickle_node *n = run((const char *)deep.at, deep.n);
    assert_int_equal(pickle_to_json(&s, n, true, 1 << 16, &x.mem, &x.err), VG_ERR_LIMIT);
    base_str_fini(&s);
}

/* OrderedDict made again and again of one long list: few bytes, many values. */
static void values_beyond_the_arena_are_refused(void **state)
{
    (void)state;
    deep.n = 0;
    MAKE_ADD(&deep, "ccollections\nOrderedDict\nq\0"
                    "0](K\1K\1\x86q\1");
    for (int i = 0; i < 20000; i++)
        MAKE_ADD(&deep, "h\1");
    MAKE_ADD(&deep, "e\x85q\2"
                    "0");
    for (int i = 0; i < 8000; i++)
        MAKE_ADD(&deep, "h\0h\2R0");
    MAKE_ADD(&deep, "N.");
    refuse((const char *)deep.at, deep.n, VG_ERR_LIMIT, "the pickle's values", "");
    assert_true(x.mem.peak_bytes < (size_t)66 << 20);
}

static void a_class_name_without_end_is_refused(void **state)
{
    (void)state;
    deep.n = 0;
    MAKE_ADD(&deep, "cm\n");
    for (int i = 0; i < 1025; i++)
        MAKE_ADD(&deep, "C");
    MAKE_ADD(&deep, "\n.");
    refuse((const char *)deep.at, deep.n, VG_ERR_FORMAT, "longer than 1024", "byte 0");
}

static void a_path_is_made_of_texts(void **state)
{
    (void)state;
    base_str s = {0};
    const pickle_node *n = RUN("cpathlib\nPosixPath\n(U\1/K\1tR.");
    assert_int_equal(pickle_to_json(&s, n, true, 1 << 16, &x.mem, &x.err), VG_ERR_FORMAT);
    base_str_fini(&s);
}

static void text_that_is_not_utf8_is_no_json(void **state)
{
    (void)state;
    const char *bad[] = {"\xff",         "\xc0\xaf",         "\xe0\x80\xaf",
                         "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        base_str s = {0};
        make_bytes *b = &deep;
        b->n = 0;
        make_text(b, bad[i]);
        MAKE_ADD(b, ".");
        const pickle_node *n = run((const char *)b->at, b->n);
        assert_int_equal(pickle_to_json(&s, n, true, 1 << 16, &x.mem, &x.err), VG_ERR_FORMAT);
        base_str_fini(&s);
    }
    expect(RUN("X\x9\0\0\0\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80."),
           "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

/* Real ones use 32 opcodes; here all that are supported are met. A table with a hole would end in a
 * crash. */
static void every_byte_as_an_opcode_is_run_or_refused(void **state)
{
    (void)state;
    for (int code = 0; code < 256; code++)
        for (int n_operands = 0; n_operands < 4; n_operands++) {
            pickle_graph g;
            uint8_t bytes[32] = {'N', ']', '}', ')', '('};
            bytes[5] = (uint8_t)code;
            bytes[6] = (uint8_t)n_operands;
            (void)pickle_read(&g, bytes, sizeof bytes, "p", &x.values, &x.mem, &x.err);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scalars),
        TEST(long_integers_of_any_length),
        TEST(texts_and_bytes),
        TEST(lists_tuples_sets_and_dicts),
        TEST(stack_and_memo),
        TEST(classes_and_calls_become_records),
        TEST(every_class_named_is_listed),
        TEST(ordered_dicts_are_dicts),
        TEST(paths_become_text),
        TEST(unknown_opcodes_are_named_with_their_offset),
        TEST(truncated_values_are_refused),
        TEST(an_empty_stack_is_never_read),
        TEST(misused_values_are_refused),
        TEST(a_huge_memo_number_takes_no_memory),
        TEST(deep_nesting_is_read_and_its_walk_is_bounded),
        TEST(a_list_that_contains_itself_is_refused_when_walked),
        TEST(a_graph_that_unfolds_without_end_is_cut_off),
        TEST(values_beyond_the_arena_are_refused),
        TEST(a_class_name_without_end_is_refused),
        TEST(a_path_is_made_of_texts),
        TEST(text_that_is_not_utf8_is_no_json),
        TEST(every_byte_as_an_opcode_is_run_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
