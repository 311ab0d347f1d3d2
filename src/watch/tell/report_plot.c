/* report_plot.c: one series as a picture: its mean, the band between lowest and highest, its limit
 * where that is near, the rise that is under suspicion, events and restarts. */
#include <math.h>
#include <string.h>

#include "report.h"
#include "watch/judge/figures.h"

typedef struct frame {
    double left, right, top, bottom; /* of the drawing, in the picture's units */
    double from_s, to_s, low, high;
} frame;

static double x_of(const frame *f, double time_s)
{
    return f->left + (f->right - f->left) * (time_s - f->from_s) / (f->to_s - f->from_s);
}

static double y_of(const frame *f, double value)
{
    return f->bottom - (f->bottom - f->top) * (value - f->low) / (f->high - f->low);
}

/* ---- range ---- */

static double limit_of(const watch_story *s, watch_series series)
{
    const watch_series limit = watch_series_get(series)->limit;
    if (s->is_judged[series] && !isnan(s->verdicts[series].verdict.limit))
        return s->verdicts[series].verdict.limit; /* what is left of it for this series */
    return limit != WATCH_NONE ? s->now.value[limit] : NAN;
}

/* The range of what is drawn, with the limit when it is near; from 0 when that costs little. */
static void find_range(frame *f, const watch_story *s, watch_series series)
{
    watch_bin b;
    f->low = INFINITY;
    f->high = -INFINITY;
    for (size_t i = 0; i < watch_story_n_bins(s); i++)
        if (watch_story_at(s, series, i, &b)) {
            f->low = fmin(f->low, b.low);
            f->high = fmax(f->high, b.high);
        }
    if (f->low > f->high)
        f->low = f->high = 0;
    const double limit = limit_of(s, series),
                 reach = s->is_judged[series] && watch_is_rising(&s->verdicts[series].verdict)
                             ? 4
                             : 1.6;
    if (limit > f->high && limit < reach * f->high)
        f->high = limit;
    if (f->low >= 0 && f->low < 0.6 * f->high)
        f->low = 0;
    const double span = f->high - f->low;
    const double step = watch_nice_step(span > 0 ? span : fmax(fabs(f->high), 1), 4,
                                        watch_series_get(series)->unit);
    f->low = floor(f->low / step) * step;
    f->high = ceil(f->high / step + 0.02) * step;
    if (f->high <= f->low)
        f->high = f->low + step;
}

/* ---- axes ---- */

/* "880.0 MB" is "880 MB" on an axis. buf holds text. */
static const char *without_zeros(const char *text, char *buf)
{
    char *point = strstr(buf, ".0 ");
    if (point != NULL)
        memmove(point, point + 2, strlen(point + 2) + 1);
    return text;
}

static void put_values(watch_writer *w, const frame *f, watch_series series)
{
    char text[WATCH_FIGURE_BYTES];
    const double step = watch_nice_step(f->high - f->low, 4, watch_series_get(series)->unit);
    for (double v = f->low; v <= f->high + step * 1e-6; v += step) {
        const double y = y_of(f, v);
        watch_put(w, "<path class=g d='M%.1f %.1fH%.1f'/><text class=v x=%.1f y=%.1f>", f->left, y,
                  f->right, f->left - 6, y + 3.5);
        watch_put_html(w, without_zeros(watch_drawn_amount(text, series, v), text));
        watch_put(w, "</text>");
    }
}

static void put_times(watch_writer *w, const frame *f)
{
    const double step =
        watch_nice_step(f->to_s - f->from_s, (int)((f->right - f->left) / 80), WATCH_SECONDS);
    const double unit = step >= 86400 ? 86400 : step >= 3600 ? 3600 : step >= 60 ? 60 : 1;
    const char *name = unit == 86400 ? "d" : unit == 3600 ? "h" : unit == 60 ? "min" : "s";
    for (double t = ceil(f->from_s / step) * step; t <= f->to_s; t += step)
        watch_put(w, "<text class=t x=%.1f y=%.1f>%g %s</text>", x_of(f, t), f->bottom + 15,
                  t / unit, name);
}

/* ---- what happened ---- */

static void put_entries(watch_writer *w, const frame *f, const watch_story *s, watch_series series)
{
    for (size_t i = watch_story_first_entry(s); i < s->n_entries; i++) {
        const watch_entry *t = watch_story_entry(s, i);
        const watch_event *e = &t->event;
        const double x = x_of(f, e->time_s);
        if (!(x >= f->left - 1 && x <= f->right + 1))
            continue;
        if (e->series == WATCH_NONE && base_starts_with(t->note, "job started again")) {
            watch_put(w, "<path class=restart d='M%.1f %.1fV%.1f'><title>", x, f->top, f->bottom);
            watch_put_html(w, t->note);
            watch_put(w, "</title></path>");
        } else if (e->series == series &&
                   (e->verdict.state > WATCH_STEADY || e->was > WATCH_STEADY)) {
            watch_put(w,
                      "<g class='%s'><path class=e d='M%.1f %.1fV%.1f'/><circle cx=%.1f cy=%.1f "
                      "r=3.5><title>%s",
                      watch_state_name(e->verdict.state), x, f->top, f->bottom, x, f->top,
                      watch_state_name(e->verdict.state));
            if (e->cause[0] != '\0') {
                watch_put(w, ": ");
                watch_put_html(w, e->cause);
            }
            watch_put(w, "</title></circle></g>");
        }
    }
}

static void put_limit(watch_writer *w, const frame *f, const watch_story *s, watch_series series)
{
    char text[WATCH_FIGURE_BYTES];
    const double limit = limit_of(s, series);
    if (!(limit > 0) || watch_series_get(series)->kind == WATCH_COUNTER)
        return;
    watch_amount(text, watch_series_get(series)->unit, limit);
    if (limit <= f->high)
        watch_put(w, "<path class=limit d='M%.1f %.1fH%.1f'/>", f->left, y_of(f, limit), f->right);
    watch_put(w, "<text class=l x=%.1f y=%.1f>limit %s%s</text>", f->right,
              limit <= f->high ? fmax(y_of(f, limit) - 4, f->top - 5) : f->top - 5, text,
              limit <= f->high ? "" : " &#8593;");
}

static void put_rise(watch_writer *w, const frame *f, const watch_story *s, watch_series series)
{
    if (!s->is_judged[series])
        return;
    const watch_verdict *v = &s->verdicts[series].verdict;
    const double from = fmax(v->since_s, f->from_s), to = fmin(s->now_s, f->to_s);
    const double low = v->floor - v->slope_per_s * (to - from);
    if (!watch_is_rising(v) || !(to > from) || !(low >= f->low) || !(v->floor <= f->high))
        return;
    watch_put(w, "<path class=rise d='M%.1f %.1fL%.1f %.1f'/>", x_of(f, from), y_of(f, low),
              x_of(f, to), y_of(f, v->floor));
}

/* ---- curves ---- */

static void put_band(watch_writer *w, const frame *f, const watch_story *s, watch_series series)
{
    watch_bin b;
    const size_t n = watch_story_n_bins(s);
    size_t n_wide = 0, n_put = 0;
    for (size_t i = 0; i < n; i++)
        n_wide += watch_story_at(s, series, i, &b) && b.high > b.low;
    if (n_wide == 0)
        return;
    watch_put(w, "<path class=band d='");
    for (size_t i = 0; i < n; i++)
        if (watch_story_at(s, series, i, &b))
            watch_put(w, "%s%.1f %.1f", n_put++ == 0 ? "M" : "L", x_of(f, b.time_s),
                      y_of(f, b.high));
    for (size_t i = n; i-- > 0;)
        if (watch_story_at(s, series, i, &b))
            watch_put(w, "L%.1f %.1f", x_of(f, b.time_s), y_of(f, b.low));
    watch_put(w, "Z'/>");
}

static void put_line(watch_writer *w, const frame *f, const watch_story *s, watch_series series)
{
    watch_bin b;
    size_t last = 0, n_put = 0;
    const size_t n = watch_story_n_bins(s);
    watch_put(w, "<path class=line d='");
    for (size_t i = 0; i < n; i++) {
        if (!watch_story_at(s, series, i, &b))
            continue;
        /* A gap of a twentieth of the picture was no sampling. */
        watch_put(w, "%s%.1f %.1f", n_put++ == 0 || i - last > 2 + n / 20 ? "M" : "L",
                  x_of(f, b.time_s), y_of(f, b.mean));
        last = i;
    }
    if (n_put == 1)
        watch_put(w, "h2");
    watch_put(w, "'/>");
}

void watch_put_plot(watch_writer *w, const watch_story *s, watch_series series, bool is_wide)
{
    const double width = is_wide ? 1080 : 520, height = is_wide ? 260 : 168;
    frame f = {.left = 74, .right = width - 8, .top = 18, .bottom = height - 24};
    f.from_s = s->first_s;
    f.to_s = fmax(s->first_s + (double)watch_story_n_bins(s) * s->step_s, s->first_s + 1);
    find_range(&f, s, series);
    watch_put(w, "<svg viewBox='0 0 %.0f %.0f' role=img aria-label='%s'>", width, height,
              watch_series_get(series)->name);
    put_values(w, &f, series);
    put_times(w, &f);
    put_band(w, &f, s, series);
    put_line(w, &f, s, series);
    put_rise(w, &f, s, series);
    put_limit(w, &f, s, series);
    put_entries(w, &f, s, series);
    watch_put(w, "</svg>");
}

void watch_put_spark(watch_writer *w, const watch_story *s, const watch_life *l)
{
    enum { WIDTH = 130, HEIGHT = 22 };
    const double highest = fmax(l->peak_rss_bytes, 1);
    const double n = fmax((s->now_s - s->first_s) / s->life_step_s, 1);
    bool is_down = false;
    watch_put(w, "<svg class=spark viewBox='0 0 %d %d'><path class=line d='", WIDTH, HEIGHT);
    for (size_t i = 0; i < WATCH_LIFE_BINS; i++) {
        if (isnan(l->rss[i]))
            continue;
        watch_put(w, "%s%.1f %.1f", is_down ? "L" : "M", 2 + (WIDTH - 4) * (double)i / n,
                  HEIGHT - 2 - (HEIGHT - 5) * (double)l->rss[i] / highest);
        if (!is_down)
            watch_put(w, "h.5");
        is_down = true;
    }
    watch_put(w, "'/></svg>");
}
