/* sink_crop.c: crops/CLASS/STEM_FRAME-N.jpg: every box cut out of its picture, the newest
 * keep_crops of this run kept. What their names are made of is in a ring; the one that leaves it is
 * removed. */
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "files.h"
#include "keep.h"
#include "painter.h"

typedef struct kept {
    char stem[STREAM_STEM_BYTES];
    uint64_t index;
    int class_index, number; /* 0: nothing is here */
} kept;

typedef struct state {
    stream_painter *painter;
    image_encoder *encoder;
    kept *ring; /* (n) */
    size_t n, next;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->save_crop;
}

static size_t ring_length(const stream_setting *s)
{
    return s->options->keep_crops > 0 ? (size_t)s->options->keep_crops : 0;
}

static image_encoder_need encoder_need(const stream_setting *s)
{
    image_encoder_need need = {0};
    if (s->most_w > 0 && s->most_h > 0)
        image_encoder_need_raise(&need, s->most_w, s->most_h, ".jpg");
    return need;
}

static size_t need_bytes(const stream_setting *s)
{
    const image_encoder_need need = encoder_need(s);
    return stream_painter_bytes(s) + image_encoder_bytes(&need) + ring_length(s) * sizeof(kept);
}

static vg_status close_(void *self, vg_error *err)
{
    state *t = self;
    (void)err;
    stream_painter_destroy(&t->painter);
    image_encoder_destroy(&t->encoder);
    base_free(t->ring);
    t->ring = NULL;
    return VG_OK;
}

/* Of what earlier runs left, as many are kept as of this one. */
static vg_status forget_earlier(const stream_setting *s, size_t n, vg_error *err)
{
    char folder[STREAM_PATH_BYTES];
    return base_path_join(folder, sizeof folder, s->folder, "crops")
               ? stream_keep_newest(folder, ".jpg", n, s->mem, err)
               : VG_OK; /* writing tells it */
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    state *t = self;
    const image_encoder_need need = encoder_need(s);
    vg_status st = stream_painter_create(&t->painter, s, s->mem, err);
    if (st == VG_OK)
        st = image_encoder_create(&t->encoder, s->mem, err);
    if (st == VG_OK)
        st = image_encoder_reserve(t->encoder, &need, s->mem, err);
    t->n = ring_length(s);
    if (st == VG_OK && t->n > 0) {
        t->ring = base_alloc_zero(s->mem, t->n, sizeof *t->ring, err);
        st = t->ring != NULL ? VG_OK : VG_ERR_MEMORY;
    }
    if (st == VG_OK && s->options->exist_ok && t->n > 0)
        st = forget_earlier(s, t->n, err);
    if (st != VG_OK)
        close_(self, NULL);
    return st;
}

static vg_status too_long(const stream_result *r, vg_error *err)
{
    return base_fail(err, VG_ERR_LIMIT, r->source, "choose a shorter project or name",
                     "the path of a crop is too long");
}

/* Takes the oldest one's place. */
static vg_status keep(state *t, const stream_setting *s, const stream_result *r, int class_index,
                      int number, vg_error *err)
{
    char path[STREAM_PATH_BYTES];
    if (t->n == 0)
        return VG_OK;
    kept *k = &t->ring[t->next];
    t->next = (t->next + 1) % t->n;
    const kept old = *k;
    *k = (kept){.index = r->index, .class_index = class_index, .number = number};
    base_format(k->stem, sizeof k->stem, "%s", r->stem);
    if (old.number == 0)
        return VG_OK;
    if (!stream_crop_path(path, sizeof path, s->folder,
                          stream_detector_class_name(s->detector, old.class_index), old.stem,
                          old.index, old.number))
        return too_long(r, err);
    return unlink(path) == 0 || errno == ENOENT
               ? VG_OK
               : base_fail_errno(err, VG_ERR_IO, path, "check the folder and its permissions",
                                 "an old crop cannot be removed");
}

static int clamp(float v, int most)
{
    return v > 0 ? v > (float)most ? most : (int)v : 0; /* also what is no number */
}

static vg_status put_crop(state *t, const stream_setting *s, const stream_result *r,
                          const image_view *p, const vg_detection *b, int number, vg_error *err)
{
    const int x1 = clamp(floorf(b->x1), p->w), y1 = clamp(floorf(b->y1), p->h);
    const int x2 = clamp(ceilf(b->x2), p->w), y2 = clamp(ceilf(b->y2), p->h);
    if (x2 <= x1 || y2 <= y1)
        return VG_OK;
    const image_view cut = {.data = p->data + (size_t)y1 * p->stride + (size_t)x1 * 3,
                            .w = x2 - x1,
                            .h = y2 - y1,
                            .stride = p->stride};
    char path[STREAM_PATH_BYTES], folder[STREAM_PATH_BYTES];
    if (!stream_crop_path(path, sizeof path, s->folder,
                          stream_detector_class_name(s->detector, b->class_index), r->stem,
                          r->index, number))
        return too_long(r, err);
    base_format(folder, sizeof folder, "%.*s", (int)(base_path_name(path) - path - 1), path);
    vg_status st = base_make_dirs(folder, err);
    if (st == VG_OK)
        st = image_write(t->encoder, &cut, path, s->mem, err);
    return st == VG_OK ? keep(t, s, r, b->class_index, number, err) : st;
}

static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    image_view picture;
    if (r->n_boxes == 0)
        return VG_OK;
    vg_status st = stream_painter_plain(t->painter, &picture, r, err);
    for (size_t i = 0; i < r->n_boxes && st == VG_OK; i++)
        st = put_crop(t, s, r, &picture, &r->boxes[i], (int)i + 1, err);
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
