/* plot_results.c: results.png: six panels over the epochs. Training and validation share a panel,
 * because the distance between them is what one looks for. */
#include <math.h>

#include "number.h"
#include "plot.h"
#include "plots.h"

enum { PAGE_W = 1500, PAGE_H = 980, N_COLUMNS = 3, N_PANELS = 6, MOST_SERIES = 3, FONT_PX = 16 };

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
static const panel PANELS[N_PANELS] = {
    {"Box loss", false, false, {{"train", AT(train_loss[0]), BLUE}, {"val", AT(val_loss[0]), RED}}},
    {"Class loss",
     false,
     false,
     {{"train", AT(train_loss[1]), BLUE}, {"val", AT(val_loss[1]), RED}}},
    {"DFL loss", false, false, {{"train", AT(train_loss[2]), BLUE}, {"val", AT(val_loss[2]), RED}}},
    {"At the best F1",
     true,
     false,
     {{"precision", AT(precision), BLUE}, {"recall", AT(recall), RED}}},
    {"Mean AP", true, false, {{"mAP50", AT(map50), BLUE}, {"mAP50-95", AT(map), RED}}},
    {"Learning rate",
     false,
     true,
     {{"pg0", AT(lr[0]), GREEN}, {"pg1", AT(lr[1]), BLUE}, {"pg2", AT(lr[2]), RED}}},
};

static double value_of(const vg_train_epoch *row, const series *s)
{
    double v;
    memcpy(&v, (const char *)row + s->offset, sizeof v);
    return v;
}

/* The epoch of the highest fitness (spec 4.5); 0 when there is none. */
static int best_epoch(const vg_train_epoch *rows, size_t n_rows)
{
    int best = 0;
    double highest = 0;
    for (size_t i = 0; i < n_rows; i++) {
        double fitness = 0.1 * rows[i].map50 + 0.9 * rows[i].map;
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
                              base_mem *mem, vg_error *err)
{
    plot_page page = {0};
    double *xs = base_alloc_zero(mem, n_rows, 2 * sizeof *xs, err);
    vg_status st = xs != NULL ? plot_page_init(&page, PAGE_W, PAGE_H, mem, err) : VG_ERR_MEMORY;
    if (st != VG_OK)
        goto done;
    int best = best_epoch(rows, n_rows);
    const double w = (double)PAGE_W / N_COLUMNS, h = (PAGE_H - 20) / 2.0;
    for (size_t i = 0; i < N_PANELS; i++) {
        plot_axes a = {.x = (double)(i % N_COLUMNS) * w + 82,
                       .y = (double)(i / N_COLUMNS) * h + 62,
                       .w = w - 82 - 28,
                       .h = h - 62 - 68,
                       .x_label = "epoch",
                       .whole_x = true,
                       .font_px = FONT_PX,
                       .title = PANELS[i].title};
        draw_panel(&page, &a, &PANELS[i], rows, n_rows, best, xs, xs + n_rows);
    }
    st = plot_page_write(&page, path, mem, err);
done:
    plot_page_fini(&page);
    base_free(xs);
    return st;
}
