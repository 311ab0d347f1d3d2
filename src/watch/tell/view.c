/* view.c: rows of text with colour, cut by columns; and the escapes of ECMA-48 and DEC that keep
 * them at the bottom: DECSTBM (scroll region), DECSC and DECRC (the cursor, kept). */
#include "view.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "report.h"
#include "watch/judge/figures.h"
#include "watch/sample/charged.h"

enum { SPARK_COLUMNS = 16 };

typedef struct canvas {
    char *text;
    size_t n;
    const vg_watch_screen *screen;
    int column; /* of the row in hand */
    int n_rows, most_rows;
} canvas;

/* ---- writing ---- */

static void put_bytes(canvas *c, const char *text, size_t n)
{
    if (c->n + n < WATCH_VIEW_BYTES) {
        memcpy(c->text + c->n, text, n);
        c->n += n;
        c->text[c->n] = '\0';
    }
}

/* A column a character; what does not fit in the row is left out. Names of processes hold what they
 * like. */
static void put_text(canvas *c, const char *text)
{
    char shown[4096];
    base_line_escape(shown, sizeof shown, text);
    for (const char *p = shown; *p != '\0' && c->column < c->screen->columns;) {
        const size_t n = base_utf8_bytes(p);
        if (n > 1 && !c->screen->has_utf8)
            put_bytes(c, "?", 1);
        else
            put_bytes(c, p, n);
        c->column++;
        p += n;
    }
}

static void put(canvas *c, const char *format, ...) VG_PRINTF(2, 3);
static void put(canvas *c, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_text(c, text);
}

static void to_column(canvas *c, int column)
{
    while (c->column < column && c->column < c->screen->columns)
        put_text(c, " ");
}

static void color(canvas *c, const char *code)
{
    char text[16];
    if (!c->screen->has_color)
        return;
    base_format(text, sizeof text, "\033[%sm", code);
    put_bytes(c, text, strlen(text));
}

static void plain(canvas *c)
{
    color(c, "0");
}

/* False: there is no room for another row. */
static bool end_row(canvas *c)
{
    plain(c);
    put_bytes(c, "\n", 1);
    c->column = 0;
    return ++c->n_rows < c->most_rows;
}

static const char *state_color(watch_state s)
{
    static const char *const codes[] = {
        [WATCH_LEARNING] = "2",   [WATCH_STEADY] = "32",    [WATCH_SUSPECT] = "33",
        [WATCH_GROWING] = "1;33", [WATCH_LEAKING] = "1;31", [WATCH_CRITICAL] = "1;41",
        [WATCH_HUNG] = "1;35"};
    return codes[s];
}

static void put_state(canvas *c, watch_state s)
{
    color(c, state_color(s));
    put(c, "%s", watch_state_name(s));
    plain(c);
}

/* ---- curves ---- */

/* value of 0..1 as one of eight heights. */
static void put_height(canvas *c, double value)
{
    static const char *const blocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const signs[] = {"_", "_", ".", ".", "-", "-", "^", "^"};
    const int i = (int)fmin(7, fmax(0, floor(value * 7.999)));
    put_text(c, isnan(value) ? " " : c->screen->has_utf8 ? blocks[i] : signs[i]);
}

/* The highest of each column's share of bins, from 0 to the peak. */
static void put_life(canvas *c, const watch_story *s, const watch_life *l)
{
    const size_t n = (size_t)fmin(WATCH_LIFE_BINS, (s->now_s - s->first_s) / s->life_step_s + 1);
    for (size_t k = 0; k < SPARK_COLUMNS; k++) {
        double highest = NAN;
        const size_t from = k * n / SPARK_COLUMNS, to = (k + 1) * n / SPARK_COLUMNS;
        for (size_t i = from; i < (to > from ? to : from + 1) && i < n; i++)
            highest = fmax(highest, (double)l->rss[i]);
        put_height(c, highest / fmax(l->peak_rss_bytes, 1));
    }
}

/* From the lowest to the highest that was seen. */
static void put_course(canvas *c, const watch_story *s, watch_series series)
{
    double low = INFINITY, high = -INFINITY;
    const size_t n = watch_story_n_bins(s);
    watch_bin b;
    for (size_t i = 0; i < n; i++)
        if (watch_story_at(s, series, i, &b)) {
            low = fmin(low, b.low);
            high = fmax(high, b.high);
        }
    for (size_t k = 0; k < SPARK_COLUMNS; k++) {
        double sum = 0;
        size_t n_read = 0;
        for (size_t i = k * n / SPARK_COLUMNS;
             i < n && (i < (k + 1) * n / SPARK_COLUMNS || i == k * n / SPARK_COLUMNS); i++)
            if (watch_story_at(s, series, i, &b)) {
                sum += b.mean;
                n_read++;
            }
        put_height(c, n_read == 0  ? NAN
                      : high > low ? (sum / (double)n_read - low) / (high - low)
                                   : 0);
    }
}

/* ---- rows ---- */

static bool put_rule(canvas *c)
{
    color(c, "2");
    for (int i = 0; i < c->screen->columns; i++)
        put_text(c, c->screen->has_utf8 ? "\u2500" : "-");
    return end_row(c);
}

static bool put_head(canvas *c, const watch_story *s)
{
    char a[WATCH_FIGURE_BYTES], b[WATCH_FIGURE_BYTES];
    size_t n_alive = 0;
    for (size_t i = 0; i < s->n_lives; i++)
        n_alive += watch_life_is_alive(s, &s->lives[i]);
    put_state(c, watch_story_worst(s, NULL));
    put(c, "  %s", s->phase);
    const double memory = watch_charged_in_use(&s->now),
                 limit = s->now.value[WATCH_LIMIT_MEMORY_BYTES];
    put(c, ", %s", watch_duration(a, s->now_s - s->first_s));
    if (s->n_restarts > 0)
        put(c, ", %d restart%s", s->n_restarts, s->n_restarts > 1 ? "s" : "");
    put(c, "  %s", watch_amount(a, WATCH_BYTES, memory));
    if (!isnan(limit))
        put(c, " of %s", watch_amount(b, WATCH_BYTES, limit));
    put(c, "  %zu process%s  ", n_alive, n_alive == 1 ? "" : "es");
    color(c, "2");
    put(c, "%s", s->command);
    return end_row(c);
}

/* What rises and when it ends; in narrow screens without its curve. */
static bool put_rise(canvas *c, const watch_story *s, const watch_event *e)
{
    char text[WATCH_FORECAST_BYTES];
    put_state(c, e->verdict.state);
    to_column(c, 10);
    if (e->verdict.state == WATCH_HUNG) {
        put(c, "no progress for %s", watch_duration(text, e->verdict.level));
        return end_row(c);
    }
    if (c->screen->columns >= 110) {
        put_course(c, s, e->series);
        put(c, "  ");
    }
    put(c, "%s %s", watch_series_get(e->series)->name,
        watch_forecast(text, e->series, &e->verdict));
    return end_row(c);
}

static bool put_line(canvas *c, const char *what, const char *text, const char *rule)
{
    if (text[0] == '\0')
        return true;
    to_column(c, 3);
    color(c, "2");
    put(c, "%s", what);
    plain(c);
    to_column(c, 10);
    put(c, "%s%s%s%s", text, rule[0] != '\0' ? " (" : "", rule, rule[0] != '\0' ? ")" : "");
    return end_row(c);
}

static bool put_causes(canvas *c, const watch_story *s)
{
    watch_cause causes[WATCH_MOST_CAUSES];
    const size_t n = watch_story_causes(s, causes);
    for (size_t i = 0; i < n && i < 3 && !causes[i].is_past; i++) {
        const watch_event *e = causes[i].event;
        if (!put_rise(c, s, e) || !put_line(c, "cause", e->cause, e->rule) ||
            !put_line(c, "try", e->remedy, ""))
            return false;
    }
    return true;
}

static bool put_process(canvas *c, const watch_story *s, const watch_life *l, int depth)
{
    char a[WATCH_FIGURE_BYTES];
    const int wide = c->screen->columns >= 100 ? 34 : 24;
    to_column(c, 2 * (depth < 6 ? depth : 6));
    put(c, "%.*s", wide - 1 - c->column, l->now.name);
    to_column(c, wide);
    put(c, "%8d ", (int)l->now.pid);
    color(c, "36");
    put_life(c, s, l);
    plain(c);
    put(c, " %9s", watch_amount(a, WATCH_BYTES, l->now.rss_bytes));
    if (isnan(l->cpu_0_1))
        put(c, "     - CPU");
    else
        put(c, " %5.0f%% CPU", 100 * l->cpu_0_1);
    put(c, " %4d thr", l->now.threads);
    put(c, " %4d fds", l->now.fds);
    return end_row(c);
}

static void put_tree(canvas *c, const watch_story *s)
{
    size_t order[WATCH_LIVES];
    int depths[WATCH_LIVES];
    const size_t n = watch_story_tree(s, order, depths);
    size_t n_alive = 0, n_put = 0;
    for (size_t i = 0; i < n; i++)
        n_alive += watch_life_is_alive(s, &s->lives[order[i]]);
    for (size_t i = 0; i < n; i++) {
        const watch_life *l = &s->lives[order[i]];
        if (!watch_life_is_alive(s, l))
            continue;
        if (c->n_rows == c->most_rows - 1 && n_alive - n_put > 1) {
            color(c, "2");
            put(c, "and %zu more", n_alive - n_put);
            end_row(c);
            return;
        }
        n_put++;
        if (!put_process(c, s, l, depths[i]))
            return;
    }
}

int watch_view_rows(char text[WATCH_VIEW_BYTES], const watch_story *s,
                    const vg_watch_screen *screen, int most_rows)
{
    canvas c = {.text = text, .screen = screen, .most_rows = most_rows};
    text[0] = '\0';
    if (most_rows > 0 && put_rule(&c) && put_head(&c, s) && put_causes(&c, s))
        put_tree(&c, s);
    return c.n_rows;
}

/* ---- in place ---- */

static void add(watch_view *v, const char *format, ...) VG_PRINTF(2, 3);
static void add(watch_view *v, const char *format, ...)
{
    const size_t n = strlen(v->text);
    va_list args;
    va_start(args, format);
    vsnprintf(v->text + n, sizeof v->text - n, format, args);
    va_end(args);
}

/* Its rows are wiped and the whole terminal scrolls again; the cursor stays. */
static void leave(watch_view *v)
{
    if (v->n_rows == 0)
        return;
    add(v, "\0337\033[r");
    for (int i = 0; i < v->n_rows; i++)
        add(v, "\033[%d;1H\033[2K", v->screen.rows - i);
    add(v, "\0338");
    v->n_rows = 0;
}

/* Scrolls what is there out of the last n rows, and keeps the job's output above them. */
static void enter(watch_view *v, int n)
{
    for (int i = 0; i < n; i++)
        add(v, "\n");
    add(v, "\033[%dA\0337\033[1;%dr\0338", n, v->screen.rows - n);
    v->n_rows = n;
}

const char *watch_view_draw(watch_view *v, const watch_story *s, const vg_watch_screen *screen)
{
    const int half = screen->rows / 2,
              most = half < WATCH_VIEW_MOST_ROWS ? half : WATCH_VIEW_MOST_ROWS;
    v->text[0] = '\0';
    const bool is_small = most < WATCH_VIEW_LEAST_ROWS || screen->columns < 40;
    const int n = is_small ? 0 : watch_view_rows(v->rows, s, screen, most);
    if (n > v->n_rows || is_small || screen->columns != v->screen.columns ||
        screen->rows != v->screen.rows) {
        leave(v);
        v->screen = *screen;
        if (is_small)
            return v->text;
        enter(v, n);
    }
    add(v, "\0337");
    const char *row = v->rows;
    for (int i = 0; i < v->n_rows; i++) {
        const size_t length = strcspn(row, "\n");
        add(v, "\033[%d;1H%.*s\033[K", screen->rows - v->n_rows + 1 + i, (int)length, row);
        row += length + (row[length] == '\n');
    }
    add(v, "\0338");
    return v->text;
}

const char *watch_view_end(watch_view *v)
{
    v->text[0] = '\0';
    leave(v);
    return v->text;
}
