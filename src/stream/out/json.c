/* json.c: objects into a text of fixed size. */
#include "json.h"

#include "files.h"
#include "stream/scene/zones.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

/* Fixed parts with their numbers at their longest; a byte of text is six at most (\u00xx). */
enum {
    ESCAPED = 6,
    NAME_BYTES = ESCAPED * STREAM_JSON_NAME_BYTES + 2,
    SOURCE_BYTES = ESCAPED * STREAM_NAME_BYTES + 2,
    FILE_BYTES = ESCAPED * VIDEO_FILE_BYTES + 2,
    STEM_BYTES = NAME_BYTES,
    RESULT_BYTES = 384,
    BOX_BYTES = 256,
    EVENT_BYTES = 384,
    NUMBER_BYTES = 32
};

static size_t extra_bytes(const stream_setting *s)
{
    const task_shape *shape = &s->shape;
    const vg_extras e = {.n_keypoints = shape->n_keypoints};
    if (shape->task == NULL || shape->task->put_json == NULL)
        return 0;
    return task_json_bytes(&e, shape->task->has_masks ? STREAM_JSON_MOST_POINTS : 0);
}

stream_rows stream_result_rows(const stream_setting *s, const stream_result *r)
{
    return (stream_rows){.boxes = r->boxes,
                         .n = r->n_boxes,
                         .ids = r->ids,
                         .extras = &r->extras,
                         .w = r->frame.w,
                         .h = r->frame.h,
                         .names = s->detector != NULL ? stream_detector_names(s->detector)
                                                      : (image_names){0}};
}

size_t stream_json_bytes(const stream_setting *s)
{
    const size_t boxes = s->options->max_det > 0 ? (size_t)s->options->max_det : 0;
    return SOURCE_BYTES + FILE_BYTES + STEM_BYTES + RESULT_BYTES +
           boxes * (BOX_BYTES + NAME_BYTES + extra_bytes(s)) +
           DETECT_TOP * (STREAM_TOP_JSON_BYTES + NAME_BYTES) +
           STREAM_JSON_MOST_EVENTS * (EVENT_BYTES + 3 * NAME_BYTES);
}

size_t stream_json_message_bytes(const stream_setting *s)
{
    const size_t result = stream_json_bytes(s), event = SOURCE_BYTES + FILE_BYTES + STEM_BYTES +
                                                        RESULT_BYTES + EVENT_BYTES + 3 * NAME_BYTES;
    return result > event ? result : event;
}

const char *stream_time_text(char buf[STREAM_TIME_BYTES], int64_t wall_ns)
{
    const int64_t most_s = INT64_C(253402300799); /* the end of 9999: RFC 3339 has four digits */
    const int64_t ms = wall_ns > 0 ? wall_ns / 1000000 : 0;
    const time_t s = (time_t)(ms / 1000 < most_s ? ms / 1000 : most_s);
    struct tm t;
    gmtime_r(&s, &t);
    base_format(buf, STREAM_TIME_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900,
                t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, (int)(ms % 1000));
    return buf;
}

/* As %.*f, but with a point in every locale, "null" for what is no number, and never longer than
 * NUMBER_BYTES. */
static const char *fixed(char buf[NUMBER_BYTES], double value, int decimals)
{
    const double scale = pow(10, decimals), most = 1e15;
    const int64_t unit = (int64_t)scale;
    if (!isfinite(value)) {
        base_format(buf, NUMBER_BYTES, "null");
        return buf;
    }
    const double cut = fmin(fmax(value * scale, -most), most);
    const int64_t n = llround(cut), size = n < 0 ? -n : n;
    base_format(buf, NUMBER_BYTES, "%s%" PRId64 ".%0*" PRId64, n < 0 ? "-" : "", size / unit,
                decimals, size % unit);
    return buf;
}

/* A quoted text; what does not fit into a name's place ends early, but not inside a character. */
static vg_status add_name(sink_text *t, const char *name, vg_error *err)
{
    char cut[STREAM_JSON_NAME_BYTES + 1];
    size_t n = strnlen(name, sizeof cut);
    if (n < sizeof cut)
        return sink_text_add_json(t, name, err);
    n = sizeof cut - 1;
    while (n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80)
        n--;
    memcpy(cut, name, n);
    cut[n] = '\0';
    return sink_text_add_json(t, cut, err);
}

static vg_status add_xyxy(sink_text *t, const vg_detection *b, vg_error *err)
{
    char n[4][NUMBER_BYTES];
    return sink_text_add(t, err, "[%s,%s,%s,%s]", fixed(n[0], (double)b->x1, 2),
                         fixed(n[1], (double)b->y1, 2), fixed(n[2], (double)b->x2, 2),
                         fixed(n[3], (double)b->y2, 2));
}

static vg_status add_box(sink_text *t, const stream_setting *s, const stream_result *r, size_t i,
                         vg_error *err)
{
    const vg_detection *b = &r->boxes[i];
    char number[NUMBER_BYTES];
    vg_status st =
        sink_text_add(t, err, "%s{\"class\":%d,\"name\":", i == 0 ? "" : ",", b->class_index);
    if (st == VG_OK)
        st = add_name(t, stream_detector_class_name(s->detector, b->class_index), err);
    if (st == VG_OK)
        st = sink_text_add(t, err,
                           ",\"confidence\":%s,\"xyxy\":", fixed(number, (double)b->confidence, 5));
    if (st == VG_OK)
        st = add_xyxy(t, b, err);
    if (st == VG_OK && r->ids != NULL)
        st = sink_text_add(t, err, ",\"id\":%" PRId64, r->ids[i]);
    const task *kind = task_of(r->extras.task);
    if (st == VG_OK && kind->put_json != NULL) {
        const task_writer w = stream_label_writer(t, "", STREAM_JSON_MOST_POINTS);
        const task_row row = {
            .box = b, .extras = &r->extras, .index = i, .w = r->frame.w, .h = r->frame.h};
        st = kind->put_json(&w, &row, err);
    }
    return st == VG_OK ? sink_text_add(t, err, "}") : st;
}

/* From "event" to the end of the object. */
static vg_status add_event(sink_text *t, const stream_setting *s, const stream_result *r,
                           const vg_stream_event *e, vg_error *err)
{
    char number[NUMBER_BYTES], path[STREAM_JSON_NAME_BYTES];
    vg_status st = sink_text_add(t, err, "\"event\":%" PRIu64 ",\"kind\":\"%s\",\"zone\":", e->id,
                                 stream_event_name(e->kind));
    if (st == VG_OK)
        st = add_name(t, e->zone, err);
    if (st == VG_OK && e->class_index < 0)
        st = sink_text_add(t, err, ",\"class\":null,\"name\":null");
    else if (st == VG_OK) {
        st = sink_text_add(t, err, ",\"class\":%d,\"name\":", e->class_index);
        if (st == VG_OK)
            st = add_name(t, stream_detector_class_name(s->detector, e->class_index), err);
    }
    if (st == VG_OK)
        st = e->track != 0 ? sink_text_add(t, err, ",\"track\":%" PRId64, e->track)
                           : sink_text_add(t, err, ",\"track\":null");
    if (st == VG_OK)
        st = sink_text_add(t, err, ",\"seconds\":%s,\"inside\":%d,\"in\":%d,\"out\":%d,\"xyxy\":",
                           fixed(number, e->seconds, 2), e->inside, e->n_in, e->n_out);
    if (st == VG_OK)
        st = e->box.x2 > e->box.x1 ? add_xyxy(t, &e->box, err) : sink_text_add(t, err, "null");
    if (st == VG_OK && e->is_lost)
        st = sink_text_add(t, err, ",\"lost\":true");
    if (st == VG_OK && e->wants_snapshot &&
        stream_snapshot_path(path, sizeof path, "", r->stem, e->id)) {
        st = sink_text_add(t, err, ",\"snapshot\":");
        if (st == VG_OK)
            st = sink_text_add_json(t, path, err);
    }
    return st == VG_OK ? sink_text_add(t, err, "}") : st;
}

/* {"source":...,"file":...,"stem":...,"frame":N */
static vg_status add_source(sink_text *t, const stream_result *r, vg_error *err)
{
    vg_status st = sink_text_add(t, err, "{\"source\":");
    if (st == VG_OK)
        st = sink_text_add_json(t, r->source, err);
    if (st == VG_OK && r->file != NULL && r->file[0] != '\0') {
        st = sink_text_add(t, err, ",\"file\":");
        if (st == VG_OK)
            st = sink_text_add_json(t, r->file, err);
    }
    if (st == VG_OK)
        st = sink_text_add(t, err, ",\"stem\":");
    if (st == VG_OK)
        st = add_name(t, r->stem, err);
    return st == VG_OK ? sink_text_add(t, err, ",\"frame\":%" PRId64, r->frame.number) : st;
}

vg_status stream_json_result(sink_text *t, const stream_setting *s, const stream_result *r,
                             vg_error *err)
{
    char when[STREAM_TIME_BYTES], number[NUMBER_BYTES];
    const size_t n_events =
        r->n_events < STREAM_JSON_MOST_EVENTS ? r->n_events : STREAM_JSON_MOST_EVENTS;
    vg_status st = add_source(t, r, err);
    if (st == VG_OK)
        st = sink_text_add(t, err, ",\"index\":%" PRIu64 ",\"time\":\"%s\",\"pts\":%s", r->index,
                           stream_time_text(when, r->frame.wall_ns),
                           r->frame.pts_ns != INT64_MIN
                               ? fixed(number, (double)r->frame.pts_ns * 1e-9, 3)
                               : "null");
    if (st == VG_OK)
        st = sink_text_add(t, err, ",\"width\":%d,\"height\":%d,\"boxes\":[", r->frame.w,
                           r->frame.h);
    for (size_t i = 0; i < r->n_boxes && st == VG_OK; i++)
        st = add_box(t, s, r, i, err);
    const stream_rows rows = stream_result_rows(s, r);
    if (st == VG_OK)
        st = sink_text_add(t, err, "]");
    if (st == VG_OK)
        st = stream_rows_add_top(t, &rows, "", err);
    if (st == VG_OK)
        st = sink_text_add(t, err, ",\"events\":[");
    for (size_t i = 0; i < n_events && st == VG_OK; i++) {
        st = sink_text_add(t, err, i == 0 ? "{" : ",{");
        if (st == VG_OK)
            st = add_event(t, s, r, &r->events[i], err);
    }
    if (st == VG_OK && n_events < r->n_events)
        st = sink_text_add(t, err, "],\"events_left_out\":%zu", r->n_events - n_events);
    else if (st == VG_OK)
        st = sink_text_add(t, err, "]");
    return st == VG_OK
               ? sink_text_add(t, err, ",\"latency_ms\":%s}", fixed(number, r->times.latency, 2))
               : st;
}

vg_status stream_json_event(sink_text *t, const stream_setting *s, const stream_result *r,
                            const vg_stream_event *e, vg_error *err)
{
    char when[STREAM_TIME_BYTES];
    vg_status st = add_source(t, r, err);
    if (st == VG_OK)
        st = sink_text_add(t, err, ",\"time\":\"%s\",", stream_time_text(when, r->frame.wall_ns));
    return st == VG_OK ? add_event(t, s, r, e, err) : st;
}

vg_status stream_json_health(sink_text *t, const char *source, stream_state was, stream_state now,
                             int fault, uint64_t n_reconnects, int64_t wall_ns, vg_error *err)
{
    char when[STREAM_TIME_BYTES];
    vg_status st = sink_text_add(t, err, "{\"source\":");
    if (st == VG_OK)
        st = sink_text_add_json(t, source, err);
    if (st == VG_OK)
        st = sink_text_add(t, err, ",\"time\":\"%s\",\"state\":\"%s\",\"was\":\"%s\"",
                           stream_time_text(when, wall_ns), stream_state_name(now),
                           stream_state_name(was));
    if (st == VG_OK)
        st = fault >= 0 && fault < VIDEO_N_FAULTS
                 ? sink_text_add(t, err, ",\"fault\":\"%s\"", video_fault_name((video_fault)fault))
                 : sink_text_add(t, err, ",\"fault\":null");
    return st == VG_OK ? sink_text_add(t, err, ",\"reconnects\":%" PRIu64 "}", n_reconnects) : st;
}
