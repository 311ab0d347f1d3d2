/* event_text.c: what is put into words is put here alone, so that logs, replays, reports and
 * notices say the same. */
#include "event_text.h"

#include <math.h>
#include <string.h>

#include "watch/judge/figures.h"

enum { MOST_VERDICTS_BYTES = 1 << 20 };

/* ---- JSON ---- */

/* A number, or null when there is none. */
static const char *number(char buf[32], double value)
{
    if (!isfinite(value))
        return "null";
    return base_format_double(buf, 32, value);
}

static size_t add_interval(char *buf, size_t n, const char *name, double low, double high)
{
    char a[32], b[32];
    if (isnan(low) && isnan(high))
        base_format(buf, n, ",\"%s\":null", name);
    else
        base_format(buf, n, ",\"%s\":[%s,%s]", name, number(a, low), number(b, high));
    return strlen(buf);
}

/* The members that an event and the last line share. */
static size_t add_verdict(char *buf, size_t n, const watch_verdict *v)
{
    char a[32], b[32], c[32], d[32];
    base_format(buf, n,
                "\"state\":\"%s\",\"shape\":\"%s\",\"level\":%s,\"limit\":%s,\"since_s\":%s,"
                "\"slope_per_s\":%s",
                watch_state_name(v->state), watch_shape_name(v->shape), number(a, v->level),
                number(b, v->limit), number(c, v->since_s), number(d, v->slope_per_s));
    size_t k = strlen(buf);
    k += add_interval(buf + k, n - k, "slope_interval", v->slope_low_per_s, v->slope_high_per_s);
    if (v->unit == WATCH_NONE)
        base_format(buf + k, n - k, ",\"per_unit\":null,\"unit\":null");
    else
        base_format(buf + k, n - k, ",\"per_unit\":%s,\"unit\":\"%s\"", number(a, v->per_unit),
                    watch_series_get(v->unit)->name);
    k += strlen(buf + k);
    base_format(buf + k, n - k, ",\"exhaustion_s\":%s", number(a, v->exhaustion_s));
    k += strlen(buf + k);
    return k + add_interval(buf + k, n - k, "exhaustion_interval_s", v->exhaustion_low_s,
                            v->exhaustion_high_s);
}

static size_t add_text(char *buf, size_t n, const char *name, const char *text)
{
    char escaped[2 * WATCH_EVIDENCE_BYTES];
    if (text[0] == '\0') {
        base_format(buf, n, ",\"%s\":null", name);
    } else {
        base_json_escape(escaped, sizeof escaped, text);
        base_format(buf, n, ",\"%s\":\"%s\"", name, escaped);
    }
    return strlen(buf);
}

static size_t add_cause(char *buf, size_t n, const watch_event *e)
{
    char a[32];
    size_t k = add_text(buf, n, "rule", e->rule);
    base_format(buf + k, n - k, ",\"confidence\":%s",
                e->rule[0] != '\0' ? number(a, e->confidence_0_1) : "null");
    k += strlen(buf + k);
    k += add_text(buf + k, n - k, "cause", e->cause);
    k += add_text(buf + k, n - k, "evidence", e->evidence);
    k += add_text(buf + k, n - k, "remedy", e->remedy);
    return k + add_text(buf + k, n - k, "with", e->with != NULL ? e->with : "");
}

const char *watch_event_json(char *buf, const watch_event *e)
{
    char time[32];
    const size_t n = WATCH_EVENT_TEXT_BYTES;
    base_format(buf, n, "{\"time_s\":%s,\"series\":\"%s\",\"was\":\"%s\",", number(time, e->time_s),
                watch_series_get(e->series)->name, watch_state_name(e->was));
    size_t k = strlen(buf);
    k += add_verdict(buf + k, n - k, &e->verdict);
    k += add_cause(buf + k, n - k, e);
    base_format(buf + k, n - k, "}");
    return buf;
}

vg_status watch_verdicts_json(base_str *out, const watch_judge *j, base_mem *mem, vg_error *err)
{
    char text[WATCH_EVENT_TEXT_BYTES], time[32];
    watch_event e;
    watch_state worst = WATCH_LEARNING;
    size_t n = 0;
    for (int s = 0; s < WATCH_N_SERIES; s++)
        if (watch_judge_get(j, (watch_series)s, &e) && e.verdict.state > worst)
            worst = e.verdict.state;
    vg_status st = base_str_add(
        out, MOST_VERDICTS_BYTES, mem, err, "{\"time_s\":%s,\"verdict\":\"%s\",\"series\":{",
        number(time, watch_judge_sample(j)->time_s), watch_state_name(worst));
    for (int s = 0; s < WATCH_N_SERIES && st == VG_OK; s++) {
        if (!watch_judge_get(j, (watch_series)s, &e))
            continue;
        const size_t k = add_verdict(text, sizeof text, &e.verdict);
        add_cause(text + k, sizeof text - k, &e);
        st = base_str_add(out, MOST_VERDICTS_BYTES, mem, err, "%s\"%s\":{%s}", n++ > 0 ? "," : "",
                          watch_series_get((watch_series)s)->name, text);
    }
    return st == VG_OK ? base_str_add(out, MOST_VERDICTS_BYTES, mem, err, "}}") : st;
}

/* ---- words ---- */

/* "3.4 MB" or "17". */
static const char *amount(char buf[32], watch_unit unit, double value)
{
    if (unit == WATCH_BYTES)
        return base_format_bytes(buf, 32, value);
    base_format(buf, 32, fabs(value) < 10 ? "%.2g" : "%.0f", value);
    return buf;
}

static size_t add_rate(char *buf, size_t n, const watch_verdict *v, watch_unit unit)
{
    char a[32], b[WATCH_FIGURE_BYTES], c[WATCH_FIGURE_BYTES];
    base_format(buf, n, ", +%s/h", amount(a, unit, v->slope_per_s * 3600));
    size_t k = strlen(buf);
    if (v->unit != WATCH_NONE) {
        const char *name = strchr(watch_series_get(v->unit)->name, '.') + 1;
        base_format(buf + k, n - k, " (%s per %s)", amount(a, unit, v->per_unit), name);
        k += strlen(buf + k);
    }
    if (isfinite(v->exhaustion_s)) {
        base_format(buf + k, n - k, ", limit %s in %s", amount(a, unit, v->limit),
                    watch_duration(b, v->exhaustion_s));
        k += strlen(buf + k);
        if (isfinite(v->exhaustion_low_s)) {
            base_format(buf + k, n - k, " (%s to %s)", watch_duration(b, v->exhaustion_low_s),
                        isfinite(v->exhaustion_high_s) ? watch_duration(c, v->exhaustion_high_s)
                                                       : "never");
            k += strlen(buf + k);
        }
    }
    return k;
}

const char *watch_event_words(char *buf, const watch_event *e)
{
    const size_t n = WATCH_EVENT_TEXT_BYTES;
    const watch_verdict *v = &e->verdict;
    const watch_series_info *info = watch_series_get(e->series);
    char a[32], shown[2 * WATCH_EVIDENCE_BYTES]; /* the line ends here are ours, and no name's */
    const bool rises = watch_state_rises(v->state);
    if (e->series == WATCH_WORK_IDLE_S) {
        base_format(buf, n, "the job %s", v->state == WATCH_HUNG ? "hangs" : "moves again");
    } else {
        base_format(buf, n, "%s is %s at %s", info->name, watch_state_name(v->state),
                    amount(a, info->unit, v->level));
        if (!rises && v->shape != WATCH_SHAPE_UNKNOWN) {
            const size_t k = strlen(buf);
            base_format(buf + k, n - k, " (%s)", watch_shape_name(v->shape));
        }
    }
    size_t k = strlen(buf);
    if (rises)
        k += add_rate(buf + k, n - k, v, info->unit);
    if (e->with != NULL) { /* all else was said there */
        base_format(buf + k, n - k, ", with %s (%s)", e->with, e->rule);
        return buf;
    }
    if (e->cause[0] != '\0') {
        base_line_escape(shown, sizeof shown, e->cause);
        base_format(buf + k, n - k, "\n  cause: %s%s%s%s", shown, e->rule[0] ? " (" : "", e->rule,
                    e->rule[0] ? ")" : "");
        k += strlen(buf + k);
    }
    if (e->evidence[0] != '\0') {
        base_line_escape(shown, sizeof shown, e->evidence);
        base_format(buf + k, n - k, "\n  seen:  %s", shown);
        k += strlen(buf + k);
    }
    if (e->remedy[0] != '\0') {
        base_line_escape(shown, sizeof shown, e->remedy);
        base_format(buf + k, n - k, "\n  try:   %s", shown);
    }
    return buf;
}
