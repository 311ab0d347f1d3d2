/* sink_json.c: predictions.jsonl, one JSON object a picture: source, width, height, boxes of class,
 * name, confidence and xyxy in pixels. A line is written whole; a killed job leaves whole lines. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sink.h"

enum { MOST_LINE_BYTES = 64 << 20 };

typedef struct state {
    int fd;
    char path[4096];
    base_str line;
} state;

static bool is_wanted(const stream_predict_options *o)
{
    return o->save_json;
}

static vg_status open_(void *self, const sink_setting *s, vg_error *err)
{
    state *t = self;
    if (!base_path_join(t->path, sizeof t->path, s->folder, "predictions.jsonl"))
        return base_fail(err, VG_ERR_LIMIT, s->folder, NULL,
                         "the path of the run folder is too long");
    t->fd = open(t->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return t->fd >= 0 ? VG_OK
                      : base_fail_errno(err, VG_ERR_IO, t->path, NULL, "the file cannot be made");
}

static vg_status add_text(state *t, const sink_setting *s, const char *text, vg_error *err)
{
    char escaped[8192];
    base_json_escape(escaped, sizeof escaped, text);
    return base_str_add(&t->line, MOST_LINE_BYTES, s->mem, err, "\"%s\"", escaped);
}

static vg_status add_box(state *t, const sink_setting *s, const detect_box *b, bool first,
                         vg_error *err)
{
    vg_status st = base_str_add(&t->line, MOST_LINE_BYTES, s->mem, err,
                                "%s{\"class\": %d, \"name\": ", first ? "" : ", ", b->class_index);
    if (st == VG_OK)
        st = add_text(t, s, stream_detector_class_name(s->detector, b->class_index), err);
    if (st == VG_OK)
        st = base_str_add(&t->line, MOST_LINE_BYTES, s->mem, err,
                          ", \"confidence\": %.6g, \"xyxy\": [%.6g, %.6g, %.6g, %.6g]}",
                          (double)b->score, (double)b->x1, (double)b->y1, (double)b->x2,
                          (double)b->y2);
    return st;
}

static vg_status write_line(state *t, vg_error *err)
{
    size_t done = 0;
    while (done < t->line.length) {
        ssize_t n = write(t->fd, t->line.text + done, t->line.length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return base_fail_errno(err, VG_ERR_IO, t->path, "make room on the disk",
                                   "a line cannot be written");
        done += (size_t)n;
    }
    return VG_OK;
}

static vg_status write_(void *self, const sink_setting *s, const sink_item *item, vg_error *err)
{
    state *t = self;
    const stream_result *r = item->result;
    t->line.length = 0;
    vg_status st = base_str_add(&t->line, MOST_LINE_BYTES, s->mem, err, "{\"source\": ");
    if (st == VG_OK)
        st = add_text(t, s, r->source, err);
    if (st == VG_OK)
        st = base_str_add(&t->line, MOST_LINE_BYTES, s->mem, err,
                          ", \"width\": %d, \"height\": %d, \"boxes\": [", r->w, r->h);
    for (size_t i = 0; i < r->n_boxes && st == VG_OK; i++)
        st = add_box(t, s, &r->boxes[i], i == 0, err);
    if (st == VG_OK)
        st = base_str_add(&t->line, MOST_LINE_BYTES, s->mem, err, "]}\n");
    return st == VG_OK ? write_line(t, err) : st;
}

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    base_str_fini(&t->line);
    return close(t->fd) == 0 ? VG_OK
                             : base_fail_errno(err, VG_ERR_IO, t->path, NULL,
                                               "the last lines could not be written");
}

const sink sink_json = {.name = "json",
                        .help = "predictions.jsonl: one object a picture",
                        .state_bytes = sizeof(state),
                        .is_wanted = is_wanted,
                        .open = open_,
                        .write = write_,
                        .close = close_};
