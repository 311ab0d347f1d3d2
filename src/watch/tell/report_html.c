/* report_html.c: a run on one page: what is thought of it, why, the plots, the tree, what happened.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "report.h"
#include "report_style.h"
#include "watch/judge/figures.h"
#include "watch/sample/charged.h"

/* Sections of plots. A series is in the first whose prefix it has. */
static const struct {
    const char *title;
    const char *prefixes[6];
} sections[] = {{"Work", {"work."}},
                {"Children", {"children.", "tree."}},
                {"GPU", {"gpu"}},
                {"Shared memory, temporary files, disk", {"shm.", "tmp.", "disk."}},
                {"Control group", {"cgroup."}},
                {"Machine", {"machine."}},
                {"What the job says of itself", {"vigil."}},
                {"Main process", {"main."}},
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

/* ---- head ---- */

static const char *date(char buf[64], double unix_s)
{
    struct tm parts;
    const time_t t = (time_t)unix_s;
    if (isnan(unix_s) || localtime_r(&t, &parts) == NULL ||
        strftime(buf, 64, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        base_format(buf, 64, "-");
    return buf;
}

static void put_fact(watch_writer *w, const char *name, const char *value)
{
    watch_put(w, "<div><dt>%s</dt><dd>", name);
    watch_put_html(w, value);
    watch_put(w, "</dd></div>");
}

static void put_facts(watch_writer *w, const watch_story *s)
{
    char text[WATCH_FIGURE_BYTES], when[64];
    size_t n_alive = 0;
    for (size_t i = 0; i < s->n_lives; i++)
        n_alive += watch_life_is_alive(s, &s->lives[i]);
    watch_put(w, "<dl class=facts>");
    if (!isnan(s->began_unix_s))
        put_fact(w, "began", date(when, s->began_unix_s));
    put_fact(w, "watched for", watch_duration(text, s->now_s - s->first_s));
    base_format(text, sizeof text, "%zu", s->n_samples);
    put_fact(w, "samples", text);
    put_fact(w, "phase", s->phase);
    if (s->n_lives > 0) {
        base_format(text, sizeof text, "%zu", n_alive);
        put_fact(w, "processes", text);
    }
    base_format(text, sizeof text, "%d", s->n_restarts);
    put_fact(w, "restarts", text);
    put_fact(w, "memory", watch_amount(text, WATCH_BYTES, watch_charged_in_use(&s->now)));
    if (!isnan(s->now.value[WATCH_LIMIT_MEMORY_BYTES]))
        put_fact(w, "of at most",
                 watch_amount(text, WATCH_BYTES, s->now.value[WATCH_LIMIT_MEMORY_BYTES]));
    if (s->run_folder[0] != '\0')
        put_fact(w, "run folder", s->run_folder);
    watch_put(w, "</dl>");
}

static void put_pill(watch_writer *w, watch_state state, bool is_big)
{
    const char *name = watch_state_name(state);
    watch_put(w, "<span class='pill %s%s'>%s</span>", is_big ? "big " : "", name, name);
}

static void put_head(watch_writer *w, const watch_story *s)
{
    watch_put(w, "<header><p class=over>vigil watch%s%s", s->is_live ? ", running" : "",
              s->folder[0] != '\0' ? " &middot; " : "");
    watch_put_html(w, s->folder);
    watch_put(w, "</p><h1>");
    watch_put_html(w, s->command);
    watch_put(w, "</h1>");
    put_pill(w, watch_story_worst(s, NULL), true);
    put_facts(w, s);
    watch_put(w, "</header>");
}

/* ---- causes ---- */

static void put_line_of(watch_writer *w, const char *name, const char *text, const char *class)
{
    if (text[0] == '\0')
        return;
    watch_put(w, "<p class='%s'><b>%s </b>", class, name);
    watch_put_html(w, text);
    watch_put(w, "</p>");
}

static void put_cause(watch_writer *w, const watch_cause *c)
{
    char text[WATCH_FORECAST_BYTES], when[WATCH_FIGURE_BYTES];
    const watch_event *e = c->event;
    watch_put(w, "<article class='card cause %s%s'>", watch_state_name(e->verdict.state),
              c->is_past ? " past" : "");
    put_pill(w, e->verdict.state, false);
    if (c->is_past)
        watch_put(w, " <span class=soft>said after %s; not so now</span>",
                  watch_duration(when, e->time_s));
    watch_put(w, "<h3>");
    watch_put_html(w, e->cause[0] != '\0' ? e->cause
                      : e->verdict.state == WATCH_HUNG
                          ? "the job makes no progress"
                          : "it rises without end, and no rule knows why");
    watch_put(w, "</h3>");
    if (e->rule[0] != '\0') {
        base_format(text, sizeof text, "%s, confidence %.0f %%", e->rule, 100 * e->confidence_0_1);
        put_line_of(w, "rule", text, "");
    }
    watch_put(w, "<p><b>shows in </b><span class=m>");
    for (size_t i = 0; i < c->n_series; i++)
        watch_put(w, "%s%s", i > 0 ? ", " : "", watch_series_get(c->series[i])->name);
    watch_put(w, "</span></p>");
    if (e->verdict.state != WATCH_HUNG)
        put_line_of(w, "rate", watch_forecast(text, e->series, &e->verdict), "");
    put_line_of(w, "seen", e->evidence, "");
    put_line_of(w, "try", e->remedy, "try");
    watch_put(w, "</article>");
}

/* Why nothing is called a leak: how many series have which shape. */
static void put_calm(watch_writer *w, const watch_story *s)
{
    size_t n[WATCH_N_SHAPES] = {0}, n_learning = 0, n_put = 0;
    for (int k = 0; k < WATCH_N_SERIES; k++)
        if (s->is_judged[k]) {
            n_learning += s->verdicts[k].verdict.state == WATCH_LEARNING;
            n[s->verdicts[k].verdict.shape] += s->verdicts[k].verdict.state == WATCH_STEADY;
        }
    watch_put(w, "<article class='card cause %s'><h3>%s</h3><p class=all>",
              n_learning > 0 ? "learning" : "steady",
              n_learning > 0 ? "Nothing is called a leak so far." : "Nothing leaks.");
    for (int i = 0; i < WATCH_N_SHAPES; i++)
        if (n[i] > 0)
            watch_put(w, "%s%zu series %s", n_put++ > 0 ? ", " : "", n[i],
                      watch_shape_name((watch_shape)i));
    if (n_learning > 0)
        watch_put(w, "%s%zu still learnt", n_put > 0 ? ", " : "", n_learning);
    watch_put(w, ".</p></article>");
}

static void put_causes(watch_writer *w, const watch_story *s)
{
    watch_cause causes[WATCH_MOST_CAUSES];
    const size_t n = watch_story_causes(s, causes);
    watch_put(w, "<section><h2>What is thought of it</h2>");
    bool is_calm = true;
    for (size_t i = 0; i < n; i++)
        is_calm = is_calm && causes[i].is_past;
    if (is_calm)
        put_calm(w, s);
    for (size_t i = 0; i < n; i++)
        put_cause(w, &causes[i]);
    watch_put(w, "</section>");
}

/* ---- plots ---- */

static void put_figure(watch_writer *w, const watch_story *s, watch_series series, bool is_wide)
{
    char text[WATCH_FORECAST_BYTES], now[WATCH_FIGURE_BYTES];
    const watch_series_info *info = watch_series_get(series);
    const bool is_judged = s->is_judged[series];
    const watch_verdict *v = &s->verdicts[series].verdict;
    watch_bin last = {.mean = NAN};
    for (size_t i = watch_story_n_bins(s); i-- > 0;)
        if (watch_story_at(s, series, i, &last))
            break;
    watch_put(w, "<figure class='card %s%s'><figcaption><h3>%s</h3><small>",
              is_judged ? watch_state_name(v->state) : "", is_wide ? " wide" : "", info->name);
    watch_put_html(w, info->help);
    watch_put(w, "</small>");
    if (is_judged && v->state != WATCH_STEADY && v->state != WATCH_LEARNING)
        put_pill(w, v->state, false);
    watch_put(w, "<span class=now>");
    watch_put_html(
        w, watch_drawn_amount(now, series,
                              info->kind == WATCH_COUNTER ? last.mean : s->now.value[series]));
    watch_put(w, "</span></figcaption>");
    watch_put_plot(w, s, series, is_wide);
    if (is_judged && watch_is_rising(v)) {
        watch_put(w, "<p>");
        watch_put_html(w, watch_forecast(text, series, v));
        watch_put(w, "</p>");
    }
    watch_put(w, "</figure>");
}

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

static void put_section(watch_writer *w, const watch_story *s, size_t section, watch_series lead)
{
    char text[WATCH_FIGURE_BYTES];
    size_t n_moving = 0, n_still = 0;
    for (int k = 0; k < WATCH_N_SERIES; k++)
        if (section_of((watch_series)k) == section && k != (int)lead &&
            watch_series_get((watch_series)k)->kind != WATCH_LIMIT) {
            const watch_course course = watch_story_course(s, (watch_series)k);
            n_moving += course == WATCH_MOVES;
            n_still += course == WATCH_CONSTANT;
        }
    if (n_moving + n_still == 0)
        return;
    watch_put(w, "<section><h2>%s</h2>", sections[section].title);
    for (int pass = 0; pass < 2; pass++) {
        if ((pass == 0 ? n_moving : n_still) == 0)
            continue;
        watch_put(w, pass == 0 ? "<div class=grid>"
                               : "<div class=still><span class=soft>unchanged:</span>");
        for (int k = 0; k < WATCH_N_SERIES; k++) {
            const watch_series series = (watch_series)k;
            if (section_of(series) != section || series == lead ||
                watch_series_get(series)->kind == WATCH_LIMIT ||
                watch_story_course(s, series) != (pass == 0 ? WATCH_MOVES : WATCH_CONSTANT))
                continue;
            if (pass == 0) {
                put_figure(w, s, series, false);
            } else {
                watch_put(w, "<span>%s <b>", watch_series_get(series)->name);
                watch_put_html(
                    w, watch_amount(text, watch_series_get(series)->unit, s->now.value[series]));
                watch_put(w, "</b></span>");
            }
        }
        watch_put(w, "</div>");
    }
    watch_put(w, "</section>");
}

static void put_plots(watch_writer *w, const watch_story *s)
{
    if (watch_story_n_bins(s) == 0)
        return;
    const watch_series lead = lead_of(s);
    if (lead != WATCH_NONE)
        put_figure(w, s, lead, true);
    const size_t first = N_SECTIONS - 2; /* the main process */
    put_section(w, s, first, lead);
    for (size_t i = 0; i < N_SECTIONS; i++)
        if (i != first)
            put_section(w, s, i, lead);
}

/* ---- tables ---- */

static void put_tree(watch_writer *w, const watch_story *s)
{
    static const char *const roles[] = {[WATCH_MAIN] = "main",
                                        [WATCH_WORKER] = "worker",
                                        [WATCH_HELPER] = "helper",
                                        [WATCH_ZOMBIE] = "zombie",
                                        [WATCH_ORPHAN] = "orphan"};
    size_t order[WATCH_LIVES];
    int depths[WATCH_LIVES];
    char a[WATCH_FIGURE_BYTES], b[WATCH_FIGURE_BYTES], c[WATCH_FIGURE_BYTES], d[WATCH_FIGURE_BYTES];
    const size_t n = watch_story_tree(s, order, depths);
    if (n == 0)
        return;
    watch_put(w, "<section><h2>Processes</h2><div class='card scroll'><table><tr><th>process<th>"
                 "role<th class=n>pid<th class=n>age<th class=n>CPU<th class=n>cores<th class=n>"
                 "threads<th class=n>descriptors<th class=n>resident<th class=n>highest<th>course");
    for (size_t i = 0; i < n; i++) {
        const watch_life *l = &s->lives[order[i]];
        const bool is_alive = watch_life_is_alive(s, l);
        watch_put(w, "<tr%s><td style='padding-left:%dem'>", is_alive ? "" : " class=gone",
                  depths[i] < 12 ? depths[i] : 12);
        watch_put_html(w, l->now.name);
        watch_put(w,
                  "<td>%s<td class=n>%d<td class=n>%s<td class=n>%s<td class=n>%s<td class=n>%d"
                  "<td class=n>%d<td class=n>%s",
                  is_alive ? roles[l->now.role] : "ended", (int)l->now.pid,
                  watch_duration(a, l->now.age_s), watch_duration(b, l->now.cpu_s),
                  is_alive && !isnan(l->cpu_0_1) ? (base_format(c, sizeof c, "%.2f", l->cpu_0_1), c)
                                                 : "-",
                  l->now.threads, l->now.fds,
                  is_alive ? watch_amount(d, WATCH_BYTES, l->now.rss_bytes) : "-");
        watch_put(w, "<td class=n>%s<td>", watch_amount(d, WATCH_BYTES, l->peak_rss_bytes));
        watch_put_spark(w, s, l);
    }
    watch_put(w, "</table></div></section>");
}

/* That a series became steady from the start is no news. */
static bool is_news(const watch_entry *t)
{
    return t->event.series == WATCH_NONE || t->event.was != WATCH_LEARNING ||
           t->event.verdict.state != WATCH_STEADY;
}

static void put_entries(watch_writer *w, const watch_story *s)
{
    char text[WATCH_FORECAST_BYTES], when[WATCH_FIGURE_BYTES], at[64];
    const size_t first = watch_story_first_entry(s);
    size_t n = 0;
    for (size_t i = first; i < s->n_entries; i++)
        n += is_news(watch_story_entry(s, i));
    if (n == 0)
        return;
    watch_put(w, "<section><h2>What happened</h2><div class='card scroll'><table><tr><th>after<th>"
                 "at<th>what<th>figures");
    for (size_t i = first; i < s->n_entries; i++) {
        const watch_entry *t = watch_story_entry(s, i);
        const watch_event *e = &t->event;
        if (!is_news(t))
            continue;
        watch_put(w, "<tr><td class='soft one'>%s<td class='soft one'>%s<td%s>",
                  watch_duration(when, e->time_s), date(at, s->began_unix_s + e->time_s),
                  e->series == WATCH_NONE ? " colspan=2" : "");
        if (e->series == WATCH_NONE) {
            watch_put_html(w, t->note);
            continue;
        }
        put_pill(w, e->verdict.state, false);
        watch_put(w, " <span class=m>%s</span> <span class=soft>was %s</span><td>",
                  watch_series_get(e->series)->name, watch_state_name(e->was));
        if (watch_is_rising(&e->verdict))
            watch_put_html(w, watch_forecast(text, e->series, &e->verdict));
        else
            watch_put(w, "%s", watch_shape_name(e->verdict.shape));
    }
    watch_put(w, "</table></div></section>");
}

static void put_verdicts(watch_writer *w, const watch_story *s)
{
    char level[WATCH_FIGURE_BYTES], limit[WATCH_FIGURE_BYTES], text[WATCH_FORECAST_BYTES];
    watch_put(w, "<section><h2>Every series' verdict</h2><div class='card scroll'><table><tr><th>"
                 "series<th>state<th>shape<th class=n>level<th class=n>limit<th>rate and forecast");
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        const watch_verdict *v = &s->verdicts[k].verdict;
        const watch_unit unit = watch_series_get((watch_series)k)->unit;
        if (!s->is_judged[k])
            continue;
        watch_put(w, "<tr><td class=m>%s<td>", watch_series_get((watch_series)k)->name);
        put_pill(w, v->state, false);
        watch_put(w, "<td>%s<td class=n>%s<td class=n>%s<td>",
                  v->shape == WATCH_SHAPE_UNKNOWN ? "-" : watch_shape_name(v->shape),
                  watch_amount(level, unit, v->level), watch_amount(limit, unit, v->limit));
        if (watch_is_rising(v))
            watch_put_html(w, watch_forecast(text, (watch_series)k, v));
    }
    watch_put(w, "</table></div></section>");
}

/* ---- the page ---- */

/* Reads the page anew and takes its <main>; keeps what is there when the guard does not answer. */
static const char REFRESH[] =
    "setInterval(async()=>{try{const r=await fetch(location.href,{cache:'no-store'});"
    "if(!r.ok)throw 0;const d=new DOMParser().parseFromString(await r.text(),'text/html');"
    "document.querySelector('main').replaceWith(d.querySelector('main'));"
    "document.title=d.title;document.body.classList.remove('lost')}"
    "catch(e){document.body.classList.add('lost')}},%.0f)";

vg_status watch_report_html(base_str *out, const watch_story *s, double refresh_s, base_mem *mem,
                            vg_error *err)
{
    watch_writer w = {.out = out, .mem = mem, .err = err};
    watch_put(&w, "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
                  "content='width=device-width,initial-scale=1'><title>");
    watch_put(&w, "%s: ", watch_state_name(watch_story_worst(s, NULL)));
    watch_put_html(&w, s->command);
    watch_put(&w, "</title><style>");
    for (size_t i = 0; i < sizeof REPORT_STYLE / sizeof *REPORT_STYLE; i++)
        if (w.st == VG_OK)
            w.st = base_str_add_bytes(out, WATCH_REPORT_MOST_BYTES, REPORT_STYLE[i],
                                      strlen(REPORT_STYLE[i]), mem, err);
    watch_put(&w, "</style><body><main>");
    put_head(&w, s);
    put_causes(&w, s);
    put_plots(&w, s);
    put_tree(&w, s);
    put_entries(&w, s);
    put_verdicts(&w, s);
    watch_put(&w, "<footer>Times are from the first sample. Bands are lowest to highest, dotted "
                  "lines the rise that is under suspicion; MB is 1024&sup2; bytes. Made by vigil, "
                  "which measured the job from outside.</footer></main>");
    if (refresh_s > 0) {
        watch_put(&w, "<script>");
        watch_put(&w, REFRESH, refresh_s * 1000);
        watch_put(&w, "</script>");
    }
    watch_put(&w, "</body></html>\n");
    return w.st;
}
