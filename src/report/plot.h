/* plot.h: a small plotting kit over Cairo: a page, text, axes with ticks, lines. Private to
 * src/report.
 *
 * Lengths and places are pixels of the page, from its upper left corner. What is drawn never fails
 * one by one: Cairo remembers the first trouble, and plot_page_write tells it. Nothing here needs a
 * font to be installed. */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H

#include <cairo.h>

#include "image/image.h"

typedef struct plot_color {
    double r, g, b; /* 0..1 */
} plot_color;
#define PLOT_RGB(hex)                                                                              \
    ((plot_color){((hex) >> 16 & 255) / 255.0, ((hex) >> 8 & 255) / 255.0, ((hex)&255) / 255.0})
#define PLOT_INK   PLOT_RGB(0x1f2933) /* titles, names */
#define PLOT_MUTED PLOT_RGB(0x616e7c) /* ticks, remarks */
#define PLOT_GRID  PLOT_RGB(0xe4e7eb)
#define PLOT_EDGE  PLOT_RGB(0xb8c2cc)

/* The class's colour, darkened where it would be pale on white. */
plot_color plot_class_color(int class_index);
/* From nearly white (0) to a dark blue (1); NaN is white. */
plot_color plot_ramp_color(double t);

/* ---- page ---- */

typedef struct plot_page {
    int w, h;
    cairo_t *cr;
    cairo_surface_t *surface; /* over pixels */
    uint8_t *pixels;          /* (h, w) Cairo's RGB24 */
    size_t stride;
    image_font font; /* family "": the default one */
} plot_page;

/* A white page: 4 bytes a pixel on the account. The caller finishes it with fini, also on failure.
 */
vg_status plot_page_init(plot_page *p, int w, int h, base_mem *mem, vg_error *err);
void plot_page_fini(plot_page *p);
/* The text to come is of a font that has the letters of these names. */
void plot_page_names(plot_page *p, const char *const *names, size_t n);
/* Writes the page by the suffix of path, whole or not at all. The page is used up. */
vg_status plot_page_write(plot_page *p, const char *path, base_mem *mem, vg_error *err);

/* ---- text ---- */

typedef enum plot_align { PLOT_LEFT, PLOT_CENTER, PLOT_RIGHT } plot_align;

typedef struct plot_font {
    double px;
    bool bold;
    plot_color color;
} plot_font;

double plot_text_width(plot_page *p, const plot_font *font, const char *text);
/* y is the middle of capital letters. Text wider than most_px (0: any) ends in an ellipsis. Bytes
 * that are not UTF-8 show as U+FFFD. Returns the width drawn. */
double plot_text(plot_page *p, double x, double y, plot_align align, double most_px,
                 const plot_font *font, const char *text);
/* Turned to read from below; x is the middle of capital letters. */
void plot_text_up(plot_page *p, double x, double y, plot_align align, double most_px,
                  const plot_font *font, const char *text);

/* ---- shapes ---- */

void plot_fill(plot_page *p, double x, double y, double w, double h, plot_color c, double alpha);
void plot_stroke(plot_page *p, double x1, double y1, double x2, double y2, plot_color c,
                 double width);

/* ---- axes ---- */

typedef struct plot_axes {
    double x, y, w, h;                     /* the frame on the page; labels stand outside */
    double x0, x1, y0, y1;                 /* the range shown; y0 > y1: downwards */
    const char *title, *x_label, *y_label; /* NULL: none */
    bool whole_x;                          /* ticks of x on whole numbers only */
    bool no_x_ticks;
    double font_px; /* of ticks; titles follow */
} plot_axes;

/* Widens lo..hi to a range that can be shown: numbers that are none, equal ends. */
void plot_range_mend(double *lo, double *hi);
/* The distance of about n ticks: 1, 2 or 5 times a power of ten. */
double plot_tick_step(double lo, double hi, int n, bool whole);
/* Grid, frame, ticks, labels. */
void plot_axes_draw(plot_page *p, const plot_axes *a);
double plot_axes_x(const plot_axes *a, double x);
double plot_axes_y(const plot_axes *a, double y);
/* A line through n points, with gaps where a number is none, cut at the frame. A point alone
 * between gaps is a dot. */
void plot_axes_line(plot_page *p, const plot_axes *a, const double *xs, const double *ys, size_t n,
                    plot_color c, double width, double alpha);
/* A dot at each point. */
void plot_axes_dots(plot_page *p, const plot_axes *a, const double *xs, const double *ys, size_t n,
                    plot_color c, double radius);
/* A remark in the middle, for axes without anything to show. */
void plot_axes_remark(plot_page *p, const plot_axes *a, const char *text);

/* ---- legend ---- */

/* A row of a legend: a piece of line, and a text; y is its middle; most_px as for plot_text.
 * Returns the width. */
double plot_legend_row(plot_page *p, double x, double y, double most_px, plot_color c, double width,
                       const plot_font *font, const char *text);

/* ---- density ---- */

/* How many points fall into each of n x n cells of 0..1 x 0..1, as colours over the axes' frame.
 * counts: (n, n), row 0 at the frame's upper edge. */
void plot_axes_density(plot_page *p, const plot_axes *a, const uint32_t *counts, size_t n);

#endif
