/* plot_labels.c: labels.jpg and labels_correlogram.jpg: what a data set's boxes are like. */
#include <math.h>

#include "number.h"
#include "plot.h"
#include "plots.h"

enum { PAGE_W = 1500, PAGE_H = 1500, FONT_PX = 17, N_CELLS = 64, MOST_OUTLINES = 1000 };

static bool is_shown(const report_label *l, int nc)
{
    for (size_t i = 0; i < 4; i++)
        if (!isfinite(l->xywh_norm[i]))
            return false;
    return l->class_index >= 0 && l->class_index < nc;
}

static size_t cell_of(float v, size_t n)
{
    size_t cell = (size_t)(fminf(fmaxf(v, 0), 1) * (float)n);
    return cell < n ? cell : n - 1;
}

/* counts: (N_CELLS, N_CELLS); of the two coordinates i and k of xywh, k from the top, or from the
 * bottom when it is a size. */
static void count_cells(uint32_t *counts, const report_label *labels, size_t n_labels, int nc,
                        size_t i, size_t k, bool from_top)
{
    memset(counts, 0, sizeof *counts * N_CELLS * N_CELLS);
    for (size_t l = 0; l < n_labels; l++) {
        if (!is_shown(&labels[l], nc))
            continue;
        size_t column = cell_of(labels[l].xywh_norm[i], N_CELLS),
               row = cell_of(labels[l].xywh_norm[k], N_CELLS);
        counts[(from_top ? row : N_CELLS - 1 - row) * N_CELLS + column]++;
    }
}

/* ---- labels.jpg ---- */

static void draw_bar_text(plot_page *p, const plot_axes *a, double x, double bar_w, size_t count,
                          const char *name, bool with_count, bool name_up, const plot_font *font)
{
    if (with_count) {
        char text[32];
        base_format(text, sizeof text, "%zu", count);
        plot_font number = {.px = fmin(FONT_PX * 0.95, bar_w * 0.42), .color = PLOT_MUTED};
        plot_text(p, x, plot_axes_y(a, (double)count) - number.px * 0.9, PLOT_CENTER, 0, &number,
                  text);
    }
    if (name_up)
        plot_text_up(p, x, a->y + a->h + 10, PLOT_RIGHT, 130, font, name);
    else
        plot_text(p, x, a->y + a->h + 20, PLOT_CENTER, 0, font, name);
}

static void draw_histogram(plot_page *p, plot_axes a, const size_t *counts,
                           const char *const *names, int nc)
{
    enum { MOST_COUNTED = 20 };
    size_t most = 0;
    for (int c = 0; c < nc; c++)
        most = counts[c] > most ? counts[c] : most;
    a.x1 = nc;
    a.y1 = most > 0 ? (double)most * 1.08 : 1;
    a.no_x_ticks = true;
    plot_axes_draw(p, &a);

    double pitch = a.w / nc, bar_w = fmin(pitch * 0.8, 120);
    plot_font font = {.px = fmin(FONT_PX, fmax(8, pitch * 0.85)), .color = PLOT_INK};
    bool name_up = false;
    for (int c = 0; c < nc && !name_up; c++)
        name_up = plot_text_width(p, &font, names[c]) > pitch * 0.92;
    int every = (int)ceil(font.px * 1.1 / pitch);
    for (int c = 0; c < nc; c++) {
        double x = a.x + pitch * (c + 0.5), y = plot_axes_y(&a, (double)counts[c]);
        plot_fill(p, x - bar_w / 2, y, bar_w, a.y + a.h - y, plot_class_color(c), 0.9);
        if (c % every == 0)
            draw_bar_text(p, &a, x, bar_w, counts[c], names[c], nc <= MOST_COUNTED, name_up, &font);
    }
}

/* Every so many-th box, so that a large data set costs no more than a small one. */
static void draw_outlines(plot_page *p, const plot_axes *a, const report_label *labels,
                          size_t n_labels, int nc)
{
    plot_fill(p, a->x, a->y, a->w, a->h, PLOT_RGB(0xfafbfc), 1);
    cairo_save(p->cr);
    cairo_rectangle(p->cr, a->x, a->y, a->w, a->h);
    cairo_clip(p->cr);
    cairo_set_line_width(p->cr, 1.2);
    size_t every = n_labels / MOST_OUTLINES + 1;
    for (size_t i = 0; i < n_labels; i += every) {
        if (!is_shown(&labels[i], nc))
            continue;
        double w = fmin(fmax((double)labels[i].xywh_norm[2], 0), 2) * a->w,
               h = fmin(fmax((double)labels[i].xywh_norm[3], 0), 2) * a->h;
        plot_color c = plot_class_color(labels[i].class_index);
        cairo_set_source_rgba(p->cr, c.r, c.g, c.b, 0.55);
        cairo_rectangle(p->cr, a->x + (a->w - w) / 2, a->y + (a->h - h) / 2, w, h);
        cairo_stroke(p->cr);
    }
    cairo_restore(p->cr);
    plot_font title = {.px = a->font_px * 1.25, .bold = true, .color = PLOT_INK};
    plot_text(p, a->x, a->y - title.px * 1.1, PLOT_LEFT, a->w, &title, a->title);
    cairo_set_source_rgb(p->cr, PLOT_EDGE.r, PLOT_EDGE.g, PLOT_EDGE.b);
    cairo_set_line_width(p->cr, 1);
    cairo_rectangle(p->cr, floor(a->x) + 0.5, floor(a->y) + 0.5, floor(a->w), floor(a->h));
    cairo_stroke(p->cr);
}

static plot_axes panel(int column, int row, const char *title, const char *x_label,
                       const char *y_label)
{
    return (plot_axes){.x = column * PAGE_W / 2.0 + 105,
                       .y = row * (PAGE_H + 50) / 2.0 + 62,
                       .w = PAGE_W / 2.0 - 105 - 35,
                       .h = 590,
                       .x1 = 1,
                       .y1 = 1,
                       .title = title,
                       .x_label = x_label,
                       .y_label = y_label,
                       .font_px = FONT_PX};
}

static void draw_labels(plot_page *p, const report_label *labels, size_t n_labels,
                        const size_t *counts, const char *const *names, int nc)
{
    uint32_t cells[N_CELLS * N_CELLS];
    draw_histogram(p, panel(0, 0, "Objects by class", NULL, "objects"), counts, names, nc);
    plot_axes outlines = panel(1, 0, "Boxes, centred", NULL, NULL);
    draw_outlines(p, &outlines, labels, n_labels, nc);

    plot_axes centres = panel(0, 1, "Where boxes lie", "x of the centre", "y of the centre");
    centres.y0 = 1; /* downwards, as in the pictures */
    centres.y1 = 0;
    plot_axes_draw(p, &centres);
    count_cells(cells, labels, n_labels, nc, 0, 1, true);
    plot_axes_density(p, &centres, cells, N_CELLS);

    plot_axes sizes = panel(1, 1, "How large boxes are", "width", "height");
    plot_axes_draw(p, &sizes);
    count_cells(cells, labels, n_labels, nc, 2, 3, false);
    plot_axes_density(p, &sizes, cells, N_CELLS);
}

vg_status report_plot_labels(const char *path, const report_label *labels, size_t n_labels,
                             const char *const *names, int nc, base_mem *mem, vg_error *err)
{
    plot_page page = {0};
    size_t *counts = base_alloc_zero(mem, (size_t)nc, sizeof *counts, err);
    vg_status st = counts != NULL ? plot_page_init(&page, PAGE_W, PAGE_H, mem, err) : VG_ERR_MEMORY;
    if (st != VG_OK)
        goto done;
    plot_page_names(&page, names, (size_t)nc);
    for (size_t i = 0; i < n_labels; i++)
        if (is_shown(&labels[i], nc))
            counts[labels[i].class_index]++;
    draw_labels(&page, labels, n_labels, counts, names, nc);
    st = plot_page_write(&page, path, mem, err);
done:
    plot_page_fini(&page);
    base_free(counts);
    return st;
}

/* ---- labels_correlogram.jpg ---- */

/* How often each value of coordinate i comes, as bars. */
static void draw_distribution(plot_page *p, plot_axes a, const report_label *labels,
                              size_t n_labels, size_t i)
{
    uint32_t counts[N_CELLS] = {0}, most = 0;
    for (size_t l = 0; l < n_labels; l++)
        if (is_shown(&labels[l], INT32_MAX))
            counts[cell_of(labels[l].xywh_norm[i], N_CELLS)]++;
    for (size_t k = 0; k < N_CELLS; k++)
        most = counts[k] > most ? counts[k] : most;
    a.y1 = most > 0 ? most * 1.08 : 1;
    plot_axes_draw(p, &a);
    for (size_t k = 0; k < N_CELLS; k++) {
        double x1 = floor(a.x + a.w * (double)k / N_CELLS),
               x2 = floor(a.x + a.w * (double)(k + 1) / N_CELLS), y = plot_axes_y(&a, counts[k]);
        plot_fill(p, x1, y, x2 - x1, a.y + a.h - y, plot_ramp_color(0.65), 1);
    }
}

vg_status report_plot_correlogram(const char *path, const report_label *labels, size_t n_labels,
                                  base_mem *mem, vg_error *err)
{
    static const char *const NAMES[4] = {"x", "y", "width", "height"};
    uint32_t cells[N_CELLS * N_CELLS];
    plot_page page = {0};
    vg_status st = plot_page_init(&page, PAGE_W, PAGE_H, mem, err);
    if (st != VG_OK)
        goto done;
    const double pitch = (PAGE_W - 60) / 4.0;
    for (size_t row = 0; row < 4; row++)
        for (size_t column = 0; column <= row; column++) {
            plot_axes a = {.x = 105 + pitch * (double)column,
                           .y = 40 + pitch * (double)row,
                           .w = pitch - 95,
                           .h = pitch - 95,
                           .x1 = 1,
                           .y1 = 1,
                           .x_label = row == 3 ? NAMES[column] : NULL,
                           .y_label = column == 0 && row > 0 ? NAMES[row] : NULL,
                           .font_px = 14};
            if (row == column) {
                a.title = NAMES[row];
                draw_distribution(&page, a, labels, n_labels, row);
                continue;
            }
            bool downwards = row == 1; /* y, as in the pictures */
            a.y0 = downwards ? 1 : 0;
            a.y1 = downwards ? 0 : 1;
            plot_axes_draw(&page, &a);
            count_cells(cells, labels, n_labels, INT32_MAX, column, row, downwards);
            plot_axes_density(&page, &a, cells, N_CELLS);
        }
    st = plot_page_write(&page, path, mem, err);
done:
    plot_page_fini(&page);
    return st;
}
