/* report_charts.c: series as charts, in order of interest: what rises worst, or else the job's
 * memory, on top; what else rises; then all that moves, by what it is of. */
#include <math.h>
#include <string.h>

#include "report.h"
#include "watch/judge/figures.h"

/* Sections of charts. A series is in the first whose prefix it has. */
static const struct {
    const char *title;
    const char *prefixes[6];
} sections[] = {{"Main process", {"main."}},
                {"Work", {"work."}},
                {"Children", {"children.", "tree."}},
                {"GPU", {"gpu"}},
                {"Shared memory, temporary files, disk", {"shm.", "tmp.", "disk."}},
                {"Control group", {"cgroup."}},
                {"Machine", {"machine."}},
                {"What the job says of itself", {"vigil."}},
                {"Other", {""}}};
enum { N_SECTIONS = sizeof sections / sizeof *sections };

static size_t section_of(watch_series series)
{
    const char *name = watch_series_get(series)->name;
    for (size_t i = 0; i < N_SECTIONS; i++)
        for (size_t k = 0; k < 6 && sections[i].prefixes[k] != NULL; k++)
            if (base_starts_with(name, sections[i].prefixes[k]))
                return i;
    return N_SECTIONS - 1;
}

/* ---- a series ---- */

enum { MOST_POINTS = WATCH_BINS + WATCH_BINS / 2 }; /* with the gaps between them */

/* Its mean in each bin, between lowest and highest. */
typedef struct course {
    size_t n;
    bool has_band;
    double x[MOST_POINTS], y[MOST_POINTS], low[MOST_POINTS], high[MOST_POINTS];
} course;

static void add_point(course *c, double x, double y, double low, double high)
{
    if (c->n == MOST_POINTS)
        return;
    c->x[c->n] = x;
    c->y[c->n] = y;
    c->low[c->n] = low;
    c->high[c->n] = high;
    c->n++;
    c->has_band |= high > low;
}

static void read_course(course *c, const watch_story *s, watch_series series)
{
    watch_bin b;
    size_t last = 0;
    const size_t n = watch_story_n_bins(s);
    c->n = 0;
    c->has_band = false;
    for (size_t i = 0; i < n; i++) {
        if (!watch_story_at(s, series, i, &b))
            continue;
        /* A gap of a twentieth of the picture was no sampling. */
        if (c->n > 0 && i - last > 2 + n / 20)
            add_point(c, b.time_s, NAN, NAN, NAN);
        add_point(c, b.time_s, b.mean, b.low, b.high);
        last = i;
    }
}

static page_unit unit_of(watch_series series)
{
    const watch_series_info *info = watch_series_get(series);
    const bool is_rate = info->kind == WATCH_COUNTER;
    switch (info->unit) {
    case WATCH_BYTES:
        return is_rate ? PAGE_BYTES_PER_S : PAGE_BYTES;
    case WATCH_SECONDS:
        return is_rate ? PAGE_NUMBER : PAGE_SECONDS; /* CPU seconds a second are cores */
    case WATCH_COUNT:
        return is_rate ? PAGE_PER_S : PAGE_NUMBER;
    case WATCH_RATIO:
        break;
    }
    return PAGE_NUMBER;
}

static double limit_of(const watch_story *s, watch_series series)
{
    const watch_series limit = watch_series_get(series)->limit;
    if (watch_series_get(series)->kind == WATCH_COUNTER)
        return NAN;
    if (s->is_judged[series] && !isnan(s->verdicts[series].verdict.limit))
        return s->verdicts[series].verdict.limit; /* what is left of it for this series */
    return limit != WATCH_NONE ? s->now.value[limit] : NAN;
}

/* The rise that is under suspicion, from its beginning to now. */
static bool read_rise(double x[2], double y[2], const watch_story *s, watch_series series)
{
    const watch_verdict *v = &s->verdicts[series].verdict;
    if (!s->is_judged[series] || !watch_state_rises(v->state))
        return false;
    x[0] = fmax(v->since_s, s->first_s);
    x[1] = s->now_s;
    y[0] = v->floor - v->slope_per_s * (x[1] - x[0]);
    y[1] = v->floor;
    return x[1] > x[0] && y[0] >= 0;
}

/* Its events, and where the job was started again. Returns their number. */
static size_t read_marks(page_mark marks[WATCH_MOST_ENTRIES], const watch_story *s,
                         watch_series series)
{
    size_t n = 0;
    for (size_t i = watch_story_first_entry(s); i < s->n_entries; i++) {
        const watch_entry *t = watch_story_entry(s, i);
        const watch_event *e = &t->event;
        if (e->series == WATCH_NONE && base_starts_with(t->note, "job started again"))
            marks[n++] = (page_mark){e->time_s, "restart", t->note};
        else if (e->series == series && (e->verdict.state > WATCH_STEADY || e->was > WATCH_STEADY))
            marks[n++] =
                (page_mark){e->time_s, watch_state_name(e->verdict.state),
                            e->cause[0] != '\0' ? e->cause : watch_state_name(e->verdict.state)};
    }
    return n;
}

static void put_series(page_html *w, const watch_story *s, watch_series series, bool is_wide)
{
    char note[WATCH_FORECAST_BYTES], now[WATCH_FIGURE_BYTES], amount[WATCH_FIGURE_BYTES];
    const watch_series_info *info = watch_series_get(series);
    const watch_verdict *v = s->is_judged[series] ? &s->verdicts[series].verdict : NULL;
    const bool is_rising = v != NULL && watch_state_rises(v->state);
    page_mark marks[WATCH_MOST_ENTRIES];
    double rise_x[2], rise_y[2];
    course c;
    read_course(&c, s, series);
    const bool has_rise = read_rise(rise_x, rise_y, s, series);
    const page_line lines[] = {
        {.name = "measured",
         .n = c.n,
         .x = c.x,
         .y = c.y,
         .low = c.has_band ? c.low : NULL,
         .high = c.high},
        {.name = "the rise", .n = 2, .x = rise_x, .y = rise_y, .colour = 1, .is_dashed = true}};
    const double most = limit_of(s, series);
    const base_text limit = base_text_make("limit %s", watch_amount(amount, info->unit, most));
    const double last = c.n > 0 ? c.y[c.n - 1] : (double)NAN;
    page_put_chart(
        w,
        &(page_chart){.name = info->name,
                      .help = info->help,
                      .x_unit = PAGE_SECONDS,
                      .y_unit = unit_of(series),
                      .lines = lines,
                      .n_lines = has_rise ? 2 : 1,
                      .marks = marks,
                      .n_marks = read_marks(marks, s, series),
                      .limits = &(page_limit){most, limit.text},
                      .n_limits = most > 0 ? 1 : 0,
                      .is_wide = is_wide,
                      .state = v != NULL && v->state != WATCH_STEADY && v->state != WATCH_LEARNING
                                   ? watch_state_name(v->state)
                                   : NULL,
                      .now = watch_drawn_amount(
                          now, series, info->kind == WATCH_COUNTER ? last : s->now.value[series]),
                      .note = is_rising ? watch_forecast(note, series, v) : NULL});
}

/* ---- their order ---- */

/* The one on top: what rises worst, or else the job's memory. */
static watch_series lead_of(const watch_story *s)
{
    static const watch_series memory[] = {WATCH_TREE_PSS_BYTES, WATCH_MAIN_RSS_BYTES,
                                          WATCH_MAIN_ANON_BYTES};
    watch_cause causes[WATCH_MOST_CAUSES];
    if (watch_story_causes(s, causes) > 0 && causes[0].event->series != WATCH_WORK_IDLE_S)
        return causes[0].event->series;
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        if (watch_story_course(s, memory[i]) == WATCH_MOVES)
            return memory[i];
    return WATCH_NONE;
}

static bool is_rising(const watch_story *s, watch_series series)
{
    return s->is_judged[series] && watch_state_rises(s->verdicts[series].verdict.state) &&
           watch_story_course(s, series) == WATCH_MOVES;
}

static void put_rising(page_html *w, const watch_story *s, watch_series lead)
{
    size_t n = 0;
    for (int state = WATCH_CRITICAL; state > WATCH_STEADY; state--)
        for (int k = 0; k < WATCH_N_SERIES; k++) {
            const watch_series series = (watch_series)k;
            if (series == lead || !is_rising(s, series) ||
                (int)s->verdicts[k].verdict.state != state)
                continue;
            if (n++ == 0)
                page_put(w, "<h2>What else rises</h2><div class=grid>");
            put_series(w, s, series, false);
        }
    if (n > 0)
        page_put(w, "</div>");
}

static bool is_in(const watch_story *s, watch_series series, size_t section, watch_series lead,
                  watch_course course_)
{
    return section_of(series) == section && series != lead && !is_rising(s, series) &&
           watch_series_get(series)->kind != WATCH_LIMIT &&
           watch_story_course(s, series) == course_;
}

static void put_still(page_html *w, const watch_story *s, size_t section, watch_series lead)
{
    char text[WATCH_FIGURE_BYTES];
    size_t n = 0;
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        const watch_series series = (watch_series)k;
        if (!is_in(s, series, section, lead, WATCH_CONSTANT))
            continue;
        if (n++ == 0)
            page_put(w, "<p class=still><span class=soft>unchanged:</span>");
        page_put(w, "<span>%s <b>%s</b></span>", watch_series_get(series)->name,
                 watch_amount(text, watch_series_get(series)->unit, s->now.value[series]));
    }
    if (n > 0)
        page_put(w, "</p>");
}

static void put_section(page_html *w, const watch_story *s, size_t section, watch_series lead)
{
    size_t n_moving = 0, n_still = 0;
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        n_moving += is_in(s, (watch_series)k, section, lead, WATCH_MOVES);
        n_still += is_in(s, (watch_series)k, section, lead, WATCH_CONSTANT);
    }
    if (n_moving + n_still == 0)
        return;
    page_put(w, "<h2>%s</h2>", sections[section].title);
    if (n_moving > 0) {
        page_put(w, "<div class=grid>");
        for (int k = 0; k < WATCH_N_SERIES; k++)
            if (is_in(s, (watch_series)k, section, lead, WATCH_MOVES))
                put_series(w, s, (watch_series)k, false);
        page_put(w, "</div>");
    }
    put_still(w, s, section, lead);
}

void watch_put_charts(page_html *w, const watch_story *s)
{
    if (watch_story_n_bins(s) == 0) {
        page_put(w, "<h2>Charts</h2>");
        page_put_empty(w, "Charts come with the first samples.");
        return;
    }
    const watch_series lead = lead_of(s);
    if (lead != WATCH_NONE) {
        page_put(w, "<h2>%s</h2><div class=grid>", is_rising(s, lead) ? "What rises" : "Memory");
        put_series(w, s, lead, true);
        page_put(w, "</div>");
    }
    put_rising(w, s, lead);
    for (size_t i = 0; i < N_SECTIONS; i++)
        put_section(w, s, i, lead);
}
