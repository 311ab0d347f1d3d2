/* sink_crop.c: crops/CLASS/STEM_FRAME-N.jpg: every box cut out of its picture, the newest
 * keep_crops of this run kept. */
#include "files.h"
#include "kept_pictures.h"
#include "stream/shared/crop.h"

typedef struct record {
    char stem[STREAM_STEM_BYTES];
    uint64_t index;
    int class_index, number; /* from 1 */
} record;

typedef struct state {
    stream_kept_pictures files;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->save_crop;
}

static bool path_of(char *path, size_t n, const stream_setting *s, const void *self)
{
    const record *c = self;
    return stream_crop_path(path, n, s->folder,
                            stream_detector_class_name(s->detector, c->class_index), c->stem,
                            c->index, c->number);
}

static const stream_picture_kind crops = {.folder = "crops",
                                          .stays = "an old crop cannot be removed",
                                          .record_bytes = sizeof(record),
                                          .path = path_of};

static size_t need_bytes(const stream_setting *s)
{
    return stream_kept_pictures_bytes(&crops, s, s->options->keep_crops);
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    return stream_kept_pictures_open(&((state *)self)->files, &crops, s, s->options->keep_crops,
                                     err);
}

static vg_status close_(void *self, vg_error *err)
{
    (void)err;
    stream_kept_pictures_close(&((state *)self)->files);
    return VG_OK;
}

static vg_status put_crop(state *t, const stream_setting *s, const stream_result *r,
                          const image_view *picture, size_t i, vg_error *err)
{
    record c = {.index = r->index, .class_index = r->boxes[i].class_index, .number = (int)i + 1};
    image_view cut;
    if (!stream_crop(&cut, picture, &r->boxes[i]))
        return VG_OK;
    base_format(c.stem, sizeof c.stem, "%s", r->stem);
    return stream_kept_pictures_put(&t->files, s, &cut, &c, err);
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    image_view picture;
    if (r->n_boxes == 0)
        return VG_OK;
    vg_status st = stream_painter_plain(t->files.painter, &picture, r, err);
    for (size_t i = 0; i < r->n_boxes && st == VG_OK; i++)
        st = put_crop(t, s, r, &picture, i, err);
    return st;
}

const stream_sink stream_sink_crop = {.name = "crop",
                                      .help = "crops/CLASS/STEM_FRAME-N.jpg",
                                      .needs_pixels = true,
                                      .needs_folder = true,
                                      .is_local = true,
                                      .queue_length = 4,
                                      .state_bytes = sizeof(state),
                                      .is_wanted = is_wanted,
                                      .need_bytes = need_bytes,
                                      .open = open_,
                                      .write = write_,
                                      .close = close_};
