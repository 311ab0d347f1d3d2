/* chart.c: axes with round numbers, lines, bands, marks and limits.
 *
 * What the script needs to show values is beside the drawing: the frame's numbers on the <svg>, the
 * drawn points of each line in data-x and data-y. */
#include "chart.h"

#include <assert.h>

enum {
    WIDTH = 400,
    WIDE = 822, /* of two columns and the gap between them */
    HEIGHT = 190,
    LEFT = 48,
    MARGIN = 8, /* on the right */
    TOP = 12,
    BOTTOM = 166,
    MOST_STEPS = 180 /* of a line with many points; two points each */
};

typedef struct frame {
    double from, to, low, high; /* low and high are logarithms where is_log */
    double step;                /* between two heights with a number; not of logarithms */
    bool is_log;
    int right;
} frame;

static double x_of(const frame *f, double x)
{
    return LEFT + (f->right - LEFT) * (x - f->from) / (f->to - f->from);
}

static double y_of(const frame *f, double y)
{
    const double v = f->is_log ? log10(y) : y;
    return BOTTOM - (BOTTOM - TOP) * (v - f->low) / (f->high - f->low);
}

static bool is_drawn(const frame *f, double y)
{
    return isfinite(y) && (!f->is_log || y > 0);
}

/* ---- numbers ---- */

static const char *figure_of_seconds(char buf[PAGE_FIGURE_BYTES], double s)
{
    static const struct {
        double s;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}, {0, "ms"}};
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof *units && fabs(s) < units[i].s)
        i++;
    const double one = units[i].s > 0 ? units[i].s : 1e-3;
    base_format(buf, PAGE_FIGURE_BYTES, "%.3g %s", s == 0 ? 0 : s / one,
                s == 0 ? "s" : units[i].name);
    return buf;
}

/* "180.0 MB" is "180 MB" here. buf holds text. */
static const char *without_zero(const char *text, char *buf)
{
    char *point = strstr(buf, ".0 ");
    if (point != NULL)
        memmove(point, point + 2, strlen(point + 2) + 1);
    return text;
}

static const char *figure_of_number(char buf[PAGE_FIGURE_BYTES], double v)
{
    static const char *const names[] = {"", " k", " M", " G", " T"};
    size_t i = 0;
    for (; fabs(v) >= 99999.5 && i < 4; i++)
        v /= 1000;
    base_format(buf, PAGE_FIGURE_BYTES, "%.4g%s", v, names[i]);
    return buf;
}

const char *page_figure(char buf[PAGE_FIGURE_BYTES], page_unit unit, double value)
{
    if (!isfinite(value)) {
        base_format(buf, PAGE_FIGURE_BYTES, "-");
        return buf;
    }
    switch (unit) {
    case PAGE_BYTES:
        return without_zero(base_format_bytes(buf, PAGE_FIGURE_BYTES, value), buf);
    case PAGE_BYTES_PER_S:
        without_zero(base_format_bytes(buf, PAGE_FIGURE_BYTES, value), buf);
        base_format(buf + strlen(buf), PAGE_FIGURE_BYTES - strlen(buf), "/s");
        return buf;
    case PAGE_SECONDS:
        return figure_of_seconds(buf, value);
    case PAGE_COUNT:
        base_format(buf, PAGE_FIGURE_BYTES, "%.0f", value);
        return buf;
    case PAGE_PERCENT:
        base_format(buf, PAGE_FIGURE_BYTES, "%.3g %%", 100 * value);
        return buf;
    case PAGE_PER_S:
        figure_of_number(buf, value);
        base_format(buf + strlen(buf), PAGE_FIGURE_BYTES - strlen(buf), "/s");
        return buf;
    case PAGE_NUMBER:
        break;
    }
    return figure_of_number(buf, value);
}

/* 1, 2 or 5 times a power of ten (of 1024 for bytes; 60, 3600 for seconds), for about n steps. */
static double round_step(double span, int n, page_unit unit)
{
    const double rough = span / n;
    double base = 1;
    if (unit == PAGE_BYTES || unit == PAGE_BYTES_PER_S)
        while (rough >= 1024 * base)
            base *= 1024;
    if (unit == PAGE_SECONDS)
        base = rough >= 43200 ? 86400 : rough >= 1800 ? 3600 : rough >= 30 ? 60 : 1;
    const double power = pow(10, floor(log10(rough / base))), m = rough / base / power;
    const double half = unit == PAGE_NUMBER || unit == PAGE_PERCENT ? 2.5 : 2; /* 0.25 */
    const double step = base * power *
                        (m <= 1      ? 1
                         : m <= 2    ? 2
                         : m <= half ? half
                         : m <= 5    ? 5
                                     : 10);
    return unit == PAGE_COUNT && step < 1 ? 1 : step;
}

/* ---- ranges ---- */

static void reach(double *low, double *high, double v)
{
    *low = fmin(*low, v);
    *high = fmax(*high, v);
}

static void find_x(frame *f, const page_chart *c)
{
    f->from = INFINITY;
    f->to = -INFINITY;
    for (size_t k = 0; k < c->n_lines; k++)
        if (c->lines[k].n > 0) {
            reach(&f->from, &f->to, c->lines[k].x[0]);
            reach(&f->from, &f->to, c->lines[k].x[c->lines[k].n - 1]);
        }
    if (!(isfinite(f->from) && isfinite(f->to)))
        f->from = f->to = 0;
    if (f->to <= f->from)
        f->to = f->from + 1;
}

/* Lowest and highest of all lines; false: there is nothing to draw. */
static bool find_y(const frame *f, const page_chart *c, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t k = 0; k < c->n_lines; k++) {
        const page_line *l = &c->lines[k];
        for (size_t i = 0; i < l->n; i++) {
            if (is_drawn(f, l->y[i]))
                reach(low, high, l->y[i]);
            if (l->low != NULL && is_drawn(f, l->low[i]) && is_drawn(f, l->high[i])) {
                reach(low, high, l->low[i]);
                reach(low, high, l->high[i]);
            }
        }
    }
    return *low <= *high;
}

static void find_linear(frame *f, const page_chart *c, double low, double high)
{
    /* A limit that is near belongs to the picture. */
    for (size_t i = 0; i < c->n_limits; i++)
        if (c->limits[i].y > high && c->limits[i].y < 2.5 * high)
            high = c->limits[i].y;
    const bool is_given = c->least != 0 || c->most != 0;
    if (is_given && low >= c->least)
        low = c->least;
    else if (low > 0 && low < 0.6 * high)
        low = 0;
    if (is_given && high <= c->most)
        high = c->most;
    const double span = high - low;
    const double step = round_step(span > 0 ? span : fmax(fabs(high), 1), 4, c->y_unit);
    f->low = floor(low / step + 1e-9) * step;
    f->high = ceil(high / step - 1e-9) * step;
    if (f->high <= f->low)
        f->high = f->low + step;
    f->step = step;
}

static void find_range(frame *f, const page_chart *c)
{
    double low, high;
    find_x(f, c);
    f->is_log = c->is_log;
    if (!find_y(f, c, &low, &high)) {
        f->is_log = false; /* nothing above 0 */
        if (!find_y(f, c, &low, &high))
            low = 0, high = 1;
    }
    if (!f->is_log) {
        find_linear(f, c, low, high);
        return;
    }
    f->low = log10(low);
    f->high = log10(high);
    const double room = fmax((f->high - f->low) * 0.06, 0.02);
    f->low -= room;
    f->high += room;
}

/* ---- axes ---- */

static void put_height(page_html *w, const frame *f, page_unit unit, double v)
{
    char text[PAGE_FIGURE_BYTES];
    const double y = y_of(f, v);
    if (!(y >= TOP - 0.5 && y <= BOTTOM + 0.5))
        return;
    page_put(w, "<path class=g d='M%d %.1fH%d'/><text class=v x=%d y=%.1f>%s</text>", LEFT, y,
             f->right, LEFT - 6, y + 4, page_figure(text, unit, v));
}

static void put_heights(page_html *w, const frame *f, page_unit unit)
{
    if (!f->is_log) {
        for (int i = 0; i <= 12; i++)
            put_height(w, f, unit, (round(f->low / f->step) + i) * f->step);
        return;
    }
    /* Over decades their beginnings; within one or two also 2 and 5. */
    const double span = f->high - f->low;
    const int every = span > 6 ? (int)ceil(span / 6) : 1;
    for (int d = (int)floor(f->low); d <= (int)ceil(f->high); d += every) {
        static const int parts[] = {1, 2, 5, 3, 7};
        const int n = span < 0.7 ? 5 : span < 2.2 ? 3 : 1;
        for (int i = 0; i < n; i++)
            put_height(w, f, unit, parts[i] * pow(10, d));
    }
}

/* "80 s" between "60 s" and "100 s": all in the unit of the step. */
static const char *figure_at(char buf[PAGE_FIGURE_BYTES], page_unit unit, double v, double step)
{
    if (unit != PAGE_SECONDS || step < 1)
        return page_figure(buf, unit, v);
    const double one = step >= 86400 ? 86400 : step >= 3600 ? 3600 : step >= 60 ? 60 : 1;
    base_format(buf, PAGE_FIGURE_BYTES, "%.6g %s", v / one,
                step >= 86400  ? "d"
                : step >= 3600 ? "h"
                : step >= 60   ? "min"
                               : "s");
    return buf;
}

static void put_times(page_html *w, const frame *f, page_unit unit)
{
    char text[PAGE_FIGURE_BYTES];
    const double step = round_step(f->to - f->from, f->right > WIDTH ? 10 : 5, unit);
    const double first = ceil(f->from / step - 1e-9) * step;
    for (int i = 0; i <= 24 && first + i * step <= f->to + 1e-9 * step; i++) {
        const double at = first + i * step;
        page_put(w, "<text class=t x=%.1f y=%d>%s</text>", x_of(f, at), BOTTOM + 17,
                 figure_at(text, unit, at, step));
    }
    page_put(w, "<path class=axis d='M%d %dH%d'/>", LEFT, BOTTOM, f->right);
}

/* ---- lines ---- */

/* The points that are drawn: all, or of each step the lowest and the highest in their order. */
typedef struct walk {
    const frame *f;
    const page_line *l;
    size_t at, n_points;
    size_t found[2]; /* of the step at hand */
    int n_found, given;
} walk;

static size_t step_of(const walk *k, size_t i)
{
    const double part = (k->l->x[i] - k->f->from) / (k->f->to - k->f->from);
    return (size_t)(fmin(fmax(part, 0), 1) * (MOST_STEPS - 1));
}

static void take_step(walk *k)
{
    const page_line *l = k->l;
    const size_t step = step_of(k, k->at);
    size_t low = k->at, high = k->at;
    for (; k->at < l->n && step_of(k, k->at) == step; k->at++) {
        if (!is_drawn(k->f, l->y[low]) || l->y[k->at] < l->y[low])
            low = k->at;
        if (!is_drawn(k->f, l->y[high]) || l->y[k->at] > l->y[high])
            high = k->at;
    }
    k->n_found = low == high ? 1 : 2;
    k->found[0] = low < high ? low : high;
    k->found[1] = low < high ? high : low;
    k->given = 0;
}

/* The next point's index; false: there is none. */
static bool next_point(walk *k, size_t *i)
{
    if (k->given < k->n_found) {
        *i = k->found[k->given++];
        return true;
    }
    if (k->at >= k->l->n)
        return false;
    if (k->l->n <= (size_t)(2 * MOST_STEPS)) {
        *i = k->at++;
        return true;
    }
    take_step(k);
    return next_point(k, i);
}

static void put_band(page_html *w, const frame *f, const page_line *l)
{
    if (l->low == NULL || l->n < 2 || l->n > 2 * MOST_STEPS)
        return;
    size_t n = 0;
    page_put(w, "<path class=band d='");
    for (size_t i = 0; i < l->n; i++)
        if (is_drawn(f, l->high[i]))
            page_put(w, "%c%.1f %.1f", n++ == 0 ? 'M' : 'L', x_of(f, l->x[i]), y_of(f, l->high[i]));
    for (size_t i = l->n; i-- > 0;)
        if (is_drawn(f, l->low[i]) && n > 0)
            page_put(w, "L%.1f %.1f", x_of(f, l->x[i]), y_of(f, l->low[i]));
    page_put(w, n > 0 ? "Z'/>" : "'/>");
}

static void put_path(page_html *w, const frame *f, const page_line *l)
{
    size_t i, n = 0;
    bool is_down = false;
    double x = 0, y = 0;
    page_put(w, "<path class='line%s%s' d='", l->is_faint ? " faint" : "",
             l->is_dashed ? " dashed" : "");
    for (walk k = {.f = f, .l = l}; next_point(&k, &i);) {
        if (!is_drawn(f, l->y[i])) {
            is_down = false;
            continue;
        }
        x = x_of(f, l->x[i]);
        y = y_of(f, l->y[i]);
        page_put(w, "%c%.1f %.1f", is_down ? 'L' : 'M', x, y);
        is_down = true;
        n++;
    }
    page_put(w, "'/>");
    if (n == 1)
        page_put(w, "<circle class=dot cx=%.1f cy=%.1f r=2.5 />", x, y);
}

/* What the script shows; the numbers that are drawn. */
static void put_values(page_html *w, const frame *f, const page_line *l)
{
    size_t i, n = 0;
    page_put(w, " data-x='");
    for (walk k = {.f = f, .l = l}; next_point(&k, &i);)
        page_put(w, "%s%.6g", n++ > 0 ? "," : "", l->x[i]);
    page_put(w, "' data-y='");
    n = 0;
    for (walk k = {.f = f, .l = l}; next_point(&k, &i);)
        if (isfinite(l->y[i]))
            page_put(w, "%s%.6g", n++ > 0 ? "," : "", l->y[i]);
        else
            page_put(w, "%s", n++ > 0 ? "," : "");
    page_put(w, "'");
}

static void put_lines(page_html *w, const frame *f, const page_chart *c)
{
    for (size_t k = 0; k < c->n_lines; k++) {
        const page_line *l = &c->lines[k];
        page_put(w, "<g class='s c%d'", l->colour % PAGE_COLOURS);
        if (!l->is_faint) {
            page_put(w, " data-name='%s'", l->name);
            put_values(w, f, l);
        }
        page_put(w, ">");
        put_band(w, f, l);
        put_path(w, f, l);
        page_put(w, "</g>");
    }
}

/* ---- marks, limits ---- */

static void put_limits(page_html *w, const frame *f, const page_chart *c)
{
    for (size_t i = 0; i < c->n_limits; i++) {
        if (!is_drawn(f, c->limits[i].y))
            continue;
        const double y = y_of(f, c->limits[i].y);
        const bool is_inside = y >= TOP - 0.5 && y <= BOTTOM;
        if (is_inside)
            page_put(w, "<path class=limit d='M%d %.1fH%d'/>", LEFT, y, f->right);
        page_put(w, "<text class=l x=%d y=%.1f>%s%s</text>", f->right,
                 is_inside && y > TOP + 14 ? y - 4
                 : is_inside               ? y + 13
                                           : TOP - 2,
                 c->limits[i].text, is_inside ? "" : " \xe2\x86\x91");
    }
}

static void put_marks(page_html *w, const frame *f, const page_chart *c)
{
    for (size_t i = 0; i < c->n_marks; i++) {
        const page_mark *m = &c->marks[i];
        if (!(m->x >= f->from && m->x <= f->to))
            continue;
        const double x = x_of(f, m->x);
        page_put(w,
                 "<g class='%s'><path class=mark d='M%.1f %dV%d'/><circle class=pin cx=%.1f cy=%d "
                 "r=3.5><title>%s</title></circle></g>",
                 m->state, x, TOP, BOTTOM, x, TOP, m->text);
    }
}

/* ---- the figure ---- */

static double last_of(const page_line *l)
{
    for (size_t i = l->n; i-- > 0;)
        if (isfinite(l->y[i]))
            return l->y[i];
    return NAN;
}

static size_t n_named(const page_chart *c)
{
    size_t n = 0;
    for (size_t k = 0; k < c->n_lines; k++)
        n += !c->lines[k].is_faint;
    return n;
}

static void put_caption(page_html *w, const page_chart *c)
{
    char text[PAGE_FIGURE_BYTES];
    page_put(w, "<figcaption><h3>%s</h3>", c->title != NULL ? c->title : c->name);
    if (c->help != NULL)
        page_put(w, "<small>%s</small>", c->help);
    if (c->state != NULL)
        page_put(w, "<span class='badge %s'>%s</span>", c->state, c->state);
    if (c->now != NULL)
        page_put(w, "<output>%s</output>", c->now);
    else if (n_named(c) == 1)
        for (size_t k = 0; k < c->n_lines; k++)
            if (!c->lines[k].is_faint)
                page_put(w, "<output>%s</output>",
                         page_figure(text, c->y_unit, last_of(&c->lines[k])));
    page_put(w, "</figcaption>");
}

static void put_legend(page_html *w, const page_chart *c)
{
    char text[PAGE_FIGURE_BYTES];
    if (n_named(c) < 2)
        return;
    page_put(w, "<ul class=legend>");
    for (size_t k = 0; k < c->n_lines; k++)
        if (!c->lines[k].is_faint)
            page_put(w, "<li class='c%d'><i></i><span>%s</span><output>%s</output>",
                     c->lines[k].colour % PAGE_COLOURS, c->lines[k].name,
                     page_figure(text, c->y_unit, last_of(&c->lines[k])));
    page_put(w, "</ul>");
}

static void put_drawing(page_html *w, const page_chart *c, frame *f, int width, const char *class)
{
    static const char *const units[] = {
        [PAGE_NUMBER] = "number",          [PAGE_COUNT] = "count", [PAGE_BYTES] = "bytes",
        [PAGE_SECONDS] = "seconds",        [PAGE_PER_S] = "per-s", [PAGE_PERCENT] = "percent",
        [PAGE_BYTES_PER_S] = "bytes-per-s"};
    f->right = width - MARGIN;
    page_put(
        w,
        "<svg class='%s' viewBox='0 0 %d %d' role=img tabindex=0 aria-label='%s' data-frame='%d "
        "%d %d %d' data-range='%.9g %.9g %.9g %.9g' data-log='%d' data-units='%s %s'>",
        class, width, HEIGHT, c->title != NULL ? c->title : c->name, LEFT, f->right, TOP, BOTTOM,
        f->from, f->to, f->low, f->high, f->is_log, units[c->x_unit], units[c->y_unit]);
    put_heights(w, f, c->y_unit);
    put_times(w, f, c->x_unit);
    put_lines(w, f, c);
    put_limits(w, f, c);
    put_marks(w, f, c);
    page_put(w, "</svg>");
}

void page_put_chart(page_html *w, const page_chart *c)
{
    frame f = {0};
    find_range(&f, c);
    page_put(w, "<figure class='card chart%s' data-chart='%s'>", c->is_wide ? " wide" : "",
             c->name);
    put_caption(w, c);
    /* The style sheet shows one of the two: letters of a wide one were too small on a phone. */
    put_drawing(w, c, &f, WIDTH, c->is_wide ? "where-narrow" : "");
    if (c->is_wide)
        put_drawing(w, c, &f, WIDE, "where-wide");
    put_legend(w, c);
    if (c->note != NULL)
        page_put(w, "<p class='says %s'>%s</p>", c->state != NULL ? c->state : "other", c->note);
    page_put(w, "</figure>");
}

void page_put_spark(page_html *w, const double *y, size_t n, int colour)
{
    enum { SPARK_WIDTH = 120, SPARK_HEIGHT = 24 };
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i]))
            reach(&low, &high, y[i]);
    page_put(w, "<svg class='spark c%d' viewBox='0 0 %d %d' aria-hidden=true>",
             colour % PAGE_COLOURS, SPARK_WIDTH, SPARK_HEIGHT);
    if (low <= high) {
        const double span = high > low ? high - low : 1;
        bool is_down = false;
        page_put(w, "<path class=line d='");
        for (size_t i = 0; i < n; i++) {
            if (!isfinite(y[i])) {
                is_down = false;
                continue;
            }
            page_put(w, "%c%.1f %.1f", is_down ? 'L' : 'M',
                     2 + (SPARK_WIDTH - 4) * (n > 1 ? (double)i / (double)(n - 1) : 0.5),
                     SPARK_HEIGHT - 3 - (SPARK_HEIGHT - 6) * (y[i] - low) / span);
            is_down = true;
        }
        page_put(w, "'/>");
    }
    page_put(w, "</svg>");
}
