/* result.c: a metrics result as callers are told it, and its files. */
#include "result.h"

#include <assert.h>

vg_status train_result_reserve(train_result *r, int nc, base_mem *mem, vg_error *err)
{
    if (nc <= r->most)
        return VG_OK;
    vg_val_class *classes = base_realloc(mem, r->classes, (size_t)nc * sizeof *classes, err);
    if (classes == NULL)
        return VG_ERR_MEMORY;
    r->classes = classes;
    r->most = nc;
    return VG_OK;
}

void train_result_make(train_result *r, const train_validation *v, const char *const *names)
{
    const detect_metrics_result *m = &v->metrics;
    const detect_figures *f = &m->figures[0];
    assert(m->n_classes <= (size_t)r->most);
    for (size_t i = 0; i < m->n_classes; i++)
        r->classes[i] = detect_metrics_class(m, i, names);
    r->result = (vg_val_result){.n_pictures = m->n_pictures,
                                .n_instances = m->n_truths,
                                .n_detections = m->n_detections,
                                .precision = f->mean_p,
                                .recall = f->mean_r,
                                .map50 = f->map50,
                                .map = f->map,
                                .fitness = m->fitness,
                                .loss = {v->loss[0], v->loss[1], v->loss[2]},
                                .classes = r->classes,
                                .n_classes = m->n_classes,
                                .best_conf = f->best_conf,
                                .curves = {.n_points = DETECT_CURVE_POINTS,
                                           .p = f->p_curve,
                                           .r = f->r_curve,
                                           .f1 = f->f1_curve,
                                           .pr = f->pr_curve,
                                           .ap = f->ap,
                                           .maps = f->maps,
                                           .confusion = m->confusion,
                                           .nc = r->most}};
}

void train_result_fini(train_result *r)
{
    base_free(r->classes);
    *r = (train_result){0};
}

vg_status train_path(char path[TRAIN_PATH_BYTES], const char *folder, const char *name,
                     vg_error *err)
{
    if (base_path_join(path, TRAIN_PATH_BYTES, folder, name))
        return VG_OK;
    return base_fail(err, VG_ERR_LIMIT, folder, "use a shorter path",
                     "a path too long for a run's folder");
}

vg_status train_coco_create(report_coco **out, const char *folder, const char *const *names, int nc,
                            base_mem *mem, vg_error *err)
{
    char path[TRAIN_PATH_BYTES];
    *out = NULL;
    const vg_status st = train_path(path, folder, "predictions.json", err);
    if (st != VG_OK)
        return st;
    return report_coco_create(out, path, report_coco_category_ids(names, nc), nc, mem, err);
}

vg_status train_validation_plots(const char *folder, const train_validation *v,
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
    char path[TRAIN_PATH_BYTES];
    vg_status st = VG_OK;
    for (size_t i = 0; i < sizeof curves / sizeof *curves && st == VG_OK; i++) {
        st = train_path(path, folder, curves[i].name, err);
        if (st == VG_OK)
            st = report_plot_curve(path, curves[i].which, &v->metrics, 0, names, mem, err);
    }
    for (int i = 0; i < 2 && st == VG_OK; i++) {
        st = train_path(path, folder, matrices[i], err);
        if (st == VG_OK)
            st = report_plot_confusion(path, v->metrics.confusion, v->metrics.n_confused, names, nc,
                                       i == 1, mem, err);
    }
    return st;
}
