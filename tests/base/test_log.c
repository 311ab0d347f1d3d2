/* One line, one write, valid JSON whatever the texts were. */
#define BASE_IMPLEMENTATION /* jansson's texts are freed with free */
#include "support/test.h"

#include <jansson.h>
#include <pthread.h>
#include <unistd.h>

#include "base/base.h"

static char said[1 << 20];

/* Runs fn with stderr going to a file; what it wrote is in said. */
static void hear(void (*fn)(void))
{
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    FILE *f = tmpfile();
    assert_non_null(f);
    dup2(fileno(f), STDERR_FILENO);
    fn();
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(f);
    said[fread(said, 1, sizeof said - 1, f)] = '\0';
    fclose(f);
    base_log_setup(BASE_LOG_INFO, false);
}

static json_t *parse_said(void)
{
    json_t *j = json_loads(said, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    return j;
}

static const char *field(const json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));
    assert_non_null(s);
    return s;
}

static void say_for_people(void)
{
    base_log(BASE_LOG_DEBUG, "unheard", "x=%d", 1);
    base_log(BASE_LOG_WARN, "picture skipped", "path=%s", "a\n\x1b[2Jb.jpg");
    base_log(BASE_LOG_INFO, "done", NULL);
}

static void people_read_plain_lines_without_tricks(void **state)
{
    (void)state;
    hear(say_for_people);
    assert_string_equal(said, "warning: picture skipped path=a\\x0a\\x1b[2Jb.jpg\ninfo: done\n");
}

static void say_json(void)
{
    base_log_setup(BASE_LOG_ERROR, true);
    base_log(BASE_LOG_WARN, "unheard", "x");
    base_log(BASE_LOG_ERROR, "it \"broke\"", "path=%s", "a\\b\n\t\x01\xff\xc3\xa9");
}

static void json_lines_are_escaped(void **state)
{
    (void)state;
    hear(say_json);
    json_t *j = parse_said();
    assert_string_equal(field(j, "level"), "error");
    assert_string_equal(field(j, "event"), "it \"broke\"");
    assert_string_equal(field(j, "text"), "path=a\\b\n\t\x01\xef\xbf\xbd\xc3\xa9");
    assert_true(json_number_value(json_object_get(j, "time")) > 1.5e9);
    assert_null(strchr(strchr(said, '\n') + 1, '\n'));
    json_decref(j);
}

static char endless[6000];
static const char *filler;

static void say_too_much(void)
{
    size_t n = strlen(filler);
    for (size_t i = 0; i + n < sizeof endless; i += n)
        memcpy(endless + i, filler, n + 1);
    base_log_setup(BASE_LOG_DEBUG, true);
    base_log(BASE_LOG_DEBUG, endless, "%s", endless);
}

static void lines_cut_at_2_kib_stay_valid_json(void **state)
{
    (void)state;
    static const char *const fillers[] = {"a",   "\"", "\x01", "\xc3\xa9", "x\xf0\x9f\x98\x80",
                                          "\xff"};
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++) {
        filler = fillers[i];
        hear(say_too_much);
        assert_true(strlen(said) <= 2048);
        assert_true(strlen(said) > 1900);
        assert_int_equal(said[strlen(said) - 1], '\n');
        json_decref(parse_said());
    }
}

static void say_long_for_people(void)
{
    base_log(BASE_LOG_ERROR, "long", "%s", endless);
}

static void long_lines_for_people_end_too(void **state)
{
    (void)state;
    memset(endless, 'a', sizeof endless - 1);
    hear(say_long_for_people);
    assert_true(strlen(said) <= 2048);
    assert_int_equal(said[strlen(said) - 1], '\n');
}

static vg_error told;
static bool told_json;

static void say_error(void)
{
    base_log_setup(BASE_LOG_INFO, told_json);
    base_log_error(BASE_LOG_ERROR, &told);
}

static void errors_have_three_lines_or_one_object(void **state)
{
    (void)state;
    base_fail(&told, VG_ERR_FORMAT, "a.txt:3", "use 4", "class \"80\"");
    told_json = false;
    hear(say_error);
    assert_string_equal(said, "error: class \"80\"\n  at:  a.txt:3\n  try: use 4\n");
    told_json = true;
    hear(say_error);
    json_t *j = parse_said();
    assert_string_equal(field(j, "status"), "VG_ERR_FORMAT");
    assert_string_equal(field(j, "what"), "class \"80\"");
    assert_string_equal(field(j, "where"), "a.txt:3");
    assert_string_equal(field(j, "mend"), "use 4");
    json_decref(j);
    base_fail(&told, VG_ERR_IO, NULL, NULL, "x");
    told_json = false;
    hear(say_error);
    assert_string_equal(said, "error: x\n");
}

static void the_fullest_error_still_fits_a_line(void **state)
{
    (void)state;
    memset(told.what, 1, sizeof told.what - 1);
    memset(told.where, 1, sizeof told.where - 1);
    memset(told.mend, 1, sizeof told.mend - 1);
    told_json = true;
    hear(say_error);
    assert_true(strlen(said) <= 2048);
    json_decref(parse_said());
}

static void escape_says_how_long_it_would_be(void **state)
{
    (void)state;
    char buf[16];
    assert_int_equal(base_json_escape(buf, sizeof buf, "a\"b"), 4);
    assert_string_equal(buf, "a\\\"b");
    assert_int_equal(base_json_escape(NULL, 0, "a\nb"), 4);
    /* Cut between characters: the escape of 6 does not fit in 5 + terminator. */
    assert_int_equal(base_json_escape(buf, 6, "\x01z"), 7);
    assert_string_equal(buf, "");
    assert_int_equal(base_json_escape(buf, 7, "\x01z"), 7);
    assert_string_equal(buf, "\\u0001");
    assert_int_equal(base_json_escape(buf, 1, "abc"), 3);
    assert_string_equal(buf, "");
    /* Overlong, surrogate, beyond Unicode, cut short. */
    static const char *const bad[] = {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"};
    static const size_t n_replaced[] = {2, 3, 4, 2};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(base_json_escape(buf, sizeof buf, bad[i]), 3 * n_replaced[i]);
}

static void *say_100_lines(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100; i++)
        base_log(BASE_LOG_WARN, "event", "%0500d", i);
    return NULL;
}

static void say_from_threads(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, say_100_lines, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    (void)state;
    hear(say_from_threads);
    int n = 0;
    for (const char *p = said; *p; p = strchr(p, '\n') + 1, n++) {
        assert_int_equal(strcspn(p, "\n"), strlen("warning: event ") + 500);
        assert_true(base_starts_with(p, "warning: event "));
    }
    assert_int_equal(n, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_read_plain_lines_without_tricks),
        cmocka_unit_test(json_lines_are_escaped),
        cmocka_unit_test(lines_cut_at_2_kib_stay_valid_json),
        cmocka_unit_test(long_lines_for_people_end_too),
        cmocka_unit_test(errors_have_three_lines_or_one_object),
        cmocka_unit_test(the_fullest_error_still_fits_a_line),
        cmocka_unit_test(escape_says_how_long_it_would_be),
        cmocka_unit_test(lines_of_several_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
