/* report_story.c: what all forms of a report ask of a story: its tree, its causes; and texts that
 * grow. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "report.h"

/* ---- writing ---- */

void watch_put(watch_writer *w, const char *format, ...)
{
    char text[2048];
    va_list args;
    if (w->st != VG_OK)
        return;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const size_t length = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    w->st = base_str_add_bytes(w->out, WATCH_REPORT_MOST_BYTES, text, length, w->mem, w->err);
}

static void put_escaped(watch_writer *w, const char *text,
                        size_t (*escape)(char *buf, size_t n, const char *s))
{
    char escaped[8192];
    escape(escaped, sizeof escaped, text);
    if (w->st == VG_OK)
        w->st = base_str_add_bytes(w->out, WATCH_REPORT_MOST_BYTES, escaped, strlen(escaped),
                                   w->mem, w->err);
}

void watch_put_line(watch_writer *w, const char *text)
{
    put_escaped(w, text, base_line_escape);
}

void watch_put_json(watch_writer *w, const char *text)
{
    put_escaped(w, text, base_json_escape);
}

void watch_put_label(watch_writer *w, const char *text)
{
    put_escaped(w, text, base_label_escape);
}

/* ---- tree ---- */

static bool has_parent(const watch_story *s, size_t i)
{
    for (size_t k = 0; k < s->n_lives; k++)
        if (k != i && s->lives[k].now.pid == s->lives[i].now.parent)
            return true;
    return false;
}

typedef struct walk {
    const watch_story *story;
    size_t *order, n;
    int *depths;
    bool taken[WATCH_LIVES];
} walk;

static void visit(walk *w, size_t i, int depth)
{
    if (w->taken[i])
        return;
    w->taken[i] = true;
    w->order[w->n] = i;
    w->depths[w->n++] = depth;
    for (size_t k = 0; k < w->story->n_lives; k++)
        if (w->story->lives[k].now.parent == w->story->lives[i].now.pid)
            visit(w, k, depth + 1);
}

size_t watch_story_tree(const watch_story *s, size_t order[WATCH_LIVES], int depths[WATCH_LIVES])
{
    walk w = {.story = s, .order = order, .depths = depths};
    for (size_t i = 0; i < s->n_lives; i++)
        if (s->lives[i].now.role == WATCH_MAIN && watch_life_is_alive(s, &s->lives[i]))
            visit(&w, i, 0);
    for (size_t i = 0; i < s->n_lives; i++)
        if (!has_parent(s, i))
            visit(&w, i, 0);
    for (size_t i = 0; i < s->n_lives; i++) /* a ring of reused numbers */
        visit(&w, i, 0);
    return w.n;
}

/* ---- causes ---- */

static bool is_bad(watch_state s)
{
    return s == WATCH_LEAKING || s == WATCH_CRITICAL || s == WATCH_HUNG;
}

/* One cause shows in several series: the same rule in the same sentence. */
static bool is_same(const watch_event *a, const watch_event *b)
{
    return a->rule[0] != '\0' ? strcmp(a->rule, b->rule) == 0
                              : b->rule[0] == '\0' && a->series == b->series;
}

static size_t add(watch_cause *out, size_t n, const watch_event *e, bool is_past)
{
    for (size_t i = 0; i < n; i++) {
        watch_cause *c = &out[i];
        if (!is_same(c->event, e))
            continue;
        if (is_past && !c->is_past)
            return n; /* it is among those of the present already */
        size_t k = 0;
        while (k < c->n_series && c->series[k] != e->series)
            k++;
        if (k == c->n_series && k < sizeof c->series / sizeof *c->series)
            c->series[c->n_series++] = e->series;
        if (e->verdict.state > c->event->verdict.state ||
            (is_past && e->series == c->event->series))
            c->event = e;
        return n;
    }
    if (n == WATCH_MOST_CAUSES)
        return n;
    out[n] = (watch_cause){.event = e, .is_past = is_past, .n_series = 1, .series = {e->series}};
    return n + 1;
}

size_t watch_story_causes(const watch_story *s, watch_cause out[WATCH_MOST_CAUSES])
{
    static const watch_state order[] = {WATCH_CRITICAL, WATCH_HUNG, WATCH_LEAKING, WATCH_GROWING,
                                        WATCH_SUSPECT};
    size_t n = 0;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        for (int k = 0; k < WATCH_N_SERIES; k++)
            if (s->is_judged[k] && s->verdicts[k].verdict.state == order[i])
                n = add(out, n, &s->verdicts[k], false);
    for (size_t i = watch_story_first_entry(s); i < s->n_entries; i++) {
        const watch_event *e = &watch_story_entry(s, i)->event;
        if (e->series != WATCH_NONE && is_bad(e->verdict.state))
            n = add(out, n, e, true);
    }
    return n;
}
