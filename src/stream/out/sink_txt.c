/* sink_txt.c: labels/STEM_FRAME.txt, a row a box: class, centre and size as parts of the
 * picture, its confidence when asked for, its track. Spec 2.5. A frame without boxes has no file,
 * as in the field; nor keeps one of an earlier run that --exist-ok found here. The labels of the
 * newest keep_labels frames of a source are kept. */
#include <string.h>

#include "files.h"
#include "json.h"

enum { CLASS_BYTES = 1024 }; /* of a whole picture, with its name */

/* Of a place: whose labels are there, and from which frame on. */
typedef struct past {
    char stem[STREAM_STEM_BYTES];
    uint64_t first, last;
} past;

typedef struct state {
    sink_text text;
    past past[STREAM_MOST_CHANNELS];
} state;

static bool is_wanted(const stream_options *o)
{
    return o->save_txt;
}

static size_t need_bytes(const stream_setting *s)
{
    return (size_t)(s->options->max_det > 0 ? s->options->max_det : 1) *
               (STREAM_LABEL_BYTES + STREAM_LABEL_TRACK_BYTES) +
           CLASS_BYTES;
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    char path[STREAM_PATH_BYTES];
    if (!base_path_join(path, sizeof path, s->folder, "labels"))
        return base_fail(err, VG_ERR_LIMIT, s->folder, "choose a shorter project or name",
                         "the path of the run folder is too long");
    vg_status st = base_make_dirs(path, err);
    if (st == VG_OK && s->options->exist_ok && s->options->keep_labels > 0)
        st = base_keep_newest(path, ".txt", (size_t)s->options->keep_labels * (size_t)s->n_channels,
                              s->mem, err);
    return st == VG_OK ? sink_text_open(&((state *)self)->text, need_bytes(s), s->mem, err) : st;
}

/* What is older than keep_labels frames goes: by its number, which takes no list of files. A frame
 * without boxes, and one that gave way in the queue, had none. */
static vg_status forget_old(state *t, const stream_setting *s, const stream_result *r,
                            vg_error *err)
{
    const uint64_t most = (uint64_t)s->options->keep_labels;
    past *p = &t->past[r->channel];
    char path[STREAM_PATH_BYTES];
    if (strcmp(p->stem, r->stem) != 0 || r->index < p->last) { /* another source, or begun anew */
        base_format(p->stem, sizeof p->stem, "%s", r->stem);
        p->first = 0;
    }
    p->last = r->index;
    vg_status st = VG_OK;
    while (most > 0 && p->first + most <= r->index && st == VG_OK) {
        if (stream_label_path(path, sizeof path, s->folder, r->stem, p->first))
            st = base_keep_remove(path, "an old label file cannot be removed", err);
        if (st == VG_OK)
            p->first++;
    }
    return st;
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    sink_text *t = &((state *)self)->text;
    char path[STREAM_PATH_BYTES];
    vg_status st = forget_old(self, s, r, err);
    if (st != VG_OK)
        return st;
    if (!stream_label_path(path, sizeof path, s->folder, r->stem, r->index))
        return base_fail(err, VG_ERR_LIMIT, r->source, "choose a shorter project or name",
                         "the path of the label file is too long");
    const stream_rows rows = stream_result_rows(s, r);
    if (stream_rows_any(&rows))
        return stream_rows_write(t, &rows, s->options->save_conf, path, err);
    return s->options->exist_ok
               ? base_keep_remove(path, "the label file of an earlier run stays", err)
               : VG_OK;
}

static vg_status close_(void *self, vg_error *err)
{
    (void)err;
    sink_text_close(&((state *)self)->text);
    return VG_OK;
}

const stream_sink stream_sink_txt = {.name = "txt",
                                     .help = "labels/STEM_FRAME.txt: class xc yc w h [conf] [id]",
                                     .needs_folder = true,
                                     .is_local = true,
                                     .queue_length = 64,
                                     .state_bytes = sizeof(state),
                                     .is_wanted = is_wanted,
                                     .need_bytes = need_bytes,
                                     .open = open_,
                                     .write = write_,
                                     .close = close_};
