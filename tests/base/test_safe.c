/* Texts of others, and what each kind of place makes of them. */
#define BASE_IMPLEMENTATION /* jansson's texts are freed with free */
#include "support/test.h"

#include <jansson.h>
#include <yaml.h>

#include "base/base.h"

typedef size_t (*escape)(char *buf, size_t n, const char *s);

static const escape ESCAPES[] = {base_line_escape,  base_html_escape,  base_json_escape,
                                 base_label_escape, base_field_escape, base_name_clean};
enum { N_ESCAPES = sizeof ESCAPES / sizeof *ESCAPES };

/* Terminals' sequences, ends of lines, quotes, overlong and cut UTF-8, surrogates, C1, overrides.
 */
static const char *const HOSTILE[] = {
    "\x1b]0;title\x07\x1b[2J\x1b[31m",
    "one\ntwo\r\tthree\v\f\b",
    "\xc2\x9b"
    "31m\xc2\x85\xc2\x80\xc2\x9f\x7f",
    "\xff\xfe\xc0\x80\xc1\xbf\xe0\x80\x80\xf0\x80\x80\x80\xf5\x80\x80\x80\xf8",
    "\xed\xa0\x80\xed\xb0\x80\xed\xbf\xbf",
    "\xe2\x80",
    "\xf0\x9f\x98",
    "\xc3",
    "a\x80\xbf"
    "b",
    "\xe2\x80\xaegnp.exe\xe2\x80\xac\xe2\x81\xa6x\xe2\x81\xa9\xd8\x9c",
    "\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xef\xbf\xbe\xef\xbf\xbf\xef\xb7\x90\xef\xbf\xb9",
    "\xf3\xa0\x81\x81\xf3\xa0\x80\xa0\xf4\x8f\xbf\xbf",
    "<script>alert('x')</script>&amp;\"",
    "a\n} 1\nx{y=\"",
    "a\\\"b)\\x1b\\u202e\\",
    "../../etc/passwd",
    ".",
    "..",
    ".hidden",
    "",
    " : - # {a: b} [c] !tag &anchor *alias | > % @ `",
};
enum { N_HOSTILE = sizeof HOSTILE / sizeof *HOSTILE };

static const char PLAIN[] =
    "caf\xc3\xa9 \xe7\x8c\xab \xf0\x9f\x90\x88\xe2\x80\x8d\xe2\xac\x9b \xd7\x90"
    "a_b-c.jpg 100% (1)";

static const char *made(escape f, const char *s)
{
    static char buf[4096];
    const size_t length = f(buf, sizeof buf, s);
    assert_int_equal(length, strlen(buf));
    return buf;
}

/* True: nothing in s moves a cursor, ends a line or turns the order of what follows. */
static bool is_clean(const char *s)
{
    if (!base_is_utf8(s))
        return false;
    for (const unsigned char *p = (const unsigned char *)s; *p != '\0'; p++)
        if (*p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0) ||
            (p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
            (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xaf) ||
            (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe))
            return false;
    return true;
}

static void what_needs_nothing_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ESCAPES; i++)
        assert_string_equal(made(ESCAPES[i], PLAIN), PLAIN);
}

static void nothing_that_is_acted_upon_comes_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ESCAPES; i++)
        for (size_t k = 0; k < N_HOSTILE; k++)
            assert_true(is_clean(made(ESCAPES[i], HOSTILE[k])));
    for (unsigned c = 1; c < 256; c++) { /* also every byte alone, and at the end */
        const char one[] = {(char)c, '\0'}, last[] = {'x', (char)c, '\0'};
        for (size_t i = 0; i < N_ESCAPES; i++) {
            assert_true(is_clean(made(ESCAPES[i], one)));
            assert_true(is_clean(made(ESCAPES[i], last)));
        }
    }
}

/* A buffer of any size: terminated, nothing behind it touched, a beginning of the whole that ends
 * between characters. */
static void a_small_buffer_cuts_between_characters(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ESCAPES; i++) {
        for (size_t k = 0; k <= N_HOSTILE; k++) {
            const char *s = k < N_HOSTILE ? HOSTILE[k] : PLAIN;
            char whole[4096], part[128];
            const size_t length = ESCAPES[i](whole, sizeof whole, s);
            for (size_t n = 0; n < sizeof part; n++) {
                memset(part, 'Z', sizeof part);
                assert_int_equal(ESCAPES[i](part, n, s), length);
                assert_int_equal(part[n], 'Z');
                if (n == 0)
                    continue;
                assert_true(strlen(part) < n);
                assert_memory_equal(part, whole, strlen(part));
                assert_true(base_is_utf8(part));
                if (length < n)
                    assert_string_equal(part, whole);
            }
            assert_int_equal(ESCAPES[i](NULL, 0, s), length);
        }
    }
}

static void an_escape_is_never_cut_in_two(void **state)
{
    (void)state;
    char buf[16];
    for (size_t n = 1; n < 8; n++) {
        base_line_escape(buf, n, "\x1b\xe2\x80\xae");
        assert_string_equal(buf, n < 5 ? "" : "\\x1b");
        base_html_escape(buf, n, "<");
        assert_string_equal(buf, n < 6 ? "" : "&#60;");
        base_field_escape(buf, n, "\t\t");
        assert_string_equal(buf, n < 3 ? "" : n < 5 ? "\\t" : "\\t\\t");
        base_label_escape(buf, n, "\x01");
        assert_string_equal(buf, n < 6 ? "" : "\\\\x01");
        base_json_escape(buf, n, "\x01");
        assert_string_equal(buf, n < 7 ? "" : "\\u0001");
    }
}

static void a_line_shows_what_it_cannot_print(void **state)
{
    (void)state;
    assert_string_equal(made(base_line_escape, "a\x1b[2J\n\t\x7f"), "a\\x1b[2J\\x0a\\x09\\x7f");
    assert_string_equal(made(base_line_escape, "\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81"),
                        "\\u009b\\u202e\\U000e0041");
    assert_string_equal(made(base_line_escape, "\xff\xed\xa0\x80\xc0\xaf"),
                        "\\xff\\xed\\xa0\\x80\\xc0\\xaf");
    assert_string_equal(made(vg_text_line, "\x9b\\"), "\\x9b\\");
}

static void a_line_shown_twice_stays(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_HOSTILE; k++) {
        char once[4096];
        base_line_escape(once, sizeof once, HOSTILE[k]);
        assert_string_equal(made(base_line_escape, once), once);
    }
}

static void html_has_no_signs_of_its_own_left(void **state)
{
    (void)state;
    assert_string_equal(made(base_html_escape, "<b a='1' c=\"2\">&"),
                        "&#60;b a=&#39;1&#39; c=&#34;2&#34;&#62;&#38;");
    assert_string_equal(made(base_html_escape, "\x01\xff"), "\\x01\\xff");
    for (size_t k = 0; k < N_HOSTILE; k++)
        assert_null(strpbrk(made(base_html_escape, HOSTILE[k]), "<>\"'"));
}

/* What a JSON reader gets is the text, but for bytes that are no UTF-8. */
static void json_reads_back(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_HOSTILE; k++) {
        char text[4200];
        snprintf(text, sizeof text, "[\"%s\"]", made(base_json_escape, HOSTILE[k]));
        json_t *j = json_loads(text, 0, NULL);
        assert_non_null(j);
        const char *back = json_string_value(json_array_get(j, 0));
        assert_non_null(back);
        if (base_is_utf8(HOSTILE[k]))
            assert_string_equal(back, HOSTILE[k]);
        json_decref(j);
    }
    assert_string_equal(made(vg_text_json, "\xc2\x9b\xe2\x80\xa8\xff"),
                        "\\u009b\\u2028\xef\xbf\xbd");
}

static void yaml_reads_the_same(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_HOSTILE; k++) {
        char text[4200];
        const int n = snprintf(text, sizeof text, "\"%s\"", made(base_json_escape, HOSTILE[k]));
        yaml_parser_t parser;
        yaml_event_t event;
        assert_true(yaml_parser_initialize(&parser));
        yaml_parser_set_input_string(&parser, (const unsigned char *)text, (size_t)n);
        yaml_event_type_t type = YAML_NO_EVENT;
        while (type != YAML_SCALAR_EVENT) {
            assert_true(yaml_parser_parse(&parser, &event));
            type = event.type;
            if (type == YAML_SCALAR_EVENT && base_is_utf8(HOSTILE[k]))
                assert_string_equal((const char *)event.data.scalar.value, HOSTILE[k]);
            yaml_event_delete(&event);
        }
        yaml_parser_delete(&parser);
    }
}

static void a_label_has_three_escapes(void **state)
{
    (void)state;
    assert_string_equal(made(base_label_escape, "a\\b\"c\nd\te\xff"),
                        "a\\\\b\\\"c\\nd\\\\x09e\\\\xff");
    for (size_t k = 0; k < N_HOSTILE; k++)
        for (const char *p = made(base_label_escape, HOSTILE[k]); *p != '\0'; p++) {
            assert_int_not_equal(*p, '"');
            if (*p == '\\') {
                p++;
                assert_non_null(strchr("\\\"n", *p));
            }
        }
}

static void a_field_comes_back_whatever_it_was(void **state)
{
    (void)state;
    char back[4096];
    for (size_t k = 0; k < N_HOSTILE; k++) {
        const char *field = made(base_field_escape, HOSTILE[k]);
        assert_null(strpbrk(field, "\t\n\r"));
        assert_true(base_field_restore(back, sizeof back, field, strlen(field)));
        assert_string_equal(back, HOSTILE[k]);
        assert_true(base_field_restore(back, strlen(HOSTILE[k]) + 1, field, strlen(field)));
        assert_false(base_field_restore(back, strlen(HOSTILE[k]), field, strlen(field)));
    }
    char all[256];
    for (int c = 1; c < 256; c++)
        all[c - 1] = (char)c;
    all[255] = '\0';
    const char *field = made(base_field_escape, all);
    assert_true(base_field_restore(back, sizeof back, field, strlen(field)));
    assert_string_equal(back, all);
}

static void a_field_that_was_spoilt_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"\\", "a\\", "\\q", "\\x", "\\x1", "\\x00", "\\xg0", "\\x0G"};
    char back[16];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(base_field_restore(back, sizeof back, bad[i], strlen(bad[i])));
        assert_string_equal(back, "");
    }
    assert_false(base_field_restore(back, sizeof back, "a\0b", 3));
    assert_false(base_field_restore(back, 0, "", 0));
}

static void a_name_stays_in_its_folder(void **state)
{
    (void)state;
    assert_string_equal(made(base_name_clean, "../../etc/passwd"), "_._.._etc_passwd");
    assert_string_equal(made(base_name_clean, "."), "_");
    assert_string_equal(made(base_name_clean, ".."), "_.");
    assert_string_equal(made(base_name_clean, ""), "_");
    assert_string_equal(made(base_name_clean, ".hidden"), "_hidden");
    assert_string_equal(made(base_name_clean, "traffic light"), "traffic light");
    assert_string_equal(made(base_name_clean, "a/b\n\x1b\xff\xe2\x80\xae"), "a_b____");
    char name[1024], longest[400];
    for (size_t i = 0; i < sizeof longest - 1; i++)
        longest[i] = i % 2 == 0 ? '\xc3' : '\xa9';
    longest[sizeof longest - 1] = '\0';
    base_name_clean(name, sizeof name, longest);
    assert_int_equal(strlen(name), 254); /* 127 of two bytes: the 128th would be cut */
    assert_true(base_is_utf8(name));
}

static void an_error_is_fit_for_a_line(void **state)
{
    (void)state;
    vg_error err;
    base_fail(&err, VG_ERR_FORMAT, base_where("%s:3", "a\x1b[2J.txt"), base_mend("rm %s", "\n"),
              "label \"%s\"", "\xff\xc2\x9b");
    assert_string_equal(err.what, "label \"\\xff\\u009b\"");
    assert_string_equal(err.where, "a\\x1b[2J.txt:3");
    assert_string_equal(err.mend, "rm \\x0a");
    base_error_prefix_where(&err, "\x07");
    assert_string_equal(err.where, "\\x07: a\\x1b[2J.txt:3");
}

static void a_long_error_is_cut_between_characters(void **state)
{
    (void)state;
    char longest[3000];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(longest, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof longest; i += 3)
            memcpy(longest + i, "\xe7\x8c\xab", 4);
        vg_error err;
        base_fail(&err, VG_ERR_IO, base_where("%s", longest), longest, "%s", longest);
        assert_true(base_is_utf8(err.what) && base_is_utf8(err.where) && base_is_utf8(err.mend));
        assert_null(strchr(err.what, '\\'));
        assert_null(strchr(err.where, '\\'));
        assert_null(strchr(err.mend, '\\'));
        assert_true(strlen(err.what) >= VG_WHAT_BYTES - 3);
        base_error_prefix_where(&err, longest);
        assert_null(strchr(err.where, '\\'));
        assert_true(base_is_utf8(err.where));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_needs_nothing_stays),
        cmocka_unit_test(nothing_that_is_acted_upon_comes_through),
        cmocka_unit_test(a_small_buffer_cuts_between_characters),
        cmocka_unit_test(an_escape_is_never_cut_in_two),
        cmocka_unit_test(a_line_shows_what_it_cannot_print),
        cmocka_unit_test(a_line_shown_twice_stays),
        cmocka_unit_test(html_has_no_signs_of_its_own_left),
        cmocka_unit_test(json_reads_back),
        cmocka_unit_test(yaml_reads_the_same),
        cmocka_unit_test(a_label_has_three_escapes),
        cmocka_unit_test(a_field_comes_back_whatever_it_was),
        cmocka_unit_test(a_field_that_was_spoilt_is_refused),
        cmocka_unit_test(a_name_stays_in_its_folder),
        cmocka_unit_test(an_error_is_fit_for_a_line),
        cmocka_unit_test(a_long_error_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
