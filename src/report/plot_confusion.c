/* plot_confusion.c: confusion_matrix.png and its normalised twin: what was seen, by what was there.
 */
#include <math.h>

#include "number.h"
#include "plot.h"
#include "plots.h"

enum { PAGE_W = 1500, PAGE_H = 1360, TITLE_H = 90, BAR_W = 26, MOST_WRITTEN = 30 };

typedef struct matrix {
    const uint64_t *counts; /* (n, n) [predicted][true] */
    const double *columns;  /* (n) sums; NULL: counts are shown as they are */
    const char *const *names;
    size_t n, nc; /* rows; those of classes: the rest is the background */
    double most;
} matrix;

/* Where it goes on the page. */
typedef struct place {
    double x, y, side, cell;
    plot_font names;
    bool names_up; /* those below are turned */
} place;

static const char *name_of(const matrix *m, size_t i)
{
    return i < m->nc ? m->names[i] : "background";
}

/* NaN: blank. */
static double value_of(const matrix *m, size_t predicted, size_t actual)
{
    double v = (double)m->counts[predicted * m->n + actual];
    if (m->columns != NULL)
        v /= m->columns[actual] + 1e-9;
    return v < 0.005 ? NAN : v;
}

static double widest_name(plot_page *p, const matrix *m, const plot_font *font)
{
    double widest = 0;
    for (size_t i = 0; i < m->n; i++)
        widest = fmax(widest, plot_text_width(p, font, name_of(m, i)));
    return widest;
}

static place place_matrix(plot_page *p, const matrix *m)
{
    const double MOST_NAME = 240, LEGEND_W = 150, LABEL = 60;
    place l = {.names = {.px = 20, .color = PLOT_INK}};
    /* The names' size follows from the cell's, the cell's from the names' width: two rounds do. */
    for (int round = 0; round < 2; round++) {
        double widest = fmin(widest_name(p, m, &l.names), MOST_NAME);
        double left = widest + 14 + LABEL;
        l.names_up = round == 0 || widest > l.cell * 0.92;
        double below = (l.names_up ? widest : l.names.px) + 24 + LABEL;
        l.side = fmin(PAGE_W - left - LEGEND_W, PAGE_H - TITLE_H - below);
        l.cell = l.side / (double)m->n;
        l.x = floor(left + (PAGE_W - left - LEGEND_W - l.side) / 2);
        l.y = TITLE_H;
        l.names.px = fmin(20, fmax(9, l.cell * 0.8));
    }
    return l;
}

static void draw_cell(plot_page *p, const matrix *m, const place *l, size_t predicted,
                      size_t actual)
{
    double v = value_of(m, predicted, actual);
    if (isnan(v))
        return;
    double t = m->most > 0 ? v / m->most : 0;
    double x1 = floor(l->x + l->cell * (double)actual),
           x2 = fmax(floor(l->x + l->cell * (double)(actual + 1)), x1 + 1),
           y1 = floor(l->y + l->cell * (double)predicted),
           y2 = fmax(floor(l->y + l->cell * (double)(predicted + 1)), y1 + 1);
    plot_fill(p, x1, y1, x2 - x1, y2 - y1, plot_ramp_color(t), 1);
    if (m->n > MOST_WRITTEN)
        return;
    char text[REPORT_NUMBER_BYTES];
    report_number_f(text, m->columns != NULL ? 2 : 0, v);
    plot_font font = {.px = fmin(26, l->cell * 0.34),
                      .color = t > 0.5 ? PLOT_RGB(0xffffff) : PLOT_INK};
    double w = plot_text_width(p, &font, text);
    if (w > l->cell * 0.88)
        font.px *= l->cell * 0.88 / w;
    plot_text(p, (x1 + x2) / 2, (y1 + y2) / 2, PLOT_CENTER, 0, &font, text);
}

static void draw_grid(plot_page *p, const matrix *m, const place *l)
{
    for (size_t i = 0; i <= m->n; i++) {
        bool is_edge = i == 0 || i == m->n;
        /* A stronger line sets the background apart from the classes. */
        const bool is_strong = is_edge || i == m->nc;
        plot_color c = is_strong ? PLOT_EDGE : PLOT_GRID;
        double at = floor(l->cell * (double)i) + 0.5, end = floor(l->side);
        if (!is_strong && l->cell < 6)
            continue;
        plot_stroke(p, l->x + at, l->y + 0.5, l->x + at, l->y + end + 0.5, c, 1);
        plot_stroke(p, l->x + 0.5, l->y + at, l->x + end + 0.5, l->y + at, c, 1);
    }
}

/* Every so many-th name, so that none covers another; background always. */
static void draw_names(plot_page *p, const matrix *m, const place *l)
{
    const double MOST_NAME = 240;
    size_t every = (size_t)ceil(l->names.px * 1.15 / l->cell);
    for (size_t i = 0; i < m->n; i++) {
        bool is_last = i + 1 == m->n;
        if (!is_last && (i % every != 0 || i + every >= m->n + every / 2))
            continue;
        double at = ((double)i + 0.5) * l->cell;
        plot_text(p, l->x - 12, l->y + at, PLOT_RIGHT, MOST_NAME, &l->names, name_of(m, i));
        if (l->names_up)
            plot_text_up(p, l->x + at, l->y + l->side + 12, PLOT_RIGHT, MOST_NAME, &l->names,
                         name_of(m, i));
        else
            plot_text(p, l->x + at, l->y + l->side + 22, PLOT_CENTER, 0, &l->names, name_of(m, i));
    }
}

static void draw_labels(plot_page *p, const matrix *m, const place *l)
{
    plot_font title = {.px = 28, .bold = true, .color = PLOT_INK};
    plot_font label = {.px = 22, .color = PLOT_INK};
    plot_text(p, l->x, TITLE_H / 2.0, PLOT_LEFT, 0, &title,
              m->columns != NULL ? "Confusion matrix, columns normalized" : "Confusion matrix");
    plot_text(p, l->x + l->side / 2, PAGE_H - 34, PLOT_CENTER, 0, &label, "True");
    double widest = fmin(widest_name(p, m, &l->names), 240);
    plot_text_up(p, fmax(l->x - 12 - widest - 34, 24), l->y + l->side / 2, PLOT_CENTER, 0, &label,
                 "Predicted");
}

static void draw_color_bar(plot_page *p, const matrix *m, const place *l)
{
    double x = l->x + l->side + 30, h = floor(l->side), most = m->most > 0 ? m->most : 1;
    for (double y = 0; y < h; y++)
        plot_fill(p, x, l->y + y, BAR_W, 1, plot_ramp_color(1 - y / h), 1);
    plot_font font = {.px = 17, .color = PLOT_MUTED};
    double step = plot_tick_step(0, most, 6, m->columns == NULL);
    for (double v = 0; v <= most * (1 + 1e-9); v += step) {
        char text[REPORT_NUMBER_BYTES];
        double y = l->y + h - v / most * h;
        plot_stroke(p, x + BAR_W, floor(y) + 0.5, x + BAR_W + 6, floor(y) + 0.5, PLOT_EDGE, 1);
        if (most >= 1e6)
            report_number_g(text, 3, v);
        else
            report_number_short(text, 4, v);
        size_t n = strlen(text);
        if (n > 2 && strcmp(text + n - 2, ".0") == 0)
            text[n - 2] = '\0';
        plot_text(p, x + BAR_W + 12, y, PLOT_LEFT, 0, &font, text);
    }
}

static void draw(plot_page *p, const matrix *m)
{
    place l = place_matrix(p, m);
    for (size_t predicted = 0; predicted < m->n; predicted++)
        for (size_t actual = 0; actual < m->n; actual++)
            draw_cell(p, m, &l, predicted, actual);
    draw_grid(p, m, &l);
    draw_names(p, m, &l);
    draw_labels(p, m, &l);
    draw_color_bar(p, m, &l);
}

vg_status report_plot_confusion(const char *path, const uint64_t *counts, int n,
                                const char *const *names, int nc, bool normalize, base_mem *mem,
                                vg_error *err)
{
    matrix m = {.counts = counts, .names = names, .n = (size_t)n, .nc = (size_t)nc};
    plot_page page = {0};
    double *columns = base_alloc_zero(mem, m.n, sizeof *columns, err);
    vg_status st =
        columns != NULL ? plot_page_init(&page, PAGE_W, PAGE_H, mem, err) : VG_ERR_MEMORY;
    if (st != VG_OK)
        goto done;
    plot_page_names(&page, names, (size_t)nc);
    for (size_t i = 0; i < m.n * m.n; i++)
        columns[i % m.n] += (double)counts[i];
    if (normalize)
        m.columns = columns;
    for (size_t i = 0; i < m.n * m.n; i++)
        m.most = fmax(m.most, value_of(&m, i / m.n, i % m.n)); /* fmax passes over NaN */
    draw(&page, &m);
    st = plot_page_write(&page, path, mem, err);
done:
    plot_page_fini(&page);
    base_free(columns);
    return st;
}
