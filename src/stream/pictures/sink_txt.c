/* sink_txt.c: labels/<stem>.txt, a row a box: class, centre and size as parts of the picture, or
 * what the model's task has instead. Spec 2.5, T 2.5. */
#include <errno.h>
#include <unistd.h>

#include "sink.h"

typedef struct state {
    sink_text text;
} state;

static bool is_wanted(const stream_predict_options *o)
{
    return o->save_txt;
}

static size_t need_bytes(const sink_setting *s)
{
    return (size_t)s->options->nms.max_det * STREAM_LABEL_BYTES + s->longest_name_bytes + 16;
}

static vg_status open_(void *self, const sink_setting *s, vg_error *err)
{
    char path[4096];
    if (!base_path_join(path, sizeof path, s->folder, "labels"))
        return base_fail(err, VG_ERR_LIMIT, s->folder, NULL,
                         "the path of the run folder is too long");
    vg_status st = base_make_dirs(path, err);
    return st == VG_OK ? sink_text_open(&((state *)self)->text, need_bytes(s), s->mem, err) : st;
}

/* A picture without boxes gets no file, as in the field; nor keeps one of an earlier run that
 * --exist-ok found here. */
static vg_status write_(void *self, const sink_setting *s, const sink_item *item, vg_error *err)
{
    sink_text *t = &((state *)self)->text;
    const vg_predict_result *r = item->result;
    char path[4096];
    const stream_rows rows = sink_rows(s, item);
    if (!sink_path(path, sizeof path, s, "labels", item->entry, ".txt"))
        return base_fail(err, VG_ERR_LIMIT, r->source, NULL,
                         "the path of the label file is too long");
    if (stream_rows_any(&rows))
        return stream_rows_write(t, &rows, s->options->save_conf, path, err);
    if (unlink(path) == 0 || errno == ENOENT || errno == ENAMETOOLONG)
        return VG_OK;
    return base_fail_errno(err, VG_ERR_IO, path, NULL, "the label file of an earlier run stays");
}

static vg_status close_(void *self, vg_error *err)
{
    (void)err;
    sink_text_close(&((state *)self)->text);
    return VG_OK;
}

const sink sink_txt = {
    .name = "txt",
    .help = "labels/<stem>.txt: class xc yc w h [conf], or outlines, keypoints, corners",
    .state_bytes = sizeof(state),
    .is_wanted = is_wanted,
    .need_bytes = need_bytes,
    .open = open_,
    .write = write_,
    .close = close_};
