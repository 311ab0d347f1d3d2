/* The table of tasks: every row is whole, and is found by what users type. */
#include "task/task.h"

#include "support/test.h"

static void every_task_has_a_row_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < VG_N_TASKS; i++) {
        const task *t = task_of((vg_task)i);
        assert_non_null(t);
        assert_int_equal(t->id, i);
        assert_ptr_equal(task_find(t->name), t);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(t->suffix, task_of((vg_task)k)->suffix);
            assert_string_not_equal(t->head, task_of((vg_task)k)->head);
        }
    }
    assert_string_equal(task_names().text, "detect, segment, pose, obb or classify");
    assert_null(task_find("depth"));
    assert_null(task_find(""));
}

static void counts_are_those_of_the_lists(void **state)
{
    (void)state;
    for (int i = 0; i < VG_N_TASKS; i++) {
        const task *t = task_of((vg_task)i);
        assert_in_range(t->n_losses, 1, TASK_MOST_LOSSES);
        assert_in_range(t->n_metrics, 1, TASK_MOST_METRICS);
        for (int k = 0; k < TASK_MOST_LOSSES; k++)
            assert_int_equal(t->losses[k] != NULL, k < t->n_losses);
        for (int k = 0; k < TASK_MOST_METRICS; k++)
            assert_int_equal(t->metrics[k] != NULL, k < t->n_metrics);
        assert_int_equal(t->second != NULL, t->second_letter != NULL);
        assert_int_equal(t->second != NULL, t->n_metrics == TASK_MOST_METRICS);
        /* predictions.json is of objects; views and picks of a device are of upright boxes alone.
         */
        assert_int_equal(t->put_coco != NULL, !t->is_whole);
        assert_int_equal(t->has_boxes_alone, t->find == task_find_boxes);
        assert_int_equal(t->has_boxes_alone, t->judge == &task_judge_boxes);
    }
}

static void a_model_of_another_task_is_an_error_that_says_both(void **state)
{
    (void)state;
    vg_error err;
    assert_int_equal(task_must_be(VG_TASK_POSE, NULL, "a.pt", &err), VG_OK);
    assert_int_equal(task_must_be(VG_TASK_POSE, "any", "a.pt", &err), VG_OK);
    assert_int_equal(task_must_be(VG_TASK_POSE, "pose", "a.pt", &err), VG_OK);
    assert_int_equal(task_must_be(VG_TASK_POSE, "segment", "a.pt", &err), VG_ERR_ARGUMENT);
    assert_string_equal(err.where, "a.pt");
    assert_string_equal(err.what, "it is made for the task pose, not for segment");
    assert_string_equal(err.mend, "leave the task out, or take a model such as yolo11n-seg");
    assert_int_equal(task_must_be(VG_TASK_POSE, "depth", "a.pt", &err), VG_ERR_ARGUMENT);
    assert_string_equal(err.mend, task_names().text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_has_a_row_of_its_own),
        cmocka_unit_test(counts_are_those_of_the_lists),
        cmocka_unit_test(a_model_of_another_task_is_an_error_that_says_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
