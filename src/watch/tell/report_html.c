/* report_html.c: a watched job on one page: what is thought of it, why, the charts, the tree, what
 * happened. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "report.h"
#include "watch/judge/figures.h"
#include "watch/sample/charged.h"

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

/* When the first of all limits is reached, as far as is known. */
static void put_end(page_html *w, const watch_story *s)
{
    char text[WATCH_FIGURE_BYTES];
    double first_s = INFINITY;
    watch_series of = WATCH_NONE;
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        const watch_verdict *v = &s->verdicts[k].verdict;
        if (s->is_judged[k] && watch_state_rises(v->state) && v->exhaustion_s < first_s) {
            first_s = v->exhaustion_s;
            of = (watch_series)k;
        }
    }
    if (of != WATCH_NONE)
        page_put_figure(w, NULL, "Until its limit", watch_duration(text, first_s),
                        watch_series_get(of)->name);
}

static void put_figures(page_html *w, const watch_story *s)
{
    char text[WATCH_FIGURE_BYTES], most[WATCH_FIGURE_BYTES], when[64];
    size_t n_alive = 0;
    const double limit = s->now.value[WATCH_LIMIT_MEMORY_BYTES];
    for (size_t i = 0; i < s->n_lives; i++)
        n_alive += watch_life_is_alive(s, &s->lives[i]);
    const base_text of = base_text_make("of at most %s", watch_amount(most, WATCH_BYTES, limit)),
                    samples = base_text_make("%zu samples", s->n_samples),
                    processes = base_text_make("%zu", n_alive),
                    restarts = base_text_make("%d", s->n_restarts);
    page_put_figures_begin(w);
    page_put_figure(w, NULL, "Memory",
                    watch_amount(text, WATCH_BYTES, watch_charged_in_use(&s->now)),
                    isnan(limit) ? "no limit is known" : of.text);
    put_end(w, s);
    page_put_figure(w, NULL, "Watched for", watch_duration(text, s->now_s - s->first_s),
                    samples.text);
    page_put_figure(w, NULL, "Processes", processes.text, s->phase);
    page_put_figure(w, NULL, "Restarts", restarts.text,
                    isnan(s->began_unix_s) ? NULL
                                           : base_where("began %s", date(when, s->began_unix_s)));
    page_put_figures_end(w);
}

static void put_now(page_html *w, const void *ctx)
{
    const watch_story *s = ctx;
    page_put(w, "<div class=title><h1>%s</h1>", s->command);
    page_put_badge(w, watch_state_name(watch_story_worst(s, NULL)));
    page_put(w, "</div>");
    put_figures(w, s);
    if (s->folder[0] != '\0')
        page_put(w, "<p class=soft>%s <code>%s</code>", s->is_live ? "guarded; in" : "of",
                 s->folder);
    if (s->run_folder[0] != '\0')
        page_put(w, "%s <code>%s</code>", s->folder[0] != '\0' ? ", a run in" : "<p class=soft>in",
                 s->run_folder);
    if (s->folder[0] != '\0' || s->run_folder[0] != '\0')
        page_put(w, "</p>");
}

/* ---- causes ---- */

static void put_line_of(page_html *w, const char *name, const char *text)
{
    if (text[0] != '\0')
        page_put(w, "<p><b>%s</b>%s</p>", name, text);
}

static void put_cause(page_html *w, const watch_cause *c)
{
    char text[WATCH_FORECAST_BYTES], when[WATCH_FIGURE_BYTES];
    const watch_event *e = c->event;
    page_put(w, "<article class='card note %s%s'>", watch_state_name(e->verdict.state),
             c->is_past ? " past" : "");
    page_put_badge(w, watch_state_name(e->verdict.state));
    if (c->is_past)
        page_put(w, " <span class=soft>said after %s; not so now</span>",
                 watch_duration(when, e->time_s));
    page_put(w, "<h3>%s</h3>",
             e->cause[0] != '\0'              ? e->cause
             : e->verdict.state == WATCH_HUNG ? "the job makes no progress"
                                              : "it rises without end, and no rule knows why");
    put_line_of(w, "try", e->remedy);
    if (e->verdict.state != WATCH_HUNG)
        put_line_of(w, "rate", watch_forecast(text, e->series, &e->verdict));
    put_line_of(w, "seen", e->evidence);
    page_put(w, "<p><b>shows in</b><span class=m>");
    for (size_t i = 0; i < c->n_series; i++)
        page_put(w, "%s%s", i > 0 ? ", " : "", watch_series_get(c->series[i])->name);
    page_put(w, "</span></p>");
    if (e->rule[0] != '\0')
        page_put(w, "<p><b>rule</b>%s, confidence %.0f %%</p>", e->rule, 100 * e->confidence_0_1);
    page_put(w, "</article>");
}

/* Why nothing is called a leak: how many series have which shape. */
static void put_calm(page_html *w, const watch_story *s)
{
    size_t n[WATCH_N_SHAPES] = {0}, n_learning = 0, n_put = 0;
    for (int k = 0; k < WATCH_N_SERIES; k++)
        if (s->is_judged[k]) {
            n_learning += s->verdicts[k].verdict.state == WATCH_LEARNING;
            n[s->verdicts[k].verdict.shape] += s->verdicts[k].verdict.state == WATCH_STEADY;
        }
    page_put(w, "<article class='card note %s'><h3>%s</h3><p class=all>",
             n_learning > 0 ? "learning" : "steady",
             n_learning > 0 ? "Nothing is called a leak so far." : "Nothing leaks.");
    for (int i = 0; i < WATCH_N_SHAPES; i++)
        if (n[i] > 0)
            page_put(w, "%s%zu series %s", n_put++ > 0 ? ", " : "", n[i],
                     watch_shape_name((watch_shape)i));
    if (n_learning > 0)
        page_put(w, "%s%zu still learnt", n_put > 0 ? ", " : "", n_learning);
    page_put(w, ".</p></article>");
}

static void put_causes(page_html *w, const void *ctx)
{
    const watch_story *s = ctx;
    watch_cause causes[WATCH_MOST_CAUSES];
    const size_t n = watch_story_causes(s, causes);
    char after[WATCH_AFTER_BYTES];
    if (watch_story_after(s, after)[0] != '\0')
        page_put(w,
                 "<h2>After the end</h2><article class='card note'><p class=all>%s</p></article>",
                 after + strlen(WATCH_AFTER_MARK));
    page_put(w, "<h2>What is thought of it</h2>");
    bool is_calm = true;
    for (size_t i = 0; i < n; i++)
        is_calm = is_calm && causes[i].is_past;
    if (is_calm)
        put_calm(w, s);
    for (size_t i = 0; i < n; i++)
        put_cause(w, &causes[i]);
}

static void put_charts(page_html *w, const void *ctx)
{
    watch_put_charts(w, ctx);
}

/* ---- tables ---- */

/* A process's resident bytes over the run. */
static void put_life(page_html *w, const watch_story *s, const watch_life *l)
{
    double rss[WATCH_LIFE_BINS];
    const double n_s = (s->now_s - s->first_s) / s->life_step_s;
    size_t n = 0;
    for (; n < WATCH_LIFE_BINS && (double)n <= n_s; n++)
        rss[n] = (double)l->rss[n];
    page_put_spark(w, rss, n, 0);
}

static void put_tree(page_html *w, const void *ctx)
{
    const watch_story *s = ctx;
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
    page_put(w, "<h2>Processes</h2><div class='card scroll'><table><tr><th>process<th>"
                "role<th class=n>pid<th class=n>age<th class=n>CPU<th class=n>cores<th class=n>"
                "threads<th class=n>descriptors<th class=n>resident<th class=n>highest<th>course");
    for (size_t i = 0; i < n; i++) {
        const watch_life *l = &s->lives[order[i]];
        const bool is_alive = watch_life_is_alive(s, l);
        page_put(w, "<tr%s><td class=name>", is_alive ? "" : " class=gone");
        for (int k = 0; k < depths[i] && k < 12; k++)
            page_put(w, "<i class=deeper></i>");
        page_put(w, "%s", l->now.name);
        page_put(w,
                 "<td>%s<td class=n>%d<td class=n>%s<td class=n>%s<td class=n>%s<td class=n>%d"
                 "<td class=n>%d<td class=n>%s",
                 is_alive ? roles[l->now.role] : "ended", (int)l->now.pid,
                 watch_duration(a, l->now.age_s), watch_duration(b, l->now.cpu_s),
                 is_alive && !isnan(l->cpu_0_1) ? (base_format(c, sizeof c, "%.2f", l->cpu_0_1), c)
                                                : "-",
                 l->now.threads, l->now.fds,
                 is_alive ? watch_amount(d, WATCH_BYTES, l->now.rss_bytes) : "-");
        page_put(w, "<td class=n>%s<td>", watch_amount(d, WATCH_BYTES, l->peak_rss_bytes));
        put_life(w, s, l);
    }
    page_put(w, "</table></div>");
}

/* That a series became steady from the start is no news. */
static bool is_news(const watch_entry *t)
{
    return t->event.series == WATCH_NONE || t->event.was != WATCH_LEARNING ||
           t->event.verdict.state != WATCH_STEADY;
}

static void put_entries(page_html *w, const void *ctx)
{
    const watch_story *s = ctx;
    char text[WATCH_FORECAST_BYTES], when[WATCH_FIGURE_BYTES], at[64];
    const size_t first = watch_story_first_entry(s);
    size_t n = 0;
    for (size_t i = first; i < s->n_entries; i++)
        n += is_news(watch_story_entry(s, i));
    if (n == 0)
        return;
    page_put(w, "<h2>What happened</h2><div class='card scroll'><table><tr><th>after<th>"
                "at<th>what<th>figures");
    for (size_t i = first; i < s->n_entries; i++) {
        const watch_entry *t = watch_story_entry(s, i);
        const watch_event *e = &t->event;
        if (!is_news(t))
            continue;
        page_put(w, "<tr><td class='soft one'>%s<td class='soft one'>%s<td%s>",
                 watch_duration(when, e->time_s), date(at, s->began_unix_s + e->time_s),
                 e->series == WATCH_NONE ? " colspan=2" : "");
        if (e->series == WATCH_NONE) {
            page_put(w, "%s", t->note);
            continue;
        }
        page_put_badge(w, watch_state_name(e->verdict.state));
        page_put(w, " <span class=m>%s</span> <span class=soft>was %s</span><td>",
                 watch_series_get(e->series)->name, watch_state_name(e->was));
        if (watch_state_rises(e->verdict.state))
            page_put(w, "%s", watch_forecast(text, e->series, &e->verdict));
        else
            page_put(w, "%s", watch_shape_name(e->verdict.shape));
    }
    page_put(w, "</table></div>");
}

static void put_verdicts(page_html *w, const void *ctx)
{
    const watch_story *s = ctx;
    char level[WATCH_FIGURE_BYTES], limit[WATCH_FIGURE_BYTES], text[WATCH_FORECAST_BYTES];
    page_put(w, "<h2>Every series' verdict</h2><div class='card scroll'><table><tr><th>"
                "series<th>state<th>shape<th class=n>level<th class=n>limit<th>rate and forecast");
    for (int k = 0; k < WATCH_N_SERIES; k++) {
        const watch_verdict *v = &s->verdicts[k].verdict;
        const watch_unit unit = watch_series_get((watch_series)k)->unit;
        if (!s->is_judged[k])
            continue;
        page_put(w, "<tr><td class=m>%s<td>", watch_series_get((watch_series)k)->name);
        page_put_badge(w, watch_state_name(v->state));
        page_put(w, "<td>%s<td class=n>%s<td class=n>%s<td>",
                 v->shape == WATCH_SHAPE_UNKNOWN ? "-" : watch_shape_name(v->shape),
                 watch_amount(level, unit, v->level), watch_amount(limit, unit, v->limit));
        if (watch_state_rises(v->state))
            page_put(w, "%s", watch_forecast(text, (watch_series)k, v));
    }
    page_put(w, "</table></div>");
}

/* ---- the page ---- */

static void put_foot(page_html *w, const void *ctx)
{
    (void)ctx;
    page_put(w, "<footer>Times are from the first sample. Bands are lowest to highest, the dashed "
                "line is the rise that is under suspicion; MB is 1024&sup2; bytes. Made by vigil, "
                "which measured the job from outside.</footer>");
}

static const struct {
    const char *name;
    void (*put)(page_html *w, const void *ctx);
} parts[WATCH_PAGE_PARTS] = {{"now", put_now},        {"causes", put_causes},
                             {"charts", put_charts},  {"processes", put_tree},
                             {"events", put_entries}, {"verdicts", put_verdicts},
                             {"foot", put_foot}};

void watch_page_make(watch_page *p, const watch_story *s, uint64_t version)
{
    const char *state = watch_state_name(watch_story_worst(s, NULL));
    p->title = base_text_make("%s: %s", state, s->command);
    for (size_t i = 0; i < WATCH_PAGE_PARTS; i++)
        p->parts[i] = (page_part){parts[i].name, version, parts[i].put};
    p->document = (page_document){.title = p->title.text,
                                  .state = state,
                                  .parts = p->parts,
                                  .n_parts = WATCH_PAGE_PARTS,
                                  .ctx = s};
}

void watch_page_tell(page_news *e, const char *state, uint64_t version)
{
    for (size_t i = 0; i < WATCH_PAGE_PARTS - 1; i++) /* the foot stays */
        page_news_part(e, parts[i].name, version);
    page_news_state(e, state);
}

vg_status watch_report_html(base_str *out, const watch_story *s, base_mem *mem, vg_error *err)
{
    watch_page p;
    watch_page_make(&p, s, 0);
    p.document.is_saved = true;
    return page_write(out, &p.document, NULL, mem, err);
}
