/* test_font.c: which font class names are drawn with, and which names no font can show. */
#include "support.h"

#define PRIVATE                                                                                    \
    "\xf4\x8f\xbf\xbd" /* U+10FFFD: private; fonts of symbols have their own from U+E000 on */
#define CYRILLIC "\xd0\xba\xd0\xbe\xd1\x82"

/* As in test_canvas.c. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

static image_font choose(const char *const *names, size_t n)
{
    image_font font;
    const image_names all = {.at = image_name_at, .context = names, .n = n};
    image_font_choose(&font, &all);
    return font;
}

static void latin_names_leave_the_font_as_it_is(void **state)
{
    (void)state;
    const char *names[] = {"car", "K\xc3\xa4se", "", "bad \xff byte"};
    const image_font font = choose(names, 4);
    assert_string_equal(font.family, "sans-serif");
    assert_int_equal(font.n_names_missing, 0);
    assert_int_equal(font.letter, 0);
}

static void names_with_a_letter_of_no_font_are_counted(void **state)
{
    (void)state;
    const char *names[] = {"car", "a" PRIVATE PRIVATE, "dog", PRIVATE};
    const image_font font = choose(names, 4);
    assert_int_equal(font.n_names_missing, 2);
    assert_int_equal(font.first_missing, 1);
    assert_int_equal(font.letter, 0x10fffd);
}

static void letters_that_a_font_has_are_not_missing(void **state)
{
    (void)state;
    const char *names[] = {CYRILLIC, PRIVATE};
    const image_font font = choose(names, 2);
    assert_int_equal(font.n_names_missing, 1);
    assert_int_equal(font.first_missing, 1);
}

/* The same names, the same font: nothing is kept from one choice to the next. */
static void a_choice_depends_on_its_names_alone(void **state)
{
    (void)state;
    const char *names[] = {PRIVATE, CYRILLIC};
    const image_font a = choose(names, 1), b = choose(names, 2), c = choose(names, 1);
    assert_string_equal(a.family, c.family);
    assert_int_equal(a.n_names_missing, 1);
    assert_int_equal(b.n_names_missing, 1);
    assert_int_equal(c.n_names_missing, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latin_names_leave_the_font_as_it_is),
        cmocka_unit_test(names_with_a_letter_of_no_font_are_counted),
        cmocka_unit_test(letters_that_a_font_has_are_not_missing),
        cmocka_unit_test(a_choice_depends_on_its_names_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
