/* plot_results.c: results.png: panels over the epochs, those of the file's columns. Training and
 * validation share a panel, because the distance between them is what one looks for. */
#include <math.h>

#include "number.h"
#include "plot.h"
#include "plots.h"

enum { PAGE_W = 1500, ROW_H = 480, N_COLUMNS = 3, MOST_SERIES = 3, FONT_PX = 16 };
enum { MOST_PANELS = VG_MOST_LOSSES + 5 };

/* A column of the rows, as an offset into vg_train_epoch. */
typedef struct series {
    const char *name;
    size_t offset;
    int color; /* of a class */
} series;

typedef struct panel {
    const char *title;
    bool is_score;     /* 0..1: the best is the highest */
    bool may_coincide; /* lines that often cover each other: the first ones are wider */
    series series[MOST_SERIES];
} panel;

enum { BLUE = 1, RED = 0, GREEN = 2 };
#define AT(field) offsetof(vg_train_epoch, field)

static const char *loss_title(const char *name)
{
    static const char *const titles[][2] = {{"box_loss", "Box loss"},
                                            {"cls_loss", "Class loss"},
                                            {"dfl_loss", "DFL loss"},
                                            {"seg_loss", "Mask loss"},
                                            {"pose_loss", "Keypoint loss"},
                                            {"kobj_loss", "Keypoint visibility loss"},
                                            {"loss", "Loss"}};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(titles[i][0], name) == 0)
            return titles[i][1];
    return name;
}

/* The panels of a file; returns how many. */
static size_t choose_panels(panel out[MOST_PANELS], const report_columns *c)
{
    static const panel boxes[] = {
        {"At the best F1",
         true,
         false,
         {{"precision", AT(precision), BLUE}, {"recall", AT(recall), RED}}},
        {"Mean AP", true, false, {{"mAP50", AT(map50), BLUE}, {"mAP50-95", AT(map), RED}}}};
    panel second[] = {
        {NULL,
         true,
         false,
         {{"precision", AT(second.precision), BLUE}, {"recall", AT(second.recall), RED}}},
        {NULL,
         true,
         false,
         {{"mAP50", AT(second.map50), BLUE}, {"mAP50-95", AT(second.map), RED}}}};
    static const panel accuracy = {
        "Accuracy", true, false, {{"top 1", AT(top1), BLUE}, {"top 5", AT(top5), RED}}};
    static const panel rates = {
        "Learning rate",
        false,
        true,
        {{"pg0", AT(lr[0]), GREEN}, {"pg1", AT(lr[1]), BLUE}, {"pg2", AT(lr[2]), RED}}};
    size_t n = 0;
    for (int k = 0; k < c->n_losses; k++) {
        const size_t at = (size_t)k * sizeof(double);
        out[n++] = (panel){loss_title(report_columns_loss(c, k)),
                           false,
                           false,
                           {{"train", AT(train_loss) + at, BLUE}, {"val", AT(val_loss) + at, RED}}};
    }
    second[0].title = c->second == 'M' ? "Masks at the best F1" : "Keypoints at the best F1";
    second[1].title = c->second == 'M' ? "Mean AP of masks" : "Mean AP of keypoints";
    for (size_t i = 0; i < 2 && c->has_boxes; i++)
        out[n++] = boxes[i];
    for (size_t i = 0; i < 2 && c->second != 0; i++)
        out[n++] = second[i];
    if (!c->has_boxes)
        out[n++] = accuracy;
    out[n++] = rates;
    return n;
}

static double value_of(const vg_train_epoch *row, const series *s)
{
    double v;
    memcpy(&v, (const char *)row + s->offset, sizeof v);
    return v;
}

/* The epoch of the highest fitness; 0 when there is none. */
static int best_epoch(const vg_train_epoch *rows, size_t n_rows)
{
    int best = 0;
    double highest = 0;
    for (size_t i = 0; i < n_rows; i++) {
        const double fitness = report_epoch_fitness(&rows[i]);
        if (fitness > highest) {
            highest = fitness;
            best = rows[i].epoch;
        }
    }
    return best;
}

static void range_of(plot_axes *a, const panel *shown, const vg_train_epoch *rows, size_t n_rows)
{
    a->x0 = n_rows > 0 ? rows[0].epoch : 0;
    a->x1 = n_rows > 0 ? rows[n_rows - 1].epoch : 1;
    if (a->x1 - a->x0 < 1) {
        a->x0 -= 1;
        a->x1 += 1;
    }
    double lo = INFINITY, hi = -INFINITY;
    for (size_t s = 0; s < MOST_SERIES && shown->series[s].name != NULL; s++)
        for (size_t i = 0; i < n_rows; i++) {
            double v = value_of(&rows[i], &shown->series[s]);
            if (isfinite(v)) {
                lo = fmin(lo, v);
                hi = fmax(hi, v);
            }
        }
    if (shown->is_score)
        lo = 0; /* scores are read against nothing, losses against each other */
    plot_range_mend(&lo, &hi);
    double room = (hi - lo) * 0.06;
    a->y0 = lo - (shown->is_score ? 0 : room);
    a->y1 = hi + room;
}

/* Names at the right of the title, right to left. */
static void draw_legend(plot_page *p, const plot_axes *a, const panel *shown)
{
    plot_font font = {.px = FONT_PX * 0.95, .color = PLOT_INK};
    double x = a->x + a->w, y = a->y - FONT_PX * 1.25 * 1.1;
    size_t n = 0;
    while (n < MOST_SERIES && shown->series[n].name != NULL)
        n++;
    for (size_t s = n; s-- > 0;) {
        x -= plot_text_width(p, &font, shown->series[s].name) + font.px * 2.0;
        plot_legend_row(p, x, y, 0, plot_class_color(shown->series[s].color), 3, &font,
                        shown->series[s].name);
        x -= font.px;
    }
}

static void draw_best(plot_page *p, const plot_axes *a, int epoch, bool with_text)
{
    double x = floor(plot_axes_x(a, epoch)) + 0.5;
    const double dash[] = {4, 6};
    cairo_set_dash(p->cr, dash, 2, 0);
    plot_stroke(p, x, a->y, x, a->y + a->h, PLOT_MUTED, 1.2);
    cairo_set_dash(p->cr, NULL, 0, 0);
    if (!with_text)
        return;
    char text[64];
    base_format(text, sizeof text, "best: epoch %d", epoch);
    plot_font font = {.px = FONT_PX * 0.9, .color = PLOT_MUTED};
    bool left = x > a->x + a->w / 2;
    plot_text(p, left ? x - 6 : x + 6, a->y + a->h - FONT_PX, left ? PLOT_RIGHT : PLOT_LEFT, 0,
              &font, text);
}

/* xs, ys: (n_rows) scratch. */
static void draw_panel(plot_page *p, const plot_axes *place, const panel *shown,
                       const vg_train_epoch *rows, size_t n_rows, int best, double *xs, double *ys)
{
    enum { MOST_DOTS = 30 };
    plot_axes a = *place;
    range_of(&a, shown, rows, n_rows);
    plot_axes_draw(p, &a);
    draw_legend(p, &a, shown);
    if (best > 0 && n_rows > 1)
        draw_best(p, &a, best, shown->is_score);
    size_t n_seen = 0;
    for (size_t s = 0; s < MOST_SERIES && shown->series[s].name != NULL; s++) {
        plot_color c = plot_class_color(shown->series[s].color);
        /* Epochs without a number are passed over: validation may come at every fifth only. */
        size_t n = 0;
        for (size_t i = 0; i < n_rows; i++) {
            xs[n] = rows[i].epoch;
            ys[n] = value_of(&rows[i], &shown->series[s]);
            n += isfinite(ys[n]) ? 1 : 0;
        }
        n_seen += n;
        double wider = shown->may_coincide ? 3.2 * (double)(MOST_SERIES - 1 - s) : 0;
        plot_axes_line(p, &a, xs, ys, n, c, 2.6 + wider, 1);
        if (n <= MOST_DOTS)
            plot_axes_dots(p, &a, xs, ys, n, c, 4.5 + wider / 2);
    }
    if (n_seen == 0)
        plot_axes_remark(p, &a, n_rows == 0 ? "no epochs yet" : "no numbers");
}

vg_status report_plot_results(const char *path, const vg_train_epoch *rows, size_t n_rows,
                              const report_columns *columns, base_mem *mem, vg_error *err)
{
    panel panels[MOST_PANELS];
    const size_t n_panels = choose_panels(panels, columns);
    const int n_lines = (int)(n_panels + N_COLUMNS - 1) / N_COLUMNS, page_h = ROW_H * n_lines + 20;
    plot_page page = {0};
    double *xs = base_alloc_zero(mem, n_rows, 2 * sizeof *xs, err);
    vg_status st = xs != NULL ? plot_page_init(&page, PAGE_W, page_h, mem, err) : VG_ERR_MEMORY;
    if (st != VG_OK)
        goto done;
    int best = best_epoch(rows, n_rows);
    const double w = (double)PAGE_W / N_COLUMNS;
    for (size_t i = 0; i < n_panels; i++) {
        plot_axes a = {.x = (double)(i % N_COLUMNS) * w + 82,
                       .y = (double)(i / N_COLUMNS) * ROW_H + 62,
                       .w = w - 82 - 28,
                       .h = ROW_H - 62 - 68,
                       .x_label = "epoch",
                       .whole_x = true,
                       .font_px = FONT_PX,
                       .title = panels[i].title};
        draw_panel(&page, &a, &panels[i], rows, n_rows, best, xs, xs + n_rows);
    }
    st = plot_page_write(&page, path, mem, err);
done:
    plot_page_fini(&page);
    base_free(xs);
    return st;
}
