/* report.h: a story as a page, as JSON and as text. For this folder, and for who shows it among
 * other pages. */
#ifndef WATCH_REPORT_H
#define WATCH_REPORT_H

#include "page/page.h"
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
void watch_put_json(watch_writer *w, const char *text);
void watch_put_label(watch_writer *w, const char *text);

/* Charts of all series, in order of interest. */
void watch_put_charts(page_html *w, const watch_story *s);

/* A story's page, to be answered with or written; s must outlive it. version: changes when the
 * story does. Of the document the caller sets events, topic and way. */
enum { WATCH_PAGE_PARTS = 7 };
typedef struct watch_page {
    page_part parts[WATCH_PAGE_PARTS];
    base_text title;
    page_document document;
} watch_page;
void watch_page_make(watch_page *p, const watch_story *s, uint64_t version);
/* To those who have it open: what is of an older version. state: the worst verdict. */
void watch_page_tell(page_news *e, const char *state, uint64_t version);

/* Each adds to out. HTML: one file with style, script and drawings in it. */
vg_status watch_report_html(base_str *out, const watch_story *s, base_mem *mem, vg_error *err);
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
