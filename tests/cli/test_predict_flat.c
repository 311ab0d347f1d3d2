/* The proof of flat memory sees what is not flat, which a healthy program never shows it. */
#include "support/test.h"

#include "cli/predict.h"

/* Stands in for the API: the job's memory is what the test says. */
static vg_memory memory;

void vg_predict_memory(const vg_predict *p, vg_memory *out)
{
    (void)p;
    *out = memory;
}

static vg_memory healthy(void)
{
    return (vg_memory){.items = {{.owner = "weights", .in_use_bytes = 1000, .n_allocations = 3},
                                 {.owner = "frames", .in_use_bytes = 500, .n_allocations = 7}},
                       .n_items = 2,
                       .library_bytes = 100000,
                       .resident_bytes = 50 << 20};
}

static predict_flat flat;
static size_t n_seen;

static void see(int width, int height)
{
    vg_predict_result r = {.input_width = width, .input_height = height};
    predict_flat_see(&flat, &r, ++n_seen, NULL);
}

/* Two pictures of one shape as the warm-up, one more behind it. */
static int setup(void **state)
{
    (void)state;
    memory = healthy();
    flat = (predict_flat){.n_warm_up = 2, .plan_cache = 4};
    n_seen = 0;
    see(640, 480);
    see(640, 480);
    see(640, 480);
    return 0;
}

static char table[4096];

static bool is_flat(void)
{
    FILE *f = tmpfile();
    bool good = predict_flat_print(f, &flat, &memory, n_seen);
    rewind(f);
    table[fread(table, 1, sizeof table - 1, f)] = '\0';
    fclose(f);
    return good;
}

static void the_warm_up_is_a_tenth_within_bounds(void **state)
{
    (void)state;
    assert_int_equal(predict_flat_warm_up(-1, 5), 10);
    assert_int_equal(predict_flat_warm_up(-1, 500), 50);
    assert_int_equal(predict_flat_warm_up(-1, 100000), 100);
    assert_int_equal(predict_flat_warm_up(7, 100000), 7);
}

static void nothing_new_is_flat(void **state)
{
    (void)state;
    assert_true(flat.warm);
    assert_true(is_flat());
    assert_non_null(strstr(table, "Flat: nothing grew."));
    memory.items[1].in_use_bytes -= 100; /* less is flat, too */
    assert_true(is_flat());
}

static void one_byte_of_ours_is_growth(void **state)
{
    (void)state;
    memory.items[1].in_use_bytes++;
    assert_false(is_flat());
    assert_non_null(strstr(table, "+1            0  GREW"));
}

static void an_owner_that_came_later_is_growth(void **state)
{
    (void)state;
    memory.items[memory.n_items++] = (vg_memory_item){.owner = "late", .in_use_bytes = 1};
    assert_false(is_flat());
}

static void an_allocation_at_a_fixed_shape_is_not_flat(void **state)
{
    (void)state;
    memory.items[0].n_allocations++;
    assert_false(is_flat());
    assert_non_null(strstr(table, "ALLOCATED"));
}

static void a_new_shape_may_be_planned_but_not_grow(void **state)
{
    (void)state;
    memory.items[0].n_allocations++;
    see(640, 640);
    assert_true(is_flat());
    memory.items[0].in_use_bytes++;
    assert_false(is_flat());
}

static void shapes_of_the_warm_up_are_planned_again_when_there_are_more_than_are_kept(void **state)
{
    (void)state;
    flat = (predict_flat){.n_warm_up = 5, .plan_cache = 4};
    n_seen = 0;
    for (int i = 1; i <= 4; i++)
        see(640, 32 * i);
    see(640, 32);
    see(640, 32);
    assert_true(flat.warm);
    memory.items[0].n_allocations++;
    assert_false(is_flat()); /* four fit */
    flat.plan_cache = 3;
    assert_true(is_flat());
}

static void a_skipped_picture_has_no_shape(void **state)
{
    (void)state;
    vg_predict_result r = {.status = VG_ERR_FORMAT};
    predict_flat_see(&flat, &r, ++n_seen, NULL);
    memory.items[0].n_allocations++;
    assert_false(is_flat());
}

static void libraries_and_the_resident_set_have_a_megabyte(void **state)
{
    (void)state;
    memory.library_bytes += 1 << 20;
    memory.resident_bytes += 1 << 20;
    assert_true(is_flat());
    memory.library_bytes++;
    assert_false(is_flat());
    memory.library_bytes--;
    memory.resident_bytes++;
    assert_false(is_flat());
}

static void more_shapes_than_the_table_holds_are_new_ones(void **state)
{
    (void)state;
    flat = (predict_flat){.n_warm_up = 1000, .plan_cache = 1000};
    n_seen = 0;
    for (int i = 1; i <= FLAT_SHAPES_MAX; i++)
        see(32 * i, 32);
    assert_false(flat.new_shape);
    see(32, 64);
    assert_true(flat.new_shape);
    assert_int_equal(flat.n_shapes, FLAT_SHAPES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_warm_up_is_a_tenth_within_bounds, setup),
        cmocka_unit_test_setup(nothing_new_is_flat, setup),
        cmocka_unit_test_setup(one_byte_of_ours_is_growth, setup),
        cmocka_unit_test_setup(an_owner_that_came_later_is_growth, setup),
        cmocka_unit_test_setup(an_allocation_at_a_fixed_shape_is_not_flat, setup),
        cmocka_unit_test_setup(a_new_shape_may_be_planned_but_not_grow, setup),
        cmocka_unit_test_setup(
            shapes_of_the_warm_up_are_planned_again_when_there_are_more_than_are_kept, setup),
        cmocka_unit_test_setup(a_skipped_picture_has_no_shape, setup),
        cmocka_unit_test_setup(libraries_and_the_resident_set_have_a_megabyte, setup),
        cmocka_unit_test_setup(more_shapes_than_the_table_holds_are_new_ones, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
