/* sink_txt.c: labels/<stem>.txt, a row a box: class, centre and size as parts of the picture.
 * Spec 2.5. */
#include <errno.h>
#include <unistd.h>

#include "sink.h"
#include "stream/shared/label.h"

typedef struct state {
    sink_text text;
} state;

static bool is_wanted(const stream_predict_options *o)
{
    return o->save_txt;
}

static size_t need_bytes(const sink_setting *s)
{
    return (size_t)s->options->nms.max_det * STREAM_LABEL_BYTES + 1;
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
    vg_status st = VG_OK;
    if (!sink_path(path, sizeof path, s, "labels", item->entry, ".txt"))
        return base_fail(err, VG_ERR_LIMIT, r->source, NULL,
                         "the path of the label file is too long");
    t->length = 0;
    for (size_t i = 0; i < r->n_detections && st == VG_OK; i++)
        st = stream_label_add(t, &r->detections[i], r->width, r->height, s->options->save_conf,
                              NULL, err);
    if (st != VG_OK)
        return st;
    if (r->n_detections > 0)
        return stream_label_write(t, path, err);
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

const sink sink_txt = {.name = "txt",
                       .help = "labels/<stem>.txt: class xc yc w h [conf]",
                       .state_bytes = sizeof(state),
                       .is_wanted = is_wanted,
                       .need_bytes = need_bytes,
                       .open = open_,
                       .write = write_,
                       .close = close_};
