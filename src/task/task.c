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
