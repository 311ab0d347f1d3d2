/* trace.h: samples as CSV: the header "time_s,series,value", one row a reading; rows of one moment
 * make one sample. Numbers are written with the digits that give the same double back.
 * Of texts (main.fds_most) the value is the rest of the row; a row only where it changed. */
#ifndef WATCH_TRACE_H
#define WATCH_TRACE_H

#include "watch/sample/series.h"

typedef struct watch_trace_reader watch_trace_reader;

/* path "-": standard input. Streams: memory does not grow with the length. Errors: VG_ERR_IO,
 * VG_ERR_FORMAT (line and field). */
vg_status watch_trace_open(watch_trace_reader **out, const char *path, base_mem *mem,
                           vg_error *err);
void watch_trace_close(watch_trace_reader **r);
/* *end: no more. Series that no one knows are counted and left out. */
vg_status watch_trace_next(watch_trace_reader *r, watch_sample *out, bool *end, vg_error *err);
size_t watch_trace_n_unknown(const watch_trace_reader *r);

typedef struct watch_trace_writer watch_trace_writer;
/* Appends to an empty or a whole file; a torn last row is cut off. */
vg_status watch_trace_create(watch_trace_writer **out, const char *path, base_mem *mem,
                             vg_error *err);
vg_status watch_trace_add(watch_trace_writer *w, const watch_sample *s, vg_error *err);
vg_status watch_trace_finish(watch_trace_writer **w, vg_error *err);

#endif
