/* sink_jsonl.c: predictions.jsonl, one object a result. What of a line does not fit on the
 * disk is taken back, so that the file holds whole lines. Past json_bytes it becomes
 * predictions.1.jsonl, which becomes .2, and so on up to keep_json of them.
 *
 * A job of files begins the file anew, as the next run of the same does. One that is live goes on
 * with what --exist-ok found there: a service that restarts must not lose its past. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

enum { TAIL_BYTES = 4096 };

typedef struct state {
    int fd;
    off_t whole_bytes; /* up to the end of the last whole line */
    char path[STREAM_PATH_BYTES];
    sink_text line;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->save_json;
}

static vg_status failed(const state *t, const char *what, vg_error *err)
{
    return base_fail_errno(err, VG_ERR_IO, t->path,
                           errno == ENOSPC || errno == EDQUOT
                               ? "make room on the disk, or bound the file with json_bytes"
                               : "check the folder and its permissions",
                           "%s", what);
}

/* Where the last whole line ends: a program that was killed may have left a part of one. */
static off_t end_of_lines(int fd)
{
    char tail[TAIL_BYTES];
    off_t end = lseek(fd, 0, SEEK_END);
    while (end > 0) {
        const off_t from = end > TAIL_BYTES ? end - TAIL_BYTES : 0;
        const ssize_t n = pread(fd, tail, (size_t)(end - from), from);
        if (n <= 0)
            return 0;
        const char *found = memrchr(tail, '\n', (size_t)n);
        if (found != NULL)
            return from + (found - tail) + 1;
        end = from;
    }
    return 0;
}

static vg_status begin(state *t, bool goes_on, vg_error *err)
{
    t->fd = open(t->path, O_RDWR | O_CREAT | O_CLOEXEC | (goes_on ? 0 : O_TRUNC), 0666);
    if (t->fd < 0)
        return failed(t, "the file cannot be made", err);
    t->whole_bytes = goes_on ? end_of_lines(t->fd) : 0;
    if (ftruncate(t->fd, t->whole_bytes) != 0 || lseek(t->fd, t->whole_bytes, SEEK_SET) < 0)
        return failed(t, "the file cannot be gone on with", err);
    return VG_OK;
}

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    sink_text_close(&t->line);
    const int fd = t->fd;
    t->fd = -1;
    return fd < 0 || close(fd) == 0 ? VG_OK : failed(t, "the last lines could not be written", err);
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    t->fd = -1;
    if (!base_path_join(t->path, sizeof t->path, s->folder, "predictions.jsonl"))
        return base_fail(err, VG_ERR_LIMIT, s->folder, "choose a shorter project or name",
                         "the path of the run folder is too long");
    vg_status st = sink_text_open(&t->line, stream_line_bytes(s), s->mem, err);
    if (st == VG_OK)
        st = begin(t, !s->is_of_files, err);
    if (st != VG_OK)
        close_(self, NULL);
    return st;
}

/* Each old file moves up by one, the last one over its successor. */
static vg_status rotate(state *t, int keep, vg_error *err)
{
    const vg_status st = base_keep_rotate(t->path, keep, err);
    if (st == VG_OK && t->fd >= 0) {
        close(t->fd);
        t->fd = -1;
    }
    return st;
}

static vg_status write_line(state *t, vg_error *err)
{
    size_t done = 0;
    while (done < t->line.length) {
        const ssize_t n = write(t->fd, t->line.bytes + done, t->line.length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            const vg_status st = failed(t, "a line cannot be written", err);
            if (ftruncate(t->fd, t->whole_bytes) == 0)
                lseek(t->fd, t->whole_bytes, SEEK_SET);
            return st;
        }
        done += (size_t)n;
    }
    t->whole_bytes += (off_t)done;
    return VG_OK;
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    const size_t most = s->options->json_bytes;
    vg_status st = stream_line_make(&t->line, s, r, err);
    if (st == VG_OK && t->fd >= 0 && most > 0 && t->whole_bytes > 0 &&
        (size_t)t->whole_bytes + t->line.length > most)
        st = rotate(t, s->options->keep_json, err);
    if (st == VG_OK && t->fd < 0)
        st = begin(t, false, err);
    return st == VG_OK ? write_line(t, err) : st;
}

const stream_sink stream_sink_jsonl = {.name = "jsonl",
                                       .help = "predictions.jsonl: one object a result",
                                       .needs_folder = true,
                                       .is_local = true,
                                       .queue_length = 64,
                                       .state_bytes = sizeof(state),
                                       .is_wanted = is_wanted,
                                       .need_bytes = stream_line_bytes,
                                       .open = open_,
                                       .write = write_,
                                       .close = close_};
