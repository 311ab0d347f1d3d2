/* log.c: one line, one fixed buffer, one write: lines of several threads never mix, and a log that
 * is read by a machine stays valid JSON however long the texts were. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "safe.h"

enum { LINE_BYTES = 2048, ERROR_FIELD_BYTES = 620 /* three of them and their names in a line */ };

/* The process's, by nature: stderr is one. */
static _Atomic int least_level = BASE_LOG_INFO;
static _Atomic bool as_json = false;

static const char *const json_levels[] = {"debug", "info", "warn", "error"};
static const char *const human_levels[] = {"debug", "info", "warning", "error"};

void base_log_setup(base_log_level least, bool json)
{
    atomic_store(&least_level, (int)least);
    atomic_store(&as_json, json);
}

static bool is_wanted(base_log_level level)
{
    return level >= BASE_LOG_DEBUG && level < BASE_LOG_OFF &&
           (int)level >= atomic_load(&least_level);
}

/* A line being put together; what does not fit is left out, two bytes are kept for its end. */
typedef struct line {
    char text[LINE_BYTES];
    size_t length;
} line;

static VG_PRINTF(2, 3) void add(line *l, const char *format, ...)
{
    size_t room = sizeof l->text - 2 - l->length;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->text + l->length, room, format, args);
    va_end(args);
    if (n > 0)
        l->length += (size_t)n < room ? (size_t)n : room - 1;
}

/* For people: no path can fake a line or move the cursor. */
static void add_plain(line *l, const char *s)
{
    char shown[LINE_BYTES];
    base_line_escape(shown, sizeof l->text - 2 - l->length, s);
    add(l, "%s", shown);
}

static void add_json_field(line *l, const char *name, const char *value, size_t most_bytes)
{
    char escaped[LINE_BYTES];
    size_t n = most_bytes < sizeof escaped ? most_bytes : sizeof escaped;
    base_json_escape(escaped, n, value);
    add(l, ",\"%s\":\"%s\"", name, escaped);
}

static void add_json_start(line *l, base_log_level level)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    add(l, "{\"time\":%lld.%03ld,\"level\":\"%s\"", (long long)t.tv_sec, t.tv_nsec / 1000000,
        json_levels[level]);
}

static void send_line(line *l, const char *end)
{
    size_t n = strlen(end);
    memcpy(l->text + l->length, end, n);
    l->length += n;
    ssize_t wrote;
    do
        wrote = write(STDERR_FILENO, l->text, l->length);
    while (wrote < 0 && errno == EINTR);
}

void base_log(base_log_level level, const char *event, const char *format, ...)
{
    if (!is_wanted(level))
        return;
    int kept = errno;
    char text[LINE_BYTES] = "";
    if (format) {
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
    }
    line l = {.length = 0};
    if (atomic_load(&as_json)) {
        add_json_start(&l, level);
        add_json_field(&l, "event", event, 256);
        if (text[0])
            add_json_field(&l, "text", text, sizeof l.text - l.length - 16);
        send_line(&l, "}\n");
    } else {
        add(&l, "%s: ", human_levels[level]);
        add_plain(&l, event);
        if (text[0])
            add(&l, " ");
        add_plain(&l, text);
        send_line(&l, "\n");
    }
    errno = kept;
}

void base_log_error(base_log_level level, const vg_error *err)
{
    if (!is_wanted(level))
        return;
    int kept = errno;
    line l = {.length = 0};
    if (atomic_load(&as_json)) {
        add_json_start(&l, level);
        add(&l, ",\"event\":\"error\",\"status\":\"%s\"", vg_status_name(err->status));
        add_json_field(&l, "what", err->what, ERROR_FIELD_BYTES);
        add_json_field(&l, "where", err->where, ERROR_FIELD_BYTES);
        add_json_field(&l, "mend", err->mend, ERROR_FIELD_BYTES);
        send_line(&l, "}\n");
    } else {
        add(&l, "%s: ", human_levels[level]);
        add_plain(&l, err->what[0] ? err->what : vg_status_text(err->status));
        if (err->where[0]) {
            add(&l, "\n  at:  ");
            add_plain(&l, err->where);
        }
        if (err->mend[0]) {
            add(&l, "\n  try: ");
            add_plain(&l, err->mend);
        }
        send_line(&l, "\n");
    }
    errno = kept;
}
