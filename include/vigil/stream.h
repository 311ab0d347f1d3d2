/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h: detection in moving pictures: files, network streams and cameras, several at once, for
 * months, in memory that is planned before the first frame.
 *
 *     vg_stream *s = NULL;
 *     vg_error err;
 *     vg_stream_listener l = {.result = mine};
 *     if (vg_stream_create(&s, &err) == VG_OK &&
 *         vg_stream_set(s, "weights", "yolo11n.pt", &err) == VG_OK &&
 *         vg_stream_set(s, "source", "rtsp://camera/1", &err) == VG_OK)
 *         vg_stream_run(s, &l, &err);
 *     vg_stream_destroy(&s);
 *
 * One thread owns a handle and calls its functions; where another may, it is said. */
#ifndef VIGIL_STREAM_H
#define VIGIL_STREAM_H

#include "vigil/vigil.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- options ---- */

/* The table of options (*n), as vg_stream_set takes them. */
VG_API const vg_option *vg_stream_options(size_t *n);

/* Whether a source is one for a stream: a video, a list or folder with videos, a URL, a camera.
 * False for pictures, which vg_predict is for, and for what is not there. "-" (standard input):
 * true with an input_format (else NULL), or when what comes is no picture; waits for its first
 * bytes, and takes none. */
VG_API bool vg_stream_takes(const char *source, const char *input_format);

typedef struct vg_stream vg_stream;
/* Errors: VG_ERR_MEMORY. */
VG_API vg_status vg_stream_create(vg_stream **out, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_stream_destroy(vg_stream **s);
/* Before check and run. "config" reads the file at once: what is set afterwards wins. Errors:
 * VG_ERR_ARGUMENT (with the nearest name, the range or the choices), VG_ERR_IO, VG_ERR_FORMAT: then
 * nothing has changed. */
VG_API vg_status vg_stream_set(vg_stream *s, const char *name, const char *value, vg_error *err);

/* The option as it stands, as vg_stream_set takes it, into buf of n bytes (cut there); returns buf.
 * "" where there is no such option. Times are in seconds. */
VG_API const char *vg_stream_get(const vg_stream *s, const char *name, char *buf, size_t n);

/* ---- without starting ---- */

/* source is borrowed during the call. */
typedef void (*vg_stream_see_source)(void *ctx, const vg_stream_source *source);

/* What is wrong with the options alone, sources and weights not looked at. Errors: VG_ERR_ARGUMENT
 * (of what was set), VG_ERR_FORMAT (of what the configuration says, with file:line), VG_ERR_IO and
 * VG_ERR_UNSUPPORTED (a file or library that an option needs). */
VG_API vg_status vg_stream_check_options(vg_stream *s, vg_error *err);
/* Reads everything that run would (options, sources, weights, zones) and works out its memory;
 * starts, connects and writes nothing. see may be NULL; it is called for every source as soon as
 * they are known, also when something else is wrong. plan->items have planned_bytes alone. Errors:
 * what run would say of them; VG_ERR_LIMIT when the plan is over memory_limit: *plan is filled
 * then, too. */
VG_API vg_status vg_stream_check(vg_stream *s, vg_stream_see_source see, void *ctx, vg_memory *plan,
                                 vg_error *err);

/* What machines would hold of many cameras, from a file that docs/fleet.md describes: frames a
 * second by what was measured, memory by the plan of the job that each shard runs. Starts nothing,
 * connects to nothing. Errors: VG_ERR_IO, VG_ERR_FORMAT (with file:line and the field), those of
 * vg_stream_check. */
VG_API vg_status vg_fleet_check(vg_fleet *out, const char *path, vg_error *err);

/* ---- while it runs ---- */

/* "enter", "leave", "dwell", "absent", "back"; "" for what is none. */
VG_API const char *vg_stream_event_name(vg_stream_event_kind kind);

/* Plans, takes everything, and works until every source has ended, `duration` is over or the
 * listener wants to stop; ends within two seconds then. Tells systemd (NOTIFY_SOCKET) and `vigil
 * watch` how it goes. Errors: VG_ERR_INTERRUPTED (the listener's wish), VG_ERR_ARGUMENT, VG_ERR_IO,
 * VG_ERR_FORMAT, VG_ERR_UNSUPPORTED, VG_ERR_LIMIT, VG_ERR_MEMORY, VG_ERR_SYSTEM. A handle runs
 * once. */
VG_API vg_status vg_stream_run(vg_stream *s, const vg_stream_listener *listener, vg_error *err);

/* The frame of the result that the listener's function result is being called with, upright, into
 * out, which is of its size: from that function alone, of a listener with wants_frames. Errors:
 * VG_ERR_ARGUMENT, VG_ERR_MEMORY, VG_ERR_UNSUPPORTED (a pixel format). */
struct vg_picture; /* vigil/picture.h */
VG_API vg_status vg_stream_frame(vg_stream *s, const struct vg_picture *out, vg_error *err);

/* ---- pictures that the program hands over ---- */

/* A source `push:NAME` is fed by these, from any thread, while another is in run; everything behind
 * it is as for any source: policy, tracks, zones, sinks, the listener. It keeps every picture, and
 * who pushes waits for the network; with policy=latest a newer picture takes the place of one that
 * waits. The stream ends when all its sources have ended; one that gave no picture at all is an
 * error of run, as a file without one is.
 *
 * Copies the picture, of any format. name: that of the source; NULL: the only one there is. time_s:
 * of the film that the pictures are of; NAN: they are of now. Waits for room, and for run to have
 * begun, for timeout_ms (0: not at all; below 0: as long as it takes). Errors: VG_ERR_ARGUMENT (the
 * picture), VG_ERR_LIMIT (no room, or no such source, in time), VG_ERR_INTERRUPTED (the stream or
 * this source has ended), VG_ERR_MEMORY. */
VG_API vg_status vg_stream_push(vg_stream *s, const char *name, const vg_image *image,
                                double time_s, int timeout_ms, vg_error *err);
/* No more will come; NULL: on any source. Before destroy. */
VG_API void vg_stream_push_end(vg_stream *s, const char *name);
/* This program pushes nothing, so that a source `push:`, by itself or in a list, is refused
 * (VG_ERR_ARGUMENT, in a list VG_ERR_FORMAT with its line) instead of waited for. Before check and
 * run. */
VG_API void vg_stream_no_push(vg_stream *s);

/* ---- numbers: during run from any of the listener's functions, and after it ---- */

/* Places for sources, those that a reload may fill included; 0 before run. */
VG_API int vg_stream_n_sources(const vg_stream *s);
/* The numbers of one place; with the state "empty" where there is no source, also outside
 * 0..n_sources-1. */
VG_API void vg_stream_source_get(const vg_stream *s, int index, vg_stream_source_stats *out);
/* Places for sinks; 0 before run. */
VG_API int vg_stream_n_sinks(const vg_stream *s);
/* The numbers of one place; with the name "" where there is no sink. */
VG_API void vg_stream_sink_get(const vg_stream *s, int index, vg_stream_sink_stats *out);
/* Runs of the network so far, and frames in them. */
VG_API void vg_stream_batches(const vg_stream *s, uint64_t *n_batches, uint64_t *n_frames);
/* Seconds since everything was made, or until run ended; 0 before. `duration` is of these. */
VG_API double vg_stream_seconds(const vg_stream *s);
/* All sources are video files that end. */
VG_API bool vg_stream_is_of_files(const vg_stream *s);
/* "" outside 0..n_classes-1, and when nothing runs. */
VG_API const char *vg_stream_class_name(const vg_stream *s, int class_index);
/* The run folder; "" when nothing is saved. */
VG_API const char *vg_stream_folder(const vg_stream *s);
/* What is held, with its plan; after the run as it was before the end. */
VG_API void vg_stream_memory(const vg_stream *s, vg_memory *out);

#ifdef __cplusplus
}
#endif
#endif
