/* sinks.c: the table of sinks: one row each. */
#include "sinks.h"

const watch_sink *const watch_sinks[] = {&watch_sink_trace,
                                         &watch_sink_log,
                                         &watch_sink_notify,
                                         &watch_sink_history,
                                         &watch_sink_serve,
                                         &watch_sink_stacks,
                                         NULL};
