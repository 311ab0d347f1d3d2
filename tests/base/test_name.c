/* A hint that is wrong costs more than none. */
#include "support/test.h"

#include "base/base.h"

static void a_slip_of_the_fingers_is_near(void **state)
{
    (void)state;
    assert_int_equal(base_edit_distance("kitten", "sitting"), 3);
    assert_int_equal(base_edit_distance("", "abc"), 3);
    assert_int_equal(base_edit_distance("abc", ""), 3);
    assert_int_equal(base_edit_distance("imgsz", "imgsz"), 0);
    assert_int_equal(base_edit_distance("cnof", "conf"), 1); /* two letters changed places */
    assert_true(vg_name_is_near("imgzs", "imgsz") && vg_name_is_near("weight", "weights"));
    assert_true(vg_name_is_near("ephocs", "epochs")); /* no letter is wrong */
    assert_true(vg_name_is_near("preview_widht", "preview_width"));
    assert_false(vg_name_is_near("time", "name") || vg_name_is_near("save", "name"));
    assert_false(vg_name_is_near("nms", "nbs") || vg_name_is_near("show_conf", "save_conf"));
    char a[200];
    memset(a, 'a', sizeof a - 1);
    a[sizeof a - 1] = '\0';
    assert_int_equal(base_edit_distance(a, ""), 63);
}

static void dashes_and_lines_below_are_the_same(void **state)
{
    (void)state;
    assert_true(vg_name_equal("max-det", "max_det") && vg_name_equal("", ""));
    assert_false(vg_name_equal("max_det", "max_dets") || vg_name_equal("max-det", "maxdet"));
    assert_int_equal(base_edit_distance("vid-stride", "vid_stride"), 0);
    assert_true(vg_name_is_near("vid-strid", "vid_stride"));
}

static const char *const names[] = {"imgsz", NULL, "conf", "conf_thres"};

static const char *name_at(const void *context, size_t i)
{
    assert_ptr_equal(context, names);
    return names[i];
}

static void the_nearest_of_several_is_named(void **state)
{
    (void)state;
    const size_t n = sizeof names / sizeof *names;
    assert_string_equal(vg_name_nearest("cnof", name_at, names, n), "conf");
    assert_string_equal(vg_name_nearest("conf-thers", name_at, names, n), "conf_thres");
    assert_null(vg_name_nearest("zebra", name_at, names, n));
    assert_null(vg_name_nearest("conf", name_at, names, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_fingers_is_near),
        cmocka_unit_test(dashes_and_lines_below_are_the_same),
        cmocka_unit_test(the_nearest_of_several_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
