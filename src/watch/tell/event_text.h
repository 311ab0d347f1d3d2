/* event_text.h: events as JSON lines and as words. */
#ifndef WATCH_EVENT_TEXT_H
#define WATCH_EVENT_TEXT_H

#include "watch/judge/judge.h"

enum { WATCH_EVENT_TEXT_BYTES = 8192 };

/* One object, without the line's end: time_s, series, was, state, shape, level, limit, slope_per_s,
 * slope_interval, per_unit, unit, exhaustion_s, exhaustion_interval_s, rule, confidence, cause,
 * evidence, remedy, with. What is not known is null; an exhaustion counts from time_s. Returns buf
 * of WATCH_EVENT_TEXT_BYTES. */
const char *watch_event_json(char *buf, const watch_event *e);

/* For people, on one to four lines: "main.anon_bytes is leaking: +12.3 MB/h ...". Same room. */
const char *watch_event_words(char *buf, const watch_event *e);

/* The last line of a replay: {"time_s":..., "verdict": the worst state, "series": {name: {state,
 * shape, ...}}} of every series that had a value, into a text that grows. */
vg_status watch_verdicts_json(base_str *out, const watch_judge *j, base_mem *mem, vg_error *err);

#endif
