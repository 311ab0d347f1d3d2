/* sink_snapshot.c: snapshots/STEM-EVENT.jpg, the picture with its boxes, for events that want
 * one; the newest keep_snapshots of this run are kept. Wanted when there are zones: only events
 * have snapshots. */
#include <errno.h>
#include <unistd.h>

#include "files.h"
#include "keep.h"
#include "painter.h"

typedef struct kept {
    char stem[STREAM_STEM_BYTES];
    uint64_t event; /* from 1; 0: nothing is here */
} kept;

typedef struct state {
    stream_painter *painter;
    image_encoder *encoder;
    bool has_folder;
    kept *ring; /* (n) */
    size_t n, next;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->zones[0] != '\0';
}

static size_t ring_length(const stream_setting *s)
{
    return s->options->keep_snapshots > 0 ? (size_t)s->options->keep_snapshots : 0;
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
    return base_path_join(folder, sizeof folder, s->folder, "snapshots")
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

static vg_status make_folder(state *t, const stream_setting *s, vg_error *err)
{
    char folder[STREAM_PATH_BYTES];
    if (t->has_folder)
        return VG_OK;
    if (!base_path_join(folder, sizeof folder, s->folder, "snapshots"))
        return base_fail(err, VG_ERR_LIMIT, s->folder, "choose a shorter project or name",
                         "the path of the run folder is too long");
    const vg_status st = base_make_dirs(folder, err);
    t->has_folder = st == VG_OK;
    return st;
}

/* Takes the oldest one's place. */
static vg_status keep(state *t, const stream_setting *s, const char *stem, uint64_t event,
                      vg_error *err)
{
    char path[STREAM_PATH_BYTES];
    if (t->n == 0)
        return VG_OK;
    kept *k = &t->ring[t->next];
    t->next = (t->next + 1) % t->n;
    const kept old = *k;
    *k = (kept){.event = event};
    base_format(k->stem, sizeof k->stem, "%s", stem);
    if (old.event == 0 ||
        !stream_snapshot_path(path, sizeof path, s->folder, old.stem, old.event) ||
        unlink(path) == 0 || errno == ENOENT)
        return VG_OK;
    return base_fail_errno(err, VG_ERR_IO, path, "check the folder and its permissions",
                           "an old snapshot cannot be removed");
}

static vg_status put(state *t, const stream_setting *s, const stream_result *r,
                     const image_view *picture, uint64_t event, vg_error *err)
{
    char path[STREAM_PATH_BYTES];
    if (!stream_snapshot_path(path, sizeof path, s->folder, r->stem, event))
        return base_fail(err, VG_ERR_LIMIT, s->folder, "choose a shorter project or name",
                         "the path of a snapshot is too long");
    const vg_status st = image_write(t->encoder, picture, path, s->mem, err);
    if (st != VG_OK)
        t->has_folder = false; /* it may have been removed */
    return st == VG_OK ? keep(t, s, r->stem, event, err) : st;
}

/* Drawn once, whatever number of events the frame has. */
static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    image_view picture = {0};
    vg_status st = VG_OK;
    for (size_t i = 0; i < r->n_events && st == VG_OK; i++) {
        if (!r->events[i].wants_snapshot)
            continue;
        if (picture.data == NULL) {
            st = make_folder(t, s, err);
            if (st == VG_OK)
                st = stream_painter_drawn(t->painter, &picture, s, r, err);
        }
        if (st == VG_OK)
            st = put(t, s, r, &picture, r->events[i].id, err);
    }
    return st;
}

const stream_sink stream_sink_snapshot = {.name = "snapshot",
                                          .help =
                                              "snapshots/STEM-EVENT.jpg: the picture of an event",
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
