/* report_json.c: everything that the page shows, for programs. */
#include <math.h>
#include <string.h>

#include "event_text.h"
#include "report.h"

static const char *number(char buf[32], double value)
{
    return isfinite(value) ? base_format_double(buf, 32, value) : "null";
}

static void put_text(watch_writer *w, const char *name, const char *text)
{
    watch_put(w, "\"%s\":\"", name);
    watch_put_json(w, text);
    watch_put(w, "\",");
}

static void put_event(watch_writer *w, const watch_event *e)
{
    char text[WATCH_EVENT_TEXT_BYTES];
    watch_event_json(text, e);
    if (w->st == VG_OK)
        w->st =
            base_str_add_bytes(w->out, WATCH_REPORT_MOST_BYTES, text, strlen(text), w->mem, w->err);
}

static void put_series(watch_writer *w, const watch_story *s, watch_series k)
{
    static const char *const units[] = {[WATCH_BYTES] = "bytes",
                                        [WATCH_COUNT] = "count",
                                        [WATCH_SECONDS] = "seconds",
                                        [WATCH_RATIO] = "ratio"};
    static const char *const kinds[] = {[WATCH_LEVEL] = "level",
                                        [WATCH_FACT] = "fact",
                                        [WATCH_COUNTER] = "counter",
                                        [WATCH_LIMIT] = "limit",
                                        [WATCH_WORK] = "work"};
    char t[32], a[32], b[32], c[32];
    const watch_series_info *info = watch_series_get(k);
    size_t n = 0;
    watch_put(w, "\"%s\":{\"unit\":\"%s\",\"kind\":\"%s\",\"now\":%s,\"verdict\":", info->name,
              units[info->unit], kinds[info->kind], number(a, s->now.value[k]));
    if (s->is_judged[k])
        put_event(w, &s->verdicts[k]);
    else
        watch_put(w, "null");
    watch_put(w, ",\"points\":[");
    for (size_t i = 0; i < watch_story_n_bins(s); i++) {
        const watch_bin *bin = &s->bins[k][i];
        if (bin->n > 0)
            watch_put(w, "%s[%s,%s,%s,%s]", n++ > 0 ? "," : "", number(t, bin->time_s),
                      number(a, bin->mean), number(b, bin->low), number(c, bin->high));
    }
    watch_put(w, "]}");
}

static void put_processes(watch_writer *w, const watch_story *s)
{
    char a[32], b[32], c[32], d[32];
    for (size_t i = 0; i < s->n_lives; i++) {
        const watch_life *l = &s->lives[i];
        watch_put(w, "%s{", i > 0 ? "," : "");
        put_text(w, "name", l->now.name);
        watch_put(w,
                  "\"pid\":%d,\"parent\":%d,\"alive\":%s,\"first_s\":%s,\"last_s\":%s,"
                  "\"rss_bytes\":%s,\"peak_rss_bytes\":%s,",
                  (int)l->now.pid, (int)l->now.parent, watch_life_is_alive(s, l) ? "true" : "false",
                  number(a, l->first_s), number(b, l->last_s), number(c, l->now.rss_bytes),
                  number(d, l->peak_rss_bytes));
        watch_put(w, "\"cpu_s\":%s,\"threads\":%d,\"fds\":%d}", number(a, l->now.cpu_s),
                  l->now.threads, l->now.fds);
    }
}

static void put_entries(watch_writer *w, const watch_story *s, bool notes)
{
    char a[32];
    size_t n = 0;
    for (size_t i = watch_story_first_entry(s); i < s->n_entries; i++) {
        const watch_entry *t = watch_story_entry(s, i);
        if ((t->event.series == WATCH_NONE) != notes)
            continue;
        watch_put(w, "%s", n++ > 0 ? "," : "");
        if (!notes) {
            put_event(w, &t->event);
            continue;
        }
        watch_put(w, "{\"time_s\":%s,\"note\":\"", number(a, t->event.time_s));
        watch_put_json(w, t->note);
        watch_put(w, "\"}");
    }
}

vg_status watch_report_json(base_str *out, const watch_story *s, base_mem *mem, vg_error *err)
{
    watch_writer w = {.out = out, .mem = mem, .err = err};
    char a[32], b[32], c[32], after[WATCH_AFTER_BYTES];
    size_t n = 0;
    watch_put(&w, "{");
    put_text(&w, "command", s->command);
    put_text(&w, "folder", s->folder);
    put_text(&w, "run_folder", s->run_folder);
    put_text(&w, "phase", s->phase);
    put_text(&w, "after_end", watch_story_after(s, after));
    watch_put(&w,
              "\"running\":%s,\"verdict\":\"%s\",\"began_unix_s\":%s,\"first_s\":%s,\"now_s\":%s,"
              "\"samples\":%zu,\"restarts\":%d,\"series\":{",
              s->is_live ? "true" : "false", watch_state_name(watch_story_worst(s, NULL)),
              number(a, s->began_unix_s), number(b, s->first_s), number(c, s->now_s), s->n_samples,
              s->n_restarts);
    for (int k = 0; k < WATCH_N_SERIES; k++)
        if (watch_story_course(s, (watch_series)k) != WATCH_NEVER) {
            watch_put(&w, "%s", n++ > 0 ? "," : "");
            put_series(&w, s, (watch_series)k);
        }
    watch_put(&w, "},\"events\":[");
    put_entries(&w, s, false);
    watch_put(&w, "],\"notes\":[");
    put_entries(&w, s, true);
    watch_put(&w, "],\"processes\":[");
    put_processes(&w, s);
    watch_put(&w, "]}\n");
    return w.st;
}
