/* demo.c: vg_demo over the drawn data set: options, and the run folder that it goes into. */
#include "demo/demo.h"
#include "api.h"
#include "report/report.h"

vg_demo_options vg_demo_options_default(void)
{
    return (vg_demo_options){
        .project = "runs", .name = "demo", .n_train = 480, .n_val = 96, .n_unseen = 8};
}

static vg_status check(const vg_demo_options *o, vg_error *err)
{
    if (!o->project || !*o->project || !o->name || !*o->name)
        return base_fail(err, VG_ERR_ARGUMENT, "project, name", "leave them at their defaults",
                         "an empty project or name");
    vg_status st = api_check_range("n_train", o->n_train, 1, DEMO_MOST_PICTURES, err);
    if (st == VG_OK)
        st = api_check_range("n_val", o->n_val, 1, DEMO_MOST_PICTURES, err);
    if (st == VG_OK)
        st = api_check_range("n_unseen", o->n_unseen, 1, DEMO_MOST_PICTURES, err);
    if (st == VG_OK)
        st = api_check_range("threads", o->threads, 0, API_MOST_THREADS, err);
    if (st == VG_OK)
        st = api_check_range("seed", o->seed, 0, INT32_MAX, err);
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
    if (!base_path_join(folder, sizeof folder, out->folder, "dataset") ||
        !base_path_join(out->data, sizeof out->data, folder, DEMO_YAML) ||
        !base_path_join(out->unseen, sizeof out->unseen, folder, "images/unseen"))
        return base_fail(err, VG_ERR_LIMIT, out->folder, "choose a shorter project or name",
                         "the path of the data set is too long");
    const demo_dataset dataset = {.folder = folder,
                                  .n_pictures = {o->n_train, o->n_val, o->n_unseen},
                                  .seed = (uint64_t)o->seed,
                                  .threads = o->threads,
                                  .progress = o->progress,
                                  .ctx = o->ctx};
    return demo_dataset_draw(&out->n_objects, &dataset, err);
}
