/* messages.h: what brokers are told: of each result its events, then the result itself, and changes
 * of health, one JSON object a message. Who sends them chooses topic or key. For this folder. */
#ifndef STREAM_OUT_MESSAGES_H
#define STREAM_OUT_MESSAGES_H

#include "changes.h"
#include "json.h"

typedef struct sink_message {
    const char *what;          /* "events", "results", "health" */
    const char *source, *stem; /* stem "" for health, which is of all */
    const char *text;
    size_t n;
} sink_message;

typedef struct sink_messages {
    sink_text text;
    bool tells_results, tells_events;
    stream_changes changes;
    vg_status (*send)(void *self, const sink_message *m, vg_error *err);
    void *self;
} sink_messages;

/* what: "results", "events" or "all". send and self are set by the caller, before or after. */
vg_status sink_messages_open(sink_messages *m, const stream_setting *s, const char *what,
                             vg_error *err);
void sink_messages_close(sink_messages *m);
vg_status sink_messages_write(sink_messages *m, const stream_setting *s, const stream_result *r,
                              vg_error *err);
/* Changes of health since the last tick. */
vg_status sink_messages_tick(sink_messages *m, const stream_setting *s, vg_error *err);

#endif
