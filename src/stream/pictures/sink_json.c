/* sink_json.c: predictions.jsonl, one JSON object a picture: source, width, height, boxes of class,
 * name, confidence and xyxy in pixels. What of a line does not fit on the disk is taken back, so
 * that the file holds whole lines. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sink.h"

/* Fixed parts with their numbers; a byte of text is six at most (\\u00xx). */
enum { HEAD_BYTES = 128, BOX_BYTES = 192, ESCAPED = 6 };

typedef struct state {
    int fd;
    off_t whole_bytes; /* of the file, up to the end of the last whole line */
    off_t line_bytes;  /* of the line that is being written */
    char path[4096];
    sink_text line;
} state;

static bool is_wanted(const stream_predict_options *o)
{
    return o->save_json;
}

static size_t need_bytes(const sink_setting *s)
{
    return HEAD_BYTES + ESCAPED * s->longest_path_bytes +
           (size_t)s->options->nms.max_det * (BOX_BYTES + ESCAPED * s->longest_name_bytes);
}

static vg_status open_(void *self, const sink_setting *s, vg_error *err)
{
    state *t = self;
    if (!base_path_join(t->path, sizeof t->path, s->folder, "predictions.jsonl"))
        return base_fail(err, VG_ERR_LIMIT, s->folder, NULL,
                         "the path of the run folder is too long");
    vg_status st = sink_text_open(&t->line, need_bytes(s), s->mem, err);
    if (st != VG_OK)
        return st;
    t->fd = open(t->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (t->fd >= 0)
        return VG_OK;
    st = base_fail_errno(err, VG_ERR_IO, t->path, NULL, "the file cannot be made");
    sink_text_close(&t->line);
    return st;
}

/* A line may be longer than the text: it goes out in pieces, of which all or none stay. */
static vg_status write_piece(void *self, const char *bytes, size_t n, vg_error *err)
{
    state *t = self;
    size_t done = 0;
    while (done < n) {
        const ssize_t k = write(t->fd, bytes + done, n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return base_fail_errno(err, VG_ERR_IO, t->path, "make room on the disk",
                                   "a line cannot be written");
        done += (size_t)k;
    }
    t->line_bytes += (off_t)done;
    return VG_OK;
}

static vg_status write_(void *self, const sink_setting *s, const sink_item *item, vg_error *err)
{
    state *t = self;
    const vg_predict_result *r = item->result;
    const stream_rows rows = sink_rows(s, item);
    t->line.length = 0;
    t->line.flush = write_piece;
    t->line.flush_ctx = t;
    t->line_bytes = 0;
    vg_status st = sink_text_add(&t->line, err, "{\"source\": ");
    if (st == VG_OK)
        st = sink_text_add_json(&t->line, r->source, err);
    if (st == VG_OK)
        st = sink_text_add(&t->line, err, ", \"width\": %d, \"height\": %d, \"boxes\": [", r->width,
                           r->height);
    for (size_t i = 0; i < rows.n && st == VG_OK; i++) {
        st = i > 0 ? sink_text_add(&t->line, err, ", ") : VG_OK;
        if (st == VG_OK)
            st = stream_rows_add_json(&t->line, &rows, i, err);
    }
    if (st == VG_OK)
        st = sink_text_add(&t->line, err, "]");
    if (st == VG_OK)
        st = stream_rows_add_top(&t->line, &rows, " ", err);
    if (st == VG_OK)
        st = sink_text_add(&t->line, err, "}\n");
    if (st == VG_OK)
        st = sink_text_end(&t->line, err);
    if (st == VG_OK)
        t->whole_bytes += t->line_bytes;
    else if (ftruncate(t->fd, t->whole_bytes) == 0)
        lseek(t->fd, t->whole_bytes, SEEK_SET);
    return st;
}

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    sink_text_close(&t->line);
    return close(t->fd) == 0 ? VG_OK
                             : base_fail_errno(err, VG_ERR_IO, t->path, NULL,
                                               "the last lines could not be written");
}

const sink sink_json = {.name = "json",
                        .help = "predictions.jsonl: one object a picture",
                        .state_bytes = sizeof(state),
                        .is_wanted = is_wanted,
                        .need_bytes = need_bytes,
                        .open = open_,
                        .write = write_,
                        .close = close_};
