/* plot_axes.c: axes, ticks, lines, legends, densities. */
#include <math.h>

#include "number.h"
#include "plot.h"

/* ---- ranges and ticks ---- */

void plot_range_mend(double *lo, double *hi)
{
    const double MOST = 1e30; /* beyond it, differences of coordinates lose their meaning */
    if (!isfinite(*lo) || !isfinite(*hi) || *lo > *hi) {
        *lo = 0;
        *hi = 1;
    }
    *lo = fmax(*lo, -MOST);
    *hi = fmin(*hi, MOST);
    double least = fmax(fmax(fabs(*lo), fabs(*hi)) * 1e-6, 1e-12);
    if (*hi - *lo < least) {
        double middle = (*lo + *hi) / 2, half = fmax(fabs(middle) * 0.1, 1e-6);
        *lo = middle - half;
        *hi = middle + half;
    }
}

double plot_tick_step(double lo, double hi, int n, bool whole)
{
    double raw = (hi - lo) / n, power = pow(10, floor(log10(raw))), f = raw / power;
    double step = power * (f <= 1 ? 1 : f <= 2 ? 2 : f <= 5 ? 5 : 10);
    return whole ? fmax(step, 1) : step;
}

static void format_tick(char *buf, double value, double step)
{
    if (fabs(value) < step * 1e-6)
        value = 0;
    int decimals = (int)ceil(-log10(step) - 1e-9);
    if (fabs(value) >= 1e6 || decimals > 5)
        report_number_g(buf, 4, value);
    else
        report_number_f(buf, decimals > 0 ? decimals : 0, value);
}

double plot_axes_x(const plot_axes *a, double x)
{
    return a->x + (x - a->x0) / (a->x1 - a->x0) * a->w;
}

double plot_axes_y(const plot_axes *a, double y)
{
    return a->y + a->h - (y - a->y0) / (a->y1 - a->y0) * a->h;
}

/* ---- the frame ---- */

/* Grid lines lie on whole pixels: sharp. */
static double on_pixel(double v)
{
    return floor(v) + 0.5;
}

static void draw_x_ticks(plot_page *p, const plot_axes *a, const plot_font *font)
{
    double step = plot_tick_step(a->x0, a->x1, a->w > font->px * 40 ? 10 : 5, a->whole_x);
    double slack = (a->x1 - a->x0) * 1e-9;
    for (double i = ceil((a->x0 - slack) / step); i * step <= a->x1 + slack; i++) {
        char text[REPORT_NUMBER_BYTES];
        double x = on_pixel(plot_axes_x(a, i * step));
        plot_stroke(p, x, a->y, x, a->y + a->h, PLOT_GRID, 1);
        format_tick(text, i * step, step);
        plot_text(p, x, a->y + a->h + font->px * 1.1, PLOT_CENTER, 0, font, text);
    }
}

/* Returns the width of the widest number. */
static double draw_y_ticks(plot_page *p, const plot_axes *a, const plot_font *font)
{
    double lo = fmin(a->y0, a->y1), hi = fmax(a->y0, a->y1), widest = 0;
    double step = plot_tick_step(lo, hi, 5, false), slack = (hi - lo) * 1e-9;
    for (double i = ceil((lo - slack) / step); i * step <= hi + slack; i++) {
        char text[REPORT_NUMBER_BYTES];
        double y = on_pixel(plot_axes_y(a, i * step));
        plot_stroke(p, a->x, y, a->x + a->w, y, PLOT_GRID, 1);
        format_tick(text, i * step, step);
        double w = plot_text(p, a->x - font->px * 0.6, y, PLOT_RIGHT, 0, font, text);
        widest = fmax(widest, w);
    }
    return widest;
}

void plot_axes_draw(plot_page *p, const plot_axes *a)
{
    plot_font tick = {.px = a->font_px, .color = PLOT_MUTED};
    plot_font label = {.px = a->font_px * 1.1, .color = PLOT_INK};
    plot_font title = {.px = a->font_px * 1.25, .bold = true, .color = PLOT_INK};
    if (!a->no_x_ticks)
        draw_x_ticks(p, a, &tick);
    double widest = draw_y_ticks(p, a, &tick);

    cairo_set_source_rgb(p->cr, PLOT_EDGE.r, PLOT_EDGE.g, PLOT_EDGE.b);
    cairo_set_line_width(p->cr, 1);
    cairo_rectangle(p->cr, on_pixel(a->x), on_pixel(a->y), floor(a->w), floor(a->h));
    cairo_stroke(p->cr);

    if (a->title != NULL)
        plot_text(p, a->x, a->y - title.px * 1.1, PLOT_LEFT, a->w, &title, a->title);
    if (a->x_label != NULL)
        plot_text(p, a->x + a->w / 2, a->y + a->h + tick.px * 2.7, PLOT_CENTER, a->w, &label,
                  a->x_label);
    if (a->y_label != NULL)
        plot_text_up(p, a->x - widest - tick.px * 1.8, a->y + a->h / 2, PLOT_CENTER, a->h, &label,
                     a->y_label);
}

/* ---- what is in it ---- */

static void clip_to_frame(plot_page *p, const plot_axes *a, double margin)
{
    cairo_save(p->cr);
    cairo_rectangle(p->cr, a->x - margin, a->y - margin, a->w + 2 * margin, a->h + 2 * margin);
    cairo_clip(p->cr);
}

/* A place that Cairo's fixed point can hold: far outside the page is outside enough. */
static double bounded(double v)
{
    return fmin(fmax(v, -1e5), 1e5);
}

void plot_axes_line(plot_page *p, const plot_axes *a, const double *xs, const double *ys, size_t n,
                    plot_color c, double width, double alpha)
{
    clip_to_frame(p, a, width);
    cairo_set_source_rgba(p->cr, c.r, c.g, c.b, alpha);
    cairo_set_line_width(p->cr, width);
    bool is_drawing = false;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(xs[i]) || !isfinite(ys[i])) {
            is_drawing = false;
            continue;
        }
        double x = bounded(plot_axes_x(a, xs[i])), y = bounded(plot_axes_y(a, ys[i]));
        if (!is_drawing)
            cairo_move_to(p->cr, x, y);
        cairo_line_to(p->cr, x, y); /* a line to itself, with round ends, is a dot */
        is_drawing = true;
    }
    cairo_stroke(p->cr);
    cairo_restore(p->cr);
}

void plot_axes_dots(plot_page *p, const plot_axes *a, const double *xs, const double *ys, size_t n,
                    plot_color c, double radius)
{
    clip_to_frame(p, a, radius);
    cairo_set_source_rgb(p->cr, c.r, c.g, c.b);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(xs[i]) || !isfinite(ys[i]))
            continue;
        cairo_new_sub_path(p->cr);
        cairo_arc(p->cr, bounded(plot_axes_x(a, xs[i])), bounded(plot_axes_y(a, ys[i])), radius, 0,
                  2 * M_PI);
    }
    cairo_fill(p->cr);
    cairo_restore(p->cr);
}

void plot_axes_remark(plot_page *p, const plot_axes *a, const char *text)
{
    plot_font font = {.px = a->font_px * 1.1, .color = PLOT_MUTED};
    plot_text(p, a->x + a->w / 2, a->y + a->h / 2, PLOT_CENTER, a->w, &font, text);
}

double plot_legend_row(plot_page *p, double x, double y, double most_px, plot_color c, double width,
                       const plot_font *font, const char *text)
{
    double swatch = font->px * 1.5, gap = font->px * 0.5;
    plot_stroke(p, x, y, x + swatch, y, c, width);
    return swatch + gap +
           plot_text(p, x + swatch + gap, y, PLOT_LEFT,
                     most_px > 0 ? fmax(most_px - swatch - gap, 1) : 0, font, text);
}

void plot_axes_density(plot_page *p, const plot_axes *a, const uint32_t *counts, size_t n)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n * n; i++)
        most = counts[i] > most ? counts[i] : most;
    if (most == 0)
        return;
    for (size_t row = 0; row < n; row++)
        for (size_t column = 0; column < n; column++) {
            uint32_t count = counts[row * n + column];
            if (count == 0)
                continue;
            /* By the logarithm, so that single boxes are seen beside crowds. On whole pixels, or
             * seams would show. */
            double t = 0.2 + 0.8 * log(count) / log(fmax(most, 2));
            double x1 = floor(a->x + a->w * (double)column / (double)n),
                   x2 = floor(a->x + a->w * (double)(column + 1) / (double)n),
                   y1 = floor(a->y + a->h * (double)row / (double)n),
                   y2 = floor(a->y + a->h * (double)(row + 1) / (double)n);
            plot_fill(p, x1, y1, x2 - x1, y2 - y1, plot_ramp_color(t), 1);
        }
}
