/* task.c: the table of tasks. */
#include "task.h"

#include <string.h>

static const task *const tasks[VG_N_TASKS] = {
    [VG_TASK_DETECT] = &task_detect,     [VG_TASK_SEGMENT] = &task_segment,
    [VG_TASK_POSE] = &task_pose,         [VG_TASK_OBB] = &task_obb,
    [VG_TASK_CLASSIFY] = &task_classify,
};

const task *task_of(vg_task id)
{
    return tasks[id];
}

const task *task_find(const char *name)
{
    for (int i = 0; i < VG_N_TASKS; i++)
        if (strcmp(tasks[i]->name, name) == 0)
            return tasks[i];
    return NULL;
}

task_list task_names(void)
{
    task_list list = {{0}};
    size_t n = 0;
    for (int i = 0; i < VG_N_TASKS; i++) {
        const char *before = i == 0 ? "" : i < VG_N_TASKS - 1 ? ", " : " or ";
        base_format(list.text + n, sizeof list.text - n, "%s%s", before, tasks[i]->name);
        n += strlen(list.text + n);
    }
    return list;
}

vg_status task_must_be(vg_task is, const char *wanted, const char *model, vg_error *err)
{
    const task *t = task_of(is);
    if (wanted == NULL || strcmp(wanted, "any") == 0 || strcmp(wanted, t->name) == 0)
        return VG_OK;
    const task *other = task_find(wanted);
    if (other == NULL)
        return base_fail(err, VG_ERR_ARGUMENT, "task", task_names().text, "no task is called %.60s",
                         wanted);
    return base_fail(
        err, VG_ERR_ARGUMENT, model,
        base_mend("leave the task out, or take a model such as yolo11n%s", other->suffix),
        "it is made for the task %s, not for %s", t->name, other->name);
}

report_names task_report_names(const task *t)
{
    return (report_names){.losses = t->losses,
                          .n_losses = t->n_losses,
                          .metrics = t->metrics,
                          .n_metrics = t->n_metrics,
                          .second = t->second,
                          .has_boxes = task_judge_has_boxes(t->judge)};
}
