/* sink_snapshot.c: snapshots/STEM-EVENT.jpg, the picture with its boxes, for events that want
 * one; the newest keep_snapshots of this run are kept. Wanted when there are zones: only events
 * have snapshots. */
#include "files.h"
#include "kept_pictures.h"

typedef struct record {
    char stem[STREAM_STEM_BYTES];
    uint64_t event;
} record;

typedef struct state {
    stream_kept_pictures files;
} state;

static bool is_wanted(const stream_options *o)
{
    return o->zones[0] != '\0';
}

static bool path_of(char *path, size_t n, const stream_setting *s, const void *self)
{
    const record *c = self;
    return stream_snapshot_path(path, n, s->folder, c->stem, c->event);
}

static const stream_picture_kind snapshots = {.folder = "snapshots",
                                              .stays = "an old snapshot cannot be removed",
                                              .record_bytes = sizeof(record),
                                              .path = path_of};

static size_t need_bytes(const stream_setting *s)
{
    return stream_kept_pictures_bytes(&snapshots, s, s->options->keep_snapshots);
}

static vg_status open_(void *self, const stream_setting *s, vg_error *err)
{
    return stream_kept_pictures_open(&((state *)self)->files, &snapshots, s,
                                     s->options->keep_snapshots, err);
}

static vg_status close_(void *self, vg_error *err)
{
    (void)err;
    stream_kept_pictures_close(&((state *)self)->files);
    return VG_OK;
}

/* Drawn once, whatever number of events the frame has. */
static vg_status write_(void *self, const stream_setting *s, const stream_result *r, vg_error *err)
{
    state *t = self;
    image_view picture = {0};
    vg_status st = VG_OK;
    for (size_t i = 0; i < r->n_events && st == VG_OK; i++) {
        record c = {.event = r->events[i].id};
        if (!r->events[i].wants_snapshot)
            continue;
        if (picture.data == NULL)
            st = stream_painter_drawn(t->files.painter, &picture, s, r, err);
        base_format(c.stem, sizeof c.stem, "%s", r->stem);
        if (st == VG_OK)
            st = stream_kept_pictures_put(&t->files, s, &picture, &c, err);
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
