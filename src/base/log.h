/* log.h: what the program says while it works: events with fields, to stderr, for people or as JSON
 * lines.
 *
 *     base_log(BASE_LOG_WARN, "picture skipped", "path=%s reason=%s", path, err.what);
 * prints "warning: picture skipped path=a.jpg reason=..." or
 * {"time":...,"level":"warn","event":"picture skipped", "text":"path=..."}: one write per line from
 * a fixed buffer, cut at 2 KiB; safe from any thread; allocates nothing. The level and form are the
 * process's (the one mutable global); libraries do not log what they return. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "vigil/error.h"

typedef enum base_log_level {
    BASE_LOG_DEBUG,
    BASE_LOG_INFO,
    BASE_LOG_WARN,
    BASE_LOG_ERROR,
    BASE_LOG_OFF
} base_log_level;

void base_log_setup(base_log_level least, bool json);
void base_log(base_log_level level, const char *event, const char *format, ...) VG_PRINTF(3, 4);
/* The three lines of an error, or one JSON object. */
void base_log_error(base_log_level level, const vg_error *err);

#endif
