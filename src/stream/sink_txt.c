/* sink_txt.c: labels/<stem>.txt, a row a box: class, centre and size as parts of the picture.
 * Spec 2.5. */
#include "sink.h"

enum { MOST_TEXT_BYTES = 64 << 20 };

typedef struct state {
    base_str text; /* used again from picture to picture */
} state;

static bool is_wanted(const stream_predict_options *o)
{
    return o->save_txt;
}

static vg_status open_(void *self, const sink_setting *s, vg_error *err)
{
    (void)self;
    char path[4096];
    if (!base_path_join(path, sizeof path, s->folder, "labels"))
        return base_fail(err, VG_ERR_LIMIT, s->folder, NULL,
                         "the path of the run folder is too long");
    return base_make_dirs(path, err);
}

/* A picture without boxes gets no file, as in the field. */
static vg_status write_(void *self, const sink_setting *s, const sink_item *item, vg_error *err)
{
    state *t = self;
    const stream_result *r = item->result;
    char path[4096];
    vg_status st = VG_OK;
    t->text.length = 0;
    for (size_t i = 0; i < r->n_boxes && st == VG_OK; i++) {
        const detect_box *b = &r->boxes[i];
        st = base_str_add(&t->text, MOST_TEXT_BYTES, s->mem, err, "%d %g %g %g %g", b->class_index,
                          (double)((b->x1 + b->x2) / 2 / (float)r->w),
                          (double)((b->y1 + b->y2) / 2 / (float)r->h),
                          (double)((b->x2 - b->x1) / (float)r->w),
                          (double)((b->y2 - b->y1) / (float)r->h));
        if (st == VG_OK && s->options->save_conf)
            st = base_str_add(&t->text, MOST_TEXT_BYTES, s->mem, err, " %g", (double)b->score);
        if (st == VG_OK)
            st = base_str_add_bytes(&t->text, MOST_TEXT_BYTES, "\n", 1, s->mem, err);
    }
    if (st != VG_OK || r->n_boxes == 0)
        return st;
    if (!sink_path(path, sizeof path, s, "labels", item->entry, ".txt"))
        return base_fail(err, VG_ERR_LIMIT, r->source, NULL,
                         "the path of the label file is too long");
    return base_file_replace(path, t->text.text, t->text.length, err);
}

static vg_status close_(void *self, vg_error *err)
{
    (void)err;
    base_str_fini(&((state *)self)->text);
    return VG_OK;
}

const sink sink_txt = {.name = "txt",
                       .help = "labels/<stem>.txt: class xc yc w h [conf]",
                       .state_bytes = sizeof(state),
                       .is_wanted = is_wanted,
                       .open = open_,
                       .write = write_,
                       .close = close_};
