/* json.h: a result, an event and a change of health as JSON objects: what MQTT, webhooks and
 * JSON lines say.
 *
 *     {"source":"rtsp://cam/1","stem":"cam","frame":1234,"index":1200,"time":"2026-11-23T14:15:00.042Z",
 *      "pts":41.133,"width":1920,"height":1080,
 *      "boxes":[{"class":0,"name":"person","confidence":0.91234,"xyxy":[10.50,20.00,30.25,40.75],"id":7}],
 *      "events":[...],"latency_ms":38.20}
 *
 * Of a source that plays several files, "file" behind it tells which.
 * frame counts the frames of this connection (or file), index the results of the source; pts is in
 * seconds, null where the stream has none; id is there with tracking. An event alone:
 *
 *     {"source":...,"stem":...,"frame":...,"time":...,"event":5,"kind":"enter","zone":"door",
 *      "class":0,"name":"person","track":7,"seconds":0.00,"inside":1,"in":4,"out":3,"xyxy":[...]}
 *
 * and in a result the same without its first four. "lost":true stands there when a track left by
 * ending inside, "snapshot" (a path in the run folder) when the zone wants one. Class and name are
 * null where any class counts, track and xyxy where there is none. Health:
 *
 *     {"source":...,"time":...,"state":"waiting","was":"playing","fault":"lost","reconnects":3}
 *
 * A box has what the model's task adds: "segments":{"x":[...],"y":[...]} (an outline, thinned out
 * to STREAM_JSON_MOST_POINTS corners), "keypoints":{"x":[...],"y":[...],"visible":[...]}, or
 * "xywhr":[...],"xyxyxyxy":[...] of a turned box, whose xyxy is around it. Of whole pictures boxes
 * is empty and "top":[{"class":3,"name":"car","confidence":0.9}] stands behind it.
 *
 * Everything is appended to a text of a size that is told beforehand; nothing is allocated; numbers
 * have points whatever the locale. A result has its first STREAM_JSON_MOST_EVENTS events; how many
 * more there were is in "events_left_out". Names end after STREAM_JSON_NAME_BYTES. */
#ifndef STREAM_JSON_H
#define STREAM_JSON_H

#include "sink.h"
#include "stream/shared/label.h"

enum {
    STREAM_JSON_MOST_EVENTS = 64,
    STREAM_JSON_NAME_BYTES = 128,
    STREAM_JSON_MOST_POINTS = 128,
    STREAM_TIME_BYTES = 32
};

/* The result's rows, for texts and drawings. */
stream_rows stream_result_rows(const stream_setting *s, const stream_result *r);

/* The most bytes that one object takes, its terminator included. */
size_t stream_json_bytes(const stream_setting *s);
/* A result, or one of its events: whichever is larger. */
size_t stream_json_message_bytes(const stream_setting *s);

/* On one line, without a line's end. Errors: VG_ERR_LIMIT (the text is too small, or there are more
 * boxes than max_det). */
vg_status stream_json_result(sink_text *t, const stream_setting *s, const stream_result *r,
                             vg_error *err);
vg_status stream_json_event(sink_text *t, const stream_setting *s, const stream_result *r,
                            const vg_stream_event *e, vg_error *err);
/* fault: video_fault, -1: none. wall_ns: CLOCK_REALTIME. */
vg_status stream_json_health(sink_text *t, const char *source, stream_state was, stream_state now,
                             int fault, uint64_t n_reconnects, int64_t wall_ns, vg_error *err);

/* "2026-11-23T14:15:00.042Z": RFC 3339, UTC; returns buf. Times before 1970 or after 9999 are moved
 * to those ends. */
const char *stream_time_text(char buf[STREAM_TIME_BYTES], int64_t wall_ns);

#endif
