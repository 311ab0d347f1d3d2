/* plot_curves.c: PR_curve.png, P_curve.png, R_curve.png, F1_curve.png. */
#include <math.h>

#include "number.h"
#include "plot.h"
#include "plots.h"

enum {
    PAGE_W = 1500,
    PAGE_H = 1000,
    LEGEND_W = 400,
    MOST_NAMED = 20, /* more classes than that: grey lines, no names */
    N = DETECT_CURVE_POINTS
};

/* What differs between the four. */
typedef struct kind {
    const char *title, *x_label, *y_label;
} kind;
static const kind KINDS[] = {
    [REPORT_CURVE_PR] = {"Precision by recall, IoU 0.5", "Recall", "Precision"},
    [REPORT_CURVE_P] = {"Precision by confidence", "Confidence", "Precision"},
    [REPORT_CURVE_R] = {"Recall by confidence", "Confidence", "Recall"},
    [REPORT_CURVE_F1] = {"F1 by confidence", "Confidence", "F1"},
};

static const double *curves_of(report_curve which, const detect_figures *r)
{
    switch (which) {
    case REPORT_CURVE_PR:
        return r->pr_curve;
    case REPORT_CURVE_P:
        return r->p_curve;
    case REPORT_CURVE_R:
        return r->r_curve;
    case REPORT_CURVE_F1:
        break;
    }
    return r->f1_curve;
}

static void mean_of(double *mean, const double *curves, size_t n_classes)
{
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        for (size_t c = 0; c < n_classes; c++)
            sum += curves[c * N + i];
        mean[i] = sum / (double)n_classes;
    }
}

static void draw_lines(plot_page *p, const plot_axes *a, const double *curves,
                       const detect_metrics_result *r, const double *mean)
{
    double xs[N];
    for (size_t i = 0; i < N; i++)
        xs[i] = (double)i / (N - 1);
    bool named = r->n_classes <= MOST_NAMED;
    for (size_t c = 0; c < r->n_classes && r->n_classes > 1; c++)
        plot_axes_line(p, a, xs, curves + c * N, N,
                       named ? plot_class_color(r->classes[c]) : PLOT_RGB(0x8a97a6), named ? 2 : 1,
                       named ? 1 : 0.45);
    plot_axes_line(p, a, xs, mean, N, PLOT_RGB(0x0b3d91), 5, 1);
}

/* The name and, of the precision-recall curve, its area. */
static void draw_classes(plot_page *p, double x, double y, report_curve which,
                         const detect_metrics_result *r, const detect_figures *f,
                         const char *const *names)
{
    plot_font font = {.px = 18, .color = PLOT_INK}, number = {.px = 18, .color = PLOT_MUTED};
    double w = PAGE_W - x - 30, number_w = which == REPORT_CURVE_PR ? 66 : 0;
    for (size_t c = 0; c < r->n_classes; c++, y += 34) {
        plot_legend_row(p, x, y, w - number_w, plot_class_color(r->classes[c]), 3, &font,
                        names[r->classes[c]]);
        if (which != REPORT_CURVE_PR)
            continue;
        char text[REPORT_NUMBER_BYTES];
        report_number_f(text, 3, f->ap[c * DETECT_N_IOU]);
        plot_text(p, x + w, y, PLOT_RIGHT, 0, &number, text);
    }
}

static void draw_legend(plot_page *p, double x, double y, report_curve which,
                        const detect_metrics_result *r, const detect_figures *f, const double *mean,
                        const char *const *names)
{
    char text[128], number[REPORT_NUMBER_BYTES], at[REPORT_NUMBER_BYTES];
    plot_font bold = {.px = 20, .bold = true, .color = PLOT_INK};
    plot_font remark = {.px = 18, .color = PLOT_MUTED};
    plot_legend_row(p, x, y, PAGE_W - x - 30, PLOT_RGB(0x0b3d91), 5, &bold,
                    r->n_classes == 1 ? names[r->classes[0]] : "all classes");

    size_t best = 0;
    for (size_t i = 1; i < N; i++)
        if (mean[i] > mean[best])
            best = i;
    if (which == REPORT_CURVE_PR)
        base_format(text, sizeof text, "mAP50 %s", report_number_f(number, 3, f->map50));
    else
        base_format(text, sizeof text, "highest %s at %s", report_number_f(number, 2, mean[best]),
                    report_number_f(at, 3, (double)best / (N - 1)));
    plot_text(p, x + bold.px * 2.0, y + 30, PLOT_LEFT, 0, &remark, text);
    if (r->n_classes == 1)
        return; /* the class is the mean */
    if (r->n_classes <= MOST_NAMED) {
        draw_classes(p, x, y + 80, which, r, f, names);
        return;
    }
    base_format(text, sizeof text, "each of %zu classes", r->n_classes);
    plot_legend_row(p, x, y + 80, 0, PLOT_RGB(0x8a97a6), 1.5, &remark, text);
}

typedef struct named {
    const char *const *names;
    const int *classes;
} named;

static const char *name_at(const void *context, size_t i)
{
    const named *n = context;
    return n->names[n->classes[i]];
}

vg_status report_plot_curve(const char *path, report_curve which,
                            const detect_metrics_result *result, int figures,
                            const char *const *names, base_mem *mem, vg_error *err)
{
    const detect_figures *f = &result->figures[figures];
    plot_page page = {0};
    vg_status st = plot_page_init(&page, PAGE_W, PAGE_H, mem, err);
    if (st != VG_OK)
        goto done;
    const named all = {names, result->classes};
    const image_names shown = {.at = name_at, .context = &all, .n = result->n_classes};
    image_font_choose(&page.font, &shown);
    plot_axes a = {.x = 110,
                   .y = 80,
                   .w = PAGE_W - LEGEND_W - 110 - 20,
                   .h = PAGE_H - 80 - 90,
                   .x1 = 1,
                   .y1 = 1,
                   .title = KINDS[which].title,
                   .x_label = KINDS[which].x_label,
                   .y_label = KINDS[which].y_label,
                   .font_px = 20};
    plot_axes_draw(&page, &a);
    if (result->n_classes == 0) {
        plot_axes_remark(&page, &a, "no detection was right: there is no curve");
    } else {
        double mean[N];
        const double *curves = curves_of(which, f);
        mean_of(mean, curves, result->n_classes);
        draw_lines(&page, &a, curves, result, mean);
        draw_legend(&page, a.x + a.w + 40, a.y + 16, which, result, f, mean, names);
    }
    st = plot_page_write(&page, path, mem, err);
done:
    plot_page_fini(&page);
    return st;
}
