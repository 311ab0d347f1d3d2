/* validation.c: accounts, results and plots of training and validation. */
#include "validation.h"

void api_accounts_init(api_accounts *a)
{
    static const char *const tags[API_N_OWNERS] = {"data", "model", "activations", "work",
                                                   "report"};
    *a = (api_accounts){0};
    base_mem_init(&a->root, "vigil", NULL, SIZE_MAX);
    for (int i = 0; i < API_N_OWNERS; i++)
        base_mem_init(&a->owner[i], tags[i], &a->root, SIZE_MAX);
    a->lent = (train_accounts){.data = &a->owner[API_DATA],
                               .model = &a->owner[API_MODEL],
                               .activations = &a->owner[API_ACTIVATIONS],
                               .work = &a->owner[API_WORK]};
}

void api_accounts_plan(api_accounts *a)
{
    for (int i = 0; i < API_N_OWNERS; i++)
        a->planned_bytes[i] = a->owner[i].in_use_bytes;
}

void api_accounts_memory(vg_memory *out, const api_accounts *a)
{
    *out = (vg_memory){.in_use_bytes = a->root.in_use_bytes,
                       .library_bytes = base_mem_library_bytes(),
                       .resident_bytes = base_mem_resident_bytes(),
                       .peak_resident_bytes = base_mem_peak_resident_bytes()};
    for (int i = 0; i < API_N_OWNERS; i++) {
        if (a->owner[i].n_allocs == 0) /* nobody's here */
            continue;
        out->items[out->n_items++] = (vg_memory_item){.owner = a->owner[i].tag,
                                                      .planned_bytes = a->planned_bytes[i],
                                                      .in_use_bytes = a->owner[i].in_use_bytes,
                                                      .peak_bytes = a->owner[i].peak_bytes,
                                                      .n_allocations = a->owner[i].n_allocs};
        out->planned_bytes += a->planned_bytes[i];
    }
}

vg_data_report api_data_report(const data_set *set)
{
    const data_report *r = data_set_report(set);
    size_t n_objects = 0; /* the report's are those before the choice of classes */
    for (size_t i = 0; i < data_set_size(set); i++)
        n_objects += data_set_picture(set, i)->n_labels;
    return (vg_data_report){.n_pictures = data_set_size(set),
                            .n_objects = n_objects,
                            .n_found = r->n_found,
                            .n_missing = r->n_missing,
                            .n_empty = r->n_empty,
                            .n_corrupt = r->n_corrupt,
                            .n_absent = r->n_absent,
                            .n_duplicates = r->n_duplicates};
}

vg_status api_class_names(const char ***out, const data_spec *spec, int nc, base_mem *mem,
                          vg_error *err)
{
    const bool is_single = nc != data_spec_nc(spec);
    *out = base_alloc_zero(mem, (size_t)nc, sizeof **out, err);
    if (*out == NULL)
        return VG_ERR_MEMORY;
    for (int c = 0; c < nc; c++)
        (*out)[c] = is_single ? "item" : data_spec_class_name(spec, c);
    return VG_OK;
}

vg_status api_result_make(api_result *out, const train_validation *v, const char *const *names,
                          base_mem *mem, vg_error *err)
{
    const detect_metrics_result *m = &v->metrics;
    *out = (api_result){0};
    if (m->n_classes > 0) {
        out->classes = base_alloc_zero(mem, m->n_classes, sizeof *out->classes, err);
        if (out->classes == NULL)
            return VG_ERR_MEMORY;
    }
    for (size_t i = 0; i < m->n_classes; i++)
        out->classes[i] = detect_metrics_class(m, i, names);
    out->result = (vg_val_result){.n_pictures = m->n_pictures,
                                  .n_instances = m->n_truths,
                                  .n_detections = m->n_detections,
                                  .precision = m->mean_p,
                                  .recall = m->mean_r,
                                  .map50 = m->map50,
                                  .map = m->map,
                                  .fitness = m->fitness,
                                  .loss = {v->loss[0], v->loss[1], v->loss[2]},
                                  .classes = out->classes,
                                  .n_classes = m->n_classes};
    return VG_OK;
}

void api_result_fini(api_result *r)
{
    base_free(r->classes);
    *r = (api_result){0};
}

vg_status api_path(char path[API_PATH_BYTES], const char *folder, const char *name, vg_error *err)
{
    if (base_path_join(path, API_PATH_BYTES, folder, name))
        return VG_OK;
    return base_fail(err, VG_ERR_LIMIT, folder, "use a shorter path",
                     "a path too long for a run's folder");
}

vg_status api_coco_create(report_coco **out, const char *folder, const char *const *names, int nc,
                          base_mem *mem, vg_error *err)
{
    char path[API_PATH_BYTES];
    *out = NULL;
    const vg_status st = api_path(path, folder, "predictions.json", err);
    if (st != VG_OK)
        return st;
    return report_coco_create(out, path, report_coco_category_ids(names, nc), nc, mem, err);
}

vg_status api_validation_plots(const char *folder, const train_validation *v,
                               const char *const *names, int nc, base_mem *mem, vg_error *err)
{
    static const struct curve_file {
        report_curve which;
        const char *name;
    } curves[] = {{REPORT_CURVE_PR, "PR_curve.png"},
                  {REPORT_CURVE_P, "P_curve.png"},
                  {REPORT_CURVE_R, "R_curve.png"},
                  {REPORT_CURVE_F1, "F1_curve.png"}};
    static const char *const matrices[] = {"confusion_matrix.png",
                                           "confusion_matrix_normalized.png"};
    char path[API_PATH_BYTES];
    vg_status st = VG_OK;
    for (size_t i = 0; i < sizeof curves / sizeof *curves && st == VG_OK; i++) {
        st = api_path(path, folder, curves[i].name, err);
        if (st == VG_OK)
            st = report_plot_curve(path, curves[i].which, &v->metrics, names, mem, err);
    }
    for (int i = 0; i < 2 && st == VG_OK; i++) {
        st = api_path(path, folder, matrices[i], err);
        if (st == VG_OK)
            st = report_plot_confusion(path, v->metrics.confusion, names, nc, i == 1, mem, err);
    }
    return st;
}
