/* report.h: a story as a page, as JSON and as text. The page is one HTML file: style and pictures
 * (SVG) are in it, nothing is fetched from elsewhere. For this folder. */
#ifndef WATCH_REPORT_H
#define WATCH_REPORT_H

#include "story.h"

enum { WATCH_REPORT_MOST_BYTES = 24 << 20 };

/* A text in the making: after the first failure nothing is added, and the failure is st. */
typedef struct watch_writer {
    base_str *out;
    base_mem *mem;
    vg_error *err;
    vg_status st;
} watch_writer;
void watch_put(watch_writer *w, const char *format, ...) VG_PRINTF(2, 3);
/* As base_line_escape and its kin write it. */
void watch_put_line(watch_writer *w, const char *text);
void watch_put_html(watch_writer *w, const char *text);
void watch_put_json(watch_writer *w, const char *text);
void watch_put_label(watch_writer *w, const char *text);

/* A plot of a series as an <svg>; is_wide: the one on top. */
void watch_put_plot(watch_writer *w, const watch_story *s, watch_series series, bool is_wide);
/* A small one of a process's resident bytes. */
void watch_put_spark(watch_writer *w, const watch_story *s, const watch_life *l);

/* Each adds to out. refresh_s > 0: the page reads itself anew so often (the live one). */
vg_status watch_report_html(base_str *out, const watch_story *s, double refresh_s, base_mem *mem,
                            vg_error *err);
vg_status watch_report_json(base_str *out, const watch_story *s, base_mem *mem, vg_error *err);
vg_status watch_report_text(base_str *out, const watch_story *s, base_mem *mem, vg_error *err);

/* A guard's folder (its history, or else its trace), a history.db or a trace. *out is initialised
 * here. Errors: VG_ERR_IO, VG_ERR_FORMAT. */
vg_status watch_report_load(watch_story *out, const char *path, base_mem *mem, vg_error *err);

/* The indices of s->lives as a tree: parents before their children. depths[i] is of order[i].
 * Returns their number. */
size_t watch_story_tree(const watch_story *s, size_t order[WATCH_LIVES], int depths[WATCH_LIVES]);

/* Causes, worst first: of what rises or hangs now, and of what did before. */
typedef struct watch_cause {
    const watch_event *event;
    bool is_past;
    size_t n_series;
    watch_series series[16]; /* all that it explains; event->series is the first */
} watch_cause;
enum { WATCH_MOST_CAUSES = 24 };
size_t watch_story_causes(const watch_story *s, watch_cause out[WATCH_MOST_CAUSES]);

#endif
