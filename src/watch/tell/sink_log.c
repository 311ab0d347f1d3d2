/* sink_log.c: events.jsonl in the guard's folder: every event and every deed of the guard, a JSON
 * object a line, one write each. The file is turned over at 8 MiB; one old one is kept. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event_text.h"
#include "sinks.h"

enum { MOST_LOG_BYTES = 8 << 20 };

typedef struct state {
    int fd;
    int64_t n_bytes;
    char path[4096];
    char line[WATCH_EVENT_TEXT_BYTES + 1024];
} state;

static vg_status open_file(state *s, vg_error *err)
{
    struct stat info;
    s->fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->fd < 0 || fstat(s->fd, &info) != 0)
        return base_fail_errno(err, VG_ERR_IO, s->path, NULL, "cannot write the events");
    s->n_bytes = info.st_size;
    return VG_OK;
}

static vg_status open_log(void *state_, bool *wanted, const watch_moment *m, base_mem *mem,
                          vg_error *err)
{
    state *s = state_;
    (void)mem;
    *wanted = true;
    s->fd = -1;
    if (!base_path_join(s->path, sizeof s->path, m->folder, "events.jsonl"))
        return base_fail(err, VG_ERR_LIMIT, m->folder, "use a shorter path", "a path too long");
    return open_file(s, err);
}

static vg_status write_line(state *s, vg_error *err)
{
    const size_t n = strlen(s->line);
    if (s->n_bytes + (int64_t)n > MOST_LOG_BYTES && base_keep_rotate(s->path, 1, NULL) == VG_OK) {
        close(s->fd);
        const vg_status st = open_file(s, err);
        if (st != VG_OK)
            return st;
    }
    if (write(s->fd, s->line, n) != (ssize_t)n)
        return base_fail_errno(err, VG_ERR_IO, s->path, "make room", "cannot write the events");
    s->n_bytes += (int64_t)n;
    return VG_OK;
}

static vg_status add_event(void *state_, const watch_event *e, const watch_moment *m, vg_error *err)
{
    state *s = state_;
    base_format(s->line, sizeof s->line, "{\"unix_s\":%.3f,\"event\":", (double)m->wall_ns * 1e-9);
    size_t n = strlen(s->line);
    watch_event_json(s->line + n, e);
    n += strlen(s->line + n);
    base_format(s->line + n, sizeof s->line - n, "}\n");
    return write_line(s, err);
}

static vg_status add_note(void *state_, const char *what, const watch_moment *m, vg_error *err)
{
    state *s = state_;
    char text[2048];
    base_json_escape(text, sizeof text, what);
    base_format(s->line, sizeof s->line, "{\"unix_s\":%.3f,\"note\":\"%s\",\"restarts\":%d}\n",
                (double)m->wall_ns * 1e-9, text, m->n_restarts);
    return write_line(s, err);
}

static void close_log(void *state_)
{
    state *s = state_;
    if (s->fd > 0)
        close(s->fd);
}

const watch_sink watch_sink_log = {.name = "log",
                                   .state_bytes = sizeof(state),
                                   .open = open_log,
                                   .event = add_event,
                                   .note = add_note,
                                   .close = close_log};
