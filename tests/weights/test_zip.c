/* test_zip.c: a zip's table of contents, true and forged. */
#include "support/test.h"

#include "weights/make.h"
#include "weights/zip.h"

static make_zip z; /* too large for a stack */

static void make_two(int as_zip64)
{
    make_zip_begin(&z);
    make_zip_entry(&z, "b", "hello", 5);
    make_zip_entry(&z, "a", "", 0);
    make_zip_finish(&z, as_zip64);
}

static void accept(void)
{
    base_mem mem;
    vg_error err;
    zip_contents c;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    if (zip_read(&c, z.file.at, z.file.n, "zip", &mem, &err) != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    assert_int_equal(c.n_entries, 2);
    const zip_entry *e = zip_find(&c, "b");
    assert_non_null(e);
    assert_int_equal(e->n_bytes, 5);
    assert_memory_equal(e->data, "hello", 5);
    assert_int_equal(zip_find(&c, "a")->n_bytes, 0);
    assert_null(zip_find(&c, "aa"));
    assert_null(zip_find(&c, ""));
    zip_fini(&c);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void refuse(vg_status expected, const char *what)
{
    base_mem mem;
    vg_error err = {0};
    zip_contents c;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    const vg_status st = zip_read(&c, z.file.at, z.file.n, "zip", &mem, &err);
    if (st != expected || strstr(err.what, what) == NULL)
        fail_msg("%s: \"%s\" instead of \"%s\"", vg_status_name(st), err.what, what);
    assert_int_equal(err.status, st);
    assert_true(strncmp(err.where, "zip", 3) == 0);
    zip_fini(&c);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void entries_are_found_where_they_lie(void **state)
{
    (void)state;
    make_two(0);
    accept();
}

static void zip64_records_are_read(void **state)
{
    (void)state;
    make_two(1);
    accept();
}

static void a_comment_at_the_end_is_passed_over(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.end_at + 20, 9, 2);
    MAKE_ADD(&z.file, "PK\5\6 text");
    accept();
}

static void sizes_behind_the_data_are_read_from_the_table(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.entries[0].local_at + 6, 0x0808, 2);
    make_patch(&z.file, z.entries[0].local_at + 18, 0, 8);
    accept();
}

static void compressed_entries_are_marked(void **state)
{
    (void)state;
    base_mem mem;
    zip_contents c;
    base_mem_init(&mem, "test", NULL, SIZE_MAX);
    make_two(0);
    make_patch(&z.file, z.entries[0].record_at + 10, 8, 2);
    make_patch(&z.file, z.entries[0].local_at + 8, 8, 2);
    assert_int_equal(zip_read(&c, z.file.at, z.file.n, "zip", &mem, NULL), VG_OK);
    assert_false(zip_find(&c, "b")->is_stored);
    assert_true(zip_find(&c, "a")->is_stored);
    zip_fini(&c);
}

static void overlapping_entries_are_refused(void **state)
{
    (void)state;
    make_two(0);
    /* The first's data grow over the second's header, and the table agrees. */
    make_patch(&z.file, z.entries[0].record_at + 20, 9, 4);
    make_patch(&z.file, z.entries[0].record_at + 24, 9, 4);
    make_patch(&z.file, z.entries[0].local_at + 18, 9, 4);
    make_patch(&z.file, z.entries[0].local_at + 22, 9, 4);
    refuse(VG_ERR_FORMAT, "overlap");
}

static void two_entries_of_one_place_are_refused(void **state)
{
    (void)state;
    make_zip_begin(&z);
    make_zip_entry(&z, "a", "1", 1);
    make_zip_entry(&z, "a", "2", 1);
    make_zip_finish(&z, 0);
    make_patch(&z.file, z.entries[1].record_at + 42, z.entries[0].local_at, 4);
    refuse(VG_ERR_FORMAT, "overlap");
}

static void two_entries_of_one_name_are_refused(void **state)
{
    (void)state;
    make_zip_begin(&z);
    make_zip_entry(&z, "a", "1", 1);
    make_zip_entry(&z, "a", "2", 1);
    make_zip_finish(&z, 0);
    refuse(VG_ERR_FORMAT, "same name");
}

static void a_local_header_of_another_name_is_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.entries[0].local_at + 30, 'c', 1);
    refuse(VG_ERR_FORMAT, "another name");
}

static void a_local_header_of_another_size_is_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.entries[0].local_at + 22, 4, 4);
    refuse(VG_ERR_FORMAT, "another size");
}

static void a_local_header_of_another_method_is_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.entries[0].local_at + 8, 8, 2);
    refuse(VG_ERR_FORMAT, "another method");
}

static void a_local_header_elsewhere_is_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.entries[0].record_at + 42, z.entries[0].local_at + 1, 4);
    refuse(VG_ERR_FORMAT, "not where the zip's table says");
    make_patch(&z.file, z.entries[0].record_at + 42, z.table_at - 4, 4);
    refuse(VG_ERR_FORMAT, "outside the zip's data");
}

static void huge_sizes_are_refused(void **state)
{
    (void)state;
    make_two(1);
    const size_t extra = z.entries[0].record_at + 46 + 1 + 4;
    for (int i = 0; i < 2; i++)
        make_patch(&z.file, extra + 8 * (size_t)i, UINT64_MAX - 40, 8);
    make_patch(&z.file, z.entries[0].local_at + 6, 8,
               2); /* so that the local sizes do not matter */
    refuse(VG_ERR_FORMAT, "beyond the zip's data");
    make_patch(&z.file, extra + 16, UINT64_MAX, 8);
    refuse(VG_ERR_FORMAT, "outside the zip's data");
}

static void a_table_outside_the_file_is_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.end_at + 12, 0xfffffffe, 4);
    refuse(VG_ERR_FORMAT, "outside the file");
    make_two(0);
    make_patch(&z.file, z.end_at + 16, 0xfffffffe, 4);
    refuse(VG_ERR_FORMAT, "outside the file");
}

static void more_entries_than_the_table_has_room_for_are_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.end_at + 8, 0xfffe, 2);
    make_patch(&z.file, z.end_at + 10, 0xfffe, 2);
    refuse(VG_ERR_FORMAT, "too short");
}

static void a_missing_zip64_locator_is_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.end_at + 10, 0xffff, 2);
    refuse(VG_ERR_FORMAT, "zip64");
    make_two(1);
    make_patch(&z.file, z.end_at - 12, UINT64_MAX - 100, 8);
    refuse(VG_ERR_FORMAT, "locator");
}

static void a_missing_zip64_field_is_refused(void **state)
{
    (void)state;
    make_two(1);
    make_patch(&z.file, z.entries[1].record_at + 47, 2, 2); /* the field's number */
    refuse(VG_ERR_FORMAT, "zip64 field");
}

static void encrypted_entries_are_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.entries[1].record_at + 8, 1, 2);
    refuse(VG_ERR_UNSUPPORTED, "encrypted");
}

static void several_disks_are_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.end_at + 4, 1, 2);
    refuse(VG_ERR_UNSUPPORTED, "disks");
    make_two(0);
    make_patch(&z.file, z.entries[1].record_at + 34, 1, 2);
    refuse(VG_ERR_UNSUPPORTED, "disks");
}

static void names_with_zero_bytes_or_without_any_are_refused(void **state)
{
    (void)state;
    make_two(0);
    make_patch(&z.file, z.entries[1].record_at + 46, 0, 1);
    refuse(VG_ERR_FORMAT, "proper name");
}

static void an_empty_zip_is_refused(void **state)
{
    (void)state;
    make_zip_begin(&z);
    make_zip_finish(&z, 0);
    refuse(VG_ERR_FORMAT, "empty");
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    make_two(1);
    const size_t whole = z.file.n;
    for (z.file.n = 0; z.file.n < whole; z.file.n++)
        refuse(VG_ERR_FORMAT, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_where_they_lie),
        cmocka_unit_test(zip64_records_are_read),
        cmocka_unit_test(a_comment_at_the_end_is_passed_over),
        cmocka_unit_test(sizes_behind_the_data_are_read_from_the_table),
        cmocka_unit_test(compressed_entries_are_marked),
        cmocka_unit_test(overlapping_entries_are_refused),
        cmocka_unit_test(two_entries_of_one_place_are_refused),
        cmocka_unit_test(two_entries_of_one_name_are_refused),
        cmocka_unit_test(a_local_header_of_another_name_is_refused),
        cmocka_unit_test(a_local_header_of_another_size_is_refused),
        cmocka_unit_test(a_local_header_of_another_method_is_refused),
        cmocka_unit_test(a_local_header_elsewhere_is_refused),
        cmocka_unit_test(huge_sizes_are_refused),
        cmocka_unit_test(a_table_outside_the_file_is_refused),
        cmocka_unit_test(more_entries_than_the_table_has_room_for_are_refused),
        cmocka_unit_test(a_missing_zip64_locator_is_refused),
        cmocka_unit_test(a_missing_zip64_field_is_refused),
        cmocka_unit_test(encrypted_entries_are_refused),
        cmocka_unit_test(several_disks_are_refused),
        cmocka_unit_test(names_with_zero_bytes_or_without_any_are_refused),
        cmocka_unit_test(an_empty_zip_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
