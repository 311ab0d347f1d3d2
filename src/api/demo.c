/* demo.c: vg_demo over the drawn data sets: options, and the run folder that it goes into. */
#include "demo/demo.h"
#include "api.h"
#include "report/report.h"

vg_demo_options vg_demo_options_default(void)
{
    return (vg_demo_options){.project = "runs", .name = "demo", .n_unseen = 8};
}

const vg_demo_subject *vg_demo_subject_get(vg_task which)
{
    return (unsigned)which < VG_N_TASKS ? &demo_subjects[which]->about : NULL;
}

static vg_status check(const vg_demo_options *o, vg_error *err)
{
    if (!o->project || !*o->project || !o->name || !*o->name)
        return base_fail(err, VG_ERR_ARGUMENT, "project, name", "leave them at their defaults",
                         "an empty project or name");
    vg_status st = api_check_range("n_train", o->n_train, 0, DEMO_MOST_PICTURES, err);
    if (st == VG_OK)
        st = api_check_range("n_val", o->n_val, 0, DEMO_MOST_PICTURES, err);
    if (st == VG_OK)
        st = api_check_range("n_unseen", o->n_unseen, 1, DEMO_MOST_PICTURES, err);
    if (st == VG_OK)
        st = api_check_range("threads", o->threads, 0, API_MOST_THREADS, err);
    if (st == VG_OK)
        st = api_check_range("seed", o->seed, 0, INT32_MAX, err);
    if (st == VG_OK)
        st = api_check_range("task", (int)o->task, 0, VG_N_TASKS - 1, err);
    return st;
}

vg_status vg_demo_draw(vg_demo *out, const vg_demo_options *o, vg_error *err)
{
    char folder[VG_DEMO_PATH_BYTES];
    *out = (vg_demo){.n_objects = 0};
    vg_status st = check(o, err);
    if (st == VG_OK)
        st = report_run_folder_make(out->folder, sizeof out->folder, o->project, o->name, false,
                                    NULL, err);
    if (st != VG_OK)
        return st;
    const demo_subject *subject = demo_subjects[o->task];
    const demo_dataset dataset = {
        .subject = subject,
        .folder = folder,
        .n_pictures = {o->n_train > 0 ? o->n_train : subject->about.n_train,
                       o->n_val > 0 ? o->n_val : subject->about.n_val, o->n_unseen},
        .seed = (uint64_t)o->seed,
        .threads = o->threads,
        .progress = o->progress,
        .ctx = o->ctx};
    if (!base_path_join(folder, sizeof folder, out->folder, "dataset") ||
        !demo_dataset_path(out->data, sizeof out->data, &dataset) ||
        !demo_dataset_unseen(out->unseen, sizeof out->unseen, &dataset))
        return base_fail(err, VG_ERR_LIMIT, out->folder, "choose a shorter project or name",
                         "the path of the data set is too long");
    return demo_dataset_draw(&out->n_objects, &dataset, err);
}
