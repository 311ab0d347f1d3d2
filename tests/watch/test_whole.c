/* test_whole.c: a checkpoint whose writer was cut off is never taken for a whole one. */
#include "archive.h"
#include "temp.h"

#include <stdlib.h>

#include "watch/guard/whole.h"

static watch_whole check(const char *name)
{
    const char *why;
    const watch_whole whole = watch_whole_check(temp_path(name), &why);
    assert_true(why[0] != '\0');
    return whole;
}

/* Of every shorter length, and of the whole. */
static void check_all_lengths(const char *name, const archive *a)
{
    for (size_t n = 0; n < a->n; n++) {
        temp_write(name, a->bytes, n);
        if (check(name) != WATCH_WHOLE_NO)
            fail_msg("%s of %zu bytes is believed at %zu", name, a->n, n);
    }
    temp_write(name, a->bytes, a->n);
    assert_int_equal(check(name), WATCH_WHOLE_YES);
}

static void a_zip_cut_anywhere_is_not_whole(void **state)
{
    (void)state;
    const archive near = archive_zip('a', false), far = archive_zip('b', true);
    check_all_lengths("last.pt", &near);
    check_all_lengths("last.ckpt", &far);
}

static void safetensors_cut_anywhere_are_not_whole(void **state)
{
    (void)state;
    const archive a = archive_safetensors(500);
    check_all_lengths("model.safetensors", &a);
    temp_write("long.safetensors", a.bytes, a.n + 1);
    assert_int_equal(check("long.safetensors"), WATCH_WHOLE_NO);
}

static void a_hole_in_the_middle_is_seen(void **state)
{
    (void)state;
    archive a = archive_zip('a', false);
    memset(a.bytes, 0, 4); /* the first entry's head was not written yet */
    temp_write("hole.pt", a.bytes, a.n);
    assert_int_equal(check("hole.pt"), WATCH_WHOLE_NO);
    a = archive_zip('a', false);
    memset(a.bytes + 30 + 16 + 40, 0, 8); /* the second's */
    temp_write("hole.pt", a.bytes, a.n);
    assert_int_equal(check("hole.pt"), WATCH_WHOLE_NO);
}

static void other_kinds_are_unknown_and_empty_ones_are_not_whole(void **state)
{
    (void)state;
    temp_write("old.pt", "\x80\x02]q\x01.", 6);
    assert_int_equal(check("old.pt"), WATCH_WHOLE_UNKNOWN);
    temp_write("x.npz", "\x80\x02]q\x01.", 6);
    assert_int_equal(check("x.npz"), WATCH_WHOLE_NO);
    temp_write("empty.pt", "", 0);
    assert_int_equal(check("empty.pt"), WATCH_WHOLE_NO);
    temp_write("zeros.pt", "\0\0\0\0\0\0", 6);
    assert_int_equal(check("zeros.pt"), WATCH_WHOLE_NO);
    assert_int_equal(check("absent.pt"), WATCH_WHOLE_NO);
    assert_int_equal(mkfifo(temp_path("pipe.pt"), 0600), 0);
    assert_int_equal(check("pipe.pt"), WATCH_WHOLE_NO);
}

static void weights_of_torch_are_whole(void **state)
{
    const char *why;
    (void)state;
    assert_int_equal(watch_whole_check(TEST_GOLDEN_DIR "/yolo11n_random.pt", &why),
                     WATCH_WHOLE_YES);
    assert_int_equal(watch_whole_check(TEST_GOLDEN_DIR "/yolo11n_random.safetensors", &why),
                     WATCH_WHOLE_YES);
}

static void wild_bytes_are_read_within_their_bounds(void **state)
{
    static const char *const names[] = {"wild.pt", "wild.safetensors"};
    (void)state;
    srand(7);
    for (int i = 0; i < 4000; i++) {
        archive a = i % 3 == 0   ? archive_safetensors(300)
                    : i % 3 == 1 ? archive_zip('x', true)
                                 : archive_zip('x', false);
        for (int k = 0; k < 1 + i % 5; k++)
            a.bytes[(size_t)rand() % a.n] = (unsigned char)(rand() % 3 ? rand() : 255);
        temp_write(names[i % 3 == 0], a.bytes, a.n - (size_t)rand() % 3);
        check(names[i % 3 == 0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zip_cut_anywhere_is_not_whole),
        cmocka_unit_test(safetensors_cut_anywhere_are_not_whole),
        cmocka_unit_test(a_hole_in_the_middle_is_seen),
        cmocka_unit_test(other_kinds_are_unknown_and_empty_ones_are_not_whole),
        cmocka_unit_test(weights_of_torch_are_whole),
        cmocka_unit_test(wild_bytes_are_read_within_their_bounds)};
    return cmocka_run_group_tests(tests, temp_make, temp_remove);
}
