/* Errors keep their words, cut at the buffers' ends, and never disturb errno. */
#include "support/test.h"

#include <errno.h>

#include "base/base.h"

static void fail_fills_all_three_fields(void **state)
{
    (void)state;
    vg_error err;
    vg_status st = base_fail(&err, VG_ERR_FORMAT, base_where("%s:%d", "a.txt", 3),
                             base_mend("use %d", 4), "class %d", 80);
    assert_int_equal(st, VG_ERR_FORMAT);
    assert_int_equal(err.status, VG_ERR_FORMAT);
    assert_string_equal(err.what, "class 80");
    assert_string_equal(err.where, "a.txt:3");
    assert_string_equal(err.mend, "use 4");
}

static void fail_takes_null_for_what_is_unwanted(void **state)
{
    (void)state;
    vg_error err;
    memset(&err, 'x', sizeof err);
    assert_int_equal(base_fail(NULL, VG_ERR_IO, NULL, NULL, "x"), VG_ERR_IO);
    assert_int_equal(base_fail_errno(NULL, VG_ERR_IO, NULL, NULL, "x"), VG_ERR_IO);
    base_error_prefix_where(NULL, "x");
    base_fail(&err, VG_ERR_IO, NULL, NULL, "x");
    assert_string_equal(err.where, "");
    assert_string_equal(err.mend, "");
}

static void long_texts_are_cut_at_their_end(void **state)
{
    (void)state;
    char longer[2 * VG_WHAT_BYTES];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    vg_error err;
    errno = ENOENT;
    base_fail_errno(&err, VG_ERR_IO, longer, longer, "%s", longer);
    assert_int_equal(strlen(err.what), VG_WHAT_BYTES - 1);
    assert_int_equal(strlen(err.where), VG_WHERE_BYTES - 1);
    assert_int_equal(strlen(err.mend), VG_MEND_BYTES - 1);
    base_error_prefix_where(&err, "pre");
    assert_int_equal(strlen(err.where), VG_WHERE_BYTES - 1);
    assert_memory_equal(err.where, "pre: aaa", 8);
}

static void a_limit_that_was_met_says_how_to_raise_it(void **state)
{
    (void)state;
    vg_error err;
    errno = EMFILE;
    base_fail_errno(&err, VG_ERR_IO, NULL, "check the folder's permissions", "x");
    assert_non_null(strstr(err.mend, "ulimit -n"));
    errno = EFBIG;
    base_fail_errno(&err, VG_ERR_IO, NULL, NULL, "x");
    assert_non_null(strstr(err.mend, "ulimit -f"));
    errno = ENOSPC;
    base_fail_errno(&err, VG_ERR_IO, NULL, "choose another project", "x");
    assert_string_equal(err.mend, "choose another project");
    errno = ENOSPC;
    base_fail_errno(&err, VG_ERR_IO, NULL, NULL, "x");
    assert_non_null(strstr(err.mend, "make room"));
    errno = EACCES;
    base_fail_errno(&err, VG_ERR_IO, NULL, "check the folder's permissions", "x");
    assert_string_equal(err.mend, "check the folder's permissions");
}

static void errno_is_told_and_kept(void **state)
{
    (void)state;
    vg_error err;
    errno = ENOENT;
    base_fail_errno(&err, VG_ERR_IO, NULL, NULL, "cannot read %s", "it");
    assert_string_equal(err.what, "cannot read it: No such file or directory");
    assert_int_equal(errno, ENOENT);
    base_fail(&err, VG_ERR_IO, NULL, NULL, "other");
    assert_int_equal(errno, ENOENT);
}

static void an_error_can_be_rewritten_from_itself(void **state)
{
    (void)state;
    vg_error err;
    base_fail(&err, VG_ERR_IO, "here", "do it", "inner");
    base_fail(&err, VG_ERR_FORMAT, err.where, err.mend, "outer (%s)", err.what);
    assert_string_equal(err.what, "outer (inner)");
    assert_string_equal(err.where, "here");
    assert_string_equal(err.mend, "do it");
}

static void prefix_goes_before_where(void **state)
{
    (void)state;
    vg_error err;
    base_fail(&err, VG_ERR_IO, "byte 3", NULL, "x");
    base_error_prefix_where(&err, "a.pt");
    assert_string_equal(err.where, "a.pt: byte 3");
    base_fail(&err, VG_ERR_IO, NULL, NULL, "x");
    base_error_prefix_where(&err, "a.pt");
    assert_string_equal(err.where, "a.pt");
}

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    assert_string_equal(vg_status_name(VG_ERR_LIMIT), "VG_ERR_LIMIT");
    assert_string_equal(vg_status_text(VG_OK), "no error");
    assert_non_null(vg_status_name((vg_status)99));
    assert_non_null(vg_status_text((vg_status)99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_fills_all_three_fields),
        cmocka_unit_test(fail_takes_null_for_what_is_unwanted),
        cmocka_unit_test(long_texts_are_cut_at_their_end),
        cmocka_unit_test(errno_is_told_and_kept),
        cmocka_unit_test(a_limit_that_was_met_says_how_to_raise_it),
        cmocka_unit_test(an_error_can_be_rewritten_from_itself),
        cmocka_unit_test(prefix_goes_before_where),
        cmocka_unit_test(every_status_has_a_name_and_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
