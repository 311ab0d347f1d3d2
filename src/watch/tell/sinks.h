/* sinks.h: the descriptors, each at the end of its own file. */
#ifndef WATCH_SINKS_H
#define WATCH_SINKS_H

#include "sink.h"

extern const watch_sink watch_sink_trace;
extern const watch_sink watch_sink_log;
extern const watch_sink watch_sink_stacks;
extern const watch_sink watch_sink_history;
extern const watch_sink watch_sink_serve;
extern const watch_sink watch_sink_notify;

#endif
