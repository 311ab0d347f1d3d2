/* messages.c: results and events as messages, whoever carries them. */
#include "messages.h"

#include <string.h>
#include <time.h>

vg_status sink_messages_open(sink_messages *m, const stream_setting *s, const char *what,
                             vg_error *err)
{
    m->tells_results = strcmp(what, "events") != 0;
    m->tells_events = strcmp(what, "results") != 0;
    return sink_text_open(&m->text, stream_json_message_bytes(s), s->mem, err);
}

void sink_messages_close(sink_messages *m)
{
    sink_text_close(&m->text);
}

static vg_status send_text(sink_messages *m, const char *what, const char *source, const char *stem,
                           vg_error *err)
{
    const sink_message one = {what, source, stem, m->text.bytes, m->text.length};
    return m->send(m->self, &one, err);
}

vg_status sink_messages_write(sink_messages *m, const stream_setting *s, const stream_result *r,
                              vg_error *err)
{
    vg_status st = VG_OK;
    for (size_t i = 0; i < r->n_events && m->tells_events && st == VG_OK; i++) {
        m->text.length = 0;
        st = stream_json_event(&m->text, s, r, &r->events[i], err);
        if (st == VG_OK)
            st = send_text(m, "events", r->source, r->stem, err);
    }
    if (m->tells_results && st == VG_OK) {
        m->text.length = 0;
        st = stream_json_result(&m->text, s, r, err);
        if (st == VG_OK)
            st = send_text(m, "results", r->source, r->stem, err);
    }
    return st;
}

vg_status sink_messages_tick(sink_messages *m, const stream_setting *s, vg_error *err)
{
    stream_change c;
    struct timespec wall;
    vg_status st = VG_OK;
    clock_gettime(CLOCK_REALTIME, &wall);
    while (m->tells_events && st == VG_OK && stream_changes_next(&m->changes, &c, s->stats)) {
        m->text.length = 0;
        st = stream_json_health(&m->text, c.source, c.was, c.now, c.fault, c.n_reconnects,
                                wall.tv_sec * INT64_C(1000000000) + wall.tv_nsec, err);
        if (st == VG_OK)
            st = send_text(m, "health", c.source, "", err);
    }
    return st;
}
