/* result.c: a metrics result as callers are told it, and its files. */
#include "result.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "task/task.h"

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

/* Curves of one of the rows of figures. */
static vg_val_curves curves_of(const detect_metrics_result *m, const detect_figures *f, int nc)
{
    return (vg_val_curves){.n_points = DETECT_CURVE_POINTS,
                           .p = f->p_curve,
                           .r = f->r_curve,
                           .f1 = f->f1_curve,
                           .pr = f->pr_curve,
                           .ap = f->ap,
                           .maps = f->maps,
                           .confusion = m->confusion,
                           .nc = nc,
                           .n_confused = m->n_confused};
}

void train_result_make(train_result *r, const train_validation *v, const task *t,
                       const char *const *names)
{
    const detect_metrics_result *m = &v->metrics;
    const detect_figures *f = &m->figures[0], *second = &m->figures[1];
    assert(m->n_classes <= (size_t)r->most);
    for (size_t i = 0; i < m->n_classes; i++) {
        r->classes[i] = detect_metrics_class(m, i, names);
        r->classes[i].task = t->id;
    }
    r->result = (vg_val_result){.n_pictures = m->n_pictures,
                                .n_instances = m->n_truths,
                                .n_detections = m->n_detections,
                                .precision = f->mean_p,
                                .recall = f->mean_r,
                                .map50 = f->map50,
                                .map = f->map,
                                .fitness = m->fitness,
                                .top1 = m->top1,
                                .top5 = m->top5,
                                .task = t->id,
                                .n_losses = v->n_losses,
                                .classes = r->classes,
                                .n_classes = m->n_classes,
                                .best_conf = f->best_conf,
                                .curves = curves_of(m, f, r->most)};
    memcpy(r->result.loss, v->loss, sizeof r->result.loss);
    if (m->n_figures < 2)
        return;
    r->result.second = (vg_figures){.precision = second->mean_p,
                                    .recall = second->mean_r,
                                    .map50 = second->map50,
                                    .map = second->map};
    r->result.second_best_conf = second->best_conf;
    r->result.second_curves = curves_of(m, second, r->most);
    r->result.second_curves.confusion = NULL;
}

report_names train_report_names(vg_task id)
{
    return task_report_names((int)id >= 0 && (int)id < VG_N_TASKS ? task_of(id) : &task_detect);
}

void train_row_validation(vg_train_epoch *row, const task *t, const train_validation *v)
{
    row->task = t->id;
    row->n_losses = t->n_losses;
    for (int k = 0; k < t->n_losses; k++)
        row->val_loss[k] = v != NULL ? v->loss[k] : NAN;
    if (v == NULL) {
        row->precision = row->recall = row->map50 = row->map = row->top1 = row->top5 = NAN;
        row->second = (vg_figures){NAN, NAN, NAN, NAN, NAN};
        return;
    }
    const detect_metrics_result *m = &v->metrics;
    const detect_figures *box = &m->figures[0], *second = &m->figures[1];
    row->n_pictures = m->n_pictures;
    row->n_instances = m->n_truths;
    row->precision = box->mean_p;
    row->recall = box->mean_r;
    row->map50 = box->map50;
    row->map = box->map;
    row->second = (vg_figures){.precision = second->mean_p,
                               .recall = second->mean_r,
                               .map50 = second->map50,
                               .map = second->map};
    row->top1 = m->top1;
    row->top5 = m->top5;
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

/* "PR_curve.png"; of tasks with two rows of figures "BoxPR_curve.png" and "MaskPR_curve.png". */
static vg_status plot_curves(const char *folder, const train_validation *v, const task *t,
                             int figures, const char *const *names, base_mem *mem, vg_error *err)
{
    static const struct curve_file {
        report_curve which;
        const char *name;
    } curves[] = {{REPORT_CURVE_PR, "PR"},
                  {REPORT_CURVE_P, "P"},
                  {REPORT_CURVE_R, "R"},
                  {REPORT_CURVE_F1, "F1"}};
    const char *of = t->second == NULL ? "" : figures == 0 ? "Box" : t->second;
    vg_status st = VG_OK;
    for (size_t i = 0; i < sizeof curves / sizeof *curves && st == VG_OK; i++) {
        char path[TRAIN_PATH_BYTES], name[64];
        base_format(name, sizeof name, "%s%s_curve.png", of, curves[i].name);
        st = train_path(path, folder, name, err);
        if (st == VG_OK)
            st = report_plot_curve(path, curves[i].which, &v->metrics, figures, names, mem, err);
    }
    return st;
}

vg_status train_validation_plots(const char *folder, const train_validation *v, const task *t,
                                 const char *const *names, int nc, base_mem *mem, vg_error *err)
{
    static const char *const matrices[] = {"confusion_matrix.png",
                                           "confusion_matrix_normalized.png"};
    const detect_metrics_result *m = &v->metrics;
    char path[TRAIN_PATH_BYTES];
    vg_status st = VG_OK;
    for (int k = 0; k < m->n_figures && st == VG_OK; k++)
        st = plot_curves(folder, v, t, k, names, mem, err);
    for (int i = 0; i < 2 && st == VG_OK; i++) {
        st = train_path(path, folder, matrices[i], err);
        if (st == VG_OK)
            st = report_plot_confusion(path, m->confusion, m->n_confused, names, nc, i == 1, mem,
                                       err);
    }
    return st;
}
