/* metrics.h: a story's newest moment in Prometheus' text format; docs/watch.md lists the names. */
#ifndef WATCH_METRICS_H
#define WATCH_METRICS_H

#include "report.h"

/* guard_bytes: what the guard holds on its accounts. What is not known has no line. */
vg_status watch_metrics(base_str *out, const watch_story *s, size_t guard_bytes, base_mem *mem,
                        vg_error *err);

#endif
