/* test_document.c: a page is a head and its parts, and a part is the same alone. */
#include "written.h"

static void put_one(page_html *out, const void *ctx)
{
    page_put(out, "<p>%s</p>", (const char *)ctx);
}

static void put_two(page_html *out, const void *ctx)
{
    (void)ctx;
    page_put(out, "<p>two</p>");
}

static const page_part parts[] = {{"one", 7, put_one}, {"two", 9, put_two}};
static const page_link way[] = {{"<runs>", "/a b"}, {"exp", NULL}};
static page_document document = {.title = "</title><b>",
                                 .events = "/events",
                                 .topic = "a'b&c",
                                 .way = way,
                                 .n_way = 2,
                                 .parts = parts,
                                 .n_parts = 2,
                                 .ctx = "<i>"};

static void a_page_has_its_parts_and_escapes_its_head(void **state)
{
    (void)state;
    assert_int_equal(page_write(&written, &document, NULL, &written_mem, NULL), VG_OK);
    says("<title>&#60;/title&#62;&#60;b&#62;</title>");
    says("<section id='one' data-part='one' data-version='7'><p>&#60;i&#62;</p></section>");
    says("<p>two</p>");
    says("data-events='/events?topic=a%27b%26c'");
    says("<a href='/a%20b'>&#60;runs&#62;</a>");
    says("<b>exp</b>");
    says("/page.css?v=");
    says_not("<style");
    says_not("style=");   /* which page_policy forbids */
    says_not("onclick="); /* as well as this */
}

static void a_part_alone_is_the_same(void **state)
{
    (void)state;
    assert_int_equal(page_write(&written, &document, "one", &written_mem, NULL), VG_OK);
    assert_string_equal(
        text(), "<section id='one' data-part='one' data-version='7'><p>&#60;i&#62;</p></section>");
    assert_int_equal(page_write(&written, &document, "three", &written_mem, NULL), VG_ERR_ARGUMENT);
}

static void a_saved_page_needs_nothing_else(void **state)
{
    (void)state;
    document.is_saved = true;
    assert_int_equal(page_write(&written, &document, NULL, &written_mem, NULL), VG_OK);
    document.is_saved = false;
    says("<style>");
    says("prefers-color-scheme: dark");
    says("EventSource");
    says_not("page.css");
    assert_int_equal(count("</script>"), 1);
    assert_int_equal(count("http://"), 1); /* SVG's name, which nobody fetches */
}

static void assets_are_in_the_program(void **state)
{
    (void)state;
    net_answer a = {.status = 200};
    assert_true(page_answer_asset(&a, "/page.css", &written_mem));
    assert_non_null(strstr(a.body.text, ".chart"));
    assert_true(a.keeps);
    base_str_fini(&a.body);
    assert_true(page_answer_asset(&a, "/page.js", &written_mem));
    assert_non_null(strstr(a.body.text, "EventSource"));
    base_str_fini(&a.body);
    assert_false(page_answer_asset(&a, "/page.css/..", &written_mem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_page_has_its_parts_and_escapes_its_head, begin, end),
        cmocka_unit_test_setup_teardown(a_part_alone_is_the_same, begin, end),
        cmocka_unit_test_setup_teardown(a_saved_page_needs_nothing_else, begin, end),
        cmocka_unit_test_setup_teardown(assets_are_in_the_program, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
