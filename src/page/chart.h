/* chart.h: lines over an axis, drawn as SVG in C. A script shows the values under the pointer; no
 * chart needs one.
 *
 * A drawing is 400 wide, a wide one also 822, and scales with its card. A line of more than some
 * hundred points is drawn by the lowest and highest of each step, so a chart's size is bounded
 * whatever the run's. Nothing is allocated but the page's text. */
#ifndef PAGE_CHART_H
#define PAGE_CHART_H

#include <math.h>

#include "html.h"

/* Colours by number, for as many lines as one can still tell apart; more begin again. */
enum { PAGE_COLOURS = 8, PAGE_FIGURE_BYTES = 48 };

typedef enum page_unit {
    PAGE_NUMBER,  /* 0.0123, 12.3 M */
    PAGE_COUNT,   /* whole numbers */
    PAGE_BYTES,   /* 12.3 MB, of 1024 */
    PAGE_SECONDS, /* 3 min, 2.5 h */
    PAGE_PER_S,   /* 12.3/s */
    PAGE_BYTES_PER_S,
    PAGE_PERCENT /* of 0..1 */
} page_unit;
/* Into buf; "-" for what is no number. Returns buf. */
const char *page_figure(char buf[PAGE_FIGURE_BYTES], page_unit unit, double value);

typedef struct page_line {
    const char *name;
    size_t n;
    const double *x, *y;      /* (n) x rises; a y that is no number is a gap */
    const double *low, *high; /* (n) a band behind the line; NULL: none */
    int colour;               /* 0.. */
    bool is_faint;            /* behind another: no legend, no values */
    bool is_dashed;
} page_line;

/* Something that happened at x, and a height that is not to be passed. state: of page_badge. */
typedef struct page_mark {
    double x;
    const char *state, *text;
} page_mark;
typedef struct page_limit {
    double y;
    const char *text;
} page_limit;

typedef struct page_chart {
    const char *name;  /* by which scripts and tests know it: "train/box_loss" */
    const char *title; /* NULL: name */
    const char *help;  /* a few words beside it; NULL: none */
    page_unit x_unit, y_unit;
    const page_line *lines;
    size_t n_lines;
    const page_mark *marks;
    size_t n_marks;
    const page_limit *limits;
    size_t n_limits;
    double least, most; /* both 0: as the lines have it; most NAN: only from least on */
    bool is_log;        /* of what is above 0 */
    bool is_wide;       /* over two columns where there is room */
    const char *state;  /* a badge beside the title; NULL: none */
    const char *now;    /* the figure beside the title; NULL: of one line its last */
    const char *note;   /* a sentence below, in the state's colour; NULL: none */
} page_chart;

void page_put_chart(page_html *w, const page_chart *c);
/* A line alone, as high as a row of text. */
void page_put_spark(page_html *w, const double *y, size_t n, int colour);

#endif
