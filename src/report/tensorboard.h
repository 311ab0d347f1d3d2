/* tensorboard.h: event files that TensorBoard shows: scalars and pictures by step. */
#ifndef REPORT_TENSORBOARD_H
#define REPORT_TENSORBOARD_H

#include "base/base.h"

enum {
    REPORT_EVENTS_BUFFER_BYTES = 64 * 1024, /* a writer's memory, taken at open */
    REPORT_EVENTS_FLUSH_MS = 10000,         /* nothing waits longer than that for the next event */
};

/* A file of records that only grows. Events gather in a fixed buffer, which goes to the file when
 * it is full, at the first event REPORT_EVENTS_FLUSH_MS after the last time, at flush and at close.
 * No function but open allocates. One owner; not thread-safe. */
typedef struct report_events report_events;

/* Makes folder/events.out.tfevents.<time>.<host>.<pid>.0 (.1, ... if that is there). restart_step
 * >= 0 says that a run goes on from that step: readers then drop what earlier files of the folder
 * hold from it on. -1: a new run. Errors: VG_ERR_IO, VG_ERR_LIMIT (the path), VG_ERR_MEMORY. On
 * success *out belongs to the caller. */
vg_status report_events_open(report_events **out, const char *folder, int64_t restart_step,
                             base_mem *mem, vg_error *err);
/* The file's path; borrowed, until close. */
const char *report_events_path(const report_events *e);

/* "train/box_loss". value may be NaN: TensorBoard shows a gap. Errors: VG_ERR_ARGUMENT (a tag that
 * is empty, not UTF-8 or longer than 512 bytes), VG_ERR_IO: the file ends with its last whole
 * record, what waited in the buffer is lost, and later events may succeed. */
vg_status report_events_scalar(report_events *e, const char *tag, int64_t step, double value,
                               vg_error *err);
/* A PNG or JPEG of w x h pixels, of any length: it goes to the file without being copied whole.
 * Errors: as above. */
vg_status report_events_image(report_events *e, const char *tag, int64_t step, const void *encoded,
                              size_t n_bytes, int w, int h, vg_error *err);
/* Hands all events to the file. */
vg_status report_events_flush(report_events *e, vg_error *err);
/* Flushes and closes; always frees, and *e is NULL afterwards. NULL inside is fine. */
vg_status report_events_close(report_events **e, vg_error *err);

#endif
